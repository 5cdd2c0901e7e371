//! Past runs, as far as they were told.

use crate::model::program::ask::Statistics;
use crate::model::program::{PastRun, ProgramQuery};

/// Runs that are asked for at once.
const PAGE: usize = 40;

/// The page of past runs.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct History {
    /// Of this file name only.
    pub name: Option<String>,
    /// Newest first; `None` until they were told.
    pub runs: Option<Vec<PastRun>>,
    /// Sums over all runs on the real machine.
    pub statistics: Statistics,
    /// The selected run.
    pub selected: usize,
    /// How many to skip, of a question under way.
    asked: Option<usize>,
    /// There are no more than those that were told.
    whole: bool,
}

impl History {
    /// Starts anew, of one program or all.
    pub fn open(&mut self, name: Option<String>) -> ProgramQuery {
        *self = Self { name, asked: Some(0), ..Self::default() };
        self.query(0)
    }

    /// Asks anew for the newest: one has begun or ended. What is selected stays the same place from the top.
    pub fn again(&mut self) -> Option<ProgramQuery> {
        self.runs.as_ref()?;
        self.asked = Some(0);
        Some(self.query(0))
    }

    fn query(&self, skip: usize) -> ProgramQuery {
        ProgramQuery::History { name: self.name.clone(), skip, count: PAGE }
    }

    /// Moves the selection; asks for more where it comes near the end of what is known.
    pub fn select(&mut self, by: isize) -> Option<ProgramQuery> {
        let known = self.runs.as_ref().map_or(0, Vec::len);
        self.selected = self.selected.saturating_add_signed(by).min(known.saturating_sub(1));
        if self.whole || self.asked.is_some() || self.selected + PAGE / 4 < known {
            return None;
        }
        self.asked = Some(known);
        Some(self.query(known))
    }

    /// The selected run.
    pub fn current(&self) -> Option<&PastRun> {
        self.runs.as_ref()?.get(self.selected)
    }

    /// Takes an answer.
    pub fn take(&mut self, runs: &[PastRun], statistics: Statistics) {
        let Some(skip) = self.asked.take() else { return };
        self.statistics = statistics;
        self.whole = runs.len() < PAGE;
        let known = self.runs.get_or_insert_default();
        known.truncate(skip);
        known.extend_from_slice(runs);
        self.selected = self.selected.min(known.len().saturating_sub(1));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::testing::programs::past_run;

    #[test]
    fn asked_again_it_begins_anew_and_keeps_its_place() {
        let mut history = History::default();
        assert_eq!(history.again(), None, "it was never opened");
        history.open(None);
        history.take(&[past_run(1), past_run(2)], Statistics::default());
        history.select(1);
        assert_eq!(history.again(), Some(ProgramQuery::History { name: None, skip: 0, count: PAGE }));
        history.take(&[past_run(3), past_run(1), past_run(2)], Statistics::default());
        assert_eq!((history.runs.as_ref().unwrap().len(), history.selected), (3, 1));
    }

    #[test]
    fn more_is_asked_for_near_the_end_and_never_twice_at_once() {
        let mut history = History::default();
        history.open(None);
        let runs: Vec<PastRun> = (0..PAGE as u64).map(past_run).collect();
        history.take(&runs, Statistics::default());
        assert_eq!(history.select(1), None);
        let more = history.select(35);
        assert_eq!(more, Some(ProgramQuery::History { name: None, skip: PAGE, count: PAGE }));
        assert_eq!(history.select(1), None, "one is under way");
        history.take(&runs[..3], Statistics::default());
        assert_eq!(history.runs.as_ref().unwrap().len(), PAGE + 3);
        assert_eq!(history.select(99), None, "that was all");
        assert_eq!(history.selected, PAGE + 2);
        history.take(&runs, Statistics::default());
        assert_eq!(history.runs.as_ref().unwrap().len(), PAGE + 3, "nobody asked");
    }
}
