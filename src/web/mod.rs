//! HTTP: metrics and health, on this machine alone, and apart from them what is [`public`]. The only module that knows axum.
//!
//! | path | answers |
//! |---|---|
//! | `/metrics` | the figures of `status`, for Prometheus |
//! | `/health` | 200 while `status` would end with 0, else 503; what is wrong, as JSON |
//! | `/health/live` | 200 while this process looks for work, else 503: start it again |
//! | `/health/ready` | 200 while the store answers, else 503 |
//!
//! There is no login, so it listens on loopback addresses only and shows nothing about persons or partners. Every
//! request reads the store, on connections of its own; nothing is cached, and every process gives the same answer.

mod health;
mod metrics;
pub mod public;
mod state;

use std::{io, net::SocketAddr, sync::Arc};

use axum::{Router, http::StatusCode, routing::get};
use tokio::{net::TcpListener, task::JoinHandle};

use crate::settings::{Listen, USUAL_ADDRESS};
pub use state::AppState;

/// A server that answers until it is dropped.
pub struct WebServer(JoinHandle<()>);

impl Drop for WebServer {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Takes a port as the settings say; `None`: off. The usual one may be taken by another process of ours, and then any
/// is as good.
///
/// # Errors
/// The address that was asked for cannot be had.
pub async fn listen(on: Listen) -> Result<Option<TcpListener>, (SocketAddr, io::Error)> {
    let listener = match on {
        Listen::Off => return Ok(None),
        Listen::At(address) => TcpListener::bind(address).await.map_err(|error| (address, error))?,
        Listen::Usual => match TcpListener::bind(USUAL_ADDRESS).await {
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
                let free = SocketAddr::new(USUAL_ADDRESS.ip(), 0);
                TcpListener::bind(free).await.map_err(|error| (free, error))?
            }
            bound => bound.map_err(|error| (USUAL_ADDRESS, error))?,
        },
    };
    Ok(Some(listener))
}

/// Answers on that port from now on.
#[must_use]
pub fn open(listener: TcpListener, state: AppState) -> WebServer {
    let pages = Router::new()
        .route("/metrics", get(metrics::page))
        .route("/health", get(health::verdict))
        .route("/health/live", get(health::live))
        .route("/health/ready", get(health::ready))
        .fallback(async || {
            (StatusCode::NOT_FOUND, "here are /metrics, /health, /health/live, /health/ready\n")
        })
        .with_state(Arc::new(state));
    WebServer(tokio::spawn(async move {
        // It accepts until it is aborted; what goes wrong with one connection ends that one.
        let _ = axum::serve(listener, pages).await;
    }))
}
