//! Jog arithmetic that hub, session and screens share: directions, feed caps, stop distances.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::axes::{AxisSet, AxisVec};
use super::machine::Limits;

/// Most motion that may ever be queued in the controller by a continuous jog.
pub const MAX_QUEUED: Duration = Duration::from_millis(180);
/// Shortest lease.
pub const MIN_LEASE: Duration = Duration::from_millis(100);
/// Longest lease.
pub const MAX_LEASE: Duration = Duration::from_millis(300);
/// Lease until the key's repeat interval has been learned.
pub const DEFAULT_LEASE: Duration = Duration::from_millis(250);
/// Time from a key to the byte on the wire and back to the motors, on top of the lease.
pub const KEY_LATENCY: Duration = Duration::from_millis(20);
/// Acceleration assumed until the machine has told its own, mm/s². Low, so that the feed cap is safe.
pub const ASSUMED_ACCELERATION_MM_S2: f64 = 100.0;

/// Direction and feed of a continuous jog.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct JogVector {
    /// −1, 0 or +1 per axis; at least one is not 0.
    pub direction: AxisVec,
    /// Feed in mm/min (deg/min when only rotary axes move).
    pub feed_mm_min: f64,
}

impl JogVector {
    /// The axes that move.
    pub fn axes(&self) -> AxisSet {
        self.direction.iter().filter(|(_, d)| *d != 0.0).map(|(axis, _)| axis).collect()
    }
}

/// Acceleration along `direction` in mm/s²: the weakest axis decides.
pub fn acceleration_along(limits: &Limits, direction: &AxisVec) -> f64 {
    along(&limits.acceleration_mm_s2, direction).unwrap_or(ASSUMED_ACCELERATION_MM_S2)
}

/// The feed that will be used: what was asked, not above the axes' rates, and not above what stops
/// within the motion that may be queued (`2·a·0.18 s`).
pub fn capped_feed_mm_min(limits: &Limits, direction: &AxisVec, feed_mm_min: f64) -> f64 {
    let by_queue = 2.0 * acceleration_along(limits, direction) * MAX_QUEUED.as_secs_f64() * 60.0;
    let by_rate = along(&limits.max_rate_mm_min, direction).unwrap_or(f64::INFINITY);
    feed_mm_min.min(by_queue).min(by_rate)
}

/// Travel from the last sign of life of the key to standstill: `v·(lease + latency) + v²/2a`.
pub fn stop_distance_mm(limits: &Limits, vector: &JogVector, lease: Duration, latency: Duration) -> f64 {
    let v = capped_feed_mm_min(limits, &vector.direction, vector.feed_mm_min) / 60.0;
    v * (lease + latency).as_secs_f64() + v * v / (2.0 * acceleration_along(limits, &vector.direction))
}

/// The largest speed or acceleration along `direction` that keeps each axis within its own value.
fn along(per_axis: &AxisVec, direction: &AxisVec) -> Option<f64> {
    let norm = direction.norm();
    if norm == 0.0 {
        return None;
    }
    direction
        .iter()
        .filter(|(_, d)| *d != 0.0)
        .filter_map(|(axis, d)| per_axis.get(axis).filter(|v| *v > 0.0).map(|v| v * norm / d.abs()))
        .reduce(f64::min)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits(a: f64, rate: f64) -> Limits {
        Limits {
            acceleration_mm_s2: AxisVec::from_slice(&[a, a, a]),
            max_rate_mm_min: AxisVec::from_slice(&[rate, rate, rate]),
            ..Limits::default()
        }
    }

    #[test]
    fn caps_follow_the_formula() {
        let x = AxisVec::from_slice(&[1.0, 0.0, 0.0]);
        assert!((capped_feed_mm_min(&limits(100.0, 1e6), &x, 1e6) - 2160.0).abs() < 1e-6);
        assert!((capped_feed_mm_min(&limits(500.0, 1e6), &x, 1e6) - 10800.0).abs() < 1e-6);
        assert_eq!(capped_feed_mm_min(&limits(500.0, 3000.0), &x, 1e6), 3000.0);
        assert_eq!(capped_feed_mm_min(&limits(500.0, 3000.0), &x, 600.0), 600.0);
    }

    #[test]
    fn a_diagonal_may_be_faster_than_one_axis() {
        let xy = AxisVec::from_slice(&[1.0, -1.0, 0.0]);
        assert!((capped_feed_mm_min(&limits(1e6, 3000.0), &xy, 1e6) - 3000.0 * 2f64.sqrt()).abs() < 1e-6);
    }

    #[test]
    fn stop_distances_are_those_of_the_table() {
        let x = AxisVec::from_slice(&[1.0, 0.0, 0.0]);
        for (feed, a, d_ms, mm) in [(300.0, 200.0, 100, 0.66), (600.0, 200.0, 250, 2.95), (3000.0, 500.0, 150, 11.0)] {
            let got = stop_distance_mm(
                &limits(a, 1e6),
                &JogVector { direction: x, feed_mm_min: feed },
                Duration::from_millis(d_ms),
                Duration::from_millis(20),
            );
            assert!((got - mm).abs() < 0.02, "{feed} {a} {d_ms}: {got}");
        }
    }

    #[test]
    fn unknown_acceleration_is_assumed_low() {
        let x = AxisVec::from_slice(&[1.0, 0.0, 0.0]);
        assert_eq!(acceleration_along(&Limits::default(), &x), ASSUMED_ACCELERATION_MM_S2);
    }
}
