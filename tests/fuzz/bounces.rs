//! What comes back about mails.

use std::fs;

use benefactor::mail::bounce::{Mailbox, read};

use super::{
    mutation,
    run::{Target, run},
};

fn corpus() -> Vec<Vec<u8>> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/bounces");
    let mut paths: Vec<_> = fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()).collect();
    paths.sort();
    let texts =
        paths.iter().map(|path| fs::read_to_string(path).unwrap().replace("{token}", &"0a".repeat(20)));
    texts.map(String::into_bytes).collect()
}

#[test]
fn bounces() {
    run(Target { name: "bounces", cases: 300, corpus: corpus(), mutate: mutation::of_text, property });
}

fn property(bytes: &[u8]) {
    let report = read(bytes);
    assert_eq!(report, read(bytes));
    if let Some(report) = report {
        assert!(
            !report.said.contains(char::is_control) && report.said.chars().count() <= 500,
            "{}",
            report.said
        );
        assert!(report.tokens.len() <= 32);
        assert!(
            report
                .tokens
                .iter()
                .all(|token| token.len() == 40 && token.bytes().all(|b| b.is_ascii_hexdigit()))
        );
    }
    // In a file of messages, however it is cut into them, nothing is lost but what parts them.
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), bytes).unwrap();
    let messages = Mailbox::open(file.path()).unwrap().map(|message| message.bytes.unwrap().len());
    assert!(messages.sum::<usize>() <= bytes.len());
}
