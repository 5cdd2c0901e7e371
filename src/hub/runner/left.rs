//! How long a run takes from now on. Pure.

use std::time::Duration;

use crate::model::machine::Overrides;
use crate::model::program::{PhaseTimes, Report, Run, RunState};
use crate::model::time::Time;

/// Where a run is in the time of its program. It goes on with the time in which the run is not paused, faster or slower as the
/// overrides of feed and rapids say.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Place {
    /// Seconds of the program, as it was estimated without overrides.
    at_s: f64,
    /// For so long the run had run then.
    ran_for: Duration,
}

/// What is left, in seconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct LeftOver {
    /// Of the program, as it was estimated without overrides.
    pub(super) programmed_s: f64,
    /// With the present overrides.
    pub(super) remaining_s: f64,
}

impl Place {
    /// What is left by the estimate. The last line that was accepted says how far it can have come at most: it stands in the
    /// controller's queue, `queued` lines long. Within that, the time that has gone by says how far it is.
    pub(super) fn left(
        &mut self,
        report: &Report,
        run: &Run,
        queued: u64,
        overrides: Option<Overrides>,
        now: Time,
    ) -> LeftOver {
        if run.state == RunState::Done {
            return LeftOver { programmed_s: 0.0, remaining_s: 0.0 };
        }
        let total = report.times.total_s();
        let before = run.first_line.saturating_sub(1);
        let accepted = run.acked_line.max(before);
        let (begun, most) = (report.seconds_at(before), report.seconds_at(accepted));
        let least = report.seconds_at(accepted.saturating_sub(queued)).clamp(begun, most.max(begun));
        let most = most.max(least);
        let phases = PhaseTimes::of(report);
        let takes = |from_s: f64, to_s: f64| {
            let of = |left_s: f64| phases.lasting(left_s).with_overrides(overrides).total_s();
            of(total - from_s) - of(total - to_s)
        };
        let is_plain = overrides.is_none_or(|set| (set.feed, set.rapid) == (100, 100));
        let ran_for = run.ran_for(now);
        let gone = ran_for.saturating_sub(self.ran_for).as_secs_f64();
        let from = self.at_s.max(least);
        let behind = (most - from).max(0.0);
        // What lies in the queue goes by as fast as the overrides let it.
        let speed = if is_plain || behind <= 0.0 { 1.0 } else { behind / takes(from, most).max(f64::EPSILON) };
        *self = Self { at_s: (self.at_s.max(begun) + gone * speed).clamp(least, most), ran_for };
        let programmed = (total - self.at_s).max(0.0);
        let remaining = if is_plain { programmed } else { takes(self.at_s, total) };
        LeftOver { programmed_s: programmed.round(), remaining_s: remaining.round() }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::model::machine::Firmware;
    use crate::model::program::RunId;
    use crate::model::program::report::Times;
    use crate::program::estimate::EstimateModel;
    use crate::program::{Analysis, AnalysisConfig, Dialect};

    /// Lines 2 to 101 take a second each, line 102 an hour.
    fn report() -> Report {
        let (dialect, model) = (Dialect::new(Firmware::Grbl, 3), EstimateModel::default());
        let mut analysis = Analysis::new(AnalysisConfig { dialect, model });
        analysis.feed(b"G21 G90 G17 G94 G54\n");
        for _ in 0..100 {
            analysis.feed(b"G4 P1\n");
        }
        analysis.feed(b"G4 P3600\n");
        analysis.finish().0
    }

    fn left(first_line: u64, acked_line: u64, gone_s: u64, paused_s: u64) -> f64 {
        let begun = Time::from_millis(5000);
        let paused_for = Duration::from_secs(paused_s);
        let run = Run { acked_line, paused_for, ..Run::new(RunId(1), "part.nc".into(), first_line, begun) };
        let now = begun + Duration::from_secs(gone_s + paused_s);
        Place::default().left(&report(), &run, 16, None, now).remaining_s
    }

    #[test]
    fn the_time_that_has_gone_by_counts_within_what_lines_say() {
        assert_eq!(left(1, 0, 0, 0), 3700.0);
        // Sixteen lines are in the queue: it is somewhere among them.
        assert_eq!(left(1, 51, 40, 7), 3660.0);
        assert_eq!(left(1, 51, 10, 0), 3666.0, "at the first of them at least");
        assert_eq!(left(1, 51, 900, 0), 3650.0, "at the last of them at most");
        // A line of an hour is not over because it was accepted.
        assert_eq!(left(1, 102, 105, 0), 3595.0);
        // Begun in the middle.
        assert_eq!(left(52, 0, 0, 0), 3650.0);
        assert_eq!(left(52, 60, 5, 0), 3645.0);
    }

    /// A cut of a hundred seconds, a rapid of fifty, a dwell of ten, one after the other.
    fn mixed() -> Report {
        let stretches = vec![[100.0, 0.0, 0.0, 0.0, 0.0], [0.0, 50.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 10.0, 0.0]];
        let times = Times { cutting_s: 100.0, rapid_s: 50.0, dwell_s: 10.0 };
        let timeline = Arc::new(vec![(1, 100.0), (2, 150.0), (3, 160.0)]);
        Report { lines: 3, times, spindle_on: times, timeline, course: Arc::new(stretches), ..report() }
    }

    #[test]
    fn cuts_follow_the_feed_override_and_rapids_their_own() {
        let set = |feed, rapid| Some(Overrides { feed, rapid, spindle: 100 });
        let left = |acked_line, gone_s: u64, overrides| {
            let run = Run { acked_line, ..Run::new(RunId(1), "part.nc".into(), 1, Time::ZERO) };
            let now = Time::from_millis(gone_s * 1000);
            let left = Place::default().left(&mixed(), &run, 16, overrides, now);
            (left.programmed_s, left.remaining_s)
        };
        assert_eq!(left(0, 0, None), (160.0, 160.0));
        assert_eq!(left(0, 0, set(100, 100)), (160.0, 160.0));
        assert_eq!(left(0, 0, set(50, 100)), (160.0, 260.0), "twice as long for the cut");
        assert_eq!(left(0, 0, set(200, 25)), (160.0, 50.0 + 200.0 + 10.0), "the dwell is as long as it was");
        // In the first line: half as fast it has come half as far.
        assert_eq!(left(1, 60, set(50, 100)), (130.0, 2.0 * 70.0 + 50.0 + 10.0));
        assert_eq!(left(1, 60, set(100, 50)), (100.0, 40.0 + 100.0 + 10.0), "that line has no rapid");
    }

    #[test]
    fn a_change_of_the_override_sets_nothing_back_and_a_pause_goes_by_at_no_speed() {
        let mut place = Place::default();
        let mut run = Run { acked_line: 1, ..Run::new(RunId(1), "part.nc".into(), 1, Time::ZERO) };
        let mut left = |run: &Run, feed, at_s: u64| {
            let overrides = Some(Overrides { feed, rapid: 100, spindle: 100 });
            place.left(&mixed(), run, 16, overrides, Time::from_millis(at_s * 1000)).remaining_s
        };
        assert_eq!(left(&run, 100, 40), 60.0 + 60.0);
        assert_eq!(left(&run, 50, 40), 120.0 + 60.0, "what is done is done");
        assert_eq!(left(&run, 50, 60), 100.0 + 60.0);
        run.paused_since = Some(Time::from_millis(60_000));
        assert_eq!(left(&run, 50, 100), 100.0 + 60.0);
        (run.paused_since, run.paused_for) = (None, Duration::from_secs(40));
        assert_eq!(left(&run, 200, 110), 15.0 + 60.0, "ten seconds of twice the speed");
    }

    #[test]
    fn nothing_is_left_of_what_is_done() {
        let run = Run { state: RunState::Done, ..Run::new(RunId(1), "part.nc".into(), 1, Time::ZERO) };
        let left = Place::default().left(&report(), &run, 16, None, Time::ZERO);
        assert_eq!((left.programmed_s, left.remaining_s), (0.0, 0.0));
    }
}
