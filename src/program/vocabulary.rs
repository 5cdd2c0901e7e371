//! What the G-codes and M-codes mean, and which of them exclude each other.
//!
//! Groups are those of RS274/NGC version 3, tables 4 and 7, as grblHAL `gcode.c` (`modal_groups_t`) numbers them.

use serde::{Deserialize, Serialize};

use super::block::Code;
use super::motion::Plane;

/// A modal group: at most one of its codes may stand in a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Group {
    /// Acts once: G4, G10, G28, G53, G92 …
    NonModal,
    /// G0, G1, G2 …
    Motion,
    /// G17 …
    Plane,
    /// G90, G91.
    Distance,
    /// G90.1, G91.1.
    ArcDistance,
    /// G93 …
    FeedMode,
    /// G20, G21.
    Units,
    /// G40 …
    CutterRadius,
    /// G43 …
    ToolLength,
    /// G98, G99.
    Return,
    /// G50, G51.
    Scaling,
    /// G54 …
    System,
    /// G61, G64.
    PathControl,
    /// G96, G97.
    SpindleMode,
    /// G7, G8.
    Diameter,
    /// M0, M1, M2, M30, M60.
    Stop,
    /// M62 to M68.
    Io,
    /// M6, M61.
    ToolChange,
    /// M3, M4, M5.
    Spindle,
    /// M7, M8, M9.
    Coolant,
    /// M48 to M53, M56.
    Override,
    /// Codes of a driver or plugin.
    User,
}

impl Group {
    /// A bit of its own.
    pub const fn bit(self) -> u32 {
        1 << self as u8
    }

    /// For messages.
    pub const fn name(self) -> &'static str {
        match self {
            Self::NonModal => "actions that happen once",
            Self::Motion => "motion",
            Self::Plane => "planes",
            Self::Distance => "distance modes",
            Self::ArcDistance => "arc distance modes",
            Self::FeedMode => "feed modes",
            Self::Units => "units",
            Self::CutterRadius => "cutter compensation",
            Self::ToolLength => "tool length offsets",
            Self::Return => "return levels",
            Self::Scaling => "scaling",
            Self::System => "coordinate systems",
            Self::PathControl => "path control",
            Self::SpindleMode => "spindle speed modes",
            Self::Diameter => "lathe diameter modes",
            Self::Stop => "stops",
            Self::Io => "inputs and outputs",
            Self::ToolChange => "tool changes",
            Self::Spindle => "spindle",
            Self::Coolant => "coolant",
            Self::Override => "override switches",
            Self::User => "codes of plugins",
        }
    }
}

/// Motion mode.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum MotionMode {
    /// G0.
    Rapid,
    /// G1.
    Linear,
    /// G2.
    ArcCw,
    /// G3.
    ArcCcw,
    /// G5.
    CubicSpline,
    /// G5.1.
    QuadraticSpline,
    /// G33.
    SpindleSynchronized,
    /// G38.n.
    Probe(u8),
    /// G76.
    Threading,
    /// A drilling cycle: 73, 81 to 89.
    Drill(u8),
    /// G80.
    None,
}

impl MotionMode {
    /// The code in tenths.
    pub const fn code(self) -> Code {
        match self {
            Self::Rapid => 0,
            Self::Linear => 10,
            Self::ArcCw => 20,
            Self::ArcCcw => 30,
            Self::CubicSpline => 50,
            Self::QuadraticSpline => 51,
            Self::SpindleSynchronized => 330,
            Self::Probe(n) => 380 + n as Code,
            Self::Threading => 760,
            Self::Drill(n) => n as Code * 10,
            Self::None => 800,
        }
    }

    /// It goes at feed, so that it needs one.
    pub const fn needs_feed(self) -> bool {
        !matches!(self, Self::Rapid | Self::None | Self::SpindleSynchronized | Self::Threading)
    }

    /// It takes material away.
    pub const fn cuts(self) -> bool {
        self.needs_feed() && !matches!(self, Self::Probe(_))
            || matches!(self, Self::SpindleSynchronized | Self::Threading)
    }
}

/// Millimetres or inches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Units {
    /// G21.
    Mm,
    /// G20.
    Inch,
}

/// How coordinates are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Distance {
    /// G90, or G90.1 for arc centres.
    Absolute,
    /// G91, or G91.1 for arc centres.
    Relative,
}

/// What `F` means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum FeedMode {
    /// G93: one over the minutes that the block takes.
    InverseTime,
    /// G94.
    PerMinute,
    /// G95.
    PerRevolution,
}

/// Which way the spindle turns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Spindle {
    /// M3.
    Clockwise,
    /// M4; in laser mode: power that follows the speed.
    CounterClockwise,
    /// M5.
    Off,
}

/// Tool length offset.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ToolLength {
    /// G49.
    Cancelled,
    /// G43 with the number of a tool, if named.
    Table(Option<u32>),
    /// G43.1: lengths given in the program, see [`Modal::tool_offset_mm`](super::Modal::tool_offset_mm).
    Dynamic,
}

/// Where a drilling cycle goes back to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Return {
    /// G98.
    Initial,
    /// G99.
    R,
}

/// Actions that happen once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NonModal {
    /// G4.
    Dwell,
    /// G10.
    SetData,
    /// G28 or G30.
    GoStored(u8),
    /// G28.1 or G30.1.
    Store(u8),
    /// G53.
    MachineCoordinates,
    /// G92.
    SetOffset,
    /// G92.1.
    ClearOffset,
    /// G92.2.
    SuspendOffset,
    /// G92.3.
    RestoreOffset,
}

/// What a G-code says.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum G {
    /// See [`NonModal`].
    NonModal(NonModal),
    /// See [`MotionMode`].
    Motion(MotionMode),
    /// G17, G18, G19.
    Plane(Plane),
    /// G90, G91.
    Distance(Distance),
    /// G90.1, G91.1.
    ArcDistance(Distance),
    /// G93, G94, G95.
    FeedMode(FeedMode),
    /// G20, G21.
    Units(Units),
    /// G40 (`false`), G41, G42.
    CutterRadius(bool),
    /// G43, G43.1, G49.
    ToolLength(ToolLength),
    /// G98, G99.
    Return(Return),
    /// G50, G51.
    Scaling(bool),
    /// 1 is G54 … 9 is G59.3.
    System(u8),
    /// G61, G61.1, G64: the code in tenths.
    PathControl(Code),
    /// G96 (`true`), G97.
    ConstantSurfaceSpeed(bool),
    /// G7 (`true`), G8.
    Diameter(bool),
}

impl G {
    /// What a code in tenths says; `None`: no controller of these families has it.
    pub const fn of(code: Code) -> Option<Self> {
        Some(match code {
            0 => Self::Motion(MotionMode::Rapid),
            10 => Self::Motion(MotionMode::Linear),
            20 => Self::Motion(MotionMode::ArcCw),
            30 => Self::Motion(MotionMode::ArcCcw),
            40 => Self::NonModal(NonModal::Dwell),
            50 => Self::Motion(MotionMode::CubicSpline),
            51 => Self::Motion(MotionMode::QuadraticSpline),
            70 | 80 => Self::Diameter(code == 70),
            100 => Self::NonModal(NonModal::SetData),
            170 => Self::Plane(Plane::Xy),
            180 => Self::Plane(Plane::Zx),
            190 => Self::Plane(Plane::Yz),
            200 => Self::Units(Units::Inch),
            210 => Self::Units(Units::Mm),
            280 | 300 => Self::NonModal(NonModal::GoStored((code / 10) as u8)),
            281 | 301 => Self::NonModal(NonModal::Store((code / 10) as u8)),
            330 => Self::Motion(MotionMode::SpindleSynchronized),
            382..=385 => Self::Motion(MotionMode::Probe((code % 10) as u8)),
            400 => Self::CutterRadius(false),
            410 | 420 => Self::CutterRadius(true),
            430 | 432 => Self::ToolLength(ToolLength::Table(None)),
            431 => Self::ToolLength(ToolLength::Dynamic),
            490 => Self::ToolLength(ToolLength::Cancelled),
            500 | 510 => Self::Scaling(code == 510),
            530 => Self::NonModal(NonModal::MachineCoordinates),
            540 | 550 | 560 | 570 | 580 | 590 => Self::System((code / 10 - 53) as u8),
            591..=593 => Self::System((code - 584) as u8),
            610 | 611 | 640 => Self::PathControl(code),
            730 | 810 | 820 | 830 | 840 | 850 | 860 | 870 | 880 | 890 => {
                Self::Motion(MotionMode::Drill((code / 10) as u8))
            }
            760 => Self::Motion(MotionMode::Threading),
            800 => Self::Motion(MotionMode::None),
            900 => Self::Distance(Distance::Absolute),
            910 => Self::Distance(Distance::Relative),
            901 => Self::ArcDistance(Distance::Absolute),
            911 => Self::ArcDistance(Distance::Relative),
            920 => Self::NonModal(NonModal::SetOffset),
            921 => Self::NonModal(NonModal::ClearOffset),
            922 => Self::NonModal(NonModal::SuspendOffset),
            923 => Self::NonModal(NonModal::RestoreOffset),
            930 => Self::FeedMode(FeedMode::InverseTime),
            940 => Self::FeedMode(FeedMode::PerMinute),
            950 => Self::FeedMode(FeedMode::PerRevolution),
            960 | 970 => Self::ConstantSurfaceSpeed(code == 960),
            980 => Self::Return(Return::Initial),
            990 => Self::Return(Return::R),
            _ => return None,
        })
    }

    /// Its modal group.
    pub const fn group(self) -> Group {
        match self {
            Self::NonModal(_) => Group::NonModal,
            Self::Motion(_) => Group::Motion,
            Self::Plane(_) => Group::Plane,
            Self::Distance(_) => Group::Distance,
            Self::ArcDistance(_) => Group::ArcDistance,
            Self::FeedMode(_) => Group::FeedMode,
            Self::Units(_) => Group::Units,
            Self::CutterRadius(_) => Group::CutterRadius,
            Self::ToolLength(_) => Group::ToolLength,
            Self::Return(_) => Group::Return,
            Self::Scaling(_) => Group::Scaling,
            Self::System(_) => Group::System,
            Self::PathControl(_) => Group::PathControl,
            Self::ConstantSurfaceSpeed(_) => Group::SpindleMode,
            Self::Diameter(_) => Group::Diameter,
        }
    }
}

/// Modal group of an M-code in tenths.
pub const fn m_group(code: Code) -> Group {
    match code {
        0 | 10 | 20 | 300 | 600 => Group::Stop,
        30 | 40 | 50 => Group::Spindle,
        60 | 610 => Group::ToolChange,
        70..=90 => Group::Coolant,
        480 | 490 | 500 | 510 | 530 | 560 => Group::Override,
        620..=680 => Group::Io,
        _ => Group::User,
    }
}

/// A code as people write it: 382 is `38.2`.
pub fn number_of(code: Code) -> String {
    if code.is_multiple_of(10) { (code / 10).to_string() } else { format!("{}.{}", code / 10, code % 10) }
}
