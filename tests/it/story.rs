//! What stories are told with: files that arrive on a day, nights, and what came of them. The library in process,
//! on a clock that stands where the story says.

use std::{
    collections::BTreeMap,
    fs,
    sync::{Arc, OnceLock},
};

use benefactor::{
    answers::night_report,
    domain::{
        calendar::{add_days, sub_days},
        catalogue::{self, Catalogue},
        id::PartnerId,
    },
    jobs::{
        self, Context, Folders, Job,
        engine::night,
        intake::{Dropped, FileOutcome, inbox, take_in},
        policy::{BUILT_IN, Policies},
    },
    store::{digest, run::Counts, vault::SecretPlace},
};
use chrono::NaiveDate;
use futures::FutureExt as _;

use crate::{eml::Eml, house::House};

/// A date, as `2024-01-31`.
#[track_caller]
pub fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

/// What came back for a file.
#[derive(Debug)]
pub struct Answer {
    /// The same bytes were taken in before.
    pub known: bool,
    /// Why it was refused whole.
    pub refused: Option<String>,
    /// `name.result.csv`; empty if there is none.
    pub text: String,
    /// Line, status, columns and codes of each row: `2 rejected amount already_granted`.
    pub rows: Vec<String>,
}

impl Answer {
    /// Asserts that every row went in, or waits for an operator.
    #[track_caller]
    pub fn applied(&self) {
        let good = |row: &String| {
            row.split(' ').nth(1).is_some_and(|status| ["applied", "waiting"].contains(&status))
        };
        assert!(self.refused.is_none() && !self.rows.is_empty() && self.rows.iter().all(good), "{self:#?}");
    }
}

/// A mail as its file in the outbox has it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mail {
    /// The business date of its digest.
    pub day: String,
    /// To whom.
    pub recipient: String,
    /// What it is headed.
    pub subject: String,
    /// What it tells: `membership_ending 2024-12-01`, by kind and anchor date.
    pub notices: Vec<String>,
    /// Its Message-ID.
    pub message_id: String,
    /// Its text.
    pub body: String,
}

impl House {
    /// A house whose policy `name` of job `stem` has another value, as TOML has it.
    #[must_use]
    pub fn policy(mut self, stem: &'static str, name: &str, value: &str) -> Self {
        let built_in = BUILT_IN.iter().find(|(of, _)| *of == stem).unwrap().1.to_owned();
        let at = self.policies.iter().position(|(of, _)| *of == stem);
        let text = at.map_or(built_in, |at| self.policies.remove(at).1);
        let begins = format!("{name} = ");
        assert!(text.lines().any(|line| line.starts_with(&begins)), "{stem} has no {name}");
        let changed = text.lines().map(|line| {
            if line.starts_with(&begins) { format!("{begins}{value}\n") } else { format!("{line}\n") }
        });
        self.policies.push((stem, changed.collect()));
        self.facts = OnceLock::new();
        self
    }

    /// What jobs work with for the night of `today`, files arriving on `arrived_on`.
    pub fn context(&self, today: NaiveDate, arrived_on: NaiveDate, dry_run: bool) -> Context {
        let own = |stem: &str| self.policies.iter().find(|(of, _)| *of == stem).map(|(_, text)| text.clone());
        let (policies, catalogue) = self.facts.get_or_init(|| {
            let catalogue = Catalogue::parse(catalogue::BUILT_IN).unwrap();
            (Arc::new(Policies::parse(own).unwrap()), Arc::new(catalogue))
        });
        Context {
            policies: Arc::clone(policies),
            catalogue: Arc::clone(catalogue),
            catalogue_sha256: jobs::sha256(catalogue::BUILT_IN.as_bytes()),
            folders: Folders { data: self.dir.path().to_owned(), scratch: None },
            today,
            arrived_on,
            now: jobs::Now::told(move || arrived_on.and_hms_opt(2, 30, 0).unwrap().and_utc()),
            gather: jobs::Gather::told(|conn, asked| night_report::read(conn, asked).boxed()),
            latest: true,
            dry_run,
            worker: format!("{}:{}:{}", night::ROLE, std::process::id(), self.url),
            place: jobs::engine::name::of_place(self.dir.path()),
            epoch: None,
            server: None,
            dkim: Arc::default(),
            public_url: None,
            vault: Arc::new(SecretPlace::new(None, self.dir.path(), dry_run)),
            lanes: Some(self.pool.clone()).filter(|_| !dry_run),
            rates: tokio::sync::OnceCell::new(),
            stop: jobs::Stop::never(),
            waited: jobs::Waited::default(),
        }
    }

    /// Drops files, all at once, on a day; hands back their answers in the same order.
    pub async fn import(&mut self, files: &[(&str, &str)], on: &str) -> Vec<Answer> {
        self.drop_files(files, on, Dropped::default()).await
    }

    /// Drops one file on a day.
    pub async fn import_one(&mut self, name: &str, text: &str, on: &str) -> Answer {
        self.import(&[(name, text)], on).await.remove(0)
    }

    /// Drops one file on a day as the operator, who lets in what is dated long before.
    pub async fn import_backdated(&mut self, name: &str, text: &str, on: &str) -> Answer {
        let backdated = Dropped { accept_backdated: true, ..Dropped::default() };
        self.drop_files(&[(name, text)], on, backdated).await.remove(0)
    }

    /// Drops files on a day as the operator, each to be applied as a whole or not at all.
    pub async fn import_whole(&mut self, files: &[(&str, &str)], on: &str) -> Vec<Answer> {
        self.drop_files(files, on, Dropped { all_or_nothing: true, ..Dropped::default() }).await
    }

    /// Drops one file on a day into a partner's own folder.
    pub async fn import_of(&mut self, partner: &str, name: &str, text: &str, on: &str) -> Answer {
        let own = Dropped { partner: Some(PartnerId::from(partner)), ..Dropped::default() };
        self.drop_files(&[(name, text)], on, own).await.remove(0)
    }

    async fn drop_files(&mut self, files: &[(&str, &str)], on: &str, like: Dropped) -> Vec<Answer> {
        let on = day(on);
        self.since.get_or_insert(on);
        let (folder, results) = (self.dir.join("dropped"), self.dir.join("answered"));
        fs::create_dir_all(&folder).unwrap();
        let mut dropped = Vec::new();
        for (name, text) in files {
            let path = folder.join(name);
            fs::write(&path, text).unwrap();
            dropped.push(Dropped { path, results: results.clone(), ..like.clone() });
        }
        let cx = self.context(sub_days(on, 1), on, false);
        let mut conn = self.pool.acquire().await.unwrap();
        let outcomes = take_in(&cx, &mut conn, dropped).await.unwrap();
        let mut answers: BTreeMap<_, Answer> =
            outcomes.into_iter().map(|(file, outcome)| (file.path, answer(outcome))).collect();
        files.iter().map(|(name, _)| answers.remove(&folder.join(name)).unwrap()).collect()
    }

    /// Runs nights up to a date at once, as after an outage: from the last complete one, or from the day of the
    /// first file. It is the morning after. As the command does, it first waits for what was just dropped.
    pub async fn night(&self, on: &str) -> Vec<night::Night> {
        self.try_night(on).await.unwrap()
    }

    /// The same, or how they ended.
    pub async fn try_night(&self, on: &str) -> jobs::Result<Vec<night::Night>> {
        let on = day(on);
        let cx = self.context(on, add_days(on, 1), false);
        inbox::rest(&cx).await?;
        let mut nights = Vec::new();
        let from = self.since.map(|since| since.min(on));
        night::run(&cx, &self.pool, from, on, |night| nights.push(night.clone())).await?;
        Ok(nights)
    }

    /// Runs each night of a span on its own morning.
    pub async fn nights(&self, from: &str, to: &str) {
        for on in day(from).iter_days().take_while(|on| *on <= day(to)) {
            self.night(&on.to_string()).await;
        }
    }

    /// Runs one job for a business date, alone.
    pub async fn job(&self, name: &str, on: &str) -> Counts {
        let cx = self.context(day(on), add_days(day(on), 1), false);
        night::run_job(&cx, Job::named(name).unwrap(), &self.pool).await.unwrap().jobs[0].1
    }

    /// What the ledger says, a line an entry: `2024-02-29 granted 100.00 USD (2024-02-29..2024-03-31)`, in the
    /// order of the dates; corrections begin with `corrects`.
    pub async fn ledger(&self) -> Vec<String> {
        self.lines(LEDGER).await
    }

    /// The lines of the ledger that hold `word`.
    pub async fn ledger_of(&self, word: &str) -> Vec<String> {
        self.ledger().await.into_iter().filter(|line| line.contains(word)).collect()
    }

    /// The digest of the ledger.
    pub async fn digest(&self) -> String {
        digest::digest(&mut self.owner.acquire().await.unwrap(), None).await.unwrap()
    }

    /// Everything that must not change when nothing happens: every report view and the rows of every table that
    /// holds facts, as hashes and counts.
    pub async fn state(&self) -> Vec<String> {
        let mut state = self.lines(COUNTS).await;
        for (view, columns) in VIEWS {
            state.push(
                self.one(&format!(
                    "select '{view} ' || md5(coalesce(string_agg(v::text, chr(10) order by v::text), ''))
                     from (select {columns} from {view}) v"
                ))
                .await,
            );
        }
        state.push(format!("digest {}", self.digest().await));
        state
    }

    /// Every mail in the outbox, by day, then recipient, with the notices it carries.
    pub async fn mailbox(&self) -> Vec<Mail> {
        let told = self.lines(TOLD).await;
        let mut mails = Vec::new();
        for file in fs::read_dir(self.dir.join("outbox")).into_iter().flatten().flatten() {
            assert!(file.path().extension().is_some_and(|e| e == "eml"), "left behind: {file:?}");
            let text = fs::read_to_string(file.path()).unwrap();
            let mail = Eml::read(&text);
            let message_id = mail.field("Message-ID");
            let mut row = told.iter().find_map(|line| line.strip_prefix(&message_id)).unwrap().split('|');
            let (_, day, to) = (row.next(), row.next().unwrap(), row.next().unwrap());
            let notices: Vec<String> = row.map(str::to_owned).collect();
            assert!(mail.field("To").contains(to), "{text}");
            assert!(mail.html.as_ref().is_some_and(|html| html.starts_with("<!DOCTYPE html>")), "{text}");
            let (subject, body) = (mail.field("Subject"), mail.text);
            mails.push(Mail { day: day.into(), recipient: to.into(), subject, notices, message_id, body });
        }
        mails.sort();
        assert_eq!(mails.len(), told.len(), "every mail is a file");
        mails
    }

    /// The mailbox as lines: day, recipient, subject, notices.
    pub async fn letters(&self) -> Vec<String> {
        let mails = self.mailbox().await;
        let line = |m: &Mail| format!("{} {} | {} | {}", m.day, m.recipient, m.subject, m.notices.join(", "));
        mails.iter().map(line).collect()
    }

    /// Which notices are owed or told, whatever became of them: `membership_ending 2024-12-01 sent`.
    pub async fn notices(&self) -> Vec<String> {
        let all = "select concat_ws(' ', notice, anchor_on, status) from report.mail order by anchor_on, notice, partner_id";
        self.lines(all).await
    }

    /// Each decision: `cancel ORD-1 refused refund_window_passed+refund_blocked`, with the earliest date if there is one.
    pub async fn decisions(&self) -> Vec<String> {
        let all = "select concat_ws(' ', action, subject, outcome,
                       (select string_agg(r ->> 'code', '+' order by nth) from jsonb_array_elements(reasons)
                        with ordinality as reason (r, nth)), earliest_on)
                   from decision order by decision_id";
        self.lines(all).await
    }
}

const LEDGER: &str = "
    select concat_ws(' ', case when corrects is not null then 'corrects' end, effective_on, replace(kind, 'credit_', ''),
               case when currency = 'JPY' then amount_minor::text
                    else trim_scale(amount_minor / 100.0)::text end, currency,
               '(' || period_from || '..' || period_until || ')', case when split_part(benefit, '/', 1) <> 'azure_monthly_credit' then benefit end)
    from report.ledger order by partner_id, order_id, effective_on, period_from, benefit, corrects is not null, kind, abs(amount_minor), entry_id";

const VIEWS: [(&str, &str); 8] = [
    ("report.partner", "*"),
    ("report.membership", "*"),
    ("report.entitlement", "*"),
    ("report.ledger", "*"),
    ("report.balance", "*"),
    ("report.decision", "*"),
    ("report.mail", "*"),
    ("credit_schedule", "*"),
];

const COUNTS: &str = "
    select name || ' ' || rows from (
        select 'transfer' as name, count(*) as rows from transfer union all
        select 'entitlement_version', count(*) from entitlement_version union all
        select 'decision', count(*) from decision union all
        select 'assignment', count(*) from assignment union all
        select 'request', count(*) from request union all
        select 'credit_usage', count(*) from credit_usage union all
        select 'reference_rate', count(*) from reference_rate union all
        select 'notice', count(*) from notice union all
        select 'mail', count(*) from mail) counts order by name";

const TOLD: &str = "
    select concat_ws('|', m.message_id, m.day, m.recipient,
               string_agg(n.kind || ' ' || n.anchor_on, '|' order by n.anchor_on, n.kind, n.subject_id))
    from mail m join notice_told n using (mail_id) where m.status = 'sent' group by m.mail_id";

fn answer(outcome: FileOutcome) -> Answer {
    let none = Answer { known: false, refused: None, text: String::new(), rows: vec![] };
    match outcome {
        FileOutcome::Known => Answer { known: true, ..none },
        FileOutcome::Refused(why) | FileOutcome::Guarded(why) | FileOutcome::GivenUp(why) => {
            Answer { refused: Some(why.to_string()), ..none }
        }
        FileOutcome::Failed(why) => Answer { refused: Some(why), ..none },
        FileOutcome::Done(taken) => {
            let text = fs::read_to_string(taken.answer.unwrap()).unwrap();
            let rows = rows_of(&text);
            let count = |status: &str| rows.iter().filter(|r| r.split(' ').nth(1) == Some(status)).count();
            let tally = taken.tally;
            let told = [tally.applied, tally.unchanged, tally.rejected].map(|n| usize::try_from(n).unwrap());
            assert_eq!(told, ["applied", "unchanged", "rejected"].map(count), "{text}");
            Answer { text, rows, ..none }
        }
    }
}

/// The verdicts of an answer: the last five cells of each row.
fn rows_of(text: &str) -> Vec<String> {
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(text.as_bytes());
    let rows = reader.records().map(|record| {
        let record = record.unwrap();
        let cell = |from_end: usize| record.get(record.len() - from_end).unwrap().to_owned();
        let words = [cell(2), cell(5), cell(1), cell(4)];
        words.into_iter().filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
    });
    rows.collect()
}
