//! The hub with a simulated inverter on its bus: a setting from the asking to the next start.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use sunmill::driver::Clock;
use sunmill::driver::bus::{BusConfig, BusEndpoint, BusOpener, Family, InProcessBus, UnitConfig};
use sunmill::driver::pace::Pace;
use sunmill::driver::transport::{InProcess, Opener, SerialLine, Stream};
use sunmill::grbl::session::SessionConfig;
use sunmill::grbl::tables::Tables;
use sunmill::hub::power::{BusPlan, PowerKeeping, Remembered, UnitSetup, remembered};
use sunmill::hub::programs::{Folder, Folders};
use sunmill::hub::runner::RunnerConfig;
use sunmill::hub::sun::SunSetup;
use sunmill::hub::{self, HubTask, Keeping};
use sunmill::inverter::poller::Options;
use sunmill::inverter::profile::shipped;
use sunmill::model::audit::AuditKind;
use sunmill::model::command::{Command, Outcome, TicketId};
use sunmill::model::desk::{Answer, Query};
use sunmill::model::hub::{LogEvent, News};
use sunmill::model::log::LogItem;
use sunmill::model::power::{GridState, PowerAnswer, PowerOrder, PowerQuery, Unit, UnitState, Wanted};
use sunmill::model::program::order::POSITION_WORD;
use sunmill::model::program::{Agreed, ProgramOrder, RunEnergy, RunRequest, Start};
use sunmill::model::snapshot::Snapshot;
use sunmill::model::sun::{Action, Rule, Truth, WhenUnknown};
use sunmill::model::{AxisVec, Endpoint, Firmware, Hub, StateKind};
use sunmill::sim::inverter::{Framing, InverterFault};
use sunmill::sim::serve::{self, Bus};
use sunmill::sim::{InverterOptions, Options as MachineOptions};
use sunmill::store::{AuditFilter, RunFilter, Store};

/// SolarHub's name of register 8475.
const END: &str = "capacity_of_discharger_end_eod_";

/// A hub that runs, and a person at it.
struct House {
    hub: Hub,
    task: HubTask,
    store: Store,
    outcomes: Vec<(TicketId, Outcome)>,
    answers: Vec<PowerAnswer>,
}

fn plan(inverter: &Bus) -> BusPlan {
    let inverter = inverter.clone();
    let connect = move || Ok(Box::new(inverter.connect()) as Box<dyn Stream>);
    let opener = BusOpener {
        endpoint: BusEndpoint::Rtu { path: "/dev/ttyUSB9".into(), line: SerialLine::plain(9600) },
        lock_dir: PathBuf::new(),
        in_process: Some(InProcessBus(Arc::new(connect))),
    };
    let profile = Arc::new(shipped("senergy").expect("as set up").expect("as set up"));
    let setup = UnitSetup {
        name: "roof".into(),
        profile: profile.name.clone(),
        brand: profile.brand.clone(),
        address: 1,
        enabled: true,
        capacity_kwh: Some(10.0),
        ..UnitSetup::default()
    };
    let unit = UnitConfig {
        name: "roof".into(),
        family: Family::Profile(profile),
        options: Options { unit: Some(1), ..Options::default() },
        enabled: true,
        nominal_v: 230.0,
    };
    let config = BusConfig { name: "rs485".into(), opener, units: vec![unit] };
    BusPlan { config, simulated: true, units: vec![setup] }
}

impl House {
    fn open(folder: &Path, inverter: &Bus) -> Self {
        Self::open_with(folder, inverter, || MachineOptions::new(Firmware::FluidNc))
    }

    fn open_with(folder: &Path, inverter: &Bus, machine: fn() -> MachineOptions) -> Self {
        Self::open_ruled(folder, inverter, machine, Vec::new())
    }

    fn open_ruled(folder: &Path, inverter: &Bus, machine: fn() -> MachineOptions, rules: Vec<Rule>) -> Self {
        let clock = Clock::start();
        let (store, opened) = Store::open(&folder.join("sunmill.db")).expect("as set up");
        let known = remembered(&store.reader(), ["roof"]).expect("as set up");
        let power = PowerKeeping::default().start(vec![plan(inverter)], known, clock);
        let place = Folder { name: "here".to_owned(), path: folder.to_owned() };
        let runner = RunnerConfig { folders: Folders::new(vec![place]), ..RunnerConfig::default() };
        let sun = SunSetup { rules, ..SunSetup::default() };
        let keeping = Keeping { store: Some(store.clone()), opened, power, runner, sun, ..Keeping::default() };
        let opener = Opener {
            endpoint: Endpoint::Sim,
            baud: 115_200,
            pace: Pace::Off,
            lock_dir: folder.to_owned(),
            in_process: Some(InProcess(Arc::new(move || serve::in_process(machine())))),
        };
        let (port, task) = hub::start_keeping(SessionConfig::default(), Tables::load(), opener, clock, keeping);
        Self { hub: port.attach_screen(), task, store, outcomes: Vec::new(), answers: Vec::new() }
    }

    async fn close(self) {
        self.task.shutdown().await;
        self.store.close();
    }

    async fn next(&mut self) {
        match self.hub.next().await.expect("the hub lives") {
            News::Log(LogEvent::Entry(entry)) => {
                if let LogItem::Outcome { ticket, outcome, .. } = &entry.what {
                    self.outcomes.push((*ticket, outcome.clone()));
                }
            }
            News::Answer(Answer::Power(answer)) => self.answers.push(answer),
            _ => {}
        }
    }

    fn roof(&self) -> Arc<Unit> {
        Arc::clone(&self.hub.snapshot().power.inverters[0])
    }

    async fn until(&mut self, is_so: impl Fn(&Unit) -> bool) {
        while !is_so(&self.roof()) {
            self.next().await;
        }
    }

    /// It answers, is known, and its settings were read.
    async fn ready(&mut self) {
        self.until(|roof| roof.state == UnitState::Answers && roof.known.serial.is_some()).await;
        self.until(|roof| roof.read_only.is_none()).await;
        while self.value().await.is_none() {
            self.next().await;
        }
    }

    async fn answer(&mut self, query: PowerQuery) -> PowerAnswer {
        self.hub.ask(Query::Power(query)).expect("as set up");
        while self.answers.is_empty() {
            self.next().await;
        }
        self.answers.remove(0)
    }

    /// What the settings page shows: the value, and what was saved.
    async fn value(&mut self) -> Option<String> {
        let PowerAnswer::Settings { rows: Ok(rows), .. } =
            self.answer(PowerQuery::Settings { inverter: "roof".into() }).await
        else {
            return None;
        };
        rows.iter().find(|row| row.aliases.iter().any(|alias| alias == END))?.value.clone()
    }

    async fn set(&mut self, text: &str, shown: &str) -> Outcome {
        let settings = vec![Wanted { id: END.into(), text: text.into(), shown: Some(shown.into()) }];
        let order = PowerOrder::Set { inverter: "roof".into(), settings };
        let ticket = self.hub.submit(Command::Power(order)).expect("as set up");
        loop {
            if let Some((_, outcome)) = self.outcomes.iter().find(|(known, _)| *known == ticket) {
                return outcome.clone();
            }
            self.next().await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_setting_is_shown_before_written_read_back_told_saved_counted_and_there_after_a_restart() {
    let folder = tempfile::tempdir().expect("as set up");
    let profile = Arc::new(shipped("senergy").expect("as set up").expect("as set up"));
    let inverter = Bus::new(InverterOptions { speed: 0.0, ..InverterOptions::new(profile, Framing::Rtu) });
    let mut house = House::open(folder.path(), &inverter);
    house.ready().await;
    let before = house.value().await.expect("as set up");
    assert_ne!(before, "35 %");
    let settings = vec![Wanted { id: END.into(), text: "35".into(), shown: Some(before.clone()) }];
    let query = PowerQuery::CheckChanges { inverter: "roof".into(), settings };
    let PowerAnswer::Changes { rows: Ok(rows), .. } = house.answer(query).await else { panic!() };
    assert_eq!((rows[0].before.as_str(), rows[0].after.as_str()), (before.as_str(), "35 %"));

    assert_eq!(house.set("35", &before).await, Outcome::Done);
    let report = house.roof().last_write.clone().expect("as set up");
    assert!(report.is_good() && report.rows[0].sent, "{report:?}");
    assert_eq!(report.rows[0].words, "written and read back");
    // Read anew, the settings page shows it too.
    while house.value().await.as_deref() != Some("35 %") {
        house.next().await;
    }
    let (simulated, changed) = (house.roof().simulated, house.roof().known.serial.clone());
    assert!(simulated && changed.is_some());

    // Again at once: its memory wears out.
    let Outcome::Refused(why) = house.set("40", "35 %").await else { panic!() };
    assert!(why.to_string().contains("wait"), "{why}");
    // And not where it says something else than the person was shown.
    let Outcome::Refused(why) = house.set("40", "20 %").await else { panic!() };
    assert!(why.to_string().contains("35 %"), "{why}");

    house.store.flush().expect("as set up");
    let filter = AuditFilter { kind: Some(AuditKind::Setting), ..AuditFilter::default() };
    let audit = house.store.reader().audit(&filter, 0, 10).expect("as set up");
    let row = audit.iter().find(|row| row.outcome == "written and read back").expect("a row");
    assert_eq!((row.who.as_str(), row.what.contains(&format!("{before} -> 35 %"))), ("screen 1", true), "{row:?}");
    house.close().await;

    // The next start: the inverter kept it, and what was saved is known.
    let mut house = House::open(folder.path(), &inverter);
    house.ready().await;
    assert_eq!(house.value().await.as_deref(), Some("35 %"));
    let Outcome::Refused(why) = house.set("40", "35 %").await else { panic!() };
    assert!(why.to_string().contains("wait"), "the count is kept: {why}");
    let PowerAnswer::Settings { rows: Ok(rows), .. } =
        house.answer(PowerQuery::Settings { inverter: "roof".into() }).await
    else {
        panic!()
    };
    let row = rows.iter().find(|row| row.aliases.iter().any(|alias| alias == END)).expect("as set up");
    let saved = row.saved.clone().expect("as set up");
    assert_eq!((saved.text.as_str(), saved.who.as_str(), row.writes_today), ("35 %", "screen 1", 1));
    assert!(house.roof().drift.is_empty());
    house.close().await;
}

#[tokio::test(start_paused = true)]
async fn another_device_in_its_place_is_not_written_to_after_a_restart() {
    let folder = tempfile::tempdir().expect("as set up");
    let profile = Arc::new(shipped("senergy").expect("as set up").expect("as set up"));
    let options = || InverterOptions { speed: 0.0, ..InverterOptions::new(Arc::clone(&profile), Framing::Rtu) };
    let mut house = House::open(folder.path(), &Bus::new(options()));
    house.ready().await;
    house.close().await;
    let other = Bus::new(options());
    other.with(|inverter| inverter.trigger(InverterFault::UnitSwap));
    let mut house = House::open(folder.path(), &other);
    house.until(|roof| roof.to_confirm.is_some()).await;
    let Outcome::Refused(why) = house.set("35", "20 %").await else { panic!() };
    assert!(why.to_string().contains("SIM0000002"), "{why}");
    let confirm = PowerOrder::ConfirmIdentity { inverter: "roof".into() };
    house.hub.submit(Command::Power(confirm)).expect("as set up");
    house.until(|roof| roof.read_only.is_none() && roof.to_confirm.is_none()).await;
    house.close().await;
    // It is the right one from then on.
    let mut house = House::open(folder.path(), &other);
    house.ready().await;
    house.close().await;
}

#[tokio::test(start_paused = true)]
async fn a_dead_bus_keeps_no_machine_from_its_end() {
    let folder = tempfile::tempdir().expect("as set up");
    let profile = Arc::new(shipped("senergy").expect("as set up").expect("as set up"));
    let inverter = Bus::new(InverterOptions::new(profile, Framing::Rtu));
    let mut dead = plan(&inverter);
    dead.config.opener.in_process =
        Some(InProcessBus(Arc::new(|| Ok(Box::new(tokio::io::duplex(64).0) as Box<dyn Stream>))));
    let clock = Clock::start();
    let power = PowerKeeping::default().start(vec![dead], Remembered::default(), clock);
    let opener = Opener {
        endpoint: Endpoint::Sim,
        baud: 115_200,
        pace: Pace::Off,
        lock_dir: folder.path().to_owned(),
        in_process: Some(InProcess(Arc::new(|| serve::in_process(MachineOptions::new(Firmware::FluidNc))))),
    };
    let keeping = Keeping { power, ..Keeping::default() };
    let (port, task) = hub::start_keeping(SessionConfig::default(), Tables::load(), opener, clock, keeping);
    let mut hub = port.attach_screen();
    while hub.snapshot().machine.state.is_none() {
        hub.changed().await.expect("as set up");
    }
    assert!(clock.now().as_micros() < 5_000_000);
    while matches!(hub.snapshot().power.inverters[0].state, UnitState::Waiting) {
        hub.changed().await.expect("as set up");
    }
    let before = clock.now();
    task.shutdown().await;
    assert!(clock.now().since(before) < Duration::from_secs(3));
}

/// A machine in the middle of its travel, at work zero there.
fn mill() -> MachineOptions {
    let start = AxisVec::from_slice(&[100.0, 100.0, -30.0, 0.0]);
    MachineOptions { homed: true, start: Some(start), ..MachineOptions::new(Firmware::FluidNc) }
}

impl House {
    async fn until_so(&mut self, is_so: impl Fn(&Snapshot) -> bool) {
        while !is_so(&self.hub.snapshot()) {
            self.next().await;
        }
    }

    /// Time passes, and the hub is listened to.
    async fn pass(&mut self, seconds: u64) {
        let end = tokio::time::Instant::now() + Duration::from_secs(seconds);
        while tokio::time::timeout_at(end, self.next()).await.is_ok() {}
    }

    async fn run(&mut self, folder: &Path, text: &str) {
        let path = folder.join("part.nc");
        std::fs::write(&path, text).expect("as set up");
        let agreed = Agreed { unchecked: true, warnings: true, position_word: POSITION_WORD.to_owned() };
        let request =
            RunRequest { path, seen: None, start: Start::Beginning, agreed, check_mode: false, on_link_loss: None };
        let asked = Command::Program(ProgramOrder::Run(Box::new(request)));
        let ticket = self.hub.submit(asked).expect("as set up");
        while !self.outcomes.iter().any(|(known, _)| *known == ticket) {
            self.next().await;
        }
        assert!(self.outcomes.contains(&(ticket, Outcome::Done)), "{:?}", self.outcomes);
    }

    /// Two minutes of a program that draws 4.5 kW in a house at noon, with trouble in the middle of it; what the history says of it,
    /// and how many seconds it took.
    async fn measured(folder: &Path, trouble: Option<InverterFault>) -> (RunEnergy, f64) {
        let profile = Arc::new(shipped("senergy").expect("as set up").expect("as set up"));
        // The workshop of the simulated house rests at noon, and the house draws the same for a while.
        let start = Some(jiff::civil::date(2026, 6, 1).at(12, 15, 0, 0));
        let inverter = Bus::new(InverterOptions { start, ..InverterOptions::new(profile, Framing::Rtu) });
        let mut house = Self::open_with(folder, &inverter, mill);
        house.ready().await;
        house.until_so(|s| s.machine.state.is_some_and(|state| state.kind == StateKind::Idle)).await;
        house.pass(70).await;
        house.run(folder, "G21 G90 G94\nG91 G1 X20 F10\n").await;
        inverter.with(|inverter| inverter.trigger(InverterFault::Overload));
        house.pass(40).await;
        if let Some(trouble) = trouble {
            inverter.with(|inverter| inverter.trigger(trouble));
            house.pass(40).await;
            inverter.with(|inverter| inverter.mend(Some(trouble)));
        }
        house.until_so(|s| s.programs.run.as_ref().is_some_and(|run| !run.state.is_open())).await;
        house.store.flush().expect("as set up");
        let run = house.store.reader().runs(&RunFilter::default(), 0, 1).expect("as set up").remove(0);
        let seconds = house
            .hub
            .snapshot()
            .programs
            .run
            .as_ref()
            .and_then(|run| Some(run.ended_at?.since(run.started_at).as_secs_f64()));
        house.close().await;
        (run.energy.expect("it was measured"), seconds.expect("it has ended"))
    }
}

#[tokio::test(start_paused = true)]
async fn the_simulated_inverter_measures_what_a_program_is_known_to_draw() {
    let folder = tempfile::tempdir().expect("as set up");
    let (energy, seconds) = House::measured(folder.path(), None).await;
    assert!((115.0..140.0).contains(&seconds), "{seconds}");
    // It is sampled every five seconds, so that the first and the last of them are half known.
    let (known, off) = (4500.0 * seconds / 3600.0, 4500.0 * 7.0 / 3600.0);
    assert!((energy.wh() - known).abs() < off, "{} Wh instead of {known}: {energy:?}", energy.wh());
    assert!((energy.known_s() + energy.unknown_s - seconds).abs() < 1.0 && energy.unknown_s < 6.0, "{energy:?}");
    let sources = energy.sun_wh + energy.battery_wh + energy.grid_wh + energy.unsplit_wh;
    assert!((sources - energy.wh()).abs() < 1e-6 && energy.sun_wh > 0.0, "{energy:?}");
    assert!(energy.base_w.is_some_and(|watts| (300.0..450.0).contains(&watts)), "{energy:?}");
}

#[tokio::test(start_paused = true)]
async fn an_inverter_that_falls_silent_in_a_program_leaves_that_time_unknown() {
    let folder = tempfile::tempdir().expect("as set up");
    let (energy, seconds) = House::measured(folder.path(), Some(InverterFault::Silence)).await;
    assert!((30.0..90.0).contains(&energy.unknown_s), "{energy:?}");
    let known = 4500.0 * (seconds - energy.unknown_s) / 3600.0;
    assert!((energy.wh() - known).abs() < 4500.0 * 10.0 / 3600.0, "{} Wh instead of {known}: {energy:?}", energy.wh());
    assert!(energy.words().starts_with("at least "), "{}", energy.words());
}

#[tokio::test(start_paused = true)]
async fn a_grid_that_fails_at_the_inverter_holds_the_machine_and_a_register_that_is_refused_does_not() {
    let folder = tempfile::tempdir().expect("as set up");
    let profile = Arc::new(shipped("senergy").expect("as set up").expect("as set up"));
    let inverter = Bus::new(InverterOptions::new(profile, Framing::Rtu));
    let rule = |name: &str, when: &str| Rule {
        name: name.into(),
        when: when.parse().expect("a condition"),
        action: Action::Hold,
        inverter: None,
        unknown: WhenUnknown::Show,
    };
    let rules = vec![rule("fault", "inverter_fault"), rule("grid", "grid = lost for 5s")];
    let mut house = House::open_ruled(folder.path(), &inverter, mill, rules);
    house.ready().await;
    house.until(|roof| roof.known.grid.state == GridState::Good).await;
    house.run(folder.path(), "G21 G90 G94\nG91 G1 X40 F10\n").await;
    house.pass(10).await;
    let rules = |house: &House| house.hub.snapshot().sun.rules.clone();
    assert_eq!((rules(&house)[0].truth, rules(&house)[1].truth), (Truth::False, Truth::False));
    let kind = |s: &Snapshot| s.machine.state.map(|state| state.kind);
    assert_eq!(kind(&house.hub.snapshot()), Some(StateKind::Run));

    // Its register of faults says that the grid is absent, which is no fault; five seconds later the rule of the grid holds.
    inverter.with(|inverter| inverter.trigger(InverterFault::GridLoss));
    house.until_so(|s| kind(s) == Some(StateKind::Hold)).await;
    house.pass(5).await;
    assert!(house.roof().known.faults.iter().any(|fault| fault.grid), "{:?}", house.roof().known.faults);
    let seen = rules(&house);
    assert_eq!((seen[0].truth, seen[1].truth), (Truth::False, Truth::True), "{:?}", seen[0].seen);
    assert!(seen[0].fired.is_none() && seen[1].fired.is_some());

    // Refused, it says nothing any more: neither a fault nor that there is none.
    let refused = InverterFault::Exception { address: 4126, code: 2 };
    inverter.with(|inverter| inverter.trigger(refused));
    house.pass(20).await;
    let seen = rules(&house).remove(0);
    let why = seen.seen[0].unknown.clone().unwrap_or_default();
    assert!(seen.truth == Truth::Unknown && why.starts_with("error_bits: "), "{seen:?}");
    house.close().await;
}
