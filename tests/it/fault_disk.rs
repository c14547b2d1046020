//! The disk of the data directory is full: the night says so and ends; once there is room it goes on, and nothing is
//! lost or doubled.

use std::{
    fs::{self, File},
    io::Write,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
};

use crate::{
    cluster::{BEGUN, Cluster, files, same, to_its_end},
    house::{Ran, Scratch},
};

const PARTNERS: usize = 20;
const ORDERS: usize = 300;
/// Room for a fresh cluster with its write-ahead log, and not for much more.
const DISK: &str = "size=96m,mode=0755";
/// What is left of it, one time after the other, in KiB: room for nothing, for a few rows, for a file, for some pages
/// of the log; with a part of a night done each time, each hits it elsewhere.
const LEFT_KIB: [u64; 8] = [0, 64, 8, 256, 1_024, 0, 2_048, 512];

/// A small file system of its own; gone when dropped.
struct Disk(Scratch);

impl Disk {
    /// `None` where the machine does not let us mount.
    fn mount() -> Option<Self> {
        let at = Scratch::new();
        let mounted =
            Command::new("mount").args(["-t", "tmpfs", "-o", DISK, "tmpfs"]).arg(at.path()).output();
        let mounted = mounted.is_ok_and(|mounted| mounted.status.success());
        mounted.then(|| Self(at))
    }

    fn filler(&self) -> PathBuf {
        self.0.join("filler")
    }

    /// Takes all of it but so much.
    fn fill(&self, left_kib: u64) {
        let mut filler = File::create(self.filler()).unwrap();
        let (mut size, page) = (0, [0_u8; 4096]);
        while filler.write_all(&page).is_ok() {
            size += 4096;
        }
        filler.set_len(u64::saturating_sub(size, left_kib * 1024)).unwrap();
    }

    fn free(&self) {
        fs::remove_file(self.filler()).unwrap();
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(self.0.path()).status();
    }
}

fn said_why(ran: &Ran) -> bool {
    ["No space left on device", "the database is down", "the private Postgres"]
        .iter()
        .any(|words| ran.stderr.contains(words))
}

fn folder(disk: &Path) -> PathBuf {
    let folder = disk.join("data");
    fs::create_dir(&folder).unwrap();
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o755)).unwrap();
    folder
}

#[tokio::test(flavor = "multi_thread")]
async fn promise_3_a_full_disk_stops_the_night_and_room_on_it_lets_it_go_on() {
    let Some(disk) = Disk::mount() else {
        println!("skipped: this machine does not let us mount a small file system");
        return;
    };
    let elsewhere = Cluster::start().await;
    let dropped = files(&elsewhere.dir().join("drop"), PARTNERS, ORDERS);
    let straight = elsewhere.clone_of("straight", BEGUN).await;
    straight.drop_in(&dropped);
    straight.run(&["night"]).ended(0);
    let expected = straight.outcome().await;

    let store = Cluster::private(folder(disk.0.path()));
    store.drop_in(&dropped);
    let mut failed = 0;
    for left in LEFT_KIB {
        disk.fill(left);
        let ran = store.run(&["night"]);
        disk.free();
        println!("{left} KiB left: {} {}", ran.code, ran.stderr.lines().last().unwrap_or_default());
        match ran.code {
            0 => break,
            1 | 6 => assert!(said_why(&ran), "{left} KiB left: {ran:?}"),
            _ => panic!("{left} KiB left: {ran:?}"),
        }
        failed += 1;
    }
    assert!(failed >= 2, "the disk was never full enough");
    to_its_end(|| store.command(&["night"]), &[0], "with room");
    same(&store.outcome().await, &expected, "with room");
    store.nothing_is_wrong("with room").await;
    let (starts, lost) = store.starts().await;
    println!("{failed} nights failed; {starts} starts, {lost} came to nothing");
}
