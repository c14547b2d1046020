//! What people are told (D10): one file a notice, with everything there is to it.
//!
//! A notice's file has its facts, to whom it goes and in which stream, by when something can still be done about it,
//! its line in a history, and samples; its subject and text stand in the folder of every language (`domain/texts`). The
//! first word of the file is its kind: the file's name, the word in the store and the `kind` of its stored facts are one
//! and the same. A new one takes its file, a text a language and a line in the list below; the compiler asks for whatever
//! is left out.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use strum::VariantNames;

use super::{id::OrderId, texts::ReaderLanguage};
pub use facts::{Fact, Facts};
pub use stake::Stake;
use told::NoticeContent;
pub use told::{Audience, Steps, Stream};

mod facts;
mod stake;
mod told;

/// Declares the notices. Their order is that of a digest where the same day is the last for several: what more hangs
/// on comes first.
macro_rules! notices {
    ($($file:ident :: $name:ident),+ $(,)?) => {
        $(mod $file; pub use $file::$name;)+

        /// One notice. Stored as its kind and its facts; a mail is a digest of notices.
        #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, VariantNames)]
        #[serde(tag = "kind", rename_all = "snake_case")]
        #[strum(serialize_all = "snake_case")]
        pub enum Notice {
            $(#[doc = concat!("See [`", stringify!($name), "`].")] $name($name),)+
        }

        $(impl From<$name> for Notice {
            fn from(told: $name) -> Self {
                Self::$name(told)
            }
        })+

        /// Every kind, in the order of a digest, with what it declares.
        pub const KINDS: &[NoticeKind] = &[$(NoticeKind {
            name: stringify!($file),
            audience: $name::AUDIENCE,
            stream: $name::STREAM,
            steps: $name::STEPS,
            text: |language| match language {
                ReaderLanguage::English => include_str!(concat!("../texts/en/", stringify!($file), ".txt")),
                ReaderLanguage::Swedish => include_str!(concat!("../texts/sv/", stringify!($file), ".txt")),
                ReaderLanguage::German => include_str!(concat!("../texts/de/", stringify!($file), ".txt")),
            },
        }),+];

        impl Notice {
            /// The stable kind, as stored and reported.
            #[must_use]
            pub const fn kind(&self) -> &'static str {
                match self { $(Self::$name(_) => stringify!($file),)+ }
            }

            /// To whom it goes.
            #[must_use]
            pub const fn audience(&self) -> Audience {
                match self { $(Self::$name(_) => $name::AUDIENCE,)+ }
            }

            /// What a mail that carries it is.
            #[must_use]
            pub const fn stream(&self) -> Stream {
                match self { $(Self::$name(_) => $name::STREAM,)+ }
            }

            fn about(&self) -> (&OrderId, Option<&str>) {
                match self { $(Self::$name(told) => told.about(),)+ }
            }

            fn act_by(&self, today: NaiveDate) -> NaiveDate {
                match self { $(Self::$name(told) => told.act_by(today),)+ }
            }

            /// Its facts in a language, under the names that its texts use.
            #[must_use]
            pub fn facts(&self, language: ReaderLanguage) -> Facts {
                let facts = Facts::new(language);
                match self { $(Self::$name(told) => told.facts(facts),)+ }
            }

            /// What it says, in one breath.
            #[must_use]
            pub fn line(&self) -> String {
                match self { $(Self::$name(told) => told.line(),)+ }
            }

            /// Invented notices of every kind: one for each turn that a text can take.
            #[must_use]
            pub fn samples() -> Vec<Self> {
                let mut all = Vec::new();
                $(all.extend($name::samples().into_iter().map(Self::$name));)+
                all
            }
        }
    };
}

notices! {
    membership_in_grace::MembershipInGrace,
    membership_ending::MembershipEnding,
    credit_about_to_lapse::CreditAboutToLapse,
    entitlement_ending::EntitlementEnding,
    cancellation_accepted::CancellationAccepted,
    cancellation_refused::CancellationRefused,
    credit_lapsed_unassigned::CreditLapsedUnassigned,
    membership_ended::MembershipEnded,
    entitlement_ended::EntitlementEnded,
    offer_instructions::OfferInstructions,
    offer_live::OfferLive,
    contact_needed::ContactNeeded,
}

/// What a kind of notice declares.
#[derive(Clone, Copy, Debug)]
pub struct NoticeKind {
    /// As stored and reported.
    pub name: &'static str,
    /// To whom it goes.
    pub audience: Audience,
    /// What a mail that carries it is.
    pub stream: Stream,
    /// When it is told, if it reminds of something that comes near.
    pub steps: Option<Steps>,
    /// Its subject on the first line, and its text under it, in a language.
    pub text: fn(ReaderLanguage) -> &'static str,
}

impl Notice {
    /// What it is about: the order, or the order and the benefit.
    #[must_use]
    pub fn subject(&self) -> String {
        match self.about() {
            (order, Some(benefit)) => format!("{order}/{benefit}"),
            (order, None) => order.to_string(),
        }
    }

    /// What comes first in a digest (D10): the day by which something can still be done, then how much hangs on it.
    #[must_use]
    pub fn urgency(&self, today: NaiveDate) -> (NaiveDate, usize) {
        let place = KINDS.iter().position(|kind| kind.name == self.kind()).unwrap_or(usize::MAX);
        (self.act_by(today), place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn d10_offer_mail_goes_to_the_contact_only_and_that_there_is_none_to_the_account() {
        assert_eq!(kinds(|kind| kind.audience == Audience::Contact), ["offer_instructions", "offer_live"]);
        assert_eq!(kinds(|kind| kind.audience == Audience::Account), ["contact_needed"]);
    }

    fn kinds(of: impl Fn(&NoticeKind) -> bool) -> Vec<&'static str> {
        KINDS.iter().filter(|kind| of(kind)).map(|kind| kind.name).collect()
    }

    #[test]
    fn d10_only_that_an_offer_is_live_is_marketing() {
        assert_eq!(kinds(|kind| kind.stream == Stream::Marketing), ["offer_live"]);
        for name in Stream::VARIANTS {
            assert_eq!(Stream::parse(name).map(Stream::as_str), Some(*name));
        }
    }

    #[test]
    fn a_notice_is_its_file_its_kind_and_its_word_in_the_store() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/domain/notice");
        let mut files: Vec<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|file| file.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned())
            .filter(|stem| !["mod", "facts", "stake", "told"].contains(&&**stem))
            .collect();
        files.sort();
        let mut kinds: Vec<&str> = KINDS.iter().map(|kind| kind.name).collect();
        kinds.sort_unstable();
        assert_eq!(files, kinds, "a notice is one file of this folder and a line in its list");
        let samples = Notice::samples();
        for kind in KINDS {
            let of_kind: Vec<&Notice> = samples.iter().filter(|notice| notice.kind() == kind.name).collect();
            assert!(!of_kind.is_empty(), "{} has no sample", kind.name);
            for notice in of_kind {
                let stored = serde_json::to_value(notice).unwrap();
                assert_eq!(stored["kind"], kind.name);
                assert_eq!(&serde_json::from_value::<Notice>(stored).unwrap(), notice);
                assert!(!notice.line().is_empty());
            }
        }
    }

    /// The words by which other files may know a kind: it is built there, or asked for by name in a statement.
    #[test]
    fn no_other_file_goes_through_the_kinds_of_notice() {
        let sources = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        let mut folders = vec![sources];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else if !path.ends_with("domain/notice/mod.rs")
                    && path.extension().is_some_and(|e| e == "rs")
                {
                    let text = std::fs::read_to_string(&path).unwrap();
                    assert!(!text.contains("Notice::samples(") || text.contains("preview"));
                    let through = text
                        .lines()
                        .any(|line| line.trim_start().starts_with("Notice::") && line.contains("=>"));
                    assert!(!through, "{}: what differs by notice belongs into its file", path.display());
                }
            }
        }
    }
}
