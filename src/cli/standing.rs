//! How the machine stands, in words for people who are not at a screen.

use std::fmt::Write as _;
use std::time::Duration;

use color_eyre::eyre::eyre;

use super::exit::{Code, Failure};
use super::job;
use crate::model::command::{ClientId, Realtime};
use crate::model::people::{People, Person};
use crate::model::program::{Run, RunState};
use crate::model::snapshot::{Age, Alarm, LinkState, Machine, Snapshot, StopPhase};
use crate::model::{AxisVec, Time};

/// The link where there is something to say of it, state and position with their age, the alarm, the program.
pub(super) fn lines(snapshot: &Snapshot, now: Time) -> String {
    let machine = &snapshot.machine;
    let mut text = String::new();
    if let Some(link) = link(&machine.link.state) {
        let _ = writeln!(text, "link      {link}");
    }
    let old = age(machine, now).map_or_else(String::new, |age| format!(", {age}"));
    let state = machine.state.map_or_else(|| "not known".to_owned(), |state| format!("{state}{old}"));
    let _ = writeln!(text, "state     {state}");
    if let Some(alarm) = &machine.alarm {
        let _ = writeln!(text, "alarm     {}", alarm_words(alarm));
    }
    if let Some(position) = machine.work_position {
        let words: Vec<String> = position.iter().map(|(axis, at)| format!("{axis} {at:.3}")).collect();
        let _ = writeln!(text, "position  {}{old}", words.join("  "));
    }
    if let Some(run) = &snapshot.programs.run {
        let _ = writeln!(text, "program   {}", program(run));
        if run.state.is_open() && !run.check_mode {
            let _ = writeln!(text, "          if the link is lost: {}", run.on_link_loss.words());
        }
        if let Some(prompt) = &run.prompt {
            let _ = writeln!(text, "          {}", job::waits(prompt));
        }
    }
    text
}

/// The same in one line, for who watches it change. Nothing in it changes with time alone.
pub(super) fn line(snapshot: &Snapshot, now: Time) -> String {
    let machine = &snapshot.machine;
    let mut text = machine.state.map_or_else(|| "unknown".to_owned(), |state| state.to_string());
    for (axis, at) in machine.work_position.iter().flat_map(AxisVec::iter) {
        let _ = write!(text, "  {axis} {at:.3}");
    }
    let known = match (link(&machine.link.state), age(machine, now)) {
        (Some(link), _) if machine.state.is_some() => format!("link {link}; last seen: {text}"),
        (Some(link), _) => format!("link {link}"),
        (None, Some(_)) => format!("not heard of; last seen: {text}"),
        (None, None) => text,
    };
    match snapshot.programs.run.as_ref().filter(|run| run.state.is_open()) {
        Some(run) => format!("{known}  {} line {}", run.name, run.acked_line),
        None => known,
    }
}

/// What is wrong with the link, or not right yet. `None`: it is up.
fn link(state: &LinkState) -> Option<String> {
    Some(match state {
        LinkState::Up => return None,
        LinkState::Opening => "is being opened".to_owned(),
        LinkState::Asking => "is open, and nothing has answered yet".to_owned(),
        LinkState::Identifying => "is open, and the controller is being asked what it is".to_owned(),
        LinkState::Silent { why } => format!("SILENT: {why}"),
        LinkState::Foreign { why } => format!("NOT A CONTROLLER: {why}"),
        LinkState::Down { why, .. } => format!("DOWN: {why}"),
    })
}

/// How old state and position are, where they are older than they may be.
fn age(machine: &Machine, now: Time) -> Option<String> {
    match machine.age(now) {
        Age::Stale(age) | Age::Lost(age) => Some(format!("{} old", span(age))),
        Age::Unknown | Age::Fresh | Age::Late(_) => None,
    }
}

fn alarm_words(alarm: &Alarm) -> String {
    let reset = if alarm.needs_reset { " (sunmill reset comes first)" } else { "" };
    match &alarm.info {
        Some(info) => format!("ALARM:{} {} {}{reset}", info.code, info.meaning, info.remedy),
        None => format!("the controller is locked and told no code: home or unlock it{reset}"),
    }
}

fn program(run: &Run) -> String {
    let of = run.lines.map_or_else(String::new, |lines| format!(" of {lines}"));
    let at = format!("line {}{of}", run.acked_line);
    let state = match &run.state {
        RunState::Ready => return format!("{}, about to start", run.name),
        RunState::Running => "running",
        RunState::Pausing => "about to pause",
        RunState::Stopping => "being stopped",
        RunState::Paused(why) => return format!("{}, paused at {at}: {why}", run.name),
        RunState::Done => return format!("{}, done", run.name),
        RunState::Failed(why) => return format!("{}, failed at {at}: {why}", run.name),
        RunState::Stopped(why) => return format!("{}, stopped at {at}: {why}", run.name),
    };
    format!("{}, {state}, {at}", run.name)
}

/// Who is in control and since when, and who else is attached.
pub(super) fn people(people: &People, me: ClientId, now: Time) -> String {
    let mut text = match &people.control {
        Some(control) => {
            let silent = if control.stale { ", but silent: anybody may take it" } else { "" };
            format!("{} is in control since {} ago{silent}\n", control.who, span(now.since(control.since)))
        }
        None => "nobody is in control\n".to_owned(),
    };
    for person in people.clients.iter().filter(|person| person.id != me) {
        let _ = writeln!(text, "client {}: {}", person.id.0, client(person, now));
    }
    text
}

fn client(person: &Person, now: Time) -> String {
    let lag = person.fares.lag.map_or_else(String::new, |lag| format!(", lag {} ms", lag.as_millis()));
    let lost = person.fares.dropped;
    let lost = if lost == 0 { String::new() } else { format!(", lost {lost} log entries") };
    let since = span(now.since(person.since));
    format!("{}, {}, may {}, attached for {since}{lag}{lost}", person.words(), person.program, person.role)
}

/// What is told to who was in control and is not any more.
pub(super) fn no_more(people: &People) -> String {
    match &people.control {
        Some(control) => format!("{} has taken control", control.who),
        None => "control was made free".to_owned(),
    }
}

/// What has ended a jog before its end. `before`: the last stop that was asked for before it.
pub(super) fn cut_short(machine: &Machine, before: Option<Time>) -> Option<Failure> {
    if machine.alarm.is_some() {
        return Some(Failure::new(Code::Ended, eyre!("the machine is in alarm")));
    }
    let stop = machine.stop.as_ref().filter(|stop| before.is_none_or(|before| stop.at > before));
    if let Some(stop) = stop.filter(|stop| !matches!(stop.phase, StopPhase::NotNeeded(_))) {
        return Some(Failure::new(Code::Ended, eyre!("it was stopped by {}", stop_words(stop.asked))));
    }
    match &machine.link.state {
        LinkState::Down { why, .. } => {
            let why = eyre!("the link to the machine is down, and how far it went is not known ({why})");
            Some(Failure::new(Code::Ended, why))
        }
        LinkState::Silent { why } | LinkState::Foreign { why } => {
            Some(Failure::new(Code::Timeout, eyre!("it was sent, but its end was not seen: {why}")))
        }
        _ => None,
    }
}

const fn stop_words(asked: Realtime) -> &'static str {
    match asked {
        Realtime::FeedHold => "a feed hold",
        Realtime::StopProgram => "the end of the program",
        Realtime::SoftReset => "a reset",
        Realtime::SafetyDoor => "the safety door",
        Realtime::JogCancel => "a jog cancel",
        _ => "a stop",
    }
}

/// A time in the unit that matters.
fn span(time: Duration) -> String {
    match time.as_secs() {
        s @ 0..60 => format!("{s} s"),
        s @ 60..3600 => format!("{} min", s / 60),
        s => format!("{} h {} min", s / 3600, s % 3600 / 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Role;
    use crate::model::machine::{AlarmInfo, MachineState, Pins, StateKind};
    use crate::model::people::{Control, Fares};
    use crate::model::program::{Prompt, RunId};
    use crate::model::snapshot::{Link, Stop};

    fn t(s: u64) -> Time {
        Time::from_millis(s * 1000)
    }

    fn idle(link: LinkState) -> Snapshot {
        let machine = Machine {
            link: Link { state: link, ..Link::default() },
            state: Some(MachineState::plain(StateKind::Idle)),
            reported_at: Some(t(10)),
            report_interval: Duration::from_secs(1),
            work_position: Some(AxisVec::from_slice(&[1.0, -2.5])),
            ..Machine::default()
        };
        Snapshot { machine, ..Snapshot::default() }
    }

    fn down() -> LinkState {
        LinkState::Down { why: "the controller closed the connection".into(), attempt: 1, retry_at: t(20) }
    }

    #[test]
    fn an_old_state_is_not_told_as_the_present_one() {
        let up = idle(LinkState::Up);
        assert_eq!(lines(&up, t(11)), "state     Idle\nposition  X 1.000  Y -2.500\n");
        assert_eq!(line(&up, t(11)), "Idle  X 1.000  Y -2.500");
        assert_eq!(lines(&up, t(14)), "state     Idle, 4 s old\nposition  X 1.000  Y -2.500, 4 s old\n");
        assert_eq!(line(&up, t(14)), "not heard of; last seen: Idle  X 1.000  Y -2.500");
        let lost = lines(&idle(down()), t(14));
        assert!(
            lost.starts_with("link      DOWN: the controller closed the connection\nstate     Idle, 4 s old"),
            "{lost}"
        );
        let lost = line(&idle(down()), t(11));
        assert!(lost.starts_with("link DOWN: the controller closed the connection; last seen: Idle"), "{lost}");
        assert_eq!(line(&idle(down()), t(11)), line(&idle(down()), t(99)), "it does not change with time alone");
        let never = Snapshot::default();
        assert_eq!(lines(&never, t(1)), "link      is being opened\nstate     not known\n");
    }

    #[test]
    fn alarm_program_and_question_are_told() {
        let mut snapshot = idle(LinkState::Up);
        let info = AlarmInfo {
            code: 1,
            name: "hard_limit".into(),
            meaning: "A limit switch was hit.".into(),
            remedy: "Reset.".into(),
            needs_soft_reset: true,
            position_lost: Some(true),
        };
        let alarm = Alarm { info: Some(info), since: t(9), pins: Pins::default(), needs_reset: true };
        snapshot.machine.alarm = Some(alarm);
        let prompt = Prompt::Pause { line: 3, text: Some("turn the part".into()) };
        let mut run = Run::new(RunId(1), "folder/part.nc".into(), 1, t(0));
        (run.state, run.prompt) = (RunState::Paused("line 3: the program waits".into()), Some(prompt));
        (run.acked_line, run.lines) = (2, Some(9));
        snapshot.programs.run = Some(run);
        let text = lines(&snapshot, t(11));
        for words in [
            "alarm     ALARM:1 A limit switch was hit. Reset. (sunmill reset comes first)\n",
            "program   part.nc, paused at line 2 of 9: line 3: the program waits\n",
            "waits at line 3: turn the part; sunmill resume goes on\n",
        ] {
            assert!(text.contains(words), "{words:?}: {text}");
        }
    }

    #[test]
    fn a_jog_that_did_not_come_to_its_end_says_why() {
        let code = |machine: &Machine, before| cut_short(machine, before).map(|end| (end.code(), end.words()));
        let mut machine = idle(LinkState::Up).machine;
        assert_eq!(code(&machine, None), None);
        machine.stop = Some(Stop { asked: Realtime::FeedHold, at: t(5), phase: StopPhase::Sent });
        assert_eq!(code(&machine, Some(t(5))), None, "one that was asked for before");
        let (ended, why) = code(&machine, None).unwrap();
        assert_eq!((ended, why.as_str()), (Code::Ended, "it was stopped by a feed hold"));
        machine.stop = Some(Stop { asked: Realtime::Stop, at: t(5), phase: StopPhase::NotNeeded("idle".into()) });
        assert_eq!(code(&machine, None), None);
        machine.link.state = down();
        let (ended, why) = code(&machine, None).unwrap();
        assert!(ended == Code::Ended && why.contains("closed the connection"), "{why}");
        machine.link.state = LinkState::Silent { why: "nothing answers".into() };
        assert_eq!(code(&machine, None).unwrap().0, Code::Timeout);
    }

    #[test]
    fn who_is_there_is_told_with_role_time_and_lag() {
        let fares = Fares { lag: Some(Duration::from_millis(12)), ..Fares::default() };
        let person = |id| Person {
            id: ClientId(id),
            user: "pi".into(),
            from: "pts/3".into(),
            program: "sunmill 1".into(),
            role: Role::Operate,
            since: t(10),
            fares,
            ..Person::default()
        };
        let control = Control { client: ClientId(2), who: "pi at pts/3".into(), since: t(20), stale: false };
        let people_now = People { control: Some(control), clients: vec![person(2), person(7)], ..People::default() };
        assert_eq!(
            people(&people_now, ClientId(7), t(140)),
            "pi at pts/3 is in control since 2 min ago\n\
             client 2: pi at pts/3, sunmill 1, may operate, attached for 2 min, lag 12 ms\n"
        );
    }
}
