//! Files as the portals give them, by the real binary: recognised, taken in for a partner, answered in their own columns,
//! dropped again, and refused where a column has gone (D15, D16).

use std::{fs, path::Path};

use crate::{
    cast::partner,
    house::{House, Ran},
};

const NORRSKEN: &str = "4100101";
const USERS: &str = "select concat_ws(' ', object_id, user_principal_name, mail, user_type, enabled,
     nullif(array_to_string(roles, '+'), '')) from directory_user order by object_id";
const USED: &str =
    "select concat_ws(' ', used_on, amount_minor, reference) from credit_usage order by used_on, reference";

fn fixture(below: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(below);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

struct Portals {
    house: House,
}

impl Portals {
    /// Norrsken, whose credit has a subscription.
    async fn open() -> Self {
        let portals = Self { house: House::open().await };
        let columns = "partner_id,order_id,offer,benefit,benefit_type,quantity,purchased_on,starts_on,expires_on,subscription_id\n";
        let row = "4100101,ORD-1,silver,azure_monthly_credit,core,1,2024-01-31,2024-01-31,2025-01-30,5ab50001-0000-4000-8000-000000000001\n";
        portals.import("p.csv", &partner(NORRSKEN, "USD"), &[]).ended(0);
        portals.import("e.csv", &format!("{columns}{row}"), &[]).ended(0);
        portals
    }

    /// Imports a file of that name.
    fn import(&self, name: &str, text: &str, flags: &[&str]) -> Ran {
        let path = self.house.dir.join(name);
        fs::write(&path, text).unwrap();
        let command = ["--now", "2024-09-02T08:00:00Z", "import"];
        self.house.run([&command[..], flags, &[path.to_str().unwrap()]].concat())
    }

    /// Imports a file as Norrsken's; its answer, and what was told.
    fn take(&self, name: &str, text: &str) -> (String, String) {
        let told = self.import(name, text, &["--partner", NORRSKEN]).ended(0).stdout;
        let answer = told.lines().find_map(|line| line.strip_prefix("  the answer on every row: "));
        (fs::read_to_string(answer.unwrap()).unwrap(), told)
    }
}

/// The statuses and codes of an answer's rows.
fn verdicts(answer: &str) -> Vec<String> {
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(answer.as_bytes());
    let rows = reader.records().map(Result::unwrap).filter(|row| row.len() > 5);
    let rows = rows.filter(|row| &row[row.len() - 5] != "row_status");
    rows.map(|row| format!("{} {}", &row[row.len() - 5], &row[row.len() - 4]).trim().to_owned()).collect()
}

#[tokio::test]
async fn d16_users_of_every_portal_are_taken_in_twice_and_the_second_time_changes_nothing() {
    let portals = Portals::open().await;
    let (house, anna) = (&portals.house, "7e1f0001-0000-4000-8000-000000000001");
    let roles = format!(
        "partner_id,object_id,user_principal_name,role\n4100101,{anna},anna@norrsken.example,global_admin\n"
    );
    portals.import("roles.csv", &roles, &[]).ended(0);
    for (nth, (below, applied)) in [
        ("entra_users/older.csv", 3),
        ("entra_users/newer.csv", 0),
        ("m365_users/active.csv", 2),
        ("m365_users/older.csv", 0),
    ]
    .into_iter()
    .enumerate()
    {
        let text = fixture(below);
        let (answer, told) = portals.take(&format!("u{nth}.csv"), &text);
        assert!(
            told.contains(&format!(": {applied} applied, {} unchanged, 0 rejected", 3 - applied)),
            "{below}: {told}"
        );
        assert!(told.contains("users (the user export of "), "{told}");
        let header = text.lines().next().unwrap();
        assert_eq!(
            answer.trim_start_matches('\u{feff}').lines().next().unwrap(),
            format!("{header},row_status,reason_code,reason,line,column")
        );
        let (again, told) = portals.take(&format!("u{nth}.result.csv"), &answer);
        assert!(told.contains(": 0 applied, 3 unchanged, 0 rejected"), "{below}: {told}");
        assert_eq!(verdicts(&again), ["unchanged"; 3]);
    }
    let users = [
        format!("{anna} anna@norrsken.example anna.akerlund@norrsken.example member t global_admin"),
        "7e1f0001-0000-4000-8000-000000000002 nils@norrsken.example nils@norrsken.example member f".to_owned(),
        "7e1f0001-0000-4000-8000-000000000003 lena_polder.example#EXT#@norrsken.example lena@polder.example guest t".to_owned(),
        "7e1f0001-0000-4000-8000-000000000004 olle@norrsken.example olle@norrsken.example member f".to_owned(),
    ];
    assert_eq!(house.lines(USERS).await, users);
    // Whose it is must be said; a column that has gone, or been renamed, is named, and nobody becomes enabled without it.
    let entra = fixture("entra_users/newer.csv");
    let told = portals.import("whose.csv", &entra, &[]).ended(1).stdout;
    assert!(told.contains("import it with --partner and the Partner ID"), "{told}");
    let renamed = fixture("m365_users/active.csv")
        .replace("Block credential", "Blockerad")
        .replace("When created\n", "When created,partner_id\n")
        .replace("Z\n", "Z,4100101\n");
    let told = portals.import("renamed.csv", &renamed, &[]).ended(1).stdout;
    assert!(
        told.contains("looks like the user export of the Microsoft 365 admin centre")
            && told.contains("lacks Block credential"),
        "{told}"
    );
    for below in [
        "visual_studio_subscriptions/newer.csv",
        "visual_studio_subscriptions/older.csv",
        "partner_center_reconciliation/licences.csv",
    ] {
        let told = portals.import("compare.csv", &fixture(below), &["--partner", NORRSKEN]).ended(1).stdout;
        assert!(told.contains("it is for `reconcile` only"), "{told}");
    }
    // Nobody is a member because their row says nothing of it, and the answer names the portal's own column.
    let blank = entra.replace(",True,SE", ",perhaps,SE");
    portals.import("blank.csv", &blank, &["--partner", NORRSKEN]).ended(3);
    let answer = fs::read_to_string(house.dir.join("blank.result.csv")).unwrap();
    assert!(answer.lines().nth(1).unwrap().ends_with(",accountEnabled"), "{answer}");
    assert_eq!(house.lines(USERS).await, users);
}

#[tokio::test]
async fn r1_whoever_is_in_a_template_cannot_be_assigned_to_before_the_directory_has_them() {
    let portals = Portals::open().await;
    let house = &portals.house;
    let ada =
        "partner_id,object_id,user_principal_name,role\n4100101,ada,ada@norrsken.example,global_admin\n";
    portals.import("ada.csv", ada, &[]).ended(0);
    let (create, invite) =
        (fixture("entra_bulk_create/template.csv"), fixture("entra_bulk_invite/template.csv"));
    let (answer, told) = portals.take("create.csv", &create);
    assert_eq!(
        verdicts(&answer),
        ["unchanged example_row", "applied unconfirmed_user", "applied unconfirmed_user"]
    );
    assert!(told.contains("rows passed over, each with the reason in its answer: 1"), "{told}");
    assert!(answer.starts_with("version:v1.0,,,,,,,\nName [displayName] Required,"), "{answer}");
    let (again, _) = portals.take("create.result.csv", &answer);
    assert_eq!(
        verdicts(&again),
        ["unchanged example_row", "unchanged unconfirmed_user", "unchanged unconfirmed_user"]
    );
    let (answer, _) = portals.take("invite.csv", &invite);
    assert_eq!(verdicts(&answer), ["unchanged example_row", "applied unconfirmed_user"]);
    let assign = |user: &str| {
        format!(
            "partner_id,order_id,benefit,action,user,requested_by,requested_on\n\
             4100101,ORD-1,azure_monthly_credit,assign,{user},ada@norrsken.example,2024-09-01\n"
        )
    };
    portals.import("a1.csv", &assign("pia@norrsken.example"), &[]).ended(3);
    let refused = fs::read_to_string(house.dir.join("a1.result.csv")).unwrap();
    assert_eq!(verdicts(&refused), ["rejected user_disabled"]);
    // The directory has Pia and Jonas by now: each is the one that was waited for.
    let number = "select string_agg(user_id::text, ' ' order by lower(mail)) from directory_user where mail ~* '^(pia|jonas)'";
    let before = house.one::<String>(number).await;
    let header = fixture("entra_users/newer.csv").lines().next().unwrap().to_owned();
    let row = |upn: &str, id: &str, of: &str| format!("{upn},,,,,{id},{of},,,True{}\n", ",".repeat(19));
    let export = format!(
        "{header}\n{}{}",
        row("Pia@norrsken.example", "7e1f0001-0000-4000-8000-000000000011", "Member"),
        row("jonas_rheingold.example#EXT#@norrsken.example", "7e1f0001-0000-4000-8000-000000000012", "Guest")
    );
    let (answer, _) = portals.take("export.csv", &export);
    assert_eq!(verdicts(&answer), ["applied", "applied"]);
    assert_eq!(house.one::<String>(number).await, before);
    assert_eq!(
        house.lines(USERS).await,
        [
            "7e1f0001-0000-4000-8000-000000000011 Pia@norrsken.example Pia@norrsken.example member t",
            "7e1f0001-0000-4000-8000-000000000012 jonas_rheingold.example#EXT#@norrsken.example jonas@rheingold.example guest t",
            "ada ada@norrsken.example member t global_admin",
            "pending:erik@norrsken.example erik@norrsken.example erik@norrsken.example member f",
        ]
    );
    portals.import("a2.csv", &assign("pia@norrsken.example"), &[]).ended(0);
    // The templates again change nobody.
    let (answer, _) = portals.take("create2.csv", &create.replace("Drift", ""));
    assert_eq!(
        verdicts(&answer),
        ["unchanged example_row", "unchanged confirmed_user", "unchanged unconfirmed_user"]
    );
    let (answer, _) = portals.take("invite2.csv", &invite.replace("Välkommen", ""));
    assert_eq!(verdicts(&answer), ["unchanged example_row", "unchanged confirmed_user"]);
}

#[tokio::test]
async fn d15_sponsorship_usage_is_booked_by_its_subscription_as_sums_and_once() {
    let portals = Portals::open().await;
    let house = &portals.house;
    let wide = fixture("azure_sponsorship_usage/wide.csv");
    let dry = portals.import("wide.csv", &wide, &["--partner", NORRSKEN, "--dry-run"]).ended(0).stdout;
    for said in [
        "credit_usage (the usage file of an Azure sponsorship): 2 applied, 2 unchanged, 0 rejected",
        "read as: encoding=utf-8,delimiter=comma,decimal=point,dates=mdy",
        "amount from Cost",
        "columns not read: SubscriptionName, ServiceType, Quantity",
        "line 2: applied: partner_id=4100101",
        "amount=0.33 currency=USD",
        "Cost: summed: Booked as one sum of 0.33, with 2 rows in all; the first is on line 2.",
        "line 5: unchanged: ",
        "dry run: nothing was changed",
    ] {
        assert!(dry.contains(said), "{said}: {dry}");
    }
    assert!(house.lines(USED).await.is_empty() && !house.dir.join("wide.result.csv").exists());
    let (answer, told) = portals.take("wide.csv", &wide);
    assert_eq!(
        verdicts(&answer),
        ["applied summed+rounded", "unchanged summed", "applied", "unchanged nothing_used"]
    );
    assert!(told.contains("rows booked with others as one sum: 2"), "{told}");
    portals.take("narrow.csv", &fixture("azure_sponsorship_usage/narrow.csv"));
    let subscription = "5ab50001-0000-4000-8000-000000000001";
    let used = [
        format!(
            "2024-08-07 33 {subscription}/2024-08-07/0b1e0001-0000-4000-8000-000000000001/storage/eu north"
        ),
        format!(
            "2024-08-17 1250 {subscription}/2024-08-17/0b1e0001-0000-4000-8000-000000000002/virtual machines/eu north"
        ),
        format!("2024-08-18 30 {subscription}/2024-08-18//storage/eu north"),
        format!("2024-08-18 100 {subscription}/2024-08-18//virtual machines/eu north"),
    ];
    assert_eq!(house.lines(USED).await, used);
    let (again, told) = portals.take("wide.result.csv", &answer);
    assert!(told.contains(": 0 applied, 4 unchanged, 0 rejected"), "{told}");
    assert_eq!(verdicts(&again)[1..], ["unchanged summed", "unchanged", "unchanged nothing_used"]);
    // A subscription that no credit has is named in the portal's own column.
    let other = wide.replace("5AB50001", "5AB50002");
    portals.import("other.csv", &other, &["--partner", NORRSKEN]).ended(3);
    let answer = fs::read_to_string(house.dir.join("other.result.csv")).unwrap();
    assert!(answer.lines().nth(1).unwrap().ends_with(",2,SubscriptionGuid"), "{answer}");
    assert_eq!(verdicts(&answer)[0], "rejected unknown_subscription");
    assert_eq!(house.lines(USED).await, used);
}

/// What a day's use comes to, with GUIDs of resources.
const PARTS: &str = "\
SubscriptionName,SubscriptionGuid,Date,ResourceGuid,ServiceName,ServiceType,ServiceRegion,ServiceResource,Quantity,Cost
Norrsken,5AB50001-0000-4000-8000-000000000001,8/18/2024,0B1E0001,Storage,Disks,EU North,Disk,1,0.105
Norrsken,5AB50001-0000-4000-8000-000000000001,8/18/2024,0B1E0001,Storage,Disks,EU North,Disk,1,0.1
Norrsken,5AB50001-0000-4000-8000-000000000001,8/18/2024,0B1E0002,Storage,Disks,EU North,Tape,1,0.095
Norrsken,5AB50001-0000-4000-8000-000000000001,8/18/2024,,Virtual Machines,D2,EU North,,1,1.00
";

/// The same without a column.
fn without(text: &str, column: &str) -> String {
    let header = text.lines().next().unwrap();
    let at = header.split(',').position(|name| name == column).unwrap();
    let lines = text.lines().map(|line| {
        let cells = line.split(',').enumerate().filter(|(place, _)| *place != at);
        cells.map(|(_, cell)| cell).collect::<Vec<_>>().join(",") + "\n"
    });
    lines.collect()
}

#[tokio::test]
async fn d15_usage_that_comes_in_several_widths_is_booked_once_whichever_comes_first() {
    let names = without(PARTS, "ResourceGuid");
    let services = without(&names, "ServiceResource");
    let widths = [PARTS, names.as_str(), services.as_str()];
    let booked = "select string_agg(amount_minor::text, ' ' order by amount_minor) from credit_usage";
    for (first, minor) in [(0, "10 21 100"), (1, "10 21 100"), (2, "30 100")] {
        let portals = Portals::open().await;
        portals.take("first.csv", widths[first]);
        assert_eq!(portals.house.one::<String>(booked).await, minor, "{first}");
        for (nth, other) in widths.iter().enumerate().filter(|(nth, _)| *nth != first) {
            let (answer, told) = portals.take(&format!("other{nth}.csv"), other);
            assert!(told.contains(": 0 applied, 4 unchanged, 0 rejected"), "{first} {nth}: {told}");
            let verdicts = verdicts(&answer);
            assert!(verdicts.iter().all(|row| row.starts_with("unchanged counted_already")), "{verdicts:?}");
        }
        assert_eq!(portals.house.one::<String>(booked).await, minor, "{first}");
        // Another day of the other width is new; of the same day it must come to the same.
        let other = widths[if first == 2 { 0 } else { 2 }];
        let (_, told) = portals.take("later.csv", &other.replace("8/18/2024", "8/19/2024"));
        assert!(!told.contains(": 0 applied"), "{told}");
        portals.import("grown.csv", &other.replace("1.00", "1.01"), &["--partner", NORRSKEN]).ended(3);
        let answer = fs::read_to_string(portals.house.dir.join("grown.result.csv")).unwrap();
        assert_eq!(verdicts(&answer)[3], "rejected counted_otherwise", "{answer}");
        assert!(answer.contains("booked 1.00 for this day") && answer.contains("comes to 1.01"), "{answer}");
        let all = portals.house.one::<String>(booked).await;
        assert!(!all.contains("101"), "{all}");
        // A row that cannot be read leaves the sum of its use unknown, so none of them is taken for the same.
        let unread = other.replace("0.105", "a lot");
        portals.import("unread.csv", &unread, &["--partner", NORRSKEN]).ended(3);
        let answer = fs::read_to_string(portals.house.dir.join("unread.result.csv")).unwrap();
        let of_storage = [&verdicts(&answer)[1], &verdicts(&answer)[2]];
        assert!(of_storage.iter().all(|row| row.starts_with("rejected sum_incomplete")), "{answer}");
    }
}
