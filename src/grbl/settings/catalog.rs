//! What is known of settings without asking: `assets/settings.json`.

#[cfg(test)]
use std::collections::HashMap;

use serde::Deserialize;

use crate::model::settings::Kind;
use crate::model::{Axis, Firmware};

const SETTINGS: &str = include_str!("../../../assets/settings.json");

/// The catalogue. Load once and share.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Catalog {
    numbered: Vec<Numbered>,
    paths: Vec<PathEntry>,
    named: Vec<Named>,
}

/// What is known of one setting.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Known {
    pub(super) name: String,
    pub(super) unit: String,
    pub(super) meaning: String,
    pub(super) caution: String,
    pub(super) group: String,
    pub(super) kind: Option<Kind>,
    pub(super) restart: bool,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Numbered {
    n: u16,
    #[serde(default)]
    only: Vec<String>,
    #[serde(default)]
    per_axis: bool,
    #[serde(default)]
    restart: bool,
    group: String,
    name: String,
    #[serde(default)]
    unit: String,
    meaning: String,
    #[serde(default)]
    caution: String,
    kind: KindEntry,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct PathEntry {
    end: String,
    name: String,
    #[serde(default)]
    unit: String,
    meaning: String,
    #[serde(default)]
    caution: String,
    kind: Option<KindEntry>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Named {
    key: String,
    name: String,
    meaning: String,
    #[serde(default)]
    caution: String,
    #[serde(default)]
    restart: bool,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase", deny_unknown_fields)]
enum KindEntry {
    Switch,
    Mask {
        bits: Vec<String>,
    },
    Axes,
    Choice {
        names: Vec<String>,
    },
    Number {
        min: Option<f64>,
        max: Option<f64>,
        #[serde(default)]
        whole: bool,
    },
}

impl KindEntry {
    fn kind(&self, axes: usize) -> Kind {
        match self {
            Self::Switch => Kind::Switch,
            Self::Mask { bits } => Kind::Mask(bits.clone()),
            Self::Axes => Kind::Axes(axes as u8),
            Self::Choice { names } => Kind::Choice(names.clone()),
            Self::Number { min, max, whole } => Kind::Number { min: *min, max: *max, whole: *whole },
        }
    }
}

impl Catalog {
    /// Reads the catalogue that is built in. A test reads it too, so one that cannot be read never ships.
    pub fn load() -> Self {
        serde_json::from_str(SETTINGS).unwrap_or_default()
    }

    /// `$n` of a firmware on a machine with so many axes. A row for this firmware goes before one for all.
    pub(super) fn numbered(&self, firmware: Firmware, n: u16, axes: usize) -> Option<Known> {
        let family = firmware.to_string();
        let fits = |row: &&Numbered| {
            let span = if row.per_axis { axes as u16 } else { 1 };
            (row.n..row.n + span).contains(&n) && (row.only.is_empty() || row.only.contains(&family))
        };
        let row = self.numbered.iter().filter(fits).max_by_key(|row| !row.only.is_empty())?;
        let axis = if row.per_axis { Axis::from_index(usize::from(n - row.n)) } else { None };
        let letter = |text: &str| text.replace("{axis}", &axis.map(|axis| axis.to_string()).unwrap_or_default());
        Some(Known {
            name: letter(&row.name),
            unit: axis_unit(&row.unit, axis),
            meaning: row.meaning.clone(),
            caution: row.caution.clone(),
            group: letter(&row.group),
            kind: Some(row.kind.kind(axes)),
            restart: row.restart,
        })
    }

    /// An item of FluidNC's configuration, by the end of its path.
    pub(super) fn path(&self, path: &str) -> Option<Known> {
        let ends = |row: &&PathEntry| path.strip_suffix(row.end.as_str()).is_some_and(|head| head.ends_with('/'));
        let row = self.paths.iter().find(ends)?;
        Some(Known {
            name: row.name.clone(),
            unit: axis_unit(&row.unit, axis_of(path)),
            meaning: row.meaning.clone(),
            caution: row.caution.clone(),
            kind: row.kind.as_ref().map(|kind| kind.kind(0)),
            ..Known::default()
        })
    }

    /// A named setting of FluidNC.
    pub(super) fn named(&self, key: &str) -> Option<Known> {
        let row = self.named.iter().find(|row| row.key.eq_ignore_ascii_case(key))?;
        Some(Known {
            name: row.name.clone(),
            meaning: row.meaning.clone(),
            caution: row.caution.clone(),
            restart: row.restart,
            ..Known::default()
        })
    }

    /// `$n` whose meaning the catalogue holds, for tests of it.
    #[cfg(test)]
    pub(super) fn numbers(&self) -> HashMap<u16, usize> {
        let mut counts = HashMap::new();
        for row in &self.numbered {
            *counts.entry(row.n).or_default() += 1;
        }
        counts
    }
}

/// The axis of `/axes/x/…`.
pub(super) fn axis_of(path: &str) -> Option<Axis> {
    let mut letters = path.strip_prefix("/axes/")?.split('/').next()?.chars();
    let axis = Axis::from_letter(letters.next()?)?;
    letters.next().is_none().then_some(axis)
}

/// Degrees in the place of millimetres on a rotary axis.
fn axis_unit(unit: &str, axis: Option<Axis>) -> String {
    if axis.is_some_and(Axis::is_rotary) { unit.replace("mm", "deg") } else { unit.to_owned() }
}
