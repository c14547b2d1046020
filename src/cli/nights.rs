//! `night` and `run`: what is due, done now or shown by a dry run.

use std::sync::Arc;

use anyhow::Context as _;
use chrono::{Days, NaiveDate};
use clap::Args;
use futures::FutureExt as _;
use sqlx::Connection;
use tokio::sync::OnceCell;

use super::{
    effects,
    exit::{Ending, Exit},
    facts::facts,
    location::location,
    mailing::send_after,
};
use crate::{
    answers::night_report,
    jobs::{
        self, Folders, Job, REGISTRY, email_contacts, email_operators,
        engine::{
            name,
            night::{self, Night},
            retention,
        },
        intake::{self, inbox},
    },
    mail::{dkim::DkimKeys, smtp::MailServer},
    settings::Settings,
    store::{Store, vault::SecretPlace},
};

pub(super) const NIGHT_EXAMPLE: &str = "\
Examples:
  benefactor night                       every business date not yet complete, up to yesterday (UTC)
  benefactor night --on 2024-02-29 --dry-run";

pub(super) const RUN_EXAMPLE: &str = "Example:\n  benefactor run provision_credits --on 2024-02-29";

/// What `night` takes.
#[derive(Args, Debug)]
pub(super) struct NightArgs {
    /// Up to this business date; without it the last full day (UTC)
    #[arg(long, value_name = "DATE", conflicts_with_all = ["from", "to"])]
    on: Option<NaiveDate>,
    /// Where a fresh store starts; any other store starts at its first date that is not complete
    #[arg(long, value_name = "DATE")]
    from: Option<NaiveDate>,
    /// Up to this business date
    #[arg(long, value_name = "DATE")]
    to: Option<NaiveDate>,
    /// Print every effect and change nothing
    #[arg(long)]
    dry_run: bool,
}

/// What `run` takes.
#[derive(Args, Debug)]
pub(super) struct RunArgs {
    /// The job
    job: String,
    /// For this business date; without it the last full day
    #[arg(long, value_name = "DATE")]
    on: Option<NaiveDate>,
    /// Print every effect and change nothing
    #[arg(long)]
    dry_run: bool,
}

/// The last full UTC day of the business clock.
pub(super) fn last_full_day(settings: &Settings) -> NaiveDate {
    let today = settings.still_clock().today();
    today.checked_sub_days(Days::new(1)).unwrap_or(today)
}

/// A business date that is over; others are refused.
pub(super) fn over(settings: &Settings, asked: Option<NaiveDate>) -> anyhow::Result<NaiveDate> {
    let last = last_full_day(settings);
    match asked {
        Some(day) if day > last => Err(Ending::new(
            Exit::Usage,
            format!("{day} is not over: the last full day is {last} (UTC); a night sees whole days only"),
        )
        .into()),
        asked => Ok(asked.unwrap_or(last)),
    }
}

/// What jobs work with.
pub(super) fn context(settings: &Settings, today: NaiveDate, dry_run: bool) -> anyhow::Result<jobs::Context> {
    let (policies, catalogue, text) = facts(settings)?;
    let clock = settings.still_clock();
    Ok(jobs::Context {
        policies: Arc::new(policies),
        catalogue: Arc::new(catalogue),
        catalogue_sha256: jobs::sha256(text.as_bytes()),
        folders: Folders { data: settings.data_dir.clone(), scratch: scratch(dry_run)? },
        today,
        arrived_on: clock.today(),
        now: jobs::Now::told(move || clock.now()),
        gather: jobs::Gather::told(|conn, asked| night_report::read(conn, asked).boxed()),
        latest: true,
        dry_run,
        worker: name::of_process(night::ROLE),
        place: name::of_place(&settings.data_dir),
        epoch: None,
        stop: jobs::Stop::never(),
        waited: jobs::Waited::default(),
        server: server(settings)?,
        dkim: Arc::new(dkim(settings)?),
        public_url: settings.public_url().map(str::to_owned),
        vault: Arc::new(SecretPlace::new(settings.key_file(), &settings.data_dir, dry_run)),
        lanes: None,
        rates: OnceCell::new(),
    })
}

/// The mail server that the settings name.
fn server(settings: &Settings) -> anyhow::Result<Option<Arc<MailServer>>> {
    let named = settings.smtp().map_err(|error| {
        Ending::new(Exit::Usage, format!("the password of the mail server cannot be read: {error}"))
    })?;
    let Some(named) = named else { return Ok(None) };
    match MailServer::parse(&named.url, named.password, named.ca_file) {
        Ok(server) => Ok(Some(Arc::new(server))),
        Err(error) => Err(Ending::new(Exit::Usage, error.to_string()).into()),
    }
}

/// The keys that the settings name.
pub(super) fn dkim(settings: &Settings) -> anyhow::Result<DkimKeys> {
    DkimKeys::read(settings.dkim_keys()).map_err(|error| Ending::new(Exit::Usage, error.to_string()).into())
}

/// A folder for what a dry run puts aside.
fn scratch(dry_run: bool) -> anyhow::Result<Option<Arc<tempfile::TempDir>>> {
    Ok(if dry_run { Some(Arc::new(tempfile::tempdir().context("no temporary folder")?)) } else { None })
}

pub(super) async fn run_night(settings: &Settings, args: NightArgs) -> anyhow::Result<Exit> {
    let to = over(settings, args.on.or(args.to))?;
    if let Some(from) = args.from.filter(|from| *from > to) {
        let sentence = format!("--from {from} is after --to {to}: nothing lies between");
        return Err(Ending::new(Exit::Usage, sentence).into());
    }
    let mut cx = context(settings, to, args.dry_run)?;
    inbox::rest(&cx).await?;
    let store = Store::open(&location(settings)?).await?;
    cx.lanes = Some(store.pool.clone()).filter(|_| !args.dry_run);
    let result = if args.dry_run {
        let mut conn = store.pool.acquire().await?;
        let mut tx = conn.begin().await?;
        let nights = night::rehearse(&cx, &mut tx, args.from, to).await;
        let told = match nights {
            Ok(nights) => {
                let told = effects::tell(&mut tx, &nights, settings.json).await;
                told.and(left_out(nights))
            }
            Err(error) => Err(error.into()),
        };
        tx.rollback().await?;
        told
    } else {
        let mut lines = Vec::new();
        let done = night::run(&cx, &store.pool, args.from, to, |night| lines.push(night.clone())).await;
        effects::tell_nights(&lines, settings.json)?;
        if matches!(done, Ok(()) | Err(jobs::Error::LeftOut(_))) {
            prune(&cx, &store).await;
        }
        if matches!(done, Ok(()) | Err(jobs::Error::LeftOut(_) | jobs::Error::Incomplete { .. })) {
            send_after(cx.on(to, true), &store).await;
        }
        done.map_err(Into::into)
    };
    store.close().await;
    result.map(|()| Exit::Done)
}

/// What nights went on past, as the error that they end with.
fn left_out(nights: impl IntoIterator<Item = Night>) -> anyhow::Result<()> {
    let all: Vec<_> = nights.into_iter().flat_map(|night| night.left_out).collect();
    if all.is_empty() { Ok(()) } else { Err(jobs::Error::LeftOut(all).into()) }
}

/// Forgets what is long done, a bounded part of it: where nights are all that runs, nobody else does.
async fn prune(cx: &jobs::Context, store: &Store) {
    let pruned = async {
        let mut conn = store.pool.acquire().await?;
        retention::prune(&cx.policies, &cx.folders.data, &mut conn).await
    };
    if let Err(error) = pruned.await {
        tracing::warn!(%error, "what is no longer kept could not be removed");
    }
}

pub(super) async fn run_job(settings: &Settings, args: RunArgs) -> anyhow::Result<Exit> {
    let job = Job::named(&args.job).ok_or_else(|| {
        let known: Vec<&str> = REGISTRY.iter().map(|job| job.name).collect();
        Ending::new(Exit::Usage, format!("there is no job '{}'; there are: {}", args.job, known.join(", ")))
    })?;
    let on = over(settings, args.on)?;
    let mut cx = context(settings, on, args.dry_run)?;
    if job.name == intake::NAME {
        inbox::rest(&cx).await?;
    }
    let store = Store::open(&location(settings)?).await?;
    cx.lanes = Some(store.pool.clone()).filter(|_| !args.dry_run);
    let result = if args.dry_run {
        let mut conn = store.pool.acquire().await?;
        let mut tx = conn.begin().await?;
        let told = match night::rehearse_job(&cx, job, &mut tx).await {
            Ok(night) => {
                let told = effects::tell(&mut tx, std::slice::from_ref(&night), settings.json).await;
                told.and(left_out([night]))
            }
            Err(error) => Err(error.into()),
        };
        tx.rollback().await?;
        told
    } else {
        match night::run_job(&cx, job, &store.pool).await {
            Ok(night) => {
                let told = effects::tell_nights(std::slice::from_ref(&night), settings.json);
                if [email_contacts::JOB.name, email_operators::JOB.name].contains(&job.name) {
                    send_after(cx.on(on, true), &store).await;
                }
                told.and(left_out([night]))
            }
            Err(error) => Err(error.into()),
        }
    };
    store.close().await;
    result.map(|()| Exit::Done).context(job.name)
}
