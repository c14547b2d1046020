//! `mail test` tells what the DNS says about the domain that mails are from, and sends its mail whatever that is.

use std::{fs, os::unix::fs::PermissionsExt, path::Path};

use crate::{
    house::Ran,
    name_server::{Published, serve},
    sink::{Setup, Sink},
    smtp::{POLICY, command, owing},
};

const SENDER: &str = "from = \"Office <office@x.example>\"\nreturn_path = \"b+{token}@back.x.example\"";
const KEY: &str = "2026a._domainkey.x.example";

fn text(name: &'static str, text: &str) -> Published {
    Published::Text(name, vec![text.to_owned()])
}

#[tokio::test]
async fn mail_test_says_what_is_good_and_what_is_to_be_mended_of_the_senders_domain() {
    let (house, sink) = (owing(0).await, Sink::open(Setup::default()));
    let usual = fs::read_to_string(house.dir.join(POLICY)).unwrap();
    let policy = |of_sender: &str| {
        let lines = usual.lines().map(|line| if line.starts_with("from = ") { of_sender } else { line });
        fs::write(house.dir.join(POLICY), lines.collect::<Vec<_>>().join("\n")).unwrap();
    };
    policy(SENDER);
    let key = house.dir.join("key.pem");
    fs::copy(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/dkim/rsa.pem"), &key).unwrap();
    fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
    let keys = format!("2026a={}", key.display());
    let asked = |server: std::net::SocketAddr| {
        let server = server.to_string();
        let args = ["mail", "test", "--to", "anna@y.example", "--resolver", &server];
        Ran::of(command(&house, sink.port, &args).env("DKIM_KEYS", &keys))
    };
    let records =
        Ran::of(command(&house, sink.port, &["mail", "dkim"]).env("DKIM_KEYS", &keys)).ended(0).stdout;
    let (name, record) = records.trim_end().split_once(" TXT ").unwrap();
    assert_eq!(name, KEY);
    // In parts, since a part of a text has at most 255 bytes.
    let parts = record.as_bytes().chunks(200).map(|part| String::from_utf8(part.to_vec()).unwrap());
    let good = serve(vec![
        Published::Text(KEY, parts.collect()),
        text("back.x.example", "v=spf1 ip4:192.0.2.1 -all"),
        Published::Mail("back.x.example", 20, "second.x.example."),
        Published::Mail("back.x.example", 10, "first.x.example."),
        text("_dmarc.x.example", "v=DMARC1; p=reject"),
        Published::Mail("x.example", 10, "first.x.example."),
    ]);
    let told = asked(good).ended(0).stdout;
    let of_domain: Vec<&str> = told.lines().take(5).collect();
    assert_eq!(
        of_domain,
        [
            "good    SPF of back.x.example: v=spf1 ip4:192.0.2.1 -all; see that it names the machine that your mail leaves by",
            "good    DKIM 2026a._domainkey.x.example: our key is published",
            "good    DMARC of x.example: v=DMARC1; p=reject; mails are signed for x.example",
            "good    mail server of back.x.example, for reports about mails: first.x.example, second.x.example",
            "good    mail server of x.example, for answers: first.x.example",
        ],
        "{told}"
    );
    assert!(told.ends_with("accepted: 250 2.0.0 kept\n"), "{told}");

    // A name that cannot be told of is its own trouble; the policy stands above, and a domain may take no mail.
    let bad = serve(vec![
        text(KEY, "v=DKIM1; k=rsa; p="),
        Published::Trouble("back.x.example"),
        text("_dmarc.example", "v=DMARC1; p=none"),
        Published::Mail("x.example", 0, "."),
    ]);
    let told = asked(bad).ended(0).stdout;
    for said in [
        "unknown SPF of back.x.example: the DNS could not be asked: ",
        "mend    DKIM 2026a._domainkey.x.example: the key there is revoked; ",
        "mend    DMARC of x.example: nothing is published, ",
        "unknown mail server of back.x.example, for reports about mails: ",
        "mend    mail server of x.example, for answers: the domain says that it takes no mail",
    ] {
        assert!(told.contains(said), "{said}\n{told}");
    }
    assert!(told.ends_with("accepted: 250 2.0.0 kept\n"), "{told}");

    policy("from = \"office@mail.x.example\"");
    let told = asked(good).ended(0).stdout;
    let above = "good    DMARC of mail.x.example: v=DMARC1; p=reject (at _dmarc.x.example); mails are signed for mail.x.example";
    assert!(told.contains(above), "{told}");
}
