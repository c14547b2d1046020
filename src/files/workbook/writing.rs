//! What workbooks that are written have in common.

use std::io;

use chrono::{Datelike, NaiveDate};
use rust_xlsxwriter::{DocProperties, ExcelDateTime, XlsxError};

/// How dates are shown.
pub const DATE: &str = "yyyy-mm-dd";
/// How dates with a time of day are shown.
pub const INSTANT: &str = "yyyy-mm-dd hh:mm:ss";
/// Behind names of columns: a light blue.
pub const HEADER_FILL: u32 = 0xDD_EB_F7;
/// Behind rows that were rejected: a light red.
pub const REJECTED_FILL: u32 = 0xFC_E4_D6;

/// Properties that say of two workbooks with the same cells that they are the same: no time at which they were made.
pub fn fixed() -> DocProperties {
    let properties = DocProperties::new().set_author("benefactor");
    match ExcelDateTime::from_ymd(2000, 1, 1) {
        Ok(made) => properties.set_creation_datetime(&made),
        Err(_) => properties,
    }
}

/// A date as spreadsheets store it.
pub fn serial(date: NaiveDate) -> f64 {
    /// Days from the first of January of the year 1 to the day before the last of 1899.
    const BEFORE: i32 = 693_594;
    f64::from(date.num_days_from_ce().saturating_sub(BEFORE))
}

/// Why a workbook could not be written.
pub fn failed(error: XlsxError) -> io::Error {
    match error {
        XlsxError::IoError(error) => error,
        error => io::Error::other(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_is_stored_as_spreadsheets_store_it() {
        assert_eq!(serial(NaiveDate::from_ymd_opt(2024, 1, 31).unwrap()).to_string(), "45322");
    }
}
