//! What the machine draws from its outlet.

use super::core::Machine;
use super::modal::SpindleMode;

/// Controller, drives that hold their motors, and a lamp.
const STANDING_W: f64 = 70.0;
/// Drives that move an axis.
const MOVING_W: f64 = 90.0;
/// The spindle with its dust extractor, in the air.
const TURNING_W: f64 = 600.0;
/// What cutting adds.
const CUTTING_W: f64 = 1300.0;
/// Faster than the programmed feed by that factor is a rapid.
const ABOVE_FEED: f64 = 1.05;

impl Machine {
    /// What it draws now, in watts.
    pub fn watts(&self) -> f64 {
        let turns = self.modal.spindle != SpindleMode::Off && self.spindle_rpm() > 0.0;
        let moves = self.is_moving();
        let feed_mm_s = self.modal.feed * f64::from(self.feed_override) / 100.0 / 60.0;
        let cuts = turns && moves && self.planner.speed_mm_s() <= feed_mm_s * ABOVE_FEED;
        let part = |is: bool, watts: f64| if is { watts } else { 0.0 };
        STANDING_W + part(moves, MOVING_W) + part(turns, TURNING_W) + part(cuts, CUTTING_W)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::model::{Firmware, Time};
    use crate::sim::machine::Options;

    #[test]
    fn what_it_does_is_what_it_draws() {
        for firmware in [Firmware::Grbl, Firmware::FluidNc, Firmware::GrblHal] {
            let mut machine = Machine::new(Options { homed: true, ..Options::new(firmware) });
            let mut now = Time::ZERO + Duration::from_secs(2);
            machine.advance(now);
            let mut after = |line: &str, ms: u64| {
                machine.handle_bytes(now, format!("{line}\n").as_bytes());
                now += Duration::from_millis(ms);
                machine.advance(now);
                machine.watts()
            };
            assert_eq!(after("G91", 500), 70.0, "{firmware}");
            assert_eq!(after("M3 S9000", 500), 670.0, "{firmware}");
            assert_eq!(after("G1 X-1 F60", 500), 2060.0, "{firmware}");
            assert_eq!(after("G4 P0.01", 2000), 670.0, "{firmware}");
            assert_eq!(after("M5", 500), 70.0, "{firmware}");
            assert_eq!(after("G1 X1", 500), 160.0, "{firmware}");
        }
    }
}
