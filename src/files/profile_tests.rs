use super::*;
use crate::{
    domain::{
        kinds::{cell::Patch, entitlements, partners},
        reason::Problem,
    },
    files::reader::{Limits, Reader},
};

fn recognise(header: &str, stated: Option<Kind>) -> Result<Profile, Refusal> {
    let text = format!("{header}\n");
    let reader = Reader::open(text.as_bytes(), Limits::default()).unwrap();
    Profile::recognise(reader.header(), stated)
}

#[test]
fn every_kind_is_recognised_by_its_required_columns_alone_in_any_order() {
    for kind in Kind::ALL.iter().copied().filter(|kind| *kind != Kind::Rates) {
        let mut names: Vec<_> = kind.columns().iter().filter(|c| c.required).map(|c| c.name).collect();
        names.reverse();
        assert_eq!(recognise(&names.join(","), None).unwrap().kind, kind);
        let all: Vec<_> = kind.columns().iter().map(|c| c.name).collect();
        let profile = recognise(&all.join(","), None).unwrap();
        assert_eq!((profile.kind, profile.unknown.len()), (kind, 0));
        assert_eq!(profile.places, (0..all.len()).map(Some).collect::<Vec<_>>());
    }
    assert_eq!(recognise("Date, USD, JPY, SEK, ", None).unwrap().kind, Kind::Rates);
}

#[test]
fn case_spaces_mark_and_order_do_not_matter_and_unknown_columns_are_reported() {
    let profile = recognise(
        "\u{FEFF}Country, Partner ID ,NAME,Account e-mail,account_email,Currency,row_status,line",
        None,
    )
    .unwrap();
    assert_eq!(profile.kind, Kind::Partners);
    assert_eq!(profile.places, [Some(1), Some(2), Some(4), Some(0), Some(5), None, None, None, None]);
    assert_eq!(profile.unknown, ["Account e-mail"]);
}

#[test]
fn a_request_whose_action_is_misspelt_or_missing_is_no_activation() {
    let base = "partner_id,order_id,benefit,requested_by,requested_on";
    for (more, lacks) in [
        ("actions,key_ref,mode", "key_requests (lacks action; did you mean 'action' by 'actions'?)"),
        ("actoin,user,to_user", "assignments (lacks action; did you mean 'action' by 'actoin'?)"),
    ] {
        let refusal = recognise(&format!("{base},{more}"), None).unwrap_err().to_string();
        assert!(refusal.contains(lacks), "{refusal}");
        let stated = recognise(&format!("{base},{more}"), Some(Kind::Activations)).unwrap();
        assert_eq!(stated.kind, Kind::Activations);
    }
    assert_eq!(recognise(&format!("{base},remark,colour"), None).unwrap().kind, Kind::Activations);
}

#[test]
fn a_stated_kind_names_every_column_that_is_missing() {
    let refusal = recognise("partner_id,order_id,renewed", Some(Kind::Renewals)).unwrap_err();
    assert_eq!(
        refusal.to_string(),
        "this is not a complete renewals file: the header lacks renewed_on, new_order_id; did you mean 'renewed_on' by 'renewed'?"
    );
}

#[test]
fn an_unknown_header_says_what_comes_closest_and_what_lacks() {
    let refusal = recognise("partner_id,name,account_email,county,currency", None).unwrap_err();
    assert_eq!(
        refusal.to_string(),
        "the header is of no known kind of file; closest: partners (lacks country; did you mean 'country' by 'county'?): \
         correct the header row, or name the kind"
    );
    let refusal = recognise("fruit;colour", None).unwrap_err();
    assert!(matches!(refusal, Refusal::UnknownKind { closest } if closest.is_empty()));
}

#[test]
fn kinds_have_names_and_the_nights_order() {
    for kind in Kind::ALL {
        assert_eq!(Kind::parse(kind.name()), Some(*kind));
    }
    assert_eq!(Kind::parse("Service-Requests"), Some(Kind::ServiceRequests));
    assert_eq!(Kind::parse("ledger"), None);
    assert!(Kind::ALL.is_sorted());
    assert!(Kind::Users < Kind::Contacts && Kind::Entitlements < Kind::Renewals);
    assert!(Kind::ALL.iter().skip_while(|kind| !kind.is_request()).all(|kind| *kind > Kind::Renewals));
}

#[test]
fn a_file_with_bad_rows_says_line_column_value_and_reason_of_each_and_the_good_ones_are_read() {
    let text = include_str!("../../fixtures/files/entitlements_bad_rows.csv");
    let mut reader = Reader::open(text.as_bytes(), Limits::default()).unwrap();
    let profile = Profile::recognise(reader.header(), None).unwrap();
    let (mut record, mut good, mut bad) = (Record::default(), Vec::new(), Vec::new());
    while reader.read(&mut record).unwrap() {
        let shape = profile.shape_problem(&record).map_or(Ok(()), |problem| Err(vec![problem]));
        match shape.and_then(|()| entitlements::parse(&profile.cells(&record))) {
            Ok(_) => good.push(record.line()),
            Err(problems) => bad.extend(
                problems
                    .into_iter()
                    .map(|p| format!("{} {}={} {}", record.line(), p.column, p.value, p.reason.code())),
            ),
        }
    }
    assert_eq!(good, [2, 6]);
    assert_eq!(
        bad,
        [
            "3 offer=platinum invalid",
            "3 benefit=azure_credit invalid",
            "3 purchased_on=31/01/2024 invalid",
            "3 amount=1,000 invalid",
            "4 expires_on=2024-02-28 ends_before_start",
            "5 = wrong_field_count",
            "8 partner_id= missing",
        ]
    );
}

#[test]
fn the_same_partners_are_read_from_a_reordered_file() {
    let read = |text: &str| {
        let mut reader = Reader::open(text.as_bytes(), Limits::default()).unwrap();
        let profile = Profile::recognise(reader.header(), None).unwrap();
        let (mut record, mut rows) = (Record::default(), Vec::new());
        while reader.read(&mut record).unwrap() {
            rows.push(partners::parse(&profile.cells(&record)).unwrap());
        }
        (rows, profile.unknown)
    };
    let (reordered, unknown) = read(include_str!("../../fixtures/files/partners_reordered.csv"));
    let (tidy, none) = read(include_str!("../../fixtures/files/partners.csv"));
    assert_eq!((unknown, none.len()), (vec!["Sales region".to_owned()], 0));
    assert_eq!((tidy.len(), reordered.len()), (5, 2));
    assert_eq!((&reordered[0].name, &reordered[0].account_email), (&tidy[0].name, &tidy[0].account_email));
    assert_eq!((&reordered[0].language, &tidy[3].tenant_id), (&Patch::Keep, &Patch::Clear));
}

/// Problems of a record of any kind, as far as they can be told without knowing what is stored.
fn problems(profile: &Profile, record: &Record) -> Vec<Problem> {
    profile.kind.problems(&profile.cells(record))
}

#[test]
fn every_file_of_the_demos_cast_is_recognised_and_only_its_bad_rows_have_problems() {
    let demo = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/demo");
    let (mut bad, mut rows) = (Vec::new(), 0);
    for folder in
        std::fs::read_dir(&demo).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_dir())
    {
        for path in std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()) {
            let mut reader = Reader::open(std::fs::File::open(&path).unwrap(), Limits::default()).unwrap();
            let profile = Profile::recognise(reader.header(), None).unwrap();
            let name = path.file_stem().unwrap().to_str().unwrap();
            assert_eq!(Some(profile.kind), Kind::parse(name.split('-').next().unwrap()), "{name}");
            let mut record = Record::default();
            while reader.read(&mut record).unwrap() {
                rows += 1;
                let found =
                    profile.shape_problem(&record).map_or_else(|| problems(&profile, &record), |p| vec![p]);
                let date = folder.file_name().unwrap().to_str().unwrap();
                bad.extend(found.iter().map(|problem| {
                    format!("{date}/{name}:{} {} {}", record.line(), problem.column, problem.reason.code())
                }));
            }
        }
    }
    bad.sort();
    assert!(rows > 150, "{rows}");
    let may = |rest: &str| format!("2024-05-06/{rest}");
    let mut expected: Vec<_> = [
        "entitlements-may-final-v2:6 partner_id invalid",
        "entitlements-may-final-v2:7 order_id missing",
        "entitlements-may-final-v2:8 offer invalid",
        "entitlements-may-final-v2:9 benefit invalid",
        "entitlements-may-final-v2:10 benefit_type invalid",
        "entitlements-may-final-v2:11 quantity invalid",
        "entitlements-may-final-v2:12 starts_on invalid",
        "entitlements-may-final-v2:13 amount invalid",
        "entitlements-may-final-v2:14 currency invalid",
        "entitlements-may-final-v2:15 expires_on ends_before_start",
        "entitlements-may-final-v2:16 starts_on starts_before_purchase",
        "entitlements-may-final-v2:23  wrong_field_count",
        "entitlements-may-final-v2:24 quantity invalid",
        "entitlements-may-final-v2:24 expires_on invalid",
        "partners:2 country invalid",
        "partners:3 currency invalid",
        "partners:4 account_email invalid",
        "partners:5 name missing",
        "contacts:2 phone missing",
        "assignments:14 action invalid",
        "assignments:15 requested_on invalid",
        "credit_usage:8 amount too_many_decimals",
        "service_requests:2 kind invalid",
    ]
    .map(may)
    .into();
    expected.sort();
    assert_eq!(bad, expected);
}
