use super::*;
use crate::ui::settings::ColourMode;
use crate::ui::testing::{self, Scene, ms};
use crate::ui::view::view;

fn frame(screen: &mut Screen, scene: &Scene) -> Vec<u8> {
    screen.frame(|buf| view(&scene.ui, &scene.snapshot, scene.now, buf)).unwrap()
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
