//! Programs on disk: which there are, what is in them, and what their checks found.
//!
//! Everything that reads files or checks them blocks, and so has threads of its own. [`desk`] is the one task that asks
//! them and answers; [`KnownReports`] tells whoever runs programs what their checks found.

mod answers;
pub mod browse;
pub mod checking;
pub mod desk;
pub mod folders;
pub mod jobs;
pub mod known;
pub mod lines;
pub(super) mod news;
pub(super) mod outlines;
pub mod setup;
pub mod shelf;
pub mod task;
#[cfg(test)]
mod tests;
pub mod worker;

pub use checking::Checking;
pub use desk::{Library, ProgramDesk};
pub use folders::{FileError, Folder, Folders, ProgramFile, Stamp};
pub use known::KnownReports;
