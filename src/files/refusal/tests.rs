use std::collections::BTreeSet;

use strum::{VariantArray as _, VariantNames as _};

use super::*;
use crate::files::portals;

const TITLE: Bilingual<&str> = Bilingual::new("the export of a portal", "exporten från en portal");

fn near() -> Vec<NearMiss> {
    vec![NearMiss { column: 3, written: "partner".to_owned(), known: "partner_id" }]
}

/// One of each that is about text.
fn of_text() -> Vec<Refusal> {
    let (line, offset, column) = (17, 1_041, 5);
    vec![
        Refusal::Empty,
        Refusal::NotUtf8 { line, offset },
        Refusal::NotInEncoding { line, offset, encoding: Encoding::Utf16Le },
        Refusal::EncodingUnsure { line, offset, suggested: Some("windows-1250") },
        Refusal::Foreign { what: Foreign::Pdf },
        Refusal::NulByte { line, offset },
        Refusal::UnclosedQuote { line, column, offset },
        Refusal::TextAfterQuote { line, column, offset },
        Refusal::QuoteInBareCell { line, column, offset },
        Refusal::StrayCarriageReturn { line, offset },
        Refusal::CutOff { line },
        Refusal::FileTooLarge { limit: 99 },
        Refusal::RecordTooLong { line, limit: 99 },
        Refusal::CellTooLong { line, column, limit: 99 },
        Refusal::TooManyColumns { line, limit: 99 },
        Refusal::TooManyRows { line, limit: 99 },
    ]
}

/// One of each other.
fn others() -> Vec<Refusal> {
    let name = || "users.csv".to_owned();
    let lack = Lack { kind: Kind::Users, columns: vec!["object_id", "partner_id"], near: near() };
    vec![
        Refusal::DuplicateColumn { name: "mail".to_owned(), column: 5 },
        Refusal::MissingColumns { kind: Kind::Users, columns: vec!["object_id"], near: near() },
        Refusal::MisnamedColumns { kind: Kind::Users, columns: near() },
        Refusal::PortalLacks { portal: TITLE, columns: vec!["id"], near: near() },
        Refusal::ForComparison { portal: TITLE },
        Refusal::WhosePortalFile { portal: TITLE },
        Refusal::OtherBank { column: "XYZ".to_owned() },
        Refusal::UnknownKind { closest: vec![lack.clone(), lack] },
        Refusal::RowsAboveHeader { kind: Kind::Users, line: 3 },
        Refusal::NotRegular { name: name(), what: Bilingual::new("a pipe", "ett namngivet rör") },
        Refusal::BadName { name: name() },
        Refusal::Changed { name: name() },
        Refusal::Workbook(WorkbookFault::NoSheet),
        Refusal::InSheet {
            sheet: "Users".to_owned(),
            at: "C1".to_owned(),
            refusal: Box::new(Refusal::MisnamedColumns { kind: Kind::Users, columns: near() }),
        },
        Refusal::Io(io::Error::other("no space left")),
    ]
}

/// One of each fault of a workbook.
fn faults() -> Vec<WorkbookFault> {
    let (sheet, cells) = ("Users".to_owned(), (1..=12).map(|line| format!("C{line}")).collect::<Vec<_>>());
    let (part, limit) = ("xl/styles.xml".to_owned(), 99);
    vec![
        WorkbookFault::damaged("it holds C7 twice", "den innehåller C7 två gånger"),
        WorkbookFault::TooLarge { limit },
        WorkbookFault::TooManyParts { limit: 99 },
        WorkbookFault::UnpacksTooLarge { part: part.clone(), limit },
        WorkbookFault::Forbidden { part, has: Bilingual::new("is not of XML", "är inte XML") },
        WorkbookFault::NoSuchSheet { asked: "Contacts".to_owned(), sheets: vec![sheet.clone()] },
        WorkbookFault::NoSheet,
        WorkbookFault::SeveralSheets {
            sheets: vec![Bilingual::new("'Users'!A1 (users)".into(), "'Users'!A1 (users)".into())],
        },
        WorkbookFault::Merged { sheet: sheet.clone(), cells: cells.clone() },
        WorkbookFault::FormulaWithoutValue { sheet, cells },
        WorkbookFault::StatedAsText,
        WorkbookFault::NoWorkbook { asked: "Users".to_owned() },
    ]
}

/// Numbers, and addresses of cells, in a sentence.
fn facts(text: &str) -> BTreeSet<&str> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric());
    words.filter(|word| word.contains(|c: char| c.is_ascii_digit())).collect()
}

#[test]
fn every_refusal_has_its_sentence_in_both_languages_with_the_same_facts() {
    let mut refusals = of_text();
    refusals.extend(others());
    let named: Vec<&str> = refusals.iter().map(Into::into).collect();
    let once: BTreeSet<&str> = named.iter().copied().collect();
    assert_eq!((named.len(), once), (Refusal::VARIANTS.len(), Refusal::VARIANTS.iter().copied().collect()));
    let faults = faults();
    let of_workbooks: BTreeSet<&str> = faults.iter().map(Into::into).collect();
    assert_eq!(of_workbooks, WorkbookFault::VARIANTS.iter().copied().collect());
    refusals.extend(Foreign::VARIANTS.iter().map(|&what| Refusal::Foreign { what }));
    refusals.extend(faults.into_iter().map(Refusal::Workbook));
    let mut said = BTreeSet::new();
    for refusal in &refusals {
        let FileReason { code, told: Bilingual { english, swedish } } = refusal.told();
        assert_eq!((code, &*english), (refusal.code(), &*refusal.to_string()));
        assert_ne!(english, swedish);
        assert_eq!(facts(&english), facts(&swedish), "{english} / {swedish}");
        for told in [&english, &swedish] {
            assert!(
                !told.ends_with('.') && !told.contains("  ") && !told.contains(char::is_control),
                "{told}"
            );
        }
        for word in [" the ", " is ", " it ", " of ", "save it", "import that"] {
            assert!(!swedish.contains(word), "{swedish}");
        }
        said.insert(swedish);
    }
    assert!(said.len() + 2 >= refusals.len(), "no two are told alike: {said:#?}");
    assert!(said.iter().any(|told| told.contains("C9, C10 och 2 till är sammanfogade")), "{said:#?}");
    let english = Refusal::Workbook(faults_merged()).to_string();
    assert!(english.contains("C9, C10 and 2 more are merged"), "{english}");
}

fn faults_merged() -> WorkbookFault {
    faults().into_iter().find(|fault| matches!(fault, WorkbookFault::Merged { .. })).unwrap()
}

#[test]
fn a_code_tells_one_refusal_from_another() {
    let mut refusals = of_text();
    refusals.extend(others());
    let own = |refusal: &&Refusal| !matches!(refusal, Refusal::InSheet { .. });
    let codes: BTreeSet<&str> = refusals.iter().filter(own).map(Refusal::code).collect();
    assert_eq!(codes.len() + 1, refusals.len());
    let faults: BTreeSet<&str> = faults().iter().map(WorkbookFault::code).collect();
    assert_eq!(faults.len(), WorkbookFault::VARIANTS.len());
}

#[test]
fn every_portal_has_its_title_in_both_languages() {
    let titles: BTreeSet<&str> =
        portals::ALL.iter().flat_map(|portal| [portal.title.english, portal.title.swedish]).collect();
    assert_eq!(titles.len(), 2 * portals::ALL.len(), "{titles:?}");
}
