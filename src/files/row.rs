//! A file of one row, written for whoever asks by a command.

use std::io;

/// Header and row of these columns and cells, in canonical form.
///
/// # Errors
/// None that memory does not give.
pub fn of_one(cells: &[(String, String)]) -> io::Result<Vec<u8>> {
    let mut csv = csv::Writer::from_writer(Vec::new());
    csv.write_record(cells.iter().map(|(column, _)| column))?;
    csv.write_record(cells.iter().map(|(_, value)| value))?;
    csv.into_inner().map_err(csv::IntoInnerError::into_error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_that_need_quotes_have_them() {
        let cell = |column: &str, value: &str| (column.to_owned(), value.to_owned());
        let file = of_one(&[cell("name", "Harbor & Pine, Inc."), cell("note", "say \"hi\"")]).unwrap();
        assert_eq!(file, b"name,note\n\"Harbor & Pine, Inc.\",\"say \"\"hi\"\"\"\n");
    }
}
