//! What Partner Center billed for licences: its reconciliation file, by licence and of the new commerce.

use crate::{
    domain::language::Bilingual,
    files::portal::{Portal, comparison, needed},
};

/// The portal.
pub const PORTAL: Portal = comparison(
    "partner_center_reconciliation",
    Bilingual::new(
        "the licence reconciliation file of Partner Center",
        "licensavstämningsfilen från Partner Center",
    ),
)
.reads(&[
    needed(&["PartnerId"]),
    needed(&["CustomerId"]),
    needed(&["OrderId"]),
    needed(&["SubscriptionId"]),
    needed(&["OfferName", "ProductName"]),
])
.marks(&[
    "CustomerId",
    "CustomerName",
    "MpnId",
    "OfferId",
    "DurableOfferId",
    "OfferName",
    "SubscriptionStartDate",
    "SubscriptionEndDate",
    "BillingCycleType",
    "TotalForCustomer",
]);
