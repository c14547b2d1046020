//! Finding PostgreSQL's server programs on this machine.

use std::{
    collections::HashSet,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use super::error::Error;

/// The oldest PostgreSQL that will do.
pub(super) const OLDEST: u32 = 15;
/// What the queue's tables need.
const EXTENSIONS: [&str; 2] = ["hstore", "pgcrypto"];
const HOW_TO_GET_IT: &str = "install PostgreSQL 15 or later (Debian, Ubuntu: apt install postgresql; \
    Fedora: dnf install postgresql-server postgresql-contrib; macOS: brew install postgresql@17), \
    or set PG_BIN_DIR to the directory that holds initdb and postgres, \
    or set DATABASE_URL to a database that runs elsewhere";

/// One installed PostgreSQL.
#[derive(Clone, Debug)]
pub(super) struct Binaries {
    pub(super) major: u32,
    /// With its minor version: `15.18`.
    pub(super) version: String,
    dir: PathBuf,
}

/// Where to look for one.
#[derive(Clone, Copy, Debug)]
pub(super) enum Search<'a> {
    /// In this directory and nowhere else: the setting `PG_BIN_DIR`.
    Only(&'a Path),
    /// Among those that were fetched into this directory.
    Fetched(&'a Path),
    /// On PATH, in the usual places, and at last among those fetched into this directory.
    Everywhere(&'a Path),
}

impl Binaries {
    /// The path of one of its programs.
    pub(super) fn program(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }
}

/// The best PostgreSQL for a data directory that needs major version `wanted`; for a new one, the first found.
pub(super) fn find(search: &Search, wanted: Option<u32>) -> Result<Binaries, Error> {
    let mut seen = HashSet::new();
    let dirs = candidates(search).into_iter().filter(|dir| seen.insert(dir.clone()));
    let found: Vec<Binaries> = dirs.filter_map(|dir| at(&dir)).collect();
    let where_looked = match search {
        Search::Only(dir) => format!("in {} (PG_BIN_DIR)", dir.display()),
        Search::Fetched(dir) => format!("in {}", dir.display()),
        Search::Everywhere(_) => "on PATH or in the usual places".to_owned(),
    };
    if found.is_empty() {
        return Err(Error::Absent(format!("no PostgreSQL server found {where_looked}: {HOW_TO_GET_IT}")));
    }
    if let Some(major) = wanted {
        return found.iter().find(|one| one.major == major).cloned().ok_or_else(|| {
            Error::OtherVersion(format!(
                "this store was made by PostgreSQL {major} and opens only with that; found {where_looked}: {}. \
                 Install PostgreSQL {major}, or choose another --data-dir",
                list(&found)
            ))
        });
    }
    let recent: Vec<_> = found.iter().filter(|one| one.major >= OLDEST).collect();
    if recent.is_empty() {
        return Err(Error::Absent(format!("PostgreSQL is too old here ({}): {HOW_TO_GET_IT}", list(&found))));
    }
    recent.into_iter().find(|one| has_extensions(one)).cloned().ok_or_else(|| {
        Error::Absent(format!(
            "the PostgreSQL found ({}) lacks the extensions hstore and pgcrypto: install its contrib package \
             (Fedora: dnf install postgresql-contrib), or {HOW_TO_GET_IT}",
            list(&found)
        ))
    })
}

fn list(found: &[Binaries]) -> String {
    let names: Vec<_> = found.iter().map(|one| format!("{} in {}", one.version, one.dir.display())).collect();
    names.join(", ")
}

/// Directories that may hold the programs, best first.
fn candidates(search: &Search) -> Vec<PathBuf> {
    let fetched = match *search {
        Search::Only(dir) => return vec![dir.to_owned()],
        Search::Fetched(dir) => return newest_first(dir),
        Search::Everywhere(dir) => dir,
    };
    let path = std::env::var_os("PATH").unwrap_or_default();
    // initdb looks beside itself, so a link such as /usr/local/bin/postgres is followed to where it leads.
    let mut dirs: Vec<PathBuf> = std::env::split_paths(&path)
        .filter_map(|dir| fs::canonicalize(dir.join("postgres")).ok()?.parent().map(Path::to_owned))
        .collect();
    for base in [
        "/usr/lib/postgresql",
        "/opt/homebrew/opt",
        "/usr/local/opt",
        "/Applications/Postgres.app/Contents/Versions",
    ] {
        dirs.extend(newest_first(Path::new(base)));
    }
    // Fedora and Arch keep them with everything else.
    dirs.extend(["/usr/bin", "/usr/pgsql/bin", "/usr/local/pgsql/bin"].map(PathBuf::from));
    dirs.extend(newest_first(fetched));
    dirs
}

/// The directories of programs of the versions that lie side by side in one.
fn newest_first(base: &Path) -> Vec<PathBuf> {
    let mut versions: Vec<_> =
        fs::read_dir(base).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    versions.sort_by_key(|dir| std::cmp::Reverse(number(dir)));
    versions.into_iter().map(|dir| dir.join("bin")).collect()
}

/// The version in a directory's name, `17` or `postgresql@17`, so that the newest comes first.
fn number(dir: &Path) -> u32 {
    let name = dir.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    name.rsplit('@').next().and_then(|last| last.split('.').next()?.parse().ok()).unwrap_or(0)
}

/// The server in a directory, if there is a whole one.
pub(super) fn at(dir: &Path) -> Option<Binaries> {
    if !["initdb", "postgres", "pg_ctl"].iter().all(|program| dir.join(program).is_file()) {
        return None;
    }
    let answer = Command::new(dir.join("postgres")).arg("--version").output().ok()?;
    let text = String::from_utf8_lossy(&answer.stdout).into_owned(); // postgres (PostgreSQL) 15.18 (Debian …)
    let version = text.split(") ").nth(1)?.split_whitespace().next()?;
    let major = version.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()?;
    let version = version.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '.').collect();
    Some(Binaries { major, version, dir: dir.to_owned() })
}

/// Whether the extensions' files are there. If no directory for them can be found, the migration will tell.
pub(super) fn has_extensions(binaries: &Binaries) -> bool {
    let Binaries { major, dir, .. } = binaries;
    let told = Command::new(dir.join("pg_config"))
        .arg("--sharedir")
        .output()
        .ok()
        .map(|answer| PathBuf::from(String::from_utf8_lossy(&answer.stdout).trim_end()));
    let mut shares: Vec<PathBuf> = told.into_iter().collect();
    shares.push(PathBuf::from(format!("/usr/share/postgresql/{major}")));
    shares.extend(["../share/postgresql", "../share"].map(|share| dir.join(share)));
    shares.push(dir.join(format!("../share/postgresql@{major}")));
    match shares.into_iter().map(|share| share.join("extension")).find(|share| share.is_dir()) {
        Some(share) => EXTENSIONS.iter().all(|name| share.join(format!("{name}.control")).is_file()),
        None => true,
    }
}
