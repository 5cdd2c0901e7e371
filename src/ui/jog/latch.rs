//! A jog that goes on although no key is held.
//!
//! ```text
//!          arm                a direction                  distance or travel used up, any key, focus lost,
//!   Off ─────────▶ Armed ───────────────────▶ Running ───────────────────────────────────────────────────────▶ Off
//!    ▲               │ another key, 5 s          │ ▲        the terminal did not answer in time
//!    └───────────────┘                           └─┘ renewed by time, while the terminal answers
//! ```
//!
//! It is a lease like that of a held key, so a screen that has died or lost its link ends it within one lease. Nobody holds
//! a key, so the terminal itself must prove that somebody could press one: it is not offered where something answers in
//! the terminal's place. Its distance is bounded by time, which needs no report: nothing goes further than its feed.

use std::time::Duration;

use super::gesture::JogAct;
use crate::model::Time;
use crate::model::jog::{JogVector, KEY_LATENCY, capped_feed_mm_min, stop_distance_mm};
use crate::model::snapshot::Machine;

/// So long after it was armed, a direction does not start it any more.
const ARMED: Duration = Duration::from_secs(5);
/// How often the terminal is asked for a sign of life.
const PROOF_INTERVAL: Duration = Duration::from_millis(80);

/// The latch.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Latch {
    /// A direction is a step or a hold.
    #[default]
    Off,
    /// The next direction starts it.
    Armed {
        /// Until then.
        until: Time,
    },
    /// It goes on.
    Running(Run),
}

/// A latched jog under way.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Run {
    vector: JogVector,
    ends: Time,
    renewed: Time,
    /// The question that is not answered yet.
    proof_asked: Option<Time>,
    proof_next: Time,
}

impl Latch {
    /// Waits for a direction.
    pub fn arm(&mut self, now: Time) {
        *self = Self::Armed { until: now + ARMED };
    }

    /// The next direction starts it.
    pub fn is_armed(&self, now: Time) -> bool {
        matches!(self, Self::Armed { until } if now < *until)
    }

    /// It goes on, this way.
    pub const fn moving(&self) -> Option<&JogVector> {
        match self {
            Self::Running(run) => Some(&run.vector),
            _ => None,
        }
    }

    /// Starts it, for at most so long.
    pub fn start(&mut self, vector: JogVector, now: Time, most: Duration, lease: Duration) -> Vec<JogAct> {
        let (ends, proof_next) = (now + most, now + PROOF_INTERVAL);
        *self = Self::Running(Run { vector, ends, renewed: now, proof_asked: Some(now), proof_next });
        vec![JogAct::Continue(vector, lease), JogAct::Prove]
    }

    /// Ends whatever is under way. `true`: there was motion to cancel.
    pub fn end(&mut self) -> bool {
        matches!(std::mem::take(self), Self::Running(_))
    }

    /// The terminal gave its sign of life.
    pub const fn proved(&mut self) {
        if let Self::Running(run) = self {
            run.proof_asked = None;
        }
    }

    /// When [`handle_timeout`](Self::handle_timeout) is due.
    pub fn poll_timeout(&self, lease: Duration) -> Option<Time> {
        match self {
            Self::Off => None,
            Self::Armed { until } => Some(*until),
            Self::Running(run) => {
                let proof = run.proof_asked.map_or(run.proof_next, |asked| asked + lease);
                Some(run.ends.min(run.renewed + lease / 3).min(proof))
            }
        }
    }

    /// What is due now.
    pub fn handle_timeout(&mut self, now: Time, lease: Duration) -> Vec<JogAct> {
        let run = match self {
            Self::Armed { until } if now >= *until => {
                *self = Self::Off;
                return Vec::new();
            }
            Self::Running(run) => run,
            _ => return Vec::new(),
        };
        if now >= run.ends {
            *self = Self::Off;
            let text = "latched jog ended: it has gone as far as it may";
            return vec![JogAct::Cancel, JogAct::Say(text.into())];
        }
        // A renewal that is late by a lease finds the machine standing: going on would be a start nobody asked for.
        let silent = run.proof_asked.is_some_and(|asked| now >= asked + lease);
        if silent || now >= run.renewed + lease {
            *self = Self::Off;
            let text = "latched jog stopped: the terminal did not answer in time (slow or broken connection)";
            return vec![JogAct::Cancel, JogAct::Say(text.into())];
        }
        let mut acts = Vec::new();
        if now >= run.renewed + lease / 3 {
            run.renewed = now;
            acts.push(JogAct::Continue(run.vector, lease));
        }
        if run.proof_asked.is_none() && now >= run.proof_next {
            (run.proof_asked, run.proof_next) = (Some(now), now + PROOF_INTERVAL);
            acts.push(JogAct::Prove);
        }
        acts
    }
}

/// For how long it may be renewed, so that it stands within `most_mm` and within the travel of the homed axes.
///
/// # Errors
/// It could not stop within that at this feed.
pub fn longest(machine: &Machine, vector: &JogVector, most_mm: f64, lease: Duration) -> Result<Duration, String> {
    let room = most_mm.min(room_mm(machine, vector));
    let stop = stop_distance_mm(&machine.limits, vector, lease, KEY_LATENCY);
    let feed_mm_s = capped_feed_mm_min(&machine.limits, &vector.direction, vector.feed_mm_min) / 60.0;
    match Duration::try_from_secs_f64((room - stop) / feed_mm_s) {
        Ok(time) if !time.is_zero() => Ok(time),
        _ => Err(format!(
            "there are {:.1} mm to go and it needs {stop:.1} mm to stop: choose a slower feed, or step",
            room.max(0.0)
        )),
    }
}

/// Way along the vector to the end of the travel, where that is known.
fn room_mm(machine: &Machine, vector: &JogVector) -> f64 {
    let norm = vector.direction.norm();
    let moved = vector.direction.iter().filter(|(_, d)| *d != 0.0);
    moved
        .filter_map(|(axis, d)| {
            let (low, high) = machine.limits.machine_range(axis, machine.identity.as_ref())?;
            let here = machine.machine_position?.get(axis).filter(|_| machine.homed.contains(axis))?;
            let way = if d > 0.0 { high - here } else { here - low };
            Some(way * norm / d.abs())
        })
        .fold(f64::INFINITY, f64::min)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Axis, AxisVec, Firmware};
    use crate::ui::testing;

    const LEASE: Duration = Duration::from_millis(250);

    fn t(ms: u64) -> Time {
        Time::from_millis(10_000 + ms)
    }

    fn right(feed_mm_min: f64) -> JogVector {
        JogVector { direction: AxisVec::from_slice(&[1.0, 0.0, 0.0]), feed_mm_min }
    }

    /// Serves every timer until it is over or `end`, with a terminal that answers or does not.
    fn run(latch: &mut Latch, from: u64, end: u64, answers: bool) -> (Vec<JogAct>, Time) {
        let (mut acts, mut now) = (Vec::new(), t(from));
        while let Some(due) = latch.poll_timeout(LEASE).filter(|due| *due <= t(end)) {
            now = now.max(due);
            acts.extend(latch.handle_timeout(now, LEASE));
            if answers {
                latch.proved();
            }
        }
        (acts, now)
    }

    fn count(acts: &[JogAct], wanted: &JogAct) -> usize {
        acts.iter().filter(|act| *act == wanted).count()
    }

    #[test]
    fn it_is_renewed_while_the_terminal_answers_and_ends_by_itself() {
        let mut latch = Latch::default();
        let started = latch.start(right(600.0), t(0), Duration::from_secs(2), LEASE);
        assert_eq!(started, [JogAct::Continue(right(600.0), LEASE), JogAct::Prove]);
        latch.proved();
        let (acts, at) = run(&mut latch, 0, 60_000, true);
        assert_eq!(at, t(2000));
        assert_eq!(count(&acts, &JogAct::Cancel), 1);
        assert!(count(&acts, &JogAct::Continue(right(600.0), LEASE)) >= 20, "{acts:?}");
        assert!(matches!(&acts[acts.len() - 2..], [JogAct::Cancel, JogAct::Say(_)]));
        assert_eq!((latch, latch.poll_timeout(LEASE)), (Latch::Off, None));
    }

    #[test]
    fn a_terminal_that_is_silent_ends_it_within_a_lease() {
        let mut latch = Latch::default();
        latch.start(right(600.0), t(0), Duration::from_secs(60), LEASE);
        let (acts, at) = run(&mut latch, 0, 60_000, false);
        assert_eq!((at, count(&acts, &JogAct::Cancel)), (t(250), 1));
    }

    #[test]
    fn a_screen_that_stalled_does_not_start_it_again() {
        let mut latch = Latch::default();
        latch.start(right(600.0), t(0), Duration::from_secs(60), LEASE);
        latch.proved();
        let acts = latch.handle_timeout(t(900), LEASE);
        assert!(matches!(&acts[..], [JogAct::Cancel, JogAct::Say(_)]), "{acts:?}");
    }

    #[test]
    fn armed_is_forgotten_and_ends_without_a_cancel() {
        let mut latch = Latch::default();
        latch.arm(t(0));
        assert!(latch.is_armed(t(4999)) && !latch.is_armed(t(5000)));
        assert_eq!((latch.handle_timeout(t(5000), LEASE), latch), (vec![], Latch::Off));
        latch.arm(t(0));
        assert!(!latch.end(), "nothing moved");
        latch.start(right(1.0), t(0), Duration::from_secs(1), LEASE);
        assert!(latch.end() && !latch.end());
    }

    #[test]
    fn distance_and_travel_bound_the_time() {
        let mut machine = testing::idle().machine;
        machine.homed = [].into_iter().collect();
        let v = right(600.0);
        let stop = stop_distance_mm(&machine.limits, &v, LEASE, KEY_LATENCY);
        let feed = capped_feed_mm_min(&machine.limits, &v.direction, v.feed_mm_min) / 60.0;
        let way = |time: Duration| time.as_secs_f64() * feed + stop;
        let free = longest(&machine, &v, 50.0, LEASE).unwrap();
        assert!((way(free) - 50.0).abs() < 1e-3, "{free:?}");
        // Ten mm before the end of the travel, homed.
        let high = 5.0;
        machine.identity.as_mut().unwrap().firmware = Firmware::FluidNc;
        machine.limits.told_range[0] = Some((high - 200.0, high));
        machine.homed = [Axis::X].into_iter().collect();
        let mut here = AxisVec::zeros(3);
        here.set(Axis::X, high - 10.0);
        machine.machine_position = Some(here);
        let near = longest(&machine, &v, 50.0, LEASE).unwrap();
        assert!((way(near) - 10.0).abs() < 1e-3, "{near:?}");
        let why = longest(&machine, &v, 0.5, LEASE).unwrap_err();
        assert!(why.contains("slower feed"), "{why}");
        // Away from the end it is the distance again.
        let left = JogVector { direction: AxisVec::from_slice(&[-1.0, 0.0, 0.0]), ..v };
        assert!(longest(&machine, &left, 50.0, LEASE).is_ok());
    }
}
