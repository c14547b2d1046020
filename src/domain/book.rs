//! What is known of the partners that a chunk of requests names, after the requests before.
//!
//! The store fills a [`Book`] for a span of rows; each row is ruled on against it, and what an accepted one does
//! ([`Effect`]) is entered before the next is looked at. So the tenth request of a span sees the nine before it, and the
//! store is read and written once a span.

use std::collections::{BTreeMap, HashMap, HashSet};

use chrono::NaiveDate;

use super::{
    agreement::Exclusion,
    benefit::{Benefit, Offer},
    catalogue::Catalogue,
    core_difference::{self, Beside, units_on},
    directory_role::Role,
    id::{
        AccessId, ContractId, EntitlementNo, KeyNo, OrderId, OrderNo, PartnerId, PartnerNo, RequestId,
        RequestNo, TenantId, UserNo,
    },
    license_key::{Mode, Subscription},
    membership::Year,
    reason::{Problem, Reason},
    request_terms::RequestTerms,
};

/// A partner.
#[derive(Clone, Debug)]
pub struct Partner {
    /// Its number in the store.
    pub partner_id: PartnerNo,
    /// ISO 3166-1 alpha-2.
    pub country: String,
    /// Its own tenant.
    pub tenant_id: Option<TenantId>,
    /// With whom it shares caps: the companies of a group, or itself alone (D12).
    pub group: String,
    /// It has a marketing contact (R8).
    pub has_contact: bool,
    /// What excludes bulk credit: listed agreements and its Action Pack orders (D14).
    pub exclusions: Vec<Exclusion>,
}

/// A directory user.
#[derive(Clone, Debug)]
pub struct User {
    /// The number in the store.
    pub user_id: UserNo,
    /// The sign-in name.
    pub name: String,
    /// Can sign in.
    pub enabled: bool,
    /// A guest in the directory.
    pub guest: bool,
    /// What they hold.
    pub roles: Vec<Role>,
}

/// An order.
#[derive(Clone, Debug)]
pub struct Order {
    /// Its number in the store.
    pub membership_id: OrderNo,
    /// Whose.
    pub partner_id: PartnerNo,
    /// What it is called.
    pub order_id: OrderId,
    /// What it bought; `None` while a renewal waits for its entitlements.
    pub offer: Option<Offer>,
    /// Its year.
    pub year: Year,
    /// Last usable day, once it has ended.
    pub ended_on: Option<NaiveDate>,
    /// The cancellation that is being decided, by its request id (D7).
    pub frozen_by: Option<RequestId>,
    /// What support is asked for with, once activated: Access ID and Contract ID (R6).
    pub support: Option<(AccessId, ContractId)>,
}

impl Order {
    /// Its last day, if it was refunded: nothing else ends an order before its year is over.
    #[must_use]
    pub fn refunded_on(&self) -> Option<NaiveDate> {
        self.ended_on.filter(|day| *day < self.year.last_day_on())
    }
}

/// An assignment of a benefit to a user.
#[derive(Clone, Debug)]
pub struct Seat {
    /// The user's number in the store.
    pub user_id: UserNo,
    /// The user's sign-in name.
    pub user: String,
    /// The seat's number; `None` for monthly credit, which has no seats.
    pub seat_no: Option<u32>,
    /// First day.
    pub assigned_on: NaiveDate,
    /// The first day on which it no longer is.
    pub removed_on: Option<NaiveDate>,
}

/// A key of a benefit; what it says is sealed in the store.
#[derive(Clone, Copy, Debug)]
pub struct Key {
    /// Its number in the store.
    pub key_id: KeyNo,
    /// For how many seats.
    pub seats: Option<u32>,
    /// For how many months.
    pub months: u32,
    /// When it was first revealed.
    pub revealed_on: Option<NaiveDate>,
    /// When it was redeemed.
    pub redeemed_on: Option<NaiveDate>,
}

/// A benefit of an order, with what was done with it. Lists are in the order of the store's numbers.
#[derive(Clone, Debug)]
pub struct Held {
    /// Its number in the store.
    pub entitlement_id: EntitlementNo,
    /// Whose.
    pub partner_id: PartnerNo,
    /// Its order's number in the store.
    pub membership_id: OrderNo,
    /// Its order.
    pub order_id: OrderId,
    /// The code.
    pub benefit: Benefit,
    /// Seats, incidents or hours; `None`: unlimited.
    pub quantity: Option<u32>,
    /// First usable day.
    pub starts_on: NaiveDate,
    /// Last usable day, grace included.
    pub last_usable_on: NaiveDate,
    /// Last usable day, once it has ended.
    pub ended_on: Option<NaiveDate>,
    /// Everybody who is or was assigned.
    pub seats: Vec<Seat>,
    /// Its keys.
    pub keys: Vec<Key>,
    /// When it was activated.
    pub activated_on: Option<NaiveDate>,
    /// Minutes or incidents drawn so far.
    pub drawn: i64,
    /// Of gold's core seats, incidents and hours: what silver brings beside them (D12).
    pub beside: Vec<Beside>,
}

impl Held {
    /// Its quantity on a day: what silver leaves of it (D12).
    #[must_use]
    pub fn quantity_on(&self, day: NaiveDate) -> Option<u32> {
        self.quantity.map(|quantity| units_on(quantity, &self.beside, day).0)
    }

    /// The first day after `day` on which its quantity is more than `count`.
    #[must_use]
    pub fn more_than(&self, count: u32, day: NaiveDate) -> Option<NaiveDate> {
        let changes = core_difference::changes(&self.beside, day, self.ends_on());
        changes.into_iter().find(|day| self.quantity_on(*day).is_some_and(|quantity| quantity > count))
    }

    /// Its last usable day, as far as is known.
    #[must_use]
    pub fn ends_on(&self) -> NaiveDate {
        self.ended_on.unwrap_or(self.last_usable_on)
    }

    /// The refusal of a day on which it cannot be used.
    #[must_use]
    pub fn outside(&self, day: NaiveDate) -> Reason {
        Reason::OutsideBenefitDates { on: Some(day), starts_on: self.starts_on, ends_on: self.ends_on() }
    }

    /// Whether it can be used on a day.
    #[must_use]
    pub fn runs_on(&self, day: NaiveDate) -> bool {
        self.starts_on <= day && day <= self.ends_on()
    }
}

/// A partner's group, or a partner alone, with what its Visual Studio caps count (D12).
#[derive(Clone, Debug, Default)]
pub struct Group {
    /// Assigned Visual Studio seats by country.
    pub seats: BTreeMap<String, u32>,
    /// First and last usable day of its gold orders.
    pub gold: Vec<(NaiveDate, NaiveDate)>,
}

/// A request that is on record under a key.
#[derive(Clone, Debug)]
pub struct Recorded {
    /// Its number in the store.
    pub request_no: RequestNo,
    /// The row as it was understood.
    pub content: serde_json::Value,
    /// It waits for the operator.
    pub waits: bool,
    /// It waited, and was refused when it was let in.
    pub refused: bool,
    /// The operator refused it by name: what is said of that.
    pub refusal: Option<Reason>,
}

/// See the module.
#[derive(Debug, Default)]
pub struct Book {
    /// By Partner ID.
    pub partners: HashMap<PartnerId, Partner>,
    /// By the partner's number and a name in lower case: object id or user principal name.
    pub users: HashMap<(PartnerNo, String), User>,
    /// Names that are the object id of one user and the user principal name of another, as in `users`.
    pub ambiguous: HashSet<(PartnerNo, String)>,
    /// Who holds a role at a partner and can sign in: user principal name and roles.
    pub holders: HashMap<PartnerNo, Vec<(String, Vec<Role>)>>,
    /// By order id.
    pub orders: HashMap<OrderId, Order>,
    /// Orders that are named, of partners of whom nothing is asked.
    pub orders_of_others: HashSet<OrderId>,
    /// By number in the store.
    pub benefits: HashMap<EntitlementNo, Held>,
    /// Numbers of benefits by order number and code.
    pub codes: HashMap<(OrderNo, String), EntitlementNo>,
    /// Support and advisory benefits of a partner by its number, in the order in which they end.
    pub drawable: HashMap<PartnerNo, Vec<EntitlementNo>>,
    /// Licence subscriptions by the partner's number and benefit code.
    pub subscriptions: HashMap<(PartnerNo, String), Subscription>,
    /// By [`Partner::group`].
    pub groups: HashMap<String, Group>,
    /// Marketing contacts who can no longer sign in, by the partner's number: the sign-in name.
    pub disabled_contacts: HashMap<PartnerNo, String>,
    /// By the partner's number, family and key.
    pub recorded: HashMap<(PartnerNo, &'static str, String), Recorded>,
    /// What the people sign in as whom requests on record name, by their numbers in the store.
    pub names: HashMap<UserNo, String>,
}

/// Who asks.
#[derive(Clone, Copy, Debug)]
pub enum Asker<'a> {
    /// A directory user.
    User(&'a User),
    /// The operator, on the operator's machine.
    Operator,
}

/// One request, with all that it is ruled on.
#[derive(Clone, Copy, Debug)]
pub struct Case<'a> {
    /// What is known.
    pub book: &'a Book,
    /// Whose request.
    pub partner: &'a Partner,
    /// The order it names.
    pub order: Option<&'a Order>,
    /// The benefit it names.
    pub held: Option<&'a Held>,
    /// The date that counts (D1).
    pub on: NaiveDate,
    /// The numbers of the rules.
    pub terms: &'a RequestTerms,
    /// What offers bring, and what excludes what.
    pub catalogue: &'a Catalogue,
}

/// What an accepted request does. Dates are the request's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// A user is assigned.
    Assigned {
        /// The benefit.
        entitlement_id: EntitlementNo,
        /// The user's number in the store.
        user_id: UserNo,
        /// The user's sign-in name.
        user: String,
        /// The seat.
        seat_no: Option<u32>,
        /// Of a benefit that has ended since: the first day on which the user no longer is.
        removed_on: Option<NaiveDate>,
    },
    /// A user no longer is.
    Removed {
        /// The benefit.
        entitlement_id: EntitlementNo,
        /// The user's number in the store.
        user_id: UserNo,
    },
    /// A key counts as revealed.
    Revealed {
        /// The benefit.
        entitlement_id: EntitlementNo,
        /// The key.
        key_id: KeyNo,
    },
    /// A key is redeemed.
    Redeemed {
        /// The benefit.
        entitlement_id: EntitlementNo,
        /// The key.
        key_id: KeyNo,
        /// How.
        mode: Mode,
        /// Onto which tenant.
        tenant_id: TenantId,
        /// The live subscription before.
        before: Option<Subscription>,
        /// The subscription after.
        after: Subscription,
    },
    /// A benefit is activated.
    Activated {
        /// The benefit.
        entitlement_id: EntitlementNo,
        /// From when an offer is live.
        live_on: Option<NaiveDate>,
    },
    /// An order's support has its IDs.
    SupportOpened {
        /// The order's number in the store.
        membership_id: OrderNo,
        /// The partner's Access ID.
        access_id: AccessId,
        /// The order's Contract ID.
        contract_id: ContractId,
    },
    /// Minutes or incidents are drawn.
    Drawn {
        /// The benefit.
        entitlement_id: EntitlementNo,
        /// How many; more than zero.
        count: i64,
    },
}

/// An accepted request with its effects and remarks, or every reason against it.
pub type Ruling = Result<(Vec<Effect>, Vec<Problem>), Vec<Problem>>;

impl Book {
    /// A directory user of a partner, by object id or user principal name in any case of letters.
    pub fn user(&self, partner_id: PartnerNo, named: &str) -> Result<&User, Reason> {
        let name = (partner_id, named.to_lowercase());
        if self.ambiguous.contains(&name) {
            return Err(Reason::AmbiguousUser);
        }
        self.users.get(&name).ok_or(Reason::UnknownUser)
    }

    /// What a user whom some request names signs in as.
    #[must_use]
    pub fn name(&self, user_id: UserNo) -> Option<&str> {
        let named =
            || self.users.values().find(|user| user.user_id == user_id).map(|user| user.name.as_str());
        self.names.get(&user_id).map(String::as_str).or_else(named)
    }

    /// A benefit of an order.
    #[must_use]
    pub fn benefit(&self, membership_id: OrderNo, code: &str) -> Option<&Held> {
        self.benefits.get(self.codes.get(&(membership_id, code.to_owned()))?)
    }

    /// Records what a request dated `on` did, so that the next request sees it.
    pub fn enter(&mut self, effect: &Effect, on: NaiveDate) {
        match effect {
            Effect::Assigned { entitlement_id, user_id, user, seat_no, removed_on } => {
                self.count_seat(*entitlement_id, 1);
                self.held(*entitlement_id, |held| {
                    held.seats.push(Seat {
                        user_id: *user_id,
                        user: user.clone(),
                        seat_no: *seat_no,
                        assigned_on: on,
                        removed_on: *removed_on,
                    });
                });
            }
            Effect::Removed { entitlement_id, user_id } => {
                self.count_seat(*entitlement_id, -1);
                self.held(*entitlement_id, |held| {
                    let live =
                        held.seats.iter_mut().filter(|s| s.user_id == *user_id && s.removed_on.is_none());
                    live.for_each(|seat| seat.removed_on = Some(on.max(seat.assigned_on)));
                });
            }
            Effect::Revealed { entitlement_id, key_id } => self.key(*entitlement_id, *key_id, |key| {
                key.revealed_on.get_or_insert(on);
            }),
            Effect::Redeemed { entitlement_id, key_id, after, .. } => {
                self.key(*entitlement_id, *key_id, |key| key.redeemed_on = Some(on));
                if let Some(held) = self.benefits.get(entitlement_id) {
                    let of = (held.partner_id, held.benefit.as_str().to_owned());
                    self.subscriptions.insert(of, *after);
                }
            }
            Effect::Activated { entitlement_id, .. } => {
                self.held(*entitlement_id, |held| held.activated_on = Some(on));
            }
            Effect::SupportOpened { membership_id, access_id, contract_id } => {
                let order = self.orders.values_mut().find(|order| order.membership_id == *membership_id);
                if let Some(order) = order {
                    order.support = Some((access_id.clone(), contract_id.clone()));
                }
            }
            Effect::Drawn { entitlement_id, count } => {
                self.held(*entitlement_id, |held| held.drawn = held.drawn.saturating_add(*count));
            }
        }
    }

    fn held(&mut self, entitlement_id: EntitlementNo, change: impl FnOnce(&mut Held)) {
        if let Some(held) = self.benefits.get_mut(&entitlement_id) {
            change(held);
        }
    }

    fn key(&mut self, entitlement_id: EntitlementNo, key_id: KeyNo, change: impl FnOnce(&mut Key)) {
        self.held(entitlement_id, |held| {
            if let Some(key) = held.keys.iter_mut().find(|key| key.key_id == key_id) {
                change(key);
            }
        });
    }

    /// Caps count Visual Studio seats over the partner's group (D12).
    fn count_seat(&mut self, entitlement_id: EntitlementNo, more: i32) {
        let Some(held) = self.benefits.get(&entitlement_id) else { return };
        if held.benefit.kind() != super::benefit::BenefitKind::VisualStudio || held.ended_on.is_some() {
            return;
        }
        let Some(partner) = self.partners.values().find(|partner| partner.partner_id == held.partner_id)
        else {
            return;
        };
        let group = self.groups.entry(partner.group.clone()).or_default();
        let seats = group.seats.entry(partner.country.clone()).or_default();
        *seats = seats.saturating_add_signed(more);
    }
}

#[cfg(test)]
pub(super) mod sample {
    use super::Partner;

    /// A partner of which tests say what they are about.
    pub fn partner() -> Partner {
        Partner {
            partner_id: 1.into(),
            country: "SE".into(),
            tenant_id: None,
            group: "partner 1".into(),
            has_contact: false,
            exclusions: vec![],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn order(ended_on: Option<&str>) -> Order {
        Order {
            membership_id: 10.into(),
            partner_id: 1.into(),
            order_id: "ORD-1".into(),
            offer: Some(Offer::Silver),
            year: Year::starting(day("2024-01-31"), 30),
            ended_on: ended_on.map(day),
            frozen_by: None,
            support: None,
        }
    }

    #[test]
    fn d7_an_order_that_ended_before_its_last_day_was_refunded_and_one_that_ran_its_year_was_not() {
        // AD is 31 January 2025; a year that nobody renewed ends with grace, on 2 March.
        assert_eq!(order(None).refunded_on(), None);
        assert_eq!(order(Some("2025-01-29")).refunded_on(), Some(day("2025-01-29")));
        assert_eq!(order(Some("2025-01-30")).refunded_on(), None);
        assert_eq!(order(Some("2025-03-02")).refunded_on(), None);
    }

    #[test]
    fn r4_who_is_removed_gives_up_the_seat_held_then_and_nobody_elses() {
        let seat = |user_id, assigned_on: &str, removed_on: Option<&str>| Seat {
            user_id,
            user: format!("u{user_id}@p.example"),
            seat_no: None,
            assigned_on: day(assigned_on),
            removed_on: removed_on.map(day),
        };
        let held = Held {
            entitlement_id: 4.into(),
            partner_id: 1.into(),
            membership_id: 10.into(),
            order_id: "ORD-1".into(),
            benefit: Benefit::parse("azure_monthly_credit").unwrap(),
            quantity: Some(1),
            starts_on: day("2024-01-31"),
            last_usable_on: day("2025-03-02"),
            ended_on: None,
            seats: vec![
                seat(1.into(), "2024-02-01", Some("2024-02-10")),
                seat(1.into(), "2024-03-01", None),
                seat(2.into(), "2024-03-01", None),
            ],
            keys: vec![],
            activated_on: None,
            drawn: 0,
            beside: vec![],
        };
        let mut book = Book::default();
        book.benefits.insert(4.into(), held);
        let removed =
            |book: &Book| book.benefits[&4.into()].seats.iter().map(|s| s.removed_on).collect::<Vec<_>>();
        book.enter(&Effect::Removed { entitlement_id: 4.into(), user_id: 1.into() }, day("2024-04-01"));
        assert_eq!(removed(&book), [Some(day("2024-02-10")), Some(day("2024-04-01")), None]);
        book.enter(&Effect::Removed { entitlement_id: 4.into(), user_id: 2.into() }, day("2024-02-20"));
        assert_eq!(removed(&book)[2], Some(day("2024-03-01")), "not before the day it was given");
    }
}
