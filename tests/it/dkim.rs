//! Mails are signed, and what verifies them here is not what signs them: it reads RFC 6376 from the verifier's side.

use std::{collections::HashMap, fs, os::unix::fs::PermissionsExt, path::Path};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use rustls::{SignatureScheme, crypto::ring};
use sha2::{Digest, Sha256};

use crate::{
    house::{House, Ran},
    name_server,
    sink::{Act, Setup, Sink},
    smtp::{NIGHT, POLICY, command, owing},
};

/// Published keys: `<selector>._domainkey.<domain>` and the text of its record.
pub type Published = HashMap<String, String>;

/// A field as it stands in a message, its lines still folded, without the last line end.
type RawField<'a> = (&'a str, &'a str);

/// What each DKIM signature of a message comes to: the selector, the fields that it covers, and whether it is good.
pub fn verify(message: &str, published: &Published) -> Vec<(String, Vec<String>, Result<(), String>)> {
    let (head, body) = message.split_once("\r\n\r\n").expect("a head and a body");
    let mut fields: Vec<RawField> = Vec::new();
    let mut rest = head;
    while !rest.is_empty() {
        let end =
            rest.match_indices("\r\n").map(|(at, _)| at).find(|at| !rest[at + 2..].starts_with([' ', '\t']));
        let field = &rest[..end.unwrap_or(rest.len())];
        fields.push(field.split_once(':').expect("a name and a value"));
        rest = end.map_or("", |end| &rest[end + 2..]);
    }
    let signatures = fields.iter().filter(|(name, _)| name.eq_ignore_ascii_case("DKIM-Signature"));
    signatures
        .map(|signature| {
            let tags: HashMap<&str, String> = signature
                .1
                .split(';')
                .map(|tag| tag.split_once('=').expect("a tag"))
                .map(|(name, value)| (name.trim(), value.split_whitespace().collect()))
                .collect();
            let covered: Vec<String> = tags["h"].split(':').map(str::to_lowercase).collect();
            (
                tags["s"].clone(),
                covered.clone(),
                is_good(signature, &tags, &covered, &fields, body, published),
            )
        })
        .collect()
}

fn is_good(
    signature: &RawField,
    tags: &HashMap<&str, String>,
    covered: &[String],
    fields: &[RawField],
    body: &str,
    published: &Published,
) -> Result<(), String> {
    if tags["v"] != "1" || tags["c"] != "relaxed/relaxed" || !covered.contains(&"from".to_owned()) {
        return Err(format!("no such signature: {tags:?}"));
    }
    let hash = Sha256::digest(canonical_body(body).as_bytes());
    if STANDARD.decode(&tags["bh"]).unwrap() != hash.as_slice() {
        return Err("the body was changed".to_owned());
    }
    let mut left: Vec<&RawField> = fields.iter().collect();
    let mut signed = String::new();
    for name in covered {
        // One that is named more often than it is there stands for nothing (5.4.2).
        if let Some(at) = left.iter().rposition(|(other, _)| other.trim_end().eq_ignore_ascii_case(name)) {
            signed += &(canonical_field(left.remove(at)) + "\r\n");
        }
    }
    let (before, after) = signature.1.rsplit_once("b=").expect("a signature");
    assert!(!after.contains(';'), "its signature is its last tag here");
    signed += &canonical_field(&(signature.0, &format!("{before}b=")));
    let record = &published[&format!("{}._domainkey.{}", tags["s"], tags["d"])];
    let key = record.split("p=").nth(1).unwrap().trim();
    let key = STANDARD.decode(key).unwrap();
    let (scheme, key, text) = match tags["a"].as_str() {
        "rsa-sha256" => (SignatureScheme::RSA_PKCS1_SHA256, unwrapped(&key), signed.into_bytes()),
        "ed25519-sha256" => (SignatureScheme::ED25519, key.as_slice(), Sha256::digest(signed).to_vec()),
        other => return Err(format!("no such algorithm: {other}")),
    };
    let known = ring::default_provider().signature_verification_algorithms.mapping;
    let (_, verifiers) = known.iter().find(|(of, _)| *of == scheme).unwrap();
    let proof = STANDARD.decode(&tags["b"]).map_err(|error| error.to_string())?;
    let good = verifiers.iter().any(|verifier| verifier.verify_signature(key, &text, &proof).is_ok());
    if good { Ok(()) } else { Err("the head was changed, or the key is another".to_owned()) }
}

/// 3.4.2.
fn canonical_field((name, value): &RawField) -> String {
    let words: Vec<&str> = value.split([' ', '\t', '\r', '\n']).filter(|word| !word.is_empty()).collect();
    format!("{}:{}", name.trim_end().to_lowercase(), words.join(" "))
}

/// 3.4.4.
fn canonical_body(body: &str) -> String {
    let mut lines: Vec<String> = Vec::new();
    for line in body.split_terminator("\r\n") {
        let words: Vec<&str> = line.split([' ', '\t']).filter(|word| !word.is_empty()).collect();
        let begins = if line.starts_with([' ', '\t']) && !words.is_empty() { " " } else { "" };
        lines.push(format!("{begins}{}", words.join(" ")));
    }
    while lines.last().is_some_and(String::is_empty) {
        lines.pop();
    }
    lines.join("\r\n") + if lines.is_empty() { "" } else { "\r\n" }
}

/// The RSA key in a `SubjectPublicKeyInfo`: after the algorithm's name a bit string with its length in two bytes.
fn unwrapped(wrapped: &[u8]) -> &[u8] {
    const RSA: [u8; 15] = [0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1, 5, 0];
    let at = wrapped.windows(RSA.len()).position(|bytes| bytes == RSA).unwrap() + RSA.len();
    assert_eq!((wrapped[at], wrapped[at + 1], wrapped[at + 4]), (0x03, 0x82, 0));
    &wrapped[at + 5..]
}

/// RFC 8463, A.2 and A.3.
#[test]
fn the_verifier_of_these_tests_takes_the_rfc_s_signature_and_nothing_else() {
    let signed = "DKIM-Signature: v=1; a=ed25519-sha256; c=relaxed/relaxed;\r
 d=football.example.com; i=@football.example.com;\r
 q=dns/txt; s=brisbane; t=1528637909; h=from : to :\r
 subject : date : message-id : from : subject : date;\r
 bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;\r
 b=/gCrinpcQOoIfuHNQIbq4pgh9kyIK3AQUdt9OdqQehSwhEIug4D11Bus\r
 Fa3bT3FY5OsU7ZbnKELq+eXdp1Q1Dw==\r
From: Joe SixPack <joe@football.example.com>\r
To: Suzie Q <suzie@shopping.example.net>\r
Subject: Is dinner ready?\r
Date: Fri, 11 Jul 2003 21:00:37 -0700 (PDT)\r
Message-ID: <20030712040037.46341.5F8J@football.example.com>\r
\r
Hi.\r
\r
We lost the game.  Are you hungry yet?\r
\r
Joe.\r
";
    let record = "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";
    let published =
        Published::from([("brisbane._domainkey.football.example.com".to_owned(), record.to_owned())]);
    let good = |text: &str| verify(text, &published)[0].2.is_ok();
    assert!(good(signed), "{:?}", verify(signed, &published));
    assert!(good(&signed.replace("Subject: Is dinner", "subject:  Is \r\n dinner")), "that is the same");
    for (from, to) in [
        ("dinner ready", "supper ready"),
        ("lost", "won"),
        ("Joe.\r\n", "Joe.\r\nPS\r\n"),
        ("t=1528637909", "t=1528637910"),
    ] {
        assert!(!good(&signed.replacen(from, to, 1)), "{to}");
    }
    assert!(!good(&signed.replace("Date: ", "Subject: Another\r\nDate: ")), "there may be only one");
}

/// Puts a key of each kind into a directory; hands back the setting.
pub fn keys(dir: &Path) -> String {
    // Making an RSA key takes a program that not every machine has, so this one was made before, for tests alone.
    let rsa = include_str!("dkim/rsa.pem").to_owned();
    let ed25519 = rcgen::KeyPair::generate_for(&rcgen::PKCS_ED25519).unwrap().serialize_pem();
    let written = [("rsa2024", rsa), ("ed2024", ed25519)].map(|(selector, pem)| {
        let path = dir.join(format!("{selector}.pem"));
        fs::write(&path, pem).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        format!("{selector}={}", path.display())
    });
    written.join(",")
}

/// What `mail dkim` says is to be published.
pub fn published(house: &House, keys: &str) -> Published {
    let told = Ran::of(house.command(["mail", "dkim"]).env("DKIM_KEYS", keys)).ended(0).stdout;
    let record = |line: &str| line.split_once(" TXT ").map(|(name, text)| (name.to_owned(), text.to_owned()));
    told.lines().map(|line| record(line).unwrap()).collect()
}

#[tokio::test]
async fn promise_9_every_mail_is_signed_with_every_key_and_written_again_it_has_the_same_bytes() {
    let (house, sink) = (owing(2).await, Sink::open(Setup::default()));
    let (keys, path) = (keys(house.dir.path()), house.dir.join(POLICY));
    let policy = fs::read_to_string(&path).unwrap();
    let more = "[policy]\nreply_to = \"Office <office@benefactor.example>\"\nreturn_path = \"bounces+{token}@benefactor.example\"";
    // One connection, so that mails come in the order of their senders.
    fs::write(&path, policy.replace("[policy]", more).replace("lanes = 4", "lanes = 1")).unwrap();
    let run = |args: &[&str]| Ran::of(command(&house, sink.port, args).env("DKIM_KEYS", &keys)).ended(0);
    sink.at("DOT", Act::KeepAndDrop, 1);
    run(&NIGHT);
    sqlx::query("update mail set next_try_at = null").execute(&house.owner).await.unwrap();
    run(&["mail", "send"]);
    let resolver = name_server::serve(Vec::new()).to_string();
    run(&["mail", "test", "--to", "anna@x.example", "--resolver", &resolver]);
    let (kept, published) = (sink.kept(), published(&house, &keys));
    assert_eq!(published.len(), 2);
    let twice: Vec<_> = kept.iter().filter(|mail| mail.0 == kept[0].0).collect();
    assert_eq!((kept.len(), twice.len()), (4, 2));
    assert_eq!(twice[0], twice[1], "the same bytes, signatures and all");
    for (to, mail) in &kept {
        let told = verify(mail, &published);
        let selectors: Vec<&str> = told.iter().map(|(selector, ..)| selector.as_str()).collect();
        assert_eq!(selectors, ["rsa2024", "ed2024"]);
        for (selector, covered, good) in &told {
            assert_eq!(good, &Ok(()), "{to} {selector}:\n{mail}");
            let head = mail.split_once("\r\n\r\n").unwrap().0.to_lowercase();
            let names = head.split("\r\n").filter(|line| !line.starts_with(' ') && !line.starts_with("dkim"));
            for name in names.map(|line| line.split(':').next().unwrap()) {
                assert!(covered.iter().any(|of| of == name), "{name} is not signed: {covered:?}");
            }
        }
        assert!(mail.contains("\r\nReply-To: Office <office@benefactor.example>\r\n"), "{mail}");
        let changed = [
            mail.replacen("Subject: ", "Subject: Urgent: ", 1),
            mail.replacen("\r\nTo: ", "\r\nReply-To: <thief@x.example>\r\nTo: ", 1),
            mail.replacen("\r\nTo: ", "\r\nList-Unsubscribe: <https://x.example>\r\nTo: ", 1),
            format!("{mail}more\r\n"),
        ];
        for changed in changed {
            assert!(verify(&changed, &published).iter().all(|(.., good)| good.is_err()), "{changed}");
        }
    }
    let senders = sink.senders();
    let tokens: Vec<&str> = senders[..3]
        .iter()
        .map(|from| {
            from.strip_prefix("bounces+").and_then(|from| from.strip_suffix("@benefactor.example")).unwrap()
        })
        .collect();
    assert_eq!(senders[3], "benefits@benefactor.example", "nobody waits for a report about a test");
    assert_eq!(tokens[0], tokens[if kept[1].0 == kept[0].0 { 1 } else { 2 }], "of one mail it is one");
    assert_eq!(tokens.iter().collect::<std::collections::BTreeSet<_>>().len(), 2);
    for (token, (_, mail)) in tokens.iter().zip(&kept) {
        assert!(
            token.len() == 40 && mail.contains(&format!("\r\nX-Benefactor-Mail: {token}\r\n")),
            "{token}: {mail}"
        );
    }
}

#[tokio::test]
async fn a_key_that_cannot_be_used_ends_the_command_before_any_mail_goes_unsigned() {
    let (house, sink) = (owing(1).await, Sink::open(Setup::default()));
    let keys = keys(house.dir.path());
    let with = |keys: &str| Ran::of(command(&house, sink.port, &NIGHT).env("DKIM_KEYS", keys));
    let gone = format!("{keys},2025={}", house.dir.join("gone.pem").display());
    assert!(with(&gone).ended(2).stderr.contains("gone.pem: it cannot be read"));
    fs::set_permissions(house.dir.join("ed2024.pem"), fs::Permissions::from_mode(0o644)).unwrap();
    assert!(with(&keys).ended(2).stderr.contains("its mode is 644"));
    assert!(with("2025").ended(2).stderr.contains("2026a=/run/secrets"));
    assert_eq!(sink.kept(), []);
    let none = Ran::of(house.command(["mail", "dkim"]).env("DKIM_KEYS", "")).ended(0).stdout;
    assert_eq!(none, "mails are not signed: DKIM_KEYS names no keys\n");
}

#[tokio::test]
async fn without_the_secret_that_tokens_are_made_with_mails_wait_and_say_why() {
    for port in [None, Some(Sink::open(Setup::default()).port)] {
        let house = owing(1).await;
        let path = house.dir.join(POLICY);
        let policy = fs::read_to_string(&path).unwrap();
        fs::write(
            &path,
            policy.replace("[policy]", "[policy]\nreturn_path = \"{token}@b.benefactor.example\""),
        )
        .unwrap();
        let mut night = command(&house, port.unwrap_or_default(), &NIGHT);
        if port.is_none() {
            night.env_remove("SMTP_URL");
        }
        Ran::of(night.env("BENEFACTOR_KEY_FILE", house.dir.join("gone.key"))).ended(0);
        let stands = house.one::<String>("select status || ': ' || last_reply from mail").await;
        assert!(stands.starts_with("queued: ") && stands.contains("gone.key, is not there"), "{stands}");
    }
}
