//! The hub's part in spindle starts that wait for power: of a program, of a typed line, of a key.
//!
//! A program comes to rest before the line and is let on by an order that lets go of nothing else. A line that was typed is
//! kept here until there is room, a person says so, or anything stops it. What is not known waits, and says why. Keys that start
//! it without a line are the business of `restart`.

use std::time::Duration;

use super::keeper::SunHub;
use super::restart;
use crate::hub::arbiter;
use crate::hub::run::Keeper;
use crate::model::Time;
use crate::model::command::{ClientId, Command, Origin, Outcome, Realtime, Refused, VoidReason};
use crate::model::hub::Request;
use crate::model::log::LogItem;
use crate::model::machine::{MessageLevel, StateKind};
use crate::model::program::Prompt;
use crate::model::snapshot::{LinkState, Snapshot};
use crate::model::sun::{Action, SpindleWait, Truth};
use crate::model::work::Switch;
use crate::program::{Block, Dialect, Spindle, Turn};

/// What was typed is dropped after that: nobody expects a spindle to start much later.
const TYPED_WAITS: Duration = Duration::from_secs(300);

/// A spindle start that was found and has not gone out.
#[derive(Clone, Debug)]
pub(super) struct Waiting {
    pub(super) start: Start,
    turn: Turn,
    /// That it is a start does not rest on a report.
    sure: bool,
    pub(super) why: String,
    since: Time,
    /// People were told: it was not let go at once.
    told: bool,
    /// The order that lets it go is under way, and why it goes.
    passing: Option<String>,
    /// Whether it starts at all is not sure.
    maybe: bool,
}

/// What starts it.
#[derive(Clone, Debug)]
pub(super) enum Start {
    /// This line of the program, which rests before it.
    Program(u64),
    /// What somebody asked for.
    Asked(Box<Request>),
    /// A key, which was not sent.
    Key(Realtime),
}

impl Waiting {
    /// For the snapshot.
    pub(super) fn shown(&self) -> Option<SpindleWait> {
        let (what, line) = match &self.start {
            Start::Program(0) => ("the start in the middle of the program".to_owned(), Some(0)),
            Start::Program(line) => (format!("line {line}"), Some(*line)),
            Start::Asked(request) => (arbiter::describe(&request.command), None),
            Start::Key(key) => (restart::name(*key).to_owned(), None),
        };
        let (why, since, kept) = (self.why.clone(), self.since, matches!(self.start, Start::Key(_)));
        self.told.then_some(SpindleWait { what, line, why, since, kept, maybe: self.maybe })
    }

    /// A key that was not sent.
    pub(super) const fn of_key(key: Realtime, turn: Turn, why: String, since: Time, maybe: bool) -> Self {
        Self { start: Start::Key(key), turn, sure: true, why, since, told: true, passing: None, maybe }
    }
}

impl SunHub {
    /// Somebody wants spindle starts to be looked at.
    pub(in crate::hub) fn guards_spindle(&self) -> bool {
        self.headroom.is_some() || self.watches.iter().any(|watch| watch.rule.action == Action::DelaySpindle)
    }
}

impl Keeper {
    /// The program rests before a line that starts the spindle.
    pub(in crate::hub) fn spindle_asks(&mut self, at: Time, line: u64, turn: Turn, sure: bool) {
        let start = Start::Program(line);
        self.sun.waiting = Some(Waiting {
            start,
            turn,
            sure,
            why: String::new(),
            since: at,
            told: false,
            passing: None,
            maybe: false,
        });
        self.look_at_headroom(at);
        self.look_at_spindle(at);
    }

    /// The order that lets a program on has ended.
    pub(in crate::hub) fn spindle_passed(&mut self, at: Time, line: u64, outcome: &Outcome) {
        let Some(waiting) = self.sun.waiting.as_mut().filter(|waiting| waiting.is_at(line)) else { return };
        let why = waiting.passing.take().filter(|_| waiting.told);
        if *outcome == Outcome::Done {
            if let Some(why) = why {
                self.note_spindle(at, &format!("line {line} starts the spindle: {why}"));
            }
            self.program_has_power(line);
            self.sun.waiting = None;
            self.show_sun();
        } else {
            // Something holds it: looked at again with the next report, or reading.
            tracing::debug!(%outcome, line, "a spindle start was not let go");
        }
    }

    /// Somebody asks for what starts the spindle while there is no power for it. `true`: it is kept, and answered later.
    pub(in crate::hub) fn hold_spindle(&mut self, request: &Request, now: Time) -> bool {
        let is_kept = self.keeps_spindle(request, now);
        if !is_kept && may_switch(&request.command) {
            self.spindle_asked(request.ticket);
        }
        is_kept
    }

    fn keeps_spindle(&mut self, request: &Request, now: Time) -> bool {
        if is_spindle_off(&request.command) {
            self.drop_spindle(now, &Outcome::Voided { why: VoidReason::Stop, sent: false });
            return false;
        }
        if !self.sun.guards_spindle() {
            return false;
        }
        let waits = self.sun.waiting.as_ref().is_some_and(|waiting| !matches!(waiting.start, Start::Key(_)));
        if waits || self.latch.is_void(request.ticket, false) {
            return false;
        }
        let Some(turn) = start_of(&request.command, &self.snapshot, self.turns_surely(now), now) else { return false };
        if arbiter::decide(&request.command, &self.snapshot, now).is_err() {
            return false;
        }
        self.look_at_headroom(now);
        let Err(why) = self.spindle_verdict(now, turn, false) else { return false };
        let start = Start::Asked(Box::new(request.clone()));
        self.note_spindle(now, &format!("{} waits for power: {why}", arbiter::describe(&request.command)));
        self.sun.waiting =
            Some(Waiting { start, turn, sure: false, why, since: now, told: true, passing: None, maybe: false });
        self.show_sun();
        true
    }

    /// A person wants it to start all the same.
    pub(super) fn spindle_go(&mut self, who: &Origin, now: Time) {
        let Some(waiting) = &self.sun.waiting else { return };
        let start = waiting.start.clone();
        let text = format!("{} starts the spindle although {}", self.snapshot.people.words(who), waiting.why);
        self.note_spindle(now, &text);
        match start {
            // Where a program waits, this lets it on and sends nothing; behind a door it is sent, and not kept back.
            Start::Program(_) => self.let_key_go(now, Realtime::CycleStart, who),
            Start::Asked(_) => self.let_typed_go(now),
            Start::Key(key) => self.let_key_go(now, key, who),
        }
    }

    /// What was typed or asked for by a key is answered so, and does not go out.
    pub(super) fn drop_spindle(&mut self, now: Time, outcome: &Outcome) {
        let asked = self.sun.waiting.take_if(|waiting| !matches!(waiting.start, Start::Program(_)));
        let Some(Waiting { start, .. }) = asked else { return };
        self.show_sun();
        if let Start::Asked(request) = start {
            self.answer(now, request.ticket, outcome.clone());
        }
    }

    /// A client has left: nobody waits for the start that it asked for.
    pub(in crate::hub) fn spindle_left(&mut self, client: ClientId, now: Time) {
        let is_theirs = |waiting: &Waiting| matches!(&waiting.start, Start::Asked(request) if request.origin.client() == Some(client));
        if self.sun.waiting.as_ref().is_some_and(is_theirs) {
            self.drop_spindle(now, &Outcome::Refused(Refused::because("who asked for it has left")));
        }
    }

    /// Looks again at what waits.
    pub(super) fn look_at_spindle(&mut self, now: Time) {
        self.keep_back(now);
        let Some(waiting) = &self.sun.waiting else { return };
        match &waiting.start {
            Start::Key(key) => self.look_at_kept_key(now, *key),
            Start::Program(line) => self.look_at_program_start(now, *line),
            Start::Asked(request) => {
                let too_late = now.since(waiting.since) >= TYPED_WAITS;
                let late =
                    || Outcome::Refused(Refused::because("there was no power for it for five minutes: it was dropped"));
                match self.ends_typed(request).or_else(|| too_late.then(late)) {
                    Some(outcome) => self.drop_spindle(now, &outcome),
                    None => self.look_at_typed_start(now),
                }
            }
        }
    }

    fn look_at_program_start(&mut self, now: Time, line: u64) {
        let Some(waiting) = &self.sun.waiting else { return };
        let (told, turn, sure) = (waiting.told, waiting.turn, waiting.sure);
        let run = self.snapshot.programs.run.as_ref().filter(|run| run.state.is_open());
        let asks =
            run.is_some_and(|run| matches!(&run.prompt, Some(Prompt::SpindleStart { line: at, .. }) if *at == line));
        if run.is_none() || told && !asks && waiting.passing.is_none() {
            // It was stopped, or a person has let it go on.
            self.sun.waiting = None;
            return self.show_sun();
        }
        if waiting.passing.is_some() {
            return;
        }
        match self.spindle_verdict(now, turn, sure) {
            Ok(spare) => {
                if let Some(waiting) = &mut self.sun.waiting {
                    waiting.passing = Some(room(spare));
                }
                self.let_program_pass(now, line);
            }
            Err(why) => {
                if let Some(waiting) = &mut self.sun.waiting {
                    (waiting.told, waiting.why) = (true, why.clone());
                }
                if !told {
                    self.note_spindle(now, &format!("line {line} starts the spindle and waits for power: {why}"));
                    self.program_waits_for_power(now, line, &why);
                }
            }
        }
        self.show_sun();
    }

    fn look_at_typed_start(&mut self, now: Time) {
        let Some(turn) = self.sun.waiting.as_ref().map(|waiting| waiting.turn) else { return };
        match self.spindle_verdict(now, turn, false) {
            Ok(spare) => {
                self.note_spindle(now, &format!("the spindle is started: {}", room(spare)));
                self.let_typed_go(now);
            }
            Err(why) => {
                if let Some(waiting) = &mut self.sun.waiting {
                    waiting.why = why;
                }
                self.show_sun();
            }
        }
    }

    /// It goes the way of any other line: legal or not, it is answered.
    fn let_typed_go(&mut self, now: Time) {
        let Some(Waiting { start: Start::Asked(request), .. }) = self.sun.waiting.take() else { return };
        // Before: while it is shown to wait, no other line is legal.
        self.show_sun();
        self.spindle_asked(request.ticket);
        let sent = match self.snapshot.people.refusal(&request.origin, now) {
            Some(why) => Err(Outcome::Refused(why)),
            None => self.order(&request, now),
        };
        if let Err(outcome) = sent {
            self.answer(now, request.ticket, outcome);
        }
    }

    /// Why what was typed does not go out any more.
    fn ends_typed(&self, request: &Request) -> Option<Outcome> {
        let machine = &self.snapshot.machine;
        let why = if self.latch.is_void(request.ticket, false) {
            VoidReason::Stop
        } else if machine.alarm.is_some() {
            VoidReason::Alarm
        } else if machine.link.state != LinkState::Up {
            VoidReason::LinkLost
        } else {
            return None;
        };
        Some(Outcome::Voided { why, sent: false })
    }

    /// Whether it may start now: the room in watts, where one is asked for; or why it waits. Unless it is sure that this is a
    /// start, one that is told to turn that way already needs none.
    pub(super) fn spindle_verdict(&self, now: Time, turn: Turn, sure: bool) -> Result<Option<f64>, String> {
        if self.snapshot.sun.is_parking() {
            return Err("the machine is being parked".to_owned());
        }
        let laser = Dialect::of(&self.snapshot.machine).laser;
        if !sure && self.turns_surely(now).is_some_and(|now| now == turn || laser) {
            return Ok(None);
        }
        let rules = self.sun.watches.iter().filter(|watch| watch.rule.action == Action::DelaySpindle);
        for watch in rules.filter(|watch| !self.sun.aside.contains_key(&watch.rule.name)) {
            if let Some(why) = super::keeper::reason(watch, watch.truth == Truth::True) {
                return Err(format!("rule {:?}: {why}", watch.rule.name));
            }
        }
        self.sun.headroom.as_ref().map(|headroom| headroom.verdict.clone()).transpose()
    }

    pub(super) fn note_spindle(&mut self, now: Time, text: &str) {
        self.audit.note("spindle", text.to_owned());
        self.journal.write(now, LogItem::Note { level: MessageLevel::Warning, text: text.to_owned() });
    }
}

impl Waiting {
    fn is_at(&self, line: u64) -> bool {
        matches!(self.start, Start::Program(at) if at == line)
    }
}

fn room(spare: Option<f64>) -> String {
    spare
        .map_or_else(|| "nothing holds it back any more".to_owned(), |spare| format!("there are {spare:.0} W to spare"))
}

/// Which way it turns, as far as the controller tells. Switched on at S0 it may stand, so that this is not said to turn.
pub(super) fn turns(snapshot: &Snapshot, now: Time) -> Option<Turn> {
    // FluidNC goes on telling the last speed of one that stands, so that the switch counts first.
    is_on(snapshot, now).filter(|_| snapshot.machine.spindle_rpm.is_none_or(|rpm| rpm > 0.0))
}

/// Which way it is switched on, whatever its speed, as far as the controller tells.
pub(super) fn is_on(snapshot: &Snapshot, now: Time) -> Option<Turn> {
    let machine = &snapshot.machine;
    machine.fresh_state(now)?;
    match machine.accessories? {
        on if on.spindle_cw => Some(Turn::Clockwise),
        on if on.spindle_ccw => Some(Turn::CounterClockwise),
        _ => None,
    }
}

/// Which way the spindle begins to turn by a command, if it does.
fn start_of(command: &Command, snapshot: &Snapshot, turns: Option<Turn>, now: Time) -> Option<Turn> {
    let machine = &snapshot.machine;
    // Nothing turns in check mode.
    machine.fresh_state(now).filter(|state| state.kind != StateKind::Check)?;
    let on = |word| machine.modal.as_ref().is_some_and(|modal| modal.has(word));
    let mode = if on("M3") {
        Some(Turn::Clockwise)
    } else if on("M4") {
        Some(Turn::CounterClockwise)
    } else {
        None
    };
    let text = match command {
        Command::Mdi(text) => text.clone(),
        Command::Switch(Switch::Spindle { counter_clockwise, rpm }) => {
            format!("{} S{rpm}", if *counter_clockwise { "M4" } else { "M3" })
        }
        _ => return None,
    };
    let mut block = Block::new();
    block.parse(text.as_bytes());
    Spindle::known(Dialect::of(machine).laser, mode, turns).starts(&block, text.as_bytes())
}

/// Whether reports from before it say nothing of the spindle any more.
fn may_switch(command: &Command) -> bool {
    match command {
        Command::Switch(Switch::Spindle { .. } | Switch::SpindleOff) => true,
        Command::Mdi(text) => text.bytes().any(|byte| matches!(byte.to_ascii_uppercase(), b'M' | b'S')),
        _ => false,
    }
}

fn is_spindle_off(command: &Command) -> bool {
    match command {
        Command::Switch(Switch::SpindleOff) => true,
        Command::Mdi(text) => text.trim().eq_ignore_ascii_case("M5"),
        _ => false,
    }
}
