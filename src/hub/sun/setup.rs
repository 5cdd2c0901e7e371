//! What the hub is given of rules and parking when it starts.

use std::time::Duration;

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
