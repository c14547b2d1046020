//! A row of `assignments`: somebody asks that a benefit be given to, or taken from, a directory user.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use strum::VariantNames;

use super::{
    super::{
        benefit::Benefit,
        id::{OrderId, PartnerId},
        reason::{Expected, Problem},
    },
    cell::Cells,
    schema::{Field, RowMeaning, Schema, ask, key, kind, optional},
    types::{BENEFIT, DIRECTORY_USER, ORDER_ID, PARTNER_ID, REQUESTED_BY, REQUESTED_ON as ASKED_ON, one_of},
};

const ACTION: Field<SeatAction> =
    key("action", one_of(SeatAction::VARIANTS, Expected::Action, SeatAction::parse))
        .help("What is asked for; a transfer is of bulk credit, a reassignment of a Visual Studio seat");
const USER: Field<String> = key("user", DIRECTORY_USER)
    .help("A directory user, by object id or user principal name: to whom, or from whom");
const REQUESTED_ON: Field<NaiveDate> = ASKED_ON.key();
const TO_USER: Field<String> = optional("to_user", DIRECTORY_USER)
    .help("The directory user it goes to, of a transfer or a reassignment, which need it");

/// The kind.
pub const KIND: Schema =
    kind("assignments", RowMeaning::Request, "Benefits to give to directory users, or to take from them (R1, R2, R4)")
        .columns(&[
            PARTNER_ID.column,
            ORDER_ID.column,
            BENEFIT.column,
            ACTION.column,
            USER.column,
            REQUESTED_BY.column,
            REQUESTED_ON.column,
            TO_USER.column,
        ])
        .examples(&[
            "4100101,MPN-240131-101,azure_monthly_credit,assign,anna@norrsken.example,bo@norrsken.example,2024-02-05,",
            "4100101,MPN-240131-101,azure_monthly_credit,remove,anna@norrsken.example,bo@norrsken.example,2024-02-06,",
            "4100101,MPN-240131-101,azure_bulk_credit/cloud_platform,transfer,anna@norrsken.example,\
             bo@norrsken.example,2024-03-01T09:30:00Z,bo@norrsken.example",
            "4100101,MPN-240131-101,visual_studio,reassign,anna@norrsken.example,bo@norrsken.example,2024-05-06,\
             bo@norrsken.example",
        ])
        .asks(&[
            ask("assign", "Give a benefit to a directory user (R1, R2, R4)")
                .fixed(&[("action", "assign")])
                .without(&["to_user"]),
            ask("remove", "Take a benefit from a directory user (R1, R4)")
                .fixed(&[("action", "remove")])
                .without(&["to_user"]),
            ask("transfer", "Pass bulk credit from its user to another (R2)")
                .fixed(&[("action", "transfer")])
                .needs(&["to_user"]),
            ask("reassign", "Give a Visual Studio seat to another user, 90 days after it was assigned (R4)")
                .fixed(&[("action", "reassign")])
                .needs(&["to_user"]),
        ]);

/// What is asked for.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, strum::VariantNames,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum SeatAction {
    /// Give the benefit to the user.
    Assign,
    /// Take it from the user.
    Remove,
    /// Pass bulk credit from the user to another (R2).
    Transfer,
    /// Give the user's Visual Studio seat to another (R4).
    Reassign,
}

impl SeatAction {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Assign, Self::Remove, Self::Transfer, Self::Reassign];

    /// The name, as in files.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Assign => "assign",
            Self::Remove => "remove",
            Self::Transfer => "transfer",
            Self::Reassign => "reassign",
        }
    }

    /// The action of that name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|action| action.name().eq_ignore_ascii_case(name))
    }
}

/// An assignment request as a file states it. All but `requested_by` is the key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AssignmentRow {
    /// Whose benefit.
    pub partner_id: PartnerId,
    /// The order.
    pub order_id: OrderId,
    /// The benefit.
    pub benefit: Benefit,
    /// What is asked for.
    pub action: SeatAction,
    /// For whom, or from whom: a directory user by object id or user principal name.
    pub user: String,
    /// To whom, of a transfer or reassignment.
    pub to_user: Option<String>,
    /// By whom, likewise.
    pub requested_by: String,
    /// On which UTC date (D1).
    pub requested_on: NaiveDate,
}

/// Reads a row; all its problems if there are any.
pub fn parse(cells: &Cells<'_>) -> Result<AssignmentRow, Vec<Problem>> {
    let mut row = cells.read();
    let partner_id = row.need(&PARTNER_ID);
    let order_id = row.need(&ORDER_ID);
    let benefit = row.need(&BENEFIT);
    let action = row.need(&ACTION);
    let user = row.need(&USER);
    let requested_by = row.need(&REQUESTED_BY);
    let requested_on = row.need(&REQUESTED_ON);
    let to_user = if matches!(action, Some(SeatAction::Transfer | SeatAction::Reassign)) {
        row.need(&TO_USER).map(Some)
    } else {
        row.patch(&TO_USER).map(|_| None)
    };
    let assemble = || {
        Some(AssignmentRow {
            partner_id: partner_id?,
            order_id: order_id?,
            benefit: benefit?,
            action: action?,
            user: user?,
            to_user: to_user?,
            requested_by: requested_by?,
            requested_on: requested_on?,
        })
    };
    row.finish(assemble())
}

#[cfg(test)]
mod tests {
    use super::{super::cell::tests as row, *};
    use crate::domain::reason::Reason;

    const TIDY: &[(&str, &str)] = &[
        ("partner_id", "4201"),
        ("order_id", "ORD-1"),
        ("benefit", "azure_monthly_credit"),
        ("action", "assign"),
        ("user", "anna@akeri.example"),
        ("requested_by", "bo@akeri.example"),
        ("requested_on", "2024-03-01T00:30:00+02:00"),
    ];

    #[test]
    fn d1_the_requests_utc_date_is_kept() {
        let it = row::parse(KIND.columns, parse, TIDY).unwrap();
        assert_eq!((it.action, it.requested_on.to_string().as_str()), (SeatAction::Assign, "2024-02-29"));
        let it = row::parse(KIND.columns, parse, &row::with(TIDY, &[("action", "remove")])).unwrap();
        assert_eq!((it.action, it.to_user), (SeatAction::Remove, None));
    }

    #[test]
    fn r2_r4_a_transfer_and_a_reassignment_name_whom_to() {
        for action in ["transfer", "reassign"] {
            let lacks = row::parse(KIND.columns, parse, &row::with(TIDY, &[("action", action)]));
            assert_eq!(lacks, Err(vec![Problem::at("to_user", "", Reason::Missing)]));
            let it = row::with(TIDY, &[("action", action), ("to_user", "bo@akeri.example")]);
            assert_eq!(
                row::parse(KIND.columns, parse, &it).unwrap().to_user.as_deref(),
                Some("bo@akeri.example")
            );
        }
    }

    #[test]
    fn every_problem_names_its_column_and_value() {
        row::each_alone(
            KIND.columns,
            parse,
            TIDY,
            &[
                ("partner_id", "x", Expected::Digits),
                ("order_id", "a b", Expected::Text),
                ("benefit", "sql", Expected::Benefit),
                ("action", "give", Expected::Action),
                ("user", "Anna Lund", Expected::Text),
                ("requested_by", "Bo Ek", Expected::Text),
                ("requested_on", "yesterday", Expected::DateOrInstant),
            ],
        );
        assert_eq!(row::parse(KIND.columns, parse, &[]).unwrap_err().len(), 7);
    }
}
