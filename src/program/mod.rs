//! G-code programs, pure: reading, modal state, checks, bounds, time, tool path, preamble.
//!
//! Bytes go in in any pieces, in constant memory; nothing here knows of files, clocks or controllers' state beyond what it is told.

pub mod estimate;
pub mod motion;
pub mod outline;
pub mod toolpath;
