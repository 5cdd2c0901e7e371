//! A start by the sun whose file is still read: nothing has moved, so it can be cancelled.

use std::path::PathBuf;

use super::*;
use crate::hub::programs::{Folder, Folders};
use crate::hub::runner::{Checks, News, ProgramKeeping, Runner, RunnerConfig};
use crate::hub::sun::{StartSetup, SunSetup};
use crate::model::axes::AxisSet;
use crate::model::power::{Bus, BusState, Inverter, Power, Reading, Unit, UnitState};
use crate::model::program::{Agreed, ContentHash, Report, RunRequest, Start};
use crate::model::sun::{StartPhase, SunOrder};
use crate::program::estimate::EstimateModel;
use crate::program::{Analysis, AnalysisConfig, Dialect};

const PART: &str = "G21 G90 G17 G94 G54\nM3 S1000\nG1 X1 F1000\nM5\n";
const SECOND: Duration = Duration::from_secs(1);

#[derive(Debug)]
struct Known(Arc<Report>);

impl Checks for Known {
    fn report(&self, hash: &ContentHash) -> Option<Arc<Report>> {
        (*hash == self.0.hash).then(|| Arc::clone(&self.0))
    }
}

/// A hub whose news of the file that is read a test hands over, or not.
struct Sunny {
    bench: Bench,
    news: mpsc::Receiver<News>,
    path: PathBuf,
    hash: ContentHash,
    _folder: tempfile::TempDir,
}

impl Sunny {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sunny.nc");
        std::fs::write(&path, PART).unwrap();
        let mut analysis = Analysis::new(AnalysisConfig {
            dialect: Dialect::new(Firmware::FluidNc, 3),
            model: EstimateModel::of(None, None, None),
        });
        analysis.feed(PART.as_bytes());
        let report = analysis.finish().0;
        let hash = report.hash;
        let mut bench = Bench::up(StateKind::Idle);
        let place = Folder { name: "here".to_owned(), path: folder.path().to_owned() };
        let config = RunnerConfig { folders: Folders::new(vec![place]), ..RunnerConfig::default() };
        let keeping = ProgramKeeping { config, store: None, checks: Some(Arc::new(Known(Arc::new(report)))) };
        let (runner, news) = Runner::new(keeping);
        bench.keeper.runner = runner;
        let (lasts, countdown) = (SECOND * 10, SECOND * 15);
        let start =
            StartSetup { margin_w: 0.0, lasts, countdown, full_percent: None, inverter: None, unattended: true };
        bench.keeper.begin_sun(SunSetup { start: Some(start), rated_w: Some(500.0), ..SunSetup::default() });
        Self { bench, news, path, hash, _folder: folder }
    }

    /// A second of much sun on a homed machine that stands.
    async fn second(&mut self) {
        tokio::time::advance(SECOND).await;
        let now = self.bench.clock.now();
        let mut unit = Unit {
            known: Inverter { name: "roof".into(), ..Inverter::default() },
            bus: "rs485".into(),
            enabled: true,
            state: UnitState::Answers,
            ..Unit::default()
        };
        unit.known.flow.pv_w = Reading::new(3000.0, now, SECOND);
        unit.known.flow.load_w = Reading::new(400.0, now, SECOND);
        let bus = Bus { name: "rs485".into(), state: BusState::Open, ..Bus::default() };
        let snapshot = &mut self.bench.keeper.snapshot;
        snapshot.power = Arc::new(Power { inverters: vec![unit.into()], buses: vec![bus.into()], armed_until: None });
        snapshot.machine.homed = AxisSet::first(3);
        snapshot.machine.limits.homing = Some(true);
        self.bench.session(grbl::Event::Status(Box::new(machine_at(StateKind::Idle, &[0.0; 3]))));
        self.bench.keeper.sun_tick();
    }

    /// Marked, and so far that its file is read.
    async fn starting() -> Self {
        let mut sunny = Self::new();
        sunny.second().await;
        let run = RunRequest {
            path: sunny.path.clone(),
            seen: Some(sunny.hash),
            start: Start::Beginning,
            agreed: Agreed::default(),
            check_mode: false,
            on_link_loss: None,
        };
        let ticket = sunny.bench.ask(Command::Sun(SunOrder::StartWhenSun(Box::new(run))));
        assert_eq!(sunny.outcome(ticket), Some(Outcome::Done));
        for _ in 0..40 {
            if sunny.phase() == Some(StartPhase::Starts) {
                return sunny;
            }
            sunny.second().await;
        }
        panic!("it does not start: {:?}", sunny.bench.keeper.snapshot.sun.start);
    }

    fn outcome(&mut self, ticket: TicketId) -> Option<Outcome> {
        self.bench.outcomes().into_iter().find(|(of, _)| *of == ticket).map(|(_, outcome)| outcome)
    }

    fn phase(&self) -> Option<StartPhase> {
        self.bench.keeper.snapshot.sun.start.as_ref().map(|start| start.phase)
    }

    fn told(&self) -> String {
        self.bench.keeper.snapshot.sun.start.as_ref().map(|start| start.why.clone()).unwrap_or_default()
    }

    /// The file was read: the hub hears of it.
    async fn read(&mut self) {
        loop {
            let news = self.news.recv().await.expect("the feeder tells what it found");
            let is_it = matches!(news, News::Opened(..));
            self.bench.keeper.program_news(news);
            if is_it {
                return;
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_start_is_cancelled_while_its_file_is_read() {
    let mut sunny = Sunny::starting().await;
    let ticket = sunny.bench.ask(Command::Sun(SunOrder::CancelStart));
    assert_eq!(sunny.outcome(ticket), Some(Outcome::Done));
    assert_eq!(sunny.phase(), Some(StartPhase::Spent));
    assert!(sunny.told().contains("NOT started: cancelled by"), "{}", sunny.told());
    assert!(!sunny.bench.keeper.runner.is_starting());
    // What was read comes too late, and the sun goes on shining.
    sunny.read().await;
    for _ in 0..60 {
        sunny.second().await;
    }
    assert!(sunny.bench.orders.try_recv().is_err() && sunny.bench.keeper.snapshot.programs.run.is_none());
    // A second one has nothing to cancel, and says how it ended.
    let ticket = sunny.bench.ask(Command::Sun(SunOrder::CancelStart));
    let Some(Outcome::Refused(why)) = sunny.outcome(ticket) else { panic!() };
    assert!(why.0.contains("cancelled by"), "{why}");
}

#[tokio::test(start_paused = true)]
async fn what_the_driver_has_already_is_stopped() {
    let mut sunny = Sunny::starting().await;
    sunny.read().await;
    let order = sunny.bench.orders.try_recv().unwrap();
    assert!(matches!(order.what, OrderKind::Program(_)), "{order:?}");
    assert_eq!(sunny.phase(), Some(StartPhase::Starts), "its first line has not gone out");
    sunny.bench.ask(Command::Sun(SunOrder::CancelStart));
    assert!(sunny.bench.latch.take().contains(Realtime::StopProgram));
    assert!(sunny.bench.latch.is_void(order.ticket, false), "the driver does not begin it any more");
    sunny.bench.end(order.ticket, VOID);
    assert_eq!(sunny.phase(), Some(StartPhase::Spent));
    assert!(sunny.told().contains("NOT started"), "{}", sunny.told());
    assert!(sunny.bench.keeper.snapshot.programs.run.is_none());
}

#[tokio::test(start_paused = true)]
async fn an_alarm_while_its_file_is_read_ends_it_and_one_that_began_is_told_once() {
    let mut sunny = Sunny::starting().await;
    sunny.bench.session(grbl::Event::Alarm { info: None, needs_reset: false });
    assert!(sunny.told().contains("NOT started: an alarm came up"), "{}", sunny.told());
    sunny.read().await;
    assert!(sunny.bench.orders.try_recv().is_err());

    let mut sunny = Sunny::starting().await;
    sunny.read().await;
    let order = sunny.bench.orders.try_recv().unwrap();
    sunny.bench.end(order.ticket, Outcome::Done);
    assert!(sunny.phase() == Some(StartPhase::Spent) && sunny.told().starts_with("started"), "{}", sunny.told());
}
