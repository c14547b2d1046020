//! What was done with benefits, and what a partner is bound by and reached at, each in its sentence.

use std::fmt::Write as _;

use super::event::{Event, event};
use crate::{
    domain::{
        id::KeyNo,
        language::Language,
        license_key::{key_ref, masked},
        naming,
        reason::Reason,
    },
    store::explain::{
        Activated, Agreed, Assigned, Contacted, KeyShown, KeysKnown, Opened, Redeemed, ThingTakenBack,
        WaitingGrant,
    },
};

fn by(who: Option<&String>) -> String {
    who.map_or_else(String::new, |who| format!(", asked for by {who}"))
}

/// A user came; went, unless another came for them.
pub(super) fn assigned(assigned: &Assigned) -> Vec<Event> {
    let about = format!("{}/{}", assigned.order_id, assigned.benefit);
    let user = &assigned.user;
    let seat = assigned.seat_no.filter(|_| assigned.benefit.starts_with("visual_studio"));
    let seat = seat.map_or_else(String::new, |seat| format!(", seat {seat}"));
    let asked = by(assigned.assigned_by.as_ref());
    let (what, says) = match (assigned.began_as.as_str(), &assigned.from_user) {
        ("transfer", Some(from)) => ("transferred", format!("from {from} to {user}{seat}{asked}")),
        ("reassign", Some(from)) => ("reassigned", format!("from {from} to {user}{seat}{asked}")),
        _ => ("assigned", format!("to {user}{seat}{asked}")),
    };
    let came = event(assigned.assigned_on, what, about.clone(), says);
    let mut events = vec![
        came.of([user]).of(&assigned.from_user).of(&assigned.assigned_by).by_decision(assigned.assigned_no),
    ];
    if let Some(removed_on) = assigned.removed_on.filter(|_| assigned.removed_as == "remove") {
        let from = format!("from {user}{seat}{}", by(assigned.removed_by.as_ref()));
        events.push(
            event(removed_on, "removed", about, from)
                .of([user])
                .of(&assigned.removed_by)
                .by_decision(assigned.removed_no),
        );
    }
    events
}

/// A grant that waits, or is blocked.
pub(super) fn waiting(waiting: &WaitingGrant) -> Event {
    let sentence = waiting.reason.sentence(Language::English);
    let (what, says) = match *waiting.reason {
        Reason::BulkBlocked { .. } => ("blocked", sentence),
        Reason::HeldBack { .. } | Reason::NotHeldBack { .. } => ("held back", sentence),
        _ => ("waits", format!("a grant. {sentence}")),
    };
    event(waiting.since, what, format!("{}/{}", waiting.order_id, waiting.benefit), says)
}

/// Keys that came; never what they say.
pub(super) fn keys_known(keys: &KeysKnown) -> Event {
    let (first, last) = (key_ref(keys.first.into()), key_ref(keys.last.into()));
    let says = match keys.count {
        1 => format!("key {first} came with {}", keys.file),
        count => format!("{count} keys came with {}: {first} to {last}", keys.file),
    };
    event(keys.known_on, "keys", format!("{}/{}", keys.order_id, keys.benefit), says)
        .of_key(first)
        .at(keys.received_at)
}

fn named(key_id: KeyNo, tail: &str) -> String {
    format!("key {} ({})", key_ref(key_id), masked(tail))
}

pub(super) fn revealed(revealed: &KeyShown) -> Event {
    let says = format!("{}, to {}", named(revealed.key_id, &revealed.tail), revealed.revealed_by);
    event(revealed.revealed_on, "revealed", format!("{}/{}", revealed.order_id, revealed.benefit), says)
        .of([&revealed.revealed_by])
        .of_key(key_ref(revealed.key_id))
        .by_decision(revealed.decision_no)
}

pub(super) fn redeemed(redeemed: &Redeemed) -> Event {
    let Redeemed { seats, ends_on, .. } = redeemed;
    let how = match redeemed.mode.as_str() {
        "new" => "as a new subscription",
        "add_seats" => "to add seats",
        "extend" => "to extend the end",
        other => other,
    };
    let mut says =
        format!("{} {how}, asked for by {}: ", named(redeemed.key_id, &redeemed.tail), redeemed.requested_by);
    let _ = match (redeemed.seats_before, redeemed.ends_before) {
        (Some(seats_before), Some(ends_before)) => write!(
            says,
            "it had {seats_before} seats and ended on {ends_before}; it has {seats} seats and ends on {ends_on}"
        ),
        _ => write!(says, "it has {seats} seats and ends on {ends_on}"),
    };
    let _ = write!(says, "; on tenant {}", redeemed.tenant_id);
    event(redeemed.redeemed_on, "redeemed", format!("{}/{}", redeemed.order_id, redeemed.benefit), says)
        .of([&redeemed.requested_by])
        .of_key(key_ref(redeemed.key_id))
        .by_decision(redeemed.decision_no)
}

pub(super) fn activated(activated: &Activated) -> Vec<Event> {
    let about = format!("{}/{}", activated.order_id, activated.benefit);
    let mut says = format!("asked for by {}", activated.requested_by);
    if let Some(live_on) = activated.live_on {
        let _ = write!(says, "; live from {live_on} through {}", activated.until);
    }
    let came = event(activated.activated_on, "activated", about.clone(), says);
    let mut events = vec![came.of([&activated.requested_by]).by_decision(activated.decision_no)];
    if let Some(live_on) = activated.live_on.filter(|_| activated.live) {
        events.push(event(live_on, "live", about, format!("the offer is live through {}", activated.until)));
    }
    events
}

pub(super) fn opened(opened: &Opened) -> Event {
    let says = format!("Access ID {}, Contract ID {}", opened.access_id, opened.contract_id);
    event(opened.activated_on, "support", opened.order_id.to_string(), says).by_decision(opened.decision_no)
}

pub(super) fn agreed(agreed: &Agreed) -> Event {
    let until =
        agreed.valid_until.map_or_else(|| "until further notice".to_owned(), |day| format!("until {day}"));
    let says = format!(
        "{} line {}: {}, from {}, {until}",
        agreed.file,
        agreed.line,
        naming::agreement(&agreed.name),
        agreed.valid_from
    );
    event(agreed.known_on, "agreement", String::new(), says).at(agreed.received_at)
}

pub(super) fn contacted(contact: &Contacted) -> Event {
    let Contacted { user, email, phone, language, requested_by, .. } = contact;
    let first = if contact.version_no == 1 { "is" } else { "changed to" };
    let says = format!(
        "{} line {}: the marketing contact {first} {user}, mail to {email} in {language}, telephone {phone}; set by {requested_by}",
        contact.file, contact.line
    );
    event(contact.known_on, "contact", String::new(), says).of([user, requested_by]).at(contact.received_at)
}

/// `e.csv line 2: taken back by zoe (it was another's); it is not there any more`
pub(super) fn taken_back(thing: &ThingTakenBack) -> Event {
    let about =
        if matches!(thing.kind.as_str(), "entitlement" | "order" | "usage") { &thing.subject } else { "" };
    let what = if about.is_empty() { format!("{} {}, ", thing.kind, thing.subject) } else { String::new() };
    event(thing.on, "taken back", about.to_owned(), format!("{what}{}", how_taken_back(thing)))
        .of([&thing.subject])
        .at(thing.recorded_at)
}

/// Of which file, by whom and why, and what stands instead.
#[must_use]
pub fn how_taken_back(thing: &ThingTakenBack) -> String {
    let line = thing.line.map_or_else(String::new, |line| format!(" line {line}"));
    let stands = match (thing.stands, thing.kind.as_str()) {
        (true, _) => "it is again as it was before that file",
        (false, "usage") => "it counts as nothing used",
        (false, _) => "it is not there any more",
    };
    format!("{}{line}: taken back by {} ({}); {stands}", thing.file, thing.by, thing.why)
}
