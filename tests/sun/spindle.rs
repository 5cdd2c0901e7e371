//! A spindle start waits until the inverter has room for its surge.

use std::time::Duration;

use sunmill::hub::sun::{SpindleNeed, SunSetup};
use sunmill::model::command::VoidReason;
use sunmill::model::machine::Firmware;
use sunmill::model::program::{ProgramOrder, Prompt, RunState};
use sunmill::model::sun::{Action, SunOrder};
use sunmill::model::work::Switch;
use sunmill::model::{Command, Outcome, Realtime, Snapshot};

use super::common::shop::{FIRMWARES, idle, refused};
use super::{Farm, rule};

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
