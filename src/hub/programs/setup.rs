//! What a check has to know of the machine: another machine, or one that is set up otherwise, gives another report.

use crate::model::snapshot::Snapshot;
use crate::program::dialect::Dialect;
use crate::program::estimate::EstimateModel;

/// Raised when a check finds something else in the same file: reports that were kept are made anew then.
const VERSION: u32 = 3;

/// A machine as a check sees it.
#[derive(Clone, Debug)]
pub struct Setup {
    /// What its controller takes.
    pub dialect: Dialect,
    /// How fast it is.
    pub model: EstimateModel,
    /// The same for machines that give the same report.
    pub key: String,
}

impl Setup {
    /// Of a machine as it is known now, with the outputs that have names.
    pub fn of(snapshot: &Snapshot) -> Self {
        let machine = &snapshot.machine;
        let model = EstimateModel::of(Some(&machine.limits), Some(&machine.settings), machine.identity.as_ref());
        // The runner stops at M6 and asks for the tool.
        Self::new(Dialect { asks_for_tools: true, ..Dialect::of(machine).with_outputs(&snapshot.outputs) }, model)
    }

    /// From its parts.
    pub fn new(dialect: Dialect, model: EstimateModel) -> Self {
        let all = format!("{VERSION} {} {dialect:?} {model:?}", env!("CARGO_PKG_VERSION"));
        let key = blake3::hash(all.as_bytes()).to_hex().to_string();
        Self { dialect, model, key }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::machine::Firmware;

    #[test]
    fn another_machine_has_another_key() {
        let key = |firmware, axes, deviation| {
            let mut model = EstimateModel::default();
            model.junction_deviation_mm = deviation;
            Setup::new(Dialect::new(firmware, axes), model).key
        };
        let keys = [
            key(Firmware::Grbl, 3, 0.01),
            key(Firmware::FluidNc, 3, 0.01),
            key(Firmware::Grbl, 4, 0.01),
            key(Firmware::Grbl, 3, 0.02),
        ];
        for (at, one) in keys.iter().enumerate() {
            assert!(!keys[at + 1..].contains(one));
        }
        assert_eq!(keys[0], key(Firmware::Grbl, 3, 0.01));
    }
}
