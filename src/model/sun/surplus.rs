//! A program that a person has marked to be started when the sun allows. Pure; time comes in as an argument.
//!
//! ```text
//!  waits ──enough and ready──▶ gathers ──for long enough──▶ counts down ──to its end──▶ starts ──▶ spent
//!    ▲ ◀── not enough, not known, not ready, not looked at ──┘ ◀───────┘    from each: cancelled, lost ─▶ spent
//! ```
//!
//! It begins at what the program needs and a margin above, and goes on as long as there is what the program needs. One mark is
//! one start: what is spent never starts anything again.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::model::Time;
use crate::model::quantity::number;

/// Not looked at for longer than this, nobody knows what was in between.
const LONGEST_GAP: Duration = Duration::from_secs(5);

/// How much sun for how long.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct StartRules {
    /// Watts that the program needs.
    pub need_w: f64,
    /// Watts above that, to begin with.
    pub margin_w: f64,
    /// How long there has to be enough.
    pub lasts: Duration,
    /// How long everybody is told before it starts.
    pub countdown: Duration,
}

/// How far it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StartPhase {
    /// There is not enough, or something is in the way.
    #[default]
    Waits,
    /// There is enough since then.
    Gathers {
        /// Since when.
        since: Time,
    },
    /// It starts then, unless somebody cancels it.
    Counts {
        /// When.
        until: Time,
    },
    /// Its file is read and its first line made ready: until one has gone out it can be cancelled.
    Starts,
    /// It was started, cancelled or lost.
    Spent,
}

/// What is seen at one moment.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SunSeen<'a> {
    /// Watts of the sun beyond all loads; or why that is not known.
    pub surplus_w: Result<f64, &'a str>,
    /// In words why it counts as enough although no surplus shows: the battery.
    pub full: Option<&'a str>,
    /// What is in the way of a start, apart from the sun.
    pub in_the_way: Option<&'a str>,
}

/// What follows from a look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StartStep {
    /// Nothing.
    Stay,
    /// There was enough for long enough: everybody is told now.
    CountdownBegins,
    /// Something came in between.
    CountdownBroken,
    /// It is started now. Said once.
    Start,
}

/// A mark, and how it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct SunWait {
    rules: StartRules,
    phase: StartPhase,
    /// Why it stands so, in words.
    why: String,
    looked: Option<Time>,
}

impl SunWait {
    /// A mark that was just made.
    pub fn new(rules: StartRules) -> Self {
        Self { rules, phase: StartPhase::Waits, why: "nothing was looked at yet".to_owned(), looked: None }
    }

    /// How far it is.
    pub const fn phase(&self) -> StartPhase {
        self.phase
    }

    /// Why it stands so, in words.
    pub fn why(&self) -> &str {
        &self.why
    }

    /// It never starts anything any more.
    pub fn spend(&mut self, why: impl Into<String>) {
        (self.phase, self.why) = (StartPhase::Spent, why.into());
    }

    /// Another one goes before it: it begins anew when its turn has come.
    pub fn step_back(&mut self, why: impl Into<String>) {
        (self.phase, self.why, self.looked) = (StartPhase::Waits, why.into(), None);
    }

    /// Looks again.
    pub fn look(&mut self, now: Time, seen: SunSeen<'_>) -> StartStep {
        if matches!(self.phase, StartPhase::Starts | StartPhase::Spent) {
            return StartStep::Stay;
        }
        let gap = self.looked.replace(now).is_some_and(|last| now.since(last) > LONGEST_GAP);
        let counted = matches!(self.phase, StartPhase::Counts { .. });
        let enough = if gap { Err("it was not looked at for a while".to_owned()) } else { self.enough(seen) };
        if let Err(why) = enough {
            (self.phase, self.why) = (StartPhase::Waits, why);
            return if counted { StartStep::CountdownBroken } else { StartStep::Stay };
        }
        self.why = match seen.surplus_w {
            Ok(surplus) if surplus.is_finite() => {
                format!("surplus {}, {} needed", watts(surplus), watts(self.rules.need_w))
            }
            _ => seen.full.unwrap_or("the battery is full").to_owned(),
        };
        match self.phase {
            StartPhase::Waits => {
                self.phase = StartPhase::Gathers { since: now };
                self.tell_progress(Duration::ZERO);
            }
            StartPhase::Gathers { since } if now.since(since) >= self.rules.lasts => {
                self.phase = StartPhase::Counts { until: now + self.rules.countdown };
                return StartStep::CountdownBegins;
            }
            StartPhase::Counts { until } if now >= until => {
                self.phase = StartPhase::Starts;
                return StartStep::Start;
            }
            StartPhase::Gathers { since } => self.tell_progress(now.since(since)),
            StartPhase::Counts { .. } | StartPhase::Starts | StartPhase::Spent => {}
        }
        StartStep::Stay
    }

    /// How much of the time that is asked for is behind it.
    fn tell_progress(&mut self, gone: Duration) {
        let (gone, lasts) = (gone.as_secs(), self.rules.lasts.as_secs());
        let behind = match lasts {
            0..120 => format!("; {gone} of {lasts} s"),
            _ => format!("; {} of {} min", gone / 60, lasts / 60),
        };
        self.why.push_str(&behind);
    }

    /// There is enough, and nothing is in the way.
    fn enough(&self, seen: SunSeen<'_>) -> Result<(), String> {
        let surplus = seen.surplus_w.map_err(|why| format!("the surplus is not known: {why}"))?;
        let margin = if self.phase == StartPhase::Waits { self.rules.margin_w } else { 0.0 };
        let wanted = self.rules.need_w + margin;
        if surplus.is_nan() || surplus < wanted {
            return Err(format!("surplus {} of {} needed", watts(surplus), watts(wanted)));
        }
        seen.in_the_way.map_or(Ok(()), |why| Err(why.to_owned()))
    }
}

/// To ten watts: what flickers is no news.
fn watts(value: f64) -> String {
    format!("{} W", number((value / 10.0).round() * 10.0))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const RULES: StartRules = StartRules {
        need_w: 1000.0,
        margin_w: 200.0,
        lasts: Duration::from_secs(600),
        countdown: Duration::from_secs(60),
    };

    fn seen(surplus: f64) -> SunSeen<'static> {
        SunSeen { surplus_w: Ok(surplus), full: None, in_the_way: None }
    }

    /// Looks once a second for so many seconds; the last step that was one.
    fn pass(wait: &mut SunWait, now: &mut Time, seconds: u64, seen: SunSeen<'_>) -> StartStep {
        let mut last = StartStep::Stay;
        for _ in 0..seconds {
            *now += Duration::from_secs(1);
            let step = wait.look(*now, seen);
            last = if step == StartStep::Stay { last } else { step };
        }
        last
    }

    #[test]
    fn enough_for_long_enough_counts_down_and_starts_once() {
        let (mut wait, mut now) = (SunWait::new(RULES), Time::ZERO);
        assert_eq!(pass(&mut wait, &mut now, 600, seen(1500.0)), StartStep::Stay);
        assert_eq!(pass(&mut wait, &mut now, 1, seen(1500.0)), StartStep::CountdownBegins);
        assert_eq!(pass(&mut wait, &mut now, 59, seen(1500.0)), StartStep::Stay);
        assert_eq!(pass(&mut wait, &mut now, 1, seen(1500.0)), StartStep::Start);
        assert_eq!(wait.phase(), StartPhase::Starts, "it can be cancelled still");
        assert_eq!(pass(&mut wait, &mut now, 5000, seen(9000.0)), StartStep::Stay, "one mark is one start");
    }

    #[test]
    fn it_says_how_far_it_is_and_when_a_battery_counts_as_full() {
        let (mut wait, mut now) = (SunWait::new(RULES), Time::ZERO);
        pass(&mut wait, &mut now, 242, seen(1520.0));
        assert_eq!(wait.why(), "surplus 1520 W, 1000 W needed; 4 of 10 min");
        let full = SunSeen { full: Some("battery at 68 %, counts as full from 50 %"), ..seen(f64::INFINITY) };
        pass(&mut wait, &mut now, 60, full);
        assert_eq!(wait.why(), "battery at 68 %, counts as full from 50 %; 5 of 10 min");
        pass(&mut wait, &mut now, 300, full);
        assert_eq!(wait.why(), "battery at 68 %, counts as full from 50 %", "it counts down");
    }

    #[test]
    fn it_begins_above_the_margin_and_goes_on_below_it() {
        let (mut wait, mut now) = (SunWait::new(RULES), Time::ZERO);
        pass(&mut wait, &mut now, 10, seen(1199.0));
        assert_eq!((wait.phase(), wait.why()), (StartPhase::Waits, "surplus 1200 W of 1200 W needed"));
        pass(&mut wait, &mut now, 1, seen(1200.0));
        assert_eq!(pass(&mut wait, &mut now, 600, seen(1000.0)), StartStep::CountdownBegins);
        assert_eq!(pass(&mut wait, &mut now, 1, seen(999.0)), StartStep::CountdownBroken);
        // Anew, from the margin on.
        assert_eq!(pass(&mut wait, &mut now, 1000, seen(1100.0)), StartStep::Stay);
    }

    #[test]
    fn what_is_not_known_or_not_ready_or_not_looked_at_begins_anew() {
        type Trouble = (&'static str, fn(&mut SunWait, &mut Time));
        let trouble: [Trouble; 4] = [
            ("not known", |wait, now| {
                pass(wait, now, 1, SunSeen { surplus_w: Err("12 s old"), full: None, in_the_way: None });
            }),
            ("door", |wait, now| {
                pass(wait, now, 1, SunSeen { in_the_way: Some("the door is open"), ..seen(5000.0) });
            }),
            ("while", |wait, now| {
                *now += Duration::from_secs(700);
                wait.look(*now, seen(5000.0));
            }),
            ("NaN", |wait, now| {
                pass(wait, now, 1, seen(f64::NAN));
            }),
        ];
        for (word, trouble) in trouble {
            let (mut wait, mut now) = (SunWait::new(RULES), Time::ZERO);
            pass(&mut wait, &mut now, 599, seen(5000.0));
            trouble(&mut wait, &mut now);
            assert!(wait.phase() == StartPhase::Waits && wait.why().contains(word), "{word}: {wait:?}");
            assert_eq!(pass(&mut wait, &mut now, 600, seen(5000.0)), StartStep::Stay, "{word}");
        }
    }

    #[test]
    fn what_was_cancelled_starts_nothing() {
        let (mut wait, mut now) = (SunWait::new(RULES), Time::ZERO);
        pass(&mut wait, &mut now, 630, seen(5000.0));
        assert!(matches!(wait.phase(), StartPhase::Counts { .. }));
        wait.spend("cancelled");
        assert_eq!(pass(&mut wait, &mut now, 5000, seen(5000.0)), StartStep::Stay);
        assert_eq!((wait.phase(), wait.why()), (StartPhase::Spent, "cancelled"));
    }

    #[derive(Clone, Copy, Debug)]
    enum Beat {
        Surplus(u16),
        Unknown,
        Blocked,
        Gap,
    }

    fn beat() -> impl Strategy<Value = Beat> {
        prop_oneof![
            40 => (900..2000_u16).prop_map(Beat::Surplus),
            1 => Just(Beat::Unknown),
            1 => Just(Beat::Blocked),
            1 => Just(Beat::Gap),
        ]
    }

    proptest! {
        /// A start has behind it an unbroken time of known, sufficient sun on a machine that was ready, as long as was asked for,
        /// and there is one at most.
        #[test]
        fn a_start_stands_on_an_unbroken_time_of_sun(
            beats in prop::collection::vec((beat(), 1..4_u64), 1..400),
            lasts in 1..60_u64,
            countdown in 1..30_u64,
        ) {
            let rules = StartRules {
                lasts: Duration::from_secs(lasts),
                countdown: Duration::from_secs(countdown),
                ..RULES
            };
            let (mut wait, mut now, mut good_since, mut starts) = (SunWait::new(rules), Time::ZERO, None::<Time>, 0);
            wait.look(now, seen(0.0));
            for (beat, seconds) in beats {
                now += Duration::from_secs(if matches!(beat, Beat::Gap) { 6 } else { seconds });
                let look = match beat {
                    Beat::Surplus(watts) => seen(f64::from(watts)),
                    Beat::Gap => seen(2000.0),
                    Beat::Unknown => SunSeen { surplus_w: Err("?"), full: None, in_the_way: None },
                    Beat::Blocked => SunSeen { in_the_way: Some("!"), ..seen(2000.0) },
                };
                let good = matches!(beat, Beat::Surplus(watts) if watts >= 1000);
                good_since = if good { good_since.or(Some(now)) } else { None };
                if wait.look(now, look) == StartStep::Start {
                    starts += 1;
                    let unbroken = good_since.map(|since| now.since(since));
                    prop_assert!(unbroken >= Some(rules.lasts + rules.countdown), "{unbroken:?}");
                }
            }
            prop_assert!(starts <= 1);
        }
    }
}
