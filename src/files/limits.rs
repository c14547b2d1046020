//! How large a file and its parts may be.

/// The limits of a file; each has its own [`Refusal`](super::Refusal).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes in the file.
    pub file_bytes: u64,
    /// Bytes in one record, line ends within quotes included.
    pub record_bytes: usize,
    /// Bytes in one cell as written.
    pub cell_bytes: usize,
    /// Cells in one record.
    pub columns: usize,
    /// Records after the header.
    pub rows: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            file_bytes: 4 << 30,
            record_bytes: 1 << 20,
            cell_bytes: 64 << 10,
            columns: 256,
            rows: 20_000_000,
        }
    }
}
