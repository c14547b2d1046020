//! What lies in an inbox, and the places beside it: `done/` and `refused/` for what was answered, and a private one for what
//! is being taken in. Only names are read here, and whole files moved; no link is followed, and nothing is opened.
//!
//! ```text
//! inbox/users.csv                           dropped, of any partner
//! inbox/4711/users.csv                      dropped, of that partner; its folder has a `done`, a `refused` and a private place too
//! inbox/.taking/<id>/original/users.csv     being taken in: whatever is dropped under that name now is another file
//! inbox/done/users.csv                      taken in; with users.result.csv (every row) and users.note.txt (for a person)
//! inbox/refused/users.csv                   refused; with users.note.txt
//! ```

use std::{
    ffi::{OsStr, OsString},
    fs::{self, DirBuilder, FileType},
    io::{self, ErrorKind},
    os::unix::fs::DirBuilderExt as _,
    path::{Path, PathBuf},
};

use super::{
    answer::{NAME_BYTES, short},
    look::{self, Look},
    marker,
    shown::shown,
};
use crate::domain::{id::PartnerId, language::Bilingual};

/// Where files go that were taken in, in the folder that they came from.
pub const DONE: &str = "done";
/// Where files go that were refused whole.
pub const REFUSED: &str = "refused";
/// Where files are while they are taken in.
const PRIVATE: &str = ".taking";
/// Where the file itself is there.
const ORIGINAL: &str = "original";

/// Endings of names under which programs write what is not whole yet.
const UNFINISHED: [&str; 8] =
    [".part", ".partial", ".filepart", ".crdownload", ".download", ".tmp", ".temp", ".swp"];

/// Something that lies in an inbox.
#[derive(Clone, Debug)]
pub struct Item {
    /// Whose folder it is in; `None`: it is at the top.
    pub partner: Option<PartnerId>,
    /// That folder.
    pub folder: PathBuf,
    /// Where it is.
    pub path: PathBuf,
    /// What it is.
    pub what: ItemKind,
}

/// What something in an inbox is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ItemKind {
    /// A file.
    File(Look),
    /// A file under a name that programs give to what is not whole, or their own: `~$x.xlsx`, `x.part`.
    Temporary(Look),
    /// A hidden name; nobody dropped that.
    Hidden,
    /// Says that a file is whole, and no file of that name is there.
    Marker(Look),
    /// A folder that is no partner's.
    Folder,
    /// A link, a pipe, a device or a socket.
    NotAFile(Bilingual<&'static str>),
}

/// A file on its way in, in the private place.
#[derive(Clone, Debug)]
pub struct Claim {
    /// What no other has.
    pub id: String,
    /// Whose folder it was dropped in; `None`: at the top.
    pub partner: Option<PartnerId>,
    /// That folder.
    pub folder: PathBuf,
    /// The name it was dropped under, as it is shown.
    pub name: String,
    /// What it looked like when it was last looked at.
    pub look: Look,
}

impl Claim {
    fn private(&self) -> PathBuf {
        self.folder.join(PRIVATE).join(&self.id)
    }

    /// The file itself.
    #[must_use]
    pub fn original(&self) -> PathBuf {
        self.private().join(ORIGINAL).join(&self.name)
    }

    /// Where its answer is written before it is moved to its place.
    #[must_use]
    pub fn answer(&self) -> PathBuf {
        self.private().join("answer")
    }

    /// The same of its note.
    #[must_use]
    pub fn note(&self) -> PathBuf {
        self.private().join("note")
    }

    /// Where what its marker said is kept.
    #[must_use]
    pub fn marker(&self) -> PathBuf {
        self.private().join("marker")
    }

    /// Removes what is left of it in the private place once its file has left; a file that is there stays.
    pub fn clear(&self) {
        for rest in [self.answer(), self.note(), self.marker()] {
            let _ = fs::remove_file(rest);
        }
        let _ = fs::remove_dir(self.private().join(ORIGINAL));
        let _ = fs::remove_dir(self.private());
    }
}

/// What lies in an inbox.
#[derive(Debug, Default)]
pub struct InboxListing {
    /// By folder and name.
    pub items: Vec<Item>,
    /// Files that are being taken in, or were when a process ended.
    pub claims: Vec<Claim>,
    /// Private places whose file has left, or never came; or is on its way at this moment.
    pub without_file: Vec<Claim>,
    /// Folders that cannot be looked at, and why: nobody else's files wait for them.
    pub unreadable: Vec<(PathBuf, io::Error)>,
}

impl InboxListing {
    /// Whether nothing is there that is ever read or answered.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.claims.is_empty() && self.items.iter().all(|item| item.what == ItemKind::Hidden)
    }

    /// The files that were dropped, and what they look like.
    pub fn files(&self) -> impl Iterator<Item = (Look, &Item)> {
        self.items.iter().filter_map(|item| match item.what {
            ItemKind::File(look) => Some((look, item)),
            _ => None,
        })
    }
}

/// Lists an inbox; one that is not there holds nothing.
///
/// # Errors
/// The inbox cannot be read.
pub fn list(inbox: &Path) -> io::Result<InboxListing> {
    let mut listing = InboxListing::default();
    let mut partners = Vec::new();
    for (name, kind) in entries(inbox)? {
        let partner = name.to_str().filter(|name| kind.is_dir() && name.bytes().all(|b| b.is_ascii_digit()));
        match partner {
            Some(number) => partners.push(PartnerId::from(number)),
            None => listing.put(inbox, None, &name, kind),
        }
    }
    listing.put_claims(inbox, None);
    for number in partners {
        let folder = inbox.join(number.as_str());
        match entries(&folder) {
            Ok(entries) => {
                for (name, kind) in entries {
                    listing.put(&folder, Some(&number), &name, kind);
                }
                listing.put_claims(&folder, Some(&number));
            }
            Err(error) => listing.unreadable.push((folder, error)),
        }
    }
    Ok(listing)
}

impl InboxListing {
    fn put(&mut self, folder: &Path, partner: Option<&PartnerId>, name: &OsStr, kind: FileType) {
        let bytes = name.as_encoded_bytes();
        let is_ours = kind.is_dir() && (name == DONE || name == REFUSED || name == PRIVATE);
        let path = folder.join(name);
        let Some(what) = (if is_ours { None } else { what(&path, bytes, kind) }) else { return };
        let partner = partner.cloned();
        self.items.push(Item { partner, folder: folder.to_owned(), path, what });
    }

    fn put_claims(&mut self, folder: &Path, partner: Option<&PartnerId>) {
        let private = folder.join(PRIVATE);
        let claims = match entries(&private) {
            Err(error) if error.kind() == ErrorKind::NotADirectory => return,
            Err(error) => return self.unreadable.push((private, error)),
            Ok(claims) => claims,
        };
        for (name, _) in claims {
            let Some(id) = name.to_str().filter(|name| !name.starts_with('.')).map(str::to_owned) else {
                continue;
            };
            let inside = entries(&private.join(&name).join(ORIGINAL)).unwrap_or_default();
            let name = inside.first().and_then(|(name, _)| name.to_str()).unwrap_or_default().to_owned();
            let (partner, folder) = (partner.cloned(), folder.to_owned());
            let look = Look { file: (0, 0), bytes: 0, modified_ns: 0, changed_ns: 0 };
            let mut claim = Claim { id, partner, folder, name, look };
            match Look::at(&claim.original()) {
                Ok(look) if !inside.is_empty() => {
                    claim.look = look;
                    self.claims.push(claim);
                }
                _ => self.without_file.push(claim),
            }
        }
    }
}

/// What an entry is; `None`: it is gone, or says of another that it is whole.
fn what(path: &Path, name: &[u8], kind: FileType) -> Option<ItemKind> {
    if let Some(of) = marker::is_of(path).filter(|_| kind.is_file()) {
        return Look::at(path).ok().filter(|_| Look::at(&of).is_err()).map(ItemKind::Marker);
    }
    if name.starts_with(b".") && (kind.is_file() || kind.is_dir()) {
        return Some(if name.starts_with(b".~lock.") {
            ItemKind::Temporary(Look::at(path).ok()?)
        } else {
            ItemKind::Hidden
        });
    }
    if kind.is_dir() {
        return Some(ItemKind::Folder);
    }
    if let Some(what) = look::no_file(kind) {
        return Some(ItemKind::NotAFile(what));
    }
    let look = Look::at(path).ok()?;
    Some(if is_unfinished(name) { ItemKind::Temporary(look) } else { ItemKind::File(look) })
}

fn is_unfinished(name: &[u8]) -> bool {
    let lower = name.to_ascii_lowercase();
    lower.starts_with(b"~$")
        || lower.ends_with(b"~")
        || [&b"thumbs.db"[..], b"desktop.ini"].contains(&&*lower)
        || UNFINISHED.iter().any(|ending| lower.ends_with(ending.as_bytes()))
}

/// What a folder holds, by name; one that is not there holds nothing.
fn entries(folder: &Path) -> io::Result<Vec<(OsString, FileType)>> {
    let listed = match fs::read_dir(folder) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(vec![]),
        listed => listed?,
    };
    let mut entries = Vec::new();
    for entry in listed {
        let entry = entry?;
        match entry.file_type() {
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            kind => entries.push((entry.file_name(), kind?)),
        }
    }
    entries.sort_by(|one, other| one.0.cmp(&other.0));
    Ok(entries)
}

/// Moves an item into its folder's private place, whatever it is, so that nobody finds it by its name any more. `None`:
/// it is gone.
///
/// # Errors
/// It cannot be moved.
pub fn claim(item: &Item, id: String) -> io::Result<Option<Claim>> {
    move_in(&item.path, &item.folder, item.partner.clone(), item.path.file_name().unwrap_or_default(), id)
}

/// The same of a file that was kept, and was written to afterwards: it is taken in again, under the name it was dropped.
///
/// # Errors
/// It cannot be moved.
pub fn claim_again(
    kept: &Path,
    folder: &Path,
    partner: Option<PartnerId>,
    name: &str,
    id: String,
) -> io::Result<Option<Claim>> {
    move_in(kept, folder, partner, OsStr::new(name), id)
}

fn move_in(
    from: &Path,
    folder: &Path,
    partner: Option<PartnerId>,
    name: &OsStr,
    id: String,
) -> io::Result<Option<Claim>> {
    make_private(folder)?;
    let look = Look { file: (0, 0), bytes: 0, modified_ns: 0, changed_ns: 0 };
    let name = short(&shown(name), NAME_BYTES).into_owned();
    let mut claim = Claim { id, partner, folder: folder.to_owned(), name, look };
    fs::create_dir_all(claim.private().join(ORIGINAL))?;
    match fs::rename(from, claim.original()).and_then(|()| Look::at(&claim.original())) {
        Ok(look) => claim.look = look,
        Err(error) => {
            claim.clear();
            return if error.kind() == ErrorKind::NotFound { Ok(None) } else { Err(error) };
        }
    }
    Ok(Some(claim))
}

/// Makes a folder's private place, which is a folder of our own and no link to another.
fn make_private(folder: &Path) -> io::Result<PathBuf> {
    let private = folder.join(PRIVATE);
    match DirBuilder::new().mode(0o700).create(&private) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            if !fs::symlink_metadata(&private)?.is_dir() {
                return Err(io::Error::new(
                    ErrorKind::NotADirectory,
                    "'.taking' is in the way, which is ours",
                ));
            }
        }
        made => made?,
    }
    Ok(private)
}

/// What time it is in an inbox, in nanoseconds since 1970: whether files have rested is told by the clock that stamps them.
///
/// # Errors
/// Nothing can be written there.
pub fn clock_ns(inbox: &Path) -> io::Result<i64> {
    clock_ns_in(&make_private(inbox)?)
}

/// The same of a folder that files are made in.
///
/// # Errors
/// Nothing can be written there.
pub fn clock_ns_in(folder: &Path) -> io::Result<i64> {
    let made = tempfile::Builder::new().prefix(".clock-").tempfile_in(folder)?;
    Ok(Look::of(&made.as_file().metadata()?).changed_ns)
}
