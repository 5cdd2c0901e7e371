//! What is asked of a bus's task, and what it tells. Units are counted in the order in which the bus was given them.

use std::sync::Arc;

use tokio::sync::oneshot;

use super::stats::WireTrouble;
use crate::inverter::write::Done;
use crate::inverter::{Identity, Learned, Values};
use crate::model::Time;
use crate::model::command::TicketId;
use crate::model::power::{BusCounters, BusState, ChangeRow, Inverter, PollClass, Wanted};

/// An order to a bus's task. The queue of orders is bounded; a full one refuses at once.
#[derive(Debug)]
pub enum BusOrder {
    /// Write settings to a unit. Ends in exactly one [`UnitEvent::Written`] with this ticket.
    Set {
        /// Whose.
        ticket: TicketId,
        /// To which unit.
        unit: usize,
        /// What.
        settings: Vec<Wanted>,
        /// Dangerous settings may be written.
        armed: bool,
    },
    /// What these changes would do, by the one validator; nothing is written.
    Check {
        /// To which unit.
        unit: usize,
        /// What.
        settings: Vec<Wanted>,
        /// Dangerous settings are not refused for not being armed.
        armed: bool,
        /// In the order of writing; or all that is wrong.
        answer: oneshot::Sender<Result<Vec<ChangeRow>, Vec<String>>>,
    },
    /// All that is known of a unit now, for register browser and settings page.
    Look {
        /// Which.
        unit: usize,
        /// Where to.
        answer: oneshot::Sender<Arc<Values>>,
    },
    /// Read a class of registers now.
    Want {
        /// Of which unit.
        unit: usize,
        /// Which.
        class: PollClass,
    },
    /// A person says that the device that answers is the right one.
    Confirm {
        /// Which unit.
        unit: usize,
    },
    /// Poll a unit, or leave it alone.
    Enable {
        /// Which.
        unit: usize,
        /// Whether it is polled.
        on: bool,
    },
    /// Open the bus now instead of waiting for the back-off.
    Reconnect,
}

/// Something that a bus's task tells.
#[derive(Clone, Debug)]
pub struct BusEvent {
    /// When.
    pub at: Time,
    /// Which bus, in the order of configuration.
    pub bus: usize,
    /// What.
    pub what: BusEventKind,
}

/// What a bus's task tells.
#[derive(Clone, Debug)]
pub enum BusEventKind {
    /// It is open, down, or silent for a while.
    State(BusState),
    /// Counters, at most once a second, and only when they have changed.
    Counters {
        /// Since start.
        counters: BusCounters,
        /// How long the last round of the safety class took.
        round: Option<std::time::Duration>,
        /// What is wrong with its wire.
        trouble: Option<WireTrouble>,
    },
    /// About a unit.
    Unit {
        /// Which.
        unit: usize,
        /// What.
        what: UnitEvent,
    },
}

/// What a bus's task tells of a unit.
#[derive(Clone, Debug)]
pub enum UnitEvent {
    /// What it measures, after every answer that changed something; also when it went silent (its readings are lost then).
    Known(Box<Inverter>),
    /// Who answers. The second part says why nothing is written to it; `None`: it may be written.
    Identity(Identity, Option<String>),
    /// It answers, or answers again.
    Answers,
    /// It does not answer any more: why, as far as that can be told.
    Silent(String),
    /// The registers that it refuses to tell, by id.
    Quarantined(Vec<String>),
    /// What was learned of it changed: to be kept over restarts.
    Learned(Learned),
    /// A set of settings came to its end.
    Written {
        /// Whose.
        ticket: TicketId,
        /// What became of each; or why nothing was written at all.
        done: Result<Vec<Done>, Vec<String>>,
    },
}
