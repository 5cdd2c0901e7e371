//! Programs for the scenes: a folder, a checked file, a run, what was interrupted.

use std::path::PathBuf;
use std::sync::Arc;

use super::{NOW, Scene, idle, in_state, ms};
use crate::model::desk::Answer;
use crate::model::machine::MachineState;
use crate::model::program::ask::{Details, Preamble};
use crate::model::program::report::{FileUnits, Times, Wait, WaitFor};
use crate::model::program::run::{Interrupted, Run, RunState};
use crate::model::program::toolpath::{Corner, Level, Reached, Toolpath};
use crate::model::program::{
    ContentHash, Entry, Frame, OnLinkLoss, PastRun, PhaseTimes, Problem, ProgramAnswer, Reach, Report, RunEnd, RunId,
    Severity,
};
use crate::model::snapshot::Snapshot;
use crate::model::{AxisSet, StateKind};
use crate::ui::state::{Effect, Event, Tab};

/// 2026-11-20 14:03 UTC.
pub(crate) const UNIX_MS: i64 = 1_795_183_380_000;

pub(crate) fn file(name: &str) -> PathBuf {
    PathBuf::from("/srv/gcode").join(name)
}

pub(crate) fn entries() -> Vec<Entry> {
    let entry = |name: &str, is_folder, bytes, age_min: i64| Entry {
        path: file(name),
        name: name.into(),
        is_folder,
        bytes,
        modified_ms: UNIX_MS - age_min * 60_000,
    };
    vec![
        entry("jobs 2025", true, 0, 600_000),
        entry("plate.nc", false, 184_320, 3),
        entry("drill pattern.gcode", false, 2_048, 90),
        entry("relief of the valley, roughing with a 6 mm ball nose.nc", false, 148_000_000, 4000),
    ]
}

/// A problem, with its line.
pub(crate) fn problem(severity: Severity, line: u64, kind: &str, text: &str, remedy: &str) -> Problem {
    Problem { severity, line, kind: kind.into(), text: text.into(), remedy: remedy.into() }
}

/// A plate with a round end, as it is drawn.
fn path() -> Toolpath {
    let mut corners = vec![Corner::new([0.0, 0.0, 5.0], 1, Reached::Jump)];
    for (n, (x, y, z, reached)) in [
        (10.0, 10.0, 5.0, Reached::Rapid),
        (10.0, 10.0, -2.0, Reached::Cut),
        (90.0, 10.0, -2.0, Reached::Cut),
        (100.0, 20.0, -2.0, Reached::Cut),
        (100.0, 40.0, -2.0, Reached::Cut),
        (90.0, 50.0, -2.0, Reached::Cut),
        (10.0, 50.0, -2.0, Reached::Cut),
        (10.0, 10.0, -2.0, Reached::Cut),
        (10.0, 10.0, 5.0, Reached::Rapid),
    ]
    .into_iter()
    .enumerate()
    {
        corners.push(Corner::new([x, y, z], 400 * (n as u64 + 1), reached));
    }
    Toolpath {
        levels: vec![Level { corners, tolerance_mm: 0.001 }],
        min: [0.0, 0.0, -2.0],
        max: [100.0, 50.0, 5.0],
        frames: vec![Frame::Work(1)],
        partial: false,
    }
}

/// A good program of 4,812 lines with one warning.
pub(crate) fn details() -> Details {
    let (mut min, mut max) = ([0.0; 9], [0.0; 9]);
    (min[2], max[0], max[1], max[2]) = (-2.0, 100.0, 50.0, 5.0);
    let reach = Reach {
        frame: Frame::Work(1),
        axes: AxisSet::first(3),
        min,
        max,
        min_line: [1; 9],
        max_line: [2; 9],
        unsure: false,
    };
    let problems = vec![problem(
        Severity::Warning,
        12,
        "spindle-late",
        "It cuts before the spindle was started.",
        "Start the spindle (M3 S…) before the first cut, or by hand.",
    )];
    let report = Report {
        hash: ContentHash([7; 32]),
        bytes: 184_320,
        lines: 4812,
        blocks: 4700,
        problems: problems.clone(),
        errors: 0,
        warnings: 1,
        reach: vec![reach],
        units: FileUnits::Mm,
        cut_mm: 9120.4,
        rapid_mm: 431.0,
        times: Times { cutting_s: 700.0, rapid_s: 41.0, dwell_s: 6.0 },
        spindle_on: Times { cutting_s: 700.0, rapid_s: 30.0, dwell_s: 6.0 },
        feed_mm_min: Some((300.0, 1200.0)),
        spindle_rpm: Some((12_000.0, 12_000.0)),
        systems: vec![1],
        tools: vec![1, 2],
        waits: vec![Wait { line: 2400, what: WaitFor::Tool(Some(2)) }],
        timeline: Arc::new(vec![(4812, 747.0)]),
        course: Arc::new(vec![[700.0, 30.0, 11.0, 6.0, 0.0]]),
    };
    Details { report: Arc::new(report), problems, path: Some(Arc::new(path())), on_link_loss: None }
}

/// The same with errors.
pub(crate) fn bad_details() -> Details {
    let mut bad = details();
    bad.problems.extend([
        problem(Severity::Note, 3, "arc", "The arc is nearly a line.", ""),
        problem(
            Severity::Error,
            40,
            "out-of-travel",
            "X goes to 812.000, which is 12.000 beyond the machine's travel.",
            "Move the work zero by at least 12 mm to the left, or the part in the program.",
        ),
        problem(Severity::Error, 7, "unknown-word", "G5.1 is not known to FluidNC.", "Post it for Grbl."),
    ]);
    bad
}

/// A run in the middle of the file.
pub(crate) fn run() -> Run {
    Run {
        id: RunId(41),
        name: "plate.nc".into(),
        path: file("plate.nc"),
        hash: Some(ContentHash([7; 32])),
        state: RunState::Running,
        first_line: 1,
        lines: Some(4812),
        sent_line: 1218,
        acked_line: 1204,
        text: "G1X90.5Y10F1200".into(),
        started_at: NOW - ms(48_000),
        ended_at: None,
        paused_for: ms(0),
        paused_since: None,
        remaining_s: Some(559.0),
        programmed_s: Some(559.0),
        prompt: None,
        answered: None,
        check_mode: false,
        outline: false,
        phases: Some(PhaseTimes::of(&details().report)),
        on_link_loss: OnLinkLoss::Hold,
    }
}

/// The machine runs [`run`].
pub(crate) fn running() -> Snapshot {
    let mut snapshot = in_state(MachineState::plain(StateKind::Run));
    snapshot.machine.feed_mm_min = Some(1200.0);
    snapshot.programs.run = Some(run());
    snapshot
}

/// A run that is over.
pub(crate) fn past_run(n: u64) -> PastRun {
    let started_ms = UNIX_MS - 3_600_000 * n.cast_signed();
    PastRun {
        id: RunId(n),
        name: if n.is_multiple_of(2) { "plate.nc".into() } else { "drill pattern.gcode".into() },
        path: file("plate.nc").display().to_string(),
        hash: Some(ContentHash([7; 32])),
        who: "screen 1".into(),
        started_ms,
        ended_ms: Some(started_ms + 760_000),
        end: Some(RunEnd::Done),
        first_line: 1,
        last_line: 4812,
        lines: Some(4812),
        pauses: 1,
        paused_for: ms(13_000),
        moving_for: ms(700_000),
        dry: false,
        energy: None,
        on_link_loss: None,
    }
}

/// A run that the link cut off.
pub(crate) fn interrupted() -> Interrupted {
    let mut run = past_run(40);
    run.end = Some(RunEnd::Failed("the link to the machine was lost".into()));
    run.last_line = 1204;
    Interrupted {
        run,
        suggested_line: 1198,
        why: "The last rapid before it, at a safe height.".into(),
        warnings: vec!["The spindle may be on.".into()],
        left: crate::model::program::Checkpoint::default(),
    }
}

pub(crate) fn preamble() -> Preamble {
    let lines = |lines: &[&str]| lines.iter().map(|line| (*line).to_owned()).collect();
    Preamble {
        line: 1198,
        lines: lines(&["G21G90G94G17G54", "G53G0Z0", "M3S12000", "G4P3", "G0X10Y10", "G1Z5F300"]),
        then: lines(&["G0 X10 Y10", "G1 Z-2 F300", "G1 X90 F1200"]),
        warnings: vec!["The spindle starts at 12000 rpm.".into()],
    }
}

/// An answer about programs comes.
pub(crate) fn answer(scene: &mut Scene, answer: ProgramAnswer) -> Vec<Effect> {
    scene.event(&Event::Answer(Answer::Program(answer)))
}

/// The tab Programs with its list, the first file selected and checked.
pub(crate) fn listed() -> Scene {
    listed_with(Ok(details()))
}

pub(crate) fn listed_with(result: Result<Details, String>) -> Scene {
    let mut scene = Scene::new(idle());
    scene.press(&["P"]);
    assert_eq!(scene.ui.tab, Tab::Programs);
    answer(&mut scene, ProgramAnswer::List { folder: None, entries: Ok(entries()), notes: Vec::new() });
    scene.press(&["Down"]);
    scene.wait(200);
    let path = file("plate.nc");
    answer(&mut scene, ProgramAnswer::Details { path, result: result.map(Arc::new) });
    scene
}
