//! An empty file of a kind, to be filled in: its header, and a row that shows how and is passed over when the file is taken in.

use std::io;

use super::portal::EXAMPLE;
use crate::domain::kinds::Kind;

/// The row that shows how a file of a kind is filled in: the first of its examples, whose first cell is marked as one.
#[must_use]
pub fn example(kind: Kind) -> Vec<String> {
    let row = kind.schema().examples.first().copied().unwrap_or_default();
    let cells = row.split(',').enumerate();
    cells.map(|(at, cell)| if at == 0 { format!("{EXAMPLE} {cell}") } else { cell.to_owned() }).collect()
}

/// The template of a kind in the canonical form.
///
/// # Errors
/// None that memory does not give.
pub fn csv(kind: Kind) -> io::Result<Vec<u8>> {
    let mut csv = csv::Writer::from_writer(Vec::new());
    csv.write_record(kind.columns().iter().map(|column| column.name))?;
    csv.write_record(example(kind))?;
    csv.into_inner().map_err(csv::IntoInnerError::into_error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_a_template_with_a_cell_for_every_column() {
        for kind in Kind::ALL {
            let row = example(*kind);
            assert_eq!(row.len(), kind.columns().len(), "{kind}");
            assert!(row[0].starts_with("Example: "), "{kind}");
        }
        let agreements = String::from_utf8(csv(Kind::Agreements).unwrap()).unwrap();
        assert_eq!(
            agreements,
            "partner_id,agreement,valid_from,valid_until\nExample: 4100101,csp,2024-03-01,\n"
        );
    }
}
