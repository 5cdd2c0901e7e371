//! A bus's task with simulated inverters at its other end, on simulated time.

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use sunmill::driver::Clock;
use sunmill::driver::bus::{
    self, BusConfig, BusEndpoint, BusEvent, BusEventKind, BusHandle, BusOpener, BusOrder, Family, InProcessBus,
    UnitConfig, UnitEvent, WireTrouble,
};
use sunmill::driver::transport::{SerialLine, Stream};
use sunmill::inverter::poller::Options;
use sunmill::inverter::profile::{Profile, shipped};
use sunmill::inverter::write::Done;
use sunmill::inverter::{Identity, Learned, Values};
use sunmill::model::command::TicketId;
use sunmill::model::power::{BusCounters, BusState, Inverter, Wanted};
use sunmill::sim::InverterOptions;
use sunmill::sim::inverter::Framing;
use sunmill::sim::serve::{Bus, connect_line};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::sync::{mpsc, oneshot};

/// Longest that anything is waited for, in simulated time.
const LONGEST: Duration = Duration::from_secs(1000);

/// A question of another master, and its answer: unit 1, holding register 100, 1 word.
const FOREIGN: [u8; 15] = [1, 3, 0, 100, 0, 1, 0xC5, 0xD5, 1, 3, 2, 0, 7, 0xF9, 0x86];

/// One transport.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Rtu,
    Tcp,
    RtuOverTcp,
}

impl Kind {
    pub(crate) const ALL: [Self; 3] = [Self::Rtu, Self::Tcp, Self::RtuOverTcp];

    pub(crate) const fn framing(self) -> Framing {
        if matches!(self, Self::Tcp) { Framing::Tcp } else { Framing::Rtu }
    }

    fn endpoint(self) -> BusEndpoint {
        let (host, port) = ("inverter".to_owned(), 502);
        match self {
            Self::Rtu => BusEndpoint::Rtu { path: "/dev/ttyUSB9".into(), line: SerialLine::plain(9600) },
            Self::Tcp => BusEndpoint::Tcp { host, port },
            Self::RtuOverTcp => BusEndpoint::RtuOverTcp { host, port },
        }
    }
}

pub(crate) fn profile(name: &str) -> Arc<Profile> {
    Arc::new(shipped(name).expect(name).expect("in order"))
}

/// A healthy inverter whose day stands still, so that every value is known.
pub(crate) fn inverter(name: &str, kind: Kind, unit: u8) -> Bus {
    let options = InverterOptions::new(profile(name), kind.framing());
    Bus::new(InverterOptions { unit: Some(unit), speed: 0.0, ..options })
}

pub(crate) fn unit(name: &str, address: u8) -> UnitConfig {
    UnitConfig {
        name: format!("{name} {address}"),
        family: Family::Profile(profile(name)),
        options: Options { unit: Some(address), ..Options::default() },
        enabled: true,
        nominal_v: 230.0,
    }
}

/// What passes between the task and the inverters, and what is done to it.
#[derive(Debug, Default)]
pub(crate) struct Wire {
    /// Every question, as its bytes.
    pub(crate) asked: Mutex<Vec<Vec<u8>>>,
    /// Answers to writes come so much later.
    pub(crate) late_writes: Mutex<Option<Duration>>,
    /// One of so many answers comes later than it is waited for.
    pub(crate) late_every: Mutex<Option<u64>>,
    /// Answers so far, and how many of them were late.
    pub(crate) answered: AtomicU64,
    pub(crate) late: AtomicU64,
    /// Another master is on the wire: so often it asks, and an inverter answers it.
    pub(crate) other_master: Mutex<Option<Duration>>,
    /// It cannot be opened.
    pub(crate) unplugged: Mutex<bool>,
}

impl Wire {
    /// Function codes of the questions so far, in order.
    pub(crate) fn functions(&self, kind: Kind) -> Vec<u8> {
        let at = if kind == Kind::Tcp { 7 } else { 1 };
        self.asked.lock().unwrap().iter().map(|bytes| bytes[at]).collect()
    }

    pub(crate) fn writes(&self, kind: Kind) -> usize {
        self.functions(kind).iter().filter(|function| matches!(function, 6 | 16)).count()
    }

    /// The next answer comes so late: after its time-out, within the second for which a link is silent then.
    fn next_lateness(&self) -> Option<Duration> {
        let every = (*self.late_every.lock().unwrap())?;
        let answer = self.answered.fetch_add(1, Ordering::Relaxed);
        answer.is_multiple_of(every).then(|| {
            self.late.fetch_add(1, Ordering::Relaxed);
            Duration::from_millis(1510 + answer * 137 % 900)
        })
    }

    async fn carry(self: Arc<Self>, kind: Kind, mut near: DuplexStream, mut far: DuplexStream) {
        let at = if kind == Kind::Tcp { 7 } else { 1 };
        let (mut question, mut answer) = ([0; 512], [0; 512]);
        loop {
            let every = *self.other_master.lock().unwrap();
            let foreign = later(every.unwrap_or(LONGEST));
            tokio::select! {
                // Only where nothing was said for so long.
                () = foreign, if every.is_some() => {
                    if near.write_all(&FOREIGN).await.is_err() {
                        return;
                    }
                }
                read = near.read(&mut question) => {
                    let Ok(count @ 1..) = read else { return };
                    self.asked.lock().unwrap().push(question[..count].to_vec());
                    if far.write_all(&question[..count]).await.is_err() {
                        return;
                    }
                }
                read = far.read(&mut answer) => {
                    let Ok(count @ 1..) = read else { return };
                    let late = *self.late_writes.lock().unwrap();
                    if let (Some(late), Some(6 | 16)) = (late, answer[..count].get(at)) {
                        later(late).await;
                    }
                    if let Some(late) = self.next_lateness() {
                        later(late).await;
                    }
                    if near.write_all(&answer[..count]).await.is_err() {
                        return;
                    }
                }
            }
        }
    }
}

/// A ticket and how it ended.
pub(crate) type Written = (TicketId, Result<Vec<Done>, Vec<String>>);

/// What the task told, folded.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    pub(crate) known: BTreeMap<usize, Inverter>,
    pub(crate) identity: BTreeMap<usize, (Identity, Option<String>)>,
    /// `Ok`: it answers; else why it does not.
    pub(crate) reach: BTreeMap<usize, Result<(), String>>,
    pub(crate) quarantined: BTreeMap<usize, Vec<String>>,
    pub(crate) learned: BTreeMap<usize, Learned>,
    pub(crate) written: Vec<Written>,
    pub(crate) states: Vec<BusState>,
    pub(crate) counters: BusCounters,
    pub(crate) round: Option<Duration>,
    pub(crate) trouble: Option<WireTrouble>,
    pub(crate) events: usize,
    pub(crate) known_events: usize,
}

impl Seen {
    pub(crate) fn take(&mut self, event: BusEvent) {
        self.events += 1;
        match event.what {
            BusEventKind::State(state) => self.states.push(state),
            BusEventKind::Counters { counters, round, trouble } => {
                (self.counters, self.round, self.trouble) = (counters, round, trouble);
            }
            BusEventKind::Unit { unit, what } => match what {
                UnitEvent::Known(known) => {
                    self.known_events += 1;
                    self.known.insert(unit, *known);
                }
                UnitEvent::Identity(identity, refusal) => {
                    self.identity.insert(unit, (identity, refusal));
                }
                UnitEvent::Answers => {
                    self.reach.insert(unit, Ok(()));
                }
                UnitEvent::Silent(why) => {
                    self.reach.insert(unit, Err(why));
                }
                UnitEvent::Quarantined(ids) => {
                    self.quarantined.insert(unit, ids);
                }
                UnitEvent::Learned(learned) => {
                    self.learned.insert(unit, learned);
                }
                UnitEvent::Written { ticket, done } => self.written.push((ticket, done)),
            },
        }
    }

    pub(crate) fn answers(&self, unit: usize) -> bool {
        self.reach.get(&unit) == Some(&Ok(()))
    }

    pub(crate) fn silent(&self, unit: usize) -> bool {
        matches!(self.reach.get(&unit), Some(Err(_)))
    }

    /// Its identity is known and it may be written.
    pub(crate) fn writable(&self, unit: usize) -> bool {
        matches!(self.identity.get(&unit), Some((Identity::Known { .. }, None)))
    }
}

/// The task, the inverters, and what lies between.
pub(crate) struct Rig {
    pub(crate) clock: Clock,
    pub(crate) wire: Arc<Wire>,
    pub(crate) handle: BusHandle,
    pub(crate) events: mpsc::Receiver<BusEvent>,
    pub(crate) seen: Seen,
}

impl Rig {
    pub(crate) fn new(kind: Kind, inverters: Vec<Bus>, units: Vec<UnitConfig>) -> Self {
        Self::with_channel(kind, inverters, units, 64)
    }

    pub(crate) fn with_channel(kind: Kind, inverters: Vec<Bus>, units: Vec<UnitConfig>, events: usize) -> Self {
        let connect = move || if let [one] = &inverters[..] { one.connect() } else { connect_line(&inverters) };
        Self::over(kind, connect, units, events)
    }

    /// Over anything that answers.
    pub(crate) fn over(
        kind: Kind,
        connect: impl Fn() -> DuplexStream + Send + Sync + 'static,
        units: Vec<UnitConfig>,
        events: usize,
    ) -> Self {
        let wire = Arc::new(Wire::default());
        let spied = wire.clone();
        let open = move || {
            if *spied.unplugged.lock().unwrap() {
                return Err(io::Error::other("unplugged"));
            }
            let far = connect();
            let (near, middle) = tokio::io::duplex(4096);
            tokio::spawn(spied.clone().carry(kind, middle, far));
            Ok(Box::new(near) as Box<dyn Stream>)
        };
        let opener = BusOpener {
            endpoint: kind.endpoint(),
            lock_dir: PathBuf::new(),
            in_process: Some(InProcessBus(Arc::new(open))),
        };
        let clock = Clock::start();
        let (sender, events) = mpsc::channel(events);
        let config = BusConfig { name: "roof".to_owned(), opener, units };
        Self { clock, wire, handle: bus::spawn(config, 0, clock, sender), events, seen: Seen::default() }
    }

    /// One healthy Senergy.
    pub(crate) fn one(kind: Kind) -> (Self, Bus) {
        let bus = inverter("senergy", kind, 1);
        (Self::new(kind, vec![bus.clone()], vec![unit("senergy", 1)]), bus)
    }

    /// Takes events until this holds.
    pub(crate) async fn until(&mut self, what: &str, mut holds: impl FnMut(&Seen) -> bool) {
        let deadline = tokio::time::Instant::now() + LONGEST;
        while !holds(&self.seen) {
            match tokio::time::timeout_at(deadline, self.events.recv()).await {
                Ok(Some(event)) => self.seen.take(event),
                Ok(None) => panic!("the task ended while waiting until {what}"),
                Err(error) => panic!("waited in vain ({error}) until {what}: {:#?}", self.seen),
            }
        }
    }

    /// Takes events for so long.
    pub(crate) async fn pass(&mut self, time: Duration) {
        let deadline = tokio::time::Instant::now() + time;
        while let Ok(Some(event)) = tokio::time::timeout_at(deadline, self.events.recv()).await {
            self.seen.take(event);
        }
    }

    pub(crate) async fn order(&self, order: BusOrder) {
        self.handle.orders.send(order).await.expect("the task lives");
    }

    pub(crate) async fn set(&self, ticket: u64, unit: usize, id: &str, text: &str) {
        let settings = vec![Wanted { id: id.to_owned(), text: text.to_owned(), shown: None }];
        self.order(BusOrder::Set { ticket: TicketId(ticket), unit, settings, armed: false }).await;
    }

    pub(crate) async fn look(&self, unit: usize) -> Arc<Values> {
        let (answer, values) = oneshot::channel();
        self.order(BusOrder::Look { unit, answer }).await;
        values.await.expect("values")
    }
}

/// So much later, on the clock of the test.
async fn later(late: Duration) {
    let _ = tokio::time::timeout(late, std::future::pending::<()>()).await;
}
