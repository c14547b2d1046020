//! # Fuzz targets: whatever bytes a file has
//!
//! One target for the reader of texts, one for dialects, one for workbooks, one for what comes back about mails, and one for each portal. A target is a plain
//! function over bytes that panics where a stated property does not hold; the bytes are what seeded mutations make of a small
//! corpus of our own. It needs no tool and no other compiler.
//!
//! ```sh
//! cargo test --test fuzz                                       # a few hundred mutations a target: seconds
//! BENEFACTOR_FUZZ_SECONDS=600 cargo test --test fuzz           # each target for ten minutes
//! BENEFACTOR_FUZZ_SECONDS=600 cargo test --test fuzz workbook  # one of them
//! BENEFACTOR_FUZZ_SEED=4711 BENEFACTOR_FUZZ_SECONDS=0 cargo test --test fuzz reader   # one mutation again
//! ```
//!
//! The mutations are the same in every run: number `n` is made of the seed `n` alone, and the first seed is 1 unless
//! `BENEFACTOR_FUZZ_SEED` says another. A failure names the target and the seed, and shows the bytes.
//!
//! | target | what holds for any bytes |
//! |---|---|
//! | all | no panic; an end within a minute; less than a gigabyte of memory; a refusal has a code, and its line and byte are of the file |
//! | `reader` | the same rows or the same refusal however the bytes arrive; the rows are what the `csv` crate reads, none left out; written again they are read again |
//! | `dialect` | every cell is taken or marked with a reason; the same text in another encoding, and the same rows between other delimiters, say the same or leave a cell to be settled; what was taken is canonical |
//! | `workbook` | two readings agree; every cell is what a second, strict reading of the XML finds there, and no cell is left out |
//! | `bounces` | the same report however often it is read; what it says is one short line; its tokens look like ones |
//! | portals | a row of the file is a row on the stage, passed over, refused or given; the order of columns makes no difference; the sums are those of the rows |
//!
//! Beside them a valid text in every encoding, and a workbook, are cut at every byte; and of each oddity that the collections
//! of other libraries test, a file of our own has its outcome beside its name (`oddities.rs`).
//!
//! What a long run finds is mended with a test beside the code, and its kind of mutation stays here.

// It always holds here, and tells clippy that functions beside the tests are tests' code as well.
#![cfg(test)]

mod archive;
mod bounces;
mod corpus;
mod cut;
mod dialect;
mod mutation;
mod oddities;
mod portals;
mod reader;
mod run;
mod taken;
mod workbook;
