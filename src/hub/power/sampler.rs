//! Rows of the history: means over a tick, and nothing where nothing is known.

use crate::model::Time;
use crate::model::power::{GridState, Inverter, Reading, Sample};

/// The quantities of a row that are readings.
const READ: [(Read, Put); 10] = [
    (|known| known.flow.pv_w, |row| &mut row.pv_w),
    (|known| known.flow.battery_w, |row| &mut row.battery_w),
    (|known| known.flow.grid_w, |row| &mut row.grid_w),
    (|known| known.flow.load_w, |row| &mut row.load_w),
    (|known| known.battery.soc_percent, |row| &mut row.soc_percent),
    (|known| known.battery.voltage_v, |row| &mut row.battery_v),
    (|known| known.grid.voltage_v, |row| &mut row.grid_v),
    (|known| known.grid.frequency_hz, |row| &mut row.grid_hz),
    (|known| known.temperature_c, |row| &mut row.inverter_c),
    (|known| known.battery.temperature_c, |row| &mut row.battery_c),
];

type Read = fn(&Inverter) -> Reading<f64>;
type Put = fn(&mut Sample) -> &mut Option<f32>;

/// Gathers the readings of one inverter during a tick.
#[derive(Clone, Debug, Default)]
pub(super) struct Sampler {
    means: [Mean; READ.len()],
    grid: Mean,
}

/// The mean of readings, each counted once.
#[derive(Clone, Copy, Debug, Default)]
struct Mean {
    sum: f64,
    count: u32,
    last: Option<Time>,
}

impl Mean {
    fn take(&mut self, value: f64) {
        self.sum += value;
        self.count += 1;
    }

    /// The mean of what came, and begins anew.
    fn end(&mut self) -> Option<f64> {
        let mean = (self.count > 0).then(|| self.sum / f64::from(self.count));
        (self.sum, self.count) = (0.0, 0);
        mean
    }
}

impl Sampler {
    /// Something is known anew.
    pub(super) fn look(&mut self, known: &Inverter, now: Time) {
        for ((read, _), mean) in READ.iter().zip(&mut self.means) {
            let reading = read(known);
            // A reading is told again with each answer about something else.
            if let Some(value) = reading.fresh(now).filter(|_| reading.at != mean.last) {
                mean.last = reading.at;
                mean.take(value);
            }
        }
        if let Some(there) = there(known) {
            self.grid.take(there);
        }
    }

    /// The tick ends: its row. What came less often than there are ticks counts while it is fresh.
    pub(super) fn end(&mut self, at_ms: i64, known: &Inverter, now: Time) -> Sample {
        let mut row = Sample { at_ms, ..Sample::default() };
        let mut any = false;
        for ((read, put), mean) in READ.iter().zip(&mut self.means) {
            let value = mean.end().or_else(|| read(known).fresh(now));
            any |= value.is_some();
            *put(&mut row) = value.map(|value| value as f32);
        }
        let grid = self.grid.end().or_else(|| there(known).filter(|_| any));
        row.grid_there = grid.map(|there| there as f32);
        row
    }
}

fn there(known: &Inverter) -> Option<f64> {
    match known.grid.state {
        GridState::Good => Some(1.0),
        GridState::Lost => Some(0.0),
        GridState::Unknown => None,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn at(second: u64) -> Time {
        Time::from_millis(second * 1000)
    }

    fn known(load: f64, second: u64) -> Inverter {
        let mut known = Inverter::default();
        known.flow.load_w = Reading::new(load, at(second), Duration::from_secs(1));
        known
    }

    #[test]
    fn a_row_is_the_mean_of_its_readings_and_each_counts_once() {
        let mut sampler = Sampler::default();
        for (load, second) in [(100.0, 1), (100.0, 1), (300.0, 2)] {
            sampler.look(&known(load, second), at(second));
        }
        let row = sampler.end(5000, &known(300.0, 2), at(3));
        assert_eq!((row.at_ms, row.load_w, row.pv_w, row.grid_there), (5000, Some(200.0), None, None));
    }

    #[test]
    fn what_is_slow_counts_while_it_is_fresh_and_then_no_more() {
        let mut sampler = Sampler::default();
        let mut slow = known(100.0, 1);
        slow.temperature_c = Reading::new(41.0, at(1), Duration::from_secs(60));
        sampler.look(&slow, at(1));
        assert_eq!(sampler.end(0, &slow, at(10)).inverter_c, Some(41.0));
        let row = sampler.end(0, &slow, at(20));
        assert_eq!((row.inverter_c, row.load_w), (Some(41.0), None));
        assert_eq!(sampler.end(0, &slow, at(1000)), Sample::default());
    }

    #[test]
    fn the_grid_is_a_share_of_the_time_and_unknown_is_not_lost() {
        let mut sampler = Sampler::default();
        for (second, state) in [(1, GridState::Good), (2, GridState::Lost), (3, GridState::Unknown)] {
            let mut seen = known(1.0, second);
            seen.grid.state = state;
            sampler.look(&seen, at(second));
        }
        assert_eq!(sampler.end(0, &known(1.0, 3), at(3)).grid_there, Some(0.5));
        assert_eq!(sampler.end(0, &known(1.0, 3), at(3)).grid_there, None);
    }
}
