//! What the hub is given of buses and inverters when it starts.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::tz::TimeZone;
use tokio::sync::mpsc;

use super::kept::Remembered;
use super::memory::{Device, Memory};
use crate::driver::bus::{self, BusConfig, BusEvent, BusHandle, BusOrder, UnitConfig};
use crate::driver::clock::Clock;
use crate::inverter::budget::Allowance;
use crate::model::power::Saved;

/// Events of buses that may wait for the hub; a bus keeps the newest of the others itself.
const EVENTS: usize = 64;
/// The usual time of a row of the history.
const TICK: Duration = Duration::from_secs(10);

/// Buses that run already, and what is remembered of their inverters.
#[derive(Debug)]
pub struct PowerKeeping {
    /// The buses, in the order in which their events count them.
    pub buses: Vec<BusSetup>,
    /// What all of them tell.
    pub events: Option<mpsc::Receiver<BusEvent>>,
    /// Their tasks, which end with the hub.
    pub handles: Vec<BusHandle>,
    /// What is remembered, by the name of the inverter.
    pub remembered: BTreeMap<String, Memory>,
    /// What people saved, by the name of the inverter.
    pub saved: BTreeMap<String, Vec<Saved>>,
    /// How often a setting may be written.
    pub allowance: Allowance,
    /// Time of one row of the history.
    pub tick: Duration,
    /// Where days begin.
    pub zone: TimeZone,
}

impl Default for PowerKeeping {
    fn default() -> Self {
        Self {
            buses: Vec::new(),
            events: None,
            handles: Vec::new(),
            remembered: BTreeMap::new(),
            saved: BTreeMap::new(),
            allowance: Allowance::default(),
            tick: TICK,
            zone: TimeZone::UTC,
        }
    }
}

impl PowerKeeping {
    /// Starts buses whose inverters are known from earlier times. To be called in the runtime.
    #[must_use]
    pub fn start(mut self, plans: Vec<BusPlan>, (remembered, saved): Remembered, clock: Clock) -> Self {
        let (tell, events) = mpsc::channel(EVENTS);
        for (bus, plan) in plans.into_iter().enumerate() {
            let BusPlan { mut config, simulated, units } = plan;
            for unit in &mut config.units {
                if let Some(memory) = remembered.get(&unit.name) {
                    memory.device.put_into(unit);
                }
            }
            let (name, endpoint) = (config.name.clone(), config.opener.endpoint.to_string());
            let handle = bus::spawn(config, bus, clock, tell.clone());
            self.buses.push(BusSetup { name, endpoint, simulated, orders: handle.orders.clone(), units });
            self.handles.push(handle);
        }
        self.events = Some(events);
        (self.remembered, self.saved) = (remembered, saved);
        self
    }
}

impl Device {
    /// Whoever answers has to be the one that was there, and what it refuses is not asked.
    fn put_into(&self, unit: &mut UnitConfig) {
        let options = &mut unit.options;
        options.serial = options.serial.take().or_else(|| self.serial.clone());
        options.learned = self.learned.clone();
        unit.enabled = self.enabled.unwrap_or(unit.enabled);
    }
}

/// A bus that is to be started.
#[derive(Clone, Debug)]
pub struct BusPlan {
    /// How it is opened, and who is on it.
    pub config: BusConfig,
    /// Simulated inverters are on it.
    pub simulated: bool,
    /// Its inverters as people know them, in the same order.
    pub units: Vec<UnitSetup>,
}

/// One bus.
#[derive(Clone, Debug)]
pub struct BusSetup {
    /// Its name.
    pub name: String,
    /// Where it is, as configured.
    pub endpoint: String,
    /// Simulated inverters are on it.
    pub simulated: bool,
    /// Orders to it.
    pub orders: mpsc::Sender<BusOrder>,
    /// Its inverters, in the order in which it counts them.
    pub units: Vec<UnitSetup>,
}

/// One inverter.
#[derive(Clone, Debug, Default)]
pub struct UnitSetup {
    /// Its name in the configuration.
    pub name: String,
    /// Its place among all inverters of the configuration.
    pub place: usize,
    /// Its profile, by name.
    pub profile: String,
    /// Brand, for people.
    pub brand: String,
    /// Unit address of its main unit.
    pub address: u8,
    /// It is polled, unless a person said otherwise since.
    pub enabled: bool,
    /// Usable capacity of its battery.
    pub capacity_kwh: Option<f64>,
}
