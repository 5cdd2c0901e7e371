//! How a bus does.

use std::collections::VecDeque;
use std::time::Duration;

use crate::model::Time;

/// What was heard before that is no proof of who is on the wire now.
const REMEMBERED: Duration = Duration::from_secs(300);
/// It is noted so often what was counted.
const MARK_EVERY: Duration = Duration::from_secs(30);
/// So many times bytes may come unasked without meaning anything.
const LEAST_UNASKED: u64 = 3;

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
}

/// Listens for a second master over the last minutes, so that one that is unplugged is forgotten.
#[derive(Debug, Default)]
pub(super) struct Ear {
    /// What was counted when, oldest first.
    marks: VecDeque<(Time, u64, u64)>,
}

impl Ear {
    /// Somebody else seems to ask on this wire: bytes come unasked again and again although answers are in time.
    pub(super) fn second_master(&mut self, stats: &BusStats, now: Time) -> bool {
        if self.marks.back().is_none_or(|(at, ..)| now.since(*at) >= MARK_EVERY) {
            self.marks.push_back((now, stats.unasked, stats.timeouts));
        }
        while self.marks.get(1).is_some_and(|(at, ..)| now.since(*at) >= REMEMBERED) {
            self.marks.pop_front();
        }
        let (_, unasked, timeouts) = self.marks.front().copied().unwrap_or_default();
        let (unasked, timeouts) = (stats.unasked - unasked, stats.timeouts - timeouts);
        unasked > LEAST_UNASKED && unasked > 2 * timeouts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stats(unasked: u64, timeouts: u64) -> BusStats {
        BusStats { timeouts, unasked, ..BusStats::default() }
    }

    #[test]
    fn late_answers_are_no_second_master() {
        let heard = |unasked, timeouts| {
            let mut ear = Ear::default();
            ear.second_master(&BusStats::default(), Time::ZERO);
            ear.second_master(&stats(unasked, timeouts), Time::from_millis(1000))
        };
        assert!(!heard(10, 10) && heard(10, 1) && !heard(2, 0));
    }

    #[test]
    fn one_that_is_gone_is_forgotten() {
        let mut ear = Ear::default();
        let mut heard =
            |seconds: u64, unasked| ear.second_master(&stats(unasked, 0), Time::from_millis(seconds * 1000));
        assert!(!heard(0, 0) && heard(60, 20) && heard(200, 20));
        let later: Vec<bool> = (4..20).map(|minute| heard(minute * 60, 20)).collect();
        assert_eq!(later.last(), Some(&false), "{later:?}");
        assert!(heard(1300, 25), "it is back");
    }
}
