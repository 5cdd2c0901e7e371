//! Work coordinates, moves to a place, spindle and coolant: what can be asked, whether it may be, and the very lines
//! that do it. One place for the hub that sends them and for the screen that shows them first.

mod lines;
mod order;
#[cfg(test)]
mod tests;
mod travel;

pub use lines::{compose, of_go_to, of_switch, of_work};
pub use order::{
    AxisValues, Frame, GoTo, OffsetChange, Slot, Stored, Switch, Wcs, Work, newest_to_undo, work_offset_of,
};
pub use travel::{SAFE_Z_BELOW_TOP_MM, check_target, machine_target, safe_z_mm};
pub(super) use travel::{check_go_to, check_switch, check_work};
