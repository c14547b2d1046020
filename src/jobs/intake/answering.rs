//! A file is handed back with an answer on every row.

use std::{
    fs::File,
    path::{Path, PathBuf},
};

use sqlx::PgConnection;

use super::{
    dropped::{Dropped, Taken},
    staged::chunk_rows,
};
use crate::{
    domain::language::Language,
    files::{
        answer::{self, AnswerFile, RowStatus},
        profile::Profile,
        reader::{Limits, Reader, Record},
    },
    jobs::engine::{Context, Error, Result},
    store::file,
};

/// Where an answer of that name goes: where a folder stands in its place, a number tells them apart.
fn free_place(folder: &Path, name: &str) -> PathBuf {
    let stem = name.strip_suffix(".csv").unwrap_or(name);
    let numbered = |nth: u32| match nth {
        1 => folder.join(name),
        nth => {
            let ending = format!(".{nth}.csv");
            folder.join(format!("{}{ending}", answer::short(stem, answer::NAME_BYTES - ending.len())))
        }
    };
    (1..u32::MAX).map(numbered).find(|place| !place.is_dir()).unwrap_or_else(|| folder.join(name))
}

/// Hands the file back with an answer on every row.
pub(super) async fn answer(
    cx: &Context,
    conn: &mut PgConnection,
    dropped: &Dropped,
    file_id: i64,
    profile: Profile,
) -> Result<Taken> {
    let mut head = file::get(conn, file_id).await?;
    if let Some(name) = dropped.path.file_name().and_then(|name| name.to_str()) {
        name.clone_into(&mut head.name); // a file left by a crash may be dropped again under another name
    }
    let problems =
        file::answers(conn, file_id, 1, 2).await?.pop().map_or_else(Vec::new, |(.., problems)| problems);
    let secret = profile.kind.is_secret().then(|| profile.secret_places());
    let taken = |answer| Taken {
        problems,
        name: head.name.clone(),
        kind: profile.kind,
        tally: head.tally,
        answer,
        unknown: profile.unknown,
        kept: None,
    };
    if cx.dry_run {
        return Ok(taken(None));
    }
    tokio::fs::create_dir_all(&dropped.results).await.map_err(Error::file(&dropped.results))?;
    // A file that was begun before a crash may have been dropped under another name then.
    let name =
        dropped.path.file_name().map_or_else(|| head.name.clone().into(), |name| name.to_string_lossy());
    let target = free_place(&dropped.results, &answer::name_for(&name));
    let failed = |error: answer::AnswerError| {
        Error::file(&target)(match error {
            answer::AnswerError::Io(error) => error,
            other => std::io::Error::other(other),
        })
    };
    let spooled = cx.folders.spool().join(&head.sha256);
    let mut out =
        AnswerFile::begin(&spooled, &target, Limits::default(), Language::English).map_err(failed)?;
    if let Some(places) = secret {
        out = out.masking_keys(places);
    }
    let mut lines = Reader::open(File::open(&spooled).map_err(Error::file(&spooled))?, Limits::default())
        .map_err(|r| failed(r.into()))?;
    let mut record = Record::default();
    for (first_row, until_row, unchanged) in file::chunks(conn, file_id).await? {
        // A span of requests is the whole file; what is said of its rows is read in parts.
        let mut from = first_row;
        while from < until_row {
            let until = until_row.min(from.saturating_add(chunk_rows(cx)));
            let mut said = file::answers(conn, file_id, from, until).await?.into_iter().peekable();
            for row_no in from..until {
                lines.read(&mut record).map_err(|r| failed(r.into()))?;
                let (status, problems) = match said.next_if(|(no, ..)| *no == row_no) {
                    Some((_, status, problems)) => {
                        (RowStatus::parse(&status).unwrap_or(RowStatus::Rejected), problems)
                    }
                    None if unchanged.binary_search(&row_no).is_ok() => (RowStatus::Unchanged, vec![]),
                    None => (RowStatus::Applied, vec![]),
                };
                out.answer(record.line(), status, &problems).map_err(failed)?;
            }
            from = until;
        }
    }
    Ok(taken(Some(out.finish().map_err(failed)?)))
}
