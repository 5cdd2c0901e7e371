//! The hub's side of inverters: what buses tell is folded into the snapshot, orders are judged, counted and answered
//! once, questions are answered, and the history is sampled.
//!
//! Nothing here waits for a bus: what needs its answer goes on when that comes, so a slow or dead bus delays no machine.

mod desk;
mod drift;
mod edges;
mod energy;
mod events;
mod fold;
mod inbox;
mod keeper;
mod kept;
mod memory;
mod orders;
mod rows;
mod said;
mod sampler;
mod setup;
mod step;
#[cfg(test)]
mod tests;
mod ticks;
mod writes;

pub(super) use inbox::Inbox;
pub(super) use keeper::PowerHub;
pub use kept::{Remembered, remembered};
pub use memory::{Device, Memory};
pub use rows::setting_rows;
pub use setup::{BusPlan, BusSetup, PowerKeeping, UnitSetup};
