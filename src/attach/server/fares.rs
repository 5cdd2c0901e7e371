//! How news reaches one client: how long it takes, how much is lost.

use std::time::Duration;

use tokio::time::Instant;

use crate::model::people::Fares;

/// How often it is looked after a client that does not take what there is for it.
pub(super) const LOOK: Duration = Duration::from_millis(500);
/// A round trip is told anew when it differs by more than this part of itself, and by more than [`NOISE`].
const MUCH: f64 = 0.25;
const NOISE: Duration = Duration::from_millis(2);

/// What is measured, and what the hub knows of it.
#[derive(Debug, Default)]
pub(super) struct Measured {
    now: Fares,
    told: Fares,
    /// There and back, as the client measured it.
    round_trip: Option<Duration>,
    /// Since when it has not taken what there is for it.
    behind: Option<Instant>,
}

impl Measured {
    /// It asked for so many snapshots in a second.
    pub(super) fn rate(&mut self, hz: f64) {
        self.now.rate_hz = Some(hz);
    }

    /// The client measured a round trip.
    pub(super) fn round_trip(&mut self, took: Duration) {
        self.round_trip = Some(took);
        self.now.lag = self.round_trip;
    }

    /// Log entries lost so far.
    pub(super) fn dropped(&mut self, count: u64) {
        self.now.dropped = count;
    }

    /// Whether it has taken all that there was for it.
    pub(super) fn taken(&mut self, all: bool, now: Instant) {
        self.behind = if all { None } else { Some(self.behind.unwrap_or(now)) };
        let waited = self.behind.map(|since| now - since).filter(|waited| *waited >= LOOK);
        self.now.lag = self.round_trip.max(waited);
    }

    /// When it is to be looked at again.
    pub(super) fn look_at(&self, now: Instant) -> Option<Instant> {
        self.behind.map(|_| now + LOOK)
    }

    /// What the hub should know, if that is news.
    pub(super) fn news(&mut self) -> Option<Fares> {
        let same = (self.now.rate_hz, self.now.dropped) == (self.told.rate_hz, self.told.dropped)
            && is_near(self.now.lag, self.told.lag);
        if same {
            return None;
        }
        self.told = self.now;
        Some(self.now)
    }
}

fn is_near(one: Option<Duration>, other: Option<Duration>) -> bool {
    match (one, other) {
        (Some(one), Some(other)) => {
            let differ = one.abs_diff(other);
            differ <= NOISE || differ.as_secs_f64() <= MUCH * other.as_secs_f64()
        }
        (one, other) => one == other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_changes_of_the_round_trip_are_no_news_and_a_client_that_takes_nothing_is() {
        let mut measured = Measured::default();
        let start = Instant::now();
        let ms = Duration::from_millis;
        assert_eq!(measured.news(), None);
        measured.rate(10.0);
        measured.round_trip(ms(40));
        assert_eq!(measured.news(), Some(Fares { rate_hz: Some(10.0), lag: Some(ms(40)), dropped: 0 }));
        measured.round_trip(ms(45));
        assert_eq!(measured.news(), None);
        measured.taken(false, start);
        assert_eq!(
            (measured.news(), measured.look_at(start)),
            (None, Some(start + LOOK)),
            "it may be taking it just now"
        );
        measured.taken(false, start + ms(1500));
        measured.dropped(7);
        assert_eq!(measured.news(), Some(Fares { rate_hz: Some(10.0), lag: Some(ms(1500)), dropped: 7 }));
        measured.taken(true, start + ms(1600));
        assert_eq!(measured.news().and_then(|fares| fares.lag), Some(ms(45)));
        assert_eq!(measured.look_at(start), None);
    }
}
