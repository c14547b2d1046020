//! What the names of a directory user say: who is a guest, where their mail goes, and whom the directory does not have yet.

use super::id::ObjectId;

/// What the object id of a user begins with whom the directory has not confirmed yet.
const UNCONFIRMED: &str = "pending:";
/// What stands in the user principal name of a guest, between their address and the directory's own domain.
const GUEST: &str = "#ext#";

/// The object id of somebody whom the directory does not have yet: it stands for the one that the directory will give them.
/// Without a name there is none.
#[must_use]
pub fn unconfirmed(name: &str) -> String {
    if name.is_empty() { String::new() } else { format!("{UNCONFIRMED}{}", name.to_lowercase()) }
}

/// Whether the directory has not confirmed the user with this object id yet: nothing can be assigned to them.
#[must_use]
pub fn is_unconfirmed(object_id: &ObjectId) -> bool {
    object_id.as_str().get(..UNCONFIRMED.len()).is_some_and(|start| start.eq_ignore_ascii_case(UNCONFIRMED))
}

/// Where the mark of a guest stands in a user principal name.
fn guest_mark(name: &str) -> Option<usize> {
    name.to_ascii_lowercase().find(GUEST)
}

/// The address of a guest by their user principal name: `bo@other.example` of `bo_other.example#EXT#@norrsken.example`. The
/// last underscore stands for the `@`, since no domain has one. `None`: it is no guest's.
#[must_use]
pub fn guest_address(name: &str) -> Option<String> {
    let (local, domain) = name.get(..guest_mark(name)?)?.rsplit_once('_')?;
    (!local.is_empty() && !domain.is_empty()).then(|| format!("{local}@{domain}"))
}

/// `guest` for whom a portal says so or whose name has a guest's mark, else what the portal says.
#[must_use]
pub fn user_type<'a>(stated: &'a str, name: &str) -> &'a str {
    if guest_mark(name).is_some() { "guest" } else { stated }
}

/// Where mail goes: the address that a portal has, else the user principal name, of a guest the address in it.
#[must_use]
pub fn address(stated: &str, name: &str) -> String {
    match guest_mark(name) {
        _ if !stated.is_empty() => stated.to_owned(),
        None => name.to_owned(),
        Some(_) => guest_address(name).unwrap_or_default(),
    }
}

/// Whether a portal's column of when somebody was deleted says that they were.
#[must_use]
pub fn is_gone(deleted: &str) -> bool {
    !["", "false", "no", "n/a", "null"].contains(&deleted.to_ascii_lowercase().as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_guests_and_whom_the_directory_does_not_have_yet() {
        let guest = "bo_ek_other.example#EXT#@norrsken.example";
        assert_eq!(guest_address(guest).as_deref(), Some("bo_ek@other.example"));
        assert_eq!((user_type("Member", guest), user_type("Member", "bo@a.example")), ("guest", "Member"));
        assert_eq!(address("", guest), "bo_ek@other.example");
        assert_eq!(address("", "#EXT#@a.example"), "");
        assert_eq!(address("", "bo@a.example"), "bo@a.example");
        assert_eq!(address("b@a.example", guest), "b@a.example");
        let waits = |id: &str| is_unconfirmed(&id.into());
        assert!(waits(&unconfirmed("Bo@a.example")) && waits("PENDING:x"));
        assert!(!waits("pending") && !waits("7e1f") && unconfirmed("").is_empty());
        assert!(is_gone("8/19/2021 1:25:31 PM") && is_gone("True") && !is_gone("False") && !is_gone(""));
    }
}
