//! The hub's task.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{broadcast, mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::MissedTickBehavior;

use super::audit::{self, Audit};
use super::jog_keys::JogKeys;
use super::journal::Journal;
use super::keeper_backups::{BackupDesk, FileDone};
use super::ledger::{Entry, Ledger};
use super::offsets::OffsetWatch;
use super::people::Heard;
use super::power::{self, PowerHub, PowerKeeping};
use super::programs::{self, Checking, Library};
use super::runner::{Checks, News, ProgramKeeping, Runner, RunnerConfig};
use super::sun::{self, QuarterNews, SunHub, SunSetup};
use super::{arbiter, fold};
use crate::driver::bus::BusHandle;
use crate::driver::clock::Clock;
use crate::driver::machine::{self, Event, EventKind, MachineHandle, Order, OrderKind};
use crate::driver::pulse::Pulse;
use crate::driver::transport::Opener;
use crate::driver::wire_log::WireLog;
use crate::grbl::session::{Session, SessionConfig};
use crate::grbl::tables::Tables;
use crate::model::Endpoint;
use crate::model::command::{Command, Outcome, Refused, TicketId, VoidReason};
use crate::model::hub::{HubPort, Request};
use crate::model::latch::Latch;
use crate::model::log::{LogEntry, LogItem};
use crate::model::outputs::Output;
use crate::model::people::{OnClientLoss, PeopleNews};
use crate::model::program::Job;
use crate::model::snapshot::Snapshot;
use crate::model::time::Time;
use crate::store::{Opened, Store};

/// Commands that may wait for the hub; a full queue refuses at once.
const REQUESTS: usize = 32;
/// Events that may wait for the hub before the driver keeps them itself.
const EVENTS: usize = 256;
/// Comings and goings of clients that may wait for the hub.
const PEOPLE: usize = 64;
/// Log entries that a slow client may be behind before it loses the oldest.
const LOG: usize = 1024;
/// Events that are folded before a snapshot is published.
const BURST: usize = 64;

/// What the hub says of its machine from the start.
#[derive(Clone, Debug)]
pub struct HubConfig {
    /// The port as configured.
    pub endpoint: String,
    /// It is the simulated machine.
    pub simulated: bool,
    /// How often reports are expected until the session tells otherwise.
    pub report_interval: Duration,
    /// Outputs that have names.
    pub outputs: Vec<Output>,
}

/// The hub's ends of the channels to a machine's driver.
#[derive(Debug)]
pub struct MachineLink {
    /// Orders to it.
    pub orders: mpsc::Sender<Order>,
    /// What it tells; the hub ends when this does.
    pub events: mpsc::Receiver<Event>,
}

/// A running hub with its machine.
#[derive(Debug)]
pub struct HubTask {
    machine: MachineHandle,
    buses: Vec<BusHandle>,
    task: JoinHandle<()>,
}

impl HubTask {
    /// Cancels a jog in progress, closes the port, answers every open command, and ends. Bounded in time.
    pub async fn shutdown(self) {
        let buses = async {
            for bus in self.buses {
                bus.shutdown().await;
            }
        };
        // At the same time: no bus keeps a machine waiting for its stop.
        tokio::join!(self.machine.shutdown(), buses);
        if let Err(error) = self.task.await {
            tracing::error!(%error, "the hub failed");
        }
    }
}

/// Starts the driver of a machine and the hub over it. `session.network` is set from the endpoint.
pub fn start(session: SessionConfig, tables: Tables, opener: Opener, clock: Clock) -> (HubPort, HubTask) {
    start_keeping(session, tables, opener, clock, Keeping::default())
}

/// Signs of life of the two loops without which nothing runs. A bus that hangs is none of them.
#[derive(Clone, Debug, Default)]
pub struct Pulses {
    /// Of the machine's link.
    pub machine: Pulse,
    /// Of the hub.
    pub hub: Pulse,
}

/// What is kept on disk beside the truth.
#[derive(Debug, Default)]
pub struct Keeping {
    /// The folder of settings backups. `None`: none are kept.
    pub backups: Option<PathBuf>,
    /// Where every byte on the wire is written. `None`: nowhere.
    pub wire_log: Option<WireLog>,
    /// History, journal and audit. `None`: none are kept.
    pub store: Option<Store>,
    /// What was found when it was opened.
    pub opened: Opened,
    /// Why there is no store, where there should be one.
    pub store_trouble: Option<String>,
    /// Programs on disk. `None`: nobody answers questions about them.
    pub programs: Option<Library>,
    /// How programs are run.
    pub runner: RunnerConfig,
    /// Who is at the machine's own console goes before who is not.
    pub local_priority: bool,
    /// What becomes of a program when the screen that is in control is lost.
    pub on_client_loss: OnClientLoss,
    /// Outputs of the machine that have names.
    pub outputs: Vec<Output>,
    /// Inverters, and what is remembered of them.
    pub power: PowerKeeping,
    /// Signs of life, for a watchdog.
    pub pulses: Pulses,
    /// Rules, and where the machine is parked.
    pub sun: SunSetup,
}

/// As [`start`], and keeps things on disk.
pub fn start_keeping(
    mut session: SessionConfig,
    tables: Tables,
    opener: Opener,
    clock: Clock,
    mut keeping: Keeping,
) -> (HubPort, HubTask) {
    session.network = opener.is_network();
    let config = HubConfig {
        endpoint: opener.endpoint.to_string(),
        simulated: matches!(opener.endpoint, Endpoint::Sim),
        report_interval: session.idle_interval,
        outputs: std::mem::take(&mut keeping.outputs),
    };
    let latch = Arc::new(Latch::default());
    let (tell, events) = mpsc::channel(EVENTS);
    let machine = machine::spawn_logged(
        Session::new(session, tables),
        opener,
        clock,
        Arc::clone(&latch),
        tell,
        keeping.wire_log.take(),
        keeping.pulses.machine.clone(),
    );
    let link = MachineLink { orders: machine.orders.clone(), events };
    let buses = std::mem::take(&mut keeping.power.handles);
    let (port, task) = spawn_keeping(config, clock, latch, link, keeping);
    (port, HubTask { machine, buses, task })
}

/// Starts the hub over a driver that runs already. The task ends when `link.events` does.
pub fn spawn(config: HubConfig, clock: Clock, latch: Arc<Latch>, link: MachineLink) -> (HubPort, JoinHandle<()>) {
    spawn_keeping(config, clock, latch, link, Keeping::default())
}

pub(super) fn spawn_keeping(
    config: HubConfig,
    clock: Clock,
    latch: Arc<Latch>,
    link: MachineLink,
    keeping: Keeping,
) -> (HubPort, JoinHandle<()>) {
    let (requests, inbox) = mpsc::channel(REQUESTS);
    let (log, _) = broadcast::channel(LOG);
    let (mut keeper, snapshots) = Keeper::new(config, clock, Arc::clone(&latch), link.orders, log.clone());
    let (tell, people) = mpsc::channel(PEOPLE);
    let mut port = HubPort::new(snapshots.clone(), requests, log, latch).with_people(tell);
    let mut jobs = None;
    let mut checks: Option<Arc<dyn Checks>> = None;
    if let Some(library) = keeping.programs {
        let desk = programs::desk::start::<Checking>(library, keeping.store.clone(), snapshots);
        port = port.with_programs(desk.errands);
        jobs = Some(desk.jobs);
        checks = Some(Arc::new(desk.known));
    }
    keeper.people_rules(keeping.local_priority, keeping.on_client_loss);
    let zone = keeping.power.zone.clone();
    let power = keeper.begin_power(keeping.power, keeping.store.clone());
    if let Some(errands) = power.errands {
        port = port.with_power(errands);
    }
    keeper.begin_sun(keeping.sun);
    let quarters = keeper.begin_quarters(keeping.store.clone(), zone);
    let (desk, files) = BackupDesk::new(keeping.backups);
    keeper.desk = desk;
    keeper.snapshot.programs.store_trouble = keeping.store_trouble;
    keeper.audit = Audit::new(keeping.store.clone());
    keeper.list_backups();
    keeper.snapshot.programs.on_link_loss = keeping.runner.on_link_loss;
    let store = keeping.store.map(|store| (store, keeping.opened));
    let (runner, news) = Runner::new(ProgramKeeping { config: keeping.runner, store, checks });
    keeper.runner = runner;
    let inboxes = Inboxes { files, news, jobs, people, power: power.inbox, quarters, pulse: keeping.pulses.hub };
    (port, tokio::spawn(run(keeper, link.events, inbox, inboxes)))
}

/// What else the task waits for.
struct Inboxes {
    files: mpsc::Receiver<FileDone>,
    news: mpsc::Receiver<News>,
    jobs: Option<watch::Receiver<Arc<Vec<Job>>>>,
    people: mpsc::Receiver<PeopleNews>,
    power: power::Inbox,
    quarters: Option<QuarterNews>,
    pulse: Pulse,
}

async fn run(
    mut keeper: Keeper,
    mut events: mpsc::Receiver<Event>,
    mut requests: mpsc::Receiver<Request>,
    mut inboxes: Inboxes,
) {
    let mut store = keeper.audit.store().map(Store::trouble);
    let mut tick = tokio::time::interval(SunHub::TICK);
    tick.set_missed_tick_behavior(MissedTickBehavior::Skip);
    loop {
        inboxes.pulse.beat();
        tokio::select! {
            biased;
            event = events.recv() => match event {
                Some(event) => {
                    // The audit is to name who asked for what happens.
                    keeper.take_all_people(&mut inboxes.people);
                    keeper.take_event(&event);
                }
                None => break,
            },
            // Before what they ask: the audit names them.
            Some(news) = inboxes.people.recv() => keeper.take_people(news),
            Some(request) = requests.recv() => keeper.take_request_of(&mut inboxes.people, &request),
            Some(done) = inboxes.files.recv() => keeper.take_file(done),
            jobs = programs::news::jobs(&mut inboxes.jobs) => keeper.take_jobs(jobs),
            trouble = audit::store_news(&mut store) => keeper.take_store_trouble(trouble),
            Some(news) = inboxes.news.recv() => keeper.program_news(news),
            _ = tick.tick(), if keeper.sun.is_awake() => keeper.sun_tick(),
            quarters = sun::quarter_news(&mut inboxes.quarters) => keeper.take_quarters(&quarters),
            // Last: what a bus has to tell can wait for the machine.
            news = inboxes.power.next() => keeper.take_power(news),
            () = inboxes.pulse.due() => {}
        }
        for _ in 0..BURST {
            let Ok(event) = events.try_recv() else { break };
            keeper.take_event(&event);
        }
        for _ in 0..REQUESTS {
            let Ok(request) = requests.try_recv() else { break };
            keeper.take_request_of(&mut inboxes.people, &request);
        }
        keeper.age_control();
        keeper.publish();
    }
    requests.close();
    while let Some(request) = requests.recv().await {
        keeper.take_request(&request);
    }
    keeper.finish();
}

/// Keeps the truth: the only writer of the snapshot, and the one who answers.
#[derive(Debug)]
pub(super) struct Keeper {
    pub(super) clock: Clock,
    pub(super) latch: Arc<Latch>,
    orders: mpsc::Sender<Order>,
    pub(super) snapshot: Snapshot,
    published: watch::Sender<Arc<Snapshot>>,
    ledger: Ledger,
    pub(super) journal: Journal,
    pub(super) runner: Runner,
    pub(super) desk: BackupDesk,
    pub(super) audit: Audit,
    pub(super) power: PowerHub,
    pub(super) sun: SunHub,
    offsets: OffsetWatch,
    pub(super) heard: Heard,
    jog_keys: JogKeys,
}

impl Keeper {
    pub(super) fn new(
        config: HubConfig,
        clock: Clock,
        latch: Arc<Latch>,
        orders: mpsc::Sender<Order>,
        log: broadcast::Sender<Arc<LogEntry>>,
    ) -> (Self, watch::Receiver<Arc<Snapshot>>) {
        let mut snapshot = Snapshot { at: clock.now(), ..Snapshot::default() };
        snapshot.machine.link.endpoint = config.endpoint;
        snapshot.machine.link.simulated = config.simulated;
        snapshot.machine.link.since = snapshot.at;
        snapshot.machine.report_interval = config.report_interval;
        snapshot.outputs = Arc::new(config.outputs);
        let (published, snapshots) = watch::channel(Arc::new(snapshot.clone()));
        let keeper = Self {
            clock,
            latch,
            orders,
            snapshot,
            published,
            ledger: Ledger::default(),
            journal: Journal::new(log),
            runner: Runner::new(ProgramKeeping::default()).0,
            desk: BackupDesk::new(None).0,
            audit: Audit::default(),
            power: PowerHub::nothing(),
            sun: SunHub::default(),
            offsets: OffsetWatch::default(),
            heard: Heard::default(),
            jog_keys: JogKeys::default(),
        };
        (keeper, snapshots)
    }

    /// Something happened at the machine.
    pub(super) fn take_event(&mut self, event: &Event) {
        if let EventKind::Outcome { ticket, outcome } = &event.what {
            if self.program_outcome(event.at, *ticket, outcome) || self.park_outcome(event.at, *ticket, outcome) {
                return;
            }
            if !(*outcome == Outcome::Done && self.go_on(event.at, *ticket)) {
                self.answer(event.at, *ticket, outcome.clone());
            }
            return;
        }
        self.audit.event(event);
        self.offsets.before(event, &mut self.snapshot, &self.ledger);
        let state = self.snapshot.machine.state;
        let alarm = self.snapshot.machine.alarm.clone();
        fold::fold(&mut self.snapshot, event);
        self.journal.tell(event, &self.snapshot.machine, &self.ledger);
        if let Some(now) = &self.snapshot.machine.alarm
            && alarm.is_none_or(|old| old.info != now.info)
        {
            self.journal.alarm(event.at, now.info.as_ref());
            self.audit.alarm(now.info.as_ref());
        }
        if let Some(now) = self.snapshot.machine.state.filter(|now| Some(*now) != state) {
            self.journal.write(event.at, LogItem::State(now));
        }
        self.program_event(event);
        self.sun_event(event);
    }

    /// Somebody asks for something: it goes to the driver, or is answered here.
    pub(super) fn take_request(&mut self, request: &Request) {
        let now = self.clock.now();
        self.ledger.open(request, now);
        self.decide(request, now);
        if let Some(entry) = self.ledger.entry(request.ticket) {
            self.audit.asked(now, entry);
        }
    }

    /// The same for who may just have come: whoever is on the way in is known before what they ask.
    fn take_request_of(&mut self, people: &mut mpsc::Receiver<PeopleNews>, request: &Request) {
        self.take_all_people(people);
        self.take_request(request);
    }

    fn take_all_people(&mut self, people: &mut mpsc::Receiver<PeopleNews>) {
        while let Ok(news) = people.try_recv() {
            self.take_people(news);
        }
    }

    /// Something is asked for by the hub, as somebody has wanted it before: written down before it is carried out.
    pub(super) fn open_ticket(&mut self, request: &Request, now: Time) {
        self.ledger.open(request, now);
        if let Some(entry) = self.ledger.entry(request.ticket) {
            self.audit.asked(now, entry);
        }
    }

    fn decide(&mut self, request: &Request, now: Time) {
        if let Some(outcome) = self.control_order(request, now) {
            return self.answer(now, request.ticket, outcome);
        }
        if let Err(outcome) = self.hold_control(request, now) {
            return self.answer(now, request.ticket, outcome);
        }
        if let Command::Program(order) = &request.command {
            if let Some(outcome) = self.program_order(request, order, now) {
                self.answer(now, request.ticket, outcome);
            }
            return;
        }
        if let Command::Power(order) = &request.command {
            if let Some(outcome) = self.power_order(request, order, now) {
                self.answer(now, request.ticket, outcome);
            }
            return;
        }
        if let Command::Sun(order) = &request.command {
            let outcome = self.sun_order(request, order, now);
            return self.answer(now, request.ticket, outcome);
        }
        if let Some(answered) = self.backup_command(request, now) {
            if let Err(outcome) = answered {
                self.answer(now, request.ticket, outcome);
            }
            return;
        }
        if self.hold_spindle(request, now) {
            return;
        }
        if let Err(outcome) = self.order(request, now) {
            self.answer(now, request.ticket, outcome);
        }
    }

    pub(super) fn order(&mut self, request: &Request, now: Time) -> Result<(), Outcome> {
        let ticket = request.ticket;
        let is_stopped = self.jog_keys.is_stopped(request, &self.latch, now);
        if self.latch.is_void(ticket, arbiter::is_jog(&request.command)) {
            return Err(Outcome::Voided { why: VoidReason::Stop, sent: false });
        }
        if is_stopped {
            let why = "the machine was stopped while this jog went on: let the key go, then jog again";
            return Err(Outcome::Refused(Refused::because(why)));
        }
        let what = arbiter::decide(&request.command, &self.snapshot, now).map_err(Outcome::Refused)?;
        let mut rest = VecDeque::from(what);
        let Some(first) = rest.pop_front() else { return Err(Outcome::Done) };
        self.send(ticket, first)?;
        self.ledger.continue_with(ticket, rest);
        Ok(())
    }

    /// One order of several was accepted. `true`: the next is under way, or the ticket is answered.
    fn go_on(&mut self, at: Time, ticket: TicketId) -> bool {
        let Some(next) = self.ledger.next(ticket) else { return false };
        let sent = if self.latch.is_void(ticket, false) {
            Err(Outcome::Voided { why: VoidReason::Stop, sent: true })
        } else {
            self.send(ticket, next)
        };
        if let Err(outcome) = sent {
            self.answer(at, ticket, outcome);
        }
        true
    }

    pub(super) fn send(&self, ticket: TicketId, what: OrderKind) -> Result<(), Outcome> {
        self.orders.try_send(Order { ticket, what }).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => {
                Outcome::Refused(Refused::because("the machine is busy with earlier commands; try again"))
            }
            mpsc::error::TrySendError::Closed(_) => Outcome::Voided { why: VoidReason::Shutdown, sent: false },
        })
    }

    pub(super) fn answer(&mut self, at: Time, ticket: TicketId, outcome: Outcome) {
        if let Some(entry) = self.ledger.close(ticket) {
            let told = outcome.clone();
            self.write_outcome(at, entry, outcome);
            self.restore_outcome(at, ticket, &told);
            self.start_answered(at, ticket, &told);
            self.spindle_answered(at, ticket, &told);
        } else {
            tracing::warn!(?ticket, ?outcome, "an outcome for a ticket that is not open");
        }
    }

    /// As [`answer`](Self::answer), where the audit has rows of its own for what was done.
    pub(super) fn answer_audited(&mut self, at: Time, ticket: TicketId, outcome: Outcome) {
        if let Some(entry) = self.ledger.close(ticket) {
            self.tell_outcome(at, entry, outcome);
        }
    }

    fn write_outcome(&mut self, at: Time, entry: Entry, outcome: Outcome) {
        self.audit.outcome(at, &entry, &outcome);
        self.tell_outcome(at, entry, outcome);
    }

    fn tell_outcome(&mut self, at: Time, entry: Entry, outcome: Outcome) {
        let latency = entry.latency(at);
        let Entry { ticket, what, .. } = entry;
        self.journal.write(at, LogItem::Outcome { ticket: ticket.id, origin: ticket.origin, what, outcome, latency });
    }

    /// Shows the snapshot to all who watch, if it says anything new.
    pub(super) fn publish(&mut self) {
        let snapshot = &self.snapshot;
        self.published.send_if_modified(|shown| {
            let news = shown.rev != snapshot.rev;
            if news {
                *shown = Arc::new(snapshot.clone());
            }
            news
        });
    }

    /// The driver has ended: what is still open never will be answered by it.
    pub(super) fn finish(&mut self) {
        let now = self.clock.now();
        self.abandon_restore(now);
        self.finish_program(now);
        self.finish_power(now);
        for entry in self.ledger.drain() {
            self.write_outcome(now, entry, Outcome::Voided { why: VoidReason::Shutdown, sent: false });
        }
        self.audit.finish(now);
        self.publish();
    }
}
