//! Hub, driver, session and simulated machine together, on simulated time.

use std::sync::Arc;
use std::time::Duration;

use sunmill::driver::{Clock, InProcess, Opener, Pace};
use sunmill::grbl::session::SessionConfig;
use sunmill::grbl::tables::Tables;
use sunmill::hub::{self, HubTask};
use sunmill::model::command::VoidReason;
use sunmill::model::hub::News;
use sunmill::model::jog::JogVector;
use sunmill::model::log::LogItem;
use sunmill::model::snapshot::{LinkState, StopPhase};
use sunmill::model::{AxisVec, Command, Endpoint, Firmware, Hub, Outcome, Realtime, Snapshot, StateKind, TicketId};
use sunmill::sim::{Options, serve};
use tokio::time::timeout;

const FIRMWARES: [Firmware; 3] = [Firmware::Grbl, Firmware::FluidNc, Firmware::GrblHal];
/// Simulated time after which a test has waited in vain.
const LONG: Duration = Duration::from_secs(60);

struct Shop {
    hub: Hub,
    task: HubTask,
    clock: Clock,
    outcomes: Vec<(TicketId, Outcome)>,
}

impl Shop {
    /// A machine that is up, homed and idle, with room around it.
    async fn open(firmware: Firmware) -> Self {
        let machine = move || {
            let start = AxisVec::from_slice(&[start_x(firmware), start_x(firmware), -10.0, 0.0]);
            serve::in_process(Options { homed: true, start: Some(start), ..Options::new(firmware) })
        };
        let opener = Opener {
            endpoint: Endpoint::Sim,
            baud: 115_200,
            pace: Pace::Auto,
            lock_dir: std::env::temp_dir(),
            in_process: Some(InProcess(Arc::new(machine))),
        };
        let clock = Clock::start();
        let (port, task) = hub::start(SessionConfig::default(), Tables::load(), opener, clock);
        let mut shop = Self { hub: port.attach_screen(), task, clock, outcomes: Vec::new() };
        shop.until("an idle machine whose settings are known", |s| {
            s.machine.link.state == LinkState::Up
                && state(s) == Some(StateKind::Idle)
                && !s.machine.limits.acceleration_mm_s2.is_empty()
        })
        .await;
        shop
    }

    async fn news(&mut self) {
        if let News::Log(sunmill::model::hub::LogEvent::Entry(entry)) = self.hub.next().await.expect("the hub lives")
            && let LogItem::Outcome { ticket, outcome, .. } = &entry.what
        {
            self.outcomes.push((*ticket, outcome.clone()));
        }
    }

    async fn until(&mut self, what: &str, wanted: impl Fn(&Snapshot) -> bool) -> Arc<Snapshot> {
        let search = async {
            while !wanted(&self.hub.snapshot()) {
                self.news().await;
            }
        };
        let found = timeout(LONG, search).await.is_ok();
        let snapshot = self.hub.snapshot();
        assert!(found, "no {what}: {:#?}", snapshot.machine);
        snapshot
    }

    async fn outcome(&mut self, ticket: TicketId) -> Outcome {
        let search = async {
            loop {
                if let Some((_, outcome)) = self.outcomes.iter().find(|(id, _)| *id == ticket) {
                    return outcome.clone();
                }
                self.news().await;
            }
        };
        timeout(LONG, search).await.expect("an outcome")
    }

    fn ask(&self, command: Command) -> TicketId {
        self.hub.submit(command).expect("the queue has room")
    }
}

/// The middle of the travel: FluidNC counts up from its switch, the others down.
fn start_x(firmware: Firmware) -> f64 {
    if firmware == Firmware::FluidNc { 100.0 } else { -100.0 }
}

fn state(snapshot: &Snapshot) -> Option<StateKind> {
    snapshot.machine.state.map(|state| state.kind)
}

fn x(snapshot: &Snapshot) -> f64 {
    snapshot.machine.machine_position.map_or(f64::NAN, |position| position.as_slice()[0])
}

#[tokio::test(start_paused = true)]
async fn a_step_is_exact() {
    for firmware in FIRMWARES {
        let mut shop = Shop::open(firmware).await;
        let step = Command::JogStep { distance: AxisVec::from_slice(&[1.5]), feed_mm_min: 600.0 };
        let ticket = shop.ask(step);
        assert_eq!(shop.outcome(ticket).await, Outcome::Done, "{firmware}");
        shop.until("end of the step", |s| {
            (x(s) - start_x(firmware) - 1.5).abs() < 0.01 && state(s) == Some(StateKind::Idle)
        })
        .await;
        shop.task.shutdown().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_jog_that_nobody_renews_stops_by_itself() {
    for firmware in FIRMWARES {
        let mut shop = Shop::open(firmware).await;
        let vector = JogVector { direction: AxisVec::from_slice(&[1.0]), feed_mm_min: 1200.0 };
        let ticket = shop.ask(Command::JogContinue { vector, lease: Duration::from_millis(300) });
        shop.until("motion", |s| state(s) == Some(StateKind::Jog)).await;
        let stopped = shop.until("standstill", |s| state(s) == Some(StateKind::Idle) && s.machine.jog.is_none()).await;
        assert_eq!(shop.outcome(ticket).await, Outcome::Done, "{firmware}");
        let moved = x(&stopped) - start_x(firmware);
        assert!(moved > 0.5 && moved < 20.0 * 0.6 + 2.0, "{firmware}: {moved} mm");
        shop.task.shutdown().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_stop_holds_a_run_and_voids_what_waits() {
    for firmware in FIRMWARES {
        let mut shop = Shop::open(firmware).await;
        let ticket = shop.ask(Command::Mdi("G91 G1 X40 F600".into()));
        assert_eq!(shop.outcome(ticket).await, Outcome::Done, "{firmware}");
        shop.until("run", |s| state(s) == Some(StateKind::Run)).await;
        let late = shop.ask(Command::Mdi("G1 X-1 F600".into()));
        shop.hub.realtime(Realtime::Stop);
        let stopped = shop
            .until("confirmed stop", |s| s.machine.stop.as_ref().is_some_and(|stop| stop.phase == StopPhase::Stopped))
            .await;
        assert_eq!(state(&stopped), Some(StateKind::Hold), "{firmware}");
        assert_eq!(
            shop.outcome(late).await,
            Outcome::Voided { why: VoidReason::Stop, sent: false },
            "{firmware}: a stop overtakes a queued line"
        );
        shop.task.shutdown().await;
    }
}

#[tokio::test(start_paused = true)]
async fn the_end_in_mid_jog_answers_everything_and_is_quick() {
    let mut shop = Shop::open(Firmware::FluidNc).await;
    let vector = JogVector { direction: AxisVec::from_slice(&[1.0]), feed_mm_min: 1200.0 };
    let ticket = shop.ask(Command::JogContinue { vector, lease: Duration::from_millis(300) });
    shop.until("motion", |s| state(s) == Some(StateKind::Jog)).await;
    let Shop { mut hub, task, clock, outcomes } = shop;
    let before = clock.now();
    task.shutdown().await;
    assert!(clock.now().since(before) < Duration::from_secs(1));
    let mut ends = outcomes.iter().filter(|(id, _)| *id == ticket).count();
    while let Ok(news) = hub.log().await {
        if let sunmill::model::hub::LogEvent::Entry(entry) = news
            && matches!(&entry.what, LogItem::Outcome { ticket: id, .. } if *id == ticket)
        {
            ends += 1;
        }
    }
    assert_eq!(ends, 1);
}
