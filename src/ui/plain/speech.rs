//! Facts as sentences: what would be read off a screen, said in words.

use crate::model::machine::MachineState;
use crate::model::snapshot::{LinkState, Machine, Snapshot, Stop, StopPhase};
use crate::model::{Axis, AxisVec, Realtime, StateKind, Time, Units};
use crate::ui::programs::facts::open_run;
use crate::ui::recovery::{AlarmHistory, Does, Progress, guide};
use crate::ui::state::age_text;
use crate::ui::words::pins_text;

/// A state in words.
pub fn state(state: MachineState) -> String {
    match (state.kind, state.sub) {
        (StateKind::Idle, _) => "idle".to_owned(),
        (StateKind::Run, _) => "running".to_owned(),
        (StateKind::Jog, _) => "jogging".to_owned(),
        (StateKind::Home, _) => "homing".to_owned(),
        (StateKind::Hold, Some(1)) => "hold, slowing down".to_owned(),
        (StateKind::Hold | StateKind::Held, _) => "hold; resume goes on, end ends the program".to_owned(),
        (StateKind::Alarm, _) => "alarm".to_owned(),
        (StateKind::Door, Some(0)) => "safety door closed; resume goes on".to_owned(),
        (StateKind::Door, _) => "safety door open".to_owned(),
        (StateKind::Check, _) => "check mode: nothing moves".to_owned(),
        (StateKind::Sleep, _) => "asleep; reset wakes the controller".to_owned(),
        (StateKind::Tool, _) => "waiting for a tool change".to_owned(),
        (StateKind::Starting, _) => "the controller is starting".to_owned(),
    }
}

/// The link in words.
pub fn link(machine: &Machine) -> String {
    let who = machine.identity.as_ref().map_or_else(String::new, |id| format!("{} {}", id.firmware, id.version));
    let place = if machine.link.simulated { "the SIMULATED machine" } else { machine.link.endpoint.as_str() };
    match &machine.link.state {
        LinkState::Opening => format!("opening {place}"),
        LinkState::Asking => format!("{place} is open; asking who is there"),
        LinkState::Identifying => "it answers; asking what it is".to_owned(),
        LinkState::Up => format!("connected to {who} on {place}"),
        LinkState::Silent { why } => format!("no answer: {why}"),
        LinkState::Foreign { why } => format!("not a Grbl: {why}"),
        LinkState::Down { why, .. } => format!("no link: {why}; it is tried again, reconnect tries now"),
    }
}

/// Where the machine is, with the age of what is told where it is not young.
pub fn position(machine: &Machine, units: Units, now: Time) -> String {
    let say = |position: Option<AxisVec>| match position {
        Some(position) => position
            .iter()
            .map(|(axis, value)| format!("{axis} {} {}", units.position(axis, value), spoken_unit(units, axis)))
            .collect::<Vec<_>>()
            .join(", "),
        None => "not known".to_owned(),
    };
    let wcs = machine.modal.as_ref().and_then(|modal| modal.wcs()).unwrap_or("work");
    let age = age_text(machine.age(now)).map_or_else(String::new, |age| format!(" This is {age}."));
    format!("{wcs} position {}. Machine position {}.{age}", say(machine.work_position), say(machine.machine_position))
}

fn spoken_unit(units: Units, axis: Axis) -> &'static str {
    match units.of(axis) {
        "in" => "inch",
        other => other,
    }
}

/// State and position in one line.
pub fn brief(machine: &Machine, units: Units, now: Time) -> String {
    let known = machine.fresh_state(now).map_or_else(|| "not known".to_owned(), state);
    format!("State {known}. {}", position(machine, units, now))
}

/// All that is known, a line each.
pub fn status(snapshot: &Snapshot, units: Units, now: Time) -> Vec<String> {
    let machine = &snapshot.machine;
    let mut lines = vec![link(machine), brief(machine, units, now)];
    let homed = if machine.homed.is_empty() { "none".to_owned() } else { spaced(&machine.homed.to_string()) };
    lines.push(format!("Homed axes: {homed}. Active pins: {}.", pins_text(machine.pins)));
    let feed = machine.feed_mm_min.map_or_else(|| "not known".into(), |feed| units.feed_text(feed));
    let spindle = machine.spindle_rpm.map_or_else(|| "not known".into(), |rpm| format!("{rpm:.0}"));
    let mut line = format!("Feed {feed} {}, spindle {spindle} rpm", units.feed());
    if let Some(on) = machine.accessories {
        for (is_on, word) in [
            (on.spindle_cw, "spindle clockwise"),
            (on.spindle_ccw, "spindle counter-clockwise"),
            (on.flood, "flood on"),
            (on.mist, "mist on"),
        ] {
            if is_on {
                line = line + ", " + word;
            }
        }
    }
    lines.push(line + ".");
    if let Some(o) = machine.overrides {
        lines.push(format!("Overrides: feed {} %, rapids {} %, spindle {} %.", o.feed, o.rapid, o.spindle));
    }
    if machine.alarm.is_some() {
        lines.push("There is an alarm; alarm says the way out.".to_owned());
    }
    if let Some(run) = open_run(snapshot) {
        lines.push(format!("{} is at line {}.", run.name, run.acked_line));
        if !run.check_mode {
            lines.push(format!("If the link is lost: {}.", run.on_link_loss.words()));
        }
    }
    if let Some(found) = snapshot.programs.interrupted.as_ref().filter(|_| open_run(snapshot).is_none()) {
        let (run, line) = (&found.run, found.suggested_line);
        lines.push(format!(
            "{} was interrupted at line {}; good to begin again at line {line}.",
            run.name, run.last_line
        ));
        lines.push("take up says what would be sent first, and asks before it starts; forget drops it.".to_owned());
    }
    lines
}

fn spaced(letters: &str) -> String {
    letters.chars().map(String::from).collect::<Vec<_>>().join(" ")
}

/// A stop, as far as it got. `None`: not worth a line.
pub fn stop(stop: &Stop) -> Option<String> {
    let name = match stop.asked {
        Realtime::FeedHold => "hold",
        Realtime::StopProgram => "end of the program",
        Realtime::SoftReset => "reset",
        Realtime::JogCancel => "jog cancel",
        _ => "stop",
    };
    Some(match &stop.phase {
        StopPhase::NotNeeded(why) => format!("{name}: {why}"),
        StopPhase::Sent => format!("{name} sent"),
        StopPhase::Confirmed => format!("{name}: the machine obeys"),
        StopPhase::Stopped if stop.asked == Realtime::JogCancel => return None,
        StopPhase::Stopped => "stopped: the machine stands".to_owned(),
        StopPhase::NotConfirmed => format!("{name} NOT CONFIRMED: use the emergency stop"),
    })
}

/// What the alarm means, and the words that lead out of it, in their order.
pub fn alarm(snapshot: &Snapshot, history: &AlarmHistory, now: Time) -> Vec<String> {
    let Some(guide) = guide(snapshot, history, now) else { return vec!["There is no alarm.".to_owned()] };
    let mut lines = vec![format!("{}. {}", guide.title, guide.happened), format!("Pins {}.", guide.pins), guide.lost];
    if !guide.advice.is_empty() {
        lines.push(guide.advice);
    }
    for step in &guide.steps {
        let progress = match step.progress {
            Progress::Done => "Done",
            Progress::Now => "Now",
            Progress::Later => "Later",
        };
        lines.push(format!("{progress}: {}.", step.text));
    }
    for way in &guide.ways {
        let word = match way.does {
            Does::Reset => "reset",
            Does::Home => "home",
            Does::Unlock => "unlock",
        };
        lines.push(format!("Type {word}: {}.", way.cost));
    }
    lines
}
