//! The hub's part in running programs: orders of people, events of the machine, news of the feeder.

use std::collections::HashMap;
use std::fs::File;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;

use super::config::{ProgramKeeping, RunnerConfig};
use super::course::{Course, Effect, Input};
use super::feeder::News;
use super::record::{self, Record};
use super::start::Starting;
use super::{Checks, left, lookup};
use crate::driver::machine::{Event, EventKind, OrderKind};
use crate::grbl::event::{ProgramEvent, StreamEnd};
use crate::grbl::{self, Line};
use crate::hub::run::Keeper;
use crate::model::command::{Origin, Outcome, Realtime, Refused, TicketId, VoidReason};
use crate::model::hub::Request;
use crate::model::legal;
use crate::model::log::LogItem;
use crate::model::machine::{MessageLevel, StateKind};
use crate::model::program::{
    Answered, Checkpoint, ContentHash, OnLinkLoss, PastRun, ProgramOrder, Prompt, Report, Run, RunEnd, RunEnergy,
    RunId, RunState,
};
use crate::model::snapshot::{LinkState, StopPhase};
use crate::model::time::Time;
use crate::program::Turn;
use crate::store::{self, Store};

/// News of the feeder that may wait for the hub.
pub(in crate::hub) const NEWS: usize = 8;
/// So long the machine may take to go on after an answer; then it is asked for again.
const ANSWER_STANDS: Duration = Duration::from_secs(1);

/// What an order of the runner's own was for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Own {
    EnterCheck,
    LeaveCheck,
    Pause,
    /// Let it go on behind a wait at this line, where the spindle starts.
    PassWait(u64),
}

/// The runner.
#[derive(Debug)]
pub(in crate::hub) struct Runner {
    pub(super) config: RunnerConfig,
    pub(super) store: Option<Store>,
    pub(super) checks: Option<Arc<dyn Checks>>,
    pub(super) news: mpsc::Sender<News>,
    pub(super) next_id: RunId,
    pub(super) starting: Option<Starting>,
    pub(super) course: Option<Course>,
    pub(super) record: Option<Record>,
    pub(super) report: Option<Arc<Report>>,
    pub(super) file: Option<Arc<File>>,
    pub(super) own: HashMap<TicketId, Own>,
    /// Ticket of the run under way; the feeder's news carry it.
    pub(super) ticket: TicketId,
    /// The link was lost in a program: what the machine does is looked at when it is back.
    pub(super) lost_link: bool,
    /// Where the run is in the time of its program.
    pub(super) place: left::Place,
    /// What the store found at the start.
    pub(super) found: Option<(PastRun, Checkpoint)>,
    /// Who asked last for what ends a program.
    pub(super) ender: Option<Origin>,
}

impl Runner {
    /// News come out of the receiver.
    pub(in crate::hub) fn new(keeping: ProgramKeeping) -> (Self, mpsc::Receiver<News>) {
        let (news, receiver) = mpsc::channel(NEWS);
        let (store, opened) = keeping.store.map_or((None, store::Opened::default()), |(s, o)| (Some(s), o));
        let runner = Self {
            config: keeping.config,
            store,
            checks: keeping.checks,
            news,
            next_id: opened.next_run,
            starting: None,
            course: None,
            record: None,
            report: None,
            file: None,
            own: HashMap::new(),
            ticket: TicketId::default(),
            lost_link: false,
            place: left::Place::default(),
            found: opened.interrupted,
            ender: None,
        };
        (runner, receiver)
    }

    /// The highest feed of the program that runs in mm/min, if it was checked and has one.
    pub(in crate::hub) fn highest_feed(&self) -> Option<f64> {
        self.report.as_ref()?.feed_mm_min.map(|(_, highest)| highest)
    }
}

impl Runner {
    /// What is known of this content for the machine as it is set up now.
    pub(in crate::hub) fn report_on(&self, hash: &ContentHash) -> Option<Arc<Report>> {
        self.checks.as_ref()?.report(hash)
    }

    /// A program is being opened, or its first order is under way.
    pub(in crate::hub) const fn is_starting(&self) -> bool {
        self.starting.is_some()
    }
}

impl Keeper {
    /// An order to the runner. `None`: the ticket is answered later.
    pub(in crate::hub) fn program_order(
        &mut self,
        request: &Request,
        order: &ProgramOrder,
        now: Time,
    ) -> Option<Outcome> {
        if self.latch.is_void(request.ticket, false) {
            return Some(Outcome::Voided { why: VoidReason::Stop, sent: false });
        }
        if let Err(refused) = legal::check(&request.command, &self.snapshot, now) {
            return Some(Outcome::Refused(refused));
        }
        let done = match order {
            ProgramOrder::Run(run) => return self.open_program(request, run),
            ProgramOrder::PauseAtLineEnd => self.steer(now, &request.origin, |course| course.pause(now)),
            ProgramOrder::Resume => self
                .look_before_resume(now, &request.origin)
                .and_then(|()| self.answer_question(now, &request.origin, |course| course.resume())),
            ProgramOrder::SkipLine => self.answer_question(now, &request.origin, |course| course.skip(now)),
            ProgramOrder::StepAside => self.answer_question(now, &request.origin, |course| course.step_aside(now)),
            ProgramOrder::Forget(id) => {
                self.forget(*id);
                Ok(())
            }
            ProgramOrder::Enqueue(path) => {
                Arc::make_mut(&mut self.snapshot.programs.queue).push(path.clone());
                Ok(())
            }
            ProgramOrder::Unqueue(place) => {
                Arc::make_mut(&mut self.snapshot.programs.queue).remove(*place);
                Ok(())
            }
        };
        self.snapshot.rev += 1;
        Some(done.map_or_else(Outcome::Refused, |()| Outcome::Done))
    }

    fn steer(
        &mut self,
        now: Time,
        who: &Origin,
        what: impl FnOnce(&mut Course) -> Result<Vec<Effect>, Refused>,
    ) -> Result<(), Refused> {
        let course = self.runner.course.as_mut().ok_or_else(|| Refused::because("no program is running"))?;
        let effects = what(course)?;
        self.carry_out(now, who, effects);
        Ok(())
    }

    /// As [`steer`](Self::steer), for what answers the program where it asks something. That is done once: who answers too is told
    /// who was first, until the machine has gone on or would have by now.
    fn answer_question(
        &mut self,
        now: Time,
        who: &Origin,
        what: impl FnOnce(&mut Course) -> Result<Vec<Effect>, Refused>,
    ) -> Result<(), Refused> {
        let run = self.runner.course.as_ref().map(|course| &course.run);
        let Some(line) = run.and_then(|run| run.prompt.as_ref()).map(Prompt::line) else {
            return self.steer(now, who, what);
        };
        let answered = run.and_then(|run| run.answered.as_ref()).filter(|answered| answered.line == line);
        if let Some(answered) = answered.filter(|answered| now.since(answered.at) < ANSWER_STANDS) {
            return Err(Refused::because(answered.to_string()));
        }
        self.steer(now, who, what)?;
        let who = self.snapshot.people.words(who);
        self.note(now, MessageLevel::Info, format!("{who} has answered the question at line {line}"));
        if let Some(course) = &mut self.runner.course {
            course.run.answered = Some(Answered { line, who, at: now });
        }
        self.show_run();
        Ok(())
    }

    /// The feeder has something to tell.
    pub(in crate::hub) fn program_news(&mut self, news: News) {
        let now = self.clock.now();
        match news {
            News::Opened(ticket, result) => self.opened(now, ticket, result),
            News::Foreseen(ticket, prompt) => self.foreseen(ticket, prompt),
            News::Whole { ticket, hash, lines } => {
                match (&mut self.runner.course, &mut self.runner.starting) {
                    (Some(course), _) if self.runner.ticket == ticket => {
                        (course.run.hash, course.run.lines) = (Some(hash), Some(lines));
                    }
                    (_, Some(starting)) if starting.ticket == ticket => starting.whole = Some((hash, lines)),
                    _ => {}
                }
                self.show_run();
            }
            News::Around(line, around) => {
                if let Some(Run { prompt: Some(Prompt::LineRefused { line: at, around: shown, .. }), .. }) =
                    self.runner.course.as_mut().map(|course| &mut course.run)
                    && *at == line
                {
                    *shown = around;
                }
                self.show_run();
            }
            News::Offer(interrupted) => self.take_offer(*interrupted),
            News::Left(left) => self.offer_left(*left),
        }
    }

    /// `$C`, which goes in and out of check mode.
    pub(super) fn switch_check_mode(&mut self, now: Time, why: Own) {
        let firmware = self.snapshot.machine.identity.as_ref().map(|identity| identity.firmware);
        let Ok(line) = Line::new("$C", firmware) else { return };
        if let Err(outcome) = self.own_order(why, OrderKind::Line(line)) {
            self.own_outcome(now, why, &outcome);
        }
    }

    pub(super) fn own_order(&mut self, why: Own, what: OrderKind) -> Result<(), Outcome> {
        let ticket = self.latch.next_ticket();
        self.send(ticket, what)?;
        self.runner.own.insert(ticket, why);
        Ok(())
    }

    /// An outcome: `true` if it belonged to the runner.
    pub(in crate::hub) fn program_outcome(&mut self, at: Time, ticket: TicketId, outcome: &Outcome) -> bool {
        if let Some(own) = self.runner.own.remove(&ticket) {
            self.own_outcome(at, own, outcome);
            return true;
        }
        if self.runner.starting.as_ref().is_none_or(|starting| starting.ticket != ticket) {
            return false;
        }
        if *outcome == Outcome::Done {
            self.began(at);
        } else {
            self.not_started(at, outcome.clone());
        }
        true
    }

    fn own_outcome(&mut self, at: Time, own: Own, outcome: &Outcome) {
        match (own, outcome) {
            (Own::EnterCheck, Outcome::Done) => self.send_feed(at),
            (Own::EnterCheck, outcome) => self.not_started(at, outcome.clone()),
            (Own::PassWait(line), outcome) => self.spindle_passed(at, line, outcome),
            (Own::LeaveCheck | Own::Pause, Outcome::Done | Outcome::Voided { .. }) => {}
            (Own::LeaveCheck, outcome) => {
                self.note(at, MessageLevel::Warning, format!("check mode may still be on ({outcome:?}): $C leaves it"));
            }
            (Own::Pause, Outcome::Refused(why)) => {
                self.note(at, MessageLevel::Warning, format!("the program was not paused: {why}"));
                self.course_input(at, Input::Wire(ProgramEvent::Held(false)));
            }
            (Own::Pause, _) => {}
        }
    }

    pub(super) fn note(&mut self, at: Time, level: MessageLevel, text: String) {
        self.journal.write(at, LogItem::Note { level, text });
    }

    /// Something happened at the machine; it has been folded already.
    pub(in crate::hub) fn program_event(&mut self, event: &Event) {
        let at = event.at;
        self.runner.hear_enders(event);
        match &event.what {
            EventKind::Session(grbl::Event::Program(event)) => {
                self.runner.lost_link |= *event == ProgramEvent::Ended(StreamEnd::Void(VoidReason::LinkLost));
                self.course_input(at, Input::Wire(event.clone()));
                self.write_position(at, false);
            }
            EventKind::Session(grbl::Event::Status(report)) => {
                if let (Some(record), Some(course)) = (&mut self.runner.record, &self.runner.course) {
                    record.report(at, report, course.run.acked_line, &self.snapshot.machine);
                }
                if self.is_running() {
                    self.course_input(at, Input::Report(report.state));
                }
                self.write_position(at, false);
                self.look_after_lost_link(at);
            }
            EventKind::Session(grbl::Event::Stop(stop))
                if stop.phase == StopPhase::Sent
                    && matches!(stop.asked, Realtime::StopProgram | Realtime::SoftReset) =>
            {
                self.course_input(at, Input::StopAsked);
            }
            EventKind::Session(grbl::Event::Alarm { info: Some(info), .. }) => {
                let text = format!("alarm {}: {} {}", info.code, info.meaning, info.remedy);
                self.course_input(at, Input::Alarm(text));
            }
            EventKind::Link(LinkState::Up) => self.offer_found(at),
            _ => {}
        }
    }

    /// A program is about to be stopped by sunmill itself: its position is written down now, and why.
    pub(in crate::hub) fn journal_before_stop(&mut self, at: Time, why: String) {
        let Some(course) = self.runner.course.as_mut().filter(|course| course.run.state.is_open()) else { return };
        course.stops_because(why);
        self.write_position(at, true);
    }

    /// It is not stopped by sunmill after all: whatever stops it later has a reason of its own.
    pub(in crate::hub) fn not_stopped_after_all(&mut self) {
        if let Some(course) = &mut self.runner.course {
            course.goes_on();
        }
    }

    fn is_running(&self) -> bool {
        self.runner.course.as_ref().is_some_and(|course| course.run.state.is_open())
    }

    /// After a link that was lost in a program: what the machine still does is stopped, if that is wanted.
    fn look_after_lost_link(&mut self, at: Time) {
        if !std::mem::take(&mut self.runner.lost_link) {
            return;
        }
        let runs = self.snapshot.machine.state.is_some_and(|state| state.kind == StateKind::Run);
        if !runs {
            return;
        }
        // That run has ended with the link, and none can have begun without one.
        let wanted =
            self.runner.course.as_ref().map_or(self.runner.config.on_link_loss, |course| course.run.on_link_loss);
        let what = match wanted {
            OnLinkLoss::Hold => {
                self.latch.set(Realtime::FeedHold);
                "it is put on hold"
            }
            OnLinkLoss::Finish => "it is left to end what it had been sent",
        };
        let text = format!("the machine still carried out the program when the link came back: {what}");
        self.note(at, MessageLevel::Warning, text);
    }

    pub(super) fn course_input(&mut self, at: Time, input: Input) {
        let Some(course) = &mut self.runner.course else { return };
        let effects = course.take(at, input);
        self.carry_out(at, &Origin::Hub, effects);
    }

    fn carry_out(&mut self, at: Time, who: &Origin, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::CycleStart => self.latch.set_by(Realtime::CycleStart, who),
                Effect::StopProgram => self.latch.set_by(Realtime::StopProgram, who),
                Effect::Pause => {
                    if let Err(outcome) = self.own_order(Own::Pause, OrderKind::PauseProgram) {
                        self.own_outcome(at, Own::Pause, &outcome);
                    }
                }
                Effect::ReadAround(line) => self.read_around(line),
                Effect::AskPower { line, counter_clockwise, sure } => {
                    let turn = if counter_clockwise { Turn::CounterClockwise } else { Turn::Clockwise };
                    self.spindle_asks(at, line, turn, sure);
                }
                Effect::Over => self.over(at),
            }
        }
        self.show_run();
    }

    /// The program waits before this line, which starts the spindle.
    pub(in crate::hub) fn program_waits_for_power(&mut self, at: Time, line: u64, why: &str) {
        let Some(course) = &mut self.runner.course else { return };
        let effects = course.waits_for_power(at, line, why);
        self.carry_out(at, &Origin::Hub, effects);
    }

    /// There was power for it.
    pub(in crate::hub) fn program_has_power(&mut self, line: u64) {
        if let Some(course) = &mut self.runner.course {
            course.has_power(line);
        }
    }

    /// Lets the program on behind the wait at this line, and nothing else.
    pub(in crate::hub) fn let_program_pass(&mut self, at: Time, line: u64) {
        if let Err(outcome) = self.own_order(Own::PassWait(line), OrderKind::PassWait(line)) {
            self.own_outcome(at, Own::PassWait(line), &outcome);
        }
    }

    fn read_around(&mut self, line: u64) {
        // The lines of an outline are in no file.
        let is_outline = self.runner.course.as_ref().is_some_and(|course| course.run.outline);
        let Some(file) = self.runner.file.clone().filter(|_| !is_outline) else { return };
        let news = self.runner.news.clone();
        tokio::task::spawn_blocking(move || match lookup::around(&file, line) {
            Ok(around) => drop(news.blocking_send(News::Around(line, around))),
            Err(why) => tracing::warn!(%why, line, "the neighbours of a refused line cannot be read"),
        });
    }

    /// The run has ended, whatever the reason.
    fn over(&mut self, at: Time) {
        let (Some(course), Some(mut record)) = (&self.runner.course, self.runner.record.take()) else { return };
        let now_ms = store::now_ms();
        record.past.energy = self.drawn_so_far(at);
        let checkpoint = record.position(at, now_ms, course, &self.snapshot.machine);
        let past = record.close(course, now_ms);
        let check_mode = course.run.check_mode;
        let is_taken_up = is_taken_up(&course.run);
        let still_in_check = course.run.state == RunState::Done || course.has_lost_lines();
        let text = said(&past);
        let ran_for = course.run.ran_for(at);
        if let Some(store) = &self.runner.store {
            if is_taken_up {
                store.checkpoint(checkpoint.clone());
            }
            store.run_ended(past.clone());
            if is_taken_up && past.end == Some(RunEnd::Done) {
                store.supersede(past.id);
            }
        }
        self.audit_run_end(&past);
        self.snapshot.programs.counts.end(&past, ran_for);
        self.snapshot.rev += 1;
        self.end_measuring(&past, at);
        self.run_ended_before_sun(&past, at);
        let level = if past.end == Some(RunEnd::Done) { MessageLevel::Info } else { MessageLevel::Warning };
        self.note(at, level, text);
        if past.end == Some(RunEnd::Done) {
            // What was left of this file is done, by whichever run.
            let offered = &mut self.snapshot.programs.interrupted;
            if is_taken_up && offered.as_ref().is_some_and(|offered| offered.run.path == past.path) {
                *offered = None;
            }
        } else if is_taken_up {
            let file = self.runner.file.clone();
            self.offer(past, &checkpoint, file);
        }
        // Any other end was a reset, which leaves check mode too.
        if check_mode && still_in_check {
            self.switch_check_mode(at, Own::LeaveCheck);
        }
    }

    pub(super) fn write_position(&mut self, at: Time, first: bool) {
        let drawn = self.drawn_so_far(at);
        let (Some(course), Some(record), Some(store)) =
            (&self.runner.course, &mut self.runner.record, &self.runner.store)
        else {
            return;
        };
        if !is_taken_up(&course.run) {
            return;
        }
        record.past.energy = drawn;
        let machine = &self.snapshot.machine;
        let now_ms = store::now_ms();
        let checkpoint = if first {
            Some(record.position(at, now_ms, course, machine))
        } else {
            record.due(at, now_ms, course, machine)
        };
        if let Some(checkpoint) = checkpoint {
            store.checkpoint(checkpoint);
        }
    }

    /// Brings the run into the snapshot.
    pub(super) fn show_run(&mut self) {
        let (now, queued) = (self.clock.now(), record::planner_blocks(&self.snapshot));
        let Some(course) = &mut self.runner.course else { return };
        if let Some(report) = &self.runner.report {
            let left = self.runner.place.left(report, &course.run, queued, self.snapshot.machine.overrides, now);
            (course.run.programmed_s, course.run.remaining_s) = (Some(left.programmed_s), Some(left.remaining_s));
        }
        if self.snapshot.programs.run.as_ref() != Some(&course.run) {
            self.snapshot.programs.run = Some(course.run.clone());
            self.snapshot.rev += 1;
        }
    }

    /// sunmill ends: what runs is written down as interrupted.
    pub(in crate::hub) fn finish_program(&mut self, at: Time) {
        self.not_started(at, Outcome::Voided { why: VoidReason::Shutdown, sent: false });
        let drawn = self.drawn_so_far(at);
        if let (Some(course), Some(mut record)) = (&self.runner.course, self.runner.record.take()) {
            let now_ms = store::now_ms();
            record.past.energy = drawn;
            let checkpoint = record.position(at, now_ms, course, &self.snapshot.machine);
            let past = record.close(course, now_ms);
            let is_taken_up = is_taken_up(&course.run);
            if let Some(store) = &self.runner.store {
                if is_taken_up {
                    store.checkpoint(checkpoint);
                }
                store.run_ended(past.clone());
            }
            self.audit_run_end(&past);
        }
        self.course_input(at, Input::Shutdown);
    }
}

/// Somebody takes it up if it does not come to its end. An outline is driven round again from its beginning, and in check mode
/// nothing was done. Without a position in the store nobody offers it.
const fn is_taken_up(run: &Run) -> bool {
    !run.outline && !run.check_mode
}

/// How a run ended, for the log.
fn said(past: &PastRun) -> String {
    let end = match &past.end {
        Some(RunEnd::Done) => "has come to its end".to_owned(),
        Some(RunEnd::Stopped(why)) => format!("was stopped at line {}: {why}", past.last_line),
        Some(RunEnd::Failed(why)) => format!("failed at line {}: {why}", past.last_line),
        Some(RunEnd::Interrupted(why)) => format!("was interrupted at line {}: {why}", past.last_line),
        None => "runs".to_owned(),
    };
    let drew =
        past.energy.filter(RunEnergy::is_known).map_or_else(String::new, |energy| format!("; drew {}", energy.words()));
    format!("{} {end}{drew}", past.name)
}
