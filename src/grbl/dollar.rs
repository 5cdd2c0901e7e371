//! What a `$` line does, by its name.
//!
//! FluidNC knows each command by a short and a long name, in any case, and also as `[name]value`
//! (FluidNC `ProcessSettings.cpp`, `make_user_commands`, `settings_execute_line`).

use super::gcode::Eeprom;
use super::line_kind::LineKind;
use crate::model::Firmware;

/// A `$` line, taken apart: `$name=value` or `[name]value`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Dollar<'a> {
    name: &'a str,
    value: Option<&'a str>,
}

/// What a `$` line does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct DollarEffects {
    /// Its kind.
    pub(super) kind: LineKind,
    /// Something could move.
    pub(super) may_move: bool,
    /// Permanent memory.
    pub(super) eeprom: Eeprom,
    /// FluidNC answers it at once, also while the machine moves.
    pub(super) immediate_on_fluidnc: bool,
}

impl<'a> Dollar<'a> {
    /// From a trimmed line that begins with `$` or `[`.
    pub(super) fn split(text: &'a str) -> Self {
        let (head, separator) = match text.strip_prefix('[') {
            Some(inner) => (inner, ']'),
            None => (text.strip_prefix('$').unwrap_or(text), '='),
        };
        match head.split_once(separator) {
            Some((name, value)) => {
                let value = value.trim();
                Self { name: name.trim(), value: (separator == '=' || !value.is_empty()).then_some(value) }
            }
            None => Self { name: head.trim(), value: None },
        }
    }

    /// What it does on this firmware.
    pub(super) fn effects(self, firmware: Option<Firmware>) -> DollarEffects {
        let upper = self.name.to_ascii_uppercase();
        let name = upper.as_str();
        let kind = self.kind(name, firmware);
        let eeprom = match (kind, name) {
            (LineKind::SettingWrite, _) => Eeprom::Writes,
            (LineKind::Query, "$" | "I" | "N" | "#") => Eeprom::Reads,
            _ => Eeprom::Untouched,
        };
        let may_move = match kind {
            LineKind::Jog | LineKind::Home => true,
            LineKind::Unlock | LineKind::Sleep | LineKind::CheckToggle | LineKind::Query => false,
            _ => runs_program(name, self.value.is_some()),
        };
        let immediate_on_fluidnc = kind == LineKind::Jog || is_immediate(name, self.value.is_some());
        DollarEffects { kind, may_move, eeprom, immediate_on_fluidnc }
    }

    fn kind(self, name: &str, firmware: Option<Firmware>) -> LineKind {
        let has_value = self.value.is_some();
        match name {
            "J" | "JOG" if has_value => LineKind::Jog,
            "X" | "ALARM/DISABLE" => LineKind::Unlock,
            "C" | "GCODE/CHECK" => LineKind::CheckToggle,
            "SLP" | "SYSTEM/SLEEP" => LineKind::Sleep,
            "BYE" | "SYSTEM/CONTROL" | "REBOOT" | "ESP444" => LineKind::Restart,
            "RST" | "SETTINGS/RESTORE" | "NVX" | "SETTINGS/ERASE" => LineKind::SettingWrite,
            _ if is_home(name) => LineKind::Home,
            "I" | "N" if has_value => LineKind::SettingWrite,
            _ if is_query(name, firmware) => LineKind::Query,
            _ if is_number(name) || name.strip_prefix('N').is_some_and(is_number) => {
                if has_value {
                    LineKind::SettingWrite
                } else {
                    LineKind::Query
                }
            }
            _ if firmware == Some(Firmware::FluidNc) && has_value && !is_fluidnc_command(name) => {
                LineKind::SettingWrite
            }
            _ => LineKind::OtherDollar,
        }
    }
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

/// `$H`, `$HX`, `$HXY`, `$Home`, `$Home/X`; not `$HELP`, `$HSS`.
fn is_home(name: &str) -> bool {
    let axes = name.strip_prefix("HOME/").or_else(|| name.strip_prefix('H'));
    name == "HOME" || axes.is_some_and(|axes| axes.bytes().all(super::gcode::is_axis_letter))
}

/// Commands that start stored G-code: a macro, a file, the work-piece probing of grblHAL.
fn runs_program(name: &str, has_value: bool) -> bool {
    matches!(name, "RM" | "ESP220" | "ESP700" | "TPW" | "CA") || name.ends_with("/RUN") || (name == "F" && has_value)
}

/// FluidNC: `$G`, `$J` and reads of the configuration do not wait for the end of a motion; every other `$` does.
fn is_immediate(name: &str, has_value: bool) -> bool {
    matches!(name, "G" | "GCODE/MODES") || (!has_value && (name.starts_with('/') || name.starts_with("AXES/")))
}

/// Lines that only print something.
fn is_query(name: &str, firmware: Option<Firmware>) -> bool {
    let common = matches!(name, "" | "$" | "#" | "G" | "I" | "N");
    let own = match firmware {
        Some(Firmware::FluidNc) => matches!(
            name,
            "A" | "CI"
                | "CMD"
                | "E"
                | "GD"
                | "GS"
                | "HEAP"
                | "L"
                | "PL"
                | "S"
                | "SC"
                | "SS"
                | "T"
                | "V"
                | "ALARMS/LIST"
                | "BUILD/INFO"
                | "CHANNEL/INFO"
                | "COMMANDS/LIST"
                | "ERRORS/LIST"
                | "GCODE/MODES"
                | "GCODE/OFFSETS"
                | "GPIO/DUMP"
                | "GRBL/SHOW"
                | "GRBLNAMES/LIST"
                | "GRBLSETTINGS/LIST"
                | "HEAP/SHOW"
                | "HELP"
                | "LOCALFS/LIST"
                | "PARAMETERS/LIST"
                | "SD/LIST"
                | "SD/STATUS"
                | "SETTINGS/LIST"
                | "SETTINGS/LISTCHANGED"
                | "SETTINGS/STATS"
                | "STARTUP/SHOW"
                | "STATE"
        ),
        Some(Firmware::GrblHal) => matches!(
            name,
            "+" | "I+"
                | "EA"
                | "EAG"
                | "EE"
                | "EEG"
                | "EG"
                | "ES"
                | "ESG"
                | "ESH"
                | "HELP"
                | "HSS"
                | "LEV"
                | "LIM"
                | "PINS"
                | "PINSTATE"
                | "PORTS"
                | "SDS"
                | "SED"
                | "SPINDLES"
                | "SPINDLESH"
        ),
        Some(Firmware::Grbl) | None => false,
    };
    common || own
}

/// FluidNC commands that take a value and store no setting.
fn is_fluidnc_command(name: &str) -> bool {
    const GROUPS: [&str; 15] = [
        "SD/",
        "LOCALFS/",
        "FILE/",
        "FILES/",
        "XMODEM/",
        "MSG/",
        "LOG/",
        "MACROS/",
        "MOTOR/",
        "MOTORS/",
        "GPIO/",
        "REPORT/INTERVAL",
        "ALARM/",
        "ESP",
        "NOTIFICATION/SEND",
    ];
    GROUPS.iter().any(|group| name.starts_with(group))
        || matches!(
            name,
            "RM" | "RI"
                | "SA"
                | "MD"
                | "ME"
                | "MI"
                | "MC"
                | "MU0"
                | "MU1"
                | "LM"
                | "LE"
                | "LW"
                | "LI"
                | "LD"
                | "LV"
                | "GI"
                | "GO"
                | "G+"
                | "G-"
                | "GR"
                | "XR"
                | "XS"
                | "UP"
                | "CD"
                | "CONFIG/DUMP"
                | "CA"
                | "C1P"
                | "C2P"
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str, firmware: Firmware) -> DollarEffects {
        Dollar::split(text).effects(Some(firmware))
    }

    #[test]
    fn each_name_has_its_kind() {
        use Firmware::{FluidNc, Grbl, GrblHal};
        for (text, firmware, kind) in [
            ("$J=G91X1F100", Grbl, LineKind::Jog),
            ("$jog=G91 X1 F100", FluidNc, LineKind::Jog),
            ("[J]G91 X1 F100", FluidNc, LineKind::Jog),
            ("$H", Grbl, LineKind::Home),
            ("$HZ", GrblHal, LineKind::Home),
            ("$H=XY", FluidNc, LineKind::Home),
            ("$home/x", FluidNc, LineKind::Home),
            ("$HELP", GrblHal, LineKind::Query),
            ("$HSS", GrblHal, LineKind::Query),
            ("$x", Grbl, LineKind::Unlock),
            ("$Alarm/Disable", FluidNc, LineKind::Unlock),
            ("$C", Grbl, LineKind::CheckToggle),
            ("$CD", FluidNc, LineKind::OtherDollar),
            ("$SLP", Grbl, LineKind::Sleep),
            ("$Bye", FluidNc, LineKind::Restart),
            ("[ESP444]RESTART", FluidNc, LineKind::Restart),
            ("$", Grbl, LineKind::Query),
            ("$$", Grbl, LineKind::Query),
            ("$#", Grbl, LineKind::Query),
            ("$I", Grbl, LineKind::Query),
            ("$110", FluidNc, LineKind::Query),
            ("$110=500", Grbl, LineKind::SettingWrite),
            ("$N0=G54", Grbl, LineKind::SettingWrite),
            ("$I=mill", Grbl, LineKind::SettingWrite),
            ("$RST=#", Grbl, LineKind::SettingWrite),
            ("$Hostname=mill", FluidNc, LineKind::SettingWrite),
            ("$/axes/x/max_rate_mm_per_min=900", FluidNc, LineKind::SettingWrite),
            ("$RI=200", FluidNc, LineKind::OtherDollar),
            ("$S", FluidNc, LineKind::Query),
            ("$S", GrblHal, LineKind::OtherDollar),
            ("$SD/Run=/a.nc", FluidNc, LineKind::OtherDollar),
        ] {
            assert_eq!(of(text, firmware).kind, kind, "{text} on {firmware}");
        }
    }

    #[test]
    fn stored_programs_may_move() {
        for text in ["$RM=0", "$SD/Run=a.nc", "$localfs/run=a.nc", "[ESP220]/a.nc", "$Macros/Run=1", "$H", "$J=X1F1"] {
            assert!(of(text, Firmware::FluidNc).may_move, "{text}");
        }
        assert!(of("$F=a.nc", Firmware::GrblHal).may_move && !of("$F", Firmware::GrblHal).may_move);
        for text in ["$$", "$X", "$C", "$110=500", "$SD/List", "$RI=200"] {
            assert!(!of(text, Firmware::FluidNc).may_move, "{text}");
        }
    }

    #[test]
    fn fluidnc_answers_few_lines_while_it_moves() {
        for text in ["$G", "$gcode/modes", "$J=X1F1", "$axes/x/steps_per_mm", "$/axes/x/steps_per_mm"] {
            assert!(of(text, Firmware::FluidNc).immediate_on_fluidnc, "{text}");
        }
        for text in ["$$", "$I", "$X", "$H", "$T", "$CI", "$10", "$RI=200", "$/axes/x/steps_per_mm=80"] {
            assert!(!of(text, Firmware::FluidNc).immediate_on_fluidnc, "{text}");
        }
    }
}
