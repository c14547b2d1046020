//! Taking somebody out: whoever is searched for by everything that they were known by is found nowhere any more, nobody else is
//! missed, and the ledger says what it said. People here bear words that nothing else does: canaries.

use std::fs;

use sqlx::{AssertSqlSafe, Executor};

use crate::{
    bounces,
    cast::{ENTITLEMENTS, partner, row},
    house::{House, Ran},
};

/// Tables with rows that hold any of the words, in any column and any schema, without regard to case.
pub async fn tables_with(house: &House, words: &[&str]) -> Vec<String> {
    let tables = house
        .lines(
            "select format('%I.%I', n.nspname, c.relname) from pg_class c join pg_namespace n on n.oid = c.relnamespace
             where c.relkind in ('r', 'm') and n.nspname not in ('pg_catalog', 'information_schema') and n.nspname !~ '^pg_'
             order by 1",
        )
        .await;
    assert!(tables.len() > 50 && tables.contains(&"apalis.jobs".to_owned()), "{tables:?}");
    let words: Vec<String> = words.iter().map(|word| word.to_lowercase()).collect();
    let mut with = Vec::new();
    for table in tables {
        let held =
            "exists (select from unnest($1::text[]) as w (word) where strpos(lower(t::text), word) > 0)";
        let query = format!("select exists (select from {table} t where {held})");
        let query = sqlx::query_scalar(AssertSqlSafe(query)).bind(&words);
        if query.fetch_one(&house.owner).await.unwrap() {
            with.push(table);
        }
    }
    with
}

const USERS: &str = "partner_id,object_id,user_principal_name,display_name,mail,user_type,enabled,role\n";

/// A row of a users file about somebody whose every name begins with `word`.
fn user(number: &str, word: &str, role: &str) -> String {
    format!(
        "{number},{word}-id,{word}.upn@p{number}.example,{word} called,{word}.mail@p{number}.example,member,true,{role}\n"
    )
}

fn contact(number: &str, word: &str, phone: &str) -> String {
    format!(
        "partner_id,user,email,phone,language,requested_by\n\
         {number},{word}-id,{word}.contact@p{number}.example,{phone},en,{word}.upn@p{number}.example\n"
    )
}

/// What somebody called `finch` is known by: before, and telephone numbers as well.
const FINCH: [&str; 4] = ["finch", "wren", "468555991", "468555992"];
/// Others whom nobody takes out.
pub const OTHERS: [&str; 2] = ["robin", "magpie"];

/// A partner with a global admin, `finch`, who was `wren` before and is the contact; `robin`, another, and `magpie`, who holds no
/// role. They ask for what leaves their names in as many places as there are.
pub async fn lived_in() -> House {
    let mut house = House::open().await;
    let users = USERS.to_owned()
        + &user("4301", "robin", "global_admin")
        + &user("4301", "magpie", "")
        + &user("4301", "wren", "global_admin").replace("wren-id", "finch-id");
    let orders = ENTITLEMENTS.to_owned()
        + &row("4301", "ORD-1", "azure_monthly_credit", "2024-01-31", "2025-01-30", "100,USD")
        + &row("4301", "ORD-1", "software/windows", "2024-01-31", "2025-01-30", ",")
        + &row("4301", "ORD-1", "visual_studio", "2024-01-31", "2025-01-30", ",").replace(",1,", ",3,")
        + &row("4301", "ORD-1", "advisory_hours", "2024-01-31", "2025-01-30", ",").replace(",1,", ",20,");
    let first = [("p.csv", &*partner("4301", "USD")), ("u.csv", &users), ("e.csv", &orders)];
    for answer in house.import(&first, "2024-01-31").await {
        answer.applied();
    }
    let keys = "partner_id,order_id,benefit,key\n4301,ORD-1,software/windows,VK7JG-NPHTM-C97JM-9MPGT-3V66T\n";
    let was_contact =
        contact("4301", "wren", "+46 8 555 991").replace("wren-id", "finch-id").replace("5 991", "5 991 1");
    let now = USERS.to_owned() + &user("4301", "finch", "global_admin");
    for (name, text) in [
        ("k.csv", keys),
        ("c1.csv", &was_contact),
        ("u2.csv", &now),
        ("c2.csv", &contact("4301", "finch", "+46 8 555 992 1")),
    ] {
        house.import_one(name, text, "2024-02-01").await.applied();
    }
    ask(&mut house).await;
    let bad = USERS.to_owned() + &user("4301", "finch", "king") + &user("4301", "magpie", "king");
    house.import_one("bad.csv", &bad, "2024-02-01").await;
    let back = USERS.to_owned() + &user("4301", "finch", "").replace("true", "false");
    house.import_one("back.csv", &back, "2024-02-01").await.applied();
    house
        .run([
            "import",
            "revert",
            "back.csv",
            "--by",
            "ada",
            "--why",
            "finch.upn@p4301.example is still there",
        ])
        .ended(0);
    house.night("2024-02-01").await;
    house
        .run([
            "suppressions",
            "add",
            "finch.contact@p4301.example",
            "--by",
            "ada",
            "--why",
            "finch.mail@p4301.example",
        ])
        .ended(0);
    house
}

/// Asks for what leaves names in requests, decisions and answers.
async fn ask(house: &mut House) {
    let seats = "partner_id,order_id,benefit,action,user,requested_by,requested_on,to_user\n\
        4301,ORD-1,azure_monthly_credit,assign,FINCH.upn@p4301.example,finch-id,2024-02-01,\n\
        4301,ORD-1,visual_studio,assign,robin-id,Finch.Upn@p4301.example,2024-02-01,\n\
        4301,ORD-1,visual_studio,assign,finch-id,robin.upn@p4301.example,2024-02-01,\n\
        4301,ORD-1,visual_studio,remove,finch.upn@p4301.example,magpie-id,2024-02-01,\n";
    house.import_one("a.csv", seats, "2024-02-01").await;
    let reveal = "partner_id,order_id,benefit,action,requested_by,requested_on\n\
        4301,ORD-1,software/windows,reveal,finch.upn@p4301.example,2024-02-01\n";
    house.import_one("r.csv", reveal, "2024-02-01").await.applied();
    let asked = "partner_id,request_id,kind,requested_by,requested_on,order_id,hours,note\n\
        4301,SR-1,advisory_hours,finch-id,2024-02-01,,1,call me: finch called\n\
        4301,SR-2,advisory_hours,robin-id,2024-02-01,,1,\"ask <finch.mail@p4301.example>, or robin called\"\n\
        4301,SR-3,cancel,magpie-id,2024-02-01,ORD-1,,magpie called\n\
        4301,SR-4,cancel,finch.upn@p4301.example,2023-11-01,ORD-1,,finch called\n";
    house.import_one("s.csv", asked, "2024-02-01").await;
}

pub fn erase(house: &House, args: &[&str]) -> Ran {
    let mut command = house.command(["--now", "2024-02-03T10:00:00Z"]);
    Ran::of(command.args(args).args(["--by", "ada", "--reason", "a letter of 3 February"]))
}

pub const FINCH_OF_4301: [&str; 5] = ["user", "erase", "Finch.UPN@p4301.example", "--partner", "4301"];

#[tokio::test]
async fn whoever_is_erased_is_in_no_table_and_everybody_else_is() {
    let house = lived_in().await;
    let before = tables_with(&house, &FINCH).await;
    for table in [
        "decision",
        "contact_version",
        "key_reveal",
        "taken_back",
        "operator_action",
        "overwritten",
        "row_answer",
    ] {
        assert!(before.contains(&format!("public.{table}")), "{table} holds no name: {before:?}");
    }
    let (others, state) = (tables_with(&house, &OTHERS).await, house.state().await);
    let (digest, ledger) = (house.digest().await, house.ledger().await);

    let told = erase(&house, &[&FINCH_OF_4301[..], &["--dry-run"]].concat()).ended(0).stdout;
    assert_eq!(house.state().await, state, "a dry run changes nothing");
    assert_eq!(tables_with(&house, &FINCH).await, before);
    let done = erase(&house, &FINCH_OF_4301).ended(0).stdout;
    let counts = |told: &str| {
        told.lines().filter(|line| line.starts_with("  ")).map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(counts(&told), counts(&done), "what a dry run tells is what is done");
    assert!(counts(&done).len() > 10 && done.contains("erased-1 stands for them"), "{done}");

    assert_eq!(tables_with(&house, &FINCH).await, [""; 0]);
    assert_eq!(tables_with(&house, &OTHERS).await, others);
    assert_eq!((house.digest().await, house.ledger().await), (digest, ledger));
    let seats = "select string_agg(u.object_id, ' ' order by assignment_id) from assignment a join directory_user u using (user_id)";
    assert_eq!(
        house.one::<String>(seats).await,
        "erased-1 robin-id erased-1",
        "seats stay with whom they were"
    );
    let asked = house
        .lines("select requested_by from decision where request_no is not null order by decision_id")
        .await;
    assert!(asked.contains(&"erased-1".to_owned()) && asked.contains(&"robin-id".to_owned()), "{asked:?}");
    let record = "select concat_ws(' ', by, why, erased_on, taken_out ->> 'directory_user') from erasure";
    assert_eq!(house.one::<String>(record).await, "ada a letter of 3 February 2024-02-03 1");

    let again = erase(&house, &FINCH_OF_4301).ended(0).stdout;
    assert!(again.contains("was erased on 2024-02-03 by ada, and is erased-1 since"), "{again}");
    assert_eq!(house.one::<i64>("select count(*) from erasure").await, 1);
    let nobody = erase(&house, &["user", "erase", "dove@p4301.example", "--partner", "4301"]).ended(1).stderr;
    assert!(nobody.contains("nobody in the directory of partner 4301"), "{nobody}");
}

#[tokio::test]
async fn a_contact_is_erased_by_address_or_by_partner_and_the_suppression_holds_without_it() {
    for whom in ["Finch.Contact@p4301.example", "4301"] {
        let mut house = lived_in().await;
        erase(&house, &["contact", "erase", whom]).ended(0);
        let left = tables_with(&house, &["finch.contact"]).await;
        assert_eq!(left, [""; 0], "{whom}");
        let listed = house.run(["suppressions", "list"]).ended(0).stdout;
        assert!(listed.starts_with("hmac:") && listed.contains("by ada"), "{listed}");
        // The user behind the contact has another address, and is taken out by name.
        assert!(tables_with(&house, &["finch.upn"]).await.contains(&"public.directory_user".to_owned()));
        erase(&house, &FINCH_OF_4301).ended(0);
        assert_eq!(tables_with(&house, &FINCH).await, [""; 0], "{whom}");

        // Whoever comes again is somebody new, to whose address nothing goes.
        let again = USERS.to_owned() + &user("4301", "finch", "global_admin+admin_agent");
        house.import_one("again.csv", &again, "2024-02-04").await.applied();
        house
            .import_one("c3.csv", &contact("4301", "finch", "+46 8 555 992 2"), "2024-02-04")
            .await
            .applied();
        let people = "select string_agg(object_id, ' ' order by user_id) from directory_user where object_id ~ 'erased|finch'";
        assert_eq!(house.one::<String>(people).await, "erased-2 finch-id");
        let holds = "select count(*) from suppression where address = 'finch.contact@p4301.example' and removed_at is null";
        assert_eq!(house.one::<i64>(holds).await, 1);
        let remove =
            ["suppressions", "remove", "finch.contact@p4301.example", "--by", "ada", "--why", "they asked"];
        house.run(remove).ended(0);
        assert!(house.run(["suppressions", "list"]).ended(0).stdout.contains("mail goes to every address"));
    }
}

#[tokio::test]
async fn mails_to_whoever_is_erased_are_not_sent_and_sent_ones_keep_their_time_and_state() {
    let mut house = lived_in().await;
    let order = ENTITLEMENTS.to_owned() + &row("4301", "ORD-2", "software", "2024-02-01", "2025-01-30", ",");
    house.import_one("e2.csv", &order, "2024-02-02").await.applied();
    house
        .run(["suppressions", "remove", "finch.contact@p4301.example", "--by", "ada", "--why", "it is hers"])
        .ended(0);
    house.nights("2024-02-02", "2024-02-27").await;
    let mails = "select string_agg(status, ' ' order by mail_id) from mail where recipient";
    let sent: String = house.one(&format!("{mails} = 'finch.contact@p4301.example'")).await;
    assert!(sent.starts_with("sent"), "{sent}");
    let queued =
        "update mail set status = 'queued', sent_at = null where mail_id = (select max(mail_id) from mail)";
    house.owner.execute(queued).await.unwrap();
    let before: String = house
        .one("select string_agg(concat_ws(' ', mail_id, day, sent_at), ',' order by mail_id) from mail")
        .await;
    erase(&house, &FINCH_OF_4301).ended(0);
    let after: String = house.one(&format!("{mails} = 'erased-1'")).await;
    assert!(after.ends_with("withdrawn"), "{after}");
    assert_eq!(
        house
            .one::<String>(
                "select string_agg(concat_ws(' ', mail_id, day, sent_at), ',' order by mail_id) from mail"
            )
            .await,
        before
    );
    assert_eq!(tables_with(&house, &FINCH).await, [""; 0]);
    // What was withdrawn for that cannot be queued again.
    let id: String = house
        .one("select message_id from mail where status = 'withdrawn' order by mail_id desc limit 1")
        .await;
    house.run(["mail", "resend", &id, "--by", "ada", "--why", "by mistake"]).ended(1);
    assert_eq!(house.one::<i64>("select count(*) from mail where status = 'queued'").await, 0);
    fs::remove_dir_all(house.dir.join("outbox")).unwrap();
    house.night("2024-02-28").await;
}

#[tokio::test]
async fn what_came_back_about_mails_to_whoever_is_erased_is_kept_without_them() {
    let (house, mails) = bounces::sent(2, "").await;
    let text = &bounces::fixtures()["postfix_unknown_hard"];
    let back = ["p1@p.example", "p2@p.example"].map(|to| {
        let (token, id) = &mails[to];
        (to, bounces::about(text, token, id, to).replace("4A1B2", to.split_once('@').unwrap().0))
    });
    bounces::take(&house, &bounces::maildir(&house, &back));
    let reports = "select count(*) || ' ' || count(*) filter (where said = 'erased-1') from bounce where mail_id is not null";
    assert_eq!(house.one::<String>(reports).await, "2 0");
    assert!(tables_with(&house, &["p1@p.example"]).await.contains(&"public.bounce".to_owned()));
    // It is no partner's address any more, only one that mail went to.
    let moved = "update partner set account_email = 'new@p.example' where number = '1'";
    house.owner.execute(moved).await.unwrap();
    erase(&house, &["contact", "erase", "P1@p.example"]).ended(0);
    assert_eq!(tables_with(&house, &["p1@p.example"]).await, [""; 0]);
    assert_eq!(house.one::<String>(reports).await, "2 1", "the other's is as it was");
    let states = "select string_agg(status, ' ') from mail";
    assert_eq!(house.one::<String>(states).await, "bounced bounced");
    let holds = "select string_agg(split_part(address, ':', 1), ' ' order by address) from suppression where removed_at is null";
    assert_eq!(house.one::<String>(holds).await, "hmac p2@p.example");
}

#[tokio::test]
async fn nobody_is_erased_by_halves_or_by_mistake() {
    let mut house = lived_in().await;
    let state = house.state().await;
    // The partner's account e-mail goes with a file of partners.
    let told = erase(&house, &["contact", "erase", "accounts@p4301.example"]).ended(5).stderr;
    assert!(told.contains("account e-mail of partner 4301"), "{told}");
    // Why it is done does not name the person.
    let mut named = house.command(FINCH_OF_4301);
    let told = Ran::of(named.args(["--by", "ada", "--why", "Finch called left"])).ended(2).stderr;
    assert!(told.contains("without a name"), "{told}");
    erase(&house, &["contact", "erase", "finch"]).ended(2);
    erase(&house, &["contact", "erase", "dove@p4301.example"]).ended(1);
    erase(&house, &["contact", "erase", "4999"]).ended(1);
    assert_eq!(house.state().await, state);
    // A mailbox that two contacts had is left until the other goes too.
    let shared = contact("4301", "robin", "+46 8 555 992 1").replace("robin.contact", "finch.contact");
    house.import_one("c4.csv", &shared, "2024-02-03").await.applied();
    let told = erase(&house, &FINCH_OF_4301).ended(0).stdout;
    assert!(
        told.contains("somebody else has it too: ") && told.contains("finch.contact@p4301.example"),
        "{told}"
    );
    assert!(!tables_with(&house, &["finch.contact"]).await.is_empty());
    assert_eq!(tables_with(&house, &["finch.upn", "finch-id", "finch.mail", "wren"]).await, [""; 0]);
    erase(&house, &["user", "erase", "robin-id", "--partner", "4301"]).ended(0);
    assert_eq!(tables_with(&house, &["finch", "wren", "robin"]).await, [""; 0]);
}

#[tokio::test]
async fn promise_2_history_lets_names_go_and_nothing_else() {
    let house = lived_in().await;
    let mut tx = house.owner.begin().await.unwrap();
    let on_record = "insert into erasure (erasure_id, users, erased_on, by, why, taken_out) values (1, '{}', '2024-02-03', 'ada', 'x', '{}')";
    tx.execute(on_record).await.unwrap();
    for (change, may) in [
        ("update decision set requested_by = 'erased-1'", true),
        ("update decision set outcome = 'accepted'", false),
        ("update contact_version set known_on = known_on + 1", false),
        ("update transfer set amount_minor = 1", false),
        ("update entitlement_version set line = 1", false),
        ("delete from decision", false),
    ] {
        let mut trial = sqlx::Connection::begin(&mut *tx).await.unwrap();
        let done = trial.execute(AssertSqlSafe(change.to_owned())).await;
        match done {
            Ok(_) => assert!(may, "{change}"),
            Err(error) => {
                assert!(!may && error.to_string().contains("history only grows"), "{change}: {error}");
            }
        }
        trial.rollback().await.unwrap();
    }
    tx.rollback().await.unwrap();
    let refused = house.owner.execute("update decision set requested_by = 'erased-1'").await.unwrap_err();
    assert!(refused.to_string().contains("history only grows"), "{refused}");
}
