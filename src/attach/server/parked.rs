//! Requests that were read and wait until their answers find room.

use std::collections::VecDeque;

/// So many bytes may wait; then nothing more is read of who does not take answers.
const MOST: usize = 64 * 1024;
/// What a line costs beside its bytes.
const EACH: usize = 64;

/// In the order in which they came.
#[derive(Debug, Default)]
pub(super) struct Parked {
    lines: VecDeque<String>,
    bytes: usize,
    /// So many of them, the oldest, came before a stop that was carried out at once.
    overtaken: usize,
}

impl Parked {
    pub(super) fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// Another one may be read.
    pub(super) const fn has_room(&self) -> bool {
        self.bytes < MOST
    }

    pub(super) fn push(&mut self, line: &str) {
        self.bytes += line.len() + EACH;
        self.lines.push_back(line.to_owned());
    }

    /// A stop came: what waits was asked for before it.
    pub(super) fn overtake(&mut self) {
        self.overtaken = self.lines.len();
    }

    /// The oldest, and whether a stop came after it.
    pub(super) fn pop(&mut self) -> Option<(String, bool)> {
        let line = self.lines.pop_front()?;
        self.bytes = self.bytes.saturating_sub(line.len() + EACH);
        let is_overtaken = self.overtaken > 0;
        self.overtaken = self.overtaken.saturating_sub(1);
        Some((line, is_overtaken))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_came_before_a_stop_is_known_and_all_of_it_is_bounded() {
        let mut parked = Parked::default();
        parked.push("a");
        parked.push("b");
        parked.overtake();
        parked.push("c");
        let left: Vec<_> = std::iter::from_fn(|| parked.pop()).collect();
        assert_eq!(left, [("a".to_owned(), true), ("b".to_owned(), true), ("c".to_owned(), false)]);
        assert!(parked.is_empty() && parked.bytes == 0);
        let mut count = 0;
        while parked.has_room() {
            parked.push("");
            count += 1;
        }
        assert_eq!(count, MOST / EACH, "lines of nothing are not free");
    }
}
