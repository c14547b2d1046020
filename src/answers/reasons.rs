//! Every reason that a decision or an answer can have, with its sentences (D13).

use serde::Serialize;

use crate::domain::{
    language::Language,
    reason::{Reason, samples},
};

/// A reason, with sentences of a sample: their dates, figures and names are invented.
#[derive(Clone, Debug, Serialize)]
pub struct ReasonView {
    /// The code.
    pub code: &'static str,
    /// The rules it comes from; none where every file has it.
    pub rules: Vec<&'static str>,
    /// When the no becomes a yes.
    pub becomes_a_yes: &'static str,
    /// The sentence in English.
    pub en: String,
    /// The sentence in Swedish.
    pub sv: String,
    /// What the sentences are made of.
    pub sample: Reason,
}

/// All of them, in the order in which they are declared.
#[must_use]
pub fn all() -> Vec<ReasonView> {
    let view = |reason: Reason| {
        let (rules, becomes_a_yes) = {
            let told = reason.told();
            (told.rules, told.becomes_a_yes())
        };
        ReasonView {
            code: reason.code(),
            rules: rules.split(", ").filter(|rule| !rule.is_empty()).collect(),
            becomes_a_yes,
            en: reason.sentence(Language::English),
            sv: reason.sentence(Language::Swedish),
            sample: reason,
        }
    };
    samples().into_iter().map(view).collect()
}
