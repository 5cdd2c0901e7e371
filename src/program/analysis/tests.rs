use super::*;
use crate::model::Firmware;
use crate::model::program::report::{FileUnits, Frame, Severity, Wait, WaitFor};
use crate::model::program::{Phase, PhaseTimes};

fn config() -> AnalysisConfig {
    AnalysisConfig { dialect: Dialect::new(Firmware::GrblHal, 3), model: EstimateModel::default() }
}

fn analysed(program: &str) -> (Report, Toolpath) {
    let mut analysis = Analysis::new(config());
    analysis.feed(program.as_bytes());
    analysis.finish()
}

/// A pocket and two holes: one tool, one pause, two systems.
const POCKET: &str = "\
%
(a pocket and two holes)
G21 G90 G17 G94
T1 M6
M3 S12000
G0 X0 Y0 Z5
G1 Z-2 F200
G1 X30 F800
G3 X30 Y20 I0 J10
G1 X0
Y0
G0 Z5
M0
G55
G0 X10 Y10 Z5
G1 Z-1 F150
G0 Z5
S8000
G4 P0.5
M5
M30
%
";

#[test]
fn a_report_says_what_a_program_is() {
    let (report, path) = analysed(POCKET);
    assert_eq!(report.errors, 0, "{:?}", report.problems);
    assert_eq!((report.lines, report.bytes), (22, POCKET.len() as u64));
    assert_eq!(report.hash.0, *blake3::hash(POCKET.as_bytes()).as_bytes());
    assert_eq!(report.units, FileUnits::Mm);
    assert_eq!(report.feed_mm_min, Some((150.0, 800.0)));
    assert_eq!(report.spindle_rpm, Some((8000.0, 12000.0)));
    assert_eq!(report.tools, [1]);
    assert_eq!(report.systems, [2]);
    let waits = [Wait { line: 4, what: WaitFor::Tool(Some(1)) }, Wait { line: 13, what: WaitFor::Person }];
    assert_eq!(report.waits, waits);
    // Into the cut 7, along 30, a half circle of 10, back 30, 20; then into the hole 6.
    let cut = 7.0 + 30.0 + std::f64::consts::PI * 10.0 + 30.0 + 20.0 + 6.0;
    assert!((report.cut_mm - cut).abs() < 1e-6, "{} against {cut}", report.cut_mm);
    assert!(report.times.cutting_s > cut / 800.0 * 60.0 && report.times.rapid_s > 0.0);
    assert_eq!(report.times.dwell_s, 0.5);
    assert_eq!(path.frames, [Frame::Active, Frame::Work(2)]);
    assert!((f64::from(path.max[0]) - 40.0).abs() < 0.01, "the half circle reaches to 40: {}", path.max[0]);
}

#[test]
fn reach_is_by_frame_and_says_which_line_goes_there() {
    let (report, _) = analysed(POCKET);
    let active = &report.reach[0];
    assert_eq!((active.frame, active.axes), (Frame::Active, crate::model::AxisSet::first(3)));
    assert_eq!(active.min[..3], [0.0, 0.0, -2.0]);
    assert!((active.max[0] - 40.0).abs() < 1e-9 && (active.max[1] - 20.0).abs() < 1e-9 && active.max[2] == 5.0);
    assert_eq!((active.max_line[0], active.min_line[2], active.max_line[2]), (9, 7, 6));
    let second = &report.reach[1];
    assert_eq!((second.frame, second.min[2], second.min_line[2]), (Frame::Work(2), -1.0, 16));
    assert!(!active.unsure && !second.unsure);
}

#[test]
fn what_nobody_can_know_makes_the_reach_unsure() {
    let unsure = |program: &str| analysed(program).0.reach.iter().any(|reach| reach.unsure);
    assert!(!unsure("G21 G90\nG0 X1\n"));
    assert!(unsure("G21 G90\nG0 X1\nG92 X0\nG0 X5\n"), "G92 shifts the zero");
    assert!(unsure("G21 G90\nG0 X1\n#1=5\nG0 X#1\n"), "an expression");
    assert!(unsure("G21 G91\nG0 X1\nG0 Y5\n"), "relative from nowhere");
    assert!(!unsure("G21 G90\nG0 X1 Y1\nG91\nG0 X1\n"), "relative from a place that is known");
}

/// Where the pieces are cut makes no difference.
#[test]
fn pieces_of_a_file_are_the_file() {
    let whole = analysed(POCKET);
    for size in [1, 7, 64] {
        let mut analysis = Analysis::new(config());
        POCKET.as_bytes().chunks(size).for_each(|piece| analysis.feed(piece));
        assert_eq!(analysis.finish(), whole, "pieces of {size}");
    }
}

#[test]
fn problems_are_counted_all_and_kept_in_part_errors_first() {
    let mut program = String::from("G21 G90 G0 X0 Y0\n");
    for _ in 0..250 {
        program += "G1 X1,5\n";
    }
    let mut analysis = Analysis::new(config());
    analysis.feed(program.as_bytes());
    let progress = analysis.progress();
    assert_eq!((progress.lines, progress.errors), (251, 250));
    assert_eq!(progress.first_error.map(|problem| problem.line), Some(2));
    let (report, _) = analysis.finish();
    assert_eq!(report.errors, 250);
    let errors: Vec<u64> = report.problems.iter().filter(|p| p.severity == Severity::Error).map(|p| p.line).collect();
    assert_eq!((errors.len(), errors[0], errors[99]), (100, 2, 101));
    assert!(report.problems.windows(2).all(|pair| pair[0].severity >= pair[1].severity));
}

#[test]
fn inches_are_told_and_converted() {
    let (report, path) = analysed("G20 G90\nG0 X0 Y0 Z0\nG1 X1 F10\n");
    assert_eq!(report.units, FileUnits::Inch);
    assert!((report.cut_mm - 25.4).abs() < 1e-9 && (path.max[0] - 25.4).abs() < 1e-4);
    assert_eq!(report.feed_mm_min, Some((254.0, 254.0)));
    assert_eq!(analysed("G20\nG0 X1\nG21\nG0 X1\n").0.units, FileUnits::Mixed);
    assert_eq!(analysed("G0 X1\n").0.units, FileUnits::Unnamed);
}

#[test]
fn the_timeline_leads_to_the_end() {
    let (report, _) = analysed(POCKET);
    assert_eq!(report.seconds_at(report.lines), report.times.total_s());
    assert!(report.seconds_at(9) < report.seconds_at(16));
}

#[test]
fn what_is_done_when_is_known_in_stretches_that_add_up() {
    let (report, _) = analysed("G21 G90 G17 G94 G54\nG1 X100 F600\nG4 P20\nM3 S900\nG1 X0\nG0 X100\nG1 X0\nM5\n");
    let times = PhaseTimes::of(&report);
    let stretches = times.stretches();
    for phase in Phase::ALL {
        let sum: f64 = stretches.iter().map(|stretch| stretch[phase.index()]).sum();
        assert!((sum - times.seconds(phase)).abs() < 0.01, "{phase:?}: {sum} of {}", times.seconds(phase));
    }
    let turns = |stretch: &[f64; 5]| stretch[Phase::Cutting.index()] + stretch[Phase::Crossing.index()] > 0.0;
    // A third of it has gone by before the spindle starts.
    let before = stretches.iter().take_while(|stretch| !turns(stretch)).count();
    assert!(before > stretches.len() / 3 && before < stretches.len() / 2 + 5, "{before} of {}", stretches.len());
    assert!(stretches[before + 1..].iter().all(turns), "{stretches:?}");
}

#[test]
fn any_bytes_can_be_read() {
    for junk in [&b""[..], b"\0\0\0", b"\xff\xfe\n\x18!~?", b"G1 X1e999\nX-\n(((\n", b"G2 X1 Y1 R0\nG3 I0 J0\n"] {
        let mut analysis = Analysis::new(config());
        analysis.feed(junk);
        let (report, path) = analysis.finish();
        assert!(report.errors > 0, "{junk:?}");
        assert!(report.times.total_s().is_finite() && path.min.iter().all(|value| value.is_finite()));
    }
}

#[test]
fn the_time_with_the_spindle_on_is_told_apart() {
    let (report, _) =
        analysed("G21 G90 G17 G94\nG0 X0\nG0 X50\nG4 P1\nM3 S1000 G4 P2\nG1 X80 F600\nG0 X0\nM5\nG0 X50\nM30\n");
    let (all, on) = (report.times, report.spindle_on);
    assert_eq!((all.dwell_s, on.dwell_s), (3.0, 2.0), "the spindle starts before the dwell of its line");
    assert_eq!(on.cutting_s, all.cutting_s);
    assert!(on.cutting_s > 3.0 && on.rapid_s > 1.0 && on.rapid_s < all.rapid_s - 1.5, "{on:?} of {all:?}");
    let (still, _) = analysed("G21 G90 G17 G94\nG0 X0\nG1 X80 F600\n");
    assert_eq!(still.spindle_on, crate::model::program::report::Times::default());
}
