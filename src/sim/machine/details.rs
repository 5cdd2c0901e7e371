//! What grblHAL tells of its settings: `$EG`, `$ES`, `$ESH`.

use crate::model::AxisSet;

use super::core::Machine;

/// Number, group, name, unit, data type, format, least, largest, needs a restart, description.
type Detail = (u16, u8, &'static str, &'static str, u8, &'static str, &'static str, &'static str, u8, &'static str);

const GROUPS: [&str; 8] = [
    "0|0|Root",
    "1|0|General",
    "3|0|Limits",
    "6|0|Spindle",
    "9|0|Tool change",
    "11|0|Homing",
    "35|0|Stepper",
    "42|0|Axis",
];

const DETAILS: [Detail; 27] = [
    (0, 35, "Step pulse time", "microseconds", 6, "#0.0", "2.0", "", 0, "Step pulse length in microseconds."),
    (1, 35, "Step idle delay", "milliseconds", 5, "####0", "", "65535", 0, "Value 255 keeps motors enabled."),
    (2, 35, "Step pulse invert", "", 4, "", "", "", 0, "Inverts the step signals (active low)."),
    (3, 35, "Step direction invert", "", 4, "", "", "", 0, "Inverts the direction signals (active low)."),
    (4, 35, "Invert stepper enable output(s)", "", 4, "", "", "", 0, "Inverts the stepper driver enable signals."),
    (5, 3, "Invert limit inputs", "", 4, "", "", "", 0, "Inverts the axis limit input signals."),
    (6, 11, "Invert probe inputs", "", 1, "Probe", "", "", 0, "Inverts the probe input signal(s)."),
    (10, 1, "Status report options", "", 1, REPORT, "", "", 0, "Specifies optional data included in status reports."),
    (11, 1, "Junction deviation", "mm", 6, "#####0.000", "", "", 0, "Lower value slows it down."),
    (12, 1, "Arc tolerance", "mm", 6, "#####0.000", "", "", 0, "Sets the G2 and G3 arc tracing accuracy."),
    (13, 1, "Report in inches", "", 0, "", "", "", 0, "Enables inch units in reports."),
    (20, 3, "Soft limits enable", "", 0, "", "", "", 0, "Requires homing."),
    (21, 3, "Hard limits enable", "", 2, "Enable,Strict mode", "", "", 0, "Stops at a limit switch."),
    (22, 11, "Homing cycle", "", 2, HOMING, "", "", 0, "Enables homing cycle.\\n\\nRequires limit switches."),
    (23, 11, "Homing direction invert", "", 4, "", "", "", 0, "Homes toward minus."),
    (24, 11, "Homing locate feed rate", "mm/min", 6, "#####0.0", "", "", 0, "Second approach."),
    (25, 11, "Homing search seek rate", "mm/min", 6, "#####0.0", "", "", 0, "First approach."),
    (26, 11, "Homing switch debounce delay", "milliseconds", 5, "##0", "", "", 0, ""),
    (27, 11, "Homing switch pull-off distance", "mm", 6, "#####0.000", "", "", 0, ""),
    (30, 6, "Maximum spindle speed", "RPM", 6, "#####0.000", "", "", 0, ""),
    (31, 6, "Minimum spindle speed", "RPM", 6, "#####0.000", "", "", 0, ""),
    (32, 1, "Mode of operation", "", 3, "Normal,Laser mode,Lathe mode", "", "", 0, ""),
    (40, 1, "Limit jog commands", "", 0, "", "", "", 0, "Limit jog commands to machine limits."),
    (62, 1, "Sleep enable", "", 0, "", "", "", 0, ""),
    (341, 9, "Tool change mode", "", 3, "Normal,Manual touch off,Manual touch off @ G59.3", "", "", 0, ""),
    (392, 6, "Spindle on delay", "s", 6, "#0.0", "0.5", "20", 0, ""),
    (481, 1, "Autoreport interval", "ms", 5, "###0", "100", "1000", 1, ""),
];

const REPORT: &str = "Position in machine coordinate,Buffer state,Line numbers,Feed & speed,Pin state,\
    Work coordinate offset,Overrides,Probe coordinates,Buffer sync on WCO change";
const HOMING: &str = "Enable,Enable single axis commands,Homing on startup required,Set machine origin to 0";

/// The four numbers of each axis.
const PER_AXIS: [(u16, &str, &str); 4] = [
    (100, "travel resolution", "step/mm"),
    (110, "maximum rate", "mm/min"),
    (120, "acceleration", "mm/sec^2"),
    (130, "maximum travel", "mm"),
];

impl Machine {
    pub(super) fn list_details(&mut self, which: &str) {
        let mut rows = Vec::new();
        match which {
            "$EG" => {
                rows.extend(GROUPS.iter().map(|group| format!("[SETTINGGROUP:{group}]")));
                let axes = AxisSet::first(self.axes).iter();
                rows.extend(axes.map(|axis| format!("[SETTINGGROUP:{}|42|{axis}-axis]", 43 + axis.index())));
            }
            "$ES" => rows.extend(DETAILS.iter().map(|(n, group, name, unit, kind, format, min, max, restart, _)| {
                format!("[SETTING:{n}|{group}|{name}|{unit}|{kind}|{format}|{min}|{max}|{restart}|0]")
            })),
            _ => {
                rows.push("$-Code\tSetting\tUnits\tDatatype\tData format\tSetting Description\tMin\tMax".to_owned());
                rows.extend(DETAILS.iter().map(|(n, _, name, unit, kind, format, min, max, restart, text)| {
                    let kind = ["boolean", "bitfield", "xbitfield", "radiobuttons", "axismask", "integer", "float"]
                        [usize::from(*kind)];
                    format!("{n}\t{name}\t{unit}\t{kind}\t{format}\t{text}\t{min}\t{max}\t{restart}\t0")
                }));
            }
        }
        for (first, name, unit) in PER_AXIS.into_iter().filter(|_| which != "$EG") {
            for axis in AxisSet::first(self.axes).iter() {
                let (n, group) = (usize::from(first) + axis.index(), 43 + axis.index());
                rows.push(if which == "$ES" {
                    format!("[SETTING:{n}|{group}|{axis}-axis {name}|{unit}|6|#####0.000|||0|0]")
                } else {
                    format!("{n}\t{axis}-axis {name}\t{unit}\tfloat\t#####0.000\tOf the {axis} axis.\t\t\t0\t0")
                });
            }
        }
        for row in rows {
            self.say(&row);
        }
    }
}
