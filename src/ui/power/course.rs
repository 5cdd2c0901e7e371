//! How power went: which part of time is looked at, and what came of it.

use std::sync::Arc;
use std::time::Duration;

use crate::model::Time;
use crate::model::power::{EnergyBar, Grain, PowerAnswer, PowerQuery, Sample};

/// How much time is looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Span {
    /// An hour.
    Hour,
    /// A day.
    #[default]
    Day,
    /// A week.
    Week,
}

impl Span {
    /// The next one, round and round.
    #[must_use]
    pub const fn next(self) -> Self {
        match self {
            Self::Hour => Self::Day,
            Self::Day => Self::Week,
            Self::Week => Self::Hour,
        }
    }

    /// Its length in ms.
    pub const fn millis(self) -> i64 {
        match self {
            Self::Hour => 3_600_000,
            Self::Day => 86_400_000,
            Self::Week => 604_800_000,
        }
    }

    /// The word for it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Hour => "hour",
            Self::Day => "day",
            Self::Week => "week",
        }
    }

    const fn grain(self) -> Grain {
        match self {
            Self::Hour => Grain::Raw,
            Self::Day => Grain::Minute,
            Self::Week => Grain::Quarter,
        }
    }

    /// How often it is asked for anew.
    const fn refresh(self) -> Duration {
        Duration::from_secs(if matches!(self, Self::Hour) { 10 } else { 60 })
    }
}

/// What the page of the history knows.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Course {
    /// How much time is looked at.
    pub span: Span,
    /// So many spans back; 0: until now.
    pub back: u32,
    /// Energies as bars, instead of the charts.
    pub bars: bool,
    /// From and until in ms of Unix time, as asked last.
    pub asked: Option<(i64, i64)>,
    /// Of all inverters, or of one.
    pub of: Option<String>,
    /// What came, or why nothing did.
    pub samples: Option<Result<Arc<Vec<Sample>>, String>>,
    /// What came, or why nothing did.
    pub energies: Option<Result<Arc<Vec<EnergyBar>>, String>>,
}

/// Spans that can be gone back.
const MOST_BACK: u32 = 1000;

impl Course {
    /// Another span, from the present on back.
    pub const fn turn(&mut self) {
        self.span = self.span.next();
        self.back = 0;
    }

    /// So many spans back, or on.
    pub fn step(&mut self, by: i32) {
        self.back = self.back.saturating_add_signed(by).min(MOST_BACK);
    }

    /// Asks for what is looked at. `now_ms`: the present, in ms of Unix time.
    pub fn ask(&mut self, of: Option<String>, now_ms: i64) -> [PowerQuery; 2] {
        let until_ms = now_ms - i64::from(self.back) * self.span.millis();
        let from_ms = until_ms - self.span.millis();
        if self.of != of || self.asked.is_none_or(|(from, until)| until - from != until_ms - from_ms) {
            (self.samples, self.energies) = (None, None);
        }
        (self.asked, self.of) = (Some((from_ms, until_ms)), of);
        let (grain, by_day) = (self.span.grain(), self.span == Span::Week);
        [
            PowerQuery::History { inverter: self.of.clone(), from_ms, until_ms, grain },
            PowerQuery::Energies { inverter: self.of.clone(), from_ms, until_ms, by_day },
        ]
    }

    /// Takes an answer, if it is to what was asked last.
    pub fn take(&mut self, answer: &PowerAnswer) {
        match answer {
            PowerAnswer::History { inverter, grain, samples }
                if (inverter, *grain) == (&self.of, self.span.grain()) =>
            {
                self.samples = Some(samples.clone());
            }
            PowerAnswer::Energies { inverter, by_day, bars }
                if *inverter == self.of && *by_day == (self.span == Span::Week) =>
            {
                self.energies = Some(bars.clone());
            }
            _ => {}
        }
    }

    /// When it is to be asked for anew. `None`: what is long over does not change.
    pub fn refresh_at(&self, now: Time) -> Option<Time> {
        (self.back == 0).then(|| now + self.span.refresh())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_go_back_by_whole_spans_and_never_beyond_now() {
        let mut course = Course::default();
        course.step(-1);
        assert_eq!(course.back, 0);
        course.step(1);
        let [history, energies] = course.ask(None, 1_000_000_000);
        let (from_ms, until_ms) = (1_000_000_000 - 2 * 86_400_000, 1_000_000_000 - 86_400_000);
        assert_eq!(history, PowerQuery::History { inverter: None, from_ms, until_ms, grain: Grain::Minute });
        assert_eq!(energies, PowerQuery::Energies { inverter: None, from_ms, until_ms, by_day: false });
        assert_eq!(course.refresh_at(Time::ZERO), None);
        course.turn();
        assert_eq!((course.span, course.back), (Span::Week, 0));
    }

    #[test]
    fn an_answer_to_an_older_question_is_not_taken() {
        let mut course = Course::default();
        course.ask(Some("roof".into()), 1_000_000_000);
        let answer = |inverter: Option<&str>, grain| PowerAnswer::History {
            inverter: inverter.map(str::to_owned),
            grain,
            samples: Err("none".into()),
        };
        course.take(&answer(None, Grain::Minute));
        course.take(&answer(Some("roof"), Grain::Raw));
        assert_eq!(course.samples, None);
        course.take(&answer(Some("roof"), Grain::Minute));
        assert!(course.samples.is_some());
    }
}
