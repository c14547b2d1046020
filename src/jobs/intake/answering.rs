//! A file is handed back with an answer on every row.

use sqlx::PgConnection;

use super::{
    dropped::{Dropped, Taken},
    kept, rehearsed,
    said::{SaidOfRows, count},
};
use crate::{
    domain::id::FileNo,
    files::{
        answer,
        answer_writer::AnswerWriter,
        dialect::Dialect,
        keeping::{self, FileForm},
        profile::Profile,
        reader::{Limits, Record},
        source,
    },
    jobs::engine::{Context, Error, Result},
    store::{file, partner_snapshot},
};

/// So many of what a snapshot ends are named.
const NAMED: i64 = 20;

/// Hands the file back with an answer on every row.
pub(super) async fn answer(
    cx: &Context,
    conn: &mut PgConnection,
    dropped: &Dropped,
    file_id: FileNo,
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
    let header = Record::of(1, file::header(conn, file_id).await?.iter().map(String::as_str));
    let named = if cx.dry_run { i64::try_from(dropped.told_rows).unwrap_or(i64::MAX) } else { NAMED };
    let mut taken = Taken {
        problems,
        name: head.name.clone(),
        kind: profile.kind,
        portal: profile.conversion.as_ref().map(|conversion| conversion.portal.title.english),
        dialect,
        sheet: head.sheet.clone(),
        mapping: profile.mapping(&header),
        passed_over: 0,
        summed: 0,
        rows: vec![],
        tally: head.tally,
        not_applied: head.all_or_nothing && head.tally.rejected > 0,
        snapshot: partner_snapshot::outcome(conn, file_id, named).await?,
        answer: None,
        unknown: profile.unknown.clone(),
        kept: None,
    };
    if cx.dry_run {
        rehearsed::tell(cx, conn, dropped, file_id, &profile, &head, &mut taken).await?;
        return Ok(taken);
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
    let rows = source::reopen(&spooled, &dialect, head.complete, Limits::default());
    let rows = rows.map_err(|refusal| failed(refusal.into()))?;
    let language = kept::language(conn, dropped.partner.as_ref()).await?;
    let mut out = AnswerWriter::begin(rows, &target, language, secret).map_err(failed)?;
    let mut said = SaidOfRows::of(cx, conn, file_id, head.row_count).await?;
    loop {
        let rows = said.next(conn).await?;
        if rows.is_empty() {
            break;
        }
        for (_, status, mut problems) in rows {
            count(&mut taken, &problems);
            for problem in &mut problems {
                problem.column = profile.written(&problem.column).to_owned();
            }
            out.answer(status.answered(), &problems).map_err(failed)?;
        }
    }
    let named = |nth: u32| dropped.results.join(keeping::names(&head.name, form_of(&dialect), nth).answer);
    let answer = if dropped.claim.is_some() { out.finish() } else { out.finish_beside(named) };
    taken.answer = Some(answer.map_err(failed)?);
    Ok(taken)
}

/// The form of a file that is so written, and of its answer.
pub(super) const fn form_of(dialect: &Dialect) -> FileForm {
    if dialect.sheet.is_some() { FileForm::Workbook } else { FileForm::Text }
}
