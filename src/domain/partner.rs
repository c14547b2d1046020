//! A row of `partners`: a company in the programme.

use super::{
    cell::{self, Cells, Column, Patch, optional, required},
    contact::Email,
    money::Currency,
    reason::{Expected, Problem},
};

/// The columns, in canonical order.
pub const COLUMNS: &[Column] = &[
    required("partner_id"),
    required("name"),
    required("account_email"),
    required("country"),
    required("currency"),
    optional("tenant_id"),
    optional("language"),
    optional("group_id"),
];

/// ISO 3166-1 alpha-2, and the user-assigned XK.
const COUNTRIES: &str = "AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR \
    BS BT BV BW BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET \
    FI FJ FK FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ \
    IR IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML \
    MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS \
    PT PW PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL \
    TM TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS XK YE YT ZA ZM ZW";

/// A partner as a file states it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartnerRow {
    /// Digits; the key.
    pub partner_id: String,
    /// The company's name.
    pub name: String,
    /// Where mail goes that has no marketing contact.
    pub account_email: Email,
    /// ISO 3166-1 alpha-2, upper case.
    pub country: String,
    /// What its credit is granted in.
    pub currency: Currency,
    /// The directory tenant, a GUID in lower case.
    pub tenant_id: Patch<String>,
    /// A BCP 47 tag.
    pub language: Patch<String>,
    /// Companies that share caps share this.
    pub group_id: Patch<String>,
}

/// Reads a row; all its problems if there are any.
pub fn parse(cells: &Cells<'_>) -> Result<PartnerRow, Vec<Problem>> {
    let mut row = cells.read();
    let partner_id = row.need("partner_id", Expected::Digits, cell::digits);
    let name = row.need("name", Expected::Text, cell::text(200));
    let account_email = row.need("account_email", Expected::Email, Email::parse);
    let country = row.need("country", Expected::Country, country);
    let currency = row.need("currency", Expected::Currency, Currency::parse);
    let tenant_id = row.patch("tenant_id", Expected::Guid, cell::guid);
    let language = row.patch("language", Expected::Language, cell::language_tag);
    let group_id = row.patch("group_id", Expected::Text, cell::id);
    let assemble = || {
        Some(PartnerRow {
            partner_id: partner_id?,
            name: name?,
            account_email: account_email?,
            country: country?,
            currency: currency?,
            tenant_id: tenant_id?,
            language: language?,
            group_id: group_id?,
        })
    };
    row.finish(assemble())
}

fn country(text: &str) -> Option<String> {
    let code = text.to_ascii_uppercase();
    (code.len() == 2 && COUNTRIES.split_ascii_whitespace().any(|known| known == code)).then_some(code)
}

#[cfg(test)]
mod tests {
    use super::{super::cell::tests as row, *};
    use crate::domain::reason::Reason;

    const TIDY: &[(&str, &str)] = &[
        ("partner_id", " 004201 "),
        ("name", "Åkeri & Söner AB"),
        ("account_email", " Info@Akeri.example "),
        ("country", "se"),
        ("currency", "sek"),
    ];

    #[test]
    fn a_tidy_row_is_normalised() {
        let partner = row::parse(COLUMNS, parse, TIDY).unwrap();
        assert_eq!((partner.partner_id.as_str(), partner.country.as_str()), ("004201", "SE"));
        assert_eq!(partner.account_email.as_str(), "Info@Akeri.example");
        assert_eq!((partner.currency.code(), &partner.tenant_id), ("SEK", &Patch::Keep));
        let more =
            row::with(TIDY, &[("tenant_id", "72F988BF-86F1-41AF-91AB-2D7CD011DB47"), ("language", "")]);
        let partner = row::parse(COLUMNS, parse, &more).unwrap();
        assert_eq!(partner.tenant_id, Patch::Set("72f988bf-86f1-41af-91ab-2d7cd011db47".into()));
        assert_eq!((partner.language, partner.group_id), (Patch::Clear, Patch::Keep));
    }

    #[test]
    fn every_problem_names_its_column_and_value() {
        row::each_alone(
            COLUMNS,
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
                ("group_id", "two words", Expected::Text),
            ],
        );
    }

    #[test]
    fn all_problems_of_a_row_come_together() {
        let problems = row::parse(COLUMNS, parse, &[("partner_id", "x"), ("name", "  "), ("language", "?")])
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

    #[test]
    fn the_country_list_is_whole() {
        assert_eq!(COUNTRIES.split_ascii_whitespace().count(), 250);
    }
}
