use std::sync::Arc;
use std::time::Duration;

use crate::model::command::{ClientId, Command, Origin, Outcome, Refused, TicketId};
use crate::model::desk::Query;
use crate::model::hub::LogEvent;
use crate::model::log::{LogEntry, LogItem};
use crate::model::machine::{MachineState, MessageLevel};
use crate::model::people::{Control, ControlOrder, Fares, People, Person};
use crate::model::role::Role;
use crate::model::{StateKind, Time};
use crate::ui::devices::Page;
use crate::ui::settings::ColourMode;
use crate::ui::state::{Effect, Event, Mode, Tab, sees_nothing_new};
use crate::ui::testing::{self, NOW, Scene, ms};

/// 2026-11-28 12:00:00 UTC at the start of the hub's time.
const NOON_MS: i64 = 1_795_867_200_000;

/// A screen in whose hub this and that has happened.
fn busy() -> Scene {
    let mut scene = Scene::new(testing::idle());
    scene.ui.settings.started_unix_ms = Some(NOON_MS);
    let pi = Origin::Screen(ClientId(1));
    let note = |level, text: &str| LogItem::Note { level, text: text.into() };
    let sent = |n, origin: &Origin, text: &str| LogItem::Sent {
        ticket: TicketId(n),
        origin: origin.clone(),
        text: text.into(),
    };
    let ended = |n, what: &str, outcome| LogItem::Outcome {
        ticket: TicketId(n),
        origin: pi.clone(),
        what: what.into(),
        outcome,
        latency: Duration::from_millis(4),
    };
    let items = [
        note(MessageLevel::Info, "FluidNC v4.0.5 answers on /dev/serial/by-id/usb-Silicon_Labs_CP2102-if00-port0"),
        sent(1, &Origin::Hub, "$G"),
        LogItem::State(MachineState::plain(StateKind::Idle)),
        sent(2, &pi, "G1 X20"),
        ended(2, "G1 X20", Outcome::Failed { code: 22, text: "no feed rate: add F".into() }),
        sent(3, &pi, "G1 X20 F600"),
        ended(3, "G1 X20 F600", Outcome::Done),
        LogItem::State(MachineState::plain(StateKind::Run)),
        LogItem::Received { level: MessageLevel::Warning, text: "[MSG:WARN: Low memory]".into() },
        ended(4, "home all axes", Outcome::Refused(Refused::because("the machine moves; stop it first"))),
        note(MessageLevel::Warning, "hybrid does not answer on the bus roof"),
        note(MessageLevel::Info, "anna at 192.168.1.20, pts/3 is attached (sunmill 0.1.0)"),
        LogItem::Alarm { code: 1, text: "a limit switch was hit: the position is lost; home again".into() },
    ];
    for (second, what) in items.into_iter().enumerate() {
        log(&mut scene, second as u64, what);
    }
    scene
}

fn log(scene: &mut Scene, second: u64, what: LogItem) {
    let entry = LogEntry { id: second, at: Time::from_millis(second * 1000), what };
    scene.event(&Event::Log(LogEvent::Entry(Arc::new(entry))));
}

/// Three clients; the second is in control.
fn people() -> Arc<People> {
    let person = |id, user: &str, uid, from: &str, role| Person {
        id: ClientId(id),
        user: user.into(),
        uid: Some(uid),
        from: from.into(),
        program: "sunmill 0.1.0".into(),
        role,
        since: Time::from_millis(u64::from(id) * 10_000),
        fares: Fares { rate_hz: Some(10.0), lag: Some(ms(u64::from(id))), dropped: 0 },
        screen: true,
        local: false,
        console: false,
    };
    let own = Person {
        local: true,
        console: true,
        program: String::new(),
        fares: Fares::default(),
        ..person(1, "this screen", 1000, "tty1", Role::Admin)
    };
    let anna = person(2, "anna", 1001, "192.168.1.20, pts/3", Role::Operate);
    let board = Person {
        fares: Fares { rate_hz: Some(1.0), lag: Some(ms(2400)), dropped: 312 },
        ..person(3, "dashboard", 1002, "process 4711", Role::Observe)
    };
    let who = "anna at 192.168.1.20, pts/3 (screen 2)".to_owned();
    let control = Control { client: ClientId(2), who, since: Time::from_millis(25_000), stale: false };
    Arc::new(People { control: Some(control), clients: vec![own, anna, board], local_priority: false })
}

#[test]
fn the_log_in_each_size() {
    let mut scene = busy();
    scene.press(&["L"]);
    assert_eq!((scene.ui.tab, scene.ui.devices.page), (Tab::Devices, Page::Log));
    insta::assert_snapshot!("log_80x24", scene.text(80, 24));
    insta::assert_snapshot!("log_120x40", scene.text(120, 40));
    insta::assert_snapshot!("log_60x18", scene.text(60, 18));
    scene.press(&["v"]);
    insta::assert_snapshot!("log_warnings", scene.text(80, 24));
}

#[test]
fn words_are_found_as_they_are_typed_and_esc_shows_all() {
    let mut scene = busy();
    scene.press(&["L", "/"]);
    assert_eq!(scene.ui.mode, Mode::Field);
    scene.press(&["r", "o", "o", "f"]);
    let text = scene.text(80, 24);
    assert!(text.contains("find: roof") && text.contains("on the bus roof") && !text.contains("Low memory"), "{text}");
    scene.press(&["Enter"]);
    assert_eq!(scene.ui.mode, Mode::Main);
    let text = scene.text(80, 24);
    assert!(text.contains("with \"roof\"") && !text.contains("Low memory"), "{text}");
    scene.press(&["Esc"]);
    assert!(scene.text(80, 24).contains("Low memory"));
    scene.press(&["/", "x", "x", "x"]);
    assert!(scene.text(80, 24).contains("no entry of this level has these words"));
    scene.press(&["Esc"]);
    assert!(scene.text(80, 24).contains("Low memory") && scene.ui.mode == Mode::Main);
}

#[test]
fn it_follows_until_one_looks_back() {
    let mut scene = busy();
    scene.press(&["L"]);
    for second in 20..80 {
        let text = format!("entry {second}");
        log(&mut scene, second, LogItem::Note { level: MessageLevel::Info, text });
    }
    assert!(scene.text(80, 24).contains("entry 79"));
    scene.press(&["PgUp", "Up"]);
    let text = scene.text(80, 24);
    assert!(!text.contains("entry 69") && text.contains("entry 68") && text.contains("11 more below"), "{text}");
    log(&mut scene, 80, LogItem::Note { level: MessageLevel::Info, text: "entry 80".into() });
    let text = scene.text(80, 24);
    assert!(text.contains("entry 68") && !text.contains("entry 69") && text.contains("12 more below"), "{text}");
    scene.press(&["Home"]);
    assert!(scene.text(80, 24).contains("FluidNC v4.0.5 answers"));
    scene.press(&["End"]);
    assert!(scene.text(80, 24).contains("entry 80"));
}

#[test]
fn what_is_shown_goes_into_a_file_through_the_house() {
    let mut scene = busy();
    scene.press(&["L", "v", "v"]);
    let effects = scene.press(&["Ctrl+S"]);
    let [Effect::Ask(Query::SaveTable { name, text })] = effects.as_slice() else { panic!("{effects:?}") };
    assert_eq!(name, "log");
    assert_eq!(
        text,
        "12:00:04 E screen 1: G1 X20: error 22: no feed rate: add F\n\
         12:00:12 E machine: ALARM 1: a limit switch was hit: the position is lost; home again\n"
    );
}

#[test]
fn the_clients_in_each_size() {
    let mut scene = busy();
    scene.snapshot.people = people();
    scene.press(&["C"]);
    insta::assert_snapshot!("clients_80x24", scene.text(80, 24));
    insta::assert_snapshot!("clients_120x40", scene.text(120, 40));
    insta::assert_snapshot!("clients_60x18", scene.text(60, 18));
    Arc::make_mut(&mut scene.snapshot.people).control = None;
    let text = scene.text(60, 18);
    let line = text.lines().find(|line| line.contains("nobody is in control")).expect("it is said");
    assert!(line.trim_end().ends_with('\u{2026}'), "what is cut off has a mark: {line:?}");
    scene.snapshot.people = people();
    scene.ui.settings.colour = ColourMode::None;
    assert!(scene.text(80, 24).contains(" *   2 anna"), "control is told without colour");
}

#[test]
fn nobody_is_attached_and_more_than_fit_are_told() {
    let mut scene = busy();
    scene.press(&["C"]);
    let text = scene.text(80, 24);
    assert!(text.contains("nobody is attached") && text.contains("nobody is in control"), "{text}");
    let person = |id| Person { id: ClientId(id), user: format!("user{id}"), ..Person::default() };
    let many = People { clients: (2..40).map(person).collect(), ..People::default() };
    scene.snapshot.people = Arc::new(many);
    let text = scene.text(80, 24);
    assert!(text.contains("user2:") && text.contains("more below"), "{text}");
    for _ in 0..60 {
        scene.press(&["Down"]);
    }
    let text = scene.text(80, 24);
    assert!(text.contains("user39:") && !text.contains("more below"), "{text}");
    scene.press(&["Up"]);
}

#[test]
fn control_is_taken_after_a_question_and_given_back_at_once() {
    let mut scene = busy();
    scene.snapshot.people = people();
    scene.press(&["C"]);
    assert!(scene.press(&["R"]).is_empty(), "it is another's");
    assert!(scene.text(80, 24).contains("you are not in control"));
    scene.press(&["T"]);
    assert!(scene.text(80, 24).contains("anna at 192.168.1.20"));
    let effects = scene.press(&["Enter"]);
    assert!(matches!(effects.as_slice(), [Effect::Submit(Command::Control(ControlOrder::Take { .. }))]), "{effects:?}");
    let mut mine = People::clone(&people());
    mine.control.as_mut().unwrap().client = scene.ui.settings.me;
    scene.snapshot.people = Arc::new(mine);
    assert!(scene.text(80, 24).contains("you are in control since 12:00:25"));
    assert_eq!(scene.press(&["R"]), [Effect::Submit(Command::Control(ControlOrder::Release))]);
}

#[test]
fn only_who_looks_at_clients_is_drawn_anew_when_they_fare_otherwise() {
    let mut scene = busy();
    scene.snapshot.people = people();
    let mut news = scene.snapshot.clone();
    let mut people = People::clone(&people());
    people.clients[1].fares.lag = Some(ms(70));
    news.people = Arc::new(people);
    assert!(sees_nothing_new(&scene.ui, &scene.snapshot, &news, NOW));
    scene.ui.tab = Tab::Devices;
    scene.ui.devices.page = Page::Clients;
    assert!(!sees_nothing_new(&scene.ui, &scene.snapshot, &news, NOW));
}
