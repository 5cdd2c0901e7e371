use super::*;
use crate::model::machine::Firmware;

fn here() -> Here {
    Here { safe_z_mm: Ok(Some(-5.0)), work_z_mm: Some(20.0), zeros: Zeros::default(), warm_up_s: 4.0 }
}

fn approach(dialect: &Dialect, program: &str, line: u64) -> Approach {
    left(dialect, program, line, None)
}

fn left(dialect: &Dialect, program: &str, line: u64, left: Option<Left>) -> Approach {
    let mut approach = Approach::new(dialect.clone(), line, left);
    for (number, text) in (1..).zip(program.lines()) {
        if !approach.line(RawLine::new(number, text.as_bytes())) {
            break;
        }
    }
    approach
}

fn made(program: &str, line: u64) -> Result<Preamble, String> {
    approach(&dialect(), program, line).preamble(&here())
}

fn dialect() -> Dialect {
    Dialect::new(Firmware::GrblHal, 4)
}

/// The state behind some lines, for a controller as after a reset.
fn behind(dialect: &Dialect, lines: &[String]) -> Modal {
    let mut tracker = Tracker::new(dialect.clone());
    let mut block = Block::new();
    for (number, text) in (1..).zip(lines) {
        block.parse(text.as_bytes());
        tracker.apply(RawLine::new(number, text.as_bytes()), &block, &mut Deaf);
    }
    tracker.modal().clone()
}

/// What counts for the lines that follow. A group that the program has not named is as after a reset.
fn told(modal: &Modal) -> Vec<String> {
    let places: Vec<_> =
        (0..4).map(|axis| (modal.place.known & (1 << axis) != 0).then(|| number(modal.place.work[axis]))).collect();
    vec![
        format!("plane {:?}", modal.plane.unwrap_or_default()),
        format!("units {:?}", modal.units.unwrap_or(Units::Mm)),
        format!("distance {:?}", modal.distance.unwrap_or(Distance::Absolute)),
        format!("arcs {:?}", modal.arc_distance.unwrap_or(Distance::Relative)),
        format!("feed mode {:?}", modal.feed_mode.unwrap_or(FeedMode::PerMinute)),
        format!("system {:?}", modal.system),
        format!("tool length {:?} {:?}", modal.tool_length.unwrap_or(ToolLength::Cancelled), modal.tool_offset_mm),
        format!("retract {:?}", modal.retract),
        format!("path {:?}", modal.path_control),
        format!("spindle {:?} {:?}", modal.spindle, modal.speed_rpm),
        format!("coolant {} {}", modal.mist == Some(true), modal.flood == Some(true)),
        format!("feed {:?}", modal.feed_mm),
        format!("motion {:?}", modal.motion),
        format!("overrides {:?}", modal.overrides),
        format!("place {places:?}"),
    ]
}

/// One row for each modal group: preamble and rest are the whole program.
#[test]
fn each_modal_group_is_brought_back() {
    for state in [
        "G21",
        "G20",
        "G90",
        "G91",
        "G90.1",
        "G91.1",
        "G17",
        "G18",
        "G19",
        "G93",
        "G94",
        "G95 F0.2",
        "G54",
        "G55",
        "G59",
        "G59.3",
        "G43.1 Z2.5",
        "G43 H2",
        "G49",
        "G98",
        "G99",
        "G61",
        "G61.1",
        "G64",
        "M3 S12000",
        "M4 S800",
        "M5",
        "S500",
        "M7",
        "M8",
        "M9",
        "F750",
        "G20 F30",
        "M48",
        "M49",
        "T3",
        "G91 G20 G18 G55 M4 S900 M8",
    ] {
        let program = format!("G90 G21\nG0 Z5\nG0 X10 Y20\nG1 Z-1 F300\n{state}\nG1 X1 Y1 F200\n");
        let dialect = dialect();
        let approach = approach(&dialect, &program, 6);
        let preamble = approach.preamble(&here()).unwrap_or_else(|why| panic!("{state}: {why}"));
        let made = behind(&dialect, &preamble.lines);
        let (mut wanted, mut got) = (told(approach.modal()), told(&made));
        // In G93 each block has a feed of its own, and after a change of feed mode none is known.
        if approach.modal().feed_mode == Some(FeedMode::InverseTime) {
            wanted.retain(|line| !line.starts_with("motion") && !line.starts_with("feed "));
            got.retain(|line| !line.starts_with("motion") && !line.starts_with("feed "));
        }
        assert_eq!(got, wanted, "{state}: {:?}", preamble.lines);
    }
}

#[test]
fn it_goes_up_across_waits_for_the_spindle_and_comes_down_at_feed() {
    let preamble = made("G20 G90 G55\nM3 S1000\nM8\nG0 Z0.2\nG0 X1 Y2\nG1 Z-0.1 F10\nX3\nX4\n", 8).unwrap();
    let lines = [
        "G21 G90 G94",
        "G55",
        "G53 G0 Z-5",
        "G0 X76.2 Y50.8",
        "M3 S1000",
        "G4 P4",
        "M8",
        "G1 Z-2.54 F254",
        "G20 G90",
        "G1",
    ];
    assert_eq!(preamble.lines, lines);
    assert_eq!((preamble.line, preamble.then), (8, vec!["X4".to_owned()]));
    assert!(preamble.warnings.iter().any(|w| w.contains("spindle starts")), "{:?}", preamble.warnings);
}

#[test]
fn a_laser_is_off_until_the_last_line() {
    let laser = Dialect { laser: true, ..Dialect::new(Firmware::Grbl, 3) };
    let approach = approach(&laser, "G21 G90\nM4 S300\nG0 X1 Y1\nG1 X2 F600\nX3\n", 5);
    let lines = approach.preamble(&here()).unwrap().lines;
    let off = lines.iter().position(|line| line == "M5").unwrap();
    let first_on = lines.iter().position(|line| line.starts_with("M4")).unwrap();
    assert!(off < first_on && first_on == lines.len() - 1, "{lines:?}");
    assert!(!lines.iter().any(|line| line.starts_with("G4")), "{lines:?}");
}

#[test]
fn without_a_safe_height_it_says_so_or_refuses() {
    let program = "G21 G90\nG0 Z5\nG0 X1 Y1\nG1 X5 F100\n";
    let lost = Here { safe_z_mm: Err("Z is not homed".into()), ..here() };
    let approach = approach(&dialect(), program, 4);
    let preamble = approach.preamble(&lost).unwrap();
    assert!(!preamble.lines.iter().any(|line| line.contains("G53")));
    assert!(preamble.warnings.iter().any(|warning| warning.contains("Z is not homed")));
    let low = Here { work_z_mm: Some(1.0), ..lost };
    assert!(approach.preamble(&low).unwrap_err().contains("lift it by hand"));
}

#[test]
fn where_it_cannot_begin_it_says_why() {
    for (program, line, why) in [
        ("G21\nG0 X1\n", 9, "no line 9"),
        ("G21\nM30\nG0 X1\n", 3, "ends at line 2"),
        ("G92 X0\nG0 X1\n", 2, "G92"),
        ("G17 G21 G90 G0 X0 Y0\nG2 X1 Y1 I1 J0 F100\nX2 Y2 I1 J0\n", 3, "arc"),
        ("G21\nX1\n", 2, "names no motion"),
    ] {
        let error = made(program, line).unwrap_err();
        assert!(error.contains(why), "{program}: {error}");
    }
    let zeros = Zeros { g92: Some(AxisVec::from_slice(&[1.0, 0.0, 0.0])), ..Zeros::default() };
    let kept = Here { zeros, ..here() };
    assert!(approach(&dialect(), "G92 X0\nG0 X1\n", 2).preamble(&kept).is_ok());
}

/// A machine at −100, −50, −10 whose G55 lies at −90, −40, −30.
fn zeros() -> Zeros {
    let mut zeros = Zeros {
        active: Some(1),
        machine_position: Some(AxisVec::from_slice(&[-100.0, -50.0, -10.0])),
        tool_length: Some(AxisVec::zeros(3)),
        ..Zeros::default()
    };
    zeros.systems[0] = Some(AxisVec::zeros(3));
    zeros.systems[1] = Some(AxisVec::from_slice(&[-90.0, -40.0, -30.0]));
    zeros
}

/// What a run behind a G92 that shifts X by 5 and Z by −2 leaves, with offsets reported at this line.
fn behind_g92(line: u64) -> Left {
    Left {
        modal: ["G54", "G17", "G21", "G90", "G94"].map(str::to_owned).to_vec(),
        work_offset: Some(AxisVec::from_slice(&[-85.0, -40.0, -32.0])),
        line,
        systems: zeros().systems,
        ..Left::default()
    }
}

const SHIFTED: &str = "G21 G90 G55\nG0 X0 Y0 Z0\nG92 X10 Z2\nG0 X1 Y2\nG1 Z-1 F300\nX5\nG92 X0\nX6\n";

#[test]
fn a_g92_that_died_is_set_again_where_the_machine_stands() {
    let here = Here { zeros: zeros(), ..here() };
    let grbl = Dialect::new(Firmware::Grbl, 3);
    let told = |line, by_then: Left, here: &Here| left(&grbl, SHIFTED, line, Some(by_then)).preamble(here);
    let preamble = told(6, behind_g92(6), &here).unwrap();
    assert_eq!(preamble.lines[..4], ["G21 G90 G94", "G55", "G92 X-15 Z22", "G53 G0 Z-5"], "{:?}", preamble.lines);
    assert!(preamble.warnings.iter().any(|warning| warning.contains("right only if its position is")));
    // Behind another G92 than the one whose shift was told, or before it, nobody knows.
    for (line, by_then) in [(8, 6), (6, 7), (6, 2)] {
        let why = told(line, behind_g92(by_then), &here).unwrap_err();
        assert!(why.contains("begin before that G92"), "{line} {by_then}: {why}");
    }
    // Before the first one there is nothing to restore.
    let lines = told(3, behind_g92(6), &here).unwrap().lines;
    assert!(lines.iter().all(|line| !line.starts_with("G92")), "{lines:?}");
}

#[test]
fn a_shift_of_a_person_is_set_again_and_one_that_the_program_clears_is_not() {
    let plain = SHIFTED.replace("G92 X10 Z2", "G4 P0").replace("G92 X0", "G92.1");
    let grbl = Dialect::new(Firmware::Grbl, 3);
    let here = Here { zeros: zeros(), ..here() };
    let told = |line, here: &Here| left(&grbl, &plain, line, Some(behind_g92(5))).preamble(here).unwrap().lines;
    assert!(told(6, &here).contains(&"G92 X-15 Z22".to_owned()));
    assert!(told(8, &here).iter().all(|line| !line.starts_with("G92")));
    let mut shifted = here.clone();
    shifted.zeros.g92 = Some(AxisVec::from_slice(&[5.0, 0.0, -2.0]));
    assert!(told(6, &shifted).iter().all(|line| !line.starts_with("G92")), "grblHAL keeps it");
    assert!(told(8, &shifted).contains(&"G92.1".to_owned()));
}

#[test]
fn a_zero_that_was_set_anew_meanwhile_holds() {
    let grbl = Dialect::new(Firmware::Grbl, 3);
    let mut here = Here { zeros: zeros(), ..here() };
    here.zeros.systems[1] = Some(AxisVec::from_slice(&[-90.0, -40.0, -35.5]));
    let preamble = left(&grbl, SHIFTED, 6, Some(behind_g92(6))).preamble(&here).unwrap();
    assert!(preamble.lines.contains(&"G92 X-15".to_owned()), "{:?}", preamble.lines);
    assert!(preamble.warnings.iter().any(|warning| warning.starts_with("Z was zeroed anew")));
}

#[test]
fn a_tool_length_that_was_measured_at_the_tool_change_stays() {
    let dialect = dialect();
    let measured = Zeros { tool_length: Some(AxisVec::from_slice(&[0.0, 0.0, 12.5, 0.0])), ..Zeros::default() };
    let told = |length: &str, zeros: &Zeros| {
        let program = format!("G21 G90 {length}\nG0 X1 Y1 Z5\nT2 M6\nG1 X5 F100\n");
        approach(&dialect, &program, 4).preamble(&Here { zeros: zeros.clone(), ..here() }).unwrap()
    };
    for length in ["", "G49", "G43.1 Z3"] {
        let preamble = told(length, &measured);
        let sets = |line: &String| line.contains("G49") || line.contains("G43");
        assert!(!preamble.lines.iter().any(sets), "{length}: {:?}", preamble.lines);
        assert!(preamble.warnings.iter().any(|warning| warning.contains("Z 12.5")), "{:?}", preamble.warnings);
        assert!(preamble.warnings.iter().any(|warning| warning.contains("tool 2 must be in the spindle")));
    }
    assert!(told("G43.1 Z3", &Zeros::default()).lines.contains(&"G43.1 Z3".to_owned()));
    assert!(told("G43.1 Z12.5", &measured).lines.contains(&"G43.1 Z12.5".to_owned()), "it is the same");
}

#[test]
fn what_a_reset_takes_back_is_as_when_the_run_began() {
    let grbl = Dialect::new(Firmware::Grbl, 3);
    let began =
        Left { modal: ["G55", "G18", "G20", "G91", "G94", "M3"].map(str::to_owned).to_vec(), ..Left::default() };
    let preamble = left(&grbl, "G1 X1 F10\nX1\n", 2, Some(began)).preamble(&here()).unwrap();
    assert!(preamble.lines.contains(&"G55".to_owned()), "{:?}", preamble.lines);
    assert!(preamble.lines.iter().any(|line| line.contains("G18 G20 G91")), "{:?}", preamble.lines);
    assert!(preamble.lines.contains(&"F254".to_owned()), "{:?}", preamble.lines);
    assert!(preamble.warnings.iter().any(|warning| warning.contains("start it yourself")));
}

#[test]
fn nothing_of_a_line_that_was_refused_and_skipped_comes_back() {
    let program = "G21 G90 G94\nG0 X1 Y1\nM3 S9000 G20 X50\nG1 Z-1 F100\nX2\n";
    let lines = |of: Left| left(&dialect(), program, 5, Some(of)).preamble(&here()).unwrap().lines.join("\n");
    assert!(lines(Left::default()).contains("M3 S9000"));
    let skipped = lines(Left { skipped: vec![3], ..Left::default() });
    assert!(!skipped.contains("M3") && !skipped.contains("G20") && skipped.contains("G0 X1 Y1"), "{skipped}");
}

#[test]
fn the_tool_from_before_the_program_is_asked_for_unless_it_changes_tools() {
    let warnings = |program: &str| {
        let of = Left { tool: Some(4), ..Left::default() };
        left(&dialect(), program, 3, Some(of)).preamble(&here()).unwrap().warnings.join("\n")
    };
    assert!(warnings("G21 G90\nG0 X1 Y1 Z1\nG1 X2 F100\n").contains("tool 4 was in the spindle"));
    let changed = warnings("G21 G90 G0 X1 Y1 Z1\nT5 M6\nG1 X2 F100\n");
    assert!(changed.contains("tool 5 must be") && !changed.contains("tool 4"), "{changed}");
}
