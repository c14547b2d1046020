//! How fast mails go, and what a domain that puts mails off costs the others: nothing (promises 8 and 9).

use std::{
    collections::BTreeMap,
    process::{Child, Stdio},
    time::Duration,
};

use crate::{
    house::House,
    sink::{Act, Setup, Sink},
    smtp::{NIGHT, POLICY, command, owing, with},
    worker::Running,
};

/// Before the first pass of whoever sends.
const NOW: &str = "2024-02-01T02:30:00Z";

/// So many mails are queued to each of two domains, by turns, and none is sent yet; the pace is this.
async fn two_domains(mails: usize, pace: &str) -> (House, Sink) {
    let house = owing(2 * mails).await;
    sqlx::query("update partner set account_email = 'p' || number || case when number::int % 2 = 0 then '@one.example' else '@two.example' end")
        .execute(&house.owner)
        .await
        .unwrap();
    house.night("2024-01-31").await;
    sqlx::query("update mail set status = 'queued', sent_at = null, attempts = 0")
        .execute(&house.owner)
        .await
        .unwrap();
    let path = house.dir.join(POLICY);
    let text = std::fs::read_to_string(&path).unwrap();
    // What the file says of pace is given anew.
    let (before, rest) = text.split_once("[policy.pace]").unwrap();
    let (_, after) = rest.split_once("[policy.bounces]").unwrap();
    std::fs::write(&path, format!("{before}[policy.pace]\n{pace}\n[policy.bounces]{after}")).unwrap();
    (house, Sink::open(Setup::default()))
}

/// A process that sends what it may.
fn sending(house: &House, sink: &Sink) -> Child {
    command(house, sink.port, &["mail", "send"]).stdout(Stdio::null()).spawn().unwrap()
}

/// How many mails arrived, by domain.
fn arrived(sink: &Sink) -> BTreeMap<String, usize> {
    let mut domains = BTreeMap::new();
    for (to, _) in sink.kept() {
        *domains.entry(to.rsplit_once('@').unwrap().1.to_owned()).or_default() += 1;
    }
    domains
}

fn counts(one: usize, two: usize) -> BTreeMap<String, usize> {
    [("one.example".to_owned(), one), ("two.example".to_owned(), two)]
        .into_iter()
        .filter(|(_, count)| *count > 0)
        .collect()
}

#[tokio::test]
async fn promise_9_a_domains_pace_holds_for_processes_together_and_what_waits_for_it_costs_no_try() {
    let (house, sink) = two_domains(6, "domains = { \"one.example\" = 1 }").await;
    let mut sending: Vec<_> = (0..3).map(|_| sending(&house, &sink)).collect();
    for process in &mut sending {
        assert!(process.wait().unwrap().success());
    }
    assert_eq!(arrived(&sink), counts(1, 6), "of one domain the first, of the other all");
    let waiting = house.lines("select status || ' ' || attempts from mail where status <> 'sent'").await;
    assert_eq!(waiting, vec!["queued 0"; 5]);
    let listed = with(&house, sink.port, &["mail", "list"]).ended(0).stdout;
    assert_eq!(listed.matches("; waits for the pace of one.example until 20").count(), 5, "{listed}");
    let status = with(&house, sink.port, &["status"]);
    assert!(
        status.stdout.contains("  5 mails waiting for the pace of one.example until 20"),
        "{}",
        status.stdout
    );
    let next = "update mail_pace set next_at = now() where domain = 'one.example'";
    sqlx::query(next).execute(&house.owner).await.unwrap();
    with(&house, sink.port, &["mail", "send"]).ended(0);
    assert_eq!(arrived(&sink), counts(2, 6));
}

#[tokio::test]
async fn promise_9_the_pace_of_all_mails_is_one_for_all_domains_and_processes() {
    let (house, sink) = two_domains(3, "per_minute = 1").await;
    let mut sending: Vec<_> = (0..3).map(|_| sending(&house, &sink)).collect();
    for process in &mut sending {
        assert!(process.wait().unwrap().success());
    }
    assert_eq!(sink.kept().len(), 1);
    let listed = with(&house, sink.port, &["mail", "list"]).ended(0).stdout;
    assert_eq!(listed.matches("; waits for the pace of all mails until 20").count(), 5, "{listed}");
    // A night is as complete as ever.
    with(&house, sink.port, &NIGHT).ended(0);
}

#[tokio::test]
async fn promise_8_a_domain_that_puts_mails_off_is_paused_for_longer_every_time_and_the_others_mails_go_on() {
    let (house, sink) = two_domains(6, "pause_after = 2\npause_seconds = 600").await;
    sink.to("@one.example", Act::Say("451 4.7.1 too many"));
    // Over one connection, so that no two are put off at the same time.
    let policy = std::fs::read_to_string(house.dir.join(POLICY)).unwrap();
    std::fs::write(house.dir.join(POLICY), policy.replace("lanes = 4", "lanes = 1")).unwrap();
    with(&house, sink.port, &["mail", "send"]).ended(0);
    assert_eq!(arrived(&sink), counts(0, 6));
    let tries =
        "select attempts || ' ' || count(*) from mail where status = 'queued' group by attempts order by 1";
    assert_eq!(house.lines(tries).await, ["0 4", "1 2"], "after two it is paused, and no other is tried");
    let paused = "select pauses || ' ' || round(extract(epoch from paused_until - now()) / 600) from mail_pace where domain = 'one.example'";
    assert_eq!(house.one::<String>(paused).await, "1 1");
    let listed = with(&house, sink.port, &["mail", "list"]).ended(0).stdout;
    assert_eq!(listed.matches("; waits for one.example, which puts mails off, until 20").count(), 6);
    let over = "update mail_pace set paused_until = now()";
    sqlx::query(over).execute(&house.owner).await.unwrap();
    with(&house, sink.port, &["mail", "send"]).ended(0);
    assert_eq!(house.one::<String>(paused).await, "2 2", "the next one that is put off is enough");
    sqlx::query(over).execute(&house.owner).await.unwrap();
    sink.behave();
    sqlx::query("update mail set next_try_at = null").execute(&house.owner).await.unwrap();
    with(&house, sink.port, &["mail", "send"]).ended(0);
    assert_eq!(arrived(&sink), counts(6, 6));
    let forgiven =
        "select count(*) from mail_pace where put_off > 0 or pauses > 0 or paused_until is not null";
    assert_eq!(house.one::<i64>(forgiven).await, 0);
}

#[tokio::test]
async fn a_domain_gets_no_more_mails_at_the_same_time_than_it_may() {
    let (house, sink) = two_domains(2, "domain_connections = 1").await;
    sqlx::query(
        "update mail set status = 'claimed', claimed_by = 'another', lease_until = now() + interval '1 hour'
         where mail_id = (select min(mail_id) from mail where recipient like '%@one.example')",
    )
    .execute(&house.owner)
    .await
    .unwrap();
    with(&house, sink.port, &["mail", "send"]).ended(0);
    assert_eq!(arrived(&sink), counts(0, 2));
    sqlx::query("update mail set status = 'queued', claimed_by = null, lease_until = null where claimed_by = 'another'")
        .execute(&house.owner)
        .await
        .unwrap();
    with(&house, sink.port, &["mail", "send"]).ended(0);
    assert_eq!(arrived(&sink), counts(2, 2));
}

#[tokio::test]
async fn whoever_runs_on_keeps_the_pace_and_waits_longer_for_a_server_that_takes_nothing() {
    let (house, sink) = two_domains(4, "per_minute = 120").await;
    sink.at("GREETING", Act::Say("554 not today"), 1);
    let url = format!("smtp://127.0.0.1:{}?tls=none", sink.port);
    let worker = Running::with(&house, NOW, "worker", &[("SMTP_URL", &url)]);
    worker.says("the mail server takes nothing now").await;
    worker.says("the mail server takes mails again").await;
    let sent = "select count(*) from mail where status = 'sent'";
    for _ in 0..200 {
        if house.one::<i64>(sent).await == 8 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(arrived(&sink), counts(4, 4));
    // Eight mails, half a second apart.
    let between = "select extract(epoch from max(sent_at) - min(sent_at))::float8 from mail";
    let took = house.one::<f64>(between).await;
    assert!(took > 2.0, "{took} s");
    assert!(sink.connections() > 1, "it looked again and again");
}
