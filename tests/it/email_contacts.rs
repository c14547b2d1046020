//! What leaves the house: one digest a stream, recipient and day, in their language, once (D10, promise 9).

use std::{
    fs,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use benefactor::{
    domain::notice::MembershipEnded,
    store::{
        mail::{self, Sending},
        notice::{self, NoticeSubject, Owed},
    },
};
use sqlx::PgConnection;

use crate::{
    cast::{ENTITLEMENTS, contact, monthly, partner, row, users},
    house::{House, Ran},
    sink::{Setup, Sink},
    smtp::{self, POLICY},
    story::day,
};

/// Two orders of software that end on the same day, at a partner with a contact or none.
async fn two_orders(language: Option<&str>) -> House {
    let mut house = House::open().await;
    let order = ENTITLEMENTS.to_owned()
        + &row("4301", "ORD-1", "software", "2024-01-31", "2025-01-30", ",")
        + &row("4301", "ORD-2", "software", "2024-01-31", "2025-01-30", ",");
    house
        .import(
            &[("p.csv", &partner("4301", "SEK")), ("u.csv", &users("4301")), ("e.csv", &order)],
            "2024-11-20",
        )
        .await;
    if let Some(language) = language {
        house.import_one("c.csv", &contact("4301", language), "2024-11-20").await.applied();
    }
    house.night("2024-11-29").await;
    house
}

async fn again(house: &House, on: &str) {
    let (before, mails) = (house.state().await, house.mailbox().await);
    house.night(on).await;
    house.job("email_contacts", on).await;
    assert_eq!((house.state().await, house.mailbox().await), (before, mails));
}

#[tokio::test]
async fn d10_the_contact_is_written_to_and_without_one_the_account() {
    for (language, recipient) in [(Some("en"), "marketing@p4301.example"), (None, "accounts@p4301.example")] {
        let house = two_orders(language).await;
        house.night("2024-11-30").await;
        let mails = house.mailbox().await;
        assert_eq!(mails.len(), 1, "one digest a recipient and day: {mails:#?}");
        assert_eq!(mails[0].recipient, recipient);
        assert_eq!(mails[0].notices, ["membership_ending 2024-12-01", "membership_ending 2024-12-01"]);
        assert!(mails[0].body.contains("ORD-1") && mails[0].body.contains("ORD-2"), "{}", mails[0].body);
        again(&house, "2024-11-30").await;
    }
}

#[tokio::test]
async fn d10_a_swedish_contact_reads_swedish_and_a_language_we_do_not_have_is_english() {
    for (language, words) in
        [("sv", "30 januari 2025"), ("sv-FI", "30 januari 2025"), ("fi", "30 January 2025")]
    {
        let house = two_orders(Some(language)).await;
        house.night("2024-11-30").await;
        let mail = house.mailbox().await.remove(0);
        assert!(mail.body.contains(words), "{language}: {}", mail.body);
    }
}

#[tokio::test]
async fn promise_9_a_mail_has_one_message_id_and_handed_over_again_the_same_bytes() {
    let house = two_orders(Some("en")).await;
    house.night("2024-11-30").await;
    let outbox = house.dir.join("outbox");
    let only = || -> (std::path::PathBuf, Vec<u8>) {
        let mut files: Vec<_> = fs::read_dir(&outbox).unwrap().map(|e| e.unwrap().path()).collect();
        assert_eq!(files.len(), 1);
        let file = files.remove(0);
        let bytes = fs::read(&file).unwrap();
        (file, bytes)
    };
    let first = only();
    // As after a crash between the hand-over and its receipt.
    sqlx::query(
        "update mail set status = 'claimed', lease_until = now() - interval '1 hour', sent_at = null",
    )
    .execute(&house.owner)
    .await
    .unwrap();
    house.night("2024-11-30").await;
    assert_eq!(only(), first);
    assert_eq!(house.one::<String>("select status from mail").await, "sent");
    assert_eq!(house.one::<i32>("select attempts from mail").await, 2);
}

/// A night of one date whose outbox is a file, so that nothing can be put there.
async fn night_without_an_outbox() -> House {
    let house = two_orders(Some("en")).await;
    fs::write(house.dir.join("outbox"), "").unwrap();
    let nights = house.night("2024-11-30").await;
    assert!(nights[0].left_out.is_empty());
    assert_eq!(house.one::<i64>("select count(*) from night where due_on = '2024-11-30'").await, 1);
    assert_eq!(house.one::<i64>("select count(*) from run where status <> 'done'").await, 0);
    let stands = house.one::<String>("select status || ': ' || last_reply from mail").await;
    assert!(stands.starts_with("queued: there is no outbox"), "{stands}");
    fs::remove_file(house.dir.join("outbox")).unwrap();
    house
}

#[tokio::test]
async fn promise_9_a_mail_that_cannot_go_makes_no_night_late_and_goes_with_the_date_that_it_has() {
    let house = night_without_an_outbox().await;
    house.night("2024-12-01").await;
    let mails = house.mailbox().await;
    assert_eq!(mails.len(), 1, "{mails:#?}");
    assert_eq!(mails[0].day, "2024-11-30");
    let file = fs::read_dir(house.dir.join("outbox")).unwrap().next().unwrap().unwrap().path();
    let text = fs::read_to_string(file).unwrap();
    assert!(text.contains("\r\nDate: Sun, 01 Dec 2024 02:30:00 +0000\r\n"), "{text}");
    assert!(mails[0].message_id.ends_with("@benefactor.example>"), "{}", mails[0].message_id);
    assert_eq!(house.one::<i32>("select attempts from mail").await, 2);
}

#[tokio::test]
async fn promise_9_what_is_not_true_any_more_when_it_could_go_is_withdrawn() {
    let house = night_without_an_outbox().await;
    // One of the two reminders is over, so the other goes alone.
    sqlx::query(
        "update notice set true_until = '2024-12-01' where subject_id = (select min(subject_id) from notice)",
    )
    .execute(&house.owner)
    .await
    .unwrap();
    fs::write(house.dir.join("outbox"), "").unwrap();
    house.night("2024-12-01").await;
    assert_eq!(
        house.notices().await,
        ["membership_ending 2024-12-01 queued", "membership_ending 2024-12-01 superseded"]
    );
    sqlx::query("update notice set true_until = '2024-12-02' where not superseded")
        .execute(&house.owner)
        .await
        .unwrap();
    fs::remove_file(house.dir.join("outbox")).unwrap();
    house.night("2024-12-02").await;
    assert_eq!(house.mailbox().await, []);
    let stands = house.one::<String>("select status || ': ' || last_reply from mail").await;
    assert_eq!(stands, "withdrawn: not sent: nothing in it was true any more");
    again(&house, "2024-12-02").await;
}

#[tokio::test]
async fn promise_9_a_suppressed_address_is_sent_nothing_even_if_it_was_queued() {
    let house = night_without_an_outbox().await;
    let said = |command: &str| {
        let address = "Marketing@p4301.example";
        let args = ["suppressions", command, address, "--by", "ada", "--why", "she left"];
        house.run(args).ended(0).stdout
    };
    assert_eq!(said("add"), "no mail goes to Marketing@p4301.example any more\n");
    assert_eq!(said("add"), "no mail goes to Marketing@p4301.example (none did before)\n");
    let listed = house.run(["suppressions", "list"]).ended(0).stdout;
    assert!(
        listed.starts_with("marketing@p4301.example since ") && listed.ends_with(", by ada: she left\n"),
        "{listed}"
    );
    house.night("2024-12-01").await;
    assert_eq!(house.mailbox().await, []);
    let listed = house.run(["mail", "list"]).ended(0).stdout;
    assert!(listed.starts_with("2024-11-30 withdrawn transactional marketing@p4301.example <"), "{listed}");
    assert!(listed.ends_with(", 2 tries: not sent: the address is suppressed (she left)\n"), "{listed}");
    assert_eq!(
        house.run(["mail", "list", "--state", "sent"]).ended(0).stdout,
        "no mail is in such a state\n"
    );
    assert_eq!(said("remove"), "mail goes to Marketing@p4301.example again\n");
    assert_eq!(said("remove"), "mail goes to Marketing@p4301.example (it did before)\n");
    assert_eq!(house.run(["suppressions", "list", "--json"]).ended(0).stdout, "");
}

/// An offer that goes live on the night of 30 November, of a partner who is told of an end as well; its outbox is a file.
async fn live_and_ending() -> House {
    let mut house = House::open().await;
    let order = ENTITLEMENTS.to_owned()
        + &row("4301", "ORD-1", "go_to_market/silver_core", "2024-01-31", "2025-01-30", ",");
    house
        .import(
            &[("p.csv", &partner("4301", "SEK")), ("u.csv", &users("4301")), ("e.csv", &order)],
            "2024-11-20",
        )
        .await;
    house.import_one("c.csv", &contact("4301", "en"), "2024-11-20").await.applied();
    house.night("2024-11-26").await;
    let asked = "partner_id,order_id,benefit,requested_by,requested_on\n\
                 4301,ORD-1,go_to_market/silver_core,ada@p4301.example,2024-11-27\n";
    house.import_one("a.csv", asked, "2024-11-27").await.applied();
    house.nights("2024-11-27", "2024-11-29").await;
    let told = house.letters().await;
    assert!(told.len() == 1 && told[0].ends_with("offer_instructions 2024-11-27"), "{told:#?}");
    house
}

#[tokio::test]
async fn d10_what_is_marketing_goes_in_a_mail_of_its_own() {
    let house = live_and_ending().await;
    house.night("2024-11-30").await;
    let mails: Vec<_> = house.mailbox().await.into_iter().filter(|m| m.day == "2024-11-30").collect();
    let told: Vec<_> = mails.iter().map(|m| m.notices.join(" ")).collect();
    assert_eq!(told, ["offer_live 2024-11-30", "membership_ending 2024-12-01"], "{mails:#?}");
    assert!(mails.iter().all(|m| m.recipient == "marketing@p4301.example"));
    let streams = "select notice || ' ' || coalesce(stream, '-') from report.mail where message_id is not null order by 1";
    assert_eq!(
        house.lines(streams).await,
        ["membership_ending transactional", "offer_instructions transactional", "offer_live marketing"]
    );
    let listed = house.run(["mail", "list", "--state", "sent", "--stream", "marketing"]).ended(0).stdout;
    assert_eq!(listed.lines().count(), 1, "{listed}");
    assert!(listed.starts_with("2024-11-30 sent marketing marketing@p4301.example <"), "{listed}");
    again(&house, "2024-11-30").await;
}

#[tokio::test]
async fn promise_9_an_address_suppressed_for_marketing_is_sent_the_rest() {
    let house = live_and_ending().await;
    let said = |command: &str, scope: &str| {
        let by = ["--by", "ada", "--why", "asked for none"];
        let args = ["suppressions", command, "marketing@p4301.example", "--scope", scope];
        house.run(args.into_iter().chain(by)).ended(0).stdout
    };
    let list = || house.run(["suppressions", "list"]).ended(0).stdout;
    assert_eq!(said("add", "marketing"), "no marketing mail goes to marketing@p4301.example any more\n");
    assert!(list().starts_with("marketing@p4301.example for marketing since "), "{}", list());
    // That all mail may go there again is no word about marketing.
    said("add", "all");
    assert_eq!(list().lines().count(), 2, "{}", list());
    assert_eq!(said("remove", "all"), "mail goes to marketing@p4301.example again\n");
    assert_eq!(list().lines().count(), 1, "{}", list());
    house.night("2024-11-30").await;
    let stands = "select concat_ws(' ', stream, status, substr(last_reply, 1, 60)) from mail where day = '2024-11-30' order by 1";
    assert_eq!(
        house.lines(stands).await,
        [
            "marketing withdrawn not sent: the address is suppressed for marketing (asked for",
            "transactional sent written to the outbox"
        ]
    );
    again(&house, "2024-11-30").await;
    assert_eq!(said("remove", "marketing"), "marketing mail goes to marketing@p4301.example again\n");
    assert_eq!(list(), "mail goes to every address\n");
}

#[tokio::test]
async fn d10_two_partners_with_one_address_get_one_digest() {
    let mut house = House::open().await;
    let partners = "partner_id,name,account_email,country,currency\n\
                    4301,North,Shared@Group.example,SE,SEK\n4302,South,shared@group.example,SE,SEK\n";
    let orders = ENTITLEMENTS.to_owned()
        + &row("4301", "ORD-1", "software", "2024-01-31", "2025-01-30", ",")
        + &row("4302", "ORD-2", "software", "2024-01-31", "2025-01-30", ",");
    house.import(&[("p.csv", partners), ("e.csv", &orders)], "2024-01-31").await;
    house.night("2024-11-29").await;
    house.night("2024-11-30").await;
    let mails = house.mailbox().await;
    assert_eq!(mails.len(), 1);
    assert!(mails[0].body.contains("ORD-1") && mails[0].body.contains("ORD-2"), "{}", mails[0].body);
}

/// An address whose domain is outside ASCII was taken in, and no mail to it could ever be written.
#[tokio::test]
async fn d10_an_address_that_is_taken_in_can_be_written_to_however_its_domain_is_written() {
    let mut house = House::open().await;
    let header = "partner_id,name,account_email,country,currency\n";
    let partners =
        format!("{header}4301,North,A@MÜNCHEN.example,SE,SEK\n4302,South,b@malmö.example,SE,SEK\n");
    let orders = ENTITLEMENTS.to_owned()
        + &row("4301", "ORD-1", "software", "2024-01-31", "2025-01-30", ",")
        + &row("4302", "ORD-2", "software", "2024-01-31", "2025-01-30", ",");
    house.import(&[("p.csv", &partners), ("e.csv", &orders)], "2024-01-31").await;
    let kept = "select account_email from partner order by number";
    assert_eq!(house.lines(kept).await, ["A@xn--mnchen-3ya.example", "b@xn--malm-8qa.example"]);
    for same in [partners.as_str(), &format!("{header}4301,North,A@xn--mnchen-3ya.example,SE,SEK\n")] {
        let rows = house.import_one("p.csv", same, "2024-01-31").await.rows;
        assert!(rows.iter().all(|row| row.contains("unchanged")), "{rows:?}");
    }
    // The contact's is another mailbox than the account's, however it is written (R8).
    house.import_one("u.csv", &users("4301"), "2024-01-31").await.applied();
    let contact = contact("4301", "en").replace("marketing@p4301.example", "a@münchen.example");
    let answer = house.import_one("c.csv", &contact, "2024-01-31").await;
    assert_eq!(answer.rows, ["2 rejected email contact_is_account"]);
    // Taken in as written, before.
    sqlx::query("update partner set account_email = 'B@Malmö.example' where number = '4302'")
        .execute(&house.owner)
        .await
        .unwrap();
    house.night("2024-11-29").await;
    house.night("2024-11-30").await;
    assert_eq!(house.one::<i64>("select count(*) from mail where status <> 'sent'").await, 0);
    let outbox = fs::read_dir(house.dir.join("outbox")).unwrap();
    let mut written: Vec<String> = outbox
        .map(|file| fs::read_to_string(file.unwrap().path()).unwrap())
        .flat_map(|mail| {
            mail.lines().filter(|line| line.starts_with("To: ")).map(str::to_owned).collect::<Vec<_>>()
        })
        .collect();
    written.sort();
    assert_eq!(written, ["To: a@xn--mnchen-3ya.example", "To: b@xn--malm-8qa.example"]);
}

#[tokio::test]
async fn promise_12_what_a_partner_is_called_cannot_break_a_header() {
    let mut house = House::open().await;
    let partners = "partner_id,name,account_email,country,currency\n\
                    4301,\"Evil, \"\"Inc\"\" <x@y> =?utf-8?q?a?=\",accounts@p4301.example,SE,SEK\n";
    let order = monthly("4301", "ORD-1", "2024-01-31", "2025-01-30").replace("100,USD", "900,SEK");
    house.import(&[("p.csv", partners), ("e.csv", &order)], "2024-01-31").await;
    house.nights("2024-02-20", "2024-02-21").await;
    let mails = house.mailbox().await;
    assert_eq!(mails.len(), 1);
    assert!(mails[0].body.contains("Evil, \"Inc\" <x@y>"), "{}", mails[0].body);
}

/// Six thousand mails took half a minute while each was looked for among all; looked up, they take a fraction of a second, and
/// so do what is in them and whose it is.
#[tokio::test]
async fn d10_queueing_takes_as_long_as_there_are_recipients_on_a_store_that_knows_nothing_of_its_tables() {
    let house = House::open().await;
    sqlx::raw_sql(
        "insert into file (sha256, name, kind, dialect, header, received_on)
         values (repeat('0', 64), 'p.csv', 'partners', 'canonical', '{}', '2024-01-31');
         insert into partner (number, name, account_email, country, currency, file_id)
         select n, 'Partner ' || n, 'p' || n || '@p.example', 'SE', 'SEK', 1 from generate_series(1, 6000) n;
         insert into notice_batch (partner_id, audience, stream)
         select partner_id, 'contact_else_account', 'transactional' from partner;
         insert into notice (partner_id, batch_id, run_id, subject_kind, subject_id, kind, anchor_on, content)
         select partner_id, batch_id, 0, 'membership', partner_id, 'membership_ended', '2024-01-31',
                jsonb_build_object('kind', 'membership_ended', 'order_id', 'ORD-1', 'offer', 'silver', 'ended_on', '2024-01-31')
         from notice_batch;
         insert into run (job, due_on, binary_version, policy_sha256, catalogue_sha256, input_sha256)
         values ('email_contacts', '2024-01-31', '', '', '', '')",
    )
    .execute(&house.owner)
    .await
    .unwrap();
    let (mut tx, today) = (house.pool.begin().await.unwrap(), day("2024-01-31"));
    sqlx::raw_sql("set local statement_timeout = '10s'").execute(&mut *tx).await.unwrap();
    let recipients = notice::recipients(&mut tx, today).await.unwrap();
    let ids: Vec<String> = (0..recipients.len()).map(|n| format!("<{n}@p.example>")).collect();
    assert_eq!(notice::queue_mails(&mut tx, "email_contacts", today, &recipients, &ids).await.unwrap(), 6000);
    tx.commit().await.unwrap();
    let told =
        "select count(*) from notice_told n join partner p using (partner_id) join mail m using (mail_id)
                where n.status = 'mailed' and m.recipient = p.account_email";
    assert_eq!(house.one::<i64>(told).await, 6000);
    let mut leased = 0;
    for span in mail::mail_spans(&mut house.pool.acquire().await.unwrap(), today, 500).await.unwrap() {
        let mut tx = house.pool.begin().await.unwrap();
        sqlx::raw_sql(QUICK).execute(&mut *tx).await.unwrap();
        let sending = Sending { at: "2024-02-01T02:30:00Z".parse().unwrap(), true_on: today };
        leased += mail::lease(&mut tx, span, 120.0, sending).await.unwrap().len();
        tx.commit().await.unwrap();
    }
    assert_eq!(leased, 6000);
}

/// A partner without a contact, and a night for which mails can be queued.
async fn one_partner() -> House {
    let house = House::open().await;
    sqlx::raw_sql(
        "insert into file (sha256, name, kind, dialect, header, received_on)
         values (repeat('0', 64), 'p.csv', 'partners', 'canonical', '{}', '2024-01-31');
         insert into partner (number, name, account_email, country, currency, file_id)
         values ('4301', 'Partner', 'a@p.example', 'SE', 'SEK', 1);
         insert into run (job, due_on, binary_version, policy_sha256, catalogue_sha256, input_sha256)
         values ('email_contacts', '2024-01-31', '', '', '', ''), ('email_contacts', '2024-02-01', '', '', '', '')",
    )
    .execute(&house.owner)
    .await
    .unwrap();
    house
}

/// Owes the partner word that an order ended.
async fn owe(conn: &mut PgConnection, order: i64) -> usize {
    let ended = MembershipEnded {
        order_id: format!("ORD-{order}").as_str().into(),
        offer: "silver".to_owned(),
        ended_on: day("2024-01-31"),
    };
    let owed = Owed {
        partner_id: 1.into(),
        subject: NoticeSubject::Membership(order.into()),
        anchor_on: day("2024-01-31"),
        true_until: None,
        notice: ended.into(),
    };
    notice::owe(conn, 0.into(), &[owed]).await.unwrap()
}

/// Queues what is owed on a day; says how many mails.
async fn queue(conn: &mut PgConnection, on: &str) -> usize {
    notice::hold_batches(conn).await.unwrap();
    let recipients = notice::recipients(conn, day(on)).await.unwrap();
    let ids: Vec<String> = (0..recipients.len()).map(|n| format!("<{on}.{n}@p.example>")).collect();
    notice::queue_mails(conn, "email_contacts", day(on), &recipients, &ids).await.unwrap()
}

const QUICK: &str = "set local statement_timeout = '10s'";
const TOLD: &str =
    "select concat_ws(' ', n.subject_id, n.status, m.day) from notice_told n left join mail m using (mail_id)
                    order by n.subject_id";

#[tokio::test]
async fn promise_9_who_owes_notices_waits_for_nobody_else_who_does_and_one_mail_tells_them() {
    let house = one_partner().await;
    let (mut one, mut other) = (house.pool.begin().await.unwrap(), house.pool.begin().await.unwrap());
    for tx in [&mut one, &mut other] {
        sqlx::raw_sql(QUICK).execute(&mut **tx).await.unwrap();
    }
    assert_eq!((owe(&mut one, 1).await, owe(&mut other, 2).await), (1, 1));
    assert_eq!((owe(&mut other, 3).await, owe(&mut one, 4).await), (1, 1));
    assert_eq!(owe(&mut one, 1).await, 0, "once for ever");
    one.commit().await.unwrap();
    other.commit().await.unwrap();
    // Later ones come into the batch that is open, whoever adds them and however many do at a time.
    let (mut one, mut other) = (house.pool.begin().await.unwrap(), house.pool.begin().await.unwrap());
    for tx in [&mut one, &mut other] {
        sqlx::raw_sql(QUICK).execute(&mut **tx).await.unwrap();
    }
    assert_eq!((owe(&mut one, 5).await, owe(&mut other, 6).await), (1, 1));
    one.commit().await.unwrap();
    other.commit().await.unwrap();
    assert_eq!(house.one::<i64>("select count(*) from notice_batch").await, 2);
    let mut conn = house.pool.acquire().await.unwrap();
    assert_eq!(queue(&mut conn, "2024-01-31").await, 1);
    let told: Vec<String> = (1..=6).map(|order| format!("{order} mailed 2024-01-31")).collect();
    assert_eq!(house.lines(TOLD).await, told);
}

#[tokio::test]
async fn promise_9_what_is_owed_while_mails_are_queued_is_in_them_or_in_the_next() {
    let house = one_partner().await;
    owe(&mut house.pool.acquire().await.unwrap(), 1).await;
    // It was there before the batch was closed: the mail waits for it.
    let mut owing = house.pool.begin().await.unwrap();
    owe(&mut owing, 2).await;
    let pool = house.pool.clone();
    let queueing = tokio::spawn(async move {
        let mut tx = pool.begin().await.unwrap();
        let queued = queue(&mut tx, "2024-01-31").await;
        (tx, queued)
    });
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    assert!(!queueing.is_finished(), "a batch is not closed under the hands of whoever adds to it");
    owing.commit().await.unwrap();
    let (tx, queued) = queueing.await.unwrap();
    assert_eq!(queued, 1);
    // It came after: it waits until the batch is closed, and comes into another.
    let pool = house.pool.clone();
    let owing = tokio::spawn(async move { owe(&mut pool.acquire().await.unwrap(), 3).await });
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    assert!(!owing.is_finished(), "nothing comes into a batch that is being closed");
    tx.commit().await.unwrap();
    assert_eq!(owing.await.unwrap(), 1);
    assert_eq!(house.lines(TOLD).await, ["1 mailed 2024-01-31", "2 mailed 2024-01-31", "3 owed"]);
    assert_eq!(queue(&mut house.pool.acquire().await.unwrap(), "2024-02-01").await, 1);
    assert_eq!(
        house.lines(TOLD).await,
        ["1 mailed 2024-01-31", "2 mailed 2024-01-31", "3 mailed 2024-02-01"]
    );
}

/// The night of mails that are owed, into the outbox, with two tries and no pauses to speak of.
fn night_of(house: &House) -> Command {
    let path = house.dir.join(POLICY);
    let policy = fs::read_to_string(&path).unwrap();
    let quick = "attempts = 2\nretry_after_seconds = 1\nretry_at_most_seconds = 1 #";
    fs::write(&path, policy.replace("attempts = 8 ", quick)).unwrap();
    let mut command = house.command(["--now", "2024-02-01T02:30:00Z", "night", "--on", "2024-01-31"]);
    command.env("BENEFACTOR_CONFIG_DIR", house.dir.join("config"));
    command
}

const STATES: &str = "select status || ' ' || count(*) from mail group by status order by status";

#[tokio::test]
async fn promise_5_a_notice_that_cannot_be_read_costs_its_own_mail() {
    let (house, sink) = (smtp::owing(3).await, Sink::open(Setup::default()));
    let odd = "update notice set content = '{\"kind\": \"of_later\"}' where subject_id = 2";
    sqlx::query(odd).execute(&house.owner).await.unwrap();
    Ran::of(&mut night_of(&house));
    assert_eq!(house.lines(STATES).await, ["failed 1", "sent 2"]);
    let why: String = house.one("select last_reply from mail where status = 'failed'").await;
    assert!(why.contains("'of_later'") && why.contains("mail resend"), "{why}");
    sqlx::query("update mail set status = 'queued', sent_at = null").execute(&house.owner).await.unwrap();
    smtp::with(&house, sink.port, &["mail", "send"]).ended(0);
    assert_eq!(house.lines(STATES).await, ["failed 1", "sent 2"]);
}

#[tokio::test]
async fn promise_5_what_the_store_refuses_or_has_and_cannot_be_read_costs_its_own_mail() {
    let house = smtp::owing(4).await;
    sqlx::raw_sql(
        "alter table mail drop constraint mail_stream_check;
         create function refuse() returns trigger language plpgsql as $$ begin raise 'it is odd'; end $$;
         create function change() returns trigger language plpgsql as $$ begin new.stream = 'odd'; return new; end $$;
         create trigger refuse before update on mail for each row
             when (new.status = 'claimed' and new.recipient = 'p2@p.example') execute function refuse();
         create trigger change before insert on mail for each row
             when (new.recipient = 'p4@p.example') execute function change()",
    )
    .execute(&house.owner)
    .await
    .unwrap();
    let said = house.dir.join("said");
    let mut night = night_of(&house);
    night.stdout(Stdio::null()).stderr(fs::File::create(&said).unwrap());
    let mut night = night.spawn().unwrap();
    let begun = Instant::now();
    while night.try_wait().unwrap().is_none() {
        if begun.elapsed() > Duration::from_secs(40) {
            night.kill().unwrap();
            panic!("the night waits for what its failed tries hold");
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let said = fs::read_to_string(said).unwrap();
    assert_eq!(house.lines(STATES).await, ["queued 2", "sent 2"], "{said}");
}
