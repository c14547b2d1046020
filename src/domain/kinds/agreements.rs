//! A row of `agreements`: another licensing, prepaid or credit agreement of a partner (R2, D14).

use chrono::NaiveDate;

use super::{
    super::{
        id::PartnerId,
        reason::{Problem, Reason},
    },
    cell::{Cells, Patch},
    forms,
    schema::{Field, RowMeaning, Schema, Type, Typed, ask, key, kind, optional},
    types::{DATE, PARTNER_ID},
};

const AGREEMENT: Field<String> =
    key("agreement", Typed { of: Type::Id, parse: |text| forms::id(&text.to_lowercase()) })
        .help("Its name, such as csp");
const VALID_FROM: Field<NaiveDate> = key("valid_from", DATE).help("First day");
const VALID_UNTIL: Field<NaiveDate> =
    optional("valid_until", DATE).help("Last day; without it until further notice");

/// The kind.
pub const KIND: Schema = kind(
    "agreements",
    RowMeaning::Event,
    "Other licensing, prepaid and credit agreements of partners (R2, D14)",
)
.columns(&[PARTNER_ID.column, AGREEMENT.column, VALID_FROM.column, VALID_UNTIL.column])
.examples(&["4100101,csp,2024-03-01,"])
.asks(&[ask("agreement", "Add another agreement of a partner (D14)")]);

/// An agreement as a file states it; its name and first day are the key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AgreementRow {
    /// Whose.
    pub partner_id: PartnerId,
    /// Its name, such as `enterprise_agreement`.
    pub agreement: String,
    /// First day.
    pub valid_from: NaiveDate,
    /// Last day; `None`: until further notice.
    pub valid_until: Option<NaiveDate>,
}

/// Reads a row; all its problems if there are any.
pub fn parse(cells: &Cells<'_>) -> Result<AgreementRow, Vec<Problem>> {
    let mut row = cells.read();
    let partner_id = row.need(&PARTNER_ID);
    let agreement = row.need(&AGREEMENT);
    let valid_from = row.need(&VALID_FROM);
    let valid_until = row.patch(&VALID_UNTIL);
    if let (Some(from), Some(until)) = (valid_from, valid_until.as_ref().and_then(Patch::as_set))
        && *until < from
    {
        row.problem("valid_until", Reason::EndsBeforeStart);
    }
    let assemble = || {
        Some(AgreementRow {
            partner_id: partner_id?,
            agreement: agreement?,
            valid_from: valid_from?,
            valid_until: valid_until?.into_set(),
        })
    };
    row.finish(assemble())
}

#[cfg(test)]
mod tests {
    use super::{
        super::{super::reason::Expected, cell::tests as row},
        *,
    };

    const TIDY: &[(&str, &str)] =
        &[("partner_id", "4201"), ("agreement", "enterprise_agreement"), ("valid_from", "2024-01-01")];

    #[test]
    fn d14_an_agreement_runs_from_a_day_until_a_day_or_further_notice() {
        assert_eq!(row::parse(KIND.columns, parse, TIDY).unwrap().valid_until, None);
        let it = row::parse(KIND.columns, parse, &row::with(TIDY, &[("valid_until", "2024-01-01")])).unwrap();
        assert_eq!(it.valid_until.map(|day| day.to_string()).as_deref(), Some("2024-01-01"));
        let over = row::parse(KIND.columns, parse, &row::with(TIDY, &[("valid_until", "2023-12-31")]));
        assert_eq!(over, Err(vec![Problem::at("valid_until", "2023-12-31", Reason::EndsBeforeStart)]));
        row::each_alone(
            KIND.columns,
            parse,
            TIDY,
            &[
                ("partner_id", "a", Expected::Digits),
                ("agreement", "an agreement", Expected::Text),
                ("valid_from", "1/1/2024", Expected::Date),
                ("valid_until", "2024", Expected::Date),
            ],
        );
    }
}
