//! Product keys: taken in sealed (R3, R5, promise 11). In what is staged they are sealed too; in the clear they exist while a
//! row is looked at.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use sqlx::PgConnection;

use crate::{
    domain::{
        benefit::BenefitKind,
        id::{EntitlementNo, KeyNo, OrderId, OrderNo, PartnerId, PartnerNo},
        kinds::keys::{self as declared, KeyRow, Named},
        license_key::{Secret, key_ref},
        reason::{Expected, Problem, Reason},
    },
    jobs::{
        engine::{Context, Result},
        intake::staged::{StagedFile, Verdict, distinct, order_of, parse},
    },
    store::{
        file::StagedRow,
        intake::{self, StoredOrder},
        keys::{self, NewKey, StoredKey},
        vault::Vault,
    },
};

/// What a span of a keys file is decided against, and what it brings.
struct KeysSpan<'a> {
    staged: &'a StagedFile,
    /// Months of a key that does not say (D8).
    key_months: u16,
    vault: Vault,
    partners: HashMap<PartnerId, PartnerNo>,
    orders: HashMap<OrderId, StoredOrder>,
    benefits: HashMap<(OrderNo, String), EntitlementNo>,
    known: HashMap<Vec<u8>, StoredKey>,
    by_tail: HashMap<(EntitlementNo, String), StoredKey>,
    /// Fresh numbers, the next one last.
    numbers: Vec<KeyNo>,
    new: Vec<NewKey>,
    /// Seats of keys that came without them, by their numbers.
    seats: BTreeMap<KeyNo, u32>,
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
        let understood = parse(staged, &row, declared::parse);
        parsed.push((row.line, understood));
    }
    let understood: Vec<&KeyRow> = parsed.iter().filter_map(|(_, row)| row.as_ref().ok()).collect();
    let mut span = KeysSpan::load(cx, conn, staged, vault, &understood).await?;
    let mut verdicts = Vec::with_capacity(rows.len());
    for (line, row) in &parsed {
        verdicts.push(match row {
            Ok(row) => span.decide(row, *line)?,
            Err(problems) => Verdict::Rejected(problems.clone()),
        });
    }
    keys::append(conn, staged.file_id, staged.received_on, &span.new).await?;
    keys::put_seats(conn, staged.file_id, &span.seats).await?;
    Ok(verdicts)
}

impl<'a> KeysSpan<'a> {
    async fn load(
        cx: &'a Context,
        conn: &mut PgConnection,
        staged: &'a StagedFile,
        vault: Vault,
        rows: &[&KeyRow],
    ) -> Result<Self> {
        let each = || rows.iter().copied();
        let partners = intake::partners(conn, &distinct(each(), |row| &row.partner_id)).await?;
        let orders = intake::orders(conn, &distinct(each(), |row| &row.order_id)).await?;
        let named: BTreeSet<(OrderNo, String)> = rows
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
            let of: Vec<EntitlementNo> = benefits.values().copied().collect();
            keys::by_tail(conn, &of, &tails.into_iter().collect::<Vec<_>>()).await?
        };
        let count = lookups.iter().collect::<BTreeSet<_>>().len().saturating_sub(known.len());
        let mut numbers = keys::new_keys(conn, i32::try_from(count).unwrap_or(i32::MAX)).await?;
        numbers.reverse();
        Ok(Self {
            staged,
            key_months: cx.policies.import_entitlements.policy.key_months,
            vault,
            partners: partners.into_iter().map(|(number, (partner_id, _))| (number, partner_id)).collect(),
            orders,
            benefits,
            known: known.into_iter().map(|key| (key.lookup.clone(), key)).collect(),
            by_tail,
            numbers,
            new: Vec::new(),
            seats: BTreeMap::new(),
        })
    }

    fn decide(&mut self, row: &KeyRow, line: i32) -> Result<Verdict> {
        let known = self.partners.get(&row.partner_id).copied();
        let found = self.staged.admit(&row.partner_id, known).and_then(|partner_id| {
            Ok((partner_id, order_of(&self.orders, &row.order_id, partner_id)?.membership_id))
        });
        let (partner_id, order) = match found {
            Ok(found) => found,
            Err(problem) => return Ok(Verdict::Rejected(vec![problem])),
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
            Named::Masked(tail) => Ok(match self.by_tail.get(&(entitlement_id, tail.clone())).cloned() {
                Some(known) => self.again(row, known, entitlement_id),
                None => Verdict::no("key", "", Reason::Invalid { expected: Expected::Key, meant: None }),
            }),
        }
    }

    fn take(
        &mut self,
        row: &KeyRow,
        secret: &Secret,
        partner_id: PartnerNo,
        entitlement_id: EntitlementNo,
        line: i32,
    ) -> Result<Verdict> {
        let lookup = self.vault.lookup(secret);
        if let Some(known) = self.known.get(&lookup).cloned() {
            return Ok(self.again(row, known, entitlement_id));
        }
        let key_id = self.numbers.pop().unwrap_or_default();
        let content = row.content(self.key_months);
        let key = StoredKey { key_id, entitlement_id, lookup: lookup.clone(), content };
        self.known.insert(lookup, key.clone());
        let sealed = self.vault.seal(secret, key_id, entitlement_id)?;
        self.new.push(NewKey { partner_id, sealed, tail: secret.tail().to_owned(), key, line });
        Ok(Verdict::Applied(vec![named(key_id)]))
    }

    /// A key that is in the store already (D16), as it was before this span.
    fn again(&mut self, row: &KeyRow, mut known: StoredKey, entitlement_id: EntitlementNo) -> Verdict {
        if known.entitlement_id != entitlement_id {
            return Verdict::no("key", "", Reason::KeyOfAnotherBenefit);
        }
        known.content.seats = known.content.seats.or_else(|| self.seats.get(&known.key_id).copied());
        let conflicts = row.conflicts(&known.content, self.key_months);
        if !conflicts.is_empty() {
            return Verdict::Rejected(conflicts);
        }
        let remarks = vec![named(known.key_id)];
        let Some(seats) = row.seats_at_last(&known.content) else { return Verdict::Unchanged(remarks) };
        self.seats.insert(known.key_id, seats);
        Verdict::Changed(remarks)
    }
}

fn named(key_id: KeyNo) -> Problem {
    Problem::of_row(Reason::KeyNamed { key_ref: key_ref(key_id) })
}
