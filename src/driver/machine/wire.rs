//! The wire as text, for those who want to watch it.

use std::fmt::Write;
use std::time::Duration;

use crate::model::time::Time;

/// A line longer than this is shown in pieces.
const LONGEST: usize = 256;

/// Cuts one direction of the byte stream into printable pieces: lines, and single realtime bytes.
#[derive(Debug, Default)]
pub(super) struct Tap {
    line: Vec<u8>,
}

impl Tap {
    /// Received bytes: calls `tell` for each whole line.
    pub(super) fn incoming(&mut self, bytes: &[u8], mut tell: impl FnMut(&[u8])) {
        for &byte in bytes {
            match byte {
                b'\n' => self.end(&mut tell),
                b'\r' => {}
                _ => self.push(byte, &mut tell),
            }
        }
    }

    /// Sent bytes: whole lines, and each realtime byte by itself (a line cannot hold one).
    pub(super) fn outgoing(&mut self, bytes: &[u8], mut tell: impl FnMut(&[u8])) {
        for &byte in bytes {
            match byte {
                b'\n' => self.end(&mut tell),
                b'?' | b'!' | b'~' | 0..=0x1F | 0x7F.. => tell(&[byte]),
                _ => self.push(byte, &mut tell),
            }
        }
    }

    /// Forgets a line that was cut off.
    pub(super) fn clear(&mut self) {
        self.line.clear();
    }

    fn push(&mut self, byte: u8, tell: &mut impl FnMut(&[u8])) {
        self.line.push(byte);
        if self.line.len() == LONGEST {
            self.end(tell);
        }
    }

    fn end(&mut self, tell: &mut impl FnMut(&[u8])) {
        tell(&self.line);
        self.line.clear();
    }
}

/// How much of the wire is shown while a program streams: a thousand lines a second are for the wire log, not for a screen.
#[derive(Debug, Default)]
pub(super) struct Gate {
    since: Time,
    shown: u32,
}

impl Gate {
    const EACH: Duration = Duration::from_millis(500);
    const SHOWN: u32 = 8;

    /// Whether one more may be shown.
    pub(super) fn passes(&mut self, now: Time) -> bool {
        if now.since(self.since) >= Self::EACH {
            *self = Self { since: now, shown: 0 };
        }
        self.shown += 1;
        self.shown <= Self::SHOWN
    }
}

/// ASCII as it is, anything else as `\xNN`.
pub(super) fn printable(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for &byte in bytes {
        if byte == b' ' || byte.is_ascii_graphic() {
            text.push(char::from(byte));
        } else {
            let _ = write!(text, "\\x{byte:02X}");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(chunks: &[&[u8]], out: bool) -> Vec<String> {
        let (mut tap, mut got) = (Tap::default(), Vec::new());
        for chunk in chunks {
            if out {
                tap.outgoing(chunk, |t| got.push(printable(t)));
            } else {
                tap.incoming(chunk, |t| got.push(printable(t)));
            }
        }
        got
    }

    #[test]
    fn lines_are_joined_over_chunks_and_made_printable() {
        assert_eq!(cut(&[b"<Idle|MP", b"os:0>\r\nok\n\xffA"], false), ["<Idle|MPos:0>", "ok"]);
        assert_eq!(cut(&[b"a\x00\xc3\n"], false), ["a\\x00\\xC3"]);
    }

    #[test]
    fn realtime_bytes_stand_alone_even_in_the_middle_of_a_line() {
        assert_eq!(cut(&[b"G1 X", b"?\x85", b"10\n\x18"], true), ["?", "\\x85", "G1 X10", "\\x18"]);
    }

    #[test]
    fn a_gate_lets_so_many_through_in_its_time() {
        let mut gate = Gate::default();
        let passed = |gate: &mut Gate, ms| (0..100).filter(|_| gate.passes(Time::from_millis(ms))).count();
        assert_eq!([passed(&mut gate, 600), passed(&mut gate, 700), passed(&mut gate, 1200)], [8, 0, 8]);
    }

    #[test]
    fn a_line_without_end_does_not_grow() {
        let got = cut(&[&[b'x'; 600]], false);
        assert_eq!(got.iter().map(String::len).collect::<Vec<_>>(), [256, 256]);
    }
}
