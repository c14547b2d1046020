//! Each kind of file is declared once: its columns with type, key, help and secrecy, its example rows, and the names
//! under which `request` asks for it. From that follow: recognition by header, the place of each cell, what a refusal
//! says was expected, the range of dates, the flags of `request`, masking, and FORMATS.md. Only the export query is
//! apart, in `store`.
//!
//! **To add a column**: declare it beside the others in its kind's file (`pub const FROM: Field<NaiveDate> =
//! optional("from", DATE).help("First day");`), name it in `KIND`'s columns (a new one goes last, so that files of
//! before keep their shape), give the example rows a cell for it, read it in `parse` (`row.patch(&FROM)`) into a field
//! of the row, select it under its name in the kind's export query in `store`, and write FORMATS.md anew as its test
//! says.

use std::{borrow::Cow, collections::BTreeSet};

use super::{
    super::{
        benefit::Benefit,
        money::{Currency, parse_decimal},
        reason::Expected,
    },
    forms,
};

/// What the cells of a column hold. Known before a cell is parsed, so that whoever converts from another notation (a
/// spreadsheet's dates and decimals, a workbook's lists) knows what to make of a cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Type {
    /// A Partner ID: up to 20 digits.
    PartnerId,
    /// An identifier without white space, up to 200 bytes.
    Id,
    /// A GUID.
    Guid,
    /// A GUID, or another identifier.
    GuidOrId,
    /// A sign-in name, `name@domain`.
    SignInName,
    /// A directory user, by object id or sign-in name, which may be of any letters.
    User,
    /// Text of so many characters at most.
    Text(usize),
    /// An e-mail address.
    Email,
    /// A telephone number.
    Phone,
    /// A BCP 47 language tag.
    Language,
    /// An ISO 3166-1 alpha-2 code.
    Country,
    /// An ISO 4217 code.
    Currency,
    /// A date.
    Date,
    /// A date, or an instant of which the UTC date counts (D1).
    Instant,
    /// An amount of money: a decimal with as many places as its currency has.
    Amount,
    /// A whole number from 1 to this.
    Count(u32),
    /// A whole number of up to nine digits; of cloud support also `unlimited`.
    Quantity,
    /// Hours in whole minutes.
    Hours,
    /// A reference rate: units for one euro.
    Rate,
    /// `true` or `false`.
    Flag,
    /// An `https://` address of so many bytes at most.
    Url(usize),
    /// A product key, or its mask.
    Key,
    /// What the store calls a key.
    KeyRef,
    /// A benefit code: a kind, or kind/detail.
    Benefit,
    /// One of these words, or several joined by `+`.
    SomeOf(&'static [&'static str], Expected),
    /// One of these words.
    OneOf(&'static [&'static str], Expected),
}

impl Type {
    /// What a cell that does not hold it is told.
    #[must_use]
    pub const fn expected(self) -> Expected {
        match self {
            Self::PartnerId => Expected::Digits,
            Self::Id | Self::GuidOrId | Self::User | Self::Text(_) => Expected::Text,
            Self::Guid => Expected::Guid,
            Self::SignInName | Self::Email => Expected::Email,
            Self::Phone => Expected::Phone,
            Self::Language => Expected::Language,
            Self::Country => Expected::Country,
            Self::Currency => Expected::Currency,
            Self::Date => Expected::Date,
            Self::Instant => Expected::DateOrInstant,
            Self::Amount => Expected::Amount,
            Self::Count(_) => Expected::Positive,
            Self::Quantity => Expected::Quantity,
            Self::Hours => Expected::Hours,
            Self::Rate => Expected::Rate,
            Self::Flag => Expected::Flag,
            Self::Url(_) => Expected::Url,
            Self::Key => Expected::Key,
            Self::KeyRef => Expected::KeyRef,
            Self::Benefit => Expected::Benefit,
            Self::SomeOf(_, expected) | Self::OneOf(_, expected) => expected,
        }
    }

    /// A cell's text in the form in which two that say the same are equal; text that the type does not hold stays as it is.
    #[must_use]
    pub fn canonical(self, text: &str) -> Cow<'_, str> {
        let said = match self {
            Self::Guid | Self::GuidOrId | Self::Flag | Self::OneOf(..) => Some(text.to_lowercase()),
            Self::SomeOf(..) => {
                let words: BTreeSet<String> =
                    text.split('+').map(|word| word.trim().to_lowercase()).collect();
                Some(words.into_iter().collect::<Vec<_>>().join("+"))
            }
            Self::Phone => Some(text.chars().filter(|c| !"-. ()/".contains(*c)).collect()),
            Self::Language => forms::language_tag(text),
            Self::Country => forms::country(text),
            Self::Currency => Currency::parse(text).map(|currency| currency.code().to_owned()),
            Self::Instant => forms::date_or_instant(text).map(|day| day.to_string()),
            Self::Amount | Self::Hours | Self::Rate => {
                parse_decimal(text, 6).map(|number| number.to_string())
            }
            Self::Count(_) | Self::Quantity => text.parse::<u32>().ok().map(|number| number.to_string()),
            Self::Benefit => Benefit::parse(text).map(|benefit| benefit.as_str().to_owned()),
            Self::PartnerId
            | Self::Id
            | Self::SignInName
            | Self::User
            | Self::Text(_)
            | Self::Email
            | Self::Date
            | Self::Url(_)
            | Self::Key
            | Self::KeyRef => None,
        };
        said.map_or(Cow::Borrowed(text), Cow::Owned)
    }

    /// The words that a cell may hold, if there is a list of them.
    #[must_use]
    pub const fn words(self) -> &'static [&'static str] {
        match self {
            Self::OneOf(words, _) | Self::SomeOf(words, _) => words,
            Self::Flag => &["true", "false"],
            _ => &[],
        }
    }
}

/// A type and how its cells are read.
#[derive(Debug)]
pub struct Typed<T> {
    /// The type.
    pub of: Type,
    /// What a trimmed cell says; `None`: it holds something else.
    pub parse: fn(&str) -> Option<T>,
}

impl<T> Clone for Typed<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Typed<T> {}

/// Whom the cells of a column name; that is what has to go when somebody is erased.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Naming {
    /// Nobody.
    Nobody,
    /// Whom the row is about: all such cells of a row are of one person, whatever they say.
    Whom,
    /// Somebody, such as who asks.
    Somebody,
    /// Nobody by itself: it is what who asks wrote.
    OwnWords,
}

/// A column of a kind of file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "independent facts of a column, each read by its name")]
pub struct Column {
    /// The canonical name.
    pub name: &'static str,
    /// What its cells hold.
    pub of: Type,
    /// Whether a file without it is refused.
    pub required: bool,
    /// Whether a cell of it may be empty though the column must be there.
    pub may_be_empty: bool,
    /// Whether it belongs to the key of a row within its partner.
    pub key: bool,
    /// Whether its cells are masked wherever they are told, and sealed where they are kept (promise 11).
    pub secret: bool,
    /// Whom its cells name.
    pub naming: Naming,
    /// What it says, for people.
    pub help: &'static str,
}

/// A column and how its cells are read.
#[derive(Debug)]
pub struct Field<T> {
    /// The column.
    pub column: Column,
    /// What a trimmed cell says; `None`: it holds something else.
    pub parse: fn(&str) -> Option<T>,
}

/// A column that a file must have and that is part of a row's key.
#[must_use]
pub const fn key<T>(name: &'static str, typed: Typed<T>) -> Field<T> {
    required(name, typed).key()
}

/// A column that a file must have.
#[must_use]
pub const fn required<T>(name: &'static str, typed: Typed<T>) -> Field<T> {
    let column = Column {
        name,
        of: typed.of,
        required: true,
        may_be_empty: false,
        key: false,
        secret: false,
        naming: naming(typed.of),
        help: "",
    };
    Field { column, parse: typed.parse }
}

/// Whom cells of a type name, unless the column says otherwise.
const fn naming(of: Type) -> Naming {
    match of {
        Type::User => Naming::Somebody,
        Type::SignInName | Type::Phone => Naming::Whom,
        _ => Naming::Nobody,
    }
}

/// A column that a file may have.
#[must_use]
pub const fn optional<T>(name: &'static str, typed: Typed<T>) -> Field<T> {
    let field = required(name, typed);
    Field { column: Column { required: false, may_be_empty: true, ..field.column }, parse: field.parse }
}

impl<T> Field<T> {
    /// The same as part of a row's key.
    #[must_use]
    pub const fn key(self) -> Self {
        Self { column: Column { key: true, ..self.column }, parse: self.parse }
    }

    /// The same with what it says.
    #[must_use]
    pub const fn help(self, help: &'static str) -> Self {
        Self { column: Column { help, ..self.column }, parse: self.parse }
    }

    /// The same, whose cells may be empty.
    #[must_use]
    pub const fn may_be_empty(self) -> Self {
        Self { column: Column { may_be_empty: true, ..self.column }, parse: self.parse }
    }

    /// The same, whose cells name somebody in this way.
    #[must_use]
    pub const fn naming(self, naming: Naming) -> Self {
        Self { column: Column { naming, ..self.column }, parse: self.parse }
    }

    /// The same as a secret.
    #[must_use]
    pub const fn secret(self) -> Self {
        Self { column: Column { secret: true, ..self.column }, parse: self.parse }
    }
}

/// What a row of a kind is, which says what a second one of the same key means (D16).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RowMeaning {
    /// How something is: the last file wins; within one file a key stands once.
    State,
    /// Something that happened: the same key with other content is a conflict.
    Event,
    /// Something that is asked for, decided in the order of `requested_on` over all files (D1).
    Request,
}

/// Something that can be asked for by command, which a row of the kind says as well.
#[derive(Clone, Copy, Debug)]
pub struct Ask {
    /// The name, as in `request NAME`.
    pub name: &'static str,
    /// What it does.
    pub about: &'static str,
    /// Columns that the name says already, and what stands in them.
    pub fixed: &'static [(&'static str, &'static str)],
    /// Columns that it needs though not every row of its kind does.
    pub needs: &'static [&'static str],
    /// Columns that mean nothing to it.
    pub without: &'static [&'static str],
}

/// Something that can be asked for by command.
#[must_use]
pub const fn ask(name: &'static str, about: &'static str) -> Ask {
    Ask { name, about, fixed: &[], needs: &[], without: &[] }
}

impl Ask {
    /// The same with what its name says already.
    #[must_use]
    pub const fn fixed(self, fixed: &'static [(&'static str, &'static str)]) -> Self {
        Self { fixed, ..self }
    }

    /// The same with what it needs.
    #[must_use]
    pub const fn needs(self, needs: &'static [&'static str]) -> Self {
        Self { needs, ..self }
    }

    /// The same with what means nothing to it.
    #[must_use]
    pub const fn without(self, without: &'static [&'static str]) -> Self {
        Self { without, ..self }
    }
}

/// A kind of file.
#[derive(Clone, Copy, Debug)]
pub struct Schema {
    /// The name, as in `--kind`; also the name of its files in every room of the code.
    pub name: &'static str,
    /// What it is for.
    pub about: &'static str,
    /// What its rows are.
    pub facts: RowMeaning,
    /// Its columns, in canonical order.
    pub columns: &'static [Column],
    /// Whether any other column is a currency, named by its ISO 4217 code.
    pub currencies: bool,
    /// Rows that show it: a cell for each column, joined by commas.
    pub examples: &'static [&'static str],
    /// What can be asked for by command.
    pub asks: &'static [Ask],
}

/// A kind of file.
#[must_use]
pub const fn kind(name: &'static str, facts: RowMeaning, about: &'static str) -> Schema {
    Schema { name, about, facts, columns: &[], currencies: false, examples: &[], asks: &[] }
}

impl Schema {
    /// The same with its columns, in canonical order.
    #[must_use]
    pub const fn columns(self, columns: &'static [Column]) -> Self {
        Self { columns, ..self }
    }

    /// The same with any other column a currency.
    #[must_use]
    pub const fn and_currencies(self) -> Self {
        Self { currencies: true, ..self }
    }

    /// The same with rows that show it.
    #[must_use]
    pub const fn examples(self, examples: &'static [&'static str]) -> Self {
        Self { examples, ..self }
    }

    /// The same with what can be asked for by command.
    #[must_use]
    pub const fn asks(self, asks: &'static [Ask]) -> Self {
        Self { asks, ..self }
    }
}
