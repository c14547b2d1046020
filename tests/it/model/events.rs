//! What is recorded for a night: renewals and usage (D5, D15, D16).

use super::{
    requests::{Answer, Arrival, answer},
    rules::{Day, Kept, Model, No, Order, Pending, When, plus},
};

impl Model {
    /// Records a renewal of a company's order, asked for by somebody or by the operator, or says why not (D5).
    pub fn renewal(
        &mut self,
        (of, by): (usize, &str),
        order: &str,
        on: Day,
        next: &str,
        arrival: Arrival,
    ) -> Answer {
        if order == next {
            return answer("rejected", ["new_order_taken"]);
        }
        let key = (of, "renew", order.to_owned());
        let content = format!("{on} {next} {by}");
        let company = &self.companies[of];
        let mut no = Vec::new();
        match company.person(by).map(|at| company.people[at].enabled) {
            None if !by.is_empty() => no.push(("unknown_user", When::Corrected)),
            Some(false) => no.push(("user_disabled", When::Corrected)),
            _ => {}
        }
        let known = !no.iter().any(|(code, _)| *code == "unknown_user");
        if let Some(kept) = self.kept.get(&key).filter(|_| known) {
            let same = kept.content == content;
            return if same { "unchanged".into() } else { answer("rejected", ["conflicts_with_earlier"]) };
        }
        let Some(at) = self.order(order) else {
            no.push(("unknown_order", When::Corrected));
            return self.not_renewed(order, &no);
        };
        let old = &self.orders[at];
        if old.of != of {
            no.push(("order_of_another_partner", When::Corrected));
            return self.not_renewed(order, &no);
        }
        if on > arrival.on {
            no.push(("requested_in_future", When::On(on)));
        }
        if on < old.ad {
            no.push(("renewed_too_early", When::On(old.ad)));
        }
        if on > old.grace_ends() {
            no.push(("renewed_too_late", When::Never));
        }
        if over(old, arrival.on) {
            no.push(("already_ended", When::Never));
        }
        if self.order(next).is_some_and(|at| self.orders[at].of != of) {
            no.push(("new_order_taken", When::Corrected));
        }
        if !no.is_empty() {
            return self.not_renewed(order, &no);
        }
        self.kept.insert(key, Kept { content, waits: false });
        self.renewals.push(Pending { on, order: at, next: Some(next.to_owned()) });
        answer("applied", ["decided_at_night"])
    }

    /// A renewal that is refused on its arrival is on record (D13).
    fn not_renewed(&mut self, order: &str, no: &[No]) -> Answer {
        self.decided("renew", order, no);
        answer("rejected", no.iter().map(|(code, _)| *code))
    }

    /// Records usage, or says why not (D15, D16).
    #[expect(clippy::too_many_arguments, reason = "the columns of a row")]
    pub fn usage(
        &mut self,
        of: usize,
        order: &str,
        code: &str,
        on: Day,
        minor: i64,
        reference: &str,
        arrival: Arrival,
    ) -> Answer {
        let Some(at) = self.order(order) else { return answer("rejected", ["unknown_order"]) };
        if self.orders[at].of != of {
            return answer("rejected", ["order_of_another_partner"]);
        }
        let Some(item) = self.orders[at].items.iter_mut().find(|item| item.code == code) else {
            return answer("rejected", ["unknown_benefit"]);
        };
        if !(item.is("azure_monthly_credit") || item.is("azure_bulk_credit")) {
            return answer("rejected", ["not_a_credit"]);
        }
        if on > arrival.on {
            return answer("rejected", ["requested_in_future"]);
        }
        if on < item.from {
            return answer("rejected", ["outside_credit"]);
        }
        let content = format!("{order} {code} {on} {minor}");
        if let Some(kept) = self.references.get(&(of, reference.to_owned())) {
            let same = *kept == content;
            return if same { "unchanged".into() } else { answer("rejected", ["conflicts_with_earlier"]) };
        }
        item.usage.insert((on, reference.to_owned(), minor));
        self.references.insert((of, reference.to_owned()), content);
        "applied".into()
    }
}

/// Whether an order has ended, or was over when a file arrived (D16).
pub fn over(order: &Order, arrived: Day) -> bool {
    order.ended.is_some() || plus(order.grace_ends(), 1) < arrived
}
