//! Writers that do what they like while their files are taken in, each after a schedule of its own: no byte is lost.

use std::{
    fs::{self, File},
    io::{Seek as _, Write as _},
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use super::{HEADER, Inbox, row, tree};
use crate::{
    cluster::{Dice, rounds},
    house::House,
    worker::Running,
};

/// In CI.
const SCHEDULES: u64 = 200;
/// At the same time.
const WRITERS: usize = 16;

/// One file's writer.
struct Writer<'a> {
    inbox: &'a Path,
    name: String,
    schedule: u64,
    rows: u64,
    file: Option<File>,
    /// Rows in the file that the writer knows by its name, or has open.
    mine: Vec<String>,
    /// Rows that nobody but us could lose.
    owed: Vec<String>,
    dice: Dice,
}

impl Writer<'_> {
    fn path(&self) -> PathBuf {
        self.inbox.join(&self.name)
    }

    fn next(&mut self) -> String {
        self.rows += 1;
        format!("7{:05}{:03}", self.schedule, self.rows)
    }

    /// The file as it is to be continued; a new one begins with its header.
    fn open(&mut self) {
        if self.file.is_none() {
            let mut file = File::options().create(true).append(true).open(self.path()).unwrap();
            if file.metadata().unwrap().len() == 0 {
                self.owed.append(&mut self.mine);
                file.write_all(HEADER.as_bytes()).unwrap();
            }
            self.file = Some(file);
        }
    }

    fn append(&mut self) {
        self.open();
        let number = self.next();
        let (text, file) = (row(&number), self.file.as_mut().unwrap());
        // A row in two halves.
        file.write_all(&text.as_bytes()[..9]).unwrap();
        std::thread::sleep(self.dice.pause(Duration::from_millis(30)));
        file.write_all(&text.as_bytes()[9..]).unwrap();
        self.mine.push(number);
    }

    /// Throws away what it wrote, and begins again: those rows are no more.
    fn truncate(&mut self) {
        self.open();
        let number = self.next();
        let file = self.file.as_mut().unwrap();
        file.set_len(0).unwrap();
        file.rewind().unwrap();
        file.write_all((HEADER.to_owned() + &row(&number)).as_bytes()).unwrap();
        self.mine = vec![number];
    }

    /// Puts another file in its place, whole.
    fn replace(&mut self) {
        self.file = None;
        let number = self.next();
        let beside = self.inbox.parent().unwrap().join(format!("beside-{}", self.schedule));
        fs::write(&beside, HEADER.to_owned() + &row(&number)).unwrap();
        fs::rename(&beside, self.path()).unwrap();
        self.mine = vec![number]; // what it replaced, it replaced itself
    }

    fn rename(&mut self) {
        let name = format!("s{}-{}.csv", self.schedule, self.rows);
        let moved = fs::rename(self.path(), self.inbox.join(&name));
        if moved.is_ok() {
            self.name = name;
        }
    }

    /// As one would that nobody saw: writes to what was taken in.
    fn write_late(&mut self) {
        let kept = self.inbox.join("done").join(&self.name);
        if let Ok(mut file) = File::options().append(true).open(kept) {
            let number = self.next();
            file.write_all(row(&number).as_bytes()).unwrap();
            self.owed.push(number);
        }
    }

    fn run(mut self) -> Vec<String> {
        for _ in 0..3 + self.dice.throw(6) {
            match self.dice.throw(8) {
                0 | 1 => self.append(),
                2 => self.truncate(),
                3 => self.replace(),
                4 => self.rename(),
                5 => self.write_late(),
                6 => {
                    self.open();
                    std::thread::sleep(Duration::from_millis(60));
                }
                _ => self.file = None,
            }
            std::thread::sleep(self.dice.pause(Duration::from_millis(150)));
        }
        self.owed.append(&mut self.mine);
        self.owed
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn f1_whatever_a_writer_does_while_its_file_is_taken_no_byte_is_lost() {
    let house = House::open().await;
    let quick = include_str!("../../../jobs/import_entitlements.toml")
        .replace("inbox_rest_ms = 2000", "inbox_rest_ms = 20")
        .replace("inbox_rest_unseen_ms = 10000", "inbox_rest_unseen_ms = 20");
    fs::create_dir_all(house.dir.join("config/jobs")).unwrap();
    fs::write(house.dir.join("config/jobs/import_entitlements.toml"), quick).unwrap();
    let inbox = Inbox::of(&house);
    let up = Running::start(&house, "2024-02-02T10:00:00Z", "up");
    let (seed, schedules) = (Dice::seed(), rounds(SCHEDULES));
    let (next, owed) = (Arc::new(AtomicU64::new(0)), Arc::new(Mutex::new(Vec::new())));
    std::thread::scope(|scope| {
        for _ in 0..WRITERS {
            scope.spawn(|| {
                loop {
                    let schedule = next.fetch_add(1, Ordering::Relaxed);
                    if schedule >= schedules {
                        return;
                    }
                    let (dice, name) = (Dice::of(seed, schedule), format!("s{schedule}.csv"));
                    let (mine, rows) = (Vec::new(), 0);
                    let (inbox, file, written) = (inbox.at.as_path(), None, Vec::new());
                    let writer = Writer { inbox, name, schedule, rows, file, mine, owed: written, dice };
                    owed.lock().unwrap().extend(writer.run());
                }
            });
        }
    });
    up.stop();
    let config = house.dir.join("config");
    for _ in 0..2 {
        let mut night = house.command(["--now", "2024-02-02T11:00:00Z", "run", "import_entitlements"]);
        crate::house::Ran::of(night.env("BENEFACTOR_CONFIG_DIR", &config)).ended(0);
    }
    let files = tree(&inbox.at);
    let waits = files.keys().filter(|name| !name.contains('/') && *name != ".taking").collect::<Vec<_>>();
    assert!(waits.is_empty() && files[".taking"] == b"0", "{waits:?}");
    let taken = house.lines("select number from partner").await;
    let originals: Vec<String> = files
        .iter()
        .filter(|(name, _)| !name.ends_with(".result.csv") && !name.ends_with(".note.txt"))
        .map(|(_, bytes)| String::from_utf8_lossy(bytes).into_owned())
        .collect();
    let owed = owed.lock().unwrap();
    let lost: Vec<&String> = owed
        .iter()
        .filter(|number| !taken.contains(number) && !originals.iter().any(|text| text.contains(&row(number))))
        .collect();
    println!(
        "{} rows owed of {schedules} schedules, {} taken in, {} files",
        owed.len(),
        taken.len(),
        files.len()
    );
    assert!(lost.is_empty(), "{lost:?}");
    assert!(taken.len() * 10 > owed.len() * 9, "{} of {}", taken.len(), owed.len());
}
