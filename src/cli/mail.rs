//! `mail`: what waits, what is sent, what was answered; and whether the mail server can be spoken to.

use std::{net::SocketAddr, path::PathBuf, sync::Arc};

use anyhow::Context as _;
use chrono::NaiveDate;
use clap::{
    Args, Subcommand,
    builder::{PossibleValuesParser, TypedValueParser},
};
use strum::VariantNames;

use super::{
    exit::{Ending, Exit},
    facts::facts,
    jobs::ByAndWhy,
    location::location,
    mailing::said,
    nights::{context, dkim, last_full_day, over},
    output::{print, print_json},
};
use crate::{
    answers::mails::{self, MailView},
    domain::{
        email::Email,
        notice::{KINDS, Notice, Stream},
        texts::ReaderLanguage,
    },
    jobs::{
        Context,
        email_contacts::{
            bounces::{BounceReader, BouncesTaken},
            lanes,
        },
        email_operators,
    },
    mail::{
        self, Rendered,
        sender_domain::{self, Resolver, SenderDomain},
        smtp::{MailVerdict, Session, Trouble},
    },
    settings::Settings,
    store::{self, Store, work::By},
};

pub(super) const EXAMPLE: &str = "\
Examples:
  benefactor mail list
  benefactor mail list --state failed --json
  SMTP_URL=smtp://anna@mail.example SMTP_PASSWORD_FILE=/run/secrets/smtp benefactor mail test --to anna@norrsken.example";

const LIST_EXAMPLE: &str = "\
Example:
  benefactor mail list --state failed --state withdrawn --stream marketing
lists the newest mails in these states and of this stream; without --state all that are not sent.";
const SEND_EXAMPLE: &str = "\
Example:
  SMTP_URL=smtp://anna@mail.example SMTP_PASSWORD_FILE=/run/secrets/smtp benefactor mail send
Exit code 6: the mail server takes nothing now.";
const RESEND_EXAMPLE: &str = "\
Example:
  benefactor mail resend '<0a1b@norrsken.example>' --by ada --why 'the server refused the sender until today'";
const TEST_EXAMPLE: &str = "\
Example:
  SMTP_URL=smtp://anna@mail.example SMTP_PASSWORD_FILE=/run/secrets/smtp benefactor mail test --to anna@norrsken.example
says what the DNS has of the sender's domain (good, mend or unknown: SPF, DKIM, DMARC, mail servers), what the server can do,
and what it answered to a mail of three lines. Exit code 6: it cannot be spoken to.";

const BOUNCES_EXAMPLE: &str = "\
Example:
  benefactor mail bounces /var/mail/bounces
An address where nobody is gets no more mail; only a message with the token of a mail of ours has an effect. `up` does the same
with the mailbox in [policy.bounces] of jobs/email_contacts.toml.";
const DKIM_EXAMPLE: &str = "\
Example:
  DKIM_KEYS=2026a=/run/secrets/dkim-2026a.pem benefactor mail dkim";
const PREVIEW_EXAMPLE: &str = "\
Examples:
  benefactor mail preview credit_about_to_lapse --language sv
  benefactor mail preview all --language de --html > mail.html
  benefactor mail preview operator --date 2024-02-21 --language sv
shows what a mail says, with invented names; it needs no store, but for `operator`, which shows the mail of a night as it was
told, or as it would be now. The languages are those that mails are written in.";

/// What `mail` does.
#[derive(Debug, Subcommand)]
pub(super) enum MailCommand {
    /// The newest mails by their state, with what was answered
    #[command(after_help = LIST_EXAMPLE)]
    List(MailListArgs),
    /// Hand what is due to the mail server, once; `up`, `worker` and `night` do so by themselves
    #[command(after_help = SEND_EXAMPLE)]
    Send,
    /// Queue mails that were refused, given up, or are unknown once more, under the same Message-ID
    #[command(after_help = RESEND_EXAMPLE)]
    Resend(ResendArgs),
    /// Show what a mail of a notice looks like, with invented names
    #[command(after_help = PREVIEW_EXAMPLE)]
    Preview(MailPreviewArgs),
    /// Speak to the mail server, and send it a mail
    #[command(after_help = TEST_EXAMPLE)]
    Test(MailTestArgs),
    /// Look at what came back about mails, each message once: reports, complaints and mails that unsubscribe
    #[command(after_help = BOUNCES_EXAMPLE)]
    Bounces(BouncesArgs),
    /// What to publish in the DNS for the keys that mails are signed with
    #[command(after_help = DKIM_EXAMPLE)]
    Dkim,
}

/// What `mail list` takes.
#[derive(Args, Debug)]
pub(super) struct MailListArgs {
    /// Only those in this state; may be given several times. Without it all that are not sent
    #[arg(long, value_name = "STATE", value_parser = PossibleValuesParser::new(mails::STATES))]
    state: Vec<String>,
    /// Only those of this stream: marketing may be unsubscribed from, the rest may not
    #[arg(long, value_name = "STREAM", value_parser = PossibleValuesParser::new(Stream::VARIANTS).try_map(stream))]
    stream: Option<Stream>,
    /// At most so many
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(i64).range(1..=100_000))]
    limit: i64,
}

/// What `mail resend` takes.
#[derive(Args, Debug)]
pub(super) struct ResendArgs {
    /// Which, as `mail list` shows them
    #[arg(required = true, value_name = "MESSAGE-ID")]
    ids: Vec<String>,
    #[command(flatten)]
    said: ByAndWhy,
}

/// What `mail bounces` takes.
#[derive(Args, Debug)]
pub(super) struct BouncesArgs {
    /// A maildir or a file of messages (mbox); it is left as it is
    #[arg(value_name = "PATH")]
    mailbox: PathBuf,
}

/// What `mail preview` takes.
#[derive(Args, Debug)]
pub(super) struct MailPreviewArgs {
    /// The notice, as `report.notice` names it; all of them in one mail; or `operator`: the mail of a night to operators
    #[arg(value_name = "NOTICE", value_parser = notices())]
    notice: String,
    /// The reader's language: a BCP 47 tag such as sv-SE; whoever reads none that there is reads English
    #[arg(long, value_name = "TAG", default_value = "en", value_parser = tag)]
    language: ReaderLanguage,
    /// As HTML
    #[arg(long)]
    html: bool,
    /// As plain text, which is the default
    #[arg(long, conflicts_with = "html")]
    text: bool,
    /// Which turn of the text, from 1: a notice has as many as its text can take; 0 shows them one after another
    #[arg(long, value_name = "N", default_value_t = 1)]
    sample: usize,
    /// Of `operator`: the night of this business date, as it was told, or as it would be now; default: the last full day
    #[arg(long, value_name = "DATE")]
    date: Option<NaiveDate>,
}

fn notices() -> PossibleValuesParser {
    PossibleValuesParser::new(KINDS.iter().map(|kind| kind.name).chain([ALL, OPERATOR]))
}

fn tag(text: &str) -> Result<ReaderLanguage, String> {
    let is_tag = oxilangtag::LanguageTag::parse(text).is_ok();
    if is_tag {
        Ok(ReaderLanguage::matching(text))
    } else {
        Err("not a language tag; one is sv-SE".to_owned())
    }
}

/// Every notice in one mail.
const ALL: &str = "all";
/// The mail of a night to operators.
const OPERATOR: &str = "operator";

/// What `mail test` takes.
#[derive(Args, Debug)]
pub(super) struct MailTestArgs {
    /// Where the mail goes
    #[arg(long, value_name = "ADDRESS", value_parser = address)]
    to: Email,
    /// The DNS server to ask about the sender's domain; without it those of the system
    #[arg(long, value_name = "IP:PORT")]
    resolver: Option<SocketAddr>,
}

fn stream(name: String) -> Result<Stream, String> {
    Stream::parse(&name).ok_or(name)
}

fn address(text: &str) -> Result<Email, String> {
    Email::parse(text).ok_or_else(|| "not an e-mail address; one is anna@norrsken.example".to_owned())
}

pub(super) async fn run_mail(settings: &Settings, command: MailCommand) -> anyhow::Result<Exit> {
    match command {
        MailCommand::Test(args) => test(settings, &args).await,
        MailCommand::Preview(args) if args.notice != OPERATOR => preview(&args),
        MailCommand::Dkim => dkim_records(settings),
        MailCommand::List(_)
        | MailCommand::Send
        | MailCommand::Resend(_)
        | MailCommand::Bounces(_)
        | MailCommand::Preview(_) => stored(settings, command).await,
    }
}

async fn stored(settings: &Settings, command: MailCommand) -> anyhow::Result<Exit> {
    let store = Store::open(&location(settings)?).await?;
    let done = match command {
        MailCommand::List(args) => list(settings, &store, &args).await,
        MailCommand::Send => send(settings, &store).await,
        MailCommand::Resend(args) => resend(&store, &args).await,
        MailCommand::Bounces(args) => bounces(settings, &store, &args).await,
        MailCommand::Preview(args) => night_mail(settings, &store, &args).await,
        MailCommand::Test(_) | MailCommand::Dkim => Ok(()),
    };
    store.close().await;
    done.map(|()| Exit::Done)
}

async fn list(settings: &Settings, store: &Store, args: &MailListArgs) -> anyhow::Result<()> {
    let listed =
        mails::mails(&mut *store.pool.acquire().await?, &args.state, args.stream, args.limit).await?;
    if settings.json {
        return listed.iter().try_for_each(print_json);
    }
    if listed.is_empty() {
        return print("no mail is in such a state");
    }
    listed.iter().try_for_each(|mail| print(&line(mail)))
}

/// Shows what operators are told of a night: as it was told, or as it would be now.
async fn night_mail(settings: &Settings, store: &Store, args: &MailPreviewArgs) -> anyhow::Result<()> {
    let day = over(settings, args.date)?;
    let cx = context(settings, day, false)?;
    let mut conn = store.pool.acquire().await?;
    let report = email_operators::report(&cx, &mut conn).await?;
    if settings.json {
        return print_json(&report);
    }
    show(&mail::preview_night(args.language, report)?, args.html)
}

/// Prints a mail as it is read, as text or as HTML.
fn show(mail: &Rendered, html: bool) -> anyhow::Result<()> {
    match mail.html.as_ref().filter(|_| html) {
        Some(html) => print(html),
        None => print(&format!("Subject: {}\n\n{}", mail.subject, mail.text)),
    }
}

fn preview(args: &MailPreviewArgs) -> anyhow::Result<Exit> {
    if args.date.is_some() {
        let problem = "--date goes with `operator`: notices are shown with invented facts";
        return Err(Ending::new(Exit::Usage, problem).into());
    }
    let of_kind = |notice: &Notice| args.notice == ALL || notice.kind() == args.notice;
    let mut samples: Vec<Notice> = Notice::samples().into_iter().filter(of_kind).collect();
    let mails = match (args.notice.as_str(), args.sample) {
        (ALL, _) => vec![samples],
        (_, 0) => samples.into_iter().map(|notice| vec![notice]).collect(),
        (_, nth) if nth <= samples.len() => vec![vec![samples.swap_remove(nth - 1)]],
        (_, nth) => {
            let problem = format!("--sample {nth}: the text of {} has {}", args.notice, samples.len());
            return Err(Ending::new(Exit::Usage, problem).into());
        }
    };
    for notices in mails {
        show(&mail::preview(args.language, notices)?, args.html)?;
    }
    Ok(Exit::Done)
}

fn line(mail: &MailView) -> String {
    let reply = mail.last_reply.as_ref().map(|reply| format!(": {reply}")).unwrap_or_default();
    let tries = if mail.attempts == 1 { "1 try".to_owned() } else { format!("{} tries", mail.attempts) };
    let waits = mail.waits.as_ref().map(|wait| format!("; waits {wait}")).unwrap_or_default();
    let MailView { day, status, stream, recipient, message_id, .. } = mail;
    format!("{day} {status} {} {recipient} {message_id}, {tries}{reply}{waits}", stream.as_str())
}

fn no_server() -> Ending {
    Ending::new(Exit::Usage, "no mail server is named: set SMTP_URL, as smtp://user@mail.example:587")
}

async fn send(settings: &Settings, store: &Store) -> anyhow::Result<()> {
    let cx = Arc::new(context(settings, last_full_day(settings), false)?);
    if cx.server.is_none() {
        return Err(no_server().into());
    }
    let sent = lanes::send_due(&cx, &store.pool).await?;
    print(&said(&sent))?;
    match sent.trouble {
        Some(trouble) => {
            Err(Ending::new(Exit::Down, format!("the mail server takes nothing now: {trouble}")).into())
        }
        None => Ok(()),
    }
}

async fn resend(store: &Store, args: &ResendArgs) -> anyhow::Result<()> {
    let by = By { by: &args.said.by, why: &args.said.why };
    let queued = store::mail::requeue(&mut *store.pool.acquire().await?, &args.ids, by).await?;
    for id in &args.ids {
        let said = if queued.contains(id) { "queued" } else { "not refused, failed, withdrawn or unknown" };
        print(&format!("{id}: {said}"))?;
    }
    if queued.len() < args.ids.len() {
        return Err(Ending::new(Exit::Failed, "not every mail was queued").into());
    }
    Ok(())
}

async fn bounces(settings: &Settings, store: &Store, args: &BouncesArgs) -> anyhow::Result<()> {
    let cx = context(settings, last_full_day(settings), false)?;
    let mut conn = store.pool.acquire().await?;
    let taken = BounceReader::default().take(&cx, &mut conn, &args.mailbox).await?;
    if settings.json {
        return print_json(&taken);
    }
    let BouncesTaken { new, matched, suppressed, unsubscribed, unreadable, early } = taken;
    print(&format!(
        "{new} new messages, {matched} about mails of ours; {suppressed} addresses get no mail any more, {unsubscribed} no \
         marketing; {unreadable} unreadable, {early} for another time"
    ))
}

fn dkim_records(settings: &Settings) -> anyhow::Result<Exit> {
    let (policies, ..) = facts(settings)?;
    let domain = mail::domain_of(&policies.email_contacts.policy.from);
    let records = dkim(settings)?.records(&domain);
    if settings.json {
        records.iter().try_for_each(print_json)?;
    } else if records.is_empty() {
        print("mails are not signed: DKIM_KEYS names no keys")?;
    } else {
        records.iter().try_for_each(|record| print(&format!("{} TXT {}", record.name, record.text)))?;
    }
    Ok(Exit::Done)
}

/// Tells what the DNS says about the domain that mails are from; what is to be mended there stops no mail.
async fn domain_settings(cx: &Context, server: Option<SocketAddr>) -> anyhow::Result<()> {
    let policy = &cx.policies.email_contacts.policy;
    let from = mail::domain_of(&policy.from);
    let of =
        |address: Option<&String>| address.map_or_else(|| from.clone(), |address| mail::domain_of(address));
    let (return_path, reply_to) = (of(policy.return_path.as_ref()), of(policy.reply_to.as_ref()));
    let sender = SenderDomain {
        from: &from,
        return_path: &return_path,
        reply_to: &reply_to,
        keys: cx.dkim.records(&from),
    };
    match Resolver::new(server) {
        Ok(resolver) => sender_domain::settings(&resolver, &sender)
            .await
            .iter()
            .try_for_each(|setting| print(&setting.to_string())),
        Err(error) => print(&format!("unknown {from}: {error}")),
    }
}

async fn test(settings: &Settings, args: &MailTestArgs) -> anyhow::Result<Exit> {
    let cx = context(settings, last_full_day(settings), false)?;
    let server = cx.server.clone().ok_or_else(no_server)?;
    let policy = &cx.policies.email_contacts.policy;
    let me = lanes::client_name(&cx);
    domain_settings(&cx, args.resolver).await?;
    let down = |trouble: Trouble| Ending::new(Exit::Down, format!("{server}: {trouble}"));
    let mut session = Session::open(&server, &me, lanes::limits(policy.sending)).await.map_err(down)?;
    let tls = session.tls_version().unwrap_or_else(|| "no TLS: the server is on this machine".to_owned());
    print(&format!("{server} answers, we are {me}; {tls}"))?;
    let can = session.extensions();
    let yes = |can| if can { "yes" } else { "no" };
    let size = can.size.map_or_else(|| "not said".to_owned(), |most| format!("{most} bytes"));
    print(&format!(
        "AUTH {}; SIZE {size}; 8BITMIME {}; SMTPUTF8 {}",
        if can.auth.is_empty() { "not offered".to_owned() } else { can.auth.join(" ") },
        yes(can.eight_bit),
        yes(can.utf8_addresses)
    ))?;
    let (reply_to, at) = (policy.reply_to.as_deref(), cx.now.get());
    let mail = mail::test_mail(&policy.from, reply_to, args.to.as_str(), policy.domain(), at)
        .context("the test mail cannot be written")?;
    let mail = mail.signed(&cx.dkim, &mail::domain_of(&policy.from), at)?;
    let verdict = session.send(mail::address_of(&policy.from), args.to.as_str(), &mail.eml).await;
    session.quit().await;
    let (exit, said) = match verdict {
        MailVerdict::Accepted(reply) => (Exit::Done, format!("accepted: {reply}")),
        MailVerdict::Later(reply) => (Exit::Failed, format!("not now: {reply}")),
        MailVerdict::Refused(reply) => (Exit::Failed, format!("refused: {reply}")),
        MailVerdict::Unknown(reply) => {
            (Exit::Failed, format!("nobody can say whether it was accepted: {reply}"))
        }
        MailVerdict::Unable(trouble) => (Exit::Down, trouble.to_string()),
    };
    print(&format!("{} {}: {said}", mail.message_id, args.to.as_str()))?;
    Ok(exit)
}
