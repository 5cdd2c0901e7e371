//! Buses and inverters of the configuration, made ready for their tasks; and the simulated one where nothing is configured.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::own_profiles::{Known, Profiles};
use super::settings::Settings;
use crate::config::{self, Bus, Inverter};
use crate::driver::bus::{BusConfig, BusEndpoint, BusOpener, Family, UnitConfig};
use crate::driver::transport::{SerialLine, lock_dir};
use crate::inverter::poller::Options;
use crate::inverter::profile::{Parity, Profile};
use crate::model::{BusPort, Endpoint};

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

/// A bus and its inverters, ready to be started.
#[derive(Clone, Debug)]
pub(super) struct BusPlan {
    /// Its name.
    pub(super) name: String,
    /// Where it is.
    pub(super) port: BusPort,
    /// How it is opened, but for what runs in this process.
    pub(super) endpoint: BusEndpoint,
    /// Where locks of devices lie.
    pub(super) lock_dir: PathBuf,
    /// Its inverters.
    pub(super) units: Vec<UnitPlan>,
}

/// An inverter, ready to be started.
#[derive(Clone, Debug)]
pub(super) struct UnitPlan {
    /// Its place among all inverters of the configuration.
    pub(super) place: usize,
    /// What its bus needs to know of it.
    pub(super) unit: UnitConfig,
    /// Unit address of its main unit.
    pub(super) address: u8,
    /// Name of its profile.
    pub(super) profile: String,
    /// Brand, for people.
    pub(super) brand: String,
    /// Usable capacity of its battery.
    pub(super) capacity_kwh: Option<f64>,
}

/// All of them.
#[derive(Clone, Debug, Default)]
pub(super) struct Fleet {
    /// Buses with at least one inverter, in the order of the configuration.
    pub(super) buses: Vec<BusPlan>,
    /// What a person should know, a line each: a profile of their own in place of one that comes with sunmill.
    pub(super) notices: Vec<String>,
}

impl Fleet {
    /// Inverters that cannot be used, each with its reason.
    pub(super) fn unusable(&self) -> Vec<(String, String)> {
        let units = self.buses.iter().flat_map(|bus| &bus.units);
        units
            .filter_map(|plan| match &plan.unit.family {
                Family::Unusable(why) => Some((plan.unit.name.clone(), why.clone())),
                _ => None,
            })
            .collect()
    }

    /// What the tasks are started with. `in_process` makes the simulated inverters of a bus.
    pub(super) fn into_configs(
        self,
        mut in_process: impl FnMut(&BusPlan) -> Option<crate::driver::bus::InProcessBus>,
    ) -> Vec<BusConfig> {
        let config = |bus: BusPlan| {
            let in_process = if bus.port == BusPort::Sim { in_process(&bus) } else { None };
            let BusPlan { name, endpoint, lock_dir, units, .. } = bus;
            let opener = BusOpener { endpoint, lock_dir, in_process };
            BusConfig { name, opener, units: units.into_iter().map(|plan| plan.unit).collect() }
        };
        self.buses.into_iter().map(config).collect()
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
    let mut profiles = Profiles::load(settings.profile_folder.as_deref());
    let mut fleet = Fleet::default();
    for bus in &config.bus {
        let mut units: Vec<UnitPlan> = Vec::new();
        let inverters = config.inverter.iter().enumerate().filter(|(_, inverter)| inverter.bus == bus.name);
        for (place, inverter) in inverters {
            let mut plan = unit(place, inverter, bus, profiles.find(&inverter.profile));
            if let Some(other) = units.iter().find(|other| other.address == plan.address && is_usable(other)) {
                let (address, bus, name) = (plan.address, &bus.name, &other.unit.name);
                let why = format!("unit {address} on bus {bus:?} is {name:?} already: set unit to its own address");
                plan.unit.family = Family::Unusable(why);
            }
            units.push(plan);
        }
        if !units.is_empty() {
            let (line, lock_dir) = (line(bus, &units), lock_dir(settings.runtime_dir.clone()));
            for plan in &mut units {
                plan.unit.options.baud = line.map(|line| line.baud);
            }
            let endpoint = endpoint(settings.bus_port(&bus.port), line);
            fleet.buses.push(BusPlan { name: bus.name.clone(), port: bus.port.clone(), endpoint, lock_dir, units });
        }
    }
    fleet.notices = profiles.notices;
    fleet
}

fn is_usable(plan: &UnitPlan) -> bool {
    !matches!(plan.unit.family, Family::Unusable(_))
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
    let units = vec![unit(0, &inverter, &bus, Profiles::default().find(SIMULATED_PROFILE))];
    let (endpoint, lock_dir) = (endpoint(BusPort::Sim, None), lock_dir(settings.runtime_dir.clone()));
    Fleet {
        buses: vec![BusPlan { name: bus.name, port: BusPort::Sim, endpoint, lock_dir, units }],
        notices: Vec::new(),
    }
}

fn unit(place: usize, inverter: &Inverter, bus: &Bus, known: Known) -> UnitPlan {
    let mut plan = UnitPlan {
        place,
        unit: UnitConfig {
            name: inverter.name.clone(),
            family: Family::SunSpec,
            options: Options {
                unit: inverter.unit,
                services: inverter.services.clone(),
                serial: inverter.serial.clone(),
                ..Options::default()
            },
            enabled: inverter.enabled,
            nominal_v: inverter.nominal_v,
        },
        address: inverter.unit.unwrap_or(SUNSPEC_UNIT),
        profile: inverter.profile.clone(),
        brand: String::new(),
        capacity_kwh: inverter.capacity_kwh,
    };
    match known {
        Known::Not(why) => plan.unit.family = Family::Unusable(why),
        Known::SunSpec => "SunSpec".clone_into(&mut plan.brand),
        Known::Profile(profile) => {
            plan.address = inverter.unit.unwrap_or(profile.link.unit);
            plan.profile.clone_from(&profile.name);
            plan.brand.clone_from(&profile.brand);
            plan.unit.family = match no_service(inverter, &profile) {
                Some(why) => Family::Unusable(why),
                None => Family::Profile(timed(profile, bus)),
            };
        }
    }
    plan
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
fn line(bus: &Bus, units: &[UnitPlan]) -> Option<SerialLine> {
    let first = units.iter().find_map(|plan| match &plan.unit.family {
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
        // Never opened by its name: what is in this process has bytes of RTU and is connected anew after trouble.
        BusPort::Sim => BusEndpoint::RtuOverTcp { host: "sim".to_owned(), port: 0 },
    }
}

#[cfg(test)]
mod tests {
    use super::super::environment::Environment;
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
            assert_eq!((bus.port.clone(), bus.units[0].brand.as_str()), (BusPort::Sim, "Senergy"));
        }
        let real = "[machine]\nport = \"/dev/ttyUSB0\"\n";
        assert!(fleet_of(real, None).0.buses.is_empty());
        assert!(fleet_of(real, Some("sim")).0.buses.is_empty(), "a machine is configured");
        assert!(fleet_of("", Some("/dev/ttyUSB0")).0.buses.is_empty());
        let own = format!("{ROOF}[[inverter]]\nname = \"a\"\nbus = \"roof\"\nprofile = \"srne\"\n");
        assert_eq!(fleet_of(&own, None).0.buses[0].port, BusPort::Serial("~/modbus".into()));
    }

    #[test]
    fn a_bus_is_as_configured_else_as_its_first_profile_says() {
        let of = |bus: &str, inverter: &str| {
            let text = format!("{ROOF}{bus}\n[[inverter]]\nname = \"a\"\nbus = \"roof\"\n{inverter}\n");
            fleet_of(&text, None).0.buses.remove(0)
        };
        let plain = of("", "profile = \"srne\"");
        let path = PathBuf::from("/h/modbus");
        assert_eq!(plain.endpoint, BusEndpoint::Rtu { path: path.clone(), line: SerialLine::plain(9600) });
        assert_eq!(plain.units[0].unit.options.baud, Some(9600));
        let set =
            of("baud = 19200\nparity = \"even\"\nstop_bits = 2\ntimeout_ms = 700", "profile = \"srne\"\nunit = 9");
        let line = SerialLine::new(19_200, Parity::Even, true);
        assert_eq!(set.endpoint, BusEndpoint::Rtu { path, line });
        let Family::Profile(profile) = &set.units[0].unit.family else { panic!("{set:?}") };
        assert_eq!((profile.link.timeout, set.units[0].address), (Duration::from_millis(700), 9));
        let sunspec = of("", "profile = \"sunspec\"");
        assert!(matches!(sunspec.units[0].unit.family, Family::SunSpec) && sunspec.units[0].address == 126);
    }

    #[test]
    fn what_cannot_be_used_is_there_with_its_reason() {
        let text = format!(
            "{ROOF}[[inverter]]\nname = \"a\"\nbus = \"roof\"\nprofile = \"senergi_hybrid\"\n\
             [[inverter]]\nname = \"b\"\nbus = \"roof\"\nprofile = \"senergy\"\n\
             [[inverter]]\nname = \"c\"\nbus = \"roof\"\nprofile = \"srne\"\nunit = 1\n\
             [[inverter]]\nname = \"d\"\nbus = \"roof\"\nprofile = \"victron_gx\"\nservices = {{ vebuss = 3 }}\n"
        );
        let unusable: BTreeMap<String, String> = fleet_of(&text, None).0.unusable().into_iter().collect();
        assert_eq!(unusable.keys().collect::<Vec<_>>(), ["a", "c", "d"]);
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
        let good = fleet_with(&shipped.replace("brand = \"Senergy\"", "brand = \"Mine\""));
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
