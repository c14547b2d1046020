//! Who is meant by an address or a name, and by what else they are known: that is what has to go.

use std::collections::BTreeSet;

use sqlx::PgConnection;

use crate::{
    domain::{
        directory_user::guest_address,
        email::Email,
        erasure::is_pseudonym,
        id::{PartnerId, PartnerNo, UserNo},
    },
    store::Result,
};

/// Somebody who is to be taken out, by all that they are known by.
#[derive(Clone, Debug, Default)]
pub struct Person {
    /// In whose directory; `None`: whoever has the address, wherever.
    pub partner: Option<(PartnerNo, PartnerId)>,
    /// As directory users.
    pub users: Vec<UserNo>,
    /// Object ids, user principal names, addresses and telephone numbers that nobody else has at the partner.
    pub names: Vec<String>,
    /// Those of them that nobody else has at any partner.
    pub own_names: Vec<String>,
    /// Where mail goes that is for nobody else, in lower case.
    pub addresses: Vec<String>,
    /// How they are called, if nobody else at the partner is.
    pub called: Vec<String>,
    /// What they wrote with requests, which answers to others may quote.
    pub written: Vec<String>,
    /// What they share with somebody else and is therefore left.
    pub shared: Vec<String>,
}

/// A name as the store has it for somebody.
struct NameRecord {
    name: String,
    is_called: bool,
    shared_there: bool,
    shared_anywhere: bool,
}

/// The user of a partner's directory with that object id or user principal name; of two that share it, both.
pub async fn users_called(conn: &mut PgConnection, partner: PartnerNo, name: &str) -> Result<Vec<UserNo>> {
    Ok(sqlx::query_scalar!(
        r#"select user_id as "id: UserNo" from directory_user
           where partner_id = $1 and lower($2) in (lower(object_id), lower(user_principal_name)) and not is_pseudonym(object_id)
           order by user_id"#,
        partner.get(),
        name
    )
    .fetch_all(conn)
    .await?)
}

/// The number of a Partner ID.
pub async fn partner_no(conn: &mut PgConnection, number: &PartnerId) -> Result<Option<PartnerNo>> {
    Ok(sqlx::query_scalar!(
        r#"select partner_id as "id: PartnerNo" from partner where number = $1"#,
        number.as_str()
    )
    .fetch_optional(conn)
    .await?)
}

/// The address of a partner's marketing contact.
pub async fn contact_of(conn: &mut PgConnection, number: &PartnerId) -> Result<Option<String>> {
    Ok(sqlx::query_scalar!(
        "select c.email from contact c join partner p using (partner_id) where p.number = $1",
        number.as_str()
    )
    .fetch_optional(conn)
    .await?)
}

/// Whoever has the address: the directory users whose mail or user principal name it is, at whichever partner.
pub async fn with_address(conn: &mut PgConnection, address: &Email) -> Result<Person> {
    let address = address.as_str().to_lowercase();
    let as_guest = address.replace('@', "_");
    let users = sqlx::query_scalar!(
        r#"select user_id as "id: UserNo" from directory_user
           where not is_pseudonym(object_id) and (lower(mail) = $1 or lower(user_principal_name) = $1
                 or starts_with(lower(user_principal_name), $2 || '#ext#'))
           order by user_id"#,
        address,
        as_guest
    )
    .fetch_all(&mut *conn)
    .await?;
    let mut person = known_by(conn, None, users).await?;
    person.shared.retain(|name| name.to_lowercase() != address);
    for names in [&mut person.names, &mut person.own_names, &mut person.addresses] {
        names.retain(|name| name.to_lowercase() != address);
        names.push(address.clone());
    }
    Ok(person)
}

/// All that directory users are known by, now and before.
pub async fn known_by(
    conn: &mut PgConnection,
    partner: Option<(PartnerNo, PartnerId)>,
    users: Vec<UserNo>,
) -> Result<Person> {
    let found = sqlx::query_as!(
        NameRecord,
        r#"with stood as (
               select u.* from directory_user u where user_id = any($1)
               union all
               select w.* from overwritten o, jsonb_populate_record(null::directory_user, o.was) w
               where o.subject_kind = 'user' and o.subject_id = any($1)
           ), names as (
               select object_id as name, false as is_called from stood
               union select user_principal_name, false from stood
               union select mail, false from stood
               union select display_name, true from stood
               union select x.name, false from contact c cross join lateral (values (c.email), (c.phone)) x (name)
               where c.user_id = any($1)
               union select x.name, false from contact_version c cross join lateral (values (c.email), (c.phone)) x (name)
               where c.user_id = any($1)
           ), others as materialized (
               select u.partner_id, lower(x.name) as name from directory_user u
               cross join lateral (values (u.object_id), (u.user_principal_name), (u.mail), (u.display_name)) x (name)
               where u.user_id <> all($1)
               union select c.partner_id, lower(x.name) from contact_version c
               cross join lateral (values (c.email), (c.phone)) x (name) where c.user_id <> all($1)
               union select partner_id, lower(account_email) from partner
           )
           select n.name as "name!", n.is_called as "is_called!",
                  exists (select from others o where o.name = lower(n.name) and ($2::bigint is null or o.partner_id = $2))
                      as "shared_there!",
                  exists (select from others o where o.name = lower(n.name)) as "shared_anywhere!"
           from names n where n.name <> '' and not is_pseudonym(n.name)
           order by 1"#,
        &users as &[UserNo],
        partner.as_ref().map(|(number, _)| number.get())
    )
    .fetch_all(&mut *conn)
    .await?;
    let mut person = sorted(partner, users, found);
    let names: Vec<String> = person.names.iter().map(|name| name.to_lowercase()).collect();
    person.written = sqlx::query_scalar!(
        r#"select distinct content ->> 'note' as "note!" from request
           where ($2::bigint is null or partner_id = $2) and lower(requested_by) = any($1)
             and length(content ->> 'note') >= $3"#,
        &names,
        person.partner.as_ref().map(|(number, _)| number.get()),
        LEAST_WRITTEN
    )
    .fetch_all(conn)
    .await?;
    Ok(person)
}

/// Shorter than this what somebody wrote is in other words too easily.
const LEAST_WRITTEN: i32 = 8;

/// Shorter than this a name is in other words too easily.
const LEAST_CALLED: usize = 4;

fn sorted(partner: Option<(PartnerNo, PartnerId)>, users: Vec<UserNo>, found: Vec<NameRecord>) -> Person {
    let mut person = Person { partner, users, ..Person::default() };
    let mut addresses = BTreeSet::new();
    for NameRecord { name, is_called, shared_there, shared_anywhere } in found {
        if is_pseudonym(&name) {
            continue;
        }
        if is_called {
            if !shared_there && name.chars().count() >= LEAST_CALLED {
                person.called.push(name);
            }
            continue;
        }
        if shared_there {
            person.shared.push(name);
            continue;
        }
        if shared_anywhere {
            person.shared.push(name.clone());
        } else {
            addresses.extend(Email::parse(&name).map(|email| email.as_str().to_lowercase()));
            if let Some(address) = guest_address(&name) {
                person.names.push(address.clone());
                addresses.extend(Email::parse(&address).map(|email| email.as_str().to_lowercase()));
            }
            person.own_names.push(name.clone());
        }
        person.names.push(name);
    }
    person.addresses.extend(addresses);
    person
}
