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
