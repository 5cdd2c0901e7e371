//! What buses tell, as it reaches snapshot, memory, log and audit.

use super::energy::Now;
use super::fold::{self, trouble_words};
use super::memory::{Device, Memory};
use super::said::{Saying, words};
use crate::driver::bus::{BusEvent, BusEventKind, UnitEvent};
use crate::hub::run::Keeper;
use crate::inverter::{Identity, Learned};
use crate::model::Time;
use crate::model::power::{BusState, UnitState};
use crate::store::now_ms;

impl Keeper {
    pub(super) fn take_bus(&mut self, event: BusEvent) {
        let BusEvent { at, bus, mut what } = event;
        self.before(bus, &mut what);
        self.say_news(at, bus, &what);
        self.snapshot.at = at.max(self.snapshot.at);
        if fold::fold(&mut self.snapshot.power, &self.power.places, at, bus, &what) {
            self.power_changed();
        }
        if let BusEventKind::Unit { unit, what } = what
            && let Some(place) = self.power.places.of(bus, unit)
        {
            self.after(at, place, what);
        }
    }

    /// What stands in the counters of energy comes to what has flowed.
    fn before(&mut self, bus: usize, what: &mut BusEventKind) {
        let BusEventKind::Unit { unit, what: UnitEvent::Known(known) } = what else { return };
        let Some(place) = self.power.places.of(bus, *unit) else { return };
        // A device that nobody has confirmed is not counted on.
        if self.snapshot.power.inverters.get(place).is_none_or(|unit| unit.to_confirm.is_some()) {
            return;
        }
        let now_ms = now_ms();
        let day = self.power.date(now_ms);
        let Some(end) = self.power.ends.get_mut(place) else { return };
        let now = Now { unix_ms: now_ms.unsigned_abs(), day: &day };
        end.counted |= end.memory.energies.apply(known, &end.counter_ends, now);
    }

    fn after(&mut self, at: Time, place: usize, what: UnitEvent) {
        match what {
            UnitEvent::Known(known) => {
                let Some(end) = self.power.ends.get_mut(place) else { return };
                end.sampler.look(&known, at);
                end.step.look(&known);
                let (name, sayings) = (end.name.clone(), end.said.look(&known, at));
                for saying in sayings {
                    self.say(at, &name, saying);
                }
            }
            UnitEvent::Identity(Identity::Known { serial }, _) => self.settled(place, serial),
            UnitEvent::Identity(..) => {}
            UnitEvent::Answers => self.power.look(place),
            UnitEvent::Learned(learned) => self.learned(place, learned),
            UnitEvent::Written { ticket, done } => self.written(at, ticket, done),
            UnitEvent::Silent(_) | UnitEvent::Quarantined(_) => {}
        }
    }

    /// This device is the one to talk to, at the next start too.
    fn settled(&mut self, place: usize, serial: String) {
        let Some(end) = self.power.ends.get_mut(place) else { return };
        if end.memory.device.serial.as_ref() == Some(&serial) {
            return;
        }
        if end.memory.device.serial.is_some() {
            // What was counted and learned was another's.
            let enabled = end.memory.device.enabled;
            end.memory = Memory { device: Device { enabled, ..Device::default() }, ..Memory::default() };
            end.counted = true;
            end.said.forget();
        }
        end.memory.device.serial = Some(serial);
        self.power.remember(place);
        self.power.show_books();
    }

    fn learned(&mut self, place: usize, learned: Learned) {
        if let Some(end) = self.power.ends.get_mut(place) {
            end.memory.device.learned = learned;
            self.power.remember(place);
        }
    }

    /// What people should hear of, before the snapshot has it.
    fn say_news(&mut self, at: Time, bus: usize, what: &BusEventKind) {
        let Some(known) = self.snapshot.power.buses.get(bus).cloned() else { return };
        let name = known.name.as_str();
        match what {
            BusEventKind::State(state) => {
                if let Some(saying) = self.state_saying(at, bus, name, state) {
                    self.say(at, name, saying);
                }
            }
            BusEventKind::Counters { trouble, .. } => match (known.wire_trouble.is_some(), trouble) {
                (false, Some(trouble)) => {
                    self.say(at, name, Saying::warning(format!("{name}: {}", trouble_words(*trouble))));
                }
                (true, None) => self.say(at, name, Saying::info(format!("{name}: its wire is as it should be again"))),
                _ => {}
            },
            BusEventKind::Unit { unit, what } => {
                if let Some(place) = self.power.places.of(bus, *unit) {
                    self.say_unit(at, place, what, matches!(known.state, BusState::Down { .. }));
                }
            }
        }
    }

    fn state_saying(&mut self, at: Time, bus: usize, name: &str, state: &BusState) -> Option<Saying> {
        let mut ends = self.power.ends.iter().filter(|end| end.bus == bus);
        let maybe = perhaps(ends.find_map(|end| end.step.maybe_grid(at)));
        let said = self.power.down_said.get_mut(bus)?;
        match state {
            // Each try brings it again.
            BusState::Down { why, .. } if said.as_ref() != Some(why) => {
                *said = Some(why.clone());
                Some(Saying::warning(format!("{name}: the bus is down: {why}{maybe}")))
            }
            BusState::Open => said.take().map(|_| Saying::info(format!("{name}: the bus is open again"))),
            _ => None,
        }
    }

    fn say_unit(&mut self, at: Time, place: usize, what: &UnitEvent, bus_is_down: bool) {
        let Some(unit) = self.snapshot.power.inverters.get(place).cloned() else { return };
        let name = unit.known.name.as_str();
        let maybe = perhaps(self.power.ends.get(place).and_then(|end| end.step.maybe_grid(at)));
        let saying = match (what, &unit.state) {
            _ if !unit.enabled => None,
            (UnitEvent::Answers, UnitState::Silent { since, .. }) => {
                Some(Saying::info(format!("{name} answers again after {}", words(at.since(*since)))))
            }
            (UnitEvent::Answers, UnitState::Waiting | UnitState::Off) => Some(Saying::info(format!("{name} answers"))),
            (UnitEvent::Silent(why), UnitState::Waiting | UnitState::Answers) if !bus_is_down => {
                Some(Saying::warning(format!("{name} does not answer: {why}{maybe}")))
            }
            (UnitEvent::Identity(Identity::Different { expected, found }, Some(_)), _) if unit.to_confirm.is_none() => {
                Some(Saying::warning(format!(
                    "{name}: another device answers ({found} instead of {expected}); nothing is written to it until \
                     a person confirms it"
                )))
            }
            _ => None,
        };
        if let Some(saying) = saying {
            self.say(at, name, saying);
        }
    }
}

/// To be put behind what is told of a silence.
fn perhaps(maybe: Option<String>) -> String {
    maybe.map_or_else(String::new, |maybe| format!("; {maybe}"))
}
