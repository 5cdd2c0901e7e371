//! G5 and G5.1 of grblHAL, as chords.

use super::codes::Wanted;
use super::core::{Sink, Tracker};
use super::turn::Turn;
use crate::program::motion::{Plane, Point, Speed, Straight};
use crate::program::vocabulary::MotionMode;

/// Chords of a spline: grblHAL takes as many as the curve needs, at most this many are worth a picture and a time.
const CHORDS: u32 = 32;

impl Tracker {
    pub(super) fn spline(&mut self, turn: &mut Turn<'_, impl Sink>, axes: u16, wanted: &Wanted) {
        let speed = self.speed(turn);
        let offsets = [turn.take(b'I'), turn.take(b'J')];
        let first = wanted.motion.is_some();
        let ends = self.straight(turn, axes, false, speed);
        if self.plane() != Plane::Xy || axes & !0b11 != 0 {
            turn.error("spline-plane", "a spline lies in the plane of X and Y (G17)", "remove the other axes");
            return;
        }
        let scale = self.scale();
        let offset = |value: Option<f64>| value.unwrap_or_default() * scale;
        let (start, end) = ([ends.from[0], ends.from[1]], [ends.to[0], ends.to[1]]);
        let out = [start[0] + offset(offsets[0]), start[1] + offset(offsets[1])];
        if self.motion_mode() == MotionMode::QuadraticSpline {
            if offsets == [None, None] {
                turn.error("value-missing", "G5.1 needs I or J", "add them");
            }
            // A quadratic curve is a cubic one with its control points two thirds of the way.
            let toward =
                |from: [f64; 2]| [from[0] + (out[0] - from[0]) * 2.0 / 3.0, from[1] + (out[1] - from[1]) * 2.0 / 3.0];
            self.chords(turn, &ends, [start, toward(start), toward(end), end]);
            return;
        }
        let (p, q) = (turn.take(b'P'), turn.take(b'Q'));
        if p.is_none() || q.is_none() || (first && offsets.contains(&None)) {
            turn.error("value-missing", "G5 needs P and Q, and I and J in the first line of a series", "add them");
            return;
        }
        let into = [end[0] + offset(p), end[1] + offset(q)];
        // Without I and J it goes on as the line before came in.
        let out = if offsets == [None, None] { [start[0] - offset(p), start[1] - offset(q)] } else { out };
        self.chords(turn, &ends, [start, out, into, end]);
    }

    fn chords(&mut self, turn: &mut Turn<'_, impl Sink>, ends: &Straight, points: [[f64; 2]; 4]) {
        let known = self.modal.place.known;
        self.modal.place.work = ends.from;
        self.modal.place.known = ends.known;
        let speed = match ends.speed {
            Speed::Seconds(seconds) => Speed::Seconds(seconds / f64::from(CHORDS)),
            other => other,
        };
        for step in 1..=CHORDS {
            let mut to: Point = ends.to;
            if step < CHORDS {
                let t = f64::from(step) / f64::from(CHORDS);
                let weights = [(1.0 - t).powi(3), 3.0 * t * (1.0 - t).powi(2), 3.0 * t * t * (1.0 - t), t.powi(3)];
                for axis in 0..2 {
                    to[axis] = points.iter().zip(weights).map(|(point, weight)| point[axis] * weight).sum();
                }
            }
            self.modal.place.known = known;
            self.emit(turn, to, 0b11, speed);
        }
    }
}
