//! What is written comes back as it was: every kind that is taken in, in the canonical form, as CSV for the spreadsheets of
//! several countries and as a workbook; into the same store as unchanged, into a fresh one so that it is written the same again.

use std::{
    fmt::Write as _,
    fs,
    io::Read as _,
    path::{Path, PathBuf},
};

use benefactor::{
    domain::kinds::Kind,
    store::export::{EXPORTS, locale::Locale},
};

use crate::house::{House, Ran};

/// When files are taken in, and when the night after runs.
const NOW: &str = "2024-02-10T08:00:00Z";
const AT_NIGHT: &str = "2024-02-11T03:00:00Z";
/// A key of the cast, and the file that brings it.
const KEY: &str = "VK7JG-NPHTM-C97JM-9MPGT-3V66U";

/// Names as people have them, and as attackers do.
const NAMES: [&str; 18] = [
    "=1+1",
    "=cmd|'/C calc'!A0",
    "+46 8 AB",
    "-5",
    "@x",
    "0042017",
    "'quoted",
    "'=once",
    "''=twice",
    "'''-",
    "Say \"hi\", now",
    "a;b",
    "Åkeri; \"Ö\", Norr",
    "\u{2212}5 AB",
    "1,5",
    "12.50",
    "_x0041_ AB",
    "TRUE",
];

fn quoted(cell: &str) -> String {
    format!("\"{}\"", cell.replace('"', "\"\""))
}

/// The rows of entitlements.
fn orders() -> Vec<String> {
    let order = |order: &str, benefit: &str, quantity: &str, more: &str| {
        format!("4301,{order},silver,{benefit},core,{quantity},2024-01-31,2024-01-31,2025-01-30,{more}")
    };
    vec![
        order("0042017", "azure_monthly_credit", "1", "1234.50,USD,\"Åkeri, \"\"=1\"\"\","),
        order("-7", "software/windows", "1", ",,-5,"),
        order("ORD-1", "azure_bulk_credit/cloud_platform", "1", "6000.00,USD,,@sub"),
        order("ORD-1", "license_subscription/office_365", "25", ",,,"),
        order("ORD-1", "software", "1", ",,,"),
        order("ORD-1", "visual_studio", "2", ",,,"),
        order("ORD-1", "advisory_hours", "20", ",,,"),
        order("ORD-1", "product_support", "5", ",,,"),
        order("ORD-1", "signature_cloud_support", "unlimited", ",,,"),
        order("ORD-0", "software", "1", ",,,")
            .replace("2024-01-31,2024-01-31,2025-01-30", "2023-02-10,2023-02-10,2024-02-09"),
        "4302,K-1,silver,azure_monthly_credit,core,1,2024-01-31,2024-01-31,2025-01-30,1.234,KWD,,".to_owned(),
    ]
}

/// A file of every kind, as one would drop them.
fn files() -> Vec<(Kind, String)> {
    let header = |kind: Kind| {
        let names: Vec<&str> = kind.columns().iter().map(|column| column.name).collect();
        names.join(",") + "\n"
    };
    let rows = |kind: Kind, rows: &[&str]| (kind, header(kind) + &rows.join("\n") + "\n");
    let (mut partners, mut users) = (header(Kind::Partners), header(Kind::Users));
    partners += "4301,Norrsken AB,a@p4301.example,SE,USD,3f2504e0-4f89-11d3-9a0c-0305e82c3301,sv-SE,G-1,\n";
    partners += "4302,Kuwait,a@p4302.example,KW,KWD,,,,\n";
    for (nth, name) in (0..).zip(NAMES) {
        writeln!(partners, "44{nth:02},{},a@p44{nth:02}.example,SE,USD,,,,", quoted(name)).unwrap();
        writeln!(users, "4301,O-{nth:02},u{nth:02}@p4301.example,{},,,true,,,", quoted(name)).unwrap();
    }
    users += "4301,A-1,ada@p4301.example,Ada,ada.l@p4301.example,member,true,global_admin+admin_agent,sv,\n";
    users += "4301,B-1,ben@p4301.example,Ben,,member,false,,,\n";
    users += "4301,C-1,Åsa@p4301.example,Åsa,,guest,true,,,\n";
    let entitlements = orders();
    let entitlements: Vec<&str> = entitlements.iter().map(String::as_str).collect();
    let key = format!(
        "4301,ORD-1,license_subscription/office_365,{KEY},25,12,=Suite,\"sv; en\",-,https://x.example/?a=1,\"@do, \"\"it\"\"\""
    );
    let second = "4301,ORD-1,license_subscription/office_365,AAAAA-BBBBB-CCCCC-DDDDD-EEEEE,5,,,,,,";
    vec![
        (Kind::Partners, partners),
        (Kind::Users, users),
        rows(Kind::Contacts, &["4301,ada@p4301.example,mk@p4301.example,+46 8 465 004 12,sv-SE,"]),
        rows(
            Kind::Agreements,
            &["4301,-csp,2024-01-01,2024-12-31", "4301,+prepaid,2023-01-01,", "4301,@x,2023-01-01,"],
        ),
        rows(Kind::Entitlements, &entitlements),
        rows(Kind::Keys, &[&key, second]),
        rows(Kind::Renewals, &["4301,ORD-0,2024-02-10,ORD-9,ada@p4301.example"]),
        rows(
            Kind::Assignments,
            &[
                "4301,0042017,azure_monthly_credit,assign,Åsa@p4301.example,ada@p4301.example,2024-02-08,",
                "4301,ORD-1,visual_studio,assign,u00@p4301.example,ada@p4301.example,2024-02-09,",
                "4301,0042017,azure_monthly_credit,remove,Åsa@p4301.example,ada@p4301.example,2024-02-09,",
            ],
        ),
        rows(
            Kind::KeyRequests,
            &["4301,ORD-1,license_subscription/office_365,redeem,ada@p4301.example,2024-02-09,K1,,new"],
        ),
        rows(Kind::Activations, &["4301,ORD-1,software,ada@p4301.example,2024-02-09"]),
        rows(
            Kind::ServiceRequests,
            &[
                "4301,SR-1,advisory_hours,ada@p4301.example,2024-02-09,ORD-1,,,,,1.55,\"-5; \"\"=1\"\"\"",
                "4301,-SR,cancel,ada@p4301.example,2024-02-09,-7,,,,,,'=why",
            ],
        ),
        rows(
            Kind::CreditUsage,
            &[
                "4301,0042017,azure_monthly_credit,2024-02-08,12.50,USD,+INV-7",
                "4302,K-1,azure_monthly_credit,2024-02-09,0.125,KWD,\"Åkeri; \"\"x\"\"\"",
                "4301,0042017,azure_monthly_credit,2024-02-09,1000,USD,-7",
            ],
        ),
    ]
}

/// How a file is asked for, and how its name ends.
type Asked<'a> = (&'a [&'a str], &'a str);

const MACHINE: Asked<'_> = (&[], "csv");
const WORKBOOK: Asked<'_> = (&["--for", "spreadsheet"], "xlsx");

fn of(locale: &str) -> [&str; 4] {
    ["--for", "spreadsheet", "--locale", locale]
}

/// Writes every kind that is taken in, into a folder of that name.
fn export(house: &House, folder: &str, (flags, ending): Asked<'_>) -> Vec<(Kind, PathBuf)> {
    let folder = house.dir.join(folder);
    fs::create_dir_all(&folder).unwrap();
    let kinds = EXPORTS.iter().filter_map(|export| Kind::parse(export.kind));
    let written = kinds.map(|kind| {
        let path = folder.join(format!("{kind}.{ending}"));
        house.run([&["export", kind.name(), "--out", path.to_str().unwrap()], flags].concat()).ended(0);
        (kind, path)
    });
    written.collect()
}

fn import(house: &House, paths: &[&Path]) -> Ran {
    let paths = paths.iter().map(|path| path.to_str().unwrap());
    house.run(["--now", NOW, "import"].into_iter().chain(paths))
}

/// What the canonical exports say, kind by kind.
fn texts(house: &House, folder: &str) -> Vec<(Kind, String)> {
    export(house, folder, MACHINE)
        .into_iter()
        .map(|(kind, path)| (kind, fs::read_to_string(path).unwrap()))
        .collect()
}

fn digest(house: &House) -> String {
    house.run(["digest"]).ended(0).stdout
}

/// The store that files of every kind and a night leave.
async fn filled() -> House {
    let house = House::open().await;
    for (kind, text) in files() {
        let path = house.dir.join(&format!("{kind}.csv"));
        fs::write(&path, text).unwrap();
        let told = import(&house, &[&path]);
        let answer = fs::read_to_string(house.dir.join(&format!("{kind}.result.csv"))).unwrap();
        assert!(told.stdout.contains(" 0 unchanged, 0 rejected"), "{}{answer}", told.stdout);
    }
    house.run(["--now", AT_NIGHT, "night", "--on", "2024-02-10"]).ended(0);
    house
}

/// Asserts that a file's rows, of which it has `rows`, are all in already.
fn is_unchanged(told: &str, kind: Kind, rows: usize) {
    let unchanged = told.contains(&format!(": {kind}: 0 applied, {rows} unchanged, 0 rejected"));
    let same_bytes = told.contains(&format!("/{kind}.csv: taken in before; nothing to do"));
    assert!(unchanged || same_bytes, "{kind}: {told}");
}

#[tokio::test]
async fn every_kind_in_every_form_is_unchanged_in_the_store_that_wrote_it() {
    let house = filled().await;
    let (first, before) = (texts(&house, "first"), digest(&house));
    let (english, swedish, swiss) = (of("en-GB"), of("sv_se"), of("de-CH"));
    let forms: [(&str, Asked<'_>); 5] = [
        ("machine", MACHINE),
        ("english", (&english, "csv")),
        ("swedish", (&swedish, "csv")),
        ("swiss", (&swiss, "csv")),
        ("workbook", WORKBOOK),
    ];
    for (name, form) in forms {
        let written = export(&house, name, form);
        let rows: Vec<usize> = first
            .iter()
            .map(|(_, text)| csv::Reader::from_reader(text.as_bytes()).records().count())
            .collect();
        let told = import(&house, &written.iter().map(|(_, path)| path.as_path()).collect::<Vec<_>>());
        let told = told.ended(0).stdout;
        for ((kind, _), rows) in written.iter().zip(rows) {
            assert!(rows > 0, "{kind}");
            is_unchanged(&told, *kind, rows);
        }
        assert_eq!(digest(&house), before, "{name}");
        assert_eq!(texts(&house, "again"), first, "{name}");
    }

    // What people wrote stands in the exports as they wrote it, with the apostrophe only where it is needed.
    let partners = &first[0].1;
    let names: Vec<String> = csv::Reader::from_reader(partners.as_bytes())
        .records()
        .map(|row| row.unwrap()[1].to_owned())
        .skip(2)
        .collect();
    assert_eq!(names, NAMES.map(|name| if name == "'=once" { "=once" } else { name }));
    let taken = |name: &'static str| {
        let own = name.strip_prefix('\'').filter(|own| *own != "quoted");
        own.unwrap_or(name)
    };
    let stored = house.lines("select name from partner where number like '44%' order by number").await;
    assert_eq!(stored, NAMES.map(taken), "one apostrophe before what would be a formula is taken away");
}

#[tokio::test]
async fn csv_for_a_spreadsheet_is_written_as_its_country_does() {
    let house = filled().await;
    let csv = |flags: &[&str]| {
        let path = house.dir.join("x.csv");
        let path = path.to_str().unwrap();
        house.run([&["export", "entitlements", "--out", path], flags].concat()).ended(0);
        fs::read_to_string(path).unwrap()
    };
    let swedish = csv(&of("sv-SE"));
    assert!(swedish.starts_with("\u{feff}partner_id;order_id;offer;"), "{swedish}");
    let line = |text: &str, order: &str| text.lines().find(|line| line.contains(order)).unwrap().to_owned();
    assert_eq!(
        line(&swedish, ";0042017;"),
        "4301;0042017;silver;azure_monthly_credit;core;1;2024-01-31;2024-01-31;2025-01-30;1234,50;USD;\"Åkeri, \"\"=1\"\"\";"
    );
    assert_eq!(line(&swedish, "software/windows").split(';').nth(1), Some("'-7"));
    assert!(line(&swedish, ";K-1;").contains(";01,234;KWD;"), "a thousandth is no thousand");
    assert_eq!(swedish.matches('\n').count(), swedish.matches("\r\n").count());
    for locale in ["de-DE", "fr-FR", "da-DK", "nb-NO", "fi-FI", "es-ES", "it-IT", "nl-NL"] {
        assert_eq!(csv(&of(locale)), swedish, "{locale}");
    }
    let english = csv(&["--for", "spreadsheet"]);
    assert!(line(&english, ",0042017,").contains(",1234.50,USD,\"Åkeri,"), "{english}");
    for locale in ["en-GB", "en-US", "en-IE"] {
        assert_eq!(csv(&of(locale)), english, "{locale}");
    }
    let swiss = csv(&of("de-CH"));
    assert!(swiss.contains(";1234.50;USD;") && swiss.contains(";01.234;KWD;"), "{swiss}");
    assert_eq!(Locale::ALL.len(), 1 + 8 + 3 + 1, "each is looked at here");
    let ledger = house.run([&["export", "ledger"][..], &of("sv-SE")].concat()).ended(0).stdout;
    assert!(ledger.contains(";-12,50;USD;;;;'+INV-7;"), "{ledger}");

    for (flags, says) in [
        (&["--locale", "sv-SE"][..], "leave --locale away, or add --for spreadsheet"),
        (&["--for", "spreadsheet", "--locale", "sv"], "there are: en-GB, en-US"),
        (&["--out", "x.xlsx"], "add --for spreadsheet"),
        (&["--for", "spreadsheet", "--locale", "sv-SE", "--out", "x.XLSX"], "leave --locale away"),
    ] {
        let ran = house.run([&["export", "entitlements"], flags].concat()).ended(2);
        assert!(ran.stderr.contains(says), "{flags:?}: {}", ran.stderr);
    }
}

#[tokio::test]
async fn a_workbook_has_types_filters_a_header_in_sight_and_no_formula() {
    let house = filled().await;
    let part = |kind: &str, name: &str| {
        let path = house.dir.join("x.xlsx");
        let told = house
            .run(["export", kind, "--for", "spreadsheet", "--out", path.to_str().unwrap()])
            .ended(0)
            .stdout;
        assert!(told.contains(&format!(": {kind}, ")), "{told}");
        let mut archive = zip::ZipArchive::new(fs::File::open(&path).unwrap()).unwrap();
        let mut text = String::new();
        archive.by_name(name).unwrap().read_to_string(&mut text).unwrap();
        text
    };
    for export in &EXPORTS {
        let sheet = part(export.kind, "xl/worksheets/sheet1.xml");
        assert!(sheet.contains("<pane ySplit=\"1\"") && sheet.contains("<autoFilter "), "{}", export.kind);
        assert!(!sheet.contains("<f>"), "{}: {sheet}", export.kind);
    }
    let ledger = part("ledger", "xl/worksheets/sheet1.xml");
    assert!(ledger.contains("<v>-12.5</v>"), "an amount is a number: {ledger}");
    let orders = part("entitlements", "xl/worksheets/sheet1.xml");
    assert!(
        orders.contains("<v>45322</v>") && orders.contains("<v>1.234</v>"),
        "dates and amounts: {orders}"
    );
    assert!(orders.contains("<t>0042017</t>"), "identifiers are text: {orders}");
    let partners = part("partners", "xl/worksheets/sheet1.xml");
    assert!(partners.contains("<t>=1+1</t>"), "what would be a formula is text: {partners}");
    assert!(part("entitlements", "xl/workbook.xml").contains("name=\"entitlements\""));
    let users = part("users", "xl/worksheets/sheet1.xml");
    assert!(users.contains("t=\"b\"><v>0</v>"), "true and false: {users}");
    let left = fs::read_dir(house.dir.path()).unwrap().map(|entry| entry.unwrap().file_name());
    let left: Vec<_> = left.filter(|name| name.to_string_lossy().ends_with(".part")).collect();
    assert!(left.is_empty(), "nothing half written stays: {left:?}");
}

#[tokio::test]
async fn what_a_fresh_store_is_given_it_writes_the_same_but_for_keys() {
    let house = filled().await;
    let first = texts(&house, "first");
    let swedish = of("sv-SE");
    for (name, form) in [("m", MACHINE), ("s", (&swedish[..], "csv")), ("w", WORKBOOK)] {
        let written = export(&house, name, form);
        let fresh = House::open().await;
        for (kind, path) in &written {
            let told = import(&fresh, &[path]);
            if *kind == Kind::Keys {
                // Keys are never written, so that no store can be made of exports alone (promise 11).
                let told = told.ended(3).stdout;
                assert!(told.contains("0 applied, 0 unchanged, 2 rejected"), "{told}");
                let original = fresh.dir.join("original.csv");
                fs::write(&original, &files().iter().find(|(of, _)| of == kind).unwrap().1).unwrap();
                import(&fresh, &[&original]).ended(0);
            } else {
                let answer = path.with_extension(format!("result.{}", form.1));
                let answer = fs::read(answer).unwrap();
                let answer = String::from_utf8_lossy(&answer);
                assert!(told.stdout.contains(" 0 unchanged, 0 rejected"), "{}{answer}", told.stdout);
            }
        }
        fresh.run(["--now", AT_NIGHT, "night", "--on", "2024-02-10"]).ended(0);
        for ((kind, text), (_, before)) in texts(&fresh, "again").iter().zip(&first) {
            assert_eq!(text, before, "{kind} by {name}");
        }
        assert_eq!(digest(&fresh), digest(&house), "{name}");
    }
}
