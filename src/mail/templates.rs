//! The templates, compiled in, and what they make of notices: blocks of text, the frame around them, and the whole as plain text
//! and as HTML. Words stand in the folders of the languages (`domain/texts`); here stands how a mail is laid out.

use std::sync::LazyLock;

use minijinja::{
    AutoEscape, Environment, UndefinedBehavior, Value, context, syntax::SyntaxConfig, value::Serde,
};
use serde::{Deserialize, Serialize};

use super::{error::Error, night_text, text::clean, unsubscribe::WayOut};
use crate::domain::{
    night_report::NightReport,
    notice::{Fact, KINDS, Notice},
    texts::ReaderLanguage,
};

/// How a mail is laid out, whatever its language.
const LAYOUT: [(&str, &str); 3] = [
    ("stakes", include_str!("templates/stakes.txt")),
    ("mail.txt", include_str!("templates/mail.txt")),
    ("mail.html", include_str!("templates/mail.html")),
];

static ENVIRONMENT: LazyLock<Result<Environment<'static>, Error>> = LazyLock::new(environment);

/// A subject line and the text under it.
#[derive(Serialize)]
pub(super) struct Block {
    /// One line.
    pub(super) title: String,
    /// Paragraphs, not yet wrapped, without spaces around them.
    pub(super) body: String,
}

/// What stands around the notices of a mail; of each language a template a line, in its `frame.toml`.
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct FrameTexts {
    subject: String,
    greeting: String,
    about: String,
    several: String,
    to_contact: String,
    to_account: String,
    to_operator: String,
    as_of: String,
    unsubscribe_page: String,
    unsubscribe_mail: String,
    to_do: String,
}

/// What stands around the notices of one mail.
#[derive(Serialize)]
pub(super) struct Frame {
    /// One line.
    pub(super) subject: String,
    /// The blocks have numbers.
    numbered: bool,
    greeting: String,
    intro: String,
    why_here: String,
    as_of: String,
    /// How to get no more of these mails; nothing if they are no marketing.
    way_out: String,
    /// The page of it, if there is one.
    page: String,
    /// What the paragraphs begin with that say what is to be done.
    #[serde(skip)]
    to_do: String,
}

/// A paragraph, a list, or what is to be done.
#[derive(Default, Serialize)]
struct BodyPart<'a> {
    to_do: &'a str,
    text: &'a str,
    items: Vec<&'a str>,
}

/// How a mail came to its reader.
#[derive(Clone, Copy)]
pub(super) struct Reached<'a> {
    /// To the marketing contact, or to the account.
    pub(super) as_contact: bool,
    /// How to get no more of them.
    pub(super) way_out: Option<&'a WayOut>,
}

/// The notice's own subject and text.
pub(super) fn notice(notice: &Notice, language: ReaderLanguage) -> Result<Block, Error> {
    let facts = notice.facts(language).into_iter().map(|(name, fact)| {
        let value = match fact {
            Fact::Text(text) => Value::from(clean(&text)),
            Fact::Flag(flag) => Value::from(flag),
            Fact::List(texts) => texts.iter().map(|text| clean(text)).collect::<Value>(),
        };
        (name, value)
    });
    let name = name(notice.kind(), language);
    let rendered = render(&name, &Value::from_pairs(facts))?;
    let (title, body) = rendered.split_once('\n').unwrap_or((&rendered, ""));
    let (title, body) = (clean(title), squeeze(body));
    if title.is_empty() || body.is_empty() {
        return Err(Error::Template {
            name,
            problem: "it needs a subject line and a text under it".to_owned(),
        });
    }
    Ok(Block { title, body })
}

/// What stands around `blocks`, of which there is at least one, with the facts of the mail.
pub(super) fn frame(
    blocks: &[Block],
    reached: Reached<'_>,
    facts: Value,
    language: ReaderLanguage,
) -> Result<Frame, Error> {
    let (page, write_to, way_out) = match reached.way_out {
        Some(WayOut::Page(url)) => (url.as_str(), "", Some("unsubscribe_page")),
        Some(WayOut::Mail { to, .. }) => ("", to.as_str(), Some("unsubscribe_mail")),
        None => ("", "", None),
    };
    let facts = context! { write_to, ..facts };
    let of = |part: &str| render(&name(&format!("frame.{part}"), language), &facts).map(|text| clean(&text));
    let subject = match blocks {
        [only] => only.title.clone(),
        _ => of("subject")?,
    };
    Ok(Frame {
        subject,
        numbered: blocks.len() > 1,
        greeting: of("greeting")?,
        intro: of(if blocks.len() == 1 { "about" } else { "several" })?,
        why_here: of(if reached.as_contact { "to_contact" } else { "to_account" })?,
        as_of: of("as_of")?,
        way_out: way_out.map(of).transpose()?.unwrap_or_default(),
        page: page.to_owned(),
        to_do: of("to_do")?,
    })
}

/// The mail of a night: what stands around its sections, and these.
pub(super) struct NightPage {
    pub(super) frame: Frame,
    pub(super) blocks: Vec<Block>,
}

/// What a report says in a language.
pub(super) fn night(report: &NightReport, language: ReaderLanguage) -> Result<NightPage, Error> {
    let text = night_text::text(report, language)?;
    let mut sections = text.split("\n## ");
    let head = sections.next().unwrap_or_default();
    let (subject, intro) = head.trim_start().split_once('\n').unwrap_or((head, ""));
    let block = |section: &str| {
        let (title, body) = section.split_once('\n').unwrap_or((section, ""));
        Block { title: clean(title), body: squeeze(body) }
    };
    let of = |part: &str| render(&name(&format!("frame.{part}"), language), &context! {});
    let frame = Frame {
        subject: clean(subject),
        numbered: false,
        greeting: String::new(),
        intro: clean(intro),
        why_here: clean(&of("to_operator")?),
        as_of: String::new(),
        way_out: String::new(),
        page: String::new(),
        to_do: clean(&of("to_do")?),
    };
    Ok(NightPage { frame, blocks: sections.map(block).collect() })
}

/// The mail as plain text, not yet wrapped.
pub(super) fn plain(frame: &Frame, blocks: &[Block]) -> Result<String, Error> {
    Ok(squeeze(&render("mail.txt", &context! { frame => Serde(frame), blocks => Serde(blocks) })?))
}

/// The mail as HTML, with the words of its plain text: nothing of it is fetched from elsewhere.
pub(super) fn html(
    frame: &Frame,
    blocks: &[Block],
    partner_name: &str,
    language: ReaderLanguage,
) -> Result<String, Error> {
    let blocks: Vec<Value> = blocks
        .iter()
        .map(|block| context! { title => &block.title, parts => Serde(parts(&block.body, &frame.to_do)) })
        .collect();
    render("mail.html", &context! { frame => Serde(frame), blocks, partner_name, language => language.tag() })
}

/// The paragraphs and lists of a text. A list belongs to what is to be done if it follows right upon it.
fn parts<'a>(body: &'a str, to_do: &'a str) -> Vec<BodyPart<'a>> {
    let mut parts: Vec<BodyPart<'_>> = Vec::new();
    let mut follows = false;
    for line in body.lines().map(str::trim) {
        if line.is_empty() {
            follows = false;
            continue;
        }
        match (line.strip_prefix("- "), parts.last_mut()) {
            (Some(item), Some(last)) if follows && (!last.items.is_empty() || !last.to_do.is_empty()) => {
                last.items.push(item);
            }
            (Some(item), _) => parts.push(BodyPart { items: vec![item], ..BodyPart::default() }),
            (None, _) => parts.push(match line.strip_prefix(to_do) {
                Some(rest) => BodyPart { to_do, text: rest.trim_start(), ..BodyPart::default() },
                None => BodyPart { text: line, ..BodyPart::default() },
            }),
        }
        follows = true;
    }
    parts
}

fn render(name: &str, facts: &Value) -> Result<String, Error> {
    let environment = ENVIRONMENT.as_ref().map_err(Clone::clone)?;
    let rendered = environment.get_template(name).and_then(|template| template.render(facts));
    rendered.map_err(|error| fault(name, &error))
}

/// No more than one empty line at a time, and none around the text.
fn squeeze(body: &str) -> String {
    let mut lines: Vec<&str> = Vec::new();
    for line in body.trim().lines().map(str::trim_end) {
        if !(line.is_empty() && lines.last().is_some_and(|last| last.is_empty())) {
            lines.push(line);
        }
    }
    lines.join("\n")
}

fn environment() -> Result<Environment<'static>, Error> {
    let mut environment = Environment::new();
    environment.set_auto_escape_callback(|name| {
        let html = std::path::Path::new(name).extension().is_some_and(|extension| extension == "html");
        if html { AutoEscape::Html } else { AutoEscape::None }
    });
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    let syntax = SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build();
    environment.set_syntax(syntax.map_err(|error| fault("syntax", &error))?);
    let mut add = |name: String, text: String| {
        environment.add_template_owned(name.clone(), text).map_err(|error| fault(&name, &error))
    };
    for (name, text) in LAYOUT {
        add(name.to_owned(), text.to_owned())?;
    }
    for &language in ReaderLanguage::ALL {
        for kind in KINDS {
            add(name(kind.name, language), (kind.text)(language).to_owned())?;
        }
        for (part, text) in frame_texts(language)? {
            add(name(&format!("frame.{part}"), language), text)?;
        }
    }
    Ok(environment)
}

/// The templates of a language's frame by their names.
fn frame_texts(language: ReaderLanguage) -> Result<Vec<(String, String)>, Error> {
    let fault = |problem: String| Error::Template { name: format!("{}/frame.toml", language.tag()), problem };
    let texts: FrameTexts =
        toml::from_str(language.frame()).map_err(|error| fault(error.message().to_owned()))?;
    let named = serde_json::to_value(texts).and_then(serde_json::from_value);
    let named: serde_json::Map<String, serde_json::Value> =
        named.map_err(|error| fault(error.to_string()))?;
    Ok(named.into_iter().map(|(part, text)| (part, text.as_str().unwrap_or_default().to_owned())).collect())
}

/// As in `de/offer_live.txt`, where the text stands.
fn name(what: &str, language: ReaderLanguage) -> String {
    format!("{}/{what}", language.tag())
}

fn fault(name: &str, error: &minijinja::Error) -> Error {
    let line = error.line().map(|line| format!(" (line {line})")).unwrap_or_default();
    Error::Template { name: name.to_owned(), problem: format!("{error}{line}") }
}
