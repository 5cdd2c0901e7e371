//! What programs do, and what is said of them.

mod arcs;
mod modes;
mod moves;
mod posts;
mod refusals;

use super::{Sink, Tracker};
use crate::model::Firmware;
use crate::model::program::report::{Problem, Severity};
use crate::program::motion::{Arc, Motion, Straight};
use crate::program::{Block, Dialect, Modal, Reader};

/// What was read.
#[derive(Default)]
pub(super) struct Read {
    pub(super) motions: Vec<(u64, Motion)>,
    pub(super) problems: Vec<Problem>,
    pub(super) modal: Modal,
}

impl Sink for Read {
    fn motion(&mut self, line: u64, motion: &Motion) {
        self.motions.push((line, *motion));
    }

    fn problem(&mut self, problem: Problem) {
        self.problems.push(problem);
    }
}

impl Read {
    pub(super) fn straights(&self) -> Vec<Straight> {
        let straights = self.motions.iter().filter_map(|(_, motion)| match motion {
            Motion::Straight(straight) => Some(*straight),
            _ => None,
        });
        straights.collect()
    }

    pub(super) fn arcs(&self) -> Vec<Arc> {
        let arcs = self.motions.iter().filter_map(|(_, motion)| match motion {
            Motion::Arc(arc) => Some(*arc),
            _ => None,
        });
        arcs.collect()
    }

    /// `line kind` of each problem as bad as this or worse.
    pub(super) fn kinds(&self, least: Severity) -> Vec<String> {
        let bad = self.problems.iter().filter(|problem| problem.severity >= least);
        bad.map(|problem| format!("{} {}", problem.line, problem.kind)).collect()
    }

    pub(super) fn errors(&self) -> Vec<String> {
        self.kinds(Severity::Error)
    }
}

pub(super) fn read_as(dialect: Dialect, program: &str) -> Read {
    let (mut tracker, mut block, mut read) = (Tracker::new(dialect), Block::new(), Read::default());
    let mut reader = Reader::new();
    let mut each = |raw: crate::program::RawLine<'_>| {
        block.parse(raw.bytes);
        tracker.apply(raw, &block, &mut read);
    };
    reader.feed(program.as_bytes(), &mut each);
    reader.finish(&mut each);
    tracker.finish(&mut read);
    read.modal = tracker.modal().clone();
    read
}

pub(super) fn on(firmware: Firmware, program: &str) -> Read {
    read_as(Dialect::new(firmware, 3), program)
}

/// On FluidNC with three axes, after a head that names what a good program names.
pub(super) fn read(program: &str) -> Read {
    on(Firmware::FluidNc, program)
}
