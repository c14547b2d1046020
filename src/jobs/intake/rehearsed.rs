//! What a dry run tells of a file's rows, one by one: what each would become, and why.

use std::collections::BTreeMap;

use sqlx::PgConnection;

use super::{
    dropped::{Dropped, RowTold, Taken},
    said::{SaidOfRows, count},
    spooled::SpooledRows,
};
use crate::{
    domain::{id::FileNo, license_key},
    files::{answer::RowStatus, profile::Profile, reader::normalised},
    jobs::engine::{Context, Error, Result},
    store::file::RecordedFile,
};

/// Tells the first rows of each outcome, as many as are asked for.
pub async fn tell(
    cx: &Context,
    conn: &mut PgConnection,
    dropped: &Dropped,
    file_id: FileNo,
    profile: &Profile,
    head: &RecordedFile,
    taken: &mut Taken,
) -> Result<()> {
    let (mut chosen, mut seen) = (BTreeMap::new(), [0_usize; 5]);
    let mut said = SaidOfRows::of(cx, conn, file_id, head.row_count).await?;
    loop {
        let rows = said.next(conn).await?;
        if rows.is_empty() {
            break;
        }
        for (row_no, status, problems) in rows {
            count(taken, &problems);
            let seen = match status {
                RowStatus::Applied => &mut seen[0],
                RowStatus::Changed => &mut seen[1],
                RowStatus::Waiting => &mut seen[2],
                RowStatus::Unchanged => &mut seen[3],
                RowStatus::Rejected => &mut seen[4],
            };
            *seen += 1;
            if *seen <= dropped.told_rows {
                chosen.insert(row_no, (status, problems));
            }
        }
    }
    if chosen.is_empty() {
        return Ok(());
    }
    let path = cx.folders.spool().join(&head.sha256);
    let unreadable = |refusal| Error::file(&path)(std::io::Error::other(refusal));
    let rows =
        SpooledRows::again(path.clone(), profile, taken.dialect, head.complete, dropped.partner.clone())
            .map_err(unreadable)?;
    let columns = profile.kind.columns();
    let mut row_no = 0;
    rows.each(|header, record| {
        row_no += 1;
        let Some((status, mut problems)) = chosen.remove(&row_no) else { return !chosen.is_empty() };
        let cell = |(name, cell): (&str, &str)| {
            let canonical = normalised(name);
            let column = columns.iter().find(|column| column.name == canonical);
            let known = column.is_some() || profile.kind.schema().currencies;
            let said = match column {
                Some(column) if column.secret => license_key::masked_cell(cell),
                _ => cell.trim().to_owned(),
            };
            (known && !said.is_empty()).then_some((name.trim().to_owned(), said))
        };
        for problem in &mut problems {
            problem.column = profile.written(&problem.column).to_owned();
        }
        let cells = header.iter().zip(record.iter()).filter_map(cell).collect();
        taken.rows.push(RowTold { line: record.line(), status, cells, problems });
        !chosen.is_empty()
    })
    .map_err(unreadable)
}
