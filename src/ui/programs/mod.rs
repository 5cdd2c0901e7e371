//! What the screen knows of programs beside the snapshot: the tab Programs with its pages, the question before a run, and
//! what is followed of the run under way.

mod basis;
pub mod browser;
pub mod facts;
pub mod keys;
pub mod launch;
pub mod past;
pub mod progress;
pub mod state;
pub mod text;
pub mod words;

pub use basis::Basis;
pub use keys::ProgramKey;
pub use launch::{FromLine, Launch, Outlook, Way};
pub use state::{Field, Page, Programs};
