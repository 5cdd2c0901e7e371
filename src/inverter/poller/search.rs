//! Finds which register or gap of a read the device refuses, in few questions.

use crate::inverter::plan::{Block, Cut, Item};
use crate::model::power::PollClass;

/// A read that was refused, being narrowed down: a binary search for the longest beginning that is answered.
#[derive(Clone, Debug)]
pub(super) struct Search {
    pub(super) class: PollClass,
    block: Block,
    /// A beginning of so many items is answered.
    good: usize,
    /// A beginning of so many items is refused.
    bad: usize,
    /// The item after the good beginning is asked by itself.
    alone: bool,
}

/// What was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// This item.
    Item(Item),
    /// What lies before it, or so many at once: it is answered by itself.
    Before(Cut),
}

impl Search {
    /// Of a read with at least two items.
    pub(super) fn new(class: PollClass, block: Block) -> Self {
        let bad = block.items.len();
        Self { class, block, good: 0, bad, alone: false }
    }

    pub(super) const fn service(&self) -> usize {
        self.block.service
    }

    /// What to ask next.
    pub(super) fn probe(&self) -> Block {
        if self.alone { self.block.only(self.good) } else { self.block.prefix(self.middle()) }
    }

    const fn middle(&self) -> usize {
        self.good + (self.bad - self.good).div_ceil(2)
    }

    /// Takes the answer to [`Search::probe`].
    pub(super) fn answered(&mut self, taken: bool) -> Option<Verdict> {
        if self.alone {
            let item = self.block.items[self.good];
            let cut = Cut { service: self.block.service, table: self.block.table, address: item.address };
            return Some(if taken { Verdict::Before(cut) } else { Verdict::Item(item) });
        }
        if self.bad - self.good > 1 {
            let middle = self.middle();
            if taken {
                self.good = middle;
            } else {
                self.bad = middle;
            }
        }
        if self.bad - self.good > 1 {
            return None;
        }
        if self.good == 0 {
            return Some(Verdict::Item(self.block.items[0]));
        }
        self.alone = true;
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::power::Table;

    /// Items at 0, 2, 4 …; the addresses between them are gaps.
    fn block(items: usize) -> Block {
        let items = (0..items).map(|n| Item { register: n, word: 0, address: 2 * n as u16, count: 1 }).collect();
        Block { service: 0, table: Table::Holding, items }
    }

    /// Searches with a device that refuses this address; counts the questions.
    fn find(items: usize, refused: u16) -> (Verdict, usize) {
        let mut search = Search::new(PollClass::Flow, block(items));
        for asked in 1..100 {
            let probe = search.probe();
            let taken = !(probe.address()..probe.address() + probe.count()).contains(&refused);
            if let Some(verdict) = search.answered(taken) {
                return (verdict, asked);
            }
        }
        panic!("no end");
    }

    #[test]
    fn the_refused_address_is_found_whichever_it_is() {
        for items in 2..40usize {
            for refused in 0..2 * items as u16 - 1 {
                let (verdict, asked) = find(items, refused);
                let expected = if refused % 2 == 0 {
                    Verdict::Item(block(items).items[usize::from(refused) / 2])
                } else {
                    Verdict::Before(Cut { service: 0, table: Table::Holding, address: refused + 1 })
                };
                assert_eq!(verdict, expected, "{refused} of {items}");
                assert!(asked <= items.next_power_of_two().ilog2() as usize + 1, "{asked} questions for {items}");
            }
        }
    }
}
