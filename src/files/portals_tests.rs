use std::{collections::BTreeMap, fs};

use super::*;
use crate::{
    domain::id::PartnerId,
    files::{
        conversion::Sums,
        encoding::Encoding,
        reader::{Limits, Reader, RowSource as _},
        row_note::RowNote,
        source::{self, ReadAs},
    },
};

/// Every fixture of a portal whose files are taken in, with the name of the portal.
const FIXTURES: [(&str, &str); 8] = [
    ("entra_users", include_str!("../../fixtures/entra_users/older.csv")),
    ("entra_users", include_str!("../../fixtures/entra_users/newer.csv")),
    ("m365_users", include_str!("../../fixtures/m365_users/active.csv")),
    ("m365_users", include_str!("../../fixtures/m365_users/older.csv")),
    ("entra_bulk_create", include_str!("../../fixtures/entra_bulk_create/template.csv")),
    ("entra_bulk_invite", include_str!("../../fixtures/entra_bulk_invite/template.csv")),
    ("azure_sponsorship_usage", include_str!("../../fixtures/azure_sponsorship_usage/wide.csv")),
    ("azure_sponsorship_usage", include_str!("../../fixtures/azure_sponsorship_usage/narrow.csv")),
];
/// Those that only serve to compare.
const COMPARISONS: [&str; 3] = [
    include_str!("../../fixtures/visual_studio_subscriptions/newer.csv"),
    include_str!("../../fixtures/visual_studio_subscriptions/older.csv"),
    include_str!("../../fixtures/partner_center_reconciliation/licences.csv"),
];

/// A row of a kind: its cells that are not empty, and what is said of it.
type Made = (BTreeMap<String, String>, Option<RowNote>);

/// The portal's name and its rows, as they are staged.
fn made(bytes: &[u8]) -> Result<(&'static str, Vec<Made>), Refusal> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("file");
    fs::write(&path, bytes).unwrap();
    let (asked, limits) = (ReadAs::default(), Limits::default());
    let opened = source::open(&path, &asked, limits)?;
    let (profile, limits) = (opened.profile, Limits::default());
    let dialect = source::survey(&path, &profile, opened.dialect, &asked, limits)?;
    let conversion = profile.conversion.as_ref().expect("a portal's");
    let mut sums = Sums::default();
    let mut each = |told: &mut dyn FnMut(&Record, &mut Sums)| {
        let mut reader = source::reopen(&path, &dialect, false, Limits::default()).unwrap();
        let (mut record, mut taken) = (Record::default(), Record::default());
        while reader.read(&mut record).unwrap() {
            told(dialect.take(&profile, &record, &mut taken, true).unwrap(), &mut sums);
        }
    };
    let partner = PartnerId::from("4100101");
    each(&mut |record, sums| {
        conversion.add(record, profile.shape_problem(record).is_none(), &partner, sums);
    });
    let (mut rows, header) = (Vec::new(), conversion.header());
    each(&mut |record, sums| {
        let mut into = Record::default();
        conversion.convert(record, profile.shape_problem(record), &partner, sums, &mut into);
        let mut cells: BTreeMap<String, String> =
            header.iter().zip(into.iter()).map(|(name, cell)| (name.to_owned(), cell.to_owned())).collect();
        let note = cells.remove("note").and_then(|note| RowNote::parse(&note));
        cells.retain(|_, cell| !cell.is_empty());
        rows.push((cells, note));
    });
    Ok((conversion.portal.name, rows))
}

/// What the rows say in some columns: `-` where a cell is empty.
fn said(text: &str, columns: &[&str]) -> Vec<String> {
    let (_, rows) = made(text.as_bytes()).unwrap();
    let cell = |row: &Made, name: &str| row.0.get(name).map_or("-", String::as_str).to_owned();
    rows.iter().map(|row| columns.iter().map(|name| cell(row, name)).collect::<Vec<_>>().join(" ")).collect()
}

fn codes(note: Option<&RowNote>) -> Vec<&'static str> {
    let Some(RowNote::PassedOver(problems) | RowNote::Refused(problems) | RowNote::Remarks(problems)) = note
    else {
        return vec![];
    };
    problems.iter().map(|problem| problem.reason.code()).collect()
}

/// The records of a fixture, its header first, and the line before that, if there is one.
fn records(text: &str) -> (Option<&str>, Vec<Vec<String>>) {
    let first = text.lines().next().filter(|line| line.starts_with("version:"));
    let mut reader = Reader::open(text.as_bytes(), Limits::default()).unwrap();
    let cells = |record: &Record| record.iter().map(str::to_owned).collect::<Vec<_>>();
    let mut records = vec![cells(reader.header())];
    let mut record = Record::default();
    while reader.read(&mut record).unwrap() {
        records.push(cells(&record));
    }
    (first, records)
}

/// Records as a program writes them, all cells in quotes.
fn written(first: Option<&str>, records: &[Vec<String>], delimiter: &str, end: &str) -> String {
    let row = |record: &Vec<String>| {
        let cells = record.iter().map(|cell| format!("\"{}\"", cell.replace('"', "\"\"")));
        cells.collect::<Vec<_>>().join(delimiter) + end
    };
    let first = first.map_or_else(String::new, |line| line.replace(',', delimiter) + end);
    first + &records.iter().map(row).collect::<String>()
}

#[test]
fn every_portal_is_recognised_by_its_header_in_every_generation() {
    for (portal, text) in FIXTURES {
        assert_eq!(made(text.as_bytes()).unwrap().0, portal);
    }
    for text in COMPARISONS {
        let refusal = made(text.as_bytes()).unwrap_err();
        assert!(matches!(refusal, Refusal::ForComparison { .. }), "{refusal}");
        assert!(refusal.to_string().contains("`reconcile` only"), "{refusal}");
    }
    let names: Vec<&str> = ALL.iter().map(|portal| portal.name).collect();
    let fixtures = FIXTURES.iter().map(|(name, _)| *name);
    let taken_in = |name: &&str| ALL.iter().any(|p| p.name == *name && !p.gives.is_empty());
    assert!(names.iter().filter(|name| taken_in(name)).all(|name| fixtures.clone().any(|of| of == *name)));
}

#[test]
fn users_are_what_the_directory_says_disabled_gone_and_guests() {
    let columns = ["partner_id", "object_id", "user_principal_name", "mail", "user_type", "enabled"];
    let anna =
        "4100101 7e1f0001-0000-4000-8000-000000000001 anna@norrsken.example anna.akerlund@norrsken.example";
    let nils = "4100101 7e1f0001-0000-4000-8000-000000000002 nils@norrsken.example nils@norrsken.example";
    let lena = "4100101 7e1f0001-0000-4000-8000-000000000003 lena_polder.example#EXT#@norrsken.example lena@polder.example";
    let olle = "4100101 7e1f0001-0000-4000-8000-000000000004 olle@norrsken.example olle@norrsken.example";
    for (_, text) in &FIXTURES[..2] {
        let expected =
            [format!("{anna} Member True"), format!("{nils} Member False"), format!("{lena} guest True")];
        assert_eq!(said(text, &columns), expected);
    }
    for (_, text) in &FIXTURES[2..4] {
        let expected = [format!("{anna} - true"), format!("{nils} - false"), format!("{olle} - false")];
        assert_eq!(said(text, &columns), expected);
        assert_eq!(said(text, &["language", "display_name"])[0], "sv-SE Anna Åkerlund");
    }
    let without_flag = FIXTURES[1].1.replace(",True,SE", ",,SE");
    let (_, rows) = made(without_flag.as_bytes()).unwrap();
    assert_eq!(codes(rows[0].1.as_ref()), ["missing"], "nobody is enabled because a cell is empty");
}

#[test]
fn whoever_is_in_a_template_is_not_confirmed_and_examples_are_passed_over() {
    let (_, rows) = made(FIXTURES[4].1.as_bytes()).unwrap();
    assert_eq!(codes(rows[0].1.as_ref()), ["example_row"]);
    assert!(rows[0].0.is_empty() && rows.len() == 3);
    let columns = ["object_id", "user_principal_name", "mail", "user_type", "enabled", "display_name"];
    let pia = "pending:pia@norrsken.example pia@norrsken.example pia@norrsken.example member false Pia Berg";
    assert_eq!(said(FIXTURES[4].1, &columns)[1], pia);
    let jonas =
        "pending:jonas@rheingold.example jonas@rheingold.example jonas@rheingold.example guest false -";
    assert_eq!(said(FIXTURES[5].1, &columns)[1], jonas);
    let staged = format!("{rows:?}");
    assert!(!staged.contains("Invented-1"), "no first password is staged");
}

#[test]
fn d15_usage_of_one_day_and_resource_is_one_sum_in_both_widths() {
    let columns = ["subscription_id", "used_on", "amount", "currency", "reference"];
    let wide = said(FIXTURES[6].1, &columns);
    let subscription = "5ab50001-0000-4000-8000-000000000001";
    let disk = format!(
        "{subscription} 2024-08-07 0.33 USD {subscription}/2024-08-07/0b1e0001-0000-4000-8000-000000000001/storage/eu north"
    );
    assert_eq!((wide[0].as_str(), wide[1].as_str()), (disk.as_str(), disk.as_str()));
    assert!(wide[2].contains(" 2024-08-17 12.50 USD "), "{wide:#?}");
    let (_, rows) = made(FIXTURES[6].1.as_bytes()).unwrap();
    let notes: Vec<_> = rows.iter().map(|(_, note)| codes(note.as_ref())).collect();
    assert_eq!(notes, [vec!["summed", "rounded"], vec!["summed"], vec![], vec!["nothing_used"]]);
    let narrow = said(FIXTURES[7].1, &columns);
    assert!(narrow[0].contains(" 0.30 USD ") && narrow[0] == narrow[1], "{narrow:#?}");
    assert!(narrow[2].ends_with(&format!("1.00 USD {subscription}/2024-08-18//virtual machines/eu north")));
    // A row of a sum that cannot be read keeps the others of it out.
    let (_, rows) = made(FIXTURES[6].1.replace("0.2345", "a lot").as_bytes()).unwrap();
    assert_eq!((codes(rows[0].1.as_ref()), codes(rows[1].1.as_ref())), (vec!["sum_incomplete"], vec![]));
    assert_eq!(rows[1].0["amount"], "a lot");
}

#[test]
fn order_of_columns_other_columns_and_dialects_do_not_matter() {
    for (portal, text) in FIXTURES {
        let expected = made(text.as_bytes()).unwrap();
        let (first, records) = records(text);
        let width = records[0].len();
        for turn in [0, 1, width / 2, width - 1] {
            for (delimiter, end, encoding) in [
                (",", "\n", Encoding::Utf8),
                (";", "\r\n", Encoding::Windows1252),
                ("\t", "\r\n", Encoding::Utf16Le),
                ("|", "\n", Encoding::Utf16Be),
            ] {
                let mut rows = records.clone();
                for (at, row) in rows.iter_mut().enumerate() {
                    row.rotate_left(turn);
                    row.insert(turn, if at == 0 { "Our remark".to_owned() } else { "x".to_owned() });
                    row.push(String::new()); // padding
                }
                let mut bytes =
                    if encoding == Encoding::Utf8 { vec![] } else { encoding.byte_order_mark().to_vec() };
                encoding.write(&written(first, &rows, delimiter, end), &mut bytes);
                let told = made(&bytes).unwrap_or_else(|refusal| panic!("{portal} {delimiter}: {refusal}"));
                assert_eq!(told, expected, "{portal} {turn} {delimiter}");
            }
        }
    }
    // A spreadsheet of another country: decimal commas, and the day first.
    let (first, mut rows) = records(FIXTURES[7].1);
    for row in rows.iter_mut().skip(1) {
        row[2] = "18/08/2024".to_owned();
        row[7] = row[7].replace('.', ",");
    }
    let told = made(written(first, &rows, ";", "\r\n").as_bytes()).unwrap();
    assert_eq!(told, made(FIXTURES[7].1.as_bytes()).unwrap());
}

#[test]
fn f5_a_portals_file_with_a_needed_column_renamed_or_gone_is_refused_with_its_name() {
    for (portal, text) in FIXTURES {
        let portal = *ALL.iter().find(|of| of.name == portal).unwrap();
        let (first, records) = records(text);
        for column in portal.reads.iter().filter(|column| column.needed) {
            let place = portal.places(&records[0].iter().map(|name| told_apart(name)).collect::<Vec<_>>());
            let at = portal.reads.iter().position(|of| of == column).and_then(|at| place[at]).unwrap();
            for partner in [false, true] {
                let (mut renamed, mut gone) = (records.clone(), records.clone());
                "Kolumn".clone_into(&mut renamed[0][at]);
                for row in &mut gone {
                    row.remove(at);
                }
                for rows in [&mut renamed, &mut gone] {
                    if partner {
                        for (at, row) in rows.iter_mut().enumerate() {
                            row.push(if at == 0 { "partner_id".to_owned() } else { "4100101".to_owned() });
                        }
                    }
                    let refusal = made(written(first, rows, ",", "\n").as_bytes()).unwrap_err();
                    let Refusal::PortalLacks { portal: title, columns, .. } = &refusal else {
                        panic!("{} without {}: {refusal}", portal.name, column.name());
                    };
                    assert_eq!((*title, columns.as_slice()), (portal.title, &[column.name()][..]));
                }
            }
        }
    }
    let near = FIXTURES[3].1.replace("Block credential", "Block credentials");
    let told = made(near.as_bytes()).unwrap_err().to_string();
    assert!(told.contains("lacks Block credential") && told.contains("by 'Block credentials'"), "{told}");
}

#[test]
fn a_column_that_is_read_and_stands_there_twice_refuses_the_file_in_any_order() {
    for (at, column, twin) in
        [(0, "userPrincipalName", "User Principal Name"), (2, "accountEnabled", "account enabled")]
    {
        let (_, mut rows) = records(FIXTURES[1].1);
        let from = rows[0].iter().position(|name| name == column).unwrap();
        for (nth, row) in rows.iter_mut().enumerate() {
            row.insert(
                if at == 0 { 0 } else { row.len() },
                if nth == 0 { twin.to_owned() } else { "x".to_owned() },
            );
        }
        let refusal = made(written(None, &rows, ",", "\n").as_bytes()).unwrap_err();
        assert!(matches!(refusal, Refusal::DuplicateColumn { .. }), "{from} {column}: {refusal}");
    }
}

#[test]
fn f6_a_column_that_comes_close_to_one_that_is_read_is_asked_about() {
    let header = Reader::open(FIXTURES[2].1.as_bytes(), Limits::default()).unwrap().header().clone();
    let names: Vec<&str> = header
        .iter()
        .map(|name| if name == "Soft deletion time stamp" { "Soft deletion time stamps" } else { name })
        .collect();
    let profile = crate::files::profile::Profile::recognise(&Record::of(1, names), None).unwrap();
    let told = profile.refuse_near_misses().unwrap_err().to_string();
    assert!(told.contains("did you mean 'Soft deletion time stamp'?"), "{told}");
}

#[test]
fn columns_of_a_kind_that_somebody_added_are_read() {
    let text = FIXTURES[1].1.replace("createdDateTime\n", "createdDateTime,role,Partner ID\n");
    let text = text.replace(" PM\n", " PM,global_admin,4100199\n").replace(" AM\n", " AM,,4100199\n");
    assert_eq!(said(&text, &["partner_id", "role"]), ["4100199 global_admin", "4100199 -", "4100199 -"]);
}

#[test]
fn f2_rates_of_another_bank_are_refused() {
    for header in
        ["Date,USD,EUR,GBP", "Date,USD,Qty,Sum", "Datum,Date,USD", "Date,USD,UAH,", "SEK,USD,date,EUR"]
    {
        let refusal = recognise(&Record::of(1, header.split(',')), None).unwrap_err();
        assert!(matches!(refusal, Refusal::OtherBank { .. }), "{header}: {refusal}");
    }
    for header in
        ["Date, USD, JPY, TRL, ", "usd,sek,date", "Date,USD,row_status,reason_code,reason,line,column"]
    {
        assert_eq!(recognise(&Record::of(1, header.split(',')), None).unwrap(), None);
    }
}
