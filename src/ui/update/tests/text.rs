//! The line for G-code, the palette, the console.

use super::*;
use crate::model::desk::Query;

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
