//! Events that wait for a slow hub.
//!
//! The task never waits for the hub. Of what describes a state only the newest is kept, in the place of the older; what became of settings
//! is never lost. So the box is bounded by the number of units, and by the orders that the hub itself has given.

use std::collections::VecDeque;

use super::order::{BusEvent, BusEventKind, UnitEvent};

/// With so many ends of settings waiting no further order is taken.
const CROWDED: usize = 64;

#[derive(Debug, Default)]
pub(super) struct Outbox {
    waiting: VecDeque<BusEvent>,
    written: usize,
}

/// Events of one place replace each other.
#[derive(PartialEq, Eq)]
enum Place {
    State,
    Counters,
    Known(usize),
    Identity(usize),
    Reach(usize),
    Quarantined(usize),
    Learned(usize),
}

fn place(what: &BusEventKind) -> Option<Place> {
    Some(match what {
        BusEventKind::State(_) => Place::State,
        BusEventKind::Counters { .. } => Place::Counters,
        BusEventKind::Unit { unit, what } => match what {
            UnitEvent::Known(_) => Place::Known(*unit),
            UnitEvent::Identity(..) => Place::Identity(*unit),
            UnitEvent::Answers | UnitEvent::Silent(_) => Place::Reach(*unit),
            UnitEvent::Quarantined(_) => Place::Quarantined(*unit),
            UnitEvent::Learned(_) => Place::Learned(*unit),
            UnitEvent::Written { .. } => return None,
        },
    })
}

impl Outbox {
    pub(super) fn push(&mut self, event: BusEvent) {
        match place(&event.what) {
            None => self.written += 1,
            Some(own) => {
                if let Some(older) = self.waiting.iter_mut().find(|older| place(&older.what).as_ref() == Some(&own)) {
                    *older = event;
                    return;
                }
            }
        }
        self.waiting.push_back(event);
    }

    pub(super) fn pop(&mut self) -> Option<BusEvent> {
        let event = self.waiting.pop_front()?;
        self.written -= usize::from(place(&event.what).is_none());
        Some(event)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    pub(super) const fn is_crowded(&self) -> bool {
        self.written >= CROWDED
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Time;
    use crate::model::command::TicketId;
    use crate::model::power::BusState;

    fn event(at: u64, what: BusEventKind) -> BusEvent {
        BusEvent { at: Time::from_millis(at), bus: 0, what }
    }

    #[test]
    fn the_newest_of_a_state_takes_the_place_of_the_older_and_no_end_is_lost() {
        let mut outbox = Outbox::default();
        let unit = |unit, what| BusEventKind::Unit { unit, what };
        let written = |ticket| UnitEvent::Written { ticket: TicketId(ticket), done: Err(Vec::new()) };
        outbox.push(event(1, BusEventKind::State(BusState::Opening)));
        outbox.push(event(2, unit(0, UnitEvent::Answers)));
        outbox.push(event(3, unit(0, written(1))));
        outbox.push(event(4, unit(1, UnitEvent::Answers)));
        outbox.push(event(5, unit(0, UnitEvent::Silent("gone".to_owned()))));
        outbox.push(event(6, BusEventKind::State(BusState::Open)));
        outbox.push(event(7, unit(0, written(2))));
        let order: Vec<u64> = std::iter::from_fn(|| outbox.pop()).map(|event| event.at.as_micros() / 1000).collect();
        assert_eq!(order, [6, 5, 3, 4, 7]);
        assert!(outbox.is_empty() && !outbox.is_crowded());
    }
}
