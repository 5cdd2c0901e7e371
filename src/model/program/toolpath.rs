//! The tool path as a picture needs it: bounded in memory however long the program is.

use crate::model::axes::AxisVec;

/// A piece of the path, straight, in mm.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Stroke {
    /// From here.
    pub from: [f32; 3],
    /// To here.
    pub to: [f32; 3],
    /// Line of the file (the last one of those that were joined).
    pub line: u32,
    /// Not a cut.
    pub rapid: bool,
}

/// The path, simplified so that it fits its bound; never leaves the original by more than `tolerance_mm`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Toolpath {
    /// In order of the program.
    pub strokes: Vec<Stroke>,
    /// How far a stroke may be from the path that it stands for.
    pub tolerance_mm: f32,
    /// Lowest corner.
    pub min: [f32; 3],
    /// Highest corner.
    pub max: [f32; 3],
}

impl Toolpath {
    /// A position in the same coordinates.
    pub fn point(position: &AxisVec) -> [f32; 3] {
        let at = |index: usize| position.as_slice().get(index).copied().unwrap_or_default() as f32;
        [at(0), at(1), at(2)]
    }
}
