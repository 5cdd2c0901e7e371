//! What one reading collects: the ear of the tracker.

use super::problems::Problems;
use super::reach::{Reaches, arc_mm};
use crate::model::program::Stretch;
use crate::model::program::report::{FileUnits, Frame, Problem, Reach, Times, Wait, WaitFor};
use crate::model::program::toolpath::Toolpath;
use crate::program::block::Block;
use crate::program::estimate::{Estimate, EstimateModel, Estimator};
use crate::program::modal::Modal;
use crate::program::motion::{Motion, Speed, Straight};
use crate::program::toolpath::PathBuilder;
use crate::program::tracker::Sink;
use crate::program::vocabulary::{FeedMode, Spindle, Units};

/// Waits and tools that are kept.
const MOST: usize = 256;
/// X, Y, Z: what distances are measured along.
const XYZ: usize = 3;

/// Everything found so far.
#[derive(Debug)]
pub(super) struct Findings {
    pub(super) problems: Problems,
    reaches: Reaches,
    estimator: Estimator,
    path: PathBuilder,
    laser: bool,
    units: FileUnits,
    cut_mm: f64,
    rapid_mm: f64,
    feeds: Option<(f64, f64)>,
    speeds: Option<(f64, f64)>,
    /// Bit n is system n.
    systems: u16,
    system_order: Vec<u8>,
    tools: Vec<u32>,
    waits: Vec<Wait>,
}

/// What is left at the end.
pub(super) struct Found {
    pub(super) problems: Problems,
    pub(super) reach: Vec<Reach>,
    pub(super) path: Toolpath,
    pub(super) times: Times,
    pub(super) spindle_on: Times,
    pub(super) timeline: Vec<(u64, f32)>,
    pub(super) course: Vec<Stretch>,
    pub(super) units: FileUnits,
    pub(super) cut_mm: f64,
    pub(super) rapid_mm: f64,
    pub(super) feed_mm_min: Option<(f64, f64)>,
    pub(super) spindle_rpm: Option<(f64, f64)>,
    pub(super) systems: Vec<u8>,
    pub(super) tools: Vec<u32>,
    pub(super) waits: Vec<Wait>,
}

impl Findings {
    pub(super) fn new(model: EstimateModel, laser: bool) -> Self {
        Self {
            problems: Problems::default(),
            reaches: Reaches::default(),
            estimator: Estimator::new(model),
            path: PathBuilder::default(),
            laser,
            units: FileUnits::Unnamed,
            cut_mm: 0.0,
            rapid_mm: 0.0,
            feeds: None,
            speeds: None,
            systems: 0,
            system_order: Vec::new(),
            tools: Vec::new(),
            waits: Vec::new(),
        }
    }

    pub(super) fn seconds(&self) -> f64 {
        self.estimator.seconds()
    }

    /// Before a block is carried out. All firmwares let the queue run empty before they switch spindle or coolant (Grbl
    /// `spindle_sync`, `coolant_sync`), and not for what is so already; with a laser they do not wait for a new power.
    pub(super) fn before(&mut self, block: &Block, modal: &Modal) {
        if block.m().is_empty() && !block.has(b'S') {
            return;
        }
        let new_speed = || block.value(b'S').is_some_and(|speed| modal.speed_rpm != Some(speed));
        let switches = block.m().iter().any(|code| match code {
            30 => modal.spindle != Some(Spindle::Clockwise),
            40 => modal.spindle != Some(Spindle::CounterClockwise),
            50 => !matches!(modal.spindle, None | Some(Spindle::Off)),
            70 => modal.mist != Some(true),
            80 => modal.flood != Some(true),
            90 => modal.mist == Some(true) || modal.flood == Some(true),
            _ => false,
        });
        let is_on = matches!(modal.spindle, Some(Spindle::Clockwise | Spindle::CounterClockwise));
        if switches || (!self.laser && is_on && new_speed()) {
            self.estimator.stop();
        }
        for code in block.m() {
            match code {
                30 | 40 => self.estimator.turn(true),
                50 => self.estimator.turn(false),
                _ => {}
            }
        }
    }

    /// After a block was carried out.
    pub(super) fn after(&mut self, block: &Block, modal: &Modal) {
        if block.has(b'F')
            && !matches!(modal.feed_mode, Some(FeedMode::InverseTime | FeedMode::PerRevolution))
            && let Some(feed) = modal.feed_mm.filter(|feed| *feed > 0.0)
        {
            widen(&mut self.feeds, feed);
        }
        if (block.has(b'S') || !block.m().is_empty())
            && let (Some(Spindle::Clockwise | Spindle::CounterClockwise), Some(rpm)) = (modal.spindle, modal.speed_rpm)
        {
            widen(&mut self.speeds, rpm);
            self.estimator.spindle(rpm);
        }
        if block.g().iter().any(|code| *code >= 200) {
            self.modes(block, modal);
        }
    }

    fn modes(&mut self, block: &Block, modal: &Modal) {
        if block.g().iter().any(|code| matches!(code, 200 | 210)) {
            self.units = match (self.units, modal.units) {
                (units, None) => units,
                (FileUnits::Unnamed | FileUnits::Mm, Some(Units::Mm)) => FileUnits::Mm,
                (FileUnits::Unnamed | FileUnits::Inch, Some(Units::Inch)) => FileUnits::Inch,
                _ => FileUnits::Mixed,
            };
        }
        if let Some(system) = modal.system
            && self.systems & 1 << (system & 15) == 0
        {
            self.systems |= 1 << (system & 15);
            self.system_order.push(system);
        }
    }

    /// From here on nobody knows where the program goes.
    pub(super) fn lost(&mut self) {
        self.reaches.lost = true;
    }

    pub(super) fn finish(self, shifted: impl Fn(Frame) -> bool) -> Found {
        let Estimate { times, spindle_on, timeline, course } = self.estimator.finish();
        Found {
            problems: self.problems,
            reach: self.reaches.finish(shifted),
            path: self.path.finish(),
            times,
            spindle_on,
            timeline,
            course,
            units: self.units,
            cut_mm: self.cut_mm,
            rapid_mm: self.rapid_mm,
            feed_mm_min: self.feeds,
            spindle_rpm: self.speeds,
            systems: self.system_order,
            tools: self.tools,
            waits: self.waits,
        }
    }

    fn wait(&mut self, line: u64, what: WaitFor) {
        if let WaitFor::Tool(Some(tool)) = what
            && !self.tools.contains(&tool)
            && self.tools.len() < MOST
        {
            self.tools.push(tool);
        }
        if self.waits.len() < MOST {
            self.waits.push(Wait { line, what });
        }
    }

    fn went(&mut self, mm: f64, speed: Speed) {
        *(if speed == Speed::Rapid { &mut self.rapid_mm } else { &mut self.cut_mm }) += mm;
    }
}

impl Sink for Findings {
    fn motion(&mut self, line: u64, motion: &Motion) {
        match motion {
            Motion::Straight(straight) | Motion::Probe(straight) => {
                self.reaches.straight(straight, line);
                self.went(straight_mm(straight), straight.speed);
            }
            Motion::Arc(arc) => {
                self.reaches.arc(arc, line);
                self.went(arc_mm(arc), arc.ends.speed);
            }
            Motion::Wait(what) => self.wait(line, *what),
            Motion::Dwell(_) | Motion::Unknown => {}
        }
        self.estimator.add(motion, line);
        self.path.add(motion, line);
    }

    fn problem(&mut self, problem: Problem) {
        self.problems.add(problem);
    }
}

/// Length of a move in mm, as far as it is known where it comes from.
fn straight_mm(straight: &Straight) -> f64 {
    let unknown = straight.named & !straight.known;
    let mut square = 0.0;
    for axis in 0..XYZ {
        let delta = straight.to[axis] - straight.from[axis];
        square += if unknown & 1 << axis == 0 { delta * delta } else { 0.0 };
    }
    square.sqrt()
}

fn widen(range: &mut Option<(f64, f64)>, value: f64) {
    let (min, max) = range.unwrap_or((value, value));
    *range = Some((min.min(value), max.max(value)));
}
