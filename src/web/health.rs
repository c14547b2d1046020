//! Is it well: in a status code for machines, in words for whoever looks.

use std::sync::Arc;

use axum::{
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};

use super::state::AppState;
use crate::store::status::Figures;

/// `/health`: the verdict of `status`.
pub(super) async fn verdict(State(state): State<Arc<AppState>>) -> Response {
    match state.figures().await {
        Ok(figures) => told(figures.is_well(), &words(&figures)),
        Err(error) => told(false, &json!({ "well": false, "store": error.to_string() })),
    }
}

/// `/health/live`: start this process again if not.
pub(super) async fn live(State(state): State<Arc<AppState>>) -> Response {
    if (state.works)() {
        said(StatusCode::OK, "looking for work\n".to_owned())
    } else {
        said(StatusCode::SERVICE_UNAVAILABLE, "this process has not looked for work lately\n".to_owned())
    }
}

/// `/health/ready`: the store answers.
pub(super) async fn ready(State(state): State<Arc<AppState>>) -> Response {
    match state.answers().await {
        Ok(()) => said(StatusCode::OK, "the store answers\n".to_owned()),
        Err(error) => said(StatusCode::SERVICE_UNAVAILABLE, format!("{error}\n")),
    }
}

fn words(figures: &Figures) -> Value {
    let missed = figures.missed().map(|process| {
        json!({
            "command": process.command, "host": process.host, "pid": process.pid,
            "seen_at": process.seen_at.to_rfc3339_opts(chrono::SecondsFormat::Secs, true),
        })
    });
    json!({
        "well": figures.is_well(),
        "overdue": figures.lateness.overdue,
        "missing_nights": figures.lateness.missing,
        "first_missing_night": figures.lateness.first_missing,
        "late_seconds": figures.late_seconds(),
        "last_complete_night": figures.last_night.map(|(day, _)| day),
        "missed_process": missed,
        "dead_letters": figures.dead_letters(),
    })
}

fn told(well: bool, body: &Value) -> Response {
    let code = if well { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (code, [(header::CONTENT_TYPE, "application/json")], format!("{body}\n")).into_response()
}

fn said(code: StatusCode, sentence: String) -> Response {
    (code, [(header::CONTENT_TYPE, "text/plain; charset=utf-8")], sentence).into_response()
}
