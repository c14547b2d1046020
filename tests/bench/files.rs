//! A big file in, and as big a file out.

use std::{
    fs::{self, File},
    io::{BufWriter, Write as _},
    path::Path,
};

use anyhow::{Result, ensure};

use crate::{
    Size,
    measure::{Cost, Table, median},
    place::{Place, equal},
};

const ROUNDS: usize = 3;
/// The business date of what is measured.
pub const ON: &str = "2024-06-15";
const NOW: &str = "2024-06-15T10:00:00Z";

/// What an order brings: benefit, quantity, and amount with currency. Seats of a partner stay below their cap (D12).
const BENEFITS: [(&str, &str, &str); 5] = [
    ("azure_monthly_credit", "1", "100.00,USD"),
    ("license_subscription/office_365", "10", ","),
    ("product_support", "15", ","),
    ("software", "1", ","),
    ("visual_studio", "1", ","),
];

/// What an import wrote, without numbers of the store.
pub const WRITTEN: &str = "select concat_ws('|', 'order', p.number, order_id, offer, purchased_on, starts_on, anniversary_on, status)
    from membership join partner p using (partner_id)
    union all
    select concat_ws('|', order_id, e.benefit, e.benefit_type, e.quantity, e.starts_on, e.expires_on, last_usable_on,
           e.amount_minor, e.currency, e.competency, e.subscription_id, e.known_on, v.version_no, v.line, v.quantity,
           v.starts_on, v.expires_on, v.amount_minor, v.currency, s.next_period_no, s.next_on, s.open_minor)
    from entitlement e
    join membership using (membership_id)
    join entitlement_version v using (entitlement_id)
    left join credit_schedule s using (entitlement_id)";

/// How the rows of a file follow each other, and whether anything is to be said of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// A partner's orders together, an order's benefits together, as such files come.
    Together,
    /// Every row is of another partner than the row before.
    Interleaved,
}

/// What rows are compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Catalogue {
    /// The one that is compiled in.
    Usual,
    /// One that lists what the files hold as incremental benefits.
    Incremental,
}

/// Measures the import of files of all rows, and the export of what they left.
pub async fn measure(place: &mut Place, table: &mut Table, size: Size, asked: [bool; 2]) -> Result<()> {
    let [importing, exporting] = asked;
    place.template("bench_people", None, &[include_str!("seed/people.sql")], size).await?;
    if importing {
        for (order, name) in [(Order::Together, "together"), (Order::Interleaved, "interleaved")] {
            import(place, table, size, order, name).await?;
        }
        remarked(place, table, size).await?;
    }
    if exporting {
        let file = place.file("entitlements.csv");
        write(&file, size, Order::Together, "incremental")?;
        place.round("bench_people").await?;
        take(place, &file, Catalogue::Incremental)?;
        place.keep_round("bench_imported").await?;
        export(place, table, size).await?;
        place.drop_database("bench_imported").await?;
    }
    place.drop_database("bench_people").await
}

/// Takes a file in on the database of this round, by a catalogue in which all of it stands, so that nothing is remarked on;
/// or by the usual one.
fn take(place: &Place, file: &Path, by: Catalogue) -> Result<Cost> {
    let answers = place.file("answers");
    let incremental = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/bench/seed/incremental");
    let args = ["import".as_ref(), file.as_os_str(), "--results".as_ref(), answers.as_os_str()];
    let args = args.into_iter().chain(["--now".as_ref(), NOW.as_ref()]);
    place.program_with(args, (by == Catalogue::Incremental).then_some(&incremental))
}

/// As [`take`], of a file all of whose rows stand in the catalogue.
pub fn take_tidy(place: &Place, file: &Path) -> Result<Cost> {
    take(place, file, Catalogue::Incremental)
}

/// A file of entitlements that are all new and all in order, against the same by hand.
async fn import(place: &mut Place, table: &mut Table, size: Size, order: Order, name: &str) -> Result<()> {
    let file = place.file("entitlements.csv");
    write(&file, size, order, "incremental")?;
    let statements = include_str!("baseline/import.sql").replace(":on", ON);
    let (mut ours, mut baseline) = (Vec::new(), Vec::new());
    for _ in 0..size.rounds(ROUNDS) {
        place.round("bench_people").await?;
        baseline.push(place.baseline(&statements, Some(&file)).await?);
        let written = place.content(WRITTEN).await?;
        place.round("bench_people").await?;
        ours.push(take(place, &file, Catalogue::Incremental)?);
        ensure!(place.lines("select 1 from row_answer limit 1").await?.is_empty(), "remarks on tidy rows");
        equal("import", &place.content(WRITTEN).await?, &written)?;
    }
    let against = Some(("COPY and one merge by hand", median(baseline)));
    table.add(&format!("import {}, partners {name}", size.rows), &ours, against, Some(1.2));
    Ok(())
}

/// The same rows as core benefits: a partner has most of them already, and each row is told so.
async fn remarked(place: &mut Place, table: &mut Table, size: Size) -> Result<()> {
    let (plain, remarked) = (place.file("plain.csv"), place.file("remarked.csv"));
    write(&plain, size, Order::Together, "incremental")?;
    write(&remarked, size, Order::Together, "core")?;
    let (mut ours, mut baseline) = (Vec::new(), Vec::new());
    for _ in 0..size.rounds(ROUNDS) {
        place.round("bench_people").await?;
        baseline.push(take(place, &plain, Catalogue::Incremental)?.seconds);
        place.round("bench_people").await?;
        ours.push(take(place, &remarked, Catalogue::Usual)?);
    }
    let said = "select status || ' ' || count(*) from row_answer group by status";
    writeln!(std::io::stderr(), "  answered: {:?}", place.lines(said).await?)?;
    let against = Some(("the same without remarks", median(baseline)));
    table.add(&format!("import {}, remarks on rows", size.rows), &ours, against, None);
    Ok(())
}

async fn export(place: &mut Place, table: &mut Table, size: Size) -> Result<()> {
    place.round("bench_imported").await?;
    let out = place.file("out.csv");
    let ours_at = place.file("data").join("exports").join(ON).join("entitlements.csv");
    let statement = include_str!("baseline/export.sql");
    let (mut ours, mut baseline) = (Vec::new(), Vec::new());
    for _ in 0..size.rounds(ROUNDS) {
        place.checkpoint().await?;
        ours.push(place.program([
            "run",
            "export_entitlements",
            "--on",
            ON,
            "--now",
            "2024-06-16T02:30:00Z",
        ])?);
        place.checkpoint().await?;
        baseline.push(place.baseline(statement, Some(&out)).await?);
        equal("export", &(fs::read(&ours_at)? == fs::read(&out)?), &true)?;
    }
    table.add(&format!("export {}", size.rows), &ours, Some(("COPY TO", median(baseline))), Some(1.2));
    Ok(())
}

/// A file of five benefits an order, a hundred orders a partner, all of one type of benefit.
pub fn write(path: &Path, size: Size, by: Order, benefit_type: &str) -> Result<()> {
    let mut out = BufWriter::new(File::create(path)?);
    writeln!(
        out,
        "partner_id,order_id,offer,benefit,benefit_type,quantity,purchased_on,starts_on,expires_on,amount,currency,competency,subscription_id"
    )?;
    let a_partner = size.rows.div_ceil(size.partners).div_ceil(5).max(1) * 5;
    for nth in 0..size.rows {
        // Interleaved, the n-th rows of all partners come together.
        let partners = size.rows.div_ceil(a_partner);
        let row = match by {
            Order::Together => nth,
            Order::Interleaved => nth % partners * a_partner + nth / partners,
        };
        let (partner, order) = (1_000_001 + row / a_partner, row / 5);
        let (benefit, quantity, amount) = BENEFITS[usize::try_from(row % 5)?];
        let day = 1 + order % 28;
        writeln!(
            out,
            "{partner},MPN-{order:08},silver,{benefit},{benefit_type},{quantity},2024-05-{day:02},2024-05-{day:02},2025-05-{:02},{amount},,",
            day.max(2) - 1
        )?;
    }
    out.flush()?;
    Ok(())
}
