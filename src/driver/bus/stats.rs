//! How a bus does.

use std::time::Duration;

/// Counters of one bus since it was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BusStats {
    /// Requests that were sent.
    pub requests: u64,
    /// Good answers.
    pub replies: u64,
    /// Exceptions that devices answered with.
    pub exceptions: u64,
    /// Requests that nobody answered in time.
    pub timeouts: u64,
    /// Answers that did not fit their request.
    pub desyncs: u64,
    /// Bytes that belong to no answer: noise, damaged frames, or a second master on the wire.
    pub stray_bytes: u64,
    /// Times that bytes were on the line before anything had been asked: a second master, or an answer that came too late.
    pub unasked: u64,
    /// Canaries that were read to prove the link again.
    pub canaries: u64,
    /// Times the port or the connection was opened.
    pub opens: u64,
    /// Time from the first byte of a request to the last of its answer, of good answers.
    pub busy: Duration,
    /// The longest of them.
    pub slowest: Duration,
}

impl BusStats {
    /// Mean time of a good answer.
    pub fn mean(&self) -> Option<Duration> {
        u32::try_from(self.replies).ok().filter(|replies| *replies > 0).map(|replies| self.busy / replies)
    }

    /// Somebody else seems to ask on this wire: bytes come unasked again and again although answers are in time.
    pub const fn second_master(&self) -> bool {
        self.unasked > 3 && self.unasked > 2 * self.timeouts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn late_answers_are_no_second_master() {
        let late = BusStats { unasked: 10, timeouts: 10, ..BusStats::default() };
        assert!(!late.second_master());
        assert!(BusStats { timeouts: 1, ..late }.second_master());
        assert!(!BusStats { unasked: 2, ..BusStats::default() }.second_master());
    }
}
