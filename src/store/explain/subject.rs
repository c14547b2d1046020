//! What a history is of.

use crate::domain::id::{EntitlementNo, KeyNo, OrderNo, PartnerId, PartnerNo, RequestNo, UserNo};

/// What a history is of: a partner, or one of its orders, or one benefit of that, or a user, a key or a request.
#[derive(Clone, Debug)]
pub struct Subject {
    /// `partner`, `order`, `entitlement`, `user`, `key` or `request`.
    pub kind: String,
    /// What it is called outside.
    pub name: String,
    /// The Partner ID.
    pub partner: PartnerId,
    pub(super) partner_id: PartnerNo,
    pub(super) membership_id: Option<OrderNo>,
    pub(super) entitlement_id: Option<EntitlementNo>,
    pub(super) user_id: Option<UserNo>,
    pub(super) key_id: Option<KeyNo>,
    pub(super) request_no: Option<RequestNo>,
}
