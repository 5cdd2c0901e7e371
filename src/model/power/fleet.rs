//! All inverters, and the buses they are on.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::setting::WriteReport;
use super::state::Inverter;
use super::{Flow, Reading};
use crate::model::Time;

/// What is known of the power that feeds the workshop.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Power {
    /// The inverters, in the order of the configuration.
    pub inverters: Vec<Arc<Unit>>,
    /// The buses, in the order of their first inverter.
    pub buses: Vec<Arc<Bus>>,
    /// Dangerous settings may be written until then. `None`: they may not.
    pub armed_until: Option<Time>,
}

impl Power {
    /// An inverter by its name.
    pub fn find(&self, name: &str) -> Option<&Arc<Unit>> {
        self.inverters.iter().find(|unit| unit.known.name == name)
    }

    /// The same, for who has named it.
    ///
    /// # Errors
    /// There is none, and which there are.
    pub fn named(&self, name: &str) -> Result<&Arc<Unit>, String> {
        self.find(name).ok_or_else(|| {
            let names: Vec<&str> = self.inverters.iter().map(|unit| unit.known.name.as_str()).collect();
            format!("there is no inverter {name:?}; there is {}", names.join(", "))
        })
    }

    /// Dangerous settings may be written now.
    pub fn is_armed(&self, now: Time) -> bool {
        self.armed_until.is_some_and(|until| until > now)
    }

    /// What flows in all inverters that are switched on together. A sum is as old as the oldest of its parts, and there
    /// is none where a part is not known: nothing is never counted as 0.
    pub fn total(&self) -> Flow {
        let flows = || self.inverters.iter().filter(|unit| unit.enabled).map(|unit| &unit.known.flow);
        let sum = |part: fn(&Flow) -> Reading<f64>| Reading::sum(flows().map(part));
        Flow {
            pv_w: sum(|flow| flow.pv_w),
            strings: Vec::new(),
            battery_w: sum(|flow| flow.battery_w),
            grid_w: sum(|flow| flow.grid_w),
            load_w: sum(|flow| flow.load_w),
            load_percent: Reading::default(),
        }
    }
}

/// One configured inverter: what it measures, and how it can be reached.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Unit {
    /// What it measures; `known.name` is its name.
    pub known: Inverter,
    /// The bus it is on, by name.
    pub bus: String,
    /// Unit address of its main unit.
    pub address: u8,
    /// It is a simulated one: always labelled `SIM`.
    pub simulated: bool,
    /// It is polled; a person can switch that off.
    pub enabled: bool,
    /// Whether it answers.
    pub state: UnitState,
    /// Why nothing is written to it now. `None`: it may be.
    pub read_only: Option<String>,
    /// Another device answers, or the profile does not seem to fit: a person may confirm that it is the right one.
    pub to_confirm: Option<String>,
    /// Usable capacity of its battery, from the configuration.
    pub capacity_kwh: Option<f64>,
    /// Registers that the device refuses to tell, by id; asked again every five minutes.
    pub quarantined: Vec<String>,
    /// A set of settings is on its way to it.
    pub writing: bool,
    /// What became of the last set of settings, since start.
    pub last_write: Option<Arc<WriteReport>>,
    /// Settings that are not what a person saved: id to (saved, actual), in words.
    pub drift: BTreeMap<String, Drift>,
}

impl Unit {
    /// Minutes until its battery is empty down to its limit at the present load.
    pub fn minutes_left(&self, now: Time) -> Option<f64> {
        self.known.battery.minutes_left(self.known.flow.battery_w, self.capacity_kwh?, now)
    }
}

/// Whether an inverter answers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UnitState {
    /// Nothing heard yet: its bus is being opened, or it is asked who it is.
    #[default]
    Waiting,
    /// It answers.
    Answers,
    /// It does not answer.
    Silent {
        /// Since when.
        since: Time,
        /// What that can mean and what to do.
        why: String,
    },
    /// A person switched it off.
    Off,
}

/// A setting that is not what a person saved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Drift {
    /// What was saved.
    pub saved: String,
    /// What the inverter says.
    pub actual: String,
}

/// A serial line or a socket with the inverters on it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Bus {
    /// Its name.
    pub name: String,
    /// Where it is, as configured.
    pub endpoint: String,
    /// Simulated inverters are on it.
    pub simulated: bool,
    /// How it stands.
    pub state: BusState,
    /// Counters since start.
    pub counters: BusCounters,
    /// How long the last round of the safety class took.
    pub round: Option<Duration>,
    /// What is wrong with the wire and what to do: somebody else seems to ask on it, or answers come damaged.
    pub wire_trouble: Option<String>,
}

/// How a bus stands.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BusState {
    /// It was not opened yet.
    #[default]
    Opening,
    /// It is open.
    Open,
    /// Nothing is sent until it was silent for long enough and a known register was read again.
    Quiet {
        /// What happened.
        why: String,
    },
    /// It cannot be opened, or was lost.
    Down {
        /// What happened and what to do about it.
        why: String,
        /// Tries since it was last open.
        attempt: u32,
        /// When it is tried next.
        retry_at: Time,
    },
}

/// Counters of a bus since start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BusCounters {
    /// Requests that were sent.
    pub requests: u64,
    /// Good answers.
    pub replies: u64,
    /// Exceptions that devices answered with.
    pub exceptions: u64,
    /// Requests that nobody answered in time.
    pub timeouts: u64,
    /// Answers whose check sum (CRC) was wrong.
    pub crc_errors: u64,
    /// Answers that ended too early.
    pub cut_short: u64,
    /// Whole answers that did not fit their request: unit, function, length, echo.
    pub desyncs: u64,
    /// Bytes that belong to no answer.
    pub stray_bytes: u64,
    /// Times the port or the connection was opened.
    pub opens: u64,
    /// Mean time of a good answer, in microseconds.
    pub mean_us: u64,
    /// The longest of them, in microseconds.
    pub slowest_us: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unit(name: &str, load: Reading<f64>) -> Arc<Unit> {
        let flow = Flow { load_w: load, ..Flow::default() };
        let known = Inverter { name: name.to_owned(), flow, ..Inverter::default() };
        Arc::new(Unit { known, enabled: true, ..Unit::default() })
    }

    #[test]
    fn a_total_is_as_old_as_its_oldest_part_and_never_without_one() {
        let second = Duration::from_secs(1);
        let old = Reading::new(100.0, Time::from_millis(1000), second);
        let young = Reading::new(50.0, Time::from_millis(5000), second);
        let mut power = Power { inverters: vec![unit("a", old), unit("b", young)], ..Power::default() };
        let total = power.total().load_w;
        assert_eq!((total.value, total.at), (Some(150.0), Some(Time::from_millis(1000))));
        assert_eq!(total.fresh(Time::from_millis(5000)), None);
        power.inverters.push(unit("c", Reading::default()));
        assert_eq!(power.total().load_w.value, None);
        assert_eq!(Power::default().total().load_w.value, None);
    }

    #[test]
    fn armed_for_a_time() {
        let power = Power { armed_until: Some(Time::from_millis(1000)), ..Power::default() };
        assert!(power.is_armed(Time::from_millis(999)) && !power.is_armed(Time::from_millis(1000)));
    }
}
