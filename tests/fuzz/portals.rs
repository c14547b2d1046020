//! The files of portals, one target each.

use std::collections::BTreeMap;

use benefactor::{
    domain::{id::PartnerId, kinds::Kind, reason::Reason},
    files::{
        Refusal, conversion::Sums, portals, portals::ecb_rates::RateColumns, reader::Record,
        row_note::RowNote, source::ReadAs,
    },
};

use super::{
    corpus, mutation,
    run::{Target, run},
    taken::{OnDisk, Taken, is_a_refusal, take, written},
};

/// What stands before a cell that could not be taken as canonical text.
const UNSETTLED: char = '\u{2}';

macro_rules! targets {
    ($($portal:ident of $folder:literal,)*) => {$(
        #[test]
        fn $portal() {
            run(Target {
                name: stringify!($portal),
                cases: 40,
                corpus: corpus::of_portal($folder),
                mutate: mutation::of_text,
                property,
            });
        }
    )*

        #[test]
        fn every_portal_has_a_target() {
            let targets = [$(stringify!($portal)),*];
            for portal in portals::ALL {
                assert!(targets.contains(&portal.name), "{}", portal.name);
            }
        }
    };
}

targets! {
    azure_sponsorship_usage of "azure_sponsorship_usage",
    ecb_rates of "ecb",
    entra_bulk_create of "entra_bulk_create",
    entra_bulk_invite of "entra_bulk_invite",
    entra_users of "entra_users",
    m365_users of "m365_users",
    partner_center_reconciliation of "partner_center_reconciliation",
    visual_studio_subscriptions of "visual_studio_subscriptions",
}

/// A row as it is staged: its cells by their columns, and what is said of it.
#[derive(Clone, Debug, PartialEq)]
struct Made {
    cells: BTreeMap<String, String>,
    note: Option<RowNote>,
}

/// A whole file.
fn whole() -> ReadAs {
    ReadAs { complete: true, ..ReadAs::default() }
}

fn property(bytes: &[u8]) {
    let file = OnDisk::of(bytes);
    let taken = match take(&file, &whole()) {
        Ok(taken) => taken,
        Err(refusal) => return is_a_refusal(&refusal, bytes),
    };
    let made = made(&taken);
    assert_eq!(made.len(), taken.read.len(), "a row on the stage for each row of the file");
    sums_are_those_of_the_rows(&taken, &made);
    let read: Vec<Vec<String>> =
        std::iter::once(taken.header.clone()).chain(taken.read.iter().map(|(_, row)| row.clone())).collect();
    // Rows of another width have cells of which nobody knows whose they are.
    let width = taken.header.len();
    if read.iter().any(|row| row.len() != width) {
        return;
    }
    let delimiter = char::from(taken.dialect.delimiter.byte()).to_string();
    let mut turns = vec![0, 1, width / 2, width - 1];
    turns.dedup();
    for turn in turns {
        let turned: Vec<Vec<String>> = read
            .iter()
            .map(|row| {
                let mut row = row.clone();
                row.rotate_left(turn.min(width));
                row
            })
            .collect();
        match again(&turned, &delimiter) {
            Ok(again) => assert_eq!(anywhere(again), anywhere(made.clone()), "columns turned by {turn}"),
            Err(refusal) => panic!("columns turned by {turn}: {refusal}"),
        }
    }
}

/// Rows without the numbers of the cells in which text stands that belongs to no column.
fn anywhere(mut made: Vec<Made>) -> Vec<Made> {
    for row in &mut made {
        if let Some(RowNote::Refused(problems)) = &mut row.note {
            for problem in problems {
                if let Reason::TextWithoutColumn { cell } = &mut problem.reason {
                    *cell = 0;
                }
            }
        }
    }
    made
}

fn again(rows: &[Vec<String>], delimiter: &str) -> Result<Vec<Made>, Refusal> {
    Ok(made(&take(&OnDisk::of(written(rows, delimiter).as_bytes()), &whole())?))
}

/// The rows of a file as they are staged.
fn made(taken: &Taken) -> Vec<Made> {
    let Some(conversion) = &taken.profile.conversion else { return of_kind(taken) };
    let (partner, mut sums) = (PartnerId::from("4100101"), Sums::default());
    let problem = |row: &Record| taken.profile.shape_problem(row);
    for row in &taken.rows {
        conversion.add(row, problem(row).is_none(), &partner, &mut sums);
    }
    let (header, mut into, mut made) = (conversion.header(), Record::default(), Vec::new());
    for row in &taken.rows {
        conversion.convert(row, problem(row), &partner, &sums, &mut into);
        assert_eq!((into.len(), into.line()), (header.len(), row.line()));
        let mut cells: BTreeMap<String, String> =
            header.iter().zip(into.iter()).map(|(name, cell)| (name.to_owned(), cell.to_owned())).collect();
        let note = cells.remove("note").filter(|note| !note.is_empty());
        let note = note.map(|note| RowNote::parse(&note).expect("a note is read as it is staged"));
        let told = matches!(note, Some(RowNote::PassedOver(_) | RowNote::Refused(_)));
        assert!(
            !told || cells.values().all(String::is_empty),
            "of a row that is passed over nothing is given"
        );
        made.push(Made { cells, note });
    }
    made
}

/// The rows of a file that is of a kind already.
fn of_kind(taken: &Taken) -> Vec<Made> {
    if taken.profile.kind == Kind::Rates {
        return days(taken);
    }
    let cells = |row: &Record| {
        let columns = row.iter().enumerate();
        let columns =
            columns.filter_map(|(at, cell)| Some((taken.profile.column_at(at)?.to_owned(), cell.to_owned())));
        Made { cells: columns.collect(), note: None }
    };
    taken.rows.iter().map(cells).collect()
}

/// Published days: every currency of the header has a rate, or none, or the day is refused.
fn days(taken: &Taken) -> Vec<Made> {
    let header = Record::of(1, taken.header.iter().map(String::as_str));
    let columns = RateColumns::of_header(&header).expect("a day is there");
    let day = |row: &Record| {
        let mut cells = BTreeMap::new();
        match columns.day(row) {
            Ok(day) => {
                cells.insert("date".to_owned(), day.on.to_string());
                for (currency, rate) in day.rates {
                    cells.insert(currency.code().to_owned(), format!("{rate:?}"));
                }
                for currency in day.without {
                    assert!(cells.insert(currency.code().to_owned(), "none".to_owned()).is_none());
                }
                Made { cells, note: None }
            }
            Err(mut problems) => {
                assert!(!problems.is_empty());
                problems.sort_by_key(|problem| format!("{problem:?}"));
                Made { cells, note: Some(RowNote::Refused(problems)) }
            }
        }
    };
    taken.rows.iter().map(day).collect()
}

/// A number with twenty decimals.
fn exact(text: &str) -> Option<i128> {
    let (sign, digits) = text.strip_prefix('-').map_or((1, text), |rest| (-1, rest));
    let (whole, decimals) = digits.split_once('.').unwrap_or((digits, ""));
    if digits.is_empty() || decimals.len() > 20 || whole.len() > 15 {
        return None;
    }
    let all = format!("{whole}{decimals:0<20}");
    all.parse::<i128>().ok().map(|number| sign * number)
}

/// Rows that are booked as one are given what all of them come to, and each of them says how many there are.
fn sums_are_those_of_the_rows(taken: &Taken, made: &[Made]) {
    let Some(conversion) = &taken.profile.conversion else { return };
    let Some(summing) = conversion.portal.sums else { return };
    let at = conversion.portal.reads.iter().position(|column| column.name() == summing.from);
    let names: Vec<String> =
        taken.header.iter().map(|name| benefactor::files::portal::told_apart(name)).collect();
    let Some(place) = at.and_then(|at| conversion.portal.places(&names)[at]) else { return };
    let mut sums = BTreeMap::<(&str, &str), (i128, usize, Vec<&str>)>::new();
    for (row, made) in taken.rows.iter().zip(made) {
        let whole = !matches!(made.note, Some(RowNote::PassedOver(_) | RowNote::Refused(_)));
        let cell = |name: &str| made.cells.get(name).map_or("", String::as_str);
        let written = row.get(place).unwrap_or_default().trim();
        // What nobody can add up is refused by its kind, with all that it is one with.
        let Some(number) = exact(written).filter(|_| whole && !written.starts_with(UNSETTLED)) else {
            continue;
        };
        let sum = sums.entry((cell("partner_id"), cell(summing.by))).or_default();
        sum.0 += number;
        sum.1 += 1;
        sum.2.push(cell(summing.of));
    }
    for (of, (sum, rows, given)) in sums {
        assert!(given.iter().all(|amount| *amount == given[0]), "{of:?}: {given:?}");
        let Some(amount) = exact(given[0]) else { continue };
        let cent = 10_i128.pow(20 - summing.places);
        assert!((amount - sum).abs() <= cent, "{of:?}: {rows} rows of {sum}, given {amount}");
    }
}
