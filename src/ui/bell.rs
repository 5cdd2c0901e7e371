//! When the terminal's bell rings: something happened that nobody may be looking at. Pure.

use crate::model::Time;
use crate::model::power::{GridState, Power};
use crate::model::snapshot::Snapshot;
use crate::model::sun::{StartPhase, Sun};

/// Between what was known before and what is known now a rule has fired, the grid has gone, or a countdown has begun.
pub(super) fn rings(before: &Snapshot, now: &Snapshot) -> bool {
    let fired = last_firing(&now.sun) > last_firing(&before.sun);
    let counts = |sun: &Sun| sun.start.as_ref().is_some_and(|start| matches!(start.phase, StartPhase::Counts { .. }));
    fired || counts(&now.sun) && !counts(&before.sun) || lost(&now.power) > lost(&before.power)
}

fn last_firing(sun: &Sun) -> Option<Time> {
    sun.notice.iter().chain(&sun.notices).map(|firing| firing.at).max()
}

/// Inverters that are without the grid.
fn lost(power: &Power) -> usize {
    power.inverters.iter().filter(|unit| unit.enabled && unit.known.grid.state == GridState::Lost).count()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::model::sun::Firing;
    use crate::ui::testing::{NOW, ms, power};

    fn with(notices: &[u64]) -> Snapshot {
        let firing = |millis: &u64| Firing {
            rule: format!("r{millis}"),
            at: NOW + ms(*millis),
            at_ms: 0,
            why: String::new(),
            did: String::new(),
        };
        let mut notices: Vec<Firing> = notices.iter().map(firing).collect();
        let notice = (!notices.is_empty()).then(|| notices.remove(0));
        Snapshot { sun: Arc::new(Sun { notice, notices, ..Sun::default() }), ..Snapshot::default() }
    }

    #[test]
    fn it_rings_once_for_a_firing_and_not_when_that_is_put_away() {
        assert!(rings(&with(&[]), &with(&[1])) && rings(&with(&[1]), &with(&[1, 5])));
        assert!(!rings(&with(&[1, 5]), &with(&[1, 5])) && !rings(&with(&[1, 5]), &with(&[])));
    }

    #[test]
    fn it_rings_when_the_grid_goes_and_not_when_it_comes() {
        let with = |state| {
            let mut known = power::one();
            power::change(&mut known, |unit| unit.known.grid.state = state);
            Snapshot { power: Arc::new(known), ..Snapshot::default() }
        };
        let (good, unknown, lost) = (with(GridState::Good), with(GridState::Unknown), with(GridState::Lost));
        assert!(rings(&good, &lost) && rings(&unknown, &lost));
        assert!(!rings(&lost, &lost) && !rings(&lost, &good) && !rings(&good, &unknown));
    }
}
