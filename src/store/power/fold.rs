//! From samples to the row of a longer time: means, energies, and for how long there was something. Pure.

use super::columns::{self, BATTERY, COUNT, GRID, LOAD, POWERS, PV, Values};
use crate::model::power::Sample;

/// A sample tells of the time until the next one, but of no longer than this: a gap is not known.
pub(super) const GAP_MS: i64 = 30_000;

/// How many energies there are.
pub(super) const ENERGIES: usize = 6;
/// Their columns, in the order of the tables.
pub(super) const ENERGY_NAMES: [&str; ENERGIES] = ["pv_e", "load_e", "import_e", "export_e", "charge_e", "discharge_e"];
/// The power that each of them is the sum of.
const OF: [usize; ENERGIES] = [PV, LOAD, GRID, GRID, BATTERY, BATTERY];

/// A time that is over.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Period {
    /// Its beginning.
    pub(super) at_ms: i64,
    /// For so many ms of it all powers are known that were known in it at all.
    pub(super) known_ms: i64,
    /// Means.
    pub(super) means: Values,
    /// In kWh, all ≥ 0.
    pub(super) energies: [Option<f64>; ENERGIES],
}

/// What a power of so many watts adds to each energy in the time: sun and load as they are, the others by their sign.
fn parts(n: usize, watts: f64) -> f64 {
    match n {
        2 | 5 => watts.max(0.0),
        3 | 4 => (-watts).max(0.0),
        _ => watts,
    }
}

/// Of samples in the order of their times, among them those shortly before and after. `None`: none tells of this time.
pub(super) fn of_samples(samples: &[Sample], from_ms: i64, until_ms: i64) -> Option<Period> {
    let mut period = Period { at_ms: from_ms, ..Period::default() };
    let (mut sums, mut times) = ([0.0; COUNT], [0_i64; COUNT]);
    let mut energies = [0.0; ENERGIES];
    for (n, sample) in samples.iter().enumerate() {
        let time = span(samples, n, from_ms, until_ms);
        if time <= 0 {
            continue;
        }
        let values = columns::values(sample);
        for column in 0..COUNT {
            let Some(value) = values[column] else { continue };
            sums[column] += value * time as f64;
            times[column] += time;
        }
        for (n, energy) in energies.iter_mut().enumerate() {
            *energy += values[OF[n]].map_or(0.0, |watts| parts(n, watts) * time as f64);
        }
    }
    for column in 0..COUNT {
        period.means[column] = (times[column] > 0).then(|| sums[column] / times[column] as f64);
    }
    for (n, energy) in energies.into_iter().enumerate() {
        period.energies[n] = (times[OF[n]] > 0).then_some(energy / 3.6e9);
    }
    period.known_ms = times[..POWERS].iter().copied().filter(|time| *time > 0).min().unwrap_or(0);
    times.iter().any(|time| *time > 0).then_some(period)
}

/// How long a sample tells of, within the time. The last one tells of as long as the one before it.
fn span(samples: &[Sample], n: usize, from_ms: i64, until_ms: i64) -> i64 {
    let at = samples[n].at_ms;
    let length = match (samples.get(n + 1), n.checked_sub(1)) {
        (Some(next), _) => next.at_ms - at,
        (None, Some(before)) => at - samples[before].at_ms,
        (None, None) => 0,
    };
    (at + length.clamp(0, GAP_MS)).min(until_ms) - at.max(from_ms)
}

/// Of shorter periods that lie within it. `None`: there are none.
pub(super) fn of_periods(periods: &[Period], at_ms: i64) -> Option<Period> {
    let mut whole = Period { at_ms, ..Period::default() };
    let (mut sums, mut weights) = ([0.0; COUNT], [0.0; COUNT]);
    for period in periods {
        whole.known_ms += period.known_ms;
        // One that knows no power still knows its voltages.
        let weight = period.known_ms.max(1) as f64;
        for column in 0..COUNT {
            let Some(mean) = period.means[column] else { continue };
            sums[column] += mean * weight;
            weights[column] += weight;
        }
        for (energy, part) in whole.energies.iter_mut().zip(period.energies) {
            *energy = part.map(|part| energy.unwrap_or(0.0) + part).or(*energy);
        }
    }
    for column in 0..COUNT {
        whole.means[column] = (weights[column] > 0.0).then(|| sums[column] / weights[column]);
    }
    (!periods.is_empty()).then_some(whole)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn sample(at_ms: i64, pv: Option<f32>, grid: Option<f32>) -> Sample {
        Sample { at_ms, pv_w: pv, grid_w: grid, ..Sample::default() }
    }

    #[test]
    fn what_goes_both_ways_is_counted_both_ways() {
        let samples: Vec<Sample> =
            (0..12).map(|n| sample(n * 5000, Some(1200.0), Some(if n < 6 { 600.0 } else { -1200.0 }))).collect();
        let period = of_samples(&samples, 0, 60_000).unwrap();
        assert_eq!((period.known_ms, period.means[PV], period.means[GRID]), (60_000, Some(1200.0), Some(-300.0)));
        assert_eq!(period.energies, [Some(0.02), None, Some(0.005), Some(0.01), None, None]);
        assert_eq!(period.means[LOAD], None, "never told: not 0");
    }

    #[test]
    fn a_gap_is_not_known_and_not_nothing() {
        let samples =
            [sample(0, Some(100.0), None), sample(5000, Some(100.0), None), sample(55_000, Some(400.0), None)];
        let period = of_samples(&samples, 0, 60_000).unwrap();
        assert_eq!(period.known_ms, 5000 + GAP_MS + 5000);
        let missing = [sample(0, Some(100.0), None), sample(30_000, None, None), sample(60_000, None, None)];
        let period = of_samples(&missing, 0, 60_000).unwrap();
        assert_eq!((period.known_ms, period.means[PV]), (30_000, Some(100.0)));
        assert_eq!(of_samples(&missing[1..], 0, 60_000), None);
        assert_eq!(of_samples(&[], 0, 60_000), None);
    }

    #[test]
    fn what_is_known_is_what_all_powers_that_are_told_are_known_for() {
        let samples = [
            sample(0, Some(100.0), Some(5.0)),
            sample(20_000, Some(100.0), None),
            sample(40_000, Some(100.0), Some(5.0)),
            sample(60_000, None, None),
        ];
        assert_eq!(of_samples(&samples, 0, 60_000).unwrap().known_ms, 40_000);
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        /// Wherever the minutes are cut: together they have the energy of the whole, and no time is known twice.
        #[test]
        fn energy_is_neither_lost_nor_made(
            steps in prop::collection::vec((1_i64..50_000, prop::option::of(-5000_f32..5000.0)), 1..80)
        ) {
            let mut at = 0;
            let mut samples = Vec::new();
            for (step, grid) in steps {
                samples.push(sample(at, Some(1000.0), grid));
                at += step;
            }
            let end = at / 60_000 * 60_000 + 120_000;
            let whole = of_samples(&samples, 0, end);
            let minutes: Vec<Period> =
                (0..end / 60_000).filter_map(|n| of_samples(&samples, n * 60_000, (n + 1) * 60_000)).collect();
            prop_assert!(minutes.iter().all(|minute| minute.known_ms <= 60_000));
            let together = of_periods(&minutes, 0);
            prop_assert_eq!(whole.is_some(), together.is_some());
            let (Some(whole), Some(together)) = (whole, together) else { return Ok(()) };
            for (a, b) in whole.energies.iter().zip(together.energies) {
                prop_assert_eq!(a.is_some(), b.is_some());
                prop_assert!((a.unwrap_or(0.0) - b.unwrap_or(0.0)).abs() < 1e-9);
            }
        }
    }
}
