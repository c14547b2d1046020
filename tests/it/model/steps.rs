//! What can happen, at random: small numbers that are read against the world as it stands, so that they shrink.

use proptest::{collection::vec, option, prelude::*};

/// A history, and the policy it runs under.
#[derive(Clone, Debug)]
pub struct History {
    /// Seats run on the clock of the latest assignment (D9).
    pub last_clock: bool,
    pub steps: Vec<Step>,
}

/// One thing that happens. Numbers choose among what there is.
#[derive(Clone, Debug)]
pub enum Step {
    /// A new order arrives that began some days ago.
    Buy(Buy),
    /// The benefits of an order that renews another.
    NewSet {
        benefits: u16,
    },
    /// Rows of an assignments file; the operator lets in old dates.
    Give {
        rows: Vec<Give>,
        operator: bool,
    },
    /// Many people are given the Visual Studio seats of an order.
    Fill {
        order: u8,
        people: u8,
    },
    Cancel {
        order: u8,
        by: u8,
        ago: i8,
        odd: Odd,
    },
    Renew {
        order: u8,
        /// Nobody: the operator.
        by: Option<u8>,
        ago: i8,
        odd: Odd,
    },
    Use {
        order: u8,
        benefit: u8,
        ago: u8,
        cents: u32,
        odd: Odd,
    },
    /// Software, support or an offer is activated.
    Activate {
        order: u8,
        benefit: u8,
        by: u8,
        ago: i16,
        odd: Odd,
    },
    /// Keys arrive.
    Stock {
        order: u8,
        count: u8,
        seats: Option<u8>,
        months: Option<u8>,
    },
    /// A key is revealed or redeemed.
    Key(KeyStep),
    /// Hours or a ticket; the order is named or not.
    Help {
        of: u8,
        order: Option<u8>,
        what: u8,
        amount: u8,
        ids: u8,
        ago: i8,
    },
    /// An agreement arrives that began so many days ago and runs for so many, or on.
    Agreement {
        of: u8,
        name: u8,
        began: i16,
        runs: Option<u8>,
    },
    /// Somebody's sign-in and roles change.
    Person {
        of: u8,
        who: u8,
        enabled: bool,
        roles: u8,
    },
    /// A day passes and its night runs.
    Night,
    /// Days pass without a night; the next one catches up.
    Outage {
        days: u8,
    },
    /// The night runs again.
    NightAgain,
    /// The last file is dropped again.
    DropAgain,
    /// The operator lets in what waits of the last file.
    LetIn,
}

/// What an order is bought with.
#[derive(Clone, Debug)]
pub struct Buy {
    pub of: u8,
    pub offer: u8,
    pub began: i16,
    pub bought_before: u8,
    pub benefits: u16,
    /// Few seats, so that they run out.
    pub few: bool,
    /// Its first benefit ends after so many days.
    pub short: Option<u8>,
    /// Its last benefit starts so many days later.
    pub later: u8,
}

/// A row of an assignments file.
#[derive(Clone, Debug)]
pub struct Give {
    pub order: u8,
    pub benefit: u8,
    pub action: u8,
    pub user: u8,
    pub to: u8,
    pub by: u8,
    pub ago: i16,
    pub odd: Odd,
}

/// A row of a key requests file.
#[derive(Clone, Debug)]
pub struct KeyStep {
    pub order: u8,
    pub benefit: u8,
    pub redeem: bool,
    /// None, one of them, or none there is.
    pub which: u8,
    /// None, the wrong one, or the right one.
    pub tenant: u8,
    pub mode: u8,
    pub by: u8,
    pub ago: i16,
    pub odd: Odd,
}

/// What may be wrong with the names in a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Odd {
    Nothing,
    UnknownUser,
    UnknownAsker,
    UnknownOrder,
    UnknownBenefit,
    OtherPartner,
    SameKey,
}

fn odd() -> impl Strategy<Value = Odd> {
    prop_oneof![
        24 => Just(Odd::Nothing),
        1 => Just(Odd::UnknownUser),
        1 => Just(Odd::UnknownAsker),
        1 => Just(Odd::UnknownOrder),
        1 => Just(Odd::UnknownBenefit),
        1 => Just(Odd::OtherPartner),
        2 => Just(Odd::SameKey),
    ]
}

/// Mostly today, sometimes a few days ago, sometimes tomorrow.
fn ago() -> impl Strategy<Value = i8> {
    prop_oneof![4 => Just(0_i8), 3 => 1_i8..=9, 1 => Just(-1_i8)]
}

/// Mostly the first, who may do anything.
fn by() -> impl Strategy<Value = u8> {
    prop_oneof![6 => Just(0_u8), 1 => 1_u8..6]
}

prop_compose! {
    fn buy()(
        of in 0_u8..3,
        offer in 0_u8..4,
        began in prop_oneof![4 => 0_i16..35, 2 => 355_i16..398, 1 => 330_i16..366, 2 => 60_i16..300, 1 => -4_i16..0],
        bought_before in prop_oneof![3 => Just(0_u8), 1 => 0_u8..30],
        benefits in (any::<u16>(), any::<u16>()).prop_map(|(a, b)| a | b),
        few in any::<bool>(),
        short in option::weighted(0.3, 0_u8..120),
        later in prop_oneof![3 => Just(0_u8), 1 => 1_u8..9],
    ) -> Buy {
        Buy { of, offer, began, bought_before, benefits, few, short, later }
    }
}

prop_compose! {
    fn give(back: i16)(
        order in any::<u8>(),
        benefit in any::<u8>(),
        action in prop_oneof![5 => Just(0_u8), 2 => Just(1_u8), 2 => Just(2_u8), 3 => Just(3_u8)],
        user in 0_u8..7,
        to in 0_u8..7,
        by in by(),
        ago in prop_oneof![3 => Just(0_i16), 2 => 0_i16..=back, 1 => -1_i16..=0],
        odd in odd(),
    ) -> Give {
        Give { order, benefit, action, user, to, by, ago, odd }
    }
}

prop_compose! {
    fn key()(
        order in any::<u8>(),
        benefit in any::<u8>(),
        redeem in prop_oneof![2 => Just(true), 1 => Just(false)],
        which in prop_oneof![5 => 0_u8..3, 4 => 3_u8..9, 1 => Just(9_u8)],
        tenant in prop_oneof![3 => 0_u8..3, 3 => 4_u8..6, 1 => Just(3_u8)],
        mode in 0_u8..4,
        by in by(),
        ago in prop_oneof![4 => Just(0_i16), 2 => -1_i16..9, 1 => 10_i16..120],
        odd in odd(),
    ) -> KeyStep {
        KeyStep { order, benefit, redeem, which, tenant, mode, by, ago, odd }
    }
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => buy().prop_map(Step::Buy),
        2 => any::<u16>().prop_map(|benefits| Step::NewSet { benefits }),
        9 => vec(give(9), 1..5).prop_map(|rows| Step::Give { rows, operator: false }),
        5 => vec(give(130), 1..5).prop_map(|rows| Step::Give { rows, operator: true }),
        1 => (any::<u8>(), 1_u8..16).prop_map(|(order, people)| Step::Fill { order, people }),
        2 => (any::<u8>(), by(), ago(), odd()).prop_map(|(order, by, ago, odd)| Step::Cancel { order, by, ago, odd }),
        3 => (any::<u8>(), option::of(by()), ago(), odd())
            .prop_map(|(order, by, ago, odd)| Step::Renew { order, by, ago, odd }),
        5 => (any::<u8>(), any::<u8>(), 0_u8..45, 1_u32..15_000, odd())
            .prop_map(|(order, benefit, ago, cents, odd)| Step::Use { order, benefit, ago, cents, odd }),
        5 => (any::<u8>(), any::<u8>(), by(), prop_oneof![3 => -1_i16..9, 1 => 10_i16..40], odd())
            .prop_map(|(order, benefit, by, ago, odd)| Step::Activate { order, benefit, by, ago, odd }),
        3 => (any::<u8>(), 0_u8..4, option::weighted(0.9, 1_u8..60), option::weighted(0.6, 1_u8..30))
            .prop_map(|(order, count, seats, months)| Step::Stock { order, count, seats, months }),
        8 => key().prop_map(Step::Key),
        5 => (any::<u8>(), option::weighted(0.3, any::<u8>()), 0_u8..12, 1_u8..60, 0_u8..6, ago())
            .prop_map(|(of, order, what, amount, ids, ago)| Step::Help { of, order, what, amount, ids, ago }),
        1 => (0_u8..3, 0_u8..4, -20_i16..90, option::of(0_u8..100))
            .prop_map(|(of, name, began, runs)| Step::Agreement { of, name, began, runs }),
        1 => (0_u8..3, 0_u8..6, any::<bool>(), 0_u8..16)
            .prop_map(|(of, who, enabled, roles)| Step::Person { of, who, enabled, roles }),
        9 => Just(Step::Night),
        1 => (1_u8..9).prop_map(|days| Step::Outage { days }),
        1 => Just(Step::NightAgain),
        2 => Just(Step::DropAgain),
        1 => Just(Step::LetIn),
    ]
}

prop_compose! {
    /// Histories of so many steps; each begins with an order.
    pub fn histories(most: usize)(
        last_clock in any::<bool>(),
        first in buy(),
        rest in vec(step(), most / 2..most),
    ) -> History {
        let mut steps = vec![Step::Buy(first)];
        steps.extend(rest);
        History { last_clock, steps }
    }
}
