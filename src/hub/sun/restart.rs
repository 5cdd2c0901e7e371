//! The hub's part in spindles that start again without a line: by going on after a stop in a hold, a door or a tool change, and by
//! the toggle in a hold.
//!
//! Such a key is for the driver alone, which sends it at once. So the driver is told before which of them to give back here:
//! those that would start the spindle while there is no room for its surge. What was given back is not sent later by itself,
//! since nothing resumes by itself: a person presses it again, or says that it goes anyway.

use std::time::Duration;

use super::spindle::{Start, Waiting, is_on, turns};
use super::start::is_stop;
use super::turning::Turning;
use crate::driver::machine::{Event, EventKind};
use crate::grbl;
use crate::hub::run::Keeper;
use crate::model::Time;
use crate::model::command::{Origin, Outcome, Realtime, Refused, TicketId};
use crate::model::machine::StateKind;
use crate::model::snapshot::LinkState;
use crate::model::sun::starts_words;
use crate::program::{Dialect, Turn};

/// What a person lets go anyway has to go out within this time.
const PASSES: Duration = Duration::from_secs(1);
/// The keys that may start the spindle.
const KEYS: [Realtime; 2] = [Realtime::CycleStart, Realtime::SpindleStop];

impl Keeper {
    /// Something happened at the machine; it has been folded already.
    pub(super) fn follow_spindle(&mut self, event: &Event) {
        let state = self.snapshot.machine.state.map(|state| state.kind);
        match &event.what {
            EventKind::Session(grbl::Event::Status(report)) => {
                // At a relay it turns at S0 too.
                let turns = is_on(&self.snapshot, event.at);
                self.sun.turning.reported(event.at, report.accessories.is_some(), report.state.kind, turns);
            }
            EventKind::Session(grbl::Event::SentRealtime(realtime)) => {
                self.sun.turning.sent(*realtime, state, event.at);
                if KEYS.contains(realtime) {
                    self.sun.let_go = None;
                }
            }
            EventKind::Session(grbl::Event::Reset { .. }) | EventKind::Port(_) => self.sun.turning = Turning::default(),
            EventKind::Link(state) if *state != LinkState::Up => self.sun.turning.link_lost(),
            EventKind::Asked(askers) if askers.iter().any(|(key, _)| is_stop(*key)) => {
                // Who stops has seen it, and wants something else.
                self.drop_kept_key();
            }
            EventKind::KeptBack(askers) => {
                for (key, who) in askers {
                    self.key_kept_back(event.at, *key, who);
                }
            }
            _ => {}
        }
    }

    /// A command is on its way that may switch the spindle.
    pub(super) fn spindle_asked(&mut self, ticket: TicketId) {
        self.sun.turning.asked(ticket);
    }

    /// A command has ended.
    pub(in crate::hub) fn spindle_answered(&mut self, at: Time, ticket: TicketId, outcome: &Outcome) {
        let sent = !matches!(outcome, Outcome::Refused(_) | Outcome::Voided { sent: false, .. });
        self.sun.turning.ended(ticket, sent, at);
    }

    /// Which way it turns, where that is told and nothing was sent since.
    pub(super) fn turns_surely(&self, now: Time) -> Option<Turn> {
        turns(&self.snapshot, now).filter(|_| self.sun.turning.is_told())
    }

    /// Tells the driver what to give back from now on.
    pub(super) fn keep_back(&mut self, now: Time) {
        let goes = self.sun.let_go.is_some_and(|at| now.since(at) < PASSES);
        let kept = KEYS.into_iter().filter(|key| !goes && self.short_for(*key, now).is_some());
        let kept: Vec<Realtime> = kept.collect();
        self.latch.keep_back(&kept);
    }

    /// Why this key would start the spindle without power for it, and which way it would turn.
    fn short_for(&self, key: Realtime, now: Time) -> Option<(Turn, String)> {
        // Parking goes its own way; and a laser has no surge.
        if !self.sun.guards_spindle() || self.snapshot.sun.is_parking() || Dialect::of(&self.snapshot.machine).laser {
            return None;
        }
        let turn = self.sun.turning.starts_again(key)?;
        Some((turn, self.spindle_verdict(now, turn, true).err()?))
    }

    /// A key came back.
    fn key_kept_back(&mut self, now: Time, key: Realtime, who: &Origin) {
        match self.short_for(key, now) {
            Some((turn, why)) => self.key_waits(now, key, who, turn, why),
            // There is room by now, or nothing starts any more. Somebody may have stopped the machine meanwhile: it is not sent.
            None => {
                let person = self.snapshot.people.words(who);
                let text = format!("{} was not sent ({person} asked for it); it may be pressed again now", name(key));
                self.note_spindle(now, &text);
            }
        }
    }

    fn key_waits(&mut self, now: Time, key: Realtime, who: &Origin, turn: Turn, why: String) {
        let person = self.snapshot.people.words(who);
        let text = format!("{} was not sent ({person} asked for it): it {}, and {why}", name(key), self.starts_it());
        self.note_spindle(now, &text);
        if self.sun.waiting.as_ref().is_some_and(|waiting| !matches!(waiting.start, Start::Key(_))) {
            return;
        }
        self.sun.waiting = Some(Waiting::of_key(key, turn, why, now, self.at_tool_change()));
        self.show_sun();
    }

    /// At a tool change it is for the program to say whether the spindle turns next.
    fn at_tool_change(&self) -> bool {
        self.snapshot.machine.state.is_some_and(|state| state.kind == StateKind::Tool)
    }

    fn starts_it(&self) -> &'static str {
        starts_words(self.at_tool_change())
    }

    /// Somebody wants a program to go on.
    ///
    /// # Errors
    /// That starts the spindle again, and there is no power for it.
    pub(in crate::hub) fn look_before_resume(&mut self, now: Time, who: &Origin) -> Result<(), Refused> {
        let key = Realtime::CycleStart;
        let Some((turn, why)) = self.short_for(key, now) else { return Ok(()) };
        let text = format!("it {}, and {why}: let it start anyway, or wait for room", self.starts_it());
        self.key_waits(now, key, who, turn, why);
        Err(Refused::because(text))
    }

    /// Looks again at a key that was not sent: what there is to say of it, until it may be pressed again.
    pub(super) fn look_at_kept_key(&mut self, now: Time, key: Realtime) {
        let short = self.short_for(key, now);
        let starts = self.sun.turning.starts_again(key).is_some();
        match (short, &mut self.sun.waiting) {
            (Some((_, why)), Some(waiting)) => waiting.why = why,
            _ => {
                self.sun.waiting = None;
                if starts {
                    self.note_spindle(now, &format!("there is room for the spindle: {} may be pressed", name(key)));
                }
            }
        }
        self.show_sun();
    }

    /// It is sent, whatever the power.
    pub(super) fn let_key_go(&mut self, now: Time, key: Realtime, who: &Origin) {
        self.drop_kept_key();
        self.sun.let_go = Some(now);
        self.keep_back(now);
        self.latch.set_by(key, who);
    }

    fn drop_kept_key(&mut self) {
        if self.sun.waiting.take_if(|waiting| matches!(waiting.start, Start::Key(_))).is_some() {
            self.show_sun();
        }
    }
}

/// What a key is called.
pub(super) const fn name(key: Realtime) -> &'static str {
    match key {
        Realtime::SpindleStop => "the spindle key (0x9E)",
        _ => "resume",
    }
}
