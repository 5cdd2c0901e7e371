use super::*;
use crate::model::StateKind::{Door, Hold, Idle, Jog, Run};
use crate::model::command::HomeTarget;
use crate::model::hub::LogEvent;
use crate::model::machine::MachineState;
use crate::model::snapshot::LinkState;
use crate::model::{Axis, AxisSet, AxisVec};
use crate::ui::testing::{self, NOW, Scene, key, key_as, ms};

fn realtime(realtime: Realtime) -> Vec<Effect> {
    vec![Effect::Realtime(realtime)]
}

fn state(kind: StateKind) -> Scene {
    Scene::new(testing::in_state(MachineState::plain(kind)))
}

/// Every mode that the screen can be in, by the keys that lead there.
const MODES: &[(&str, &[&str])] = &[
    ("main", &[]),
    ("jog", &["i"]),
    ("help", &["?"]),
    ("home question", &["H"]),
    ("zero question", &["z"]),
    ("quit question over nothing", &["F1", "Esc"]),
    ("wire", &["v"]),
    ("scrolled", &["PgUp"]),
    ("overrides", &["o"]),
    ("offsets", &["O"]),
    ("go-to question", &["g"]),
    ("spindle question", &["F9"]),
];
const TEXT_MODES: &[(&str, &[&str])] =
    &[("line", &["Enter"]), ("line with text", &["m", "G", "0"]), ("palette", &[":"]), ("go-to form", &["t"])];

#[test]
fn stop_keys_work_in_every_mode_and_state() {
    for kind in [Idle, Run, Hold, Jog, Door, StateKind::Alarm, StateKind::Home, StateKind::Sleep] {
        for (mode, keys) in MODES {
            for (stop, expected) in [
                ("Space", Realtime::Stop),
                ("Ctrl+Space", Realtime::Stop),
                ("Alt+Space", Realtime::Stop),
                ("!", Realtime::FeedHold),
                ("@", Realtime::StopProgram),
            ] {
                let mut scene = Scene::new(testing::idle());
                scene.press(keys);
                scene.snapshot = testing::in_state(MachineState::plain(kind));
                assert_eq!(scene.press(&[stop]), realtime(expected), "{stop} in {mode}, {kind:?}");
            }
        }
    }
}

#[test]
fn in_text_fields_the_stop_keys_that_are_text_give_way() {
    for (mode, keys) in TEXT_MODES {
        for text in ["Space", "!", "@", "~", "$"] {
            let mut scene = state(Idle);
            scene.press(keys);
            assert_eq!(scene.press(&[text]), [], "{text} in {mode}");
        }
        let mut scene = state(Run);
        scene.snapshot.machine.state = Some(MachineState::plain(Idle));
        scene.press(keys);
        scene.snapshot.machine.state = Some(MachineState::plain(Run));
        assert_eq!(scene.press(&["Ctrl+Space"]), realtime(Realtime::Stop), "{mode}");
        assert_eq!(scene.press(&["Ctrl+x"]), realtime(Realtime::SoftReset), "{mode}");
        assert!(scene.text(80, 24).contains("Ctrl+Space STOPS while you type"), "{mode}");
        scene.press(&["Esc"]);
        assert_eq!(scene.press(&["Space"]), realtime(Realtime::Stop), "{mode}, closed");
    }
}

#[test]
fn stop_keys_do_not_need_a_live_link() {
    for snapshot in [testing::lost(), testing::disconnected()] {
        let mut scene = Scene::new(snapshot);
        assert_eq!(scene.press(&["Space"]), realtime(Realtime::Stop));
        assert_eq!(scene.press(&["Ctrl+x"]), realtime(Realtime::SoftReset));
    }
}

#[test]
fn a_reset_asks_only_when_idle() {
    for kind in [Run, Jog, Hold, StateKind::Alarm, StateKind::Home] {
        assert_eq!(state(kind).press(&["Ctrl+x"]), realtime(Realtime::SoftReset), "{kind:?}");
    }
    let mut scene = state(Idle);
    assert_eq!(scene.press(&["Ctrl+x"]), []);
    assert_eq!(scene.press(&["Enter"]), realtime(Realtime::SoftReset));
    assert_eq!(scene.press(&["Ctrl+x", "Esc", "Space"]), realtime(Realtime::Stop), "Esc answers no");
}

#[test]
fn resume_needs_hold_quiet_and_a_key() {
    for kind in [Hold, Door, StateKind::Held] {
        assert_eq!(state(kind).press(&["~"]), realtime(Realtime::CycleStart), "{kind:?}");
    }
    for kind in [Idle, Run, Jog, StateKind::Alarm] {
        assert_eq!(state(kind).press(&["~"]), [], "{kind:?}");
    }
    let mut scene = state(Hold);
    scene.press(&["v"]);
    assert_eq!(scene.input(key("~", scene.now + ms(60))), [], "60 ms after another key");
    let now = scene.now + ms(500);
    let burst = InputEvent { keys_in_batch: 3, ..key("~", now) };
    assert_eq!(scene.input(burst), []);
    let paste = InputEvent { at: now, batch: 1, keys_in_batch: 0, what: Input::Paste("~\n~".into()) };
    assert_eq!(scene.input(paste), []);
}

/// Whatever mode an Esc comes in, it sends nothing but a jog cancel, and afterwards jog mode is off.
#[test]
fn esc_never_starts_resumes_or_holds() {
    for kind in [Idle, Run, Hold, Jog, Door, StateKind::Alarm] {
        for (mode, keys) in MODES.iter().chain(TEXT_MODES) {
            let mut scene = Scene::new(testing::idle());
            scene.press(keys);
            scene.snapshot = testing::in_state(MachineState::plain(kind));
            let effects = scene.press(&["Esc"]);
            assert!(effects.is_empty(), "{mode}, {kind:?}: {effects:?}");
            assert_ne!(scene.ui.mode, Mode::Jog, "{mode}");
        }
    }
}

/// A scene with a continuous jog under way.
fn holding() -> Scene {
    let mut scene = state(Idle);
    scene.press(&["i"]);
    scene.wait(500);
    let start = scene.now;
    for after in [0, 660, 700] {
        scene.wait((start + ms(after)).since(scene.now).as_millis() as u64);
        scene.input(key("Right", start + ms(after)));
    }
    let effects = scene.input(key("Right", start + ms(740)));
    assert!(matches!(effects[0], Effect::Submit(Command::JogContinue { .. })), "{effects:?}");
    scene
}

/// A key held against a soft limit asks once, not at every repeat.
#[test]
fn a_jog_that_fails_ends_until_the_key_is_let_go() {
    use crate::model::command::{ClientId, Origin, Outcome, TicketId};
    use crate::model::log::{LogEntry, LogItem};
    let mut scene = holding();
    let outcome = |outcome| {
        let (ticket, origin, what) = (TicketId(1), Origin::Screen(ClientId(1)), "keep jogging X+".to_owned());
        let what = LogItem::Outcome { ticket, origin, what, outcome, latency: ms(1) };
        Event::Log(LogEvent::Entry(std::sync::Arc::new(LogEntry { id: 1, at: NOW, what })))
    };
    assert_eq!(scene.event(&outcome(Outcome::Done)), []);
    let failed = outcome(Outcome::Failed { code: 15, text: "outside the travel".into() });
    assert_eq!(scene.event(&failed), realtime(Realtime::JogCancel));
    for _ in 0..5 {
        scene.wait(40);
        assert_eq!(scene.input(key("Right", scene.now)), [], "the repeats of the held key");
    }
    assert_eq!(scene.event(&failed), [], "nothing is under way any more");
}

#[test]
fn everything_but_its_own_key_ends_a_continuous_jog() {
    let at = |scene: &Scene| scene.now + ms(30);
    let input = |what, at| InputEvent { at, batch: 9, keys_in_batch: 0, what };
    for name in ["Up", "x", "m", "Enter", "?", "q", "+", "H", "Tab", "F5"] {
        let mut scene = holding();
        let effects = scene.input(key(name, at(&scene)));
        assert_eq!(effects, realtime(Realtime::JogCancel), "{name}");
        assert_eq!(scene.ui.mode, Mode::Jog, "{name} does nothing else");
    }
    for what in [Input::EscPending, Input::FocusLost, Input::Paste("x".into())] {
        let mut scene = holding();
        let when = at(&scene);
        assert_eq!(scene.input(input(what.clone(), when)), realtime(Realtime::JogCancel), "{what:?}");
    }
    let mut scene = holding();
    assert_eq!(scene.input(key("Esc", at(&scene))), realtime(Realtime::JogCancel));
    assert_eq!(scene.ui.mode, Mode::Main);
    let mut scene = holding();
    assert_eq!(scene.input(key("Space", at(&scene))), realtime(Realtime::Stop));
    assert_eq!(scene.wait(2000), [], "the stop ended the hold");
    let mut scene = holding();
    assert_eq!(scene.wait(250), realtime(Realtime::JogCancel), "let go");
}

#[test]
fn an_alarm_or_a_refusal_ends_jogging() {
    let mut scene = holding();
    scene.snapshot = testing::hard_limit();
    scene.snapshot.machine.reported_at = Some(scene.now);
    assert_eq!(scene.event(&Event::Snapshot), realtime(Realtime::JogCancel));
    assert_eq!(scene.ui.mode, Mode::Main);
    let mut scene = holding();
    assert_eq!(scene.event(&Event::Refused("busy".into())), realtime(Realtime::JogCancel));
}

#[test]
fn a_tap_is_one_step() {
    for (keys, distance) in [
        ("Right", [1.0, 0.0, 0.0]),
        ("h", [-1.0, 0.0, 0.0]),
        ("K", [0.0, 10.0, 0.0]),
        ("Shift+Up", [0.0, 10.0, 0.0]),
        ("Alt+PgDn", [0.0, 0.0, -0.1]),
        ("u", [1.0, 1.0, 0.0]),
        ("Keypad1", [-1.0, -1.0, 0.0]),
        ("Ctrl+Left", [-1.0, 0.0, 0.0]),
    ] {
        let mut scene = state(Idle);
        let effects = scene.press(&["i", keys]);
        let [Effect::Submit(Command::JogStep { distance: got, .. })] = &effects[..] else {
            panic!("{keys}: {effects:?}");
        };
        assert!(got.minus(&AxisVec::from_slice(&distance)).norm() < 1e-9, "{keys}: {got:?}");
        assert_eq!(scene.wait(3000), [], "{keys}: nothing follows");
    }
}

#[test]
fn jog_keys_move_nothing_outside_jog_mode_or_on_a_missing_axis() {
    for name in ["Left", "h", "j", "k", "l", "w", "s", "y", "u", "b", "n", "<", ">", "Keypad7", "Alt+h"] {
        assert_eq!(state(Idle).press(&[name]), [], "{name}");
    }
    let mut scene = state(Idle);
    assert_eq!(scene.press(&["i", "<"]), []);
    assert_eq!(scene.ui.notice.as_ref().map(|n| n.text.as_str()), Some("this machine has no A axis"));
}

#[test]
fn jog_mode_leaves_itself() {
    let mut scene = state(Idle);
    scene.press(&["i"]);
    scene.wait(61_000);
    assert_eq!(scene.ui.mode, Mode::Main);
    let mut scene = state(Run);
    scene.press(&["i"]);
    assert_eq!(scene.ui.mode, Mode::Main, "not while running");
}

#[test]
fn releases_are_used_where_the_terminal_has_them() {
    let mut scene = state(Idle);
    let flags = |flags, at| InputEvent { at, batch: 1, keys_in_batch: 0, what: Input::KittyFlags(flags) };
    assert_eq!(scene.input(flags(0, NOW)), [Effect::SetKittyFlags(31)]);
    assert_eq!(scene.input(flags(31, NOW)), [Effect::EscapeIsWhole(true)]);
    scene.input(InputEvent { at: NOW, batch: 2, keys_in_batch: 0, what: Input::TerminalOk });
    scene.press(&["i", "h"]);
    let effects = scene.wait(220);
    assert!(matches!(effects[..], [Effect::Submit(Command::JogContinue { .. }), Effect::AskTerminal]), "{effects:?}");
    let release = key_as("h", scene.now + ms(20), KeyEventKind::Release);
    assert_eq!(scene.input(release), realtime(Realtime::JogCancel));
    // A terminal that cannot tell the text of keys is asked for less.
    let mut scene = state(Idle);
    scene.input(flags(0, NOW));
    assert_eq!(scene.input(flags(11, NOW)), [Effect::SetKittyFlags(3)]);
    assert_eq!(scene.input(flags(3, NOW)), [Effect::EscapeIsWhole(true)]);
    assert!(reports_release(&scene.ui, KeyCode::Left) && !reports_release(&scene.ui, KeyCode::Char('h')));
}

#[test]
fn the_keyboard_of_the_console_ends_a_jog_and_late_repeats_do_not_begin_one() {
    let mut scene = state(Idle);
    scene.press(&["i", "l"]);
    assert_eq!(scene.event(&Event::KeyUp), [], "the end of a tap: the step is finished");
    scene.wait(500);
    let repeat = |scene: &mut Scene| scene.input(key("l", scene.now + ms(92)));
    for _ in 0..5 {
        repeat(&mut scene);
    }
    assert!(scene.ui.pad.moving().is_some());
    assert_eq!(scene.event(&Event::KeyUp), realtime(Realtime::JogCancel));
    assert_eq!(repeat(&mut scene), [], "one more repeat was on its way through the terminal");
    scene.wait(500);
    assert!(matches!(repeat(&mut scene)[..], [Effect::Submit(Command::JogStep { .. })]), "a fresh press is a tap");
}

#[test]
fn lines_are_sent_by_enter_only() {
    let mut scene = state(Idle);
    let effects = scene.press(&["Enter", "G", "0", "Space", "X", "1", "Enter"]);
    assert_eq!(effects[..1], [Effect::Submit(Command::Mdi("G0 X1".into()))]);
    assert_eq!(scene.ui.mode, Mode::Mdi, "ready for the next");
    assert_eq!(scene.press(&["Up", "Enter"])[..1], [Effect::Submit(Command::Mdi("G0 X1".into()))]);
    let paste =
        InputEvent { at: scene.now + ms(300), batch: 1, keys_in_batch: 0, what: Input::Paste("G1\nX9\n".into()) };
    assert_eq!(scene.input(paste), []);
    assert_eq!(scene.ui.mdi.text(), "G1 X9 ");
    // An unmarked paste: its Enter is not an answer.
    let enter = InputEvent { keys_in_batch: 12, ..key("Enter", scene.now + ms(300)) };
    assert_eq!(scene.input(enter), []);
}

#[test]
fn a_line_that_cannot_be_sent_stays() {
    let mut scene = state(Hold);
    assert_eq!(scene.press(&["m", "G", "0", "Enter"]), []);
    assert_eq!(scene.ui.mdi.text(), "G0");
    assert!(scene.ui.notice.as_ref().unwrap().text.contains("on hold"));
}

#[test]
fn questions_are_answered_by_enter_only() {
    let home = |target| vec![Effect::Submit(Command::Home(target))];
    assert_eq!(state(Idle).press(&["H", "Enter"]), home(HomeTarget::All));
    assert_eq!(state(Idle).press(&["H", "z", "Enter"]), home(HomeTarget::One(Axis::Z)));
    assert_eq!(state(Idle).press(&["H", "End", "y", "H"]), []);
    let zero: AxisSet = [Axis::X].into_iter().collect();
    assert_eq!(state(Idle).press(&["z", "x", "Enter"]), [Effect::Submit(Command::SetWork { axes: zero, value: 0.0 })]);
    // An Enter that comes with other keys at once was not typed.
    let mut scene = state(Idle);
    scene.press(&["H"]);
    assert_eq!(scene.input(InputEvent { keys_in_batch: 3, ..key("Enter", scene.now + ms(500)) }), []);
    assert_eq!(scene.input(key("Enter", scene.now + ms(50))), [], "too soon after another key");
    assert!(scene.ui.popup.is_some());
}

#[test]
fn the_alarm_panel_follows_the_right_order() {
    let mut scene = Scene::new(testing::hard_limit());
    assert_eq!(scene.press(&["$", "Enter"]), realtime(Realtime::SoftReset));
    scene.snapshot.machine.alarm.as_mut().unwrap().needs_reset = false;
    assert_eq!(scene.press(&["$", "Enter"]), [Effect::Submit(Command::Home(HomeTarget::All))], "home is first");
    assert_eq!(scene.press(&["$", "u", "Enter"]), [Effect::Submit(Command::Unlock)]);
    scene.snapshot.machine.limits.homing = Some(false);
    assert_eq!(scene.press(&["$", "Enter"]), [Effect::Submit(Command::Unlock)]);
    assert_eq!(state(Idle).press(&["$", "Enter"]), [], "no alarm: nothing to unlock, Enter opens the line");
}

/// An alarm scene whose first news has come.
fn alarmed(snapshot: crate::model::Snapshot) -> Scene {
    let mut scene = Scene::new(snapshot);
    scene.event(&Event::Snapshot);
    scene
}

#[test]
fn the_steps_of_an_alarm_are_taken_one_by_one() {
    let mut scene = alarmed(testing::hard_limit());
    assert_eq!(scene.press(&["$", "h", "u", "Enter"]), realtime(Realtime::SoftReset), "there is no other way yet");
    scene.snapshot.machine.alarm.as_mut().unwrap().needs_reset = false;
    scene.event(&Event::Snapshot);
    assert_eq!(scene.press(&["Enter"]), [], "an Enter for the step before does not start the homing");
    assert_eq!(scene.press(&["Enter"]), [Effect::Submit(Command::Home(HomeTarget::All))]);
    assert!(scene.ui.recovery.is_none());
}

#[test]
fn after_a_failed_homing_unlock_wants_the_word() {
    let mut scene = alarmed(testing::alarm(crate::model::Firmware::Grbl, 8));
    assert_eq!(scene.press(&["$", "u", "Enter"]), []);
    assert_eq!(scene.press(&["u", "n", "l", "o", "c", "Enter"]), []);
    assert_eq!(scene.press(&["Space"]), realtime(Realtime::Stop), "a stop key is no text here");
    assert_eq!(scene.press(&["h", "Enter"]), [], "unloch");
    assert_eq!(scene.press(&["Backspace", "k", "Enter"]), [Effect::Submit(Command::Unlock)]);
    let mut scene = alarmed(testing::alarm(crate::model::Firmware::Grbl, 3));
    assert_eq!(scene.press(&["$", "u", "Enter"]), [Effect::Submit(Command::Unlock)], "not after other alarms");
}

#[test]
fn the_alarms_so_far_can_be_read_during_and_after() {
    let mut scene = alarmed(testing::hard_limit());
    scene.press(&["$", "Tab"]);
    let text = scene.text(80, 24);
    assert!(text.contains("Alarm 1: hard limit, pins limit X") && text.contains("machine X -187.655"), "{text}");
    assert_eq!(scene.press(&["Enter"]), [], "nothing to take here");
    scene.press(&["Esc"]);
    assert!(scene.ui.recovery.as_ref().is_some_and(|panel| !panel.history));
    scene.snapshot = testing::idle();
    scene.snapshot.machine.reported_at = Some(scene.now);
    scene.event(&Event::Snapshot);
    assert!(scene.ui.recovery.is_none(), "over");
    assert!(scene.ui.notice.as_ref().unwrap().text.contains("the alarm is over"));
    scene.press(&["$"]);
    assert!(scene.text(80, 24).contains("Alarms so far"));
    scene.press(&["Esc"]);
    assert!(scene.ui.recovery.is_none());
}

#[test]
fn the_next_key_of_an_alarm_is_true_where_the_keys_go() {
    for (keys, words) in [
        (&[][..], "Ctrl+X resets; $ shows the way out"),
        (&["Enter", "G"], "Ctrl+X resets; Esc then $ shows the way out"),
        (&["?"], ""),
        (&[":"], ""),
    ] {
        let mut scene = state(Idle);
        scene.press(keys);
        scene.snapshot = testing::hard_limit();
        scene.snapshot.machine.reported_at = Some(scene.now);
        scene.event(&Event::Snapshot);
        let text = scene.text(80, 24);
        assert!(text.contains(words), "{keys:?}\n{text}");
        if !keys.is_empty() {
            scene.press(&["Esc"]);
        }
        scene.press(&["$"]);
        assert!(scene.ui.recovery.is_some(), "{keys:?}");
    }
}

#[test]
fn letting_go_of_a_jog_key_moves_nothing_on_the_screen() {
    use crate::model::snapshot::{Stop, StopPhase};
    let mut scene = state(Idle);
    scene.press(&["i"]);
    let rows = |scene: &Scene| scene.text(80, 24).lines().position(|line| line.contains("Console"));
    let before = rows(&scene);
    let stop = |asked, phase, at| Some(Stop { asked, at, phase });
    for phase in [StopPhase::Sent, StopPhase::Confirmed, StopPhase::Stopped] {
        scene.snapshot.machine.stop = stop(Realtime::JogCancel, phase.clone(), scene.now);
        scene.event(&Event::Snapshot);
        assert_eq!(rows(&scene), before, "{phase:?}");
        assert!(!scene.text(80, 24).contains("JOG CANCEL"), "{phase:?}");
    }
    assert!(scene.text(80, 24).contains("jog ended: the machine stands"));
    scene.snapshot.machine.stop = stop(Realtime::JogCancel, StopPhase::NotConfirmed, scene.now);
    assert!(scene.text(80, 24).contains("jog cancel NOT confirmed"));
    scene.snapshot.machine.stop = stop(Realtime::Stop, StopPhase::Stopped, scene.now);
    assert!(scene.text(80, 24).contains("stop confirmed: the machine stands"), "a stop key has its banner");
}

#[test]
fn quitting_asks_while_the_machine_is_busy() {
    for name in ["q", "Ctrl+c", "Ctrl+q"] {
        assert_eq!(state(Idle).press(&[name]), [Effect::Quit(ExitReason::Asked)], "{name}");
        let mut scene = state(Run);
        assert_eq!(scene.press(&[name, "Enter"]), [], "{name}: the first answer is to stay");
        assert_eq!(scene.press(&[name, "Up", "Up", "Enter"]), realtime(Realtime::Stop), "{name}");
        assert_eq!(scene.event(&Event::Snapshot), []);
        scene.snapshot.machine.state = Some(MachineState::plain(Idle));
        assert_eq!(scene.event(&Event::Snapshot), [Effect::Quit(ExitReason::Asked)]);
    }
    assert_eq!(Scene::new(testing::disconnected()).press(&["q"]), [Effect::Quit(ExitReason::Asked)]);
}

#[test]
fn suspending_is_refused_while_the_machine_moves() {
    assert_eq!(state(Run).event(&Event::SuspendAsked), []);
    assert_eq!(state(Idle).event(&Event::SuspendAsked), [Effect::Suspend]);
    assert_eq!(state(Idle).press(&["Ctrl+z"]), [Effect::Suspend]);
}

#[test]
fn reconnect_is_offered_when_the_link_is_down() {
    assert_eq!(Scene::new(testing::lost()).press(&["r"]), realtime(Realtime::ReconnectNow));
    assert_eq!(state(Idle).press(&["r"]), []);
    let mut silent = testing::idle();
    silent.machine.link.state = LinkState::Silent { why: "nothing".into() };
    assert_eq!(Scene::new(silent).press(&["r"]), []);
}

#[test]
fn the_palette_runs_actions_by_name() {
    let mut scene = state(Idle);
    assert_eq!(scene.press(&[":", "h", "o", "m", "e"]), []);
    scene.press(&["Enter"]);
    let popup = scene.ui.popup.as_ref().expect("home asks");
    assert_eq!(popup.selected, popup.choices.len() - 1, "a held Enter does not answer it");
    let mut scene = state(Run);
    assert_eq!(scene.press(&[":", "h", "o", "l", "d", "Enter"]), realtime(Realtime::FeedHold));
}

#[test]
fn a_gap_in_the_log_is_said() {
    let mut scene = state(Idle);
    scene.event(&Event::Log(LogEvent::Gap(7)));
    assert!(scene.text(80, 24).contains("7 log lines were lost"));
}

#[test]
fn tabs_change_by_letter_and_by_turning() {
    for (name, tab) in [("O", Tab::Offsets), ("S", Tab::Settings), ("D", Tab::Devices), ("M", Tab::Machine)] {
        let mut scene = state(Idle);
        assert_eq!(scene.press(&[name]), []);
        assert_eq!(scene.ui.tab, tab, "{name}");
        scene.press(&["Tab", "Shift+Tab"]);
        assert_eq!(scene.ui.tab, tab, "there and back");
    }
    let mut scene = state(Idle);
    scene.press(&["Shift+Tab"]);
    assert_eq!(scene.ui.tab, Tab::Devices);
    scene.press(&["i"]);
    assert_eq!((scene.ui.tab, &scene.ui.mode), (Tab::Machine, &Mode::Jog), "jogging is looked at");
    scene.press(&["Tab", "S", "O"]);
    assert_eq!((scene.ui.tab, &scene.ui.mode), (Tab::Machine, &Mode::Jog), "in jog mode they are jog keys");
}

#[test]
fn every_tab_has_the_same_keys_around_its_own() {
    for tab in Tab::ALL {
        let on = |kind| {
            let mut scene = state(kind);
            scene.ui.tab = tab;
            scene
        };
        assert_eq!(on(Run).press(&["Space"]), realtime(Realtime::Stop), "{tab:?}");
        assert_eq!(on(Idle).press(&["H", "Enter"]), [Effect::Submit(Command::Home(HomeTarget::All))], "{tab:?}");
        assert_eq!(
            on(Idle).press(&["m", "G", "4", "Enter"])[..1],
            [Effect::Submit(Command::Mdi("G4".into()))],
            "{tab:?}"
        );
        let mut scene = on(Idle);
        scene.ui.mode = Mode::Field;
        assert_eq!(scene.press(&["Space"]), [], "{tab:?}: text");
        assert_eq!(scene.press(&["!"]), [], "{tab:?}: text");
        assert_eq!(scene.press(&["O"]), [], "{tab:?}: text");
        assert_eq!(scene.ui.tab, tab);
        assert_eq!(scene.press(&["Ctrl+Space"]), realtime(Realtime::Stop), "{tab:?}");
        scene.press(&["Esc"]);
        assert_eq!(scene.ui.mode, Mode::Main);
    }
}

mod any_keys {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Any keys at any pace in any state: no panic, stop is always heard, and nothing that starts or changes
        /// something comes without a key that asks for it.
        #[test]
        fn are_survived(
            keys in prop::collection::vec((0_usize..64, 1_u64..900), 0..60),
            kind in prop::sample::select(vec![Idle, Run, Hold, Jog, Door, StateKind::Alarm, StateKind::Sleep]),
        ) {
            let names: Vec<&str> = TABLE.iter().flat_map(|row| row.keys).copied().collect();
            let mut scene = state(kind);
            for (index, gap) in keys {
                scene.wait(gap);
                let name = names[index % names.len()];
                let effects = scene.input(key(name, scene.now));
                for effect in &effects {
                    if *effect == Effect::Realtime(Realtime::CycleStart) {
                        prop_assert_eq!(name, "~");
                    }
                    if matches!(effect, Effect::Submit(Command::Home(_) | Command::Unlock | Command::SetWork { .. })) {
                        prop_assert_eq!(name, "Enter");
                    }
                }
                scene.draw(80, 24);
            }
            scene.wait(500);
            prop_assert_eq!(scene.press(&["Ctrl+Space"]), realtime(Realtime::Stop));
        }
    }
}

#[test]
fn the_line_for_g_code_completes_searches_and_is_kept() {
    let mut scene = Scene::new(testing::idle());
    scene.press(&["m", "$", "S", "D", "/", "r"]);
    assert_eq!(scene.press(&["Tab"]), []);
    assert_eq!(scene.ui.mdi.text(), "$SD/run=");
    scene.press(&["Ctrl+U", "$", "S", "D", "/", "S", "Tab"]);
    let said = scene.ui.notice.as_ref().unwrap().text.clone();
    assert!(said.contains("$SD/Show=") && said.contains("$SD/Status"), "{said}");
    scene.press(&["Ctrl+U", "G", "2", "1"]);
    let effects = scene.press(&["Enter"]);
    assert!(effects.contains(&Effect::Submit(Command::Mdi("G21".into()))), "{effects:?}");
    assert!(effects.contains(&Effect::Ask(Query::SaveHistory(vec!["G21".into()]))), "{effects:?}");
    scene.press(&["2", "1"]);
    assert_eq!(scene.press(&["Ctrl+R"]), []);
    assert_eq!(scene.ui.mdi.text(), "G21");
}

#[test]
fn the_console_goes_into_a_file_as_it_is_shown() {
    let mut scene = Scene::new(testing::idle());
    scene.ui.console.say("a note".into(), Tone::Plain);
    assert_eq!(scene.press(&["Ctrl+S"]), [Effect::Ask(Query::SaveConsole("-- a note\n".into()))]);
    scene.press(&["v"]);
    assert_eq!(scene.press(&["Ctrl+S"]), [Effect::Ask(Query::SaveConsole(String::new()))]);
}

#[test]
fn a_report_after_opening_the_alarm_panel_does_not_hold_its_first_step_back() {
    let mut scene = Scene::new(testing::hard_limit());
    scene.press(&["$"]);
    scene.wait(300);
    scene.event(&Event::Snapshot);
    assert_eq!(scene.press(&["Enter"]), realtime(Realtime::SoftReset));
}
