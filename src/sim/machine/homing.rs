//! Homing: seek the switch, pull off, find it again slowly, pull off, call that place home.

use crate::model::{Axis, AxisSet, AxisVec, Firmware};

use super::core::{Machine, State};

/// Seek and locate rates where the firmware has no setting for them (FluidNC's config.yaml), mm/min.
const FLUID_SEEK: f64 = 1500.0;
const FLUID_LOCATE: f64 = 100.0;
/// How far past the travel the cycle looks for a switch.
const SEARCH: f64 = 1.1;

/// A homing run: the cycles still to do, and where the present one is.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Homing {
    cycles: Vec<AxisSet>,
    phase: Phase,
    /// Distance each axis has gone in this phase.
    gone: AxisVec,
    failed: Option<u16>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Start,
    Seek,
    PullOff,
    Locate,
    FinalPullOff,
}

impl Machine {
    /// Homing of these axes; Z goes first so that the tool is out of the way.
    pub(super) fn homing_of(&self, axes: AxisSet) -> Homing {
        let z: AxisSet = axes.iter().filter(|&a| a == Axis::Z).collect();
        let others: AxisSet = axes.iter().filter(|&a| a != Axis::Z).collect();
        let cycles = [others, z].into_iter().filter(|set| !set.is_empty()).collect();
        Homing { cycles, phase: Phase::Start, gone: AxisVec::zeros(self.axes), failed: None }
    }

    /// Enters or leaves the run; the motion itself is in [`homing_tick`](Self::homing_tick).
    pub(super) fn run_homing(&mut self, mut homing: Homing) -> Option<Homing> {
        if let Some(code) = homing.failed {
            self.alarm(code);
            return None;
        }
        if homing.cycles.is_empty() {
            self.modal.position = self.planner.position();
            self.state = State::Idle;
            if self.firmware == Firmware::GrblHal {
                self.say("[MSG:]");
            }
            self.switches.limits_were = self.limits_active();
            return None;
        }
        if homing.phase == Phase::Start {
            self.state = State::Home;
            homing.phase = Phase::Seek;
            homing.gone = AxisVec::zeros(self.axes);
        }
        Some(homing)
    }

    /// Ends a run from outside (door, reset).
    pub(super) fn homing_failed(&mut self, code: u16) {
        for step in &mut self.steps {
            if let super::lines::Step::Home(homing) = step {
                homing.failed = Some(code);
            }
        }
    }

    pub(super) fn homing_tick(&mut self, dt: f64) {
        let Some(super::lines::Step::Home(homing)) = self.steps.front().cloned() else { return };
        let next = self.homing_step(homing, dt);
        if let Some(super::lines::Step::Home(homing)) = self.steps.front_mut() {
            *homing = next;
        }
    }

    fn homing_step(&mut self, mut homing: Homing, dt: f64) -> Homing {
        let Some(&cycle) = homing.cycles.last() else { return homing };
        let approach = matches!(homing.phase, Phase::Seek | Phase::Locate);
        let (seek, locate) = match self.firmware {
            Firmware::FluidNc => (FLUID_SEEK, FLUID_LOCATE),
            _ => (self.settings.get(25), self.settings.get(24)),
        };
        let step = dt * if homing.phase == Phase::Seek { seek } else { locate } / 60.0;
        let closed = self.limits_active();
        let mut position = self.planner.position();
        let mut moving = false;
        for axis in cycle.iter() {
            let gone = homing.gone.get(axis).unwrap_or_default();
            if approach && closed.contains(axis) || !approach && gone >= self.pull_off_mm() {
                continue;
            }
            let reach = match homing.phase {
                Phase::Seek => SEARCH * self.settings.travel(axis).unwrap_or_default(),
                Phase::Locate => 5.0 * self.pull_off_mm(),
                _ => f64::INFINITY,
            };
            if gone > reach {
                homing.failed = Some(9);
                return homing;
            }
            let step = if approach { step } else { step.min(self.pull_off_mm() - gone) };
            let toward_minus = self.settings.homes_negative(axis) == approach;
            let delta = if toward_minus { -step } else { step };
            position.set(axis, position.get(axis).unwrap_or_default() + delta);
            homing.gone.set(axis, gone + step);
            moving = true;
        }
        self.planner.set_position(position);
        if !moving {
            self.next_phase(&mut homing, cycle);
        }
        homing
    }

    fn next_phase(&mut self, homing: &mut Homing, cycle: AxisSet) {
        homing.gone = AxisVec::zeros(self.axes);
        let still_closed = cycle.iter().any(|axis| self.limits_active().contains(axis));
        homing.phase = match homing.phase {
            Phase::Start | Phase::Seek => Phase::PullOff,
            Phase::PullOff | Phase::FinalPullOff if still_closed => {
                homing.failed = Some(8);
                return;
            }
            Phase::PullOff => Phase::Locate,
            Phase::Locate => Phase::FinalPullOff,
            Phase::FinalPullOff => {
                self.call_it_home(cycle);
                homing.cycles.pop();
                if homing.cycles.is_empty() { Phase::FinalPullOff } else { Phase::Seek }
            }
        };
    }

    /// Where the axes stand now is where they are said to be.
    fn call_it_home(&mut self, cycle: AxisSet) {
        let physical = self.planner.position().plus(&self.origin);
        let mut position = self.planner.position();
        for axis in cycle.iter() {
            let Some((at, negative)) = self.switch_at(axis) else { continue };
            let home = if negative { at + self.pull_off_mm() } else { at - self.pull_off_mm() };
            position.set(axis, home);
            self.homed.insert(axis);
        }
        self.planner.set_position(position);
        self.modal.position = position;
        self.origin = physical.minus(&position);
        self.reports.homed_changed();
        if self.firmware == Firmware::FluidNc {
            self.say(&format!("[MSG:Homed:{cycle}]"));
        }
    }
}
