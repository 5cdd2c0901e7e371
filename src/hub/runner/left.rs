//! How long a run takes from now on. Pure.

use crate::model::program::{Report, Run, RunState};
use crate::model::time::Time;

/// Seconds that are left by the estimate. The last line that was accepted says how far it can have come at most: it stands in
/// the controller's queue, `queued` lines long. Within that, the time that has gone by says how far it is.
pub(super) fn seconds(report: &Report, run: &Run, queued: u64, now: Time) -> f64 {
    if run.state == RunState::Done {
        return 0.0;
    }
    let before = run.first_line.saturating_sub(1);
    let accepted = run.acked_line.max(before);
    let (begun, most) = (report.seconds_at(before), report.seconds_at(accepted));
    let least = report.seconds_at(accepted.saturating_sub(queued)).clamp(begun, most.max(begun));
    let until = run.ended_at.or(run.paused_since).unwrap_or(now);
    let gone = until.since(run.started_at).saturating_sub(run.paused_for);
    let at = (begun + gone.as_secs_f64()).clamp(least, most.max(least));
    (report.times.total_s() - at).max(0.0).round()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::model::machine::Firmware;
    use crate::model::program::RunId;
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
        seconds(&report(), &run, 16, begun + Duration::from_secs(gone_s + paused_s))
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

    #[test]
    fn nothing_is_left_of_what_is_done() {
        let run = Run { state: RunState::Done, ..Run::new(RunId(1), "part.nc".into(), 1, Time::ZERO) };
        assert_eq!(seconds(&report(), &run, 16, Time::ZERO), 0.0);
    }
}
