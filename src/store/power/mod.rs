//! The history of inverters, what people set on them, and what is remembered of each.
//!
//! A tick of one inverter is one wide row of scaled whole numbers, keyed by time first (time × 256 + inverter, so that each
//! batch goes to the end of one tree). The thread that writes makes minutes of ticks, quarters of an hour of minutes and days of
//! quarters, each once its time is over; it can make them again from what is below, so nothing is lost between two starts.

mod batch;
mod columns;
mod energies;
mod fold;
mod kept;
mod read;
mod table;
mod tidy;

pub(super) use batch::Batch;
pub(super) use energies::energies;
pub(super) use kept::{forget_setting, memory, remember, save_setting, saved};
pub use read::{Told as PowerRow, value_names as power_value_names, values_of as power_values};
pub(super) use read::{together, told};
pub(super) use tidy::tidy;
