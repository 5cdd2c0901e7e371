//! Faults that were seen since the start, those that are over too.

use crate::model::Time;
use crate::model::power::{Fault, Power};

/// So many are remembered.
const MOST: usize = 200;

/// A fault that was seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeenFault {
    /// The inverter.
    pub inverter: String,
    /// What it was.
    pub fault: Fault,
    /// When it was seen to be over. `None`: it is there still.
    pub until: Option<Time>,
}

/// Faults and warnings, newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FaultLog {
    /// Newest first.
    pub seen: Vec<SeenFault>,
}

impl FaultLog {
    /// Takes in what is there now.
    pub fn follow(&mut self, power: &Power, now: Time) {
        for seen in self.seen.iter_mut().filter(|seen| seen.until.is_none()) {
            let unit = power.find(&seen.inverter);
            // Of an inverter that is silent, and of a register that is not read, nobody knows whether its fault is over.
            let may_be = unit.is_none_or(|unit| {
                let known = &unit.known;
                known.faults.iter().any(|fault| same(fault, &seen.fault)) || known.is_unread(&seen.fault.register, now)
            });
            if !may_be {
                seen.until = Some(now);
            }
        }
        for unit in &power.inverters {
            for fault in &unit.known.faults {
                let known = self
                    .seen
                    .iter()
                    .any(|seen| seen.until.is_none() && seen.inverter == unit.known.name && same(&seen.fault, fault));
                if !known {
                    let inverter = unit.known.name.clone();
                    self.seen.insert(0, SeenFault { inverter, fault: fault.clone(), until: None });
                }
            }
        }
        self.seen.truncate(MOST);
    }

    /// Those that are over.
    pub fn over(&self) -> impl Iterator<Item = &SeenFault> {
        self.seen.iter().filter(|seen| seen.until.is_some())
    }
}

fn same(a: &Fault, b: &Fault) -> bool {
    a.text == b.text && a.register == b.register
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::testing::{NOW, ms, power as scene};

    #[test]
    fn a_fault_that_is_over_stays_in_the_list_with_its_end() {
        let mut power = scene::faulty();
        let mut log = FaultLog::default();
        log.follow(&power, NOW);
        log.follow(&power, NOW + ms(1000));
        assert_eq!((log.seen.len(), log.over().count()), (2, 0));
        scene::change(&mut power, |unit| {
            unit.known.faults.clear();
            unit.known.fault_sources[0].says.quarantined = true;
        });
        log.follow(&power, NOW + ms(1500));
        assert_eq!(log.over().count(), 0, "its register is refused: nobody knows");
        scene::change(&mut power, |unit| unit.known.fault_sources[0].says.quarantined = false);
        log.follow(&power, NOW + ms(2000));
        assert_eq!(log.over().map(|seen| seen.until).collect::<Vec<_>>(), [Some(NOW + ms(2000)); 2]);
        log.follow(&scene::faulty(), NOW + ms(3000));
        assert_eq!(log.seen.len(), 4, "it came again");
    }
}
