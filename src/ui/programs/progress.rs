//! How far a run is.

use std::time::Duration;

use crate::model::Time;
use crate::model::program::Run;

/// How long it has been running, pauses not counted.
pub fn elapsed(run: &Run, now: Time) -> Duration {
    let until = run.ended_at.or(run.paused_since).unwrap_or(now);
    until.since(run.started_at).saturating_sub(run.paused_for)
}

/// How long it has been paused in all.
pub fn paused(run: &Run, now: Time) -> Duration {
    run.paused_for + run.paused_since.map_or(Duration::ZERO, |since| run.ended_at.unwrap_or(now).since(since))
}

/// What part of it is done, 0 to 1: by time where there is an estimate, else by lines.
pub fn part(run: &Run, now: Time) -> Option<f64> {
    let gone = elapsed(run, now).as_secs_f64();
    match (run.remaining_s, run.lines) {
        (Some(left), _) if gone + left > 0.0 => Some(gone / (gone + left)),
        (_, Some(lines)) if lines > 0 => Some((run.acked_line as f64 / lines as f64).min(1.0)),
        _ => None,
    }
}

/// When the number of elapsed (or paused) seconds on the screen changes next.
pub fn next_second(run: &Run, now: Time) -> Option<Time> {
    if !run.state.is_open() {
        return None;
    }
    let shown = if run.paused_since.is_some() { paused(run, now) } else { elapsed(run, now) };
    // Whole seconds are shown rounded, so the text changes at the half.
    let half = Duration::from_millis(500);
    let into = Duration::from_nanos(u64::from((shown + half).subsec_nanos()));
    Some(now + Duration::from_secs(1).saturating_sub(into).max(Duration::from_micros(1)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::program::run::RunState;
    use crate::ui::programs::words::clock;
    use crate::ui::testing::programs::run;
    use crate::ui::testing::{NOW, ms};

    #[test]
    fn pauses_are_not_counted() {
        let mut run = run();
        run.started_at = NOW - ms(20_000);
        run.paused_for = ms(4000);
        assert_eq!(elapsed(&run, NOW), ms(16_000));
        (run.state, run.paused_since) = (RunState::Paused("hold".into()), Some(NOW - ms(6000)));
        assert_eq!((elapsed(&run, NOW), paused(&run, NOW)), (ms(10_000), ms(10_000)));
        run.remaining_s = Some(30.0);
        assert_eq!(part(&run, NOW), Some(0.25));
        run.remaining_s = None;
        (run.acked_line, run.lines) = (50, Some(200));
        assert_eq!(part(&run, NOW), Some(0.25));
    }

    #[test]
    fn the_seconds_change_when_it_says() {
        let mut run = run();
        run.started_at = NOW - ms(1234);
        let mut now = NOW;
        for _ in 0..5 {
            let due = next_second(&run, now).unwrap();
            let text = |at| clock(elapsed(&run, at).as_secs_f64());
            assert!(due > now);
            assert_eq!(text(due - Duration::from_micros(1)), text(now));
            assert_ne!(text(due), text(now));
            now = due;
        }
    }
}
