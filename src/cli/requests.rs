//! `requests`: what waits for an operator, and what an operator decides of it (D1).

use clap::{Args, Subcommand, builder::Resettable};
use serde_json::{Value, json};
use sqlx::PgConnection;

use super::{
    exit::{Ending, Exit},
    jobs::{ByAndWhy, said},
    location::in_store,
    nights::{context, last_full_day},
    output::{print, print_view},
    who::login,
};
use crate::{
    answers::{
        status::LATELY_DAYS,
        waiting::{self, RequestView, WaitingForOperator},
    },
    domain::{
        id::{PartnerId, RequestNo},
        language::Language,
        reason::{self, Problem},
        request::Outcome,
    },
    jobs::intake::{self, Admitted, NotHeld},
    settings::Settings,
    store::{waiting::HeldRequest, work::By},
};

pub(super) const EXAMPLE: &str = "\
Examples:
  benefactor requests
  benefactor requests list --partner 4100101 --json
  benefactor requests admit 17 18 --by ada --why 'the partner sent the letter of 3 February'
  benefactor requests refuse 19 --by ada --why 'nobody at the partner confirms it'";

const LIST_EXAMPLE: &str = "Example:\n  benefactor requests list --partner 4100101";
const ADMIT_EXAMPLE: &str =
    "Example:\n  benefactor requests admit 17 18 --by ada --why 'the partner sent the letter of 3 February'";
const REFUSE_EXAMPLE: &str =
    "Example:\n  benefactor requests refuse 19 --by ada --why 'nobody at the partner confirms it'";

/// What `requests` takes.
#[derive(Args, Debug)]
pub(super) struct RequestsArgs {
    #[command(flatten)]
    list: HeldListArgs,
    #[command(subcommand)]
    command: Option<RequestsCommand>,
}

/// What `requests` does.
#[derive(Debug, Subcommand)]
enum RequestsCommand {
    /// What waits, one by one, with what to do about it; so does `requests` alone
    #[command(after_help = LIST_EXAMPLE)]
    List(HeldListArgs),
    /// Let in what waits, or what was refused before: the rules then decide on it, under today's date
    #[command(after_help = ADMIT_EXAMPLE)]
    Admit(AdmitArgs),
    /// Refuse what waits: it is a decision like any other, and does not wait again
    #[command(after_help = REFUSE_EXAMPLE)]
    Refuse(RefuseArgs),
}

/// What `requests list` takes.
#[derive(Args, Debug)]
struct HeldListArgs {
    /// Only of this partner
    #[arg(long, value_name = "ID")]
    partner: Option<PartnerId>,
}

/// What `requests admit` takes.
#[derive(Args, Debug)]
struct AdmitArgs {
    /// Which, as `requests list` shows them
    #[arg(required = true, value_name = "ID")]
    ids: Vec<RequestNo>,
    /// Who does this; without it who is logged in at the terminal
    #[arg(long, value_name = "WHO", value_parser = said, default_value = Resettable::from(login()), required = login().is_none(), hide_default_value = true)]
    by: String,
    /// Why
    #[arg(long, alias = "reason", value_name = "TEXT", value_parser = said)]
    why: Option<String>,
}

/// What `requests refuse` takes.
#[derive(Args, Debug)]
struct RefuseArgs {
    /// Which, as `requests list` shows them
    #[arg(required = true, value_name = "ID")]
    ids: Vec<RequestNo>,
    #[command(flatten)]
    said: ByAndWhy,
}

pub(super) async fn run_requests(settings: &Settings, args: RequestsArgs) -> anyhow::Result<Exit> {
    let command = args.command.unwrap_or(RequestsCommand::List(args.list));
    in_store(settings, async |conn| obey(settings, conn, command).await).await
}

async fn obey(
    settings: &Settings,
    conn: &mut PgConnection,
    command: RequestsCommand,
) -> anyhow::Result<Exit> {
    match command {
        RequestsCommand::List(args) => {
            let partner = args.partner.as_ref().map(|id| PartnerId::from(id.as_str().trim()));
            let told =
                waiting::read(conn, partner.as_ref(), settings.still_clock().today(), Language::English)
                    .await?;
            print_view(&told, settings.json, lines)?;
            Ok(Exit::Done)
        }
        RequestsCommand::Admit(args) => {
            let cx = context(settings, last_full_day(settings), false)?;
            let by = By { by: &args.by, why: args.why.as_deref().unwrap_or_default() };
            match intake::admit(&cx, conn, &args.ids, by).await? {
                Ok(admitted) => tell_admitted(settings.json, &admitted),
                Err(against) => Err(not_held(&against, "admitted")),
            }
        }
        RequestsCommand::Refuse(args) => {
            let cx = context(settings, last_full_day(settings), false)?;
            let by = By { by: &args.said.by, why: &args.said.why };
            match intake::refuse(&cx, conn, &args.ids, by).await? {
                Ok(refused) => tell_refused(settings.json, &refused),
                Err(against) => Err(not_held(&against, "refused")),
            }
        }
    }
}

fn lines(told: &WaitingForOperator) -> Vec<String> {
    let mut lines = Vec::new();
    if !told.requests.is_empty() {
        lines.push("requests dated long before they came".to_owned());
        lines.extend(told.requests.iter().map(request));
        lines.push("  let one in:  benefactor requests admit ID".to_owned());
        lines.push("  or refuse it:  benefactor requests refuse ID --why TEXT".to_owned());
    }
    if !told.rates.is_empty() {
        lines.push("reference rates that differ greatly from the one before".to_owned());
        lines.extend(told.rates.iter().map(|held| {
            format!(
                "  {}  {}  {}, and {} on {}  ({})",
                held.day, held.currency, held.rate, held.before, held.before_on, held.file
            )
        }));
        lines.push("  take one:  benefactor rates admit DAY CURRENCY --why TEXT".to_owned());
        lines.push(
            "  or take it back:  benefactor rates revert --day DAY --currency CURRENCY --why TEXT".to_owned(),
        );
    }
    lines.extend(others(told));
    if lines.is_empty() {
        lines.push("nothing waits for an operator".to_owned());
    }
    lines
}

/// Files that a guard held back, identifiers that are like known ones, and what failed for good.
fn others(told: &WaitingForOperator) -> Vec<String> {
    let mut lines = Vec::new();
    if !told.files.is_empty() {
        lines.push(format!(
            "files held back in the last {LATELY_DAYS} days; `benefactor files NAME` says where each is"
        ));
        lines.extend(told.files.iter().map(|of| format!("  {}  {}: {}", of.received_on, of.file, of.reason)));
    }
    if !told.alike.is_empty() {
        lines.push(format!("new identifiers of the last {LATELY_DAYS} days that are like known ones"));
        lines.extend(told.alike.iter().map(|of| {
            format!(
                "  {} beside {}  ({} line {}, {})",
                of.identifier, of.known, of.file, of.line, of.received_on
            )
        }));
        lines.push("  if one is another:  benefactor import FILE --accept-alike".to_owned());
        lines.push("  if it is the same:  write it as the known one, and drop the file again".to_owned());
    }
    if !told.unreached.is_empty() {
        lines.push("addresses that no mail goes to, since mails came back".to_owned());
        lines.extend(told.unreached.iter().map(|of| {
            format!("  partner {}  {} ({})  since {}: {}", of.partner_id, of.address, of.of, of.since, of.why)
        }));
        lines.push(
            "  if another reads there:  drop a contacts file, or a partners file, with the new address"
                .to_owned(),
        );
        lines.push("  if it works again:  benefactor suppressions remove ADDRESS --why TEXT".to_owned());
    }
    if told.dead_letters > 0 {
        lines.push(format!(
            "work that failed for good: {}; `benefactor jobs list --state dead` names it, and `benefactor jobs show ID` says \
             what fits",
            told.dead_letters
        ));
    }
    lines
}

/// `  17  4100101  MPN-1/azure_monthly_credit  assign anna@…, by bo@… of 2024-02-01  (late.csv line 2, 2024-02-09)`.
fn request(of: &RequestView) -> String {
    format!(
        "  {}  {}  {}  {}, by {} of {}  ({} line {}, {})",
        of.id,
        of.partner_id,
        of.about(),
        of.what,
        of.requested_by,
        of.requested_on,
        of.file,
        of.line,
        of.received_on
    )
}

/// What became of a request that was let in, in one word, with what there is to say of it.
fn became(outcome: &Outcome) -> (&'static str, &[Problem]) {
    match outcome {
        Outcome::Accepted { remarks, .. } => ("accepted", remarks),
        Outcome::Pending(problem) => ("pending", std::slice::from_ref(problem)),
        Outcome::Refused(problems) | Outcome::Conflicts(problems) => ("refused", problems),
        Outcome::RefusedBefore(problem) => ("refused", std::slice::from_ref(problem)),
        Outcome::Unchanged(remarks) => ("unchanged", remarks),
        Outcome::Waits(problem) => ("waiting", std::slice::from_ref(problem)),
    }
}

fn tell_admitted(as_json: bool, admitted: &[Admitted]) -> anyhow::Result<Exit> {
    let refused = admitted.iter().any(|one| became(&one.outcome).0 == "refused");
    if as_json {
        let told = admitted.iter().map(|one| {
            let (status, problems) = became(&one.outcome);
            json!({
                "id": one.request.request_no, "status": status,
                "reasons": problems.iter().map(|problem| json!({
                    "column": problem.column, "value": problem.value, "code": problem.reason.code(),
                    "sentence": problem.reason.sentence(Language::English),
                })).collect::<Vec<Value>>(),
            })
        });
        print(&json!({ "admitted": told.collect::<Vec<Value>>() }).to_string())?;
    } else {
        for one in admitted {
            let (status, problems) = became(&one.outcome);
            print(&format!("{}: let in, and {}", one.request.request_no, words(status)))?;
            for problem in problems {
                let column =
                    if problem.column.is_empty() { String::new() } else { format!("{}: ", problem.column) };
                let sentence = problem.reason.sentence(Language::English);
                print(&format!("  {column}{}: {sentence}", problem.reason.code()))?;
            }
            if status == "refused" {
                let earliest = reason::earliest(problems.iter().map(|problem| &problem.reason));
                print(&format!("  When it becomes a yes: {}.", earliest.phrase(Language::English)))?;
            }
        }
    }
    Ok(if refused { Exit::Rejected } else { Exit::Done })
}

fn words(status: &str) -> &str {
    match status {
        "refused" => "refused by the rules",
        "pending" => "a night decides it",
        status => status,
    }
}

fn tell_refused(as_json: bool, refused: &[HeldRequest]) -> anyhow::Result<Exit> {
    if as_json {
        let ids: Vec<RequestNo> = refused.iter().map(|request| request.request_no).collect();
        print(&json!({ "refused": ids }).to_string())?;
        return Ok(Exit::Done);
    }
    for request in refused {
        print(&format!("{}: refused, on record", request.request_no))?;
    }
    Ok(Exit::Done)
}

/// Why nothing was done: of each what stands against it.
fn not_held(against: &[NotHeld], done: &str) -> anyhow::Error {
    let mut sentences: Vec<String> = against
        .iter()
        .map(|one| match one {
            NotHeld::Unknown(id) => {
                format!("there is no request {id}; `benefactor requests list` shows which wait")
            }
            NotHeld::Decided(request) => {
                let by = match (&request.refused_by, &request.refused_why) {
                    (Some(by), Some(why)) => format!(" by {by}: {why}"),
                    _ => String::new(),
                };
                let stands = if request.status == "pending" {
                    "let in, and a night decides it"
                } else {
                    &request.status
                };
                format!("request {} does not wait: it is {stands}{by}", request.request_no)
            }
            NotHeld::Unreadable(id, problems) => {
                let sentences: Vec<String> =
                    problems.iter().map(|problem| problem.reason.sentence(Language::English)).collect();
                format!("request {id} can no longer be read as a row: {}", sentences.join(" "))
            }
        })
        .collect();
    sentences.push(format!("nothing was {done}"));
    Ending::new(Exit::Failed, sentences.join("\n")).into()
}
