//! `[[bus]]`, `[[inverter]]` and `[inverters]`: where inverters are, and what they are.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::parse::nearest;
use super::range;
use super::schema::{Config, MAX_BAUD, MIN_BAUD};
use crate::model::{BusPort, Endpoint};

/// Longest name in characters: it stands in a row of a screen.
const MAX_NAME: usize = 24;
/// Serial lines and sockets in all.
const MAX_BUSES: usize = 16;
/// Inverters in all.
const MAX_INVERTERS: usize = 64;
/// Nominal voltage where none is said.
const NOMINAL_V: f64 = 230.0;

/// `[inverters]`
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, expecting = "a table, [inverters]")]
pub struct Inverters {
    /// Folder of one's own profiles.
    pub profiles: Option<PathBuf>,
}

/// One of `[[bus]]`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table, [[bus]]")]
pub struct Bus {
    /// Its name.
    pub name: String,
    /// Where it is.
    pub port: BusPort,
    /// Baud rate of a serial line. `None`: what the profile of its first inverter says.
    #[serde(default, deserialize_with = "range::whole_option::<_, _, MIN_BAUD, MAX_BAUD>")]
    pub baud: Option<u32>,
    /// Parity of a serial line. `None`: what the profile of its first inverter says.
    #[serde(default)]
    pub parity: Option<Parity>,
    /// Stop bits of a serial line. `None`: 1.
    #[serde(default, deserialize_with = "range::whole_option::<_, _, 1, 2>")]
    pub stop_bits: Option<u8>,
    /// How long an answer is waited for, in ms. `None`: what each profile says.
    #[serde(default, deserialize_with = "range::whole_option::<_, _, 100, 30_000>")]
    pub timeout_ms: Option<u32>,
    /// Silence between an answer and the next question to the same inverter, in ms. `None`: what each profile says.
    #[serde(default, deserialize_with = "range::whole_option::<_, _, 0, 5000>")]
    pub spacing_ms: Option<u32>,
}

/// Parity of a serial line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Parity {
    /// No parity bit.
    None,
    /// Even.
    Even,
    /// Odd.
    Odd,
}

/// One of `[[inverter]]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table, [[inverter]]")]
pub struct Inverter {
    /// Its name.
    pub name: String,
    /// The bus that it is on, by name.
    pub bus: String,
    /// Its profile, by name; or `sunspec`.
    pub profile: String,
    /// Unit address. `None`: what the profile says.
    #[serde(default, deserialize_with = "range::whole_option::<_, _, 1, 255>")]
    pub unit: Option<u8>,
    /// Unit addresses of the profile's services.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub services: BTreeMap<String, u8>,
    /// Serial number of the device that is expected. `None`: whoever answered there first.
    #[serde(default)]
    pub serial: Option<String>,
    /// Usable capacity of its battery.
    #[serde(default, deserialize_with = "range::capacity_kwh")]
    pub capacity_kwh: Option<f64>,
    /// It is polled.
    #[serde(default = "yes")]
    pub enabled: bool,
    /// Nominal voltage of its grid.
    #[serde(default = "nominal_v", deserialize_with = "range::nominal_v")]
    pub nominal_v: f64,
}

const fn yes() -> bool {
    true
}

const fn nominal_v() -> f64 {
    NOMINAL_V
}

/// What does not fit: the list, the place in it, the key to blame, and why.
pub(super) type Misfit = (&'static str, usize, &'static str, String);

/// The first thing in both lists that does not fit.
pub(super) fn misfit(config: &Config) -> Option<Misfit> {
    let buses = config.bus.iter().enumerate();
    let of_bus = |(at, bus)| bus_misfit(config, at, bus).map(|(key, why)| ("bus", at, key, why));
    let inverters = config.inverter.iter().enumerate();
    let of_inverter = |(at, one)| inverter_misfit(config, at, one).map(|(key, why)| ("inverter", at, key, why));
    buses.clone().find_map(of_bus).or_else(|| inverters.clone().find_map(of_inverter))
}

fn bus_misfit(config: &Config, at: usize, bus: &Bus) -> Option<(&'static str, String)> {
    let before = &config.bus[..at];
    if at >= MAX_BUSES {
        return Some(("name", format!("is bus {}; there is room for {MAX_BUSES}", at + 1)));
    }
    if let Some(why) = bad_name(&bus.name) {
        return Some(("name", why));
    }
    if before.iter().any(|other| other.name == bus.name) {
        return Some(("name", format!("{:?} is the name of another bus", bus.name)));
    }
    if let Some(other) = before.iter().find(|other| other.port == bus.port && bus.port != BusPort::Sim) {
        return Some(("port", format!("{} is bus {:?} already; put its inverters on that one", bus.port, other.name)));
    }
    if config.machine.port.as_ref().is_some_and(|machine| is_same(&bus.port, machine)) {
        return Some(("port", format!("{} is the machine's port; inverters need a port of their own", bus.port)));
    }
    let serial = matches!(bus.port, BusPort::Serial(_));
    let wired = serial || matches!(bus.port, BusPort::RtuOverTcp { .. });
    match bus {
        Bus { baud: Some(_), .. } if !wired => Some(("baud", "is for a serial line; this bus has none".to_owned())),
        Bus { parity: Some(_), .. } if !serial => Some(("parity", "is for a serial line of this computer".to_owned())),
        Bus { stop_bits: Some(_), .. } if !serial => {
            Some(("stop_bits", "is for a serial line of this computer".to_owned()))
        }
        _ => None,
    }
}

fn is_same(bus: &BusPort, machine: &Endpoint) -> bool {
    match (bus, machine) {
        (BusPort::Serial(bus), Endpoint::Serial(machine)) => bus == machine,
        (
            BusPort::Tcp { host, port } | BusPort::RtuOverTcp { host, port },
            Endpoint::Tcp { host: other, port: other_port },
        ) => (host, port) == (other, other_port),
        _ => false,
    }
}

fn inverter_misfit(config: &Config, at: usize, inverter: &Inverter) -> Option<(&'static str, String)> {
    let before = &config.inverter[..at];
    if at >= MAX_INVERTERS {
        return Some(("name", format!("is inverter {}; there is room for {MAX_INVERTERS}", at + 1)));
    }
    if let Some(why) = bad_name(&inverter.name) {
        return Some(("name", why));
    }
    if before.iter().any(|other| other.name == inverter.name) {
        return Some(("name", format!("{:?} is the name of another inverter", inverter.name)));
    }
    if !config.bus.iter().any(|bus| bus.name == inverter.bus) {
        let names: Vec<&str> = config.bus.iter().map(|bus| bus.name.as_str()).collect();
        let help = match (nearest(&inverter.bus, &names), names.is_empty()) {
            (Some(name), _) => format!("; did you mean {name:?}?"),
            (None, true) => "; there is no [[bus]] at all".to_owned(),
            (None, false) => format!("; there are {}", names.join(", ")),
        };
        return Some(("bus", format!("there is no bus {:?}{help}", inverter.bus)));
    }
    if inverter.profile.trim().is_empty() {
        return Some(("profile", "is empty; `sunmill inverter profiles list` names those that there are".to_owned()));
    }
    let same = |other: &&Inverter| {
        let alike = inverter.unit.is_some() || other.profile == inverter.profile;
        other.bus == inverter.bus && other.unit == inverter.unit && alike
    };
    if let Some(other) = before.iter().find(same) {
        let unit = inverter.unit.map_or_else(|| "the usual unit address".to_owned(), |unit| format!("unit {unit}"));
        let why = format!("{unit} on bus {:?} is {:?} already; each has its own", inverter.bus, other.name);
        return Some(("unit", why));
    }
    let bad_unit = |(name, unit): (&String, &u8)| {
        (*unit == 0)
            .then(|| ("services", format!("{name} has unit 0, but must have 1 to 255; leave it out if there is none")))
    };
    if let Some(bad) = inverter.services.iter().find_map(bad_unit) {
        return Some(bad);
    }
    if inverter.serial.as_ref().is_some_and(|serial| serial.trim().is_empty()) {
        return Some(("serial", "is empty; leave it out to take whoever answers first".to_owned()));
    }
    None
}

fn bad_name(name: &str) -> Option<String> {
    let bad = name.trim().is_empty() || name.chars().count() > MAX_NAME || name.chars().any(char::is_control);
    bad.then(|| format!("{name:?} must be 1 to {MAX_NAME} visible characters"))
}

#[cfg(test)]
mod tests {
    use crate::config::parse;

    const ROOF: &str = "[[bus]]\nname = \"roof\"\nport = \"/dev/ttyUSB1\"\n";
    const ONE: &str = "[[inverter]]\nname = \"one\"\nbus = \"roof\"\nprofile = \"senergy\"\n";

    #[test]
    fn what_is_left_out_is_usual() {
        let config = parse("f.toml", &format!("{ROOF}{ONE}")).unwrap();
        let (bus, inverter) = (&config.bus[0], &config.inverter[0]);
        assert_eq!((bus.baud, bus.parity, bus.timeout_ms), (None, None, None));
        assert_eq!((inverter.unit, inverter.enabled, inverter.nominal_v), (None, true, 230.0));
    }

    #[test]
    fn what_cannot_be_is_named_with_its_line() {
        let bus = |rest: &str| format!("{ROOF}[[bus]]\n{rest}");
        let second = |rest: &str| format!("{ROOF}{ONE}[[inverter]]\nname = \"two\"\n{rest}");
        for (text, expected) in [
            (bus("name = \"roof\"\nport = \"sim\""), "f.toml:5:8: bus.name: \"roof\" is the name of another bus"),
            (
                bus("name = \"b\"\nport = \"/dev/ttyUSB1\""),
                "f.toml:6:8: bus.port: /dev/ttyUSB1 is bus \"roof\" already",
            ),
            (bus("name = \"b\"\nport = \"tcp://\""), "f.toml:6:8: bus.port"),
            (bus("name = \"b\"\nport = \"tcp://x\"\nbaud = 9600"), "f.toml:7:8: bus.baud: is for a serial line"),
            (bus("name = \"b\"\nport = \"/dev/x\"\nbaud = 96"), "f.toml:7:8: bus.baud is integer 96"),
            (
                bus("name = \"b\"\nport = \"/dev/x\"\nparity = \"evn\""),
                "f.toml:7:10: bus.parity is \"evn\", but must be",
            ),
            (
                format!("[machine]\nport = \"/dev/ttyUSB1\"\n{ROOF}"),
                "f.toml:5:8: bus.port: /dev/ttyUSB1 is the machine's port",
            ),
            (
                second("bus = \"rof\"\nprofile = \"senergy\""),
                "f.toml:10:7: inverter.bus: there is no bus \"rof\"; did you mean \"roof\"?",
            ),
            (
                second("bus = \"roof\"\nprofile = \"senergy\""),
                "f.toml:8:1: inverter.unit: the usual unit address on bus \"roof\" is \"one\" already",
            ),
            (
                format!(
                    "{ROOF}{ONE}unit = 3\n[[inverter]]\nname = \"two\"\nbus = \"roof\"\nprofile = \"srne\"\nunit = 3"
                ),
                "f.toml:13:8: inverter.unit: unit 3 on bus \"roof\" is \"one\" already",
            ),
            (second("bus = \"roof\"\nprofile = \"srne\"\nunit = 0"), "f.toml:12:8: inverter.unit is integer 0"),
            (
                second("bus = \"roof\"\nprofile = \"srne\"\nnominal_v = 12"),
                "f.toml:12:13: inverter.nominal_v is floating point 12.0, but must be a number from 50 to 1000 V",
            ),
            (
                second("bus = \"roof\"\nprofile = \"victron\"\nservices = { vebus = 0 }"),
                "f.toml:12:12: inverter.services: vebus has unit 0",
            ),
            (
                second("bus = \"roof\"\nprofil = \"srne\""),
                "f.toml:11:1: unknown key \"profil\" in [inverter]; did you mean \"profile\"?",
            ),
        ] {
            let error = parse("f.toml", &text).expect_err(&text).to_string();
            assert!(error.starts_with(expected), "{error}\n  expected {expected}");
        }
    }
}
