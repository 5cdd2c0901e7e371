//! Programs: what the runner may be asked, and what nobody else may do while one runs.

use std::path::Path;

use super::cannot;
use crate::model::axes::{Axis, AxisSet, AxisVec};
use crate::model::command::{Command, Refused};
use crate::model::machine::{Firmware, StateKind};
use crate::model::program::order::POSITION_WORD;
use crate::model::program::{ProgramOrder, Prompt, RunRequest, RunState, Start};
use crate::model::snapshot::{Machine, Snapshot};
use crate::model::work::Slot;

/// Offsets are told in thousandths.
const SAME_MM: f64 = 0.002;
/// Programs that may wait in the queue.
pub const MAX_QUEUE: usize = 32;

/// While a program is open its lines are the only ones: a line between them would change what the rest means. Realtime keys
/// are no commands and always work.
///
/// # Errors
/// What to do first.
pub fn not_between_lines(command: &Command, snapshot: &Snapshot) -> Result<(), Refused> {
    match command {
        Command::Program(_) | Command::BackupSettings | Command::CompareBackup { .. } => Ok(()),
        _ => no_program(snapshot),
    }
}

/// No program is open.
pub(super) fn no_program(snapshot: &Snapshot) -> Result<(), Refused> {
    match snapshot.programs.run.as_ref().filter(|run| run.state.is_open()) {
        Some(run) => Err(Refused::because(format!(
            "{} is being run (line {}): stop it first. Position is kept, and it can go on from there",
            run.name, run.acked_line
        ))),
        None => Ok(()),
    }
}

/// What the end of check mode takes, in words; `None`: nothing is lost. `$C` leaves it by a reset, in which the G92 shift dies on Grbl
/// and FluidNC, and the tool length on all.
pub fn check_mode_takes(machine: &Machine) -> Option<String> {
    let is_set = |slot: Slot| machine.offsets.get(slot.name()).is_some_and(|offset| offset.norm() > 0.0);
    let forgets = machine.identity.as_ref().is_none_or(|identity| identity.firmware != Firmware::GrblHal);
    let lost = match (is_set(Slot::G92) && forgets, is_set(Slot::Tlo)) {
        (true, true) => "the G92 shift and the tool length",
        (true, false) => "the G92 shift",
        (false, true) => "the tool length",
        (false, false) => return None,
    };
    Some(format!("check mode ends with a reset: {lost} that is set now will be lost. Set it again afterwards"))
}

/// The G92 shift died with the run that is offered to be taken up, and nobody has set those zeros anew since: whatever begins at
/// its first line begins on another zero. To take the run up sets it again.
pub fn shift_lost(snapshot: &Snapshot) -> Option<String> {
    let machine = &snapshot.machine;
    let left = &snapshot.programs.interrupted.as_ref()?.left;
    let (then, now) = (left.g92?, machine.offsets.get(Slot::G92.name())?);
    let active = machine.modal.as_ref().and_then(|modal| modal.wcs())?;
    let systems = (left.systems.get(active), machine.offsets.get(active));
    let value = |offset: Option<&AxisVec>, axis| offset.and_then(|offset| offset.get(axis)).unwrap_or_default();
    let is_lost = |(axis, shift): (Axis, f64)| {
        let stays = (value(systems.0, axis) - value(systems.1, axis)).abs() < SAME_MM;
        (shift.abs() >= SAME_MM && value(Some(now), axis).abs() < SAME_MM && stays).then(|| axis.letter().to_string())
    };
    let axes: Vec<String> = then.iter().filter_map(is_lost).collect();
    let run = &snapshot.programs.interrupted.as_ref()?.run.name;
    (!axes.is_empty()).then(|| {
        format!(
            "the G92 shift of {} that was in force when {run} ended died in the reset: work zero is another one now. Set it again, \
             or take that run up, which does",
            axes.join(", ")
        )
    })
}

/// What a person has to agree to before this start of the file at `path`, apart from what the check of the file says.
pub fn to_agree(path: &Path, start: &Start, check_mode: bool, snapshot: &Snapshot) -> Option<String> {
    let offered = snapshot.programs.interrupted.as_ref();
    match start {
        _ if check_mode => check_mode_takes(&snapshot.machine),
        // What takes the offered run up sets its zero again.
        Start::Line { .. } if offered.is_some_and(|offered| path == Path::new(&offered.run.path)) => None,
        Start::Beginning | Start::Line { .. } => shift_lost(snapshot),
        Start::Outline { .. } => None,
    }
}

/// Whether an order to the runner is legal, as far as that can be told without reading the file.
///
/// # Errors
/// The reason, as a sentence fragment that says what to do first.
pub fn check(order: &ProgramOrder, state: Result<StateKind, Refused>, snapshot: &Snapshot) -> Result<(), Refused> {
    let open = snapshot.programs.run.as_ref().filter(|run| run.state.is_open());
    match order {
        ProgramOrder::Run(request) => {
            if let Some(run) = open {
                return Err(Refused::because(format!("{} is being run: one program at a time", run.name)));
            }
            // Check mode moves nothing, so there is nothing to stop.
            if let Some(why) = snapshot.sun.start_blocked().filter(|_| !request.check_mode) {
                return Err(Refused::because(why));
            }
            may_run(request, state?, &snapshot.machine)?;
            match to_agree(&request.path, &request.start, request.check_mode, snapshot)
                .filter(|_| !request.agreed.warnings)
            {
                Some(why) => Err(Refused::because(format!("{why}: agree to that first"))),
                None => Ok(()),
            }
        }
        ProgramOrder::PauseAtLineEnd => match open.map(|run| &run.state) {
            Some(RunState::Running) => Ok(()),
            Some(_) => Err(Refused::because("it does not run at present")),
            None => Err(Refused::because("no program is running")),
        },
        ProgramOrder::Resume => {
            let run = open.ok_or_else(|| answered_or("no program is running", snapshot))?;
            match (&run.state, &run.prompt) {
                (_, Some(Prompt::LineRefused { .. })) => Err(Refused::because(
                    "a line was refused, and the controller still has lines that would run: skip the line, or stop",
                )),
                (RunState::Paused(_) | RunState::Pausing, _) => Ok(()),
                _ => Err(answered_or("it is not paused", snapshot)),
            }
        }
        ProgramOrder::SkipLine => match open.and_then(|run| run.prompt.as_ref()) {
            Some(Prompt::LineRefused { .. }) => Ok(()),
            _ => Err(answered_or("no line was refused", snapshot)),
        },
        ProgramOrder::StepAside => match open.and_then(|run| run.prompt.as_ref()) {
            Some(Prompt::ToolChange { .. } | Prompt::Pause { .. }) => Ok(()),
            _ => Err(answered_or("the program does not wait for a person", snapshot)),
        },
        ProgramOrder::Forget(id) => match &snapshot.programs.interrupted {
            Some(interrupted) if interrupted.run.id == *id => Ok(()),
            _ => Err(Refused::because("that run is not offered any more")),
        },
        ProgramOrder::Enqueue(path) if snapshot.programs.queue.contains(path) => {
            Err(Refused::because("it is in the queue already"))
        }
        ProgramOrder::Enqueue(_) if snapshot.programs.queue.len() >= MAX_QUEUE => {
            Err(Refused::because(format!("the queue is full ({MAX_QUEUE}): take one out first")))
        }
        ProgramOrder::Enqueue(_) => Ok(()),
        ProgramOrder::Unqueue(place) if *place < snapshot.programs.queue.len() => Ok(()),
        ProgramOrder::Unqueue(_) => Err(Refused::because("there is no such place in the queue")),
    }
}

/// For an answer to a question that is not asked any more: who was first, if it was asked at all.
fn answered_or(why: &str, snapshot: &Snapshot) -> Refused {
    let answered = snapshot.programs.run.as_ref().and_then(|run| run.answered.as_ref());
    Refused::because(answered.map_or_else(|| why.to_owned(), |answered| format!("{why}: {answered}")))
}

fn may_run(request: &RunRequest, state: StateKind, machine: &Machine) -> Result<(), Refused> {
    if state != StateKind::Idle {
        return Err(cannot("run a program", state, machine));
    }
    if machine.alarm.is_some() {
        return Err(cannot("run a program", StateKind::Alarm, machine));
    }
    if matches!(request.start, Start::Line { line: 0, .. }) {
        return Err(Refused::because("lines are counted from 1"));
    }
    if request.seen.is_none() && !request.agreed.unchecked {
        return Err(Refused::because("its check has not come to the end: wait for it, or agree to run it unchecked"));
    }
    if request.check_mode {
        return Ok(());
    }
    if position_is_sure(&request.start, machine) || request.agreed.position_word == POSITION_WORD {
        return Ok(());
    }
    let missing = missing_homing(machine);
    let why = if missing.is_empty() {
        "this controller does not home, so nobody can know where it stands".to_owned()
    } else {
        format!("{missing} is not homed")
    };
    Err(Refused::because(format!("{why}: home first, or type \"{POSITION_WORD}\" if it is")))
}

/// Whether nothing has to be said about position. A controller that does not home can run programs from their beginning, where a
/// person has just set the zero; a start from a line relies on an older one.
pub fn position_is_sure(start: &Start, machine: &Machine) -> bool {
    let homes = machine.limits.homing == Some(true);
    missing_homing(machine).is_empty() && (homes || *start == Start::Beginning)
}

/// Axes that this controller homes and that are not homed. Only linear axes: what a rotary axis needs depends on its build.
fn missing_homing(machine: &Machine) -> AxisSet {
    if machine.limits.homing == Some(false) {
        return AxisSet::EMPTY;
    }
    let linear = [Axis::X, Axis::Y, Axis::Z].into_iter().filter(|axis| axis.index() < machine.axis_count());
    linear.filter(|axis| !machine.homed.contains(*axis)).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::path::PathBuf;
    use std::sync::Arc;

    use super::*;
    use crate::model::program::{Agreed, Checkpoint, ContentHash, Interrupted, PastRun, Run, RunId};
    use crate::model::time::Time;

    fn homed() -> Snapshot {
        let mut snapshot = Snapshot::default();
        snapshot.machine.limits.homing = Some(true);
        snapshot.machine.homed = AxisSet::first(3);
        snapshot
    }

    fn request() -> RunRequest {
        RunRequest {
            path: PathBuf::from("part.nc"),
            seen: Some(ContentHash([1; 32])),
            start: Start::Beginning,
            agreed: Agreed::default(),
            check_mode: false,
            on_link_loss: None,
        }
    }

    fn run(state: RunState, prompt: Option<Prompt>) -> Snapshot {
        let mut snapshot = homed();
        snapshot.programs.run =
            Some(Run { state, prompt, ..Run::new(RunId(1), PathBuf::from("part.nc"), 1, Time::ZERO) });
        snapshot
    }

    fn asked(order: &ProgramOrder, snapshot: &Snapshot) -> Result<(), String> {
        check(order, Ok(StateKind::Idle), snapshot).map_err(|why| why.0)
    }

    fn asked_run(change: impl FnOnce(&mut RunRequest), snapshot: &Snapshot) -> Result<(), String> {
        let mut request = request();
        change(&mut request);
        asked(&ProgramOrder::Run(Box::new(request)), snapshot)
    }

    #[test]
    fn a_checked_program_runs_on_a_homed_machine_that_stands() {
        assert_eq!(asked_run(|_| (), &homed()), Ok(()));
        for state in
            [StateKind::Run, StateKind::Hold, StateKind::Alarm, StateKind::Check, StateKind::Door, StateKind::Tool]
        {
            assert!(check(&ProgramOrder::Run(Box::new(request())), Ok(state), &homed()).is_err(), "{state:?}");
        }
        let why =
            check(&ProgramOrder::Run(Box::new(request())), Err(Refused::because("no link")), &homed()).unwrap_err();
        assert_eq!(why.0, "no link");
    }

    #[test]
    fn an_unchecked_one_needs_a_word_for_it() {
        assert!(asked_run(|run| run.seen = None, &homed()).unwrap_err().contains("unchecked"));
        let agreed = |run: &mut RunRequest| (run.seen, run.agreed.unchecked) = (None, true);
        assert_eq!(asked_run(agreed, &homed()), Ok(()));
    }

    #[test]
    fn position_is_homed_or_said_to_be_good() {
        let mut lost = homed();
        lost.machine.homed = [Axis::X, Axis::Y].into_iter().collect();
        assert!(asked_run(|_| (), &lost).unwrap_err().contains('Z'));
        assert!(asked_run(|run| run.agreed.position_word = "yes".into(), &lost).is_err());
        assert_eq!(asked_run(|run| run.agreed.position_word = POSITION_WORD.into(), &lost), Ok(()));
        assert_eq!(asked_run(|run| run.check_mode = true, &lost), Ok(()), "check mode moves nothing");
        let mut never = homed();
        never.machine.limits.homing = Some(false);
        never.machine.homed = AxisSet::EMPTY;
        assert_eq!(asked_run(|_| (), &never), Ok(()), "a machine without switches works too");
        let line = |run: &mut RunRequest| run.start = Start::Line { line: 5, preamble: Vec::new() };
        assert!(asked_run(line, &never).unwrap_err().contains(POSITION_WORD));
    }

    fn with_offset(name: &str, values: &[f64]) -> Snapshot {
        let mut snapshot = homed();
        snapshot.machine.offsets = BTreeMap::from([(name.to_owned(), AxisVec::from_slice(values))]);
        snapshot
    }

    #[test]
    fn what_check_mode_takes_is_agreed_to() {
        let check = |agreed, snapshot: &Snapshot| {
            asked_run(|run| (run.check_mode, run.agreed.warnings) = (true, agreed), snapshot)
        };
        let shifted = with_offset("G92", &[3.0, 2.0, 0.0]);
        assert!(check(false, &shifted).unwrap_err().contains("G92 shift"));
        assert_eq!(check(true, &shifted), Ok(()));
        assert_eq!(asked_run(|_| (), &shifted), Ok(()), "a run for real takes nothing");
        assert!(check(false, &with_offset("TLO", &[-4.5])).unwrap_err().contains("tool length"));
        assert_eq!(check(false, &with_offset("G92", &[0.0; 3])), Ok(()));
        let mut hal = shifted;
        hal.machine.identity = Some(crate::model::machine::Identity {
            firmware: Firmware::GrblHal,
            version: String::new(),
            name: None,
            options: String::new(),
            planner_blocks: None,
            rx_bytes: None,
            axes: None,
        });
        assert_eq!(check(false, &hal), Ok(()), "grblHAL keeps it");
    }

    #[test]
    fn a_shift_that_died_with_a_run_is_agreed_to_before_another_begins() {
        let mut snapshot = with_offset("G92", &[0.0; 3]);
        snapshot.machine.modal = Some(crate::model::machine::ModalState { words: vec!["G54".into()] });
        let offer = |shift: &[f64], g54: f64| {
            let zero = AxisVec::from_slice(&[g54, 0.0, 0.0]);
            let left = Checkpoint {
                g92: Some(AxisVec::from_slice(shift)),
                systems: BTreeMap::from([("G54".to_owned(), zero)]),
                ..Checkpoint::default()
            };
            let path = request().path.display().to_string();
            let run = PastRun { name: "part.nc".into(), path, ..PastRun::default() };
            Some(Arc::new(Interrupted { run, suggested_line: 1, why: String::new(), warnings: Vec::new(), left }))
        };
        snapshot.programs.interrupted = offer(&[3.0, 0.0, 0.0], 0.0);
        let why = asked_run(|_| (), &snapshot).unwrap_err();
        assert!(why.contains("G92 shift of X"), "{why}");
        assert_eq!(asked_run(|run| run.agreed.warnings = true, &snapshot), Ok(()));
        let line = |run: &mut RunRequest| run.start = Start::Line { line: 5, preamble: Vec::new() };
        assert_eq!(asked_run(line, &snapshot), Ok(()), "it is set again");
        let other = |run: &mut RunRequest| {
            line(run);
            run.path = "other.nc".into();
        };
        assert!(asked_run(other, &snapshot).unwrap_err().contains("G92 shift of X"), "not for another file");
        snapshot.programs.interrupted = offer(&[3.0, 0.0, 0.0], 7.0);
        assert_eq!(asked_run(|_| (), &snapshot), Ok(()), "somebody has set that zero anew");
        snapshot.programs.interrupted = offer(&[0.0; 3], 0.0);
        assert_eq!(asked_run(|_| (), &snapshot), Ok(()));
    }

    #[test]
    fn one_program_at_a_time_and_nothing_between_its_lines() {
        for state in [RunState::Ready, RunState::Running, RunState::Paused("x".into()), RunState::Stopping] {
            let snapshot = run(state, None);
            assert!(asked_run(|_| (), &snapshot).unwrap_err().contains("one program"));
            assert!(not_between_lines(&Command::Mdi("G0 X1".into()), &snapshot).is_err());
            assert!(not_between_lines(&Command::Unlock, &snapshot).is_err());
            assert_eq!(not_between_lines(&Command::Program(ProgramOrder::Resume), &snapshot), Ok(()));
        }
        let over = run(RunState::Done, None);
        assert_eq!(asked_run(|_| (), &over), Ok(()));
        assert_eq!(not_between_lines(&Command::Mdi("G0 X1".into()), &over), Ok(()));
    }

    #[test]
    fn pause_resume_and_skip_only_where_they_mean_something() {
        let refused = || Prompt::LineRefused { line: 3, code: 20, meaning: String::new(), around: Vec::new() };
        let paused = || RunState::Paused("on hold".into());
        for (state, prompt, pause, resume, skip) in [
            (RunState::Ready, None, false, false, false),
            (RunState::Running, None, true, false, false),
            (RunState::Pausing, None, false, true, false),
            (paused(), None, false, true, false),
            (paused(), Some(refused()), false, false, true),
            (RunState::Stopping, None, false, false, false),
            (RunState::Done, None, false, false, false),
        ] {
            let snapshot = run(state.clone(), prompt);
            let may = |order| asked(&order, &snapshot).is_ok();
            let got = [ProgramOrder::PauseAtLineEnd, ProgramOrder::Resume, ProgramOrder::SkipLine].map(may);
            assert_eq!(got, [pause, resume, skip], "{state:?}");
        }
    }

    #[test]
    fn who_is_asked_may_step_aside_and_nobody_else() {
        let paused = || RunState::Paused("the program waits".into());
        let change = Prompt::ToolChange { line: 3, tool: None, text: None, next: 4 };
        let asked_in = |prompt| asked(&ProgramOrder::StepAside, &run(paused(), prompt)).is_ok();
        assert!(asked_in(Some(change)) && asked_in(Some(Prompt::Pause { line: 3, text: None })));
        let refused = Prompt::LineRefused { line: 3, code: 20, meaning: String::new(), around: Vec::new() };
        assert!(!asked_in(Some(refused)) && !asked_in(None));
        assert!(asked(&ProgramOrder::StepAside, &homed()).is_err());
    }

    #[test]
    fn the_queue_is_short_and_holds_each_once() {
        let mut snapshot = homed();
        let path = |n: usize| PathBuf::from(format!("{n}.nc"));
        snapshot.programs.queue = Arc::new((0..MAX_QUEUE - 1).map(path).collect());
        assert!(asked(&ProgramOrder::Enqueue(path(3)), &snapshot).is_err());
        assert_eq!(asked(&ProgramOrder::Enqueue(path(99)), &snapshot), Ok(()));
        assert_eq!(asked(&ProgramOrder::Unqueue(0), &snapshot), Ok(()));
        assert!(asked(&ProgramOrder::Unqueue(MAX_QUEUE - 1), &snapshot).is_err());
        snapshot.programs.queue = Arc::new((0..MAX_QUEUE).map(path).collect());
        assert!(asked(&ProgramOrder::Enqueue(path(99)), &snapshot).unwrap_err().contains("full"));
    }
}
