//! Reference rates as the European Central Bank publishes them, of a day or of all days (D4).

use chrono::NaiveDate;

use super::{
    super::money::PerEuro,
    schema::{Field, RowMeaning, Schema, Type, Typed, ask, key, kind, required},
    types::DATE,
};

const PUBLISHED_ON: Field<NaiveDate> =
    key("date", DATE).help("The day it was published; the first column, also written 6 February 2026");
const USD: Field<PerEuro> =
    required("usd", Typed { of: Type::Rate, parse: PerEuro::parse }).help("Dollars for one euro");

/// The kind. What is read of a row is in `files::rates`: a column a currency is no fixed list of columns.
pub const KIND: Schema =
    kind("rates", RowMeaning::Event, "Reference rates as the European Central Bank publishes them (D4)")
        .columns(&[PUBLISHED_ON.column, USD.column])
        .and_currencies()
        .examples(&["2024-01-31,1.0837"])
        .asks(&[ask("rate", "State a reference rate of the dollar: dollars for one euro (D4)")]);
