//! Rows of settings.

use serde::{Deserialize, Serialize};

use crate::model::Axis;

/// Most rows that are kept; a FluidNC with nine axes lists about 400.
pub const MAX_ROWS: usize = 1024;

/// What a setting takes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Kind {
    /// On or off; written as the controller writes it (`1`, `true`, `ON`).
    Switch,
    /// A sum of bits, each with a name; `N/A` is a bit that this machine does not have.
    Mask(Vec<String>),
    /// A sum of bits, one per axis, for this many axes.
    Axes(u8),
    /// One of these, by number from 0.
    Choice(Vec<String>),
    /// A number.
    Number {
        /// Least value.
        min: Option<f64>,
        /// Largest value.
        max: Option<f64>,
        /// Without decimals.
        whole: bool,
    },
    /// Text.
    Text,
}

/// Whether it can be changed from here, and for how long.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Access {
    /// The controller keeps it over power-off.
    Stored,
    /// In force until the controller restarts (FluidNC: config.yaml says what holds then).
    UntilRestart,
    /// Not from here; the text says where.
    ReadOnly(String),
}

/// One setting.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Setting {
    /// As written behind the `$`: `110`, `Hostname`, `/axes/x/max_travel_mm`.
    pub key: String,
    /// As the controller printed it.
    pub value: String,
    /// What it is called.
    pub name: String,
    /// Unit, empty where there is none.
    pub unit: String,
    /// What it does; empty where nobody told.
    pub meaning: String,
    /// What a wrong value breaks; empty where that is nothing in particular.
    pub caution: String,
    /// Heading under which it belongs.
    pub group: String,
    /// What it takes.
    pub kind: Kind,
    /// Whether it can be changed.
    pub access: Access,
    /// It takes effect at the next start of the controller.
    pub needs_restart: bool,
}

impl Setting {
    /// With the `$` in front, as it is typed.
    pub fn label(&self) -> String {
        format!("${}", self.key)
    }

    /// The controller does not tell it (passwords).
    pub fn is_hidden(&self) -> bool {
        is_hidden(&self.value)
    }

    /// A value in words: names of bits and choices, `on` and `off`. `None`: the value says it all.
    pub fn words(&self, value: &str) -> Option<String> {
        let number = || value.trim().parse::<u32>().ok();
        match &self.kind {
            Kind::Switch => super::check::switch(value).map(|on| if on { "on" } else { "off" }.to_owned()),
            Kind::Mask(bits) => number().map(|mask| join(&bits_of(mask, |bit| bits.get(bit).cloned()), ", ")),
            Kind::Axes(_) => number().map(|mask| {
                join(&bits_of(mask, |bit| Axis::from_index(bit).map(|axis| axis.letter().to_string())), " ")
            }),
            Kind::Choice(names) => number().and_then(|n| names.get(n as usize).cloned()),
            Kind::Number { .. } | Kind::Text => None,
        }
    }

    /// What may be entered, in words.
    pub fn allowed(&self) -> String {
        match &self.kind {
            Kind::Switch => "on or off".to_owned(),
            Kind::Mask(bits) => {
                let named = bits.iter().enumerate().filter(|(_, name)| name.as_str() != "N/A");
                join(&named.map(|(bit, name)| format!("{} {name}", 1_u64 << bit)).collect::<Vec<_>>(), ", ")
            }
            Kind::Axes(count) => {
                let axes = (0..usize::from(*count)).filter_map(Axis::from_index);
                join(&axes.map(|axis| format!("{} {axis}", 1_u32 << axis.index())).collect::<Vec<_>>(), ", ")
            }
            Kind::Choice(names) => {
                let named = names.iter().enumerate().filter(|(_, name)| name.as_str() != "N/A");
                join(&named.map(|(n, name)| format!("{n} {name}")).collect::<Vec<_>>(), ", ")
            }
            Kind::Number { min, max, whole } => {
                let what = if *whole { "a whole number" } else { "a number" };
                match (min, max) {
                    (Some(min), Some(max)) => format!("{what} from {min} to {max}"),
                    (Some(min), None) => format!("{what} from {min}"),
                    (None, Some(max)) => format!("{what} up to {max}"),
                    (None, None) => what.to_owned(),
                }
            }
            Kind::Text => "text".to_owned(),
        }
    }

    /// Whether all words of a search are in its key, name, group or meaning. `words` is in small letters.
    pub fn matches(&self, words: &str) -> bool {
        let all = format!("{} {} {} {} {}", self.label(), self.name, self.group, self.unit, self.meaning);
        let all = all.to_lowercase();
        words.split_whitespace().all(|word| all.contains(word))
    }
}

/// The controller shows stars where it does not tell.
pub(super) fn is_hidden(value: &str) -> bool {
    !value.is_empty() && value.bytes().all(|b| b == b'*')
}

fn bits_of(mask: u32, name: impl Fn(usize) -> Option<String>) -> Vec<String> {
    (0..32).filter(|bit| mask & (1 << bit) != 0).map(|bit| name(bit).unwrap_or_else(|| format!("bit {bit}"))).collect()
}

fn join(parts: &[String], separator: &str) -> String {
    if parts.is_empty() { "none".to_owned() } else { parts.join(separator) }
}

/// All settings that a controller has listed, numbered ones first, then in the order of the listing.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SettingsTable {
    /// The rows, at most [`MAX_ROWS`].
    pub rows: Vec<Setting>,
    /// All that this firmware can list has been listed: names, units, configuration.
    pub complete: bool,
}

impl SettingsTable {
    /// The row of a key. FluidNC does not care for capitals, and no firmware has two that differ by them.
    pub fn find(&self, key: &str) -> Option<&Setting> {
        self.rows.iter().find(|row| row.key.eq_ignore_ascii_case(key))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(kind: Kind, value: &str) -> Setting {
        Setting {
            key: "10".into(),
            value: value.into(),
            name: "Report".into(),
            unit: String::new(),
            meaning: "What a status report tells.".into(),
            caution: String::new(),
            group: "General".into(),
            kind,
            access: Access::Stored,
            needs_restart: false,
        }
    }

    #[test]
    fn masks_and_choices_are_told_in_words() {
        let names = |list: &[&str]| list.iter().map(|&name| name.to_owned()).collect::<Vec<_>>();
        let mask = row(Kind::Mask(names(&["Position", "N/A", "Pins"])), "5");
        assert_eq!(mask.words("5").as_deref(), Some("Position, Pins"));
        assert_eq!(mask.words("8").as_deref(), Some("bit 3"));
        assert_eq!(mask.words("0").as_deref(), Some("none"));
        assert_eq!(mask.allowed(), "1 Position, 4 Pins");
        let axes = row(Kind::Axes(3), "6");
        assert_eq!((axes.words("6").as_deref(), axes.allowed().as_str()), (Some("Y Z"), "1 X, 2 Y, 4 Z"));
        let choice = row(Kind::Choice(names(&["Normal", "Laser"])), "1");
        assert_eq!((choice.words("1").as_deref(), choice.words("2")), (Some("Laser"), None));
        assert_eq!(row(Kind::Switch, "true").words("true").as_deref(), Some("on"));
        let range = Kind::Number { min: Some(3.0), max: Some(255.0), whole: true };
        assert_eq!(row(range, "10").allowed(), "a whole number from 3 to 255");
    }

    #[test]
    fn a_search_finds_all_its_words_in_any_case() {
        let row = row(Kind::Text, "x");
        assert!(row.matches("") && row.matches("$10") && row.matches("report status") && row.matches("gen"));
        assert!(!row.matches("report speed"));
    }
}
