//! What screens, rules and history read of one inverter: no brand, no register.

use serde::{Deserialize, Serialize};

use super::faults::{Fault, FaultSource};
use super::reading::{Quality, Reading};
use super::register::{Access, Danger, Table};
use super::role::Role;
use crate::model::Time;

/// Below this many watts nothing is said to flow.
const NOTHING_W: f64 = 10.0;

/// Whether the grid is there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GridState {
    /// Two sources say so.
    Good,
    /// Two sources say that it is gone.
    Lost,
    /// Not known: nothing fresh, or sources that disagree. Never a reason to move anything.
    #[default]
    Unknown,
}

impl GridState {
    /// The word for a screen.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Good => "there",
            Self::Lost => "lost",
            Self::Unknown => "unknown",
        }
    }
}

/// The grid and how its state is known.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Grid {
    /// Whether it is there.
    pub state: GridState,
    /// Since when that is known.
    pub since: Time,
    /// Volts, first phase.
    pub voltage_v: Reading<f64>,
    /// Hertz.
    pub frequency_hz: Reading<f64>,
    /// Samples looked at since start.
    pub samples: u32,
    /// 0 to 100: how many sources agree, and for how long.
    pub confidence: u8,
    /// What the sources say, in words.
    pub evidence: Vec<String>,
}

/// Where power goes, in a word instead of a sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// Out of the battery.
    Discharging,
    /// Into the battery.
    Charging,
    /// From the grid.
    Importing,
    /// Into the grid.
    Exporting,
    /// Nothing to speak of.
    Idle,
}

impl Direction {
    /// Of a battery: + = discharging.
    pub fn of_battery(watts: f64) -> Self {
        Self::choose(watts, Self::Discharging, Self::Charging)
    }

    /// Of the grid: + = importing.
    pub fn of_grid(watts: f64) -> Self {
        Self::choose(watts, Self::Importing, Self::Exporting)
    }

    fn choose(watts: f64, plus: Self, minus: Self) -> Self {
        if watts >= NOTHING_W {
            plus
        } else if watts <= -NOTHING_W {
            minus
        } else {
            Self::Idle
        }
    }

    /// The word for a screen.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Discharging => "discharging",
            Self::Charging => "charging",
            Self::Importing => "importing",
            Self::Exporting => "exporting",
            Self::Idle => "idle",
        }
    }
}

/// One inverter as it is known.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Inverter {
    /// Its name in the configuration.
    pub name: String,
    /// Its profile.
    pub profile: String,
    /// Brand, for people.
    pub brand: String,
    /// Serial number, once read.
    pub serial: Option<String>,
    /// Rated power.
    pub rated_w: Reading<f64>,
    /// State in the device's words.
    pub status: Option<String>,
    /// What flows.
    pub flow: Flow,
    /// The battery.
    pub battery: Battery,
    /// The grid.
    pub grid: Grid,
    /// Energies.
    pub energy: Energy,
    /// What is wrong, in words, worst first.
    pub faults: Vec<Fault>,
    /// The registers that would tell of something wrong.
    #[serde(default)]
    pub fault_sources: Vec<FaultSource>,
    /// What a rule can ask for and this family does not tell.
    #[serde(default)]
    pub lacks: Vec<Role>,
    /// Temperature of the inverter, °C.
    pub temperature_c: Reading<f64>,
}

/// Powers in watts: battery + = discharging, grid + = importing, PV and load ≥ 0.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Flow {
    /// All strings together.
    pub pv_w: Reading<f64>,
    /// String by string.
    pub strings: Vec<PvString>,
    /// Battery.
    pub battery_w: Reading<f64>,
    /// Grid.
    pub grid_w: Reading<f64>,
    /// Loads.
    pub load_w: Reading<f64>,
    /// Load as a share of the rated power, in percent.
    pub load_percent: Reading<f64>,
}

/// A PV string.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PvString {
    /// Counted from 1.
    pub n: u8,
    /// Watts.
    pub power_w: Reading<f64>,
    /// Volts.
    pub voltage_v: Reading<f64>,
    /// Amperes.
    pub current_a: Reading<f64>,
}

/// The battery.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Battery {
    /// State of charge, 0 to 100.
    pub soc_percent: Reading<f64>,
    /// State of health, 0 to 100.
    pub soh_percent: Reading<f64>,
    /// Volts.
    pub voltage_v: Reading<f64>,
    /// Amperes, + = discharging.
    pub current_a: Reading<f64>,
    /// Degrees Celsius.
    pub temperature_c: Reading<f64>,
    /// Discharging ends here, in percent.
    pub soc_min_percent: Reading<f64>,
    /// Charging ends here, in percent.
    pub soc_max_percent: Reading<f64>,
    /// Most amperes that its own management lets in.
    pub charge_limit_a: Reading<f64>,
    /// Most amperes that its own management lets out.
    pub discharge_limit_a: Reading<f64>,
}

impl Battery {
    /// Minutes until it is empty down to its limit at this discharge power, or `None`: it is not discharging, or
    /// something needed for that is not known now. `capacity_kwh` is its whole capacity.
    pub fn minutes_left(&self, discharge_w: Reading<f64>, capacity_kwh: f64, now: Time) -> Option<f64> {
        let watts = discharge_w.fresh(now).filter(|watts| *watts >= NOTHING_W)?;
        let soc = self.soc_percent.fresh(now)?;
        // A limit that is not known is no limit of 0: without it the battery is not counted on.
        let floor = self.soc_min_percent.shown(now)?;
        let kwh = capacity_kwh * (soc - floor).max(0.0) / 100.0;
        Some(kwh * 1000.0 / watts * 60.0)
    }
}

/// Energies in kWh.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Energy {
    /// Of the day.
    pub day: EnergyRow,
    /// Ever.
    pub total: EnergyRow,
}

/// Counters in kWh.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct EnergyRow {
    /// From the sun.
    pub pv: Reading<f64>,
    /// Used.
    pub load: Reading<f64>,
    /// From the grid.
    pub import: Reading<f64>,
    /// Into the grid.
    pub export: Reading<f64>,
    /// Into the battery.
    pub charge: Reading<f64>,
    /// Out of the battery.
    pub discharge: Reading<f64>,
}

/// A register as the register browser shows it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RegisterRow {
    /// Its id.
    pub id: String,
    /// Addresses of its words.
    pub addresses: Vec<u16>,
    /// Its table.
    pub table: Table,
    /// The words as last read.
    pub raw: Vec<u16>,
    /// Value in words, with unit. `None`: there is none.
    pub shown: Option<String>,
    /// Age and quality; the value is the number, where it is one.
    pub reading: Reading<f64>,
    /// Who may change it.
    pub access: Access,
    /// What a wrong value can do.
    pub danger: Danger,
    /// What a person should know.
    pub note: String,
}

impl RegisterRow {
    /// How far it can be believed now; words and bits are as much a value as a number is.
    pub fn quality(&self, now: Time) -> Quality {
        let value = self.reading.value.or_else(|| self.shown.as_ref().map(|_| 0.0));
        Reading { value, ..self.reading }.quality(now)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn reading(value: f64) -> Reading<f64> {
        Reading::new(value, Time::ZERO, Duration::from_secs(1))
    }

    #[test]
    fn words_are_as_fresh_as_numbers_and_nothing_is_absent() {
        let reading = Reading { value: None, ..reading(0.0) };
        let row = |shown: Option<&str>| RegisterRow {
            id: "serial".into(),
            addresses: vec![6672],
            table: Table::Holding,
            raw: Vec::new(),
            shown: shown.map(str::to_owned),
            reading,
            access: Access::ReadOnly,
            danger: Danger::Normal,
            note: String::new(),
        };
        let quality = |shown, second: u64| row(shown).quality(Time::from_millis(second * 1000));
        assert_eq!((quality(Some("SE1"), 1), quality(Some("SE1"), 5)), (Quality::Fresh, Quality::Stale));
        assert_eq!((quality(None, 1), quality(Some("SE1"), 60)), (Quality::Absent, Quality::Lost));
    }

    #[test]
    fn directions_are_words() {
        assert_eq!(Direction::of_battery(500.0).word(), "discharging");
        assert_eq!(Direction::of_battery(-500.0).word(), "charging");
        assert_eq!(Direction::of_grid(500.0).word(), "importing");
        assert_eq!(Direction::of_grid(-500.0).word(), "exporting");
        assert_eq!(Direction::of_grid(-9.0).word(), "idle");
    }

    #[test]
    fn minutes_are_left_down_to_the_limit_and_only_when_all_is_known() {
        let battery = Battery { soc_percent: reading(60.0), soc_min_percent: reading(20.0), ..Battery::default() };
        // 40 % of 10 kWh at 2 kW.
        assert_eq!(battery.minutes_left(reading(2000.0), 10.0, Time::ZERO), Some(120.0));
        assert_eq!(battery.minutes_left(reading(-2000.0), 10.0, Time::ZERO), None);
        assert_eq!(battery.minutes_left(reading(2000.0), 10.0, Time::from_millis(60_000)), None);
        let unlimited = Battery { soc_min_percent: Reading::default(), ..battery };
        assert_eq!(unlimited.minutes_left(reading(2000.0), 10.0, Time::ZERO), None);
    }
}
