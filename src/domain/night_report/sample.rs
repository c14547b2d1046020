//! Invented reports, for texts to be looked at: one with something of everything, and one with nothing.

use chrono::NaiveDate;

use super::{
    AtStake, BookedSum, Capped, DroppedNights, FailedWork, FileCame, FileIgnored, FilesCame, GrantsDue,
    JobDone, LateNights, MailsCame, NightReport, PartnerNamed, PartnerStake, PausedDomain, RefusedRequests,
    RejectedRows, RowPlace, StakeSum, StoppedJob, UnreachedPartner, WaitingRequest,
};
use crate::domain::{
    money::{Amount, Currency},
    reason::Reason,
};

fn day(month: u32, day: u32) -> NaiveDate {
    NaiveDate::from_ymd_opt(2024, month, day).unwrap_or_default()
}

/// In dollars, or in the currency of that code if there is one.
fn amount(minor: i64, code: &str) -> Amount {
    Amount::new(minor, Currency::parse(code).unwrap_or(Currency::USD))
}

fn job(name: &str, done: i64, refused: i64, failed: i64) -> JobDone {
    JobDone { job: name.to_owned(), done, refused, failed }
}

fn capped<T>(total: i64, first: Vec<T>) -> Capped<T> {
    Capped { total, first }
}

/// A night after which nobody is needed.
#[must_use]
pub fn quiet() -> NightReport {
    let until = day(2, 21);
    let stake = |days, until| AtStake { days, until, sums: Vec::new() };
    NightReport {
        from: until,
        until,
        at_stake: vec![stake(7, day(2, 28)), stake(60, day(4, 21))],
        ..NightReport::default()
    }
}

/// A night that stopped.
#[must_use]
pub fn stopped() -> NightReport {
    let said = "the store refused a value".to_owned();
    NightReport {
        stopped: Some(StoppedJob { job: "expire_benefits".to_owned(), said }),
        jobs: vec![job("import_entitlements", 3, 0, 0), job("expire_benefits", 1, 0, 4)],
        ..quiet()
    }
}

/// Three nights that were made up for, with something of everything.
#[must_use]
pub fn busy() -> NightReport {
    NightReport {
        from: day(2, 19),
        until: day(2, 21),
        jobs: vec![
            job("import_entitlements", 1_240, 4, 0),
            job("apply_cancellations", 2, 1, 0),
            job("expire_benefits", 3, 0, 0),
            job("provision_credits", 87, 12, 1),
            job("remind_contacts", 31, 0, 0),
            job("email_contacts", 29, 0, 0),
            job("export_entitlements", 1, 0, 0),
        ],
        booked: vec![
            booked("credit_granted", 64, 640_000, "EUR"),
            booked("credit_granted", 22, 2_286_130, "SEK"),
            booked("credit_lapsed", 1, 103_979, "SEK"),
        ],
        rejected: capped(2, vec![unknown_orders(), late_assignments()]),
        rejected_rows: 6,
        refused: capped(
            1,
            vec![RefusedRequests {
                code: "refund_window_passed".to_owned(),
                requests: 1,
                reason: Reason::RefundWindowPassed { latest_on: day(2, 10) },
                first: vec!["MPN-240111-108".to_owned()],
            }],
        ),
        files: files(),
        at_stake: at_stake(),
        failed: capped(
            1,
            vec![FailedWork {
                id: "88.3".to_owned(),
                job: "provision_credits".to_owned(),
                due_on: day(2, 20),
                said: "the store refused a value".to_owned(),
            }],
        ),
        mails: MailsCame {
            waiting: 4,
            refused: 1,
            bounced: 2,
            failed: 1,
            unknown: 1,
            paused: vec![PausedDomain { domain: "nordvik.example".to_owned(), mails: 3 }],
        },
        unreached: capped(
            1,
            vec![UnreachedPartner { partner_id: "4100103".into(), is_contact: true, since: day(2, 17) }],
        ),
        late: LateNights {
            overdue: true,
            missing: 1,
            dropped: vec![DroppedNights {
                job: "import_entitlements".to_owned(),
                count: 2,
                first_on: day(1, 1),
                last_on: day(1, 2),
            }],
            unanswered: vec!["usage.csv".to_owned()],
        },
        ..waiting()
    }
}

/// What waits.
fn waiting() -> NightReport {
    NightReport {
        requests: capped(
            12,
            vec![
                request(418, "4100101", Some("MPN-240131-101"), Some("azure_monthly_credit"), "assign", 12),
                request(431, "4100107", None, None, "advisory_hours", 19),
            ],
        ),
        rates: 1,
        guarded: capped(1, vec!["partners.csv".to_owned()]),
        alike: 2,
        requests_for_night: 3,
        grants: vec![GrantsDue {
            reason: Reason::BulkBlocked { agreement: "csp".to_owned(), earliest_on: Some(day(7, 1)) },
            count: 12,
            since: Some(day(2, 3)),
        }],
        awaiting_entitlements: vec!["MPN-250131-101".to_owned()],
        without_contact: capped(1, vec![named("4100109", "Liffey Bay Systems Ltd")]),
        ..NightReport::default()
    }
}

fn booked(kind: &str, entries: i64, minor: i64, code: &str) -> BookedSum {
    BookedSum { kind: kind.to_owned(), entries, sum: amount(minor, code) }
}

fn unknown_orders() -> RejectedRows {
    let place = |line| RowPlace { file: "usage.csv".to_owned(), line };
    RejectedRows {
        code: "unknown_order".to_owned(),
        rows: 5,
        reason: Reason::UnknownOrder,
        first: vec![place(4), place(7), place(9)],
    }
}

fn late_assignments() -> RejectedRows {
    RejectedRows {
        code: "already_ended".to_owned(),
        rows: 1,
        reason: Reason::RefundWindowPassed { latest_on: day(2, 10) },
        first: vec![RowPlace { file: "assignments.xlsx".to_owned(), line: 2 }],
    }
}

fn files() -> FilesCame {
    let refused = FileCame {
        name: "entitlements (2).csv".to_owned(),
        status: "refused".to_owned(),
        partner_id: None,
        taken: 0,
        rejected: 0,
        waiting: 0,
        answer: None,
        reason: Some("it ends in the middle of line 12".to_owned()),
    };
    let partly = FileCame {
        name: "usage.csv".to_owned(),
        status: "partly".to_owned(),
        partner_id: Some("4100101".into()),
        taken: 240,
        rejected: 5,
        waiting: 1,
        answer: Some("inbox/4100101/done/usage.result.csv".to_owned()),
        reason: None,
    };
    FilesCame {
        applied: 3,
        partly: 1,
        refused: 1,
        waiting: 0,
        listed: capped(2, vec![refused, partly]),
        ignored: capped(
            1,
            vec![FileIgnored {
                name: ".~lock.users.xlsx#".to_owned(),
                reason: "its name begins with a dot".to_owned(),
            }],
        ),
    }
}

fn request(
    id: i64,
    of: &str,
    about: Option<&str>,
    benefit: Option<&str>,
    action: &str,
    since: u32,
) -> WaitingRequest {
    WaitingRequest {
        id,
        partner_id: of.into(),
        order_id: about.map(Into::into),
        benefit: benefit.map(str::to_owned),
        action: action.to_owned(),
        since: day(2, since),
    }
}

fn named(number: &str, name: &str) -> PartnerNamed {
    PartnerNamed { partner_id: number.into(), name: name.to_owned() }
}

fn at_stake() -> Vec<AtStake> {
    let stake = |number, name, minor, code, on| PartnerStake {
        partner: named(number, name),
        sum: amount(minor, code),
        first_on: on,
    };
    let norrsken = |minor, on| stake("4100101", "Norrsken Integration AB", minor, "SEK", on);
    let cote = |minor, on| stake("4100102", "Côte d'Opale Conseil SARL", minor, "EUR", on);
    let sum = |minor, code, credits, total, first| StakeSum {
        sum: amount(minor, code),
        credits,
        partners: capped(total, first),
    };
    vec![
        AtStake {
            days: 7,
            until: day(2, 28),
            sums: vec![sum(103_979, "SEK", 1, 1, vec![norrsken(103_979, day(2, 28))])],
        },
        AtStake {
            days: 60,
            until: day(4, 21),
            sums: vec![
                sum(1_240_000, "EUR", 8, 3, vec![cote(1_111_030, day(3, 11))]),
                sum(103_979, "SEK", 1, 1, vec![norrsken(103_979, day(2, 28))]),
            ],
        },
    ]
}
