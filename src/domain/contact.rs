//! A row of `contacts`: the marketing contact of a partner (R8). And e-mail addresses, and telephone numbers.

use phonenumber::{Mode, country};
use serde::{Deserialize, Serialize};

use super::{
    cell::{self, Cells, Column, optional, required},
    reason::{Expected, Problem},
};

/// The columns, in canonical order.
pub const COLUMNS: &[Column] = &[
    required("partner_id"),
    required("user"),
    required("email"),
    required("phone"),
    required("language"),
    optional("requested_by"),
];

/// An address that mail can be sent to: `local@domain.tld`, at most 254 bytes, as written.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Email(String);

impl Email {
    /// `None` unless it is one bare address: a dot-atom, `@`, and a domain of two labels or more.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (local, domain) = text.rsplit_once('@')?;
        let atext = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&byte);
        let local_holds =
            local.len() <= 64 && local.split('.').all(|atom| !atom.is_empty() && atom.bytes().all(atext));
        let label = |label: &str| {
            (1..=63).contains(&label.len())
                && label.chars().all(|c| c.is_alphanumeric() || c == '-')
                && !label.starts_with('-')
                && !label.ends_with('-')
        };
        let (_, top) = domain.rsplit_once('.')?;
        let domain_holds =
            domain.split('.').all(label) && top.chars().count() >= 2 && !top.chars().all(char::is_numeric);
        (text.len() <= 254 && local_holds && domain_holds).then(|| Self(text.to_owned()))
    }

    /// The address.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether both reach the same mailbox as far as rules go: case does not matter (R8).
    #[must_use]
    pub fn same_as(&self, other: &str) -> bool {
        self.0.to_lowercase() == other.to_lowercase()
    }
}

impl From<Email> for String {
    fn from(email: Email) -> Self {
        email.0
    }
}

impl TryFrom<String> for Email {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        Self::parse(&text).ok_or_else(|| format!("'{text}' is not an e-mail address"))
    }
}

/// A marketing contact as a file states it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContactRow {
    /// Whose contact; the key, for there is one a partner.
    pub partner_id: String,
    /// A directory user, by object id or user principal name.
    pub user: String,
    /// Where offer mail goes.
    pub email: Email,
    /// A telephone number as written; [`phone`] gives it its international form.
    pub phone: String,
    /// A BCP 47 tag, in its canonical case.
    pub language: String,
    /// Which directory user sets the contact; `None`: the operator.
    pub requested_by: Option<String>,
}

/// Reads a row; all its problems if there are any.
pub fn parse(cells: &Cells<'_>) -> Result<ContactRow, Vec<Problem>> {
    let mut row = cells.read();
    let partner_id = row.need("partner_id", Expected::Digits, cell::digits);
    let user = row.need("user", Expected::Text, cell::id);
    let email = row.need("email", Expected::Email, Email::parse);
    let phone = row.need("phone", Expected::Phone, written_phone);
    let language = row.need("language", Expected::Language, cell::language_tag);
    let requested_by = row.patch("requested_by", Expected::Text, cell::id);
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

    const TIDY: &[(&str, &str)] = &[
        ("partner_id", "4201"),
        ("user", "anna@akeri.example"),
        ("email", "anna.lund@akeri.example"),
        ("phone", "+46 (0)8-123 45 67"),
        ("language", "sv-SE"),
    ];

    #[test]
    fn a_tidy_row_is_read_and_every_problem_names_its_column() {
        let contact = row::parse(COLUMNS, parse, TIDY).unwrap();
        assert_eq!((contact.phone.as_str(), contact.language.as_str()), ("+46 (0)8-123 45 67", "sv-SE"));
        row::each_alone(
            COLUMNS,
            parse,
            TIDY,
            &[
                ("partner_id", "4201a", Expected::Digits),
                ("user", "Anna Lund", Expected::Text),
                ("email", "anna.lund", Expected::Email),
                ("phone", "call me", Expected::Phone),
                ("phone", "1234", Expected::Phone),
                ("language", "svenska!", Expected::Language),
                ("requested_by", "Bo Ek", Expected::Text),
            ],
        );
        assert_eq!(row::parse(COLUMNS, parse, &[]).unwrap_err().len(), 5);
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
        let it = row::parse(COLUMNS, parse, &row::with(TIDY, &[("language", "PT-br"), ("requested_by", "")]));
        let it = it.unwrap();
        assert_eq!((it.language.as_str(), it.requested_by), ("pt-BR", None));
        let it = row::parse(COLUMNS, parse, &row::with(TIDY, &[("requested_by", "bo@akeri.example")]));
        assert_eq!(it.unwrap().requested_by.as_deref(), Some("bo@akeri.example"));
    }

    #[test]
    fn an_address_needs_a_mailbox_and_a_domain_with_a_dot() {
        for good in [
            "a@b.se",
            "anna.lund+mpn@mail.akeri.example",
            "o'neil@x-y.co.uk",
            "info@åkeri.se",
            "A_B@C.EXAMPLE",
        ] {
            assert!(Email::parse(good).is_some(), "{good}");
        }
        let long = format!("a@{}.se", "b.".repeat(130));
        for bad in [
            "a@b",
            "@b.se",
            "a@",
            "a@.se",
            "a@b.",
            "a@b..se",
            "a b@c.se",
            ".a@b.se",
            "a..b@c.se",
            "a@b.se\r\nBcc: c@d.se",
            "a\n@b.se",
            "Anna <a@b.se>",
            "a@b.se,c@d.se",
            "a@b@c.se",
            "a@-b.se",
            "a@127.0.0.1",
            "a@b.s",
            "\"a b\"@c.se",
            "a\u{0}@b.se",
            "å@b.se",
            &long,
        ] {
            assert!(Email::parse(bad).is_none(), "{bad}");
        }
        let (a, b) = (Email::parse("Anna@B.se").unwrap(), Email::parse("anna@b.SE").unwrap());
        assert!(a.same_as(b.as_str()) && a != b);
    }

    #[test]
    fn r8_other_mailboxes_are_not_the_same() {
        let (a, b) = (Email::parse("anna@b.se").unwrap(), Email::parse("bo@b.se").unwrap());
        assert!(!a.same_as(b.as_str()));
        assert_eq!(String::from(a), "anna@b.se");
    }
}
