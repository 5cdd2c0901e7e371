//! The hub's part in a start when the sun allows: takes the marks of people, looks, counts down on every screen, starts each once.
//! Marked programs stand in the queue and go in its order, one at a time, each with a wait and a countdown of its own. Whatever
//! says that somebody wants nothing to start loses all marks.
//!
//! Nothing here is decided but what stands in the way of a start; when and whether is for [`SunWait`] to say.

use std::path::Path;
use std::sync::Arc;

use super::keeper::SunHub;
use super::look::View;
use super::setup::StartSetup;
use crate::driver::machine::{Event, EventKind};
use crate::grbl;
use crate::hub::run::Keeper;
use crate::model::Time;
use crate::model::command::{Command, Origin, Outcome, Realtime, Refused, TicketId};
use crate::model::hub::Request;
use crate::model::legal;
use crate::model::log::LogItem;
use crate::model::machine::MessageLevel;
use crate::model::power::Role;
use crate::model::program::{PastRun, PhaseTimes, ProgramOrder, RunEnd, RunRequest, Severity};
use crate::model::quantity::number;
use crate::model::snapshot::{LinkState, Snapshot};
use crate::model::sun::{Need, Quantity, StartPhase, StartRules, StartStep, SunSeen, SunStart, SunWait};

/// Below that it is no sun, whatever the battery says.
const LEAST_SUN_W: f64 = 100.0;
/// Loads and sun are not read in the same instant: so far apart they are the same, as a part of the sun.
const CARRIED_WITHIN: f64 = 0.1;
/// Why a mark waits while it would count down for nobody.
const NOBODY_SEES: &str =
    "nobody is attached to see the countdown (unattended = true in [sun] of config.toml lets it start all the same)";
/// So many runs have to be measured before the machine's rated watts count no more.
const FEW_RUNS: u32 = 3;

/// A program that waits for the sun.
#[derive(Clone, Debug)]
pub(super) struct Marked {
    request: Box<RunRequest>,
    origin: Origin,
    who: String,
    need_w: f64,
    wait: SunWait,
    /// Of the mark.
    asked: TicketId,
    /// Of the start, once it was asked for.
    ticket: Option<TicketId>,
}

impl Marked {
    fn name(&self) -> String {
        let path = &self.request.path;
        path.file_name().unwrap_or(path.as_os_str()).display().to_string()
    }

    /// For the snapshot.
    pub(super) fn shown(&self, now: Time) -> SunStart {
        let left_s = match self.wait.phase() {
            StartPhase::Counts { until } => Some(until.since(now).as_secs_f64().ceil() as u32),
            _ => None,
        };
        SunStart {
            name: self.name(),
            path: self.request.path.clone(),
            who: self.who.clone(),
            need_w: self.need_w,
            phase: self.wait.phase(),
            left_s,
            why: self.wait.why().to_owned(),
        }
    }

    /// It counts down, or is under way: none goes before it any more.
    fn is_sure(&self) -> bool {
        matches!(self.wait.phase(), StartPhase::Counts { .. } | StartPhase::Starts)
    }

    fn starts(&self) -> bool {
        self.wait.phase() == StartPhase::Starts
    }
}

impl SunHub {
    /// Something waits for the sun.
    pub(super) fn waits_for_sun(&self) -> bool {
        !self.marks.is_empty()
    }
}

impl Keeper {
    /// A person marks a program.
    pub(super) fn mark_for_sun(&mut self, request: &Request, run: &RunRequest, now: Time) -> Result<(), Refused> {
        let because = |why: &str| Err(Refused::because(why));
        let Some(setup) = self.sun.start.clone() else {
            return because("[sun] allow_start in config.toml does not allow it");
        };
        let report = match run.seen.and_then(|hash| self.runner.report_on(&hash)) {
            Some(report) if report.errors == 0 && report.warnings == 0 => report,
            Some(report) => {
                let (errors, warnings) = (report.errors, report.warnings);
                let first = report.problems.iter().find(|problem| problem.severity > Severity::Note);
                let first = first.map_or_else(String::new, |first| format!("; line {}: {}", first.line, first.text));
                return because(&format!(
                    "its check has {errors} error(s) and {warnings} warning(s), and what starts while nobody looks must have none{first}"
                ));
            }
            None => return because("its check for the machine as it is set up now is not known: check it again"),
        };
        let knows = &self.snapshot.sun.knows;
        let need = Need::of(&PhaseTimes::of(&report), &knows.learned, knows.rated_w).map_err(Refused::because)?;
        // Little was measured: what the machine is rated for is the safer guess.
        let rated_w = knows.rated_w.filter(|_| knows.learned.runs < FEW_RUNS);
        let need_w = need.most_w.max(rated_w.unwrap_or_default());
        let rules = StartRules { need_w, margin_w: setup.margin_w, lasts: setup.lasts, countdown: setup.countdown };
        let who = self.snapshot.people.words(&request.origin);
        let marked = Marked {
            request: Box::new(run.clone()),
            origin: request.origin.clone(),
            who: who.clone(),
            need_w,
            wait: SunWait::new(rules),
            asked: request.ticket,
            ticket: None,
        };
        let text = format!("{} waits for the sun ({who} has said so): {need_w:.0} W needed", marked.name());
        if !self.snapshot.programs.queue.contains(&run.path) {
            Arc::make_mut(&mut self.snapshot.programs.queue).push(run.path.clone());
            self.snapshot.rev += 1;
        }
        self.sun.marks.push(marked);
        self.note_sun(now, &text);
        self.look_at_start(now);
        Ok(())
    }

    /// Somebody does not want the one that is next any more.
    pub(super) fn cancel_start(&mut self, now: Time, who: &Origin) {
        let why = format!("cancelled by {}", self.snapshot.people.words(who));
        if let Some(ticket) = self.sun.marks.first().and_then(|marked| marked.ticket) {
            self.revoke_start(now, ticket, &why);
            if self.sun.marks.first().is_some_and(|marked| marked.ticket == Some(ticket)) {
                // Its lines are with the driver: what has gone out is stopped, and what has not is void.
                self.latch.set_by(Realtime::StopProgram, who);
            }
            return;
        }
        self.lose_mark(now, 0, &why);
        self.show_sun();
    }

    /// Somebody does not want this one any more.
    pub(super) fn cancel_start_of(&mut self, now: Time, path: &Path, who: &Origin) {
        match self.sun.marks.iter().position(|marked| marked.request.path == path) {
            Some(0) => self.cancel_start(now, who),
            Some(place) => {
                let why = format!("cancelled by {}", self.snapshot.people.words(who));
                self.lose_mark(now, place, &why);
                self.show_sun();
            }
            None => {}
        }
    }

    /// A program runs. One that somebody has started loses the marks: what lies on the table is another part now.
    pub(in crate::hub) fn started_by_hand(&mut self, now: Time, ticket: TicketId) {
        if self.sun.by_sun != Some(ticket) {
            self.lose_starts(now, "a program was started by hand");
        }
    }

    /// A program is over. What waits behind one that did not come to its end waits for what is not there.
    pub(in crate::hub) fn run_ended_before_sun(&mut self, past: &PastRun, now: Time) {
        if past.end != Some(RunEnd::Done) {
            self.lose_starts(now, &format!("{} did not come to its end", past.name));
        }
    }

    /// All marks are lost.
    fn lose_starts(&mut self, now: Time, why: &str) {
        if let Some(ticket) = self.sun.marks.first().and_then(|marked| marked.ticket) {
            // Under way: the answer to its start ends the mark. Once its lines are with the driver, that knows better.
            self.revoke_start(now, ticket, why);
        }
        // The first one last: how that ended is what is told.
        for place in (0..self.sun.marks.len()).rev() {
            if self.sun.marks[place].ticket.is_none() {
                self.lose_mark(now, place, why);
            }
        }
        self.show_sun();
    }

    fn lose_mark(&mut self, now: Time, place: usize, why: &str) {
        if place >= self.sun.marks.len() {
            return;
        }
        let mut marked = self.sun.marks.remove(place);
        marked.wait.spend(why);
        let text = format!("{} is not started by the sun: {why}", marked.name());
        self.note_sun(now, &text);
        self.sun.ended_start = Some(marked.shown(now));
    }

    /// In the order of the queue. One that counts down keeps its place, and one that was taken out of the queue is lost.
    fn order_marks(&mut self, now: Time) {
        let queue = Arc::clone(&self.snapshot.programs.queue);
        let place_of = |marked: &Marked| queue.iter().position(|path| *path == marked.request.path);
        let gone = |marked: &Marked| marked.ticket.is_none() && place_of(marked).is_none();
        while let Some(place) = self.sun.marks.iter().position(gone) {
            self.lose_mark(now, place, "it was taken out of the queue");
            self.show_sun();
        }
        let first = usize::from(self.sun.marks.first().is_some_and(Marked::is_sure));
        if let Some(rest) = self.sun.marks.get_mut(first..) {
            rest.sort_by_key(|marked| place_of(marked));
        }
        let Some((next, behind)) = self.sun.marks.split_first_mut() else { return };
        let why = format!("behind {} in the queue", next.name());
        for marked in behind {
            marked.wait.step_back(why.clone());
        }
    }

    /// What ends a mark for good: stops of any kind, a reset, an alarm, a lost link.
    pub(super) fn start_event(&mut self, event: &Event) {
        if !self.sun.waits_for_sun() {
            return;
        }
        let why = match &event.what {
            EventKind::Asked(askers) => {
                let stop = askers.iter().find(|(asked, _)| is_stop(*asked));
                stop.map(|(_, who)| format!("{} has stopped the machine", self.snapshot.people.words(who)))
            }
            EventKind::Session(grbl::Event::Alarm { .. }) => Some("an alarm came up".to_owned()),
            EventKind::Link(state) if *state != LinkState::Up => Some("the link to the machine was lost".to_owned()),
            EventKind::Port(_) => Some("another machine is meant now".to_owned()),
            _ if self.snapshot.machine.alarm.is_some() => Some("an alarm came up".to_owned()),
            _ if self.snapshot.machine.homed.is_empty() => Some("the machine has lost its position".to_owned()),
            _ => None,
        };
        if let Some(why) = why {
            self.lose_starts(event.at, &why);
        }
    }

    /// Looks whether it may be started now.
    pub(super) fn look_at_start(&mut self, now: Time) {
        self.order_marks(now);
        if self.sun.marks.first().is_none_or(Marked::starts) {
            return;
        }
        let Some(setup) = self.sun.start.clone() else { return };
        let surplus = self.surplus(&setup, now);
        let full = surplus.as_ref().ok().and_then(|(_, full)| full.clone());
        // What nobody sees nobody cancels.
        let unseen = !setup.unattended && !self.snapshot.people.clients.iter().any(|person| person.screen);
        let Some(marked) = self.sun.marks.first() else { return };
        let in_the_way = in_the_way(&marked.request, &self.snapshot, self.runner.is_starting(), now)
            .or_else(|| unseen.then(|| NOBODY_SEES.to_owned()));
        let seen = SunSeen {
            surplus_w: surplus.as_ref().map(|(watts, _)| *watts).map_err(String::as_str),
            full: full.as_deref(),
            in_the_way: in_the_way.as_deref(),
        };
        let Some(marked) = self.sun.marks.first_mut() else { return };
        let step = marked.wait.look(now, seen);
        let (name, why) = (marked.name(), marked.wait.why().to_owned());
        match step {
            StartStep::Stay => {}
            StartStep::CountdownBegins => {
                let text = format!(
                    "{name} starts in {} s: {why} for {} min; any stop key cancels it",
                    setup.countdown.as_secs(),
                    setup.lasts.as_secs() / 60
                );
                self.note_sun(now, &text);
            }
            StartStep::CountdownBroken => self.note_sun(now, &format!("{name} does not start: {why}")),
            StartStep::Start => self.start_by_sun(now),
        }
        self.show_sun();
    }

    /// Watts to spare; a battery that is full while the sun carries the loads holds the sun back, and counts as any number of them,
    /// which is said.
    fn surplus(&self, setup: &StartSetup, now: Time) -> Result<(f64, Option<String>), String> {
        let inverter = setup.inverter.clone().or_else(|| self.only_inverter());
        let view = View { snapshot: &self.snapshot, inverter: inverter.as_deref(), park: self.sun.place.takes, now };
        let charge = view.quantity(Quantity::Role(Role::BatterySoc)).value.ok();
        let spare_w = view.quantity(Quantity::Surplus).value?;
        let pv_w = view.quantity(Quantity::Role(Role::PvPower)).value?;
        // Its charger then gives no more than the loads take: that they are carried is all that can be seen of the rest.
        let carried = pv_w >= LEAST_SUN_W && spare_w >= -pv_w * CARRIED_WITHIN;
        let full = setup.full_percent.zip(charge).filter(|(full, charge)| charge >= full && carried);
        Ok(match full {
            Some((full, charge)) => {
                let words = format!("battery at {charge:.0} %, counts as full from {} %", number(full));
                (f64::INFINITY, Some(words))
            }
            None => (spare_w, None),
        })
    }

    fn start_by_sun(&mut self, now: Time) {
        let ticket = self.latch.next_ticket();
        // A stop that was pressed before that and is not heard of yet: it is older than this ticket, and newer than the mark.
        if self.sun.marks.first().is_some_and(|marked| self.latch.is_void(marked.asked, false)) {
            return self.lose_starts(now, "somebody has stopped the machine");
        }
        let Some(marked) = self.sun.marks.first_mut() else { return };
        marked.ticket = Some(ticket);
        self.sun.by_sun = Some(ticket);
        let order = ProgramOrder::Run(marked.request.clone());
        let text =
            format!("{} is started by the sun, as {} has said: {}", marked.name(), marked.who, marked.wait.why());
        let origin = marked.origin.clone();
        self.note_sun(now, &text);
        let request = Request { ticket, origin, command: Command::Program(order.clone()) };
        self.open_ticket(&request, now);
        if let Some(outcome) = self.program_order(&request, &order, now) {
            self.answer(now, ticket, outcome);
        }
    }

    /// A command was answered: perhaps the start.
    pub(in crate::hub) fn start_answered(&mut self, now: Time, ticket: TicketId, outcome: &Outcome) {
        let Some(place) = self.sun.marks.iter().position(|marked| marked.ticket == Some(ticket)) else { return };
        let mut marked = self.sun.marks.remove(place);
        let why = match outcome {
            Outcome::Done => format!("started: {}", marked.wait.why()),
            Outcome::Refused(why) => format!("NOT started: {why}"),
            other => format!("NOT started: {other}"),
        };
        marked.wait.spend(why.clone());
        let name = marked.name();
        self.note_sun(now, &format!("{name}: {why}"));
        if *outcome != Outcome::Done {
            self.lose_starts(now, &format!("{name}, which goes before it, was not started"));
        }
        marked.ticket = None;
        self.sun.ended_start = Some(marked.shown(now));
        self.show_sun();
    }

    fn note_sun(&mut self, now: Time, text: &str) {
        self.audit.note("start when the sun allows", text.to_owned());
        self.journal.write(now, LogItem::Note { level: MessageLevel::Warning, text: text.to_owned() });
    }
}

/// What is in the way of a start now, apart from the sun.
fn in_the_way(run: &RunRequest, snapshot: &Snapshot, starting: bool, now: Time) -> Option<String> {
    let machine = &snapshot.machine;
    if starting {
        return Some("another program is being started".to_owned());
    }
    if snapshot.sun.is_parking() || snapshot.sun.spindle.is_some() {
        return Some("the machine is busy".to_owned());
    }
    if machine.pins.contains('D') {
        return Some("the safety door is open".to_owned());
    }
    if machine.jog.is_some() || machine.homing {
        return Some("somebody moves the machine".to_owned());
    }
    // Homed, idle, no alarm, no other program, no rule against it: the same as for any start.
    legal::check(&Command::Program(ProgramOrder::Run(Box::new(run.clone()))), snapshot, now).err().map(|why| why.0)
}

/// Whoever does that wants nothing to start.
pub(super) const fn is_stop(realtime: Realtime) -> bool {
    matches!(
        realtime,
        Realtime::Stop
            | Realtime::FeedHold
            | Realtime::StopProgram
            | Realtime::SoftReset
            | Realtime::SafetyDoor
            | Realtime::SpindleStop
    )
}
