//! What the runner tells: prompts, ends, interrupted runs. Questions that come by themselves never have a choice
//! selected that does something, and wait while somebody types or jogs.

use std::sync::Arc;

use super::{ask, launch};
use crate::model::program::run::{Interrupted, Run, RunState};
use crate::model::program::{ProgramOrder, ProgramQuery, Prompt, RunEnd};
use crate::model::snapshot::Snapshot;
use crate::model::sun::{SpindleWait, SunOrder};
use crate::model::{Command, Realtime, StateKind, Time};
use crate::ui::console::Tone;
use crate::ui::programs::state::LOOKS;
use crate::ui::programs::{facts, progress, words};
use crate::ui::recovery::present_alarm;
use crate::ui::state::{Choice, Effect, Mode, Popup, Tab, Then, Ui};
use crate::ui::update::popups::{choice, popup};

/// Follows the runner from snapshot to snapshot.
pub(in crate::ui::update) fn follow(ui: &mut Ui, snapshot: &Snapshot, now: Time) -> Vec<Effect> {
    let mut effects = run(ui, snapshot, now);
    prompt(ui, snapshot, now);
    close_spindle_question(ui, snapshot);
    offer(ui, snapshot, now);
    // Elsewhere it stays outdated until somebody looks.
    let looks = ui.programs.launch.is_some() || ui.tab == Tab::Programs;
    let is_outdated = looks && ui.programs.is_outdated(snapshot);
    if let Some(launch) = ui.programs.launch.as_ref().filter(|_| is_outdated) {
        effects.extend(launch.queries().into_iter().map(ask));
        launch::settle(ui, snapshot, now);
    } else if is_outdated && ui.tab == Tab::Programs && ui.programs.details.is_some() {
        // What is said of the file that is looked at was said of a machine that stood otherwise.
        effects.extend(ui.programs.file.clone().map(ProgramQuery::Details).map(ask));
    }
    effects
}

/// A question may come up: nobody is in the middle of something.
fn is_free(ui: &Ui) -> bool {
    !ui.is_covered() && !ui.mode.is_text() && ui.mode != Mode::Jog
}

/// The run itself: its picture when it begins, a word when it ends, the lines around the present one.
fn run(ui: &mut Ui, snapshot: &Snapshot, now: Time) -> Vec<Effect> {
    let Some(run) = &snapshot.programs.run else { return Vec::new() };
    let is_open = run.state.is_open();
    let following = &mut ui.programs.running;
    let mut effects = Vec::new();
    let has_begun = following.id != Some(run.id);
    if has_begun {
        following.id = Some(run.id);
        (following.details, following.refused) = (None, false);
        following.is_open = false;
        if is_open {
            effects.push(ask(ProgramQuery::Details(run.path.clone())));
        }
    }
    let has_ended = following.is_open && !is_open;
    following.is_open = is_open;
    if has_ended {
        let (text, tone) = end(run, now);
        ui.say(text, tone, now);
    }
    if has_begun || has_ended {
        effects.extend(ui.programs.history.again().map(ask));
    }
    let following = &mut ui.programs.running;
    let stood = following.looked_at.is_none_or(|at| now.since(at) >= LOOKS);
    if is_open && !run.outline && ui.tab == Tab::Machine && stood {
        following.looked_at = Some(now);
        following.lines.look(&run.path, run.acked_line);
        effects.extend(following.lines.query().map(ask));
    }
    effects
}

fn end(run: &Run, now: Time) -> (String, Tone) {
    let took = words::span(progress::elapsed(run, now).as_secs_f64());
    match &run.state {
        RunState::Done if run.check_mode => {
            (format!("{}: the controller accepts it, in {took} of check mode", run.name), Tone::Good)
        }
        RunState::Done => (format!("{} is done, in {took}", run.name), Tone::Good),
        RunState::Failed(why) => (format!("{} FAILED at line {}: {why}", run.name, run.acked_line), Tone::Bad),
        RunState::Stopped(why) => (format!("{} stopped at line {}: {why}", run.name, run.acked_line), Tone::Warning),
        _ => (format!("{} has ended", run.name), Tone::Plain),
    }
}

/// The run that asks something.
fn asking(snapshot: &Snapshot) -> Option<(&Run, &Prompt)> {
    let run = facts::open_run(snapshot)?;
    Some((run, run.prompt.as_ref()?))
}

/// Shows a prompt once; takes it away when somebody else has answered it.
fn prompt(ui: &mut Ui, snapshot: &Snapshot, now: Time) {
    let asked = asking(snapshot).map(|(run, prompt)| (run.id, prompt.clone()));
    if asked == ui.programs.prompted {
        return;
    }
    if let Some((_, old)) = &ui.programs.prompted
        && ui.popup.as_ref().is_some_and(|popup| is_of(popup, old))
    {
        ui.popup = None;
    }
    if asked.is_none() {
        ui.programs.prompted = None;
    } else if is_free(ui) {
        ui.programs.running.refused = matches!(asked, Some((_, Prompt::LineRefused { .. })));
        ui.programs.prompted = asked;
        ui.popup = asking(snapshot).map(|(run, prompt)| question(run, prompt, 0));
    } else if ui.notice.is_none() {
        ui.say("the program waits for you: close this (Esc) to see why", Tone::Warning, now);
    }
}

/// A question about a spindle start goes with that start: its answer must not meet another one.
fn close_spindle_question(ui: &mut Ui, snapshot: &Snapshot) {
    let asked = |choice: &Choice| match &choice.then {
        Then::Submit(Command::Sun(SunOrder::SpindleGo { since })) => *since,
        _ => None,
    };
    let asked = ui.popup.as_ref().and_then(|popup| popup.choices.iter().find_map(asked));
    if asked.is_some() && asked != snapshot.sun.spindle.as_ref().map(|wait| wait.since) {
        ui.popup = None;
    }
}

/// A spindle start that was typed, or a key, waits for power: what shall become of it?
fn spindle_question(wait: &SpindleWait, batch: u64) -> Popup {
    let of = |order| Then::Submit(Command::Sun(order));
    let choices = vec![
        choice(Some('~'), "Start the spindle anyway", of(SunOrder::SpindleGo { since: Some(wait.since) })),
        choice(Some('d'), "Drop it", of(SunOrder::SpindleDrop)),
    ];
    let body = if wait.kept {
        vec![
            format!("{} was not sent, since it starts the spindle again: {}.", wait.what, wait.why),
            "Nothing goes on by itself: press it again when there is room.".to_owned(),
        ]
    } else {
        vec![
            format!("{} waits: {}.", wait.what, wait.why),
            "It starts by itself as soon as nothing holds it back; after five minutes it is dropped.".to_owned(),
        ]
    };
    later(popup("The spindle waits for power", body, choices, batch), "Decide later: ~ asks again")
}

/// `~` while a program waits. `None`: it is for the machine.
pub(in crate::ui::update) fn resume(ui: &mut Ui, snapshot: &Snapshot, batch: u64, now: Time) -> Option<Vec<Effect>> {
    if let Some((run, prompt)) = asking(snapshot) {
        ui.popup = Some(question(run, prompt, batch));
        return Some(Vec::new());
    }
    if let Some(wait) = snapshot.sun.spindle.as_ref().filter(|wait| wait.line.is_none()) {
        ui.popup = Some(spindle_question(wait, batch));
        return Some(Vec::new());
    }
    let run = facts::open_run(snapshot)?;
    let is_paused = matches!(run.state, RunState::Paused(_) | RunState::Pausing);
    let state = snapshot.machine.fresh_state(now).map(|state| state.kind);
    // What holds the machine itself is let go by the machine's own cycle start, which the runner follows.
    let holds = matches!(state, Some(StateKind::Hold | StateKind::Held | StateKind::Door | StateKind::Tool));
    (is_paused && !holds).then(|| vec![Effect::Submit(Command::Program(ProgramOrder::Resume))])
}

fn title(prompt: &Prompt) -> &'static str {
    match prompt {
        Prompt::Pause { .. } => "The program waits for you",
        Prompt::ToolChange { .. } => "Tool change",
        Prompt::SpindleStart { .. } => "The spindle waits for power",
        Prompt::LineRefused { .. } => "The controller refused a line",
    }
}

fn body(prompt: &Prompt) -> Vec<String> {
    match prompt {
        Prompt::Pause { .. } => vec![words::prompt(prompt)],
        Prompt::ToolChange { .. } => {
            vec![
                words::prompt(prompt),
                "No key moves the machine while the program is open: to jog and touch off, stop here first (position is kept)."
                    .to_owned(),
            ]
        }
        Prompt::SpindleStart { text, .. } => {
            let goes_on = "It starts by itself as soon as there is room for its surge.".to_owned();
            vec![format!("{}: {text}.", words::prompt(prompt)), goes_on]
        }
        Prompt::LineRefused { line, code, meaning, around } => {
            let mut body = vec![format!("Line {}, error {code}: {meaning}", words::count(*line))];
            body.extend(around.iter().map(|(number, text)| {
                let mark = if number == line { ">" } else { "-" };
                format!("{mark} {number}: {text}")
            }));
            body
        }
    }
}

fn is_of(popup: &Popup, prompt: &Prompt) -> bool {
    popup.title == title(prompt) && popup.body.ends_with(&body(prompt))
}

/// The question that a prompt is. What leaves everything as it is is selected.
pub(super) fn question(run: &Run, prompt: &Prompt, batch: u64) -> Popup {
    let stop = choice(Some('s'), "Stop the program; it can be taken up again", Then::Realtime(Realtime::StopProgram));
    let go_on = |label: &str| choice(Some('~'), label, Then::Submit(Command::Program(ProgramOrder::Resume)));
    let aside = |next: u64| {
        let label = format!("Stop here to jog and zero; a goes on at line {}", words::count(next));
        choice(Some('j'), label, Then::Submit(Command::Program(ProgramOrder::StepAside)))
    };
    let choices = match prompt {
        Prompt::Pause { line, .. } => vec![go_on("Go on"), aside(line + 1), stop],
        Prompt::ToolChange { next, .. } => vec![go_on("The tool is in: go on"), aside(*next), stop],
        Prompt::SpindleStart { .. } => vec![go_on("Start the spindle anyway"), stop],
        Prompt::LineRefused { .. } => {
            let skip = Then::Submit(Command::Program(ProgramOrder::SkipLine));
            let label = "Skip this line: stop, then see and confirm the start at the next one";
            vec![choice(Some('k'), label, skip), stop]
        }
    };
    let mut lines = vec![format!("{} is paused.", run.name)];
    lines.extend(body(prompt));
    later(popup(title(prompt), lines, choices, batch), "Decide later: ~ asks again")
}

fn later(mut question: Popup, label: &str) -> Popup {
    if let Some(last) = question.choices.last_mut() {
        label.clone_into(&mut last.label);
    }
    question.selected = question.choices.len().saturating_sub(1);
    question
}

/// Offers an interrupted run once.
fn offer(ui: &mut Ui, snapshot: &Snapshot, now: Time) {
    let Some(found) = &snapshot.programs.interrupted else { return };
    // First things first: out of the alarm.
    let busy = facts::open_run(snapshot).is_some() || present_alarm(&snapshot.machine, now).is_some();
    if ui.programs.offered == Some(found.run.id) || busy || !is_free(ui) {
        return;
    }
    ui.programs.offered = Some(found.run.id);
    let skips = ui.programs.running.refused && ui.programs.running.id == Some(found.run.id);
    // Who stopped it knows; a word is enough.
    if matches!(found.run.end, Some(RunEnd::Stopped(_))) && !skips {
        let text = format!(
            "{} stopped at line {}; a takes it up again at line {}",
            found.run.name, found.run.last_line, found.suggested_line
        );
        ui.say(text, Tone::Plain, now);
        return;
    }
    ui.popup = Some(offer_question(found));
}

fn offer_question(found: &Arc<Interrupted>) -> Popup {
    let run = &found.run;
    let (how, why) = words::run_end(run.end.as_ref());
    let of = run.lines.map_or(String::new(), |lines| format!(" of {}", words::count(lines)));
    let why = why.split(". ").next().filter(|why| !why.is_empty());
    let why = why.map_or(String::new(), |why| format!(" ({})", why.trim_end_matches('.')));
    let mut body = vec![
        format!("{}: {} at line {}{of}{why}.", run.name, how.to_lowercase(), words::count(run.last_line)),
        format!("Good to begin again at line {}: {}", words::count(found.suggested_line), found.why),
    ];
    body.extend(found.warnings.iter().cloned());
    body.push("Nothing is sent before you have seen what and agreed.".to_owned());
    let forget = Then::Submit(Command::Program(ProgramOrder::Forget(run.id)));
    let choices: Vec<Choice> = vec![
        choice(Some('t'), "Take it up: choose the line, see what will be sent", Then::TakeUp),
        choice(Some('f'), "Forget it", forget),
    ];
    later(popup("A program did not come to its end", body, choices, 0), "Later: a takes it up")
}
