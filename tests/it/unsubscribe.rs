//! Whoever wants no more marketing: the way out that every such mail names, and the page that it leads to.

use std::{
    collections::BTreeSet,
    fs,
    io::{Read as _, Write as _},
    net::TcpStream,
    time::{Duration, Instant},
};

use crate::{
    cast::{ENTITLEMENTS, contact, partner, row, users},
    cluster::PATIENCE,
    dkim::{keys, published, verify},
    house::{House, Ran},
};

const URL: &str = "https://offers.benefactor.example/benefits";

/// A partner with a contact, whose offer goes live in the night of 1 March.
async fn live_offer(number: &str, language: &str, house: &mut House) {
    let order = ENTITLEMENTS.to_owned()
        + &row(number, &format!("ORD-{number}"), "go_to_market/silver_core", "2024-01-31", "2025-01-30", ",");
    let files = [("p.csv", &*partner(number, "SEK")), ("u.csv", &users(number)), ("e.csv", &order)];
    house.import(&files, "2024-02-20").await;
    house.import_one("c.csv", &contact(number, language), "2024-02-20").await.applied();
    let asked = format!(
        "partner_id,order_id,benefit,requested_by,requested_on\n\
         {number},ORD-{number},go_to_market/silver_core,ada@p{number}.example,2024-02-27\n"
    );
    house.import_one("a.csv", &asked, "2024-02-27").await.applied();
}

/// What stands in the outbox, by whether it is marketing.
fn outbox(house: &House) -> (Vec<String>, Vec<String>) {
    let files = fs::read_dir(house.dir.join("outbox")).unwrap();
    let mails = files.map(|file| fs::read_to_string(file.unwrap().path()).unwrap());
    mails.partition(|mail| mail.contains("\r\nList-Id: "))
}

/// A field's value, in one line.
fn field(mail: &str, name: &str) -> Option<String> {
    let head = mail.split_once("\r\n\r\n").unwrap().0.replace("\r\n ", " ");
    let begins = format!("{name}: ");
    head.split("\r\n").find_map(|line| line.strip_prefix(&begins)).map(str::to_owned)
}

/// The path of the page that a mail leads to.
fn path(mail: &str) -> String {
    let url = field(mail, "List-Unsubscribe").unwrap();
    let url = url.trim_matches(['<', '>']);
    url.strip_prefix(URL).unwrap_or_else(|| panic!("{url}")).to_owned()
}

/// What a request is answered with: its code, its head in lower case, its body.
fn ask(at: &str, request: &str, fields: &str, body: &[u8]) -> (u16, String, String) {
    let mut stream = TcpStream::connect(at).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let length = body.len();
    write!(
        stream,
        "{request} HTTP/1.1\r\nHost: {at}\r\nConnection: close\r\n{fields}Content-Length: {length}\r\n\r\n"
    )
    .unwrap();
    let _ = stream.write_all(body);
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    let answer = String::from_utf8(answer).unwrap();
    // Whoever sends too much may be cut off before the answer is read.
    let Some((head, body)) = answer.split_once("\r\n\r\n") else { return (0, String::new(), String::new()) };
    (head.split(' ').nth(1).unwrap().parse().unwrap(), head.to_lowercase(), body.to_owned())
}

const FORM: &str = "Content-Type: application/x-www-form-urlencoded\r\n";
const ONE_CLICK: &[u8] = b"List-Unsubscribe=One-Click";

#[tokio::test]
async fn d10_every_marketing_mail_names_a_way_out_and_no_other_mail_does() {
    for (url, return_path, way_out, post) in [
        (Some(URL), true, format!("<{URL}/unsubscribe/"), Some("List-Unsubscribe=One-Click")),
        (None, true, "<mailto:bounces+".to_owned(), None),
        (
            None,
            false,
            "<mailto:office@benefactor.example?subject=unsubscribe%20marketing%40p4301.example>".to_owned(),
            None,
        ),
    ] {
        let mut house = House::open().await;
        live_offer("4301", "en", &mut house).await;
        let path = if return_path { "return_path = \"bounces+{token}@benefactor.example\"\n" } else { "" };
        let policy = include_str!("../../jobs/email_contacts.toml");
        let policy = policy.replace(
            "[policy]\n",
            &format!("[policy]\nreply_to = \"Office <office@benefactor.example>\"\n{path}"),
        );
        fs::create_dir_all(house.dir.join("config/jobs")).unwrap();
        fs::write(house.dir.join("config/jobs/email_contacts.toml"), policy).unwrap();
        let keys = keys(house.dir.path());
        let mut night = house.command([
            "--now",
            "2024-03-02T02:30:00Z",
            "night",
            "--from",
            "2024-02-20",
            "--to",
            "2024-03-01",
        ]);
        night.env("DKIM_KEYS", &keys).env("BENEFACTOR_CONFIG_DIR", house.dir.join("config"));
        if let Some(url) = url {
            night.env("PUBLIC_URL", url);
        }
        Ran::of(&mut night).ended(0);
        let (marketing, others) = outbox(&house);
        assert_eq!((marketing.len(), others.len()), (1, 1), "{marketing:?} {others:?}");
        let unsubscribe = field(&marketing[0], "List-Unsubscribe").unwrap();
        assert!(unsubscribe.starts_with(&way_out), "{unsubscribe}");
        assert_eq!(field(&marketing[0], "List-Unsubscribe-Post").as_deref(), post);
        assert_eq!(field(&marketing[0], "List-Id").as_deref(), Some("<offers.benefactor.example>"));
        assert!(marketing[0].contains("e-mail about new offers"), "{}", marketing[0]);
        assert_eq!(field(&others[0], "List-Unsubscribe"), None);
        assert!(!others[0].contains("about new offers"), "{}", others[0]);
        for (_, covered, good) in verify(&marketing[0], &published(&house, &keys)) {
            assert_eq!(good, Ok(()));
            assert!(
                covered.contains(&"list-unsubscribe".to_owned()) && covered.contains(&"list-id".to_owned())
            );
            assert!(covered.contains(&"list-unsubscribe-post".to_owned()));
        }
        let mut check = house.command(["check"]);
        check
            .env("BENEFACTOR_CONFIG_DIR", house.dir.join("config"))
            .env("PUBLIC_URL", url.unwrap_or_default());
        let said = Ran::of(&mut check).ended(0).stdout;
        assert_eq!(
            said.contains("writes to office@benefactor.example"),
            url.is_none() && !return_path,
            "{said}"
        );
    }
}

/// A process that shows the page; killed when dropped.
struct Showing(std::process::Child, String);

impl Drop for Showing {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn show(house: &House, command: &str) -> Showing {
    let log = house.dir.join("page.log");
    let mut up = house.command([
        "--now",
        "2024-03-02T04:00:00Z",
        "--listen",
        "off",
        "--public-listen",
        "127.0.0.1:0",
        command,
    ]);
    let child = up.env("PUBLIC_URL", URL).stderr(fs::File::create(&log).unwrap()).spawn().unwrap();
    let mut showing = Showing(child, String::new());
    let begun = Instant::now();
    loop {
        let said = fs::read_to_string(&log).unwrap();
        let at = said.split_once("unsubscribes is at http://").and_then(|(_, at)| at.split_once('/'));
        if let Some((at, _)) = at {
            at.clone_into(&mut showing.1);
            return showing;
        }
        assert!(begun.elapsed() < PATIENCE, "{said}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

async fn suppressed(house: &House) -> Vec<String> {
    house.lines("select concat_ws(' ', address, scope, added_by, why) from suppression where removed_at is null order by 1").await
}

/// Asks in all ways that must change nothing.
fn nothing_else_changes_anything(at: &str, swedish: &str, english: &str) {
    for request in ["GET", "HEAD"] {
        let (code, head, body) = ask(at, &format!("{request} {swedish}"), "", b"");
        assert_eq!(code, 200);
        assert!(head.contains("content-language: sv") && head.contains("cache-control: no-store"), "{head}");
        assert!(
            head.contains("default-src 'none'") && head.contains("referrer-policy: no-referrer"),
            "{head}"
        );
        assert_eq!(body.contains("<button type=\"submit\">Avsluta</button>"), request == "GET", "{body}");
        assert_eq!(body.contains("marketing@p4301.example"), request == "GET");
    }
    for (request, fields, body) in [
        ("POST", FORM, &b""[..]),
        ("POST", FORM, b"List-Unsubscribe=Later"),
        ("PUT", FORM, ONE_CLICK),
        ("DELETE", FORM, ONE_CLICK),
    ] {
        let code = ask(at, &format!("{request} {english}"), fields, body).0;
        assert!(code == 400 || code == 405, "{request}: {code}");
    }
    let much = [ONE_CLICK, &b"&".repeat(20_000)].concat();
    assert!(matches!(ask(at, &format!("POST {english}"), FORM, &much).0, 413 | 0));
    let token = english.rsplit('/').next().unwrap();
    let last = if token.ends_with('0') { '1' } else { '0' };
    let forged = format!("/unsubscribe/{}{last}", &token[..token.len() - 1]);
    for unknown in [
        &forged,
        "/unsubscribe/",
        "/unsubscribe/x",
        "/",
        "/metrics",
        "/health",
        "/unsubscribe/%ff",
        "//x.example/",
    ] {
        for (request, body) in [("GET", &b""[..]), ("POST", ONE_CLICK)] {
            let (code, head, body) =
                ask(at, &format!("{request} {unknown}"), "Accept-Language: sv-SE, en;q=0.5\r\n", body);
            assert!(code == 404 || unknown.contains('%') && code == 400, "{request} {unknown}: {code}");
            assert!(code == 400 || body.contains("Länken är okänd"), "{body}");
            assert!(!head.contains("location:"), "{head}");
        }
    }
}

#[tokio::test]
async fn d10_whoever_unsubscribes_gets_no_marketing_and_nobody_else_is_touched() {
    let mut house = House::open().await;
    live_offer("4301", "sv", &mut house).await;
    live_offer("4302", "en", &mut house).await;
    let mut night = house.command([
        "--now",
        "2024-03-02T02:30:00Z",
        "night",
        "--from",
        "2024-02-20",
        "--to",
        "2024-03-01",
    ]);
    Ran::of(night.env("PUBLIC_URL", URL)).ended(0);
    let (marketing, _) = outbox(&house);
    let of = |to: &str| marketing.iter().find(|mail| field(mail, "To").unwrap().contains(to)).unwrap();
    let (swedish, english) = (path(of("p4301")), path(of("p4302")));
    let id = field(of("p4302"), "Message-ID").unwrap();
    let page = show(&house, "worker");
    let at = page.1.as_str();

    nothing_else_changes_anything(at, &swedish, &english);
    assert_eq!(suppressed(&house).await, [""; 0], "so far nothing was asked for");

    // As mail programs do it, in both forms of HTML, through a proxy that leaves its path in front; and more than once.
    let multipart =
        b"--b\r\nContent-Disposition: form-data; name=\"List-Unsubscribe\"\r\n\r\nOne-Click\r\n--b--\r\n";
    for (prefix, fields, body) in [
        ("", FORM, ONE_CLICK),
        ("/benefits", "Content-Type: multipart/form-data; boundary=b\r\n", &multipart[..]),
        ("", FORM, ONE_CLICK),
    ] {
        let (code, _, body) = ask(at, &format!("POST {prefix}{english}"), fields, body);
        assert_eq!(code, 200, "{body}");
        assert!(body.contains("marketing@p4302.example gets no more e-mail about new offers"), "{body}");
    }
    let expected =
        format!("marketing@p4302.example marketing unsubscribe unsubscribed with the link in {id}");
    assert_eq!(suppressed(&house).await, [expected]);
    let tokens: BTreeSet<&str> = [swedish.as_str(), english.as_str()].into();
    assert_eq!(tokens.len(), 2);
    drop(page);
    let up = show(&house, "up");
    assert_eq!(ask(&up.1, &format!("GET {swedish}"), "", b"").0, 200);
}

#[tokio::test]
async fn an_address_that_cannot_be_listened_on_is_wrong_usage() {
    let house = House::open().await;
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let at = taken.local_addr().unwrap().to_string();
    let ran = house.run(["--public-listen", &at, "--listen", "off", "worker"]).ended(2);
    assert!(ran.stderr.contains("--public-listen"), "{}", ran.stderr);
    assert!(house.run(["--public-url", "http://x.example", "status"]).ended(2).stderr.contains("under TLS"));
}
