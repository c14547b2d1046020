//! The way of mails to a mail server: lanes of our own, each with one connection, that send what is due one by one. A
//! server that takes nothing costs no mail a try, and nothing that is sent here is part of a night (promise 9).

use std::{sync::Arc, time::Duration};

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
        Sending,
        lanes::{self, LaneOutcome, Patience},
        pace::{self, Pace},
    },
};

/// Steps of a message before the verdict, and the one to start over.
const STEPS: f64 = 6.0;
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
        lanes::due(&mut conn, patience(policy), &pace, i64::from(policy.lanes)).await?
    };
    let mut open = JoinSet::new();
    for _ in 0..due {
        open.spawn(lane(Arc::clone(cx), pool.clone(), Arc::clone(&server), policy, Arc::clone(&pace)));
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

/// Sends one mail after the other over one connection, as long as it is sound.
async fn lane(
    cx: Arc<Context>,
    pool: PgPool,
    server: Arc<MailServer>,
    policy: SendingPolicy,
    pace: Arc<Pace>,
) -> Result<Sent> {
    let (patience, limits, me) = (patience(policy), limits(policy), client_name(&cx));
    let lease_seconds = f64::from(policy.step_seconds) * STEPS + f64::from(policy.after_dot_seconds) + MARGIN;
    let sender = match Sender::of(&cx, &mut *pool.acquire().await?).await {
        Err(Error::Store(error)) if error.is_configuration() => {
            return Ok(Sent { trouble: Some(error.to_string()), ..Sent::default() });
        }
        sender => sender?,
    };
    let mut told = Sent::default();
    let mut session = None;
    while !cx.stop.is_asked() {
        let mut open = match session.take() {
            Some(open) => open,
            None => match Session::open(&server, &me, limits).await {
                Ok(open) => open,
                Err(trouble) => {
                    told.trouble = Some(trouble.to_string());
                    break;
                }
            },
        };
        let now = cx.now.get();
        let sending = Sending { at: now, true_on: now.date_naive() };
        let claimed = {
            let mut conn = pool.acquire().await?;
            lanes::claim(&mut conn, &cx.worker, sending, lease_seconds, patience, &pace).await?
        };
        let Some(leased) = claimed else {
            open.quit().await;
            break;
        };
        let (outcome, reply) = match sender.write(&leased) {
            Ok(rendered) => {
                let from = sender.return_path(&leased);
                verdict(open.send(&from, &leased.recipient, &rendered.eml).await, &mut told)
            }
            Err(error) => {
                warn!(message_id = %leased.message_id, "a mail cannot be written; `benefactor mail list` says why");
                (LaneOutcome::Failed, error.to_string())
            }
        };
        let mut conn = pool.acquire().await?;
        lanes::record(&mut conn, &leased, outcome, &reply, patience).await?;
        match outcome {
            LaneOutcome::Later if open.is_put_off() => {
                pace::put_off(&mut conn, &leased.recipient, &pace).await?;
            }
            LaneOutcome::Sent | LaneOutcome::Refused => pace::answered(&mut conn, &leased.recipient).await?,
            _ => {}
        }
        drop(conn);
        if told.trouble.is_some() {
            break;
        }
        session = Some(open).filter(Session::is_sound);
    }
    Ok(told)
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
