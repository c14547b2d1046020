//! What a member has, as every directory user of the partner may see it (R6, R7, R10).

use chrono::NaiveDate;
use serde::{Serialize, Serializer};
use sqlx::PgConnection;

use super::{waiting::RequestView, words::money};
use crate::{
    domain::{
        benefit::{self, BenefitKind, Unit},
        directory_role::Role,
        id::{AccessId, ContractId, OrderId, PartnerId},
        language::Language,
        naming,
        reason::Reason,
        role::Action,
    },
    store::{
        self,
        explain::{self, BenefitStanding, OrderStanding},
        waiting::{self, HeldRequest},
    },
};

/// What a member has that has not ended.
#[derive(Clone, Debug, Serialize)]
pub struct Benefits {
    /// The benefits, order by order.
    pub benefits: Vec<BenefitView>,
    /// The IDs of orders whose support was activated.
    pub support: Vec<Support>,
    /// Orders that a renewal made and whose entitlements have not come yet (D5).
    #[serde(rename = "awaiting_entitlements")]
    pub awaiting: Vec<Awaiting>,
    /// What was asked for that waits for the operator, or that the operator refused (D1).
    pub requests: Vec<RequestView>,
    /// Why there is nothing, if nothing runs and nothing is to come.
    pub no_benefits_yet: Option<String>,
}

/// A benefit as it stands (R10).
#[derive(Clone, Debug, Serialize)]
pub struct BenefitView {
    /// The order.
    pub order_id: OrderId,
    /// Its code, such as `azure_monthly_credit`.
    pub benefit: String,
    /// What it is called.
    pub product: String,
    /// How many; `None`: unlimited.
    pub quantity: Option<i32>,
    /// The offer's code.
    pub offer: Option<String>,
    /// `core`, `incremental` or `competency`.
    pub benefit_type: String,
    /// The last day of its term; of an offer that was activated, the last day on which it is live (R8).
    pub expires_on: NaiveDate,
    /// How it ended; `blocked`; of a Go-To-Market offer `not_activated`, `activating`, `live`; else its order's status.
    pub status: String,
    /// What is left to use, in words: money, hours, incidents, seats or keys; empty where nothing is counted.
    pub left: String,
    /// Its first day.
    pub starts_on: NaiveDate,
    /// The last day on which it can be used.
    pub last_usable_on: NaiveDate,
    /// Its last usable day, once it has ended.
    pub ended_on: Option<NaiveDate>,
    /// When it was activated.
    pub activated_on: Option<NaiveDate>,
    /// The day from which an offer is live.
    pub live_on: Option<NaiveDate>,
    /// The seats of the subscription that its keys were redeemed onto.
    pub subscription_seats: Option<i32>,
    /// The end of that subscription (D8).
    pub subscription_ends_on: Option<NaiveDate>,
    /// What is unspent, in minor units, minutes or incidents; `None`: nothing is in the ledger.
    pub balance: Option<i64>,
    /// In which currency.
    pub currency: Option<String>,
    /// What silver holds back of it, and until when (D12).
    pub held_back: Option<String>,
}

/// An order whose support was activated.
#[derive(Clone, Debug, Serialize)]
pub struct Support {
    /// The order.
    pub order_id: OrderId,
    /// Its Access ID.
    pub access_id: AccessId,
    /// Its Contract ID.
    pub contract_id: ContractId,
}

/// An order that waits for its entitlements; serialised as its name.
#[derive(Clone, Debug)]
pub struct Awaiting {
    /// The order.
    pub order_id: OrderId,
    /// The order that it renews.
    pub renews: Option<OrderId>,
}

impl Serialize for Awaiting {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.order_id.as_str())
    }
}

/// What a partner has today, told in a language; or why who asks may not see it. `requested_by`: a directory user, by
/// object id or user principal name; without one the operator asks.
///
/// # Errors
/// Those of the store.
pub async fn read(
    conn: &mut PgConnection,
    partner: &PartnerId,
    requested_by: Option<&str>,
    today: NaiveDate,
    language: Language,
) -> store::Result<Result<Benefits, Reason>> {
    explain::along_indexes(conn).await?;
    let found = explain::find(conn, partner.as_str(), Some("partner")).await?;
    let Some(partner) = found.into_iter().find(|subject| subject.kind == "partner") else {
        return Ok(Err(Reason::UnknownPartner));
    };
    if let Some(named) = requested_by {
        let Some(user) = explain::user(conn, &partner.partner, named).await? else {
            return Ok(Err(Reason::UnknownUser));
        };
        if !user.enabled {
            return Ok(Err(Reason::UserDisabled));
        }
        let roles: Vec<Role> = user.roles.iter().filter_map(|role| Role::parse(role)).collect();
        if !Action::SeeBenefits.allows(&roles) {
            return Ok(Err(Action::SeeBenefits.refusal(std::iter::empty())));
        }
    }
    let mut benefits = partner.benefits(conn).await?;
    benefits.retain(|benefit| benefit.ended_on.is_none() && today <= benefit.last_usable_on);
    let orders = partner.orders(conn).await?;
    let numbers = waiting::told_to_partner(conn, &partner.partner).await?;
    let asked = waiting::load(conn, &numbers).await?;
    Ok(Ok(Benefits::of(&benefits, orders, &asked, today, language)))
}

impl Benefits {
    fn of(
        benefits: &[BenefitStanding],
        orders: Vec<OrderStanding>,
        asked: &[HeldRequest],
        today: NaiveDate,
        language: Language,
    ) -> Self {
        let (mut support, mut awaiting) = (Vec::new(), Vec::new());
        for order in orders.into_iter().filter(|order| order.ended_on.is_none()) {
            let order_id = order.order_id;
            if let (Some(access_id), Some(contract_id)) = (order.access_id, order.contract_id) {
                support.push(Support { order_id: order_id.clone(), access_id, contract_id });
            }
            if order.offer.is_none() {
                awaiting.push(Awaiting { order_id, renews: order.renews });
            }
        }
        let nothing = awaiting.is_empty() && !benefits.iter().any(|benefit| benefit.starts_on <= today);
        Self {
            benefits: benefits.iter().map(|standing| BenefitView::of(standing, language)).collect(),
            support,
            awaiting,
            requests: asked.iter().map(|request| RequestView::of(request, language)).collect(),
            no_benefits_yet: nothing.then(|| Reason::NoBenefitsYet.sentence(language)),
        }
    }
}

impl BenefitView {
    /// A benefit as the store has it, told in a language.
    pub(super) fn of(standing: &BenefitStanding, language: Language) -> Self {
        Self {
            order_id: standing.order_id.clone(),
            benefit: standing.benefit.clone(),
            product: naming::benefit(&standing.benefit, language),
            quantity: standing.quantity,
            offer: standing.offer.clone(),
            benefit_type: standing.benefit_type.clone(),
            expires_on: standing.told_until(),
            status: standing.status.clone(),
            left: left(standing, language),
            starts_on: standing.starts_on,
            last_usable_on: standing.last_usable_on,
            ended_on: standing.ended_on,
            activated_on: standing.activated_on,
            live_on: standing.live_on,
            subscription_seats: standing.subscription_seats,
            subscription_ends_on: standing.subscription_ends_on,
            balance: standing.balance,
            currency: standing.balance_currency.clone(),
            held_back: standing.held_back.as_ref().map(|reason| reason.sentence(language)),
        }
    }
}

/// What is left to use: money, hours, incidents, seats or keys; empty where nothing is counted.
fn left(benefit: &BenefitStanding, language: Language) -> String {
    let kind = benefit::Benefit::parse(&benefit.benefit).map(|benefit| benefit.kind());
    let words = LeftWords::of(language);
    if let Some(unit) = kind.and_then(Unit::of) {
        let quantity = benefit.quantity.and_then(|quantity| u32::try_from(quantity).ok());
        return match (benefit.balance, quantity) {
            (_, None) => words.unlimited.to_owned(),
            // Granted when first drawn from; what has ended is not.
            (None, Some(_)) if benefit.ended_on.is_some() => String::new(),
            (balance, Some(quantity)) => {
                let count = balance.unwrap_or_else(|| unit.granted(quantity));
                naming::units(unit, count, language).replace('\u{a0}', " ")
            }
        };
    }
    if let Some(minor) = benefit.balance {
        return money(minor, benefit.balance_currency.as_deref());
    }
    let LeftWords { of, seats, keys, .. } = words;
    match (kind, benefit.quantity) {
        (Some(BenefitKind::VisualStudio), Some(all)) if benefit.ended_on.is_none() => {
            let free = i64::from(all).saturating_sub(benefit.seats_taken).max(0);
            format!("{free} {of} {all} {seats}")
        }
        _ if benefit.keys > 0 => format!("{} {of} {} {keys}", benefit.keys_left, benefit.keys),
        _ => String::new(),
    }
}

/// The words of what is left.
struct LeftWords {
    unlimited: &'static str,
    of: &'static str,
    seats: &'static str,
    keys: &'static str,
}

impl LeftWords {
    const fn of(language: Language) -> Self {
        match language {
            Language::English => Self { unlimited: "unlimited", of: "of", seats: "seats", keys: "keys" },
            Language::Swedish => {
                Self { unlimited: "obegränsat", of: "av", seats: "platser", keys: "nycklar" }
            }
        }
    }
}
