//! The schema on a database of its own: migrating, and who may do what.

use std::process::Command;

use benefactor::store::schema;
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, PgPool};

use crate::house::{BENEFACTOR, House, Ran, connect, migrate};

async fn refused(pool: &PgPool, statement: &str) -> bool {
    let error = pool.execute(AssertSqlSafe(statement.to_owned())).await.expect_err(statement);
    error.as_database_error().and_then(sqlx::error::DatabaseError::code).as_deref() == Some("42501")
}

#[tokio::test]
async fn migrating_a_migrated_database_changes_nothing() {
    let house = House::open().await;
    let before: i64 = house.one("select count(*) from public._sqlx_migrations").await;
    migrate(&house.owner_url).await;
    let after: i64 = house.one("select count(*) from public._sqlx_migrations").await;
    assert!(before > 0);
    assert_eq!(before, after);
}

#[tokio::test]
async fn the_worker_cannot_rewrite_history() {
    let house = House::open().await;
    for table in ["transfer", "entitlement_version", "decision"] {
        for statement in [
            format!("update {table} set partner_id = partner_id"),
            format!("delete from {table}"),
            format!("truncate {table}"),
        ] {
            assert!(refused(&house.pool, &statement).await, "{statement}");
        }
        house.pool.execute(AssertSqlSafe(format!("select from {table}"))).await.unwrap();
    }
    for table in ["public._sqlx_migrations", "apalis._sqlx_migrations"] {
        assert!(refused(&house.pool, &format!("delete from {table}")).await, "{table}");
    }
    assert!(refused(&house.pool, "create table public.mine (id int)").await);
    house.pool.execute("delete from apalis.jobs").await.unwrap();
}

/// Through an index that holds a part of a table only, what is asked for by the entitlement alone cannot be found.
#[tokio::test]
async fn whatever_is_of_an_entitlement_is_found_by_it_without_reading_the_table() {
    let house = House::open().await;
    let read_whole = "select table_name::text from information_schema.columns c
        join information_schema.tables t using (table_schema, table_name)
        where table_type = 'BASE TABLE' and table_schema = 'public' and column_name = 'entitlement_id' and table_name <> 'request'
          and not exists (
              select from pg_index i join pg_attribute a on a.attrelid = i.indrelid and a.attnum = i.indkey[0]
              where i.indrelid = c.table_name::regclass and i.indpred is null and a.attname = 'entitlement_id')";
    assert_eq!(house.lines(read_whole).await, [""; 0], "requests are found by their order");
}

#[tokio::test]
async fn the_reader_sees_the_report_views_and_nothing_else() {
    let house = House::open().await;
    let reader = PgPool::connect(&house.reader_url).await.unwrap();
    reader.execute("select * from report.balance").await.unwrap();
    assert!(refused(&reader, "select * from public.transfer").await);
    assert!(refused(&reader, "select * from apalis.jobs").await);
    reader.close().await;
}

#[tokio::test]
async fn a_binary_refuses_a_newer_schema() {
    let house = House::open().await;
    let newer =
        "insert into public._sqlx_migrations (version, description, success, checksum, execution_time)
                 values (99999999, 'from the future', true, '', 0)";
    house.owner.execute(newer).await.unwrap();
    let ran = house.run(["migrate", "--database-url", &house.owner_url]).ended(2);
    assert!(ran.stderr.contains("newer benefactor"), "{}", ran.stderr);
}

#[tokio::test]
async fn migrate_grants_to_the_roles_it_is_told_and_refuses_unknown_ones() {
    let house = House::open().await;
    let ran =
        house.run(["migrate", "--database-url", &house.owner_url, "--grant-worker", "nobody_here"]).ended(2);
    assert!(ran.stderr.contains("nobody_here"), "{}", ran.stderr);
    house
        .run(["migrate", "--database-url", &house.owner_url, "--grant-worker", "benefactor_reader"])
        .ended(0);
    let granted: bool = house
        .one(
            "select has_table_privilege('benefactor_reader', 'transfer', 'insert')
              and not has_table_privilege('benefactor_reader', 'transfer', 'update')",
        )
        .await;
    assert!(granted);
}

#[tokio::test]
async fn two_migrations_at_once_both_succeed() {
    let house = House::open().await;
    let name = house.url.split('/').next_back().and_then(|rest| rest.split('?').next()).unwrap().to_owned();
    let fresh = format!("{name}_fresh");
    house.owner.execute(AssertSqlSafe(format!("create database {fresh}"))).await.unwrap();
    let url = house.owner_url.replace(&name, &fresh);
    let runs: Vec<_> = (0..3)
        .map(|_| {
            let mut command = Command::new(BENEFACTOR);
            command.args(["migrate", "--database-url", &url]);
            std::thread::spawn(move || Ran::of(&mut command))
        })
        .collect();
    for run in runs {
        run.join().unwrap().ended(0);
    }
    connect(&url).await.close().await.unwrap();
    house.owner.execute(AssertSqlSafe(format!("drop database {fresh} with (force)"))).await.unwrap();
}

/// A database beside the house's, with its name, migrated up to and with a number, by the owner.
async fn migrated_to(house: &House, number: i64) -> (String, PgConnection) {
    let name = house.url.split('/').next_back().and_then(|rest| rest.split('?').next()).unwrap().to_owned();
    let older = format!("{name}_older");
    house.owner.execute(AssertSqlSafe(format!("create database {older}"))).await.unwrap();
    let mut conn = PgConnection::connect(&house.owner_url.replace(&name, &older)).await.unwrap();
    let mut until = schema::migrations();
    until.migrations = until.migrations.iter().filter(|m| m.version <= number).cloned().collect();
    until.run(&mut conn).await.unwrap();
    (older, conn)
}

#[tokio::test]
async fn mails_of_before_the_streams_come_through_their_migration() {
    let house = House::open().await;
    let (older, mut conn) = migrated_to(&house, 72).await;
    conn.execute(
        "insert into file (sha256, name, kind, dialect, header, received_on)
         values (repeat('0', 64), 'p.csv', 'partners', 'canonical', '{}', '2024-01-31');
         insert into partner (number, name, account_email, country, currency, file_id)
         select n, 'Partner ' || n, 'p' || n || '@p.example', 'SE', 'SEK', 1 from generate_series(1, 4) n;
         insert into mail (partner_id, message_id, recipient, language, run_id, day, status)
         select partner_id, '<' || number || '@p.example>', account_email, 'en', 0, '2024-01-31',
                case number when '3' then 'queued' else 'sent' end
         from partner where number < '4';
         insert into notice (partner_id, run_id, subject_kind, subject_id, kind, anchor_on, content, status, mail_id)
         select m.partner_id, 0, 'entitlement', m.partner_id, k.kind, '2024-01-31', '{}', 'mailed', m.mail_id
         from mail m join (values ('<1@p.example>', 'entitlement_ended'), ('<2@p.example>', 'entitlement_ended'),
                                  ('<2@p.example>', 'offer_live'), ('<3@p.example>', 'offer_live')) as k (id, kind)
           on k.id = m.message_id;
         insert into notice (partner_id, run_id, subject_kind, subject_id, kind, anchor_on, content, status)
         select partner_id, 0, 'entitlement', partner_id, 'offer_live', '2024-02-01', '{}', case number when '4' then 'owed'
                else 'superseded' end
         from partner where number >= '3';
         insert into suppression (address, added_by, why) values ('p1@p.example', 'ada', 'gone')",
    )
    .await
    .unwrap();
    schema::migrations().run(&mut conn).await.unwrap();
    let told = "select concat_ws(' ', partner_id, notice, anchor_on, coalesce(message_id, '-'), status, coalesce(stream, '-'))
                from report.mail order by 1";
    let told: Vec<String> = sqlx::query_scalar(told).fetch_all(&mut conn).await.unwrap();
    assert_eq!(
        told,
        [
            "1 entitlement_ended 2024-01-31 <1@p.example> sent transactional",
            "2 entitlement_ended 2024-01-31 <2@p.example> sent transactional",
            "2 offer_live 2024-01-31 <2@p.example> sent transactional",
            "3 offer_live 2024-01-31 <3@p.example> queued marketing",
            "3 offer_live 2024-02-01 - superseded -",
            "4 offer_live 2024-02-01 - owed -",
        ]
    );
    let scope: String =
        sqlx::query_scalar("select scope from suppression").fetch_one(&mut conn).await.unwrap();
    assert_eq!(scope, "all");
    conn.close().await.unwrap();
    house.owner.execute(AssertSqlSafe(format!("drop database {older} with (force)"))).await.unwrap();
}

#[tokio::test]
async fn a_database_that_is_down_is_exit_6_and_a_wrong_url_exit_2() {
    let house = House::open().await;
    house.run(["db", "url", "--database-url", "postgres://nobody@127.0.0.1:1/nothing"]).ended(6);
    house.run(["migrate", "--database-url", "postgres://nobody@127.0.0.1:1/nothing"]).ended(6);
    house.run(["migrate", "--database-url", "mysql://x"]).ended(2);
    house
        .run(["migrate", "--database-url", &house.url.replace("benefactor_worker", "no_such_role")])
        .ended(2);
    let url = house.run(["db", "url"]).ended(0).stdout;
    assert_eq!(url.trim_end(), house.url, "DATABASE_URL wins over the data directory");
}

#[tokio::test]
async fn promise_2_history_is_not_rewritten_by_its_owner_either() {
    let mut house = House::open().await;
    let order = crate::cast::monthly("4301", "ORD-1", "2024-01-31", "2025-01-30");
    let (partner, users) = (crate::cast::partner("4301", "USD"), crate::cast::users("4301"));
    let asked = crate::cast::cancel("4301", "SR-1", "ORD-1", "2024-02-01");
    let files = [("p.csv", &*partner), ("u.csv", &users), ("e.csv", &order), ("c.csv", &asked)];
    house.import(&files, "2024-02-01").await;
    house.night("2024-02-01").await;
    let before = house.state().await;
    for table in ["transfer", "entitlement_version", "decision"] {
        assert!(house.one::<i64>(&format!("select count(*) from {table}")).await > 0, "{table} has history");
        for statement in [
            format!("update {table} set partner_id = partner_id where false"),
            format!("delete from {table} where false"),
            format!("truncate {table} cascade"),
        ] {
            let error = house.owner.execute(AssertSqlSafe(statement.clone())).await.expect_err(&statement);
            assert!(error.to_string().contains("history only grows"), "{statement}: {error}");
            assert!(refused(&house.pool, &statement).await, "{statement}");
        }
    }
    assert_eq!(house.state().await, before);
}

/// What a statement is refused with.
async fn refusal(house: &House, statement: &str) -> String {
    let mut conn = house.owner.acquire().await.unwrap();
    let mut tx = conn.begin().await.unwrap();
    let error = tx.execute(AssertSqlSafe(statement.to_owned())).await.expect_err(statement);
    tx.rollback().await.unwrap();
    error.to_string()
}

#[tokio::test]
async fn what_a_request_did_is_of_a_request_of_its_partner_and_of_a_file_that_is_there() {
    use crate::cast::{assign, monthly, partner, users};
    let mut house = House::open().await;
    for number in ["4301", "4302"] {
        let order = monthly(number, &format!("ORD-{number}"), "2024-01-31", "2025-01-30");
        let files = [("p.csv", &*partner(number, "USD")), ("u.csv", &users(number)), ("e.csv", &order)];
        house.import(&files, "2024-02-01").await;
    }
    let asked = assign("4301", "ORD-4301", "azure_monthly_credit", "assign", "ben", "2024-02-01");
    house.import_one("a.csv", &asked, "2024-02-01").await.applied();
    let other = "(select partner_id from partner where number = '4302')";
    let own = "(select partner_id from partner where number = '4301')";
    for (partner_id, request_no) in
        [(other, "(select request_no from request)"), (own, "1000000"), ("1000000", "null::bigint")]
    {
        let of = format!("{partner_id}, {request_no}");
        for (table, columns, values) in [
            (
                "assignment",
                "entitlement_id, user_id, assigned_on, removed_on",
                "select entitlement_id, user_id, date '2024-01-31', date '2024-01-31' from assignment",
            ),
            (
                "benefit_use",
                "entitlement_id, event, used_on, used_by",
                "select entitlement_id, 'x', date '2024-01-31', 'x' from assignment",
            ),
            (
                "activation",
                "entitlement_id, activated_on",
                "select entitlement_id, date '2024-01-31' from assignment",
            ),
            (
                "support_contract",
                "membership_id, access_id, contract_id, activated_on",
                "select membership_id, 'x', 'x', date '2024-01-31' from membership limit 1",
            ),
        ] {
            if request_no.starts_with("null") && !["assignment", "benefit_use"].contains(&table) {
                continue; // it always has one
            }
            let statement = format!(
                "insert into {table} (partner_id, request_no, {columns}) select {of}, w.* from ({values}) w"
            );
            let said = refusal(&house, &statement).await;
            assert!(said.contains("is of no request of its partner"), "{statement}: {said}");
        }
    }
    let answer = "insert into row_answer (file_id, row_no, line, status, problems) values (1000000, 1, 2, 'applied', '[]')";
    assert!(refusal(&house, answer).await.contains("is of no file"));
    let request = "insert into request (partner_id, kind, request_key, content, requested_by, requested_on, file_id, line, status)
        select partner_id, kind, 'x', content, requested_by, requested_on, 1000000, line, status from request";
    assert!(refusal(&house, request).await.contains("is of no file"));
    assert!(refusal(&house, "delete from request").await.contains("something was done by a request"));
    assert!(refusal(&house, "delete from file").await.contains("history only grows"));
}
