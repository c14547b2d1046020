//! `mail bounces`, killed at any moment while it reads what came back: each report takes effect once, and no file is lost
//! (promises 3 and 9).

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::Stdio,
    thread,
    time::Duration,
};

use sha2::{Digest, Sha256};

use crate::{
    bounces::{about, fixtures, maildir, sent, suppressed, take},
    house::House,
    smtp::POLICY,
};

const MAILS: usize = 300;
/// Kills of each mailbox.
const KILLS: usize = 5;

/// What comes back about the mail to partner `n`: nobody is there, no room, not yet.
fn report(fixtures: &BTreeMap<String, String>, n: usize, (token, id): &(String, String)) -> String {
    let name = ["postfix_unknown_hard", "exchange_mailbox_full_soft", "postfix_delayed_delayed"][n % 3];
    // Each has a Message-ID of its own, as it would.
    let text = about(&fixtures[name], token, id, &format!("p{n}@p.example"));
    let own = |line: &str| line.to_lowercase().starts_with("message-id:") && !line.contains(id.as_str());
    let lines = text.lines().map(|line| {
        if own(line) { format!("Message-ID: <report-{n}@mx.example>\n") } else { format!("{line}\n") }
    });
    lines.collect()
}

/// Every file below a folder, with what its bytes come to.
fn files(of: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let entries = fs::read_dir(of).unwrap().map(|entry| entry.unwrap().path());
    let of = |path: PathBuf| {
        if path.is_dir() {
            files(&path)
        } else {
            let sum = Sha256::digest(fs::read(&path).unwrap()).to_vec();
            BTreeMap::from([(path, sum)])
        }
    };
    entries.flat_map(of).collect()
}

/// Reads a mailbox and is killed, again and again, each time after some reports more; says how often.
async fn killed(house: &House, mailbox: &Path, seed: u32) -> usize {
    let (mut kills, mut random) = (0, seed);
    while kills < KILLS {
        let recorded = "select count(*) from bounce";
        let before = house.one::<i64>(recorded).await;
        random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let (more, pause) = (i64::from(random >> 27), Duration::from_micros(u64::from(random >> 20)));
        let mut command = house.command(["mail", "bounces", mailbox.to_str().unwrap()]);
        command.env("BENEFACTOR_CONFIG_DIR", house.dir.join("config"));
        let mut reading = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        while house.one::<i64>(recorded).await < before + more && reading.try_wait().unwrap().is_none() {
            thread::sleep(Duration::from_millis(1));
        }
        thread::sleep(pause);
        if reading.try_wait().unwrap().is_some() {
            break;
        }
        reading.kill().unwrap();
        reading.wait().unwrap();
        kills += 1;
    }
    kills
}

#[tokio::test]
async fn promise_3_killed_while_it_reads_what_came_back_each_report_has_its_effect_once_and_no_file_is_lost()
{
    let (house, mails) = sent(MAILS, "").await;
    assert!(house.dir.join(POLICY).exists());
    let fixtures = fixtures();
    let reports: Vec<String> =
        (1..=MAILS).map(|n| report(&fixtures, n, &mails[&format!("p{n}@p.example")])).collect();
    // Half of them each; some lie in both, as after a move that was broken off, or were delivered once more.
    let (of_maildir, of_mbox) = (&reports[..160], &reports[140..]);
    let names: Vec<String> = (0..of_maildir.len()).map(|nth| format!("{nth}.host")).collect();
    let messages: Vec<(&str, String)> =
        names.iter().map(String::as_str).zip(of_maildir.iter().cloned()).collect();
    let folder = maildir(&house, &messages);
    let again: Vec<(String, String)> = of_maildir
        .iter()
        .take(20)
        .enumerate()
        .map(|(nth, text)| (format!("{nth}.again"), format!("Received: from elsewhere\n{text}")))
        .collect();
    maildir(&house, &again.iter().map(|(name, text)| (name.as_str(), text.clone())).collect::<Vec<_>>());
    let mbox = house.dir.join("mbox");
    let joined = of_mbox.iter().map(|text| format!("From MAILER-DAEMON Thu Feb  1 02:30:09 2024\n{text}\n"));
    fs::write(&mbox, joined.collect::<String>()).unwrap();
    let (before, mbox_before) = (files(&folder), fs::read(&mbox).unwrap());

    let kills = [killed(&house, &folder, 7).await, killed(&house, &mbox, 11).await];
    assert!(kills.iter().all(|kills| *kills > 1), "{kills:?}");
    assert!(house.one::<i64>("select count(*) from bounce").await < 300, "there is something left to read");
    take(&house, &folder);
    take(&house, &mbox);
    for mailbox in [&folder, &mbox] {
        assert!(take(&house, mailbox).starts_with("0 new messages"), "a look more changes nothing");
    }

    assert_eq!(files(&folder), before, "no file was moved, changed or removed");
    assert_eq!(fs::read(&mbox).unwrap(), mbox_before);
    let third = MAILS / 3;
    let classes = "select class || ' ' || count(*) || ' ' || count(distinct mail_id) from bounce group by class order by 1";
    assert_eq!(
        house.lines(classes).await,
        ["delayed", "hard", "soft"].map(|class| format!("{class} {third} {third}"))
    );
    let states = "select status || ' ' || count(*) from mail group by status order by 1";
    assert_eq!(house.lines(states).await, [format!("bounced {}", 2 * third), format!("sent {third}")]);
    let mut nobody: Vec<String> =
        (1..=MAILS).filter(|n| n % 3 == 0).map(|n| format!("p{n}@p.example all bounces")).collect();
    nobody.sort();
    assert_eq!(suppressed(&house).await, nobody);
    assert_eq!(house.one::<i64>("select count(*) from suppression").await, i64::try_from(third).unwrap());
}
