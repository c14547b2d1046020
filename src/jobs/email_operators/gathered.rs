//! What operators are told of a night: all that no mail told them yet.

use chrono::NaiveDate;
use sqlx::{Connection, PgConnection};

use crate::{
    answers::night_report::{self as view, NightAsked},
    domain::{
        calendar::{add_days, days_between},
        night_report::NightReport,
    },
    jobs::engine::{Context, Result},
    store::{
        self,
        night_report::{self, StoredReport, Within},
    },
};

/// The job's name.
pub(super) const NAME: &str = "email_operators";
/// For so many days what no report told is told by the next one.
const STILL_TOLD_DAYS: i64 = 7;

/// What operators are told of the context's night: as it was told, or as it would be now.
///
/// # Errors
/// The store's; a report that this version cannot read.
pub async fn report(cx: &Context, conn: &mut PgConnection) -> Result<NightReport> {
    match night_report::find(conn, cx.today).await? {
        Some(StoredReport::Known(report)) => Ok(*report),
        Some(StoredReport::Unknown(_)) => {
            let what = format!("what the night of {} came to: another version made its report", cx.today);
            Err(store::Error::Unknown { what }.into())
        }
        None => gather(cx, conn).await,
    }
}

/// All that no report told of, up to this night, as one moment saw it.
pub(super) async fn gather(cx: &Context, conn: &mut PgConnection) -> Result<NightReport> {
    let mut tx = conn.begin().await?;
    let within = nights(&mut tx, cx.today).await?;
    let asked = NightAsked {
        within,
        except: NAME,
        now: cx.now.get(),
        timetables: &cx.policies.timetables(),
        inbox: &cx.folders.inbox(),
        place: &cx.place,
    };
    let report = view::read(&mut tx, &asked).await?;
    tx.rollback().await?;
    Ok(report)
}

/// The nights that a report of `until` tells of.
async fn nights(conn: &mut PgConnection, until: NaiveDate) -> Result<Within> {
    let last = night_report::last_before(conn, until).await?;
    let untold = last.map(|last| add_days(last.day, 1));
    let lately = untold.filter(|first| days_between(*first, until) <= STILL_TOLD_DAYS);
    let passed_over = night_report::passed_over_since(conn, NAME, until).await?;
    let from = lately.into_iter().chain(passed_over).min().unwrap_or(until).min(until);
    Ok(Within { from, until, after: last.map(|last| last.made_at) })
}
