//! Jogging: exact steps, and continuous motion that is leased, not commanded.
//!
//! A continuous jog is fed in short increments, one unacknowledged at most and never more than 180 ms of motion
//! queued, and only while the lease is renewed. What is queued is computed from a model of the machine's own
//! acceleration, so the machine stops by itself soon after the feeding ends, whatever ends it.

use std::collections::VecDeque;
use std::fmt::Write as _;
use std::time::Duration;

use super::reports::Mark;
use crate::grbl::line::{Line, LineError};
use crate::model::command::TicketId;
use crate::model::jog::{JogVector, MAX_QUEUED};
use crate::model::machine::Firmware;
use crate::model::{AxisVec, Time};

/// Exact steps that may wait behind the one that is under way.
pub(super) const MAX_STEPS: usize = 4;
/// Length of one increment in time.
pub(super) const INCREMENT: Duration = Duration::from_millis(60);
/// The cancel byte is repeated this often until the machine is seen not to jog.
pub(super) const CANCEL_REPEAT: Duration = Duration::from_millis(80);
/// After this long a cancel is helped by a feed hold, after twice as long by a reset.
pub(super) const CANCEL_ESCALATES: Duration = Duration::from_millis(1500);

/// A running permission to move.
#[derive(Clone, Debug)]
pub(super) struct Lease {
    pub(super) vector: JogVector,
    /// After the caps.
    pub(super) feed_mm_min: f64,
    pub(super) acceleration_mm_s2: f64,
    pub(super) until: Time,
    /// The newest renewal; answered when the next one comes or the jog ends.
    pub(super) ticket: TicketId,
}

/// A step that waits.
#[derive(Clone, Debug)]
pub(super) struct Step {
    pub(super) ticket: TicketId,
    pub(super) line: Line,
    pub(super) distance: AxisVec,
    pub(super) feed_mm_min: f64,
    pub(super) acceleration_mm_s2: f64,
}

/// A cancel under way.
#[derive(Clone, Debug)]
pub(super) struct Cancel {
    pub(super) since: Time,
    pub(super) next_send: Time,
    /// Proved by a status report asked for after the last `ok`.
    pub(super) mark: Option<Mark>,
    pub(super) held: bool,
    pub(super) reset: bool,
}

/// The jogging part of a session.
#[derive(Debug, Default)]
pub(super) struct Jogger {
    pub(super) steps: VecDeque<Step>,
    pub(super) lease: Option<Lease>,
    /// Asked for while a cancel was still under way; begins when that is done, if still alive.
    pub(super) next_lease: Option<Lease>,
    pub(super) cancel: Option<Cancel>,
    pub(super) motion: Motion,
    /// What moves, for the screen.
    pub(super) showing: Option<(AxisVec, f64)>,
}

impl Jogger {
    /// Every ticket that is still open here.
    pub(super) fn tickets(&self) -> impl Iterator<Item = TicketId> {
        self.steps
            .iter()
            .map(|step| step.ticket)
            .chain(self.lease.iter().map(|lease| lease.ticket))
            .chain(self.next_lease.iter().map(|lease| lease.ticket))
    }

    /// When the next increment is due, were nothing else in the way.
    pub(super) fn increment_due(&self, now: Time) -> Option<Time> {
        let lease = self.lease.as_ref()?;
        let mut motion = self.motion;
        motion.advance(now);
        let queued = motion.queued(lease.feed_mm_min);
        Some(now + (queued + INCREMENT).saturating_sub(MAX_QUEUED))
    }
}

/// How much of what was sent the machine still has before it: one dimension, trapezoidal.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Motion {
    remaining_mm: f64,
    speed_mm_s: f64,
    feed_mm_s: f64,
    acceleration_mm_s2: f64,
    at: Time,
}

impl Motion {
    /// Lets time pass.
    pub(super) fn advance(&mut self, now: Time) {
        const STEP_S: f64 = 0.002;
        let mut left = now.since(self.at).as_secs_f64();
        self.at = self.at.max(now);
        if self.remaining_mm <= 0.0 {
            self.speed_mm_s = 0.0;
            return;
        }
        while left > 0.0 && self.remaining_mm > 0.0 {
            let dt = left.min(STEP_S);
            let may = (2.0 * self.acceleration_mm_s2 * self.remaining_mm).sqrt().min(self.feed_mm_s);
            self.speed_mm_s = (self.speed_mm_s + self.acceleration_mm_s2 * dt).min(may);
            // A crawl at the very end keeps the model from never arriving.
            self.remaining_mm -= self.speed_mm_s.max(0.01 * self.feed_mm_s) * dt;
            left -= dt;
        }
        if self.remaining_mm <= 0.0 {
            self.remaining_mm = 0.0;
            self.speed_mm_s = 0.0;
        }
    }

    /// More was sent.
    pub(super) fn add(&mut self, now: Time, mm: f64, feed_mm_min: f64, acceleration_mm_s2: f64) {
        self.advance(now);
        self.at = now;
        self.remaining_mm += mm;
        self.feed_mm_s = feed_mm_min / 60.0;
        self.acceleration_mm_s2 = acceleration_mm_s2.max(1.0);
    }

    /// Motion queued, as time at the given feed.
    pub(super) fn queued(&self, feed_mm_min: f64) -> Duration {
        if self.remaining_mm <= 0.0 {
            return Duration::ZERO;
        }
        Duration::try_from_secs_f64(self.remaining_mm / (feed_mm_min / 60.0)).unwrap_or(Duration::MAX)
    }

    /// How long a stop from the present speed takes.
    pub(super) fn stopping_time(&self) -> Duration {
        if self.acceleration_mm_s2 <= 0.0 {
            return Duration::ZERO;
        }
        Duration::try_from_secs_f64(self.feed_mm_s / self.acceleration_mm_s2).unwrap_or(Duration::ZERO)
    }

    /// Nothing is queued any more.
    pub(super) fn clear(&mut self) {
        self.remaining_mm = 0.0;
        self.speed_mm_s = 0.0;
    }
}

/// `$J=G91 G21 X… F…`: modes and feed in every line, so that no modal state of the machine matters.
pub(super) fn jog_line(distance: &AxisVec, feed_mm_min: f64, firmware: Option<Firmware>) -> Result<Line, LineError> {
    let mut text = String::from("$J=G91 G21");
    for (axis, value) in distance.iter().filter(|(_, v)| number(*v) != "0") {
        let _ = write!(text, " {}{}", axis.letter(), number(value));
    }
    let _ = write!(text, " F{}", number(feed_mm_min));
    Line::new(&text, firmware)
}

/// Three decimals at most, no needless zeros, never an exponent.
fn number(value: f64) -> String {
    let mut text = format!("{value:.3}");
    while text.ends_with('0') {
        text.pop();
    }
    if text.ends_with('.') {
        text.pop();
    }
    if text == "-0" { "0".into() } else { text }
}

/// The next increment along a lease.
pub(super) fn increment(lease: &Lease) -> AxisVec {
    let mm = lease.feed_mm_min / 60.0 * INCREMENT.as_secs_f64();
    let norm = lease.vector.direction.norm();
    lease.vector.direction.scaled(mm / norm)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_jog_line_is_complete_in_itself() {
        let line = jog_line(&AxisVec::from_slice(&[0.5, -0.25, 0.0]), 600.0, Some(Firmware::FluidNc)).unwrap();
        assert_eq!(line.as_str(), "$J=G91 G21 X0.5 Y-0.25 F600");
    }

    #[test]
    fn a_jog_line_without_an_axis_cannot_be_made() {
        for distance in [[0.0, 0.0, 0.0], [0.0004, 0.0, 0.0], [-0.0001, 0.0, 0.0]] {
            assert!(jog_line(&AxisVec::from_slice(&distance), 600.0, None).is_err());
        }
    }

    #[test]
    fn numbers_are_short_and_plain() {
        for (value, text) in [(0.1, "0.1"), (10.0, "10"), (-0.001, "-0.001"), (-0.0001, "0"), (1e6, "1000000")] {
            assert_eq!(number(value), text);
        }
    }

    #[test]
    fn the_model_needs_the_time_that_acceleration_needs() {
        // 10 mm at 10 mm/s with 100 mm/s²: 1 s plus 0.1 s for the two ramps.
        let mut motion = Motion::default();
        motion.add(Time::ZERO, 10.0, 600.0, 100.0);
        motion.advance(Time::from_millis(1000));
        assert!(motion.queued(600.0) > Duration::from_millis(30));
        motion.advance(Time::from_millis(1250));
        assert_eq!(motion.queued(600.0), Duration::ZERO);
    }

    #[test]
    fn increments_follow_the_vector() {
        let lease = Lease {
            vector: JogVector { direction: AxisVec::from_slice(&[1.0, -1.0, 0.0]), feed_mm_min: 600.0 },
            feed_mm_min: 600.0,
            acceleration_mm_s2: 100.0,
            until: Time::ZERO,
            ticket: TicketId(1),
        };
        let step = increment(&lease);
        assert!((step.norm() - 0.6).abs() < 1e-9);
        assert!((step.as_slice()[0] + step.as_slice()[1]).abs() < 1e-12);
    }
}
