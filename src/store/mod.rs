//! What outlives a run: one SQLite file with history, journal, audit and kept reports, and a folder of settings backups.
//!
//! The file has one writer, a thread of its own in the process that owns the hub ([`Store`]); whoever reads does so beside it
//! ([`Reader`]), also from another process. It is a write-ahead log (WAL): a cut of power leaves what was committed.
//! Commits of runs, positions and audit rows are synchronous; jogs and kept reports wait a few seconds for company, how power
//! went half a minute, since memory cards wear.
//!
//! What blocks says so; whoever calls it does so off the runtime.

mod agenda;
pub mod backups;
mod error;
mod handle;
mod open;
mod options;
mod power;
mod reader;
mod rows;
mod schema;
#[cfg(test)]
mod tests;
mod write;
mod writer;

pub use backups::{BackupError, Backups};
pub use error::StoreError;
pub use handle::Store;
pub use open::{Opened, examine};
pub use options::StoreOptions;
pub use power::{PowerRow, power_value_names, power_values};
pub use reader::{AuditFilter, Reader, RunFilter};
pub use writer::now_ms;

/// What is remembered of an inverter under this key says whether a person switched it off: [`OFF`].
pub const ENABLED: &str = "enabled";
/// It is switched off: where it has no history it is not missed among all inverters together.
pub const OFF: &str = "no";
