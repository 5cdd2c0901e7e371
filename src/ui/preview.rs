//! From where a tool path is looked at, and how near.

use super::settings::{Settings, SymbolSet};

/// A turn of the zoom key.
const ZOOM_STEP: f32 = 1.5;
/// Nearest.
const MOST_ZOOM: f32 = 200.0;
/// Part of the window that a turn of a pan key moves.
const PAN_STEP: f32 = 0.2;

/// From where.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum View {
    /// From above.
    #[default]
    Xy,
    /// From the front.
    Xz,
    /// From the right.
    Yz,
    /// From above the front left corner; all three axes at the same scale.
    Isometric,
}

impl View {
    /// All, in the order in which a key goes through them.
    pub const ALL: [Self; 4] = [Self::Xy, Self::Xz, Self::Yz, Self::Isometric];

    /// What it is called.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Xy => "XY",
            Self::Xz => "XZ",
            Self::Yz => "YZ",
            Self::Isometric => "isometric",
        }
    }

    /// Right and up on the screen, in mm.
    pub const fn project(self, [x, y, z]: [f32; 3]) -> [f32; 2] {
        const COS_30: f32 = 0.866_025_4;
        match self {
            Self::Xy => [x, y],
            Self::Xz => [x, z],
            Self::Yz => [y, z],
            Self::Isometric => [(x - y) * COS_30, (x + y) * 0.5 + z],
        }
    }
}

/// What a picture is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dots {
    /// Braille: two by four dots in a cell.
    Braille,
    /// Half blocks: two in a cell. For the Linux console, whose font has no Braille.
    HalfBlocks,
    /// One sign of ASCII in a cell.
    Ascii,
}

impl Dots {
    /// What the terminal's font has.
    pub const fn of(settings: &Settings) -> Self {
        match settings.symbols {
            _ if settings.blocks => Self::HalfBlocks,
            SymbolSet::Unicode => Self::Braille,
            SymbolSet::Ascii => Self::Ascii,
        }
    }

    /// Dots in a cell, across and down.
    pub const fn per_cell(self) -> (u16, u16) {
        match self {
            Self::Braille => (2, 4),
            Self::HalfBlocks => (1, 2),
            Self::Ascii => (1, 1),
        }
    }

    /// Height of a dot for its width; cells are twice as high as wide.
    pub const fn aspect(self) -> f32 {
        match self {
            Self::Braille | Self::HalfBlocks => 1.0,
            Self::Ascii => 2.0,
        }
    }
}

/// How the path is looked at. Starts as the whole path from above.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PreviewState {
    view: View,
    zoom: f32,
    /// Middle of the window, from the middle of the path, in windows of zoom 1.
    pan: [f32; 2],
}

impl Default for PreviewState {
    fn default() -> Self {
        Self::of(View::Xy)
    }
}

impl PreviewState {
    /// The whole path from there.
    pub const fn of(view: View) -> Self {
        Self { view, zoom: 1.0, pan: [0.0; 2] }
    }

    /// From where.
    pub const fn view(&self) -> View {
        self.view
    }

    /// 1: the whole path fits.
    pub const fn zoom(&self) -> f32 {
        self.zoom
    }

    /// Middle of the window, from the middle of the path, in windows of zoom 1, right and up.
    pub const fn pan(&self) -> [f32; 2] {
        self.pan
    }

    /// Looks from there, at the whole path.
    pub fn look(&mut self, view: View) {
        *self = Self::of(view);
    }

    /// Looks from the next side.
    pub fn next_view(&mut self) {
        let at = View::ALL.iter().position(|view| *view == self.view).unwrap_or_default();
        self.look(View::ALL[(at + 1) % View::ALL.len()]);
    }

    /// Goes nearer.
    pub fn zoom_in(&mut self) {
        self.zoom = (self.zoom * ZOOM_STEP).min(MOST_ZOOM);
    }

    /// Goes farther, until the whole path is seen.
    pub fn zoom_out(&mut self) {
        self.zoom = (self.zoom / ZOOM_STEP).max(1.0);
        if self.zoom < 1.01 {
            self.fit();
        }
    }

    /// Moves the window by steps of a fifth of it, right and up.
    pub fn pan_by(&mut self, right: i8, up: i8) {
        let step = PAN_STEP / self.zoom;
        let moved = |at: f32, by: i8| (at + f32::from(by) * step).clamp(-0.5, 0.5);
        self.pan = [moved(self.pan[0], right), moved(self.pan[1], up)];
    }

    /// Shows the whole path again.
    pub fn fit(&mut self) {
        self.look(self.view);
    }
}

/// Maps places to dots of a window.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Camera {
    view: View,
    /// Middle of the window, mm right and up.
    centre: [f32; 2],
    /// Dots for a mm, across and down.
    scale: [f32; 2],
    /// Middle of the window in dots.
    middle: [f32; 2],
}

impl Camera {
    /// For a path within `min` and `max`, in a window of so many dots.
    pub fn new(state: &PreviewState, min: [f32; 3], max: [f32; 3], (across, down): (usize, usize), dots: Dots) -> Self {
        let corners = (0..8_usize).map(|n| {
            let at = |axis: usize| if n >> axis & 1 == 0 { min[axis] } else { max[axis] };
            state.view.project([at(0), at(1), at(2)])
        });
        let (low, high) = corners.fold(([f32::MAX; 2], [f32::MIN; 2]), |(low, high), [u, v]| {
            ([low[0].min(u), low[1].min(v)], [high[0].max(u), high[1].max(v)])
        });
        let size = [high[0] - low[0], high[1] - low[1]];
        // The outermost dots belong to the path too.
        let room = [across.saturating_sub(1).max(1) as f32, down.saturating_sub(1).max(1) as f32 * dots.aspect()];
        let fitting = |axis: usize| if size[axis] > 0.0 { room[axis] / size[axis] } else { f32::INFINITY };
        let fit = fitting(0).min(fitting(1));
        let fit = if fit.is_finite() { fit } else { 1.0 };
        let scale = fit * state.zoom;
        let centre = [0, 1].map(|axis| f32::midpoint(low[axis], high[axis]) + state.pan[axis] * room[axis] / fit);
        let middle = [(across as f32 - 1.0) / 2.0, (down as f32 - 1.0) / 2.0];
        Self { view: state.view, centre, scale: [scale, scale / dots.aspect()], middle }
    }

    /// Where a place is seen: dots from the left and from the top, fractions and places outside of the window included.
    pub fn dot(&self, place: [f32; 3]) -> [f32; 2] {
        let [u, v] = self.view.project(place);
        [self.middle[0] + (u - self.centre[0]) * self.scale[0], self.middle[1] - (v - self.centre[1]) * self.scale[1]]
    }

    /// Width of a dot in mm.
    pub fn mm_per_dot(&self) -> f32 {
        1.0 / self.scale[0]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIN: [f32; 3] = [0.0, 0.0, -5.0];
    const MAX: [f32; 3] = [100.0, 50.0, 5.0];
    const WINDOW: (usize, usize) = (201, 101);

    fn camera(state: &PreviewState) -> Camera {
        Camera::new(state, MIN, MAX, WINDOW, Dots::Braille)
    }

    #[test]
    fn the_whole_path_is_in_the_window_from_every_side_and_touches_its_edge() {
        for view in View::ALL {
            for dots in [Dots::Braille, Dots::HalfBlocks, Dots::Ascii] {
                let camera = Camera::new(&PreviewState::of(view), MIN, MAX, WINDOW, dots);
                let mut edge = f32::MAX;
                for n in 0..8_usize {
                    let place = [0, 1, 2].map(|axis| if n >> axis & 1 == 0 { MIN[axis] } else { MAX[axis] });
                    let [x, y] = camera.dot(place);
                    assert!(
                        (-0.01..=200.01).contains(&x) && (-0.01..=100.01).contains(&y),
                        "{view:?} {dots:?} {x} {y}"
                    );
                    edge = edge.min(x).min(y);
                }
                assert!(edge < 0.01, "{view:?} {dots:?}: {edge} dots are wasted");
            }
        }
    }

    #[test]
    fn up_is_up_and_right_is_right() {
        for (view, right, up) in [(View::Xy, 0, 1), (View::Xz, 0, 2), (View::Yz, 1, 2)] {
            let camera = camera(&PreviewState::of(view));
            let [x0, y0] = camera.dot([0.0; 3]);
            let moved = |axis: usize| {
                let mut place = [0.0; 3];
                place[axis] = 1.0;
                camera.dot(place)
            };
            assert!(moved(right)[0] > x0 && moved(right)[1] == y0, "{view:?}");
            assert!(moved(up)[1] < y0 && moved(up)[0] == x0, "{view:?}");
        }
        let iso = View::Isometric;
        assert!(iso.project([1.0, 0.0, 0.0])[0] > 0.0 && iso.project([0.0, 1.0, 0.0])[0] < 0.0);
        assert!([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]].iter().all(|place| iso.project(*place)[1] > 0.0));
    }

    #[test]
    fn zoom_keeps_the_middle_and_pan_moves_by_a_part_of_what_is_seen() {
        let mut state = PreviewState::default();
        let before = camera(&state);
        state.zoom_in();
        let near = camera(&state);
        assert!((before.mm_per_dot() / near.mm_per_dot() - ZOOM_STEP).abs() < 1e-3);
        assert_eq!(before.dot([50.0, 25.0, 0.0]), near.dot([50.0, 25.0, 0.0]));
        state.pan_by(1, 0);
        let moved = near.dot([50.0, 25.0, 0.0])[0] - camera(&state).dot([50.0, 25.0, 0.0])[0];
        assert!((moved - 40.0).abs() < 0.1, "a fifth of 200 dots: {moved}");
        state.zoom_out();
        assert_eq!(state, PreviewState::default());
    }

    #[test]
    fn zoom_and_pan_have_ends() {
        let mut state = PreviewState::default();
        for _ in 0..100 {
            state.zoom_in();
            state.pan_by(3, -3);
        }
        assert_eq!((state.zoom(), state.pan()), (MOST_ZOOM, [0.5, -0.5]));
        let mut views = Vec::new();
        for _ in View::ALL {
            state.next_view();
            views.push(state.view());
        }
        assert_eq!(views, [View::Xz, View::Yz, View::Isometric, View::Xy]);
        assert_eq!(state, PreviewState::default());
    }

    #[test]
    fn a_path_without_size_is_in_the_middle() {
        let camera = Camera::new(&PreviewState::default(), [3.0; 3], [3.0; 3], (11, 11), Dots::Braille);
        assert_eq!(camera.dot([3.0; 3]), [5.0, 5.0]);
    }
}
