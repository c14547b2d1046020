//! What a night came to and left behind, on one page: what its mail tells the operator, and whoever asks.

use chrono::NaiveDate;
use sqlx::PgConnection;

use super::{
    files::{self, FileStatus, FileView, WhichFiles},
    status::LATELY_DAYS,
};
use crate::{
    domain::{
        calendar::{add_days, days_between, sub_days},
        night_report::{
            AtStake, Capped, DroppedNights, FailedWork, FileCame, FileIgnored, FilesCame, GrantsDue, JobDone,
            LateNights, MailsCame, NightAsked, NightReport, PausedDomain, UnreachedPartner, WaitingRequest,
        },
    },
    store::{
        self, bounce,
        mail::pace,
        night_report, status,
        waiting::{self, HeldRequest},
        work::{self, State},
    },
};

/// Of how many days after a night it is told what lapses in them.
pub const STAKE_DAYS: [u32; 2] = [7, 60];
/// Things of a kind that are named one by one at most.
const NAMED: usize = 10;
/// Reasons that are told one by one at most.
const REASONS: usize = 12;
/// Rows and requests that are named of each reason.
const PLACES: i64 = 3;
/// Characters of an error that are told.
const SAID: usize = 200;

/// Gathers what the nights came to, and how things stand now. Reads what is open, what is recent and what these nights did, along
/// indexes; only of unspent credit it reads all, as the night does.
///
/// # Errors
/// The store's.
pub async fn read(conn: &mut PgConnection, asked: &NightAsked<'_>) -> store::Result<NightReport> {
    let within = asked.within;
    let lately = sub_days(within.until, LATELY_DAYS);
    let (rejected, rejected_rows) = night_report::rejected(conn, within, (REASONS, PLACES)).await?;
    let (_, for_night) = status::open_requests(conn).await?;
    let unreached = bounce::unreached(conn, None).await?.into_iter();
    let guarded = waiting::guarded_files(conn, lately).await?.into_iter();
    let alike = waiting::alike_rows(conn, lately, lines(NAMED)).await?;
    let grants = status::waiting_grants(conn).await?.into_iter();
    Ok(NightReport {
        from: within.from,
        until: within.until,
        stopped: None,
        jobs: jobs(conn, asked).await?,
        booked: night_report::booked(conn, within).await?,
        rejected,
        rejected_rows,
        refused: night_report::refused(conn, within, (REASONS, PLACES)).await?,
        files: files_came(conn, asked).await?,
        requests: requests(conn).await?,
        rates: status::held_rates(conn).await?,
        guarded: Capped::of(guarded.map(|file| file.name), NAMED),
        alike: i64::try_from(alike.len()).unwrap_or(i64::MAX),
        requests_for_night: for_night.count,
        grants: grants
            .map(|of| GrantsDue { reason: of.reason.0, count: of.count, since: of.since })
            .collect(),
        awaiting_entitlements: status::awaiting_entitlements(conn, lines(NAMED)).await?,
        without_contact: night_report::without_contact(conn, NAMED).await?,
        at_stake: at_stake(conn, within.until).await?,
        failed: failed(conn).await?,
        mails: mails(conn, lately).await?,
        unreached: Capped::of(
            unreached.map(|of| UnreachedPartner {
                partner_id: of.partner_id,
                is_contact: of.is_contact,
                since: of.since,
            }),
            NAMED,
        ),
        late: late(conn, asked).await?,
    })
}

fn lines(at_most: usize) -> i64 {
    i64::try_from(at_most).unwrap_or(i64::MAX)
}

/// In the order of a night; a job that there is no more comes last.
async fn jobs(conn: &mut PgConnection, asked: &NightAsked<'_>) -> store::Result<Vec<JobDone>> {
    let mut jobs = night_report::jobs_done(conn, asked.within, asked.except).await?;
    let place = |job: &str| asked.timetables.iter().position(|(name, _)| *name == job);
    jobs.sort_by_key(|done| place(&done.job).unwrap_or(usize::MAX));
    Ok(jobs)
}

async fn files_came(conn: &mut PgConnection, asked: &NightAsked<'_>) -> store::Result<FilesCame> {
    let which = WhichFiles { name: None, refused: false, within: Some(asked.within), limit: i64::MAX };
    let dropped = files::read(conn, asked.inbox, asked.place, which).await?;
    let mut came = FilesCame::default();
    let (lying, on_record): (Vec<_>, Vec<_>) =
        dropped.files.into_iter().partition(|file| file.received_at.is_none());
    for file in &on_record {
        match file.status {
            FileStatus::Applied => came.applied += 1,
            FileStatus::Partly => came.partly += 1,
            FileStatus::Refused => came.refused += 1,
            FileStatus::Waiting => came.waiting += 1,
            FileStatus::Ignored => {}
        }
    }
    let mut listed: Vec<&FileView> =
        on_record.iter().filter(|file| file.status != FileStatus::Applied).collect();
    listed.sort_by_key(|file| {
        (file.status == FileStatus::Waiting, file.status == FileStatus::Partly, file.received_at)
    });
    came.listed = Capped::of(listed.into_iter().map(file_came), NAMED);
    let ignored = lying.into_iter().filter(|file| file.status == FileStatus::Ignored);
    let ignored =
        ignored.map(|file| FileIgnored { name: file.name, reason: file.reason.unwrap_or_default() });
    came.ignored = Capped::of(ignored, NAMED);
    Ok(came)
}

fn file_came(file: &FileView) -> FileCame {
    FileCame {
        name: file.name.clone(),
        status: file.status.name().to_owned(),
        partner_id: file.partner_id.clone(),
        taken: i64::from(file.applied).saturating_add(file.unchanged.into()),
        rejected: file.rejected.into(),
        waiting: file.waiting.into(),
        answer: file.answer.clone(),
        reason: file.reason.clone(),
    }
}

/// By number, which is the order in which they came.
async fn requests(conn: &mut PgConnection) -> store::Result<Capped<WaitingRequest>> {
    let mut numbers = waiting::requests(conn, None).await?;
    let total = lines(numbers.len());
    numbers.sort_unstable();
    numbers.truncate(NAMED);
    let mut first: Vec<WaitingRequest> =
        waiting::load(conn, &numbers).await?.into_iter().map(request).collect();
    first.sort_by_key(|request| (request.since, request.id));
    Ok(Capped { total, first })
}

fn request(held: HeldRequest) -> WaitingRequest {
    WaitingRequest {
        id: held.request_no.get(),
        partner_id: held.partner,
        order_id: held.order_id,
        benefit: held.benefit,
        action: held.kind,
        since: held.received_on,
    }
}

async fn at_stake(conn: &mut PgConnection, day: NaiveDate) -> store::Result<Vec<AtStake>> {
    let days = STAKE_DAYS.map(|days| i32::try_from(days).unwrap_or(i32::MAX));
    let mut sums = night_report::stakes(conn, day, &days, lines(NAMED)).await?;
    let of = |days: u32| {
        let of_days = sums.remove(&i32::try_from(days).unwrap_or(i32::MAX));
        AtStake { days, until: add_days(day, days), sums: of_days.unwrap_or_default() }
    };
    Ok(STAKE_DAYS.map(of).into())
}

async fn failed(conn: &mut PgConnection) -> store::Result<Capped<FailedWork>> {
    let (listed, total) = work::list(conn, &[State::Dead], None, lines(NAMED)).await?;
    let first = listed.into_iter().map(|dead| FailedWork {
        id: dead.id.to_string(),
        job: dead.job,
        due_on: dead.due_on,
        said: dead.error.unwrap_or_default().chars().take(SAID).collect(),
    });
    Ok(Capped { total, first: first.collect() })
}

async fn mails(conn: &mut PgConnection, lately: NaiveDate) -> store::Result<MailsCame> {
    let waits = pace::waits(conn, lines(NAMED)).await?.into_iter().filter(|(wait, _)| wait.paused);
    let paused = waits.filter_map(|(wait, mails)| Some(PausedDomain { domain: wait.domain?, mails }));
    Ok(MailsCame { paused: paused.collect(), ..night_report::mails(conn, lately).await? })
}

async fn late(conn: &mut PgConnection, asked: &NightAsked<'_>) -> store::Result<LateNights> {
    let figures = status::figures(conn, asked.timetables, asked.now).await?;
    let (until, today) = (asked.within.until, asked.now.date_naive());
    let first_missing = figures.lateness.first_missing;
    let after = |first: NaiveDate| days_between(first.max(add_days(until, 1)), today).max(0);
    let dropped = figures.dropped.into_iter().filter(|of| of.job != asked.except);
    let dropped = dropped.map(|of| DroppedNights {
        job: of.job,
        count: of.count,
        first_on: of.first_on,
        last_on: of.last_on,
    });
    Ok(LateNights {
        overdue: figures.lateness.overdue && first_missing.is_some_and(|first| first <= until),
        missing: first_missing.map_or(0, after),
        dropped: dropped.collect(),
        unanswered: status::unanswered_files(conn, lines(NAMED)).await?,
    })
}
