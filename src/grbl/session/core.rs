//! The session's calls: what goes in and what comes out.

use std::collections::VecDeque;
use std::time::Duration;

use super::assembler::{Assembler, Piece};
use super::heard::Heard;
use super::in_hand::InHand;
use super::jogger::{self, Jogger, Lease, Step};
use super::outgoing::Outgoing;
use super::queries::Queries;
use super::reports::{Mark, Reports};
use super::settings::SettingRun;
use super::situation::{SentMotion, Situation, describe};
use super::stop::StopRun;
use super::stream::Stream;
use super::window::{MAX_PENDING, Owner, Slot, Window};
use crate::grbl::event::Event;
use crate::grbl::identify::{IdentityBuilder, rx_window};
use crate::grbl::line::Line;
use crate::grbl::reply;
use crate::grbl::settings::Book;
use crate::grbl::tables::Tables;
use crate::model::axes::AxisSet;
use crate::model::command::{Outcome, Realtime, Refused, TicketId, VoidReason};
use crate::model::jog::{self, JogVector, MAX_LEASE, MIN_LEASE};
use crate::model::latch::RealtimeSet;
use crate::model::machine::{AlarmInfo, Firmware, Identity, Limits, MachineState, StatusReport};
use crate::model::snapshot::{Jog, LinkState};
use crate::model::{AxisVec, Time};

/// What the owner of the link decides.
#[derive(Clone, Debug)]
pub struct SessionConfig {
    /// Expect this many bytes of receive buffer instead of what the firmware is known to have.
    pub rx_bytes: Option<u16>,
    /// The bytes go over TCP or WebSocket.
    pub network: bool,
    /// Writes are paced to the wire.
    pub paced: bool,
    /// Status interval while idle.
    pub idle_interval: Duration,
    /// Status interval while moving.
    pub moving_interval: Duration,
}

impl Default for SessionConfig {
    fn default() -> Self {
        Self {
            rx_bytes: None,
            network: false,
            paced: false,
            idle_interval: Duration::from_millis(200),
            moving_interval: Duration::from_millis(100),
        }
    }
}

/// A jog as ordered.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum JogOrder {
    /// One exact step.
    Step {
        /// Signed distance per axis, mm or degrees.
        distance: AxisVec,
        /// Feed, mm/min.
        feed_mm_min: f64,
    },
    /// Start or renew the lease.
    Continue {
        /// Direction and feed.
        vector: JogVector,
        /// Clamped to 100–300 ms.
        lease: Duration,
    },
}

/// Where the link stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    Closed,
    /// `?` is asked, nothing has answered.
    Asking {
        since: Time,
    },
    /// A status report has come; `$I` is asked as soon as the state allows it.
    Identifying,
    Up,
}

/// The alarm in force.
#[derive(Clone, Debug)]
pub(super) struct ActiveAlarm {
    pub(super) info: Option<AlarmInfo>,
    pub(super) needs_reset: bool,
}

/// A homing cycle under way. Its ticket is answered only when the state has been seen afterwards: FluidNC says `ok`
/// even when homing failed (facts: grbl-protocol §0.14).
#[derive(Clone, Debug)]
pub(super) struct Homing {
    pub(super) ticket: TicketId,
    pub(super) axes: AxisSet,
    /// Axes that FluidNC named in `[MSG:Homed:…]`.
    pub(super) told: AxisSet,
    pub(super) mark: Option<Mark>,
    pub(super) failed: Option<(u16, String)>,
}

/// The protocol state machine of one link.
#[derive(Debug)]
pub struct Session {
    pub(super) config: SessionConfig,
    pub(super) tables: Tables,
    pub(super) phase: Phase,
    pub(super) link: LinkState,
    pub(super) identity: IdentityBuilder,
    pub(super) firmware: Option<Firmware>,
    pub(super) axis_count: usize,
    pub(super) assembler: Assembler,
    pub(super) window: Window,
    pub(super) outgoing: Outgoing,
    pub(super) reports: Reports,
    pub(super) queries: Queries,
    pub(super) jogger: Jogger,
    pub(super) stop: Option<StopRun>,
    /// The lane of a program.
    pub(super) stream: Option<Stream>,
    pub(super) report: Option<StatusReport>,
    pub(super) unsettled: Option<(SentMotion, Time)>,
    pub(super) settle_mark: Option<Mark>,
    pub(super) last_was_jog: bool,
    /// A cycle start left: until then a Hold in a report may still be the old one.
    pub(super) resuming_until: Option<Time>,
    /// The last cycle start ended a tool change: grblHAL may say Idle before it moves back to the part.
    pub(super) resumed_tool: bool,
    /// A reset left: its banner is expected until then.
    pub(super) restarting_until: Option<Time>,
    pub(super) in_hand: Option<InHand>,
    pub(super) alarm: Option<ActiveAlarm>,
    pub(super) homing: Option<Homing>,
    pub(super) homed: AxisSet,
    pub(super) limits: Limits,
    /// What the controller told of its settings, and whether that was passed on.
    pub(super) book: Book,
    pub(super) book_changed: bool,
    pub(super) setting: Option<SettingRun>,
    /// Somebody waits for all settings; a part of them was not told.
    pub(super) listing: Option<TicketId>,
    pub(super) listing_failed: bool,
    /// grblHAL refuses every G-code line after an error until an empty line is accepted (facts §0.5).
    pub(super) sticky_error: bool,
    pub(super) last_line_reply: Time,
    pub(super) interval: Duration,
    pub(super) pumped_at: Time,
    pub(super) heard: Heard,
    pub(super) shown_jog: Option<Jog>,
    pub(super) events: VecDeque<Event>,
}

impl Session {
    /// A session for a link that is not open yet.
    pub fn new(config: SessionConfig, tables: Tables) -> Self {
        let interval = config.idle_interval;
        Self {
            config,
            tables,
            phase: Phase::Closed,
            link: LinkState::Opening,
            identity: IdentityBuilder::default(),
            firmware: None,
            axis_count: 3,
            assembler: Assembler::default(),
            window: Window::new(127),
            outgoing: Outgoing::default(),
            reports: Reports::default(),
            queries: Queries::default(),
            jogger: Jogger::default(),
            stop: None,
            stream: None,
            report: None,
            unsettled: None,
            settle_mark: None,
            last_was_jog: false,
            resuming_until: None,
            resumed_tool: false,
            restarting_until: None,
            in_hand: None,
            alarm: None,
            homing: None,
            homed: AxisSet::EMPTY,
            limits: Limits::default(),
            book: Book::default(),
            book_changed: false,
            setting: None,
            listing: None,
            listing_failed: false,
            sticky_error: false,
            last_line_reply: Time::ZERO,
            interval,
            pumped_at: Time::ZERO,
            heard: Heard::default(),
            shown_jog: None,
            events: VecDeque::new(),
        }
    }

    /// Whether writes are paced to the wire; known when the port is open.
    pub fn set_paced(&mut self, paced: bool) {
        self.config.paced = paced;
    }

    /// The link has opened: forget everything, begin to ask. Nothing but `?` is sent until something answers.
    pub fn handle_open(&mut self, now: Time) {
        self.forget(VoidReason::LinkLost);
        self.phase = Phase::Asking { since: now };
        self.firmware = None;
        self.identity = IdentityBuilder::default();
        self.limits = Limits::default();
        self.book = Book::default();
        self.queries.clear();
        self.heard = Heard::default();
        self.set_link(LinkState::Asking);
        self.pump(now);
    }

    /// The next link goes over a network, or not: controllers buffer there as networks do.
    pub const fn set_network(&mut self, network: bool) {
        self.config.network = network;
    }

    /// The link is gone: every open ticket is voided, every claim withdrawn.
    pub fn handle_closed(&mut self, now: Time) {
        self.forget(VoidReason::LinkLost);
        self.phase = Phase::Closed;
        self.queries.clear();
        self.pump(now);
    }

    /// Bytes came, in any chunking, any garbage among them.
    pub fn handle_bytes(&mut self, now: Time, bytes: &[u8]) {
        let mut rest = bytes;
        while !rest.is_empty() {
            let (taken, piece) = self.assembler.feed(rest);
            rest = &rest[taken..];
            match piece {
                Some(Piece::Line(line)) if self.take_description(now, &line) => {}
                Some(Piece::Line(line)) => {
                    let reply = reply::parse(&line, self.firmware);
                    self.on_reply(now, reply);
                }
                Some(Piece::TooLong(bytes)) => self.on_garbage(bytes),
                None => break,
            }
            // Once a line, not once a chunk: what follows must not depend on how the bytes were cut.
            self.pump(now);
        }
    }

    /// Something may be due.
    pub fn handle_timeout(&mut self, now: Time) {
        self.pump(now);
    }

    /// An ordinary line.
    ///
    /// # Errors
    /// Refused: there will be no outcome event for the ticket.
    pub fn submit(&mut self, now: Time, line: Line, ticket: TicketId) -> Result<(), Refused> {
        self.must_not_stream()?;
        self.may_submit(now, &line)?;
        if self.window.pending_len() >= MAX_PENDING {
            return Err(Refused::because(format!(
                "{MAX_PENDING} lines wait already; try again when they are answered"
            )));
        }
        self.window.push(Slot::new(line, Owner::Ticket(ticket)));
        self.pump(now);
        Ok(())
    }

    /// A jog: an exact step, or the start or renewal of a continuous one.
    ///
    /// # Errors
    /// Refused: there will be no outcome event for the ticket.
    pub fn jog(&mut self, now: Time, order: JogOrder, ticket: TicketId) -> Result<(), Refused> {
        self.must_be_up()?;
        self.must_not_stream()?;
        match self.situation(now) {
            Situation::Idle | Situation::Jog => {}
            other => return Err(Refused::because(format!("cannot jog: {}", describe(other)))),
        }
        match order {
            JogOrder::Step { distance, feed_mm_min } => self.jog_step(distance, feed_mm_min, ticket)?,
            JogOrder::Continue { vector, lease } => self.jog_continue(now, vector, lease, ticket)?,
        }
        self.pump(now);
        Ok(())
    }

    fn jog_step(&mut self, distance: AxisVec, feed_mm_min: f64, ticket: TicketId) -> Result<(), Refused> {
        if self.jogger.lease.is_some() {
            return Err(Refused::because("a continuous jog is under way"));
        }
        if self.jogger.steps.len() >= jogger::MAX_STEPS {
            return Err(Refused::because(format!("{} steps wait already", jogger::MAX_STEPS)));
        }
        self.check_jog(&distance, feed_mm_min)?;
        let line = jogger::jog_line(&distance, feed_mm_min, self.firmware)
            .map_err(|error| Refused::because(error.to_string()))?;
        let acceleration_mm_s2 = jog::acceleration_along(&self.limits, &distance);
        self.jogger.steps.push_back(Step { ticket, line, distance, feed_mm_min, acceleration_mm_s2 });
        Ok(())
    }

    fn jog_continue(&mut self, now: Time, vector: JogVector, lease: Duration, ticket: TicketId) -> Result<(), Refused> {
        self.check_jog(&vector.direction, vector.feed_mm_min)?;
        let feed_mm_min = jog::capped_feed_mm_min(&self.limits, &vector.direction, vector.feed_mm_min);
        let lease = Lease {
            vector,
            feed_mm_min,
            acceleration_mm_s2: jog::acceleration_along(&self.limits, &vector.direction),
            until: now + lease.clamp(MIN_LEASE, MAX_LEASE),
            ticket,
        };
        // A change of direction is a stop first, so that nothing of the old direction stays queued.
        let turned = self.jogger.lease.as_ref().is_some_and(|old| old.vector.direction != vector.direction);
        if turned {
            self.begin_cancel(now);
        }
        let place = if self.jogger.cancel.is_some() { &mut self.jogger.next_lease } else { &mut self.jogger.lease };
        if let Some(old) = place.replace(lease) {
            self.outcome(old.ticket, Outcome::Done);
        }
        Ok(())
    }

    fn check_jog(&self, distance: &AxisVec, feed_mm_min: f64) -> Result<(), Refused> {
        if !(feed_mm_min.is_finite() && feed_mm_min > 0.0) {
            return Err(Refused::because(format!("a jog needs a feed above 0, not {feed_mm_min} mm/min")));
        }
        if distance.as_slice().iter().any(|v| !v.is_finite()) || distance.norm() == 0.0 {
            return Err(Refused::because("a jog needs a distance on at least one axis"));
        }
        if let Some((axis, _)) = distance.iter().find(|(axis, v)| *v != 0.0 && axis.index() >= self.axis_count) {
            return Err(Refused::because(format!("this machine has no {axis} axis")));
        }
        Ok(())
    }

    /// Realtime actions, and the marks of what they void. Cannot fail.
    pub fn realtime(&mut self, now: Time, set: RealtimeSet) {
        self.void_until(set.void_all, set.void_jogs);
        if set.contains(Realtime::SoftReset) {
            self.begin_reset(now, Realtime::SoftReset);
        } else {
            for key in [Realtime::StopProgram, Realtime::Stop, Realtime::FeedHold] {
                if set.contains(key) {
                    self.begin_stop(now, key);
                    break;
                }
            }
            if set.contains(Realtime::JogCancel) {
                self.cancel_if_jogging(now);
            }
            if set.contains(Realtime::SafetyDoor) && self.phase != Phase::Closed {
                self.begin_door(now);
            }
            if set.contains(Realtime::CycleStart) {
                self.begin_resume(now);
            }
            if set.contains(Realtime::StatusQuery) && self.phase != Phase::Closed {
                let _ = self.reports.mark();
            }
            if self.phase != Phase::Closed {
                self.outgoing.tune(&set);
            }
        }
        self.pump(now);
    }

    /// The next bytes for the wire: waiting realtime bytes first (never counted against the budget), even in the middle
    /// of a line, then at most `line_budget` bytes of lines. Returns how many were written to `out`.
    pub fn poll_transmit(&mut self, now: Time, out: &mut [u8], line_budget: usize) -> usize {
        if self.phase == Phase::Closed {
            return 0;
        }
        let mut n = 0;
        while n < out.len() {
            let Some((byte, realtime)) = self.outgoing.next(now, self.firmware) else { break };
            out[n] = byte;
            n += 1;
            self.on_realtime_sent(now, byte, realtime);
        }
        let mut budget = line_budget;
        while n < out.len() && budget > 0 {
            if !self.window.is_mid_line() && !self.begin_line(now) {
                break;
            }
            let end = n.saturating_add(budget).min(out.len());
            let (copied, whole) = self.window.copy_current(&mut out[n..end]);
            n += copied;
            budget -= copied;
            match whole.map(|slot| (slot.owner, slot)) {
                // Ten thousand lines are no news one by one; progress is told for them.
                Some((Owner::Program(number), _)) => self.stream_sent(number),
                Some((owner, slot)) => {
                    let ticket = if let Owner::Ticket(ticket) = owner { Some(ticket) } else { None };
                    self.events.push_back(Event::Sent { ticket, text: slot.line.as_str().to_owned() });
                }
                None => {}
            }
        }
        n
    }

    /// The next event.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// How many more line bytes (line feed included) may be submitted and sent without waiting for an answer; 0 when no
    /// line may be sent at all.
    pub fn room(&self, now: Time) -> usize {
        if self.phase != Phase::Up || self.is_restarting() || self.situation(now).keeps_lines_back() {
            return 0;
        }
        if self.window.pending_len() >= MAX_PENDING { 0 } else { self.window.room() }
    }

    /// The last status report since the link opened.
    pub fn last_report(&self) -> Option<&StatusReport> {
        self.report.as_ref()
    }

    /// No line waits to be sent, is on its way or has no answer yet.
    pub fn is_settled(&self) -> bool {
        self.window.all().next().is_none()
    }

    /// What the machine is believed to be doing now.
    pub fn situation(&self, now: Time) -> Situation {
        if self.phase == Phase::Closed {
            return Situation::Closed;
        }
        if self.restarting_until.is_some() {
            return Situation::Starting;
        }
        let fresh = self.reports.last_report().is_some_and(|at| now.since(at) < crate::model::snapshot::STALE_AFTER);
        let state = self.report.as_ref().map(|report| report.state).filter(|_| fresh);
        let since = match (self.unsettled, self.reports.last_report()) {
            (Some((_, sent)), Some(report)) => report >= sent && self.resuming_until.is_none(),
            _ => false,
        };
        Situation::join(state, self.unsettled.map(|(motion, _)| motion), since, self.last_was_jog)
    }

    /// The controller state of the last report.
    pub(super) fn state(&self) -> Option<MachineState> {
        self.report.as_ref().map(|report| report.state)
    }

    pub(super) fn set_link(&mut self, link: LinkState) {
        if self.link != link {
            self.link = link.clone();
            self.events.push_back(Event::Link(link));
        }
    }

    pub(super) fn outcome(&mut self, ticket: TicketId, outcome: Outcome) {
        self.setting_ended(ticket);
        self.events.push_back(Event::Outcome { ticket, outcome });
    }

    pub(super) fn set_homed(&mut self, homed: AxisSet) {
        if self.homed != homed {
            self.homed = homed;
            self.events.push_back(Event::Homed(homed));
        }
    }

    /// Identified: lines may be sent from now on.
    pub(super) fn identified(&mut self, identity: Identity) {
        self.firmware = Some(identity.firmware);
        if let Some(axes) = identity.axes {
            self.axis_count = usize::from(axes);
        }
        let window =
            self.config.rx_bytes.unwrap_or_else(|| rx_window(Some(&identity), self.config.network, self.config.paced));
        self.window.set_limit(usize::from(window));
        self.queries.want_details(identity.firmware);
        self.phase = Phase::Up;
        self.events.push_back(Event::Identified(identity));
        self.set_link(LinkState::Up);
    }
}
