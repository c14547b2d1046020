//! Files of entitlements that are said to be whole: all that partners hold as of a date. What a partner holds and its snapshot
//! lacks ends (D16, promise 6).

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;

use super::{
    benefit::Quantity,
    id::PartnerId,
    kinds::cell::{Cells, Content},
    language::{
        Bilingual,
        Language::{self, English, Swedish},
    },
    money::{Amount, Currency, parse_decimal},
    reason::Reason,
};

/// So many are named in a sentence.
const NAMED: usize = 3;

/// What is said of a file that is whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FullSnapshot {
    /// The day as of which it holds everything.
    pub as_of: NaiveDate,
    /// Of whom it does; empty: of those that its rows name.
    pub partners: BTreeSet<PartnerId>,
    /// What its rows come to.
    pub totals: ControlTotals,
}

/// What the rows of a file are said to come to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ControlTotals {
    /// Rows after the header.
    pub rows: u64,
    /// The sum of the column `quantity`.
    pub quantity: Option<u64>,
    /// The sums of the column `amount`, by currency, in minor units.
    pub amounts: BTreeMap<Currency, i64>,
}

/// What the rows of a file do come to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CountedTotals {
    /// Rows after the header.
    pub rows: u64,
    /// The sum of the column `quantity`; unlimited counts nothing.
    pub quantity: u64,
    /// The sums of the column `amount`, by currency, in minor units.
    pub amounts: BTreeMap<Currency, i64>,
}

impl FullSnapshot {
    /// What is said in two places; `None`: they do not agree.
    #[must_use]
    pub fn and(mut self, other: Self) -> Option<Self> {
        let Self { as_of, partners, totals: ControlTotals { rows, quantity, amounts } } = other;
        let same =
            |one: Option<u64>, other: Option<u64>| one.zip(other).is_none_or(|(one, other)| one == other);
        let totals = &mut self.totals;
        let amounts_agree = amounts
            .iter()
            .all(|(currency, minor)| totals.amounts.get(currency).is_none_or(|own| own == minor));
        if self.as_of != as_of || totals.rows != rows || !same(totals.quantity, quantity) || !amounts_agree {
            return None;
        }
        totals.quantity = totals.quantity.or(quantity);
        totals.amounts.extend(amounts);
        self.partners.extend(partners);
        Some(self)
    }
}

impl CountedTotals {
    /// Adds what a row says. A cell that cannot be read counts nothing: its row is rejected.
    pub fn add(&mut self, cells: &Cells<'_>) {
        if let Content::Text(text) = cells.get("quantity")
            && let Some(Quantity::Count(count)) = Quantity::parse(text)
        {
            self.quantity = self.quantity.saturating_add(count.into());
        }
        let currency = match cells.get("currency") {
            Content::Text(code) => Currency::parse(code),
            Content::Absent | Content::Empty => Some(Currency::USD),
        };
        if let (Content::Text(text), Some(currency)) = (cells.get("amount"), currency)
            && let Some(minor) = parse_decimal(text, currency.exponent())
        {
            let sum = self.amounts.entry(currency).or_default();
            *sum = sum.saturating_add(minor);
        }
    }
}

impl ControlTotals {
    /// What is said of a file otherwise than its rows come to, if anything.
    #[must_use]
    pub fn disputes(&self, counted: &CountedTotals) -> Option<Bilingual> {
        let mut differs: Vec<[String; 2]> = Vec::new();
        let mut compare = |[english, swedish]: [&str; 2], said: String, is: String| {
            if said != is {
                differs.push([
                    format!("{english} is {said}, and it is {is}"),
                    format!("{swedish} är {said} (i filen: {is})"),
                ]);
            }
        };
        let rows = ["the number of rows after the header", "antalet rader efter rubrikraden"];
        compare(rows, self.rows.to_string(), counted.rows.to_string());
        if let Some(said) = self.quantity {
            let sum = ["the sum of quantity", "summan av quantity"];
            compare(sum, said.to_string(), counted.quantity.to_string());
        }
        for (currency, said) in &self.amounts {
            let is = counted.amounts.get(currency).copied().unwrap_or_default();
            let shown = |minor| Amount::new(minor, *currency).to_string();
            compare(["the sum of amount", "summan av amount"], shown(*said), shown(is));
        }
        let [english, swedish] =
            [0, 1].map(|of| differs.iter().filter_map(|one| one.get(of)).cloned().collect::<Vec<_>>());
        (!differs.is_empty()).then(|| {
            Bilingual::new(
                format!("its control totals say that {}", english.join("; that ")),
                format!("dess kontrollsummor säger att {}", swedish.join("; att ")),
            )
        })
    }

    /// Reads the sum of the amounts in one currency, as `12500.00 USD`.
    #[must_use]
    pub fn parse_amount(text: &str) -> Option<(Currency, i64)> {
        let mut words = text.split_whitespace();
        let (one, other) = (words.next()?, words.next()?);
        let (number, code) = if Currency::parse(one).is_some() { (other, one) } else { (one, other) };
        let currency = Currency::parse(code)?;
        let minor = parse_decimal(number, currency.exponent()).filter(|minor| *minor >= 0)?;
        words.next().is_none().then_some((currency, minor))
    }
}

/// Reads Partner IDs, joined by `+`, commas or spaces.
#[must_use]
pub fn parse_partners(text: &str) -> Option<BTreeSet<PartnerId>> {
    let numbers = text.split(['+', ',', ' ', '\t']).filter(|number| !number.is_empty());
    let mut partners = BTreeSet::new();
    for number in numbers {
        if number.len() > 20 || !number.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        partners.insert(PartnerId::from(number));
    }
    (!partners.is_empty()).then_some(partners)
}

/// What came of a file's being whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SnapshotOutcome {
    /// The day as of which it holds everything.
    pub as_of: NaiveDate,
    /// The last usable day of what it lacks.
    pub ends_on: NaiveDate,
    /// How many entitlements it ends.
    pub ended: i32,
    /// Some of them, by order and benefit.
    pub named: Vec<String>,
    /// How many more it lacks, which a file that arrived after its date named.
    pub spared: i32,
    /// Why it ends none.
    pub withheld: Option<Reason>,
}

impl SnapshotOutcome {
    /// What is told of it, a sentence or two a line.
    #[must_use]
    pub fn lines(&self, language: Language) -> Vec<String> {
        let (as_of, ends_on, ended) = (self.as_of, self.ends_on, self.ended);
        if let Some(reason) = &self.withheld {
            let (sentence, earliest) = (reason.sentence(language), reason.earliest().phrase(language));
            return vec![match language {
                English => format!(
                    "As a full snapshot as of {as_of} it ended nothing. {sentence} When it becomes a yes: {earliest}."
                ),
                Swedish => format!(
                    "Som fullständig förteckning per {as_of} avslutade den inget. {sentence} När det blir ett ja: {earliest}."
                ),
            }];
        }
        let mut lines = vec![match (language, ended) {
            (English, 0) => {
                format!("As a full snapshot as of {as_of} it lacks nothing that is not to end already.")
            }
            (Swedish, 0) => format!(
                "Som fullständig förteckning per {as_of} saknar den inget som inte redan ska upphöra."
            ),
            (English, _) => format!(
                "As a full snapshot as of {as_of} it ends what it lacks ({ended}); the last usable day is {ends_on}: {}.",
                self.list(language)
            ),
            (Swedish, _) => format!(
                "Som fullständig förteckning per {as_of} avslutar den det som saknas ({ended}); sista användbara dag är \
                 {ends_on}: {}.",
                self.list(language)
            ),
        }];
        if self.spared > 0 {
            let spared = self.spared;
            lines.push(match language {
                English => {
                    format!("What it lacks and a file that arrived after {as_of} named goes on ({spared}).")
                }
                Swedish => format!(
                    "Det som saknas och som en fil som kom efter {as_of} nämnde fortsätter ({spared})."
                ),
            });
        }
        lines
    }

    /// Those that are named, and how many more there are.
    fn list(&self, language: Language) -> String {
        let some = self.named.get(..NAMED).unwrap_or(&self.named);
        let named = some.join(", ");
        let more = usize::try_from(self.ended).unwrap_or_default().saturating_sub(some.len());
        match (more, language) {
            (0, _) => named,
            (more, English) => format!("{named} and {more} more"),
            (more, Swedish) => format!("{named} och {more} till"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn usd(minor: i64) -> BTreeMap<Currency, i64> {
        BTreeMap::from([(Currency::USD, minor)])
    }

    #[test]
    fn totals_that_differ_are_told_with_what_was_said_and_what_was_counted() {
        let said = ControlTotals { rows: 3, quantity: Some(7), amounts: usd(10_050) };
        let counted = CountedTotals { rows: 3, quantity: 7, amounts: usd(10_050) };
        assert_eq!(said.disputes(&counted), None);
        let other = CountedTotals { rows: 2, quantity: 6, amounts: BTreeMap::new() };
        let Bilingual { english: told, swedish } = said.disputes(&other).unwrap();
        assert_eq!(
            swedish,
            "dess kontrollsummor säger att antalet rader efter rubrikraden är 3 (i filen: 2); att summan av quantity är 7 (i \
             filen: 6); att summan av amount är USD 100.50 (i filen: USD 0.00)"
        );
        for part in ["rows after the header is 3, and it is 2", "quantity is 7, and it is 6", "100.50", "USD"]
        {
            assert!(told.contains(part), "{told}");
        }
        let lax = ControlTotals { rows: 2, ..ControlTotals::default() };
        assert_eq!(lax.disputes(&other), None, "what is not said is not compared");
    }

    #[test]
    fn an_amount_of_a_currency_is_read_in_either_order() {
        assert_eq!(ControlTotals::parse_amount("12500.00 USD"), Some((Currency::USD, 1_250_000)));
        assert_eq!(ControlTotals::parse_amount("usd 12500"), Some((Currency::USD, 1_250_000)));
        for wrong in ["12500", "USD", "-1 USD", "1,5 USD", "1.234 USD", "1 USD 2", "1 KRONOR", ""] {
            assert_eq!(ControlTotals::parse_amount(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn what_is_said_in_two_places_agrees_or_is_refused() {
        let said = |rows, quantity, amounts| FullSnapshot {
            as_of: "2024-03-31".parse().unwrap(),
            partners: BTreeSet::new(),
            totals: ControlTotals { rows, quantity, amounts },
        };
        let both = said(3, None, usd(5)).and(FullSnapshot {
            partners: BTreeSet::from(["4100101".into()]),
            ..said(3, Some(7), BTreeMap::new())
        });
        let both = both.unwrap();
        assert_eq!((both.partners.len(), both.totals.quantity, both.totals.amounts), (1, Some(7), usd(5)));
        for other in [said(4, None, usd(5)), said(3, Some(2), usd(5)), said(3, Some(1), usd(6))] {
            assert_eq!(said(3, Some(1), usd(5)).and(other), None);
        }
        let earlier = FullSnapshot { as_of: "2024-03-30".parse().unwrap(), ..said(3, None, usd(5)) };
        assert_eq!(said(3, None, usd(5)).and(earlier), None);
    }

    #[test]
    fn partners_are_named_one_by_one() {
        let partners = parse_partners("4100101+4100102, 4100101").unwrap();
        assert_eq!(partners.iter().map(PartnerId::as_str).collect::<Vec<_>>(), ["4100101", "4100102"]);
        for wrong in ["", " ", "all", "41001x", "123456789012345678901"] {
            assert_eq!(parse_partners(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn what_came_of_it_is_told_in_both_languages() {
        let day = |text: &str| text.parse().unwrap();
        let ended = SnapshotOutcome {
            as_of: day("2024-03-01"),
            ends_on: day("2024-03-08"),
            ended: 3,
            named: vec!["ORD-1/software".into()],
            spared: 2,
            withheld: None,
        };
        let english = ended.lines(English).join("\n");
        assert!(english.contains("(3)") && english.contains("ORD-1/software and 2 more."), "{english}");
        assert!(english.contains("after 2024-03-01 named goes on (2)"), "{english}");
        let swedish = ended.lines(Swedish).join("\n");
        assert!(swedish.contains("och 2 till") && swedish.contains("fortsätter (2)"), "{swedish}");
        let none = SnapshotOutcome { ended: 0, named: vec![], spared: 0, ..ended.clone() };
        assert!(none.lines(English)[0].contains("lacks nothing"));
        let withheld =
            SnapshotOutcome { withheld: Some(Reason::SnapshotIncomplete { rows: 1 }), ..none }.lines(Swedish);
        assert!(withheld[0].contains("avslutade den inget") && withheld[0].contains("när felet är rättat"));
    }
}
