//! A row of `service_requests`: somebody at a partner asks for something to be done.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use strum::VariantNames;

use super::{
    super::{
        id::{AccessId, ContractId, OrderId, PartnerId, RequestId},
        money::parse_decimal,
        reason::{Expected, Problem},
    },
    cell::{Cells, Reading},
    schema::{Field, Naming, RowMeaning, Schema, Type, Typed, ask, key, kind, optional, required},
    types::{ACCESS, CONTRACT, ORDER, PARTNER_ID, REQUEST, REQUESTED_BY, REQUESTED_ON, one_of, text},
};

const REQUEST_ID: Field<RequestId> = key("request_id", REQUEST).help("What the partner calls the request");
const KIND_OF_REQUEST: Field<ServiceKind> =
    required("kind", one_of(ServiceKind::VARIANTS, Expected::RequestKind, ServiceKind::parse))
        .help("What is asked for");
const ORDER_ID: Field<OrderId> = optional("order_id", ORDER)
    .help("The order; a cancellation needs it, of anything else without it any order that has some left");
const PRODUCT: Field<String> = optional("product", text::<100>()).help("The product; a ticket needs it");
const PRODUCT_VERSION: Field<String> = optional("product_version", text::<50>()).help("Its version");
const ACCESS_ID: Field<AccessId> = optional("access_id", ACCESS).help("The partner's Access ID");
const CONTRACT_ID: Field<ContractId> = optional("contract_id", CONTRACT).help("The order's Contract ID");
const HOURS: Field<i64> = optional("hours", Typed { of: Type::Hours, parse: minutes })
    .help("How many hours, such as 1.5; advice needs it");
const NOTE: Field<String> =
    optional("note", text::<2_000>()).help("What they wrote with it").naming(Naming::OwnWords);

/// The kind.
pub const KIND: Schema =
    kind("service_requests", RowMeaning::Request, "Cancellations, support tickets and advice (R6, R7, R9)")
        .columns(&[
            PARTNER_ID.column,
            REQUEST_ID.column,
            KIND_OF_REQUEST.column,
            REQUESTED_BY.column,
            REQUESTED_ON.column,
            ORDER_ID.column,
            PRODUCT.column,
            PRODUCT_VERSION.column,
            ACCESS_ID.column,
            CONTRACT_ID.column,
            HOURS.column,
            NOTE.column,
        ])
        .examples(&[
            "4100101,SR-1,cancel,anna@norrsken.example,2024-02-05,MPN-240131-101,,,,,,",
            "4100101,SR-2,product_support,anna@norrsken.example,2024-02-05,,Harbour Server,2022,1000000001,2000000001,,",
            "4100101,SR-3,cloud_support,anna@norrsken.example,2024-02-05,,Deskside 365,,,,,",
            "4100101,SR-4,advisory_hours,anna@norrsken.example,2024-02-05,,,,,,1.5,",
        ])
        .asks(&[
            ask("cancel", "Ask for an order to be cancelled and refunded; the night decides (R9, D7)")
                .fixed(&[("kind", "cancel")])
                .needs(&["order_id"])
                .without(&["product", "product_version", "access_id", "contract_id", "hours"]),
            ask("product-support", "Open a ticket on an on-premises product (R6)")
                .fixed(&[("kind", "product_support")])
                .needs(&["product"])
                .without(&["hours"]),
            ask("cloud-support", "Open a ticket on an online service (R6)")
                .fixed(&[("kind", "cloud_support")])
                .needs(&["product"])
                .without(&["hours"]),
            ask("advisory-hours", "Draw advisory hours (R7)")
                .fixed(&[("kind", "advisory_hours")])
                .needs(&["hours"])
                .without(&["product_version", "access_id", "contract_id"]),
        ]);

/// What is asked for, with what that kind of request needs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Request {
    /// Cancel an order and refund it (R9, D7).
    Cancel {
        /// The order.
        order_id: OrderId,
    },
    /// A break-fix incident on an on-premises product (R6).
    ProductSupport(Ticket),
    /// An incident on an online service (R6).
    CloudSupport(Ticket),
    /// Hours of advice (R7).
    AdvisoryHours {
        /// Of this order only; `None`: of any that has hours left.
        order_id: Option<OrderId>,
        /// How much.
        minutes: i64,
        /// What about.
        product: Option<String>,
    },
}

/// What a support ticket says (R6).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ticket {
    /// Drawn from this order only; `None`: from any that has incidents left.
    pub order_id: Option<OrderId>,
    /// The product, as the catalogue calls it, in any case.
    pub product: String,
    /// Its version; needed for on-premises products.
    pub product_version: Option<String>,
    /// The partner's Access ID.
    pub access_id: Option<AccessId>,
    /// The order's Contract ID.
    pub contract_id: Option<ContractId>,
}

impl Request {
    /// The name of its kind, as in files.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Cancel { .. } => "cancel",
            Self::ProductSupport(_) => "product_support",
            Self::CloudSupport(_) => "cloud_support",
            Self::AdvisoryHours { .. } => "advisory_hours",
        }
    }

    /// The order it names.
    #[must_use]
    pub fn order_id(&self) -> Option<&OrderId> {
        match self {
            Self::Cancel { order_id } => Some(order_id),
            Self::ProductSupport(ticket) | Self::CloudSupport(ticket) => ticket.order_id.as_ref(),
            Self::AdvisoryHours { order_id, .. } => order_id.as_ref(),
        }
    }
}

/// A service request as a file states it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceRequestRow {
    /// Who asks.
    pub partner_id: PartnerId,
    /// What the partner calls the request; the key.
    pub request_id: RequestId,
    /// The directory user who asks, by object id or user principal name.
    pub requested_by: String,
    /// On which UTC date (D1).
    pub requested_on: NaiveDate,
    /// What for.
    pub request: Request,
    /// What they wrote with it.
    pub note: Option<String>,
}

/// Reads a row; all its problems if there are any.
pub fn parse(cells: &Cells<'_>) -> Result<ServiceRequestRow, Vec<Problem>> {
    let mut row = cells.read();
    let partner_id = row.need(&PARTNER_ID);
    let request_id = row.need(&REQUEST_ID);
    let kind = row.need(&KIND_OF_REQUEST);
    let requested_by = row.need(&REQUESTED_BY);
    let requested_on = row.need(&REQUESTED_ON);
    let request = kind.and_then(|kind| request(&mut row, kind));
    let note = row.patch(&NOTE);
    let assemble = || {
        Some(ServiceRequestRow {
            partner_id: partner_id?,
            request_id: request_id?,
            requested_by: requested_by?,
            requested_on: requested_on?,
            request: request?,
            note: note?.into_set(),
        })
    };
    row.finish(assemble())
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, strum::VariantNames)]
#[strum(serialize_all = "snake_case")]
enum ServiceKind {
    Cancel,
    ProductSupport,
    CloudSupport,
    AdvisoryHours,
}

impl ServiceKind {
    fn parse(name: &str) -> Option<Self> {
        Some(match name.to_ascii_lowercase().as_str() {
            "cancel" => Self::Cancel,
            "product_support" => Self::ProductSupport,
            "cloud_support" => Self::CloudSupport,
            "advisory_hours" => Self::AdvisoryHours,
            _ => return None,
        })
    }
}

/// What is asked for; each kind reads the columns that it needs.
fn request(row: &mut Reading<'_>, kind: ServiceKind) -> Option<Request> {
    if kind == ServiceKind::Cancel {
        return Some(Request::Cancel { order_id: row.need(&ORDER_ID)? });
    }
    let order_id = row.patch(&ORDER_ID);
    if kind == ServiceKind::AdvisoryHours {
        let product = row.patch(&PRODUCT);
        let minutes = row.need(&HOURS);
        return Some(Request::AdvisoryHours {
            order_id: order_id?.into_set(),
            minutes: minutes?,
            product: product?.into_set(),
        });
    }
    let product = row.need(&PRODUCT);
    let product_version = row.patch(&PRODUCT_VERSION);
    let access_id = row.patch(&ACCESS_ID);
    let contract_id = row.patch(&CONTRACT_ID);
    let ticket = Ticket {
        order_id: order_id?.into_set(),
        product: product?,
        product_version: product_version?.into_set(),
        access_id: access_id?.into_set(),
        contract_id: contract_id?.into_set(),
    };
    Some(if kind == ServiceKind::CloudSupport {
        Request::CloudSupport(ticket)
    } else {
        Request::ProductSupport(ticket)
    })
}

/// Hours above zero as minutes; what is not whole minutes is none.
fn minutes(text: &str) -> Option<i64> {
    let hundredths = parse_decimal(text, 2).filter(|hundredths| *hundredths > 0)?;
    let sixtieths = hundredths.checked_mul(60)?;
    (sixtieths.checked_rem(100)? == 0).then(|| sixtieths.checked_div(100)).flatten()
}

#[cfg(test)]
mod tests {
    use super::{super::cell::tests as row, *};
    use crate::domain::reason::Reason;

    const TIDY: &[(&str, &str)] = &[
        ("partner_id", "4201"),
        ("request_id", "SR-1"),
        ("kind", "cancel"),
        ("requested_by", "bo@akeri.example"),
        ("requested_on", "2024-03-01"),
        ("order_id", "ORD-1"),
    ];

    #[test]
    fn r9_a_cancellation_names_its_order() {
        let it = row::parse(KIND.columns, parse, TIDY).unwrap();
        assert_eq!((it.request.kind(), &it.note), ("cancel", &None));
        assert_eq!(it.request, Request::Cancel { order_id: "ORD-1".into() });
        assert_eq!(
            row::parse(KIND.columns, parse, &row::with(TIDY, &[("order_id", "")])),
            Err(vec![Problem::at("order_id", "", Reason::Missing)])
        );
    }

    #[test]
    fn r6_r7_each_kind_reads_what_it_needs() {
        let hours = |hours| {
            row::parse(KIND.columns, parse, &row::with(TIDY, &[("kind", "advisory_hours"), ("hours", hours)]))
        };
        let Request::AdvisoryHours { minutes, order_id, .. } = hours("1.25").unwrap().request else {
            panic!()
        };
        assert_eq!((minutes, order_id.as_ref().map(OrderId::as_str)), (75, Some("ORD-1")));
        for bad in ["0", "-1", "1.111", "0.01", "an hour"] {
            assert_eq!(hours(bad), Err(vec![row::bad("hours", bad, Expected::Hours)]), "{bad}");
        }
        let ticket =
            row::with(TIDY, &[("kind", "cloud_support"), ("product", "Deskside 365"), ("order_id", "")]);
        let it = row::parse(KIND.columns, parse, &ticket).unwrap();
        assert_eq!((it.request.kind(), it.request.order_id()), ("cloud_support", None));
        let lacks = row::parse(KIND.columns, parse, &row::with(TIDY, &[("kind", "product_support")]));
        assert_eq!(lacks, Err(vec![Problem::at("product", "", Reason::Missing)]));
    }

    #[test]
    fn every_problem_names_its_column_and_value() {
        row::each_alone(
            KIND.columns,
            parse,
            TIDY,
            &[
                ("partner_id", "a", Expected::Digits),
                ("request_id", "SR 1", Expected::Text),
                ("kind", "Cancel it", Expected::RequestKind),
                ("requested_by", "Bo Ek", Expected::Text),
                ("requested_on", "1/3/2024", Expected::DateOrInstant),
                ("order_id", "ORD 1", Expected::Text),
                ("note", "a\u{1b}[2J", Expected::Text),
            ],
        );
        assert_eq!(row::parse(KIND.columns, parse, &[]).unwrap_err().len(), 5);
    }
}
