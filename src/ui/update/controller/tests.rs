use std::sync::Arc;

use crate::model::settings::{Change, Compared, Kept, Plan};
use crate::model::{Command, Realtime};
use crate::ui::controller::Page;
use crate::ui::state::{Effect, Mode, Tab};
use crate::ui::testing::{self, Scene, ms};

fn scene() -> Scene {
    let mut scene = Scene::new(testing::with_settings());
    scene.ui.tab = Tab::Settings;
    scene
}

fn set(key: &str, value: &str) -> Vec<Effect> {
    vec![Effect::Submit(Command::SetSetting { key: key.into(), value: value.into() })]
}

fn clear(scene: &mut Scene) {
    scene.press(&["Ctrl+A", "Ctrl+K"]);
}

fn typed(scene: &mut Scene, text: &str) {
    for c in text.chars() {
        scene.press(&[&c.to_string()]);
    }
}

#[test]
fn a_value_is_typed_checked_asked_and_then_sent() {
    let mut scene = scene();
    assert_eq!(scene.press(&["/"]), []);
    typed(&mut scene, "x max");
    assert_eq!(scene.press(&["Enter", "Enter"]), []);
    assert_eq!(scene.ui.mode, Mode::Field);
    clear(&mut scene);
    typed(&mut scene, "2,5");
    assert_eq!(scene.press(&["Enter"]), []);
    assert!(scene.ui.notice.as_ref().is_some_and(|notice| notice.text.contains("2.5")), "{:?}", scene.ui.notice);
    assert_eq!(scene.ui.mode, Mode::Field, "it stays in the field, to be mended");
    clear(&mut scene);
    typed(&mut scene, "2500");
    assert_eq!(scene.press(&["Enter"]), []);
    let popup = scene.ui.popup.clone().expect("a question");
    assert!(popup.title.contains("$110") && popup.body.iter().any(|line| line == "3000.000 mm/min -> 2500 mm/min"));
    scene.now += ms(500);
    assert_eq!(scene.press(&["Enter"]), set("110", "2500"));
}

#[test]
fn esc_changes_nothing_and_ctrl_space_stops_while_typing() {
    let mut scene = scene();
    scene.press(&["Enter"]);
    clear(&mut scene);
    typed(&mut scene, "4");
    assert_eq!(scene.press(&["Ctrl+Space"]), [Effect::Realtime(Realtime::Stop)]);
    assert_eq!(scene.press(&["Esc"]), []);
    assert_eq!((scene.ui.mode.clone(), scene.ui.popup.is_some()), (Mode::Main, false));
    scene.press(&["Enter"]);
    assert_eq!(scene.ui.controller.value.text(), "2", "the value that is in force, not what was typed before");
}

#[test]
fn a_fixed_setting_says_where_it_is_changed_and_a_wrong_state_is_told() {
    let mut scene = scene();
    scene.press(&["Down", "Down", "Down", "Enter"]);
    assert_eq!(scene.ui.mode, Mode::Main);
    assert!(scene.ui.notice.as_ref().is_some_and(|notice| notice.text.contains("config.yaml")));
    assert_eq!(scene.press(&["l"]), [Effect::Submit(Command::ReadSettings)]);
    assert_eq!(scene.press(&["b"]), [Effect::Submit(Command::BackupSettings)]);
    let run = crate::model::MachineState::plain(crate::model::StateKind::Run);
    scene.snapshot.machine.state = Some(run);
    assert_eq!(scene.press(&["l"]), []);
    assert!(scene.ui.notice.as_ref().is_some_and(|notice| notice.text.contains("running")));
}

#[test]
fn pasted_text_is_a_value_and_never_an_enter() {
    let mut scene = scene();
    scene.press(&["Down", "Enter"]);
    clear(&mut scene);
    super::paste(&mut scene.ui, "off\n");
    assert_eq!((scene.ui.mode.clone(), scene.ui.controller.value.text().trim()), (Mode::Field, "off"));
    assert!(scene.ui.popup.is_none());
}

fn compared(strange: Vec<String>) -> Compared {
    let change = Change { key: "110".into(), before: Some("3000.000".into()), after: Some("2500".into()) };
    let plan = Plan { set: vec![change], left: Vec::new() };
    Compared::Machine { name: "mill-20260102-030405.toml".into(), strange, plan }
}

#[test]
fn a_backup_is_compared_before_it_is_restored() {
    let mut scene = scene();
    let names = vec!["mill-20260102-030405.toml".to_owned(), "mill-20260101-000000.toml".to_owned()];
    let kept = Kept { names: names.clone(), compared: Some(compared(Vec::new())), restore: None };
    scene.snapshot.kept = Arc::new(kept);
    scene.press(&["c"]);
    assert_eq!(scene.ui.controller.page, Page::Backups);
    let with_machine = Command::CompareBackup { name: names[0].clone(), with: None };
    assert_eq!(scene.press(&["Enter"]), [Effect::Submit(with_machine)]);
    assert_eq!(scene.press(&["Enter"]), []);
    let popup = scene.ui.popup.clone().expect("a question");
    assert!(popup.body.iter().any(|line| line.contains("$110: 3000.000 -> 2500")), "{popup:?}");
    scene.now += ms(500);
    let restore = |word: &str| Command::RestoreSettings { name: names[0].clone(), word: word.into() };
    assert_eq!(scene.press(&["Enter"]), [Effect::Submit(restore(""))]);

    scene.snapshot.kept = Arc::new(Kept {
        names: names.clone(),
        compared: Some(compared(vec!["it has 4 axes, this machine 3".into()])),
        restore: None,
    });
    assert_eq!(scene.press(&["Enter"]), []);
    assert_eq!(scene.ui.mode, Mode::Field, "the word is asked for");
    typed(&mut scene, "restore");
    scene.press(&["Enter"]);
    scene.now += ms(500);
    assert_eq!(scene.press(&["Enter"]), [Effect::Submit(restore("restore"))]);

    scene.press(&["Esc", "="]);
    let both = Command::CompareBackup { name: names[0].clone(), with: Some(names[1].clone()) };
    assert_eq!(scene.press(&["Down", "Enter"]), [Effect::Submit(both)]);
}
