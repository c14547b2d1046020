//! The words of the mail of a night: each language's template over the facts of a report, cleaned so that no value is a line of
//! its own.

use std::sync::LazyLock;

use chrono::NaiveDate;
use minijinja::{Environment, ErrorKind, UndefinedBehavior, Value, syntax::SyntaxConfig, value::Serde};
use serde_json::{Value as Json, json};

use super::{error::Error, text::clean};
use crate::domain::{
    money::Amount, naming, night_report::NightReport, reason::Reason, texts::ReaderLanguage,
};

/// The name of the template, in every language.
const NAME: &str = "night";

static ENVIRONMENTS: LazyLock<Vec<(ReaderLanguage, Result<Environment<'static>, Error>)>> =
    LazyLock::new(|| ReaderLanguage::ALL.iter().map(|&language| (language, environment(language))).collect());

/// The subject on the first line, a paragraph on the next, and sections under lines that begin with `## `.
pub(super) fn text(report: &NightReport, language: ReaderLanguage) -> Result<String, Error> {
    let broken = |problem: String| Error::Template { name: name(language), problem };
    let mut facts = serde_json::to_value(report).map_err(|error| broken(error.to_string()))?;
    if let Json::Object(facts) = &mut facts {
        facts.insert("needs".to_owned(), json!(report.needs()));
        facts.insert("nights".to_owned(), json!(report.nights()));
    }
    clean_all(&mut facts);
    let found = ENVIRONMENTS.iter().find(|(of, _)| *of == language);
    let (_, environment) = found.ok_or_else(|| broken("there is no such language".to_owned()))?;
    let environment = environment.as_ref().map_err(Clone::clone)?;
    let rendered = environment.get_template(NAME).and_then(|of| of.render(Value::from(Serde(facts))));
    rendered.map_err(|error| fault(language, &error))
}

/// Every text of it as one line.
fn clean_all(value: &mut Json) {
    match value {
        Json::String(text) => *text = clean(text),
        Json::Array(values) => values.iter_mut().for_each(clean_all),
        Json::Object(fields) => fields.values_mut().for_each(clean_all),
        Json::Null | Json::Bool(_) | Json::Number(_) => {}
    }
}

fn environment(language: ReaderLanguage) -> Result<Environment<'static>, Error> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    let syntax = SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build();
    environment.set_syntax(syntax.map_err(|error| fault(language, &error))?);
    environment.add_filter("day", move |day: &str| {
        let day: NaiveDate = day
            .parse()
            .map_err(|_| minijinja::Error::new(ErrorKind::InvalidOperation, format!("{day} is no day")))?;
        Ok::<_, minijinja::Error>(naming::day(day, language))
    });
    environment.add_filter("amount", move |amount: Serde<Amount>| naming::amount(amount.0, language));
    environment.add_filter("number", move |count: i64| naming::number(count, language));
    environment.add_filter("benefit", move |code: &str| naming::benefit(code, language));
    environment.add_filter("sentence", move |reason: Serde<Reason>| clean(&reason.0.prose(language)));
    environment.add_template(NAME, language.night_mail()).map_err(|error| fault(language, &error))?;
    Ok(environment)
}

fn name(language: ReaderLanguage) -> String {
    format!("{}/{NAME}", language.tag())
}

fn fault(language: ReaderLanguage, error: &minijinja::Error) -> Error {
    let line = error.line().map(|line| format!(" (line {line})")).unwrap_or_default();
    Error::Template { name: name(language), problem: format!("{error}{line}") }
}
