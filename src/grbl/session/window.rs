//! Character counting: which lines wait, which is going out, which are unanswered.
//!
//! The sum of unacknowledged bytes never exceeds the window (facts: grbl-protocol §7). One `ok` or
//! `error` belongs to one line, first in, first out.

use std::collections::VecDeque;

use crate::grbl::line::{Line, LineKind};
use crate::model::Time;
use crate::model::command::TicketId;

/// Most lines that may wait to be sent.
pub(super) const MAX_PENDING: usize = 16;

/// Whose line it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Owner {
    /// Somebody's command.
    Ticket(TicketId),
    /// A line of a program, by its number.
    Program(u64),
    /// An increment of a continuous jog.
    JogIncrement,
    /// The session's own question, by its place in the list of queries.
    Query(super::queries::Query),
    /// An empty line that clears grblHAL's sticky error.
    Sync,
}

/// A line in one of the three places.
#[derive(Clone, Debug)]
pub(super) struct Slot {
    pub(super) line: Line,
    pub(super) kind: LineKind,
    pub(super) owner: Owner,
    pub(super) sent_at: Time,
    /// Nothing unanswered before it, nothing behind it until it is answered.
    pub(super) alone: bool,
    /// The controller may wait at it for a cycle start.
    pub(super) asks: bool,
}

impl Slot {
    pub(super) fn new(line: Line, owner: Owner) -> Self {
        let kind = line.kind();
        // EEPROM writers lose bytes behind them on AVR (facts §7), and a jog must not be overtaken by its cancel: at most
        // one unacknowledged jog (facts §0.2).
        let alone = line.writes_eeprom() || kind == LineKind::Jog;
        Self { line, kind, owner, sent_at: Time::ZERO, alone, asks: false }
    }

    pub(super) fn is_jog(&self) -> bool {
        self.kind == LineKind::Jog
    }
}

/// The three places of a line: pending, going out, in flight.
#[derive(Debug)]
pub(super) struct Window {
    limit: usize,
    pending: VecDeque<Slot>,
    current: Option<(Slot, usize)>,
    in_flight: VecDeque<Slot>,
    in_flight_bytes: usize,
}

impl Window {
    pub(super) fn new(limit: usize) -> Self {
        Self { limit, pending: VecDeque::new(), current: None, in_flight: VecDeque::new(), in_flight_bytes: 0 }
    }

    pub(super) fn set_limit(&mut self, limit: usize) {
        self.limit = limit;
    }

    pub(super) fn push(&mut self, slot: Slot) {
        self.pending.push_back(slot);
    }

    pub(super) fn push_front(&mut self, slot: Slot) {
        self.pending.push_front(slot);
    }

    pub(super) fn pending_len(&self) -> usize {
        self.pending.len()
    }

    pub(super) fn next_pending(&self) -> Option<&Slot> {
        self.pending.front()
    }

    /// Unanswered lines, the one going out included.
    pub(super) fn open(&self) -> impl Iterator<Item = &Slot> {
        self.in_flight.iter().chain(self.current.as_ref().map(|(slot, _)| slot))
    }

    /// Everything that has not been answered, pending lines included.
    pub(super) fn all(&self) -> impl Iterator<Item = &Slot> {
        self.open().chain(self.pending.iter())
    }

    /// Nothing is going out or unanswered.
    pub(super) fn is_settled(&self) -> bool {
        self.in_flight.is_empty() && self.current.is_none()
    }

    pub(super) fn is_mid_line(&self) -> bool {
        self.current.is_some()
    }

    pub(super) fn oldest(&self) -> Option<&Slot> {
        self.in_flight.front()
    }

    /// How many more bytes fit beside all that is unanswered or waiting.
    pub(super) fn room(&self) -> usize {
        let waiting: usize = self.pending.iter().map(|slot| slot.line.wire_len()).sum();
        self.limit.saturating_sub(self.in_flight_bytes + waiting)
    }

    /// Whether the next pending line may begin now, as far as bytes and order are concerned.
    pub(super) fn fits_next(&self) -> bool {
        let Some(next) = self.pending.front() else { return false };
        if self.current.is_some() {
            return false;
        }
        let settled = self.in_flight.is_empty();
        let len = next.line.wire_len();
        // A line longer than the window may go alone: the firmware takes it up to its own line limit.
        let fits = self.in_flight_bytes + len <= self.limit || settled;
        let blocked = self.in_flight.iter().any(|slot| slot.alone);
        fits && !blocked && (settled || !next.alone)
    }

    /// Begins the next pending line. Only after [`fits_next`](Self::fits_next).
    pub(super) fn begin_next(&mut self, now: Time) -> Option<&Slot> {
        let mut slot = self.pending.pop_front()?;
        slot.sent_at = now;
        self.in_flight_bytes += slot.line.wire_len();
        self.current = Some((slot, 0));
        self.current.as_ref().map(|(slot, _)| slot)
    }

    /// Copies bytes of the line going out. Returns how many, and the line's slot once it is whole on the wire.
    pub(super) fn copy_current(&mut self, out: &mut [u8]) -> (usize, Option<&Slot>) {
        let Some((slot, done)) = &mut self.current else { return (0, None) };
        let text = slot.line.as_str().as_bytes();
        let total = slot.line.wire_len();
        let n = out.len().min(total - *done);
        for (to, at) in out.iter_mut().zip(*done..*done + n) {
            *to = text.get(at).copied().unwrap_or(b'\n');
        }
        *done += n;
        if *done < total {
            return (n, None);
        }
        if let Some((slot, _)) = self.current.take() {
            self.in_flight.push_back(slot);
        }
        (n, self.in_flight.back())
    }

    /// The line that an `ok` or `error` answers.
    pub(super) fn answer(&mut self) -> Option<Slot> {
        let slot = self.in_flight.pop_front()?;
        self.in_flight_bytes -= slot.line.wire_len();
        Some(slot)
    }

    /// Takes out all waiting lines that match.
    pub(super) fn drop_pending(&mut self, mut matches: impl FnMut(&Slot) -> bool) -> Vec<Slot> {
        let (gone, kept) = std::mem::take(&mut self.pending).into_iter().partition(|slot| matches(slot));
        self.pending = kept;
        Vec::from(gone)
    }

    /// Takes out all unanswered lines that match: they were thrown away or lost, and no answer will come.
    pub(super) fn drop_open(&mut self, mut matches: impl FnMut(&Slot) -> bool) -> Vec<Slot> {
        let (gone, kept): (VecDeque<_>, VecDeque<_>) =
            std::mem::take(&mut self.in_flight).into_iter().partition(|slot| matches(slot));
        self.in_flight = kept;
        self.in_flight_bytes -= gone.iter().map(|slot| slot.line.wire_len()).sum::<usize>();
        Vec::from(gone)
    }

    /// Forgets everything: (sent or going out, still waiting).
    pub(super) fn clear(&mut self) -> (Vec<Slot>, Vec<Slot>) {
        self.in_flight_bytes = 0;
        let mut sent: Vec<_> = std::mem::take(&mut self.in_flight).into();
        sent.extend(self.current.take().map(|(slot, _)| slot));
        (sent, std::mem::take(&mut self.pending).into())
    }
}
