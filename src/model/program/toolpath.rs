//! The tool path as a picture needs it: bounded in memory however long the program is.
//!
//! A path is a chain of [`Corner`]s, 16 bytes each. It is drawn in the work coordinates of the program. Where a program
//! uses several coordinate systems, nobody can know from the file how they lie to each other: their parts are drawn over
//! one another, zero upon zero, and [`Toolpath::frames`] says so. Moves in machine coordinates (G53) are not drawn.

use serde::{Deserialize, Serialize};

use super::report::Frame;
use crate::model::axes::AxisVec;

/// How a corner is reached from the one before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reached {
    /// Nothing is drawn between: where the tool came from is not known, or it moved in coordinates that are not drawn.
    Jump,
    /// At rapid.
    Rapid,
    /// At feed.
    Cut,
}

/// A corner of the path.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Corner {
    /// Where, in mm.
    pub at: [f32; 3],
    /// Line of the file in the lower 30 bits, how it is reached above.
    word: u32,
}

const LINE_BITS: u32 = 30;
const MOST_LINES: u32 = (1 << LINE_BITS) - 1;

impl Corner {
    /// A corner. Lines past 2³⁰ − 1 count as that.
    pub const fn new(at: [f32; 3], line: u64, reached: Reached) -> Self {
        let line = if line > MOST_LINES as u64 { MOST_LINES } else { line as u32 };
        let how = match reached {
            Reached::Jump => 0,
            Reached::Rapid => 1,
            Reached::Cut => 2,
        };
        Self { at, word: line | how << LINE_BITS }
    }

    /// The line of the file that leads here; the last one where several were joined.
    pub const fn line(&self) -> u64 {
        (self.word & MOST_LINES) as u64
    }

    /// Both are reached in the same way.
    pub const fn is_reached_as(&self, other: &Self) -> bool {
        (self.word ^ other.word) >> LINE_BITS == 0
    }

    /// How it is reached.
    pub const fn reached(&self) -> Reached {
        match self.word >> LINE_BITS {
            0 => Reached::Jump,
            1 => Reached::Rapid,
            _ => Reached::Cut,
        }
    }
}

/// A piece of the path, straight, in mm.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Stroke {
    /// From here.
    pub from: [f32; 3],
    /// To here.
    pub to: [f32; 3],
    /// Line of the file (the last one of those that were joined).
    pub line: u64,
    /// Not a cut.
    pub rapid: bool,
}

/// The path with one coarseness.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Level {
    /// In order of the program; the first is reached by a jump.
    pub corners: Vec<Corner>,
    /// How far a stroke may be from the path that it stands for, in mm.
    pub tolerance_mm: f32,
}

impl Level {
    /// What is drawn, in order of the program.
    pub fn strokes(&self) -> impl Iterator<Item = Stroke> {
        let pairs = self.corners.iter().zip(self.corners.get(1..).unwrap_or_default());
        pairs.filter(|(_, to)| to.reached() != Reached::Jump).map(|(from, to)| Stroke {
            from: from.at,
            to: to.at,
            line: to.line(),
            rapid: to.reached() == Reached::Rapid,
        })
    }
}

/// The path, simplified so that it fits its bound.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Toolpath {
    /// The same path ever coarser, the finest first. None where nothing can be drawn.
    pub levels: Vec<Level>,
    /// Lowest corner of the path as it is in the program.
    pub min: [f32; 3],
    /// Highest corner of the path as it is in the program.
    pub max: [f32; 3],
    /// The coordinate systems that are drawn, in order of their first use. Several: they are drawn zero upon zero.
    pub frames: Vec<Frame>,
    /// Moves are left out: in machine coordinates, or to places that nobody can know before.
    pub partial: bool,
}

impl Toolpath {
    /// A position in the same coordinates.
    pub fn point(position: &AxisVec) -> [f32; 3] {
        let at = |index: usize| position.as_slice().get(index).copied().unwrap_or_default() as f32;
        [at(0), at(1), at(2)]
    }

    /// There is nothing to draw.
    pub fn is_empty(&self) -> bool {
        self.finest().is_none_or(|level| level.corners.len() < 2)
    }

    /// The path as exact as it is kept.
    pub fn finest(&self) -> Option<&Level> {
        self.levels.first()
    }

    /// The coarsest path that is within `tolerance_mm`, or the finest where none is.
    pub fn level_for(&self, tolerance_mm: f32) -> Option<&Level> {
        let fitting = self.levels.iter().rev().find(|level| level.tolerance_mm <= tolerance_mm);
        fitting.or(self.levels.first())
    }

    /// Bytes that it holds.
    pub fn bytes(&self) -> usize {
        self.levels.iter().map(|level| level.corners.capacity() * size_of::<Corner>()).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn corner(x: f32, line: u64, reached: Reached) -> Corner {
        Corner::new([x, 0.0, 0.0], line, reached)
    }

    #[test]
    fn a_corner_keeps_its_line_and_how_it_is_reached_in_16_bytes() {
        assert_eq!(size_of::<Corner>(), 16);
        for (line, kept) in [(0, 0), (7, 7), (5_000_000, 5_000_000), (1 << 40, (1 << 30) - 1)] {
            for reached in [Reached::Jump, Reached::Rapid, Reached::Cut] {
                let corner = corner(1.0, line, reached);
                assert_eq!((corner.line(), corner.reached()), (kept, reached));
            }
        }
    }

    #[test]
    fn jumps_are_not_strokes() {
        let corners = vec![
            corner(0.0, 1, Reached::Jump),
            corner(1.0, 2, Reached::Rapid),
            corner(5.0, 3, Reached::Jump),
            corner(6.0, 4, Reached::Cut),
        ];
        let level = Level { corners, tolerance_mm: 0.0 };
        let strokes: Vec<_> = level.strokes().map(|s| (s.from[0], s.to[0], s.line, s.rapid)).collect();
        assert_eq!(strokes, [(0.0, 1.0, 2, true), (5.0, 6.0, 4, false)]);
        assert_eq!(Level::default().strokes().count(), 0);
    }

    #[test]
    fn the_coarsest_level_that_is_good_enough_is_taken() {
        let level = |tolerance_mm| Level { corners: Vec::new(), tolerance_mm };
        let path = Toolpath { levels: vec![level(0.1), level(0.4), level(1.6)], ..Toolpath::default() };
        let taken = |tolerance| path.level_for(tolerance).map(|level| level.tolerance_mm);
        assert_eq!([0.01, 0.1, 0.5, 9.0].map(taken), [0.1, 0.1, 0.4, 1.6].map(Some));
        assert_eq!(Toolpath::default().level_for(1.0), None);
    }
}
