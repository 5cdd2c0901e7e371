//! The tracker and the order in which a block is carried out (RS274/NGC version 3, table 8).

use super::codes::Wanted;
use super::cycle::Cycle;
use super::turn::{Turn, axes_of};
use crate::model::program::report::{Frame, Problem, Severity};
use crate::model::quantity::MM_PER_INCH;
use crate::program::block::{Block, Code, Kind};
use crate::program::dialect::Dialect;
use crate::program::modal::Modal;
use crate::program::motion::Motion;
use crate::program::reader::RawLine;
use crate::program::vocabulary::{Distance, Group, MotionMode, Spindle, Units};

/// No controller takes fewer characters (Grbl: 79).
const SHORTEST_LIMIT: usize = 79;

/// Who listens to a [`Tracker`].
pub trait Sink {
    /// This line makes the machine do this.
    fn motion(&mut self, line: u64, motion: &Motion);
    /// A person should know this.
    fn problem(&mut self, problem: Problem);
}

/// Follows a program from its first line, or from any line with the [`Modal`] that is in force there.
#[derive(Clone, Debug)]
pub struct Tracker {
    pub(super) dialect: Dialect,
    /// Letters that the dialect knows.
    pub(super) letters: u32,
    pub(super) modal: Modal,
    pub(super) cycle: Cycle,
    /// Lines that are sent.
    pub(super) blocks: u64,
    /// Things that are said once, as bits of [`Once`].
    pub(super) said: u32,
    /// Frames whose zero the program moved: bit 0 is the one at the start, bit n system n.
    pub(super) shifted: u16,
    pub(super) moved: bool,
    pub(super) cut: bool,
    /// Codes whose conditions were said; bounded.
    pub(super) conditions: Vec<(char, Code)>,
    /// Line of M2 or M30.
    pub(super) ended: Option<u64>,
}

/// What is said once in a program.
#[derive(Clone, Copy)]
#[repr(u8)]
pub(super) enum Once {
    Binary,
    FeedMissing,
    FeedZero,
    UnitsUnnamed,
    UnitsSwitched,
    SpindleOff,
    SpeedMissing,
    Lost,
    AfterEnd,
    Deletable,
    SplitNumber,
    Reverse,
    Expression,
    Flow,
    Scaling,
    Tools,
    LaserMode,
    MachineZeroRelative,
    ToolTable,
    OptionalStop,
    ArcFromNowhere,
}

impl Tracker {
    /// At the head of a program; the controller is as the dialect says.
    pub fn new(dialect: Dialect) -> Self {
        Self::resumed(dialect, Modal::default())
    }

    /// Behind some line of a program.
    pub fn resumed(dialect: Dialect, modal: Modal) -> Self {
        let letters = dialect.letters();
        Self {
            dialect,
            letters,
            modal,
            cycle: Cycle::default(),
            blocks: 0,
            said: 0,
            shifted: 0,
            moved: false,
            cut: false,
            conditions: Vec::new(),
            ended: None,
        }
    }

    /// What is in force now.
    pub const fn modal(&self) -> &Modal {
        &self.modal
    }

    /// For whom the program is read.
    pub const fn dialect(&self) -> &Dialect {
        &self.dialect
    }

    /// Lines so far that are sent.
    pub const fn blocks(&self) -> u64 {
        self.blocks
    }

    /// Line of the first M2 or M30.
    pub const fn ended(&self) -> Option<u64> {
        self.ended
    }

    /// The program has moved the zero of these coordinates by itself (G10, G92, G43.1 …), so that numbers in them do not say
    /// where the machine goes.
    pub const fn has_shifted(&self, frame: Frame) -> bool {
        match frame {
            Frame::Active => self.shifted & 1 != 0,
            Frame::Work(n) => self.shifted & (1 << (n & 15)) != 0,
            Frame::Machine => false,
        }
    }

    /// Takes the next line, which `block` has parsed.
    pub fn apply(&mut self, raw: RawLine<'_>, block: &Block, sink: &mut impl Sink) {
        let mut turn = Turn::new(raw, block, sink);
        match block.kind() {
            Kind::Empty | Kind::Percent => {}
            Kind::Words => self.words(&mut turn),
            Kind::Dollar => self.dollar(&mut turn),
            Kind::Expression => self.expression(&mut turn),
        }
        if raw.bytes.len() > SHORTEST_LIMIT && block.fault().is_none() {
            self.length(&mut turn);
        }
        if block.unclosed_comment || block.split_number || block.deletable || raw.is_cut() {
            self.oddities(&mut turn);
        }
    }

    /// The program is at its end: says what can be said only now.
    pub fn finish(&mut self, sink: &mut impl Sink) {
        let mut whole = |severity, kind: &str, text: &str, remedy: &str| {
            sink.problem(Problem {
                severity,
                line: 0,
                kind: kind.to_owned(),
                text: text.to_owned(),
                remedy: remedy.to_owned(),
            });
        };
        if self.blocks == 0 {
            whole(
                Severity::Error,
                "empty-program",
                "there is nothing in this file that could be sent",
                "choose another file, or make this one anew",
            );
        } else if self.ended.is_none()
            && matches!(self.modal.spindle, Some(Spindle::Clockwise | Spindle::CounterClockwise))
        {
            whole(
                Severity::Warning,
                "spindle-left-on",
                "the program ends with the spindle on, and without M2 or M30",
                "add M5, or M30 at the end; the file may be cut short",
            );
        }
    }

    fn words(&mut self, turn: &mut Turn<'_, impl Sink>) {
        self.blocks += 1;
        if let Some(fault) = turn.block.fault() {
            if !(turn.block.has_nul && self.binary(turn)) {
                turn.sink.problem(fault.problem(turn.raw));
            }
            return;
        }
        let wanted = self.codes(turn);
        self.values(turn);
        self.feed(turn, &wanted);
        self.speed_and_tool(turn, &wanted);
        // Most lines have no code but that of their motion.
        let more_codes = wanted.groups & !Group::Motion.bit() != 0;
        if more_codes {
            self.switches(turn, &wanted);
            self.modes(turn, &wanted);
        }
        let axes = axes_of(turn.block.letters()) & ((1 << self.dialect.axes) - 1);
        if let Some(motion) = wanted.motion {
            self.set_motion(motion);
        }
        let used_axes = more_codes && self.non_modal(turn, &wanted, axes);
        if !used_axes {
            self.motion_of(turn, &wanted, axes);
        }
        if more_codes {
            self.stops(turn, &wanted);
        }
        if wanted.io.is_some() {
            self.outputs(turn);
        }
        turn.unused();
    }

    /// Millimetres per unit of the program.
    #[inline]
    pub(super) fn scale(&self) -> f64 {
        match self.modal.units {
            Some(Units::Mm) => 1.0,
            Some(Units::Inch) => MM_PER_INCH,
            None if self.dialect.starts_in_inches => MM_PER_INCH,
            None => 1.0,
        }
    }

    #[inline]
    pub(super) fn is_relative(&self) -> bool {
        match self.modal.distance {
            Some(distance) => distance == Distance::Relative,
            None => self.dialect.starts_relative,
        }
    }

    #[inline]
    pub(super) fn motion_mode(&self) -> MotionMode {
        self.modal.motion.unwrap_or(MotionMode::Rapid)
    }

    /// Whether this is said for the first time.
    #[inline]
    pub(super) const fn first(&mut self, once: Once) -> bool {
        let bit = 1 << once as u8;
        let first = self.said & bit == 0;
        self.said |= bit;
        first
    }

    pub(super) fn modes(&mut self, turn: &mut Turn<'_, impl Sink>, wanted: &Wanted) {
        self.units(turn, wanted);
        if let Some(plane) = wanted.plane {
            self.modal.plane = Some(plane);
        }
        self.tool_length(turn, wanted);
        if let Some(system) = wanted.system {
            self.select(system);
        }
        self.modal.distance = wanted.distance.or(self.modal.distance);
        self.modal.arc_distance = wanted.arc_distance.or(self.modal.arc_distance);
        self.modal.retract = wanted.retract.or(self.modal.retract);
        self.modal.path_control = wanted.path_control.or(self.modal.path_control);
        self.modal.diameter = wanted.diameter.or(self.modal.diameter);
        self.modal.constant_surface_speed = wanted.constant_surface_speed.or(self.modal.constant_surface_speed);
        self.scaling(turn, wanted);
    }
}
