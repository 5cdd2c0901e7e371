//! The units of a bus and whoever asks about them: everything of the task but the link.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::handle::{BusConfig, Family, UnitConfig};
use super::order::{BusEvent, BusEventKind, BusOrder, UnitEvent};
use super::outbox::Outbox;
use super::setting::{judge, rows};
use super::stats::{BusStats, Ear};
use super::unit::{Question, Unit};
use crate::driver::clock::Clock;
use crate::inverter::poller::Turn;
use crate::model::Time;
use crate::model::command::TicketId;
use crate::model::power::{BusCounters, BusState, Wanted};

/// A unit that was due but asked nothing is looked at again after this.
const LOOK_AGAIN: Duration = Duration::from_millis(50);
/// Whoever was not asked for so long is as urgent as what is read for safety.
const PATIENT_FOR: Duration = Duration::from_secs(3);
/// Counters are told no more often than this.
const COUNTERS_EVERY: Duration = Duration::from_secs(1);
/// How long the hub may take for the last events.
const HUB_WITHIN: Duration = Duration::from_millis(500);

/// What ended a wait.
#[derive(Debug)]
pub(super) enum Attended<T> {
    /// The task is to end.
    Closing,
    /// An order came.
    Order,
    /// What was waited for.
    Done(T),
}

#[derive(Debug)]
pub(super) struct Desk {
    pub(super) units: Vec<Unit>,
    /// The bus is to be opened now.
    pub(super) reconnect: bool,
    bus: usize,
    clock: Clock,
    orders: mpsc::Receiver<BusOrder>,
    hub: mpsc::Sender<BusEvent>,
    outbox: Outbox,
    closing: CancellationToken,
    state: Option<BusState>,
    counted: (BusStats, Time),
    ear: Ear,
    link_is_up: bool,
}

impl Desk {
    pub(super) fn new(
        config: BusConfig,
        bus: usize,
        clock: Clock,
        orders: mpsc::Receiver<BusOrder>,
        hub: mpsc::Sender<BusEvent>,
        closing: CancellationToken,
    ) -> Self {
        let now = clock.now();
        let usable = config.units.iter().filter(|unit| !matches!(unit.family, Family::Unusable(_))).count();
        let others = u32::try_from(usable.saturating_sub(1)).unwrap_or(u32::MAX);
        let unit = |mut unit: UnitConfig| {
            unit.options.others = others;
            Unit::new(unit, now)
        };
        let mut desk = Self {
            units: config.units.into_iter().map(unit).collect(),
            reconnect: false,
            bus,
            clock,
            orders,
            hub,
            outbox: Outbox::default(),
            closing,
            state: None,
            counted: (BusStats::default(), now),
            ear: Ear::default(),
            link_is_up: false,
        };
        desk.tell_news();
        desk
    }

    pub(super) fn now(&self) -> Time {
        self.clock.now()
    }

    /// Waits for `work`, and meanwhile takes orders and hands events to the hub. `work` is dropped in the middle only if the
    /// task is to end, or for an order where that is `wanted`.
    pub(super) async fn attend<T>(&mut self, work: impl Future<Output = T>, wanted: bool) -> Attended<T> {
        tokio::pin!(work);
        let hub = self.hub.clone();
        loop {
            tokio::select! {
                biased;
                () = self.closing.cancelled() => return Attended::Closing,
                permit = hub.reserve(), if !self.outbox.is_empty() => match (permit, self.outbox.pop()) {
                    (Ok(permit), Some(event)) => permit.send(event),
                    (Ok(_), None) => {}
                    (Err(_), _) => return Attended::Closing,
                },
                order = self.orders.recv(), if !self.outbox.is_crowded() => match order {
                    Some(order) => {
                        self.obey(order);
                        if wanted {
                            return Attended::Order;
                        }
                    }
                    None => return Attended::Closing,
                },
                done = &mut work => return Attended::Done(done),
            }
        }
    }

    /// Somebody is polled.
    pub(super) fn is_busy(&self) -> bool {
        self.units.iter().any(Unit::is_polled)
    }

    /// Who is asked now, and what. Writes go first, then what is read for safety; among equals whoever waited longest.
    pub(super) fn next(&mut self, slowest: Duration) -> Option<(usize, Question)> {
        let now = self.now();
        loop {
            let due = self.units.iter().enumerate().filter_map(|(at, unit)| {
                let turn = unit.turn(now)?;
                let waited = now.since(unit.served) >= PATIENT_FOR;
                Some(((if waited { turn.min(Turn::Safety) } else { turn }, unit.served), at))
            });
            let (_, at) = due.min()?;
            // What was heard of the others does not wait for the end of this question.
            let others = self.units.iter_mut().enumerate().filter(|(other, _)| *other != at);
            others.for_each(|(_, unit)| unit.turn_passes(now));
            let unit = &mut self.units[at];
            let question = unit.ask(now, slowest);
            if question.is_none() {
                unit.rests_until = now + LOOK_AGAIN;
            }
            self.tell_news();
            if let Some(question) = question {
                return Some((at, question));
            }
        }
    }

    /// When somebody is to be asked next.
    pub(super) fn due(&self) -> Option<Time> {
        self.units.iter().filter_map(Unit::due).min()
    }

    /// After a question that was waited for in vain since `asked`: the unit rests for the sake of those that answer.
    pub(super) fn rest(&mut self, at: usize, asked: Time) {
        let others =
            self.units.iter().enumerate().any(|(other, unit)| other != at && unit.is_polled() && unit.answers());
        let now = self.now();
        if others && self.units[at].writing.is_none() {
            self.units[at].rest(now.since(asked), now);
        }
    }

    /// The bus was opened, anew perhaps: who is there has to be asked.
    pub(super) fn link_up(&mut self) {
        self.link_is_up = true;
        let now = self.now();
        self.units.iter_mut().for_each(|unit| unit.link_up(now));
        self.tell_news();
    }

    /// The bus is gone.
    pub(super) fn link_down(&mut self, why: &str) {
        self.link_is_up = false;
        let now = self.now();
        for unit in &mut self.units {
            unit.link_down(now);
            unit.unreachable(&format!("its bus is down: {why}"), now);
        }
        self.tell_news();
    }

    pub(super) fn tell_state(&mut self, state: BusState) {
        if self.state.as_ref() != Some(&state) {
            self.state = Some(state.clone());
            self.tell(BusEventKind::State(state));
        }
    }

    /// When the bus is tried next.
    pub(super) const fn retry_at(&self) -> Option<Time> {
        match &self.state {
            Some(BusState::Down { retry_at, .. }) => Some(*retry_at),
            _ => None,
        }
    }

    pub(super) fn tell_counters(&mut self, stats: &BusStats) {
        let now = self.now();
        let (told, at) = &self.counted;
        if told == stats || now.since(*at) < COUNTERS_EVERY {
            return;
        }
        self.counted = (*stats, now);
        let rounds: Vec<Duration> = self.units.iter().filter_map(Unit::round).collect();
        let round = (!rounds.is_empty()).then(|| rounds.iter().sum());
        let trouble = self.ear.trouble(stats, now);
        self.tell(BusEventKind::Counters { counters: counters(stats), round, trouble });
    }

    pub(super) fn tell_news(&mut self) {
        for at in 0..self.units.len() {
            while let Some(what) = self.units[at].news.pop_front() {
                self.tell(BusEventKind::Unit { unit: at, what });
            }
        }
    }

    fn tell(&mut self, what: BusEventKind) {
        self.outbox.push(BusEvent { at: self.clock.now(), bus: self.bus, what });
    }

    fn obey(&mut self, order: BusOrder) {
        let now = self.now();
        match order {
            BusOrder::Set { ticket, unit, settings, armed } => {
                if let Err(why) = self.set(ticket, unit, &settings, armed, now) {
                    self.tell(BusEventKind::Unit { unit, what: UnitEvent::Written { ticket, done: Err(why) } });
                }
            }
            BusOrder::Check { unit, settings, armed, answer } => {
                let judged = match self.units.get(unit) {
                    None => Err(no_unit()),
                    Some(unit) => match unit.values() {
                        None => Err(vec![unit.why_nothing()]),
                        Some(values) => judge(values, &settings, armed, now).map(|changes| rows(values, &changes)),
                    },
                };
                let _ = answer.send(judged);
            }
            BusOrder::Look { unit, answer } => {
                // Nobody is answered where nothing is known: who asked sees that the answer was dropped.
                if let Some(values) = self.units.get(unit).and_then(Unit::values) {
                    let _ = answer.send(Arc::new(values.clone()));
                }
            }
            BusOrder::Want { unit, class } => {
                if let Some(unit) = self.units.get_mut(unit) {
                    unit.want(class, now);
                }
            }
            BusOrder::Confirm { unit } => {
                if let Some(unit) = self.units.get_mut(unit) {
                    unit.confirm(now);
                }
            }
            BusOrder::Enable { unit, on } => self.enable(unit, on, now),
            BusOrder::Reconnect => self.reconnect = true,
        }
        self.tell_news();
    }

    fn set(
        &mut self,
        ticket: TicketId,
        unit: usize,
        settings: &[Wanted],
        armed: bool,
        now: Time,
    ) -> Result<(), Vec<String>> {
        let unit = self.units.get_mut(unit).ok_or_else(no_unit)?;
        if !unit.enabled {
            return Err(vec!["it is switched off: switch it on first".to_owned()]);
        }
        let values = unit.values().ok_or_else(|| vec![unit.why_nothing()])?;
        let changes = judge(values, settings, armed, now)?;
        if let Some(poller) = unit.poller() {
            poller.write(changes).map_err(|why| vec![why])?;
            unit.writing = Some(ticket);
            // Somebody waits for it.
            unit.rests_until = now;
        }
        Ok(())
    }

    fn enable(&mut self, at: usize, on: bool, now: Time) {
        let Some(unit) = self.units.get_mut(at).filter(|unit| unit.enabled != on) else { return };
        if on {
            unit.enabled = true;
            if self.link_is_up {
                unit.link_up(now);
            }
        } else {
            unit.abandon_write("the inverter was switched off", now);
            unit.link_down(now);
            unit.enabled = false;
            unit.forget_reach();
        }
    }

    /// Ends everything; the hub is given a moment to hear of it.
    pub(super) async fn close(mut self) {
        const WHY: &str = "sunmill is ending";
        let now = self.now();
        self.units.iter_mut().for_each(|unit| unit.abandon_write(WHY, now));
        self.tell_news();
        self.orders.close();
        while let Ok(order) = self.orders.try_recv() {
            if let BusOrder::Set { ticket, unit, .. } = order {
                let done = Err(vec![format!("nothing was written: {WHY}")]);
                self.tell(BusEventKind::Unit { unit, what: UnitEvent::Written { ticket, done } });
            }
        }
        let last = async {
            while let Some(event) = self.outbox.pop() {
                if self.hub.send(event).await.is_err() {
                    break;
                }
            }
        };
        if tokio::time::timeout(HUB_WITHIN, last).await.is_err() {
            tracing::warn!("the hub did not take the last events of a bus");
        }
    }
}

fn no_unit() -> Vec<String> {
    vec!["there is no such inverter on this bus".to_owned()]
}

fn counters(stats: &BusStats) -> BusCounters {
    let micros = |time: Duration| u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
    BusCounters {
        requests: stats.requests,
        replies: stats.replies,
        exceptions: stats.exceptions,
        timeouts: stats.timeouts,
        crc_errors: stats.crc_errors,
        cut_short: stats.cut_short,
        desyncs: stats.desyncs,
        stray_bytes: stats.stray_bytes,
        opens: stats.opens,
        mean_us: stats.mean().map_or(0, micros),
        slowest_us: micros(stats.slowest),
    }
}
