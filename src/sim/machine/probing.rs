//! G38.2 – G38.5.

use crate::model::{AxisVec, Firmware};

use super::core::{Braking, Machine, State};
use super::lines::Step;
use super::planner::Move;

/// A probing move.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Probe {
    pub(super) mv: Move,
    /// G38.4 and .5 look for the end of contact.
    pub(super) away: bool,
    /// G38.2 and .4 alarm when they find nothing.
    pub(super) alarms: bool,
    pub(super) begun: bool,
    pub(super) found: Option<AxisVec>,
}

impl Machine {
    /// One look at a probing move; gives it back while it goes on.
    pub(super) fn run_probe(&mut self, mut probe: Probe) -> Option<Probe> {
        let touched = self.probe_active() != probe.away;
        if !probe.begun {
            if touched {
                self.alarm(4);
                self.modal.position = self.planner.position();
                return None;
            }
            let limits = self.limits();
            self.planner.push(&probe.mv, &limits);
            probe.begun = true;
            return Some(probe);
        }
        if touched && probe.found.is_none() {
            probe.found = Some(self.planner.position());
            // The tool overruns while it brakes; the contact point is what counts.
            self.braking = Some(Braking::Cancel);
            return Some(probe);
        }
        if !self.planner.is_empty() {
            return Some(probe);
        }
        self.drained_on_purpose();
        self.modal.position = self.planner.position();
        let missed = probe.found.is_none();
        self.probe_success = !missed;
        match probe.found {
            Some(position) => self.probe_position = position,
            // Grbl and FluidNC leave the last point in the report when they alarm.
            None if probe.alarms && self.firmware != Firmware::GrblHal => {}
            None => self.probe_position = self.planner.position(),
        }
        if missed && probe.alarms {
            self.alarm(5);
        }
        self.steps.push_front(Step::ProbeReport);
        if self.state == State::Run {
            self.state = State::Idle;
        }
        None
    }

    /// `[PRB:…]`.
    pub(super) fn probe_line(&self) -> String {
        format!("[PRB:{}:{}]", self.coordinates(&self.probe_position), u8::from(self.probe_success))
    }
}
