//! Drilling cycles of grblHAL: one line becomes the moves of a hole (`mc_canned_drill`, and "[20. Motion modes ]" in `gcode.c`).

use std::time::Duration;

use crate::model::{Axis, AxisSet, AxisVec};

use super::core::Machine;
use super::gcode::{Block, Code};
use super::lines::Step;
use super::modal::{Modal, Motion, SpindleMode};
use super::planner::Feed;

/// How far G73 goes back to break the chip, mm (`$28` as delivered).
const CHIP_BREAK_MM: f64 = 0.1;
/// Dwell at the bottom of each peck.
const PECK_DWELL_S: f64 = 0.25;
/// Pecks of one line, so that a slip (`Q0.0001`) does not fill the memory.
const MOST_PECKS: usize = 10_000;

/// What a cycle keeps from one hole to the next, in machine coordinates.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Cycle {
    r: f64,
    bottom: f64,
    peck: f64,
    dwell_s: f64,
}

/// The moves of one line.
struct Drilling<'a> {
    machine: &'a Machine,
    steps: &'a mut Vec<Step>,
    at: AxisVec,
    /// The axis across the plane.
    across: Axis,
}

impl Drilling<'_> {
    fn to(&mut self, target: AxisVec, feed: Option<Feed>) {
        if target != self.at && !self.is_cut_off() {
            self.machine.push_move(self.steps, target, feed);
        }
        self.at = target;
    }

    fn deep(&mut self, height: f64, feed: Option<Feed>) {
        let mut target = self.at;
        target.set(self.across, height);
        self.to(target, feed);
    }

    fn height(&self) -> f64 {
        self.at.get(self.across).unwrap_or_default()
    }

    /// A move went beyond the soft limits.
    fn is_cut_off(&self) -> bool {
        self.steps.iter().rev().any(|step| matches!(step, Step::SoftLimit))
    }
}

impl Machine {
    /// A line in the mode of G73 or G81 to G89.
    pub(super) fn drill(
        &self,
        block: &mut Block,
        next: &mut Modal,
        axis_words: AxisSet,
        steps: &mut Vec<Step>,
        (number, feed): (u8, Feed),
    ) -> Result<(), Code> {
        if axis_words.is_empty() {
            return Err(26);
        }
        let across = next.plane.across();
        let cycle = self.cycle_values(block, next, axis_words, number)?;
        let repeats = block.take('L').unwrap_or(1.0).max(1.0) as usize;
        let in_plane: AxisSet = axis_words.iter().filter(|axis| *axis != across).collect();
        let start = next.position;
        let hole = self.target(block, next, in_plane, false);
        let spindle = next.spindle;
        let mut way = Drilling { machine: self, steps, at: start, across };
        if way.height() < cycle.r {
            way.deep(cycle.r, None);
        }
        let back_to = if next.retract_to_r { cycle.r } else { way.height() };
        let step = hole.minus(&start);
        let mut over = hole;
        for repeat in 0..repeats.min(MOST_PECKS) {
            if repeat > 0 && !next.absolute {
                over = over.plus(&step);
            }
            over.set(across, way.height());
            way.to(over, None);
            if way.height() > cycle.r {
                way.deep(cycle.r, None);
            }
            way.hole(number, &cycle, feed, (back_to, spindle));
        }
        next.position = way.at;
        next.cycle = cycle;
        Ok(())
    }

    /// R, Q, P and the depth, new or from the hole before.
    fn cycle_values(&self, block: &mut Block, next: &Modal, axis_words: AxisSet, number: u8) -> Result<Cycle, Code> {
        let starts = !matches!(self.modal.motion, Motion::Drill(_));
        let across = next.plane.across();
        let offset = self.settings.wcs[next.wcs].plus(&next.g92).plus(&next.tlo).get(across).unwrap_or_default();
        let here = next.position.get(across).unwrap_or_default();
        let depth = axis_words.contains(across).then(|| self.word(block, next, across));
        let (r, q, p) = (block.take('R').map(|r| r * next.scale()), block.take('Q'), block.take('P'));
        let (pecks, dwells) = (matches!(number, 73 | 83), matches!(number, 82 | 86 | 89));
        if starts && (r.is_none() || depth.is_none() || pecks && q.is_none() || dwells && p.is_none()) {
            return Err(28);
        }
        if q.is_some_and(|q| q <= 0.0) {
            return Err(4);
        }
        let mut cycle = if starts { Cycle::default() } else { next.cycle };
        if let Some(r) = r {
            cycle.r = r + if next.absolute { offset } else { here };
        }
        if let Some(depth) = depth {
            cycle.bottom = depth + if next.absolute { offset } else { cycle.r };
        }
        if let Some(q) = q {
            cycle.peck = q * next.scale();
        }
        if !pecks {
            cycle.peck = f64::INFINITY;
        }
        if pecks {
            cycle.dwell_s = PECK_DWELL_S;
        } else if !dwells {
            cycle.dwell_s = 0.0;
        } else if let Some(p) = p {
            cycle.dwell_s = p;
        }
        if cycle.r < cycle.bottom { Err(NO_WAY_DOWN) } else { Ok(cycle) }
    }
}

/// R below the bottom of the hole: "retract position is below the drill depth".
const NO_WAY_DOWN: Code = 54;

impl Drilling<'_> {
    /// From R to the bottom, in bites, and out.
    fn hole(&mut self, number: u8, cycle: &Cycle, feed: Feed, (back_to, spindle): (f64, SpindleMode)) {
        let out = matches!(number, 85 | 89).then_some(feed);
        let mut depth = cycle.r;
        for _ in 0..MOST_PECKS {
            if depth <= cycle.bottom || self.is_cut_off() {
                break;
            }
            depth = (depth - cycle.peck).max(cycle.bottom);
            self.deep(depth, Some(feed));
            if cycle.dwell_s > 0.0 {
                let time = Duration::try_from_secs_f64(cycle.dwell_s).unwrap_or(Duration::MAX);
                self.steps.extend([Step::Sync, Step::Dwell(time)]);
            }
            if number == 86 {
                self.steps.extend([Step::Sync, Step::Spindle(SpindleMode::Off)]);
            }
            let breaks = number == 73 && depth > cycle.bottom;
            self.deep(if breaks { depth + CHIP_BREAK_MM } else { back_to }, out);
            if number == 86 {
                self.steps.extend([Step::Sync, Step::Spindle(spindle)]);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Firmware;
    use crate::sim::machine::Options;
    use crate::sim::machine::planner::Move;

    fn machine() -> Machine {
        let start = Some(AxisVec::from_slice(&[-150.0, -100.0, -30.0, 0.0]));
        let mut machine = Machine::new(Options { homed: true, start, ..Options::new(Firmware::GrblHal) });
        for line in ["$20=1", "G10 L20 P1 X0 Y0 Z10", "G21 G90 F100", "M3 S1000"] {
            machine.handle_bytes(machine.now, format!("{line}\n").as_bytes());
        }
        machine.steps.clear();
        machine
    }

    /// What a program makes of itself, in work coordinates; `r` a rapid.
    fn moves(machine: &mut Machine, program: &str) -> Vec<String> {
        program.lines().for_each(|line| machine.gcode(line).unwrap_or_else(|code| panic!("{line}: error {code}")));
        let shown = machine.steps.drain(..).filter_map(|step| match step {
            Step::Move(Move { target, feed, .. }) => {
                let rapid = if feed.is_none() { "r" } else { "" };
                let zero = [-150.0, -100.0, -40.0];
                let at = zero.iter().zip(target.as_slice()).map(|(zero, at)| ((at - zero) * 1e3).round() / 1e3 + 0.0);
                Some(format!("{rapid}{}", at.map(|at| at.to_string()).collect::<Vec<_>>().join(",")))
            }
            Step::Dwell(time) => Some(format!("dwell {}", time.as_secs_f64())),
            Step::SoftLimit => Some("limit".to_owned()),
            _ => None,
        });
        shown.collect()
    }

    #[test]
    fn a_cycle_is_the_moves_of_its_holes() {
        for (program, expected) in [
            (
                "G81 X1 Y2 Z-3 R1\nX2",
                vec!["r1,2,10", "r1,2,1", "1,2,-3", "r1,2,10", "r2,2,10", "r2,2,1", "2,2,-3", "r2,2,10"],
            ),
            (
                "G99 G81 X1 Z-3 R1\nX2\nG80\nG0 X3",
                vec!["r1,0,10", "r1,0,1", "1,0,-3", "r1,0,1", "r2,0,1", "2,0,-3", "r2,0,1", "r3,0,1"],
            ),
            ("G82 X1 Z-3 R1 P0.5", vec!["r1,0,10", "r1,0,1", "1,0,-3", "dwell 0.5", "r1,0,10"]),
            (
                "G99 G83 X1 Z-3 R1 Q2.5",
                vec!["r1,0,10", "r1,0,1", "1,0,-1.5", "dwell 0.25", "r1,0,1", "1,0,-3", "dwell 0.25", "r1,0,1"],
            ),
            (
                "G99 G73 X1 Z-2 R0 Q1",
                vec!["r1,0,10", "r1,0,0", "1,0,-1", "dwell 0.25", "r1,0,-0.9", "1,0,-2", "dwell 0.25", "r1,0,0"],
            ),
            ("G99 G85 X1 Z-3 R1", vec!["r1,0,10", "r1,0,1", "1,0,-3", "1,0,1"]),
            (
                "G91 G99 G81 X5 Z-4 R-9 L2",
                vec!["r5,0,10", "r5,0,1", "5,0,-3", "r5,0,1", "r10,0,1", "10,0,-3", "r10,0,1"],
            ),
            ("G81 X1 Z-90 R1", vec!["r1,0,10", "r1,0,1", "limit"]),
        ] {
            assert_eq!(moves(&mut machine(), program), expected, "{program}");
        }
    }

    #[test]
    fn what_is_missing_or_wrong_is_refused_and_nothing_moves() {
        for (line, code) in [
            ("G81 X1 R1", 28),
            ("G81 X1 Z-1", 28),
            ("G82 X1 Z-1 R1", 28),
            ("G83 X1 Z-1 R1", 28),
            ("G83 X1 Z-1 R1 Q0", 4),
            ("G81 X1 Z-1 R-2", 54),
            ("G81", 26),
        ] {
            let mut machine = machine();
            assert_eq!((machine.gcode(line), machine.steps.len()), (Err(code), 0), "{line}");
        }
    }

    #[test]
    fn the_modes_are_told() {
        let mut machine = machine();
        let _ = moves(&mut machine, "G99 G83 X1 Z-1 R1 Q1");
        let told = machine.modal.report(Firmware::GrblHal);
        assert!(told.contains("[GC:G83 ") && told.contains(" G99 "), "{told}");
    }
}
