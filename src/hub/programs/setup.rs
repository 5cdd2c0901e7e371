//! What a check has to know of the machine: another machine, or one that is set up otherwise, gives another report.

use crate::model::snapshot::Machine;
use crate::program::estimate::EstimateModel;

/// Raised when a check finds something else in the same file: reports that were kept are made anew then.
const VERSION: u32 = 1;

/// A machine as a check sees it.
#[derive(Clone, Debug)]
pub struct Setup {
    /// How fast it is.
    pub model: EstimateModel,
    /// The same for machines that give the same report.
    pub key: String,
}

impl Setup {
    /// Of a machine as it is known now.
    pub fn of(machine: &Machine) -> Self {
        let model = EstimateModel::of(Some(&machine.limits), Some(&machine.settings), machine.identity.as_ref());
        let key = blake3::hash(format!("{VERSION} {} {model:?}", env!("CARGO_PKG_VERSION")).as_bytes());
        Self { model, key: key.to_hex().to_string() }
    }
}
