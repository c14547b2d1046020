//! Instants as JSON has them: in UTC, to the second.

use chrono::{DateTime, SecondsFormat, Utc};
use serde::Serializer;

fn written(at: &DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}

pub(super) fn utc<S: Serializer>(at: &DateTime<Utc>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&written(at))
}

#[expect(clippy::ref_option, reason = "serde hands over the field as it is")]
pub(super) fn utc_if<S: Serializer>(at: &Option<DateTime<Utc>>, serializer: S) -> Result<S::Ok, S::Error> {
    match at {
        Some(at) => serializer.serialize_some(&written(at)),
        None => serializer.serialize_none(),
    }
}
