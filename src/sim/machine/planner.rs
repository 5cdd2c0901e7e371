//! Look-ahead planner and the motion itself: blocks of straight lines, trapezoidal speed, live overrides.
//!
//! Speed is integrated tick by tick instead of being planned as three ramps: a block may speed up to its
//! nominal rate as long as it can still brake to the speed at which the next block may be entered. The
//! result is the same trapezoid, and overrides and holds act at once as they do in the firmware.

use std::collections::VecDeque;

use crate::model::AxisVec;

/// How sharp corners are taken, mm (`$11`, the same default on all three firmwares).
const JUNCTION_DEVIATION_MM: f64 = 0.01;
/// Shorter than this is not a move.
const MIN_LENGTH_MM: f64 = 1e-6;

/// A straight move, ready to be queued.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Move {
    /// End point, machine coordinates.
    pub(super) target: AxisVec,
    /// Programmed speed. `None`: as fast as the axes can (rapid).
    pub(super) feed: Option<Feed>,
    /// A jog: overrides do not touch it.
    pub(super) jog: bool,
}

/// Programmed speed of a move.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Feed {
    /// mm/min (G94).
    PerMinute(f64),
    /// Moves per minute (G93).
    InverseTime(f64),
}

/// Highest rate (mm/min) and acceleration (mm/s²) of each axis.
#[derive(Clone, Copy, Debug)]
pub(super) struct AxisLimits {
    pub(super) rate_mm_min: AxisVec,
    pub(super) accel_mm_s2: AxisVec,
}

#[derive(Clone, Debug)]
struct Block {
    start: AxisVec,
    target: AxisVec,
    unit: AxisVec,
    length: f64,
    /// Programmed speed, mm/s; for rapids the speed the axes allow.
    programmed: f64,
    /// What the axes allow in this direction, mm/s.
    axis_max: f64,
    accel: f64,
    rapid: bool,
    jog: bool,
    junction_sq: f64,
    entry_sq: f64,
}

/// Queue of blocks and the tool that moves along them.
#[derive(Clone, Debug)]
pub(super) struct Planner {
    capacity: usize,
    blocks: VecDeque<Block>,
    /// Where the tool is, machine coordinates.
    position: AxisVec,
    /// End of the last queued block.
    tail: AxisVec,
    travelled: f64,
    /// Speed along the path, mm/s.
    speed: f64,
    last_unit: Option<AxisVec>,
    feed_percent: u16,
    rapid_percent: u16,
}

impl Planner {
    pub(super) fn new(capacity: usize, position: AxisVec) -> Self {
        Self {
            capacity,
            blocks: VecDeque::with_capacity(capacity),
            position,
            tail: position,
            travelled: 0.0,
            speed: 0.0,
            last_unit: None,
            feed_percent: 100,
            rapid_percent: 100,
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.blocks.is_empty()
    }

    pub(super) fn is_full(&self) -> bool {
        self.blocks.len() >= self.capacity
    }

    /// Free blocks, as the status report gives them.
    pub(super) fn free(&self) -> usize {
        self.capacity.saturating_sub(self.blocks.len())
    }

    /// Speed along the path, mm/s.
    pub(super) const fn speed_mm_s(&self) -> f64 {
        self.speed
    }

    pub(super) const fn position(&self) -> AxisVec {
        self.position
    }

    /// Whether the block being executed is a jog.
    pub(super) fn is_jog(&self) -> bool {
        self.blocks.front().is_some_and(|b| b.jog)
    }

    /// Puts the tool somewhere without moving it (homing, power-up) and forgets every block.
    pub(super) fn set_position(&mut self, position: AxisVec) {
        self.position = position;
        self.flush();
    }

    /// Forgets every block; the tool stands where it is.
    pub(super) fn flush(&mut self) {
        self.blocks.clear();
        self.tail = self.position;
        self.travelled = 0.0;
        self.speed = 0.0;
        self.last_unit = None;
    }

    /// No ramp, no flush: what a critical alarm does to the steppers.
    pub(super) fn freeze(&mut self) {
        self.speed = 0.0;
    }

    /// Feed and rapid override in percent; act at once, on jogs never.
    pub(super) fn set_overrides(&mut self, feed_percent: u16, rapid_percent: u16) {
        if (feed_percent, rapid_percent) != (self.feed_percent, self.rapid_percent) {
            self.feed_percent = feed_percent;
            self.rapid_percent = rapid_percent;
            self.plan();
        }
    }

    /// Queues a move. A move that goes nowhere is dropped, as the firmwares do.
    pub(super) fn push(&mut self, mv: &Move, limits: &AxisLimits) {
        let delta = mv.target.minus(&self.tail);
        let length = delta.norm();
        if length < MIN_LENGTH_MM {
            return;
        }
        let unit = delta.scaled(1.0 / length);
        let axis_max = along(&unit, &limits.rate_mm_min) / 60.0;
        let accel = along(&unit, &limits.accel_mm_s2);
        let programmed = match mv.feed {
            None => axis_max,
            Some(Feed::PerMinute(feed)) => feed / 60.0,
            Some(Feed::InverseTime(per_min)) => length * per_min / 60.0,
        };
        let junction_sq = match self.last_unit {
            Some(last) if !self.blocks.is_empty() => junction_speed_sq(&last, &unit, accel),
            _ => 0.0,
        };
        self.blocks.push_back(Block {
            start: self.tail,
            target: mv.target,
            unit,
            length,
            programmed,
            axis_max,
            accel,
            rapid: mv.feed.is_none(),
            jog: mv.jog,
            junction_sq,
            entry_sq: 0.0,
        });
        self.tail = mv.target;
        self.last_unit = Some(unit);
        self.plan();
    }

    fn nominal(&self, block: &Block) -> f64 {
        let percent = match (block.jog, block.rapid) {
            (true, _) => 100,
            (_, true) => self.rapid_percent,
            (_, false) => self.feed_percent,
        };
        (block.programmed * f64::from(percent) / 100.0).min(block.axis_max).max(MIN_LENGTH_MM)
    }

    /// Backward pass: the fastest entry of each block from which the tool can still stop at the end of the queue.
    fn plan(&mut self) {
        let mut exit_sq = 0.0;
        for i in (1..self.blocks.len()).rev() {
            let (prev, block) = (&self.blocks[i - 1], &self.blocks[i]);
            let slower = self.nominal(prev).min(self.nominal(block));
            let reachable = 2.0_f64.mul_add(block.accel * block.length, exit_sq);
            let entry_sq = block.junction_sq.min(slower * slower).min(reachable);
            self.blocks[i].entry_sq = entry_sq;
            exit_sq = entry_sq;
        }
    }

    /// Moves on for `dt` seconds; `brake` slows to a stand along the path instead.
    pub(super) fn advance(&mut self, dt: f64, brake: bool) {
        let Some(block) = self.blocks.front() else {
            self.speed = 0.0;
            return;
        };
        let exit_sq = self.blocks.get(1).map_or(0.0, |b| b.entry_sq);
        let remaining = (block.length - self.travelled).max(0.0);
        let nominal = if brake { 0.0 } else { self.nominal(block) };
        let ramp = block.accel * dt;
        let wanted =
            if self.speed < nominal { (self.speed + ramp).min(nominal) } else { (self.speed - ramp).max(nominal) };
        // The fastest end of this tick from which the exit speed can still be met: v'² = exit² + 2a·(what is left).
        let room = 2.0_f64.mul_add(block.accel * remaining, exit_sq) - ramp * self.speed;
        let stoppable = f64::midpoint(-ramp, 4.0_f64.mul_add(room, ramp * ramp).max(0.0).sqrt());
        let next = wanted.min(stoppable).max(0.0);
        let mut step = f64::midpoint(self.speed, next) * dt;
        self.speed = next;
        // A tick may end one block, or several short ones.
        while let Some(block) = self.blocks.front() {
            let remaining = block.length - self.travelled;
            if step + MIN_LENGTH_MM < remaining {
                self.travelled += step;
                self.position = block.start.plus(&block.unit.scaled(self.travelled));
                return;
            }
            step = (step - remaining).max(0.0);
            self.position = block.target;
            self.travelled = 0.0;
            self.blocks.pop_front();
        }
        self.speed = 0.0;
        self.last_unit = None;
    }
}

/// The largest speed or acceleration along `unit` that keeps every axis within its own limit.
fn along(unit: &AxisVec, limits: &AxisVec) -> f64 {
    unit.iter()
        .filter(|(_, u)| u.abs() > 1e-9)
        .filter_map(|(axis, u)| limits.get(axis).map(|limit| limit / u.abs()))
        .fold(f64::INFINITY, f64::min)
}

/// Grbl's junction rule: the speed at which a corner stays within the junction deviation.
fn junction_speed_sq(last: &AxisVec, unit: &AxisVec, accel: f64) -> f64 {
    let cos: f64 = -last.as_slice().iter().zip(unit.as_slice()).map(|(a, b)| a * b).sum::<f64>();
    if cos > 0.999_999 {
        0.0
    } else if cos < -0.999_999 {
        f64::INFINITY
    } else {
        let sin_half = (0.5 * (1.0 - cos)).sqrt();
        accel * JUNCTION_DEVIATION_MM * sin_half / (1.0 - sin_half)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: fn() -> AxisLimits = || AxisLimits {
        rate_mm_min: AxisVec::from_slice(&[3000.0, 3000.0, 1000.0]),
        accel_mm_s2: AxisVec::from_slice(&[200.0, 200.0, 100.0]),
    };

    fn line(x: f64, y: f64, feed: f64) -> Move {
        Move { target: AxisVec::from_slice(&[x, y, 0.0]), feed: Some(Feed::PerMinute(feed)), jog: false }
    }

    fn planner() -> Planner {
        Planner::new(15, AxisVec::zeros(3))
    }

    /// Runs to a stand; gives ticks of 1 ms and the highest speed in mm/min.
    fn run(planner: &mut Planner) -> (u32, f64) {
        let (mut ticks, mut top) = (0, 0.0_f64);
        while !planner.is_empty() {
            planner.advance(0.001, false);
            top = top.max(planner.speed_mm_s() * 60.0);
            ticks += 1;
            assert!(ticks < 1_000_000, "never ends");
        }
        (ticks, top)
    }

    #[test]
    fn a_move_takes_the_time_of_its_trapezoid_and_ends_exactly() {
        let mut p = planner();
        p.push(&line(20.0, 0.0, 600.0), &LIMITS());
        let (ticks, top) = run(&mut p);
        // 20 mm at 10 mm/s plus one ramp time of 10/200 s.
        assert!((2045..2060).contains(&ticks), "{ticks}");
        assert!((top - 600.0).abs() < 1e-6, "{top}");
        assert_eq!(p.position().as_slice(), &[20.0, 0.0, 0.0]);
    }

    #[test]
    fn collinear_segments_flow_and_corners_slow_down() {
        let mut straight = planner();
        for i in 1..=10 {
            straight.push(&line(f64::from(i), 0.0, 1200.0), &LIMITS());
        }
        let (flow, _) = run(&mut straight);
        let mut zigzag = planner();
        for i in 1..=10 {
            zigzag.push(&line(f64::from(i), f64::from(i % 2), 1200.0), &LIMITS());
        }
        let (corners, _) = run(&mut zigzag);
        assert!(flow < 620, "{flow}");
        assert!(f64::from(corners) > 1.8 * f64::from(flow), "{corners} against {flow}");
    }

    #[test]
    fn braking_takes_the_stop_distance_and_goes_on_from_there() {
        let mut p = planner();
        p.push(&line(100.0, 0.0, 1200.0), &LIMITS());
        for _ in 0..1000 {
            p.advance(0.001, false);
        }
        let at = p.position().as_slice()[0];
        while p.speed_mm_s() > 0.0 {
            p.advance(0.001, true);
        }
        let stop = p.position().as_slice()[0] - at;
        assert!((stop - 1.0).abs() < 0.05, "v²/2a = 1 mm, was {stop}");
        run(&mut p);
        assert_eq!(p.position().as_slice()[0], 100.0);
    }

    #[test]
    fn feed_override_acts_on_feeds_but_never_on_jogs() {
        for (jog, expected) in [(false, 1200.0), (true, 600.0)] {
            let mut p = planner();
            p.push(&Move { jog, ..line(50.0, 0.0, 600.0) }, &LIMITS());
            p.set_overrides(200, 100);
            let (_, top) = run(&mut p);
            assert!((top - expected).abs() < 1e-6, "jog {jog}: {top}");
        }
    }

    #[test]
    fn rate_is_capped_by_the_slowest_axis_involved() {
        let mut p = planner();
        let target = AxisVec::from_slice(&[10.0, 0.0, 10.0]);
        p.push(&Move { target, feed: None, jog: false }, &LIMITS());
        let (_, top) = run(&mut p);
        assert!((top - 1000.0 * 2.0_f64.sqrt()).abs() < 1.0, "{top}");
    }
}
