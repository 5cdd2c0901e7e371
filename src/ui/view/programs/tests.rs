use std::sync::Arc;

use ratatui::style::Color;

use crate::model::machine::MachineState;
use crate::model::power::GridState;
use crate::model::program::ask::Statistics;
use crate::model::program::run::{Job, JobState, RunState};
use crate::model::program::{ProgramAnswer, ProgramOrder, Prompt};
use crate::model::sun::{StartPhase, Sun, SunOrder, SunStart};
use crate::model::{Command, StateKind};
use crate::ui::programs::Page;
use crate::ui::settings::{ColourMode, SymbolSet};
use crate::ui::state::{Effect, Tab};
use crate::ui::testing::programs::{
    UNIX_MS, answer, bad_details, details, file, interrupted, listed, listed_with, past_run, preamble, running,
};
use crate::ui::testing::{self, NOW, Scene, power};

fn lines(scene: &mut Scene, from: u64) {
    let lines = (from..from + 200).map(|n| format!("N{n} G1 X{}.5 Y10 F1200", n % 90)).collect();
    answer(scene, ProgramAnswer::Lines { path: file("plate.nc"), from, lines: Ok(lines) });
}

/// A run on the first tab, its picture and lines known.
fn run_scene() -> Scene {
    let mut scene = Scene::new(running());
    scene.ui.settings.started_unix_ms = Some(UNIX_MS);
    scene.event(&crate::ui::state::Event::Snapshot);
    answer(&mut scene, ProgramAnswer::Details { path: file("plate.nc"), result: Ok(Arc::new(details())) });
    lines(&mut scene, 1144);
    scene
}

#[test]
fn the_list_says_what_the_selected_file_is() {
    let mut scene = listed();
    insta::assert_snapshot!("list", scene.text(80, 24));
    insta::assert_snapshot!("list_wide", scene.text(120, 40));
    insta::assert_snapshot!("list_small", scene.text(60, 18));
    scene.press(&["/", "r", "e", "l"]);
    insta::assert_snapshot!("list_filter", scene.text(80, 24));
}

#[test]
fn errors_stand_first_with_their_lines_and_what_to_do() {
    let mut scene = listed_with(Ok(bad_details()));
    scene.press(&["Enter", "Down"]);
    insta::assert_snapshot!("details", scene.text(80, 24));
    insta::assert_snapshot!("details_wide", scene.text(120, 40));
    insta::assert_snapshot!("details_small", scene.text(60, 18));
    scene.press(&["t"]);
    lines(&mut scene, 1);
    insta::assert_snapshot!("text", scene.text(80, 24));
    insta::assert_snapshot!("preview", {
        scene.press(&["v"]);
        scene.text(80, 24)
    });
}

#[test]
fn the_linux_console_gets_half_blocks_and_no_braille() {
    let mut scene = listed();
    scene.press(&["Enter", "v"]);
    let is_braille = |c: char| ('\u{2801}'..='\u{28ff}').contains(&c);
    assert!(scene.text(80, 24).chars().any(is_braille));
    (scene.ui.settings.blocks, scene.ui.settings.symbols) = (true, SymbolSet::Ascii);
    let text = scene.text(80, 24);
    assert!(text.chars().any(|c| matches!(c, '▀' | '▄' | '█')) && !text.chars().any(is_braille), "{text}");
    scene.ui.settings.blocks = false;
    assert!(scene.text(80, 24).is_ascii(), "ASCII by setting");
}

#[test]
fn the_question_says_what_will_happen() {
    let mut scene = listed();
    scene.press(&["r"]);
    insta::assert_snapshot!("launch", scene.text(80, 24));
    scene.snapshot.machine.homed = crate::model::AxisSet::EMPTY;
    scene.press(&["w", "Enter"]);
    insta::assert_snapshot!("launch_not_homed", scene.text(80, 24));
    insta::assert_snapshot!("launch_small", scene.text(60, 18));
}

#[test]
fn the_question_says_what_battery_and_sun_will_give() {
    let mut scene = listed();
    scene.ui.settings.started_unix_ms = Some(power::STARTED_MS);
    scene.snapshot.sun = Arc::new(Sun { knows: Arc::new(power::knowledge()), ..Sun::default() });
    scene.press(&["r"]);
    // Keys take time; the values are as young as they were.
    scene.now = NOW;
    let mut inverters = power::one();
    scene.snapshot.power = Arc::new(inverters.clone());
    insta::assert_snapshot!("launch_energy", scene.text(80, 24));
    insta::assert_snapshot!("launch_energy_wide", scene.text(120, 40));
    power::change(&mut inverters, |unit| {
        unit.known.grid.state = GridState::Lost;
        unit.known.flow.pv_w.value = Some(0.0);
        unit.known.battery.soc_percent.value = Some(20.5);
    });
    scene.snapshot.power = Arc::new(inverters);
    Arc::make_mut(&mut scene.snapshot.sun).knows = Arc::default();
    Arc::make_mut(&mut Arc::make_mut(&mut scene.snapshot.sun).knows).rated_w = Some(1500.0);
    insta::assert_snapshot!("launch_energy_small", scene.text(60, 18));
    // It warns, and stands in nobody's way.
    scene.now = NOW;
    let text = scene.text(120, 40);
    assert!(text.contains("will stop at about") && text.contains("Not yet: agree to the warnings"), "{text}");
}

#[test]
fn an_interrupted_run_shows_what_would_be_sent() {
    let mut scene = Scene::new(testing::idle());
    scene.snapshot.programs.interrupted = Some(Arc::new(interrupted()));
    scene.event(&crate::ui::state::Event::Snapshot);
    insta::assert_snapshot!("offer", scene.text(80, 24));
    scene.press(&["t", "Enter"]);
    answer(&mut scene, ProgramAnswer::Details { path: file("plate.nc"), result: Ok(Arc::new(details())) });
    let told = ProgramAnswer::Preamble { path: file("plate.nc"), line: 1198, result: Ok(preamble()) };
    answer(&mut scene, told);
    insta::assert_snapshot!("take_up", scene.text(80, 24));
    insta::assert_snapshot!("take_up_wide", scene.text(120, 40));
}

#[test]
fn a_run_is_watched_on_every_tab() {
    let mut scene = run_scene();
    insta::assert_snapshot!("running", scene.text(80, 24));
    insta::assert_snapshot!("running_wide", scene.text(120, 40));
    insta::assert_snapshot!("running_small", scene.text(60, 18));
    scene.ui.tab = Tab::Offsets;
    insta::assert_snapshot!("running_elsewhere", scene.text(80, 24));
    for tab in Tab::ALL {
        scene.ui.tab = tab;
        for (width, height) in [(60, 18), (80, 24), (120, 40)] {
            let text = scene.text(width, height);
            assert!(text.contains("RUNNING") && text.contains("plate.nc") && text.contains("1 204"), "{text}");
        }
    }
}

#[test]
fn a_paused_run_says_why_and_what_goes_on() {
    let mut scene = run_scene();
    scene.snapshot.machine.state = Some(MachineState::with_sub(StateKind::Hold, 0));
    let run = scene.snapshot.programs.run.as_mut().unwrap();
    (run.state, run.paused_since) = (RunState::Paused("feed hold".into()), Some(NOW));
    scene.wait(5000);
    let text = scene.text(80, 24);
    assert!(text.contains("PAUSED") && text.contains("feed hold") && text.contains("paused 5 s"), "{text}");
    assert!(text.contains("~ goes on") && !text.contains("ends 14:"), "no end is foretold while it is paused: {text}");
}

#[test]
fn prompts_are_shown_on_every_tab() {
    for tab in Tab::ALL {
        let mut scene = run_scene();
        scene.ui.tab = tab;
        let run = scene.snapshot.programs.run.as_mut().unwrap();
        run.prompt =
            Some(Prompt::ToolChange { line: 2400, tool: Some(2), text: Some("6 mm ball nose".into()), next: 2401 });
        run.state = RunState::Paused("tool change".into());
        scene.event(&crate::ui::state::Event::Snapshot);
        if tab == Tab::Machine {
            insta::assert_snapshot!("tool_change", scene.text(80, 24));
        }
        assert!(scene.text(60, 18).contains("tool change to T2 at line 2 400: 6 mm ball nose"));
        scene.press(&["Esc"]);
        let text = scene.text(60, 18);
        assert!(text.contains("tool change to T2") && text.contains("~ answers"), "{text}");
    }
    let mut scene = run_scene();
    let run = scene.snapshot.programs.run.as_mut().unwrap();
    run.prompt = Some(Prompt::LineRefused {
        line: 1203,
        code: 33,
        meaning: "the arc's end does not lie on its circle".into(),
        around: (1201..=1205).map(|n| (n, format!("G2 X{n} Y1 I3"))).collect(),
    });
    scene.event(&crate::ui::state::Event::Snapshot);
    insta::assert_snapshot!("refused_line", scene.text(80, 24));
}

#[test]
fn past_runs_queue_and_checks() {
    let mut scene = listed();
    scene.press(&["h"]);
    let statistics = Statistics { runs: 12, done: 10, running_s: 18_720.0, moving_s: 14_580.0, energy_kwh: 7.2 };
    let mut runs: Vec<_> = (0..6).map(past_run).collect();
    runs[2] = interrupted().run;
    runs[3].dry = true;
    runs[2].energy = Some(power::run_energy());
    answer(&mut scene, ProgramAnswer::History { runs, statistics });
    scene.press(&["Down", "Down"]);
    insta::assert_snapshot!("history", scene.text(80, 24));
    scene.snapshot.programs.queue = Arc::new(vec![file("plate.nc"), file("drill pattern.gcode")]);
    scene.press(&["u"]);
    insta::assert_snapshot!("queue", scene.text(80, 24));
    let job = |id, state, done_bytes, errors| Job {
        id,
        path: file("plate.nc"),
        state,
        done_bytes,
        total_bytes: 184_320,
        errors,
    };
    scene.snapshot.programs.jobs = Arc::new(vec![
        job(1, JobState::Running, 90_000, 0),
        job(2, JobState::Waiting, 0, 0),
        job(3, JobState::Failed("the file went away".into()), 4, 2),
    ]);
    scene.press(&["j"]);
    insta::assert_snapshot!("jobs", scene.text(80, 24));
}

#[test]
fn the_queue_tells_which_of_its_files_wait_for_the_sun() {
    let mut scene = listed();
    scene.snapshot.programs.queue = Arc::new(vec![file("plate.nc"), file("drill pattern.gcode"), file("lid.nc")]);
    let start = |name: &str, phase, left_s, why: &str| SunStart {
        name: name.to_owned(),
        path: file(name),
        who: "ana".into(),
        need_w: 900.0,
        phase,
        left_s,
        why: why.into(),
    };
    let counts = StartPhase::Counts { until: scene.now };
    scene.snapshot.sun = Arc::new(Sun {
        start_allowed: true,
        start: Some(start("plate.nc", counts, Some(42), "surplus 1400 W, 900 W needed")),
        behind: vec![start("lid.nc", StartPhase::Waits, None, "behind plate.nc in the queue")],
        ..Sun::default()
    });
    scene.press(&["u"]);
    insta::assert_snapshot!("queue_with_sun", scene.text(80, 24));
    insta::assert_snapshot!("queue_with_sun_60x18", scene.text(60, 18));
    // First its mark, then the file.
    let effects = scene.press(&["Down", "Down", "Delete"]);
    let off = SunOrder::CancelStartOf { path: file("lid.nc") };
    assert_eq!(effects, [Effect::Submit(Command::Sun(off))]);
    scene.press(&["Up"]);
    assert_eq!(scene.press(&["Delete"]), [Effect::Submit(Command::Program(ProgramOrder::Unqueue(1)))]);
}

/// Every page in every size: nothing panics, stop keys are named, and the console's font is enough.
#[test]
fn every_page_draws_in_every_size_in_ascii_and_without_colour() {
    for page in
        [Page::List, Page::Details, Page::Preview, Page::Text, Page::Launch, Page::History, Page::Queue, Page::Jobs]
    {
        let mut scene = listed_with(Ok(bad_details()));
        scene.ui.settings.symbols = SymbolSet::Ascii;
        scene.ui.settings.colour = ColourMode::None;
        if page == Page::Launch {
            scene.press(&["r"]);
        }
        scene.ui.programs.page = page;
        for (width, height) in [(1, 1), (59, 18), (60, 18), (61, 19), (80, 24), (109, 24), (110, 18), (300, 100)] {
            let text = scene.text(width, height);
            assert!(text.replace('…', "").is_ascii(), "{page:?}: {text}");
            let buf = scene.draw(width, height);
            assert!(buf.content.iter().all(|cell| cell.fg == Color::Reset && cell.bg == Color::Reset), "{page:?}");
            if width >= 60 && height >= 18 {
                assert!(text.contains("SPACE"), "{page:?}: {text}");
            }
        }
    }
}

#[test]
fn what_goes_wrong_is_said_in_the_place_of_what_is_missing() {
    let scene = listed_with(Err("plate.nc is empty: there is nothing to run".into()));
    assert!(scene.text(80, 24).contains("plate.nc is empty: there is nothing to run"));
    let mut scene = Scene::new(testing::idle());
    scene.press(&["P"]);
    assert!(scene.text(80, 24).contains("is being read"));
    let entries = Err("/srv/gcode cannot be read: no permission".into());
    let notes = vec!["2 links lead out of the folder and are left out".to_owned()];
    answer(&mut scene, ProgramAnswer::List { folder: None, entries, notes });
    let text = scene.text(80, 24);
    assert!(text.contains("no permission") && text.contains("2 links lead out"), "{text}");
}
