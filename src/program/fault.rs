//! Why a line cannot be read, said so that it can be mended.

use super::reader::RawLine;
use crate::model::program::report::{Problem, Severity};

/// What is wrong with a line, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Counted from 1, in bytes.
    pub column: u16,
    /// What.
    pub kind: FaultKind,
}

/// What can be wrong with a line. Letters are upper case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaultKind {
    /// Something stands where a word should begin.
    ExpectedLetter(u8),
    /// A letter without a number.
    MissingNumber(u8),
    /// `nan` or `inf`.
    NotANumber(u8),
    /// `1e3`.
    Exponent(u8),
    /// `--1`.
    TwoSigns(u8),
    /// `1-2`.
    SignInside,
    /// `1.2.3`.
    TwoPoints,
    /// `1,5`.
    Comma,
    /// A letter other than G and M stands twice.
    Repeated(u8),
    /// A byte that a controller would act on.
    Forbidden(u8),
    /// A G or M with a negative, huge or finely divided number.
    BadCode(u8),
    /// More words than any controller takes.
    TooManyWords,
    /// A comment within a comment ends both for a controller, and the rest is read as words.
    NestedComment,
}

impl Fault {
    /// As a person needs it.
    pub fn problem(self, line: RawLine<'_>) -> Problem {
        let (kind, text, remedy) = self.kind.said();
        Problem {
            severity: Severity::Error,
            line: line.number,
            kind: kind.to_owned(),
            text: format!("column {}: {text}: {}", self.column, shown(line.bytes)),
            remedy: remedy.to_owned(),
        }
    }
}

impl FaultKind {
    fn said(self) -> (&'static str, String, &'static str) {
        match self {
            Self::ExpectedLetter(byte) => {
                ("letter-expected", format!("{} stands where a word should begin", named(byte)), "remove it")
            }
            Self::MissingNumber(letter) => (
                "number-missing",
                format!("{} has no number", letter as char),
                "write a number behind it, or remove it",
            ),
            Self::NotANumber(letter) => (
                "not-a-number",
                format!("the value of {} is not a number", letter as char),
                "the program was made from a calculation that failed: make it anew",
            ),
            Self::Exponent(letter) => (
                "exponent",
                format!("{} has a number with an exponent, which no controller reads", letter as char),
                "write it out: 1000 instead of 1e3",
            ),
            Self::TwoSigns(letter) => ("two-signs", format!("{} has two signs", letter as char), "leave one of them"),
            Self::SignInside => {
                ("sign-inside", "a sign stands inside a number".to_owned(), "write one number for each letter")
            }
            Self::TwoPoints => ("two-points", "a number has two points".to_owned(), "leave one of them"),
            Self::Comma => ("comma", "a number has a comma".to_owned(), "write a point"),
            Self::Repeated(letter) => (
                "word-repeated",
                format!("{} stands twice", letter as char),
                "two lines may have run together, or the number is hexadecimal: leave one of them",
            ),
            Self::Forbidden(byte) => (
                "forbidden-byte",
                format!("{} would act on the controller the moment it arrives", named(byte)),
                "remove it; only plain ASCII can be sent outside of comments",
            ),
            Self::BadCode(letter) => {
                ("bad-code", format!("there is no such {} code", letter as char), "correct or remove it")
            }
            Self::TooManyWords => ("too-many-words", "more words than a block can have".to_owned(), "split the line"),
            Self::NestedComment => (
                "nested-comment",
                "a comment stands within a comment; the controller ends both at the first `)`".to_owned(),
                "remove the inner parentheses",
            ),
        }
    }
}

fn named(byte: u8) -> String {
    match byte {
        b'!' => "`!` (feed hold)".to_owned(),
        b'?' => "`?` (status request)".to_owned(),
        b'~' => "`~` (resume)".to_owned(),
        b' '..=b'}' => format!("`{}`", byte as char),
        _ => format!("byte 0x{byte:02X}"),
    }
}

/// A line for a message: short, printable.
pub(super) fn shown(line: &[u8]) -> String {
    const MOST: usize = 60;
    let text = String::from_utf8_lossy(&line[..line.len().min(4 * MOST)]);
    let mut out: String = text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).take(MOST).collect();
    if text.chars().count() > MOST || line.len() > 4 * MOST {
        out.push('…');
    }
    out
}
