//! What it costs to hand mails to a server: claimed, written, signed by nobody, sent over so many connections and put on
//! record, against a client that only sends: `smtp-source` of Postfix where there is one, else our own session in a loop.
//! Both send to the same server, which is no more than a loop: what a real one costs comes on top for both.

mod sink;

use std::{
    collections::HashSet,
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, ensure};
use benefactor::mail::smtp::{MailServer, MailVerdict, Session, StepLimits};
use futures::future::try_join_all;
use secrecy::SecretString;
use sink::Sink;

use crate::{
    Size,
    measure::{self, Cost, Table},
    place::Place,
};

/// Connections at a time.
const LANES: [u64; 3] = [1, 4, 16];
const ROUNDS: usize = 3;
/// Ours may take so many times as long as the other client.
const AIM: f64 = 1.25;
const NOW: &str = "2024-02-01T02:30:00Z";
const QUEUED: &str = "bench_mails_queued";

/// Sends a hundredth of the rows as mails, but no fewer than a smoke test has.
pub async fn measure(place: &mut Place, table: &mut Table, size: Size) -> Result<()> {
    let mails = (size.rows / 100).max(crate::SMOKE);
    let seeded = Size { rows: mails, ..size };
    place.template("bench_mails", None, &[include_str!("seed/mails.sql")], seeded).await?;
    place.round("bench_mails").await?;
    let nobody = "smtp://127.0.0.1:9?tls=none"; // the port that throws away: nobody listens, so all of them stay queued
    measure::run(place.command(["run", "email_contacts", "--now", NOW], None)?.env("SMTP_URL", nobody))?;
    place.keep_round(QUEUED).await?;
    for lanes in LANES {
        let config = config(place, lanes)?;
        let (mut ours, mut theirs) = (Vec::new(), Vec::new());
        let mut peer = "";
        for _ in 0..size.rounds(ROUNDS) {
            place.round(QUEUED).await?;
            let sink = Sink::open()?;
            let url = format!("smtp://127.0.0.1:{}?tls=none", sink.port);
            let cost = measure::run(
                place.command(["mail", "send", "--now", NOW], Some(&config))?.env("SMTP_URL", url),
            )?;
            let arrived = sink.arrived();
            let once: HashSet<&String> = arrived.ids.iter().collect();
            ensure!(
                once.len() as u64 == mails && arrived.ids.len() == once.len(),
                "{} of {mails} mails arrived, {} different ones",
                arrived.ids.len(),
                once.len()
            );
            let bytes = arrived.bytes / arrived.ids.len();
            writeln!(std::io::stderr(), "  ours     {:>8.2} s, {bytes} bytes a mail", cost.seconds)?;
            ours.push(cost);
            let sink = Sink::open()?;
            let (name, seconds) = bare(sink.port, lanes, mails, bytes).await?;
            let sent = sink.arrived().ids.len();
            ensure!(sent as u64 == mails, "{name} sent {sent} of {mails} mails");
            peer = name;
            writeln!(std::io::stderr(), "  {peer} {seconds:>8.2} s")?;
            theirs.push(seconds);
        }
        let rate = f64::from(u32::try_from(mails)?)
            / measure::median(ours.iter().map(|cost: &Cost| cost.seconds).collect());
        let what = format!("{mails} mails over {lanes} connections, {rate:.0}/s");
        table.add(&what, &ours, Some((peer, measure::median(theirs))), Some(AIM));
    }
    place.drop_database(QUEUED).await?;
    place.drop_database("bench_mails").await
}

/// A folder of policies with so many connections.
fn config(place: &Place, lanes: u64) -> Result<PathBuf> {
    let config = place.file(&format!("lanes_{lanes}"));
    fs::create_dir_all(config.join("jobs"))?;
    let usual = include_str!("../../jobs/email_contacts.toml");
    let (before, sending) = usual.split_once("[policy.sending]").context("a policy of sending")?;
    let sending = sending.replacen("lanes = 4", &format!("lanes = {lanes}"), 1);
    fs::write(config.join("jobs/email_contacts.toml"), format!("{before}[policy.sending]{sending}"))?;
    Ok(config)
}

/// As many mails of as many bytes, by a client that has nothing else to do; its name, and how long it took.
async fn bare(port: u16, lanes: u64, mails: u64, bytes: usize) -> Result<(&'static str, f64)> {
    let found =
        ["/usr/sbin/smtp-source", "/usr/bin/smtp-source"].into_iter().find(|at| Path::new(at).exists());
    let started = Instant::now();
    let Some(smtp_source) = found else {
        let each = |lane| send(port, mails / lanes + u64::from(lane < mails % lanes), bytes);
        try_join_all((0..lanes).map(each)).await?;
        return Ok(("our session alone", started.elapsed().as_secs_f64()));
    };
    let args = [
        ["-s", &lanes.to_string()],
        ["-m", &mails.to_string()],
        ["-l", &bytes.to_string()],
        ["-f", "benefits@benefactor.example"],
        ["-t", "p@d.example"],
    ];
    let ended = Command::new(smtp_source)
        .arg("-d") // the connection is kept
        .args(args.concat())
        .arg(format!("inet:127.0.0.1:{port}"))
        .stdout(Stdio::null())
        .status()?;
    ensure!(ended.success(), "smtp-source: {ended}");
    Ok(("smtp-source", started.elapsed().as_secs_f64()))
}

async fn send(port: u16, mails: u64, bytes: usize) -> Result<()> {
    let url = SecretString::from(format!("smtp://127.0.0.1:{port}?tls=none"));
    let limits = StepLimits { step: Duration::from_mins(1), after_dot: Duration::from_mins(10) };
    let mut session = Session::open(&MailServer::parse(&url, None, None)?, "bench.example", limits).await?;
    for nth in 0..mails {
        let head = format!("Message-ID: <{nth}@bench.example>\r\n\r\n");
        let body = format!("{}\r\n", "x".repeat(70)).repeat(bytes.saturating_sub(head.len()) / 72);
        let message = head + &body;
        let verdict = session.send("benefits@benefactor.example", "p@d.example", message.as_bytes()).await;
        ensure!(matches!(verdict, MailVerdict::Accepted(_)), "{verdict:?}");
    }
    session.quit().await;
    Ok(())
}
