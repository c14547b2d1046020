//! What an Azure sponsorship used: a row a day and resource, in US dollars, in both widths (the older ones are without the
//! columns of resources). The entitlement is the one with that subscription; rows of one day, resource, service and region
//! are one. Widths tell the parts of a use apart by different columns, so the whole of a use is named beside them (D15).

use crate::{
    domain::{
        kinds::{Kind, schema::Type},
        language::Bilingual,
    },
    files::{
        portal::{Portal, PortalCells, Summing, given, needed, portal, read},
        usage_reference::{ANY_PART, BY_NAME, NO_PART, WHOLE},
    },
};

/// The portal.
pub const PORTAL: Portal = portal(
    "azure_sponsorship_usage",
    Bilingual::new("the usage file of an Azure sponsorship", "förbrukningsfilen för en Azure-sponsring"),
    Kind::CreditUsage,
)
.reads(&[
    needed(&["SubscriptionGuid"]),
    needed(&["Date"]).of(Type::Date),
    needed(&["ServiceName"]),
    needed(&["Cost"]).of(Type::Amount),
    read(&["ResourceGuid"]),
    read(&["ServiceResource"]),
    read(&["ServiceRegion"]),
])
.marks(&[
    "SubscriptionName",
    "SubscriptionGuid",
    "ResourceGuid",
    "ServiceName",
    "ServiceType",
    "ServiceRegion",
    "ServiceResource",
])
.gives(&[
    given("order_id", &[], |_| String::new()),
    given("benefit", &[], |_| String::new()),
    given("used_on", &["Date"], |row| row.text("Date").to_owned()),
    given("amount", &["Cost"], |row| row.text("Cost").to_owned()),
    given("currency", &[], |_| "USD".to_owned()),
    given(
        "reference",
        &["SubscriptionGuid", "Date", "ResourceGuid", "ServiceResource", "ServiceName", "ServiceRegion"],
        reference,
    ),
    given("subscription_id", &["SubscriptionGuid"], |row| row.text("SubscriptionGuid").to_lowercase()),
    given(WHOLE, &[], |row| named(row, ANY_PART)),
])
.sums(Summing { by: "reference", of: "amount", from: "Cost", places: 2, within: WHOLE });

/// Subscription, day, resource, service and region.
fn reference(row: &PortalCells<'_>) -> String {
    let (guid, name) = (row.text("ResourceGuid"), row.text("ServiceResource"));
    if !row.has("ResourceGuid") {
        return named(
            row,
            &if row.has("ServiceResource") { format!("{BY_NAME}{name}") } else { String::new() },
        );
    }
    let known = [guid, name].into_iter().find(|text| !text.is_empty());
    named(row, known.unwrap_or(NO_PART))
}

fn named(row: &PortalCells<'_>, part: &str) -> String {
    let parts = [
        row.text("SubscriptionGuid"),
        row.plain("Date"),
        part,
        row.text("ServiceName"),
        row.text("ServiceRegion"),
    ];
    parts.map(str::to_lowercase).join("/")
}
