//! Why what a file did cannot be taken back: something else was built on it. What stands may still be corrected, by a file
//! that says what is right, or by a request; which, is told with each.

use chrono::NaiveDate;
use strum::{EnumString, IntoStaticStr};

use super::id::PartnerId;

/// What was built on something that a file brought or changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, IntoStaticStr, EnumString)]
#[strum(serialize_all = "snake_case")]
pub enum BuiltOn {
    /// Credit, hours or incidents were booked.
    Booked,
    /// A night ended it, or changed it.
    ByNight,
    /// A later file changed it.
    LaterFile,
    /// Somebody asked for something with it, and was answered, or still waits.
    Asked,
    /// Product keys came for it.
    Keys,
    /// Usage was recorded.
    Usage,
    /// Mail told of it, or is about to.
    Mail,
    /// What other orders of the partner bring was decided beside it.
    Beside,
    /// It is part of what is there: orders, users, a contact, files of its folder.
    Holds,
    /// Another has its name by now.
    NameTaken,
    /// It is a request that was accepted.
    Done,
    /// It is a product key that was shown, or redeemed.
    KeyOut,
    /// How it stood before is not on record.
    NotKept,
}

impl BuiltOn {
    /// The stable code.
    #[must_use]
    pub fn code(self) -> &'static str {
        self.into()
    }

    /// What can be done instead.
    #[must_use]
    pub const fn instead(self) -> &'static str {
        match self {
            Self::Booked | Self::ByNight => {
                "what nights did stays: cancel the order by a service request, or correct it by a file that says what is right"
            }
            Self::LaterFile => "take back the later file first",
            Self::Asked => "what was asked for stays: take that back by a request of its own, such as remove",
            Self::Keys => "take back the file of keys first",
            Self::Usage => "take back the file of usage first",
            Self::Mail => "what was told stays: correct it by a file that says what is right",
            Self::Beside => {
                "what silver and gold bring beside each other is settled: correct it by a file that says what is right"
            }
            Self::Holds => "take back the files first that brought that",
            Self::NameTaken => "give the other one another name first",
            Self::Done => {
                "what was done on request stays: ask for the opposite where there is one, such as remove"
            }
            Self::KeyOut => "a key that somebody has seen cannot be taken back",
            Self::NotKept => {
                "an earlier version took the file in; correct it by a file that says what is right"
            }
        }
    }
}

/// One thing that a file brought or changed and that cannot be taken back, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hindrance {
    /// Whose it is.
    pub partner: PartnerId,
    /// What it is called: an order and its benefit, a user, the partner itself.
    pub subject: String,
    /// What was built on it.
    pub built: BuiltOn,
    /// That in a few words.
    pub what: String,
    /// Its date.
    pub on: Option<NaiveDate>,
}

impl Hindrance {
    /// `4100101 ORD-1/software: asked (assign, 2024-02-03)`
    #[must_use]
    pub fn line(&self) -> String {
        let on = self.on.map_or_else(String::new, |on| format!(", {on}"));
        let whose =
            if self.partner.as_str().is_empty() { String::new() } else { format!("{} ", self.partner) };
        format!("{whose}{}: {} ({}{on})", self.subject, self.built.code(), self.what)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hindrance_says_whose_what_why_and_when() {
        let on = NaiveDate::from_ymd_opt(2024, 2, 3);
        let (partner, subject) = (PartnerId::from("4100101"), "ORD-1/software".to_owned());
        let hindrance = Hindrance { partner, subject, built: BuiltOn::Asked, what: "assign".to_owned(), on };
        assert_eq!(hindrance.line(), "4100101 ORD-1/software: asked (assign, 2024-02-03)");
        assert_eq!(BuiltOn::KeyOut.code().parse(), Ok(BuiltOn::KeyOut));
    }
}
