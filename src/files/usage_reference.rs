//! What the uses of a portal's file are called: a reference names a part of a use, and files of several widths tell the parts of
//! one use apart by different columns (D15).

/// The column in which rows of one use agree: its reference, with [`ANY_PART`] where the resource stands.
pub const WHOLE: &str = "use";
/// What stands for any resource.
pub const ANY_PART: &str = "*";
/// What stands for a resource of which a file with resources says nothing.
pub const NO_PART: &str = "-";
/// What the resource begins with of a file that has names of resources, and not their GUIDs.
pub const BY_NAME: &str = "name:";

/// By which column a file tells the parts of a use apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UsageParts {
    /// By none: its rows are of services.
    Services,
    /// By the names of resources.
    Names,
    /// By the GUIDs of resources.
    Guids,
}

/// How a reference tells a part of a use. `None`: it is of another use, or not of this portal.
#[must_use]
pub fn part_of(reference: &str, whole: &str) -> Option<UsageParts> {
    let (before, behind) = whole.split_once(ANY_PART)?;
    match reference.strip_prefix(before)?.strip_suffix(behind)? {
        "" => Some(UsageParts::Services),
        part if part.starts_with(BY_NAME) => Some(UsageParts::Names),
        _ => Some(UsageParts::Guids),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn d15_a_part_of_a_use_is_known_by_its_reference() {
        let whole = "s/2024-08-18/*/storage/eu north";
        for (reference, parts) in [
            ("s/2024-08-18//storage/eu north", Some(UsageParts::Services)),
            ("s/2024-08-18/name:disk/storage/eu north", Some(UsageParts::Names)),
            ("s/2024-08-18/0b1e/storage/eu north", Some(UsageParts::Guids)),
            ("s/2024-08-18/-/storage/eu north", Some(UsageParts::Guids)),
            ("s/2024-08-19//storage/eu north", None),
            ("s/2024-08-18//storage/eu west", None),
            ("INV-7", None),
        ] {
            assert_eq!(part_of(reference, whole), parts, "{reference}");
        }
    }
}
