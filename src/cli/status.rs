//! `status`: whether all is well, and what waits.

mod watch;

use super::{exit::Exit, facts::facts, location::location, output::print_view};
use crate::{
    answers::status::{self, JobRunView, LATELY_DAYS, Status, WaitingView},
    domain::language::Language,
    settings::Settings,
    store::{Store, status::Requests},
};

pub(super) const EXAMPLE: &str = "\
Example, for a monitor:
  benefactor status --json || page-somebody";

pub(super) async fn run_status(settings: &Settings) -> anyhow::Result<Exit> {
    let (policies, ..) = facts(settings)?;
    let now = settings.still_clock().now();
    let store = Store::open_existing(&location(settings)?).await?;
    let told = match store.pool.acquire().await {
        Ok(mut conn) => status::read(&mut conn, &policies.timetables(), now, Language::English).await,
        Err(error) => Err(error.into()),
    };
    store.close().await;
    let told = told?;
    print_view(&told, settings.json, lines)?;
    Ok(if told.well { Exit::Done } else { Exit::Failed })
}

fn lines(told: &Status) -> Vec<String> {
    let mut lines = nights(told);
    lines.extend(watch::missed(told));
    for part in
        [watch::processes(&told.processes), jobs(&told.jobs), watch::queues(&told.queues, told.dead_letters)]
    {
        if !part.is_empty() {
            lines.push(String::new());
            lines.extend(part);
        }
    }
    if told.chunks.open > 0 {
        lines.push(format!(
            "{} open: `benefactor jobs list` says which",
            watch::counted(told.chunks.open, "chunk")
        ));
    }
    lines.extend(told.ticks_dropped.iter().map(|dropped| {
        format!(
            "dropped in the last {LATELY_DAYS} days: {} due times of {}, from {} to {}; more were missed than catch_up_cap",
            dropped.count, dropped.job, dropped.first_on, dropped.last_on
        )
    }));
    lines.push(String::new());
    lines.extend(waiting(&told.waiting));
    if !told.files_refused.is_empty() {
        lines.push(String::new());
        lines.push(format!("refused as a whole in the last {LATELY_DAYS} days"));
        lines.extend(told.files_refused.iter().map(|file| {
            let more = match file.count {
                1 => String::new(),
                count => format!(" ({count} times since {}; this is the latest)", file.since),
            };
            format!("  {}  {}: {}{more}", file.received_on, file.name, file.refusal)
        }));
    }
    lines
}

fn nights(told: &Status) -> Vec<String> {
    let last = match (told.last_complete_night, told.completed_at) {
        (Some(day), Some(at)) => {
            format!("last complete night: {day} (completed {})", at.format("%F %H:%M:%S UTC"))
        }
        _ => "no night is complete yet".to_owned(),
    };
    let (Some(first), Some(due)) = (told.first_missing_night, told.due_at) else {
        let none = if told.last_complete_night.is_none() { "none is due yet" } else { "on time" };
        return vec![last, none.to_owned()];
    };
    let behind = match told.missing_nights {
        1 => format!("the night of {first} is not complete"),
        missing => format!("{missing} nights are not complete, from {first} on"),
    };
    let when = if told.now < due { "is due" } else { "was due" };
    let late = told.now.signed_duration_since(due);
    let by = match (late.num_hours(), late.num_minutes()) {
        (hours, _) if hours >= 48 => format!(", {} days ago", late.num_days()),
        (hours, minutes) if minutes >= 0 => format!(", {hours} h {:02} min ago", minutes % 60),
        _ => String::new(),
    };
    let verdict = if told.overdue { "OVERDUE: " } else { "" };
    vec![last, format!("{verdict}{behind}; it {when} {}{by}", due.format("%F %H:%M UTC"))]
}

fn jobs(runs: &[JobRunView]) -> Vec<String> {
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

fn waiting(told: &WaitingView) -> Vec<String> {
    let mut lines = Vec::new();
    for grants in &told.grants {
        let since = grants.since.map_or_else(String::new, |day| format!(", the oldest since {day}"));
        lines.push(format!("  {} due{since}", watch::counted(grants.count, "grant")));
        lines.push(format!("    {}", grants.reason));
    }
    let mut add = |requests: Requests, what: &str| {
        if requests.count > 0 {
            let oldest = requests.oldest_on.map_or_else(String::new, |day| format!(" (the oldest of {day})"));
            lines.push(format!("  {}{oldest} for {what}", watch::counted(requests.count, "request")));
        }
    };
    let let_in = match told.requests_for_operator.count {
        1 => "the operator: `benefactor requests` names it, and says how to let it in or refuse it",
        _ => "the operator: `benefactor requests` names them, and says how to let them in or refuse them",
    };
    add(told.requests_for_operator, let_in);
    add(told.requests_for_night, "the next night");
    if told.rates_for_operator > 0 {
        lines.push(format!(
            "  {} for the operator: `benefactor requests` names them, and says how to admit them or take them back",
            watch::counted(told.rates_for_operator, "rate")
        ));
    }
    if !told.awaiting_entitlements.is_empty() {
        lines.push(format!(
            "  renewed orders awaiting their entitlements file: {}",
            told.awaiting_entitlements.join(", ")
        ));
    }
    if !told.files_unanswered.is_empty() {
        lines.push(format!("  files not answered in full: {}", told.files_unanswered.join(", ")));
    }
    lines.extend(
        told.mails.iter().map(|(status, count)| format!("  {} {status}", watch::counted(*count, "mail"))),
    );
    lines.extend(
        told.mails_paced
            .iter()
            .map(|paced| format!("  {} waiting {}", watch::counted(paced.count, "mail"), paced.wait)),
    );
    if told.notices_owed > 0 {
        lines.push(format!("  {} owed, for the next mail", watch::counted(told.notices_owed, "notice")));
    }
    if lines.is_empty() {
        return vec!["nothing waits".to_owned()];
    }
    lines.insert(0, "waiting".to_owned());
    lines
}
