//! What entitlements were stated as, and what the ledger holds of them, each in its sentence.

use std::fmt::Write as _;

use super::{
    super::words::{figure, money, rate, span},
    event::{Event, event},
};
use crate::{
    domain::id::SubscriptionId,
    store::explain::{EntitlementVersion, LedgerEntry},
};

/// Arrivals, changes and ends: each version against the one before it.
pub(super) fn versions(versions: &[EntitlementVersion]) -> Vec<Event> {
    let before = std::iter::once(None).chain(versions.iter().map(Some));
    versions
        .iter()
        .zip(before)
        .filter_map(|(version, before)| {
            let about = format!("{}/{}", version.order_id, version.benefit);
            let from = match (&version.file, version.line) {
                (Some(file), Some(line)) => format!("{file} line {line}: "),
                _ => String::new(),
            };
            if let (Some(ended_on), Some(how)) = (version.ended_on, &version.ended_as) {
                let says = format!("{from}{how}; the last usable day was {ended_on}");
                return Some(event(version.on, "ended", about, says));
            }
            match before.filter(|_| version.version_no > 1) {
                None => Some(
                    event(version.on, "arrived", about, format!("{from}{}", stated(version)))
                        .at(version.recorded_at),
                ),
                Some(before) => {
                    let changes = changes(before, version);
                    (!changes.is_empty()).then(|| {
                        event(version.on, "changed", about, format!("{from}{}", changes.join("; ")))
                            .at(version.recorded_at)
                    })
                }
            }
        })
        .collect()
}

fn stated(version: &EntitlementVersion) -> String {
    let mut text = format!("{}, quantity {}", version.benefit_type, quantity(version.quantity));
    let _ = write!(text, ", {} to {}", version.starts_on, version.expires_on);
    if let Some(minor) = version.amount_minor {
        let how_often = if version.benefit.starts_with("azure_bulk_credit") { "once" } else { "a period" };
        let _ = write!(text, ", {} {how_often}", money(minor, version.currency.as_deref()));
    }
    if let Some(competency) = &version.competency {
        let _ = write!(text, ", competency {competency}");
    }
    if let Some(subscription) = &version.subscription_id {
        let _ = write!(text, ", subscription {subscription}");
    }
    text
}

fn quantity(quantity: Option<i32>) -> String {
    quantity.map_or_else(|| "unlimited".to_owned(), |quantity| quantity.to_string())
}

fn changes(was: &EntitlementVersion, became: &EntitlementVersion) -> Vec<String> {
    let amount = |version: &EntitlementVersion| {
        version.amount_minor.map_or_else(String::new, |minor| money(minor, version.currency.as_deref()))
    };
    let subscription = |version: &EntitlementVersion| {
        version.subscription_id.as_ref().map_or_else(String::new, SubscriptionId::to_string)
    };
    [
        ("type", was.benefit_type.clone(), became.benefit_type.clone()),
        ("quantity", quantity(was.quantity), quantity(became.quantity)),
        ("starts", was.starts_on.to_string(), became.starts_on.to_string()),
        ("ends", was.expires_on.to_string(), became.expires_on.to_string()),
        ("amount", amount(was), amount(became)),
        (
            "competency",
            was.competency.clone().unwrap_or_default(),
            became.competency.clone().unwrap_or_default(),
        ),
        ("subscription", subscription(was), subscription(became)),
    ]
    .into_iter()
    .filter(|(_, was, became)| was != became)
    .map(|(what, was, became)| format!("{what} {} → {}", or_nothing(&was), or_nothing(&became)))
    .collect()
}

fn or_nothing(text: &str) -> &str {
    if text.is_empty() { "none" } else { text }
}

/// A movement of the ledger.
pub(super) fn entry(entry: &LedgerEntry) -> Event {
    let amount = figure(&entry.kind, entry.amount_minor, entry.currency.as_deref());
    let period = span(entry.period_from, entry.period_until);
    let mut reference =
        entry.reference.as_ref().map_or_else(String::new, |name| format!(", reference {name}"));
    if let Some(request) = &entry.request_id {
        let _ = write!(reference, ", request {request}");
    }
    if let Some(by) = &entry.asked_by {
        let _ = write!(reference, ", asked for by {by}");
    }
    let what = entry.kind.rsplit('_').next().unwrap_or_default();
    let (what, mut says) = match (what, entry.corrects_of) {
        (kind, Some(original_on)) => {
            let by = if entry.takes_away { "less" } else { "more" };
            let original = noun(kind);
            (
                "corrected",
                format!(
                    "{amount} {by} {kind} of {period}{reference}: corrects the {original} of {original_on}"
                ),
            )
        }
        ("granted", _) => ("granted", format!("{amount} for {period}{}", conversion(entry))),
        ("used", _) => ("used", format!("{amount} of {period}{reference}")),
        ("overage", _) => ("overage", format!("{amount} more than there was of {period}{reference}")),
        ("lapsed", _) => {
            let lost = if entry.unassigned { ": lost, nobody was assigned on any day of it" } else { "" };
            ("lapsed", format!("{amount} unspent of {period}{lost}"))
        }
        ("reversed", _) => ("reversed", format!("{amount} of {period} taken back")),
        (other, _) => ("booked", format!("{amount} {other} of {period}")),
    };
    if entry.booked_on > entry.effective_on && entry.request_id.is_none() {
        let _ = write!(says, " (booked in the night of {})", entry.booked_on);
    }
    event(entry.effective_on, what, format!("{}/{}", entry.order_id, entry.benefit), says).of(&entry.asked_by)
}

fn noun(kind: &str) -> &str {
    match kind {
        "granted" => "grant",
        "used" => "use",
        "lapsed" => "lapse",
        "reversed" => "reversal",
        other => other,
    }
}

fn conversion(entry: &LedgerEntry) -> String {
    match (entry.usd_minor, entry.rate_nano, entry.rate_on) {
        (Some(usd), Some(nano), Some(on)) => {
            format!(": {} at {}, the rate of {on}", money(usd, Some("USD")), rate(nano))
        }
        _ => String::new(),
    }
}
