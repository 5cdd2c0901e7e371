//! Every command that was asked and is not answered yet.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use crate::model::command::{Command, Origin, Ticket, TicketId};
use crate::model::hub::Request;
use crate::model::time::Time;

use super::arbiter;
use super::audit::Audited;
use crate::driver::machine::OrderKind;
use crate::model::work::Work;

/// Characters of what was asked that are kept: some thousands of such words are.
const LONGEST_WORDS: usize = 1000;

/// One open command.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) ticket: Ticket,
    /// What was asked, in short.
    pub(super) what: String,
    pub(super) audited: Audited,
    /// When it was asked by the calendar, if it stands in the audit already.
    pub(super) asked_ms: Option<i64>,
    /// A person wants to see what the controller prints.
    typed: bool,
    /// It undoes this entry of the history of offsets.
    undoes: Option<u64>,
    /// What is to follow when the present order was accepted.
    rest: VecDeque<OrderKind>,
}

/// Why offsets change: the last command that could do so.
#[derive(Clone, Debug)]
pub(super) struct Cause {
    pub(super) who: Origin,
    pub(super) what: String,
    pub(super) undoes: Option<u64>,
}

impl Entry {
    /// From the asking until `now`.
    pub(super) fn latency(&self, now: Time) -> Duration {
        now.since(self.ticket.at)
    }
}

/// Open commands by ticket. An entry is taken out once, so that a ticket cannot be answered twice.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    open: HashMap<TicketId, Entry>,
}

impl Ledger {
    /// A command was asked now.
    pub(super) fn open(&mut self, request: &Request, now: Time) {
        let ticket = Ticket { id: request.ticket, origin: request.origin.clone(), at: now };
        let what: String = arbiter::describe(&request.command).chars().take(LONGEST_WORDS).collect();
        let audited = Audited::of(&request.command);
        let typed = matches!(request.command, Command::Mdi(_));
        let undoes = match &request.command {
            Command::Work(Work::Undo(id)) => Some(*id),
            _ => None,
        };
        let rest = VecDeque::new();
        self.open.insert(request.ticket, Entry { ticket, what, audited, asked_ms: None, typed, undoes, rest });
    }

    /// What is open under this ticket.
    pub(super) fn entry(&mut self, ticket: TicketId) -> Option<&mut Entry> {
        self.open.get_mut(&ticket)
    }

    /// These follow when the present order of the ticket was accepted.
    pub(super) fn continue_with(&mut self, ticket: TicketId, rest: VecDeque<OrderKind>) {
        if let Some(entry) = self.open.get_mut(&ticket) {
            entry.rest = rest;
        }
    }

    /// What follows now.
    pub(super) fn next(&mut self, ticket: TicketId) -> Option<OrderKind> {
        self.open.get_mut(&ticket)?.rest.pop_front()
    }

    /// Who asked for what, while it is not answered.
    pub(super) fn cause(&self, ticket: TicketId) -> Option<Cause> {
        let entry = self.open.get(&ticket)?;
        Some(Cause { who: entry.ticket.origin.clone(), what: entry.what.clone(), undoes: entry.undoes })
    }

    /// It is answered. `None`: it was already, or never asked.
    pub(super) fn close(&mut self, ticket: TicketId) -> Option<Entry> {
        self.open.remove(&ticket)
    }

    /// Who asked; the hub itself where nobody did.
    pub(super) fn origin(&self, ticket: TicketId) -> Origin {
        self.open.get(&ticket).map_or(Origin::Hub, |entry| entry.ticket.origin.clone())
    }

    /// Somebody typed a line that is not answered yet.
    pub(super) fn awaits_listing(&self) -> bool {
        self.open.values().any(|entry| entry.typed)
    }

    /// All that is still open, oldest first.
    pub(super) fn drain(&mut self) -> Vec<Entry> {
        let mut entries: Vec<_> = self.open.drain().map(|(_, entry)| entry).collect();
        entries.sort_by_key(|entry| entry.ticket.id);
        entries
    }
}
