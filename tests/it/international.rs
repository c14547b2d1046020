//! Addresses with letters outside ASCII before the `@`: taken in, written to where the mail server takes them (SMTPUTF8, RFC 6531),
//! and told of where it does not, each by itself (D10, promises 5 and 9).

use std::fs;

use benefactor::mail::smtp::{MailServer, MailVerdict, Session, StepLimits};
use secrecy::SecretString;

use crate::{
    cast::{ENTITLEMENTS, row},
    dkim::{keys, published, verify},
    eml::Eml,
    house::{House, Ran},
    name_server,
    sink::{Setup, Sink},
    smtp::{NIGHT, POLICY, command, owing, with},
};

const UTF8: &[&str] = &["8BITMIME", "SMTPUTF8"];
const OUTSIDE: &str = "p2.åsa@p.example";

#[tokio::test]
async fn an_address_outside_ascii_is_taken_in_composed_and_written_to_in_utf_8() {
    let mut house = House::open().await;
    let header = "partner_id,name,account_email,country,currency\n";
    let partners = format!("{header}4301,North,A\u{30A}sa.Öberg@åkeri.example,SE,SEK\n");
    let orders = ENTITLEMENTS.to_owned() + &row("4301", "ORD-1", "software", "2024-01-31", "2025-01-30", ",");
    house.import(&[("p.csv", &partners), ("e.csv", &orders)], "2024-01-31").await;
    let kept = "select account_email from partner";
    assert_eq!(house.one::<String>(kept).await, "Åsa.Öberg@xn--keri-poa.example");
    for tricked in ["Аsa@x.example", "å\u{202E}sa@x.example", "å sa@x.example", "å😀@x.example"] {
        let row = format!("{header}4302,South,{tricked},SE,SEK\n");
        let answer = house.import_one("s.csv", &row, "2024-01-31").await;
        assert!(answer.rows[0].contains(" rejected account_email "), "{tricked}: {:?}", answer.rows);
    }
    // Written in its other form it is the same address.
    let composed = partners.replace("A\u{30A}", "Å");
    let answer = house.import_one("p.csv", &composed, "2024-01-31").await;
    assert!(answer.rows[0].contains(" unchanged"), "{:?}", answer.rows);
    house.night("2024-11-29").await;
    house.night("2024-11-30").await;
    let outbox: Vec<String> = fs::read_dir(house.dir.join("outbox"))
        .unwrap()
        .map(|file| fs::read_to_string(file.unwrap().path()).unwrap())
        .collect();
    let [mail] = &outbox[..] else { panic!("{outbox:?}") };
    let to = Eml::read(mail).field("To");
    assert!(to.to_lowercase().ends_with("sa.öberg@xn--keri-poa.example"), "{to}");
    assert!(
        mail.lines().any(|line| line.starts_with("To: ") && line.contains("berg@")),
        "not encoded: {mail}"
    );
    // The history of the order says why a mail did not go.
    let sink = Sink::open(Setup::default());
    sqlx::query("update mail set status = 'queued', sent_at = null, attempts = 0")
        .execute(&house.owner)
        .await
        .unwrap();
    with_plain(&house, sink.port, &["mail", "send"]);
    let told = house.run(["--now", "2024-12-01T02:30:00Z", "explain", "ORD-1"]).ended(0).stdout;
    assert!(told.contains("(mail refused: smtputf8_missing: the address is outside ASCII"), "{told}");
}

fn with_plain(house: &House, port: u16, args: &[&str]) {
    let mut command = house.command(["--now", "2024-12-01T02:30:00Z"]);
    Ran::of(command.args(args).env("SMTP_URL", format!("smtp://127.0.0.1:{port}?tls=none"))).ended(0);
}

/// Three mails, the second to an address outside ASCII, over one connection.
async fn with_one_outside() -> House {
    let house = owing(3).await;
    sqlx::query("update partner set account_email = $1 where number = '2'")
        .bind(OUTSIDE)
        .execute(&house.owner)
        .await
        .unwrap();
    let policy = fs::read_to_string(house.dir.join(POLICY)).unwrap();
    let more = "[policy]\nreturn_path = \"bounces+{token}@benefactor.example\"";
    let policy = policy.replace("[policy]", more).replace("lanes = 4", "lanes = 1");
    fs::write(house.dir.join(POLICY), policy).unwrap();
    house
}

#[tokio::test]
async fn promise_5_a_server_without_smtputf8_is_asked_for_nothing_it_lacks_and_the_other_mails_go() {
    for more in [&[][..], &["8BITMIME"], &["SMTPUTF8"]] {
        let (house, sink) = (with_one_outside().await, Sink::open(Setup { more, ..Setup::default() }));
        let night = with(&house, sink.port, &NIGHT).ended(0);
        assert_eq!(sink.kept().len(), 2, "{more:?}: {night:?}");
        assert_eq!((sink.connections(), sink.asked()), (1, vec![String::new(); 2]), "{more:?}");
        let listed = with(&house, sink.port, &["mail", "list"]).ended(0).stdout;
        assert!(
            listed.contains(&format!("refused transactional {OUTSIDE} "))
                && listed.contains(": smtputf8_missing: "),
            "{listed}"
        );
        assert!(with(&house, sink.port, &["status"]).stdout.contains("refused"));
        assert_eq!(house.one::<i64>("select count(*) from run where status <> 'done'").await, 0);
    }
}

#[tokio::test]
async fn promise_9_a_server_with_smtputf8_is_given_the_address_as_it_is_signed_and_from_one_in_ascii() {
    let (house, sink) = (with_one_outside().await, Sink::open(Setup { more: UTF8, ..Setup::default() }));
    let keys = keys(house.dir.path());
    let run = |args: &[&str]| Ran::of(command(&house, sink.port, args).env("DKIM_KEYS", &keys)).ended(0);
    run(&NIGHT);
    let kept = sink.kept();
    let to: Vec<&str> = kept.iter().map(|(to, _)| to.as_str()).collect();
    assert_eq!(to, ["p1@p.example", OUTSIDE, "p3@p.example"]);
    assert_eq!(sink.asked(), ["", "BODY=8BITMIME SMTPUTF8", ""], "the others' mails are as they were");
    assert!(sink.senders().iter().all(|from| from.is_ascii() && from.starts_with("bounces+")));
    let mail = &kept[1].1;
    assert!(mail.contains(&format!("\r\nTo: {OUTSIDE}\r\n")), "{mail}");
    let outside: Vec<&str> = mail.lines().filter(|line| !line.is_ascii()).collect();
    assert_eq!(outside, [format!("To: {OUTSIDE}")], "nothing else is outside ASCII");
    let published = published(&house, &keys);
    for (selector, covered, good) in verify(mail, &published) {
        assert!(good.is_ok() && covered.contains(&"to".to_owned()), "{selector}: {good:?}\n{mail}");
    }
    let other = mail.replace("åsa", "asa");
    assert!(verify(&other, &published).iter().all(|(.., good)| good.is_err()), "the address is signed");
}

#[tokio::test]
async fn promise_9_once_the_server_takes_such_addresses_the_mail_is_queued_again_by_command() {
    let (house, sink) = (with_one_outside().await, Sink::open(Setup::default()));
    with(&house, sink.port, &NIGHT).ended(0);
    let id = house.one::<String>("select message_id from mail where status = 'refused'").await;
    let newer = Sink::open(Setup { more: UTF8, ..Setup::default() });
    with(&house, newer.port, &["mail", "resend", &id, "--by", "ada", "--why", "it has SMTPUTF8"]).ended(0);
    with(&house, newer.port, &["mail", "send"]).ended(0);
    assert_eq!(newer.kept()[0].0, OUTSIDE);
    assert_eq!(house.one::<i64>("select count(*) from mail where status <> 'sent'").await, 0);
}

#[tokio::test]
async fn mail_test_says_whether_the_server_takes_addresses_outside_ascii() {
    let (house, resolver) = (owing(0).await, name_server::serve(Vec::new()).to_string());
    let test = ["mail", "test", "--to", "a\u{30A}sa@x.example", "--resolver", &resolver];
    let sink = Sink::open(Setup { more: &["8BITMIME"], ..Setup::default() });
    let told = with(&house, sink.port, &test).ended(1).stdout;
    assert!(told.contains("8BITMIME yes; SMTPUTF8 no"), "{told}");
    assert!(told.contains(" åsa@x.example: refused: smtputf8_missing: "), "{told}");
    assert_eq!(sink.kept().len(), 0);
    let sink = Sink::open(Setup { more: UTF8, ..Setup::default() });
    let told = with(&house, sink.port, &test).ended(0).stdout;
    assert!(
        told.contains("SMTPUTF8 yes") && told.ends_with(" åsa@x.example: accepted: 250 2.0.0 kept\n"),
        "{told}"
    );
    assert_eq!(sink.kept()[0].0, "åsa@x.example");
}

#[tokio::test]
async fn a_header_outside_ascii_is_never_handed_to_a_server_that_did_not_offer_it() {
    let limits =
        StepLimits { step: std::time::Duration::from_secs(2), after_dot: std::time::Duration::from_secs(2) };
    let message = "To: åsa@x.example\r\nSubject: x\r\n\r\nx\r\n".as_bytes();
    for (more, taken) in [(&["8BITMIME"][..], false), (UTF8, true)] {
        let sink = Sink::open(Setup { more, ..Setup::default() });
        let url = SecretString::from(format!("smtp://127.0.0.1:{}?tls=none", sink.port));
        let server = MailServer::parse(&url, None, None).unwrap();
        let mut session = Session::open(&server, "client.example", limits).await.unwrap();
        let verdict = session.send("benefits@p.example", "asa@x.example", message).await;
        assert_eq!(matches!(verdict, MailVerdict::Accepted(_)), taken, "{verdict:?}");
        assert!(session.is_sound(), "the next mail may follow");
        let next = session.send("benefits@p.example", "bo@x.example", b"Subject: y\r\n\r\ny\r\n").await;
        assert!(matches!(next, MailVerdict::Accepted(_)), "{next:?}");
    }
}
