//! The owner of the truth: folds what drivers tell into the snapshot, decides what may be sent, and answers each
//! command exactly once.
//!
//! [`fold`], [`arbiter`] and [`compose`] are pure; [`run`] is the one task, and the only writer of the
//! [`Snapshot`](crate::model::Snapshot). Clients hold a [`Hub`](crate::model::Hub) handle and cannot tell where this task runs.

pub mod arbiter;
mod audit;
pub mod compose;
pub mod fold;
mod jog_keys;
mod journal;
mod keeper_backups;
mod ledger;
mod offsets;
mod people;
pub mod power;
pub mod programs;
pub mod run;
pub mod runner;
pub mod sun;
#[cfg(test)]
mod tests;

pub use run::{HubConfig, HubTask, Keeping, MachineLink, Pulses, spawn, start, start_keeping};
