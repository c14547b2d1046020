//! A big file's rows are applied partner by partner: those of one partner are in one bucket, in the order of the file, so
//! that what is known of a partner is read once, however its rows lie in the file.
//!
//! Nothing depends on how rows of different partners follow each other, but for two things. Partners of one group share
//! their caps (D12): all of them are in one bucket. An order belongs to the partner that names it first (D5): a file in which
//! two partners name the same order is applied as it is.

use std::{
    collections::{BTreeMap, HashSet},
    sync::Arc,
};

use sqlx::PgConnection;

use crate::{
    domain::{
        id::PartnerId,
        kinds::{Kind, repeats::hash},
    },
    files::{profile::Profile, reader::Record},
    jobs::engine::Result,
    store::{file_chunk::FileSpan, people, run::FACT_LANES},
};

/// About as many bytes has a row of entitlements; how many rows a file has is known only at its end.
const ROW_BYTES: u64 = 100;
/// A bucket is applied at once that has so many times the rows of a chunk; one that has more, in several chunks.
const AT_ONCE: usize = 2;

/// Which rows of a file are applied together.
#[derive(Clone, Debug)]
pub struct Buckets {
    /// How many there are, beside that of the grouped.
    count: u32,
    /// Partner IDs of partners that belong to a group.
    grouped: Arc<HashSet<PartnerId>>,
}

impl Buckets {
    /// All rows in the order of the file.
    pub fn one() -> Self {
        Self { count: 1, grouped: Arc::default() }
    }

    /// Those of a file of so many bytes, of which not all rows are of one partner.
    pub async fn of(conn: &mut PgConnection, kind: Kind, bytes: u64, chunk_rows: i32) -> Result<Self> {
        let chunk_bytes = u64::from(chunk_rows.unsigned_abs().max(1)).saturating_mul(ROW_BYTES);
        let count = u32::try_from(bytes / chunk_bytes).unwrap_or(u32::MAX);
        if kind != Kind::Entitlements || count < 2 {
            return Ok(Self::one());
        }
        // Of a multiple of the lanes, every bucket but that of the grouped has partners of one lane, the same in every file.
        let lanes = FACT_LANES.unsigned_abs();
        let count = if count < lanes { count } else { count.div_ceil(lanes).saturating_mul(lanes) };
        Ok(Self { count, grouped: Arc::new(people::grouped(conn).await?.into_iter().collect()) })
    }

    /// Those that a file was staged in.
    pub fn remembered(count: i32, grouped: Vec<PartnerId>) -> Self {
        Self { count: count.unsigned_abs().max(1), grouped: Arc::new(grouped.into_iter().collect()) }
    }

    /// How many there are, and the Partner IDs in the one of the grouped, as they are stored.
    pub fn stored(&self) -> (i32, Vec<PartnerId>) {
        let mut grouped: Vec<PartnerId> = self.grouped.iter().cloned().collect();
        grouped.sort_unstable();
        (i32::try_from(self.count).unwrap_or(i32::MAX), grouped)
    }

    /// The bucket of the rows of a partner that is written so.
    fn of_partner(&self, cell: &str) -> i32 {
        if self.count == 1 || self.grouped.contains(cell) {
            return 0;
        }
        i32::try_from(1 + stable_hash(cell) % u64::from(self.count)).unwrap_or(0)
    }
}

/// The lane of a partner that is written so: the same as that of its bucket, in files that have as many as there are lanes.
pub fn lane_of(cell: &str) -> i32 {
    i32::try_from(stable_hash(cell) % u64::from(FACT_LANES.unsigned_abs())).unwrap_or(0)
}

/// FNV-1a: the same in every version of the program, because rows whose stage was lost are put where they were.
fn stable_hash(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

/// Rows as they are put into buckets, and the chunks that this makes.
#[derive(Debug)]
pub struct Sorting {
    buckets: Buckets,
    chunk_rows: usize,
    /// Where the partner and the order stand.
    places: [Option<usize>; 2],
    /// By bucket: first row, last row and number of rows of the chunk that is not full yet.
    open: BTreeMap<i32, (i32, i32, usize)>,
    full: Vec<FileSpan>,
    /// Hashes of an order and the partner that names it, where they differ from the row before.
    named: Vec<(u64, u64)>,
}

impl Sorting {
    /// For rows of `profile`; chunks have `chunk_rows` rows.
    pub fn of(buckets: Buckets, profile: &Profile, chunk_rows: i32) -> Self {
        let place = |name| profile.place(name);
        let chunk_rows = usize::try_from(chunk_rows).unwrap_or(usize::MAX).max(1);
        let (chunk_rows, places) = if buckets.count == 1 {
            (chunk_rows, [None, None])
        } else {
            (chunk_rows.saturating_mul(AT_ONCE), [place("partner_id"), place("order_id")])
        };
        Self { buckets, chunk_rows, places, open: BTreeMap::new(), full: vec![], named: vec![] }
    }

    /// The bucket of the next row.
    pub fn next(&mut self, row_no: i32, record: &Record) -> i32 {
        let [partner, order] =
            self.places.map(|at| at.and_then(|at| record.get(at)).unwrap_or_default().trim());
        let bucket = self.buckets.of_partner(partner);
        if self.buckets.count > 1 {
            let named = (hash(order), hash(partner));
            if self.named.last() != Some(&named) {
                self.named.push(named);
            }
        }
        let (_, last, rows) = self.open.entry(bucket).or_insert((row_no, row_no, 0));
        *last = row_no;
        *rows += 1;
        if *rows == self.chunk_rows {
            self.close(bucket);
        }
        bucket
    }

    fn close(&mut self, bucket: i32) {
        if let Some((first_row, last, _)) = self.open.remove(&bucket) {
            self.full.push(FileSpan { bucket, first_row, until_row: last.saturating_add(1) });
        }
    }

    /// The chunks of all rows. `None`: partners dispute an order, and the rows are to be applied in the order of the file.
    pub fn chunks(mut self) -> Option<Vec<FileSpan>> {
        self.named.sort_unstable();
        self.named.dedup();
        if self.named.windows(2).any(|pair| matches!(pair, [(a, _), (b, _)] if a == b)) {
            return None;
        }
        while let Some((bucket, _)) = self.open.first_key_value() {
            self.close(*bucket);
        }
        self.full.sort_unstable_by_key(|span| (span.bucket, span.first_row));
        Some(self.full)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn profile() -> Profile {
        let header = Record::of(
            1,
            "partner_id,order_id,offer,benefit,benefit_type,quantity,purchased_on,starts_on,expires_on"
                .split(','),
        );
        Profile::recognise(&header, None).unwrap()
    }

    fn sorted(buckets: Buckets, rows: &[(&str, &str)], chunk_rows: i32) -> (Vec<i32>, Option<Vec<FileSpan>>) {
        let mut sorting = Sorting::of(buckets, &profile(), chunk_rows);
        let of = rows.iter().zip(1..).map(|((partner, order), row_no)| {
            sorting.next(row_no, &Record::of(u64::from(row_no.unsigned_abs()), [*partner, *order]))
        });
        let of = of.collect();
        (of, sorting.chunks())
    }

    #[test]
    fn rows_of_a_partner_are_together_in_their_order_and_every_row_is_in_one_chunk() {
        let numbers: Vec<(String, String)> =
            (0..1000).map(|n| (format!("P{}", n % 37), format!("O{n}"))).collect();
        let rows: Vec<(&str, &str)> = numbers.iter().map(|(p, o)| (&**p, &**o)).collect();
        let buckets = Buckets { count: 7, grouped: Arc::new(["P3", "P5"].map(PartnerId::from).into()) };
        let (of, chunks) = sorted(buckets, &rows, 40);
        let chunks = chunks.unwrap();
        for (at, (partner, _)) in rows.iter().enumerate() {
            assert_eq!(of[at], of[at % 37], "{partner}");
            assert_eq!(of[at] == 0, ["P3", "P5"].contains(partner));
            let row_no = i32::try_from(at).unwrap() + 1;
            let within = |span: &&FileSpan| {
                span.bucket == of[at] && (span.first_row..span.until_row).contains(&row_no)
            };
            assert_eq!(chunks.iter().filter(within).count(), 1);
        }
        assert!(chunks.len() < 1000 / 40, "{chunks:?}");
    }

    #[test]
    fn d5_of_an_order_that_two_partners_name_the_order_of_the_file_decides() {
        let two = Buckets { count: 2, grouped: Arc::default() };
        assert_eq!(sorted(two.clone(), &[("1", "A"), ("2", "B"), ("1", "A"), ("2", "A")], 10).1, None);
        assert!(sorted(two, &[("1", "A"), ("2", "B"), ("1", "A")], 10).1.is_some());
        let (of, chunks) = sorted(Buckets::one(), &[("1", "A"), ("2", "A"), ("3", "A")], 2);
        assert_eq!(of, [0; 3]);
        let span = |first_row, until_row| FileSpan { bucket: 0, first_row, until_row };
        assert_eq!(chunks, Some(vec![span(1, 3), span(3, 4)]));
    }

    #[test]
    fn what_is_stored_gives_every_partner_its_bucket_again() {
        let buckets = Buckets { count: 99, grouped: Arc::new([PartnerId::from("4301")].into()) };
        let (count, grouped) = buckets.stored();
        let again = Buckets::remembered(count, grouped);
        for partner in ["4301", "4302", "", "Ö"] {
            assert_eq!(again.of_partner(partner), buckets.of_partner(partner));
        }
        assert_eq!(buckets.of_partner("4302"), 83, "it must stay what it is: staged rows rely on it");
    }
}
