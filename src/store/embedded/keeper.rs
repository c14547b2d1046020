//! The keeper: the one process that runs Postgres for all users of a store, and stops it after the last.

use std::{
    fs::File,
    io::{ErrorKind, Write},
    path::Path,
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

use super::{binaries::Search, cluster::Cluster, error::Error, place, place::Place};

/// The word that says that Postgres takes connections.
pub(super) const READY: &str = "ready";
/// The word of a keeper that found another at work.
const TAKEN: &str = "taken";
/// How often it looks whether Postgres still lives.
const WATCH: Duration = Duration::from_millis(250);
/// So many crashes, each within [`SHORT`] of the start, and it gives up.
const CRASHES: u32 = 5;
const SHORT: Duration = Duration::from_secs(5);

/// Runs Postgres in the store directory `dir` until nobody uses the store any more. Says one word on standard
/// output once it knows how it stands: `ready`, `taken`, or an error's kind with its sentence after it.
///
/// Its programs are those in `pg_bin_dir`, if that is set; else those that were `fetched`, if only those are wanted;
/// else whatever is installed.
///
/// # Errors
/// If Postgres cannot be started, or keeps crashing.
pub fn keep(dir: &Path, pg_bin_dir: Option<&Path>, fetched: bool, durable: bool) -> Result<(), Error> {
    let place = Place::at(dir)?;
    let Some(_lock) = become_keeper(&place)? else {
        say(TAKEN, "");
        return Ok(());
    };
    place.turn_log();
    let programs = place.programs();
    let search = match pg_bin_dir {
        Some(dir) => Search::Only(dir),
        None if fetched => Search::Fetched(&programs),
        None => Search::Everywhere(&programs),
    };
    let cluster = Cluster { place: &place, search, durable };
    let mut server = match cluster.bring_up() {
        Ok(server) => server,
        Err(error) => {
            say(kind(&error), &error.to_string());
            return Err(error);
        }
    };
    say(READY, "");

    let last_user_gone = wait_for_last(place.lock_file("users.lock")?);
    let (mut crashes, mut started) = (0, Instant::now());
    // Held until this process ends, so that newcomers wait until Postgres has stopped.
    let _users = loop {
        match last_user_gone.recv_timeout(WATCH) {
            Ok(users) => break users,
            Err(mpsc::RecvTimeoutError::Disconnected) => {
                return Err(place.down("cannot wait for its users to leave"));
            }
            Err(mpsc::RecvTimeoutError::Timeout) if server.is_running() => continue,
            Err(mpsc::RecvTimeoutError::Timeout) => {}
        }
        crashes = if started.elapsed() < SHORT { crashes + 1 } else { 1 };
        if crashes > CRASHES {
            return Err(place.down("keeps crashing"));
        }
        tracing::warn!("Postgres died; starting it again");
        server = cluster.bring_up()?;
        started = Instant::now();
    };
    server.stop(&place);
    place.remove_short_dir();
    Ok(())
}

/// Takes the keeper's lock. A newcomer's glance at it lasts an instant, so it is tried for a moment.
fn become_keeper(place: &Place) -> Result<Option<File>, Error> {
    let lock = place.lock_file("keeper.lock")?;
    let deadline = Instant::now() + Duration::from_millis(50);
    while !place::try_exclusive(&lock, &place.file("keeper.lock"))? {
        if Instant::now() > deadline {
            return Ok(None);
        }
        thread::sleep(Duration::from_millis(2));
    }
    Ok(Some(lock))
}

/// Waits, on a thread of its own, for the exclusive lock on the users' file, and sends the locked file.
fn wait_for_last(users: File) -> mpsc::Receiver<File> {
    let (sender, receiver) = mpsc::sync_channel(1);
    thread::spawn(move || {
        loop {
            match users.lock() {
                Ok(()) => break,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => {
                    tracing::error!(%error, "the users' lock cannot be waited for");
                    return;
                }
            }
        }
        let _ = sender.send(users);
    });
    receiver
}

/// Standard output may be gone with whoever started us; then nobody listens.
fn say(word: &str, text: &str) {
    let mut out = std::io::stdout();
    let _ = writeln!(out, "{word}\n{text}").and_then(|()| out.flush());
}

fn kind(error: &Error) -> &'static str {
    match error {
        Error::Absent(_) => "absent",
        Error::OtherVersion(_) => "other",
        Error::Unfit(_) => "unfit",
        Error::Down(_) | Error::Io { .. } => "down",
    }
}

/// What a keeper's word means to the one who started it, unless it is [`READY`]: look again, or an error.
pub(super) fn heard(word: &str, text: &str) -> Result<(), Error> {
    match word {
        "absent" => Err(Error::Absent(text.to_owned())),
        "other" => Err(Error::OtherVersion(text.to_owned())),
        "unfit" => Err(Error::Unfit(text.to_owned())),
        "down" => Err(Error::Down(text.to_owned())),
        _ => Ok(()), // taken, or killed before it could speak
    }
}
