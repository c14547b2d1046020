//! The guard of promise 6: a file that would end much waits until an operator says yes.

use sqlx::PgConnection;

use super::{dropped::Dropped, lacking::Lacking};
use crate::{
    domain::{
        id::{FileNo, PartnerId},
        kinds::Kind,
        request::OPERATOR,
    },
    files::{file_reason::FileReason, profile::Profile},
    jobs::engine::{Context, Result},
    store::{file, partner_snapshot, work::By},
};

/// So many of what it would end are named.
const NAMED: usize = 3;

/// Whether so many ends, of so many live entitlements, are more than the policy lets pass.
pub(super) fn is_too_much(cx: &Context, ends: i64, live: i64) -> bool {
    let policy = cx.policies.import_entitlements.policy;
    let (percent, at_least) = (i64::from(policy.guard_ends_percent), i64::from(policy.guard_ends_at_least));
    ends > at_least && ends.saturating_mul(100) > live.saturating_mul(percent)
}

/// Why the operator is to look at a file first, if so: the ends it causes are more than the policy lets pass, or it says of a
/// partner that it holds nothing. What the operator lets pass is on record.
pub(super) async fn guard(
    cx: &Context,
    conn: &mut PgConnection,
    dropped: &Dropped,
    (file_id, profile): (FileNo, &Profile),
    lacking: Option<&Lacking>,
) -> Result<Option<FileReason>> {
    if profile.kind != Kind::Entitlements {
        return Ok(None);
    }
    let places = ["partner_id", "order_id", "benefit", "expires_on"]
        .map(|name| profile.place(name).and_then(|place| i32::try_from(place + 1).ok()).unwrap_or(1));
    let (shortened, live) = file::ends_caused(conn, file_id, places, cx.arrived_on).await?;
    let (lacked, live) = lacking.map_or((0, live), |lacking| (lacking.ends(), lacking.live));
    let ends = shortened.saturating_add(lacked);
    let mut would: Vec<[String; 2]> = Vec::new();
    if let Some(lacking) = lacking.filter(|lacking| !lacking.empty.is_empty()) {
        let named: Vec<&str> = lacking.empty.iter().take(NAMED).map(PartnerId::as_str).collect();
        let (count, more) = (lacking.empty.len(), if lacking.empty.len() > NAMED { ", …" } else { "" });
        let named = named.join(", ");
        would.push([
            format!("it says that partners hold nothing ({count}: {named}{more})"),
            format!("den säger att partner inte har något ({count}: {named}{more})"),
        ]);
    }
    if is_too_much(cx, ends, live) || !would.is_empty() {
        let [how, hur] = match (shortened, lacked) {
            (_, 0) => {
                ["by giving them a last day that is over", "genom att ge dem en sista dag som har passerat"]
            }
            (0, _) => ["because it does not have them", "eftersom de saknas i den"],
            _ => [
                "because it does not have them, or by giving them a last day that is over",
                "eftersom de saknas i den, eller genom att ge dem en sista dag som har passerat",
            ],
        };
        let some = lacking.map_or_else(String::new, |lacking| lacking.named(NAMED));
        would.push([
            format!("it would end {ends} of {live} live entitlements {how}{some}"),
            format!("den skulle avsluta {ends} av {live} gällande förmåner {hur}{some}"),
        ]);
    }
    if would.is_empty() {
        return Ok(None);
    }
    let [would, skulle] =
        [0, 1].map(|of| would.iter().filter_map(|one| one.get(of)).cloned().collect::<Vec<_>>().join("; "));
    if dropped.accept_ends {
        let by = if dropped.accepted_by.is_empty() { OPERATOR } else { &dropped.accepted_by };
        let by = By { by, why: &dropped.accepted_why };
        partner_snapshot::record_accepted(conn, file_id, &would, cx.arrived_on, by).await?;
        return Ok(None);
    }
    Ok(Some(FileReason::new(
        "ends_held",
        format!("{would}; look at it, and if that is right import it with --accept-ends"),
        format!("{skulle}; kontrollera filen, och om det stämmer läser operatören in den med --accept-ends"),
    )))
}
