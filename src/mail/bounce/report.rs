//! A message that came back, read: what it means, and what it may be known by.

use std::panic::{AssertUnwindSafe, catch_unwind};

use mail_parser::{MessageParser, MimeHeaders as _, PartType};

use super::class::{BounceClass, StatusCode, class_of, speaks_of_nobody};

/// What a message says of a mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Meaning {
    /// It did not get there.
    Failed(BounceClass),
    /// It is not there yet, and is still tried.
    Delayed,
    /// It got there, or further.
    Delivered,
    /// Its reader complains.
    Complaint,
    /// Its reader wants no more of its kind.
    Unsubscribe,
    /// A program answered for somebody who is away.
    AutoReply,
    /// A person wrote, or nobody knows.
    Other,
}

/// A message that came back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BounceReport {
    /// What it says.
    pub meaning: Meaning,
    /// The code that it says it with.
    pub code: Option<StatusCode>,
    /// The words, in one line.
    pub said: String,
    /// Its own Message-ID.
    pub message_id: Option<String>,
    /// What may be tokens of mails of ours, in the order they stand there.
    pub tokens: Vec<String>,
}

/// Characters of a token: hexadecimal digits.
const TOKEN_CHARS: usize = 40;
/// Tokens of one message that are looked at.
const MOST_TOKENS: usize = 32;
/// Messages within messages that are looked into.
const MOST_NESTED: usize = 16;
/// Characters that are kept of what a server said.
const SAID: usize = 500;
/// Subjects of mails that unsubscribe begin so.
const UNSUBSCRIBE: &str = "unsubscribe";

/// A name in lower case and a value in one line.
type HeadField = (String, String);

/// What of a message counts.
#[derive(Default)]
struct ReadParts {
    head: Vec<HeadField>,
    /// Of `message/delivery-status`: fields of the whole, then of each recipient.
    delivery: Vec<Vec<HeadField>>,
    /// Of `message/feedback-report`.
    feedback: Option<Vec<HeadField>>,
    /// The head of the mail that it is about.
    returned: Vec<HeadField>,
    text: String,
}

/// Reads a message; `None`: nobody can.
#[must_use]
pub fn read(message: &[u8]) -> Option<BounceReport> {
    let nested = |kind: &[u8]| {
        message
            .windows(kind.len())
            .filter(|bytes| bytes.eq_ignore_ascii_case(kind))
            .take(MOST_NESTED + 1)
            .count()
    };
    if nested(b"message/rfc822") > MOST_NESTED || nested(b"message/global") > MOST_NESTED {
        return None;
    }
    // Whatever the library makes of a message is this message's trouble alone.
    let parts = catch_unwind(AssertUnwindSafe(|| parts(message))).ok().flatten()?;
    let (meaning, code, said) = meaning(&parts);
    let message_id = parts.one("message-id").map(str::to_owned);
    Some(BounceReport { meaning, code, said: in_a_line(&said), message_id, tokens: tokens(&parts) })
}

fn parts(message: &[u8]) -> Option<ReadParts> {
    let parsed = MessageParser::default().parse(message)?;
    let mut parts = ReadParts { head: parsed.headers_raw().map(field).collect(), ..ReadParts::default() };
    for part in &parsed.parts {
        let kind = part
            .content_type()
            .map(|kind| format!("{}/{}", kind.ctype(), kind.subtype().unwrap_or_default()).to_lowercase());
        let text = || String::from_utf8_lossy(part.contents()).into_owned();
        match (kind.as_deref(), &part.body) {
            (Some("message/delivery-status" | "message/global-delivery-status"), _) => {
                parts.delivery.extend(blocks(&text()));
            }
            (Some("message/feedback-report"), _) => parts.feedback = Some(blocks(&text()).concat()),
            (Some("text/rfc822-headers" | "message/global-headers"), _) => {
                parts.returned.extend(blocks(&text()).into_iter().next().unwrap_or_default());
            }
            (_, PartType::Message(returned)) => parts.returned.extend(returned.headers_raw().map(field)),
            (_, PartType::Text(text)) if parts.text.is_empty() => text.as_ref().clone_into(&mut parts.text),
            _ => {}
        }
    }
    (!parts.head.is_empty()).then_some(parts)
}

impl ReadParts {
    fn one(&self, name: &str) -> Option<&str> {
        of(&self.head, name)
    }

    fn holds(&self, name: &str, begins: &str) -> bool {
        self.one(name).is_some_and(|value| value.to_lowercase().starts_with(begins))
    }
}

fn of<'a>(fields: &'a [HeadField], name: &str) -> Option<&'a str> {
    fields.iter().find(|(of, _)| of == name).map(|(_, value)| value.as_str())
}

fn field((name, value): (&str, &str)) -> HeadField {
    (name.trim().to_lowercase(), in_a_line(value))
}

fn in_a_line(text: &str) -> String {
    let printable: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let line = printable.split_whitespace().collect::<Vec<_>>().join(" ");
    line.chars().take(SAID).collect()
}

/// Fields in blocks that empty lines part.
fn blocks(text: &str) -> Vec<Vec<HeadField>> {
    let mut blocks = vec![Vec::<HeadField>::new()];
    for line in text.lines().map(|line| line.trim_end_matches('\r')) {
        let Some(block) = blocks.last_mut() else { break };
        if line.trim().is_empty() {
            if !block.is_empty() {
                blocks.push(Vec::new());
            }
        } else if line.starts_with([' ', '\t']) {
            if let Some((_, value)) = block.last_mut() {
                *value = in_a_line(&format!("{value} {line}"));
            }
        } else if let Some(parted) = line.split_once(':') {
            block.push(field(parted));
        }
    }
    blocks.retain(|block| !block.is_empty());
    blocks
}

fn meaning(parts: &ReadParts) -> (Meaning, Option<StatusCode>, String) {
    if let Some(feedback) = &parts.feedback {
        let kind = of(feedback, "feedback-type").unwrap_or_default().to_lowercase();
        let meaning = match kind.as_str() {
            "not-spam" | "auth-failure" => Meaning::Other,
            "opt-out" | "opt-out-list" => Meaning::Unsubscribe,
            _ => Meaning::Complaint,
        };
        return (meaning, None, format!("complaint: {kind}"));
    }
    if let Some(told) = delivery(&parts.delivery) {
        return told;
    }
    let subject = parts.one("subject").unwrap_or_default().to_lowercase();
    if let Some(told) = plain(parts, &subject) {
        return told;
    }
    let automatic = parts.one("auto-submitted").is_some_and(|value| !value.to_lowercase().starts_with("no"))
        || parts.one("x-autoreply").is_some()
        || parts.one("x-autorespond").is_some()
        || parts.holds("precedence", "auto_reply")
        || parts.holds("precedence", "bulk")
        || parts.holds("precedence", "junk");
    match () {
        () if automatic => (Meaning::AutoReply, None, subject),
        () if subject.trim().starts_with(UNSUBSCRIBE) => (Meaning::Unsubscribe, None, subject),
        () => (Meaning::Other, None, subject),
    }
}

/// What a report of the standard says, the worst of its recipients first.
fn delivery(blocks: &[Vec<HeadField>]) -> Option<(Meaning, Option<StatusCode>, String)> {
    let recipients =
        blocks.iter().filter(|block| of(block, "action").is_some() || of(block, "status").is_some());
    let told = recipients.map(|block| {
        let diagnostic = of(block, "diagnostic-code").unwrap_or_default();
        let words = diagnostic.split_once(';').map_or(diagnostic, |(_, words)| words.trim());
        let status = of(block, "status").and_then(StatusCode::find);
        // Where the status says no more than that it failed, what the other server said may.
        let general = status.is_none_or(|code| (code.subject, code.detail) == (0, 0));
        let code = if general { StatusCode::find(words).or(status) } else { status };
        let said = if words.is_empty() {
            code.map(|code| code.to_string()).unwrap_or_default()
        } else {
            words.to_owned()
        };
        let action = of(block, "action").unwrap_or("failed").to_lowercase();
        let meaning = match action.split_whitespace().next() {
            Some("failed") => Meaning::Failed(class_of(code, words)),
            Some("delayed") => Meaning::Delayed,
            _ => Meaning::Delivered,
        };
        (meaning, code, said)
    });
    told.min_by_key(|(meaning, ..)| match meaning {
        Meaning::Failed(BounceClass::Hard) => 0,
        Meaning::Failed(BounceClass::Soft) => 1,
        Meaning::Failed(BounceClass::Blocked) => 2,
        Meaning::Delayed => 3,
        _ => 4,
    })
}

/// What servers write that know no better: a text, from nobody who can be answered.
fn plain(parts: &ReadParts, subject: &str) -> Option<(Meaning, Option<StatusCode>, String)> {
    let from = parts.one("from").unwrap_or_default().to_lowercase();
    let failed = parts.one("x-failed-recipients").is_some();
    let server = from.contains("mailer-daemon") || from.contains("postmaster@");
    if !failed && !server {
        return None;
    }
    // What follows is the mail itself, which may say anything.
    let own = [
        "\n--- below this line",
        "\n------ this is a copy",
        "\n------ original message",
        "\n----- original message",
    ];
    let lower = parts.text.to_lowercase();
    let end = own.iter().filter_map(|mark| lower.find(mark)).min().unwrap_or(lower.len());
    let said = lower.get(..end)?;
    let code = StatusCode::find(said).filter(|code| code.class != 2);
    if !failed && (subject.contains("delayed") || subject.starts_with("warning")) {
        return Some((Meaning::Delayed, code, subject.to_owned()));
    }
    if failed || code.is_some() || speaks_of_nobody(said) {
        let telling = said.lines().find(|line| StatusCode::find(line).is_some() || speaks_of_nobody(line));
        let telling = telling.unwrap_or(subject).trim().to_owned();
        return Some((Meaning::Failed(class_of(code, said)), code, telling));
    }
    None
}

/// What may be tokens: so many hexadecimal digits, and not one more.
fn tokens(parts: &ReadParts) -> Vec<String> {
    let fields =
        parts.head.iter().chain(parts.delivery.iter().flatten()).chain(parts.feedback.iter().flatten());
    let fields = fields.chain(&parts.returned).map(|(_, value)| value.as_str());
    let mut tokens: Vec<String> = Vec::new();
    for text in fields.chain([parts.text.as_str()]) {
        for word in text.split(|c: char| !c.is_ascii_alphanumeric()) {
            if word.len() == TOKEN_CHARS && word.bytes().all(|b| b.is_ascii_hexdigit()) {
                let word = word.to_ascii_lowercase();
                if !tokens.contains(&word) && tokens.len() < MOST_TOKENS {
                    tokens.push(word);
                }
            }
        }
    }
    tokens
}
