//! A small cast for stories: what a partner is and has, as the CSV a person would drop.

/// The columns of an entitlements file.
pub const ENTITLEMENTS: &str = "partner_id,order_id,offer,benefit,benefit_type,quantity,purchased_on,starts_on,expires_on,amount,currency,competency\n";

/// One partner that accounts in `currency`.
pub fn partner(number: &str, currency: &str) -> String {
    let country = &currency[..2].replace("EU", "FI");
    format!(
        "partner_id,name,account_email,country,currency\n{number},Partner {number},accounts@p{number}.example,{country},{currency}\n"
    )
}

/// Ada, a global admin, Ben, a member, and a guest, Cleo.
pub fn users(number: &str) -> String {
    let user = |n: u8, name: &str, kind: &str, role: &str| {
        format!(
            "{number},00000000-0000-4000-8000-{number:0>11}{n},{name}@p{number}.example,{kind},true,{role}\n"
        )
    };
    let header = "partner_id,object_id,user_principal_name,user_type,enabled,role\n";
    [
        header.to_owned(),
        user(1, "ada", "member", "global_admin"),
        user(2, "ben", "member", ""),
        user(3, "cleo_other.example#EXT#", "guest", ""),
    ]
    .concat()
}

/// Ada as the marketing contact.
pub fn contact(number: &str, language: &str) -> String {
    format!(
        "partner_id,user,email,phone,language\n{number},ada@p{number}.example,marketing@p{number}.example,+46 8 555 01 00,{language}\n"
    )
}

/// An order of 100 dollars a month, bought on the day it starts, for as long as it says.
pub fn monthly(number: &str, order: &str, starts_on: &str, expires_on: &str) -> String {
    ENTITLEMENTS.to_owned() + &row(number, order, "azure_monthly_credit", starts_on, expires_on, "100,USD")
}

/// A row of a silver order, bought on the day it starts; `amount` with its currency.
pub fn row(
    number: &str,
    order: &str,
    benefit: &str,
    starts_on: &str,
    expires_on: &str,
    amount: &str,
) -> String {
    format!("{number},{order},silver,{benefit},core,1,{starts_on},{starts_on},{expires_on},{amount},\n")
}

/// An assignments file of one row, by Ada.
pub fn assign(number: &str, order: &str, benefit: &str, action: &str, user: &str, on: &str) -> String {
    format!(
        "partner_id,order_id,benefit,action,user,requested_by,requested_on\n{number},{order},{benefit},{action},{user}@p{number}.example,ada@p{number}.example,{on}\n"
    )
}

/// A cancellation of an order, by Ada.
pub fn cancel(number: &str, request: &str, order: &str, on: &str) -> String {
    format!(
        "partner_id,request_id,kind,requested_by,requested_on,order_id\n{number},{request},cancel,ada@p{number}.example,{on},{order}\n"
    )
}

/// A usage file of one row.
pub fn usage(number: &str, order: &str, benefit: &str, on: &str, amount: &str, reference: &str) -> String {
    format!(
        "partner_id,order_id,benefit,used_on,amount,currency,reference\n{number},{order},{benefit},{on},{amount},{reference}\n"
    )
}

/// A renewals file of one row.
pub fn renewal(number: &str, order: &str, on: &str, new_order: &str) -> String {
    format!("partner_id,order_id,renewed_on,new_order_id\n{number},{order},{on},{new_order}\n")
}

/// Reference rates as the European Central Bank publishes them, newest first: day, dollars, kronor and yen a euro.
pub fn rates(days: &[(&str, &str, &str, &str)]) -> String {
    let rows = days.iter().map(|(on, usd, sek, jpy)| format!("{on},{usd},{jpy},{sek},\n"));
    format!("Date,USD,JPY,SEK,\n{}", rows.collect::<String>())
}

/// An agreements file: name, first day, last day or nothing.
pub fn agreements(number: &str, rows: &[(&str, &str, &str)]) -> String {
    let rows: Vec<String> =
        rows.iter().map(|(name, from, until)| format!("{number},{name},{from},{until}\n")).collect();
    format!("partner_id,agreement,valid_from,valid_until\n{}", rows.concat())
}
