//! What a session tells its owner.

use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;

use crate::model::axes::{AxisSet, AxisVec};
use crate::model::command::{Outcome, Realtime, TicketId, VoidReason};
use crate::model::machine::{AlarmInfo, Identity, Limits, MessageLevel, ModalState, ProbeResult, StatusReport};
use crate::model::settings::SettingsTable;
use crate::model::snapshot::{Jog, LinkState, Stop};

/// Why a controller restarted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum ResetCause {
    /// A person asked for it.
    Asked,
    /// It came with the opening of the port, before anything was answered: some boards (Arduino Uno) reset then.
    OnOpening,
    /// Nobody asked: power, a reset button, another program, a crash.
    ByItself,
}

/// Something happened in the session. Events come in the order in which things happened.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub enum Event {
    /// The link's standing changed (asking, identifying, up, silent, foreign).
    Link(LinkState),
    /// The controller said who it is.
    Identified(Identity),
    /// A line went out, whole.
    Sent {
        /// Its ticket; `None` for the session's own lines (identification, listings).
        ticket: Option<TicketId>,
        /// As sent, without the line feed.
        text: String,
    },
    /// A realtime byte went out (status queries are not told).
    SentRealtime(Realtime),
    /// A ticket ended. Exactly once for each ticket that was accepted.
    Outcome {
        /// The ticket.
        ticket: TicketId,
        /// How it ended.
        outcome: Outcome,
    },
    /// A status report.
    Status(Box<StatusReport>),
    /// How often reports are expected from now on.
    ReportInterval(Duration),
    /// `ALARM:n`, with its row of the table.
    Alarm {
        /// Code, meaning, remedy; `None` when the controller is locked and told no code.
        info: Option<AlarmInfo>,
        /// Nothing but a soft reset is accepted now.
        needs_reset: bool,
    },
    /// The alarm is over: a report without alarm state was seen.
    AlarmCleared,
    /// Axes known to be homed changed.
    Homed(AxisSet),
    /// A homing cycle began or ended.
    Homing(bool),
    /// The controller restarted.
    Reset {
        /// Why.
        cause: ResetCause,
        /// The banner as printed.
        banner: String,
    },
    /// `[MSG:…]` and other text for people.
    Message {
        /// How serious.
        level: MessageLevel,
        /// Printable text.
        text: String,
    },
    /// `[GC:…]`.
    Modal(ModalState),
    /// One row of `$#`.
    Offset {
        /// `G54` … `G59.3`, `G28`, `G30`, `G92`, `TLO`.
        name: String,
        /// Values; `TLO` of Grbl has one (Z).
        value: AxisVec,
    },
    /// `[PRB:…]`.
    Probe(ProbeResult),
    /// One setting, `$n=v` or `$/path=v`.
    Setting {
        /// Without the `$`.
        name: String,
        /// As printed.
        value: String,
    },
    /// All that is known of the settings, after a listing or a change.
    Settings(Arc<SettingsTable>),
    /// Limits gathered from a settings listing.
    Limits(Box<Limits>),
    /// Bytes that made no sense.
    Garbage {
        /// How many.
        bytes: usize,
    },
    /// `ok` or `error` with nothing waiting for it.
    UnexpectedReply,
    /// Progress of a stop that was asked for.
    Stop(Stop),
    /// A jog began, changed or ended.
    Jog(Option<Jog>),
    /// Of the program whose lines go out.
    Program(ProgramEvent),
}

/// What happens to a program on the wire. Lines are counted as in the file, from 1; lines of a preamble are 0.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub enum ProgramEvent {
    /// How far it is; ten times a second at most.
    Progress {
        /// The last line that left, whole.
        sent_line: u64,
        /// The last line that was accepted.
        acked_line: u64,
        /// That line as sent.
        text: String,
    },
    /// A hold or an open door keeps lines back, or does so no more.
    Held(bool),
    /// It goes on after a pause or a wait.
    Resumed,
    /// The controller waits at a line (M0, M1, M6) for a cycle start.
    Asks {
        /// The line.
        number: u64,
    },
    /// The controller has gone on behind that line.
    Passed {
        /// The line.
        number: u64,
    },
    /// All that was sent is carried out and the machine stands.
    AtRest(Rest),
    /// The controller refused a line. Nothing more is sent; what moved is being held.
    Refused {
        /// The line.
        number: u64,
        /// `error:n`.
        code: u16,
        /// Meaning and remedy.
        meaning: String,
        /// As sent.
        text: String,
    },
    /// The feeder could not go on. Nothing more is sent; what moved is being held.
    Broken {
        /// What happened and what to do.
        why: String,
    },
    /// Over before its end. Nothing of it is sent any more.
    Ended(StreamEnd),
}

/// Why the machine stands in the middle or at the end of a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Rest {
    /// A pause at a line's end was asked for.
    Paused,
    /// The program waits for a person here, by sunmill.
    Waits {
        /// The line.
        number: u64,
    },
    /// It has come to its end.
    Finished,
}

/// What ended a program's lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum StreamEnd {
    /// What wiped out its lines.
    Void(VoidReason),
    /// Lines were never answered although the machine stood: bytes were lost on the way.
    LinesLost,
}
