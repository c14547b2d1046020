//! What the catalogue says, and what it may not.

use super::*;

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn built_in() -> Catalogue {
    Catalogue::parse(BUILT_IN).unwrap()
}

fn count(offer: &str, benefit: &str, competency: Option<&str>) -> Option<Quantity> {
    built_in().lookup(offer, benefit, competency, day("2024-01-31")).map(|entry| entry.quantity)
}

#[test]
fn r1_monthly_credit_is_a_hundred_dollars_in_every_offer() {
    for offer in ["action_pack", "silver", "gold"] {
        let catalogue = built_in();
        let entry = catalogue.lookup(offer, "azure_monthly_credit", None, day("2024-01-31")).unwrap();
        assert_eq!((entry.amount_minor(), entry.quantity), (Some(10_000), Quantity::Count(1)), "{offer}");
        assert_eq!(entry.benefit_type, "core");
    }
}

#[test]
fn r2_bulk_credit_is_six_thousand_in_silver_and_one_of_two_amounts_in_gold() {
    let catalogue = built_in();
    let of = |offer, benefit| catalogue.lookup(offer, benefit, Some("cloud_platform"), day("2024-01-31"));
    assert_eq!(of("action_pack", "azure_bulk_credit"), None);
    assert_eq!(of("silver", "azure_bulk_credit").unwrap().amount_minor(), Some(600_000));
    let gold = of("gold", "azure_bulk_credit/cloud_platform").unwrap();
    assert_eq!(gold.amount_minor(), None);
    assert!(gold.allows_amount(1_200_000) && gold.allows_amount(1_300_000) && !gold.allows_amount(600_000));
}

#[test]
fn d12_the_table_of_quantities() {
    let plain = |offer, benefit| match count(offer, benefit, None) {
        Some(Quantity::Count(count)) => Some(count),
        _ => None,
    };
    for (benefit, quantities) in [
        ("product_support", [Some(10), Some(15), Some(20)]),
        ("signature_cloud_support", [Some(0), Some(5), Some(10)]),
        ("advisory_hours", [Some(5), Some(20), Some(50)]),
        ("visual_studio", [Some(3), Some(5), Some(10)]),
        ("visual_studio/app_dev", [None, Some(5), Some(25)]),
        ("visual_studio/cloud_crm", [None, Some(5), Some(25)]),
        ("visual_studio/cloud_platform", [None, Some(5), Some(25)]),
        ("visual_studio/cloud_productivity", [None, Some(5), Some(25)]),
        ("visual_studio/devops", [None, Some(1), Some(5)]),
        ("visual_studio/unheard_of", [None, None, None]),
    ] {
        let found = ["action_pack", "silver", "gold"].map(|offer| plain(offer, benefit));
        assert_eq!(found, quantities, "{benefit}");
    }
    assert_eq!(count("isv_cosell_ready", "product_support", None), None);
}

#[test]
fn d12_a_cloud_competency_makes_cloud_support_unlimited() {
    for offer in ["silver", "gold"] {
        for competency in ["cloud_platform", "Cloud_Productivity", "cloud_crm"] {
            let found = count(offer, "signature_cloud_support", Some(competency));
            assert_eq!(found, Some(Quantity::Unlimited), "{offer} {competency}");
        }
    }
    assert_eq!(count("gold", "signature_cloud_support", Some("app_dev")), Some(Quantity::Count(10)));
    assert_eq!(count("action_pack", "signature_cloud_support", Some("cloud_crm")), Some(Quantity::Count(0)));
}

#[test]
fn r6_the_current_and_the_previous_version_are_supported() {
    let catalogue = built_in();
    let server = catalogue.product("harbour server").unwrap();
    assert_eq!(server.family, Family::OnPremises);
    let on = |date| server.supported_on(day(date)).iter().map(|v| v.version.as_str()).collect::<Vec<_>>();
    assert_eq!(on("2016-10-11"), Vec::<&str>::new());
    assert_eq!(on("2016-10-12"), ["2016"]);
    assert_eq!(on("2024-11-03"), ["2019", "2022"]);
    assert_eq!(on("2024-11-04"), ["2022", "2025"]);
    for family in [Family::Azure, Family::AzureCsp, Family::Dynamics, Family::Cloud] {
        assert!(catalogue.products().iter().any(|product| product.family == family), "{family:?}");
    }
}

/// A catalogue of one entry a text: the lines of `[[benefit]]` are 3, 11, 19 ….
fn of(entries: &[&str]) -> Result<Catalogue, Vec<String>> {
    let mut text = "competencies = [\"devops\"]\n".to_owned();
    for keys in entries {
        text.push_str("\n[[benefit]]\n");
        text.push_str(keys);
        text.push_str(&"\n".repeat(7_usize.saturating_sub(keys.lines().count())));
    }
    Catalogue::parse(&text)
}

const GOOD: &str = "offer = \"silver\"\nbenefit = \"azure_monthly_credit\"\nbenefit_type = \"core\"\n\
                    quantity = 1\namounts = [\"100.00\"]\nvalid_from = 2021-01-01";

#[test]
fn an_entry_holds_on_its_first_and_last_day_and_on_no_other() {
    let ended = GOOD.replace("2021-01-01", "2021-01-01\nvalid_until = 2023-12-31");
    let next = GOOD.replace("2021-01-01", "2024-01-01").replace("100.00", "150.00");
    let catalogue = of(&[&ended, &next]).unwrap();
    let amount =
        |on| catalogue.lookup("silver", "azure_monthly_credit", None, day(on)).and_then(Entry::amount_minor);
    assert_eq!(amount("2020-12-31"), None);
    assert_eq!(amount("2021-01-01"), Some(10_000));
    assert_eq!(amount("2023-12-31"), Some(10_000));
    assert_eq!(amount("2024-01-01"), Some(15_000));
}

#[test]
fn overlapping_validity_is_told_with_both_lines() {
    let ended = GOOD.replace("2021-01-01", "2021-01-01\nvalid_until = 2024-01-01");
    let next = GOOD.replace("2021-01-01", "2024-01-01");
    let told = of(&[&ended, &next]).unwrap_err();
    assert_eq!(told.len(), 1);
    assert!(told[0].starts_with("line 11: azure_monthly_credit of silver"), "{told:?}");
    assert!(told[0].contains("line 3"), "{told:?}");
    let for_devops = GOOD.replace("offer", "competencies = [\"devops\"]\noffer");
    assert!(of(&[GOOD, &for_devops]).is_ok(), "an entry of a competency stands beside the one for all");
}

#[test]
fn what_is_unknown_negative_or_malformed_is_told_with_its_line() {
    for (from, to, says) in [
        ("\"silver\"", "\"platinum\"", "line 3: offer 'platinum' is not known: write one of action_pack"),
        ("azure_monthly_credit", "azure_credit", "line 3: the kind of benefit 'azure_credit' is not known"),
        ("azure_monthly_credit", "azure_monthly_credit/", "has no detail"),
        ("\"core\"", "\"extra\"", "line 3: benefit_type 'extra'"),
        ("quantity = 1", "quantity = -1", "line 3: quantity = -1: write a whole number"),
        ("quantity = 1", "quantity = \"many\"", "quantity = \"many\""),
        ("quantity = 1", "quantity = 1.5", "quantity = a float"),
        ("[\"100.00\"]", "[\"-100.00\"]", "line 3: amount \"-100.00\""),
        ("[\"100.00\"]", "[\"0\"]", "amount \"0\""),
        ("[\"100.00\"]", "[\"200\", \"100\"]", "amounts do not rise"),
        ("[\"100.00\"]", "[]", "amounts is missing"),
        ("azure_monthly_credit", "product_support", "amounts is for credit only"),
        ("2021-01-01", "2021-01-01T00:00:00Z", "is not a date"),
        ("2021-01-01", "2021-01-01\nvalid_until = 2020-12-31", "valid_until is before valid_from"),
        ("quantity", "competencies = [\"ops\"]\nquantity", "competency 'ops' is not in the list"),
        ("quantity = 1", "quantity = 1\nquality = 1", "line 3: unknown field `quality`"),
        ("quantity = 1", "", "line 3: missing field `quantity`"),
    ] {
        let told = of(&[&GOOD.replacen(from, to, 1)]).unwrap_err();
        assert!(told.len() == 1 && told[0].contains(says), "{to}: {told:?}");
    }
    assert!(Catalogue::parse("competencies = [").unwrap_err()[0].starts_with("line 1: "));
}

#[test]
fn all_problems_are_told_not_only_the_first() {
    let bad = GOOD.replace("silver", "platinum").replace("quantity = 1", "quantity = -1");
    assert_eq!(of(&[&bad, &bad]).unwrap_err().len(), 4);
}

#[test]
fn a_products_versions_stand_in_order_and_its_name_once() {
    let text = |versions: &str| {
        format!(
            "competencies = []\nbenefit = []\n[[product]]\nname = \"P\"\nfamily = \"azure\"\nversions = [{versions}]\n"
        )
    };
    let one = "{ version = \"1\", released_on = 2020-01-01 }";
    assert!(Catalogue::parse(&text(one)).is_ok());
    let told = Catalogue::parse(&text(&format!("{one}, {one}"))).unwrap_err();
    assert!(told[0].contains("write versions in order"), "{told:?}");
    assert!(Catalogue::parse(&text("")).unwrap_err()[0].contains("at least one version"));
    let product = text(one).replacen("competencies = []\nbenefit = []\n", "", 1);
    let told = Catalogue::parse(&format!("{}{product}", text(one))).unwrap_err();
    assert!(told[0].contains("the product 'P' is listed twice"), "{told:?}");
}

#[test]
fn r2_d14_the_agreements_that_bulk_credit_cannot_be_combined_with_are_listed_by_name() {
    let catalogue = built_in();
    for name in ["enterprise_agreement", "csp", "azure_in_open", "azure_pass", "action_pack"] {
        assert!(catalogue.excludes_bulk(name), "{name}");
    }
    assert!(!catalogue.excludes_bulk("silver") && !catalogue.excludes_bulk(""));
    assert_eq!(of(&[GOOD]).unwrap().entries().len(), 1);
}

#[test]
fn entries_overlap_on_a_shared_day_in_whatever_order_they_stand() {
    let until = |last: &str| GOOD.replace("2021-01-01", &format!("2021-01-01\nvalid_until = {last}"));
    let next = GOOD.replace("2021-01-01", "2024-01-01");
    assert!(of(&[&next, &until("2023-12-31")]).is_ok());
    let told = of(&[&next, &until("2024-01-01")]).unwrap_err();
    assert!(told[0].starts_with("line 11: ") && told[0].contains("line 3"), "{told:?}");
}

#[test]
fn a_day_has_no_hour_an_amount_stands_once_and_a_quantity_is_bounded() {
    for (from, to, says) in [
        ("2021-01-01", "2021-01-01T00:00:00", "is not a date"),
        ("2021-01-01", "00:00:00", "is not a date"),
        ("[\"100.00\"]", "[\"100.00\", \"100.00\"]", "amounts do not rise"),
        ("quantity = 1", "quantity = 1000001", "write a whole number from 0 to 1000000"),
    ] {
        let told = of(&[&GOOD.replacen(from, to, 1)]).unwrap_err();
        assert!(told.len() == 1 && told[0].contains(says), "{to}: {told:?}");
    }
    let most = GOOD.replacen("quantity = 1", "quantity = 1000000", 1);
    assert!(of(&[&most]).is_ok());
}
