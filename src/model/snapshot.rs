//! The truth as the hub knows it: immutable, made new by each fold, shared by `Arc`.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::axes::{AxisSet, AxisVec};
use super::command::Realtime;
use super::machine::{
    Accessories, AlarmInfo, BufferFree, Identity, Limits, MachineState, ModalState, Offsets, Overrides, Pins,
    ProbeResult,
};
use super::outputs::{Output, OutputAsked};
use super::people::People;
use super::power::Power;
use super::program::Programs;
use super::settings::{Kept, SettingsTable};
use super::sun::Sun;
use super::time::Time;
use super::work::OffsetChange;

/// Position older than this is shown as stale.
pub const STALE_AFTER: Duration = Duration::from_millis(2500);
/// Position older than this is not position any more.
pub const LOST_AFTER: Duration = Duration::from_secs(5);

/// All that is known at one moment.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Snapshot {
    /// Rises with each fold.
    pub rev: u64,
    /// Hub time of the fold.
    pub at: Time,
    /// The machine.
    pub machine: Machine,
    /// Programs: what runs, waits, was interrupted.
    pub programs: Programs,
    /// Backups of settings.
    pub kept: Arc<Kept>,
    /// Changes of offsets that were seen, oldest first; bounded.
    pub offset_history: Vec<OffsetChange>,
    /// Outputs that have names.
    pub outputs: Arc<Vec<Output>>,
    /// Inverters and their buses.
    pub power: Arc<Power>,
    /// Who is attached, and who is in control.
    pub people: Arc<People>,
    /// Rules, and a machine that is being parked.
    #[serde(default)]
    pub sun: Arc<Sun>,
}

/// The machine as it is known.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Machine {
    /// The link.
    pub link: Link,
    /// Who answers, once asked.
    pub identity: Option<Identity>,
    /// State of the last report. `None`: nothing reported since the link opened.
    pub state: Option<MachineState>,
    /// When that report arrived.
    pub reported_at: Option<Time>,
    /// How often a report is expected at present.
    pub report_interval: Duration,
    /// Machine position.
    pub machine_position: Option<AxisVec>,
    /// Work position; needs the first `WCO:` (or `WPos:` itself).
    pub work_position: Option<AxisVec>,
    /// Work coordinate offset.
    pub work_offset: Option<AxisVec>,
    /// Axes known to be homed since the last event that could have lost position.
    pub homed: AxisSet,
    /// Feed in mm/min.
    pub feed_mm_min: Option<f64>,
    /// Spindle speed in rpm.
    pub spindle_rpm: Option<f64>,
    /// Overrides, once told.
    pub overrides: Option<Overrides>,
    /// What is on, once told.
    pub accessories: Option<Accessories>,
    /// Active input pins.
    pub pins: Pins,
    /// Free buffers, where told.
    pub buffer: Option<BufferFree>,
    /// The alarm in force, with its meaning.
    pub alarm: Option<Alarm>,
    /// The last stop that was asked for, and whether the machine was seen to obey.
    pub stop: Option<Stop>,
    /// Jogging now.
    pub jog: Option<Jog>,
    /// A homing cycle runs.
    pub homing: bool,
    /// Modal state of the last `$G`.
    pub modal: Option<ModalState>,
    /// Travel, rates, accelerations.
    pub limits: Limits,
    /// Settings as listed, with names and units.
    pub settings: Arc<SettingsTable>,
    /// Offsets of the last `$#`.
    pub offsets: Offsets,
    /// The last probe result.
    pub probe: Option<ProbeResult>,
    /// What was last asked of outputs since this link was opened or the controller reset. How they stand nobody tells.
    pub outputs_asked: Vec<OutputAsked>,
}

/// Age of what is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Age {
    /// Never reported.
    Unknown,
    /// As young as it should be.
    Fresh,
    /// Late: older than twice the expected interval.
    Late(Duration),
    /// Older than [`STALE_AFTER`].
    Stale(Duration),
    /// Older than [`LOST_AFTER`], or the link is down.
    Lost(Duration),
}

impl Machine {
    /// How many axes it has, 3 until told.
    pub fn axis_count(&self) -> usize {
        self.machine_position
            .or(self.work_position)
            .map(|p| p.len())
            .or(self.identity.as_ref().and_then(|i| i.axes).map(usize::from))
            .unwrap_or(3)
    }

    /// Age of the position and state.
    pub fn age(&self, now: Time) -> Age {
        let Some(at) = self.reported_at else { return Age::Unknown };
        let age = now.since(at);
        if age >= LOST_AFTER || !self.link.is_open() {
            Age::Lost(age)
        } else if age >= STALE_AFTER {
            Age::Stale(age)
        } else if age > self.report_interval * 2 {
            Age::Late(age)
        } else {
            Age::Fresh
        }
    }

    /// State, if it is young enough to act on.
    pub fn fresh_state(&self, now: Time) -> Option<MachineState> {
        matches!(self.age(now), Age::Fresh | Age::Late(_)).then_some(self.state).flatten()
    }
}

/// The link to the machine.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Link {
    /// Where, as configured.
    pub endpoint: String,
    /// It is the built-in simulated machine: always labelled `SIM`.
    pub simulated: bool,
    /// How it stands.
    pub state: LinkState,
    /// Since when.
    pub since: Time,
    /// Counters.
    pub stats: LinkStats,
}

impl Link {
    /// A descriptor is open (whether or not anybody answers).
    pub const fn is_open(&self) -> bool {
        matches!(
            self.state,
            LinkState::Asking
                | LinkState::Identifying
                | LinkState::Up
                | LinkState::Silent { .. }
                | LinkState::Foreign { .. }
        )
    }
}

/// How the link stands.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub enum LinkState {
    /// Opening for the first time.
    #[default]
    Opening,
    /// Open; `?` was sent, nothing has answered yet.
    Asking,
    /// Something answers; it is being asked who it is.
    Identifying,
    /// Identified and answering.
    Up,
    /// Open, but it does not answer. The text says what that can mean.
    Silent {
        /// What it can mean and what to do.
        why: String,
    },
    /// Open, but what answers is not a Grbl (or the baud rate is wrong).
    Foreign {
        /// What came, and what to do.
        why: String,
    },
    /// Down: why, and when it is tried again.
    Down {
        /// What happened and what to do about it.
        why: String,
        /// Tries since it was last up.
        attempt: u32,
        /// When it is tried next.
        retry_at: Time,
    },
}

/// Counters since start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkStats {
    /// Bytes received.
    pub rx_bytes: u64,
    /// Bytes sent.
    pub tx_bytes: u64,
    /// Status reports received.
    pub reports: u64,
    /// Bytes that made no sense.
    pub garbage_bytes: u64,
    /// `ok` or `error` with nothing waiting for it.
    pub unexpected_replies: u64,
    /// Times the link came up.
    pub connects: u32,
    /// Banners that nobody asked for.
    pub controller_resets: u32,
    /// Lines sent.
    #[serde(default)]
    pub lines_sent: u64,
    /// Lines that were answered with an error.
    pub errors: u64,
    /// From the last byte of a line to its `ok` or `error`.
    pub line_latency: Latency,
    /// From `?` to the next status report.
    pub status_latency: Latency,
    /// Bytes received per second of late.
    pub rx_bytes_s: u32,
    /// Bytes sent per second of late.
    pub tx_bytes_s: u32,
    /// Status reports per ten seconds of late.
    pub reports_10s: u32,
    /// Records that the wire log lost, because the disk was too slow or full.
    pub wire_log_lost: u64,
}

impl LinkStats {
    /// Times the link came up again after the first.
    pub const fn reconnects(&self) -> u32 {
        self.connects.saturating_sub(1)
    }
}

/// Latencies since start, in µs. Percentiles are exact to a quarter of their value, upwards.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Latency {
    /// How many were measured.
    pub count: u64,
    /// Half of them were no longer than this.
    pub p50_us: u32,
    /// 99 % of them were no longer than this.
    pub p99_us: u32,
    /// The longest.
    pub max_us: u32,
}

/// The alarm in force.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Alarm {
    /// Code and meaning. `None`: locked, but the controller told no code (after connecting).
    pub info: Option<AlarmInfo>,
    /// Since when it is known.
    pub since: Time,
    /// Pins active when it came.
    pub pins: Pins,
    /// Only a soft reset is accepted now (Grbl does not even answer `?`).
    pub needs_reset: bool,
}

/// A stop that was asked for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Stop {
    /// Which.
    pub asked: Realtime,
    /// When.
    pub at: Time,
    /// How far it got.
    pub phase: StopPhase,
}

/// How far a stop got.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum StopPhase {
    /// Nothing had to be sent; the text says why.
    NotNeeded(String),
    /// Sent, waiting to be seen in a status report asked for afterwards.
    Sent,
    /// The machine was seen to obey (decelerating counts for a hold; standing still is `Stopped`).
    Confirmed,
    /// Seen to stand still.
    Stopped,
    /// Not seen in time. It may still come.
    NotConfirmed,
}

/// A jog in progress.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Jog {
    /// Direction, −1 … +1 per axis.
    pub direction: AxisVec,
    /// Feed in force after the caps, mm/min.
    pub feed_mm_min: f64,
    /// Held by a lease (continuous), or a single step.
    pub continuous: bool,
    /// Being cancelled.
    pub cancelling: bool,
}
