//! A row of `keys`: a product key and what it is for (R3, R5).

use super::{
    super::{
        benefit::Benefit,
        id::{OrderId, PartnerId},
        license_key::{Secret, parse_masked, without_keys},
        reason::{Problem, Reason},
    },
    cell::{self, Cells, Patch},
    forms,
    schema::{Field, RowMeaning, Schema, Type, Typed, ask, key, kind, optional},
    types::{BENEFIT, ORDER_ID, PARTNER_ID},
};

const KEY: Field<Named> = key(
    "key",
    Typed {
        of: Type::Key,
        parse: |text| parse_masked(text).map(Named::Masked).or_else(|| Secret::parse(text).map(Named::Key)),
    },
)
.secret()
.help("The product key: letters, digits and hyphens, at least eight of them; a command reads it from standard input");
const SEATS: Field<u32> =
    optional("seats", Typed { of: Type::Count(1_000_000), parse: |text| positive(text, 1_000_000) })
        .help("For how many seats it is");
const MONTHS: Field<u16> = optional(
    "months",
    Typed { of: Type::Count(1_200), parse: |text| positive(text, 1_200)?.try_into().ok() },
)
.help("For how many months; without it as many as policy says (12)");
const PRODUCT: Field<String> = optional("product", plain::<200>()).help("The product");
const LANGUAGE: Field<String> = optional("language", plain::<200>()).help("Its languages, as written");
const OS: Field<String> = optional("os", plain::<200>()).help("The operating systems, as written");
const DOWNLOAD_URL: Field<String> =
    optional("download_url", Typed { of: Type::Url(500), parse: url }).help("Where to fetch it, https://…");
const INSTRUCTIONS: Field<String> = optional("instructions", plain::<2_000>()).help("What to do with it");

/// The kind.
pub const KIND: Schema = kind("keys", RowMeaning::Event, "Product keys (R3, R5)")
    .columns(&[
        PARTNER_ID.column,
        ORDER_ID.column,
        BENEFIT.column,
        KEY.column,
        SEATS.column,
        MONTHS.column,
        PRODUCT.column,
        LANGUAGE.column,
        OS.column,
        DOWNLOAD_URL.column,
        INSTRUCTIONS.column,
    ])
    .examples(&[
        "4100101,MPN-240131-101,license_subscription/office_365,AAAAA-BBBBB-CCCCC-DDDDD-EEEEE,25,12,Deskside 365,,,,",
    ])
    .asks(&[ask("key", "Add a product key, which is read from standard input")]);

/// What stands in the column `key`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Named {
    /// The key.
    Key(Secret),
    /// Its mask, as an answer has it: a key that the store has already, by its last characters.
    Masked(String),
}

/// A key as a file states it. What else it says holds no key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyRow {
    /// Whose.
    pub partner_id: PartnerId,
    /// The order.
    pub order_id: OrderId,
    /// The benefit.
    pub benefit: Benefit,
    /// The key; the key of the row as well.
    pub key: Named,
    /// For how many seats it is.
    pub seats: Patch<u32>,
    /// For how many months; `None`: as many as policy says (12).
    pub months: Patch<u16>,
    /// The product.
    pub product: Patch<String>,
    /// Its languages, as written.
    pub language: Patch<String>,
    /// The operating systems, as written.
    pub os: Patch<String>,
    /// Where to fetch it.
    pub download_url: Patch<String>,
    /// What to do with it.
    pub instructions: Patch<String>,
}

/// Reads a row; all its problems if there are any. What is wrong with the key is told without saying it.
pub fn parse(cells: &Cells<'_>) -> Result<KeyRow, Vec<Problem>> {
    let mut row = cells.read();
    let partner_id = row.need(&PARTNER_ID);
    let order_id = row.need(&ORDER_ID);
    let benefit = row.need(&BENEFIT);
    let key = row.need(&KEY);
    let seats = row.patch(&SEATS);
    let months = row.patch(&MONTHS);
    let product = row.patch(&PRODUCT);
    let language = row.patch(&LANGUAGE);
    let os = row.patch(&OS);
    let download_url = row.patch(&DOWNLOAD_URL);
    let instructions = row.patch(&INSTRUCTIONS);
    let assemble = || {
        Some(KeyRow {
            partner_id: partner_id?,
            order_id: order_id?,
            benefit: benefit?,
            key: key?,
            seats: seats?,
            months: months?,
            product: product?,
            language: language?,
            os: os?,
            download_url: download_url?,
            instructions: instructions?,
        })
    };
    row.finish(assemble()).map(KeyRow::without_key).map_err(|problems| safe(problems, cells))
}

/// Problems of a row of keys that say no key: not in the key's column, and not in another one that holds it.
fn safe(mut problems: Vec<Problem>, cells: &Cells<'_>) -> Vec<Problem> {
    let known = match cells.get("key") {
        cell::Content::Text(text) => Secret::parse(text),
        _ => None,
    };
    for problem in &mut problems {
        problem.value = if problem.column == "key" {
            String::new()
        } else {
            without_keys(&problem.value, known.as_ref())
        };
    }
    problems
}

/// Text of which everything that looks like a key is taken out.
const fn plain<const MOST: usize>() -> Typed<String> {
    let parse = |text: &str| forms::text::<MOST>(text).map(|text| without_keys(&text, None));
    Typed { of: Type::Text(MOST), parse }
}

impl KeyRow {
    /// The same with its key taken out of everything else that it says.
    fn without_key(self) -> Self {
        let Named::Key(secret) = &self.key else { return self };
        let secret = secret.clone();
        let clean = |patch: Patch<String>| match patch {
            Patch::Set(text) => Patch::Set(without_keys(&text, Some(&secret))),
            other => other,
        };
        Self {
            product: clean(self.product),
            language: clean(self.language),
            os: clean(self.os),
            download_url: clean(self.download_url),
            instructions: clean(self.instructions),
            ..self
        }
    }

    /// What the row says otherwise than what was recorded under the same key, a problem a column (D16); what it does not
    /// say is the same.
    #[must_use]
    pub fn conflicts(&self, recorded: &KeyContent, key_months: u16) -> Vec<Problem> {
        let mut problems = Vec::new();
        let mut compare = |column: &str, said: Patch<String>, recorded: Option<String>| {
            if said == Patch::Keep || said.as_set() == recorded.as_ref() {
                return;
            }
            let said = said.into_set();
            let expected = recorded.unwrap_or_default();
            let reason = Reason::ConflictsWithEarlier { column: column.to_owned(), expected };
            problems.push(Problem::at(column, &said.unwrap_or_default(), reason));
        };
        if self.seats_at_last(recorded).is_none() {
            let seats = recorded.seats.map(|seats| seats.to_string());
            compare("seats", said(&self.seats, u32::to_string), seats);
        }
        let months = match &self.months {
            Patch::Clear => Patch::Set(key_months.to_string()),
            months => said(months, u16::to_string),
        };
        compare("months", months, Some(recorded.months.to_string()));
        let texts = [
            ("product", &self.product, &recorded.product),
            ("language", &self.language, &recorded.language),
            ("os", &self.os, &recorded.os),
            ("download_url", &self.download_url, &recorded.download_url),
            ("instructions", &self.instructions, &recorded.instructions),
        ];
        for (column, patch, recorded) in texts {
            compare(column, said(patch, String::clone), recorded.clone());
        }
        problems
    }

    /// The seats of a key that came without them, which may be said later, once (D8).
    #[must_use]
    pub fn seats_at_last(&self, recorded: &KeyContent) -> Option<u32> {
        self.seats.as_set().copied().filter(|_| recorded.seats.is_none())
    }

    /// What is recorded of the key.
    #[must_use]
    pub fn content(&self, key_months: u16) -> KeyContent {
        KeyContent {
            seats: self.seats.as_set().copied(),
            months: self.months.as_set().copied().unwrap_or(key_months),
            product: self.product.clone().into_set(),
            language: self.language.clone().into_set(),
            os: self.os.clone().into_set(),
            download_url: self.download_url.clone().into_set(),
            instructions: self.instructions.clone().into_set(),
        }
    }
}

/// What a cell says, as text.
fn said<T>(patch: &Patch<T>, text: impl Fn(&T) -> String) -> Patch<String> {
    match patch {
        Patch::Keep => Patch::Keep,
        Patch::Clear => Patch::Clear,
        Patch::Set(value) => Patch::Set(text(value)),
    }
}

/// What is recorded of a key beside itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyContent {
    /// For how many seats it is.
    pub seats: Option<u32>,
    /// For how many months.
    pub months: u16,
    /// The product.
    pub product: Option<String>,
    /// Its languages.
    pub language: Option<String>,
    /// The operating systems.
    pub os: Option<String>,
    /// Where to fetch it.
    pub download_url: Option<String>,
    /// What to do with it.
    pub instructions: Option<String>,
}

/// A whole number from 1 to `most`.
fn positive(text: &str, most: u32) -> Option<u32> {
    let digits = text.len() <= 9 && text.bytes().all(|byte| byte.is_ascii_digit());
    if digits { text.parse().ok().filter(|count| (1..=most).contains(count)) } else { None }
}

/// An `https://` address without white space.
fn url(text: &str) -> Option<String> {
    let (_, rest) = text.split_once("https://").filter(|(before, _)| before.is_empty())?;
    let whole =
        !rest.is_empty() && text.len() <= 500 && !text.chars().any(|c| c.is_whitespace() || c.is_control());
    whole.then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::{super::cell::tests as row, *};
    use crate::domain::{
        license_key::{key_ref, masked_cell, parse_key_ref},
        reason::Expected,
    };

    const KEY: &str = "VK7JG-NPHTM-C97JM-9MPGT-3V66T";
    const TIDY: &[(&str, &str)] = &[
        ("partner_id", "4201"),
        ("order_id", "ORD-1"),
        ("benefit", "license_subscription/office_365"),
        ("key", KEY),
        ("seats", "25"),
        ("instructions", "Call us, and say vk7jg-nphtm-c97jm-9mpgt-3v66t."),
    ];

    #[test]
    fn a_key_is_read_and_taken_out_of_whatever_else_says_it() {
        let it = row::parse(KIND.columns, parse, TIDY).unwrap();
        assert_eq!(it.key, Named::Key(Secret::parse(&KEY.to_lowercase()).unwrap()));
        assert_eq!((it.seats.into_set(), it.months.into_set()), (Some(25), None));
        assert_eq!(it.instructions.into_set().as_deref(), Some("Call us, and say *****-3V66T."));
        assert!(!format!("{:?}", it.key).contains("3V66T"));
        let masked = row::parse(KIND.columns, parse, &row::with(TIDY, &[("key", "*****-3v66t")])).unwrap();
        assert_eq!(masked.key, Named::Masked("3V66T".into()));
    }

    #[test]
    fn promise_11_no_problem_says_a_key_wherever_it_was_put() {
        let bad = row::with(TIDY, &[("key", "VK7JG NPHTM"), ("seats", KEY), ("months", "SHORTKEY99")]);
        for problem in row::parse(KIND.columns, parse, &bad).unwrap_err() {
            assert!(!format!("{problem:?}").contains("NPHTM"), "{problem:?}");
        }
        let short = row::with(TIDY, &[("key", "SHORTKEY99"), ("seats", "shortkey99")]);
        let problems = row::parse(KIND.columns, parse, &short).unwrap_err();
        assert_eq!(problems[0].value, "*****-KEY99");
    }

    #[test]
    fn what_looks_like_a_key_is_masked_and_nothing_else() {
        let masked = |text: &str| without_keys(text, None);
        assert_eq!(masked(KEY), "*****-3V66T");
        assert_eq!(masked("(abcd-1234-efgh-5678)"), "(*****-5678)");
        assert_eq!(
            masked("see ABCDEF-ABCDEF-ABCDEF-123456 or ABCDE-FGHIJ-KLMNO."),
            "see *****-23456 or ABCDE-FGHIJ-KLMNO."
        );
        assert_eq!(masked("X-ABCD-ABCD-ABCD-ABCD-ABCDEFGH"), "X-*****-ABCD-ABCDEFGH");
        for plain in
            ["MPN-240131-101", "3f2504e0-4f89-11d3-9a0c-0305e82c3301", "sv-SE", "a--b-", "-", "", "Åkeri – 4"]
        {
            assert_eq!(masked(plain), plain);
        }
        assert_eq!(masked_cell(" SHORTKEY99 "), "*****-KEY99");
        assert_eq!(masked_cell("no key!"), "*****");
        assert_eq!((masked_cell("*****-3V66T").as_str(), masked_cell(" ").as_str()), ("*****-3V66T", ""));
    }

    #[test]
    fn d16_the_same_key_with_other_content_conflicts_column_by_column() {
        let it = row::parse(KIND.columns, parse, TIDY).unwrap();
        let recorded = it.content(12);
        assert_eq!(it.conflicts(&recorded, 12), vec![]);
        let other = row::with(TIDY, &[("seats", "26"), ("months", "6"), ("product", "Suite")]);
        let other = row::parse(KIND.columns, parse, &other).unwrap();
        let columns: Vec<String> = other.conflicts(&recorded, 12).into_iter().map(|p| p.column).collect();
        assert_eq!(columns, ["seats", "months", "product"]);
        let without = KeyContent { seats: None, ..recorded.clone() };
        assert_eq!((it.conflicts(&without, 12), it.seats_at_last(&without)), (vec![], Some(25)));
        assert_eq!(it.seats_at_last(&recorded), None);
    }

    #[test]
    fn promise_11_a_key_is_never_said_by_accident_and_a_mask_is_five_of_its_characters() {
        assert_eq!(format!("{:?}", Secret::parse(KEY).unwrap()), "Secret");
        assert_eq!(parse_masked("*****-3v-6T").as_deref(), Some("3V-6T"));
        for no_mask in ["*****-3V66", "*****-3V66TT", "*****-3V 6T", "****-3V66T", "*****3V66T", KEY] {
            assert_eq!(parse_masked(no_mask), None, "{no_mask}");
        }
    }

    #[test]
    fn promise_11_a_key_is_taken_out_of_every_other_cell_of_its_row() {
        let texts = ["product", "language", "os", "instructions"];
        let said = texts.map(|column| (column, "say shortkey99 twice: SHORTKEY99"));
        let row = [("key", "SHORTKEY99"), ("download_url", "https://get.example/?k=shortkey99")];
        let it = row::parse(KIND.columns, parse, &row::with(&row::with(TIDY, &row), &said)).unwrap();
        for clean in [it.product, it.language, it.os, it.instructions] {
            assert_eq!(clean.into_set().as_deref(), Some("say *****-KEY99 twice: *****-KEY99"));
        }
        assert_eq!(it.download_url.into_set().as_deref(), Some("https://get.example/?k=*****-KEY99"));
        let without = row::parse(KIND.columns, parse, &row::with(TIDY, &[("product", "")])).unwrap();
        assert_eq!((without.product, without.os), (Patch::Clear, Patch::Keep));
    }

    #[test]
    fn r3_r5_seats_and_months_are_whole_numbers_above_zero_and_an_address_is_a_whole_one() {
        let read = |column, cell| row::parse(KIND.columns, parse, &row::with(TIDY, &[(column, cell)]));
        assert_eq!(read("seats", "1000000").unwrap().seats, Patch::Set(1_000_000));
        assert_eq!(read("months", "1200").unwrap().months, Patch::Set(1_200));
        let longest = format!("https://{}", "a".repeat(492));
        for good in ["https://a", longest.as_str()] {
            assert_eq!(read("download_url", good).unwrap().download_url.into_set().as_deref(), Some(good));
        }
        let longer = format!("{longest}a");
        assert!(read("download_url", &longer).is_err());
        let bad_urls = ["https://", "http://a.example", "see https://a.example", "https://a b"]
            .map(|url| ("download_url", url, Expected::Url));
        row::each_alone(KIND.columns, parse, TIDY, &bad_urls);
        let bad_counts = [("seats", "0"), ("seats", "+5"), ("seats", "1000001"), ("months", "1201")];
        let bad_counts = bad_counts.map(|(column, cell)| (column, cell, Expected::Positive));
        row::each_alone(KIND.columns, parse, TIDY, &bad_counts);
        assert!(read("download_url", "https://a\u{7}b").is_err(), "no control characters");
    }

    #[test]
    fn what_the_store_calls_a_key_is_read_back_in_any_case() {
        assert_eq!(
            (key_ref(17.into()).as_str(), parse_key_ref("K17"), parse_key_ref("k17")),
            ("K17", Some(17.into()), Some(17.into()))
        );
        for bad in ["", "K", "17", "K-17", "K1.7", "KK17"] {
            assert_eq!(parse_key_ref(bad), None, "{bad}");
        }
    }
}
