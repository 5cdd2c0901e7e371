//! What outlives a run: one SQLite file with history, journal, audit and kept reports, and a folder of settings backups.
//!
//! The file has one writer, a thread of its own in the process that owns the hub ([`Store`]); whoever reads does so beside it
//! ([`Reader`]), also from another process. It is a write-ahead log (WAL): a cut of power leaves what was committed.
//! Commits of runs, positions and audit rows are synchronous; jogs and kept reports wait a few seconds for company, since
//! memory cards wear.
//!
//! What blocks says so; whoever calls it does so off the runtime.

mod agenda;
pub mod backups;
mod error;
mod handle;
mod open;
mod options;
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
pub use open::Opened;
pub use options::StoreOptions;
pub use reader::{AuditFilter, ProgramTotals, Reader, RunFilter, Totals};
pub use writer::now_ms;
