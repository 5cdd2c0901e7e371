//! Problems, counted all and kept in part.

use crate::model::program::report::{Problem, Severity};

/// Problems of each severity that are kept.
const MOST: usize = 100;

/// The first problems of each severity.
#[derive(Debug, Default)]
pub(super) struct Problems {
    /// Kept, in order of their lines: notes, warnings, errors.
    kept: [Vec<Problem>; 3],
    counts: [u64; 3],
}

impl Problems {
    pub(super) fn add(&mut self, problem: Problem) {
        let severity = problem.severity as usize;
        self.counts[severity] += 1;
        if self.kept[severity].len() < MOST {
            self.kept[severity].push(problem);
        }
    }

    pub(super) const fn errors(&self) -> u64 {
        self.counts[Severity::Error as usize]
    }

    pub(super) const fn warnings(&self) -> u64 {
        self.counts[Severity::Warning as usize]
    }

    pub(super) fn first_error(&self) -> Option<&Problem> {
        self.kept[Severity::Error as usize].first()
    }

    /// Errors, then warnings, then notes, each in order of their lines.
    pub(super) fn listed(self) -> Vec<Problem> {
        let mut all: Vec<Problem> = self.kept.into_iter().rev().flatten().collect();
        all.sort_by(|a, b| b.severity.cmp(&a.severity).then(a.line.cmp(&b.line)));
        all
    }
}
