//! How power went: what the store keeps, and what charts show.

use serde::{Deserialize, Serialize};

/// One row of the history: the means over its time, of one inverter. `None`: not known at that time, which is not 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Sample {
    /// Beginning of its time, in ms of Unix time.
    pub at_ms: i64,
    /// Sun, in watts.
    pub pv_w: Option<f32>,
    /// Battery, + = discharging.
    pub battery_w: Option<f32>,
    /// Grid, + = importing.
    pub grid_w: Option<f32>,
    /// Loads.
    pub load_w: Option<f32>,
    /// State of charge, 0 to 100.
    pub soc_percent: Option<f32>,
    /// Battery voltage.
    pub battery_v: Option<f32>,
    /// Grid voltage, first phase.
    pub grid_v: Option<f32>,
    /// Grid frequency.
    pub grid_hz: Option<f32>,
    /// Temperature of the inverter.
    pub inverter_c: Option<f32>,
    /// Temperature of the battery.
    pub battery_c: Option<f32>,
    /// 1: there, 0: lost; means lie between.
    pub grid_there: Option<f32>,
}

/// How finely the history is asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Grain {
    /// As written, every few seconds; kept for 48 hours unless configured otherwise.
    Raw,
    /// A minute; kept for 31 days.
    #[default]
    Minute,
    /// A quarter of an hour; kept for two years.
    Quarter,
    /// A day; kept for ever.
    Day,
}

/// Energies of an hour or a day in kWh. `None`: not known at all, or not counted by any of them, which is not 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct EnergyBar {
    /// Beginning of its time, in ms of Unix time.
    pub at_ms: i64,
    /// From the sun.
    pub pv: Option<f64>,
    /// Used.
    pub load: Option<f64>,
    /// From the grid.
    pub import: Option<f64>,
    /// Into the grid.
    pub export: Option<f64>,
    /// Into the battery.
    pub charge: Option<f64>,
    /// Out of the battery.
    pub discharge: Option<f64>,
    /// For how much of its time there is history, 0 to 1: below 1 the energies are at least these.
    pub known: f64,
}
