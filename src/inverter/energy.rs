//! Energy from counters that jump: a day counter that starts again, a total that rolls over, a zero in between.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::model::Time;

/// More than the power allows by this much is no energy, however long ago the last reading was.
const SLACK_KWH: f64 = 0.5;
/// A counter that fell is believed to begin anew when it is read so again.
const CONFIRM: u8 = 2;

/// What a reading of a counter came to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Step {
    /// The first reading: a place to count from.
    First,
    /// So many kWh more.
    Added(f64),
    /// The counter began anew; so many kWh since then.
    Restarted(f64),
    /// The counter passed its end; so many kWh more.
    RolledOver(f64),
    /// Not believed yet: it may be a glitch.
    Doubted,
}

/// Adds up what a counter counts, and survives what counters do.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct EnergyCounter {
    /// kWh counted so far.
    pub counted_kwh: f64,
    last: Option<(f64, Time)>,
    /// A fall that was seen, and how often.
    fallen: Option<(f64, u8)>,
}

impl EnergyCounter {
    /// Takes a reading in kWh. `end_kwh` is where the counter rolls over (`None`: unknown), `most_kw` the most power
    /// that can flow.
    pub fn read(&mut self, kwh: f64, at: Time, end_kwh: Option<f64>, most_kw: f64) -> Step {
        if !kwh.is_finite() || kwh < 0.0 {
            return Step::Doubted;
        }
        let Some((last, last_at)) = self.last else {
            self.last = Some((kwh, at));
            return Step::First;
        };
        let possible = most_kw * hours(at.since(last_at)) + SLACK_KWH;
        if kwh >= last {
            if kwh - last > possible {
                return self.jumped(kwh, at);
            }
            self.fallen = None;
            return self.add(kwh, at, kwh - last, Step::Added);
        }
        // It fell. Near its end it rolled over; else it began anew, or this is a glitch.
        if let Some(end) = end_kwh.filter(|end| last <= *end && end - last + kwh <= possible) {
            self.fallen = None;
            return self.add(kwh, at, end - last + kwh, Step::RolledOver);
        }
        let seen = match self.fallen {
            Some((before, seen)) if kwh >= before && kwh - before <= possible => seen + 1,
            _ => 1,
        };
        self.fallen = Some((kwh, seen));
        if seen < CONFIRM {
            return Step::Doubted;
        }
        self.fallen = None;
        // Since the start of a new count; a counter set to some other value tells nothing about what flowed.
        let since = if kwh <= possible { kwh } else { 0.0 };
        self.add(kwh, at, since, Step::Restarted)
    }

    /// More than can have flowed: believed as a new place to count from when it is read so again.
    fn jumped(&mut self, kwh: f64, at: Time) -> Step {
        match self.fallen {
            Some((before, _)) if (kwh - before).abs() <= SLACK_KWH => {
                self.fallen = None;
                self.add(kwh, at, 0.0, Step::Restarted)
            }
            _ => {
                self.fallen = Some((kwh, 1));
                Step::Doubted
            }
        }
    }

    fn add(&mut self, kwh: f64, at: Time, more: f64, step: fn(f64) -> Step) -> Step {
        self.last = Some((kwh, at));
        self.counted_kwh += more;
        step(more)
    }
}

fn hours(time: Duration) -> f64 {
    time.as_secs_f64() / 3600.0
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const MOST_KW: f64 = 10.0;

    fn read(counter: &mut EnergyCounter, kwh: f64, minute: u64) -> Step {
        counter.read(kwh, Time::from_millis(minute * 60_000), Some(6553.6), MOST_KW)
    }

    fn total(readings: &[(f64, u64)]) -> f64 {
        let mut counter = EnergyCounter::default();
        for (kwh, minute) in readings {
            read(&mut counter, *kwh, *minute);
        }
        (counter.counted_kwh * 10.0).round() / 10.0
    }

    #[test]
    fn a_zero_in_between_is_no_energy() {
        // A device restarts and tells 0 once, then its total again.
        assert_eq!(total(&[(187.0, 0), (187.1, 1), (0.0, 2), (187.2, 3), (187.3, 4)]), 0.3);
    }

    #[test]
    fn a_day_counter_starts_again() {
        assert_eq!(total(&[(11.0, 0), (11.5, 5), (0.0, 10), (0.0, 11), (0.2, 12)]), 0.7);
        // Late: the old day goes on for some minutes after midnight, then it falls.
        let mut counter = EnergyCounter::default();
        for (kwh, minute) in [(11.0, 0), (11.1, 5), (0.1, 8)] {
            read(&mut counter, kwh, minute);
        }
        assert_eq!(read(&mut counter, 0.1, 9), Step::Restarted(0.1));
    }

    #[test]
    fn a_total_rolls_over() {
        let mut counter = EnergyCounter::default();
        read(&mut counter, 6553.5, 0);
        let Step::RolledOver(more) = read(&mut counter, 0.2, 3) else { panic!("{counter:?}") };
        assert!((more - 0.3).abs() < 1e-9);
    }

    #[test]
    fn what_cannot_have_flowed_is_not_counted() {
        assert_eq!(total(&[(10.0, 0), (400.0, 1), (10.1, 2)]), 0.1);
        // Set to another value for good: counted from there.
        assert_eq!(total(&[(10.0, 0), (400.0, 1), (400.1, 2), (400.3, 3)]), 0.2);
        let mut counter = EnergyCounter::default();
        assert_eq!(read(&mut counter, f64::NAN, 0), Step::Doubted);
        assert_eq!(read(&mut counter, -1.0, 0), Step::Doubted);
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn never_more_than_can_have_flowed_and_never_backwards(
            readings in prop::collection::vec((0f64..7000.0, 1u64..120), 1..60)
        ) {
            let (mut counter, mut minute) = (EnergyCounter::default(), 0);
            for (n, (kwh, minutes)) in readings.into_iter().enumerate() {
                minute += minutes;
                let before = counter.counted_kwh;
                read(&mut counter, kwh, minute);
                prop_assert!(counter.counted_kwh >= before);
                prop_assert!(counter.counted_kwh <= MOST_KW * minute as f64 / 60.0 + SLACK_KWH * (n + 1) as f64);
            }
        }
    }
}
