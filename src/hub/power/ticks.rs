//! What is done by the clock: rows of the history, what drifted, what is waited for in vain.

use std::sync::Arc;
use std::time::Duration;

use super::energy::Ends;
use super::{drift, fold};
use crate::hub::run::Keeper;
use crate::inverter::Values;
use crate::model::Time;
use crate::model::command::{Outcome, TicketId, VoidReason};
use crate::store::now_ms;

/// Counters of energy are written down so often; what flows between is counted all the same after a restart.
const REMEMBER_EVERY: Duration = Duration::from_secs(300);

impl Keeper {
    pub(super) fn power_tick(&mut self, now: Time) {
        self.sample(now);
        self.give_up_writes(now);
        for place in 0..self.power.ends.len() {
            if !self.power.ends[place].saved.is_empty() && self.is_polled(place) {
                self.power.look(place);
            }
        }
        if now.since(self.power.remembered_at) >= REMEMBER_EVERY {
            self.power.remembered_at = now;
            self.power.remember_energies();
        }
    }

    fn is_polled(&self, place: usize) -> bool {
        self.snapshot.power.inverters.get(place).is_some_and(|unit| unit.enabled)
    }

    /// A row for each inverter that is polled; one without values where nothing is known of it.
    fn sample(&mut self, now: Time) {
        let at_ms = began(now_ms(), self.power.tick);
        for (unit, end) in self.snapshot.power.inverters.iter().zip(&mut self.power.ends) {
            let row = end.sampler.end(at_ms, &unit.known, now);
            if unit.enabled {
                self.power.kept.sample(&end.name, row);
            }
        }
    }

    /// Answers those whose bus has ended, or is not heard of any more.
    fn give_up_writes(&mut self, now: Time) {
        let buses = &self.power.buses;
        let ends = &self.power.ends;
        let closed = |place: usize| {
            let bus = ends.get(place).and_then(|end| buses.get(end.bus));
            bus.is_none_or(tokio::sync::mpsc::Sender::is_closed)
        };
        let over = self.power.open.iter().filter_map(|(ticket, open)| {
            let gone = closed(open.place);
            (gone || open.is_overdue(now)).then_some((*ticket, gone))
        });
        let over: Vec<_> = over.collect();
        for (ticket, gone) in over {
            self.give_up_write(now, ticket, gone);
        }
    }

    /// No bus is left.
    pub(super) fn buses_gone(&mut self, now: Time) {
        let open: Vec<_> = self.power.open.keys().copied().collect();
        for ticket in open {
            self.give_up_write(now, ticket, true);
        }
    }

    /// A set is not waited for any longer. If its bus lives its end is still written down when it comes.
    fn give_up_write(&mut self, now: Time, ticket: TicketId, gone: bool) {
        let Some(open) = self.power.open.get_mut(&ticket) else { return };
        let (place, sent, answered) = (open.place, open.sent, std::mem::replace(&mut open.answered, true));
        if gone {
            self.power.open.remove(&ticket);
        }
        if answered {
            return;
        }
        self.not_writing(place);
        let outcome = if gone { Outcome::Voided { why: VoidReason::LinkLost, sent } } else { Outcome::TimedOut };
        self.answer(now, ticket, outcome);
    }

    pub(super) fn not_writing(&mut self, place: usize) {
        fold::change(&mut self.snapshot.power, place, |unit| unit.writing = false);
        self.power_changed();
    }

    /// All that is known of an inverter: what drifted, and where its counters end.
    pub(super) fn looked(&mut self, now: Time, place: usize, values: &Values) {
        let Some(end) = self.power.ends.get_mut(place) else { return };
        if end.profile.as_ref().is_none_or(|known| !Arc::ptr_eq(known, values.profile())) {
            end.counter_ends = Ends::of_profile(values.profile());
            end.profile = Some(values.profile().clone());
        }
        let Some(unit) = self.snapshot.power.inverters.get(place) else { return };
        let drift = drift::look(values, &end.saved, &end.written, &unit.drift, now);
        if drift != unit.drift {
            fold::change(&mut self.snapshot.power, place, |unit| unit.drift = drift);
            self.power_changed();
        }
    }
}

/// The beginning of the tick that is over now.
fn began(now_ms: i64, tick: Duration) -> i64 {
    let every = i64::try_from(tick.as_millis()).unwrap_or(i64::MAX).max(1);
    // The timer may come a little early or late.
    (now_ms - every / 2).div_euclid(every) * every
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_of_the_tick_that_is_over_although_the_timer_is_not_exact() {
        let tick = Duration::from_secs(10);
        for now in [19_990, 20_000, 20_004, 24_000] {
            assert_eq!(began(now, tick), 10_000, "{now}");
        }
        assert_eq!(began(30_003, tick), 20_000);
    }
}
