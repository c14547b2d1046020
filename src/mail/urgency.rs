//! What comes first in a digest (D10: the most urgent first).

use chrono::NaiveDate;

use crate::domain::{calendar::add_months, notice::Notice};

/// Sort key: the day by which something can still be done, then how much hangs on it.
///
/// A decision is news of its own day; what lapsed for want of an assignment can be kept from happening again
/// until about a month later; what is over has no day any more and comes last.
pub(super) fn urgency(notice: &Notice, today: NaiveDate) -> (NaiveDate, u8) {
    match notice {
        Notice::MembershipInGrace { renew_until, .. } => (*renew_until, 0),
        Notice::MembershipEnding { last_day_on, .. } => (*last_day_on, 1),
        Notice::CreditAboutToLapse { last_usable_on, .. } => (*last_usable_on, 2),
        Notice::EntitlementEnding { last_usable_on, .. } => (*last_usable_on, 3),
        Notice::CancellationRefused { .. } => (today, 4),
        Notice::CancellationAccepted { .. } => (today, 5),
        Notice::CreditLapsedUnassigned { period_until, .. } => (add_months(*period_until, 1), 6),
        Notice::OfferInstructions { live_on, .. } => (*live_on, 9),
        Notice::OfferLive { last_usable_on, .. } => (*last_usable_on, 10),
        Notice::ContactNeeded { last_usable_on, .. } => (*last_usable_on, 11),
        Notice::MembershipEnded { .. } => (NaiveDate::MAX, 7),
        Notice::EntitlementEnded { .. } => (NaiveDate::MAX, 8),
    }
}
