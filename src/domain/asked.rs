//! A row of a request file, of whatever kind: what all of them have in common.

use chrono::NaiveDate;
use serde_json::{Value, json};

use super::{
    benefit::{Benefit, BenefitKind},
    id::{OrderId, PartnerId, UserNo},
    kinds::{
        activations::ActivationRow,
        assignments::AssignmentRow,
        key_requests::KeyRequestRow,
        service_requests::{Request, ServiceRequestRow},
    },
    license_key::key_ref,
    role::Action,
};

/// One row of a request file, understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Asked {
    /// Of `assignments`.
    Assignment(AssignmentRow),
    /// Of `key_requests`.
    Key(KeyRequestRow),
    /// Of `activations`.
    Activation(ActivationRow),
    /// Of `service_requests`.
    Service(ServiceRequestRow),
}

impl Asked {
    /// The Partner ID.
    #[must_use]
    pub fn partner(&self) -> &PartnerId {
        match self {
            Self::Assignment(row) => &row.partner_id,
            Self::Key(row) => &row.partner_id,
            Self::Activation(row) => &row.partner_id,
            Self::Service(row) => &row.partner_id,
        }
    }

    /// The order it names.
    #[must_use]
    pub fn order(&self) -> Option<&OrderId> {
        match self {
            Self::Assignment(row) => Some(&row.order_id),
            Self::Key(row) => Some(&row.order_id),
            Self::Activation(row) => Some(&row.order_id),
            Self::Service(row) => row.request.order_id(),
        }
    }

    /// The benefit it names.
    #[must_use]
    pub const fn benefit(&self) -> Option<&Benefit> {
        match self {
            Self::Assignment(row) => Some(&row.benefit),
            Self::Key(row) => Some(&row.benefit),
            Self::Activation(row) => Some(&row.benefit),
            Self::Service(_) => None,
        }
    }

    /// Who asks: a directory user, or [`super::request::OPERATOR`].
    #[must_use]
    pub fn requested_by(&self) -> &str {
        match self {
            Self::Assignment(row) => &row.requested_by,
            Self::Key(row) => &row.requested_by,
            Self::Activation(row) => &row.requested_by,
            Self::Service(row) => &row.requested_by,
        }
    }

    /// The date that counts (D1).
    #[must_use]
    pub const fn requested_on(&self) -> NaiveDate {
        match self {
            Self::Assignment(row) => row.requested_on,
            Self::Key(row) => row.requested_on,
            Self::Activation(row) => row.requested_on,
            Self::Service(row) => row.requested_on,
        }
    }

    /// Whom it names beside who asks: columns and names.
    #[must_use]
    pub fn users(&self) -> [Option<(&'static str, &str)>; 2] {
        match self {
            Self::Assignment(row) => {
                [Some(("user", &row.user)), row.to_user.as_deref().map(|to| ("to_user", to))]
            }
            _ => [None, None],
        }
    }

    /// The stored name of its kind.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Assignment(row) => row.action.name(),
            Self::Key(row) => row.action.name(),
            Self::Activation(_) => "activate",
            Self::Service(row) => row.request.kind(),
        }
    }

    /// Among which requests its key is unique: service requests of all kinds share their ids.
    #[must_use]
    pub const fn family(&self) -> &'static str {
        if matches!(self, Self::Service(_)) { "service" } else { self.kind() }
    }

    /// Whether it draws from what its partner has, whichever order brought it.
    #[must_use]
    pub const fn draws(&self) -> bool {
        matches!(self, Self::Service(row) if !matches!(row.request, Request::Cancel { .. }))
    }

    /// What who asks must be allowed to do.
    #[must_use]
    pub fn action(&self) -> Action {
        match self {
            Self::Assignment(_) => Action::Assign,
            Self::Key(_) => Action::UseKeys,
            Self::Activation(row) if row.benefit.kind() == BenefitKind::GoToMarket => Action::ActivateOffer,
            Self::Activation(_) => Action::Activate,
            Self::Service(ServiceRequestRow { request: Request::Cancel { .. }, .. }) => Action::Cancel,
            Self::Service(_) => Action::AskForHelp,
        }
    }

    /// Its key within its partner and family (D16); `user_id` is whom an assignment names.
    #[must_use]
    pub fn key(&self, user_id: UserNo) -> String {
        match self {
            Self::Assignment(row) => {
                format!(
                    "{}|{}|{}|{user_id}|{}",
                    row.order_id,
                    row.benefit,
                    row.action.name(),
                    row.requested_on
                )
            }
            Self::Key(row) => {
                let key = row.key_ref.map(key_ref).unwrap_or_default();
                format!("{}|{}|{}|{key}|{}", row.order_id, row.benefit, row.action.name(), row.requested_on)
            }
            Self::Activation(row) => format!("{}|{}", row.order_id, row.benefit),
            Self::Service(row) => row.request_id.to_string(),
        }
    }

    /// What of it must be the same when it comes again (D16). `by` is who asks and `to_id` whom it goes to: users by their
    /// numbers, so that each stays the same whichever of their names a row has.
    #[must_use]
    pub fn content(&self, by: impl Into<Value>, to_id: Option<UserNo>) -> Value {
        let by: Value = by.into();
        match self {
            Self::Assignment(_) => match to_id {
                None => json!({ "requested_by": by }),
                Some(to_id) => json!({ "requested_by": by, "to_user": to_id.get() }),
            },
            Self::Key(row) => json!({
                "requested_by": by, "tenant_id": row.tenant_id, "mode": row.way(),
            }),
            Self::Activation(row) => json!({ "requested_by": by, "requested_on": row.requested_on }),
            Self::Service(row) => {
                let mut content = json!({
                    "order_id": row.request.order_id(), "requested_by": by, "requested_on": row.requested_on,
                    "note": row.note,
                });
                match &row.request {
                    Request::Cancel { .. } => {}
                    Request::ProductSupport(ticket) | Request::CloudSupport(ticket) => {
                        content["kind"] = self.kind().into();
                        content["product"] = ticket.product.clone().into();
                        content["product_version"] = ticket.product_version.clone().into();
                        content["access_id"] = json!(ticket.access_id);
                        content["contract_id"] = json!(ticket.contract_id);
                    }
                    Request::AdvisoryHours { minutes, product, .. } => {
                        content["kind"] = self.kind().into();
                        content["minutes"] = (*minutes).into();
                        content["product"] = product.clone().into();
                    }
                }
                content
            }
        }
    }

    /// What it is about, as decisions name it: kind and outside name.
    #[must_use]
    pub fn subject(&self) -> (&'static str, String) {
        match (self, self.benefit(), self.order()) {
            (_, Some(benefit), Some(order)) => ("entitlement", format!("{order}/{benefit}")),
            (Self::Service(row), _, None) => ("request", row.request_id.to_string()),
            (_, _, order) => ("order", order.map(OrderId::to_string).unwrap_or_default()),
        }
    }

    /// What was asked for beyond its subject, as a decision keeps it.
    #[must_use]
    pub fn told(&self) -> Value {
        let mut told = match self {
            Self::Assignment(row) => json!({ "user": row.user, "to_user": row.to_user }),
            Self::Key(row) => {
                json!({ "key_ref": row.key_ref.map(key_ref), "tenant_id": row.tenant_id, "mode": row.mode })
            }
            Self::Activation(_) => json!({}),
            Self::Service(row) => {
                let mut told = self.content(self.requested_by().to_lowercase(), None);
                told["request_id"] = json!(row.request_id);
                told
            }
        };
        if let Some(told) = told.as_object_mut() {
            told.retain(|_, value| !value.is_null());
            told.insert("requested_on".into(), json!(self.requested_on()));
        }
        told
    }
}
