//! Jog mode.

use super::*;

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

/// Its keys move nothing any more, whatever the screen says.
#[test]
fn who_loses_control_leaves_jog_mode_and_who_watches_does_not_enter_it() {
    use crate::model::command::ClientId;
    use crate::model::people::{Control, People};
    let taken = || {
        let control = Control { client: ClientId(9), who: "pi at tty1".into(), since: NOW, stale: false };
        std::sync::Arc::new(People { control: Some(control), ..People::default() })
    };
    let mut scene = holding();
    scene.snapshot.people = taken();
    assert_eq!(scene.event(&Event::Snapshot), realtime(Realtime::JogCancel));
    assert_eq!(scene.ui.mode, Mode::Main);
    assert!(scene.text(80, 24).contains("pi at tty1 is in control"));
    let mut scene = Scene::new(testing::idle());
    scene.snapshot.people = taken();
    scene.input(key("i", NOW));
    assert_eq!(scene.ui.mode, Mode::Main);
    assert!(scene.text(80, 24).contains("take control first"));
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
fn the_extra_pair_of_keys_is_turned_to_another_axis() {
    let mut six = testing::idle();
    six.machine.machine_position = Some(AxisVec::zeros(6));
    six.machine.identity.as_mut().unwrap().axes = Some(6);
    let mut scene = Scene::new(six);
    scene.press(&["i"]);
    scene.wait(500);
    scene.press(&["a"]);
    let effects = scene.press(&[">"]);
    let [Effect::Submit(Command::JogStep { distance, .. })] = &effects[..] else { panic!("{effects:?}") };
    assert_eq!(distance.as_slice(), [0.0, 0.0, 0.0, 0.0, 1.0, 0.0], "B");
    assert!(scene.text(80, 24).contains("< > B"), "{}", scene.text(80, 24));
    let mut three = state(Idle);
    three.press(&["i", "a"]);
    assert!(three.text(80, 24).contains("no axes beyond A"));
}

/// In jog mode, on a terminal that answers, with quiet keys.
fn proved() -> Scene {
    let mut scene = state(Idle);
    scene.input(InputEvent { at: NOW, batch: 2, keys_in_batch: 0, what: Input::TerminalOk });
    scene.press(&["i"]);
    scene.wait(500);
    scene
}

/// A latched jog under way.
fn latched() -> Scene {
    let mut scene = proved();
    assert_eq!(scene.press(&["c"]), []);
    assert!(scene.text(80, 24).contains("tap a direction"), "{}", scene.text(80, 24));
    let effects = scene.press(&["l"]);
    assert!(matches!(effects[..], [Effect::Submit(Command::JogContinue { .. }), Effect::AskTerminal]), "{effects:?}");
    scene
}

#[test]
fn a_latched_jog_ends_at_any_key_and_at_everything_else() {
    let at = |scene: &Scene| scene.now + ms(30);
    for name in ["l", "Up", "x", "m", "Enter", "?", "q", "c", ",", "Tab"] {
        let mut scene = latched();
        assert!(scene.text(80, 24).contains("ANY KEY STOPS"), "{}", scene.text(80, 24));
        let effects = scene.input(key(name, at(&scene)));
        assert_eq!(effects, realtime(Realtime::JogCancel), "{name}");
        assert!(!scene.text(80, 24).contains("LATCH"), "{name}");
    }
    for what in [Input::EscPending, Input::FocusLost, Input::Paste("x".into())] {
        let mut scene = latched();
        let event = InputEvent { at: at(&scene), batch: 9, keys_in_batch: 0, what: what.clone() };
        assert_eq!(scene.input(event), realtime(Realtime::JogCancel), "{what:?}");
    }
    let mut scene = latched();
    assert_eq!(scene.input(key("Space", at(&scene))), realtime(Realtime::Stop));
    assert_eq!(scene.wait(2000), [], "the stop ended it");
    let mut scene = latched();
    assert_eq!(scene.event(&Event::Refused("busy".into())), realtime(Realtime::JogCancel));
    let mut scene = latched();
    assert_eq!(scene.event(&Event::KeyUp), [], "the key that began it is let go");
    assert!(scene.ui.pad.moving().is_some());
}

#[test]
fn a_latched_jog_ends_when_the_terminal_falls_silent() {
    let effects = latched().wait(1000);
    let cancels = effects.iter().filter(|effect| **effect == Effect::Realtime(Realtime::JogCancel)).count();
    assert_eq!(cancels, 1, "{effects:?}");
    assert!(matches!(effects.last(), Some(Effect::Realtime(Realtime::JogCancel))), "{effects:?}");
}

#[test]
fn a_latch_needs_a_terminal_that_proves_itself_and_a_machine_that_stands() {
    let mut inside_tmux = state(Idle);
    inside_tmux.ui.settings.multiplexed = true;
    inside_tmux.input(InputEvent { at: NOW, batch: 2, keys_in_batch: 0, what: Input::TerminalOk });
    inside_tmux.press(&["i"]);
    inside_tmux.wait(500);
    inside_tmux.press(&["c"]);
    assert!(inside_tmux.text(80, 24).contains("no latched jog here"), "{}", inside_tmux.text(80, 24));
    assert!(matches!(inside_tmux.press(&["l"])[..], [Effect::Submit(Command::JogStep { .. })]), "a plain step");
    let mut moving = proved();
    moving.press(&["c"]);
    moving.snapshot.machine.state = Some(MachineState::plain(Jog));
    assert_eq!(moving.press(&["l"]), []);
    assert!(moving.text(80, 24).contains("wait until it does"), "{}", moving.text(80, 24));
}
