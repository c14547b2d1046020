//! `suppressions`: addresses that no mail goes to.

use clap::{Args, Subcommand};

use super::{
    exit::Exit,
    jobs::ByAndWhy,
    location::location,
    output::{print, print_json},
};
use crate::{
    domain::email::Email,
    settings::Settings,
    store::{Store, suppression, work::By},
};

pub(super) const EXAMPLE: &str = "\
Examples:
  benefactor suppressions list
  benefactor suppressions add anna@norrsken.example --by ada --why 'she left the company'
  benefactor suppressions remove anna@norrsken.example --by ada --why 'she is back'";

const LIST_EXAMPLE: &str = "Example:\n  benefactor suppressions list --json";
const ADD_EXAMPLE: &str = "\
Example:
  benefactor suppressions add anna@norrsken.example --by ada --why 'she left the company'
What is queued for the address is withdrawn when it is to be sent.";
const REMOVE_EXAMPLE: &str =
    "Example:\n  benefactor suppressions remove anna@norrsken.example --by ada --why 'she is back'";

/// What `suppressions` does.
#[derive(Debug, Subcommand)]
pub(super) enum SuppressionsCommand {
    /// The addresses that no mail goes to, since when, and why
    #[command(after_help = LIST_EXAMPLE)]
    List,
    /// Send no mail to an address any more
    #[command(after_help = ADD_EXAMPLE)]
    Add(SuppressionArgs),
    /// Let mail go to an address again
    #[command(after_help = REMOVE_EXAMPLE)]
    Remove(SuppressionArgs),
}

/// Which address, who says so, and why.
#[derive(Args, Debug)]
pub(super) struct SuppressionArgs {
    /// The address
    #[arg(value_name = "ADDRESS", value_parser = address)]
    address: Email,
    #[command(flatten)]
    said: ByAndWhy,
}

fn address(text: &str) -> Result<Email, String> {
    Email::parse(text).ok_or_else(|| "not an e-mail address; one is anna@norrsken.example".to_owned())
}

pub(super) async fn run_suppressions(
    settings: &Settings,
    command: SuppressionsCommand,
) -> anyhow::Result<Exit> {
    let store = Store::open(&location(settings)?).await?;
    let done = does(settings, &store, command).await;
    store.close().await;
    done.map(|()| Exit::Done)
}

async fn does(settings: &Settings, store: &Store, command: SuppressionsCommand) -> anyhow::Result<()> {
    let mut conn = store.pool.acquire().await?;
    match command {
        SuppressionsCommand::List => {
            let listed = suppression::list(&mut conn).await?;
            if settings.json {
                return listed.iter().try_for_each(print_json);
            }
            if listed.is_empty() {
                return print("mail goes to every address");
            }
            listed.iter().try_for_each(|s| {
                let since = s.added_at.format("%Y-%m-%d");
                print(&format!("{} since {since}, by {}: {}", s.address, s.added_by, s.why))
            })
        }
        SuppressionsCommand::Add(args) => {
            let by = By { by: &args.said.by, why: &args.said.why };
            let added = suppression::add(&mut conn, args.address.as_str(), by).await?;
            let said = if added { "any more" } else { "(none did before)" };
            print(&format!("no mail goes to {} {said}", args.address.as_str()))
        }
        SuppressionsCommand::Remove(args) => {
            let by = By { by: &args.said.by, why: &args.said.why };
            let removed = suppression::remove(&mut conn, args.address.as_str(), by).await?;
            let said = if removed { "again" } else { "(it did before)" };
            print(&format!("mail goes to {} {said}", args.address.as_str()))
        }
    }
}
