//! Which command is legal in which state, and the reason why not: one table for the hub's arbiter
//! and for the screen's hints, so that a hint cannot lie.

use super::command::{Command, HomeTarget, Refused};
use super::machine::{Firmware, StateKind};
use super::snapshot::{LinkState, Machine, Snapshot};
use super::time::Time;

/// Whether `command` may be sent now.
///
/// # Errors
/// The reason, as a sentence fragment that says what to do first.
pub fn check(command: &Command, snapshot: &Snapshot, now: Time) -> Result<(), Refused> {
    let machine = &snapshot.machine;
    let state = known_state(machine, now)?;
    let firmware = machine.identity.as_ref().map(|i| i.firmware);
    match command {
        Command::JogStep { .. } | Command::JogContinue { .. } => match state {
            StateKind::Idle | StateKind::Jog => Ok(()),
            other => Err(cannot("jog", other, machine)),
        },
        Command::Home(target) => {
            if machine.limits.homing == Some(false) {
                return Err(Refused::because("homing is switched off in the controller ($22)"));
            }
            if let (HomeTarget::One(axis), true) = (target, machine.identity.is_some())
                && axis.index() >= machine.axis_count()
            {
                return Err(Refused::because(format!("this machine has no {axis} axis")));
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
        Command::SetWork { .. } => match state {
            StateKind::Idle => Ok(()),
            other => Err(cannot("set a work offset", other, machine)),
        },
        Command::Mdi(line) => mdi(line, state, firmware, machine),
    }
}

fn needs_reset(machine: &Machine) -> bool {
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
    match state {
        StateKind::Idle | StateKind::Check | StateKind::Run => {}
        StateKind::Alarm if needs_reset(machine) => {
            return Err(Refused::because("this alarm needs a soft reset first (Ctrl+X)"));
        }
        StateKind::Alarm if line.starts_with('$') => {}
        StateKind::Jog if line.starts_with("$J") || line.starts_with("$j") => {}
        other => return Err(cannot("send a line", other, machine)),
    }
    // FluidNC holds such a line until the motion ends and runs it even after a reset (facts §5).
    let waits = line.starts_with('$') && !line.eq_ignore_ascii_case("$G");
    if state == StateKind::Run && waits && firmware != Some(Firmware::Grbl) {
        return Err(Refused::because("`$` commands wait for the end of the motion; only $G is answered now"));
    }
    Ok(())
}

fn cannot(verb: &str, state: StateKind, machine: &Machine) -> Refused {
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
