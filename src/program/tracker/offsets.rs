//! What moves the zero, dwells, stored places.

use super::codes::Wanted;
use super::core::{Once, Sink, Tracker};
use super::turn::{AXIS_LETTERS, Turn};
use crate::model::Firmware;
use crate::program::modal::G92;
use crate::program::motion::{Motion, Speed};
use crate::program::vocabulary::{NonModal, ToolLength};

impl Tracker {
    /// G54 … G59.3.
    pub(super) fn select(&mut self, system: u8) {
        if self.modal.system != Some(system) {
            // Where the two zeros lie is known only when the program runs.
            self.modal.place.known = 0;
        }
        self.modal.system = Some(system);
    }

    /// Actions that happen once. `true`: the axis words are used up.
    #[inline]
    pub(super) fn non_modal(&mut self, turn: &mut Turn<'_, impl Sink>, wanted: &Wanted, axes: u16) -> bool {
        let dynamic = wanted.tool_length == Some(ToolLength::Dynamic);
        let Some(action) = wanted.non_modal else {
            if dynamic {
                Self::conflict(turn, wanted);
            }
            return dynamic || wanted.scaling == Some(true);
        };
        match action {
            NonModal::Dwell => Self::dwell(turn),
            NonModal::MachineCoordinates | NonModal::Store(_) => {}
            NonModal::ClearOffset | NonModal::SuspendOffset => self.clear_g92(),
            NonModal::RestoreOffset => {
                self.modal.g92 = G92::Set;
                self.shift_all(u16::MAX);
            }
            NonModal::SetData | NonModal::GoStored(_) | NonModal::SetOffset => {
                Self::conflict(turn, wanted);
                turn.take_axes();
                match action {
                    NonModal::SetData => self.set_data(turn, axes),
                    NonModal::SetOffset => self.set_g92(turn, axes),
                    _ => self.go_stored(turn, axes),
                }
                return true;
            }
        }
        dynamic
    }

    /// Two codes that both want the axis words (`error:24`).
    fn conflict(turn: &mut Turn<'_, impl Sink>, wanted: &Wanted) {
        if wanted.motion.is_some_and(|motion| motion != crate::program::vocabulary::MotionMode::None) {
            turn.error("axis-conflict", "two codes in this line both use the axis words", "write them in two lines");
        }
    }

    fn dwell(turn: &mut Turn<'_, impl Sink>) {
        match turn.take(b'P') {
            Some(seconds) => turn.motion(&Motion::Dwell(seconds.max(0.0))),
            None => turn.error("value-missing", "G4 needs P with the seconds", "add it"),
        }
    }

    /// G10.
    fn set_data(&mut self, turn: &mut Turn<'_, impl Sink>, axes: u16) {
        let (Some(table), Some(number)) = (turn.take(b'L'), turn.take(b'P')) else {
            turn.error("value-missing", "G10 needs L and P", "add them");
            return;
        };
        let tools = matches!(table as i32, 1 | 10 | 11) && self.dialect.firmware == Firmware::GrblHal;
        if tools {
            turn.take(b'R');
            self.tool_table(turn);
            return;
        }
        if !matches!(table as i32, 2 | 20) {
            turn.error("unsupported", &format!("G10 L{table} is not known"), "use L2 or L20");
            return;
        }
        if axes == 0 {
            turn.error("value-missing", "G10 needs an axis word", "add it");
            return;
        }
        let most = if self.dialect.firmware == Firmware::Grbl { 6.0 } else { 9.0 };
        if number > most {
            turn.error(
                "system-missing",
                &format!("there is no coordinate system P{number}"),
                "use P0 (the active one) to P6 (G59)",
            );
            return;
        }
        self.modal.offsets_written = true;
        let system = (number >= 1.0).then_some(number as u8);
        let active = system.is_none() || system == self.modal.system;
        self.shifted |= match system.or(self.modal.system) {
            // The system at the start may be any of them.
            Some(system) if self.modal.system.is_none() => 1 << (system & 15) | 1,
            Some(system) => 1 << (system & 15),
            None => 1,
        };
        if active && table as i32 == 20 {
            self.here_is(turn, axes);
        } else if active || self.modal.system.is_none() {
            self.modal.place.known &= !axes;
        }
    }

    /// The tool table changes, which matters only where a tool of it is in use.
    fn tool_table(&mut self, turn: &mut Turn<'_, impl Sink>) {
        if matches!(self.modal.tool_length, Some(ToolLength::Table(_))) {
            self.shift_all(u16::MAX);
        }
        if self.first(Once::ToolTable) {
            turn.warn("tool-table", "the program writes the tool table", "make sure that it is meant");
        }
    }

    /// The coordinates of where the tool is become those of the axis words.
    fn here_is(&mut self, turn: &Turn<'_, impl Sink>, axes: u16) {
        let scale = self.scale();
        let place = &mut self.modal.place;
        for axis in (0..AXIS_LETTERS.len()).filter(|axis| axes & (1 << axis) != 0) {
            let value = turn.block.value(AXIS_LETTERS[axis]).unwrap_or_default();
            place.work[axis] = if matches!(axis, 3..=5) { value } else { value * scale };
        }
        place.known |= axes;
    }

    fn set_g92(&mut self, turn: &mut Turn<'_, impl Sink>, axes: u16) {
        if axes == 0 {
            turn.error("value-missing", "G92 needs an axis word", "add it");
            return;
        }
        self.modal.g92 = G92::Set;
        self.shifted = u16::MAX;
        self.here_is(turn, axes);
    }

    fn clear_g92(&mut self) {
        if self.modal.g92 == G92::Set {
            self.shift_all(u16::MAX);
        }
        self.modal.g92 = G92::Cleared;
    }

    /// The zeros of all systems moved by nobody knows how much along these axes.
    fn shift_all(&mut self, axes: u16) {
        self.shifted = u16::MAX;
        self.modal.place.known &= !axes;
    }

    /// G28 and G30: through the point of the axis words, to a stored place.
    fn go_stored(&mut self, turn: &mut Turn<'_, impl Sink>, axes: u16) {
        self.moved = true;
        if axes != 0 {
            let straight = self.straight(turn, axes, false, Speed::Rapid);
            turn.motion(&Motion::Straight(straight));
        }
        turn.motion(&Motion::Unknown);
        let moved = if axes == 0 { u16::MAX } else { axes };
        self.modal.place.known &= !moved;
        self.modal.place.machine_known &= !moved;
    }

    /// G43, G43.1, G49.
    pub(super) fn tool_length(&mut self, turn: &mut Turn<'_, impl Sink>, wanted: &Wanted) {
        let Some(length) = wanted.tool_length else { return };
        match length {
            ToolLength::Dynamic => {
                turn.take_axes();
                self.set_tool_offset(turn);
            }
            ToolLength::Cancelled => {
                match self.modal.tool_length {
                    Some(ToolLength::Dynamic) => {
                        for (work, offset) in self.modal.place.work.iter_mut().zip(self.modal.tool_offset_mm) {
                            *work += offset;
                        }
                    }
                    Some(ToolLength::Table(_)) => self.shift_all(u16::MAX),
                    Some(ToolLength::Cancelled) | None => {}
                }
                self.modal.tool_offset_mm = Default::default();
                self.modal.tool_length = Some(length);
            }
            ToolLength::Table(_) => {
                let tool = turn.take(b'H').map(|tool| tool as u32);
                self.modal.tool_length = Some(ToolLength::Table(tool));
                self.shift_all(u16::MAX);
            }
        }
    }

    fn set_tool_offset(&mut self, turn: &mut Turn<'_, impl Sink>) {
        let axes = super::turn::axes_of(turn.block.letters());
        if self.dialect.firmware != Firmware::GrblHal && axes & !0b100 != 0 {
            turn.error("tool-length-axis", "G43.1 takes Z only", "remove the other axes");
        }
        if axes == 0 && self.dialect.firmware == Firmware::Grbl {
            turn.error("tool-length-axis", "G43.1 needs Z", "add it");
        }
        let scale = self.scale();
        for axis in (0..AXIS_LETTERS.len()).filter(|axis| axes & (1 << axis) != 0) {
            let value = turn.block.value(AXIS_LETTERS[axis]).unwrap_or_default() * scale;
            // WPos = MPos − WCS − G92 − TLO.
            self.modal.place.work[axis] += self.modal.tool_offset_mm[axis] - value;
            self.modal.tool_offset_mm[axis] = value;
        }
        if matches!(self.modal.tool_length, Some(ToolLength::Table(_)) | None) {
            self.modal.place.known &= !axes;
        }
        self.modal.tool_length = Some(ToolLength::Dynamic);
        self.shifted = u16::MAX;
    }
}
