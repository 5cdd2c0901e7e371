//! Events of a machine's driver into the snapshot.

use std::sync::Arc;

use crate::driver::machine::{Event, EventKind};
use crate::grbl;
use crate::model::Endpoint;
use crate::model::axes::AxisVec;
use crate::model::machine::{AlarmInfo, Firmware, Identity, Limits, ReportedPosition, StateKind, StatusReport};
use crate::model::quantity::MM_PER_INCH;
use crate::model::snapshot::{Alarm, Link, LinkState, Machine, Snapshot, StopPhase};
use crate::model::time::Time;
use crate::model::work::work_offset_of;

/// Takes one event in. Returns whether the snapshot says anything new, and raises its revision if so.
pub fn fold(snapshot: &mut Snapshot, event: &Event) -> bool {
    let at = event.at;
    if let EventKind::Port(endpoint) = &event.what {
        another_machine(snapshot, endpoint, at);
    }
    let machine = &mut snapshot.machine;
    let changed = match &event.what {
        EventKind::Port(_) => true,
        EventKind::Link(state) => link(machine, at, state),
        EventKind::Stats(stats) => {
            machine.link.stats = *stats;
            true
        }
        EventKind::Session(event) => session(machine, at, event),
        EventKind::Asked(_) | EventKind::KeptBack(_) | EventKind::Outcome { .. } | EventKind::Wire { .. } => false,
    };
    if changed {
        snapshot.rev += 1;
        snapshot.at = snapshot.at.max(at);
    }
    changed
}

/// Nothing of the old machine may be taken for the new one's. The counters are the link's and go on.
fn another_machine(snapshot: &mut Snapshot, endpoint: &Endpoint, at: Time) {
    let old = std::mem::take(&mut snapshot.machine);
    snapshot.offset_history.clear();
    snapshot.machine.report_interval = old.report_interval;
    snapshot.machine.link = Link {
        endpoint: endpoint.to_string(),
        simulated: *endpoint == Endpoint::Sim,
        state: LinkState::Opening,
        since: at,
        stats: old.link.stats,
    };
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
        E::Reset { .. } => reset(machine),
        E::Modal(modal) => machine.modal = Some(modal.clone()),
        E::Offset { name, value } => offset(machine, name, *value),
        E::Probe(probe) => {
            let mut probe = *probe;
            probe.position = in_mm(&machine.limits, probe.position);
            machine.probe = Some(probe);
        }
        E::Settings(settings) => machine.settings = Arc::clone(settings),
        E::Limits(limits) => machine.limits = Limits::clone(limits),
        E::Stop(stop) => machine.stop = Some(stop.clone()),
        E::Jog(jog) => machine.jog.clone_from(jog),
        E::Sent { text, .. } => return sent(machine, text),
        E::SentRealtime(_)
        | E::Outcome { .. }
        | E::Message { .. }
        | E::Setting { .. }
        | E::Garbage { .. }
        | E::Program(_)
        | E::UnexpectedReply => return false,
    }
    true
}

/// A row of `$#`. FluidNC may leave the new `WCO:` out of many reports, so it is added up here, once the last row is in.
fn offset(machine: &mut Machine, name: &str, value: AxisVec) {
    machine.offsets.insert(name.to_owned(), in_mm(&machine.limits, value));
    let fluidnc = machine.identity.as_ref().is_some_and(|identity| identity.firmware == Firmware::FluidNc);
    let active = machine.modal.as_ref().and_then(|modal| modal.wcs());
    if let Some(sum) = active.filter(|_| fluidnc && name == "TLO").and_then(|a| work_offset_of(&machine.offsets, a)) {
        machine.work_offset = Some(sum);
        machine.work_position = both(machine.machine_position, machine.work_offset, AxisVec::minus);
    }
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
    *machine = Machine { link: old.link, report_interval: old.report_interval, stop: old.stop, ..Machine::default() };
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
        settings: old.settings,
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
    settle_old_stop(machine);
    // The switch that made an alarm is often first told by the report after it.
    if let Some(alarm) = machine.alarm.as_mut().filter(|alarm| alarm.pins.is_empty()) {
        alarm.pins = report.pins;
    }
}

/// A stop that was never seen to work, asked before this link was up: whoever would have confirmed it is gone. That the
/// machine stands now says nothing about it, but ends the warning that it may still move.
fn settle_old_stop(machine: &mut Machine) {
    let (up, since) = (machine.link.state == LinkState::Up, machine.link.since);
    let stands = machine.state.is_some_and(|state| !state.is_moving());
    machine.stop.take_if(|stop| up && stands && stop.phase == StopPhase::NotConfirmed && stop.at < since);
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
/// next report. A lock outlives a restart; the session tells when it is over.
fn reset(machine: &mut Machine) {
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
    // FluidNC switches them off (`Protocol.cpp`, protocol_do_late_reset); what others do is not known.
    machine.outputs_asked.clear();
}

/// A line went out: what it makes old, and what it asks of outputs. Returns whether that is news.
fn sent(machine: &mut Machine, text: &str) -> bool {
    let mut news = changes_units(text) && machine.modal.take().is_some();
    // In check mode nothing is switched.
    if machine.state.is_none_or(|state| state.kind != StateKind::Check) {
        for asked in grbl::outputs_asked(text) {
            machine.outputs_asked.retain(|old| old.pin != asked.pin);
            machine.outputs_asked.push(asked);
            news = true;
        }
    }
    news
}

/// `$13=1` makes all reports inches, but those of rotary axes.
pub(super) fn in_mm(limits: &Limits, mut values: AxisVec) -> AxisVec {
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::hub::tests::{machine_at, report};
    use crate::model::axes::{Axis, AxisSet};
    use crate::model::command::Realtime;
    use crate::model::machine::{MachineState, ModalState, Overrides, Pins, ProbeResult};
    use crate::model::outputs::{OutputAsked, OutputPin};
    use crate::model::snapshot::{Age, Jog, LinkStats, Stop, StopPhase};

    fn v(values: &[f64]) -> AxisVec {
        AxisVec::from_slice(values)
    }

    fn ev(ms: u64, event: grbl::Event) -> Event {
        Event { at: Time::from_millis(ms), what: EventKind::Session(event) }
    }

    fn link_event(ms: u64, state: LinkState) -> Event {
        Event { at: Time::from_millis(ms), what: EventKind::Link(state) }
    }

    fn down() -> LinkState {
        LinkState::Down { why: "unplugged".into(), attempt: 1, retry_at: Time::ZERO }
    }

    fn folded(events: &[Event]) -> Snapshot {
        let mut snapshot = Snapshot::default();
        for event in events {
            fold(&mut snapshot, event);
        }
        snapshot
    }

    /// An open link and these events, one per millisecond.
    fn open_with(events: Vec<grbl::Event>) -> Snapshot {
        let opened = std::iter::once(link_event(0, LinkState::Asking));
        folded(&opened.chain((1..).zip(events).map(|(ms, event)| ev(ms, event))).collect::<Vec<_>>())
    }

    fn status(report: StatusReport) -> grbl::Event {
        grbl::Event::Status(Box::new(report))
    }

    fn info(code: u16) -> AlarmInfo {
        AlarmInfo {
            code,
            name: "n".into(),
            meaning: "m".into(),
            remedy: "r".into(),
            needs_soft_reset: true,
            position_lost: None,
        }
    }

    #[test]
    fn work_position_waits_for_the_offset_and_follows_it() {
        let at_ten = machine_at(StateKind::Idle, &[10.0, 0.0, 0.0]);
        let snapshot = open_with(vec![status(at_ten.clone())]);
        assert_eq!(snapshot.machine.machine_position, Some(v(&[10.0, 0.0, 0.0])));
        assert_eq!(snapshot.machine.work_position, None, "not 10: the offset is not known");
        let with_offset = StatusReport { wco: Some(v(&[4.0, 0.0, 0.0])), ..at_ten.clone() };
        let snapshot = open_with(vec![status(with_offset), status(machine_at(StateKind::Run, &[11.0, 0.0, 0.0]))]);
        assert_eq!(snapshot.machine.work_position, Some(v(&[7.0, 0.0, 0.0])), "the offset is kept");
    }

    #[test]
    fn a_controller_that_reports_work_position_gives_machine_position_too() {
        let mut work = report(StateKind::Idle);
        work.position = Some(ReportedPosition::Work(v(&[1.0, 2.0])));
        let snapshot = open_with(vec![status(work.clone())]);
        assert_eq!((snapshot.machine.work_position, snapshot.machine.machine_position), (Some(v(&[1.0, 2.0])), None));
        work.wco = Some(v(&[10.0, 10.0]));
        assert_eq!(open_with(vec![status(work)]).machine.machine_position, Some(v(&[11.0, 12.0])));
    }

    #[test]
    fn what_a_report_leaves_out_is_not_zero_but_pins_are_complete() {
        let mut full = machine_at(StateKind::Idle, &[0.0]);
        full.overrides = Some(Overrides { feed: 120, rapid: 100, spindle: 90 });
        full.feed = Some(600.0);
        full.pins = Pins::from_letters("P");
        let snapshot = open_with(vec![status(full.clone()), status(report(StateKind::Run))]);
        assert_eq!(snapshot.machine.overrides, full.overrides);
        assert_eq!(snapshot.machine.feed_mm_min, Some(600.0));
        assert_eq!(snapshot.machine.machine_position, Some(v(&[0.0])));
        assert_eq!(snapshot.machine.pins, Pins::NONE);
    }

    #[test]
    fn inches_become_mm_but_degrees_stay() {
        let limits = Limits { report_inches: Some(true), ..Limits::default() };
        let mut inches = machine_at(StateKind::Idle, &[1.0, 0.0, 0.0, 90.0]);
        inches.feed = Some(10.0);
        let snapshot = open_with(vec![grbl::Event::Limits(Box::new(limits)), status(inches)]);
        assert_eq!(snapshot.machine.machine_position, Some(v(&[25.4, 0.0, 0.0, 90.0])));
        assert_eq!(snapshot.machine.feed_mm_min, Some(254.0));
    }

    #[test]
    fn an_alarm_keeps_its_reason_and_learns_its_pins() {
        let hit = grbl::Event::Alarm { info: Some(info(1)), needs_reset: true };
        let mut locked = report(StateKind::Alarm);
        locked.pins = Pins::from_letters("X");
        let had_its_reset = grbl::Event::Alarm { info: Some(info(1)), needs_reset: false };
        let reset = grbl::Event::Reset { cause: grbl::event::ResetCause::Asked, banner: String::new() };
        let events = vec![hit.clone(), status(locked), had_its_reset, reset, status(report(StateKind::Alarm))];
        let alarm = open_with(events).machine.alarm.unwrap();
        assert_eq!(alarm.info, Some(info(1)));
        assert_eq!((alarm.since, alarm.pins), (Time::from_millis(1), Pins::from_letters("X")));
        assert!(!alarm.needs_reset);
        let other = open_with(vec![hit.clone(), grbl::Event::Alarm { info: Some(info(2)), needs_reset: true }]);
        assert_eq!(other.machine.alarm.unwrap().since, Time::from_millis(2), "a new code is a new alarm");
        assert_eq!(open_with(vec![hit, grbl::Event::AlarmCleared]).machine.alarm, None);
    }

    #[test]
    fn a_reset_forgets_what_lives_in_the_controllers_memory() {
        let mut full = machine_at(StateKind::Run, &[5.0]);
        full.wco = Some(v(&[1.0]));
        full.overrides = Some(Overrides { feed: 120, rapid: 100, spindle: 100 });
        let jog = Jog { direction: v(&[1.0]), feed_mm_min: 1.0, continuous: true, cancelling: false };
        let snapshot = open_with(vec![
            status(full),
            grbl::Event::Modal(ModalState { words: vec!["G20".into()] }),
            grbl::Event::Jog(Some(jog)),
            grbl::Event::Alarm { info: Some(info(9)), needs_reset: false },
            grbl::Event::Reset { cause: grbl::event::ResetCause::ByItself, banner: "Grbl 1.1h".into() },
        ]);
        let machine = snapshot.machine;
        assert_eq!((machine.work_position, machine.work_offset, machine.overrides), (None, None, None));
        assert_eq!((machine.modal, machine.jog, machine.state), (None, None, None));
        assert!(machine.alarm.is_some(), "a lock is over when the session says so");
        assert_eq!(machine.machine_position, Some(v(&[5.0])), "a reset at standstill keeps position");
    }

    #[test]
    fn a_lost_link_keeps_the_last_position_to_be_seen_as_lost() {
        let mut snapshot = open_with(vec![
            status(machine_at(StateKind::Idle, &[5.0])),
            grbl::Event::Homed(AxisSet::first(3)),
            grbl::Event::Homing(true),
        ]);
        snapshot.machine.report_interval = Duration::from_secs(1);
        assert_eq!(snapshot.machine.age(Time::from_millis(10)), Age::Fresh);
        assert!(fold(&mut snapshot, &link_event(20, down())));
        let machine = &snapshot.machine;
        assert_eq!(machine.machine_position, Some(v(&[5.0])));
        assert!(matches!(machine.age(Time::from_millis(21)), Age::Lost(_)));
        assert!(machine.homed.is_empty() && !machine.homing);
        assert_eq!(machine.link.since, Time::from_millis(20));
    }

    #[test]
    fn a_new_link_claims_nothing_of_the_old_one() {
        let mut snapshot = open_with(vec![
            status(machine_at(StateKind::Idle, &[5.0])),
            grbl::Event::Stop(Stop { asked: Realtime::Stop, at: Time::ZERO, phase: StopPhase::NotConfirmed }),
        ]);
        snapshot.machine.link.endpoint = "sim".into();
        let stats = LinkStats { rx_bytes: 7, ..LinkStats::default() };
        fold(&mut snapshot, &Event { at: Time::ZERO, what: EventKind::Stats(stats) });
        fold(&mut snapshot, &link_event(20, down()));
        fold(&mut snapshot, &link_event(30, LinkState::Asking));
        let machine = &snapshot.machine;
        assert_eq!((machine.machine_position, machine.state, machine.reported_at), (None, None, None));
        assert_eq!(machine.age(Time::from_millis(31)), Age::Unknown);
        assert_eq!((machine.link.endpoint.as_str(), machine.link.stats.rx_bytes), ("sim", 7));
        assert!(machine.stop.is_some(), "what became of the last stop is still told");
    }

    #[test]
    fn the_warning_of_an_unconfirmed_stop_ends_when_the_machine_is_seen_to_stand_on_a_new_link() {
        let stop = Stop { asked: Realtime::JogCancel, at: Time::from_millis(21), phase: StopPhase::NotConfirmed };
        let mut snapshot = open_with(vec![]);
        fold(&mut snapshot, &link_event(20, down()));
        fold(&mut snapshot, &ev(21, grbl::Event::Stop(stop.clone())));
        fold(&mut snapshot, &link_event(30, LinkState::Asking));
        fold(&mut snapshot, &link_event(40, LinkState::Up));
        fold(&mut snapshot, &ev(41, status(report(StateKind::Jog))));
        assert!(snapshot.machine.stop.is_some(), "it does still move");
        fold(&mut snapshot, &ev(42, status(report(StateKind::Idle))));
        assert_eq!(snapshot.machine.stop, None);
        let newer = Stop { at: Time::from_millis(43), ..stop };
        fold(&mut snapshot, &ev(43, grbl::Event::Stop(newer)));
        fold(&mut snapshot, &ev(44, status(report(StateKind::Idle))));
        assert!(snapshot.machine.stop.is_some(), "that report may be older than the stop; the session knows");
    }

    #[test]
    fn nothing_of_the_old_machine_is_taken_for_the_new_one() {
        let stop = Stop { asked: Realtime::Stop, at: Time::from_millis(21), phase: StopPhase::NotConfirmed };
        let mut snapshot = open_with(vec![]);
        fold(&mut snapshot, &ev(20, status(report(StateKind::Idle))));
        fold(&mut snapshot, &ev(21, grbl::Event::Stop(stop)));
        snapshot.machine.link.stats.connects = 3;
        snapshot.machine.link.simulated = true;
        let rev = snapshot.rev;
        let port = EventKind::Port("/dev/ttyUSB7".parse().unwrap());
        assert!(fold(&mut snapshot, &Event { at: Time::from_millis(30), what: port }));
        let machine = &snapshot.machine;
        assert_eq!((machine.state, &machine.stop, &machine.identity, machine.reported_at), (None, &None, &None, None));
        assert_eq!((machine.link.endpoint.as_str(), machine.link.simulated), ("/dev/ttyUSB7", false));
        assert_eq!((machine.link.stats.connects, snapshot.rev), (3, rev + 1), "the counters go on");
    }

    #[test]
    fn a_line_that_changes_units_makes_the_modal_state_old() {
        let modal = grbl::Event::Modal(ModalState { words: vec!["G21".into()] });
        let sent = |text: &str| grbl::Event::Sent { ticket: None, text: text.into() };
        for (line, kept) in
            [("G20", false), ("g91g21 x1", false), ("G2 X1", true), ("G203", true), ("$J=G21X1F1", true)]
        {
            let snapshot = open_with(vec![modal.clone(), sent(line)]);
            assert_eq!(snapshot.machine.modal.is_some(), kept, "{line}");
        }
    }

    #[test]
    fn what_is_asked_of_outputs_is_kept_until_a_reset_and_not_in_check_mode() {
        let sent = |text: &str| grbl::Event::Sent { ticket: None, text: text.into() };
        let lines = || vec![sent("M64 P0"), sent("M68 E1 Q40"), sent("G1 X1"), sent("M65 P0")];
        let snapshot = open_with(lines());
        let asked = |pin, value| OutputAsked { pin, value: Some(value) };
        let expected = [asked(OutputPin::Analog(1), 40.0), asked(OutputPin::Digital(0), 0.0)];
        assert_eq!(snapshot.machine.outputs_asked, expected);
        let moved = open_with([lines(), vec![sent("G1 X2")]].concat());
        assert_eq!(moved.rev, snapshot.rev, "a move is no news");
        let reset = grbl::Event::Reset { cause: grbl::event::ResetCause::Asked, banner: String::new() };
        assert_eq!(open_with([lines(), vec![reset]].concat()).machine.outputs_asked, []);
        let checked = open_with([vec![status(report(StateKind::Check))], lines()].concat());
        assert_eq!(checked.machine.outputs_asked, []);
    }

    #[test]
    fn the_rest_lands_where_it_belongs_and_every_change_is_a_revision() {
        let stop = Stop { asked: Realtime::Stop, at: Time::ZERO, phase: StopPhase::Confirmed };
        let probe = ProbeResult { position: v(&[1.0]), success: true };
        let snapshot = open_with(vec![
            grbl::Event::Offset { name: "G54".into(), value: v(&[1.0]) },
            grbl::Event::Probe(probe),
            grbl::Event::Stop(stop.clone()),
            grbl::Event::ReportInterval(Duration::from_secs(1)),
            grbl::Event::Garbage { bytes: 3 },
        ]);
        assert_eq!(snapshot.machine.offsets.get("G54"), Some(&v(&[1.0])));
        assert_eq!((snapshot.machine.probe, snapshot.machine.stop), (Some(probe), Some(stop)));
        assert_eq!(snapshot.machine.report_interval, Duration::from_secs(1));
        assert_eq!((snapshot.rev, snapshot.at), (5, Time::from_millis(4)), "garbage is only counted");
        let mut axes = AxisSet::EMPTY;
        axes.insert(Axis::Z);
        assert_eq!(open_with(vec![grbl::Event::Homed(axes)]).machine.homed, axes);
        let held = MachineState::with_sub(StateKind::Hold, 0);
        let snapshot = open_with(vec![status(StatusReport { state: held, ..report(StateKind::Idle) })]);
        assert_eq!(snapshot.machine.state, Some(held));
    }
}
