//! `contact erase`, `user erase`: takes somebody out, for a reason that is kept.

use clap::{Args, Subcommand};
use serde_json::{Value, json};
use sqlx::{Connection, PgConnection};

use super::{
    exit::{Ending, Exit},
    jobs::ByAndWhy,
    location::in_store,
    output::print,
};
use crate::{
    domain::{
        email::Email,
        id::{PartnerId, PartnerNo},
        kinds::forms,
    },
    files::shown::{shown_path, shown_text},
    jobs::{
        engine::Folders,
        intake::{self, EraseHow, FilesErased},
    },
    settings::Settings,
    store::{
        self,
        erasure::{self, EarlierErasure, Erased, NotErased, Person},
        vault::SecretPlace,
        work::By,
    },
};

pub(super) const CONTACT_EXAMPLE: &str = "\
Example:
  benefactor contact erase anna@norrsken.example --by ada --reason 'her letter of 3 February' --dry-run";
pub(super) const USER_EXAMPLE: &str = "\
Example:
  benefactor user erase anna@norrsken.example --partner 4100101 --by ada --reason 'her letter of 3 February' --dry-run";

const CONTACT_ERASE_EXAMPLE: &str = "\
Examples:
  benefactor contact erase anna@norrsken.example --by ada --reason 'her letter of 3 February' --dry-run
  benefactor contact erase 4100101 --by ada --reason 'her letter of 3 February'
Whoever has that address as a directory user goes too, at whichever partner. Exit code 5: it is a partner's account e-mail, or a
file that is being taken in names it.";
const USER_ERASE_EXAMPLE: &str = "\
Example:
  benefactor user erase anna@norrsken.example --partner 4100101 --by ada --reason 'her letter of 3 February'
What somebody else has too, such as a shared mailbox, is left and named. Exit code 5: an address of theirs is a partner's account
e-mail, or a file that is being taken in names them.";

/// What `contact` does.
#[derive(Debug, Subcommand)]
pub(super) enum ContactCommand {
    /// Take out whoever has an address: as a contact, in the directory, in mails, decisions and answers
    #[command(after_help = CONTACT_ERASE_EXAMPLE)]
    Erase(ContactEraseArgs),
}

/// What `user` does.
#[derive(Debug, Subcommand)]
pub(super) enum UserCommand {
    /// Take a directory user out: from the directory, as a contact, in mails, decisions and answers
    #[command(after_help = USER_ERASE_EXAMPLE)]
    Erase(UserEraseArgs),
}

/// What `contact erase` takes.
#[derive(Args, Debug)]
pub(super) struct ContactEraseArgs {
    /// The address, or the Partner ID whose contact it is
    #[arg(value_name = "ADDRESS|ID")]
    whom: String,
    #[command(flatten)]
    how: EraseArgs,
}

/// What `user erase` takes.
#[derive(Args, Debug)]
pub(super) struct UserEraseArgs {
    /// The object id or user principal name
    #[arg(value_name = "ID|UPN")]
    whom: String,
    /// Of whose directory: the Partner ID
    #[arg(long, alias = "partner-id", value_name = "ID")]
    partner: PartnerId,
    #[command(flatten)]
    how: EraseArgs,
}

/// Who, why, and whether at all.
#[derive(Args, Debug)]
struct EraseArgs {
    #[command(flatten)]
    said: ByAndWhy,
    /// Say what would be taken out, and change nothing
    #[arg(long)]
    dry_run: bool,
    /// Remove files that cannot be read, since they may name the person; without it they stay, and are named
    #[arg(long)]
    remove_unreadable: bool,
    /// Files of other machines are to be gone through after these: keep what the person is known by, sealed, until then
    #[arg(long)]
    more_machines: bool,
}

/// Who is meant.
enum Whom {
    /// Whoever has an address.
    Address(Email),
    /// The contact of a partner.
    Contact(PartnerId),
    /// A directory user of a partner.
    User(PartnerId, String),
}

pub(super) async fn run_contact(settings: &Settings, command: ContactCommand) -> anyhow::Result<Exit> {
    let ContactCommand::Erase(args) = command;
    let whom = if let Some(number) = forms::digits(&args.whom) {
        Whom::Contact(PartnerId::from(number))
    } else if let Some(address) = Email::parse(args.whom.trim()) {
        Whom::Address(address)
    } else {
        let sentence = format!(
            "'{}' is neither an e-mail address, anna@norrsken.example, nor a Partner ID, 4100101",
            args.whom
        );
        return Err(Ending::new(Exit::Usage, sentence).into());
    };
    run(settings, &whom, &args.how).await
}

pub(super) async fn run_user(settings: &Settings, command: UserCommand) -> anyhow::Result<Exit> {
    let UserCommand::Erase(args) = command;
    run(settings, &Whom::User(args.partner, args.whom.trim().to_owned()), &args.how).await
}

async fn run(settings: &Settings, whom: &Whom, how: &EraseArgs) -> anyhow::Result<Exit> {
    in_store(settings, async |conn| obey(settings, conn, whom, how).await).await
}

async fn obey(
    settings: &Settings,
    conn: &mut PgConnection,
    whom: &Whom,
    how: &EraseArgs,
) -> anyhow::Result<Exit> {
    let today = settings.still_clock().today();
    let by = By { by: &how.said.by, why: &how.said.why };
    let place = SecretPlace::new(settings.key_file(), &settings.data_dir, how.dry_run);
    let files = EraseHow { dry_run: how.dry_run, remove_unreadable: how.remove_unreadable };
    let folders = Folders { data: settings.data_dir.clone(), scratch: None };
    let mut only_files = false;
    loop {
        let mut tx = conn.begin().await?;
        store::run::change_facts(&mut tx).await?;
        let vault = place.open(&mut tx).await?;
        let (person, name, partner) = meant(&mut tx, whom).await?;
        let erased = match &person {
            Some(person) => erasure::erase(&mut tx, person, &vault, only_files, today, by).await?,
            None => Err(NotErased::Nothing),
        };
        match (erased, person) {
            (Ok(erased), Some(person)) => {
                let known = erasure::known_names(&person, &erased.pseudonym);
                if how.dry_run {
                    tx.rollback().await?;
                } else {
                    tx.commit().await?;
                }
                let of_files = intake::erase_files(conn, &folders, known, files).await?;
                if may_forget(how, &of_files) {
                    erasure::forget(conn, erased.number).await?;
                }
                return report(settings, &erased, &person, &of_files, how.dry_run);
            }
            (Err(NotErased::Nothing), person) => {
                let earlier = erasure::earlier(&mut tx, &vault, partner.as_ref(), &name).await?;
                let pending = match &earlier {
                    Some(earlier) => erasure::pending(&mut tx, &vault, earlier.number).await?,
                    None => None,
                };
                tx.rollback().await?;
                if let Some(earlier) = earlier {
                    let of_files = match pending {
                        Some(known) => Some(intake::erase_files(conn, &folders, known, files).await?),
                        None => None,
                    };
                    if of_files.as_ref().is_some_and(|of_files| may_forget(how, of_files)) {
                        erasure::forget(conn, earlier.number).await?;
                    }
                    return report_earlier(settings, &name, &earlier, of_files.as_ref(), how.dry_run);
                }
                // Nothing in the tables is theirs, but files may be, such as one that was refused.
                let Some(person) = person else { return Err(unknown(&name, partner.as_ref())) };
                let look = EraseHow { dry_run: true, remove_unreadable: false };
                let known = erasure::known_names(&person, "erased");
                let found = intake::erase_files(conn, &folders, known, look).await?;
                if found.changed.is_empty() && found.removed.is_empty() {
                    return Err(unknown(&name, partner.as_ref()));
                }
                only_files = true;
            }
            (Err(against), _) => {
                tx.rollback().await?;
                return Err(refused(&against));
            }
            (Ok(_), None) => return Err(unknown(&name, partner.as_ref())),
        }
    }
}

/// Whether all files are gone through.
fn may_forget(how: &EraseArgs, files: &FilesErased) -> bool {
    !how.dry_run && !how.more_machines && files.left.is_empty()
}

/// Who is meant, if anybody is there; what they were called by, and at which partner.
async fn meant(
    conn: &mut PgConnection,
    whom: &Whom,
) -> anyhow::Result<(Option<Person>, String, Option<PartnerId>)> {
    match whom {
        Whom::Address(address) => {
            let person = erasure::with_address(conn, address).await?;
            Ok((Some(person), address.as_str().to_owned(), None))
        }
        Whom::Contact(number) => {
            known(conn, number).await?;
            let address = erasure::contact_of(conn, number).await?.and_then(|address| Email::parse(&address));
            let Some(address) = address else {
                let sentence = format!("partner {number} has no marketing contact");
                return Err(Ending::new(Exit::Failed, sentence).into());
            };
            let person = erasure::with_address(conn, &address).await?;
            Ok((Some(person), address.as_str().to_owned(), None))
        }
        Whom::User(number, name) => {
            let partner = known(conn, number).await?;
            let users = erasure::users_called(conn, partner, name).await?;
            if users.len() > 1 {
                let sentence = format!(
                    "'{name}' is the object id of one directory user and the user principal name of another: \
                     name one by what is theirs alone"
                );
                return Err(Ending::new(Exit::Usage, sentence).into());
            }
            let person = if users.is_empty() {
                None
            } else {
                Some(erasure::known_by(conn, Some((partner, number.clone())), users).await?)
            };
            Ok((person, name.clone(), Some(number.clone())))
        }
    }
}

async fn known(conn: &mut PgConnection, number: &PartnerId) -> anyhow::Result<PartnerNo> {
    let partner = erasure::partner_no(conn, number).await?;
    partner.ok_or_else(|| Ending::new(Exit::Failed, format!("there is no partner {number}")).into())
}

fn unknown(name: &str, partner: Option<&PartnerId>) -> anyhow::Error {
    let sentence = match partner {
        Some(partner) => format!(
            "nobody in the directory of partner {partner} has the object id or user principal name {name}"
        ),
        None => format!("nobody has the address {name}, and nothing names it"),
    };
    Ending::new(Exit::Failed, sentence).into()
}

fn refused(against: &NotErased) -> anyhow::Error {
    let ending = match against {
        NotErased::AccountEmail(partners) => {
            let of = partners.iter().map(PartnerId::as_str).collect::<Vec<_>>().join(", ");
            let sentence = format!(
                "nothing was erased: it is the account e-mail of partner {of}, which must have one; drop a file of \
                 partners with another first"
            );
            Ending::new(Exit::Refused, sentence)
        }
        NotErased::ComingIn(files) => {
            let files: Vec<String> = files.iter().map(|name| shown_text(name)).collect();
            let sentence = format!(
                "nothing was erased: {} names them and is being taken in; do it again once it is answered",
                files.join(", ")
            );
            Ending::new(Exit::Refused, sentence)
        }
        NotErased::Named => Ending::new(
            Exit::Usage,
            "who does it and why are kept for good: say them without a name or an address of the person",
        ),
        NotErased::Nothing => Ending::new(Exit::Failed, "nothing of them is there"),
    };
    ending.into()
}

fn report(
    settings: &Settings,
    erased: &Erased,
    person: &Person,
    files: &FilesErased,
    dry_run: bool,
) -> anyhow::Result<Exit> {
    let Erased { pseudonym, taken_out, .. } = erased;
    let status = if dry_run { "would_be_erased" } else { "erased" };
    let mut told = json!({
        "status": status, "pseudonym": pseudonym, "taken_out": taken_out, "shared": person.shared,
        "files": files.changed, "removed": files.removed, "left": files.left,
    });
    if dry_run && let Some(told) = told.as_object_mut() {
        told.remove("pseudonym");
    }
    let mut lines = vec![if dry_run {
        "Would be taken out, in so many rows:".to_owned()
    } else {
        format!("On record: {pseudonym} stands for them from now on. Taken out, in so many rows:")
    }];
    let widest = taken_out.keys().map(String::len).max().unwrap_or_default();
    lines.extend(taken_out.iter().map(|(place, rows)| format!("  {place:widest$}  {rows}")));
    if !person.shared.is_empty() {
        lines.push(format!("Left, because somebody else has it too: {}", person.shared.join(", ")));
    }
    lines.extend(of_files(files));
    if dry_run {
        lines.push("dry run: nothing was changed".to_owned());
    }
    tell(settings, &told, &lines)?;
    ended(files)
}

/// Says since when somebody is erased, and what was still to be done about their files.
fn report_earlier(
    settings: &Settings,
    name: &str,
    earlier: &EarlierErasure,
    files: Option<&FilesErased>,
    dry_run: bool,
) -> anyhow::Result<Exit> {
    let EarlierErasure { pseudonym, on, by, why, .. } = earlier;
    let mut told = json!({
        "status": "erased_before", "pseudonym": pseudonym, "on": on, "by": by, "why": why,
    });
    let mut line = format!("{name} was erased on {on} by {by}, and is {pseudonym} since: {why}");
    let mut lines = vec![];
    match files {
        None => line += "; nothing to do",
        Some(files) => {
            line += "; their files were not all gone through";
            lines.extend(of_files(files));
            if dry_run {
                lines.push("dry run: nothing was changed".to_owned());
            }
            if let Some(told) = told.as_object_mut() {
                told.insert("files".to_owned(), json!(files.changed));
                told.insert("removed".to_owned(), json!(files.removed));
                told.insert("left".to_owned(), json!(files.left));
            }
        }
    }
    lines.insert(0, line);
    tell(settings, &told, &lines)?;
    files.map_or(Ok(Exit::Done), ended)
}

/// Files that are told one by one.
const TOLD: usize = 20;

/// What became of files, or would.
fn of_files(files: &FilesErased) -> Vec<String> {
    let mut lines = Vec::new();
    if !files.changed.is_empty() {
        lines.push(format!("Of {} files, in so many rows:", files.changed.len()));
        let told = files.changed.iter().take(TOLD);
        lines.extend(told.map(|(name, rows)| format!("  {}  {rows}", shown_path(name))));
        if files.changed.len() > TOLD {
            lines.push("  …; all with --json".to_owned());
        }
    }
    if !files.removed.is_empty() {
        lines.push(format!("{} files as a whole:", files.removed.len()));
        lines.extend(files.removed.iter().take(TOLD).map(|name| format!("  {}", shown_path(name))));
        if files.removed.len() > TOLD {
            lines.push("  …; all with --json".to_owned());
        }
    }
    lines
}

/// How it ends: well, unless a file is left.
fn ended(files: &FilesErased) -> anyhow::Result<Exit> {
    if files.left.is_empty() {
        return Ok(Exit::Done);
    }
    let left = files.left.iter().map(|(name, why)| format!("  {}: {why}", shown_path(name)));
    let sentence = format!(
        "these files could not be gone through, and may name the person. Do it again once that is mended, or with \
         --remove-unreadable:\n{}",
        left.collect::<Vec<_>>().join("\n")
    );
    Err(Ending::new(Exit::Failed, sentence).into())
}

fn tell(settings: &Settings, told: &Value, lines: &[String]) -> anyhow::Result<()> {
    if settings.json { print(&told.to_string()) } else { lines.iter().try_for_each(|line| print(line)) }
}
