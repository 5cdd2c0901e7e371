//! The estimated time of small programs against what the simulated machine takes for them, on simulated time.

// Helpers of tests may fail as tests do.
#![allow(clippy::unwrap_used)]

use std::fmt::Write as _;
use std::time::Duration;

use sunmill::model::machine::Limits;
use sunmill::model::{AxisVec, Firmware, Time};
use sunmill::program::estimate::EstimateModel;
use sunmill::program::{Analysis, AnalysisConfig, Dialect};
use sunmill::sim::{Machine, Options};

const TICK: Duration = Duration::from_millis(1);
/// Where the tool stands at the start, in machine coordinates, which are those of the program too.
const START: [f64; 3] = [150.0, 100.0, -20.0];

/// Seconds that the simulated machine takes.
fn simulated(program: &str) -> f64 {
    let mut machine = Machine::new(Options {
        axes: 3,
        homed: true,
        start: Some(AxisVec::from_slice(&START)),
        ..Options::new(Firmware::FluidNc)
    });
    let mut now = Time::ZERO;
    let mut out = Vec::new();
    machine.poll_output(now, &mut out);
    out.clear();
    let start = now;
    machine.handle_bytes(now, program.as_bytes());
    let lines = program.lines().count();
    let mut answers = 0;
    let mut end = now;
    while machine.is_moving() || answers < lines {
        now += TICK;
        machine.advance(now);
        machine.poll_output(now, &mut out);
        let text = String::from_utf8_lossy(&out).into_owned();
        assert!(!text.contains("error") && !text.contains("ALARM"), "{text}");
        answers += text.lines().filter(|line| *line == "ok").count();
        out.clear();
        end = now;
        assert!(now.since(start) < Duration::from_secs(600), "never ends: {answers} of {lines}");
    }
    end.since(start).as_secs_f64()
}

/// Seconds that the estimate says for the same machine.
fn estimated(program: &str) -> f64 {
    let limits = Limits {
        max_rate_mm_min: AxisVec::from_slice(&[3000.0, 3000.0, 1000.0]),
        acceleration_mm_s2: AxisVec::from_slice(&[200.0, 200.0, 100.0]),
        ..Limits::default()
    };
    let config = AnalysisConfig {
        dialect: Dialect::new(Firmware::FluidNc, 3),
        model: EstimateModel::of(Some(&limits), None, None),
    };
    let mut analysis = Analysis::new(config);
    analysis.feed(program.as_bytes());
    let (report, _) = analysis.finish();
    assert_eq!(report.errors, 0, "{:?}", report.problems);
    report.times.total_s()
}

fn agree(name: &str, program: &str, percent: f64) {
    // Both begin from a place that is known.
    let program =
        format!("G21 G90 G94\nG53 G0 X{} Y{} Z{}\nG0 X150 Y100 Z-20\n{program}", START[0], START[1], START[2]);
    let (real, guess) = (simulated(&program), estimated(&program));
    let off = (guess / real - 1.0) * 100.0;
    assert!(off.abs() <= percent, "{name}: {guess:.3} s estimated, {real:.3} s simulated: {off:+.2} %");
}

#[test]
fn long_moves_and_rapids() {
    agree("a square", "G1 X180 F1500\nY130\nX150\nY100\nG0 Z-10\nG0 X200 Y150\nG1 Z-20 F300\n", 1.0);
}

#[test]
fn arcs_and_a_helix() {
    let program = "G1 F1800 X160\nG2 X160 Y100 I10 J0\nG3 X180 Y100 R10\nG2 X180 Y100 Z-25 I-5 J5\n";
    agree("arcs", program, 1.0);
}

#[test]
fn short_pieces_of_a_curve() {
    let mut program = String::from("G1 F2400\n");
    for n in 0..600 {
        let angle = f64::from(n) * 0.05;
        let radius = 5.0 + f64::from(n) * 0.05;
        writeln!(program, "X{:.3} Y{:.3}", 150.0 + radius * angle.cos(), 100.0 + radius * angle.sin()).unwrap();
    }
    agree("a spiral", &program, 1.0);
}

#[test]
fn zigzag_and_dwells() {
    let mut program = String::from("G1 F1200\n");
    for n in 0..40 {
        writeln!(program, "X{} Y{}", 150 + n, 100 + n % 2 * 4).unwrap();
    }
    program += "G4 P0.5\nG1 X150 Y100\nM3 S1000\nG1 X160\nG4 P0.25\n";
    agree("a zigzag", &program, 1.0);
}
