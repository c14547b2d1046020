//! The page that unsubscribes: plain, in the reader's language, with nothing from elsewhere.

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::Deserialize;
use sha2::{Digest as _, Sha256};

use crate::domain::texts::ReaderLanguage;

/// How it looks; the page's only style, known to browsers by its hash.
const STYLE: &str = "body{font:1.125rem/1.5 system-ui,sans-serif;max-width:36rem;margin:3rem auto;padding:0 1rem;\
color:#1a1a1a;background:#fff}button{font:inherit;padding:.6rem 1.2rem;color:#fff;background:#0b5394;border:0;\
border-radius:.25rem}button:focus-visible{outline:3px solid #1a1a1a;outline-offset:2px}";

/// What the page says.
#[derive(Clone, Copy)]
pub(super) enum PageSaid<'a> {
    /// Whether this address is to get no more marketing.
    Ask(&'a str),
    /// It gets no more.
    Done(&'a str),
    /// Nobody knows this link.
    Unknown,
    /// Nothing could be done now.
    Later,
}

/// The page in words; `{address}` in them is the address.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct UnsubscribePage {
    title: String,
    sentences: Vec<String>,
    button: Option<String>,
}

/// The page in all its turns, in a language.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct UnsubscribePages {
    ask: UnsubscribePage,
    done: UnsubscribePage,
    unknown: UnsubscribePage,
    later: UnsubscribePage,
}

impl UnsubscribePage {
    /// `None`: the language's file cannot be read, which no test would have let through.
    fn of(said: PageSaid<'_>, language: ReaderLanguage) -> Option<Self> {
        let pages: UnsubscribePages = toml::from_str(language.unsubscribe_page()).ok()?;
        let (mut page, address) = match said {
            PageSaid::Ask(address) => (pages.ask, escaped(address)),
            PageSaid::Done(address) => (pages.done, escaped(address)),
            PageSaid::Unknown => (pages.unknown, String::new()),
            PageSaid::Later => (pages.later, String::new()),
        };
        for sentence in &mut page.sentences {
            *sentence = sentence.replace("{address}", &address);
        }
        Some(page)
    }

    fn html(&self, language: ReaderLanguage) -> String {
        let Self { title, sentences, button } = self;
        let tag = language.tag();
        let said = sentences.iter().fold(String::new(), |said, sentence| said + "<p>" + sentence + "</p>\n");
        // Without an address of its own the form is sent to where the page is from, whatever a proxy calls that.
        let form = button.as_ref().map_or_else(String::new, |button| {
            format!(
                "<form method=\"post\">\n<input type=\"hidden\" name=\"List-Unsubscribe\" value=\"One-Click\">\n\
                 <button type=\"submit\">{button}</button>\n</form>\n"
            )
        });
        format!(
            "<!doctype html>\n<html lang=\"{tag}\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>{title}</title>\n\
             <style>{STYLE}</style>\n</head>\n<body>\n<main>\n<h1>{title}</h1>\n{said}{form}</main>\n</body>\n</html>\n"
        )
    }
}

/// The page as an answer that is kept nowhere, framed by nobody and fetches nothing.
pub(super) fn answer(code: StatusCode, language: ReaderLanguage, said: PageSaid<'_>) -> Response {
    let style = STANDARD.encode(Sha256::digest(STYLE));
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{style}'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    );
    let html = UnsubscribePage::of(said, language).map(|page| page.html(language)).unwrap_or_default();
    let mut response = (code, html).into_response();
    let fields = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CONTENT_LANGUAGE, language.tag()),
        (header::CONTENT_SECURITY_POLICY, policy.as_str()),
        (header::CACHE_CONTROL, "no-store"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::HeaderName::from_static("x-robots-tag"), "noindex"),
    ];
    for (name, value) in fields {
        if let Ok(value) = HeaderValue::from_str(value) {
            response.headers_mut().insert(name, value);
        }
    }
    response
}

fn escaped(text: &str) -> String {
    text.chars().fold(String::with_capacity(text.len()), |mut escaped, c| {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            c => escaped.push(c),
        }
        escaped
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_is_in_every_language_and_holds_nothing_from_elsewhere() {
        let address = "o'neil+<b>&@x.example";
        let mut shown = String::new();
        for said in [PageSaid::Ask(address), PageSaid::Done(address), PageSaid::Unknown, PageSaid::Later] {
            for &language in ReaderLanguage::ALL {
                let html = UnsubscribePage::of(said, language).unwrap().html(language);
                assert!(
                    !html.contains("<b>") && !html.contains("://") && !html.contains("{address}"),
                    "{html}"
                );
                assert!(html.contains(&format!("<html lang=\"{}\">", language.tag())));
                assert_eq!(html.matches("<form").count(), usize::from(matches!(said, PageSaid::Ask(_))));
                shown += &html.replace(STYLE, "…");
            }
        }
        insta::assert_snapshot!(shown);
    }
}
