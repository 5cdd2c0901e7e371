//! Hub, driver, session and simulated machine together, in process, on simulated time.

use std::sync::Arc;
use std::time::Duration;

use sunmill::driver::{Clock, InProcess, Opener, Pace};
use sunmill::grbl::session::SessionConfig;
use sunmill::grbl::tables::Tables;
use sunmill::hub::{self, HubTask, Keeping};
use sunmill::model::hub::{HubPort, LogEvent, News};
use sunmill::model::log::LogItem;
use sunmill::model::snapshot::LinkState;
use sunmill::model::{Axis, AxisVec, Command, Endpoint, Firmware, Hub, Outcome, Snapshot, StateKind, TicketId};
use sunmill::sim::{Options, serve};
use tokio::io::DuplexStream;
use tokio::sync::{Notify, mpsc};
use tokio::time::timeout;

/// All three.
pub const FIRMWARES: [Firmware; 3] = [Firmware::Grbl, Firmware::FluidNc, Firmware::GrblHal];
/// Simulated time after which a test has waited in vain.
pub const LONG: Duration = Duration::from_secs(60);

/// A hub over a simulated machine, and what it has logged.
pub struct Shop {
    /// A client.
    pub hub: Hub,
    /// The hub and its driver.
    pub task: HubTask,
    /// Its clock.
    pub clock: Clock,
    /// What was logged so far.
    pub log: Vec<LogItem>,
}

/// A machine on a cable: its links, one at a time, and what pulls the present one out. It goes on meanwhile with what it has.
pub fn on_cable(machine: Options) -> (impl Fn() -> DuplexStream + Send + Sync + 'static, Arc<Notify>) {
    let (plug, mut plugged) = mpsc::channel(1);
    let pull = Arc::new(Notify::new());
    let pulled = Arc::clone(&pull);
    tokio::spawn(async move {
        let (mut from, mut to) = tokio::io::split(serve::in_process(machine));
        while let Some(end) = plugged.recv().await {
            let (mut reader, mut writer) = tokio::io::split(end);
            tokio::select! {
                _ = tokio::io::copy(&mut from, &mut writer) => {}
                _ = tokio::io::copy(&mut reader, &mut to) => {}
                () = pulled.notified() => {}
            }
        }
    });
    let link = move || {
        let (near, far) = tokio::io::duplex(4096);
        // One that nobody takes reads as ended.
        let _ = plug.try_send(far);
        near
    };
    (link, pull)
}

impl Shop {
    /// Starts them. Nothing has been said between them yet.
    pub fn start(machine: impl Fn() -> Options + Send + Sync + 'static, keeping: Keeping) -> Self {
        Self::start_for_many(machine, keeping).0
    }

    /// The same, with what handles for more clients are made from.
    pub fn start_for_many(machine: impl Fn() -> Options + Send + Sync + 'static, keeping: Keeping) -> (Self, HubPort) {
        Self::start_on(move || serve::in_process(machine()), keeping)
    }

    /// On a link that is made anew by whoever is asked for it.
    pub fn start_on(link: impl Fn() -> DuplexStream + Send + Sync + 'static, keeping: Keeping) -> (Self, HubPort) {
        let opener = Opener {
            endpoint: Endpoint::Sim,
            baud: 115_200,
            pace: Pace::Auto,
            lock_dir: std::env::temp_dir(),
            in_process: Some(InProcess(Arc::new(link))),
        };
        let clock = Clock::start();
        let (port, task) = hub::start_keeping(SessionConfig::default(), Tables::load(), opener, clock, keeping);
        (Self { hub: port.attach_screen(), task, clock, log: Vec::new() }, port)
    }

    /// A machine that is homed and idle in the middle of its travel and has told its settings and offsets.
    pub async fn open(firmware: Firmware) -> Self {
        Self::open_at(firmware, [middle(firmware), middle(firmware), -30.0]).await
    }

    /// The same at another place.
    pub async fn open_at(firmware: Firmware, [x, y, z]: [f64; 3]) -> Self {
        let start = AxisVec::from_slice(&[x, y, z, 0.0]);
        let machine = move || Options { homed: true, start: Some(start), ..Options::new(firmware) };
        let mut shop = Self::start(machine, Keeping::default());
        shop.until_ready().await;
        shop
    }

    /// Waits until it is up, idle and known.
    pub async fn until_ready(&mut self) {
        self.until("an idle machine, all of it known", |s| {
            let machine = &s.machine;
            machine.link.state == LinkState::Up
                && idle(s)
                && machine.limits.machine_range(Axis::X, machine.identity.as_ref()).is_some()
                && !machine.settings.rows.is_empty()
                && machine.modal.is_some()
                && machine.offsets.contains_key("TLO")
                && machine.work_position.is_some()
        })
        .await;
    }

    /// Waits for the next news.
    pub async fn news(&mut self) {
        if let News::Log(LogEvent::Entry(entry)) = self.hub.next().await.expect("the hub lives") {
            self.log.push(entry.what.clone());
        }
    }

    /// Waits until the snapshot is as wanted.
    pub async fn until(&mut self, what: &str, wanted: impl Fn(&Snapshot) -> bool) -> Arc<Snapshot> {
        let search = async {
            while !wanted(&self.hub.snapshot()) {
                self.news().await;
            }
        };
        let found = timeout(LONG, search).await.is_ok();
        let snapshot = self.hub.snapshot();
        assert!(found, "no {what}: {:#?}\n{:#?}\n{:#?}", snapshot.machine, snapshot.programs.run, self.spoken());
        snapshot
    }

    /// Asks.
    pub fn submit(&self, command: Command) -> TicketId {
        self.hub.submit(command).expect("the queue has room")
    }

    /// Waits for the outcome of what was asked.
    pub async fn outcome(&mut self, asked: TicketId) -> Outcome {
        let search = async {
            loop {
                let found = self.log.iter().find_map(|item| match item {
                    LogItem::Outcome { ticket, outcome, .. } if *ticket == asked => Some(outcome.clone()),
                    _ => None,
                });
                if let Some(outcome) = found {
                    return outcome;
                }
                self.news().await;
            }
        };
        timeout(LONG, search).await.expect("an outcome")
    }

    /// Asks and waits for the outcome.
    pub async fn ask(&mut self, command: Command) -> Outcome {
        let ticket = self.submit(command);
        self.outcome(ticket).await
    }

    /// Asks for what must succeed.
    pub async fn done(&mut self, command: Command) {
        let said = format!("{command:?}");
        assert_eq!(self.ask(command).await, Outcome::Done, "{said}");
    }

    /// The end of the log, without the questions and reports.
    fn spoken(&self) -> Vec<&LogItem> {
        let is_report = |text: &str| text == "?" || text.starts_with('<');
        let spoken = self.log.iter().filter(|item| !matches!(item, LogItem::Wire { text, .. } if is_report(text)));
        let mut last: Vec<_> = spoken.rev().take(40).collect();
        last.reverse();
        last
    }

    /// The lines that went out for somebody.
    pub fn sent(&self) -> Vec<&str> {
        self.log
            .iter()
            .filter_map(|item| match item {
                LogItem::Sent { text, .. } => Some(text.as_str()),
                _ => None,
            })
            .collect()
    }
}

/// The reason of a refusal.
pub fn refused(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Refused(why) => why.to_string(),
        other => panic!("{other:?}"),
    }
}

/// The middle of the travel: FluidNC counts up from its switch, the others down.
pub fn middle(firmware: Firmware) -> f64 {
    if firmware == Firmware::FluidNc { 100.0 } else { -100.0 }
}

/// State of the last report.
pub fn state(snapshot: &Snapshot) -> Option<StateKind> {
    snapshot.machine.state.map(|state| state.kind)
}

/// Whether it is idle.
pub fn idle(snapshot: &Snapshot) -> bool {
    state(snapshot) == Some(StateKind::Idle)
}
