//! Making, starting, adopting and stopping the private cluster. Only a keeper does any of it.

use std::{
    fs::{self, File},
    io::{Read, Seek, SeekFrom, Write},
    os::unix::process::CommandExt,
    path::PathBuf,
    process::{Child, Command, Output, Stdio},
    thread,
    time::{Duration, Instant},
};

use super::{
    binaries::{self, Binaries, Search},
    error::Error,
    login::{DATABASE, Login},
    place::{Place, answers, socket_name},
};

/// How long a start may take: recovery after a crash reads up to `max_wal_size` of log.
const START: Duration = Duration::from_mins(10);

/// For two cores and bulk loads of a million rows.
const DURABLE: [&str; 6] = [
    "shared_buffers=256MB",     // the tables that a night reads again and again fit
    "max_wal_size=4GB", // a bulk load does not force a checkpoint, after which every page is logged whole
    "checkpoint_timeout=15min", // as above, by the clock
    "work_mem=32MB",    // merging a staged million sorts and hashes without many temporary files
    "maintenance_work_mem=128MB",
    "max_connections=400", // a process that works takes fifteen to forty
];

/// For tests that throw the cluster away: nothing waits for the disk.
const VOLATILE: [&str; 9] = [
    "fsync=off",
    "synchronous_commit=off",
    "full_page_writes=off",
    "wal_level=minimal",
    "max_wal_senders=0",
    "shared_buffers=64MB",
    "max_wal_size=256MB", // it may be kept in memory
    "checkpoint_timeout=1h",
    "max_connections=800", // as many tests at a time as there are processors
];

/// For both.
const ALWAYS: [&str; 5] = [
    "listen_addresses=", // the socket is the only door
    "unix_socket_permissions=0700",
    "jit=off", // compiling costs more than our short statements take
    "timezone=UTC",
    "log_timezone=UTC",
];

/// The private cluster of one place.
pub(super) struct Cluster<'a> {
    pub(super) place: &'a Place,
    pub(super) search: Search<'a>,
    pub(super) durable: bool,
}

/// A running Postgres: our child, or one that a killed keeper left behind.
pub(super) struct Server {
    pid: u32,
    child: Option<Child>,
    binaries: Binaries,
}

enum ServerState {
    Ready(u32),
    /// Starting, stopping, or its last backends are still dying.
    Busy,
    Gone,
}

impl Cluster<'_> {
    /// Makes the cluster if there is none, and starts it, or adopts it if it runs already.
    pub(super) fn bring_up(&self) -> Result<Server, Error> {
        self.place.sweep("data.new.");
        let binaries = binaries::find(&self.search, self.place.major()?)?;
        if !self.place.data().join("PG_VERSION").exists() {
            self.create(&binaries)?;
        }
        let deadline = Instant::now() + START;
        while Instant::now() < deadline {
            match self.state() {
                ServerState::Ready(pid) if self.place.socket_dir().is_some_and(|dir| dir.is_dir()) => {
                    tracing::info!(pid, "adopted a running Postgres");
                    return Ok(Server { pid, child: None, binaries });
                }
                // It runs, but its socket's directory is gone: nobody can reach it again.
                ServerState::Ready(pid) => {
                    Server { pid, child: None, binaries: binaries.clone() }.stop(self.place);
                }
                ServerState::Busy => thread::sleep(Duration::from_millis(20)),
                ServerState::Gone => {
                    self.clear();
                    if let Some(child) = self.start(&binaries, deadline)? {
                        return Ok(Server { pid: child.id(), child: Some(child), binaries });
                    }
                    thread::sleep(Duration::from_millis(200));
                }
            }
        }
        Err(self.place.down(&format!("did not start in {} s", START.as_secs())))
    }

    fn state(&self) -> ServerState {
        let occupants = self.place.occupants();
        match self.place.postmaster() {
            Some((pid, status)) if status == "ready" && occupants.contains(&pid) => ServerState::Ready(pid),
            _ if occupants.is_empty() => ServerState::Gone,
            _ => ServerState::Busy,
        }
    }

    /// Removes the lock files of a Postgres that is gone. Their process id may be a zombie's, or another's by now,
    /// and Postgres would then refuse to start; nobody works in the data directory, so they lock nothing.
    fn clear(&self) {
        let _ = fs::remove_file(self.place.data().join("postmaster.pid"));
        if let Some(dir) = self.place.socket_dir() {
            let _ = fs::remove_file(dir.join(socket_name()));
            let _ = fs::remove_file(dir.join(format!("{}.lock", socket_name())));
        }
        self.place.remove_short_dir();
    }

    /// Makes the cluster, its roles and its database in a side directory, which becomes `data` in one step: an
    /// interrupted start leaves no half cluster.
    fn create(&self, binaries: &Binaries) -> Result<(), Error> {
        // A name of our own: the initdb of a keeper that was killed may still be writing to its.
        let side = self.place.file(&format!("data.new.{}", std::process::id()));
        self.place.own_dir(&side)?;
        let mut initdb = self.place.command(binaries.program("initdb"));
        initdb.args(["--username", Login::Owner.role(), "--auth=trust", "--encoding=UTF8", "--locale=C"]);
        initdb.args(["--data-checksums", "--no-instructions", "--pgdata"]).arg(&side);
        if !self.durable {
            initdb.arg("--no-sync");
        }
        self.run(initdb, "initdb", "")?;

        let mut single = self.place.command(binaries.program("postgres"));
        single.arg("--single").arg("-D").arg(&side).args(["-c", "exit_on_error=true"]);
        if !self.durable {
            single.arg("-F");
        }
        single.arg("postgres");
        let statements = format!(
            "create role {} login;\ncreate role {} login;\ncreate database {};\n",
            Login::Worker.role(),
            Login::Reader.role(),
            DATABASE
        );
        self.run(single, "postgres --single", &statements)?;

        let data = self.place.data();
        fs::rename(&side, &data).map_err(Error::io(&data))?;
        File::open(self.place.dir()).and_then(|dir| dir.sync_all()).map_err(Error::io(self.place.dir()))
    }

    /// Runs a program to its end, its input given, its words in the log.
    fn run(&self, mut command: Command, name: &str, input: &str) -> Result<(), Error> {
        let path = PathBuf::from(command.get_program());
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().map_err(Error::io(&path))?;
        if let Some(mut stdin) = child.stdin.take() {
            let _ = stdin.write_all(input.as_bytes()); // a program that does not listen says why when it ends
        }
        let Output { status, stdout, stderr } = child.wait_with_output().map_err(Error::io(&path))?;
        let mut log = self.place.log()?;
        let _ = log.write_all(&stdout).and_then(|()| log.write_all(&stderr));
        if status.success() {
            return Ok(());
        }
        let said = String::from_utf8_lossy(&stderr).trim().to_owned();
        Err(self.place.down(&format!("cannot be made: {name} ended with {status}: {said}")))
    }

    /// Starts Postgres and waits until it is ready. `None`: an earlier one is not quite gone; try again.
    fn start(&self, binaries: &Binaries, deadline: Instant) -> Result<Option<Child>, Error> {
        let socket = self.place.make_socket_dir()?;
        let log = self.place.log()?;
        let before = log.metadata().map_or(0, |of| of.len());
        let mut command = self.place.command(binaries.program("postgres"));
        command.arg("-D").arg(self.place.data()).arg("-k").arg(&socket);
        let sized: &[&str] = if self.durable { &DURABLE } else { &VOLATILE };
        for setting in ALWAYS.iter().chain(sized) {
            command.args(["-c", setting]);
        }
        let out = log.try_clone().map_err(Error::io(self.place.dir()))?;
        command.process_group(0).stdin(Stdio::null()).stdout(out).stderr(log);
        let mut child = command.spawn().map_err(Error::io(&binaries.program("postgres")))?;
        while Instant::now() < deadline {
            if let Some(status) = child.try_wait().map_err(Error::io(self.place.dir()))? {
                let said = self.said_since(before);
                if said.contains("pre-existing shared memory block") {
                    return Ok(None); // backends of a killed postmaster notice its death one by one
                }
                return Err(self.place.down(&format!("does not start ({status}): {}", said.trim())));
            }
            if self.place.postmaster().is_some_and(|(pid, status)| pid == child.id() && status == "ready") {
                return Ok(Some(child));
            }
            thread::sleep(Duration::from_millis(5));
        }
        let _ = child.kill();
        let _ = child.wait();
        Ok(None)
    }

    fn said_since(&self, offset: u64) -> String {
        let mut said = Vec::new();
        if let Ok(mut log) = File::open(self.place.file("server.log"))
            && log.seek(SeekFrom::Start(offset)).is_ok()
        {
            let _ = log.read_to_end(&mut said);
        }
        String::from_utf8_lossy(&said).into_owned()
    }
}

impl Server {
    pub(super) fn is_running(&mut self) -> bool {
        match &mut self.child {
            Some(child) => matches!(child.try_wait(), Ok(None)),
            None => answers(self.pid),
        }
    }

    /// Ends every session and stops in order; by force if that takes too long, which the next start repairs.
    pub(super) fn stop(mut self, place: &Place) {
        for mode in ["fast", "immediate"] {
            let mut command = place.command(self.binaries.program("pg_ctl"));
            command.arg("stop").arg("-D").arg(place.data()).args(["-m", mode, "-w", "-t", "90", "-s"]);
            match command.stdin(Stdio::null()).output() {
                Ok(answer) if answer.status.success() => break,
                _ if !self.is_running() => break,
                Ok(answer) => {
                    let said = String::from_utf8_lossy(&answer.stderr).trim().to_owned();
                    tracing::warn!(mode, said, "Postgres does not stop");
                }
                Err(error) => tracing::warn!(mode, %error, "pg_ctl does not run"),
            }
        }
        if let Some(mut child) = self.child.take() {
            let _ = child.wait();
        }
    }
}
