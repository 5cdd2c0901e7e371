//! The hub over a driver that a test plays.

mod audit;
mod offsets;
mod people;
mod sun;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;
use tokio::sync::{broadcast, mpsc, watch};

use super::run::Keeper;
use super::{HubConfig, MachineLink, spawn};
use crate::driver::Clock;
use crate::driver::machine::{Event, EventKind, Order, OrderKind};
use crate::grbl;
use crate::grbl::event::ResetCause;
use crate::grbl::session::JogOrder;
use crate::model::axes::{Axis, AxisVec};
use crate::model::command::{ClientId, Command, HomeTarget, Origin, Outcome, Realtime, Refused, TicketId, VoidReason};
use crate::model::hub::{LogEvent, Request};
use crate::model::jog::{JogVector, MAX_LEASE};
use crate::model::latch::Latch;
use crate::model::log::{LogEntry, LogItem};
use crate::model::machine::{
    AlarmInfo, Firmware, Identity, MachineState, MessageLevel, ReportedPosition, StateKind, StatusReport,
};
use crate::model::snapshot::{LinkState, Snapshot, Stop, StopPhase};
use crate::model::time::Time;

/// A report that tells nothing but the state.
pub(super) fn report(state: StateKind) -> StatusReport {
    StatusReport::of(MachineState::plain(state))
}

/// A report with a machine position.
pub(super) fn machine_at(state: StateKind, position: &[f64]) -> StatusReport {
    let position = Some(ReportedPosition::Machine(AxisVec::from_slice(position)));
    StatusReport { position, ..report(state) }
}

const SCREEN: Origin = Origin::Screen(ClientId(1));

/// A hub without its task, and the ends that driver and clients hold.
struct Bench {
    clock: Clock,
    latch: Arc<Latch>,
    keeper: Keeper,
    orders: mpsc::Receiver<Order>,
    snapshots: watch::Receiver<Arc<Snapshot>>,
    log: broadcast::Receiver<Arc<LogEntry>>,
}

impl Bench {
    fn new() -> Self {
        let clock = Clock::start();
        let latch = Arc::new(Latch::default());
        let (to_driver, orders) = mpsc::channel(4);
        let (writer, log) = broadcast::channel(4096);
        let config = HubConfig {
            endpoint: "sim".into(),
            simulated: true,
            report_interval: Duration::from_millis(200),
            outputs: Vec::new(),
        };
        let (keeper, snapshots) = Keeper::new(config, clock, Arc::clone(&latch), to_driver, writer);
        Self { clock, latch, keeper, orders, snapshots, log }
    }

    /// Identified, and in this state since now.
    fn up(state: StateKind) -> Self {
        let mut bench = Self::new();
        bench.tell(EventKind::Link(LinkState::Asking));
        bench.session(grbl::Event::Identified(Identity {
            firmware: Firmware::FluidNc,
            version: "v4.0.5".into(),
            name: None,
            options: "MPHS".into(),
            planner_blocks: None,
            rx_bytes: None,
            axes: None,
        }));
        bench.tell(EventKind::Link(LinkState::Up));
        bench.session(grbl::Event::Status(Box::new(machine_at(state, &[0.0; 3]))));
        bench
    }

    fn tell(&mut self, what: EventKind) {
        self.keeper.take_event(&Event { at: self.clock.now(), what });
    }

    fn session(&mut self, event: grbl::Event) {
        self.tell(EventKind::Session(event));
    }

    fn ask(&mut self, command: Command) -> TicketId {
        self.ask_as(SCREEN, command)
    }

    fn ask_as(&mut self, origin: Origin, command: Command) -> TicketId {
        let ticket = self.latch.next_ticket();
        self.keeper.take_request(&Request { ticket, origin, command });
        ticket
    }

    fn end(&mut self, ticket: TicketId, outcome: Outcome) {
        self.tell(EventKind::Outcome { ticket, outcome });
    }

    fn log(&mut self) -> Vec<LogItem> {
        std::iter::from_fn(|| self.log.try_recv().ok()).map(|entry| entry.what.clone()).collect()
    }

    fn outcomes(&mut self) -> Vec<(TicketId, Outcome)> {
        self.log()
            .into_iter()
            .filter_map(|item| match item {
                LogItem::Outcome { ticket, outcome, .. } => Some((ticket, outcome)),
                _ => None,
            })
            .collect()
    }
}

fn mdi(line: &str) -> Command {
    Command::Mdi(line.into())
}

fn step() -> Command {
    Command::JogStep { distance: AxisVec::from_slice(&[1.0]), feed_mm_min: 600.0 }
}

const VOID: Outcome = Outcome::Voided { why: VoidReason::Stop, sent: false };

#[tokio::test(start_paused = true)]
async fn a_legal_command_becomes_an_order_and_its_outcome_is_logged_with_its_latency() {
    let mut bench = Bench::up(StateKind::Idle);
    bench.log();
    let ticket = bench.ask(mdi("G0 X1"));
    let order = bench.orders.try_recv().unwrap();
    assert_eq!(order.ticket, ticket);
    let OrderKind::Line(line) = order.what else { panic!("{order:?}") };
    assert_eq!(line.as_str(), "G0 X1");
    bench.session(grbl::Event::Sent { ticket: Some(ticket), text: "G0 X1".into() });
    tokio::time::advance(Duration::from_millis(12)).await;
    bench.end(ticket, Outcome::Done);
    let expected = [
        LogItem::Sent { ticket, origin: SCREEN, text: "G0 X1".into() },
        LogItem::Outcome {
            ticket,
            origin: SCREEN,
            what: "G0 X1".into(),
            outcome: Outcome::Done,
            latency: Duration::from_millis(12),
        },
    ];
    assert_eq!(bench.log(), expected);
}

#[tokio::test]
async fn commands_are_composed_as_controllers_write_them() {
    let composed = |state, command| {
        let mut bench = Bench::up(state);
        bench.ask(command);
        match bench.orders.try_recv() {
            Ok(Order { what: OrderKind::Line(line), .. }) => line.as_str().to_owned(),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(composed(StateKind::Alarm, Command::Home(HomeTarget::All)), "$H");
    assert_eq!(composed(StateKind::Idle, Command::Home(HomeTarget::One(Axis::Y))), "$HY");
    assert_eq!(composed(StateKind::Alarm, Command::Unlock), "$X");
    let zero = Command::SetWork { axes: [Axis::X, Axis::Z].into_iter().collect(), value: 0.0 };
    assert_eq!(composed(StateKind::Idle, zero), "G10 L20 P0 X0 Z0");
}

#[tokio::test]
async fn a_lease_is_held_to_its_bounds() {
    let mut bench = Bench::up(StateKind::Jog);
    let vector = JogVector { direction: AxisVec::from_slice(&[0.0, -1.0]), feed_mm_min: 900.0 };
    bench.ask(Command::JogContinue { vector, lease: Duration::from_secs(60) });
    let order = bench.orders.try_recv().unwrap();
    assert_eq!(order.what, OrderKind::Jog(JogOrder::Continue { vector, lease: MAX_LEASE }));
}

#[tokio::test]
async fn what_may_not_be_sent_is_answered_once_and_never_reaches_the_driver() {
    let mut bench = Bench::up(StateKind::Run);
    let jog = bench.ask(step());
    let bad = bench.ask(mdi("G0 X1 (don't!)\n"));
    let outcomes: HashMap<_, _> = bench.outcomes().into_iter().collect();
    let Some(Outcome::Refused(Refused(why))) = outcomes.get(&jog) else { panic!("{outcomes:?}") };
    assert!(why.contains("running"), "{why}");
    assert!(matches!(outcomes.get(&bad), Some(Outcome::Refused(_))));
    assert!(bench.orders.try_recv().is_err());
    bench.end(jog, Outcome::Done);
    assert_eq!(bench.outcomes(), [], "a second answer to the same ticket is not told");
}

#[tokio::test]
async fn a_busy_driver_is_said_at_once() {
    let mut bench = Bench::up(StateKind::Idle);
    let tickets: Vec<_> = (0..5).map(|_| bench.ask(mdi("G0 X1"))).collect();
    let outcomes = bench.outcomes();
    assert!(
        matches!(&outcomes[..], [(ticket, Outcome::Refused(Refused(why)))] if *ticket == tickets[4] && why.contains("busy")),
        "{outcomes:?}"
    );
}

#[tokio::test]
async fn a_stop_voids_what_still_waits_for_the_hub() {
    let mut bench = Bench::up(StateKind::Idle);
    let line = Request { ticket: bench.latch.next_ticket(), origin: SCREEN, command: mdi("G0 X1") };
    let jog = Request { ticket: bench.latch.next_ticket(), origin: SCREEN, command: step() };
    bench.latch.set(Realtime::JogCancel);
    bench.keeper.take_request(&jog);
    assert_eq!(bench.outcomes(), [(jog.ticket, VOID)]);
    bench.latch.set(Realtime::Stop);
    bench.keeper.take_request(&line);
    assert_eq!(bench.outcomes(), [(line.ticket, VOID)]);
    assert!(bench.orders.try_recv().is_err());
    bench.ask(mdi("G0 X2"));
    assert!(bench.orders.try_recv().is_ok(), "what is asked after the stop goes");
}

#[tokio::test]
async fn the_log_tells_what_a_person_wants_to_know() {
    let mut bench = Bench::up(StateKind::Idle);
    let told = bench.log();
    let idle = MachineState::plain(StateKind::Idle);
    let connected = LogItem::Note { level: MessageLevel::Info, text: "FluidNC v4.0.5 answers on sim".into() };
    assert_eq!(told, [connected, LogItem::State(idle)]);
    let setting = grbl::Event::Setting { name: "22".into(), value: "1".into() };
    bench.session(setting.clone());
    assert_eq!(bench.log(), [], "sunmill's own questions are not shown");
    bench.ask(mdi("$$"));
    bench.session(setting);
    assert_eq!(bench.log(), [LogItem::Received { level: MessageLevel::Info, text: "$22=1".into() }]);
    let stop = Stop { asked: Realtime::Stop, at: bench.clock.now(), phase: StopPhase::NotConfirmed };
    bench.session(grbl::Event::Stop(stop));
    bench.session(grbl::Event::Reset { cause: ResetCause::ByItself, banner: "Grbl 1.1h".into() });
    let told = bench.log();
    assert!(
        matches!(&told[..], [
            LogItem::Note { level: MessageLevel::Error, text: stop },
            LogItem::Note { level: MessageLevel::Warning, text: reset },
        ] if stop.contains("NOT confirmed") && reset.contains("by itself")),
        "{told:?}"
    );
}

#[tokio::test]
async fn garbage_is_told_when_it_begins_and_when_it_doubles() {
    let mut bench = Bench::up(StateKind::Idle);
    bench.log();
    let mut told = Vec::new();
    for _ in 0..100 {
        bench.session(grbl::Event::Garbage { bytes: 10 });
        told.extend(bench.log());
    }
    assert_eq!(told.len(), 7, "10, 20, 40 … 640: {told:?}");
    assert!(
        matches!(&told[0], LogItem::Note { level: MessageLevel::Warning, text } if text.starts_with("10 unreadable"))
    );
}

#[tokio::test]
async fn an_alarm_is_told_once_for_each_code() {
    let mut bench = Bench::up(StateKind::Run);
    bench.log();
    let info = AlarmInfo {
        code: 1,
        name: "hard_limit".into(),
        meaning: "A limit switch was hit.".into(),
        remedy: "Reset.".into(),
        needs_soft_reset: true,
        position_lost: Some(true),
    };
    bench.session(grbl::Event::Alarm { info: None, needs_reset: false });
    bench.session(grbl::Event::Alarm { info: Some(info.clone()), needs_reset: true });
    bench.session(grbl::Event::Alarm { info: Some(info), needs_reset: false });
    let codes: Vec<_> = bench
        .log()
        .into_iter()
        .map(|item| match item {
            LogItem::Alarm { code, .. } => code,
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(codes, [0, 1]);
}

#[tokio::test]
async fn retries_for_the_same_reason_are_said_once() {
    let mut bench = Bench::up(StateKind::Idle);
    bench.log();
    for attempt in 1..4 {
        let retry_at = bench.clock.now();
        bench.tell(EventKind::Link(LinkState::Down { why: "unplugged".into(), attempt, retry_at }));
    }
    assert_eq!(bench.log().len(), 1);
    bench.keeper.publish();
    let shown = bench.snapshots.borrow_and_update().machine.link.state.clone();
    assert!(matches!(shown, LinkState::Down { attempt: 3, .. }), "but each is in the snapshot");
}

#[tokio::test]
async fn a_snapshot_is_published_only_when_it_says_something_new() {
    let mut bench = Bench::up(StateKind::Idle);
    // From here on this client is in control, which is news only once.
    bench.ask(mdi("G0 X0"));
    bench.keeper.publish();
    assert!(bench.snapshots.has_changed().unwrap());
    bench.snapshots.borrow_and_update();
    bench.tell(EventKind::Wire { out: true, text: "?".into() });
    bench.ask(mdi("G0 X1"));
    bench.keeper.publish();
    assert!(!bench.snapshots.has_changed().unwrap());
}

#[tokio::test]
async fn the_task_serves_handles_and_answers_all_when_the_driver_ends() {
    let clock = Clock::start();
    let latch = Arc::new(Latch::default());
    let (orders, mut inbox) = mpsc::channel(4);
    let (tell, events) = mpsc::channel(4);
    let config = HubConfig {
        endpoint: "sim".into(),
        simulated: true,
        report_interval: Duration::from_millis(200),
        outputs: Vec::new(),
    };
    let (port, task) = spawn(config, clock, latch, MachineLink { orders, events });
    let mut hub = port.attach_screen();
    assert!(hub.snapshot().machine.link.simulated);
    for what in [
        EventKind::Link(LinkState::Asking),
        EventKind::Link(LinkState::Up),
        EventKind::Session(grbl::Event::Status(Box::new(machine_at(StateKind::Idle, &[1.0])))),
    ] {
        tell.send(Event { at: clock.now(), what }).await.unwrap();
    }
    while hub.changed().await.unwrap().machine.state.is_none() {}
    let ticket = hub.submit(mdi("G0 X1")).unwrap();
    assert_eq!(inbox.recv().await.unwrap().ticket, ticket);
    drop(tell);
    let answered = loop {
        match hub.log().await.unwrap() {
            LogEvent::Entry(entry) => {
                if let LogItem::Outcome { ticket, outcome, .. } = &entry.what {
                    break (*ticket, outcome.clone());
                }
            }
            LogEvent::Gap(lost) => panic!("{lost} entries lost"),
        }
    };
    assert_eq!(answered, (ticket, Outcome::Voided { why: VoidReason::Shutdown, sent: false }));
    task.await.unwrap();
    assert!(hub.submit(mdi("G0 X1")).is_err());
}

/// What can happen around the hub, in any order.
#[derive(Clone, Debug)]
enum Act {
    Ask(Command),
    /// Asked, but the hub has not come to it when the next acts happen.
    AskLate(Command),
    Realtime(Realtime),
    State(StateKind),
    Reset,
    LinkLost,
    LinkUp,
    /// The driver takes orders and ends the oldest so.
    Answer(Outcome),
}

fn act() -> impl Strategy<Value = Act> {
    let command = || {
        prop_oneof![
            Just(mdi("G0 X1")),
            Just(mdi("bad \u{e9}")),
            Just(step()),
            Just(Command::Home(HomeTarget::All)),
            Just(Command::Unlock),
        ]
    };
    prop_oneof![
        4 => command().prop_map(Act::Ask),
        2 => command().prop_map(Act::AskLate),
        1 => prop_oneof![Just(Realtime::Stop), Just(Realtime::JogCancel), Just(Realtime::CycleStart)]
            .prop_map(Act::Realtime),
        2 => prop_oneof![Just(StateKind::Idle), Just(StateKind::Run), Just(StateKind::Alarm)].prop_map(Act::State),
        1 => Just(Act::Reset),
        1 => Just(Act::LinkLost),
        1 => Just(Act::LinkUp),
        3 => prop_oneof![
            Just(Outcome::Done),
            Just(Outcome::TimedOut),
            Just(Outcome::Voided { why: VoidReason::Reset, sent: true })
        ]
        .prop_map(Act::Answer),
    ]
}

proptest! {
    /// Whatever happens in whatever order, each command has one outcome in the log, and one asked before a stop that
    /// the hub comes to after it never goes on.
    #[test]
    fn every_ticket_is_answered_exactly_once(acts in prop::collection::vec(act(), 1..80)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        let _guard = runtime.enter();
        let mut bench = Bench::up(StateKind::Idle);
        let (mut asked, mut late, mut open) = (Vec::new(), Vec::new(), Vec::new());
        for act in acts {
            match act {
                Act::Ask(command) => asked.push(bench.ask(command)),
                Act::AskLate(command) => {
                    let ticket = bench.latch.next_ticket();
                    asked.push(ticket);
                    late.push(Request { ticket, origin: SCREEN, command });
                }
                Act::Realtime(realtime) => bench.latch.set(realtime),
                Act::State(state) => bench.session(grbl::Event::Status(Box::new(machine_at(state, &[0.0; 3])))),
                Act::Reset => bench.session(grbl::Event::Reset { cause: ResetCause::ByItself, banner: String::new() }),
                Act::LinkLost => {
                    let retry_at = bench.clock.now();
                    for Order { ticket, .. } in open.drain(..) {
                        bench.end(ticket, Outcome::Voided { why: VoidReason::LinkLost, sent: true });
                    }
                    bench.tell(EventKind::Link(LinkState::Down { why: "gone".into(), attempt: 1, retry_at }));
                }
                Act::LinkUp => {
                    bench.tell(EventKind::Link(LinkState::Asking));
                    bench.tell(EventKind::Link(LinkState::Up));
                }
                Act::Answer(outcome) => {
                    for request in late.drain(..) {
                        let voided = bench.latch.is_void(request.ticket, super::arbiter::is_jog(&request.command));
                        bench.keeper.take_request(&request);
                        open.extend(std::iter::from_fn(|| bench.orders.try_recv().ok()));
                        prop_assert!(!(voided && open.iter().any(|order: &Order| order.ticket == request.ticket)));
                    }
                    open.extend(std::iter::from_fn(|| bench.orders.try_recv().ok()));
                    if !open.is_empty() {
                        let order = open.remove(0);
                        bench.end(order.ticket, outcome);
                    }
                }
            }
        }
        for request in late {
            bench.keeper.take_request(&request);
        }
        bench.keeper.finish();
        let mut answered: Vec<_> = bench.outcomes().into_iter().map(|(ticket, _)| ticket).collect();
        answered.sort();
        prop_assert_eq!(answered, asked);
    }
}
