//! A visit to one inverter: opens its bus, reads all that it tells once, and closes the bus.

use std::fmt::Display;
use std::sync::Arc;
use std::time::Duration;

use color_eyre::eyre::eyre;
use tokio::time::{Instant, sleep_until};

use super::args::Which;
use super::held::not_held;
use super::place::Place;
use super::run::own_of;
use crate::cli::exit::Failure;
use crate::cli::fleet::fleet;
use crate::cli::settings::Settings;
use crate::cli::{out, profiles};
use crate::config::nearest;
use crate::driver::OpenError;
use crate::driver::bus::{BusEndpoint, BusLink, BusOpener, Family, Patience};
use crate::driver::clock::Clock;
use crate::driver::transport::SerialLine;
use crate::inverter::poller::{Options, Poller};
use crate::inverter::profile::Profile;
use crate::inverter::request::Exception;
use crate::inverter::sunspec::{Walk, profile_of};
use crate::inverter::{Failure as NoAnswer, Identity, Reply, Request, Values};
use crate::model::Time;
use crate::model::power::PollClass;

/// An answer is no later than this after its time-out.
const LATENESS: Duration = Duration::from_secs(1);
/// Who does not answer so many times in a row is not there.
const TRIES: u32 = 3;
/// A visit ends after this, with what it has.
const LONGEST: Duration = Duration::from_secs(300);
/// The address of SunSpec devices for which none is given (SunSpec Modbus interface, 126).
const SUNSPEC_UNIT: u8 = 126;
/// Bits per second of a SunSpec device for which none are given.
const SUNSPEC_BAUD: u32 = 9600;
/// The name that stands for asking the device itself what it has.
const SUNSPEC: &str = "sunspec";

/// What a visit brought.
pub(super) struct Visit {
    pub(super) values: Values,
    pub(super) identity: Identity,
    pub(super) unit: u8,
    /// It is a simulated one.
    pub(super) simulated: bool,
    /// When it was over, by the clock of the values.
    pub(super) now: Time,
    /// It did not come to all registers: why.
    pub(super) unfinished: Option<String>,
}

/// What is read on a visit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    /// All that it tells.
    Everything,
    /// All but the settings.
    Measurements,
}

/// Where an inverter is, and what.
struct Target {
    opener: BusOpener,
    family: Family,
    options: Options,
}

/// Visits an inverter, in a runtime of its own.
pub(super) fn visit(settings: &Settings, which: &Which, wanted: Wanted) -> Result<Visit, Failure> {
    if let Some(at) = &which.at {
        at.not_the_machines(settings)?;
        not_held(settings, at)?;
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let Target { opener, family, mut options } = match (&which.name, &which.at, &which.profile) {
            (Some(name), ..) => configured(settings, name)?,
            (None, Some(at), Some(profile)) => typed(settings, which, at, profile)?,
            _ => return Err(eyre!("name an inverter of the configuration, or give --at and --profile").into()),
        };
        let endpoint = opener.endpoint.clone();
        let mut link = BusLink::new(opener);
        let profile = match family {
            Family::Profile(profile) => profile,
            Family::SunSpec => {
                let unit = *options.unit.get_or_insert(SUNSPEC_UNIT);
                Arc::new(walk(&mut link, unit).await.map_err(|why| failed(&endpoint, why))?)
            }
            Family::Unusable(why) => return Err(eyre!("{why}").into()),
        };
        read(&mut link, &endpoint, profile, options, wanted).await
    })
}

/// One that is not in the configuration.
fn typed(settings: &Settings, which: &Which, at: &Place, profile: &str) -> Result<Target, Failure> {
    let (family, known_baud) = if profile == SUNSPEC {
        (Family::SunSpec, SUNSPEC_BAUD)
    } else {
        let profile = profiles::find(&own_of(settings), profile)?;
        let baud = profile.link.baud;
        (Family::Profile(profile), baud)
    };
    let baud = which.baud.unwrap_or(known_baud);
    let options = Options { unit: which.unit, baud: at.is_serial().then_some(baud), ..Options::default() };
    Ok(Target { opener: at.opener(SerialLine::plain(baud), settings), family, options })
}

/// One of the configuration, as a hub would ask it.
fn configured(settings: &Settings, name: &str) -> Result<Target, Failure> {
    let fleet = fleet(settings);
    fleet.notices.iter().for_each(|notice| out::words(notice));
    let names: Vec<String> = fleet.names().map(str::to_owned).collect();
    let mut buses = fleet.with_simulated(settings.state_folder.as_deref(), None).into_iter();
    let found = buses.find_map(|bus| {
        let unit = bus.config.units.into_iter().find(|unit| unit.name == name)?;
        Some((bus.config.opener, unit))
    });
    let (opener, unit) = found.ok_or_else(|| unknown(name, &names))?;
    if let Some(place) = Place::of_endpoint(&opener.endpoint) {
        place.not_the_machines(settings)?;
    }
    Ok(Target { opener, family: unit.family, options: unit.options })
}

/// There is none of this name.
pub(super) fn unknown(name: &str, names: &[String]) -> Failure {
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let there = match nearest(name, &names) {
        Some(near) => format!("did you mean {near:?}?"),
        None if names.is_empty() => "none is configured: see [[inverter]] in config.toml".to_owned(),
        None => format!("there is {}", names.join(", ")),
    };
    eyre!("there is no inverter {name:?}; {there}").into()
}

/// Why there is nothing.
pub(super) enum Nothing {
    /// The bus cannot be opened: it is not there, or is somebody else's.
    Shut(OpenError),
    /// The bus was lost.
    Lost(String),
    /// Nobody answers.
    Silent(String),
    /// It is something else.
    Other(String),
}

impl From<OpenError> for Nothing {
    fn from(why: OpenError) -> Self {
        Self::Shut(why)
    }
}

pub(super) fn failed(place: &impl Display, why: Nothing) -> Failure {
    match why {
        Nothing::Shut(why @ OpenError::Busy { .. }) => Failure::refused(why.into()),
        Nothing::Shut(why @ OpenError::PermissionDenied { .. }) => Failure::forbidden(why.into()),
        Nothing::Shut(why) => why.into(),
        Nothing::Lost(why) => eyre!("{why}").into(),
        Nothing::Silent(why) => Failure::timed_out(eyre!("{place}: {why}")),
        Nothing::Other(why) => eyre!("{place}: {why}").into(),
    }
}

/// Asks which models there are.
pub(super) async fn walk(link: &mut BusLink, unit: u8) -> Result<Profile, Nothing> {
    let patience = Patience { timeout: Duration::from_secs(2), lateness: LATENESS, spacing: Duration::from_millis(50) };
    link.open().await?;
    let mut walk = Walk::new(unit);
    while let Some(request) = walk.next_request() {
        match link.exchange(&request, patience, None).await {
            Ok(reply) => walk.handle_reply(&reply),
            Err(NoAnswer::Closed(why)) => return Err(Nothing::Lost(why)),
            Err(failure) => walk.handle_failure(&failure),
        }
    }
    match walk.finished() {
        Some(Ok(found)) => profile_of(found, unit).map_err(|problems| {
            let all: Vec<String> = problems.iter().map(ToString::to_string).collect();
            Nothing::Other(format!("its models make no sense: {}", all.join("; ")))
        }),
        Some(Err(why)) => Err(Nothing::Other(why.to_string())),
        None => Err(Nothing::Other("it told no models".to_owned())),
    }
}

/// Reads everything once.
async fn read(
    link: &mut BusLink,
    place: &BusEndpoint,
    profile: Arc<Profile>,
    options: Options,
    wanted: Wanted,
) -> Result<Visit, Failure> {
    let clock = Clock::start();
    let known = &profile.link;
    let patience = Patience { timeout: known.timeout, lateness: LATENESS, spacing: known.spacing.min(LATENESS) };
    let main = options.unit.unwrap_or(known.unit);
    let mut poller = Poller::new(&profile, Options { unit: Some(main), ..options });
    link.open().await.map_err(|why| failed(place, why.into()))?;
    poller.link_up(clock.now());
    let ends = clock.now() + LONGEST;
    let mut silent = 0;
    let unfinished = loop {
        let now = clock.now();
        if is_complete(&poller, wanted) {
            break None;
        }
        if now > ends {
            break Some(format!("not all registers came within {} s", LONGEST.as_secs()));
        }
        let Some(request) = poller.next_request(now) else {
            let wake = poller.poll_timeout().map_or_else(|| Instant::now() + LATENESS, |at| clock.deadline(at));
            sleep_until(wake.min(clock.deadline(ends))).await;
            continue;
        };
        let answer = link.exchange(&request, patience, None).await;
        silent = if heard(&answer) { 0 } else { silent + 1 };
        match answer {
            Ok(reply) => poller.handle_reply(clock.now(), &reply),
            Err(NoAnswer::Closed(why)) => return Err(failed(place, Nothing::Lost(why))),
            Err(failure) => {
                poller.handle_failure(clock.now(), &failure);
                if silent >= TRIES {
                    let why = nobody(&request, &failure, place);
                    if link.stats().replies == 0 {
                        return Err(failed(place, Nothing::Silent(why)));
                    }
                    break Some(why);
                }
            }
        }
    };
    let values = poller.values().clone();
    let simulated = *place == BusEndpoint::InProcess;
    Ok(Visit { values, identity: poller.identity().clone(), unit: main, simulated, now: clock.now(), unfinished })
}

fn heard(answer: &Result<Reply, NoAnswer>) -> bool {
    match answer {
        Ok(_) => true,
        Err(NoAnswer::Exception(Exception(code))) => !Exception(*code).is_gateway(),
        Err(_) => false,
    }
}

fn nobody(request: &Request, failure: &NoAnswer, place: &BusEndpoint) -> String {
    let line =
        if matches!(place, BusEndpoint::Rtu { .. }) { "cable, polarity (A and B), baud rate" } else { "address, port" };
    format!("unit {} does not answer ({failure}): check {line}, unit address and profile", request.unit)
}

/// All that can be read was, or is refused.
fn is_complete(poller: &Poller, wanted: Wanted) -> bool {
    let values = poller.values();
    values.profile().registers.iter().enumerate().all(|(id, register)| {
        let slot = values.slot(id);
        let setting = register.poll == PollClass::Setting && wanted == Wanted::Measurements;
        let asked = register.poll != PollClass::Never && register.access.reads() && !setting;
        !asked || slot.at.is_some() || slot.quarantined || poller.unit(register.service).is_none()
    })
}
