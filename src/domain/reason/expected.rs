//! What a column asks for, by a stable name and in words.

use serde::{Deserialize, Serialize};
use strum::VariantArray;

use super::super::language::Language;

/// What a column asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, VariantArray)]
#[serde(rename_all = "snake_case")]
pub enum Expected {
    /// Digits only.
    Digits,
    /// A whole number of up to nine digits.
    Quantity,
    /// A date, `YYYY-MM-DD`.
    Date,
    /// A date or an RFC 3339 instant.
    DateOrInstant,
    /// A plain decimal with a point, no more places than the currency has.
    Amount,
    /// An ISO 4217 code.
    Currency,
    /// An ISO 3166-1 alpha-2 code.
    Country,
    /// An e-mail address.
    Email,
    /// A BCP 47 tag.
    Language,
    /// A telephone number.
    Phone,
    /// A GUID.
    Guid,
    /// `true` or `false`.
    Flag,
    /// `member` or `guest`.
    UserType,
    /// Roles joined by `+`.
    Role,
    /// One of the offers.
    Offer,
    /// A benefit code.
    Benefit,
    /// `core` or `incremental`.
    BenefitType,
    /// An action this file kind has.
    Action,
    /// A kind of service request that is taken in.
    RequestKind,
    /// Text of a bounded length without control characters.
    Text,
    /// A reference rate: a positive decimal.
    Rate,
    /// A whole number above zero.
    Positive,
    /// A product key.
    Key,
    /// What the store calls a key.
    KeyRef,
    /// `new`, `add_seats` or `extend`.
    RedeemMode,
    /// Hours above zero, in whole minutes.
    Hours,
    /// A web address.
    Url,
}

impl Expected {
    /// What the column asks for, to follow "must be" or "måste vara".
    #[must_use]
    pub const fn phrase(self, language: Language) -> &'static str {
        let (english, swedish) = match self {
            Self::Digits => ("digits only", "enbart siffror"),
            Self::Quantity => ("a whole number from 0 to 999999999", "ett heltal från 0 till 999999999"),
            Self::Date => ("a date written YYYY-MM-DD", "ett datum skrivet ÅÅÅÅ-MM-DD"),
            Self::DateOrInstant => (
                "a date written YYYY-MM-DD, or an instant such as 2024-01-31T09:30:00Z",
                "ett datum skrivet ÅÅÅÅ-MM-DD eller en tidpunkt som 2024-01-31T09:30:00Z",
            ),
            Self::Amount => (
                "an amount with a decimal point, no more decimals than the currency has",
                "ett belopp med decimalpunkt och inte fler decimaler än valutan har",
            ),
            Self::Currency => (
                "a three-letter currency code such as SEK",
                "en valutakod på tre bokstäver, till exempel SEK",
            ),
            Self::Country => {
                ("a two-letter country code such as SE", "en landskod på två bokstäver, till exempel SE")
            }
            Self::Email => ("an e-mail address", "en e-postadress"),
            Self::Language => (
                "a language's code, not its name: en for English, sv for Swedish, or another such as pt-BR",
                "ett språks kod, inte dess namn: en för engelska, sv för svenska, eller en annan, till exempel pt-BR",
            ),
            Self::Phone => {
                ("a telephone number such as +46 8 123 456", "ett telefonnummer, till exempel +46 8 123 456")
            }
            Self::Guid => (
                "a GUID such as 3f2504e0-4f89-11d3-9a0c-0305e82c3301",
                "ett GUID, till exempel 3f2504e0-4f89-11d3-9a0c-0305e82c3301",
            ),
            Self::Flag => ("true or false", "true eller false"),
            Self::UserType => ("Member or Guest", "Member eller Guest"),
            Self::Role => ("a role, or several joined by +", "en roll, eller flera åtskilda med +"),
            Self::Offer => (
                "one of the offers: action_pack, silver, gold, isv_cosell_ready",
                "ett av erbjudandena action_pack, silver, gold, isv_cosell_ready",
            ),
            Self::Benefit => (
                "a benefit code such as azure_monthly_credit or license_subscription/office_365",
                "en förmånskod, till exempel azure_monthly_credit eller license_subscription/office_365",
            ),
            Self::BenefitType => ("core or incremental", "core eller incremental"),
            Self::Action => {
                ("an action that this kind of file has", "en åtgärd som filer av det här slaget har")
            }
            Self::RequestKind => {
                ("a kind of service request that is taken in", "en sorts ärende som tas emot")
            }
            Self::Text => (
                "text of moderate length without control characters",
                "text av måttlig längd utan styrtecken",
            ),
            Self::Rate => ("a positive decimal number", "ett positivt decimaltal"),
            Self::Positive => ("a whole number above zero", "ett heltal större än noll"),
            Self::Key => (
                "a product key: letters, digits and hyphens, at least eight of them",
                "en produktnyckel: bokstäver, siffror och bindestreck, minst åtta",
            ),
            Self::KeyRef => ("the name of a key such as K17", "en nyckels namn, till exempel K17"),
            Self::RedeemMode => ("new, add_seats or extend", "new, add_seats eller extend"),
            Self::Hours => {
                ("hours such as 1.5, in whole minutes", "timmar, till exempel 1.5, i hela minuter")
            }
            Self::Url => ("a web address beginning with https://", "en webbadress som börjar med https://"),
        };
        match language {
            Language::English => english,
            Language::Swedish => swedish,
        }
    }
}
