//! Log entries that were left out because this client was slow, asked for afterwards. Pure.

use std::collections::VecDeque;

use serde::Deserialize;

use crate::model::Time;
use crate::model::command::TicketId;
use crate::model::log::LogEntry;

/// Entries that are held back while those before them are on their way. The oldest of more are among those by then.
const HELD: usize = 1024;

/// What the hub answers to `events.since`.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Since {
    entries: Vec<LogEntry>,
    gap: bool,
    last: u64,
    more: bool,
}

/// Tells entries in order, each once.
#[derive(Debug, Default)]
pub(super) struct CatchUp {
    /// What happened before this client came is none of its news.
    from: Time,
    /// The newest entry that was told.
    last: u64,
    open: Option<Open>,
}

/// Entries are on their way.
#[derive(Debug, Default)]
struct Open {
    held: VecDeque<LogEntry>,
    /// More were left out meanwhile.
    again: bool,
    /// Some of them are nowhere any more.
    lost: bool,
    /// Commands whose end may be among those.
    before: Vec<TicketId>,
}

/// What is to be done when some came.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Caught {
    /// These are to be told.
    pub(super) entries: Vec<LogEntry>,
    /// What comes after this number is to be asked for.
    pub(super) ask: Option<u64>,
    /// What became of these cannot be told any more, unless it is among the entries.
    pub(super) lost: Vec<TicketId>,
}

impl CatchUp {
    /// For a client that came at this time.
    pub(super) fn new(from: Time) -> Self {
        Self { from, ..Self::default() }
    }

    /// Some were left out, while these commands were under way: what comes after this number is to be asked for.
    pub(super) fn gap(&mut self, before: impl Iterator<Item = TicketId>) -> Option<u64> {
        let is_new = self.open.is_none();
        let open = self.open.get_or_insert_default();
        open.again = !is_new;
        open.before.extend(before);
        is_new.then_some(self.last)
    }

    /// One came: it is told now, unless others come first.
    pub(super) fn entry(&mut self, entry: LogEntry) -> Option<LogEntry> {
        match &mut self.open {
            Some(open) => {
                if open.held.len() == HELD {
                    open.held.pop_front();
                }
                open.held.push_back(entry);
                None
            }
            None => self.next(entry),
        }
    }

    /// What was asked for came. `None`: the hub does not tell it.
    pub(super) fn came(&mut self, since: Option<Since>) -> Caught {
        let Some(mut open) = self.open.take() else { return Caught::default() };
        let since = since.unwrap_or(Since { gap: true, ..Since::default() });
        open.lost |= since.gap;
        let mut entries: Vec<LogEntry> = since.entries.into_iter().filter_map(|entry| self.next(entry)).collect();
        if since.more || open.again {
            open.again = since.more && open.again;
            self.last = self.last.max(since.last);
            self.open = Some(open);
            return Caught { entries, ask: Some(self.last), lost: Vec::new() };
        }
        entries.extend(open.held.into_iter().filter_map(|entry| self.next(entry)));
        Caught { entries, ask: None, lost: if open.lost { open.before } else { Vec::new() } }
    }

    fn next(&mut self, entry: LogEntry) -> Option<LogEntry> {
        if entry.id <= self.last {
            return None;
        }
        self.last = entry.id;
        (entry.at >= self.from).then_some(entry)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::log::LogItem;
    use crate::model::machine::MessageLevel;

    fn entry(id: u64) -> LogEntry {
        let what = LogItem::Note { level: MessageLevel::Info, text: id.to_string() };
        LogEntry { id, at: Time::from_millis(id), what }
    }

    fn since(ids: std::ops::RangeInclusive<u64>, gap: bool, more: bool) -> Since {
        let last = *ids.end();
        Since { entries: ids.map(entry).collect(), gap, last, more }
    }

    fn ids(entries: &[LogEntry]) -> Vec<u64> {
        entries.iter().map(|entry| entry.id).collect()
    }

    #[test]
    fn what_was_left_out_is_told_before_what_came_after_it_and_each_once() {
        let mut log = CatchUp::default();
        assert!(log.entry(entry(1)).is_some());
        assert_eq!(log.gap([TicketId(7)].into_iter()), Some(1));
        assert_eq!((log.entry(entry(6)), log.entry(entry(9))), (None, None));
        let caught = log.came(Some(since(2..=4, false, true)));
        assert_eq!((ids(&caught.entries), caught.ask), (vec![2, 3, 4], Some(4)));
        let caught = log.came(Some(since(5..=7, false, false)));
        assert_eq!((ids(&caught.entries), caught.ask, caught.lost), (vec![5, 6, 7, 9], None, vec![]));
        assert!(log.entry(entry(9)).is_none() && log.entry(entry(10)).is_some());
    }

    #[test]
    fn what_was_left_out_meanwhile_is_asked_for_too() {
        let mut log = CatchUp::default();
        assert_eq!(log.gap(std::iter::empty()), Some(0));
        assert_eq!(log.gap(std::iter::empty()), None, "that is under way");
        let caught = log.came(Some(since(1..=3, false, false)));
        assert_eq!((ids(&caught.entries), caught.ask), (vec![1, 2, 3], Some(3)));
        let caught = log.came(Some(since(4..=5, false, false)));
        assert_eq!((ids(&caught.entries), caught.ask), (vec![4, 5], None));
    }

    #[test]
    fn what_is_lost_for_good_is_named_once_all_the_rest_is_told() {
        let mut log = CatchUp::default();
        log.gap([TicketId(7)].into_iter());
        assert!(log.came(Some(since(40..=50, true, true))).lost.is_empty());
        log.entry(entry(52));
        let caught = log.came(Some(since(51..=51, false, false)));
        assert_eq!((ids(&caught.entries), caught.lost), (vec![51, 52], vec![TicketId(7)]));
        // A hub that does not tell.
        log.gap([TicketId(8)].into_iter());
        log.entry(entry(60));
        let caught = log.came(None);
        assert_eq!((ids(&caught.entries), caught.lost), (vec![60], vec![TicketId(8)]));
    }

    #[test]
    fn what_was_before_it_came_is_not_told() {
        let mut log = CatchUp::new(Time::from_millis(3));
        log.gap(std::iter::empty());
        assert_eq!(ids(&log.came(Some(since(1..=5, false, false))).entries), [3, 4, 5]);
    }
}
