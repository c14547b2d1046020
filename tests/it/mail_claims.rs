//! What is left of mails that a process had claimed to hand them to a mail server, and is gone (promise 9).

use std::{process::Stdio, thread, time::Duration};

use crate::{
    house::House,
    sink::{Act, Setup, Sink},
    smtp::{POLICY, command, let_go, owing, with},
};

/// A process that claimed five mails, had the second one on its way, and was killed.
async fn killed() -> (House, Sink) {
    let (house, sink) = (owing(5).await, Sink::open(Setup::default()));
    house.night("2024-01-31").await;
    let queued = "update mail set status = 'queued', sent_at = null, attempts = 0";
    sqlx::query(queued).execute(&house.owner).await.unwrap();
    let policy = std::fs::read_to_string(house.dir.join(POLICY)).unwrap();
    let patient =
        policy.replace("lanes = 4", "lanes = 1").replace("after_dot_seconds = 1", "after_dot_seconds = 60");
    std::fs::write(house.dir.join(POLICY), patient).unwrap();
    sink.at("DOT", Act::Say("250 2.0.0 kept"), 1).at("DOT", Act::Stall, 1);
    let mut sending = command(&house, sink.port, &["mail", "send"]).stdout(Stdio::null()).spawn().unwrap();
    while house.one::<i64>("select count(*) from mail where status = 'sent'").await < 1
        || house.one::<i64>("select count(*) from mail where begun and status = 'claimed'").await < 1
    {
        thread::sleep(Duration::from_millis(20));
    }
    thread::sleep(Duration::from_millis(100));
    sending.kill().unwrap();
    sending.wait().unwrap();
    sink.behave();
    (house, sink)
}

const FATES: &str = "select status || ' after ' || attempts from mail order by mail_id";

#[tokio::test]
async fn promise_9_of_a_process_that_is_gone_only_the_mail_that_was_on_its_way_is_unknown() {
    let (house, sink) = killed().await;
    let claimed =
        ["sent after 1", "claimed after 1", "claimed after 0", "claimed after 0", "claimed after 0"];
    assert_eq!(house.lines(FATES).await, claimed);
    with(&house, sink.port, &["mail", "send"]).ended(0);
    assert_eq!(house.lines(FATES).await, claimed, "while the claim runs nobody else takes them");
    let_go(&house).await;
    with(&house, sink.port, &["mail", "send"]).ended(0);
    let sent = ["sent after 1", "unknown after 1", "sent after 1", "sent after 1", "sent after 1"];
    assert_eq!(house.lines(FATES).await, sent);
}

#[tokio::test]
async fn promise_9_where_the_database_crashed_as_well_all_that_was_claimed_is_unknown() {
    let (house, sink) = killed().await;
    let_go(&house).await;
    // What a crash of the database does to a table that is not logged.
    sqlx::query("truncate mail_mark").execute(&house.owner).await.unwrap();
    with(&house, sink.port, &["mail", "send"]).ended(0);
    let unknown =
        ["sent after 1", "unknown after 1", "unknown after 0", "unknown after 0", "unknown after 0"];
    assert_eq!(house.lines(FATES).await, unknown);
    // From now on marks are trusted again.
    sqlx::query("update mail set next_try_at = null").execute(&house.owner).await.unwrap();
    with(&house, sink.port, &["mail", "send"]).ended(0);
    let again = ["sent after 1", "sent after 2", "sent after 1", "sent after 1", "sent after 1"];
    assert_eq!(house.lines(FATES).await, again);
}

#[tokio::test]
async fn what_was_claimed_with_a_mail_that_is_put_off_is_given_back_untried() {
    let (house, sink) = (owing(5).await, Sink::open(Setup::default()));
    house.night("2024-01-31").await;
    let queued = "update mail set status = 'queued', sent_at = null, attempts = 0";
    sqlx::query(queued).execute(&house.owner).await.unwrap();
    sink.at("RCPT", Act::Say("451 4.3.0 later"), 1);
    with(&house, sink.port, &["mail", "send"]).ended(0);
    let mut fates = house.lines(FATES).await;
    fates.sort();
    assert_eq!(fates, ["queued after 1", "sent after 1", "sent after 1", "sent after 1", "sent after 1"]);
    assert_eq!(house.one::<i64>("select count(*) from mail where claimed_by is not null").await, 0);
}
