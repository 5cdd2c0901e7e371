//! `sunmill inverter scan`: who is on a bus. Reads only, and only what every device may be asked: the serial numbers of the
//! profiles, and two readings that tell whether a profile fits.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use color_eyre::eyre::eyre;
use serde::Serialize;

use super::args::ScanArgs;
use super::held::not_held;
use super::place::Place;
use super::run::own_of;
use super::visit::{Nothing, failed, walk};
use crate::cli::exit::Failure;
use crate::cli::settings::Settings;
use crate::cli::{listing, out, profiles};
use crate::config;
use crate::driver::bus::{BusLink, Patience};
use crate::driver::transport::SerialLine;
use crate::inverter::plan::{Learned, plan};
use crate::inverter::profile::{Parity, Profile, RegisterId};
use crate::inverter::{Failure as NoAnswer, Reply, Request, Values};
use crate::model::Time;
use crate::model::power::{Role, Table};

/// An answer is waited for so long; devices in the field need up to 800 ms.
const PATIENCE: Patience = Patience {
    timeout: Duration::from_millis(1000),
    lateness: Duration::from_millis(500),
    spacing: Duration::from_millis(100),
};
/// SunSpec devices that are not at another address are at this one.
const SUNSPEC_UNIT: u8 = 126;
/// A serial number has at least so many letters and digits.
const LEAST_SERIAL: usize = 5;

/// A device that answered.
#[derive(Debug, PartialEq, Serialize)]
struct Found {
    place: String,
    baud: Option<u32>,
    unit: u8,
    /// Profiles that fit, the best first; none: it answers, but is not known.
    profiles: Vec<Fit>,
}

/// How a profile fits.
#[derive(Clone, Debug, PartialEq, Serialize)]
struct Fit {
    profile: String,
    serial: Option<String>,
    /// Readings that make sense: state of charge, voltage and frequency of the grid.
    sensible: u8,
}

/// A place to look at, and what is known of its line.
struct Spot {
    place: Place,
    /// Of the configured bus.
    baud: Option<u32>,
    parity: Parity,
    two_stop_bits: bool,
}

impl Spot {
    const fn typed(place: Place) -> Self {
        Self { place, baud: None, parity: Parity::None, two_stop_bits: false }
    }

    /// A bus of the configuration. `None`: its inverters are simulated ones.
    fn of_bus(settings: &Settings, bus: &config::Bus) -> Option<Self> {
        let parity = match bus.parity {
            None | Some(config::Parity::None) => Parity::None,
            Some(config::Parity::Even) => Parity::Even,
            Some(config::Parity::Odd) => Parity::Odd,
        };
        let place = Place::of_bus(settings.bus_port(&bus.port))?;
        Some(Self { place, baud: bus.baud, parity, two_stop_bits: bus.stop_bits == Some(2) })
    }
}

pub(super) fn scan(settings: &Settings, args: &ScanArgs) -> Result<String, Failure> {
    let spots = spots(settings, args)?;
    let own = own_of(settings);
    let profiles = match args.profile.as_deref() {
        Some("sunspec") => Vec::new(),
        Some(name) => vec![profiles::find(&own, name)?],
        None => own.all(),
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let (mut found, mut failure) = (Vec::new(), None);
    for spot in &spots {
        match runtime.block_on(Bus { settings, args, spot, profiles: &profiles }.scan()) {
            Ok(there) => found.extend(there),
            Err(why) if spots.len() == 1 => return Err(why),
            // One bus that is not there keeps nobody from the others.
            Err(why) => {
                why.say();
                failure = failure.or(Some(why));
            }
        }
    }
    if let (true, Some(why)) = (found.is_empty(), failure) {
        return Err(why);
    }
    if args.json {
        return listing::json(&found);
    }
    if found.is_empty() {
        let places: Vec<String> = spots.iter().map(|spot| spot.place.to_string()).collect();
        let why = "check power, cable, polarity (A and B), baud rate and parity, or give other units with --units";
        return Err(Failure::timed_out(eyre!("nobody answers at {}: {why}", places.join(", "))));
    }
    Ok(found.iter().map(text).collect())
}

/// What was typed, or all buses of the configuration; none of them is the machine's, or held by a hub.
fn spots(settings: &Settings, args: &ScanArgs) -> Result<Vec<Spot>, Failure> {
    if !args.places.is_empty() {
        for place in &args.places {
            place.not_the_machines(settings)?;
            not_held(settings, place)?;
        }
        return Ok(args.places.iter().cloned().map(Spot::typed).collect());
    }
    let buses = &settings.config.bus;
    let all: Vec<Spot> = buses.iter().filter_map(|bus| Spot::of_bus(settings, bus)).collect();
    if all.is_empty() {
        return Err(eyre!(
            "no bus is configured that could be asked: name a place, as in sunmill inverter scan /dev/ttyUSB0"
        )
        .into());
    }
    let (mut spots, mut refusal) = (Vec::new(), None);
    for spot in all {
        match spot.place.not_the_machines(settings).and_then(|()| not_held(settings, &spot.place)) {
            Ok(()) => spots.push(spot),
            Err(why) => {
                if let Some(earlier) = refusal.replace(why) {
                    earlier.say();
                }
            }
        }
    }
    match refusal {
        Some(why) if spots.is_empty() => Err(why),
        Some(why) => {
            why.say();
            Ok(spots)
        }
        None => Ok(spots),
    }
}

fn text(found: &Found) -> String {
    let Found { place, baud, unit, profiles } = found;
    let baud = baud.map_or_else(String::new, |baud| format!(", {baud} baud"));
    let mut text = format!("{place}{baud}, unit {unit}\n");
    if profiles.is_empty() {
        text.push_str("    answers, but fits none of the profiles\n");
    }
    for (n, fit) in profiles.iter().enumerate() {
        let serial = fit.serial.as_ref().map_or_else(String::new, |serial| format!(", serial number {serial}"));
        let maybe = if n == 0 { "" } else { "or " };
        let _ = writeln!(text, "    {maybe}{}{serial} ({} of 3 readings make sense)", fit.profile, fit.sensible);
    }
    text
}

/// One place to look at.
struct Bus<'a> {
    settings: &'a Settings,
    args: &'a ScanArgs,
    spot: &'a Spot,
    profiles: &'a [Arc<Profile>],
}

impl Bus<'_> {
    /// At each baud rate until somebody answers.
    async fn scan(&self) -> Result<Vec<Found>, Failure> {
        let Spot { place, parity, two_stop_bits, .. } = self.spot;
        let mut bauds: Vec<u32> = match self.args.baud.or(self.spot.baud) {
            Some(baud) => vec![baud],
            None => self.profiles.iter().map(|profile| profile.link.baud).chain([9600]).collect(),
        };
        bauds.sort_unstable();
        bauds.dedup();
        if !place.is_serial() {
            bauds.truncate(1);
        }
        for baud in bauds {
            let line = SerialLine::new(baud, *parity, *two_stop_bits);
            let mut link = BusLink::new(place.opener(line, self.settings));
            link.open().await.map_err(|why| failed(place, why.into()))?;
            let mut found = Vec::new();
            for unit in self.units() {
                let baud = place.is_serial().then_some(baud);
                let told = || out::words(&format!("{place}: asking unit {unit}…"));
                if !self.args.json {
                    told();
                }
                if let Some(profiles) = self.ask(&mut link, unit).await.map_err(|why| failed(place, why))? {
                    found.push(Found { place: place.to_string(), baud, unit, profiles });
                }
            }
            if !found.is_empty() {
                return Ok(found);
            }
        }
        Ok(Vec::new())
    }

    fn units(&self) -> Vec<u8> {
        if let Some(units) = &self.args.units {
            return units.0.clone();
        }
        let mut units: Vec<u8> =
            self.profiles.iter().map(|profile| profile.link.unit).chain([1, SUNSPEC_UNIT]).collect();
        units.sort_unstable();
        units.dedup();
        units
    }

    /// The profiles that fit a unit. `None`: nobody answers.
    async fn ask(&self, link: &mut BusLink, unit: u8) -> Result<Option<Vec<Fit>>, Nothing> {
        // Any answer will do, also that there is no such register.
        let harmless = Request::read(unit, Table::Holding, 0, 1);
        if matches!(answer(link, &harmless).await?, Answer::None) {
            return Ok(None);
        }
        let mut fits = Vec::new();
        for profile in self.profiles {
            let fit = fit(link, unit, profile).await?;
            fits.extend(fit.filter(|fit| fit.sensible > 0));
        }
        if self.args.profile.as_deref().is_none_or(|name| name == "sunspec") {
            match walk(link, unit).await {
                Ok(profile) => fits.push(fit(link, unit, &Arc::new(profile)).await?.unwrap_or_else(unread)),
                Err(why @ (Nothing::Shut(_) | Nothing::Lost(_))) => return Err(why),
                Err(_) => {}
            }
        }
        fits.sort_by_key(|fit| std::cmp::Reverse((fit.sensible, fit.serial.is_some())));
        Ok(Some(fits))
    }
}

/// Its models are known, and nothing else.
fn unread() -> Fit {
    Fit { profile: "sunspec".to_owned(), serial: None, sensible: 0 }
}

/// How a profile fits. `None`: the serial number is not where it should be.
async fn fit(link: &mut BusLink, unit: u8, profile: &Arc<Profile>) -> Result<Option<Fit>, Nothing> {
    let mut values = Values::new(profile.clone());
    if let Some(serial) = profile.serial() {
        read(link, unit, &mut values, serial).await?;
        if !values.words(Role::Serial).is_some_and(|text| is_serial(&text)) {
            return Ok(None);
        }
    }
    let ranges =
        [(Role::BatterySoc, 0.0..=100.0), (Role::GridVoltage, 80.0..=500.0), (Role::GridFrequency, 45.0..=65.0)];
    let mut sensible = 0;
    for (role, range) in ranges {
        let Some(register) = profile.role(role) else { continue };
        read(link, unit, &mut values, register).await?;
        sensible += u8::from(values.role(role).value.is_some_and(|value| range.contains(&value)));
    }
    Ok(Some(Fit { profile: profile.name.clone(), serial: values.words(Role::Serial), sensible }))
}

/// What could be the serial number of a device, and no accident.
fn is_serial(text: &str) -> bool {
    let plain = text.chars().filter(char::is_ascii_alphanumeric).count();
    plain >= LEAST_SERIAL
        && text.chars().all(|c| c.is_ascii_graphic() || c == ' ')
        && text.chars().any(|c| c.is_ascii_digit() && c != '0')
}

/// Reads one register of the main unit.
async fn read(link: &mut BusLink, unit: u8, values: &mut Values, register: RegisterId) -> Result<(), Nothing> {
    let profile = values.profile().clone();
    for block in plan(&profile, profile.read, &Learned::default(), |id| id == register) {
        if let Answer::Words(words) = answer(link, &block.request(unit)).await? {
            values.accept(&block, &words, Time::ZERO);
        }
    }
    Ok(())
}

enum Answer {
    Words(Vec<u16>),
    /// It says that it has no such thing.
    Refusal,
    /// Nobody, or nothing that fits.
    None,
}

async fn answer(link: &mut BusLink, request: &Request) -> Result<Answer, Nothing> {
    Ok(match link.exchange(request, PATIENCE, None).await {
        Ok(Reply::Words(words)) => Answer::Words(words),
        Ok(_) => Answer::None,
        Err(NoAnswer::Exception(exception)) if !exception.is_gateway() => Answer::Refusal,
        Err(NoAnswer::Closed(why)) => return Err(Nothing::Lost(why)),
        Err(_) => Answer::None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_serial_number_is_told_from_an_accident() {
        for text in ["SE2024110042", "2309-A17", "1234567890"] {
            assert!(is_serial(text), "{text}");
        }
        for text in ["", "0", "00000000", "ab", "\u{1}\u{2}12345", "........"] {
            assert!(!is_serial(text), "{text:?}");
        }
    }

    #[test]
    fn what_was_found_is_told() {
        let fit = |profile: &str, sensible| Fit { profile: profile.into(), serial: Some("SE1".into()), sensible };
        let found = Found {
            place: "/dev/ttyUSB0".into(),
            baud: Some(9600),
            unit: 1,
            profiles: vec![fit("senergy_hybrid", 3), fit("solis_hybrid", 1)],
        };
        let expected = "/dev/ttyUSB0, 9600 baud, unit 1\n    senergy_hybrid, serial number SE1 (3 of 3 readings make sense)\n    \
                        or solis_hybrid, serial number SE1 (1 of 3 readings make sense)\n";
        assert_eq!(text(&found), expected);
        let stranger = Found { place: "tcp://a:502".into(), baud: None, unit: 9, profiles: Vec::new() };
        assert!(text(&stranger).contains("fits none of the profiles"));
    }
}
