//! Commands, their help, and how each ends.
//!
//! A command is a variant of `Command` (its doc comment is its help, `after_help` one real example) and one
//! `run_…` function beside its group. Results go to standard output, log lines to standard error.

mod benefits;
mod check;
mod db;
mod demo;
mod digest;
mod dropped;
mod effects;
mod erasing;
pub mod exit;
mod explain;
mod export;
mod facts;
mod files;
mod held_rates;
mod jobs;
mod keys;
mod location;
mod logs;
mod mail;
mod mailing;
mod nights;
mod output;
mod rates;
mod reasons;
mod request;
mod requests;
mod reverting;
mod snapshot;
mod status;
mod suppressions;
mod template;
mod up;
mod who;

use std::{future::Future, io::Write, process::ExitCode, time::Duration};

use anyhow::Context;
use clap::{Parser, Subcommand};

use crate::{jobs::engine::fault, settings::Settings};
use exit::Exit;

/// Back office for the benefits of a partner-programme membership: files in, credit granted and expired by night,
/// people told, files out.
#[derive(Debug, Parser)]
#[command(name = "benefactor", version, max_term_width = 100)]
struct Cli {
    #[command(flatten)]
    settings: Settings,
    #[command(subcommand)]
    command: Command,
}

/// What it can do.
#[derive(Debug, Subcommand)]
enum Command {
    /// Watch more than a year of nights in seconds, on invented partners and a store of its own
    #[command(after_help = demo::DEMO_EXAMPLE)]
    Demo(demo::DemoArgs),
    /// Run everything in one process: the store, the inbox, the nights, until SIGTERM or Ctrl-C
    #[command(after_help = up::UP_EXAMPLE)]
    Up(up::UpArgs),
    /// Run workers and the timetable only, on an existing database
    #[command(after_help = up::WORKER_EXAMPLE)]
    Worker(up::UpArgs),
    /// Run the nightly jobs for every business date not yet complete
    #[command(after_help = nights::NIGHT_EXAMPLE)]
    Night(nights::NightArgs),
    /// Run one job now
    #[command(after_help = nights::RUN_EXAMPLE)]
    Run(nights::RunArgs),
    /// Take files in, and answer every row
    #[command(after_help = files::IMPORT_EXAMPLE)]
    Import(files::ImportArgs),
    /// List what was dropped or imported, what became of it, and where its answer is; and what lies in the inbox
    #[command(after_help = dropped::EXAMPLE)]
    Files(dropped::FilesArgs),
    /// Ask for what a row of a file can do, without a file
    #[command(subcommand, after_help = request::EXAMPLE)]
    Request(request::RequestCommand),
    /// List what waits for an operator, with what to do about it; let requests in, or refuse them
    #[command(after_help = requests::EXAMPLE, args_conflicts_with_subcommands = true)]
    Requests(requests::RequestsArgs),
    /// Say which reference rates are stored, missing or waiting; state that none were published on a day; admit rates, and
    /// take them back
    #[command(subcommand, after_help = rates::EXAMPLE)]
    Rates(rates::RatesCommand),
    /// Show product keys, on record each time, and say what redeeming one would do
    #[command(subcommand, after_help = keys::EXAMPLE)]
    Keys(keys::KeysCommand),
    /// Write an empty file of a kind to fill in, as CSV or as a workbook
    #[command(after_help = template::EXAMPLE)]
    Template(template::TemplateArgs),
    /// Write files: every kind that is taken in, and the ledger, balances, decisions and refunds
    #[command(after_help = export::EXAMPLE)]
    Export(export::ExportArgs),
    /// Tell the whole history of a partner, an order, an entitlement, a user, a key or a request, with reasons
    #[command(after_help = explain::EXAMPLE)]
    Explain(explain::ExplainArgs),
    /// List what a member has: product, quantity, offer, type, expiry, what is left; and the support IDs
    #[command(after_help = benefits::EXAMPLE)]
    Benefits(benefits::BenefitsArgs),
    /// List every reason code with its rule, its sentences in English and Swedish, and when it becomes a yes
    #[command(after_help = reasons::EXAMPLE)]
    Reasons,
    /// Say when it last ran, whether it is late, who works and what waits; exit code 1 when a night is overdue, or when
    /// nobody keeps the timetable any more
    #[command(after_help = status::EXAMPLE)]
    Status,
    /// Validate timetables, policies, the catalogue and the mail templates; needs no database
    #[command(after_help = check::CHECK_EXAMPLE)]
    Check,
    /// Say when every job is due next; needs no database
    #[command(after_help = check::TIMETABLE_EXAMPLE)]
    Timetable(check::TimetableArgs),
    /// See what waits, runs or failed for good, and do something about it
    #[command(subcommand, after_help = jobs::EXAMPLE)]
    Jobs(jobs::JobsCommand),
    /// See which mails wait, and what became of the others
    #[command(subcommand, after_help = mail::EXAMPLE)]
    Mail(mail::MailCommand),
    /// List the addresses that no mail goes to; add and remove them
    #[command(subcommand, after_help = suppressions::EXAMPLE)]
    Suppressions(suppressions::SuppressionsCommand),
    /// Take a marketing contact out: names and addresses give way to a pseudonym
    #[command(subcommand, after_help = erasing::CONTACT_EXAMPLE)]
    Contact(erasing::ContactCommand),
    /// Take a directory user out: names and addresses give way to a pseudonym
    #[command(subcommand, after_help = erasing::USER_EXAMPLE, alias = "directory")]
    User(erasing::UserCommand),
    /// Print the SHA-256 of what the ledger says, to compare two stores
    #[command(after_help = digest::EXAMPLE)]
    Digest(digest::DigestArgs),
    /// Bring the database's schema up to this version, and grant to its roles
    #[command(after_help = db::MIGRATE_EXAMPLE)]
    Migrate(db::MigrateArgs),
    /// Reach the store's database
    #[command(subcommand)]
    Db(db::DbCommand),
    /// Run the private Postgres of a store until nobody uses it; started by whoever needs it
    #[command(hide = true)]
    KeepStore(db::KeepStoreArgs),
}

/// Reads the arguments, runs one command, says what went wrong in one line.
#[must_use]
pub fn main() -> ExitCode {
    let Cli { settings, command } = Cli::parse();
    logs::start(settings.log);
    if let Err(error) = fault::read() {
        let _ = writeln!(std::io::stderr(), "benefactor: {error}");
        return Exit::Usage.into();
    }
    match run(&settings, command) {
        Ok(exit) => exit.into(),
        Err(error) => {
            let exit = exit::of(&error);
            if exit != Exit::Done {
                let _ = writeln!(std::io::stderr(), "benefactor: {error:#}");
            }
            exit.into()
        }
    }
}

fn run(settings: &Settings, command: Command) -> anyhow::Result<Exit> {
    match command {
        Command::Demo(args) => wait(demo::run_demo(settings, args)),
        Command::Up(args) => wait(up::run_up(settings, args)),
        Command::Worker(args) => wait(up::run_worker(settings, args)),
        Command::Night(args) => wait(nights::run_night(settings, args)),
        Command::Run(args) => wait(nights::run_job(settings, args)),
        Command::Import(args) => wait(files::run_import(settings, args)),
        Command::Files(args) => wait(dropped::run_files(settings, args)),
        Command::Request(command) => wait(request::run_request(settings, command)),
        Command::Requests(args) => wait(requests::run_requests(settings, args)),
        Command::Rates(command) => wait(rates::run_rates(settings, command)),
        Command::Keys(command) => wait(keys::run_keys(settings, command)),
        Command::Template(args) => template::run_template(settings, &args),
        Command::Export(args) => wait(export::run_export(settings, args)),
        Command::Explain(args) => wait(explain::run_explain(settings, args)),
        Command::Benefits(args) => wait(benefits::run_benefits(settings, args)),
        Command::Reasons => reasons::run_reasons(settings),
        Command::Status => wait(status::run_status(settings)),
        Command::Check => check::run_check(settings),
        Command::Timetable(args) => check::run_timetable(settings, &args),
        Command::Jobs(command) => wait(jobs::run_jobs(settings, command)),
        Command::Mail(command) => wait(mail::run_mail(settings, command)),
        Command::Suppressions(command) => wait(suppressions::run_suppressions(settings, command)),
        Command::Contact(command) => wait(erasing::run_contact(settings, command)),
        Command::User(command) => wait(erasing::run_user(settings, command)),
        Command::Digest(args) => wait(digest::run_digest(settings, args)),
        Command::Migrate(args) => wait(db::run_migrate(settings, args)),
        Command::Db(db::DbCommand::Psql(args)) => wait(db::run_psql(settings, args)),
        Command::Db(db::DbCommand::Hold(args)) => wait(db::run_hold(settings, args)),
        Command::Db(db::DbCommand::Url(args)) => wait(db::run_url(settings, args)),
        Command::KeepStore(args) => db::run_keep_store(settings, &args),
    }
}

/// So that one that computes for ever leaves others, on the smallest machine too.
const LEAST_THREADS: usize = 4;
/// How often a sleeping thread is woken: one that computes for ever may be the very one that looked after timers and
/// connections, and nobody else would until then.
const POKED_EVERY: Duration = Duration::from_secs(1);

/// Runs an asynchronous command to its end.
fn wait(command: impl Future<Output = anyhow::Result<Exit>>) -> anyhow::Result<Exit> {
    let threads = std::thread::available_parallelism().map_or(LEAST_THREADS, usize::from).max(LEAST_THREADS);
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    let runtime = runtime.worker_threads(threads).enable_all().build().context("no runtime")?;
    let poked = runtime.handle().clone();
    std::thread::spawn(move || {
        loop {
            std::thread::sleep(POKED_EVERY);
            poked.spawn(async {});
        }
    });
    let ended = runtime.block_on(command);
    // A thread that computes for ever does not keep the process.
    runtime.shutdown_timeout(Duration::from_secs(5));
    ended
}
