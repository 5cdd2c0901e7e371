use super::*;
use crate::model::program::ProgramAnswer;
use crate::ui::programs::Page;
use crate::ui::settings::ColourMode;
use crate::ui::state::{Event, Tab};
use crate::ui::testing::{self, Scene, ms, programs};
use crate::ui::view::view;

fn frame(screen: &mut Screen, scene: &Scene) -> Vec<u8> {
    screen.frame(|buf| view(&scene.ui, &scene.snapshot, scene.now, buf).cursor).unwrap()
}

#[test]
fn the_terminal_shows_what_was_drawn_and_an_idle_second_costs_nothing() {
    let mut scene = Scene::new(testing::idle());
    let mut screen = Screen::new(Size::new(80, 24));
    let mut terminal = crate::ui::testing::terminal(80, 24);
    let first = frame(&mut screen, &scene);
    assert!(first.starts_with(BEGIN) && first.ends_with(END));
    terminal.process(&first);
    let shown: Vec<String> = terminal.screen().contents().lines().map(|line| line.trim_end().to_owned()).collect();
    assert_eq!(shown, scene.text(80, 24).lines().collect::<Vec<_>>());
    // Ten reports that say the same.
    for _ in 0..10 {
        scene.now += ms(100);
        scene.snapshot.rev += 1;
        scene.snapshot.machine.reported_at = Some(scene.now);
        assert_eq!(frame(&mut screen, &scene), b"");
    }
}

#[test]
fn a_second_of_ten_reports_in_motion_costs_under_2_kb() {
    let mut scene = Scene::new(testing::jogging());
    let mut screen = Screen::new(Size::new(80, 24));
    frame(&mut screen, &scene);
    let mut bytes = 0;
    for n in 0..10 {
        scene.now += ms(100);
        let machine = &mut scene.snapshot.machine;
        machine.reported_at = Some(scene.now);
        for position in [&mut machine.work_position, &mut machine.machine_position] {
            let axes = position.as_mut().unwrap();
            for axis in [crate::model::Axis::X, crate::model::Axis::Y] {
                let value = axes.get(axis).unwrap();
                axes.set(axis, value + 11.111 + f64::from(n));
            }
        }
        bytes += frame(&mut screen, &scene).len();
    }
    assert!(bytes < 2000, "{bytes} bytes");
}

/// One more report of a run in motion: the tool, the line, and what is left.
fn goes_on(scene: &mut Scene, n: u16) {
    scene.now += ms(100);
    let machine = &mut scene.snapshot.machine;
    machine.reported_at = Some(scene.now);
    for position in [&mut machine.work_position, &mut machine.machine_position] {
        let axes = position.as_mut().unwrap();
        for axis in [crate::model::Axis::X, crate::model::Axis::Y] {
            let value = axes.get(axis).unwrap();
            axes.set(axis, value + 1.111 + f64::from(n) / 10.0);
        }
    }
    if let Some(run) = &mut scene.snapshot.programs.run {
        run.acked_line += 17;
        run.sent_line += 17;
        run.text = format!("X{}.{n}Y{n}", 90 + n);
        run.remaining_s = run.remaining_s.map(|left| left - 0.1);
    }
    scene.event(&Event::Snapshot);
}

/// Bytes of a second of ten such reports.
fn second(scene: &mut Scene, (width, height): (u16, u16)) -> usize {
    let mut screen = Screen::new(Size::new(width, height));
    frame(&mut screen, scene);
    (0..10)
        .map(|n| {
            goes_on(scene, n);
            frame(&mut screen, scene).len()
        })
        .sum()
}

/// A run whose file, picture and lines are known, looked at on this tab.
fn running_on(tab: Tab, page: Page) -> Scene {
    let mut scene = Scene::new(programs::running());
    scene.event(&Event::Snapshot);
    let path = programs::file("plate.nc");
    scene.ui.programs.show(&path);
    let lines = Ok((1144..1344).map(|n| format!("N{n} G1 X{}.5 Y10 F1200", n % 90)).collect());
    let result = Ok(std::sync::Arc::new(programs::details()));
    programs::answer(&mut scene, ProgramAnswer::Details { path: path.clone(), result });
    programs::answer(&mut scene, ProgramAnswer::Lines { path, from: 1144, lines });
    (scene.ui.tab, scene.ui.programs.page) = (tab, page);
    scene
}

#[test]
fn a_second_of_a_running_program_costs_under_2_kb() {
    for (tab, page) in [(Tab::Machine, Page::List), (Tab::Offsets, Page::List), (Tab::Programs, Page::Preview)] {
        let bytes = second(&mut running_on(tab, page), (80, 24));
        assert!((1..2000).contains(&bytes), "{tab:?}: {bytes} bytes");
    }
}

/// Big digits cost more than anything else there; the run with its lines and its picture adds little to them.
#[test]
fn on_a_large_screen_a_run_adds_little_to_the_position() {
    let mut idle = running_on(Tab::Machine, Page::List);
    idle.snapshot.programs.run = None;
    let without = second(&mut idle, (120, 40));
    let with = second(&mut running_on(Tab::Machine, Page::List), (120, 40));
    assert!((1..1500).contains(&with.saturating_sub(without)), "{with} bytes with a run, {without} without");
}

#[test]
fn without_colour_no_colour_is_written_and_bold_stays() {
    let mut scene = Scene::new(testing::hard_limit());
    scene.ui.settings.colour = ColourMode::None;
    let text = String::from_utf8(frame(&mut Screen::new(Size::new(80, 24)), &scene)).unwrap();
    for sequence in text.split("\x1b[").skip(1) {
        let Some((params, _)) = sequence.split_once('m') else { continue };
        let is_sgr = params.chars().all(|c| c.is_ascii_digit() || c == ';');
        let codes = params.split(';').filter_map(|code| code.parse::<u32>().ok());
        for code in codes.filter(|_| is_sgr) {
            assert!(!(30..=38).contains(&code) && !(40..=48).contains(&code) && code < 90, "{params}");
        }
    }
    let mut terminal = crate::ui::testing::terminal(80, 24);
    terminal.process(text.as_bytes());
    let cell = terminal.screen().cell(1, 1).unwrap();
    assert!(cell.bold() && cell.inverse(), "the alarm stands out");
}
