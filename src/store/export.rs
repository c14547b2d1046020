//! What goes out, in canonical columns, streamed by Postgres' own `COPY … TO`: memory does not grow with it.

pub mod locale;
mod requests;

use std::fmt::Write as _;

use chrono::NaiveDate;
use futures::TryStreamExt;
use sqlx::PgConnection;
use tokio::io::{AsyncWrite, AsyncWriteExt};

use self::locale::Locale;
use super::{Error, Result};
use crate::domain::{
    kinds::{Kind, schema::Type},
    money::Currency,
};

/// A kind of file that can be written.
#[derive(Debug)]
pub struct Export {
    /// Its name; where a file of that kind can be taken in, the same.
    pub kind: &'static str,
    /// Whether it can be asked for as of an earlier date; what is only known as it stands cannot.
    pub dated: bool,
    /// What is written. `{text X}` is what people wrote, `{money X C}` minor units X of currency C, `{number X}` a number,
    /// `{by X}` whether X is on or before the date asked for. Rows stand in an order that is the same in every store: by what
    /// names them, byte by byte, or by date and arrival.
    query: &'static str,
}

/// Every kind, in the order of the night that takes such files in, then what is only ever written.
pub const EXPORTS: [Export; 16] = [
    Export { kind: "partners", dated: false, query: PARTNERS },
    Export { kind: "users", dated: false, query: USERS },
    Export { kind: "contacts", dated: false, query: CONTACTS },
    Export { kind: "agreements", dated: false, query: requests::AGREEMENTS },
    Export { kind: "entitlements", dated: false, query: ENTITLEMENTS },
    Export { kind: "keys", dated: false, query: requests::KEYS },
    Export { kind: "renewals", dated: true, query: requests::RENEWALS },
    Export { kind: "assignments", dated: true, query: requests::ASSIGNMENTS },
    Export { kind: "key_requests", dated: true, query: requests::KEY_REQUESTS },
    Export { kind: "activations", dated: true, query: requests::ACTIVATIONS },
    Export { kind: "service_requests", dated: true, query: requests::SERVICE_REQUESTS },
    Export { kind: "credit_usage", dated: true, query: CREDIT_USAGE },
    Export { kind: "ledger", dated: true, query: LEDGER },
    Export { kind: "balances", dated: true, query: BALANCES },
    Export { kind: "decisions", dated: true, query: DECISIONS },
    Export { kind: "refunds", dated: true, query: REFUNDS },
];

const PARTNERS: &str =
    "select number as partner_id, {text name} as name, {text account_email} as account_email, country,
       currency, tenant_id, language, {text group_id} as group_id,
       (select max(c.from_on) from partner_currency c
         where c.partner_id = p.partner_id and c.from_on > date '0001-01-01') as currency_from
from partner p order by number collate \"C\"";

/// What an export states nobody asks for: who takes it in again does.
const USERS: &str = "select p.number as partner_id, {text u.object_id} as object_id,
       {text u.user_principal_name} as user_principal_name, {text u.display_name} as display_name,
       {text u.mail} as mail, u.user_type, u.enabled::text as enabled, nullif(array_to_string(u.roles, '+'), '') as role, u.language,
       null as requested_by
from directory_user u join partner p using (partner_id)
order by p.number collate \"C\", u.object_id collate \"C\"";

const CONTACTS: &str =
    "select p.number as partner_id, {text u.user_principal_name} as \"user\", {text c.email} as email,
       {text c.phone} as phone, c.language, null as requested_by
from contact c join partner p using (partner_id) join directory_user u using (user_id)
order by p.number collate \"C\"";

const ENTITLEMENTS: &str = "select p.number as partner_id, {text m.order_id} as order_id, m.offer,
       {text e.benefit} as benefit, e.benefit_type, coalesce(e.quantity::text, 'unlimited') as quantity,
       m.purchased_on, e.starts_on, e.expires_on, {money e.amount_minor e.currency} as amount, e.currency,
       {text e.competency} as competency, {text e.subscription_id} as subscription_id
from entitlement e join membership m using (membership_id) join partner p on p.partner_id = e.partner_id
order by p.number collate \"C\", m.order_id collate \"C\", e.benefit collate \"C\"";

const CREDIT_USAGE: &str =
    "select p.number as partner_id, {text m.order_id} as order_id, {text e.benefit} as benefit,
       c.used_on, {money c.amount_minor c.currency} as amount, c.currency, {text c.reference} as reference
from credit_usage c join entitlement e using (entitlement_id) join membership m using (membership_id)
join partner p on p.partner_id = c.partner_id
where c.withdrawn_at is null and {by c.used_on} order by c.used_on, c.usage_id";

const LEDGER: &str = "select l.entry_id, l.partner_id, {text l.order_id} as order_id, {text l.benefit} as benefit, l.kind,
       l.period_from, l.period_until, l.effective_on, {money l.amount_minor l.currency} as amount, l.currency,
       {money l.usd_minor 'USD'} as usd_amount, {number trim_scale(l.rate)} as rate, l.rate_on, {text u.reference} as reference,
       l.corrects
from report.ledger l join transfer t on t.transfer_id = l.entry_id left join credit_usage u using (usage_id)
where {by l.effective_on} order by l.entry_id";

const BALANCES: &str =
    "select p.number as partner_id, {text m.order_id} as order_id, {text e.benefit} as benefit,
       {money b.minor b.currency} as balance, b.currency
from (select entitlement_id, currency,
             sum(case when to_account = 'available' then amount_minor else -amount_minor end)::bigint as minor
        from transfer where 'available' in (from_account, to_account) and {by effective_on}
       group by entitlement_id, currency) b
join entitlement e using (entitlement_id) join membership m using (membership_id)
join partner p on p.partner_id = e.partner_id
order by p.number collate \"C\", m.order_id collate \"C\", e.benefit collate \"C\"";

const DECISIONS: &str = "select d.decided_on, p.number as partner_id, d.subject_kind, {text d.subject} as subject, d.action,
       {text d.requested_by} as requested_by, r.requested_on,
       (select f.received_on from file f where f.file_id = coalesce(r.file_id, d.file_id)) as received_on, d.outcome,
       (select string_agg(reason ->> 'code', '+' order by nth)
          from jsonb_array_elements(d.reasons) with ordinality as list (reason, nth)) as reason_codes, d.earliest_on
from decision d join partner p using (partner_id) left join request r using (request_no)
where {by d.decided_on} order by d.decided_on, d.decision_id";

/// A row a refunded order and credit; an order that had no credit has one row without. What `waits` was due by the request
/// and is not booked yet (D7).
/// Each order's benefits and each benefit's entries are looked up by their keys, whatever the database knows of its tables.
const REFUNDS: &str =
    "select p.number as partner_id, {text r.request_key} as request_id, {text m.order_id} as order_id,
       {text r.requested_by} as requested_by, r.requested_on,
       (select f.received_on from file f where f.file_id = r.file_id) as received_on, d.decided_on, {text c.benefit} as benefit,
       {money c.reversed c.currency} as reversed, {money c.spent c.currency} as spent, c.currency, c.waits
from decision d join request r using (request_no) join membership m using (membership_id)
join partner p on p.partner_id = d.partner_id
left join lateral (
    select e.benefit, t.*, w.waits
    from (select entitlement_id, benefit from entitlement where membership_id = m.membership_id offset 0) e
    left join lateral (
        select currency,
               sum(case when to_account = 'programme' then amount_minor
                        when from_account = 'programme' and kind = 'credit_reversed' then -amount_minor
                        else 0 end)::bigint as reversed,
               sum(case when to_account = 'used' then amount_minor
                        when from_account = 'used' then -amount_minor else 0 end)::bigint as spent
        from (select * from transfer
              where entitlement_id = e.entitlement_id and currency is not null and {by effective_on} offset 0) t
        group by 1) t on true
    cross join lateral (
        select string_agg({money minor currency} || ' ' || currency || ' from ' || period_from, '; ' order by period_no) as waits
        from (select n.benefit, n.period_no, n.period_from, (n.amount ->> 'minor')::bigint as minor,
                     n.amount ->> 'currency' as currency
              from jsonb_to_recordset(d.refund -> 'waiting')
                   as n (benefit text, period_no integer, period_from date, amount jsonb)) n
        where n.benefit = e.benefit and not exists (
            select from transfer g where g.entitlement_id = e.entitlement_id and g.period_no = n.period_no
               and g.kind = 'credit_granted' and {by g.effective_on})) w
    where t.currency is not null or w.waits is not null) c on true
where d.action = 'cancel' and d.outcome = 'accepted' and {by d.decided_on}
order by d.decided_on, d.decision_id, c.benefit collate \"C\"";

/// How a file is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// The canonical one, which an import reads: UTF-8, comma, LF, RFC 4180.
    Machine,
    /// For a spreadsheet of that locale: a byte order mark, CRLF, its delimiter and decimal mark, and an apostrophe before
    /// what people wrote where it begins like a formula.
    Spreadsheet(&'static Locale),
}

impl Form {
    /// How it separates cells and decimals.
    const fn locale(self) -> &'static Locale {
        match self {
            Self::Machine => &Locale::CANONICAL,
            Self::Spreadsheet(locale) => locale,
        }
    }
}

/// What the columns hold that no kind of file has which is taken in.
const WRITTEN_ONLY: [(&str, Type); 20] = [
    ("key_ref", Type::KeyRef),
    ("revealed_on", Type::Date),
    ("redeemed_on", Type::Date),
    ("entry_id", Type::Count(u32::MAX)),
    ("corrects", Type::Count(u32::MAX)),
    ("period_from", Type::Date),
    ("period_until", Type::Date),
    ("effective_on", Type::Date),
    ("amount", Type::Amount),
    ("usd_amount", Type::Amount),
    ("rate", Type::Rate),
    ("rate_on", Type::Date),
    ("balance", Type::Amount),
    ("decided_on", Type::Date),
    ("requested_on", Type::Date),
    ("received_on", Type::Date),
    ("earliest_on", Type::Date),
    ("partner_id", Type::PartnerId),
    ("reversed", Type::Amount),
    ("spent", Type::Amount),
];

impl Export {
    /// The kind of that name.
    #[must_use]
    pub fn named(kind: &str) -> Option<&'static Self> {
        EXPORTS.iter().find(|export| export.kind == kind)
    }

    /// What the cells of one of its columns hold; `None`: text.
    #[must_use]
    pub fn type_of(&self, column: &str) -> Option<Type> {
        let declared = Kind::parse(self.kind).and_then(|kind| kind.column(column)).map(|column| column.of);
        declared.or_else(|| WRITTEN_ONLY.iter().find(|(name, _)| *name == column).map(|(_, of)| *of))
    }

    /// Writes it as CSV with a header, as of `on` where it is dated. Says how many bytes.
    ///
    /// # Errors
    /// [`Error::Output`] if `out` does not take it; whatever the database says.
    pub async fn write(
        &self,
        conn: &mut PgConnection,
        on: Option<NaiveDate>,
        form: Form,
        out: &mut (impl AsyncWrite + Unpin),
    ) -> Result<u64> {
        let (query, delimiter) = (self.sql(on, form), form.locale().delimiter);
        let statement = format!("copy ({query}) to stdout (format csv, header, delimiter '{delimiter}')");
        let mut copy = conn.copy_out_raw(&statement).await?;
        let (mut written, mut lines) = (0, Lines::default());
        if matches!(form, Form::Spreadsheet(_)) {
            out.write_all("\u{feff}".as_bytes()).await.map_err(Error::Output)?;
            written += 3;
        }
        while let Some(part) = copy.try_next().await? {
            let ended;
            let part: &[u8] = match form {
                Form::Machine => &part,
                Form::Spreadsheet(_) => {
                    ended = lines.end_with_crlf(&part);
                    &ended
                }
            };
            out.write_all(part).await.map_err(Error::Output)?;
            written += part.len() as u64;
        }
        out.flush().await.map_err(Error::Output)?;
        Ok(written)
    }

    /// The query with its marks replaced.
    fn sql(&self, on: Option<NaiveDate>, form: Form) -> String {
        let mut sql = String::with_capacity(self.query.len() * 2);
        let mut rest = self.query;
        while let Some((before, marked)) = rest.split_once('{') {
            let (mark, after) = marked.split_once('}').unwrap_or((marked, ""));
            sql.push_str(before);
            match mark.split_once(' ') {
                // An import takes one apostrophe away before what would be a formula (`files::dialect::unguarded`).
                Some(("text", column)) => {
                    let guarded = match form {
                        Form::Spreadsheet(_) => format!("{column} ~ '^''*[-=+@\\t\\r]'"),
                        Form::Machine => {
                            format!("starts_with({column}, '''') and {column} ~ '^''+[-=+@\\t\\r]'")
                        }
                    };
                    let _ = write!(sql, "case when {guarded} then '''' || ({column}) else {column} end");
                }
                Some(("money", columns)) => {
                    let (minor, currency) = columns.split_once(' ').unwrap_or((columns, "null"));
                    sql.push_str(&plain(minor, currency, form.locale()));
                }
                Some(("number", number)) => match form.locale().decimal {
                    '.' => sql.push_str(number),
                    mark => {
                        let _ = write!(sql, "replace(({number})::text, '.', '{mark}')");
                    }
                },
                Some(("by", column)) => match on {
                    Some(day) => {
                        let _ = write!(sql, "{column} <= date '{day}'");
                    }
                    None => sql.push_str("true"),
                },
                Some((_, column)) => sql.push_str(column),
                None => {}
            }
            rest = after;
        }
        sql.push_str(rest);
        sql
    }
}

/// Where in a CSV its bytes are, to tell a row's end from a line's end within a cell.
#[derive(Debug, Default)]
struct Lines {
    quoted: bool,
}

impl Lines {
    fn end_with_crlf(&mut self, part: &[u8]) -> Vec<u8> {
        let mut ended = Vec::with_capacity(part.len() + part.len() / 64);
        for byte in part {
            match byte {
                b'"' => self.quoted = !self.quoted,
                b'\n' if !self.quoted => ended.push(b'\r'),
                _ => {}
            }
            ended.push(*byte);
        }
        ended
    }
}

/// SQL that writes minor units as a decimal with as many places as the currency has (ISO 4217); minutes and counts,
/// which have no currency, as they are.
fn plain(minor: &str, currency: &str, locale: &Locale) -> String {
    let mut sql = format!("case when {currency} is null then ({minor})::text");
    for (code, exponent) in Currency::unusual() {
        let _ = write!(sql, " when {currency} = '{code}' then {}", decimal(minor, exponent, locale));
    }
    let _ = write!(sql, " else {} end", decimal(minor, 2, locale));
    sql
}

fn decimal(minor: &str, places: u32, locale: &Locale) -> String {
    if places == 0 {
        return format!("({minor})::text");
    }
    let (unit, mark) = (10_i64.pow(places), locale.decimal);
    // Three digits behind a mark may be thousands, unless a comma between cells says that a point is a decimal one; but
    // thousands do not begin with zero.
    let zero = if places == 3 && locale.delimiter != ',' {
        format!(" || case when abs({minor}) between 1000 and 999999 then '0' else '' end")
    } else {
        String::new()
    };
    format!(
        "case when {minor} < 0 then '-' else '' end{zero} || (abs({minor}) / {unit})::text || '{mark}' \
         || lpad((abs({minor}) % {unit})::text, {places}, '0')"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_end_with_crlf_and_cells_keep_their_own_ends_wherever_the_parts_are_cut() {
        let text = b"a,b\n\"x\ny\",\"say \"\"hi\"\"\n\"\nlast,row\n";
        let expected = b"a,b\r\n\"x\ny\",\"say \"\"hi\"\"\n\"\r\nlast,row\r\n";
        for cut in 0..text.len() {
            let mut lines = Lines::default();
            let mut ended = lines.end_with_crlf(&text[..cut]);
            ended.extend(lines.end_with_crlf(&text[cut..]));
            assert_eq!(ended, expected, "cut at {cut}");
        }
    }

    #[test]
    fn what_is_dated_and_nothing_else_takes_a_date() {
        for export in &EXPORTS {
            assert_eq!(export.query.contains("{by "), export.dated, "{}", export.kind);
        }
        let day = "2024-03-31".parse().ok();
        let sql = Export::named("ledger").unwrap().sql(day, Form::Machine);
        assert!(sql.contains("l.effective_on <= date '2024-03-31'"), "{sql}");
        assert!(!sql.contains('{') && !sql.contains('}'), "{sql}");
    }

    #[test]
    fn a_thousandth_is_told_from_a_thousand_in_every_locale() {
        for locale in &Locale::ALL {
            let written = decimal("n", 3, locale);
            assert_eq!(written.contains("then '0'"), locale.delimiter == ';', "{}: {written}", locale.tag);
            assert!(!decimal("n", 2, locale).contains("then '0'"));
        }
    }
}
