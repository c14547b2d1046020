//! The schema: how a database's compares with this binary's, bringing it up to date, and who may do what in it.

use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, migrate::Migrator};

use super::error::Error;

/// Tables whose rows are history: the worker adds to them and never changes them (promises: history only grows).
const APPEND_ONLY: [&str; 8] = [
    "transfer",
    "entitlement_version",
    "decision",
    "operator_action",
    "key_reveal",
    "redemption",
    "contact_version",
    "taken_back",
];
/// Schemas the worker works in. `report` is for reading only.
const WORKED_IN: [&str; 2] = ["public", "apalis"];
/// Serializes migrations of one database; any number that nobody else in it takes.
const LOCK: i64 = 0x6265_6e65_6661_6374;

/// How a database's schema compares with what this binary knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SchemaState {
    /// The same.
    Current,
    /// Migrations are missing.
    Older,
    /// A migration was applied that this binary does not know.
    Newer,
}

/// Roles to grant to; roles are never named in migrations, because an outside database has its own.
#[derive(Clone, Debug, Default)]
pub struct Grants {
    /// Those who run commands.
    pub workers: Vec<String>,
    /// Those who read the `report` views.
    pub readers: Vec<String>,
}

impl Grants {
    /// These, and one more of each.
    #[must_use]
    pub fn and(mut self, worker: &str, reader: &str) -> Self {
        self.workers.push(worker.to_owned());
        self.readers.push(reader.to_owned());
        self
    }
}

/// Our own migrations. Their history is `public._sqlx_migrations`, whatever the role's search path.
#[must_use]
pub fn migrations() -> Migrator {
    let mut ours = sqlx::migrate!("./migrations");
    ours.dangerous_set_table_name("public._sqlx_migrations");
    ours
}

/// Compares, in one query a history.
///
/// # Errors
/// If the database goes away.
pub async fn standing(connection: &mut PgConnection, transport: &Migrator) -> Result<SchemaState, Error> {
    const OURS: &str = "select max(version), count(*) from public._sqlx_migrations where success";
    const TRANSPORT: &str = "select max(version), count(*) from apalis._sqlx_migrations where success";
    let mut standing = SchemaState::Current;
    for (query, known) in [(OURS, &migrations()), (TRANSPORT, transport)] {
        let newest = known.iter().map(|one| one.version).max();
        match sqlx::query_as::<_, (Option<i64>, i64)>(query).fetch_one(&mut *connection).await {
            Ok((applied, _)) if applied > newest => return Ok(SchemaState::Newer),
            Ok((applied, count))
                if applied == newest && usize::try_from(count) == Ok(known.iter().count()) => {}
            Ok(_) => standing = SchemaState::Older,
            Err(error) if is_unmigrated(&error) => standing = SchemaState::Older,
            Err(error) => return Err(error.into()),
        }
    }
    Ok(standing)
}

/// No such table, no such schema, or not yet granted.
fn is_unmigrated(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(sqlx::error::DatabaseError::code);
    matches!(code.as_deref(), Some("42P01" | "3F000" | "42501"))
}

/// Applies the queue's migrations, then ours, then grants. Done twice, it changes nothing.
///
/// sqlx's own lock would be a session's, which a pooler between us and Postgres loses; so `lock` holds a
/// transaction's while `owner` works.
///
/// # Errors
/// [`Error::SchemaNewer`] if a migration was applied that this binary does not know; what the database said.
pub async fn migrate(
    owner: &mut PgConnection,
    lock: &mut PgConnection,
    transport: &Migrator,
    grants: &Grants,
) -> Result<(), Error> {
    let mut locked = lock.begin().await?;
    locked.execute("set local idle_in_transaction_session_timeout = 0").await?;
    sqlx::query("select pg_advisory_xact_lock($1)").bind(LOCK).execute(&mut *locked).await?;
    owner.execute("set search_path = public").await?;
    owner.execute("set client_min_messages = warning").await?;

    if standing(owner, transport).await? == SchemaState::Newer {
        return Err(Error::SchemaNewer);
    }
    for one in [transport, &migrations()] {
        unlocked(one).run_direct(None, owner, false).await?;
    }
    grant(owner, grants).await?;
    locked.commit().await?;
    Ok(())
}

/// The same migrations, without sqlx's session lock.
fn unlocked(of: &Migrator) -> Migrator {
    Migrator {
        migrations: of.migrations.clone(),
        table_name: of.table_name.clone(),
        create_schemas: of.create_schemas.clone(),
        ignore_missing: of.ignore_missing,
        no_tx: of.no_tx,
        locking: false,
    }
}

/// Grants to workers and readers what is theirs, and takes back what is not. All of it, or nothing.
///
/// # Errors
/// [`Error::Configuration`] if a role does not exist; what the database said.
pub async fn grant(owner: &mut PgConnection, grants: &Grants) -> Result<(), Error> {
    let mut transaction = owner.begin().await?;
    for role in grants.workers.iter().chain(&grants.readers) {
        let known = sqlx::query_scalar("select exists (select from pg_roles where rolname = $1)").bind(role);
        if !known.fetch_one(&mut *transaction).await? {
            return Err(Error::Configuration(format!(
                "there is no role `{role}` in this database to grant to"
            )));
        }
    }
    for role in &grants.workers {
        grant_worker(&mut transaction, &quoted(role)).await?;
    }
    for role in &grants.readers {
        if has_schema(&mut transaction, "report").await? {
            grant_report(&mut transaction, &quoted(role)).await?;
        }
    }
    transaction.commit().await?;
    Ok(())
}

async fn grant_worker(connection: &mut PgConnection, role: &str) -> Result<(), Error> {
    for schema in WORKED_IN {
        if !has_schema(connection, schema).await? {
            continue;
        }
        for statement in [
            format!("grant usage on schema {schema} to {role}"),
            format!("grant select, insert, update, delete on all tables in schema {schema} to {role}"),
            format!("grant usage, select on all sequences in schema {schema} to {role}"),
            format!("grant execute on all routines in schema {schema} to {role}"),
        ] {
            connection.execute(AssertSqlSafe(statement)).await?;
        }
    }
    for (table, keeps_insert) in guarded(connection).await? {
        let taken =
            if keeps_insert { "update, delete, truncate" } else { "insert, update, delete, truncate" };
        connection.execute(AssertSqlSafe(format!("revoke {taken} on {table} from {role}"))).await?;
    }
    if has_schema(connection, "report").await? {
        grant_report(connection, role).await?;
    }
    Ok(())
}

async fn grant_report(connection: &mut PgConnection, role: &str) -> Result<(), Error> {
    connection.execute(AssertSqlSafe(format!("grant usage on schema report to {role}"))).await?;
    connection
        .execute(AssertSqlSafe(format!("grant select on all tables in schema report to {role}")))
        .await?;
    Ok(())
}

/// Tables the worker may not write freely, quoted, each with whether it may insert: history with its partitions,
/// and the two histories of migrations.
async fn guarded(connection: &mut PgConnection) -> Result<Vec<(String, bool)>, Error> {
    let tables = sqlx::query_as(
        "select format('%I.%I', n.nspname, c.relname), c.relname <> '_sqlx_migrations'
         from pg_class c
         join pg_namespace n on n.oid = c.relnamespace
         left join pg_class root on root.oid = pg_partition_root(c.oid)
         where c.relkind in ('r', 'p')
           and (n.nspname = 'public' and coalesce(root.relname, c.relname) = any ($1)
                or n.nspname = any ($2) and c.relname = '_sqlx_migrations')
         order by 1",
    )
    .bind(APPEND_ONLY)
    .bind(WORKED_IN);
    Ok(tables.fetch_all(connection).await?)
}

async fn has_schema(connection: &mut PgConnection, name: &str) -> Result<bool, Error> {
    let known = sqlx::query_scalar("select exists (select from pg_namespace where nspname = $1)").bind(name);
    Ok(known.fetch_one(connection).await?)
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
