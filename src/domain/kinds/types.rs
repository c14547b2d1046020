//! The types that columns of several kinds have, and the columns that several kinds share.

use chrono::NaiveDate;

use super::{
    super::{
        benefit::Benefit,
        email::Email,
        id::{AccessId, ContractId, ObjectId, OrderId, PartnerId, RequestId, SubscriptionId, TenantId},
        money::{Currency, parse_decimal},
        reason::Expected,
    },
    forms,
    schema::{Field, Type, Typed, key, optional, required},
};

/// A Partner ID.
pub const PARTNER_NUMBER: Typed<PartnerId> =
    Typed { of: Type::PartnerId, parse: |text| forms::digits(text).map(PartnerId::from) };
/// An order.
pub const ORDER: Typed<OrderId> = Typed { of: Type::Id, parse: |text| forms::id(text).map(OrderId::from) };
/// A service request.
pub const REQUEST: Typed<RequestId> =
    Typed { of: Type::Id, parse: |text| forms::id(text).map(RequestId::from) };
/// The Access ID of a partner.
pub const ACCESS: Typed<AccessId> = Typed { of: Type::Id, parse: |text| forms::id(text).map(AccessId::from) };
/// The Contract ID of an order.
pub const CONTRACT: Typed<ContractId> =
    Typed { of: Type::Id, parse: |text| forms::id(text).map(ContractId::from) };
/// A directory tenant, a GUID in lower case.
pub const TENANT: Typed<TenantId> =
    Typed { of: Type::Guid, parse: |text| forms::guid(text).map(TenantId::from) };
/// An Azure subscription.
pub const SUBSCRIPTION: Typed<SubscriptionId> =
    Typed { of: Type::GuidOrId, parse: |text| guid_or_id(text).map(SubscriptionId::from) };
/// The object id of a directory user.
pub const DIRECTORY_OBJECT: Typed<ObjectId> =
    Typed { of: Type::GuidOrId, parse: |text| guid_or_id(text).map(ObjectId::from) };
/// An identifier.
pub const ID: Typed<String> = Typed { of: Type::Id, parse: forms::id };
/// A directory user, by object id or sign-in name.
pub const DIRECTORY_USER: Typed<String> = Typed { of: Type::User, parse: forms::id };
/// An e-mail address.
pub const EMAIL: Typed<Email> = Typed { of: Type::Email, parse: Email::parse };
/// A BCP 47 tag, in its canonical case.
pub const LANGUAGE: Typed<String> = Typed { of: Type::Language, parse: forms::language_tag };
/// An ISO 3166-1 alpha-2 code, in upper case.
pub const COUNTRY: Typed<String> = Typed { of: Type::Country, parse: forms::country };
/// An ISO 4217 code.
pub const CURRENCY: Typed<Currency> = Typed { of: Type::Currency, parse: Currency::parse };
/// A date.
pub const DATE: Typed<NaiveDate> = Typed { of: Type::Date, parse: forms::date };
/// A date, or an instant of which the UTC date counts (D1).
pub const INSTANT: Typed<NaiveDate> = Typed { of: Type::Instant, parse: forms::date_or_instant };
/// An amount before its currency is known: in ten-thousandths. A row reads it again with its currency's places.
pub const AMOUNT: Typed<i64> = Typed { of: Type::Amount, parse: |text| parse_decimal(text, 4) };
/// `true` or `false`, in any case.
pub const FLAG: Typed<bool> = Typed { of: Type::Flag, parse: forms::flag };
/// A benefit code.
pub const BENEFIT_CODE: Typed<Benefit> = Typed { of: Type::Benefit, parse: Benefit::parse };

/// A GUID in lower case, or another identifier as written.
fn guid_or_id(text: &str) -> Option<String> {
    forms::guid(text).or_else(|| forms::id(text))
}

/// Text of at most `MOST` characters.
#[must_use]
pub const fn text<const MOST: usize>() -> Typed<String> {
    Typed { of: Type::Text(MOST), parse: forms::text::<MOST> }
}

/// One of a list of words.
#[must_use]
pub const fn one_of<T>(
    words: &'static [&'static str],
    expected: Expected,
    parse: fn(&str) -> Option<T>,
) -> Typed<T> {
    Typed { of: Type::OneOf(words, expected), parse }
}

/// Whose row it is.
pub const PARTNER_ID: Field<PartnerId> = key("partner_id", PARTNER_NUMBER).help("The Partner ID");
/// The order.
pub const ORDER_ID: Field<OrderId> = key("order_id", ORDER).help("The order");
/// The benefit of the order.
pub const BENEFIT: Field<Benefit> = key("benefit", BENEFIT_CODE)
    .help("The benefit code, such as azure_monthly_credit or license_subscription/office_365");
/// Who asks for what a request says.
pub const REQUESTED_BY: Field<String> = required("requested_by", DIRECTORY_USER).help(
    "Who asks: a directory user, by object id or user principal name; of a command without it, the operator",
);
/// On which day it is asked for.
pub const REQUESTED_ON: Field<NaiveDate> = required("requested_on", INSTANT)
    .help("On which day or at which instant it is asked for; of a command without it, today (UTC)");
/// Who asks for what a row of another kind says.
pub const ASKED_BY: Field<String> = optional("requested_by", DIRECTORY_USER)
    .help("Who asks: a directory user, by object id or user principal name; without it the operator");
