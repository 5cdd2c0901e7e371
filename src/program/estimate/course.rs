//! What a program does over its time, in a bounded number of stretches.

use crate::model::program::{Phase, Stretch};

/// Stretches at most; even, since they are merged in pairs.
const MOST: usize = 64;
/// How long the first stretches are, in seconds.
const FIRST_S: f64 = 1.0;
/// No one thing takes longer than that, whatever the file says: thirty years.
const LONGEST_S: f64 = 1e9;

/// Stretches of equal length, longer ones as the program grows.
#[derive(Clone, Debug)]
pub(super) struct Course {
    done: Vec<Stretch>,
    each_s: f64,
    open: [f64; Phase::COUNT],
    open_s: f64,
}

impl Default for Course {
    fn default() -> Self {
        Self { done: Vec::new(), each_s: FIRST_S, open: [0.0; Phase::COUNT], open_s: 0.0 }
    }
}

impl Course {
    /// This goes on for so long.
    #[inline]
    pub(super) fn add(&mut self, phase: Phase, seconds: f64) {
        if seconds.is_nan() || seconds <= 0.0 {
            return;
        }
        let mut left = seconds.min(LONGEST_S);
        while self.open_s + left >= self.each_s {
            let part = self.each_s - self.open_s;
            self.open[phase.index()] += part;
            left = (left - part).max(0.0);
            self.settle();
        }
        self.open[phase.index()] += left;
        self.open_s += left;
    }

    fn settle(&mut self) {
        self.done.push(std::mem::take(&mut self.open).map(|seconds| seconds as f32));
        self.open_s = 0.0;
        if self.done.len() >= MOST {
            let both = |pair: &[Stretch]| std::array::from_fn(|phase| pair.iter().map(|stretch| stretch[phase]).sum());
            self.done = self.done.chunks(2).map(both).collect();
            self.each_s *= 2.0;
        }
    }

    pub(super) fn finish(mut self) -> Vec<Stretch> {
        if self.open_s > 0.0 {
            self.done.push(self.open.map(|seconds| seconds as f32));
        }
        self.done
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stretches_keep_their_order_and_their_sums_and_are_few() {
        for scale in [0.01, 1.0, 77.0, 1e5] {
            let mut course = Course::default();
            course.add(Phase::Moving, 100.0 * scale);
            for _ in 0..1000 {
                course.add(Phase::Cutting, 0.4 * scale);
                course.add(Phase::Crossing, 0.1 * scale);
            }
            let stretches = course.finish();
            assert!(stretches.len() <= MOST, "{}", stretches.len());
            let sum = |phase: Phase| -> f32 { stretches.iter().map(|stretch| stretch[phase.index()]).sum() };
            for (phase, seconds) in [(Phase::Moving, 100.0), (Phase::Cutting, 400.0), (Phase::Crossing, 100.0)] {
                let ratio = f64::from(sum(phase)) / (seconds * scale);
                assert!((ratio - 1.0).abs() < 1e-3, "{scale} {phase:?}: {ratio}");
            }
            let first = stretches[0];
            assert!(first[Phase::Cutting.index()] == 0.0 || stretches.len() == 1, "{scale}: {first:?}");
        }
    }

    #[test]
    fn what_is_no_time_is_left_out_and_what_never_ends_does_not_hang() {
        let mut course = Course::default();
        for seconds in [f64::NAN, -1.0, 0.0] {
            course.add(Phase::Standing, seconds);
        }
        assert!(course.clone().finish().is_empty());
        course.add(Phase::Standing, f64::INFINITY);
        let all: f32 = course.finish().iter().map(|stretch| stretch[Phase::Standing.index()]).sum();
        assert!((f64::from(all) / LONGEST_S - 1.0).abs() < 1e-3, "{all}");
    }
}
