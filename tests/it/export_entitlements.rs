//! What is handed out again: today's truth in canonical columns, which an import reads as unchanged.

use std::fs;

use benefactor::{
    domain::kinds::Kind,
    store::export::{EXPORTS, Form},
};

use crate::{
    cast::{ENTITLEMENTS, partner, row, users},
    house::House,
};

#[tokio::test]
async fn an_export_reads_as_unchanged_and_is_the_same_made_again() {
    let mut house = House::open().await;
    let order = ENTITLEMENTS.to_owned()
        + &row("4301", "ORD-1", "azure_monthly_credit", "2024-01-31", "2025-01-30", "100,USD")
        + &row("4301", "ORD-1", "software", "2024-01-31", "2025-01-30", ",")
        + &row("4301", "ORD-1", "visual_studio", "2024-01-31", "2025-01-30", ",")
            .replace(",core,1,", ",core,5,")
        + &row("4301", "ORD-1", "signature_cloud_support", "2024-01-31", "2025-01-30", ",")
            .replace(",core,1,", ",core,unlimited,")
            .replace(",,,\n", ",,,\"Cloud \"\"Platform\"\", new\"\n");
    house
        .import(
            &[("p.csv", &partner("4301", "USD")), ("u.csv", &users("4301")), ("e.csv", &order)],
            "2024-01-31",
        )
        .await;
    house.night("2024-02-05").await;
    let path = house.dir.join("exports/2024-02-05/entitlements.csv");
    let exported = fs::read_to_string(&path).unwrap();
    insta::assert_snapshot!(exported);
    let before = house.state().await;
    house.night("2024-02-05").await;
    house.job("export_entitlements", "2024-02-05").await;
    assert_eq!(fs::read_to_string(&path).unwrap(), exported);
    let answer = house.import_one("again.csv", &exported, "2024-02-06").await;
    assert_eq!(
        answer.rows,
        ["2 unchanged", "3 unchanged quantity differs_from_catalogue", "4 unchanged", "5 unchanged"]
    );
    assert_eq!(house.state().await, before);
    let left: Vec<_> =
        fs::read_dir(path.parent().unwrap()).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert_eq!(left, ["entitlements.csv"], "nothing half written stays");

    // Every kind has the columns that FORMATS.md says.
    let formats = include_str!("../../src/files/FORMATS.md");
    for export in &EXPORTS {
        let (mut written, mut conn) = (Vec::new(), house.pool.acquire().await.unwrap());
        export.write(&mut conn, None, Form::Machine, &mut written).await.unwrap();
        let written = String::from_utf8(written).unwrap();
        let header = written.lines().next().unwrap();
        match Kind::ALL.iter().find(|kind| kind.name() == export.kind) {
            Some(kind) => {
                let declared: Vec<&str> = kind.schema().columns.iter().map(|column| column.name).collect();
                let more = header.strip_prefix(&declared.join(",")).unwrap();
                assert!(more.is_empty() || formats.contains(&format!("`{}`", &more[1..])), "{header}");
            }
            None => assert!(formats.contains(&format!("| `{header}` |")), "{}: {header}", export.kind),
        }
    }
}

#[tokio::test]
async fn a_catch_up_exports_its_last_night_only() {
    let mut house = House::open().await;
    let order = ENTITLEMENTS.to_owned() + &row("4301", "ORD-1", "software", "2024-01-31", "2025-01-30", ",");
    house.import(&[("p.csv", &partner("4301", "USD")), ("e.csv", &order)], "2024-01-31").await;
    house.night("2024-02-05").await;
    let made: Vec<_> =
        fs::read_dir(house.dir.join("exports")).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert_eq!(made, ["2024-02-05"]);
}

#[tokio::test]
async fn a_night_that_is_looked_at_again_when_later_ones_are_complete_exports_and_mails_nothing() {
    let mut house = House::open().await;
    let order = ENTITLEMENTS.to_owned() + &row("4301", "ORD-1", "software", "2024-01-31", "2025-01-30", ",");
    house.import(&[("p.csv", &partner("4301", "USD")), ("e.csv", &order)], "2024-01-31").await;
    house.nights("2024-02-05", "2024-02-06").await;
    let path = house.dir.join("exports/2024-02-05/entitlements.csv");
    let exported = fs::read_to_string(&path).unwrap();
    let more = ENTITLEMENTS.to_owned() + &row("4301", "ORD-2", "software", "2024-01-31", "2025-01-30", ",");
    house.import_one("e2.csv", &more, "2024-02-07").await.applied();
    house.night("2024-02-05").await;
    assert_eq!(fs::read_to_string(&path).unwrap(), exported, "what it said then stays");
}
