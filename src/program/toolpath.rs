//! From motions to a tool path that fits its bound.
//!
//! Corners come in one by one and are joined as long as a straight stroke stays within a tolerance of all that it stands
//! for. When the bound is reached, the tolerance is doubled and what is there is joined once more. So a path never takes
//! more than [`MOST_CORNERS`], and never leaves the original by more than [`Level::tolerance_mm`].
//!
//! What is drawn: motions in work coordinates, all systems zero upon zero (see [`Toolpath`]). Axes beyond X, Y, Z do not
//! show. A move from where nobody knows is a jump.

use super::motion::{Arc, Motion, Point, Speed, Straight};
use crate::model::program::report::Frame;
use crate::model::program::toolpath::{Corner, Level, Reached, Toolpath};

/// Corners of the finest level: 4 MiB. The coarser ones together take as much at most.
pub const MOST_CORNERS: usize = 1 << 18;
/// Tolerance to begin with: the firmwares' default for the chords of an arc.
const FINEST_MM: f32 = 0.002;
/// Chords of one arc at most.
const MOST_CHORDS: f64 = 10_000.0;
/// Pieces of a path, and corners in each, by which it is judged how large a tolerance must be.
const PIECES: usize = 16;
const PIECE_CORNERS: usize = 512;
/// A coarser level is worth having above this many corners.
const FEW_CORNERS: usize = 2048;
/// The program's own coordinates.
const XYZ: u16 = 0b111;

/// Builds a [`Toolpath`].
#[derive(Debug)]
pub struct PathBuilder {
    most: usize,
    corners: Vec<Corner>,
    joiner: Joiner,
    /// Sum of the tolerances of all passes so far.
    tolerance_mm: f32,
    /// Largest distance of a chord from its arc.
    sagitta_mm: f32,
    /// Where the last stroke ended, if it is known and drawn.
    at: Option<[f32; 3]>,
    min: [f32; 3],
    max: [f32; 3],
    frames: Vec<Frame>,
    partial: bool,
}

impl Default for PathBuilder {
    fn default() -> Self {
        Self::with_bound(MOST_CORNERS)
    }
}

impl PathBuilder {
    /// With at most so many corners, four at least.
    pub fn with_bound(most: usize) -> Self {
        Self {
            most: most.max(4),
            corners: Vec::new(),
            joiner: Joiner::new(FINEST_MM),
            tolerance_mm: FINEST_MM,
            sagitta_mm: 0.0,
            at: None,
            min: [f32::INFINITY; 3],
            max: [f32::NEG_INFINITY; 3],
            frames: Vec::new(),
            partial: false,
        }
    }

    /// Adds what line `line` does.
    pub fn add(&mut self, motion: &Motion, line: u64) {
        match motion {
            Motion::Straight(straight) => {
                let reached = if straight.speed == Speed::Rapid { Reached::Rapid } else { Reached::Cut };
                self.straight(straight, reached, line);
            }
            Motion::Arc(arc) => self.arc(arc, line),
            Motion::Probe(straight) => {
                // Nobody knows how far it goes.
                self.partial = true;
                self.straight(straight, Reached::Rapid, line);
                self.at = None;
            }
            Motion::Unknown => {
                self.partial = true;
                self.at = None;
            }
            Motion::Dwell(_) | Motion::Wait(_) => {}
        }
    }

    fn straight(&mut self, straight: &Straight, reached: Reached, line: u64) {
        if self.begin(straight, line) {
            self.stroke(place(&straight.to), reached, line);
        }
    }

    fn arc(&mut self, arc: &Arc, line: u64) {
        if !self.begin(&arc.ends, line) {
            return;
        }
        let sagitta = f64::from(self.joiner.tolerance);
        let step = 2.0 * (1.0 - (sagitta / arc.radius_mm).min(1.0)).acos();
        let count = (arc.sweep_rad.abs() / step).ceil().clamp(1.0, MOST_CHORDS);
        let half = arc.sweep_rad.abs() / count / 2.0;
        self.sagitta_mm = self.sagitta_mm.max((arc.radius_mm * (1.0 - half.min(std::f64::consts::PI).cos())) as f32);
        for n in 1..count as usize {
            self.stroke(place(&arc.at(n as f64 / count)), Reached::Cut, line);
        }
        self.stroke(place(&arc.ends.to), Reached::Cut, line);
    }

    /// Brings the path to where a motion begins. `false`: the motion cannot be drawn.
    #[inline]
    fn begin(&mut self, ends: &Straight, line: u64) -> bool {
        let from = place(&ends.from);
        let goes_on = self.at == Some(from)
            && self.frames.last() == Some(&ends.frame)
            && ends.named & XYZ & !ends.known == 0
            && is_finite(place(&ends.to));
        goes_on || self.begin_anew(ends, line)
    }

    /// The same for a motion that may not begin where the last one ended, or is of another frame.
    fn begin_anew(&mut self, ends: &Straight, line: u64) -> bool {
        let unknown = ends.named & XYZ & !ends.known != 0;
        let (from, to) = (place(&ends.from), place(&ends.to));
        if ends.frame == Frame::Machine || !is_finite(from) || !is_finite(to) {
            self.partial = true;
            self.at = None;
            return false;
        }
        if !self.frames.contains(&ends.frame) {
            self.frames.push(ends.frame);
        }
        if unknown {
            self.at = None;
            return false;
        }
        if self.at != Some(from) {
            self.widen(from);
            self.corner(Corner::new(from, line, Reached::Jump));
            self.at = Some(from);
        }
        true
    }

    fn widen(&mut self, by: [f32; 3]) {
        for ((min, max), by) in self.min.iter_mut().zip(&mut self.max).zip(by) {
            // Not `f32::min`, which minds what is no number: there is none here.
            *min = if by < *min { by } else { *min };
            *max = if by > *max { by } else { *max };
        }
    }

    fn stroke(&mut self, to: [f32; 3], reached: Reached, line: u64) {
        self.widen(to);
        if self.at.replace(to).is_some_and(|from| from != to) {
            self.corner(Corner::new(to, line, reached));
        }
    }

    fn corner(&mut self, corner: Corner) {
        if let Some(done) = self.joiner.push(corner) {
            self.corners.push(done);
            if self.corners.len() >= self.most - 1 {
                self.shrink();
            }
        }
    }

    /// Joins what is there with a larger tolerance, until a quarter is free.
    fn shrink(&mut self) {
        self.corners.extend(self.joiner.flush());
        while self.corners.len() > self.most / 4 * 3 {
            let tolerance = worth_a_pass(&self.corners, self.joiner.tolerance * 2.0);
            self.tolerance_mm += tolerance;
            self.joiner = Joiner::new(tolerance);
            self.joiner.join(&mut self.corners);
        }
    }

    /// The path, with its coarser levels.
    pub fn finish(mut self) -> Toolpath {
        self.corners.extend(self.joiner.flush());
        self.corners.shrink_to_fit();
        let drawn = self.min[0] <= self.max[0];
        let (min, max) = if drawn { (self.min, self.max) } else { ([0.0; 3], [0.0; 3]) };
        let finest = Level { corners: self.corners, tolerance_mm: self.tolerance_mm + self.sagitta_mm };
        let levels = if drawn { coarser(finest, self.joiner.tolerance) } else { Vec::new() };
        Toolpath { levels, min, max, frames: self.frames, partial: self.partial }
    }
}

/// The first of `tolerance` and its doubles that joins a quarter of the corners, as pieces from all along the path tell: a
/// pass that joins few costs as much time as any, and its tolerance counts all the same.
fn worth_a_pass(corners: &[Corner], mut tolerance: f32) -> f32 {
    let every = (corners.len() / PIECES).max(PIECE_CORNERS);
    let pieces = || corners.chunks(every).map(|piece| &piece[..piece.len().min(PIECE_CORNERS)]);
    let all: usize = pieces().map(<[Corner]>::len).sum();
    let kept = |tolerance| -> usize {
        let kept_of = |piece: &[Corner]| {
            let mut joiner = Joiner::new(tolerance);
            piece.iter().filter_map(|corner| joiner.push(*corner)).count() + 1
        };
        pieces().map(kept_of).sum()
    };
    while tolerance.is_finite() && kept(tolerance) > all / 4 * 3 {
        tolerance *= 2.0;
    }
    tolerance
}

/// A level and all that are coarser, each with at most half as many corners as the one before.
fn coarser(finest: Level, tolerance: f32) -> Vec<Level> {
    let mut levels = Vec::new();
    let mut last = finest;
    let mut step = tolerance;
    while last.corners.len() > FEW_CORNERS && step < 1e6 {
        let mut next = Vec::with_capacity(last.corners.len() / 2);
        let mut is_half = false;
        while !is_half && step < 1e6 {
            step *= 4.0;
            is_half = join_to_half(&last.corners, step, &mut next);
        }
        if !is_half {
            break;
        }
        next.shrink_to_fit();
        let tolerance_mm = last.tolerance_mm + step;
        levels.push(std::mem::replace(&mut last, Level { corners: next, tolerance_mm }));
    }
    levels.push(last);
    levels
}

/// Joins `corners` into `joined`, as long as those are no more than half as many. `false`: they would be more.
fn join_to_half(corners: &[Corner], tolerance: f32, joined: &mut Vec<Corner>) -> bool {
    joined.clear();
    let mut joiner = Joiner::new(tolerance);
    for corner in corners {
        if let Some(settled) = joiner.push(*corner) {
            // There is one more at the end.
            if joined.len() + 1 >= corners.len() / 2 {
                return false;
            }
            joined.push(settled);
        }
    }
    joined.extend(joiner.flush());
    true
}

fn is_finite(place: [f32; 3]) -> bool {
    place[0].is_finite() && place[1].is_finite() && place[2].is_finite()
}

fn place(point: &Point) -> [f32; 3] {
    [point[0] as f32, point[1] as f32, point[2] as f32]
}

/// Joins strokes into one as long as that stays within a tolerance of every corner left out.
///
/// A stroke from the anchor passes a corner left out within the tolerance if it does so where it is as far along as that
/// corner; so each corner leaves open a range of slopes, and the slopes still open are a [`Wedge`]. So that no corner lies
/// behind the end of the stroke, the stroke must be as long as the farthest of them. Since the corners are chained, the stroke
/// is within the tolerance of the chain as well.
///
/// Corners that all lie within the tolerance of the anchor may be joined whatever leads to them: what is a cut in part is
/// then told as a cut.
#[derive(Debug)]
struct Joiner {
    tolerance: f32,
    anchor: Option<[f32; 3]>,
    /// The end of the stroke so far.
    end: Option<Corner>,
    /// All that was joined is reached in the same way.
    uniform: bool,
    /// Square of the distance of the farthest corner from the anchor.
    reach_sq: f32,
    /// The strokes still open. `None`: all.
    open: Option<Wedge>,
}

/// Strokes from an anchor: forth or back along one axis, and for each step along it between so many and so many across.
#[derive(Clone, Copy, Debug)]
struct Wedge {
    along: usize,
    forth: bool,
    /// How far from a corner it may pass on each of the other axes.
    room: [f32; 2],
    low: [f32; 2],
    high: [f32; 2],
}

impl Joiner {
    const fn new(tolerance: f32) -> Self {
        Self { tolerance, anchor: None, end: None, uniform: true, reach_sq: 0.0, open: None }
    }

    /// Takes a corner; gives one that is settled, if there is one.
    #[inline]
    fn push(&mut self, corner: Corner) -> Option<Corner> {
        let (Some(anchor), Some(end)) = (self.anchor, &self.end) else { return self.begin(corner) };
        let uniform = self.uniform && end.is_reached_as(&corner);
        let to = minus(corner.at, anchor);
        let distance_sq = dot(to, to);
        if uniform
            && distance_sq >= self.reach_sq
            && let Some(wedge) = &mut self.open
            && wedge.narrow(to)
        {
            self.reach_sq = distance_sq;
            self.end = Some(corner);
            return None;
        }
        self.turn(*end, corner, uniform, to)
    }

    /// Takes the first corners: from where, and to where.
    #[cold]
    fn begin(&mut self, corner: Corner) -> Option<Corner> {
        if let Some(anchor) = self.anchor {
            self.start(anchor, corner);
            return None;
        }
        self.anchor = Some(corner.at);
        Some(corner)
    }

    /// Takes a corner that is not simply farther on the same way.
    fn turn(&mut self, end: Corner, corner: Corner, uniform: bool, to: [f32; 3]) -> Option<Corner> {
        let (distance_sq, near_sq) = (dot(to, to), self.tolerance * self.tolerance);
        if uniform && corner.reached() == Reached::Jump {
            self.end = Some(corner);
        } else if distance_sq <= near_sq && self.reach_sq <= near_sq {
            let reached = stronger(end.reached(), corner.reached());
            self.end = Some(Corner::new(corner.at, corner.line(), reached));
            self.reach_sq = self.reach_sq.max(distance_sq);
            self.uniform = uniform;
        } else if uniform && distance_sq >= self.reach_sq && self.open.is_none() {
            // The first one beyond the tolerance: all before lie around the anchor.
            self.reach_sq = distance_sq;
            self.end = Some(corner);
            self.open = Some(Wedge::around(to, self.tolerance));
        } else {
            self.start(end.at, corner);
            return Some(end);
        }
        None
    }

    /// The last corner; the next one continues from there.
    fn flush(&mut self) -> Option<Corner> {
        let end = self.end.take()?;
        self.anchor = Some(end.at);
        Some(end)
    }

    /// Joins a whole path in its place.
    fn join(&mut self, corners: &mut Vec<Corner>) {
        let mut kept = 0;
        for n in 0..corners.len() {
            if let Some(settled) = self.push(corners[n]) {
                corners[kept] = settled;
                kept += 1;
            }
        }
        corners.truncate(kept);
        corners.extend(self.flush());
    }

    #[inline]
    fn start(&mut self, anchor: [f32; 3], corner: Corner) {
        let to = minus(corner.at, anchor);
        self.anchor = Some(anchor);
        self.end = Some(corner);
        self.uniform = true;
        self.reach_sq = dot(to, to);
        let is_near = self.reach_sq <= self.tolerance * self.tolerance;
        self.open = if is_near { None } else { Some(Wedge::around(to, self.tolerance)) };
    }
}

impl Wedge {
    /// All strokes that pass this corner, which is not the anchor, within the tolerance.
    #[inline]
    fn around(to: [f32; 3], tolerance: f32) -> Self {
        let [x, y, z] = to.map(f32::abs);
        let along = if x >= y && x >= z { 0 } else { 1 + usize::from(z > y) };
        let (ahead, across) = split(to, along);
        // Most strokes lie in a plane, and have all the room in it; in space both axes share it.
        let flat = across[1] == 0.0;
        let room = if flat { [tolerance, 0.0] } else { [tolerance * std::f32::consts::FRAC_1_SQRT_2; 2] };
        let per_ahead = 1.0 / ahead;
        let wide = per_ahead.abs();
        let (slopes, wide) = ([across[0] * per_ahead, across[1] * per_ahead], [room[0] * wide, room[1] * wide]);
        Self {
            along,
            forth: ahead > 0.0,
            room,
            low: [slopes[0] - wide[0], slopes[1] - wide[1]],
            high: [slopes[0] + wide[0], slopes[1] + wide[1]],
        }
    }

    /// Whether the stroke to there is among them; if so, only those stay that pass this corner.
    #[inline]
    fn narrow(&mut self, to: [f32; 3]) -> bool {
        let (ahead, across) = split(to, self.along);
        if ahead == 0.0 || (ahead > 0.0) != self.forth {
            return false;
        }
        let per_ahead = 1.0 / ahead;
        let slopes = [across[0] * per_ahead, across[1] * per_ahead];
        let is_among = self.low[0] <= slopes[0]
            && slopes[0] <= self.high[0]
            && self.low[1] <= slopes[1]
            && slopes[1] <= self.high[1];
        if is_among {
            let wide = per_ahead.abs();
            for (n, slope) in slopes.into_iter().enumerate() {
                let (low, high) = (slope - self.room[n] * wide, slope + self.room[n] * wide);
                // Not `f32::max`, which minds what is no number: that is not among them.
                self.low[n] = if low > self.low[n] { low } else { self.low[n] };
                self.high[n] = if high < self.high[n] { high } else { self.high[n] };
            }
        }
        is_among
    }
}

/// How far along one axis, and how far along the others.
#[inline]
fn split(to: [f32; 3], along: usize) -> (f32, [f32; 2]) {
    match along {
        0 => (to[0], [to[1], to[2]]),
        1 => (to[1], [to[0], to[2]]),
        _ => (to[2], [to[0], to[1]]),
    }
}

fn stronger(a: Reached, b: Reached) -> Reached {
    match (a, b) {
        (Reached::Cut, _) | (_, Reached::Cut) => Reached::Cut,
        (Reached::Rapid, _) | (_, Reached::Rapid) => Reached::Rapid,
        (Reached::Jump, Reached::Jump) => Reached::Jump,
    }
}

fn minus(a: [f32; 3], b: [f32; 3]) -> [f32; 3] {
    [a[0] - b[0], a[1] - b[1], a[2] - b[2]]
}

fn dot(a: [f32; 3], b: [f32; 3]) -> f32 {
    a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}

#[cfg(test)]
mod tests;
