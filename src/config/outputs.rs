//! `[[outputs]]`: names and caps of the controller's outputs.

use serde::{Deserialize, Serialize};

use super::range;
use crate::model::outputs::{self, MAX_OUTPUTS, OutputPin};

/// Longest name in characters: it stands in a row of a question.
const MAX_NAME: usize = 24;
/// Cap of an analog output that says nothing else, %.
const FULL: f64 = 100.0;

/// One of `[[outputs]]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table, [[outputs]]")]
pub struct Output {
    /// What it switches.
    pub name: String,
    /// On and off, or a value.
    pub kind: OutputKind,
    /// `P` of `M64`, or `E` of `M68`.
    #[serde(deserialize_with = "range::whole::<_, _, 0, 255>")]
    pub number: u8,
    /// The most that an analog one is given. `None`: 100.
    #[serde(default, deserialize_with = "range::output_max")]
    pub max: Option<f64>,
}

/// On and off, or a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OutputKind {
    /// On and off.
    Digital,
    /// A value.
    Analog,
}

impl Output {
    /// As the hub takes it.
    pub fn to_model(&self) -> outputs::Output {
        let (pin, max) = match self.kind {
            OutputKind::Digital => (OutputPin::Digital(self.number), 1.0),
            OutputKind::Analog => (OutputPin::Analog(self.number), self.max.unwrap_or(FULL)),
        };
        outputs::Output { name: self.name.clone(), pin, max }
    }
}

/// What does not fit in the list: the place in it, the key to blame, and why.
pub(super) fn misfit(outputs: &[Output]) -> Option<(usize, &'static str, String)> {
    outputs.iter().enumerate().find_map(|(at, output)| {
        let before = &outputs[..at];
        let length = output.name.chars().count();
        if at >= MAX_OUTPUTS {
            return Some((at, "name", format!("is output {}; there is room for {MAX_OUTPUTS}", at + 1)));
        }
        if output.name.trim().is_empty() || length > MAX_NAME || output.name.chars().any(char::is_control) {
            return Some((at, "name", format!("{:?} must be 1 to {MAX_NAME} visible characters", output.name)));
        }
        if before.iter().any(|other| other.name == output.name) {
            return Some((at, "name", format!("{:?} is the name of another output", output.name)));
        }
        if let Some(other) = before.iter().find(|other| (other.kind, other.number) == (output.kind, output.number)) {
            return Some((at, "number", format!("{} is {:?} already", output.number, other.name)));
        }
        if output.kind == OutputKind::Digital && output.max.is_some() {
            return Some((at, "max", "is for kind = \"analog\"; a digital output is on or off".to_owned()));
        }
        None
    })
}
