//! The page that unsubscribes: plain, in the reader's language, with nothing from elsewhere.

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use sha2::{Digest as _, Sha256};

use crate::domain::language::Language;

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

/// The page in words.
pub(super) struct UnsubscribePage {
    title: &'static str,
    sentences: Vec<String>,
    button: Option<&'static str>,
}

impl UnsubscribePage {
    fn of(said: PageSaid<'_>, language: Language) -> Self {
        let (title, sentences, button): (_, &[&str], _) = match (said, language) {
            (PageSaid::Ask(_), Language::English) => (
                "Unsubscribe from offers",
                &[
                    "Shall {address} get no more e-mail about new offers?",
                    "What you are told of benefits that you have, of requests and of what ends goes on.",
                ],
                Some("Unsubscribe"),
            ),
            (PageSaid::Ask(_), Language::Swedish) => (
                "Avsluta mejl om erbjudanden",
                &[
                    "Ska {address} inte få fler mejl om nya erbjudanden?",
                    "Det som gäller förmåner ni har, ärenden och sådant som upphör får ni även i fortsättningen.",
                ],
                Some("Avsluta"),
            ),
            (PageSaid::Done(_), Language::English) => (
                "You are unsubscribed",
                &[
                    "{address} gets no more e-mail about new offers.",
                    "What you are told of benefits that you have, of requests and of what ends goes on.",
                ],
                None,
            ),
            (PageSaid::Done(_), Language::Swedish) => (
                "Mejl om erbjudanden är avslutade",
                &[
                    "{address} får inga fler mejl om nya erbjudanden.",
                    "Det som gäller förmåner ni har, ärenden och sådant som upphör får ni även i fortsättningen.",
                ],
                None,
            ),
            (PageSaid::Unknown, Language::English) => (
                "This link is not known",
                &[
                    "Nothing was changed. Follow the link in the e-mail once more, whole, or answer the e-mail and ask to be unsubscribed.",
                ],
                None,
            ),
            (PageSaid::Unknown, Language::Swedish) => (
                "Länken är okänd",
                &[
                    "Inget har ändrats. Följ hela länken i mejlet en gång till, eller svara på mejlet och be att få avsluta.",
                ],
                None,
            ),
            (PageSaid::Later, Language::English) => {
                ("This does not work now", &["Nothing was changed. Please try again in a few minutes."], None)
            }
            (PageSaid::Later, Language::Swedish) => {
                ("Det går inte just nu", &["Inget har ändrats. Försök igen om några minuter."], None)
            }
        };
        let address = match said {
            PageSaid::Ask(address) | PageSaid::Done(address) => escaped(address),
            PageSaid::Unknown | PageSaid::Later => String::new(),
        };
        let sentences = sentences.iter().map(|text| text.replace("{address}", &address)).collect();
        Self { title, sentences, button }
    }

    fn html(&self, language: Language) -> String {
        let Self { title, sentences, button } = self;
        let tag = language.tag();
        let said = sentences.iter().fold(String::new(), |said, sentence| said + "<p>" + sentence + "</p>\n");
        // Without an address of its own the form is sent to where the page is from, whatever a proxy calls that.
        let form = button.map_or_else(String::new, |button| {
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
pub(super) fn answer(code: StatusCode, language: Language, said: PageSaid<'_>) -> Response {
    let style = STANDARD.encode(Sha256::digest(STYLE));
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{style}'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    );
    let html = UnsubscribePage::of(said, language).html(language);
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
    fn the_page_is_in_both_languages_and_holds_nothing_from_elsewhere() {
        let address = "o'neil+<b>&@x.example";
        let mut shown = String::new();
        for said in [PageSaid::Ask(address), PageSaid::Done(address), PageSaid::Unknown, PageSaid::Later] {
            for language in [Language::English, Language::Swedish] {
                let html = UnsubscribePage::of(said, language).html(language);
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
