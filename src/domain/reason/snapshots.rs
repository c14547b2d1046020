//! What comes of files that are said to be whole (D16).

use chrono::NaiveDate;

use super::{
    samples::day,
    told::{Told, refusal, remark, waits},
    variants::Reason,
};

/// One of each.
pub(super) fn samples() -> Vec<Reason> {
    vec![
        Reason::MissingInSnapshot { as_of: day("2024-03-01"), until: day("2024-03-08") },
        Reason::NamedAgain { until: day("2024-03-08") },
        Reason::SnapshotIncomplete { rows: 2 },
        Reason::EndsHeld { ends: 25, live: 400 },
    ]
}

pub(super) fn missing_in_snapshot(as_of: NaiveDate, until: NaiveDate) -> Told<'static> {
    refusal("D16").words(
        move |day| {
            format!(
                "The full snapshot as of {} does not have it, so {} is its last usable day, unless a file that arrives \
                by then names it.",
                day(as_of),
                day(until)
            )
        },
        move |day| {
            format!(
                "Den fullständiga förteckningen per {} saknar den, så {} är sista användbara dag, om inte en fil som \
                kommer in senast då nämner den.",
                day(as_of),
                day(until)
            )
        },
    )
}

pub(super) fn named_again(until: NaiveDate) -> Told<'static> {
    remark("D16").words(
        move |day| {
            format!(
                "A full snapshot did not have it, and {} was to be its last usable day; this row keeps it.",
                day(until)
            )
        },
        move |day| {
            format!(
                "En fullständig förteckning saknade den och {} skulle bli sista användbara dag; den här raden \
                behåller den.",
                day(until)
            )
        },
    )
}

pub(super) fn snapshot_incomplete(rows: i32) -> Told<'static> {
    refusal("D16").words(
        move |_| {
            format!(
                "Rows of this full snapshot were rejected ({rows}), so nothing that it lacks ends; correct them and drop it \
                again, whole."
            )
        },
        move |_| {
            format!(
                "Rader i den fullständiga förteckningen avvisades ({rows}), så inget som saknas i den avslutas; rätta dem \
                och lägg in den igen, hel."
            )
        },
    )
}

pub(super) fn ends_held(ends: i64, live: i64) -> Told<'static> {
    waits("D16").words(
        move |_| {
            format!(
                "This full snapshot would end {ends} of {live} live entitlements, so none ends until an operator says yes, \
                by importing it again with --accept-ends."
            )
        },
        move |_| {
            format!(
                "Den fullständiga förteckningen skulle avsluta {ends} av {live} gällande förmåner, så ingen avslutas \
                förrän en operatör säger ja, genom att läsa in den igen med --accept-ends."
            )
        },
    )
}
