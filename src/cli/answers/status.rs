//! `status`: is it well, and what waits.

mod watch;

use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Value, json};
use sqlx::PgConnection;

use super::super::{Exit, facts::facts, location, print};
use crate::{
    domain::{calendar::sub_days, language::Language, lateness::Lateness, policy::Policies},
    jobs::REGISTRY,
    settings::Settings,
    store::{
        self, Store,
        status::{self, Figures, JobRun, RefusedFile, Requests, WaitingGrants},
    },
};

pub(crate) const EXAMPLE: &str = "\
Example, for a monitor:
  benefactor status --json || page-somebody";

/// Files that are named one by one at most, and how long a refused one is.
const NAMED: i64 = 10;
const LATELY_DAYS: u32 = 7;

/// Everything that is told.
struct Told {
    figures: Figures,
    runs: Vec<JobRun>,
    chunks: (i64, i64),
    grants: Vec<WaitingGrants>,
    waiting: Requests,
    pending: Requests,
    unanswered: Vec<String>,
    awaiting: Vec<String>,
    refused: Vec<RefusedFile>,
}

pub(crate) async fn run_status(settings: &Settings) -> anyhow::Result<Exit> {
    let (policies, ..) = facts(settings)?;
    let now = settings.still_clock().now();
    let store = Store::open(&location(settings)?).await?;
    let told = match store.pool.acquire().await {
        Ok(mut conn) => ask(&mut conn, &policies, now).await,
        Err(error) => Err(error.into()),
    };
    store.close().await;
    let told = told?;
    if settings.json {
        print(&in_json(&told).to_string())?;
    } else {
        for line in lines(&told) {
            print(&line)?;
        }
    }
    Ok(if told.figures.is_well() { Exit::Done } else { Exit::Failed })
}

async fn ask(conn: &mut PgConnection, policies: &Policies, now: DateTime<Utc>) -> store::Result<Told> {
    let mut figures = status::figures(conn, policies, now).await?;
    let place = |name: &str| REGISTRY.iter().position(|job| job.name == name);
    figures.queues.sort_by_key(|queue| place(&queue.job));
    let mut runs = status::last_runs(conn).await?;
    runs.sort_by_key(|run| place(&run.job));
    let (waiting, pending) = status::open_requests(conn).await?;
    Ok(Told {
        figures,
        runs,
        chunks: status::chunks(conn).await?,
        grants: status::waiting_grants(conn).await?,
        waiting,
        pending,
        unanswered: status::unanswered_files(conn, NAMED).await?,
        awaiting: status::awaiting_entitlements(conn, NAMED).await?,
        refused: status::refused_files(conn, sub_days(now.date_naive(), LATELY_DAYS), NAMED).await?,
    })
}

fn lines(told: &Told) -> Vec<String> {
    let mut lines = nights(&told.figures);
    lines.extend(watch::missed(&told.figures));
    for part in [watch::processes(&told.figures), jobs(&told.runs), watch::queues(&told.figures)] {
        if !part.is_empty() {
            lines.push(String::new());
            lines.extend(part);
        }
    }
    if told.chunks.0 > 0 {
        lines.push(format!("{} open: `benefactor jobs list` says which", counted(told.chunks.0, "chunk")));
    }
    lines.extend(told.figures.dropped.iter().map(|dropped| {
        format!(
            "dropped in the last {LATELY_DAYS} days: {} due times of {}, from {} to {}; more were missed than catch_up_cap",
            dropped.count, dropped.job, dropped.first_on, dropped.last_on
        )
    }));
    lines.push(String::new());
    lines.extend(waiting(told));
    if !told.refused.is_empty() {
        lines.push(String::new());
        lines.push(format!("refused as a whole in the last {LATELY_DAYS} days"));
        lines.extend(
            told.refused
                .iter()
                .map(|file| format!("  {}  {}: {}", file.received_on, file.name, file.refusal)),
        );
    }
    lines
}

fn nights(told: &Figures) -> Vec<String> {
    let last = match told.last_night {
        None => "no night is complete yet".to_owned(),
        Some((day, at)) => format!("last complete night: {day} (completed {})", at.format("%F %H:%M:%S UTC")),
    };
    let Lateness { first_missing, missing, due_at, overdue } = told.lateness;
    let (Some(first), Some(due)) = (first_missing, due_at) else {
        let none = if told.last_night.is_none() { "none is due yet" } else { "on time" };
        return vec![last, none.to_owned()];
    };
    let behind = match missing {
        1 => format!("the night of {first} is not complete"),
        _ => format!("{missing} nights are not complete, from {first} on"),
    };
    let when = if told.now < due { "is due" } else { "was due" };
    let late = told.now.signed_duration_since(due);
    let by = match (late.num_hours(), late.num_minutes()) {
        (hours, _) if hours >= 48 => format!(", {} days ago", late.num_days()),
        (hours, minutes) if minutes >= 0 => format!(", {hours} h {:02} min ago", minutes % 60),
        _ => String::new(),
    };
    let verdict = if overdue { "OVERDUE: " } else { "" };
    vec![last, format!("{verdict}{behind}; it {when} {}{by}", due.format("%F %H:%M UTC"))]
}

fn jobs(runs: &[JobRun]) -> Vec<String> {
    if runs.is_empty() {
        return vec!["no job has run yet".to_owned()];
    }
    let mut lines = vec![format!(
        "{:<20}  {:<10}  {:<10}  {:>5}  {:>9}  {:>9}  {:>7}  {:>9}",
        "job", "night of", "status", "begun", "done", "refused", "failed", "worked"
    )];
    lines.extend(runs.iter().map(|run| {
        format!(
            "{:<20}  {:<10}  {:<10}  {:>5}  {:>9}  {:>9}  {:>7}  {:>9}",
            run.job,
            run.due_on.to_string(),
            run.status,
            run.attempts,
            run.done,
            run.refused,
            run.failed,
            seconds(run.worked_ms)
        )
    }));
    lines
}

/// `0.03 s`.
fn seconds(ms: i64) -> String {
    format!("{}.{:02} s", ms / 1000, ms % 1000 / 10)
}

fn waiting(told: &Told) -> Vec<String> {
    let mut lines = Vec::new();
    for grants in &told.grants {
        let since = grants.since.map_or_else(String::new, |day| format!(", the oldest since {day}"));
        lines.push(format!("  {} due{since}", counted(grants.count, "grant")));
        lines.push(format!("    {}", grants.reason.sentence(Language::English)));
    }
    let mut add = |requests: Requests, what: &str| {
        if requests.count > 0 {
            let oldest = requests.oldest_on.map_or_else(String::new, |day| format!(" (the oldest of {day})"));
            lines.push(format!("  {}{oldest} for {what}", counted(requests.count, "request")));
        }
    };
    let let_in = match told.waiting.count {
        1 => "the operator: to let it in, import its file again with --accept-backdated",
        _ => "the operator: to let them in, import their files again with --accept-backdated",
    };
    add(told.waiting, let_in);
    add(told.pending, "the next night");
    if !told.awaiting.is_empty() {
        lines
            .push(format!("  renewed orders awaiting their entitlements file: {}", told.awaiting.join(", ")));
    }
    if !told.unanswered.is_empty() {
        lines.push(format!("  files not answered in full: {}", told.unanswered.join(", ")));
    }
    lines.extend(
        told.figures.mails.iter().map(|(status, count)| format!("  {} {status}", counted(*count, "mail"))),
    );
    if told.figures.notices_owed > 0 {
        lines.push(format!("  {} owed, for the next mail", counted(told.figures.notices_owed, "notice")));
    }
    if lines.is_empty() {
        return vec!["nothing waits".to_owned()];
    }
    lines.insert(0, "waiting".to_owned());
    lines
}

fn counted(count: i64, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

fn in_json(told: &Told) -> Value {
    let instant = |at: DateTime<Utc>| at.to_rfc3339_opts(SecondsFormat::Secs, true);
    let runs: Vec<Value> = told
        .runs
        .iter()
        .map(|run| {
            json!({
                "job": run.job, "due_on": run.due_on, "status": run.status, "attempts": run.attempts,
                "finished_at": run.finished_at.map(instant), "worked_ms": run.worked_ms, "done": run.done,
                "refused": run.refused, "failed": run.failed,
            })
        })
        .collect();
    let grants: Vec<Value> = told
        .grants
        .iter()
        .map(|grants| {
            json!({
                "reason_code": grants.reason.code(), "reason": grants.reason.sentence(Language::English),
                "count": grants.count, "since": grants.since,
            })
        })
        .collect();
    let requests = |requests: Requests| json!({ "count": requests.count, "oldest_on": requests.oldest_on });
    let mails: serde_json::Map<String, Value> =
        told.figures.mails.iter().map(|(status, count)| (status.clone(), json!(count))).collect();
    let refused: Vec<Value> = told
        .refused
        .iter()
        .map(|file| json!({ "name": file.name, "received_on": file.received_on, "refusal": file.refusal }))
        .collect();
    let dropped: Vec<Value> = told
        .figures
        .dropped
        .iter()
        .map(|dropped| {
            json!({
                "job": dropped.job, "count": dropped.count, "first_on": dropped.first_on, "last_on": dropped.last_on,
            })
        })
        .collect();
    json!({
        "now": instant(told.figures.now),
        "last_complete_night": told.figures.last_night.map(|(day, _)| day),
        "completed_at": told.figures.last_night.map(|(_, at)| instant(at)),
        "overdue": told.figures.lateness.overdue,
        "missing_nights": told.figures.lateness.missing,
        "first_missing_night": told.figures.lateness.first_missing,
        "due_at": told.figures.lateness.due_at.map(instant),
        "late_seconds": told.figures.late_seconds(),
        "well": told.figures.is_well(),
        "missed_process": told.figures.missed().map(|process| &process.name),
        "processes": watch::processes_in_json(&told.figures.processes),
        "jobs": runs,
        "queues": watch::queues_in_json(&told.figures.queues),
        "dead_letters": told.figures.dead_letters(),
        "chunks": { "open": told.chunks.0, "failed": told.chunks.1 },
        "waiting": {
            "grants": grants,
            "requests_for_operator": requests(told.waiting),
            "requests_for_night": requests(told.pending),
            "files_unanswered": told.unanswered,
            "awaiting_entitlements": told.awaiting,
            "mails": mails,
            "notices_owed": told.figures.notices_owed,
        },
        "files_refused": refused,
        "ticks_dropped": dropped,
    })
}
