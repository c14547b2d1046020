//! Log lines: on standard error, in the format asked for, as many as `RUST_LOG` asks for.
//!
//! A line in JSON is one flat object: `timestamp`, `level`, `message`, its own fields, and those of every span that it
//! is within, of two with the same name the innermost's. So every line of a chunk's work has its `job`, `run`, `chunk`,
//! `attempt` and `worker`, and `jq 'select(.chunk == 3)'` finds them all.

use std::{
    fmt,
    io::{self, IsTerminal, Write},
};

use serde_json::{Map, Value};
use tracing::{
    Event, Subscriber,
    field::{Field, Visit},
};
use tracing_subscriber::{
    EnvFilter,
    fmt::{
        FmtContext, FormatEvent, FormatFields, FormattedFields,
        format::{JsonFields, Writer},
        time::{FormatTime, SystemTime},
    },
    registry::LookupSpan,
};

use crate::{files::shown, settings::LogFormat};

/// What is logged unless `RUST_LOG` says otherwise: our own news, and others' warnings. How an apalis worker ended, ours
/// say; its own lines would come from every queue every second of an outage.
const USUAL: &str = "warn,benefactor=info,apalis=off";

/// Starts logging for this process.
pub(super) fn start(format: LogFormat) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(USUAL));
    let plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let lines = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(|| PlainLines(io::stderr()))
        .with_ansi(!plain && io::stderr().is_terminal())
        .with_target(false);
    // A second start in one process finds the first; that one stays.
    let _ = match format {
        LogFormat::Text => lines.try_init(),
        LogFormat::Json => lines.with_ansi(false).fmt_fields(JsonFields::new()).event_format(Flat).try_init(),
    };
}

/// Lines in which nothing is obeyed that somebody else wrote, as the name of a file: what is not seen is escaped, and only
/// the colours of a terminal are let through.
struct PlainLines<W>(W);

impl<W: Write> Write for PlainLines<W> {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.0.write_all(plain(&String::from_utf8_lossy(line)).as_bytes())?;
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// A line, its end as it is.
fn plain(line: &str) -> String {
    let (text, end) = line.strip_suffix('\n').map_or((line, ""), |text| (text, "\n"));
    let mut parts = text.split("\u{1b}[");
    let mut told = shown::shown_text(parts.next().unwrap_or_default());
    for part in parts {
        let colour = part.find('m').filter(|at| part[..*at].bytes().all(|b| b.is_ascii_digit() || b == b';'));
        let (colour, rest) = colour.map_or(("", part), |at| part.split_at(at + 1));
        told.push_str(if colour.is_empty() { "%1B[" } else { "\u{1b}[" });
        told.push_str(colour);
        told.push_str(&shown::shown_text(rest));
    }
    told + end
}

/// A line as one flat JSON object.
struct Flat;

impl<S, N> FormatEvent<S, N> for Flat
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        cx: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let mut time = String::new();
        SystemTime.format_time(&mut Writer::new(&mut time))?;
        let level = event.metadata().level().as_str();
        write!(writer, "{{\"timestamp\":{},\"level\":{}", Value::from(time), Value::from(level))?;
        let mut line = Map::new();
        for span in cx.event_scope().into_iter().flat_map(tracing_subscriber::registry::Scope::from_root) {
            let extensions = span.extensions();
            let Some(fields) = extensions.get::<FormattedFields<N>>() else { continue };
            if let Ok(Value::Object(fields)) = serde_json::from_str(&fields.fields) {
                line.extend(fields);
            }
        }
        event.record(&mut Fields(&mut line));
        let message = line.remove_entry("message");
        for (name, value) in message.into_iter().chain(line) {
            write!(writer, ",{}:{value}", Value::from(name))?;
        }
        writeln!(writer, "}}")
    }
}

/// Puts an event's fields into the line.
struct Fields<'a>(&'a mut Map<String, Value>);

impl Fields<'_> {
    fn put(&mut self, field: &Field, value: impl Into<Value>) {
        self.0.insert(field.name().trim_start_matches("r#").to_owned(), value.into());
    }
}

impl Visit for Fields<'_> {
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.put(field, value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.put(field, value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.put(field, value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.put(field, value);
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.put(field, value);
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.put(field, format!("{value:?}"));
    }
}

#[cfg(test)]
mod tests {
    use super::plain;

    #[test]
    fn a_line_stays_one_line_and_moves_no_cursor_and_keeps_its_colours() {
        assert_eq!(plain("taken in file=a.csv\n"), "taken in file=a.csv\n");
        assert_eq!(plain("a\nb\u{1b}[2Jc\u{202e}\n"), "a%0Ab%1B[2Jc%E2%80%AE\n");
        assert_eq!(plain("\u{1b}[2;32m INFO\u{1b}[0m x\u{1b}]0;\n"), "\u{1b}[2;32m INFO\u{1b}[0m x%1B]0;\n");
    }
}
