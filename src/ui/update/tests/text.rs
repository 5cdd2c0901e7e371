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
fn the_palette_lists_what_the_open_tab_can_do_before_the_rest() {
    let mut scene = state(Idle);
    assert!(palette_rows("to the queue", scene.ui.tab).is_empty());
    assert_eq!(scene.press(&["D", ":", "l", "i", "s", "t", "Enter"]), [Effect::Ask(Query::Ports)]);
    scene.press(&["P", ":"]);
    let shown = scene.text(80, 24);
    assert!(shown.contains("folder up") && shown.contains("picture"), "{shown}");
    scene.press(&["a", "n", "a", "l", "y", "s", "e", "s", "Enter"]);
    assert_eq!(scene.ui.programs.page, crate::ui::programs::Page::Jobs);
    for tab in Tab::ALL {
        let rows = palette_rows("", tab);
        assert!(rows.iter().any(|row| row.action == Action::Home), "{tab:?}: what holds everywhere is there too");
        assert!(rows.iter().all(|row| !matches!(row.context, Context::Tab(other) if other != tab)), "{tab:?}");
    }
}

#[test]
fn the_line_for_g_code_completes_searches_and_is_kept() {
    let mut scene = Scene::new(testing::idle());
    scene.press(&["m", "$", "S", "D", "/", "r", "u"]);
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
fn inches_are_shown_and_typed_and_mm_are_sent() {
    let mut scene = Scene::new(testing::idle());
    scene.snapshot.machine.feed_mm_min = Some(1000.0);
    scene.press(&["F6"]);
    let text = scene.text(80, 24);
    for shown in ["0.4860", "-7.3880 in", "39.4 in/min", "step 0.0394 in"] {
        assert!(text.contains(shown), "{shown}:\n{text}");
    }
    // The form asks for inches, and keeps what was typed in them when the screen goes back to mm.
    scene.press(&["t", "0", ".", "1", "F6"]);
    assert!(scene.text(80, 24).contains("X in"), "{}", scene.text(80, 24));
    scene.press(&["Enter"]);
    assert!(scene.text(80, 24).contains("G53 G21 G0 X-197.46"), "{}", scene.text(80, 24));
    scene.press(&["Esc"]);
    assert!(scene.text(80, 24).contains("12.345"), "mm again");
}
