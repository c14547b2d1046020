//! `import revert`: takes back what a file did, by name and for a reason that is kept.

use std::path::Path;

use clap::Args;
use serde_json::{Value, json};
use sqlx::{Connection, PgConnection};

use super::{
    exit::{Ending, Exit},
    jobs::ByAndWhy,
    location::in_store,
    nights::{context, last_full_day},
    output::print,
};
use crate::{
    domain::reversal::{BuiltOn, Hindrance},
    files::shown::shown_text,
    jobs::{
        self,
        intake::{self, Reverted},
    },
    settings::Settings,
    store::{
        self,
        reversal::{self, FileGroup, TakenBack},
        work::By,
    },
};

pub(super) const EXAMPLE: &str = "\
Examples:
  benefactor import revert entitlements-may.csv --by ada --why 'it was the file of June' --dry-run
  benefactor import revert 412 --by ada --why 'it was the file of June'";

/// Things that are told one by one.
const TOLD: usize = 20;
/// Digits of a SHA-256 that are shown.
const DIGITS: usize = 16;

/// What `import revert` takes.
#[derive(Args, Debug)]
pub(super) struct RevertFileArgs {
    /// The file: its name, its path, its number or at least eight digits of its SHA-256, as `files` shows them
    #[arg(value_name = "FILE")]
    file: String,
    #[command(flatten)]
    said: ByAndWhy,
    /// Say what would be taken back, and change nothing
    #[arg(long)]
    dry_run: bool,
}

pub(super) async fn run_revert(settings: &Settings, args: RevertFileArgs) -> anyhow::Result<Exit> {
    in_store(settings, async |conn| obey(settings, conn, &args).await).await
}

async fn obey(settings: &Settings, conn: &mut PgConnection, args: &RevertFileArgs) -> anyhow::Result<Exit> {
    let cx = context(settings, last_full_day(settings), args.dry_run)?;
    let by = By { by: &args.said.by, why: &args.said.why };
    let mut tx = conn.begin().await?;
    store::run::change_facts(&mut tx).await?;
    let group = meant(&mut tx, &args.file).await?;
    if group.open {
        let sentence =
            format!("{} is being taken in, or waits to be; take it back once it is answered", of(&group));
        return Err(Ending::new(Exit::Refused, sentence).into());
    }
    if group.files.is_empty() {
        let by = reversal::reverted_by(&mut tx, &group).await?;
        let by = by.map_or_else(String::new, |(by, why, on)| format!(" on {on} by {by}: {why}"));
        let told = json!({ "status": "reverted_before" });
        return tell(
            settings,
            &group,
            told,
            &[format!("{} was taken back before{by}; nothing to do", of(&group))],
        )
        .map(|()| Exit::Done);
    }
    let reverted = intake::revert(&cx, &mut tx, &group, by).await?;
    if matches!(reverted, Reverted::Done(..)) && !args.dry_run {
        tx.commit().await?;
    } else {
        tx.rollback().await?;
    }
    report(settings, &group, &reverted, args.dry_run)
}

/// The one file that is meant.
async fn meant(conn: &mut PgConnection, called: &str) -> anyhow::Result<FileGroup> {
    let path = Path::new(called);
    let mut found = match std::fs::read(path) {
        Ok(bytes) => reversal::find(conn, &jobs::sha256(&bytes)).await?,
        Err(_) => vec![],
    };
    if found.is_empty() {
        found = reversal::find(conn, called).await?;
    }
    if let (true, Some(name)) = (found.is_empty(), path.file_name()) {
        found = reversal::find(conn, &name.to_string_lossy()).await?;
    }
    // One that changed nothing, such as one that was refused, is not meant where another did.
    if found.iter().any(|group| group.applied > 0) {
        found.retain(|group| group.applied > 0);
    }
    match <[FileGroup; 1]>::try_from(found) {
        Ok([group]) => Ok(group),
        Err(found) if found.is_empty() => {
            let sentence = format!("no file is called '{called}'; `benefactor files` lists them");
            Err(Ending::new(Exit::Failed, sentence).into())
        }
        Err(found) => {
            let lines: Vec<String> = found.iter().map(|group| format!("  {}", named(group))).collect();
            let sentence =
                format!("several files are called '{called}'; name one by its number:\n{}", lines.join("\n"));
            Err(Ending::new(Exit::Usage, sentence).into())
        }
    }
}

/// `412  2024-02-03  0123456789abcdef  users.csv (users of 4100101)`
fn named(group: &FileGroup) -> String {
    let digits = group.sha256.get(..DIGITS).unwrap_or(&group.sha256);
    let whose = group.partner.as_ref().map_or_else(String::new, |partner| format!(" of {partner}"));
    let (name, on) = (shown_text(&group.name), group.received_at.date_naive());
    format!("{}  {on}  {digits}  {name} ({}{whose})", group.number, group.kind)
}

fn of(group: &FileGroup) -> String {
    format!("{} (number {})", shown_text(&group.name), group.number)
}

fn report(
    settings: &Settings,
    group: &FileGroup,
    reverted: &Reverted,
    dry_run: bool,
) -> anyhow::Result<Exit> {
    match reverted {
        Reverted::Nothing => {
            let line = format!("{} changed nothing that is still there; nothing to do", of(group));
            tell(settings, group, json!({ "status": "nothing" }), &[line])?;
            Ok(Exit::Done)
        }
        Reverted::Granted(grants, count) => {
            let told = json!({ "status": "refused", "grants": grants, "count": count });
            let mut lines =
                vec![format!("nothing was taken back, because {count} grants count on these rates:")];
            lines.extend(grants.iter().map(|grant| format!("  {grant}")));
            lines.push(
                "days and currencies on which none does: `benefactor rates revert --day --currency`"
                    .to_owned(),
            );
            refuse(settings, group, told, &lines)
        }
        Reverted::Refused(hindrances) => {
            let told = hindrances.iter().map(in_json).collect::<Vec<_>>();
            refuse(
                settings,
                group,
                json!({ "status": "refused", "hindrances": told }),
                &against(group, hindrances),
            )
        }
        Reverted::Done(taken, same) => {
            let told = json!({
                "status": if dry_run { "would_be_reverted" } else { "reverted" }, "removed": taken.removed,
                "restored": taken.restored, "corrected_by_the_next_night": taken.corrected, "perhaps_said_the_same": same,
            });
            tell(settings, group, told, &done(group, taken, same, dry_run))?;
            Ok(Exit::Done)
        }
    }
}

fn done(group: &FileGroup, taken: &TakenBack, same: &[String], dry_run: bool) -> Vec<String> {
    let begin = if dry_run { "Would be taken back" } else { "On record: taken back" };
    let mut lines = vec![format!(
        "{begin}: what {} said as {}; {} gone, {} as before it",
        of(group),
        group.kind,
        taken.removed,
        taken.restored
    )];
    if taken.corrected > 0 {
        lines.push(format!(
            "Credit was drawn for {} of them: the next night takes that back, by entries that name what they correct.",
            taken.corrected
        ));
    }
    if !same.is_empty() {
        lines.push(format!(
            "Later files had rows that changed nothing, perhaps because this one had said the same; import again what still \
             holds: {}",
            same.iter().map(|name| shown_text(name)).collect::<Vec<_>>().join(", ")
        ));
    }
    lines.push(if dry_run {
        "dry run: nothing was changed".to_owned()
    } else {
        "The same file is read again when it is dropped again.".to_owned()
    });
    lines
}

fn against(group: &FileGroup, hindrances: &[Hindrance]) -> Vec<String> {
    let things = match hindrances.len() {
        1 => "1 thing was built on it".to_owned(),
        count => format!("{count} things were built on it"),
    };
    let mut lines = vec![format!("nothing of {} was taken back, because {things}:", of(group))];
    lines.extend(hindrances.iter().take(TOLD).map(|hindrance| format!("  {}", hindrance.line())));
    if hindrances.len() > TOLD {
        lines.push("  …; all with --json".to_owned());
    }
    let mut kinds: Vec<BuiltOn> = hindrances.iter().map(|hindrance| hindrance.built).collect();
    kinds.sort_unstable();
    kinds.dedup();
    lines.extend(kinds.into_iter().map(|built| format!("{}: {}", built.code(), built.instead())));
    lines
}

fn in_json(hindrance: &Hindrance) -> Value {
    let Hindrance { partner, subject, built, what, on } = hindrance;
    json!({ "partner_id": partner, "subject": subject, "code": built.code(), "what": what, "on": on, "instead": built.instead() })
}

/// Refused by what was built on it.
fn refuse(settings: &Settings, group: &FileGroup, told: Value, lines: &[String]) -> anyhow::Result<Exit> {
    if settings.json {
        tell(settings, group, told, &[])?;
        return Ok(Exit::Refused);
    }
    Err(Ending::new(Exit::Refused, lines.join("\n")).into())
}

fn tell(settings: &Settings, group: &FileGroup, told: Value, lines: &[String]) -> anyhow::Result<()> {
    if !settings.json {
        return lines.iter().try_for_each(|line| print(line));
    }
    let mut all = json!({ "file": group.name, "number": group.number.get(), "sha256": group.sha256, "kind": group.kind });
    if let (Some(all), Value::Object(told)) = (all.as_object_mut(), told) {
        all.extend(told);
    }
    print(&all.to_string())
}
