//! What the sunmill that runs holds, and what it knows.

use color_eyre::eyre::eyre;

use super::place::Place;
use super::visit::unknown;
use crate::cli::exit::{Code, Failure};
use crate::cli::remote::with_hub;
use crate::cli::settings::Settings;
use crate::cli::socket;
use crate::model::Endpoint;
use crate::model::hub::Hub;
use crate::model::power::{Unit, UnitState};

/// Refuses a place that the sunmill which runs holds: its bus, or its machine.
pub(super) fn not_held(settings: &Settings, place: &Place) -> Result<(), Failure> {
    if !runs(settings) {
        return Ok(());
    }
    with_hub(settings, async |attached| {
        let snapshot = attached.hub.snapshot();
        let machine = &snapshot.machine.link.endpoint;
        if machine.parse::<Endpoint>().is_ok_and(|machine| place.is_of(&machine)) {
            return Err(Failure::refused(eyre!("{place} is the machine's port of the sunmill that runs")));
        }
        match snapshot.power.buses.iter().find(|bus| place.is_bus(&bus.endpoint)) {
            None => Ok(()),
            Some(bus) => Err(Failure::refused(eyre!(
                "{place} is bus {:?} of the sunmill that runs: sunmill inverter list, show and registers ask through it",
                bus.name
            ))),
        }
    })
    .map(|_| ())
}

/// A sunmill runs, and answers.
pub(super) fn runs(settings: &Settings) -> bool {
    socket::answering_here(settings).is_some()
}

/// An inverter that the hub hears.
pub(super) fn heard(hub: &Hub, name: &str) -> Result<Unit, Failure> {
    let power = &hub.snapshot().power;
    let Some(unit) = power.find(name) else {
        let names: Vec<String> = power.inverters.iter().map(|unit| unit.known.name.clone()).collect();
        return Err(unknown(name, &names));
    };
    match &unit.state {
        UnitState::Answers => Ok((**unit).clone()),
        UnitState::Waiting => Err(Failure::timed_out(eyre!("{name} was not heard of yet; try again in a moment"))),
        UnitState::Silent { why, .. } => Err(Failure::timed_out(eyre!("{name} is silent: {why}"))),
        UnitState::Off => Err(Failure::new(Code::State, eyre!("{name} is switched off: nothing is asked of it"))),
    }
}
