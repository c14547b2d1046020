//! Templates of every kind, as text and as workbooks: dropped untouched nothing is taken in, and a row below the example is.

use std::{fs, path::Path};

use benefactor::domain::kinds::{Kind, schema::Type};
use calamine::{Data, Reader as _, Xlsx};
use rust_xlsxwriter::Workbook;

use crate::{
    cast::{ENTITLEMENTS, partner, row, users},
    house::{House, Ran},
};

/// Writes a kind's template into a file of that name.
fn template(house: &House, kind: Kind, name: &str) -> std::path::PathBuf {
    let path = house.dir.join(name);
    let told = house.run(["template", kind.name(), "--out", path.to_str().unwrap()]).ended(0).stdout;
    assert!(told.contains(&format!("a template of {kind}")), "{told}");
    path
}

fn import(house: &House, path: &Path) -> Ran {
    house.run(["--now", "2024-02-10T08:00:00Z", "import", path.to_str().unwrap()])
}

/// A partner with users and an order that has everything a row of any kind may name.
async fn known() -> House {
    let mut house = House::open().await;
    let orders = ENTITLEMENTS.to_owned()
        + &row("4301", "ORD-1", "azure_monthly_credit", "2024-01-31", "2025-01-30", "100,USD")
        + &row("4301", "ORD-0", "software", "2023-02-10", "2024-02-09", ",")
        + &row("4301", "ORD-1", "software", "2024-01-31", "2025-01-30", ",")
        + &row("4301", "ORD-1", "license_subscription/office_365", "2024-01-31", "2025-01-30", ",");
    let files = [("p.csv", &*partner("4301", "USD")), ("u.csv", &users("4301")), ("e.csv", &orders)];
    for answer in house.import(&files, "2024-01-31").await {
        answer.applied();
    }
    house
}

/// What a row that goes in says, by column; what is not named is empty.
const fn filled(kind: Kind) -> &'static str {
    match kind {
        Kind::Rates => "date=2024-01-30;usd=1.0837",
        Kind::Partners => "partner_id=4302;name=Two;account_email=b@b.example;country=SE;currency=SEK",
        Kind::Users => {
            "partner_id=4301;object_id=00000000-0000-4000-8000-000000000009;user_principal_name=dan@p4301.example;enabled=true"
        }
        Kind::Contacts => {
            "partner_id=4301;user=ada@p4301.example;email=marketing@p4301.example;phone=+46 8 555 01 00;language=sv"
        }
        Kind::Agreements => "partner_id=4301;agreement=csp;valid_from=2024-01-01",
        Kind::Entitlements => {
            "partner_id=4301;order_id=ORD-2;offer=silver;benefit=azure_monthly_credit;benefit_type=core;quantity=1;\
             purchased_on=2024-02-01;starts_on=2024-02-01;expires_on=2025-01-31;amount=100.00;currency=USD"
        }
        Kind::Keys => {
            "partner_id=4301;order_id=ORD-1;benefit=license_subscription/office_365;key=VK7JG-NPHTM-C97JM-9MPGT-3V66U;seats=5"
        }
        Kind::Renewals => "partner_id=4301;order_id=ORD-0;renewed_on=2024-02-10;new_order_id=ORD-9",
        Kind::Assignments => {
            "partner_id=4301;order_id=ORD-1;benefit=azure_monthly_credit;action=assign;user=ben@p4301.example;\
             requested_by=ada@p4301.example;requested_on=2024-02-09"
        }
        Kind::KeyRequests => {
            "partner_id=4301;order_id=ORD-1;benefit=license_subscription/office_365;action=reveal;\
             requested_by=ada@p4301.example;requested_on=2024-02-09"
        }
        Kind::Activations => {
            "partner_id=4301;order_id=ORD-1;benefit=software;requested_by=ada@p4301.example;requested_on=2024-02-09"
        }
        Kind::ServiceRequests => {
            "partner_id=4301;request_id=SR-1;kind=cancel;requested_by=ada@p4301.example;requested_on=2024-02-09;\
             order_id=ORD-1"
        }
        Kind::CreditUsage => {
            "partner_id=4301;order_id=ORD-1;benefit=azure_monthly_credit;used_on=2024-02-05;amount=12.50;currency=USD;\
             reference=INV-7"
        }
    }
}

/// A row's cells, in the order of the kind's columns.
fn cells(kind: Kind) -> Vec<&'static str> {
    let said: Vec<_> = filled(kind).split(';').filter_map(|cell| cell.split_once('=')).collect();
    let cell = |name: &str| said.iter().find(|(column, _)| *column == name).map_or("", |(_, cell)| *cell);
    kind.columns().iter().map(|column| cell(column.name)).collect()
}

/// The workbook at `path` with one more row, its cells of the types that a person gives them.
fn with_row(path: &Path, kind: Kind) -> Vec<u8> {
    let mut given: Xlsx<_> = calamine::open_workbook(path).unwrap();
    let range = given.worksheet_range(kind.name()).unwrap();
    let mut workbook = Workbook::new();
    let date = rust_xlsxwriter::Format::new().set_num_format("d mmm yyyy");
    let sheet = workbook.add_worksheet().set_name(kind.name()).unwrap();
    for (at, row) in (0_u32..).zip(range.rows()) {
        for (column, cell) in (0_u16..).zip(row) {
            match cell {
                Data::Empty => {}
                Data::Float(number) => drop(sheet.write_number(at, column, *number).unwrap()),
                Data::DateTime(days) => {
                    sheet.write_number_with_format(at, column, days.as_f64(), &date).unwrap();
                }
                cell => drop(sheet.write_string(at, column, cell.to_string()).unwrap()),
            }
        }
    }
    for ((at, cell), column) in (0_u16..).zip(cells(kind)).zip(kind.columns()) {
        let as_date = cell
            .parse::<chrono::NaiveDate>()
            .ok()
            .filter(|_| matches!(column.of, Type::Date | Type::Instant));
        if let Some(day) = as_date {
            let since = chrono::NaiveDate::from_ymd_opt(1899, 12, 30).unwrap();
            let days = f64::from(i32::try_from((day - since).num_days()).unwrap());
            sheet.write_number_with_format(2, at, days, &date).unwrap();
        } else if !cell.is_empty() {
            sheet.write_string(2, at, cell).unwrap();
        }
    }
    workbook.save_to_buffer().unwrap()
}

#[tokio::test]
async fn d16_a_template_dropped_untouched_changes_nothing_and_a_row_below_its_example_goes_in() {
    let (text, books) = tokio::join!(known(), known());
    for kind in Kind::ALL.iter().copied() {
        for (house, ending) in [(&text, "csv"), (&books, "xlsx")] {
            let path = template(house, kind, &format!("{kind}.{ending}"));
            let untouched = fs::read(&path).unwrap();
            let told = import(house, &path).ended(0).stdout;
            assert!(told.contains(&format!(": {kind}: 0 applied, 1 unchanged, 0 rejected")), "{told}");
            assert!(told.contains("rows passed over, each with the reason in its answer: 1"), "{told}");
            fs::write(&path, untouched).unwrap();
            if ending == "csv" {
                let row = cells(kind).join(",") + "\n";
                let text = fs::read_to_string(&path).unwrap();
                fs::write(&path, text + &row).unwrap();
            } else {
                fs::write(&path, with_row(&path, kind)).unwrap();
            }
            let told = import(house, &path).ended(0).stdout;
            assert!(told.contains(": 1 applied, 1 unchanged, 0 rejected"), "{kind}.{ending}: {told}");
        }
    }
    assert_eq!(text.run(["digest"]).ended(0).stdout, books.run(["digest"]).ended(0).stdout);
    // Without --out it is CSV on standard output; what is there is not replaced, and other forms there are none of.
    let printed = text.run(["template", "agreements"]).ended(0).stdout;
    assert_eq!(printed, "partner_id,agreement,valid_from,valid_until\nExample: 4100101,csp,2024-03-01,\n");
    let again = text.dir.join("users.csv");
    let ran = text.run(["template", "users", "--out", again.to_str().unwrap()]).ended(2);
    assert!(ran.stderr.contains("is there already"), "{}", ran.stderr);
    let ran = text.run(["template", "users", "--out", "users.pdf"]).ended(2);
    assert!(ran.stderr.contains("end its name in .csv or .xlsx"), "{}", ran.stderr);
    text.run(["template", "statements"]).ended(2);
}

#[tokio::test]
async fn promise_11_a_key_in_the_example_of_a_template_is_nowhere_in_the_store() {
    let house = known().await;
    let key = "VK7JG-NPHTM-C97JM-9MPGT-3V66T";
    let path = template(&house, Kind::Keys, "k.csv");
    let text = fs::read_to_string(&path).unwrap().replace("AAAAA-BBBBB-CCCCC-DDDDD-EEEEE", key);
    assert!(text.contains(key));
    fs::write(&path, text + &cells(Kind::Keys).join(",") + "\n").unwrap();
    import(&house, &path).ended(0);
    let answer = fs::read_to_string(house.dir.join("k.result.csv")).unwrap();
    assert!(!answer.contains(key) && answer.contains("example_row"), "{answer}");
    let staged =
        house.lines("select cells from staged_row union all select problems::text from row_answer").await;
    assert!(!staged.iter().any(|cells| cells.contains(key)), "{staged:?}");
}

#[test]
fn a_workbook_to_fill_in_has_lists_notes_and_formats() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("e.xlsx");
    let bytes = benefactor::files::workbook::template::template(Kind::Entitlements).unwrap();
    fs::write(&path, bytes).unwrap();
    let mut archive = zip::ZipArchive::new(fs::File::open(&path).unwrap()).unwrap();
    let mut part = |name: &str| {
        let mut text = String::new();
        std::io::Read::read_to_string(&mut archive.by_name(name).unwrap(), &mut text).unwrap();
        text
    };
    let sheet = part("xl/worksheets/sheet1.xml");
    for has in ["action_pack,silver,gold,isv_cosell_ready", "sqref=\"C2:C1048576\"", "<pane ySplit=\"1\""] {
        assert!(sheet.contains(has), "{has}: {sheet}");
    }
    let notes = part("xl/comments1.xml");
    for has in ["Required. First usable day.", "May be empty. The competency"] {
        assert!(notes.contains(has), "{has}: {notes}");
    }
    assert!(part("xl/styles.xml").contains("yyyy-mm-dd"));
}
