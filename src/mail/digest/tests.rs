use std::collections::{BTreeMap, BTreeSet};

use quick_xml::events::Event;
use strum::VariantNames;

use super::{super::unsubscribe::WayOut, *};
use crate::domain::{
    email::Email,
    notice::{CancellationRefused, MembershipEnded},
};

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
fn every_notice_in_every_language() {
    let mut of_kind = BTreeMap::<&str, u32>::new();
    for notice in Notice::samples() {
        let shown: Vec<String> = ReaderLanguage::ALL
            .iter()
            .map(|&language| render(&sample(language, vec![notice.clone()])).unwrap())
            .map(|mail| format!("Subject: {}\n\n{}", mail.subject, mail.text))
            .collect();
        let nth = of_kind.entry(notice.kind()).and_modify(|nth| *nth += 1).or_insert(1);
        let name = format!("{}_{nth}", notice.kind());
        insta::assert_snapshot!(name, shown.join("\n==========\n\n"));
    }
}

#[test]
fn d10_one_digest_of_several_with_the_most_urgent_first() {
    for &language in ReaderLanguage::ALL {
        let notices = Notice::samples().into_iter().step_by(3).collect();
        let mail = render(&sample(language, notices)).unwrap();
        let eml = String::from_utf8(mail.eml).unwrap().replace("\r\n", "\n");
        let (head, _) = eml.split_once("\n\n").unwrap();
        insta::assert_snapshot!(format!("digest_{}", language.tag()), format!("{head}\n\n{}", mail.text));
        insta::assert_snapshot!(format!("digest_{}_html", language.tag()), mail.html.unwrap());
    }
}

/// The words of HTML, without its marks and without what its head says of it.
fn words_of(html: &str) -> Vec<String> {
    let mut reader = quick_xml::Reader::from_str(html);
    let mut text = String::new();
    let mut open: Vec<String> = Vec::new();
    loop {
        match reader.read_event().unwrap() {
            Event::Start(tag) => open.push(tag.name().as_ref().to_owned()),
            Event::End(_) => {
                open.pop();
                text.push(' ');
            }
            Event::Text(said) if !open.iter().any(|tag| tag == "head") => text.push_str(&said),
            Event::GeneralRef(named) => {
                let known = named.resolve_char_ref().unwrap();
                let named: &str = &named;
                text.push(known.unwrap_or_else(|| match named {
                    "lt" => '<',
                    "gt" => '>',
                    "quot" => '"',
                    "amp" => '&',
                    other => panic!("{other}"),
                }));
            }
            Event::Eof => break,
            _ => {}
        }
    }
    assert!(open.is_empty(), "not closed: {open:?}");
    text.split_whitespace().map(str::to_owned).collect()
}

#[test]
fn the_html_says_what_the_text_says_and_nothing_of_it_is_fetched_from_elsewhere() {
    let alone = Notice::samples().into_iter().map(|notice| vec![notice]);
    for notices in alone.chain([Notice::samples()]) {
        for &language in ReaderLanguage::ALL {
            let mail = preview(language, notices.clone()).unwrap();
            let html = mail.html.unwrap();
            let said = words_of(&html);
            let mut plain: Vec<&str> =
                mail.text.split_whitespace().filter(|word| !["-", "--"].contains(word)).collect();
            let mut with_titles = vec!["Nordvik", "Data", "AB"];
            if notices.len() == 1 {
                // The subject of one notice stands above its text as well: after the greeting and the line under it.
                let at = plain.windows(2).position(|two| two == ["Data", "AB."]).unwrap() + 2;
                plain.splice(at..at, mail.subject.split_whitespace());
            }
            with_titles.extend(plain);
            assert_eq!(said, with_titles, "{html}");
            for remote in ["http:", "https:", "src=", "href=", "url(", "<script", "<link", "<img", "@import"]
            {
                assert!(!html.contains(remote), "{remote} in {html}");
            }
            assert!(html.contains(&format!("<html lang=\"{}\">", language.tag())));
        }
    }
}

#[test]
fn whoever_reads_marketing_sees_in_every_language_how_to_get_no_more() {
    let page = WayOut::Page("https://out.example/unsubscribe/0a".to_owned());
    let mail = WayOut::Mail { to: "out+0a@out.example".to_owned(), subject: "unsubscribe".to_owned() };
    let (mut pages, mut mails) = (BTreeSet::new(), BTreeSet::new());
    for &language in ReaderLanguage::ALL {
        let mut digest = sample(language, Notice::samples());
        let last = |digest: &Digest| {
            let told = render(digest).unwrap();
            (told.text.trim_end().rsplit("\n\n").next().unwrap().replace('\n', " "), told.html.unwrap())
        };
        let (without, html) = last(&digest);
        assert!(without.ends_with("(UTC).") && !html.contains("<a "), "{without}");
        digest.headers.way_out = Some(page.clone());
        let (text, html) = last(&digest);
        let text = text.strip_suffix(" https://out.example/unsubscribe/0a").unwrap();
        let linked = html.replace("&#x2f;", "/");
        assert!(
            linked.contains(&format!("{text} <a href=\"https://out.example/unsubscribe/0a\">")),
            "{linked}"
        );
        pages.insert(text.to_owned());
        digest.headers.way_out = Some(mail.clone());
        let (text, html) = last(&digest);
        assert!(
            render(&digest).unwrap().text.contains("out+0a@out.example") && !html.contains("<a "),
            "{html}"
        );
        mails.insert(text);
    }
    assert_eq!((pages.len(), mails.len()), (ReaderLanguage::ALL.len(), ReaderLanguage::ALL.len()));
}

#[test]
fn promise_12_what_a_partner_is_called_is_no_html() {
    let mut digest = sample(ReaderLanguage::English, Notice::samples());
    digest.partner_name = "<img src=x onerror=alert(1)> & \"Co\"".to_owned();
    digest.recipient_name = Some("</p><script>alert(2)</script>".to_owned());
    let html = render(&digest).unwrap().html.unwrap();
    assert!(!html.contains("<img") && !html.contains("<script"), "{html}");
    assert!(html.contains("&lt;img src=x onerror=alert(1)&gt; &amp; &quot;Co&quot;"), "{html}");
}

#[test]
fn c12_of_two_requests_to_cancel_an_order_the_yes_comes_first_and_heads_the_mail() {
    let is = |notice: &Notice, kind: &str| notice.kind() == kind;
    let of = |kind| Notice::samples().into_iter().find(|notice| is(notice, kind)).unwrap();
    let both = vec![of("cancellation_refused"), of("cancellation_accepted")];
    for (language, yes, no) in [
        (ReaderLanguage::English, "Cancellation accepted", "Cancellation refused"),
        (ReaderLanguage::Swedish, "Annullering godkänd", "Annullering avslagen"),
        (ReaderLanguage::German, "Stornierung angenommen", "Stornierung abgelehnt"),
    ] {
        let mail = render(&sample(language, both.clone())).unwrap();
        assert!(mail.subject.contains(yes) && !mail.subject.contains(no), "{}", mail.subject);
        assert!(mail.text.find(yes) < mail.text.find(no), "{}", mail.text);
    }
}

#[test]
fn c15_somebody_is_greeted_by_their_name_as_it_is_said_and_not_by_their_sign_in_name() {
    let greeting = |name: &str| {
        let mut digest = sample(ReaderLanguage::Swedish, Notice::samples());
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
    check_digests().unwrap();
}

#[test]
fn a_template_that_names_what_is_not_there_is_an_error_with_its_name() {
    let blocks = [templates::notice(&Notice::samples()[0], ReaderLanguage::English).unwrap()];
    let facts = context! { partner => "Nordvik" };
    let reached = Reached { as_contact: true, way_out: None };
    let error = templates::frame(&blocks, reached, facts, ReaderLanguage::German).err().unwrap();
    assert!(error.to_string().starts_with("template de/frame.greeting: undefined value"), "{error}");
}

#[test]
fn promise_9_the_same_digest_has_the_same_bytes_whatever_order_its_notices_come_in() {
    let mut digest = sample(ReaderLanguage::Swedish, Notice::samples());
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
    let mut digest = sample(ReaderLanguage::Swedish, Notice::samples());
    digest.composed_at = "2024-02-22T02:31:59.9Z".parse().unwrap();
    let eml = render(&digest).unwrap().eml;
    assert_eq!(field(&eml, "Date"), "Thu, 22 Feb 2024 02:31:59 +0000");
    assert_eq!(decode_words(&field(&eml, "To")), "Anna Åström <anna.astrom@nordvik.example>");
    assert_eq!(field(&eml, "From"), "\"Partner benefits\" <benefits@programme.example>");
    assert_eq!(field(&eml, "MIME-Version"), "1.0");
    let boundary = format!("=_{}", &field(&eml, "Message-ID")[1..41]);
    assert_eq!(field(&eml, "Content-Type"), format!("multipart/alternative; boundary=\"{boundary}\""));
    let (_, body) = parse(&eml);
    let parts: Vec<&str> = body.split(&format!("--{boundary}")).collect();
    assert!(parts.len() == 4 && parts[0].trim().is_empty() && parts[3].trim() == "--", "{body}");
    for (part, of) in [(parts[1], "plain"), (parts[2], "html")] {
        assert!(part.contains(&format!("Content-Type: text/{of}; charset=utf-8\r\n")), "{part}");
        assert!(part.contains("Content-Transfer-Encoding: quoted-printable\r\n"), "{part}");
    }
    assert_eq!(field(&eml, "Content-Language"), "sv");
    assert!(field(&eml, "Message-ID").ends_with("@mail.example>"));
}

#[test]
fn answers_go_where_they_are_to_and_reports_name_the_mail() {
    let mut digest = sample(ReaderLanguage::English, Notice::samples());
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
    let mail = render(&sample(ReaderLanguage::Swedish, vec![notice])).unwrap();
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
    let mut digest = sample(ReaderLanguage::English, vec![notice]);
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
    let mut digest = sample(ReaderLanguage::English, Notice::samples());
    for bad in [
        "",
        "anna",
        "a@b@c",
        "a b@x.example",
        "a@x.example\r\nBcc: b@x.example",
        "å b@x.example",
        "å@x.example\r\nBcc: b@x.example",
        "å\u{202E}@x.example",
        "аnna@x.example",
        "å@x",
        "a@x.example>",
    ] {
        bad.clone_into(&mut digest.recipient);
        let error = render(&digest).unwrap_err();
        assert!(matches!(error, Error::Address { direction: "to", .. }), "{bad:?}: {error}");
        assert!(!error.to_string().contains('\r'), "{error}");
    }
    "åsa@x.example".clone_into(&mut digest.recipient);
    let eml = String::from_utf8(render(&digest).unwrap().eml).unwrap();
    assert!(eml.contains("<åsa@x.example>\r\n"), "as it is, and not encoded (RFC 6532): {eml}");
    digest.from = "Benefits <förmåner@x.example>".to_owned();
    let error = render(&digest).unwrap_err();
    assert!(matches!(error, Error::Address { direction: "from", .. }), "{error}");
    digest.from = "Benefits".to_owned();
    digest.recipient = "anna@x.example".to_owned();
    assert!(matches!(render(&digest), Err(Error::Address { direction: "from", .. })));
}

#[test]
fn an_address_outside_ascii_stands_in_its_field_as_it_is() {
    let mut digest = sample(ReaderLanguage::Swedish, Notice::samples());
    for good in [
        "åsa.öberg+mpn@x.example",
        "用户@例え.テスト",
        "संपर्क@x.example",
        "دوست@x.example",
        "ผู้ใช้@x.example",
        &format!("{}@{}.example", "å".repeat(32), "b".repeat(63)),
    ] {
        let email = Email::parse(good).unwrap();
        good.clone_into(&mut digest.recipient);
        let eml = String::from_utf8(render(&digest).unwrap().eml).unwrap();
        let (head, body) = eml.split_once("\r\n\r\n").unwrap();
        assert!(head.contains(&format!("<{}>\r\n", email.as_str())), "{good}: {head}");
        assert!(body.is_ascii() && head.replace(email.as_str(), "").is_ascii(), "{good}");
        assert!(head.split("\r\n").all(|line| line.len() <= 998), "{good}");
    }
}

#[test]
fn whatever_is_an_address_to_the_rules_can_be_written_to() {
    let mut digest = sample(ReaderLanguage::English, Notice::samples());
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
    assert_eq!(render(&sample(ReaderLanguage::English, vec![])), Err(Error::Empty));
    let mut digest = sample(ReaderLanguage::English, Notice::samples());
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
        let mut digest = sample(ReaderLanguage::English, vec![notice]);
        digest.recipient_name = Some(format!("{long}{name}"));
        digest.partner_name = name;
        let (fields, _) = parse(&render(&digest).unwrap().eml);
        let names: Vec<&str> = fields.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, [
            "From", "To", "Subject", "Date", "Message-ID", "MIME-Version",
            "Content-Language", "Auto-Submitted", "Content-Type",
        ]);
    }
}
