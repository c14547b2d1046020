//! What one partner or order costs the store among many: read by their numbers, milliseconds, however many there are.

use anyhow::Result;

use crate::{
    Size,
    measure::{Cost, Table},
    place::Place,
};

const ROUNDS: usize = 5;
const NOW: &str = "2024-06-15T10:00:00Z";
/// Seconds of the store's time that one answer may take.
const AIM: f64 = 0.020;

/// Asks of one partner and one of its orders, with and without statistics.
pub async fn measure(place: &mut Place, table: &mut Table, size: Size) -> Result<()> {
    let seeds = [include_str!("seed/people.sql"), include_str!("seed/year.sql")];
    place.template("bench_year", None, &seeds, size).await?;
    place.round("bench_year").await?;
    let order = format!("MPN-2023-{}", size.rows / 2);
    let asked =
        format!("select number from partner join membership using (partner_id) where order_id = '{order}'");
    let partner = place.lines(&asked).await?.concat();
    let benefit = format!("{order}/azure_monthly_credit");
    for (name, args) in [
        ("benefits of a partner", vec!["benefits", "--partner", &partner]),
        ("explain a partner", vec!["explain", &partner]),
        ("explain an order", vec!["explain", &order]),
        ("explain an entitlement", vec!["explain", &benefit]),
    ] {
        let mut costs = Vec::new();
        for _ in 0..size.rounds(ROUNDS) {
            let before = place.in_store().await?;
            let cost = place.program(args.iter().copied().chain(["--now", NOW]))?;
            costs.push(Cost { seconds: place.in_store().await? - before, ..cost });
        }
        let what = format!("{name} among {}, in the store", 2 * size.rows);
        table.add(&what, &costs, Some(("20 ms", AIM)), Some(1.0));
    }
    place.drop_database("bench_year").await
}
