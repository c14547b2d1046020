use proptest::prelude::*;

use super::{super::calendar::add_days, *};

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn subscription(seats: u32, ends_on: &str) -> Subscription {
    Subscription { seats, ends_on: day(ends_on) }
}

fn key(seats: u32) -> Load {
    Load { seats: Some(seats), months: 12 }
}

#[test]
fn d8_twenty_five_seats_with_four_months_left_and_twenty_five_more_end_in_eight() {
    let live = subscription(25, "2024-06-10");
    let added = redeemed(Mode::AddSeats, Some(live), key(25), day("2024-02-10"), 3);
    assert_eq!(added, Ok(subscription(50, "2024-10-10")));
}

#[test]
fn d8_a_key_of_twenty_five_extends_a_hundred_seats_by_three_months() {
    let live = subscription(100, "2024-06-10");
    let extended = redeemed(Mode::Extend, Some(live), key(25), day("2024-02-10"), 3);
    assert_eq!(extended, Ok(subscription(100, "2024-09-10")));
}

#[test]
fn d8_a_first_redemption_brings_the_keys_months_from_that_day_clamped() {
    let new = |on: &str, months| {
        let load = Load { seats: Some(5), months };
        redeemed(Mode::New, None, load, day(on), 3).unwrap().ends_on.to_string()
    };
    assert_eq!(new("2024-02-10", 12), "2025-02-10");
    assert_eq!(new("2024-02-29", 12), "2025-02-28");
    assert_eq!(new("2023-02-28", 12), "2024-02-28");
    assert_eq!(new("2024-01-31", 1), "2024-02-29");
    assert_eq!(new("2024-08-31", 6), "2025-02-28");
}

#[test]
fn d8_a_subscription_is_live_through_the_day_before_its_end() {
    let it = subscription(1, "2025-02-28");
    assert!(it.is_live(day("2025-02-27")) && !it.is_live(day("2025-02-28")));
}

#[test]
fn d8_a_key_of_three_times_the_seats_extends_and_one_seat_more_does_not() {
    let live = Some(subscription(10, "2024-06-10"));
    let on = day("2024-02-10");
    assert_eq!(redeemed(Mode::Extend, live, key(30), on, 3), Ok(subscription(10, "2027-06-10")));
    let refused = redeemed(Mode::Extend, live, key(31), on, 3);
    assert_eq!(refused, Err(vec![Reason::ExtendsTooMuch { seats: 31, most: 30 }]));
    assert!(redeemed(Mode::AddSeats, live, key(31), on, 3).is_ok());
}

#[test]
fn d8_what_stands_against_a_way_is_said_whole() {
    let (on, live) = (day("2024-02-10"), subscription(10, "2024-06-10"));
    let bare = Load { seats: None, months: 12 };
    let taken = Reason::SubscriptionLive { seats: 10, ends_on: live.ends_on };
    assert_eq!(redeemed(Mode::New, Some(live), key(5), on, 3), Err(vec![taken.clone()]));
    assert_eq!(redeemed(Mode::New, Some(live), bare, on, 3), Err(vec![taken, Reason::KeyWithoutSeats]));
    for mode in [Mode::AddSeats, Mode::Extend] {
        let none = vec![Reason::NoLiveSubscription, Reason::KeyWithoutSeats];
        assert_eq!(redeemed(mode, None, bare, on, 3), Err(none));
    }
}

#[test]
fn d8_leftover_days_count_over_the_days_of_their_month_and_are_rounded_up() {
    let months = |from: &str, until: &str| Months::between(day(from), day(until));
    assert_eq!(months("2024-01-31", "2024-02-29"), Months::of(31, 31), "one whole month, clamped");
    assert_eq!(months("2023-01-31", "2023-03-01"), Months::of(32, 31), "a day of 28 February to 31 March");
    assert_eq!(months("2024-02-10", "2024-02-10"), Months::of(0, 29));
    assert_eq!(months("2024-02-10", "2024-02-09").after(day("2024-02-10")), day("2024-02-10"));
    // Half a month of 29 days is 15 days.
    assert_eq!(Months::of(1, 2).after(day("2024-02-01")), day("2024-02-16"));
    assert_eq!(Months::of(1, 3).after(day("2024-04-01")), day("2024-04-11"), "ten of thirty, exactly");
    // 29 February: a twelfth of a year in which there is none.
    assert_eq!(
        Months::of(25, 2).after(day("2024-02-29")),
        day("2025-03-15"),
        "half of 28 February to 29 March"
    );
    assert_eq!(
        Months::of(3, 2).after(day("2024-01-31")),
        day("2024-03-16"),
        "half of 29 February to 31 March"
    );
}

#[test]
fn a_person_wants_a_new_subscription_more_months_or_more_seats() {
    let on = day("2024-02-10");
    let live = Some(subscription(25, "2024-06-10"));
    assert_eq!(preview(None, key(25), on, 3).wanted, Some(Mode::New));
    assert_eq!(preview(live, key(25), on, 3).wanted, Some(Mode::Extend));
    assert_eq!(preview(live, key(26), on, 3).wanted, Some(Mode::AddSeats));
    assert_eq!(preview(live, key(26), on, 1).wanted, Some(Mode::AddSeats));
    assert_eq!(preview(live, Load { seats: None, months: 12 }, on, 3).wanted, None);
}

#[test]
fn a_preview_says_in_words_what_each_way_comes_to() {
    let live = Some(subscription(25, "2024-06-10"));
    let it = preview(live, key(25), day("2024-02-10"), 3);
    assert_eq!(
        it.sentence(Language::English),
        "Adding 25 seats ends on 2024-10-10, four months earlier than the key's own twelve months. \
         Extending ends on 2025-06-10 with the 25 seats there are."
    );
    assert_eq!(
        it.sentence(Language::Swedish),
        "Läggs 25 platser till slutar den 2024-10-10, fyra månader tidigare än nyckelns egna tolv månader. \
         Förlängs den slutar den 2025-06-10 med de 25 platser som finns."
    );
    let new = preview(None, key(25), day("2024-02-10"), 3).sentence(Language::English);
    assert_eq!(new, "Redeemed as new, it begins a subscription of 25 seats that ends on 2025-02-10.");
    let late = Some(subscription(25, "2025-03-11"));
    let late = preview(late, key(25), day("2024-02-10"), 3).sentence(Language::English);
    assert!(late.contains("15 days later than the key's own twelve months"), "{late}");
}

fn any_day() -> impl Strategy<Value = NaiveDate> {
    (0u32..12_000).prop_map(|days| add_days(day("2000-01-01"), days))
}

/// Months of a year more or less, which is where the calendar's unequal months show.
fn less_than_a_day_apart(a: Months, b: Months) -> bool {
    let (x, y) = (a.over * b.under, b.over * a.under);
    x.abs_diff(y) * 28 <= a.under * b.under
}

proptest! {
    #[test]
    fn d8_what_remains_leads_back_to_the_day_it_was_counted_to(from in any_day(), days in 0u32..4_000) {
        let until = add_days(from, days);
        prop_assert_eq!(Months::between(from, until).after(from), until);
    }

    #[test]
    fn d8_after_seats_are_added_what_remains_is_the_weighted_mean(
        on in any_day(), left in 1u32..1_500, seats in 1u32..500, more in 1u32..500, months in 1u32..37,
    ) {
        let live = Subscription { seats, ends_on: add_days(on, left) };
        let load = Load { seats: Some(more), months };
        let after = redeemed(Mode::AddSeats, Some(live), load, on, 3).unwrap();
        let (a, c) = (u128::from(seats), u128::from(more));
        let before = Months::between(on, live.ends_on);
        let mean = Months::of(
            a * before.over + c * u128::from(months) * before.under,
            (a + c) * before.under,
        );
        prop_assert_eq!(after.seats, seats + more);
        prop_assert!(less_than_a_day_apart(Months::between(on, after.ends_on), mean));
        // Rounded up: never less than the mean.
        let exact = Months::between(on, after.ends_on);
        prop_assert!(exact.over * mean.under >= mean.over * exact.under);
    }

    #[test]
    fn d8_adding_seats_never_ends_later_than_extending(
        on in any_day(), left in 1u32..1_500, seats in 1u32..500, more in 1u32..500, months in 1u32..37,
    ) {
        let live = Subscription { seats, ends_on: add_days(on, left) };
        let load = Load { seats: Some(more), months };
        let added = redeemed(Mode::AddSeats, Some(live), load, on, u32::MAX).unwrap();
        let extended = redeemed(Mode::Extend, Some(live), load, on, u32::MAX).unwrap();
        // Months are unequal: what is half of February here is half of March there.
        prop_assert!(added.ends_on <= add_days(extended.ends_on, 3), "{:?} {:?}", added, extended);
        prop_assert!(extended.ends_on > live.ends_on);
    }
}
