//! What differs between the firmwares and can be told in a table.

use std::time::Duration;

use crate::model::Firmware;

/// Fixed traits of a firmware.
#[derive(Clone, Copy, Debug)]
pub(super) struct Profile {
    /// Bytes the receive ring holds.
    pub(super) rx_bytes: usize,
    /// Bytes past that are lost (Grbl, grblHAL), or queued in main memory (FluidNC).
    pub(super) rx_drops: bool,
    /// Planner blocks that can be queued.
    pub(super) blocks: usize,
    /// Longest line, in the firmware's own way of counting.
    pub(super) line_bytes: usize,
    /// Error of a longer line.
    pub(super) line_error: u16,
    /// Line end of what it prints.
    pub(super) eol: &'static str,
    /// Banner, without the empty line before it.
    pub(super) banner: &'static str,
    /// Between `ALARM:n` and what follows it (the firmwares wait for the output to drain).
    pub(super) alarm_pause: Duration,
    /// `G59.1`–`G59.3` exist.
    pub(super) extended_wcs: bool,
}

impl Profile {
    pub(super) const fn of(firmware: Firmware) -> Self {
        match firmware {
            Firmware::Grbl => Self {
                rx_bytes: 128,
                rx_drops: true,
                blocks: 15,
                line_bytes: 79,
                line_error: 11,
                eol: "\r\n",
                banner: "Grbl 1.1h ['$' for help]",
                alarm_pause: Duration::from_millis(530),
                extended_wcs: false,
            },
            Firmware::FluidNc => Self {
                rx_bytes: 128,
                rx_drops: false,
                blocks: 15,
                line_bytes: 127,
                line_error: 14,
                eol: "\n",
                banner: "Grbl 4.0 [FluidNC v4.0.5 (sim) '$' for help]",
                alarm_pause: Duration::from_millis(500),
                extended_wcs: true,
            },
            Firmware::GrblHal => Self {
                rx_bytes: 1023,
                rx_drops: true,
                blocks: 100,
                line_bytes: 256,
                line_error: 11,
                eol: "\r\n",
                banner: "GrblHAL 1.1f ['$' or '$HELP' for help]",
                alarm_pause: Duration::from_millis(100),
                extended_wcs: true,
            },
        }
    }
}

/// FluidNC's name of an alarm, as it prints it before `ALARM:n`.
pub(super) const fn fluid_alarm_name(code: u16) -> &'static str {
    match code {
        1 => "Hard Limit",
        2 => "Soft Limit",
        3 => "Abort Cycle",
        4 => "Probe Fail Initial",
        5 => "Probe Fail Contact",
        6 => "Homing Fail Reset",
        7 => "Homing Fail Door",
        8 => "Homing Fail Pulloff",
        9 => "Homing Fail Approach",
        10 => "Spindle Control",
        11 => "Control Pin Initially On",
        12 => "Ambiguous Switch",
        13 => "Hard Stop",
        14 => "Unhomed",
        15 => "Init",
        16 => "Expander Reset",
        17 => "GCode Error",
        18 => "Probe Hard Limit",
        _ => "Unknown",
    }
}

/// FluidNC's text of an error, as it prints it after `error:n`.
pub(super) const fn fluid_error_text(code: u16) -> &'static str {
    match code {
        1 => "Expected GCodecommand letter",
        2 => "Bad GCode number format",
        3 => "Invalid $ statement",
        4 => "Negative value",
        5 => "Setting disabled",
        8 => "Command requires idle state",
        9 => "GCode cannot be executed in lock or alarm state",
        14 => "Line too long",
        15 => "Jog target exceeds travel limits",
        16 => "Invalid jog command",
        20 => "Unsupported GCode command",
        21 => "Gcode modal group violation",
        22 => "Gcode undefined feed rate",
        23 => "Gcode command value not integer",
        24 => "Gcode axis command conflict",
        25 => "Gcode word repeated",
        26 => "Gcode no axis words",
        27 => "Gcode invalid line number",
        28 => "Gcode value word missing",
        29 => "Gcode unsupported coordinate system",
        30 => "Gcode G53 invalid motion mode",
        31 => "Gcode extra axis words",
        32 => "Gcode no axis words in plane",
        33 => "Gcode invalid target",
        34 => "Gcode arc radius error",
        35 => "Gcode no offsets in plane",
        36 => "Gcode unused words",
        37 => "Gcode G43 dynamic axis error",
        38 => "Gcode max value exceeded",
        60 => "Failed to mount device",
        80 => "Invalid value for setting",
        120 => "Another interface is busy",
        152 => "Configuration is invalid. Check boot messages for ERR's.",
        162 => "Read-only setting",
        176 => "Flow Control Syntax Error",
        _ => "Unknown error",
    }
}
