//! What a program draws: the load less what other loads drew before it, split by where it came from. Pure.

use std::collections::VecDeque;
use std::time::Duration;

use crate::model::Time;
use crate::model::power::{Flow, Reading};
use crate::model::program::{Drawn, Phase, RunEnergy};
use crate::model::sun::{median, scatter};

/// The other loads are the median of this long before the program.
const BEFORE: Duration = Duration::from_secs(60);
/// Of so many samples at least, however rarely they come.
const FEWEST: usize = 5;
/// With fewer than that, nothing is said of other loads.
const ENOUGH: usize = 3;
/// What was read longer ago than that says nothing of now.
const OLDEST: Duration = Duration::from_secs(15 * 60);
/// Samples that are held at most: a minute of them, however often they come.
const MOST: usize = 240;
/// A value holds for so many of its periods, as everywhere; then nothing is known.
const HOLDS_PERIODS: u32 = 3;
/// The same for one whose period is not known.
const HOLDS: Duration = Duration::from_secs(15);
const SECONDS_PER_HOUR: f64 = 3600.0;

/// Measures the load: other loads before a program, then the program.
#[derive(Clone, Debug, Default)]
pub(super) struct Meter {
    before: VecDeque<(Time, f64)>,
    last: Option<Sampled>,
    run: Option<Running>,
}

/// What flowed at one moment.
#[derive(Clone, Copy, Debug)]
struct Sampled {
    at: Time,
    load_w: f64,
    /// Of sun, battery and grid. `None`: not known.
    shares: Option<[f64; 3]>,
    /// It is taken to be so for that long.
    holds: Duration,
}

impl Sampled {
    fn of(flow: &Flow, now: Time) -> Option<Self> {
        let load_w = finite(&flow.load_w, now)?;
        let holds = flow.load_w.period.map_or(HOLDS, |period| period.saturating_mul(HOLDS_PERIODS));
        Some(Self { at: flow.load_w.at?, load_w, shares: shares(flow, load_w, now), holds })
    }
}

/// A program that is measured.
#[derive(Clone, Debug)]
struct Running {
    /// It is counted up to here.
    upto: Time,
    phase: Phase,
    /// Since when it does that, or since when that was added below.
    phase_since: Time,
    /// Seconds of each phase since `upto`.
    step: [f64; Phase::COUNT],
    energy: RunEnergy,
}

impl Meter {
    /// A program begins.
    pub(super) fn begin(&mut self, phase: Phase, now: Time) {
        let young = self.before.iter().filter(|(at, _)| now.since(*at) <= OLDEST).map(|(_, watts)| *watts);
        let young: Vec<f64> = young.collect();
        let enough = young.len() >= ENOUGH;
        let base_spread_w = scatter(&young).filter(|_| enough).unwrap_or_default();
        let base_w = median(young).filter(|_| enough);
        let energy = RunEnergy { base_w, base_spread_w, ..RunEnergy::default() };
        self.run = Some(Running { upto: now, phase, phase_since: now, step: [0.0; Phase::COUNT], energy });
    }

    /// A program is measured.
    pub(super) const fn is_running(&self) -> bool {
        self.run.is_some()
    }

    /// The machine does this from now on.
    pub(super) fn doing(&mut self, phase: Phase, now: Time) {
        if let Some(run) = &mut self.run {
            run.pass(now);
            run.phase = phase;
        }
    }

    /// What the inverters measure now; `quiet`: the machine does nothing, so that this is what other loads draw.
    /// `true`: it is news of a program.
    pub(super) fn flow(&mut self, flow: &Flow, quiet: bool, now: Time) -> bool {
        let Some(sample) = Sampled::of(flow, now) else { return false };
        if self.last.is_some_and(|last| sample.at <= last.at) {
            return false;
        }
        let before = self.last.replace(sample);
        match &mut self.run {
            Some(run) => run.count(before, sample),
            None if quiet => self.hear(sample),
            None => {}
        }
        self.run.is_some()
    }

    fn hear(&mut self, sample: Sampled) {
        self.before.push_back((sample.at, sample.load_w));
        while self.before.len() > FEWEST
            && (self.before.len() > MOST || self.before.front().is_some_and(|(at, _)| sample.at.since(*at) > BEFORE))
        {
            self.before.pop_front();
        }
    }

    /// What the program has drawn so far. `None`: none is measured.
    pub(super) fn so_far(&self, now: Time) -> Option<RunEnergy> {
        let mut run = self.run.clone()?;
        run.close(self.last, now);
        Some(run.energy)
    }

    /// The program is over: what it drew.
    pub(super) fn end(&mut self, now: Time) -> Option<RunEnergy> {
        let energy = self.so_far(now);
        self.run = None;
        energy
    }
}

impl Running {
    fn pass(&mut self, now: Time) {
        self.step[self.phase.index()] += now.since(self.phase_since).as_secs_f64();
        self.phase_since = self.phase_since.max(now);
    }

    /// From one sample to the next, as the mean of both; what lies between two that are too far apart is not known.
    fn count(&mut self, before: Option<Sampled>, sample: Sampled) {
        let near = before.filter(|before| sample.at.since(before.at) <= sample.holds.max(before.holds));
        let both = near.map(|before| {
            let shares = before.shares.zip(sample.shares);
            let shares = shares.map(|(a, b)| std::array::from_fn(|n| f64::midpoint(a[n], b[n])));
            (f64::midpoint(before.load_w, sample.load_w), shares)
        });
        self.add(both, sample.at);
    }

    /// From the last sample to now, as if nothing had changed since; not for longer than it holds.
    fn close(&mut self, last: Option<Sampled>, now: Time) {
        let held = last.filter(|last| now.since(last.at) <= last.holds);
        self.add(held.map(|last| (last.load_w, last.shares)), now);
    }

    /// All this time the load was this, from these sources; `None`: not known.
    fn add(&mut self, was: Option<(f64, Option<[f64; 3]>)>, until: Time) {
        if until <= self.upto {
            return;
        }
        self.pass(until);
        let seconds = until.since(self.upto).as_secs_f64();
        self.upto = until;
        let step = std::mem::take(&mut self.step);
        let energy = &mut self.energy;
        let (Some((load_w, shares)), Some(base_w)) = (was, energy.base_w) else {
            energy.unknown_s += seconds;
            return;
        };
        // Less than before it began is counted too: other loads go up and down, and the mean of both is right.
        let wh = (load_w - base_w) * seconds / SECONDS_PER_HOUR;
        match shares {
            Some([sun, battery, grid]) => {
                energy.sun_wh += wh * sun;
                energy.battery_wh += wh * battery;
                energy.grid_wh += wh * grid;
            }
            None => energy.unsplit_wh += wh,
        }
        // Samples are rarer than moves: each phase has its share of the time between two.
        let all: f64 = step.iter().sum();
        for (place, drawn) in energy.phases.iter_mut().enumerate() {
            let here = if place == self.phase.index() { 1.0 } else { 0.0 };
            let part = if all > 0.0 { step[place] / all } else { here };
            *drawn = drawn.plus(Drawn { seconds: seconds * part, wh: wh * part });
        }
    }
}

/// Where the load comes from, as shares of 1: all loads have the same mixture. `None`: battery or grid are not known.
fn shares(flow: &Flow, load_w: f64, now: Time) -> Option<[f64; 3]> {
    let battery = finite(&flow.battery_w, now)?;
    let grid = finite(&flow.grid_w, now)?;
    // What is told of the strings may be of before their converter: what is left is the sun's.
    let sun = (load_w - battery - grid).max(0.0);
    let parts = [sun, battery.max(0.0), grid.max(0.0)];
    let all: f64 = parts.iter().sum();
    (all > 0.0).then(|| parts.map(|part| part / all))
}

fn finite(reading: &Reading<f64>, now: Time) -> Option<f64> {
    reading.fresh(now).filter(|value| value.is_finite())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn at(second: u64) -> Time {
        Time::from_millis(second * 1000)
    }

    fn flow(second: u64, load: f64, battery: f64, grid: f64) -> Flow {
        let reading = |value| Reading::new(value, at(second), SECOND);
        Flow { load_w: reading(load), battery_w: reading(battery), grid_w: reading(grid), ..Flow::default() }
    }

    /// A house that draws 300 W for a minute, then a program begins.
    fn begun() -> Meter {
        let mut meter = Meter::default();
        for second in 1..=60 {
            meter.flow(&flow(second, 300.0, 0.0, 0.0), true, at(second));
        }
        meter.begin(Phase::Cutting, at(60));
        meter
    }

    #[test]
    fn an_hour_of_cutting_is_counted_and_split() {
        let mut meter = begun();
        for second in 61..=3660 {
            // Half of it from the battery, the rest is sun.
            assert!(meter.flow(&flow(second, 2300.0, 1150.0, 0.0), false, at(second)));
        }
        let energy = meter.end(at(3660)).unwrap();
        // The mean of the first two samples is half of it.
        assert!((energy.wh() - (2000.0 - 1000.0 / 3600.0)).abs() < 1e-6, "{energy:?}");
        assert!((energy.battery_wh - 1000.0).abs() < 1.0 && (energy.sun_wh - 1000.0).abs() < 1.0, "{energy:?}");
        assert_eq!((energy.base_w, energy.grid_wh, energy.unknown_s), (Some(300.0), 0.0, 0.0));
        assert_eq!(energy.phases[0].seconds, 3600.0);
        assert_eq!(meter.end(at(3661)), None, "and no program no energy");
    }

    #[test]
    fn phases_share_the_time_between_two_samples() {
        let mut meter = begun();
        meter.flow(&flow(61, 1300.0, 0.0, 0.0), false, at(61));
        meter.doing(Phase::Crossing, at(62));
        meter.doing(Phase::Cutting, at(63));
        meter.flow(&flow(64, 1300.0, 0.0, 0.0), false, at(64));
        let energy = meter.end(at(64)).unwrap();
        let seconds = energy.phases.map(|drawn| drawn.seconds);
        assert_eq!(seconds, [3.0, 1.0, 0.0, 0.0, 0.0]);
        assert!((energy.phases[1].wh - 1000.0 / 3600.0).abs() < 1e-9, "{energy:?}");
    }

    #[test]
    fn a_gap_is_unknown_and_never_nothing() {
        let mut meter = begun();
        for second in [61, 62, 63, 100, 101] {
            meter.flow(&flow(second, 1300.0, 0.0, 1300.0), false, at(second));
        }
        // What is told again is no new sample.
        assert!(!meter.flow(&flow(101, 1300.0, 0.0, 1300.0), false, at(102)));
        let energy = meter.so_far(at(103)).unwrap();
        assert_eq!((energy.known_s(), energy.unknown_s), (6.0, 37.0));
        let energy = meter.end(at(160)).unwrap();
        assert_eq!((energy.known_s(), energy.unknown_s), (4.0, 96.0), "the last value does not hold that long");
    }

    #[test]
    fn what_is_old_is_not_taken_and_without_a_source_the_split_is_unknown() {
        let mut meter = begun();
        let old = flow(59, 9000.0, 0.0, 0.0);
        assert!(!meter.flow(&old, false, at(70)));
        let mut dark = flow(61, 1300.0, 0.0, 0.0);
        dark.grid_w = Reading::default();
        meter.flow(&dark, false, at(61));
        let energy = meter.end(at(62)).unwrap();
        assert!(energy.unsplit_wh > 0.0 && energy.unsplit_wh == energy.wh(), "{energy:?}");
    }

    #[test]
    fn without_a_minute_before_it_nothing_is_claimed() {
        let mut meter = Meter::default();
        meter.flow(&flow(1, 300.0, 0.0, 0.0), true, at(1));
        // The machine was at work: that is no other load.
        meter.flow(&flow(2, 2300.0, 0.0, 0.0), false, at(2));
        meter.begin(Phase::Standing, at(2));
        for second in 3..100 {
            meter.flow(&flow(second, 2000.0, 0.0, 0.0), false, at(second));
        }
        let energy = meter.end(at(99)).unwrap();
        assert_eq!((energy.base_w, energy.wh(), energy.unknown_s), (None, 0.0, 97.0));
        assert_eq!(energy.words(), "not measured");
    }

    #[test]
    fn the_other_loads_are_the_middle_of_the_last_minute() {
        let mut meter = Meter::default();
        for second in 1..=500 {
            let load = if second < 440 {
                3000.0
            } else if second % 10 == 0 {
                900.0
            } else {
                200.0
            };
            meter.flow(&flow(second, load, 0.0, 0.0), true, at(second));
        }
        assert!(meter.before.len() <= 61);
        meter.begin(Phase::Standing, at(500));
        let begun = meter.so_far(at(500)).unwrap();
        assert_eq!((begun.base_w, begun.base_spread_w), (Some(200.0), 0.0));
        // A day later nobody knows.
        let mut late = meter.clone();
        late.begin(Phase::Standing, at(90_000));
        assert_eq!(late.so_far(at(90_000)).unwrap().base_w, None);
    }

    /// What happens after some seconds.
    #[derive(Clone, Copy, Debug)]
    enum Beat {
        Flow(f64, f64, f64),
        Doing(usize),
        Nothing,
    }

    fn beat() -> impl Strategy<Value = (u64, Beat)> {
        let what = prop_oneof![
            4 => (0.0..6000.0_f64, -3000.0..5000.0_f64, -3000.0..5000.0_f64).prop_map(|(l, b, g)| Beat::Flow(l, b, g)),
            2 => (0..Phase::COUNT).prop_map(Beat::Doing),
            1 => Just(Beat::Nothing),
        ];
        (0..6_u64, what)
    }

    proptest! {
        /// Neither energy nor time is made or lost: the sources and the phases each make the whole, known and unknown the time.
        #[test]
        fn parts_make_the_whole(beats in prop::collection::vec(beat(), 1..80)) {
            let mut meter = begun();
            let mut second = 60;
            for (after, beat) in beats {
                second += after;
                match beat {
                    Beat::Flow(load, battery, grid) => {
                        meter.flow(&flow(second, load, battery, grid), false, at(second));
                    }
                    Beat::Doing(place) => meter.doing(Phase::ALL[place], at(second)),
                    Beat::Nothing => {}
                }
                let energy = meter.so_far(at(second)).unwrap();
                let sources = energy.sun_wh + energy.battery_wh + energy.grid_wh + energy.unsplit_wh;
                prop_assert!((sources - energy.wh()).abs() < 1e-6, "{:?}", energy);
                let time = energy.known_s() + energy.unknown_s;
                prop_assert!((time - (second - 60) as f64).abs() < 1e-6, "{:?}", energy);
            }
        }
    }
}
