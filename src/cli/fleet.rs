//! Buses and inverters of the configuration, made ready for their tasks; and the simulated one where nothing is configured.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::own_profiles::{Known, Profiles};
use super::settings::Settings;
use super::sim_fleet::in_process;
use crate::config::{self, Bus, Inverter};
use crate::driver::bus::{BusConfig, BusEndpoint, BusOpener, Family, UnitConfig};
use crate::driver::transport::{SerialLine, lock_dir};
use crate::hub::power::{BusPlan, UnitSetup};
use crate::inverter::poller::Options;
use crate::inverter::profile::{Parity, Profile};
use crate::model::{BusPort, Endpoint};
use crate::sim::serve::Outlet;

/// The unit address of SunSpec devices that none is configured for.
const SUNSPEC_UNIT: u8 = 126;
/// Name of the simulated inverter and of its bus.
const SIMULATED: &str = "simulated";
/// What it is.
const SIMULATED_PROFILE: &str = "senergy_hybrid";
/// What its battery holds, kWh.
const SIMULATED_KWH: f64 = 7.68;
/// Baud rate of a serial line none of whose profiles can be read.
const USUAL_BAUD: u32 = 9600;

/// All of them.
#[derive(Debug, Default)]
pub(super) struct Fleet {
    /// Buses with at least one inverter, in the order of the configuration.
    pub(super) buses: Vec<BusPlan>,
    /// What a person should know, a line each: a profile of their own in place of one that comes with sunmill.
    pub(super) notices: Vec<String>,
}

impl Fleet {
    /// Names of its inverters.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.buses.iter().flat_map(|bus| &bus.units).map(|unit| unit.name.as_str())
    }

    /// Inverters that cannot be used, each with its reason.
    pub(super) fn unusable(&self) -> Vec<(&str, &str)> {
        let units = self.buses.iter().flat_map(|bus| &bus.config.units);
        units
            .filter_map(|unit| match &unit.family {
                Family::Unusable(why) => Some((unit.name.as_str(), why.as_str())),
                _ => None,
            })
            .collect()
    }

    /// The same with simulated inverters in this process where a bus has those. The first of them feeds the simulated machine, where
    /// one is plugged in at `outlet`. To be called in the runtime; reads files.
    pub(super) fn with_simulated(mut self, state: Option<&Path>, mut outlet: Option<Outlet>) -> Vec<BusPlan> {
        for bus in self.buses.iter_mut().filter(|bus| bus.simulated) {
            bus.config.opener.in_process = Some(in_process(bus, state, outlet.take()));
        }
        self.buses
    }
}

/// The fleet that is configured. Where neither an inverter nor a machine is, one simulated inverter; with a machine and without an
/// inverter, none. Reads the files of one's own profiles.
pub(super) fn fleet(settings: &Settings) -> Fleet {
    let config = &settings.config;
    if config.inverter.is_empty() {
        let nothing = config.machine.port.is_none() && settings.endpoint == Endpoint::Sim;
        return if nothing { simulated(settings) } else { Fleet::default() };
    }
    let profiles = Profiles::load(settings.profile_folder.as_deref());
    let of_bus = |bus: &Bus| {
        let inverters = config.inverter.iter().enumerate().filter(|(_, inverter)| inverter.bus == bus.name);
        plan(settings, bus, inverters, &profiles)
    };
    let buses = config.bus.iter().filter_map(of_bus).collect();
    Fleet { buses, notices: profiles.notices }
}

/// A bus with its inverters, each with its place among all of them. `None`: it has none.
fn plan<'a>(
    settings: &Settings,
    bus: &Bus,
    inverters: impl Iterator<Item = (usize, &'a Inverter)>,
    profiles: &Profiles,
) -> Option<BusPlan> {
    let mut known: Vec<UnitSetup> = Vec::new();
    let mut units: Vec<UnitConfig> = Vec::new();
    for (place, inverter) in inverters {
        let (setup, mut config) = unit(place, inverter, bus, profiles.find(&inverter.profile));
        let same = |(other, config): &(&UnitSetup, &UnitConfig)| {
            other.address == setup.address && !matches!(config.family, Family::Unusable(_))
        };
        if let Some((other, _)) = known.iter().zip(&units).find(same) {
            let (address, bus, name) = (setup.address, &bus.name, &other.name);
            let why = format!("unit {address} on bus {bus:?} is {name:?} already: set unit to its own address");
            config.family = Family::Unusable(why);
        }
        known.push(setup);
        units.push(config);
    }
    if units.is_empty() {
        return None;
    }
    let line = line(bus, &units);
    for unit in &mut units {
        unit.options.baud = line.map(|line| line.baud);
    }
    let endpoint = endpoint(settings.bus_port(&bus.port), line);
    let opener = BusOpener { endpoint, lock_dir: lock_dir(settings.runtime_dir.clone()), in_process: None };
    let config = BusConfig { name: bus.name.clone(), opener, units };
    Some(BusPlan { config, simulated: bus.port == BusPort::Sim, units: known })
}

/// The one that is shown where nothing is configured.
fn simulated(settings: &Settings) -> Fleet {
    let inverter = Inverter {
        name: SIMULATED.to_owned(),
        bus: SIMULATED.to_owned(),
        profile: SIMULATED_PROFILE.to_owned(),
        unit: None,
        services: BTreeMap::new(),
        serial: None,
        capacity_kwh: Some(SIMULATED_KWH),
        enabled: true,
        nominal_v: 230.0,
    };
    let bus = Bus {
        name: SIMULATED.to_owned(),
        port: BusPort::Sim,
        baud: None,
        parity: None,
        stop_bits: None,
        timeout_ms: None,
        spacing_ms: None,
    };
    let plan = plan(settings, &bus, std::iter::once((0, &inverter)), &Profiles::default());
    Fleet { buses: plan.into_iter().collect(), notices: Vec::new() }
}

/// An inverter as people know it, and as its bus does.
fn unit(place: usize, inverter: &Inverter, bus: &Bus, known: Known) -> (UnitSetup, UnitConfig) {
    let mut setup = UnitSetup {
        name: inverter.name.clone(),
        place,
        profile: inverter.profile.clone(),
        brand: String::new(),
        address: inverter.unit.unwrap_or(SUNSPEC_UNIT),
        enabled: inverter.enabled,
        capacity_kwh: inverter.capacity_kwh,
    };
    let family = match known {
        Known::Not(why) => Family::Unusable(why),
        Known::SunSpec => {
            "SunSpec".clone_into(&mut setup.brand);
            Family::SunSpec
        }
        Known::Profile(profile) => {
            setup.address = inverter.unit.unwrap_or(profile.link.unit);
            setup.profile.clone_from(&profile.name);
            setup.brand.clone_from(&profile.brand);
            match no_service(inverter, &profile) {
                Some(why) => Family::Unusable(why),
                None => Family::Profile(timed(profile, bus)),
            }
        }
    };
    let options = Options {
        unit: inverter.unit,
        services: inverter.services.clone(),
        serial: inverter.serial.clone(),
        ..Options::default()
    };
    let (name, enabled, nominal_v) = (inverter.name.clone(), inverter.enabled, inverter.nominal_v);
    (setup, UnitConfig { name, family, options, enabled, nominal_v })
}

fn no_service(inverter: &Inverter, profile: &Profile) -> Option<String> {
    let known = |name: &str| profile.link.services.iter().any(|service| service.name == name);
    let unknown = inverter.services.keys().find(|name| !known(name))?;
    let names: Vec<&str> = profile.link.services.iter().map(|service| service.name.as_str()).collect();
    let there = if names.is_empty() { "has none".to_owned() } else { format!("has {}", names.join(", ")) };
    Some(format!("services: there is no {unknown:?}; profile {} {there}", profile.name))
}

/// The profile with the times of the bus in place of its own.
fn timed(profile: Arc<Profile>, bus: &Bus) -> Arc<Profile> {
    if bus.timeout_ms.is_none() && bus.spacing_ms.is_none() {
        return profile;
    }
    let mut profile = Arc::unwrap_or_clone(profile);
    let millis = |ms: u32| Duration::from_millis(ms.into());
    profile.link.timeout = bus.timeout_ms.map_or(profile.link.timeout, millis);
    profile.link.spacing = bus.spacing_ms.map_or(profile.link.spacing, millis);
    Arc::new(profile)
}

/// The characters of a serial line: as configured, else as the first profile has them. `None`: it has no line that is known.
fn line(bus: &Bus, units: &[UnitConfig]) -> Option<SerialLine> {
    let first = units.iter().find_map(|unit| match &unit.family {
        Family::Profile(profile) => Some(&profile.link),
        _ => None,
    });
    let baud = match (bus.baud, &bus.port) {
        (Some(baud), _) => baud,
        (None, BusPort::Serial(_)) => first.map_or(USUAL_BAUD, |link| link.baud),
        // What a serial server does at its other end is known only if it is said.
        (None, _) => return None,
    };
    let parity = match bus.parity {
        Some(config::Parity::None) => Parity::None,
        Some(config::Parity::Even) => Parity::Even,
        Some(config::Parity::Odd) => Parity::Odd,
        None => first.map_or(Parity::None, |link| link.parity),
    };
    Some(SerialLine::new(baud, parity, bus.stop_bits == Some(2)))
}

fn endpoint(port: BusPort, line: Option<SerialLine>) -> BusEndpoint {
    match port {
        BusPort::Serial(path) => BusEndpoint::Rtu { path, line: line.unwrap_or(SerialLine::plain(USUAL_BAUD)) },
        BusPort::Tcp { host, port } => BusEndpoint::Tcp { host, port },
        BusPort::RtuOverTcp { host, port } => BusEndpoint::RtuOverTcp { host, port },
        BusPort::Sim => BusEndpoint::InProcess,
    }
}

#[cfg(test)]
mod tests {
    use super::super::environment::Environment;
    use std::path::PathBuf;

    use super::*;

    fn fleet_of(text: &str, port: Option<&str>) -> (Fleet, tempfile::TempDir) {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("config.toml");
        std::fs::write(&file, text.replace("FOLDER", folder.path().to_str().unwrap())).unwrap();
        let environment = Environment { home: Some("/h".into()), ..Environment::default() };
        let port = port.map(|port| port.parse().unwrap());
        (fleet(&Settings::new(Some(file), None, port, &environment).unwrap()), folder)
    }

    const ROOF: &str = "[[bus]]\nname = \"roof\"\nport = \"~/modbus\"\n";

    #[test]
    fn simulated_only_where_nothing_is_configured() {
        for text in ["", config::SAMPLE] {
            let (fleet, _folder) = fleet_of(text, None);
            let [bus] = &fleet.buses[..] else { panic!("{fleet:?}") };
            assert_eq!((bus.simulated, bus.units[0].brand.as_str()), (true, "Senergy (Strong Energy Alfred)"));
            assert_eq!(bus.config.opener.endpoint.to_string(), "sim");
        }
        let real = "[machine]\nport = \"/dev/ttyUSB0\"\n";
        assert!(fleet_of(real, None).0.buses.is_empty());
        assert!(fleet_of(real, Some("sim")).0.buses.is_empty(), "a machine is configured");
        assert!(fleet_of("", Some("/dev/ttyUSB0")).0.buses.is_empty());
        let own = format!("{ROOF}[[inverter]]\nname = \"a\"\nbus = \"roof\"\nprofile = \"srne\"\n");
        assert!(!fleet_of(&own, None).0.buses[0].simulated);
    }

    #[test]
    fn a_bus_is_as_configured_else_as_its_first_profile_says() {
        let of = |bus: &str, inverter: &str| {
            let text = format!("{ROOF}{bus}\n[[inverter]]\nname = \"a\"\nbus = \"roof\"\n{inverter}\n");
            fleet_of(&text, None).0.buses.remove(0)
        };
        let plain = of("", "profile = \"srne\"");
        let path = PathBuf::from("/h/modbus");
        assert_eq!(
            plain.config.opener.endpoint,
            BusEndpoint::Rtu { path: path.clone(), line: SerialLine::plain(9600) }
        );
        assert_eq!(plain.config.units[0].options.baud, Some(9600));
        let set =
            of("baud = 19200\nparity = \"even\"\nstop_bits = 2\ntimeout_ms = 700", "profile = \"srne\"\nunit = 9");
        let line = SerialLine::new(19_200, Parity::Even, true);
        assert_eq!(set.config.opener.endpoint, BusEndpoint::Rtu { path, line });
        let Family::Profile(profile) = &set.config.units[0].family else { panic!("{set:?}") };
        assert_eq!((profile.link.timeout, set.units[0].address), (Duration::from_millis(700), 9));
        let sunspec = of("", "profile = \"sunspec\"");
        assert!(matches!(sunspec.config.units[0].family, Family::SunSpec) && sunspec.units[0].address == 126);
    }

    #[test]
    fn what_cannot_be_used_is_there_with_its_reason() {
        let text = format!(
            "{ROOF}[[inverter]]\nname = \"a\"\nbus = \"roof\"\nprofile = \"senergi_hybrid\"\n\
             [[inverter]]\nname = \"b\"\nbus = \"roof\"\nprofile = \"senergy\"\n\
             [[inverter]]\nname = \"c\"\nbus = \"roof\"\nprofile = \"srne\"\nunit = 1\n\
             [[inverter]]\nname = \"d\"\nbus = \"roof\"\nprofile = \"victron_gx\"\nservices = {{ vebuss = 3 }}\n"
        );
        let (fleet, _folder) = fleet_of(&text, None);
        let unusable: BTreeMap<&str, &str> = fleet.unusable().into_iter().collect();
        assert_eq!(unusable.keys().copied().collect::<Vec<_>>(), ["a", "c", "d"]);
        assert!(unusable["a"].contains("did you mean \"senergy_hybrid\"?"), "{}", unusable["a"]);
        assert!(unusable["c"].contains("unit 1 on bus \"roof\" is \"b\" already"), "{}", unusable["c"]);
        assert!(unusable["d"].contains("vebuss") && unusable["d"].contains("vebus"), "{}", unusable["d"]);
    }

    #[test]
    fn ones_own_profile_goes_before_the_shipped_one_and_a_broken_one_is_named_with_its_line() {
        let inverter = "[[inverter]]\nname = \"a\"\nbus = \"roof\"\nprofile = \"senergy_hybrid\"\n";
        let text = format!("[inverters]\nprofiles = \"FOLDER/own\"\n{ROOF}{inverter}");
        let (_, folder) = fleet_of(&text, None);
        let own = folder.path().join("own");
        std::fs::create_dir(&own).unwrap();
        let (_, shipped) =
            crate::inverter::profile::SHIPPED.iter().find(|(name, _)| *name == "senergy_hybrid").unwrap();
        let fleet_with = |profile: &str| {
            std::fs::write(own.join("mine.toml"), profile).unwrap();
            let file = folder.path().join("config.toml");
            fleet(&Settings::new(Some(file), None, None, &Environment::default()).unwrap())
        };
        let good = fleet_with(&shipped.replace("brand = \"Senergy (Strong Energy Alfred)\"", "brand = \"Mine\""));
        assert_eq!((good.buses[0].units[0].brand.as_str(), good.notices.len()), ("Mine", 1));
        assert!(
            good.notices[0].contains("mine.toml") && good.notices[0].contains("senergy_hybrid"),
            "{:?}",
            good.notices
        );
        let bad = fleet_with(&shipped.replace("role = \"battery_soc\"", "role = \"battery_sock\""));
        let (_, why) = bad.unusable().remove(0);
        assert!(why.contains("mine.toml:") && why.contains("battery_sock"), "{why}");
    }
}
