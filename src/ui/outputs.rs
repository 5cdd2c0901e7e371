//! Outputs in words: what was asked of them, which is all that is known.

use crate::model::outputs::{Output, OutputPin};
use crate::model::quantity::number;
use crate::model::snapshot::Snapshot;

/// What was last asked of an output; `None`: nothing, or nothing since a reset.
pub fn asked(output: &Output, snapshot: &Snapshot) -> Option<String> {
    let asked = snapshot.machine.outputs_asked.iter().find(|asked| asked.pin == output.pin)?;
    Some(match (output.pin, asked.value) {
        (_, None) => "a calculated value".to_owned(),
        (_, Some(0.0)) => "off".to_owned(),
        (OutputPin::Digital(_), Some(_)) => "on".to_owned(),
        (OutputPin::Analog(_), Some(value)) => number(value),
    })
}

/// All of them that something was asked of, for a row of the screen. `None`: none.
pub fn all_asked(snapshot: &Snapshot) -> Option<String> {
    let words: Vec<_> = snapshot
        .outputs
        .iter()
        .filter_map(|output| asked(output, snapshot).map(|asked| format!("{} {asked}", output.name)))
        .collect();
    (!words.is_empty()).then(|| format!("asked: {}", words.join(", ")))
}
