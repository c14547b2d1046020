//! New identifiers that are like known ones are asked about, whether the known one is stored or stands before it in the
//! same span.

use std::collections::{BTreeSet, HashMap};

use sqlx::PgConnection;

use crate::{
    domain::{
        id::{OrderId, PartnerNo},
        kinds::traces,
    },
    jobs::engine::Result,
    store::alike,
};

/// What is known that new orders are like.
#[derive(Debug, Default)]
pub struct Alike {
    /// By those that are new here.
    stored: HashMap<(PartnerNo, OrderId), OrderId>,
    /// New ones of this span that are in, by what they have in common with others.
    entered: HashMap<(PartnerNo, String), OrderId>,
    /// It is not asked.
    accepts: bool,
}

impl Alike {
    /// Reads what these new orders are like, unless the operator `accepts` them.
    pub async fn orders(
        conn: &mut PgConnection,
        fresh: BTreeSet<(PartnerNo, &OrderId)>,
        accepts: bool,
    ) -> Result<Self> {
        if accepts || fresh.is_empty() {
            return Ok(Self { accepts, ..Self::default() });
        }
        let fresh: Vec<(PartnerNo, OrderId)> =
            fresh.into_iter().map(|(partner_id, order_id)| (partner_id, order_id.clone())).collect();
        Ok(Self { stored: alike::orders(conn, &fresh).await?, ..Self::default() })
    }

    /// The known order that a new one is like.
    pub fn known(&self, partner_id: PartnerNo, order_id: &OrderId) -> Option<String> {
        if self.accepts {
            return None;
        }
        let stored = self.stored.get(&(partner_id, order_id.clone()));
        stored
            .or_else(|| self.entered.get(&(partner_id, traces::alike(order_id.as_str()))))
            .map(OrderId::to_string)
    }

    /// A new order is in.
    pub fn enter(&mut self, partner_id: PartnerNo, order_id: &OrderId) {
        self.entered.insert((partner_id, traces::alike(order_id.as_str())), order_id.clone());
    }
}
