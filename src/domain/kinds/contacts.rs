//! A row of `contacts`: the marketing contact of a partner (R8). And e-mail addresses, and telephone numbers.

use phonenumber::{Mode, country};

use super::{
    super::{email::Email, id::PartnerId, reason::Problem},
    cell::Cells,
    schema::{Field, Naming, RowMeaning, Schema, Type, Typed, ask, kind, required},
    types::{ASKED_BY, DIRECTORY_USER, EMAIL as ADDRESS, LANGUAGE as TAG, PARTNER_ID},
};

const USER: Field<String> = required("user", DIRECTORY_USER)
    .help("A directory user, by object id or user principal name")
    .naming(Naming::Whom);
const EMAIL: Field<Email> = required("email", ADDRESS)
    .help("Where offer mail goes; another address than the partner's account")
    .naming(Naming::Whom);
const PHONE: Field<String> = required("phone", Typed { of: Type::Phone, parse: written_phone })
    .help("A telephone number, such as '+46 8 123 456'");
const LANGUAGE: Field<String> =
    required("language", TAG).help("What they are written to in: a BCP 47 tag, such as sv-SE");

/// The kind.
pub const KIND: Schema = kind("contacts", RowMeaning::State, "Marketing contacts, one a partner (R8)")
    .columns(&[PARTNER_ID.column, USER.column, EMAIL.column, PHONE.column, LANGUAGE.column, ASKED_BY.column])
    .examples(&["4100101,bo@norrsken.example,bo.ek@norrsken.example,+46 8 123 456,sv,"])
    .asks(&[ask("contact", "Set the marketing contact (R8)")]);

/// A marketing contact as a file states it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContactRow {
    /// Whose contact; the key, for there is one a partner.
    pub partner_id: PartnerId,
    /// A directory user, by object id or user principal name.
    pub user: String,
    /// Where offer mail goes.
    pub email: Email,
    /// A telephone number as written; [`phone`] makes it one of the world's.
    pub phone: String,
    /// A BCP 47 tag, in its canonical case.
    pub language: String,
    /// Which directory user sets the contact; `None`: the operator.
    pub requested_by: Option<String>,
}

/// Reads a row; all its problems if there are any.
pub fn parse(cells: &Cells<'_>) -> Result<ContactRow, Vec<Problem>> {
    let mut row = cells.read();
    let partner_id = row.need(&PARTNER_ID);
    let user = row.need(&USER);
    let email = row.need(&EMAIL);
    let phone = row.need(&PHONE);
    let language = row.need(&LANGUAGE);
    let requested_by = row.patch(&ASKED_BY);
    let assemble = || {
        Some(ContactRow {
            partner_id: partner_id?,
            user: user?,
            email: email?,
            phone: phone?,
            language: language?,
            requested_by: requested_by?.into_set(),
        })
    };
    row.finish(assemble())
}

/// Five to twenty digits among what people write between them.
fn written_phone(text: &str) -> Option<String> {
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    let shaped = text.len() <= 40
        && (5..=20).contains(&digits)
        && text.bytes().all(|byte| byte.is_ascii_digit() || b"+-. ()/".contains(&byte));
    shaped.then(|| text.to_owned())
}

/// A telephone number in the form of E.164, `+46812345678`; without a country code it is one of `country`'s (ISO 3166-1
/// alpha-2). `None`: there is no such number in that numbering plan.
#[must_use]
pub fn phone(written: &str, country: &str) -> Option<String> {
    let country = country.parse::<country::Id>().ok();
    let number = phonenumber::parse(country, written).ok().filter(phonenumber::is_valid)?;
    number.extension().is_none().then(|| number.format().mode(Mode::E164).to_string())
}

#[cfg(test)]
mod tests {
    use super::{super::cell::tests as row, *};
    use crate::domain::reason::Expected;

    const TIDY: &[(&str, &str)] = &[
        ("partner_id", "4201"),
        ("user", "anna@akeri.example"),
        ("email", "anna.lund@akeri.example"),
        ("phone", "+46 (0)8-123 45 67"),
        ("language", "sv-SE"),
    ];

    #[test]
    fn a_tidy_row_is_read_and_every_problem_names_its_column() {
        let contact = row::parse(KIND.columns, parse, TIDY).unwrap();
        assert_eq!((contact.phone.as_str(), contact.language.as_str()), ("+46 (0)8-123 45 67", "sv-SE"));
        row::each_alone(
            KIND.columns,
            parse,
            TIDY,
            &[
                ("partner_id", "4201a", Expected::Digits),
                ("user", "Anna Lund", Expected::Text),
                ("email", "anna.lund", Expected::Email),
                ("phone", "call me", Expected::Phone),
                ("phone", "1234", Expected::Phone),
                ("language", "svenska!", Expected::Language),
                ("language", "swedish", Expected::Language),
                ("requested_by", "Bo Ek", Expected::Text),
            ],
        );
        assert_eq!(row::parse(KIND.columns, parse, &[]).unwrap_err().len(), 5);
    }

    #[test]
    fn r8_a_phone_becomes_e164_in_its_own_country_or_the_partners() {
        for (written, country, e164) in [
            ("+46 8 465 004 12", "SE", Some("+46846500412")),
            ("+46 (0)8-123 45 67", "FI", Some("+4681234567")),
            ("08-123 45 67", "SE", Some("+4681234567")),
            ("0046 8 123 45 67", "SE", Some("+4681234567")),
            ("+4681234567", "XK", Some("+4681234567")),
            ("020 7946 0118", "GB", Some("+442079460118")),
            ("(206) 555-0143", "US", Some("+12065550143")),
            ("020 7946 0118", "XK", None),
            ("123456", "SE", None),
            ("+46 8", "SE", None),
            ("+999 123 456 78", "SE", None),
            ("08-123 45 67 ext. 12", "SE", None),
        ] {
            assert_eq!(phone(written, country).as_deref(), e164, "{written} in {country}");
        }
    }

    #[test]
    fn r8_a_language_is_kept_in_its_canonical_case_and_a_row_without_who_asks_is_the_operators() {
        let it =
            row::parse(KIND.columns, parse, &row::with(TIDY, &[("language", "PT-br"), ("requested_by", "")]));
        let it = it.unwrap();
        assert_eq!((it.language.as_str(), it.requested_by), ("pt-BR", None));
        let it = row::parse(KIND.columns, parse, &row::with(TIDY, &[("requested_by", "bo@akeri.example")]));
        assert_eq!(it.unwrap().requested_by.as_deref(), Some("bo@akeri.example"));
    }
}
