use std::sync::Arc;

use super::talk::{Deed, Talk};
use super::words::{Word, read};
use crate::model::command::{ClientId, HomeTarget, Origin, TicketId};
use crate::model::hub::LogEvent;
use crate::model::log::{LogEntry, LogItem};
use crate::model::machine::{MachineState, MessageLevel};
use crate::model::snapshot::{Snapshot, Stop, StopPhase};
use crate::model::sun::{Park, ParkStep, SpindleWait, StartPhase, Sun, SunOrder, SunStart};
use crate::model::{Axis, AxisVec, Command, Firmware, Outcome, Realtime, StateKind, Time, Units};
use crate::ui::settings::JogSettings;
use crate::ui::state::ExitReason;
use crate::ui::testing::{self, NOW, ms};

struct Scene {
    talk: Talk,
    snapshot: Snapshot,
    now: Time,
}

impl Scene {
    fn new(snapshot: Snapshot) -> Self {
        Self { talk: Talk::new(JogSettings::default(), Units::Mm), snapshot, now: NOW }
    }

    fn of(kind: StateKind) -> Self {
        Self::new(testing::in_state(MachineState::plain(kind)))
    }

    /// A line, a while after the one before.
    fn line(&mut self, text: &str) -> Vec<Deed> {
        self.after(500, text)
    }

    fn after(&mut self, millis: u64, text: &str) -> Vec<Deed> {
        self.now += ms(millis);
        self.snapshot.machine.reported_at = Some(self.now);
        self.talk.line(text, &self.snapshot, self.now)
    }
}

fn words(deeds: &[Deed]) -> String {
    let said = deeds.iter().map(|deed| match deed {
        Deed::Say(text) => text.clone(),
        other => format!("<{other:?}>"),
    });
    said.collect::<Vec<_>>().join("\n")
}

fn log(what: LogItem) -> LogEvent {
    LogEvent::Entry(Arc::new(LogEntry { id: 0, at: NOW, what }))
}

const STOP: Deed = Deed::Realtime(Realtime::Stop);

#[test]
fn lines_are_words_or_g_code_and_slips_are_neither() {
    let mm = |text| read(text, Units::Mm);
    assert_eq!(mm("  "), Ok(Word::Nothing));
    assert_eq!(mm("STOP now please"), Ok(Word::Stop), "a stop is a stop");
    assert_eq!(mm("jog X 10 F500"), Ok(Word::Jog(vec![(Axis::X, 10.0)], Some(500.0))));
    assert_eq!(mm("jog x-0,5 Y 2"), Ok(Word::Jog(vec![(Axis::X, -0.5), (Axis::Y, 2.0)], None)));
    assert_eq!(read("go z 1 f 10", Units::Inch), Ok(Word::Go(vec![(Axis::Z, 25.4)], Some(254.0))));
    assert_eq!(mm("home z"), Ok(Word::Home(Some(Axis::Z))));
    assert_eq!(mm("zero all"), Ok(Word::Zero(None)));
    for line in ["G0 X1", "m3 s1000", "$X", "x10", "G 1 X2", "(note)", "T1M6"] {
        assert_eq!(mm(line), Ok(Word::Line(line.to_owned())), "{line}");
    }
    for (slip, says) in [
        ("hoem", "not a word or G-code"),
        ("jog", "axis and a number are missing"),
        ("jog X", "number is missing after X"),
        ("jog 10", "is not an axis"),
        ("jog X10Y5", "not a number"),
        ("jog X 1 X 2", "twice"),
        ("jog X 1 F 0", "above 0"),
        ("go X 1e3", "not a number"),
        ("set X 1 F 5", "no feed"),
        ("zero", "zero what"),
        ("home X Y", "one axis"),
        ("reset it", "nothing after it"),
        ("units furlong", "units mm"),
    ] {
        let error = mm(slip).unwrap_err();
        assert!(error.contains(says), "{slip}: {error}");
    }
}

#[test]
fn enter_alone_stops_what_moves_and_tells_the_state_of_what_stands() {
    for kind in [StateKind::Run, StateKind::Jog, StateKind::Home] {
        assert_eq!(Scene::of(kind).line(""), [STOP], "{kind:?}");
    }
    for kind in [StateKind::Idle, StateKind::Hold, StateKind::Alarm, StateKind::Sleep] {
        let said = Scene::of(kind).line("");
        assert!(matches!(&said[..], [Deed::Say(text)] if text.starts_with("State ")), "{kind:?}: {said:?}");
    }
    // A machine that fell silent may be moving.
    let mut silent = Scene::of(StateKind::Idle);
    silent.now += ms(5000);
    let now = silent.now;
    assert_eq!(silent.talk.line("", &silent.snapshot, now), [STOP]);
}

#[test]
fn stops_pass_everything_also_questions_and_haste() {
    for kind in [StateKind::Idle, StateKind::Run, StateKind::Alarm] {
        let mut scene = Scene::of(kind);
        assert_eq!(scene.line("stop"), [STOP], "{kind:?}");
        assert_eq!(scene.after(1, "stop"), [STOP], "{kind:?}");
    }
    let mut asked = Scene::of(StateKind::Idle);
    assert!(words(&asked.line("home")).contains("Type yes"));
    assert_eq!(asked.after(1, "stop"), [STOP]);
    assert!(words(&asked.line("yes")).contains("no question"), "the stop ended the question");
    assert_eq!(Scene::of(StateKind::Run).line("hold"), [Deed::Realtime(Realtime::FeedHold)]);
    assert_eq!(Scene::of(StateKind::Run).line("end"), [Deed::Realtime(Realtime::StopProgram)]);
    assert_eq!(Scene::of(StateKind::Run).line("reset"), [Deed::Realtime(Realtime::SoftReset)]);
}

#[test]
fn what_moves_or_costs_is_asked_about_and_only_a_yes_that_was_meant_does_it() {
    let home = Deed::Submit(Command::Home(HomeTarget::All));
    let mut scene = Scene::of(StateKind::Idle);
    scene.line("home");
    assert_eq!(scene.line("yes"), std::slice::from_ref(&home));
    // Typed ahead: the question had not been heard.
    scene.line("home");
    assert!(words(&scene.after(50, "yes")).contains("again"));
    assert_eq!(scene.line("yes"), [home]);
    for other in ["no", "", "G0 X1", "hoem", "status"] {
        scene.line("home");
        assert_eq!(words(&scene.line(other)), "Not done.", "{other}");
        assert!(words(&scene.line("yes")).contains("no question"), "{other}");
    }
    scene.line("home");
    assert!(words(&scene.after(61_000, "yes")).contains("no question"), "nobody answered in time");
    // What became illegal in between is not done.
    scene.line("home");
    scene.snapshot.machine.state = Some(MachineState::plain(StateKind::Run));
    assert!(words(&scene.line("yes")).starts_with("Not sent: cannot home"));

    let mut go = Scene::of(StateKind::Idle);
    assert!(words(&go.line("go X 10")).contains("G0 X-190"), "the line is said before it is sent");
    assert!(matches!(&go.line("yes")[..], [Deed::Submit(Command::GoTo(_))]));
    assert!(words(&Scene::of(StateKind::Idle).line("reset")).contains("Type yes"));
}

#[test]
fn orders_are_checked_and_sent() {
    let mut scene = Scene::of(StateKind::Idle);
    let jog = |distance: [f64; 3], feed_mm_min| {
        [Deed::Submit(Command::JogStep { distance: AxisVec::from_slice(&distance), feed_mm_min })]
    };
    assert_eq!(scene.line("jog X 10 F500"), jog([10.0, 0.0, 0.0], 500.0));
    assert_eq!(scene.line("jog Z -1"), jog([0.0, 0.0, -1.0], 800.0), "Z is slower");
    assert!(words(&scene.line("jog A 1")).contains("no A axis"));
    assert_eq!(scene.line("G0 X1"), [Deed::Submit(Command::Mdi("G0 X1".into()))]);
    let x = [Axis::X].into_iter().collect();
    assert_eq!(scene.line("zero x"), [Deed::Submit(Command::SetWork { axes: x, value: 0.0 })]);
    assert!(words(&scene.line("unlock")).contains("no alarm"));
    assert!(words(&scene.line("resume")).starts_with("Not done"));
    assert_eq!(Scene::of(StateKind::Hold).line("resume"), [Deed::Realtime(Realtime::CycleStart)]);
    // A paste: the first line was typed, the ones that come with it were not.
    scene.line("status");
    assert!(words(&scene.after(2, "G0 X100")).starts_with("Dropped"));
}

#[test]
fn an_alarm_is_led_out_of_by_words() {
    let mut scene = Scene::new(testing::alarm(Firmware::Grbl, 8));
    let said = words(&scene.line("alarm"));
    assert!(said.contains("Type home") && said.contains("Type unlock"), "{said}");
    assert!(words(&scene.line("unlock")).contains("Type unlock to do it"), "a failed homing wants the word");
    assert_eq!(words(&scene.line("yes")), "Not done.");
    scene.line("unlock");
    assert_eq!(scene.line("unlock"), [Deed::Submit(Command::Unlock)]);
    let mut hard = Scene::new(testing::alarm(Firmware::FluidNc, 1));
    assert!(words(&hard.line("alarm")).contains("Type reset"));
    assert_eq!(hard.line("reset"), [Deed::Realtime(Realtime::SoftReset)]);
}

#[test]
fn leaving_a_busy_machine_is_asked_about() {
    let mut scene = Scene::of(StateKind::Run);
    let asked = words(&scene.line("quit"));
    assert!(asked.contains("busy") && asked.contains("Type yes"), "{asked}");
    assert_eq!(scene.line("yes")[0], STOP);
    scene.snapshot.machine.state = Some(MachineState::plain(StateKind::Idle));
    let deeds = scene.talk.look(&scene.snapshot, scene.now);
    assert_eq!(deeds.last(), Some(&Deed::Leave(ExitReason::Asked)));
    assert_eq!(Scene::of(StateKind::Idle).line("quit"), [Deed::Leave(ExitReason::Asked)]);

    let mut ctrl_c = Scene::of(StateKind::Run);
    for _ in 0..3 {
        assert_eq!(ctrl_c.talk.interrupt(&ctrl_c.snapshot, NOW), [STOP], "never leaves what moves");
    }
    let mut idle = Scene::of(StateKind::Idle);
    assert_eq!(idle.talk.interrupt(&idle.snapshot, NOW)[0], STOP);
    assert_eq!(idle.talk.interrupt(&idle.snapshot, NOW + ms(500)), [Deed::Leave(ExitReason::Asked)]);
    let mut ended = Scene::of(StateKind::Run);
    assert!(matches!(ended.talk.end_of_input(&ended.snapshot, NOW)[..], [Deed::Say(_)]));
    assert_eq!(ended.talk.end_of_input(&ended.snapshot, NOW), [Deed::Leave(ExitReason::TerminalLost)]);
    assert!(matches!(ended.talk.suspend(&ended.snapshot, NOW)[..], [Deed::Say(_)]), "nobody could stop it then");
}

#[test]
fn answers_states_and_alarms_are_said_and_noise_is_not() {
    let mut talk = Talk::new(JogSettings::default(), Units::Mm);
    let received = |level| log(LogItem::Received { level, text: "[OPT:V]".into() });
    assert_eq!(talk.news(&received(MessageLevel::Info)), []);
    assert_eq!(words(&talk.news(&received(MessageLevel::Error))), "machine: [OPT:V]");
    talk.submitted(TicketId(7));
    assert_eq!(words(&talk.news(&received(MessageLevel::Info))), "machine: [OPT:V]", "somebody asked");
    let ended = |ticket, outcome| {
        let (ticket, origin) = (TicketId(ticket), Origin::Screen(ClientId(1)));
        log(LogItem::Outcome { ticket, origin, what: "G1 X1".into(), outcome, latency: ms(3) })
    };
    let failed = Outcome::Failed { code: 22, text: "no feed rate".into() };
    assert_eq!(words(&talk.news(&ended(7, failed))), "error 22: no feed rate. That was: G1 X1");
    assert_eq!(talk.news(&ended(8, Outcome::Done)), [], "somebody else's");
    talk.submitted(TicketId(9));
    assert_eq!(words(&talk.news(&ended(9, Outcome::Done))), "ok: G1 X1");
    let state = MachineState { kind: StateKind::Hold, sub: Some(0) };
    assert!(words(&talk.news(&log(LogItem::State(state)))).contains("resume goes on"));
    let alarm = LogItem::Alarm { code: 1, text: "Hard limit.".into() };
    assert!(words(&talk.news(&log(alarm))).starts_with("ALARM 1: Hard limit."));
}

#[test]
fn a_stop_is_told_as_far_as_it_got_each_step_once() {
    let mut scene = Scene::of(StateKind::Run);
    scene.talk.look(&scene.snapshot, NOW);
    let mut told = Vec::new();
    for phase in [StopPhase::Sent, StopPhase::Sent, StopPhase::NotConfirmed, StopPhase::Stopped] {
        scene.snapshot.machine.stop = Some(Stop { asked: Realtime::Stop, at: NOW, phase });
        told.extend(scene.talk.look(&scene.snapshot, NOW));
    }
    let told = words(&told);
    assert_eq!(told, "stop sent\nstop NOT CONFIRMED: use the emergency stop\nstopped: the machine stands");
}

#[test]
fn status_says_it_all_in_the_unit_that_was_chosen() {
    let mut scene = Scene::of(StateKind::Idle);
    let said = words(&scene.line("status"));
    for part in ["SIMULATED", "State idle", "X 12.345 mm", "Homed axes: X Y Z", "Feed 0 mm/min", "feed 100 %"] {
        assert!(said.contains(part), "{part}: {said}");
    }
    scene.line("units inch");
    assert!(words(&scene.line("pos")).contains("X 0.4860 inch"));
    assert_eq!(scene.line("jog X 1")[0], {
        let distance = AxisVec::from_slice(&[25.4, 0.0, 0.0]);
        Deed::Submit(Command::JogStep { distance, feed_mm_min: 1000.0 })
    });
    scene.snapshot.machine.link.endpoint.clear();
    assert!(words(&scene.line("help jog")).contains("exactly this distance"));
    assert!(words(&scene.line("help nonsense")).contains("no word"));
}

#[test]
fn power_is_told_in_words_and_never_with_a_sign() {
    let mut scene = Scene::new(testing::power::with(testing::power::three()));
    let said = words(&scene.line("power"));
    for part in [
        "All together: sun lost",
        "roof (SIMULATED): on grid; sun 2.31 kW",
        "1.20 kW, charging",
        "barn does not answer",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
    assert!(!said.contains('-'), "{said}");
    let said = words(&scene.line("inverter roof"));
    for part in ["The grid is there", "Today: 12.4 kWh from the sun", "no fault"] {
        assert!(said.contains(part), "{part}: {said}");
    }
    assert!(words(&scene.line("inverter rof")).contains("roof, shed, barn"));
    assert!(words(&Scene::of(StateKind::Idle).line("power")).contains("[[inverter]]"));
}

#[test]
fn what_the_program_that_runs_needs_and_has_drawn_is_told_with_power() {
    use std::sync::Arc;

    use crate::model::sun::Sun;
    let mut snapshot = testing::programs::running();
    snapshot.power = Arc::new(testing::power::one());
    let (knows, drawn) = (Arc::new(testing::power::knowledge()), Some(testing::power::run_energy()));
    snapshot.sun = Arc::new(Sun { drawn, knows, ..Sun::default() });
    let said = words(&Scene::new(snapshot).line("power"));
    for part in [
        "plate.nc, from here on: needs 130 Wh",
        "battery alone to 61 %; fine.",
        "far: 0.45 kWh: sun 0.29, battery 0.16.",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
}

#[test]
fn a_setting_of_an_inverter_is_said_before_and_after_and_needs_a_yes() {
    use crate::model::desk::{Answer, Query};
    use crate::model::power::{Danger, PowerAnswer, PowerOrder, PowerQuery, Wanted};
    let mut scene = Scene::new(testing::power::with(testing::power::one()));
    let inverter = || "roof".to_owned();
    let wanted =
        |shown: Option<&str>| vec![Wanted { id: "soc_min".into(), text: "30".into(), shown: shown.map(str::to_owned) }];
    let check = PowerQuery::CheckChanges { inverter: inverter(), settings: wanted(None) };
    assert_eq!(scene.line("set roof soc_min 30"), [Deed::Ask(Query::Power(check))]);
    let answer = |danger| {
        let mut row = testing::power::changes()[0].clone();
        row.danger = danger;
        Answer::Power(PowerAnswer::Changes { inverter: inverter(), settings: wanted(None), rows: Ok(vec![row]) })
    };
    let asked = words(&scene.talk.answered(&answer(Danger::Caution), &scene.snapshot, scene.now));
    assert!(asked.contains("soc_min of roof: from 20 % to 30 %, caution.") && asked.contains("Type yes"), "{asked}");
    let order = PowerOrder::Set { inverter: inverter(), settings: wanted(Some("20 %")) };
    assert_eq!(scene.line("yes"), [Deed::Submit(Command::Power(order))]);
    // An answer that nobody waits for asks nothing.
    assert_eq!(scene.talk.answered(&answer(Danger::Normal), &scene.snapshot, scene.now), []);
    scene.line("set roof soc_min 30");
    let said = words(&scene.talk.answered(&answer(Danger::Dangerous), &scene.snapshot, scene.now));
    assert!(said.contains("Type arm"), "{said}");
    assert!(words(&scene.line("yes")).contains("no question"));
    assert!(words(&scene.line("arm")).contains("60 s"));
    assert_eq!(scene.line("yes"), [Deed::Submit(Command::Power(PowerOrder::Arm))]);
    assert!(words(&scene.line("set rof soc_min 30")).contains("roof"), "no such inverter");
    assert!(words(&scene.line("set roof soc_min")).contains("set roof soc_min 20"));
    let x = vec![(Axis::X, 12.5)];
    assert_eq!(read("set X 12.5", Units::Mm), Ok(Word::Set(x)), "an axis is an axis still");
}

#[test]
fn a_lost_grid_is_said_once_and_its_end_too() {
    use crate::model::power::GridState;
    let mut scene = Scene::new(testing::power::with(testing::power::one()));
    assert!(!words(&scene.talk.look(&scene.snapshot, NOW)).contains("GRID"));
    let set = |scene: &mut Scene, state| {
        let mut power = testing::power::one();
        testing::power::change(&mut power, |unit| unit.known.grid.state = state);
        scene.snapshot.power = Arc::new(power);
        words(&scene.talk.look(&scene.snapshot, NOW))
    };
    assert!(set(&mut scene, GridState::Lost).starts_with("GRID LOST: roof runs without the grid"));
    assert_eq!(set(&mut scene, GridState::Lost), "");
    assert_eq!(set(&mut scene, GridState::Good), "Over: GRID LOST, roof runs without the grid.");
}

#[test]
fn parking_is_asked_about_and_its_steps_are_said_once() {
    let mut scene = Scene::of(StateKind::Idle);
    scene.talk.look(&scene.snapshot, scene.now);
    let asked = words(&scene.line("park"));
    assert!(asked.contains("then Z goes up") && asked.contains("Type yes"), "{asked}");
    scene.now += ms(2000);
    assert_eq!(scene.line("yes"), [Deed::Submit(Command::Sun(SunOrder::Park))]);
    let park = |step| Park { why: "asked".into(), who: "me".into(), step, began: NOW, notes: Vec::new() };
    let show = |scene: &mut Scene, step| {
        scene.snapshot.sun = Arc::new(Sun { park: Some(park(step)), ..Sun::default() });
        words(&scene.talk.look(&scene.snapshot, scene.now))
    };
    let said = show(&mut scene, ParkStep::Hold);
    assert!(said.contains("Parking: feed hold: waits until the machine stands. stop ends it."), "{said}");
    assert_eq!(show(&mut scene, ParkStep::Hold), "");
    assert!(show(&mut scene, ParkStep::Lift).contains("Parking: Z goes up"));
    // The end stands in the log, which is said anyway.
    assert_eq!(show(&mut scene, ParkStep::Done("spindle off".into())), "");
    assert!(words(&scene.line("sun")).starts_with("Parked: spindle off."));
}

#[test]
fn what_waits_for_power_or_sun_is_said_and_answered() {
    let mut scene = Scene::of(StateKind::Idle);
    scene.talk.look(&scene.snapshot, scene.now);
    assert!(words(&scene.line("sun")).contains("No rule is configured"));
    let wait = SpindleWait {
        what: "M3 S1000".into(),
        line: None,
        why: "600 W spare of 3000 W".into(),
        since: NOW,
        maybe: false,
        kept: false,
    };
    scene.snapshot.sun = Arc::new(Sun { spindle: Some(wait), ..Sun::default() });
    assert!(words(&scene.line("sun")).contains("The spindle start of M3 S1000 waits for power: 600 W spare"));
    assert!(words(&scene.line("G0 X1")).contains("M3 S1000 waits for power"), "nothing goes before it");
    assert!(words(&scene.line("resume")).contains("although power is short: 600 W spare of 3000 W. Type yes"));
    scene.now += ms(2000);
    assert_eq!(scene.line("yes"), [Deed::Submit(Command::Sun(SunOrder::SpindleGo { since: Some(NOW) }))]);
    assert_eq!(scene.line("stop"), [STOP], "a stop drops it");

    let mut counts = |left: u32| {
        let start = SunStart {
            name: "part.nc".into(),
            path: "part.nc".into(),
            who: "ana".into(),
            need_w: 900.0,
            phase: StartPhase::Counts { until: NOW + ms(60_000) },
            left_s: Some(left),
            why: "surplus 1500 W".into(),
        };
        scene.snapshot.sun = Arc::new(Sun { start: Some(start), ..Sun::default() });
        words(&scene.talk.look(&scene.snapshot, scene.now))
    };
    assert!(counts(60).starts_with("part.nc STARTS IN 60 SECONDS: surplus 1500 W. stop cancels it."));
    assert_eq!((counts(59), counts(31)), (String::new(), String::new()));
    assert!(counts(29).contains("IN 29 SECONDS"), "one that was passed over is said late");
    assert_eq!(counts(20), "");
    assert!(counts(10).contains("IN 10 SECONDS"));
}

#[test]
fn the_status_says_what_was_interrupted_and_how_it_is_taken_up() {
    use std::sync::Arc;

    let mut snapshot = testing::idle();
    snapshot.programs.interrupted = Some(Arc::new(testing::programs::interrupted()));
    let said = words(&Scene::new(snapshot.clone()).line("status"));
    assert!(
        said.contains("interrupted at line 1204") && said.contains("take up says what would be sent first"),
        "{said}"
    );
    snapshot.programs.run = testing::programs::running().programs.run;
    let said = words(&Scene::new(snapshot).line("status"));
    assert!(
        !said.contains("take up") && said.contains("plate.nc is at line 1204.") && said.contains("lost: hold"),
        "{said}"
    );
}

mod taking {
    use super::*;
    use crate::model::AxisSet;
    use crate::model::desk::{Answer, Query};
    use crate::model::program::ask::Details;
    use crate::model::program::{Agreed, ContentHash, ProgramAnswer, ProgramOrder, ProgramQuery, RunRequest, Start};
    use crate::ui::testing::programs::{details, file, interrupted, preamble};

    fn offered() -> Scene {
        let mut scene = Scene::of(StateKind::Idle);
        scene.snapshot.programs.interrupted = Some(Arc::new(interrupted()));
        scene
    }

    fn clean() -> Details {
        let mut clean = details();
        let mut report = (*clean.report).clone();
        (report.warnings, report.problems) = (0, Vec::new());
        (clean.report, clean.problems) = (Arc::new(report), Vec::new());
        clean
    }

    fn told(scene: &mut Scene, found: Details) -> String {
        let first = scene.line("take up");
        let asks = |query| Deed::Ask(Query::Program(query));
        assert_eq!(
            first[1..],
            [
                asks(ProgramQuery::Details(file("plate.nc"))),
                asks(ProgramQuery::Preamble { path: file("plate.nc"), line: 1198 })
            ]
        );
        let answer =
            |scene: &mut Scene, answer| scene.talk.answered(&Answer::Program(answer), &scene.snapshot, scene.now);
        let path = file("plate.nc");
        assert_eq!(answer(scene, ProgramAnswer::Details { path: path.clone(), result: Ok(Arc::new(found)) }), []);
        words(&answer(scene, ProgramAnswer::Preamble { path, line: 1198, result: Ok(preamble()) }))
    }

    #[test]
    fn an_interrupted_run_is_taken_up_once_all_was_said_and_the_word_was_typed() {
        let mut scene = offered();
        let said = words(&scene.talk.look(&scene.snapshot, scene.now));
        assert!(said.contains("plate.nc was interrupted at line 1204. Type take up"), "{said}");
        let said = told(&mut scene, clean());
        for line in preamble().lines {
            assert!(said.contains(&format!(": {line}\n")), "{line}: {said}");
        }
        assert!(said.contains("The spindle may be on.") && said.contains("starts at 12000 rpm"), "{said}");
        assert!(said.contains("line 1198: G0 X10 Y10") && said.contains("If the link is lost: hold"), "{said}");
        assert!(said.ends_with("Type start to do it; anything else leaves it."), "{said}");
        // Neither a yes nor haste is that word.
        assert_eq!(words(&scene.line("yes")), "Not done.");
        assert!(words(&scene.line("start")).contains("not a word"), "that question is over");
        told(&mut scene, clean());
        assert!(words(&scene.after(50, "start")).contains("again"));
        let order = RunRequest {
            path: file("plate.nc"),
            seen: Some(ContentHash([7; 32])),
            start: Start::Line { line: 1198, preamble: preamble().lines },
            agreed: Agreed::default(),
            check_mode: false,
            on_link_loss: None,
        };
        assert_eq!(scene.line("start"), [Deed::Submit(Command::Program(ProgramOrder::Run(Box::new(order))))]);
        assert!(words(&scene.line("start")).contains("not a word"), "once");
    }

    #[test]
    fn each_thing_to_agree_to_has_its_word() {
        let mut scene = offered();
        scene.snapshot.machine.homed = AxisSet::EMPTY;
        let said = told(&mut scene, details());
        assert!(
            said.contains("cuts before the spindle") && said.ends_with("Type agree to do it; anything else leaves it.")
        );
        assert!(words(&scene.line("agree")).contains("Type position is good"));
        assert!(words(&scene.line("position is good")).contains("Type start"));
        let [Deed::Submit(Command::Program(ProgramOrder::Run(run)))] = &scene.line("start")[..] else { panic!() };
        assert!(run.agreed.warnings && run.agreed.position_word == "position is good");
    }

    #[test]
    fn what_stands_in_the_way_is_said_and_nothing_is_asked() {
        // What happens in between is not overlooked.
        let mut scene = offered();
        told(&mut scene, clean());
        scene.snapshot.machine.state = Some(MachineState::plain(StateKind::Alarm));
        assert!(words(&scene.line("start")).starts_with("Not done"));
        // A stop ends the question.
        let mut scene = offered();
        told(&mut scene, clean());
        assert_eq!(scene.line("stop"), [STOP]);
        assert!(words(&scene.line("start")).contains("not a word"));
        // Lines that the terminal lost were not heard.
        let mut scene = offered();
        told(&mut scene, clean());
        scene.talk.unheard();
        assert!(words(&scene.line("start")).contains("not a word"));
        // It cannot begin there.
        let mut scene = offered();
        scene.line("take up 7");
        let why =
            ProgramAnswer::Preamble { path: file("plate.nc"), line: 7, result: Err("an arc goes through it".into()) };
        let said = words(&scene.talk.answered(&Answer::Program(why), &scene.snapshot, scene.now));
        assert_eq!(said, "Not done: an arc goes through it.");
        assert!(words(&Scene::of(StateKind::Idle).line("take up")).contains("no program was interrupted"));
        assert!(words(&offered().line("take 7")).contains("type take up"));
        assert!(words(&offered().line("take up 0")).contains("counted from 1"));
    }

    #[test]
    fn an_offer_is_forgotten_after_a_yes() {
        let mut scene = offered();
        assert!(words(&scene.line("forget")).contains("plate.nc"));
        let id = interrupted().run.id;
        assert_eq!(scene.line("yes"), [Deed::Submit(Command::Program(ProgramOrder::Forget(id)))]);
    }
}
