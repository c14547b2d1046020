//! The night that grants: everybody due, nobody due, few due among many, and a night in which everybody's credit lapses.

use anyhow::Result;

use crate::{
    Size,
    measure::{Cost, Table, median},
    place::{Place, equal},
};

const ROUNDS: usize = 3;
/// The business date on which the seeded credits are due.
const ON: &str = "2024-06-15";
const NOW: &str = "2024-06-16T02:30:00Z";
/// How many are due in the small nights.
const FEW: u64 = 10_000;

const PEOPLE: &str = include_str!("seed/people.sql");
const YEAR: &str = include_str!("seed/year.sql");
const BASELINE: &str = include_str!("baseline/grant.sql");

/// What the night wrote, without numbers of the store that differ from run to run.
const WRITTEN: &str = "select concat_ws('|', entitlement_id, partner_id, kind, from_account, to_account, period_no, correction_no,
           period_from, period_until, amount_minor, currency, usd_minor, rate_nano, rate_on)
    from transfer where effective_on = '2024-06-15' and run_id <> 0
    union all
    select concat_ws('|', entitlement_id, partner_id, next_period_no, next_on, open_minor, waits) from credit_schedule";

/// Measures what is asked of: all due, few due, lapses.
pub async fn measure(place: &mut Place, table: &mut Table, size: Size, asked: [bool; 3]) -> Result<()> {
    let [grant, few, lapse] = asked;
    place.template("bench_year", None, &[PEOPLE, YEAR], size).await?;
    if grant {
        everybody(place, table, size).await?;
    }
    if lapse {
        place
            .template("bench_unspent", Some("bench_year"), &[include_str!("seed/unspent.sql")], size)
            .await?;
        let what = format!("lapse and grant {}", size.rows);
        let (ours, baseline) = against(place, "bench_unspent", size).await?;
        table.add(&what, &ours, Some(("SQL by hand", baseline)), None);
        place.drop_database("bench_unspent").await?;
    }
    let due = if size.smoke { size.rows / 10 } else { FEW };
    if few && size.rows >= due {
        for (name, seed) in
            [("few", include_str!("seed/few.sql")), ("scattered", include_str!("seed/scattered.sql"))]
        {
            place
                .template(
                    &format!("bench_{name}"),
                    Some("bench_year"),
                    &[&seed.replace(":due", &due.to_string())],
                    size,
                )
                .await?;
        }
        place
            .template(
                "bench_small",
                None,
                &[PEOPLE, YEAR],
                Size { rows: due, partners: (due / 100).max(1), ..size },
            )
            .await?;
        let mut costs = [vec![], vec![], vec![]];
        for _ in 0..size.rounds(ROUNDS) {
            for (of, costs) in ["bench_few", "bench_scattered", "bench_small"].iter().zip(&mut costs) {
                place.round(of).await?;
                costs.push(place.program(["run", "provision_credits", "--on", ON, "--now", NOW])?);
            }
        }
        let [few, scattered, small] = costs;
        let small = median(small.iter().map(|cost| cost.seconds).collect());
        let among = format!("{due} due among {due}");
        let against = Some((among.as_str(), small));
        table.add(&format!("{due} due among {}, in files of 100", size.rows), &few, against, Some(1.3));
        table.add(&format!("{due} due among {}, scattered", size.rows), &scattered, against, None);
        for name in ["bench_few", "bench_scattered", "bench_small"] {
            place.drop_database(name).await?;
        }
    }
    place.drop_database("bench_year").await
}

/// Everybody is due; then nobody is.
async fn everybody(place: &mut Place, table: &mut Table, size: Size) -> Result<()> {
    let (ours, baseline) = against(place, "bench_year", size).await?;
    table.add(&format!("grant {}", size.rows), &ours, Some(("SQL by hand", baseline)), Some(1.0));
    let mut bare = Vec::new();
    for _ in 0..size.rounds(ROUNDS) {
        place.round("bench_year").await?;
        bare.push(place.baseline(&include_str!("baseline/bare.sql").replace(":on", ON), None).await?);
    }
    table.add(
        &format!("grant {}", size.rows),
        &ours,
        Some(("insert … select, two columns", median(bare))),
        None,
    );
    place.round("bench_year").await?;
    place.program(["run", "provision_credits", "--on", ON, "--now", NOW])?;
    let mut again = Vec::new();
    for _ in 0..size.rounds(ROUNDS) {
        place.checkpoint().await?;
        again.push(place.program(["run", "provision_credits", "--on", ON, "--now", NOW])?);
    }
    let first = median(ours.iter().map(|cost| cost.seconds).collect());
    table.add("again, nothing due", &again, Some(("the first run", first)), Some(0.02));
    Ok(())
}

/// Ours and the baseline in turns on clones of a template.
async fn against(place: &mut Place, template: &str, size: Size) -> Result<(Vec<Cost>, f64)> {
    let (mut ours, mut baseline) = (Vec::new(), Vec::new());
    for _ in 0..size.rounds(ROUNDS) {
        place.round(template).await?;
        ours.push(place.program(["run", "provision_credits", "--on", ON, "--now", NOW])?);
        let written = place.content(WRITTEN).await?;
        place.round(template).await?;
        baseline.push(place.baseline(&BASELINE.replace(":on", ON), None).await?);
        equal(template, &written, &place.content(WRITTEN).await?)?;
    }
    Ok((ours, median(baseline)))
}
