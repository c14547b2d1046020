use std::fs;

use super::*;
use crate::{
    domain::reason::{Expected, Reason},
    files::{dialect::Dialect, reader::Limits, source},
};

fn begun(spooled: &Path, target: &Path, dialect: &str) -> AnswerFile {
    let dialect = Dialect::remembered(dialect);
    let source::FileRows::Text(reader) = source::reopen(spooled, &dialect, false, Limits::default()).unwrap()
    else {
        panic!("a text")
    };
    AnswerFile::begin(*reader, target, Language::English).unwrap()
}

/// The answer to a file in a dialect.
fn answered_bytes(text: &[u8], dialect: &str, verdicts: &[(u64, RowStatus, &[Problem])]) -> Vec<u8> {
    let dir = tempfile::tempdir().unwrap();
    let (spooled, target) = (dir.path().join("spooled"), dir.path().join("a.result.csv"));
    fs::write(&spooled, text).unwrap();
    let mut answer = begun(&spooled, &target, dialect);
    for (line, status, problems) in verdicts {
        answer.answer(*status, problems).unwrap();
        assert_eq!(answer.record.line(), *line);
    }
    assert!(!target.exists(), "nothing is there before it is whole");
    put(answer.whole().unwrap(), &target).unwrap();
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 2);
    fs::read(target).unwrap()
}

/// The answer to a file in the canonical form.
fn answered(text: &str, verdicts: &[(u64, RowStatus, &[Problem])]) -> String {
    String::from_utf8(answered_bytes(text.as_bytes(), "canonical", verdicts)).unwrap()
}

fn two_problems() -> [Problem; 2] {
    [
        Problem::at("name", "", Reason::Missing),
        Problem::at("country", "XX", Reason::Invalid { expected: Expected::Country, meant: None }),
    ]
}

#[test]
fn every_row_comes_back_as_it_was_with_its_verdict() {
    let text = "\u{FEFF}name,country\r\n\"Åkeri\"\" AB\",SE\r\n\"two\r\nlines\",\"DE\"\r\n , XX \r\n";
    let problems = two_problems();
    let said = problems.each_ref().map(|problem| problem.reason.sentence(Language::English));
    let [missing, invalid] = said.each_ref().map(|sentence| sentence.trim_end_matches('.'));
    let answer = answered(
        text,
        &[(2, RowStatus::Applied, &[]), (3, RowStatus::Unchanged, &[]), (5, RowStatus::Rejected, &problems)],
    );
    assert_eq!(
        answer,
        format!(
            "\u{FEFF}name,country,row_status,reason_code,reason,line,column\r\n\
             \"Åkeri\"\" AB\",SE,applied,,,2,\r\n\
             \"two\r\nlines\",\"DE\",unchanged,,,3,\r\n , XX \
             ,rejected,missing+invalid,name: {missing}; country: {invalid},5,name+country\r\n"
        )
    );
}

#[test]
fn an_earlier_answer_is_replaced_wherever_its_columns_are() {
    let answer =
        answered("line,name,Row Status,country\n2,\"a,b\",rejected,SE\n", &[(2, RowStatus::Applied, &[])]);
    assert_eq!(answer, "name,country,row_status,reason_code,reason,line,column\n\"a,b\",SE,applied,,,2,\n");
}

#[test]
fn a_misshapen_row_stays_misshapen_and_never_grows() {
    let shape = [Problem::of_row(Reason::WrongFieldCount { expected: 2, found: 1 })];
    let once = answered(
        "name,country\nonly\na,b,c\n\na,b\n",
        &[(2, RowStatus::Rejected, &shape), (3, RowStatus::Rejected, &shape), (5, RowStatus::Applied, &[])],
    );
    assert!(once.contains("\nonly,rejected,wrong_field_count,"), "{once}");
    assert!(once.contains("\na,b,c,rejected,"), "{once}");
    let again = answered(
        &once,
        &[(2, RowStatus::Rejected, &shape), (3, RowStatus::Rejected, &shape), (4, RowStatus::Applied, &[])],
    );
    assert_eq!(once.replace(",5,", ",4,"), again);
}

#[test]
fn an_answer_out_of_step_or_unfinished_leaves_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let (spooled, target) = (dir.path().join("spooled"), dir.path().join("a.result.csv"));
    fs::write(&spooled, "a\n1\n2\n").unwrap();
    let begin = || begun(&spooled, &target, "canonical");
    let mut answer = begin();
    answer.answer(RowStatus::Applied, &[]).unwrap();
    answer.answer(RowStatus::Applied, &[]).unwrap();
    let error = answer.answer(RowStatus::Applied, &[]).unwrap_err();
    assert!(matches!(error, AnswerError::OutOfStep { line: None }));
    drop(answer);
    let error = begin().whole().unwrap_err();
    assert!(matches!(error, AnswerError::OutOfStep { line: Some(2) }));
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
}

#[test]
fn an_answer_is_written_as_its_file_is() {
    let said = [Problem::at("a", "", Reason::Missing)];
    let sentence = Reason::Missing.sentence(Language::English);
    let text = "sep=;\r\nnamn;a\r\n\"Å;keri\";1 234,50\r\nÖ;\r\n";
    let back = format!(
        "sep=;\r\nnamn;a;row_status;reason_code;reason;line;column\r\n\"Å;keri\";1 234,50;applied;;;3;\r\n\
         Ö;;rejected;missing;\"{sentence}\";4;a\r\n"
    );
    for encoding in Encoding::ALL {
        let (mut bytes, mut expected) =
            (encoding.byte_order_mark().to_vec(), encoding.byte_order_mark().to_vec());
        encoding.write(text, &mut bytes);
        encoding.write(&back, &mut expected);
        let dialect = format!("encoding={},delimiter=semicolon", encoding.name());
        let verdicts: [(u64, RowStatus, &[Problem]); 2] =
            [(3, RowStatus::Applied, &[]), (4, RowStatus::Rejected, &said)];
        assert_eq!(answered_bytes(&bytes, &dialect, &verdicts), expected, "{encoding:?}");
    }
}

#[test]
fn f16_an_answer_gets_a_mark_where_it_holds_more_than_ascii_and_a_formula_an_apostrophe() {
    let verdict: [(u64, RowStatus, &[Problem]); 1] = [(2, RowStatus::Applied, &[])];
    assert!(answered("a\nÅ\n", &verdict).starts_with("\u{FEFF}a,row_status"));
    assert!(answered("a\nA\n", &verdict).starts_with("a,row_status"));
    let answer =
        answered("a,b,c,d,e,f\n\"=HYPERLINK(\"\"x\"\")\",+46 8 1,-5,'+46,\"-1 234,5\",@x\n", &verdict);
    assert!(
        answer.contains("\n\"'=HYPERLINK(\"\"x\"\")\",'+46 8 1,-5,'+46,\"-1 234,5\",'@x,applied,"),
        "{answer}"
    );
}

#[test]
fn f15_f14_padding_is_left_out_and_a_row_that_was_cut_off_stays_so() {
    let cut = [Problem::of_row(Reason::CutOff)];
    let answer = answered(
        "a,b,,\n1,2\n,,,,,\n3,4,,\n5,6",
        &[(2, RowStatus::Applied, &[]), (4, RowStatus::Applied, &[]), (5, RowStatus::Rejected, &cut)],
    );
    assert!(
        answer.starts_with("a,b,,,row_status,reason_code,reason,line,column\n1,2,,,applied,,,2,\n"),
        "{answer}"
    );
    assert!(answer.contains("\n3,4,,,applied,,,4,\n5,6,,,rejected,cut_off,"), "{answer}");
    assert!(answer.ends_with(",5,"), "{answer}");
}

#[test]
fn an_answer_replaces_no_other_and_the_same_one_again_is_no_other() {
    let dir = tempfile::tempdir().unwrap();
    let (spooled, named) = (dir.path().join("spooled"), |nth: u32| dir.path().join(format!("a.{nth}")));
    fs::write(&spooled, "name\nx\n").unwrap();
    let answered = |status| {
        let hint = dir.path().join("a");
        let mut answer = begun(&spooled, &hint, "canonical");
        answer.answer(status, &[]).unwrap();
        put_beside(answer.whole().unwrap(), named).unwrap()
    };
    assert_eq!(answered(RowStatus::Applied), named(1));
    assert_eq!(answered(RowStatus::Rejected), named(2));
    fs::create_dir(named(3)).unwrap();
    assert_eq!(answered(RowStatus::Unchanged), named(4));
    assert_eq!(answered(RowStatus::Applied), named(1));
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 5);
}
