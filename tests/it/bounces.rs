//! What comes back about mails, in the shapes in which mail servers write it: what it means, what follows, and that what is
//! invented has no effect.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use benefactor::mail::bounce::{self, BounceClass, Meaning};

use crate::{
    cluster::PATIENCE,
    house::{House, Ran},
    sink::{Setup, Sink},
    smtp::{NIGHT, POLICY, owing, with},
};

/// What stands in each message, by its file's name; the name ends in what it means.
pub fn fixtures() -> BTreeMap<String, String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/bounces");
    let files = fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    let named = files.map(|path| {
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        (name, fs::read_to_string(&path).unwrap())
    });
    named.collect()
}

/// A message about a mail.
pub fn about(text: &str, token: &str, message_id: &str, recipient: &str) -> String {
    text.replace("{token}", token).replace("{message_id}", message_id).replace("{recipient}", recipient)
}

fn named(meaning: &Meaning) -> &'static str {
    match meaning {
        Meaning::Failed(BounceClass::Hard) => "_hard",
        Meaning::Failed(BounceClass::Soft) => "_soft",
        Meaning::Failed(BounceClass::Blocked) => "_blocked",
        Meaning::Delayed => "_delayed",
        Meaning::Delivered => "_delivered",
        Meaning::Complaint => "_complaint",
        Meaning::Unsubscribe => "_unsubscribed",
        Meaning::AutoReply => "_auto_reply",
        Meaning::Other => "_other",
    }
}

#[test]
fn what_comes_back_is_understood_in_the_shape_of_every_mail_server() {
    let (token, fixtures) = ("0a".repeat(20), fixtures());
    assert!(fixtures.len() > 20);
    for (name, text) in fixtures {
        let text = about(&text, &token, "<1@p.example>", "marketing@p1.example");
        for bytes in [text.clone(), text.replace('\n', "\r\n")] {
            let report = bounce::read(bytes.as_bytes()).unwrap();
            assert!(name.ends_with(named(&report.meaning)), "{name}: {report:?}");
            assert_eq!(report.tokens.first(), Some(&token), "{name}");
            assert!(!matches!(report.meaning, Meaning::Failed(_)) || !report.said.is_empty(), "{name}");
            assert!(!report.said.contains(['\r', '\n']) && report.said.chars().count() <= 500, "{name}");
        }
        // However it is cut, it ends.
        for end in (0..text.len()).step_by(97) {
            let _ = bounce::read(text.get(..end).unwrap_or_default().as_bytes());
        }
    }
    assert_eq!(bounce::read(b""), None);
    let nested = "Content-Type: message/rfc822\r\n\r\n".repeat(100_000);
    assert_eq!(bounce::read(nested.as_bytes()), None, "it is not looked into without an end");
}

/// A house that sent so many mails, each with a token; and those, by recipient: token and Message-ID.
pub async fn sent(mails: usize, change: &str) -> (House, BTreeMap<String, (String, String)>) {
    let (house, sink) = (owing(mails).await, Sink::open(Setup::default()));
    let policy = fs::read_to_string(house.dir.join(POLICY)).unwrap();
    let path = "[policy]\nreturn_path = \"bounces+{token}@benefactor.example\"";
    let policy = policy.replace("[policy]", path).replace("soft_limit = 5", "soft_limit = 2");
    fs::write(house.dir.join(POLICY), policy).unwrap();
    sink.at("GREETING", crate::sink::Act::Drop, usize::MAX);
    with(&house, sink.port, &NIGHT).ended(0);
    sink.behave();
    sqlx::raw_sql(sqlx::AssertSqlSafe(change.to_owned())).execute(&house.owner).await.unwrap();
    with(&house, sink.port, &["mail", "send"]).ended(0);
    let of = |mail: &str, name: &str| {
        mail.lines().find_map(|line| line.strip_prefix(name)).unwrap().trim().to_owned()
    };
    let kept = sink.kept();
    assert_eq!(kept.len(), mails);
    let mut tokens = BTreeMap::new();
    for (nth, (to, mail)) in kept.iter().enumerate() {
        let key = if tokens.contains_key(to) { format!("{to} {nth}") } else { to.clone() };
        tokens.insert(key, (of(mail, "X-Benefactor-Mail:"), of(mail, "Message-ID:")));
    }
    (house, tokens)
}

/// A maildir with messages.
pub fn maildir(house: &House, messages: &[(&str, String)]) -> PathBuf {
    let maildir = house.dir.join("Maildir");
    for folder in ["new", "cur", "tmp"] {
        fs::create_dir_all(maildir.join(folder)).unwrap();
    }
    for (name, text) in messages {
        fs::write(maildir.join("new").join(name), text).unwrap();
    }
    maildir
}

pub fn take(house: &House, mailbox: &Path) -> String {
    let mut command = house.command(["mail", "bounces", mailbox.to_str().unwrap()]);
    Ran::of(command.env("BENEFACTOR_CONFIG_DIR", house.dir.join("config"))).ended(0).stdout
}

pub async fn suppressed(house: &House) -> Vec<String> {
    house.lines("select concat_ws(' ', address, scope, added_by) from suppression where removed_at is null order by 1").await
}

#[tokio::test]
async fn promise_9_what_is_invented_or_cannot_be_read_has_no_effect_and_stops_nothing() {
    let (house, mails) = sent(1, "").await;
    let text = &fixtures()["postfix_unknown_hard"];
    let (token, id) = &mails["p1@p.example"];
    let forged = |token: &str| about(text, token, id, "p1@p.example").replace("4A1B2", "FORGED");
    let changed = format!("{}{}", &token[..39], if token.ends_with('0') { '1' } else { '0' });
    let invented = [
        ("1.a", forged(&changed)),
        ("2.b", forged("")),
        ("3.c", "nonsense\0".repeat(100)),
        ("4.d", String::new()),
    ];
    let maildir_path = maildir(&house, &invented);
    std::os::unix::fs::symlink("/dev/zero", maildir_path.join("new/5.e")).unwrap();
    fs::create_dir(maildir_path.join("cur/6.f")).unwrap();
    take(&house, &maildir_path);
    assert_eq!(suppressed(&house).await, [""; 0]);
    assert_eq!(house.one::<i64>("select count(*) from mail where status <> 'sent'").await, 0);
    maildir(&house, &[("7.g", about(text, token, id, "p1@p.example"))]);
    assert!(take(&house, &maildir_path).starts_with("1 new messages, 1 about mails of ours; 1 addresses"));
}

#[tokio::test]
async fn promise_9_what_comes_back_has_its_effect_once() {
    let (house, mails) = sent(4, "").await;
    let fixtures = fixtures();
    let said = |name: &str, to: &str| about(&fixtures[name], &mails[to].0, &mails[to].1, to);
    let came = [
        ("7.g", said("postfix_unknown_hard", "p1@p.example")),
        ("8.h", said("exchange_away_auto_reply", "p2@p.example")),
        ("8.i", said("postfix_delayed_delayed", "p2@p.example")),
        ("8.j", said("gmail_unauthenticated_blocked", "p3@p.example")),
        ("8.k", said("provider_abuse_complaint", "p4@p.example")),
    ];
    let maildir_path = maildir(&house, &came);
    let before: Vec<_> =
        fs::read_dir(maildir_path.join("new")).unwrap().map(|file| file.unwrap().file_name()).collect();
    let told = take(&house, &maildir_path);
    assert!(
        told.starts_with("5 new messages, 5 about mails of ours; 2 addresses get no mail any more"),
        "{told}"
    );
    let stands = ["p1@p.example all bounces", "p4@p.example all bounces"];
    assert_eq!(suppressed(&house).await, stands);
    let states = "select recipient || ' ' || status || ' ' || coalesce(last_reply, '') from mail order by 1";
    let mail_states = house.lines(states).await;
    assert!(
        mail_states[0].starts_with("p1@p.example bounced 550 5.1.1 <p1@p.example>: Recipient"),
        "{mail_states:?}"
    );
    assert!(mail_states[1].starts_with("p2@p.example sent 250"), "{mail_states:?}");
    assert!(mail_states[2].starts_with("p3@p.example bounced 550-5.7.26"), "{mail_states:?}");
    assert!(mail_states[3].starts_with("p4@p.example sent complaint: abuse"), "{mail_states:?}");
    assert!(house.run(["mail", "list", "--state", "bounced"]).ended(0).stdout.lines().count() == 2);
    let waits = house.run(["requests", "list"]).ended(0).stdout;
    assert!(
        waits.contains("partner 1") && waits.contains("p1@p.example") && waits.contains("550 5.1.1"),
        "{waits}"
    );

    // The same messages again, moved as a mail program does, twice at once, and once more under another delivery.
    for (name, _) in &came {
        fs::rename(maildir_path.join("new").join(name), maildir_path.join("cur").join(format!("{name}:2,S")))
            .unwrap();
    }
    let again = format!("Received: from elsewhere\n{}", said("postfix_unknown_hard", "p1@p.example"));
    maildir(&house, &[("9.l", again)]);
    let (one, other) = std::thread::scope(|scope| {
        let one = scope.spawn(|| take(&house, &maildir_path));
        (take(&house, &maildir_path), one.join().unwrap())
    });
    assert!(one.starts_with("0 new") && other.starts_with("0 new"), "{one}{other}");
    assert_eq!(
        (suppressed(&house).await, house.lines(states).await),
        (stands.map(str::to_owned).to_vec(), mail_states)
    );
    assert_eq!(
        house.one::<i64>("select count(*) from bounce where class = 'hard' and mail_id is not null").await,
        1
    );
    let after: Vec<_> =
        fs::read_dir(maildir_path.join("new")).unwrap().map(|file| file.unwrap().file_name()).collect();
    assert_eq!(after.len(), before.len() - came.len() + 1, "nothing was moved or removed");

    // Once an operator lets mail go there again, it no longer waits for anybody.
    house
        .run(["suppressions", "remove", "p1@p.example", "--by", "ada", "--why", "it is there again"])
        .ended(0);
    assert!(!house.run(["requests", "list"]).ended(0).stdout.contains("p1@p.example"));
}

#[tokio::test]
async fn promise_9_an_address_that_fails_for_now_again_and_again_gets_no_more() {
    let same = "update mail set recipient = 'p1@p.example', day = day + mail_id::int";
    let (house, mails) = sent(3, same).await;
    let text = &fixtures()["exchange_mailbox_full_soft"];
    let soft: Vec<(String, String)> = mails
        .values()
        .enumerate()
        .map(|(nth, (token, id))| {
            (
                format!("{nth}.x"),
                about(text, token, id, "p1@p.example").replace("-0003@", &format!("-{nth}@")),
            )
        })
        .collect();
    let of = |nth: usize| (soft[nth].0.as_str(), soft[nth].1.clone());
    take(&house, &maildir(&house, &[of(0), ("twice", of(0).1.replace("-0@", "-9@"))]));
    assert_eq!(suppressed(&house).await, [""; 0], "one mail counts once");
    take(&house, &maildir(&house, &[of(1)]));
    assert_eq!(suppressed(&house).await, ["p1@p.example all bounces"]);
    house
        .run(["suppressions", "remove", "p1@p.example", "--by", "ada", "--why", "there is room again"])
        .ended(0);
    take(&house, &maildir(&house, &[of(2)]));
    assert_eq!(suppressed(&house).await, [""; 0], "it is counted anew");
}

#[tokio::test]
async fn an_mbox_is_read_like_a_maildir_and_up_looks_by_itself() {
    let (house, mails) = sent(2, "").await;
    let fixtures = fixtures();
    let mut mbox = String::new();
    for (to, name) in [("p1@p.example", "qmail_no_mailbox_hard"), ("p2@p.example", "person_unsubscribed")] {
        let (token, id) = &mails[to];
        let text = about(&fixtures[name], token, id, to);
        mbox += &["From MAILER-DAEMON Thu Feb  1 02:30:09 2024", &text, ">From the beginning\n\n"].join("\n");
    }
    fs::create_dir_all(house.dir.join("mail")).unwrap();
    let path = house.dir.join("mail/bounces");
    fs::write(&path, mbox).unwrap();
    let policy = fs::read_to_string(house.dir.join(POLICY)).unwrap();
    fs::write(
        house.dir.join(POLICY),
        policy.replace("# mailbox = \"bounces\"", "mailbox = \"mail/bounces\""),
    )
    .unwrap();
    let mut up = house.command(["--now", "2024-02-01T03:00:00Z", "--listen", "off", "up"]);
    let log = house.dir.join("up.log");
    up.env("BENEFACTOR_CONFIG_DIR", house.dir.join("config")).stderr(fs::File::create(&log).unwrap());
    let (mut up, begun) = (up.spawn().unwrap(), Instant::now());
    while suppressed(&house).await.len() < 2 {
        assert!(begun.elapsed() < PATIENCE, "{}", fs::read_to_string(&log).unwrap());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    up.kill().unwrap();
    up.wait().unwrap();
    assert_eq!(suppressed(&house).await, ["p1@p.example all bounces", "p2@p.example marketing bounces"]);
    assert!(take(&house, &path).starts_with("0 new messages"));
    house.run(["mail", "bounces", house.dir.path().to_str().unwrap()]).ended(1);
}
