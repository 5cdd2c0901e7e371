//! Whether a checked program fits the machine as it stands at this moment.

use crate::model::axes::{Axis, AxisVec};
use crate::model::machine::StateKind;
use crate::model::program::report::{FileUnits, Frame, Problem, Reach, Report, Severity};
use crate::model::quantity::number;
use crate::model::snapshot::{LinkState, Machine};
use crate::model::time::Time;
use crate::model::work::Wcs;

/// Rounding of reports and of work offsets, which controllers tell in thousandths.
const SLACK: f64 = 0.002;

/// What stands against running a program now, or asks for a person's agreement: link, state, homing, travel with the present
/// work zero, spindle speed, feed, units. The problems of the report itself are not repeated.
pub fn against(report: &Report, machine: &Machine, now: Time) -> Vec<Problem> {
    let mut problems = Vec::new();
    state(machine, now, &mut problems);
    homing(report, machine, &mut problems);
    for reach in &report.reach {
        travel(reach, machine, &mut problems);
    }
    rates(report, machine, &mut problems);
    let inches = machine.modal.as_ref().is_some_and(|modal| modal.has("G20"));
    if report.units == FileUnits::Unnamed && inches {
        problems.push(whole(
            Severity::Warning,
            "units-unnamed",
            "the program names no units, and the controller is set to inches (G20)",
            "write G21 or G20 at its head, or send G21 first",
        ));
    }
    problems.sort_by_key(|problem| (std::cmp::Reverse(problem.severity), problem.line));
    problems
}

fn whole(severity: Severity, kind: &str, text: impl Into<String>, remedy: &str) -> Problem {
    Problem { severity, line: 0, kind: kind.to_owned(), text: text.into(), remedy: remedy.to_owned() }
}

fn state(machine: &Machine, now: Time, problems: &mut Vec<Problem>) {
    let mut blocked = |kind: &str, text: &str, remedy: &str| problems.push(whole(Severity::Error, kind, text, remedy));
    match &machine.link.state {
        LinkState::Up => {}
        LinkState::Down { why, .. } => {
            return blocked("link-down", &format!("the link is down: {why}"), "see the link");
        }
        LinkState::Silent { why } | LinkState::Foreign { why } => return blocked("link-down", why, "see the link"),
        LinkState::Opening | LinkState::Asking | LinkState::Identifying => {
            return blocked("link-down", "the controller has not said yet who it is", "wait a moment");
        }
    }
    let Some(state) = machine.fresh_state(now) else {
        return blocked("state-unknown", "the machine has not reported for too long", "see the link");
    };
    match state.kind {
        StateKind::Idle => {}
        StateKind::Check => problems.push(whole(
            Severity::Warning,
            "check-mode",
            "check mode is on: the controller reads the program and nothing moves",
            "leave check mode ($C) to run it for real",
        )),
        StateKind::Alarm => {
            let meaning = machine.alarm.as_ref().and_then(|alarm| alarm.info.as_ref());
            let text = meaning.map_or_else(
                || "the machine is locked by an alarm".to_owned(),
                |info| format!("the machine is locked by an alarm: {}", info.meaning),
            );
            blocked("alarm", &text, "see to its cause; then home or unlock");
        }
        _ => {
            blocked(
                "not-idle",
                &format!("the machine is not idle ({state})"),
                "wait until it is, or stop what it does",
            );
        }
    }
}

fn homing(report: &Report, machine: &Machine, problems: &mut Vec<Problem>) {
    let mut axes: Vec<Axis> = report.reach.iter().flat_map(|reach| reach.axes.iter()).collect();
    axes.sort_unstable();
    axes.dedup();
    let missing: Vec<Axis> = axes.iter().copied().filter(|axis| axis.index() >= machine.axis_count()).collect();
    if !missing.is_empty() {
        let text = format!("the program moves {}, which this machine does not have", list(&missing));
        problems.push(whole(Severity::Error, "axis-missing", text, "the program is for another machine"));
    }
    let unhomed: Vec<Axis> =
        axes.into_iter().filter(|axis| axis.index() < machine.axis_count() && !machine.homed.contains(*axis)).collect();
    if unhomed.is_empty() {
        return;
    }
    let names = list(&unhomed);
    if machine.limits.homing == Some(false) {
        let text = format!("homing is switched off, so nobody knows where {names} may go");
        problems.push(whole(Severity::Note, "not-homed", text, "watch the ends of travel"));
    } else {
        let text = format!("{names} not homed: the ends of travel cannot be held against the program");
        problems.push(whole(Severity::Warning, "not-homed", text, "home first, or be sure that the position is good"));
    }
    if report.reach.iter().any(|reach| reach.frame == Frame::Machine && reach.axes.iter().any(|a| unhomed.contains(&a)))
    {
        let text = format!("the program goes to machine coordinates (G53), which mean nothing before homing ({names})");
        problems.push(whole(Severity::Error, "not-homed", text, "home first"));
    }
}

fn list(axes: &[Axis]) -> String {
    axes.iter().map(|axis| axis.letter().to_string()).collect::<Vec<_>>().join(", ")
}

fn travel(reach: &Reach, machine: &Machine, problems: &mut Vec<Problem>) {
    let frame = frame_name(reach.frame, machine);
    if reach.unsure {
        let text = format!(
            "how far the program goes in {frame} is not known for certain: it shifts its zero, probes, or calculates"
        );
        problems.push(whole(Severity::Warning, "bounds-unsure", text, "watch the first run, with a hand at the stop"));
    }
    let offset = offset_of(reach.frame, machine);
    let mut unknown = Vec::new();
    for axis in reach.axes.iter().filter(|axis| axis.index() < machine.axis_count()) {
        let zero = if reach.frame == Frame::Machine { Some(0.0) } else { offset.and_then(|offset| offset.get(axis)) };
        match (machine.limits.machine_range(axis, machine.identity.as_ref()), zero) {
            (Some(range), Some(zero)) => ends(reach, axis, zero, range, machine, problems),
            _ => unknown.push(axis),
        }
    }
    if !unknown.is_empty() {
        let text =
            format!("travel or work zero of {} is not known, so the bounds in {frame} are not checked", list(&unknown));
        problems.push(whole(Severity::Note, "travel-unknown", text, "read the controller's settings and offsets"));
    }
}

/// Both ends of one axis.
fn ends(reach: &Reach, axis: Axis, zero: f64, (low, high): (f64, f64), machine: &Machine, problems: &mut Vec<Problem>) {
    let at = axis.index();
    let frame = frame_name(reach.frame, machine);
    let sides = [
        (reach.min[at], reach.min_line[at], low - (reach.min[at] + zero)),
        (reach.max[at], reach.max_line[at], reach.max[at] + zero - high),
    ];
    for (value, line, beyond) in sides {
        if beyond <= SLACK {
            continue;
        }
        let unit = axis.unit();
        let certain = machine.homed.contains(axis) && !reach.unsure;
        problems.push(Problem {
            severity: if certain { Severity::Error } else { Severity::Warning },
            line,
            kind: "out-of-travel".to_owned(),
            text: format!(
                "{axis} goes to {} in {frame} (machine {}), {} {unit} beyond its travel of {} to {} {unit}",
                number(value),
                number(value + zero),
                number(beyond),
                number(low),
                number(high),
            ),
            remedy: if reach.frame == Frame::Machine {
                "correct the program, or choose another one".to_owned()
            } else {
                format!("move the work and set the zero of {axis} anew, or make the program smaller")
            },
        });
    }
}

fn frame_name(frame: Frame, machine: &Machine) -> &str {
    match frame {
        Frame::Machine => "machine coordinates",
        Frame::Active => active(machine).unwrap_or("the active coordinate system"),
        Frame::Work(system) => system_name(system).unwrap_or("an unknown coordinate system"),
    }
}

fn active(machine: &Machine) -> Option<&str> {
    machine.modal.as_ref().and_then(|modal| modal.wcs())
}

fn system_name(system: u8) -> Option<&'static str> {
    let at = usize::from(system.checked_sub(1)?);
    Wcs::all(Some(crate::model::Firmware::GrblHal)).nth(at).map(Wcs::name)
}

/// Machine position of a frame's zero, G92 and tool length included.
fn offset_of(frame: Frame, machine: &Machine) -> Option<AxisVec> {
    let Frame::Work(system) = frame else { return machine.work_offset };
    let name = system_name(system)?;
    if active(machine) == Some(name) && machine.work_offset.is_some() {
        return machine.work_offset;
    }
    let mut offset = *machine.offsets.get(name)?;
    for shift in ["G92", "TLO"].into_iter().filter_map(|name| machine.offsets.get(name)) {
        // Grbl tells the tool length as one number, of Z.
        if shift.len() == 1 && offset.len() > 1 {
            let z = offset.get(Axis::Z).unwrap_or_default() + shift.as_slice()[0];
            offset.set(Axis::Z, z);
        } else {
            offset = offset.plus(shift);
        }
    }
    Some(offset)
}

fn rates(report: &Report, machine: &Machine, problems: &mut Vec<Problem>) {
    let spindle = machine.limits.spindle_max_rpm.filter(|max| *max > 0.0);
    if let (Some((_, wanted)), Some(max)) = (report.spindle_rpm, spindle)
        && wanted > max
    {
        let text =
            format!("the program asks for {} rpm, and the spindle's maximum is {} ($30)", number(wanted), number(max));
        problems.push(whole(
            Severity::Warning,
            "spindle-speed",
            text,
            "it will turn at its maximum: see whether the feed fits",
        ));
    }
    let axes = report.reach.iter().flat_map(|reach| reach.axes.iter());
    let fastest = axes.filter_map(|axis| machine.limits.max_rate_mm_min.get(axis)).fold(0.0, f64::max);
    if let Some((_, feed)) = report.feed_mm_min
        && fastest > 0.0
        && feed > fastest
    {
        let text = format!("a feed of {} mm/min is above what the machine can do ({})", number(feed), number(fastest));
        problems.push(whole(Severity::Note, "feed-above-max", text, "it will go at the machine's maximum"));
    }
}

#[cfg(test)]
mod tests;
