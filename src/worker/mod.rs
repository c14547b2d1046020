//! The only room that knows apalis: the queue's wake-up calls, and the tables it keeps them in.

/// The migrations of the queue's own tables (schema `apalis`, with their own history). The store applies them
/// before ours, under the same lock.
#[must_use]
pub fn transport_migrations() -> sqlx::migrate::Migrator {
    apalis_postgres::PostgresStorage::<()>::migrations()
}
