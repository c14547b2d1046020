//! What a demo came to, asked of its store.

use std::{
    fs,
    path::{Path, PathBuf},
};

use chrono::NaiveDate;
use serde::Serialize;

use crate::{
    domain::language::Language,
    jobs::{Context, email_contacts},
    mail,
    store::{
        Store,
        digest::digest,
        embedded,
        summary::{
            self, Answered, BookedInCurrency, CancelledOrder, DecisionSummary, Drawn, Files, Mails,
            PartnerSummary, Proof, Rejection, Unwarned,
        },
    },
};

/// The mails to show: what they tell, and to whom.
const SAMPLES: [(&str, &str); 4] = [
    ("cancellation_refused", "en"),
    ("credit_lapsed_unassigned", "sv"),
    ("offer_instructions", "sv"),
    ("offer_instructions", "da"), // told in English
];

/// The summary; `--json` prints it as it is. Amounts are minor units of their currency.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    /// The first business date.
    pub(super) from: NaiveDate,
    /// The last.
    pub(super) to: NaiveDate,
    pub(super) dir: PathBuf,
    /// Where the store is: in `dir`, or where Postgres can reach it.
    pub(super) store: PathBuf,
    pub(super) files: Files,
    pub(super) booked: Vec<BookedInCurrency>,
    /// What lapsed though nobody was told of it in time.
    pub(super) unwarned: Vec<Unwarned>,
    pub(super) drawn: Vec<Drawn>,
    pub(super) order_statuses: Vec<(String, i64)>,
    pub(super) partners: Vec<PartnerSummary>,
    pub(super) refunds: Vec<CancelledOrder>,
    pub(super) asked: Vec<DecisionSummary>,
    pub(super) answered: Vec<Answered>,
    pub(super) rejections: Vec<Rejection>,
    pub(super) mails: Mails,
    pub(super) samples: Vec<SampleMail>,
    pub(super) proof: Proof,
    /// SHA-256 over what the ledger says.
    pub(super) digest: String,
    /// Files in the outbox.
    pub(super) outbox: usize,
    /// Nights that wrote an export.
    pub(super) exports: usize,
    /// Answers to files.
    pub(super) answers: usize,
}

/// A mail to show.
#[derive(Debug, Serialize)]
pub(super) struct SampleMail {
    /// The tag of the language it is written in.
    pub(super) language: &'static str,
    pub(super) subject: String,
    pub(super) recipient: String,
    pub(super) day: NaiveDate,
    /// Its file.
    pub(super) path: PathBuf,
}

/// Asks for all of it.
pub(super) async fn gather(
    cx: &Context,
    store: &Store,
    dir: &Path,
    (from, to): (NaiveDate, NaiveDate),
) -> anyhow::Result<Report> {
    let mut conn = store.pool.acquire().await?;
    let conn = &mut *conn;
    let mut samples = Vec::new();
    for (kind, language) in SAMPLES {
        if let Some(leased) = summary::mail_saying(conn, kind, language).await? {
            let rendered = email_contacts::Sender::of(cx, conn).await?.write(&leased)?;
            samples.push(SampleMail {
                language: Language::matching(language).tag(),
                path: mail::outbox::path(&cx.folders.outbox(), &rendered.message_id)?,
                subject: rendered.subject,
                recipient: leased.recipient,
                day: leased.day,
            });
        }
    }
    Ok(Report {
        from,
        to,
        dir: dir.to_owned(),
        store: place(dir)?,
        files: summary::files(conn).await?,
        booked: summary::booked(conn).await?,
        unwarned: summary::unwarned(conn).await?,
        drawn: summary::drawn(conn).await?,
        order_statuses: summary::orders(conn).await?,
        partners: summary::standings(conn).await?,
        refunds: summary::refunds(conn).await?,
        asked: summary::asked(conn).await?,
        answered: summary::answered(conn).await?,
        rejections: summary::rejections(conn).await?,
        mails: summary::mails(conn).await?,
        samples,
        proof: summary::proof(conn).await?,
        digest: digest(conn, None).await?,
        outbox: count(&cx.folders.outbox(), false)?,
        exports: count(&dir.join(&cx.policies.export_entitlements.policy.folder), false)?,
        answers: count(&cx.folders.data.join("answers"), true)?,
    })
}

/// The store's directory, named as the others are if it is beside them.
fn place(dir: &Path) -> anyhow::Result<PathBuf> {
    let beside = dir.join("store");
    let there = embedded::directory(dir)?;
    Ok(there.filter(|_| !beside.is_dir()).unwrap_or(beside))
}

/// What a folder holds; `deep`: what the folders in it hold.
fn count(folder: &Path, deep: bool) -> std::io::Result<usize> {
    let entries = fs::read_dir(folder)?.collect::<std::io::Result<Vec<_>>>()?;
    if !deep {
        return Ok(entries.len());
    }
    entries.iter().map(|entry| count(&entry.path(), false)).sum()
}
