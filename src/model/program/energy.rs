//! What a program takes: its time by what the machine does, and what it drew from sun, battery and grid.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::report::{Report, Times};
use crate::model::machine::Overrides;

/// A mean of less than this many seconds says nothing.
const LEAST_S: f64 = 10.0;
/// Other loads that go up and down hide what is less.
const LEAST_WH: f64 = 0.5;
const WH_PER_KWH: f64 = 1000.0;
const SECONDS_PER_HOUR: f64 = 3600.0;

/// What the machine does while it draws power.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// At feed, the spindle on.
    Cutting,
    /// At rapid, the spindle on.
    Crossing,
    /// It moves, the spindle off.
    Moving,
    /// It stands, the spindle on.
    Turning,
    /// It stands, the spindle off.
    Standing,
}

impl Phase {
    /// How many there are.
    pub const COUNT: usize = 5;
    /// All of them, in the order of [`PhaseTimes`] and [`RunEnergy::phases`].
    pub const ALL: [Self; Self::COUNT] = [Self::Cutting, Self::Crossing, Self::Moving, Self::Turning, Self::Standing];

    /// Its place among them.
    pub const fn index(self) -> usize {
        self as usize
    }

    /// Something of the machine moves or turns.
    pub const fn moves(self) -> bool {
        !matches!(self, Self::Standing)
    }

    /// In words.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Cutting => "cutting",
            Self::Crossing => "rapids",
            Self::Moving => "moving without spindle",
            Self::Turning => "spindle at a stand",
            Self::Standing => "standing",
        }
    }
}

/// A stretch of a program: seconds of each phase in it, in the order of [`Phase::ALL`].
pub type Stretch = [f32; Phase::COUNT];

/// Seconds of a program by what the machine does, and how they follow each other where that is known.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct PhaseTimes {
    all: [f64; Phase::COUNT],
    /// The part of [`Phase::Moving`] that is at rapid, from 0 to 1.
    moving_rapid: f64,
    /// One after the other; empty: nobody knows when what is done.
    course: Arc<Vec<Stretch>>,
}

impl PhaseTimes {
    /// Of a checked program.
    pub fn of(report: &Report) -> Self {
        Self { course: Arc::clone(&report.course), ..Self::split(&report.times, &report.spindle_on) }
    }

    /// From all its time, and the part of it in which the spindle is on.
    pub fn split(all: &Times, on: &Times) -> Self {
        let at_rapid = (all.rapid_s - on.rapid_s).max(0.0);
        let moving = (all.cutting_s - on.cutting_s).max(0.0) + at_rapid;
        let moving_rapid = if moving > 0.0 { at_rapid / moving } else { 0.0 };
        let all = [on.cutting_s, on.rapid_s, moving, on.dwell_s, (all.dwell_s - on.dwell_s).max(0.0)];
        Self { all, moving_rapid, course: Arc::default() }
    }

    /// The same, in these stretches.
    #[must_use]
    pub fn in_stretches(self, course: Vec<Stretch>) -> Self {
        Self { course: Arc::new(course), ..self }
    }

    /// Seconds in this phase.
    pub const fn seconds(&self, phase: Phase) -> f64 {
        self.all[phase.index()]
    }

    /// All of them, in seconds.
    pub fn total_s(&self) -> f64 {
        self.all.iter().sum()
    }

    /// When what is done is known, or makes no difference: one phase only.
    pub fn has_course(&self) -> bool {
        !self.course.is_empty() || self.all.iter().filter(|seconds| **seconds > 0.0).count() <= 1
    }

    /// Its stretches, one after the other; all of it as one where nobody knows more.
    pub fn stretches(&self) -> Vec<[f64; Phase::COUNT]> {
        if self.course.is_empty() {
            return vec![self.all];
        }
        self.course.iter().map(|stretch| stretch.map(f64::from)).collect()
    }

    /// What is left of it with so many seconds to go. Where nobody knows what the rest consists of, each phase has its share.
    #[must_use]
    pub fn lasting(&self, seconds: f64) -> Self {
        let total = self.total_s();
        if total <= 0.0 || seconds >= total {
            return self.clone();
        }
        let left = seconds.max(0.0);
        if self.course.is_empty() {
            return Self { all: self.all.map(|seconds| seconds * left / total), ..self.clone() };
        }
        let mut gone = total - left;
        let (mut all, mut course) = ([0.0; Phase::COUNT], Vec::new());
        for stretch in self.stretches() {
            let lasts: f64 = stretch.iter().sum();
            if lasts <= gone {
                gone -= lasts;
                continue;
            }
            let part = (lasts - gone) / lasts;
            gone = 0.0;
            let rest = stretch.map(|seconds| seconds * part);
            for (sum, seconds) in all.iter_mut().zip(rest) {
                *sum += seconds;
            }
            course.push(rest.map(|seconds| seconds as f32));
        }
        Self { all, course: Arc::new(course), ..*self }
    }

    /// What it takes with these overrides: what is at feed follows that of the feed, what is at rapid that of the rapids. That a
    /// machine may be at its own limit before is left out.
    #[must_use]
    pub fn with_overrides(&self, overrides: Option<Overrides>) -> Self {
        let Some(Overrides { feed, rapid, .. }) = overrides.filter(|set| (set.feed, set.rapid) != (100, 100)) else {
            return self.clone();
        };
        // Less than the least that any firmware takes is none that it has.
        let longer = |percent: u16| 100.0 / f64::from(percent.max(1));
        let (feed, rapid) = (longer(feed), longer(rapid));
        let moving = rapid * self.moving_rapid + feed * (1.0 - self.moving_rapid);
        let times: [f64; Phase::COUNT] = [feed, rapid, moving, 1.0, 1.0];
        let course = self.course.iter().map(|stretch| std::array::from_fn(|at| stretch[at] * times[at] as f32));
        let all = std::array::from_fn(|at| self.all[at] * times[at]);
        // At rapid it is another part of the longer time.
        let moving_rapid = self.moving_rapid * rapid / moving;
        Self { all, moving_rapid, course: Arc::new(course.collect()) }
    }
}

/// What was drawn in one phase.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Drawn {
    /// For so long, as far as it was measured.
    pub seconds: f64,
    /// So much.
    pub wh: f64,
}

impl Drawn {
    /// Both together.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self { seconds: self.seconds + other.seconds, wh: self.wh + other.wh }
    }

    /// The mean power. `None`: it was not measured for long enough to say one.
    pub fn watts(&self) -> Option<f64> {
        (self.seconds >= LEAST_S).then(|| (self.wh * SECONDS_PER_HOUR / self.seconds).max(0.0))
    }
}

/// The energy of one run: the load less what other loads drew before it. What was not known is no 0: its time is in
/// [`unknown_s`](Self::unknown_s), and its energy is in none of the numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct RunEnergy {
    /// What other loads drew before it, in watts. `None`: not known, so nothing can be said of the program alone.
    pub base_w: Option<f64>,
    /// How far they went up and down around that, in watts.
    pub base_spread_w: f64,
    /// By what the machine did, in the order of [`Phase::ALL`].
    pub phases: [Drawn; Phase::COUNT],
    /// From the sun.
    pub sun_wh: f64,
    /// Out of the battery.
    pub battery_wh: f64,
    /// From the grid.
    pub grid_wh: f64,
    /// From where is not known.
    pub unsplit_wh: f64,
    /// So many seconds were not measured: no inverter told what flows.
    pub unknown_s: f64,
}

impl RunEnergy {
    /// All that was measured.
    pub fn wh(&self) -> f64 {
        self.phases.iter().map(|drawn| drawn.wh).sum()
    }

    /// The same in kWh, never below 0.
    pub fn kwh(&self) -> f64 {
        self.wh().max(0.0) / WH_PER_KWH
    }

    /// For how long it was measured.
    pub fn known_s(&self) -> f64 {
        self.phases.iter().map(|drawn| drawn.seconds).sum()
    }

    /// Something was measured.
    pub fn is_known(&self) -> bool {
        self.known_s() > 0.0
    }

    /// In words: `0.42 kWh: sun 0.30, battery 0.12`. What is missing is said.
    pub fn words(&self) -> String {
        if !self.is_known() {
            return "not measured".to_owned();
        }
        let unknown = missing(self.unknown_s);
        if self.wh() < LEAST_WH && unknown.is_none() {
            return "less than could be measured".to_owned();
        }
        let least = if unknown.is_some() { "at least " } else { "" };
        let sources = [
            ("sun", self.sun_wh),
            ("battery", self.battery_wh),
            ("grid", self.grid_wh),
            ("source not known", self.unsplit_wh),
        ];
        let sources: Vec<String> = sources
            .iter()
            .filter(|(_, wh)| *wh >= 5.0 || *wh >= self.wh() / 100.0 && *wh > 0.0)
            .map(|(name, wh)| format!("{name} {}", kwh_number(*wh)))
            .collect();
        let of = if sources.is_empty() { String::new() } else { format!(": {}", sources.join(", ")) };
        let but = unknown.map_or_else(String::new, |time| format!("; {time} not measured"));
        format!("{least}{} kWh{of}{but}", kwh_number(self.wh()))
    }
}

/// Seconds that are worth a word: the second or two before the first value are not.
fn missing(seconds: f64) -> Option<String> {
    match seconds {
        ..5.0 => None,
        5.0..120.0 => Some(format!("{seconds:.0} s")),
        _ => Some(format!("{:.0} min", seconds / 60.0)),
    }
}

/// kWh as a number: two decimals, three where there is little.
fn kwh_number(wh: f64) -> String {
    let kwh = wh.max(0.0) / WH_PER_KWH;
    if kwh < 0.1 { format!("{kwh:.3}") } else { format!("{kwh:.2}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_split_by_spindle_and_motion() {
        let all = Times { cutting_s: 100.0, rapid_s: 20.0, dwell_s: 5.0 };
        let on = Times { cutting_s: 90.0, rapid_s: 12.0, dwell_s: 4.0 };
        let times = PhaseTimes::split(&all, &on);
        assert_eq!(Phase::ALL.map(|phase| times.seconds(phase)), [90.0, 12.0, 18.0, 4.0, 1.0]);
        assert_eq!(times.total_s(), all.total_s());
        assert_eq!(times.lasting(25.0).seconds(Phase::Cutting), 18.0);
        assert_eq!(PhaseTimes::default().lasting(25.0), PhaseTimes::default());
        assert!(!times.has_course() && PhaseTimes::default().has_course());
        for (place, phase) in Phase::ALL.into_iter().enumerate() {
            assert_eq!(phase.index(), place);
        }
    }

    #[test]
    fn what_is_left_is_its_end_where_that_is_known() {
        // Half a minute without the spindle, then a minute of cuts.
        let all = Times { cutting_s: 60.0, rapid_s: 30.0, dwell_s: 0.0 };
        let on = Times { cutting_s: 60.0, ..Times::default() };
        let (moving, cutting) = ([0.0, 0.0, 30.0, 0.0, 0.0], [60.0, 0.0, 0.0, 0.0, 0.0]);
        let known = PhaseTimes::split(&all, &on).in_stretches(vec![moving, cutting]);
        assert!(known.has_course());
        assert_eq!((known.lasting(90.0), known.lasting(900.0)), (known.clone(), known.clone()));
        let seconds = |times: PhaseTimes| [Phase::Cutting, Phase::Moving].map(|phase| times.seconds(phase));
        assert_eq!(seconds(known.lasting(75.0)), [60.0, 15.0]);
        assert_eq!(seconds(known.lasting(45.0)), [45.0, 0.0]);
        assert_eq!(known.lasting(45.0).stretches().len(), 1);
        assert_eq!(seconds(known.lasting(-1.0)), [0.0, 0.0]);
        // Nobody knows the order: each has its share.
        assert_eq!(seconds(PhaseTimes::split(&all, &on).lasting(45.0)), [30.0, 15.0]);
    }

    #[test]
    fn what_is_missing_is_said_and_never_0() {
        assert_eq!(RunEnergy { unknown_s: 300.0, ..RunEnergy::default() }.words(), "not measured");
        let mut energy = RunEnergy { sun_wh: 300.0, battery_wh: 120.0, ..RunEnergy::default() };
        energy.phases[0] = Drawn { seconds: 1800.0, wh: 420.0 };
        assert_eq!(energy.words(), "0.42 kWh: sun 0.30, battery 0.12");
        assert_eq!(energy.phases[0].watts(), Some(840.0));
        energy.unknown_s = 180.0;
        energy.unsplit_wh = 60.0;
        energy.phases[2] = Drawn { seconds: 9.0, wh: 60.0 };
        assert_eq!(
            energy.words(),
            "at least 0.48 kWh: sun 0.30, battery 0.12, source not known 0.060; 3 min not measured"
        );
        assert_eq!(energy.phases[2].watts(), None, "too short to say");
    }
}
