//! Usage that comes in files of several widths: what one of them booked for a use is not booked again by another, which tells
//! its parts apart by other columns (D15). The two are compared by the sum of the whole use.

use std::collections::{BTreeSet, HashMap};

use chrono::NaiveDate;
use sqlx::PgConnection;

use super::staged::{StagedFile, Verdict};
use crate::{
    domain::{
        id::{PartnerId, PartnerNo},
        kinds::forms,
        money::{Amount, Currency, parse_decimal},
        reason::{Problem, Reason},
    },
    files::{
        conversion::{WHOLE_SUM, Whole},
        usage_reference::{WHOLE, part_of},
    },
    jobs::engine::Result,
    store::{
        file::{CELL_END, StagedRow},
        intake,
    },
};

/// What is booked of the uses that a chunk of a file names.
#[derive(Default)]
pub struct CountedUsage {
    /// Where the whole use stands in a staged row, and what the file's rows of it come to.
    places: Option<[usize; 2]>,
    /// References and minor units, by whose they are and by day.
    booked: HashMap<PartnerNo, Vec<(String, i64)>>,
}

impl CountedUsage {
    /// Loads it. Of a file that does not say which uses its rows are parts of there is none.
    pub async fn load(
        conn: &mut PgConnection,
        staged: &StagedFile,
        rows: &[StagedRow],
        partners: &HashMap<PartnerId, (PartnerNo, Currency)>,
    ) -> Result<Self> {
        let place = |name: &str| staged.header.iter().position(|column| column == name);
        let places = [place("partner_id"), place("used_on"), place(WHOLE), place(WHOLE_SUM)];
        let [Some(partner), Some(used_on), Some(whole), Some(sum)] = places else {
            return Ok(Self::default());
        };
        let mut days: BTreeSet<(PartnerNo, NaiveDate)> = BTreeSet::new();
        for row in rows {
            let day = forms::date(cell(row, used_on));
            days.extend(partners.get(cell(row, partner)).map(|(id, _)| *id).zip(day));
        }
        let (ids, days): (Vec<PartnerNo>, Vec<NaiveDate>) = days.into_iter().unzip();
        let mut booked: HashMap<PartnerNo, Vec<(String, i64)>> = HashMap::new();
        for (partner_id, reference, minor) in intake::usage_on(conn, &ids, &days).await? {
            booked.entry(partner_id).or_default().push((reference, minor));
        }
        Ok(Self { places: Some([whole, sum]), booked })
    }

    /// What becomes of a row whose reference is new, if a file of another width booked its use.
    pub fn verdict(&self, row: &StagedRow, partner_id: PartnerNo, reference: &str) -> Option<Verdict> {
        let [whole, sum] = self.places?;
        let (whole, sum) = (cell(row, whole), cell(row, sum));
        let own = part_of(reference, whole)?;
        let booked = self.booked.get(&partner_id)?.iter();
        let others = booked.filter(|(other, _)| part_of(other, whole).is_some_and(|parts| parts != own));
        let (parts, minor) = others.fold((0_i64, 0_i64), |(parts, sum), (_, minor)| {
            (parts.saturating_add(1), sum.saturating_add(*minor))
        });
        if parts == 0 {
            return None;
        }
        let booked = Amount::new(minor, Currency::USD).plain();
        let stated = match Whole::parse(sum)? {
            Whole::Sum(stated) => stated,
            Whole::Unknown(line) => return Some(Verdict::no("amount", "", Reason::SumIncomplete { line })),
        };
        let comes_to = parse_decimal(&stated, Currency::USD.exponent());
        Some(if comes_to.is_some_and(|comes_to| comes_to.abs_diff(minor) <= rounding(parts)) {
            Verdict::Unchanged(vec![Problem::at("amount", &stated, Reason::CountedAlready { booked })])
        } else {
            Verdict::no("amount", &stated.clone(), Reason::CountedOtherwise { booked, stated })
        })
    }
}

/// By how many cents so many parts, each rounded, may differ from their rounded sum.
const fn rounding(parts: i64) -> u64 {
    if parts == 1 { 0 } else { parts.unsigned_abs().saturating_add(1) / 2 }
}

fn cell(row: &StagedRow, at: usize) -> &str {
    row.cells.split(CELL_END).nth(at).unwrap_or_default().trim()
}
