//! Taking up what was interrupted: with the rules of the question on the screen, in words. What is sent first is said line by line
//! before anything is asked, and each thing that has to be agreed to has a word of its own.

use std::sync::Arc;

use super::{Deed, Talk, Then, say};
use crate::model::desk::Query;
use crate::model::program::ask::{Details, Preamble};
use crate::model::program::order::POSITION_WORD;
use crate::model::program::{JobState, ProgramAnswer, ProgramOrder, Severity};
use crate::model::snapshot::Snapshot;
use crate::model::{Command, Time, legal};
use crate::ui::action::{Action, available};
use crate::ui::programs::facts::{hindrance, open_run, unfinished};
use crate::ui::programs::{Launch, Outlook, ProgramKey, words};

/// The run that is about to be taken up.
#[derive(Clone, Debug)]
pub(super) struct Taking {
    /// The question on the screen would be this one.
    launch: Launch,
    /// What the check says of the file, once it does.
    details: Option<Result<Arc<Details>, String>>,
    /// All was said; what is agreed to is asked for.
    is_told: bool,
}

/// What is agreed to next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Warnings, what is lost, that the file has changed.
    Warnings,
    /// That the check is not finished.
    Unchecked,
    /// That the position is good.
    Position,
    /// The start.
    Start,
}

impl Talk {
    /// Asks what would have to be sent.
    pub(super) fn take_up(&mut self, line: Option<u64>, snapshot: &Snapshot, now: Time) -> Vec<Deed> {
        if let Err(why) = available(Action::Program(ProgramKey::TakeUp), snapshot, now) {
            return say(format!("Not done: {why}."));
        }
        let Some(run) = &snapshot.programs.interrupted else { return say("Not done: no program was interrupted.") };
        let mut launch = Launch::take_up(run, now, 0);
        if let Some(line) = line {
            launch.begin_at(line, now);
        }
        let mut deeds = say("Working out what has to be sent first.");
        deeds.extend(launch.queries().into_iter().map(|query| Deed::Ask(Query::Program(query))));
        self.taking = Some(Taking { launch, details: None, is_told: false });
        deeds
    }

    /// Drops the offer, after a yes.
    pub(super) fn forget(&mut self, snapshot: &Snapshot, now: Time) -> Vec<Deed> {
        let Some(offered) = &snapshot.programs.interrupted else { return say("No program was interrupted.") };
        let order = Command::Program(ProgramOrder::Forget(offered.run.id));
        if let Err(why) = legal::check(&order, snapshot, now) {
            return say(format!("Not done: {why}."));
        }
        let text = format!("{} is not offered to be taken up any more then.", offered.run.name);
        self.ask(Then::Submit(order), &text, now)
    }

    /// What would be sent is being worked out.
    pub(super) fn is_working_out(&self) -> bool {
        self.taking.as_ref().is_some_and(|taking| !taking.is_told)
    }

    pub(super) fn not_worked_out(&mut self, why: &str) -> Vec<Deed> {
        self.taking = None;
        say(format!("Not done: {why}."))
    }

    /// An answer about programs.
    pub(super) fn program_answered(&mut self, answer: &ProgramAnswer, snapshot: &Snapshot, now: Time) -> Vec<Deed> {
        let Some(taking) = self.taking.as_mut().filter(|taking| !taking.is_told) else { return Vec::new() };
        match answer {
            ProgramAnswer::Details { path, result } if *path == taking.launch.path => {
                taking.details = Some(result.clone());
            }
            ProgramAnswer::Preamble { path, line, result } => taking.launch.take(path, *line, result, now),
            _ => return Vec::new(),
        }
        self.tell_take_up(snapshot, now)
    }

    /// What the log does not tell: what was interrupted; and a check that has come to its end.
    pub(super) fn look_at_programs(&mut self, snapshot: &Snapshot, now: Time) -> Vec<Deed> {
        let mut said = self.tell_take_up(snapshot, now);
        let offered = snapshot.programs.interrupted.as_ref().filter(|_| open_run(snapshot).is_none());
        let id = offered.map(|offered| offered.run.id);
        if id.is_some() && id != self.offer_told {
            said.extend(offered.map(|offered| {
                let (name, line) = (&offered.run.name, offered.run.last_line);
                Deed::Say(format!(
                    "{name} was interrupted at line {line}. Type take up to take it up, forget to drop it."
                ))
            }));
            self.offer_told = id;
        }
        said
    }

    /// Says all of it, once it is there.
    fn tell_take_up(&mut self, snapshot: &Snapshot, now: Time) -> Vec<Deed> {
        let Some(taking) = self.taking.as_mut().filter(|taking| !taking.is_told) else { return Vec::new() };
        let preamble = taking.launch.from.as_ref().and_then(|from| from.preamble.clone());
        let goes_on = |state: &JobState| matches!(state, JobState::Running | JobState::Waiting);
        let under_way = unfinished(snapshot, &taking.launch.path).is_some_and(|job| goes_on(&job.state));
        let preamble = match preamble {
            Some(Err(why)) => return self.not_worked_out(&why),
            Some(Ok(preamble)) if taking.details.is_some() && !under_way => preamble,
            _ => return Vec::new(),
        };
        taking.is_told = true;
        // Every line of it goes out below. Where one is lost on the way, all of this is off.
        taking.launch.is_read = true;
        let outlook = taking.launch.outlook(taking.details.as_ref(), snapshot, now);
        let mut lines = told(&taking.launch, &outlook, &preamble);
        let following = taking.launch.on_link_loss(taking.details.as_ref(), snapshot).words();
        lines.push(format!("If the link is lost: {following}."));
        if let Some(trouble) = &snapshot.programs.store_trouble {
            lines.push(format!("NOT journaled, so not to be taken up after a power cut: {trouble}."));
        }
        let mut deeds: Vec<Deed> = lines.into_iter().map(Deed::Say).collect();
        deeds.extend(self.next_step(snapshot, now));
        deeds
    }

    /// Asks for what has to be agreed to next.
    fn next_step(&mut self, snapshot: &Snapshot, now: Time) -> Vec<Deed> {
        let Some(taking) = &self.taking else { return Vec::new() };
        let launch = &taking.launch;
        let outlook = launch.outlook(taking.details.as_ref(), snapshot, now);
        // What no word helps against comes first.
        if let Some(why) = hindrance(snapshot, now) {
            return self.not_worked_out(&why);
        }
        if outlook.errors > 0 {
            return self.not_worked_out("a program with errors is not run");
        }
        let has_warnings = outlook.warnings > 0 || outlook.changed || outlook.heed.is_some();
        let (word, step, text) = if has_warnings && !launch.warnings {
            let what = if outlook.changed {
                "the file has changed, and the lines may be others"
            } else {
                "there are warnings"
            };
            ("agree", Step::Warnings, format!("Before it starts: {what}."))
        } else if outlook.unchecked && !launch.unchecked {
            ("unchecked", Step::Unchecked, "Its check is not finished.".to_owned())
        } else if outlook.needs_word && launch.word.text().trim() != POSITION_WORD {
            let text = "The machine is not homed: home it first, or say that its position is good.".to_owned();
            (POSITION_WORD, Step::Position, text)
        } else if let Some(missing) = outlook.missing.first().cloned() {
            return self.not_worked_out(&missing);
        } else {
            let line = launch.from.as_ref().map_or(1, |from| from.line);
            ("start", Step::Start, format!("It begins at line {line}: THE MACHINE MOVES, and the spindle may start."))
        };
        self.ask_for(word, Then::TakeUp(step), &text, now)
    }

    /// The word for a step was typed.
    pub(super) fn agreed_to(&mut self, step: Step, snapshot: &Snapshot, now: Time) -> Vec<Deed> {
        let Some(taking) = &mut self.taking else { return say("There is no question.") };
        match step {
            Step::Warnings => taking.launch.warnings = true,
            Step::Unchecked => taking.launch.unchecked = true,
            Step::Position => {
                taking.launch.word.clear();
                taking.launch.word.insert(POSITION_WORD);
            }
            Step::Start => return self.start_taking(snapshot, now),
        }
        self.next_step(snapshot, now)
    }

    fn start_taking(&mut self, snapshot: &Snapshot, now: Time) -> Vec<Deed> {
        let Some(taking) = self.taking.take() else { return Vec::new() };
        let outlook = taking.launch.outlook(taking.details.as_ref(), snapshot, now);
        if let Some(missing) = outlook.missing.first() {
            return say(format!("Not done: {missing}."));
        }
        match taking.launch.order(&outlook, taking.details.as_ref()) {
            Some(order) => Self::submit(Command::Program(order), snapshot, now),
            None => say("Not done: what has to be sent first is not known."),
        }
    }

    /// A line was lost, since the terminal does not take them: what was not heard is not agreed to.
    pub fn unheard(&mut self) {
        if self.taking.take().is_some() {
            self.question = None;
        }
    }
}

/// What the person has to know, a line each.
fn told(launch: &Launch, outlook: &Outlook<'_>, preamble: &Preamble) -> Vec<String> {
    let mut lines = Vec::new();
    if let Some(run) = &launch.interrupted {
        lines.push(format!(
            "Take up {}. It was sent up to line {}. Good to begin again at line {}: {}.",
            run.run.name,
            run.run.last_line,
            run.suggested_line,
            run.why.trim_end_matches('.')
        ));
        lines.extend(run.warnings.iter().map(|warning| format!("Warning: {warning}")));
    }
    if outlook.changed {
        lines.push("The file is not the one that ran: its lines may be others now.".to_owned());
    }
    lines.extend(outlook.heed.clone());
    for problem in &outlook.problems {
        let what = if problem.severity == Severity::Error { "Error" } else { "Warning" };
        let text = problem.text.trim_end_matches('.');
        lines.push(format!("{what}, {}: {text}.", words::place(problem)));
        if !problem.remedy.is_empty() {
            lines.push(format!("To do: {}.", problem.remedy.trim_end_matches('.')));
        }
    }
    lines.extend(preamble.warnings.iter().map(|warning| format!("Warning: {warning}")));
    lines.push(format!("This is sent first, {}:", words::plural(preamble.lines.len() as u64, "line")));
    lines.extend((1..).zip(&preamble.lines).map(|(n, line): (usize, _)| format!("{n}: {line}")));
    lines.push(format!("Then the program from line {} on:", preamble.line));
    lines.extend((preamble.line..).zip(&preamble.then).map(|(n, line)| format!("line {n}: {line}")));
    lines
}
