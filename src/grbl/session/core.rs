//! The session's calls.

use std::time::Duration;

use crate::grbl::event::Event;
use crate::grbl::line::Line;
use crate::model::command::{Refused, TicketId, VoidReason};
use crate::model::jog::JogVector;
use crate::model::latch::RealtimeSet;
use crate::model::machine::StatusReport;
use crate::model::{AxisVec, Time};

/// What the owner of the link decides.
#[derive(Clone, Debug)]
pub struct SessionConfig {
    /// Expect this many bytes of receive buffer instead of what the firmware is known to have.
    pub rx_bytes: Option<u16>,
    /// The controller converts lines ends and needs no pacing (TCP, WebSocket): larger windows are known for these.
    pub network: bool,
    /// Status interval while idle.
    pub idle_interval: Duration,
    /// Status interval while moving.
    pub moving_interval: Duration,
}

/// A jog as ordered.
#[derive(Clone, Debug, PartialEq)]
pub enum JogOrder {
    /// One exact step.
    Step {
        /// Signed distance per axis.
        distance: AxisVec,
        /// Feed, mm/min.
        feed_mm_min: f64,
    },
    /// Start or renew the lease.
    Continue {
        /// Direction and feed.
        vector: JogVector,
        /// Lease, clamped.
        lease: Duration,
    },
}

/// The protocol state machine of one link.
#[derive(Debug)]
pub struct Session {}

impl Session {
    /// A session for a link that is not open yet.
    pub fn new(_config: SessionConfig) -> Self {
        Self {}
    }
    /// The link has opened: forget everything, begin to ask.
    pub fn handle_open(&mut self, _now: Time) {}
    /// The link is gone: every open ticket is voided, every claim withdrawn.
    pub fn handle_closed(&mut self, _now: Time) {}
    /// Bytes came, in any chunking.
    pub fn handle_bytes(&mut self, _now: Time, _bytes: &[u8]) {}
    /// Something may be due.
    pub fn handle_timeout(&mut self, _now: Time) {}
    /// When something is due next.
    pub fn poll_timeout(&self) -> Option<Time> {
        None
    }
    /// An ordinary line. `Err`: refused, there will be no outcome event.
    pub fn submit(&mut self, _now: Time, _line: Line, _ticket: TicketId) -> Result<(), Refused> {
        Ok(())
    }
    /// A jog. `Err`: refused, there will be no outcome event.
    pub fn jog(&mut self, _now: Time, _order: JogOrder, _ticket: TicketId) -> Result<(), Refused> {
        Ok(())
    }
    /// Realtime actions, and the marks of what they void.
    pub fn realtime(&mut self, _now: Time, _set: RealtimeSet) {}
    /// The next bytes for the wire: waiting realtime bytes first (never counted against the budget),
    /// then at most `line_budget` bytes of lines. Returns how many were written to `out`.
    pub fn poll_transmit(&mut self, _now: Time, _out: &mut [u8], _line_budget: usize) -> usize {
        0
    }
    /// The next event.
    pub fn poll_event(&mut self) -> Option<Event> {
        None
    }
    /// How many more line bytes (line feed included) may be submitted without waiting; 0 when no line may be sent at all.
    pub fn room(&self) -> usize {
        0
    }
    /// The last status report since the link opened.
    pub fn last_report(&self) -> Option<&StatusReport> {
        None
    }
    /// Ends all tickets (sunmill is ending).
    pub fn void_all(&mut self, _now: Time, _why: VoidReason) {}
}
