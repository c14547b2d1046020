//! Sentences of reasons in the languages that have them in their folder: templates with a reason's own arguments.

use std::{collections::BTreeMap, sync::LazyLock};

use chrono::NaiveDate;
use minijinja::{Environment, ErrorKind, UndefinedBehavior, Value, value::Serde};

use super::variants::Reason;
use crate::domain::{
    benefit::Unit,
    money::Amount,
    naming,
    texts::{ReaderLanguage, TextFault},
};

type Sentences = Result<Environment<'static>, TextFault>;

static ENVIRONMENTS: LazyLock<Vec<(ReaderLanguage, Sentences)>> = LazyLock::new(|| {
    let with = |&language: &ReaderLanguage| Some((language, environment(language, language.reasons_toml()?)));
    ReaderLanguage::ALL.iter().filter_map(with).collect()
});

/// The sentence of a reason, its dates written out; `None`: the language's sentences stand with the reasons.
///
/// # Errors
/// It lacks there, or asks for what the reason does not have.
pub(super) fn sentence(reason: &Reason, language: ReaderLanguage) -> Option<Result<String, TextFault>> {
    let (_, environment) = ENVIRONMENTS.iter().find(|(of, _)| *of == language)?;
    Some(environment.as_ref().map_err(Clone::clone).and_then(|environment| {
        environment
            .get_template(reason.into())
            .and_then(|template| template.render(Value::from(Serde(reason))))
            .map_err(|error| fault(language, &error))
    }))
}

/// The codes that a language has sentences for, if they are in its folder.
pub(super) fn codes(language: ReaderLanguage) -> Vec<&'static str> {
    let found = ENVIRONMENTS.iter().find(|(of, _)| *of == language);
    let environment = found.and_then(|(_, environment)| environment.as_ref().ok());
    environment.map(|environment| environment.templates().map(|(code, _)| code).collect()).unwrap_or_default()
}

fn environment(language: ReaderLanguage, reasons: &str) -> Sentences {
    let toml: BTreeMap<String, String> = toml::from_str(reasons)
        .map_err(|error| TextFault { file: file(language), problem: error.message().to_owned() })?;
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.add_filter("day", move |day: &str| {
        let day: NaiveDate = day.parse().map_err(|_| no("day", day))?;
        Ok::<_, minijinja::Error>(naming::day(day, language))
    });
    environment.add_filter("amount", move |amount: Serde<Amount>| naming::amount(amount.0, language));
    environment.add_filter("benefit", move |code: &str| naming::benefit(code, language));
    environment.add_filter("agreement", |code: &str| naming::agreement(code));
    environment.add_filter("offer", |code: &str| naming::offer(code));
    environment
        .add_filter("units", move |count: i64, unit: Serde<Unit>| naming::units(unit.0, count, language));
    for (code, text) in toml {
        environment.add_template_owned(code, text).map_err(|error| fault(language, &error))?;
    }
    Ok(environment)
}

fn no(what: &str, value: &str) -> minijinja::Error {
    minijinja::Error::new(ErrorKind::InvalidOperation, format!("{value} is no {what}"))
}

fn file(language: ReaderLanguage) -> String {
    format!("{}/reasons.toml", language.tag())
}

fn fault(language: ReaderLanguage, error: &minijinja::Error) -> TextFault {
    let name = error.name().unwrap_or_default();
    TextFault { file: file(language), problem: format!("{name}: {error}") }
}
