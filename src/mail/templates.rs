//! The templates, compiled in, and what they say of one notice or one digest.

use std::sync::LazyLock;

use minijinja::{AutoEscape, Environment, UndefinedBehavior, Value, syntax::SyntaxConfig};

use super::{Error, facts, text::clean};
use crate::domain::{language::Language, notice::Notice};

/// A template's folder under `templates/`, and its text in English and Swedish.
type Source = (&'static str, &'static str, &'static str);

/// Both languages of one folder.
macro_rules! source {
    ($folder:literal) => {
        (
            $folder,
            include_str!(concat!("templates/", $folder, "/en.txt")),
            include_str!(concat!("templates/", $folder, "/sv.txt")),
        )
    };
}

/// The frame of a digest, and one folder for each kind of notice.
const SOURCES: [Source; 13] = [
    source!("digest"),
    source!("entitlement_ending"),
    source!("membership_ending"),
    source!("membership_in_grace"),
    source!("credit_about_to_lapse"),
    source!("credit_lapsed_unassigned"),
    source!("entitlement_ended"),
    source!("membership_ended"),
    source!("cancellation_accepted"),
    source!("cancellation_refused"),
    source!("offer_instructions"),
    source!("offer_live"),
    source!("contact_needed"),
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
    block(notice.kind(), language, facts::of(notice, language))
}

/// Subject and text of the template in `folder` with `facts`.
pub(super) fn block(folder: &str, language: Language, facts: Value) -> Result<Block, Error> {
    let name = name(folder, language);
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
    for (folder, english, swedish) in SOURCES {
        for (language, text) in [(Language::English, english), (Language::Swedish, swedish)] {
            let name = name(folder, language);
            environment.add_template_owned(name.clone(), text).map_err(|error| fault(&name, &error))?;
        }
    }
    Ok(environment)
}

fn name(folder: &str, language: Language) -> String {
    format!("{folder}/{}", language.tag())
}

fn fault(name: &str, error: &minijinja::Error) -> Error {
    let line = error.line().map(|line| format!(" (line {line})")).unwrap_or_default();
    Error::Template { name: name.to_owned(), problem: format!("{error}{line}") }
}
