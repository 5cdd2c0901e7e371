//! What a battery will do until tomorrow morning, and which time windows would be good. Advice: nothing of it is ever written.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A time of day of the hub's time zone, with the moment that is meant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanTime {
    /// In ms of Unix time.
    pub at_ms: i64,
    /// In minutes since midnight, by the clock on the wall.
    pub minute: u16,
}

impl fmt::Display for PlanTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&day_time(self.minute))
    }
}

/// `06:30`, of minutes since midnight.
pub fn day_time(minute: u16) -> String {
    format!("{:02}:{:02}", minute / 60, minute % 60)
}

/// Whether a minute of the day lies in a window; one that ends before it begins goes over midnight.
pub const fn in_window(from: u16, to: u16, minute: u16) -> bool {
    if from <= to { from <= minute && minute < to } else { from <= minute || minute < to }
}

/// An hour of the plan, or what is left of the first one.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct PlanHour {
    /// When it begins.
    pub from: PlanTime,
    /// Sun, in watts.
    pub pv_w: f64,
    /// Loads.
    pub load_w: f64,
    /// From the grid, or what is missing where there is none.
    pub grid_w: f64,
    /// Sun that neither loads nor battery can take.
    pub spare_w: f64,
    /// Charge at its end, 0 to 100.
    pub soc_percent: f64,
}

impl PlanHour {
    /// What so many watts are until its end, in Wh: the first one has begun already.
    pub fn wh(&self, watts: f64) -> f64 {
        watts * f64::from(60 - self.from.minute % 60) / 60.0
    }
}

/// What a window would be for.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PlanWindowKind {
    /// Charge from the grid, up to this charge.
    Charge {
        /// Percent.
        to_percent: f64,
    },
    /// Keep what is in the battery for later: the grid carries the loads.
    Keep,
}

/// A window that would be set.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PlanWindow {
    /// From.
    pub from: PlanTime,
    /// Until.
    pub to: PlanTime,
    /// What for.
    pub kind: PlanWindowKind,
    /// Why, in words.
    pub why: String,
}

impl PlanWindow {
    /// What would be set, in words.
    pub fn words(&self) -> String {
        let Self { from, to, .. } = self;
        match self.kind {
            PlanWindowKind::Charge { to_percent } => {
                format!("{from} to {to}: charge from the grid up to {to_percent:.0} %")
            }
            PlanWindowKind::Keep => format!("{from} to {to}: keep the battery, let the grid carry the loads"),
        }
    }
}

/// The plan.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// The inverter.
    pub inverter: String,
    /// When it was made.
    pub made: PlanTime,
    /// Charge then, 0 to 100.
    pub soc_percent: f64,
    /// The charge at which the inverter stops discharging.
    pub floor_percent: f64,
    /// Hour by hour, until tomorrow morning.
    pub hours: Vec<PlanHour>,
    /// When the battery is full for the first time.
    pub full: Option<PlanTime>,
    /// When it comes to its limit for the first time.
    pub empty: Option<PlanTime>,
    /// What would be set, in the order of the day.
    pub windows: Vec<PlanWindow>,
    /// What it rests on, in words.
    pub assumed: Vec<String>,
}

impl Plan {
    /// What will be, in a sentence.
    pub fn summary(&self) -> String {
        let mut parts = vec![format!("{:.0} % now", self.soc_percent)];
        parts.extend(self.full.map(|at| format!("full at {at}")));
        match self.empty {
            Some(at) => parts.push(format!("at its limit of {:.0} % at {at}", self.floor_percent)),
            None => parts.push("never at its limit".to_owned()),
        }
        if let Some(last) = self.hours.last() {
            let end = (last.from.minute + 60) % (24 * 60);
            parts.push(format!("{:.0} % at {}", last.soc_percent, day_time(end)));
        }
        let spare: f64 = self.hours.iter().map(|hour| hour.wh(hour.spare_w) / 1000.0).sum();
        if spare >= 0.5 {
            parts.push(format!("about {spare:.1} kWh of sun more than it can take"));
        }
        parts.join(", ")
    }

    /// The charge at the end of each hour, as many as fit into so many.
    pub fn charges(&self, most: usize) -> String {
        let every = self.hours.len().div_ceil(most.max(1)).max(1);
        let shown = self.hours.iter().enumerate().filter(|(at, _)| (at + 1) % every == 0);
        let words = shown.map(|(_, hour)| {
            let end = (hour.from.minute / 60 + 1) % 24;
            format!("{end:02}h {:.0}%", hour.soc_percent)
        });
        words.collect::<Vec<_>>().join("  ")
    }
}
