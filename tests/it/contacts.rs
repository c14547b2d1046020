//! The marketing contact: who may be one, who may set one, and what it was and became (R8).

use crate::{
    cast::{contact, partner, users},
    house::House,
};

const HEADER: &str = "partner_id,user,email,phone,language,requested_by\n";

/// A contacts file of one row.
fn row(user: &str, email: &str, phone: &str, language: &str, by: &str) -> String {
    let name = |user: &str| if user.is_empty() { String::new() } else { format!("{user}@p4301.example") };
    format!("{HEADER}4301,{},{email},{phone},{language},{}\n", name(user), name(by))
}

/// A partner in Sweden: Ada, a global admin, Ben, who holds no role, and Dan, who cannot sign in.
async fn house() -> House {
    let mut house = House::open().await;
    let dan = "4301,id-4,dan@p4301.example,member,false,global_admin\n";
    let people = users("4301") + dan;
    for answer in house.import(&[("p.csv", &partner("4301", "SEK")), ("u.csv", &people)], "2024-01-31").await
    {
        answer.applied();
    }
    house
}

async fn versions(house: &House) -> Vec<String> {
    house
        .lines(
            "select concat_ws(' ', v.version_no, v.known_on, u.user_principal_name, v.email, v.phone, v.language, v.requested_by)
             from contact_version v join directory_user u using (user_id) order by v.partner_id, v.version_no",
        )
        .await
}

#[tokio::test]
async fn r8_a_contacts_phone_and_language_are_kept_in_their_standard_form_and_each_change_as_a_version() {
    let mut house = house().await;
    let first = row("ada", "mk@p4301.example", "08-465 004 12", "SV-se", "");
    house.import_one("c1.csv", &first, "2024-01-31").await.applied();
    let same = row("ada", "mk@p4301.example", "+46 8 465 004 12", "sv-SE", "ada");
    let answer = house.import_one("c2.csv", &same, "2024-02-01").await;
    assert_eq!(answer.rows, ["2 unchanged"], "said in another way");
    let changed = row("ben", "ben.mk@p4301.example", "+44 20 7946 0118", "en-gb", "ada");
    house.import_one("c3.csv", &changed, "2024-02-05").await.applied();
    assert_eq!(
        versions(&house).await,
        [
            "1 2024-01-31 ada@p4301.example mk@p4301.example +46846500412 sv-SE operator",
            "2 2024-02-05 ben@p4301.example ben.mk@p4301.example +442079460118 en-GB ada@p4301.example",
        ]
    );
    assert_eq!(house.import_one("c3.csv", &changed, "2024-02-06").await.rows, [] as [&str; 0]);
    assert_eq!(versions(&house).await.len(), 2);
}

#[tokio::test]
async fn r8_a_contact_is_a_known_user_who_can_sign_in_with_a_phone_and_an_address_of_its_own() {
    let mut house = house().await;
    let mut refused = async |user: &str, email: &str, phone: &str| {
        let text = row(user, email, phone, "sv", "");
        house.import_one("c.csv", &text, "2024-01-31").await.rows.remove(0)
    };
    let phone = "08-465 004 12";
    assert_eq!(refused("eve", "mk@p4301.example", phone).await, "2 rejected user unknown_user");
    assert_eq!(refused("dan", "mk@p4301.example", phone).await, "2 rejected user user_disabled");
    assert_eq!(refused("ada", "mk@p4301.example", "555").await, "2 rejected phone invalid");
    assert_eq!(refused("ada", "mk@p4301.example", "08-1234 5678 9012").await, "2 rejected phone invalid");
    assert_eq!(refused("ada", "ACCOUNTS@P4301.example", phone).await, "2 rejected email contact_is_account");
    assert_eq!(
        refused("dan", "accounts@p4301.example", "123456").await,
        "2 rejected user+email+phone user_disabled+contact_is_account+invalid"
    );
    assert_eq!(versions(&house).await, [] as [&str; 0]);
    let reasons = ["unknown_user", "user_disabled", "invalid", "contact_is_account"];
    let mut on_record = reasons.map(|reason| format!("set_contact 4301 refused {reason}")).to_vec();
    on_record.push("set_contact 4301 refused user_disabled+contact_is_account+invalid".to_owned());
    assert_eq!(
        house.decisions().await,
        on_record,
        "D13: each is on record but for the row that cannot be read"
    );
    let history = house.run(["explain", "4301"]).ended(0).stdout;
    assert!(history.contains("setting of the marketing contact, asked for by operator"), "{history}");
    assert!(house.run(["export", "decisions"]).ended(0).stdout.contains("contact_is_account"));
}

#[tokio::test]
async fn r8_a_language_is_one_of_iso_639_in_every_file_that_names_one() {
    let mut house = house().await;
    let refused = ["2 rejected language invalid"];
    let partner = partner("4301", "SEK");
    let (header, row_of) = partner.trim_end().split_once('\n').unwrap();
    for (language, rows) in
        [("swedish", refused), ("xx-SE", refused), ("swe", ["2 applied"]), ("sv", ["2 unchanged"])]
    {
        let text = format!("{header},language\n{row_of},{language}\n");
        assert_eq!(house.import_one("p.csv", &text, "2024-02-01").await.rows, rows, "{language}");
        let user = "partner_id,object_id,user_principal_name,language\n";
        let text = format!("{user}4301,id-9,gus@p4301.example,{language}\n");
        assert_eq!(house.import_one("u.csv", &text, "2024-02-01").await.rows, rows, "{language}");
        let text = row("ada", "mk@p4301.example", "08-465 004 12", language, "");
        assert_eq!(house.import_one("c.csv", &text, "2024-02-01").await.rows, rows, "{language}");
    }
    assert_eq!(versions(&house).await.len(), 1);
    // A command says which codes there are.
    let contact = [
        "--user",
        "ada@p4301.example",
        "--email",
        "mk@p4301.example",
        "--phone",
        "08-465 004 12",
        "--language",
    ];
    let request = ["request", "contact", "--partner-id", "4301"].iter().chain(&contact);
    let told = house.run(request.chain(&["swedish"])).ended(3).stdout;
    assert!(told.contains("not its name: en for English, sv for Swedish"), "{told}");
}

#[tokio::test]
async fn r8_an_account_email_cannot_become_the_contacts() {
    let mut house = house().await;
    house.import_one("c.csv", &contact("4301", "sv"), "2024-01-31").await.applied();
    let moved = partner("4301", "SEK").replace("accounts@", "Marketing@");
    let answer = house.import_one("p2.csv", &moved, "2024-02-01").await;
    assert_eq!(answer.rows, ["2 rejected account_email contact_is_account"]);
    // Case counts for no letter, wherever it stands in the alphabet.
    let own = contact("4301", "sv").replace("marketing@p4301.example", "info@Åkeri.example");
    house.import_one("c3.csv", &own, "2024-02-02").await.applied();
    let moved = partner("4301", "SEK").replace("accounts@p4301.example", "INFO@åKERI.example");
    let answer = house.import_one("p3.csv", &moved, "2024-02-02").await;
    assert_eq!(answer.rows, ["2 rejected account_email contact_is_account"]);
}

#[tokio::test]
async fn who_sets_a_contact_or_changes_users_must_hold_a_role_that_may_where_a_file_says_who() {
    let mut house = house().await;
    let phone = "08-465 004 12";
    for (by, verdict) in [
        ("ben", "2 rejected requested_by role_missing"),
        ("dan", "2 rejected requested_by user_disabled"),
        ("eve", "2 rejected requested_by unknown_user"),
        ("ada", "2 applied"),
    ] {
        let text = row("ada", "mk@p4301.example", phone, "sv", by);
        let answer = house.import_one("c.csv", &text, "2024-02-01").await;
        assert_eq!(answer.rows, [verdict], "{}", answer.text);
        assert_eq!(answer.text.contains("ada@p4301.example. Let one"), by == "ben", "{}", answer.text);
        let user = "partner_id,object_id,user_principal_name,display_name,requested_by\n";
        let user = format!("{user}4301,id-9,gus@p4301.example,Gus {by},{by}@p4301.example\n");
        assert_eq!(house.import_one("u.csv", &user, "2024-02-01").await.rows, [verdict]);
    }
    let operator = format!("{HEADER}4301,ben@p4301.example,mk@p4301.example,{phone},sv,operator\n");
    let answer = house.import_one("c.csv", &operator, "2024-02-02").await;
    assert_eq!(answer.rows, ["2 rejected requested_by unknown_user"], "only on the operator's machine");
}

const ROLES: &str = "partner_id,object_id,user_principal_name,role,requested_by\n";

/// A users file of one row, by the part of the names before the `@`.
fn role(user: &str, role: &str, by: &str) -> String {
    let by = if by.is_empty() { String::new() } else { format!("{by}@p4301.example") };
    format!("{ROLES}4301,id-{user},{user}@p4301.example,{role},{by}\n")
}

/// Ada, a global admin; Mia, a user management admin; Max, an MPN partner admin; Fay, a global admin who cannot sign in.
async fn admins() -> House {
    let mut house = house().await;
    let row = |name: &str, enabled: bool, role: &str| {
        format!("4301,id-{name},{name}@p4301.example,{enabled},{role}\n")
    };
    let rows = [
        row("mia", true, "user_management_admin"),
        row("max", true, "mpn_partner_admin"),
        row("fay", false, "global_admin"),
        row("gus", true, "admin_agent"),
    ];
    let text = "partner_id,object_id,user_principal_name,enabled,role\n".to_owned() + &rows.concat();
    for verdict in house.import_one("a.csv", &text, "2024-01-31").await.rows {
        assert!(verdict.ends_with(" applied"), "{verdict}");
    }
    house
}

async fn held(house: &House, user: &str) -> String {
    let roles =
        "select coalesce((select array_to_string(roles, '+') from directory_user where object_id = 'id-";
    house.one(&format!("{roles}{user}'), 'unknown')")).await
}

#[tokio::test]
async fn c14_only_a_global_admin_gives_or_takes_the_roles_of_admins() {
    let mut house = admins().await;
    // Who, what they shall hold, and what they hold.
    for (user, wanted, holds) in [
        ("mia", "global_admin", "user_management_admin"),
        ("mia", "user_management_admin+mpn_partner_admin", "user_management_admin"),
        ("gus", "admin_agent+global_admin", "admin_agent"),
        ("new", "mpn_partner_admin", "unknown"),
        ("new", "global_admin+admin_agent", "unknown"),
        ("max", "", "mpn_partner_admin"),
        ("max", "global_admin", "mpn_partner_admin"),
        ("max", "admin_agent", "mpn_partner_admin"),
        ("fay", "", "global_admin"),
    ] {
        for by in ["mia", "max", "gus"] {
            let answer = house.import_one("r.csv", &role(user, wanted, by), "2024-02-01").await;
            assert_eq!(answer.rows, ["2 rejected requested_by role_missing"], "{by}: {user} {wanted}");
            let told = "This needs the role global_admin; at this partner: ada@p4301.example. Let one";
            assert!(answer.text.contains(told), "{by}: {user} {wanted}: {}", answer.text);
            assert_eq!(held(&house, user).await, holds, "{by}: {user} {wanted}");
        }
    }
    // A row that was refused makes nobody an admin for the row that follows it.
    let both =
        role("mia", "global_admin", "mia") + "4301,id-gus,gus@p4301.example,global_admin,mia@p4301.example\n";
    let answer = house.import_one("r.csv", &both, "2024-02-01").await;
    assert_eq!(answer.rows, ["2 rejected requested_by role_missing", "3 rejected requested_by role_missing"]);
}

#[tokio::test]
async fn c14_a_user_management_admin_changes_the_rest_and_a_global_admin_all() {
    let mut house = admins().await;
    for (user, wanted, by, verdict) in [
        ("gus", "admin_agent+user_management_admin", "mia", "2 applied"),
        ("gus", "", "mia", "2 applied"),
        ("new", "admin_agent", "mia", "2 applied"),
        ("max", "admin_agent+mpn_partner_admin", "mia", "2 applied"),
        ("fay", "global_admin", "mia", "2 unchanged"),
        ("gus", "admin_agent", "max", "2 rejected requested_by role_missing"),
        ("gus", "global_admin", "fay", "2 rejected requested_by user_disabled"),
        ("max", "", "ada", "2 applied"),
        ("fay", "mpn_partner_admin", "ada", "2 applied"),
        ("mia", "global_admin", "ada", "2 applied"),
        ("gus", "global_admin", "mia", "2 applied"),
        ("max", "mpn_partner_admin", "", "2 applied"),
    ] {
        let answer = house.import_one("r.csv", &role(user, wanted, by), "2024-02-01").await;
        assert_eq!(answer.rows, [verdict], "{by}: {user} {wanted}: {}", answer.text);
    }
    let name = "partner_id,object_id,user_principal_name,display_name,requested_by\n";
    let named = format!("{name}4301,id-max,max@p4301.example,Max,gus@p4301.example\n");
    house.import_one("n.csv", &named, "2024-02-02").await.applied();
    assert_eq!(held(&house, "max").await, "mpn_partner_admin", "an absent column keeps");
}

#[tokio::test]
async fn c14_in_a_partners_own_folder_a_change_of_role_says_who_asks() {
    let mut house = admins().await;
    for (user, wanted, who) in [
        ("mia", "global_admin", "global_admin; at this partner: ada@p4301.example."),
        ("max", "", "global_admin; at this partner: ada@p4301.example."),
        (
            "new",
            "admin_agent",
            "global_admin or user_management_admin; at this partner: ada@p4301.example, mia@p4301.example.",
        ),
        (
            "gus",
            "",
            "global_admin or user_management_admin; at this partner: ada@p4301.example, mia@p4301.example.",
        ),
    ] {
        let before = held(&house, user).await;
        let answer = house.import_of("4301", "r.csv", &role(user, wanted, ""), "2024-02-01").await;
        assert_eq!(
            answer.rows,
            ["2 rejected requested_by+requested_by missing+role_missing"],
            "{user} {wanted}"
        );
        assert!(answer.text.contains(who), "{user} {wanted}: {}", answer.text);
        assert_eq!(held(&house, user).await, before);
    }
    for (user, wanted, by, verdict) in [
        ("mia", "user_management_admin", "", "2 unchanged"),
        ("new", "", "", "2 applied"),
        ("gus", "", "mia", "2 applied"),
        ("mia", "global_admin", "mia", "2 rejected requested_by role_missing"),
        ("mia", "global_admin", "operator", "2 rejected requested_by unknown_user"),
        ("mia", "global_admin", "ada", "2 applied"),
    ] {
        let answer = house.import_of("4301", "r.csv", &role(user, wanted, by), "2024-02-01").await;
        assert_eq!(answer.rows, [verdict], "{by}: {user} {wanted}: {}", answer.text);
    }
}
