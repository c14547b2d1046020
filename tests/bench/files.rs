//! A big file in, and as big a file out.

use std::{
    fs::{self, File},
    io::{BufWriter, Write as _},
    path::Path,
};

use anyhow::Result;

use crate::{
    Size,
    measure::{Table, median},
    place::{Place, equal},
};

const ROUNDS: usize = 3;
const ON: &str = "2024-06-15";
const NOW: &str = "2024-06-15T10:00:00Z";

/// What an order brings: benefit and quantity as the catalogue lists them, and amount with currency.
const BENEFITS: [(&str, &str, &str); 5] = [
    ("azure_monthly_credit", "1", "100.00,USD"),
    ("license_subscription/office_365", "10", ","),
    ("product_support", "15", ","),
    ("software", "1", ","),
    ("visual_studio", "5", ","),
];

/// What an import wrote, without numbers of the store.
const WRITTEN: &str = "select concat_ws('|', 'order', p.number, order_id, offer, purchased_on, starts_on, anniversary_on, status)
    from membership join partner p using (partner_id)
    union all
    select concat_ws('|', order_id, e.benefit, e.benefit_type, e.quantity, e.starts_on, e.expires_on, last_usable_on,
           e.amount_minor, e.currency, e.competency, e.subscription_id, e.known_on, v.version_no, v.line, v.quantity,
           v.starts_on, v.expires_on, v.amount_minor, v.currency, s.next_period_no, s.next_on, s.open_minor)
    from entitlement e
    join membership using (membership_id)
    join entitlement_version v using (entitlement_id)
    left join credit_schedule s using (entitlement_id)";

/// Measures the import of a file of all rows, and the export of what it left.
pub async fn measure(place: &mut Place, table: &mut Table, size: Size, export: bool) -> Result<()> {
    place.template("bench_people", None, &[include_str!("seed/people.sql")], size).await?;
    let file = place.file("entitlements.csv");
    write(&file, size)?;
    let answers = place.file("answers").display().to_string();
    let text = file.display().to_string();
    let (mut ours, mut baseline) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        place.round("bench_people").await?;
        let statements = include_str!("baseline/import.sql").replace(":file", &text).replace(":on", ON);
        baseline.push(place.baseline(&statements).await?);
        let written = place.content(WRITTEN).await?;
        place.round("bench_people").await?;
        ours.push(place.program(["import", &text, "--results", &answers, "--now", NOW])?);
        equal("import", &place.content(WRITTEN).await?, &written)?;
    }
    let against = Some(("COPY and one merge by hand", median(baseline)));
    table.add(&format!("import {}", size.rows), &ours, against, Some(1.5));
    if export {
        place.keep_round("bench_imported").await?;
        self::export(place, table, size).await?;
        place.drop_database("bench_imported").await?;
    }
    place.drop_database("bench_people").await
}

async fn export(place: &mut Place, table: &mut Table, size: Size) -> Result<()> {
    place.round("bench_imported").await?;
    let out = place.file("out.csv");
    let ours_at = place.file("data").join("exports").join(ON).join("entitlements.csv");
    let statement = include_str!("baseline/export.sql").replace(":file", &out.display().to_string());
    let (mut ours, mut baseline) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
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
        baseline.push(place.baseline(&statement).await?);
        equal("export", &(fs::read(&ours_at)? == fs::read(&out)?), &true)?;
    }
    table.add(&format!("export {}", size.rows), &ours, Some(("COPY TO", median(baseline))), Some(1.5));
    Ok(())
}

/// A partner's orders together, an order's benefits together, as such files come.
pub fn write(path: &Path, size: Size) -> Result<()> {
    let mut out = BufWriter::new(File::create(path)?);
    writeln!(
        out,
        "partner_id,order_id,offer,benefit,benefit_type,quantity,purchased_on,starts_on,expires_on,amount,currency,competency,subscription_id"
    )?;
    let a_partner = size.rows.div_ceil(size.partners).max(1);
    for row in 0..size.rows {
        let (partner, order) = (1_000_001 + row / a_partner, row / 5);
        let (benefit, quantity, amount) = BENEFITS[usize::try_from(row % 5)?];
        let day = 1 + order % 28;
        writeln!(
            out,
            "{partner},MPN-{order:08},silver,{benefit},core,{quantity},2024-05-{day:02},2024-05-{day:02},2025-05-{:02},{amount},,",
            day.max(2) - 1
        )?;
    }
    out.flush()?;
    Ok(())
}
