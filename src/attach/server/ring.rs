//! The last log entries, for who missed some.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use super::counted::Counted;
use crate::model::hub::{Hub, LogEvent};
use crate::model::log::{LogEntry, LogItem};

/// Entries that are kept.
const KEPT: usize = 2048;

/// Entries by rising numbers; the oldest give way. What goes over the wire is not among them: it would leave no room.
#[derive(Clone, Debug, Default)]
pub(super) struct Ring(Arc<Mutex<Entries>>);

#[derive(Debug, Default)]
struct Entries {
    kept: VecDeque<Arc<LogEntry>>,
    /// The newest that is lost.
    lost: u64,
    /// The newest that was seen.
    last: u64,
}

/// What came after a number.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Since {
    pub(super) entries: Vec<Arc<LogEntry>>,
    /// Some of what came after it is lost.
    pub(super) gap: bool,
    /// The newest number that is told of.
    pub(super) last: u64,
    /// There are more than were asked for.
    pub(super) more: bool,
}

impl Ring {
    /// Keeps what the hub logs, until it ends, and counts alarms.
    pub(super) async fn fill(self, mut hub: Hub, counted: Arc<Counted>) {
        while let Ok(event) = hub.log().await {
            match event {
                LogEvent::Entry(entry) => {
                    if let LogItem::Alarm { code, .. } = &entry.what {
                        counted.alarm(*code);
                    }
                    self.take(&entry);
                }
                LogEvent::Gap(count) => self.lose(count),
            }
        }
    }

    fn take(&self, entry: &Arc<LogEntry>) {
        let mut entries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        entries.last = entry.id;
        if is_wire(entry) {
            return;
        }
        if entries.kept.len() == KEPT
            && let Some(oldest) = entries.kept.pop_front()
        {
            entries.lost = oldest.id;
        }
        entries.kept.push_back(Arc::clone(entry));
    }

    /// The ring itself was too slow: all that it has is older than what is lost.
    fn lose(&self, count: u64) {
        let mut entries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        entries.last += count;
        entries.lost = entries.last;
        entries.kept.clear();
    }

    /// The oldest `most` of those after `id`. `seen`: the newest that the client was sent, which may not be here yet. A number
    /// beyond that is of the life of another hub, of which nothing is known here: all that there is comes after it.
    pub(super) fn since(&self, id: u64, most: usize, seen: u64) -> Since {
        let entries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let other_life = id > entries.last.max(seen);
        let id = if other_life { 0 } else { id };
        let mut after = entries.kept.iter().filter(|entry| entry.id > id);
        let told: Vec<_> = after.by_ref().take(most).cloned().collect();
        let more = after.next().is_some();
        let last = if more { told.last().map_or(id, |entry| entry.id) } else { entries.last.max(id) };
        Since { entries: told, gap: other_life || id < entries.lost, last, more }
    }
}

/// Something on the wire, of which there is a lot.
pub(super) fn is_wire(entry: &LogEntry) -> bool {
    matches!(entry.what, LogItem::Wire { .. })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Time;
    use crate::model::machine::MessageLevel;

    fn note(id: u64) -> Arc<LogEntry> {
        let what = LogItem::Note { level: MessageLevel::Info, text: id.to_string() };
        Arc::new(LogEntry { id, at: Time::ZERO, what })
    }

    fn ids(since: &Since) -> Vec<u64> {
        since.entries.iter().map(|entry| entry.id).collect()
    }

    #[test]
    fn who_asks_in_time_misses_nothing_and_who_does_not_is_told() {
        let ring = Ring::default();
        (1..=3).for_each(|id| ring.take(&note(id)));
        ring.take(&Arc::new(LogEntry { id: 4, at: Time::ZERO, what: LogItem::Wire { out: true, text: "?".into() } }));
        let since = ring.since(1, 100, 0);
        assert_eq!((ids(&since), since.gap, since.last, since.more), (vec![2, 3], false, 4, false));
        let since = ring.since(0, 2, 0);
        assert_eq!((ids(&since), since.last, since.more), (vec![1, 2], 2, true));

        (5..5 + KEPT as u64).for_each(|id| ring.take(&note(id)));
        assert!(ring.since(2, 1, 0).gap);
        let since = ring.since(3, 1, 0);
        assert_eq!((ids(&since), since.gap), (vec![5], false), "all after the third is there");
        ring.lose(1);
        assert!(ring.since(3, 1, 0).gap && ring.since(3, 1, 0).entries.is_empty());
    }

    #[test]
    fn who_knows_a_hub_that_has_ended_begins_anew_with_the_next() {
        let ring = Ring::default();
        (1..=3).for_each(|id| ring.take(&note(id)));
        let since = ring.since(500, 100, 0);
        assert_eq!((ids(&since), since.gap, since.last), (vec![1, 2, 3], true, 3));
        // What the client has just been sent may not be here yet.
        let since = ring.since(10, 100, 10);
        assert_eq!((ids(&since), since.gap, since.last), (vec![], false, 10));
    }
}
