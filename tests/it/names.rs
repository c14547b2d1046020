//! The two names of a directory user, object id and user principal name: whichever a row names somebody by, it means one
//! person (role table, C14).

use crate::{
    cast::{monthly, partner},
    house::House,
};

const USERS: &str = "partner_id,object_id,user_principal_name,role,requested_by\n";

/// Mia, a user management admin; Gina, a global admin whose object id has the form of a sign-in name; Gil, another.
async fn house() -> House {
    let mut house = House::open().await;
    let people = format!(
        "{USERS}4301,u1,mia@p4301.example,user_management_admin,\n\
         4301,gina@p4301.example,g@p4301.example,global_admin,\n4301,u3,gil@p4301.example,global_admin,\n"
    );
    let order = monthly("4301", "ORD-1", "2024-01-31", "2025-01-30");
    let files = [("p.csv", partner("4301", "SEK")), ("u.csv", people), ("e.csv", order)];
    let files: Vec<(&str, &str)> = files.iter().map(|(name, text)| (*name, text.as_str())).collect();
    for answer in house.import(&files, "2024-01-31").await {
        answer.applied();
    }
    house
}

async fn people(house: &House) -> Vec<String> {
    let all = "select concat_ws(' ', object_id, user_principal_name, roles::text) from directory_user order by user_id";
    house.lines(all).await
}

#[tokio::test]
async fn c14_a_name_of_one_user_is_never_given_to_another_whichever_of_their_names_it_is() {
    let mut house = house().await;
    let before = people(&house).await;
    for (row, verdict) in [
        // Who signs in as Gina's object id would act as Gina.
        ("u1,gina@p4301.example,user_management_admin,u1", "user_principal_name conflicts_with_earlier"),
        ("U1,GINA@P4301.example,user_management_admin,u1", "user_principal_name conflicts_with_earlier"),
        ("u9,Gina@p4301.example,,u1", "user_principal_name conflicts_with_earlier"),
        ("u9,Gina@p4301.example,,", "user_principal_name conflicts_with_earlier"),
        // Whose object id is Gil's sign-in name would keep Gil from acting.
        ("gil@p4301.example,zed@p4301.example,,u1", "object_id conflicts_with_earlier"),
        ("GIL@p4301.EXAMPLE,zed@p4301.example,,", "object_id conflicts_with_earlier"),
        (
            "gil@p4301.example,gina@p4301.example,,",
            "user_principal_name+object_id conflicts_with_earlier+conflicts_with_earlier",
        ),
    ] {
        let answer = house.import_one("r.csv", &format!("{USERS}4301,{row}\n"), "2024-02-05").await;
        assert_eq!(answer.rows, [format!("2 rejected {verdict}")], "{row}");
        assert_eq!(people(&house).await, before, "{row}");
    }
    // Of two rows of one file the first has the name, in either order.
    let two = format!("{USERS}4301,ann@p4301.example,a1@p4301.example,,\n4301,u4,Ann@p4301.example,,\n");
    let answer = house.import_one("two.csv", &two, "2024-02-05").await;
    assert_eq!(answer.rows, ["2 applied", "3 rejected user_principal_name conflicts_with_earlier"]);
    let two = format!("{USERS}4301,u5,bea@p4301.example,,\n4301,BEA@p4301.example,b1@p4301.example,,\n");
    let answer = house.import_one("two2.csv", &two, "2024-02-05").await;
    assert_eq!(answer.rows, ["2 applied", "3 rejected object_id conflicts_with_earlier"]);
    // One's own two names may be the same, and another partner's are nobody's here.
    house.import_one("p2.csv", &partner("4302", "SEK"), "2024-02-05").await.applied();
    let fine = format!(
        "{USERS}4301,own@p4301.example,Own@p4301.example,,\n4302,u1,gina@p4301.example,,\n\
         4302,gil@p4301.example,x@p4302.example,,\n4301,gina@p4301.example,gina@p4301.example,global_admin,\n"
    );
    house.import_one("fine.csv", &fine, "2024-02-05").await.applied();
    // A name that is free again may be taken.
    let freed = format!(
        "{USERS}4301,u3,gilbert@p4301.example,global_admin,\n4301,gil@p4301.example,z@p4301.example,,\n"
    );
    house.import_one("freed.csv", &freed, "2024-02-05").await.applied();
}

/// Taken in before the door was shut: whoever is named so is nobody, until the sign-in name is another.
#[tokio::test]
async fn c14_a_stored_name_of_two_users_names_neither() {
    let mut house = house().await;
    sqlx::query(
        "update directory_user set user_principal_name = 'Gina@p4301.example' where object_id = 'u1'",
    )
    .execute(&house.owner)
    .await
    .unwrap();
    let act = |user: &str, by: &str| {
        format!(
            "partner_id,order_id,benefit,action,user,requested_by,requested_on\n\
             4301,ORD-1,azure_monthly_credit,assign,{user},{by},2024-02-05\n"
        )
    };
    for by in ["gina@p4301.example", "GINA@p4301.example"] {
        let answer = house.import_one("a.csv", &act("u3", by), "2024-02-05").await;
        assert_eq!(answer.rows, ["2 rejected requested_by ambiguous_user"]);
        let answer = house
            .import_one("u.csv", &format!("{USERS}4301,u9,new@p4301.example,,{by}\n"), "2024-02-05")
            .await;
        assert_eq!(answer.rows, ["2 rejected requested_by ambiguous_user"]);
        let answer = house.import_one("a.csv", &act(by, "gil@p4301.example"), "2024-02-05").await;
        assert_eq!(answer.rows, ["2 rejected user ambiguous_user"]);
    }
    let contact =
        "partner_id,user,email,phone,language\n4301,gina@p4301.example,m@p4301.example,+46 8 465 004 12,sv\n";
    let answer = house.import_one("c.csv", contact, "2024-02-05").await;
    assert_eq!(answer.rows, ["2 rejected user ambiguous_user"]);
    // Each is still named by the other name, and stays as stored.
    house.import_one("a2.csv", &act("u3", "g@p4301.example"), "2024-02-05").await.applied();
    let answer = house.import_one("a3.csv", &act("g@p4301.example", "u1"), "2024-02-05").await;
    assert_eq!(answer.rows, ["2 rejected requested_by role_missing"]);
    let same = format!(
        "{USERS}4301,u1,Gina@p4301.example,user_management_admin,\n4301,gina@p4301.example,g@p4301.example,global_admin,\n"
    );
    let answer = house.import_one("same.csv", &same, "2024-02-06").await;
    assert_eq!(answer.rows, ["2 unchanged", "3 unchanged"]);
    let mended = format!("{USERS}4301,u1,mia@p4301.example,user_management_admin,\n");
    house.import_one("mended.csv", &mended, "2024-02-06").await.applied();
    let again = act("g@p4301.example", "gina@p4301.example");
    house.import_one("a4.csv", &again, "2024-02-06").await.applied();
}
