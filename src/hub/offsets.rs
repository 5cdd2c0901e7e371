//! The history of offsets: told by the controller's own listing, so that whoever made a change is in it.

use std::collections::BTreeMap;

use super::ledger::{Cause, Ledger};
use crate::driver::machine::{Event, EventKind};
use crate::grbl::{self, Line};
use crate::model::axes::AxisVec;
use crate::model::command::Origin;
use crate::model::snapshot::{LinkState, Snapshot};
use crate::model::work::{OffsetChange, Slot};

/// Entries that are kept.
const KEPT: usize = 32;

/// Watches `$#` for what differs from the listing before.
#[derive(Debug, Default)]
pub(super) struct OffsetWatch {
    last_id: u64,
    /// What the next differences come from.
    cause: Option<Cause>,
    /// The last listing.
    seen: BTreeMap<Slot, AxisVec>,
}

impl OffsetWatch {
    /// Takes in an event *before* it is folded; adds to the history what it changes.
    pub(super) fn before(&mut self, event: &Event, snapshot: &mut Snapshot, ledger: &Ledger) {
        let what = match &event.what {
            // Another controller may answer now: nothing of the old one is compared with it.
            EventKind::Link(state) | EventKind::Session(grbl::Event::Link(state))
                if *state == LinkState::Asking && !snapshot.machine.link.is_open() =>
            {
                *self = Self { last_id: self.last_id, ..Self::default() };
                snapshot.offset_history.clear();
                return;
            }
            EventKind::Session(what) => what,
            _ => return,
        };
        match what {
            grbl::Event::Sent { ticket: Some(ticket), text } => {
                let firmware = snapshot.machine.identity.as_ref().map(|identity| identity.firmware);
                if Line::new(text, firmware).is_ok_and(|line| line.changes_coordinates())
                    && let Some(cause) = ledger.cause(*ticket)
                {
                    self.cause = Some(cause);
                }
            }
            grbl::Event::Reset { cause, .. } => {
                let asked = *cause == grbl::event::ResetCause::Asked;
                let what = if asked { "reset" } else { "the controller restarted" };
                self.cause = Some(Cause { who: Origin::Hub, what: what.to_owned(), undoes: None });
            }
            grbl::Event::Offset { name, value } => self.listed(event, name, value, snapshot),
            _ => {}
        }
    }

    fn listed(&mut self, event: &Event, name: &str, value: &AxisVec, snapshot: &mut Snapshot) {
        let Some(slot) = Slot::from_name(name) else { return };
        let value = super::fold::in_mm(&snapshot.machine.limits, *value);
        if let Some(before) = self.seen.insert(slot, value) {
            let (who, what, undoes) = match &self.cause {
                Some(cause) => (cause.who.clone(), cause.what.clone(), cause.undoes),
                None => (Origin::Hub, "not by sunmill".to_owned(), None),
            };
            let id = self.last_id + 1;
            let change = OffsetChange { id, at: event.at, who, what, slot, before, after: value, undoes };
            if !change.axes().is_empty() {
                self.last_id = id;
                if snapshot.offset_history.len() >= KEPT {
                    snapshot.offset_history.remove(0);
                }
                snapshot.offset_history.push(change);
            }
        }
        if slot == Slot::Tlo {
            // The last row: what differs in the next listing has another cause.
            self.cause = None;
        }
    }
}
