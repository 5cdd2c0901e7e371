//! Drilling cycles, taken apart as grblHAL does it (`mc_canned_drill`, and "[20. Motion modes ]" in `gcode.c`).

use super::core::{Sink, Tracker};
use super::turn::Turn;
use crate::program::motion::{Motion, Point, Speed};
use crate::program::vocabulary::Return;

/// How far a chip-breaking cycle (G73) goes back, mm (grblHAL `$28`, default).
const CHIP_BREAK_MM: f64 = 0.1;
/// Dwell of the pecking cycles, in seconds.
const PECK_DWELL_S: f64 = 0.25;
/// Motions of one line, so that a slip (`Q0.0001`) does not hold up the reading.
const MOST_PECKS: u32 = 10_000;

/// What a cycle keeps from one hole to the next.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Cycle {
    running: bool,
    /// Coordinates across the plane, as in the work frame.
    r: f64,
    bottom: f64,
    peck: f64,
    dwell_s: f64,
}

impl Cycle {
    /// Another motion mode came in between: the next cycle has to name everything anew.
    pub(super) const fn begin(&mut self) {
        self.running = false;
    }
}

impl Tracker {
    pub(super) fn drill(&mut self, turn: &mut Turn<'_, impl Sink>, axes: u16, cycle: u8) {
        let (first, second, across) = self.plane().axes();
        if !self.cycle_values(turn, axes, cycle, across) {
            return;
        }
        let speed = self.speed(turn);
        let repeats = turn.take(b'L').unwrap_or(1.0);
        if repeats < 1.0 || repeats.fract() != 0.0 {
            turn.error(
                "cycle-repeats",
                "L counts how often a cycle is repeated: a whole number from 1 on",
                "correct it",
            );
        }
        let mut left = MOST_PECKS;
        let start = self.modal.place.work;
        let known_before = self.modal.place.known;
        let holes = self.hole(turn, axes & !(1 << across));
        let Cycle { r, bottom, .. } = self.cycle;
        if r < bottom {
            turn.error(
                "cycle-retract",
                "the retract height (R) lies below the bottom of the hole",
                "correct R or the depth",
            );
            return;
        }
        self.modal.place.work = start;
        let across_bit = 1 << across;
        let mut at = start;
        if at[across] < r {
            at[across] = r;
            self.go(turn, at, across_bit, Speed::Rapid);
        }
        let back_to = if self.modal.retract == Some(Return::R) { r } else { at[across] };
        (at[first], at[second]) = (holes[first], holes[second]);
        self.modal.place.known = known_before | (axes & !across_bit);
        self.go(turn, at, axes & !across_bit, Speed::Rapid);
        let step = [holes[first] - start[first], holes[second] - start[second]];
        for repeat in 0..repeats.clamp(1.0, f64::from(MOST_PECKS)) as u32 {
            if repeat > 0 && self.is_relative() {
                at[first] += step[0];
                at[second] += step[1];
                self.go(turn, at, axes & !across_bit, Speed::Rapid);
            }
            self.one_hole(turn, cycle, &mut at, (across, back_to), speed, &mut left);
            if left == 0 {
                turn.warn(
                    "cycle-long",
                    "this cycle has more than 10000 pecks; only those are looked at",
                    "see whether Q, the depth and L are right",
                );
                break;
            }
        }
    }

    /// R, Q, P and the depth, new or from the line before. `false`: one is missing.
    fn cycle_values(&mut self, turn: &mut Turn<'_, impl Sink>, axes: u16, cycle: u8, across: usize) -> bool {
        let starts = !self.cycle.running;
        let (scale, here, relative) = (self.scale(), self.modal.place.work[across], self.is_relative());
        let (r, q, p) = (turn.take(b'R'), turn.take(b'Q'), turn.take(b'P'));
        let depth = (axes & (1 << across) != 0)
            .then(|| turn.block.value(super::turn::AXIS_LETTERS[across]).unwrap_or_default() * scale);
        let pecks = matches!(cycle, 73 | 83);
        let dwells = matches!(cycle, 82 | 86 | 89);
        let missing = [
            ("R", r.is_none()),
            ("the depth", depth.is_none()),
            ("Q", pecks && q.is_none()),
            ("P", dwells && p.is_none()),
        ];
        if starts && let Some((name, _)) = missing.iter().find(|(_, missing)| *missing) {
            let text = format!("the first line of this cycle needs {name}");
            turn.error("value-missing", &text, "add it");
            return false;
        }
        if q.is_some_and(|q| q <= 0.0) {
            turn.error("cycle-peck", "a peck (Q) must be above 0", "correct it");
            return false;
        }
        self.cycle.running = true;
        if let Some(r) = r {
            self.cycle.r = if relative { here + r * scale } else { r * scale };
        }
        if let Some(depth) = depth {
            self.cycle.bottom = if relative { self.cycle.r + depth } else { depth };
        }
        if let Some(q) = q {
            self.cycle.peck = q * scale;
        }
        if starts {
            self.cycle.dwell_s = 0.0;
        }
        if dwells && let Some(p) = p {
            self.cycle.dwell_s = p;
        } else if pecks {
            self.cycle.dwell_s = PECK_DWELL_S;
        }
        if !pecks {
            self.cycle.peck = f64::INFINITY;
        }
        true
    }

    /// Where the hole is, in the plane.
    fn hole(&mut self, turn: &mut Turn<'_, impl Sink>, axes: u16) -> Point {
        self.straight(turn, axes, false, Speed::Rapid).to
    }

    fn one_hole(
        &mut self,
        turn: &mut Turn<'_, impl Sink>,
        cycle: u8,
        at: &mut Point,
        (across, back_to): (usize, f64),
        speed: Speed,
        left: &mut u32,
    ) {
        let Cycle { r, bottom, peck, dwell_s, .. } = self.cycle;
        let bit = 1 << across;
        if at[across] > r {
            at[across] = r;
            self.go(turn, *at, bit, Speed::Rapid);
        }
        let retract = if matches!(cycle, 85 | 89) { speed } else { Speed::Rapid };
        let mut depth = r;
        while depth > bottom && *left > 0 {
            *left -= 1;
            depth = (depth - peck).max(bottom);
            at[across] = depth;
            self.go(turn, *at, bit, speed);
            if dwell_s > 0.0 {
                turn.motion(&Motion::Dwell(dwell_s));
            }
            at[across] = if cycle == 73 && depth > bottom { depth + CHIP_BREAK_MM } else { back_to };
            self.go(turn, *at, bit, retract);
        }
    }

    fn go(&mut self, turn: &mut Turn<'_, impl Sink>, to: Point, named: u16, speed: Speed) {
        if to != self.modal.place.work {
            if !self.is_relative() {
                self.modal.place.known |= named;
            }
            self.emit(turn, to, named, speed);
        }
    }
}
