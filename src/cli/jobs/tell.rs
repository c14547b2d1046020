//! What `jobs` says: a table of many, everything of one, and what became of those that something was done to.

use std::fmt::Write as _;

use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Value, json};

use crate::{
    domain::id::PartnerId,
    jobs::Stage,
    store::work::{ChunkChange, DueRow, Listed, ListedChunk, OperatorAction, Rows, State, Try},
};

/// Characters of an error in a list.
const CUT: usize = 80;

/// Everything of one job.
pub(super) struct ShownChunk {
    pub(super) work: ListedChunk,
    pub(super) stage: Stage,
    /// The first of those still due.
    pub(super) rows: Vec<DueRow>,
    pub(super) rows_in_all: i64,
    pub(super) tries: Vec<Try>,
    pub(super) actions: Vec<OperatorAction>,
}

fn at(instant: DateTime<Utc>) -> String {
    instant.format("%F %H:%M:%S").to_string()
}

fn rfc(instant: DateTime<Utc>) -> String {
    instant.to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// `0.03 s`.
fn seconds(ms: i64) -> String {
    format!("{}.{:02} s", ms / 1000, ms % 1000 / 10)
}

fn tries(count: i32) -> String {
    format!("{count} {}", if count == 1 { "try" } else { "tries" })
}

/// The role and process of a worker's name, which goes on.
fn short(worker: &str) -> String {
    worker.splitn(3, ':').take(2).collect::<Vec<_>>().join(":")
}

/// The first line, cut.
fn cut(error: &str) -> String {
    let line = error.lines().next().unwrap_or_default();
    let kept: String = line.chars().take(CUT).collect();
    if kept.len() == error.len() { kept } else { format!("{kept}…") }
}

/// `all`: of every job, and in every state but done.
pub(super) fn list(listed: &[Listed], total: i64, all: bool) -> Vec<String> {
    if listed.is_empty() {
        let none = if all { "nothing waits, runs or has failed" } else { "no work matches" };
        return vec![none.to_owned()];
    }
    let line = |cells: [&str; 8]| {
        let [id, job, night, state, tries, since, worker, error] = cells;
        let line = format!(
            "{id:<9}  {job:<20}  {night:<10}  {state:<9}  {tries:>5}  {since:<19}  {worker:<14}  {error}"
        );
        line.trim_end().to_owned()
    };
    let mut lines =
        vec![line(["id", "job", "night of", "state", "tries", "since, or ready at", "worker", "last error"])];
    lines.extend(listed.iter().map(|one| {
        line([
            &one.id.to_string(),
            &one.job,
            &one.due_on.to_string(),
            one.state.name(),
            &one.tries.to_string(),
            &at(one.at),
            &one.worker.as_deref().map(short).unwrap_or_default(),
            &one.error.as_deref().map(cut).unwrap_or_default(),
        ])
    }));
    let shown = i64::try_from(listed.len()).unwrap_or(i64::MAX);
    if total > shown {
        lines.push(format!("and {} more: --limit {total}", total - shown));
    }
    lines
}

pub(super) fn listed_in_json(one: &Listed) -> Value {
    json!({
        "id": one.id.to_string(), "job": one.job, "night_of": one.due_on, "state": one.state.name(),
        "tries": one.tries, "at": rfc(one.at), "worker": one.worker, "last_error": one.error,
    })
}

/// Where it stands, after "it".
pub(super) fn standing(work: &ListedChunk) -> String {
    match work.state {
        State::Dead => format!("failed for good after {}", tries(work.tries)),
        State::Running if work.cancel_asked_at.is_some() => "runs, and is being called off".to_owned(),
        State::Running => "runs".to_owned(),
        State::Ready => "is ready".to_owned(),
        State::Waiting => format!("waits until {} UTC", at(work.ready_at)),
        State::Discarded => "was discarded".to_owned(),
        State::Split => "failed and was cut in halves, which stand for it".to_owned(),
        State::Done => "is done".to_owned(),
    }
}

/// What was done to it.
pub(super) fn change(change: &ChunkChange, verb: &str) -> String {
    let work = &change.before;
    let (id, on) = (work.id, work.due_on);
    match (verb, change.now) {
        ("retry", _) => format!(
            "{id} is ready again; `up` or `worker` takes it up at once, without one `benefactor night --on {on}` does"
        ),
        ("discard", _) => format!(
            "{id} is discarded: the night of {on} goes on past it, and what its rows are owed stays due for the next"
        ),
        ("cancel", State::Running) => format!("{id} is being called off: its worker ends it within seconds"),
        ("cancel", _) => format!(
            "{id} is called off: the night of {on} goes on past it, and what its rows are owed stays due for the next"
        ),
        _ => format!("{id} is held back; the night of {on} waits for it"),
    }
}

pub(super) fn change_in_json(change: &ChunkChange) -> Value {
    json!({
        "id": change.before.id.to_string(), "job": change.before.job, "night_of": change.before.due_on,
        "before": change.before.state.name(), "now": change.now.name(),
    })
}

impl ShownChunk {
    pub(super) fn lines(&self) -> Vec<String> {
        let work = &self.work;
        let mut lines =
            vec![format!("{}  {}, night of {}: {}", work.id, work.job, work.due_on, standing(work))];
        lines.push(format!("  covers   {}; {}", self.stage.covers, self.span()));
        if let Some(whole) = work.split_of {
            lines.push(format!("  part of  {}.{whole}, which failed and was cut", work.id.run_id));
        }
        if work.single {
            let what =
                "at fault by itself: nights go on past it, and leave it out until it is retried or discarded";
            lines.push(format!("  {what}"));
        }
        lines.extend(self.due());
        let run = match work.run_status.as_str() {
            "running" => "under way",
            other => other,
        };
        let night = if work.night_complete { "complete" } else { "not complete" };
        lines.push(format!(
            "  run {}: {run}, begun {} UTC; the night is {night}; priority {}",
            work.id.run_id,
            at(work.run_started_at),
            work.priority
        ));
        let hash = |hash: &str| hash.get(..12).unwrap_or(hash).to_owned();
        lines.push(format!(
            "  made by  benefactor {}, policy {}, catalogue {}, files {}",
            work.binary_version,
            hash(&work.policy_sha256),
            hash(&work.catalogue_sha256),
            hash(&work.input_sha256)
        ));
        lines.push(String::new());
        lines.extend(self.tries());
        if !self.actions.is_empty() {
            lines.push(String::new());
            lines.push("operators".to_owned());
        }
        for one in &self.actions {
            lines.push(format!("  {} UTC  {}  {}: {}", at(one.at), one.action, one.by, one.why));
            lines.extend(one.before.lines().map(|line| format!("    before: {line}")));
        }
        lines.push(String::new());
        lines.push("next".to_owned());
        lines.extend(self.next().into_iter().map(|line| format!("  {line}")));
        lines
    }

    /// The keys it is cut between.
    fn span(&self) -> String {
        let (from, until) = (self.work.span.from, self.work.span.until);
        let by = match self.stage.rows {
            Rows::Requests(_) => {
                return format!(
                    "dated from {} (number {}) until before {} (number {})",
                    from.0, from.1, until.0, until.1
                );
            }
            Rows::Memberships => "memberships by the store's number",
            Rows::Credits | Rows::Usage => "entitlements by the store's number",
            Rows::Partners => "partners by the store's number",
            Rows::Mails => "mails by the store's number",
            Rows::Files => return "files have no numbers here: each row has its own answer".to_owned(),
            Rows::None => return "there is nothing to cut it by".to_owned(),
        };
        match until.1 {
            i64::MAX => format!("{by}, from {} on", from.1),
            until => format!("{by}, from {} until before {until}", from.1),
        }
    }

    fn due(&self) -> Vec<String> {
        let (total, shown) = (self.rows_in_all, self.rows.len());
        if self.stage.rows == Rows::None {
            return vec![];
        }
        if total == 0 {
            return vec!["  nothing of that is due now".to_owned()];
        }
        let what = match self.stage.rows {
            Rows::Partners => "partners in it",
            _ => "of these are still due",
        };
        let first = if i64::try_from(shown) == Ok(total) {
            String::new()
        } else {
            format!("; the first {shown}, more with --rows")
        };
        let mut lines = vec![format!("  {total} {what}{first}:")];
        lines.extend(self.rows.iter().map(|row| {
            let mut line = String::from("   ");
            let on = row.on.map(|day| day.to_string());
            for cell in [row.partner.as_ref().map(PartnerId::as_str), row.subject.as_deref(), on.as_deref()]
                .into_iter()
                .flatten()
            {
                let _ = write!(line, "  {cell}");
            }
            line
        }));
        lines
    }

    fn tries(&self) -> Vec<String> {
        if self.tries.is_empty() {
            return vec!["no try yet".to_owned()];
        }
        let mut lines = vec!["tries".to_owned()];
        for (nth, one) in self.tries.iter().enumerate() {
            let mut line = format!("  {:>3}  {} UTC  {}", nth + 1, at(one.started_at), one.outcome);
            if let Some(ms) = one.took_ms {
                let _ = write!(line, " after {}", seconds(ms));
            }
            if let Some(ms) = one.waited_ms {
                let _ = write!(line, "; waited {}", seconds(ms));
            }
            let _ = write!(line, "; {}", one.worker);
            lines.push(line);
            lines.extend(
                one.error.iter().flat_map(|error| error.lines()).map(|line| format!("       {line}")),
            );
        }
        lines
    }

    /// What to do now: the commands.
    fn next(&self) -> Vec<String> {
        let (id, on) = (self.work.id, self.work.due_on);
        let said = "--by WHO --why TEXT";
        match self.work.state {
            State::Dead => vec![
                format!("benefactor jobs retry {id} {said}     once the cause is gone: a new set of tries"),
                if self.work.single {
                    format!("benefactor jobs discard {id} {said}   the next night looks at it again")
                } else {
                    format!(
                        "benefactor jobs discard {id} {said}   the night of {on} goes on past it, and its rows stay due"
                    )
                },
            ],
            State::Split => {
                let run_id = id.run_id;
                let parts = self.work.parts.iter();
                parts.map(|part| format!("benefactor jobs show {run_id}.{part}")).collect()
            }
            State::Discarded => vec![
                format!("its rows stay due: the next night looks at them again; or, for the night of {on}"),
                format!("benefactor jobs retry {id} {said}"),
            ],
            State::Running if self.work.cancel_asked_at.is_some() => {
                vec!["its worker ends it within seconds".to_owned()]
            }
            State::Running => vec![format!("benefactor jobs cancel {id} {said}   to call it off")],
            State::Ready | State::Waiting => vec![
                format!(
                    "`up` or `worker` takes it up when it is ready; without one: benefactor night --on {on}"
                ),
                format!("benefactor jobs snooze {id} --for 2h {said}   to hold it back"),
                format!("benefactor jobs cancel {id} {said}   to call it off"),
            ],
            State::Done => vec!["nothing".to_owned()],
        }
    }

    pub(super) fn in_json(&self) -> Value {
        let work = &self.work;
        let rows: Vec<Value> = self
            .rows
            .iter()
            .map(|row| json!({ "partner_id": row.partner, "subject": row.subject, "on": row.on }))
            .collect();
        let tries: Vec<Value> = self
            .tries
            .iter()
            .map(|one| {
                json!({
                    "worker": one.worker, "started_at": rfc(one.started_at),
                    "finished_at": one.finished_at.map(rfc), "waited_ms": one.waited_ms, "took_ms": one.took_ms,
                    "outcome": one.outcome, "error": one.error,
                })
            })
            .collect();
        let actions: Vec<Value> = self
            .actions
            .iter()
            .map(|one| {
                json!({ "at": rfc(one.at), "action": one.action, "by": one.by, "why": one.why, "before": one.before })
            })
            .collect();
        let key = |(on, id): (chrono::NaiveDate, i64)| json!({ "on": on, "number": id });
        json!({
            "id": work.id.to_string(), "job": work.job, "night_of": work.due_on, "state": work.state.name(),
            "stage": work.stage, "split_of": work.split_of, "parts": work.parts, "single": work.single,
            "tries": work.tries, "priority": work.priority, "ready_at": rfc(work.ready_at),
            "worker": work.worker, "lease_until": work.lease_until.map(rfc),
            "cancel_asked_at": work.cancel_asked_at.map(rfc), "finished_at": work.finished_at.map(rfc),
            "done": work.counts.done, "refused": work.counts.refused, "failed": work.counts.failed,
            "covers": { "what": self.stage.covers, "from": key(work.span.from), "until": key(work.span.until),
                        "rows_due": self.rows_in_all, "rows": rows },
            "run": { "number": work.id.run_id, "status": work.run_status, "started_at": rfc(work.run_started_at),
                     "night_complete": work.night_complete, "binary_version": work.binary_version,
                     "policy_sha256": work.policy_sha256, "catalogue_sha256": work.catalogue_sha256,
                     "input_sha256": work.input_sha256 },
            "attempts": tries, "operators": actions,
        })
    }
}
