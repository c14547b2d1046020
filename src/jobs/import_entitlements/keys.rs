//! Product keys: taken in sealed, and shown by an audited reveal only (R3, R5, promise 11). In what is staged they are
//! sealed too; in the clear they exist while a row is looked at.

use std::collections::{BTreeSet, HashMap};

use chrono::NaiveDate;
use sqlx::{Connection, PgConnection};

use super::{
    apply::{Verdict, parse},
    intake::StagedFile,
};
use crate::{
    domain::{
        book::{Book, Effect},
        entitlement::BenefitKind,
        key_request::{self, KeyRequestRow},
        license_key::{self, KeyRow, Named, Secret, key_ref},
        policy::ImportPolicy,
        reason::{Expected, Problem, Reason},
        request::{self, Arrival, Asked, Outcome},
        subscription,
    },
    files::profile::Kind,
    jobs::{Context, Result, sha256},
    store::{
        book::{self, Entry},
        file::{self, NewFile, StagedRow},
        intake::{self, StoredOrder},
        keys::{self, NewKey, Shown, StoredKey},
        run,
        vault::Vault,
    },
};

/// What a span of a keys file is decided against, and what it brings.
struct Span<'a> {
    staged: &'a StagedFile,
    policy: &'a ImportPolicy,
    vault: Vault,
    partners: HashMap<String, i64>,
    orders: HashMap<String, StoredOrder>,
    benefits: HashMap<(i64, String), i64>,
    known: HashMap<Vec<u8>, StoredKey>,
    by_tail: HashMap<(i64, String), StoredKey>,
    /// Fresh numbers, the next one last.
    numbers: Vec<i64>,
    new: Vec<NewKey>,
}

/// Applies rows of a keys file.
pub async fn apply(
    cx: &Context,
    conn: &mut PgConnection,
    staged: &StagedFile,
    rows: &[StagedRow],
) -> Result<Vec<Verdict>> {
    let vault = cx.vault.open(conn).await?;
    let mut parsed = Vec::with_capacity(rows.len());
    for row in rows {
        let cells = vault.open_cells(&row.cells, row.file_id, row.row_no)?;
        let row = StagedRow { cells, ..row.clone() };
        let understood = parse(staged, &row, license_key::parse);
        parsed.push((row.line, understood));
    }
    let understood: Vec<&KeyRow> = parsed.iter().filter_map(|(_, row)| row.as_ref().ok()).collect();
    let mut span = Span::load(cx, conn, staged, vault, &understood).await?;
    let mut verdicts = Vec::with_capacity(rows.len());
    for (line, row) in &parsed {
        verdicts.push(match row {
            Ok(row) => span.decide(row, *line)?,
            Err(problems) => Verdict::Rejected(problems.clone()),
        });
    }
    keys::append(conn, staged.file_id, staged.received_on, &span.new).await?;
    Ok(verdicts)
}

impl<'a> Span<'a> {
    async fn load(
        cx: &'a Context,
        conn: &mut PgConnection,
        staged: &'a StagedFile,
        vault: Vault,
        rows: &[&KeyRow],
    ) -> Result<Self> {
        let distinct = |of: fn(&KeyRow) -> &String| -> Vec<String> {
            rows.iter().map(|row| of(row)).collect::<BTreeSet<_>>().into_iter().cloned().collect()
        };
        let partners = intake::partners(conn, &distinct(|row| &row.partner_id)).await?;
        let orders = intake::orders(conn, &distinct(|row| &row.order_id)).await?;
        let named: BTreeSet<(i64, String)> = rows
            .iter()
            .filter_map(|row| {
                Some((orders.get(&row.order_id)?.membership_id, row.benefit.as_str().to_owned()))
            })
            .collect();
        let benefits = keys::benefits(conn, named.into_iter().collect()).await?;
        let (mut lookups, mut tails) = (Vec::new(), BTreeSet::new());
        for row in rows {
            match &row.key {
                Named::Key(secret) => lookups.push(vault.lookup(secret)),
                Named::Masked(tail) => drop(tails.insert(tail.clone())),
            }
        }
        let known = keys::find(conn, &lookups).await?;
        let by_tail = if tails.is_empty() {
            HashMap::new()
        } else {
            let of: Vec<i64> = benefits.values().copied().collect();
            keys::by_tail(conn, &of, &tails.into_iter().collect::<Vec<_>>()).await?
        };
        let count = lookups.iter().collect::<BTreeSet<_>>().len().saturating_sub(known.len());
        let mut numbers = keys::new_keys(conn, i32::try_from(count).unwrap_or(i32::MAX)).await?;
        numbers.reverse();
        Ok(Self {
            staged,
            policy: &cx.policies.import_entitlements.policy,
            vault,
            partners: partners.into_iter().map(|(number, (partner_id, _))| (number, partner_id)).collect(),
            orders,
            benefits,
            known: known.into_iter().map(|key| (key.lookup.clone(), key)).collect(),
            by_tail,
            numbers,
            new: Vec::new(),
        })
    }

    fn decide(&mut self, row: &KeyRow, line: i32) -> Result<Verdict> {
        let Some(partner_id) = self.partners.get(&row.partner_id).copied() else {
            return Ok(Verdict::no("partner_id", &row.partner_id, Reason::UnknownPartner));
        };
        if self.staged.partner_id.is_some_and(|own| own != partner_id) {
            let reason = Reason::OtherPartner { partner_id: self.staged.partner_number.clone() };
            return Ok(Verdict::no("partner_id", &row.partner_id, reason));
        }
        let order = match self.orders.get(&row.order_id) {
            None => return Ok(Verdict::no("order_id", &row.order_id, Reason::UnknownOrder)),
            Some(order) if order.partner_id != partner_id => {
                return Ok(Verdict::no("order_id", &row.order_id, Reason::OrderOfAnotherPartner));
            }
            Some(order) => order.membership_id,
        };
        let code = row.benefit.as_str();
        if !matches!(row.benefit.kind(), BenefitKind::Software | BenefitKind::LicenseSubscription) {
            return Ok(Verdict::no("benefit", code, Reason::NotRevealable));
        }
        let Some(entitlement_id) = self.benefits.get(&(order, code.to_owned())).copied() else {
            return Ok(Verdict::no("benefit", code, Reason::UnknownBenefit));
        };
        match &row.key {
            Named::Key(secret) => self.take(row, secret, partner_id, entitlement_id, line),
            // A row of an answer, corrected elsewhere and dropped again.
            Named::Masked(tail) => Ok(match self.by_tail.get(&(entitlement_id, tail.clone())) {
                Some(known) => again(row, known, entitlement_id, self.policy.key_months),
                None => Verdict::no("key", "", Reason::Invalid { expected: Expected::Key }),
            }),
        }
    }

    fn take(
        &mut self,
        row: &KeyRow,
        secret: &Secret,
        partner_id: i64,
        entitlement_id: i64,
        line: i32,
    ) -> Result<Verdict> {
        let lookup = self.vault.lookup(secret);
        if let Some(known) = self.known.get(&lookup) {
            return Ok(again(row, known, entitlement_id, self.policy.key_months));
        }
        let key_id = self.numbers.pop().unwrap_or_default();
        let content = row.content(self.policy.key_months);
        let key = StoredKey { key_id, entitlement_id, lookup: lookup.clone(), content };
        self.known.insert(lookup, key.clone());
        let sealed = self.vault.seal(secret, key_id, entitlement_id)?;
        self.new.push(NewKey { partner_id, sealed, tail: secret.tail().to_owned(), key, line });
        Ok(Verdict::Applied(vec![named(key_id)]))
    }
}

/// A key that is in the store already (D16).
fn again(row: &KeyRow, known: &StoredKey, entitlement_id: i64, key_months: u16) -> Verdict {
    if known.entitlement_id != entitlement_id {
        return Verdict::no("key", "", Reason::KeyOfAnotherBenefit);
    }
    let conflicts = row.conflicts(&known.content, key_months);
    if conflicts.is_empty() {
        Verdict::Unchanged(vec![named(known.key_id)])
    } else {
        Verdict::Rejected(conflicts)
    }
}

fn named(key_id: i64) -> Problem {
    Problem::of_row(Reason::KeyNamed { key_ref: key_ref(key_id) })
}

/// A key that was shown: that it was is on record.
#[derive(Debug)]
pub struct Revealed {
    /// What the store calls it.
    pub key_ref: String,
    /// The key.
    pub secret: Secret,
    /// What it is for.
    pub shown: Shown,
    /// The date under which it was shown.
    pub on: NaiveDate,
    /// It was shown before under this name on this date.
    pub again: bool,
}

/// Shows a key, if whoever asks may see it: ruled on like a row of a file, and recorded each time (R5). Without a name it is
/// the oldest that was not revealed.
///
/// # Errors
/// The store; a secret that is not the store's. Refusals are inside.
pub async fn reveal(
    cx: &Context,
    conn: &mut PgConnection,
    row: &KeyRequestRow,
) -> Result<std::result::Result<Revealed, Vec<Problem>>> {
    let mut tx = conn.begin().await?;
    run::change_facts(&mut tx).await?;
    let vault = cx.vault.open(&mut tx).await?;
    let row = name_key(cx, &mut tx, row.clone()).await?;
    let by = row.requested_by.clone();
    let asked = Asked::Key(row);
    let mut book = open(cx, &mut tx, &asked).await?;
    // Shown once more it is ruled on once more: the request on record must not answer in its stead.
    let earlier: Vec<_> = book.recorded.drain().map(|(_, recorded)| recorded.request_no).collect();
    let policy = &cx.policies.import_entitlements.policy;
    let number = intake::new_requests(&mut tx, 1).await?.first().copied().unwrap_or_default();
    let ruled = request::rule(&book, &asked, &arrival(cx), policy, &cx.catalogue, number);
    let key_id = match &ruled.outcome {
        Outcome::Accepted { effects, .. } => effects.iter().find_map(|effect| match effect {
            Effect::Revealed { key_id, .. } => Some(*key_id),
            _ => None,
        }),
        _ => None,
    };
    let on = asked.requested_on();
    if let (Some(key_id), Some(request_no)) = (key_id, earlier.first()) {
        keys::append_reveal(&mut tx, key_id, on, &by, *request_no).await?;
    } else {
        let file_id = recorded_file(cx, &mut tx, &asked, key_id.is_some()).await?;
        let entry = Entry { asked: &asked, ruled: &ruled, file_id, line: 2, received_on: cx.arrived_on };
        book::write(&mut tx, &book, &[entry]).await?;
    }
    let revealed = match (key_id, ruled.outcome) {
        (Some(key_id), _) => {
            let shown = keys::get(&mut tx, key_id).await?;
            let secret = vault.open(&shown.sealed, key_id, shown.entitlement_id)?;
            Ok(Revealed { key_ref: key_ref(key_id), secret, shown, on, again: !earlier.is_empty() })
        }
        (None, Outcome::Refused(problems) | Outcome::Conflicts(problems)) => Err(problems),
        (None, _) => Err(vec![]),
    };
    tx.commit().await?;
    Ok(revealed)
}

/// What redeeming a key would come to.
#[derive(Debug)]
pub struct Preview {
    /// What the store calls the key.
    pub key_ref: String,
    /// What each way would come to.
    pub ways: subscription::Preview,
}

/// Tells what redeeming a key would come to in each way, and changes nothing (D8).
///
/// # Errors
/// The store. Refusals are inside.
pub async fn preview(
    cx: &Context,
    conn: &mut PgConnection,
    row: &KeyRequestRow,
) -> Result<std::result::Result<Preview, Vec<Problem>>> {
    let mut tx = conn.begin().await?;
    let book = open(cx, &mut tx, &Asked::Key(row.clone())).await?;
    tx.rollback().await?;
    let policy = &cx.policies.import_entitlements.policy;
    let told = request::preview(&book, row, &arrival(cx), policy, &cx.catalogue);
    Ok(told.map(|(key_id, ways)| Preview { key_ref: key_ref(key_id), ways }))
}

async fn open(cx: &Context, conn: &mut PgConnection, asked: &Asked) -> Result<Book> {
    let grace_days = cx.policies.expire_benefits.policy.grace_days;
    let key_months = cx.policies.import_entitlements.policy.key_months;
    Ok(book::open(conn, &[asked], grace_days, u32::from(key_months)).await?)
}

/// The operator sees to it, so that it waits for nobody.
const fn arrival(cx: &Context) -> Arrival<'static> {
    Arrival { received_on: cx.arrived_on, accept_backdated: true, by_operator: true, partner: None }
}

/// The request with the name of the key that it is about, so that a later one on the same date is about the next.
async fn name_key(cx: &Context, conn: &mut PgConnection, mut row: KeyRequestRow) -> Result<KeyRequestRow> {
    if row.key_ref.is_none() {
        let asked = Asked::Key(row.clone());
        let book = open(cx, conn, &asked).await?;
        let order = book.orders.get(&row.order_id).map(|order| order.membership_id);
        let held = order.and_then(|order| book.benefit(order, row.benefit.as_str()));
        row.key_ref = held.and_then(|held| key_request::chosen(held, &row));
    }
    Ok(row)
}

/// What came by command is on record like a file of one row, which was never one.
async fn recorded_file(cx: &Context, conn: &mut PgConnection, asked: &Asked, accepted: bool) -> Result<i64> {
    let told = asked.told().to_string();
    let name = format!("keys {} (command)", asked.kind());
    let new = NewFile {
        sha256: &sha256(told.as_bytes()),
        name: &name,
        kind: Kind::KeyRequests.name(),
        partner_id: None,
        header: &[],
        received_on: cx.arrived_on,
        accept_backdated: true,
        by_operator: true,
    };
    Ok(file::append_asked(conn, &new, accepted).await?)
}
