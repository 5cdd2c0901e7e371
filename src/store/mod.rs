//! What outlives a run, in files: backups of a controller's settings.
//!
//! Everything here blocks; whoever calls it does so off the runtime.

pub mod backups;

pub use backups::{BackupError, Backups};
