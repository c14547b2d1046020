//! The figures of `status` as metrics. Every job has its series from the first scrape on, so that none appears late.

use std::{fmt, sync::Arc};

use axum::{
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use prometheus_client::{
    encoding::{EncodeGaugeValue, EncodeMetric, MetricEncoder, text::encode},
    metrics::MetricType,
    registry::{Registry, Unit},
};

use super::state::AppState;
use crate::{
    jobs::REGISTRY,
    store::status::{Figures, Quantiles, QueueFigures},
};

const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
const PLAIN_TEXT: &str = "text/plain; version=0.0.4; charset=utf-8";

/// States of a mail that are worth a look; sent ones are not counted.
const MAIL_STATES: [&str; 7] = ["queued", "claimed", "unknown", "bounced", "refused", "failed", "withdrawn"];

type Labels = Vec<(&'static str, String)>;

/// `/metrics`. What is written is of both formats; a scraper that asks for `OpenMetrics` is told that it is that.
pub(super) async fn page(State(state): State<Arc<AppState>>, headers: HeaderMap) -> Response {
    let figures = state.figures().await;
    if let Err(error) = &figures {
        tracing::debug!(%error, "no figures for a scrape");
    }
    let asks = |value: &header::HeaderValue| {
        value.to_str().is_ok_and(|v| v.contains("application/openmetrics-text"))
    };
    let kind = if headers.get_all(header::ACCEPT).iter().any(asks) { OPEN_METRICS } else { PLAIN_TEXT };
    match text(figures.ok().as_ref()) {
        Ok(text) => ([(header::CONTENT_TYPE, kind)], text).into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}

/// All metrics; without figures only that the store is down.
fn text(figures: Option<&Figures>) -> Result<String, fmt::Error> {
    let mut page = MetricsPage(Registry::with_prefix("benefactor"));
    let version = vec![("version", env!("CARGO_PKG_VERSION").to_owned())];
    page.counts("build_info", "The version of this process", [(version, 1)]);
    page.count(
        "store_up",
        "Whether the store gave its figures for this scrape",
        i64::from(figures.is_some()),
    );
    if let Some(figures) = figures {
        nights(&mut page, figures);
        queues(&mut page, &figures.queues);
        processes(&mut page, figures);
        mails(&mut page, figures);
    }
    let mut text = String::new();
    encode(&mut text, &page.0)?;
    Ok(text)
}

fn nights(page: &mut MetricsPage, figures: &Figures) {
    page.count("night_missing", "Nights that are over and not complete", figures.lateness.missing);
    let overdue = i64::from(figures.lateness.overdue);
    page.count("night_overdue", "Whether the first of them is hours late: somebody should look", overdue);
    let late = Series(vec![(Labels::new(), figures.late_seconds())]);
    page.0.register_with_unit("night_late", "How late the first of them is", Unit::Seconds, late);
    let dropped = figures.dropped.iter().map(|of| (vec![("job", of.job.clone())], of.count));
    page.counts(
        "ticks_dropped",
        "Due times dropped in the last 7 days: more were missed than are caught up",
        dropped,
    );
    if let Some((_, completed_at)) = figures.last_night {
        let at = Series(vec![(Labels::new(), completed_at.timestamp())]);
        let help = "When the last complete night was completed";
        page.0.register_with_unit("last_complete_night_timestamp", help, Unit::Seconds, at);
    }
}

fn queues(page: &mut MetricsPage, queues: &[QueueFigures]) {
    let of = |job: &str| queues.iter().find(|queue| queue.job == job);
    let mut chunks = Vec::new();
    let (mut oldest, mut waits, mut runs) = (Vec::new(), Vec::new(), Vec::new());
    for name in REGISTRY.map(|job| job.name) {
        let queue = of(name);
        let states =
            queue.map_or([0; 7], |q| [q.ready, q.waiting, q.running, q.lapsed, q.dead, q.discarded, q.split]);
        let names = ["ready", "waiting", "running", "lapsed", "dead", "discarded", "split"];
        let labelled = |state: &str| vec![("job", name.to_owned()), ("state", state.to_owned())];
        chunks.extend(names.into_iter().map(labelled).zip(states));
        let age = queue.and_then(|queue| queue.oldest_ready_seconds).unwrap_or_default();
        oldest.push((vec![("job", name.to_owned())], age));
        waits.extend(quantiles(name, queue.and_then(|queue| queue.wait_seconds)));
        runs.extend(quantiles(name, queue.and_then(|queue| queue.run_seconds)));
    }
    page.counts("chunks", "Chunks of work that are not done", chunks);
    page.seconds(
        "oldest_ready",
        "How long the oldest chunk that could be claimed has waited for a worker",
        oldest,
    );
    page.seconds("wait", "What chunks waited for a worker, in the last 24 hours", waits);
    page.seconds("run", "What chunks took that were done, in the last 24 hours", runs);
    let dead = queues.iter().map(|queue| queue.dead).sum();
    page.count("dead_letters", "Chunks that failed for good and wait for an operator", dead);
}

fn quantiles(job: &str, measured: Option<Quantiles>) -> Vec<(Labels, f64)> {
    let labels = |quantile: &str| vec![("job", job.to_owned()), ("quantile", quantile.to_owned())];
    let rows = measured.map(|Quantiles { p50, p95 }| vec![(labels("0.5"), p50), (labels("0.95"), p95)]);
    rows.unwrap_or_default()
}

fn processes(page: &mut MetricsPage, figures: &Figures) {
    let lives = |lives: bool| figures.processes.iter().filter(move |process| process.lives == lives);
    let count = |is: bool| i64::try_from(lives(is).count()).unwrap_or(i64::MAX);
    let state = |state: &str| vec![("state", state.to_owned())];
    let counts = [(state("living"), count(true)), (state("silent"), count(false))];
    page.counts("processes", "Processes that keep the timetable, or fell silent", counts);
    let seen = figures.processes.iter().map(|process| {
        let labels = vec![
            ("process", process.name.clone()),
            ("command", process.command.clone()),
            ("host", process.host.clone()),
        ];
        (labels, process.seen_seconds)
    });
    page.seconds("process_seen", "How long ago a process last gave word", seen);
}

fn mails(page: &mut MetricsPage, figures: &Figures) {
    let mails = MAIL_STATES.map(|state| {
        let count = figures.mails.iter().find(|(of, _)| of == state).map_or(0, |(_, count)| *count);
        (vec![("state", state.to_owned())], count)
    });
    page.counts("mails", "Mails that are not sent", mails);
    page.count("notices_owed", "Notices that no mail carries yet", figures.notices_owed);
}

/// A page of gauges: whatever is counted here may go down.
struct MetricsPage(Registry);

impl MetricsPage {
    fn count(&mut self, name: &str, help: &str, value: i64) {
        self.counts(name, help, [(Labels::new(), value)]);
    }

    fn counts(&mut self, name: &str, help: &str, rows: impl IntoIterator<Item = (Labels, i64)>) {
        self.0.register(name, help, Series(rows.into_iter().collect()));
    }

    fn seconds(&mut self, name: &str, help: &str, rows: impl IntoIterator<Item = (Labels, f64)>) {
        self.0.register_with_unit(name, help, Unit::Seconds, Series(rows.into_iter().collect()));
    }
}

/// The series of one gauge, told in the order they were given: people read them too.
#[derive(Debug)]
struct Series<V>(Vec<(Labels, V)>);

impl<V> EncodeMetric for Series<V>
where
    V: EncodeGaugeValue + fmt::Debug + Send + Sync + 'static,
{
    fn encode(&self, mut encoder: MetricEncoder<'_>) -> Result<(), fmt::Error> {
        for (labels, value) in &self.0 {
            if labels.is_empty() {
                encoder.encode_gauge(value)?;
            } else {
                encoder.encode_family(labels)?.encode_gauge(value)?;
            }
        }
        Ok(())
    }

    fn metric_type(&self) -> MetricType {
        MetricType::Gauge
    }
}
