use std::os::unix::fs::PermissionsExt as _;

use super::*;

fn known(partner: Option<&str>) -> KnownNames {
    let names = ["bo@a.example", "7e1f", "bo.ek@a.example"].map(str::to_owned);
    KnownNames::new("erased-1".to_owned(), partner.map(PartnerId::from), &names, &["Bo Ek".to_owned()])
}

/// A text without somebody; what it came to, and the same once more.
fn redacted(text: &str, partner: Option<&str>) -> (String, RowsRedacted) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.csv");
    fs::write(&path, text).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    let would = redact(&path, partner.map(PartnerId::from).as_ref(), &known(Some("1")), true).unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), text, "a dry run changes nothing");
    let did = redact(&path, partner.map(PartnerId::from).as_ref(), &known(Some("1")), false).unwrap();
    assert_eq!(would, did);
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o640);
    assert_eq!(
        redact(&path, partner.map(PartnerId::from).as_ref(), &known(Some("1")), false).unwrap(),
        RowsRedacted::default(),
        "done is done"
    );
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1, "nothing is left beside it");
    (fs::read_to_string(&path).unwrap(), did)
}

#[test]
fn the_cells_of_a_person_go_by_the_columns_of_the_kind_and_all_else_stays_as_written() {
    let users = "\u{feff}Partner ID;Object_ID;user_principal_name;display_name;mail;role;shoe\r\n\
        1;7E1F;\"Bo@a.example\";Bobby;;mpn_partner_admin;44\r\n\
        1; 8f;ann@a.example;\"Ann;\";;;\r\n\
        2;7e1f;bo@a.example;Bobby;;;\r\n\
        1;9a;cy@a.example;friend of bo ek;;;\r\n";
    let (text, found) = redacted(users, None);
    assert_eq!(
        text,
        "\u{feff}Partner ID;Object_ID;user_principal_name;display_name;mail;role;shoe\r\n\
        1;erased-1;erased-1;erased-1;;mpn_partner_admin;\r\n\
        1; 8f;ann@a.example;\"Ann;\";;;\r\n\
        2;7e1f;bo@a.example;Bobby;;;\r\n\
        1;9a;cy@a.example;friend of erased-1;;;\r\n"
    );
    assert_eq!(found, RowsRedacted { rows: 2, about: vec![2] });
    let asked = "partner_id,request_id,kind,requested_by,requested_on,note\n\
        1,SR-1,cancel,bo@a.example,2024-02-05,my own words\n\
        1,SR-2,cancel,ann@a.example,2024-02-05,ask <bo@a.example>\n";
    let (text, found) = redacted(asked, None);
    assert!(text.contains("1,SR-1,cancel,erased-1,2024-02-05,\n"), "{text}");
    assert!(text.contains("ann@a.example,2024-02-05,ask <erased-1>\n"), "{text}");
    assert_eq!(found, RowsRedacted { rows: 2, about: vec![] });
}

#[test]
fn of_a_portals_row_and_of_one_of_no_known_kind_nothing_stays_that_may_be_theirs() {
    let users = "id,userPrincipalName,accountEnabled,displayName,surname\n\
        7e1f,bo@a.example,True,Bobby,Ek\n8f,ann@a.example,True,Ann,Ek\n";
    let (text, _) = redacted(users, Some("1"));
    assert!(text.ends_with("erased-1,erased-1,True,,\n8f,ann@a.example,True,Ann,Ek\n"), "{text}");
    assert_eq!(redacted(users, Some("2")).0, users, "another partner's");
    let (text, _) = redacted("who,what\nbo@a.example,secret\nann@a.example,open\n", None);
    assert_eq!(text, "who,what\nerased-1,\nann@a.example,open\n");
}

#[test]
fn a_file_that_cannot_be_read_is_told_only_if_it_names_them() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.csv");
    fs::write(&path, "partner_id,object_id\n1,\"8f\n").unwrap();
    assert_eq!(redact(&path, None, &known(None), false).unwrap(), RowsRedacted::default());
    fs::write(&path, "partner_id,object_id\n1,\"7e1f\n").unwrap();
    assert!(redact(&path, None, &known(None), false).is_err());
    fs::write(&path, b"PK\x03\x04 damaged").unwrap();
    assert!(redact(&path, None, &known(None), false).is_err(), "nobody knows what is in it");
    let note = dir.path().join("a.note.txt");
    fs::write(&note, "line 2: 'bo@a.example' twice\nand more\n").unwrap();
    assert_eq!(redact(&note, None, &known(None), false).unwrap().rows, 1);
    assert_eq!(fs::read_to_string(&note).unwrap(), "line 2: 'erased-1' twice\nand more\n");
}
