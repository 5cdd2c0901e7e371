//! Arcs as chords.

use std::f64::consts::TAU;

use crate::model::{Axis, AxisSet, AxisVec};

use super::core::Machine;
use super::gcode::{Block, Code};
use super::modal::Modal;

/// How far a chord may be from the arc (`$12`).
const TOLERANCE_MM: f64 = 0.002;
/// Centre and end point may disagree about the radius by this much, or by 0.1 %.
const RADIUS_SLACK_MM: f64 = 0.005;

impl Machine {
    /// Chord end points of a G2/G3, the last of them exactly `target`.
    pub(super) fn arc(
        &self,
        block: &mut Block,
        modal: &Modal,
        axis_words: AxisSet,
        target: AxisVec,
        clockwise: bool,
    ) -> Result<Vec<AxisVec>, Code> {
        let plane = modal.plane.axes();
        let [Some(first), Some(second)] = plane.map(|(i, _)| Axis::from_index(i).filter(|_| i < self.axes)) else {
            return Err(32);
        };
        if axis_words.is_empty() {
            return Err(26);
        }
        if !axis_words.contains(first) && !axis_words.contains(second) {
            return Err(32);
        }
        let at = |v: &AxisVec| (v.get(first).unwrap_or_default(), v.get(second).unwrap_or_default());
        let (start, end) = (at(&modal.position), at(&target));
        let centre = if let Some(radius) = block.take('R') {
            centre_of(start, end, radius * modal.scale(), clockwise)?
        } else {
            let offsets = plane.map(|(_, letter)| block.take(letter));
            if offsets == [None, None] {
                return Err(35);
            }
            let [i, j] = offsets.map(|v| v.unwrap_or_default() * modal.scale());
            let centre = (start.0 + i, start.1 + j);
            let slip = (distance(centre, start) - distance(centre, end)).abs();
            if slip > RADIUS_SLACK_MM && slip > 0.001 * distance(centre, start) {
                return Err(33);
            }
            centre
        };
        block.take('P');
        Ok(chords(modal.position, target, (first, second), centre, clockwise))
    }
}

/// Chord end points from `from` to `target` around `centre`.
fn chords(
    from: AxisVec,
    target: AxisVec,
    (first, second): (Axis, Axis),
    centre: (f64, f64),
    clockwise: bool,
) -> Vec<AxisVec> {
    let angle =
        |v: &AxisVec| (v.get(second).unwrap_or_default() - centre.1).atan2(v.get(first).unwrap_or_default() - centre.0);
    let begin = angle(&from);
    let mut travel = angle(&target) - begin;
    if clockwise && travel >= -1e-9 {
        travel -= TAU;
    } else if !clockwise && travel <= 1e-9 {
        travel += TAU;
    }
    let radius = distance(centre, (from.get(first).unwrap_or_default(), from.get(second).unwrap_or_default()));
    let chord = 2.0 * (TOLERANCE_MM * 2.0_f64.mul_add(radius, -TOLERANCE_MM).max(TOLERANCE_MM)).sqrt();
    let count = ((travel * radius).abs() / chord).floor().clamp(1.0, 10_000.0) as usize;
    let delta = target.minus(&from);
    let mut points: Vec<AxisVec> = (1..count)
        .map(|i| {
            let part = i as f64 / count as f64;
            let (sin, cos) = (begin + travel * part).sin_cos();
            let mut point = from.plus(&delta.scaled(part));
            point.set(first, centre.0 + radius * cos);
            point.set(second, centre.1 + radius * sin);
            point
        })
        .collect();
    points.push(target);
    points
}

fn distance(a: (f64, f64), b: (f64, f64)) -> f64 {
    (a.0 - b.0).hypot(a.1 - b.1)
}

/// Centre from a radius: of the two circles, the one with the shorter arc for a positive radius.
fn centre_of(start: (f64, f64), end: (f64, f64), radius: f64, clockwise: bool) -> Result<(f64, f64), Code> {
    let (x, y) = (end.0 - start.0, end.1 - start.1);
    let square = 4.0 * radius * radius - x * x - y * y;
    if x == 0.0 && y == 0.0 {
        return Err(33);
    }
    if square < 0.0 {
        return Err(34);
    }
    let mut h = -square.sqrt() / x.hypot(y);
    if !clockwise {
        h = -h;
    }
    if radius < 0.0 {
        h = -h;
    }
    Ok((start.0 + 0.5 * (x - y * h), start.1 + 0.5 * (y + x * h)))
}
