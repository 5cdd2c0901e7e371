//! G-code programs, pure: reading, modal state, checks, bounds, time, tool path, preamble.
//!
//! Bytes go in in any pieces, in constant memory; nothing here knows of files, clocks or controllers' state beyond what it is told.
//!
//! ```text
//!  chunks ─▶ Reader ─▶ RawLine ─▶ Block (words) ─▶ Tracker (modal state, Dialect) ─▶ Motions and Problems
//!                                                                    Analysis: Report and Toolpath ◀─┘
//! ```

pub mod analysis;
pub mod block;
pub mod check;
pub mod compact;
pub mod dialect;
pub mod estimate;
pub mod fault;
pub mod left;
pub mod modal;
pub mod motion;
mod number;
pub mod outline;
pub mod preamble;
pub mod reader;
pub mod rewind;
pub mod spindle;
pub mod toolpath;
pub mod tracker;
pub mod vocabulary;

pub use analysis::{Analysis, AnalysisConfig};
pub use block::Block;
pub use compact::Compactor;
pub use dialect::Dialect;
pub use left::{Left, Zeros};
pub use modal::Modal;
pub use preamble::{Approach, Here};
pub use reader::{RawLine, Reader};
pub use rewind::{Ran, Rewind};
pub use spindle::{Spindle, Turn};
pub use tracker::{Sink, Tracker};
