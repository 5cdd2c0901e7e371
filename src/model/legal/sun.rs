//! Rules and parking: what may be asked of them, and what nobody may do while the machine is being parked.

use super::programs::{MAX_QUEUE, position_is_sure};
use crate::model::command::{Command, Refused};
use crate::model::machine::StateKind;
use crate::model::program::{RunRequest, Start};
use crate::model::snapshot::Snapshot;
use crate::model::sun::{Sun, SunOrder};
use crate::model::time::Time;
use crate::model::work::Switch;

/// Parking is a sequence of its own: a line between its steps would change where it leads. Stop keys are no commands, always
/// work, and end it.
pub(super) fn not_while_parking(command: &Command, snapshot: &Snapshot) -> Result<(), Refused> {
    let harmless = matches!(command, Command::Power(_) | Command::Control(_) | Command::CompareBackup { .. });
    if harmless || !snapshot.sun.is_parking() {
        return Ok(());
    }
    Err(Refused::because("the machine is being parked: wait, or stop it first (any stop key ends parking)"))
}

/// A line behind one that starts the spindle and waits would find it standing.
pub(super) fn not_while_spindle_waits(command: &Command, snapshot: &Snapshot) -> Result<(), Refused> {
    let Some(wait) = snapshot.sun.spindle.as_ref().filter(|wait| wait.line.is_none() && !wait.kept) else {
        return Ok(());
    };
    let harmless = matches!(
        command,
        Command::Power(_)
            | Command::Control(_)
            | Command::BackupSettings
            | Command::CompareBackup { .. }
            | Command::Switch(Switch::SpindleOff | Switch::CoolantOff)
    );
    if harmless {
        return Ok(());
    }
    let what = &wait.what;
    Err(Refused::because(format!("{what} waits for power: let it start anyway, or stop it first (any stop key does)")))
}

/// Whether an order about rules and parking is legal now.
pub(super) fn check(order: &SunOrder, snapshot: &Snapshot, now: Time) -> Result<(), Refused> {
    let sun = &snapshot.sun;
    let rule = |name: &String| {
        sun.find(name).ok_or_else(|| Refused::because(format!("there is no rule {name:?} in the configuration")))
    };
    match order {
        SunOrder::Park if sun.is_parking() => Err(Refused::because("it is being parked already")),
        SunOrder::Park => may_park(snapshot, now),
        SunOrder::SetAside { rule: name } if rule(name)?.aside.is_some() => {
            Err(Refused::because("it is set aside already"))
        }
        SunOrder::SetAside { .. } => Ok(()),
        SunOrder::TakeBack { rule: name } if rule(name)?.aside.is_none() => {
            Err(Refused::because("it is not set aside"))
        }
        SunOrder::TakeBack { .. } => Ok(()),
        SunOrder::SpindleGo { .. } | SunOrder::SpindleDrop if sun.spindle.is_none() => {
            Err(Refused::because("no spindle start waits for power"))
        }
        SunOrder::SpindleDrop if sun.spindle.as_ref().is_some_and(|wait| wait.line.is_some()) => {
            Err(Refused::because("it is a line of a program that waits: stop the program"))
        }
        SunOrder::SpindleGo { since: Some(since) } if sun.spindle.as_ref().is_none_or(|wait| wait.since != *since) => {
            Err(Refused::because("the start that was asked about is gone, and another one waits: look again"))
        }
        SunOrder::SpindleGo { .. } if sun.is_parking() => Err(Refused::because("the machine is being parked")),
        SunOrder::SpindleGo { .. } | SunOrder::SpindleDrop => Ok(()),
        SunOrder::StartWhenSun(run) => may_mark(run, snapshot),
        SunOrder::CancelStart if sun.waiting_start().is_none() => Err(Refused::because(match &sun.start {
            Some(over) => format!(
                "no program waits for the sun any more ({}: {}): what runs is stopped by a stop key",
                over.name, over.why
            ),
            None => "no program waits for the sun".to_owned(),
        })),
        SunOrder::CancelStart => Ok(()),
        SunOrder::CancelStartOf { path } if sun.waits_for_sun(path).is_none() => {
            Err(Refused::because("it does not wait for the sun"))
        }
        SunOrder::CancelStartOf { .. } => Ok(()),
        SunOrder::Dismiss if sun.notice.is_none() && (sun.park.is_none() || sun.is_parking()) && !is_over(sun) => {
            Err(Refused::because("there is nothing to put away"))
        }
        SunOrder::Dismiss => Ok(()),
    }
}

/// A start when the sun allows has ended, one way or the other.
fn is_over(sun: &Sun) -> bool {
    sun.start.is_some() && sun.waiting_start().is_none()
}

/// Whether a program may be marked: whatever has to be looked at by a person has to be done now, since nobody will be there.
fn may_mark(run: &RunRequest, snapshot: &Snapshot) -> Result<(), Refused> {
    let because = |why: &str| Err(Refused::because(why));
    let sun = &snapshot.sun;
    if !sun.start_allowed {
        return because("programs are not started by the sun here: allow_start in [sun] of config.toml allows it");
    }
    if let Some(waiting) = sun.waits_for_sun(&run.path) {
        return Err(Refused::because(format!("{} waits for the sun already: cancel that first", waiting.name)));
    }
    let queue = &snapshot.programs.queue;
    if !queue.contains(&run.path) && queue.len() >= MAX_QUEUE {
        return Err(Refused::because(format!("the queue is full ({MAX_QUEUE}): take one out first")));
    }
    if run.seen.is_none() || run.agreed.unchecked {
        return because("its check has to have come to its end first");
    }
    if run.start != Start::Beginning || run.check_mode {
        return because("only a whole program can wait for the sun");
    }
    if !run.agreed.position_word.is_empty() || run.agreed.warnings {
        return because(
            "nothing can be agreed to for a start that nobody looks at: home it, and mend what is warned of",
        );
    }
    if snapshot.machine.limits.homing != Some(true) || !position_is_sure(&run.start, &snapshot.machine) {
        return because("the machine has to be homed: a start that nobody looks at needs a sure position");
    }
    Ok(())
}

/// Whether parking can begin: the hub asks the same before a rule does.
pub(in crate::model) fn may_park(snapshot: &Snapshot, now: Time) -> Result<(), Refused> {
    let because = |why: &str| Err(Refused::because(why));
    let Some(state) = snapshot.machine.fresh_state(now) else {
        return because("the machine does not answer: use its own stop");
    };
    match state.kind {
        StateKind::Alarm => because("an alarm is in force: nothing moves until a person has cleared it"),
        StateKind::Home => because("it is homing: only a reset stops that"),
        StateKind::Check => because("check mode moves nothing"),
        StateKind::Sleep => because("the controller sleeps: its motors are off already"),
        StateKind::Starting => because("the controller is starting: nothing moves"),
        _ => Ok(()),
    }
}
