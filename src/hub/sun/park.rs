//! Parking, step by step: what is seen of the machine goes in, what is to be done comes out. Pure.
//!
//! Every step is verified by a report that came after it, has a time limit, and falls back to leaving the machine as it stands.
//! Nothing is sent that could move it into the work: no homing, no Z unless it is homed, and Z only upward.

use std::time::Duration;

use super::look::spindle_turns;
use super::setup::ParkPlace;
use crate::model::Time;
use crate::model::axes::Axis;
use crate::model::command::{Outcome, Realtime};
use crate::model::machine::{MachineState, StateKind};
use crate::model::quantity::number;
use crate::model::snapshot::{Machine, StopPhase};
use crate::model::sun::{Park, ParkStep};
use crate::model::work::safe_z_mm;

/// A position is reached when it is that near, mm or degrees.
const NEAR: f64 = 0.05;

/// What is to be done.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Act {
    /// A realtime action.
    Realtime(Realtime),
    /// The position of the program is written down, with the reason.
    Journal,
    /// A line; how it ends is told to [`Parking::line_ended`].
    Line(String),
}

/// A machine that is being parked.
#[derive(Clone, Debug)]
pub(super) struct Parking {
    pub(super) shown: Park,
    place: ParkPlace,
    /// When the step began.
    since: Time,
    /// A line of this step was sent: `None` none, `false` under way, `true` accepted.
    line: Option<bool>,
    /// Where the step leads.
    targets: Vec<(Axis, f64)>,
    /// What was reached so far.
    reached: Vec<String>,
}

/// How long each step may take.
const fn limit(step: &ParkStep) -> Duration {
    Duration::from_secs(match step {
        ParkStep::Hold | ParkStep::Reset => 15,
        ParkStep::SpindleStop => 3,
        ParkStep::SpindleOff => 5,
        ParkStep::Lift | ParkStep::Across | ParkStep::Done(_) | ParkStep::Failed(_) => 90,
    })
}

impl Parking {
    /// Begins. What comes out is done at once.
    pub(super) fn begin(why: String, who: String, place: ParkPlace, machine: &Machine, now: Time) -> (Self, Vec<Act>) {
        let shown = Park { why, who, step: ParkStep::Hold, began: now, notes: Vec::new() };
        let parking = Self { shown, place, since: now, line: None, targets: Vec::new(), reached: Vec::new() };
        let jogs = machine.state.is_some_and(|state| state.kind == StateKind::Jog) || machine.jog.is_some();
        let stop = if jogs { Realtime::Stop } else { Realtime::FeedHold };
        (parking, vec![Act::Realtime(stop)])
    }

    /// Somebody else has stopped, resumed or reset the machine: a person is there and goes before.
    pub(super) fn interrupted(&mut self, by: &str) {
        if self.shown.step.is_open() {
            self.shown.step = ParkStep::Failed(format!("given up at \"{}\": {by}", self.shown.step.words()));
        }
    }

    /// The line of this step has ended.
    pub(super) fn line_ended(&mut self, outcome: &Outcome) {
        if *outcome == Outcome::Done {
            self.line = Some(true);
            return;
        }
        self.interrupted(&format!("the controller did not take the line ({outcome}). Nothing more is sent"));
    }

    /// Looks at the machine again.
    pub(super) fn look(&mut self, machine: &Machine, program_open: bool, now: Time) -> Vec<Act> {
        if !self.shown.step.is_open() {
            return Vec::new();
        }
        if machine.alarm.is_some() || machine.state.is_some_and(|state| state.kind == StateKind::Alarm) {
            self.interrupted("an alarm came up. Nothing more is sent");
            return Vec::new();
        }
        // Only what was reported after the step began says anything about it.
        let state = machine.fresh_state(now).filter(|_| machine.reported_at.is_some_and(|at| at > self.since));
        if let Some(state) = state
            && let Some(acts) = self.verified(machine, state, program_open, now)
        {
            return acts;
        }
        if now.since(self.since) >= limit(&self.shown.step) { self.too_late(machine, now) } else { Vec::new() }
    }

    /// What follows, if the present step was seen to be done.
    fn verified(&mut self, machine: &Machine, state: MachineState, program_open: bool, now: Time) -> Option<Vec<Act>> {
        match self.shown.step {
            ParkStep::Hold => {
                let held = match (state.kind, state.sub) {
                    (StateKind::Hold, sub) => sub == Some(0),
                    (StateKind::Held | StateKind::Idle | StateKind::Tool, _) => true,
                    (StateKind::Door, sub) => matches!(sub, None | Some(0 | 1)),
                    _ => false,
                };
                // A stop that is not confirmed yet may have overtaken the report.
                let pending = machine.stop.as_ref().is_some_and(|stop| {
                    stop.at >= self.since && matches!(stop.phase, StopPhase::Sent | StopPhase::Confirmed)
                });
                (held && !pending).then(|| self.after_hold(machine, state, program_open, now))
            }
            ParkStep::SpindleStop => stands(machine).then(|| self.begin_reset(now)),
            ParkStep::Reset => {
                let over = state.kind == StateKind::Idle && !program_open;
                over.then(|| {
                    self.reached.push("the program was ended at standstill, position kept".to_owned());
                    self.begin_spindle_off(now)
                })
            }
            ParkStep::SpindleOff => {
                let off = self.line == Some(true) && stands(machine) && state.kind == StateKind::Idle;
                off.then(|| self.begin_lift(machine, now))
            }
            ParkStep::Lift => self.is_there(machine, state).then(|| {
                self.reached.push(format!("Z up at {}", self.spelt()));
                self.begin_across(machine, now)
            }),
            ParkStep::Across => self.is_there(machine, state).then(|| {
                self.reached.push(format!("at {}", self.spelt()));
                self.done()
            }),
            ParkStep::Done(_) | ParkStep::Failed(_) => None,
        }
    }

    fn go(&mut self, step: ParkStep, now: Time) {
        (self.shown.step, self.since, self.line) = (step, now, None);
    }

    fn send(&mut self, step: ParkStep, line: String, now: Time) -> Vec<Act> {
        self.go(step, now);
        self.line = Some(false);
        vec![Act::Line(line)]
    }

    fn after_hold(&mut self, machine: &Machine, state: MachineState, program_open: bool, now: Time) -> Vec<Act> {
        if state.kind == StateKind::Idle && !program_open {
            return self.begin_spindle_off(now);
        }
        // In Hold only, and once only: it is a toggle.
        if state.kind == StateKind::Hold && !stands(machine) {
            self.go(ParkStep::SpindleStop, now);
            return vec![Act::Realtime(Realtime::SpindleStop)];
        }
        self.begin_reset(now)
    }

    fn begin_reset(&mut self, now: Time) -> Vec<Act> {
        self.go(ParkStep::Reset, now);
        vec![Act::Journal, Act::Realtime(Realtime::StopProgram)]
    }

    fn begin_spindle_off(&mut self, now: Time) -> Vec<Act> {
        self.send(ParkStep::SpindleOff, "M5".to_owned(), now)
    }

    fn begin_lift(&mut self, machine: &Machine, now: Time) -> Vec<Act> {
        self.reached.push("spindle off".to_owned());
        if !machine.homed.contains(Axis::Z) {
            self.shown.notes.push("Z is not homed, so nothing was moved".to_owned());
            return self.done();
        }
        let here = machine.machine_position.and_then(|position| position.get(Axis::Z));
        let wanted = match (self.place.z_mm, safe_z_mm(machine)) {
            (Some(z), _) => Ok(Some(z)),
            (None, safe) => safe,
        };
        let (Some(here), Ok(wanted)) = (here, wanted) else {
            self.shown.notes.push("no safe height of Z is known, so nothing was moved".to_owned());
            return self.done();
        };
        if let Some(why) = wanted.and_then(|z| out_of_travel(machine, &[(Axis::Z, z)])) {
            self.shown.notes.push(format!("{why}, so nothing was moved"));
            return self.done();
        }
        match wanted.filter(|z| *z > here + NEAR) {
            Some(z) => {
                self.targets = vec![(Axis::Z, z)];
                self.send(ParkStep::Lift, format!("G53 G21 G0 Z{}", number(z)), now)
            }
            // Never downward.
            None => {
                self.reached.push("Z was up already".to_owned());
                self.begin_across(machine, now)
            }
        }
    }

    fn begin_across(&mut self, machine: &Machine, now: Time) -> Vec<Act> {
        let targets = self.place.across.clone();
        if targets.is_empty() {
            return self.done();
        }
        if let Some((axis, _)) = targets.iter().find(|(axis, _)| !machine.homed.contains(*axis)) {
            self.shown.notes.push(format!("{axis} is not homed, so it was not moved to the park position"));
            return self.done();
        }
        if let Some(why) = out_of_travel(machine, &targets) {
            self.shown.notes.push(format!("{why}, so it was not moved to the park position"));
            return self.done();
        }
        let words = targets.iter().map(|(axis, value)| format!("{axis}{}", number(*value)));
        let line = format!("G53 G21 G0 {}", words.collect::<Vec<_>>().join(" "));
        self.targets = targets;
        self.send(ParkStep::Across, line, now)
    }

    fn done(&mut self) -> Vec<Act> {
        self.shown.step = ParkStep::Done(self.reached.join("; "));
        Vec::new()
    }

    /// It stands where the step leads.
    fn is_there(&self, machine: &Machine, state: MachineState) -> bool {
        let near = |(axis, target): &(Axis, f64)| {
            let here = machine.machine_position.and_then(|position| position.get(*axis));
            here.is_some_and(|here| (here - target).abs() <= NEAR)
        };
        self.line == Some(true) && state.kind == StateKind::Idle && self.targets.iter().all(near)
    }

    /// A report since the present step began says that it is idle: only then is a line carried out at once, and from a place
    /// that is known.
    fn is_seen_idle(&self, machine: &Machine, now: Time) -> bool {
        machine.reported_at.is_some_and(|at| at > self.since)
            && machine.fresh_state(now).is_some_and(|state| state.kind == StateKind::Idle)
    }

    fn spelt(&self) -> String {
        let words = self.targets.iter().map(|(axis, value)| format!("{axis} {}", number(*value)));
        format!("machine {}", words.collect::<Vec<_>>().join(" "))
    }

    /// The step was not seen to be done in time.
    fn too_late(&mut self, machine: &Machine, now: Time) -> Vec<Act> {
        match self.shown.step {
            ParkStep::SpindleStop => {
                let why = "the spindle was not seen to stop in the hold; the reset switches it off";
                self.shown.notes.push(why.to_owned());
                self.begin_reset(now)
            }
            ParkStep::SpindleOff if self.line == Some(true) && self.is_seen_idle(machine, now) => {
                self.shown.notes.push("M5 was accepted, but the spindle was not seen to be off: look at it".to_owned());
                self.begin_lift(machine, now)
            }
            ParkStep::Lift | ParkStep::Across => {
                self.interrupted("it was not seen to get there; it is held where it is. Look at the machine");
                vec![Act::Realtime(Realtime::FeedHold)]
            }
            _ => {
                self.interrupted("the machine was not seen to obey. If it still moves, use its own stop");
                Vec::new()
            }
        }
    }
}

/// Why the machine would not get to its park position, as soon as its travel is known.
pub(super) fn out_of_reach(place: &ParkPlace, machine: &Machine) -> Option<String> {
    let up = place.z_mm.map(|z| (Axis::Z, z));
    let targets: Vec<(Axis, f64)> = up.into_iter().chain(place.across.iter().copied()).collect();
    out_of_travel(machine, &targets)
}

/// Why a target is not driven to: it lies outside of the known travel.
fn out_of_travel(machine: &Machine, targets: &[(Axis, f64)]) -> Option<String> {
    targets.iter().find_map(|(axis, target)| {
        let (low, high) = machine.limits.machine_range(*axis, machine.identity.as_ref())?;
        let inside = (low - NEAR..=high + NEAR).contains(target);
        let (target, low, high) = (number(*target), number(low), number(high));
        (!inside).then(|| format!("{axis} {target} lies outside of the travel, {low} to {high}"))
    })
}

/// The spindle does not turn, as far as the controller tells.
fn stands(machine: &Machine) -> bool {
    spindle_turns(machine) == Some(false)
}

#[cfg(test)]
mod tests;
