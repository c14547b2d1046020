//! `mail`: what waits, what is sent, and what was answered.

use clap::{Args, Subcommand, builder::PossibleValuesParser};

use super::{
    exit::Exit,
    location::location,
    output::{print, print_json},
};
use crate::{
    answers::mails::{self, MailView},
    settings::Settings,
    store::Store,
};

pub(super) const EXAMPLE: &str = "\
Examples:
  benefactor mail list
  benefactor mail list --state failed --json";

const LIST_EXAMPLE: &str = "\
Example:
  benefactor mail list --state failed --state withdrawn
lists the newest mails in these states; without --state all that are not sent.";

/// What `mail` does.
#[derive(Debug, Subcommand)]
pub(super) enum MailCommand {
    /// The newest mails by their state, with what was answered
    #[command(after_help = LIST_EXAMPLE)]
    List(MailListArgs),
}

/// What `mail list` takes.
#[derive(Args, Debug)]
pub(super) struct MailListArgs {
    /// Only those in this state; may be given several times. Without it all that are not sent
    #[arg(long, value_name = "STATE", value_parser = PossibleValuesParser::new(mails::STATES))]
    state: Vec<String>,
    /// At most so many
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(i64).range(1..=100_000))]
    limit: i64,
}

pub(super) async fn run_mail(settings: &Settings, command: MailCommand) -> anyhow::Result<Exit> {
    let MailCommand::List(args) = command;
    let store = Store::open(&location(settings)?).await?;
    let listed = {
        let mut conn = store.pool.acquire().await?;
        mails::mails(&mut conn, &args.state, args.limit).await
    };
    store.close().await;
    let listed = listed?;
    if settings.json {
        listed.iter().try_for_each(print_json)?;
    } else if listed.is_empty() {
        print("no mail is in such a state")?;
    } else {
        listed.iter().try_for_each(|mail| print(&line(mail)))?;
    }
    Ok(Exit::Done)
}

fn line(mail: &MailView) -> String {
    let reply = mail.last_reply.as_ref().map(|reply| format!(": {reply}")).unwrap_or_default();
    let tries = if mail.attempts == 1 { "1 try".to_owned() } else { format!("{} tries", mail.attempts) };
    format!("{} {} {} {}, {tries}{reply}", mail.day, mail.status, mail.recipient, mail.message_id)
}
