//! How fast mails go, in all and to each domain, and which domains get none for a while. It stands in the store, so that it
//! holds for all processes that send; a mail that waits for its pace is not claimed, and costs no try.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;

use crate::store::Result;

/// Stands for all mails together.
const ALL: &str = "";
/// Seconds of a minute.
const MINUTE: f64 = 60.0;
/// Seconds by which a pace may lag behind and still be made up for, so that it is kept by whoever looks every second.
const LAG_SECONDS: f64 = 2.0;

/// How fast mails may go, and what pauses a domain; 0: no limit.
#[derive(Clone, Debug)]
pub struct Pace {
    /// Mails a minute in all.
    pub per_minute: i32,
    /// Mails a minute to one domain.
    pub domain_per_minute: i32,
    /// Likewise for domains that have a pace of their own.
    pub own_per_minute: Vec<(String, i32)>,
    /// Mails that are on their way to one domain at the same time.
    pub domain_connections: i64,
    /// So many mails in a row that a domain puts off, and it gets none for a while.
    pub pause_after: i32,
    /// So long at first, in seconds; twice as long every further time.
    pub first_pause: f64,
    /// At most so long.
    pub longest_pause: f64,
}

impl Pace {
    /// Whether there is a limit that processes have to keep together.
    pub(super) fn is_limited(&self) -> bool {
        let own = self.own_per_minute.iter().any(|(_, rate)| *rate > 0);
        own || self.per_minute > 0 || self.domain_per_minute > 0 || self.domain_connections > 0
    }

    fn of(&self, domain: &str) -> i32 {
        let own = self.own_per_minute.iter().find(|(of, _)| of == domain);
        own.map_or(self.domain_per_minute, |(_, rate)| *rate)
    }
}

/// What stands after the `@`.
fn domain(recipient: &str) -> &str {
    recipient.rsplit_once('@').map_or(recipient, |(_, domain)| domain)
}

/// Waits until no other claim is under way, if there is a limit that all of them keep.
pub(super) async fn take_turns(conn: &mut PgConnection, pace: &Pace) -> Result<()> {
    if pace.is_limited() {
        sqlx::query!(
            "insert into mail_pace (domain) values ($1) on conflict (domain) do update set domain = excluded.domain",
            ALL
        )
        .execute(conn)
        .await?;
    }
    Ok(())
}

/// The domains to which no mail may go now; `None`: none may go anywhere.
pub(super) async fn held(conn: &mut PgConnection, pace: &Pace) -> Result<Option<Vec<String>>> {
    let held = sqlx::query_scalar!(
        r#"select domain as "domain!" from mail_pace
           where next_at > clock_timestamp() or paused_until > clock_timestamp()
           union
           select split_part(recipient, '@', -1) from mail
           where $1::bigint > 0 and status = 'claimed' and claimed_by is not null and lease_until > clock_timestamp()
           group by 1 having count(*) >= $1"#,
        pace.domain_connections
    )
    .fetch_all(conn)
    .await?;
    Ok(if held.iter().any(|domain| domain == ALL) { None } else { Some(held) })
}

/// A mail was claimed: when the next may go, to its domain and at all.
pub(super) async fn spend(conn: &mut PgConnection, recipient: &str, pace: &Pace) -> Result<()> {
    let domain = domain(recipient);
    for (domain, rate) in [(ALL, pace.per_minute), (domain, pace.of(domain))] {
        if rate > 0 {
            sqlx::query!(
                "insert into mail_pace as p (domain, next_at)
                 values ($1, clock_timestamp() + make_interval(secs => $2))
                 on conflict (domain) do update set next_at = make_interval(secs => $2)
                     + case when p.next_at > clock_timestamp() - make_interval(secs => $3) then p.next_at
                            else clock_timestamp() end",
                domain,
                MINUTE / f64::from(rate),
                LAG_SECONDS
            )
            .execute(&mut *conn)
            .await?;
        }
    }
    Ok(())
}

/// A domain put a mail off. After several in a row it gets none for a while, and for longer every further time.
pub async fn put_off(conn: &mut PgConnection, recipient: &str, pace: &Pace) -> Result<()> {
    let domain = domain(recipient);
    sqlx::query!("insert into mail_pace (domain) values ($1) on conflict (domain) do nothing", domain)
        .execute(&mut *conn)
        .await?;
    sqlx::query!(
        "update mail_pace p set put_off = p.put_off + 1, put_off_at = now(),
             pauses = case when n.pauses_now then p.pauses + 1 else p.pauses end,
             paused_until = case when n.pauses_now
                 then now() + make_interval(secs => least($3 * power(2, least(p.pauses, 30)), $4))
                 else p.paused_until end
         from (select domain, put_off + 1 >= $2 and coalesce(paused_until <= now(), true) as pauses_now
               from mail_pace where domain = $1 for update) n
         where p.domain = n.domain",
        domain,
        pace.pause_after,
        pace.first_pause,
        pace.longest_pause
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// A domain gave its word on a mail: it puts nothing off any more.
pub async fn answered(conn: &mut PgConnection, recipient: &str) -> Result<()> {
    sqlx::query!(
        "update mail_pace set put_off = 0, pauses = 0, paused_until = null where domain = $1 and put_off > 0",
        domain(recipient)
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Forgets domains that nothing was said about for a day.
pub(super) async fn forget(conn: &mut PgConnection) -> Result<()> {
    sqlx::query!(
        "delete from mail_pace
         where domain <> $1
           and coalesce(greatest(next_at, put_off_at, paused_until), '-infinity') < now() - interval '1 day'",
        ALL
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// What mails wait for beside their own pauses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PaceWait {
    /// The domain whose pace or pause it is; `None`: the pace of all mails.
    pub domain: Option<String>,
    /// Whether the domain puts mails off; else it is a pace.
    pub paused: bool,
    /// Until when.
    pub until: DateTime<Utc>,
}

impl PaceWait {
    /// The longest of what a mail waits for.
    pub(super) fn longest(
        recipient: &str,
        paused_until: Option<DateTime<Utc>>,
        next_at: Option<DateTime<Utc>>,
        all_next_at: Option<DateTime<Utc>>,
    ) -> Option<Self> {
        let of = || Some(domain(recipient).to_owned());
        [
            paused_until.map(|until| Self { domain: of(), paused: true, until }),
            next_at.map(|until| Self { domain: of(), paused: false, until }),
            all_next_at.map(|until| Self { domain: None, paused: false, until }),
        ]
        .into_iter()
        .flatten()
        .max_by_key(|wait| wait.until)
    }
}

/// What mails wait for, and how many do, the longest first, at most so many.
pub async fn waits(conn: &mut PgConnection, at_most: i64) -> Result<Vec<(PaceWait, i64)>> {
    let rows = sqlx::query!(
        r#"select p.domain as "domain!", coalesce(p.paused_until > now(), false) as "paused!",
                  greatest(p.paused_until, p.next_at) as "until!", count(*) as "count!"
           from mail m
           cross join lateral (values (split_part(m.recipient, '@', -1)), ('')) k (domain)
           join mail_pace p on p.domain = k.domain
           where m.status in ('queued', 'unknown') and greatest(p.paused_until, p.next_at) > now()
           group by p.domain order by 3 desc, 1 limit $1"#,
        at_most
    )
    .fetch_all(conn)
    .await?;
    let of = |domain: String| Some(domain).filter(|domain| domain != ALL);
    Ok(rows
        .into_iter()
        .map(|row| (PaceWait { domain: of(row.domain), paused: row.paused, until: row.until }, row.count))
        .collect())
}
