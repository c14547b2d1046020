//! COPY, which `query!` cannot check: column lists from one constant a table, compared with the schema in tests.

use std::fmt::Write as _;

use chrono::NaiveDate;
use sqlx::PgConnection;

use super::Result;

/// Tables written by COPY, with the columns that are.
pub const COLUMNS: [(&str, &str); 20] = [
    (
        "transfer",
        "partner_id, entitlement_id, run_id, kind, from_account, to_account, period_no, correction_no, period_from, \
         period_until, effective_on, amount_minor, currency, usd_minor, rate_nano, rate_on, usage_id, corrects, rule, \
         request_no",
    ),
    (
        "request",
        "request_no, partner_id, kind, request_key, content, membership_id, entitlement_id, requested_by, requested_on, \
         file_id, line, status",
    ),
    (
        "decision",
        "partner_id, request_no, subject_kind, subject, action, requested_by, outcome, reasons, earliest_on, decided_on, \
         file_id, content",
    ),
    (
        "assignment",
        "partner_id, entitlement_id, user_id, assigned_on, removed_on, seat_no, request_no, removed_by_no",
    ),
    (
        "license_key",
        "key_id, partner_id, entitlement_id, sealed, lookup, tail, seats, months, product, language, os, download_url, \
         instructions, known_on, file_id, line",
    ),
    ("key_reveal", "key_id, partner_id, revealed_on, revealed_by, request_no"),
    (
        "redemption",
        "key_id, partner_id, entitlement_id, benefit, mode, redeemed_on, tenant_id, seats_before, ends_before, seats, \
         ends_on, request_no",
    ),
    ("benefit_use", "partner_id, entitlement_id, event, used_on, used_by, request_no"),
    ("activation", "entitlement_id, partner_id, activated_on, live_on, request_no"),
    ("support_contract", "membership_id, partner_id, access_id, contract_id, activated_on, request_no"),
    (
        "membership",
        "membership_id, partner_id, order_id, offer, purchased_on, starts_on, anniversary_on, status",
    ),
    (
        "entitlement",
        "entitlement_id, partner_id, membership_id, benefit, benefit_type, quantity, starts_on, expires_on, \
         last_usable_on, amount_minor, currency, competency, subscription_id, known_on",
    ),
    ("credit_schedule", "entitlement_id, partner_id, next_period_no, next_on, open_minor, waits"),
    ("credit_usage", "partner_id, entitlement_id, reference, used_on, amount_minor, currency, file_id, line"),
    ("rate_open", "currency, published_on, per_euro_micro, before_on, before_micro, file_id"),
    ("reference_rate", "currency, published_on, per_euro_micro, file_id"),
    ("staged_row", "file_id, bucket, row_no, line, cells, order_on"),
    ("staged_repeat", "file_id, row_no, other_line"),
    ("row_answer", "file_id, row_no, line, status, problems"),
    (
        "entitlement_version",
        "entitlement_id, version_no, partner_id, file_id, line, run_id, quantity, starts_on, expires_on, \
         amount_minor, currency, competency, subscription_id, benefit_type, ended_on, ended_as",
    ),
];

/// Bytes that are sent at once.
const BATCH: usize = 1 << 18;

/// Rows on their way into a table, in COPY's text format.
#[derive(Debug)]
pub struct CopyRows {
    table: &'static str,
    text: String,
    count: u64,
}

impl CopyRows {
    /// For a table of [`COLUMNS`].
    #[must_use]
    pub fn into(table: &'static str) -> Self {
        Self { table, text: String::new(), count: 0 }
    }

    /// Adds a cell.
    pub fn cell(&mut self, value: impl std::fmt::Display) -> &mut Self {
        // Writing to a string cannot fail.
        let _ = write!(self.text, "{value}\t");
        self
    }

    /// Adds a cell of text, escaped.
    pub fn text(&mut self, value: &str) -> &mut Self {
        for c in value.chars() {
            match c {
                '\\' => self.text.push_str("\\\\"),
                '\t' => self.text.push_str("\\t"),
                '\n' => self.text.push_str("\\n"),
                '\r' => self.text.push_str("\\r"),
                c => self.text.push(c),
            }
        }
        self.text.push('\t');
        self
    }

    /// Adds a cell of bytes.
    pub fn bytes(&mut self, value: &[u8]) -> &mut Self {
        self.text.push_str("\\\\x");
        for byte in value {
            let _ = write!(self.text, "{byte:02x}");
        }
        self.text.push('\t');
        self
    }

    /// Adds a cell that may be null.
    pub fn maybe(&mut self, value: Option<impl std::fmt::Display>) -> &mut Self {
        match value {
            Some(value) => self.cell(value),
            None => self.null(),
        }
    }

    /// Adds a cell of text that may be null.
    pub fn maybe_text(&mut self, value: Option<&str>) -> &mut Self {
        match value {
            Some(value) => self.text(value),
            None => self.null(),
        }
    }

    /// Adds a date: chrono's own writing of it is several times slower.
    pub fn date(&mut self, day: NaiveDate) -> &mut Self {
        use chrono::Datelike as _;
        let _ = write!(self.text, "{:04}-{:02}-{:02}\t", day.year(), day.month(), day.day());
        self
    }

    /// Adds a cell that is null.
    pub fn null(&mut self) -> &mut Self {
        self.text.push_str("\\N\t");
        self
    }

    /// Ends the row.
    pub fn end(&mut self) {
        self.text.pop();
        self.text.push('\n');
        self.count += 1;
    }

    /// Rows added so far.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.count
    }

    /// Whether none was.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Writes them, in the transaction that `conn` is in.
    pub async fn copy(self, conn: &mut PgConnection) -> Result<u64> {
        if self.count == 0 {
            return Ok(0);
        }
        let columns =
            COLUMNS.iter().find(|(table, _)| *table == self.table).map_or("", |(_, columns)| columns);
        let statement = format!("copy {} ({columns}) from stdin", self.table);
        let mut copy = conn.copy_in_raw(&statement).await?;
        for part in self.text.as_bytes().chunks(BATCH) {
            copy.send(part).await?;
        }
        Ok(copy.finish().await?)
    }
}
