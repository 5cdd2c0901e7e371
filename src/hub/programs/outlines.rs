//! The outline of a program as lines to run, and what stands against running them now.

use std::cmp::Reverse;
use std::sync::Arc;

use super::setup::Setup;
use super::shelf::Found;
use crate::model::axes::Axis;
use crate::model::machine::ModalState;
use crate::model::program::ask::{OutlineAsk, OutlinePlan};
use crate::model::program::{Report, Severity};
use crate::model::snapshot::{Machine, Snapshot};
use crate::model::work::safe_z_mm;
use crate::program::outline::{Lift, Outline, Shape};
use crate::program::{Analysis, AnalysisConfig, check};

/// Nobody wants to wait for the outline, and nobody wants to run after it: half of what the slower axis can, within these.
const FEEDS_MM_MIN: (f64, f64) = (100.0, 3000.0);
/// Where no rates are known.
const FEED_MM_MIN: f64 = 1000.0;
/// What a check says of lines that cut with the spindle off. Here it is meant to be off.
const MEANT: [&str; 3] = ["spindle-off", "speed-missing", "spindle-left-on"];

/// The lines to run for the outline of what `found` knows of a file.
///
/// # Errors
/// Why there is no outline, and what to do.
pub(super) fn plan(found: &Found, ask: OutlineAsk, snapshot: &Snapshot) -> Result<OutlinePlan, String> {
    let machine = &snapshot.machine;
    let shape = match (ask.hull, &found.path) {
        (false, _) => Shape::Rectangle,
        (true, Some(path)) => Shape::Hull(path),
        (true, None) => return Err("its picture is being made: wait a moment, or take the rectangle".to_owned()),
    };
    let lift = if ask.stays {
        Lift::Stays
    } else {
        match safe_z_mm(machine) {
            Ok(Some(z)) => Lift::Machine(z),
            Ok(None) => Lift::Stays,
            Err(why) => return Err(format!("{why}: home it, or leave Z at its height (h) and see that it is clear")),
        }
    };
    let unknown = ModalState::default();
    let modal = machine.modal.as_ref().unwrap_or(&unknown);
    let outline = Outline { shape, lift, feed_mm_min: feed(machine), modal };
    let lines = outline.lines(&found.report).map_err(|why| why.to_string())?;
    let report = report(&lines, snapshot);
    let mut problems = check::against(&report, machine, snapshot.at);
    problems.extend(report.problems.iter().cloned());
    problems.retain(|problem| problem.severity > Severity::Note);
    problems.sort_by_key(|problem| (Reverse(problem.severity), problem.line));
    Ok(OutlinePlan { hash: found.report.hash, lines, problems, seconds: report.times.total_s() })
}

/// The check of such lines.
pub(in crate::hub) fn report(lines: &[String], snapshot: &Snapshot) -> Arc<Report> {
    let Setup { dialect, model, .. } = Setup::of(snapshot);
    let mut analysis = Analysis::new(AnalysisConfig { dialect, model });
    for line in lines {
        analysis.feed(line.as_bytes());
        analysis.feed(b"\n");
    }
    let (mut report, _) = analysis.finish();
    let is_meant = |kind: &str| MEANT.contains(&kind);
    let count = |severity| {
        let all = report.problems.iter().filter(move |problem| problem.severity == severity);
        all.filter(|problem| is_meant(&problem.kind)).count() as u64
    };
    let (errors, warnings) = (count(Severity::Error), count(Severity::Warning));
    report.errors = report.errors.saturating_sub(errors);
    report.warnings = report.warnings.saturating_sub(warnings);
    report.problems.retain(|problem| !is_meant(&problem.kind));
    Arc::new(report)
}

fn feed(machine: &Machine) -> f64 {
    let rate = |axis| machine.limits.max_rate_mm_min.get(axis).filter(|rate| *rate > 0.0);
    let slower = rate(Axis::X).into_iter().chain(rate(Axis::Y)).reduce(f64::min);
    slower.map_or(FEED_MM_MIN, |rate| (rate / 2.0).clamp(FEEDS_MM_MIN.0, FEEDS_MM_MIN.1)).round()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::AxisSet;
    use crate::model::axes::AxisVec;
    use crate::model::machine::{Firmware, Identity, MachineState, StateKind};
    use crate::model::snapshot::LinkState;

    const PART: &[u8] = b"G21 G90 G17 G94 G54\nM3 S1000\nG0 X0 Y0 Z5\nG1 Z-1 F300\nX40\nY20\nX0 Y0\nG0 Z5\nM30\n";

    /// An idle router of 300 x 200 x 80 mm, homed, its work zero at 100, 50, -20.
    fn snapshot() -> Snapshot {
        let mut snapshot = Snapshot::default();
        let machine = &mut snapshot.machine;
        machine.link.state = LinkState::Up;
        machine.identity = Some(Identity {
            firmware: Firmware::FluidNc,
            version: "v4".into(),
            name: None,
            options: String::new(),
            planner_blocks: None,
            rx_bytes: None,
            axes: Some(3),
        });
        machine.state = Some(MachineState::plain(StateKind::Idle));
        machine.reported_at = Some(snapshot.at);
        machine.machine_position = Some(AxisVec::from_slice(&[0.0, 0.0, -30.0]));
        machine.work_offset = Some(AxisVec::from_slice(&[100.0, 50.0, -20.0]));
        machine.homed = AxisSet::first(3);
        machine.modal = Some(ModalState { words: ["G54", "G21", "G90", "G94"].map(str::to_owned).to_vec() });
        machine.limits.homing = Some(true);
        machine.limits.told_range[..3].copy_from_slice(&[Some((0.0, 300.0)), Some((0.0, 200.0)), Some((-80.0, 0.0))]);
        machine.limits.max_rate_mm_min = AxisVec::from_slice(&[3000.0, 2400.0, 600.0]);
        snapshot
    }

    fn found() -> Found {
        let Setup { dialect, model, .. } = Setup::of(&snapshot());
        let mut analysis = Analysis::new(AnalysisConfig { dialect, model });
        analysis.feed(PART);
        let (report, path) = analysis.finish();
        Found { report: Arc::new(report), path: Some(Arc::new(path)) }
    }

    #[test]
    fn it_goes_round_at_a_safe_height_and_half_the_rate() {
        let ask = OutlineAsk::default();
        let made = plan(&found(), ask, &snapshot()).unwrap();
        assert_eq!(made.lines[..4], ["M5", "G21 G90 G94 G54", "G53 G0 Z-5", "G1 X0 Y0 F1200"], "{:?}", made.lines);
        assert!(made.problems.is_empty() && made.seconds > 1.0, "{:?}", made.problems);
        let hull = plan(&found(), OutlineAsk { hull: true, ..ask }, &snapshot()).unwrap();
        let corners = |made: &OutlinePlan| made.lines.iter().filter(|line| line.starts_with("G1")).count();
        assert_eq!((corners(&made), corners(&hull)), (5, 4), "a triangle has a corner less: {:?}", hull.lines);
        let stays = plan(&found(), OutlineAsk { stays: true, ..ask }, &snapshot()).unwrap();
        assert!(stays.lines.iter().all(|line| !line.contains('Z')));
    }

    #[test]
    fn what_stands_against_it_is_said() {
        let mut lost = snapshot();
        lost.machine.homed = AxisSet::EMPTY;
        let why = plan(&found(), OutlineAsk::default(), &lost).unwrap_err();
        assert!(why.contains("Z is not homed") && why.contains("leave Z"), "{why}");
        let stays = plan(&found(), OutlineAsk { stays: true, hull: false }, &lost).unwrap();
        assert!(stays.problems.iter().any(|problem| problem.kind == "not-homed"), "{:?}", stays.problems);
        let mut far = snapshot();
        far.machine.work_offset = Some(AxisVec::from_slice(&[280.0, 50.0, -20.0]));
        let outside = plan(&found(), OutlineAsk::default(), &far).unwrap();
        assert!(
            outside.problems[0].severity == Severity::Error && outside.problems[0].text.contains('X'),
            "{outside:?}"
        );
        let bare = Found { path: None, ..found() };
        assert!(plan(&bare, OutlineAsk { hull: true, stays: false }, &snapshot()).unwrap_err().contains("rectangle"));
    }
}
