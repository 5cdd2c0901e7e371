//! Bytes on their way to the kernel.

use crate::driver::pace::Pacer;
use crate::grbl::Session;
use crate::model::time::Time;

/// Most line bytes taken out of the session before the kernel has taken them.
const AHEAD: usize = 128;
const SOFT_RESET: u8 = 0x18;

/// What the session gave and the kernel has not taken yet: realtime bytes first, then line bytes.
///
/// A realtime byte overtakes the line bytes that still wait here, in the middle of a line too: controllers take
/// it out of the stream wherever it stands.
#[derive(Debug)]
pub(super) struct Outgoing {
    bytes: Vec<u8>,
    urgent: usize,
    pacer: Pacer,
}

impl Outgoing {
    pub(super) fn new(pacer: Pacer) -> Self {
        Self { bytes: Vec::with_capacity(2 * AHEAD), urgent: 0, pacer }
    }

    /// Takes what the session has: all its realtime bytes, and lines as far as the wire has room.
    pub(super) fn pull(&mut self, session: &mut Session, now: Time) {
        let mut chunk = [0; AHEAD];
        loop {
            let n = session.poll_transmit(now, &mut chunk, 0);
            if n == 0 {
                break;
            }
            self.insert_urgent(&chunk[..n]);
        }
        let room = self.pacer.portion(now).min(AHEAD);
        if self.bytes.len() == self.urgent && room > 0 {
            let n = session.poll_transmit(now, &mut chunk, room);
            self.bytes.extend_from_slice(&chunk[..n]);
        }
    }

    fn insert_urgent(&mut self, bytes: &[u8]) {
        if bytes.contains(&SOFT_RESET) {
            // The controller forgets what it has of a line; the rest of that line sent after the reset would be
            // a command of its own.
            self.bytes.truncate(self.urgent);
        }
        self.bytes.splice(self.urgent..self.urgent, bytes.iter().copied());
        self.urgent += bytes.len();
    }

    /// What to write next.
    pub(super) fn unsent(&self) -> &[u8] {
        &self.bytes
    }

    /// The kernel took the first `n`.
    pub(super) fn taken(&mut self, n: usize, now: Time) {
        self.bytes.drain(..n);
        self.urgent = self.urgent.saturating_sub(n);
        self.pacer.sent(now, n);
    }

    /// When lines can go on that wait for the wire.
    pub(super) fn next(&self, now: Time) -> Option<Time> {
        self.pacer.next(now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(lines: &[u8]) -> Outgoing {
        let mut out = Outgoing::new(Pacer::new(None));
        out.bytes.extend_from_slice(lines);
        out
    }

    #[test]
    fn realtime_bytes_overtake_lines_and_keep_their_own_order() {
        let mut out = with(b"G1 X10\n");
        out.taken(3, Time::ZERO);
        out.insert_urgent(b"!");
        out.insert_urgent(b"?");
        assert_eq!(out.unsent(), b"!?X10\n");
        out.taken(1, Time::ZERO);
        out.insert_urgent(b"\x85");
        assert_eq!(out.unsent(), b"?\x85X10\n");
    }

    #[test]
    fn nothing_of_a_line_follows_a_reset() {
        let mut out = with(b"G1 X10\n");
        out.taken(3, Time::ZERO);
        out.insert_urgent(b"!");
        out.insert_urgent(b"\x18");
        assert_eq!(out.unsent(), b"!\x18");
    }

    #[test]
    fn what_is_taken_is_on_the_wires_clock() {
        let mut out = Outgoing::new(Pacer::new(Some(9600)));
        out.bytes.extend_from_slice(&[b'x'; 32]);
        assert_eq!(out.next(Time::ZERO), None);
        out.taken(32, Time::ZERO);
        assert!(out.next(Time::ZERO).is_some());
    }
}
