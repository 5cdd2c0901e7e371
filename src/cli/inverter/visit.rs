//! A visit to one inverter: opens its bus, reads all that it tells once, and closes the bus.

use std::sync::Arc;
use std::time::Duration;

use color_eyre::eyre::eyre;
use tokio::time::{Instant, sleep_until};

use super::args::Which;
use super::place::Place;
use crate::cli::exit::Failure;
use crate::cli::profiles;
use crate::cli::settings::Settings;
use crate::driver::bus::{BusLink, Patience};
use crate::driver::clock::Clock;
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

/// Visits an inverter, in a runtime of its own.
pub(super) fn visit(settings: &Settings, which: &Which, wanted: Wanted) -> Result<Visit, Failure> {
    which.at.not_the_machines(settings)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        if which.profile == SUNSPEC {
            sunspec(settings, which, wanted).await
        } else {
            let profile = Arc::new(profiles::find(&which.profile)?);
            let baud = which.baud.unwrap_or(profile.link.baud);
            let mut link = BusLink::new(which.at.opener(baud, settings));
            read(&mut link, &which.at, profile, (which.unit, baud), wanted).await
        }
    })
}

async fn sunspec(settings: &Settings, which: &Which, wanted: Wanted) -> Result<Visit, Failure> {
    let baud = which.baud.unwrap_or(SUNSPEC_BAUD);
    let unit = which.unit.unwrap_or(SUNSPEC_UNIT);
    let mut link = BusLink::new(which.at.opener(baud, settings));
    let profile = walk(&mut link, unit).await.map_err(|why| failed(&which.at, &why))?;
    read(&mut link, &which.at, Arc::new(profile), (Some(unit), baud), wanted).await
}

/// Why there is nothing.
pub(super) enum Nothing {
    /// The bus is not there, or is somebody else's.
    Closed(String),
    /// Nobody answers.
    Silent(String),
    /// It is something else.
    Other(String),
}

pub(super) fn failed(place: &Place, why: &Nothing) -> Failure {
    match why {
        Nothing::Closed(why) if why.contains(" is in use by ") => Failure::refused(eyre!("{why}")),
        Nothing::Closed(why) if why.starts_with("no permission ") => Failure::forbidden(eyre!("{why}")),
        Nothing::Closed(why) => eyre!("{why}").into(),
        Nothing::Silent(why) => Failure::timed_out(eyre!("{place}: {why}")),
        Nothing::Other(why) => eyre!("{place}: {why}").into(),
    }
}

/// Asks which models there are.
pub(super) async fn walk(link: &mut BusLink, unit: u8) -> Result<Profile, Nothing> {
    let patience = Patience { timeout: Duration::from_secs(2), lateness: LATENESS, spacing: Duration::from_millis(50) };
    let mut walk = Walk::new(unit);
    while let Some(request) = walk.next_request() {
        match link.exchange(&request, patience, None).await {
            Ok(reply) => walk.handle_reply(&reply),
            Err(NoAnswer::Closed(why)) => return Err(Nothing::Closed(why)),
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
    place: &Place,
    profile: Arc<Profile>,
    (unit, baud): (Option<u8>, u32),
    wanted: Wanted,
) -> Result<Visit, Failure> {
    let clock = Clock::start();
    let known = &profile.link;
    let patience = Patience { timeout: known.timeout, lateness: LATENESS, spacing: known.spacing.min(LATENESS) };
    let main = unit.unwrap_or(known.unit);
    let baud = place.is_serial().then_some(baud);
    let mut poller = Poller::new(&profile, Options { unit: Some(main), baud, ..Options::default() });
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
            Err(NoAnswer::Closed(why)) => return Err(failed(place, &Nothing::Closed(why))),
            Err(failure) => {
                poller.handle_failure(clock.now(), &failure);
                if silent >= TRIES {
                    let why = nobody(&request, &failure, place);
                    if link.stats().replies == 0 {
                        return Err(failed(place, &Nothing::Silent(why)));
                    }
                    break Some(why);
                }
            }
        }
    };
    let values = poller.values().clone();
    Ok(Visit { values, identity: poller.identity().clone(), unit: main, now: clock.now(), unfinished })
}

fn heard(answer: &Result<Reply, NoAnswer>) -> bool {
    match answer {
        Ok(_) => true,
        Err(NoAnswer::Exception(Exception(code))) => !Exception(*code).is_gateway(),
        Err(_) => false,
    }
}

fn nobody(request: &Request, failure: &NoAnswer, place: &Place) -> String {
    let line = if place.is_serial() { "cable, polarity (A and B), baud rate" } else { "address, port" };
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
