//! Product keys, sealed (promise 11): XChaCha20-Poly1305 with a random nonce each, bound to the row they stand in; found
//! by HMAC-SHA-256 of the key. Both subkeys come from one secret of 32 bytes, which is in a file and never in the store.

use std::{
    fmt, fs,
    io::{ErrorKind, Write as _},
    path::{Path, PathBuf},
    sync::OnceLock,
};

use chacha20poly1305::{
    XChaCha20Poly1305, XNonce,
    aead::{Aead, KeyInit, Payload},
};
use hmac::{Hmac, Mac};
use sha2::Sha256;
use sqlx::PgConnection;

use super::{Error, Result};
use crate::domain::{
    id::{EntitlementNo, FileNo, KeyNo},
    license_key::Secret,
};

/// Bytes of the secret, of its subkeys, of a lookup.
pub(super) const BYTES: usize = 32;
/// Bytes of a nonce, which a sealed text begins with.
const NONCE: usize = 24;
/// The name of the secret's file in the data directory.
const FILE: &str = "secret.key";

/// Where the secret is.
#[derive(Debug)]
pub struct SecretPlace {
    file: PathBuf,
    stated: bool,
    /// What a dry run, which writes nothing, made up.
    rehearsed: Option<OnceLock<Vault>>,
}

impl SecretPlace {
    /// In the file that the settings state, else in the data directory, where it is made when it is first needed. A dry
    /// run makes one up instead.
    #[must_use]
    pub fn new(stated: Option<&Path>, data_dir: &Path, dry_run: bool) -> Self {
        Self {
            file: stated.map_or_else(|| data_dir.join(FILE), Path::to_owned),
            stated: stated.is_some(),
            rehearsed: dry_run.then(OnceLock::new),
        }
    }

    /// Opens the vault of this store. The first secret that it is opened with is the store's for good.
    ///
    /// # Errors
    /// [`Error::Configuration`], with what to do: there is no secret, it cannot be read, or it is not the store's.
    pub async fn open(&self, conn: &mut PgConnection) -> Result<Vault> {
        let known = check(conn).await?;
        let vault = match (self.read()?, &self.rehearsed) {
            (Some(vault), _) => vault,
            (None, Some(rehearsed)) if rehearsed.get().is_some() => rehearsed.get_or_init(rehearsal).clone(),
            (None, _) if known.is_some() => return Err(self.is_missing()),
            (None, _) if self.stated => return Err(self.is_not_there()),
            (None, Some(rehearsed)) => rehearsed.get_or_init(rehearsal).clone(),
            (None, None) => self.make()?,
        };
        sqlx::query!("insert into vault (secret_check) values ($1) on conflict do nothing", &vault.check)
            .execute(&mut *conn)
            .await?;
        if check(conn).await?.as_deref() == Some(&vault.check) { Ok(vault) } else { Err(self.is_other()) }
    }

    fn read(&self) -> Result<Option<Vault>> {
        match fs::read_to_string(&self.file) {
            Ok(text) => Ok(Some(Vault::of(&parse(&text).ok_or_else(|| self.is_no_secret())?))),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) if error.kind() == ErrorKind::InvalidData => Err(self.is_no_secret()),
            Err(error) => Err(self.says(&format!("cannot be read ({error}): make it readable"))),
        }
    }

    /// Makes a secret and its file, which nobody else may read; another process may have been faster.
    fn make(&self) -> Result<Vault> {
        let folder = self.file.parent().unwrap_or(Path::new("."));
        let written = (|| {
            fs::create_dir_all(folder)?;
            let mut file = tempfile::Builder::new().prefix(".secret-").tempfile_in(folder)?; // 0600
            writeln!(file, "{}", hex(&random::<BYTES>().map_err(std::io::Error::other)?))?;
            file.as_file().sync_all()?;
            match file.persist_noclobber(&self.file) {
                Err(failed) if failed.error.kind() != ErrorKind::AlreadyExists => Err(failed.error),
                _ => fs::File::open(folder)?.sync_all(),
            }
        })();
        written.map_err(|error| self.says(&format!("cannot be made ({error}): make its folder writable")))?;
        self.read()?.ok_or_else(|| self.is_missing())
    }

    fn says(&self, what: &str) -> Error {
        Error::Configuration(format!("the secret of the product keys, {}, {what}", self.file.display()))
    }

    fn is_missing(&self) -> Error {
        self.says(
            "is not there, and the keys in this store were sealed with it: put it back, or say with --key-file \
             (BENEFACTOR_KEY_FILE) where it is; without it they cannot be read",
        )
    }

    fn is_not_there(&self) -> Error {
        self.says("is not there: make it with `openssl rand -hex 32`, readable by you alone, or take --key-file away")
    }

    fn is_other(&self) -> Error {
        self.says(
            "is not the one that the keys in this store were sealed with; nothing was taken in or shown. Put that one in \
             its place, or say with --key-file (BENEFACTOR_KEY_FILE) where it is",
        )
    }

    fn is_no_secret(&self) -> Error {
        self.says("holds no secret: it must be 32 bytes as 64 hexadecimal digits or as base64")
    }
}

/// What seals what is never kept.
fn rehearsal() -> Vault {
    Vault::of(&[0; BYTES])
}

async fn check(conn: &mut PgConnection) -> Result<Option<Vec<u8>>> {
    Ok(sqlx::query_scalar!("select secret_check from vault").fetch_optional(conn).await?)
}

/// The secret at work. Never shown by accident.
#[derive(Clone)]
pub struct Vault {
    seal: XChaCha20Poly1305,
    lookup: [u8; BYTES],
    tokens: [u8; BYTES],
    names: [u8; BYTES],
    check: Vec<u8>,
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Vault")
    }
}

impl Vault {
    fn of(secret: &[u8; BYTES]) -> Self {
        let seal = hmac(secret, b"benefactor product keys: seal");
        Self {
            seal: XChaCha20Poly1305::new(&seal.into()),
            lookup: hmac(secret, b"benefactor product keys: lookup"),
            tokens: hmac(secret, b"benefactor mails: tokens"),
            names: hmac(secret, b"benefactor erasure: names"),
            check: hmac(secret, b"benefactor product keys: check").to_vec(),
        }
    }

    /// Seals a key as one of a benefit.
    ///
    /// # Errors
    /// The machine gives no random bytes.
    pub fn seal(&self, key: &Secret, key_id: KeyNo, entitlement_id: EntitlementNo) -> Result<Vec<u8>> {
        self.close(key.expose().as_bytes(), &bound("key", key_id.get(), entitlement_id.get()))
    }

    /// Opens a sealed key.
    ///
    /// # Errors
    /// [`Error::Unknown`]: it was sealed as another key or of another benefit, or was changed.
    pub fn open(&self, sealed: &[u8], key_id: KeyNo, entitlement_id: EntitlementNo) -> Result<Secret> {
        let text = self.reopen(sealed, &bound("key", key_id.get(), entitlement_id.get()));
        text.and_then(|text| Secret::parse(&text))
            .ok_or_else(|| Error::Unknown { what: format!("a seal of key K{key_id}") })
    }

    /// What the tokens of mails are made with.
    pub(super) const fn mail_tokens(&self) -> [u8; BYTES] {
        self.tokens
    }

    /// By what a name or an address of somebody who was taken out is known again at a partner; `at` is its Partner ID, empty
    /// for whoever has the name wherever.
    #[must_use]
    pub fn name_hash(&self, at: &str, name: &str) -> Vec<u8> {
        hmac(&self.names, format!("{at}\0{}", name.to_lowercase()).as_bytes()).to_vec()
    }

    /// By what a key is found without being known.
    #[must_use]
    pub fn lookup(&self, key: &Secret) -> Vec<u8> {
        hmac(&self.lookup, key.expose().as_bytes()).to_vec()
    }

    /// Seals the cells of a staged row.
    ///
    /// # Errors
    /// The machine gives no random bytes.
    pub fn seal_cells(&self, cells: &str, file_id: FileNo, row_no: i32) -> Result<String> {
        Ok(hex(&self.close(cells.as_bytes(), &bound("row", file_id.get(), row_no.into()))?))
    }

    /// Opens the cells of a staged row.
    ///
    /// # Errors
    /// [`Error::Unknown`]: they were not sealed as that row's.
    pub fn open_cells(&self, sealed: &str, file_id: FileNo, row_no: i32) -> Result<String> {
        unhex(sealed)
            .and_then(|sealed| self.reopen(&sealed, &bound("row", file_id.get(), row_no.into())))
            .ok_or_else(|| Error::Unknown { what: format!("a seal of row {row_no} of file {file_id}") })
    }

    /// Seals what somebody is known by whose erasure is not done.
    ///
    /// # Errors
    /// The machine gives no random bytes.
    pub(super) fn seal_names(&self, names: &str, erasure: i64) -> Result<String> {
        Ok(hex(&self.close(names.as_bytes(), &bound("erasure", erasure, 0))?))
    }

    /// Opens them.
    ///
    /// # Errors
    /// [`Error::Unknown`]: they were not sealed as that erasure's.
    pub(super) fn open_names(&self, sealed: &str, erasure: i64) -> Result<String> {
        unhex(sealed)
            .and_then(|sealed| self.reopen(&sealed, &bound("erasure", erasure, 0)))
            .ok_or_else(|| Error::Unknown { what: format!("a seal of erasure {erasure}") })
    }

    fn close(&self, text: &[u8], bound: &[u8]) -> Result<Vec<u8>> {
        let nonce = random::<NONCE>()
            .map_err(|error| Error::Configuration(format!("this machine gives no random bytes: {error}")))?;
        let payload = Payload { msg: text, aad: bound };
        let sealed = self.seal.encrypt(&XNonce::from(nonce), payload);
        let sealed = sealed.map_err(|_| Error::Unknown { what: "a text too long to seal".to_owned() })?;
        Ok([nonce.as_slice(), &sealed].concat())
    }

    fn reopen(&self, sealed: &[u8], bound: &[u8]) -> Option<String> {
        let (nonce, sealed) = sealed.split_first_chunk::<NONCE>()?;
        let text = self.seal.decrypt(&XNonce::from(*nonce), Payload { msg: sealed, aad: bound }).ok()?;
        String::from_utf8(text).ok()
    }
}

/// What a sealed text belongs to; elsewhere it does not open.
fn bound(what: &str, id: i64, within: i64) -> Vec<u8> {
    [what.as_bytes(), &id.to_be_bytes(), &within.to_be_bytes()].concat()
}

pub(super) fn hmac(key: &[u8; BYTES], text: &[u8]) -> [u8; BYTES] {
    // A key is filled up with zeros to a block.
    let mut block = hmac::digest::Key::<Hmac<Sha256>>::default();
    for (at, byte) in block.iter_mut().zip(key) {
        *at = *byte;
    }
    let mut mac = <Hmac<Sha256> as hmac::KeyInit>::new(&block);
    mac.update(text);
    mac.finalize().into_bytes().into()
}

fn random<const N: usize>() -> std::result::Result<[u8; N], getrandom::Error> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes)?;
    Ok(bytes)
}

/// 64 hexadecimal digits, or base64 of either alphabet with or without its padding.
fn parse(text: &str) -> Option<[u8; BYTES]> {
    let text = text.trim();
    let bytes = if text.len() == 2 * BYTES { unhex(text)? } else { unbase64(text.trim_end_matches('='))? };
    bytes.try_into().ok()
}

pub(super) fn hex(bytes: &[u8]) -> String {
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    digits.filter_map(|digit| char::from_digit(digit.into(), 16)).collect()
}

pub(super) fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> =
        text.chars().map(|c| c.to_digit(16).and_then(|digit| u8::try_from(digit).ok())).collect();
    let (pairs, rest) = digits.as_deref()?.as_chunks::<2>();
    rest.is_empty().then(|| pairs.iter().map(|[high, low]| high << 4 | low).collect())
}

fn unbase64(text: &str) -> Option<Vec<u8>> {
    let (mut bits, mut count, mut bytes) = (0_u32, 0_u32, Vec::new());
    for byte in text.bytes() {
        let value = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            _ => return None,
        };
        bits = bits << 6 | u32::from(value);
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push(u8::try_from(bits >> count & 0xff).ok()?);
        }
    }
    (bits & ((1 << count) - 1) == 0).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn key() -> Secret {
        Secret::parse("VK7JG-NPHTM-C97JM-9MPGT-3V66T").unwrap()
    }

    #[test]
    fn promise_11_a_key_opens_in_its_own_row_with_its_own_secret_and_nowhere_else() {
        let vault = Vault::of(&[7; BYTES]);
        let sealed = vault.seal(&key(), 17.into(), 4.into()).unwrap();
        assert_eq!(vault.open(&sealed, 17.into(), 4.into()).unwrap(), key());
        assert_ne!(sealed, vault.seal(&key(), 17.into(), 4.into()).unwrap(), "a nonce each");
        assert!(
            vault.open(&sealed, 18.into(), 4.into()).is_err()
                && vault.open(&sealed, 17.into(), 5.into()).is_err()
        );
        assert!(Vault::of(&[8; BYTES]).open(&sealed, 17.into(), 4.into()).is_err());
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert!(vault.open(&changed, 17.into(), 4.into()).is_err());
        }
        assert!(vault.open(&sealed[..NONCE - 1], 17.into(), 4.into()).is_err());
        let row = vault.seal_cells("a\u{1f}b", 1.into(), 2).unwrap();
        assert_eq!(vault.open_cells(&row, 1.into(), 2).unwrap(), "a\u{1f}b");
        assert!(vault.open_cells(&row, 2.into(), 1).is_err() && vault.open_cells("zz", 1.into(), 2).is_err());
    }

    #[test]
    fn promise_11_a_key_is_found_by_a_keyed_hash() {
        let (one, other) = (Vault::of(&[7; BYTES]), Vault::of(&[8; BYTES]));
        assert_eq!(one.lookup(&key()), one.lookup(&Secret::parse("vk7jg-nphtm-c97jm-9mpgt-3v66t").unwrap()));
        assert_ne!(one.lookup(&key()), other.lookup(&key()));
        assert_ne!(one.lookup(&key()), one.lookup(&Secret::parse("VK7JG-NPHTM-C97JM-9MPGT-3V66U").unwrap()));
        assert_eq!(format!("{one:?}"), "Vault");
        // RFC 4231, case 2, with its key filled up to 32 bytes.
        let mut jefe = [0; BYTES];
        jefe[..4].copy_from_slice(b"Jefe");
        let expected = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
        assert_eq!(hex(&hmac(&jefe, b"what do ya want for nothing?")), expected);
    }

    #[test]
    fn a_secret_is_64_hexadecimal_digits_or_base64() {
        let secret: [u8; BYTES] = std::array::from_fn(|at| u8::try_from(at * 8 + 3).unwrap());
        assert_eq!(parse(&format!(" {}\n", hex(&secret).to_uppercase())), Some(secret));
        assert_eq!(parse("AwsTGyMrMztDS1NbY2tze4OLk5ujq7O7w8vT2+Pr8/s=\n"), Some(secret));
        assert_eq!(parse("AwsTGyMrMztDS1NbY2tze4OLk5ujq7O7w8vT2-Pr8_s"), Some(secret));
        for bad in [
            "",
            "abc",
            &"0".repeat(63),
            &"g".repeat(64),
            "AwsTGyMrMztDS1NbY2tze4OLk5ujq7O7w8vT2+Pr8/t=",
            "ÅÅ",
        ] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_secret_is_made_once_and_readable_by_its_owner_alone() {
        let dir = tempfile::tempdir().unwrap();
        let place = SecretPlace::new(None, &dir.path().join("data"), false);
        assert!(place.read().unwrap().is_none());
        let made = place.make().unwrap();
        assert_eq!(place.make().unwrap().check, made.check, "whoever was faster");
        let file = dir.path().join("data").join(FILE);
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        fs::write(&file, "short").unwrap();
        assert!(place.read().unwrap_err().to_string().contains("64 hexadecimal digits"));
        fs::write(&file, b"\xff\xfe").unwrap();
        assert!(place.read().unwrap_err().is_configuration());
    }
}
