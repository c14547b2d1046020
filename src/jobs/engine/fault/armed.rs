//! The faults of a debug build.

use std::{
    future::pending,
    sync::{
        LazyLock,
        atomic::{AtomicU32, Ordering},
    },
    thread,
    time::Duration,
};

use rustix::process::{Signal, getpid, kill_process};

use super::points::POINTS;
use crate::{
    jobs::policy::BUILT_IN,
    store::{self, Error},
};

/// Where the faults are said.
const VARIABLE: &str = "BENEFACTOR_FAULTS";
/// What `exit` ends with.
const CODE: i32 = 7;
/// How long `slow` takes.
const SLOWLY: Duration = Duration::from_millis(200);
/// Whose points they are that belong to no job.
const NIGHT: &str = "night";

static FAULTS: LazyLock<Result<Vec<ArmedFault>, String>> =
    LazyLock::new(|| parse(&std::env::var(VARIABLE).unwrap_or_default()));

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum FaultAction {
    Kill,
    Exit,
    Panic,
    Hang,
    Spin,
    Stop,
    Fail,
    Slow,
}

#[derive(Debug)]
struct ArmedFault {
    point: &'static str,
    nth: u32,
    job: Option<String>,
    action: FaultAction,
    passed: AtomicU32,
}

/// Reads what is asked for; says what of it is not known.
///
/// # Errors
/// A sentence for the operator.
pub fn read() -> Result<(), String> {
    FAULTS.as_ref().map(|_| ()).map_err(|error| format!("{VARIABLE}: {error}"))
}

/// A point is passed, by work of a job or of the `night`.
///
/// # Errors
/// One of the store's, if that is what was asked for.
pub async fn at(point: &'static str, job: &str) -> store::Result<()> {
    // All of them count the passing, whatever the first does.
    let due: Vec<&ArmedFault> = FAULTS.iter().flatten().filter(|fault| fault.is_due(point, job)).collect();
    for fault in due {
        tracing::warn!(point, job, action = ?fault.action, "the fault that was asked for");
        fault.happen().await?;
    }
    Ok(())
}

impl ArmedFault {
    /// Counts a passing; says whether it is the one.
    fn is_due(&self, point: &str, job: &str) -> bool {
        if self.point != point || self.job.as_deref().is_some_and(|only| only != job) {
            return false;
        }
        let nth = self.passed.fetch_add(1, Ordering::Relaxed).saturating_add(1);
        nth == self.nth || self.action == FaultAction::Slow && nth > self.nth
    }

    #[expect(clippy::panic, reason = "a test asked for it")]
    async fn happen(&self) -> store::Result<()> {
        match self.action {
            FaultAction::Kill => {
                signal(Signal::KILL)?;
                pending().await
            }
            FaultAction::Exit => std::process::exit(CODE),
            FaultAction::Panic => panic!("at {}, as asked", self.point),
            FaultAction::Hang => pending().await,
            FaultAction::Spin => loop {
                thread::sleep(Duration::from_secs(1));
            },
            FaultAction::Stop => signal(Signal::STOP),
            FaultAction::Fail => {
                Err(Error::Output(std::io::Error::other(format!("at {}, as asked", self.point))))
            }
            FaultAction::Slow => {
                tokio::time::sleep(SLOWLY).await;
                Ok(())
            }
        }
    }
}

fn signal(signal: Signal) -> store::Result<()> {
    kill_process(getpid(), signal).map_err(|error| Error::Output(error.into()))
}

fn parse(text: &str) -> Result<Vec<ArmedFault>, String> {
    text.split(',').map(str::trim).filter(|part| !part.is_empty()).map(one).collect()
}

fn one(text: &str) -> Result<ArmedFault, String> {
    let (place, action) =
        text.split_once('=').ok_or_else(|| format!("'{text}' is not point[@n][/job]=action"))?;
    let (place, job) = place.split_once('/').map_or((place, None), |(place, job)| (place, Some(job)));
    let (name, nth) = place.split_once('@').unwrap_or((place, "1"));
    let known = || format!("there is no point '{name}'; there are: {}", POINTS.join(", "));
    let point = POINTS.into_iter().find(|point| *point == name).ok_or_else(known)?;
    let nth = nth.parse().ok().filter(|nth| *nth > 0).ok_or_else(|| format!("'{nth}' is not a count"))?;
    if let Some(job) = job.filter(|job| *job != NIGHT && !BUILT_IN.iter().any(|(stem, _)| stem == job)) {
        return Err(format!("there is no job '{job}'"));
    }
    let action = match action {
        "kill" => FaultAction::Kill,
        "exit" => FaultAction::Exit,
        "panic" => FaultAction::Panic,
        "hang" => FaultAction::Hang,
        "spin" => FaultAction::Spin,
        "stop" => FaultAction::Stop,
        "fail" => FaultAction::Fail,
        "slow" => FaultAction::Slow,
        _ => return Err(format!("'{action}' is not something that can happen")),
    };
    Ok(ArmedFault { point, nth, job: job.map(str::to_owned), action, passed: AtomicU32::new(0) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spelled(text: &str) -> Vec<(&'static str, u32, Option<String>, FaultAction)> {
        parse(text).unwrap().into_iter().map(|f| (f.point, f.nth, f.job, f.action)).collect()
    }

    #[test]
    fn a_fault_names_its_point_and_may_name_a_passing_and_a_job() {
        assert_eq!(spelled(""), []);
        assert_eq!(
            spelled(
                "chunk.claimed@3/provision_credits=kill, mail.leased=hang,tick.recorded/night=stop,run.closed@12=fail"
            ),
            [
                ("chunk.claimed", 3, Some("provision_credits".to_owned()), FaultAction::Kill),
                ("mail.leased", 1, None, FaultAction::Hang),
                ("tick.recorded", 1, Some("night".to_owned()), FaultAction::Stop),
                ("run.closed", 12, None, FaultAction::Fail),
            ]
        );
    }

    #[test]
    fn what_is_not_known_is_refused_and_says_so() {
        for (text, word) in [
            ("chunk.claimed", "chunk.claimed"),
            ("chunk.clamed=kill", "chunk.clamed"),
            ("chunk.claimed=die", "die"),
            ("chunk.claimed@0=kill", "'0'"),
            ("chunk.claimed@x=kill", "'x'"),
            ("chunk.claimed/provision=kill", "provision"),
            ("run.closed=kill,=kill", "''"),
        ] {
            let refused = parse(text).unwrap_err();
            assert!(refused.contains(word), "{text}: {refused}");
        }
    }

    #[test]
    fn passings_are_counted_where_the_point_and_the_job_are_meant() {
        let due = |spelled: &str, passed: &[(&str, &str)]| -> Vec<bool> {
            let fault = one(spelled).unwrap();
            passed.iter().map(|(point, job)| fault.is_due(point, job)).collect()
        };
        let passed = [
            ("chunk.claimed", "remind_contacts"),
            ("chunk.claimed", "provision_credits"),
            ("run.closed", "provision_credits"),
            ("chunk.claimed", "provision_credits"),
            ("chunk.claimed", "provision_credits"),
        ];
        assert_eq!(due("chunk.claimed@2=kill", &passed), [false, true, false, false, false]);
        assert_eq!(
            due("chunk.claimed@2/provision_credits=kill", &passed),
            [false, false, false, true, false]
        );
        assert_eq!(due("chunk.claimed@2/provision_credits=slow", &passed), [false, false, false, true, true]);
    }
}
