//! What a controller says of itself: firmware, state, status fields, modal state.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::axes::{Axis, AxisSet, AxisVec, MAX_AXES};

/// The firmware families that sunmill runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Firmware {
    /// gnea/grbl 1.1 and its close relatives.
    Grbl,
    /// bdring/FluidNC 3.x and 4.x.
    FluidNc,
    /// grblHAL core 1.1f.
    GrblHal,
}

impl fmt::Display for Firmware {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Grbl => "Grbl",
            Self::FluidNc => "FluidNC",
            Self::GrblHal => "grblHAL",
        })
    }
}

/// What `$I` (and the banner) told.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Identity {
    /// The family.
    pub firmware: Firmware,
    /// Version text as printed, e.g. `1.1h.20190830` or `v4.0.5`.
    pub version: String,
    /// Machine or board name, where it is told.
    pub name: Option<String>,
    /// Option letters of `[OPT:]`.
    pub options: String,
    /// Planner blocks, where told.
    pub planner_blocks: Option<u16>,
    /// Receive buffer in bytes, where told.
    pub rx_bytes: Option<u16>,
    /// Number of axes, where told (`[AXS:]`).
    pub axes: Option<u8>,
}

/// The word at the head of a status report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum StateKind {
    /// Ready, nothing moves.
    Idle,
    /// Executing G-code.
    Run,
    /// Feed hold; sub-state 0 stopped, 1 still slowing.
    Hold,
    /// Jogging.
    Jog,
    /// Locked. grblHAL may give the alarm code as sub-state.
    Alarm,
    /// Safety door; 0 closed and ready, 1 ajar, 2 slowing, 3 restoring.
    Door,
    /// G-code check mode (`$C`).
    Check,
    /// Homing.
    Home,
    /// Asleep; only a reset wakes it.
    Sleep,
    /// grblHAL waits for a tool change.
    Tool,
    /// FluidNC is starting.
    Starting,
    /// FluidNC prints an empty state word while "Held".
    Held,
}

/// State and its sub-state as reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct MachineState {
    /// The state word.
    pub kind: StateKind,
    /// The number after the colon, where there is one.
    pub sub: Option<u8>,
}

impl MachineState {
    /// A state without a sub-state.
    pub const fn plain(kind: StateKind) -> Self {
        Self { kind, sub: None }
    }

    /// A state with a sub-state.
    pub const fn with_sub(kind: StateKind, sub: u8) -> Self {
        Self { kind, sub: Some(sub) }
    }

    /// The machine stands still and a reset would keep its position (`Idle`, `Hold:0`, `Door:0`, `Check`).
    pub const fn is_standstill(self) -> bool {
        matches!(
            (self.kind, self.sub),
            (StateKind::Idle | StateKind::Check | StateKind::Held, _)
                | (StateKind::Hold, Some(0))
                | (StateKind::Door, Some(0 | 1))
        )
    }

    /// Something may be moving in this state.
    pub const fn is_moving(self) -> bool {
        match self.kind {
            StateKind::Run | StateKind::Jog | StateKind::Home => true,
            StateKind::Hold => !matches!(self.sub, Some(0)),
            StateKind::Door => matches!(self.sub, Some(2..=4)),
            _ => false,
        }
    }
}

impl fmt::Display for MachineState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            StateKind::Held => f.write_str("Hold")?,
            kind => write!(f, "{kind:?}")?,
        }
        match self.sub {
            Some(sub) => write!(f, ":{sub}"),
            None => Ok(()),
        }
    }
}

/// Input pins that are active now, by the letters of `Pn:`. What a letter means depends on the firmware.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Pins(u64);

impl Pins {
    /// No pin active.
    pub const NONE: Self = Self(0);

    fn bit(letter: char) -> Option<u64> {
        let n = match letter {
            'A'..='Z' => letter as u32 - 'A' as u32,
            '0'..='9' => 26 + letter as u32 - '0' as u32,
            'a'..='z' => 36 + letter as u32 - 'a' as u32,
            _ => return None,
        };
        Some(1 << n)
    }

    /// From the text of a `Pn:` field; other characters are ignored.
    pub fn from_letters(text: &str) -> Self {
        Self(text.chars().filter_map(Self::bit).fold(0, |set, bit| set | bit))
    }

    /// Whether this letter is active.
    pub fn contains(self, letter: char) -> bool {
        Self::bit(letter).is_some_and(|bit| self.0 & bit != 0)
    }

    /// No pin active.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The active letters: A–Z, 0–9, a–z.
    pub fn iter(self) -> impl Iterator<Item = char> {
        ('A'..='Z').chain('0'..='9').chain('a'..='z').filter(move |&c| self.contains(c))
    }
}

impl fmt::Debug for Pins {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl fmt::Display for Pins {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.iter().try_for_each(|c| write!(f, "{c}"))
    }
}

/// Override percentages (`Ov:`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Overrides {
    /// Feed, 10–200 %.
    pub feed: u16,
    /// Rapid, 25, 50 or 100 %.
    pub rapid: u16,
    /// Spindle, 10–200 %.
    pub spindle: u16,
}

/// What is switched on (`A:`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Accessories {
    /// Spindle clockwise.
    pub spindle_cw: bool,
    /// Spindle counter-clockwise.
    pub spindle_ccw: bool,
    /// Flood coolant.
    pub flood: bool,
    /// Mist coolant.
    pub mist: bool,
    /// grblHAL: a tool change is pending.
    pub tool_change: bool,
}

/// Free places in the controller's buffers (`Bf:`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BufferFree {
    /// Free planner blocks.
    pub planner: u16,
    /// Free receive buffer bytes.
    pub rx: u16,
}

/// The position field of one report; the other frame is computed with the last `WCO:`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum ReportedPosition {
    /// `MPos:`.
    Machine(AxisVec),
    /// `WPos:`.
    Work(AxisVec),
}

/// One status report, field by field. Fields that a report leaves out are `None`, which does *not*
/// mean zero (only `pins` is complete in every report: no `Pn:` field means no active pin).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StatusReport {
    /// State word and sub-state.
    pub state: MachineState,
    /// Position, if the report held a readable one.
    pub position: Option<ReportedPosition>,
    /// `Bf:`.
    pub buffer: Option<BufferFree>,
    /// `Ln:`.
    pub line: Option<u32>,
    /// Real-time feed in mm/min (or inch/min with `$13=1`), from `F:` or `FS:`.
    pub feed: Option<f64>,
    /// Programmed spindle speed in rpm, from `FS:`.
    pub spindle_rpm: Option<f64>,
    /// Measured spindle speed in rpm, third number of grblHAL's `FS:`.
    pub spindle_actual_rpm: Option<f64>,
    /// `WCO:`.
    pub wco: Option<AxisVec>,
    /// `Ov:`.
    pub overrides: Option<Overrides>,
    /// `A:`. A report with `Ov:` and without `A:` means all off on Grbl and FluidNC: given as `Some(default)`.
    pub accessories: Option<Accessories>,
    /// `Pn:`.
    pub pins: Pins,
    /// `SD:` percentage and path of a file job on the controller.
    pub sd: Option<(f32, String)>,
    /// grblHAL `WCS:`.
    pub wcs: Option<String>,
    /// grblHAL `H:`: homed, and which axes where told.
    pub homed: Option<(bool, Option<AxisSet>)>,
    /// grblHAL `T:`.
    pub tool: Option<u32>,
    /// grblHAL `TLR:` tool length reference set.
    pub tlr: Option<bool>,
    /// grblHAL `MPG:`: a pendant has the controller.
    pub mpg: Option<bool>,
    /// grblHAL `Sc:`: axes that are scaled.
    pub scaled: Option<AxisSet>,
    /// Names of fields that are not known, for the record.
    pub unknown: Vec<String>,
}

impl StatusReport {
    /// A report that tells nothing but the state.
    pub const fn of(state: MachineState) -> Self {
        Self {
            state,
            position: None,
            buffer: None,
            line: None,
            feed: None,
            spindle_rpm: None,
            spindle_actual_rpm: None,
            wco: None,
            overrides: None,
            accessories: None,
            pins: Pins::NONE,
            sd: None,
            wcs: None,
            homed: None,
            tool: None,
            tlr: None,
            mpg: None,
            scaled: None,
            unknown: Vec::new(),
        }
    }
}

/// Modal state from `$G` (`[GC:…]`): the words as told, without the line's brackets.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ModalState {
    /// Words in order, e.g. `["G0", "G54", "G17", …, "F0", "S0"]`.
    pub words: Vec<String>,
}

impl ModalState {
    /// Whether a word such as `G20` is active.
    pub fn has(&self, word: &str) -> bool {
        self.words.iter().any(|w| w == word)
    }

    /// The active work coordinate system, `G54` … `G59.3`.
    pub fn wcs(&self) -> Option<&str> {
        self.words
            .iter()
            .map(String::as_str)
            .find(|w| matches!(*w, "G54" | "G55" | "G56" | "G57" | "G58" | "G59" | "G59.1" | "G59.2" | "G59.3"))
    }
}

/// One severity scale for `[MSG:…]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum MessageLevel {
    /// FluidNC verbose.
    Verbose,
    /// FluidNC debug.
    Debug,
    /// Plain messages.
    Info,
    /// Warnings.
    Warning,
    /// Errors.
    Error,
}

/// Row of the alarm table, chosen by firmware (`assets/alarms.json`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlarmInfo {
    /// The number of `ALARM:n`.
    pub code: u16,
    /// Short name, e.g. `hard_limit`.
    pub name: String,
    /// What happened.
    pub meaning: String,
    /// What to do.
    pub remedy: String,
    /// Nothing but a soft reset is accepted first.
    pub needs_soft_reset: bool,
    /// Whether position can be trusted afterwards; `None`: depends.
    pub position_lost: Option<bool>,
}

/// Row of the error table, chosen by firmware (`assets/errors.json`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorInfo {
    /// The number of `error:n`.
    pub code: u16,
    /// Short name.
    pub name: String,
    /// What it means.
    pub meaning: String,
    /// What to do.
    pub remedy: String,
}

/// Travel, rates and accelerations, one table for every path that moves (`$110`–`$132`).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Limits {
    /// Maximum rate per axis, mm/min or deg/min.
    pub max_rate_mm_min: AxisVec,
    /// Acceleration per axis, mm/s² or deg/s².
    pub acceleration_mm_s2: AxisVec,
    /// Travel per axis, mm or deg.
    pub travel_mm: AxisVec,
    /// `$20`: soft limits on.
    pub soft_limits: Option<bool>,
    /// `$21`: hard limits on.
    pub hard_limits: Option<bool>,
    /// `$22`: homing cycle on.
    pub homing: Option<bool>,
    /// `$13`: reports in inches.
    pub report_inches: Option<bool>,
    /// `$23`: axes that home toward minus.
    pub homes_negative: Option<AxisSet>,
    /// `$22` as a number; on grblHAL bit 3 puts machine zero at the switch, whichever end that is.
    pub homing_flags: Option<u32>,
    /// `$30`: highest spindle speed, rpm.
    pub spindle_max_rpm: Option<f64>,
    /// Ends of each axis in machine coordinates as FluidNC prints them (`Axis X (0.000,300.000)`).
    pub told_range: [Option<(f64, f64)>; MAX_AXES],
}

impl Limits {
    /// Lowest and highest machine position of an axis, mm or deg. `None`: not known.
    ///
    /// FluidNC tells it. Grbl and grblHAL count from the top down (`0 … −travel`), wherever the switch is, unless
    /// built (Grbl option letter `Z`, `HOMING_FORCE_SET_ORIGIN`) or set (grblHAL `$22` bit 3) to put zero at the
    /// switch; then an axis that homes toward minus (`$23`) counts up (Grbl `system_check_travel_limits`, grblHAL
    /// `limits_set_work_envelope`).
    pub fn machine_range(&self, axis: Axis, identity: Option<&Identity>) -> Option<(f64, f64)> {
        let identity = identity?;
        let told = *self.told_range.get(axis.index())?;
        let zero_at_switch = match identity.firmware {
            Firmware::FluidNc => return told,
            Firmware::Grbl => identity.options.contains('Z'),
            Firmware::GrblHal => self.homing_flags? & 8 != 0,
        };
        let travel = self.travel_mm.get(axis).filter(|&travel| travel > 0.0)?;
        if zero_at_switch && self.homes_negative?.contains(axis) { Some((0.0, travel)) } else { Some((-travel, 0.0)) }
    }
}

/// Values of `$#`, by name (`G54` … `G59.3`, `G28`, `G30`, `G92`, `TLO`).
pub type Offsets = BTreeMap<String, AxisVec>;

/// Result of a probe cycle (`[PRB:…]`), machine coordinates.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ProbeResult {
    /// Where the probe triggered (or the last known point).
    pub position: AxisVec,
    /// Whether it made contact.
    pub success: bool,
}
