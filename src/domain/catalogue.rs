//! What each offer brings: data with validity dates, edited without a release (D12).
//!
//! Only files create entitlements; the catalogue fills what a row leaves empty and says what differs.

use chrono::NaiveDate;
use serde::Deserialize;

use super::{
    benefit::{BenefitKind, BenefitType, Offer, Quantity},
    calendar::add_days,
    cap::Cap,
    finding::{line_of, read},
    money::parse_decimal,
};

/// The catalogue that is compiled in.
pub const BUILT_IN: &str = include_str!("../../fixtures/catalogue.toml");

/// Kinds of benefit that are amounts of money.
const CREDIT_KINDS: [&str; 2] = ["azure_monthly_credit", "azure_bulk_credit"];

/// The most units an entry may bring.
const MOST_UNITS: i64 = 1_000_000;

/// What offers bring and which products there are, on every date.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Catalogue {
    entries: Vec<Entry>,
    products: Vec<Product>,
    bulk_excludes: Vec<String>,
    caps: Caps,
}

/// The most Visual Studio seats that the companies of a group may have together (D12); without an entry, any number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Caps {
    /// With silver only.
    silver: Option<Cap>,
    /// With any gold.
    gold: Option<Cap>,
}

/// What an offer brings of one benefit while the entry is valid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The offer.
    pub offer: String,
    /// A benefit code, or `kind/*`: the kind with any detail or none.
    pub benefit: String,
    /// Competencies it holds for; empty: for every row.
    pub competencies: Vec<String>,
    /// `core` or `incremental`.
    pub benefit_type: String,
    /// How many units (seats, incidents, hours).
    pub quantity: Quantity,
    /// Edition of a Visual Studio subscription: `professional` or `enterprise`.
    pub level: Option<String>,
    /// US cents per unit (a month of monthly credit, the year of bulk credit), rising; empty for what is not
    /// money. Several: each is allowed.
    pub amounts_minor: Vec<i64>,
    /// First day.
    pub valid_from: NaiveDate,
    /// Last day; `None` until further notice.
    pub valid_until: Option<NaiveDate>,
}

/// A product that support requests are about (R6).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Product {
    /// Its name, unique.
    pub name: String,
    /// What it belongs to.
    pub family: Family,
    /// Its versions, in the order they came out.
    pub versions: Vec<Version>,
}

/// What a product belongs to: decides which numbers a ticket needs (R6).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Family {
    /// Runs on the partner's own machines.
    OnPremises,
    /// Azure, bought directly.
    Azure,
    /// Azure through a cloud solution provider.
    AzureCsp,
    /// Dynamics.
    Dynamics,
    /// Every other cloud product.
    Cloud,
}

/// One version of a product.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    /// As people write it.
    pub version: String,
    /// The day it came out.
    pub released_on: NaiveDate,
}

impl Catalogue {
    /// Reads and checks a catalogue.
    ///
    /// # Errors
    /// Every problem, as a sentence that starts with its line (`line 12: …`). A file that is no TOML at all,
    /// or has an unknown top-level key, has only that one.
    pub fn parse(text: &str) -> Result<Self, Vec<String>> {
        let raw: RawCatalogue = read("catalogue.toml", text).map_err(|finding| {
            let at = finding.line.map_or(String::new(), |line| format!("line {line}: "));
            vec![format!("{at}{}", finding.advice)]
        })?;
        let mut problems = Vec::new();
        let mut entries: Vec<(usize, Entry)> = Vec::new();
        for table in raw.benefit {
            let line = line_of(text, table.span().start);
            if let Some(entry) = read_entry(table.into_inner(), &raw.competencies, line, &mut problems) {
                for (other_line, other) in &entries {
                    if entry.contradicts(other) {
                        problems.push(format!(
                            "line {line}: {} of {} is valid on days on which line {other_line} says it too: \
                             end one before the other begins",
                            entry.benefit, entry.offer
                        ));
                    }
                }
                entries.push((line, entry));
            }
        }
        let mut products: Vec<Product> = Vec::new();
        for table in raw.product {
            let line = line_of(text, table.span().start);
            if let Some(product) = read_product(table.into_inner(), line, &mut problems) {
                if products.iter().any(|other| other.name.eq_ignore_ascii_case(&product.name)) {
                    problems.push(format!("line {line}: the product '{}' is listed twice", product.name));
                }
                products.push(product);
            }
        }
        if problems.is_empty() {
            Ok(Self {
                entries: entries.into_iter().map(|(_, entry)| entry).collect(),
                products,
                bulk_excludes: raw.bulk_excludes,
                caps: raw.visual_studio_caps,
            })
        } else {
            Err(problems)
        }
    }

    /// What `offer` brings of `benefit` for a row of `competency` bought on `on`; `None`: the catalogue does
    /// not say. An exact code wins over `kind/*`, an entry of the competency over one for every row.
    #[must_use]
    pub fn lookup(
        &self,
        offer: &str,
        benefit: &str,
        competency: Option<&str>,
        on: NaiveDate,
    ) -> Option<&Entry> {
        self.entries
            .iter()
            .filter(|entry| entry.offer == offer && entry.is_valid_on(on))
            .filter_map(|entry| Some((entry.matches(benefit, competency)?, entry)))
            .max_by_key(|(closeness, _)| *closeness)
            .map(|(_, entry)| entry)
    }

    /// The product of that name, in any case.
    #[must_use]
    pub fn product(&self, name: &str) -> Option<&Product> {
        self.products.iter().find(|product| product.name.eq_ignore_ascii_case(name))
    }

    /// Whether bulk credit cannot be combined with an agreement of that name (R2, D14).
    #[must_use]
    pub fn excludes_bulk(&self, agreement: &str) -> bool {
        self.bulk_excludes.iter().any(|name| name == agreement)
    }

    /// The cap on Visual Studio seats of a group that has gold, or silver only (D12).
    #[must_use]
    pub const fn cap(&self, gold: bool) -> Option<Cap> {
        if gold { self.caps.gold } else { self.caps.silver }
    }

    /// Every entry, in the file's order.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Every product, in the file's order.
    #[must_use]
    pub fn products(&self) -> &[Product] {
        &self.products
    }
}

impl Entry {
    /// US cents per unit, if the catalogue names one amount only.
    #[must_use]
    pub fn amount_minor(&self) -> Option<i64> {
        match self.amounts_minor.as_slice() {
            [one] => Some(*one),
            _ => None,
        }
    }

    /// Whether `minor` US cents per unit is what the catalogue says, or one of several.
    #[must_use]
    pub fn allows_amount(&self, minor: i64) -> bool {
        self.amounts_minor.contains(&minor)
    }

    fn is_valid_on(&self, day: NaiveDate) -> bool {
        self.valid_from <= day && self.valid_until.is_none_or(|last| day <= last)
    }

    /// How closely an entry fits a row: (has the exact code, has the row's competency).
    fn matches(&self, benefit: &str, competency: Option<&str>) -> Option<(bool, bool)> {
        let exact = self.benefit == benefit;
        let of_kind = self.benefit.strip_suffix("/*").is_some_and(|kind| kind == kind_of(benefit));
        let by_competency = match competency {
            _ if self.competencies.is_empty() => false,
            Some(row) if self.competencies.iter().any(|own| own.eq_ignore_ascii_case(row)) => true,
            _ => return None,
        };
        (exact || of_kind).then_some((exact, by_competency))
    }

    /// Whether both say the same thing's quantity on the same day.
    fn contradicts(&self, other: &Self) -> bool {
        let share_competency = (self.competencies.is_empty() && other.competencies.is_empty())
            || self.competencies.iter().any(|own| other.competencies.contains(own));
        self.offer == other.offer
            && self.benefit == other.benefit
            && share_competency
            && other.valid_until.is_none_or(|last| self.valid_from <= last)
            && self.valid_until.is_none_or(|last| other.valid_from <= last)
    }
}

impl Product {
    /// The version current on `on` and the one before it: what tickets are taken for (R6).
    #[must_use]
    pub fn supported_on(&self, on: NaiveDate) -> &[Version] {
        let out = self.versions.iter().take_while(|version| version.released_on <= on).count();
        self.versions.get(out.saturating_sub(2)..out).unwrap_or_default()
    }
}

/// What stands before a benefit code's `/`.
fn kind_of(benefit: &str) -> &str {
    benefit.split_once('/').map_or(benefit, |(kind, _)| kind)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawCatalogue {
    competencies: Vec<String>,
    #[serde(default)]
    bulk_excludes: Vec<String>,
    #[serde(default)]
    visual_studio_caps: Caps,
    benefit: Vec<toml::Spanned<toml::Value>>,
    #[serde(default)]
    product: Vec<toml::Spanned<toml::Value>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawEntry {
    offer: String,
    benefit: String,
    #[serde(default)]
    competencies: Vec<String>,
    benefit_type: String,
    quantity: toml::Value,
    level: Option<String>,
    #[serde(default)]
    amounts: Vec<String>,
    valid_from: toml::value::Datetime,
    valid_until: Option<toml::value::Datetime>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawProduct {
    name: String,
    family: Family,
    versions: Vec<RawVersion>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawVersion {
    version: String,
    released_on: toml::value::Datetime,
}

/// Gathers the problems of one table under its line.
struct Checks<'a> {
    line: usize,
    problems: &'a mut Vec<String>,
}

impl Checks<'_> {
    fn add(&mut self, problem: &str) {
        self.problems.push(format!("line {}: {problem}", self.line));
    }

    fn one_of(&mut self, key: &str, value: &str, allowed: &[&str]) {
        if !allowed.contains(&value) {
            self.add(&format!("{key} '{value}' is not known: write one of {}", allowed.join(", ")));
        }
    }

    /// A plain date. A wrong one is noted as a problem and then counts as the first day there is.
    fn date(&mut self, key: &str, value: toml::value::Datetime) -> NaiveDate {
        let plain = value
            .date
            .filter(|_| value.time.is_none() && value.offset.is_none())
            .and_then(|date| NaiveDate::from_ymd_opt(date.year.into(), date.month.into(), date.day.into()));
        plain.unwrap_or_else(|| {
            self.add(&format!("{key} = {value} is not a date: write YYYY-MM-DD without quotes"));
            NaiveDate::MIN
        })
    }

    fn quantity(&mut self, value: &toml::Value) -> Quantity {
        match value {
            toml::Value::String(word) if word == "unlimited" => return Quantity::Unlimited,
            toml::Value::Integer(count) if (0..=MOST_UNITS).contains(count) => {
                if let Ok(count) = u32::try_from(*count) {
                    return Quantity::Count(count);
                }
            }
            _ => {}
        }
        let written = match value {
            toml::Value::String(word) => format!("{word:?}"),
            toml::Value::Integer(count) => count.to_string(),
            other => format!("a {}", other.type_str()),
        };
        self.add(&format!(
            "quantity = {written}: write a whole number from 0 to {MOST_UNITS}, or \"unlimited\""
        ));
        Quantity::Count(0)
    }

    /// US cents, each positive, rising.
    fn amounts(&mut self, kind: &str, written: &[String]) -> Vec<i64> {
        if BenefitKind::parse(kind).is_some() && CREDIT_KINDS.contains(&kind) == written.is_empty() {
            self.add(if written.is_empty() {
                "amounts is missing: a credit has at least one, for example amounts = [\"100.00\"]"
            } else {
                "amounts is for credit only: take it out"
            });
        }
        let mut minor: Vec<i64> = Vec::new();
        for text in written {
            match parse_decimal(text, 2).filter(|cents| *cents > 0) {
                Some(cents) => minor.push(cents),
                None => self.add(&format!(
                    "amount \"{text}\" is not an amount of dollars above 0: write it like \"100.00\""
                )),
            }
        }
        if !minor.is_sorted_by(|a, b| a < b) {
            self.add("amounts do not rise: write the smallest first, each once");
        }
        minor
    }
}

fn read_entry(
    table: toml::Value,
    competencies: &[String],
    line: usize,
    problems: &mut Vec<String>,
) -> Option<Entry> {
    let before = problems.len();
    let mut checks = Checks { line, problems };
    let raw = match table.try_into::<RawEntry>() {
        Ok(raw) => raw,
        Err(error) => {
            checks.add(error.message().trim());
            return None;
        }
    };
    let kind = kind_of(&raw.benefit);
    checks.one_of("offer", &raw.offer, &Offer::ALL.map(Offer::name));
    checks.one_of("the kind of benefit", kind, &BenefitKind::ALL.map(BenefitKind::name));
    checks.one_of("benefit_type", &raw.benefit_type, &BenefitType::ALL.map(BenefitType::name));
    if let Some(level) = &raw.level {
        checks.one_of("level", level, &["professional", "enterprise"]);
    }
    if raw.benefit.ends_with('/') {
        checks.add(&format!("benefit '{}' has no detail after its /", raw.benefit));
    }
    for competency in raw.competencies.iter().filter(|own| !competencies.contains(own)) {
        checks.add(&format!("competency '{competency}' is not in the list at the top of the file"));
    }
    let quantity = checks.quantity(&raw.quantity);
    let amounts_minor = checks.amounts(kind, &raw.amounts);
    let valid_from = checks.date("valid_from", raw.valid_from);
    let valid_until = raw.valid_until.map(|last| checks.date("valid_until", last));
    if checks.problems.len() == before && valid_until.is_some_and(|last| add_days(last, 1) <= valid_from) {
        checks.add("valid_until is before valid_from");
    }
    let sound = checks.problems.len() == before;
    sound.then_some(Entry {
        offer: raw.offer,
        benefit: raw.benefit,
        competencies: raw.competencies,
        benefit_type: raw.benefit_type,
        quantity,
        level: raw.level,
        amounts_minor,
        valid_from,
        valid_until,
    })
}

fn read_product(table: toml::Value, line: usize, problems: &mut Vec<String>) -> Option<Product> {
    let before = problems.len();
    let mut checks = Checks { line, problems };
    let raw = match table.try_into::<RawProduct>() {
        Ok(raw) => raw,
        Err(error) => {
            checks.add(error.message().trim());
            return None;
        }
    };
    if raw.name.trim().is_empty() || raw.versions.is_empty() {
        checks.add("a product has a name and at least one version");
    }
    let versions: Vec<Version> = raw
        .versions
        .into_iter()
        .map(|version| Version {
            released_on: checks.date("released_on", version.released_on),
            version: version.version,
        })
        .collect();
    for (earlier, later) in versions.iter().zip(versions.iter().skip(1)) {
        if later.released_on <= earlier.released_on {
            checks.add(&format!(
                "version '{}' stands after '{}' and did not come out after it: write versions in order",
                later.version, earlier.version
            ));
        }
    }
    let sound = checks.problems.len() == before;
    sound.then_some(Product { name: raw.name, family: raw.family, versions })
}

#[cfg(test)]
#[path = "catalogue_tests.rs"]
mod tests;
