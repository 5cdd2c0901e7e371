//! What goes in and out of a machine's task.

use super::feed::Feed;
use crate::grbl::session::{JogOrder, SettingOrder};
use crate::grbl::{self, Line};
use crate::model::Endpoint;
use crate::model::command::{Origin, Outcome, Realtime, TicketId};
use crate::model::snapshot::{LinkState, LinkStats};
use crate::model::time::Time;

/// A command that the hub has found legal, made ready for the controller.
#[derive(Debug, PartialEq)]
pub struct Order {
    /// Its ticket; ends in exactly one [`EventKind::Outcome`].
    pub ticket: TicketId,
    /// What to do.
    pub what: OrderKind,
}

/// What an order asks for.
#[derive(Debug, PartialEq)]
pub enum OrderKind {
    /// Send this line.
    Line(Line),
    /// Move, by the rules of jogging.
    Jog(JogOrder),
    /// Write a setting and read it back.
    Set(SettingOrder),
    /// Have all settings listed.
    ListSettings,
    /// Send the lines of a program as they come. The ticket ends when the first may go; the rest comes as
    /// [`ProgramEvent`](crate::grbl::event::ProgramEvent)s.
    Program(Feed),
    /// Begin no more lines of it; a cycle start lets it go on.
    PauseProgram,
    /// Let it go on behind the wait at this line, if it rests there and nothing holds it.
    PassWait(u64),
    /// Close the link and open this one in its place.
    UsePort(Endpoint),
}

impl OrderKind {
    /// Voided by a jog cancel too.
    pub const fn is_jog(&self) -> bool {
        matches!(self, Self::Jog(_))
    }
}

/// Something happened on the link.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// When.
    pub at: Time,
    /// What.
    pub what: EventKind,
}

/// What happened.
#[derive(Clone, Debug, PartialEq)]
pub enum EventKind {
    /// From now on another port is meant: what was told before is of another machine.
    Port(Endpoint),
    /// How the link stands now.
    Link(LinkState),
    /// An order ended. Exactly once for each order that was queued.
    Outcome {
        /// Its ticket.
        ticket: TicketId,
        /// How.
        outcome: Outcome,
    },
    /// Realtime actions that are given to the session now, and who asked for them. What the session sends of its own
    /// accord has none.
    Asked(Vec<(Realtime, Origin)>),
    /// The same for those that the hub wants to have back: they were not sent.
    KeptBack(Vec<(Realtime, Origin)>),
    /// Anything else that the session told (its links and outcomes come as the two above).
    Session(grbl::Event),
    /// Counters, at most once a second while nothing else happens to them.
    Stats(LinkStats),
    /// A line or a realtime byte passed, as text. The first to be dropped when the hub is slow.
    Wire {
        /// To the controller.
        out: bool,
        /// Bytes made printable.
        text: String,
    },
}
