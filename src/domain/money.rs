//! Money as integers in minor units of an ISO 4217 currency, and exchange through the euro (D4).

use std::fmt;

use iso_currency::IntoEnumIterator;
use serde::{Deserialize, Serialize};

/// A currency by its ISO 4217 code: one of today's, one that the European Central Bank quoted once, or, from the store
/// of an earlier version, any three letters.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Currency([u8; 3]);

/// Currencies that no longer exist and had reference rates, with the decimal places of their minor unit:
/// orders and usage of their time are still read.
const HISTORIC: &[(&str, u32)] = &[
    ("BGN", 2),
    ("CYP", 2),
    ("EEK", 2),
    ("GRD", 2),
    ("HRK", 2),
    ("LTL", 2),
    ("LVL", 2),
    ("MTL", 2),
    ("ROL", 2),
    ("SIT", 2),
    ("SKK", 2),
    ("TRL", 0),
];

impl Currency {
    /// US dollar: what the catalogue's amounts are in.
    pub const USD: Self = Self(*b"USD");
    /// Euro: what reference rates are quoted against.
    pub const EUR: Self = Self(*b"EUR");

    /// An ISO 4217 code in any case, of a currency that has a minor unit; `None` for anything else, such as `ZZZ`, gold
    /// (`XAU`) or no currency (`XXX`).
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::stored(text).filter(|currency| currency.listed_exponent().is_some())
    }

    /// Any three letters: what the store holds was taken in before, and is not refused when it is read.
    #[must_use]
    pub fn stored(text: &str) -> Option<Self> {
        let bytes: [u8; 3] = text.as_bytes().try_into().ok()?;
        bytes.iter().all(u8::is_ascii_alphabetic).then(|| Self(bytes.map(|b| b.to_ascii_uppercase())))
    }

    /// The code, upper case.
    #[must_use]
    pub fn code(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or("XXX")
    }

    /// The codes whose minor unit is not a hundredth, with their exponents.
    pub fn unusual() -> impl Iterator<Item = (&'static str, u32)> {
        let today = iso_currency::Currency::iter()
            .filter_map(|listed| listed.exponent().map(|exponent| (listed.code(), u32::from(exponent))));
        today.chain(HISTORIC.iter().copied()).filter(|(_, exponent)| *exponent != 2)
    }

    /// Decimal places of the minor unit (ISO 4217): 2 for most, 0 for JPY and KRW, 3 for KWD.
    #[must_use]
    pub fn exponent(self) -> u32 {
        self.listed_exponent().unwrap_or(2)
    }

    fn listed_exponent(self) -> Option<u32> {
        let today = iso_currency::Currency::from_code(self.code()).and_then(iso_currency::Currency::exponent);
        let historic =
            || HISTORIC.iter().find(|(code, _)| *code == self.code()).map(|(_, exponent)| *exponent);
        today.map(u32::from).or_else(historic)
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl From<Currency> for String {
    fn from(currency: Currency) -> Self {
        currency.code().to_owned()
    }
}

impl TryFrom<String> for Currency {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        Self::stored(&text).ok_or_else(|| format!("'{text}' is not a three-letter currency code"))
    }
}

/// The most minor units that one amount may have: ten trillion dollars.
const MOST_MINOR: u64 = 1_000_000_000_000_000;

/// An amount of money: minor units of a currency.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Amount {
    /// Minor units (cents for USD, yen for JPY).
    pub minor: i64,
    /// The currency.
    pub currency: Currency,
}

impl Amount {
    /// `minor` units of `currency`.
    #[must_use]
    pub const fn new(minor: i64, currency: Currency) -> Self {
        Self { minor, currency }
    }

    /// Whether it is small enough to be kept: thousands of such amounts still have a sum.
    #[must_use]
    pub const fn can_be_kept(&self) -> bool {
        self.minor.unsigned_abs() <= MOST_MINOR
    }

    /// So many of it; `None`: more than can be kept.
    #[must_use]
    pub fn times(&self, count: u32) -> Option<Self> {
        let minor = self.minor.checked_mul(i64::from(count))?;
        Some(Self { minor, ..*self }).filter(Self::can_be_kept)
    }

    /// The plain decimal with a point and as many places as the currency has: `1234.50`, `-7`.
    #[must_use]
    pub fn plain(&self) -> String {
        plain(self.minor, self.currency.exponent())
    }
}

/// `minor` written with `exponent` decimal places.
#[must_use]
pub fn plain(minor: i64, exponent: u32) -> String {
    let sign = if minor < 0 { "-" } else { "" };
    let digits = minor.unsigned_abs().to_string();
    let places = exponent as usize;
    if places == 0 {
        return format!("{sign}{digits}");
    }
    let padded = format!("{digits:0>width$}", width = places.saturating_add(1));
    let (whole, fraction) = padded.split_at(padded.len().saturating_sub(places));
    format!("{sign}{whole}.{fraction}")
}

impl fmt::Display for Amount {
    /// As people read it, the code first and thousands separated: `SEK 1,234.50`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plain = self.plain();
        let (whole, fraction) = plain.split_once('.').map_or((plain.as_str(), None), |(w, d)| (w, Some(d)));
        let (sign, whole) = whole.strip_prefix('-').map_or(("", whole), |w| ("-", w));
        write!(f, "{} {sign}", self.currency)?;
        for (at, digit) in whole.chars().enumerate() {
            if at > 0 && whole.len().saturating_sub(at).is_multiple_of(3) {
                f.write_str(",")?;
            }
            write!(f, "{digit}")?;
        }
        fraction.map_or(Ok(()), |places| write!(f, ".{places}"))
    }
}

/// Reads a plain decimal with a point (`1234.5`, `-7`) as an integer with `places` decimal places.
///
/// `None` when it is not one, has more places than that, or does not fit.
#[must_use]
pub fn parse_decimal(text: &str, places: u32) -> Option<i64> {
    let (negative, digits) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let places = usize::try_from(places).ok()?;
    let all_digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
    if whole.is_empty() || !all_digits(whole) || !all_digits(fraction) || digits.ends_with('.') {
        return None;
    }
    let fraction = fraction.trim_end_matches('0');
    let missing = u32::try_from(places.checked_sub(fraction.len())?).ok()?;
    let add = |sum: i64, digit: u8| sum.checked_mul(10)?.checked_add(i64::from(digit.checked_sub(b'0')?));
    let value = whole.bytes().chain(fraction.bytes()).try_fold(0_i64, add)?;
    let value = value.checked_mul(10_i64.checked_pow(missing)?)?;
    if negative { value.checked_neg() } else { Some(value) }
}

/// A reference rate: units of a currency for one euro, in millionths.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct PerEuro(i64);

impl PerEuro {
    /// The euro itself.
    pub const ONE: Self = Self(1_000_000);

    /// A positive decimal of at most six places, as the European Central Bank publishes them.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        parse_decimal(text, 6).and_then(Self::from_micro)
    }

    /// From millionths; `None` unless positive.
    #[must_use]
    pub fn from_micro(micro: i64) -> Option<Self> {
        (micro > 0).then_some(Self(micro))
    }

    /// Millionths.
    #[must_use]
    pub const fn micro(self) -> i64 {
        self.0
    }
}

/// US cents in a local currency: USD → EUR → local, exact, rounded once, half-up, to the minor unit (D4).
///
/// `None` when the result does not fit.
#[must_use]
pub fn convert_usd(usd_minor: i64, usd: PerEuro, local: PerEuro, currency: Currency) -> Option<i64> {
    // local = usd_minor / 100 / usd_rate * local_rate * 10^exponent; the millionths cancel.
    let numerator = i128::from(usd_minor)
        .checked_mul(i128::from(local.micro()))?
        .checked_mul(10_i128.checked_pow(currency.exponent())?)?;
    let denominator = i128::from(usd.micro()).checked_mul(100)?;
    i64::try_from(round_half_up(numerator, denominator)?).ok()
}

/// Local units per US dollar in billionths, half-up: what is frozen on a grant (D4).
#[must_use]
pub fn local_per_usd_nano(usd: PerEuro, local: PerEuro) -> Option<i64> {
    let numerator = i128::from(local.micro()).checked_mul(1_000_000_000)?;
    i64::try_from(round_half_up(numerator, i128::from(usd.micro()))?).ok()
}

/// Halves are rounded away from zero.
fn round_half_up(numerator: i128, denominator: i128) -> Option<i128> {
    let twice = numerator.checked_abs()?.checked_mul(2)?.checked_add(denominator)?;
    let rounded = twice.checked_div(denominator.checked_mul(2)?)?;
    if numerator < 0 { rounded.checked_neg() } else { Some(rounded) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rate(text: &str) -> PerEuro {
        PerEuro::parse(text).unwrap()
    }

    #[test]
    fn d4_hundred_dollars_in_kronor_yen_and_euro() {
        // 2024-01-31: 1 EUR = 1.0837 USD = 11.2525 SEK = 160.19 JPY.
        let usd = rate("1.0837");
        let sek = Currency::parse("SEK").unwrap();
        let jpy = Currency::parse("jpy").unwrap();
        assert_eq!(convert_usd(10_000, usd, rate("11.2525"), sek), Some(103_834));
        assert_eq!(convert_usd(10_000, usd, rate("160.19"), jpy), Some(14_782));
        assert_eq!(convert_usd(10_000, usd, PerEuro::ONE, Currency::EUR), Some(9_228));
        assert_eq!(local_per_usd_nano(usd, rate("11.2525")), Some(10_383_408_692));
    }

    #[test]
    fn d4_a_half_rounds_up_once() {
        // 1 cent at 1 EUR = 2 USD is half a cent.
        assert_eq!(convert_usd(1, rate("2"), PerEuro::ONE, Currency::EUR), Some(1));
        assert_eq!(convert_usd(-1, rate("2"), PerEuro::ONE, Currency::EUR), Some(-1));
        assert_eq!(convert_usd(1, rate("2.000001"), PerEuro::ONE, Currency::EUR), Some(0));
    }

    #[test]
    fn amounts_are_read_and_written_exactly() {
        assert_eq!(parse_decimal("1234.5", 2), Some(123_450));
        assert_eq!(parse_decimal("-0.05", 2), Some(-5));
        assert_eq!(parse_decimal("100.000", 2), Some(10_000));
        for bad in ["", "-", ".5", "5.", "1,5", "1.234", "1e3", "+1", "99999999999999999999", "1.2.3", " 1"] {
            assert_eq!(parse_decimal(bad, 2), None, "{bad}");
        }
        assert_eq!(Amount::new(-5, Currency::USD).plain(), "-0.05");
        assert_eq!(Amount::new(123_450, Currency::EUR).to_string(), "EUR 1,234.50");
        assert_eq!(Amount::new(-1_234_567, Currency::parse("JPY").unwrap()).to_string(), "JPY -1,234,567");
    }

    proptest::proptest! {
        #[test]
        fn what_is_written_is_read_back(minor: i64, exponent in 0u32..4) {
            assert_eq!(parse_decimal(&plain(minor, exponent), exponent), (minor != i64::MIN).then_some(minor));
        }

        #[test]
        fn d4_conversion_is_never_more_than_half_a_minor_unit_off(cents in 0i64..10_000_000, usd in 100_000i64..9_000_000, local in 1_000i64..30_000_000_000) {
            let (u, l) = (PerEuro::from_micro(usd).unwrap(), PerEuro::from_micro(local).unwrap());
            let got = i128::from(convert_usd(cents, u, l, Currency::EUR).unwrap());
            let (exact, per) = (i128::from(cents) * i128::from(local) * 100, i128::from(usd) * 100);
            assert!((got * per - exact).abs() * 2 <= per);
        }
    }

    #[test]
    fn nothing_is_written_without_a_sign_and_three_digits_without_a_comma() {
        assert_eq!(
            (plain(0, 2).as_str(), plain(0, 0).as_str(), plain(-1, 3).as_str()),
            ("0.00", "0", "-0.001")
        );
        assert_eq!(Amount::new(12_345, Currency::USD).to_string(), "USD 123.45");
        assert_eq!(Amount::new(123_456_789, Currency::parse("JPY").unwrap()).to_string(), "JPY 123,456,789");
    }

    #[test]
    fn d4_the_unusual_currencies_are_listed_with_their_decimal_places() {
        let listed: Vec<(&str, u32)> = Currency::unusual().collect();
        assert!(listed.contains(&("JPY", 0)) && listed.contains(&("KRW", 0)) && listed.contains(&("KWD", 3)));
        for (code, exponent) in listed {
            assert_ne!(exponent, 2, "{code}");
            assert_eq!(Currency::parse(code).unwrap().exponent(), exponent, "{code}");
        }
        assert_eq!(Currency::parse("SEK").unwrap().exponent(), 2);
    }

    #[test]
    fn d4_a_rate_is_above_zero() {
        assert_eq!(PerEuro::from_micro(1).map(PerEuro::micro), Some(1));
        assert_eq!(
            (PerEuro::from_micro(0), PerEuro::from_micro(-1), PerEuro::parse("0.000000")),
            (None, None, None)
        );
    }

    #[test]
    fn a_currency_is_said_and_stored_by_its_code() {
        let sek = Currency::parse("sek").unwrap();
        assert_eq!((format!("{sek:?}"), String::from(sek)), ("SEK".to_owned(), "SEK".to_owned()));
        assert_eq!(serde_json::to_value(sek).unwrap(), "SEK");
        assert_eq!(serde_json::from_str::<Currency>("\"SEK\"").unwrap(), sek);
    }
}
