//! A staged file and its rows: what every kind needs to decide them, and what becomes of a row.

use std::{
    collections::{BTreeSet, HashMap},
    ops::RangeInclusive,
};

use chrono::NaiveDate;
use sqlx::PgConnection;

use crate::{
    domain::{
        calendar::add_days,
        directory_role::Role,
        id::{FileNo, OrderId, PartnerId, PartnerNo},
        kinds::{
            Kind,
            cell::{self, Cells},
            forms,
            schema::{Column, Type},
            traces::{self, IdentifierForm},
        },
        reason::{Problem, Reason},
        request::OPERATOR,
        role::Action,
    },
    files::{
        answer::RowStatus,
        dialect::{self, Dialect},
        file_reason::FileReason,
        portal::shows_example,
        profile::Profile,
        reader::Record,
        row_note::RowNote,
    },
    jobs::engine::{Context, Result},
    store::{
        directory::{Directory, DirectoryUser},
        file::{CELL_END, RowAnswer, StagedRow},
        intake::StoredOrder,
    },
};

/// The stem of the job that takes files in.
pub const NAME: &str = "import_entitlements";

/// What became of a file at the door.
pub enum Staging {
    Staged(FileNo, Profile),
    Known { kind: Kind },
    Refused(FileReason),
    Guarded(FileReason),
    GivenUp(FileReason),
}

/// A staged file, ready to be applied.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "what is known of a file, each read by its name")]
pub struct StagedFile {
    /// Its number.
    pub file_id: FileNo,
    /// Where the columns of its staged rows are.
    pub profile: Profile,
    /// The header of its staged rows.
    pub header: Record,
    /// It is a portal's: behind the cells of each staged row is a note.
    pub of_portal: bool,
    /// How it is written.
    pub dialect: Dialect,
    /// Which characters its identifiers may have.
    pub identifiers: IdentifierForm,
    /// Whose rows it may hold.
    pub partner_id: Option<PartnerNo>,
    /// The Partner ID of that partner, or nothing.
    pub partner_number: PartnerId,
    /// The business date of its arrival.
    pub received_on: NaiveDate,
    /// Requests dated long before need no operator.
    pub accept_backdated: bool,
    /// Its rows may name the operator as who asks.
    pub by_operator: bool,
    /// New identifiers that are like known ones are taken in.
    pub accept_alike: bool,
    /// If a row is rejected, nothing of it is applied.
    pub all_or_nothing: bool,
    /// Tries of it that nobody came back from.
    pub attempts: i32,
    /// The dates that its rows may hold.
    pub dates: RangeInclusive<NaiveDate>,
}

impl StagedFile {
    /// What the column at a place is called.
    fn column_at(&self, place: usize) -> &str {
        self.profile.column_at(place).or_else(|| self.header.get(place).map(str::trim)).unwrap_or_default()
    }

    /// The partner that a row names, if it is known and the file may hold its rows.
    pub fn admit(
        &self,
        number: &PartnerId,
        known: Option<PartnerNo>,
    ) -> std::result::Result<PartnerNo, Problem> {
        let reason = match known {
            None => Reason::UnknownPartner,
            Some(partner_id) if self.partner_id.is_some_and(|own| own != partner_id) => {
                Reason::OtherPartner { partner_id: self.partner_number.clone() }
            }
            Some(partner_id) => return Ok(partner_id),
        };
        Err(Problem::at("partner_id", number.as_str(), reason))
    }
}

/// What rows name, each once.
pub fn distinct<'r, R: 'r, T: Clone + Ord + 'r>(
    rows: impl Iterator<Item = &'r R>,
    of: fn(&R) -> &T,
) -> Vec<T> {
    rows.map(of).collect::<BTreeSet<_>>().into_iter().cloned().collect()
}

/// The order that a row names, if it is known and that partner's.
pub fn order_of<'a>(
    orders: &'a HashMap<OrderId, StoredOrder>,
    order_id: &OrderId,
    partner_id: PartnerNo,
) -> std::result::Result<&'a StoredOrder, Problem> {
    let no = |reason| Problem::at("order_id", order_id.as_str(), reason);
    let order = orders.get(order_id).ok_or_else(|| no(Reason::UnknownOrder))?;
    if order.partner_id == partner_id { Ok(order) } else { Err(no(Reason::OrderOfAnotherPartner)) }
}

/// Rows of a chunk.
pub fn chunk_rows(cx: &Context) -> i32 {
    i32::try_from(cx.chunk_rows(NAME)).unwrap_or(i32::MAX)
}

/// The date that orders a request; one without a date that can be is first, and rejected.
pub fn requested_on(profile: &Profile, record: &Record) -> NaiveDate {
    let date = match profile.cells(record).get("requested_on") {
        cell::Content::Text(text) => forms::date_or_instant(text),
        _ => None,
    };
    let (before, last) = (NaiveDate::default(), NaiveDate::from_ymd_opt(9999, 12, 31).unwrap_or_default());
    date.filter(|day| *day > before && *day <= last).unwrap_or_else(|| add_days(before, 1))
}

/// What becomes of one row.
#[derive(Clone, Debug)]
pub enum Verdict {
    /// In, with remarks or without.
    Applied(Vec<Problem>),
    /// The same, and something else was known before.
    Changed(Vec<Problem>),
    /// In already, with remarks or without.
    Unchanged(Vec<Problem>),
    /// Not in, and why.
    Rejected(Vec<Problem>),
}

impl Verdict {
    /// Not in, for one reason with one cell.
    pub fn no(column: &str, value: &str, reason: Reason) -> Self {
        Self::Rejected(vec![Problem::at(column, value, reason)])
    }

    /// The same with more to say of it.
    pub fn with(mut self, more: Vec<Problem>) -> Self {
        let (Self::Applied(problems)
        | Self::Changed(problems)
        | Self::Unchanged(problems)
        | Self::Rejected(problems)) = &mut self;
        problems.extend(more);
        self
    }

    /// Not in, because the store does not take what it holds (promise 5).
    pub fn refused_by_store(said: &str) -> Self {
        Self::Rejected(vec![Problem::of_row(Reason::StoreRefused { said: said.to_owned() })])
    }

    /// In, with remarks, where something else was known or not.
    pub fn put(is_known: bool, remarks: Vec<Problem>) -> Self {
        if is_known { Self::Changed(remarks) } else { Self::Applied(remarks) }
    }

    /// What became of the row.
    pub fn status(&self) -> RowStatus {
        let for_a_yes =
            |reason: &Reason| matches!(reason, Reason::WaitsForOperator { .. } | Reason::RateUnlikely { .. });
        let waits = |remarks: &[Problem]| remarks.iter().any(|remark| for_a_yes(&remark.reason));
        match self {
            Self::Rejected(_) => RowStatus::Rejected,
            Self::Applied(remarks) | Self::Changed(remarks) | Self::Unchanged(remarks) if waits(remarks) => {
                RowStatus::Waiting
            }
            Self::Applied(_) => RowStatus::Applied,
            Self::Changed(_) => RowStatus::Changed,
            Self::Unchanged(_) => RowStatus::Unchanged,
        }
    }

    /// What is to be kept of it, if anything.
    pub fn answer(self, row: &StagedRow) -> RowAnswer {
        let status = self.status().answered(); // which rows changed something is kept by their numbers
        let (Self::Applied(problems)
        | Self::Changed(problems)
        | Self::Unchanged(problems)
        | Self::Rejected(problems)) = self;
        RowAnswer { row_no: row.row_no, line: row.line, status: status.name(), problems }
    }
}

/// The cells of a staged row in canonical text, and what is wrong with those that could not be taken so; or why it is no row.
pub fn record(
    staged: &StagedFile,
    row: &StagedRow,
) -> std::result::Result<(Record, Vec<Problem>), Vec<Problem>> {
    if dialect::is_cut_off(&row.cells) {
        return Err(vec![Problem::of_row(Reason::CutOff)]);
    }
    let record = Record::of(u64::try_from(row.line).unwrap_or(0), row.cells.split(CELL_END));
    if let Some(problem) = staged.profile.shape_problem(&record) {
        return Err(vec![problem]);
    }
    let unsettled = record.iter().enumerate().filter_map(|(at, cell)| {
        let (cell, reason) = staged.dialect.refuses(staged.profile.type_at(at)?, cell)?;
        Some(Problem::at(staged.column_at(at), cell, reason))
    });
    let unsettled = unsettled.collect();
    Ok((record, unsettled))
}

/// What is said of a staged row before its kind looks at it.
pub fn note(staged: &StagedFile, row: &StagedRow) -> Option<RowNote> {
    if dialect::is_cut_off(&row.cells) {
        return None;
    }
    if staged.of_portal {
        return RowNote::parse(row.cells.rsplit(CELL_END).next()?);
    }
    let cell = row.cells.split(CELL_END).nth(staged.profile.example_place()?)?;
    shows_example(cell).then(|| RowNote::PassedOver(vec![Problem::of_row(Reason::ExampleRow)]))
}

/// Reads a staged row as what its file's kind says, or tells everything that is wrong with it.
pub fn parse<T>(
    staged: &StagedFile,
    row: &StagedRow,
    parse: impl FnOnce(&Cells<'_>) -> std::result::Result<T, Vec<Problem>>,
) -> std::result::Result<T, Vec<Problem>> {
    let (record, mut own) = record(staged, row)?;
    let cells = staged.profile.cells(&record);
    own.extend(cells.each().filter_map(|(column, cell)| match cell {
        cell::Content::Text(text) => {
            let reason = traces::of_cell(column, text, staged.identifiers)?;
            Some(Problem::at(column.name, text, reason))
        }
        cell::Content::Absent | cell::Content::Empty => None,
    }));
    let mut beyond = dates_beyond(&cells, &staged.dates);
    // Another row of its key says something else: neither holds (D16).
    beyond.extend(row.repeated_at.map(|line| Problem::of_row(Reason::RepeatedInFile { line })));
    match parse(&cells) {
        Err(problems) => {
            // What was done to a cell says more than that it is not what its column asks for.
            let others =
                problems.into_iter().filter(|problem| !own.iter().any(|of| of.column == problem.column));
            let others: Vec<Problem> = others.collect();
            Err([own, others, beyond].concat())
        }
        Ok(_) if !own.is_empty() || !beyond.is_empty() => Err([own, beyond].concat()),
        parsed => parsed,
    }
}

/// Dates, and instants by their UTC date (D1), that no row can mean: a slip such as 0024 for 2024.
fn dates_beyond(cells: &Cells<'_>, dates: &RangeInclusive<NaiveDate>) -> Vec<Problem> {
    let mut beyond = Vec::new();
    for (column, cell) in cells.each().filter(|(column, _)| is_date(column)) {
        if let cell::Content::Text(text) = cell
            && let Some(date) = forms::date_or_instant(text)
        {
            beyond.extend(date_beyond(column.name, text, date, dates));
        }
    }
    beyond
}

/// What is wrong with a date that no row can mean.
pub fn date_beyond(
    column: &str,
    written: &str,
    date: NaiveDate,
    dates: &RangeInclusive<NaiveDate>,
) -> Option<Problem> {
    let (earliest_on, latest_on) = (*dates.start(), *dates.end());
    let reason = Reason::DateOutOfRange { earliest_on, latest_on };
    (!dates.contains(&date)).then(|| Problem::at(column, written, reason))
}

/// Whether a column holds dates, by its type.
fn is_date(column: &Column) -> bool {
    matches!(column.of, Type::Date | Type::Instant)
}

/// Whom a row names as who asks; `None`: the operator does.
pub fn asker<'a>(staged: &StagedFile, named: Option<&'a str>) -> Option<&'a str> {
    named.filter(|named| !(staged.by_operator && *named == OPERATOR))
}

/// The directory users whom rows name. Who holds a role at a partner is told with a refusal only, so it is loaded where one
/// can come: where somebody asks who is no global admin, and for the partners of `refusing`.
pub async fn load(
    conn: &mut PgConnection,
    named: &[(PartnerNo, &str)],
    askers: &BTreeSet<(PartnerNo, &str)>,
    refusing: &BTreeSet<PartnerNo>,
) -> Result<Directory> {
    let mut directory = Directory::load(conn, named).await?;
    let may_all = |user: &DirectoryUser| user.roles.contains(&Role::GlobalAdmin);
    let mut told = refusing.clone();
    told.extend(
        askers
            .iter()
            .filter(|(partner_id, by)| !directory.find(*partner_id, by).is_ok_and(may_all))
            .map(|(partner_id, _)| partner_id),
    );
    directory.load_holders(conn, &told.into_iter().collect::<Vec<_>>()).await?;
    Ok(directory)
}

/// Why the directory user whom a row names as who asks may not; of a row that names nobody, the operator asks.
pub fn may(
    staged: &StagedFile,
    directory: &Directory,
    partner_id: PartnerNo,
    named: Option<&str>,
    action: Action,
) -> Option<Problem> {
    let named = asker(staged, named)?;
    let reason = match directory.find(partner_id, named) {
        Err(reason) => reason,
        Ok(user) if !user.enabled => Reason::UserDisabled,
        Ok(user) if action.allows(&user.roles) => return None,
        Ok(_) => action.refusal(directory.holders(partner_id)),
    };
    Some(Problem::at("requested_by", named, reason))
}
