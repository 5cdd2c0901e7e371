//! What the machine draws, as measured runs taught, and what a program will need.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::model::program::{Drawn, Phase, PhaseTimes, RunEnergy};

/// What was measured may be off by at least this part.
const LEAST_SPREAD: f64 = 0.1;
/// One run alone does not say how far runs differ.
const ONE_RUN_SPREAD: f64 = 0.25;
/// What was not measured may be off by this part.
const GUESS_SPREAD: f64 = 0.4;
/// A run in which the machine was seen to do something for fewer seconds teaches nothing.
const LEAST_RUN_S: f64 = 30.0;
const SECONDS_PER_HOUR: f64 = 3600.0;

/// What the machine draws, as measured runs taught.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Learned {
    /// By what the machine did, in the order of [`Phase::ALL`].
    pub phases: [Drawn; Phase::COUNT],
    /// Runs that taught it.
    pub runs: u32,
    /// The energy of single runs lies about this part of it around what all of them together say.
    pub spread: f64,
    /// How far other loads that went up and down may have led astray, in watts.
    pub noise_w: f64,
}

impl Learned {
    /// So many of the newest runs are learned from.
    pub const RUNS: usize = 20;

    /// From runs, newest first.
    pub fn of<'a>(runs: impl IntoIterator<Item = &'a RunEnergy>) -> Self {
        let taught = |run: &&RunEnergy| run.base_w.is_some() && moved_s(run) >= LEAST_RUN_S;
        let runs: Vec<&RunEnergy> = runs.into_iter().filter(taught).take(Self::RUNS).collect();
        let mut learned = Self { runs: runs.len() as u32, ..Self::default() };
        for run in &runs {
            for (sum, drawn) in learned.phases.iter_mut().zip(&run.phases) {
                *sum = sum.plus(*drawn);
            }
        }
        let count = runs.len().max(1) as f64;
        // The mean of many is led astray less than each of them.
        learned.noise_w = runs.iter().map(|run| run.base_spread_w).sum::<f64>() / count / count.sqrt();
        learned.spread = learned.scatter(&runs);
        learned
    }

    /// Watts in a phase. `None`: it was not measured for long enough.
    pub fn watts(&self, phase: Phase) -> Option<f64> {
        self.phases[phase.index()].watts()
    }

    /// The most that any phase draws, in watts.
    pub fn most_w(&self) -> Option<f64> {
        Phase::ALL.into_iter().filter_map(|phase| self.watts(phase)).reduce(f64::max)
    }

    /// How far single runs lie around what all of them together say, as a part of it. Long runs count more than short ones: of
    /// those a load that came and went makes up most.
    fn scatter(&self, runs: &[&RunEnergy]) -> f64 {
        let said = |run: &&&RunEnergy| -> f64 {
            Phase::ALL.iter().map(|phase| self.wh(*phase, run.phases[phase.index()].seconds)).sum()
        };
        let pairs: Vec<(f64, f64)> = runs.iter().map(|run| (said(&run), run.wh())).collect();
        let all = pairs.iter().map(|(said, _)| said.powi(2)).sum::<f64>();
        match pairs.len() {
            0 => 0.0,
            1 => ONE_RUN_SPREAD,
            // Phases that cancel each other say nothing of any.
            _ if all <= 0.0 => 1.0,
            _ => {
                let off = pairs.iter().map(|(said, wh)| (wh - said).powi(2)).sum::<f64>();
                (off / all).sqrt().clamp(LEAST_SPREAD, 1.0)
            }
        }
    }

    fn wh(&self, phase: Phase, seconds: f64) -> f64 {
        let drawn = self.phases[phase.index()];
        if drawn.seconds > 0.0 { drawn.wh * seconds / drawn.seconds } else { 0.0 }
    }
}

/// For how long the machine did something while it was measured.
fn moved_s(run: &RunEnergy) -> f64 {
    let moving = Phase::ALL.iter().filter(|phase| phase.moves());
    moving.map(|phase| run.phases[phase.index()].seconds).sum()
}

/// What a program will need.
#[derive(Clone, Debug, PartialEq)]
pub struct Need {
    /// So much.
    pub wh: f64,
    /// Give or take.
    pub spread_wh: f64,
    /// For so long.
    pub time: Duration,
    /// The most that it draws at a time, in watts.
    pub most_w: f64,
    /// What is assumed, in words.
    pub assumed: Vec<String>,
    /// When it needs how much, one after the other.
    pub course: Vec<Share>,
}

/// What a stretch of a program needs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Share {
    /// It lasts so many seconds.
    pub seconds: f64,
    /// Its part of all that the program needs, 0 to 1.
    pub part: f64,
}

/// Why nothing can be said, and what to do about it.
pub const NOTHING_MEASURED: &str = "what it needs is not known: no run was measured yet. machine.rated_w in config.toml \
                                    names the watts of spindle and machine until then";

impl Need {
    /// Of a program with these times. What was measured goes before `rated_w`, which a person names.
    ///
    /// # Errors
    /// [`NOTHING_MEASURED`].
    pub fn of(times: &PhaseTimes, learned: &Learned, rated_w: Option<f64>) -> Result<Self, &'static str> {
        // A phase that was never measured draws what a person says, or as much as the strongest that was.
        let guess = rated_w.or_else(|| learned.most_w()).ok_or(NOTHING_MEASURED)?;
        let mut need = Self {
            wh: 0.0,
            spread_wh: 0.0,
            time: Duration::from_secs_f64(times.total_s().clamp(0.0, 1e9)),
            most_w: 0.0,
            assumed: Vec::new(),
            course: Vec::new(),
        };
        let mut most_w = [0.0; Phase::COUNT];
        let (mut told, mut guessed) = (Vec::new(), Vec::new());
        for phase in Phase::ALL {
            let seconds = times.seconds(phase);
            if seconds <= 0.0 {
                continue;
            }
            let (watts, spread_w) = match learned.watts(phase) {
                Some(watts) => {
                    told.push(format!("{} {watts:.0} W", phase.words()));
                    (watts, watts * learned.spread + learned.noise_w)
                }
                None => {
                    guessed.push(phase.words());
                    (guess, guess * GUESS_SPREAD)
                }
            };
            let wh = watts * seconds / SECONDS_PER_HOUR;
            need.wh += wh;
            need.spread_wh += spread_w * seconds / SECONDS_PER_HOUR;
            need.most_w = need.most_w.max(watts);
            most_w[phase.index()] = watts + spread_w;
        }
        if !told.is_empty() {
            let runs = if learned.runs == 1 { "1 run".to_owned() } else { format!("{} runs", learned.runs) };
            need.assumed.push(format!("as measured in {runs}: {}", told.join(", ")));
        }
        if !guessed.is_empty() {
            let source = if rated_w.is_some() { "machine.rated_w" } else { "the most that was measured" };
            let never = if learned.runs == 0 { "no run was measured yet".to_owned() } else { never(&guessed) };
            need.assumed.push(format!("{never}: {guess:.0} W, {source}"));
        }
        if !times.has_course() {
            need.assumed.push("when in the program it is needed is not known: evenly".to_owned());
        }
        need.course = shares(times, &most_w);
        Ok(need)
    }

    /// The most that it may need.
    pub fn at_most_wh(&self) -> f64 {
        self.wh + self.spread_wh
    }

    /// What it draws in the mean, in watts.
    pub fn mean_w(&self) -> f64 {
        let hours = self.time.as_secs_f64() / SECONDS_PER_HOUR;
        if hours > 0.0 { self.wh / hours } else { 0.0 }
    }

    /// `1.4 kWh ± 0.3`, `180 Wh ± 20` or `45 Wh ± 6`.
    pub fn words(&self) -> String {
        if self.wh < 95.0 {
            return format!("{:.0} Wh ± {:.0}", self.wh, up(self.spread_wh));
        }
        if self.wh < 950.0 {
            return format!("{:.0} Wh ± {:.0}", (self.wh / 10.0).round() * 10.0, up(self.spread_wh / 10.0) * 10.0);
        }
        format!("{:.1} kWh ± {:.1}", self.wh / 1000.0, up(self.spread_wh / 100.0) / 10.0)
    }
}

/// Each stretch with its part, by what its phases draw at most.
fn shares(times: &PhaseTimes, watts: &[f64; Phase::COUNT]) -> Vec<Share> {
    let needs = |stretch: &[f64; Phase::COUNT]| -> f64 { stretch.iter().zip(watts).map(|(s, watts)| s * watts).sum() };
    let stretches = times.stretches();
    let all: f64 = stretches.iter().map(needs).sum();
    let even = 1.0 / stretches.len() as f64;
    let share = |stretch: &[f64; Phase::COUNT]| Share {
        seconds: stretch.iter().sum(),
        part: if all > 0.0 { needs(stretch) / all } else { even },
    };
    stretches.iter().map(share).collect()
}

/// Rounded up, but not for what arithmetic added on the way.
fn up(value: f64) -> f64 {
    (value - 1e-6).ceil().max(0.0)
}

fn never(phases: &[&str]) -> String {
    format!("never measured: {}", phases.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::program::report::Times;

    const HOUR: Times = Times { cutting_s: 3600.0, rapid_s: 0.0, dwell_s: 0.0 };

    fn hour() -> PhaseTimes {
        PhaseTimes::split(&HOUR, &HOUR)
    }

    /// A run that cut for a time at so many watts.
    fn run(seconds: f64, watts: f64) -> RunEnergy {
        let mut run = RunEnergy { base_w: Some(300.0), ..RunEnergy::default() };
        run.phases[Phase::Cutting.index()] = Drawn { seconds, wh: watts * seconds / 3600.0 };
        run
    }

    #[test]
    fn what_was_measured_goes_before_what_is_said_and_without_both_nothing_is_claimed() {
        assert_eq!(Need::of(&hour(), &Learned::default(), None), Err(NOTHING_MEASURED));
        let said = Need::of(&hour(), &Learned::default(), Some(1500.0)).unwrap();
        assert_eq!((said.wh, said.spread_wh, said.mean_w()), (1500.0, 600.0, 1500.0));
        assert_eq!(said.assumed, ["no run was measured yet: 1500 W, machine.rated_w"]);
        let learned = Learned::of(&[run(600.0, 2000.0)]);
        let measured = Need::of(&hour(), &learned, Some(1500.0)).unwrap();
        assert!((measured.wh - 2000.0).abs() < 1e-6 && (measured.spread_wh - 500.0).abs() < 1e-6, "{measured:?}");
        assert_eq!(measured.words(), "2.0 kWh ± 0.5");
        assert_eq!(measured.assumed, ["as measured in 1 run: cutting 2000 W"]);
    }

    #[test]
    fn runs_that_differ_widen_what_is_said_and_unmeasured_ones_teach_nothing() {
        let alike = Learned::of(&[run(600.0, 1000.0), run(1200.0, 1010.0)]);
        assert_eq!((alike.runs, alike.spread), (2, LEAST_SPREAD));
        let apart = Learned::of(&[run(600.0, 500.0), run(600.0, 1500.0)]);
        assert!(
            (apart.spread - 0.5).abs() < 1e-9 && apart.watts(Phase::Cutting).map(f64::round) == Some(1000.0),
            "{apart:?}"
        );
        let unknown = [RunEnergy { base_w: None, ..run(600.0, 9000.0) }, run(20.0, 9000.0), RunEnergy::default()];
        assert_eq!(Learned::of(&unknown), Learned::default());
        let many: Vec<RunEnergy> = (0..50).map(|n| run(60.0, if n < 20 { 100.0 } else { 9000.0 })).collect();
        assert_eq!(Learned::of(&many).watts(Phase::Cutting).map(f64::round), Some(100.0), "the newest teach");
    }

    #[test]
    fn short_runs_do_not_blow_up_what_long_ones_say() {
        // An hour at 1000 W, and half a minute in which a kettle was on that nobody knew of.
        let learned = Learned::of(&[run(3600.0, 1000.0), run(30.0, 3000.0)]);
        assert!(learned.spread < 0.12, "{learned:?}");
        // What stood for long and moved for a moment teaches nothing.
        let mut stood = run(20.0, 9000.0);
        stood.phases[Phase::Standing.index()] = Drawn { seconds: 3600.0, wh: -500.0 };
        assert_eq!(Learned::of(&[stood]), Learned::default());
        // Phases that cancel each other: what is said may be off by all of it, but by no more.
        let mut odd = run(600.0, 1000.0);
        odd.phases[Phase::Moving.index()] = Drawn { seconds: 600.0, wh: -1000.0 * 600.0 / 3600.0 };
        let learned = Learned::of(&[odd, run(60.0, -800.0), run(60.0, 1000.0)]);
        assert!(learned.spread <= 1.0, "{learned:?}");
        let need = Need::of(&hour(), &learned, None).unwrap();
        assert!(need.spread_wh <= need.wh.abs() + 1e-6, "{need:?}");
    }

    #[test]
    fn other_loads_that_go_up_and_down_widen_what_is_said() {
        let restless = RunEnergy { base_spread_w: 200.0, ..run(600.0, 0.0) };
        let one = Need::of(&hour(), &Learned::of(&[restless]), None).unwrap();
        assert_eq!(one.words(), "0 Wh ± 200");
        let four = Need::of(&hour(), &Learned::of(&[restless; 4]), None).unwrap();
        assert_eq!(four.spread_wh.round(), 100.0);
    }

    #[test]
    fn what_draws_more_needs_the_larger_part_of_the_energy_when_it_is_done() {
        let mut learned = Learned::of(&[run(600.0, 900.0)]);
        learned.phases[Phase::Moving.index()] = Drawn { seconds: 600.0, wh: 100.0 * 600.0 / 3600.0 };
        let all = Times { cutting_s: 1200.0, ..Times::default() };
        let on = Times { cutting_s: 600.0, ..Times::default() };
        let times = PhaseTimes::split(&all, &on);
        let even = Need::of(&times, &learned, None).unwrap();
        assert_eq!(even.course, [Share { seconds: 1200.0, part: 1.0 }]);
        assert!(even.assumed.last().unwrap().contains("evenly"), "{:?}", even.assumed);
        let times = times.in_stretches(vec![[0.0, 0.0, 600.0, 0.0, 0.0], [600.0, 0.0, 0.0, 0.0, 0.0]]);
        let need = Need::of(&times, &learned, None).unwrap();
        assert!(need.assumed.iter().all(|text| !text.contains("evenly")), "{:?}", need.assumed);
        let parts: Vec<f64> = need.course.iter().map(|share| (share.part * 10.0).round()).collect();
        assert_eq!((parts, need.course[0].seconds), (vec![1.0, 9.0], 600.0));
    }

    #[test]
    fn what_was_never_measured_is_guessed_and_said() {
        let learned = Learned::of(&[run(600.0, 800.0)]);
        let all = Times { cutting_s: 3600.0, rapid_s: 3600.0, dwell_s: 0.0 };
        let need = Need::of(&PhaseTimes::split(&all, &HOUR), &learned, None).unwrap();
        assert_eq!((need.wh.round(), need.most_w.round()), (1600.0, 800.0));
        assert_eq!(need.assumed[1], "never measured: moving without spindle: 800 W, the most that was measured");
        let small = Need::of(&hour().lasting(60.0), &learned, None).unwrap();
        assert_eq!(small.words(), "13 Wh ± 4");
        let middling = Need::of(&hour().lasting(800.0), &learned, None).unwrap();
        assert_eq!(middling.words(), "180 Wh ± 50");
    }
}
