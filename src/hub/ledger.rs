//! Every command that was asked and is not answered yet.

use std::collections::HashMap;
use std::time::Duration;

use crate::model::command::{Command, Origin, Ticket, TicketId};
use crate::model::hub::Request;
use crate::model::time::Time;

use super::arbiter;

/// One open command.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) ticket: Ticket,
    /// What was asked, in short.
    pub(super) what: String,
    /// A person wants to see what the controller prints.
    typed: bool,
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
        let what = arbiter::describe(&request.command);
        let typed = matches!(request.command, Command::Mdi(_));
        self.open.insert(request.ticket, Entry { ticket, what, typed });
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
