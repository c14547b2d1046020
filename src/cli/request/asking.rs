//! What can be asked for by command: of each its name, the kind of file whose row says the same, and its flags.

use clap::{Arg, ArgAction, Command};

use crate::files::profile::Kind;

/// Column names that a command fills where nothing is said: who asks, and when.
pub(super) const BY: &str = "requested_by";
pub(super) const ON: &str = "requested_on";
/// What is read from standard input, so that it is in no history and no list of processes.
pub(super) const SECRET: &str = "key";

/// Something to ask for: a kind of file, and what stands in the columns that its name says already.
pub(super) struct Asking {
    pub(super) name: &'static str,
    pub(super) kind: Kind,
    pub(super) fixed: &'static [(&'static str, &'static str)],
    /// Columns that it needs though not every row of its file does.
    needs: &'static [&'static str],
    /// Columns that mean nothing to it.
    without: &'static [&'static str],
    about: &'static str,
    pub(super) example: &'static str,
}

const fn asking(
    name: &'static str,
    kind: Kind,
    fixed: &'static [(&'static str, &'static str)],
    about: &'static str,
    example: &'static str,
) -> Asking {
    Asking { name, kind, fixed, needs: &[], without: &[], about, example }
}

impl Asking {
    const fn needs(self, needs: &'static [&'static str]) -> Self {
        Self { needs, ..self }
    }

    const fn without(self, without: &'static [&'static str]) -> Self {
        Self { without, ..self }
    }
}

/// Everything that can be asked for: one a kind of file, or one for each thing that its rows do.
pub(super) const ASKINGS: [Asking; 20] = [
    asking(
        "assign",
        Kind::Assignments,
        &[("action", "assign")],
        "Give a benefit to a directory user (R1, R2, R4)",
        "--partner-id 4100101 --order-id MPN-240131-101 --benefit azure_monthly_credit --user anna@norrsken.example",
    )
    .without(&["to_user"]),
    asking(
        "remove",
        Kind::Assignments,
        &[("action", "remove")],
        "Take a benefit from a directory user (R1, R4)",
        "--partner-id 4100101 --order-id MPN-240131-101 --benefit azure_monthly_credit --user anna@norrsken.example",
    )
    .without(&["to_user"]),
    asking(
        "transfer",
        Kind::Assignments,
        &[("action", "transfer")],
        "Pass bulk credit from its user to another (R2)",
        "--partner-id 4100101 --order-id MPN-240131-101 --benefit azure_bulk_credit/cloud_platform \
         --user anna@norrsken.example --to-user bo@norrsken.example",
    )
    .needs(&["to_user"]),
    asking(
        "reassign",
        Kind::Assignments,
        &[("action", "reassign")],
        "Give a Visual Studio seat to another user, 90 days after it was assigned (R4)",
        "--partner-id 4100101 --order-id MPN-240131-101 --benefit visual_studio --user anna@norrsken.example \
         --to-user bo@norrsken.example",
    )
    .needs(&["to_user"]),
    asking(
        "reveal",
        Kind::KeyRequests,
        &[("action", "reveal")],
        "Count a key as revealed; `keys reveal` shows it (R5)",
        "--partner-id 4100101 --order-id MPN-240131-101 --benefit software/windows",
    )
    .without(&["tenant_id", "mode"]),
    asking(
        "redeem",
        Kind::KeyRequests,
        &[("action", "redeem")],
        "Redeem a licence key, once for ever; `keys preview` says beforehand what it would do (R3, D8)",
        "--partner-id 4100101 --order-id MPN-240131-101 --benefit license_subscription/office_365 --mode extend",
    ),
    asking(
        "activate",
        Kind::Activations,
        &[],
        "Activate software, support or a Go-To-Market offer (R5, R6, R8)",
        "--partner-id 4100101 --order-id MPN-240131-101 --benefit product_support",
    ),
    asking(
        "cancel",
        Kind::ServiceRequests,
        &[("kind", "cancel")],
        "Ask for an order to be cancelled and refunded; the night decides (R9, D7)",
        "--partner-id 4100101 --order-id MPN-240131-101 --request-id SR-1",
    )
    .needs(&["order_id"])
    .without(&["product", "product_version", "access_id", "contract_id", "hours"]),
    asking(
        "product-support",
        Kind::ServiceRequests,
        &[("kind", "product_support")],
        "Open a ticket on an on-premises product (R6)",
        "--partner-id 4100101 --request-id SR-2 --product 'Harbour Server' --product-version 2022 \
         --access-id 1000000001 --contract-id 2000000001",
    )
    .needs(&["product"])
    .without(&["hours"]),
    asking(
        "cloud-support",
        Kind::ServiceRequests,
        &[("kind", "cloud_support")],
        "Open a ticket on an online service (R6)",
        "--partner-id 4100101 --request-id SR-3 --product 'Deskside 365'",
    )
    .needs(&["product"])
    .without(&["hours"]),
    asking(
        "advisory-hours",
        Kind::ServiceRequests,
        &[("kind", "advisory_hours")],
        "Draw advisory hours (R7)",
        "--partner-id 4100101 --request-id SR-4 --hours 1.5",
    )
    .needs(&["hours"])
    .without(&["product_version", "access_id", "contract_id"]),
    asking(
        "partner",
        Kind::Partners,
        &[],
        "Add or change a partner",
        "--partner-id 4100101 --name 'Norrsken Integration AB' --account-email konto@norrsken.example --country SE \
         --currency SEK",
    ),
    asking(
        "user",
        Kind::Users,
        &[],
        "Add or change a directory user",
        "--partner-id 4100101 --object-id 7e1f --user-principal-name bo@norrsken.example --role global_admin",
    ),
    asking(
        "contact",
        Kind::Contacts,
        &[],
        "Set the marketing contact (R8)",
        "--partner-id 4100101 --user bo@norrsken.example --email bo.ek@norrsken.example --phone '+46 8 123 456' \
         --language sv",
    ),
    asking(
        "agreement",
        Kind::Agreements,
        &[],
        "Add another agreement of a partner (D14)",
        "--partner-id 4100101 --agreement csp --valid-from 2024-03-01",
    ),
    asking(
        "entitlement",
        Kind::Entitlements,
        &[],
        "Add or change a benefit of an order (D5, D12)",
        "--partner-id 4100101 --order-id MPN-240131-101 --offer silver --benefit advisory_hours --benefit-type core \
         --quantity 20 --purchased-on 2024-01-31 --starts-on 2024-01-31 --expires-on 2025-01-30",
    ),
    asking(
        "key",
        Kind::Keys,
        &[],
        "Add a product key, which is read from standard input",
        "--partner-id 4100101 --order-id MPN-240131-101 --benefit license_subscription/office_365 --seats 25 < key.txt",
    ),
    asking(
        "renew",
        Kind::Renewals,
        &[],
        "Let an order be followed by another (D5)",
        "--partner-id 4100101 --order-id MPN-240131-101 --renewed-on 2025-01-31 --new-order-id MPN-250131-101",
    ),
    asking(
        "usage",
        Kind::CreditUsage,
        &[],
        "State credit that was used (D15)",
        "--partner-id 4100101 --order-id MPN-240131-101 --benefit azure_monthly_credit --used-on 2024-02-10 \
         --amount 12.50 --currency SEK --reference INV-7",
    ),
    asking(
        "rate",
        Kind::Rates,
        &[],
        "State a reference rate of the dollar: dollars for one euro (D4)",
        "--date 2024-01-31 --usd 1.0837",
    ),
];

impl Asking {
    pub(super) fn named(name: &str) -> Option<&'static Self> {
        ASKINGS.iter().find(|asking| asking.name == name)
    }

    /// Its columns that are asked for, and whether each must be.
    pub(super) fn columns(&self) -> Vec<(&'static str, bool)> {
        if self.kind == Kind::Rates {
            return vec![("date", true), ("usd", true)];
        }
        let columns = self.kind.columns().iter();
        let asked = columns.filter(|column| !self.fixed.iter().any(|(name, _)| *name == column.name));
        asked
            .filter(|column| column.name != SECRET && !self.without.contains(&column.name))
            .map(|column| {
                let required = column.required && ![BY, ON].contains(&column.name);
                (column.name, required || self.needs.contains(&column.name))
            })
            .collect()
    }

    pub(super) fn command(&self) -> Command {
        let columns = self.columns().into_iter().map(|(column, required)| {
            Arg::new(column)
                .long(column.replace('_', "-"))
                .required(required)
                .value_name("VALUE")
                .help(help(column))
        });
        let flag = |name: &'static str, help: &'static str| {
            Arg::new(name).long(name).action(ArgAction::SetTrue).help(help)
        };
        Command::new(self.name)
            .about(self.about)
            .after_help(format!(
                "The flags are the columns of {} files.\n\nExample:\n  benefactor request {} {}",
                self.kind, self.name, self.example
            ))
            .args(columns)
            .arg(flag("accept-backdated", "Let in what is dated long before today, which otherwise waits"))
            .arg(flag("dry-run", "Say what would become of it and change nothing"))
    }
}

/// What a column says.
pub(super) fn help(column: &str) -> &'static str {
    match column {
        BY => "Who asks: a directory user; without it the operator",
        ON => "On which day or instant; without it today (UTC)",
        "partner_id" => "The Partner ID",
        "order_id" => "The order",
        "benefit" => "The benefit code, such as azure_monthly_credit or license_subscription/office_365",
        "user" => "A directory user, by object id or user principal name",
        "to_user" => "The directory user it goes to",
        "key_ref" => "The key, such as K17; without it the oldest that was not revealed",
        "tenant_id" => "The tenant, a GUID; of a redemption without it, the partner's own",
        "mode" => "new, add_seats or extend; without it new",
        "request_id" => "What the partner calls the request",
        "product" => "The product",
        "product_version" => "Its version",
        "access_id" => "The partner's Access ID",
        "contract_id" => "The order's Contract ID",
        "hours" => "How many, such as 1.5",
        "note" => "What they wrote with it",
        "name" => "The company's name",
        "account_email" => "The account's address",
        "country" => "ISO 3166-1 code, such as SE",
        "currency" => "ISO 4217 code, such as SEK",
        "language" => "BCP 47 tag, such as sv-SE",
        "group_id" => "The group with which caps are shared",
        "object_id" => "Their object id",
        "user_principal_name" => "Their sign-in name",
        "display_name" => "What people call them",
        "mail" | "email" => "Their address",
        "user_type" => "member or guest",
        "enabled" => "true or false",
        "role" => "One role, or several joined by +",
        "phone" => "A telephone number, such as '+46 8 123 456'",
        "agreement" => "Its name, such as csp",
        "valid_from" => "First day",
        "valid_until" => "Last day; without it until further notice",
        "offer" => "action_pack, silver, gold or isv_cosell_ready",
        "benefit_type" => "core or incremental",
        "quantity" => "Seats, incidents, hours or units of credit",
        "purchased_on" => "When the order was bought",
        "starts_on" => "First usable day",
        "expires_on" => "Last usable day",
        "amount" => "How much, with a decimal point",
        "competency" => "The competency it comes with",
        "subscription_id" => "The Azure subscription that usage names",
        "seats" => "For how many seats the key is",
        "months" => "For how many months",
        "os" => "The operating systems",
        "download_url" => "Where to fetch it, https://…",
        "instructions" => "What to do with it",
        "renewed_on" => "The day it takes effect: the anniversary date, or within the 30 days of grace",
        "new_order_id" => "The order that follows",
        "used_on" => "The day of use",
        "reference" => "What the use is called outside",
        "date" => "The day it was published",
        "usd" => "Dollars for one euro",
        _ => "",
    }
}
