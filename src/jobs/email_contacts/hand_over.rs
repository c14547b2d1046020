//! What a mail says, and its way into the outbox.

use std::path::Path;

use tracing::warn;

use super::policy::EmailPolicy;
use crate::{
    domain::{night_report::NightReport, notice::Notice, texts::ReaderLanguage},
    mail::{self, Digest, Headers, NightMail, Rendered, outbox},
    store::{
        mail::{Leased, MailFate},
        night_report::StoredReport,
        notice::StoredNotice,
    },
};

/// A mail as it was written, by its Message-ID.
pub(super) type Written = (String, Result<Rendered, mail::Error>);

/// Puts each mail into the outbox, and says what became of it. What cannot be written there now stays queued, so that
/// it makes no night late (promise 9).
pub(super) fn hand_over(outbox: &Path, written: &[Written], dry_run: bool) -> Vec<(MailFate, String)> {
    let made = if dry_run { Ok(()) } else { std::fs::create_dir_all(outbox) };
    let hand = |(message_id, mail): &Written| match (mail, &made) {
        (Ok(_), _) if dry_run => (MailFate::Sent, String::new()),
        (Ok(rendered), Ok(())) => match outbox::deliver(outbox, rendered) {
            Ok(_) => (MailFate::Sent, "written to the outbox".to_owned()),
            Err(error) => (MailFate::Later, format!("the outbox cannot be written to: {error}")),
        },
        (Ok(_), Err(error)) => (MailFate::Later, format!("there is no outbox: {error}")),
        (Err(error), _) => {
            // Why may name an address, so it goes on the mail's record and not into the log.
            warn!(%message_id, "a mail cannot be written; `report.mail` says why");
            (MailFate::Failed, error.to_string())
        }
    };
    let handed: Vec<(MailFate, String)> = written.iter().map(hand).collect();
    if let Some((_, why)) = handed.iter().find(|(fate, _)| *fate == MailFate::Later) {
        let late = handed.iter().filter(|(fate, _)| *fate == MailFate::Later).count();
        warn!(mails = late, %why, "mails stay queued for the next night");
    }
    handed
}

/// What a mail of a night to an operator says.
pub(super) fn night_mail(
    policy: &EmailPolicy,
    leased: &Leased,
    report: &StoredReport,
    headers: Headers,
) -> Result<NightMail, mail::Error> {
    let StoredReport::Known(report) = report else { return Err(mail::Error::UnknownReport(leased.day)) };
    Ok(NightMail {
        message_id: leased.message_id.clone(),
        recipient: leased.recipient.clone(),
        from: policy.from.clone(),
        language: ReaderLanguage::matching(&leased.language),
        composed_at: leased.composed_at,
        report: NightReport::clone(report),
        headers,
    })
}

/// What a mail under its lease says.
pub(super) fn digest(policy: &EmailPolicy, leased: &Leased, headers: Headers) -> Result<Digest, mail::Error> {
    let known = |stored: &StoredNotice| match stored {
        StoredNotice::Known(notice) => Ok(Notice::clone(notice)),
        StoredNotice::Unknown(unknown) => Err(mail::Error::UnknownNotice(unknown.kind.clone())),
    };
    let notices = leased.notices.0.iter().map(known).collect::<Result<_, _>>()?;
    Ok(Digest {
        message_id: leased.message_id.clone(),
        stream: leased.stream,
        recipient: leased.recipient.clone(),
        recipient_name: leased.recipient_name.clone(),
        from: policy.from.clone(),
        language: ReaderLanguage::matching(&leased.language),
        partner_name: leased.partner_name.clone(),
        partner_numbers: leased.partner_numbers.clone(),
        day: leased.day,
        composed_at: leased.composed_at,
        notices,
        headers,
    })
}
