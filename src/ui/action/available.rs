//! Which action makes sense now, and why not.

use super::Action;
use crate::model::command::{HomeTarget, Refused};
use crate::model::outputs::OutputOrder;
use crate::model::power::PowerOrder;
use crate::model::program::ProgramOrder;
use crate::model::program::run::{Run, RunState};
use crate::model::snapshot::{Age, LinkState, Snapshot};
use crate::model::sun::SunOrder;
use crate::model::work::{Switch, Work};
use crate::model::{Command, StateKind, Time, legal};
use crate::ui::power::PowerKey;
use crate::ui::programs::{ProgramKey, facts};

/// Whether an action makes sense now, and why not.
///
/// This is for hints and for actions that start or change something. The stop keys are sent whatever it says.
///
/// # Errors
/// The reason, a sentence fragment that says what to do first.
pub fn available(action: Action, snapshot: &Snapshot, now: Time) -> Result<(), Refused> {
    let machine = &snapshot.machine;
    let state = machine.fresh_state(now).map(|state| state.kind);
    let run = facts::open_run(snapshot);
    match action {
        Action::Program(key) => program(key, snapshot, now),
        Action::Power(key) => power(key, snapshot, now),
        Action::Hold | Action::StopProgram if run.is_some() && machine.link.is_open() => Ok(()),
        Action::Resume if run.is_some_and(waits) && machine.link.is_open() => Ok(()),
        Action::Resume if snapshot.sun.spindle.is_some() => Ok(()),
        Action::Hold | Action::StopProgram => match state {
            Some(StateKind::Idle) => Err(Refused::because("the machine is idle: there is nothing to stop")),
            Some(StateKind::Alarm) => Err(Refused::because("the machine is in alarm and does not move")),
            _ if !machine.link.is_open() => Err(Refused::because("there is no link to the machine")),
            _ => Ok(()),
        },
        Action::SoftReset if !machine.link.is_open() => Err(Refused::because("there is no link to the machine")),
        Action::Resume => match state {
            Some(StateKind::Hold | StateKind::Held | StateKind::Door | StateKind::Tool) => Ok(()),
            Some(other) => Err(Refused::because(format!("there is nothing to resume (state {other:?})"))),
            None => Err(Refused::because("the machine's state is not known")),
        },
        Action::JogMode | Action::Jog(_) => legal::may_jog(snapshot, now),
        Action::Home => legal::check(&Command::Home(HomeTarget::All), snapshot, now),
        Action::Zero => {
            legal::check(&Command::SetWork { axes: crate::model::AxisSet::first(1), value: 0.0 }, snapshot, now)
        }
        Action::GoTo | Action::GoToPoint => legal::check(&Command::Work(Work::ClearG92), snapshot, now)
            .map_err(|why| Refused::because(why.0.replace("change offsets", "go there"))),
        Action::Undo
        | Action::OffsetActivate
        | Action::OffsetSet
        | Action::OffsetHalf
        | Action::OffsetClear
        | Action::OffsetStore => legal::check(&Command::Work(Work::ClearG92), snapshot, now),
        Action::Park => legal::check(&Command::Sun(SunOrder::Park), snapshot, now),
        Action::PutAway => legal::check(&Command::Sun(SunOrder::Dismiss), snapshot, now),
        Action::CheckMode => legal::check(&Command::Switch(Switch::CheckMode), snapshot, now),
        Action::Sleep => legal::check(&Command::Switch(Switch::Sleep), snapshot, now),
        Action::Spindle | Action::Flood | Action::Mist => match state {
            Some(StateKind::Idle | StateKind::Run | StateKind::Hold) => Ok(()),
            Some(other) => Err(Refused::because(format!("spindle and coolant cannot be switched in state {other:?}"))),
            None => Err(Refused::because("the machine's state is not known")),
        },
        Action::Outputs => match snapshot.outputs.first() {
            Some(output) => {
                let off = OutputOrder { pin: output.pin, value: 0.0 };
                legal::check(&Command::Switch(Switch::Output(off)), snapshot, now)
            }
            None => Err(Refused::because("config.toml names no outputs ([[outputs]])")),
        },
        Action::Overrides | Action::Override(_) | Action::Door if !machine.link.is_open() => {
            Err(Refused::because("there is no link to the machine"))
        }
        // A controller that waits for a reset may answer nothing else; any other that is silent cannot be helped.
        Action::AlarmPanel
            if matches!(machine.link.state, LinkState::Silent { .. } | LinkState::Foreign { .. })
                && !machine.alarm.as_ref().is_some_and(|alarm| alarm.needs_reset) =>
        {
            Err(Refused::because("nothing answers on the link"))
        }
        Action::AlarmPanel => match (&machine.alarm, state) {
            (Some(_), _) | (None, Some(StateKind::Alarm)) if machine.age(now) != Age::Unknown => Ok(()),
            _ => Err(Refused::because("there is no alarm")),
        },
        Action::Reconnect => match machine.link.state {
            LinkState::Down { .. } => Ok(()),
            _ => Err(Refused::because("the link is not down")),
        },
        Action::ReleaseControl if snapshot.people.control.is_none() => Err(Refused::because("nobody is in control")),
        Action::TakeControl if snapshot.people.control.is_none() => {
            Err(Refused::because("nobody is in control: whoever moves something is"))
        }
        Action::Mdi if !machine.link.is_open() => Err(Refused::because("there is no link to the machine")),
        _ => Ok(()),
    }
}

/// It goes on when it is told so.
fn waits(run: &Run) -> bool {
    run.prompt.is_some() || matches!(run.state, RunState::Paused(_) | RunState::Pausing)
}

fn power(key: PowerKey, snapshot: &Snapshot, now: Time) -> Result<(), Refused> {
    let power = &snapshot.power;
    let order = |order| legal::check(&Command::Power(order), snapshot, now);
    match key {
        // To look is always possible.
        PowerKey::Page(_) | PowerKey::Filter | PowerKey::Bars | PowerKey::Changes | PowerKey::Drop => Ok(()),
        PowerKey::Aside if snapshot.sun.rules.is_empty() => {
            Err(Refused::because("config.toml has no rules ([[rule]])"))
        }
        PowerKey::Aside => Ok(()),
        PowerKey::Confirm if power.inverters.iter().all(|unit| unit.to_confirm.is_none()) => {
            Err(Refused::because("there is nothing to confirm: the devices are those that were there before"))
        }
        PowerKey::Reapply | PowerKey::Forget if power.inverters.iter().all(|unit| unit.drift.is_empty()) => {
            Err(Refused::because("every setting is what was saved, as far as is known"))
        }
        _ => order(PowerOrder::Disarm),
    }
}

fn program(key: ProgramKey, snapshot: &Snapshot, now: Time) -> Result<(), Refused> {
    let run = facts::open_run(snapshot);
    match (key, run) {
        (ProgramKey::PauseAtLineEnd, _) => legal::check(&Command::Program(ProgramOrder::PauseAtLineEnd), snapshot, now),
        (
            ProgramKey::Run | ProgramKey::RunFrom | ProgramKey::LinkLost | ProgramKey::Outline | ProgramKey::TakeUp,
            Some(run),
        ) => Err(Refused::because(format!("{} runs already", run.name))),
        (ProgramKey::PauseJob | ProgramKey::Remove, _)
            if snapshot.programs.jobs.is_empty() && snapshot.programs.queue.is_empty() =>
        {
            Err(Refused::because("no check is under way and nothing waits"))
        }
        (ProgramKey::TakeUp, None)
            if snapshot.programs.interrupted.is_none() && snapshot.machine.link.state != LinkState::Up =>
        {
            Err(Refused::because("what was interrupted is offered once the machine answers"))
        }
        (ProgramKey::TakeUp, None) if snapshot.programs.interrupted.is_none() => {
            Err(Refused::because("no program was interrupted"))
        }
        _ => Ok(()),
    }
}
