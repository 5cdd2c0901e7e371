//! What is wrong with an inverter, and how far what would tell it can be believed.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::reading::{Quality, Reading, STALE_PERIODS};
use super::state::Inverter;
use crate::model::Time;

/// Something wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// In words.
    pub text: String,
    /// The register that says so.
    pub register: String,
    /// A warning, not a fault.
    pub warning: bool,
    /// It says that there is too much load.
    pub overload: bool,
    /// It says no more than that the grid is gone or not as it should be, which is no fault of the inverter.
    #[serde(default)]
    pub grid: bool,
    /// When it was seen first.
    pub since: Time,
}

/// A register that tells of faults.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FaultSource {
    /// Its id.
    pub register: String,
    /// It tells of warnings.
    pub warning: bool,
    /// It can say that there is too much load.
    pub overload: bool,
    /// Whether it says anything, and when that was read.
    pub says: Reading<bool>,
}

impl FaultSource {
    /// The device has it, as far as is known: one that was refused from the beginning is not there.
    fn is_there(&self, now: Time) -> bool {
        self.says.quality(now) != Quality::Absent && (self.says.at.is_some() || !self.says.quarantined)
    }

    /// When it is too old to be acted on.
    fn ends(&self) -> Time {
        let lasts = self.says.period.map_or(Duration::MAX, |period| period.saturating_mul(STALE_PERIODS));
        self.says.at.map_or(Time::ZERO, |at| at + lasts)
    }
}

/// A kind of trouble that rules ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaultKind {
    /// A fault.
    Fault,
    /// A warning.
    Warning,
    /// Too much load, be it told as a fault or as a warning.
    Overload,
}

impl FaultKind {
    const fn is_told_by(self, source: &FaultSource) -> bool {
        match self {
            Self::Fault => !source.warning,
            Self::Warning => source.warning,
            Self::Overload => source.overload,
        }
    }

    const fn is(self, fault: &Fault) -> bool {
        match self {
            Self::Fault => !fault.warning && !fault.grid,
            Self::Warning => fault.warning && !fault.grid,
            Self::Overload => fault.overload,
        }
    }
}

impl Inverter {
    /// Whether trouble of this kind is in force, and the register that this rests on. It is so when one register says so, and
    /// is not so only when all of them are young and say nothing. `None`: nothing tells of it.
    pub fn tells(&self, kind: FaultKind, now: Time) -> Option<(&str, Reading<bool>)> {
        let sources: Vec<&FaultSource> = self.fault_sources.iter().filter(|source| kind.is_told_by(source)).collect();
        let one_is_there = sources.iter().any(|source| source.is_there(now));
        let sources = sources.into_iter().filter(|source| source.is_there(now) || !one_is_there);
        let says_so = |source: &&FaultSource| {
            let mut here = self.faults.iter().filter(|fault| fault.register == source.register);
            source.says.fresh(now).is_some() && here.any(|fault| kind.is(fault))
        };
        if let Some(source) = sources.clone().filter(says_so).max_by_key(|source| source.says.at) {
            return Some((&source.register, Reading { value: Some(true), ..source.says }));
        }
        // The one that is believed least.
        let least = sources.min_by_key(|source| (source.says.quality(now) == Quality::Fresh, source.ends()))?;
        Some((&least.register, least.says.map(|_| false)))
    }

    /// A register that tells of faults and cannot be read now: what it said last may be over or not.
    pub fn is_unread(&self, register: &str, now: Time) -> bool {
        self.fault_sources.iter().any(|source| source.register == register && source.says.fresh(now).is_none())
    }

    /// Registers that the device has, that tell of faults, and that cannot be read now.
    pub fn unread(&self, now: Time) -> impl Iterator<Item = &FaultSource> {
        self.fault_sources.iter().filter(move |source| source.is_there(now) && source.says.fresh(now).is_none())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn at(second: u64) -> Time {
        Time::from_millis(second * 1000)
    }

    fn source(register: &str, second: u64, period: u32, says: bool) -> FaultSource {
        let says = Reading::new(says, at(second), SECOND * period);
        FaultSource { register: register.into(), warning: false, overload: false, says }
    }

    fn fault(register: &str) -> Fault {
        let (text, register) = ("Fan".to_owned(), register.to_owned());
        Fault { text, register, warning: false, overload: false, grid: false, since: at(1) }
    }

    fn told(known: &Inverter, second: u64) -> Option<bool> {
        known.tells(FaultKind::Fault, at(second)).expect("a register for it").1.fresh(at(second))
    }

    #[test]
    fn one_says_so_and_all_have_to_say_no() {
        let fault_sources = vec![source("fast", 10, 1, false), source("slow", 8, 5, false)];
        let mut known = Inverter { fault_sources, ..Inverter::default() };
        assert_eq!((told(&known, 10), told(&known, 13), told(&known, 14)), (Some(false), Some(false), None));
        assert_eq!(known.unread(at(14)).map(|source| source.register.as_str()).collect::<Vec<_>>(), ["fast"]);
        // The slow one says so, whatever the fast one would say.
        known.faults.push(fault("slow"));
        assert_eq!((told(&known, 10), told(&known, 14), told(&known, 24)), (Some(true), Some(true), None));
    }

    #[test]
    fn what_is_refused_is_not_known_but_what_never_was_there_is_none() {
        let mut refused = source("bits", 10, 1, true);
        refused.says.quarantined = true;
        let mut known = Inverter { fault_sources: vec![refused.clone()], ..Inverter::default() };
        assert_eq!(told(&known, 10), None);
        assert!(known.is_unread("bits", at(10)) && !known.is_unread("other", at(10)));
        known.fault_sources.push(source("others", 10, 1, false));
        assert_eq!(told(&known, 10), None, "it was there, and nobody knows what it says");
        known.fault_sources[0].says.at = None;
        assert_eq!((told(&known, 10), known.unread(at(10)).count()), (Some(false), 0), "this device never had it");
    }

    #[test]
    fn nothing_is_claimed_of_what_no_register_tells() {
        let known = Inverter { fault_sources: vec![source("bits", 10, 1, false)], ..Inverter::default() };
        assert!(known.tells(FaultKind::Overload, at(10)).is_none());
        assert!(known.tells(FaultKind::Warning, at(10)).is_none());
    }

    #[test]
    fn a_grid_that_is_gone_is_no_fault_of_the_inverter() {
        let mut known = Inverter { fault_sources: vec![source("bits", 10, 1, true)], ..Inverter::default() };
        known.faults.push(Fault { grid: true, ..fault("bits") });
        assert_eq!(told(&known, 10), Some(false));
        known.faults.push(fault("bits"));
        assert_eq!(told(&known, 10), Some(true));
    }
}
