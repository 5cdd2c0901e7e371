//! The lines, as all three firmwares read them. A line never changes units or distance mode: it is written in those in
//! force and says so.

use super::order::{Frame, GoTo, OffsetChange, Slot, Stored, Switch, Work};
use crate::model::axes::{Axis, AxisVec};
use crate::model::command::{Command, Refused};
use crate::model::outputs::of_output;
use crate::model::quantity::{MM_PER_INCH, number};
use crate::model::snapshot::{Machine, Snapshot};

/// The lines of a command of this room, in the order in which they go; empty for every other command.
///
/// # Errors
/// When something that a line depends on is not known.
pub fn compose(command: &Command, snapshot: &Snapshot) -> Result<Vec<String>, Refused> {
    match command {
        Command::Work(work) => of_work(work, snapshot).map(|line| vec![line]),
        Command::GoTo(go_to) => of_go_to(go_to, &snapshot.machine),
        Command::Switch(switch) => Ok(vec![of_switch(*switch)]),
        _ => Ok(Vec::new()),
    }
}

/// The line of a change of offsets.
///
/// # Errors
/// When units or positions that it depends on are not known, or the change cannot be undone.
pub fn of_work(work: &Work, snapshot: &Snapshot) -> Result<String, Refused> {
    let machine = &snapshot.machine;
    let units = Units::of(machine);
    match work {
        Work::Select(wcs) => Ok(wcs.name().to_owned()),
        Work::Set(values) => Ok(format!("G10 L20 P0{}", units.words(values)?)),
        Work::Half(axes) => {
            let values = axes
                .iter()
                .map(|axis| Ok((axis, known(machine.work_position, axis, "work position")? / 2.0)))
                .collect::<Result<Vec<_>, Refused>>()?;
            Ok(format!("G10 L20 P0{}", units.words(&values)?))
        }
        Work::Store(Stored::G28) => Ok("G28.1".to_owned()),
        Work::Store(Stored::G30) => Ok("G30.1".to_owned()),
        Work::ClearG92 => Ok("G92.1".to_owned()),
        Work::SetToolLength(mm) => Ok(format!("G43.1{}", units.words(&[(Axis::Z, *mm)])?)),
        Work::ClearToolLength => Ok("G49".to_owned()),
        Work::Undo(id) => {
            let change = snapshot.offset_history.iter().find(|change| change.id == *id);
            undo(change.ok_or_else(|| Refused::because("that change is not in the history any more"))?, machine)
        }
    }
}

/// The line that writes back what a change replaced.
fn undo(change: &OffsetChange, machine: &Machine) -> Result<String, Refused> {
    let units = Units::of(machine);
    let before: Vec<_> = change.before.iter().filter(|(axis, _)| change.axes().contains(*axis)).collect();
    match change.slot {
        Slot::Wcs(wcs) => Ok(format!("G10 L2 P{}{}", wcs.number(), units.words(&before)?)),
        Slot::G92 if change.before.norm() == 0.0 => Ok("G92.1".to_owned()),
        // G92 takes what the present position is to read; its offset is the difference.
        Slot::G92 => {
            let now = machine.offsets.get(Slot::G92.name()).copied();
            let values = before
                .iter()
                .map(|&(axis, offset)| {
                    let reads = known(machine.work_position, axis, "work position")?;
                    Ok((axis, reads + known(now, axis, "G92 offset")? - offset))
                })
                .collect::<Result<Vec<_>, Refused>>()?;
            Ok(format!("G92{}", units.words(&values)?))
        }
        Slot::Tlo => match (change.before.len(), change.before.as_slice()) {
            (_, values) if values.iter().all(|&v| v == 0.0) => Ok("G49".to_owned()),
            (1, &[z]) => Ok(format!("G43.1{}", units.words(&[(Axis::Z, z)])?)),
            _ => Ok(format!("G43.1{}", units.words(&before)?)),
        },
        Slot::Stored(stored) => Err(Refused::because(format!("{} cannot be written, only stored", stored.name()))),
    }
}

/// The lines of a move.
///
/// # Errors
/// When units, distance mode or positions that they depend on are not known.
pub fn of_go_to(go_to: &GoTo, machine: &Machine) -> Result<Vec<String>, Refused> {
    let units = Units::of(machine);
    match go_to {
        GoTo::Point { targets, frame, feed_mm_min } => {
            let motion = match feed_mm_min {
                None => "G0".to_owned(),
                Some(feed) => format!("G94 G1 F{}", number(units.scale(*feed)?)),
            };
            point(targets, *frame, &motion, machine).map(|line| vec![line])
        }
        GoTo::WorkZero { axes, lift_to_mm } => {
            let mut lines = lift(*lift_to_mm, units)?;
            let (z, across): (Vec<_>, Vec<_>) =
                axes.iter().map(|axis| (axis, 0.0)).partition(|(axis, _)| *axis == Axis::Z);
            for targets in [across, z] {
                if !targets.is_empty() {
                    // After a lift the present Z is another, so a relative line would be wrong: G53 needs none.
                    lines.push(point(&targets, Frame::Work, "G0", machine)?);
                }
            }
            Ok(lines)
        }
        GoTo::Stored { stored, lift_to_mm } => {
            let mut lines = lift(*lift_to_mm, units)?;
            lines.push(stored.name().to_owned());
            Ok(lines)
        }
    }
}

fn lift(to_mm: Option<f64>, units: Units) -> Result<Vec<String>, Refused> {
    to_mm.map(|z| Ok(format!("G53 {} G0{}", units.word()?, units.words(&[(Axis::Z, z)])?))).into_iter().collect()
}

/// One move. In absolute mode (`G90`) the target is written in work coordinates; in relative mode (`G91`) it goes by
/// `G53`, so that nothing hangs on the present position.
fn point(targets: &[(Axis, f64)], frame: Frame, motion: &str, machine: &Machine) -> Result<String, Refused> {
    let units = Units::of(machine);
    let modal = machine.modal.as_ref().ok_or_else(units_unknown)?;
    let unit = units.word()?;
    let absolute = modal.has("G90");
    let by_machine = frame == Frame::Machine || !absolute && frame == Frame::Work;
    let from = |axis| match frame {
        Frame::Work if by_machine => known(machine.work_offset, axis, "work offset"),
        Frame::Relative if absolute => known(machine.work_position, axis, "work position"),
        _ => Ok(0.0),
    };
    let values = targets.iter().map(|&(axis, v)| Ok((axis, v + from(axis)?))).collect::<Result<Vec<_>, Refused>>()?;
    let mode = match (by_machine, absolute) {
        (true, _) => "G53",
        (false, true) => "G90",
        (false, false) => "G91",
    };
    Ok(format!("{mode} {unit} {motion}{}", units.words(&values)?))
}

/// The line of a switch.
pub fn of_switch(switch: Switch) -> String {
    match switch {
        Switch::Spindle { counter_clockwise: false, rpm } => format!("M3 S{}", number(rpm)),
        Switch::Spindle { counter_clockwise: true, rpm } => format!("M4 S{}", number(rpm)),
        Switch::SpindleOff => "M5".to_owned(),
        Switch::Mist => "M7".to_owned(),
        Switch::Flood => "M8".to_owned(),
        Switch::CoolantOff => "M9".to_owned(),
        Switch::Sleep => "$SLP".to_owned(),
        Switch::CheckMode => "$C".to_owned(),
        Switch::Output(order) => of_output(order),
    }
}

/// Units in force, once known.
#[derive(Clone, Copy, Debug)]
struct Units {
    inches: Option<bool>,
}

impl Units {
    fn of(machine: &Machine) -> Self {
        Self { inches: machine.modal.as_ref().map(|modal| modal.has("G20")) }
    }

    fn word(self) -> Result<&'static str, Refused> {
        self.inches.map(|inches| if inches { "G20" } else { "G21" }).ok_or_else(units_unknown)
    }

    fn scale(self, mm: f64) -> Result<f64, Refused> {
        match self.inches {
            _ if mm == 0.0 => Ok(0.0),
            Some(true) => Ok(mm / MM_PER_INCH),
            Some(false) => Ok(mm),
            None => Err(units_unknown()),
        }
    }

    /// ` X1 Y2`: mm into the units in force; degrees stay degrees, and 0 is 0 in both.
    fn words(self, values: &[(Axis, f64)]) -> Result<String, Refused> {
        values.iter().try_fold(String::new(), |mut line, &(axis, value)| {
            let value = if axis.is_rotary() { value } else { self.scale(value)? };
            line.push(' ');
            line.push(axis.letter());
            line.push_str(&number(value));
            Ok(line)
        })
    }
}

fn units_unknown() -> Refused {
    Refused::because("it is not known whether the controller counts in mm or inches: send $G first")
}

fn known(vec: Option<AxisVec>, axis: Axis, what: &str) -> Result<f64, Refused> {
    vec.and_then(|vec| vec.get(axis)).ok_or_else(|| Refused::because(format!("the {what} of {axis} is not known yet")))
}
