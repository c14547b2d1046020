//! The views of `answers`, read without the binary: in a transaction that is read-only, and the same as the commands
//! print.

use benefactor::{
    answers::{
        benefits,
        history::{self, Unclear},
        reasons, status,
    },
    domain::{language::Language, reason::Reason},
    jobs::policy::Policies,
};
use chrono::{DateTime, NaiveDate, Utc};
use serde_json::{Value, json, to_value};
use sqlx::{Executor, PgConnection, PgTransaction};

use crate::{explain::stories, house::House};

const ADA: &str = "ada@p5500.example";
const NOW: &str = "2024-02-20T10:00:00Z";

fn today() -> NaiveDate {
    "2024-02-20".parse().unwrap()
}

/// A transaction in which nothing can be written.
async fn reading(house: &House) -> PgTransaction<'static> {
    let mut tx = house.pool.begin().await.unwrap();
    tx.execute("set transaction read only").await.unwrap();
    tx
}

fn printed(house: &House, args: &[&str]) -> Value {
    let ran = house.run(["--json", "--now", NOW].iter().chain(args));
    serde_json::from_str(&ran.stdout).unwrap()
}

#[tokio::test]
async fn a_history_is_read_without_writing_and_is_what_explain_prints() {
    let house = stories().await;
    let mut tx = reading(&house).await;
    for name in ["5500", "ORD-G", "ORD-G/product_support", ADA, "K1", "SR-77"] {
        let subject = history::find(&mut tx, name).await.unwrap().unwrap();
        let story = history::read(&mut tx, &subject, Language::English).await.unwrap();
        assert!(!story.events.is_empty(), "{name}");
        assert_eq!(to_value(&story).unwrap(), printed(&house, &["explain", name]), "{name}");
    }
    let near = match history::find(&mut tx, "ORD").await.unwrap() {
        Err(Unclear::Unknown(near)) => near,
        other => panic!("{other:?}"),
    };
    assert!(near.contains(&("order".to_owned(), "ORD-G".to_owned())), "{near:?}");
}

#[tokio::test]
async fn r10_benefits_are_read_without_writing_in_the_language_of_who_reads_them() {
    let house = stories().await;
    let mut tx = reading(&house).await;
    let view = benefits::read(&mut tx, &"5500".into(), Some(ADA), today(), Language::English)
        .await
        .unwrap()
        .unwrap();
    let args = ["benefits", "--partner", "5500", "--requested-by", ADA];
    assert_eq!(to_value(&view).unwrap(), printed(&house, &args));
    let view =
        benefits::read(&mut tx, &"5500".into(), None, today(), Language::Swedish).await.unwrap().unwrap();
    let left: Vec<&str> = view.benefits.iter().map(|benefit| benefit.left.as_str()).collect();
    for words in ["47,75 timmar", "0 av 2 nycklar", "2 av 2 platser"] {
        assert!(left.contains(&words), "{words}: {left:?}");
    }
    let before = NaiveDate::from_ymd_opt(2024, 1, 19).unwrap();
    let view =
        benefits::read(&mut tx, &"5500".into(), None, before, Language::Swedish).await.unwrap().unwrap();
    assert_eq!(view.no_benefits_yet, Some(Reason::NoBenefitsYet.sentence(Language::Swedish)));
    assert_eq!(refusal(&mut tx, "5501", None).await, Reason::UnknownPartner);
    assert_eq!(refusal(&mut tx, "5500", Some("nobody@p5500.example")).await, Reason::UnknownUser);
}

async fn refusal(conn: &mut PgConnection, partner: &str, user: Option<&str>) -> Reason {
    benefits::read(conn, &partner.into(), user, today(), Language::English).await.unwrap().unwrap_err()
}

#[tokio::test]
async fn status_is_read_without_writing_and_is_what_the_command_prints() {
    let house = stories().await;
    let policies = Policies::built_in().unwrap();
    let now: DateTime<Utc> = NOW.parse().unwrap();
    let mut tx = reading(&house).await;
    let view = status::read(&mut tx, &policies.timetables(), now, Language::English).await.unwrap();
    assert!(view.overdue && !view.well, "{view:?}");
    assert_eq!(to_value(&view).unwrap(), printed(&house, &["status"]));
    let swedish = status::read(&mut tx, &policies.timetables(), now, Language::Swedish).await.unwrap();
    let sentences: Vec<_> = view.waiting.grants.iter().zip(&swedish.waiting.grants).collect();
    assert!(!sentences.is_empty(), "a grant waits");
    for (english, swedish) in sentences {
        assert_eq!(english.reason_code, swedish.reason_code);
        assert_ne!(english.reason, swedish.reason);
    }
}

#[test]
fn d13_reasons_are_the_view_of_their_samples() {
    let all = reasons::all();
    for view in &all {
        assert_eq!(to_value(&view.sample).unwrap()["code"], json!(view.code));
        assert_ne!(view.en, view.sv, "{}", view.code);
    }
}
