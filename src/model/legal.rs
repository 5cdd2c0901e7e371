//! Which command is legal in which state, and the reason why not: one table for the hub's arbiter
//! and for the screen's hints, so that a hint cannot lie.

mod power;
pub mod programs;
mod sun;

use super::axes::{Axis, AxisSet, AxisVec};
use super::command::{Command, HomeTarget, Refused};
use super::machine::{Firmware, StateKind};
use super::settings::check as check_setting;
use super::snapshot::{LinkState, Machine, Snapshot};
use super::time::Time;
use super::work;

/// Whether `command` may be sent now.
///
/// # Errors
/// The reason, as a sentence fragment that says what to do first.
pub fn check(command: &Command, snapshot: &Snapshot, now: Time) -> Result<(), Refused> {
    let machine = &snapshot.machine;
    if let Command::Sun(order) = command {
        return sun::check(order, snapshot, now);
    }
    sun::not_while_parking(command, snapshot)?;
    sun::not_while_spindle_waits(command, snapshot)?;
    if let Command::Program(order) = command {
        return programs::check(order, known_state(machine, now), snapshot);
    }
    if let Command::Power(order) = command {
        return power::check(order, &snapshot.power);
    }
    if let Command::Control(_) = command {
        return Ok(());
    }
    programs::not_between_lines(command, snapshot)?;
    if let Command::UsePort(_) = command {
        return may_leave_port(machine, now);
    }
    let state = known_state(machine, now)?;
    let firmware = machine.identity.as_ref().map(|i| i.firmware);
    match command {
        Command::JogStep { distance, feed_mm_min } => jog(distance, *feed_mm_min, state, machine),
        Command::JogContinue { vector, .. } => jog(&vector.direction, vector.feed_mm_min, state, machine),
        Command::Home(target) => {
            if machine.limits.homing == Some(false) {
                return Err(Refused::because("homing is switched off in the controller ($22)"));
            }
            if let HomeTarget::One(axis) = target {
                has_axis(*axis, machine)?;
                // Option letter H of Grbl: HOMING_SINGLE_AXIS_COMMANDS (on FluidNC it means homing at all).
                if machine.identity.as_ref().is_some_and(|i| i.firmware == Firmware::Grbl && !i.options.contains('H')) {
                    return Err(Refused::because("this Grbl was built without homing of single axes: home all"));
                }
            }
            match state {
                StateKind::Alarm if needs_reset(machine) => {
                    Err(Refused::because("this alarm needs a soft reset first (Ctrl+X)"))
                }
                StateKind::Idle | StateKind::Alarm => Ok(()),
                other => Err(cannot("home", other, machine)),
            }
        }
        Command::Unlock => match state {
            StateKind::Alarm if needs_reset(machine) => {
                Err(Refused::because("this alarm needs a soft reset first (Ctrl+X)"))
            }
            StateKind::Alarm => Ok(()),
            other => Err(Refused::because(format!("there is no alarm to unlock (state {other:?})"))),
        },
        Command::SetWork { axes, value } => set_work(*axes, *value, state, machine),
        Command::SetSetting { key, value } => {
            settings_in("change a setting", state, machine)?;
            let row = machine.settings.find(key);
            let row = row.ok_or_else(|| Refused::because(format!("the controller has listed no setting ${key}")))?;
            check_setting(row, value).map(drop).map_err(|why| Refused::because(why.to_string()))
        }
        Command::ReadSettings => settings_in("read the settings", state, machine),
        Command::RestoreSettings { .. } => settings_in("restore settings", state, machine),
        Command::BackupSettings if !machine.settings.complete => {
            Err(Refused::because("all settings have to be read first"))
        }
        Command::BackupSettings | Command::CompareBackup { .. } => Ok(()),
        Command::Work(order) => work::check_work(order, state, snapshot),
        Command::GoTo(go_to) => work::check_go_to(go_to, state, machine),
        Command::Switch(switch) => work::check_switch(*switch, state, snapshot),
        Command::Program(order) => programs::check(order, Ok(state), snapshot),
        Command::Power(order) => power::check(order, &snapshot.power),
        Command::Sun(order) => sun::check(order, snapshot, now),
        Command::Control(_) => Ok(()),
        // Above: it is the one that does not need a link.
        Command::UsePort(_) => Ok(()),
        Command::Mdi(line) => mdi(line, state, firmware, machine),
    }
}

/// A machine that may be moving must not be left alone: nobody could stop it any more.
fn may_leave_port(machine: &Machine, now: Time) -> Result<(), Refused> {
    match &machine.link.state {
        LinkState::Down { .. } | LinkState::Opening => return Ok(()),
        // Nobody has ever answered there.
        LinkState::Asking | LinkState::Silent { .. } | LinkState::Foreign { .. } if machine.reported_at.is_none() => {
            return Ok(());
        }
        _ => {}
    }
    let state = machine.fresh_state(now).map(|state| state.kind);
    match state {
        Some(StateKind::Idle | StateKind::Alarm | StateKind::Sleep) if machine.jog.is_none() && !machine.homing => {
            Ok(())
        }
        Some(other) => Err(cannot("leave this machine", other, machine)),
        None => Err(Refused::because("cannot leave this machine: its state is not known, and it may be moving")),
    }
}

fn settings_in(verb: &str, state: StateKind, machine: &Machine) -> Result<(), Refused> {
    match state {
        StateKind::Alarm if needs_reset(machine) => {
            Err(Refused::because("this alarm needs a soft reset first (Ctrl+X)"))
        }
        StateKind::Idle | StateKind::Alarm => Ok(()),
        other => Err(cannot(verb, other, machine)),
    }
}

fn jog(distance: &AxisVec, feed_mm_min: f64, state: StateKind, machine: &Machine) -> Result<(), Refused> {
    jog_in(state, machine)?;
    if distance.iter().any(|(_, d)| !d.is_finite()) || !feed_mm_min.is_finite() || feed_mm_min <= 0.0 {
        return Err(Refused::because("a jog needs a distance and a feed above 0"));
    }
    let moved: AxisSet = distance.iter().filter(|(_, d)| *d != 0.0).map(|(axis, _)| axis).collect();
    if moved.is_empty() {
        // All three firmwares move toward zero on a jog without an axis (facts §0.3).
        return Err(Refused::because("a jog needs an axis to move"));
    }
    moved.iter().try_for_each(|axis| has_axis(axis, machine))
}

fn jog_in(state: StateKind, machine: &Machine) -> Result<(), Refused> {
    match state {
        StateKind::Idle | StateKind::Jog => Ok(()),
        other => Err(cannot("jog", other, machine)),
    }
}

fn set_work(axes: AxisSet, value: f64, state: StateKind, machine: &Machine) -> Result<(), Refused> {
    if state != StateKind::Idle {
        return Err(cannot("set a work offset", state, machine));
    }
    if axes.is_empty() || !value.is_finite() {
        return Err(Refused::because("a work offset needs an axis and a number"));
    }
    axes.iter().try_for_each(|axis| has_axis(axis, machine))
}

pub(super) fn has_axis(axis: Axis, machine: &Machine) -> Result<(), Refused> {
    if axis.index() < machine.axis_count() {
        Ok(())
    } else {
        Err(Refused::because(format!("this machine has no {axis} axis")))
    }
}

/// Whether the machine can be jogged now, in whatever direction.
///
/// # Errors
/// The reason, as for [`check`].
pub fn may_jog(snapshot: &Snapshot, now: Time) -> Result<(), Refused> {
    let machine = &snapshot.machine;
    programs::no_program(snapshot)?;
    jog_in(known_state(machine, now)?, machine)
}

pub(super) fn needs_reset(machine: &Machine) -> bool {
    machine.alarm.as_ref().is_some_and(|alarm| alarm.needs_reset)
}

fn known_state(machine: &Machine, now: Time) -> Result<StateKind, Refused> {
    match &machine.link.state {
        LinkState::Up => {}
        LinkState::Identifying => return Err(Refused::because("the controller is still being identified")),
        LinkState::Down { why, .. } => return Err(Refused::because(format!("the link is down: {why}"))),
        LinkState::Silent { why } | LinkState::Foreign { why } => return Err(Refused::because(why.clone())),
        LinkState::Opening | LinkState::Asking => {
            return Err(Refused::because("nothing has answered on this port yet"));
        }
    }
    machine
        .fresh_state(now)
        .map(|state| state.kind)
        .ok_or_else(|| Refused::because("the machine's state is not known: no report for too long"))
}

fn mdi(line: &str, state: StateKind, firmware: Option<Firmware>, machine: &Machine) -> Result<(), Refused> {
    let line = line.trim();
    let is_jog = line.get(..2).is_some_and(|head| head.eq_ignore_ascii_case("$J"));
    if is_jog && !matches!(state, StateKind::Idle | StateKind::Jog) {
        return Err(cannot("jog", state, machine));
    }
    match state {
        StateKind::Idle | StateKind::Check | StateKind::Run => {}
        StateKind::Alarm if needs_reset(machine) => {
            return Err(Refused::because("this alarm needs a soft reset first (Ctrl+X)"));
        }
        StateKind::Alarm if line.starts_with('$') => {}
        StateKind::Jog if is_jog => {}
        other => return Err(cannot("send a line", other, machine)),
    }
    // FluidNC holds such a line until the motion ends and runs it even after a reset (facts §5).
    let waits = line.starts_with(['$', '[']) && !line.eq_ignore_ascii_case("$G");
    if state == StateKind::Run && waits && firmware != Some(Firmware::Grbl) {
        return Err(Refused::because("`$` commands wait for the end of the motion; only $G is answered now"));
    }
    Ok(())
}

pub(super) fn cannot(verb: &str, state: StateKind, machine: &Machine) -> Refused {
    let why = match state {
        StateKind::Alarm if needs_reset(machine) => "the machine is in alarm: soft reset (Ctrl+X) first",
        StateKind::Alarm => "the machine is locked by an alarm: home or unlock first",
        StateKind::Hold | StateKind::Held => "the machine is on hold: resume or stop first",
        StateKind::Door => "the safety door is open or waits for a resume",
        StateKind::Sleep => "the controller sleeps: only a soft reset (Ctrl+X) wakes it",
        StateKind::Run => "the machine is running",
        StateKind::Jog => "the machine is jogging",
        StateKind::Home => "the machine is homing",
        StateKind::Check => "check mode is on ($C leaves it)",
        StateKind::Tool => "the controller waits for a tool change",
        StateKind::Starting => "the controller is starting",
        StateKind::Idle => "the machine is idle",
    };
    Refused::because(format!("cannot {verb}: {why}"))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::model::jog::JogVector;
    use crate::model::machine::{Identity, MachineState, Pins};
    use crate::model::snapshot::{Alarm, Link};

    const NOW: Time = Time::from_millis(1000);
    const ALL: [StateKind; 12] = [
        StateKind::Idle,
        StateKind::Run,
        StateKind::Hold,
        StateKind::Jog,
        StateKind::Alarm,
        StateKind::Door,
        StateKind::Check,
        StateKind::Home,
        StateKind::Sleep,
        StateKind::Tool,
        StateKind::Starting,
        StateKind::Held,
    ];
    const FIRMWARES: [Firmware; 3] = [Firmware::Grbl, Firmware::FluidNc, Firmware::GrblHal];

    fn machine(state: StateKind, firmware: Firmware) -> Snapshot {
        let identity = Identity {
            firmware,
            version: "1".into(),
            name: None,
            options: "VH".into(),
            planner_blocks: None,
            rx_bytes: None,
            axes: Some(3),
        };
        Snapshot {
            machine: Machine {
                link: Link { state: LinkState::Up, ..Link::default() },
                identity: Some(identity),
                state: Some(MachineState::plain(state)),
                reported_at: Some(NOW),
                ..Machine::default()
            },
            ..Snapshot::default()
        }
    }

    fn step(distance: &[f64], feed_mm_min: f64) -> Command {
        Command::JogStep { distance: AxisVec::from_slice(distance), feed_mm_min }
    }

    fn keep(direction: &[f64]) -> Command {
        let vector = JogVector { direction: AxisVec::from_slice(direction), feed_mm_min: 600.0 };
        Command::JogContinue { vector, lease: Duration::from_millis(200) }
    }

    fn mdi(line: &str) -> Command {
        Command::Mdi(line.into())
    }

    fn set_x() -> Command {
        Command::SetWork { axes: [Axis::X].into_iter().collect(), value: 0.0 }
    }

    /// The states in which `command` is legal on `firmware`.
    fn legal_in(command: &Command, firmware: Firmware) -> Vec<StateKind> {
        ALL.into_iter().filter(|&state| check(command, &machine(state, firmware), NOW).is_ok()).collect()
    }

    #[test]
    fn each_command_is_legal_in_its_states_only() {
        use StateKind::{Alarm, Check, Idle, Jog, Run};
        for firmware in FIRMWARES {
            assert_eq!(legal_in(&step(&[1.0], 600.0), firmware), [Idle, Jog]);
            assert_eq!(legal_in(&keep(&[0.0, -1.0]), firmware), [Idle, Jog]);
            assert_eq!(legal_in(&Command::Home(HomeTarget::All), firmware), [Idle, Alarm]);
            assert_eq!(legal_in(&Command::Home(HomeTarget::One(Axis::Z)), firmware), [Idle, Alarm]);
            assert_eq!(legal_in(&Command::Unlock, firmware), [Alarm]);
            assert_eq!(legal_in(&set_x(), firmware), [Idle]);
            assert_eq!(legal_in(&mdi("G0 X1"), firmware), [Idle, Run, Check]);
            assert_eq!(legal_in(&mdi("$G"), firmware), [Idle, Run, Alarm, Check]);
            for line in ["$J=G91 X1 F100", "$j=X1F100", " $J=X1F100"] {
                assert_eq!(legal_in(&mdi(line), firmware), [Idle, Jog], "{line}");
            }
        }
        // FluidNC holds such lines until the motion ends and runs them even after a reset.
        for line in ["$$", "$H", "$X", "[ESP420]"] {
            assert!(!legal_in(&mdi(line), Firmware::FluidNc).contains(&Run), "{line}");
            assert!(!legal_in(&mdi(line), Firmware::GrblHal).contains(&Run), "{line}");
        }
        assert_eq!(legal_in(&mdi("$$"), Firmware::Grbl), [Idle, Run, Alarm, Check]);
    }

    #[test]
    fn a_port_is_left_only_where_nothing_moves() {
        use StateKind::{Alarm, Idle, Sleep};
        let other = Command::UsePort("/dev/ttyUSB1".parse().unwrap());
        assert_eq!(legal_in(&other, Firmware::FluidNc), [Idle, Alarm, Sleep]);
        let mut down = machine(StateKind::Run, Firmware::FluidNc);
        assert!(check(&other, &down, NOW + Duration::from_secs(9)).is_err(), "it may still be moving");
        down.machine.link.state = LinkState::Down { why: "unplugged".into(), attempt: 1, retry_at: NOW };
        assert!(check(&other, &down, NOW).is_ok());
        let mut silent = machine(StateKind::Idle, Firmware::Grbl);
        silent.machine.link.state = LinkState::Silent { why: "no answer".into() };
        silent.machine.reported_at = None;
        assert!(check(&other, &silent, NOW).is_ok(), "nobody ever answered there");
        let mut jogging = machine(StateKind::Idle, Firmware::Grbl);
        jogging.machine.homing = true;
        assert!(check(&other, &jogging, NOW).is_err());
    }

    #[test]
    fn an_alarm_that_needs_a_reset_lets_nothing_else_through() {
        let mut snapshot = machine(StateKind::Alarm, Firmware::FluidNc);
        let alarm = Alarm { info: None, since: NOW, pins: Pins::NONE, needs_reset: true };
        snapshot.machine.alarm = Some(alarm);
        for command in [Command::Unlock, Command::Home(HomeTarget::All), mdi("$X"), mdi("G0 X1"), step(&[1.0], 1.0)] {
            let refused = check(&command, &snapshot, NOW).unwrap_err();
            assert!(refused.0.contains("soft reset"), "{command:?}: {refused}");
        }
    }

    #[test]
    fn a_jog_names_an_axis_that_exists_and_a_feed() {
        let snapshot = machine(StateKind::Idle, Firmware::Grbl);
        for bad in [
            step(&[0.0, 0.0, 0.0], 600.0),
            step(&[], 600.0),
            step(&[1.0], 0.0),
            step(&[1.0], -1.0),
            step(&[1.0], f64::NAN),
            step(&[f64::INFINITY], 600.0),
            step(&[0.0, 0.0, 0.0, 1.0], 600.0),
            keep(&[0.0]),
        ] {
            assert!(check(&bad, &snapshot, NOW).is_err(), "{bad:?}");
        }
        assert!(check(&step(&[0.0, 0.0, 1.0, 0.0], 600.0), &snapshot, NOW).is_ok());
    }

    #[test]
    fn axes_are_those_of_the_machine() {
        let mut snapshot = machine(StateKind::Idle, Firmware::Grbl);
        let home_a = Command::Home(HomeTarget::One(Axis::A));
        assert!(check(&home_a, &snapshot, NOW).unwrap_err().0.contains("no A axis"));
        snapshot.machine.machine_position = Some(AxisVec::zeros(4));
        assert!(check(&home_a, &snapshot, NOW).is_ok());
        let nothing = Command::SetWork { axes: AxisSet::EMPTY, value: 0.0 };
        assert!(check(&nothing, &snapshot, NOW).is_err());
        let beyond = Command::SetWork { axes: AxisSet::first(5), value: 0.0 };
        assert!(check(&beyond, &snapshot, NOW).is_err());
        assert!(check(&Command::SetWork { axes: AxisSet::first(4), value: f64::NAN }, &snapshot, NOW).is_err());
    }

    #[test]
    fn homing_follows_what_the_controller_can_do() {
        let mut snapshot = machine(StateKind::Idle, Firmware::Grbl);
        if let Some(identity) = &mut snapshot.machine.identity {
            identity.options = "V".into();
        }
        assert!(check(&Command::Home(HomeTarget::One(Axis::X)), &snapshot, NOW).is_err());
        assert!(check(&Command::Home(HomeTarget::All), &snapshot, NOW).is_ok());
        snapshot.machine.limits.homing = Some(false);
        assert!(check(&Command::Home(HomeTarget::All), &snapshot, NOW).unwrap_err().0.contains("$22"));
    }

    #[test]
    fn nothing_is_legal_on_old_news_or_without_a_link() {
        let mut snapshot = machine(StateKind::Idle, Firmware::Grbl);
        let late = NOW + Duration::from_secs(3);
        assert!(check(&mdi("G0 X1"), &snapshot, late).unwrap_err().0.contains("not known"));
        for state in [
            LinkState::Opening,
            LinkState::Asking,
            LinkState::Identifying,
            LinkState::Silent { why: "no answer".into() },
            LinkState::Foreign { why: "garbage".into() },
            LinkState::Down { why: "unplugged".into(), attempt: 1, retry_at: NOW },
        ] {
            snapshot.machine.link.state = state.clone();
            assert!(check(&mdi("G0 X1"), &snapshot, NOW).is_err(), "{state:?}");
        }
    }
}
