//! How cells are read; and what the tests of kinds read them with.

use chrono::NaiveDate;

use super::{
    super::{
        forms::{date, date_or_instant, digits, guid, id, language_tag, text},
        schema::{optional, required},
        types::{FLAG, ID},
    },
    *,
};

/// Reads `pairs` of column and cell as a row of a kind; columns not named are absent.
pub fn parse<T>(
    columns: &'static [Column],
    parse: impl FnOnce(&Cells<'_>) -> Result<T, Vec<Problem>>,
    pairs: &[(&str, &str)],
) -> Result<T, Vec<Problem>> {
    let place = |column: &Column| pairs.iter().position(|(name, _)| *name == column.name);
    for (name, _) in pairs {
        assert!(columns.iter().any(|column| column.name == *name), "{name} is no column");
    }
    let places: Vec<_> = columns.iter().map(place).collect();
    let text: String = pairs.iter().map(|(_, cell)| *cell).collect();
    let mut end = 0_usize;
    let ends: Vec<_> = pairs
        .iter()
        .map(|(_, cell)| {
            end = end.saturating_add(cell.len());
            end
        })
        .collect();
    parse(&Cells::new(columns, &places, &text, &ends))
}

/// `base` with some cells changed or added.
pub fn with<'a>(base: &[(&'a str, &'a str)], changes: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let kept = base.iter().filter(|(name, _)| !changes.iter().any(|(changed, _)| changed == name));
    kept.chain(changes).copied().collect()
}

/// A problem: column, value, what was expected.
pub fn bad(column: &str, value: &str, expected: Expected) -> Problem {
    Problem::at(column, value, Reason::Invalid { expected, meant: None })
}

/// Each change alone makes exactly the problem that it should: the column, its cell, what is expected.
pub fn each_alone<T: std::fmt::Debug>(
    columns: &'static [Column],
    read: impl Fn(&Cells<'_>) -> Result<T, Vec<Problem>>,
    base: &[(&str, &str)],
    cases: &[(&str, &str, Expected)],
) {
    for (column, cell, expected) in cases {
        let problems = parse(columns, &read, &with(base, &[(column, cell)])).unwrap_err();
        let of = columns.iter().find(|known| known.name == *column).unwrap().of;
        let reason = Reason::Invalid { expected: *expected, meant: of.meant(cell) };
        assert_eq!(problems, [Problem::at(column, cell, reason)]);
    }
}

#[test]
fn d16_an_absent_column_keeps_and_an_empty_cell_clears() {
    const A: Field<String> = required("a", ID);
    const B: Field<bool> = optional("b", FLAG);
    const COLUMNS: &[Column] = &[A.column, B.column];
    let read = |cells: &Cells<'_>| {
        let mut row = cells.read();
        let b = row.patch(&B);
        row.finish(b)
    };
    assert_eq!(parse(COLUMNS, read, &[("a", "1")]), Ok(Patch::Keep));
    assert_eq!(parse(COLUMNS, read, &[("a", "1"), ("b", " \u{a0}")]), Ok(Patch::Clear));
    assert_eq!(parse(COLUMNS, read, &[("a", "1"), ("b", " True ")]), Ok(Patch::Set(true)));
    assert_eq!(parse(COLUMNS, read, &[("b", "kanske")]), Err(vec![bad("b", "kanske", Expected::Flag)]));
    assert_eq!(Patch::Keep.onto(Some(1)), Some(1));
    assert_eq!(Patch::Clear.onto(Some(1)), None);
    assert_eq!(Patch::Set(2).onto(Some(1)), Some(2));
}

#[test]
fn d1_an_instant_counts_on_its_utc_date() {
    let day = |text| date_or_instant(text).map(|day| day.to_string());
    assert_eq!(day("2024-03-01"), Some("2024-03-01".into()));
    assert_eq!(day("2024-03-01T00:30:00+02:00"), Some("2024-02-29".into()));
    assert_eq!(day("2023-12-31T23:30:00-01:00"), Some("2024-01-01".into()));
    assert_eq!(day("2024-03-01T12:00:00Z"), Some("2024-03-01".into()));
    for bad in ["2024-03-01T12:00:00", "2024-03-01T25:00:00Z", "1 March 2024"] {
        assert_eq!(day(bad), None, "{bad}");
    }
}

#[test]
fn dates_are_iso_to_the_digit() {
    assert_eq!(date("2024-02-29"), NaiveDate::from_ymd_opt(2024, 2, 29));
    for bad in
        ["2023-02-29", "2024-2-9", "20240229", "+024-02-29", "2024/02/29", "2024-02-29 ", "２０24-02-2"]
    {
        assert_eq!(date(bad), None, "{bad}");
    }
}

#[test]
fn identifiers_guids_and_tags_have_their_shapes() {
    assert_eq!(digits("0042").as_deref(), Some("0042"));
    assert!(digits("4 2").is_none() && digits("-4").is_none() && digits("٤").is_none());
    assert!(digits("123456789012345678901").is_none());
    assert!(
        id("A-1/x").is_some()
            && id("a b").is_none()
            && id("a\u{7}").is_none()
            && id(&"x".repeat(201)).is_none()
    );
    let upper = "72F988BF-86F1-41AF-91AB-2D7CD011DB47";
    assert_eq!(guid(upper), Some(upper.to_lowercase()));
    assert!(guid("72F988BF86F141AF91AB2D7CD011DB47").is_none() && guid(&upper.replace('F', "G")).is_none());
    for tag in ["sv", "sv-SE", "zh-Hant-TW", "es-419"] {
        assert_eq!(language_tag(tag).as_deref(), Some(tag));
    }
    assert_eq!(language_tag("SV-se").as_deref(), Some("sv-SE"));
    for (written, kept) in [("swe", "sv"), ("SWE-fi", "sv-FI"), ("yue-hk", "yue-HK"), ("nb", "nb")] {
        assert_eq!(language_tag(written).as_deref(), Some(kept));
    }
    for bad in [
        "s",
        "swedish language",
        "sv_SE",
        "sv-",
        "4v",
        "swedish",
        "svenska-SE",
        "svsv",
        "qq",
        "xx-SE",
        "zzz",
        "x-private",
        "i-klingon",
    ] {
        assert_eq!(language_tag(bad), None, "{bad}");
    }
    assert!(text::<3>("åäö").is_some() && text::<3>("abcd").is_none() && text::<9>("a\nb").is_none());
}

#[test]
fn a_problem_repeats_a_bounded_part_of_a_long_cell() {
    let long = "å".repeat(5_000);
    let problem = invalid("b", &long, Expected::Flag);
    assert_eq!(problem.value.chars().count(), 201);
    assert!(problem.value.ends_with('…'));
}
