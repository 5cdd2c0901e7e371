//! What buses tell, brought into the snapshot. Pure.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::setup::{BusSetup, PowerKeeping, UnitSetup};
use crate::driver::bus::{BusEventKind, UnitEvent, WireTrouble};
use crate::inverter::Identity;
use crate::model::Time;
use crate::model::power::{Bus, BusState, Inverter, Power, Unit, UnitState};

/// What trouble on the wire means and what helps, in words.
pub(super) const fn trouble_words(trouble: WireTrouble) -> &'static str {
    match trouble {
        WireTrouble::SecondMaster => {
            "somebody else seems to ask on this wire (a logger stick, a display, another program): \
             answers get mixed up; unplug one of the two"
        }
        WireTrouble::Damaged => {
            "answers come damaged (CRC): check the cable, its screen, A and B, the resistor at its end, and the baud rate"
        }
    }
}

/// Which inverter of the snapshot a bus means: by bus and unit.
#[derive(Clone, Debug, Default)]
pub(super) struct Places(Vec<Vec<usize>>);

impl Places {
    /// The place of a unit in [`Power::inverters`].
    pub(super) fn of(&self, bus: usize, unit: usize) -> Option<usize> {
        self.0.get(bus)?.get(unit).copied()
    }

    /// All that are on a bus.
    pub(super) fn on(&self, bus: usize) -> &[usize] {
        self.0.get(bus).map_or(&[], Vec::as_slice)
    }
}

/// All that is known before anything answers, and where the units of buses are in it.
pub(super) fn begin(keeping: &PowerKeeping) -> (Power, Places) {
    let order: BTreeSet<usize> = keeping.buses.iter().flat_map(|bus| bus.units.iter().map(|unit| unit.place)).collect();
    let rank = |place: usize| order.iter().position(|known| *known == place).unwrap_or(0);
    let mut inverters: Vec<Arc<Unit>> = order.iter().map(|_| Arc::default()).collect();
    let mut places = Places::default();
    for bus in &keeping.buses {
        for unit in &bus.units {
            let remembered = keeping.remembered.get(&unit.name);
            let enabled = remembered.and_then(|memory| memory.device.enabled).unwrap_or(unit.enabled);
            inverters[rank(unit.place)] = Arc::new(unit_of(bus, unit, enabled));
        }
        places.0.push(bus.units.iter().map(|unit| rank(unit.place)).collect());
    }
    let buses = keeping.buses.iter().map(|bus| {
        Arc::new(Bus {
            name: bus.name.clone(),
            endpoint: bus.endpoint.clone(),
            simulated: bus.simulated,
            ..Bus::default()
        })
    });
    (Power { inverters, buses: buses.collect(), armed_until: None }, places)
}

fn unit_of(bus: &BusSetup, unit: &UnitSetup, enabled: bool) -> Unit {
    Unit {
        known: Inverter {
            name: unit.name.clone(),
            profile: unit.profile.clone(),
            brand: unit.brand.clone(),
            ..Inverter::default()
        },
        bus: bus.name.clone(),
        address: unit.address,
        simulated: bus.simulated,
        enabled,
        state: if enabled { UnitState::Waiting } else { UnitState::Off },
        capacity_kwh: unit.capacity_kwh,
        ..Unit::default()
    }
}

/// Changes an inverter.
pub(super) fn change(power: &mut Arc<Power>, place: usize, what: impl FnOnce(&mut Unit)) {
    if let Some(unit) = Arc::make_mut(power).inverters.get_mut(place) {
        what(Arc::make_mut(unit));
    }
}

/// Brings an event of a bus into the snapshot. Says whether that changed anything.
pub(super) fn fold(power: &mut Arc<Power>, places: &Places, at: Time, bus: usize, what: &BusEventKind) -> bool {
    match what {
        BusEventKind::State(state) => {
            let changed = change_bus(power, bus, |known| known.state.clone_from(state));
            if let BusState::Down { why, .. } = state {
                for place in places.on(bus) {
                    if !matches!(power.inverters[*place].state, UnitState::Silent { .. }) {
                        fell_silent(power, *place, at, why);
                    }
                }
            }
            changed
        }
        BusEventKind::Counters { counters, round, trouble } => change_bus(power, bus, |known| {
            (known.counters, known.round) = (*counters, *round);
            known.wire_trouble = trouble.map(|trouble| trouble_words(trouble).to_owned());
        }),
        BusEventKind::Unit { unit, what } => {
            places.of(bus, *unit).is_some_and(|place| fold_unit(power, place, at, what))
        }
    }
}

fn change_bus(power: &mut Arc<Power>, bus: usize, what: impl FnOnce(&mut Bus)) -> bool {
    let Some(known) = power.buses.get(bus) else { return false };
    let mut changed = (**known).clone();
    what(&mut changed);
    if changed == **known {
        return false;
    }
    Arc::make_mut(power).buses[bus] = Arc::new(changed);
    true
}

fn fold_unit(power: &mut Arc<Power>, place: usize, at: Time, what: &UnitEvent) -> bool {
    let Some(unit) = power.inverters.get(place).cloned() else { return false };
    match what {
        UnitEvent::Known(known) => {
            let changed = unit.known != **known;
            if changed {
                change(power, place, |unit| unit.known = (**known).clone());
            }
            changed
        }
        UnitEvent::Identity(identity, refusal) => {
            let to_confirm = to_confirm(identity, refusal.as_deref());
            let changed = unit.read_only != *refusal || unit.to_confirm != to_confirm;
            if changed {
                change(power, place, |unit| (unit.read_only, unit.to_confirm) = (refusal.clone(), to_confirm));
            }
            changed
        }
        UnitEvent::Answers => {
            let changed = unit.enabled && unit.state != UnitState::Answers;
            if changed {
                change(power, place, |unit| unit.state = UnitState::Answers);
            }
            changed
        }
        UnitEvent::Silent(why) => fell_silent(power, place, at, why),
        UnitEvent::Quarantined(ids) => {
            let changed = unit.quarantined != *ids;
            if changed {
                change(power, place, |unit| unit.quarantined.clone_from(ids));
            }
            changed
        }
        UnitEvent::Learned(_) | UnitEvent::Written { .. } => false,
    }
}

fn fell_silent(power: &mut Arc<Power>, place: usize, at: Time, why: &str) -> bool {
    let Some(unit) = power.inverters.get(place).filter(|unit| unit.enabled) else { return false };
    let since = match &unit.state {
        UnitState::Silent { why: known, .. } if known == why => return false,
        UnitState::Silent { since, .. } => *since,
        _ => at,
    };
    change(power, place, |unit| unit.state = UnitState::Silent { since, why: why.to_owned() });
    true
}

/// What a person may confirm.
fn to_confirm(identity: &Identity, refusal: Option<&str>) -> Option<String> {
    let why = refusal?;
    match identity {
        Identity::Different { .. } | Identity::Strange { .. } | Identity::Unverifiable { .. } => Some(why.to_owned()),
        Identity::Known { .. } | Identity::Unknown => None,
    }
}
