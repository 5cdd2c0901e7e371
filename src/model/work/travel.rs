//! Whether an order may be sent now: state, axes, travel.

use super::order::{Frame, GoTo, Slot, Switch, Work};
use crate::model::axes::{Axis, AxisVec};
use crate::model::command::Refused;
use crate::model::legal::{cannot, has_axis, needs_reset};
use crate::model::machine::{Firmware, StateKind};
use crate::model::outputs::check_output;
use crate::model::quantity::number;
use crate::model::snapshot::{Machine, Snapshot};

/// How far below the top of its travel Z goes for a move across: clear of the switch, and of its pull-off.
pub const SAFE_Z_BELOW_TOP_MM: f64 = 5.0;
/// Rounding of reports and lines.
const SLACK: f64 = 0.001;

/// The machine position to which Z is to be lifted before a move across; `None`: Z is there or above.
///
/// # Errors
/// Why no safe height is known: Z is not homed, or its travel is not known.
pub fn safe_z_mm(machine: &Machine) -> Result<Option<f64>, Refused> {
    if !machine.homed.contains(Axis::Z) {
        return Err(Refused::because("Z is not homed, so no safe height is known"));
    }
    let Some((_, top)) = machine.limits.machine_range(Axis::Z, machine.identity.as_ref()) else {
        return Err(Refused::because("the travel of Z is not known, so no safe height is"));
    };
    let safe = top - SAFE_Z_BELOW_TOP_MM;
    let here = machine.machine_position.and_then(|position| position.get(Axis::Z));
    Ok(here.is_none_or(|here| here < safe - SLACK).then_some(safe))
}

/// Where a value in `frame` lies in machine coordinates, as far as the offsets are known.
pub fn machine_target(machine: &Machine, axis: Axis, value: f64, frame: Frame) -> Option<f64> {
    let of = |vec: Option<AxisVec>| vec.and_then(|vec| vec.get(axis));
    match frame {
        Frame::Machine => Some(value),
        Frame::Work => of(machine.work_offset).map(|offset| offset + value),
        Frame::Relative => of(machine.machine_position).map(|here| here + value),
    }
}

/// Holds a target against the travel of a homed axis. `Ok(false)`: it could not be checked, since the axis is not
/// homed or its travel is not known.
///
/// # Errors
/// Out of travel, with the numbers.
pub fn check_target(machine: &Machine, axis: Axis, value: f64, frame: Frame) -> Result<bool, Refused> {
    let range = machine.limits.machine_range(axis, machine.identity.as_ref());
    let target = machine_target(machine, axis, value, frame);
    let (Some((low, high)), Some(target), true) = (range, target, machine.homed.contains(axis)) else {
        return Ok(false);
    };
    if (low - SLACK..=high + SLACK).contains(&target) {
        return Ok(true);
    }
    Err(Refused::because(format!(
        "{axis} {} would be machine {}, outside the travel of {} to {} {}",
        number(value),
        number(target),
        number(low),
        number(high),
        axis.unit()
    )))
}

/// Whether a change of offsets may be sent now.
pub(in crate::model) fn check_work(work: &Work, state: StateKind, snapshot: &Snapshot) -> Result<(), Refused> {
    let machine = &snapshot.machine;
    if state != StateKind::Idle {
        return Err(cannot("change offsets", state, machine));
    }
    match work {
        Work::Select(wcs) => {
            let grbl = machine.identity.as_ref().is_some_and(|identity| identity.firmware == Firmware::Grbl);
            if grbl && wcs.number() > 6 {
                return Err(Refused::because(format!("Grbl has G54 to G59 only, no {}", wcs.name())));
            }
            Ok(())
        }
        Work::Set(values) => values_are_good(values, machine),
        Work::Half(axes) => {
            if axes.is_empty() {
                return Err(Refused::because("a work offset needs an axis"));
            }
            for axis in axes.iter() {
                has_axis(axis, machine)?;
                if machine.work_position.and_then(|position| position.get(axis)).is_none() {
                    return Err(Refused::because(format!("the work position of {axis} is not known yet")));
                }
            }
            Ok(())
        }
        Work::Store(stored) if machine.homed.is_empty() => Err(Refused::because(format!(
            "{} keeps a machine position, and the machine is not homed: home first",
            stored.name()
        ))),
        Work::Store(_) | Work::ClearG92 | Work::ClearToolLength => Ok(()),
        Work::SetToolLength(mm) if !mm.is_finite() => Err(Refused::because("a tool length needs a number")),
        Work::SetToolLength(_) => has_axis(Axis::Z, machine),
        Work::Undo(id) => {
            let change = snapshot.offset_history.iter().find(|change| change.id == *id);
            let change = change.ok_or_else(|| Refused::because("that change is not in the history any more"))?;
            match change.slot {
                Slot::Stored(stored) => Err(Refused::because(format!(
                    "{0} can only be set to where the machine stands: go back there and store {0} again",
                    stored.name()
                ))),
                Slot::G92 if machine.work_position.is_none() => {
                    Err(Refused::because("the work position is not known yet"))
                }
                _ => Ok(()),
            }
        }
    }
}

fn values_are_good(values: &[(Axis, f64)], machine: &Machine) -> Result<(), Refused> {
    if values.is_empty() {
        return Err(Refused::because("name at least one axis"));
    }
    for (i, (axis, value)) in values.iter().enumerate() {
        has_axis(*axis, machine)?;
        if !value.is_finite() {
            return Err(Refused::because(format!("{axis} needs a number")));
        }
        if values[i + 1..].iter().any(|(other, _)| other == axis) {
            return Err(Refused::because(format!("{axis} is given twice")));
        }
    }
    Ok(())
}

/// Whether a move may be sent now.
pub(in crate::model) fn check_go_to(go_to: &GoTo, state: StateKind, machine: &Machine) -> Result<(), Refused> {
    if state != StateKind::Idle {
        return Err(cannot("go there", state, machine));
    }
    match go_to {
        GoTo::Point { targets, frame, feed_mm_min } => {
            values_are_good(targets, machine)?;
            if feed_mm_min.is_some_and(|feed| !(feed.is_finite() && feed > 0.0)) {
                return Err(Refused::because("a feed must be above 0"));
            }
            if *frame == Frame::Machine
                && let Some((axis, _)) = targets.iter().find(|(axis, _)| !machine.homed.contains(*axis))
            {
                return Err(Refused::because(format!("machine coordinates mean nothing before homing: home {axis}")));
            }
            targets.iter().try_for_each(|&(axis, value)| check_target(machine, axis, value, *frame).map(drop))
        }
        GoTo::WorkZero { axes, lift_to_mm } => {
            if axes.is_empty() {
                return Err(Refused::because("name at least one axis"));
            }
            axes.iter().try_for_each(|axis| {
                has_axis(axis, machine)?;
                check_target(machine, axis, 0.0, Frame::Work).map(drop)
            })?;
            check_lift(*lift_to_mm, machine)
        }
        GoTo::Stored { stored, lift_to_mm } => {
            if machine.homed.is_empty() {
                return Err(Refused::because(format!(
                    "{} is a machine position, and the machine is not homed: home first",
                    stored.name()
                )));
            }
            let Some(target) = machine.offsets.get(stored.name()) else {
                return Err(Refused::because(format!("it is not known where {} is", stored.name())));
            };
            target.iter().try_for_each(|(axis, v)| check_target(machine, axis, v, Frame::Machine).map(drop))?;
            check_lift(*lift_to_mm, machine)
        }
    }
}

fn check_lift(lift_to_mm: Option<f64>, machine: &Machine) -> Result<(), Refused> {
    let Some(z) = lift_to_mm else { return Ok(()) };
    if !machine.homed.contains(Axis::Z) {
        return Err(Refused::because("Z is not homed: it cannot be lifted to a machine height"));
    }
    let here = machine.machine_position.and_then(|position| position.get(Axis::Z));
    if !z.is_finite() || here.is_some_and(|here| z < here - SLACK) {
        return Err(Refused::because("lifting Z would lower it"));
    }
    check_target(machine, Axis::Z, z, Frame::Machine).map(drop)
}

/// Whether spindle, coolant, an output or a mode may be switched now.
pub(in crate::model) fn check_switch(switch: Switch, state: StateKind, snapshot: &Snapshot) -> Result<(), Refused> {
    let machine = &snapshot.machine;
    match (switch, state) {
        (Switch::Output(order), _) => check_output(order, state, snapshot),
        (Switch::Sleep, StateKind::Alarm) if needs_reset(machine) => {
            Err(Refused::because("this alarm needs a soft reset first (Ctrl+X)"))
        }
        (Switch::Sleep, StateKind::Idle | StateKind::Alarm)
        | (Switch::CheckMode, StateKind::Idle | StateKind::Check) => Ok(()),
        (Switch::Sleep, other) => Err(cannot("go to sleep", other, machine)),
        (Switch::CheckMode, other) => Err(cannot("switch check mode", other, machine)),
        (Switch::Spindle { rpm, .. }, StateKind::Idle) => {
            if !(rpm.is_finite() && rpm > 0.0) {
                return Err(Refused::because("a spindle speed must be above 0; M5 switches it off"));
            }
            match machine.limits.spindle_max_rpm.filter(|&max| max > 0.0 && rpm > max) {
                Some(max) => Err(Refused::because(format!(
                    "{} rpm is above the spindle's maximum of {} ($30)",
                    number(rpm),
                    number(max)
                ))),
                None => Ok(()),
            }
        }
        (_, StateKind::Idle) => Ok(()),
        (_, other) => Err(cannot("switch spindle or coolant by a line", other, machine)),
    }
}
