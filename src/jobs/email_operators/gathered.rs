//! What operators are told of a night: all that no mail told them yet.

use chrono::NaiveDate;
use sqlx::{Connection, PgConnection};

use super::policy::OperatorRecipient;
use crate::{
    domain::{
        calendar::{add_days, days_between},
        night_report::{NightAsked, NightReport, Within},
    },
    jobs::engine::{Context, Result},
    mail::operator_message_id,
    store::{
        self,
        night_report::{self, ReportMail, StoredReport},
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
    let report = cx.gather.gather(&mut tx, &asked).await?;
    tx.rollback().await?;
    Ok(report)
}

/// The nights that a report of `until` tells of.
async fn nights(conn: &mut PgConnection, until: NaiveDate) -> Result<Within> {
    let last = night_report::last_before(conn, until).await?;
    let untold = last.map(|last| if last.has_stopped { last.day } else { add_days(last.day, 1) });
    let lately = untold.filter(|first| days_between(*first, until) <= STILL_TOLD_DAYS);
    let passed_over = night_report::passed_over_since(conn, NAME, until).await?;
    let from = lately.into_iter().chain(passed_over).min().unwrap_or(until).min(until);
    Ok(Within { from, until, after: last.map(|last| last.made_at) })
}

/// The mails that tell a report; none, if nothing is wrong and nobody wants to hear that.
pub(super) fn mails(cx: &Context, report: &NightReport) -> Vec<ReportMail> {
    let policy = &cx.policies.email_operators.policy;
    if report.is_well() && !policy.when_nothing_is_wrong {
        return Vec::new();
    }
    let domain = cx.policies.email_contacts.policy.domain();
    let mail = |to: &OperatorRecipient| {
        let recipient = to.on_the_wire();
        let message_id = operator_message_id(&recipient, report.until, domain);
        ReportMail { message_id, recipient, language: to.language.clone() }
    };
    policy.recipients.iter().map(mail).collect()
}
