use proptest::prelude::*;

use super::*;

const HEAD: &str = "G21 G90 G94 M3 S1000 F500\nG0 X0 Y0 Z0\n";

/// Errors of a line behind a good head, by firmware.
fn errors(line: &str) -> [Vec<String>; 3] {
    [Firmware::Grbl, Firmware::FluidNc, Firmware::GrblHal].map(|firmware| {
        let read = on(firmware, &format!("{HEAD}{line}"));
        read.errors().into_iter().map(|error| error.trim_start_matches("3 ").to_owned()).collect()
    })
}

#[test]
fn outputs_with_names_keep_to_their_caps() {
    let fan = crate::model::outputs::Output {
        name: "fan".into(),
        pin: crate::model::outputs::OutputPin::Analog(0),
        max: 60.0,
    };
    let dialect = Dialect::new(Firmware::FluidNc, 3).with_outputs(&[fan]);
    let read = read_as(dialect, "G21 G90\nM68 E0 Q60\nM68 E0 Q61\nM67 E0 Q[2*40]\nM68 E1 Q99\n");
    assert_eq!(read.errors(), ["3 output-cap", "4 output-cap"]);
    let problem = read.problems.iter().find(|problem| problem.kind == "output-cap").unwrap();
    assert!(problem.text.contains("fan takes 0 to 60") && problem.remedy.contains("[[outputs]]"), "{problem:?}");
    assert!(read.modal.outputs_switched);
}

#[test]
fn each_firmware_refuses_what_it_does_not_know() {
    let (none, unsupported): (&[&str], &[&str]) = (&[], &["unsupported"]);
    for (line, grbl, fluid, hal) in [
        ("G1 X1", none, none, none),
        ("G64", unsupported, unsupported, none),
        ("G81 X1 Z-1 R1", unsupported, unsupported, none),
        ("G84 X1 Z-1 R1", unsupported, unsupported, unsupported),
        ("G59.1", unsupported, none, none),
        ("G43 H1", &["unsupported", "unsupported"], &["unsupported", "unsupported"], none),
        ("G90.1", unsupported, unsupported, unsupported),
        ("G41 D1", &["unsupported", "unsupported"], unsupported, unsupported),
        ("G999", unsupported, unsupported, unsupported),
        ("M999", unsupported, unsupported, none),
        ("M48", unsupported, unsupported, none),
        ("M62 P1", unsupported, none, none),
        ("M6 T1", &["tool-change"], none, none),
        ("G1 A5", &["axis-missing"], &["axis-missing"], &["axis-missing"]),
        ("G5 X1 Y1 I1 J1 P1 Q1", &["unsupported", "unsupported"], unsupported, none),
        ("G95 F1", unsupported, unsupported, none),
        ("/G0 X1", none, &["block-delete"], none),
        ("#1=5", &["expression"], none, none),
        ("G1 X[#1]", &["expression"], none, none),
        ("O100", &["o-word"], &["o-word"], &["o-word"]),
        ("G2 X1 Y0 I0.5 P2", &["unused-words"], none, none),
        ("%", none, none, none),
    ] {
        assert_eq!(
            errors(line),
            [grbl, fluid, hal].map(|kinds| kinds.iter().map(|k| (*k).to_owned()).collect::<Vec<_>>()),
            "{line}"
        );
    }
}

#[test]
fn lines_that_every_firmware_refuses_are_named() {
    for (line, kind) in [
        ("G0 G1 X1", "modal-group"),
        ("G20 G21", "modal-group"),
        ("M3 M5", "modal-group"),
        ("G0 G92 X1", "axis-conflict"),
        ("G80 X1", "axis-without-motion"),
        ("G53 G2 X1 I1", "g53-mode"),
        ("G4", "value-missing"),
        ("G10 X1", "value-missing"),
        ("G10 L2 P12 X1", "system-missing"),
        ("G92", "value-missing"),
        ("G1 X1 F-5", "negative"),
        ("M3 S-1", "negative"),
        ("G1 F0 X1", "feed-zero"),
        ("G93 G1 X1", "feed-missing"),
        ("G1 X1 R5", "unused-words"),
        ("G0 P5", "unused-words"),
        ("G38.2 F5", "axis-missing-for-probe"),
        ("X1,5", "comma"),
        ("$X", "dollar-line"),
        ("$J=G91 X1 F100", "dollar-line"),
    ] {
        let errors = errors(line);
        assert!(errors.iter().all(|errors| errors == &[kind]), "{line}: {errors:?}");
    }
}

#[test]
fn what_is_doubtful_is_asked_about_once() {
    for (program, warned) in [
        ("G90\nG0 X1\nX2", vec!["2 units-unnamed"]),
        ("G21\nG1 X1\nX2", vec!["2 spindle-off", "2 feed-missing"]),
        ("G21 M3\nG1 X1 F5\nM5", vec!["1 speed-missing"]),
        ("G21 G90 G0 X1\nG20\nX2\nG21", vec!["2 units-switched"]),
        ("G21 G91 G0 X1\nX2", vec!["1 relative-start"]),
        ("G21 G90 G0 X1\nM30\nG0 X2\nX3", vec!["3 after-end"]),
        ("G21 M3 S5\nG0 X1", vec!["0 spindle-left-on"]),
        ("G21 G90 G0 X 1 0", vec!["1 number-split"]),
        ("G21\nG91 G53 G0 Z0", vec!["2 g53-relative"]),
        ("$100=80\n$H\n$G", vec!["1 dollar-line"]),
        ("(only words)\n\n%", vec!["0 empty-program"]),
        ("", vec!["0 empty-program"]),
        ("G21 G90\nG0 X1 (open", vec![]),
    ] {
        assert_eq!(read(program).kinds(Severity::Warning), warned, "{program}");
    }
}

#[test]
fn laser_programs_are_judged_as_such() {
    let laser = Dialect { laser: true, ..Dialect::new(Firmware::Grbl, 3) };
    assert_eq!(read_as(laser.clone(), "G21 G90 M4 S0\nG1 X1 F5 S100\nM5").kinds(Severity::Note), Vec::<String>::new());
    assert_eq!(read_as(laser.clone(), "G21 G90 M3 S0\nG1 X1 F5 S100\nM5").kinds(Severity::Note), ["1 laser-constant"]);
    assert_eq!(read_as(laser, "G21 G90\nG1 X1 F5\n").kinds(Severity::Note), ["2 spindle-off"]);
    assert_eq!(on(Firmware::Grbl, "G21 G90 M4 S1\nM5").kinds(Severity::Note), ["1 spindle-reverse"]);
}

#[test]
fn tool_changes_need_somebody_who_asks() {
    for (firmware, alone) in
        [(Firmware::Grbl, Severity::Error), (Firmware::FluidNc, Severity::Warning), (Firmware::GrblHal, Severity::Note)]
    {
        let said = |asks_for_tools| {
            let read = read_as(Dialect { asks_for_tools, ..Dialect::new(firmware, 3) }, "G21 T1 M6\nT2 M6");
            read.problems.into_iter().map(|problem| (problem.severity, problem.kind)).collect::<Vec<_>>()
        };
        assert_eq!(said(false), [(alone, "tool-change".to_owned())]);
        assert_eq!(said(true), [(Severity::Note, "tool-change".to_owned())]);
    }
}

#[test]
fn a_binary_file_is_said_once() {
    let read = read("PK\u{3}\u{4}\0\0\0\n\0\0\0\0\n\0x\0y");
    assert_eq!(read.errors(), ["1 binary-file"]);
}

#[test]
fn a_line_that_was_too_long_to_keep_is_said() {
    let read = read(&format!("G21 G90\nG0 X{}1\n", " ".repeat(5000)));
    assert_eq!(read.errors(), ["2 number-missing", "2 line-too-long"]);
}

#[test]
fn lines_are_measured_as_they_go_out() {
    let comment = format!("G0 X1 ({})", "a".repeat(200));
    let many = "G1 X1.00000 Y2.00000 Z3.00000 F500.000 ".to_owned() + &" ".repeat(100);
    assert_eq!(errors(&comment), [[""; 0]; 3].map(|none| none.map(str::to_owned).to_vec()));
    assert_eq!(errors(&many), [[""; 0]; 3].map(|none| none.map(str::to_owned).to_vec()));
    let digits = |count: usize| format!("G1 X{}.5 Y0.{}5", "1".repeat(count), "1".repeat(count));
    for (count, refused) in
        [(35, [false, false, false]), (36, [true, false, false]), (62, [true, true, false]), (130, [true; 3])]
    {
        let long = errors(&digits(count)).map(|errors| errors == ["line-too-long"]);
        assert_eq!(long, refused, "{count}");
    }
    let written = Dialect { compact: false, ..Dialect::new(Firmware::FluidNc, 3) };
    assert_eq!(read_as(written, &format!("{HEAD}G1{}X1", " ".repeat(130))).errors(), ["3 line-too-long"]);
}

fn programs() -> impl Strategy<Value = String> {
    let word = prop_oneof![
        4 => (proptest::sample::select(b"XYZIJKRFSPQLTHABE".to_vec()), -50_i32..50).prop_map(|(l, v)| format!("{}{}", l as char, f64::from(v) / 4.0)),
        3 => proptest::sample::select(vec![
            "G0", "G1", "G2", "G3", "G4", "G5", "G5.1", "G10", "G17", "G18", "G19", "G20", "G21", "G28", "G30.1", "G33", "G38.2", "G40",
            "G43", "G43.1", "G49", "G50", "G51", "G53", "G54", "G59.3", "G61", "G73", "G76", "G80", "G81", "G83", "G86", "G89", "G90", "G90.1",
            "G91", "G92", "G92.1", "G93", "G94", "G95", "G98", "G99", "M0", "M2", "M3", "M5", "M6", "M8", "M61", "M66", "M100",
        ]).prop_map(str::to_owned),
        1 => "[ -~]{0,5}",
    ];
    let line = proptest::collection::vec(word, 0..7).prop_map(|words| words.join(" "));
    proptest::collection::vec(line, 0..25).prop_map(|lines| lines.join("\n"))
}

proptest! {
    #[test]
    fn no_program_upsets_the_tracker(program in programs(), firmware in 0_usize..3, axes in 1_usize..=9) {
        let firmware = [Firmware::Grbl, Firmware::FluidNc, Firmware::GrblHal][firmware];
        let read = read_as(Dialect::new(firmware, axes), &program);
        for (_, motion) in &read.motions {
            let ends = match motion {
                Motion::Straight(s) | Motion::Probe(s) => *s,
                Motion::Arc(arc) => {
                    prop_assert!(arc.radius_mm.is_finite() && arc.sweep_rad.is_finite() && arc.sweep_rad != 0.0);
                    arc.ends
                }
                _ => continue,
            };
            prop_assert!(ends.to.iter().chain(&ends.from).all(|v| v.is_finite()));
            prop_assert!(u32::from(ends.named) < 1 << axes);
        }
    }
}
