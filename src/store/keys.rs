//! Product keys: the inventory, sealed, and each time one was shown (R3, R5, promise 11).

use std::collections::{BTreeMap, HashMap};

use chrono::NaiveDate;
use sqlx::PgConnection;

use super::{Error, Result, bulk::CopyRows};
use crate::domain::{
    id::{EntitlementNo, FileNo, KeyNo, OrderNo, PartnerNo, RequestNo},
    kinds::keys::KeyContent,
};

/// A key that is in the store, without what it says.
#[derive(Clone, Debug)]
pub struct StoredKey {
    /// Its number in the store.
    pub key_id: KeyNo,
    /// The benefit it is of.
    pub entitlement_id: EntitlementNo,
    /// By what it is found.
    pub lookup: Vec<u8>,
    /// What was said with it.
    pub content: KeyContent,
}

/// A key as it is stored.
struct KeyRecord {
    key_id: KeyNo,
    entitlement_id: EntitlementNo,
    lookup: Vec<u8>,
    seats: Option<i32>,
    months: i16,
    product: Option<String>,
    language: Option<String>,
    os: Option<String>,
    download_url: Option<String>,
    instructions: Option<String>,
}

impl From<KeyRecord> for StoredKey {
    fn from(r: KeyRecord) -> Self {
        let content = KeyContent {
            seats: r.seats.and_then(|seats| u32::try_from(seats).ok()),
            months: u16::try_from(r.months).unwrap_or_default(),
            product: r.product,
            language: r.language,
            os: r.os,
            download_url: r.download_url,
            instructions: r.instructions,
        };
        Self { key_id: r.key_id, entitlement_id: r.entitlement_id, lookup: r.lookup, content }
    }
}

/// Keys found by their keyed hashes.
pub async fn find(conn: &mut PgConnection, lookups: &[Vec<u8>]) -> Result<Vec<StoredKey>> {
    let rows = sqlx::query_as!(
        KeyRecord,
        "select key_id, entitlement_id, lookup, seats, months, product, language, os, download_url, instructions
         from license_key where lookup = any($1)",
        lookups
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(StoredKey::from).collect())
}

/// Keys of these benefits by their last characters: the oldest with each.
pub async fn by_tail(
    conn: &mut PgConnection,
    entitlement_ids: &[EntitlementNo],
    tails: &[String],
) -> Result<HashMap<(EntitlementNo, String), StoredKey>> {
    let rows = sqlx::query!(
        "select distinct on (k.entitlement_id, k.tail)
                k.key_id, k.entitlement_id, k.lookup, k.tail, k.seats, k.months, k.product, k.language, k.os,
                k.download_url, k.instructions
         from license_key k where k.entitlement_id = any($1) and k.tail = any($2)
         order by k.entitlement_id, k.tail, k.key_id",
        entitlement_ids as &[EntitlementNo],
        tails
    )
    .fetch_all(conn)
    .await?;
    Ok(rows
        .into_iter()
        .map(|r| {
            let row = KeyRecord {
                key_id: r.key_id.into(),
                entitlement_id: r.entitlement_id.into(),
                lookup: r.lookup,
                seats: r.seats,
                months: r.months,
                product: r.product,
                language: r.language,
                os: r.os,
                download_url: r.download_url,
                instructions: r.instructions,
            };
            ((r.entitlement_id.into(), r.tail), row.into())
        })
        .collect())
}

/// Numbers of these benefits of orders, by order and code.
pub async fn benefits(
    conn: &mut PgConnection,
    named: Vec<(OrderNo, String)>,
) -> Result<HashMap<(OrderNo, String), EntitlementNo>> {
    let (orders, codes): (Vec<OrderNo>, Vec<String>) = named.into_iter().unzip();
    let rows = sqlx::query!(
        "select e.membership_id, e.benefit, e.entitlement_id
         from unnest($1::bigint[], $2::text[]) as k (membership_id, benefit)
         join entitlement e on e.membership_id = k.membership_id and e.benefit = k.benefit",
        &orders as &[OrderNo],
        &codes
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|r| ((r.membership_id.into(), r.benefit), r.entitlement_id.into())).collect())
}

/// So many fresh numbers for keys, in their order.
pub async fn new_keys(conn: &mut PgConnection, count: i32) -> Result<Vec<KeyNo>> {
    Ok(sqlx::query_scalar!(
        r#"select nextval('license_key_key_id_seq') as "id!: KeyNo" from generate_series(1, $1)"#,
        count
    )
    .fetch_all(conn)
    .await?)
}

/// A key that a row brings.
#[derive(Clone, Debug)]
pub struct NewKey {
    /// Whose.
    pub partner_id: PartnerNo,
    /// Sealed as this key of its benefit.
    pub sealed: Vec<u8>,
    /// Its last characters.
    pub tail: String,
    /// The rest of it.
    pub key: StoredKey,
    /// The line it came from.
    pub line: i32,
}

/// Adds keys to the inventory.
pub async fn append(
    conn: &mut PgConnection,
    file_id: FileNo,
    known_on: NaiveDate,
    keys: &[NewKey],
) -> Result<()> {
    let mut rows = CopyRows::into("license_key");
    for new in keys {
        let StoredKey { key_id, entitlement_id, lookup, content } = &new.key;
        rows.cell(key_id).cell(new.partner_id).cell(entitlement_id).bytes(&new.sealed).bytes(lookup);
        rows.text(&new.tail).maybe(content.seats).cell(content.months);
        rows.maybe_text(content.product.as_deref()).maybe_text(content.language.as_deref());
        rows.maybe_text(content.os.as_deref()).maybe_text(content.download_url.as_deref());
        rows.maybe_text(content.instructions.as_deref()).date(known_on).cell(file_id).cell(new.line).end();
    }
    rows.copy(conn).await?;
    Ok(())
}

/// Says for how many seats keys are that came without (D8).
pub async fn put_seats(conn: &mut PgConnection, file_id: FileNo, seats: &BTreeMap<KeyNo, u32>) -> Result<()> {
    if seats.is_empty() {
        return Ok(());
    }
    let numbers: Vec<KeyNo> = seats.keys().copied().collect();
    let seats: Vec<i32> = seats.values().map(|seats| i32::try_from(*seats).unwrap_or(i32::MAX)).collect();
    sqlx::query!(
        "insert into overwritten (file_id, partner_id, subject_kind, subject_id, was)
         select $1, partner_id, 'key', key_id, jsonb_build_object('file_id', file_id, 'seats', seats)
         from license_key where key_id = any($2) and seats is null",
        file_id.get(),
        &numbers as &[KeyNo]
    )
    .execute(&mut *conn)
    .await?;
    sqlx::query!(
        "update license_key k set seats = n.seats from unnest($1::bigint[], $2::int[]) as n (key_id, seats)
         where k.key_id = n.key_id and k.seats is null",
        &numbers as &[KeyNo],
        &seats
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// A key as it is shown, but for itself, which is sealed.
#[derive(Clone, Debug)]
pub struct Shown {
    /// The key, sealed.
    pub sealed: Vec<u8>,
    /// The benefit it is of.
    pub entitlement_id: EntitlementNo,
    /// The product.
    pub product: Option<String>,
    /// Its languages.
    pub language: Option<String>,
    /// The operating systems.
    pub os: Option<String>,
    /// Where to fetch it.
    pub download_url: Option<String>,
    /// What to do with it.
    pub instructions: Option<String>,
}

/// A key that is about to be shown.
///
/// # Errors
/// [`Error::Unknown`]: there is none of that number.
pub async fn get(conn: &mut PgConnection, key_id: KeyNo) -> Result<Shown> {
    let found = sqlx::query_as!(
        Shown,
        "select sealed, entitlement_id, product, language, os, download_url, instructions
         from license_key where key_id = $1",
        key_id.get()
    );
    found.fetch_optional(conn).await?.ok_or_else(|| Error::Unknown { what: format!("key K{key_id}") })
}

/// Records that a key was shown once more under a request that is on record.
pub async fn append_reveal(
    conn: &mut PgConnection,
    key_id: KeyNo,
    revealed_on: NaiveDate,
    revealed_by: &str,
    request_no: RequestNo,
) -> Result<()> {
    sqlx::query!(
        "insert into key_reveal (key_id, partner_id, revealed_on, revealed_by, request_no)
         select key_id, partner_id, $2, $3, $4 from license_key where key_id = $1",
        key_id.get(),
        revealed_on,
        revealed_by,
        request_no.get()
    )
    .execute(conn)
    .await?;
    Ok(())
}
