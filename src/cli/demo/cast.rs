//! The invented cast, compiled in: its files by the date on which they come, and what each partner is there for.

use crate::domain::id::PartnerId;

/// A file of the cast.
#[derive(Clone, Copy, Debug)]
pub(super) struct CastFile {
    /// The date on which it is dropped, ISO.
    pub(super) date: &'static str,
    /// Its name.
    pub(super) name: &'static str,
    /// What is in it.
    pub(super) bytes: &'static [u8],
}

macro_rules! cast {
    ($($date:literal: $($name:literal),+;)+) => {
        &[$($(CastFile {
            date: $date,
            name: $name,
            bytes: include_bytes!(concat!("../../../fixtures/demo/", $date, "/", $name)),
        }),+),+]
    };
}

/// Every file, by date.
pub(super) const FILES: &[CastFile] = cast! {
    "2024-01-15": "assignments.csv", "contacts.csv", "entitlements.csv", "partners.csv", "users.csv";
    "2024-01-22": "assignments.csv", "entitlements.csv";
    "2024-01-31": "assignments.csv", "entitlements.csv";
    "2024-02-05": "entitlements-alpenglow.csv";
    "2024-02-12": "assignments.csv", "contacts-alpenglow.csv", "credit_usage.csv",
        "entitlements-alpenglow.csv", "entitlements.csv", "partners-alpenglow.csv", "users-alpenglow.csv";
    "2024-02-14": "assignments.csv";
    "2024-02-29": "assignments.csv", "entitlements.csv";
    "2024-03-01": "contacts.csv", "entitlements.csv", "key_requests.csv", "keys.csv", "partners.csv",
        "users.csv";
    "2024-03-04": "credit_usage.csv";
    "2024-03-11": "credit_usage.csv", "service_requests.csv";
    "2024-03-12": "service_requests.csv";
    "2024-03-15": "assignments.csv", "entitlements.csv";
    "2024-04-01": "assignments.csv", "entitlements.csv";
    "2024-04-10": "assignments.csv", "entitlements.csv";
    "2024-04-15": "activations.csv", "agreements.csv", "entitlements.csv", "partners.csv", "users.csv";
    "2024-04-22": "contacts.csv";
    "2024-05-06": "assignments.csv", "contacts.csv", "credit_usage.csv", "entitlements-may-final-v2.csv",
        "partners.csv", "service_requests.csv";
    "2024-05-13": "activations.csv", "assignments.csv", "contacts.csv", "service_requests.csv";
    "2024-05-20": "credit_usage.csv";
    "2024-06-06": "contacts.csv", "entitlements.csv", "keys.csv", "partners.csv", "users.csv";
    "2024-06-11": "key_requests.csv";
    "2024-06-17": "credit_usage.csv";
    "2024-06-26": "service_requests.csv";
    "2024-07-01": "assignments.csv", "credit_usage.csv", "key_requests.csv";
    "2024-08-05": "credit_usage.csv";
    "2024-08-12": "assignments.csv";
    "2024-09-02": "assignments.csv", "credit_usage.csv", "service_requests.csv";
    "2024-09-04": "assignments.csv", "contacts.csv", "entitlements.csv", "partners.csv", "users.csv";
    "2024-10-07": "assignments.csv", "service_requests.csv";
    "2024-10-14": "activations.csv", "entitlements.csv";
    "2024-10-21": "service_requests.csv";
    "2024-11-01": "key_requests.csv";
    "2024-11-04": "assignments.csv", "key_requests.csv", "keys.csv";
    "2024-11-11": "credit_usage.csv", "key_requests.csv", "service_requests.csv";
    "2024-12-02": "agreements.csv", "assignments.csv";
    "2024-12-03": "assignments.csv";
    "2025-01-10": "renewals.csv";
    "2025-01-30": "renewals.csv";
    "2025-02-03": "assignments.csv", "entitlements.csv";
    "2025-03-17": "credit_usage.csv";
};

/// The European Central Bank's rates, which come on the first date.
pub(super) const RATES: CastFile = CastFile {
    date: "2024-01-15",
    name: "eurofxref-hist.csv",
    bytes: include_bytes!("../../../fixtures/ecb/eurofxref-hist.csv"),
};

/// The first business date, and the last.
pub(super) const NIGHTS: (&str, &str) = ("2024-01-15", "2025-03-31");

/// What each partner shows, by Partner ID.
const CAPTIONS: &[(&str, &str)] = &[
    ("4100101", "starts on the 31st; two periods unassigned"),
    ("4100102", "leap day; bulk credit spent in grace"),
    ("4100103", "yen, without decimals; used by a guest"),
    ("4100104", "15 dollars over; renewal asked too early"),
    ("4100105", "nobody was ever assigned: all of it lost"),
    ("4100106", "monthly and bulk; bulk lasts through grace"),
    ("4100107", "refund asked for on day 30: accepted"),
    ("4100108", "refund asked for on day 31: refused"),
    ("4100109", "renewed in grace: a new order, a new year"),
    ("4100110", "two units a month; no marketing contact"),
    ("4100111", "credit ends in October; late usage counts"),
    ("4100112", "its file came first, itself a week later"),
    ("4100113", "came in a file with 20 bad rows; own money"),
    ("4100118", "a key revealed: no refund; the other: yes"),
    ("4100119", "a key adds 25 seats, another extends"),
    ("4100120", "bulk waits for an agreement to end"),
    ("4100121", "a seat passed on: day 89 no, day 90 yes"),
];

/// Requests worth reading, with their answers: Partner ID, date, action, and the code of a no.
pub(super) const ANSWERS: &[(&str, &str, &str, Option<&str>)] = &[
    ("4100118", "2024-06-11", "reveal", None),
    ("4100121", "2024-09-04", "assign", Some("role_missing")),
    ("4100121", "2024-12-02", "reassign", Some("reassigned_too_early")),
    ("4100121", "2024-12-03", "reassign", None),
    ("4100120", "2024-05-13", "assign", Some("bulk_blocked")),
    ("4100120", "2024-07-01", "assign", None),
    ("4100106", "2024-09-02", "transfer", None),
    ("4100106", "2024-12-03", "transfer", Some("bulk_blocked")),
    ("4100119", "2024-11-01", "redeem", None),
    ("4100119", "2024-11-04", "redeem", Some("extends_too_much")),
    ("4100119", "2024-11-04", "redeem", None),
    ("4100104", "2024-11-11", "product_support", Some("version_not_supported")),
    ("4100109", "2024-09-02", "advisory_hours", Some("not_enough_left")),
    ("4100101", "2024-10-14", "activate", None),
];

/// What a partner is there for; nothing for one that is not of the cast.
pub(super) fn caption(partner_id: &PartnerId) -> &'static str {
    CAPTIONS.iter().find(|(id, _)| partner_id == id).map_or("", |(_, caption)| caption)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_of_the_cast_is_compiled_in_and_no_other() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/demo");
        let mut there = Vec::new();
        for date in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap()) {
            if !date.path().is_dir() {
                continue;
            }
            for file in std::fs::read_dir(date.path()).unwrap().map(|entry| entry.unwrap()) {
                let name = |entry: &std::fs::DirEntry| entry.file_name().into_string().unwrap();
                there.push((name(&date), name(&file)));
            }
        }
        there.sort();
        let compiled: Vec<(String, String)> =
            FILES.iter().map(|file| (file.date.to_owned(), file.name.to_owned())).collect();
        assert_eq!(there, compiled);
        let (first, last) = NIGHTS;
        assert!(FILES.iter().all(|file| (first..=last).contains(&file.date)));
    }
}
