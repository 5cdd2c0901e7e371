//! The table of a run's states, and the ways through it.

use std::path::PathBuf;

use super::course::{Course, Effect, Input, may_go};
use crate::grbl::event::{ProgramEvent, Rest, StreamEnd};
use crate::model::command::VoidReason;
use crate::model::machine::{MachineState, StateKind};
use crate::model::program::{Prompt, Run, RunId, RunState};
use crate::model::time::Time;

const AT: Time = Time::from_millis(1000);

fn states() -> [RunState; 8] {
    [
        RunState::Ready,
        RunState::Running,
        RunState::Pausing,
        RunState::Paused("p".into()),
        RunState::Stopping,
        RunState::Done,
        RunState::Failed("f".into()),
        RunState::Stopped("s".into()),
    ]
}

/// Written out: a change of any cell has to be made twice. Rows are from, columns to, in the order of `states`.
#[test]
fn only_legal_ways_lead_on() {
    let table = [
        "-r--S-FX", // ready
        "--pPSDFX", // running
        "-r-PSDFX", // pausing
        "-r-PSDFX", // paused
        "-----DFX", // stopping: its end came first
        "--------", // done
        "--------", // failed
        "--------", // stopped
    ];
    for (from, row) in states().iter().zip(table) {
        for (to, cell) in states().iter().zip(row.chars()) {
            assert_eq!(may_go(from, to), cell != '-', "{from:?} to {to:?}");
        }
    }
}

fn running() -> Course {
    let mut course = Course::new(Run::new(RunId(1), PathBuf::from("part.nc"), 1, Time::ZERO));
    course.take(AT, Input::Began);
    assert_eq!(course.run.state, RunState::Running);
    course
}

fn wire(course: &mut Course, event: ProgramEvent) -> Vec<Effect> {
    course.take(AT, Input::Wire(event))
}

#[test]
fn a_hold_is_a_pause_once_the_machine_stands_and_ends_with_it() {
    let mut course = running();
    wire(&mut course, ProgramEvent::Held(true));
    assert_eq!(course.run.state, RunState::Pausing);
    course.take(AT, Input::Report(MachineState::plain(StateKind::Run)));
    assert_eq!(course.run.state, RunState::Pausing);
    course.take(AT, Input::Report(MachineState::with_sub(StateKind::Hold, 0)));
    assert_eq!(course.run.state, RunState::Paused("on hold".into()));
    assert_eq!(course.resume().unwrap(), [Effect::CycleStart]);
    course.take(Time::from_millis(4000), Input::Wire(ProgramEvent::Held(false)));
    assert_eq!(course.run.state, RunState::Running);
    assert_eq!((course.pauses, course.run.paused_for.as_millis()), (1, 3000));
}

#[test]
fn a_hold_in_a_pause_keeps_it_paused_until_both_are_over() {
    let mut course = running();
    assert_eq!(course.pause(AT).unwrap(), [Effect::Pause]);
    wire(&mut course, ProgramEvent::AtRest(Rest::Paused));
    wire(&mut course, ProgramEvent::Held(true));
    wire(&mut course, ProgramEvent::Resumed);
    assert!(matches!(course.run.state, RunState::Paused(_)));
    wire(&mut course, ProgramEvent::Held(false));
    assert_eq!(course.run.state, RunState::Running);
}

#[test]
fn a_refused_line_leads_to_a_stop_or_a_skip_and_nowhere_else() {
    let refused = || ProgramEvent::Refused { number: 7, code: 20, meaning: "m".into(), text: "G1 H5".into() };
    let mut course = running();
    assert_eq!(wire(&mut course, refused()), [Effect::ReadAround(7)]);
    assert!(course.resume().is_err());
    wire(&mut course, ProgramEvent::Held(false));
    assert!(matches!(course.run.state, RunState::Paused(_)), "a bare resume changes nothing");
    assert_eq!(course.skip(AT).unwrap(), [Effect::StopProgram]);
    assert_eq!(course.next().map(|next| next.line), Some(8));
    let over = wire(&mut course, ProgramEvent::Ended(StreamEnd::Void(VoidReason::Reset)));
    assert_eq!(over, [Effect::Over]);
    assert!(matches!(&course.run.state, RunState::Failed(why) if why.contains("line 7")));
    assert!(matches!(course.run.prompt, Some(Prompt::LineRefused { .. })), "it stays to be read");
    assert!(running().skip(AT).is_err());
}

#[test]
fn prompts_come_from_the_feeder_and_go_when_the_controller_goes_on() {
    let mut course = running();
    let change = Prompt::ToolChange { line: 3, tool: Some(2), text: None, next: 4 };
    course.foresee(change.clone());
    wire(&mut course, ProgramEvent::Asks { number: 3 });
    assert_eq!(course.run.prompt, Some(change));
    assert!(matches!(&course.run.state, RunState::Paused(why) if why.contains("tool 2")));
    wire(&mut course, ProgramEvent::Passed { number: 3 });
    assert_eq!((course.run.prompt.clone(), course.run.state.clone()), (None, RunState::Running));
}

#[test]
fn each_end_has_its_words_and_nothing_follows_it() {
    let ends = [
        (ProgramEvent::AtRest(Rest::Finished), "Done"),
        (ProgramEvent::Ended(StreamEnd::Void(VoidReason::Reset)), "Stopped"),
        (ProgramEvent::Ended(StreamEnd::Void(VoidReason::Shutdown)), "Stopped"),
        (ProgramEvent::Ended(StreamEnd::Void(VoidReason::Alarm)), "Failed"),
        (ProgramEvent::Ended(StreamEnd::Void(VoidReason::LinkLost)), "Failed"),
        (ProgramEvent::Ended(StreamEnd::Void(VoidReason::ControllerReset)), "Failed"),
        (ProgramEvent::Ended(StreamEnd::LinesLost), "Failed"),
    ];
    for (end, state) in ends {
        let mut course = running();
        course.take(AT, Input::Alarm("alarm 1".into()));
        assert_eq!(wire(&mut course, end.clone()), [Effect::Over], "{end:?}");
        let told = format!("{:?}", course.run.state);
        // An alarm before a reset is what ended it.
        let state = if end == ProgramEvent::Ended(StreamEnd::Void(VoidReason::Reset)) { "Failed" } else { state };
        assert!(told.starts_with(state), "{end:?}: {told}");
        let before = course.run.clone();
        for late in [ProgramEvent::Held(true), ProgramEvent::Resumed, ProgramEvent::AtRest(Rest::Finished)] {
            assert_eq!(wire(&mut course, late), []);
        }
        assert_eq!(course.run, before);
    }
}

#[test]
fn check_mode_stops_at_the_first_error_by_itself() {
    let mut run = Run::new(RunId(1), PathBuf::from("part.nc"), 1, Time::ZERO);
    run.check_mode = true;
    let mut course = Course::new(run);
    course.take(AT, Input::Began);
    let refused = ProgramEvent::Refused { number: 7, code: 20, meaning: "m".into(), text: "G1 H5".into() };
    assert_eq!(wire(&mut course, refused), [Effect::StopProgram, Effect::ReadAround(7)]);
}

#[test]
fn who_steps_aside_at_a_tool_change_goes_on_behind_it() {
    for (prompt, line) in [
        (Prompt::ToolChange { line: 3, tool: Some(2), text: None, next: 4 }, 4),
        (Prompt::ToolChange { line: 3, tool: Some(2), text: None, next: 3 }, 3),
        (Prompt::Pause { line: 3, text: None }, 4),
    ] {
        let mut course = running();
        assert!(course.step_aside(AT).is_err(), "nobody is asked yet");
        course.foresee(prompt);
        wire(&mut course, ProgramEvent::Asks { number: 3 });
        assert_eq!(course.step_aside(AT).unwrap(), [Effect::StopProgram]);
        assert_eq!(course.run.state, RunState::Stopping);
        assert_eq!(wire(&mut course, ProgramEvent::Ended(StreamEnd::Void(VoidReason::Reset))), [Effect::Over]);
        let next = course.next().unwrap();
        assert_eq!(next.line, line);
        let RunState::Stopped(why) = &course.run.state else { panic!("{:?}", course.run.state) };
        assert!(why.contains(&format!("line {line}")) && course.run.prompt.is_none(), "{why}");
    }
}

#[test]
fn a_spindle_start_asks_for_power_before_it_asks_a_person() {
    let start = |line| Prompt::SpindleStart { line, counter_clockwise: false, text: String::new(), sure: true };
    let rests = |course: &mut Course, number| wire(course, ProgramEvent::AtRest(Rest::Waits { number }));
    let mut course = running();
    course.foresee(start(4));
    course.foresee(Prompt::ToolChange { line: 5, tool: None, text: None, next: 5 });
    course.foresee(start(5));
    // There is power: nobody sees a pause.
    assert_eq!(rests(&mut course, 4), [Effect::AskPower { line: 4, counter_clockwise: false, sure: true }]);
    assert_eq!((&course.run.state, course.pauses), (&RunState::Running, 0));
    course.has_power(4);
    wire(&mut course, ProgramEvent::Resumed);
    // A line that changes the tool and starts the spindle: one after the other.
    assert_eq!(rests(&mut course, 5), []);
    assert!(matches!(course.run.prompt, Some(Prompt::ToolChange { .. })));
    wire(&mut course, ProgramEvent::Resumed);
    assert_eq!(rests(&mut course, 5), [Effect::AskPower { line: 5, counter_clockwise: false, sure: true }]);
    course.waits_for_power(AT, 5, "too little");
    assert!(matches!(&course.run.prompt, Some(Prompt::SpindleStart { text, .. }) if text == "too little"));
    assert!(matches!(&course.run.state, RunState::Paused(why) if why.contains("waits for power")));
    wire(&mut course, ProgramEvent::Resumed);
    assert_eq!((&course.run.state, &course.run.prompt), (&RunState::Running, &None));
}
