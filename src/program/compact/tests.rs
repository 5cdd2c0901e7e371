use proptest::prelude::*;

use super::*;
use crate::model::program::report::{Problem, Severity};
use crate::program::motion::{Motion, Straight};
use crate::program::{Modal, RawLine, Sink, Tracker};

fn compacted(firmware: Firmware, compact: bool, program: &str) -> Vec<String> {
    let mut compactor = Compactor::new(&Dialect::new(firmware, 3), compact);
    let mut block = Block::new();
    let lines = program.split('\n').map(|line| {
        block.parse(line.as_bytes());
        let mut out = String::new();
        compactor.line(line.as_bytes(), &block, &mut out);
        out
    });
    lines.collect()
}

fn short(program: &str) -> String {
    compacted(Firmware::GrblHal, true, program).join("|")
}

#[test]
fn numbers_lose_what_says_nothing() {
    for (written, sent) in [
        ("G01 X+1.500 Y-0.250 Z007", "G1X1.5Y-.25Z7"),
        ("X-0.000 Y10.0 Z100", "X0Y10Z100"),
        ("X0 Y0. Z.0", "X0Y0Z0"),
        ("X 1 0 . 5 0", "X10.5"),
        ("N0010 g38.2 z-5 f50", "G38.2Z-5F50"),
        ("M03 S01000", "M3S1000"),
        ("T01 M06", "T1M6"),
        ("X0.001 Y-0.010", "X.001Y-.01"),
    ] {
        assert_eq!(short(written), sent, "{written}");
    }
}

#[test]
fn to_fluidnc_a_move_says_by_itself_what_it_is() {
    for (written, sent) in [
        ("G21 G90 G94\nG1 X1 Y2 F100\nG1 X2 Y2 F100\nX3", "G21G90G94|G1X1Y2F100|G1X2|G1X3"),
        ("G2 X1 I1\nX3 I1", "G2X1I1|G2X3I1"),
        ("G90 G0 X1\nG0 X2\nX3", "G90G0X1|X2|X3"),
        ("G20 G91 G0 X1\nX2\nG91 X3", "G20G91G0X1|G91G20X2|G20G91X3"),
        ("M3 S1000\nF100\nG4 P1", "M3S1000|F100|G4P1"),
    ] {
        assert_eq!(compacted(Firmware::FluidNc, true, written).join("|"), sent, "{written}");
    }
}

#[test]
fn words_that_repeat_what_is_in_force_are_dropped() {
    for (written, sent) in [
        ("G21 G90 G94\nG1 X1 Y2 F100\nG1 X2 Y2 F100", "G21G90G94|G1X1Y2F100|X2"),
        ("G90 G17\nG90 G17\nG91", "G90G17||G91"),
        ("G90 G0 X1 Y1\nG0 X1 Y1 Z5\nG1 X1 Y1 Z5", "G90G0X1Y1|Z5|G1Z5"),
        ("G90 G1 X1\nX1\nX1", "G90G1X1|X1|X1"),
        ("S1000\nS1000\nX1 S1000", "S1000||X1"),
        ("G94 F100\nF100\nG1 X1 F200", "G94F100||G1X1F200"),
        // The feed counts in every line here, or for all that is known.
        ("G93 G1 X1 F2\nX2 F2", "G93G1X1F2|X2F2"),
        ("G1 X1 F2\nX2 F2", "G1X1F2|X2F2"),
        // Relative moves; nothing known of the distance mode.
        ("G91 G1 X1\nG1 X1", "G91G1X1|X1"),
        ("G1 X1\nG1 X1 Y2", "G1X1|X1Y2"),
    ] {
        assert_eq!(short(written), sent, "{written}");
    }
}

#[test]
fn words_with_another_meaning_stay() {
    for (written, sent) in [
        ("G90 G0 X1 Y1\nG2 X1 Y1 I5\nG2 X1 Y1 I5\nG1 X1 Y2", "G90G0X1Y1|G2X1Y1I5|X1Y1I5|G1Y2"),
        ("G90 G0 X1\nG53 G0 X1\nG0 X1", "G90G0X1|G53G0X1|X1"),
        ("G90 G0 X1\nG92 X1\nG0 X1", "G90G0X1|G92X1|X1"),
        ("G90 G0 X1 Y1\nG10 L20 P1 X0\nG0 X1 Y1", "G90G0X1Y1|G10L20P1X0|X1Y1"),
        ("G90 G0 X1 Y1\nG28 X1\nX1 Y1", "G90G0X1Y1|G28X1|X1Y1"),
        ("G90 G0 X1 Y1\nG55\nX1 Y1", "G90G0X1Y1|G55|X1Y1"),
        ("G90 G0 X1 Y1\nG20\nX1 Y1", "G90G0X1Y1|G20|X1Y1"),
        ("G90 G0 Z1\nG43.1 Z1\nZ1", "G90G0Z1|G43.1Z1|Z1"),
        ("G90 G0 X1 Y1\nG38.2 X5 F9\nG0 X1 Y1", "G90G0X1Y1|G38.2X5F9|G0X1Y1"),
        ("G90 G0 X1 Y1\nG81 X1 Y1 Z-1 R1\nX1 Y1\nX1 Y1", "G90G0X1Y1|G81X1Y1Z-1R1|X1Y1|X1Y1"),
        ("G90 G94 G1 X1 F9\nM0\nG90 G1 X1 F9", "G90G94G1X1F9|M0|G90G1X1F9"),
        ("M3 S1000\nS1000\nS1000", "M3S1000|S1000|"),
        ("G90 G0 X1\nG4 P1\nG0 X1 Y1", "G90G0X1|G4P1|X1Y1"),
        ("G90 G1 X1\nG80\nG80", "G90G1X1|G80|G80"),
    ] {
        assert_eq!(short(written), sent, "{written}");
    }
}

#[test]
fn what_is_no_plain_block_goes_out_as_written() {
    for (written, sent) in [
        ("%\n(comment)\n\n; more\nG0 X1 (there)", "||||G0X1"),
        ("G90 G0 X1\n G1 X[#1 + 2] \nG90 G0 X1", "G90G0X1|G1 X[#1 + 2]|G90G0X1"),
        ("$H", "$H"),
        ("G0 X1 (MSG,mind the clamp) (x)", "G0X1(MSG,mind the clamp)"),
        ("(print, ready)", "(print, ready)"),
        ("/G0 X1\nG0 X1", "/G0X1|G0X1"),
        ("G1 X1,5", "G1 X1,5"),
        ("G1 G777 X1.0", "G1 G777 X1.0"),
    ] {
        assert_eq!(short(written), sent, "{written}");
    }
    assert_eq!(compacted(Firmware::Grbl, true, "/G0 X1 (MSG,a)\n(MSG,b)"), ["G0X1", ""]);
}

#[test]
fn lines_can_go_out_as_written() {
    let program = " G01 X1.0 ; there\n%\n(words)\n(MSG,now)\nN5 G1 X1.0";
    assert_eq!(compacted(Firmware::FluidNc, false, program), ["G01 X1.0 ; there", "", "", "(MSG,now)", "N5 G1 X1.0"]);
}

#[test]
fn after_a_reset_everything_is_named_again() {
    let (mut compactor, mut block) = (Compactor::new(&Dialect::new(Firmware::Grbl, 3), true), Block::new());
    let mut send = |compactor: &mut Compactor| {
        let (line, mut out) = ("G90 G21 G94 G1 X1 Y1 F100", String::new());
        block.parse(line.as_bytes());
        compactor.line(line.as_bytes(), &block, &mut out);
        out
    };
    assert_eq!(send(&mut compactor), "G90G21G94G1X1Y1F100");
    assert_eq!(send(&mut compactor), "Y1");
    compactor.reset();
    assert_eq!(send(&mut compactor), "G90G21G94G1X1Y1F100");
}

#[derive(Default)]
struct Motions(Vec<Motion>, u64);

impl Sink for Motions {
    fn motion(&mut self, _: u64, motion: &Motion) {
        self.0.push(*motion);
    }

    fn problem(&mut self, problem: Problem) {
        self.1 += u64::from(problem.severity == Severity::Error);
    }
}

/// What a program does. The axes that a block names are not part of it: one that repeats where it is names nothing new.
fn meaning(dialect: &Dialect, lines: impl Iterator<Item = String>) -> (Vec<Motion>, Modal) {
    let (mut tracker, mut block, mut motions) = (Tracker::new(dialect.clone()), Block::new(), Motions::default());
    for (number, line) in (1..).zip(lines) {
        block.parse(line.as_bytes());
        tracker.apply(RawLine::new(number, line.as_bytes()), &block, &mut motions);
    }
    let plain = |straight: Straight| Straight { axes: 0, named: 0, ..straight };
    let motions = motions.0.into_iter().map(|motion| match motion {
        Motion::Straight(straight) => Motion::Straight(plain(straight)),
        Motion::Probe(straight) => Motion::Probe(plain(straight)),
        Motion::Arc(mut arc) => {
            arc.ends = plain(arc.ends);
            Motion::Arc(arc)
        }
        other => other,
    });
    (motions.collect(), tracker.modal().clone())
}

/// The lines that the controller takes: after a refused one, whoever sends the program stops and resets the compactor.
fn accepted(dialect: &Dialect, program: Vec<String>) -> Vec<String> {
    let (mut tracker, mut block) = (Tracker::new(dialect.clone()), Block::new());
    let takes = |line: &String| {
        let (mut next, mut found) = (tracker.clone(), Motions::default());
        block.parse(line.as_bytes());
        next.apply(RawLine::new(1, line.as_bytes()), &block, &mut found);
        if found.1 == 0 {
            tracker = next;
        }
        found.1 == 0
    };
    program.into_iter().filter(takes).collect()
}

/// Programs that repeat themselves a lot, so that there is something to drop.
fn programs() -> impl Strategy<Value = Vec<String>> {
    let number = proptest::sample::select(vec!["0", "1", "1.0", "01.50", "-0", "-2.", "+2", "3.250", ".5"]);
    let value = (proptest::sample::select(b"XYZXYZXYZIJRFFSPKQL".to_vec()), number)
        .prop_map(|(letter, number)| format!("{}{number}", letter as char));
    let common = proptest::sample::select(vec![
        "G0", "G1", "G01", "G2", "G3", "G90", "G91", "G21", "G20", "G94", "G17", "G18", "M3", "M5",
    ]);
    let rare = proptest::sample::select(vec![
        "G93", "G95", "G54", "G55", "G92", "G92.1", "G10", "G28", "G30", "G53", "G38.2", "G4", "G40", "G43.1", "G49",
        "G80", "G81", "G83", "G98", "G99", "G5", "G5.1", "G51", "G61", "G91.1", "M0", "M2", "M6", "M8", "M9", "T1",
        "N7", "(c)", "/", "(MSG,a)", "#1=2", "$H", "D1", "G90.1", "M61", "M66", "G43 H1",
    ]);
    let word = prop_oneof![6 => value, 4 => common.prop_map(str::to_owned), 1 => rare.prop_map(str::to_owned)];
    let line = proptest::collection::vec(word, 1..6).prop_map(|words| words.join(" "));
    proptest::collection::vec(line, 1..30)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    #[test]
    fn a_compacted_program_means_the_same(program in programs(), firmware in 0_usize..3) {
        let firmware = [Firmware::Grbl, Firmware::FluidNc, Firmware::GrblHal][firmware];
        let dialect = Dialect::new(firmware, 3);
        let program = accepted(&dialect, program);
        let sent = compacted(firmware, true, &program.join("\n"));
        // What a move to FluidNC says again: G91 and G20 at the most.
        let again = if firmware == Firmware::FluidNc { 6 } else { 0 };
        prop_assert!(sent.iter().zip(&program).all(|(sent, written)| sent.len() <= written.len() + again));
        prop_assert_eq!(meaning(&dialect, sent.into_iter()), meaning(&dialect, program.into_iter()));
    }
}
