//! Events of a machine's driver into the snapshot.

use crate::driver::machine::{Event, EventKind};
use crate::grbl;
use crate::model::axes::AxisVec;
use crate::model::machine::{AlarmInfo, Identity, Limits, ReportedPosition, StatusReport};
use crate::model::snapshot::{Alarm, Link, LinkState, Machine, Snapshot};
use crate::model::time::Time;

const MM_PER_INCH: f64 = 25.4;

/// Takes one event in. Returns whether the snapshot says anything new, and raises its revision if so.
pub fn fold(snapshot: &mut Snapshot, event: &Event) -> bool {
    let machine = &mut snapshot.machine;
    let at = event.at;
    let changed = match &event.what {
        EventKind::Link(state) => link(machine, at, state),
        EventKind::Stats(stats) => {
            machine.link.stats = *stats;
            true
        }
        EventKind::Session(event) => session(machine, at, event),
        EventKind::Outcome { .. } | EventKind::Wire { .. } => false,
    };
    if changed {
        snapshot.rev += 1;
        snapshot.at = snapshot.at.max(at);
    }
    changed
}

fn session(machine: &mut Machine, at: Time, event: &grbl::Event) -> bool {
    use grbl::Event as E;
    match event {
        E::Link(state) => return link(machine, at, state),
        E::Identified(identity) => machine.identity = Some(Identity::clone(identity)),
        E::Status(report) => status(machine, at, report),
        E::ReportInterval(interval) => machine.report_interval = *interval,
        E::Alarm { info, needs_reset } => alarm(machine, at, info.as_ref(), *needs_reset),
        E::AlarmCleared => machine.alarm = None,
        E::Homed(axes) => machine.homed = *axes,
        E::Homing(homing) => machine.homing = *homing,
        E::Reset { asked, .. } => reset(machine, *asked),
        E::Modal(modal) => machine.modal = Some(modal.clone()),
        E::Offset { name, value } => {
            machine.offsets.insert(name.clone(), in_mm(&machine.limits, *value));
        }
        E::Probe(probe) => {
            let mut probe = *probe;
            probe.position = in_mm(&machine.limits, probe.position);
            machine.probe = Some(probe);
        }
        E::Limits(limits) => machine.limits = Limits::clone(limits),
        E::Stop(stop) => machine.stop = Some(stop.clone()),
        E::Jog(jog) => machine.jog.clone_from(jog),
        E::Sent { text, .. } if changes_units(text) => return machine.modal.take().is_some(),
        E::Sent { .. }
        | E::SentRealtime(_)
        | E::Outcome { .. }
        | E::Message { .. }
        | E::Setting { .. }
        | E::Garbage { .. }
        | E::UnexpectedReply => return false,
    }
    true
}

fn link(machine: &mut Machine, at: Time, state: &LinkState) -> bool {
    if machine.link.state == *state {
        return false;
    }
    let was_open = machine.link.is_open();
    machine.link.state = state.clone();
    machine.link.since = at;
    match (was_open, machine.link.is_open()) {
        // Nobody knows what happened while nobody looked: nothing of the old machine is claimed.
        (false, true) => forget(machine),
        (true, false) => withdraw(machine),
        _ => {}
    }
    true
}

/// A fresh link: all but the link itself starts anew. The last stop stays, since the person who pressed it wants to
/// know what became of it.
fn forget(machine: &mut Machine) {
    let old = std::mem::take(machine);
    *machine = Machine { link: Link { ..old.link }, stop: old.stop, ..Machine::default() };
}

/// The link is gone: the last position stays to be seen (its age says that it is lost), but nothing that would be
/// acted upon.
fn withdraw(machine: &mut Machine) {
    let old = std::mem::take(machine);
    *machine = Machine {
        link: old.link,
        identity: old.identity,
        state: old.state,
        reported_at: old.reported_at,
        report_interval: old.report_interval,
        machine_position: old.machine_position,
        work_position: old.work_position,
        work_offset: old.work_offset,
        stop: old.stop,
        limits: old.limits,
        ..Machine::default()
    };
}

fn status(machine: &mut Machine, at: Time, report: &StatusReport) {
    machine.state = Some(report.state);
    machine.reported_at = Some(at);
    if let Some(wco) = report.wco {
        machine.work_offset = Some(in_mm(&machine.limits, wco));
    }
    match report.position {
        Some(ReportedPosition::Machine(position)) => {
            machine.machine_position = Some(in_mm(&machine.limits, position));
            machine.work_position = both(machine.machine_position, machine.work_offset, AxisVec::minus);
        }
        Some(ReportedPosition::Work(position)) => {
            machine.work_position = Some(in_mm(&machine.limits, position));
            machine.machine_position = both(machine.work_position, machine.work_offset, AxisVec::plus);
        }
        None => {}
    }
    if let Some(feed) = report.feed {
        let scale = if machine.limits.report_inches == Some(true) { MM_PER_INCH } else { 1.0 };
        machine.feed_mm_min = Some(feed * scale);
    }
    machine.spindle_rpm = report.spindle_rpm.or(machine.spindle_rpm);
    machine.overrides = report.overrides.or(machine.overrides);
    machine.accessories = report.accessories.or(machine.accessories);
    machine.buffer = report.buffer.or(machine.buffer);
    machine.pins = report.pins;
    // The switch that made an alarm is often first told by the report after it.
    if let Some(alarm) = machine.alarm.as_mut().filter(|alarm| alarm.pins.is_empty()) {
        alarm.pins = report.pins;
    }
}

fn alarm(machine: &mut Machine, at: Time, info: Option<&AlarmInfo>, needs_reset: bool) {
    let (known, since, pins) = match machine.alarm.take() {
        // "Locked, no code told" adds nothing to an alarm whose code is known, and a code explains a lock.
        Some(old) if info.is_none() || old.info.is_none() || old.info.as_ref() == info => {
            (old.info, old.since, old.pins)
        }
        _ => (None, at, machine.pins),
    };
    machine.alarm = Some(Alarm { info: info.cloned().or(known), since, pins, needs_reset });
}

/// The controller started anew: what it keeps only in memory is gone, and what it is doing is not known until the
/// next report. A lock outlives a reset that was asked for; its reason stays the one that was told.
fn reset(machine: &mut Machine, asked: bool) {
    machine.state = None;
    machine.work_offset = None;
    machine.work_position = None;
    machine.overrides = None;
    machine.accessories = None;
    machine.buffer = None;
    machine.feed_mm_min = None;
    machine.spindle_rpm = None;
    machine.modal = None;
    machine.jog = None;
    machine.homing = false;
    if asked {
        if let Some(alarm) = &mut machine.alarm {
            alarm.needs_reset = false;
        }
    } else {
        machine.alarm = None;
    }
}

/// `$13=1` makes all reports inches, but those of rotary axes.
fn in_mm(limits: &Limits, mut values: AxisVec) -> AxisVec {
    if limits.report_inches == Some(true) {
        for (axis, value) in values.scaled(1.0).iter() {
            if !axis.is_rotary() {
                values.set(axis, value * MM_PER_INCH);
            }
        }
    }
    values
}

fn both(a: Option<AxisVec>, b: Option<AxisVec>, op: impl Fn(&AxisVec, &AxisVec) -> AxisVec) -> Option<AxisVec> {
    Some(op(&a?, &b?))
}

/// The line may change between mm and inches, so the modal state of the last `$G` is not to be trusted with numbers.
fn changes_units(line: &str) -> bool {
    let line = line.to_ascii_uppercase();
    !line.starts_with('$')
        && ["G20", "G21"].iter().any(|word| {
            line.match_indices(word).any(|(at, _)| !line[at + 3..].starts_with(|c: char| c.is_ascii_digit()))
        })
}
