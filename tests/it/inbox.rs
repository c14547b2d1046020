//! What people drop in the inbox, through the real binary: whole files only, everything answered once beside it, and nobody's
//! file in the way of another's.

use std::{
    collections::{BTreeMap, BTreeSet},
    ffi::OsStr,
    fs::{self, File},
    io::Write as _,
    os::unix::{ffi::OsStrExt as _, fs::symlink, net::UnixListener},
    path::{Path, PathBuf},
    process::Command,
};

use benefactor::jobs::sha256;

use crate::{
    cast::{partner, users},
    house::{House, Ran},
};

mod schedules;

/// Every file below a folder, by its path there, but for the private places; folders and what is no file by name alone.
fn tree(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next).unwrap() {
            let (path, kind) = entry.map(|entry| (entry.path(), entry.file_type().unwrap())).unwrap();
            let below = path.strip_prefix(folder).unwrap().to_str().unwrap().to_owned();
            if below.ends_with(".taking") {
                let left = fs::read_dir(&path).unwrap();
                found.insert(below, left.count().to_string().into_bytes());
            } else if kind.is_dir() {
                folders.push(path);
            } else {
                found.insert(below, if kind.is_file() { fs::read(&path).unwrap() } else { vec![] });
            }
        }
    }
    found
}

/// An inbox, and what is dropped into it.
struct Inbox<'a> {
    house: &'a House,
    at: PathBuf,
}

impl<'a> Inbox<'a> {
    fn of(house: &'a House) -> Self {
        let at = house.dir.join("inbox");
        fs::create_dir_all(&at).unwrap();
        Self { house, at }
    }

    fn put(&self, name: impl AsRef<OsStr>, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.at.join(name.as_ref());
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, bytes).unwrap();
        path
    }

    /// The night of the day before, in which the inbox comes first.
    fn night(&self, day: &str) -> Ran {
        self.house.run(["--now", &format!("{day}T10:00:00Z"), "night", "--from", "2024-02-01"]).ended(0)
    }

    fn text(&self, name: &str) -> String {
        fs::read_to_string(self.at.join(name))
            .unwrap_or_else(|why| panic!("{name}: {why}: {:?}", tree(&self.at).keys()))
    }

    fn has(&self, name: &str) -> bool {
        fs::symlink_metadata(self.at.join(name)).is_ok()
    }
}

const HEADER: &str = "partner_id,name,account_email,country,currency,language\n";

fn row(number: &str) -> String {
    format!("{number},Partner {number},accounts@p{number}.example,SE,SEK,sv-SE\n")
}

fn one(number: &str) -> String {
    HEADER.to_owned() + &row(number)
}

/// Names that are left alone.
const LEFT: [&str; 6] = [".hidden", "~$b.xlsx", ".~lock.b.xlsx#", "i.csv.part", "j.csv.crdownload", "k.tmp"];

/// Things that people and programs leave in a folder; the socket is one of them.
fn drop_everything(inbox: &Inbox<'_>) -> UnixListener {
    // Whatever it is called, it is looked into; what is no file of ours is refused with a note.
    inbox.put("valid.txt", one("4401"));
    inbox.put("valid", one("4402"));
    for name in ["a.zip", "b.xlsx", "c.txt", "d"] {
        inbox.put(name, format!("PK\u{3}\u{4}{name}\n"));
    }
    inbox.put("4301/e.csv", "hej,på,dig\n1,2,3\n");
    inbox.put("4301/sub/f.csv", one("4301"));
    inbox.put("old/g.csv", one("4301"));
    // Ben, who asks for no role.
    let ben: Vec<String> = users("4999").lines().step_by(2).take(2).map(str::to_owned).collect();
    inbox.put("4999/h.csv", ben.join("\n") + "\n");
    symlink("/etc/passwd", inbox.at.join("link.csv")).unwrap();
    symlink("/dev/zero", inbox.at.join("zero.csv")).unwrap();
    let socket = UnixListener::bind(inbox.at.join("socket.csv")).unwrap();
    assert!(Command::new("mkfifo").arg(inbox.at.join("pipe.csv")).status().unwrap().success());
    for name in LEFT {
        inbox.put(name, one("4403"));
    }
    let hostile: [&[u8]; 4] = [b"l\nfile.csv", b"m\x1b[2J.csv", "n\u{202E}vsc.csv".as_bytes(), b"o\xff.csv"];
    for (name, number) in hostile.iter().zip(4411..) {
        inbox.put(OsStr::from_bytes(name), one(&number.to_string()));
    }
    inbox.put("Q2.csv", one("4421"));
    inbox.put("q2.CSV", one("4422"));
    inbox.put("p.csv", one("4423"));
    socket
}

fn everything_is_said(inbox: &Inbox<'_>) {
    for (name, why) in [
        ("a", "zip"),
        ("b", "xlsx"),
        ("c", "txt"),
        ("d", "d\n"),
        ("link", "symbolic link"),
        ("zero", "symbolic link"),
        ("socket", "a socket"),
        ("pipe", "a pipe"),
        ("old", "Partner ID"),
        ("4999", "no partner 4999"),
    ] {
        assert!(inbox.text(&format!("refused/{name}.note.txt")).contains(why), "{name}");
    }
    assert!(
        inbox.has("refused/a.zip") && inbox.has("refused/link.csv") && !inbox.has("refused/a.result.csv")
    );
    let note = inbox.text("4301/refused/e.note.txt");
    for told in [
        "Avvisad: inget i filen har lästs in.",
        "Skäl: rubrikraden hör inte till någon känd sorts fil",
        "\nKod: file_unknown_kind\n",
    ] {
        assert!(note.contains(told), "in the partner's language: {note}");
    }
    let note = inbox.text("4301/refused/sub.note.txt");
    assert!(
        note.contains("ligger kvar") && note.contains("Skäl: mappar i en partners mapp läses inte"),
        "{note}"
    );
    assert!(inbox.has("4301/sub/f.csv") && inbox.has("old/g.csv") && inbox.has("4999/h.csv"));
    assert!(LEFT.iter().all(|name| inbox.has(name)));
}

fn all_is_listed(house: &House, inbox: &Inbox<'_>) {
    let listed = house.run(["files", "--json", "--limit", "1000"]).ended(0).stdout;
    let listed: serde_json::Value = serde_json::from_str(&listed).unwrap();
    let of = |name: &str| {
        let files = listed["files"].as_array().unwrap().iter();
        files.filter(|file| file["name"] == name).cloned().collect::<Vec<_>>()
    };
    let told = |name: &str| {
        of(name).iter().map(|file| file["status"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    for (name, statuses) in [
        ("p.csv", &["applied", "applied"][..]),
        ("p.2.result.csv", &["applied"]),
        ("a.zip", &["refused"]),
        ("pipe.csv", &["refused"]),
        ("l%0Afile.csv", &["applied"]),
        (".hidden", &["ignored"]),
        ("k.tmp", &["ignored"]),
        ("old", &["ignored"]),
        ("sub", &["ignored"]),
        ("h.csv", &["applied"]),
    ] {
        assert_eq!(told(name), statuses, "{name}: {listed}");
    }
    let [late] = &of("h.csv")[..] else { panic!("{listed}") };
    assert_eq!(
        (&late["kind"], &late["partner_id"], &late["applied"]),
        (&"users".into(), &"4999".into(), &1.into())
    );
    for (what, name) in [("original", "h.csv"), ("answer", "h.result.csv"), ("note", "h.note.txt")] {
        assert_eq!(Path::new(late[what].as_str().unwrap()), inbox.at.join("4999/done").join(name));
    }
    let refused = house.run(["files", "--refused", "E."]).ended(0).stdout;
    assert!(refused.contains("refused  e.csv of 4301") && !refused.contains("a.zip"), "{refused}");
}

#[tokio::test]
async fn f11_f12_f13_everything_in_the_inbox_is_answered_once_beside_it_and_holds_nobody_up() {
    let house = House::open().await;
    let inbox = Inbox::of(&house);
    inbox.put("p.csv", one("4301"));
    inbox.night("2024-02-02");
    assert!(inbox.text("done/p.result.csv").contains("applied"));
    assert!(inbox.text("done/p.note.txt").contains("Rows: 1 applied, 0 unchanged, 0 rejected"));
    assert_eq!(inbox.text("done/p.csv"), one("4301"));
    let _socket = drop_everything(&inbox);
    let said = inbox.night("2024-02-03").stderr;
    assert!(said.chars().all(|c| c == '\n' || !c.is_control()) && !said.contains('\u{202E}'), "{said:?}");
    assert!(said.lines().all(|line| line.starts_with("20")), "no name makes a line of its own: {said}");
    let numbers = house.lines("select number from partner order by 1").await;
    let expected = ["4301", "4401", "4402", "4411", "4412", "4413", "4414", "4421", "4422", "4423"];
    assert_eq!(numbers, expected, "{said}");
    for name in [
        "done/valid.txt",
        "done/valid.result.csv",
        "done/valid.2",
        "done/valid.2.result.csv",
        "done/l%0Afile.csv",
        "done/m%1B[2J.note.txt",
        "done/n%E2%80%AEvsc.result.csv",
        "done/o%FF.csv",
        "done/p.2.csv",
        "done/p.2.result.csv",
    ] {
        assert!(inbox.has(name), "{name}: {:?}", tree(&inbox.at).keys());
    }
    let both: BTreeSet<_> = ["done/Q2.csv", "done/q2.2.CSV", "done/q2.CSV", "done/Q2.2.csv"]
        .into_iter()
        .filter(|name| inbox.has(name))
        .collect();
    assert_eq!(both.len(), 2, "{both:?}");
    everything_is_said(&inbox);
    // Nothing is said or done twice.
    let before = tree(&inbox.at);
    assert_eq!((before[".taking"].clone(), before["4301/.taking"].clone()), (b"0".to_vec(), b"0".to_vec()));
    inbox.night("2024-02-04");
    assert_eq!(tree(&inbox.at), before);
    // The partner comes, and its files in the same night. The same file once more has nothing to do; an answer that is
    // dropped again finds its number.
    inbox.put("late.csv", one("4999"));
    inbox.put("late2.csv", one("4999"));
    inbox.put("p.2.result.csv", inbox.text("done/p.2.result.csv"));
    inbox.night("2024-02-05");
    let answer = inbox.text("4999/done/h.result.csv");
    assert!(answer.contains(",applied,"), "{answer}");
    assert!(!inbox.has("refused/4999.note.txt"));
    assert!(inbox.text("done/late2.result.csv").contains("unchanged") && inbox.has("done/late2.csv"));
    assert!(inbox.text("done/p.3.result.csv").contains("unchanged") && inbox.has("done/p.2.result.csv"));
    all_is_listed(&house, &inbox);
    inbox.put("late3.csv", one("4999"));
    inbox.night("2024-02-06");
    assert!(inbox.text("done/late3.note.txt").contains("taken in before") && inbox.has("done/late3.csv"));
}

/// What is only compared with.
const COMPARISON: &[u8] =
    b"Subscriber Name,Email,Subscription Level,Assigned,Expiration Date (UTC),Reference\nx,y,z,a,b,c\n";
/// Two rows.
const PARTNERS: &[u8] = b"partner_id,name,account_email,country,currency\n\
    4301,One,one@one.example,SE,SEK\n4301,Two,two@two.example,SE,SEK\n";
/// Files that are refused whole, with a part of what a Swedish partner is told, and the code.
const REFUSED_WHOLE: [(&str, &[u8], &str, &str); 12] = [
    ("empty.csv", b"", "filen är tom: den behöver en rubrikrad", "file_empty"),
    ("cut.csv", b"partner_id,na", "rad 1: filen är avklippt i sin rubrikrad", "file_cut_off"),
    (
        "nul.csv",
        b"partner_id,name,account_email,country,currency\n1,\0\n",
        "är en nollbyte (NUL)",
        "file_nul_byte",
    ),
    (
        "quote.csv",
        b"partner_id,name,account_email,country,currency\n1,\"x\n",
        "rad 2, kolumn 2 (byte 49): citattecknet",
        "file_unclosed_quote",
    ),
    ("page.csv", b"<!DOCTYPE html>\n", "detta är en webbsida, kanske inloggningssidan", "file_foreign"),
    (
        "book.xlsx",
        b"PK\x03\x04[Content_Types].xml",
        "arbetsboken kan inte läsas (på engelska: ",
        "workbook_damaged",
    ),
    (
        "twice.csv",
        b"partner_id,name,name\n1,2,3\n",
        "”name” finns två gånger i rubrikraden",
        "file_duplicate_column",
    ),
    (
        "near.csv",
        b"partner_id,name,account_email,country,currency,langage\n1,2,3,4,5,6\n",
        "kolumn 6 ”langage” är inte känd i en fil med partners; avses ”language”?",
        "file_misnamed_columns",
    ),
    ("statement.csv", COMPARISON, "prenumerantexporten från", "file_for_comparison"),
    (
        "rows.csv",
        PARTNERS,
        "enligt dess .done-fil har filen 3 rader efter rubrikraden, men den har 2",
        "marker_other_rows",
    ),
    ("sum.csv", PARTNERS, "enligt dess .done-fil är filens SHA-256", "marker_other_sha256"),
    ("odd.csv", PARTNERS, "filens .done-fil kan inte användas: dess rad 1 är inget av", "marker_unusable"),
];

#[tokio::test]
async fn d13_a_swedish_partner_reads_in_swedish_why_a_whole_file_is_refused_with_its_code() {
    let house = House::open().await;
    let inbox = Inbox::of(&house);
    inbox.put("p.csv", one("4301"));
    inbox.night("2024-02-02");
    for (name, bytes, ..) in REFUSED_WHOLE {
        inbox.put(format!("4301/{name}"), bytes);
    }
    inbox.put("4301/rows.csv.done", "rows=3\n");
    inbox.put("4301/sum.csv.done", format!("sha256={}\n", "0".repeat(64)));
    inbox.put("4301/odd.csv.done", "allt");
    symlink("/etc/passwd", inbox.at.join("4301/link.csv")).unwrap();
    inbox.night("2024-02-03");
    for (name, _, why, code) in REFUSED_WHOLE {
        let note = inbox.text(&format!("4301/refused/{}.note.txt", name.split('.').next().unwrap()));
        assert!(
            note.starts_with(&format!("{name}\n\nAvvisad: inget i filen har lästs in.\nSkäl: ")),
            "{note}"
        );
        assert!(note.contains(why) && note.contains(&format!("\nKod: {code}")), "{name}: {note}");
        assert!(note.contains("Rätta filen och lägg den i inkorgen igen.\n"), "{note}");
    }
    let note = inbox.text("4301/refused/link.note.txt");
    assert!(note.contains("Skäl: ”link.csv” är en symbolisk länk, ingen vanlig fil"), "{note}");
    // Whoever looks after it reads English, with the same code.
    let path = inbox.at.join("4301/refused/cut.csv");
    let told = house.run(["import", path.to_str().unwrap(), "--json"]).ended(1).stdout;
    assert!(
        told.contains("\"code\":\"file_cut_off\"") && told.contains("was cut off in its header"),
        "{told}"
    );
    let listed = house.run(["files", "cut"]).ended(0).stdout;
    assert!(listed.contains("was cut off in its header"), "{listed}");
}

#[tokio::test]
async fn f1_only_whole_files_are_taken_and_bytes_that_come_later_are_found_and_said() {
    let house = House::open().await;
    let inbox = Inbox::of(&house);
    // Open in a writer, however long it rests; others go on.
    let mut held = File::create(inbox.at.join("held.csv")).unwrap();
    held.write_all((HEADER.to_owned() + &row("4301")).as_bytes()).unwrap();
    inbox.put("other.csv", partner("4302", "USD"));
    inbox.night("2024-02-02");
    assert!(inbox.has("held.csv") && inbox.has("done/other.csv") && !inbox.has("done/held.csv"));
    let waits = house.run(["files", "held"]).ended(0).stdout;
    assert!(waits.contains("waiting  held.csv") && waits.contains("has it open for writing"), "{waits}");
    held.write_all(row("4303").as_bytes()).unwrap();
    drop(held);
    inbox.night("2024-02-03");
    assert_eq!(inbox.text("done/held.result.csv").matches("applied").count(), 2);
    // Whoever is not seen to have it open may write on: that is found, and all of it taken in again.
    let mut late = File::options().append(true).open(inbox.at.join("done/held.csv")).unwrap();
    late.write_all(row("4304").as_bytes()).unwrap();
    drop(late);
    let said = inbox.night("2024-02-04").stderr;
    assert!(said.contains("written to after it was taken in"), "{said}");
    assert_eq!(house.one::<i64>("select count(*) from partner").await, 4);
    assert_eq!(inbox.text("done/held.2.csv").lines().count(), 4);
    assert!(
        !inbox.has("done/held.csv") && inbox.has("done/held.result.csv"),
        "what was answered stays answered"
    );
    let again = inbox.text("done/held.2.result.csv");
    assert_eq!((again.matches("unchanged").count(), again.matches("applied").count()), (2, 1), "{again}");
    assert!(inbox.text("done/held.2.note.txt").contains("written to after it had been taken in"));
    // Touched is not written to.
    let touched = File::options().append(true).open(inbox.at.join("done/held.2.csv")).unwrap();
    touched.set_modified(std::time::SystemTime::UNIX_EPOCH).unwrap();
    let before = tree(&inbox.at);
    inbox.night("2024-02-05");
    assert_eq!(tree(&inbox.at), before);
    // Markers: what they say is checked.
    let text = HEADER.to_owned() + &row("4311") + &row("4312");
    let sum = sha256(text.as_bytes());
    for (name, marker) in [
        ("right.csv", format!("rows=2\nsha256={sum}\n")),
        ("empty.csv", String::new()),
        ("rows.csv", "rows=3\n".to_owned()),
        ("sum.csv", format!("sha256={}\n", sum.replace(|c: char| c.is_ascii_digit(), "0"))),
        ("odd.csv", "all of it".to_owned()),
    ] {
        inbox.put(
            name,
            text.replace("Partner 43", &format!("{name} 43")).replace("right.csv 43", "Partner 43"),
        );
        inbox.put(format!("{name}.done"), marker);
    }
    inbox.put("alone.csv.done", "");
    inbox.night("2024-02-06");
    for name in [
        "done/right.csv",
        "done/right.csv.done",
        "done/empty.csv",
        "refused/rows.csv",
        "refused/rows.csv.done",
        "alone.csv.done",
    ] {
        assert!(inbox.has(name), "{name}: {:?}", tree(&inbox.at).keys());
    }
    for (name, why) in
        [("rows", "says that it has 3 rows"), ("sum", "says that its SHA-256"), ("odd", "line 1")]
    {
        assert!(inbox.text(&format!("refused/{name}.note.txt")).contains(why), "{name}");
    }
}
