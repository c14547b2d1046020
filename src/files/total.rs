//! Sums of amounts with more decimals than their currency has, exact until they are rounded once.

/// Decimals that are added up.
const PLACES: u32 = 18;
/// One, in the units that are added up.
const ONE: i128 = 10_i128.pow(PLACES);

/// What some rows come to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Total {
    /// In units of ten to the power of minus eighteen.
    pub units: i128,
    /// How many rows.
    pub rows: u32,
    /// The line of the first.
    pub first: u64,
    /// The line of one that cannot be read, so that there is no sum.
    pub incomplete: Option<u64>,
}

impl Total {
    /// Adds the row on `line`; `None`: it cannot be read.
    pub fn add(&mut self, units: Option<i128>, line: u64) {
        if self.rows == 0 {
            self.first = line;
        }
        self.rows = self.rows.saturating_add(1);
        match units.and_then(|units| self.units.checked_add(units)) {
            Some(sum) => self.units = sum,
            None => drop(self.incomplete.get_or_insert(line)),
        }
    }
}

/// A decimal number with a point, perhaps with a negative power of ten behind (`7.44E-05`). `None`: it is none, or has more
/// decimals than are added up.
#[must_use]
pub fn units(text: &str) -> Option<i128> {
    let (number, power) = match text.split_once(['E', 'e']) {
        Some((number, power)) => (number, digits(power.strip_prefix('-')?)?.try_into().ok()?),
        None => (text, 0_u32),
    };
    let (negative, number) = number.strip_prefix('-').map_or((false, number), |rest| (true, rest));
    let (whole, decimals) = number.split_once('.').unwrap_or((number, "0"));
    let decimals = decimals.trim_end_matches('0');
    let places = u32::try_from(decimals.len()).ok()?.checked_add(power)?;
    let scale = 10_i128.checked_pow(PLACES.checked_sub(places)?)?;
    let shift = 10_i128.checked_pow(u32::try_from(decimals.len()).ok()?)?;
    let parts = digits(whole)?.checked_mul(shift)?.checked_add(if decimals.is_empty() {
        0
    } else {
        digits(decimals)?
    })?;
    let units = parts.checked_mul(scale)?;
    Some(if negative { -units } else { units })
}

fn digits(text: &str) -> Option<i128> {
    (!text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())).then(|| text.parse().ok()).flatten()
}

/// A sum with so many decimals, rounded half up. `None`: it is too large.
#[must_use]
pub fn rounded(units: i128, places: u32) -> Option<String> {
    let step = 10_i128.checked_pow(PLACES.checked_sub(places)?)?;
    let magnitude = units.checked_abs()?.checked_add(step.checked_div(2)?)?.checked_div(step)?;
    let hundred = 10_i128.checked_pow(places)?;
    let (whole, rest) = (magnitude.checked_div(hundred)?, magnitude.checked_rem(hundred)?);
    let sign = if units < 0 && magnitude > 0 { "-" } else { "" };
    Some(if places == 0 {
        format!("{sign}{whole}")
    } else {
        format!("{sign}{whole}.{rest:0width$}", width = usize::try_from(places).ok()?)
    })
}

/// A sum with all its decimals.
#[must_use]
pub fn exact(units: i128) -> String {
    let (sign, magnitude) = (if units < 0 { "-" } else { "" }, units.unsigned_abs());
    let one = ONE.unsigned_abs();
    let text = format!("{sign}{}.{:018}", magnitude / one, magnitude % one);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_added_up_exactly_and_rounded_once_half_up() {
        for (text, cents) in [
            ("12.5", "12.50"),
            ("0.005", "0.01"),
            ("0.004999999999999999", "0.00"),
            ("7.44E-05", "0.00"),
            ("-0.005", "-0.01"),
            ("1234567890123", "1234567890123.00"),
            ("0", "0.00"),
            ("1.0000000000000000000000", "1.00"),
            ("125e-1", "12.50"),
        ] {
            assert_eq!(units(text).and_then(|units| rounded(units, 2)).as_deref(), Some(cents), "{text}");
        }
        for none in ["", "a", "1,5", "1.23E+05", "1.2.3", "--1", ".", "1E-", "0.0000000000000000001", "1e-99"]
        {
            assert_eq!(units(none), None, "{none}");
        }
        assert_eq!(exact(units("0.3724").unwrap()), "0.3724");
        assert_eq!(exact(units("-12").unwrap()), "-12");
        let mut total = Total::default();
        for line in 2..1_002 {
            total.add(units("0.001"), line);
        }
        assert_eq!((rounded(total.units, 2).as_deref(), total.rows, total.first), (Some("1.00"), 1_000, 2));
        total.add(None, 1_002);
        total.add(units("1"), 1_003);
        assert_eq!(total.incomplete, Some(1_002));
    }
}
