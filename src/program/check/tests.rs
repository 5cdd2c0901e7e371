use std::sync::Arc;
use std::time::Duration;

use super::*;
use crate::model::Firmware;
use crate::model::axes::AxisSet;
use crate::model::machine::{Identity, Limits, MachineState, ModalState};
use crate::model::program::report::{ContentHash, Times};
use crate::model::snapshot::Link;

const NOW: Time = Time::from_millis(1000);

/// An idle FluidNC router of 300 × 200 × 80 mm, homed, its work zero at 100, 50, −20.
fn machine() -> Machine {
    let mut told_range = [None; 9];
    told_range[..3].copy_from_slice(&[Some((0.0, 300.0)), Some((0.0, 200.0)), Some((-80.0, 0.0))]);
    Machine {
        link: Link { state: LinkState::Up, ..Link::default() },
        identity: Some(Identity {
            firmware: Firmware::FluidNc,
            version: "v4.0.5".into(),
            name: None,
            options: String::new(),
            planner_blocks: None,
            rx_bytes: None,
            axes: None,
        }),
        state: Some(MachineState::plain(StateKind::Idle)),
        reported_at: Some(NOW),
        report_interval: Duration::from_millis(200),
        machine_position: Some(AxisVec::zeros(3)),
        work_offset: Some(AxisVec::from_slice(&[100.0, 50.0, -20.0])),
        homed: AxisSet::first(3),
        modal: Some(ModalState { words: vec!["G54".into(), "G21".into()] }),
        limits: Limits {
            told_range,
            spindle_max_rpm: Some(10_000.0),
            max_rate_mm_min: AxisVec::from_slice(&[3000.0, 3000.0, 600.0]),
            ..Limits::default()
        },
        ..Machine::default()
    }
}

fn reach(frame: Frame, min: [f64; 3], max: [f64; 3]) -> Reach {
    let wide = |values: [f64; 3]| std::array::from_fn(|axis| values.get(axis).copied().unwrap_or_default());
    Reach {
        frame,
        axes: AxisSet::first(3),
        min: wide(min),
        max: wide(max),
        min_line: [3; 9],
        max_line: [7; 9],
        unsure: false,
    }
}

fn report(reach: Vec<Reach>) -> Report {
    Report {
        hash: ContentHash([0; 32]),
        bytes: 1,
        lines: 9,
        blocks: 9,
        problems: Vec::new(),
        errors: 0,
        warnings: 0,
        reach,
        units: FileUnits::Mm,
        cut_mm: 0.0,
        rapid_mm: 0.0,
        times: Times::default(),
        spindle_on: Times::default(),
        feed_mm_min: Some((100.0, 1000.0)),
        spindle_rpm: Some((5000.0, 9000.0)),
        systems: Vec::new(),
        tools: Vec::new(),
        waits: Vec::new(),
        timeline: Arc::default(),
        course: Arc::default(),
    }
}

fn kinds(report: &Report, machine: &Machine) -> Vec<(Severity, String)> {
    against(report, machine, NOW).into_iter().map(|problem| (problem.severity, problem.kind)).collect()
}

fn fits() -> Report {
    report(vec![reach(Frame::Active, [0.0, 0.0, -5.0], [200.0, 150.0, 20.0])])
}

#[test]
fn nothing_is_said_of_a_program_that_fits() {
    assert_eq!(against(&fits(), &machine(), NOW), []);
}

#[test]
fn beyond_the_travel_is_said_with_line_and_distance() {
    let found = against(&report(vec![reach(Frame::Active, [-110.0, 0.0, -5.0], [200.0, 151.5, 5.0])]), &machine(), NOW);
    let said: Vec<(Severity, u64, &str)> = found.iter().map(|p| (p.severity, p.line, p.text.as_str())).collect();
    assert_eq!(
        said,
        [
            (Severity::Error, 3, "X goes to -110 in G54 (machine -10), 10 mm beyond its travel of 0 to 300 mm"),
            (Severity::Error, 7, "Y goes to 151.5 in G54 (machine 201.5), 1.5 mm beyond its travel of 0 to 200 mm"),
        ]
    );
}

#[test]
fn every_frame_has_its_own_zero() {
    let mut machine = machine();
    machine.offsets.insert("G55".into(), AxisVec::from_slice(&[200.0, 0.0, -40.0]));
    machine.offsets.insert("G92".into(), AxisVec::from_slice(&[10.0, 0.0, 0.0]));
    machine.offsets.insert("TLO".into(), AxisVec::from_slice(&[5.0]));
    let texts = |frame, min, max| -> Vec<String> {
        against(&report(vec![reach(frame, min, max)]), &machine, NOW).into_iter().map(|problem| problem.text).collect()
    };
    assert_eq!(
        texts(Frame::Work(2), [0.0; 3], [95.0, 10.0, 36.0]),
        [
            "X goes to 95 in G55 (machine 305), 5 mm beyond its travel of 0 to 300 mm",
            "Z goes to 36 in G55 (machine 1), 1 mm beyond its travel of -80 to 0 mm",
        ]
    );
    assert_eq!(texts(Frame::Work(1), [0.0; 3], [200.0, 150.0, 20.0]), Vec::<String>::new());
    assert_eq!(texts(Frame::Machine, [0.0; 3], [1.0, 1.0, 1.0]).len(), 1);
    assert!(texts(Frame::Work(3), [0.0; 3], [1.0; 3])[0].contains("X, Y, Z is not known"));
}

#[test]
fn what_is_not_certain_is_asked() {
    let too_far = |change: fn(&mut Machine, &mut Reach)| {
        let (mut machine, mut reach) = (machine(), reach(Frame::Active, [0.0; 3], [500.0, 1.0, 1.0]));
        change(&mut machine, &mut reach);
        kinds(&report(vec![reach]), &machine)
    };
    let warning = |kind: &str| (Severity::Warning, kind.to_owned());
    assert_eq!(too_far(|machine, _| machine.homed = AxisSet::EMPTY), [warning("not-homed"), warning("out-of-travel")]);
    assert_eq!(too_far(|_, reach| reach.unsure = true), [warning("bounds-unsure"), warning("out-of-travel")]);
    assert_eq!(too_far(|machine, _| machine.work_offset = None), [(Severity::Note, "travel-unknown".to_owned())]);
}

#[test]
fn machine_coordinates_need_homing() {
    let mut machine = machine();
    machine.homed = AxisSet::EMPTY;
    let found = kinds(&report(vec![reach(Frame::Machine, [0.0, 0.0, -1.0], [1.0, 1.0, 0.0])]), &machine);
    assert_eq!(found[0], (Severity::Error, "not-homed".to_owned()));
    machine.limits.homing = Some(false);
    assert_eq!(kinds(&fits(), &machine), [(Severity::Note, "not-homed".to_owned())]);
}

#[test]
fn link_and_state_block_or_ask() {
    let with = |change: fn(&mut Machine)| {
        let mut machine = machine();
        change(&mut machine);
        kinds(&fits(), &machine)
    };
    let error = |kind: &str| vec![(Severity::Error, kind.to_owned())];
    assert_eq!(with(|machine| machine.link.state = LinkState::Opening), error("link-down"));
    assert_eq!(with(|machine| machine.reported_at = None), error("state-unknown"));
    assert_eq!(with(|machine| machine.state = Some(MachineState::plain(StateKind::Alarm))), error("alarm"));
    assert_eq!(with(|machine| machine.state = Some(MachineState::plain(StateKind::Run))), error("not-idle"));
    assert_eq!(
        with(|machine| machine.state = Some(MachineState::plain(StateKind::Check))),
        [(Severity::Warning, "check-mode".to_owned())]
    );
}

#[test]
fn speeds_units_and_axes_are_held_against_the_machine() {
    let mut wild = fits();
    wild.spindle_rpm = Some((0.0, 24_000.0));
    wild.feed_mm_min = Some((1.0, 5000.0));
    assert_eq!(
        kinds(&wild, &machine()),
        [(Severity::Warning, "spindle-speed".to_owned()), (Severity::Note, "feed-above-max".to_owned())]
    );
    let mut inches = machine();
    inches.modal = Some(ModalState { words: vec!["G54".into(), "G20".into()] });
    let unnamed = Report { units: FileUnits::Unnamed, ..fits() };
    assert_eq!(kinds(&unnamed, &inches), [(Severity::Warning, "units-unnamed".to_owned())]);
    let mut four = fits();
    four.reach[0].axes.insert(Axis::A);
    assert_eq!(kinds(&four, &machine()), [(Severity::Error, "axis-missing".to_owned())]);
}
