//! From a grid that fails to the feed hold on the machine's wire, and what fifty rules cost.
//!
//! Two ways are measured: what the hub needs once a bus has told that the grid is lost, and the whole way from the simulated
//! inverter's register to the byte, over Modbus TCP and over an RTU line at 9600 Bd. The whole way is mostly the time until the
//! inverter is asked again, and what two samples that agree take. Each event has a hub of its own, since a rule fires once for
//! an event.

mod support;

use std::hint::black_box;
use std::io;
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::future::try_join_all;
use sunmill::driver::bus::{
    BusConfig, BusEndpoint, BusEvent, BusEventKind, BusOpener, Family, InProcessBus, UnitConfig, UnitEvent,
};
use sunmill::driver::transport::{SerialLine, Stream};
use sunmill::driver::{Clock, InProcess, Opener, Pace};
use sunmill::grbl::session::SessionConfig;
use sunmill::grbl::tables::Tables;
use sunmill::hub::power::{BusPlan, BusSetup, PowerKeeping, UnitSetup};
use sunmill::hub::sun::{RuleSet, SunSetup};
use sunmill::hub::{self, HubTask, Keeping};
use sunmill::inverter::poller::Options;
use sunmill::inverter::profile::{Profile, shipped};
use sunmill::model::hub::Hub;
use sunmill::model::power::{BusState, GridState, Inverter, Power, Reading, Unit, UnitState};
use sunmill::model::sun::{Action, Rule, WhenUnknown};
use sunmill::model::{Endpoint, Snapshot, StateKind, Time};
use sunmill::sim::InverterOptions;
use sunmill::sim::inverter::{Framing, InverterFault};
use sunmill::sim::serve::{Bus, serve_bus_tcp};
use support::{Samples, heading, row};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::time::timeout;

/// Events of which only the hub's part is measured.
const TOLD: usize = 100;
/// Events over the whole way. Each takes many seconds, nearly all of them waiting, so that some are under way at once.
const WHOLE: usize = 100;
const AT_ONCE: usize = 20;
const RULES: usize = 50;
const BAUD: u32 = 9600;
/// Ends a run that hangs.
const PATIENCE: Duration = Duration::from_secs(60);

fn main() -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    evaluation();
    heading("Grid lost to the feed hold on the machine's wire");
    let told = runtime.block_on(told())?;
    row("from what a bus tells to the byte", &told, "p99 < 10 ms");
    let tcp = runtime.block_on(whole(Framing::Tcp))?;
    row("from the register, Modbus TCP", &tcp, "~1.5 s on a direct link");
    let rtu = runtime.block_on(whole(Framing::Rtu))?;
    row("from the register, RTU at 9600 Bd", &rtu, "~1.5 s on a direct link");
    Ok(())
}

fn rule(name: String, when: &str) -> Rule {
    let when = when.parse().expect("a condition");
    Rule { name, when, action: Action::Hold, inverter: None, unknown: WhenUnknown::Show }
}

/// What it costs to look at fifty rules, each of four parts.
fn evaluation() {
    let whens = [
        "all(grid = lost, minutes_left < park_time + 5min) for 10s",
        "battery_soc < 20 or load_percent > 110 for 3s",
        "not (surplus > 500W and spare_power > 1kW) for 1min",
        "any(inverter_fault, overload, grid = lost and program = running)",
    ];
    let rules = (0..RULES).map(|n| rule(format!("rule {n}"), whens[n % whens.len()]));
    let mut now = Time::from_millis(1_000_000);
    let mut rules = RuleSet::new(rules.collect(), now);
    let mut snapshot = Snapshot::default();
    let samples = Samples::of(2000, || {
        now += Duration::from_secs(1);
        snapshot.power = Arc::new(power(now));
        black_box(rules.look(black_box(&snapshot), Duration::from_secs(60), now));
    });
    heading("Looking at rules");
    row("50 rules of four parts, all of them anew", &samples, "p99 < 1 ms");
}

fn known(now: Time, grid: GridState) -> Inverter {
    let reading = |value| Reading::new(value, now, Duration::from_secs(1));
    let mut known = Inverter { name: "roof".into(), rated_w: reading(5000.0), ..Inverter::default() };
    known.grid.state = grid;
    known.grid.voltage_v = reading(230.0);
    known.battery.soc_percent = reading(60.0);
    known.battery.soc_min_percent = reading(20.0);
    known.flow.battery_w = reading(1200.0);
    known.flow.pv_w = reading(800.0);
    known.flow.load_w = reading(2000.0);
    known.flow.load_percent = reading(40.0);
    known
}

fn power(now: Time) -> Power {
    let unit = Unit {
        known: known(now, GridState::Good),
        bus: "rs485".into(),
        enabled: true,
        state: UnitState::Answers,
        capacity_kwh: Some(10.0),
        ..Unit::default()
    };
    let bus = sunmill::model::power::Bus { name: "rs485".into(), state: BusState::Open, ..Default::default() };
    Power { inverters: vec![Arc::new(unit)], buses: vec![Arc::new(bus)], armed_until: None }
}

/// A machine that moves for ever, and tells when a feed hold has come.
fn machine(holds: &mpsc::Sender<Instant>) -> InProcess {
    let holds = holds.clone();
    InProcess(Arc::new(move || {
        let (near, far) = tokio::io::duplex(4096);
        tokio::spawn(moving(far, holds.clone()));
        near
    }))
}

async fn moving(mut wire: DuplexStream, holds: mpsc::Sender<Instant>) {
    let (mut line, mut held) = (String::new(), false);
    while let Ok(byte) = wire.read_u8().await {
        let answer = match byte {
            b'?' if held => "<Hold:0|MPos:0.000,0.000,0.000|FS:0,0>\r\n".to_owned(),
            b'?' => "<Run|MPos:1.000,0.000,0.000|FS:600,0>\r\n".to_owned(),
            b'!' => {
                let _ = holds.try_send(Instant::now());
                held = true;
                String::new()
            }
            b'\n' => {
                let info = if line.trim() == "$I" { "[VER:1.1h.20190830:]\r\n[OPT:V,15,128]\r\n" } else { "" };
                line.clear();
                format!("{info}ok\r\n")
            }
            other => {
                line.push(char::from(other));
                String::new()
            }
        };
        if wire.write_all(answer.as_bytes()).await.is_err() {
            return;
        }
    }
}

/// A hub over that machine, with a rule that holds it.
fn start(power: PowerKeeping, holds: &mpsc::Sender<Instant>, clock: Clock) -> (Hub, HubTask) {
    let rules = vec![rule("grid".into(), "grid = lost")];
    let opener = Opener {
        endpoint: Endpoint::Sim,
        baud: 115_200,
        pace: Pace::Off,
        lock_dir: std::env::temp_dir(),
        in_process: Some(machine(holds)),
    };
    let keeping = Keeping { power, sun: SunSetup { rules, ..SunSetup::default() }, ..Keeping::default() };
    let (port, task) = hub::start_keeping(SessionConfig::default(), Tables::load(), opener, clock, keeping);
    (port.attach_screen(), task)
}

async fn until(hub: &mut Hub, wanted: impl Fn(&Snapshot) -> bool) -> io::Result<()> {
    let search = async {
        while !wanted(&hub.snapshot()) {
            hub.changed().await.map_err(|_gone| io::Error::other("the hub is gone"))?;
        }
        Ok(())
    };
    timeout(PATIENCE, search).await.map_err(io::Error::other)?
}

fn moves(snapshot: &Snapshot) -> bool {
    snapshot.machine.state.is_some_and(|state| state.kind == StateKind::Run)
}

fn grid_is(snapshot: &Snapshot, state: GridState) -> bool {
    snapshot.power.inverters.first().is_some_and(|unit| unit.known.grid.state == state)
}

async fn held(heard: &mut mpsc::Receiver<Instant>) -> io::Result<Instant> {
    let held = timeout(PATIENCE, heard.recv()).await.map_err(io::Error::other)?;
    held.ok_or_else(|| io::Error::other("the machine is gone"))
}

/// The hub's part: a bus tells that the grid is lost.
async fn told() -> io::Result<Samples> {
    let mut samples = Samples::default();
    for _ in 0..TOLD {
        let (holds, mut heard) = mpsc::channel(4);
        let (to_bus, _orders) = mpsc::channel(64);
        let (events, told) = mpsc::channel(64);
        let unit = UnitSetup { name: "roof".into(), enabled: true, ..UnitSetup::default() };
        let bus = BusSetup {
            name: "rs485".into(),
            endpoint: "/dev/none".into(),
            simulated: false,
            orders: to_bus,
            units: vec![unit],
        };
        let clock = Clock::start();
        let power = PowerKeeping { buses: vec![bus], events: Some(told), ..PowerKeeping::default() };
        let (mut hub, task) = start(power, &holds, clock);
        let tell = async |what| {
            let told = events.send(BusEvent { at: clock.now(), bus: 0, what }).await;
            told.map_err(|_closed| io::Error::other("the hub is gone"))
        };
        let reads = |grid| UnitEvent::Known(Box::new(known(clock.now(), grid)));
        tell(BusEventKind::State(BusState::Open)).await?;
        tell(BusEventKind::Unit { unit: 0, what: UnitEvent::Answers }).await?;
        tell(BusEventKind::Unit { unit: 0, what: reads(GridState::Good) }).await?;
        until(&mut hub, |snapshot| moves(snapshot) && grid_is(snapshot, GridState::Good)).await?;
        let begun = Instant::now();
        tell(BusEventKind::Unit { unit: 0, what: reads(GridState::Lost) }).await?;
        samples.push(held(&mut heard).await? - begun);
        drop(hub);
        task.shutdown().await;
    }
    Ok(samples)
}

/// The whole way: the simulated inverter loses its grid.
async fn whole(framing: Framing) -> io::Result<Samples> {
    let profile: Arc<Profile> = Arc::new(shipped("senergy").expect("a profile").expect("in order"));
    let mut samples = Samples::default();
    for _ in 0..WHOLE / AT_ONCE {
        let events = (0..AT_ONCE).map(|_| event(framing, &profile));
        try_join_all(events).await?.into_iter().for_each(|took| samples.push(took));
    }
    Ok(samples)
}

async fn event(framing: Framing, profile: &Arc<Profile>) -> io::Result<Duration> {
    let options = InverterOptions { unit: Some(1), speed: 0.0, ..InverterOptions::new(Arc::clone(profile), framing) };
    let inverter = Bus::new(options);
    let opener = if framing == Framing::Tcp { tcp(&inverter).await? } else { rtu(&inverter) };
    let unit = UnitConfig {
        name: "roof".into(),
        family: Family::Profile(Arc::clone(profile)),
        options: Options { unit: Some(1), ..Options::default() },
        enabled: true,
        nominal_v: 230.0,
    };
    let setup = UnitSetup { name: "roof".into(), profile: "senergy".into(), enabled: true, ..UnitSetup::default() };
    let config = BusConfig { name: "rs485".into(), opener, units: vec![unit] };
    let plan = BusPlan { config, simulated: true, units: vec![setup] };
    let (holds, mut heard) = mpsc::channel(4);
    let clock = Clock::start();
    let power = PowerKeeping::default().start(vec![plan], Default::default(), clock);
    let (mut hub, task) = start(power, &holds, clock);
    until(&mut hub, |snapshot| moves(snapshot) && grid_is(snapshot, GridState::Good)).await?;
    let begun = Instant::now();
    inverter.with(|inverter| inverter.trigger(InverterFault::GridLoss));
    let took = held(&mut heard).await? - begun;
    drop(hub);
    task.shutdown().await;
    Ok(took)
}

async fn tcp(inverter: &Bus) -> io::Result<BusOpener> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let endpoint = BusEndpoint::Tcp { host: Ipv4Addr::LOCALHOST.to_string(), port: listener.local_addr()?.port() };
    let inverter = inverter.clone();
    tokio::spawn(async move {
        let (_keep, mut controls) = mpsc::channel(1);
        let _ = serve_bus_tcp(inverter, listener, &mut controls, |_| {}).await;
    });
    Ok(BusOpener { endpoint, lock_dir: std::env::temp_dir(), in_process: None })
}

/// A serial line in this process, whose bytes take the time that they take at 9600 Bd.
fn rtu(inverter: &Bus) -> BusOpener {
    let inverter = inverter.clone();
    let open = move || {
        let (near, middle) = tokio::io::duplex(4096);
        tokio::spawn(slowly(middle, inverter.connect()));
        Ok(Box::new(near) as Box<dyn Stream>)
    };
    BusOpener {
        endpoint: BusEndpoint::Rtu { path: "/dev/none".into(), line: SerialLine::plain(BAUD) },
        lock_dir: PathBuf::new(),
        in_process: Some(InProcessBus(Arc::new(open))),
    }
}

async fn slowly(mut near: DuplexStream, mut far: DuplexStream) {
    let (mut question, mut answer) = ([0; 512], [0; 512]);
    loop {
        let (bytes, to) = tokio::select! {
            read = near.read(&mut question) => match read {
                Ok(count @ 1..) => (&question[..count], &mut far),
                _ => return,
            },
            read = far.read(&mut answer) => match read {
                Ok(count @ 1..) => (&answer[..count], &mut near),
                _ => return,
            },
        };
        // Ten bits a byte.
        tokio::time::sleep(Duration::from_secs_f64(bytes.len() as f64 * 10.0 / f64::from(BAUD))).await;
        if to.write_all(bytes).await.is_err() {
            return;
        }
    }
}
