use std::collections::{BTreeMap, BTreeSet};

use strum::VariantNames;

use super::*;
use crate::domain::{
    email::Email,
    notice::{CancellationRefused, MembershipEnded},
};

const LANGUAGES: [Language; 2] = [Language::English, Language::Swedish];

/// The header fields, unfolded, and the body as it stands.
fn parse(eml: &[u8]) -> (Vec<(String, String)>, String) {
    let message = std::str::from_utf8(eml).unwrap();
    assert_eq!(message.matches('\n').count(), message.matches("\r\n").count(), "a line does not end in CRLF");
    assert_eq!(message.matches('\r').count(), message.matches("\r\n").count(), "a stray CR");
    let (head, body) = message.split_once("\r\n\r\n").unwrap();
    assert!(head.is_ascii(), "{head}");
    assert!(head.split("\r\n").all(|line| line.len() <= 998), "{head}");
    let unfolded = head.replace("\r\n ", " ").replace("\r\n\t", " ");
    let fields = unfolded
        .split("\r\n")
        .map(|line| line.split_once(": ").map(|(name, value)| (name.to_owned(), value.to_owned())).unwrap())
        .collect();
    (fields, body.to_owned())
}

fn field(eml: &[u8], name: &str) -> String {
    let (fields, _) = parse(eml);
    let mut found = fields.into_iter().filter(|(field, _)| field == name);
    let (_, value) = found.next().unwrap();
    assert!(found.next().is_none(), "{name} twice");
    value
}

/// RFC 2047: encoded words give their text, and the space between two of them is none.
fn decode_words(value: &str) -> String {
    let (mut bytes, mut after_encoded) = (Vec::new(), false);
    for (at, word) in value.split(' ').enumerate() {
        let encoded = word.strip_prefix("=?utf-8?b?").and_then(|rest| rest.strip_suffix("?="));
        if at > 0 && !(after_encoded && encoded.is_some()) {
            bytes.push(b' ');
        }
        match encoded {
            Some(text) => bytes.extend(decode_base64(text)),
            None => bytes.extend(word.bytes()),
        }
        after_encoded = encoded.is_some();
    }
    String::from_utf8(bytes).unwrap()
}

fn decode_base64(text: &str) -> Vec<u8> {
    const ALPHABET: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let (mut bytes, mut buffer, mut bits) = (Vec::new(), 0_u32, 0);
    for digit in text.chars().filter(|c| *c != '=').map(|c| ALPHABET.find(c).unwrap()) {
        buffer = (buffer << 6) | u32::try_from(digit).unwrap();
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            bytes.push(u8::try_from((buffer >> bits) & 0xFF).unwrap());
        }
    }
    bytes
}

#[test]
fn every_notice_in_both_languages() {
    let mut of_kind = BTreeMap::<&str, u32>::new();
    for notice in Notice::samples() {
        let shown: Vec<String> = LANGUAGES
            .into_iter()
            .map(|language| render(&sample(language, vec![notice.clone()])).unwrap())
            .map(|mail| format!("Subject: {}\n\n{}", mail.subject, mail.text))
            .collect();
        let nth = of_kind.entry(notice.kind()).and_modify(|nth| *nth += 1).or_insert(1);
        let name = format!("{}_{nth}", notice.kind());
        insta::assert_snapshot!(name, shown.join("\n==========\n\n"));
    }
}

#[test]
fn d10_one_digest_of_several_with_the_most_urgent_first() {
    for language in LANGUAGES {
        let notices = Notice::samples().into_iter().step_by(3).collect();
        let mail = render(&sample(language, notices)).unwrap();
        let name = format!("digest_{}", language.tag());
        insta::assert_snapshot!(name, String::from_utf8(mail.eml).unwrap().replace("\r\n", "\n"));
    }
}

#[test]
fn c12_of_two_requests_to_cancel_an_order_the_yes_comes_first_and_heads_the_mail() {
    let is = |notice: &Notice, kind: &str| notice.kind() == kind;
    let of = |kind| Notice::samples().into_iter().find(|notice| is(notice, kind)).unwrap();
    let both = vec![of("cancellation_refused"), of("cancellation_accepted")];
    for (language, yes, no) in [
        (Language::English, "Cancellation accepted", "Cancellation refused"),
        (Language::Swedish, "Annullering godkänd", "Annullering avslagen"),
    ] {
        let mail = render(&sample(language, both.clone())).unwrap();
        assert!(mail.subject.contains(yes) && !mail.subject.contains(no), "{}", mail.subject);
        assert!(mail.text.find(yes) < mail.text.find(no), "{}", mail.text);
    }
}

#[test]
fn c15_somebody_is_greeted_by_their_name_as_it_is_said_and_not_by_their_sign_in_name() {
    let greeting = |name: &str| {
        let mut digest = sample(Language::Swedish, Notice::samples());
        digest.recipient_name = Some(name.to_owned());
        let mail = render(&digest).unwrap();
        assert!(mail.text.contains("Du får det här meddelandet som marknadsföringskontakt"), "{}", mail.text);
        mail.text.lines().next().unwrap().to_owned()
    };
    assert_eq!(greeting("Öberg, Maja"), "Hej Maja Öberg!");
    assert_eq!(greeting("maja@nordvik.example"), "Hej!");
}

#[test]
fn the_samples_hold_every_kind_of_notice() {
    let notices = Notice::samples();
    let kinds = Notice::VARIANTS.iter().copied().collect::<BTreeSet<_>>();
    assert_eq!(notices.iter().map(Notice::kind).collect::<BTreeSet<_>>(), kinds);
}

#[test]
fn the_templates_render() {
    check_templates().unwrap();
}

#[test]
fn a_template_that_names_what_is_not_there_is_an_error_with_its_name() {
    let error =
        templates::block("membership_ended", Language::English, context! { offer => "Gold" }).err().unwrap();
    assert!(error.to_string().starts_with("template membership_ended/en: undefined value"), "{error}");
}

#[test]
fn promise_9_the_same_digest_has_the_same_bytes_whatever_order_its_notices_come_in() {
    let mut digest = sample(Language::Swedish, Notice::samples());
    let first = render(&digest).unwrap();
    digest.notices.reverse();
    assert_eq!(render(&digest).unwrap(), first);
}

#[test]
fn promise_9_the_message_id_is_made_of_partner_recipient_day_and_stream_alone() {
    let day = |text: &str| text.parse::<NaiveDate>().unwrap();
    let id =
        message_id(&"4711".into(), "a@x.example", day("2024-01-31"), Stream::Transactional, "mail.example");
    assert_eq!(
        id,
        message_id(&"4711".into(), "a@x.example", day("2024-01-31"), Stream::Transactional, "mail.example")
    );
    assert_eq!(id.len(), "<@mail.example>".len() + 40);
    let others = [
        message_id(&"4712".into(), "a@x.example", day("2024-01-31"), Stream::Transactional, "mail.example"),
        message_id(&"4711".into(), "b@x.example", day("2024-01-31"), Stream::Transactional, "mail.example"),
        message_id(&"4711".into(), "a@x.example", day("2024-02-01"), Stream::Transactional, "mail.example"),
        message_id(&"4711".into(), "a@x.example", day("2024-01-31"), Stream::Marketing, "mail.example"),
    ];
    assert!(!others.contains(&id));
}

#[test]
fn promise_9_the_headers_are_complete_and_the_date_is_when_it_was_composed() {
    let mut digest = sample(Language::Swedish, Notice::samples());
    digest.composed_at = "2024-02-22T02:31:59.9Z".parse().unwrap();
    let eml = render(&digest).unwrap().eml;
    assert_eq!(field(&eml, "Date"), "Thu, 22 Feb 2024 02:31:59 +0000");
    assert_eq!(decode_words(&field(&eml, "To")), "Anna Åström <anna.astrom@nordvik.example>");
    assert_eq!(field(&eml, "From"), "\"Partner benefits\" <benefits@programme.example>");
    assert_eq!(field(&eml, "MIME-Version"), "1.0");
    assert_eq!(field(&eml, "Content-Type"), "text/plain; charset=utf-8");
    assert_eq!(field(&eml, "Content-Language"), "sv");
    assert_eq!(field(&eml, "Content-Transfer-Encoding"), "quoted-printable");
    assert!(field(&eml, "Message-ID").ends_with("@mail.example>"));
}

#[test]
fn answers_go_where_they_are_to_and_reports_name_the_mail() {
    let mut digest = sample(Language::English, Notice::samples());
    let before = render(&digest).unwrap();
    assert!(!String::from_utf8_lossy(&before.eml).contains("Reply-To"));
    digest.headers.reply_to = Some("Förmåner <office@programme.example>".to_owned());
    digest.headers.token = Some("0a".repeat(20));
    let eml = render(&digest).unwrap().eml;
    assert_eq!(decode_words(&field(&eml, "Reply-To")), "Förmåner <office@programme.example>");
    assert_eq!(field(&eml, "X-Benefactor-Mail"), "0a".repeat(20));
    digest.headers.reply_to = Some("office".to_owned());
    assert!(matches!(render(&digest), Err(Error::Address { .. })));
}

#[test]
fn a_long_subject_outside_ascii_is_read_back_as_it_was() {
    let order_id = "Förnyelse-ÅÄÖ-日本語-".repeat(20);
    let notice = Notice::from(MembershipEnded {
        order_id: order_id.as_str().into(),
        offer: order_id,
        ended_on: "2024-03-02".parse().unwrap(),
    });
    let mail = render(&sample(Language::Swedish, vec![notice])).unwrap();
    assert!(mail.subject.len() > 500);
    assert_eq!(decode_words(&field(&mail.eml, "Subject")), mail.subject);
}

#[test]
fn promise_12_no_value_reaches_a_header_of_its_own() {
    let attack = "Anna\r\nBcc: all@victim.example\r\n\r\nforged\u{0}\u{2028}".to_owned();
    let notice = Notice::from(CancellationRefused {
        request_id: attack.as_str().into(),
        order_id: attack.as_str().into(),
        requested_on: "2024-03-02".parse().unwrap(),
        received_on: None,
        reasons: vec![crate::domain::reason::Reason::BulkAlreadyAssigned { user: attack.clone() }],
    });
    let mut digest = sample(Language::English, vec![notice]);
    digest.recipient_name = Some(attack.clone());
    digest.partner_name = attack.clone();
    digest.partner_numbers = attack.clone();
    digest.from = "Benefits\r\nBcc: all@victim.example <benefits@programme.example>".to_owned();
    let mail = render(&digest).unwrap();
    let (fields, _) = parse(&mail.eml);
    assert!(fields.iter().all(|(name, _)| name != "Bcc"), "{fields:?}");
    assert!(mail.subject.contains("Anna Bcc: all@victim.example forged"), "{}", mail.subject);
}

#[test]
fn an_address_that_cannot_be_written_to_is_an_error() {
    let mut digest = sample(Language::English, Notice::samples());
    for bad in [
        "",
        "anna",
        "a@b@c",
        "a b@x.example",
        "a@x.example\r\nBcc: b@x.example",
        "å@x.example",
        "a@x.example>",
    ] {
        bad.clone_into(&mut digest.recipient);
        let error = render(&digest).unwrap_err();
        assert!(matches!(error, Error::Address { direction: "to", .. }), "{bad:?}: {error}");
        assert!(!error.to_string().contains('\r'), "{error}");
    }
    digest.from = "Benefits".to_owned();
    digest.recipient = "anna@x.example".to_owned();
    assert!(matches!(render(&digest), Err(Error::Address { direction: "from", .. })));
}

#[test]
fn whatever_is_an_address_to_the_rules_can_be_written_to() {
    let mut digest = sample(Language::English, Notice::samples());
    for good in [
        "a@münchen.example",
        "O'Neil+mpn@x-y.co.uk",
        "!#$%&'*+-/=?^_`{|}~@x.example",
        "1@2.example",
        "a@1.2.3.example",
        "a@r3---sn.example",
        "a@例え.テスト",
        &format!("{}@{}.example", "a".repeat(64), "b".repeat(63)),
        &format!("a@{}example", "bc.".repeat(81)),
    ] {
        assert!(Email::parse(good).is_some(), "{good}");
        good.clone_into(&mut digest.recipient);
        digest.from = format!("Benefits <{good}>");
        let (fields, _) = parse(&render(&digest).unwrap().eml);
        let kept = Email::parse(good).unwrap();
        for header in ["To", "From"] {
            assert!(
                fields.iter().any(|(name, value)| name == header && value.contains(kept.as_str())),
                "{good}: {fields:?}"
            );
        }
    }
}

#[test]
fn a_digest_of_nothing_a_forged_message_id_and_an_impossible_date_are_errors() {
    assert_eq!(render(&sample(Language::English, vec![])), Err(Error::Empty));
    let mut digest = sample(Language::English, Notice::samples());
    digest.composed_at = DateTime::<Utc>::MAX_UTC;
    assert_eq!(render(&digest), Err(Error::Date(DateTime::<Utc>::MAX_UTC)));
    digest.message_id = "<a@b>\r\nBcc: <c@d>".to_owned();
    assert_eq!(render(&digest), Err(Error::MessageId("<a@b> Bcc: <c@d>".to_owned())));
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig { failure_persistence: None, ..Default::default() })]
    #[test]
    fn promise_12_any_text_gives_a_message_of_the_same_headers(
        name in proptest::prelude::any::<String>(),
        order_id in proptest::prelude::any::<String>(),
        long in "[ -~åäö\"\\\\]{0,300}",
    ) {
        let notice = Notice::from(MembershipEnded { order_id: order_id.into(), offer: long.clone(), ended_on: NaiveDate::MIN });
        let mut digest = sample(Language::English, vec![notice]);
        digest.recipient_name = Some(format!("{long}{name}"));
        digest.partner_name = name;
        let (fields, _) = parse(&render(&digest).unwrap().eml);
        let names: Vec<&str> = fields.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, [
            "From", "To", "Subject", "Date", "Message-ID", "MIME-Version", "Content-Type",
            "Content-Language", "Auto-Submitted", "Content-Transfer-Encoding",
        ]);
    }
}
