//! Places: how many clients may be here at a time by one way in, and those that are kept for stops.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Clients at a time; who comes then is told so.
const MOST_CLIENTS: usize = 64;
/// Of those, so many at most whom nobody vouches for: no user of this computer, no token.
const MOST_UNKNOWN: usize = 32;
/// Places beyond them, for who wants to stop the machine.
const STOPS_ONLY: usize = 8;

/// What is told where none is free.
pub(super) const FULL: &str = "there are 64 clients already; close one first";

/// The places of one way in.
#[derive(Debug)]
pub(super) struct Places {
    clients: Arc<Semaphore>,
    unknown: Arc<Semaphore>,
    stops: Arc<Semaphore>,
}

/// A place, for as long as it is held.
#[derive(Debug)]
pub(super) struct Place {
    stops_only: bool,
    _held: Vec<OwnedSemaphorePermit>,
}

impl Default for Places {
    fn default() -> Self {
        let of = |places| Arc::new(Semaphore::new(places));
        Self { clients: of(MOST_CLIENTS), unknown: of(MOST_UNKNOWN), stops: of(STOPS_ONLY) }
    }
}

impl Places {
    /// A place; one for stops only where all others are taken. `None`: those are taken too.
    pub(super) fn take(&self, is_known: bool) -> Option<Place> {
        let all: &[_] = if is_known { &[&self.clients] } else { &[&self.unknown, &self.clients] };
        held(all)
            .map(|held| Place { stops_only: false, _held: held })
            .or_else(|| held(&[&self.stops]).map(|held| Place { stops_only: true, _held: held }))
    }
}

impl Place {
    /// Whoever has it is heard for nothing but stops.
    pub(super) const fn is_for_stops(&self) -> bool {
        self.stops_only
    }
}

/// One of each, or none.
fn held(of: &[&Arc<Semaphore>]) -> Option<Vec<OwnedSemaphorePermit>> {
    of.iter().map(|places| Arc::clone(places).try_acquire_owned().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn some_places_are_kept_for_stops_and_some_for_who_is_known() {
        let places = Places::default();
        let mut strangers: Vec<Place> = (0..40).map(|_| places.take(false).unwrap()).collect();
        let for_stops = |taken: &[Place]| taken.iter().filter(|place| place.is_for_stops()).count();
        assert_eq!(for_stops(&strangers), 8);
        assert!(places.take(false).is_none());
        let known: Vec<Place> = (0..32).map(|_| places.take(true).unwrap()).collect();
        assert_eq!(for_stops(&known), 0, "strangers do not keep out who is known");
        assert!(places.take(true).is_none());
        strangers.pop();
        assert!(places.take(true).is_some_and(|place| place.is_for_stops()), "the last who came had one of those");
        strangers.clear();
        assert!(places.take(false).is_some_and(|place| !place.is_for_stops()));
    }
}
