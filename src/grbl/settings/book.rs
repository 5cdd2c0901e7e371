//! Values and descriptions, gathered as they pass by.

use std::collections::HashMap;

use super::catalog::{Catalog, Known};
use super::listing::{self, Detail, TreeReader};
use crate::model::Firmware;
use crate::model::settings::{Access, Kind, MAX_ROWS, Setting, SettingsTable};

/// Longest value or description that is kept.
const MAX_TEXT: usize = 400;

/// All that one controller has told of its settings.
#[derive(Clone, Debug, Default)]
pub struct Book {
    values: Vec<(String, String)>,
    places: HashMap<String, usize>,
    details: HashMap<u16, Detail>,
    groups: HashMap<u16, String>,
    descriptions: HashMap<u16, String>,
    tree: TreeReader,
    /// Everything that this firmware can list was listed.
    pub complete: bool,
}

impl Book {
    /// A value: `$key=value`, without the `$`.
    pub fn value(&mut self, key: &str, value: &str) {
        let place = key.to_ascii_lowercase();
        let value: String = value.trim_end().chars().take(MAX_TEXT).collect();
        match self.places.get(&place) {
            Some(&at) => self.values[at].1 = value,
            None if self.values.len() < MAX_ROWS => {
                self.places.insert(place, self.values.len());
                self.values.push((key.to_owned(), value));
            }
            None => {}
        }
    }

    /// A bracketed pair of a listing, `[SETTING:…]` or `[SETTINGGROUP:…]`. Others are left.
    pub fn info(&mut self, key: &str, value: &str, axes: usize) {
        match key {
            "SETTING" => {
                if let Some(detail) = listing::detail(value, axes)
                    && self.details.len() < MAX_ROWS
                {
                    self.details.insert(detail.number, detail);
                }
            }
            "SETTINGGROUP" => {
                if let Some((number, name)) = listing::group(value)
                    && self.groups.len() < MAX_ROWS
                {
                    self.groups.insert(number, name);
                }
            }
            _ => {}
        }
    }

    /// A line of `$ESH`.
    pub fn description(&mut self, line: &str) {
        if let Some((number, text)) = listing::description(line)
            && self.descriptions.len() < MAX_ROWS
        {
            self.descriptions.insert(number, text.chars().take(MAX_TEXT).collect());
        }
    }

    /// A new `$CD` begins.
    pub fn begin_tree(&mut self) {
        self.tree = TreeReader::default();
    }

    /// A line of `$CD`.
    pub fn tree_line(&mut self, line: &str) {
        if let Some((path, value)) = self.tree.line(line) {
            self.value(&path, &value);
        }
    }

    /// The table for this firmware on a machine with so many axes.
    pub fn table(&self, catalog: &Catalog, firmware: Firmware, axes: usize) -> SettingsTable {
        let mut rows: Vec<Setting> = self
            .values
            .iter()
            // FluidNC lists each numbered setting twice, by number and by name.
            .filter(|(key, _)| !key.starts_with("Grbl/"))
            .map(|(key, value)| match key.parse() {
                Ok(number) => self.numbered(catalog, firmware, axes, number, value),
                Err(_) if key.starts_with('/') => item(catalog, key, value),
                Err(_) => named(catalog, firmware, key, value),
            })
            .collect();
        rows.sort_by_key(|row| row.key.parse::<u32>().unwrap_or(u32::MAX));
        SettingsTable { rows, complete: self.complete }
    }

    fn numbered(&self, catalog: &Catalog, firmware: Firmware, axes: usize, number: u16, value: &str) -> Setting {
        let mut known = catalog.numbered(firmware, number, axes).unwrap_or_default();
        if let Some(detail) = self.details.get(&number) {
            known.name.clone_from(&detail.name);
            known.unit.clone_from(&detail.unit);
            known.restart = detail.needs_restart;
            known.kind = Some(stricter(&detail.kind, known.kind.as_ref()));
            if let Some(group) = self.groups.get(&detail.group) {
                known.group.clone_from(group);
            }
        }
        if let Some(text) = self.descriptions.get(&number) {
            known.meaning.clone_from(text);
        }
        let access = match (firmware, number) {
            (Firmware::FluidNc, 10) => Access::Stored,
            (Firmware::FluidNc, 13) => Access::UntilRestart,
            (Firmware::FluidNc, _) => Access::ReadOnly(view_of(number)),
            _ => Access::Stored,
        };
        row(number.to_string(), value, known, access)
    }
}

/// The controller's kind, with the catalogue's least value where the controller tells no better than 0 (an
/// acceleration of 0 is accepted by the firmware, and no machine works with it).
fn stricter(told: &Kind, known: Option<&Kind>) -> Kind {
    match (told, known) {
        (Kind::Number { min, max, whole }, Some(Kind::Number { min: Some(least), .. }))
            if min.is_some_and(|min| min == 0.0) =>
        {
            Kind::Number { min: Some(*least), max: *max, whole: *whole }
        }
        _ => told.clone(),
    }
}

/// Where FluidNC's numbered settings come from.
fn view_of(number: u16) -> String {
    const ITEMS: [&str; 4] = ["steps_per_mm", "max_rate_mm_per_min", "acceleration_mm_per_sec2", "max_travel_mm"];
    let axis = crate::model::Axis::from_index(usize::from(number % 10));
    match (usize::from(number / 10).checked_sub(10).and_then(|i| ITEMS.get(i)), axis) {
        (Some(item), Some(axis)) => {
            format!(
                "FluidNC shows here what config.yaml says; change $/axes/{}/{item}",
                axis.letter().to_ascii_lowercase()
            )
        }
        _ => "FluidNC shows here what config.yaml says; change it there".to_owned(),
    }
}

/// An item of FluidNC's configuration tree. Only numbers and switches can be changed while it runs; pins and parts are
/// looked at when it starts.
fn item(catalog: &Catalog, path: &str, value: &str) -> Setting {
    let mut known = catalog.path(path).unwrap_or_default();
    if known.name.is_empty() {
        path.rsplit('/').next().unwrap_or(path).clone_into(&mut known.name);
    }
    known.group = match path.trim_start_matches('/').rsplit_once('/') {
        Some((parents, _)) => parents.to_owned(),
        None => "config".to_owned(),
    };
    let guessed = guess(value);
    let access = match (&guessed, known.name.ends_with("pin")) {
        (Kind::Switch | Kind::Number { .. }, false) => Access::UntilRestart,
        _ => Access::ReadOnly("it is read from config.yaml at the start; change it there".to_owned()),
    };
    known.kind = known.kind.or(Some(guessed));
    row(path.to_owned(), value, known, access)
}

fn named(catalog: &Catalog, firmware: Firmware, key: &str, value: &str) -> Setting {
    let mut known = catalog.named(key).unwrap_or_default();
    let is_startup = key.strip_prefix(['N', 'n']).is_some_and(|n| n.bytes().all(|b| b.is_ascii_digit()));
    if known.name.is_empty() {
        known.name = if is_startup { "Start-up line".to_owned() } else { key.to_owned() };
    }
    if is_startup {
        "Runs at each start of the controller.".clone_into(&mut known.meaning);
    }
    if known.group.is_empty() {
        key.split_once('/').map_or("General", |(group, _)| group).clone_into(&mut known.group);
    }
    known.kind = Some(if firmware == Firmware::FluidNc { guess(value) } else { Kind::Text });
    row(key.to_owned(), value, known, Access::Stored)
}

/// What a value seems to be, where nobody says.
fn guess(value: &str) -> Kind {
    let value = value.trim();
    if ["true", "false", "ON", "OFF"].contains(&value) {
        return Kind::Switch;
    }
    let is_number =
        value.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'-')) && value.parse::<f64>().is_ok();
    if is_number { Kind::Number { min: None, max: None, whole: !value.contains('.') } } else { Kind::Text }
}

fn row(key: String, value: &str, known: Known, access: Access) -> Setting {
    let name = if known.name.is_empty() { "not described".to_owned() } else { known.name };
    Setting {
        key,
        value: value.to_owned(),
        name,
        unit: known.unit,
        meaning: known.meaning,
        caution: known.caution,
        group: known.group,
        kind: known.kind.unwrap_or_else(|| guess(value)),
        access,
        needs_restart: known.restart,
    }
}
