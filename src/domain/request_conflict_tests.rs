use serde_json::json;

use super::{
    tests::{MONTHLY, activates, assigns, book, key, name, service},
    *,
};
use crate::domain::{
    id::OrderId,
    kinds::{
        activations, assignments, key_requests,
        key_requests::KeyAction as Keying,
        schema::Column,
        service_requests::{self, Ticket},
    },
};

fn recorded(content: Value) -> Recorded {
    Recorded { request_no: 1.into(), content, waits: false, refused: false, refusal: None }
}

/// A request of every kind, with the columns of the file that it is asked for by.
fn of_every_kind() -> Vec<(Asked, &'static [Column])> {
    let product = || Some("Deskside 365".to_owned());
    let order_id = || Some(OrderId::from("ORD-1"));
    let ticket = || Ticket {
        order_id: order_id(),
        product: "Deskside 365".into(),
        product_version: None,
        access_id: None,
        contract_id: None,
    };
    let asks = [
        Request::Cancel { order_id: "ORD-1".into() },
        Request::ProductSupport(ticket()),
        Request::CloudSupport(ticket()),
        Request::AdvisoryHours { order_id: order_id(), minutes: 90, product: product() },
    ];
    let asks = asks.map(|ask| (service(ask, &name("ada"), "2024-02-01"), service_requests::KIND.columns));
    let others = [
        (assigns(MONTHLY, "ben", "2024-02-01"), assignments::KIND.columns),
        (key(Keying::Reveal), key_requests::KIND.columns),
        (key(Keying::Redeem), key_requests::KIND.columns),
        (activates("software"), activations::KIND.columns),
    ];
    asks.into_iter().chain(others).collect()
}

#[test]
fn d16_a_conflict_names_columns_of_the_file_it_is_about_with_what_stands_in_them() {
    for (asked, columns) in of_every_kind() {
        let recorded = recorded(json!({}));
        let content = asked.content(1, Some(2.into()));
        let found = conflicts(&book(), &asked, &recorded, &content);
        assert!(!found.is_empty(), "{asked:?}");
        for problem in found {
            let known = columns.iter().any(|column| column.name == problem.column);
            assert!(known, "{} of {asked:?}", problem.column);
        }
    }
    let hours = |minutes| {
        let hours = Request::AdvisoryHours { order_id: None, minutes, product: None };
        service(hours, &name("ada"), "2024-02-01")
    };
    let recorded = recorded(hours(90).content(1, None));
    let more = hours(105);
    let found = conflicts(&book(), &more, &recorded, &more.content(1, None));
    let reason = Reason::ConflictsWithEarlier { column: "hours".into(), expected: "1.5".into() };
    assert_eq!(found, [Problem::at("hours", "1.75", reason)]);
}

#[test]
fn d16_a_request_of_another_kind_under_the_same_id_conflicts() {
    let asked: Vec<Asked> = of_every_kind().into_iter().map(|(asked, _)| asked).take(4).collect();
    for first in &asked {
        for second in &asked {
            let recorded = recorded(first.content(1, None));
            let found = conflicts(&book(), second, &recorded, &second.content(1, None));
            let kinds = found.iter().filter(|problem| problem.column == "kind").count();
            assert_eq!(kinds, usize::from(first.kind() != second.kind()), "{first:?} {second:?}");
        }
    }
}
