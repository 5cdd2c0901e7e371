//! Programs on disk: which there are, what is in them, and what their checks found.
//!
//! Everything that reads files or checks them blocks, and so has threads of its own. [`desk`] is the one task that asks
//! them and answers; [`ProgramFiles`] is the door for whoever runs programs.

mod answers;
pub mod browse;
pub mod desk;
pub mod files;
pub mod folders;
pub mod jobs;
pub mod lines;
pub mod setup;
pub mod shelf;
pub mod task;
#[cfg(test)]
mod tests;
pub mod worker;

pub use desk::{ProgramDesk, ProgramsConfig};
pub use files::{Known, OpenedProgram, ProgramFiles};
pub use folders::{FileError, Folder, Folders, ProgramFile, Stamp};
