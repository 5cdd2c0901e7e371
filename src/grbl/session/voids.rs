//! Orders that end without an answer of the controller: each ticket is told so, wherever it waits.

use super::core::Session;
use super::jogger::Jogger;
use super::outgoing::Outgoing;
use super::reports::Reports;
use super::window::Owner;
use crate::grbl::event::Event;
use crate::grbl::line::LineKind;
use crate::model::Time;
use crate::model::axes::AxisSet;
use crate::model::command::{Outcome, TicketId, VoidReason};

impl Session {
    /// Ends all tickets (sunmill is ending, or the owner gives up).
    pub fn void_all(&mut self, now: Time, why: VoidReason) {
        self.void_tickets(why);
        self.pump(now);
    }

    /// Forgets all that a new link or a restart of the controller makes untrue.
    pub(super) fn forget(&mut self, why: VoidReason) {
        self.void_tickets(why);
        self.assembler.clear();
        self.outgoing = Outgoing::default();
        self.reports = Reports::default();
        self.report = None;
        self.stop = None;
        self.unsettled = None;
        self.settle_mark = None;
        self.last_was_jog = false;
        self.resuming_until = None;
        self.restarting_until = None;
        self.in_hand = None;
        self.alarm = None;
        self.sticky_error = false;
        self.set_homed(AxisSet::EMPTY);
    }

    /// Answers every open ticket with "voided", wherever it waits.
    pub(super) fn void_tickets(&mut self, why: VoidReason) {
        self.void_settings(why);
        self.void_stream(why);
        let (sent, waiting) = self.window.clear();
        for (slots, sent) in [(sent, true), (waiting, false)] {
            for slot in slots {
                match slot.owner {
                    Owner::Ticket(ticket) if slot.kind == LineKind::Home && self.homing_has(ticket) => {}
                    Owner::Ticket(ticket) => self.outcome(ticket, Outcome::Voided { why, sent }),
                    Owner::Query(_) => self.queries.voided(),
                    Owner::JogIncrement | Owner::Sync | Owner::Program(_) => {}
                }
            }
        }
        if let Some(homing) = self.homing.take() {
            // Grbl resets itself after a homing alarm and never answers the `$H`.
            let outcome = match homing.failed {
                Some((code, text)) => Outcome::Failed { code, text },
                None => Outcome::Voided { why, sent: true },
            };
            self.outcome(homing.ticket, outcome);
            self.events.push_back(Event::Homing(false));
        }
        let open: Vec<_> = self.jogger.tickets().collect();
        for ticket in open {
            self.outcome(ticket, Outcome::Voided { why, sent: false });
        }
        self.jogger = Jogger::default();
    }

    fn homing_has(&self, ticket: TicketId) -> bool {
        self.homing.as_ref().is_some_and(|homing| homing.ticket == ticket)
    }

    /// A stop voids what was asked before it and has not left yet.
    pub(super) fn void_until(&mut self, all: TicketId, jogs: TicketId) {
        let is_void = |ticket: TicketId, jog: bool| ticket <= all || jog && ticket <= jogs;
        let gone = self
            .window
            .drop_pending(|slot| matches!(slot.owner, Owner::Ticket(ticket) if is_void(ticket, slot.is_jog())));
        let mut voided: Vec<TicketId> = gone
            .into_iter()
            .filter_map(|slot| match slot.owner {
                Owner::Ticket(ticket) => Some(ticket),
                _ => None,
            })
            .collect();
        self.jogger.steps.retain(|step| {
            let void = is_void(step.ticket, true);
            if void {
                voided.push(step.ticket);
            }
            !void
        });
        if let Some(lease) = self.jogger.next_lease.take_if(|lease| is_void(lease.ticket, true)) {
            voided.push(lease.ticket);
        }
        for ticket in voided {
            self.outcome(ticket, Outcome::Voided { why: VoidReason::Stop, sent: false });
        }
    }
}
