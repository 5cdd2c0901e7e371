//! What an estimate knows of the machine.

use super::PerAxis;
use crate::model::axes::{Axis, AxisVec, MAX_AXES};
use crate::model::machine::{Identity, Limits};
use crate::model::settings::SettingsTable;

/// Rate taken where none is known: mm/min, deg/min.
const RATE_MM_MIN: f64 = 3000.0;
/// Acceleration taken where none is known: mm/s², deg/s².
const ACCEL_MM_S2: f64 = 200.0;
/// The firmwares' default of `$11` (Grbl `defaults.h`, FluidNC `junction_deviation_mm`).
const JUNCTION_DEVIATION_MM: f64 = 0.01;
/// The firmwares' default of `$12` (FluidNC `arc_tolerance_mm`).
const ARC_TOLERANCE_MM: f64 = 0.002;
/// Blocks that Grbl and FluidNC queue: 16, one of them always free.
const PLANNER_BLOCKS: u16 = 15;

/// Rates, accelerations and what else decides how fast a machine goes.
#[derive(Clone, Debug, PartialEq)]
pub struct EstimateModel {
    /// Inverse of each axis' highest rate, s/mm.
    pub(super) per_rate: PerAxis,
    /// Inverse of each axis' acceleration, s²/mm.
    pub(super) per_accel: PerAxis,
    /// `$11`, mm.
    pub junction_deviation_mm: f64,
    /// `$12`, mm.
    pub arc_tolerance_mm: f64,
    /// Blocks that the controller looks ahead.
    pub planner_blocks: usize,
    /// What is not known and was taken instead, in words; empty: all is the machine's own.
    pub assumed: Vec<String>,
}

impl Default for EstimateModel {
    fn default() -> Self {
        Self::of(None, None, None)
    }
}

impl EstimateModel {
    /// Of a machine, as far as it is known. What is not known is taken as for a small mill and told in
    /// [`assumed`](Self::assumed).
    pub fn of(limits: Option<&Limits>, settings: Option<&SettingsTable>, identity: Option<&Identity>) -> Self {
        let mut assumed = Vec::new();
        let rates = limits.map(|limits| &limits.max_rate_mm_min);
        let per_rate = inverse(rates, RATE_MM_MIN, 60.0, |axes| {
            assumed.push(format!("rate of {axes} not known: {RATE_MM_MIN} mm/min taken"));
        });
        let accelerations = limits.map(|limits| &limits.acceleration_mm_s2);
        let per_accel = inverse(accelerations, ACCEL_MM_S2, 1.0, |axes| {
            assumed.push(format!("acceleration of {axes} not known: {ACCEL_MM_S2} mm/s/s taken"));
        });
        let mut setting = |number: &str, name: &str, default: f64| {
            let told = settings.and_then(|table| positive(table, number, name));
            told.unwrap_or_else(|| {
                assumed.push(format!("{} not known: {default} mm taken", name.replace('_', " ")));
                default
            })
        };
        let junction_deviation_mm = setting("11", "junction_deviation", JUNCTION_DEVIATION_MM);
        let arc_tolerance_mm = setting("12", "arc_tolerance", ARC_TOLERANCE_MM);
        let planner_blocks = identity.and_then(|identity| identity.planner_blocks).unwrap_or(PLANNER_BLOCKS);
        Self {
            per_rate,
            per_accel,
            junction_deviation_mm,
            arc_tolerance_mm,
            planner_blocks: usize::from(planner_blocks),
            assumed,
        }
    }
}

/// `$number`, or FluidNC's item `…/name_mm`; above 0.
fn positive(table: &SettingsTable, number: &str, name: &str) -> Option<f64> {
    let end = format!("/{name}_mm");
    let row = table.find(number).or_else(|| table.rows.iter().find(|row| row.key.ends_with(&end)))?;
    row.value.trim().parse().ok().filter(|value: &f64| value.is_finite() && *value > 0.0)
}

/// Inverse of a value per axis, in seconds. The axes that a machine has and that are not known go to `missing`; those
/// that it does not have do not matter.
fn inverse(values: Option<&AxisVec>, default: f64, per_second: f64, missing: impl FnOnce(String)) -> PerAxis {
    let known = |axis| values.and_then(|values| values.get(axis)).filter(|value| value.is_finite() && *value > 0.0);
    let has = |axis: Axis| values.is_none_or(|values| values.is_empty() || axis.index() < values.len());
    let axes = || (0..MAX_AXES).filter_map(Axis::from_index);
    let unknown: String = axes().filter(|axis| has(*axis) && known(*axis).is_none()).map(Axis::letter).collect();
    match unknown.len() {
        0 => {}
        MAX_AXES => missing("all axes".to_owned()),
        _ => missing(unknown),
    }
    let mut inverse = [per_second / default; MAX_AXES];
    for axis in axes() {
        inverse[axis.index()] = per_second / known(axis).unwrap_or(default);
    }
    inverse
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::settings::{Access, Kind, Setting};

    fn table(rows: &[(&str, &str)]) -> SettingsTable {
        let row = |(key, value): &(&str, &str)| Setting {
            key: (*key).to_owned(),
            value: (*value).to_owned(),
            name: String::new(),
            unit: String::new(),
            meaning: String::new(),
            caution: String::new(),
            group: String::new(),
            kind: Kind::Text,
            access: Access::Stored,
            needs_restart: false,
        };
        SettingsTable { rows: rows.iter().map(row).collect(), complete: true }
    }

    #[test]
    fn what_the_machine_tells_is_taken() {
        let limits = Limits {
            max_rate_mm_min: AxisVec::from_slice(&[6000.0, 1200.0, 600.0]),
            acceleration_mm_s2: AxisVec::from_slice(&[500.0, 250.0, 100.0]),
            ..Limits::default()
        };
        for settings in [
            table(&[("11", "0.020"), ("12", "0.005")]),
            table(&[("/junction_deviation_mm", "0.020"), ("/arc_tolerance_mm", "0.005")]),
        ] {
            let model = EstimateModel::of(Some(&limits), Some(&settings), None);
            assert_eq!(model.assumed, Vec::<String>::new());
            assert_eq!(model.per_rate[..3], [0.01, 0.05, 0.1]);
            assert_eq!(model.per_accel[..3], [0.002, 0.004, 0.01]);
            assert_eq!((model.junction_deviation_mm, model.arc_tolerance_mm), (0.02, 0.005));
        }
    }

    #[test]
    fn what_it_does_not_tell_is_said() {
        let limits = Limits {
            max_rate_mm_min: AxisVec::from_slice(&[6000.0, 0.0, f64::NAN]),
            acceleration_mm_s2: AxisVec::from_slice(&[500.0, 250.0, 100.0]),
            ..Limits::default()
        };
        let model = EstimateModel::of(Some(&limits), Some(&table(&[("11", "0"), ("12", "x")])), None);
        assert_eq!(
            model.assumed,
            [
                "rate of YZ not known: 3000 mm/min taken",
                "junction deviation not known: 0.01 mm taken",
                "arc tolerance not known: 0.002 mm taken",
            ]
        );
        let nothing = EstimateModel::default();
        assert!(nothing.assumed[0].contains("all axes"), "{:?}", nothing.assumed);
        assert_eq!(nothing.assumed.len(), 4);
    }
}
