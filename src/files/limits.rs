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

/// The limits of a workbook, beside those of its rows: it is an archive, and what it unpacks to is read as a stream but for the
/// texts that its cells share, which are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WorkbookLimits {
    /// Bytes in the file.
    pub file_bytes: u64,
    /// Parts of the archive.
    pub parts: usize,
    /// Bytes that all parts together unpack to. A full sheet of a million rows and twelve columns has about half as many.
    pub unpacked_bytes: u64,
    /// Bytes that a part unpacks to which is kept in memory: any but a sheet.
    pub kept_bytes: u64,
    /// Texts that its cells may be said to share.
    pub shared_texts: u64,
    /// Bytes between two tags of its XML: those of a cell's text, each character written as a reference.
    pub text_bytes: usize,
    /// Characters in a cell, as many as spreadsheets allow.
    pub cell_characters: usize,
}

impl Default for WorkbookLimits {
    fn default() -> Self {
        Self {
            file_bytes: 128 << 20,
            parts: 10_000,
            unpacked_bytes: 1 << 30,
            kept_bytes: 64 << 20,
            shared_texts: 4_000_000,
            text_bytes: 1 << 20,
            cell_characters: 32_767,
        }
    }
}
