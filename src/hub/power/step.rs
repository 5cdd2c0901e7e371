//! A load that jumps just before an inverter falls silent: perhaps the grid went, and the gateway with it. Pure.

use std::time::Duration;

use crate::model::Time;
use crate::model::power::Inverter;

/// A jump of fewer watts is a kettle.
const LEAST_W: f64 = 300.0;
/// And of a smaller part of the load.
const LEAST_PART: f64 = 0.3;
/// So long before the last answer it was at the same moment.
const SAME_MOMENT: Duration = Duration::from_secs(6);
/// What was heard last is told of a silence that is noticed within this.
const NOTICED: Duration = Duration::from_secs(60);

/// The load of one inverter, from one answer to the next.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct LoadStep {
    last: Option<(Time, f64)>,
    step: Option<(Time, f64, f64)>,
}

impl LoadStep {
    /// It was read anew, perhaps.
    pub(super) fn look(&mut self, known: &Inverter) {
        let load = known.flow.load_w;
        let (Some(at), Some(watts)) = (load.at, load.value.filter(|watts| watts.is_finite())) else { return };
        let Some((before, from)) = self.last.filter(|(before, _)| at > *before) else {
            self.last = self.last.or(Some((at, watts)));
            return;
        };
        let large = (watts - from).abs() >= LEAST_W.max(from.abs() * LEAST_PART);
        // What was not read for long has had all the time to change.
        if large && at.since(before) <= SAME_MOMENT * 2 {
            self.step = Some((at, from, watts));
        }
        self.last = Some((at, watts));
    }

    /// It falls silent now: what that may mean, where the load has jumped at the same moment. Never acted upon.
    pub(super) fn maybe_grid(&self, now: Time) -> Option<String> {
        let (heard, _) = self.last?;
        let (at, from, to) = self.step?;
        let together = heard.since(at) <= SAME_MOMENT && now.since(heard) <= NOTICED;
        together.then(|| format!("maybe the grid: just before, the load went from {from:.0} W to {to:.0} W"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::power::Reading;

    fn at(second: u64) -> Time {
        Time::from_millis(second * 1000)
    }

    fn seen(loads: &[(u64, f64)]) -> LoadStep {
        let mut step = LoadStep::default();
        for (second, watts) in loads {
            let mut known = Inverter::default();
            known.flow.load_w = Reading::new(*watts, at(*second), Duration::from_secs(1));
            step.look(&known);
            step.look(&known);
        }
        step
    }

    #[test]
    fn a_jump_at_the_moment_of_the_silence_is_told_and_no_other() {
        let steady = [(1, 1200.0), (2, 1250.0), (3, 1190.0)];
        assert_eq!(seen(&steady).maybe_grid(at(5)), None);
        let jump = [(1, 1200.0), (2, 1200.0), (3, 300.0)];
        let words = "maybe the grid: just before, the load went from 1200 W to 300 W";
        assert_eq!(seen(&jump).maybe_grid(at(8)).as_deref(), Some(words));
        assert_eq!(seen(&jump).maybe_grid(at(90)), None, "it is noticed long after");
        let early = [(1, 1200.0), (2, 300.0), (9, 310.0)];
        assert_eq!(seen(&early).maybe_grid(at(10)), None, "it went on for long");
        assert_eq!(seen(&[(1, 1200.0), (60, 300.0)]).maybe_grid(at(61)), None, "nobody saw what was between");
        assert_eq!(LoadStep::default().maybe_grid(at(1)), None);
    }
}
