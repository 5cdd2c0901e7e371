//! How long a program takes on a machine: the firmware's own planner, with nobody waiting.
//!
//! Grbl, FluidNC and grblHAL plan alike (Grbl `planner.c`): blocks of straight line, each with an acceleration and a top
//! speed that no axis exceeds, corners at the speed that junction deviation allows, and always slow enough to stop at the
//! end of what is queued. Arcs are chords within the arc tolerance (`motion_control.c`, `mc_arc`). A dwell, a wait and a
//! spindle command stop the machine first. Nothing is kept but the window of queued blocks, however long the program is.
//!
//! Not in it: overrides, pauses, what a person does, and a link or controller too slow to keep the queue full.

mod course;
mod model;
mod window;

pub use model::EstimateModel;

use super::motion::{Arc, Motion, Speed, Straight};
use crate::model::axes::MAX_AXES;
use crate::model::program::report::Times;
use crate::model::program::{Phase, Stretch};
use course::Course;
use window::{Block, Window};

/// Chords of one arc at most: a full circle of ten metres at the usual tolerance.
const MOST_CHORDS: f64 = 5_000.0;
/// Shorter than this is not a move: the firmwares drop what is less than a step.
const LEAST_MM: f64 = 1e-6;
/// Points of a timeline.
const MOST_POINTS: usize = 1024;
/// X, Y, Z: all that most programs move.
const XYZ: usize = 3;

/// One number per axis.
type PerAxis = [f64; MAX_AXES];

/// How long a program takes.
#[derive(Clone, Debug, PartialEq)]
pub struct Estimate {
    /// By what it is spent on.
    pub times: Times,
    /// The part of it in which the spindle is on.
    pub spindle_on: Times,
    /// Rising points of (line, seconds from the start).
    pub timeline: Vec<(u64, f32)>,
    /// Stretches of it one after the other.
    pub course: Vec<Stretch>,
}

/// Adds up the time of a program.
#[derive(Clone, Debug)]
pub struct Estimator {
    model: EstimateModel,
    window: Window,
    times: Times,
    /// Those of them in which the spindle is on.
    spindle_on: Times,
    timeline: Timeline,
    course: Course,
    /// Axes beyond X, Y, Z have moved: each sum is over all of them from here on.
    wide: bool,
    /// The machine does not stop after the last block.
    goes_on: bool,
    /// Direction of the last block.
    last: PerAxis,
    /// Top speed of the last block, squared.
    last_nominal_sq: f64,
    spindle_rpm: f64,
    /// The spindle turns. It is switched at a standstill only, so that no queued block is of another time.
    turns: bool,
}

impl Estimator {
    /// Nothing yet, at a standstill.
    pub fn new(model: EstimateModel) -> Self {
        Self {
            window: Window::new(model.planner_blocks),
            model,
            times: Times::default(),
            spindle_on: Times::default(),
            timeline: Timeline::default(),
            course: Course::default(),
            wide: false,
            goes_on: false,
            last: [0.0; MAX_AXES],
            last_nominal_sq: 0.0,
            spindle_rpm: 0.0,
            turns: false,
        }
    }

    /// Adds what line `line` does.
    pub fn add(&mut self, motion: &Motion, line: u64) {
        match motion {
            Motion::Straight(straight) | Motion::Probe(straight) => self.straight(straight, line),
            Motion::Arc(arc) => self.arc(arc, line),
            Motion::Dwell(seconds) => {
                self.stop();
                self.times.dwell_s += seconds.max(0.0);
                if self.turns {
                    self.spindle_on.dwell_s += seconds.max(0.0);
                }
                self.course.add(if self.turns { Phase::Turning } else { Phase::Standing }, *seconds);
                self.timeline.note(line, self.times.total_s());
            }
            Motion::Wait(_) | Motion::Unknown => self.stop(),
        }
    }

    /// The machine comes to a standstill before it goes on (a spindle command, a pause).
    pub fn stop(&mut self) {
        while let Some(done) = self.window.pop() {
            self.account(done);
        }
        self.goes_on = false;
    }

    /// The spindle turns so fast from here on; feeds per revolution (G95) need it.
    pub fn spindle(&mut self, rpm: f64) {
        self.spindle_rpm = rpm;
    }

    /// The spindle is on, or off, from here on. The machine has come to a standstill for that, see [`stop`](Self::stop).
    pub fn turn(&mut self, on: bool) {
        self.turns = on;
    }

    /// Seconds of all that is settled; what may still be changed by what follows is not in it.
    pub fn seconds(&self) -> f64 {
        self.times.total_s()
    }

    /// All of it.
    pub fn finish(mut self) -> Estimate {
        self.stop();
        let timeline = self.timeline.finish(self.times.total_s());
        Estimate { times: self.times, spindle_on: self.spindle_on, timeline, course: self.course.finish() }
    }

    fn straight(&mut self, straight: &Straight, line: u64) {
        self.watch_width(straight);
        let mut delta = [0.0; MAX_AXES];
        let moved = if self.wide { MAX_AXES } else { XYZ };
        for (axis, delta) in delta.iter_mut().enumerate().take(moved) {
            *delta = straight.to[axis] - straight.from[axis];
        }
        // To a place from where nobody knows the way is not known either: it counts as none.
        let mut unknown = straight.named & !straight.known;
        while unknown != 0 {
            delta[unknown.trailing_zeros() as usize] = 0.0;
            unknown &= unknown - 1;
        }
        self.block(&delta, straight.speed, line);
    }

    fn arc(&mut self, arc: &Arc, line: u64) {
        self.watch_width(&arc.ends);
        let tolerance = self.model.arc_tolerance_mm;
        let half_chord = (tolerance * (2.0 * arc.radius_mm - tolerance)).max(0.0).sqrt();
        let chords = (0.5 * (arc.sweep_rad * arc.radius_mm).abs() / half_chord).floor();
        // Not a number, as of a radius of 0, is one chord.
        let chords = if chords >= 1.0 { chords.min(MOST_CHORDS) } else { 1.0 };
        let (first, second, _) = arc.plane.axes();
        let mut delta: PerAxis = [0.0; MAX_AXES];
        for (axis, delta) in delta.iter_mut().enumerate() {
            *delta = (arc.ends.to[axis] - arc.ends.from[axis]) / chords;
        }
        let (sin, cos) = (arc.sweep_rad / chords).sin_cos();
        let mut spoke = [arc.ends.from[first] - arc.centre[0], arc.ends.from[second] - arc.centre[1]];
        let speed = match arc.ends.speed {
            Speed::Seconds(seconds) => Speed::Seconds(seconds / chords),
            other => other,
        };
        for n in 1..=chords as usize {
            let mut next = [spoke[0] * cos - spoke[1] * sin, spoke[0] * sin + spoke[1] * cos];
            if n == chords as usize {
                next = [arc.ends.to[first] - arc.centre[0], arc.ends.to[second] - arc.centre[1]];
            }
            delta[first] = next[0] - spoke[0];
            delta[second] = next[1] - spoke[1];
            spoke = next;
            self.block(&delta, speed, line);
        }
    }

    /// Whether axes move beyond X, Y, Z.
    #[inline]
    fn watch_width(&mut self, straight: &Straight) {
        self.wide |= straight.axes >> XYZ != 0;
    }

    /// Speed that the program wants, mm/s.
    fn wanted(&self, speed: Speed, length: f64) -> f64 {
        let mm_s = match speed {
            Speed::Rapid => f64::INFINITY,
            Speed::MmMin(feed) => feed * (1.0 / 60.0),
            Speed::Seconds(seconds) => length / seconds,
            Speed::MmRev(feed) => feed * self.spindle_rpm / 60.0,
        };
        // No feed, or none that is known, is the checks' business: the machine would refuse.
        if mm_s > 0.0 { mm_s } else { f64::INFINITY }
    }

    fn block(&mut self, delta: &PerAxis, speed: Speed, line: u64) {
        match delta.first_chunk::<XYZ>() {
            Some(delta) if !self.wide => self.block_over(delta, speed, line),
            _ => self.block_over(delta, speed, line),
        }
    }

    /// Queues a block; nothing has moved but the first `AXES` axes.
    #[inline]
    fn block_over<const AXES: usize>(&mut self, delta: &[f64; AXES], speed: Speed, line: u64) {
        let length_sq = sum::<AXES>(|axis| delta[axis] * delta[axis]);
        let length = length_sq.sqrt();
        // Written so that what is not a number is left out.
        if !(length >= LEAST_MM && length.is_finite()) {
            return;
        }
        // Each quotient is taken of what is at hand, not of another quotient: they are worked out at the same time.
        let per_length = 1.0 / length;
        let along_accel = most(delta, &self.model.per_accel);
        let change_sq = 2.0 * length_sq / along_accel;
        let per_accel = along_accel * per_length;
        let (wanted, along_rate) = (self.wanted(speed, length), most(delta, &self.model.per_rate));
        // Most moves are slower than the machine, and need no division.
        let nominal = if wanted * along_rate <= length { wanted } else { length / along_rate };
        let unit: [f64; AXES] = std::array::from_fn(|axis| delta[axis] * per_length);
        let nominal_sq = nominal * nominal;
        let max_entry_sq =
            if self.goes_on { self.junction_sq(&unit).min(nominal_sq).min(self.last_nominal_sq) } else { 0.0 };
        self.goes_on = true;
        self.last[..AXES].copy_from_slice(&unit);
        self.last_nominal_sq = nominal_sq;
        let rapid = speed == Speed::Rapid;
        if let Some(done) = self.window.push(Block { length, per_accel, change_sq, nominal, max_entry_sq, rapid, line })
        {
            self.account(done);
        }
    }

    /// How fast a corner may be taken, squared (Grbl `planner.c`, `plan_buffer_line`).
    #[inline]
    fn junction_sq<const AXES: usize>(&self, unit: &[f64; AXES]) -> f64 {
        let cos = -sum::<AXES>(|axis| self.last[axis] * unit[axis]);
        if cos > 0.999_999 {
            return 0.0;
        }
        if cos < -0.999_999 {
            return f64::INFINITY;
        }
        let across: [f64; AXES] = std::array::from_fn(|axis| unit[axis] - self.last[axis]);
        // Its length follows from the angle: |u - l|² = 2 + 2 cos, with cos taken of the opposite direction.
        let size = (2.0 + 2.0 * cos).sqrt();
        let sin_half = (0.5 * (1.0 - cos)).sqrt();
        let deviation = self.model.junction_deviation_mm;
        // The acceleration across is size / most: one division for both quotients.
        size * deviation * sin_half / (most(&across, &self.model.per_accel) * (1.0 - sin_half))
    }

    fn account(&mut self, done: window::Done) {
        let of =
            |times: &mut Times| *(if done.rapid { &mut times.rapid_s } else { &mut times.cutting_s }) += done.seconds;
        of(&mut self.times);
        if self.turns {
            of(&mut self.spindle_on);
        }
        self.course.add(
            match (self.turns, done.rapid) {
                (true, false) => Phase::Cutting,
                (true, true) => Phase::Crossing,
                (false, _) => Phase::Moving,
            },
            done.seconds,
        );
        self.timeline.note(done.line, self.times.total_s());
    }
}

/// Inverse of the largest value along `direction` that keeps every axis within its own limit, whose inverse is given.
#[inline]
fn most<const AXES: usize>(direction: &[f64; AXES], per_limit: &PerAxis) -> f64 {
    let mut most = 0.0;
    for axis in 0..AXES {
        let part = direction[axis].abs() * per_limit[axis];
        // Not `f64::max`, which minds what is no number: there is none here.
        most = if part > most { part } else { most };
    }
    most
}

/// Over the first `AXES` axes.
#[inline]
fn sum<const AXES: usize>(part: impl Fn(usize) -> f64) -> f64 {
    (0..AXES).map(part).sum()
}

/// When each line ends, thinned out as it grows.
#[derive(Clone, Debug)]
struct Timeline {
    points: Vec<(u64, f32)>,
    /// At least so many lines from point to point.
    stride: u64,
    /// The first line that is worth a point.
    next: u64,
    /// The line under way and when its last block so far ended.
    open: (u64, f64),
}

impl Default for Timeline {
    fn default() -> Self {
        Self { points: Vec::new(), stride: 1, next: 1, open: (0, 0.0) }
    }
}

impl Timeline {
    #[inline]
    fn note(&mut self, line: u64, seconds: f64) {
        if line != self.open.0 && self.open.0 >= self.next {
            self.settle();
        }
        // A line number that falls back (a loop) does not make the timeline fall.
        self.open = (line.max(self.open.0), seconds);
    }

    fn settle(&mut self) {
        let (line, seconds) = self.open;
        if line < self.next {
            return;
        }
        self.points.push((line, seconds as f32));
        if self.points.len() >= MOST_POINTS {
            let mut n = 0_usize;
            self.points.retain(|_| {
                n += 1;
                n.is_multiple_of(2)
            });
            self.stride *= 2;
        }
        self.next = self.points.last().map_or(1, |(last, _)| last + self.stride);
    }

    fn finish(mut self, end: f64) -> Vec<(u64, f32)> {
        self.next = self.points.last().map_or(1, |(last, _)| last + 1);
        self.open.1 = end;
        self.settle();
        self.points
    }
}

#[cfg(test)]
mod tests;
