//! A program that a person has marked is started once there is enough sun.

use std::path::PathBuf;
use std::time::Duration;

use sunmill::hub::sun::{StartSetup, SunSetup};
use sunmill::model::desk::{Answer, Query};
use sunmill::model::hub::News;
use sunmill::model::machine::Firmware;
use sunmill::model::program::{
    Agreed, JobState, ProgramAnswer, ProgramOrder, ProgramQuery, RunRequest, RunState, Start,
};
use sunmill::model::sun::{StartPhase, SunOrder};
use sunmill::model::{Command, Outcome, Realtime, Snapshot};

use super::Farm;
use super::common::shop::{FIRMWARES, refused};

const PART: &str = "G21 G90 G17 G94 G54\nM3 S1000\nG1 X1 F1000\nG1 X0\nM5\n";

/// 1000 W and 200 W above for 30 s, then 15 s of countdown.
fn allowed() -> SunSetup {
    let start = StartSetup {
        margin_w: 200.0,
        lasts: Duration::from_secs(30),
        countdown: Duration::from_secs(15),
        full_percent: None,
        // The test itself is no screen.
        unattended: true,
        inverter: None,
    };
    SunSetup { start: Some(start), rated_w: Some(1000.0), ..SunSetup::default() }
}

impl Farm {
    fn part(&self, text: &str) -> PathBuf {
        self.named("sunny.nc", text)
    }

    fn named(&self, name: &str, text: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    /// What a person would ask for who has seen its check.
    async fn checked(&mut self, path: PathBuf) -> RunRequest {
        self.shop.hub.ask(Query::Program(ProgramQuery::Details(path.clone()))).unwrap();
        let mut told = None;
        loop {
            let under_way =
                |job: &sunmill::model::program::Job| !matches!(job.state, JobState::Done | JobState::Failed(_));
            let finished = !self.shop.hub.snapshot().programs.jobs.iter().any(under_way);
            if let Some(hash) = told.filter(|_| finished) {
                let agreed = Agreed::default();
                return RunRequest {
                    path,
                    seen: Some(hash),
                    start: Start::Beginning,
                    agreed,
                    check_mode: false,
                    on_link_loss: None,
                };
            }
            match self.shop.hub.next().await.unwrap() {
                News::Answer(Answer::Program(ProgramAnswer::Details { result, .. })) => {
                    told = Some(result.unwrap().report.hash);
                }
                News::Log(sunmill::model::hub::LogEvent::Entry(entry)) => self.shop.log.push(entry.what.clone()),
                _ => {}
            }
        }
    }

    async fn mark(&mut self, run: &RunRequest) -> Outcome {
        self.shop.ask(Command::Sun(SunOrder::StartWhenSun(Box::new(run.clone())))).await
    }

    fn phase(&self) -> Option<StartPhase> {
        self.shop.hub.snapshot().sun.start.as_ref().map(|start| start.phase)
    }

    fn told(&self) -> String {
        self.shop.hub.snapshot().sun.start.as_ref().map(|start| start.why.clone()).unwrap_or_default()
    }
}

/// How a mark is lost, and the words for it.
type End = (&'static str, fn(&Farm));

fn ran(snapshot: &Snapshot) -> bool {
    snapshot.programs.run.as_ref().is_some_and(|run| !run.state.is_open())
}

#[tokio::test(start_paused = true)]
async fn a_marked_program_starts_once_after_sun_and_a_countdown() {
    for firmware in FIRMWARES {
        let mut farm = Farm::with(firmware, allowed(), true).await;
        let path = farm.part(PART);
        let run = farm.checked(path).await;
        assert_eq!(farm.mark(&run).await, Outcome::Done, "{firmware}");
        assert!(refused(&farm.mark(&run).await).contains("sunny.nc waits for the sun already"));
        farm.flows(40, 1700.0, 600.0).await;
        assert_eq!(farm.phase(), Some(StartPhase::Waits), "1100 W are not 1200");
        farm.flows(31, 2000.0, 600.0).await;
        let start = farm.shop.hub.snapshot().sun.start.clone().unwrap();
        assert!(matches!(start.phase, StartPhase::Counts { .. }) && start.left_s.is_some(), "{start:?}");
        assert_eq!(start.why, "surplus 1400 W, 1000 W needed");
        // Above what it needs, though not by the margin, is enough to go on.
        farm.flows(17, 1700.0, 600.0).await;
        let snapshot = farm.shop.until("its end", ran).await;
        assert_eq!(snapshot.programs.run.as_ref().unwrap().state, RunState::Done, "{firmware}");
        assert!(farm.phase() == Some(StartPhase::Spent) && farm.told().starts_with("started"), "{}", farm.told());
        let audit = farm.audit();
        for part in ["waits for the sun", "starts in 15 s: surplus 1400 W", "is started by the sun, as"] {
            assert!(audit.iter().any(|row| row.contains(part)), "{part}: {audit:?}");
        }
        // One mark, one start.
        let id = snapshot.programs.run.as_ref().unwrap().id;
        farm.flows(90, 3000.0, 100.0).await;
        assert_eq!(farm.shop.hub.snapshot().programs.run.as_ref().unwrap().id, id);
        farm.shop.done(Command::Sun(SunOrder::Dismiss)).await;
        assert_eq!(farm.phase(), None);
        farm.shop.task.shutdown().await;
    }
}

/// Who waits, in order.
fn waiting(farm: &Farm) -> Vec<String> {
    let snapshot = farm.shop.hub.snapshot();
    snapshot.sun.waiting_start().into_iter().chain(&snapshot.sun.behind).map(|start| start.name.clone()).collect()
}

/// Two marked programs on a machine that stands.
async fn two(firmware: Firmware) -> (Farm, RunRequest, RunRequest) {
    let mut farm = Farm::with(firmware, allowed(), true).await;
    let (first, second) = (farm.part(PART), farm.named("later.nc", &PART.replace("X1", "X2")));
    let (first, second) = (farm.checked(first).await, farm.checked(second).await);
    assert_eq!(farm.mark(&first).await, Outcome::Done);
    assert_eq!(farm.mark(&second).await, Outcome::Done);
    (farm, first, second)
}

#[tokio::test(start_paused = true)]
async fn marked_programs_start_in_the_order_of_the_queue_each_after_its_own_countdown() {
    let (mut farm, _, second) = two(Firmware::Grbl).await;
    assert_eq!(waiting(&farm), ["sunny.nc", "later.nc"]);
    assert!(refused(&farm.mark(&second).await).contains("later.nc waits for the sun already"));
    assert_eq!(farm.shop.hub.snapshot().programs.queue.len(), 2, "what is marked stands in the queue");
    farm.flows(31, 2000.0, 600.0).await;
    let sun = farm.shop.hub.snapshot().sun.clone();
    assert!(matches!(sun.start.as_ref().map(|start| start.phase), Some(StartPhase::Counts { .. })), "{:?}", sun.start);
    assert_eq!((sun.behind[0].phase, sun.behind[0].why.as_str()), (StartPhase::Waits, "behind sunny.nc in the queue"));
    farm.flows(16, 2000.0, 600.0).await;
    let snapshot = farm.shop.until("its end", ran).await;
    let id = snapshot.programs.run.as_ref().unwrap().id;
    assert_eq!((waiting(&farm), snapshot.programs.queue.len()), (vec!["later.nc".to_owned()], 1));
    // The time begins anew, and so does the countdown.
    farm.flows(28, 2000.0, 600.0).await;
    assert!(matches!(farm.phase(), Some(StartPhase::Gathers { .. })), "{:?}", farm.phase());
    farm.flows(4, 2000.0, 600.0).await;
    assert!(matches!(farm.phase(), Some(StartPhase::Counts { .. })), "{:?} {}", farm.phase(), farm.told());
    farm.flows(17, 2000.0, 600.0).await;
    let other = |snapshot: &Snapshot| ran(snapshot) && snapshot.programs.run.as_ref().unwrap().id != id;
    let snapshot = farm.shop.until("the end of the other", other).await;
    assert!(farm.phase() == Some(StartPhase::Spent) && farm.told().starts_with("started"), "{}", farm.told());
    assert!(waiting(&farm).is_empty() && snapshot.programs.queue.is_empty());
    farm.shop.task.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn one_mark_is_taken_off_alone_and_a_stop_loses_all() {
    let (mut farm, first, second) = two(Firmware::FluidNc).await;
    let off = |run: &RunRequest| Command::Sun(SunOrder::CancelStartOf { path: run.path.clone() });
    farm.shop.done(off(&second)).await;
    assert_eq!(waiting(&farm), ["sunny.nc"]);
    assert!(refused(&farm.shop.ask(off(&second)).await).contains("does not wait for the sun"));
    // It stands in the queue still, behind the other.
    assert_eq!(farm.mark(&second).await, Outcome::Done);
    farm.flows(31, 2000.0, 600.0).await;
    assert!(matches!(farm.phase(), Some(StartPhase::Counts { .. })));
    farm.shop.done(off(&first)).await;
    assert_eq!(waiting(&farm), ["later.nc"]);
    assert!(!matches!(farm.phase(), Some(StartPhase::Counts { .. })), "it has a countdown of its own");
    assert_eq!(farm.mark(&first).await, Outcome::Done);
    assert_eq!(waiting(&farm), ["sunny.nc", "later.nc"], "the order is that of the queue");
    farm.shop.hub.realtime(Realtime::Stop);
    farm.flows(60, 2000.0, 600.0).await;
    assert!(waiting(&farm).is_empty() && farm.told().contains("has stopped the machine"), "{}", farm.told());
    assert!(farm.shop.hub.snapshot().programs.run.is_none());
    // What is taken out of the queue waits no more.
    assert_eq!(farm.mark(&first).await, Outcome::Done);
    farm.shop.done(Command::Program(ProgramOrder::Unqueue(0))).await;
    farm.flows(2, 2000.0, 600.0).await;
    assert!(waiting(&farm).is_empty() && farm.told().contains("taken out of the queue"), "{}", farm.told());
    farm.shop.task.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn behind_a_program_that_does_not_come_to_its_end_nothing_starts() {
    let mut farm = Farm::with(Firmware::Grbl, allowed(), true).await;
    let (long, later) = (farm.part(&PART.replace("F1000", "F1")), farm.named("later.nc", PART));
    let (long, later) = (farm.checked(long).await, farm.checked(later).await);
    assert_eq!(farm.mark(&long).await, Outcome::Done);
    assert_eq!(farm.mark(&later).await, Outcome::Done);
    farm.flows(48, 2000.0, 600.0).await;
    farm.shop.until("it runs", |snapshot| snapshot.programs.run.as_ref().is_some_and(|run| run.state.is_open())).await;
    assert_eq!(waiting(&farm), ["later.nc"]);
    farm.flows(90, 4000.0, 600.0).await;
    assert!(farm.phase() == Some(StartPhase::Waits) && farm.told().contains("run"), "{}", farm.told());
    farm.shop.hub.realtime(Realtime::StopProgram);
    farm.shop.until("its end", ran).await;
    farm.flows(90, 4000.0, 600.0).await;
    assert!(waiting(&farm).is_empty(), "{}", farm.told());
    let runs = farm.shop.hub.snapshot().programs.counts.started;
    assert_eq!(runs, 1, "nothing else has started");
    farm.shop.task.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn nothing_starts_while_nobody_could_see_the_countdown() {
    let mut setup = allowed();
    setup.start.as_mut().unwrap().unattended = false;
    let mut farm = Farm::with(Firmware::Grbl, setup, true).await;
    assert!(!farm.shop.hub.snapshot().people.clients.iter().any(|person| person.screen), "no screen is attached");
    let path = farm.part(PART);
    let run = farm.checked(path).await;
    assert_eq!(farm.mark(&run).await, Outcome::Done);
    farm.flows(120, 3000.0, 600.0).await;
    assert_eq!(farm.phase(), Some(StartPhase::Waits));
    assert!(farm.told().contains("nobody is attached to see the countdown"), "{}", farm.told());
    assert!(farm.shop.hub.snapshot().programs.run.is_none());
    farm.shop.task.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn what_was_started_by_hand_is_not_started_once_more() {
    let mut farm = Farm::with(Firmware::Grbl, allowed(), true).await;
    let path = farm.part(PART);
    let run = farm.checked(path).await;
    assert_eq!(farm.mark(&run).await, Outcome::Done);
    farm.shop.done(Command::Program(ProgramOrder::Run(Box::new(run)))).await;
    let snapshot = farm.shop.until("its end", ran).await;
    let id = snapshot.programs.run.as_ref().unwrap().id;
    assert!(farm.told().contains("a program was started by hand"), "{}", farm.told());
    farm.flows(90, 3000.0, 100.0).await;
    assert_eq!(farm.shop.hub.snapshot().programs.run.as_ref().unwrap().id, id);
    farm.shop.task.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn a_full_battery_is_sun_only_while_the_sun_carries_the_loads() {
    let mut setup = allowed();
    // Of a battery at 60 %.
    setup.start.as_mut().unwrap().full_percent = Some(55.0);
    let mut farm = Farm::with(Firmware::Grbl, setup, true).await;
    let path = farm.part(PART);
    let run = farm.checked(path).await;
    assert_eq!(farm.mark(&run).await, Outcome::Done);
    for (pv_w, load_w) in [(0.0, 600.0), (0.0, 0.0), (300.0, 600.0)] {
        farm.flows(60, pv_w, load_w).await;
        assert_eq!(farm.phase(), Some(StartPhase::Waits), "{pv_w} W of sun, {load_w} W of load");
    }
    farm.flows(31, 590.0, 600.0).await;
    assert!(matches!(farm.phase(), Some(StartPhase::Counts { .. })), "{:?} {}", farm.phase(), farm.told());
    farm.shop.task.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn anybody_cancels_it_and_what_stops_the_machine_does_too() {
    let mut farm = Farm::with(Firmware::FluidNc, allowed(), true).await;
    let path = farm.part(PART);
    let run = farm.checked(path).await;
    let ends: [End; 4] = [
        ("cancelled by", |farm| {
            farm.shop.submit(Command::Sun(SunOrder::CancelStart));
        }),
        ("has stopped the machine", |farm| farm.shop.hub.realtime(Realtime::Stop)),
        ("has stopped the machine", |farm| farm.shop.hub.realtime(Realtime::FeedHold)),
        ("has stopped the machine", |farm| farm.shop.hub.realtime(Realtime::SoftReset)),
    ];
    for (words, end) in ends {
        farm.shop.until("an idle machine", super::common::shop::idle).await;
        assert_eq!(farm.mark(&run).await, Outcome::Done, "{words}");
        farm.flows(35, 2000.0, 600.0).await;
        assert!(matches!(farm.phase(), Some(StartPhase::Counts { .. })), "{words}: {}", farm.told());
        end(&farm);
        farm.flows(60, 2000.0, 600.0).await;
        assert!(farm.phase() == Some(StartPhase::Spent) && farm.told().contains(words), "{words}: {}", farm.told());
        assert!(farm.shop.hub.snapshot().programs.run.is_none(), "{words}: nothing has started");
    }
    farm.shop.task.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn what_is_not_known_or_busy_begins_anew_and_another_file_is_not_started() {
    let mut farm = Farm::with(Firmware::GrblHal, allowed(), true).await;
    let path = farm.part(PART);
    let run = farm.checked(path).await;
    assert_eq!(farm.mark(&run).await, Outcome::Done);
    farm.flows(29, 2000.0, 600.0).await;
    farm.pass(Duration::from_secs(6)).await;
    assert!(farm.phase() == Some(StartPhase::Waits) && farm.told().contains("not known"), "{}", farm.told());
    farm.flows(25, 2000.0, 600.0).await;
    // Somebody works at it.
    farm.shop.done(Command::Mdi("G4 P2".into())).await;
    farm.shop.done(Command::Mdi("G91 G1 X1 F30".into())).await;
    farm.flows(3, 2000.0, 600.0).await;
    farm.shop.done(Command::Mdi("G90".into())).await;
    farm.flows(20, 2000.0, 600.0).await;
    assert!(!matches!(farm.phase(), Some(StartPhase::Counts { .. } | StartPhase::Spent)), "{}", farm.told());
    // Somebody saves the file anew: its check is of no use any more.
    farm.part(&PART.replace("X1", "X9"));
    farm.flows(80, 2000.0, 600.0).await;
    assert!(farm.phase() == Some(StartPhase::Spent), "{:?}", farm.phase());
    assert!(farm.told().contains("NOT started") && farm.told().contains("is not what was checked"), "{}", farm.told());
    assert!(farm.shop.hub.snapshot().programs.run.is_none());
    farm.shop.task.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn it_is_refused_with_a_clear_word_where_it_makes_no_sense() {
    let mut farm = Farm::with(Firmware::Grbl, SunSetup::default(), true).await;
    let path = farm.part(PART);
    let run = farm.checked(path).await;
    assert!(refused(&farm.mark(&run).await).contains("allow_start in [sun]"));
    farm.shop.task.shutdown().await;

    let mut unknown = allowed();
    unknown.rated_w = None;
    let mut farm = Farm::with(Firmware::Grbl, unknown, true).await;
    let path = farm.part(PART);
    let run = farm.checked(path).await;
    assert!(refused(&farm.mark(&run).await).contains("machine.rated_w in config.toml"));
    farm.shop.task.shutdown().await;

    let mut farm = Farm::with(Firmware::Grbl, allowed(), true).await;
    let path = farm.part("G1 X1\n");
    let warned = farm.checked(path).await;
    let why = refused(&farm.mark(&warned).await);
    assert!(why.contains("must have none"), "{why}");
    let unchecked = RunRequest { seen: None, ..warned.clone() };
    assert!(refused(&farm.mark(&unchecked).await).contains("come to its end"));
    let middle = RunRequest { start: Start::Line { line: 2, preamble: Vec::new() }, ..warned.clone() };
    assert!(refused(&farm.mark(&middle).await).contains("whole program"));
    let agreed = RunRequest { agreed: Agreed { warnings: true, ..Agreed::default() }, ..warned };
    assert!(refused(&farm.mark(&agreed).await).contains("nothing can be agreed to"));
    assert!(refused(&farm.shop.ask(Command::Sun(SunOrder::CancelStart)).await).contains("no program waits"));
    farm.shop.task.shutdown().await;

    let mut farm = Farm::with(Firmware::Grbl, allowed(), false).await;
    let path = farm.part(PART);
    let run = farm.checked(path).await;
    assert!(refused(&farm.mark(&run).await).contains("has to be homed"));
    farm.shop.task.shutdown().await;
}
