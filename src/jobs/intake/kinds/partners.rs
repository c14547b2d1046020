//! Partners: the last file wins, an absent column keeps, an empty cell clears (D16).

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::NaiveDate;
use sqlx::PgConnection;

use crate::{
    domain::{
        id::{FileNo, PartnerId, TenantId},
        kinds::{
            cell::Patch,
            partners::{self, PartnerRow},
            traces,
        },
        money::Currency,
        own_currency::StatedCurrency,
        reason::{Problem, Reason},
    },
    jobs::{
        engine::{Context, Result},
        intake::staged::{StagedFile, Verdict, distinct, parse},
    },
    store::{
        alike,
        file::StagedRow,
        own_currency,
        people::{self, KnownPartner, StoredPartner},
        suppression,
    },
};

/// Applies rows of a partners file.
pub async fn apply(
    cx: &Context,
    conn: &mut PgConnection,
    staged: &StagedFile,
    rows: &[StagedRow],
) -> Result<Vec<Verdict>> {
    let parsed: Vec<_> = rows.iter().map(|row| parse(staged, row, partners::parse)).collect();
    let numbers = distinct(parsed.iter().flatten(), |row| &row.partner_id);
    let mut chunk =
        PartnerChanges { known: people::known(conn, &numbers).await?, ..PartnerChanges::default() };
    if !staged.accept_alike {
        let fresh: Vec<PartnerId> =
            numbers.iter().filter(|number| !chunk.known.contains_key(*number)).cloned().collect();
        chunk.alike = alike::partners(conn, &fresh).await?;
    }
    let verdicts = parsed
        .iter()
        .map(|row| match row {
            Ok(row) => chunk.decide(staged, row),
            Err(problems) => Verdict::Rejected(problems.clone()),
        })
        .collect();
    let addresses = chunk.addresses();
    chunk.write(conn, staged.file_id).await?;
    suppression::meet(conn, &cx.vault, &addresses).await?;
    Ok(verdicts)
}

/// The partners that a chunk names, and what its rows change.
#[derive(Default)]
struct PartnerChanges {
    known: HashMap<PartnerId, KnownPartner>,
    /// Known Partner IDs that new ones are like, by those.
    alike: HashMap<PartnerId, PartnerId>,
    /// New ones that are in, by what they have in common with others.
    entered: HashMap<String, PartnerId>,
    /// Partner IDs of those that are made or changed, in the order of their rows.
    touched: Vec<PartnerId>,
    /// Changes of currency, by Partner ID and day.
    currencies: BTreeMap<(PartnerId, NaiveDate), Currency>,
}

impl PartnerChanges {
    fn decide(&mut self, staged: &StagedFile, row: &PartnerRow) -> Verdict {
        let known = self.known.get(&row.partner_id);
        if let Some(problem) = refusal(staged, known, row) {
            return Verdict::Rejected(vec![problem]);
        }
        if known.is_none() && !staged.accept_alike {
            let (number, common) = (&row.partner_id, traces::alike(row.partner_id.as_str()));
            if let Some(known) = self.alike.get(number).or_else(|| self.entered.get(&common)) {
                return Verdict::no(
                    "partner_id",
                    number.as_str(),
                    Reason::AlikeKnown { known: known.to_string() },
                );
            }
            self.entered.insert(common, number.clone());
        }
        let stored = known.map(|known| known.partner.clone());
        let known = self.known.entry(row.partner_id.clone()).or_insert_with(|| made(row));
        let mut changed = Vec::new();
        // A new partner has had its currency all along, unless the row says since when.
        if stored.is_some() || row.currency_from.is_some() {
            let currency = StatedCurrency { currency: row.currency, from_on: row.currency_from };
            let before = known.partner.currency;
            changed = own_currency::take(&mut known.changes, before, currency, staged.received_on);
        }
        known.partner = wanted(known, row);
        let is_known = stored.is_some();
        let touched = stored.is_none_or(|stored| stored != known.partner);
        if !touched && changed.is_empty() {
            return Verdict::Unchanged(vec![]);
        }
        if touched {
            self.touched.push(row.partner_id.clone());
        }
        let dated = changed.into_iter().map(|(on, currency)| ((row.partner_id.clone(), on), currency));
        self.currencies.extend(dated);
        Verdict::put(is_known, vec![])
    }

    /// Where mail goes of partners that are made or changed.
    fn addresses(&self) -> Vec<String> {
        let touched = self.touched.iter().filter_map(|number| self.known.get(number));
        touched.map(|known| known.partner.account_email.clone()).collect()
    }

    /// Writes what rows changed.
    async fn write(self, conn: &mut PgConnection, file_id: FileNo) -> Result<()> {
        let mut seen = BTreeSet::new();
        let touched = self.touched.iter().filter(|number| seen.insert(*number));
        let touched: Vec<&StoredPartner> =
            touched.filter_map(|number| Some(&self.known.get(number)?.partner)).collect();
        let made = people::put(conn, file_id, &touched).await?;
        let number_of = |number: &PartnerId| {
            made.get(number).copied().or_else(|| self.known.get(number).map(|known| known.partner_id))
        };
        let changes = self
            .currencies
            .iter()
            .filter_map(|((number, on), currency)| Some((number_of(number)?, *on, *currency)));
        own_currency::put(conn, file_id, &changes.collect::<Vec<_>>()).await?;
        Ok(())
    }
}

/// Why a row may not make or change its partner.
fn refusal(staged: &StagedFile, known: Option<&KnownPartner>, row: &PartnerRow) -> Option<Problem> {
    if staged.partner_id.is_some()
        && let Err(problem) = staged.admit(&row.partner_id, known.map(|known| known.partner_id))
    {
        return Some(problem);
    }
    let known = known?;
    // The contact's address differs from the account's, also when that changes (R8).
    if known.contact_email.as_ref().is_some_and(|contact| row.account_email.same_as(contact)) {
        return Some(Problem::at("account_email", row.account_email.as_str(), Reason::ContactIsAccount));
    }
    // Keys were redeemed onto a tenant; it stays the partner's (R3).
    if row.tenant_id == Patch::Keep {
        return None;
    }
    let tenant_id = row.tenant_id.as_set().map_or("", TenantId::as_str);
    let pinned =
        known.pinned_tenant.as_ref().filter(|pinned| !pinned.as_str().eq_ignore_ascii_case(tenant_id));
    pinned.map(|expected| {
        Problem::at("tenant_id", tenant_id, Reason::TenantPinned { expected: expected.to_string() })
    })
}

/// A partner that the row makes.
fn made(row: &PartnerRow) -> KnownPartner {
    let partner = StoredPartner {
        number: row.partner_id.clone(),
        name: row.name.clone(),
        account_email: row.account_email.as_str().to_owned(),
        country: row.country.clone(),
        currency: row.currency,
        tenant_id: None,
        language: None,
        group_id: None,
    };
    KnownPartner { partner_id: 0.into(), partner, contact_email: None, pinned_tenant: None, changes: vec![] }
}

/// The partner as the row would have it.
fn wanted(known: &KnownPartner, row: &PartnerRow) -> StoredPartner {
    let stored = known.partner.clone();
    StoredPartner {
        name: row.name.clone(),
        account_email: row.account_email.as_str().to_owned(),
        country: row.country.clone(),
        // The latest change counts, whichever row states it (D4).
        currency: known.changes.last().map_or(stored.currency, |(_, currency)| *currency),
        tenant_id: row.tenant_id.clone().onto(stored.tenant_id),
        language: row.language.clone().onto(stored.language),
        group_id: row.group_id.clone().onto(stored.group_id),
        number: stored.number,
    }
}
