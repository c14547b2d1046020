//! `keys`: the one place that shows a product key, and on record each time; and what redeeming one would do.

use chrono::NaiveDate;
use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::{
    exit::Exit,
    location::location,
    nights::{context, last_full_day},
    output::print,
    request::refuse,
};
use crate::{
    domain::{
        benefit::Benefit,
        id::{KeyNo, OrderId, PartnerId},
        kinds::{
            forms,
            key_requests::{KeyAction, KeyRequestRow},
        },
        language::Language,
        license_key::{self, Subscription},
        request::OPERATOR,
    },
    jobs::intake::{self, Preview, Revealed},
    settings::Settings,
    store::Store,
};

pub(super) const EXAMPLE: &str = "\
Examples:
  benefactor keys reveal --partner 4100101 --order MPN-240131-101 --benefit software/windows
  benefactor keys preview --partner 4100101 --order MPN-240131-101 --benefit license_subscription/office_365
the first shows the oldest key that was not revealed, which is on record from then on; the second changes nothing.";

const REVEAL_EXAMPLE: &str = "\
Example:
  benefactor keys reveal --partner 4100101 --order MPN-240131-101 --benefit software/windows \\
      --requested-by anna@norrsken.example
shows a key, and records that it was shown, to whom and when; with --key K17 that one, also once more.";

const PREVIEW_EXAMPLE: &str = "\
Example:
  benefactor keys preview --partner 4100101 --order MPN-240131-101 --benefit license_subscription/office_365 --key K17
says what redeeming the key as new, to add seats and to extend would each come to.";

/// What can be done with keys.
#[derive(Debug, Subcommand)]
pub(super) enum KeysCommand {
    /// Show a product key, with what to do with it; recorded each time (R5)
    #[command(after_help = REVEAL_EXAMPLE)]
    Reveal(KeyArgs),
    /// Say what redeeming a key would come to in each way, before it is redeemed for ever (D8)
    #[command(after_help = PREVIEW_EXAMPLE)]
    Preview(PreviewArgs),
}

/// Which key, and who asks.
#[derive(Args, Debug)]
pub(super) struct KeyArgs {
    /// The Partner ID
    #[arg(long, alias = "partner-id", value_name = "ID", value_parser = partner)]
    partner: PartnerId,
    /// The order
    #[arg(long, alias = "order-id", value_name = "ORDER")]
    order: OrderId,
    /// The benefit code, such as software/windows or `license_subscription/office_365`
    #[arg(long, value_name = "CODE", value_parser = benefit)]
    benefit: Benefit,
    /// What the store calls the key; without it the oldest that was not revealed
    #[arg(long, alias = "key-ref", value_name = "K17", value_parser = key_ref)]
    key: Option<KeyNo>,
    /// Who asks: a directory user, by object id or user principal name; without it the operator
    #[arg(long, value_name = "USER", default_value = OPERATOR)]
    requested_by: String,
}

/// Which key, who asks, and of which day.
#[derive(Args, Debug)]
pub(super) struct PreviewArgs {
    #[command(flatten)]
    key: KeyArgs,
    /// The date that counts; without it today (UTC)
    #[arg(long, value_name = "DATE", value_parser = date)]
    on: Option<NaiveDate>,
}

fn partner(text: &str) -> Result<PartnerId, String> {
    forms::digits(text)
        .map(PartnerId::from)
        .ok_or_else(|| "a Partner ID is digits, such as 4100101".to_owned())
}

fn benefit(text: &str) -> Result<Benefit, String> {
    Benefit::parse(text).ok_or_else(|| "there is no such benefit code; one is software/windows".to_owned())
}

fn key_ref(text: &str) -> Result<KeyNo, String> {
    license_key::parse_key_ref(text).ok_or_else(|| "a key is called as K17 is, never by itself".to_owned())
}

fn date(text: &str) -> Result<NaiveDate, String> {
    forms::date_or_instant(text)
        .ok_or_else(|| "neither a date, 2024-01-31, nor an RFC 3339 instant".to_owned())
}

impl KeyArgs {
    fn row(self, action: KeyAction, on: NaiveDate) -> KeyRequestRow {
        KeyRequestRow {
            partner_id: self.partner,
            order_id: self.order,
            benefit: self.benefit,
            action,
            requested_by: self.requested_by,
            requested_on: on,
            key_ref: self.key,
            tenant_id: None,
            mode: None,
        }
    }
}

pub(super) async fn run_keys(settings: &Settings, command: KeysCommand) -> anyhow::Result<Exit> {
    let cx = context(settings, last_full_day(settings), false)?;
    let store = Store::open_existing(&location(settings)?).await?;
    let today = settings.still_clock().today();
    let ended = async {
        let mut conn = store.pool.acquire().await?;
        match command {
            KeysCommand::Reveal(args) => {
                let row = args.row(KeyAction::Reveal, today);
                match intake::reveal(&cx, &mut conn, &row).await? {
                    Ok(revealed) => show(settings.json, &row, &revealed),
                    Err(problems) => refuse(settings.json, &problems),
                }
            }
            KeysCommand::Preview(args) => {
                let row = args.key.row(KeyAction::Redeem, args.on.unwrap_or(today));
                match intake::preview(&cx, &mut conn, &row).await? {
                    Ok(preview) => tell(settings.json, &row, &preview),
                    Err(problems) => refuse(settings.json, &problems),
                }
            }
        }
    }
    .await;
    store.close().await;
    ended
}

fn show(as_json: bool, row: &KeyRequestRow, revealed: &Revealed) -> anyhow::Result<Exit> {
    let Revealed { key_ref, secret, shown, on, again } = revealed;
    if as_json {
        let told = json!({
            "key_ref": key_ref, "key": secret.expose(), "benefit": row.benefit.as_str(), "order_id": row.order_id,
            "product": shown.product, "language": shown.language, "os": shown.os, "download_url": shown.download_url,
            "instructions": shown.instructions, "revealed_on": on, "revealed_by": row.requested_by, "again": again,
        });
        print(&told.to_string())?;
        return Ok(Exit::Done);
    }
    print(&format!("{key_ref}  {}", secret.expose()))?;
    let lines = [
        ("product", &shown.product),
        ("languages", &shown.language),
        ("systems", &shown.os),
        ("download", &shown.download_url),
        ("instructions", &shown.instructions),
    ];
    for (name, value) in lines {
        if let Some(value) = value {
            print(&format!("  {name}: {value}"))?;
        }
    }
    let once_more = if *again { ", once more," } else { "" };
    print(&format!(
        "On record{once_more}: shown on {on} to {}. To see it again: --key {key_ref}",
        row.requested_by
    ))?;
    Ok(Exit::Done)
}

fn tell(as_json: bool, row: &KeyRequestRow, preview: &Preview) -> anyhow::Result<Exit> {
    let Preview { key_ref, ways } = preview;
    let subscription = |it: &Subscription| json!({"seats": it.seats, "ends_on": it.ends_on});
    if as_json {
        let modes = ways.ways.iter().map(|way| match &way.outcome {
            Ok(after) => {
                json!({"mode": way.mode, "possible": true, "seats": after.seats, "ends_on": after.ends_on})
            }
            Err(reasons) => json!({
                "mode": way.mode, "possible": false,
                "reasons": reasons.iter().map(|reason| json!({
                    "code": reason.code(), "sentence": reason.sentence(Language::English),
                })).collect::<Vec<_>>(),
            }),
        });
        let told = json!({
            "key_ref": key_ref, "benefit": row.benefit.as_str(), "order_id": row.order_id, "on": ways.on,
            "key": {"seats": ways.load.seats, "months": ways.load.months},
            "subscription": ways.live.as_ref().map(subscription), "modes": modes.collect::<Vec<Value>>(),
            "recommended": ways.wanted,
            "sentence": ways.sentence(Language::English), "sentence_sv": ways.sentence(Language::Swedish),
        });
        print(&told.to_string())?;
        return Ok(Exit::Done);
    }
    let seats = ways.load.seats.map_or_else(|| "unknown".to_owned(), |seats| seats.to_string());
    print(&format!("{key_ref} on {}: seats {seats}, months {}", ways.on, ways.load.months))?;
    print(&ways.live.map_or_else(
        || "There is no live subscription.".to_owned(),
        |live| format!("The subscription has {} seats and ends on {}.", live.seats, live.ends_on),
    ))?;
    for way in &ways.ways {
        let name = way.mode.name();
        match &way.outcome {
            Ok(after) => print(&format!("  {name:<9}  {} seats, ends on {}", after.seats, after.ends_on))?,
            Err(reasons) => {
                let sentences: Vec<String> = reasons.iter().map(|r| r.sentence(Language::English)).collect();
                print(&format!("  {name:<9}  no: {}", sentences.join(" ")))?;
            }
        }
    }
    print(&ways.sentence(Language::English))?;
    if let Some(mode) = ways.wanted {
        print(&format!("Probably wanted: {}. Nothing was changed.", mode.name()))?;
    }
    Ok(Exit::Done)
}
