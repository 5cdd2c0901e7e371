//! A spindle start waits until the inverter has room for its surge.

use std::time::Duration;

use sunmill::hub::sun::{SpindleNeed, SunSetup};
use sunmill::model::command::VoidReason;
use sunmill::model::machine::Firmware;
use sunmill::model::program::{ProgramOrder, Prompt, RunState};
use sunmill::model::sun::{Action, SunOrder};
use sunmill::model::work::Switch;
use sunmill::model::{Command, Outcome, Realtime, Snapshot, StateKind};

use super::common::shop::{FIRMWARES, idle, refused, state};
use super::{Farm, carve, rule};

/// Short, with one start of the spindle in its middle.
const PART: &str = "G21 G90 G17 G94 G54\nG91\nG1 X1 F1000\nM3 S1000\nG1 X1\nM5\nG90\n";

/// 1500 W of the 3000 W that the inverter can give.
fn guarded() -> SunSetup {
    let spindle = SpindleNeed { surge_w: 1500.0, rated_w: None, inverter: None };
    SunSetup { spindle: Some(spindle), ..SunSetup::default() }
}

fn turns(snapshot: &Snapshot) -> bool {
    snapshot.machine.accessories.is_some_and(|on| on.spindle_cw || on.spindle_ccw)
}

fn asks(snapshot: &Snapshot) -> bool {
    let prompt = snapshot.programs.run.as_ref().and_then(|run| run.prompt.as_ref());
    matches!(prompt, Some(Prompt::SpindleStart { line: 4, .. }))
}

fn over(snapshot: &Snapshot) -> bool {
    snapshot.programs.run.as_ref().is_some_and(|run| !run.state.is_open())
}

fn why(farm: &Farm) -> String {
    farm.shop.hub.snapshot().sun.spindle.as_ref().map(|wait| wait.why.clone()).unwrap_or_default()
}

#[tokio::test(start_paused = true)]
async fn a_program_waits_for_power_and_goes_on_when_there_is_room() {
    for firmware in FIRMWARES {
        let mut farm = Farm::with(firmware, guarded(), true).await;
        farm.flows(2, 0.0, 2500.0).await;
        assert_eq!(farm.run(PART).await.1, Outcome::Done);
        let snapshot = farm.shop.until("a wait for power", asks).await;
        let run = snapshot.programs.run.clone().unwrap();
        assert!(matches!(&run.state, RunState::Paused(why) if why.contains("waits for power")), "{firmware}: {run:?}");
        assert_eq!((why(&farm).as_str(), turns(&snapshot)), ("500 W spare of 3000 W, 1500 W needed", false));
        farm.flows(20, 0.0, 2500.0).await;
        // One reading that says so may be noise.
        farm.flows(1, 0.0, 1000.0).await;
        assert!(asks(&farm.shop.hub.snapshot()) && why(&farm).contains("the next reading"), "{}", why(&farm));
        farm.flows(1, 0.0, 1000.0).await;
        let snapshot = farm.shop.until("its end", over).await;
        assert_eq!(snapshot.programs.run.as_ref().unwrap().state, RunState::Done, "{firmware}");
        assert!(snapshot.sun.spindle.is_none());
        // No hold was sent, and nobody resumed anything.
        assert_eq!(farm.realtime(), [], "{firmware}");
        let audit = farm.audit();
        let rows: Vec<_> = audit.iter().filter(|row| row.starts_with("line 4 starts the spindle")).collect();
        assert_eq!(rows.len(), 2, "{audit:?}");
        farm.shop.task.shutdown().await;
    }
}

#[tokio::test(start_paused = true)]
async fn where_there_is_room_nothing_waits_and_nobody_is_asked() {
    for firmware in FIRMWARES {
        let mut farm = Farm::with(firmware, guarded(), true).await;
        farm.flows(3, 0.0, 800.0).await;
        assert_eq!(farm.run(PART).await.1, Outcome::Done);
        let snapshot = farm.shop.until("its end", over).await;
        let run = snapshot.programs.run.as_ref().unwrap();
        assert_eq!((&run.state, run.paused_for), (&RunState::Done, Duration::ZERO), "{firmware}");
        assert!(farm.audit().iter().all(|row| !row.contains("waits for power")));
        farm.shop.task.shutdown().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_load_that_is_not_known_waits_and_a_person_can_say_go() {
    let mut farm = Farm::with(Firmware::FluidNc, guarded(), true).await;
    farm.flows(3, 0.0, 800.0).await;
    // Nothing is read any more.
    farm.pass(Duration::from_secs(5)).await;
    assert_eq!(farm.run(PART).await.1, Outcome::Done);
    farm.shop.until("a wait for power", asks).await;
    assert!(why(&farm).contains("the load is not known"), "{}", why(&farm));
    farm.pass(Duration::from_secs(600)).await;
    assert!(asks(&farm.shop.hub.snapshot()), "it never goes silently");
    farm.shop.done(Command::Program(ProgramOrder::Resume)).await;
    let snapshot = farm.shop.until("its end", over).await;
    assert_eq!(snapshot.programs.run.as_ref().unwrap().state, RunState::Done);
    farm.shop.task.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn a_hold_at_the_wait_stays_until_a_person_resumes_and_a_stop_ends_the_program() {
    for firmware in FIRMWARES {
        let mut farm = Farm::with(firmware, guarded(), true).await;
        farm.flows(2, 0.0, 2500.0).await;
        assert_eq!(farm.run(PART).await.1, Outcome::Done);
        farm.shop.until("a wait for power", asks).await;
        farm.shop.hub.realtime(Realtime::FeedHold);
        farm.flows(10, 0.0, 500.0).await;
        let snapshot = farm.shop.hub.snapshot();
        assert!(!turns(&snapshot) && !over(&snapshot), "{firmware}: a hold is let go by nobody but a person");
        farm.shop.hub.realtime(Realtime::CycleStart);
        let snapshot = farm.shop.until("its end", over).await;
        assert_eq!(snapshot.programs.run.as_ref().unwrap().state, RunState::Done, "{firmware}");

        farm.flows(2, 0.0, 2500.0).await;
        assert_eq!(farm.run(PART).await.1, Outcome::Done);
        farm.shop.until("a wait for power", asks).await;
        farm.shop.hub.realtime(Realtime::StopProgram);
        let snapshot = farm.shop.until("its end", over).await;
        assert!(matches!(snapshot.programs.run.as_ref().unwrap().state, RunState::Stopped(_)), "{firmware}");
        farm.flows(5, 0.0, 500.0).await;
        let snapshot = farm.shop.hub.snapshot();
        assert!(snapshot.sun.spindle.is_none() && !turns(&snapshot) && idle(&snapshot), "{firmware}");
        farm.shop.task.shutdown().await;
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_typed_waits_too_and_every_command_is_answered_once() {
    let mut farm = Farm::with(Firmware::GrblHal, guarded(), true).await;
    farm.flows(2, 0.0, 2500.0).await;
    let typed = |text: &str| Command::Mdi(text.to_owned());
    let waits = |s: &Snapshot| s.sun.spindle.is_some();

    // A stop drops it.
    let ticket = farm.shop.submit(typed("M3 S1000"));
    let snapshot = farm.shop.until("a wait", waits).await;
    assert_eq!(snapshot.sun.spindle.as_ref().unwrap().what, "M3 S1000");
    let why = refused(&farm.shop.ask(typed("G0 X1")).await);
    assert!(why.contains("M3 S1000 waits for power"), "{why}");
    farm.shop.hub.realtime(Realtime::Stop);
    let outcome = farm.shop.outcome(ticket).await;
    assert_eq!(outcome, Outcome::Voided { why: VoidReason::Stop, sent: false });

    // After five minutes nobody expects it any more.
    let ticket = farm.shop.submit(typed("M3 S1000"));
    farm.shop.until("a wait", waits).await;
    farm.flows(301, 0.0, 2500.0).await;
    assert!(refused(&farm.shop.outcome(ticket).await).contains("it was dropped"));

    // Who was asked about another start lets none go.
    let ticket = farm.shop.submit(typed("M3 S1000"));
    let since = farm.shop.until("a wait", waits).await.sun.spindle.as_ref().unwrap().since;
    let other = Command::Sun(SunOrder::SpindleGo { since: Some(since + Duration::from_secs(1)) });
    assert!(refused(&farm.shop.ask(other).await).contains("another one waits"));
    farm.shop.hub.realtime(Realtime::Stop);
    assert!(matches!(farm.shop.outcome(ticket).await, Outcome::Voided { sent: false, .. }));

    // So does M5, which goes out itself.
    let ticket = farm.shop.submit(Command::Switch(Switch::Spindle { counter_clockwise: true, rpm: 500.0 }));
    farm.shop.until("a wait", waits).await;
    farm.shop.done(typed("M5")).await;
    assert!(matches!(farm.shop.outcome(ticket).await, Outcome::Voided { sent: false, .. }));

    // A person can let it go; without a start there is nothing to let go.
    let ticket = farm.shop.submit(typed("M4 S500"));
    farm.shop.until("a wait", waits).await;
    farm.shop.done(Command::Sun(SunOrder::SpindleGo { since: None })).await;
    assert_eq!(farm.shop.outcome(ticket).await, Outcome::Done);
    farm.shop.until("a spindle that turns", turns).await;
    assert!(
        refused(&farm.shop.ask(Command::Sun(SunOrder::SpindleGo { since: None })).await)
            .contains("no spindle start waits")
    );
    // It turns that way already.
    farm.shop.done(typed("M4 S900")).await;
    farm.shop.done(typed("M5")).await;
    farm.shop.until("one that stands", |s| !turns(s)).await;

    // S0 is no start, and power lets it go by itself.
    farm.shop.done(typed("M3 S0")).await;
    // And what is switched on at S0 stands: a speed is its start.
    farm.pass(Duration::from_secs(1)).await;
    let ticket = farm.shop.submit(typed("M3 S800"));
    farm.shop.until("a wait", waits).await;
    farm.shop.done(typed("M5")).await;
    assert!(matches!(farm.shop.outcome(ticket).await, Outcome::Voided { .. }));
    let ticket = farm.shop.submit(typed("M3 S1000"));
    farm.shop.until("a wait", waits).await;
    farm.flows(2, 0.0, 300.0).await;
    assert_eq!(farm.shop.outcome(ticket).await, Outcome::Done);
    let sent = farm.shop.sent();
    assert_eq!(sent.iter().filter(|line| line.starts_with("M3 S1000")).count(), 1, "{sent:?}");
    farm.shop.task.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn a_rule_holds_a_start_back_while_its_condition_is_true() {
    let slow = rule("battery_soc < 70", Action::DelaySpindle);
    let mut farm = Farm::open(Firmware::Grbl, vec![slow]).await;
    farm.seconds(3, sunmill::model::power::GridState::Good, 60.0).await;
    let fired = farm.shop.hub.snapshot().sun.rules[0].fired.clone().unwrap();
    assert_eq!(fired.did, "a spindle start waits while it holds");
    // The program itself may start.
    assert_eq!(farm.run(PART).await.1, Outcome::Done);
    farm.shop.until("a wait for power", asks).await;
    assert!(why(&farm).contains("rule \"evening\": battery_soc < 70 (battery_soc 60 %)"), "{}", why(&farm));
    farm.seconds(2, sunmill::model::power::GridState::Good, 80.0).await;
    let snapshot = farm.shop.until("its end", over).await;
    assert_eq!(snapshot.programs.run.as_ref().unwrap().state, RunState::Done);
    farm.shop.task.shutdown().await;
}

impl Farm {
    /// In the middle of a cut, held, the spindle stopped by its key.
    async fn stopped_in_a_hold(firmware: Firmware) -> Self {
        let mut farm = Self::with(firmware, guarded(), true).await;
        farm.flows(3, 0.0, 500.0).await;
        assert_eq!(farm.run(&carve()).await.1, Outcome::Done);
        farm.flows(3, 0.0, 500.0).await;
        farm.shop.until("a spindle that turns", turns).await;
        farm.stop_in_a_hold().await;
        farm
    }

    async fn stop_in_a_hold(&mut self) {
        self.shop.hub.realtime(Realtime::FeedHold);
        self.shop.until("a hold", |s| state(s) == Some(StateKind::Hold)).await;
        self.flows(1, 0.0, 500.0).await;
        self.shop.hub.realtime(Realtime::SpindleStop);
        self.shop.until("a spindle that stands", |s| !turns(s)).await;
        self.flows(2, 0.0, 500.0).await;
    }

    fn is_held(&self) -> bool {
        let snapshot = self.shop.hub.snapshot();
        state(&snapshot) == Some(StateKind::Hold) && !turns(&snapshot)
    }
}

#[tokio::test(start_paused = true)]
async fn a_key_that_starts_the_spindle_again_is_not_sent_without_room_and_never_later_by_itself() {
    for firmware in FIRMWARES {
        let mut farm = Farm::stopped_in_a_hold(firmware).await;
        farm.flows(2, 0.0, 2500.0).await;
        let sent = farm.realtime();
        for (key, name) in [(Realtime::CycleStart, "resume"), (Realtime::SpindleStop, "the spindle key (0x9E)")] {
            farm.shop.hub.realtime(key);
            farm.flows(2, 0.0, 2500.0).await;
            let wait = farm.shop.hub.snapshot().sun.spindle.clone().expect("it is told");
            assert!(wait.kept && wait.what == name, "{firmware}: {wait:?}");
            assert_eq!(wait.why, "500 W spare of 3000 W, 1500 W needed", "{firmware}");
        }
        let why = refused(&farm.shop.ask(Command::Program(ProgramOrder::Resume)).await);
        assert!(why.contains("starts the spindle again, and 500 W spare"), "{why}");
        assert_eq!(farm.realtime(), sent, "{firmware}: nothing went out");
        // There is room: that is told, and nothing goes on by itself.
        farm.flows(10, 0.0, 500.0).await;
        assert!(farm.is_held() && farm.shop.hub.snapshot().sun.spindle.is_none(), "{firmware}");
        assert_eq!(farm.realtime(), sent, "{firmware}");
        farm.shop.hub.realtime(Realtime::CycleStart);
        let runs = |s: &Snapshot| state(s) == Some(StateKind::Run) && turns(s);
        farm.shop.until("it goes on", runs).await;
        // Once more, with short power; a person says so.
        farm.stop_in_a_hold().await;
        farm.flows(2, 0.0, 2500.0).await;
        farm.shop.hub.realtime(Realtime::CycleStart);
        farm.flows(1, 0.0, 2500.0).await;
        assert!(farm.is_held(), "{firmware}");
        farm.shop.done(Command::Sun(SunOrder::SpindleGo { since: None })).await;
        farm.shop.until("it goes on", runs).await;
        assert!(farm.shop.hub.snapshot().sun.spindle.is_none());
        let audit = farm.audit();
        let has = |words: &str| audit.iter().any(|row| row.contains(words));
        assert!(has("resume was not sent") && has("there is room for the spindle"), "{audit:?}");
        assert!(has("starts the spindle although 500 W spare"), "{audit:?}");
        farm.shop.task.shutdown().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_key_that_stops_the_spindle_is_sent_whatever_the_power_and_so_is_one_that_starts_nothing() {
    let mut farm = Farm::with(Firmware::FluidNc, guarded(), true).await;
    farm.flows(3, 0.0, 500.0).await;
    assert_eq!(farm.run(&carve()).await.1, Outcome::Done);
    farm.flows(3, 0.0, 500.0).await;
    // Short from here on: a hold with the spindle on goes on, and stops it.
    farm.flows(3, 0.0, 2900.0).await;
    farm.shop.hub.realtime(Realtime::FeedHold);
    farm.shop.until("a hold", |s| state(s) == Some(StateKind::Hold)).await;
    farm.flows(1, 0.0, 2900.0).await;
    farm.shop.hub.realtime(Realtime::CycleStart);
    farm.shop.until("it goes on", |s| state(s) == Some(StateKind::Run)).await;
    farm.shop.hub.realtime(Realtime::FeedHold);
    farm.shop.until("a hold", |s| state(s) == Some(StateKind::Hold)).await;
    farm.flows(1, 0.0, 2900.0).await;
    farm.shop.hub.realtime(Realtime::SpindleStop);
    farm.shop.until("a spindle that stands", |s| !turns(s)).await;
    // Parking goes before, and any stop key puts a key away that was not sent.
    farm.flows(2, 0.0, 2900.0).await;
    farm.shop.hub.realtime(Realtime::CycleStart);
    farm.flows(1, 0.0, 2900.0).await;
    assert!(farm.shop.hub.snapshot().sun.spindle.is_some());
    farm.shop.hub.realtime(Realtime::StopProgram);
    farm.shop.until("its end", over).await;
    farm.flows(2, 0.0, 2900.0).await;
    assert!(farm.shop.hub.snapshot().sun.spindle.is_none());
    farm.shop.task.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn a_start_right_after_a_stop_does_not_pass_for_a_spindle_that_turns() {
    // The report of the switch comes later than the two lines.
    const QUICK: &str = "G21 G90 G17 G94 G54\nG91\nM3 S1000\nG1 X2 F20\nM5\nM3 S1000\nG1 X1 F600\nM5\nG90\n";
    for firmware in FIRMWARES {
        let mut farm = Farm::with(firmware, guarded(), true).await;
        farm.flows(3, 0.0, 500.0).await;
        assert_eq!(farm.run(QUICK).await.1, Outcome::Done);
        farm.shop.until("a spindle that turns", turns).await;
        // Its own power leaves no room for a second start.
        for _ in 0..10 {
            farm.flows(1, 0.0, 2500.0).await;
        }
        let snapshot = farm.shop.hub.snapshot();
        let prompt = snapshot.programs.run.as_ref().and_then(|run| run.prompt.clone());
        assert!(matches!(prompt, Some(Prompt::SpindleStart { line: 6, sure: true, .. })), "{firmware}: {prompt:?}");
        farm.flows(2, 0.0, 500.0).await;
        let snapshot = farm.shop.until("its end", over).await;
        assert_eq!(snapshot.programs.run.as_ref().unwrap().state, RunState::Done, "{firmware}");
        farm.shop.task.shutdown().await;
    }
}
