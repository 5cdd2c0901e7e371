//! What the battery will do until tomorrow morning, and which time windows would be good. Pure but for `keeper`, the hub's part in
//! it. Nothing is ever written to an inverter from here.

mod advice;
mod battery;
mod keeper;
mod sky;
#[cfg(test)]
mod tests;
mod usual;

pub use keeper::Planning;
pub(in crate::hub) use keeper::{Made, PlanHub};
pub use sky::Place;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::model::power::Sample;
use crate::model::sun::{Plan, PlanTime, in_window, losses};

/// What a kWh from the grid costs at a time of day.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TariffWindow {
    /// From this minute of the day.
    pub from: u16,
    /// Until this one; past midnight where it is the earlier one.
    pub to: u16,
    /// A kWh, in whatever coin.
    pub price: f64,
}

impl TariffWindow {
    /// Whether a minute of the day lies in it.
    pub(super) const fn holds(&self, minute: u16) -> bool {
        in_window(self.from, self.to, minute)
    }
}

/// A battery as it stands.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Battery {
    pub(super) inverter: String,
    pub(super) capacity_wh: f64,
    pub(super) soc_percent: f64,
    /// Discharging ends here. `None`: not known.
    pub(super) floor_percent: Option<f64>,
    /// Whether the grid is there. `None`: not known.
    pub(super) grid: Option<bool>,
    /// What is drawn now, in watts. `None`: not known, and as usual.
    pub(super) load_w: Option<f64>,
}

impl Battery {
    /// A limit that is not known is none: the plan goes down to 0, and says so.
    pub(super) fn floor(&self) -> f64 {
        self.floor_percent.unwrap_or(0.0)
    }
}

/// What a plan is made from.
#[derive(Clone, Debug)]
pub(super) struct Given<'a> {
    pub(super) now_ms: i64,
    pub(super) zone: &'a TimeZone,
    pub(super) battery: &'a Battery,
    /// Quarters of an hour of the last weeks.
    pub(super) samples: &'a [Sample],
    pub(super) place: Option<&'a Place>,
    pub(super) tariffs: &'a [TariffWindow],
}

/// Makes it.
///
/// # Errors
/// Why there is none: what is missing, in words.
pub(super) fn plan(given: &Given<'_>) -> Result<Plan, String> {
    let (usual, mut assumed) = usual::usual(given)?;
    if given.battery.floor_percent.is_none() {
        let name = &given.battery.inverter;
        assumed.push(format!(
            "at which charge {name} stops discharging is not known: 0 % is taken, so it will be earlier"
        ));
    }
    assumed.push(losses::assumed());
    let mut plan = battery::run(given, &usual);
    plan.assumed = assumed;
    plan.windows = advice::windows(given, &plan);
    Ok(plan)
}

/// The time of day of a moment.
pub(super) fn clock(at_ms: i64, zone: &TimeZone) -> PlanTime {
    let minute = Timestamp::from_millisecond(at_ms).map_or(0, |at| {
        let time = at.to_zoned(zone.clone()).time();
        u16::from(time.hour().unsigned_abs()) * 60 + u16::from(time.minute().unsigned_abs())
    });
    PlanTime { at_ms, minute }
}
