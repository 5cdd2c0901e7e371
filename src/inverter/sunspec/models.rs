//! The models that are known (`assets/inverters/sunspec.toml`).

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::model::power::Danger;

const MODELS: &str = include_str!("../../../assets/inverters/sunspec.toml");

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    model: Vec<Model>,
}

/// An information model.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Model {
    pub(super) id: u16,
    pub(super) name: String,
    pub(super) points: Vec<Point>,
    /// Where a group that repeats begins, and how long it is.
    pub(super) repeat_from: Option<u16>,
    pub(super) repeat_size: Option<u16>,
    #[serde(default)]
    pub(super) repeat: Vec<Point>,
}

/// A point of a model.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Point {
    pub(super) id: String,
    /// From the register of the model's id, or from the beginning of the group that repeats.
    pub(super) off: u16,
    #[serde(rename = "type")]
    pub(super) kind: String,
    pub(super) words: Option<u8>,
    /// The point that holds the exponent.
    pub(super) sf: Option<String>,
    #[serde(default)]
    pub(super) unit: String,
    #[serde(default)]
    pub(super) words_for: BTreeMap<String, String>,
    /// `*` stands for the number of the group.
    pub(super) role: Option<String>,
    /// It may be written.
    pub(super) danger: Option<Danger>,
    pub(super) range: Option<(f64, f64)>,
    #[serde(default)]
    pub(super) grid_lost: Vec<u64>,
    #[serde(default)]
    pub(super) grid_present: Vec<u64>,
    #[serde(default)]
    pub(super) grid_trouble: Vec<u64>,
    #[serde(default)]
    pub(super) note: String,
}

/// All models. They are built in and a test reads them, so a table that cannot be read never ships.
pub(super) fn load() -> Vec<Model> {
    toml::from_str::<File>(MODELS).unwrap_or_default().model
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_model_is_read() {
        let models = load();
        assert_eq!(models.len(), MODELS.matches("[[model]]").count());
        assert_eq!(models.len(), 24);
        assert!(models.iter().all(|model| !model.points.is_empty()));
    }
}
