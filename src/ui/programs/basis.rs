//! What is said of a program is said of the machine as it stood then.

use crate::model::snapshot::{LinkState, Snapshot};
use crate::model::work::{Slot, Wcs};
use crate::model::{AxisSet, AxisVec, StateKind};

/// What a check of a program depends on beside the file.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Basis {
    homed: AxisSet,
    work_offset: Option<AxisVec>,
    in_alarm: bool,
    link: bool,
    state: Option<StateKind>,
    /// Units and coordinate system.
    modal: Vec<String>,
    /// G92 shift and tool length.
    shifts: [Option<AxisVec>; 2],
}

impl Basis {
    /// The machine as it is told to stand.
    pub fn of(snapshot: &Snapshot) -> Self {
        let machine = &snapshot.machine;
        let words = machine.modal.as_ref().map_or(&[][..], |modal| &modal.words);
        let counts = |word: &&String| matches!(word.as_str(), "G20" | "G21") || Wcs::from_name(word).is_some();
        Self {
            homed: machine.homed,
            work_offset: machine.work_offset,
            in_alarm: machine.alarm.is_some(),
            link: machine.link.state == LinkState::Up,
            state: machine.state.map(|state| state.kind),
            modal: words.iter().filter(counts).cloned().collect(),
            shifts: [Slot::G92, Slot::Tlo].map(|slot| machine.offsets.get(slot.name()).copied()),
        }
    }
}
