//! The one place that shows a product key, on record each time; and what redeeming one would come to (R3, R5, D8). Both are
//! ruled on like rows of a file.

use chrono::NaiveDate;
use sqlx::{Connection, PgConnection};

use super::requests;
use crate::{
    domain::kinds::Kind,
    domain::{
        book::Effect,
        id::FileNo,
        key_request,
        kinds::key_requests::KeyRequestRow,
        license_key::{Secret, key_ref},
        reason::Problem,
        request::{self, Arrival, Asked, Outcome},
        subscription,
    },
    files::dialect::Dialect,
    jobs::engine::{Context, Result, sha256},
    store::{
        book::{self, RuledRequest},
        file::{self, NewFile},
        intake,
        keys::{self, Shown},
        run,
    },
};

/// A key that was shown: that it was is on record.
#[derive(Debug)]
pub struct Revealed {
    /// What the store calls it.
    pub key_ref: String,
    /// The key.
    pub secret: Secret,
    /// What it is for.
    pub shown: Shown,
    /// The date under which it was shown.
    pub on: NaiveDate,
    /// It was shown before under this name on this date.
    pub again: bool,
}

/// Shows a key, if whoever asks may see it: ruled on like a row of a file, and recorded each time (R5). Without a name it is
/// the oldest that was not revealed.
///
/// # Errors
/// The store; a secret that is not the store's. Refusals are inside.
pub async fn reveal(
    cx: &Context,
    conn: &mut PgConnection,
    row: &KeyRequestRow,
) -> Result<std::result::Result<Revealed, Vec<Problem>>> {
    let mut tx = conn.begin().await?;
    run::change_facts(&mut tx).await?;
    let vault = cx.vault.open(&mut tx).await?;
    let row = name_key(cx, &mut tx, row.clone()).await?;
    let by = row.requested_by.clone();
    let asked = Asked::Key(row);
    let mut book = requests::open(cx, &mut tx, &[&asked]).await?;
    // Shown once more it is ruled on once more: the request on record must not answer in its stead.
    let earlier: Vec<_> = book.recorded.drain().map(|(_, recorded)| recorded.request_no).collect();
    let terms = cx.policies.import_entitlements.policy.requests();
    let number = intake::new_requests(&mut tx, 1).await?.first().copied().unwrap_or_default();
    let ruled = request::rule(&book, &asked, &arrival(cx), &terms, &cx.catalogue, number);
    let key_id = match &ruled.outcome {
        Outcome::Accepted { effects, .. } => effects.iter().find_map(|effect| match effect {
            Effect::Revealed { key_id, .. } => Some(*key_id),
            _ => None,
        }),
        _ => None,
    };
    let on = asked.requested_on();
    if let (Some(key_id), Some(request_no)) = (key_id, earlier.first()) {
        keys::append_reveal(&mut tx, key_id, on, &by, *request_no).await?;
    } else {
        let file_id = recorded_file(cx, &mut tx, &asked, key_id.is_some()).await?;
        let entry =
            RuledRequest { asked: &asked, ruled: &ruled, file_id, line: 2, received_on: cx.arrived_on };
        book::write(&mut tx, &book, &[entry]).await?;
    }
    let revealed = match (key_id, ruled.outcome) {
        (Some(key_id), _) => {
            let shown = keys::get(&mut tx, key_id).await?;
            let secret = vault.open(&shown.sealed, key_id, shown.entitlement_id)?;
            Ok(Revealed { key_ref: key_ref(key_id), secret, shown, on, again: !earlier.is_empty() })
        }
        (None, Outcome::Refused(problems) | Outcome::Conflicts(problems)) => Err(problems),
        (None, Outcome::RefusedBefore(problem)) => Err(vec![problem]),
        (None, _) => Err(vec![]),
    };
    tx.commit().await?;
    Ok(revealed)
}

/// What redeeming a key would come to.
#[derive(Debug)]
pub struct Preview {
    /// What the store calls the key.
    pub key_ref: String,
    /// What each way would come to.
    pub ways: subscription::RedemptionPreview,
}

/// Tells what redeeming a key would come to in each way, and changes nothing (D8).
///
/// # Errors
/// The store. Refusals are inside.
pub async fn preview(
    cx: &Context,
    conn: &mut PgConnection,
    row: &KeyRequestRow,
) -> Result<std::result::Result<Preview, Vec<Problem>>> {
    let mut tx = conn.begin().await?;
    let book = requests::open(cx, &mut tx, &[&Asked::Key(row.clone())]).await?;
    tx.rollback().await?;
    let terms = cx.policies.import_entitlements.policy.requests();
    let told = request::preview(&book, row, &arrival(cx), &terms, &cx.catalogue);
    Ok(told.map(|(key_id, ways)| Preview { key_ref: key_ref(key_id), ways }))
}

/// It comes today, by the operator's hand.
const fn arrival(cx: &Context) -> Arrival<'static> {
    Arrival { received_on: cx.arrived_on, accept_backdated: false, by_operator: true, partner: None }
}

/// The request with the name of the key that it is about, so that a later one on the same date is about the next.
async fn name_key(cx: &Context, conn: &mut PgConnection, mut row: KeyRequestRow) -> Result<KeyRequestRow> {
    if row.key_ref.is_none() {
        let asked = Asked::Key(row.clone());
        let book = requests::open(cx, conn, &[&asked]).await?;
        let order = book.orders.get(&row.order_id).map(|order| order.membership_id);
        let held = order.and_then(|order| book.benefit(order, row.benefit.as_str()));
        row.key_ref = held.and_then(|held| key_request::chosen(held, &row));
    }
    Ok(row)
}

/// What came by command is on record like a file of one row, which was never one.
async fn recorded_file(
    cx: &Context,
    conn: &mut PgConnection,
    asked: &Asked,
    accepted: bool,
) -> Result<FileNo> {
    let told = asked.told().to_string();
    let name = format!("keys {} (command)", asked.kind());
    let new = NewFile {
        sha256: &sha256(told.as_bytes()),
        name: &name,
        kind: Kind::KeyRequests.name(),
        dialect: &Dialect::default().to_string(),
        stated_dialect: "",
        sheet: None,
        complete: true,
        partner_id: None,
        header: &[],
        received_on: cx.arrived_on,
        accept_backdated: false,
        by_operator: true,
        accept_alike: false,
        all_or_nothing: false,
    };
    Ok(file::append_asked(conn, &new, accepted).await?)
}
