//! What the controller prints, line by line.

use crate::model::axes::AxisVec;
use crate::model::machine::{Firmware, MessageLevel, ModalState, ProbeResult, StatusReport};

/// One received line, understood. Parsing never fails: what is not known is [`Reply::Text`].
#[derive(Clone, Debug, PartialEq)]
pub enum Reply {
    /// `ok`.
    Ok,
    /// `error:n`.
    Error(u16),
    /// `ALARM:n`.
    Alarm(u16),
    /// `<…>`.
    Status(Box<StatusReport>),
    /// A start-up banner.
    Banner(Banner),
    /// `[MSG:…]`, with the level that FluidNC tells.
    Message {
        /// Severity, Info where none is told.
        level: MessageLevel,
        /// Text without the brackets and the level.
        text: String,
    },
    /// `[GC:…]`.
    Modal(ModalState),
    /// `[G54:…]` … `[G92:…]`, `[TLO:…]`.
    Offset {
        /// The name before the colon.
        name: String,
        /// The numbers.
        value: AxisVec,
    },
    /// `[PRB:…]`.
    Probe(ProbeResult),
    /// Another bracketed pair of `$I`, `$#` and the like: `[VER:…]`, `[OPT:…]`, `[AXS:…]`, `[FIRMWARE:…]`, `[NEWOPT:…]`, `[HOME:…]`, `[T:…]`, `[HLP:…]`, `[FILE:…]`, …
    Info {
        /// Before the first colon.
        key: String,
        /// After it.
        value: String,
    },
    /// `[echo:…]`.
    Echo(String),
    /// `[JSON:…]`, one piece.
    Json(String),
    /// `$n=v` or `$/path=v`.
    Setting {
        /// Without the `$`.
        name: String,
        /// As printed.
        value: String,
    },
    /// `>line:ok` or `>line:error:n`: a stored start-up line that ran at boot.
    Startup {
        /// The line.
        line: String,
        /// `None` = ok.
        error: Option<u16>,
    },
    /// An empty line.
    Empty,
    /// Printable text that belongs to no known form (listings, boot messages, YAML).
    Text(String),
    /// Not text at all: wrong baud rate, a boot ROM at another rate, noise.
    Garbage(usize),
}

/// A start-up banner: `Grbl 1.1h ['$' for help]` and its relatives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Banner {
    /// Which family, as far as the banner tells (a grblHAL in compatibility mode says Grbl).
    pub firmware: Firmware,
    /// Version as printed, e.g. `1.1h`, `v4.0.5`.
    pub version: String,
    /// The whole line.
    pub text: String,
}
