use super::*;
use crate::model::program::toolpath::{Corner, Level};

/// A plate of 60 by 40 mm: a pocket with a round end, cut at -2, a hole beside it, rapids at 5.
fn plate() -> Toolpath {
    let mut corners = vec![Corner::new([0.0, 0.0, 5.0], 1, Reached::Jump)];
    let mut go = |x: f32, y: f32, z: f32, reached| {
        let line = corners.len() as u64 + 1;
        corners.push(Corner::new([x, y, z], line, reached));
    };
    go(10.0, 10.0, 5.0, Reached::Rapid);
    go(10.0, 10.0, -2.0, Reached::Cut);
    go(40.0, 10.0, -2.0, Reached::Cut);
    for n in 1..=16_u8 {
        let angle = (f32::from(n) / 16.0 - 0.5) * std::f32::consts::PI;
        go(40.0 + 10.0 * angle.cos(), 20.0 + 10.0 * angle.sin(), -2.0, Reached::Cut);
    }
    go(10.0, 30.0, -2.0, Reached::Cut);
    go(10.0, 10.0, -2.0, Reached::Cut);
    go(10.0, 10.0, 5.0, Reached::Rapid);
    go(60.0, 40.0, 5.0, Reached::Rapid);
    go(60.0, 40.0, -2.0, Reached::Cut);
    Toolpath {
        levels: vec![Level { corners, tolerance_mm: 0.001 }],
        min: [0.0, 0.0, -2.0],
        max: [60.0, 40.0, 5.0],
        frames: vec![Frame::Work(1)],
        partial: false,
    }
}

struct Scene {
    path: Toolpath,
    state: PreviewState,
    dots: Dots,
    progress_line: Option<u64>,
    tool: Option<[f32; 3]>,
}

impl Scene {
    fn new() -> Self {
        Self { path: plate(), state: PreviewState::default(), dots: Dots::Braille, progress_line: None, tool: None }
    }

    fn picture(&self) -> Picture<'_> {
        Picture {
            path: &self.path,
            state: &self.state,
            dots: self.dots,
            progress_line: self.progress_line,
            tool: self.tool,
        }
    }

    fn text(&self, width: u16, height: u16) -> String {
        text(&self.picture(), width, height)
    }

    fn buffer(&self, colour: ColourMode) -> Buffer {
        let theme = Theme::new(&Settings { colour, ..Settings::default() });
        let mut buf = Buffer::empty(Rect::new(0, 0, 60, 20));
        draw(&self.picture(), &theme, buf.area, &mut buf);
        buf
    }
}

#[test]
fn the_whole_path_at_three_sizes() {
    let scene = Scene::new();
    insta::assert_snapshot!("preview_small", scene.text(30, 9));
    insta::assert_snapshot!("preview_80x24", scene.text(80, 24));
    insta::assert_snapshot!("preview_large", scene.text(120, 40));
}

#[test]
fn the_other_sides() {
    let mut scene = Scene::new();
    scene.state.look(crate::ui::preview::View::Xz);
    insta::assert_snapshot!("preview_xz", scene.text(60, 12));
    scene.state.look(crate::ui::preview::View::Isometric);
    insta::assert_snapshot!("preview_isometric", scene.text(60, 20));
}

#[test]
fn progress_and_tool_in_half_blocks_and_in_ascii() {
    let scene = Scene { progress_line: Some(10), tool: Some([45.0, 20.0, -2.0]), ..Scene::new() };
    insta::assert_snapshot!("preview_half_blocks", Scene { dots: Dots::HalfBlocks, ..scene }.text(60, 20));
    let scene = Scene { progress_line: Some(10), tool: Some([45.0, 20.0, -2.0]), ..Scene::new() };
    let ascii = Scene { dots: Dots::Ascii, ..scene }.text(60, 20);
    assert!(ascii.is_ascii());
    insta::assert_snapshot!("preview_ascii", ascii);
}

/// What is done is bold, and so it is without colours.
#[test]
fn what_is_done_does_not_show_by_colour_alone() {
    for colour in [ColourMode::None, ColourMode::Ansi16, ColourMode::HighContrast] {
        let bold = |progress_line| {
            let buf = Scene { progress_line, ..Scene::new() }.buffer(colour);
            let window = &buf.content[60..19 * 60];
            let drawn = window
                .iter()
                .filter(|cell| ('\u{2801}'..'\u{2900}').contains(&cell.symbol().chars().next().unwrap_or(' ')));
            drawn.filter(|cell| cell.modifier.contains(Modifier::BOLD)).count()
        };
        let counts = [None, Some(4), Some(20), Some(99)].map(bold);
        assert!(counts[0] == 0 && counts[1] > 0 && counts[1] < counts[2] && counts[2] < counts[3], "{counts:?}");
        if colour == ColourMode::None {
            let buf = Scene { progress_line: Some(9), ..Scene::new() }.buffer(colour);
            assert!(buf.content.iter().all(|cell| cell.fg == ratatui::style::Color::Reset));
        }
    }
}

#[test]
fn the_tool_is_marked_where_it_is_or_said_to_be_outside() {
    let inside = Scene { tool: Some([60.0, 40.0, 0.0]), ..Scene::new() }.text(60, 20);
    assert!(inside.contains('╳') && !inside.contains("tool outside"), "{inside}");
    for far in [[500.0, 0.0, 0.0], [f32::NAN, 0.0, 0.0]] {
        let outside = Scene { tool: Some(far), ..Scene::new() }.text(60, 20);
        assert!(!outside.contains('╳') && outside.contains("tool outside"), "{outside}");
    }
}

#[test]
fn nearer_shows_the_zoom_and_less_of_the_path() {
    let mut scene = Scene::new();
    let dots = |text: &str| text.chars().filter(|c| ('\u{2801}'..'\u{2900}').contains(c)).count();
    let whole = dots(&scene.text(60, 20));
    for _ in 0..4 {
        scene.state.zoom_in();
    }
    let near = scene.text(60, 20);
    assert!(near.contains("×5.1"), "{near}");
    assert!(dots(&near) < whole, "{near}");
}

#[test]
fn any_size_can_be_drawn_on() {
    let mut scene = Scene { tool: Some([1.0, 1.0, 0.0]), ..Scene::new() };
    for dots in [Dots::Braille, Dots::HalfBlocks, Dots::Ascii] {
        scene.dots = dots;
        for (width, height) in [(0, 0), (1, 1), (2, 5), (200, 1), (1, 60)] {
            assert_eq!(scene.text(width, height).lines().count(), usize::from(height) * usize::from(width > 0));
        }
    }
}

#[test]
fn a_path_without_moves_says_so() {
    let scene = Scene { path: Toolpath::default(), ..Scene::new() };
    assert!(scene.text(80, 5).contains("nothing to draw"));
}

#[test]
fn several_coordinate_systems_and_a_coarse_path_are_told() {
    let mut scene = Scene::new();
    scene.path.frames = vec![Frame::Work(1), Frame::Work(8)];
    scene.path.levels[0].tolerance_mm = 0.25;
    scene.path.partial = true;
    let text = scene.text(100, 12);
    let title = text.lines().next().unwrap_or_default();
    for words in ["G54, G59.2 zero upon zero", "to 0.25 mm", "not all moves drawn"] {
        assert!(title.contains(words), "{words}: {title}");
    }
}
