//! A Go-To-Market offer's life, by date: a contact first, instructions once activated, live some days later (R8, D10).

use crate::{
    cast::{ENTITLEMENTS, cancel, contact, partner, row, users},
    house::House,
};

const OFFER: &str = "go_to_market/silver_core";

/// An activation by Ada.
fn activate(order: &str, on: &str) -> String {
    format!(
        "partner_id,order_id,benefit,requested_by,requested_on\n4301,{order},{OFFER},ada@p4301.example,{on}\n"
    )
}

/// An order of 31 January 2024 with an offer through a day; `contact` in a language, or none.
async fn bought(expires_on: &str, language: Option<&str>, on: &str) -> House {
    let mut house = House::open().await;
    let order = ENTITLEMENTS.to_owned()
        + &row("4301", "ORD-1", OFFER, "2024-01-31", expires_on, ",")
        + &row("4301", "ORD-1", "advisory_hours", "2024-01-31", "2025-01-30", ",");
    let files = [("p.csv", &*partner("4301", "SEK")), ("u.csv", &users("4301")), ("e.csv", &order)];
    house.import(&files, on).await;
    if let Some(language) = language {
        house.import_one("c.csv", &contact("4301", language), on).await.applied();
    }
    house
}

/// What `benefits` shows of the offer: its status and its end.
fn shown(house: &House, on: &str) -> String {
    let now = format!("{on}T04:00:00Z");
    let told = house.run(["--now", &now, "--json", "benefits", "--partner", "4301"]).ended(0).stdout;
    let told: serde_json::Value = serde_json::from_str(&told).unwrap();
    let offers = told["benefits"].as_array().unwrap();
    let offer = offers.iter().find(|benefit| benefit["benefit"] == OFFER).unwrap();
    format!("{} {}", offer["status"].as_str().unwrap(), offer["expires_on"].as_str().unwrap())
}

#[tokio::test]
async fn r8_benefits_says_of_an_offer_whether_it_was_activated_and_ends_it_as_its_mail_does() {
    // The first ends by itself, the second with its membership, grace included.
    for (expires_on, end, mailed) in
        [("2024-06-30", "2024-06-30", "30 June 2024"), ("2025-01-30", "2025-03-02", "2 March 2025")]
    {
        let mut house = bought(expires_on, Some("en"), "2024-01-31").await;
        house.night("2024-02-26").await;
        assert_eq!(shown(&house, "2024-02-27"), format!("not_activated {expires_on}"));
        assert_eq!(status(&house).await, "not_activated", "the view says the same");
        house.import_one("a.csv", &activate("ORD-1", "2024-02-27"), "2024-02-27").await;
        house.nights("2024-02-27", "2024-02-29").await;
        assert_eq!(shown(&house, "2024-03-01"), format!("activating {end}"));
        house.night("2024-03-01").await;
        assert_eq!(shown(&house, "2024-03-02"), format!("live {end}"));
        let mails = house.mailbox().await;
        let live =
            mails.iter().find(|mail| mail.notices.iter().any(|n| n.starts_with("offer_live"))).unwrap();
        assert!(live.body.replace('\u{a0}', " ").contains(mailed), "{}", live.body);
    }
}

async fn status(house: &House) -> String {
    house.one(&format!("select status from report.entitlement where benefit = '{OFFER}'")).await
}

/// Looks at a night and its jobs again: nothing changes.
async fn again(house: &House, on: &str) {
    let (before, mails) = (house.state().await, house.mailbox().await);
    house.night(on).await;
    house.job("remind_contacts", on).await;
    house.job("email_contacts", on).await;
    assert_eq!((house.state().await, house.mailbox().await), (before, mails));
}

#[tokio::test]
async fn r8_an_activated_offer_is_told_in_the_contacts_language_goes_live_and_expires() {
    let mut house = bought("2024-06-30", Some("sv"), "2024-01-31").await;
    house.nights("2024-01-31", "2024-02-26").await;
    let answer = house.import_one("a.csv", &activate("ORD-1", "2024-02-27"), "2024-02-27").await;
    assert_eq!(answer.rows, ["2 applied goes_live"], "{}", answer.text);
    assert_eq!(status(&house).await, "activating");
    assert_eq!(house.notices().await, [] as [&str; 0], "nothing is owed at arrival");
    house.nights("2024-02-27", "2024-02-29").await;
    assert_eq!(house.notices().await, ["offer_instructions 2024-02-27 sent"]);
    assert_eq!(status(&house).await, "activating");
    again(&house, "2024-02-29").await;
    house.night("2024-03-01").await;
    assert_eq!(status(&house).await, "active");
    assert_eq!(house.notices().await, ["offer_instructions 2024-02-27 sent", "offer_live 2024-03-01 sent"]);
    again(&house, "2024-03-01").await;
    let mails = house.mailbox().await;
    let shown: Vec<String> = mails
        .iter()
        .map(|mail| format!("{} {}\nSubject: {}\n\n{}", mail.day, mail.recipient, mail.subject, mail.body))
        .collect();
    insta::assert_snapshot!(shown.join("\n==========\n\n").replace("\r\n", "\n"));
    house.nights("2024-03-02", "2024-07-01").await;
    assert_eq!(status(&house).await, "expired");
    let told = house.notices().await;
    assert_eq!(
        told.iter().filter(|notice| notice.starts_with("offer_")).count(),
        2,
        "once for ever: {told:#?}"
    );
}

#[tokio::test]
async fn d10_that_a_contact_is_needed_is_told_the_account_once_and_the_contact_gets_the_rest() {
    let mut house = bought("2025-01-30", None, "2024-02-05").await;
    let answer = house.import_one("a.csv", &activate("ORD-1", "2024-02-05"), "2024-02-05").await;
    assert_eq!(answer.rows, ["2 rejected benefit contact_missing"]);
    house.nights("2024-02-05", "2024-02-07").await;
    assert_eq!(house.notices().await, ["contact_needed 2024-02-05 sent"], "its file arrived after its start");
    let mail = house.mailbox().await.remove(0);
    assert_eq!((mail.day.as_str(), mail.recipient.as_str()), ("2024-02-05", "accounts@p4301.example"));
    assert!(mail.body.contains("2 March 2025"), "{}", mail.body);
    again(&house, "2024-02-07").await;
    house.import_one("c.csv", &contact("4301", "en"), "2024-02-08").await.applied();
    house.import_one("a.csv", &activate("ORD-1", "2024-02-08"), "2024-02-08").await.applied();
    house.nights("2024-02-08", "2024-02-11").await;
    let mails = house.mailbox().await;
    let to: Vec<(&str, &str)> = mails.iter().map(|m| (m.day.as_str(), m.recipient.as_str())).collect();
    assert_eq!(
        to,
        [
            ("2024-02-05", "accounts@p4301.example"),
            ("2024-02-08", "marketing@p4301.example"),
            ("2024-02-11", "marketing@p4301.example"),
        ]
    );
    again(&house, "2024-02-11").await;
}

#[tokio::test]
async fn d10_a_contact_named_in_time_is_not_asked_for() {
    let mut house = bought("2025-01-30", None, "2024-01-20").await;
    house.nights("2024-01-20", "2024-01-30").await;
    assert_eq!(house.notices().await, [] as [&str; 0], "the offer does not run yet");
    house.import_one("c.csv", &contact("4301", "en"), "2024-01-31").await.applied();
    house.nights("2024-01-31", "2024-02-02").await;
    assert_eq!(house.notices().await, [] as [&str; 0]);
}

#[tokio::test]
async fn r8_a_changed_contact_gets_what_is_still_owed_in_their_language() {
    let mut house = bought("2025-01-30", Some("sv"), "2024-01-31").await;
    house.import_one("a.csv", &activate("ORD-1", "2024-02-01"), "2024-02-01").await.applied();
    house.nights("2024-02-01", "2024-02-02").await;
    let other = contact("4301", "en").replace("marketing@", "other@").replace("ada@", "ben@");
    house.import_one("c2.csv", &other, "2024-02-03").await.applied();
    house.nights("2024-02-03", "2024-02-05").await;
    let letters = house.letters().await;
    assert_eq!(letters.len(), 2, "{letters:#?}");
    assert!(
        letters[0].starts_with("2024-02-01 marketing@") && letters[0].contains("att göra"),
        "{letters:#?}"
    );
    assert!(letters[1].starts_with("2024-02-04 other@") && letters[1].contains("is live"), "{letters:#?}");
}

#[tokio::test]
async fn r8_an_offer_whose_order_is_cancelled_before_does_not_go_live() {
    let mut house = bought("2025-01-30", Some("en"), "2024-01-31").await;
    house.import_one("a.csv", &activate("ORD-1", "2024-02-10"), "2024-02-10").await.applied();
    house.nights("2024-02-10", "2024-02-11").await;
    house.import_one("s.csv", &cancel("4301", "SR-1", "ORD-1", "2024-02-12"), "2024-02-12").await.applied();
    house.nights("2024-02-12", "2024-02-14").await;
    assert_eq!(status(&house).await, "cancelled");
    assert!(!house.one::<bool>("select live from activation").await);
    let offers = house.notices().await;
    assert_eq!(offers, ["offer_instructions 2024-02-10 sent", "cancellation_accepted 2024-02-12 sent"]);
    again(&house, "2024-02-14").await;
}

#[tokio::test]
async fn d10_after_an_outage_an_offer_is_live_under_its_own_date_and_its_contact_told_in_a_mail_a_stream() {
    let mut house = bought("2025-01-30", Some("en"), "2024-01-31").await;
    house.import_one("a.csv", &activate("ORD-1", "2024-02-10"), "2024-02-10").await.applied();
    house.night("2024-02-20").await;
    assert_eq!(status(&house).await, "active");
    let mails = house.mailbox().await;
    let mut told: Vec<&str> = mails.iter().flat_map(|mail| &mail.notices).map(String::as_str).collect();
    told.sort_unstable();
    assert_eq!(mails.len(), 2, "{mails:#?}");
    assert_eq!(told, ["offer_instructions 2024-02-10", "offer_live 2024-02-13"]);
    assert!(mails.iter().all(|m| m.day == "2024-02-20" && m.recipient == "marketing@p4301.example"));
    assert_ne!(mails[0].message_id, mails[1].message_id);
    let streams = "select notice || ' ' || stream from report.mail order by 1";
    assert_eq!(house.lines(streams).await, ["offer_instructions transactional", "offer_live marketing"]);
    again(&house, "2024-02-20").await;
}

#[tokio::test]
async fn d10_of_an_offer_that_was_over_before_its_file_arrived_nothing_is_mailed() {
    let house = bought("2024-02-29", None, "2024-03-01").await;
    house.nights("2024-03-01", "2024-03-03").await;
    let about = |notice: &String| notice.starts_with("contact_needed") || notice.starts_with("offer");
    assert!(!house.notices().await.iter().any(about));
    // Activated in time, and known too late: the file of the activation arrives after the last usable day.
    let mut house = bought("2024-02-29", Some("en"), "2024-01-31").await;
    house.nights("2024-01-31", "2024-02-29").await;
    house.import_one("a.csv", &activate("ORD-1", "2024-02-25"), "2024-03-01").await.applied();
    house.nights("2024-03-01", "2024-03-02").await;
    assert!(house.one::<bool>("select live from activation").await, "it was, from 28 February");
    assert!(!house.notices().await.iter().any(about), "{:#?}", house.notices().await);
}
