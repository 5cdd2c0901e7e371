//! How far a program goes, frame by frame.

use std::f64::consts::{FRAC_PI_2, TAU};

use crate::model::AxisSet;
use crate::model::axes::MAX_AXES;
use crate::model::program::report::{Frame, Reach};
use crate::program::motion::{Arc, Point, Straight};

/// Reaches in all frames that a program moves in.
#[derive(Debug, Default)]
pub(super) struct Reaches {
    /// In order of their first use; no more than there are frames.
    frames: Vec<Bounds>,
    /// The one of the last motion.
    current: usize,
    /// It goes where nobody can know.
    pub(super) lost: bool,
}

#[derive(Debug)]
struct Bounds {
    frame: Frame,
    axes: u16,
    min: Point,
    max: Point,
    min_line: [u64; MAX_AXES],
    max_line: [u64; MAX_AXES],
    unsure: bool,
}

impl Reaches {
    /// A straight move: to its end. Where it comes from is in what came before.
    pub(super) fn straight(&mut self, straight: &Straight, line: u64) {
        let bounds = self.at(straight.frame);
        bounds.place(&straight.to, straight.named, line);
        // A way from an unknown place: only the difference is known.
        let mut unknown = straight.axes & !straight.named & !straight.known;
        while unknown != 0 {
            let axis = unknown.trailing_zeros() as usize;
            unknown &= unknown - 1;
            bounds.unsure |= straight.to[axis] != straight.from[axis];
        }
    }

    /// An arc: to its end, and to where it is farthest along each axis of its plane.
    pub(super) fn arc(&mut self, arc: &Arc, line: u64) {
        self.straight(&arc.ends, line);
        let (first, second, _) = arc.plane.axes();
        let plane = 1 << first | 1 << second;
        // Both axes move, though the block may name only one.
        let known = (arc.ends.known | arc.ends.named) & plane;
        let begin = (arc.ends.from[second] - arc.centre[1]).atan2(arc.ends.from[first] - arc.centre[0]);
        let bounds = self.at(arc.ends.frame);
        for quarter in -2..2_i8 {
            let angle = f64::from(quarter) * FRAC_PI_2;
            if passes(begin, arc.sweep_rad, angle) {
                let mut place = arc.ends.to;
                place[first] = arc.centre[0] + arc.radius_mm * angle.cos();
                place[second] = arc.centre[1] + arc.radius_mm * angle.sin();
                bounds.place(&place, known, line);
            }
        }
    }

    fn at(&mut self, frame: Frame) -> &mut Bounds {
        if self.frames.get(self.current).is_none_or(|bounds| bounds.frame != frame) {
            self.current = self.frames.iter().position(|bounds| bounds.frame == frame).unwrap_or_else(|| {
                self.frames.push(Bounds::new(frame));
                self.frames.len() - 1
            });
        }
        &mut self.frames[self.current]
    }

    /// Those in which something is bounded or ought to be.
    pub(super) fn finish(self, shifted: impl Fn(Frame) -> bool) -> Vec<Reach> {
        let lost = self.lost;
        let told = self.frames.into_iter().filter(|bounds| bounds.axes != 0 || bounds.unsure);
        told.map(|bounds| Reach {
            axes: AxisSet::from_mask(bounds.axes),
            unsure: bounds.unsure || lost || shifted(bounds.frame),
            frame: bounds.frame,
            min: bounds.min,
            max: bounds.max,
            min_line: bounds.min_line,
            max_line: bounds.max_line,
        })
        .collect()
    }
}

impl Bounds {
    const fn new(frame: Frame) -> Self {
        Self {
            frame,
            axes: 0,
            min: [0.0; MAX_AXES],
            max: [0.0; MAX_AXES],
            min_line: [0; MAX_AXES],
            max_line: [0; MAX_AXES],
            unsure: false,
        }
    }

    #[inline]
    fn place(&mut self, place: &Point, axes: u16, line: u64) {
        let mut rest = axes;
        while rest != 0 {
            let axis = rest.trailing_zeros() as usize;
            rest &= rest - 1;
            let Some(&value) = place.get(axis) else { return };
            let is_new = self.axes & 1 << axis == 0;
            if is_new || value < self.min[axis] {
                self.min[axis] = value;
                self.min_line[axis] = line;
            }
            if is_new || value > self.max[axis] {
                self.max[axis] = value;
                self.max_line[axis] = line;
            }
            self.axes |= 1 << axis;
        }
    }
}

/// Whether a turn from `begin` through `sweep` passes `angle`.
fn passes(begin: f64, sweep: f64, angle: f64) -> bool {
    let way = if sweep >= 0.0 { angle - begin } else { begin - angle };
    way.rem_euclid(TAU) <= sweep.abs()
}

/// Length of an arc or helix in mm.
pub(super) fn arc_mm(arc: &Arc) -> f64 {
    let (_, _, across) = arc.plane.axes();
    (arc.radius_mm * arc.sweep_rad).hypot(arc.ends.to[across] - arc.ends.from[across])
}

#[cfg(test)]
mod tests {
    use std::f64::consts::PI;

    use proptest::prelude::*;

    use super::*;
    use crate::program::motion::{Plane, Speed};

    proptest! {
        /// The farthest places of an arc are those of very many places on it.
        #[test]
        fn an_arc_reaches_as_far_as_its_places(
            centre in (-10.0..10.0_f64, -10.0..10.0_f64),
            radius in 0.1..20.0_f64,
            begin in -PI..PI,
            sweep in prop_oneof![-3.0 * PI..-0.01, 0.01..3.0 * PI],
            plane in prop_oneof![Just(Plane::Xy), Just(Plane::Zx), Just(Plane::Yz)],
        ) {
            let (first, second, _) = plane.axes();
            let place = |angle: f64| {
                let mut place = [0.0; MAX_AXES];
                place[first] = centre.0 + radius * angle.cos();
                place[second] = centre.1 + radius * angle.sin();
                place
            };
            let named = 1 << first | 1 << second;
            let ends = Straight {
                from: place(begin),
                known: 0x1FF,
                to: place(begin + sweep),
                axes: named,
                named,
                frame: Frame::Active,
                speed: Speed::MmMin(1.0),
            };
            let mut reaches = Reaches::default();
            // Where it comes from was reached before.
            reaches.straight(&Straight { to: ends.from, ..ends }, 1);
            reaches.arc(&Arc { ends, plane, centre: [centre.0, centre.1], radius_mm: radius, sweep_rad: sweep }, 2);
            let reach = &reaches.finish(|_| false)[0];
            for axis in [first, second] {
                let all = (0..=10_000).map(|n| place(begin + sweep * f64::from(n) / 10_000.0)[axis]);
                let (min, max) = all.fold((f64::MAX, f64::MIN), |(min, max), v| (min.min(v), max.max(v)));
                prop_assert!((reach.min[axis] - min).abs() < 1e-4, "{} against {min}", reach.min[axis]);
                prop_assert!((reach.max[axis] - max).abs() < 1e-4, "{} against {max}", reach.max[axis]);
            }
            prop_assert_eq!(reach.axes, AxisSet::from_mask(named));
        }
    }
}
