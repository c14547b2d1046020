//! What the steps came to, with the bars beside it.

use std::{collections::BTreeMap, io::Write as _};

use anyhow::Result;

use super::{Store, steps::Of};

/// The most that an exponent should be.
const EXPONENT: f64 = 1.1;
/// Seconds below which a time says more about the start of a process than about its work.
const SLIGHT: f64 = 0.5;
/// Rows a second of a file, at least, by those of entitlements in the same run.
const SHARE: f64 = 1.0 / 3.0;
/// Seconds of the store's time that an answer about one partner, order, user, key or request may take at the largest size.
const ONE: f64 = 0.020;
/// Steps with a bar in seconds at one size.
const WITHIN: [(&str, u64, f64, &str); 2] = [
    ("apply_cancellations", 10_000, 5.0, "10,000 cancellations"),
    ("email_contacts, queueing", 100_000, 10.0, "100,000 recipients queued"),
];

/// What one run of a step took.
#[derive(Clone, Copy, Debug)]
pub struct Took {
    /// How many rows it worked on.
    pub worked_on: u64,
    /// From its start to its end.
    pub seconds: f64,
    /// Of it, seconds in statements.
    pub in_store: f64,
    /// It took too long and was stopped.
    pub stopped: bool,
    /// It worked on less than it should: one before it was stopped.
    pub short: bool,
}

/// A step and what it took at each size, smallest first.
pub struct Line {
    /// Its name.
    pub what: String,
    /// What it works on.
    pub of: Of,
    /// At each size.
    pub took: Vec<Took>,
}

/// Prints all of it.
pub fn tell(lines: &[Line], sizes: &[u64], store: Store) -> Result<()> {
    let mut out = std::io::stdout().lock();
    let store = match store {
        Store::Filled => "just filled, no statistics",
        Store::Analysed => "analysed before each step",
    };
    write!(out, "\n{:<36}", format!("growth, {store}"))?;
    for rows in sizes {
        write!(out, " {:>9}", format!("{rows}, s"))?;
    }
    writeln!(
        out,
        " {:>9} {:>8} {:>4} {:>6} {:>9} {:>6} {:>5}",
        "in store", "exponent", "bar", "last", "rows/s", "share", "bar"
    )?;
    let rates: BTreeMap<&str, f64> = lines.iter().map(|line| (line.what.as_str(), line.rate())).collect();
    let entitlements = rates.get("import entitlements").copied().unwrap_or(f64::NAN);
    for line in lines {
        writeln!(out, "{}", line.told(sizes.len(), entitlements))?;
    }
    for (what, rows, bar, told) in WITHIN {
        let took = lines.iter().filter(|line| line.what == what).flat_map(|line| &line.took);
        for took in took.filter(|took| took.worked_on == rows && took.is_sound()) {
            writeln!(out, "{told}: {:.2} s, bar {bar:.0} s{}", took.seconds, above(took.seconds, bar))?;
        }
    }
    if lines.iter().any(|line| line.took.iter().any(|took| took.short)) {
        writeln!(out, "?: on less than there should be, since a step before was stopped")?;
    }
    Ok(())
}

fn above(value: f64, bar: f64) -> &'static str {
    if value > bar { "  above its bar" } else { "" }
}

impl Took {
    /// Whether it was all the work that it was to be.
    const fn is_sound(&self) -> bool {
        !self.stopped && !self.short
    }
}

impl Line {
    fn told(&self, sizes: usize, entitlements: f64) -> String {
        let mut cells = vec![format!("{:<36}", self.what)];
        for at in 0..sizes {
            cells.push(match self.took.get(at) {
                Some(took) if took.stopped => format!("{:>9}", "stopped"),
                Some(took) if took.short => format!("{:>8.3}?", took.seconds),
                Some(took) => format!("{:>9.3}", took.seconds),
                None => format!("{:>9}", ""),
            });
        }
        let last = self.sound().last().copied();
        cells.push(last.map_or_else(String::new, |last| format!("{:.3}", last.in_store)));
        let index = |of: Option<f64>| of.map_or_else(String::new, |of| format!("{of:.2}"));
        let (mut exponent, mut bar, mut late) =
            (self.exponent(), format!("{EXPONENT:.1}"), self.last_exponent());
        if self.of == Of::One {
            (exponent, bar, late) = (None, String::new(), None);
        }
        let file = match self.of {
            Of::File(_) => {
                format!("{:>9.0} {:>6.2} {SHARE:>5.2}", self.rate(), self.rate() / entitlements)
            }
            Of::Rows(_) => format!("{:>9.0}", self.rate()),
            Of::All | Of::One => String::new(),
        };
        let line = format!(
            "{} {:>9} {:>8} {:>4} {:>6} {file}{}",
            cells[..=sizes].join(" "),
            cells[sizes + 1],
            index(exponent),
            bar,
            index(late),
            self.remark(entitlements)
        );
        line.trim_end().to_owned()
    }

    /// What stands out.
    fn remark(&self, entitlements: f64) -> String {
        if let Some(stopped) = self.took.iter().find(|took| took.stopped) {
            return format!("  stopped after {:.0} s", stopped.seconds);
        }
        let Some(last) = self.sound().last().copied() else { return String::new() };
        let slow = last.seconds > SLIGHT;
        let steep = [self.exponent(), self.last_exponent()].into_iter().flatten().any(|e| e > EXPONENT);
        match self.of {
            Of::One => format!(
                "  {:.1} ms, bar {:.0} ms{}",
                last.in_store * 1e3,
                ONE * 1e3,
                above(last.in_store, ONE)
            ),
            _ if slow && steep => "  grows faster than its work".to_owned(),
            Of::File(_) if slow && self.rate() < SHARE * entitlements => {
                "  slow beside entitlements".to_owned()
            }
            _ => String::new(),
        }
    }

    fn sound(&self) -> Vec<Took> {
        self.took.iter().filter(|took| took.is_sound()).copied().collect()
    }

    /// Rows a second at the largest size.
    fn rate(&self) -> f64 {
        self.sound().last().map_or(f64::NAN, |last| count(last.worked_on) / last.seconds)
    }

    /// Times grow as so manieth power of the work: least squares over all sizes, both as logarithms.
    fn exponent(&self) -> Option<f64> {
        exponent(&self.sound())
    }

    /// The same from the last size but one to the last.
    fn last_exponent(&self) -> Option<f64> {
        let sound = self.sound();
        exponent(sound.get(sound.len().checked_sub(2)?..)?)
    }
}

fn exponent(took: &[Took]) -> Option<f64> {
    let points: Vec<(f64, f64)> = took.iter().map(|t| (count(t.worked_on).ln(), t.seconds.ln())).collect();
    let of = f64::from(u32::try_from(points.len()).ok()?);
    let (x, y) = points.iter().fold((0.0, 0.0), |(x, y), point| (x + point.0 / of, y + point.1 / of));
    let across: f64 = points.iter().map(|point| (point.0 - x) * (point.1 - y)).sum();
    let along: f64 = points.iter().map(|point| (point.0 - x).powi(2)).sum();
    (along > 0.0).then_some(across / along)
}

#[expect(clippy::cast_precision_loss, reason = "numbers of rows are small")]
const fn count(rows: u64) -> f64 {
    rows as f64
}
