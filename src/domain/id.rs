//! What things are called: inside the store by a number that it gives, one type a thing, so that no two can be confused.

use std::fmt;

/// Declares numbers that the store gives.
macro_rules! numbers {
    ($($(#[$doc:meta])* $name:ident,)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
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
}
