//! Mail through a Postfix, as one is set up that takes mail from programs: under STARTTLS with a certificate of an own authority,
//! and from whoever logs in. Where the machine has none it says so and proves nothing (promise 9).

use std::{
    collections::BTreeSet,
    fs,
    io::{BufRead, BufReader, Write},
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, ChildStdout, Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicU16, Ordering},
    },
    time::{Duration, Instant},
};

use benefactor::{
    domain::calendar::add_days,
    jobs::{email_contacts::lanes, engine::night},
    mail::{dkim::DkimKeys, smtp::MailServer},
};
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use secrecy::SecretString;

use crate::{
    bounces::{suppressed, take},
    cluster::PATIENCE,
    dkim::{keys, published, verify},
    eml::Eml,
    house::{House, Ran, Scratch},
    name_server,
    smtp::{NIGHT, POLICY, owing},
    story::day,
    year_in_the_life::{FIRST, cast, drop_files},
};

/// A Postfix of its own; it stops when this is dropped, or when the test's process ends.
struct Postfix {
    dir: Scratch,
    port: u16,
    process: Child,
    says: BufReader<ChildStdout>,
}

impl Postfix {
    /// Starts one. `None`: the machine lacks what it takes, and that was said.
    fn start() -> Option<Self> {
        let dir = Scratch::new();
        let (authority, chain) = certificates();
        fs::write(dir.join("authority.pem"), authority).unwrap();
        fs::create_dir(dir.join("postfix")).unwrap();
        fs::write(dir.join("postfix/cert.pem"), chain).unwrap();
        let [port, plain] = free_ports();
        let mut process = Command::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/postfix/serve"))
            .arg(dir.join("postfix"))
            .args([port.to_string(), plain.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let says = BufReader::new(process.stdout.take().unwrap());
        let mut postfix = Self { dir, port, process, says };
        let said = postfix.next_line();
        if said == "ready" {
            return Some(postfix);
        }
        assert_eq!(postfix.process.wait().unwrap().code(), Some(77), "{said}");
        // Past the harness, which keeps what a test that passes prints.
        writeln!(std::io::stderr(), "SKIPPED: no mail went through Postfix: {said}").unwrap();
        None
    }

    fn next_line(&mut self) -> String {
        let mut line = String::new();
        self.says.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }

    /// Has it stop, or start again, with all that it holds.
    fn told(&mut self, word: &str, then: &str) {
        writeln!(self.process.stdin.as_mut().unwrap(), "{word}").unwrap();
        assert_eq!(self.next_line(), then);
    }

    /// How it is reached by whoever has this password.
    fn url(&self, password: &str) -> String {
        format!("smtp://anna:{password}@localhost:{}", self.port)
    }

    fn authority(&self) -> PathBuf {
        self.dir.join("authority.pem")
    }

    fn maildir(&self, name: &str) -> PathBuf {
        self.dir.join("postfix/mail").join(name)
    }

    /// The messages of a maildir, their lines ending in CRLF as they were sent, once there are so many.
    async fn delivered(&self, name: &str, count: usize) -> Vec<String> {
        let (folder, begun) = (self.maildir(name).join("new"), Instant::now());
        loop {
            let files = fs::read_dir(&folder).into_iter().flatten().map(|file| file.unwrap().path());
            let files: Vec<PathBuf> = files.collect();
            if files.len() >= count {
                let text = |path: &PathBuf| fs::read_to_string(path).unwrap().replace('\n', "\r\n");
                return files.iter().map(text).collect();
            }
            let log = || fs::read_to_string(self.dir.join("postfix/log")).unwrap();
            assert!(begun.elapsed() < PATIENCE, "{} of {count} in {name}\n{}", files.len(), log());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

impl Drop for Postfix {
    fn drop(&mut self) {
        drop(self.process.stdin.take());
        let _ = self.process.wait();
    }
}

/// An authority's certificate, and a key with a certificate for `localhost` that the authority signed.
fn certificates() -> (String, String) {
    let mut authority = CertificateParams::new([]).unwrap();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    authority.distinguished_name.push(DnType::CommonName, "Authority of a test");
    let key = KeyPair::generate().unwrap();
    let root = authority.self_signed(&key).unwrap().pem();
    let own = KeyPair::generate().unwrap();
    let leaf = CertificateParams::new(["localhost".to_owned()]).unwrap();
    let leaf = leaf.signed_by(&own, &Issuer::new(authority, key)).unwrap();
    (root, own.serialize_pem() + &leaf.pem())
}

/// Ports that nobody listens on, and that no program is given that asks for any: one that is away for a while keeps its own.
fn free_ports() -> [u16; 2] {
    static TAKEN: AtomicU16 = AtomicU16::new(0);
    let own = u16::try_from(std::process::id() % 1_000).unwrap() * 10;
    let first = 20_000 + own + TAKEN.fetch_add(100, Ordering::Relaxed) % 1_000;
    let mut free = (first..32_000).filter(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok());
    [free.next().unwrap(), free.next().unwrap()]
}

/// The last night that is looked at: by then there were mails in three languages, and what was decided on requests.
const LAST: &str = "2024-03-27";
/// The day on which the server is away; mails are queued that night, and others a day later.
const AWAY: &str = "2024-03-11";

/// What the outbox holds of a year, up to the last night: day, recipient and subject of each mail.
fn expected() -> BTreeSet<String> {
    let snapshot = include_str!("snapshots/it__year_in_the_life__the_mailbox_of_a_year.snap");
    let mails = snapshot.rsplit_once("---\n").unwrap().1.lines().filter(|line| &line[..LAST.len()] <= LAST);
    mails.map(|line| line.rsplit_once(" | ").unwrap().0.to_owned()).collect()
}

#[tokio::test]
async fn promise_9_the_casts_mail_goes_through_postfix_once_signed_though_it_is_away_for_a_day() {
    let Some(mut postfix) = Postfix::start() else { return };
    let (mut house, cast) = (House::open().await, cast());
    let url = SecretString::from(postfix.url("geheim"));
    let server = Arc::new(MailServer::parse(&url, None, Some(&postfix.authority())).unwrap());
    let setting = keys(house.dir.path());
    let files = setting.split(',').map(|key| key.split_once('=').unwrap());
    let files: Vec<_> = files.map(|(selector, path)| (selector.to_owned(), PathBuf::from(path))).collect();
    let dkim = Arc::new(DkimKeys::read(&files).unwrap());
    for on in day(FIRST).iter_days().take_while(|on| *on <= day(LAST)) {
        if on == day(AWAY) {
            postfix.told("stop", "stopped");
        }
        if on == add_days(day(AWAY), 1) {
            postfix.told("start", "ready");
        }
        drop_files(&mut house, &cast, on).await;
        let mut cx = house.context(on, add_days(on, 1), false);
        (cx.server, cx.dkim) = (Some(Arc::clone(&server)), Arc::clone(&dkim));
        night::run(&cx, &house.pool, house.since, on, |_| {}).await.unwrap();
        let sent = lanes::send_due(&Arc::new(cx), &house.pool).await.unwrap();
        assert_eq!(sent.trouble.is_some(), on == day(AWAY), "{on}: {sent:?}");
        let waits = house.one::<i64>("select count(*) from mail where status <> 'sent'").await;
        assert_eq!(waits > 0, on == day(AWAY), "{on}: {waits} mails wait");
    }
    let expected = expected();
    let (mails, published) = (postfix.delivered("all", expected.len()).await, published(&house, &setting));
    let days = house.lines("select message_id || ' ' || day from mail").await;
    let mut told = Vec::new();
    for text in &mails {
        let signatures = verify(text, &published);
        assert!(signatures.len() == 2 && signatures.iter().all(|(.., good)| good.is_ok()), "{signatures:?}");
        assert!(text.contains(" with ESMTPSA id "), "under TLS, by somebody who logged in: {text}");
        let mail = Eml::read(text);
        let id = mail.field("Message-ID");
        let day = days.iter().find_map(|line| line.strip_prefix(&id)).expect("a mail of ours");
        told.push(format!("{} {} | {}", day.trim(), mail.field("Delivered-To"), mail.field("Subject")));
    }
    told.sort();
    assert_eq!(told, expected.into_iter().collect::<Vec<_>>(), "each once");
    assert_eq!(days.len(), told.len());
}

#[tokio::test]
async fn promise_9_what_postfix_takes_and_cannot_deliver_comes_back_and_a_wrong_password_costs_no_mail() {
    let Some(postfix) = Postfix::start() else { return };
    let house = owing(3).await;
    let path = house.dir.join(POLICY);
    let policy = fs::read_to_string(&path).unwrap();
    let return_path = "[policy]\nreturn_path = \"bounces+{token}@benefactor.example\"";
    fs::write(&path, policy.replace("[policy]", return_path)).unwrap();
    for (number, address) in [("2", "nobody@p.example"), ("3", "åsa@p.example")] {
        let change = "update partner set account_email = $1 where number = $2";
        sqlx::query(change).bind(address).bind(number).execute(&house.owner).await.unwrap();
    }
    let with = |password: &str, authority: Option<&Path>, args: &[&str]| {
        let mut command = house.command(["--now", "2024-02-01T02:30:00Z"]);
        command.args(args).env("SMTP_URL", postfix.url(password));
        command.env("BENEFACTOR_CONFIG_DIR", house.dir.join("config"));
        if let Some(authority) = authority {
            command.env("SMTP_CA_FILE", authority);
        }
        Ran::of(&mut command)
    };
    let authority = postfix.authority();
    let resolver = name_server::serve(Vec::new()).to_string();
    let test = ["mail", "test", "--to", "anna@p.example", "--resolver", &resolver];
    let queued = "select status || ' after ' || attempts from mail order by recipient";

    let night = with("wrong", Some(&authority), &NIGHT).ended(0);
    assert!(night.stderr.contains("the mail server takes nothing now"), "{}", night.stderr);
    let told = with("wrong", Some(&authority), &test).ended(6);
    assert!(told.stderr.contains("AUTH: 535 5.7.8"), "{}", told.stderr);
    assert!(!(told.stdout + &told.stderr).contains("wrong"));
    let told = with("geheim", None, &["mail", "send"]).ended(6);
    assert!(told.stderr.contains("UnknownIssuer"), "{}", told.stderr);
    assert_eq!(house.lines(queued).await, ["queued after 0"; 3]);

    let told = with("geheim", Some(&authority), &test).ended(0).stdout;
    assert!(told.contains("TLSv1.3") && told.contains("AUTH PLAIN LOGIN") && told.contains("SMTPUTF8 yes"));
    assert!(told.contains(" anna@p.example: accepted: 250 2.0.0 Ok: queued as "), "{told}");
    let told = with("geheim", Some(&authority), &["mail", "send"]).ended(0).stdout;
    assert_eq!(told, "3 sent, 0 refused, 0 put off, 0 unknown\n");
    let delivered = postfix.delivered("all", 3).await;
    let mut to: Vec<String> = delivered.iter().map(|text| Eml::read(text).field("Delivered-To")).collect();
    to.sort();
    assert_eq!(to, ["anna@p.example", "p1@p.example", "åsa@p.example"]);

    let reports = postfix.delivered("bounces", 1).await;
    assert!(
        reports[0].contains("\r\nContent-Type: multipart/report; report-type=delivery-status"),
        "{reports:?}"
    );
    let mailbox = postfix.maildir("bounces");
    assert!(take(&house, &mailbox).starts_with(
        "1 new messages, 1 about mails of ours; 1 addresses get no mail any more, 0 no marketing; 0 unreadable"
    ));
    assert_eq!(suppressed(&house).await, ["nobody@p.example all bounces"]);
    let states = "select recipient || ' ' || status from mail order by recipient collate \"C\"";
    let states = house.lines(states).await;
    assert_eq!(states, ["nobody@p.example bounced", "p1@p.example sent", "åsa@p.example sent"]);
    assert!(take(&house, &mailbox).starts_with("0 new messages"));
}
