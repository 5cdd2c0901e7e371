//! What a block of G-code makes the machine do: the language between the modal tracker and all that look at a program.

use serde::{Deserialize, Serialize};

use crate::model::axes::MAX_AXES;
use crate::model::program::report::{Frame, WaitFor};

/// A place, one number for each axis letter in the order X Y Z A B C U V W; mm, degrees for rotary axes.
pub type Point = [f64; MAX_AXES];

/// How fast a motion is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Speed {
    /// G0: at the machine's rapid rates.
    Rapid,
    /// Units per minute (G94), mm/min.
    MmMin(f64),
    /// Inverse time (G93): the motion takes this many seconds.
    Seconds(f64),
    /// Units per revolution (G95), mm.
    MmRev(f64),
}

/// A motion in one frame.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Straight {
    /// From here, in the same frame as `to`.
    pub from: Point,
    /// Which coordinates of `from` are known: bit n is axis n. Nothing is known before the first motion.
    pub known: u16,
    /// To here.
    pub to: Point,
    /// Axes that it may move, as bits: all others are in `to` as they are in `from`.
    pub axes: u16,
    /// Axes whose coordinate in `to` the block names, as bits. A relative move (G91) from an unknown coordinate names none: of such
    /// an axis only the difference between `from` and `to` is right.
    pub named: u16,
    /// In which coordinates.
    pub frame: Frame,
    /// How fast.
    pub speed: Speed,
}

/// Plane of an arc: indices of its two axes and of the axis across it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Plane {
    /// G17.
    #[default]
    Xy,
    /// G18.
    Zx,
    /// G19.
    Yz,
}

impl Plane {
    /// Indices of the first, second and linear axis, in the sense of positive rotation.
    pub const fn axes(self) -> (usize, usize, usize) {
        match self {
            Self::Xy => (0, 1, 2),
            Self::Zx => (2, 0, 1),
            Self::Yz => (1, 2, 0),
        }
    }
}

/// An arc or helix.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Arc {
    /// Ends, frame and speed.
    pub ends: Straight,
    /// Its plane.
    pub plane: Plane,
    /// Centre, in the plane's first and second axis.
    pub centre: [f64; 2],
    /// Radius in mm.
    pub radius_mm: f64,
    /// Angle swept in radians, counter-clockwise positive; whole turns (`P`) included.
    pub sweep_rad: f64,
}

impl Arc {
    /// Where it is after `part` of the way, from 0 to 1. Axes across the plane go evenly (a helix).
    pub fn at(&self, part: f64) -> Point {
        let (first, second, _) = self.plane.axes();
        let mut point = self.ends.from;
        for (axis, value) in point.iter_mut().enumerate() {
            *value += (self.ends.to[axis] - *value) * part;
        }
        let begin = (self.ends.from[second] - self.centre[1]).atan2(self.ends.from[first] - self.centre[0]);
        let (sin, cos) = (begin + self.sweep_rad * part).sin_cos();
        point[first] = self.centre[0] + self.radius_mm * cos;
        point[second] = self.centre[1] + self.radius_mm * sin;
        point
    }
}

/// What a block makes the machine do. A canned cycle gives several.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Motion {
    /// G0 or G1.
    Straight(Straight),
    /// G2 or G3.
    Arc(Arc),
    /// G4, in seconds.
    Dwell(f64),
    /// G38.x: goes toward `to` until the probe trips.
    Probe(Straight),
    /// It stops and waits.
    Wait(WaitFor),
    /// Nobody can know where it goes (homing, G28 through stored places, expressions): positions are unknown from here.
    Unknown,
}
