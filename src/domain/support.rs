//! Support tickets and advisory hours: who is covered for what, and what is drawn (R6, R7).

use super::{
    book::{Case, Ruling},
    service_request::Request,
};

/// Rules on a ticket or a request for hours.
pub fn decide(_case: &Case<'_>, _request: &Request) -> Ruling {
    Err(vec![])
}
