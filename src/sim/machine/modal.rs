//! Modal state of the G-code interpreter.

use crate::model::{Axis, AxisVec, Firmware};

use super::drill::Cycle;
use super::settings::WCS_NAMES;

/// Motion mode, modal group 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Motion {
    Rapid,
    Linear,
    Arc {
        clockwise: bool,
    },
    /// G38.`n`.
    Probe(u8),
    /// A drilling cycle: G73, G81 to G89.
    Drill(u8),
    /// G80.
    None,
}

impl Motion {
    pub(super) const fn of_tenths(tenths: u32) -> Self {
        match tenths {
            0 => Self::Rapid,
            10 => Self::Linear,
            20 => Self::Arc { clockwise: true },
            30 => Self::Arc { clockwise: false },
            800 => Self::None,
            730 | 810..=890 => Self::Drill((tenths / 10) as u8),
            n => Self::Probe((n % 10) as u8),
        }
    }

    const fn word(self) -> &'static str {
        match self {
            Self::Rapid => "G0",
            Self::Linear => "G1",
            Self::Arc { clockwise: true } => "G2",
            Self::Arc { clockwise: false } => "G3",
            Self::Probe(2) => "G38.2",
            Self::Probe(3) => "G38.3",
            Self::Probe(4) => "G38.4",
            Self::Probe(_) => "G38.5",
            Self::Drill(73) => "G73",
            Self::Drill(81) => "G81",
            Self::Drill(82) => "G82",
            Self::Drill(83) => "G83",
            Self::Drill(85) => "G85",
            Self::Drill(86) => "G86",
            Self::Drill(_) => "G89",
            Self::None => "G80",
        }
    }
}

/// Arc plane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Plane {
    Xy,
    Zx,
    Yz,
}

impl Plane {
    pub(super) const fn of_tenths(tenths: u32) -> Self {
        match tenths {
            180 => Self::Zx,
            190 => Self::Yz,
            _ => Self::Xy,
        }
    }

    /// First and second axis of the plane and the offset letters of the centre.
    pub(super) const fn axes(self) -> [(usize, char); 2] {
        match self {
            Self::Xy => [(0, 'I'), (1, 'J')],
            Self::Zx => [(2, 'K'), (0, 'I')],
            Self::Yz => [(1, 'J'), (2, 'K')],
        }
    }

    /// The axis across it.
    pub(super) const fn across(self) -> Axis {
        match self {
            Self::Xy => Axis::Z,
            Self::Zx => Axis::Y,
            Self::Yz => Axis::X,
        }
    }

    const fn word(self) -> &'static str {
        match self {
            Self::Xy => "G17",
            Self::Zx => "G18",
            Self::Yz => "G19",
        }
    }
}

/// Which stored position G28/G30 mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TableOp {
    G28,
    G30,
}

/// M3, M4, M5.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SpindleMode {
    Off,
    Clockwise,
    CounterClockwise,
}

/// M7, M8, M9.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Coolant {
    Mist,
    Flood,
    Off,
}

/// Everything `$G` tells, and the parser's own position.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Modal {
    pub(super) motion: Motion,
    pub(super) wcs: usize,
    pub(super) plane: Plane,
    pub(super) inches: bool,
    pub(super) absolute: bool,
    pub(super) inverse_time: bool,
    pub(super) spindle: SpindleMode,
    pub(super) mist: bool,
    pub(super) flood: bool,
    pub(super) tool: u32,
    /// mm/min.
    pub(super) feed: f64,
    pub(super) speed: f64,
    pub(super) g92: AxisVec,
    pub(super) tlo: AxisVec,
    /// G99: a drilling cycle ends at R, not at the height before it.
    pub(super) retract_to_r: bool,
    /// What the drilling cycle keeps from hole to hole.
    pub(super) cycle: Cycle,
    /// Where the next move starts, machine coordinates.
    pub(super) position: AxisVec,
}

impl Modal {
    pub(super) fn new(axes: usize) -> Self {
        let zero = AxisVec::zeros(axes);
        Self {
            motion: Motion::Rapid,
            wcs: 0,
            plane: Plane::Xy,
            inches: false,
            absolute: true,
            inverse_time: false,
            spindle: SpindleMode::Off,
            mist: false,
            flood: false,
            tool: 0,
            feed: 0.0,
            speed: 0.0,
            g92: zero,
            tlo: zero,
            retract_to_r: false,
            cycle: Cycle::default(),
            position: zero,
        }
    }

    /// What a soft reset leaves: G92 only on grblHAL, the tool number only there.
    pub(super) fn after_reset(&self, firmware: Firmware, position: AxisVec) -> Self {
        let mut modal = Self { position, ..Self::new(position.len()) };
        if firmware == Firmware::GrblHal {
            modal.g92 = self.g92;
            modal.tool = self.tool;
        }
        modal
    }

    /// Millimetres per programmed unit.
    pub(super) const fn scale(&self) -> f64 {
        if self.inches { 25.4 } else { 1.0 }
    }

    /// The text of `[GC:…]`.
    pub(super) fn report(&self, firmware: Firmware) -> String {
        let hal = firmware == Firmware::GrblHal;
        let mut words = vec![
            self.motion.word(),
            WCS_NAMES[self.wcs],
            self.plane.word(),
            if self.inches { "G20" } else { "G21" },
            if self.absolute { "G90" } else { "G91" },
            if self.inverse_time { "G93" } else { "G94" },
        ];
        if hal {
            let tool_length = if self.tlo == AxisVec::zeros(self.tlo.len()) { "G49" } else { "G43.1" };
            let retract = if self.retract_to_r { "G99" } else { "G98" };
            words.extend(["G40", tool_length, retract, "G50"]);
        }
        words.push(match self.spindle {
            SpindleMode::Off => "M5",
            SpindleMode::Clockwise => "M3",
            SpindleMode::CounterClockwise => "M4",
        });
        if self.mist {
            words.push("M7");
        }
        if self.flood {
            words.push("M8");
        }
        if !self.mist && !self.flood {
            words.push("M9");
        }
        // grblHAL prints the speed with a decimal point and nothing behind it.
        let dot = if hal { "." } else { "" };
        format!("[GC:{} T{} F{} S{}{dot}]", words.join(" "), self.tool, self.feed / self.scale(), self.speed)
    }
}
