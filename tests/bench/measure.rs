//! What a round costs, and the table that says so.

use std::{
    fmt, fs,
    path::Path,
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Result, ensure};

/// How often a process is asked for its peak memory.
const POLL: Duration = Duration::from_millis(10);

/// What one run of the program cost.
#[derive(Clone, Copy, Debug)]
pub struct Cost {
    /// Wall time, from start to exit.
    pub seconds: f64,
    /// Peak resident memory of the process, as Linux counts it; 0 elsewhere.
    pub peak_kib: u64,
}

/// Runs a command to its good end; rows may be refused (exit 3).
pub fn run(command: &mut Command) -> Result<Cost> {
    let ended = run_within(command.stdout(Stdio::null()), None)?;
    ensure!(matches!(ended.code, Some(0 | 3)), "{command:?} ended with {:?}", ended.code);
    Ok(ended.cost)
}

/// How a command ended.
#[derive(Clone, Copy, Debug)]
pub struct Ended {
    /// What it cost until then.
    pub cost: Cost,
    /// Its exit code, unless a signal ended it.
    pub code: Option<i32>,
    /// It took longer than its limit and was stopped.
    pub stopped: bool,
}

/// Runs a command to its end, or until it takes longer than the limit.
pub fn run_within(command: &mut Command, limit: Option<Duration>) -> Result<Ended> {
    let started = Instant::now();
    let mut child = command.stdin(Stdio::null()).spawn()?;
    let status = Path::new("/proc").join(child.id().to_string()).join("status");
    let mut peak_kib = 0;
    loop {
        let ended = child.try_wait()?;
        let cost = Cost { seconds: started.elapsed().as_secs_f64(), peak_kib };
        if let Some(ended) = ended {
            return Ok(Ended { cost, code: ended.code(), stopped: false });
        }
        if limit.is_some_and(|limit| started.elapsed() > limit) {
            child.kill()?;
            child.wait()?;
            return Ok(Ended { cost, code: None, stopped: true });
        }
        let text = fs::read_to_string(&status).unwrap_or_default();
        let mark = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kib = mark.and_then(|mark| mark.trim().trim_end_matches(" kB").parse().ok());
        peak_kib = peak_kib.max(kib.unwrap_or(0));
        thread::sleep(POLL);
    }
}

/// The middle one of several.
pub fn median(mut seconds: Vec<f64>) -> f64 {
    seconds.sort_by(f64::total_cmp);
    seconds.get(seconds.len() / 2).copied().unwrap_or(f64::NAN)
}

/// Short times in tenths of a millisecond, others in hundredths of a second.
fn seconds(of: f64) -> String {
    if of < 0.1 { format!("{of:.4}") } else { format!("{of:.2}") }
}

/// One line of the table.
struct Line {
    what: String,
    ours: f64,
    baseline: Option<(String, f64)>,
    target: Option<f64>,
    peak_kib: u64,
}

/// Everything that was measured.
#[derive(Default)]
pub struct Table {
    lines: Vec<Line>,
}

impl Table {
    /// Whether nothing was measured that has a line.
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// Adds a line: medians of ours and, if there is one, of what it is compared with, and the ratio aimed at.
    pub fn add(&mut self, what: &str, ours: &[Cost], baseline: Option<(&str, f64)>, target: Option<f64>) {
        let line = Line {
            what: what.to_owned(),
            ours: median(ours.iter().map(|cost| cost.seconds).collect()),
            baseline: baseline.map(|(name, seconds)| (name.to_owned(), seconds)),
            target,
            peak_kib: ours.iter().map(|cost| cost.peak_kib).max().unwrap_or(0),
        };
        self.lines.push(line);
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{:<44} {:>8}  {:<34} {:>8} {:>6} {:>6} {:>9}",
            "what", "seconds", "against", "seconds", "ratio", "aim", "peak MiB"
        )?;
        for line in &self.lines {
            write!(f, "{:<44} {:>8}  ", line.what, seconds(line.ours))?;
            match &line.baseline {
                Some((name, baseline)) => {
                    write!(f, "{name:<34} {:>8} {:>6.3}", seconds(*baseline), line.ours / baseline)?;
                }
                None => write!(f, "{:<34} {:>8} {:>6}", "", "", "")?,
            }
            match line.target {
                Some(target) => write!(f, " {target:>6.2}")?,
                None => write!(f, " {:>6}", "")?,
            }
            writeln!(f, " {:>9}", line.peak_kib / 1024)?;
        }
        Ok(())
    }
}
