//! The files of a data directory without somebody who was erased. Every column of every kind of file that may name a person does, as
//! text, as a workbook and as a portal has it, so that a kind or a portal that is new is looked at as well.

use std::{
    collections::BTreeSet,
    fs,
    io::Read as _,
    path::{Path, PathBuf},
};

use benefactor::{
    domain::kinds::{
        Kind,
        schema::{Column, Naming, Type},
    },
    files::{
        portal::{Becomes, Portal},
        portals,
    },
};

use crate::{
    eml::Eml,
    erasure::{FINCH_OF_4301, OTHERS, erase, lived_in, tables_with},
    house::House,
    workbooks::book,
};

/// A cell of somebody whose every name begins with `word`.
fn cell(column: &Column, word: &str) -> String {
    match column.of {
        Type::GuidOrId => format!("{word}-id"),
        Type::SignInName | Type::User => format!("{word}.upn@p4301.example"),
        Type::Email => format!("{word}.mail@p4301.example"),
        Type::Phone => format!("+46 8 555 99{} 1", if word == "finch" { 2 } else { 3 }),
        Type::Text(_) => format!("{word} called"),
        _ => unreachable!("{column:?} names nobody"),
    }
}

/// The rows that show a kind, with somebody wherever it may name one.
fn rows_of(kind: Kind, word: &str) -> Vec<Vec<String>> {
    let columns = kind.columns();
    let of_example = |example: &str| {
        let cells = example.split(',').zip(columns).map(|(shown, column)| match column.name {
            "partner_id" => "4301".to_owned(),
            _ if column.naming == Naming::Nobody => shown.to_owned(),
            _ => cell(column, word),
        });
        cells.collect::<Vec<_>>()
    };
    kind.schema().examples.iter().map(|example| of_example(example)).collect()
}

fn names_people(kind: Kind) -> bool {
    kind.columns().iter().any(|column| column.naming != Naming::Nobody)
}

/// A portal's file with somebody in every column that is not a flag or a language, also those that are not taken in.
fn rows_of_portal(portal: &Portal, word: &str) -> Vec<Vec<String>> {
    let mut header: Vec<String> = portal.reads.iter().map(|column| column.name().to_owned()).collect();
    header.extend(portal.marks.iter().map(|mark| (*mark).to_owned()));
    let mut seen = BTreeSet::new();
    header.retain(|name| seen.insert(name.to_lowercase()));
    let of = |name: &String| {
        let read = portal.reads.iter().find(|column| column.name() == name);
        let lower = name.to_lowercase();
        if read.is_some_and(|column| column.of.is_some()) {
            "False".to_owned()
        } else if ["id", "objectid", "object id"].contains(&lower.as_str()) {
            format!("{word}-id")
        } else if lower.contains("principal") || lower.contains("user name") || lower.contains("email") {
            format!("{word}.upn@p4301.example")
        } else if lower.contains("type") || lower.contains("language") || lower.contains("delet") {
            String::new()
        } else {
            format!("{word} free text")
        }
    };
    vec![header.clone(), header.iter().map(of).collect()]
}

fn text_of(rows: &[Vec<String>], delimiter: u8) -> Vec<u8> {
    let mut writer = csv::WriterBuilder::new().delimiter(delimiter).from_writer(Vec::new());
    for row in rows {
        writer.write_record(row).unwrap();
    }
    writer.into_inner().unwrap()
}

fn book_of(rows: &[Vec<String>]) -> Vec<u8> {
    book(|sheet| {
        for (line, row) in (0_u32..).zip(rows) {
            for (at, cell) in (0_u16..).zip(row) {
                sheet.write_string(line, at, cell).unwrap();
            }
        }
    })
}

/// Drops a table as text, as text of another dialect and encoding, and as a workbook.
fn drop_table(folder: &Path, name: &str, rows: &[Vec<String>]) {
    fs::create_dir_all(folder).unwrap();
    fs::write(folder.join(format!("{name}.csv")), text_of(rows, b',')).unwrap();
    let other = String::from_utf8(text_of(rows, b';')).unwrap();
    let utf16: Vec<u8> =
        "\u{feff}".encode_utf16().chain(other.encode_utf16()).flat_map(u16::to_le_bytes).collect();
    fs::write(folder.join(format!("{name}-16.csv")), utf16).unwrap();
    fs::write(folder.join(format!("{name}.xlsx")), book_of(rows)).unwrap();
}

/// Everything that names people, dropped; with what is refused as a whole, and cannot be read.
fn drop_everything(house: &House) {
    let inbox = house.dir.join("inbox");
    let kinds: Vec<Kind> = Kind::ALL.iter().copied().filter(|kind| names_people(*kind)).collect();
    assert!(kinds.len() >= 7, "{kinds:?}");
    for kind in kinds {
        let header: Vec<String> = kind.columns().iter().map(|column| column.name.to_owned()).collect();
        let mut rows = vec![header];
        for word in ["finch", OTHERS[0]] {
            rows.extend(rows_of(kind, word));
        }
        drop_table(&inbox, kind.name(), &rows);
    }
    for portal in portals::ALL.iter().filter(|portal| portal.becomes != Becomes::Rows(Kind::Rates)) {
        let mut rows = rows_of_portal(portal, "finch");
        rows.extend(rows_of_portal(portal, OTHERS[0]).pop());
        drop_table(&inbox.join("4301"), portal.name, &rows);
    }
    let unknown = "who,where,what\nfinch-id,finch called,x\nrobin-id,robin called,y\n";
    fs::write(inbox.join("unknown.csv"), unknown).unwrap();
    fs::write(inbox.join("damaged.csv"), "partner_id,object_id\n4301,\"finch-id\nfinch called").unwrap();
}

/// Everything that a file says, in lower case: its text in any encoding, the parts of a workbook, the text of a mail.
fn said_by(path: &Path) -> String {
    let bytes = fs::read(path).unwrap();
    assert!(!bytes.starts_with(b"\x1f\x8b"), "{path:?} is packed, and is to be unpacked here");
    let mut said = String::from_utf8_lossy(&bytes).into_owned();
    let units: Vec<u16> = bytes.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])).collect();
    said += &String::from_utf16_lossy(&units);
    if bytes.starts_with(b"PK") {
        let mut archive = zip::ZipArchive::new(std::io::Cursor::new(&bytes)).unwrap();
        for at in 0..archive.len() {
            let mut part = Vec::new();
            archive.by_index(at).unwrap().read_to_end(&mut part).unwrap();
            said += &String::from_utf8_lossy(&part);
        }
    }
    if path.extension().is_some_and(|ending| ending == "eml") && said.contains("multipart") {
        let mail = Eml::read(&String::from_utf8_lossy(&bytes));
        said += &[mail.field("To"), mail.field("Subject"), mail.text.clone(), mail.html.unwrap_or_default()]
            .join("\n");
    }
    said.to_lowercase()
}

/// Files below the data directory that hold any of the words. What the test itself imported from, and where that was answered, is
/// beside it.
fn files_with(house: &House, words: &[&str]) -> Vec<String> {
    let (mut folders, mut found) = (vec![house.dir.path().to_owned()], Vec::new());
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path: PathBuf = entry.unwrap().path();
            let name = path.strip_prefix(house.dir.path()).unwrap().to_str().unwrap().to_owned();
            if name == "dropped" || name == "postgres" {
                continue;
            }
            if path.is_dir() {
                folders.push(path);
            } else if words.iter().any(|word| said_by(&path).contains(word)) {
                found.push(name);
            }
        }
    }
    found.sort();
    found
}

const FINCH: [&str; 3] = ["finch", "wren", "555 992"];

#[test]
fn every_column_that_may_name_somebody_says_so() {
    for kind in Kind::ALL {
        for column in kind.columns() {
            let may = matches!(column.of, Type::SignInName | Type::User | Type::Email | Type::Phone)
                || ["object_id", "display_name", "note"].contains(&column.name);
            let of_company = column.name == "account_email";
            assert_eq!(column.naming != Naming::Nobody, may && !of_company, "{kind}: {}", column.name);
        }
    }
}

#[tokio::test]
async fn whoever_is_erased_is_in_no_file_and_everybody_else_is() {
    let house = lived_in().await;
    let free =
        ["suppressions", "remove", "finch.contact@p4301.example", "--by", "ada", "--why", "it is hers"];
    house.run(free).ended(0);
    house.nights("2024-02-02", "2024-02-23").await;
    drop_everything(&house);
    house.nights("2024-02-24", "2024-02-25").await;
    let before = files_with(&house, &FINCH);
    for place in [
        "spool/",
        "inbox/done/",
        "inbox/refused/",
        "inbox/4301/done/",
        "inbox/4301/refused/",
        "outbox/",
        "answered/",
    ] {
        assert!(before.iter().any(|name| name.starts_with(place)), "{place} names nobody: {before:#?}");
    }
    assert!(before.iter().any(|name| name.ends_with(".result.xlsx")), "{before:#?}");
    let (others, tables) = (files_with(&house, &OTHERS), tables_with(&house, &OTHERS).await);
    let modes = |house: &House| -> Vec<u32> {
        use std::os::unix::fs::PermissionsExt as _;
        others.iter().map(|name| fs::metadata(house.dir.join(name)).unwrap().permissions().mode()).collect()
    };
    let had = modes(&house);

    erase(&house, &[&FINCH_OF_4301[..], &["--dry-run"]].concat()).ended(1);
    assert_eq!(files_with(&house, &FINCH), before, "a dry run changes nothing");
    // What cannot be read is told, and the rest is done.
    let told = erase(&house, &FINCH_OF_4301).ended(1).stderr;
    assert!(told.contains("damaged.csv"), "{told}");
    let left = files_with(&house, &FINCH);
    assert!(left.iter().all(|name| name.contains("damaged") || name.starts_with("spool/")), "{left:#?}");
    erase(&house, &FINCH_OF_4301).ended(1);
    erase(&house, &[&FINCH_OF_4301[..], &["--remove-unreadable", "--more-machines"]].concat()).ended(0);
    let on_another = erase(&house, &FINCH_OF_4301).ended(0).stdout;
    assert!(on_another.contains("not all gone through"), "{on_another}");
    assert_eq!(files_with(&house, &FINCH), [""; 0]);
    assert_eq!(tables_with(&house, &FINCH).await, [""; 0]);
    assert_eq!(files_with(&house, &OTHERS), others);
    assert_eq!(tables_with(&house, &OTHERS).await, tables);
    assert_eq!(modes(&house), had);
    let again = erase(&house, &FINCH_OF_4301).ended(0).stdout;
    assert!(again.contains("nothing to do"), "{again}");
    // What was kept without them is read again, and brings nobody back.
    let users = fs::read(house.dir.join("inbox/done/users.csv")).unwrap();
    fs::write(house.dir.join("inbox/again.csv"), users).unwrap();
    house.night("2024-02-26").await;
    let enabled = "select count(*) from directory_user where object_id ~ '^erased' and enabled";
    assert_eq!(house.one::<i64>(enabled).await, 0);
    assert_eq!(house.one::<i64>("select count(*) from directory_user where object_id ~ 'erased'").await, 1);
    assert_eq!(files_with(&house, &FINCH), [""; 0]);
}
