mod alarm;
mod jog;
mod text;

use std::sync::Arc;

use super::input::reports_release;
use super::*;
use crate::model::StateKind::{Door, Hold, Idle, Jog, Run};
use crate::model::command::{ClientId, HomeTarget};
use crate::model::hub::LogEvent;
use crate::model::machine::MachineState;
use crate::model::people::{Control, ControlOrder, People};
use crate::model::snapshot::LinkState;
use crate::model::{Axis, AxisSet, AxisVec, Command};
use crate::ui::input::Input;
use crate::ui::state::Tab;
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
    ("programs", &["P"]),
    ("past runs", &["P", "h"]),
    ("clean-up question", &["P", "c"]),
];
const TEXT_MODES: &[(&str, &[&str])] = &[
    ("line", &["Enter"]),
    ("line with text", &["m", "G", "0"]),
    ("palette", &[":"]),
    ("go-to form", &["t"]),
    ("program filter", &["P", "/"]),
];

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
fn quitting_asks_while_the_machine_is_busy() {
    for name in ["q", "Ctrl+c", "Ctrl+q"] {
        let mut idle = state(Idle);
        assert_eq!(idle.press(&[name]), [], "{name}");
        assert_eq!(idle.wait(500), [Effect::Quit(ExitReason::Asked)], "{name}");
        let mut scene = state(Run);
        assert_eq!(scene.press(&[name, "Enter"]), [], "{name}: the first answer is to stay");
        assert_eq!(scene.press(&[name, "Up", "Up", "Enter"]), realtime(Realtime::Stop), "{name}");
        assert_eq!(scene.event(&Event::Snapshot), []);
        scene.snapshot.machine.state = Some(MachineState::plain(Idle));
        assert_eq!(scene.event(&Event::Snapshot), [Effect::Quit(ExitReason::Asked)]);
    }
    let mut alone = Scene::new(testing::disconnected());
    alone.press(&["q"]);
    assert_eq!(alone.wait(500), [Effect::Quit(ExitReason::Asked)]);
}

#[test]
fn a_q_with_neighbours_does_not_leave() {
    let left = [Effect::Quit(ExitReason::Asked)];
    // In one read.
    let mut scene = state(Idle);
    scene.input(InputEvent { keys_in_batch: 5, ..key("q", scene.now + ms(500)) });
    assert!(scene.ui.notice.as_ref().unwrap().text.contains("press it again"));
    assert_eq!(scene.wait(500), []);
    // In reads of their own: another key before it, or after it.
    for keys in [["v", "q"], ["q", "v"]] {
        let mut scene = state(Idle);
        for (name, gap) in keys.into_iter().zip([500, 30]) {
            assert_eq!(scene.input(key(name, scene.now + ms(gap))), [], "{keys:?}");
        }
        assert_eq!(scene.wait(500), [], "{keys:?}");
        scene.press(&["q"]);
        assert_eq!(scene.wait(500), left, "{keys:?}: and a typed one does");
    }
    let mut scene = state(Idle);
    scene.press(&["q"]);
    let release = key_as("q", scene.now + ms(40), KeyEventKind::Release);
    assert_eq!(scene.input(release), [], "its own release is no neighbour");
    assert_eq!(scene.wait(500), left);
}

#[test]
fn a_screen_of_a_hub_elsewhere_leaves_it_at_work_and_asks_before_it_takes_control() {
    let mut scene = state(Run);
    scene.ui.settings.attached = true;
    assert_eq!(scene.press(&["q"]), [Effect::Quit(ExitReason::Asked)]);

    let mut scene = state(Idle);
    assert_eq!(scene.press(&["T"]), [], "nobody has it");
    let control = Control { client: ClientId(2), who: "pi at tty1".into(), since: Time::ZERO, stale: false };
    scene.snapshot.people = Arc::new(People { control: Some(control), ..People::default() });
    assert!(scene.text(80, 24).contains("pi at tty1 is in control"));
    let take = Command::Control(ControlOrder::Take { reason: String::new() });
    assert_eq!(scene.press(&["T"]), []);
    assert_eq!(scene.press(&["Enter"]), [Effect::Submit(take)]);
}

#[test]
fn a_watcher_sees_why_it_may_not_and_what_others_may_not_ends_no_jog() {
    use crate::model::command::{Origin, Outcome, Refused, TicketId};
    use crate::model::log::{LogEntry, LogItem};
    let refused = |client, why: &str| {
        Event::Log(LogEvent::Entry(Arc::new(LogEntry {
            id: 1,
            at: Time::ZERO,
            what: LogItem::Outcome {
                ticket: TicketId(1),
                origin: Origin::Screen(ClientId(client)),
                what: "$X".into(),
                outcome: Outcome::Refused(Refused::because(why)),
                latency: ms(1),
            },
        })))
    };
    let mut scene = state(Idle);
    scene.event(&refused(2, "pi at tty1 is in control since 5 s ago"));
    assert!(scene.ui.notice.is_none(), "it was somebody else's");
    scene.event(&refused(1, "pi at tty1 is in control since 5 s ago"));
    assert!(scene.text(80, 24).contains("pi at tty1 is in control since 5 s ago"));

    let mut scene = holding();
    assert_eq!(scene.event(&refused(2, "the machine is busy")), []);
    assert!(scene.ui.pad.moving().is_some());
    assert_eq!(scene.event(&refused(1, "the machine is busy")), realtime(Realtime::JogCancel));
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
    use crate::ui::action::TABLE;

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
