use super::*;
use crate::model::program::report::{Frame, WaitFor};
use crate::program::motion::Speed;

/// Frame and target of each straight move.
fn targets(program: &str) -> Vec<(Frame, [f64; 3])> {
    let read = read(program);
    assert_eq!(read.errors(), Vec::<String>::new(), "{program}");
    read.straights().iter().map(|s| (s.frame, [s.to[0], s.to[1], s.to[2]])).collect()
}

#[test]
fn targets_are_in_mm_in_whatever_units_and_distances() {
    let active = Frame::Active;
    for (program, expected) in [
        ("G21 G90\nG0 X1 Y2\nZ3", vec![(active, [1.0, 2.0, 0.0]), (active, [1.0, 2.0, 3.0])]),
        ("G20 G90\nG0 X1 Y-2", vec![(active, [25.4, -50.8, 0.0])]),
        (
            "G21 G90 G0 X5\nG91 X1 Y2\nX1",
            vec![(active, [5.0, 0.0, 0.0]), (active, [6.0, 2.0, 0.0]), (active, [7.0, 2.0, 0.0])],
        ),
        (
            "G21 G0 X1\nG55 X2\nG59.3 X3",
            vec![(active, [1.0, 0.0, 0.0]), (Frame::Work(2), [2.0, 0.0, 0.0]), (Frame::Work(9), [3.0, 0.0, 0.0])],
        ),
        (
            "G21 G0 Z5\nG53 Z-1\nX2",
            vec![(active, [0.0, 0.0, 5.0]), (Frame::Machine, [0.0, 0.0, -1.0]), (active, [2.0, 0.0, 5.0])],
        ),
        ("G21\nN10 g0 x 1 0", vec![(active, [10.0, 0.0, 0.0])]),
    ] {
        assert_eq!(targets(program), expected, "{program}");
    }
}

#[test]
fn what_is_known_of_a_position_is_told() {
    let read = read("G21 G90\nG0 X1\nY2\nG53 G0 Z0\nX3\nG54 X4\nG28 G91 Z0\nG90 Y1 Z2");
    let known: Vec<(u16, u16)> = read.straights().iter().map(|s| (s.known, s.named)).collect();
    // X; then Y with X known; Z of the machine; X again; all is lost with another system; G28 through nowhere; …
    assert_eq!(known, [(0, 1), (1, 2), (0, 4), (3, 1), (0, 1), (1, 0), (1, 6)]);
    let unknown = read.motions.iter().filter(|(_, motion)| *motion == Motion::Unknown).count();
    assert_eq!(unknown, 1, "G28 itself; a relative move by nothing goes nowhere");
}

#[test]
fn rotary_axes_stay_in_degrees() {
    let read = read_as(Dialect::new(Firmware::GrblHal, 4), "G20 G90 G0 X1 A90");
    assert_eq!((read.straights()[0].to[0], read.straights()[0].to[3]), (25.4, 90.0));
}

#[test]
fn speeds_follow_the_feed_mode() {
    let read = on(
        Firmware::GrblHal,
        "G21 G90 M3 S100\nG0 X1\nG1 X2 F300\nX3\nG20 F10 X4\nG93 F2 X5\nG94 G21 X6 F60\nG95 F0.5 X7",
    );
    let speeds: Vec<Speed> = read.straights().iter().map(|s| s.speed).collect();
    assert_eq!(
        speeds,
        [
            Speed::Rapid,
            Speed::MmMin(300.0),
            Speed::MmMin(300.0),
            Speed::MmMin(254.0),
            Speed::Seconds(30.0),
            Speed::MmMin(60.0),
            Speed::MmRev(0.5),
        ]
    );
    assert_eq!(read.errors(), Vec::<String>::new());
}

#[test]
fn offsets_that_the_program_sets_move_its_position() {
    for (program, x, known, shifted) in [
        ("G21 G90 G0 X10\nG92 X0", 0.0, 1, true),
        ("G21 G90 G0 X10\nG92 X0\nG92.1", 0.0, 0, true),
        ("G21 G90 G0 X10\nG92.1", 10.0, 1, false),
        ("G21 G54 G90 G0 X10\nG10 L20 P1 X3", 3.0, 1, true),
        ("G21 G54 G90 G0 X10\nG10 L20 P2 X3", 10.0, 1, false),
        ("G21 G54 G90 G0 X10\nG10 L2 P0 X3", 10.0, 0, true),
        ("G21 G90 G0 X10\nG10 L2 P1 X3", 10.0, 0, true),
        ("G20 G90 G92 X1", 25.4, 1, true),
    ] {
        let (mut tracker, mut block, mut read) =
            (Tracker::new(Dialect::new(Firmware::FluidNc, 3)), Block::new(), Read::default());
        let mut reader = Reader::new();
        let mut each = |raw: crate::program::RawLine<'_>| {
            block.parse(raw.bytes);
            tracker.apply(raw, &block, &mut read);
        };
        reader.feed(program.as_bytes(), &mut each);
        reader.finish(&mut each);
        let place = tracker.modal().place;
        assert_eq!((place.work[0], place.known & 1), (x, known), "{program}");
        assert_eq!(tracker.has_shifted(tracker.modal().frame()), shifted, "{program}");
        assert!(!tracker.has_shifted(Frame::Machine));
    }
}

#[test]
fn tool_lengths_move_z() {
    let z = |program: &str| {
        let place = on(Firmware::GrblHal, program).modal.place;
        (place.work[2], place.known & 4 != 0)
    };
    assert_eq!(z("G21 G90 G49 G0 Z10\nG43.1 Z2"), (8.0, true));
    assert_eq!(z("G21 G90 G49 G0 Z10\nG43.1 Z2\nG43.1 Z3"), (7.0, true));
    assert_eq!(z("G21 G90 G49 G0 Z10\nG43.1 Z2\nG49"), (10.0, true));
    assert!(!z("G21 G90 G0 Z10\nG43.1 Z2").1, "what was in force at the start is not known");
    assert!(!z("G21 G90 G0 Z10\nG43 H1").1);
}

#[test]
fn probing_ends_nobody_knows_where() {
    let read = read("G21 G90 G0 X1 Z5\nG38.2 Z-10 F50\nG0 X2");
    assert!(matches!(read.motions[1], (2, Motion::Probe(s)) if s.to[2] == -10.0 && s.speed == Speed::MmMin(50.0)));
    assert_eq!(read.straights()[1].known, 1);
}

#[test]
fn waits_and_dwells_are_told() {
    let read = on(Firmware::GrblHal, "G4 P1.5\nM0\nM1\nT3 M6\nM6\nM60");
    let all: Vec<Motion> = read.motions.iter().map(|(_, motion)| *motion).collect();
    assert_eq!(
        all,
        [
            Motion::Dwell(1.5),
            Motion::Wait(WaitFor::Person),
            Motion::Wait(WaitFor::PersonIfWanted),
            Motion::Wait(WaitFor::Tool(Some(3))),
            Motion::Wait(WaitFor::Tool(Some(3))),
            Motion::Wait(WaitFor::Person),
        ]
    );
}

/// Z of each move of a drilling program, a rapid marked.
fn depths(program: &str) -> Vec<String> {
    let read = on(Firmware::GrblHal, program);
    assert_eq!(read.errors(), Vec::<String>::new(), "{program}");
    let shown = read.motions.iter().filter_map(|(_, motion)| match motion {
        Motion::Straight(s) => {
            let rapid = if s.speed == Speed::Rapid { "r" } else { "" };
            Some(format!("{rapid}{},{},{}", s.to[0], s.to[1], (s.to[2] * 1e6).round() / 1e6))
        }
        Motion::Dwell(seconds) => Some(format!("dwell {seconds}")),
        _ => None,
    });
    shown.collect()
}

#[test]
fn drilling_cycles_are_taken_apart() {
    let head = "G21 G90 M3 S1 F100\nG0 X0 Y0 Z10\n";
    for (cycle, expected) in [
        (
            "G81 X1 Y2 Z-3 R1\nX2",
            vec!["r1,2,10", "r1,2,1", "1,2,-3", "r1,2,10", "r2,2,10", "r2,2,1", "2,2,-3", "r2,2,10"],
        ),
        (
            "G99 G81 X1 Z-3 R1\nX2\nG80\nG0 X3",
            vec!["r1,0,10", "r1,0,1", "1,0,-3", "r1,0,1", "r2,0,1", "2,0,-3", "r2,0,1", "r3,0,1"],
        ),
        ("G82 X1 Z-3 R1 P0.5", vec!["r1,0,10", "r1,0,1", "1,0,-3", "dwell 0.5", "r1,0,10"]),
        (
            "G99 G83 X1 Z-3 R1 Q2.5",
            vec!["r1,0,10", "r1,0,1", "1,0,-1.5", "dwell 0.25", "r1,0,1", "1,0,-3", "dwell 0.25", "r1,0,1"],
        ),
        (
            "G99 G73 X1 Z-2 R0 Q1",
            vec!["r1,0,10", "r1,0,0", "1,0,-1", "dwell 0.25", "r1,0,-0.9", "1,0,-2", "dwell 0.25", "r1,0,0"],
        ),
        ("G99 G85 X1 Z-3 R1", vec!["r1,0,10", "r1,0,1", "1,0,-3", "1,0,1"]),
        ("G91 G99 G81 X5 Z-4 R-9 L2", vec!["r5,0,10", "r5,0,1", "5,0,-3", "r5,0,1", "r10,0,1", "10,0,-3", "r10,0,1"]),
    ] {
        assert_eq!(depths(&format!("{head}{cycle}"))[1..], expected, "{cycle}");
    }
}

#[test]
fn splines_go_from_end_to_end() {
    let read = on(Firmware::GrblHal, "G21 G90 G17 M3 S1 F100\nG0 X0 Y0\nG5 X10 Y0 I0 J5 P0 Q5\nG5.1 X20 Y0 I5 J5");
    assert_eq!(read.errors(), Vec::<String>::new());
    let moves = read.straights();
    assert_eq!(moves.len(), 1 + 32 + 32);
    assert_eq!((moves[16].to[0], moves[16].to[1]), (5.0, 3.75), "the middle of a Bézier curve");
    assert_eq!((moves[32].to[0], moves[32].to[1], moves[64].to[0]), (10.0, 0.0, 20.0));
    assert!(moves.windows(2).all(|pair| pair[0].to == pair[1].from));
}
