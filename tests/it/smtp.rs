//! Mail handed to a mail server, in real conversations with one that misbehaves at every step (promise 9).

use std::{path::Path, process::Stdio, thread, time::Duration};

use benefactor::{
    domain::notice::{MembershipEnded, Notice},
    mail::smtp::{MailServer, MailVerdict, Session, Step, StepLimits, Trouble},
};
use secrecy::SecretString;

use crate::{
    house::{House, Ran},
    name_server,
    sink::{Act, Setup, Sink, certificate},
};

const SHORT: StepLimits =
    StepLimits { step: Duration::from_millis(400), after_dot: Duration::from_millis(300) };
const MESSAGE: &[u8] = b"Subject: x\r\nMessage-ID: <1@p.example>\r\n\r\n.a dot\r\n..\r\n";

fn server(url: &str, roots: Option<&Path>) -> MailServer {
    MailServer::parse(&SecretString::from(url), None, roots).unwrap()
}

async fn open(sink: &Sink) -> Result<Session, Trouble> {
    let url = format!("smtp://127.0.0.1:{}?tls=none", sink.port);
    Session::open(&server(&url, None), "client.example", SHORT).await
}

async fn send(sink: &Sink) -> (MailVerdict, bool) {
    let mut session = open(sink).await.unwrap();
    let verdict = session.send("benefits@p.example", "anna@x.example", MESSAGE).await;
    (verdict, session.is_sound())
}

#[tokio::test]
async fn promise_9_a_no_at_any_step_is_for_now_or_for_good_and_the_next_mail_goes_on_the_same_connection() {
    for step in ["MAIL", "RCPT", "DATA", "DOT"] {
        let sink = Sink::open(Setup::default());
        sink.at(step, Act::Say("451-4.7.1 try\r\n451 4.7.1 later"), 1).at(step, Act::Say("550 5.1.1 no"), 1);
        let mut session = open(&sink).await.unwrap();
        let mut next = async || session.send("benefits@p.example", "anna@x.example", MESSAGE).await;
        assert!(
            matches!(next().await, MailVerdict::Later(said) if said.ends_with("451 4.7.1 try 4.7.1 later")),
            "{step}"
        );
        assert!(
            matches!(next().await, MailVerdict::Refused(said) if said.ends_with("550 5.1.1 no")),
            "{step}"
        );
        assert_eq!(next().await, MailVerdict::Accepted("250 2.0.0 kept".to_owned()), "{step}");
        let kept = sink.kept();
        assert_eq!(
            kept,
            [("anna@x.example".to_owned(), String::from_utf8(MESSAGE.to_vec()).unwrap())],
            "{step}"
        );
        assert_eq!(sink.connections(), 1);
    }
}

#[tokio::test]
async fn promise_9_silence_a_lost_connection_and_nonsense_are_doubt_only_after_the_final_dot() {
    for act in [
        Act::Stall,
        Act::Drop,
        Act::Huge,
        Act::Endless,
        Act::Say("250-half"),
        Act::Say("hello"),
        Act::Say("299 what"),
    ] {
        for step in ["MAIL", "RCPT", "DATA", "DOT"] {
            let sink = Sink::open(Setup::default());
            sink.at(step, act.clone(), 1);
            let (verdict, sound) = send(&sink).await;
            let expected = if step == "DOT" {
                matches!(verdict, MailVerdict::Unknown(_))
            } else {
                matches!(verdict, MailVerdict::Later(_))
            };
            assert!(expected && !sound, "{act:?} at {step}: {verdict:?}");
            assert!(sink.kept().is_empty());
        }
    }
    let sink = Sink::open(Setup::default());
    sink.at("DOT", Act::KeepAndDrop, 1);
    assert!(matches!(send(&sink).await.0, MailVerdict::Unknown(_)), "it has the mail, and nobody knows");
    assert_eq!(sink.kept().len(), 1);
    sink.at("DOT", Act::Say("250 first\r\n250 second"), 1);
    assert!(matches!(send(&sink).await.0, MailVerdict::Accepted(_)));
}

#[tokio::test]
async fn promise_9_a_server_that_takes_nothing_is_no_mails_doing() {
    for (step, act) in [
        ("GREETING", Act::Stall),
        ("GREETING", Act::Drop),
        ("GREETING", Act::Say("554 not today")),
        ("EHLO", Act::Stall),
        ("EHLO", Act::Huge),
        ("EHLO", Act::Say("421 closing")),
    ] {
        let sink = Sink::open(Setup::default());
        sink.at(step, act.clone(), 1);
        assert!(open(&sink).await.is_err(), "{act:?} at {step}");
    }
    let sink = Sink::open(Setup::default());
    sink.at("MAIL", Act::Say("421 4.3.2 closing"), 1).at("RCPT", Act::Say("421 4.7.0 not you"), 1);
    assert!(matches!(
        send(&sink).await,
        (MailVerdict::Unable(Trouble::Refused { step: Step::Mail, .. }), false)
    ));
    assert!(matches!(send(&sink).await, (MailVerdict::Later(_), false)), "that may be the recipient's doing");
    let small = Sink::open(Setup { more: &["SIZE 20", "8BITMIME"], ..Setup::default() });
    assert!(
        matches!(send(&small).await.0, MailVerdict::Refused(said) if said.contains("the server takes 20"))
    );
}

#[tokio::test]
async fn promise_11_nothing_is_said_without_the_tls_that_was_asked_for_and_nobody_else_is_believed() {
    let (pem, tls) = certificate();
    let dir = tempfile::tempdir().unwrap();
    let roots = dir.path().join("roots.pem");
    std::fs::write(&roots, pem).unwrap();
    // `user` and `secret`.
    let setup = |auth, plain| Setup { tls: Some(tls.clone()), plain: Some(plain), auth, ..Setup::default() };
    for (auth, plain) in [("PLAIN LOGIN", "AHVzZXIAc2VjcmV0"), ("LOGIN", "dXNlcg== c2VjcmV0")] {
        let sink = Sink::open(setup(auth, plain));
        let at = |user: &str, host: &str| format!("smtp://{user}@{host}:{}", sink.port);
        let mut session =
            Session::open(&server(&at("user:secret", "localhost"), Some(&roots)), "client.example", SHORT)
                .await
                .unwrap();
        assert_eq!(session.tls_version().unwrap(), "TLSv1.3");
        let verdict = session.send("benefits@p.example", "anna@x.example", MESSAGE).await;
        assert!(matches!(verdict, MailVerdict::Accepted(_)), "{auth}: {verdict:?}");
        session.quit().await;
        let refused = |url: String, roots: Option<&Path>| {
            let server = server(&url, roots);
            async move { Session::open(&server, "client.example", SHORT).await.err().unwrap().to_string() }
        };
        let no = refused(at("user:wrong", "localhost"), Some(&roots)).await;
        assert!(no.contains("AUTH: 535 5.7.8 not you") && !no.contains("wrong"), "{no}");
        let no = refused(at("user:secret", "localhost"), None).await;
        assert!(no.starts_with("TLS: ") && no.contains("UnknownIssuer"), "{no}");
        let no = refused(at("user:secret", "127.0.0.1"), Some(&roots)).await;
        assert!(no.starts_with("TLS: "), "it is another's name: {no}");
        // What comes before TLS, as of whoever sits in between.
        sink.at("STARTTLS", Act::Say("220 go on\r\n250 AUTH PLAIN"), 1);
        let no = refused(at("user:secret", "localhost"), Some(&roots)).await;
        assert!(no.contains("before TLS"), "{no}");
        sink.behave();
        sink.at("STARTTLS", Act::Say("454 not now"), 1);
        let no = refused(at("user:secret", "localhost"), Some(&roots)).await;
        assert!(no.starts_with("STARTTLS: 454"), "{no}");
    }
    let stripped = Sink::open(Setup { plain: Some("AHVzZXIAc2VjcmV0"), auth: "PLAIN", ..Setup::default() });
    let url = format!("smtp://user:secret@localhost:{}", stripped.port);
    let no = Session::open(&server(&url, Some(&roots)), "client.example", SHORT).await.err().unwrap();
    assert!(no.to_string().contains("no STARTTLS"), "{no}");
    let other = Sink::open(Setup { tls: Some(tls), plain: Some("x"), auth: "CRAM-MD5", ..Setup::default() });
    let url = format!("smtp://user:secret@localhost:{}", other.port);
    let no = Session::open(&server(&url, Some(&roots)), "client.example", SHORT).await.err().unwrap();
    assert!(no.to_string().contains("neither AUTH PLAIN nor LOGIN"), "{no}");
}

/// A house whose mails go to a server, with short limits and no pauses to speak of, and so many mails owed.
pub async fn owing(mails: usize) -> House {
    let mut house = House::open().await;
    let built_in = include_str!("../../jobs/email_contacts.toml");
    let quick = built_in
        .replace("step_seconds = 60", "step_seconds = 1")
        .replace("after_dot_seconds = 600", "after_dot_seconds = 1")
        .replace("retry_after_seconds = 300", "retry_after_seconds = 1");
    house.policies.push(("email_contacts", quick.clone()));
    std::fs::create_dir_all(house.dir.join("config/jobs")).unwrap();
    std::fs::write(house.dir.join(POLICY), quick).unwrap();
    let ended = MembershipEnded {
        order_id: "ORD-1".into(),
        offer: "Partner Success Core".into(),
        ended_on: "2024-01-31".parse().unwrap(),
    };
    sqlx::raw_sql(sqlx::AssertSqlSafe(format!(
        "insert into file (sha256, name, kind, dialect, header, received_on)
         values (repeat('0', 64), 'p.csv', 'partners', 'canonical', '{{}}', '2024-01-31');
         insert into partner (number, name, account_email, country, currency, file_id)
         select n, 'Partner ' || n, 'p' || n || '@p.example', 'SE', 'SEK', 1 from generate_series(1, {mails}) n;
         insert into notice_batch (partner_id, audience, stream)
         select partner_id, 'contact_else_account', 'transactional' from partner;
         insert into notice (partner_id, batch_id, run_id, subject_kind, subject_id, kind, anchor_on, content)
         select partner_id, batch_id, 0, 'membership', partner_id, 'membership_ended', '2024-01-31', '{}' from notice_batch",
        serde_json::to_string(&Notice::from(ended)).unwrap().replace('\'', "''")
    )))
    .execute(&house.owner)
    .await
    .unwrap();
    house
}

pub fn with(house: &House, port: u16, args: &[&str]) -> Ran {
    Ran::of(&mut command(house, port, args))
}

pub fn command(house: &House, port: u16, args: &[&str]) -> std::process::Command {
    let mut command = house.command(["--now", "2024-02-01T02:30:00Z"]);
    command.args(args).env("SMTP_URL", format!("smtp://127.0.0.1:{port}?tls=none"));
    command.env("BENEFACTOR_CONFIG_DIR", house.dir.join("config"));
    command
}

/// The policy of a house, in its data directory.
pub const POLICY: &str = "config/jobs/email_contacts.toml";
pub const NIGHT: [&str; 3] = ["night", "--on", "2024-01-31"];

/// As if the pause were over.
async fn at_once(house: &House) {
    sqlx::query("update mail set next_try_at = null").execute(&house.owner).await.unwrap();
}

async fn states(house: &House) -> Vec<String> {
    house.lines("select status || ' ' || count(*) from mail group by status order by 1").await
}

#[tokio::test]
async fn promise_9_a_night_owes_the_queueing_and_a_server_that_is_away_makes_it_neither_late_nor_incomplete()
{
    let (house, gone) = (owing(3).await, std::net::TcpListener::bind("127.0.0.1:0").unwrap());
    let port = gone.local_addr().unwrap().port();
    drop(gone);
    let night = with(&house, port, &NIGHT).ended(0);
    assert!(night.stderr.contains("the mail server takes nothing now"), "{}", night.stderr);
    assert_eq!(house.one::<i64>("select count(*) from night").await, 1);
    assert_eq!(house.one::<i64>("select count(*) from run where status <> 'done'").await, 0);
    let mails = house.lines("select status || ' ' || attempts || ' ' || last_reply from mail limit 1").await;
    assert!(mails[0].starts_with("queued 0 CONNECT: "), "{mails:?}");
    with(&house, port, &["mail", "send"]).ended(6);
    let sink = Sink::again(port);
    assert_eq!(
        with(&house, port, &["mail", "send"]).ended(0).stdout,
        "3 sent, 0 refused, 0 put off, 0 unknown\n"
    );
    assert_eq!(states(&house).await, ["sent 3"]);
    let kept = sink.kept();
    assert_eq!(kept.len(), 3);
    assert!(kept[0].1.contains("\r\nDate: Thu, 01 Feb 2024 02:30:00 +0000\r\n"), "{}", kept[0].1);
    assert!(!house.dir.join("outbox").exists(), "where a server is named, nothing is written");
    assert_eq!(
        with(&house, port, &["mail", "send"]).ended(0).stdout,
        "0 sent, 0 refused, 0 put off, 0 unknown\n"
    );
}

#[tokio::test]
async fn promise_9_what_is_put_off_comes_again_after_a_pause_and_is_given_up_after_days() {
    let (house, sink) = (owing(1).await, Sink::open(Setup::default()));
    sink.at("RCPT", Act::Say("451 4.7.1 greylisted"), 2);
    with(&house, sink.port, &NIGHT).ended(0);
    let stands =
        "select status || ' ' || attempts || ' ' || last_reply || ' ' || (next_try_at > now()) from mail";
    assert_eq!(house.one::<String>(stands).await, "queued 1 RCPT: 451 4.7.1 greylisted true");
    at_once(&house).await;
    with(&house, sink.port, &["mail", "send"]).ended(0);
    assert_eq!(house.one::<String>(stands).await, "queued 2 RCPT: 451 4.7.1 greylisted true");
    sqlx::query("update mail set first_tried_at = now() - interval '97 hours'")
        .execute(&house.owner)
        .await
        .unwrap();
    with(&house, sink.port, &["mail", "send"]).ended(0);
    let listed = with(&house, sink.port, &["mail", "list", "--state", "failed"]).ended(0).stdout;
    assert!(listed.contains("given up: no mail server took it in time; RCPT: 451"), "{listed}");
    assert_eq!(sink.kept(), []);
    let id = house.one::<String>("select message_id from mail").await;
    with(&house, sink.port, &["mail", "resend", &id, "--by", "ada", "--why", "it is there again"]).ended(0);
    with(&house, sink.port, &["mail", "send"]).ended(0);
    assert_eq!(sink.arrived().into_iter().collect::<Vec<_>>(), [(id.clone(), 1)]);
    with(&house, sink.port, &["mail", "resend", &id, "--by", "ada", "--why", "twice"]).ended(1);
}

#[tokio::test]
async fn promise_9_what_is_unknown_is_sent_once_more_under_its_message_id_or_held_and_a_no_is_final() {
    let (house, sink) = (owing(2).await, Sink::open(Setup::default()));
    sink.at("DOT", Act::KeepAndDrop, 1).at("DOT", Act::Say("554 5.7.1 no"), 1);
    with(&house, sink.port, &NIGHT).ended(0);
    assert_eq!(states(&house).await, ["refused 1", "unknown 1"]);
    let policy = std::fs::read_to_string(house.dir.join(POLICY)).unwrap();
    let held = policy.replace("resend_unknown = true", "resend_unknown = false");
    std::fs::write(house.dir.join(POLICY), held).unwrap();
    at_once(&house).await;
    with(&house, sink.port, &["mail", "send"]).ended(0);
    assert_eq!(states(&house).await, ["refused 1", "unknown 1"], "it is held");
    std::fs::write(house.dir.join(POLICY), policy).unwrap();
    sink.at("MAIL", Act::Say("450 later"), 1).at("DOT", Act::KeepAndDrop, 1);
    with(&house, sink.port, &["mail", "send"]).ended(0);
    assert_eq!(states(&house).await, ["refused 1", "unknown 1"], "as unknown as it was");
    at_once(&house).await;
    with(&house, sink.port, &["mail", "send"]).ended(0);
    let kept = sink.kept();
    assert_eq!(kept.len(), 2);
    assert_eq!(kept[0], kept[1], "the same bytes");
    for _ in 0..2 {
        at_once(&house).await;
        with(&house, sink.port, &["mail", "send"]).ended(0);
        assert_eq!(sink.kept().len(), 2, "not a third time");
    }
}

/// As if the time of all claims were over.
pub async fn let_go(house: &House) {
    let over = "update mail set lease_until = now() where status = 'claimed'";
    sqlx::query(over).execute(&house.owner).await.unwrap();
}

#[tokio::test]
async fn promise_9_killed_again_and_again_no_mail_is_lost_and_what_comes_twice_is_the_same() {
    const MAILS: usize = 300;
    const LANES: usize = 4;
    const MOST_KILLS: usize = 6;
    let (house, sink) = (owing(MAILS).await, Sink::open(Setup::default()));
    house.night("2024-01-31").await;
    sqlx::query("update mail set status = 'queued', sent_at = null, attempts = 0")
        .execute(&house.owner)
        .await
        .unwrap();
    let mut kills = 0;
    while kills < MOST_KILLS {
        let mut sending = command(&house, sink.port, &["mail", "send"]);
        let before = sink.kept().len();
        let mut sending = sending.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        while sink.kept().len() < before + 20 && sending.try_wait().unwrap().is_none() {
            thread::sleep(Duration::from_millis(1));
        }
        if sending.try_wait().unwrap().is_some() {
            break;
        }
        sending.kill().unwrap();
        sending.wait().unwrap();
        kills += 1;
        let_go(&house).await;
        at_once(&house).await;
    }
    assert!(kills > 2, "{kills}");
    for _ in 0..2 {
        // Once more: the store may have committed a claim after the process that asked for it was killed.
        let_go(&house).await;
        with(&house, sink.port, &["mail", "send"]).ended(0);
        at_once(&house).await;
    }
    let arrived = sink.arrived();
    let lost = house.lines("select message_id from mail where status <> 'unknown'").await;
    let lost: Vec<_> = lost.iter().filter(|id| !arrived.contains_key(*id)).collect();
    assert!(lost.is_empty(), "{lost:?}");
    assert_eq!(
        house.one::<i64>("select count(*) from mail where status not in ('sent', 'unknown')").await,
        0
    );
    let more = arrived.values().sum::<usize>() - arrived.len();
    assert!(more <= LANES * kills, "{more} more after {kills} kills");
    let kept = sink.kept();
    for (to, message) in &kept {
        assert!(kept.iter().filter(|(other, _)| other == to).all(|(_, other)| other == message), "{to}");
    }
}

#[tokio::test]
async fn mail_test_says_what_the_server_can_do_and_what_it_answered() {
    let (house, sink) =
        (owing(0).await, Sink::open(Setup { more: &["SIZE 1000000", "8BITMIME"], ..Setup::default() }));
    let resolver = name_server::serve(Vec::new()).to_string();
    let test = ["mail", "test", "--to", "anna@x.example", "--resolver", &resolver];
    let told = with(&house, sink.port, &test).ended(0).stdout;
    assert!(told.contains("AUTH not offered; SIZE 1000000 bytes; 8BITMIME yes; SMTPUTF8 no"), "{told}");
    assert!(told.ends_with(" anna@x.example: accepted: 250 2.0.0 kept\n"), "{told}");
    assert_eq!(sink.kept()[0].0, "anna@x.example");
    sink.at("RCPT", Act::Say("550 5.1.1 nobody"), 1);
    let told = with(&house, sink.port, &test).ended(1).stdout;
    assert!(told.ends_with(": refused: RCPT: 550 5.1.1 nobody\n"), "{told}");
    house.run(["mail", "test", "--to", "anna@x.example"]).ended(2);
    let mut open = house.command(["mail", "send"]);
    let ran = Ran::of(open.env("SMTP_URL", "smtp://anna:geheim@mail.example?tls=none")).ended(2);
    assert!(ran.stderr.contains("tls=none") && !ran.stderr.contains("geheim"), "{}", ran.stderr);
}
