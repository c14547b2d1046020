//! A file is handed back with an answer on every row.

use sqlx::PgConnection;

use super::{
    dropped::{Dropped, Taken},
    staged::chunk_rows,
};
use crate::{
    domain::language::Language,
    files::{
        answer::{self, AnswerFile, RowStatus},
        dialect::Dialect,
        keeping,
        profile::Profile,
        reader::Limits,
        source,
    },
    jobs::engine::{Context, Error, Result},
    store::file,
};

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
    let dialect = Dialect::remembered(&head.dialect);
    let taken = |answer| Taken {
        problems,
        name: head.name.clone(),
        kind: profile.kind,
        dialect,
        tally: head.tally,
        answer,
        unknown: profile.unknown,
        kept: None,
    };
    if cx.dry_run {
        return Ok(taken(None));
    }
    let target = match &dropped.claim {
        Some(claim) => claim.answer(),
        None => dropped.results.join(&head.name),
    };
    if let Some(folder) = target.parent() {
        tokio::fs::create_dir_all(folder).await.map_err(Error::file(folder))?;
    }
    let failed = |error: answer::AnswerError| {
        Error::file(&target)(match error {
            answer::AnswerError::Io(error) => error,
            other => std::io::Error::other(other),
        })
    };
    let spooled = cx.folders.spool().join(&head.sha256);
    let reader = source::reopen(&spooled, &dialect, head.complete, Limits::default());
    let reader = reader.map_err(|refusal| failed(refusal.into()))?;
    let mut out = AnswerFile::begin(reader, &target, Language::English).map_err(failed)?;
    if let Some(places) = secret {
        out = out.masking_keys(places);
    }
    for (first_row, until_row, unchanged) in file::chunks(conn, file_id).await? {
        // A span of requests is the whole file; what is said of its rows is read in parts.
        let mut from = first_row;
        while from < until_row {
            let until = until_row.min(from.saturating_add(chunk_rows(cx)));
            let mut said = file::answers(conn, file_id, from, until).await?.into_iter().peekable();
            for row_no in from..until {
                let (status, problems) = match said.next_if(|(no, ..)| *no == row_no) {
                    Some((_, status, problems)) => {
                        (RowStatus::parse(&status).unwrap_or(RowStatus::Rejected), problems)
                    }
                    None if unchanged.binary_search(&row_no).is_ok() => (RowStatus::Unchanged, vec![]),
                    None => (RowStatus::Applied, vec![]),
                };
                out.answer(status, &problems).map_err(failed)?;
            }
            from = until;
        }
    }
    let answer = match &dropped.claim {
        Some(_) => out.finish(),
        None => out.finish_beside(|nth| dropped.results.join(keeping::names(&head.name, nth).answer)),
    };
    Ok(taken(Some(answer.map_err(failed)?)))
}
