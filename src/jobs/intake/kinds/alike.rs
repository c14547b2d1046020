//! New identifiers that are like known ones are asked about, whether the known one is stored or stands before it in the
//! same span.

use std::collections::{BTreeSet, HashMap};

use sqlx::PgConnection;

use crate::{
    domain::{id::PartnerNo, kinds::traces},
    jobs::engine::Result,
    store::alike,
};

/// What is known that new orders are like.
#[derive(Debug, Default)]
pub struct Alike {
    /// By those that are new here.
    stored: HashMap<(PartnerNo, String), String>,
    /// New ones of this span that are in, by what they have in common with others.
    entered: HashMap<(PartnerNo, String), String>,
    /// It is not asked.
    accepts: bool,
}

impl Alike {
    /// Reads what these new orders are like, unless the operator `accepts` them.
    pub async fn orders(
        conn: &mut PgConnection,
        fresh: BTreeSet<(PartnerNo, &String)>,
        accepts: bool,
    ) -> Result<Self> {
        if accepts || fresh.is_empty() {
            return Ok(Self { accepts, ..Self::default() });
        }
        let fresh: Vec<(PartnerNo, String)> =
            fresh.into_iter().map(|(partner_id, order_id)| (partner_id, order_id.clone())).collect();
        Ok(Self { stored: alike::orders(conn, &fresh).await?, ..Self::default() })
    }

    /// The known order that a new one is like.
    pub fn known(&self, partner_id: PartnerNo, order_id: &str) -> Option<String> {
        if self.accepts {
            return None;
        }
        let stored = self.stored.get(&(partner_id, order_id.to_owned()));
        stored.or_else(|| self.entered.get(&(partner_id, traces::alike(order_id)))).cloned()
    }

    /// A new order is in.
    pub fn enter(&mut self, partner_id: PartnerNo, order_id: &str) {
        self.entered.insert((partner_id, traces::alike(order_id)), order_id.to_owned());
    }
}
