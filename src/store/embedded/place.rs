//! Where a private store lies on the disk, and to whom it belongs.
//!
//! ```text
//! <data-dir>/store/          ours
//!   users.lock keeper.lock   see the parent module
//!   data/                    the cluster; Postgres's own
//!   s/                       its socket, mode 0700; in a short directory elsewhere if the path is too long
//!   socket                   where the socket is
//!   server.log               what keeper and Postgres say
//! <data-dir>/postgresql/     only if it was fetched: a directory for each version, and a lock
//! <data-dir>/store.at        only if the store had to go elsewhere: where
//! ```

use std::{
    ffi::OsString,
    fmt::Write as _,
    fs::{self, DirBuilder, File, OpenOptions, TryLockError},
    io::{self, ErrorKind},
    os::unix::{
        ffi::{OsStrExt, OsStringExt},
        fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt, chown},
        process::CommandExt,
    },
    path::{Path, PathBuf},
    process::Command,
};

use sha2::{Digest, Sha256};

use super::{error::Error, login::PORT};

/// Where in a data directory PostgreSQL's programs are if they were fetched. They outlive the store.
pub const PROGRAMS: &str = "postgresql";

/// A socket's path may have 107 bytes (103 on macOS); its own name and a NUL take 15 of them.
const LONGEST_SOCKET_DIR: usize = 88;
/// Where root's store goes if Postgres cannot reach the data directory.
const ELSEWHERE: &str = "/var/lib/benefactor";
/// The file in a data directory that says where its store went.
pub(super) const RECORD: &str = "store.at";
/// A log file larger than this is set aside when a keeper starts.
const LONG_LOG: u64 = 16 << 20;

/// The directory of one private store.
#[derive(Clone, Debug)]
pub(super) struct Place {
    dir: PathBuf,
    account: Option<OsAccount>,
}

/// Whom Postgres runs as, when we are root: it refuses to be root itself.
#[derive(Clone, Copy, Debug)]
struct OsAccount {
    uid: u32,
    gid: u32,
}

/// The socket's file name, which Postgres gives it.
pub(super) fn socket_name() -> String {
    format!(".s.PGSQL.{PORT}")
}

impl Place {
    /// That Postgres does not run here, and where to look why.
    pub(super) fn down(&self, what: &str) -> Error {
        let log = self.file("server.log");
        Error::Down(format!("the private Postgres in {} {what}; see {}", self.dir.display(), log.display()))
    }

    /// The store of a data directory, made if missing.
    pub(super) fn prepare(data_dir: &Path) -> Result<Self, Error> {
        fs::create_dir_all(data_dir).map_err(Error::io(data_dir))?;
        let data_dir = fs::canonicalize(data_dir).map_err(Error::io(data_dir))?;
        let root = is_root().map_err(Error::io(&data_dir))?;
        let dir = match moved_to(&data_dir) {
            Some(dir) => dir,
            None if root && !reachable(&data_dir) => move_elsewhere(&data_dir)?,
            None => data_dir.join("store"),
        };
        // Others may pass (Postgres under its own account must), not look.
        let mode = if root { 0o711 } else { 0o700 };
        DirBuilder::new().recursive(true).mode(mode).create(&dir).map_err(Error::io(&dir))?;
        let place = Self::at(&dir)?;
        if root {
            fs::set_permissions(&dir, fs::Permissions::from_mode(mode)).map_err(Error::io(&dir))?;
        }
        Ok(place)
    }

    /// The store of a data directory, if there is one.
    pub(super) fn find(data_dir: &Path) -> Result<Option<Self>, Error> {
        let Ok(data_dir) = fs::canonicalize(data_dir) else { return Ok(None) };
        let dir = moved_to(&data_dir).unwrap_or_else(|| data_dir.join("store"));
        if dir.is_dir() { Self::at(&dir).map(Some) } else { Ok(None) }
    }

    /// A store by its own directory, as a keeper is told it.
    pub(super) fn at(dir: &Path) -> Result<Self, Error> {
        let dir = fs::canonicalize(dir).map_err(Error::io(dir))?;
        if !is_root().map_err(Error::io(&dir))? {
            return Ok(Self { dir, account: None });
        }
        // In another's directory root would follow whatever links that user prepared.
        if fs::metadata(&dir).map_err(Error::io(&dir))?.uid() != 0 {
            return Err(of_another(&dir));
        }
        let account = Some(account(&dir.join("data")));
        Ok(Self { dir, account })
    }

    pub(super) fn dir(&self) -> &Path {
        &self.dir
    }

    pub(super) fn file(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }

    pub(super) fn data(&self) -> PathBuf {
        self.dir.join("data")
    }

    /// The major version of the Postgres that made the data, if there are any.
    pub(super) fn major(&self) -> Result<Option<u32>, Error> {
        let path = self.data().join("PG_VERSION");
        if !path.exists() {
            return Ok(None);
        }
        let text = fs::read_to_string(&path).map_err(Error::io(&path))?;
        let major = text.trim().parse();
        major.map(Some).map_err(|_| Error::Unfit(format!("{} holds no version: {text:?}", path.display())))
    }

    /// Where programs are fetched to: beside the store, in reach of whoever reaches that.
    pub(super) fn programs(&self) -> PathBuf {
        self.dir.with_file_name(PROGRAMS)
    }

    /// Opens a lock file. The standard library opens with close-on-exec, so no child ever keeps a lock.
    pub(super) fn lock_file(&self, name: &str) -> Result<File, Error> {
        let path = self.file(name);
        let mut options = OpenOptions::new();
        options.create(true).truncate(false).read(true).write(true).mode(0o600);
        options.open(&path).map_err(|error| match error.kind() {
            ErrorKind::PermissionDenied => of_another(&self.dir),
            _ => Error::io(&path)(error),
        })
    }

    /// Whether a keeper is at work.
    pub(super) fn has_keeper(&self) -> Result<bool, Error> {
        let lock = self.lock_file("keeper.lock")?;
        Ok(!try_shared(&lock, &self.file("keeper.lock"))?)
    }

    /// The log that keeper and Postgres append to.
    pub(super) fn log(&self) -> Result<File, Error> {
        let path = self.file("server.log");
        OpenOptions::new().create(true).append(true).mode(0o600).open(&path).map_err(Error::io(&path))
    }

    /// Removes directories that an interrupted start left, as far as they let themselves be removed.
    pub(super) fn sweep(&self, prefix: &str) {
        for entry in fs::read_dir(&self.dir).into_iter().flatten().flatten() {
            if entry.file_name().to_string_lossy().starts_with(prefix) {
                let _ = fs::remove_dir_all(entry.path());
            }
        }
    }

    /// Sets a long log aside, keeping one old one.
    pub(super) fn turn_log(&self) {
        let path = self.file("server.log");
        if fs::metadata(&path).is_ok_and(|log| log.len() > LONG_LOG) {
            let _ = fs::rename(&path, self.file("server.log.1"));
        }
    }

    /// The postmaster's process id and what it says of itself, from its pid file.
    pub(super) fn postmaster(&self) -> Option<(u32, String)> {
        let text = fs::read_to_string(self.data().join("postmaster.pid")).ok()?;
        let pid = text.lines().next()?.trim().parse().ok()?;
        Some((pid, text.lines().nth(7).unwrap_or_default().trim().to_owned()))
    }

    /// Whether the pid file says that connections are welcome. After a crash it may say so in vain.
    pub(super) fn is_ready(&self) -> bool {
        self.socket_dir().is_some() && self.postmaster().is_some_and(|(_, status)| status == "ready")
    }

    /// Where the socket is, as the last keeper recorded it.
    pub(super) fn socket_dir(&self) -> Option<PathBuf> {
        let bytes = fs::read(self.file("socket")).ok()?;
        (!bytes.is_empty()).then(|| PathBuf::from(OsString::from_vec(bytes)))
    }

    /// Makes the socket's directory and records it.
    pub(super) fn make_socket_dir(&self) -> Result<PathBuf, Error> {
        let near = self.dir.join("s");
        let dir = if near.as_os_str().len() <= LONGEST_SOCKET_DIR {
            self.own_dir(&near)?;
            near
        } else {
            self.short_dir()?
        };
        let (record, draft) = (self.file("socket"), self.file("socket.new"));
        fs::write(&draft, dir.as_os_str().as_bytes()).map_err(Error::io(&draft))?;
        fs::rename(&draft, &record).map_err(Error::io(&record))?;
        Ok(dir)
    }

    /// Takes back a socket directory that is not in the store, when Postgres has stopped.
    pub(super) fn remove_short_dir(&self) {
        if let Some(dir) = self.socket_dir().filter(|dir| !dir.starts_with(&self.dir)) {
            let _ = fs::remove_dir_all(dir);
            let _ = fs::remove_file(self.file("socket"));
        }
    }

    /// A fresh directory with a short name, which nobody else can have prepared for us.
    fn short_dir(&self) -> Result<PathBuf, Error> {
        let runtime = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from);
        let base = runtime
            .filter(|dir| {
                self.account.is_none() && dir.is_dir() && dir.as_os_str().len() < LONGEST_SOCKET_DIR - 20
            })
            .unwrap_or_else(|| PathBuf::from("/tmp"));
        let dir = tempfile::Builder::new()
            .prefix("benefactor-")
            .permissions(fs::Permissions::from_mode(0o700))
            .tempdir_in(&base)
            .map_err(Error::io(&base))?
            .keep();
        self.give(&dir)?;
        Ok(dir)
    }

    /// Makes a directory that only Postgres's account can enter.
    pub(super) fn own_dir(&self, dir: &Path) -> Result<(), Error> {
        DirBuilder::new().recursive(true).mode(0o700).create(dir).map_err(Error::io(dir))?;
        self.give(dir)
    }

    fn give(&self, path: &Path) -> Result<(), Error> {
        let Some(account) = self.account else { return Ok(()) };
        chown(path, Some(account.uid), Some(account.gid)).map_err(Error::io(path))
    }

    /// A Postgres program, run under its account, in our directory, with nothing of our environment.
    pub(super) fn command(&self, program: impl AsRef<Path>) -> Command {
        let mut command = Command::new(program.as_ref());
        command.current_dir(&self.dir).env_clear().env("LC_ALL", "C").env("PATH", "/usr/bin:/bin");
        if let Some(account) = self.account {
            command.uid(account.uid).gid(account.gid); // clears supplementary groups as well
        }
        command
    }

    /// Processes that work in the cluster's directory: the postmaster and its backends. A zombie works nowhere.
    /// Where the system shows no working directories, the process of the pid file, if it lives.
    pub(super) fn occupants(&self) -> Vec<u32> {
        let data = self.data();
        if !Path::new("/proc/self/cwd").exists() {
            return self.postmaster().map(|(pid, _)| pid).filter(|pid| answers(*pid)).into_iter().collect();
        }
        fs::read_dir("/proc")
            .into_iter()
            .flatten()
            .flatten()
            .filter_map(|entry| entry.file_name().to_str()?.parse().ok().map(|pid: u32| (pid, entry.path())))
            .filter(|(_, process)| match fs::read_link(process.join("cwd")) {
                Ok(cwd) => cwd == data,
                Err(error) => error.kind() == ErrorKind::PermissionDenied && self.works_in(process, &data),
            })
            .map(|(pid, _)| pid)
            .collect()
    }

    /// Root without the capability to look at other users' processes asks as Postgres's account.
    fn works_in(&self, process: &Path, data: &Path) -> bool {
        let ours = |account: OsAccount| fs::metadata(process).is_ok_and(|of| of.uid() == account.uid);
        if !self.account.is_some_and(ours) {
            return false;
        }
        let answer = self.command("readlink").arg(process.join("cwd")).output();
        answer.is_ok_and(|answer| answer.stdout.trim_ascii_end() == data.as_os_str().as_bytes())
    }
}

/// Whether a process lives; a zombie does not.
pub(super) fn answers(pid: u32) -> bool {
    if Path::new("/proc/self/stat").exists() {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        let state = stat.rsplit(") ").next().and_then(|rest| rest.chars().next());
        return !stat.is_empty() && !matches!(state, Some('Z' | 'X'));
    }
    Command::new("kill").args(["-0", &pid.to_string()]).output().is_ok_and(|answer| answer.status.success())
}

/// Takes a shared lock if nobody holds the exclusive one.
pub(super) fn try_shared(file: &File, path: &Path) -> Result<bool, Error> {
    settle(file.try_lock_shared(), path)
}

/// Takes the exclusive lock if nobody holds any.
pub(super) fn try_exclusive(file: &File, path: &Path) -> Result<bool, Error> {
    settle(file.try_lock(), path)
}

fn settle(attempt: Result<(), TryLockError>, path: &Path) -> Result<bool, Error> {
    match attempt {
        Ok(()) => Ok(true),
        Err(TryLockError::WouldBlock) => Ok(false),
        Err(TryLockError::Error(error)) => Err(Error::io(path)(error)),
    }
}

/// Where a data directory's store went, if it had to go elsewhere.
fn moved_to(data_dir: &Path) -> Option<PathBuf> {
    let bytes = fs::read(data_dir.join(RECORD)).ok()?;
    (!bytes.is_empty()).then(|| PathBuf::from(OsString::from_vec(bytes)))
}

/// Whether any account can walk to a directory: a checkout in a private home cannot be reached.
fn reachable(dir: &Path) -> bool {
    dir.ancestors().all(|step| fs::metadata(step).is_ok_and(|of| of.mode() & 0o001 != 0))
}

/// Chooses the store's place under [`ELSEWHERE`] and records it beside the data.
fn move_elsewhere(data_dir: &Path) -> Result<PathBuf, Error> {
    if data_dir.join("store/data/PG_VERSION").exists() {
        return Err(Error::Unfit(format!(
            "{} holds a store that Postgres's account can no longer reach: let others pass through every directory \
             on the way (chmod o+x), or choose another --data-dir",
            data_dir.display()
        )));
    }
    let text = data_dir.to_string_lossy();
    let name: String = text.trim_matches('/').replace('/', "-");
    let tail: String = name.chars().rev().take(40).collect::<Vec<_>>().into_iter().rev().collect();
    let mut mark = String::new();
    for byte in Sha256::digest(data_dir.as_os_str().as_bytes()).iter().take(4) {
        let _ = write!(mark, "{byte:02x}"); // two paths may look alike once their slashes are dashes
    }
    let dir = Path::new(ELSEWHERE).join(format!("{tail}-{mark}"));
    let base = Path::new(ELSEWHERE);
    DirBuilder::new().recursive(true).mode(0o755).create(base).map_err(Error::io(base))?;
    let record = data_dir.join(RECORD);
    fs::write(&record, dir.as_os_str().as_bytes()).map_err(Error::io(&record))?;
    tracing::info!(
        "Postgres cannot run as root, and its account cannot reach {}: the store goes to {}",
        data_dir.display(),
        dir.display()
    );
    Ok(dir)
}

fn of_another(dir: &Path) -> Error {
    Error::Unfit(format!(
        "the store in {} belongs to another user: run as that user, or choose another --data-dir",
        dir.display()
    ))
}

/// Whom Postgres is to run as when we are root: who it ran as before, else `postgres`, else `nobody`.
fn account(data: &Path) -> OsAccount {
    if let Ok(of) = fs::metadata(data) {
        return OsAccount { uid: of.uid(), gid: of.gid() };
    }
    let passwd = fs::read_to_string("/etc/passwd").unwrap_or_default();
    let of = |name: &str| {
        let line = passwd.lines().find(|line| line.split(':').next() == Some(name))?;
        let mut ids = line.split(':').skip(2);
        Some(OsAccount { uid: ids.next()?.parse().ok()?, gid: ids.next()?.parse().ok()? })
    };
    of("postgres").or_else(|| of("nobody")).unwrap_or(OsAccount { uid: 65_534, gid: 65_534 })
}

/// Who we are, asked without a system call of our own: the owner of what is ours.
fn is_root() -> io::Result<bool> {
    match fs::metadata("/proc/self") {
        Ok(of) => Ok(of.uid() == 0),
        Err(_) => tempfile::tempfile()?.metadata().map(|of| of.uid() == 0),
    }
}
