//! `suppressions`: addresses that no mail goes to, or no marketing.

use clap::{
    Args, Subcommand,
    builder::{PossibleValuesParser, TypedValueParser},
};
use strum::VariantNames;

use super::{
    exit::Exit,
    jobs::ByAndWhy,
    location::location,
    output::{print, print_json},
};
use crate::{
    domain::{email::Email, suppression::SuppressionScope},
    settings::Settings,
    store::{Store, suppression, vault::SecretPlace, work::By},
};

pub(super) const EXAMPLE: &str = "\
Examples:
  benefactor suppressions list
  benefactor suppressions add anna@norrsken.example --by ada --why 'she left the company'
  benefactor suppressions add bo@norrsken.example --scope marketing --by ada --why 'he asked for no offers'
  benefactor suppressions remove anna@norrsken.example --by ada --why 'she is back'";

const LIST_EXAMPLE: &str = "Example:\n  benefactor suppressions list --json";
const ADD_EXAMPLE: &str = "\
Example:
  benefactor suppressions add anna@norrsken.example --by ada --why 'she left the company'
What is queued for the address is withdrawn when it is to be sent. With --scope marketing only mail of that stream is.";
const REMOVE_EXAMPLE: &str = "\
Example:
  benefactor suppressions remove anna@norrsken.example --by ada --why 'she is back'
Whoever wants no marketing gets none afterwards either: that is removed with --scope marketing.";

/// What `suppressions` does.
#[derive(Debug, Subcommand)]
pub(super) enum SuppressionsCommand {
    /// The addresses that no mail goes to, or no marketing, since when, and why
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
    /// What does not go there: all mail, or marketing alone
    #[arg(long, value_name = "SCOPE", default_value = "all",
          value_parser = PossibleValuesParser::new(SuppressionScope::VARIANTS).try_map(scope))]
    scope: SuppressionScope,
    #[command(flatten)]
    said: ByAndWhy,
}

fn scope(name: String) -> Result<SuppressionScope, String> {
    SuppressionScope::parse(&name).ok_or(name)
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
                let what = if s.scope == SuppressionScope::Marketing { " for marketing" } else { "" };
                print(&format!("{}{what} since {since}, by {}: {}", s.address, s.added_by, s.why))
            })
        }
        SuppressionsCommand::Add(args) => {
            let by = By { by: &args.said.by, why: &args.said.why };
            let added = suppression::add(&mut conn, args.address.as_str(), args.scope, by).await?;
            let said = if added { "any more" } else { "(none did before)" };
            print(&format!("no {} goes to {} {said}", args.scope.mail(), args.address.as_str()))
        }
        SuppressionsCommand::Remove(args) => {
            let by = By { by: &args.said.by, why: &args.said.why };
            let place = SecretPlace::new(settings.key_file(), &settings.data_dir, false);
            let removed =
                suppression::remove(&mut conn, &place, args.address.as_str(), args.scope, by).await?;
            let said = if removed { "again" } else { "(it did before)" };
            print(&format!("{} goes to {} {said}", args.scope.mail(), args.address.as_str()))
        }
    }
}
