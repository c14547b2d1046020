//! What is to be thought of what a domain publishes.

use crate::mail::dkim::DkimRecord;

/// What is to be thought of a setting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Judgement {
    /// As it should be.
    Good,
    /// Mails may be refused or lost until it is mended.
    Mend,
    /// The DNS could not be asked.
    Unknown,
}

/// What a policy (DMARC) goes by.
#[derive(Clone, Copy, Debug)]
pub(super) struct Aligned<'a> {
    /// The domain that mails are from, which is the one that they are signed for.
    pub(super) from: &'a str,
    /// The domain of the return path, which SPF is about.
    pub(super) return_path: &'a str,
    /// Whether mails are signed.
    pub(super) is_signed: bool,
}

/// Who may send for the domain of the return path (RFC 7208).
pub(super) fn spf(texts: &[String]) -> (Judgement, String) {
    let is_spf = |text: &&String| *text == "v=spf1" || text.starts_with("v=spf1 ");
    let records: Vec<&String> = texts.iter().filter(is_spf).collect();
    let record = match records.as_slice() {
        [] => {
            let said = "nothing is published: write a TXT record \"v=spf1 … -all\" that names the machines that send your mail";
            return (Judgement::Mend, said.to_owned());
        }
        [record] => record,
        several => {
            let said = format!("{} records, and no receiver may take any of them: leave one", several.len());
            return (Judgement::Mend, said);
        }
    };
    let terms: Vec<String> = record.split_whitespace().skip(1).map(str::to_ascii_lowercase).collect();
    let names = |term: &str| terms.iter().any(|given| given == term);
    if names("+all") || names("all") {
        (Judgement::Mend, format!("{record}: lets every machine send for you; end it with -all or ~all"))
    } else if names("-all") || names("~all") || terms.iter().any(|term| term.starts_with("redirect=")) {
        (Judgement::Good, format!("{record}; see that it names the machine that your mail leaves by"))
    } else {
        (Judgement::Mend, format!("{record}: says nothing about other machines; end it with -all or ~all"))
    }
}

/// Whether the key that mails are signed with is the one that receivers find (RFC 6376, 3.6.1).
pub(super) fn dkim(ours: &DkimRecord, texts: &[String]) -> (Judgement, String) {
    let key = |text: &str| tag(text, "p").map(|key| key.split_whitespace().collect::<String>());
    let theirs: Vec<_> = texts.iter().filter_map(|text| Some((text, key(text)?))).collect();
    let wanted = key(&ours.text).unwrap_or_default();
    match theirs.as_slice() {
        [] => (Judgement::Mend, "nothing is published; `benefactor mail dkim` prints the record".to_owned()),
        [(text, published)] if *published == wanted => {
            if tag(text, "t").is_some_and(|flags| flags.split(':').any(|flag| flag.trim() == "y")) {
                let said = "our key, but marked as a test (t=y): receivers may take mails as unsigned; leave the mark out";
                (Judgement::Mend, said.to_owned())
            } else {
                (Judgement::Good, "our key is published".to_owned())
            }
        }
        [(_, published)] if published.is_empty() => {
            let said = "the key there is revoked; publish ours, or sign with a key of another selector";
            (Judgement::Mend, said.to_owned())
        }
        [_] => {
            (Judgement::Mend, "another key is published; `benefactor mail dkim` prints the record".to_owned())
        }
        several => (Judgement::Mend, format!("{} keys are published: leave ours", several.len())),
    }
}

pub(super) fn is_dmarc(text: &str) -> bool {
    tag(text, "v").is_some_and(|version| version == "DMARC1")
}

/// What receivers do with mails that are from the domain and cannot be told to be (RFC 7489); found at `at`, which is the
/// domain or one above it.
pub(super) fn dmarc(sender: &Aligned<'_>, at: &str, texts: &[String]) -> (Judgement, String) {
    let records: Vec<&String> = texts.iter().filter(|text| is_dmarc(text)).collect();
    let record = match records.as_slice() {
        [] => {
            let said = format!(
                "nothing is published, and large providers refuse bulk mail without it: write a TXT record at _dmarc.{} \
                 such as \"v=DMARC1; p=none; rua=mailto:…\"",
                sender.from
            );
            return (Judgement::Mend, said);
        }
        [record] => record.as_str(),
        several => {
            return (Judgement::Mend, format!("{} records, which count as none: leave one", several.len()));
        }
    };
    let place = if at == sender.from { String::new() } else { format!(" (at _dmarc.{at})") };
    let strict = tag(record, "aspf").is_some_and(|aspf| aspf == "s");
    let is_aligned = sender.return_path == sender.from
        || !strict
            && (is_below(sender.return_path, sender.from) || is_below(sender.from, sender.return_path));
    if sender.is_signed {
        (Judgement::Good, format!("{record}{place}; mails are signed for {}", sender.from))
    } else if is_aligned {
        (Judgement::Good, format!("{record}{place}; rests on SPF alone, which forwarded mail does not pass"))
    } else {
        let said = format!(
            "{record}{place}: mails are not signed, and reports go to {}, so nothing shows that mails are from {}; sign \
             them, or have reports go there",
            sender.return_path, sender.from
        );
        (Judgement::Mend, said)
    }
}

fn is_below(domain: &str, above: &str) -> bool {
    domain.strip_suffix(above).is_some_and(|rest| rest.ends_with('.'))
}

/// Where mail to a domain arrives; the root alone says that none is taken (RFC 7505).
pub(super) fn servers(servers: &[String]) -> (Judgement, String) {
    match servers.first().map(String::as_str) {
        None => (Judgement::Mend, "there is none: nothing sent there arrives".to_owned()),
        Some(".") => (Judgement::Mend, "the domain says that it takes no mail".to_owned()),
        Some(_) => {
            let named: Vec<&str> = servers.iter().map(|server| server.trim_end_matches('.')).collect();
            (Judgement::Good, named.join(", "))
        }
    }
}

/// The value of a tag in a list such as `v=DKIM1; p=…`.
fn tag<'a>(list: &'a str, name: &str) -> Option<&'a str> {
    list.split(';')
        .filter_map(|tag| tag.split_once('='))
        .find(|(tag, _)| tag.trim() == name)
        .map(|(_, value)| value.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(of: &[&str]) -> Vec<String> {
        of.iter().map(|&text| text.to_owned()).collect()
    }

    #[test]
    fn spf_is_one_record_that_ends_with_what_others_may() {
        for (given, judgement, says) in [
            (&["v=spf1 mx -all", "google-site-verification=x"][..], Judgement::Good, "v=spf1 mx -all;"),
            (&["v=spf1 redirect=_spf.x.example"], Judgement::Good, "redirect"),
            (&["v=spf1 mx", "v=spf1 a -all"], Judgement::Mend, "2 records"),
            (&["v=spf1 include:x.example +all"], Judgement::Mend, "every machine"),
            (&["v=spf1 mx"], Judgement::Mend, "says nothing about other machines"),
            (&["v=spf10 mx -all"], Judgement::Mend, "nothing is published"),
            (&[], Judgement::Mend, "nothing is published"),
        ] {
            let (judged, said) = spf(&texts(given));
            assert_eq!(judged, judgement, "{given:?}");
            assert!(said.contains(says), "{given:?}: {said}");
        }
    }

    #[test]
    fn a_key_is_good_when_it_is_the_one_that_is_published() {
        let ours = DkimRecord {
            name: "a._domainkey.x.example".to_owned(),
            text: "v=DKIM1; k=rsa; p=AbCd".to_owned(),
        };
        for (given, judgement, says) in [
            (&["k=rsa; p=Ab Cd"][..], Judgement::Good, "our key"),
            (&["v=DKIM1; t=s:y; p=AbCd"], Judgement::Mend, "test"),
            (&["v=DKIM1; p="], Judgement::Mend, "revoked"),
            (&["v=DKIM1; p=abcd"], Judgement::Mend, "another key"),
            (&["v=DKIM1; p=AbCd", "v=DKIM1; p=AbCd"], Judgement::Mend, "2 keys"),
            (&["v=spf1 -all"], Judgement::Mend, "nothing is published"),
        ] {
            let (judged, said) = dkim(&ours, &texts(given));
            assert_eq!(judged, judgement, "{given:?}");
            assert!(said.contains(says), "{given:?}: {said}");
        }
    }

    #[test]
    fn a_policy_needs_a_signature_or_a_return_path_of_the_same_domain() {
        let (policy, strict) = (texts(&["v=DMARC1; p=reject"]), texts(&["v=DMARC1; p=reject; aspf=s"]));
        for ((from, return_path), is_signed, policy, judgement) in [
            (("x.example", "b.x.example"), false, &policy, Judgement::Good),
            (("x.example", "b.x.example"), false, &strict, Judgement::Mend),
            (("x.example", "b.x.example"), true, &strict, Judgement::Good),
            (("x.example", "notx.example"), false, &policy, Judgement::Mend),
            (
                ("x.example", "x.example"),
                true,
                &texts(&["v=DMARC1; p=none", "v=DMARC1; p=none"]),
                Judgement::Mend,
            ),
            (("x.example", "x.example"), true, &texts(&["p=none"]), Judgement::Mend),
        ] {
            let (judged, said) = dmarc(&Aligned { from, return_path, is_signed }, from, policy);
            assert_eq!(judged, judgement, "{from} {return_path} {policy:?}: {said}");
        }
    }
}
