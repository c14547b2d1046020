//! Go-To-Market offers: instructions once they are activated, live some days later; and where no contact is named who
//! could be told, word of that (R8, D10). What is owed follows from facts, never from the arrival of a file.

use chrono::NaiveDate;
use sqlx::PgConnection;

use crate::{
    domain::notice::{ContactNeeded, Notice, OfferInstructions, OfferLive},
    jobs::engine::{Context, Result},
    store::{
        notice::{NoticeSubject, Owed},
        reminder::{self, Near},
        run::Chunk,
    },
};

/// Makes the offers of a span of partners live whose day has come, and adds what is owed of all of them. Says how many
/// are live now.
pub async fn work(
    cx: &Context,
    conn: &mut PgConnection,
    chunk: &Chunk,
    owed: &mut Vec<Owed>,
) -> Result<usize> {
    let mut live = Vec::new();
    for (near, offer) in reminder::activated_offers(conn, chunk.span, cx.today).await? {
        let (live_on, last_usable_on) = (offer.live_on, offer.last_usable_on);
        let named = || (near.order_id.clone(), near.name.clone());
        if offer.is_told() {
            let (order_id, benefit) = named();
            let notice = OfferInstructions { order_id, benefit, live_on, last_usable_on };
            owed.push(owe(&near, offer.activated_on, notice));
        }
        if offer.is_live(cx.today) {
            live.push(near.entitlement_id);
        }
        if offer.is_live(cx.today) && offer.is_told() {
            let (order_id, benefit) = named();
            let notice = OfferLive { order_id, benefit, live_on, last_usable_on };
            owed.push(owe(&near, live_on, notice));
        }
    }
    reminder::mark_live(conn, &live).await?;
    for waiting in reminder::waiting_offers(conn, chunk.span, cx.today).await? {
        let near = waiting.offer;
        let (order_id, benefit) = (near.order_id.clone(), near.name.clone());
        let notice = ContactNeeded { order_id, benefit, last_usable_on: near.on };
        owed.push(owe(&near, waiting.since, notice));
    }
    Ok(live.len())
}

/// Of an offer, true through its last usable day.
fn owe(offer: &Near, anchor_on: NaiveDate, notice: impl Into<Notice>) -> Owed {
    Owed {
        partner_id: offer.partner_id,
        subject: NoticeSubject::Entitlement(offer.entitlement_id),
        anchor_on,
        true_until: Some(offer.on),
        notice: notice.into(),
    }
}
