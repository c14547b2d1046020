//! What a policy file may say, and how its faults are told.

use super::*;
use crate::{
    domain::{calendar::PeriodScheme, request_terms},
    jobs::{
        apply_cancellations::policy::RefundBlocker, expire_benefits::policy::ExpiryPolicy,
        provision_credits::policy::Backdate,
    },
};

/// The findings when `stem`'s built-in text has `from` replaced by `to`.
fn findings(stem: &str, from: &str, to: &str) -> Vec<String> {
    let replaced = |name: &str| {
        let (_, text) = BUILT_IN.iter().find(|(built_in, _)| *built_in == name).unwrap();
        assert!(name != stem || text.contains(from), "{stem} has no {from}");
        (name == stem).then(|| text.replacen(from, to, 1))
    };
    Policies::parse(replaced).unwrap_err().iter().map(ToString::to_string).collect()
}

#[test]
fn the_built_in_policy_holds_the_numbers_of_the_rules() {
    let policies = Policies::built_in().unwrap();
    assert_eq!(policies.import_entitlements.policy.requests(), request_terms::SAMPLE);
    assert_eq!(policies.apply_cancellations.policy.refund_window_days, 30);
    assert_eq!(
        policies.apply_cancellations.policy.refund_blockers,
        [
            RefundBlocker::SoftwareKeyRevealed,
            RefundBlocker::SoftwareKeyRedeemed,
            RefundBlocker::SoftwareActivated
        ]
    );
    assert_eq!(
        policies.expire_benefits.policy,
        ExpiryPolicy { grace_days: 30, renewal_days: 365, activate_by_days: 0 }
    );
    let provision = policies.provision_credits.policy;
    assert_eq!(provision.period_scheme, PeriodScheme::Anniversary);
    assert_eq!(provision.backdate, Backdate::FromStart);
    assert_eq!((provision.periods_in_a_year, provision.max_rate_age_days), (12, 7));
    assert_eq!(policies.remind_contacts.policy.ending_days, [60, 30, 14, 7, 1, 0]);
    assert_eq!(policies.remind_contacts.policy.grace_days_after, [7, 23, 29]);
    assert_eq!(policies.remind_contacts.policy.credit_lapse_days, 7);
}

#[test]
fn every_job_has_a_timetable_and_the_jobs_stand_in_the_order_of_a_night() {
    let policies = Policies::built_in().unwrap();
    let stems = policies.jobs().map(|(stem, ..)| stem);
    assert_eq!(stems, BUILT_IN.map(|(stem, _)| stem));
    for (stem, due, work) in policies.jobs() {
        let (_, next) = due.upcoming("2024-01-31T12:00:00Z".parse().unwrap()).next().unwrap();
        assert_eq!(next.to_rfc3339(), "2024-02-01T02:30:00+00:00", "{stem}");
        assert!(work.chunk_rows > 0);
    }
}

#[test]
fn an_override_replaces_its_file_and_no_other() {
    let text = BUILT_IN[2].1.replace("grace_days = 30", "grace_days = 45");
    let policies = Policies::parse(|stem| (stem == "expire_benefits").then(|| text.clone())).unwrap();
    assert_eq!(policies.expire_benefits.policy.grace_days, 45);
    assert_eq!(policies.provision_credits.policy.periods_in_a_year, 12);
    assert_eq!(policies.texts[2], ("expire_benefits", text));
}

#[test]
fn a_value_out_of_range_is_told_with_file_line_key_value_and_what_to_write() {
    assert_eq!(
        findings("apply_cancellations", "refund_window_days = 30", "refund_window_days = 9000"),
        ["jobs/apply_cancellations.toml:13: policy.refund_window_days = 9000: \
          write a whole number from 0 to 366"]
    );
    assert_eq!(
        findings("email_contacts", "lanes = 2", "lanes = 0"),
        ["jobs/email_contacts.toml:9: work.lanes = 0: write a whole number from 1 to 16"]
    );
}

#[test]
fn all_findings_are_told_not_only_the_first() {
    let bad = |stem: &str| {
        let (_, text) = BUILT_IN.iter().find(|(name, _)| *name == stem).unwrap();
        Some(text.replace("lanes = 2", "lanes = 99").replace("attempts = 5", "attempts = 0"))
    };
    assert_eq!(Policies::parse(bad).unwrap_err().len(), 6 + 6);
}

#[test]
fn a_key_that_is_unknown_missing_or_mistyped_is_told_with_its_line() {
    let unknown = findings("expire_benefits", "grace_days", "grace_day");
    assert_eq!(unknown.len(), 1);
    assert!(unknown[0].starts_with("jobs/expire_benefits.toml:13: grace_day = "), "{}", unknown[0]);
    assert!(unknown[0].ends_with("take it out, or correct its name"), "{}", unknown[0]);

    let missing = findings("import_entitlements", "lanes = 2", "#");
    assert!(missing[0].contains("missing field `lanes`: add it"), "{}", missing[0]);

    let mistyped = findings("expire_benefits", "grace_days = 30", "grace_days = \"30\"");
    assert!(mistyped[0].contains(":13: grace_days = \"30\""), "{}", mistyped[0]);
    assert!(mistyped[0].contains("expected u32"), "{}", mistyped[0]);

    let broken = findings("expire_benefits", "grace_days = 30", "grace_days = ");
    assert!(broken[0].starts_with("jobs/expire_benefits.toml:13: "), "{}", broken[0]);
}

#[test]
fn d7_refund_blockers_are_names_that_exist_each_once() {
    let policies = Policies::parse(|stem| {
        let all =
            BUILT_IN[1].1.replace("\"software_activated\"]", "\"software_activated\", \"any_benefit_used\"]");
        (stem == "apply_cancellations").then_some(all)
    });
    let blockers = policies.unwrap().apply_cancellations.policy;
    let names = ["software_key_revealed", "software_key_redeemed", "software_activated", "any_benefit_used"];
    assert_eq!(blockers.blocker_names(), names);

    let unknown = findings("apply_cancellations", "\"software_activated\"", "\"software_seen\"");
    assert!(unknown[0].contains("unknown variant `software_seen`"), "{}", unknown[0]);
    assert!(unknown[0].contains("any_benefit_used"), "{}", unknown[0]);
    let twice = findings("apply_cancellations", "\"software_activated\"", "\"software_key_revealed\"");
    assert!(twice[0].contains(":16: policy.refund_blockers = SoftwareKeyRevealed: it stands there twice"));
}

#[test]
fn d10_reminders_stand_in_order_and_inside_the_grace() {
    assert!(findings("remind_contacts", "60, 30", "30, 60")[0].contains("falling numbers"));
    assert!(findings("remind_contacts", "7, 23", "23, 7")[0].contains("rising numbers"));
    assert!(findings("remind_contacts", "23, 29", "23, 31")[0].contains("grace ends 30 days after"));
}

#[test]
fn a_cron_expression_is_told_with_what_to_write() {
    let digits = findings("email_contacts", "30 2 * * *", "30 2 * * 1");
    assert!(digits[0].starts_with("jobs/email_contacts.toml:4: cron = \"30 2 * * 1\""), "{}", digits[0]);
    assert!(digits[0].contains("write names"), "{}", digits[0]);
    assert!(findings("email_contacts", "30 2 * * *", "0 0 30 2 *")[0].contains("never due"));
}

#[test]
fn addresses_domains_and_folders_are_plain() {
    for from in ["benefits", "a@b", "<a@b.example", "a@b.example>", "A\\r\\nBcc: <a@b.example>"] {
        let told = findings("email_contacts", "Partner benefits <benefits@benefactor.example>", from);
        assert!(told[0].contains("policy.from"), "{from}: {told:?}");
    }
    let named = |domain: &str| format!("[policy]\nmessage_id_domain = {domain:?}");
    assert!(findings("email_contacts", "[policy]", &named("a b"))[0].contains("domain name"));
    for folder in ["", "..", "/tmp", "a/b", "-x"] {
        assert!(
            findings("export_entitlements", "\"exports\"", &format!("{folder:?}"))[0]
                .contains("plain folder name")
        );
    }
}

#[test]
fn a_pace_of_its_own_is_of_a_domain_as_it_is_on_the_wire() {
    let domains = "# domains = { \"company.example\" = 60 }";
    for (own, wrong) in
        [("Company.example", 1), ("company", 1), ("åkeri.example", 1), ("a.example", 1_000_001)]
    {
        let told = findings("email_contacts", domains, &format!("domains = {{ \"{own}\" = {wrong} }}"));
        assert!(told[0].contains("policy.pace.domains"), "{told:?}");
    }
}

/// Whether `stem`'s built-in text holds with the value of one key replaced.
fn holds(stem: &str, key: &str, value: &str) -> bool {
    let (_, text) = BUILT_IN.iter().find(|(name, _)| *name == stem).unwrap();
    let line = text.lines().find(|line| line.split(" = ").next() == Some(key)).unwrap();
    let text = text.replace(line, &format!("{key} = {value}"));
    match Policies::parse(|name| (name == stem).then(|| text.clone())) {
        Ok(_) => true,
        Err(findings) => {
            assert!(findings.iter().all(|finding| finding.key.ends_with(key)), "{findings:?}");
            false
        }
    }
}

#[test]
fn every_number_of_a_policy_has_its_range_and_both_ends_belong_to_it() {
    for (stem, key, least, most) in [
        ("import_entitlements", "request_backdate_days", 0, 366),
        ("import_entitlements", "earliest_year", 1_900, 2_100),
        ("import_entitlements", "latest_year", 2_000, 9_000),
        ("import_entitlements", "guard_ends_percent", 0, 100),
        ("import_entitlements", "reassign_after_days", 0, 366),
        ("import_entitlements", "key_months", 1, 120),
        ("import_entitlements", "extend_at_most_times", 1, 1_000),
        ("import_entitlements", "go_live_days", 0, 366),
        ("import_entitlements", "catch_up_cap", 1, 36_600),
        ("import_entitlements", "deadline_hours", 1, 720),
        ("apply_cancellations", "refund_window_days", 0, 366),
        ("expire_benefits", "grace_days", 29, 366),
        ("expire_benefits", "activate_by_days", 0, 366),
        ("expire_benefits", "renewal_days", 1, 3_660),
        ("provision_credits", "periods_in_a_year", 1, 12),
        ("provision_credits", "max_rate_age_days", 1, 31),
        ("remind_contacts", "credit_lapse_days", 1, 27),
        ("export_entitlements", "keep_exports_days", 0, 36_600),
        ("email_contacts", "per_minute", 0, 1_000_000),
        ("email_contacts", "domain_per_minute", 0, 1_000_000),
        ("email_contacts", "domain_connections", 0, 1_024),
        ("email_contacts", "pause_after", 1, 1_000),
        ("email_contacts", "pause_seconds", 1, 86_400),
        ("email_contacts", "pause_at_most_seconds", 1, 86_400),
    ] {
        assert!(holds(stem, key, &least.to_string()) && holds(stem, key, &most.to_string()), "{key}");
        assert!(!holds(stem, key, &(most + 1).to_string()), "{key}");
        // Of grace, the reminders in it say how short it can be.
        if least > 0 && key != "grace_days" {
            assert!(!holds(stem, key, &(least - 1).to_string()), "{key}");
        }
    }
}

#[test]
fn d10_a_reminder_stands_once_and_may_be_of_the_last_day_of_grace() {
    assert!(holds("remind_contacts", "ending_days", "[60, 30]"));
    assert!(!holds("remind_contacts", "ending_days", "[60, 60]"));
    assert!(holds("remind_contacts", "grace_days_after", "[7, 30]"));
    assert!(!holds("remind_contacts", "grace_days_after", "[7, 7]"));
    assert!(!holds("remind_contacts", "grace_days_after", "[7, 31]"));
}

#[test]
fn an_operator_is_an_address_named_once_and_a_language_tag() {
    let told = |recipients: &str| {
        let found = findings("email_operators", "recipients = []", &format!("recipients = {recipients}"));
        found.iter().map(|line| line.split_once("toml:").unwrap().1.to_owned()).collect::<Vec<_>>()
    };
    let list = "[\n  { address = \"a@b\" },\n  { address = \"a@b.example\", language = \"s v\" },\n  { address = \"A@B.example\" },\n]";
    assert_eq!(
        told(list),
        [
            "15: policy.recipients.0.address = \"a@b\": write an e-mail address, for example \"ops@company.example\"",
            "16: policy.recipients.1.language = \"s v\": write a language tag, for example \"en\" or \"sv-SE\"",
            "17: policy.recipients.2.address = \"A@B.example\": it is named twice: take it out once",
        ]
    );
    let many = |count: u32| {
        let each: Vec<String> =
            (0..count).map(|nth| format!("{{ address = \"a{nth}@b.example\" }}")).collect();
        format!("[{}]", each.join(", "))
    };
    assert!(
        holds("email_operators", "recipients", &many(50))
            && !holds("email_operators", "recipients", &many(51))
    );
    assert!(told("[{ adress = \"a@b.example\" }]")[0].contains("unknown field `adress`"));
}

#[test]
fn a_folders_name_has_at_most_a_hundred_letters() {
    let folder = |letters| format!("{:?}", "x".repeat(letters));
    assert!(holds("export_entitlements", "folder", &folder(100)));
    assert!(!holds("export_entitlements", "folder", &folder(101)));
    assert!(!holds("export_entitlements", "folder", &folder(102)));
}

#[test]
fn a_job_is_due_once_a_business_date() {
    let told = findings("email_contacts", "30 2 * * *", "30 2,14 * * *");
    assert!(told[0].contains("it is due twice for one business date"), "{told:?}");
    assert!(holds("email_contacts", "cron", "\"30 14 * * *\""));
}

#[test]
fn what_a_file_does_not_say_about_time_and_retries_has_a_value() {
    let policies = Policies::built_in().unwrap();
    let [_, _, (_, timetable, work), ..] = policies.jobs();
    assert_eq!((timetable.catch_up_cap, timetable.deadline_hours), (3_660, 6));
    assert_eq!((work.retry_after_seconds, work.retry_at_most_seconds), (2, 300));
    assert_eq!((work.limit_seconds, work.keep_days), (900, 90));
}
