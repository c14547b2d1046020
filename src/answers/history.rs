//! The history of one thing, as somebody who answers the telephone can read it out: what it is, how it stands now, and
//! everything that happened to it, in time order.

mod asked;
mod booked;
mod doings;
mod event;

use chrono::NaiveDate;
use serde::Serialize;
use sqlx::PgConnection;

use self::event::{event, names};
use super::benefits::BenefitView;
use crate::{
    domain::{id::PartnerId, language::Language, license_key::masked},
    store::{
        self,
        explain::{self, KeyStanding, NoticeTold, OrderStanding, UserStanding},
    },
};
pub use doings::how_taken_back;
pub use event::Event;
pub use explain::{Subject, ThingTakenBack};

/// What a history can be of.
const KINDS: [&str; 6] = ["partner", "order", "entitlement", "user", "key", "request"];

/// A history, and how what it is of stands now.
#[derive(Clone, Debug, Serialize)]
pub struct Story {
    /// What it is of: `partner`, `order`, `entitlement`, `user`, `key` or `request`.
    pub kind: String,
    /// What that is called.
    pub subject: String,
    /// The partner.
    pub partner: PartnerView,
    /// The user, of whom it is or who asked.
    pub user: Option<UserStanding>,
    /// The key that it is of.
    pub key: Option<KeyView>,
    /// The orders; none where it is of a user.
    pub orders: Vec<OrderStanding>,
    /// The benefits, where it is of a partner, an order or an entitlement.
    pub benefits: Vec<BenefitHeld>,
    /// Everything that happened, in time order; its sentences are in English.
    pub events: Vec<Event>,
    /// Notices that were no longer true, or less urgent than another, when the mail was written.
    pub notices_overtaken: usize,
}

/// A partner.
#[derive(Clone, Debug, Serialize)]
pub struct PartnerView {
    /// The Partner ID.
    pub partner_id: PartnerId,
    /// What it is called.
    pub name: String,
    /// Its country.
    pub country: String,
    /// Its currency.
    pub currency: String,
    /// Where mail goes without a marketing contact.
    pub account_email: String,
    /// The marketing contact's address.
    pub contact: Option<String>,
    /// The language of mail to them.
    #[serde(skip)]
    pub contact_language: Option<String>,
}

/// A benefit, and who has it.
#[derive(Clone, Debug, Serialize)]
pub struct BenefitHeld {
    /// The benefit.
    #[serde(flatten)]
    pub benefit: BenefitView,
    /// The users it is assigned to, joined by `, `.
    pub assigned_to: Option<String>,
}

/// A key as it stands; never the key itself.
#[derive(Clone, Debug, Serialize)]
pub struct KeyView {
    /// Its last characters, behind a mask.
    pub key: String,
    /// Its order and benefit.
    pub of: String,
    /// For how many seats.
    pub seats: Option<i32>,
    /// For how many months.
    pub months: i16,
    /// The product.
    pub product: Option<String>,
    /// Its languages.
    pub language: Option<String>,
    /// The operating systems.
    pub os: Option<String>,
    /// Where to fetch it.
    pub download_url: Option<String>,
    /// What to do with it.
    pub instructions: Option<String>,
    /// When it was first revealed.
    pub revealed_on: Option<NaiveDate>,
    /// When it was redeemed.
    pub redeemed_on: Option<NaiveDate>,
}

impl From<KeyStanding> for KeyView {
    fn from(key: KeyStanding) -> Self {
        let KeyStanding { seats, months, product, language, os, download_url, instructions, .. } = key;
        let (key, of, revealed_on, redeemed_on) =
            (masked(&key.tail), key.about, key.revealed_on, key.redeemed_on);
        Self {
            key,
            of,
            seats,
            months,
            product,
            language,
            os,
            download_url,
            instructions,
            revealed_on,
            redeemed_on,
        }
    }
}

/// Why a name does not say what is meant.
#[derive(Clone, Debug)]
pub enum Unclear {
    /// Nothing goes by it; what it could be, each with its kind.
    Unknown(Vec<(String, String)>),
    /// Nothing does any more: it was taken back with its file.
    TakenBack(Vec<ThingTakenBack>),
    /// Several things do.
    Several(Vec<Subject>),
}

/// The one thing that goes by a name. Where several do, `KIND:` before it and `@PARTNER` behind it say which.
///
/// # Errors
/// Those of the store.
pub async fn find(conn: &mut PgConnection, name: &str) -> store::Result<Result<Subject, Unclear>> {
    explain::along_indexes(conn).await?;
    let (kind, bare) = match name.split_once(':') {
        Some((kind, bare)) if KINDS.contains(&kind) => (Some(kind), bare),
        _ => (None, name),
    };
    let mut found = explain::find(conn, bare, kind).await?;
    if found.is_empty()
        && let Some((before, partner)) = bare.rsplit_once('@')
    {
        found = explain::find(conn, before, kind).await?;
        found.retain(|subject| subject.partner == partner);
    }
    found.retain(|subject| kind.is_none_or(|kind| subject.kind == kind));
    if found.is_empty() {
        let taken_back = explain::taken_back(conn, bare).await?;
        if !taken_back.is_empty() {
            return Ok(Err(Unclear::TakenBack(taken_back)));
        }
        return Ok(Err(Unclear::Unknown(explain::near(conn, bare).await?)));
    }
    match <[Subject; 1]>::try_from(found) {
        Ok([subject]) => Ok(Ok(subject)),
        Err(several) => Ok(Err(Unclear::Several(several))),
    }
}

/// Its history, and how it stands now; benefits are told in a language.
///
/// # Errors
/// Those of the store.
pub async fn read(conn: &mut PgConnection, subject: &Subject, language: Language) -> store::Result<Story> {
    explain::along_indexes(conn).await?;
    let of_partner = matches!(subject.kind.as_str(), "partner" | "order" | "entitlement");
    let partner = subject.partner(conn).await?;
    let benefits = if of_partner { subject.benefits(conn).await? } else { vec![] };
    let held = benefits.into_iter().map(|standing| BenefitHeld {
        benefit: BenefitView::of(&standing, language),
        assigned_to: standing.assigned_to,
    });
    let (events, notices_overtaken) = happened(conn, subject).await?;
    Ok(Story {
        kind: subject.kind.clone(),
        subject: subject.name.clone(),
        partner: PartnerView {
            partner_id: subject.partner.clone(),
            name: partner.name,
            country: partner.country,
            currency: partner.currency,
            account_email: partner.account_email,
            contact: partner.contact,
            contact_language: partner.contact_language,
        },
        user: subject.user(conn).await?,
        key: subject.key(conn).await?.map(KeyView::from),
        orders: if subject.kind == "user" { vec![] } else { subject.orders(conn).await? },
        benefits: held.collect(),
        events,
        notices_overtaken,
    })
}

/// Everything that happened, in time order, and how many notices were overtaken.
async fn happened(conn: &mut PgConnection, subject: &Subject) -> store::Result<(Vec<Event>, usize)> {
    let mut events = Vec::new();
    if !subject.is_request() {
        events.extend(booked::versions(&subject.versions(conn).await?));
        events.extend(subject.entries(conn).await?.iter().map(booked::entry));
        events.extend(subject.assigned(conn).await?.iter().flat_map(doings::assigned));
        events.extend(subject.keys_known(conn).await?.iter().map(doings::keys_known));
        events.extend(subject.revealed(conn).await?.iter().map(doings::revealed));
        events.extend(subject.redeemed(conn).await?.iter().map(doings::redeemed));
        events.extend(subject.activated(conn).await?.iter().flat_map(doings::activated));
        events.extend(subject.opened(conn).await?.iter().map(doings::opened));
        events.extend(subject.agreed(conn).await?.iter().map(doings::agreed));
        events.extend(subject.contacted(conn).await?.iter().map(doings::contacted));
        events.extend(subject.taken_back(conn).await?.iter().map(doings::taken_back));
        events.extend(subject.waiting(conn).await?.iter().map(doings::waiting));
    }
    let whole = subject.is_request();
    if whole {
        let drawn = subject.entries(conn).await?;
        events.extend(
            drawn
                .iter()
                .filter(|entry| entry.request_id.as_ref().is_some_and(|id| id == subject.name.as_str()))
                .map(booked::entry),
        );
    }
    let asked = subject.asked(conn).await?;
    events.extend(asked.iter().filter_map(|row| asked::asked(row, whole)));
    events.extend(asked.iter().filter_map(asked::admitted));
    events.extend(subject.decided(conn).await?.iter().filter_map(|row| asked::decided(row, whole)));
    let notices = subject.told(conn).await?;
    events.extend(notices.iter().filter_map(told));
    let mut overtaken = notices.iter().filter(|notice| notice.status == "superseded").count();
    if matches!(subject.kind.as_str(), "user" | "key") {
        events.retain(|event| names(event, subject));
        overtaken = 0;
    }
    events.sort_by(|a, b| a.place().cmp(&b.place()).then_with(|| a.about.cmp(&b.about)));
    Ok((events, overtaken))
}

fn told(told: &NoticeTold) -> Option<Event> {
    let (says, about) = (told.notice.line(), told.notice.subject());
    match (told.status.as_str(), told.day, &told.recipient) {
        ("mailed", Some(day), Some(recipient)) => {
            let stands = match (told.mail_status.as_deref(), &told.last_reply) {
                (Some("sent") | None, _) => String::new(),
                (Some(status @ ("refused" | "failed")), Some(reply)) => format!(" (mail {status}: {reply})"),
                (Some(status), _) => format!(" (mail {status})"),
            };
            Some(event(day, "mailed", about, format!("to {recipient}: {says}{stands}")))
        }
        ("owed", ..) => Some(event(told.anchor_on, "owed", about, says)),
        _ => None,
    }
}
