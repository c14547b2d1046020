use std::fs;

use proptest::prelude::*;

use super::*;
use crate::domain::{kinds::schema::Type, reason::Reason};

const UNSETTLED: char = '\u{2}';

/// A file as it is read: its dialect, and the rows in canonical text.
type Read = (String, Vec<Vec<String>>);

fn read_as(bytes: &[u8], asked: &ReadAs) -> Result<Read, Refusal> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("file");
    fs::write(&path, bytes).unwrap();
    let opened = open(&path, asked, Limits::default())?;
    if let Some(rows) = rows(&path, &opened.profile, &opened.dialect, asked, false)? {
        return Ok((opened.dialect.to_string(), rows));
    }
    let settled = survey(&path, &opened.profile, opened.dialect, asked, Limits::default())?;
    let rows = rows(&path, &opened.profile, &settled, asked, true)?.unwrap();
    assert_eq!(Dialect::remembered(&settled.to_string()), settled);
    Ok((settled.to_string(), rows))
}

fn rows(
    path: &Path,
    profile: &Profile,
    dialect: &Dialect,
    asked: &ReadAs,
    surveyed: bool,
) -> Result<Option<Vec<Vec<String>>>, Refusal> {
    let mut reader = reopen(path, dialect, asked.complete, Limits::default())?;
    let (mut record, mut taken, mut rows) = (Record::default(), Record::default(), Vec::new());
    while reader.read(&mut record)? {
        let Ok(row) = dialect.take(profile, &record, &mut taken, surveyed) else { return Ok(None) };
        rows.push(row.iter().map(str::to_owned).collect());
    }
    Ok(Some(rows))
}

fn read(text: &str) -> Read {
    read_as(text.as_bytes(), &ReadAs::default()).unwrap()
}

fn refused(bytes: &[u8]) -> Refusal {
    read_as(bytes, &ReadAs::default()).unwrap_err()
}

/// Usage of these days and amounts, its cells between `;`.
fn usage(cells: &[(&str, &str)]) -> String {
    let rows = cells.iter().map(|(day, amount)| format!("42;A;azure_monthly_credit;{day};{amount};USD;r\n"));
    format!("partner_id;order_id;benefit;used_on;amount;currency;reference\n{}", rows.collect::<String>())
}

/// Days and amounts as they are taken, and the dialect behind the delimiter.
fn taken(text: &str) -> (String, Vec<(String, String)>) {
    let (dialect, rows) = read(text);
    let style = dialect.split_once("semicolon").map_or(dialect.as_str(), |(_, style)| style);
    (style.to_owned(), rows.iter().map(|row| (row[3].clone(), row[4].clone())).collect())
}

fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    expected.iter().map(|(day, amount)| ((*day).to_owned(), (*amount).to_owned())).collect()
}

#[test]
fn a_file_is_read_in_one_dialect_that_all_its_rows_settle() {
    let (style, rows) = taken(&usage(&[
        ("03/04/2021", "1.234"),
        ("17.06.2021", "\u{2212}12,5"),
        ("17/06/2021 0:00", "1\u{a0}234,50"),
    ]));
    assert_eq!(style, ",decimal=comma,dates=dmy");
    assert_eq!(rows, pairs(&[("2021-04-03", "1234"), ("2021-06-17", "-12.5"), ("2021-06-17", "1234.50")]));
    let (style, rows) = taken(&usage(&[("3/4/2021", "1,234"), ("6/17/2021 1:25:31 PM", "12.50")]));
    assert_eq!(
        (style.as_str(), rows),
        (",decimal=point,dates=mdy", pairs(&[("2021-03-04", "1234"), ("2021-06-17", "12.50")]))
    );
    // Nothing has to be settled: nothing is.
    let (style, rows) =
        taken(&usage(&[("2021-06-17", "12.50"), ("5/5/2021", "1 234"), ("6 februari 2026", "7")]));
    assert_eq!(
        (style.as_str(), rows),
        ("", pairs(&[("2021-06-17", "12.50"), ("2021-05-05", "1234"), ("2026-02-06", "7")]))
    );
}

#[test]
fn what_no_row_settles_or_two_contradict_is_refused_and_the_rest_is_taken() {
    let marked = |text: &str| format!("{UNSETTLED}{text}");
    let text = usage(&[("03/04/2021", "1,234"), ("2021-06-17", "7"), ("5/5/2021", "1.234")]);
    let (style, rows) = taken(&text);
    assert_eq!(style, "");
    assert_eq!(
        rows,
        [
            (marked("03/04/2021"), marked("1,234")),
            ("2021-06-17".into(), "7".into()),
            ("2021-05-05".into(), marked("1.234"))
        ]
    );
    let day = |text: &str| text.parse().unwrap();
    let unsettled = Dialect { delimiter: Delimiter::Semicolon, ..Dialect::default() };
    let number = Reason::AmbiguousNumber { decimal: "1.234".into(), whole: "1234".into() };
    assert_eq!(unsettled.refuses(Type::Amount, &rows[0].1), Some(("1,234", number)));
    let date = Reason::AmbiguousDate { day_first: day("2021-04-03"), month_first: day("2021-03-04") };
    assert_eq!(unsettled.refuses(Type::Date, &rows[0].0), Some(("03/04/2021", date)));
    assert_eq!(unsettled.refuses(Type::Amount, "7"), None);

    let (style, rows) = taken(&usage(&[
        ("17/06/2021", "12.50"),
        ("6/17/2021", "12,50"),
        ("03/04/2021", "1,234"),
        ("2021-01-02", "1 000"),
    ]));
    assert_eq!(style, ",decimal=both(2;3),dates=both(2;3)");
    assert!(
        rows[..3].iter().all(|(day, amount)| day.starts_with(UNSETTLED) && amount.starts_with(UNSETTLED))
    );
    assert_eq!(rows[3], ("2021-01-02".into(), "1000".into()));
    let both = Dialect::remembered(&format!("delimiter=semicolon{style}"));
    assert_eq!(both.refuses(Type::Amount, &rows[0].1).unwrap().1, Reason::NumbersDisagree { line: 3 });
    assert_eq!(both.refuses(Type::Amount, &rows[1].1).unwrap().1, Reason::NumbersDisagree { line: 2 });
    assert_eq!(both.refuses(Type::Date, &rows[0].0).unwrap().1, Reason::DatesDisagree { line: 3 });
    assert_eq!(both.refuses(Type::Date, &rows[1].0).unwrap().1, Reason::DatesDisagree { line: 2 });
}

#[test]
fn what_the_operator_states_settles_it_and_a_cell_against_that_is_refused() {
    let asked = |text| ReadAs { dialect: StatedDialect::parse(text).unwrap(), ..ReadAs::default() };
    let text = usage(&[("03/04/2021", "1.234"), ("6/17/2021", "12.50")]);
    let (dialect, rows) = read_as(text.as_bytes(), &asked("decimal=comma,dates=dmy")).unwrap();
    assert!(dialect.ends_with("decimal=comma,dates=dmy"), "{dialect}");
    assert_eq!((rows[0][3].as_str(), rows[0][4].as_str()), ("2021-04-03", "1234"));
    let reason = |of, cell: &str| Dialect::remembered(&dialect).refuses(of, cell).map(|(_, reason)| reason);
    let against = |stated: &str| Some(Reason::AgainstDialect { stated: stated.into() });
    assert_eq!(reason(Type::Amount, &rows[1][4]), against("decimal=comma"));
    assert_eq!(reason(Type::Date, &rows[1][3]), against("dates=dmy"));
    let refusal = read_as(text.as_bytes(), &asked("delimiter=tab")).unwrap_err();
    assert_eq!(refusal.code(), "file_unknown_kind");
}

#[test]
fn a_header_below_a_title_is_found_and_the_rows_above_it_are_to_be_deleted() {
    let header = "partner_id;name;account_email;country;currency";
    for (text, line) in [
        (format!("Our partners, November 2026\n\n{header}\n"), 3),
        (format!("Partner list;;;;\nby region, and by name;;;;\n{header}\n"), 3),
        (format!("\"a, title\"\n{}\n", header.replace(';', ",")), 2),
    ] {
        let refusal = refused(text.as_bytes());
        assert!(
            matches!(refusal, Refusal::RowsAboveHeader { kind: Kind::Partners, line: at } if at == line),
            "{refusal}"
        );
        let told = format!("the header of partners is in line {line}: delete the rows above it");
        assert_eq!(refusal.to_string(), told);
    }
    let far = format!("{}{header}\n", "a;b\n".repeat(40));
    assert_eq!(refused(far.as_bytes()).code(), "file_unknown_kind");
}

#[test]
fn the_canonical_form_is_taken_as_it_is_and_ambiguous_thousands_are_not() {
    let text = usage(&[("2021-06-17", "12.000"), ("2021-06-17", "-12.50")]).replace(';', ",");
    let (dialect, rows) = read(&text);
    assert_eq!(
        (dialect.as_str(), rows[0][4].as_str(), rows[1][4].as_str()),
        ("canonical", "12.000", "-12.50")
    );
    // A point is canonical, whatever another row has.
    let (dialect, rows) = read(&text.replace("12.000", "\"12,5\""));
    assert!(dialect.ends_with("decimal=both(3;2)"), "{dialect}");
    assert_eq!((rows[0][4].as_str(), rows[1][4].as_str()), ("\u{2}12,5", "-12.50"));
    let (_, rows) = read(&text.replace("12.000", "\"1,234\"").replace("-12.50", "7"));
    assert_eq!(rows[0][4], format!("{UNSETTLED}1,234"));
}

#[test]
fn encodings_are_shown_or_sure_or_the_file_is_refused() {
    let text = "partner_id;name;account_email;country;currency\r\n42;Åkeri & Söner;a@b.example;SE;SEK\r\n";
    for encoding in Encoding::ALL {
        for marked in [true, false] {
            let mut bytes = if marked { encoding.byte_order_mark().to_vec() } else { Vec::new() };
            encoding.write(text, &mut bytes);
            let (dialect, rows) = read_as(&bytes, &ReadAs::default()).unwrap();
            assert_eq!(dialect, format!("encoding={},delimiter=semicolon", encoding.name()));
            assert_eq!(rows[0][1], "Åkeri & Söner");
        }
    }
    let named = |name: &[u8]| {
        [b"partner_id;name;account_email;country;currency\n42;", name, b";a@b.example;SE;SEK\n"].concat()
    };
    for sure in [
        "Müller GmbH",
        "Café Noël",
        "Ærø Sø A/S",
        "naïve",
        "Contoso®",
        "Señor Muñoz",
        "L’Oréal",
        "Weiß – Groß",
    ] {
        let mut bytes = Vec::new();
        Encoding::Windows1252.write(sure, &mut bytes);
        assert_eq!(read_as(&named(&bytes), &ReadAs::default()).unwrap().1[0][1], sure);
    }
    // Polish and Russian of Windows; Swedish of DOS; an undefined byte; UTF-8 with one byte of another.
    for unsure in [
        &b"\xA3\xF3d\x9F Sp\xF3\xB3ka"[..],
        b"\xCC\xEE\xF1\xEA\xE2\xE0",
        b"Bj\x94rk",
        b"\x8Fkeri",
        b"\xC3\x85keri S\xF6ner",
    ] {
        let refusal = refused(&named(unsure));
        assert_eq!(refusal.code(), "file_encoding_unsure", "{unsure:?}");
        assert!(refusal.to_string().starts_with("line 2: byte 5"), "{refusal}");
    }
    let polish = refused(&named(b"\xA3\xF3d\x9F Sp\xF3\xB3ka")).to_string();
    assert!(
        polish.contains("windows-1250") && polish.contains("--dialect encoding=windows-1252"),
        "{polish}"
    );
    let asked =
        ReadAs { dialect: StatedDialect::parse("encoding=windows-1252").unwrap(), ..ReadAs::default() };
    assert_eq!(read_as(&named(b"Bj\x94rk"), &asked).unwrap().1[0][1], "Bj”rk");
    assert_eq!(read_as(&named(b"\x8Fkeri"), &asked).unwrap_err().code(), "file_not_in_encoding");
    let half = refused(b"\xFF\xFEp\0a\0\x00\xD8x\0\n\0");
    assert_eq!(half.to_string(), "line 1: byte 6 means nothing in utf-16le: save the file as CSV in UTF-8");
}

#[test]
fn the_delimiter_is_the_one_with_which_the_header_is_recognised() {
    let header = "partner_id,agreement,valid_from";
    for (delimiter, name) in [(",", "canonical"), (";", "semicolon"), ("\t", "tab"), ("|", "pipe")] {
        let text = format!("{header}\n42,a;b|c,2024-01-01\n").replace(';', "\u{1}").replace('|', "\u{4}");
        let text = text.replace(',', delimiter);
        let (dialect, rows) = read(&text);
        assert!(dialect.ends_with(name), "{dialect}");
        assert_eq!(rows[0].len(), 3);
    }
    let (dialect, _) = read("sep=|\r\nPartner ID|Agreement|Valid from\r\n42|a|2024-01-01\r\n");
    assert!(dialect.ends_with("pipe"), "{dialect}");
    let (dialect, _) =
        read("\"partner_id\";\"agreement, or so\";\"agreement\";\"valid_from\"\n42;x;a;2024-01-01\n");
    assert!(dialect.ends_with("semicolon"), "{dialect}");
    // What lacks is told with the delimiter that it probably is.
    let refusal = refused(b"partner_id;name;account_email;county;currency\n").to_string();
    assert!(refusal.contains("partners (lacks country; did you mean 'country' by 'county'?)"), "{refusal}");
    assert_eq!(refused(b"").code(), "file_empty");
    assert_eq!(refused(b"fruit;colour\n").code(), "file_unknown_kind");
    assert_eq!(refused(b"PK\x03\x04\x14\0\x06\0[Content_Types].xml").code(), "workbook_damaged");
    let old = [&b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1"[..], &[0; 5_000]].concat();
    assert!(refused(&old).to_string().contains("Office file of before 2007"));
    // Its name lies wherever in the file, also across two pieces that are read.
    for before in [0, HEAD - 9, HEAD, 3 * HEAD - 31] {
        let encrypted =
            [&b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1"[..], &vec![1; before], ENCRYPTED, &[0; 900]].concat();
        assert!(refused(&encrypted).to_string().contains("a workbook under a password"), "{before}");
    }
}

#[test]
fn f6_a_near_miss_of_a_column_refuses_the_file_and_names_it() {
    let header = "partner_id,order_id,offer,benefit,benefit_type,quantity,purchased_on,starts_on,expires_on";
    for (more, known) in
        [("Amount (USD)", "amount"), ("Currencies", "currency"), ("competancy", "competency")]
    {
        let refusal = refused(format!("{header},{more}\n").as_bytes());
        assert_eq!(refusal.code(), "file_misnamed_columns");
        let told =
            format!("column 10 '{more}' is not known in a file of entitlements; did you mean '{known}'?");
        assert!(refusal.to_string().starts_with(&told), "{refusal}");
    }
    read(&format!("{header},Sales region,Amount\n"));
    let refusal = refused(header.replace("expires_on", "Expires").as_bytes());
    assert_eq!(refusal.code(), "file_cut_off");
    let refusal = refused(format!("{}\n", header.replace("expires_on", "Expires")).as_bytes()).to_string();
    assert!(
        refusal.contains("entitlements (lacks expires_on; did you mean 'expires_on' by 'Expires'?)"),
        "{refusal}"
    );
}

#[test]
fn identifiers_stay_as_they_are_written_and_guarded_cells_lose_their_apostrophe() {
    let header = "partner_id;user;email;phone;language";
    let (_, rows) =
        read(&format!("{header}\n0042;1.234;'+x@a.example;'+46 8 1;sv\n1,234;3/4/2021;=x;''=y;'z\n"));
    assert_eq!(rows[0], ["0042", "1.234", "+x@a.example", "+46 8 1", "sv"]);
    assert_eq!(rows[1], ["1,234", "3/4/2021", "=x", "'=y", "'z"]);
    let users =
        "partner_id;object_id;user_principal_name;enabled\n42;o;a@b.example;SANT\n42;p;b@b.example;FALSE\n";
    let (_, rows) = read(users);
    assert_eq!((rows[0][3].as_str(), rows[1][3].as_str()), ("true", "FALSE"));
}

/// Day, cents, number of the order and reference.
type TableRow = ((i32, u32, u32), i64, u32, String);

/// How a table is written.
#[derive(Clone, Debug)]
struct Style {
    encoding: Encoding,
    marked: bool,
    delimiter: Delimiter,
    line_end: &'static str,
    decimal: char,
    group: Option<char>,
    date: usize,
}

fn style() -> impl Strategy<Value = Style> {
    let groups =
        vec![None, Some(' '), Some('\u{a0}'), Some('\u{202f}'), Some('\''), Some('’'), Some('.'), Some(',')];
    (
        proptest::sample::select(Encoding::ALL.to_vec()),
        any::<bool>(),
        proptest::sample::select(Delimiter::ALL.to_vec()),
        proptest::sample::select(vec!["\n", "\r\n", "\r\r\n"]),
        proptest::sample::select(vec!['.', ',']),
        proptest::sample::select(groups),
        0_usize..7,
    )
        .prop_map(|(encoding, marked, delimiter, line_end, decimal, group, date)| {
            let group = group.filter(|group| {
                *group != decimal && !(encoding == Encoding::Windows1252 && *group == '\u{202f}')
            });
            Style { encoding, marked, delimiter, line_end, decimal, group, date }
        })
}

impl Style {
    fn date(&self, (year, month, day): (i32, u32, u32)) -> String {
        match self.date {
            0 => format!("{year}-{month:02}-{day:02}"),
            1 => format!("{day:02}/{month:02}/{year}"),
            2 => format!("{month}/{day}/{year}"),
            3 => format!("{day:02}.{month:02}.{year}"),
            4 => format!("{year}/{month:02}/{day:02}"),
            5 => format!("{month}/{day}/{year} 1:25:31 PM"),
            _ => format!("{year}-{month:02}-{day:02} 19:49:35Z"),
        }
    }

    fn number(&self, minor: i64) -> String {
        let sign = if minor < 0 { "-" } else { "" };
        let whole = (minor.abs() / 100).to_string();
        let mut grouped = String::new();
        for (at, digit) in whole.chars().enumerate() {
            if at > 0 && (whole.len() - at).is_multiple_of(3) {
                grouped.extend(self.group);
            }
            grouped.push(digit);
        }
        format!("{sign}{grouped}{}{:02}", self.decimal, minor.abs() % 100)
    }

    fn file(&self, rows: &[TableRow]) -> Vec<u8> {
        let quoted = |cell: &str| format!("\"{}\"", cell.replace('"', "\"\""));
        let mut text = String::new();
        let mut line = |cells: &[String]| {
            text.push_str(&cells.join(&char::from(self.delimiter.byte()).to_string()));
            text.push_str(self.line_end);
        };
        line(
            &["partner_id", "order_id", "benefit", "used_on", "amount", "currency", "reference", "seats"]
                .map(str::to_owned),
        );
        for (date, minor, order, reference) in rows {
            line(&[
                "0042".to_owned(),
                format!("{order:05}"),
                "software".to_owned(),
                quoted(&self.date(*date)),
                quoted(&self.number(*minor)),
                "USD".to_owned(),
                quoted(reference),
                String::new(),
            ]);
        }
        let mut bytes = if self.marked { self.encoding.byte_order_mark().to_vec() } else { Vec::new() };
        self.encoding.write(&text, &mut bytes);
        bytes
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn one_table_in_any_dialect_is_one_and_the_same_or_refused(
        style in style(),
        rows in proptest::collection::vec(
            ((1990_i32..2100, 1_u32..13, 1_u32..29), -9_999_999_i64..99_999_999, 0_u32..99_999, "[a-cÅöé;,|\t\" ]{0,6}"), 1..6),
    ) {
        let bytes = style.file(&rows);
        match read_as(&bytes, &ReadAs::default()) {
            Err(refusal) => prop_assert_eq!(refusal.code(), "file_encoding_unsure"),
            Ok((dialect, taken)) => {
                prop_assert_eq!(taken.len(), rows.len());
                let mut refused = 0;
                for (row, (date, minor, order, reference)) in taken.iter().zip(&rows) {
                    let day = format!("{}-{:02}-{:02}", date.0, date.1, date.2);
                    let sign = if *minor < 0 { "-" } else { "" };
                    let amount = format!("{sign}{}.{:02}", minor.abs() / 100, minor.abs() % 100);
                    for (cell, meant) in row[3..5].iter().zip([day, amount]) {
                        if cell.starts_with(UNSETTLED) { refused += 1 } else { prop_assert_eq!(cell, &meant, "{}", &dialect) }
                    }
                    prop_assert_eq!(&row[1], &format!("{order:05}"));
                    prop_assert_eq!(&row[6], reference);
                }
                // Two decimals always say which mark they stand behind.
                let ordered = [1, 2, 5].contains(&style.date) && rows.iter().all(|(date, ..)| date.2 <= 12);
                prop_assert!(refused == 0 || ordered, "{:?} {}", style, dialect);
            }
        }
    }

    #[test]
    fn a_file_cut_anywhere_has_the_rows_before_and_one_that_was_cut_off(style in style(), at in 0_usize..400) {
        let rows: Vec<_> = (1..5).map(|nth| ((2024, 1, 12 + nth), 100_050 * i64::from(nth), nth, "å\"b".to_owned())).collect();
        let bytes = style.file(&rows);
        let Ok((_, whole)) = read_as(&bytes, &ReadAs::default()) else { return Ok(()) };
        let cut = &bytes[..at.min(bytes.len())];
        if let Ok((_, mut part)) = read_as(cut, &ReadAs::default()) {
            part.pop();
            // Of what is left of a file, fewer rows say how it is written.
            for (part, whole) in part.iter().zip(&whole) {
                for (part, whole) in part.iter().zip(whole) {
                    prop_assert!(part == whole || part.starts_with(UNSETTLED), "{part} {whole}");
                }
            }
        }
    }
}
