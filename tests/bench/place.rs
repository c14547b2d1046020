//! Where it is measured: a private durable store of its own, and databases cloned from seeded templates.

use std::{
    fs::{self, File},
    io::{Read as _, Write as _},
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, ensure};
use benefactor::{
    store::{
        embedded::{self, Hold, Login},
        schema::{self, Grants},
    },
    worker,
};
use futures::StreamExt as _;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Executor, PgConnection, postgres::PgConnectOptions};

use crate::{
    Size,
    measure::{self, Cost, Ended},
};

const BENEFACTOR: &str = env!("CARGO_BIN_EXE_benefactor");
/// The database that a round works in.
const ROUND: &str = "bench_round";

/// The store, and the folder where files go.
pub struct Place {
    hold: Hold,
    server: PgConnection,
    dir: PathBuf,
}

impl Place {
    /// Opens it under cargo's target directory, without what an earlier run left there.
    pub async fn open() -> Result<Self> {
        let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join("bench");
        fs::create_dir_all(&dir)?;
        let options = embedded::Options {
            data_dir: dir.clone(),
            pg_bin_dir: std::env::var_os("PG_BIN_DIR").filter(|dir| !dir.is_empty()).map(PathBuf::from),
            archive: embedded::Archive::Usual,
            keeper: PathBuf::from(BENEFACTOR),
            durable: true,
        };
        let hold = embedded::hold(&options)?;
        let server = connect(&url(&hold, "postgres", Login::Owner)?).await?;
        let mut place = Self { hold, server, dir };
        place.clear().await?;
        Ok(place)
    }

    /// Leaves it, empty.
    pub async fn close(mut self) -> Result<()> {
        self.clear().await?;
        self.server.close().await?;
        drop(self.hold);
        Ok(())
    }

    async fn clear(&mut self) -> Result<()> {
        let left: Vec<String> =
            sqlx::query_scalar(r"select datname::text from pg_database where datname like 'bench\_%'")
                .fetch_all(&mut self.server)
                .await?;
        for database in left {
            self.drop_database(&database).await?;
        }
        let files = self.dir.join("files");
        if files.exists() {
            fs::remove_dir_all(&files)?;
        }
        fs::create_dir(&files)?;
        Ok(())
    }

    /// Drops a database that is not needed any more.
    pub async fn drop_database(&mut self, database: &str) -> Result<()> {
        self.run_on_server(&format!("drop database if exists {database} with (force)")).await
    }

    /// Where a file of that name goes.
    pub fn file(&self, name: &str) -> PathBuf {
        self.dir.join("files").join(name)
    }

    /// A migrated database with nothing in it.
    pub async fn migrated(&mut self, name: &str) -> Result<()> {
        self.run_on_server(&format!("create database {name}")).await?;
        let owner_url = url(&self.hold, name, Login::Owner)?;
        let (mut owner, mut lock) = (connect(&owner_url).await?, connect(&owner_url).await?);
        let grants = Grants::default().and(Login::Worker.role(), Login::Reader.role());
        schema::migrate(&mut owner, &mut lock, &worker::transport_migrations(), &grants).await?;
        owner.close().await?;
        lock.close().await?;
        Ok(())
    }

    /// A migrated database, or a clone of `from`, after these statements, in order as after a vacuum.
    pub async fn template(
        &mut self,
        name: &str,
        from: Option<&str>,
        seeds: &[&str],
        size: Size,
    ) -> Result<()> {
        let started = Instant::now();
        match from {
            Some(from) => self.clone(from, name).await?,
            None => self.migrated(name).await?,
        }
        let mut conn = connect(&url(&self.hold, name, Login::Owner)?).await?;
        for seed in seeds {
            let seed = seed
                .replace(":rows", &size.rows.to_string())
                .replace(":partners", &size.partners.to_string());
            conn.execute(AssertSqlSafe(seed)).await?;
        }
        if from.is_some() {
            conn.execute("vacuum full credit_schedule").await?;
        }
        conn.execute("vacuum (freeze, analyze)").await?;
        conn.close().await?;
        writeln!(std::io::stderr(), "seeded {name} in {:.0} s", started.elapsed().as_secs_f64())?;
        Ok(())
    }

    async fn clone(&mut self, from: &str, to: &str) -> Result<()> {
        self.run_on_server(&format!("create database {to} template {from} strategy file_copy")).await
    }

    /// The state that a round starts from: a clone of `template`, with nothing left to write of what came before.
    pub async fn round(&mut self, template: &str) -> Result<()> {
        self.drop_database(ROUND).await?;
        self.clone(template, ROUND).await?;
        self.checkpoint().await
    }

    /// Writes out what is dirty.
    pub async fn checkpoint(&mut self) -> Result<()> {
        self.run_on_server("checkpoint").await
    }

    /// Keeps the database of this round under another name.
    pub async fn keep_round(&mut self, name: &str) -> Result<()> {
        self.run_on_server(&format!("alter database {ROUND} rename to {name}")).await
    }

    /// The program on the database of this round, with the policies of `config` if they are not to be its own.
    pub fn command<S: AsRef<std::ffi::OsStr>>(
        &self,
        args: impl IntoIterator<Item = S>,
        config: Option<&PathBuf>,
    ) -> Result<Command> {
        let mut command = Command::new(BENEFACTOR);
        command.env_clear().env("BENEFACTOR_DATA_DIR", self.file("data"));
        command.env("DATABASE_URL", self.url()?).args(args);
        let given = std::env::var_os("BENEFACTOR_CONFIG_DIR"); // to try other numbers of rows and lanes
        if let Some(config) = config.map(|config| config.clone().into_os_string()).or(given) {
            command.env("BENEFACTOR_CONFIG_DIR", config);
        }
        Ok(command)
    }

    /// Runs the program on the database of this round to its end.
    pub fn program<S: AsRef<std::ffi::OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Result<Cost> {
        self.program_with(args, None)
    }

    /// As [`Self::program`], with policies.
    pub fn program_with<S: AsRef<std::ffi::OsStr>>(
        &self,
        args: impl IntoIterator<Item = S>,
        config: Option<&PathBuf>,
    ) -> Result<Cost> {
        let cost = measure::run(&mut self.command(args, config)?)?;
        writeln!(std::io::stderr(), "  ours     {:>8.2} s", cost.seconds)?;
        Ok(cost)
    }

    /// As [`Self::program`], ending with whatever code; stopped when it takes longer than the limit. What it says is in
    /// [`Self::said`].
    pub fn program_within(&self, args: &[String], limit: Option<Duration>) -> Result<Ended> {
        let mut command = self.command(args, None)?;
        let ended = measure::run_within(command.stdout(File::create(self.said())?), limit)?;
        let how = if ended.stopped { "stopped" } else { "ours   " };
        writeln!(std::io::stderr(), "  {how}  {:>8.2} s", ended.cost.seconds)?;
        Ok(ended)
    }

    /// What the program said last on standard output.
    pub fn said(&self) -> PathBuf {
        self.file("said")
    }

    /// Ends what a program left behind that was stopped: its connections to the database of this round.
    pub async fn disconnect_all(&mut self) -> Result<()> {
        self.run_on_server(&format!(
            "select pg_terminate_backend(pid, 10000) from pg_stat_activity where datname = '{ROUND}'"
        ))
        .await
    }

    /// Where a worker connects to the database of this round.
    pub fn url(&self) -> Result<String> {
        url(&self.hold, ROUND, Login::Worker)
    }

    /// Where the owner connects to the database of this round.
    pub fn owner_url(&self) -> Result<String> {
        url(&self.hold, ROUND, Login::Owner)
    }

    /// The database of this round, and the directory of its server's socket.
    pub fn owner_socket(&self) -> Result<(&'static str, String)> {
        let url = self.owner_url()?;
        let (_, socket) = url.split_once("host=").context("a socket in the address of the store")?;
        Ok((ROUND, socket.split('&').next().unwrap_or(socket).replace("%2F", "/")))
    }

    /// One connection to the database of this round, as its owner.
    pub async fn connect(&self) -> Result<PgConnection> {
        connect(&self.owner_url()?).await
    }

    /// Runs statements on the database of this round, each ended by a semicolon at a line's end, in one transaction; says
    /// how long that took. What is copied goes through this connection to and from `file`: where files are, the server's
    /// own account may not read.
    pub async fn baseline(&self, statements: &str, file: Option<&Path>) -> Result<f64> {
        let mut conn = self.connect().await?;
        let started = Instant::now();
        let mut tx = conn.begin().await?;
        for statement in statements.split(";\n").filter(|statement| !statement.trim().is_empty()) {
            match file {
                Some(file) if statement.contains("from stdin") => copy_in(&mut tx, statement, file).await?,
                Some(file) if statement.contains("to stdout") => copy_out(&mut tx, statement, file).await?,
                _ => {
                    tx.execute(AssertSqlSafe(statement.to_owned())).await?;
                }
            }
        }
        tx.commit().await?;
        let seconds = started.elapsed().as_secs_f64();
        conn.close().await?;
        writeln!(std::io::stderr(), "  baseline {seconds:>8.2} s")?;
        Ok(seconds)
    }

    /// Runs statements on the database of this round, one by one, that are no part of what is measured.
    pub async fn arrange(&self, statements: &str) -> Result<()> {
        let mut conn = self.connect().await?;
        conn.execute(AssertSqlSafe(statements.to_owned())).await?;
        conn.close().await?;
        Ok(())
    }

    /// How long statements took so far in the database of this round, in seconds: of connections that are closed.
    pub async fn in_store(&mut self) -> Result<f64> {
        let milliseconds: f64 =
            sqlx::query_scalar("select active_time from pg_stat_database where datname = $1")
                .bind(ROUND)
                .fetch_one(&mut self.server)
                .await?;
        Ok(milliseconds / 1000.0)
    }

    /// What a query of lines says: how many, and one number for all of them in any order.
    pub async fn content(&self, lines: &str) -> Result<(i64, String)> {
        let mut conn = self.connect().await?;
        let query = format!(
            "select count(*), coalesce(sum(hashtextextended(line, 0)), 0)::text from ({lines}) as of (line)"
        );
        let content = sqlx::query_as(AssertSqlSafe(query)).fetch_one(&mut conn).await?;
        conn.close().await?;
        Ok(content)
    }

    /// A query's one column, which is text.
    pub async fn lines(&self, query: &str) -> Result<Vec<String>> {
        let mut conn = self.connect().await?;
        let lines = sqlx::query_scalar(AssertSqlSafe(query.to_owned())).fetch_all(&mut conn).await?;
        conn.close().await?;
        Ok(lines)
    }

    async fn run_on_server(&mut self, statement: &str) -> Result<()> {
        self.server.execute(AssertSqlSafe(statement.to_owned())).await?;
        Ok(())
    }
}

async fn copy_in(conn: &mut PgConnection, statement: &str, file: &Path) -> Result<()> {
    let mut copy = conn.copy_in_raw(statement).await?;
    let (mut from, mut part) = (File::open(file)?, vec![0; 1 << 18]);
    loop {
        match from.read(&mut part)? {
            0 => break,
            read => copy.send(part.get(..read).unwrap_or_default()).await?,
        };
    }
    copy.finish().await?;
    Ok(())
}

async fn copy_out(conn: &mut PgConnection, statement: &str, file: &Path) -> Result<()> {
    let mut out = File::create(file)?;
    let mut copy = conn.copy_out_raw(statement).await?;
    while let Some(part) = copy.next().await {
        out.write_all(&part?)?;
    }
    Ok(())
}

/// Both sides wrote the same.
pub fn equal<T: PartialEq + std::fmt::Debug>(what: &str, ours: &T, baseline: &T) -> Result<()> {
    ensure!(ours == baseline, "{what}: ours is {ours:?}, the baseline {baseline:?}");
    Ok(())
}

fn url(hold: &Hold, database: &str, login: Login) -> Result<String> {
    Ok(hold.url(login)?.replace("/benefactor?", &format!("/{database}?")))
}

async fn connect(url: &str) -> Result<PgConnection> {
    let options: PgConnectOptions = url.parse()?;
    Ok(options.connect().await?)
}
