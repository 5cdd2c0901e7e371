use std::sync::Arc;
use std::time::Duration;

use ratatui::style::{Color, Modifier};

use crate::model::command::{ClientId, Command, Origin, Outcome, Realtime, TicketId};
use crate::model::desk::{Answer, PortAnswer, Query};
use crate::model::hub::LogEvent;
use crate::model::log::{LogEntry, LogItem};
use crate::model::machine::{MachineState, MessageLevel, Pins};
use crate::model::settings::{Change, Compared, Kept, Plan, Restore};
use crate::model::snapshot::{Latency, Stop, StopPhase};
use crate::model::{AxisSet, AxisVec, Endpoint, StateKind};
use crate::ui::controller::Page;
use crate::ui::devices::tests::ports;
use crate::ui::settings::{ColourMode, SymbolSet};
use crate::ui::state::{Effect, Event, Tab};
use crate::ui::testing::{self, NOW, Scene, key, ms};

fn log(scene: &mut Scene, what: LogItem) {
    scene.event(&Event::Log(LogEvent::Entry(Arc::new(LogEntry { id: 0, at: NOW, what }))));
}

/// A short conversation on the console.
fn talk(scene: &mut Scene) {
    let me = Origin::Screen(ClientId(1));
    let sent = |n, text: &str| LogItem::Sent { ticket: TicketId(n), origin: me.clone(), text: text.into() };
    let ended = |n, what: &str, outcome| LogItem::Outcome {
        ticket: TicketId(n),
        origin: me.clone(),
        what: what.into(),
        outcome,
        latency: Duration::from_millis(4),
    };
    let note = |text: &str| LogItem::Note { level: MessageLevel::Info, text: text.into() };
    log(scene, note("connected: FluidNC v4.0.5"));
    log(scene, sent(1, "G0 X12.345 Y0"));
    log(scene, ended(1, "G0 X12.345 Y0", Outcome::Done));
    log(scene, sent(2, "G1 X20"));
    log(scene, ended(2, "G1 X20", Outcome::Failed { code: 22, text: "no feed rate: add F".into() }));
    let message = LogItem::Received { level: MessageLevel::Warning, text: "[MSG:WARN: Low memory]".into() };
    log(scene, message);
}

#[test]
fn main_screens() {
    let mut idle = Scene::new(testing::idle());
    talk(&mut idle);
    insta::assert_snapshot!("sim_idle", idle.text(80, 24));

    insta::assert_snapshot!("disconnected", Scene::new(testing::disconnected()).text(80, 24));
    insta::assert_snapshot!("lost_link", Scene::new(testing::lost()).text(80, 24));

    let mut alarm = Scene::new(testing::hard_limit());
    talk(&mut alarm);
    insta::assert_snapshot!("hard_limit", alarm.text(80, 24));
    alarm.snapshot.machine.alarm.as_mut().unwrap().needs_reset = false;
    alarm.press(&["$"]);
    insta::assert_snapshot!("alarm_panel", alarm.text(80, 24));
}

#[test]
fn tabs() {
    let mut scene = Scene::new(testing::idle());
    let offsets = &mut scene.snapshot.machine.offsets;
    for (name, values) in [("G54", [-200.0, -200.0, -10.0]), ("G55", [0.0; 3]), ("TLO", [0.0, 0.0, 1.5])] {
        offsets.insert(name.into(), AxisVec::from_slice(&values));
    }
    scene.snapshot.machine.link.stats.reports = 1234;
    for (tab, name) in [(Tab::Offsets, "tab_offsets"), (Tab::Settings, "tab_settings"), (Tab::Devices, "tab_devices")] {
        scene.ui.tab = tab;
        insta::assert_snapshot!(name, scene.text(80, 24));
    }
}

#[test]
fn settings_pages() {
    let mut scene = Scene::new(testing::with_settings());
    scene.ui.tab = Tab::Settings;
    insta::assert_snapshot!("settings_list", scene.text(80, 24));
    assert!(scene.text(60, 18).contains("$110"), "{}", scene.text(60, 18));
    scene.press(&["Down", "Down", "Enter"]);
    insta::assert_snapshot!("settings_edit", scene.text(80, 24));
    scene.press(&["Esc", "c", "Enter"]);
    let change = |key: &str, before: &str, after: &str| Change {
        key: key.into(),
        before: Some(before.into()),
        after: Some(after.into()),
    };
    let plan = Plan {
        set: vec![change("3", "2", "0"), change("110", "3000.000", "2500")],
        left: vec![(change("112", "1000.000", "900"), "change it in config.yaml".into())],
    };
    let name = "mill-20260102-030405.toml".to_owned();
    let restore = Restore {
        name: name.clone(),
        set: vec![plan.set[0].clone()],
        not_set: vec![plan.set[1].clone()],
        why: Some("$110: interrupted by a lost link".into()),
        running: false,
    };
    let strange = vec!["it has 4 axes, this machine 3".to_owned()];
    scene.snapshot.kept = Arc::new(Kept {
        names: vec![name.clone()],
        compared: Some(Compared::Machine { name, strange, plan }),
        restore: Some(restore),
    });
    scene.ui.controller.page = Page::Backups;
    insta::assert_snapshot!("settings_backups", scene.text(80, 24));
    scene.ui.controller.page = Page::Compared;
    insta::assert_snapshot!("settings_compared", scene.text(80, 24));
}

#[test]
fn no_part_of_an_alarm_is_cut_in_silence() {
    use crate::model::Firmware;
    for (width, height) in [(60, 18), (80, 24), (120, 40)] {
        for (firmware, codes) in [(Firmware::Grbl, 1..=10), (Firmware::FluidNc, 1..=18), (Firmware::GrblHal, 1..=22)] {
            for code in codes {
                let mut scene = Scene::new(testing::alarm(firmware, code));
                scene.snapshot.machine.pins = Pins::from_letters("X");
                let meaning = scene.snapshot.machine.alarm.clone().unwrap().info.unwrap().meaning;
                let shown =
                    |text: &str| text.replace(['│', '\n'], " ").split_whitespace().collect::<Vec<_>>().join(" ");
                let text = shown(&scene.text(width, height));
                let end = meaning.rsplit(' ').next().unwrap();
                assert!(text.contains(end) || text.contains('…'), "{firmware} {code} {width}x{height}:\n{text}");
                assert!(text.contains("$ shows the way out"), "{firmware} {code} {width}x{height}:\n{text}");
                scene.press(&["$"]);
                let panel = shown(&scene.text(width, height));
                assert!(
                    panel.contains("now ") && panel.contains("Enter"),
                    "{firmware} {code} {width}x{height}:\n{panel}"
                );
            }
        }
    }
}

#[test]
fn hints_and_help_follow_the_users_keys() {
    use crate::ui::keymap::KeyOverride;
    use crate::ui::settings::Settings;
    let own = KeyOverride { action: "home".into(), keys: vec!["F5".into()], place: "config.toml:1".into() };
    let settings = Settings { keys: vec![own], ..Settings::default() };
    let mut scene = Scene::new(testing::idle());
    scene.ui = crate::ui::state::Ui::new(settings);
    assert!(scene.text(80, 24).contains("F5 home"));
    scene.press(&[":", "h", "o", "m", "e"]);
    assert!(scene.text(80, 24).contains("F5"));
    assert!(!scene.text(80, 24).contains(" H "));
    scene.press(&["Esc", "H"]);
    assert!(scene.ui.popup.is_none(), "the default key is free");
    scene.press(&["F5"]);
    assert!(scene.ui.popup.is_some());
}

/// Every screen at the sizes that matter: the least, the usual, a comfortable one; and in no colour, where the text is
/// the same and only bold, underline and reverse remain.
#[test]
fn every_screen_at_three_sizes_and_without_colour() {
    let with = |snapshot, keys: &[&str]| {
        let mut scene = Scene::new(snapshot);
        talk(&mut scene);
        scene.event(&Event::Snapshot);
        scene.press(keys);
        scene
    };
    let mut offsets = testing::idle();
    offsets.machine.offsets.insert("G54".into(), AxisVec::from_slice(&[-200.0, -200.0, -10.0]));
    let scenes = vec![
        ("machine", with(testing::idle(), &[])),
        ("alarm", with(testing::hard_limit(), &[])),
        ("recovery", with(testing::hard_limit(), &["$"])),
        ("recovery_word", with(testing::alarm(crate::model::Firmware::Grbl, 8), &["$", "u", "u", "n", "l"])),
        ("alarm_history", with(testing::hard_limit(), &["$", "Tab"])),
        ("jog_mode", with(testing::idle(), &["i"])),
        ("lost", with(testing::lost(), &[])),
        ("offsets", with(offsets, &["O"])),
        ("settings", with(testing::idle(), &["S"])),
        ("devices", with(testing::idle(), &["D"])),
        ("question", with(testing::idle(), &["H"])),
        ("actions", with(testing::idle(), &[":"])),
        ("help", with(testing::idle(), &["?"])),
    ];
    for (name, mut scene) in scenes {
        for (width, height) in [(60, 18), (80, 24), (120, 40)] {
            scene.ui.settings.colour = ColourMode::Ansi16;
            let text = scene.text(width, height);
            insta::assert_snapshot!(format!("{name}_{width}x{height}"), text);
            scene.ui.settings.colour = ColourMode::None;
            assert_eq!(scene.text(width, height), text, "{name}: nothing is told by colour");
            let buf = scene.draw(width, height);
            assert!(buf.content.iter().all(|cell| cell.fg == Color::Reset && cell.bg == Color::Reset), "{name}");
        }
    }
}

#[test]
fn a_huge_screen_keeps_answers_beside_their_lines() {
    let mut scene = Scene::new(testing::idle());
    talk(&mut scene);
    let text = scene.text(240, 70);
    let line = text.lines().find(|line| line.contains("G0 X12.345")).unwrap();
    assert!(line.chars().count() <= 132 && line.ends_with("ok 4 ms"), "{line}");
    assert!(text.contains('█'), "big digits");
}

#[test]
fn why_a_line_failed_is_said_in_full() {
    let mut scene = Scene::new(testing::idle());
    let me = Origin::Screen(ClientId(1));
    log(&mut scene, LogItem::Sent { ticket: TicketId(1), origin: me.clone(), text: "G1 X".into() });
    let words = "A letter has no number after it, or the number is malformed. Write the number in full, as in X12.5.";
    let outcome = Outcome::Failed { code: 2, text: words.into() };
    let latency = Duration::from_millis(4);
    log(&mut scene, LogItem::Outcome { ticket: TicketId(1), origin: me, what: "G1 X".into(), outcome, latency });
    for (width, height) in [(80, 24), (60, 18), (120, 40)] {
        let text = scene.text(width, height);
        let joined = text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(joined.contains(words), "{text}");
    }
}

#[test]
fn the_devices_tab_lists_measures_and_asks() {
    let mut scene = Scene::new(testing::idle());
    let stats = &mut scene.snapshot.machine.link.stats;
    (stats.rx_bytes, stats.rx_bytes_s, stats.reports, stats.reports_10s) = (123_456, 410, 1234, 50);
    stats.status_latency = Latency { count: 1234, p50_us: 4096, p99_us: 9215, max_us: 12_345 };
    (stats.connects, stats.wire_log_lost) = (3, 17);
    scene.press(&["D"]);
    assert_eq!(scene.press(&["l"]), [Effect::Ask(Query::Ports)]);
    scene.event(&Event::Answer(Answer::Ports(ports())));
    let asked = scene.press(&["a"]);
    assert_eq!(asked, [Effect::Ask(Query::AskPort(ports()[0].path.clone()))]);
    let words = "FluidNC v4.0.5, state Idle".to_owned();
    let answer = PortAnswer { identity: None, state: None, words };
    scene.event(&Event::Answer(Answer::PortAsked { path: ports()[0].path.clone(), result: Ok(answer) }));
    scene.press(&["Down"]);
    insta::assert_snapshot!("devices_listed", scene.text(80, 24));
    assert_eq!(scene.press(&["a"]), [], "what another program has open is not opened");
    scene.press(&["w"]);
    insta::assert_snapshot!("devices_keep", scene.text(80, 24));
    assert_eq!(scene.press(&["Enter"]), [Effect::Ask(Query::RememberPort(ports()[1].path.clone()))]);
    scene.press(&["Up", "w"]);
    let path = ports()[0].path.clone();
    let used = Effect::Submit(Command::UsePort(Endpoint::Serial(path.clone())));
    assert_eq!(scene.press(&["Enter"]), [used, Effect::Ask(Query::RememberPort(path))]);
    scene.snapshot.machine.state = Some(MachineState::plain(StateKind::Run));
    scene.press(&["w"]);
    assert!(scene.text(80, 24).contains("Not now: cannot leave this machine: the machine is running"));
    assert!(matches!(&scene.press(&["Enter"])[..], [Effect::Ask(Query::RememberPort(_))]), "only for the next start");
    scene.event(&Event::Answer(Answer::Done(Err("config.toml: no permission".into()))));
    assert!(scene.text(80, 24).contains("no permission"));
}

#[test]
fn the_open_tab_is_marked_without_colour() {
    let mut scene = Scene::new(testing::idle());
    scene.ui.settings.colour = ColourMode::None;
    for (tab, title) in [(Tab::Machine, " Machine "), (Tab::Devices, " Devices ")] {
        scene.ui.tab = tab;
        let buf = scene.draw(80, 24);
        let reversed: String = (0..80)
            .filter(|x| buf[(*x, 1)].modifier.contains(Modifier::REVERSED))
            .map(|x| buf[(x, 1)].symbol())
            .collect();
        assert_eq!(reversed, title);
    }
}

#[test]
fn jogging() {
    let mut scene = Scene::new(testing::idle());
    scene.press(&["i"]);
    scene.wait(500);
    let start = scene.now;
    for after in [0, 660, 700, 740] {
        scene.now = start + ms(after);
        scene.input(key("Right", scene.now));
    }
    let at = scene.now;
    scene.snapshot = testing::jogging();
    scene.snapshot.machine.reported_at = Some(at);
    insta::assert_snapshot!("jogging", scene.text(80, 24));
}

#[test]
fn texts_and_questions() {
    let mut help = Scene::new(testing::idle());
    help.press(&["?"]);
    insta::assert_snapshot!("help", help.text(80, 24));
    help.press(&["End"]);
    insta::assert_snapshot!("help_end", help.text(80, 24));

    let mut typing = Scene::new(testing::idle());
    talk(&mut typing);
    typing.press(&["Enter", "G", "0", "Space", "X", "1", "0"]);
    insta::assert_snapshot!("typing", typing.text(80, 24));

    let mut home = Scene::new(testing::idle());
    home.press(&["H"]);
    insta::assert_snapshot!("confirm_home", home.text(80, 24));

    let mut palette = Scene::new(testing::in_state(MachineState::plain(StateKind::Run)));
    palette.press(&[":"]);
    insta::assert_snapshot!("palette", palette.text(80, 24));
}

#[test]
fn ascii_and_four_axes() {
    let mut scene = Scene::new(testing::idle());
    scene.ui.settings.symbols = SymbolSet::Ascii;
    let machine = &mut scene.snapshot.machine;
    machine.machine_position = Some(AxisVec::from_slice(&[0.0, -0.0001, 5.0, 720.5]));
    machine.work_position = machine.machine_position;
    machine.homed = AxisSet::first(2);
    machine.pins = Pins::from_letters("XPD");
    scene.press(&["i"]);
    let text = scene.text(80, 24);
    assert!(text.is_ascii(), "{text}");
    insta::assert_snapshot!("ascii_four_axes", text);
}

/// On the smallest screen the numbers of the machine stand apart, however little room there is.
#[test]
fn numbers_do_not_run_into_each_other_on_a_narrow_screen() {
    let mut scene = Scene::new(testing::idle());
    scene.snapshot.machine.feed_mm_min = Some(12_000.0);
    scene.snapshot.machine.spindle_rpm = Some(24_000.0);
    let rows = |scene: &Scene| {
        let text = scene.text(60, 18);
        ["feed", "spindle", "coolant"].map(|label| {
            let row = text.lines().find(|line| line.contains(label)).unwrap_or_default();
            row.split_whitespace().skip_while(|word| *word != label).collect::<Vec<_>>().join(" ")
        })
    };
    assert_eq!(rows(&scene), ["feed 12000", "spindle 24000 off", "coolant off"]);
    scene.snapshot.machine.overrides = Some(crate::model::machine::Overrides { feed: 110, rapid: 50, spindle: 90 });
    assert_eq!(rows(&scene), ["feed 12000 110 %", "spindle 24000 90 %", "coolant off r 50 %"]);
}

#[test]
fn a_stop_is_told_in_words() {
    for (phase, words) in [
        (StopPhase::Sent, "hold sent, not confirmed yet"),
        (StopPhase::Confirmed, "hold confirmed, slowing down"),
        (StopPhase::Stopped, "hold confirmed: the machine stands"),
        (StopPhase::NotConfirmed, "hold NOT confirmed"),
        (StopPhase::NotNeeded("the machine is idle".into()), "nothing was sent: the machine is idle"),
    ] {
        let mut snapshot = testing::in_state(MachineState::plain(StateKind::Run));
        snapshot.machine.stop = Some(Stop { asked: Realtime::FeedHold, at: NOW, phase: phase.clone() });
        let mut scene = Scene::new(snapshot);
        assert!(scene.text(80, 24).contains(words), "{words}");
        scene.wait(10_000);
        let stays = phase == StopPhase::NotConfirmed;
        assert_eq!(scene.text(80, 24).contains(words), stays, "{words}, ten seconds later");
    }
}

#[test]
fn an_old_position_is_not_shown_as_new() {
    let mut scene = Scene::new(testing::idle());
    assert!(!scene.text(80, 24).contains(" old"), "nothing while it is young");
    for (age_ms, header, position) in [
        (1000, "1.0 s old   IDLE", "12.345"),
        (3000, "3.0 s old   IDLE?", "12.345"),
        (7000, "7 s old   LOST", "-----.---"),
    ] {
        scene.now = NOW + ms(age_ms);
        let text = scene.text(80, 24);
        assert!(text.contains(header) && text.contains(position), "{age_ms}:\n{text}");
    }
}

#[test]
fn sim_is_unmistakable_and_a_real_machine_is_not_called_so() {
    let scene = Scene::new(testing::idle());
    let text = scene.text(80, 24);
    assert!(text.starts_with(" SIM ") && text.contains("simulated machine"));
    assert!(scene.draw(80, 24)[(1, 0)].modifier.contains(Modifier::REVERSED));
    assert!(!Scene::new(testing::hard_limit()).text(80, 24).contains("SIM"));
}

#[test]
fn footer_hints_are_possible_actions_only() {
    let idle = Scene::new(testing::idle()).text(80, 24);
    assert!(idle.contains("i jog") && idle.contains("H home") && !idle.contains("~ resume"), "{idle}");
    let hold = Scene::new(testing::in_state(MachineState::with_sub(StateKind::Hold, 0))).text(80, 24);
    assert!(hold.contains("~ resume") && !hold.contains("i jog"), "{hold}");
    let lost = Scene::new(testing::lost()).text(80, 24);
    assert!(lost.contains("r try now") && !lost.contains("H home"), "{lost}");
}

/// Without colour only `Reset` may appear, and bold and reverse stay.
#[test]
fn no_colour_means_none() {
    for snapshot in [testing::idle(), testing::hard_limit(), testing::lost()] {
        let mut scene = Scene::new(snapshot);
        scene.ui.settings.colour = ColourMode::None;
        talk(&mut scene);
        let buf = scene.draw(80, 24);
        assert!(buf.content.iter().all(|cell| cell.fg == Color::Reset && cell.bg == Color::Reset));
        assert!(buf.content.iter().any(|cell| cell.modifier.contains(Modifier::REVERSED)));
    }
}

#[test]
fn every_size_draws() {
    let mut scenes = vec![
        Scene::new(testing::idle()),
        Scene::new(testing::disconnected()),
        Scene::new(testing::hard_limit()),
        Scene::new(testing::lost()),
    ];
    for keys in [&["i"][..], &["?"], &["Enter", "漢"], &["H"], &[":"], &["z"], &["o"], &["g"], &["t"], &["O", "="]] {
        let mut scene = Scene::new(testing::idle());
        talk(&mut scene);
        scene.press(keys);
        scenes.push(scene);
    }
    let mut nine = Scene::new(testing::idle());
    nine.snapshot.machine.machine_position = Some(AxisVec::from_slice(&[1.0; 9]));
    scenes.push(nine);
    for scene in &scenes {
        for (width, height) in
            [(1, 1), (2, 40), (59, 18), (60, 17), (60, 18), (80, 24), (81, 19), (120, 40), (300, 100)]
        {
            let text = scene.text(width, height);
            if width >= 30 {
                assert!(text.to_uppercase().contains("SPACE"), "{width}x{height}:\n{text}");
            }
        }
    }
}

#[test]
fn too_small_still_tells_the_state_and_the_stop_key() {
    let mut scene = Scene::new(testing::in_state(MachineState::plain(StateKind::Run)));
    assert_eq!(scene.text(40, 5).lines().next(), Some("RUN SPACE stops 60x18 needed"));
    assert_eq!(scene.press(&["Space"]), [Effect::Realtime(Realtime::Stop)]);
    assert!(!matches!(scene.press(&["i"])[..], [Effect::Submit(Command::JogStep { .. })]));
}

#[test]
fn that_nothing_is_kept_is_said_in_one_row() {
    let mut scene = Scene::new(testing::idle());
    let trouble = "sunmill.db is not written: the disk is full: make room on it (database or disk is full)";
    scene.snapshot.programs.store_trouble = Some(trouble.into());
    let text = scene.text(60, 24);
    let rows: Vec<&str> = text.lines().filter(|row| row.contains("NOT KEPT") || row.contains("disk")).collect();
    assert!(
        matches!(rows[..], [row] if row.contains("NOT KEPT  sunmill.db is not written: the disk is full")),
        "{text}"
    );
    assert!(text.contains("IDLE"), "{text}");
}
