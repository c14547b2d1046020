//! What anybody may reach from outside: the page that unsubscribes from marketing, and nothing else. It listens apart from
//! metrics and health, behind a reverse proxy that speaks TLS.
//!
//! | request | does |
//! |---|---|
//! | `GET /unsubscribe/<token>` | shows a page with a button, and changes nothing |
//! | `POST /unsubscribe/<token>` with `List-Unsubscribe=One-Click` | unsubscribes (RFC 8058): what mail programs send, and the button |
//!
//! Whoever has the token of a mail unsubscribes the address that the mail went to, and no other. A token is good for as long
//! as the store knows its mail: it never expires, since an old mail is as good a reason to want no more.

mod connections;
mod page;

use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    body::Bytes,
    extract::{DefaultBodyLimit, Path, State},
    http::{HeaderMap, StatusCode, header},
    response::Response,
    routing::get,
};
use sqlx::PgPool;
use tokio::{net::TcpListener, sync::OnceCell};

use self::{connections::Connections, page::PageSaid};
use super::WebServer;
use crate::{
    domain::{suppression::SuppressionScope, texts::ReaderLanguage},
    store::{
        self,
        mail_token::{MailTokens, TokenMail, TokenPurpose},
        suppression,
        vault::SecretPlace,
        work::By,
    },
};

/// Bytes that a request may hold beside its head: two words, however they are wrapped.
const BODY: usize = 8 * 1024;
/// How long the store may take.
const WITHIN: Duration = Duration::from_secs(5);
/// What a request that unsubscribes holds, in any form of HTML.
const ONE_CLICK: [&[u8]; 2] = [b"List-Unsubscribe", b"One-Click"];
/// Who is on record as having suppressed an address here.
const BY: &str = "unsubscribe";

/// What the page is made from.
pub struct PublicState {
    /// Connections that no work uses.
    pub pool: PgPool,
    /// Where the secret is that tokens are made with.
    pub vault: Arc<SecretPlace>,
    /// What tokens are known by, once it was read.
    pub tokens: OnceCell<MailTokens>,
}

impl PublicState {
    async fn find(&self, token: &str) -> store::Result<Option<TokenMail>> {
        let mut conn = self.pool.acquire().await?;
        let tokens = self.tokens.get_or_try_init(async || {
            Ok::<_, store::Error>(MailTokens::of_store(&self.vault.open(&mut conn).await?))
        });
        let tokens = tokens.await?.clone();
        tokens.find(&mut conn, TokenPurpose::Unsubscribe, token).await
    }

    /// Sends no marketing to the address of a mail any more.
    async fn unsubscribe(&self, mail: &TokenMail) -> store::Result<()> {
        let mut conn = self.pool.acquire().await?;
        let why = format!("unsubscribed with the link in {}", mail.message_id);
        let by = By { by: BY, why: &why };
        if suppression::add(&mut conn, &mail.recipient, SuppressionScope::Marketing, by).await? {
            tracing::info!(message_id = %mail.message_id, "unsubscribed from marketing");
        }
        Ok(())
    }
}

/// Answers on that port from now on; `below`: the path that a reverse proxy may leave in front.
#[must_use]
pub fn open(listener: TcpListener, below: &str, state: PublicState) -> WebServer {
    let state = Arc::new(state);
    let pages = || Router::new().route("/unsubscribe/{token}", get(asked).post(answered));
    let below = below.trim_end_matches('/');
    let all = if below.is_empty() { pages() } else { pages().nest(below, pages()) };
    let all = all
        .fallback(async |headers: HeaderMap| {
            page::answer(StatusCode::NOT_FOUND, reader(&headers), PageSaid::Unknown)
        })
        .layer(DefaultBodyLimit::max(BODY))
        .with_state(state);
    WebServer(tokio::spawn(async move {
        // It accepts until it is aborted; what goes wrong with one connection ends that one.
        let _ = axum::serve(Connections::new(listener), all).await;
    }))
}

/// The page with the button.
async fn asked(
    State(state): State<Arc<PublicState>>,
    Path(token): Path<String>,
    headers: HeaderMap,
) -> Response {
    match within(state.find(&token)).await {
        Ok(Some(mail)) => page::answer(
            StatusCode::OK,
            ReaderLanguage::matching(&mail.language),
            PageSaid::Ask(&mail.recipient),
        ),
        Ok(None) => page::answer(StatusCode::NOT_FOUND, reader(&headers), PageSaid::Unknown),
        Err(error) => unable(&error, &headers),
    }
}

/// The button was pressed, or a mail program did so for its reader.
async fn answered(
    State(state): State<Arc<PublicState>>,
    Path(token): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let mail = match within(state.find(&token)).await {
        Ok(Some(mail)) => mail,
        Ok(None) => return page::answer(StatusCode::NOT_FOUND, reader(&headers), PageSaid::Unknown),
        Err(error) => return unable(&error, &headers),
    };
    let (language, to) = (ReaderLanguage::matching(&mail.language), mail.recipient.as_str());
    let holds = |word: &[u8]| body.windows(word.len()).any(|bytes| bytes == word);
    if !ONE_CLICK.into_iter().all(holds) {
        return page::answer(StatusCode::BAD_REQUEST, language, PageSaid::Ask(to));
    }
    match within(state.unsubscribe(&mail)).await {
        Ok(()) => page::answer(StatusCode::OK, language, PageSaid::Done(to)),
        Err(error) => unable(&error, &headers),
    }
}

async fn within<T>(asked: impl Future<Output = store::Result<T>>) -> store::Result<T> {
    let late = || store::Error::Down(format!("the store does not answer within {} s", WITHIN.as_secs()));
    tokio::time::timeout(WITHIN, asked).await.unwrap_or_else(|_| Err(late()))
}

/// Nothing was done: the reader may try again.
fn unable(error: &store::Error, headers: &HeaderMap) -> Response {
    tracing::warn!(%error, "somebody could not unsubscribe");
    page::answer(StatusCode::SERVICE_UNAVAILABLE, reader(headers), PageSaid::Later)
}

/// The language that a browser asks for first.
fn reader(headers: &HeaderMap) -> ReaderLanguage {
    let asked =
        headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    ReaderLanguage::matching(asked.split([',', ';']).next().unwrap_or_default().trim())
}
