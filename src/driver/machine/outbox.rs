//! Events that wait for a slow hub.
//!
//! The task never waits for the hub. What the hub has not taken stays here, and the box is bounded: when it is
//! [`crowded`](Outbox::is_crowded) no further order is read, when it is [`full`](Outbox::is_full) the port is not read
//! either. Status reports coalesce to the newest; views of the wire are dropped and counted. Nothing else is lost.

use std::collections::VecDeque;

use tokio::sync::mpsc;

use super::event::{Event, EventKind};
use crate::grbl;
use crate::model::machine::StatusReport;

/// From here on no order is read, and the wire is not shown.
const CROWDED: usize = 256;
/// From here on the port is not read.
const FULL: usize = 4096;

#[derive(Debug, Default)]
pub(super) struct Outbox {
    waiting: VecDeque<Event>,
    unseen: u64,
}

/// The hub is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct HubGone;

impl Outbox {
    pub(super) fn push(&mut self, mut event: Event) {
        match &mut event.what {
            EventKind::Wire { .. } if self.is_crowded() => {
                self.unseen += 1;
                return;
            }
            EventKind::Wire { .. } if self.unseen > 0 => {
                let text = format!("({} lines not shown)", std::mem::take(&mut self.unseen));
                self.waiting.push_back(Event { at: event.at, what: EventKind::Wire { out: false, text } });
            }
            EventKind::Session(grbl::Event::Status(report)) => self.supersede_status(report),
            EventKind::Stats(_) => self.waiting.retain(|old| !matches!(old.what, EventKind::Stats(_))),
            _ => {}
        }
        self.waiting.push_back(event);
    }

    /// A view of the wire that is not to be shown.
    pub(super) fn pass_over(&mut self) {
        self.unseen += 1;
    }

    /// Takes out a waiting report that `newer` replaces, unless something happened since that gives the older one its
    /// place in the order. What only some reports tell is carried over.
    fn supersede_status(&mut self, newer: &mut StatusReport) {
        let since_last_fact = self
            .waiting
            .iter()
            .enumerate()
            .rev()
            .take_while(|(_, e)| {
                matches!(
                    e.what,
                    EventKind::Stats(_) | EventKind::Wire { .. } | EventKind::Session(grbl::Event::Status(_))
                )
            })
            .find(|(_, e)| matches!(e.what, EventKind::Session(_)))
            .map(|(index, _)| index);
        let Some(Event { what: EventKind::Session(grbl::Event::Status(older)), .. }) =
            since_last_fact.and_then(|index| self.waiting.remove(index))
        else {
            return;
        };
        newer.position = newer.position.or(older.position);
        newer.wco = newer.wco.or(older.wco);
        newer.overrides = newer.overrides.or(older.overrides);
        newer.accessories = newer.accessories.or(older.accessories);
        newer.buffer = newer.buffer.or(older.buffer);
        newer.feed = newer.feed.or(older.feed);
        newer.spindle_rpm = newer.spindle_rpm.or(older.spindle_rpm);
        newer.homed = newer.homed.or(older.homed);
    }

    /// Nothing waits, or only the view of a question: that one goes with the answer, so that five times a second one wake-up
    /// is saved in everything that watches.
    pub(super) fn is_quiet(&self) -> bool {
        match self.waiting.front() {
            None => true,
            Some(Event { what: EventKind::Wire { out: true, text }, .. }) => self.waiting.len() == 1 && text == "?",
            Some(_) => false,
        }
    }

    /// Hands over as much as the hub takes now.
    pub(super) fn flush(&mut self, hub: &mpsc::Sender<Event>) -> Result<(), HubGone> {
        while !self.waiting.is_empty() {
            match hub.try_reserve() {
                Ok(place) => {
                    if let Some(event) = self.waiting.pop_front() {
                        place.send(event);
                    }
                }
                Err(mpsc::error::TrySendError::Full(())) => return Ok(()),
                Err(mpsc::error::TrySendError::Closed(())) => return Err(HubGone),
            }
        }
        Ok(())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    pub(super) fn is_crowded(&self) -> bool {
        self.waiting.len() >= CROWDED
    }

    pub(super) fn is_full(&self) -> bool {
        self.waiting.len() >= FULL
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::axes::AxisVec;
    use crate::model::command::{Outcome, TicketId};
    use crate::model::machine::{MachineState, ReportedPosition, StateKind};
    use crate::model::time::Time;

    fn report(x: f64) -> StatusReport {
        StatusReport {
            position: Some(ReportedPosition::Machine(AxisVec::from_slice(&[x]))),
            ..StatusReport::of(MachineState::plain(StateKind::Idle))
        }
    }

    fn status(report: StatusReport) -> EventKind {
        EventKind::Session(grbl::Event::Status(Box::new(report)))
    }

    fn outcome(id: u64) -> EventKind {
        EventKind::Outcome { ticket: TicketId(id), outcome: Outcome::Done }
    }

    fn wire() -> EventKind {
        EventKind::Wire { out: false, text: "ok".into() }
    }

    fn push(outbox: &mut Outbox, what: EventKind) {
        outbox.push(Event { at: Time::ZERO, what });
    }

    fn drain(outbox: &mut Outbox) -> Vec<EventKind> {
        let (tx, mut rx) = mpsc::channel(10_000);
        outbox.flush(&tx).unwrap();
        std::iter::from_fn(|| rx.try_recv().ok()).map(|event| event.what).collect()
    }

    #[test]
    fn the_newest_report_replaces_the_older_and_keeps_what_it_alone_told() {
        let mut outbox = Outbox::default();
        let wco = Some(AxisVec::from_slice(&[5.0]));
        push(&mut outbox, status(StatusReport { wco, ..report(1.0) }));
        push(&mut outbox, wire());
        push(&mut outbox, status(report(2.0)));
        assert_eq!(drain(&mut outbox), [wire(), status(StatusReport { wco, ..report(2.0) })]);
    }

    #[test]
    fn a_report_before_an_outcome_keeps_its_place() {
        let mut outbox = Outbox::default();
        push(&mut outbox, status(report(1.0)));
        push(&mut outbox, outcome(1));
        push(&mut outbox, status(report(2.0)));
        assert_eq!(drain(&mut outbox), [status(report(1.0)), outcome(1), status(report(2.0))]);
    }

    #[test]
    fn the_wire_gives_way_and_its_losses_are_counted_but_no_outcome_is_lost() {
        let mut outbox = Outbox::default();
        for id in 0..1000 {
            push(&mut outbox, outcome(id));
            push(&mut outbox, wire());
        }
        assert!(outbox.is_crowded() && !outbox.is_full());
        let got = drain(&mut outbox);
        let outcomes: Vec<_> = got.iter().filter(|e| !matches!(e, EventKind::Wire { .. })).cloned().collect();
        assert_eq!(outcomes, (0..1000).map(outcome).collect::<Vec<_>>());
        let shown = got.len() - outcomes.len();
        push(&mut outbox, wire());
        let told = drain(&mut outbox);
        let EventKind::Wire { text, .. } = &told[0] else { panic!("{told:?}") };
        assert!(text.contains(&format!("{} lines", 1000 - shown)), "{text}");
        assert_eq!(told[1], wire());
    }

    #[test]
    fn a_question_alone_is_nothing_to_wake_the_hub_for() {
        let question = || EventKind::Wire { out: true, text: "?".into() };
        let mut outbox = Outbox::default();
        assert!(outbox.is_quiet());
        push(&mut outbox, question());
        assert!(outbox.is_quiet() && !outbox.is_empty());
        push(&mut outbox, question());
        assert!(!outbox.is_quiet(), "nobody answers: that is to be seen");
        assert_eq!(drain(&mut outbox).len(), 2);
        push(&mut outbox, wire());
        assert!(!outbox.is_quiet());
    }

    #[test]
    fn a_hub_that_takes_one_at_a_time_gets_them_in_order() {
        let (tx, mut rx) = mpsc::channel(1);
        let mut outbox = Outbox::default();
        (0..3).for_each(|id| push(&mut outbox, outcome(id)));
        for id in 0..3 {
            outbox.flush(&tx).unwrap();
            assert_eq!(rx.try_recv().unwrap().what, outcome(id));
        }
        assert!(outbox.is_empty());
        drop(rx);
        push(&mut outbox, outcome(3));
        assert_eq!(outbox.flush(&tx), Err(HubGone));
    }
}
