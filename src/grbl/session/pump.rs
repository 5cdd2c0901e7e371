//! What is due? Run after every input: timers, polls, increments, questions, and which line may begin.

use std::time::Duration;

use super::core::{Phase, Session};
use super::heard::Heard;
use super::in_hand::InHand;
use super::jogger;
use super::queries::Query;
use super::situation::{SentMotion, Situation, describe};
use super::window::{Owner, Slot};
use crate::grbl::event::{Event, StreamEnd};
use crate::grbl::line::{Line, LineKind};
use crate::grbl::realtime as byte;
use crate::model::command::{Outcome, Realtime, Refused, VoidReason};
use crate::model::machine::{Firmware, MessageLevel};
use crate::model::snapshot::{Jog, LOST_AFTER, LinkState};
use crate::model::{AxisVec, Time};

/// An open port that answers nothing for this long is called silent.
const SILENT_AFTER: Duration = Duration::from_millis(2500);
/// Pushed reports make questions rare while idle: only a check that the link lives.
const PUSHED_IDLE: Duration = Duration::from_secs(1);
/// A line unanswered for this long while the machine stands idle was lost.
const LOST_LINE: Duration = Duration::from_secs(10);
/// The same in an alarm, where FluidNC lets some lines hang for ever.
const LOST_LINE_ALARM: Duration = Duration::from_secs(5);
/// A cycle start may show in reports only after this long.
pub(super) const RESUME_SHOWS: Duration = Duration::from_millis(500);
/// Garbage beyond this, with nothing readable among it, means a wrong baud rate.
const GARBAGE_MEANS_BAUD: usize = 48;

impl Session {
    pub(super) fn pump(&mut self, now: Time) {
        self.pumped_at = now;
        if self.phase != Phase::Closed {
            self.reports.expire(now);
            self.step_timers(now);
            self.step_phase(now);
            self.step_settle();
            self.step_homing(now);
            self.step_stop(now);
            self.step_cancel(now);
            self.step_jog(now);
            self.step_stream(now);
            self.step_queries(now);
            self.step_lost_lines(now);
            self.step_interval();
            if now >= self.reports.due(self.interval) {
                self.outgoing.status();
            }
        }
        self.show_jog(now);
    }

    /// When something is due next.
    pub fn poll_timeout(&self) -> Option<Time> {
        if self.phase == Phase::Closed {
            return None;
        }
        let lease = self.jogger.lease.as_ref().map(|lease| lease.until);
        // A reset pauses what would be fed; a jog in the way of the next increment wakes the session when it is answered.
        let feed = (self.jogger.cancel.is_none() && !self.window.all().any(Slot::is_jog))
            .then(|| self.jogger.increment_due(self.pumped_at))
            .flatten();
        [
            Some(self.reports.due(self.interval)),
            self.outgoing.due(),
            self.queries.due(),
            lease,
            feed,
            self.jogger.next_lease.as_ref().map(|lease| lease.until),
            self.jogger.cancel.as_ref().map(|cancel| cancel.next_send),
            self.stop.as_ref().and_then(super::stop::StopRun::due),
            self.stream.as_ref().and_then(super::stream::Stream::due),
            self.resuming_until,
            self.restarting_until,
            self.in_hand.as_ref().and_then(InHand::due),
            self.silent_at(),
            self.lost_at(),
        ]
        .into_iter()
        .flatten()
        // What was due at the last turn and could not be done waits for an input, not for time.
        .filter(|due| *due > self.pumped_at)
        .min()
    }

    fn step_timers(&mut self, now: Time) {
        if self.resuming_until.take_if(|until| now >= *until).is_some() {
            // What was reported meanwhile may be of before: a report from now on tells.
            self.settle_mark = None;
        }
        if self.restarting_until.take_if(|until| now >= *until).is_some() {
            // No banner came; a report will tell how things stand.
            let _ = self.reports.mark();
            self.await_in_hand(now);
        }
        self.step_in_hand(now);
    }

    fn silent_at(&self) -> Option<Time> {
        match self.phase {
            Phase::Asking { since } => {
                // What was silent may begin to speak, and not as a Grbl does.
                matches!(self.link, LinkState::Asking | LinkState::Identifying | LinkState::Silent { .. })
                    .then_some(since + SILENT_AFTER)
            }
            Phase::Up | Phase::Identifying => self.reports.last_report().map(|at| at + LOST_AFTER),
            Phase::Closed => None,
        }
    }

    /// Silence and strangers.
    fn step_phase(&mut self, now: Time) {
        if self.silent_at().is_none_or(|at| now < at) {
            return;
        }
        match self.phase {
            Phase::Asking { .. } => {
                self.heard.note_unfinished(self.assembler.unfinished());
                let link = if self.heard.garbage >= GARBAGE_MEANS_BAUD {
                    LinkState::Foreign {
                        why: format!(
                            "{} unreadable bytes and no answer: probably the wrong baud rate (`baud` in config.toml; these boards use 115200)",
                            self.heard.garbage
                        ),
                    }
                } else if let Some(text) = &self.heard.text {
                    LinkState::Foreign {
                        why: format!(
                            "this does not answer like FluidNC, Grbl or grblHAL: it printed \"{text}\". Check that it is the right port"
                        ),
                    }
                } else {
                    LinkState::Silent { why: SILENT.into() }
                };
                self.phase = Phase::Asking { since: now };
                self.set_link(link);
            }
            Phase::Identifying | Phase::Up => {
                // Grbl answers nothing after a hard limit until it is reset: that is the alarm, not the link.
                let mute = self.firmware == Some(Firmware::Grbl) && self.alarm.as_ref().is_some_and(|a| a.needs_reset);
                if mute || self.restarting_until.is_some() {
                    return;
                }
                self.set_homed(crate::model::AxisSet::EMPTY);
                self.void_stream(VoidReason::LinkLost);
                self.phase = Phase::Asking { since: now };
                self.heard = Heard::default();
                self.queries.clear();
                self.set_link(LinkState::Silent { why: SILENT.into() });
            }
            Phase::Closed => {}
        }
    }

    /// Motion that was sent is settled once a report asked for after the last answer has come. A cycle start has no answer, and
    /// shows late where there is something to go on with; there the controller says Hold until it does. Idle settles it at
    /// once: there was nothing, and a `!` would latch a hold.
    fn step_settle(&mut self) {
        if self.unsettled.is_none() {
            return;
        }
        let busy = self.window.all().any(|slot| motion_of(slot).is_some())
            || self.jogger.lease.is_some()
            || self.jogger.cancel.is_some();
        if busy {
            self.settle_mark = None;
            return;
        }
        let idle = !self.resumed_tool && self.state().is_some_and(|state| state.kind == crate::model::StateKind::Idle);
        match self.settle_mark {
            None => self.settle_mark = Some(self.reports.mark()),
            Some(mark) if self.reports.is_proved(mark) && (idle || self.resuming_until.is_none()) => {
                self.unsettled = None;
                self.settle_mark = None;
                self.resuming_until = None;
            }
            Some(_) => {}
        }
    }

    /// Feeds steps and increments, one unacknowledged jog at most.
    fn step_jog(&mut self, now: Time) {
        self.jogger.motion.advance(now);
        if self.jogger.next_lease.as_ref().is_some_and(|lease| now >= lease.until)
            && let Some(lease) = self.jogger.next_lease.take()
        {
            self.outcome(lease.ticket, Outcome::Done);
        }
        if self.jogger.lease.as_ref().is_some_and(|lease| now >= lease.until) {
            self.begin_cancel(now);
        }
        if self.jogger.cancel.is_some() || self.window.all().any(Slot::is_jog) {
            return;
        }
        if !matches!(self.situation(now), Situation::Idle | Situation::Jog) || self.phase != Phase::Up {
            self.end_jogs();
            return;
        }
        if self.jogger.lease.is_none()
            && let Some(lease) = self.jogger.next_lease.take()
        {
            self.jogger.lease = Some(lease);
        }
        if let Some(step) = self.jogger.steps.pop_front() {
            let (mm, feed) = (step.distance.norm(), step.feed_mm_min);
            self.jogger.motion.add(now, mm, feed, step.acceleration_mm_s2);
            self.jogger.showing = Some((step.distance, feed));
            self.window.push(Slot::new(step.line, Owner::Ticket(step.ticket)));
            return;
        }
        if self.jogger.increment_due(now).is_some_and(|due| now >= due)
            && let Some(lease) = &self.jogger.lease
        {
            let distance = jogger::increment(lease);
            match jogger::jog_line(&distance, lease.feed_mm_min, self.firmware) {
                Ok(line) => {
                    self.jogger.motion.add(now, distance.norm(), lease.feed_mm_min, lease.acceleration_mm_s2);
                    self.jogger.showing = Some((lease.vector.direction, lease.feed_mm_min));
                    self.window.push(Slot::new(line, Owner::JogIncrement));
                }
                Err(error) => {
                    let ticket = lease.ticket;
                    self.jogger.lease = None;
                    self.outcome(ticket, Outcome::Refused(Refused::because(error.to_string())));
                }
            }
        }
    }

    /// The state no longer allows a jog (alarm, hold from elsewhere): nothing more is fed.
    fn end_jogs(&mut self) {
        for lease in [self.jogger.lease.take(), self.jogger.next_lease.take()].into_iter().flatten() {
            self.outcome(lease.ticket, Outcome::Done);
        }
        for step in std::mem::take(&mut self.jogger.steps) {
            let why = Refused::because("the machine left the state in which it can jog");
            self.outcome(step.ticket, Outcome::Refused(why));
        }
        self.jogger.motion.clear();
    }

    /// Asks the next of the session's own questions where every firmware answers at once.
    fn step_queries(&mut self, now: Time) {
        if let Some(query) = self.queries.overdue(now) {
            self.window.drop_open(|slot| slot.owner == Owner::Query(query));
            self.events.push_back(Event::Message {
                level: MessageLevel::Warning,
                text: format!("the controller did not answer {}", self.query_text(query)),
            });
            self.query_is_lost(now, query);
        }
        let Some(query) = self.queries.next(now) else { return };
        let identifying = self.phase == Phase::Identifying && query == Query::BuildInfo;
        let quiet = self.window.all().next().is_none() && self.jogger.lease.is_none() && self.jogger.cancel.is_none();
        let answers = match self.situation(now) {
            Situation::Idle => true,
            Situation::Alarm => !self.alarm.as_ref().is_some_and(|alarm| alarm.needs_reset),
            _ => false,
        };
        // A question in the middle of a program would stop the machine until it is answered (facts §5).
        if !(identifying || self.phase == Phase::Up) || !quiet || !answers || self.stream.is_some() {
            return;
        }
        if query == Query::Configuration {
            self.book.begin_tree();
        }
        if let Ok(line) = Line::new(&self.query_text(query), self.firmware) {
            self.window.push(Slot::new(line, Owner::Query(query)));
            self.queries.sent(now);
        }
    }

    fn query_text(&self, query: Query) -> String {
        match query {
            Query::ReadBack => self.read_back_line(),
            query => query.text(self.config.moving_interval),
        }
    }

    fn lost_at(&self) -> Option<Time> {
        let oldest = self.window.oldest()?;
        let after = match self.state()?.kind {
            crate::model::StateKind::Idle => LOST_LINE,
            crate::model::StateKind::Alarm => LOST_LINE_ALARM,
            _ => return None,
        };
        // Dwells, spindle start-up and homing are answered late with the state at Idle (FluidNC #1065).
        let slow = self.window.open().any(|slot| slot.line.may_be_answered_late());
        let fresh = self.reports.last_report().is_some_and(|at| at > oldest.sent_at);
        (!slow && fresh).then(|| oldest.sent_at.max(self.last_line_reply) + after)
    }

    /// Lines that were lost on the wire: reported, never sent again.
    fn step_lost_lines(&mut self, now: Time) {
        if self.lost_at().is_none_or(|at| now < at) {
            return;
        }
        let lost = self.window.drop_open(|_| true);
        self.events.push_back(Event::Message {
            level: MessageLevel::Warning,
            text: format!("{} line(s) were never answered; they may or may not have been executed", lost.len()),
        });
        for slot in lost {
            match slot.owner {
                Owner::Ticket(ticket) => self.outcome(ticket, Outcome::TimedOut),
                Owner::Query(query) => self.query_is_lost(now, query),
                Owner::Program(_) => self.end_stream(StreamEnd::LinesLost),
                Owner::JogIncrement | Owner::Sync => {}
            }
        }
    }

    /// How often reports are expected now.
    fn step_interval(&mut self) {
        let moving = self.state().is_some_and(crate::model::MachineState::is_moving)
            || self.unsettled.is_some()
            || self.jogger.lease.is_some();
        let interval = match (self.reports.pushed, moving) {
            (false, true) => self.config.moving_interval,
            (false, false) => self.config.idle_interval,
            (true, true) => self.config.moving_interval * 2,
            (true, false) => PUSHED_IDLE,
        };
        if interval != self.interval {
            self.interval = interval;
            self.events.push_back(Event::ReportInterval(interval));
        }
    }

    /// Tells when what is jogging changes.
    fn show_jog(&mut self, now: Time) {
        let (direction, feed_mm_min) = self.jogger.showing.unwrap_or((AxisVec::zeros(self.axis_count), 0.0));
        let continuous = self.jogger.lease.is_some();
        let cancelling = self.jogger.cancel.is_some();
        let under_way = continuous
            || cancelling
            || self.jogger.showing.is_some()
                && (matches!(self.situation(now), Situation::Jog) || !self.jogger.steps.is_empty());
        let jog = under_way.then_some(Jog { direction, feed_mm_min, continuous, cancelling });
        if jog.is_none() {
            self.jogger.showing = None;
        }
        if jog != self.shown_jog {
            self.shown_jog.clone_from(&jog);
            self.events.push_back(Event::Jog(jog));
        }
    }

    /// Why a line may not be taken now.
    pub(super) fn may_submit(&self, now: Time, line: &Line) -> Result<(), Refused> {
        self.must_be_up()?;
        let situation = self.situation(now);
        let refuse = || Err(Refused::because(describe(situation)));
        if self.alarm.as_ref().is_some_and(|alarm| alarm.needs_reset) && self.restarting_until.is_none() {
            return Err(Refused::because("this alarm needs a soft reset first (Ctrl+X)"));
        }
        match situation {
            Situation::Alarm if !line.is_dollar() => refuse(),
            Situation::Jog if line.kind() != LineKind::Jog => refuse(),
            Situation::Home => refuse(),
            Situation::Run if self.firmware.is_some_and(|firmware| line.waits_for_motion_end(firmware)) => {
                Err(Refused::because(
                    "the controller would keep this line until the motion ends, and run it even after a reset",
                ))
            }
            other if other.keeps_lines_back() => refuse(),
            _ => Ok(()),
        }
    }

    pub(super) fn must_be_up(&self) -> Result<(), Refused> {
        match &self.link {
            _ if self.phase == Phase::Closed => Err(Refused::because("the link is down")),
            LinkState::Silent { why } | LinkState::Foreign { why } => Err(Refused::because(why.clone())),
            _ if self.phase != Phase::Up => Err(Refused::because("the controller has not been identified yet")),
            _ => Ok(()),
        }
    }

    /// Begins the next waiting line if bytes, order and state allow it.
    pub(super) fn begin_line(&mut self, now: Time) -> bool {
        let situation = self.situation(now);
        let Some(next) = self.window.next_pending() else { return false };
        let is_query = matches!(next.owner, Owner::Query(_));
        let allowed = !self.is_restarting()
            && match situation {
                Situation::Alarm => next.line.is_dollar(),
                Situation::Jog => next.is_jog(),
                Situation::Home => false,
                other => !other.keeps_lines_back(),
            }
            && (self.phase == Phase::Up || is_query)
            && !(next.is_jog() && self.jogger.cancel.is_some())
            && (!matches!(next.owner, Owner::Program(_)) || self.stream_may_begin(now, next));
        if !allowed {
            return false;
        }
        if self.sticky_error && !next.line.is_dollar() && next.owner != Owner::Sync {
            if !self.window.is_settled() {
                return false;
            }
            self.window.push_front(Slot::new(Line::empty(), Owner::Sync));
        }
        if !self.window.fits_next() {
            return false;
        }
        let Some(slot) = self.window.begin_next(now) else { return false };
        let motion = motion_of(slot);
        let kind = slot.kind;
        if let Owner::Ticket(ticket) = slot.owner
            && kind == LineKind::Home
        {
            let axes = slot.line.home_axes().unwrap_or(crate::model::AxisSet::first(self.axis_count));
            self.begin_homing(ticket, axes);
        }
        if let Some(motion) = motion {
            self.note_motion(now, motion);
        }
        true
    }

    pub(super) fn note_motion(&mut self, now: Time, motion: SentMotion) {
        let motion = self.unsettled.map_or(motion, |(before, _)| before.max(motion));
        self.unsettled = Some((motion, now));
        self.settle_mark = None;
        self.last_was_jog = motion == SentMotion::Jog;
    }

    /// A realtime byte has been handed out.
    pub(super) fn on_realtime_sent(&mut self, now: Time, sent: u8, realtime: Option<Realtime>) {
        match sent {
            byte::STATUS => self.reports.asked(now),
            byte::CYCLE_START => {
                self.note_motion(now, SentMotion::Run);
                self.resuming_until = Some(now + RESUME_SHOWS);
                self.resumed_tool = self.state().is_some_and(|state| state.kind == crate::model::StateKind::Tool);
            }
            byte::FEED_HOLD | byte::SAFETY_DOOR | byte::SOFT_RESET => self.resuming_until = None,
            byte::JOG_CANCEL => self.sticky_error = false,
            _ => {}
        }
        if let Some(realtime) = realtime {
            self.events.push_back(Event::SentRealtime(realtime));
        }
    }
}

const SILENT: &str = "nothing answers on this port: the controller may be off, still booting or at another baud rate, \
    or it is a Grbl after a hard limit, which answers nothing until a reset (Ctrl+X)";

/// The motion that a line may cause.
pub(super) fn motion_of(slot: &Slot) -> Option<SentMotion> {
    match slot.kind {
        LineKind::Jog => Some(SentMotion::Jog),
        LineKind::Home => Some(SentMotion::Home),
        _ if slot.line.may_move() => Some(SentMotion::Run),
        _ => None,
    }
}
