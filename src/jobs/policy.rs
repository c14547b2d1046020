//! The numbers of the rules, and when and how hard each job works: one TOML a job (`jobs/<stem>.toml`).
//!
//! Compiled in, and overridden file by file. A job's own numbers are beside it (`<stem>/policy.rs`); what all files have is
//! in [`mod@file`]; here they are put together from the one list of jobs.

use self::file::{JobFile, PolicyFiles, Work};
use crate::domain::{finding::Finding, timetable::Timetable};

pub mod file;

macro_rules! policies {
    ($($stem:ident: $policy:ident,)+) => {
        /// How many jobs there are.
        const COUNT: usize = [$(stringify!($stem)),+].len();

        /// The jobs in the order of a night, and the text that is compiled in for each.
        pub const BUILT_IN: [(&str, &str); COUNT] =
            [$((stringify!($stem), include_str!(concat!("../../jobs/", stringify!($stem), ".toml")))),+];

        /// Every job's timetable, work and policy.
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub struct Policies {
            $(
                #[doc = concat!("What `jobs/", stringify!($stem), ".toml` says.")]
                pub $stem: JobFile<super::$stem::policy::$policy>,
            )+
            /// Stem and text of every file the above was read from, in the order of a night: what a run's policy
            /// hash covers.
            pub texts: Vec<(&'static str, String)>,
        }

        /// What of it could be read.
        struct Parsed {
            $($stem: Option<JobFile<super::$stem::policy::$policy>>,)+
        }

        impl Parsed {
            fn read(files: &mut PolicyFiles<'_>) -> Self {
                Self { $($stem: files.job(stringify!($stem)),)+ }
            }

            fn whole(self, texts: Vec<(&'static str, String)>) -> Option<Policies> {
                Some(Policies { $($stem: self.$stem?,)+ texts })
            }
        }

        impl Policies {
            /// Stem, timetable and work of every job, in the order of a night.
            #[must_use]
            pub fn jobs(&self) -> [(&'static str, &Timetable, Work); COUNT] {
                [$((stringify!($stem), &self.$stem.timetable, self.$stem.work)),+]
            }
        }
    };
}

for_every_job!(policies);

impl Policies {
    /// What is compiled in.
    ///
    /// # Errors
    /// Every finding; a test holds that there is none.
    pub fn built_in() -> Result<Self, Vec<Finding>> {
        Self::parse(|_| None)
    }

    /// What is compiled in, each file replaced by what `overrides` has for its stem.
    ///
    /// # Errors
    /// Every value out of its range, and the first fault of each file that does not have the right shape.
    pub fn parse(overrides: impl Fn(&str) -> Option<String>) -> Result<Self, Vec<Finding>> {
        let texts =
            BUILT_IN.map(|(stem, text)| (stem, overrides(stem).unwrap_or_else(|| text.to_owned()))).to_vec();
        let mut files = PolicyFiles { texts: &texts, findings: Vec::new() };
        let parsed = Parsed::read(&mut files);
        if let (Some(expire), Some(remind)) = (&parsed.expire_benefits, &parsed.remind_contacts) {
            let grace_days = expire.policy.grace_days;
            files.check("remind_contacts", |checks| remind.policy.check_within_grace(grace_days, checks));
        }
        let findings = files.findings;
        if findings.is_empty() { parsed.whole(texts).ok_or(findings) } else { Err(findings) }
    }

    /// Stem and timetable of every job, in the order of a night.
    #[must_use]
    pub fn timetables(&self) -> [(&'static str, &Timetable); COUNT] {
        self.jobs().map(|(stem, timetable, _)| (stem, timetable))
    }

    /// What is right and may surprise, each with the file that it is about.
    #[must_use]
    pub fn notes(&self) -> Vec<String> {
        let of = |stem: &'static str| move |note: String| format!("{}: {note}", file::file(stem));
        let provision = self.provision_credits.policy.notes().into_iter().map(of("provision_credits"));
        let operators = self.email_operators.policy.notes().into_iter().map(of("email_operators"));
        provision.chain(operators).collect()
    }
}

#[cfg(test)]
mod tests;
