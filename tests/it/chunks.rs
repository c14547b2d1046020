//! Files by the chunk: a file comes to the same, whether its rows are applied one by one or all together, and a key stands
//! once in a file (D16).

use crate::{
    cast::{ENTITLEMENTS, rates, row},
    house::House,
    story::day,
};

const PARTNERS: &str = "partner_id,name,account_email,country,currency,tenant_id,language\n\
    4301,One AB,one@p4301.example,SE,SEK,72f988bf-86f1-41af-91ab-2d7cd011db47,sv\n\
    4302,Two Oy,two@p4302.example,FI,EUR,,fi\n\
    4301,One AB,one@p4301.example,se,sek,72F988BF-86F1-41AF-91AB-2D7CD011DB47,SV\n\
    4303,Three,three@p4303.example,SE,SEK,,\n\
    4303,Three Others,three@p4303.example,SE,SEK,,\n\
    4304,Four,no address,SE,SEK,,\n\
    4304,Four,four@p4304.example,SE,SEK,,\n";

/// What changes partners: a currency from a day on, from the day of arrival, back again.
const CHANGED: [&str; 2] = [
    "partner_id,name,account_email,country,currency,currency_from,tenant_id,language\n\
     4301,One AB,MK@p4301.example,SE,SEK,,,\n\
     4302,Two Oy,two@p4302.example,FI,SEK,2024-02-20,,fi\n\
     4302,Two Oy,two@p4302.example,FI,sek,2024-02-20,,FI\n\
     4305,Five,five@p4305.example,HR,EUR,2023-01-01,,hr\n\
     4305,Five,five@p4305.example,hr,EUR,2023-01-01,,hr\n\
     4306,Six,six@p4306.example,SE,SEK,,,\n\
     4306,Six,six@p4306.example,SE,SEK,,,\n",
    "partner_id,name,account_email,country,currency\n\
     4302,Two Oy,two@p4302.example,FI,EUR\n\
     4305,Five,five@p4305.example,HR,HRK\n\
     4306,Six AB,six@p4306.example,SE,EUR\n\
     4306,Six AB,six@p4306.example,SE,EUR\n\
     4301,One,one@p4301.example,SE,SEK\n",
];

const USERS: &str = "partner_id,object_id,user_principal_name,display_name,role,enabled,requested_by\n";

/// Names are freed and taken, roles given, used and taken, within one file.
fn users() -> [String; 3] {
    let first = "4301,a,ada@p4301.example,Ada,global_admin,true,\n\
        4301,b,ben@p4301.example,Ben,,true,\n\
        4301,c,cleo@p4301.example,Cleo,user_management_admin,true,\n\
        4301,d,BEN@p4301.example,Dan,,true,\n\
        4302,a,ada@p4302.example,Ada,global_admin,true,\n\
        4302,a,ada@p4302.example,Ada,Global_Admin,TRUE,\n\
        4309,a,ada@p4309.example,Ada,,true,\n";
    let second = "4301,e,eve@p4301.example,Eve,,true,ben@p4301.example\n\
        4301,b,ben@p4301.example,Ben,user_management_admin,true,ada@p4301.example\n\
        4301,f,fay@p4301.example,Fay,,true,ben@p4301.example\n\
        4301,g,gus@p4301.example,Gus,global_admin,true,ben@p4301.example\n\
        4301,c,cleo@p4301.example,Cleo,,false,ada@p4301.example\n\
        4301,h,hal@p4301.example,Hal,,true,C\n\
        4301,i,ian@p4301.example,Ian,,true,nobody@p4301.example\n\
        4301,j,JOY@p4301.example,Joy,,true,fay@p4301.example\n\
        4301,a,ada@p4301.example,Ada,,true,ada@p4301.example\n\
        4301,k,kim@p4301.example,Kim,admin_agent,true,ada@p4301.example\n";
    // Ben's name goes to Fay, whose name goes to somebody new; Ada's is taken while she has it.
    let third = "4301,b,benjamin@p4301.example,Ben,,true,\n\
        4301,f,BEN@p4301.example,Fay,,true,\n\
        4301,l,fay@p4301.example,Lou,mpn_partner_admin,true,\n\
        4301,m,ada@p4301.example,Mo,,true,\n\
        4301,l,fay@p4301.example,Lou,mpn_partner_admin,TRUE,\n\
        4302,b,ben@p4302.example,Ben,,true,\n\
        4302,B,ben@p4302.example,Benjamin,,true,\n";
    [first, second, third].map(|rows| format!("{USERS}{rows}"))
}

const CONTACTS: [&str; 2] = [
    "partner_id,user,email,phone,language,requested_by\n\
     4301,l,mk@p4301.example,08-465 004 12,sv-se,fay@p4301.example\n\
     4302,ada@p4302.example,two@p4302.example,+46 8 465 004 12,fi,\n\
     4301,l,mk@p4301.example,08 465 00412,sv-SE,fay@p4301.example\n\
     4309,x,mk@p4309.example,+46 8 465 004 12,sv,\n",
    "partner_id,user,email,phone,language,requested_by\n\
     4301,c,mk@p4301.example,555,sv,f\n\
     4302,A,mk@p4302.example,+46 8 465 004 12,fi,a\n\
     4302,ada@p4302.example,other@p4302.example,+46 8 465 004 12,fi,a\n",
];

fn entitlements() -> String {
    let credit = |order: &str, from: &str, until: &str, amount: &str| {
        row("4301", order, "azure_monthly_credit", from, until, amount)
    };
    [
        ENTITLEMENTS.to_owned(),
        credit("A-1", "2024-01-31", "2025-01-30", "100,USD"),
        credit("A-1", "2024-01-31", "2025-01-30", "100.00,usd"),
        credit("A-2", "2024-01-31", "2025-01-30", "100,USD"),
        credit("A-2", "2024-01-31", "2025-01-30", "90,USD"),
        row("4301", "A-1", "visual_studio", "2024-01-10", "2025-01-09", ","),
        row("4302", "A-1", "azure_monthly_credit", "2024-01-31", "2025-01-30", "100,USD"),
        row("4302", "B-1", "azure_monthly_credit", "2024-01-01", "2024-12-31", "100,USD"),
        row("4302", "B-1", "software", "2024-01-01", "2024-12-31", ","),
    ]
    .concat()
}

const EVENTS: [(&str, &str); 4] = [
    (
        "agreements.csv",
        "partner_id,agreement,valid_from,valid_until\n\
         4301,csp,2024-01-01,\n4301,csp,2024-01-01,2024-06-30\n4301,csp,2024-01-01,2024-07-31\n4309,csp,2024-01-01,\n",
    ),
    (
        "usage.csv",
        "partner_id,order_id,benefit,used_on,amount,currency,reference\n\
         4302,B-1,azure_monthly_credit,2024-01-15,10.00,EUR,r-1\n\
         4302,B-1,azure_monthly_credit,2024-01-15,10.0,EUR,r-1\n\
         4302,B-1,azure_monthly_credit,2024-01-15,11.00,EUR,r-1\n\
         4302,A-1,azure_monthly_credit,2024-01-31,1.00,EUR,r-2\n\
         4301,A-1,visual_studio,2024-01-31,1.00,SEK,r-3\n",
    ),
    (
        "assignments.csv",
        "partner_id,order_id,benefit,action,user,requested_by,requested_on\n\
         4302,B-1,azure_monthly_credit,assign,b,ada@p4302.example,2024-02-01\n\
         4302,B-1,azure_monthly_credit,assign,a,ada@p4302.example,2024-02-01\n\
         4302,B-1,azure_monthly_credit,remove,a,ada@p4302.example,2024-02-02\n\
         4302,B-1,azure_monthly_credit,assign,a,ada@p4302.example,2024-02-01\n",
    ),
    (
        "renewals.csv",
        "partner_id,order_id,renewed_on,new_order_id\n\
         4302,B-1,2024-12-31,B-2\n4302,B-1,2025-01-01,B-2\n4301,A-9,2025-01-01,B-3\n4301,B-1,2025-01-01,B-3\n",
    ),
];

/// What one way of taking the same files in comes to: every answer, and what is stored.
async fn taken_in(rows_at_once: Option<&str>) -> (Vec<String>, Vec<String>) {
    let mut house = House::open().await;
    if let Some(rows) = rows_at_once {
        house = house.policy("import_entitlements", "chunk_rows", rows);
    }
    let [first, second, third] = users();
    let entitlements = entitlements();
    let mut told = Vec::new();
    let state = [
        ("p.csv", PARTNERS),
        ("u1.csv", &first),
        ("u2.csv", &second),
        ("u3.csv", &third),
        ("c1.csv", CONTACTS[0]),
        ("c2.csv", CONTACTS[1]),
        ("p2.csv", CHANGED[0]),
        ("p3.csv", CHANGED[1]),
        ("e.csv", &entitlements),
    ];
    for (name, text) in state.into_iter().chain(EVENTS) {
        if name == "renewals.csv" {
            let days: Vec<String> =
                day("2023-12-27").iter_days().take(66).map(|day| day.to_string()).collect();
            let days: Vec<_> = days.iter().rev().map(|on| (on.as_str(), "1.10", "11.00", "160.0")).collect();
            house.import_one("r.csv", &rates(&days), "2024-03-03").await.applied();
            house.night("2024-03-02").await;
        }
        let on = if name == "renewals.csv" { "2025-01-02" } else { "2024-02-02" };
        let answer = house.import_one(name, text, on).await;
        assert!(answer.refused.is_none(), "{answer:?}");
        told.push(format!("{name}\n{}", answer.rows.join("\n")));
        told.push(answer.text);
    }
    let mut stored = house.state().await;
    // Their rows are compared below without the store's own numbers, which have gaps.
    let numbered = ["report.decision", "report.ledger", "report.mail", "credit_schedule"];
    stored.retain(|line| !numbered.iter().any(|view| line.starts_with(view)));
    let ledger = house.ledger().await;
    assert!(
        ["granted", "used"].iter().all(|kind| ledger.iter().any(|line| line.contains(kind))),
        "{ledger:#?}"
    );
    stored.extend(ledger);
    stored.extend(house.notices().await);
    for query in [
        "select concat_ws('|', number, name, account_email, country, currency, tenant_id, language, group_id)
         from partner order by number",
        "select concat_ws('|', p.number, from_on, c.currency) from partner_currency c join partner p using (partner_id)
         order by p.number, from_on",
        "select concat_ws('|', p.number, object_id, user_principal_name, display_name, roles, enabled)
         from directory_user join partner p using (partner_id) order by partner_id, lower(object_id)",
        "select concat_ws('|', p.number, u.object_id, c.email, c.phone, c.language)
         from contact c join partner p using (partner_id) join directory_user u using (user_id) order by p.number",
        "select concat_ws('|', p.number, version_no, u.object_id, email, phone, c.language, requested_by, line)
         from contact_version c join partner p using (partner_id) join directory_user u using (user_id)
         order by p.number, version_no",
        "select concat_ws('|', order_id, kind, request_key, content, requested_by, requested_on, r.line, r.status)
         from request r join membership m using (membership_id) order by request_no",
        "select concat_ws('|', order_id, benefit, next_period_no, next_on, open_minor, waits) from credit_schedule
         join entitlement using (entitlement_id) join membership using (membership_id) order by order_id, benefit",
        "select concat_ws('|', reference, used_on, amount_minor, currency, line) from credit_usage order by usage_id",
        "select concat_ws('|', subject, action, outcome, reasons, decided_on) from decision order by decision_id",
    ] {
        stored.extend(house.lines(query).await);
    }
    stored.push(house.digest().await);
    assert_eq!(house.one::<i64>("select count(*) from staged_repeat").await, 0);
    (told, stored)
}

#[tokio::test]
async fn d16_a_file_comes_to_the_same_row_by_row_and_by_the_chunk() {
    let (one_by_one, by_threes, together) =
        tokio::join!(taken_in(Some("1")), taken_in(Some("3")), taken_in(None));
    assert_eq!(together, one_by_one);
    assert_eq!(by_threes, one_by_one);
    let told = together.0.join("\n");
    for answers in [
        "p2.csv\n2 rejected account_email contact_is_account\n3 applied\n4 unchanged\n5 applied\n6 unchanged\n7 applied\n8 unchanged",
        "p3.csv\n2 unchanged\n3 applied\n4 applied\n5 unchanged\n6 applied",
    ] {
        assert!(told.contains(answers), "{told}");
    }
    for line in [
        "4301|One|one@p4301.example|SE|SEK|72f988bf-86f1-41af-91ab-2d7cd011db47|sv",
        "4302|Two Oy|two@p4302.example|FI|SEK|fi",
        "4302|0001-01-01|EUR",
        "4302|2024-02-20|SEK",
        "4305|Five|five@p4305.example|HR|HRK|hr",
        "4305|0001-01-01|EUR",
        "4305|2023-01-01|EUR",
        "4305|2024-02-02|HRK",
        "4306|Six AB|six@p4306.example|SE|EUR",
        "4306|0001-01-01|SEK",
        "4306|2024-02-02|EUR",
    ] {
        assert!(together.1.iter().any(|stored| stored == line), "{line}: {:#?}", together.1);
    }
    for code in [
        "role_missing",
        "user_disabled",
        "unknown_user",
        "unknown_partner",
        "conflicts_with_earlier",
        "repeated_in_file",
        "contact_is_account",
        "order_of_another_partner",
    ] {
        assert!(told.contains(code), "the files meet {code}");
    }
    assert!(together.1.iter().any(|line| line.starts_with("4301|f|BEN@p4301.example")), "{:#?}", together.1);
}

#[tokio::test]
async fn f7_rows_of_one_key_that_differ_are_all_rejected_and_each_names_the_line_of_another() {
    for rows_at_once in ["1", "10000"] {
        let mut house = House::open().await.policy("import_entitlements", "chunk_rows", rows_at_once);
        let answer = house.import_one("p.csv", PARTNERS, "2024-02-02").await;
        assert_eq!(
            answer.rows,
            [
                "2 applied",
                "3 applied",
                "4 unchanged",
                "5 rejected repeated_in_file",
                "6 rejected repeated_in_file",
                "7 rejected account_email invalid",
                "8 applied",
            ]
        );
        for (line, other) in [(5, 6), (6, 5)] {
            let told = answer.text.lines().nth(line - 1).unwrap();
            assert!(told.contains(&format!("Line {other} of this file")), "{told}");
        }
        // Once it is decided which of them holds, it does; what stands in another file is no repeat.
        let kept =
            "partner_id,name,account_email,country,currency\n4303,Three Others,three@p4303.example,SE,SEK\n";
        house.import_one("q.csv", kept, "2024-02-02").await.applied();
        house.import_one("r.csv", &kept.replace("Others", "Again"), "2024-02-02").await.applied();
    }
}
