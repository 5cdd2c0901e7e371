//! The modal state of a controller that has carried out a program up to some line, as far as the program tells.

use serde::{Deserialize, Serialize};

use super::block::Code;
use super::motion::{Plane, Point};
use super::vocabulary::{Distance, FeedMode, MotionMode, Return, Spindle, ToolLength, Units, number_of};
use crate::model::axes::MAX_AXES;
use crate::model::program::report::Frame;

/// What happened to the G92 offset.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum G92 {
    /// The program has not touched it.
    #[default]
    Untouched,
    /// G92 or G92.3: what it is depends on where the machine stood; `$#` tells it.
    Set,
    /// G92.1 or G92.2.
    Cleared,
}

/// Every modal group, and what goes with them. `None`: the program has not named it; the controller keeps what it had.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Modal {
    /// G0, G1, …
    pub motion: Option<MotionMode>,
    /// G17, G18, G19.
    pub plane: Option<Plane>,
    /// G20, G21.
    pub units: Option<Units>,
    /// G90, G91.
    pub distance: Option<Distance>,
    /// G90.1, G91.1.
    pub arc_distance: Option<Distance>,
    /// G93, G94, G95.
    pub feed_mode: Option<FeedMode>,
    /// Coordinate system: 1 is G54 … 9 is G59.3.
    pub system: Option<u8>,
    /// G43, G43.1, G49.
    pub tool_length: Option<ToolLength>,
    /// Lengths of G43.1 in mm, one for each axis.
    pub tool_offset_mm: [f64; MAX_AXES],
    /// G98, G99.
    pub retract: Option<Return>,
    /// G61, G61.1, G64, in tenths.
    pub path_control: Option<Code>,
    /// G96 (`true`), G97.
    pub constant_surface_speed: Option<bool>,
    /// G7 (`true`), G8.
    pub diameter: Option<bool>,
    /// G51 (`true`), G50.
    pub scaling: Option<bool>,
    /// M3, M4, M5.
    pub spindle: Option<Spindle>,
    /// `S`, as given: rpm, or laser power.
    pub speed_rpm: Option<f64>,
    /// M7.
    pub mist: Option<bool>,
    /// M8.
    pub flood: Option<bool>,
    /// `T`: the tool that the next M6 changes to.
    pub tool: Option<u32>,
    /// The tool of the last M6 or M61.
    pub tool_in_spindle: Option<u32>,
    /// The feed in force, in mm/min (G94) or mm/rev (G95). None after a change of the feed mode, and always in G93, where each
    /// block has its own.
    pub feed_mm: Option<f64>,
    /// The last of M48 and M49.
    pub overrides: Option<Code>,
    /// The G92 offset.
    pub g92: G92,
    /// The program wrote work offsets by itself (G10), so that coordinates mean something else than at its start.
    pub offsets_written: bool,
    /// The program switches outputs of the controller (M62 to M68).
    pub outputs_switched: bool,
    /// Where the tool is.
    pub place: Place,
}

/// Where the tool is, in both sorts of coordinates, as far as the program tells.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Place {
    /// Work coordinates, mm and degrees. An axis that is not in `known` counts from where it stood.
    pub work: Point,
    /// Axes of `work` that are known, bit n is axis n.
    pub known: u16,
    /// Machine coordinates (G53).
    pub machine: Point,
    /// Axes of `machine` that are known.
    pub machine_known: u16,
}

impl Modal {
    /// The coordinates that a motion is in now.
    pub fn frame(&self) -> Frame {
        self.system.map_or(Frame::Active, Frame::Work)
    }

    /// The words that bring a controller to this state, one for each group that the program has named, in the order in which
    /// a block is carried out. Motion mode, feed, speed, tool, spindle and coolant are not among them, nor is what needs
    /// values (G43, G43.1, G51, G92).
    pub fn words(&self) -> Vec<String> {
        let codes = [
            self.feed_mode.map(|mode| match mode {
                FeedMode::InverseTime => 930,
                FeedMode::PerMinute => 940,
                FeedMode::PerRevolution => 950,
            }),
            self.plane.map(|plane| match plane {
                Plane::Xy => 170,
                Plane::Zx => 180,
                Plane::Yz => 190,
            }),
            self.units.map(|units| if units == Units::Inch { 200 } else { 210 }),
            (self.tool_length == Some(ToolLength::Cancelled)).then_some(490),
            self.system.map(system_code),
            self.path_control,
            self.distance.map(|distance| if distance == Distance::Absolute { 900 } else { 910 }),
            self.arc_distance.map(|distance| if distance == Distance::Absolute { 901 } else { 911 }),
            self.diameter.map(|on| if on { 70 } else { 80 }),
            self.constant_surface_speed.map(|on| if on { 960 } else { 970 }),
            self.retract.map(|to| if to == Return::Initial { 980 } else { 990 }),
        ];
        codes.into_iter().flatten().map(|code| format!("G{}", number_of(code))).collect()
    }
}

/// G54 is 540 … G59.3 is 593.
const fn system_code(system: u8) -> Code {
    if system <= 6 { (53 + system as Code) * 10 } else { 584 + system as Code }
}
