//! A row of `partners`: a company in the programme.

use chrono::NaiveDate;

use super::{
    super::{
        email::Email,
        id::{PartnerId, TenantId},
        money::Currency,
        reason::Problem,
    },
    cell::{Cells, Patch},
    schema::{Field, RowMeaning, Schema, ask, kind, optional, required},
    types::{
        COUNTRY as COUNTRY_CODE, CURRENCY as CURRENCY_CODE, DATE, EMAIL, ID, LANGUAGE as TAG, PARTNER_ID,
        TENANT, text,
    },
};

const NAME: Field<String> = required("name", text::<200>()).help("The company's name");
const ACCOUNT_EMAIL: Field<Email> = required("account_email", EMAIL)
    .help("The account's address: where mail goes that has no marketing contact");
const COUNTRY: Field<String> = required("country", COUNTRY_CODE).help("ISO 3166-1 code, such as SE");
const CURRENCY: Field<Currency> =
    required("currency", CURRENCY_CODE).help("ISO 4217 code, such as SEK: what credit is granted in");
const TENANT_ID: Field<TenantId> = optional("tenant_id", TENANT).help("The directory tenant, a GUID");
const LANGUAGE: Field<String> = optional("language", TAG).help("BCP 47 tag, such as sv-SE");
const GROUP_ID: Field<String> = optional("group_id", ID).help("The group with which caps are shared");
const CURRENCY_FROM: Field<NaiveDate> = optional("currency_from", DATE).help(
    "First day of periods granted in that currency, if it changed; without it, the day the file arrives",
);

/// The kind.
pub const KIND: Schema = kind("partners", RowMeaning::State, "Companies in the programme")
    .columns(&[
        PARTNER_ID.column,
        NAME.column,
        ACCOUNT_EMAIL.column,
        COUNTRY.column,
        CURRENCY.column,
        TENANT_ID.column,
        LANGUAGE.column,
        GROUP_ID.column,
        CURRENCY_FROM.column,
    ])
    .examples(&["4100101,Norrsken Integration AB,konto@norrsken.example,SE,SEK,,sv-SE,,"])
    .asks(&[ask("partner", "Add or change a partner")]);

/// A partner as a file states it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartnerRow {
    /// Digits; the key.
    pub partner_id: PartnerId,
    /// The company's name.
    pub name: String,
    /// Where mail goes that has no marketing contact.
    pub account_email: Email,
    /// ISO 3166-1 alpha-2, upper case.
    pub country: String,
    /// What its credit is granted in.
    pub currency: Currency,
    /// From that day on (D4); `None`: from the day its file arrived.
    pub currency_from: Option<NaiveDate>,
    /// The directory tenant, a GUID in lower case.
    pub tenant_id: Patch<TenantId>,
    /// A BCP 47 tag.
    pub language: Patch<String>,
    /// Companies that share caps share this.
    pub group_id: Patch<String>,
}

/// Reads a row; all its problems if there are any.
pub fn parse(cells: &Cells<'_>) -> Result<PartnerRow, Vec<Problem>> {
    let mut row = cells.read();
    let partner_id = row.need(&PARTNER_ID);
    let name = row.need(&NAME);
    let account_email = row.need(&ACCOUNT_EMAIL);
    let country = row.need(&COUNTRY);
    let currency = row.need(&CURRENCY);
    let tenant_id = row.patch(&TENANT_ID);
    let language = row.patch(&LANGUAGE);
    let group_id = row.patch(&GROUP_ID);
    let currency_from = row.patch(&CURRENCY_FROM);
    let assemble = || {
        Some(PartnerRow {
            partner_id: partner_id?,
            name: name?,
            account_email: account_email?,
            country: country?,
            currency: currency?,
            currency_from: currency_from?.into_set(),
            tenant_id: tenant_id?,
            language: language?,
            group_id: group_id?,
        })
    };
    row.finish(assemble())
}

#[cfg(test)]
mod tests {
    use super::{super::cell::tests as row, *};
    use crate::domain::reason::{Expected, Reason};

    const TIDY: &[(&str, &str)] = &[
        ("partner_id", " 004201 "),
        ("name", "Åkeri & Söner AB"),
        ("account_email", " Info@Akeri.example "),
        ("country", "se"),
        ("currency", "sek"),
    ];

    #[test]
    fn a_tidy_row_is_normalised() {
        let partner = row::parse(KIND.columns, parse, TIDY).unwrap();
        assert_eq!((partner.partner_id.as_str(), partner.country.as_str()), ("004201", "SE"));
        assert_eq!(partner.account_email.as_str(), "Info@Akeri.example");
        assert_eq!((partner.currency.code(), &partner.tenant_id), ("SEK", &Patch::Keep));
        let more =
            row::with(TIDY, &[("tenant_id", "72F988BF-86F1-41AF-91AB-2D7CD011DB47"), ("language", "")]);
        let partner = row::parse(KIND.columns, parse, &more).unwrap();
        assert_eq!(partner.tenant_id, Patch::Set("72f988bf-86f1-41af-91ab-2d7cd011db47".into()));
        assert_eq!((partner.language, partner.group_id), (Patch::Clear, Patch::Keep));
    }

    #[test]
    fn every_problem_names_its_column_and_value() {
        row::each_alone(
            KIND.columns,
            parse,
            TIDY,
            &[
                ("partner_id", "P-1", Expected::Digits),
                ("name", "a\u{b}b", Expected::Text),
                ("account_email", "a@b", Expected::Email),
                ("country", "SWE", Expected::Country),
                ("country", "UK", Expected::Country),
                ("currency", "kr", Expected::Currency),
                ("tenant_id", "contoso", Expected::Guid),
                ("language", "Swedish (Sweden)", Expected::Language),
                ("language", "swedish", Expected::Language),
                ("group_id", "two words", Expected::Text),
                ("currency_from", "1/1/2023", Expected::Date),
            ],
        );
    }

    #[test]
    fn all_problems_of_a_row_come_together() {
        let problems =
            row::parse(KIND.columns, parse, &[("partner_id", "x"), ("name", "  "), ("language", "?")])
                .unwrap_err();
        assert_eq!(
            problems,
            [
                row::bad("partner_id", "x", Expected::Digits),
                Problem::at("name", "  ", Reason::Missing),
                Problem::at("account_email", "", Reason::Missing),
                Problem::at("country", "", Reason::Missing),
                Problem::at("currency", "", Reason::Missing),
                row::bad("language", "?", Expected::Language),
            ]
        );
    }
}
