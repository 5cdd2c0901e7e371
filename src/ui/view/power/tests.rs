use std::sync::Arc;
use std::time::Duration;

use crate::model::command::Command;
use crate::model::power::{BusState, GridState, Power, Reading, Sample, UnitState};
use crate::model::program::Run;
use crate::model::sun::{Action, DayProfile, Firing, Knowledge, Park, ParkStep, RuleState, Seen, Sun, SunOrder, Truth};
use crate::ui::settings::{ColourMode, SymbolSet};
use crate::ui::state::{Effect, Tab};
use crate::ui::testing::power::{self as made, change, press, scene};
use crate::ui::testing::programs;
use crate::ui::testing::{self, NOW, Scene, ms};

/// One drawing at each of the three sizes.
fn sizes(name: &str, scene: &Scene) {
    for (width, height) in [(80, 24), (60, 18), (120, 40)] {
        insta::assert_snapshot!(format!("{name}_{width}x{height}"), scene.text(width, height));
    }
}

/// What keys show, on a hub that answers.
fn after(power: Power, keys: &[&str]) -> Scene {
    let mut scene = scene(power);
    scene.event(&crate::ui::state::Event::Snapshot);
    press(&mut scene, keys);
    // Keys take time; the values are as young as they were.
    scene.now = NOW;
    scene
}

#[test]
fn every_page_at_every_size() {
    sizes("flow", &after(made::one(), &[]));
    sizes("inverters", &after(made::three(), &["2", "Down"]));
    sizes("faults", &after(made::faulty(), &["3"]));
    sizes("settings", &after(made::drifted(), &["4"]));
    sizes("registers", &after(made::one(), &["5", "Down", "Down"]));
    sizes("course", &after(made::one(), &["6"]));
    sizes("bars", &after(made::one(), &["6", "b"]));
    sizes("buses", &after(made::one(), &["7"]));
    sizes("windows", &after(made::one(), &["4", "b", "Right"]));
}

/// A rule that has fired, one that holds still, one of which nothing is known.
fn rules() -> Sun {
    let seen = |name: &str, shown: &str| Seen {
        name: name.into(),
        shown: shown.into(),
        at: Some(NOW - Duration::from_secs(1)),
        unknown: None,
    };
    let firing = Firing {
        rule: "evening".into(),
        at: NOW - Duration::from_secs(40),
        at_ms: 0,
        why: "grid = lost for 10s: grid lost (0.4 s old)".into(),
        did: "the machine is being parked".into(),
    };
    let rule = |name: &str, when: &str, action, truth, seen| RuleState {
        name: name.into(),
        when: when.into(),
        action,
        truth,
        since: NOW - Duration::from_secs(50),
        seen,
        fired: None,
        latched: false,
        aside: None,
        blocks: None,
    };
    let lost = rule("evening", "grid = lost for 10s", Action::Park, Truth::True, vec![seen("grid", "lost")]);
    let lost = RuleState {
        fired: Some(firing.clone()),
        latched: true,
        blocks: Some("grid = lost for 10s (grid lost)".into()),
        ..lost
    };
    let low = rule("low", "battery_soc < 20", Action::Notify, Truth::False, vec![seen("battery_soc", "64 %")]);
    let unknown = Seen { unknown: Some("12 s old".into()), ..seen("load_percent", "-") };
    let load = rule("load", "load_percent > 110 for 3s", Action::Hold, Truth::Unknown, vec![unknown]);
    Sun { rules: vec![lost, low, load], notice: Some(firing), ..Sun::default() }
}

#[test]
fn rules_with_what_they_see_and_did() {
    let mut scene = after(made::one(), &["8"]);
    insta::assert_snapshot!("no_rules", scene.text(80, 24));
    scene.snapshot.sun = Arc::new(rules());
    sizes("rules", &scene);
    scene.ui.tab = Tab::Machine;
    insta::assert_snapshot!("rule_on_the_machine", scene.text(80, 24));
    let park = |step| Park {
        why: "rule \"evening\", grid = lost for 10s: grid lost (0.4 s old)".into(),
        who: "rule evening".into(),
        step,
        began: NOW,
        notes: Vec::new(),
    };
    let mut show = |step, name: &str| {
        let sun = Sun { park: Some(park(step)), ..rules() };
        scene.snapshot.sun = Arc::new(sun);
        insta::assert_snapshot!(format!("{name}_80x24"), scene.text(80, 24));
        insta::assert_snapshot!(format!("{name}_60x18"), scene.text(60, 18));
    };
    show(ParkStep::Hold, "parking");
    show(
        ParkStep::Done("the program was ended at standstill, position kept; spindle off; Z up at machine Z -5".into()),
        "parked",
    );
    show(ParkStep::Failed("given up at \"Z goes up\": an alarm came up. Nothing more is sent".into()), "not_parked");
}

#[test]
fn the_selected_rule_is_in_sight_and_others_are_counted() {
    for (width, height) in [(60, 18), (80, 24)] {
        let mut scene = after(made::one(), &["8"]);
        scene.snapshot.sun = Arc::new(rules());
        for _ in 0..3 {
            let selected = scene.snapshot.sun.rules[scene.ui.power.selected].name.clone();
            let text = scene.text(width, height);
            let pointed = [format!("▸ {selected}"), format!("> {selected}")];
            assert!(pointed.iter().any(|mark| text.contains(mark)), "{selected}\n{text}");
            assert!(height == 24 || text.contains("of 3)"), "{text}");
            scene.press(&["Down"]);
        }
    }
}

/// The page of sun and machine, with a program that is chosen.
fn chosen(power: Power) -> Scene {
    let mut scene = after(power, &["8"]);
    scene.snapshot.sun = Arc::new(Sun { knows: Arc::new(made::knowledge()), ..rules() });
    scene.ui.programs.file = Some(programs::file("plate.nc"));
    scene.ui.programs.details = Some(Ok(Arc::new(programs::details())));
    scene
}

#[test]
fn what_a_program_needs_and_what_carries_it() {
    let mut scene = chosen(made::one());
    sizes("energy_chosen", &scene);
    // It runs.
    scene.snapshot.programs.run = Some(programs::run());
    Arc::make_mut(&mut scene.snapshot.sun).drawn = Some(made::run_energy());
    sizes("energy_running", &scene);
    scene.ui.tab = Tab::Machine;
    insta::assert_snapshot!("energy_machine_line", scene.text(120, 40));
    // At night, without the grid, and the battery nearly at its limit.
    let mut night = made::one();
    change(&mut night, |unit| {
        unit.known.grid.state = GridState::Lost;
        (unit.known.flow.pv_w.value, unit.known.flow.battery_w.value) = (Some(0.0), Some(900.0));
        unit.known.battery.soc_percent.value = Some(21.0);
    });
    Arc::make_mut(&mut scene.snapshot.sun).knows = Arc::default();
    Arc::make_mut(&mut Arc::make_mut(&mut scene.snapshot.sun).knows).rated_w = Some(1500.0);
    scene.snapshot.power = Arc::new(night);
    insta::assert_snapshot!("energy_stops_machine_line", scene.text(80, 24));
    scene.ui.tab = Tab::Power;
    sizes("energy_stops", &scene);
    scene.ui.settings.symbols = SymbolSet::Ascii;
    scene.ui.settings.colour = ColourMode::None;
    let text = scene.text(80, 24);
    assert!(text.is_ascii() && text.contains("+-"), "{text}");
    insta::assert_snapshot!("energy_stops_ascii", text);
}

#[test]
fn until_when_the_batteries_last_as_the_last_days_were() {
    let mut scene = chosen(made::one());
    assert!(!scene.text(120, 40).contains("no grid"), "nothing is known of the last days");
    let quarter = |n: i64| Sample { at_ms: n * 900_000, pv_w: Some(0.0), load_w: Some(900.0), ..Sample::default() };
    let samples: Vec<Sample> = (0..96).map(quarter).collect();
    let knows = Knowledge {
        sun: DayProfile::of(&samples, |sample| sample.pv_w),
        loads: DayProfile::of(&samples, |sample| sample.load_w),
        ..made::knowledge()
    };
    Arc::make_mut(&mut scene.snapshot.sun).knows = Arc::new(knows);
    sizes("energy_as_the_last_days", &scene);
    // What a program that runs still needs is not known: nothing is said.
    scene.snapshot.programs.run = Some(Run { remaining_s: None, programmed_s: None, ..programs::run() });
    assert!(!scene.text(120, 40).contains("no grid"));
}

#[test]
fn without_any_history_the_watts_of_the_machine_are_asked_for() {
    let mut scene = chosen(made::one());
    scene.snapshot.sun = Arc::default();
    let text = scene.text(80, 24);
    assert!(text.contains("what it needs is not known") && text.contains("machine.rated_w"), "{text}");
    scene.snapshot.power = Arc::default();
    assert!(!scene.text(80, 24).contains("rated_w"), "nobody asks where there is no inverter");
}

#[test]
fn the_selected_rule_is_set_aside_and_taken_back() {
    let mut scene = after(made::one(), &["8"]);
    scene.snapshot.sun = Arc::new(rules());
    let asked = |effects: Vec<Effect>| match effects.as_slice() {
        [Effect::Submit(Command::Sun(order))] => order.clone(),
        other => panic!("{other:?}"),
    };
    scene.press(&["Down"]);
    assert_eq!(asked(scene.press(&["x"])), SunOrder::SetAside { rule: "low".into() });
    Arc::make_mut(&mut scene.snapshot.sun).rules[1].aside = Some(NOW - ms(30_000));
    assert_eq!(asked(scene.press(&["x"])), SunOrder::TakeBack { rule: "low".into() });
    assert_eq!(asked(scene.press(&["Y"])), SunOrder::Dismiss);
}

#[test]
fn changes_before_and_after() {
    let mut scene = after(made::one(), &["4", "Enter", "Up", "Enter", "Down", "Enter", "Down", "Enter", "w"]);
    sizes("changes", &scene);
    press(&mut scene, &["Enter"]);
    insta::assert_snapshot!("changes_question", scene.text(80, 24));
    press(&mut scene, &["Esc"]);
    let mut power = made::one();
    change(&mut power, |unit| unit.last_write = Some(Arc::new(made::half_written())));
    power.armed_until = Some(scene.now + ms(43_000));
    scene.snapshot.power = Arc::new(power);
    insta::assert_snapshot!("partial_failure", scene.text(80, 24));
    insta::assert_snapshot!("partial_failure_60x18", scene.text(60, 18));
}

#[test]
fn forms() {
    insta::assert_snapshot!("form_number", after(made::one(), &["4", "Enter"]).text(80, 24));
    insta::assert_snapshot!("form_words", after(made::one(), &["4", "Down", "Enter"]).text(60, 18));
    insta::assert_snapshot!("form_bits", after(made::one(), &["4", "Down", "Down", "Enter"]).text(60, 18));
    insta::assert_snapshot!("form_time", after(made::one(), &["4", "b", "Enter"]).text(60, 18));
}

#[test]
fn what_is_old_lost_or_not_there_is_said() {
    insta::assert_snapshot!("none_configured", scene(Power::default()).text(80, 24));
    let mut old = after(made::one(), &[]);
    old.now = NOW + Duration::from_secs(20);
    insta::assert_snapshot!("stale", old.text(80, 24));
    let mut silent = made::one();
    change(&mut silent, |unit| {
        let why = "nothing answers at address 1: is it switched on, and is its address right?".into();
        unit.state = UnitState::Silent { since: NOW, why };
        for reading in [&mut unit.known.flow.pv_w, &mut unit.known.flow.battery_w, &mut unit.known.flow.grid_w] {
            reading.lost = true;
        }
        unit.known.flow.load_w = Reading::default();
        unit.known.battery.soc_percent.quarantined = true;
        unit.known.grid.state = GridState::Unknown;
    });
    sizes("lost", &after(silent, &[]));
    let mut island = made::faulty();
    change(&mut island, |unit| {
        unit.known.grid.state = GridState::Lost;
        unit.known.flow.battery_w.value = Some(900.0);
        unit.known.status = Some("off grid".into());
        unit.read_only = Some("another device answers here".into());
        unit.to_confirm = Some("serial number SE5K9999 answers, SE5K2404 was there before".into());
    });
    let lost = after(island.clone(), &[]);
    sizes("grid_lost", &lost);
    let small = lost.text(60, 18);
    assert!(small.contains("battery      64 %"), "alerts and faults leave it its row\n{small}");
    // On the machine's own screen, and with its alarm above it.
    let mut machine = Scene::new(testing::hard_limit());
    machine.snapshot.power = Arc::new(island);
    insta::assert_snapshot!("alarm_and_grid_lost", machine.text(80, 24));
    let small = machine.text(60, 18);
    assert!(small.contains("ALARM 1") && !small.contains("GRID LOST"), "the machine's alarm comes first\n{small}");
    let mut down = made::one();
    let bus = Arc::make_mut(&mut down.buses[0]);
    bus.state = BusState::Down { why: "the adapter is not there".into(), attempt: 3, retry_at: NOW + ms(3500) };
    bus.wire_trouble = Some("somebody else seems to ask on this wire".into());
    insta::assert_snapshot!("bus_down", after(down, &["7"]).text(80, 24));
}

#[test]
fn several_together_and_as_rows() {
    let all = after(made::three(), &["n", "n", "n"]);
    insta::assert_snapshot!("all_together", all.text(80, 24));
    let two = Power { inverters: made::three().inverters[..2].to_vec(), ..made::three() };
    insta::assert_snapshot!("two_together", after(two, &["n", "n"]).text(80, 24));
}

#[test]
fn ascii_and_no_colour() {
    for (name, keys) in [
        ("ascii_flow", &[][..]),
        ("ascii_course", &["6"]),
        ("ascii_bars", &["6", "b"]),
        ("ascii_windows", &["4", "b"]),
        ("ascii_registers", &["5"]),
    ] {
        let mut scene = after(made::one(), keys);
        scene.ui.settings.symbols = SymbolSet::Ascii;
        scene.ui.settings.colour = ColourMode::None;
        let text = scene.text(80, 24);
        assert!(text.is_ascii(), "{text}");
        insta::assert_snapshot!(name, text);
    }
}

#[test]
fn the_machine_s_screens_have_a_line_about_power() {
    let mut scene = scene(made::one());
    for tab in [Tab::Machine, Tab::Offsets, Tab::Devices] {
        scene.ui.tab = tab;
        assert!(scene.text(80, 24).contains("sun 2.3 kW  battery 64 % charging  grid there  load 0.8 kW"), "{tab:?}");
    }
    scene.ui.tab = Tab::Machine;
    insta::assert_snapshot!("machine_line", scene.text(80, 24));
    scene.snapshot.power = Arc::default();
    assert!(!scene.text(80, 24).contains("sun"), "nothing where no inverter is configured");
}

/// What jitters below what is shown costs nothing.
#[test]
fn an_idle_second_changes_no_cell() {
    for keys in [&[][..], &["2"], &["7"]] {
        let mut scene = after(made::one(), keys);
        let before = scene.draw(80, 24);
        let mut power = made::one();
        scene.now = NOW + ms(1000);
        scene.snapshot.machine.reported_at = Some(scene.now);
        change(&mut power, |unit| {
            unit.known.flow.pv_w = Reading::new(2312.0, NOW + ms(1000), Duration::from_secs(5));
            unit.known.grid.voltage_v = Reading::new(231.3, NOW + ms(1000), Duration::from_secs(1));
        });
        scene.snapshot.power = Arc::new(power);
        assert!(before.diff(&scene.draw(80, 24)).is_empty(), "{keys:?}");
    }
}
