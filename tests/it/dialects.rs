//! Files as spreadsheets write them, through the real binary: taken as they are meant, answered as they are written, or
//! refused with what to do.

use std::fs;

use benefactor::files::encoding::Encoding;

use crate::{
    cast::{partner, users},
    house::{House, Ran},
};

const NOW: &str = "2024-03-01T10:00:00Z";

fn import(house: &House, name: &str, bytes: &[u8], more: &[&str]) -> Ran {
    let path = house.dir.join(name);
    fs::write(&path, bytes).unwrap();
    house.run([&["--now", NOW, "import", path.to_str().unwrap()], more].concat())
}

/// The answer that an import told of.
fn answer(told: &str) -> Vec<u8> {
    let (_, path) = told.split_once("the answer on every row: ").unwrap();
    fs::read(path.lines().next().unwrap()).unwrap()
}

/// A text as Swedish Excel saves it.
fn windows(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    Encoding::Windows1252.write(&text.replace('\n', "\r\n"), &mut bytes);
    bytes
}

/// The columns of an entitlements file with `;` between them.
const ORDERS: &str = "partner_id;order_id;offer;benefit;benefit_type;quantity;purchased_on;starts_on;expires_on;amount;currency;competency\n";

fn order(order: &str, benefit: &str, starts: &str, amount: &str) -> String {
    format!(
        "4301;{order};silver;{benefit};core;1;{starts};{starts};2025-01-30;{amount};SEK;Åtkomst & säkerhet\n"
    )
}

#[tokio::test]
async fn f15_a_swedish_excel_file_is_taken_answered_as_it_is_corrected_and_dropped_again() {
    let house = House::open().await;
    let text =
        "partner_id;name;account_email;country;currency\n4301;Åkeri & Söner;a@b.example;SE;SEK\n;;;;\n";
    let told = import(&house, "partners.csv", &windows(text), &[]).ended(0).stdout;
    assert!(told.contains("read as: encoding=windows-1252,delimiter=semicolon"), "{told}");
    assert_eq!(house.lines("select name from partner").await, ["Åkeri & Söner"]);

    let text = [
        ORDERS,
        &order("A-1", "azure_monthly_credit", "31/01/2024", "1\u{a0}000,50"),
        &order("A-2", "azure_monthly_credit", "05/02/2024 0:00", "1.250"),
        &order("A-3", "azure_monthly_kredit", "06.02.2024", "7"),
    ]
    .concat();
    let told = import(&house, "orders.csv", &windows(&text), &[]).ended(3).stdout;
    let dialect = "encoding=windows-1252,delimiter=semicolon,decimal=comma,dates=dmy";
    assert!(
        told.contains(&format!("read as: {dialect}\n"))
            && told.contains("2 applied, 0 unchanged, 1 rejected"),
        "{told}"
    );
    let stored = "select concat_ws(' ', order_id, e.starts_on, amount_minor, competency)
                  from entitlement e join membership using (membership_id) order by 1";
    let expected = ["A-1 2024-01-31 100050 Åtkomst & säkerhet", "A-2 2024-02-05 125000 Åtkomst & säkerhet"];
    assert_eq!(house.lines(stored).await, expected);
    assert_eq!(house.lines("select dialect from file where kind = 'entitlements'").await, [dialect]);

    // The answer is written as the file is; corrected in place it is taken, and nothing is taken twice.
    let back = answer(&told);
    let rows: Vec<&[u8]> = back.split_inclusive(|byte| *byte == b'\n').collect();
    let sent = windows(&text);
    for (row, sent) in rows.iter().zip(sent.split_inclusive(|byte| *byte == b'\n')) {
        assert!(row.starts_with(sent.strip_suffix(b"\r\n").unwrap()) && row.ends_with(b"\r\n"));
    }
    let corrected =
        String::from_utf8(back.iter().map(|byte| if byte.is_ascii() { *byte } else { b'?' }).collect());
    assert!(corrected.unwrap().contains(";rejected;invalid;"));
    let typo = back.windows(6).position(|word| word == b"kredit").unwrap();
    let mut corrected = back.clone();
    corrected[typo] = b'c';
    let told = import(&house, "orders.result.csv", &corrected, &[]).ended(0).stdout;
    assert!(told.contains("1 applied, 2 unchanged, 0 rejected"), "{told}");

    // UTF-16 with tabs, as Excel's Unicode text; and the same bytes again.
    let mut wide = Encoding::Utf16Le.byte_order_mark().to_vec();
    Encoding::Utf16Le.write(&text.replace(';', "\t").replace("kredit", "credit"), &mut wide);
    let told = import(&house, "wide.csv", &wide, &[]).ended(0).stdout;
    assert!(told.contains("0 applied, 3 unchanged, 0 rejected") && told.contains("delimiter=tab"), "{told}");
    assert!(answer(&told).starts_with(b"\xFF\xFEp\0a\0"));
    import(&house, "wide.csv", &wide, &[]).ended(0).stdout.contains("taken in before");
}

#[tokio::test]
async fn what_is_ambiguous_is_refused_until_it_is_settled_and_a_cut_file_until_it_is_whole() {
    let house = House::open().await;
    import(&house, "p.csv", partner("4301", "SEK").as_bytes(), &[]).ended(0);
    let text = [ORDERS, &order("A-1", "azure_monthly_credit", "03/02/2024", "1,250")].concat();
    let told = import(&house, "orders.csv", text.as_bytes(), &[]).ended(3).stdout;
    let back = String::from_utf8(answer(&told)).unwrap();
    assert!(
        back.starts_with("\u{feff}partner_id;")
            && back.contains(";rejected;ambiguous_date+ambiguous_date+ambiguous_number;"),
        "{back}"
    );
    assert!(
        back.contains("This may be 2024-02-03 or 2024-03-02") && back.contains("This may be 1.250 or 1250"),
        "{back}"
    );
    let settled = ["--dialect", "decimal=point,dates=dmy"];
    import(&house, "orders.csv", text.as_bytes(), &settled).ended(0);
    let again = import(&house, "orders.csv", text.as_bytes(), &settled).ended(0).stdout;
    assert!(again.contains("taken in before"), "{again}");
    // Under another dialect the same bytes are another file.
    let other =
        import(&house, "orders.csv", text.as_bytes(), &["--dialect", "decimal=comma,dates=dmy"]).ended(3);
    assert!(other.stdout.contains("1 rejected"), "{}", other.stdout);
    assert!(String::from_utf8(answer(&other.stdout)).unwrap().contains("too_many_decimals"));
    let ran = import(&house, "orders.csv", text.as_bytes(), &["--dialect", "decimal=semicolon"]).ended(2);
    assert!(ran.stderr.contains("decimal=point or comma"), "{}", ran.stderr);

    let cut = users("4301");
    let cut = cut.trim_end();
    let told = import(&house, "u.csv", cut.as_bytes(), &[]).ended(3).stdout;
    assert!(told.contains("2 applied, 0 unchanged, 1 rejected"), "{told}");
    let back = answer(&told);
    assert!(String::from_utf8_lossy(&back).contains(",rejected,cut_off,"));
    import(&house, "u.result.csv", &back, &[]).ended(3);
    let told = import(&house, "u.csv", cut.as_bytes(), &["--complete"]).ended(0).stdout;
    assert!(told.contains("1 applied, 2 unchanged, 0 rejected"), "{told}");
}

#[tokio::test]
async fn f4_f8_f9_f15_what_programs_left_behind_is_refused_with_what_to_do_or_taken_back() {
    let house = House::open().await;
    import(&house, "p.csv", partner("4301", "SEK").as_bytes(), &[]).ended(0);
    let mangled = [
        "5.66891E+17",
        "1,23E+15",
        "#REF!",
        "TRUE",
        "=\"\"FY-2\"\"",
        "'FY-1",
        "FY\u{2013}1",
        "FY\u{200b}1",
        "\u{ff26}Y-1",
    ];
    let rows: String =
        mangled.iter().map(|id| order(&format!("\"{id}\""), "software", "2024-01-31", "")).collect();
    let told = import(&house, "orders.csv", [ORDERS, &rows].concat().as_bytes(), &[]).ended(3).stdout;
    let back = String::from_utf8(answer(&told)).unwrap();
    assert_eq!(
        (back.matches(";left_by_spreadsheet;").count(), back.matches(";character_in_identifier;").count()),
        (6, 3),
        "{back}"
    );
    let names = ["Ã…keri", "A\u{fffd}keri", "a\u{202e}b", "a\u{2028}b", "a\u{200b}b"];
    let row = |(name, n): (&&str, u8)| format!("42{n},{name},a@x.example,SE,SEK\n");
    let rows: String = names.iter().zip(1..).map(row).collect();
    let header = "partner_id,name,account_email,country,currency\n";
    let told = import(&house, "names.csv", [header, &rows].concat().as_bytes(), &[]).ended(3).stdout;
    let back = String::from_utf8(answer(&told)).unwrap();
    assert_eq!(
        (back.matches(",garbled,").count(), back.matches(",hidden_character,").count()),
        (2, 3),
        "{back}"
    );

    ids_like_known_ones_are_asked_about(&house);

    // What an export guards for a spreadsheet is taken back as it was.
    let odd =
        format!("{header}4302,\"=HYPERLINK(\"\"x\"\")\",+x@a.example,SE,SEK\n4303,'=x,-x@a.example,SE,SEK\n");
    import(&house, "odd.csv", odd.as_bytes(), &[]).ended(0);
    for form in ["spreadsheet", "machine"] {
        let export = house.run(["export", "partners", "--for", form]).ended(0).stdout;
        let told = import(&house, "sheet.csv", export.as_bytes(), &[]).ended(0).stdout;
        assert!(told.contains("0 applied, 3 unchanged, 0 rejected"), "{form}: {told}");
    }

    for (name, bytes, told) in [
        ("a.xlsx", &b"PK\x03\x04\x14\0\x06\0[Content_Types].xml"[..], "the workbook cannot be read"),
        ("a.zip", b"PK\x03\x04\x14\0\0\0users.csv", "a zip archive: unpack it"),
        ("a.csv.gz", b"\x1f\x8b\x08\0\0", "a gzip archive"),
        ("a.pdf", b"%PDF-1.7\n", "a PDF document"),
        ("login.csv", b"<!DOCTYPE html>\n<html>", "a web page"),
        ("users.json", b"{\"value\": [{\"id\": 1}]}", "this is JSON"),
    ] {
        let ran = import(&house, name, bytes, &[]).ended(1);
        assert!(ran.stdout.contains(told), "{}", ran.stdout);
    }
    let wrong = ORDERS.replace("amount", "Amount (SEK)");
    let ran = import(&house, "wrong.csv", wrong.as_bytes(), &[]).ended(1);
    assert!(
        ran.stdout.contains("column 10 'Amount (SEK)'") && ran.stdout.contains("did you mean 'amount'?"),
        "{}",
        ran.stdout
    );
    let ran = import(&house, "p.csv", b"", &["--kind", "partner"]).ended(2);
    assert!(ran.stderr.contains("did you mean partners?"), "{}", ran.stderr);
}

/// What differs from a known one in nothing that matters is asked about.
fn ids_like_known_ones_are_asked_about(house: &House) {
    let rows = ["0042", "42", "FY-7", "fy-7"].map(|id| order(id, "software", "2024-01-31", "")).concat();
    let alike = [ORDERS, &rows].concat();
    let told = import(house, "alike.csv", alike.as_bytes(), &[]).ended(3).stdout;
    let back = String::from_utf8(answer(&told)).unwrap();
    assert!(
        back.contains(";alike_known;\"Known is “0042”,") && back.contains(";alike_known;\"Known is “FY-7”,"),
        "{back}"
    );
    import(house, "alike.csv", alike.replace("42;", "00042;").as_bytes(), &[]).ended(3);
    let told = import(house, "alike.csv", alike.as_bytes(), &["--accept-alike"]).ended(0).stdout;
    assert!(told.contains("2 applied, 2 unchanged, 0 rejected"), "{told}");
    let twin = partner("04301", "SEK").replace("Partner 04301", "Partner 4301");
    let back = import(house, "twin.csv", twin.as_bytes(), &[]).ended(3);
    assert!(back.stdout.contains("1 rejected"), "{}", back.stdout);
    assert!(String::from_utf8(answer(&back.stdout)).unwrap().contains("Known is “4301”"));
}
