//! The private Postgres of the embedded default.
//!
//! One cluster lives under `<data-dir>/store`: a Unix socket in a directory of mode 0700, no TCP port, fsync and
//! checksums on. Nobody owns it alone:
//!
//! - Every process that uses it holds a **shared** lock on `users.lock` ([`Hold`]).
//! - One detached **keeper** (our own program, `keep-store DIR`) holds `keeper.lock`, runs Postgres, and waits for
//!   the **exclusive** lock on `users.lock`. It gets that when the last user is gone, however it died; then it
//!   stops Postgres and ends.
//! - Whoever finds no keeper starts one. A keeper that was killed leaves Postgres running; the next adopts it.
//!
//! - Where no PostgreSQL is installed, the keeper says so, and whoever started it fetches one, once, if [`Archive`]
//!   lets it. Nothing of that is touched where one is installed.
//!
//! The kernel drops a dead process's locks, so no lock is ever stale. All functions here block.

mod archive;
mod binaries;
mod cluster;
mod error;
#[cfg(feature = "download")]
mod fetch;
mod keeper;
mod login;
mod place;

use std::{
    fmt::Write as _,
    fs::{self, File},
    io::{BufRead, BufReader, ErrorKind, Read},
    os::unix::{ffi::OsStrExt, net::UnixStream, process::CommandExt},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::mpsc,
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

pub use archive::Archive;
pub use error::Error;
pub use keeper::keep;
pub use login::Login;
use login::{DATABASE, PORT};
pub use place::PROGRAMS;
use place::{Place, socket_name};

/// How long a command waits for a store that another process is starting or stopping.
const PATIENCE: Duration = Duration::from_mins(2);
/// How often a long-running user looks whether there is still a keeper.
const WATCH: Duration = Duration::from_secs(1);

/// Which private store, and how it is run.
#[derive(Clone, Debug)]
pub struct Options {
    /// The data directory; the store is `store` in it.
    pub data_dir: PathBuf,
    /// The only place to look for Postgres programs, if set; nothing is fetched then.
    pub pg_bin_dir: Option<PathBuf>,
    /// Where they come from if there are none.
    pub archive: Archive,
    /// The program that is started as `keep-store DIR`: this one.
    pub keeper: PathBuf,
    /// Whether it must survive a power cut. Only tests say no.
    pub durable: bool,
}

/// The use of a private store. While one exists, in any process, Postgres runs.
#[derive(Debug)]
pub struct Hold {
    place: Place,
    options: Options,
    /// The shared lock; released when the file is closed.
    _users: File,
    watch: Option<(mpsc::Sender<()>, JoinHandle<()>)>,
}

/// Takes part in the store of a data directory, starting it if nobody has.
///
/// Two at once both succeed: one keeper wins, the other finds it. Who comes while the store stops waits for the
/// end of that and starts it anew.
///
/// # Errors
/// [`Error`], each variant a sentence for the operator.
pub fn hold(options: &Options) -> Result<Hold, Error> {
    let place = Place::prepare(&options.data_dir)?;
    let users = place.lock_file("users.lock")?;
    let deadline = Instant::now() + PATIENCE;
    while !place::try_shared(&users, &place.file("users.lock"))? {
        patient(deadline, &place)?;
    }
    ensure(&place, options)?;
    let watch = watch(place.clone(), options.clone());
    Ok(Hold { place, options: options.clone(), _users: users, watch: Some(watch) })
}

/// The URL of a store that already runs; `None` if nothing listens. Starts nothing.
///
/// # Errors
/// If the store's directory cannot be read.
pub fn running(options: &Options, login: Login) -> Result<Option<String>, Error> {
    let Some(place) = Place::find(&options.data_dir)? else { return Ok(None) };
    let Some(socket) = place.socket_dir() else { return Ok(None) };
    let listens = place.is_ready() && UnixStream::connect(socket.join(socket_name())).is_ok();
    Ok(listens.then(|| url(&socket, login)))
}

/// Whether nobody runs or uses the store of a data directory, waiting a while for one that is stopping.
///
/// # Errors
/// If the store's directory cannot be read.
pub fn at_rest(data_dir: &Path, patience: Duration) -> Result<bool, Error> {
    let Some(place) = Place::find(data_dir)? else { return Ok(true) };
    let deadline = Instant::now() + patience;
    while place.has_keeper()? || !place.occupants().is_empty() {
        if Instant::now() > deadline {
            return Ok(false);
        }
        thread::sleep(Duration::from_millis(20));
    }
    Ok(true)
}

/// Where the store of a data directory is, if there is one: in it, unless Postgres could not reach it there.
///
/// # Errors
/// If the directory cannot be read, or is another user's.
pub fn directory(data_dir: &Path) -> Result<Option<PathBuf>, Error> {
    Ok(Place::find(data_dir)?.map(|place| place.dir().to_owned()))
}

/// Removes the store of a data directory, wherever it is. The caller has seen it [`at_rest`].
///
/// # Errors
/// If its directory cannot be removed.
pub fn discard(data_dir: &Path) -> Result<(), Error> {
    if let Some(place) = Place::find(data_dir)? {
        fs::remove_dir_all(place.dir()).map_err(Error::io(place.dir()))?;
    }
    let record = data_dir.join(place::RECORD);
    match fs::remove_file(&record) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(Error::io(&record)(error)),
        _ => Ok(()),
    }
}

impl Hold {
    /// Where to connect, as whom. Both sqlx and psql understand it.
    ///
    /// # Errors
    /// If no socket is on record, which means that no keeper ever started.
    pub fn url(&self, login: Login) -> Result<String, Error> {
        let socket = self.place.socket_dir().ok_or_else(|| self.place.down("has no socket on record"))?;
        Ok(url(&socket, login))
    }

    /// Makes sure that a keeper is there and says Postgres is ready; for whoever lost the connection.
    ///
    /// # Errors
    /// As [`hold`].
    pub fn ensure(&self) -> Result<(), Error> {
        ensure(&self.place, &self.options)
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        if let Some((stop, watcher)) = self.watch.take() {
            drop(stop);
            let _ = watcher.join();
        }
        // A keeper that was killed cannot stop Postgres after us: leave a new one behind for that.
        if matches!(self.place.has_keeper(), Ok(false)) {
            let _ = start_keeper(&self.place, &self.options);
        }
    }
}

/// Looks every second, while a hold lasts, whether the keeper lives; without one nobody would restart Postgres
/// after a crash, nor stop it in the end.
fn watch(place: Place, options: Options) -> (mpsc::Sender<()>, JoinHandle<()>) {
    let (stop, stopped) = mpsc::channel::<()>();
    let watcher = thread::spawn(move || {
        while stopped.recv_timeout(WATCH) == Err(mpsc::RecvTimeoutError::Timeout) {
            if matches!(place.has_keeper(), Ok(false))
                && let Err(error) = start_keeper(&place, &options)
            {
                tracing::warn!(%error, "the store's keeper is gone and cannot be started again");
            }
        }
    });
    (stop, watcher)
}

fn ensure(place: &Place, options: &Options) -> Result<(), Error> {
    let mut deadline = Instant::now() + PATIENCE;
    let mut fetched = false;
    loop {
        if place.has_keeper()? {
            if place.is_ready() {
                return Ok(());
            }
        } else {
            match start_keeper(place, options) {
                Ok(true) => return Ok(()),
                Ok(false) => {}
                Err(why @ (Error::Absent(_) | Error::OtherVersion(_))) if !fetched => {
                    fetch(place, options, why)?;
                    fetched = true;
                    deadline = Instant::now() + PATIENCE; // that may have taken a while
                }
                Err(error) => return Err(error),
            }
        }
        patient(deadline, place)?;
    }
}

/// Gets programs for a store that found none, if the settings let it; else that error stands.
fn fetch(place: &Place, options: &Options, why: Error) -> Result<(), Error> {
    let wanted = place.major()?;
    let too_old = wanted.is_some_and(|major| major < binaries::OLDEST);
    if options.pg_bin_dir.is_some() || options.archive == Archive::Never || too_old {
        return Err(why);
    }
    #[cfg(feature = "download")]
    return fetch::programs(place, &options.archive, wanted, &why);
    #[cfg(not(feature = "download"))]
    Err(match options.archive {
        Archive::At(_) => Error::Absent(format!("this benefactor was built without `download`: {why}")),
        _ => why,
    })
}

fn patient(deadline: Instant, place: &Place) -> Result<(), Error> {
    if Instant::now() > deadline {
        return Err(place.down(&format!("is not ready after {} s", PATIENCE.as_secs())));
    }
    thread::sleep(Duration::from_millis(5));
    Ok(())
}

/// Starts a keeper and waits for its word. `Ok(true)`: Postgres is ready. `Ok(false)`: another keeper was faster,
/// or this one was killed; look again.
fn start_keeper(place: &Place, options: &Options) -> Result<bool, Error> {
    let mut command = Command::new(&options.keeper);
    command.arg("keep-store").arg(place.dir());
    if !options.durable {
        command.arg("--volatile");
    }
    if matches!(options.archive, Archive::At(_)) {
        command.arg("--fetched");
    }
    if let Some(bin) = &options.pg_bin_dir {
        command.arg("--pg-bin-dir").arg(std::path::absolute(bin).map_err(Error::io(bin))?);
    }
    let mut child = command
        .env_remove("DATABASE_URL") // a secret that a process which lives on does not need
        .env_remove("PG_BIN_DIR")
        .env_remove("BENEFACTOR_POSTGRES_ARCHIVE") // may hold a secret, too
        .current_dir(place.dir())
        .process_group(0) // Ctrl-C at the terminal is for us: we drain first
        .stdin(Stdio::null())
        .stdout(Stdio::piped()) // for the one word below; never the caller's own output
        .stderr(place.log()?)
        .spawn()
        .map_err(Error::io(&options.keeper))?;
    let Some(stdout) = child.stdout.take() else { return Ok(false) };
    let mut words = BufReader::new(stdout);
    let mut word = String::new();
    words.read_line(&mut word).map_err(Error::io(place.dir()))?;
    if word.trim_end() == keeper::READY {
        thread::spawn(move || child.wait()); // reaps it, should it end before us
        return Ok(true);
    }
    let mut text = String::new();
    let _ = words.read_to_string(&mut text);
    let _ = child.wait();
    keeper::heard(word.trim_end(), text.trim_end()).map(|()| false)
}

/// The socket's directory goes into the query, where it overrides the host name before it.
fn url(socket: &Path, login: Login) -> String {
    let mut host = String::new();
    for byte in socket.as_os_str().as_bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(byte) {
            host.push(char::from(*byte));
        } else {
            let _ = write!(host, "%{byte:02X}");
        }
    }
    format!("postgres://{}@localhost:{PORT}/{DATABASE}?host={host}&sslmode=disable", login.role())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_carries_the_socket_directory_with_every_odd_character_escaped() {
        assert_eq!(
            url(Path::new("/tmp/a b/s"), Login::Worker),
            "postgres://benefactor_worker@localhost:5432/benefactor?host=%2Ftmp%2Fa%20b%2Fs&sslmode=disable"
        );
    }
}
