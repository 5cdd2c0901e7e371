//! One block on its way through the tracker.

use super::core::Sink;
use crate::model::axes::MAX_AXES;
use crate::model::program::report::{Problem, Severity};
use crate::program::block::Block;
use crate::program::fault::shown;
use crate::program::motion::Motion;
use crate::program::reader::RawLine;

/// Letters of the axes in the order of reports.
pub(super) const AXIS_LETTERS: [u8; MAX_AXES] = *b"XYZABCUVW";
/// F, N, S, T and D have one meaning each and are always used.
const ALWAYS_USED: u32 = 1 << 5 | 1 << 13 | 1 << 18 | 1 << 19 | 1 << 3;
/// X, Y, Z, A, B, C, U, V, W.
const AXES: u32 = 0b111 << 23 | 0b111 | 0b111 << 20;

/// Axes that are named, bit n is axis n, from letters, bit 0 is A.
#[inline]
pub(super) const fn axes_of(letters: u32) -> u16 {
    ((letters >> 23 & 0b111) | (letters & 0b111) << 3 | (letters >> 20 & 0b111) << 6) as u16
}

pub(super) struct Turn<'a, S> {
    pub(super) raw: RawLine<'a>,
    pub(super) block: &'a Block,
    pub(super) sink: &'a mut S,
    /// Letters that something in the block has a use for.
    used: u32,
    /// It was said already that the block does not fit together.
    pub(super) refused: bool,
}

impl<'a, S: Sink> Turn<'a, S> {
    pub(super) const fn new(raw: RawLine<'a>, block: &'a Block, sink: &'a mut S) -> Self {
        Self { raw, block, sink, used: ALWAYS_USED, refused: false }
    }

    /// The value of a letter, which is used by this.
    #[inline]
    pub(super) fn take(&mut self, letter: u8) -> Option<f64> {
        self.used |= 1 << (letter - b'A');
        self.block.value(letter)
    }

    /// All axis letters have a use.
    #[inline]
    pub(super) const fn take_axes(&mut self) {
        self.used |= AXES;
    }

    /// Any letter may have a use.
    pub(super) const fn take_all(&mut self) {
        self.used = u32::MAX;
    }

    pub(super) fn motion(&mut self, motion: &Motion) {
        self.sink.motion(self.raw.number, motion);
    }

    #[cold]
    pub(super) fn say(&mut self, severity: Severity, kind: &str, text: &str, remedy: &str) {
        self.sink.problem(Problem {
            severity,
            line: self.raw.number,
            kind: kind.to_owned(),
            text: format!("{text}: {}", shown(self.raw.bytes)),
            remedy: remedy.to_owned(),
        });
    }

    #[cold]
    pub(super) fn error(&mut self, kind: &str, text: &str, remedy: &str) {
        self.refused = true;
        self.say(Severity::Error, kind, text, remedy);
    }

    #[cold]
    pub(super) fn warn(&mut self, kind: &str, text: &str, remedy: &str) {
        self.say(Severity::Warning, kind, text, remedy);
    }

    #[cold]
    pub(super) fn note(&mut self, kind: &str, text: &str, remedy: &str) {
        self.say(Severity::Note, kind, text, remedy);
    }

    /// Says which words have no use (`error:36`), unless something about the block was said already.
    #[inline]
    pub(super) fn unused(&mut self) {
        let unused = self.block.letters() & !self.used;
        if unused != 0 && !self.refused {
            self.say_unused(unused);
        }
    }

    #[cold]
    fn say_unused(&mut self, unused: u32) {
        let letters: Vec<String> =
            (0..26_u8).filter(|n| unused & (1 << n) != 0).map(|n| char::from(b'A' + n).to_string()).collect();
        let text = format!("nothing in this line uses {}", letters.join(", "));
        self.error("unused-words", &text, "remove what is not needed, or add the code that it belongs to");
    }
}
