//! The templates, compiled in, and what they say of one notice or one digest.

use std::sync::LazyLock;

use minijinja::{AutoEscape, Environment, UndefinedBehavior, Value, syntax::SyntaxConfig};

use super::{error::Error, text::clean};
use crate::domain::{
    language::Language,
    notice::{Fact, KINDS, Notice, Stake},
};

/// The frame of a digest; the texts of notices stand with the notices.
const FRAME: [(Language, &str); 2] = [
    (Language::English, include_str!("templates/digest/en.txt")),
    (Language::Swedish, include_str!("templates/digest/sv.txt")),
];

static ENVIRONMENT: LazyLock<Result<Environment<'static>, Error>> = LazyLock::new(environment);

/// A subject line and the text under it.
pub(super) struct Block {
    /// One line.
    pub(super) title: String,
    /// Paragraphs, not yet wrapped, without spaces around them.
    pub(super) body: String,
}

/// The notice's own subject and text.
pub(super) fn notice(notice: &Notice, language: Language) -> Result<Block, Error> {
    let facts = notice.facts(language).into_iter().map(|(name, fact)| {
        let value = match fact {
            Fact::Text(text) => Value::from(clean(&text)),
            Fact::Flag(flag) => Value::from(flag),
            Fact::List(texts) => texts.iter().map(|text| clean(text)).collect::<Value>(),
        };
        (name, value)
    });
    block(notice.kind(), language, Value::from_pairs(facts))
}

/// Subject and text of the template of `what` with `facts`.
pub(super) fn block(what: &str, language: Language, facts: Value) -> Result<Block, Error> {
    let name = name(what, language);
    let environment = ENVIRONMENT.as_ref().map_err(Clone::clone)?;
    let rendered = environment
        .get_template(&name)
        .and_then(|template| template.render(facts))
        .map_err(|error| fault(&name, &error))?;
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
    environment.set_auto_escape_callback(|_| AutoEscape::None);
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    let syntax = SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build();
    environment.set_syntax(syntax.map_err(|error| fault("syntax", &error))?);
    let frame = FRAME.iter().map(|(language, text)| ("digest", *language, *text));
    let notices = KINDS.iter().flat_map(|kind| {
        [(kind.name, Language::English, kind.english), (kind.name, Language::Swedish, kind.swedish)]
    });
    let stakes =
        [("stakes", Language::English, Stake::ENGLISH), ("stakes", Language::Swedish, Stake::SWEDISH)];
    for (of, language, text) in frame.chain(notices).chain(stakes) {
        let name = name(of, language);
        environment
            .add_template_owned(name.clone(), text.trim_start())
            .map_err(|error| fault(&name, &error))?;
    }
    Ok(environment)
}

fn name(what: &str, language: Language) -> String {
    format!("{what}/{}", language.tag())
}

fn fault(name: &str, error: &minijinja::Error) -> Error {
    let line = error.line().map(|line| format!(" (line {line})")).unwrap_or_default();
    Error::Template { name: name.to_owned(), problem: format!("{error}{line}") }
}
