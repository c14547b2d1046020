//! Workbooks through the real binary: the same table as a workbook and as text says the same, cells are taken by their types,
//! and what is unsure, or a trap, is refused with its address.

use std::{
    collections::BTreeMap,
    fs,
    io::{Cursor, Read as _, Write as _},
    path::{Path, PathBuf},
    process::Command,
};

use calamine::{Data, Reader as _, Xlsx};
use rust_xlsxwriter::{Format, Formula, Workbook, Worksheet};
use zip::{ZipArchive, ZipWriter, write::SimpleFileOptions};

use crate::{
    cast::{ENTITLEMENTS, partner, row, users},
    house::{BENEFACTOR, House, Ran},
};

const PARTNERS: &str = "partner_id,name,account_email,country,currency,language\n";
const USAGE: &str = "partner_id,order_id,benefit,used_on,amount,currency,reference\n";

/// Writes a table's cells as text into a sheet.
fn fill(sheet: &mut Worksheet, text: &str) {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text.as_bytes());
    for (at, cells) in (0_u32..).zip(reader.records().map(Result::unwrap)) {
        for (column, cell) in (0_u16..).zip(&cells) {
            if !cell.is_empty() {
                sheet.write_string(at, column, cell).unwrap();
            }
        }
    }
}

/// Writes a table's cells as a person would: dates as dates, amounts and counts as numbers, identifiers as text.
pub fn type_in(sheet: &mut Worksheet, text: &str) {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(text.as_bytes());
    let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    let date = Format::new().set_num_format("dd/mm/yyyy");
    for (at, cells) in (0_u32..).zip(&rows) {
        for ((column, cell), name) in (0_u16..).zip(cells).zip(&rows[0]) {
            let is_typed = at > 0 && !cell.is_empty();
            if is_typed && name.ends_with("_on") {
                sheet.write_number_with_format(at, column, days(cell), &date).unwrap();
            } else if is_typed && ["amount", "quantity"].contains(&name) {
                sheet.write_number(at, column, cell.parse::<f64>().unwrap()).unwrap();
            } else if is_typed && ["true", "false"].contains(&cell) {
                sheet.write_boolean(at, column, cell == "true").unwrap();
            } else if !cell.is_empty() {
                sheet.write_string(at, column, cell).unwrap();
            }
        }
    }
}

/// A date as spreadsheets count it.
fn days(date: &str) -> f64 {
    let date: chrono::NaiveDate = date.parse().unwrap();
    let since = chrono::NaiveDate::from_ymd_opt(1899, 12, 30).unwrap();
    f64::from(i32::try_from((date - since).num_days()).unwrap())
}

pub fn book(write: impl FnOnce(&mut Worksheet)) -> Vec<u8> {
    let mut workbook = Workbook::new();
    write(workbook.add_worksheet());
    workbook.save_to_buffer().unwrap()
}

/// A workbook whose parts are changed: by name, from the text of each.
pub fn changed(workbook: &[u8], change: impl Fn(&str, String) -> String) -> Vec<u8> {
    let mut from = ZipArchive::new(Cursor::new(workbook)).unwrap();
    let mut to = ZipWriter::new(Cursor::new(Vec::new()));
    for at in 0..from.len() {
        let mut part = from.by_index(at).unwrap();
        let (name, mut text) = (part.name().unwrap().to_string(), String::new());
        part.read_to_string(&mut text).unwrap();
        to.start_file(&name, SimpleFileOptions::default()).unwrap();
        to.write_all(change(&name, text).as_bytes()).unwrap();
    }
    to.finish().unwrap().into_inner()
}

/// The cells of a workbook's one sheet, row by row, as text.
fn cells(path: &Path) -> Vec<Vec<String>> {
    let mut workbook: Xlsx<_> = calamine::open_workbook(path).unwrap_or_else(|why| panic!("{path:?}: {why}"));
    let names = workbook.sheet_names();
    assert_eq!(names.len(), 1, "{names:?}");
    let range = workbook.worksheet_range(&names[0]).unwrap();
    let text = |cell: &Data| match cell {
        Data::DateTime(date) => format!("date {}", date.as_f64()),
        Data::Float(number) => format!("number {number}"),
        Data::Bool(flag) => format!("flag {flag}"),
        cell => cell.to_string(),
    };
    range.rows().map(|row| row.iter().map(text).collect()).collect()
}

/// The verdicts of an answer: status, codes and columns of each row.
fn verdicts(path: &Path) -> Vec<String> {
    let rows = if path.extension().is_some_and(|ending| ending == "xlsx") {
        cells(path)
    } else {
        let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_path(path).unwrap();
        let rows = reader.records().map(Result::unwrap);
        rows.map(|row| row.iter().map(str::to_owned).collect()).collect()
    };
    let header = &rows[0];
    let at = |name: &str| header.iter().position(|column| column.ends_with(name)).unwrap();
    let (status, codes, line, column) = (at("row_status"), at("reason_code"), at("line"), header.len() - 1);
    let told = rows[1..].iter().map(|row| {
        let line = row[line].trim_start_matches("number ");
        format!("{line} {} {} {}", row[status], row[column], row[codes]).trim_end().replace("  ", " ")
    });
    told.collect()
}

fn import(house: &House, name: &str, bytes: &[u8], flags: &[&str]) -> Ran {
    let path = house.dir.join(name);
    fs::write(&path, bytes).unwrap();
    house.run([&["--now", "2024-09-02T08:00:00Z", "import"], flags, &[path.to_str().unwrap()]].concat())
}

/// Where the answer to an import is.
fn answer(told: &str) -> PathBuf {
    told.lines()
        .find_map(|line| line.strip_prefix("  the answer on every row: "))
        .unwrap_or_else(|| panic!("{told}"))
        .into()
}

/// Partner 4301 with an order.
async fn ordered() -> House {
    let house = House::open().await;
    import(&house, "p.csv", partner("4301", "USD").as_bytes(), &[]).ended(0);
    let orders = ENTITLEMENTS.to_owned()
        + &row("4301", "ORD-1", "azure_monthly_credit", "2024-01-31", "2025-01-30", "100,USD");
    import(&house, "e.csv", orders.as_bytes(), &[]).ended(0);
    house
}

#[tokio::test]
async fn f15_the_same_table_as_a_workbook_and_as_text_says_the_same() {
    let orders = ENTITLEMENTS.to_owned()
        + &row("4301", "0042017", "azure_monthly_credit", "2024-01-31", "2025-01-30", "1234.5,USD")
        + &row("4301", "ORD-2", "software", "2024-01-31", "2025-01-30", ",")
        + &row("4301", "ORD-3", "no_such_benefit", "2024-01-31", "2025-01-30", ",");
    let usage = USAGE.to_owned()
        + "4301,0042017,azure_monthly_credit,2024-02-10,12.5,USD,=INV-7\n"
        + "4301,0042017,azure_monthly_credit,2024-02-11,0.25,USD,INV-8\n"
        + "4301,0042017,azure_monthly_credit,2024-02-12,1.5,SEK,INV-9\n"
        + "4301,0042017,azure_monthly_credit,2024-02-13,1,USD,\"Åkeri, \"\"x\"\"\"\n";
    let files =
        [("p", partner("4301", "USD"), 0), ("u", users("4301"), 0), ("e", orders, 3), ("c", usage, 3)];
    let (text, books) = tokio::join!(House::open(), House::open());
    for (name, table, code) in &files {
        let told = import(&text, &format!("{name}.csv"), table.as_bytes(), &[]).ended(*code).stdout;
        let of_text = verdicts(&answer(&told));
        let bytes = book(|sheet| type_in(sheet, table));
        let ran = import(&books, &format!("{name}.xlsx"), &bytes, &[]).ended(*code);
        assert!(ran.stdout.contains("  sheet: Sheet1\n  read as: workbook,sheet=1\n"), "{}", ran.stdout);
        let path = answer(&ran.stdout);
        assert_eq!(path, books.dir.join(&format!("{name}.result.xlsx")));
        assert_eq!(verdicts(&path), of_text, "{name}");
    }
    for house in [&text, &books] {
        house.run(["--now", "2024-03-02T08:00:00Z", "night", "--from", "2024-01-31"]).ended(0);
    }
    let state =
        "select concat_ws(' ', order_id, kind, amount_minor, effective_on) from report.ledger order by 1";
    assert_eq!(text.lines(state).await, books.lines(state).await);
    assert_eq!(text.run(["digest"]).ended(0).stdout, books.run(["digest"]).ended(0).stdout);
    assert!(!text.lines(state).await.is_empty());
    // Cells come back with the types that they had; what would be a formula is text, and rejected rows have their address.
    let answered = cells(&books.dir.join("e.result.xlsx"));
    assert_eq!(answered[1][1], "0042017");
    assert_eq!((answered[1][6].as_str(), answered[1][9].as_str()), ("date 45322", "number 1234.5"));
    let reason = &answered[3][answered[3].len() - 3];
    assert!(reason.starts_with("D4: "), "{reason}");
    assert_eq!(cells(&books.dir.join("c.result.xlsx"))[1][6], "=INV-7");
    let mut sheets = ZipArchive::new(fs::File::open(books.dir.join("c.result.xlsx")).unwrap()).unwrap();
    let mut sheet = String::new();
    sheets.by_name("xl/worksheets/sheet1.xml").unwrap().read_to_string(&mut sheet).unwrap();
    assert!(!sheet.contains("<f>") && sheet.contains("=INV-7"), "{sheet}");
    for part in ["<pane ySplit=\"1\"", "<autoFilter ref=\"A1:L5\"/>"] {
        assert!(sheet.contains(part), "{part}: {sheet}");
    }
}

#[tokio::test]
async fn f4_cells_are_taken_by_their_types_and_what_is_unsure_in_text_is_asked_about() {
    let house = ordered().await;
    let date = Format::new().set_num_format("yyyy-mm-dd");
    let usage = |fill_in: &dyn Fn(&mut Worksheet)| {
        book(|sheet| {
            fill(sheet, USAGE);
            for at in 1..=8 {
                for (column, cell) in [(0, "4301"), (1, "ORD-1"), (2, "azure_monthly_credit"), (5, "USD")] {
                    sheet.write_string(at, column, cell).unwrap();
                }
                sheet.write_number_with_format(at, 3, days("2024-02-10"), &date).unwrap();
                sheet.write_string(at, 6, format!("R{at}")).unwrap();
            }
            fill_in(sheet);
        })
    };
    let bytes = usage(&|sheet| {
        sheet.write_number(1, 4, 0.1 + 0.2).unwrap(); // three decimals at most, though more are stored
        sheet.write_string(2, 4, "12,5").unwrap(); // settles the decimal mark of texts
        sheet.write_string(3, 4, "1.234").unwrap(); // so this is a thousand
        sheet.write_number(4, 4, 1.25).unwrap(); // and this is not asked
        sheet.write_number(5, 4, 1.0).unwrap();
        sheet.write_string(5, 3, "17/02/2024").unwrap();
        sheet.write_number(6, 4, 1.0).unwrap();
        sheet.write_number(6, 3, days("2024-02-10")).unwrap(); // a number is no date
        sheet.write_number(7, 4, 1.0).unwrap();
        sheet.write_number(7, 1, 1e17).unwrap(); // nobody knows its last digits
        sheet.write_number(8, 4, 1.0).unwrap();
        sheet.write_number_with_format(8, 1, days("2024-03-04"), &date).unwrap(); // 3-4, once
    });
    let ran = import(&house, "c.xlsx", &bytes, &[]).ended(3);
    assert!(ran.stdout.contains("workbook,sheet=1,decimal=comma,dates=dmy"), "{}", ran.stdout);
    let told = [
        "2 applied",
        "3 applied",
        "4 applied",
        "5 applied",
        "6 applied",
        "7 rejected used_on invalid",
        "8 rejected order_id left_by_spreadsheet",
        "9 rejected order_id left_by_spreadsheet",
    ];
    let got = verdicts(&house.dir.join("c.result.xlsx"));
    let got: Vec<String> = got.iter().map(|line| line.replace(" left_over", "")).collect();
    let heads: Vec<&str> = got.iter().map(|line| line.split(" beyond").next().unwrap()).collect();
    for (line, told) in heads.iter().zip(told) {
        assert!(line.starts_with(told), "{line}: {got:#?}");
    }
    let used = "select concat_ws(' ', reference, used_on, amount_minor) from credit_usage order by reference";
    assert_eq!(
        house.lines(used).await,
        [
            "R1 2024-02-10 30",
            "R2 2024-02-10 1250",
            "R3 2024-02-10 123400",
            "R4 2024-02-10 125",
            "R5 2024-02-17 100"
        ]
    );
    let reasons = cells(&house.dir.join("c.result.xlsx"));
    let reason = |at: usize| reasons[at][reasons[at].len() - 3].clone();
    assert!(reason(6).starts_with("D7: ") && reason(7).starts_with("B8: "), "{} {}", reason(6), reason(7));
    assert!(reason(8).contains("made a date of this identifier"), "{}", reason(8));
    // Nothing says what this text is.
    let bytes = usage(&|sheet| {
        sheet.write_string(1, 4, "1.234").unwrap();
    });
    import(&house, "d.xlsx", &bytes, &[]).ended(3);
    assert_eq!(verdicts(&house.dir.join("d.result.xlsx"))[0], "2 rejected amount ambiguous_number");
}

#[tokio::test]
async fn f15_days_that_are_counted_from_1904_are_the_same_days() {
    let house = ordered().await;
    let date = Format::new().set_num_format("d/m/yy");
    let since_1904 = book(|sheet| {
        fill(sheet, &format!("{USAGE}4301,ORD-1,azure_monthly_credit,,,USD,M1\n"));
        sheet.write_number_with_format(1, 3, days("2024-02-10") - 1462.0, &date).unwrap();
        sheet.write_number(1, 4, 1.0).unwrap();
    });
    let since_1904 =
        changed(&since_1904, |_, text| text.replace("<workbookPr ", "<workbookPr date1904=\"1\" "));
    import(&house, "m.xlsx", &since_1904, &[]).ended(0);
    assert_eq!(
        house.lines("select used_on::text from credit_usage where reference = 'M1'").await,
        ["2024-02-10"]
    );
    let answered = cells(&house.dir.join("m.result.xlsx"));
    assert_eq!(answered[1][3], format!("date {}", days("2024-02-10")));
}

#[tokio::test]
async fn f15_what_makes_a_cell_unsure_refuses_the_workbook_with_its_address() {
    let house = House::open().await;
    let table = PARTNERS.to_owned() + "4301,One,a@a.example,SE,SEK,sv\n4302,Two,b@b.example,SE,SEK,sv\n";
    let named = |fills: &[(&str, &str)]| {
        let mut workbook = Workbook::new();
        for (name, text) in fills {
            fill(workbook.add_worksheet().set_name(*name).unwrap(), text);
        }
        workbook.save_to_buffer().unwrap()
    };
    let merged = book(|sheet| {
        fill(sheet, &table);
        sheet.merge_range(16, 2, 18, 2, "x@x.example", &Format::new()).unwrap();
    });
    let formula = book(|sheet| {
        fill(sheet, &table);
        sheet.write_formula(1, 1, Formula::new("=\"O\"&\"ne\"").set_result("One")).unwrap();
        sheet.write_formula(16, 2, Formula::new("=B2").set_result("gone")).unwrap();
    });
    let stripped = changed(&formula, |_, text| text.replace("<v>gone</v>", ""));
    let two = named(&[("First", &table), ("Notes", "hello\n"), ("Second", &table)]);
    let wrong = table.replace("currency", "Currency code");
    let pair = named(&[("Fine", &table), ("Nearly", &wrong)]);
    for (name, bytes, flags, told) in [
        ("merged", &merged, &[][..], "sheet 'Sheet1': C17:C19 is merged"),
        ("formula", &stripped, &[], "sheet 'Sheet1': C17 is a formula without a value"),
        ("two", &two, &[], "could be meant: 'First'!A1 (partners), 'Second'!A1 (partners)"),
        ("none", &two, &["--sheet", "Third"], "has no sheet 'Third'; it has 'First', 'Notes', 'Second'"),
        ("notes", &two, &["--sheet", "notes"], "sheet 'Notes', A1: the header is of no known kind"),
        ("pair", &pair, &[], "'Nearly'!A1 (the header is of no known kind of file; closest: partners"),
        (
            "near",
            &named(&[("List", &table.replace("language", "Languages"))]),
            &[],
            "sheet 'List', F1: column 6 'Languages' is not known",
        ),
        ("empty", &named(&[("List", "")]), &[], "sheet 'List', A1: the file is empty"),
        ("stated", &two, &["--dialect", "encoding=utf-8"], "which has neither encoding nor delimiter"),
        ("text.csv", &table.clone().into_bytes(), &["--sheet", "First"], "has no sheet 'First'"),
    ] {
        let file = if name.contains('.') { name.to_owned() } else { format!("{name}.xlsx") };
        let ran = import(&house, &file, bytes, flags).ended(1);
        assert!(ran.stdout.contains(told), "{name}: {}", ran.stdout);
    }
    assert_eq!(house.one::<i64>("select count(*) from partner").await, 0);
    // The one that is named is taken, and it is on record which; a formula with its value is that value.
    let ran = import(&house, "two.xlsx", &two, &["--sheet", "second", "--dry-run"]).ended(0);
    assert!(ran.stdout.contains("  sheet: Second\n"), "{}", ran.stdout);
    import(&house, "two.xlsx", &two, &["--sheet", "Second"]).ended(0);
    let json = house.run(["--json", "files", "two.xlsx"]).ended(0).stdout;
    assert!(json.contains("\"sheet\":\"Second\"") && json.contains("two.result.xlsx"), "{json}");
    let listed = house.run(["files", "two.xlsx"]).ended(0).stdout;
    assert!(listed.contains("two.xlsx: partners (sheet Second): 2 applied"), "{listed}");
    let valued = book(|sheet| {
        fill(sheet, &table.replace("4301", "4309"));
        sheet.write_formula(1, 1, Formula::new("=\"O\"&\"ne\"").set_result("Number nine")).unwrap();
    });
    import(&house, "valued.xlsx", &valued, &[]).ended(0);
    assert_eq!(house.one::<String>("select name from partner where number = '4309'").await, "Number nine");
    // Rows behind all columns are told, and blank ones are none.
    let padded = book(|sheet| {
        fill(sheet, &format!("\n\n{}\n", table.replace("430", "440")));
        sheet.write_string(5, 8, "beyond").unwrap();
        sheet.write_string(9, 0, " ").unwrap();
    });
    import(&house, "padded.xlsx", &padded, &[]).ended(3);
    let told = verdicts(&house.dir.join("padded.result.xlsx"));
    assert!(told.iter().any(|line| line.contains("wrong_field_count")), "{told:?}");
}

#[tokio::test]
async fn promise_12_a_workbook_that_is_a_trap_is_refused_in_little_memory() {
    let house = House::open().await;
    let table = PARTNERS.to_owned() + "4301,One,a@a.example,SE,SEK,sv\n";
    let good = book(|sheet| fill(sheet, &table));
    let laughs = changed(&good, |name, text| {
        if name != "xl/sharedStrings.xml" {
            return text;
        }
        let lol = (1..10).map(|n| format!("<!ENTITY lol{n} \"{}\">", format!("&lol{};", n - 1).repeat(10)));
        let declared = format!("<!DOCTYPE sst [<!ENTITY lol0 \"lol\">{}]>", lol.collect::<String>());
        text.replace("?>\n", &format!("?>\n{declared}")).replace("One", "&lol9;")
    });
    let outside = changed(&good, |name, text| {
        if name != "xl/worksheets/sheet1.xml" {
            return text;
        }
        text.replace("?>\n", "?>\n<!DOCTYPE x [<!ENTITY x SYSTEM \"file:///etc/passwd\">]>")
    });
    let room = changed(&good, |_, text| text.replace("uniqueCount=\"", "uniqueCount=\"99999999999999"));
    let shuffled =
        changed(&good, |_, text| text.replace("r=\"B2\"", "r=\"B9\"").replace("r=\"C2\"", "r=\"A1\""));
    let macros = changed(&good, |_, text| {
        text.replace("spreadsheetml.sheet.main+xml", "spreadsheetml.template.macroEnabled.main+xml").replace(
            "application/vnd.openxmlformats-officedocument.spreadsheetml.template",
            "application/vnd.ms-excel.sheet",
        )
    });
    for (name, bytes, told) in [
        ("laughs", &laughs, "'xl/sharedStrings.xml' in the workbook declares entities of XML"),
        ("outside", &outside, "'xl/worksheets/sheet1.xml' in the workbook declares entities of XML"),
        ("room", &room, "asks for room for more texts than fit"),
        ("shuffled", &shuffled, "is not in its place"),
        ("macros", &macros, "a workbook with macros (.xlsm)"),
        ("half", &good[..good.len() / 2].to_vec(), "the workbook cannot be read"),
    ] {
        let ran = import(&house, &format!("{name}.xlsx"), bytes, &[]).ended(1);
        assert!(ran.stdout.contains(told), "{name}: {}", ran.stdout);
    }
    // Were it kept, its process would end at this limit; whatever it says of its size.
    let own = house.command(["import"]);
    let envs: Vec<_> =
        own.get_envs().filter_map(|(name, value)| Some((name.to_owned(), value?.to_owned()))).collect();
    for (claimed, told) in [
        (2_164_260_864, "has a text that is longer than any cell's"),
        (9, "larger than its declared uncompressed size"),
    ] {
        let path = house.dir.join("bomb.xlsx");
        fs::write(&path, archive("xl/sharedStrings.xml", &blanks(), claimed)).unwrap();
        let mut limited = Command::new("sh");
        let within = ["-c", "ulimit -v 2000000; exec \"$@\"", "sh", BENEFACTOR, "import"];
        limited.env_clear().envs(envs.clone()).args(within).arg(&path);
        let ran = Ran::of(&mut limited).ended(1);
        assert!(ran.stdout.contains(told), "{}{}", ran.stdout, ran.stderr);
    }
    assert_eq!(house.one::<i64>("select count(*) from partner").await, 0);
    import(&house, "good.xlsx", &good, &[]).ended(0);
}

#[tokio::test]
async fn d16_a_corrected_answer_goes_in_and_what_is_in_stays() {
    let house = House::open().await;
    let inbox = house.dir.join("inbox");
    fs::create_dir_all(&inbox).unwrap();
    let table = PARTNERS.to_owned()
        + "0042017,One,a@a.example,SE,SEK,sv\n4302,Two,b@b.example,Sweden,SEK,sv\n4303,Three,c@c.example,SE,SEK,sv\n";
    fs::write(inbox.join("Q2.xlsx"), book(|sheet| fill(sheet.set_name("Q2, 2024").unwrap(), &table)))
        .unwrap();
    let night = |day: &str| {
        house.run(["--now", &format!("{day}T10:00:00Z"), "night", "--from", "2024-02-01"]).ended(0);
    };
    night("2024-02-02");
    let note = fs::read_to_string(inbox.join("done/Q2.note.txt")).unwrap();
    assert!(note.contains("Rows: 2 applied, 0 unchanged, 1 rejected"), "{note}");
    assert!(note.contains("The sheet that was read: Q2, 2024.") && note.contains("Q2.result.xlsx"), "{note}");
    assert!(inbox.join("done/Q2.xlsx").exists());
    let answered = inbox.join("done/Q2.result.xlsx");
    assert_eq!(
        verdicts(&answered),
        ["2 applied", "3 rejected country invalid", "4 applied"].map(str::to_owned)
    );
    let reason = &cells(&answered)[2][8];
    assert!(reason.starts_with("D3: "), "{reason}");
    // Corrected in place: the same cells, but for the one.
    let rows = cells(&answered);
    let corrected = book(|sheet| {
        for (at, row) in (0_u32..).zip(&rows) {
            for (column, cell) in (0_u16..).zip(row) {
                let cell = if cell == "Sweden" { "SE" } else { cell };
                sheet.write_string(at, column, cell).unwrap();
            }
        }
    });
    fs::write(inbox.join("Q2.result.xlsx"), corrected).unwrap();
    night("2024-02-03");
    assert_eq!(
        verdicts(&inbox.join("done/Q2.2.result.xlsx")),
        ["2 unchanged", "3 applied", "4 unchanged"].map(str::to_owned)
    );
    assert_eq!(cells(&inbox.join("done/Q2.2.result.xlsx"))[0].len(), 11);
    assert_eq!(house.lines("select number from partner order by 1").await, ["0042017", "4302", "4303"]);
    // A refused one lies with its note where refused ones do.
    fs::write(inbox.join("bad.xlsx"), book(|sheet| fill(sheet, "a,b\n1,2\n"))).unwrap();
    night("2024-02-04");
    let note = fs::read_to_string(inbox.join("refused/bad.note.txt")).unwrap();
    assert!(note.contains("sheet 'Sheet1', A1"), "{note}");
}

#[tokio::test]
async fn f5_a_portals_file_that_was_saved_as_a_workbook_is_that_portals() {
    let house = ordered().await;
    let fixture = |below: &str| {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(below);
        fs::read_to_string(path).unwrap()
    };
    for (below, applied, unchanged) in [
        ("entra_users/newer.csv", 3, 0),
        ("m365_users/active.csv", 2, 1),
        ("entra_bulk_invite/template.csv", 1, 1),
    ] {
        let text = fixture(below);
        let text = text.trim_start_matches('\u{feff}');
        let name = below.replace('/', "-").replace(".csv", ".xlsx");
        let told = import(&house, &name, &book(|sheet| fill(sheet, text)), &["--partner", "4301"]).stdout;
        let expected = format!("{applied} applied, {unchanged} unchanged, 0 rejected");
        assert!(told.contains(&expected), "{below}: {told}");
    }
    let invited = cells(&house.dir.join("entra_bulk_invite-template.result.xlsx"));
    assert!(invited[0][0].starts_with("version:"), "{invited:?}");
}

#[tokio::test]
async fn promise_11_of_product_keys_in_a_workbook_nothing_is_left_but_what_was_rejected() {
    let house = ordered().await;
    let orders =
        ENTITLEMENTS.to_owned() + &row("4301", "ORD-1", "software/windows", "2024-01-31", "2025-01-30", ",");
    import(&house, "w.csv", orders.as_bytes(), &[]).ended(0);
    let (good, bad) = ("VK7JG-NPHTM-C97JM-9MPGT-3V66T", "W269N-WFGWX-YVC9B-4J6C9-T83GX");
    let header =
        "partner_id,order_id,benefit,key,seats,months,product,language,os,download_url,instructions\n";
    let keyed = |order: &str, key: &str| format!("4301,{order},software/windows,{key},5,,{key} twice,,,,\n");
    let file = |rows: &str| book(|sheet| fill(sheet, &format!("{header}{rows}")));
    import(&house, "k.xlsx", &file(&keyed("ORD-1", good)), &[]).ended(0);
    assert!(!house.dir.join("k.xlsx").exists(), "the original is gone");
    let told = import(&house, "l.xlsx", &file(&keyed("ORD-X", bad)), &[]).ended(3).stdout;
    assert!(told.contains("rejected keys are in") && house.dir.join("l.xlsx").exists(), "{told}");
    fs::remove_file(house.dir.join("l.xlsx")).unwrap();
    let answers = ["k.result.xlsx", "l.result.xlsx"].map(|name| cells(&house.dir.join(name)));
    assert_eq!(answers[0][1][3], "*****-3V66T");
    let mut left = BTreeMap::new();
    unpacked(house.dir.path(), &mut left);
    assert!(left.len() > 5, "{:?}", left.keys());
    for (path, bytes) in left {
        for key in [good, bad] {
            let says = |key: &str| bytes.windows(key.len()).any(|window| window == key.as_bytes());
            assert!(!says(key) && !says(&key.replace('-', "")), "{path:?}");
        }
    }
}

/// Two gigabytes of blanks as deflate packs them, in thirteen megabytes: one blank, and then again and again the 258 before.
fn blanks() -> Vec<u8> {
    let code = |code: u16, length: u32| (0..length).rev().map(move |bit| code >> bit & 1 == 1);
    let mut bits = vec![true, true, false]; // the last block, in the codes that are fixed
    bits.extend(code(0b0101_0000, 8));
    for _ in 0..24 {
        bits.extend(code(0b1100_0101, 8).chain(code(0, 5)));
    }
    let byte = |bits: &[bool]| bits.iter().rev().fold(0, |byte, bit| byte << 1 | u8::from(*bit));
    let bytes: Vec<u8> = bits.chunks_exact(8).map(byte).collect();
    // From the third byte on the same thirteen come again: eight times 258 blanks.
    [&bytes[..2], &bytes[2..15].repeat(1 << 20)].concat()
}

/// A workbook's archive with a part that is packed already, and of which it claims that it unpacks to so many bytes.
fn archive(name: &str, packed: &[u8], claimed: u32) -> Vec<u8> {
    let (mut all, mut list) = (Vec::new(), Vec::new());
    let empty: (&[u8], u32) = (&[], 0);
    for (name, (packed, claimed)) in
        [("[Content_Types].xml", empty), ("xl/workbook.xml", empty), (name, (packed, claimed))]
    {
        let at = u32::try_from(all.len()).unwrap();
        let method = if packed.is_empty() { 0_u16 } else { 8 };
        let mut said = [20, 0, method, 0, 0x21].map(u16::to_le_bytes).concat();
        said.extend([0, u32::try_from(packed.len()).unwrap(), claimed].map(u32::to_le_bytes).concat());
        said.extend([u16::try_from(name.len()).unwrap(), 0].map(u16::to_le_bytes).concat());
        all.extend([b"PK\x03\x04", &said[..], name.as_bytes(), packed].concat());
        list.extend([b"PK\x01\x02", &20_u16.to_le_bytes()[..], &said, &[0; 10], &at.to_le_bytes()].concat());
        list.extend(name.as_bytes());
    }
    let (at, length) = (u32::try_from(all.len()).unwrap(), u32::try_from(list.len()).unwrap());
    all.extend(list);
    let count = 3_u16.to_le_bytes();
    let end = [b"PK\x05\x06", &[0; 4][..], &count, &count, &length.to_le_bytes(), &at.to_le_bytes(), &[0; 2]];
    all.extend(end.concat());
    all
}

/// What every file below a folder holds, and every part of a workbook.
fn unpacked(folder: &Path, found: &mut BTreeMap<String, Vec<u8>>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            unpacked(&path, found);
            continue;
        }
        let Ok(bytes) = fs::read(&path) else { continue };
        if let Ok(mut archive) = ZipArchive::new(Cursor::new(&bytes)) {
            for at in 0..archive.len() {
                let mut part = archive.by_index(at).unwrap();
                let (name, mut text) = (part.name().unwrap().to_string(), Vec::new());
                part.read_to_end(&mut text).unwrap();
                found.insert(format!("{}/{name}", path.display()), text);
            }
        }
        found.insert(path.display().to_string(), bytes);
    }
}
