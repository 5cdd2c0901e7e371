//! What people are told of an inverter as it changes: grid, faults. Each once, although readings come and go.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::model::Time;
use crate::model::machine::MessageLevel;
use crate::model::power::{Fault, GridState, Inverter};

/// A fault that is not told for so long by a register that is read is over.
const OVER_AFTER: Duration = Duration::from_secs(5);

/// Something to tell: for the log, and for the audit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Saying {
    pub(super) level: MessageLevel,
    pub(super) text: String,
}

impl Saying {
    pub(super) const fn info(text: String) -> Self {
        Self { level: MessageLevel::Info, text }
    }

    pub(super) const fn warning(text: String) -> Self {
        Self { level: MessageLevel::Warning, text }
    }
}

/// What was told of one inverter so far.
#[derive(Clone, Debug, Default)]
pub(super) struct Said {
    /// The grid as it was last known for certain, and since when.
    grid: Option<(GridState, Time)>,
    faults: BTreeMap<(String, String), Told>,
}

#[derive(Clone, Debug)]
struct Told {
    fault: Fault,
    seen: Time,
}

impl Said {
    /// Another device answers: nothing is known of this one.
    pub(super) fn forget(&mut self) {
        *self = Self::default();
    }

    /// What is new about it.
    pub(super) fn look(&mut self, known: &Inverter, now: Time) -> Vec<Saying> {
        let mut sayings = Vec::new();
        sayings.extend(self.grid(known, now));
        for fault in &known.faults {
            let key = (fault.register.clone(), fault.text.clone());
            match self.faults.get_mut(&key) {
                // The same one, although it could not be read for a while.
                Some(told) if told.fault.since == fault.since => told.seen = now,
                _ => {
                    sayings.push(began(&known.name, fault));
                    self.faults.insert(key, Told { fault: fault.clone(), seen: now });
                }
            }
        }
        self.faults.retain(|(register, _), told| {
            // Only the register itself can say that it is over, not that others are read.
            let over = now.since(told.seen) > OVER_AFTER && is_read(known, register, now);
            if over {
                sayings.push(ended(&known.name, told));
            }
            !over
        });
        sayings
    }

    fn grid(&mut self, known: &Inverter, now: Time) -> Option<Saying> {
        let state = known.grid.state;
        if state == GridState::Unknown {
            return None;
        }
        let before = self.grid.map(|(state, _)| state);
        if before == Some(state) {
            return None;
        }
        let lost_at = self.grid.map(|(_, since)| since);
        self.grid = Some((state, now));
        let name = &known.name;
        match (before, state) {
            (_, GridState::Lost) => {
                let evidence = known.grid.evidence.join(", ");
                let why = if evidence.is_empty() { String::new() } else { format!(" ({evidence})") };
                Some(Saying::warning(format!("{name}: the grid is lost{why}")))
            }
            (Some(_), GridState::Good) => {
                let after = lost_at.map_or_else(String::new, |at| format!(" after {}", words(now.since(at))));
                Some(Saying::info(format!("{name}: the grid is back{after}")))
            }
            // That it is there at the start is no news.
            _ => None,
        }
    }
}

fn began(name: &str, fault: &Fault) -> Saying {
    let kind = if fault.warning { "warning" } else { "fault" };
    Saying::warning(format!("{name}: {kind}: {}", fault.text))
}

fn ended(name: &str, told: &Told) -> Saying {
    let kind = if told.fault.warning { "warning" } else { "fault" };
    let lasted = words(told.seen.since(told.fault.since));
    Saying::info(format!("{name}: the {kind} is over after {lasted}: {}", told.fault.text))
}

/// This register of faults was read a moment ago, so that what it does not tell is not there.
fn is_read(known: &Inverter, register: &str, now: Time) -> bool {
    let source = known.fault_sources.iter().find(|source| source.register == register);
    source.is_some_and(|source| source.says.fresh(now).is_some())
}

/// `35 s`, `4 min`, `2 h 10 min`.
pub(super) fn words(time: Duration) -> String {
    match time.as_secs() {
        seconds @ ..120 => format!("{seconds} s"),
        seconds @ ..7200 => format!("{} min", seconds / 60),
        seconds => format!("{} h {} min", seconds / 3600, seconds / 60 % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::power::{FaultSource, Reading};

    fn at(second: u64) -> Time {
        Time::from_millis(second * 1000)
    }

    fn known(second: u64) -> Inverter {
        let mut known = Inverter { name: "roof".into(), ..Inverter::default() };
        known.grid.voltage_v = Reading::new(230.0, at(second), Duration::from_secs(1));
        let says = Reading::new(false, at(second), Duration::from_secs(1));
        known.fault_sources =
            vec![FaultSource { register: "error_bits".into(), warning: false, overload: false, says }];
        known
    }

    fn with_fault(second: u64, since: u64) -> Inverter {
        let fault = Fault {
            text: "Fan locked".into(),
            register: "error_bits".into(),
            warning: false,
            overload: false,
            grid: false,
            since: at(since),
        };
        Inverter { faults: vec![fault], ..known(second) }
    }

    fn texts(said: &mut Said, known: &Inverter, second: u64) -> Vec<String> {
        said.look(known, at(second)).into_iter().map(|saying| saying.text).collect()
    }

    #[test]
    fn a_grid_that_goes_and_comes_is_told_and_one_that_is_there_at_first_is_not() {
        let mut said = Said::default();
        let grid = |state, second| {
            let mut known = known(second);
            known.grid.state = state;
            known.grid.evidence = vec!["0 V".into()];
            known
        };
        assert!(texts(&mut said, &grid(GridState::Good, 1), 1).is_empty());
        assert_eq!(texts(&mut said, &grid(GridState::Lost, 2), 2), ["roof: the grid is lost (0 V)"]);
        assert!(texts(&mut said, &grid(GridState::Lost, 3), 3).is_empty());
        assert!(texts(&mut said, &grid(GridState::Unknown, 4), 4).is_empty());
        assert!(texts(&mut said, &grid(GridState::Lost, 5), 5).is_empty());
        assert_eq!(texts(&mut said, &grid(GridState::Good, 302), 302), ["roof: the grid is back after 5 min"]);
    }

    #[test]
    fn a_fault_begins_and_ends_once() {
        let mut said = Said::default();
        assert_eq!(texts(&mut said, &with_fault(1, 1), 1), ["roof: fault: Fan locked"]);
        assert!(texts(&mut said, &with_fault(2, 1), 2).is_empty());
        // It cannot be read for a moment, and is still the same.
        assert!(texts(&mut said, &known(4), 4).is_empty());
        assert!(texts(&mut said, &with_fault(5, 1), 5).is_empty());
        assert!(texts(&mut said, &known(10), 10).is_empty());
        assert_eq!(texts(&mut said, &known(11), 11), ["roof: the fault is over after 4 s: Fan locked"]);
        assert_eq!(texts(&mut said, &with_fault(12, 12), 12), ["roof: fault: Fan locked"]);
    }

    #[test]
    fn a_silent_inverter_ends_no_fault() {
        let mut said = Said::default();
        texts(&mut said, &with_fault(1, 1), 1);
        let mut silent = known(1);
        silent.fault_sources[0].says.lost = true;
        assert!(texts(&mut said, &silent, 60).is_empty());
        // The rest answers, and the register of the fault is refused: nobody knows.
        let mut refused = known(61);
        refused.fault_sources[0].says.quarantined = true;
        assert!(texts(&mut said, &refused, 61).is_empty());
        assert!(texts(&mut said, &with_fault(70, 1), 70).is_empty());
    }
}
