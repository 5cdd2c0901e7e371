use std::collections::BTreeMap;

use crate::model::command::{ClientId, Origin, OverrideStep, RapidStep};
use crate::model::machine::{Accessories, MachineState, ModalState, Overrides};
use crate::model::snapshot::Snapshot;
use crate::model::work::{Frame, GoTo, OffsetChange, Slot, Stored, Switch, Wcs, Work};
use crate::model::{Axis, AxisSet, AxisVec, Command, Realtime, StateKind, Time};
use crate::ui::state::{Effect, Mode, Tab};
use crate::ui::testing::{self, NOW, Scene};

fn v(values: &[f64]) -> AxisVec {
    AxisVec::from_slice(values)
}

/// At work (12.345, 0, 5), machine (-187.655, -200, -5), Z travel from -60 to 0.
pub(in crate::ui) fn known() -> Snapshot {
    let mut snapshot = testing::idle();
    let machine = &mut snapshot.machine;
    let words = ["G0", "G54", "G17", "G21", "G90"];
    machine.modal = Some(ModalState { words: words.map(str::to_owned).into() });
    machine.homed = AxisSet::first(3);
    for (place, low) in [(0, -300.0), (1, -200.0), (2, -60.0)] {
        machine.limits.told_range[place] = Some((low, 0.0));
    }
    machine.offsets = BTreeMap::from([
        ("G54".to_owned(), v(&[-200.0, -200.0, -10.0])),
        ("G55".to_owned(), v(&[0.0, 0.0, 0.0])),
        ("G28".to_owned(), v(&[-10.0, -10.0, -5.0])),
        ("G30".to_owned(), v(&[0.0, 0.0, 0.0])),
        ("G92".to_owned(), v(&[0.0, 0.0, 0.0])),
        ("TLO".to_owned(), v(&[0.0, 0.0, 0.0])),
    ]);
    snapshot.offset_history = vec![
        change(1, "G54", &[-190.0, -200.0, -10.0], &[-200.0, -200.0, -10.0], None),
        change(2, "G92", &[0.0, 0.0, 0.0], &[5.0, 0.0, 0.0], None),
        change(3, "G92", &[5.0, 0.0, 0.0], &[0.0, 0.0, 0.0], Some(2)),
    ];
    snapshot
}

fn change(id: u64, slot: &str, before: &[f64], after: &[f64], undoes: Option<u64>) -> OffsetChange {
    OffsetChange {
        id,
        at: Time::from_millis(61_000 * id),
        who: Origin::Screen(ClientId(1)),
        what: undoes.map_or("set work X to 0".to_owned(), |id| format!("undo change {id}")),
        slot: Slot::from_name(slot).unwrap(),
        before: v(before),
        after: v(after),
        undoes,
    }
}

fn type_text(scene: &mut Scene, text: &str) {
    for c in text.chars() {
        let name = if c == ' ' { "Space".to_owned() } else { c.to_string() };
        scene.press(&[&name]);
    }
}

fn busy(kind: StateKind) -> Scene {
    let mut snapshot = known();
    snapshot.machine.state = Some(MachineState::plain(kind));
    Scene::new(snapshot)
}

#[test]
fn a_point_is_typed_shown_and_only_then_sent() {
    let mut scene = Scene::new(known());
    scene.press(&["t"]);
    assert_eq!((scene.ui.tab, scene.ui.mode.clone()), (Tab::Offsets, Mode::Field));
    type_text(&mut scene, "-12,5");
    scene.press(&["Tab", "Tab"]);
    type_text(&mut scene, "2mm");
    assert_eq!(scene.press(&["Enter"]), [], "shown first");
    let text = scene.text(80, 24);
    assert!(text.contains("G90 G21 G0 X-12.5 Z2") && text.contains("Within the travel"), "{text}");
    // A second Enter leaves it: going needs a choice.
    assert_eq!(scene.press(&["Enter"]), []);
    scene.press(&["t", "Enter"]);
    let go = GoTo::Point { targets: vec![(Axis::X, -12.5), (Axis::Z, 2.0)], frame: Frame::Work, feed_mm_min: None };
    assert_eq!(scene.press(&["g", "Enter"]), [Effect::Submit(Command::GoTo(go))], "what was typed is kept");
}

#[test]
fn what_cannot_be_is_said_in_the_form_and_nothing_is_sent() {
    for (text, says) in [
        ("5..5", "more than one point"),
        ("abc", "is not a number"),
        ("500", "X 500 would be machine 300, outside the travel of -300 to 0 mm"),
        ("", "at least one axis"),
    ] {
        let mut scene = Scene::new(known());
        scene.press(&["t"]);
        type_text(&mut scene, text);
        assert_eq!(scene.press(&["Enter"]), []);
        assert!(scene.ui.popup.is_none() && scene.ui.mode == Mode::Field);
        let error = scene.ui.offsets.form.as_ref().unwrap().error.clone().unwrap();
        assert!(error.contains(says), "{text}: {error}");
        assert!(scene.text(80, 24).contains(&says[..12]), "{}", scene.text(80, 24));
    }
    let mut lost = known();
    lost.machine.homed = AxisSet::EMPTY;
    let mut scene = Scene::new(lost);
    scene.press(&["t", "5", "Enter"]);
    assert!(scene.text(80, 24).contains("Travel NOT checked for X"), "{}", scene.text(80, 24));
}

#[test]
fn frames_change_by_a_key_and_axes_are_those_of_the_machine() {
    let mut scene = Scene::new(known());
    scene.press(&["t", "PgDn", "PgDn", "-", "5"]);
    assert!(scene.text(80, 24).contains("machine coordinates"));
    scene.press(&["Enter"]);
    assert!(scene.text(80, 24).contains("G53 G21 G0 X-5"), "{}", scene.text(80, 24));
    assert_eq!(scene.ui.offsets.form.as_ref().unwrap().fields.len(), 4, "X Y Z and the feed");
}

#[test]
fn small_changes_go_at_once_and_large_ones_are_asked_about() {
    let mut scene = Scene::new(known());
    scene.press(&["O", "="]);
    type_text(&mut scene, "10");
    let set = |value| Effect::Submit(Command::Work(Work::Set(vec![(Axis::X, value)])));
    assert_eq!(scene.press(&["Enter"]), [set(10.0)]);
    assert_eq!(scene.ui.mode, Mode::Main);
    scene.press(&["="]);
    type_text(&mut scene, "100");
    assert_eq!(scene.press(&["Enter"]), []);
    let text = scene.text(80, 24);
    assert!(text.contains("X reads 12.345 and will read 100 mm.") && text.contains("G10 L20 P0 X100"), "{text}");
    assert_eq!(scene.press(&["g", "Enter"]), [set(100.0)]);
}

#[test]
fn rows_do_what_they_can_and_say_what_they_cannot() {
    let on_row = |down: usize, key: &str| {
        let mut scene = Scene::new(known());
        scene.press(&["O"]);
        for _ in 0..down {
            scene.press(&["Down"]);
        }
        let effects = scene.press(&[key]);
        (scene, effects)
    };
    let g55 = Wcs::from_name("G55").unwrap();
    assert_eq!(on_row(1, "a").1, [Effect::Submit(Command::Work(Work::Select(g55)))]);
    let (scene, effects) = on_row(1, "=");
    assert!(effects.is_empty() && scene.text(80, 24).contains("not the active system"));
    let (mut scene, _) = on_row(0, "/");
    let half = Work::Half([Axis::X].into_iter().collect());
    assert_eq!(scene.press(&["x", "Enter"]), [Effect::Submit(Command::Work(half))]);
    // FluidNC has nine systems, then G28, G30, G92, TLO.
    let (mut scene, _) = on_row(9, ".");
    assert_eq!(scene.press(&["Enter"]), [Effect::Submit(Command::Work(Work::Store(Stored::G28)))]);
    let (mut scene, _) = on_row(11, "0");
    assert_eq!(scene.press(&["Enter"]), [Effect::Submit(Command::Work(Work::ClearG92))]);
    let (mut scene, _) = on_row(12, "=");
    scene.press(&["4"]);
    assert_eq!(scene.press(&["Enter"]), [Effect::Submit(Command::Work(Work::SetToolLength(4.0)))]);
    let (scene, effects) = on_row(40, "a");
    assert!(effects.is_empty() && scene.text(80, 24).contains("only G54"));
}

#[test]
fn undo_takes_the_newest_change_that_stands_and_asks() {
    let mut scene = Scene::new(known());
    assert_eq!(scene.press(&["x"]), []);
    let text = scene.text(80, 24);
    assert!(text.contains("G10 L2 P1 X-190") && text.contains("set work X to 0"), "{text}");
    assert_eq!(scene.press(&["Enter"]), [Effect::Submit(Command::Work(Work::Undo(1)))]);
    scene.snapshot.offset_history.clear();
    scene.press(&["x"]);
    assert!(scene.ui.popup.is_none() && scene.text(80, 24).contains("no change of offsets to undo"));
}

#[test]
fn work_zero_is_gone_to_by_choice_with_z_lifted_or_the_reason_why_not() {
    let mut scene = Scene::new(known());
    scene.snapshot.machine.machine_position = Some(v(&[-187.655, -200.0, -20.0]));
    scene.press(&["g"]);
    assert!(scene.text(80, 24).contains("Z goes up to machine -5 first"), "{}", scene.text(80, 24));
    assert_eq!(scene.press(&["Enter"]), [], "nothing is chosen yet");
    scene.press(&["g"]);
    let xy: AxisSet = [Axis::X, Axis::Y].into_iter().collect();
    let zero = GoTo::WorkZero { axes: xy, lift_to_mm: Some(-5.0) };
    assert_eq!(scene.press(&["0", "Enter"]), [Effect::Submit(Command::GoTo(zero))]);
    scene.snapshot.machine.homed = AxisSet::EMPTY;
    scene.press(&["g"]);
    let text = scene.text(80, 24);
    assert!(text.contains("Z is NOT lifted first") && text.contains("home first"), "{text}");
}

#[test]
fn nothing_of_it_is_offered_while_the_machine_runs() {
    for key in ["g", "t", "x", "c", "p"] {
        let mut scene = busy(StateKind::Run);
        assert_eq!(scene.press(&[key]), [], "{key}");
        assert!(scene.ui.popup.is_none() && scene.ui.mode == Mode::Main, "{key}");
        assert!(scene.ui.notice.is_some(), "{key} says why");
    }
}

#[test]
fn overrides_change_by_arrows_while_they_are_shown_only() {
    let mut scene = busy(StateKind::Run);
    scene.snapshot.machine.overrides = Some(Overrides { feed: 100, rapid: 100, spindle: 100 });
    assert_eq!(scene.press(&["Right"]), []);
    scene.press(&["o"]);
    let feed = |step| vec![Effect::Realtime(Realtime::FeedOverride(step))];
    for (key, effects) in [
        ("Right", feed(OverrideStep::CoarsePlus)),
        ("Left", feed(OverrideStep::CoarseMinus)),
        ("+", feed(OverrideStep::FinePlus)),
        ("-", feed(OverrideStep::FineMinus)),
        ("0", feed(OverrideStep::Reset)),
        ("Down", Vec::new()),
        ("Left", vec![Effect::Realtime(Realtime::RapidOverride(RapidStep::Half))]),
        ("Down", Vec::new()),
        ("Right", vec![Effect::Realtime(Realtime::SpindleOverride(OverrideStep::CoarsePlus))]),
        // What a split arrow leaves behind.
        ("[", Vec::new()),
        ("C", Vec::new()),
        ("i", Vec::new()),
        ("Space", vec![Effect::Realtime(Realtime::Stop)]),
        ("Esc", Vec::new()),
        ("Right", Vec::new()),
    ] {
        assert_eq!(scene.press(&[key]), effects, "{key}");
    }
    assert_eq!(scene.ui.mode, Mode::Main);
}

#[test]
fn coolant_and_spindle_are_bytes_while_busy_and_lines_while_idle() {
    let mut idle = Scene::new(known());
    let switch = |switch| vec![Effect::Submit(Command::Switch(switch))];
    assert_eq!(idle.press(&["F8"]), switch(Switch::Flood));
    assert_eq!(idle.press(&["F7"]), switch(Switch::Mist));
    idle.snapshot.machine.accessories = Some(Accessories { flood: true, ..Accessories::default() });
    assert_eq!(idle.press(&["F8"]), switch(Switch::CoolantOff));
    idle.snapshot.machine.accessories = Some(Accessories { flood: true, mist: true, ..Accessories::default() });
    assert_eq!(idle.press(&["F8"]), [Effect::Realtime(Realtime::FloodToggle)], "M9 would take the mist too");
    let mut running = busy(StateKind::Run);
    assert_eq!(running.press(&["F7"]), [Effect::Realtime(Realtime::MistToggle)]);
    assert_eq!(busy(StateKind::Hold).press(&["F9"]), [Effect::Realtime(Realtime::SpindleStop)]);
    assert_eq!(busy(StateKind::Run).press(&["d"]), [Effect::Realtime(Realtime::SafetyDoor)]);
    idle.press(&["F9", "Enter"]);
    assert_eq!((idle.ui.mode.clone(), idle.ui.mdi.text().as_str()), (Mode::Mdi, "M3 S"));
    let mut asked = Scene::new(known());
    assert_eq!(asked.press(&["p", "Enter"]), switch(Switch::Sleep));
    assert_eq!(asked.press(&["c", "Enter"]), switch(Switch::CheckMode));
}

#[test]
fn the_panels() {
    let mut scene = Scene::new(known());
    scene.press(&["O"]);
    insta::assert_snapshot!("offsets", scene.text(80, 24));
    insta::assert_snapshot!("offsets_small", scene.text(60, 18));
    scene.press(&["t", "1"]);
    insta::assert_snapshot!("go_to_form", scene.text(80, 24));
    scene.press(&["Esc", "M", "o"]);
    scene.now = NOW;
    scene.snapshot.machine.overrides = Some(Overrides { feed: 120, rapid: 50, spindle: 100 });
    insta::assert_snapshot!("overrides", scene.text(80, 24));
}
