//! The way out of an alarm.

use super::*;

/// An alarm scene whose first news has come.
fn alarmed(snapshot: crate::model::Snapshot) -> Scene {
    let mut scene = Scene::new(snapshot);
    scene.event(&Event::Snapshot);
    scene
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

#[test]
fn a_way_out_is_not_offered_where_nothing_answers() {
    let hint = |needs_reset| {
        let mut scene = alarmed(testing::alarm(crate::model::Firmware::Grbl, 1));
        scene.snapshot.machine.alarm.as_mut().unwrap().needs_reset = needs_reset;
        scene.snapshot.machine.link.state = LinkState::Silent { why: "no answer".into() };
        scene.text(80, 24).contains("clear alarm")
    };
    assert!(!hint(false));
    assert!(hint(true), "a Grbl that waits for its reset is silent too");
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
fn a_report_after_opening_the_alarm_panel_does_not_hold_its_first_step_back() {
    let mut scene = Scene::new(testing::hard_limit());
    scene.press(&["$"]);
    scene.wait(300);
    scene.event(&Event::Snapshot);
    assert_eq!(scene.press(&["Enter"]), realtime(Realtime::SoftReset));
}
