//! Every step: what it needs to be seen, how long it may take, and what is done instead.

use std::time::Duration;

use super::*;
use crate::model::axes::{AxisSet, AxisVec};
use crate::model::machine::{Accessories, Firmware, Identity, Pins};
use crate::model::snapshot::{Alarm, LinkState, Stop};

const START: Time = Time::from_millis(1_000_000);

/// A machine that is seen, and parking over it.
struct Scene {
    parking: Parking,
    machine: Machine,
    now: Time,
    open: bool,
}

impl Scene {
    /// A program is cutting with the spindle on; it is homed, at −30 of a travel of 100.
    fn new() -> Self {
        Self::at(ParkPlace { z_mm: None, across: vec![(Axis::X, -10.0)], ..ParkPlace::default() })
    }

    fn at(place: ParkPlace) -> Self {
        let mut machine = Machine { report_interval: Duration::from_millis(200), ..Machine::default() };
        machine.link.state = LinkState::Up;
        machine.identity = Some(Identity {
            firmware: Firmware::Grbl,
            version: "1.1h".into(),
            name: None,
            options: "V".into(),
            planner_blocks: None,
            rx_bytes: None,
            axes: Some(3),
        });
        machine.limits.travel_mm = AxisVec::from_slice(&[100.0, 100.0, 100.0]);
        machine.limits.homes_negative = Some(AxisSet::EMPTY);
        machine.homed = AxisSet::first(3);
        machine.machine_position = Some(AxisVec::from_slice(&[-50.0, -50.0, -30.0]));
        machine.accessories = Some(Accessories { spindle_cw: true, ..Accessories::default() });
        let (parking, acts) = Parking::begin("test".into(), "a test".into(), place, &machine, START);
        assert_eq!(acts, [Act::Realtime(Realtime::FeedHold)]);
        Self { parking, machine, now: START, open: true }
    }

    /// Time passes, and this is reported at its end.
    fn seen(&mut self, millis: u64, kind: StateKind, sub: Option<u8>) -> Vec<Act> {
        self.now += Duration::from_millis(millis);
        self.machine.state = Some(MachineState { sub, ..MachineState::plain(kind) });
        self.machine.reported_at = Some(self.now);
        self.look()
    }

    fn look(&mut self) -> Vec<Act> {
        self.parking.look(&self.machine, self.open, self.now)
    }

    /// The same is reported five times a second for so long; what was to be done meanwhile.
    fn goes_on(&mut self, seconds: u64, kind: StateKind, sub: Option<u8>) -> Vec<Act> {
        (0..seconds * 5).flat_map(|_| self.seen(200, kind, sub)).collect()
    }

    fn spindle(&mut self, on: bool) {
        self.machine.accessories = Some(Accessories { spindle_cw: on, ..Accessories::default() });
    }

    fn z(&mut self, z: f64) {
        self.machine.machine_position = Some(AxisVec::from_slice(&[-50.0, -50.0, z]));
    }

    fn step(&self) -> ParkStep {
        self.parking.shown.step.clone()
    }

    fn failed(&self) -> String {
        match self.step() {
            ParkStep::Failed(why) => why,
            other => panic!("{other:?}"),
        }
    }

    fn notes(&self) -> String {
        self.parking.shown.notes.join("; ")
    }

    /// Until `M5` was sent: held, spindle stopped, reset.
    fn until_spindle_off(&mut self) {
        assert_eq!(self.seen(200, StateKind::Hold, Some(0)), [Act::Realtime(Realtime::SpindleStop)]);
        self.spindle(false);
        let acts = self.seen(200, StateKind::Hold, Some(0));
        assert_eq!(acts, [Act::Journal, Act::Realtime(Realtime::StopProgram)]);
        self.open = false;
        assert_eq!(self.seen(200, StateKind::Idle, None), [Act::Line("M5".into())]);
    }

    /// Until Z goes up.
    fn until_lift(&mut self) {
        self.until_spindle_off();
        self.parking.line_ended(&Outcome::Done);
        assert_eq!(self.seen(200, StateKind::Idle, None), [Act::Line("G53 G21 G0 Z-5".into())]);
    }
}

#[test]
fn every_step_is_done_when_it_was_seen() {
    let mut scene = Scene::new();
    // On its way to standstill.
    assert_eq!(scene.seen(100, StateKind::Hold, Some(1)), []);
    scene.until_lift();
    scene.parking.line_ended(&Outcome::Done);
    assert_eq!(scene.seen(200, StateKind::Run, None), []);
    scene.z(-5.0);
    assert_eq!(scene.seen(200, StateKind::Idle, None), [Act::Line("G53 G21 G0 X-10".into())]);
    scene.parking.line_ended(&Outcome::Done);
    scene.machine.machine_position = Some(AxisVec::from_slice(&[-10.0, -50.0, -5.0]));
    assert_eq!(scene.seen(200, StateKind::Idle, None), []);
    assert!(matches!(scene.step(), ParkStep::Done(what) if what.contains("Z up at machine Z -5; at machine X -10")));
    assert_eq!(scene.notes(), "");
}

#[test]
fn what_was_reported_before_or_is_too_old_verifies_nothing() {
    let mut scene = Scene::new();
    scene.machine.state = Some(MachineState { sub: Some(0), ..MachineState::plain(StateKind::Hold) });
    scene.machine.reported_at = Some(START);
    scene.now += Duration::from_secs(1);
    assert_eq!(scene.look(), [], "it was reported before the hold was asked for");
    scene.machine.reported_at = Some(scene.now);
    scene.now += Duration::from_secs(3);
    assert_eq!((scene.look(), scene.step()), (Vec::new(), ParkStep::Hold), "nobody knows what it does now");
    // A hold that is not confirmed yet may have overtaken the report.
    let stop = Stop { asked: Realtime::FeedHold, at: START, phase: StopPhase::Sent };
    scene.machine.stop = Some(stop);
    assert_eq!(scene.seen(200, StateKind::Hold, Some(0)), []);
}

#[test]
fn a_machine_that_is_not_seen_to_stand_is_given_up_and_nothing_more_is_sent() {
    let mut scene = Scene::new();
    assert_eq!(scene.goes_on(14, StateKind::Run, None), []);
    assert_eq!(scene.step(), ParkStep::Hold);
    assert_eq!(scene.goes_on(2, StateKind::Run, None), []);
    assert!(scene.failed().contains("was not seen to obey"), "{}", scene.failed());
    assert_eq!(scene.goes_on(60, StateKind::Hold, Some(0)), [], "given up is given up");
    // The same where nothing is reported at all.
    let mut silent = Scene::new();
    silent.now += Duration::from_secs(15);
    assert_eq!(silent.look(), []);
    assert!(silent.failed().contains("was not seen to obey"));
}

#[test]
fn a_spindle_that_does_not_stop_in_the_hold_is_switched_off_by_the_reset() {
    let mut scene = Scene::new();
    assert_eq!(scene.seen(200, StateKind::Hold, Some(0)), [Act::Realtime(Realtime::SpindleStop)]);
    assert_eq!(scene.goes_on(2, StateKind::Hold, Some(0)), [], "a toggle, so once only");
    let acts = scene.goes_on(1, StateKind::Hold, Some(0));
    assert_eq!(acts, [Act::Journal, Act::Realtime(Realtime::StopProgram)]);
    assert!(scene.notes().contains("the reset switches it off"), "{}", scene.notes());
}

#[test]
fn a_reset_that_does_not_come_through_is_given_up() {
    let mut scene = Scene::new();
    scene.spindle(false);
    let acts = scene.seen(200, StateKind::Hold, Some(0));
    assert_eq!(acts, [Act::Journal, Act::Realtime(Realtime::StopProgram)]);
    // Idle, but the program is still open: its lines could follow.
    assert_eq!(scene.goes_on(14, StateKind::Idle, None), []);
    assert_eq!(scene.step(), ParkStep::Reset);
    assert_eq!(scene.goes_on(1, StateKind::Idle, None), []);
    assert!(scene.failed().contains("was not seen to obey"));
}

#[test]
fn m5_has_to_be_accepted_and_a_spindle_that_is_still_on_is_told() {
    let mut scene = Scene::new();
    scene.until_spindle_off();
    assert_eq!(scene.goes_on(5, StateKind::Idle, None), [], "not accepted, not seen");
    assert!(scene.failed().contains("was not seen to obey"));

    let mut scene = Scene::new();
    scene.until_spindle_off();
    scene.spindle(true);
    scene.parking.line_ended(&Outcome::Done);
    assert_eq!(scene.goes_on(4, StateKind::Idle, None), []);
    assert_eq!(scene.goes_on(1, StateKind::Idle, None), [Act::Line("G53 G21 G0 Z-5".into())]);
    assert!(scene.notes().contains("look at it"), "{}", scene.notes());

    let mut scene = Scene::new();
    scene.until_spindle_off();
    scene.parking.line_ended(&Outcome::Failed { code: 9, text: "locked".into() });
    assert!(scene.failed().contains("did not take the line (error 9: locked). Nothing more is sent"));
    assert_eq!(scene.goes_on(60, StateKind::Idle, None), []);
}

#[test]
fn nothing_is_sent_to_a_machine_that_is_on_hold_or_not_heard_of_after_m5() {
    // A button at the machine: the line would lie in the controller until somebody resumes.
    let mut scene = Scene::new();
    scene.until_spindle_off();
    scene.parking.line_ended(&Outcome::Done);
    assert_eq!(scene.goes_on(60, StateKind::Hold, Some(0)), []);
    assert!(scene.failed().contains("was not seen to obey"));

    // It was accepted, and then nothing is heard any more.
    let mut scene = Scene::new();
    scene.until_spindle_off();
    scene.spindle(true);
    scene.parking.line_ended(&Outcome::Done);
    scene.now += Duration::from_secs(60);
    assert_eq!(scene.look(), []);
    assert!(scene.failed().contains("was not seen to obey"));
}

#[test]
fn what_does_not_get_up_or_across_in_time_is_held_where_it_is() {
    let mut scene = Scene::new();
    scene.until_lift();
    scene.parking.line_ended(&Outcome::Done);
    assert_eq!(scene.goes_on(89, StateKind::Run, None), []);
    assert_eq!(scene.goes_on(1, StateKind::Run, None), [Act::Realtime(Realtime::FeedHold)]);
    assert!(scene.failed().contains("it is held where it is"));

    let mut scene = Scene::new();
    scene.until_lift();
    scene.parking.line_ended(&Outcome::Done);
    scene.z(-5.0);
    scene.seen(200, StateKind::Idle, None);
    assert_eq!(scene.step(), ParkStep::Across);
    // Idle elsewhere is not there.
    assert_eq!(scene.goes_on(90, StateKind::Idle, None), [Act::Realtime(Realtime::FeedHold)]);
    assert!(scene.failed().contains("it is held where it is"));
}

#[test]
fn nothing_moves_into_the_work() {
    // Not homed.
    let mut scene = Scene::new();
    scene.machine.homed = AxisSet::EMPTY;
    scene.until_spindle_off();
    scene.parking.line_ended(&Outcome::Done);
    assert_eq!(scene.seen(200, StateKind::Idle, None), []);
    assert!(scene.step() == ParkStep::Done("the program was ended at standstill, position kept; spindle off".into()));
    assert_eq!(scene.notes(), "Z is not homed, so nothing was moved");

    // Z is homed, X is not.
    let mut scene = Scene::new();
    scene.machine.homed = [Axis::Z].into_iter().collect();
    scene.until_lift();
    scene.parking.line_ended(&Outcome::Done);
    scene.z(-5.0);
    assert_eq!(scene.seen(200, StateKind::Idle, None), []);
    assert_eq!(scene.notes(), "X is not homed, so it was not moved to the park position");

    // Up already, higher than where it is parked: never downward.
    let mut scene = Scene::at(ParkPlace { z_mm: Some(-20.0), ..ParkPlace::default() });
    scene.z(-2.0);
    scene.until_spindle_off();
    scene.parking.line_ended(&Outcome::Done);
    assert_eq!(scene.seen(200, StateKind::Idle, None), []);
    assert!(matches!(scene.step(), ParkStep::Done(what) if what.contains("Z was up already")));

    // Places outside of the travel.
    for (place, note) in [
        (
            ParkPlace { z_mm: Some(30.0), ..ParkPlace::default() },
            "Z 30 lies outside of the travel, -100 to 0, so nothing",
        ),
        (
            ParkPlace { z_mm: Some(-5.0), across: vec![(Axis::X, 7.0)], ..ParkPlace::default() },
            "X 7 lies outside of the travel, -100 to 0, so it was not moved",
        ),
    ] {
        let mut scene = Scene::at(place.clone());
        let before = out_of_reach(&place, &scene.machine).expect("it is known before");
        assert!(note.starts_with(&before), "{before}");
        scene.until_spindle_off();
        scene.parking.line_ended(&Outcome::Done);
        scene.seen(200, StateKind::Idle, None);
        scene.parking.line_ended(&Outcome::Done);
        scene.z(-5.0);
        scene.seen(200, StateKind::Idle, None);
        assert!(matches!(scene.step(), ParkStep::Done(_)) && scene.notes().contains(note), "{}", scene.notes());
    }

    // Its travel is not known.
    let mut scene = Scene::new();
    assert_eq!(out_of_reach(&ParkPlace { z_mm: Some(-5.0), ..ParkPlace::default() }, &scene.machine), None);
    scene.machine.limits.travel_mm = AxisVec::from_slice(&[0.0, 0.0, 0.0]);
    scene.until_spindle_off();
    scene.parking.line_ended(&Outcome::Done);
    assert_eq!(scene.seen(200, StateKind::Idle, None), []);
    assert_eq!(scene.notes(), "no safe height of Z is known, so nothing was moved");
}

#[test]
fn an_alarm_or_a_person_ends_it_at_any_step() {
    let mut scene = Scene::new();
    scene.until_lift();
    scene.machine.alarm = Some(Alarm { info: None, since: scene.now, pins: Pins::NONE, needs_reset: false });
    assert_eq!(scene.seen(200, StateKind::Alarm, None), []);
    assert!(scene.failed().contains("an alarm came up"));

    let mut scene = Scene::new();
    scene.until_spindle_off();
    scene.parking.interrupted("screen 1 has stopped or resumed the machine");
    assert!(scene.failed().contains("given up at \"M5\": screen 1"));
    scene.parking.interrupted("somebody else too");
    assert!(!scene.failed().contains("somebody"), "the first reason stays");
    assert_eq!(scene.goes_on(100, StateKind::Idle, None), []);
}

#[test]
fn a_machine_that_stands_is_not_reset_and_one_that_jogs_is_stopped_as_a_jog_is() {
    let mut scene = Scene::new();
    scene.open = false;
    assert_eq!(scene.seen(200, StateKind::Idle, None), [Act::Line("M5".into())]);
    let jogs = Machine { state: Some(MachineState::plain(StateKind::Jog)), ..Machine::default() };
    let (_, acts) = Parking::begin("w".into(), "a test".into(), ParkPlace::default(), &jogs, START);
    assert_eq!(acts, [Act::Realtime(Realtime::Stop)]);
    // An open door stands too.
    let mut scene = Scene::new();
    scene.spindle(false);
    assert_eq!(scene.seen(200, StateKind::Door, Some(1)).len(), 2);
}
