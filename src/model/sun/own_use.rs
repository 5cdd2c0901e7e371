//! What other loads drew in the last days: all loads, less what programs are known to have drawn. Pure.

use crate::model::power::Sample;
use crate::model::program::PastRun;

const QUARTER_MS: i64 = 15 * 60 * 1000;
const MS_PER_HOUR: f64 = 3_600_000.0;
/// A run of which more than this part was not measured says nothing of what it drew.
const MOST_UNKNOWN: f64 = 0.1;

/// A program that drew power once.
#[derive(Clone, Copy, Debug)]
struct Use {
    from_ms: i64,
    until_ms: i64,
    /// In the mean. `None`: it was not measured.
    watts: Option<f64>,
}

impl Use {
    /// `None`: it drew nothing.
    fn of(run: &PastRun, now_ms: i64) -> Option<Self> {
        let until_ms = run.ended_ms.unwrap_or(now_ms).max(run.started_ms);
        let hours = (until_ms - run.started_ms) as f64 / MS_PER_HOUR;
        let measured = run.energy.filter(|energy| {
            let (known, unknown) = (energy.known_s(), energy.unknown_s);
            energy.base_w.is_some() && hours > 0.0 && unknown <= MOST_UNKNOWN * (known + unknown)
        });
        let watts = measured.map(|energy| energy.wh().max(0.0) / hours);
        // What ran in check mode, or on the simulated machine without a simulated inverter beside it.
        let nothing = run.dry && run.ended_ms.is_some() && run.energy.is_none();
        (!nothing).then_some(Self { from_ms: run.started_ms, until_ms, watts })
    }

    /// The part of a quarter in which it ran, 0 to 1.
    fn part_of(&self, quarter_ms: i64) -> f64 {
        let overlap = self.until_ms.min(quarter_ms + QUARTER_MS) - self.from_ms.max(quarter_ms);
        overlap.max(0) as f64 / QUARTER_MS as f64
    }
}

/// Quarters of an hour with the loads less what these programs drew. A quarter in which one ran that was not measured tells
/// nothing of other loads: its load is not known. What the machine drew without a program stays in.
pub fn without_programs(samples: &[Sample], runs: &[PastRun], now_ms: i64) -> Vec<Sample> {
    let uses: Vec<Use> = runs.iter().filter_map(|run| Use::of(run, now_ms)).collect();
    let less = |sample: &Sample| -> Option<f32> {
        let load_w = f64::from(sample.load_w?);
        let parts = uses.iter().map(|used| (used.part_of(sample.at_ms), used.watts)).filter(|(part, _)| *part > 0.0);
        let own_w = parts.map(|(part, watts)| watts.map(|watts| watts * part)).sum::<Option<f64>>()?;
        Some((load_w - own_w).max(0.0) as f32)
    };
    samples.iter().map(|sample| Sample { load_w: less(sample), ..*sample }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::program::{Drawn, RunEnergy};

    const HOUR_MS: i64 = 3_600_000;

    /// It ran from this minute to that one.
    fn run(from: i64, until: i64, wh: Option<f64>) -> PastRun {
        let energy = wh.map(|wh| {
            let mut energy = RunEnergy { base_w: Some(300.0), ..RunEnergy::default() };
            energy.phases[0] = Drawn { seconds: (until - from) as f64 * 60.0, wh };
            energy
        });
        PastRun { started_ms: from * 60_000, ended_ms: Some(until * 60_000), energy, ..PastRun::default() }
    }

    fn loads(runs: &[PastRun]) -> Vec<Option<f32>> {
        let quarter = |n: i64| Sample { at_ms: n * QUARTER_MS, load_w: Some(1000.0), ..Sample::default() };
        let quarters: Vec<Sample> = (0..4).map(quarter).collect();
        without_programs(&quarters, runs, HOUR_MS).iter().map(|sample| sample.load_w).collect()
    }

    #[test]
    fn what_a_program_drew_is_no_other_load() {
        let all = Some(1000.0);
        assert_eq!(loads(&[]), [all; 4]);
        // 600 W from minute 15 to 37 and a half.
        let half = PastRun { ended_ms: Some(37 * 60_000 + 30_000), ..run(15, 37, Some(225.0)) };
        assert_eq!(loads(&[half]), [all, Some(400.0), Some(700.0), all]);
        // Two that share a quarter; and never below nothing.
        assert_eq!(loads(&[run(0, 5, Some(25.0)), run(5, 15, Some(100.0))]), [Some(500.0), all, all, all]);
        assert_eq!(loads(&[run(0, 15, Some(900.0))])[0], Some(0.0));
    }

    #[test]
    fn a_quarter_with_a_program_that_was_not_measured_says_nothing() {
        let all = Some(1000.0);
        assert_eq!(loads(&[run(16, 20, None)]), [all, None, all, all]);
        let mut partly = run(16, 20, Some(50.0));
        partly.energy.as_mut().unwrap().unknown_s = 60.0;
        assert_eq!(loads(&[partly])[1], None, "a fifth of it is not known");
        let no_base = PastRun { energy: Some(RunEnergy::default()), ..run(16, 20, None) };
        assert_eq!(loads(&[no_base])[1], None);
        // It runs still.
        let open = PastRun { ended_ms: None, ..run(31, 31, None) };
        assert_eq!(loads(&[open]), [all, all, None, None]);
        // Nothing was switched on in check mode.
        assert_eq!(loads(&[PastRun { dry: true, ..run(16, 20, None) }]), [all; 4]);
        let blind = [Sample { at_ms: 0, load_w: None, ..Sample::default() }];
        assert_eq!(without_programs(&blind, &[run(0, 15, Some(1.0))], HOUR_MS)[0].load_w, None);
    }
}
