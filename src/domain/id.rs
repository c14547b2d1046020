//! What things are called: inside the store by a number that it gives, outside by the text that files and people name them by.
//! One type a thing, so that no two can be confused.

use std::{borrow::Borrow, fmt, num::ParseIntError, str::FromStr};

use serde::{Deserialize, Serialize};

/// Declares numbers that the store gives.
macro_rules! numbers {
    ($($(#[$doc:meta])* $name:ident,)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize)]
        #[serde(transparent)]
        pub struct $name(i64);

        impl $name {
            /// The number itself.
            #[must_use]
            pub const fn get(self) -> i64 {
                self.0
            }
        }

        impl From<i64> for $name {
            fn from(number: i64) -> Self {
                Self(number)
            }
        }

        impl FromStr for $name {
            type Err = ParseIntError;

            fn from_str(text: &str) -> Result<Self, ParseIntError> {
                text.parse().map(Self)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    )*};
}

numbers! {
    /// A partner's number in the store.
    PartnerNo,
    /// An order's number in the store.
    OrderNo,
    /// An entitlement's number in the store.
    EntitlementNo,
    /// A directory user's number in the store.
    UserNo,
    /// The number in the store of a file that was taken in.
    FileNo,
    /// The number in the store of a job's run for a business date.
    RunNo,
    /// A product key's number in the store, behind the K that it is called by.
    KeyNo,
    /// A request's number in the store.
    RequestNo,
    /// A decision's number in the store.
    DecisionNo,
    /// The number in the store of usage that a row stated.
    UsageNo,
}

/// Declares names that are given outside. Whoever reads one from a cell has its form checked first (`kinds/forms.rs`); two are
/// the same where their letters are.
macro_rules! names {
    ($($(#[$doc:meta])* $name:ident,)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// Its letters.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl From<String> for $name {
            fn from(name: String) -> Self {
                Self(name)
            }
        }

        impl From<&str> for $name {
            fn from(name: &str) -> Self {
                Self(name.to_owned())
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> Self {
                name.0
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl PartialEq<str> for $name {
            fn eq(&self, other: &str) -> bool {
                self.0 == other
            }
        }

        impl PartialEq<&str> for $name {
            fn eq(&self, other: &&str) -> bool {
                self.0 == *other
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    )*};
}

names! {
    /// A Partner ID, such as 4100101.
    PartnerId,
    /// An order's, such as MPN-240131-101.
    OrderId,
    /// A directory user's, as the directory has it: a GUID in lower case, or other text.
    ObjectId,
    /// A service request's, as the partner calls it, such as SR-1.
    RequestId,
    /// The Access ID that a partner asks for support with (R6).
    AccessId,
    /// The Contract ID that support of an order is asked for with (R6).
    ContractId,
    /// An Azure subscription's: a GUID in lower case, or other text.
    SubscriptionId,
    /// A directory tenant's: a GUID in lower case.
    TenantId,
}
