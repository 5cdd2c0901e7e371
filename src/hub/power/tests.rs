//! The hub's side of inverters over buses that a test plays.

mod feed;
mod questions;
mod sets;

use std::sync::Arc;
use std::time::Duration;

use tempfile::TempDir;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::{BusSetup, PowerKeeping, UnitSetup};
use crate::driver::bus::{BusEvent, BusEventKind, BusOrder, UnitEvent};
use crate::driver::clock::Clock;
use crate::driver::machine;
use crate::hub::run::spawn_keeping;
use crate::hub::{HubConfig, Keeping, MachineLink};
use crate::inverter::plan::plan;
use crate::inverter::profile::shipped;
use crate::inverter::validate::Change;
use crate::inverter::write::{Done, Written};
use crate::inverter::{Identity, Learned, Value, Values};
use crate::model::audit::{AuditKind, AuditRow};
use crate::model::command::{Command, Outcome, TicketId};
use crate::model::desk::Answer;
use crate::model::hub::{HubGone, LogEvent, News};
use crate::model::log::LogItem;
use crate::model::power::{
    ChangeRow, Danger, Inverter, Power, PowerAnswer, PowerOrder, Reading, Unit, UnitState, Wanted,
};
use crate::model::{Hub, Time};
use crate::store::{AuditFilter, Store};

/// Values of a shipped profile in which these registers have been read.
pub(super) fn values_of(profile: &str, words: &[(&str, &[u16])], at: Time) -> Arc<Values> {
    let profile = Arc::new(shipped(profile).expect(profile).expect("in order"));
    let mut values = Values::new(profile.clone());
    for (id, words) in words {
        let register = profile.find(id).expect(id);
        let blocks = plan(&profile, profile.read, &Learned::default(), |known| known == register);
        for block in blocks {
            let mut read = vec![0; usize::from(block.count())];
            for item in &block.items {
                for n in 0..usize::from(item.count) {
                    read[usize::from(item.address - block.address()) + n] = words[item.word + n];
                }
            }
            values.accept(&block, &read, at);
        }
    }
    Arc::new(values)
}

/// The same of the Senergy.
pub(super) fn values(words: &[(&str, &[u16])], at: Time) -> Arc<Values> {
    values_of("senergy", words, at)
}

/// A change that came to this end.
pub(super) fn done(id: &str, written: Written) -> Done {
    let change = Change {
        register: 0,
        id: id.into(),
        before: Some(Value::Number(20.0)),
        after: Value::Number(35.0),
        before_text: "20 %".into(),
        after_text: "35 %".into(),
        danger: Danger::Normal,
    };
    Done { change, before: Some("20 %".into()), written }
}

/// A hub with two inverters on a bus that a test plays: `roof` at place 0, `barn` at place 1.
struct Rig {
    hub: Hub,
    clock: Clock,
    machine: mpsc::Sender<machine::Event>,
    orders: mpsc::Receiver<BusOrder>,
    events: mpsc::Sender<BusEvent>,
    store: Store,
    task: JoinHandle<()>,
    outcomes: Vec<(TicketId, Outcome)>,
    notes: Vec<String>,
    answers: Vec<PowerAnswer>,
    _machine_orders: mpsc::Receiver<machine::Order>,
    folder: TempDir,
}

/// What a rig is started with.
struct Start {
    folder: TempDir,
    orders: usize,
    tick: Duration,
}

impl Default for Start {
    fn default() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), orders: 16, tick: Duration::from_secs(10) }
    }
}

const NAMES: [&str; 2] = ["roof", "barn"];

impl Rig {
    fn new() -> Self {
        Self::start(Start::default())
    }

    /// As one after a restart, where the folder is that of another.
    fn start(start: Start) -> Self {
        let clock = Clock::start();
        let (store, opened) = Store::open(&start.folder.path().join("sunmill.db")).unwrap();
        let (remembered, saved) = super::remembered(&store.reader(), NAMES).unwrap();
        let (to_bus, orders) = mpsc::channel(start.orders);
        let (events, told) = mpsc::channel(64);
        let unit = |place: usize| UnitSetup {
            name: NAMES[place].into(),
            place,
            profile: "senergy_hybrid".into(),
            brand: "Senergy".into(),
            address: 1,
            enabled: true,
            capacity_kwh: Some(10.0),
        };
        let bus = BusSetup {
            name: "rs485".into(),
            endpoint: "played".into(),
            simulated: true,
            orders: to_bus,
            units: vec![unit(0), unit(1)],
        };
        let power = PowerKeeping {
            buses: vec![bus],
            events: Some(told),
            remembered,
            saved,
            tick: start.tick,
            ..PowerKeeping::default()
        };
        let keeping = Keeping { store: Some(store.clone()), opened, power, ..Keeping::default() };
        let config = HubConfig {
            endpoint: "sim".into(),
            simulated: true,
            report_interval: Duration::from_millis(200),
            outputs: Vec::new(),
        };
        let (to_machine, machine_orders) = mpsc::channel(4);
        let (machine, machine_events) = mpsc::channel(64);
        let link = MachineLink { orders: to_machine, events: machine_events };
        let (port, task) = spawn_keeping(config, clock, Arc::default(), link, keeping);
        Self {
            hub: port.attach_screen(),
            clock,
            machine,
            orders,
            events,
            store,
            task,
            outcomes: Vec::new(),
            notes: Vec::new(),
            answers: Vec::new(),
            _machine_orders: machine_orders,
            folder: start.folder,
        }
    }

    /// Ends it, and gives what another one starts with.
    async fn end(self) -> Start {
        drop((self.machine, self.events));
        self.task.await.unwrap();
        self.store.close();
        Start { folder: self.folder, ..Start::default() }
    }

    fn power(&self) -> Arc<Power> {
        Arc::clone(&self.hub.snapshot().power)
    }

    fn unit(&self, place: usize) -> Arc<Unit> {
        Arc::clone(&self.power().inverters[place])
    }

    async fn tell(&self, what: BusEventKind) {
        self.events.send(BusEvent { at: self.clock.now(), bus: 0, what }).await.unwrap();
    }

    async fn tell_unit(&self, unit: usize, what: UnitEvent) {
        self.tell(BusEventKind::Unit { unit, what }).await;
    }

    /// It answers, and may be written.
    async fn answers(&mut self, unit: usize) {
        self.tell_unit(unit, UnitEvent::Answers).await;
        let serial = format!("SE00{unit}");
        self.tell_unit(unit, UnitEvent::Identity(Identity::Known { serial }, None)).await;
        let BusOrder::Look { answer, .. } = self.order().await else { panic!("it is not looked at") };
        drop(answer);
        self.until(|power| power.inverters[unit].state == UnitState::Answers).await;
    }

    /// The next order to the bus.
    async fn order(&mut self) -> BusOrder {
        loop {
            tokio::select! {
                biased;
                order = self.orders.recv() => return order.expect("the hub lives"),
                news = self.hub.next() => note(&mut self.outcomes, &mut self.notes, &mut self.answers, news),
            }
        }
    }

    /// The next order but looks, which are answered with these values.
    async fn order_but_looks(&mut self, values: &Arc<Values>) -> BusOrder {
        loop {
            match self.order().await {
                BusOrder::Look { answer, .. } => drop(answer.send(Arc::clone(values))),
                order => return order,
            }
        }
    }

    /// Follows the snapshot until it is like this.
    async fn until(&mut self, is_so: impl Fn(&Power) -> bool) {
        while !is_so(&self.power()) {
            let news = self.hub.next().await;
            note(&mut self.outcomes, &mut self.notes, &mut self.answers, news);
        }
    }

    async fn outcome(&mut self, ticket: TicketId) -> Outcome {
        loop {
            if let Some((_, outcome)) = self.outcomes.iter().find(|(known, _)| *known == ticket) {
                return outcome.clone();
            }
            let news = self.hub.next().await;
            note(&mut self.outcomes, &mut self.notes, &mut self.answers, news);
        }
    }

    async fn answer(&mut self) -> PowerAnswer {
        while self.answers.is_empty() {
            let news = self.hub.next().await;
            note(&mut self.outcomes, &mut self.notes, &mut self.answers, news);
        }
        self.answers.remove(0)
    }

    async fn said(&mut self, words: &str) {
        while !self.notes.iter().any(|note| note.contains(words)) {
            let news = self.hub.next().await;
            note(&mut self.outcomes, &mut self.notes, &mut self.answers, news);
        }
    }

    fn ask(&self, order: PowerOrder) -> TicketId {
        self.hub.submit(Command::Power(order)).unwrap()
    }

    fn set(&self, id: &str, text: &str) -> TicketId {
        let settings = vec![Wanted { id: id.into(), text: text.into(), shown: None }];
        self.ask(PowerOrder::Set { inverter: "roof".into(), settings })
    }

    /// Has the bus say what a set would do, and gives the order to write it.
    async fn judge(&mut self, rows: Vec<ChangeRow>) -> TicketId {
        let BusOrder::Check { answer, .. } = self.order().await else { panic!("it is not judged") };
        answer.send(Ok(rows)).unwrap();
        let BusOrder::Set { ticket, .. } = self.order().await else { panic!("it is not written") };
        ticket
    }

    /// Rows of the audit of this kind, oldest first.
    fn audit(&self, kind: AuditKind) -> Vec<AuditRow> {
        self.store.flush().unwrap();
        let filter = AuditFilter { kind: Some(kind), ..AuditFilter::default() };
        let mut rows = self.store.reader().audit(&filter, 0, 1000).unwrap();
        rows.reverse();
        rows
    }
}

fn note(
    outcomes: &mut Vec<(TicketId, Outcome)>,
    notes: &mut Vec<String>,
    answers: &mut Vec<PowerAnswer>,
    news: Result<News, HubGone>,
) {
    match news.expect("the hub lives") {
        News::Log(LogEvent::Entry(entry)) => match &entry.what {
            LogItem::Outcome { ticket, outcome, .. } => outcomes.push((*ticket, outcome.clone())),
            LogItem::Note { text, .. } => notes.push(text.clone()),
            _ => {}
        },
        News::Log(LogEvent::Gap(lost)) => panic!("{lost} entries of the log are lost"),
        News::Answer(Answer::Power(answer)) => answers.push(answer),
        News::Answer(answer) => panic!("{answer:?}"),
        News::Snapshot(_) => {}
    }
}

/// A change that would be made.
fn row(id: &str, unchanged: bool) -> ChangeRow {
    ChangeRow {
        id: id.into(),
        before: "20 %".into(),
        after: "35 %".into(),
        unchanged,
        danger: Danger::Normal,
        warnings: Vec::new(),
    }
}

/// What an inverter measures.
fn known(name: &str, load: f64, at: Time) -> Inverter {
    let mut known = Inverter { name: name.into(), ..Inverter::default() };
    known.flow.load_w = Reading::new(load, at, Duration::from_secs(1));
    known
}
