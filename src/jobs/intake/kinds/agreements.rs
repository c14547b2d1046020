//! Agreements: events that exclude bulk credit, or do not; an open end may be given one later (D14, D16).

use std::collections::HashMap;

use chrono::NaiveDate;
use sqlx::PgConnection;

use crate::{
    domain::{
        id::{PartnerId, PartnerNo},
        kinds::agreements::{self, AgreementRow},
        reason::{Problem, Reason},
    },
    jobs::{
        engine::{Context, Result},
        intake::staged::{StagedFile, Verdict, distinct, parse},
    },
    store::{
        agreement::{self as stored, Agreement, Granted},
        file::StagedRow,
        intake,
    },
};

/// What a span of agreements is decided against.
struct AgreementsSpan<'a> {
    cx: &'a Context,
    staged: &'a StagedFile,
    partners: HashMap<PartnerId, PartnerNo>,
    known: HashMap<(PartnerNo, String, NaiveDate), Agreement>,
    granted: HashMap<PartnerNo, Vec<Granted>>,
    /// What is written, in the order of the rows; a later row of the same key takes its place.
    puts: Vec<Agreement>,
}

/// Applies rows of an agreements file.
pub async fn apply(
    cx: &Context,
    conn: &mut PgConnection,
    staged: &StagedFile,
    rows: &[StagedRow],
) -> Result<Vec<Verdict>> {
    let parsed: Vec<_> = rows.iter().map(|row| parse(staged, row, agreements::parse)).collect();
    let numbers = distinct(parsed.iter().flatten(), |row| &row.partner_id);
    let partners: HashMap<PartnerId, PartnerNo> =
        intake::partners(conn, &numbers).await?.into_iter().map(|(number, (id, _))| (number, id)).collect();
    let ids: Vec<PartnerNo> = partners.values().copied().collect();
    let known = stored::of_partners(conn, &ids).await?;
    let mut granted = HashMap::<_, Vec<_>>::new();
    for one in stored::granted(conn, &ids).await? {
        granted.entry(one.partner_id).or_default().push(one);
    }
    let known = known.into_iter().map(|a| ((a.partner_id, a.name.clone(), a.valid_from), a)).collect();
    let mut span = AgreementsSpan { cx, staged, partners, known, granted, puts: Vec::new() };
    let verdicts = rows
        .iter()
        .zip(parsed)
        .map(|(row, parsed)| match parsed {
            Ok(wanted) => span.decide(&wanted, row.line),
            Err(problems) => Verdict::Rejected(problems),
        })
        .collect();
    stored::put(conn, staged.file_id, staged.received_on, &span.puts).await?;
    Ok(verdicts)
}

impl AgreementsSpan<'_> {
    fn decide(&mut self, row: &AgreementRow, line: i32) -> Verdict {
        let partner_id = match self.staged.admit(&row.partner_id, self.partners.get(&row.partner_id).copied())
        {
            Ok(partner_id) => partner_id,
            Err(problem) => return Verdict::Rejected(vec![problem]),
        };
        let remarks = self.remarks(partner_id, row);
        let key = (partner_id, row.agreement.clone(), row.valid_from);
        let known = self.known.get(&key).map(|known| known.valid_until);
        match known {
            Some(until) if until == row.valid_until => return Verdict::Unchanged(remarks),
            Some(Some(until)) => {
                let (column, expected) = ("valid_until".to_owned(), until.to_string());
                let value = row.valid_until.map_or_else(String::new, |until| until.to_string());
                let reason = Reason::ConflictsWithEarlier { column, expected };
                return Verdict::no("valid_until", &value, reason);
            }
            Some(None) | None => {}
        }
        let put = Agreement {
            partner_id,
            name: row.agreement.clone(),
            valid_from: row.valid_from,
            valid_until: row.valid_until,
            line,
        };
        let is_known = known.is_some();
        if is_known {
            let of_key = |p: &Agreement| {
                (p.partner_id, &p.name, p.valid_from) == (partner_id, &put.name, put.valid_from)
            };
            self.puts.retain(|earlier| !of_key(earlier));
        }
        self.known.insert(key, put.clone());
        self.puts.push(put);
        Verdict::put(is_known, remarks)
    }

    /// Whether it excludes at all, and what was granted before and stays.
    fn remarks(&self, partner_id: PartnerNo, row: &AgreementRow) -> Vec<Problem> {
        if !self.cx.catalogue.excludes_bulk(&row.agreement) {
            return vec![Problem::at("agreement", &row.agreement, Reason::AgreementNotListed)];
        }
        let granted = self.granted.get(&partner_id).into_iter().flatten();
        let overlaps = |credit: &&Granted| {
            row.valid_from <= credit.last_usable_on
                && row.valid_until.is_none_or(|until| credit.starts_on <= until)
        };
        granted
            .filter(overlaps)
            .map(|credit| Problem::at("agreement", &row.agreement, stays(credit)))
            .collect()
    }
}

/// What was granted of a bulk credit stays.
pub fn stays(credit: &Granted) -> Reason {
    Reason::BulkStays { order_id: credit.order_id.clone(), benefit: credit.benefit.clone() }
}
