//! The hub's part in measuring what programs draw, and in what forecasts are made from.

use std::collections::VecDeque;
use std::sync::Arc;

use super::look::{disbelieved, spindle_turns};
use super::meter::Meter;
use super::quarters::Days;
use crate::hub::run::Keeper;
use crate::model::Time;
use crate::model::machine::StateKind;
use crate::model::power::Flow;
use crate::model::program::{PastRun, Phase, RunEnergy};
use crate::model::snapshot::{Machine, Snapshot};
use crate::model::sun::{Knowledge, Learned};

/// Reported feeds go up and down around what is programmed; faster than that is a rapid.
const ABOVE_FEED: f64 = 1.05;

/// What the hub holds of energy.
#[derive(Clone, Debug, Default)]
pub(super) struct EnergyHub {
    meter: Meter,
    /// The newest runs of the real machine that were measured, newest first; bounded.
    taught: VecDeque<RunEnergy>,
    /// The same of the simulated one, since this start: for looking at, not for the real one.
    simulated: VecDeque<RunEnergy>,
    /// The machine is simulated now.
    is_simulated: bool,
    pub(super) knows: Arc<Knowledge>,
    pub(super) drawn: Option<RunEnergy>,
}

impl EnergyHub {
    /// What earlier runs drew, newest first, and what a person says that the machine draws.
    pub(super) fn new(taught: Vec<RunEnergy>, rated_w: Option<f64>) -> Self {
        let taught: VecDeque<RunEnergy> = taught.into_iter().take(Learned::RUNS).collect();
        let knows = Arc::new(Knowledge { learned: Learned::of(&taught), rated_w, ..Knowledge::default() });
        Self { taught, knows, ..Self::default() }
    }

    fn teach(&mut self, run: RunEnergy) {
        let runs = if self.is_simulated { &mut self.simulated } else { &mut self.taught };
        runs.push_front(run);
        runs.truncate(Learned::RUNS);
        self.learn();
    }

    /// The machine is the real one, or the simulated one. `true`: that changes what is known.
    fn machine_is(&mut self, simulated: bool) -> bool {
        if std::mem::replace(&mut self.is_simulated, simulated) == simulated || self.simulated.is_empty() {
            return false;
        }
        self.learn();
        true
    }

    fn learn(&mut self) {
        let own = self.is_simulated && !self.simulated.is_empty();
        Arc::make_mut(&mut self.knows).learned = Learned::of(if own { &self.simulated } else { &self.taught });
    }
}

impl Keeper {
    /// The inverters tell something.
    pub(in crate::hub) fn measure_power(&mut self, now: Time) {
        if self.snapshot.power.inverters.is_empty() {
            return;
        }
        if self.sun.energy.machine_is(self.snapshot.machine.link.simulated) {
            self.show_sun();
        }
        let quiet = !self.is_busy();
        let flow = believed(&self.snapshot);
        if self.sun.energy.meter.flow(&flow, quiet, now) {
            self.sun.energy.drawn = self.sun.energy.meter.so_far(now);
            self.show_sun();
        }
    }

    /// Something happened at the machine; it has been folded already.
    pub(in crate::hub) fn measure_machine(&mut self, at: Time) {
        if self.sun.energy.meter.is_running() {
            let phase = self.phase();
            self.sun.energy.meter.doing(phase, at);
        }
    }

    /// A program begins. Without an inverter, or where nothing moves, there is nothing to measure.
    pub(in crate::hub) fn begin_measuring(&mut self, check_mode: bool, now: Time) {
        let polled = self.snapshot.power.inverters.iter().any(|unit| unit.enabled);
        if polled && !check_mode {
            let phase = self.phase();
            self.sun.energy.meter.begin(phase, now);
        }
    }

    /// What the program that runs has drawn so far.
    pub(in crate::hub) fn drawn_so_far(&self, now: Time) -> Option<RunEnergy> {
        self.sun.energy.meter.so_far(now)
    }

    /// The program is over, and its history has what it drew.
    pub(in crate::hub) fn end_measuring(&mut self, past: &PastRun, now: Time) {
        // What a simulated machine draws is told by a simulated inverter only.
        let mut polled = self.snapshot.power.inverters.iter().filter(|unit| unit.enabled);
        let simulated = self.snapshot.machine.link.simulated;
        let teaches = !simulated || polled.all(|unit| unit.simulated);
        let energy = &mut self.sun.energy;
        energy.meter.end(now);
        energy.drawn = None;
        energy.machine_is(simulated);
        if let Some(run) = past.energy.filter(|run| run.is_known() && teaches) {
            energy.teach(run);
        }
        self.show_sun();
    }

    /// The last days were read from the history.
    pub(super) fn take_days(&mut self, days: &Days) {
        let knows = &mut self.sun.energy.knows;
        if (&knows.sun, &knows.loads) != (&days.sun, &days.loads) {
            let knows = Arc::make_mut(knows);
            (knows.sun, knows.loads) = (days.sun.clone(), days.loads.clone());
            self.show_sun();
        }
    }

    fn phase(&self) -> Phase {
        phase(&self.snapshot.machine, self.runner.highest_feed())
    }
}

/// What the machine does. The feed that it reports tells rapids from cuts, where the program's highest is known: no report says
/// which of them it is.
fn phase(machine: &Machine, highest_feed_mm_min: Option<f64>) -> Phase {
    let on = spindle_turns(machine) == Some(true);
    let runs = machine.state.is_some_and(|state| state.kind == StateKind::Run);
    let moves = runs && machine.feed_mm_min.is_none_or(|feed| feed > 0.0);
    let factor = machine.overrides.map_or(1.0, |overrides| f64::from(overrides.feed) / 100.0);
    let highest = highest_feed_mm_min.map(|feed| feed * factor.max(0.01) * ABOVE_FEED);
    let rapid = machine.feed_mm_min.zip(highest).is_some_and(|(feed, highest)| feed > highest);
    match (moves, on) {
        (true, true) if rapid => Phase::Crossing,
        (true, true) => Phase::Cutting,
        (true, false) => Phase::Moving,
        (false, true) => Phase::Turning,
        (false, false) => Phase::Standing,
    }
}

/// What flows in all inverters together; nothing where one of them is not to be believed now.
fn believed(snapshot: &Snapshot) -> Flow {
    let polled = || snapshot.power.inverters.iter().filter(|unit| unit.enabled);
    if polled().any(|unit| disbelieved(snapshot, unit).is_some()) {
        return Flow::default();
    }
    snapshot.power.total()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::machine::{Accessories, MachineState, Overrides};
    use crate::model::program::Drawn;

    #[test]
    fn what_the_machine_does_is_read_from_its_reports() {
        let machine = |kind, feed: f64, rpm: f64| Machine {
            state: Some(MachineState::plain(kind)),
            feed_mm_min: Some(feed),
            spindle_rpm: Some(rpm),
            ..Machine::default()
        };
        for (kind, feed, rpm, is) in [
            (StateKind::Run, 600.0, 12_000.0, Phase::Cutting),
            (StateKind::Run, 3000.0, 12_000.0, Phase::Crossing),
            (StateKind::Run, 3000.0, 0.0, Phase::Moving),
            // A dwell is reported as running.
            (StateKind::Run, 0.0, 12_000.0, Phase::Turning),
            (StateKind::Hold, 0.0, 12_000.0, Phase::Turning),
            (StateKind::Idle, 0.0, 0.0, Phase::Standing),
        ] {
            assert_eq!(phase(&machine(kind, feed, rpm), Some(800.0)), is, "{kind:?} {feed} {rpm}");
        }
        let unchecked = machine(StateKind::Run, 3000.0, 12_000.0);
        assert_eq!(phase(&unchecked, None), Phase::Cutting, "nobody knows better");
        let faster = Machine { overrides: Some(Overrides { feed: 200, rapid: 100, spindle: 100 }), ..unchecked };
        assert_eq!(phase(&faster, Some(1500.0)), Phase::Cutting);
        assert_eq!(phase(&Machine::default(), None), Phase::Standing);
        // FluidNC goes on telling the speed of a spindle that was switched off.
        let off = Machine { accessories: Some(Accessories::default()), ..machine(StateKind::Idle, 0.0, 12_000.0) };
        assert_eq!(phase(&off, None), Phase::Standing);
    }

    #[test]
    fn the_newest_runs_teach_after_a_restart_too() {
        let run = |watts: f64| {
            let mut run = RunEnergy { base_w: Some(300.0), ..RunEnergy::default() };
            run.phases[0] = Drawn { seconds: 3600.0, wh: watts };
            run
        };
        let mut hub = EnergyHub::new((0..50).map(|_| run(1000.0)).collect(), Some(900.0));
        assert_eq!((hub.knows.learned.runs, hub.knows.rated_w), (Learned::RUNS as u32, Some(900.0)));
        for _ in 0..Learned::RUNS {
            hub.teach(run(2000.0));
        }
        assert_eq!(hub.knows.learned.watts(Phase::Cutting), Some(2000.0));
        assert_eq!((hub.taught.len(), hub.knows.rated_w), (Learned::RUNS, Some(900.0)));
        // Runs of the simulated machine teach nothing of the real one.
        assert!(!hub.machine_is(true), "it has not run yet: what is known stays");
        hub.teach(run(100.0));
        assert_eq!(hub.knows.learned.watts(Phase::Cutting), Some(100.0));
        assert!(hub.machine_is(false));
        assert_eq!(hub.knows.learned.watts(Phase::Cutting), Some(2000.0));
        assert!(hub.machine_is(true));
        assert_eq!(hub.knows.learned.watts(Phase::Cutting), Some(100.0));
    }
}
