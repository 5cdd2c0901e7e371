//! Programs on disk: which there are, what is in them, and what their checks found.
//!
//! Everything that reads files or checks them blocks, and so has threads of its own.

pub mod browse;
pub mod folders;
pub mod jobs;
pub mod lines;
pub mod worker;

pub use folders::{FileError, Folder, Folders, ProgramFile, Stamp};
