//! What a person would use today, on the same file and store: a script with pandas and `SQLAlchemy`, and pgloader. Each loads
//! the file as it is; the same merge by hand follows. A peer that is not on this machine is skipped, and told so.

use std::{
    fs,
    io::Write as _,
    path::Path,
    process::{Command, Stdio},
    time::Instant,
};

use anyhow::{Context as _, Result, ensure};

use crate::{
    Size,
    files::{self, ON, Order},
    measure::{Table, median},
    place::{Place, equal},
};

const ROUNDS: usize = 3;
/// The script with pandas.
const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/bench/peers/load.py");
/// Columns of the file; what is blank in the last four is unknown.
const COLUMNS: &str =
    "partner_id, order_id, offer, benefit, benefit_type, quantity, purchased_on, starts_on, expires_on";
const MAY_BE_BLANK: [&str; 4] = ["amount", "currency", "competency", "subscription_id"];

/// One of them.
#[derive(Clone, Copy, Debug)]
enum Peer {
    Pandas,
    Pgloader,
}

impl Peer {
    /// Its versions, where it is on this machine; else what it needs.
    fn versions(self) -> Result<String, &'static str> {
        let (mut command, needs) = match self {
            Self::Pandas => {
                let mut command = python();
                command.arg(SCRIPT);
                (command, "pandas, SQLAlchemy and psycopg in the Python that BENEFACTOR_BENCH_PYTHON names")
            }
            Self::Pgloader => {
                let mut command = Command::new("pgloader");
                command.arg("--version");
                (command, "pgloader on PATH: apt-get install pgloader")
            }
        };
        let said = command.stderr(Stdio::null()).output().map_err(|_| needs)?;
        if !said.status.success() {
            return Err(needs);
        }
        let said = String::from_utf8_lossy(&said.stdout);
        Ok(said.lines().next().unwrap_or_default().to_owned())
    }

    /// The command that loads `file` into the table `incoming`.
    fn load(self, place: &Place, file: &Path) -> Result<Command> {
        Ok(match self {
            Self::Pandas => {
                let mut command = python();
                command.arg(SCRIPT).arg(place.owner_url()?).arg(file);
                command
            }
            Self::Pgloader => {
                let orders = place.file("pgloader.load");
                fs::write(&orders, loading(place, file)?)?;
                let mut command = Command::new("pgloader");
                command.arg("--quiet").arg("--root-dir").arg(place.file("pgloader")).arg(orders);
                command
            }
        })
    }
}

fn python() -> Command {
    Command::new(std::env::var_os("BENEFACTOR_BENCH_PYTHON").unwrap_or_else(|| "python3".into()))
}

/// What pgloader is told.
fn loading(place: &Place, file: &Path) -> Result<String> {
    let (database, socket) = place.owner_socket()?;
    let blank = MAY_BE_BLANK.map(|column| format!("{column} [null if blanks]")).join(", ");
    Ok(format!(
        "load csv from '{}' having fields ({COLUMNS}, {blank})
         into postgresql://postgres@unix:{socket}:5432/{database}
         target table incoming target columns ({COLUMNS}, {})
         with skip header = 1, fields terminated by ',', fields optionally enclosed by '\"';\n",
        file.display(),
        MAY_BE_BLANK.join(", ")
    ))
}

/// Measures the import of a file against each.
pub async fn measure(place: &mut Place, table: &mut Table, size: Size) -> Result<()> {
    place.template("bench_people", None, &[include_str!("seed/people.sql")], size).await?;
    let file = place.file("entitlements.csv");
    files::write(&file, size, Order::Interleaved, "incremental")?;
    for peer in [Peer::Pandas, Peer::Pgloader] {
        match peer.versions() {
            Ok(versions) => compare(place, table, size, (peer, &versions), &file).await?,
            Err(needs) => writeln!(std::io::stderr(), "  SKIPPED: {peer:?} needs {needs}")?,
        }
    }
    place.drop_database("bench_people").await
}

async fn compare(
    place: &mut Place,
    table: &mut Table,
    size: Size,
    (peer, versions): (Peer, &str),
    file: &Path,
) -> Result<()> {
    writeln!(std::io::stderr(), "  {versions}")?;
    let by_hand = include_str!("baseline/import.sql").replace(":on", ON);
    let (create, rest) = by_hand.split_once(";\n").context("the table that a file is loaded into")?;
    let (_, merge) = rest.split_once(";\n").context("the merge")?;
    let (mut ours, mut baseline) = (Vec::new(), Vec::new());
    for _ in 0..size.rounds(ROUNDS) {
        place.round("bench_people").await?;
        place.arrange(create).await?;
        let started = Instant::now();
        let loaded = peer.load(place, file)?.stdin(Stdio::null()).stdout(Stdio::null()).status()?;
        let seconds = started.elapsed().as_secs_f64();
        ensure!(loaded.success(), "{peer:?} ended with {loaded}");
        baseline.push(seconds + place.baseline(merge, None).await?);
        let written = place.content(files::WRITTEN).await?;
        place.round("bench_people").await?;
        ours.push(files::take_tidy(place, file)?);
        equal("import", &place.content(files::WRITTEN).await?, &written)?;
    }
    let against = format!("{peer:?} and a merge by hand");
    table.add(&format!("import {}", size.rows), &ours, Some((&against, median(baseline))), None);
    Ok(())
}
