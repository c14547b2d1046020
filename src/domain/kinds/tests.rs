//! Every declaration holds together.

use std::collections::BTreeSet;

use super::{
    super::reason::Reason,
    schema::{RowMeaning, Type},
    *,
};

/// What is wrong with a row of these columns and cells.
fn problems(kind: Kind, pairs: &[(&str, &str)]) -> Vec<Problem> {
    cell::tests::parse(kind.columns(), |cells| Ok(kind.problems(cells)), pairs).unwrap()
}

#[test]
fn every_example_is_a_row_that_is_read() {
    for kind in Kind::ALL {
        assert!(!kind.schema().examples.is_empty(), "{kind}");
        for example in kind.schema().examples {
            let cells: Vec<&str> = example.split(',').collect();
            assert_eq!(cells.len(), kind.columns().len(), "{kind}: {example}");
            let pairs: Vec<(&str, &str)> =
                kind.columns().iter().zip(cells).map(|(column, cell)| (column.name, cell)).collect();
            assert_eq!(problems(*kind, &pairs), [], "{kind}: {example}");
        }
    }
}

#[test]
fn every_column_has_its_help_and_stands_once_and_every_kind_has_a_key_that_begins_with_its_partner() {
    for kind in Kind::ALL {
        let names: BTreeSet<&str> = kind.columns().iter().map(|column| column.name).collect();
        assert_eq!(names.len(), kind.columns().len(), "{kind} names a column twice");
        assert!(kind.columns().iter().all(|column| !column.help.is_empty()), "{kind}");
        let first = kind.columns()[0];
        assert!(first.key && (*kind == Kind::Rates || first.name == "partner_id"), "{kind}");
        assert_eq!(Kind::parse(&kind.name().to_uppercase().replace('_', "-")), Some(*kind));
        let requested = kind.columns().iter().any(|column| column.of == Type::Instant && column.required);
        assert_eq!(kind.schema().facts == RowMeaning::Request, requested, "{kind}");
    }
}

#[test]
fn a_cell_that_its_columns_type_does_not_hold_is_told_what_that_type_expects() {
    for kind in Kind::ALL.iter().filter(|kind| **kind != Kind::Rates) {
        let example = kind.schema().examples[0];
        for (at, column) in kind.columns().iter().enumerate() {
            let bad = "\u{7}";
            let pairs: Vec<(&str, &str)> = kind
                .columns()
                .iter()
                .zip(example.split(','))
                .enumerate()
                .map(|(nth, (column, cell))| (column.name, if nth == at { bad } else { cell }))
                .collect();
            let problems = problems(*kind, &pairs);
            // A cell that means nothing to this row's request is not looked at.
            if problems.is_empty() {
                continue;
            }
            let expected = column.of.expected();
            let told = problems.iter().find(|problem| problem.column == column.name);
            assert_eq!(
                told.map(|problem| &problem.reason),
                Some(&Reason::Invalid { expected, meant: None }),
                "{kind}.{}",
                column.name
            );
        }
    }
}

#[test]
fn a_word_of_a_list_may_be_written_in_any_case() {
    let mut words = 0;
    for kind in Kind::ALL {
        for example in kind.schema().examples {
            let cells = kind.columns().iter().zip(example.split(',')).map(|(column, cell)| match column.of {
                Type::OneOf(..) => (column.name, cell.to_uppercase()),
                _ => (column.name, cell.to_owned()),
            });
            let cells: Vec<(&str, String)> = cells.collect();
            words +=
                cells.iter().zip(example.split(',')).filter(|((_, cell), written)| cell != written).count();
            let pairs: Vec<(&str, &str)> = cells.iter().map(|(name, cell)| (*name, cell.as_str())).collect();
            assert_eq!(problems(*kind, &pairs), [], "{kind}: {pairs:?}");
        }
    }
    assert!(words >= 8, "{words}");
}
