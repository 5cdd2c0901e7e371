use std::sync::Arc;

use crate::model::desk::Query;
use crate::model::power::{Danger, PowerOrder, PowerQuery, Takes, Wanted};
use crate::model::{Command, Realtime};
use crate::ui::power::{Field, PowerPage, SettingsView};
use crate::ui::state::{Effect, Event, Mode, Tab};
use crate::ui::testing::Scene;
use crate::ui::testing::power::{change, drifted, half_written, one, press, scene, serve, three};
use crate::ui::testing::{ms, power as made};

fn submitted(order: PowerOrder) -> Vec<Effect> {
    vec![Effect::Submit(Command::Power(order))]
}

fn asked(query: PowerQuery) -> Effect {
    Effect::Ask(Query::Power(query))
}

fn notice(scene: &Scene) -> &str {
    scene.ui.notice.as_ref().map_or("", |notice| notice.text.as_str())
}

fn wanted(id: &str, text: &str, shown: &str) -> Wanted {
    Wanted { id: id.into(), text: text.into(), shown: Some(shown.into()) }
}

/// Answers the question, after a quiet moment.
fn yes(scene: &mut Scene) -> Vec<Effect> {
    scene.wait(500);
    scene.press(&["Enter"])
}

#[test]
fn w_opens_the_tab_and_digits_its_pages() {
    let mut scene = Scene::new(made::with(one()));
    scene.ui.settings.started_unix_ms = Some(made::STARTED_MS);
    scene.press(&["W"]);
    assert_eq!((scene.ui.tab, scene.ui.power.page), (Tab::Power, PowerPage::Flow));
    let effects = scene.press(&["4"]);
    let inverter = || "roof".to_owned();
    let read = PowerOrder::ReadSettings { inverter: inverter() };
    assert_eq!(effects, [submitted(read), vec![asked(PowerQuery::Settings { inverter: inverter() })]].concat());
    assert_eq!(scene.press(&["5"]), [asked(PowerQuery::Registers { inverter: inverter() })]);
    let again = scene.wait(1100);
    assert_eq!(again, [asked(PowerQuery::Registers { inverter: inverter() })], "about once a second while it is open");
    assert_eq!(scene.press(&["6"]).len(), 2, "charts and energies");
    scene.press(&["M"]);
    assert_eq!(scene.wait(30_000), [], "nothing is asked for what nobody looks at");
}

#[test]
fn stop_keys_come_first_on_every_page_and_in_every_field() {
    for page in ["1", "2", "3", "4", "5", "6", "7"] {
        let mut scene = scene(one());
        press(&mut scene, &[page]);
        assert_eq!(scene.press(&["Space"]), [Effect::Realtime(Realtime::Stop)], "{page}");
        assert_eq!(scene.press(&["!"]), [Effect::Realtime(Realtime::FeedHold)], "{page}");
    }
    let mut field = scene(one());
    press(&mut field, &["4", "Enter"]);
    assert_eq!(field.ui.mode, Mode::Field);
    assert_eq!(field.press(&["Ctrl+Space"]), [Effect::Realtime(Realtime::Stop)]);
}

#[test]
fn no_letter_writes_anything_without_a_question() {
    for page in ["1", "2", "3", "4", "5", "6", "7"] {
        for letter in ('a'..='z').chain('A'..='Z').chain(['=', '.', ',', '+', '-', '/', '0']) {
            let mut scene = scene(drifted());
            press(&mut scene, &[page]);
            let effects = scene.press(&[&letter.to_string()]);
            let writes = effects.iter().any(|effect| {
                matches!(effect, Effect::Submit(Command::Power(order)) if !matches!(order,
                    PowerOrder::Arm | PowerOrder::ReadSettings { .. } | PowerOrder::Reconnect { .. }))
            });
            assert!(!writes, "{page} {letter}: {effects:?}");
        }
    }
}

#[test]
fn a_setting_is_typed_collected_shown_asked_and_then_written() {
    let mut scene = scene(one());
    press(&mut scene, &["4", "/", "8", "4", "7", "5", "Enter", "Enter"]);
    assert!(
        matches!(&scene.ui.power.field, Field::Value(form) if form.row.id == "soc_min"),
        "{:?}",
        scene.ui.power.field
    );
    press(&mut scene, &["Ctrl+A", "Ctrl+K", "4", "Enter"]);
    assert!(notice(&scene).contains("5 to 100 %"), "{}", notice(&scene));
    assert_eq!(scene.ui.mode, Mode::Field, "it stays in the field, to be mended");
    press(&mut scene, &["Ctrl+A", "Ctrl+K", "3", "0"]);
    let effects = scene.press(&["Enter"]);
    let inverter = || "roof".to_owned();
    let settings = vec![Wanted { id: "soc_min".into(), text: "30".into(), shown: None }];
    assert_eq!(effects, [asked(PowerQuery::CheckChanges { inverter: inverter(), settings })], "nothing is written");
    scene.press(&["w"]);
    assert_eq!(scene.press(&["Enter"]), []);
    assert!(scene.ui.popup.is_none() && notice(&scene).contains("a moment"), "not before it is known what it would do");
    serve(&mut scene, &effects);
    assert_eq!(scene.press(&["Enter"]), []);
    let popup = scene.ui.popup.clone().expect("a question");
    assert!(popup.body.iter().any(|line| line.starts_with("soc_min: 20 % -> 30 %")), "{popup:?}");
    assert_eq!(yes(&mut scene), [], "of what can empty a battery, Enter alone leaves it as it is");
    scene.press(&["Enter", "Up"]);
    let settings = vec![wanted("soc_min", "30", "20 %")];
    assert_eq!(yes(&mut scene), submitted(PowerOrder::Set { inverter: inverter(), settings }));
}

#[test]
fn a_dangerous_one_waits_for_the_arming() {
    let mut scene = scene(one());
    press(&mut scene, &["4", "Down", "Down", "Down", "Enter", "Down", "Enter", "w"]);
    let mut row = made::changes()[1].clone();
    (row.id, row.danger) = ("grid_export_limit".into(), Danger::Dangerous);
    scene.ui.power.changes.checked = Some(Ok(vec![row]));
    scene.press(&["Enter"]);
    assert!(scene.ui.popup.is_none() && notice(&scene).contains("60 s"), "{}", notice(&scene));
    assert_eq!(scene.press(&["A"]), submitted(PowerOrder::Arm));
    Arc::make_mut(&mut scene.snapshot.power).armed_until = Some(scene.now + ms(60_000));
    assert!(scene.text(80, 24).contains("ARMED 60 s"));
    scene.press(&["Enter", "Up"]);
    assert!(matches!(&yes(&mut scene)[..], [Effect::Submit(Command::Power(PowerOrder::Set { .. }))]));
    assert_eq!(scene.press(&["A"]), submitted(PowerOrder::Disarm));
    scene.wait(61_000);
    assert!(!scene.text(80, 24).contains("ARMED"), "it goes off by itself");
}

#[test]
fn what_failed_stays_in_the_set_and_is_told() {
    let mut scene = scene(one());
    press(&mut scene, &["4", "Enter", "Up", "Enter", "Down", "Enter", "Down", "Enter", "w", "Enter", "Up"]);
    assert_eq!(yes(&mut scene).len(), 1);
    let mut report = half_written();
    report.at = scene.now;
    change(Arc::make_mut(&mut scene.snapshot.power), |unit| unit.last_write = Some(Arc::new(report.clone())));
    let effects = scene.event(&Event::Snapshot);
    assert!(notice(&scene).contains("1 of 2 settings do NOT"), "{}", notice(&scene));
    assert_eq!(scene.ui.power.changes.wanted.len(), 1);
    assert!(
        matches!(&effects[..], [Effect::Ask(Query::Power(PowerQuery::CheckChanges { settings, .. }))] if settings.len() == 1)
    );
    assert_eq!(scene.event(&Event::Snapshot), [], "once");
}

#[test]
fn what_was_saved_is_re_applied_by_the_same_way_and_forgotten_after_a_question() {
    let mut scene = scene(drifted());
    press(&mut scene, &["4"]);
    let effects = scene.press(&["u"]);
    assert!(
        matches!(&effects[..], [Effect::Ask(Query::Power(PowerQuery::CheckChanges { settings, .. }))]
        if settings[0].text == "25"),
        "{effects:?}"
    );
    assert_eq!(scene.press(&["f"]), []);
    let order = PowerOrder::ForgetSaved { inverter: "roof".into(), id: "soc_min".into() };
    assert_eq!(yes(&mut scene), submitted(order));
    scene.press(&["Down", "f"]);
    assert!(scene.ui.popup.is_none() && notice(&scene).contains("select a setting"));
}

#[test]
fn pasted_text_is_only_text() {
    let mut scene = scene(one());
    press(&mut scene, &["4"]);
    super::paste(&mut scene.ui, "30\n");
    assert_eq!((scene.ui.power.typed.text().as_str(), scene.ui.mode.clone()), ("", Mode::Main));
    press(&mut scene, &["Enter", "Ctrl+A", "Ctrl+K"]);
    super::paste(&mut scene.ui, "30\n");
    assert_eq!((scene.ui.power.typed.text().trim(), scene.ui.mode.clone()), ("30", Mode::Field));
    assert!(scene.ui.power.changes.is_empty() && scene.ui.popup.is_none());
}

#[test]
fn ends_of_windows_move_and_are_typed() {
    let mut scene = scene(one());
    press(&mut scene, &["4", "b", "Right"]);
    assert_eq!(scene.ui.power.changes.proposed("roof", "tou1_charge_start"), Some("23:15"));
    press(&mut scene, &["Left", "Left"]);
    assert_eq!(scene.ui.power.changes.proposed("roof", "tou1_charge_start"), Some("22:45"));
    press(&mut scene, &["Down", "Enter", "Ctrl+A", "Ctrl+K", "6", "3", "0", "Enter"]);
    assert_eq!(scene.ui.power.changes.proposed("roof", "tou1_charge_end"), Some("06:30"));
    press(&mut scene, &["Enter", "Ctrl+A", "Ctrl+K", "2", "5", ":", "0", "0", "Enter"]);
    assert!(notice(&scene).contains("not a time") && scene.ui.mode == Mode::Field);
    press(&mut scene, &["Esc", "b"]);
    assert_eq!(scene.ui.power.view, SettingsView::List);
}

#[test]
fn what_can_only_be_read_says_so() {
    let mut scene = scene(one());
    press(&mut scene, &["4", "Down", "Down", "Down", "Down", "Enter"]);
    assert!(notice(&scene).contains("only be read") && scene.ui.mode == Mode::Main);
    change(Arc::make_mut(&mut scene.snapshot.power), |unit| unit.read_only = Some("another device answers".into()));
    press(&mut scene, &["Home", "Enter"]);
    assert!(notice(&scene).contains("another device") && scene.ui.mode == Mode::Main);
    assert!(matches!(made::settings()[4].takes, Takes::Nothing(_)));
}

#[test]
fn inverters_are_switched_and_confirmed_after_a_question() {
    let mut scene = scene(three());
    press(&mut scene, &["2", "Down", "s"]);
    let order = PowerOrder::Enable { inverter: "shed".into(), on: false };
    assert_eq!(yes(&mut scene), submitted(order));
    scene.press(&["y"]);
    assert!(scene.ui.popup.is_none() && notice(&scene).contains("nothing to confirm"));
    change(Arc::make_mut(&mut scene.snapshot.power), |unit| unit.to_confirm = Some("another serial number".into()));
    scene.press(&["y"]);
    assert_eq!(yes(&mut scene), [], "the choice that is selected leaves it");
    scene.press(&["y", "Up"]);
    assert_eq!(yes(&mut scene), submitted(PowerOrder::ConfirmIdentity { inverter: "shed".into() }));
    press(&mut scene, &["Enter"]);
    assert_eq!((scene.ui.power.page, scene.ui.power.place), (PowerPage::Flow, 1));
    press(&mut scene, &["n", "n"]);
    assert!(scene.text(80, 24).contains("all together"));
}

#[test]
fn a_bus_is_tried_again_on_its_page_and_the_link_elsewhere() {
    let mut scene = scene(one());
    press(&mut scene, &["7"]);
    assert_eq!(scene.press(&["r"]), submitted(PowerOrder::Reconnect { bus: "rs485".into() }));
    press(&mut scene, &["1"]);
    assert_eq!(scene.press(&["r"]), [], "the machine's link is not down");
}

#[test]
fn registers_are_found_by_address_and_written_to_a_file() {
    let mut scene = scene(one());
    press(&mut scene, &["5", "/", "2", "1", "1", "b", "Enter"]);
    let left = scene.ui.power.registers_left("roof");
    assert_eq!(left.iter().map(|row| row.id.as_str()).collect::<Vec<_>>(), ["soc_min"], "8475 is 0x211b");
    let effects = scene.press(&["Ctrl+S"]);
    assert!(
        matches!(&effects[..], [Effect::Ask(Query::SaveTable { name, text })]
        if name == "registers-roof" && text.lines().count() == 5),
        "{effects:?}"
    );
}

#[test]
fn nothing_is_done_where_no_inverter_is_configured() {
    let mut scene = scene(crate::model::power::Power::default());
    for key in ["1", "2", "3", "4", "5", "6", "7", "n", "Enter", "w", "b", "A", "s", "y", "u", "f", "l", "h", "Left"] {
        assert_eq!(scene.press(&[key]), [], "{key}");
        scene.press(&["Esc"]);
    }
}
