//! What a person, a script or a rule can ask of the machine, and what becomes of it.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::axes::{Axis, AxisSet, AxisVec};
use super::endpoint::Endpoint;
use super::jog::JogVector;
use super::people::ControlOrder;
use super::power::PowerOrder;
use super::program::ProgramOrder;
use super::sun::SunOrder;
use super::time::Time;
use super::work::{GoTo, Switch, Work};

/// Number of a command, rising by one over the whole hub. A stop voids all that were asked before it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct TicketId(pub u64);

/// One attached client; 0 is the hub itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ClientId(pub u32);

/// Who asked.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Origin {
    /// The hub, for its own book-keeping (identification, listings).
    Hub,
    /// A person at a screen.
    Screen(ClientId),
    /// A script.
    Script(ClientId),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Hub => f.write_str("sunmill"),
            Self::Screen(client) => write!(f, "screen {}", client.0),
            Self::Script(client) => write!(f, "script {}", client.0),
        }
    }
}

/// Goes with each command but the realtime ones; every ticket ends in exactly one [`Outcome`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ticket {
    /// Its number.
    pub id: TicketId,
    /// Who asked.
    pub origin: Origin,
    /// When it was asked.
    pub at: Time,
}

/// The realtime lane: bits that cannot be refused for being busy and that coalesce.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Realtime {
    /// Bring motion to a stand, by the stop table (state × firmware). Position is kept where it can be.
    Stop,
    /// `!`, by the same table.
    FeedHold,
    /// Hold, wait for `Hold:0`, reset: ends a program and keeps position.
    StopProgram,
    /// 0x18, at once.
    SoftReset,
    /// 0x85, repeated until the machine is not jogging.
    JogCancel,
    /// `~`.
    CycleStart,
    /// 0x84.
    SafetyDoor,
    /// `?`, once.
    StatusQuery,
    /// Feed override.
    FeedOverride(OverrideStep),
    /// Rapid override: 100, 50 or 25 %.
    RapidOverride(RapidStep),
    /// Spindle override.
    SpindleOverride(OverrideStep),
    /// 0x9E, in Hold only.
    SpindleStop,
    /// 0xA0.
    FloodToggle,
    /// 0xA1.
    MistToggle,
    /// Try to open the link now instead of waiting for the back-off.
    ReconnectNow,
}

/// Steps of the feed and spindle overrides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum OverrideStep {
    /// Back to 100 %.
    Reset,
    /// +10 %.
    CoarsePlus,
    /// −10 %.
    CoarseMinus,
    /// +1 %.
    FinePlus,
    /// −1 %.
    FineMinus,
}

/// Rapid override settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum RapidStep {
    /// 100 %.
    Full,
    /// 50 %.
    Half,
    /// 25 %.
    Quarter,
}

/// What to home.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum HomeTarget {
    /// `$H`.
    All,
    /// `$HX` and so on.
    One(Axis),
}

/// The interactive lane: bounded, answered once, refused at once with the reason when it cannot be.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Command {
    /// A line typed by a person, G-code or `$`.
    Mdi(String),
    /// One exact step: signed distance per axis (mm or degrees; zero = not moved), at a feed.
    JogStep {
        /// Signed distances.
        distance: AxisVec,
        /// Feed in mm/min (deg/min for rotary axes).
        feed_mm_min: f64,
    },
    /// Keep jogging this way: starts a lease or renews it. Without a renewal the machine stops.
    JogContinue {
        /// Direction and feed.
        vector: JogVector,
        /// How long this renewal lasts; clamped to 100–300 ms.
        lease: Duration,
    },
    /// `$H` or one axis.
    Home(HomeTarget),
    /// `$X`.
    Unlock,
    /// Make the present position read `value` in the active work coordinate system (`G10 L20 P0`).
    SetWork {
        /// Axes to set.
        axes: AxisSet,
        /// The value, mm or degrees.
        value: f64,
    },
    /// Write a setting of the controller, alone, and read it back. Done only if it keeps that value.
    SetSetting {
        /// Without the `$`.
        key: String,
        /// As typed; checked against the setting's row.
        value: String,
    },
    /// Have the controller list all its settings with what they mean.
    ReadSettings,
    /// Keep all settings in a file with today's date.
    BackupSettings,
    /// Compare a backup with the machine, or with another backup.
    CompareBackup {
        /// The backup.
        name: String,
        /// The other one; `None`: the machine.
        with: Option<String>,
    },
    /// Set what differs from a backup, one by one; stops at the first that fails.
    RestoreSettings {
        /// The backup.
        name: String,
        /// What was typed to allow a backup of another machine
        /// ([`RESTORE_WORD`](crate::model::settings::RESTORE_WORD)); else empty.
        word: String,
    },
    /// Another change of offsets, or of the active coordinate system.
    Work(Work),
    /// A move to a place, after a lift of Z where that is asked for.
    GoTo(GoTo),
    /// Spindle, coolant, outputs, sleep, check mode.
    Switch(Switch),
    /// To the program runner.
    Program(ProgramOrder),
    /// Close the link and open this one in its place; all that is known of the old machine is forgotten.
    UsePort(Endpoint),
    /// About inverters.
    Power(PowerOrder),
    /// About rules and parking.
    Sun(SunOrder),
    /// About who is in control.
    Control(ControlOrder),
}

/// Why a command was not taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{0}")]
pub struct Refused(pub String);

impl Refused {
    /// With this reason, a sentence fragment that says what to do.
    pub fn because(reason: impl Into<String>) -> Self {
        Self(reason.into())
    }
}

/// How a command ended. Exactly one for each ticket.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Outcome {
    /// The controller said `ok` (accepted and queued, not necessarily finished).
    Done,
    /// sunmill did not send it.
    Refused(Refused),
    /// The controller said `error:n`; the text says what that means on this firmware.
    Failed {
        /// The number.
        code: u16,
        /// Meaning and remedy.
        text: String,
    },
    /// No answer came although the machine stood idle.
    TimedOut,
    /// It was sent or waiting when something wiped it out; whether it acted is unknown if `sent`.
    Voided {
        /// What wiped it out.
        why: VoidReason,
        /// It had gone out to the controller already.
        sent: bool,
    },
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Done => f.write_str("done"),
            Self::Refused(why) => write!(f, "not sent: {why}"),
            Self::Failed { code: 0, text } => write!(f, "failed: {text}"),
            Self::Failed { code, text } => write!(f, "error {code}: {text}"),
            Self::TimedOut => f.write_str("no answer"),
            Self::Voided { why, sent: true } => write!(f, "ended by {why}; it may have acted"),
            Self::Voided { why, sent: false } => write!(f, "dropped by {why}, not sent"),
        }
    }
}

impl Outcome {
    /// Nobody can tell whether it was carried out: who asked was not told.
    pub const fn is_unknown(&self) -> bool {
        matches!(self, Self::Voided { why: VoidReason::Disconnect | VoidReason::AnswerLost, sent: true })
    }
}

/// What wipes commands out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum VoidReason {
    /// A stop or jog cancel that was asked later.
    Stop,
    /// A reset that somebody asked for.
    Reset,
    /// The controller restarted by itself.
    ControllerReset,
    /// The link went away.
    LinkLost,
    /// grblHAL threw away its receive buffer on a jog cancel.
    Flushed,
    /// An alarm.
    Alarm,
    /// sunmill is ending.
    Shutdown,
    /// The connection to the hub ended before it told.
    Disconnect,
    /// The hub told, and it was lost on the way.
    AnswerLost,
}

impl fmt::Display for VoidReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Stop => "a stop",
            Self::Reset => "a reset",
            Self::ControllerReset => "a controller reset",
            Self::LinkLost => "a lost link",
            Self::Flushed => "a jog cancel",
            Self::Alarm => "an alarm",
            Self::Shutdown => "the end of sunmill",
            Self::Disconnect => "the end of the connection to sunmill",
            Self::AnswerLost => "the loss of its answer",
        })
    }
}
