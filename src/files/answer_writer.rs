//! An answer in the form of its file: text for text, a workbook for a workbook.

use std::path::{Path, PathBuf};

use super::{
    answer::{AnswerError, AnswerFile, RowStatus, put, put_beside},
    source::FileRows,
    workbook::answer::AnswerBook,
};
use crate::domain::{language::Language, reason::Problem};

/// An answer being written, row by row. Dropped before it is finished it leaves nothing behind.
pub enum AnswerWriter {
    /// To a text.
    Text(Box<AnswerFile>),
    /// To a workbook.
    Workbook(Box<AnswerBook>),
}

impl AnswerWriter {
    /// Begins the answer at `target` to the rows that `rows` has yet to give, with its reasons in `language`; of a file of
    /// product keys, which are the cells at `secret`, without any key (promise 11).
    ///
    /// # Errors
    /// The disk's.
    pub fn begin(
        rows: FileRows,
        target: &Path,
        language: Language,
        secret: Option<Vec<usize>>,
    ) -> Result<Self, AnswerError> {
        Ok(match rows {
            FileRows::Text(reader) => {
                let answer = AnswerFile::begin(*reader, target, language)?;
                Self::Text(Box::new(match secret {
                    Some(places) => answer.masking_keys(places),
                    None => answer,
                }))
            }
            FileRows::Sheet(rows) => {
                let answer = AnswerBook::begin(rows, target, language)?;
                Self::Workbook(Box::new(match secret {
                    Some(places) => answer.masking_keys(places),
                    None => answer,
                }))
            }
        })
    }

    /// Answers the next row.
    ///
    /// # Errors
    /// The disk's; there is no such row.
    pub fn answer(&mut self, status: RowStatus, problems: &[Problem]) -> Result<(), AnswerError> {
        match self {
            Self::Text(answer) => answer.answer(status, problems),
            Self::Workbook(answer) => answer.answer(status, problems),
        }
    }

    /// Puts the whole answer in its place. Every row must have been answered.
    ///
    /// # Errors
    /// The disk's; a row was not answered.
    pub fn finish(self) -> Result<PathBuf, AnswerError> {
        let target = match &self {
            Self::Text(answer) => answer.target(),
            Self::Workbook(answer) => answer.target(),
        };
        let target = target.to_owned();
        put(self.whole()?, &target)?;
        Ok(target)
    }

    /// Puts the whole answer under the first of the names that `named` gives for 1, 2, … under which there is nothing, or the
    /// same answer already. Every row must have been answered.
    ///
    /// # Errors
    /// The disk's; a row was not answered.
    pub fn finish_beside(self, named: impl Fn(u32) -> PathBuf) -> Result<PathBuf, AnswerError> {
        put_beside(self.whole()?, named)
    }

    fn whole(self) -> Result<tempfile::NamedTempFile, AnswerError> {
        match self {
            Self::Text(answer) => answer.whole(),
            Self::Workbook(answer) => answer.whole(),
        }
    }
}
