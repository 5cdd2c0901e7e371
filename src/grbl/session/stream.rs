//! Program lines beside the tickets: pulled from the owner as the window has room.
//!
//! The lane never holds more than a few lines that have not left. It stops by itself at the first line that the controller
//! refuses, at an alarm, a reset or a lost link, and then never goes on: what follows is for a person to decide.
//! A hold stops it before the machine is seen to hold, and only a cycle start lets it go on.

use std::time::Duration;

use super::core::{Phase, Session};
use super::reports::Mark;
use super::situation::Situation;
use super::stop_table::{Decision, decide};
use super::window::{Owner, Slot};
use crate::grbl::event::{Event, ProgramEvent, Rest, StreamEnd};
use crate::grbl::line::Line;
use crate::model::Time;
use crate::model::command::{Realtime, Refused, VoidReason};
use crate::model::machine::{Firmware, MessageLevel, StateKind};

/// Progress is told no more often than this.
const TELL_EVERY: Duration = Duration::from_millis(100);
/// Program lines that wait in the session, at most.
const STAGED: usize = 8;

/// A line of a program, ready to send.
#[derive(Clone, Debug, PartialEq)]
pub struct ProgramLine {
    /// Its number in the file, counted from 1; 0 for lines of a preamble.
    pub number: u64,
    /// As to be sent.
    pub line: Line,
    /// The controller may wait at it for a cycle start (M0, M1, M60, M6): it goes alone, so that nothing behind it is in the
    /// controller while somebody thinks.
    pub asks: bool,
}

/// What comes next in a program.
#[derive(Clone, Debug, PartialEq)]
pub enum ProgramItem {
    /// A line.
    Line(ProgramLine),
    /// Nothing is sent until all before it is carried out and somebody lets it go on.
    Wait {
        /// Line of the file, counted from 1.
        number: u64,
    },
    /// The feeder cannot go on: hold what moves, send nothing more.
    Broken {
        /// What happened and what to do.
        why: String,
    },
    /// There is no more.
    End,
}

/// Whether lines are taken and begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Feeding {
    On,
    /// At a line's end, asked by a person.
    Paused,
    /// At a [`ProgramItem::Wait`].
    Wait(u64),
    /// All lines were taken.
    Finished,
    /// A line was refused, or the feeder failed: this lane never goes on.
    Broken,
}

/// A hold, as far as the lane is concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Held {
    No,
    /// Asked for, not seen yet.
    Asked,
    /// Seen in a report.
    Seen,
}

/// The lane of a program.
#[derive(Debug)]
pub(super) struct Stream {
    feeding: Feeding,
    held: Held,
    sent: u64,
    acked: u64,
    /// The line behind `acked`.
    text: Option<Line>,
    told: (u64, u64),
    told_at: Time,
    rest: Option<Mark>,
    rest_told: bool,
    asks: Option<Asks>,
}

/// A line at which the controller may wait by itself. Grbl, FluidNC and M0 of grblHAL answer it when that is over; M6 of grblHAL
/// is answered first, and reading stops behind it.
#[derive(Debug)]
struct Asks {
    number: u64,
    /// Since it went out, or since it was answered.
    mark: Mark,
    answered: bool,
    told: bool,
}

impl Stream {
    fn new(now: Time) -> Self {
        Self {
            feeding: Feeding::On,
            held: Held::No,
            sent: 0,
            acked: 0,
            text: None,
            told: (0, 0),
            told_at: now,
            rest: None,
            rest_told: false,
            asks: None,
        }
    }

    /// The lane never goes on.
    pub(super) fn is_broken(&self) -> bool {
        self.feeding == Feeding::Broken
    }

    /// The controller was seen to wait at a line.
    pub(super) fn asks(&self) -> bool {
        self.asks.as_ref().is_some_and(|asks| asks.told)
    }

    /// When progress is to be told.
    pub(super) fn due(&self) -> Option<Time> {
        (self.told != (self.sent, self.acked)).then_some(self.told_at + TELL_EVERY)
    }

    fn progress(&mut self, now: Time) -> Event {
        self.told = (self.sent, self.acked);
        self.told_at = now;
        let text = self.text.as_ref().map_or("", Line::as_str).to_owned();
        Event::Program(ProgramEvent::Progress { sent_line: self.sent, acked_line: self.acked, text })
    }
}

impl Session {
    /// Opens the lane for a program. Until it has ended, no other line is taken.
    ///
    /// # Errors
    /// The reason: another program, a state that takes no lines, lines that wait already.
    pub fn stream_begin(&mut self, now: Time) -> Result<(), Refused> {
        self.must_be_up()?;
        self.must_not_stream()?;
        match self.situation(now) {
            Situation::Idle | Situation::Check => {}
            other => {
                let why = super::situation::describe(other);
                return Err(Refused::because(format!("a program cannot start: {why}")));
            }
        }
        if self.window.all().any(|slot| matches!(slot.owner, Owner::Ticket(_)))
            || self.jogger.tickets().next().is_some()
        {
            return Err(Refused::because("earlier lines have not been answered yet; try again"));
        }
        self.stream = Some(Stream::new(now));
        // A jog cancel that came late would empty grblHAL's receive buffer.
        self.last_was_jog = false;
        self.pump(now);
        Ok(())
    }

    /// Whether the next item of the program should be handed over now.
    pub fn stream_wants(&self) -> bool {
        let Some(stream) = &self.stream else { return false };
        stream.feeding == Feeding::On
            && stream.asks.is_none()
            && self.window.pending_len() < STAGED
            && !self.window.all().any(|slot| is_program(slot) && slot.alone)
    }

    /// The next item of the program, in its order. Dropped when the lane has ended or broken meanwhile.
    pub fn stream_push(&mut self, now: Time, item: ProgramItem) {
        let Some(stream) = self.stream.as_mut().filter(|stream| stream.feeding != Feeding::Broken) else { return };
        match item {
            ProgramItem::Line(ProgramLine { number, line, asks }) => {
                let careful = self.firmware == Some(Firmware::Grbl) && line.touches_eeprom();
                let alone = asks || careful || line.is_dollar();
                self.window.push(Slot { alone, asks, ..Slot::new(line, Owner::Program(number)) });
                return;
            }
            ProgramItem::Wait { number } => stream.feeding = Feeding::Wait(number),
            ProgramItem::End => stream.feeding = Feeding::Finished,
            ProgramItem::Broken { why } => {
                self.break_stream(now);
                self.events.push_back(Event::Program(ProgramEvent::Broken { why }));
            }
        }
        self.pump(now);
    }

    /// Begins no more lines; what the controller has is carried out.
    ///
    /// # Errors
    /// There is no program, or it has stopped already.
    pub fn stream_pause(&mut self, now: Time) -> Result<(), Refused> {
        let stream = self.stream.as_mut().ok_or_else(|| Refused::because("no program is running"))?;
        match stream.feeding {
            Feeding::On => stream.feeding = Feeding::Paused,
            Feeding::Finished if self.window.pending_len() > 0 => stream.feeding = Feeding::Paused,
            Feeding::Finished => return Err(Refused::because("all lines have been sent already")),
            Feeding::Paused | Feeding::Wait(_) => return Err(Refused::because("it is paused already")),
            Feeding::Broken => return Err(Refused::because("it has stopped at a refused line")),
        }
        stream.rest = None;
        stream.rest_told = false;
        self.pump(now);
        Ok(())
    }

    /// Lets the lane go on behind the wait at which it rests. Unlike a cycle start it lets go of nothing else: a hold that came
    /// meanwhile stays.
    ///
    /// # Errors
    /// It does not rest there, or something holds it.
    pub fn stream_pass(&mut self, now: Time, number: u64) -> Result<(), Refused> {
        let over = self.stop_is_over();
        let stream = self.stream.as_mut().ok_or_else(|| Refused::because("no program is running"))?;
        if stream.feeding != (Feeding::Wait(number)) || !stream.rest_told {
            return Err(Refused::because(format!("it does not wait at line {number}")));
        }
        if stream.held != Held::No || !over {
            return Err(Refused::because("it is on hold"));
        }
        stream.feeding = Feeding::On;
        stream.rest = None;
        stream.rest_told = false;
        self.events.push_back(Event::Program(ProgramEvent::Resumed));
        self.pump(now);
        Ok(())
    }

    /// Whether a program's lane is open.
    pub fn is_streaming(&self) -> bool {
        self.stream.is_some()
    }

    /// No line of anybody else between those of a program.
    pub(super) fn must_not_stream(&self) -> Result<(), Refused> {
        match self.stream {
            Some(_) => Err(Refused::because("a program is running: stop it first")),
            None => Ok(()),
        }
    }

    /// A cycle start. `false`: it must not be sent.
    pub(super) fn stream_resume(&mut self) -> bool {
        let Some(stream) = &mut self.stream else { return true };
        match stream.feeding {
            Feeding::Broken => {
                let text = "not resumed: lines that the controller still has would run. Stop the program".to_owned();
                self.events.push_back(Event::Message { level: MessageLevel::Warning, text });
                return false;
            }
            Feeding::Wait(_) if !stream.rest_told => {}
            Feeding::Paused | Feeding::Wait(_) => {
                stream.feeding = Feeding::On;
                self.events.push_back(Event::Program(ProgramEvent::Resumed));
            }
            Feeding::On | Feeding::Finished => {}
        }
        stream.rest = None;
        stream.rest_told = false;
        self.set_held(Held::No);
        true
    }

    /// A stop key was pressed: nothing more is begun until a cycle start, whatever the machine does.
    pub(super) fn hold_stream(&mut self) {
        if self.stream.as_ref().is_some_and(|stream| stream.held == Held::No) {
            self.set_held(Held::Asked);
        }
    }

    fn set_held(&mut self, held: Held) {
        let Some(stream) = &mut self.stream else { return };
        let before = std::mem::replace(&mut stream.held, held);
        if (before == Held::No) != (held == Held::No) {
            self.events.push_back(Event::Program(ProgramEvent::Held(held != Held::No)));
        }
    }

    /// Whether a program line may begin, as far as the lane is concerned.
    pub(super) fn stream_may_begin(&self, now: Time, next: &Slot) -> bool {
        let Some(stream) = &self.stream else { return false };
        let may_go = matches!(stream.feeding, Feeding::On | Feeding::Wait(_) | Feeding::Finished);
        let state = match self.situation(now) {
            Situation::Idle | Situation::Check => true,
            // FluidNC would keep a `$` line until the motion ends, and run it even after a reset (facts §0.15).
            Situation::Run => !next.line.is_dollar(),
            _ => false,
        };
        may_go && stream.held == Held::No && stream.asks.is_none() && state
    }

    /// A program line has left, whole.
    pub(super) fn stream_sent(&mut self, number: u64) {
        if let Some(stream) = &mut self.stream {
            stream.sent = stream.sent.max(number);
        }
    }

    /// A program line was answered.
    pub(super) fn on_program_answer(&mut self, now: Time, number: u64, line: Line, error: Option<u16>) {
        let Some(stream) = &mut self.stream else { return };
        let Some(code) = error else {
            stream.acked = stream.acked.max(number);
            stream.text = Some(line);
            if let Some(asks) = &mut stream.asks {
                asks.answered = true;
                asks.mark = self.reports.mark();
            }
            return;
        };
        if stream.is_broken() {
            return; // grblHAL refuses all that follows by itself
        }
        let text = line.as_str().to_owned();
        let told = stream.progress(now);
        self.events.push_back(told);
        self.break_stream(now);
        let meaning = self.error_text(code);
        self.events.push_back(Event::Program(ProgramEvent::Refused { number, code, meaning, text }));
    }

    /// Nothing of the program is sent any more, and what moves is held: the lines that the controller has would run on.
    fn break_stream(&mut self, now: Time) {
        if let Some(stream) = &mut self.stream {
            stream.feeding = Feeding::Broken;
        }
        self.window.drop_pending(is_program);
        if decide(Realtime::FeedHold, self.situation(now), self.firmware) == Decision::FeedHold {
            self.begin_stop(now, Realtime::FeedHold);
        }
    }

    /// The lane is over before its end.
    pub(super) fn end_stream(&mut self, why: StreamEnd) {
        self.window.drop_pending(is_program);
        if let Some(mut stream) = self.stream.take() {
            let told = stream.progress(self.pumped_at);
            self.events.extend([told, Event::Program(ProgramEvent::Ended(why))]);
            self.after_stream();
        }
    }

    /// What the program may have changed is asked anew.
    fn after_stream(&mut self) {
        if self.phase == Phase::Up {
            self.queries.want(super::queries::Query::Modal);
            self.queries.want(super::queries::Query::Offsets);
        }
    }

    pub(super) fn void_stream(&mut self, why: VoidReason) {
        self.end_stream(StreamEnd::Void(why));
    }

    /// One turn: holds that were seen, prompts of the controller, standstill, progress.
    pub(super) fn step_stream(&mut self, now: Time) {
        if self.stream.is_none() {
            return;
        }
        self.step_held();
        self.step_asks();
        self.step_rest();
        if let Some(stream) = self.stream.as_mut().filter(|stream| stream.due().is_some_and(|due| now >= due)) {
            let told = stream.progress(now);
            self.events.push_back(told);
        }
    }

    /// Holds may come from elsewhere (a button at the machine), and end there.
    fn step_held(&mut self) {
        let Some(kind) = self.state().map(|state| state.kind) else { return };
        let Some(stream) = &self.stream else { return };
        let by_line = stream.asks.is_some();
        let holds = matches!(kind, StateKind::Hold | StateKind::Held | StateKind::Door);
        let resuming = self.resuming_until.is_some();
        match (stream.held, holds) {
            (Held::No, true) if !by_line && !resuming => self.set_held(Held::Seen),
            (Held::Asked, true) => self.set_held(Held::Seen),
            (Held::Seen, false) if matches!(kind, StateKind::Idle | StateKind::Run) && self.stop_is_over() => {
                self.set_held(Held::No);
            }
            _ => {}
        }
    }

    /// No stop is being carried out.
    fn stop_is_over(&self) -> bool {
        !self.is_restarting() && self.stop.as_ref().is_none_or(super::stop::StopRun::is_done)
    }

    /// The controller waits at M0 or M6 by itself.
    fn step_asks(&mut self) {
        let sent = self.window.oldest().filter(|slot| slot.asks).and_then(|slot| match slot.owner {
            Owner::Program(number) => Some(number),
            _ => None,
        });
        let state = self.state().map(|state| state.kind);
        let waits = matches!(state, Some(StateKind::Hold | StateKind::Held | StateKind::Tool));
        let Some(stream) = &mut self.stream else { return };
        if let (Some(number), None) = (sent, &stream.asks) {
            let mark = self.reports.mark();
            stream.asks = Some(Asks { number, mark, answered: false, told: false });
        }
        let Some(asks) = stream.asks.as_mut().filter(|asks| self.reports.is_proved(asks.mark)) else { return };
        let number = asks.number;
        if waits && !asks.told {
            asks.told = true;
            self.events.push_back(Event::Program(ProgramEvent::Asks { number }));
        } else if !waits && asks.answered {
            let told = asks.told;
            stream.asks = None;
            if told {
                self.events.push_back(Event::Program(ProgramEvent::Passed { number }));
            }
        }
    }

    /// All that was sent is carried out: proved by a report that was asked for after the last answer.
    fn step_rest(&mut self) {
        let Some(stream) = &mut self.stream else { return };
        let rest = match stream.feeding {
            Feeding::On | Feeding::Broken => return,
            Feeding::Paused => Rest::Paused,
            Feeding::Wait(number) => Rest::Waits { number },
            Feeding::Finished => Rest::Finished,
        };
        let busy =
            if rest == Rest::Paused { self.window.open().any(is_program) } else { self.window.all().any(is_program) };
        if busy || stream.asks.is_some() {
            stream.rest = None;
            return;
        }
        let Some(mark) = stream.rest else {
            stream.rest = Some(self.reports.mark());
            return;
        };
        let stands = self.report.as_ref().is_some_and(|r| matches!(r.state.kind, StateKind::Idle | StateKind::Check));
        if stream.rest_told || !stands || !self.reports.is_proved(mark) {
            return;
        }
        stream.rest_told = true;
        let told = stream.progress(self.pumped_at);
        self.events.extend([told, Event::Program(ProgramEvent::AtRest(rest))]);
        if rest == Rest::Finished {
            self.stream = None;
            self.after_stream();
        }
    }
}

fn is_program(slot: &Slot) -> bool {
    matches!(slot.owner, Owner::Program(_))
}
