//! One line of a program as words, read as the controllers read it.
//!
//! All three firmwares drop blanks and comments first and do not care for case (Grbl `protocol_main_loop`, FluidNC
//! `collapseGCode`, grblHAL `gc_normalize_block`), so `X 1 0` is `X10`. A [`Block`] is filled anew for each line and
//! allocates nothing.

use super::fault::{Fault, FaultKind};
use super::number::decimal;

/// Most words of a block: each of the 26 letters once, and more G and M than there are modal groups.
pub const MAX_WORDS: usize = 48;
/// Most G-codes or M-codes of a block.
pub const MAX_CODES: usize = 16;

/// A letter and its number.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Word {
    /// Upper case.
    pub letter: u8,
    /// As written, in the units of the program.
    pub value: f64,
    /// Where in the line its number begins, sign included.
    pub start: u16,
    /// Where its number ends.
    pub end: u16,
}

/// A G-code or M-code in tenths: 382 is G38.2.
pub type Code = u16;

/// What a line is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Kind {
    /// Nothing, blanks or only comments.
    #[default]
    Empty,
    /// Words.
    Words,
    /// A `$` line, or one of FluidNC's `[ESP…]`.
    Dollar,
    /// `%` alone: the head or foot of a tape. Never sent; Grbl answers `error:1` to it.
    Percent,
    /// It holds a parameter, an expression or an o-word: what it does is not known here. Words before that are read.
    Expression,
}

/// A part of the line, as byte positions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// First byte.
    pub start: u16,
    /// Behind the last.
    pub end: u16,
}

impl Span {
    /// These bytes of the line.
    pub fn of(self, line: &[u8]) -> &[u8] {
        line.get(usize::from(self.start)..usize::from(self.end)).unwrap_or_default()
    }
}

/// A line, read.
#[derive(Clone, Debug)]
pub struct Block {
    kind: Kind,
    words: [Word; MAX_WORDS],
    word_count: usize,
    /// By letter; 32 so that five bits are a place in it.
    values: [f64; 32],
    present: u32,
    g: [Code; MAX_CODES],
    g_count: usize,
    m: [Code; MAX_CODES],
    m_count: usize,
    fault: Option<Fault>,
    comment: Option<Span>,
    message: Option<Span>,
    /// A `/` stands first: the block is left out where the controller's switch says so.
    pub deletable: bool,
    /// Blanks stand inside a number.
    pub split_number: bool,
    /// A `(` is never closed: the rest of the line is a comment.
    pub unclosed_comment: bool,
    /// It holds a NUL, which no text does.
    pub has_nul: bool,
    /// An o-word: flow control, or the number of a program.
    pub flow: bool,
}

impl Default for Block {
    fn default() -> Self {
        Self::new()
    }
}

impl Block {
    /// An empty one, to be filled again and again.
    pub const fn new() -> Self {
        Self {
            kind: Kind::Empty,
            words: [Word { letter: 0, value: 0.0, start: 0, end: 0 }; MAX_WORDS],
            word_count: 0,
            values: [0.0; 32],
            present: 0,
            g: [0; MAX_CODES],
            g_count: 0,
            m: [0; MAX_CODES],
            m_count: 0,
            fault: None,
            comment: None,
            message: None,
            deletable: false,
            split_number: false,
            unclosed_comment: false,
            has_nul: false,
            flow: false,
        }
    }

    /// What the line is.
    pub const fn kind(&self) -> Kind {
        self.kind
    }

    /// Words in order; `N` is not among them.
    pub fn words(&self) -> &[Word] {
        &self.words[..self.word_count]
    }

    /// G-codes in order.
    pub fn g(&self) -> &[Code] {
        &self.g[..self.g_count]
    }

    /// M-codes in order.
    pub fn m(&self) -> &[Code] {
        &self.m[..self.m_count]
    }

    /// The value of a letter other than G and M.
    #[inline]
    pub fn value(&self, letter: u8) -> Option<f64> {
        self.has(letter).then(|| self.values[index(letter)])
    }

    /// Whether a letter other than G and M is there.
    #[inline]
    pub const fn has(&self, letter: u8) -> bool {
        self.present & bit(letter) != 0
    }

    /// Letters other than G and M that are there: bit 0 is A.
    pub const fn letters(&self) -> u32 {
        self.present
    }

    /// Why no controller would take it, or why it would not do what it says.
    pub const fn fault(&self) -> Option<Fault> {
        self.fault
    }

    /// What stands in the last comment.
    pub const fn comment(&self) -> Option<Span> {
        self.comment
    }

    /// The first comment, parentheses included, that FluidNC or grblHAL shows to people: `(MSG,…)`, `(PRINT,…)`, `(DEBUG,…)`.
    pub const fn message(&self) -> Option<Span> {
        self.message
    }

    /// Reads a line. At most the first 65,535 bytes are looked at; a [`Reader`](super::Reader) hands out fewer.
    pub fn parse(&mut self, line: &[u8]) {
        self.kind = Kind::Empty;
        self.word_count = 0;
        self.present = 0;
        self.g_count = 0;
        self.m_count = 0;
        self.fault = None;
        self.comment = None;
        self.message = None;
        self.deletable = false;
        self.split_number = false;
        self.unclosed_comment = false;
        self.has_nul = false;
        self.flow = false;
        let line = &line[..line.len().min(usize::from(u16::MAX))];
        let mut at = 0;
        while let Some(&byte) = line.get(at) {
            at = match byte {
                b'A'..=b'Z' | b'a'..=b'z' => self.word(line, at),
                b' ' | b'\t' => at + 1,
                _ => self.other(line, at),
            };
        }
        if self.fault.is_none() && self.kind == Kind::Words {
            self.fault = self.exponent(line);
        }
        if self.kind == Kind::Empty && self.fault.is_some() {
            self.kind = Kind::Words;
        }
    }

    /// Reads the word at `at`; gives where to go on.
    #[inline]
    fn word(&mut self, line: &[u8], at: usize) -> usize {
        let letter = line[at] & !0x20;
        if self.kind != Kind::Expression {
            self.kind = Kind::Words;
        }
        if letter == b'O' {
            self.flow = true;
            self.kind = Kind::Expression;
            return line.len();
        }
        let mut start = at + 1;
        while matches!(line.get(start), Some(b' ' | b'\t')) {
            start += 1;
        }
        let text = line.get(start..).unwrap_or_default();
        let Some((value, length)) = decimal(text) else { return self.no_number(line, letter, start) };
        let mut word = Word { letter, value, start: start as u16, end: (start + length) as u16 };
        let behind = text.get(length..).unwrap_or_default();
        if matches!(behind, [b' ' | b'\t', b' ' | b'\t' | b'0'..=b'9' | b'.', ..]) && digit_follows(behind, 0) {
            word = self.joined(line, letter, start);
        }
        self.take(word);
        usize::from(word.end)
    }

    #[inline]
    fn take(&mut self, word: Word) {
        match word.letter {
            b'G' => self.code(word, true),
            b'M' => self.code(word, false),
            letter => {
                if self.present & bit(letter) != 0 {
                    self.say(usize::from(word.start) - 1, FaultKind::Repeated(letter));
                }
                self.present |= bit(letter);
                self.values[index(letter)] = word.value;
                if letter == b'N' {
                    return;
                }
            }
        }
        match self.words.get_mut(self.word_count) {
            Some(slot) => {
                *slot = word;
                self.word_count += 1;
            }
            None => self.say(usize::from(word.start), FaultKind::TooManyWords),
        }
    }

    #[inline]
    fn code(&mut self, word: Word, g: bool) {
        let Some(code) = code_of(word.value) else {
            self.say(usize::from(word.start), FaultKind::BadCode(word.letter));
            return;
        };
        let (codes, count) = if g { (&mut self.g, &mut self.g_count) } else { (&mut self.m, &mut self.m_count) };
        match codes.get_mut(*count) {
            Some(slot) => {
                *slot = code;
                *count += 1;
            }
            None => self.say(usize::from(word.start), FaultKind::TooManyWords),
        }
    }

    /// What is neither a letter nor a blank.
    fn other(&mut self, line: &[u8], at: usize) -> usize {
        match line[at] {
            b'(' => return self.parenthesis(line, at),
            b';' => {
                self.comment = Some(Span { start: at as u16 + 1, end: line.len() as u16 });
                return line.len();
            }
            b'$' | b'[' if self.kind == Kind::Empty => {
                self.kind = Kind::Dollar;
                return line.len();
            }
            b'#' | b'[' | b'<' => {
                self.kind = Kind::Expression;
                return line.len();
            }
            b'/' if self.kind == Kind::Empty => self.deletable = true,
            b'%' if self.kind == Kind::Empty => self.kind = Kind::Percent,
            0 => {
                self.has_nul = true;
                self.say(at, FaultKind::Forbidden(0));
            }
            b')' if self.comment.is_some() => self.say(at, FaultKind::NestedComment),
            b @ (1..=0x1F | 0x7F..=0xFF | b'!' | b'?' | b'~') => self.say(at, FaultKind::Forbidden(b)),
            b => {
                let after_number = self.word_count > 0 && usize::from(self.words[self.word_count - 1].end) == at;
                self.say(
                    at,
                    match b {
                        b'.' if after_number => FaultKind::TwoPoints,
                        b',' if after_number => FaultKind::Comma,
                        b'+' | b'-' if after_number => FaultKind::SignInside,
                        _ => FaultKind::ExpectedLetter(b),
                    },
                );
            }
        }
        at + 1
    }

    /// A comment ends at the first `)`; a `(` inside does not nest.
    fn parenthesis(&mut self, line: &[u8], at: usize) -> usize {
        let inner = &line[at + 1..];
        let length = memchr::memchr(b')', inner).unwrap_or_else(|| {
            self.unclosed_comment = true;
            inner.len()
        });
        let span = Span { start: at as u16 + 1, end: (at + 1 + length) as u16 };
        self.comment = Some(span);
        if self.message.is_none() && !self.unclosed_comment && is_message(&inner[..length]) {
            self.message = Some(Span { start: at as u16, end: span.end + 1 });
        }
        usize::from(span.end) + usize::from(!self.unclosed_comment)
    }

    #[cold]
    fn no_number(&mut self, line: &[u8], letter: u8, start: usize) -> usize {
        let rest = &line[start..];
        let starts = |word: &[u8]| rest.get(..word.len()).is_some_and(|head| head.eq_ignore_ascii_case(word));
        if matches!(rest.first(), Some(b'#' | b'[')) {
            self.kind = Kind::Expression;
            return line.len();
        }
        let signs = rest.iter().take_while(|b| matches!(b, b'+' | b'-')).count();
        if signs == 1 && digit_follows(line, start + 1) {
            let word = self.joined(line, letter, start);
            self.take(word);
            return usize::from(word.end);
        }
        let unsigned = &rest[signs..];
        let not_a_number = ["NAN", "INF"]
            .iter()
            .any(|word| unsigned.get(..word.len()).is_some_and(|head| head.eq_ignore_ascii_case(word.as_bytes())));
        let nested = self.comment.is_some_and(|comment| comment.of(line).contains(&b'('));
        let kind = if nested {
            FaultKind::NestedComment
        } else if not_a_number || starts(b"NAN") {
            FaultKind::NotANumber(letter)
        } else if signs > 1 {
            FaultKind::TwoSigns(letter)
        } else {
            FaultKind::MissingNumber(letter)
        };
        self.say(start.saturating_sub(1), kind);
        // One message is enough for such a line.
        self.has_nul |= memchr::memchr(0, rest).is_some();
        line.len()
    }

    /// A number with blanks in it, read as the controllers do: without them.
    #[cold]
    fn joined(&mut self, line: &[u8], letter: u8, start: usize) -> Word {
        self.split_number = true;
        let mut digits = [0; 64];
        let (mut count, mut end) = (0, start);
        for (at, &byte) in line.iter().enumerate().skip(start) {
            match byte {
                b' ' | b'\t' => continue,
                b'0'..=b'9' | b'.' => {}
                b'+' | b'-' if at == start => {}
                _ => break,
            }
            let Some(slot) = digits.get_mut(count) else { break };
            *slot = byte;
            count += 1;
            end = at + 1;
        }
        let (value, taken) = decimal(&digits[..count]).unwrap_or_default();
        if taken < count {
            self.say(start, FaultKind::TwoPoints);
        }
        Word { letter, value, start: start as u16, end: end as u16 }
    }

    /// `X1e3`: to a controller that is an `E` word, which only M66 to M68 have.
    fn exponent(&self, line: &[u8]) -> Option<Fault> {
        if !self.has(b'E') || self.m().iter().any(|code| (660..=680).contains(code)) {
            return None;
        }
        let pair = self.words().windows(2).find(|pair| pair[1].letter == b'E')?;
        let adjacent = pair[1].start == pair[0].end + 1 && line.get(usize::from(pair[0].end)).is_some();
        adjacent.then_some(Fault { column: pair[0].end + 1, kind: FaultKind::Exponent(pair[0].letter) })
    }

    /// Only the first fault of a line is kept.
    #[cold]
    fn say(&mut self, at: usize, kind: FaultKind) {
        if self.fault.is_none() {
            self.fault = Some(Fault { column: at as u16 + 1, kind });
        }
    }
}

/// A number as a code. Controllers look at hundredths (Grbl `gc_execute_line`: mantissa), and there are codes in tenths only.
#[inline]
fn code_of(value: f64) -> Option<Code> {
    // Nearly all are whole, and need no rounding.
    let whole = value as Code;
    if f64::from(whole) == value && whole <= 999 {
        return Some(whole * 10);
    }
    let hundredths = (value * 100.0).round();
    let tenths = (hundredths / 10.0).round();
    let is_code = (0.0..=9999.0).contains(&tenths) && (hundredths - tenths * 10.0).abs() <= 0.5;
    is_code.then_some(tenths as Code)
}

/// FluidNC takes any separator after `MSG` (`gcode_comment_msg`); grblHAL's plugins and FluidNC print the others.
fn is_message(comment: &[u8]) -> bool {
    let comment = comment.trim_ascii_start();
    ["MSG,", "MSG ", "MSG:", "PRINT,", "DEBUG,"]
        .iter()
        .any(|head| comment.get(..head.len()).is_some_and(|start| start.eq_ignore_ascii_case(head.as_bytes())))
}

/// After blanks comes a digit or a point.
#[cold]
fn digit_follows(line: &[u8], from: usize) -> bool {
    let next = line[from..].iter().find(|b| !matches!(b, b' ' | b'\t'));
    matches!(next, Some(b'0'..=b'9' | b'.'))
}

const fn index(letter: u8) -> usize {
    (letter.wrapping_sub(b'A') & 31) as usize
}

const fn bit(letter: u8) -> u32 {
    1 << index(letter)
}

#[cfg(test)]
mod tests;
