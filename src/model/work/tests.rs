use std::collections::BTreeMap;

use super::order::{Frame, GoTo, OffsetChange, Slot, Stored, Switch, Wcs, Work};
use super::*;
use crate::model::axes::{Axis, AxisSet, AxisVec};
use crate::model::command::{Command, Origin};
use crate::model::legal;
use crate::model::machine::{Firmware, Identity, Limits, MachineState, ModalState, StateKind};
use crate::model::snapshot::{LinkState, Snapshot};
use crate::model::time::Time;

const FIRMWARES: [Firmware; 3] = [Firmware::Grbl, Firmware::FluidNc, Firmware::GrblHal];

fn v(values: &[f64]) -> AxisVec {
    AxisVec::from_slice(values)
}

fn modal(words: &str) -> ModalState {
    ModalState { words: words.split(' ').map(str::to_owned).collect() }
}

/// Idle, homed, at machine (-100, -100, -20), work zero at (-150, -120, -40), Z travel 60.
fn idle(firmware: Firmware) -> Snapshot {
    let mut snapshot = Snapshot::default();
    let machine = &mut snapshot.machine;
    machine.link.state = LinkState::Up;
    machine.identity = Some(Identity {
        firmware,
        version: "1".into(),
        name: None,
        options: "V".into(),
        planner_blocks: None,
        rx_bytes: None,
        axes: Some(3),
    });
    machine.state = Some(MachineState::plain(StateKind::Idle));
    machine.reported_at = Some(Time::ZERO);
    machine.machine_position = Some(v(&[-100.0, -100.0, -20.0]));
    machine.work_offset = Some(v(&[-150.0, -120.0, -40.0]));
    machine.work_position = Some(v(&[50.0, 20.0, 20.0]));
    machine.homed = AxisSet::first(3);
    machine.modal = Some(modal("G0 G54 G17 G21 G90 G94"));
    machine.limits = Limits {
        travel_mm: v(&[300.0, 200.0, 60.0]),
        homes_negative: Some(AxisSet::EMPTY),
        homing_flags: Some(1),
        ..Limits::default()
    };
    for (place, range) in [(-300.0, 0.0), (-200.0, 0.0), (-60.0, 0.0)].into_iter().enumerate() {
        machine.limits.told_range[place] = Some(range);
    }
    let zero = AxisVec::zeros(3);
    machine.offsets = BTreeMap::from([
        ("G54".to_owned(), v(&[-150.0, -120.0, -40.0])),
        ("G28".to_owned(), v(&[-10.0, -10.0, -5.0])),
        ("G92".to_owned(), zero),
        ("TLO".to_owned(), v(&[0.0])),
    ]);
    snapshot
}

fn check(command: &Command, snapshot: &Snapshot) -> Result<(), String> {
    legal::check(command, snapshot, Time::ZERO).map_err(|why| why.0)
}

fn to(targets: &[(Axis, f64)], frame: Frame) -> GoTo {
    GoTo::Point { targets: targets.to_vec(), frame, feed_mm_min: None }
}

fn changed(slot: Slot, before: &[f64], after: &[f64]) -> OffsetChange {
    let (before, after) = (v(before), v(after));
    OffsetChange { id: 7, at: Time::ZERO, who: Origin::Hub, what: String::new(), slot, before, after, undoes: None }
}

fn undo_of(change: OffsetChange) -> Result<String, String> {
    let mut snapshot = idle(Firmware::Grbl);
    snapshot.offset_history.push(change);
    check(&Command::Work(Work::Undo(7)), &snapshot)?;
    of_work(&Work::Undo(7), &snapshot).map_err(|why| why.0)
}

#[test]
fn offsets_are_written_as_every_firmware_reads_them() {
    let wcs = Wcs::from_name("G55").unwrap();
    let half: AxisSet = [Axis::X, Axis::Z].into_iter().collect();
    for firmware in FIRMWARES {
        let snapshot = idle(firmware);
        for (work, line) in [
            (Work::Select(wcs), "G55"),
            (Work::Set(vec![(Axis::X, 12.5), (Axis::Y, -3.0)]), "G10 L20 P0 X12.5 Y-3"),
            (Work::Half(half), "G10 L20 P0 X25 Z10"),
            (Work::Store(Stored::G28), "G28.1"),
            (Work::Store(Stored::G30), "G30.1"),
            (Work::ClearG92, "G92.1"),
            (Work::SetToolLength(-4.25), "G43.1 Z-4.25"),
            (Work::ClearToolLength, "G49"),
        ] {
            assert_eq!(check(&Command::Work(work.clone()), &snapshot), Ok(()), "{work:?}");
            assert_eq!(of_work(&work, &snapshot).unwrap(), line, "{firmware}");
        }
    }
}

#[test]
fn offsets_are_in_the_units_in_force_or_refused() {
    let mut snapshot = idle(Firmware::Grbl);
    snapshot.machine.modal = Some(modal("G54 G20 G90"));
    let set = Work::Set(vec![(Axis::X, 25.4)]);
    assert_eq!(of_work(&set, &snapshot).unwrap(), "G10 L20 P0 X1");
    snapshot.machine.modal = None;
    assert!(of_work(&set, &snapshot).unwrap_err().0.contains("$G"));
    assert_eq!(of_work(&Work::Set(vec![(Axis::X, 0.0)]), &snapshot).unwrap(), "G10 L20 P0 X0", "0 is 0 in both");
}

#[test]
fn a_change_is_undone_by_writing_what_was_before() {
    let g55 = Slot::Wcs(Wcs::from_name("G55").unwrap());
    for (change, line) in [
        (changed(g55, &[1.0, 2.0, 3.0], &[4.0, 2.0, 5.0]), "G10 L2 P2 X1 Z3"),
        (changed(Slot::G92, &[0.0; 3], &[5.0, 0.0, 0.0]), "G92.1"),
        // G92 is 0 now and the position reads 50: an offset of 5 makes it read 45.
        (changed(Slot::G92, &[5.0, 0.0, 0.0], &[0.0; 3]), "G92 X45"),
        (changed(Slot::Tlo, &[0.0], &[4.0]), "G49"),
        (changed(Slot::Tlo, &[4.0], &[0.0]), "G43.1 Z4"),
        (changed(Slot::Tlo, &[0.0, 0.0, 4.0], &[0.0; 3]), "G43.1 Z4"),
    ] {
        assert_eq!(undo_of(change.clone()).as_deref(), Ok(line), "{change:?}");
    }
    let stored = undo_of(changed(Slot::Stored(Stored::G28), &[1.0; 3], &[2.0; 3])).unwrap_err();
    assert!(stored.contains("go back there"), "{stored}");
    let gone = check(&Command::Work(Work::Undo(99)), &idle(Firmware::Grbl)).unwrap_err();
    assert!(gone.contains("not in the history"), "{gone}");
}

#[test]
fn the_newest_change_that_still_stands_is_undone_next() {
    let row = |id, undoes| OffsetChange { id, undoes, ..changed(Slot::G92, &[0.0], &[1.0]) };
    let next = |history: &[OffsetChange]| newest_to_undo(history).map(|change| change.id);
    assert_eq!(next(&[]), None);
    assert_eq!(next(&[row(1, None), row(2, None)]), Some(2));
    assert_eq!(next(&[row(1, None), row(2, None), row(3, Some(2))]), Some(1));
    assert_eq!(next(&[row(1, None), row(2, Some(1))]), None);
}

#[test]
fn a_move_says_units_and_mode_and_changes_neither() {
    let snapshot = |words| {
        let mut snapshot = idle(Firmware::Grbl);
        snapshot.machine.modal = Some(modal(words));
        snapshot
    };
    let x = [(Axis::X, 25.4)];
    for (words, frame, line) in [
        ("G54 G21 G90", Frame::Work, "G90 G21 G0 X25.4"),
        ("G54 G21 G90", Frame::Relative, "G90 G21 G0 X75.4"),
        ("G54 G21 G90", Frame::Machine, "G53 G21 G0 X25.4"),
        ("G54 G20 G90", Frame::Work, "G90 G20 G0 X1"),
        ("G54 G21 G91", Frame::Work, "G53 G21 G0 X-124.6"),
        ("G54 G21 G91", Frame::Relative, "G91 G21 G0 X25.4"),
    ] {
        let lines = of_go_to(&to(&x, frame), &snapshot(words).machine).unwrap();
        assert_eq!(lines, [line], "{words} {frame:?}");
    }
    let fed = GoTo::Point { targets: x.to_vec(), frame: Frame::Work, feed_mm_min: Some(600.0) };
    assert_eq!(of_go_to(&fed, &idle(Firmware::Grbl).machine).unwrap(), ["G90 G21 G94 G1 F600 X25.4"]);
    let mut unknown = idle(Firmware::Grbl);
    unknown.machine.modal = None;
    assert!(of_go_to(&to(&x, Frame::Work), &unknown.machine).is_err());
}

#[test]
fn work_zero_lifts_first_and_lowers_last() {
    let machine = idle(Firmware::Grbl).machine;
    let all = AxisSet::first(3);
    let lift_to_mm = safe_z_mm(&machine).unwrap();
    assert_eq!(lift_to_mm, Some(-5.0));
    assert_eq!(
        of_go_to(&GoTo::WorkZero { axes: all, lift_to_mm }, &machine).unwrap(),
        ["G53 G21 G0 Z-5", "G90 G21 G0 X0 Y0", "G90 G21 G0 Z0"]
    );
    assert_eq!(
        of_go_to(&GoTo::Stored { stored: Stored::G28, lift_to_mm }, &machine).unwrap(),
        ["G53 G21 G0 Z-5", "G28"]
    );
    let mut high = machine.clone();
    high.machine_position = Some(v(&[0.0, 0.0, -1.0]));
    assert_eq!(safe_z_mm(&high).unwrap(), None, "it is above already");
    let mut lost = machine;
    lost.homed = AxisSet::first(2);
    assert!(safe_z_mm(&lost).unwrap_err().0.contains("not homed"));
}

#[test]
fn travel_follows_each_firmwares_convention() {
    for firmware in FIRMWARES {
        let mut snapshot = idle(firmware);
        let range =
            |snapshot: &Snapshot, axis| snapshot.machine.limits.machine_range(axis, snapshot.machine.identity.as_ref());
        assert_eq!(range(&snapshot, Axis::X), Some((-300.0, 0.0)), "{firmware}");
        snapshot.machine.limits.homes_negative = Some(AxisSet::first(1));
        assert_eq!(range(&snapshot, Axis::X), Some((-300.0, 0.0)), "{firmware}: the switch's side alone says nothing");
        snapshot.machine.limits.homing_flags = Some(9);
        if let Some(identity) = &mut snapshot.machine.identity {
            identity.options = "VZ".into();
        }
        let up = if firmware == Firmware::FluidNc { (-300.0, 0.0) } else { (0.0, 300.0) };
        assert_eq!(range(&snapshot, Axis::X), Some(up), "{firmware}: zero at the switch");
        assert_eq!(range(&snapshot, Axis::Y), Some((-200.0, 0.0)), "{firmware}");
        assert_eq!(range(&snapshot, Axis::A), None, "{firmware}: no such axis");
        snapshot.machine.limits = Limits::default();
        assert_eq!(range(&snapshot, Axis::X), None, "{firmware}: unknown, not 0");
    }
}

#[test]
fn out_of_travel_is_refused_with_the_numbers() {
    let snapshot = idle(Firmware::GrblHal);
    let refused = check(&Command::GoTo(to(&[(Axis::X, 200.0)], Frame::Work)), &snapshot).unwrap_err();
    assert_eq!(refused, "X 200 would be machine 50, outside the travel of -300 to 0 mm");
    for (targets, frame, good) in [
        (&[(Axis::X, 150.0)][..], Frame::Work, true),
        (&[(Axis::X, 150.1)], Frame::Work, false),
        (&[(Axis::Z, -41.0)], Frame::Relative, false),
        (&[(Axis::Z, -40.0)], Frame::Relative, true),
        (&[(Axis::Y, -201.0)], Frame::Machine, false),
        (&[(Axis::A, 1.0)], Frame::Work, false),
        (&[(Axis::X, f64::NAN)], Frame::Work, false),
        (&[(Axis::X, 1.0), (Axis::X, 2.0)], Frame::Work, false),
        (&[], Frame::Work, false),
    ] {
        assert_eq!(check(&Command::GoTo(to(targets, frame)), &snapshot).is_ok(), good, "{targets:?} {frame:?}");
    }
    // Nothing is known of where an axis stands that is not homed: allowed, and said.
    let mut lost = snapshot;
    lost.machine.homed = AxisSet::EMPTY;
    assert_eq!(check_target(&lost.machine, Axis::X, 200.0, Frame::Work), Ok(false));
    assert!(check(&Command::GoTo(to(&[(Axis::X, 200.0)], Frame::Work)), &lost).is_ok());
    let machine = check(&Command::GoTo(to(&[(Axis::X, -1.0)], Frame::Machine)), &lost).unwrap_err();
    assert!(machine.contains("home X"), "{machine}");
    let stored = GoTo::Stored { stored: Stored::G28, lift_to_mm: None };
    assert!(check(&Command::GoTo(stored), &lost).unwrap_err().contains("home first"));
    assert!(check(&Command::Work(Work::Store(Stored::G28)), &lost).unwrap_err().contains("home first"));
}

#[test]
fn a_lift_never_lowers() {
    let snapshot = idle(Firmware::Grbl);
    for (z, good) in [(-5.0, true), (-20.0, true), (-30.0, false), (1.0, false), (f64::NAN, false)] {
        let go_to = GoTo::WorkZero { axes: AxisSet::first(2), lift_to_mm: Some(z) };
        assert_eq!(check(&Command::GoTo(go_to), &snapshot).is_ok(), good, "{z}");
    }
}

#[test]
fn each_order_is_legal_in_its_states_only() {
    use StateKind::{Alarm, Check, Hold, Idle, Jog, Run, Sleep};
    let spindle = Switch::Spindle { counter_clockwise: false, rpm: 8000.0 };
    for (command, states) in [
        (Command::Work(Work::ClearG92), &[Idle][..]),
        (Command::GoTo(to(&[(Axis::X, 1.0)], Frame::Work)), &[Idle]),
        (Command::Switch(spindle), &[Idle]),
        (Command::Switch(Switch::CoolantOff), &[Idle]),
        (Command::Switch(Switch::Sleep), &[Idle, Alarm]),
        (Command::Switch(Switch::CheckMode), &[Idle, Check]),
    ] {
        for state in [Idle, Run, Hold, Jog, Alarm, Check, Sleep] {
            let mut snapshot = idle(Firmware::FluidNc);
            snapshot.machine.state = Some(MachineState::plain(state));
            assert_eq!(check(&command, &snapshot).is_ok(), states.contains(&state), "{command:?} {state:?}");
        }
    }
}

#[test]
fn what_a_machine_does_not_have_is_refused() {
    let mut snapshot = idle(Firmware::Grbl);
    let select = Command::Work(Work::Select(Wcs::from_name("G59.3").unwrap()));
    assert!(check(&select, &snapshot).unwrap_err().contains("G54 to G59 only"));
    assert!(check(&select, &idle(Firmware::GrblHal)).is_ok());
    assert_eq!(Wcs::all(Some(Firmware::Grbl)).last().map(Wcs::name), Some("G59"));
    assert_eq!(Wcs::all(Some(Firmware::GrblHal)).last().map(Wcs::name), Some("G59.3"));
    snapshot.machine.limits.spindle_max_rpm = Some(10_000.0);
    let fast = |rpm| Command::Switch(Switch::Spindle { counter_clockwise: false, rpm });
    assert!(check(&fast(24_000.0), &snapshot).unwrap_err().contains("maximum of 10000"));
    assert!(check(&fast(10_000.0), &snapshot).is_ok());
    assert!(check(&fast(0.0), &snapshot).is_err());
}

#[test]
fn switches_are_written_plainly() {
    let lines = [
        Switch::Spindle { counter_clockwise: false, rpm: 8000.0 },
        Switch::Spindle { counter_clockwise: true, rpm: 500.5 },
        Switch::SpindleOff,
        Switch::Mist,
        Switch::Flood,
        Switch::CoolantOff,
        Switch::Sleep,
        Switch::CheckMode,
    ]
    .map(of_switch);
    assert_eq!(lines, ["M3 S8000", "M4 S500.5", "M5", "M7", "M8", "M9", "$SLP", "$C"]);
}

#[test]
fn the_work_offset_is_the_sum_of_three() {
    let mut offsets = idle(Firmware::Grbl).machine.offsets;
    offsets.insert("G92".into(), v(&[1.0, 0.0, 0.0]));
    offsets.insert("TLO".into(), v(&[4.0]));
    assert_eq!(work_offset_of(&offsets, "G54"), Some(v(&[-149.0, -120.0, -36.0])));
    offsets.insert("TLO".into(), v(&[0.0, 0.0, 5.0]));
    assert_eq!(work_offset_of(&offsets, "G54"), Some(v(&[-149.0, -120.0, -35.0])));
    assert_eq!(work_offset_of(&offsets, "G55"), None);
}
