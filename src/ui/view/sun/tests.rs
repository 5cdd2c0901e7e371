//! What waits for power or for the sun, and the plan, at every size.

use std::sync::Arc;
use std::time::Duration;

use crate::model::command::Command;
use crate::model::machine::{MachineState, StateKind};
use crate::model::program::{Prompt, RunState};
use crate::model::sun::{
    Plan, PlanHour, PlanTime, PlanWindow, PlanWindowKind, SpindleWait, StartPhase, Sun, SunOrder, SunStart,
};
use crate::ui::state::{Effect, Event, Tab};
use crate::ui::testing::power as made;
use crate::ui::testing::programs::{file, listed, running};
use crate::ui::testing::{self, NOW, Scene, ms};

fn sizes(name: &str, scene: &Scene) {
    for (width, height) in [(80, 24), (60, 18), (120, 40)] {
        insta::assert_snapshot!(format!("{name}_{width}x{height}"), scene.text(width, height));
    }
}

fn with(sun: Sun) -> Scene {
    let mut scene = Scene::new(testing::idle());
    scene.snapshot.sun = Arc::new(sun);
    scene
}

fn typed() -> SpindleWait {
    SpindleWait {
        what: "M3 S12000".into(),
        line: None,
        why: "640 W spare of 3000 W, 1500 W needed".into(),
        since: NOW,
        maybe: false,
        kept: false,
    }
}

fn start(phase: StartPhase, why: &str) -> SunStart {
    SunStart {
        name: "plate.nc".into(),
        path: "/srv/gcode/plate.nc".into(),
        who: "ana at the console".into(),
        need_w: 1400.0,
        phase,
        left_s: matches!(phase, StartPhase::Counts { .. }).then_some(42),
        why: why.into(),
    }
}

#[test]
fn a_spindle_that_waits_is_told_on_every_screen() {
    let mut scene = with(Sun { spindle: Some(typed()), ..Sun::default() });
    sizes("spindle_waits", &scene);
    for tab in [Tab::Offsets, Tab::Programs, Tab::Power, Tab::Devices] {
        scene.ui.tab = tab;
        let text = scene.text(60, 18);
        assert!(text.contains("SPINDLE WAITS") && text.contains("starts it anyway"), "{tab:?}\n{text}");
    }
    // Of a program, with what the program says itself.
    let mut snapshot = running();
    if let Some(run) = &mut snapshot.programs.run {
        run.prompt =
            Some(Prompt::SpindleStart { line: 40, counter_clockwise: false, text: "too little".into(), sure: true });
        run.state = RunState::Paused("line 40: the spindle start waits for power".into());
    }
    let mut scene = Scene::new(snapshot);
    let wait = SpindleWait { what: "line 40".into(), line: Some(40), ..typed() };
    scene.snapshot.sun = Arc::new(Sun { spindle: Some(wait), ..Sun::default() });
    sizes("spindle_waits_in_program", &scene);
}

#[test]
fn a_person_lets_a_typed_start_go_or_drops_it() {
    for (keys, order) in
        [(["~", "Enter"], SunOrder::SpindleGo { since: Some(NOW) }), (["d", "Enter"], SunOrder::SpindleDrop)]
    {
        let mut scene = with(Sun { spindle: Some(typed()), ..Sun::default() });
        scene.wait(1000);
        assert_eq!(scene.press(&["~"]), []);
        if order != SunOrder::SpindleDrop {
            insta::assert_snapshot!("spindle_question", scene.text(80, 24));
        }
        scene.wait(1000);
        scene.press(&keys[..1]);
        scene.wait(1000);
        let effects = scene.press(&keys[1..]);
        assert_eq!(effects, [Effect::Submit(Command::Sun(order))]);
    }
}

#[test]
fn a_question_about_a_spindle_start_goes_with_that_start() {
    let mut scene = with(Sun { spindle: Some(typed()), ..Sun::default() });
    scene.wait(1000);
    scene.press(&["~"]);
    assert!(scene.ui.popup.is_some());
    let other = SpindleWait { what: "M4 S500".into(), since: NOW + ms(500), ..typed() };
    scene.snapshot.sun = Arc::new(Sun { spindle: Some(other), ..Sun::default() });
    scene.event(&Event::Snapshot);
    assert!(scene.ui.popup.is_none(), "Enter would let another one go");
    scene.wait(1000);
    scene.press(&["~"]);
    scene.snapshot.sun = Arc::new(Sun::default());
    scene.event(&Event::Snapshot);
    assert!(scene.ui.popup.is_none());
}

#[test]
fn a_key_that_was_not_sent_says_so_and_never_that_it_goes_by_itself() {
    let wait = SpindleWait { what: "resume".into(), kept: true, ..typed() };
    let mut scene = with(Sun { spindle: Some(wait), ..Sun::default() });
    scene.snapshot.machine.state = Some(MachineState { kind: StateKind::Hold, sub: Some(0) });
    sizes("spindle_key_kept", &scene);
    scene.wait(1000);
    assert_eq!(scene.press(&["~"]), []);
    let text = scene.text(80, 24);
    assert!(text.contains("was not sent") && text.contains("Nothing goes on by itself"), "{text}");
    assert!(!text.contains("It starts by itself"), "{text}");
}

#[test]
fn a_program_that_waits_for_the_sun_is_told_on_every_screen() {
    let counts = StartPhase::Counts { until: NOW + ms(42_000) };
    let mut scene = with(Sun { start: Some(start(counts, "surplus 2100 W, 1400 W needed")), ..Sun::default() });
    sizes("sun_starts", &scene);
    for tab in [Tab::Offsets, Tab::Programs, Tab::Power, Tab::Devices] {
        scene.ui.tab = tab;
        let text = scene.text(60, 18);
        assert!(text.contains("plate.nc in 42 s") && text.contains("Space cancels"), "{tab:?}\n{text}");
    }
    let scene = with(Sun { start: Some(start(StartPhase::Starts, "surplus 2100 W, 1400 W needed")), ..Sun::default() });
    let text = scene.text(60, 18);
    assert!(text.contains("plate.nc NOW, KEEP CLEAR") && text.contains("Space cancels"), "{text}");
    let scene = with(Sun { start: Some(start(StartPhase::Waits, "surplus 300 W of 1600 W needed")), ..Sun::default() });
    insta::assert_snapshot!("waits_for_sun", scene.text(80, 24));
    let over = "NOT started: plate.nc: is not what was checked any more; look at it again before it runs";
    let mut scene = with(Sun { start: Some(start(StartPhase::Spent, over)), ..Sun::default() });
    insta::assert_snapshot!("sun_over", scene.text(80, 24));
    assert_eq!(scene.press(&["Y"]), [Effect::Submit(Command::Sun(SunOrder::Dismiss))]);
}

fn at(hour: u16) -> PlanTime {
    PlanTime { at_ms: i64::from(hour) * 3_600_000, minute: hour % 24 * 60 }
}

fn plan() -> Plan {
    let hours = (14..34).map(|hour: u16| {
        let sun = if hour < 19 { 2600.0 - f64::from(hour - 14) * 500.0 } else { 0.0 };
        let soc =
            if hour < 20 { 60.0 + f64::from(hour - 14) * 8.0 } else { (100.0 - f64::from(hour - 20) * 9.0).max(20.0) };
        PlanHour {
            from: at(hour),
            pv_w: sun,
            load_w: 700.0,
            grid_w: if soc <= 20.0 { 700.0 } else { 0.0 },
            spare_w: 0.0,
            soc_percent: soc.min(100.0),
        }
    });
    Plan {
        inverter: "roof".into(),
        made: at(14),
        soc_percent: 60.0,
        floor_percent: 20.0,
        hours: hours.collect(),
        full: Some(PlanTime { minute: 18 * 60 + 40, ..at(18) }),
        empty: Some(PlanTime { minute: 4 * 60 + 50, ..at(28) }),
        windows: vec![PlanWindow {
            from: at(22),
            to: at(30),
            kind: PlanWindowKind::Charge { to_percent: 58.0 },
            why: "the battery comes to its limit at 04:50; 2.1 kWh would come from the grid later at up to 0.3 a kWh, and cost 0.12 \
                  here, 0.133 with what is lost on the way"
                .into(),
        }],
        assumed: vec![
            "loads as usual at each hour of the last days (7 days are known)".into(),
            "sun as under a clear sky, of which 4300 W come through as in the last days".into(),
        ],
    }
}

#[test]
fn the_plan_says_what_will_be_and_what_would_be_good() {
    let mut scene = made::scene(made::one());
    scene.snapshot.sun = Arc::new(Sun { plan: Some(Ok(Arc::new(plan()))), ..Sun::default() });
    made::press(&mut scene, &["8"]);
    scene.now = NOW;
    assert!(scene.text(80, 24).contains("full at 18:40, at its limit of 20 % at 04:50"), "{}", scene.text(80, 24));
    made::press(&mut scene, &["b"]);
    scene.now = NOW;
    sizes("plan", &scene);
    // All of it can be read on the smallest screen, and no rule that is not there is set aside.
    made::press(&mut scene, &["End"]);
    assert!(scene.text(60, 18).contains("last days"), "{}", scene.text(60, 18));
    assert!(!scene.text(60, 18).contains("more below") && scene.text(80, 24).contains("made at 14:00"));
    assert!(made::press(&mut scene, &["x"]).is_empty());
    made::press(&mut scene, &["Home"]);
    let why = "too little history for a plan: loads are known of 1 days, and 3 are needed";
    scene.snapshot.sun = Arc::new(Sun { plan: Some(Err(why.into())), ..Sun::default() });
    assert!(scene.text(80, 24).contains("No plan: too little history for a plan"));
    made::press(&mut scene, &["b"]);
    assert!(scene.text(80, 24).contains("No rule is configured"));
    // What is not told any more is not said to be nothing.
    scene.now = NOW + Duration::from_secs(3600);
    assert!(scene.text(80, 24).contains("tells nothing of its battery now"), "{}", scene.text(80, 24));
}

#[test]
fn the_question_before_a_run_offers_the_sun_where_that_is_allowed() {
    let mut scene = listed();
    scene.snapshot.machine.limits.homing = Some(true);
    scene.press(&["r"]);
    assert!(!scene.text(80, 24).contains("enough sun"));
    scene.snapshot.sun = Arc::new(Sun { start_allowed: true, ..Sun::default() });
    insta::assert_snapshot!("launch_with_sun", scene.text(80, 24));
    scene.wait(1000);
    let effects = scene.press(&["n", "Enter"]);
    assert!(
        matches!(&effects[..], [Effect::Submit(Command::Sun(SunOrder::StartWhenSun(run)))] if run.path == file("plate.nc")),
        "{effects:?}"
    );
    // What was agreed to is of no use for a start that nobody looks at.
    scene.press(&["r", "w", "Enter"]);
    scene.wait(1000);
    assert_eq!(scene.press(&["n", "Enter"]), []);
    assert!(scene.text(80, 24).contains("nothing can be agreed to"), "{}", scene.text(80, 24));
}
