//! `benefits`: what a member has, as every directory user of the partner may see it (R6, R7, R10).

use chrono::NaiveDate;
use clap::Args;
use serde_json::{Value, json};
use sqlx::PgConnection;

use super::{
    super::{Exit, location, print},
    explain::words::{money, standing},
};
use crate::{
    domain::{
        benefit::{self, BenefitKind, Unit},
        directory_role::Role,
        language::Language,
        naming,
        reason::Reason,
        role::Action,
    },
    settings::Settings,
    store::{
        self, Store,
        explain::{self, BenefitStanding, OrderStanding},
    },
};

pub(crate) const EXAMPLE: &str = "\
Examples:
  benefactor benefits --partner 4100101
  benefactor benefits --partner 4100101 --requested-by astrid@norrsken.example --json";

/// What `benefits` takes.
#[derive(Args, Debug)]
pub(crate) struct BenefitsArgs {
    /// The Partner ID
    #[arg(long, value_name = "ID")]
    partner: String,
    /// The directory user who asks, by object id or user principal name; without it, the operator does
    #[arg(long, value_name = "USER")]
    requested_by: Option<String>,
}

/// What there is to show.
struct Shown {
    benefits: Vec<BenefitStanding>,
    orders: Vec<OrderStanding>,
}

pub(crate) async fn run_benefits(settings: &Settings, args: BenefitsArgs) -> anyhow::Result<Exit> {
    let today = settings.still_clock().today();
    let store = Store::open(&location(settings)?).await?;
    let shown = match store.pool.begin().await {
        Ok(mut tx) => look(&mut tx, &args, today).await,
        Err(error) => Err(store::Error::from(error)),
    };
    store.close().await;
    match shown? {
        Ok(shown) if settings.json => print(&in_json(&shown, today).to_string())?,
        Ok(shown) => {
            for line in lines(&shown, today) {
                print(&line)?;
            }
        }
        Err(reason) => {
            let sentence = reason.sentence(Language::English);
            if settings.json {
                print(&json!({ "refused": { "code": reason.code(), "reason": sentence } }).to_string())?;
            } else {
                print(&format!("refused ({}): {sentence}", reason.code()))?;
            }
            return Ok(Exit::Rejected);
        }
    }
    Ok(Exit::Done)
}

/// What the partner has that has not ended, or why who asks may not see it.
async fn look(
    conn: &mut PgConnection,
    args: &BenefitsArgs,
    today: NaiveDate,
) -> store::Result<Result<Shown, Reason>> {
    explain::along_indexes(conn).await?;
    let found = explain::find(conn, args.partner.trim(), Some("partner")).await?;
    let Some(partner) = found.into_iter().find(|subject| subject.kind == "partner") else {
        return Ok(Err(Reason::UnknownPartner));
    };
    if let Some(named) = &args.requested_by {
        let Some(user) = explain::user(conn, &partner.partner, named.trim()).await? else {
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
    Ok(Ok(Shown { benefits, orders }))
}

impl Shown {
    /// Whether anything of it runs.
    fn any_live(&self, today: NaiveDate) -> bool {
        self.benefits.iter().any(|benefit| benefit.starts_on <= today)
    }

    /// Orders that a renewal made and whose entitlements have not come yet (D5).
    fn awaiting(&self) -> impl Iterator<Item = &OrderStanding> {
        self.orders.iter().filter(|order| order.offer.is_none() && order.ended_on.is_none())
    }

    /// Why there is nothing, if there is nothing and nothing is to come.
    fn nothing(&self, today: NaiveDate) -> Option<String> {
        let none = !self.any_live(today) && self.awaiting().next().is_none();
        none.then(|| Reason::NoBenefitsYet.sentence(Language::English))
    }

    /// Orders whose support has its IDs, with the two.
    fn supported(&self) -> impl Iterator<Item = (&OrderStanding, &str, &str)> {
        let running = self.orders.iter().filter(|order| order.ended_on.is_none());
        running.filter_map(|order| Some((order, order.access_id.as_deref()?, order.contract_id.as_deref()?)))
    }
}

const HEAD: [&str; 7] = ["PRODUCT", "QUANTITY", "OFFER", "TYPE", "EXPIRES", "STATUS", "LEFT"];

fn lines(shown: &Shown, today: NaiveDate) -> Vec<String> {
    let mut lines = Vec::from_iter(shown.nothing(today));
    for order in shown.awaiting() {
        let old = order.renews.as_ref().map_or_else(String::new, |old| format!(" renews {old} and"));
        lines.push(format!(
            "{}{old} awaits its entitlements file: its benefits come with that",
            order.order_id
        ));
    }
    if !shown.benefits.is_empty() {
        let mut rows = vec![HEAD.map(str::to_owned)];
        rows.extend(shown.benefits.iter().map(row));
        let width =
            |at: usize| rows.iter().filter_map(|row| row.get(at)).map(|cell| cell.chars().count()).max();
        let widths: Vec<usize> = (0..HEAD.len()).map(|at| width(at).unwrap_or(0)).collect();
        for row in &rows {
            let cells: Vec<String> =
                row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
            lines.push(cells.join("  ").trim_end().to_owned());
        }
    }
    for (order, access_id, contract_id) in shown.supported() {
        lines
            .push(format!("support of {}: Access ID {access_id}, Contract ID {contract_id}", order.order_id));
    }
    lines
}

fn row(benefit: &BenefitStanding) -> [String; 7] {
    [
        naming::benefit(&benefit.benefit, Language::English),
        quantity(benefit),
        offer(benefit),
        benefit.benefit_type.clone(),
        benefit.expires_on.to_string(),
        standing(&benefit.status),
        left(benefit),
    ]
}

pub(super) fn quantity(benefit: &BenefitStanding) -> String {
    benefit.quantity.map_or_else(|| "unlimited".to_owned(), |quantity| quantity.to_string())
}

pub(super) fn offer(benefit: &BenefitStanding) -> String {
    benefit.offer.as_deref().map_or_else(String::new, naming::offer)
}

/// What is left to use: money, hours, incidents, seats or keys; empty where nothing is counted.
pub(super) fn left(benefit: &BenefitStanding) -> String {
    let kind = benefit::Benefit::parse(&benefit.benefit).map(|benefit| benefit.kind());
    if let Some(unit) = kind.and_then(Unit::of) {
        let quantity = benefit.quantity.and_then(|quantity| u32::try_from(quantity).ok());
        return match (benefit.balance, quantity) {
            (_, None) => "unlimited".to_owned(),
            // Granted when first drawn from; what has ended is not.
            (None, Some(_)) if benefit.ended_on.is_some() => String::new(),
            (balance, Some(quantity)) => {
                let count = balance.unwrap_or_else(|| unit.granted(quantity));
                naming::units(unit, count, Language::English).replace('\u{a0}', " ")
            }
        };
    }
    if let Some(minor) = benefit.balance {
        return money(minor, benefit.balance_currency.as_deref());
    }
    match (kind, benefit.quantity) {
        (Some(BenefitKind::VisualStudio), Some(seats)) if benefit.ended_on.is_none() => {
            let free = i64::from(seats).saturating_sub(benefit.seats_taken).max(0);
            format!("{free} of {seats} seats")
        }
        _ if benefit.keys > 0 => format!("{} of {} keys", benefit.keys_left, benefit.keys),
        _ => String::new(),
    }
}

/// A benefit as JSON has it, here and in `explain`.
pub(super) fn benefit_in_json(benefit: &BenefitStanding) -> Value {
    json!({
        "order_id": benefit.order_id, "benefit": benefit.benefit,
        "product": naming::benefit(&benefit.benefit, Language::English), "quantity": benefit.quantity,
        "offer": benefit.offer, "benefit_type": benefit.benefit_type, "expires_on": benefit.expires_on,
        "status": benefit.status, "left": left(benefit), "starts_on": benefit.starts_on,
        "last_usable_on": benefit.last_usable_on, "ended_on": benefit.ended_on,
        "activated_on": benefit.activated_on, "live_on": benefit.live_on,
        "subscription_seats": benefit.subscription_seats, "subscription_ends_on": benefit.subscription_ends_on,
        "balance": benefit.balance, "currency": benefit.balance_currency,
    })
}

fn in_json(shown: &Shown, today: NaiveDate) -> Value {
    let benefits: Vec<Value> = shown.benefits.iter().map(benefit_in_json).collect();
    let support = shown.supported().map(|(order, access_id, contract_id)| {
        json!({ "order_id": order.order_id, "access_id": access_id, "contract_id": contract_id })
    });
    let support: Vec<Value> = support.collect();
    let awaiting: Vec<&str> = shown.awaiting().map(|order| order.order_id.as_str()).collect();
    json!({
        "benefits": benefits, "support": support, "awaiting_entitlements": awaiting,
        "no_benefits_yet": shown.nothing(today),
    })
}
