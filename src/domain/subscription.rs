//! Licence subscriptions: what a key's seats and months do to one, and which way of redeeming it a person probably
//! wants (R3, D8). Months are fractions here, and are rounded once, when they become a date.

use chrono::NaiveDate;

use super::{
    calendar::{add_months, days_between},
    language::Language,
    license_key::{Mode, Subscription},
    reason::Reason,
};

/// The most seats that a subscription is counted with.
const MOST_SEATS: u32 = i32::MAX.unsigned_abs();

/// A number of months as a fraction; never below zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Months {
    over: u128,
    under: u128,
}

impl Months {
    /// So many whole months.
    #[must_use]
    pub fn whole(months: u32) -> Self {
        Self { over: months.into(), under: 1 }
    }

    /// `over / under` months; `under` of zero counts as one.
    fn of(over: u128, under: u128) -> Self {
        Self { over, under: under.max(1) }
    }

    /// From one day until another: whole months from the first, clamped, plus leftover days over the days of the month
    /// that they lie in (D8). An end that is not later is zero.
    #[must_use]
    pub fn between(from: NaiveDate, until: NaiveDate) -> Self {
        let days = u128::try_from(days_between(from, until)).unwrap_or(0);
        // A month has 28 days at least, 31 at most: the number of whole ones lies between.
        let (mut least, mut most) = (days.div_euclid(31), days.div_euclid(28));
        while least < most {
            let middle = least.saturating_add(most).saturating_add(1).div_euclid(2);
            if add_months(from, u32::try_from(middle).unwrap_or(u32::MAX)) <= until {
                least = middle;
            } else {
                most = middle.saturating_sub(1);
            }
        }
        let whole = u32::try_from(least).unwrap_or(u32::MAX);
        let reached = add_months(from, whole);
        let length = length_of_month(from, whole);
        let left = u128::try_from(days_between(reached, until)).unwrap_or(0);
        Self::of(least.saturating_mul(length).saturating_add(left), length)
    }

    /// The day that lies so far after another: whole months, clamped, and of what is left over the days of the month
    /// that follows, rounded up (D8).
    #[must_use]
    pub fn after(self, day: NaiveDate) -> NaiveDate {
        let whole = u32::try_from(self.over.checked_div(self.under).unwrap_or(0)).unwrap_or(u32::MAX);
        let left = self.over.checked_rem(self.under).unwrap_or(0);
        let days = left.saturating_mul(length_of_month(day, whole)).div_ceil(self.under);
        super::calendar::add_days(add_months(day, whole), u32::try_from(days).unwrap_or(0))
    }
}

/// Days from `day` plus `whole` months until `day` plus one more.
fn length_of_month(day: NaiveDate, whole: u32) -> u128 {
    let days = days_between(add_months(day, whole), add_months(day, whole.saturating_add(1)));
    u128::try_from(days).unwrap_or(1).max(1)
}

/// What a key carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Load {
    /// For how many seats; `None`: it does not say.
    pub seats: Option<u32>,
    /// For how many months.
    pub months: u32,
}

impl Subscription {
    /// Whether it is live on a day: until the day before its end.
    #[must_use]
    pub fn is_live(&self, on: NaiveDate) -> bool {
        on < self.ends_on
    }
}

/// What a subscription is after a key was redeemed on a day in one of the ways (D8); `live` is the one there is then.
/// A key extends a subscription of which it has no more than `at_most_times` the seats.
///
/// # Errors
/// Every reason against it.
pub fn redeemed(
    mode: Mode,
    live: Option<Subscription>,
    load: Load,
    on: NaiveDate,
    at_most_times: u32,
) -> Result<Subscription, Vec<Reason>> {
    let mut reasons = Vec::new();
    match (mode, live) {
        (Mode::New, Some(Subscription { seats, ends_on })) => {
            reasons.push(Reason::SubscriptionLive { seats, ends_on });
        }
        (Mode::AddSeats | Mode::Extend, None) => reasons.push(Reason::NoLiveSubscription),
        _ => {}
    }
    let Some(seats) = load.seats else {
        reasons.push(Reason::KeyWithoutSeats);
        return Err(reasons);
    };
    if let (Mode::Extend, Some(live)) = (mode, live) {
        let most = live.seats.saturating_mul(at_most_times);
        if seats > most {
            reasons.push(Reason::ExtendsTooMuch { seats, most });
        }
    }
    if !reasons.is_empty() {
        return Err(reasons);
    }
    let brought = u128::from(seats).saturating_mul(load.months.into());
    Ok(match (mode, live) {
        (Mode::AddSeats, Some(live)) => {
            let left = Months::between(on, live.ends_on);
            let there = u128::from(live.seats).saturating_mul(left.over);
            let all = u128::from(live.seats).saturating_add(seats.into());
            let over = there.saturating_add(brought.saturating_mul(left.under));
            let months = Months::of(over, all.saturating_mul(left.under));
            let seats = live.seats.saturating_add(seats).min(MOST_SEATS);
            Subscription { seats, ends_on: months.after(on) }
        }
        (Mode::Extend, Some(live)) => {
            let months = Months::of(brought, live.seats.into());
            Subscription { seats: live.seats, ends_on: months.after(live.ends_on) }
        }
        _ => Subscription { seats, ends_on: Months::whole(load.months).after(on) },
    })
}

/// One way of redeeming a key, and what it would come to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Way {
    /// How.
    pub mode: Mode,
    /// The subscription afterwards, or every reason against it.
    pub outcome: Result<Subscription, Vec<Reason>>,
}

/// What each way of redeeming a key would come to, told before it is redeemed (D8).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RedemptionPreview {
    /// On which day.
    pub on: NaiveDate,
    /// What the key carries.
    pub load: Load,
    /// The live subscription.
    pub live: Option<Subscription>,
    /// Every way, in the order of [`Mode::ALL`].
    pub ways: Vec<Way>,
    /// The one that a person probably wants; `None`: none is possible.
    pub wanted: Option<Mode>,
}

/// What each way of redeeming a key on a day would come to. Wanted is: without a live subscription a new one; with one, a key
/// of no more seats than it has extends it, and a bigger one adds its seats; where that is refused, the other.
#[must_use]
pub fn preview(
    live: Option<Subscription>,
    load: Load,
    on: NaiveDate,
    at_most_times: u32,
) -> RedemptionPreview {
    let ways: Vec<Way> = Mode::ALL
        .into_iter()
        .map(|mode| Way { mode, outcome: redeemed(mode, live, load, on, at_most_times) })
        .collect();
    let fits = live.is_some_and(|live| load.seats.is_some_and(|seats| seats <= live.seats));
    let liked = match live {
        None => [Mode::New, Mode::New],
        Some(_) if fits => [Mode::Extend, Mode::AddSeats],
        Some(_) => [Mode::AddSeats, Mode::Extend],
    };
    let possible = |mode: &Mode| ways.iter().any(|way| way.mode == *mode && way.outcome.is_ok());
    let wanted = liked.into_iter().find(possible);
    RedemptionPreview { on, load, live, ways, wanted }
}

impl RedemptionPreview {
    /// What a way comes to, if it is possible.
    #[must_use]
    pub fn of(&self, mode: Mode) -> Option<Subscription> {
        self.ways.iter().find(|way| way.mode == mode)?.outcome.as_ref().ok().copied()
    }

    /// All of it in a sentence or two: "Adding 25 seats ends on 2024-10-10, four months earlier than …".
    #[must_use]
    pub fn sentence(&self, language: Language) -> String {
        let english = language == Language::English;
        let seats = self.load.seats.unwrap_or_default();
        let mut parts = Vec::new();
        if let Some(new) = self.of(Mode::New) {
            parts.push(if english {
                format!(
                    "Redeemed as new, it begins a subscription of {seats} seats that ends on {}.",
                    new.ends_on
                )
            } else {
                format!("Som ny börjar den en prenumeration på {seats} platser som slutar {}.", new.ends_on)
            });
        }
        if let Some(added) = self.of(Mode::AddSeats) {
            let own = Months::whole(self.load.months).after(self.on);
            let gap = gap(added.ends_on, own, self.load.months, language);
            parts.push(if english {
                format!("Adding {seats} seats ends on {}, {gap}.", added.ends_on)
            } else {
                format!("Läggs {seats} platser till slutar den {}, {gap}.", added.ends_on)
            });
        }
        if let (Some(extended), Some(live)) = (self.of(Mode::Extend), self.live) {
            parts.push(if english {
                format!("Extending ends on {} with the {} seats there are.", extended.ends_on, live.seats)
            } else {
                format!(
                    "Förlängs den slutar den {} med de {} platser som finns.",
                    extended.ends_on, live.seats
                )
            });
        }
        if parts.is_empty() {
            parts.push(if english {
                "It cannot be redeemed in any way.".to_owned()
            } else {
                "Den kan inte lösas in på något sätt.".to_owned()
            });
        }
        parts.join(" ")
    }
}

/// How the end of added seats compares with the months that their key would have alone.
fn gap(ends_on: NaiveDate, own: NaiveDate, months: u32, language: Language) -> String {
    let (earlier, from, to) = (ends_on < own, ends_on.min(own), ends_on.max(own));
    let whole = Months::between(from, to);
    let whole = whole.over.checked_div(whole.under).unwrap_or(0);
    let whole = u32::try_from(whole).unwrap_or(u32::MAX);
    let days = days_between(add_months(from, whole), to).unsigned_abs();
    let days = u32::try_from(days).unwrap_or(u32::MAX);
    let own_months = number(months, language);
    if from == to {
        return match language {
            Language::English => format!("the same day as the key's own {own_months} months"),
            Language::Swedish => format!("samma dag som nyckelns egna {own_months} månader"),
        };
    }
    let (month, day, and) = match language {
        Language::English => (["month", "months"], ["day", "days"], "and"),
        Language::Swedish => (["månad", "månader"], ["dag", "dagar"], "och"),
    };
    let counted = |count: u32, [one, many]: [&str; 2]| {
        (count > 0).then(|| format!("{} {}", number(count, language), if count == 1 { one } else { many }))
    };
    let spans: Vec<String> = [counted(whole, month), counted(days, day)].into_iter().flatten().collect();
    let span = spans.join(&format!(" {and} "));
    match (language, earlier) {
        (Language::English, true) => format!("{span} earlier than the key's own {own_months} months"),
        (Language::English, false) => format!("{span} later than the key's own {own_months} months"),
        (Language::Swedish, true) => format!("{span} tidigare än nyckelns egna {own_months} månader"),
        (Language::Swedish, false) => format!("{span} senare än nyckelns egna {own_months} månader"),
    }
}

/// A count in words up to twelve.
fn number(count: u32, language: Language) -> String {
    const ENGLISH: [&str; 13] = [
        "no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven",
        "twelve",
    ];
    const SWEDISH: [&str; 13] =
        ["inga", "en", "två", "tre", "fyra", "fem", "sex", "sju", "åtta", "nio", "tio", "elva", "tolv"];
    let words = match language {
        Language::English => ENGLISH,
        Language::Swedish => SWEDISH,
    };
    let word = usize::try_from(count).ok().and_then(|at| words.get(at));
    word.map_or_else(|| count.to_string(), |word| (*word).to_owned())
}

#[cfg(test)]
#[path = "subscription_tests.rs"]
mod tests;
