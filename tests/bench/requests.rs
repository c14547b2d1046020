//! Files of mixed requests, decided and applied, against as many rows of plain entitlements by the same program.

use std::{
    fs::File,
    io::{BufWriter, Write as _},
    path::{Path, PathBuf},
};

use anyhow::Result;

use crate::{
    Size, files,
    measure::{Cost, Table, median},
    place::Place,
};

const ROUNDS: usize = 3;
const NOW: &str = "2024-06-15T10:00:00Z";
const ON: &str = "2024-06-14";
/// Requests of one order: see [`asked`].
const AN_ORDER: u64 = 16;

/// What a partner's order brings: benefit, quantity, amount with currency.
const BENEFITS: [(&str, &str, &str); 7] = [
    ("azure_monthly_credit", "1", "100.00,USD"),
    ("azure_bulk_credit/cloud_platform", "1", "6000.00,USD"),
    ("visual_studio", "3", ","),
    ("software/windows", "1", ","),
    ("license_subscription/p{k}", "25", ","),
    ("product_support", "15", ","),
    ("advisory_hours", "20", ","),
];

/// What is asked for with one order, a file's kind each, by the partner's global administrator `u0`: users are `u0` to
/// `u7`, keys are taken as they come. One in sixteen is refused: a seat reassigned too early.
const ASKED: [(usize, &str); 16] = [
    (0, "{o},azure_monthly_credit,assign,{u1},{u0},{on},"),
    (0, "{o},azure_monthly_credit,assign,{u2},{u0},{on},"),
    (0, "{o},azure_monthly_credit,remove,{u1},{u0},{on},"),
    (0, "{o},azure_bulk_credit/cloud_platform,assign,{u3},{u0},{on},"),
    (0, "{o},azure_bulk_credit/cloud_platform,transfer,{u3},{u0},{on},{u4}"),
    (0, "{o},visual_studio,assign,{u5},{u0},{on},"),
    (0, "{o},visual_studio,assign,{u6},{u0},{on},"),
    (0, "{o},visual_studio,reassign,{u5},{u0},{on},{u7}"),
    (1, "{o},software/windows,reveal,{u0},{on},,,"),
    (1, "{o},license_subscription/p{k},redeem,{u0},{on},,,new"),
    (1, "{o},license_subscription/p{k},redeem,{u0},{on},,,add_seats"),
    (2, "{o},software/windows,{u0},{on}"),
    (2, "{o},product_support,{u0},{on}"),
    (3, "H-{n},advisory_hours,{u2},{on},{o},,,1.5"),
    (3, "I-{n},advisory_hours,{u3},{on},{o},,,0.5"),
    (3, "J-{n},advisory_hours,{u4},{on},,,,1"),
];

const HEADERS: [(&str, &str); 4] = [
    ("assignments.csv", "partner_id,order_id,benefit,action,user,requested_by,requested_on,to_user"),
    (
        "key_requests.csv",
        "partner_id,order_id,benefit,action,requested_by,requested_on,key_ref,tenant_id,mode",
    ),
    ("activations.csv", "partner_id,order_id,benefit,requested_by,requested_on"),
    (
        "service_requests.csv",
        "partner_id,request_id,kind,requested_by,requested_on,order_id,product,product_version,hours",
    ),
];

/// Measures both.
pub async fn measure(place: &mut Place, table: &mut Table, size: Size) -> Result<()> {
    let answers = place.file("answers").display().to_string();
    place.template("bench_people", None, &[include_str!("seed/people.sql")], size).await?;
    let plain = place.file("entitlements.csv");
    files::write(&plain, size, files::Order::Together, "incremental")?;
    let mut baseline = Vec::new();
    for _ in 0..size.rounds(ROUNDS) {
        place.round("bench_people").await?;
        let plain = plain.display().to_string();
        baseline.push(place.program(["import", &plain, "--results", &answers, "--now", NOW])?.seconds);
    }
    place.drop_database("bench_people").await?;

    place.template("bench_empty", None, &[], size).await?;
    place.round("bench_empty").await?;
    take(place, &answers, &facts(place, size)?)?;
    place.keep_round("bench_facts").await?;
    let asked = asked(place, size)?;
    let mut ours = Vec::new();
    for _ in 0..size.rounds(ROUNDS) {
        place.round("bench_facts").await?;
        ours.push(take(place, &answers, &asked)?);
    }
    let said = "select outcome || ' ' || count(*) from decision group by outcome";
    writeln!(std::io::stderr(), "  decided: {:?}", place.lines(said).await?)?;
    let against = Some(("as many plain entitlements", median(baseline)));
    table.add(&format!("requests {}", size.rows), &ours, against, Some(3.0));
    for database in ["bench_empty", "bench_facts"] {
        place.drop_database(database).await?;
    }
    Ok(())
}

fn take(place: &Place, answers: &str, files: &[PathBuf]) -> Result<Cost> {
    let files = files.iter().map(|file| file.display().to_string());
    let rest = ["--results", answers, "--now", NOW].map(str::to_owned);
    place.program(["import".to_owned()].into_iter().chain(files).chain(rest))
}

/// Orders, the partner of each, and how manieth of that partner it is: of a benefit code a partner has one subscription,
/// so each order's is a product of its own.
fn orders(size: Size) -> impl Iterator<Item = (u64, u64, String)> {
    let partners = size.partners;
    (0..size.rows / AN_ORDER)
        .map(move |order| (order, 1_000_001 + order % partners, (order / partners).to_string()))
}

fn user(partner: u64, n: usize) -> String {
    format!("u{n}@p{partner}.example")
}

/// Partners, users, orders and keys.
fn facts(place: &Place, size: Size) -> Result<Vec<PathBuf>> {
    let (partners, people) = (place.file("partners.csv"), place.file("users.csv"));
    let (bought, keys) = (place.file("bought.csv"), place.file("keys.csv"));
    let mut out = begin(&partners, "partner_id,name,account_email,country,currency,tenant_id")?;
    for partner in 1_000_001..=1_000_000 + size.partners {
        writeln!(
            out,
            "{partner},Partner {partner},p{partner}@a.example,SE,USD,00000000-0000-4000-8000-{partner:012}"
        )?;
    }
    out.flush()?;
    let mut out = begin(&people, "partner_id,object_id,user_principal_name,role")?;
    for partner in 1_000_001..=1_000_000 + size.partners {
        for n in 0..8 {
            let role = if n == 0 { "global_admin" } else { "" };
            writeln!(out, "{partner},id-{n},{},{role}", user(partner, n))?;
        }
    }
    out.flush()?;
    let mut out = begin(
        &bought,
        "partner_id,order_id,offer,benefit,benefit_type,quantity,purchased_on,starts_on,expires_on,amount,currency",
    )?;
    for (order, partner, nth) in orders(size) {
        for (benefit, quantity, amount) in BENEFITS {
            let benefit = benefit.replace("{k}", &nth);
            writeln!(
                out,
                "{partner},MPN-{order:08},silver,{benefit},incremental,{quantity},2024-05-01,2024-05-01,2025-04-30,{amount}"
            )?;
        }
    }
    out.flush()?;
    let mut out = begin(&keys, "partner_id,order_id,benefit,key,seats,months")?;
    for (order, partner, nth) in orders(size) {
        writeln!(out, "{partner},MPN-{order:08},software/windows,WINDO-{order:010}-AAAAA,,")?;
        for n in 0..2 {
            writeln!(
                out,
                "{partner},MPN-{order:08},license_subscription/p{nth},OFFIC-{order:010}-{n}BBBB,25,12"
            )?;
        }
    }
    out.flush()?;
    Ok(vec![partners, people, bought, keys])
}

/// The requests, in a file a kind.
fn asked(place: &Place, size: Size) -> Result<Vec<PathBuf>> {
    let paths: Vec<PathBuf> = HEADERS.iter().map(|(name, _)| place.file(name)).collect();
    let mut outs = Vec::new();
    for (path, (_, header)) in paths.iter().zip(HEADERS) {
        outs.push(begin(path, header)?);
    }
    for (order, partner, nth) in orders(size) {
        for (of, row) in ASKED {
            let mut row = row.replace("{o}", &format!("MPN-{order:08}")).replace("{on}", ON);
            row = row.replace("{n}", &order.to_string()).replace("{k}", &nth);
            for n in 0..8 {
                row = row.replace(&format!("{{u{n}}}"), &user(partner, n));
            }
            if let Some(out) = outs.get_mut(of) {
                writeln!(out, "{partner},{row}")?;
            }
        }
    }
    for mut out in outs {
        out.flush()?;
    }
    Ok(paths)
}

fn begin(path: &Path, header: &str) -> Result<BufWriter<File>> {
    let mut out = BufWriter::new(File::create(path)?);
    writeln!(out, "{header}")?;
    Ok(out)
}
