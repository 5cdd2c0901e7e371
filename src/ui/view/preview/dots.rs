//! Dots in cells, and lines of dots.

use crate::ui::preview::Dots;

/// Bits of the Braille block by column and row.
const BRAILLE: [[u8; 4]; 2] = [[0x01, 0x02, 0x04, 0x40], [0x08, 0x10, 0x20, 0x80]];
/// A rapid is a dot and a gap of so many less one.
const RAPID_STEP: usize = 3;

/// What a line of dots stands for; a cell shows the last of these that it holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Layer {
    Rapid,
    Cut,
    Done,
}

/// The dots of a cell, by layer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Cell([u8; 3]);

impl Cell {
    /// The layer that the cell shows.
    pub(super) fn layer(self) -> Option<Layer> {
        [Layer::Done, Layer::Cut, Layer::Rapid].into_iter().find(|layer| self.0[*layer as usize] != 0)
    }

    /// Its sign.
    pub(super) fn sign(self, dots: Dots) -> char {
        let [rapid, cut, done] = self.0;
        let solid = cut | done;
        match dots {
            Dots::Braille => char::from_u32(0x2800 + u32::from(rapid | solid)).unwrap_or(' '),
            Dots::HalfBlocks => match (solid, rapid) {
                (0b01, _) => '▀',
                (0b10, _) => '▄',
                (0, 0) => ' ',
                (0, _) => '·',
                _ => '█',
            },
            Dots::Ascii => match self.layer() {
                Some(Layer::Done) => '#',
                Some(Layer::Cut) => 'o',
                Some(Layer::Rapid) => '.',
                None => ' ',
            },
        }
    }
}

/// A window of dots.
pub(super) struct Raster {
    dots: Dots,
    columns: usize,
    rows: usize,
    cells: Vec<Cell>,
}

impl Raster {
    /// An empty window of so many cells.
    pub(super) fn new(dots: Dots, columns: u16, rows: u16) -> Self {
        let (columns, rows) = (usize::from(columns), usize::from(rows));
        Self { dots, columns, rows, cells: vec![Cell::default(); columns * rows] }
    }

    /// Dots across and down.
    pub(super) fn size(&self) -> (usize, usize) {
        let (across, down) = self.dots.per_cell();
        (self.columns * usize::from(across), self.rows * usize::from(down))
    }

    /// Cells, row by row.
    pub(super) fn rows(&self) -> impl Iterator<Item = &[Cell]> {
        self.cells.chunks_exact(self.columns.max(1))
    }

    fn set(&mut self, x: usize, y: usize, layer: Layer) {
        let (column, row, bit) = match self.dots {
            Dots::Braille => (x >> 1, y >> 2, BRAILLE[x & 1][y & 3]),
            Dots::HalfBlocks => (x, y >> 1, 1 << (y & 1)),
            Dots::Ascii => (x, y, 1),
        };
        if column < self.columns
            && let Some(cell) = self.cells.get_mut(row * self.columns + column)
        {
            cell.0[layer as usize] |= bit;
        }
    }

    /// A straight line; what is outside of the window is cut off.
    pub(super) fn line(&mut self, from: [f32; 2], to: [f32; 2], layer: Layer) {
        let (across, down) = self.size();
        let most = [across as f32 - 0.5, down as f32 - 0.5];
        let Some((from, to)) = clip(from, to, most) else { return };
        // Not below zero after the cut, so that this rounds to the nearest dot.
        let nearest = |place: [f32; 2]| [(place[0] + 0.5) as i32, (place[1] + 0.5) as i32];
        let (begin, end) = (nearest(from), nearest(to));
        if begin == end {
            return self.set(begin[0] as usize, begin[1] as usize, layer);
        }
        let every = if layer == Layer::Rapid { RAPID_STEP } else { 1 };
        walk(begin, end, |n, [x, y]| {
            if every == 1 || n % every == 0 {
                self.set(x as usize, y as usize, layer);
            }
        });
    }
}

/// The dots from one to the other, numbered from 0, both ends included: along the longer side one by one, along the
/// shorter to the nearest (Bresenham). Whole numbers only: a long program is some hundred thousand lines and millions of dots.
fn walk(begin: [i32; 2], end: [i32; 2], mut dot: impl FnMut(usize, [i32; 2])) {
    let delta = [end[0] - begin[0], end[1] - begin[1]];
    let (long, short) = if delta[0].abs() >= delta[1].abs() { (0, 1) } else { (1, 0) };
    let (count, step) = (delta[long].abs(), delta[long].signum());
    let (mut at, mut rest) = (begin, count);
    dot(0, at);
    for n in 1..=count {
        at[long] += step;
        rest += 2 * delta[short];
        if rest >= 2 * count {
            at[short] += 1;
            rest -= 2 * count;
        } else if rest < 0 {
            at[short] -= 1;
            rest += 2 * count;
        }
        dot(n as usize, at);
    }
}

/// The part of a line from -0.5 to `most` in both directions (Liang and Barsky). `None`: nothing, or not a number.
fn clip(from: [f32; 2], to: [f32; 2], most: [f32; 2]) -> Option<([f32; 2], [f32; 2])> {
    let inside = |place: [f32; 2]| (0..2).all(|axis| place[axis] >= -0.5 && place[axis] <= most[axis]);
    if inside(from) && inside(to) {
        return Some((from, to));
    }
    let (mut enters, mut leaves) = (0.0_f32, 1.0_f32);
    for axis in 0..2 {
        let delta = to[axis] - from[axis];
        for (room, rate) in [(from[axis] + 0.5, -delta), (most[axis] - from[axis], delta)] {
            if rate == 0.0 {
                if room < 0.0 {
                    return None;
                }
            } else if rate < 0.0 {
                enters = enters.max(room / rate);
            } else {
                leaves = leaves.min(room / rate);
            }
        }
    }
    // Written so that what is not a number is left out.
    if !(enters <= leaves && leaves.is_finite()) {
        return None;
    }
    let at = |part: f32| [0, 1].map(|axis| (from[axis] + (to[axis] - from[axis]) * part).clamp(-0.5, most[axis]));
    Some((at(enters), at(leaves)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picture(dots: Dots, columns: u16, rows: u16, lines: &[([f32; 2], [f32; 2], Layer)]) -> Vec<String> {
        let mut raster = Raster::new(dots, columns, rows);
        for (from, to, layer) in lines {
            raster.line(*from, *to, *layer);
        }
        raster.rows().map(|row| row.iter().map(|cell| cell.sign(dots)).collect()).collect()
    }

    #[test]
    fn lines_are_drawn_with_what_a_cell_can_hold() {
        let cut = [([0.0, 0.0], [7.0, 7.0], Layer::Cut)];
        assert_eq!(picture(Dots::Braille, 4, 2, &cut), ["⠑⢄  ".replace(' ', "⠀"), "⠀⠀⠑⢄".to_owned()]);
        assert_eq!(picture(Dots::HalfBlocks, 4, 2, &[([0.0, 0.0], [3.0, 3.0], Layer::Cut)]), ["▀▄  ", "  ▀▄"]);
        assert_eq!(picture(Dots::Ascii, 4, 2, &[([0.0, 0.0], [3.0, 1.0], Layer::Cut)]), ["oo  ", "  oo"]);
    }

    #[test]
    fn dots_are_the_nearest_to_the_line_whichever_way_it_goes() {
        for end in [[7_i32, 3], [3, 7], [7, 7], [7, 0], [0, 7], [1, 6]] {
            for (begin, end) in
                [([0, 0], end), (end, [0, 0]), ([7, 0], [7 - end[0], end[1]]), ([0, 7], [end[0], 7 - end[1]])]
            {
                let count = (end[0] - begin[0]).abs().max((end[1] - begin[1]).abs());
                let nearest = |n: i32, axis: usize| {
                    (f64::from(begin[axis]) + f64::from((end[axis] - begin[axis]) * n) / f64::from(count)).round()
                        as i32
                };
                let mut dots = Vec::new();
                walk(begin, end, |_, dot| dots.push(dot));
                assert_eq!(dots, (0..=count).map(|n| [nearest(n, 0), nearest(n, 1)]).collect::<Vec<_>>());
            }
        }
    }

    #[test]
    fn a_rapid_has_gaps_and_gives_way_to_a_cut() {
        let rapid = ([0.0, 0.0], [6.0, 0.0], Layer::Rapid);
        assert_eq!(picture(Dots::Ascii, 7, 1, &[rapid]), [".  .  ."]);
        assert_eq!(picture(Dots::HalfBlocks, 7, 1, &[rapid]), ["·  ·  ·"]);
        let cut = ([3.0, 0.0], [4.0, 0.0], Layer::Cut);
        assert_eq!(picture(Dots::Ascii, 7, 1, &[cut, rapid]), [".  oo ."]);
        assert_eq!(picture(Dots::Ascii, 7, 1, &[cut, rapid, ([4.0, 0.0], [5.0, 0.0], Layer::Done)]), [".  o##."]);
    }

    #[test]
    fn what_is_outside_is_cut_off_and_nonsense_is_not_drawn() {
        let far = [([-1e5, 0.0], [1e5, 0.0], Layer::Cut), ([0.0, 5.0], [9.0, 5.0], Layer::Cut)];
        assert_eq!(picture(Dots::Ascii, 4, 2, &far), ["oooo", "    "]);
        for nonsense in [f32::NAN, f32::INFINITY] {
            let lines = [([nonsense, 0.0], [1.0, 0.0], Layer::Cut), ([0.0, 0.0], [1.0, nonsense], Layer::Cut)];
            let drawn = picture(Dots::Ascii, 4, 2, &lines).concat();
            assert!(drawn.chars().filter(|c| *c == 'o').count() <= 2, "{drawn}");
        }
        assert_eq!(picture(Dots::Ascii, 0, 0, &far), Vec::<String>::new());
    }

    #[test]
    fn a_clipped_line_lies_on_the_line() {
        let (from, to) = clip([-10.0, -5.0], [30.0, 15.0], [9.5, 9.5]).unwrap();
        for [x, y] in [from, to] {
            assert!((x / 2.0 - y).abs() < 1e-5, "{x} {y}");
        }
        assert_eq!(clip([-5.0, 0.0], [0.0, -5.0], [9.5, 9.5]), None);
    }
}
