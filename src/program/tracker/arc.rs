//! G2 and G3: centres from offsets or a radius, as all three firmwares compute them (Grbl `gc_execute_line`, "[20. Motion modes ]").

use std::f64::consts::TAU;

use super::core::{Once, Sink, Tracker};
use super::turn::Turn;
use crate::model::Firmware;
use crate::program::motion::{Arc, Motion, Plane, Straight};
use crate::program::vocabulary::Distance;

/// Radii at both ends may differ by this much …
const SLACK_MM: f64 = 0.005;
/// … or by this part of the radius …
const SLACK_PART: f64 = 0.001;
/// … but never by more than this (Grbl, FluidNC, grblHAL: "[Arc definition error]").
const MOST_SLACK_MM: f64 = 0.5;
/// A sweep smaller than this is a whole turn (`ARC_ANGULAR_TRAVEL_EPSILON`).
const NO_SWEEP_RAD: f64 = 5e-7;

impl Tracker {
    pub(super) fn arc(&mut self, turn: &mut Turn<'_, impl Sink>, axes: u16, clockwise: bool) {
        let plane = self.plane();
        let (first, second, _) = plane.axes();
        let in_plane = 1 << first | 1 << second;
        if axes & in_plane == 0 {
            turn.error(
                "arc-without-target",
                &format!("an arc needs an axis word of its plane ({})", plane_name(plane)),
                "write its end point, also for a full circle",
            );
        }
        let speed = self.speed(turn);
        let start_known = self.modal.place.known & in_plane == in_plane || self.is_relative();
        let ends = self.straight(turn, axes, false, speed);
        let turns = self.turns(turn);
        let radius = turn.take(b'R');
        let centre = match radius {
            Some(radius) => Self::by_radius(turn, &ends, plane, radius * self.scale(), clockwise),
            None => self.by_offsets(turn, &ends, plane, start_known),
        };
        if !start_known {
            self.say_start_unknown(turn);
            turn.motion(&Motion::Straight(ends));
            return;
        }
        let Some(centre) = centre else {
            turn.motion(&Motion::Straight(ends));
            return;
        };
        let angle = |point: &[f64]| (point[second] - centre[1]).atan2(point[first] - centre[0]);
        let mut sweep = angle(&ends.to) - angle(&ends.from);
        if clockwise {
            while sweep >= -NO_SWEEP_RAD {
                sweep -= TAU;
            }
            sweep -= TAU * (turns - 1.0);
        } else {
            while sweep <= NO_SWEEP_RAD {
                sweep += TAU;
            }
            sweep += TAU * (turns - 1.0);
        }
        let radius_mm = (ends.from[first] - centre[0]).hypot(ends.from[second] - centre[1]);
        turn.motion(&Motion::Arc(Arc { ends, plane, centre, radius_mm, sweep_rad: sweep }));
    }

    /// `P`: whole turns, the last one counted though it may be a part.
    fn turns(&self, turn: &mut Turn<'_, impl Sink>) -> f64 {
        let Some(turns) = turn.block.value(b'P') else { return 1.0 };
        if self.dialect.firmware == Firmware::Grbl {
            // Left unused on purpose: Grbl answers error:36.
            return 1.0;
        }
        turn.take(b'P');
        if turns.fract() != 0.0 || turns < 1.0 {
            turn.error("arc-turns", "P counts the turns of an arc: a whole number from 1 on", "correct it");
        }
        turns.floor().clamp(1.0, 100_000.0)
    }

    fn by_radius(
        turn: &mut Turn<'_, impl Sink>,
        ends: &Straight,
        plane: Plane,
        radius: f64,
        clockwise: bool,
    ) -> Option<[f64; 2]> {
        let (first, second, _) = plane.axes();
        let (x, y) = (ends.to[first] - ends.from[first], ends.to[second] - ends.from[second]);
        if x == 0.0 && y == 0.0 {
            turn.error(
                "arc-target",
                "an arc by radius (R) must not end where it began",
                "write I and J for a full circle",
            );
            return None;
        }
        let square = 4.0 * radius * radius - x * x - y * y;
        if square < 0.0 {
            let text =
                format!("a radius of {:.4} mm cannot join points that are {:.4} mm apart", radius.abs(), x.hypot(y));
            turn.error("arc-radius", &text, "correct R or the end point; more decimals may be enough");
            return None;
        }
        let mut h = -square.sqrt() / x.hypot(y);
        if !clockwise {
            h = -h;
        }
        if radius < 0.0 {
            h = -h;
        }
        Some([ends.from[first] + 0.5 * (x - y * h), ends.from[second] + 0.5 * (y + x * h)])
    }

    fn by_offsets(
        &self,
        turn: &mut Turn<'_, impl Sink>,
        ends: &Straight,
        plane: Plane,
        start_known: bool,
    ) -> Option<[f64; 2]> {
        let (first, second, _) = plane.axes();
        let offsets = [turn.take(b'I'), turn.take(b'J'), turn.take(b'K')];
        let (i, j) = (offsets[first], offsets[second]);
        if i.is_none() && j.is_none() {
            let text = format!("an arc needs its centre or its radius ({})", plane_name(plane));
            turn.error("arc-without-centre", &text, "write I, J or K of the plane, or R");
            return None;
        }
        let scale = self.scale();
        let absolute = self.modal.arc_distance == Some(Distance::Absolute);
        let place = |offset: Option<f64>, axis: usize| match (offset, absolute) {
            (Some(offset), true) => offset * scale,
            (offset, _) => ends.from[axis] + offset.unwrap_or_default() * scale,
        };
        let centre = [place(i, first), place(j, second)];
        let radius = |point: &[f64]| (point[first] - centre[0]).hypot(point[second] - centre[1]);
        let (at_start, at_end) = (radius(&ends.from), radius(&ends.to));
        let apart = (at_start - at_end).abs();
        if start_known && apart > SLACK_MM && (apart > MOST_SLACK_MM || apart > SLACK_PART * at_start) {
            let text = format!(
                "an arc whose ends do not lie on one circle: its radius is {at_start:.4} mm at the start and {at_end:.4} mm at the end"
            );
            turn.error(
                "arc-radius",
                &text,
                "correct the end point or the centre; the CAM program may write too few decimals",
            );
            return None;
        }
        Some(centre)
    }

    #[cold]
    fn say_start_unknown(&mut self, turn: &mut Turn<'_, impl Sink>) {
        if self.first(Once::ArcFromNowhere) {
            turn.warn(
                "arc-start",
                "an arc begins where the machine happens to stand, so its shape is not known",
                "write a move to its start in front of it",
            );
        }
    }
}

const fn plane_name(plane: Plane) -> &'static str {
    match plane {
        Plane::Xy => "G17, X and Y",
        Plane::Zx => "G18, Z and X",
        Plane::Yz => "G19, Y and Z",
    }
}
