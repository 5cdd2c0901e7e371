//! G-code programs, pure: reading, modal state, checks, bounds, time, tool path, preamble.
//!
//! Bytes go in in any pieces, in constant memory; nothing here knows of files, clocks or controllers' state beyond what it is told.
//!
//! [`Reader`] cuts chunks into lines, [`Block`] reads a line into words.

pub mod block;
pub mod fault;
pub mod motion;
mod number;
pub mod reader;
pub mod rewind;

pub use block::Block;
pub use reader::{RawLine, Reader};
pub use rewind::Rewind;
