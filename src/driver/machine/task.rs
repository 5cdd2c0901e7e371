//! The loop: realtime first, then the wire, then timers, then the hub, then new orders.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::sleep_until;
use tokio_util::sync::CancellationToken;

use super::event::{Event, EventKind, Order, OrderKind};
use super::exchange::{Moved, exchange, write_now};
use super::feed::Feed;
use super::meter::Meter;
use super::outbox::{HubGone, Outbox};
use super::outgoing::Outgoing;
use super::wire::{Gate, Tap, printable};
use crate::driver::backoff::Backoff;
use crate::driver::clock::Clock;
use crate::driver::pace::Pacer;
use crate::driver::pulse::Pulse;
use crate::driver::transport::{Opener, Port};
use crate::driver::wire_log::WireLog;
use crate::grbl::event::ResetCause;
use crate::grbl::session::Situation;
use crate::grbl::{self, Session};
use crate::model::Endpoint;
use crate::model::command::{Outcome, Realtime, Refused, TicketId, VoidReason};
use crate::model::latch::{Latch, RealtimeSet};
use crate::model::snapshot::{LinkState, LinkStats, Stop, StopPhase};
use crate::model::time::Time;

/// How long the port stays open at the end for a jog to be seen cancelled. Twice the period at which the cancel is
/// repeated, and more than the motion that a continuous jog may have queued.
const CANCEL_WITHIN: Duration = Duration::from_millis(250);
/// The same for a program to be seen on hold. FluidNC with a full planner takes up to 200 ms to look at the byte.
const HOLD_WITHIN: Duration = Duration::from_millis(750);
/// How long the hub may take for the last events.
const HUB_WITHIN: Duration = Duration::from_millis(500);
/// Counters are told no more often than this.
const STATS_EVERY: Duration = Duration::from_secs(1);
const READ_BUFFER: usize = 4096;

/// Owner of the port, of its session, and of all that happens in between.
pub(super) struct Task {
    opener: Opener,
    clock: Clock,
    latch: Arc<Latch>,
    orders: mpsc::Receiver<Order>,
    hub: mpsc::Sender<Event>,
    closing: CancellationToken,
    session: Session,
    outbox: Outbox,
    backoff: Backoff,
    stats: LinkStats,
    stats_told: (LinkStats, Time),
    meter: Meter,
    pub(super) wire_log: Option<WireLog>,
    jogging: bool,
    /// A stop has been sent and is not confirmed.
    holding: bool,
    why_down: String,
    received: Tap,
    sent: Tap,
    gate: Gate,
    /// The program under way.
    feed: Option<Feed>,
    /// A port that is to be opened in place of this one, and who asked.
    other_port: Option<(TicketId, Endpoint)>,
    /// Says that this task goes on.
    pub(super) pulse: Pulse,
}

/// What ended a wait.
enum Wake {
    Closing,
    Realtime,
    Moved(io::Result<Moved>),
    Due,
    Hub,
    Program,
    Order(Option<Order>),
    /// Nothing: it comes round.
    Round,
}

/// What ended a wait without a link.
enum Attended<T> {
    Closing,
    RetryNow,
    Done(T),
}

/// What ended a link.
enum Ended {
    Closing,
    OtherPort,
    Lost(String),
}

impl Task {
    pub(super) fn new(
        session: Session,
        opener: Opener,
        clock: Clock,
        latch: Arc<Latch>,
        orders: mpsc::Receiver<Order>,
        hub: mpsc::Sender<Event>,
        closing: CancellationToken,
    ) -> Self {
        Self {
            opener,
            clock,
            latch,
            orders,
            hub,
            closing,
            session,
            outbox: Outbox::default(),
            backoff: Backoff::default(),
            stats: LinkStats::default(),
            stats_told: (LinkStats::default(), clock.now()),
            meter: Meter::default(),
            wire_log: None,
            jogging: false,
            holding: false,
            why_down: "it is being opened".to_owned(),
            received: Tap::default(),
            sent: Tap::default(),
            gate: Gate::default(),
            feed: None,
            other_port: None,
            pulse: Pulse::default(),
        }
    }

    pub(super) async fn run(mut self) {
        self.tell(EventKind::Link(LinkState::Opening));
        loop {
            self.change_port();
            let opener = self.opener.clone();
            let why = match self.attend(async { opener.open().await }, false).await {
                Attended::Closing => break,
                Attended::RetryNow => continue,
                Attended::Done(Err(error)) => error.to_string(),
                Attended::Done(Ok(port)) => match self.serve(port).await {
                    Ended::Closing => break,
                    Ended::OtherPort => continue,
                    Ended::Lost(why) => why,
                },
            };
            let (attempt, wait) = self.backoff.fail();
            let retry_at = self.clock.now() + wait;
            self.why_down.clone_from(&why);
            self.tell(EventKind::Link(LinkState::Down { why, attempt, retry_at }));
            if let Attended::Closing = self.attend(sleep_until(self.clock.deadline(retry_at)), true).await {
                break;
            }
        }
        self.finish().await;
    }

    /// Before an open: takes the port that somebody chose in the meantime.
    fn change_port(&mut self) {
        let Some((ticket, endpoint)) = self.other_port.take() else { return };
        tracing::info!(from = %self.opener.endpoint, to = %endpoint, "another port");
        self.opener.endpoint = endpoint.clone();
        self.session.set_network(self.opener.is_network());
        self.backoff.reset();
        self.tell(EventKind::Port(endpoint));
        self.tell(EventKind::Link(LinkState::Opening));
        self.end(ticket, Outcome::Done);
    }

    /// While there is no link: answers orders and realtime keys honestly until `work` is done.
    async fn attend<T>(&mut self, work: impl Future<Output = T>, may_skip: bool) -> Attended<T> {
        let mut work = std::pin::pin!(work);
        loop {
            if self.outbox.flush(&self.hub).is_err() {
                return Attended::Closing;
            }
            self.pulse.beat();
            tokio::select! {
                biased;
                () = self.closing.cancelled() => return Attended::Closing,
                () = self.latch.notified() => {
                    let set = self.latch.take();
                    self.tell_askers(&set);
                    self.nothing_can_be_sent(&set);
                    if may_skip && set.contains(Realtime::ReconnectNow) {
                        return Attended::RetryNow;
                    }
                }
                done = &mut work => return Attended::Done(done),
                () = has_room(&self.hub), if !self.outbox.is_empty() => {}
                order = self.orders.recv(), if !self.outbox.is_crowded() => match order {
                    Some(Order { ticket, what: OrderKind::UsePort(endpoint) }) => {
                        self.other_port = Some((ticket, endpoint));
                        return Attended::RetryNow;
                    }
                    Some(order) => self.turn_away(&order),
                    None => return Attended::Closing,
                },
                () = self.pulse.due() => {}
            }
        }
    }

    /// A stop that could not be sent must not look as if it had been.
    fn nothing_can_be_sent(&mut self, set: &RealtimeSet) {
        const STOPS: [Realtime; 5] =
            [Realtime::SoftReset, Realtime::StopProgram, Realtime::Stop, Realtime::FeedHold, Realtime::JogCancel];
        if let Some(asked) = STOPS.into_iter().find(|&stop| set.contains(stop)) {
            let stop = Stop { asked, at: self.clock.now(), phase: StopPhase::NotConfirmed };
            self.tell(EventKind::Session(grbl::Event::Stop(stop)));
        }
    }

    fn turn_away(&mut self, order: &Order) {
        let outcome = if self.latch.is_void(order.ticket, order.what.is_jog()) {
            Outcome::Voided { why: VoidReason::Stop, sent: false }
        } else {
            Outcome::Refused(Refused::because(format!("the link is down: {}", self.why_down)))
        };
        self.end(order.ticket, outcome);
    }

    /// From the opening of a port to its end.
    async fn serve(&mut self, mut port: Port) -> Ended {
        let mut out = Outgoing::new(Pacer::new(port.pace_baud));
        self.received.clear();
        self.sent.clear();
        if let Some(log) = &self.wire_log {
            log.opened(self.clock.now(), self.opener.endpoint.to_string());
        }
        // The session tells changes only, and may never have heard of the link going down while nobody answered.
        self.tell(EventKind::Link(LinkState::Asking));
        self.session.set_paced(port.pace_baud.is_some());
        self.session.handle_open(self.clock.now());
        let mut buf = [0; READ_BUFFER];
        let ended = loop {
            let now = self.clock.now();
            self.pulse.beat();
            self.feed_program(now);
            out.pull(&mut self.session, now);
            if self.collect(now).is_err() {
                break Ended::Closing;
            }
            if let Some(ended) = self.step(&mut port, &mut out, &mut buf).await {
                break ended;
            }
        };
        if let Ended::Closing = ended {
            self.wind_down(&mut port, &mut out).await;
        }
        drop(port);
        let now = self.clock.now();
        if let Some(log) = &self.wire_log {
            let why = match &ended {
                Ended::Lost(why) => why.as_str(),
                Ended::OtherPort => "another port was chosen",
                Ended::Closing => "sunmill ended",
            };
            log.closed(now, why.to_owned());
        }
        self.session.handle_closed(now);
        let _ = self.collect(now);
        self.meter.closed(&mut self.stats);
        self.stats_told = (self.stats, now);
        self.tell(EventKind::Stats(self.stats));
        self.jogging = false;
        ended
    }

    /// Waits for one thing and does it. `Some`: the link has ended.
    async fn step(&mut self, port: &mut Port, out: &mut Outgoing, buf: &mut [u8]) -> Option<Ended> {
        let wake = self.wait(port, out, buf, None).await;
        let now = self.clock.now();
        match wake {
            Wake::Closing | Wake::Order(None) => return Some(Ended::Closing),
            Wake::Realtime => self.realtime(now),
            Wake::Moved(moved) => {
                let came = matches!(moved, Ok(Moved::In(_)));
                let mut done = self.moved(now, port, out, buf, moved);
                if came && done.is_ok() {
                    done = self.stream_on(now, port, out).await;
                }
                if let Err(why) = done {
                    return Some(Ended::Lost(why));
                }
            }
            Wake::Due => self.session.handle_timeout(now),
            Wake::Hub | Wake::Program | Wake::Round => {}
            Wake::Order(Some(Order { ticket, what: OrderKind::UsePort(endpoint) })) => {
                // The hub looked at a report; something may have been sent since.
                if !self.may_be_left(now) {
                    let why = Refused::because(
                        "the machine may be moving or has lines to answer: it cannot be left alone yet",
                    );
                    self.end(ticket, Outcome::Refused(why));
                    return None;
                }
                self.other_port = Some((ticket, endpoint));
                return Some(Ended::OtherPort);
            }
            Wake::Order(Some(order)) => self.take(now, order),
        }
        None
    }

    /// What an answer made room for goes out at once: to look first at all else that can happen costs more than the write itself.
    /// A realtime key still goes before it.
    async fn stream_on(&mut self, now: Time, port: &mut Port, out: &mut Outgoing) -> Result<(), String> {
        if !self.session.is_streaming() || !self.latch.is_empty() {
            return Ok(());
        }
        self.feed_program(now);
        out.pull(&mut self.session, now);
        if out.unsent().is_empty() {
            return Ok(());
        }
        match write_now(&mut *port.stream, out.unsent()).await {
            Ok(0) => Ok(()),
            written => self.moved(now, port, out, &[], written.map(Moved::Out)),
        }
    }

    /// With `until`, the task is ending: no order is read any more, and the wait ends then at the latest.
    async fn wait(&mut self, port: &mut Port, out: &Outgoing, buf: &mut [u8], until: Option<Time>) -> Wake {
        let now = self.clock.now();
        let due = [self.session.poll_timeout(), out.next(now), until].into_iter().flatten().min();
        let due_at = self.clock.deadline(due.unwrap_or(now));
        let room = if self.outbox.is_full() { 0 } else { buf.len() };
        let wants = until.is_none() && self.session.stream_wants();
        let feed = self.feed.as_mut().filter(|_| wants);
        tokio::select! {
            biased;
            () = self.closing.cancelled(), if until.is_none() => Wake::Closing,
            () = self.latch.notified() => Wake::Realtime,
            moved = exchange(&mut *port.stream, out.unsent(), &mut buf[..room]) => Wake::Moved(moved),
            () = sleep_until(due_at), if due.is_some() => Wake::Due,
            () = read_on(feed) => Wake::Program,
            () = has_room(&self.hub), if until.is_none() && !self.outbox.is_quiet() => Wake::Hub,
            order = self.orders.recv(),
                if until.is_none() && !self.outbox.is_crowded() => Wake::Order(order),
            () = self.pulse.due() => Wake::Round,
        }
    }

    fn may_be_left(&self, now: Time) -> bool {
        match self.session.situation(now) {
            Situation::Idle | Situation::Alarm | Situation::Sleep => {
                self.session.is_settled() && !self.jogging && !self.session.is_streaming()
            }
            Situation::Unknown { .. } => self.session.last_report().is_none(),
            _ => false,
        }
    }

    fn realtime(&mut self, now: Time) {
        let mut set = self.latch.take();
        set.remove(Realtime::ReconnectNow);
        let kept = self.latch.sift(&mut set);
        if !kept.is_empty() {
            self.tell(EventKind::KeptBack(kept));
        }
        self.tell_askers(&set);
        self.session.realtime(now, set);
    }

    /// Cancels of jogs and questions for a report are too many to be of interest.
    fn tell_askers(&mut self, set: &RealtimeSet) {
        let mut askers = self.latch.askers(set);
        askers
            .retain(|(kind, _)| !matches!(kind, Realtime::JogCancel | Realtime::StatusQuery | Realtime::ReconnectNow));
        if !askers.is_empty() {
            self.tell(EventKind::Asked(askers));
        }
    }

    fn moved(
        &mut self,
        now: Time,
        port: &Port,
        out: &mut Outgoing,
        buf: &[u8],
        moved: io::Result<Moved>,
    ) -> Result<(), String> {
        match moved {
            Ok(Moved::Out(n)) => {
                self.meter.sent(now, &out.unsent()[..n], &mut self.stats);
                if let Some(log) = &self.wire_log {
                    log.bytes(now, true, &out.unsent()[..n]);
                }
                let (tap, outbox, gate) = (&mut self.sent, &mut self.outbox, &mut self.gate);
                let shown = |gate: &mut Gate| self.feed.is_none() || gate.passes(now);
                tap.outgoing(&out.unsent()[..n], |bytes| show(outbox, shown(gate), now, true, bytes));
                out.taken(n, now);
                Ok(())
            }
            Ok(Moved::In(0)) => Err(port.when_gone.to_owned()),
            Ok(Moved::In(n)) => {
                self.stats.rx_bytes += n as u64;
                if let Some(log) = &self.wire_log {
                    log.bytes(now, false, &buf[..n]);
                }
                let (tap, outbox, gate) = (&mut self.received, &mut self.outbox, &mut self.gate);
                let shown = |gate: &mut Gate| self.feed.is_none() || gate.passes(now);
                tap.incoming(&buf[..n], |bytes| show(outbox, shown(gate), now, false, bytes));
                self.session.handle_bytes(now, &buf[..n]);
                Ok(())
            }
            Err(error) => {
                tracing::info!(%error, endpoint = %self.opener.endpoint, "the link has failed");
                Err(format!("{} ({error})", port.when_gone))
            }
        }
    }

    /// An order for a link that is open: the session takes it or says why not.
    fn take(&mut self, now: Time, order: Order) {
        let is_jog = order.what.is_jog();
        let is_program = matches!(order.what, OrderKind::Program(_) | OrderKind::PauseProgram | OrderKind::PassWait(_));
        if self.latch.is_void(order.ticket, is_jog) {
            return self.end(order.ticket, Outcome::Voided { why: VoidReason::Stop, sent: false });
        }
        let taken = match order.what {
            OrderKind::Line(line) => self.session.submit(now, line, order.ticket),
            OrderKind::Jog(jog) => self.session.jog(now, jog, order.ticket),
            OrderKind::Set(setting) => self.session.set(now, setting, order.ticket),
            OrderKind::ListSettings => self.session.list_settings(now, order.ticket),
            OrderKind::Program(feed) => self.session.stream_begin(now).map(|()| self.feed = Some(feed)),
            OrderKind::PauseProgram => self.session.stream_pause(now),
            OrderKind::PassWait(number) => self.session.stream_pass(now, number),
            // Taken by who reads the orders: it is not the session's.
            OrderKind::UsePort(_) => Err(Refused::because("the port cannot be changed now")),
        };
        match taken {
            Err(refused) => self.end(order.ticket, Outcome::Refused(refused)),
            Ok(()) if is_program => self.end(order.ticket, Outcome::Done),
            Ok(()) => {}
        }
    }

    /// Hands over the lines of a program that have been read and fit. Never waits: the bytes of a stop do not.
    fn feed_program(&mut self, now: Time) {
        if !self.session.is_streaming() {
            self.feed = None;
        }
        let Some(feed) = &mut self.feed else { return };
        while self.session.stream_wants() {
            match feed.next() {
                Some(item) => self.session.stream_push(now, item),
                None => break,
            }
        }
    }

    /// Brings what the session has to tell to the hub, as far as the hub takes it.
    fn collect(&mut self, now: Time) -> Result<(), HubGone> {
        while let Some(event) = self.session.poll_event() {
            self.meter.event(now, &event, &mut self.stats);
            let what = self.account(event);
            self.outbox.push(Event { at: now, what });
        }
        let (told, at) = self.stats_told;
        if self.stats != told && now.since(at) >= STATS_EVERY {
            Meter::rates(&told, now.since(at), &mut self.stats);
            self.stats.wire_log_lost = self.wire_log.as_ref().map_or(0, WireLog::lost);
            self.stats_told = (self.stats, now);
            self.outbox.push(Event { at: now, what: EventKind::Stats(self.stats) });
        }
        if self.outbox.is_quiet() { Ok(()) } else { self.outbox.flush(&self.hub) }
    }

    /// Counts, and remembers what the task itself has to know.
    fn account(&mut self, event: grbl::Event) -> EventKind {
        match event {
            grbl::Event::Link(state) => {
                if state == LinkState::Up {
                    self.stats.connects += 1;
                    self.backoff.reset();
                }
                return EventKind::Link(state);
            }
            grbl::Event::Outcome { ticket, outcome } => return EventKind::Outcome { ticket, outcome },
            grbl::Event::Status(_) => self.stats.reports += 1,
            grbl::Event::Garbage { bytes } => self.stats.garbage_bytes += bytes as u64,
            grbl::Event::UnexpectedReply => self.stats.unexpected_replies += 1,
            grbl::Event::Reset { cause: ResetCause::ByItself, .. } => self.stats.controller_resets += 1,
            grbl::Event::Jog(ref jog) => self.jogging = jog.is_some(),
            grbl::Event::Stop(ref stop) => self.holding = stop.phase == StopPhase::Sent,
            _ => {}
        }
        EventKind::Session(event)
    }

    fn tell(&mut self, what: EventKind) {
        self.outbox.push(Event { at: self.clock.now(), what });
    }

    fn end(&mut self, ticket: TicketId, outcome: Outcome) {
        self.tell(EventKind::Outcome { ticket, outcome });
    }

    /// The last moments of an open port: a jog is cancelled, a program held, and both, if it can be seen in time, seen to
    /// obey.
    async fn wind_down(&mut self, port: &mut Port, out: &mut Outgoing) {
        let holds = self.session.is_streaming();
        self.latch.set(if holds { Realtime::FeedHold } else { Realtime::JogCancel });
        self.realtime(self.clock.now());
        let until = self.clock.now() + if holds { HOLD_WITHIN } else { CANCEL_WITHIN };
        let mut buf = [0; READ_BUFFER];
        loop {
            let now = self.clock.now();
            out.pull(&mut self.session, now);
            let _ = self.collect(now);
            if now >= until || !self.jogging && !self.holding && out.unsent().is_empty() {
                break;
            }
            let wake = self.wait(port, out, &mut buf, Some(until)).await;
            let now = self.clock.now();
            match wake {
                Wake::Realtime => self.realtime(now),
                Wake::Moved(moved) => {
                    if self.moved(now, port, out, &buf, moved).is_err() {
                        break;
                    }
                }
                Wake::Due => self.session.handle_timeout(now),
                Wake::Closing | Wake::Hub | Wake::Program | Wake::Order(_) | Wake::Round => {}
            }
        }
        self.session.void_all(self.clock.now(), VoidReason::Shutdown);
    }

    /// Ends what is still queued and gives the hub a moment to take it all.
    async fn finish(mut self) {
        self.orders.close();
        while let Ok(order) = self.orders.try_recv() {
            self.end(order.ticket, Outcome::Voided { why: VoidReason::Shutdown, sent: false });
        }
        let last = async {
            while self.outbox.flush(&self.hub).is_ok() && !self.outbox.is_empty() {
                has_room(&self.hub).await;
            }
        };
        if tokio::time::timeout(HUB_WITHIN, last).await.is_err() {
            tracing::warn!("the hub did not take the last events in time");
        }
    }
}

/// More of the program.
async fn read_on(feed: Option<&mut Feed>) {
    match feed {
        Some(feed) => feed.wait().await,
        None => std::future::pending().await,
    }
}

/// One line or byte for the view of the wire.
fn show(outbox: &mut Outbox, shown: bool, at: Time, out: bool, bytes: &[u8]) {
    if shown {
        outbox.push(Event { at, what: EventKind::Wire { out, text: printable(bytes) } });
    } else {
        outbox.pass_over();
    }
}

/// Waits until the hub takes something, or is gone.
async fn has_room(hub: &mpsc::Sender<Event>) {
    drop(hub.reserve().await);
}
