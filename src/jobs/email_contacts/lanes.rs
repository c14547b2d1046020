//! The way of mails to a mail server: lanes of our own, each with one connection, that send what is due one by one. A
//! server that takes nothing costs no mail a try, and nothing that is sent here is part of a night (promise 9).

use std::{
    collections::VecDeque,
    sync::Arc,
    time::{Duration, Instant},
};

use sqlx::PgPool;
use tokio::task::JoinSet;
use tracing::warn;

use super::{
    policy::{PacePolicy, SendingPolicy},
    sender::Sender,
};
use crate::{
    jobs::engine::{Context, Error, Result, name},
    mail::smtp::{MailServer, MailVerdict, Session, StepLimits},
    store::mail::{
        Leased, Sending,
        lanes::{self, LaneOutcome, Patience},
        pace::{self, Pace},
    },
};

/// Steps of a message before the verdict, and the one to start over.
const STEPS: f64 = 6.0;
/// Mails that a lane claims at a time, if so many are due for each.
const AT_A_TIME: i64 = 16;
/// So long after it was claimed a mail is handed over without another look at whether it is still true and wanted.
const FRESH: Duration = Duration::from_secs(2);
/// What a claim holds beyond all limits, in seconds.
const MARGIN: f64 = 30.0;

/// What lanes came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sent {
    /// The server has them.
    pub sent: u64,
    /// It never will.
    pub refused: u64,
    /// Another time.
    pub later: u64,
    /// Nobody knows.
    pub unknown: u64,
    /// Why the server takes nothing now, if so.
    pub trouble: Option<String>,
}

impl Sent {
    fn add(&mut self, other: Self) {
        self.sent += other.sent;
        self.refused += other.refused;
        self.later += other.later;
        self.unknown += other.unknown;
        self.trouble = self.trouble.take().or(other.trouble);
    }
}

/// Sends all that is due, and comes to an end when nothing is, when the server takes nothing, or when a stop is asked for.
///
/// # Errors
/// The store is down.
pub async fn send_due(cx: &Arc<Context>, pool: &PgPool) -> Result<Sent> {
    let Some(server) = cx.server.clone() else { return Ok(Sent::default()) };
    let policy = cx.policies.email_contacts.policy.sending;
    let pace = Arc::new(pace(&cx.policies.email_contacts.policy.pace));
    let due = {
        let mut conn = pool.acquire().await?;
        lanes::settle(&mut conn, patience(policy)).await?;
        lanes::due(&mut conn, patience(policy), &pace, i64::from(policy.lanes) * AT_A_TIME).await?
    };
    let most_lanes = i64::from(policy.lanes);
    let at_a_time = (due / most_lanes).clamp(1, AT_A_TIME);
    let mut open = JoinSet::new();
    for _ in 0..due.min(most_lanes) {
        let (cx, pool, server, pace) = (Arc::clone(cx), pool.clone(), Arc::clone(&server), Arc::clone(&pace));
        open.spawn(lane(cx, pool, server, policy, pace, at_a_time));
    }
    let mut all = Sent::default();
    while let Some(ended) = open.join_next().await {
        all.add(ended.map_err(|error| Error::Panicked(error.to_string()))??);
    }
    if let Some(trouble) = &all.trouble {
        lanes::blame_server(&mut *pool.acquire().await?, trouble).await?;
    } else if all.sent > 0 {
        lanes::absolve_server(&mut *pool.acquire().await?).await?;
    }
    Ok(all)
}

/// How we are called there.
#[must_use]
pub fn client_name(cx: &Context) -> String {
    let host = name::host();
    let plain =
        host.contains('.') && host.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-'));
    if plain { host } else { cx.policies.email_contacts.policy.domain().to_owned() }
}

/// The time limits of the policy.
#[must_use]
pub fn limits(policy: SendingPolicy) -> StepLimits {
    StepLimits {
        step: Duration::from_secs(policy.step_seconds.into()),
        after_dot: Duration::from_secs(policy.after_dot_seconds.into()),
    }
}

fn patience(policy: SendingPolicy) -> Patience {
    Patience {
        first_pause: policy.retry_after_seconds.into(),
        longest_pause: policy.retry_at_most_seconds.into(),
        give_up_after: f64::from(policy.give_up_after_hours) * 3600.0,
        resend_unknown: policy.resend_unknown,
    }
}

fn pace(policy: &PacePolicy) -> Pace {
    let rate = |rate: u32| i32::try_from(rate).unwrap_or(i32::MAX);
    Pace {
        per_minute: rate(policy.per_minute),
        domain_per_minute: rate(policy.domain_per_minute),
        own_per_minute: policy.domains.iter().map(|(of, own)| (of.clone(), rate(*own))).collect(),
        domain_connections: policy.domain_connections.into(),
        pause_after: rate(policy.pause_after),
        first_pause: policy.pause_seconds.into(),
        longest_pause: policy.pause_at_most_seconds.into(),
    }
}

/// What a lane goes by.
struct Lane {
    cx: Arc<Context>,
    pool: PgPool,
    sender: Sender,
    patience: Patience,
    pace: Arc<Pace>,
    lease_seconds: f64,
}

/// Sends one mail after the other over one connection, as long as it is sound; claims at most so many at a time.
async fn lane(
    cx: Arc<Context>,
    pool: PgPool,
    server: Arc<MailServer>,
    policy: SendingPolicy,
    pace: Arc<Pace>,
    at_a_time: i64,
) -> Result<Sent> {
    let (limits, me) = (limits(policy), client_name(&cx));
    let lease_seconds = f64::from(policy.step_seconds) * STEPS + f64::from(policy.after_dot_seconds) + MARGIN;
    let sender = match Sender::of(&cx, &mut *pool.acquire().await?).await {
        Err(Error::Store(error)) if error.is_configuration() => {
            return Ok(Sent { trouble: Some(error.to_string()), ..Sent::default() });
        }
        sender => sender?,
    };
    let lane = Lane { cx, pool, sender, patience: patience(policy), pace, lease_seconds };
    let mut told = Sent::default();
    let mut session = None;
    while !lane.cx.stop.is_asked() && told.trouble.is_none() {
        let open = match session.take() {
            Some(open) => open,
            None => match Session::open(&server, &me, limits).await {
                Ok(open) => open,
                Err(trouble) => {
                    told.trouble = Some(trouble.to_string());
                    break;
                }
            },
        };
        let claimed = lane.claim(at_a_time).await?;
        if claimed.is_empty() {
            open.quit().await;
            break;
        }
        session = lane.hand_over(open, claimed.into(), &mut told).await?;
    }
    Ok(told)
}

impl Lane {
    async fn claim(&self, at_most: i64) -> Result<Vec<Leased>> {
        let now = self.cx.now.get();
        let sending = Sending { at: now, true_on: now.date_naive() };
        let mut conn = self.pool.acquire().await?;
        let (by, lease, pace) = (&self.cx.worker, self.lease_seconds, &self.pace);
        Ok(lanes::claim(&mut conn, by, sending, lease, self.patience, pace, at_most).await?)
    }

    /// Hands claimed mails over one by one, and gives back those that are left when one is put off or its fate is in doubt, when a
    /// stop is asked for, or when it is too long ago that they were looked at. The connection, if it is still sound.
    async fn hand_over(
        &self,
        mut open: Session,
        mut claimed: VecDeque<Leased>,
        told: &mut Sent,
    ) -> Result<Option<Session>> {
        let looked_at = Instant::now();
        let mut conn = self.pool.acquire().await?;
        let all = claimed.len();
        while let Some(leased) = claimed.pop_front() {
            let is_first = claimed.len() + 1 == all;
            if self.cx.stop.is_asked() || looked_at.elapsed() > FRESH && !is_first {
                claimed.push_front(leased);
                break;
            }
            if !lanes::begin(&mut conn, &leased, self.lease_seconds).await? {
                continue;
            }
            drop(conn); // nobody waits for a mail server with a connection to the store
            let (outcome, reply) = self.send(&mut open, &leased, told).await;
            conn = self.pool.acquire().await?;
            lanes::record(&mut conn, &leased, outcome, &reply, self.patience).await?;
            match outcome {
                LaneOutcome::Later if open.is_put_off() => {
                    pace::put_off(&mut conn, &leased.recipient, &self.pace).await?;
                }
                LaneOutcome::Sent | LaneOutcome::Refused => {
                    pace::answered(&mut conn, &leased.recipient).await?;
                }
                _ => {}
            }
            let goes_on = matches!(outcome, LaneOutcome::Sent | LaneOutcome::Refused | LaneOutcome::Failed);
            if !goes_on || !open.is_sound() {
                break;
            }
        }
        lanes::give_back(&mut conn, &claimed).await?;
        Ok(Some(open).filter(Session::is_sound))
    }

    async fn send(&self, open: &mut Session, leased: &Leased, told: &mut Sent) -> (LaneOutcome, String) {
        match self.sender.write(leased) {
            Ok(rendered) => {
                let from = self.sender.return_path(leased);
                verdict(open.send(&from, &leased.recipient, &rendered.eml).await, told)
            }
            Err(error) => {
                warn!(message_id = %leased.message_id, "a mail cannot be written; `benefactor mail list` says why");
                (LaneOutcome::Failed, error.to_string())
            }
        }
    }
}

fn verdict(verdict: MailVerdict, told: &mut Sent) -> (LaneOutcome, String) {
    match verdict {
        MailVerdict::Accepted(reply) => {
            told.sent += 1;
            (LaneOutcome::Sent, reply)
        }
        MailVerdict::Later(reply) => {
            told.later += 1;
            (LaneOutcome::Later, reply)
        }
        MailVerdict::Refused(reply) => {
            told.refused += 1;
            (LaneOutcome::Refused, reply)
        }
        MailVerdict::Unknown(reply) => {
            told.unknown += 1;
            (LaneOutcome::Unknown, reply)
        }
        MailVerdict::Unable(trouble) => {
            told.trouble = Some(trouble.to_string());
            (LaneOutcome::Untried, trouble.to_string())
        }
    }
}
