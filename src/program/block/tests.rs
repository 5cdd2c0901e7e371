use proptest::prelude::*;

use super::*;
use crate::program::RawLine;

fn parsed(line: &str) -> Block {
    let mut block = Block::new();
    block.parse(line.as_bytes());
    block
}

fn words(line: &str) -> String {
    let block = parsed(line);
    assert_eq!(block.fault(), None, "{line}");
    let words: Vec<String> =
        block.words().iter().map(|word| format!("{}{}", word.letter as char, word.value)).collect();
    words.join(" ")
}

fn fault(line: &str) -> FaultKind {
    parsed(line).fault().unwrap_or_else(|| panic!("{line} has no fault")).kind
}

#[test]
fn words_are_read_in_any_dress() {
    for (line, read) in [
        ("G1X1.5Y-2F100", "G1 X1.5 Y-2 F100"),
        ("g01 x+1.50 y-.5", "G1 X1.5 Y-0.5"),
        ("N100 G0 Z5.", "G0 Z5"),
        ("\tG 1\tX 1 0 . 5", "G1 X10.5"),
        ("X - 5", "X-5"),
        ("G38.2 Z-10 F50 (probe) P0.1 ; and on", "G38.2 Z-10 F50 P0.1"),
        ("(a) G1 (b;c) X1", "G1 X1"),
        ("G1 X1 (never closed", "G1 X1"),
        ("/G0 X1", "G0 X1"),
        ("M67 E0 Q50", "M67 E0 Q50"),
        ("M67E0Q50", "M67 E0 Q50"),
        ("G17 G21 G90 G94 G40 G49 G54 G80", "G17 G21 G90 G94 G40 G49 G54 G80"),
    ] {
        assert_eq!(words(line), read, "{line}");
    }
    assert!(parsed("X 1 0").split_number && !parsed("X10 Y5").split_number);
    assert!(parsed("(open").unclosed_comment && parsed("/G0").deletable && !parsed("G0").deletable);
}

#[test]
fn values_and_codes_can_be_asked_for() {
    let block = parsed("N7 G38.2 G90 X-1 F200 M3 S1000");
    assert_eq!((block.value(b'X'), block.value(b'N'), block.value(b'Y')), (Some(-1.0), Some(7.0), None));
    assert_eq!((block.g(), block.m()), (&[382, 900][..], &[30][..]));
    assert!(block.has(b'F') && !block.has(b'A'));
    let x = block.words()[2];
    assert_eq!(Span { start: x.start, end: x.end }.of(b"N7 G38.2 G90 X-1 F200 M3 S1000"), b"-1");
}

#[test]
fn each_kind_of_line_is_told() {
    for (line, kind) in [
        ("", Kind::Empty),
        ("  (words)  ", Kind::Empty),
        ("; words", Kind::Empty),
        ("%", Kind::Percent),
        ("$H", Kind::Dollar),
        (" [ESP800]", Kind::Dollar),
        ("G0 X1", Kind::Words),
        ("#1=5", Kind::Expression),
        ("G1 X[#1+2]", Kind::Expression),
        ("G1 X#1", Kind::Expression),
        ("o100 if [#1 GT 2]", Kind::Expression),
        ("O0001", Kind::Expression),
    ] {
        assert_eq!(parsed(line).kind(), kind, "{line}");
        assert_eq!(parsed(line).fault(), None, "{line}");
    }
    assert!(parsed("O0001").flow && !parsed("#1=5").flow);
}

#[test]
fn bad_lines_are_named() {
    for (line, kind) in [
        ("G1 X", FaultKind::MissingNumber(b'X')),
        ("HELLO", FaultKind::MissingNumber(b'H')),
        ("X nan", FaultKind::NotANumber(b'X')),
        ("Y-inf", FaultKind::NotANumber(b'Y')),
        ("X1e3", FaultKind::Exponent(b'X')),
        ("G1 F1E3", FaultKind::Exponent(b'F')),
        ("X--1", FaultKind::TwoSigns(b'X')),
        ("X+-1", FaultKind::TwoSigns(b'X')),
        ("X1-2", FaultKind::SignInside),
        ("X1.2.3", FaultKind::TwoPoints),
        ("X1. 2.3", FaultKind::TwoPoints),
        ("X1,5", FaultKind::Comma),
        ("X0x1F", FaultKind::Repeated(b'X')),
        ("X1 Y2 X3", FaultKind::Repeated(b'X')),
        ("G1 X1!", FaultKind::Forbidden(b'!')),
        ("G1 X1 \u{7f}", FaultKind::Forbidden(0x7F)),
        ("G1\u{a0}X1", FaultKind::Forbidden(0xC2)),
        ("G-1", FaultKind::BadCode(b'G')),
        ("G1.55", FaultKind::BadCode(b'G')),
        ("M99999", FaultKind::BadCode(b'M')),
        ("X1 = 5", FaultKind::ExpectedLetter(b'=')),
        ("% G1 X1 *", FaultKind::ExpectedLetter(b'*')),
        ("(a (b) c) X1", FaultKind::NestedComment),
        ("G0 (a (b)) X1", FaultKind::NestedComment),
    ] {
        assert_eq!(fault(line), kind, "{line}");
    }
    assert_eq!(fault(&"G1".repeat(60)), FaultKind::TooManyWords);
    assert_eq!(parsed("G1 X1,5").fault().map(|fault| fault.column), Some(6));
    assert!(parsed("a\0b").has_nul);
}

#[test]
fn a_fault_says_where_and_what_to_do() {
    let raw = RawLine::new(12, b"G1 X1,5");
    let problem = parsed("G1 X1,5").fault().map(|fault| fault.problem(raw)).unwrap();
    assert_eq!((problem.line, problem.kind.as_str()), (12, "comma"));
    assert_eq!(problem.text, "column 6: a number has a comma: G1 X1,5");
    assert_eq!(problem.remedy, "write a point");
}

#[test]
fn messages_for_people_are_found_and_other_comments_kept() {
    let line = "M0 (MSG, change the tool) (really)";
    let block = parsed(line);
    assert_eq!(block.message().map(|span| span.of(line.as_bytes())), Some(&b"(MSG, change the tool)"[..]));
    assert_eq!(block.comment().map(|span| span.of(line.as_bytes())), Some(&b"really"[..]));
    let line = "G0 X1 ; to the left";
    assert_eq!(parsed(line).comment().map(|span| span.of(line.as_bytes())), Some(&b" to the left"[..]));
    assert_eq!(parsed("(message)").message(), None);
}

proptest! {
    #[test]
    fn any_bytes_can_be_read(line in proptest::collection::vec(any::<u8>(), 0..200)) {
        let mut block = Block::new();
        block.parse(&line);
        for word in block.words() {
            prop_assert!(word.letter.is_ascii_uppercase() && word.value.is_finite());
            prop_assert!(word.start < word.end && usize::from(word.end) <= line.len());
        }
    }

    #[test]
    fn a_used_block_reads_as_a_new_one(first in "[ -~]{0,60}", second in "[GXYZFM0-9. ;()/%$#-]{0,60}") {
        let mut used = parsed(&first);
        used.parse(second.as_bytes());
        let new = parsed(&second);
        prop_assert_eq!(used.words(), new.words());
        prop_assert_eq!((used.kind(), used.fault(), used.g(), used.m()), (new.kind(), new.fault(), new.g(), new.m()));
        prop_assert_eq!((used.letters(), used.comment(), used.message()), (new.letters(), new.comment(), new.message()));
    }
}
