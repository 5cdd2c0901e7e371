//! Rules and parking on the simulated machine, with an inverter that a test plays, on simulated time.

#![allow(clippy::unwrap_used)]

#[path = "sun/acts.rs"]
mod acts;
mod common;
#[path = "sun/spindle.rs"]
mod spindle;
#[path = "sun/start.rs"]
mod start;

use std::fmt::Write as _;
use std::path::PathBuf;
use std::time::Duration;

use common::shop::{FIRMWARES, Shop, idle, middle, refused, state};
use sunmill::driver::bus::{BusEvent, BusEventKind, BusOrder, UnitEvent};
use sunmill::hub::Keeping;
use sunmill::hub::power::{BusSetup, PowerKeeping, UnitSetup};
use sunmill::hub::programs::{Folder, Folders, Library};
use sunmill::hub::runner::RunnerConfig;
use sunmill::hub::sun::{ParkPlace, SunSetup};
use sunmill::model::audit::AuditKind;
use sunmill::model::command::HomeTarget;
use sunmill::model::log::LogItem;
use sunmill::model::machine::Firmware;
use sunmill::model::power::{BusState, GridState, Inverter, Reading};
use sunmill::model::program::order::POSITION_WORD;
use sunmill::model::program::{Agreed, ProgramOrder, Run, RunEnd, RunRequest, RunState, Start};
use sunmill::model::snapshot::LinkState;
use sunmill::model::sun::{Action, ParkStep, Rule, SunOrder, Truth, WhenUnknown};
use sunmill::model::{Axis, AxisSet, AxisVec, Command, Outcome, Realtime, Snapshot, StateKind, Time};
use sunmill::sim::Options;
use sunmill::store::{AuditFilter, RunFilter, Store};
use tempfile::TempDir;
use tokio::sync::mpsc;

/// A rule as it is written.
fn rule(when: &str, action: Action) -> Rule {
    Rule { name: "evening".into(), when: when.parse().unwrap(), action, inverter: None, unknown: WhenUnknown::Show }
}

/// A machine with programs, and an inverter whose words a test says.
struct Farm {
    shop: Shop,
    folder: TempDir,
    store: Store,
    events: mpsc::Sender<BusEvent>,
    _orders: mpsc::Receiver<BusOrder>,
}

impl Farm {
    async fn open(firmware: Firmware, rules: Vec<Rule>) -> Self {
        Self::homed(firmware, rules, true).await
    }

    async fn homed(firmware: Firmware, rules: Vec<Rule>, homed: bool) -> Self {
        Self::with(firmware, SunSetup { rules, ..SunSetup::default() }, homed).await
    }

    /// With all that is said of rules and sun; it is parked at half of its work.
    async fn with(firmware: Firmware, sun: SunSetup, homed: bool) -> Self {
        let start = AxisVec::from_slice(&[middle(firmware), middle(firmware), -30.0, 0.0]);
        let machine = Options { homed, start: Some(start), ..Options::new(firmware) };
        let mut farm = Self::power_on(tempfile::tempdir().unwrap(), machine, sun);
        farm.make_ready(firmware, homed).await;
        farm.tell(BusEventKind::State(BusState::Open)).await;
        farm.tell(BusEventKind::Unit { unit: 0, what: UnitEvent::Answers }).await;
        farm
    }

    /// Hub and controller begin, with what the folder has of them.
    fn power_on(folder: TempDir, machine: Options, sun: SunSetup) -> Self {
        let firmware = machine.firmware;
        let place = Folder { name: "here".to_owned(), path: folder.path().to_owned() };
        let folders = Folders::new(vec![place]);
        let runner = RunnerConfig { folders: folders.clone(), ..RunnerConfig::default() };
        let (store, opened) = Store::open(&folder.path().join("store.db")).unwrap();
        let (to_bus, orders) = mpsc::channel(64);
        let (events, told) = mpsc::channel(64);
        let unit = UnitSetup {
            name: "roof".into(),
            profile: "senergy".into(),
            enabled: true,
            capacity_kwh: Some(10.0),
            ..UnitSetup::default()
        };
        let bus = BusSetup {
            name: "rs485".into(),
            endpoint: "/dev/ttyUSB9".into(),
            simulated: false,
            orders: to_bus,
            units: vec![unit],
        };
        let power = PowerKeeping { buses: vec![bus], events: Some(told), ..PowerKeeping::default() };
        let park = ParkPlace { across: vec![(Axis::X, middle(firmware) / 2.0)], ..ParkPlace::default() };
        let keeping = Keeping {
            runner,
            store: Some(store.clone()),
            opened,
            power,
            sun: SunSetup { park, ..sun },
            programs: Some(Library { folders, concurrent: 1, warm_up: Duration::ZERO }),
            ..Keeping::default()
        };
        let shop = Shop::start(move || machine.clone(), keeping);
        Self { shop, folder, store, events, _orders: orders }
    }

    /// It is idle; homed if that is wanted, and then at its work.
    async fn make_ready(&mut self, firmware: Firmware, homed: bool) {
        let shop = &mut self.shop;
        if homed {
            shop.until_ready().await;
            // Only what was seen to be homed counts; then back to the work.
            shop.done(Command::Home(HomeTarget::All)).await;
            shop.until("a homed machine", |s| idle(s) && !s.machine.homed.is_empty()).await;
            let work = middle(firmware);
            shop.done(Command::Mdi(format!("G53 G21 G0 X{work} Y{work} Z-30"))).await;
            shop.until("the work", |s| idle(s) && (z(s) + 30.0).abs() < 0.1).await;
            shop.done(Command::SetWork { axes: AxisSet::first(3), value: 0.0 }).await;
        } else {
            shop.until("an idle or locked machine", |s| {
                s.machine.link.state == LinkState::Up && s.machine.state.is_some()
            })
            .await;
            if !idle(&shop.hub.snapshot()) {
                shop.done(Command::Unlock).await;
            }
            shop.until("an idle machine", idle).await;
        }
    }

    async fn tell(&mut self, what: BusEventKind) {
        self.events.send(BusEvent { at: self.shop.clock.now(), bus: 0, what }).await.unwrap();
    }

    /// The inverter has been read now.
    async fn read(&mut self, grid: GridState, soc: f64) {
        let (now, second) = (self.shop.clock.now(), Duration::from_secs(1));
        self.read_at(grid, soc, now, second).await;
    }

    async fn read_at(&mut self, grid: GridState, soc: f64, at: Time, period: Duration) {
        let mut known = Inverter { name: "roof".into(), ..Inverter::default() };
        known.grid.state = grid;
        known.grid.voltage_v = Reading::new(if grid == GridState::Lost { 0.0 } else { 230.0 }, at, period);
        known.battery.soc_percent = Reading::new(soc, at, period);
        known.battery.soc_min_percent = Reading::new(20.0, at, period);
        known.flow.battery_w = Reading::new(2000.0, at, period);
        known.flow.load_w = Reading::new(2000.0, at, period);
        self.tell(BusEventKind::Unit { unit: 0, what: UnitEvent::Known(Box::new(known)) }).await;
    }

    /// Seconds in which the sun gives this and the loads draw that, of an inverter that can give 3 kW.
    async fn flows(&mut self, count: u32, pv_w: f64, load_w: f64) {
        for _ in 0..count {
            let (at, second) = (self.shop.clock.now(), Duration::from_secs(1));
            let mut known = Inverter { name: "roof".into(), ..Inverter::default() };
            known.grid.state = GridState::Good;
            known.grid.voltage_v = Reading::new(230.0, at, second);
            known.battery.soc_percent = Reading::new(60.0, at, second);
            known.flow.pv_w = Reading::new(pv_w, at, second);
            known.flow.load_w = Reading::new(load_w, at, second);
            known.rated_w = Reading { period: None, ..Reading::new(3000.0, at, second) };
            self.tell(BusEventKind::Unit { unit: 0, what: UnitEvent::Known(Box::new(known)) }).await;
            self.pass(second).await;
        }
    }

    /// Seconds in which it says this, once in each.
    async fn seconds(&mut self, count: u32, grid: GridState, soc: f64) {
        for _ in 0..count {
            self.read(grid, soc).await;
            self.pass(Duration::from_secs(1)).await;
        }
    }

    /// Seconds in which the loads draw this, from battery and grid, once told in each.
    async fn draws(&mut self, seconds: u32, load: f64, battery: f64, grid: f64) {
        for _ in 0..seconds {
            let (at, second) = (self.shop.clock.now(), Duration::from_secs(1));
            let mut known = Inverter { name: "roof".into(), ..Inverter::default() };
            known.flow.load_w = Reading::new(load, at, second);
            known.flow.battery_w = Reading::new(battery, at, second);
            known.flow.grid_w = Reading::new(grid, at, second);
            self.tell(BusEventKind::Unit { unit: 0, what: UnitEvent::Known(Box::new(known)) }).await;
            self.pass(second).await;
        }
    }

    /// Time passes, and the hub is listened to.
    async fn pass(&mut self, time: Duration) {
        let end = tokio::time::Instant::now() + time;
        while tokio::time::timeout_at(end, self.shop.news()).await.is_ok() {}
    }

    async fn run(&mut self, text: &str) -> (PathBuf, Outcome) {
        let path = self.folder.path().join("part.nc");
        std::fs::write(&path, text).unwrap();
        let agreed = Agreed { unchecked: true, warnings: true, position_word: POSITION_WORD.to_owned() };
        let request = RunRequest {
            path: path.clone(),
            seen: None,
            start: Start::Beginning,
            agreed,
            check_mode: false,
            on_link_loss: None,
        };
        let asked = Command::Program(ProgramOrder::Run(Box::new(request)));
        (path, self.shop.ask(asked).await)
    }

    /// What `run` has written is taken up at this line, with the preamble that a person would be shown, and runs to its end.
    async fn take_up(&mut self, line: u64) -> Run {
        let told = |s: &Snapshot| idle(s) && s.machine.modal.is_some() && s.machine.work_position.is_some();
        let snapshot = self.shop.until("all of it told anew", told).await;
        let path = self.folder.path().join("part.nc");
        let file = std::fs::File::open(&path).unwrap();
        let warm_up = RunnerConfig::default().warm_up;
        let preamble = sunmill::hub::runner::preamble(&file, &path, line, &snapshot, warm_up).unwrap().lines;
        let agreed = Agreed { unchecked: true, warnings: true, position_word: POSITION_WORD.to_owned() };
        let start = Start::Line { line, preamble };
        let request = RunRequest { path, seen: None, start, agreed, check_mode: false, on_link_loss: None };
        self.shop.done(Command::Program(ProgramOrder::Run(Box::new(request)))).await;
        for _ in 0..600 {
            if let Some(run) = self.shop.hub.snapshot().programs.run.clone().filter(|run| !run.state.is_open()) {
                return run;
            }
            self.seconds(1, GridState::Good, 40.0).await;
        }
        panic!("it never ends: {:?}", self.shop.hub.snapshot().programs.run);
    }

    async fn parked(&mut self) -> ParkStep {
        let over = |s: &Snapshot| s.sun.park.as_ref().is_some_and(|park| !park.step.is_open());
        let snapshot = self.shop.until("end of parking", over).await;
        snapshot.sun.park.as_ref().unwrap().step.clone()
    }

    fn realtime(&self) -> Vec<Realtime> {
        let sent = self.shop.log.iter().filter_map(|item| match item {
            LogItem::SentRealtime(realtime) if *realtime != Realtime::StatusQuery => Some(*realtime),
            _ => None,
        });
        sent.collect()
    }

    fn audit(&self) -> Vec<String> {
        self.store.flush().unwrap();
        let filter = AuditFilter { kind: Some(AuditKind::Note), ..AuditFilter::default() };
        self.store.reader().audit(&filter, 0, 200).unwrap().into_iter().map(|row| row.what).collect()
    }
}

/// A carve that turns the spindle, goes up between its cuts, and goes on for minutes.
fn carve() -> String {
    let mut text = "G21 G90 G17 G94 G54\nG0 Z2\nM3 S1000\n".to_owned();
    for i in 0..150 {
        let x = 2 * (i % 2);
        let _ = write!(text, "G0 Z2\nG0 X{x}\nG1 Z0 F600\nG1 X{} F1500\nG1 X{x}\nG1 X{}\n", x + 2, x + 2);
    }
    text + "G0 Z2\nM5\n"
}

fn z(snapshot: &Snapshot) -> f64 {
    snapshot.machine.machine_position.map_or(f64::NAN, |position| position.as_slice()[2])
}

fn x(snapshot: &Snapshot) -> f64 {
    snapshot.machine.machine_position.map_or(f64::NAN, |position| position.as_slice()[0])
}

const EVENING: &str = "all(grid = lost, minutes_left < park_time + 10min) for 10s";

#[tokio::test(start_paused = true)]
async fn the_grid_fails_in_the_evening_and_the_machine_is_brought_down_with_its_place_kept() {
    for firmware in FIRMWARES {
        let mut farm = Farm::open(firmware, vec![rule(EVENING, Action::Park)]).await;
        farm.seconds(3, GridState::Good, 25.0).await;
        assert_eq!(farm.run(&carve()).await.1, Outcome::Done, "{firmware}");
        farm.shop.until("cutting", |s| state(s) == Some(StateKind::Run)).await;
        // 25 % to 20 % of 10 kWh at 2 kW are 15 minutes: it goes on.
        farm.seconds(15, GridState::Lost, 25.0).await;
        let snapshot = farm.shop.hub.snapshot();
        assert_eq!(snapshot.sun.rules[0].truth, Truth::False, "{firmware}: {:?}", snapshot.sun.rules);
        assert!(snapshot.programs.run.as_ref().unwrap().state == RunState::Running);
        // 23 %: nine minutes.
        farm.seconds(14, GridState::Lost, 23.0).await;
        let step = farm.parked().await;
        let ParkStep::Done(reached) = &step else { panic!("{firmware}: {step:?}") };
        let notes = farm.shop.hub.snapshot().sun.park.as_ref().unwrap().notes.clone();
        assert!(notes.iter().all(|note| !note.contains("spindle")), "{firmware}: {notes:?}");
        for part in ["ended at standstill", "spindle off", "Z up", "at machine X"] {
            assert!(reached.contains(part), "{firmware}: {reached}");
        }
        let snapshot = farm.shop.hub.snapshot();
        assert!(idle(&snapshot) && (z(&snapshot) - -5.0).abs() < 0.1, "{firmware}: {}", z(&snapshot));
        assert!((x(&snapshot) - middle(firmware) / 2.0).abs() < 0.1);
        assert!(snapshot.machine.spindle_rpm.is_none_or(|rpm| rpm == 0.0));
        assert!(!snapshot.machine.homed.is_empty(), "{firmware}: position is kept");
        // In this order, each once.
        let sent = farm.realtime();
        let hold = sent.iter().position(|realtime| *realtime == Realtime::FeedHold);
        let spindle = sent.iter().position(|realtime| *realtime == Realtime::SpindleStop);
        assert!(hold.is_some() && hold < spindle, "{firmware}: {sent:?}");
        assert_eq!(sent.iter().filter(|realtime| **realtime == Realtime::SpindleStop).count(), 1);
        let lines = farm.shop.sent();
        let moved: Vec<_> = lines.iter().filter(|line| line.starts_with("G53") || **line == "M5").collect();
        // The first is that of the test itself.
        assert_eq!(moved.len(), 4, "{firmware}: {moved:?}");
        // Written down: the run with its reason, the position with the shift, the rule in the audit.
        let offered = farm.shop.until("offer to go on", |s| s.programs.interrupted.is_some()).await;
        let interrupted = offered.programs.interrupted.clone().unwrap();
        let Some(RunEnd::Stopped(why)) = &interrupted.run.end else { panic!("{:?}", interrupted.run.end) };
        assert!(why.contains("parked: rule \"evening\"") && why.contains("grid lost"), "{why}");
        let (begin, acked) = (interrupted.suggested_line, interrupted.left.acked_line);
        assert!((2..=acked).contains(&begin), "{firmware}: {begin} of {acked}: {}", interrupted.why);
        assert!(interrupted.left.homed);
        farm.store.flush().unwrap();
        let runs = farm.store.reader().runs(&RunFilter::default(), 0, 10).unwrap();
        assert_eq!(runs[0].end, interrupted.run.end);
        let audit = farm.audit();
        assert!(audit.iter().any(|row| row.contains("minutes_left 9 min (")), "{audit:?}");
        assert!(audit.iter().any(|row| row.starts_with("parked: ")), "{audit:?}");
        let notice = farm.shop.hub.snapshot().sun.notice.clone().unwrap();
        assert_eq!((notice.rule.as_str(), notice.did.as_str()), ("evening", "the machine is being parked"));
        // The grid comes back: nothing starts by itself, and what was told can be put away.
        let rest = farm.shop.sent().len();
        farm.seconds(90, GridState::Good, 40.0).await;
        assert_eq!(farm.shop.sent().len(), rest, "{firmware}");
        assert!(idle(&farm.shop.hub.snapshot()));
        farm.shop.done(Command::Sun(SunOrder::Dismiss)).await;
        assert!(farm.shop.hub.snapshot().sun.park.is_none());
        // In the morning a person takes it up at the line that is offered, and it runs on to its end.
        let run = farm.take_up(begin).await;
        assert_eq!(run.state, RunState::Done, "{firmware}");
        assert_eq!((run.first_line, run.acked_line), (begin, carve().lines().count() as u64), "{firmware}");
        let snapshot = farm.shop.until("standstill", idle).await;
        let work = snapshot.machine.work_position.unwrap();
        assert!(
            (work.as_slice()[0] - 4.0).abs() < 0.01 && (work.as_slice()[2] - 2.0).abs() < 0.01,
            "{firmware}: {work:?}"
        );
        assert_eq!(snapshot.programs.interrupted, None, "{firmware}");
        farm.shop.task.shutdown().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_link_that_dies_with_the_grid_is_unknown_and_moves_nothing() {
    let mut rule = rule("grid = lost for 5s", Action::Park);
    rule.unknown = WhenUnknown::BlockStart;
    let mut farm = Farm::open(Firmware::FluidNc, vec![rule]).await;
    farm.seconds(3, GridState::Good, 25.0).await;
    assert_eq!(farm.run(&carve()).await.1, Outcome::Done);
    farm.seconds(3, GridState::Lost, 25.0).await;
    let why = "unplugged".to_owned();
    let retry_at = farm.shop.clock.now();
    farm.tell(BusEventKind::State(BusState::Down { why, attempt: 1, retry_at })).await;
    farm.pass(Duration::from_secs(40)).await;
    let snapshot = farm.shop.hub.snapshot();
    let shown = &snapshot.sun.rules[0];
    assert_eq!(shown.truth, Truth::Unknown);
    assert!(shown.seen[0].unknown.is_some() && shown.fired.is_none(), "{shown:?}");
    assert!(shown.blocks.as_ref().is_some_and(|why| why.contains("not known")), "{shown:?}");
    assert_eq!(farm.realtime(), []);
    assert_eq!(snapshot.programs.run.as_ref().unwrap().state, RunState::Running);
    farm.shop.task.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn a_flapping_grid_and_late_values_lead_to_one_firing_and_to_none() {
    let mut farm = Farm::open(Firmware::Grbl, vec![rule("grid = lost", Action::Hold)]).await;
    farm.seconds(2, GridState::Good, 50.0).await;
    assert_eq!(farm.run(&carve()).await.1, Outcome::Done);
    farm.shop.until("cutting", |s| state(s) == Some(StateKind::Run)).await;
    for _ in 0..20 {
        farm.seconds(1, GridState::Lost, 50.0).await;
        farm.seconds(1, GridState::Good, 50.0).await;
    }
    assert_eq!(farm.realtime().iter().filter(|sent| **sent == Realtime::FeedHold).count(), 1);
    let snapshot = farm.shop.hub.snapshot();
    assert_eq!(state(&snapshot), Some(StateKind::Hold), "it never resumes by itself");
    farm.shop.task.shutdown().await;

    let mut farm = Farm::open(Firmware::Grbl, vec![rule("battery_soc < 30", Action::Hold)]).await;
    assert_eq!(farm.run(&carve()).await.1, Outcome::Done);
    farm.pass(Duration::from_secs(5)).await;
    for _ in 0..20 {
        // Each answer is told four seconds after it was read.
        let old = Time::from_micros(farm.shop.clock.now().as_micros() - 4_000_000);
        farm.read_at(GridState::Good, 10.0, old, Duration::from_secs(1)).await;
        farm.pass(Duration::from_secs(1)).await;
    }
    assert_eq!(farm.realtime(), []);
    assert_eq!(farm.shop.hub.snapshot().sun.rules[0].truth, Truth::Unknown);
    farm.shop.task.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn while_it_holds_no_program_is_started_unless_the_rule_is_set_aside_for_it() {
    let mut farm = Farm::open(Firmware::GrblHal, vec![rule("battery_soc < 30", Action::Park)]).await;
    farm.seconds(3, GridState::Good, 10.0).await;
    let fired = farm.shop.hub.snapshot().sun.rules[0].fired.clone().unwrap();
    assert_eq!(fired.did, "nothing ran, so nothing was stopped");
    let why = refused(&farm.run("G21\nG1 X1 F600\n").await.1);
    assert!(why.contains("rule \"evening\" says no") && why.contains("battery_soc 10 %"), "{why}");
    let aside = || Command::Sun(SunOrder::SetAside { rule: "evening".into() });
    farm.shop.done(aside()).await;
    assert!(refused(&farm.shop.ask(aside()).await).contains("already"));
    let unknown = Command::Sun(SunOrder::SetAside { rule: "morning".into() });
    assert!(refused(&farm.shop.ask(unknown).await).contains("no rule"));
    assert_eq!(farm.run("G21\nG91\nG1 X1 F600\n").await.1, Outcome::Done);
    farm.shop.until("its end", |s| s.programs.run.as_ref().is_some_and(|run| !run.state.is_open())).await;
    assert_eq!(farm.shop.hub.snapshot().sun.rules[0].aside, None, "for one program");
    assert!(refused(&farm.run("G21\nG1 X1 F600\n").await.1).contains("says no"));
    farm.shop.task.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn parking_by_key_moves_nothing_that_is_not_homed_and_ends_when_a_person_stops_it() {
    for firmware in FIRMWARES {
        let mut farm = Farm::homed(firmware, Vec::new(), false).await;
        let before = farm.shop.hub.snapshot().machine.machine_position;
        farm.shop.done(Command::Sun(SunOrder::Park)).await;
        let step = farm.parked().await;
        assert_eq!(step, ParkStep::Done("spindle off".into()), "{firmware}");
        let snapshot = farm.shop.hub.snapshot();
        assert_eq!(snapshot.machine.machine_position, before, "{firmware}");
        assert!(snapshot.sun.park.as_ref().unwrap().notes[0].contains("not homed"));
        farm.shop.task.shutdown().await;

        let mut farm = Farm::open(firmware, Vec::new()).await;
        farm.shop.done(Command::Sun(SunOrder::Park)).await;
        farm.shop.until("Z going up", |s| s.sun.park.as_ref().is_some_and(|park| park.step == ParkStep::Lift)).await;
        let why = refused(&farm.shop.ask(Command::Mdi("G0 X1".into())).await);
        assert!(why.contains("being parked"), "{why}");
        farm.shop.hub.realtime(Realtime::Stop);
        let step = farm.parked().await;
        assert!(matches!(&step, ParkStep::Failed(why) if why.contains("has stopped")), "{firmware}: {step:?}");
        let lines = farm.shop.sent().len();
        farm.pass(Duration::from_secs(5)).await;
        assert_eq!(farm.shop.sent().len(), lines, "nothing follows");
        farm.shop.task.shutdown().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_machine_that_waits_at_a_pause_is_parked_too() {
    for firmware in FIRMWARES {
        let mut farm = Farm::open(firmware, Vec::new()).await;
        assert_eq!(farm.run("G21 G90\nM3 S1000\nG1 F1000\nG91\nG1 X1\nM0\nG1 X1\nG90\n").await.1, Outcome::Done);
        farm.shop.until("the pause", |s| s.programs.run.as_ref().is_some_and(|run| run.prompt.is_some())).await;
        farm.shop.done(Command::Sun(SunOrder::Park)).await;
        let step = farm.parked().await;
        assert!(matches!(&step, ParkStep::Done(what) if what.contains("Z up")), "{firmware}: {step:?}");
        farm.shop.task.shutdown().await;
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_program_has_drawn_is_kept_when_sunmill_ends_in_the_middle_of_it() {
    let mut farm = Farm::open(Firmware::FluidNc, Vec::new()).await;
    farm.draws(70, 300.0, 0.0, 300.0).await;
    assert_eq!(farm.run(&carve()).await.1, Outcome::Done);
    // A minute at 1200 W more, four fifths of all from the battery.
    farm.draws(60, 1500.0, 1200.0, 300.0).await;
    let drawn = farm.shop.hub.snapshot().sun.drawn.expect("it is measured");
    assert_eq!((drawn.base_w, drawn.unknown_s), (Some(300.0), 0.0));
    let about = |wh: f64, minutes: f64, watts: f64| (wh - watts * minutes / 60.0).abs() < watts * 2.0 / 3600.0;
    assert!(about(drawn.wh(), 1.0, 1200.0) && about(drawn.battery_wh, 1.0, 960.0), "{drawn:?}");
    let by_phase: f64 = drawn.phases.iter().map(|drawn| drawn.wh).sum();
    assert!((by_phase - drawn.sun_wh - drawn.battery_wh - drawn.grid_wh).abs() < 1e-6, "{drawn:?}");
    assert!(drawn.phases[0].seconds > 20.0, "the spindle was on: {drawn:?}");
    farm.shop.task.shutdown().await;
    farm.store.flush().unwrap();
    let runs = farm.store.reader().runs(&RunFilter::default(), 0, 1).unwrap();
    assert!(matches!(runs[0].end, Some(RunEnd::Interrupted(_))), "{:?}", runs[0].end);
    let kept = runs[0].energy.expect("what was measured");
    assert!(about(kept.wh(), 1.0, 1200.0) && kept.known_s() >= drawn.known_s(), "{kept:?}");
}

#[tokio::test(start_paused = true)]
async fn each_start_is_measured_anew_and_what_is_held_is_not_cutting() {
    let mut farm = Farm::open(Firmware::Grbl, Vec::new()).await;
    farm.draws(70, 300.0, 0.0, 300.0).await;
    assert_eq!(farm.run(&carve()).await.1, Outcome::Done);
    farm.draws(20, 1300.0, 0.0, 1300.0).await;
    farm.shop.hub.realtime(Realtime::FeedHold);
    farm.shop.until("hold", |s| state(s) == Some(StateKind::Hold)).await;
    farm.draws(40, 800.0, 0.0, 800.0).await;
    let held = farm.shop.hub.snapshot().sun.drawn.expect("it is measured");
    assert!((held.phases[3].seconds - 40.0).abs() < 2.0, "the spindle turns in a hold: {held:?}");
    farm.shop.hub.realtime(Realtime::StopProgram);
    farm.shop.until("its end", |s| s.programs.interrupted.is_some() && idle(s)).await;
    assert_eq!(farm.shop.hub.snapshot().sun.drawn, None);
    let first = farm.shop.hub.snapshot().programs.interrupted.as_ref().unwrap().run.energy.expect("it is measured");
    assert!(first.wh() > 8.0, "{first:?}");
    // Taken up: a run of its own, whose other loads are those of the minute before it.
    farm.shop.done(Command::Mdi("M5".into())).await;
    farm.draws(70, 500.0, 0.0, 500.0).await;
    assert_eq!(farm.run("G21 G91\nG1 X1 F10\n").await.1, Outcome::Done);
    farm.draws(2, 700.0, 0.0, 700.0).await;
    let second = farm.shop.until("the other loads", |s| s.sun.drawn.is_some()).await.sun.drawn.unwrap();
    assert_eq!(second.base_w, Some(500.0));
    assert!(second.wh() < 1.0, "{second:?}");
    farm.shop.task.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn a_link_that_dies_in_the_middle_of_a_program_leaves_a_part_of_its_energy_unknown() {
    let mut farm = Farm::open(Firmware::FluidNc, Vec::new()).await;
    farm.draws(70, 300.0, 0.0, 300.0).await;
    assert_eq!(farm.run(&carve()).await.1, Outcome::Done);
    farm.draws(20, 1300.0, 0.0, 1300.0).await;
    let (why, retry_at) = ("unplugged".to_owned(), farm.shop.clock.now());
    farm.tell(BusEventKind::State(BusState::Down { why, attempt: 1, retry_at })).await;
    farm.pass(Duration::from_secs(30)).await;
    farm.tell(BusEventKind::State(BusState::Open)).await;
    farm.tell(BusEventKind::Unit { unit: 0, what: UnitEvent::Answers }).await;
    farm.draws(10, 1300.0, 0.0, 1300.0).await;
    let drawn = farm.shop.hub.snapshot().sun.drawn.expect("it is measured");
    assert!((28.0..=33.0).contains(&drawn.unknown_s), "{drawn:?}");
    assert!((drawn.wh() - 1000.0 * drawn.known_s() / 3600.0).abs() < 0.5, "never counted as nothing: {drawn:?}");
    assert!(drawn.words().starts_with("at least ") && drawn.words().ends_with(" s not measured"), "{}", drawn.words());
    farm.shop.task.shutdown().await;
}
