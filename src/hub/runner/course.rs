//! How a run goes: ready → running ⇄ paused → done, failed or stopped. Pure: what happens goes in, what is to be done comes out.

use crate::grbl::event::{ProgramEvent, Rest, StreamEnd};
use crate::model::command::{Refused, VoidReason};
use crate::model::machine::{MachineState, StateKind};
use crate::model::program::{Next, Prompt, Run, RunState};
use crate::model::time::Time;

/// What is said of a run in whose middle sunmill ended.
pub(super) const CUT_SHORT: &str = "sunmill ended while it ran; the machine was put on hold";

/// What is said of a run that the link cut off.
pub(super) const LINK_LOST: &str = "the link was lost";

/// Something that happens to a run.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Input {
    /// The session has opened the lane.
    Began,
    /// From the wire.
    Wire(ProgramEvent),
    /// A report.
    Report(MachineState),
    /// Somebody asked for the end: stop program, or soft reset.
    StopAsked,
    /// An alarm, in words; the end of the lane follows.
    Alarm(String),
    /// sunmill ends.
    Shutdown,
}

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Effect {
    /// `~`, or what takes its place at a wait.
    CycleStart,
    /// Hold, standstill, reset.
    StopProgram,
    /// Begin no more lines.
    Pause,
    /// The neighbours of this line are to be read for its prompt.
    ReadAround(u64),
    /// It rests before this line, which starts the spindle: is there power?
    AskPower {
        /// Counted from 1.
        line: u64,
        /// `M4`.
        counter_clockwise: bool,
        /// That it is a start does not rest on a report.
        sure: bool,
    },
    /// The run is over.
    Over,
}

/// Why no line goes out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Brakes {
    /// A hold or an open door.
    held: bool,
    /// A pause at a line's end, or a wait.
    resting: bool,
    /// The controller waits by itself.
    asked: bool,
    /// It never goes on.
    broken: bool,
}

impl Brakes {
    const fn any(self) -> bool {
        self.held || self.resting || self.asked || self.broken
    }
}

/// A run and all that decides how it goes on.
#[derive(Clone, Debug)]
pub(super) struct Course {
    pub(super) run: Run,
    /// How often it was paused.
    pub(super) pauses: u32,
    brakes: Brakes,
    /// Prompts that lie ahead, as the feeder read them.
    ahead: Vec<Prompt>,
    /// Why it is stopped, where no person says so.
    reason: Option<String>,
    /// Where it goes on after a stop that was asked for to go on elsewhere.
    next: Option<Next>,
    /// Lines that were refused and skipped, also in the run that it takes up.
    pub(super) skipped: Vec<u64>,
    alarm: Option<String>,
    /// sunmill ends in the middle of it.
    cut_short: bool,
    lines_lost: bool,
}

impl Course {
    pub(super) fn new(run: Run) -> Self {
        Self {
            run,
            pauses: 0,
            brakes: Brakes::default(),
            ahead: Vec::new(),
            reason: None,
            next: None,
            skipped: Vec::new(),
            alarm: None,
            cut_short: false,
            lines_lost: false,
        }
    }

    /// The feeder has read a line at which somebody will be asked.
    pub(super) fn foresee(&mut self, prompt: Prompt) {
        self.ahead.push(prompt);
    }

    /// It is about to be stopped, and why.
    pub(super) fn stops_because(&mut self, why: String) {
        self.reason = Some(why);
    }

    /// It is not stopped after all.
    pub(super) fn goes_on(&mut self) {
        self.reason = None;
    }

    /// Where it goes on, if whoever stopped it has said so.
    pub(super) fn next(&self) -> Option<Next> {
        self.next.clone()
    }

    /// sunmill ended in the middle of it.
    pub(super) const fn is_cut_short(&self) -> bool {
        self.cut_short
    }

    /// It ended because lines were never answered.
    pub(super) const fn has_lost_lines(&self) -> bool {
        self.lines_lost
    }

    /// Something happened.
    pub(super) fn take(&mut self, at: Time, input: Input) -> Vec<Effect> {
        if !self.run.state.is_open() {
            return Vec::new();
        }
        match input {
            Input::Began if self.run.state == RunState::Ready => self.go(at, RunState::Running),
            Input::Began => Vec::new(),
            Input::Wire(event) => self.wire(at, event),
            Input::Report(state) => self.report(at, state),
            Input::StopAsked => self.go(at, RunState::Stopping),
            Input::Alarm(text) => {
                self.alarm = Some(text);
                Vec::new()
            }
            Input::Shutdown => self.ended(at, StreamEnd::Void(VoidReason::Shutdown)),
        }
    }

    /// No more lines are to go out.
    pub(super) fn pause(&mut self, at: Time) -> Result<Vec<Effect>, Refused> {
        if self.run.state != RunState::Running {
            return Err(Refused::because("only a program that runs can be paused"));
        }
        let mut effects = self.go(at, RunState::Pausing);
        effects.push(Effect::Pause);
        Ok(effects)
    }

    /// A person wants it to go on.
    pub(super) fn resume(&self) -> Result<Vec<Effect>, Refused> {
        match (&self.run.state, self.brakes.broken) {
            (_, true) => Err(Refused::because(
                "it cannot go on from here: the controller still has lines that would run. Stop it, or skip the line",
            )),
            (RunState::Paused(_) | RunState::Pausing, false) => Ok(vec![Effect::CycleStart]),
            _ => Err(Refused::because("it is not paused")),
        }
    }

    /// A person wants to go on behind the line that was refused.
    pub(super) fn skip(&mut self, at: Time) -> Result<Vec<Effect>, Refused> {
        let Some(Prompt::LineRefused { line, .. }) = self.run.prompt else {
            return Err(Refused::because("no line was refused"));
        };
        self.next = Some(Next { line: line + 1, why: format!("line {line} was refused: skip it") });
        self.skipped.push(line);
        let mut effects = self.go(at, RunState::Stopping);
        effects.push(Effect::StopProgram);
        Ok(effects)
    }

    /// There is no power for the spindle that this line starts: it waits, and says why.
    pub(super) fn waits_for_power(&mut self, at: Time, line: u64, why: &str) -> Vec<Effect> {
        if let Some(Prompt::SpindleStart { text, .. }) = self.ahead.iter_mut().find(|prompt| prompt.line() == line) {
            why.clone_into(text);
        }
        self.prompt_at(at, line)
    }

    /// There is power: it goes on without a word.
    pub(super) fn has_power(&mut self, line: u64) {
        if let Some(at) = self.ahead.iter().position(|prompt| prompt.line() == line) {
            self.ahead.remove(at);
        }
    }

    /// A person wants to jog and zero where the program waits, and to go on behind it.
    pub(super) fn step_aside(&mut self, at: Time) -> Result<Vec<Effect>, Refused> {
        let (line, why) = match &self.run.prompt {
            Some(Prompt::ToolChange { line, next, .. }) if next == line => {
                (*next, format!("line {line} changes the tool and does more: it asks once more"))
            }
            Some(Prompt::ToolChange { line, next, .. }) => (*next, format!("line {line} has changed the tool")),
            Some(Prompt::Pause { line, .. }) => (line + 1, format!("the program waited at line {line}")),
            _ => return Err(Refused::because("the program does not wait for a person")),
        };
        self.next = Some(Next { line, why });
        let mut effects = self.go(at, RunState::Stopping);
        effects.push(Effect::StopProgram);
        Ok(effects)
    }

    fn wire(&mut self, at: Time, event: ProgramEvent) -> Vec<Effect> {
        match event {
            ProgramEvent::Progress { sent_line, acked_line, text } => {
                self.run.sent_line = self.run.sent_line.max(sent_line);
                self.run.acked_line = self.run.acked_line.max(acked_line);
                self.run.text = text;
                // M6 of grblHAL is accepted first and asks then.
                self.ahead.retain(|prompt| prompt.line() >= acked_line);
                Vec::new()
            }
            ProgramEvent::Passed { .. } => {
                self.brakes.asked = false;
                self.released(at)
            }
            ProgramEvent::Held(held) => {
                self.brakes.held = held;
                if held { self.brake(at) } else { self.released(at) }
            }
            ProgramEvent::Resumed => {
                self.brakes.resting = false;
                self.released(at)
            }
            ProgramEvent::Asks { number } => {
                self.brakes.asked = true;
                self.prompt_at(at, number)
            }
            ProgramEvent::AtRest(Rest::Waits { number }) => {
                self.brakes.resting = true;
                match self.ahead.iter().find(|prompt| prompt.line() == number) {
                    Some(Prompt::SpindleStart { line, counter_clockwise, sure, .. }) => {
                        vec![Effect::AskPower { line: *line, counter_clockwise: *counter_clockwise, sure: *sure }]
                    }
                    _ => self.prompt_at(at, number),
                }
            }
            ProgramEvent::AtRest(Rest::Paused) => {
                self.brakes.resting = true;
                let why = format!("at the end of line {}", self.run.acked_line);
                self.go(at, RunState::Paused(why))
            }
            ProgramEvent::AtRest(Rest::Finished) => self.go(at, RunState::Done),
            ProgramEvent::Refused { number, code, meaning, text } => {
                self.brakes.broken = true;
                self.run.prompt =
                    Some(Prompt::LineRefused { line: number, code, meaning, around: vec![(number, text)] });
                let mut effects = if self.run.check_mode {
                    vec![Effect::StopProgram]
                } else {
                    self.go(at, RunState::Paused(format!("line {number} was refused (error:{code})")))
                };
                effects.push(Effect::ReadAround(number));
                effects
            }
            ProgramEvent::Broken { why } => {
                self.brakes.broken = true;
                self.alarm = Some(why.clone());
                if self.run.check_mode {
                    return vec![Effect::StopProgram];
                }
                self.go(at, RunState::Paused(why))
            }
            ProgramEvent::Ended(end) => self.ended(at, end),
        }
    }

    /// A hold shows in a report when the machine stands.
    fn report(&mut self, at: Time, state: MachineState) -> Vec<Effect> {
        if self.run.state == RunState::Pausing && self.brakes.held && !state.is_moving() {
            let why = if state.kind == StateKind::Door { "the safety door is open" } else { "on hold" };
            return self.go(at, RunState::Paused(why.to_owned()));
        }
        Vec::new()
    }

    fn brake(&mut self, at: Time) -> Vec<Effect> {
        match self.run.state {
            RunState::Running => self.go(at, RunState::Pausing),
            _ => Vec::new(),
        }
    }

    fn released(&mut self, at: Time) -> Vec<Effect> {
        if self.brakes.any() {
            return Vec::new();
        }
        match self.run.state {
            RunState::Paused(_) | RunState::Pausing => self.go(at, RunState::Running),
            _ => Vec::new(),
        }
    }

    fn prompt_at(&mut self, at: Time, number: u64) -> Vec<Effect> {
        let known = self.ahead.iter().position(|prompt| prompt.line() == number).map(|at| self.ahead.remove(at));
        let prompt = known.unwrap_or(Prompt::Pause { line: number, text: None });
        let why = match &prompt {
            Prompt::ToolChange { tool: Some(tool), .. } => format!("line {number}: change to tool {tool}"),
            Prompt::ToolChange { tool: None, .. } => format!("line {number}: change the tool"),
            Prompt::SpindleStart { .. } => format!("line {number}: the spindle start waits for power"),
            _ => format!("line {number}: the program waits"),
        };
        self.run.prompt = Some(prompt);
        self.go(at, RunState::Paused(why))
    }

    /// The lane is over before its end.
    fn ended(&mut self, at: Time, end: StreamEnd) -> Vec<Effect> {
        let refused = match &self.run.prompt {
            Some(Prompt::LineRefused { line, code, meaning, .. }) => {
                Some(format!("line {line} was refused: error:{code} {meaning}"))
            }
            _ => None,
        };
        self.lines_lost = end == StreamEnd::LinesLost;
        self.cut_short = end == StreamEnd::Void(VoidReason::Shutdown);
        let next = match (end, refused, self.alarm.take()) {
            (StreamEnd::Void(VoidReason::Shutdown), ..) => RunState::Stopped(CUT_SHORT.to_owned()),
            (StreamEnd::Void(VoidReason::Alarm), _, alarm) => {
                RunState::Failed(alarm.unwrap_or_else(|| "an alarm".to_owned()))
            }
            (_, Some(refused), _) => RunState::Failed(refused),
            (StreamEnd::Void(VoidReason::Reset), _, Some(broken)) => RunState::Failed(broken),
            (StreamEnd::Void(VoidReason::Reset), _, None) => RunState::Stopped(match &self.next {
                Some(next) => format!("stopped to jog and zero, goes on at line {}", next.line),
                None => self.reason.take().unwrap_or_else(|| "stopped by a person".to_owned()),
            }),
            (StreamEnd::Void(VoidReason::ControllerReset), ..) => {
                RunState::Failed("the controller restarted by itself".to_owned())
            }
            (StreamEnd::Void(VoidReason::LinkLost), ..) => RunState::Failed(LINK_LOST.to_owned()),
            (StreamEnd::Void(why), ..) => RunState::Failed(format!("ended by {why}")),
            (StreamEnd::LinesLost, ..) => RunState::Failed(
                "lines were never answered although the machine stood: bytes were lost on the way".to_owned(),
            ),
        };
        self.go(at, next)
    }

    /// To another state, if that is legal; what does not change is not told again.
    fn go(&mut self, at: Time, next: RunState) -> Vec<Effect> {
        if !may_go(&self.run.state, &next) {
            return Vec::new();
        }
        let was_paused = matches!(self.run.state, RunState::Paused(_));
        let is_paused = matches!(next, RunState::Paused(_));
        if is_paused && !was_paused {
            self.pauses += 1;
            self.run.paused_since = Some(at);
        }
        if was_paused && !is_paused {
            self.run.paused_for += self.run.paused_since.take().map_or_else(Default::default, |since| at.since(since));
        }
        let over = !next.is_open();
        if over {
            self.run.ended_at = Some(at);
        }
        let keeps = matches!(self.run.prompt, Some(Prompt::LineRefused { .. }));
        if (over && !keeps) || next == RunState::Running {
            self.run.prompt = None;
        }
        self.run.state = next;
        if over { vec![Effect::Over] } else { Vec::new() }
    }
}

/// The table of what may follow what.
pub(super) const fn may_go(from: &RunState, to: &RunState) -> bool {
    use RunState::{Done, Failed, Paused, Pausing, Ready, Running, Stopped, Stopping};
    match (from, to) {
        (Done | Failed(_) | Stopped(_), _) | (_, Ready) => false,
        (_, Failed(_) | Stopped(_)) => true,
        (Ready, Running | Stopping) => true,
        (Ready, _) => false,
        (Running | Pausing | Paused(_), Stopping) => true,
        (Running | Pausing, Paused(_) | Done) => true,
        (Running, Pausing) => true,
        // A pause or hold that came too late to keep anything back.
        (Paused(_), Running | Paused(_) | Done) | (Stopping, Done) => true,
        (Pausing, Running) => true,
        (Running, Running) | (Pausing | Paused(_), Pausing) | (Stopping, _) => false,
    }
}
