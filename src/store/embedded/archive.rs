//! Where PostgreSQL comes from if this machine has none.

use super::error::Error;

/// Where PostgreSQL's server programs are fetched from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Archive {
    /// The releases of theseus-rs/postgresql-binaries, if this machine has no programs that fit.
    #[default]
    Usual,
    /// Nowhere: they are installed, or that is an error.
    Never,
    /// One archive (`.tar.gz`, with `bin` in its only top directory) at this URL, and its SHA-256 under the same
    /// with `.sha256` at the end. Its programs are used whatever is installed.
    At(String),
}

impl Archive {
    /// Reads the setting: a URL, or `off`.
    ///
    /// # Errors
    /// [`Error::Unfit`] if it is neither.
    pub fn parse(setting: &str) -> Result<Self, Error> {
        match setting.trim() {
            "" => Ok(Self::Usual),
            "off" => Ok(Self::Never),
            url if url.starts_with("https://") || url.starts_with("http://") => Ok(Self::At(url.to_owned())),
            _ => Err(Error::Unfit("--postgres-archive takes an http or https URL, or off".to_owned())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_archive_is_a_url_or_off_or_the_usual_one() {
        assert_eq!(Archive::parse("").unwrap(), Archive::Usual);
        assert_eq!(Archive::parse("off").unwrap(), Archive::Never);
        let url = "https://mirror.example/postgresql.tar.gz";
        assert_eq!(Archive::parse(url).unwrap(), Archive::At(url.to_owned()));
        assert!(matches!(Archive::parse("/srv/postgresql.tar.gz"), Err(Error::Unfit(_))));
    }
}
