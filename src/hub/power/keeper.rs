//! What the hub holds of inverters, and the door to it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::AbortHandle;

use super::desk::{self, Book, DeskSetup};
use super::energy::Ends;
use super::fold::{self, Places};
use super::inbox::{Inbox, News, TOLD};
use super::kept::Kept;
use super::memory::Memory;
use super::said::{Said, Saying};
use super::sampler::Sampler;
use super::setup::PowerKeeping;
use super::step::LoadStep;
use super::writes::OpenWrite;
use crate::driver::bus::BusOrder;
use crate::hub::run::Keeper;
use crate::inverter::budget::{Allowance, Arming};
use crate::inverter::{Profile, Values};
use crate::model::Time;
use crate::model::command::{Outcome, Refused, TicketId, VoidReason};
use crate::model::hub::Errand;
use crate::model::log::LogItem;
use crate::model::power::{Power, Saved};
use crate::store::{Store, now_ms};

/// How long a bus may take to say what it knows; it does not ask the device for that.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);

/// What the hub holds of inverters beside the snapshot.
#[derive(Debug)]
pub(in crate::hub) struct PowerHub {
    pub(super) ends: Vec<End>,
    /// Orders to each bus.
    pub(super) buses: Vec<mpsc::Sender<BusOrder>>,
    /// Why each bus was down when that was last said.
    pub(super) down_said: Vec<Option<String>>,
    pub(super) places: Places,
    pub(super) open: BTreeMap<TicketId, OpenWrite>,
    pub(super) arming: Arming,
    pub(super) disarms: Option<AbortHandle>,
    pub(super) allowance: Allowance,
    pub(super) kept: Kept,
    pub(super) tick: Duration,
    pub(super) remembered_at: Time,
    tell: mpsc::Sender<News>,
    books: watch::Sender<Arc<Vec<Book>>>,
    zone: TimeZone,
}

/// The hub's end of one inverter, at its place in the snapshot.
#[derive(Clone, Debug)]
pub(super) struct End {
    pub(super) name: String,
    pub(super) bus: usize,
    pub(super) unit: usize,
    pub(super) memory: Memory,
    /// Its counters went on since they were written.
    pub(super) counted: bool,
    pub(super) saved: BTreeMap<String, Saved>,
    /// When each was written last: what was read before that is no drift.
    pub(super) written: BTreeMap<String, Time>,
    pub(super) sampler: Sampler,
    pub(super) said: Said,
    pub(super) step: LoadStep,
    pub(super) counter_ends: Ends,
    pub(super) profile: Option<Arc<Profile>>,
}

/// The ends of the channels that the hub's task and its port hold.
pub(in crate::hub) struct Doors {
    pub(in crate::hub) inbox: Inbox,
    /// For questions; `None`: there are no inverters to ask about.
    pub(in crate::hub) errands: Option<mpsc::Sender<Errand>>,
}

impl PowerHub {
    /// With the snapshot's part to begin with. To be called in the runtime.
    fn new(keeping: PowerKeeping, store: Option<Store>) -> (Self, Power, Inbox) {
        let (power, places) = fold::begin(&keeping);
        let (tell, told) = mpsc::channel(TOLD);
        let every = i64::try_from(keeping.tick.as_millis()).unwrap_or(i64::MAX).max(1);
        let over = Duration::from_millis(now_ms().rem_euclid(every).unsigned_abs());
        let tick = (!power.inverters.is_empty()).then_some((keeping.tick.max(Duration::from_millis(1)), over));
        let inbox = Inbox::new(keeping.events, told, tick);
        let mut hub = Self {
            ends: vec![End::nobody(); power.inverters.len()],
            down_said: vec![None; keeping.buses.len()],
            buses: Vec::new(),
            places,
            open: BTreeMap::new(),
            arming: Arming::default(),
            disarms: None,
            allowance: keeping.allowance,
            kept: Kept::new(store),
            tick: keeping.tick,
            remembered_at: Time::ZERO,
            tell,
            books: watch::channel(Arc::default()).0,
            zone: keeping.zone,
        };
        let today = hub.date(now_ms());
        for (bus, setup) in keeping.buses.into_iter().enumerate() {
            for (unit, setup) in setup.units.into_iter().enumerate() {
                let Some(place) = hub.places.of(bus, unit) else { continue };
                let mut memory = keeping.remembered.get(&setup.name).cloned().unwrap_or_default();
                memory.energies.restarted(&today);
                hub.kept.enabled(&setup.name, memory.device.enabled.unwrap_or(setup.enabled), false);
                let saved = keeping.saved.get(&setup.name).into_iter().flatten();
                let saved = saved.map(|saved| (saved.id.clone(), saved.clone())).collect();
                hub.ends[place] = End { name: setup.name, bus, unit, memory, saved, ..End::nobody() };
            }
            hub.buses.push(setup.orders);
        }
        hub.show_books();
        (hub, power, inbox)
    }

    /// Nothing is configured.
    pub(in crate::hub) fn nothing() -> Self {
        Self::new(PowerKeeping::default(), None).0
    }

    /// A date of the local time zone.
    pub(super) fn date(&self, at_ms: i64) -> String {
        Timestamp::from_millisecond(at_ms)
            .map(|at| at.to_zoned(self.zone.clone()).date().to_string())
            .unwrap_or_default()
    }

    /// Gives an order to the bus of an inverter.
    pub(super) fn order(&self, place: usize, what: impl FnOnce(usize) -> BusOrder) -> Result<(), Outcome> {
        let nobody = || Outcome::Refused(Refused::because("there is no such inverter"));
        let end = self.ends.get(place).ok_or_else(nobody)?;
        self.order_bus(end.bus, what(end.unit))
    }

    /// Gives an order to a bus. It never waits.
    pub(super) fn order_bus(&self, bus: usize, what: BusOrder) -> Result<(), Outcome> {
        let gone = || Outcome::Voided { why: VoidReason::LinkLost, sent: false };
        let bus = self.buses.get(bus).ok_or_else(gone)?;
        bus.try_send(what).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => {
                Outcome::Refused(Refused::because("the bus is busy with earlier orders; try again"))
            }
            mpsc::error::TrySendError::Closed(_) => gone(),
        })
    }

    /// Has what a bus answers told to the hub, in whatever time that takes.
    pub(super) fn tell_when<T: Send + 'static>(
        &self,
        answered: oneshot::Receiver<T>,
        news: impl FnOnce(Result<T, String>) -> Option<News> + Send + 'static,
    ) {
        let tell = self.tell.clone();
        tokio::spawn(async move {
            let answer = match tokio::time::timeout(PATIENCE, answered).await {
                Ok(Ok(answer)) => Ok(answer),
                Ok(Err(_)) => {
                    Err("nothing is known of it yet, or its bus has ended; try again when it answers".to_owned())
                }
                Err(_elapsed) => Err("the bus does not answer; try again".to_owned()),
            };
            if let Some(news) = news(answer) {
                // Nobody listens: the hub has ended, and has answered what was open.
                let _ = tell.send(news).await;
            }
        });
    }

    /// Says after a time that dangerous settings were armed for long enough.
    pub(super) fn disarm_after(&mut self, time: Duration) {
        let tell = self.tell.clone();
        let sleeper = tokio::spawn(async move {
            tokio::time::sleep(time).await;
            let _ = tell.send(News::Disarm).await;
        });
        self.keep_awake_no_more();
        self.disarms = Some(sleeper.abort_handle());
    }

    pub(super) fn keep_awake_no_more(&mut self) {
        if let Some(sleeper) = self.disarms.take() {
            sleeper.abort();
        }
    }

    /// Tells the desk what was saved and how often was written.
    pub(super) fn show_books(&self) {
        let books = self.ends.iter().filter_map(|end| {
            Some(Book {
                name: end.name.clone(),
                bus: self.buses.get(end.bus)?.clone(),
                unit: end.unit,
                saved: end.saved.clone(),
                budget: end.memory.device.budget.clone(),
            })
        });
        self.books.send_replace(Arc::new(books.collect()));
    }

    /// Writes down what is remembered of an inverter, now.
    pub(super) fn remember(&self, place: usize) {
        if let Some(end) = self.ends.get(place) {
            self.kept.remember(&end.name, &end.memory);
        }
    }

    /// Writes down where the counters of energy stand, where they went on.
    pub(super) fn remember_energies(&mut self) {
        for end in self.ends.iter_mut().filter(|end| end.counted) {
            end.counted = false;
            self.kept.remember_energies(&end.name, &end.memory);
        }
    }

    /// Asks for all that is known of an inverter; its profile and what drifted follow from that.
    pub(super) fn look(&self, place: usize) {
        let (answer, answered) = oneshot::channel();
        if self.order(place, |unit| BusOrder::Look { unit, answer }).is_ok() {
            self.tell_when(answered, move |values: Result<Arc<Values>, String>| {
                values.ok().map(|values| News::Looked { place, values })
            });
        }
    }
}

impl End {
    fn nobody() -> Self {
        Self {
            name: String::new(),
            bus: usize::MAX,
            unit: 0,
            memory: Memory::default(),
            counted: false,
            saved: BTreeMap::new(),
            written: BTreeMap::new(),
            sampler: Sampler::default(),
            said: Said::default(),
            step: LoadStep::default(),
            counter_ends: Ends::default(),
            profile: None,
        }
    }
}

impl Keeper {
    /// Takes the inverters, and starts the desk that answers questions about them. To be called in the runtime.
    pub(in crate::hub) fn begin_power(&mut self, keeping: PowerKeeping, store: Option<Store>) -> Doors {
        let (allowance, zone, clock) = (keeping.allowance, keeping.zone.clone(), self.clock);
        let (hub, power, inbox) = PowerHub::new(keeping, store.clone());
        let books = hub.books.subscribe();
        let any = !power.inverters.is_empty();
        let errands = any.then(|| desk::start(DeskSetup { store, clock, allowance, zone }, books));
        self.power = hub;
        self.snapshot.power = Arc::new(power);
        if any {
            self.power_changed();
            self.publish();
        }
        Doors { inbox, errands }
    }

    /// Something happened on the side of inverters.
    pub(in crate::hub) fn take_power(&mut self, news: News) {
        let now = self.clock.now();
        match news {
            News::Bus(event) => self.take_bus(event),
            News::BusesGone => self.buses_gone(now),
            News::Tick => self.power_tick(now),
            News::Disarm => self.disarm_if_over(now),
            News::Judged { ticket, rows } => self.judged(now, ticket, rows),
            News::Looked { place, values } => self.looked(now, place, &values),
        }
        self.measure_power(now);
        self.look_at_rules(now);
    }

    /// Tells people: in the log, and in the audit.
    pub(super) fn say(&mut self, at: Time, who: &str, saying: Saying) {
        self.audit.note(who, saying.text.clone());
        self.journal.write(at, LogItem::Note { level: saying.level, text: saying.text });
    }

    /// The snapshot says something new of inverters.
    pub(super) const fn power_changed(&mut self) {
        self.snapshot.rev += 1;
    }

    /// sunmill ends: sets that went to a bus may have acted, the others not; what is remembered is written down.
    pub(in crate::hub) fn finish_power(&mut self, now: Time) {
        for (ticket, open) in std::mem::take(&mut self.power.open) {
            if !open.answered {
                self.answer(now, ticket, Outcome::Voided { why: VoidReason::Shutdown, sent: open.sent });
            }
        }
        self.power.keep_awake_no_more();
        self.power.remember_energies();
    }
}
