//! Directory users by the chunk: what rows name is found in a few statements, and what they change is written in two.

use std::collections::{BTreeSet, HashMap, HashSet};

use sqlx::PgConnection;

use super::Result;
use crate::domain::{
    directory_role::Role,
    directory_user::is_unconfirmed,
    id::{FileNo, ObjectId, PartnerNo, UserNo},
    reason::Reason,
};

/// A directory user as stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DirectoryUser {
    /// The number in the store; 0: not stored yet.
    pub user_id: UserNo,
    /// Whose.
    pub partner_id: PartnerNo,
    /// The key within its partner, case-insensitively.
    pub object_id: ObjectId,
    /// The sign-in name.
    pub user_principal_name: String,
    /// How they are called.
    pub display_name: Option<String>,
    /// Where they read mail.
    pub mail: Option<String>,
    /// `member` or `guest`.
    pub user_type: String,
    /// Whether they can sign in.
    pub enabled: bool,
    /// What they hold.
    pub roles: Vec<Role>,
    /// A BCP 47 tag.
    pub language: Option<String>,
}

/// A directory user as a query gives them, with the keys that the store compares.
struct UserRecord {
    user_id: UserNo,
    partner_id: PartnerNo,
    object_id: ObjectId,
    user_principal_name: String,
    display_name: Option<String>,
    mail: Option<String>,
    user_type: String,
    enabled: bool,
    roles: Vec<String>,
    language: Option<String>,
    object_key: String,
    name_key: String,
}

/// The directory users that rows name by object id or user principal name, and whoever holds a role at partners where that
/// is told. Names are compared as the store compares them, without regard to case.
#[derive(Debug, Default)]
pub struct Directory {
    users: Vec<DirectoryUser>,
    by_object_id: HashMap<(PartnerNo, String), usize>,
    by_name: HashMap<(PartnerNo, String), usize>,
    /// Who had a name when it was loaded, by number in the store.
    stored_names: HashMap<(PartnerNo, String), UserNo>,
    /// Who holds a role, by partner.
    holders: HashMap<PartnerNo, BTreeSet<usize>>,
    /// Names in lower case, as the store writes them so.
    lowered: HashMap<String, String>,
    touched: BTreeSet<usize>,
    /// Whose object id has taken the place of one that stood for it.
    confirmed: BTreeSet<usize>,
    /// Addresses of guests whom the directory has, in lower case, of partners where that is asked for.
    guests: HashSet<(PartnerNo, String)>,
}

impl Directory {
    /// Finds whom these partners and names may mean.
    pub async fn load(conn: &mut PgConnection, whom: &[(PartnerNo, &str)]) -> Result<Self> {
        let mut directory = Self::default();
        let (mut ids, mut names) = (Vec::new(), Vec::new());
        for (partner_id, name) in whom.iter().collect::<BTreeSet<_>>() {
            ids.push(*partner_id);
            names.push((*name).to_owned());
        }
        let lowered = sqlx::query_scalar!(
            r#"select lower(name) as "lowered!" from unnest($1::text[]) with ordinality as n (name, at) order by at"#,
            &names
        )
        .fetch_all(&mut *conn)
        .await?;
        // Each name is looked up along the two indexes, whatever the statistics.
        let rows = sqlx::query_as!(
            UserRecord,
            r#"select u.user_id as "user_id!", u.partner_id as "partner_id!", u.object_id as "object_id!",
                   u.user_principal_name as "user_principal_name!", u.display_name, u.mail, u.user_type as "user_type!",
                   u.enabled as "enabled!", u.roles as "roles!", u.language,
                   lower(u.object_id) as "object_key!", lower(u.user_principal_name) as "name_key!"
               from unnest($1::bigint[], $2::text[]) as n (partner_id, name)
               cross join lateral (
                   (select * from directory_user where partner_id = n.partner_id and lower(object_id) = n.name limit 1)
                   union all
                   (select * from directory_user
                    where partner_id = n.partner_id and lower(user_principal_name) = n.name limit 1)
               ) u"#,
            &ids as &[PartnerNo],
            &lowered
        )
        .fetch_all(conn)
        .await?;
        directory.lowered.extend(names.into_iter().zip(lowered));
        directory.read(rows);
        Ok(directory)
    }

    /// Finds also whoever holds a role at these partners.
    pub async fn load_holders(&mut self, conn: &mut PgConnection, partners: &[PartnerNo]) -> Result<()> {
        if partners.is_empty() {
            return Ok(());
        }
        let rows = sqlx::query_as!(
            UserRecord,
            r#"select u.user_id as "user_id!", u.partner_id as "partner_id!", u.object_id as "object_id!",
                   u.user_principal_name as "user_principal_name!", u.display_name, u.mail, u.user_type as "user_type!",
                   u.enabled as "enabled!", u.roles as "roles!", u.language,
                   lower(u.object_id) as "object_key!", lower(u.user_principal_name) as "name_key!"
               from unnest($1::bigint[]) as n (partner_id)
               cross join lateral (select * from directory_user
                                   where partner_id = n.partner_id and roles <> '{}' offset 0) u"#,
            partners as &[PartnerNo]
        )
        .fetch_all(conn)
        .await?;
        self.read(rows);
        Ok(())
    }

    /// Finds also the addresses of all guests of these partners.
    pub async fn load_guests(&mut self, conn: &mut PgConnection, partners: &[PartnerNo]) -> Result<()> {
        if partners.is_empty() {
            return Ok(());
        }
        let rows = sqlx::query!(
            r#"select u.partner_id as "partner_id!: PartnerNo", u.object_id as "object_id!: ObjectId", lower(u.mail) as "mail!"
               from unnest($1::bigint[]) as n (partner_id)
               cross join lateral (select * from directory_user where partner_id = n.partner_id and user_type = 'guest'
                                     and mail is not null offset 0) u"#,
            partners as &[PartnerNo]
        )
        .fetch_all(conn)
        .await?;
        let known = rows.into_iter().filter(|r| !is_unconfirmed(&r.object_id));
        self.guests.extend(known.map(|r| (r.partner_id, r.mail)));
        Ok(())
    }

    /// Whether the directory has a guest with that address. Only of partners whose guests are loaded.
    #[must_use]
    pub fn has_guest(&self, partner_id: PartnerNo, address: &str) -> bool {
        self.guests.contains(&self.key(partner_id, address))
    }

    /// Takes in what is stored.
    fn read(&mut self, rows: Vec<UserRecord>) {
        for r in rows {
            if self.by_object_id.contains_key(&(r.partner_id, r.object_key.clone())) {
                continue;
            }
            let roles = r.roles.iter().filter_map(|name| Role::parse(name)).collect();
            self.stored_names.insert((r.partner_id, r.name_key.clone()), r.user_id);
            self.lowered.insert(r.object_id.as_str().to_owned(), r.object_key);
            self.lowered.insert(r.user_principal_name.clone(), r.name_key);
            self.enter(DirectoryUser {
                user_id: r.user_id,
                partner_id: r.partner_id,
                object_id: r.object_id,
                user_principal_name: r.user_principal_name,
                display_name: r.display_name,
                mail: r.mail,
                user_type: r.user_type,
                enabled: r.enabled,
                roles,
                language: r.language,
            });
        }
        self.touched.clear();
    }

    fn key(&self, partner_id: PartnerNo, name: &str) -> (PartnerNo, String) {
        (partner_id, self.lowered.get(name).cloned().unwrap_or_else(|| name.to_lowercase()))
    }

    /// The user with that object id.
    #[must_use]
    pub fn with_object_id(&self, partner_id: PartnerNo, named: &str) -> Option<&DirectoryUser> {
        self.by_object_id.get(&self.key(partner_id, named)).map(|at| &self.users[*at])
    }

    /// The user with that user principal name.
    #[must_use]
    pub fn with_name(&self, partner_id: PartnerNo, name: &str) -> Option<&DirectoryUser> {
        self.by_name.get(&self.key(partner_id, name)).map(|at| &self.users[*at])
    }

    /// The user whom a row names, by object id or user principal name, never by mail. What is the one of one user and the
    /// other of another names neither.
    pub fn find(&self, partner_id: PartnerNo, named: &str) -> std::result::Result<&DirectoryUser, Reason> {
        match (self.with_object_id(partner_id, named), self.with_name(partner_id, named)) {
            (Some(user), Some(other)) if user.object_id != other.object_id => Err(Reason::AmbiguousUser),
            (Some(user), _) | (None, Some(user)) => Ok(user),
            (None, None) => Err(Reason::UnknownUser),
        }
    }

    /// Who holds a role at a partner and can sign in: user principal names and roles. Only of partners whose holders are
    /// loaded.
    pub fn holders(&self, partner_id: PartnerNo) -> impl Iterator<Item = (&str, &[Role])> {
        let of = self.holders.get(&partner_id).into_iter().flatten().filter_map(|at| self.users.get(*at));
        of.filter(|user| user.enabled).map(|user| (user.user_principal_name.as_str(), user.roles.as_slice()))
    }

    /// Takes a user in whom the directory has confirmed, in place of the one whose object id stood for theirs.
    pub fn confirm(&mut self, stood_for: &ObjectId, user: DirectoryUser) {
        let (before, after) = (
            self.key(user.partner_id, stood_for.as_str()),
            self.key(user.partner_id, user.object_id.as_str()),
        );
        if let Some(at) = self.by_object_id.remove(&before) {
            self.by_object_id.insert(after, at);
            self.confirmed.insert(at);
        }
        self.enter(user);
    }

    /// Takes a user in, in place of the one with the same object id.
    pub fn enter(&mut self, user: DirectoryUser) {
        let object_id = self.key(user.partner_id, user.object_id.as_str());
        let name = self.key(user.partner_id, &user.user_principal_name);
        let (partner_id, holds) = (user.partner_id, !user.roles.is_empty());
        let at = if let Some(at) = self.by_object_id.get(&object_id).copied() {
            let earlier = self.key(partner_id, &self.users[at].user_principal_name);
            self.by_name.remove(&earlier);
            self.users[at] = user;
            at
        } else {
            self.users.push(user);
            self.users.len() - 1
        };
        let holders = self.holders.entry(partner_id).or_default();
        if holds {
            holders.insert(at);
        } else {
            holders.remove(&at);
        }
        self.by_object_id.insert(object_id, at);
        self.by_name.insert(name, at);
        self.touched.insert(at);
    }

    /// Writes what was taken in since it was loaded; of whoever is changed it is kept how they were.
    pub async fn write(&self, conn: &mut PgConnection, file_id: FileNo) -> Result<()> {
        let touched: Vec<&DirectoryUser> = self.touched.iter().map(|at| &self.users[*at]).collect();
        let changed: Vec<UserNo> =
            touched.iter().map(|user| user.user_id).filter(|id| *id != UserNo::default()).collect();
        if !changed.is_empty() {
            sqlx::query!(
                "insert into overwritten (file_id, partner_id, subject_kind, subject_id, was)
                 select $1, u.partner_id, 'user', u.user_id, to_jsonb(u) from directory_user u where u.user_id = any($2)",
                file_id.get(),
                &changed as &[UserNo]
            )
            .execute(&mut *conn)
            .await?;
        }
        // A name that one leaves and another takes is held by nobody in between.
        let left = touched.iter().filter_map(|user| {
            let before = self.stored_names.get(&self.key(user.partner_id, &user.user_principal_name))?;
            (*before != user.user_id).then_some(*before)
        });
        let left: Vec<UserNo> = left.collect();
        if !left.is_empty() {
            sqlx::query!(
                "update directory_user set user_principal_name = user_id::text where user_id = any($1)",
                &left as &[UserNo]
            )
            .execute(&mut *conn)
            .await?;
        }
        let confirmed: Vec<&DirectoryUser> = self.confirmed.iter().map(|at| &self.users[*at]).collect();
        if !confirmed.is_empty() {
            sqlx::query!(
                "update directory_user u set object_id = n.object_id
                 from unnest($1::bigint[], $2::text[]) as n (user_id, object_id) where u.user_id = n.user_id",
                &confirmed.iter().map(|user| user.user_id).collect::<Vec<_>>() as &[UserNo],
                &confirmed.iter().map(|user| user.object_id.clone()).collect::<Vec<_>>() as &[ObjectId]
            )
            .execute(&mut *conn)
            .await?;
        }
        put(conn, file_id, &touched).await
    }
}

fn texts(users: &[&DirectoryUser], of: impl Fn(&DirectoryUser) -> Option<&str>) -> Vec<Option<String>> {
    users.iter().map(|user| of(user).map(str::to_owned)).collect()
}

/// Roles as one text, since arrays of arrays must be even.
fn roles(users: &[&DirectoryUser]) -> Vec<String> {
    let joined =
        |user: &&DirectoryUser| user.roles.iter().map(|role| role.name()).collect::<Vec<_>>().join("+");
    users.iter().map(joined).collect()
}

/// Makes users, or changes those of their object ids.
async fn put(conn: &mut PgConnection, file_id: FileNo, users: &[&DirectoryUser]) -> Result<()> {
    if users.is_empty() {
        return Ok(());
    }
    sqlx::query!(
        "insert into directory_user (partner_id, object_id, user_principal_name, display_name, mail, user_type, enabled,
             roles, language, file_id)
         select n.partner_id, n.object_id, n.name, n.display_name, n.mail, n.user_type, n.enabled,
             string_to_array(n.roles, '+'), n.language, $1
         from unnest($2::bigint[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::bool[], $9::text[],
             $10::text[]) with ordinality
             as n (partner_id, object_id, name, display_name, mail, user_type, enabled, roles, language, at)
         order by n.at
         on conflict (partner_id, lower(object_id)) do update set user_principal_name = excluded.user_principal_name,
             display_name = excluded.display_name, mail = excluded.mail, user_type = excluded.user_type,
             enabled = excluded.enabled, roles = excluded.roles, language = excluded.language,
             file_id = excluded.file_id",
        file_id.get(),
        &users.iter().map(|user| user.partner_id).collect::<Vec<_>>() as &[PartnerNo],
        &texts(users, |user| Some(user.object_id.as_str())) as _,
        &texts(users, |user| Some(&user.user_principal_name)) as _,
        &texts(users, |user| user.display_name.as_deref()) as _,
        &texts(users, |user| user.mail.as_deref()) as _,
        &texts(users, |user| Some(&user.user_type)) as _,
        &users.iter().map(|user| user.enabled).collect::<Vec<_>>(),
        &roles(users),
        &texts(users, |user| user.language.as_deref()) as _,
    )
    .execute(conn)
    .await?;
    Ok(())
}
