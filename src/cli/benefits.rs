//! `benefits`: what a member has, as every directory user of the partner may see it (R6, R7, R10).

use clap::Args;
use serde_json::json;

use super::{
    exit::Exit,
    location::location,
    output::{print, print_view},
};
use crate::{
    answers::{
        benefits::{self, BenefitView, Benefits},
        words::standing,
    },
    domain::{id::PartnerId, language::Language, naming, reason::Reason},
    settings::Settings,
    store::{self, Store},
};

pub(super) const EXAMPLE: &str = "\
Examples:
  benefactor benefits --partner 4100101
  benefactor benefits --partner 4100101 --requested-by astrid@norrsken.example --json";

/// What `benefits` takes.
#[derive(Args, Debug)]
pub(super) struct BenefitsArgs {
    /// The Partner ID
    #[arg(long, value_name = "ID")]
    partner: PartnerId,
    /// The directory user who asks, by object id or user principal name; without it, the operator does
    #[arg(long, value_name = "USER")]
    requested_by: Option<String>,
}

pub(super) async fn run_benefits(settings: &Settings, args: BenefitsArgs) -> anyhow::Result<Exit> {
    let today = settings.still_clock().today();
    let (partner, user) =
        (PartnerId::from(args.partner.as_str().trim()), args.requested_by.as_deref().map(str::trim));
    let store = Store::open_existing(&location(settings)?).await?;
    let shown = match store.pool.begin().await {
        Ok(mut tx) => benefits::read(&mut tx, &partner, user, today, Language::English).await,
        Err(error) => Err(store::Error::from(error)),
    };
    store.close().await;
    match shown? {
        Ok(shown) => print_view(&shown, settings.json, lines)?,
        Err(reason) => return refused(settings.json, &reason),
    }
    Ok(Exit::Done)
}

fn refused(as_json: bool, reason: &Reason) -> anyhow::Result<Exit> {
    let (code, sentence) = (reason.code(), reason.sentence(Language::English));
    print(&if as_json {
        json!({ "refused": { "code": code, "reason": sentence } }).to_string()
    } else {
        format!("refused ({code}): {sentence}")
    })?;
    Ok(Exit::Rejected)
}

const HEAD: [&str; 7] = ["PRODUCT", "QUANTITY", "OFFER", "TYPE", "EXPIRES", "STATUS", "LEFT"];

fn lines(shown: &Benefits) -> Vec<String> {
    let mut lines = Vec::from_iter(shown.no_benefits_yet.clone());
    for order in &shown.awaiting {
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
    for benefit in &shown.benefits {
        if let Some(reason) = &benefit.held_back {
            lines.push(format!("{} of {}: {reason}", benefit.product, benefit.order_id));
        }
    }
    for asked in &shown.requests {
        let reason = asked.reason.as_ref().map_or_else(String::new, |reason| format!(": {reason}"));
        lines.push(format!(
            "{} of {}, asked for by {} on {}, {}{reason}",
            asked.what,
            asked.about(),
            asked.requested_by,
            asked.requested_on,
            if asked.status == "waiting" { "waits" } else { "was refused" },
        ));
    }
    for support in &shown.support {
        lines.push(format!(
            "support of {}: Access ID {}, Contract ID {}",
            support.order_id, support.access_id, support.contract_id
        ));
    }
    lines
}

fn row(benefit: &BenefitView) -> [String; 7] {
    [
        benefit.product.clone(),
        quantity(benefit),
        offer(benefit),
        benefit.benefit_type.clone(),
        benefit.expires_on.to_string(),
        standing(&benefit.status),
        benefit.left.clone(),
    ]
}

pub(super) fn quantity(benefit: &BenefitView) -> String {
    benefit.quantity.map_or_else(|| "unlimited".to_owned(), |quantity| quantity.to_string())
}

pub(super) fn offer(benefit: &BenefitView) -> String {
    benefit.offer.as_deref().map_or_else(String::new, naming::offer)
}
