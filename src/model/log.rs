//! The hub's log: what was sent, what came back, what it means. Ids rise by one and never repeat.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::command::{Origin, Outcome, Realtime, TicketId};
use super::machine::{MachineState, MessageLevel};
use super::time::Time;

/// One line of the log.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LogEntry {
    /// Rises by one per entry.
    pub id: u64,
    /// When it happened.
    pub at: Time,
    /// What happened.
    pub what: LogItem,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum LogItem {
    /// A line went out.
    Sent {
        /// Its ticket.
        ticket: TicketId,
        /// Who asked.
        origin: Origin,
        /// The text as sent.
        text: String,
    },
    /// A realtime byte went out.
    SentRealtime(Realtime),
    /// A line that the controller printed. Status reports and `ok`s are not among them, but in [`LogItem::Wire`].
    Received {
        /// How serious the controller says it is.
        level: MessageLevel,
        /// The text as received, made printable.
        text: String,
    },
    /// A command ended.
    Outcome {
        /// Its ticket.
        ticket: TicketId,
        /// Who asked.
        origin: Origin,
        /// What was asked, in short.
        what: String,
        /// How it ended.
        outcome: Outcome,
        /// From the asking to the end.
        latency: Duration,
    },
    /// An alarm.
    Alarm {
        /// The number, 0 where the controller told none.
        code: u16,
        /// Meaning and remedy.
        text: String,
    },
    /// The state changed.
    State(MachineState),
    /// Something about the link or sunmill itself.
    Note {
        /// How serious it is.
        level: MessageLevel,
        /// A sentence.
        text: String,
    },
    /// Anything on the wire, status noise included; only where the wire view asks for it.
    Wire {
        /// `true`: to the controller.
        out: bool,
        /// Bytes made printable.
        text: String,
    },
}
