//! One reading of a program from end to end: everything that a person wants to know of it before it runs.
//!
//! ```text
//!  bytes ─▶ Reader ─▶ Block ─▶ Tracker ─▶ Findings: problems, reach, distances, time, path, tools, waits
//! ```
//!
//! Memory does not grow with the program: every list has an end, and the path fits its bound.

mod findings;
mod problems;
mod reach;

use std::sync::Arc;

use self::findings::Findings;
use super::block::{Block, Kind};
use super::dialect::Dialect;
use super::estimate::EstimateModel;
use super::reader::{RawLine, Reader};
use super::tracker::Tracker;
use crate::model::program::report::{ContentHash, Problem, Report};
use crate::model::program::toolpath::Toolpath;

/// For which machine a program is read.
#[derive(Clone, Debug, PartialEq)]
pub struct AnalysisConfig {
    /// What its controller takes.
    pub dialect: Dialect,
    /// How fast it is.
    pub model: EstimateModel,
}

/// How far an analysis has come, and what it has found so far.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Progress<'a> {
    /// Bytes read.
    pub bytes: u64,
    /// Lines read.
    pub lines: u64,
    /// Errors so far.
    pub errors: u64,
    /// Warnings so far.
    pub warnings: u64,
    /// The first error, if there is one.
    pub first_error: Option<&'a Problem>,
    /// Estimated time of what was read, in seconds.
    pub seconds: f64,
}

/// Reads a program.
#[derive(Debug)]
pub struct Analysis {
    reader: Reader,
    hasher: blake3::Hasher,
    lines: Lines,
}

/// What is done with each line.
#[derive(Debug)]
struct Lines {
    block: Block,
    tracker: Tracker,
    findings: Findings,
}

impl Analysis {
    /// At the first byte of the program.
    pub fn new(config: AnalysisConfig) -> Self {
        let findings = Findings::new(config.model, config.dialect.laser);
        let lines = Lines { block: Block::new(), tracker: Tracker::new(config.dialect), findings };
        Self { reader: Reader::new(), hasher: blake3::Hasher::new(), lines }
    }

    /// Takes the next bytes, cut anywhere.
    pub fn feed(&mut self, bytes: &[u8]) {
        self.hasher.update(bytes);
        self.reader.feed(bytes, |line| self.lines.take(line));
    }

    /// What was found so far.
    pub fn progress(&self) -> Progress<'_> {
        let findings = &self.lines.findings;
        Progress {
            bytes: self.reader.bytes(),
            lines: self.reader.lines(),
            errors: findings.problems.errors(),
            warnings: findings.problems.warnings(),
            first_error: findings.problems.first_error(),
            seconds: findings.seconds(),
        }
    }

    /// The program is at its end.
    pub fn finish(mut self) -> (Report, Toolpath) {
        self.reader.finish(|line| self.lines.take(line));
        let Lines { mut tracker, mut findings, .. } = self.lines;
        tracker.finish(&mut findings);
        let found = findings.finish(|frame| tracker.has_shifted(frame));
        let report = Report {
            hash: ContentHash(*self.hasher.finalize().as_bytes()),
            bytes: self.reader.bytes(),
            lines: self.reader.lines(),
            blocks: tracker.blocks(),
            errors: found.problems.errors(),
            warnings: found.problems.warnings(),
            problems: found.problems.listed(),
            reach: found.reach,
            units: found.units,
            cut_mm: found.cut_mm,
            rapid_mm: found.rapid_mm,
            times: found.times,
            spindle_on: found.spindle_on,
            feed_mm_min: found.feed_mm_min,
            spindle_rpm: found.spindle_rpm,
            systems: found.systems,
            tools: found.tools,
            waits: found.waits,
            timeline: Arc::new(found.timeline),
            course: Arc::new(found.course),
        };
        (report, found.path)
    }
}

impl Lines {
    fn take(&mut self, line: RawLine<'_>) {
        self.block.parse(line.bytes);
        if self.block.kind() == Kind::Words {
            self.findings.before(&self.block, self.tracker.modal());
        }
        self.tracker.apply(line, &self.block, &mut self.findings);
        match self.block.kind() {
            Kind::Words => self.findings.after(&self.block, self.tracker.modal()),
            Kind::Expression => self.findings.lost(),
            Kind::Empty | Kind::Dollar | Kind::Percent => {}
        }
    }
}

#[cfg(test)]
mod tests;
