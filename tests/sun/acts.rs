//! What rules do to a machine that homes, jogs, stands with its spindle on, or waits at the door.

use std::time::Duration;

use sunmill::hub::sun::SunSetup;
use sunmill::model::command::HomeTarget;
use sunmill::model::machine::Firmware;
use sunmill::model::power::GridState;
use sunmill::model::program::order::POSITION_WORD;
use sunmill::model::program::{Agreed, ProgramOrder, RunRequest, RunState, Start};
use sunmill::model::snapshot::LinkState;
use sunmill::model::sun::{Action, ParkStep, Rule, SunOrder};
use sunmill::model::{AxisVec, Command, Outcome, Realtime, StateKind};
use sunmill::sim::{Options, Settings};

use super::common::shop::{FIRMWARES, idle, middle, refused, state};
use super::{Farm, carve, rule, z};

fn named(name: &str, when: &str, action: Action) -> Rule {
    Rule { name: name.into(), ..rule(when, action) }
}

impl Farm {
    /// What the rule did when it fired last.
    fn did(&self) -> String {
        self.shop.hub.snapshot().sun.rules[0].fired.as_ref().map(|fired| fired.did.clone()).unwrap_or_default()
    }

    fn count(&self, realtime: Realtime) -> usize {
        self.realtime().iter().filter(|sent| **sent == realtime).count()
    }
}

#[tokio::test(start_paused = true)]
async fn a_machine_that_waits_at_the_door_is_parked_with_its_place_kept() {
    for firmware in FIRMWARES {
        let rules =
            vec![named("door", "grid = lost", Action::Door), named("park", "grid = lost for 20s", Action::Park)];
        let mut farm = Farm::open(firmware, rules).await;
        farm.seconds(2, GridState::Good, 50.0).await;
        assert_eq!(farm.run(&carve()).await.1, Outcome::Done, "{firmware}");
        farm.shop.until("cutting", |s| state(s) == Some(StateKind::Run)).await;
        farm.seconds(10, GridState::Lost, 50.0).await;
        assert_eq!(state(&farm.shop.hub.snapshot()), Some(StateKind::Door), "{firmware}: {}", farm.did());
        assert!(farm.did().contains("the safety door was opened"), "{}", farm.did());
        farm.seconds(15, GridState::Lost, 50.0).await;
        let step = farm.parked().await;
        let ParkStep::Done(reached) = &step else { panic!("{firmware}: {step:?}") };
        assert!(reached.contains("position kept") && reached.contains("Z up"), "{firmware}: {reached}");
        let snapshot = farm.shop.hub.snapshot();
        assert!(
            !snapshot.machine.homed.is_empty() && (z(&snapshot) - -5.0).abs() < 0.1,
            "{firmware}: {}",
            z(&snapshot)
        );
        assert!(snapshot.programs.interrupted.as_ref().is_some_and(|found| found.left.homed), "{firmware}");
        farm.shop.task.shutdown().await;
    }
}

#[tokio::test(start_paused = true)]
async fn homing_is_not_stopped_by_a_reset_in_the_name_of_a_rule() {
    for firmware in FIRMWARES {
        for action in [Action::Hold, Action::Door] {
            let mut farm = Farm::open(firmware, vec![rule("grid = lost", action)]).await;
            farm.seconds(2, GridState::Good, 50.0).await;
            let ticket = farm.shop.submit(Command::Home(HomeTarget::All));
            farm.shop.until("homing", |s| s.machine.homing || state(s) == Some(StateKind::Home)).await;
            farm.read(GridState::Lost, 50.0).await;
            farm.shop.until("a firing", |s| s.sun.rules[0].fired.is_some()).await;
            assert!(farm.did().contains("the machine is homing"), "{firmware} {action:?}: {}", farm.did());
            assert_eq!(farm.shop.outcome(ticket).await, Outcome::Done, "{firmware} {action:?}");
            let snapshot = farm.shop.until("a homed machine", |s| idle(s) && !s.machine.homed.is_empty()).await;
            assert_eq!(snapshot.machine.alarm, None);
            let sent = [Realtime::FeedHold, Realtime::SafetyDoor, Realtime::SoftReset].map(|key| farm.count(key));
            assert_eq!(sent, [0, 0, 0], "{firmware} {action:?}");
            farm.shop.task.shutdown().await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_jog_is_ended_and_a_spindle_at_a_stand_is_said_to_turn_or_stopped() {
    for firmware in FIRMWARES {
        let mut farm = Farm::open(firmware, vec![rule("grid = lost", Action::Hold)]).await;
        farm.seconds(2, GridState::Good, 50.0).await;
        let step = Command::JogStep { distance: AxisVec::from_slice(&[-20.0]), feed_mm_min: 60.0 };
        farm.shop.submit(step);
        farm.shop.until("a jog", |s| state(s) == Some(StateKind::Jog)).await;
        farm.seconds(4, GridState::Lost, 50.0).await;
        assert_eq!(farm.did(), "the jog was ended", "{firmware}");
        farm.shop.until("standstill", idle).await;
        farm.shop.task.shutdown().await;

        for (action, did) in
            [(Action::Hold, "THE SPINDLE STILL TURNS"), (Action::Door, "which stops motion and spindle")]
        {
            let mut farm = Farm::open(firmware, vec![rule("grid = lost", action)]).await;
            farm.shop.done(Command::Mdi("M3 S1000".into())).await;
            farm.seconds(3, GridState::Good, 50.0).await;
            farm.seconds(4, GridState::Lost, 50.0).await;
            assert!(farm.did().contains(did), "{firmware} {action:?}: {}", farm.did());
            assert_eq!(farm.count(Realtime::FeedHold), 0, "{firmware}: it would latch a hold");
            let at_door = state(&farm.shop.hub.snapshot()) == Some(StateKind::Door);
            assert_eq!(at_door, action == Action::Door, "{firmware}");
            farm.shop.task.shutdown().await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_rule_that_is_taken_back_acts_on_what_still_holds() {
    let mut farm = Farm::open(Firmware::FluidNc, vec![rule("grid = lost", Action::Hold)]).await;
    farm.seconds(2, GridState::Good, 50.0).await;
    farm.shop.done(Command::Sun(SunOrder::SetAside { rule: "evening".into() })).await;
    assert_eq!(farm.run(&carve()).await.1, Outcome::Done);
    farm.shop.until("cutting", |s| state(s) == Some(StateKind::Run)).await;
    farm.seconds(5, GridState::Lost, 50.0).await;
    let snapshot = farm.shop.hub.snapshot();
    assert!(farm.did().contains("set it aside") && farm.count(Realtime::FeedHold) == 0, "{}", farm.did());
    assert!(snapshot.sun.rules[0].aside.is_some() && snapshot.sun.notice.is_none());
    farm.shop.done(Command::Sun(SunOrder::TakeBack { rule: "evening".into() })).await;
    farm.shop.until("a hold", |s| state(s) == Some(StateKind::Hold)).await;
    farm.pass(Duration::from_secs(1)).await;
    assert_eq!((farm.did().as_str(), farm.count(Realtime::FeedHold)), ("feed hold was sent; a person resumes", 1));
    farm.pass(Duration::from_secs(30)).await;
    assert_eq!(farm.count(Realtime::FeedHold), 1, "once");
    farm.shop.task.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn of_rules_that_fire_together_the_one_that_acts_is_told_first() {
    let rules = vec![
        named("park", "grid = lost", Action::Park),
        named("hold", "grid = lost", Action::Hold),
        named("tell", "grid = lost", Action::Notify),
    ];
    let mut farm = Farm::open(Firmware::Grbl, rules).await;
    farm.seconds(2, GridState::Good, 50.0).await;
    assert_eq!(farm.run(&carve()).await.1, Outcome::Done);
    farm.shop.until("cutting", |s| state(s) == Some(StateKind::Run)).await;
    farm.seconds(3, GridState::Lost, 50.0).await;
    let sun = farm.shop.hub.snapshot().sun.clone();
    let told: Vec<&str> = sun.notice.iter().chain(&sun.notices).map(|firing| firing.rule.as_str()).collect();
    assert_eq!(told, ["park", "hold", "tell"]);
    assert!(matches!(farm.parked().await, ParkStep::Done(_)), "a weaker rule does not end it");
    farm.shop.done(Command::Sun(SunOrder::Dismiss)).await;
    let sun = farm.shop.hub.snapshot().sun.clone();
    assert!(sun.notice.is_none() && sun.notices.is_empty());
    farm.shop.task.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn after_a_night_without_power_it_is_homed_first_and_taken_up_at_the_right_line_of_the_same_work() {
    for firmware in FIRMWARES {
        let mut farm = Farm::open(firmware, vec![rule("grid = lost for 5s", Action::Park)]).await;
        farm.seconds(2, GridState::Good, 25.0).await;
        // It says itself where in Y it cuts, as programs do: what one leaves to chance is not known in the morning.
        let text = carve().replacen("G0 Z2\n", "G0 Z2\nG0 X0 Y0\n", 1);
        assert_eq!(farm.run(&text).await.1, Outcome::Done, "{firmware}");
        farm.shop.until("cutting", |s| state(s) == Some(StateKind::Run)).await;
        farm.seconds(20, GridState::Good, 25.0).await;
        farm.seconds(9, GridState::Lost, 25.0).await;
        assert!(matches!(farm.parked().await, ParkStep::Done(_)), "{firmware}");
        let parked = farm.shop.until("offer to go on", |s| s.programs.interrupted.is_some()).await;
        let before = parked.programs.interrupted.clone().unwrap();

        // The battery is empty: hub and controller lose their power. What the controller keeps is its offsets, not its place.
        let Farm { shop, folder, store, .. } = farm;
        shop.task.shutdown().await;
        store.close();
        let mut machine = Options::new(firmware);
        let mut offset = [0.0; 4];
        offset[..3].copy_from_slice(&[middle(firmware), middle(firmware), -30.0]);
        let offset: Vec<String> = offset[..machine.axes].iter().map(ToString::to_string).collect();
        let kept = format!("G54={}", offset.join(","));
        machine.settings = Some(Settings::read(&kept, firmware, machine.axes).unwrap());
        machine.start = Some(AxisVec::from_slice(&[middle(firmware) + 7.0, middle(firmware) - 3.0, -12.0, 0.0]));
        let mut farm = Farm::power_on(folder, machine, SunSetup::default());
        let snapshot = farm.shop.until("the offer of the morning", |s| s.programs.interrupted.is_some()).await;
        let offer = snapshot.programs.interrupted.clone().unwrap();
        assert_eq!((offer.run.id, offer.suggested_line), (before.run.id, before.suggested_line), "{firmware}");
        farm.shop.until("a link", |s| s.machine.link.state == LinkState::Up && s.machine.state.is_some()).await;
        assert!(farm.shop.hub.snapshot().machine.homed.is_empty(), "nobody knows where it stands");

        // Not before it is homed.
        let path = farm.folder.path().join("part.nc");
        let agreed = Agreed { unchecked: true, warnings: true, position_word: POSITION_WORD.to_owned() };
        let line = offer.suggested_line;
        let start = Start::Line { line, preamble: Vec::new() };
        let request = RunRequest { path, seen: None, start, agreed, check_mode: false, on_link_loss: None };
        let why = refused(&farm.shop.ask(Command::Program(ProgramOrder::Run(Box::new(request)))).await);
        assert!(why.contains("home") || why.contains("alarm"), "{firmware}: {why}");
        farm.shop.done(Command::Home(HomeTarget::All)).await;
        farm.shop.until("a homed machine", |s| idle(s) && !s.machine.homed.is_empty()).await;
        let run = farm.take_up(line).await;
        assert_eq!((run.state, run.first_line), (RunState::Done, line), "{firmware}");
        // The same work at the same place of the machine.
        let snapshot = farm.shop.until("standstill", idle).await;
        let (work, at) = (snapshot.machine.work_position.unwrap(), snapshot.machine.machine_position.unwrap());
        let middle = middle(firmware);
        for (axis, (work_at, machine_at)) in [(4.0, middle + 4.0), (0.0, middle), (2.0, -28.0)].into_iter().enumerate()
        {
            let (work, at) = (work.as_slice()[axis], at.as_slice()[axis]);
            assert!((work - work_at).abs() < 0.01 && (at - machine_at).abs() < 0.01, "{firmware}: {axis} {work} {at}");
        }
        farm.shop.task.shutdown().await;
    }
}
