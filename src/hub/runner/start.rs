//! The start of a program: opened off the runtime, held against what a person saw, then handed to the driver.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use super::course::{Course, Input};
use super::encode::Encoder;
use super::feeder;
use super::keeper::Own;
use super::left;
use super::lookup::Middle;
use super::record::Record;
use crate::driver::machine::{Feed, OrderKind};
use crate::hub::programs::outlines;
use crate::hub::run::Keeper;
use crate::model::command::{Command, Origin, Outcome, Refused, TicketId, VoidReason};
use crate::model::hub::Request;
use crate::model::legal;
use crate::model::machine::StateKind;
use crate::model::program::{
    ContentHash, Interrupted, Job, OnLinkLoss, PhaseTimes, Problem, ProgramOrder, Prompt, Report, Run, RunId,
    RunRequest, Severity, Start,
};
use crate::model::snapshot::Machine;
use crate::model::time::Time;
use crate::program::{Dialect, check};
use crate::store::{self, Store};

/// A program that is being opened, or whose first order is under way.
#[derive(Debug)]
pub(super) struct Starting {
    pub(super) ticket: TicketId,
    pub(super) origin: Origin,
    pub(super) request: RunRequest,
    pub(super) feed: Option<Feed>,
    pub(super) file: Option<Arc<File>>,
    pub(super) foreseen: Vec<Prompt>,
    pub(super) whole: Option<(ContentHash, u64)>,
    /// What follows a lost link, where that was chosen for this run or the program's last one.
    pub(super) chosen: Option<OnLinkLoss>,
}

impl Keeper {
    /// Begins to start a program: the feeder opens the file, and looks whether it is what was seen.
    pub(super) fn open_program(&mut self, request: &Request, run: &RunRequest) -> Option<Outcome> {
        let refuse = |why: String| Some(Outcome::Refused(Refused::because(why)));
        if self.runner.starting.is_some() {
            return refuse("another program is being started".to_owned());
        }
        if self.snapshot.machine.identity.is_none() {
            return refuse("it is not known which controller this is".to_owned());
        }
        let machine = &self.snapshot.machine;
        let dialect = Dialect::of(machine).with_outputs(&self.snapshot.outputs);
        let (first_line, before, middle) = match &run.start {
            Start::Beginning => (1, Vec::new(), None),
            Start::Outline { lines } => (1, lines.clone(), None),
            Start::Line { line, preamble } => {
                let middle = Middle::of(&self.snapshot, self.runner.config.warm_up);
                (*line, preamble.clone(), Some(middle))
            }
        };
        let (feeder, feed) = Feed::new();
        let job = feeder::Job {
            ticket: request.ticket,
            path: run.path.clone(),
            folders: self.runner.config.folders.clone(),
            history: self.runner.store.as_ref().filter(|_| run.on_link_loss.is_none()).map(Store::reader),
            seen: run.seen,
            first_line,
            before,
            only_before: matches!(run.start, Start::Outline { .. }),
            middle,
            encoder: Encoder::new(&dialect, self.runner.config.mode(run.check_mode, self.sun.guards_spindle())),
        };
        feeder::start(job, feeder, self.runner.news.clone());
        self.runner.starting = Some(Starting {
            ticket: request.ticket,
            origin: request.origin.clone(),
            request: run.clone(),
            feed: Some(feed),
            file: None,
            foreseen: Vec::new(),
            whole: None,
            chosen: None,
        });
        None
    }

    /// The feeder may be ahead of the news that the file is open.
    pub(super) fn foreseen(&mut self, ticket: TicketId, prompt: Prompt) {
        match (&mut self.runner.course, &mut self.runner.starting) {
            (Some(course), _) if self.runner.ticket == ticket => course.foresee(prompt),
            (_, Some(starting)) if starting.ticket == ticket => starting.foreseen.push(prompt),
            _ => {}
        }
    }

    pub(super) fn opened(&mut self, now: Time, ticket: TicketId, result: Result<feeder::Opened, String>) {
        let Some(starting) = self.runner.starting.as_mut().filter(|starting| starting.ticket == ticket) else { return };
        let opened = match result {
            Ok(opened) => opened,
            Err(why) => return self.not_started(now, Outcome::Refused(Refused::because(why))),
        };
        let checks = self.runner.checks.as_ref();
        let outline = match &starting.request.start {
            Start::Outline { lines } => Some(outlines::report(lines, &self.snapshot)),
            _ => None,
        };
        let is_outline = outline.is_some();
        let report = outline.or_else(|| starting.request.seen.and_then(|hash| checks?.report(&hash)));
        let against = match &report {
            Some(report) => against(report, &self.snapshot.machine, now, &starting.request),
            None if checks.is_some() => unchecked(&self.snapshot.programs.jobs, &opened.path, &starting.request),
            None => None,
        };
        starting.file = Some(opened.file);
        // In check mode nothing moves, and an outline is not the program: neither says anything of the next run.
        starting.chosen = starting.request.on_link_loss.or(opened.on_link_loss);
        self.runner.report = report;
        if let Some(why) = against {
            return self.not_started(now, Outcome::Refused(Refused::because(why)));
        }
        // Things may have changed while the file was read.
        let command = Command::Program(ProgramOrder::Run(Box::new(starting.request.clone())));
        let check_mode = starting.request.check_mode;
        if self.latch.is_void(ticket, false) {
            return self.not_started(now, Outcome::Voided { why: VoidReason::Stop, sent: false });
        }
        if let Err(refused) = legal::check(&command, &self.snapshot, now) {
            return self.not_started(now, Outcome::Refused(refused));
        }
        let id = self.runner.next_id;
        let first_line = match &starting.request.start {
            Start::Line { line, .. } => *line,
            Start::Beginning | Start::Outline { .. } => 1,
        };
        let mut run = Run::new(id, opened.path, first_line, now);
        run.hash = starting.request.seen;
        if is_outline {
            run.outline = true;
            run.name = format!("outline of {}", run.name);
        }
        run.check_mode = check_mode;
        run.on_link_loss = starting.chosen.unwrap_or(self.runner.config.on_link_loss);
        run.lines = self.runner.report.as_ref().map(|report| report.lines);
        run.phases = self.runner.report.as_ref().map(|report| PhaseTimes::of(report));
        self.runner.place = left::Place::default();
        self.runner.next_id = RunId(id.0 + 1);
        self.runner.ticket = ticket;
        let mut course = Course::new(run);
        for prompt in starting.foreseen.drain(..) {
            course.foresee(prompt);
        }
        if let Some((hash, lines)) = starting.whole {
            (course.run.hash, course.run.lines) = (Some(hash), Some(lines));
        }
        self.runner.ender = None;
        self.runner.course = Some(course);
        self.show_run();
        if check_mode { self.switch_check_mode(now, Own::EnterCheck) } else { self.send_feed(now) }
    }

    pub(super) fn send_feed(&mut self, now: Time) {
        let Some(starting) = &mut self.runner.starting else { return };
        let (ticket, feed) = (starting.ticket, starting.feed.take());
        let sent = match feed {
            Some(feed) => self.send(ticket, OrderKind::Program(feed)),
            None => return,
        };
        if let Err(outcome) = sent {
            self.not_started(now, outcome);
        }
    }

    /// A start is not wanted any more. Nothing happens once its lines are on their way.
    pub(in crate::hub) fn revoke_start(&mut self, now: Time, ticket: TicketId, why: &str) {
        let is_here = |starting: &Starting| starting.ticket == ticket && starting.feed.is_some();
        if self.runner.starting.as_ref().is_some_and(is_here) {
            self.not_started(now, Outcome::Refused(Refused::because(why)));
        }
    }

    /// The run never began.
    pub(super) fn not_started(&mut self, now: Time, outcome: Outcome) {
        let Some(starting) = self.runner.starting.take() else { return };
        if self.runner.ticket == starting.ticket && self.runner.course.take().is_some() {
            self.snapshot.programs.run = None;
            self.snapshot.rev += 1;
        }
        self.answer(now, starting.ticket, outcome);
        if self.snapshot.machine.state.is_some_and(|state| state.kind == StateKind::Check) {
            self.switch_check_mode(now, Own::LeaveCheck);
        }
    }

    /// The session has taken the program.
    pub(super) fn began(&mut self, at: Time) {
        let Some(starting) = self.runner.starting.take() else { return };
        self.answer(at, starting.ticket, Outcome::Done);
        if !starting.request.check_mode {
            self.started_by_hand(at, starting.ticket);
        }
        self.runner.file = starting.file;
        let is_outline = matches!(starting.request.start, Start::Outline { .. });
        let taken_up = self.taken_up(&starting.request);
        if let (Some(offered), Some(course)) = (&taken_up, &mut self.runner.course) {
            // Those behind the first line are sent once more; and the lines of another content are others.
            let first = course.run.first_line;
            let skipped = offered.left.skipped.iter().copied().filter(|line| *line < first);
            course.skipped = if is_same(offered, course.run.hash) { skipped.collect() } else { Vec::default() };
            self.snapshot.programs.interrupted = None;
        }
        let queue = &mut self.snapshot.programs.queue;
        if !is_outline && let Some(place) = queue.iter().position(|path| *path == starting.request.path) {
            Arc::make_mut(queue).remove(place);
        }
        let dry = starting.request.check_mode || self.snapshot.machine.link.simulated;
        self.begin_measuring(starting.request.check_mode, at);
        if let Some(course) = &self.runner.course {
            let mut record = Record::new(course, &starting.origin, &self.snapshot.machine, store::now_ms(), dry);
            record.past.on_link_loss = starting.chosen.filter(|_| !is_outline && !course.run.check_mode);
            let left = taken_up.as_ref().filter(|offered| is_same(offered, course.run.hash));
            let record = match left {
                Some(offered) => record.going_on_from(&offered.left),
                None => record,
            };
            if let Some(store) = &self.runner.store {
                store.run_started(record.past.clone());
            }
            self.runner.record = Some(record);
            self.snapshot.programs.counts.started += 1;
        }
        self.course_input(at, Input::Began);
        self.write_position(at, true);
        if let (Some(_), Some(store), Some(course)) = (taken_up, &self.runner.store, &self.runner.course) {
            store.supersede(course.run.id);
        }
    }

    /// The run that was offered, if this one takes it up. Whatever else is run, it stays at hand.
    fn taken_up(&self, request: &RunRequest) -> Option<Arc<Interrupted>> {
        let (course, offered) = (self.runner.course.as_ref()?, self.snapshot.programs.interrupted.as_ref()?);
        let goes_on = matches!(request.start, Start::Line { .. }) && !request.check_mode;
        (goes_on && Path::new(&offered.run.path) == course.run.path).then(|| Arc::clone(offered))
    }
}

/// It is the content that ran then, as far as both are known.
fn is_same(offered: &Interrupted, hash: Option<ContentHash>) -> bool {
    offered.run.hash.zip(hash).is_none_or(|(then, now)| then == now)
}

/// What the check of the file has against a run, on the machine as it stands now: work zero and state may be others than
/// when the person looked.
fn against(report: &Report, machine: &Machine, now: Time, run: &RunRequest) -> Option<String> {
    let name = run.path.display();
    if run.check_mode {
        return None;
    }
    let present = check::against(report, machine, now);
    let worst = |severity| {
        let all = report.problems.iter().chain(&present);
        all.filter(move |problem| problem.severity == severity)
    };
    let said = |problem: &Problem| match problem.line {
        0 => format!("; {}", problem.text),
        line => format!("; line {line}: {}", problem.text),
    };
    let now_found = |severity| present.iter().filter(|problem| problem.severity == severity).count() as u64;
    let errors = report.errors + now_found(Severity::Error);
    if errors > 0 {
        let first = worst(Severity::Error).next().map(said).unwrap_or_default();
        return Some(format!("{name}: the check found {errors} error(s){first}"));
    }
    let warnings = report.warnings + now_found(Severity::Warning);
    if warnings > 0 && !run.agreed.warnings {
        let first = worst(Severity::Warning).next().map(said).unwrap_or_default();
        return Some(format!("{name}: the check found {warnings} warning(s): read and agree to them first{first}"));
    }
    None
}

/// What stands against a run whose check has not come to its end, or was made for a machine that was set up otherwise.
fn unchecked(jobs: &[Job], path: &Path, run: &RunRequest) -> Option<String> {
    let name = run.path.display();
    if run.check_mode {
        return None;
    }
    let errors = jobs.iter().filter(|job| job.path == path || job.path == run.path).map(|job| job.errors).max();
    if let Some(errors) = errors.filter(|errors| *errors > 0) {
        return Some(format!("{name}: the check has found {errors} error(s) already: look at them first"));
    }
    (!run.agreed.unchecked).then(|| {
        format!("{name}: its check was made for another setup of the machine: wait until it is checked again, or agree to run it unchecked")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::machine::Firmware;
    use crate::model::program::{Agreed, JobState};
    use crate::program::estimate::EstimateModel;
    use crate::program::{Analysis, AnalysisConfig};

    fn request(unchecked: bool) -> RunRequest {
        RunRequest {
            path: "part.nc".into(),
            seen: None,
            start: Start::Beginning,
            agreed: Agreed { unchecked, ..Agreed::default() },
            check_mode: false,
            on_link_loss: None,
        }
    }

    #[test]
    fn a_good_report_is_not_enough_for_a_machine_that_cannot_run_now() {
        let mut analysis = Analysis::new(AnalysisConfig {
            dialect: Dialect::new(Firmware::Grbl, 3),
            model: EstimateModel::of(None, None, None),
        });
        analysis.feed(b"G21 G90 G17 G94 G54\nG1 X1 F100\n");
        let (report, _) = analysis.finish();
        assert_eq!(report.errors, 0, "{:?}", report.problems);
        // Nothing has answered on its port.
        let why = against(&report, &Machine::default(), Time::ZERO, &request(true));
        assert!(why.is_some_and(|why| why.contains("1 error(s)")));
    }

    #[test]
    fn what_a_running_check_has_found_counts_even_for_who_would_run_it_unchecked() {
        let job = |errors| Job {
            id: 1,
            path: "part.nc".into(),
            state: JobState::Running,
            done_bytes: 1,
            total_bytes: 2,
            errors,
        };
        let path = Path::new("part.nc");
        assert_eq!(unchecked(&[job(0)], path, &request(true)), None);
        assert!(unchecked(&[job(0), job(3)], path, &request(true)).is_some_and(|why| why.contains("3 error(s)")));
        assert!(unchecked(&[], path, &request(false)).is_some_and(|why| why.contains("agree")));
        let dry = RunRequest { check_mode: true, ..request(false) };
        assert_eq!(unchecked(&[job(3)], path, &dry), None, "the controller itself reads it, nothing moves");
    }
}
