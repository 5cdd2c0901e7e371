//! What the hub is given of rules and parking when it starts.

use std::time::Duration;

use super::plan::Planning;
use crate::model::Axis;
use crate::model::program::RunEnergy;
use crate::model::sun::Rule;

/// Rules, and where the machine is parked.
#[derive(Clone, Debug, Default)]
pub struct SunSetup {
    /// The rules, in their order.
    pub rules: Vec<Rule>,
    /// Where the machine is parked.
    pub park: ParkPlace,
    /// What the newest runs on the real machine drew, newest first.
    pub taught: Vec<RunEnergy>,
    /// What a person says that spindle and machine draw, in watts.
    pub rated_w: Option<f64>,
    /// What a spindle start needs. `None`: nobody looks.
    pub spindle: Option<SpindleNeed>,
    /// When the sun may start a program. `None`: never.
    pub start: Option<StartSetup>,
    /// What plans of the battery are made from.
    pub planning: Planning,
}

/// When the sun may start a program that a person has marked.
#[derive(Clone, Debug, PartialEq)]
pub struct StartSetup {
    /// Watts above what the program needs, to begin with.
    pub margin_w: f64,
    /// How long there has to be enough.
    pub lasts: Duration,
    /// How long everybody is told before.
    pub countdown: Duration,
    /// A battery of that charge counts as enough sun.
    pub full_percent: Option<f64>,
    /// It may start while no screen is attached that shows the countdown.
    pub unattended: bool,
    /// The inverter, by name. `None`: the only one.
    pub inverter: Option<String>,
}

/// What has to be spare before the spindle starts.
#[derive(Clone, Debug, PartialEq)]
pub struct SpindleNeed {
    /// Watts that a start draws.
    pub surge_w: f64,
    /// Watts that the inverter can give. `None`: as it tells itself.
    pub rated_w: Option<f64>,
    /// The inverter, by name. `None`: the only one.
    pub inverter: Option<String>,
}

/// Where the machine is parked, in machine coordinates.
#[derive(Clone, Debug, PartialEq)]
pub struct ParkPlace {
    /// Height of Z in mm. `None`: the usual safe height, a little below the top of its travel.
    pub z_mm: Option<f64>,
    /// Where the other axes go once Z is up, mm or degrees. Empty: they stay.
    pub across: Vec<(Axis, f64)>,
    /// How long parking takes, for rules that compare with it.
    pub takes: Duration,
}

impl Default for ParkPlace {
    fn default() -> Self {
        Self { z_mm: None, across: Vec::new(), takes: Duration::from_secs(60) }
    }
}
