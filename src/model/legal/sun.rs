//! Rules and parking: what may be asked of them, and what nobody may do while the machine is being parked.

use crate::model::command::{Command, Refused};
use crate::model::machine::StateKind;
use crate::model::snapshot::Snapshot;
use crate::model::sun::SunOrder;
use crate::model::time::Time;

/// Parking is a sequence of its own: a line between its steps would change where it leads. Stop keys are no commands, always
/// work, and end it.
pub(super) fn not_while_parking(command: &Command, snapshot: &Snapshot) -> Result<(), Refused> {
    let harmless = matches!(command, Command::Power(_) | Command::Control(_) | Command::CompareBackup { .. });
    if harmless || !snapshot.sun.is_parking() {
        return Ok(());
    }
    Err(Refused::because("the machine is being parked: wait, or stop it first (any stop key ends parking)"))
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
        SunOrder::SetAside { rule: name } if rule(name)?.aside => Err(Refused::because("it is set aside already")),
        SunOrder::SetAside { .. } => Ok(()),
        SunOrder::TakeBack { rule: name } if !rule(name)?.aside => Err(Refused::because("it is not set aside")),
        SunOrder::TakeBack { .. } => Ok(()),
        SunOrder::Dismiss if sun.notice.is_none() && (sun.park.is_none() || sun.is_parking()) => {
            Err(Refused::because("there is nothing to put away"))
        }
        SunOrder::Dismiss => Ok(()),
    }
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
