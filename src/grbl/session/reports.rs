//! When to ask `?`, and which question a report is certainly the answer to.
//!
//! Replies to `?` cannot be counted: Grbl and grblHAL merge questions, FluidNC answers each and also
//! pushes reports by itself (facts: Grbl-protocol §0.8, §4). So each question has a number, and a
//! report *proves* a question only when no earlier question or push can explain it. Whoever needs to know
//! the state after an event takes a [`Mark`] and waits until it is proved.

use std::collections::VecDeque;
use std::time::Duration;

use crate::model::Time;

/// A question unanswered for this long is given up and asked again. FluidNC takes up to 200 ms.
const GIVE_UP: Duration = Duration::from_millis(1000);
/// A question follows an answered one no closer than this, however urgent.
const URGENT_GAP: Duration = Duration::from_millis(10);
/// While somebody waits for a proof, ask again after this long.
const URGENT: Duration = Duration::from_millis(150);
/// While somebody watches a change (hold to standstill), ask this often.
const WATCH: Duration = Duration::from_millis(50);

/// No firmware answers later than this (FluidNC with a full planner: 200 ms).
const SURELY_ANSWERED: Duration = Duration::from_millis(300);
/// Open questions that are kept in mind.
const MOST_ASKS: usize = 8;
/// Answers that may still come to questions given up.
const MOST_DOUBT: u8 = 4;

/// A moment from which a report is wanted: proved by a report that was asked for afterwards.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Mark(u64);

#[derive(Clone, Copy, Debug)]
struct Ask {
    seq: u64,
    /// Reports that must arrive before this question is certainly answered.
    needed: u8,
}

/// Book-keeping of questions and reports.
#[derive(Debug, Default)]
pub(super) struct Reports {
    asks: VecDeque<Ask>,
    next_seq: u64,
    proved: Option<u64>,
    last_asked: Option<Time>,
    last_report: Option<Time>,
    answered_since_ask: bool,
    /// Questions whose answer may still be on its way.
    unanswered: u8,
    /// Answers that may still come to questions already given up.
    doubt: u8,
    urgent: Option<Mark>,
    watching: bool,
    /// The firmware pushes reports by itself.
    pub(super) pushed: bool,
}

impl Reports {
    /// A mark for "after now"; a question is asked soon, beside one that may be outstanding.
    pub(super) fn mark(&mut self) -> Mark {
        let mark = Mark(self.next_seq);
        self.urgent = Some(mark);
        mark
    }

    /// Whether a report asked for after the mark has arrived.
    pub(super) fn is_proved(&self, mark: Mark) -> bool {
        self.proved.is_some_and(|seq| seq >= mark.0)
    }

    /// Ask often while somebody watches a change.
    pub(super) fn watch(&mut self, on: bool) {
        self.watching = on;
    }

    /// When the last report came.
    pub(super) fn last_report(&self) -> Option<Time> {
        self.last_report
    }

    /// A question went out.
    pub(super) fn asked(&mut self, now: Time) {
        if self.last_asked.is_some_and(|at| now.since(at) >= SURELY_ANSWERED) && self.answered_since_ask {
            self.unanswered = 0; // Grbl merged them
        }
        // Before the answer to this one there may come: answers to those before it, a push, answers given up.
        let needed = 1 + self.unanswered + u8::from(self.pushed) + self.doubt;
        self.asks.push_back(Ask { seq: self.next_seq, needed });
        if self.asks.len() > MOST_ASKS {
            self.asks.pop_front();
        }
        self.unanswered = (self.unanswered + 1).min(MOST_DOUBT);
        self.doubt = 0;
        self.next_seq += 1;
        self.last_asked = Some(now);
        self.answered_since_ask = false;
    }

    /// A report came.
    pub(super) fn reported(&mut self, now: Time) {
        self.last_report = Some(now);
        self.answered_since_ask = true;
        self.unanswered = self.unanswered.saturating_sub(1);
        for ask in &mut self.asks {
            ask.needed = ask.needed.saturating_sub(1);
        }
        // A later question that is surely answered proves those before it.
        if let Some(last) = self.asks.iter().rposition(|ask| ask.needed == 0) {
            self.proved = self.proved.max(self.asks.drain(..=last).map(|ask| ask.seq).next_back());
        }
        if self.urgent.is_some_and(|mark| self.is_proved(mark)) {
            self.urgent = None;
        }
    }

    /// When the next question is due, given the interval in force.
    pub(super) fn due(&self, interval: Duration) -> Time {
        let Some(asked) = self.last_asked else { return Time::ZERO };
        if let Some(mark) = self.urgent {
            if self.next_seq <= mark.0 {
                // Not asked at all since the mark. Marks are renewed while a condition is not met, so an answered question
                // is followed by a gap: over a link without delay (the simulated machine's) it would go on without end.
                return if self.answered_since_ask { asked + URGENT_GAP } else { Time::ZERO };
            }
            if self.answered_since_ask {
                return asked + URGENT_GAP;
            }
            return asked + URGENT;
        }
        if !self.answered_since_ask {
            return asked + GIVE_UP;
        }
        if self.watching {
            return asked + WATCH;
        }
        match self.last_report {
            // A push is as good as an answer: ask only when it falls silent.
            Some(report) if self.pushed => asked.max(report) + interval,
            _ => asked + interval,
        }
    }

    /// A question has been outstanding for too long; its answer may still come.
    pub(super) fn expire(&mut self, now: Time) {
        if !self.answered_since_ask && self.last_asked.is_some_and(|at| now.since(at) >= GIVE_UP) {
            self.doubt = (self.doubt + self.unanswered).min(MOST_DOUBT);
            self.unanswered = 0;
            self.asks.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: fn(u64) -> Time = Time::from_millis;

    #[test]
    fn one_question_at_a_time() {
        let mut reports = Reports::default();
        assert_eq!(reports.due(Duration::from_millis(200)), Time::ZERO);
        reports.asked(MS(0));
        assert_eq!(reports.due(Duration::from_millis(200)), MS(1000), "nothing more while one is outstanding");
        reports.reported(MS(20));
        assert_eq!(reports.due(Duration::from_millis(200)), MS(200));
    }

    #[test]
    fn an_answer_to_an_older_question_proves_nothing() {
        let mut reports = Reports::default();
        reports.asked(MS(0));
        let mark = reports.mark();
        assert_eq!(reports.due(Duration::from_millis(200)), Time::ZERO, "asked beside the outstanding one");
        reports.asked(MS(5));
        reports.reported(MS(20));
        assert!(!reports.is_proved(mark));
        reports.reported(MS(21));
        assert!(reports.is_proved(mark));
    }

    #[test]
    fn merged_answers_are_asked_again() {
        let mut reports = Reports::default();
        reports.asked(MS(0));
        let mark = reports.mark();
        reports.asked(MS(1));
        reports.reported(MS(10)); // Grbl answers both with one report
        assert_eq!(reports.due(Duration::from_millis(200)), MS(11));
        reports.asked(MS(11));
        reports.reported(MS(20));
        assert!(reports.is_proved(mark));
    }

    #[test]
    fn a_push_is_no_proof() {
        let mut reports = Reports { pushed: true, ..Reports::default() };
        let mark = reports.mark();
        reports.asked(MS(0));
        reports.reported(MS(1)); // may have been on its way already
        assert!(!reports.is_proved(mark));
        reports.asked(MS(12));
        reports.reported(MS(30));
        assert!(reports.is_proved(mark));
    }

    #[test]
    fn a_late_answer_to_a_given_up_question_proves_nothing() {
        let mut reports = Reports::default();
        reports.asked(MS(0));
        reports.expire(MS(1000));
        let mark = reports.mark();
        reports.asked(MS(1001));
        reports.reported(MS(1002));
        assert!(!reports.is_proved(mark));
        reports.asked(MS(1012));
        reports.reported(MS(1020));
        assert!(reports.is_proved(mark));
    }

    #[test]
    fn pushes_spare_questions() {
        let mut reports = Reports { pushed: true, ..Reports::default() };
        reports.asked(MS(0));
        reports.reported(MS(10));
        reports.reported(MS(900));
        assert_eq!(reports.due(Duration::from_secs(1)), MS(1900));
    }

    #[test]
    fn a_mark_renewed_at_each_answer_does_not_ask_without_end() {
        let mut reports = Reports::default();
        reports.asked(MS(0));
        reports.reported(MS(0));
        let _ = reports.mark();
        assert_eq!(reports.due(Duration::from_secs(1)), MS(0) + URGENT_GAP);
    }
}
