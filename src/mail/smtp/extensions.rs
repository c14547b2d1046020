//! What a server says it can do.

/// What a server says it can do, in its reply to EHLO.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Extensions {
    /// It can go on under TLS.
    pub starttls: bool,
    /// How it lets somebody in, in upper case.
    pub auth: Vec<String>,
    /// The most bytes of a message, if it says so.
    pub size: Option<u64>,
    /// It takes bodies of eight bits.
    pub eight_bit: bool,
    /// It takes addresses outside ASCII.
    pub utf8_addresses: bool,
}

impl Extensions {
    /// Whether it takes mail to an address outside ASCII, whose header has it in UTF-8: a server that says the one and not the
    /// other does not mean it (RFC 6531, 3.1).
    #[must_use]
    pub const fn takes_international(&self) -> bool {
        self.utf8_addresses && self.eight_bit
    }

    /// Reads the lines of a reply to EHLO.
    pub(super) fn read<'a>(lines: impl Iterator<Item = &'a str>) -> Self {
        let mut read = Self::default();
        for line in lines.skip(1) {
            let line = line.to_ascii_uppercase();
            let mut words = line.split([' ', '=']).filter(|word| !word.is_empty());
            match words.next() {
                Some("STARTTLS") => read.starttls = true,
                Some("AUTH") => read.auth.extend(words.map(str::to_owned)),
                Some("SIZE") => {
                    read.size = words.next().and_then(|most| most.parse().ok()).filter(|most| *most > 0);
                }
                Some("8BITMIME") => read.eight_bit = true,
                Some("SMTPUTF8") => read.utf8_addresses = true,
                _ => {}
            }
        }
        read
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_server_can_do_is_read_in_any_case_and_in_old_forms() {
        let lines =
            ["mail.example", "starttls", "SIZE 0", "Auth PLAIN login", "AUTH=CRAM-MD5", "8BITMIME", "x"];
        let read = Extensions::read(lines.into_iter());
        assert_eq!((read.starttls, read.eight_bit, read.utf8_addresses), (true, true, false));
        let takes = |lines: &[&str]| Extensions::read(lines.iter().copied()).takes_international();
        assert!(takes(&["x", "smtputf8", "8bitmime"]));
        assert!(!takes(&["x", "SMTPUTF8"]) && !takes(&["x", "8BITMIME"]), "one without the other");
        assert_eq!((read.auth, read.size), (vec!["PLAIN".into(), "LOGIN".into(), "CRAM-MD5".into()], None));
        assert_eq!(Extensions::read(["x", "SIZE 1000"].into_iter()).size, Some(1000));
        assert_eq!(Extensions::read(["STARTTLS"].into_iter()), Extensions::default(), "that is its name");
    }
}
