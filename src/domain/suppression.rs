//! What does not go to a suppressed address: all mail, or marketing alone (D10).

use serde::Serialize;
use strum::VariantNames;

/// What a suppression keeps from an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, VariantNames)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum SuppressionScope {
    /// All mail: the address cannot be written to.
    All,
    /// Marketing: whoever reads there wants none, and is told everything else.
    Marketing,
}

impl SuppressionScope {
    /// As stored and reported.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Marketing => "marketing",
        }
    }

    /// The scope of that name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        [Self::All, Self::Marketing].into_iter().find(|scope| scope.as_str() == name)
    }

    /// What does not go there, in a sentence about mail.
    #[must_use]
    pub const fn mail(self) -> &'static str {
        match self {
            Self::All => "mail",
            Self::Marketing => "marketing mail",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_is_known_by_its_name() {
        for name in SuppressionScope::VARIANTS {
            assert_eq!(SuppressionScope::parse(name).map(SuppressionScope::as_str), Some(*name));
        }
        assert_eq!(SuppressionScope::parse("none"), None);
    }
}
