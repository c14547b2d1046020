//! A business clock that is moved, as an operator does with `--now`, or a machine whose clock was wrong: an hour back, a
//! day and forty days forward, and back again, across restarts. What is done is not done again, what is due is done once.

use std::time::Duration;

use crate::{
    cluster::same,
    ground::{Ground, Site},
    house::Ran,
};

/// The clock of each start in turn, what is started, and up to which business date nights are complete then.
const MOVED: [(&str, &str, &str); 9] = [
    ("2024-03-06T01:30:00Z", "up", "2024-03-04"), // an hour before: the last night is not due yet
    ("2024-03-06T02:30:00Z", "up", "2024-03-05"),
    ("2024-03-06T01:30:00Z", "up", "2024-03-05"), // an hour back
    ("2024-03-07T02:30:00Z", "night", "2024-03-06"), // a day forward
    ("2024-03-06T02:30:00Z", "night", "2024-03-06"), // and back again
    ("2024-04-15T02:30:00Z", "up", "2024-04-14"), // forty days forward
    ("2024-03-07T02:30:00Z", "up", "2024-04-14"), // and back again
    ("2024-03-07T01:30:00Z", "night", "2024-04-14"),
    ("2024-04-15T02:30:00Z", "night", "2024-04-14"),
];
/// The same without going back, by `night` alone.
const STRAIGHT: [&str; 4] =
    ["2024-03-05T02:30:00Z", "2024-03-06T02:30:00Z", "2024-03-07T02:30:00Z", "2024-04-15T02:30:00Z"];
/// A while in which `up` would do what it thinks is due.
const A_WHILE: Duration = Duration::from_secs(4);

async fn last(site: &Site) -> String {
    site.one("select max(due_on)::text from night").await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_clock_that_is_moved_to_and_fro_changes_nothing_of_what_comes_of_it() {
    let ground = Ground::shared().await;
    let (straight, moved) = (ground.site(&[]).await, ground.site(&[]).await);
    for morning in STRAIGHT {
        Ran::of(&mut straight.command_at(morning, &["night"])).ended(0);
    }
    for (now, command, until) in MOVED {
        let told = format!("{command} at {now}");
        if command == "night" {
            Ran::of(&mut moved.command_at(now, &[command])).ended(0);
        } else {
            let mut up = moved.store.start(moved.command_at(now, &[command]));
            let complete = format!("select exists (select from night where due_on = '{until}')");
            moved.until(&told, &complete).await;
            up.hears();
            tokio::time::sleep(A_WHILE).await;
            up.stop();
        }
        assert_eq!(last(&moved).await, until, "{told}: {}", moved.said());
        let nights = "select count(*) from night where due_on >= '2024-02-29'";
        let days = "select (max(due_on) - date '2024-02-28')::bigint from night";
        assert_eq!(
            moved.one::<i64>(nights).await,
            moved.one::<i64>(days).await,
            "{told}: no night is missing"
        );
    }
    let expected = straight.store.outcome().await;
    assert!(expected["entries"].lines().count() > ground.expected["entries"].lines().count());
    same(&moved.store.outcome().await, &expected, "moved to and fro");
    moved.store.nothing_is_wrong("moved to and fro").await;
    straight.store.remove().await;
    moved.store.remove().await;
}
