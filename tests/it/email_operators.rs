//! What operators are told of a night: once for a business date, whatever becomes of it, and in their language (promise 9).

use std::{fs, process::Command};

use sqlx::Executor;

use crate::{
    bounces::{about, fixtures, maildir, take},
    cast::{ENTITLEMENTS, contact, partner, row, usage, users},
    eml::Eml,
    house::{House, Ran},
    sink::{Setup, Sink},
};

const MONTHLY: &str = "azure_monthly_credit";
const JOB: &str = "email_operators";
const TWO: &str =
    r#"[{ address = "ops@company.example" }, { address = "Drift@Company.example", language = "sv-SE" }]"#;
const ONE: &str = r#"[{ address = "ops@company.example" }]"#;

/// A mail to an operator, as it was written.
struct Told {
    to: String,
    subject: String,
    text: String,
    eml: String,
}

/// What operators were sent, by day, then address.
async fn told(house: &House) -> Vec<Told> {
    let ids = house
        .lines("select message_id from mail where stream = 'operator' and status = 'sent' order by day, recipient")
        .await;
    let read = |id: &String| {
        let name = id.trim_matches(['<', '>']).split('@').next().unwrap().to_owned();
        let eml = fs::read_to_string(house.dir.join(&format!("outbox/{name}.eml"))).unwrap();
        let mail = Eml::read(&eml);
        Told { to: mail.field("To"), subject: mail.field("Subject"), text: mail.text, eml }
    };
    ids.iter().map(read).collect()
}

/// One mail's text as one line.
fn flat(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// What is told of each: the nights, the count of what needs somebody, the state of its mails.
async fn reports(house: &House) -> Vec<String> {
    house
        .lines(
            "select concat_ws(' ', r.from_on, r.day, r.well, string_agg(m.status, ',' order by m.mail_id)) from night_report r
             left join mail m on m.day = r.day and m.stream = 'operator' group by r.day order by r.day",
        )
        .await
}

/// Two partners that account in currencies of their own, each with credit of a month, and the night after it was granted.
async fn begun(recipients: &str) -> House {
    let mut house = House::open().await.policy(JOB, "recipients", recipients);
    let orders = ENTITLEMENTS.to_owned()
        + &row("4301", "ORD-1", MONTHLY, "2024-01-31", "2025-01-30", "1000,SEK")
        + &row("4302", "ORD-2", MONTHLY, "2024-01-31", "2025-01-30", "90.50,EUR")
        + &row("4302", "ORD-3", MONTHLY, "2024-01-31", "2025-01-30", "70,EUR");
    let files = [
        ("p.csv", &*partner("4301", "SEK")),
        ("q.csv", &partner("4302", "EUR")),
        ("u.csv", &users("4301")),
        ("c.csv", &contact("4301", "sv")),
        ("e.csv", &orders),
    ];
    for answer in house.import(&files, "2024-01-31").await {
        answer.applied();
    }
    house.night("2024-01-31").await;
    house
}

/// As [`begun`], and then a night with something of everything that needs somebody.
async fn troubled() -> House {
    let mut house = begun(TWO).await;
    house.night("2024-02-20").await;
    let spent = ["ORD-9", "ORD-8", "ORD-1"]
        .map(|order| usage("4301", order, MONTHLY, "2024-02-20", "5.00,SEK", &format!("R-{order}")));
    let rows: String =
        spent.iter().flat_map(|file| file.lines().skip(1)).flat_map(|row| [row, "\n"]).collect();
    let spent = spent[0].lines().next().unwrap().to_owned() + "\n" + &rows;
    let late = ENTITLEMENTS.to_owned() + &row("4301", "ORD-4", MONTHLY, "2024-02-21", "2025-02-20", "40,SEK");
    let files = [("usage.csv", &*spent), ("notes.csv", "who,what\nada,nothing\n"), ("late.csv", &late)];
    house.import(&files, "2024-02-21").await;
    house
        .owner
        .execute(
            "create function fails() returns trigger language plpgsql as $$
             begin raise exception using errcode = '23505', message = 'not this transfer'; end $$;
             create trigger fails before insert on transfer for each row when (new.kind = 'credit_granted')
                 execute function fails();",
        )
        .await
        .unwrap();
    let _ = house.try_night("2024-02-21").await;
    house
}

#[tokio::test]
async fn each_recipient_is_told_in_their_language_what_was_done_refused_failed_waits_and_lapses() {
    let house = troubled().await;
    let last = told(&house).await.split_off(4);
    let tos: Vec<&str> = last.iter().map(|mail| mail.to.as_str()).collect();
    assert_eq!(tos, ["drift@company.example", "ops@company.example"]);
    let (swedish, english) = (&last[0], &last[1]);
    let seen = |mail: &Told| {
        let text = mail.text.replace(&house.dir.path().display().to_string(), "DATA");
        format!("{}\n\n{text}", mail.subject)
    };
    insta::assert_snapshot!("a_troubled_night_en", seen(english));
    insta::assert_snapshot!("a_troubled_night_sv", seen(swedish));
    let text = flat(&english.text);
    for said in [
        "2 rows: usage.csv line 2, usage.csv line 3",
        "notes.csv: refused",
        "SEK 995.00 in 1 credit of 1 partner: Partner 4301 (4301) SEK 995.00",
        "EUR 160.50 in 2 credits of 1 partner: Partner 4302 (4302) EUR 160.50",
        "provision_credits for 21 February 2024",
        "not this transfer",
    ] {
        assert!(text.contains(said), "{said}: {}", english.text);
    }
    for (eml, language) in [(&swedish.eml, "sv"), (&english.eml, "en")] {
        assert!(eml.contains(&format!("\r\nContent-Language: {language}\r\n")), "{eml}");
        assert!(eml.contains("\r\nAuto-Submitted: auto-generated\r\n") && !eml.contains("List-Unsubscribe"));
        assert!(!eml.contains("ada@p4301") && !eml.contains("marketing@p4301"), "nobody's address: {eml}");
    }
}

#[tokio::test]
async fn promise_9_operators_are_told_once_of_a_night_however_often_it_is_run() {
    let house = troubled().await;
    let before =
        (reports(&house).await, told(&house).await.iter().map(|mail| mail.eml.clone()).collect::<Vec<_>>());
    for _ in 0..2 {
        let _ = house.try_night("2024-02-21").await;
        house.job(JOB, "2024-02-21").await;
        house.job("email_contacts", "2024-02-21").await;
    }
    let after =
        (reports(&house).await, told(&house).await.iter().map(|mail| mail.eml.clone()).collect::<Vec<_>>());
    assert_eq!(after, before);
    assert_eq!(before.0.last().unwrap(), "2024-02-21 2024-02-21 f sent,sent");
}

#[tokio::test]
async fn promise_9_one_mail_to_operators_tells_of_all_nights_that_were_made_up_for() {
    let house = begun(ONE).await;
    house.night("2024-02-20").await;
    assert_eq!(reports(&house).await, ["2024-01-31 2024-01-31 t sent", "2024-02-01 2024-02-20 t sent"]);
    let mails = told(&house).await;
    assert!(
        mails[1].subject.starts_with("Nights from 1 February 2024 to 20 February 2024"),
        "{}",
        mails[1].subject
    );
    assert!(flat(&mails[1].text).contains("These 20 nights were made up for together"), "{}", mails[1].text);
}

#[tokio::test]
async fn a_store_whose_first_nights_are_made_up_for_together_gets_one_mail_of_them_all() {
    let mut house = House::open().await.policy(JOB, "recipients", ONE);
    house.import_one("p.csv", &partner("4301", "SEK"), "2024-01-02").await.applied();
    house.night("2024-01-31").await;
    assert_eq!(reports(&house).await, ["2024-01-02 2024-01-31 t sent"]);
    let text = &told(&house).await[0].text;
    assert!(flat(text).contains("1 file came: 1 taken in"), "{text}");
}

#[tokio::test]
async fn where_nothing_is_wrong_the_policy_says_whether_they_are_told() {
    let house = begun(ONE).await.policy(JOB, "when_nothing_is_wrong", "false");
    house.night("2024-02-01").await;
    assert_eq!(reports(&house).await, ["2024-01-31 2024-01-31 t sent", "2024-02-01 2024-02-01 t"]);
    let house = house.policy(JOB, "when_nothing_is_wrong", "true");
    house.night("2024-02-02").await;
    let mails = told(&house).await;
    assert_eq!(mails.len(), 2);
    assert_eq!(mails[1].subject, "Night of 2 February 2024: nothing needs you");
    assert_eq!(
        reports(&house).await.pop().unwrap(),
        "2024-02-02 2024-02-02 t sent",
        "no night is told of twice"
    );
}

#[tokio::test]
async fn nobody_named_nothing_is_made_and_nothing_sent() {
    let house = begun("[]").await;
    assert_eq!(
        house.one::<i64>("select (select count(*) from night_report) + (select count(*) from mail)").await,
        0
    );
    assert_eq!(house.one::<String>("select status from run where job = 'email_operators'").await, "done");
}

#[tokio::test]
async fn promise_9_what_cannot_be_gathered_makes_no_night_incomplete_and_is_told_by_the_next() {
    let house = begun(ONE).await;
    house.owner.execute("alter table row_answer rename column problems to away").await.unwrap();
    let nights = house.night("2024-02-01").await;
    assert!(nights[0].left_out.is_empty());
    let (_, counts) = *nights[0].jobs.iter().find(|(job, _)| *job == JOB).unwrap();
    assert_eq!((counts.done, counts.failed), (0, 1));
    assert_eq!(house.one::<i64>("select count(*) from night where due_on = '2024-02-01'").await, 1);
    house.owner.execute("alter table row_answer rename column away to problems").await.unwrap();
    house.night("2024-02-02").await;
    assert_eq!(reports(&house).await, ["2024-01-31 2024-01-31 t sent", "2024-02-01 2024-02-02 t sent"]);
}

#[tokio::test]
async fn a_mail_that_cannot_go_makes_no_night_late_and_goes_with_the_next_one() {
    let house = begun(ONE).await;
    fs::rename(house.dir.join("outbox"), house.dir.join("aside")).unwrap();
    fs::write(house.dir.join("outbox"), "").unwrap();
    assert!(house.night("2024-02-01").await[0].left_out.is_empty());
    assert_eq!(reports(&house).await.pop().unwrap(), "2024-02-01 2024-02-01 t queued");
    assert_eq!(house.one::<i64>("select count(*) from run where status <> 'done'").await, 0);
    fs::remove_file(house.dir.join("outbox")).unwrap();
    fs::rename(house.dir.join("aside"), house.dir.join("outbox")).unwrap();
    house.night("2024-02-02").await;
    assert_eq!(reports(&house).await[1..], ["2024-02-01 2024-02-01 t sent", "2024-02-02 2024-02-02 t sent"]);
}

/// Writes the policy into a folder that the binary reads.
fn configured(house: &House, recipients: &str) {
    let text = include_str!("../../jobs/email_operators.toml");
    let line = text.lines().find(|line| line.starts_with("recipients = ")).unwrap();
    fs::create_dir_all(house.dir.join("config/jobs")).unwrap();
    let own = text.replace(line, &format!("recipients = {recipients}"));
    fs::write(house.dir.join("config/jobs/email_operators.toml"), own).unwrap();
}

fn command(house: &House, now: &str, args: &[&str]) -> Command {
    let mut command = house.command(["--now", now]);
    command.args(args).env("BENEFACTOR_CONFIG_DIR", house.dir.join("config"));
    command
}

#[tokio::test]
async fn promise_9_killed_at_any_point_of_it_and_started_again_operators_get_one_mail() {
    for point in
        ["chunk.claimed", "chunk.worked", "mail.leased", "mail.delivered", "mail.recorded", "run.closed"]
    {
        let house = House::open().await;
        configured(&house, ONE);
        let night = |faults: &str| {
            let mut night = command(&house, "2024-02-02T02:30:00Z", &["night", "--on", "2024-02-01"]);
            night.env("BENEFACTOR_FAULTS", faults);
            loop {
                let ran = Ran::of(&mut night);
                if ran.code != 4 {
                    return ran; // 4: Postgres has not seen the killed one go yet
                }
                std::thread::sleep(std::time::Duration::from_millis(50));
            }
        };
        night(&format!("{point}/{JOB}=kill")).ended(-1);
        night("").ended(0);
        assert_eq!(reports(&house).await, ["2024-02-01 2024-02-01 t sent"], "{point}");
        assert_eq!(fs::read_dir(house.dir.join("outbox")).unwrap().count(), 1, "{point}");
    }
}

#[tokio::test]
async fn it_goes_to_a_mail_server_as_all_mail_does_and_a_suppressed_address_gets_none() {
    let (house, sink) = (House::open().await, Sink::open(Setup::default()));
    configured(&house, TWO);
    house.run(["suppressions", "add", "drift@company.example", "--by", "ada", "--why", "she left"]).ended(0);
    let mut night = command(&house, "2024-02-02T02:30:00Z", &["night", "--on", "2024-02-01"]);
    Ran::of(night.env("SMTP_URL", format!("smtp://127.0.0.1:{}?tls=none", sink.port))).ended(0);
    let kept = sink.kept();
    assert_eq!(kept.len(), 1, "{kept:?}");
    assert!(kept[0].1.contains("Night of 1 February 2024"), "{kept:?}");
    assert_eq!(reports(&house).await, ["2024-02-01 2024-02-01 t sent,withdrawn"]);
    let listed = command(&house, "2024-02-02T03:00:00Z", &["mail", "list", "--stream", "operator"]);
    let listed = Ran::of(&mut { listed }).ended(0).stdout;
    assert!(listed.contains("withdrawn operator drift@company.example"), "{listed}");
    let view =
        "select concat_ws(' ', partner_id, recipient, notice, anchor_on, status) from report.mail order by 1";
    assert_eq!(
        house.lines(view).await,
        [
            "drift@company.example night_report 2024-02-01 withdrawn",
            "ops@company.example night_report 2024-02-01 sent"
        ]
    );
}

#[tokio::test]
async fn a_mail_is_seen_before_it_is_sent_and_afterwards_as_it_was() {
    let house = troubled().await;
    configured(&house, TWO);
    let preview = |args: &[&str]| {
        let mut all = vec!["mail", "preview", "operator", "--date", "2024-02-21"];
        all.extend(args);
        Ran::of(&mut command(&house, "2024-02-22T09:00:00Z", &all)).ended(0).stdout
    };
    let sent = told(&house).await;
    let swedish = preview(&["--language", "sv", "--text"]);
    assert!(swedish.contains(&sent[4].text), "{swedish}");
    assert!(preview(&["--html"]).starts_with("<!DOCTYPE html>\n<html lang=\"en\">"));
    let as_json =
        Ran::of(&mut command(&house, "2024-02-22T09:00:00Z", &["--json", "mail", "preview", "operator"]));
    let view: serde_json::Value = serde_json::from_str(&as_json.ended(0).stdout).unwrap();
    assert_eq!((&view["until"], &view["rejected_rows"]), (&"2024-02-21".into(), &2.into()));
    // Of a night that was not told of: as it would be now.
    let before = Ran::of(&mut command(
        &house,
        "2024-02-22T09:00:00Z",
        &["mail", "preview", "operator", "--date", "2024-02-10"],
    ));
    assert!(before.ended(0).stdout.starts_with("Subject: Night"));
    let late = ["mail", "preview", "operator", "--date", "2024-02-22"];
    Ran::of(&mut command(&house, "2024-02-22T09:00:00Z", &late)).ended(2);
    Ran::of(&mut command(
        &house,
        "2024-02-22T09:00:00Z",
        &["mail", "preview", "offer_live", "--date", "2024-02-10"],
    ))
    .ended(2);
}

#[tokio::test]
async fn a_bad_recipient_is_named_by_check_with_its_file_and_line() {
    let house = House::open().await;
    configured(
        &house,
        "[\n  { address = \"ops@company.example\" },\n  { address = \"not an address\", language = \"svenska språket\" },\n  { address = \"OPS@company.example\" },\n]",
    );
    let ran = Ran::of(&mut command(&house, "2024-02-02T09:00:00Z", &["check"])).ended(2);
    for (line, said) in [
        (16, "recipients.1.address = \"not an address\""),
        (16, "recipients.1.language"),
        (17, "named twice"),
    ] {
        let found = ran
            .stderr
            .lines()
            .any(|told| told.contains(&format!("email_operators.toml:{line}:")) && told.contains(said));
        assert!(found, "{line} {said}: {}", ran.stderr);
    }
    let nobody = Ran::of(house.command(["check"]).env_remove("BENEFACTOR_CONFIG_DIR")).ended(0).stdout;
    assert!(nobody.contains("jobs/email_operators.toml: note: nobody is told"), "{nobody}");
}

#[tokio::test]
async fn a_report_that_a_later_version_made_stops_no_other_mail() {
    let house = begun(ONE).await;
    house
        .owner
        .execute(
            "update mail set status = 'queued'; update night_report set content = '{\"from\": \"someday\"}'",
        )
        .await
        .unwrap();
    house.night("2024-02-01").await;
    let states = house
        .lines("select day || ' ' || status || ' ' || coalesce(last_reply, '') from mail order by 1")
        .await;
    assert!(states[0].starts_with("2024-01-31 failed it tells of the night of 2024-01-31"), "{states:?}");
    assert!(states[1].starts_with("2024-02-01 sent"), "{states:?}");
}

#[tokio::test]
async fn a_night_that_stops_is_told_of_at_once_and_what_came_of_it_with_the_next_one() {
    let house = begun(ONE).await.policy("provision_credits", "failures_before_stop", "1");
    house.night("2024-02-19").await;
    house
        .owner
        .execute(
            "create function fails() returns trigger language plpgsql as $$
             begin raise exception using errcode = '23505', message = 'not this transfer'; end $$;
             create trigger fails before insert on transfer for each row execute function fails();",
        )
        .await
        .unwrap();
    for _ in 0..2 {
        assert!(house.try_night("2024-02-29").await.is_err(), "the periods that end then lapse");
    }
    let stands = reports(&house).await;
    assert_eq!(stands[2..], ["2024-02-20 2024-02-29 f sent"], "once: {stands:?}");
    let mail = told(&house).await.pop().unwrap();
    assert!(mail.subject.contains("it has stopped;"), "{}", mail.subject);
    let text = flat(&mail.text);
    assert!(text.contains("The night of 29 February 2024 has stopped and is not done"), "{text}");
    assert!(text.contains("The night has stopped, because provision_credits failed."), "{text}");
    assert!(text.contains("not this transfer"), "{text}");

    let mended = "drop function fails() cascade; update run_chunk set status = 'ready', attempts = 0 where status = 'failed'";
    house.owner.execute(mended).await.unwrap();
    house.night("2024-02-29").await;
    assert_eq!(reports(&house).await, stands, "the mail of that date is sent");
    house.night("2024-03-01").await;
    assert_eq!(reports(&house).await.pop().unwrap(), "2024-02-29 2024-03-01 t sent");
    let text = flat(&told(&house).await.pop().unwrap().text);
    assert!(text.contains("SEK 1,000.00 lapsed unspent (1 entry)"), "what came of it: {text}");
}

#[tokio::test]
async fn a_mail_that_comes_back_has_its_effect_though_it_is_of_no_partner() {
    let (house, sink) = (House::open().await, Sink::open(Setup::default()));
    configured(&house, ONE);
    let policy = include_str!("../../jobs/email_contacts.toml");
    let path = "[policy]\nreturn_path = \"bounces+{token}@benefactor.example\"";
    fs::write(
        house.dir.join("config/jobs/email_contacts.toml"),
        policy.replace("[policy]\n", &format!("{path}\n")),
    )
    .unwrap();
    let mut night = command(&house, "2024-02-02T02:30:00Z", &["night", "--on", "2024-02-01"]);
    Ran::of(night.env("SMTP_URL", format!("smtp://127.0.0.1:{}?tls=none", sink.port))).ended(0);
    let (to, mail) = sink.kept().remove(0);
    let of = |name: &str| mail.lines().find_map(|line| line.strip_prefix(name)).unwrap().trim().to_owned();
    let report =
        about(&fixtures()["postfix_unknown_hard"], &of("X-Benefactor-Mail:"), &of("Message-ID:"), &to);
    let told = take(&house, &maildir(&house, &[("1.a", report)]));
    assert!(
        told.starts_with("1 new messages, 1 about mails of ours; 1 addresses get no mail any more"),
        "{told}"
    );
    assert_eq!(reports(&house).await, ["2024-02-01 2024-02-01 t bounced"]);
    let stands = "select address || ' ' || scope from suppression where removed_at is null";
    assert_eq!(house.lines(stands).await, ["ops@company.example all"]);
}

#[tokio::test]
async fn somebody_who_is_erased_is_in_no_report_any_more() {
    let house = begun(ONE).await;
    let named = "update night_report set content = jsonb_set(content, '{awaiting_entitlements}', '[\"of ada@p4301.example\"]')";
    house.owner.execute(named).await.unwrap();
    let erase =
        ["user", "erase", "ada@p4301.example", "--partner", "4301", "--by", "bea", "--reason", "her letter"];
    house.run(erase).ended(0);
    let content = house.one::<String>("select content::text from night_report").await;
    assert!(!content.contains("ada@p4301") && content.contains("of erased-"), "{content}");
}
