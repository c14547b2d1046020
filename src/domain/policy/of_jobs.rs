//! The numbers of each job's rules, and their ranges.

use std::ops::RangeInclusive;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::{Checked, Checks, YEAR_DAYS};
use crate::domain::{
    calendar::PeriodScheme,
    cancellation::ANY_BENEFIT_USED,
    seat::{self, SeatClock},
};

/// Policy of `import_entitlements`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ImportPolicy {
    /// Days a request may be dated before its file's arrival; an older one waits for the operator (D1).
    pub request_backdate_days: u32,
    /// No date of a row lies before this year, 1900 to 2100.
    #[serde(default = "ImportPolicy::earliest_year")]
    pub earliest_year: u16,
    /// Nor after this one, 2000 to 9000.
    #[serde(default = "ImportPolicy::latest_year")]
    pub latest_year: u16,
    /// An entitlements file that ends more than this share of the live entitlements of the partners it names, in per
    /// cent, waits for the operator; 0 to 100.
    pub guard_ends_percent: u32,
    /// A file that ends no more entitlements than this never waits.
    pub guard_ends_at_least: u32,
    /// Whether guests in a partner's directory are assigned to (R1).
    pub assign_to_guests: bool,
    /// A Visual Studio seat may be given to another user this many days after its clock began (R4, D9).
    pub reassign_after_days: u32,
    /// When a seat's clock begins (D9).
    pub reassign_clock: SeatClock,
    /// Months of a key that does not say (D8).
    pub key_months: u16,
    /// A key may extend a subscription if it has at most this many times its seats (3) (D8).
    pub extend_at_most_times: u32,
    /// Days from the activation of a Go-To-Market offer until it is live (R8).
    pub go_live_days: u32,
}

impl ImportPolicy {
    const fn earliest_year() -> u16 {
        1990
    }

    const fn latest_year() -> u16 {
        2100
    }

    /// The first and the last day that a date of a row may be.
    #[must_use]
    pub fn dates(&self) -> RangeInclusive<NaiveDate> {
        let first = NaiveDate::from_ymd_opt(self.earliest_year.into(), 1, 1).unwrap_or(NaiveDate::MIN);
        let last = NaiveDate::from_ymd_opt(self.latest_year.into(), 12, 31).unwrap_or(NaiveDate::MAX);
        first..=last
    }

    /// The numbers of the rule on seats (D9).
    #[must_use]
    pub const fn seats(&self) -> seat::SeatTerms {
        seat::SeatTerms { clock: self.reassign_clock, after_days: self.reassign_after_days }
    }
}

/// Policy of `apply_cancellations`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CancellationPolicy {
    /// Bought on day P, the last refundable request date is P + this many days (R9, D1).
    pub refund_window_days: u32,
    /// What blocks a refund once it has happened (D7). May be empty.
    pub refund_blockers: Vec<RefundBlocker>,
}

/// An event that blocks a refund (D7).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefundBlocker {
    /// A key of a `software` or `license_subscription` benefit was shown.
    SoftwareKeyRevealed,
    /// A key of one was redeemed.
    SoftwareKeyRedeemed,
    /// One was activated.
    SoftwareActivated,
    /// Any benefit of the order was used.
    AnyBenefitUsed,
}

impl RefundBlocker {
    /// The name as policies and reasons write it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::SoftwareKeyRevealed => "software_key_revealed",
            Self::SoftwareKeyRedeemed => "software_key_redeemed",
            Self::SoftwareActivated => "software_activated",
            Self::AnyBenefitUsed => ANY_BENEFIT_USED,
        }
    }
}

impl CancellationPolicy {
    /// The names of what blocks, as [`crate::domain::cancellation::decide`] takes them.
    #[must_use]
    pub fn blocker_names(&self) -> Vec<String> {
        self.refund_blockers.iter().map(|blocker| blocker.name().to_owned()).collect()
    }
}

/// Policy of `expire_benefits`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExpiryPolicy {
    /// AD + this many days is the last day of grace and of a renewal; on the day after, everything expires (D5).
    pub grace_days: u32,
    /// Days from an anniversary date to that of the membership that renews it (D5).
    pub renewal_days: u32,
    /// A credit that nobody was assigned to for so many days, from its start or from the day its file arrived if that
    /// is later, is closed; 0: never (D11).
    pub activate_by_days: u32,
}

/// Policy of `provision_credits`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProvisionPolicy {
    /// How an entitlement's time is cut into periods (D2).
    pub period_scheme: PeriodScheme,
    /// The most periods granted in a membership year, 1 to 12 (D3).
    pub periods_in_a_year: u32,
    /// From when an entitlement that becomes known late is granted (D3).
    pub backdate: Backdate,
    /// A grant waits when the last published rate is more than this many days older than the period's start (D4).
    pub max_rate_age_days: u32,
}

impl ProvisionPolicy {
    /// What a change of these numbers does while credit runs: one sentence for each number.
    #[must_use]
    pub fn notes(&self) -> [String; 2] {
        [
            format!(
                "policy.period_scheme = \"{}\" is for entitlements of which nothing was granted yet; the others keep \
                 the scheme of their first grant (D2)",
                self.period_scheme.name()
            ),
            "whatever else changes under [policy], what was granted stands under its own dates (D3)"
                .to_owned(),
        ]
    }
}

/// From when an entitlement that becomes known late is granted (D3).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Backdate {
    /// Every period since its start, under its own dates, lapsed where already over.
    #[default]
    FromStart,
    /// Only periods that are not over on the day its file arrived.
    FromImport,
}

/// Policy of `remind_contacts` (D10). The lists are of whole days.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReminderPolicy {
    /// Days before the last usable day of an entitlement and before AD − 1, falling; 0 is that day itself.
    pub ending_days: Vec<u32>,
    /// Days after AD, rising, none beyond the grace.
    pub grace_days_after: Vec<u32>,
    /// Days before the last usable day of a credit's period, when something of it is unspent.
    pub credit_lapse_days: u32,
    /// Days before the last day on which bulk credit can be spent, grace included, when something of it is unspent;
    /// falling.
    #[serde(default = "ReminderPolicy::bulk_lapse_days")]
    pub bulk_lapse_days: Vec<u32>,
}

impl ReminderPolicy {
    fn bulk_lapse_days() -> Vec<u32> {
        vec![30, 7]
    }
}

/// Policy of `email_contacts`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EmailPolicy {
    /// Who the mails are from: an address, or a name and an address in angle brackets.
    pub from: String,
    /// What stands after the `@` of a Message-ID.
    pub message_id_domain: String,
}

/// Policy of `export_entitlements`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExportPolicy {
    /// Name of a folder under the data directory.
    pub folder: String,
}

impl Checked for ImportPolicy {
    fn check(&self, checks: &mut Checks<'_>) {
        checks.range("policy.request_backdate_days", self.request_backdate_days, 0..=YEAR_DAYS);
        checks.range("policy.earliest_year", self.earliest_year.into(), 1_900..=2_100);
        checks.range("policy.latest_year", self.latest_year.into(), 2_000..=9_000);
        if (1_900..=2_100).contains(&self.earliest_year) && self.latest_year < self.earliest_year {
            checks.add("policy.latest_year", self.latest_year, "write one that is not before earliest_year");
        }
        checks.range("policy.guard_ends_percent", self.guard_ends_percent, 0..=100);
        checks.range("policy.reassign_after_days", self.reassign_after_days, 0..=YEAR_DAYS);
        checks.range("policy.key_months", u32::from(self.key_months), 1..=120);
        checks.range("policy.extend_at_most_times", self.extend_at_most_times, 1..=1_000);
        checks.range("policy.go_live_days", self.go_live_days, 0..=YEAR_DAYS);
    }
}

impl Checked for CancellationPolicy {
    fn check(&self, checks: &mut Checks<'_>) {
        checks.range("policy.refund_window_days", self.refund_window_days, 0..=YEAR_DAYS);
        for (at, blocker) in self.refund_blockers.iter().enumerate() {
            if self.refund_blockers.iter().take(at).any(|earlier| earlier == blocker) {
                checks.add("policy.refund_blockers", blocker, "it stands there twice: take one out");
            }
        }
    }
}

impl Checked for ExpiryPolicy {
    fn check(&self, checks: &mut Checks<'_>) {
        checks.range("policy.grace_days", self.grace_days, 0..=YEAR_DAYS);
        checks.range("policy.activate_by_days", self.activate_by_days, 0..=YEAR_DAYS);
        checks.range("policy.renewal_days", self.renewal_days, 1..=3_660);
    }
}

impl Checked for ProvisionPolicy {
    fn check(&self, checks: &mut Checks<'_>) {
        checks.range("policy.periods_in_a_year", self.periods_in_a_year, 1..=12);
        // The longest run of days without a rate so far was shorter than this.
        checks.range("policy.max_rate_age_days", self.max_rate_age_days, 1..=31);
    }
}

impl Checked for ReminderPolicy {
    fn check(&self, checks: &mut Checks<'_>) {
        for days in &self.ending_days {
            checks.range("policy.ending_days", *days, 0..=YEAR_DAYS);
        }
        if !self.ending_days.is_sorted_by(|a, b| a > b) {
            checks.add("policy.ending_days", &self.ending_days, "write falling numbers, each once");
        }
        for days in &self.grace_days_after {
            checks.range("policy.grace_days_after", *days, 0..=YEAR_DAYS);
        }
        if !self.grace_days_after.is_sorted_by(|a, b| a < b) {
            checks.add("policy.grace_days_after", &self.grace_days_after, "write rising numbers, each once");
        }
        // A period may be as short as a February.
        checks.range("policy.credit_lapse_days", self.credit_lapse_days, 1..=27);
        for days in &self.bulk_lapse_days {
            checks.range("policy.bulk_lapse_days", *days, 0..=YEAR_DAYS);
        }
        if !self.bulk_lapse_days.is_sorted_by(|a, b| a > b) {
            checks.add("policy.bulk_lapse_days", &self.bulk_lapse_days, "write falling numbers, each once");
        }
    }
}

impl Checked for EmailPolicy {
    fn check(&self, checks: &mut Checks<'_>) {
        let address = match self.from.split_once('<') {
            Some((_, rest)) => rest.strip_suffix('>').unwrap_or_default(),
            None => self.from.as_str(),
        };
        let good = address
            .split_once('@')
            .is_some_and(|(local, domain)| is_plain(local, "._+-") && is_domain(domain));
        if !good || self.from.chars().any(char::is_control) {
            let advice =
                "write an address, or a name and an address: \"Benefits <benefits@company.example>\"";
            checks.add("policy.from", &self.from, advice);
        }
        if !is_domain(&self.message_id_domain) {
            let advice = "write a domain name of yours, for example \"company.example\"";
            checks.add("policy.message_id_domain", &self.message_id_domain, advice);
        }
    }
}

impl Checked for ExportPolicy {
    fn check(&self, checks: &mut Checks<'_>) {
        if self.folder.len() > 100 || self.folder.starts_with(['.', '-']) || !is_plain(&self.folder, "._-") {
            let advice = "write one plain folder name, for example \"exports\"";
            checks.add("policy.folder", &self.folder, advice);
        }
    }
}

/// ASCII letters, digits and `also`, at least one.
fn is_plain(text: &str, also: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || also.contains(c))
}

fn is_domain(text: &str) -> bool {
    text.contains('.') && text.split('.').all(|label| is_plain(label, "-"))
}
