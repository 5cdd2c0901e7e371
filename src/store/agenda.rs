//! When what waits is to be written: pure, so that its times can be tested.

use std::time::Duration;

/// A position is on the disk so long after it was told, and the time of writing besides.
const CHECKPOINT_EVERY: Duration = Duration::from_millis(800);
/// What may be lost in a power cut waits so long for company.
const LAZY: Duration = Duration::from_secs(5);
/// How power went waits so long: most of what is written to a card is the same page again and again.
const TELEMETRY: Duration = Duration::from_secs(30);
/// After a failure it is tried again so much later.
const RETRY: Duration = Duration::from_secs(2);

/// What waits to be written, by its urgency. Times count from any one moment.
#[derive(Debug, Default)]
pub(super) struct Agenda {
    urgent: bool,
    lazy_since: Option<Duration>,
    telemetry_since: Option<Duration>,
    checkpoint: bool,
    last_checkpoint: Option<Duration>,
    retry_at: Option<Duration>,
}

impl Agenda {
    /// To be written at once.
    pub(super) fn urgent(&mut self) {
        self.urgent = true;
    }

    /// To be written with the next thing that is urgent, or soon.
    pub(super) fn lazy(&mut self, now: Duration) {
        self.lazy_since.get_or_insert(now);
    }

    /// To be written after a while, and not before only because something else is.
    pub(super) fn telemetry(&mut self, now: Duration) {
        self.telemetry_since.get_or_insert(now);
    }

    /// It is time to write telemetry along with what is written now.
    pub(super) fn is_telemetry_due(&self, now: Duration) -> bool {
        self.telemetry_since.is_some_and(|since| since + TELEMETRY <= now)
    }

    /// There is a newer position.
    pub(super) fn checkpoint(&mut self) {
        self.checkpoint = true;
    }

    /// When it is time to write. `None`: there is nothing.
    pub(super) fn due(&self) -> Option<Duration> {
        let urgent = self.urgent.then_some(Duration::ZERO);
        let lazy = self.lazy_since.map(|since| since + LAZY);
        let checkpoint =
            self.checkpoint.then(|| self.last_checkpoint.map_or(Duration::ZERO, |last| last + CHECKPOINT_EVERY));
        let telemetry = self.telemetry_since.map(|since| since + TELEMETRY);
        let first = [urgent, lazy, checkpoint, telemetry].into_iter().flatten().min()?;
        Some(self.retry_at.map_or(first, |retry| retry.max(first)))
    }

    /// All of it was written, but for telemetry unless it was `with` it.
    pub(super) fn written(&mut self, now: Duration, with_telemetry: bool) {
        let last_checkpoint = if self.checkpoint { Some(now) } else { self.last_checkpoint };
        let telemetry_since = if with_telemetry { None } else { self.telemetry_since };
        *self = Self { telemetry_since, last_checkpoint, ..Self::default() };
    }

    /// It could not be written.
    pub(super) fn failed(&mut self, now: Duration) {
        self.retry_at = Some(now + RETRY);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    #[test]
    fn each_urgency_has_its_time() {
        let mut agenda = Agenda::default();
        assert_eq!(agenda.due(), None);
        agenda.lazy(ms(1000));
        agenda.lazy(ms(3000));
        assert_eq!(agenda.due(), Some(ms(6000)), "the first of them counts");
        agenda.urgent();
        assert!(agenda.due() <= Some(ms(1000)));
        agenda.written(ms(1001), true);
        assert_eq!(agenda.due(), None, "what was lazy went along");
    }

    #[test]
    fn positions_are_never_a_second_behind_and_never_written_faster() {
        let mut agenda = Agenda::default();
        let mut written = Vec::new();
        for now in (0..10_000).step_by(5).map(ms) {
            agenda.checkpoint();
            if agenda.due().is_some_and(|due| due <= now) {
                agenda.written(now, true);
                written.push(now);
            }
        }
        assert!(written.windows(2).all(|pair| pair[1] == pair[0] + CHECKPOINT_EVERY), "{written:?}");
        assert!(CHECKPOINT_EVERY < ms(1000));
        agenda.checkpoint();
        assert!(agenda.due().unwrap() < ms(20_000));
        let mut later = Agenda::default();
        later.checkpoint();
        assert_eq!(later.due(), Some(Duration::ZERO), "the first goes at once");
    }

    #[test]
    fn telemetry_goes_along_with_nothing_before_its_time() {
        let mut agenda = Agenda::default();
        agenda.telemetry(ms(1000));
        agenda.telemetry(ms(6000));
        assert_eq!(agenda.due(), Some(ms(31_000)));
        agenda.urgent();
        assert!(agenda.due() <= Some(ms(7000)) && !agenda.is_telemetry_due(ms(7000)));
        agenda.written(ms(7000), false);
        assert_eq!(agenda.due(), Some(ms(31_000)), "still to come");
        assert!(agenda.is_telemetry_due(ms(31_000)));
        agenda.written(ms(31_000), true);
        assert_eq!(agenda.due(), None);
    }

    #[test]
    fn after_a_failure_nothing_is_hammered() {
        let mut agenda = Agenda::default();
        agenda.urgent();
        agenda.failed(ms(100));
        agenda.urgent();
        agenda.checkpoint();
        assert_eq!(agenda.due(), Some(ms(100) + RETRY));
        agenda.written(ms(2200), true);
        agenda.urgent();
        assert_eq!(agenda.due(), Some(Duration::ZERO));
    }
}
