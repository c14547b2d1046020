//! Who works, and what waits for them: the figures that a monitor reads as well.

use std::fmt::Write as _;

use crate::{
    answers::status::{ProcessView, Status},
    store::status::{Quantiles, QueueFigures},
};

/// That nobody keeps the timetable any more, if so.
pub(super) fn missed(told: &Status) -> Option<String> {
    let missed = told.missed_process.as_ref()?;
    let process = told.processes.iter().find(|process| process.name == *missed)?;
    Some(format!(
        "NO SCHEDULER LIVES: {} on {} (pid {}) was last seen {}, {} ago; start it again",
        process.command,
        process.host,
        process.pid,
        process.seen_at.format("%F %H:%M:%S UTC"),
        span(process.seen_seconds)
    ))
}

/// Processes; nothing where none works.
pub(super) fn processes(processes: &[ProcessView]) -> Vec<String> {
    if processes.is_empty() {
        return Vec::new();
    }
    let wide = |of: fn(&ProcessView) -> &str| processes.iter().map(|p| of(p).chars().count()).max();
    let host = wide(|process| &process.host).unwrap_or_default().max(4);
    let mut lines = vec![format!(
        "{:<8}  {:<7}  {:<host$}  {:>7}  {:<11}  tells at",
        "process", "does", "host", "pid", "seen"
    )];
    lines.extend(processes.iter().map(|process| {
        let seen = format!("{} ago", span(process.seen_seconds));
        let line = format!(
            "{:<8}  {:<7}  {:<host$}  {:>7}  {seen:<11}  {}",
            short(&process.name),
            process.command,
            process.host,
            process.pid,
            process.listens_on.as_deref().unwrap_or("–"),
        );
        if process.lives { line } else { format!("{line}  fell silent") }
    }));
    lines
}

/// The end of a process's name: it alone differs between two of them.
fn short(name: &str) -> &str {
    name.char_indices().rev().nth(7).map_or(name, |(at, _)| &name[at..])
}

/// A line a job that has chunks, or had any in the last 24 hours; what all have together; what to do about it.
pub(super) fn queues(queues: &[QueueFigures], dead: i64) -> Vec<String> {
    if queues.is_empty() {
        return Vec::new();
    }
    let mut lines = vec![format!(
        "{:<20}  {:>6}  {:>7}  {:>7}  {:>7}  {:>5}  {:>17}  {:>17}",
        "chunks", "ready", "oldest", "waiting", "running", "dead", "wait p50/p95", "run p50/p95"
    )];
    lines.extend(queues.iter().map(|queue| {
        format!(
            "{}  {:>17}  {:>17}",
            counts(&queue.job, std::slice::from_ref(queue)),
            quantiles(queue.wait_seconds),
            quantiles(queue.run_seconds)
        )
    }));
    if queues.len() > 1 {
        lines.push(counts("together", queues));
    }
    let lapsed: i64 = queues.iter().map(|queue| queue.lapsed).sum();
    if lapsed > 0 {
        lines.push(format!(
            "{} lost to a worker that is gone; whoever looks next takes over",
            counted(lapsed, "chunk")
        ));
    }
    if dead > 0 {
        lines.push(format!(
            "{}: `benefactor jobs list --state dead` says which",
            counted(dead, "dead letter")
        ));
    }
    lines
}

fn counts(name: &str, queues: &[QueueFigures]) -> String {
    let sum = |of: fn(&QueueFigures) -> i64| queues.iter().map(of).sum::<i64>();
    let oldest = queues.iter().filter_map(|queue| queue.oldest_ready_seconds).reduce(f64::max);
    format!(
        "{name:<20}  {:>6}  {:>7}  {:>7}  {:>7}  {:>5}",
        sum(|queue| queue.ready),
        oldest.map_or_else(|| "–".to_owned(), span),
        sum(|queue| queue.waiting),
        sum(|queue| queue.running),
        sum(|queue| queue.dead)
    )
}

fn quantiles(measured: Option<Quantiles>) -> String {
    measured.map_or_else(|| "–".to_owned(), |of| format!("{} / {}", span(of.p50), span(of.p95)))
}

/// `45 ms`, `3.2 s`, `12 min`, `5 h`, `3 d`: as much as a person compares.
fn span(seconds: f64) -> String {
    let mut text = String::new();
    let _ = match seconds {
        s if s < 1.0 => write!(text, "{:.0} ms", s * 1000.0),
        s if s < 10.0 => write!(text, "{s:.1} s"),
        s if s < 120.0 => write!(text, "{s:.0} s"),
        s if s < 7200.0 => write!(text, "{:.0} min", (s / 60.0).floor()),
        s if s < 172_800.0 => write!(text, "{:.0} h", (s / 3600.0).floor()),
        s => write!(text, "{:.0} d", (s / 86_400.0).floor()),
    };
    text
}

pub(super) fn counted(count: i64, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_told_as_roughly_as_a_person_compares_it() {
        let told = [0.0, 0.0451, 3.21, 61.0, 119.4, 725.0, 7200.0, 300_000.0].map(span);
        assert_eq!(told, ["0 ms", "45 ms", "3.2 s", "61 s", "119 s", "12 min", "2 h", "3 d"]);
    }

    #[test]
    fn a_process_is_called_by_the_end_of_its_name() {
        assert_eq!(short("worker:77:0198c0de-aaaa-7bbb-8ccc-0123456789ab"), "456789ab");
        assert_eq!(short("short"), "short");
    }
}
