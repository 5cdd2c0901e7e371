//! What can be asked.

use serde::{Deserialize, Serialize};

use crate::model::axes::{Axis, AxisSet, AxisVec};
use crate::model::command::Origin;
use crate::model::machine::{Firmware, Offsets};
use crate::model::outputs::OutputOrder;
use crate::model::time::Time;

/// A work coordinate system, `G54` … `G59.3`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Wcs(u8);

const WCS_NAMES: [&str; 9] = ["G54", "G55", "G56", "G57", "G58", "G59", "G59.1", "G59.2", "G59.3"];

impl Wcs {
    /// Those that a firmware has: `G59.1`–`G59.3` are on grblHAL and FluidNC, but `G54`–`G59` are all that
    /// everyone has and all that is offered while nobody answers.
    pub fn all(firmware: Option<Firmware>) -> impl Iterator<Item = Self> {
        let count = match firmware {
            Some(Firmware::GrblHal | Firmware::FluidNc) => 9,
            Some(Firmware::Grbl) | None => 6,
        };
        (0..count).map(Self)
    }

    /// From `G54` and so on.
    pub fn from_name(name: &str) -> Option<Self> {
        WCS_NAMES.iter().position(|&n| n == name).map(|i| Self(i as u8))
    }

    /// `G54` and so on.
    pub const fn name(self) -> &'static str {
        WCS_NAMES[self.0 as usize]
    }

    /// `P` of `G10`: 1 for `G54`.
    pub const fn number(self) -> u8 {
        self.0 + 1
    }
}

/// A row of `$#`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Slot {
    /// A work coordinate system.
    Wcs(Wcs),
    /// A stored position.
    Stored(Stored),
    /// `G92`.
    G92,
    /// Tool length offset.
    Tlo,
}

impl Slot {
    /// From the name in `$#`.
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "G28" => Some(Self::Stored(Stored::G28)),
            "G30" => Some(Self::Stored(Stored::G30)),
            "G92" => Some(Self::G92),
            "TLO" => Some(Self::Tlo),
            _ => Wcs::from_name(name).map(Self::Wcs),
        }
    }

    /// The name in `$#`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Wcs(wcs) => wcs.name(),
            Self::Stored(stored) => stored.name(),
            Self::G92 => "G92",
            Self::Tlo => "TLO",
        }
    }
}

/// A position that the controller keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Stored {
    /// `G28`.
    G28,
    /// `G30`.
    G30,
}

impl Stored {
    /// `G28` or `G30`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::G28 => "G28",
            Self::G30 => "G30",
        }
    }
}

/// Some axes with a value each, mm or degrees.
pub type AxisValues = Vec<(Axis, f64)>;

/// A change of offsets. Nothing moves.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Work {
    /// Makes a coordinate system the active one.
    Select(Wcs),
    /// Makes the present position read these values in the active system (`G10 L20 P0`).
    Set(AxisValues),
    /// Makes the present position read half of what it reads now: the middle between zero and here becomes zero.
    Half(AxisSet),
    /// Stores the present position (`G28.1`, `G30.1`).
    Store(Stored),
    /// `G92.1`.
    ClearG92,
    /// `G43.1 Z`: tool length offset, mm.
    SetToolLength(f64),
    /// `G49`.
    ClearToolLength,
    /// Writes back what an entry of the history changed.
    Undo(u64),
}

/// What the numbers of a [`GoTo`] count from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Frame {
    /// The active work coordinate system.
    Work,
    /// The present position.
    Relative,
    /// Machine zero (`G53`).
    Machine,
}

/// A move to a place, at rapid or at a feed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum GoTo {
    /// To a point; axes that are not named do not move.
    Point {
        /// Axes and values.
        targets: AxisValues,
        /// What they count from.
        frame: Frame,
        /// mm/min; `None` at rapid.
        feed_mm_min: Option<f64>,
    },
    /// To the zero of the active work coordinate system: X, Y and the like first, Z last.
    WorkZero {
        /// Which axes.
        axes: AxisSet,
        /// Before anything else, Z goes to this machine position.
        lift_to_mm: Option<f64>,
    },
    /// To a stored position, all axes at once.
    Stored {
        /// Which.
        stored: Stored,
        /// Before anything else, Z goes to this machine position.
        lift_to_mm: Option<f64>,
    },
}

/// Spindle, coolant, outputs, and the modes of the controller.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum Switch {
    /// `M3` or `M4`.
    Spindle {
        /// Counter-clockwise (`M4`).
        counter_clockwise: bool,
        /// Speed.
        rpm: f64,
    },
    /// `M5`.
    SpindleOff,
    /// `M7`.
    Mist,
    /// `M8`.
    Flood,
    /// `M9`: both off.
    CoolantOff,
    /// `$SLP`.
    Sleep,
    /// `$C`: on, or off again.
    CheckMode,
    /// `M64`, `M65` or `M68`.
    Output(OutputOrder),
}

/// An entry of the history of offsets: read from the controller's own listing, so whoever made the change is in it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OffsetChange {
    /// Rises by one.
    pub id: u64,
    /// When it was seen.
    pub at: Time,
    /// Who asked; the hub where nobody did (a reset).
    pub who: Origin,
    /// What was asked, in short.
    pub what: String,
    /// Which offset.
    pub slot: Slot,
    /// Before, mm or degrees.
    pub before: AxisVec,
    /// After.
    pub after: AxisVec,
    /// It undid this entry.
    pub undoes: Option<u64>,
}

impl OffsetChange {
    /// The axes that changed.
    pub fn axes(&self) -> AxisSet {
        self.after
            .iter()
            .filter(|&(axis, after)| self.before.get(axis).is_none_or(|before| differs(before, after)))
            .map(|(axis, _)| axis)
            .collect()
    }

    /// The largest change of one axis.
    pub fn largest(&self) -> f64 {
        self.after.minus(&self.before).as_slice().iter().fold(0.0, |most, d| d.abs().max(most))
    }
}

/// Listings are rounded to three decimals.
pub(super) fn differs(a: f64, b: f64) -> bool {
    (a - b).abs() > 0.000_6
}

/// The newest change that is neither an undo nor undone.
pub fn newest_to_undo(history: &[OffsetChange]) -> Option<&OffsetChange> {
    history
        .iter()
        .rev()
        .find(|change| change.undoes.is_none() && !history.iter().any(|other| other.undoes == Some(change.id)))
}

/// What `active`, `G92` and the tool length make together, where all three are known (`WCO:` of a report).
pub fn work_offset_of(offsets: &Offsets, active: &str) -> Option<AxisVec> {
    let sum = offsets.get(active)?.plus(offsets.get("G92")?);
    let tool = offsets.get("TLO")?;
    if tool.len() == sum.len() {
        return Some(sum.plus(tool));
    }
    // Grbl tells one number, which is along Z.
    let mut sum = sum;
    sum.set(Axis::Z, sum.get(Axis::Z)? + tool.as_slice().first()?);
    Some(sum)
}
