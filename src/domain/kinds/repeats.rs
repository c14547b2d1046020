//! Rows of one file with the same key (D16). Of a state kind a key stands once in a file: rows that say the same are one,
//! and where they do not, none of them holds. A row that cannot be read says nothing, and contradicts no other.
//!
//! A file is read twice only if a key comes again: the first reading keeps eight bytes a row, which tell which keys may.

use std::{
    collections::{BTreeMap, HashSet},
    hash::{DefaultHasher, Hash, Hasher},
};

use super::{Kind, cell::Cells, schema::RowMeaning};

/// The keys of a file, as its rows are read.
#[derive(Debug, Default)]
pub struct Keys {
    hashes: Vec<u64>,
}

impl Keys {
    /// Notes the key of a row.
    pub fn note(&mut self, cells: &Cells<'_>) {
        self.hashes.extend(cells.key_and_content().map(|(key, _)| hash(&key)));
    }

    /// The keys that may stand twice.
    #[must_use]
    pub fn twice(mut self) -> Repeats {
        self.hashes.sort_unstable();
        let twice = self.hashes.windows(2).filter_map(|pair| match pair {
            [a, b] if a == b => Some(*a),
            _ => None,
        });
        Repeats { twice: twice.collect(), rows: BTreeMap::new() }
    }
}

/// The rows whose keys may stand twice, as a file is read again.
#[derive(Debug)]
pub struct Repeats {
    twice: HashSet<u64>,
    /// By key: what the row says, its number, its line.
    rows: BTreeMap<String, Vec<(u64, i32, i32)>>,
}

impl Repeats {
    /// Whether no key stands twice.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.twice.is_empty()
    }

    /// Notes a row of `kind`.
    pub fn note(&mut self, kind: Kind, cells: &Cells<'_>, row_no: i32, line: i32) {
        if let Some((key, content)) = cells.key_and_content()
            && self.twice.contains(&hash(&key))
            && kind.problems(cells).is_empty()
        {
            self.rows.entry(key).or_default().push((hash(&content), row_no, line));
        }
    }

    /// The rows that are contradicted, in their order, each with the first line that says something else.
    #[must_use]
    pub fn contradicted(self) -> Vec<(i32, i32)> {
        let mut found = Vec::new();
        for rows in self.rows.into_values() {
            let Some((content, _, line)) = rows.first().copied() else { continue };
            let Some((_, _, other)) = rows.iter().copied().find(|(said, ..)| *said != content) else {
                continue;
            };
            let at = |said| if said == content { other } else { line };
            found.extend(rows.iter().map(|(said, row_no, _)| (*row_no, at(*said))));
        }
        found.sort_unstable();
        found
    }
}

impl Kind {
    /// Whether a key stands once in a file of it (D16).
    #[must_use]
    pub fn has_each_key_once(self) -> bool {
        matches!(self.schema().facts, RowMeaning::State)
    }
}

/// A hash of a key, the same while the process lives.
#[must_use]
pub fn hash(text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::{super::cell::tests as row, *};

    /// The contradicted rows of a kind's file; its cells in the order of its columns.
    fn contradicted(kind: Kind, rows: &[&str]) -> Vec<(i32, i32)> {
        let read = |note: &mut dyn FnMut(&Cells<'_>, i32)| {
            for (text, number) in rows.iter().zip(1..) {
                let names = kind.columns().iter().map(|column| column.name);
                let pairs: Vec<(&str, &str)> = names.zip(text.split(',')).collect();
                let noting = |cells: &Cells<'_>| {
                    note(cells, number);
                    Ok::<_, Vec<_>>(())
                };
                row::parse(kind.columns(), noting, &pairs).unwrap();
            }
        };
        let mut keys = Keys::default();
        read(&mut |cells, _| keys.note(cells));
        let mut repeats = keys.twice();
        read(&mut |cells, number| repeats.note(kind, cells, number, number + 1));
        repeats.contradicted()
    }

    #[test]
    fn d16_rows_of_one_key_that_say_the_same_in_other_words_are_one() {
        let user = "42,ABC,bo@x.example,Bo,,Member,TRUE,global_admin + admin_agent,pt-br";
        let same = "42,abc,bo@x.example,Bo,,member,true,Admin_Agent+global_admin,pt-BR";
        assert_eq!(contradicted(Kind::Users, &[user, same]), []);
        let order = "42,A,silver,azure_monthly_credit,core,1,2024-01-31,2024-01-31,2025-01-30,100.00,USD,,";
        let same = "42,A,Silver,azure_monthly_credit,Core,01,2024-01-31,2024-01-31,2025-01-30,100,usd,,";
        assert_eq!(contradicted(Kind::Entitlements, &[order, same]), []);
        let contact = "42,bo@x.example,mk@x.example,+46 8 123 456,sv,";
        let same = "42,bo@x.example,mk@x.example,+46-8-123456,sv,";
        assert_eq!(contradicted(Kind::Contacts, &[contact, same]), []);
    }

    #[test]
    fn d16_each_contradicted_row_names_the_first_line_that_says_something_else() {
        let of = |number: &str, name: &str| format!("{number},{name},a@x.example,SE,SEK,,sv,");
        let rows = [
            of("1", "A"),
            of("2", "B"),
            of("1", "A"),
            of("1", "C"),
            of("3", "D"),
            of("3", "D"),
            of("1", "E"),
        ];
        let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
        assert_eq!(contradicted(Kind::Partners, &rows), [(1, 5), (3, 5), (4, 2), (7, 2)]);
        assert_eq!(contradicted(Kind::Partners, &[",A,,,,,,", ",B,,,,,,"]), [], "rows without a key");
        let unread =
            [&*of("1", "A"), "1,A,no address,SE,SEK,,sv,", &of("1", "A"), "1,,a@x.example,SE,SEK,,sv,"];
        assert_eq!(contradicted(Kind::Partners, &unread), [], "rows that cannot be read");
        let states = Kind::ALL.iter().filter(|kind| kind.has_each_key_once()).map(|kind| kind.name());
        assert_eq!(states.collect::<Vec<_>>(), ["partners", "users", "contacts", "entitlements"]);
    }
}
