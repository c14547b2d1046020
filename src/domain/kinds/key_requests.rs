//! A row of `key_requests`: a key is revealed, or redeemed onto a subscription (R3, R5, D8).

use chrono::NaiveDate;
use strum::VariantNames;

use super::{
    super::{
        benefit::Benefit,
        id::{KeyNo, OrderId, PartnerId, TenantId},
        license_key::{Mode, parse_key_ref},
        reason::{Expected, Problem},
    },
    cell::Cells,
    schema::{Field, RowMeaning, Schema, Type, Typed, ask, key, kind, optional},
    types::{BENEFIT, ORDER_ID, PARTNER_ID, REQUESTED_BY, REQUESTED_ON as ASKED_ON, TENANT, one_of},
};

const ACTION: Field<KeyAction> =
    key("action", one_of(KeyAction::VARIANTS, Expected::Action, KeyAction::parse)).help("What is asked for");
const REQUESTED_ON: Field<NaiveDate> = ASKED_ON.key();
const KEY_REF: Field<KeyNo> = optional("key_ref", Typed { of: Type::KeyRef, parse: parse_key_ref })
    .key()
    .help("The key, such as K17; without it the oldest that was not revealed");
const TENANT_ID: Field<TenantId> =
    optional("tenant_id", TENANT).help("The tenant, a GUID; of a redemption without it, the partner's own");
const MODE: Field<Mode> = optional("mode", one_of(Mode::VARIANTS, Expected::RedeemMode, Mode::parse))
    .help("How a key is redeemed; without it new");

/// The kind.
pub const KIND: Schema = kind("key_requests", RowMeaning::Request, "Keys to reveal or to redeem (R3, R5, D8)")
    .columns(&[
        PARTNER_ID.column,
        ORDER_ID.column,
        BENEFIT.column,
        ACTION.column,
        REQUESTED_BY.column,
        REQUESTED_ON.column,
        KEY_REF.column,
        TENANT_ID.column,
        MODE.column,
    ])
    .examples(&[
        "4100101,MPN-240131-101,software/windows,reveal,anna@norrsken.example,2024-02-05,,,",
        "4100101,MPN-240131-101,license_subscription/office_365,redeem,anna@norrsken.example,2024-02-05,K17,,extend",
    ])
    .asks(&[
        ask("reveal", "Count a key as revealed; `keys reveal` shows it (R5)")
            .fixed(&[("action", "reveal")])
            .without(&["tenant_id", "mode"]),
        ask(
            "redeem",
            "Redeem a licence key, once for ever; `keys preview` says beforehand what it would do (R3, D8)",
        )
        .fixed(&[("action", "redeem")]),
    ]);

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, strum::VariantNames)]
#[strum(serialize_all = "snake_case")]
pub enum KeyAction {
    /// Show the key.
    Reveal,
    /// Redeem it, once for ever.
    Redeem,
}

impl KeyAction {
    /// The name, as in files.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Reveal => "reveal",
            Self::Redeem => "redeem",
        }
    }

    /// The action of that name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Reveal, Self::Redeem].into_iter().find(|action| action.name().eq_ignore_ascii_case(name))
    }
}

/// A key request as a file states it. All but requester, tenant and mode is the key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyRequestRow {
    /// Whose key.
    pub partner_id: PartnerId,
    /// The order.
    pub order_id: OrderId,
    /// The benefit.
    pub benefit: Benefit,
    /// What is asked for.
    pub action: KeyAction,
    /// By whom.
    pub requested_by: String,
    /// On which UTC date (D1).
    pub requested_on: NaiveDate,
    /// Which key; `None`: the oldest unrevealed one.
    pub key_ref: Option<KeyNo>,
    /// The tenant to redeem onto; `None`: the partner's own.
    pub tenant_id: Option<TenantId>,
    /// How to redeem, as the row says it.
    pub mode: Option<Mode>,
}

impl KeyRequestRow {
    /// How a key is redeemed, said or not; `None`: it is revealed.
    #[must_use]
    pub fn way(&self) -> Option<Mode> {
        (self.action == KeyAction::Redeem).then(|| self.mode.unwrap_or(Mode::New))
    }
}

/// Reads a row; all its problems if there are any.
pub fn parse(cells: &Cells<'_>) -> Result<KeyRequestRow, Vec<Problem>> {
    let mut row = cells.read();
    let partner_id = row.need(&PARTNER_ID);
    let order_id = row.need(&ORDER_ID);
    let benefit = row.need(&BENEFIT);
    let action = row.need(&ACTION);
    let requested_by = row.need(&REQUESTED_BY);
    let requested_on = row.need(&REQUESTED_ON);
    let key_ref = row.patch(&KEY_REF);
    let tenant_id = row.patch(&TENANT_ID);
    let mode = row.patch(&MODE);
    // A reveal has neither.
    let redeems = action == Some(KeyAction::Redeem);
    let assemble = || {
        Some(KeyRequestRow {
            partner_id: partner_id?,
            order_id: order_id?,
            benefit: benefit?,
            action: action?,
            requested_by: requested_by?,
            requested_on: requested_on?,
            key_ref: key_ref?.into_set(),
            tenant_id: tenant_id?.into_set().filter(|_| redeems),
            mode: mode?.into_set().filter(|_| redeems),
        })
    };
    row.finish(assemble())
}

#[cfg(test)]
mod tests {
    use super::{super::cell::tests as row, *};

    const SUITE: &str = "license_subscription/office_365";
    const TENANT: &str = "3f2504e0-4f89-11d3-9a0c-0305e82c3301";

    /// A redemption as a file states it.
    const TIDY: &[(&str, &str)] = &[
        ("partner_id", "4201"),
        ("order_id", "ORD-1"),
        ("benefit", SUITE),
        ("action", "redeem"),
        ("requested_by", "ada@akeri.example"),
        ("requested_on", "2024-02-29T23:30:00-01:00"),
        ("key_ref", "k12"),
        ("tenant_id", TENANT),
        ("mode", "add_seats"),
    ];

    #[test]
    fn r3_r5_a_row_says_which_key_and_how_and_a_reveal_has_neither_tenant_nor_mode() {
        let read = |changes: &[(&str, &str)]| row::parse(KIND.columns, parse, &row::with(TIDY, changes));
        let it = read(&[]).unwrap();
        assert_eq!(
            (it.action, it.mode, it.key_ref),
            (KeyAction::Redeem, Some(Mode::AddSeats), Some(12.into()))
        );
        assert_eq!((it.tenant_id, it.requested_on), (Some(TENANT.into()), "2024-03-01".parse().unwrap()));
        let reveal = read(&[("action", "reveal")]).unwrap();
        assert_eq!((reveal.action, reveal.mode, reveal.tenant_id), (KeyAction::Reveal, None, None));
        for mode in Mode::ALL {
            assert_eq!(read(&[("mode", mode.name())]).unwrap().mode, Some(mode));
        }
        assert_eq!(Mode::ALL.map(Mode::name), ["new", "add_seats", "extend"]);
        for (written, key_ref) in [("K12", 12), ("k007", 7), ("K0", 0)] {
            assert_eq!(read(&[("key_ref", written)]).unwrap().key_ref, Some(key_ref.into()), "{written}");
        }
        let bad = |column, cell, expected| (column, cell, expected);
        row::each_alone(
            KIND.columns,
            parse,
            TIDY,
            &[
                bad("action", "show", Expected::Action),
                bad("mode", "add", Expected::RedeemMode),
                bad("key_ref", "12", Expected::KeyRef),
                bad("key_ref", "K", Expected::KeyRef),
                bad("key_ref", "K-1", Expected::KeyRef),
                bad("key_ref", "K1a", Expected::KeyRef),
                bad("key_ref", "K99999999999999999999", Expected::KeyRef),
                bad("tenant_id", "akeri", Expected::Guid),
            ],
        );
    }
}
