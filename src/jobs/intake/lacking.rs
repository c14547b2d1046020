//! What a file does not have of what its partners hold.

use std::{
    collections::{BTreeMap, HashSet},
    hash::{DefaultHasher, Hash as _, Hasher as _},
};

use sqlx::PgConnection;

use super::spooled::SpooledRows;
use crate::{
    domain::{
        full_snapshot::CountedTotals,
        id::{EntitlementNo, OrderId, PartnerId, PartnerNo},
        kinds::cell::Content,
    },
    files::Refusal,
    jobs::engine::{Error, Result},
    store::partner_snapshot::{self, HeldEntitlement, OpenSnapshot},
};

/// Partners whose entitlements are read at once.
const PARTNERS_AT_ONCE: usize = 500;

/// What a file lacks of what its partners hold.
#[derive(Debug, Default)]
pub(super) struct Lacking {
    /// What it would end.
    pub missing: Vec<HeldEntitlement>,
    /// What they hold that has not ended.
    pub live: i64,
    /// Partners of whom it has no row at all, though they hold what is in question.
    pub empty: Vec<PartnerId>,
    /// What it lacks and a file that arrived after its date named.
    pub spared: i32,
}

impl Lacking {
    /// How many entitlements it would end.
    pub fn ends(&self) -> i64 {
        i64::try_from(self.missing.len()).unwrap_or(i64::MAX)
    }

    /// The first of them, in brackets.
    pub fn named(&self, at_most: usize) -> String {
        let named: Vec<String> = self
            .missing
            .iter()
            .take(at_most)
            .map(|held| format!("{}/{}", held.order_id, held.benefit))
            .collect();
        let more = if self.missing.len() > at_most { ", …" } else { "" };
        if named.is_empty() { String::new() } else { format!(" ({}{more})", named.join(", ")) }
    }
}

/// What the rows of a file name, and what they come to. Order and benefit of a row are kept as a hash of 64 bits: should two be
/// alike, which nobody will see, one entitlement more goes on.
#[derive(Debug, Default)]
pub(super) struct NamedInFile {
    rows: HashSet<u64>,
    /// The partners, and the line on which each is named first.
    pub partners: BTreeMap<PartnerId, u64>,
    /// What it comes to.
    pub counted: CountedTotals,
}

impl NamedInFile {
    fn key(order_id: &OrderId, benefit: &str) -> u64 {
        let mut hasher = DefaultHasher::new();
        (order_id, benefit).hash(&mut hasher);
        hasher.finish()
    }

    fn has(&self, held: &HeldEntitlement) -> bool {
        self.rows.contains(&Self::key(&held.order_id, &held.benefit))
    }

    /// Reads a spooled file to its end.
    fn read(rows: &SpooledRows) -> std::result::Result<Self, Refusal> {
        let mut named = Self::default();
        rows.each(|_, record| {
            named.counted.rows += 1;
            if rows.stage.is_example(record) {
                return true;
            }
            let cells = rows.stage.cells(record);
            named.counted.add(&cells);
            if let (Content::Text(order), Content::Text(benefit)) =
                (cells.get("order_id"), cells.get("benefit"))
            {
                named.rows.insert(Self::key(&order.into(), benefit));
            }
            if let Content::Text(partner) = cells.get("partner_id")
                && !named.partners.contains_key(partner)
            {
                named.partners.insert(partner.into(), record.line());
            }
            true
        })?;
        Ok(named)
    }

    /// The same, where nothing else waits for it.
    pub async fn of(rows: SpooledRows) -> Result<std::result::Result<Self, Refusal>> {
        let path = rows.path.clone();
        let read = tokio::task::spawn_blocking(move || Self::read(&rows));
        read.await.map_err(|error| Error::file(&path)(std::io::Error::other(error)))
    }
}

/// What partners hold and a file does not have. What a file of `later` names is confirmed since.
pub(super) async fn lacking(
    conn: &mut PgConnection,
    partners: &[(PartnerNo, PartnerId)],
    open: &OpenSnapshot,
    named: &NamedInFile,
    later: &[NamedInFile],
) -> Result<Lacking> {
    let mut lacking = Lacking::default();
    let confirmed = |held: &HeldEntitlement| later.iter().any(|file| file.has(held));
    for some in partners.chunks(PARTNERS_AT_ONCE) {
        let ids: Vec<PartnerNo> = some.iter().map(|(id, _)| *id).collect();
        let held = partner_snapshot::held(conn, &ids, open.as_of, open.ends_on).await?;
        lacking.live = lacking.live.saturating_add(i64::try_from(held.len()).unwrap_or(i64::MAX));
        let missing: Vec<HeldEntitlement> =
            held.into_iter().filter(|held| held.in_question && !named.has(held)).collect();
        if missing.is_empty() {
            continue;
        }
        let ids: Vec<EntitlementNo> = missing.iter().map(|held| held.entitlement_id).collect();
        let since = partner_snapshot::stated_since(conn, &ids, open.as_of).await?;
        let (spared, missing): (Vec<_>, Vec<_>) =
            missing.into_iter().partition(|held| since.contains(&held.entitlement_id) || confirmed(held));
        lacking.spared = lacking.spared.saturating_add(i32::try_from(spared.len()).unwrap_or(i32::MAX));
        let without: HashSet<PartnerNo> = missing.iter().map(|held| held.partner_id).collect();
        let empty =
            some.iter().filter(|(id, number)| without.contains(id) && !named.partners.contains_key(number));
        lacking.empty.extend(empty.map(|(_, number)| number.clone()));
        lacking.missing.extend(missing);
    }
    Ok(lacking)
}
