//! How a bus does.

use std::collections::VecDeque;
use std::time::Duration;

use crate::model::Time;

/// What was heard before that is no proof of who is on the wire now.
const REMEMBERED: Duration = Duration::from_secs(300);
/// It is noted so often what was counted.
const MARK_EVERY: Duration = Duration::from_secs(30);
/// So many times bytes may come unasked, or damaged, without meaning anything.
const FEW: u64 = 3;
/// A line that damages one answer in so many is worth a word.
const DAMAGED_OF: u64 = 50;

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
    /// Answers whose check sum was wrong.
    pub crc_errors: u64,
    /// Answers that ended too early.
    pub cut_short: u64,
    /// Whole answers that did not fit their request: unit, function, length, echo.
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

/// What is wrong with a wire, as far as its counters tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WireTrouble {
    /// Somebody else seems to ask on it.
    SecondMaster,
    /// Answers come damaged.
    Damaged,
}

/// Listens for trouble over the last minutes, so that a second master that is unplugged is forgotten.
#[derive(Debug, Default)]
pub(super) struct Ear {
    /// What was counted when, oldest first.
    marks: VecDeque<(Time, BusStats)>,
}

impl Ear {
    /// Bytes that come unasked again and again although answers are in time are a second master's; where its questions and ours
    /// meet, answers come damaged. Answers that come damaged where nothing comes unasked are the line's.
    pub(super) fn trouble(&mut self, stats: &BusStats, now: Time) -> Option<WireTrouble> {
        if self.marks.back().is_none_or(|(at, _)| now.since(*at) >= MARK_EVERY) {
            self.marks.push_back((now, *stats));
        }
        while self.marks.get(1).is_some_and(|(at, _)| now.since(*at) >= REMEMBERED) {
            self.marks.pop_front();
        }
        let before = self.marks.front().map(|(_, before)| *before).unwrap_or_default();
        let unasked = stats.unasked - before.unasked;
        let damaged = stats.crc_errors + stats.cut_short - before.crc_errors - before.cut_short;
        if unasked > 0 && unasked + damaged > FEW && unasked + damaged > 2 * (stats.timeouts - before.timeouts) {
            Some(WireTrouble::SecondMaster)
        } else if damaged > FEW && damaged * DAMAGED_OF > stats.requests - before.requests {
            Some(WireTrouble::Damaged)
        } else {
            None
        }
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
            ear.trouble(&BusStats::default(), Time::ZERO);
            ear.trouble(&stats(unasked, timeouts), Time::from_millis(1000)).is_some()
        };
        assert!(!heard(10, 10) && heard(10, 1) && !heard(2, 0));
    }

    #[test]
    fn damaged_answers_are_the_lines_or_a_second_masters() {
        let heard = |stats: BusStats| {
            let mut ear = Ear::default();
            ear.trouble(&BusStats::default(), Time::ZERO);
            ear.trouble(&stats, Time::from_millis(1000))
        };
        let damaged = |requests, crc_errors| BusStats { requests, crc_errors, ..BusStats::default() };
        assert_eq!(heard(damaged(100, 5)), Some(WireTrouble::Damaged));
        assert_eq!(heard(damaged(100, 3)), None, "a few are nothing");
        assert_eq!(heard(damaged(1000, 5)), None, "one in two hundred is nothing");
        // Where questions meet: rising CRC errors, and now and then a byte that nobody asked for.
        assert_eq!(heard(BusStats { unasked: 1, ..damaged(100, 5) }), Some(WireTrouble::SecondMaster));
    }

    #[test]
    fn one_that_is_gone_is_forgotten() {
        let mut ear = Ear::default();
        let mut heard =
            |seconds: u64, unasked| ear.trouble(&stats(unasked, 0), Time::from_millis(seconds * 1000)).is_some();
        assert!(!heard(0, 0) && heard(60, 20) && heard(200, 20));
        let later: Vec<bool> = (4..20).map(|minute| heard(minute * 60, 20)).collect();
        assert_eq!(later.last(), Some(&false), "{later:?}");
        assert!(heard(1300, 25), "it is back");
    }
}
