//! When something on a screen changes by time alone.

use std::time::Duration;

use crate::model::Time;
use crate::model::power::{BusState, Power, Quality, Reading, Unit};

/// When the words for a reading change although nothing is read. `None`: they do not.
pub fn next_change(reading: &Reading<f64>, now: Time) -> Option<Time> {
    let at = reading.at?;
    let just_after = |periods: u32| Some(at + reading.period?.saturating_mul(periods) + Duration::from_micros(1));
    match reading.quality(now) {
        Quality::Fresh => just_after(3),
        Quality::Stale => {
            let age = now.since(at);
            let step = Duration::from_secs(if age < Duration::from_secs(60) { 1 } else { 60 });
            let steps = (age.as_micros() / step.as_micros() + 1) as u32;
            just_after(10).map(|lost| lost.min(at + step.saturating_mul(steps)))
        }
        _ => None,
    }
}

/// What is told of an inverter on most screens.
fn told(unit: &Unit) -> [&Reading<f64>; 8] {
    let known = &unit.known;
    [
        &known.flow.pv_w,
        &known.flow.battery_w,
        &known.flow.grid_w,
        &known.flow.load_w,
        &known.battery.soc_percent,
        &known.battery.soc_min_percent,
        &known.grid.voltage_v,
        &known.grid.frequency_hz,
    ]
}

/// The next change by time of anything told of inverters; `open`: their own tab is open.
pub(super) fn next(power: &Power, open: bool, now: Time) -> Option<Time> {
    let readings = power.inverters.iter().filter(|unit| unit.enabled).flat_map(|unit| told(unit));
    let ages = readings.filter_map(|reading| next_change(reading, now));
    let armed = power.armed_until.filter(|until| open && *until > now).map(|until| next_second(until, now));
    let retries = power.buses.iter().filter(|_| open).filter_map(|bus| match bus.state {
        BusState::Down { retry_at, .. } if retry_at > now => Some(next_second(retry_at, now)),
        _ => None,
    });
    ages.chain(armed).chain(retries).min()
}

/// Whole seconds until `end`, rounded up.
pub fn seconds_to(end: Time, now: Time) -> u64 {
    end.since(now).as_millis().div_ceil(1000) as u64
}

/// When the whole seconds until `end` become one less.
fn next_second(end: Time, now: Time) -> Time {
    end - Duration::from_secs(seconds_to(end, now).saturating_sub(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_change_lies_ahead_and_the_words_differ_there() {
        let reading = Reading::new(5.0, Time::from_millis(1000), Duration::from_secs(5));
        let (mut now, mut told) = (Time::from_millis(1000), 0);
        while let Some(next) = next_change(&reading, now) {
            assert!(next > now, "{next:?} after {now:?}");
            (now, told) = (next, told + 1);
        }
        assert_eq!(reading.quality(now), Quality::Lost);
        assert_eq!(told, 37, "stale after 15 s, each second until 50 s, lost");
    }
}
