//! What stands before the `@` of an address (RFC 5321; outside ASCII RFC 6531). A mail server takes it as it is, so two that look
//! alike are two mailboxes: what people could not tell apart, or not read in one way, is no name.

use std::borrow::Cow;

use icu_normalizer::ComposingNormalizerBorrowed;
use icu_properties::{
    CodePointMapData, CodePointSetData,
    props::{BidiClass, DefaultIgnorableCodePoint, GeneralCategory, Script},
};

/// Bytes of a name.
const BYTES: usize = 64;
/// Marks on one letter (Unicode Technical Standard 39, 5.4).
const MARKS: usize = 4;
/// Characters of ASCII that a name may have beside letters and digits.
const SIGNS: &[u8] = b"!#$%&'*+-/=?^_`{|}~";
/// Scripts that people write together (Unicode Technical Standard 39, highly restrictive); Latin may be among them.
const TOGETHER: [&[Script]; 3] = [
    &[Script::Latin, Script::Han, Script::Hiragana, Script::Katakana],
    &[Script::Latin, Script::Han, Script::Bopomofo],
    &[Script::Latin, Script::Han, Script::Hangul],
];

/// The name as it is kept, its letters composed (NFC); `None`: it is none.
pub(super) fn mailbox_name(written: &str) -> Option<Cow<'_, str>> {
    let name = if written.is_ascii() {
        Cow::Borrowed(written)
    } else {
        ComposingNormalizerBorrowed::new_nfc().normalize(written)
    };
    let holds =
        name.len() <= BYTES && name.split('.').all(is_atom) && (name.is_ascii() || is_unmistakable(&name));
    holds.then_some(name)
}

/// Characters of ASCII that stand for themselves, letters and digits of any script, and marks on letters.
fn is_atom(atom: &str) -> bool {
    let (mut marks, mut marked) = (0_usize, false);
    !atom.is_empty()
        && atom.chars().all(|c| {
            if c.is_ascii() {
                (marks, marked) = (0, c.is_ascii_alphabetic());
                return c.is_ascii_alphanumeric() || u8::try_from(c).is_ok_and(|byte| SIGNS.contains(&byte));
            }
            match CodePointMapData::<GeneralCategory>::new().get(c) {
                GeneralCategory::UppercaseLetter
                | GeneralCategory::LowercaseLetter
                | GeneralCategory::ModifierLetter
                | GeneralCategory::OtherLetter => {
                    (marks, marked) = (0, true);
                    true
                }
                GeneralCategory::DecimalNumber => {
                    (marks, marked) = (0, false);
                    true
                }
                GeneralCategory::NonspacingMark | GeneralCategory::SpacingMark => {
                    marks = marks.saturating_add(1);
                    marked && marks <= MARKS
                }
                _ => false,
            }
        })
}

/// Nothing in it is invisible or the look of something else, its letters are of scripts that go together, and it is read in one
/// direction.
fn is_unmistakable(name: &str) -> bool {
    let is_seen = |c: char| !CodePointSetData::new::<DefaultIgnorableCodePoint>().contains(c);
    let is_itself = ComposingNormalizerBorrowed::new_nfkc().is_normalized(name);
    name.chars().all(is_seen) && is_itself && is_of_one_script(name) && is_of_one_direction(name)
}

fn is_of_one_script(name: &str) -> bool {
    let scripts = name.chars().map(|c| CodePointMapData::<Script>::new().get(c));
    let mut scripts: Vec<Script> =
        scripts.filter(|script| !matches!(*script, Script::Common | Script::Inherited)).collect();
    scripts.sort_unstable();
    scripts.dedup();
    scripts.len() <= 1
        || TOGETHER.iter().any(|together| scripts.iter().all(|script| together.contains(script)))
}

/// As RFC 5893 (section 2) has it of labels: with a letter or digit that is read from the right, all are, from the first.
fn is_of_one_direction(name: &str) -> bool {
    let classes = || name.chars().map(|c| CodePointMapData::<BidiClass>::new().get(c));
    let from_right = |class: BidiClass| matches!(class, BidiClass::RightToLeft | BidiClass::ArabicLetter);
    let has = |wanted: BidiClass| classes().any(|class| class == wanted);
    if !classes().any(from_right) && !has(BidiClass::ArabicNumber) {
        return true;
    }
    let is_end = |class: BidiClass| {
        from_right(class) || matches!(class, BidiClass::EuropeanNumber | BidiClass::ArabicNumber)
    };
    classes().next().is_some_and(from_right)
        && classes().rfind(|class| *class != BidiClass::NonspacingMark).is_some_and(is_end)
        && !has(BidiClass::LeftToRight)
        && !(has(BidiClass::EuropeanNumber) && has(BidiClass::ArabicNumber))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_written_in_letters_of_one_script_or_of_those_that_go_together() {
        for good in [
            "åsa",
            "josé.o'neill+mpn",
            "élodie",
            "иван",
            "δοκιμή",
            "用户",
            "ユーザー",
            "大空ひろし",
            "홍길동",
            "ひろshi漢",
            "अजय",
            "संपर्क",
            "ผู้ใช้",
            "דוד",
            "دوست",
            "دوست٣",
            "דוד1",
        ] {
            let kept = mailbox_name(good);
            assert!(kept.is_some(), "{good}");
        }
        for (bad, why) in [
            ("аnna", "a Cyrillic letter among Latin ones"),
            ("annα", "a Greek one"),
            ("anna.иван", "two scripts, an atom each"),
            ("日本한국ひ", "three that nobody writes together"),
            ("ａnna", "a wide letter"),
            ("ﬁa", "a ligature"),
            ("a\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}b", "a heap of marks"),
            ("\u{301}a", "a mark on nothing"),
            ("å+\u{301}", "a mark on a sign"),
            ("å\u{200B}sa", "a space that is not seen"),
            ("å\u{200D}sa", "a joiner"),
            ("å\u{202E}sa", "an override"),
            ("å\u{2066}sa", "an isolate"),
            ("å\u{AD}sa", "a soft hyphen"),
            ("å\u{FE0F}", "a selector"),
            ("å\u{3164}", "a filler"),
            ("å\u{A0}sa", "a space"),
            ("å\u{85}sa", "a control character"),
            ("å\u{FEFF}", "a mark of byte order"),
            ("å\u{FFFD}", "what was a letter"),
            ("å\u{E000}", "nobody's character"),
            ("å😀", "a picture"),
            ("å×b", "a sign"),
            ("å＠b", "a wide sign"),
            ("å.", "an empty atom"),
            (".å", "an empty atom"),
            ("å..b", "an empty atom"),
            ("å b", "a space"),
            ("å\"b", "a quote"),
            ("å,b", "a comma"),
            ("å<b", "a bracket"),
            ("דודanna", "two directions"),
            ("1דוד", "a number first"),
            ("anna٣", "a digit read from the right"),
            ("دوست٣3", "digits of two kinds"),
            ("דוד+", "a sign last"),
        ] {
            assert_eq!(mailbox_name(bad), None, "{bad}: {why}");
        }
        assert!(
            mailbox_name(&"å".repeat(32)).is_some() && mailbox_name(&"å".repeat(33)).is_none(),
            "64 bytes"
        );
        assert_eq!(mailbox_name("a\u{30A}sa").as_deref(), Some("åsa"), "composed");
    }
}
