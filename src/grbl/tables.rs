//! Alarm and error tables, chosen by firmware, and the meaning of pin letters.

use std::collections::HashMap;

use serde::Deserialize;

use super::settings::Catalog;
use crate::model::Firmware;
use crate::model::axes::Axis;
use crate::model::machine::{AlarmInfo, ErrorInfo};

const ALARMS: &str = include_str!("../../assets/alarms.json");
const ERRORS: &str = include_str!("../../assets/errors.json");

/// Codes up to this one mean the same on all three firmwares.
const LAST_COMMON_CODE: u16 = 9;

/// What the numbers of `ALARM:n` and `error:n` mean. Load once and share.
#[derive(Clone, Debug, Default)]
pub struct Tables {
    alarms: HashMap<(Firmware, u16), AlarmInfo>,
    errors: HashMap<(Firmware, u16), ErrorInfo>,
    /// What is known of settings (`assets/settings.json`).
    pub settings: Catalog,
}

#[derive(Deserialize)]
struct Row<T> {
    firmware: Family,
    #[serde(flatten)]
    info: T,
}

#[derive(Clone, Copy, Deserialize)]
enum Family {
    Grbl,
    #[serde(rename = "FluidNC")]
    FluidNc,
    #[serde(rename = "grblHAL")]
    GrblHal,
}

impl From<Family> for Firmware {
    fn from(family: Family) -> Self {
        match family {
            Family::Grbl => Self::Grbl,
            Family::FluidNc => Self::FluidNc,
            Family::GrblHal => Self::GrblHal,
        }
    }
}

impl Tables {
    /// Reads the tables that are built in (`assets/alarms.json`, `assets/errors.json`).
    pub fn load() -> Self {
        Self {
            alarms: rows(ALARMS, |row: &AlarmInfo| row.code),
            errors: rows(ERRORS, |row: &ErrorInfo| row.code),
            settings: Catalog::load(),
        }
    }

    /// The row of `ALARM:code`. An unknown firmware has the codes that all share, 1 to 9.
    pub fn alarm(&self, firmware: Option<Firmware>, code: u16) -> Option<&AlarmInfo> {
        self.alarms.get(&key(firmware, code)?)
    }

    /// The row of `error:code`. An unknown firmware has the codes that all share, 1 to 9.
    pub fn error(&self, firmware: Option<Firmware>, code: u16) -> Option<&ErrorInfo> {
        self.errors.get(&key(firmware, code)?)
    }
}

fn key(firmware: Option<Firmware>, code: u16) -> Option<(Firmware, u16)> {
    match firmware {
        Some(firmware) => Some((firmware, code)),
        None => (code <= LAST_COMMON_CODE).then_some((Firmware::Grbl, code)),
    }
}

/// The assets are built in and a test reads them, so a row that cannot be read never ships.
fn rows<T: serde::de::DeserializeOwned>(json: &str, code: impl Fn(&T) -> u16) -> HashMap<(Firmware, u16), T> {
    let rows: Vec<Row<T>> = serde_json::from_str(json).unwrap_or_default();
    rows.into_iter().map(|row| ((row.firmware.into(), code(&row.info)), row.info)).collect()
}

/// What a letter of `Pn:` says, on a machine with this many axes. The same letter differs by firmware: `L` is
/// grblHAL's block-delete switch, `T` is FluidNC's tool setter and grblHAL's optional stop.
pub fn pin_meaning(firmware: Option<Firmware>, letter: char, axes: usize) -> &'static str {
    const LIMITS: [&str; 9] = [
        "X limit switch",
        "Y limit switch",
        "Z limit switch",
        "A limit switch",
        "B limit switch",
        "C limit switch",
        "U limit switch",
        "V limit switch",
        "W limit switch",
    ];
    if letter.is_ascii_uppercase()
        && let Some(axis) = Axis::from_letter(letter)
        && axis.index() < axes
    {
        return LIMITS[axis.index()];
    }
    match (firmware, letter) {
        (_, 'P') => "probe",
        (_, 'D') => "safety door",
        (_, 'R') => "reset input",
        (_, 'H') => "feed hold input",
        (_, 'S') => "cycle start input",
        (Some(Firmware::FluidNc), 'T') => "tool setter",
        (Some(Firmware::FluidNc), 'F') => "fault input",
        (Some(Firmware::FluidNc | Firmware::GrblHal), 'E') => "emergency stop",
        (Some(Firmware::FluidNc), '0') => "macro 0 input",
        (Some(Firmware::FluidNc), '1') => "macro 1 input",
        (Some(Firmware::FluidNc), '2') => "macro 2 input",
        (Some(Firmware::FluidNc), '3') => "macro 3 input",
        (Some(Firmware::GrblHal), 'L') => "block-delete switch",
        (Some(Firmware::GrblHal), 'T') => "optional-stop switch",
        (Some(Firmware::GrblHal), 'O') => "probe disconnected",
        (Some(Firmware::GrblHal), 'F') => "motor fault",
        (Some(Firmware::GrblHal), 'M') => "motor warning",
        (Some(Firmware::GrblHal), 'Q') => "single-block switch",
        _ => "unknown input",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Firmware; 3] = [Firmware::Grbl, Firmware::FluidNc, Firmware::GrblHal];

    #[test]
    fn every_row_is_read_and_says_what_it_means_and_what_to_do() {
        let count = |json: &str| json.matches("\"code\"").count();
        let tables = Tables::load();
        assert_eq!((tables.alarms.len(), tables.errors.len()), (count(ALARMS), count(ERRORS)));
        assert_eq!((tables.alarms.len(), tables.errors.len()), (50, 208));
        for (key, row) in &tables.alarms {
            assert_eq!(key.1, row.code);
            assert!(!row.name.is_empty() && row.meaning.len() > 10 && row.remedy.len() > 5, "{key:?} {row:?}");
        }
        for (key, row) in &tables.errors {
            assert_eq!(key.1, row.code);
            assert!(!row.name.is_empty() && row.meaning.len() > 5 && row.remedy.len() > 3, "{key:?} {row:?}");
        }
    }

    #[test]
    fn the_first_nine_alarms_are_the_same_everywhere() {
        let tables = Tables::load();
        for code in 1..=9 {
            let common = tables.alarm(None, code).expect("a common code");
            for firmware in ALL {
                let row = tables.alarm(Some(firmware), code).expect("a common code");
                assert_eq!((row.code, row.position_lost), (code, common.position_lost), "{firmware} ALARM:{code}");
                assert!(tables.error(Some(firmware), code).is_some(), "{firmware} error:{code}");
            }
        }
        assert_eq!((tables.alarm(None, 10), tables.alarm(None, 0)), (None, None));
        assert!(tables.error(None, 9).is_some() && tables.error(None, 10).is_none());
    }

    #[test]
    fn later_alarms_differ_by_firmware() {
        let tables = Tables::load();
        let name = |firmware, code| tables.alarm(Some(firmware), code).map(|row| row.name.as_str());
        for code in 10..=17 {
            assert_ne!(name(Firmware::FluidNc, code), name(Firmware::GrblHal, code), "ALARM:{code}");
            assert!(code == 10 || name(Firmware::Grbl, code).is_none(), "ALARM:{code}");
        }
        assert!(tables.alarm(Some(Firmware::FluidNc), 14).is_some_and(|row| row.name.contains("unhomed")));
        assert!(tables.alarm(Some(Firmware::Grbl), 1).is_some_and(|row| row.needs_soft_reset));
    }

    #[test]
    fn a_pin_letter_is_read_by_firmware_and_axes() {
        let fluidnc = Some(Firmware::FluidNc);
        let grblhal = Some(Firmware::GrblHal);
        assert_eq!(pin_meaning(fluidnc, 'X', 3), "X limit switch");
        assert_eq!(pin_meaning(fluidnc, 'A', 4), "A limit switch");
        assert_eq!(pin_meaning(fluidnc, 'A', 3), "unknown input");
        assert_eq!(pin_meaning(fluidnc, 'T', 3), "tool setter");
        assert_eq!(pin_meaning(grblhal, 'T', 3), "optional-stop switch");
        assert_eq!(pin_meaning(grblhal, 'L', 3), "block-delete switch");
        assert_eq!(pin_meaning(None, 'L', 3), "unknown input");
        for firmware in [None, Some(Firmware::Grbl), fluidnc, grblhal] {
            assert_eq!(pin_meaning(firmware, 'P', 9), "probe");
            assert_eq!(pin_meaning(firmware, 'D', 3), "safety door");
            assert_eq!(pin_meaning(firmware, 'x', 9), "unknown input");
        }
    }
}
