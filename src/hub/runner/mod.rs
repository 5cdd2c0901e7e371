//! The program runner: starts a program, follows it, says how it stands, and keeps what is needed to take it up again.
//!
//! ```text
//!  a person's order ─▶ keeper ─▶ feeder (a thread: file → encode) ─▶ feed ─▶ driver ─▶ session ─▶ wire
//!                        │ ◀──── news: opened, asked ahead, read to the end        │
//!                        ▼                                                         ▼
//!                     course: ready → running ⇄ paused → done | failed | stopped ◀─ program events
//!                        └─▶ record: history and positions in the store, the offer to go on
//! ```
//!
//! `course` is pure. Nothing here starts, resumes or repeats anything that nobody asked for.

mod config;
mod course;
#[cfg(test)]
mod course_tests;
mod encode;
mod ended;
mod feeder;
mod keeper;
mod left;
mod lookup;
mod offer;
mod record;
mod start;

pub use config::{Checks, ProgramKeeping, RunnerConfig};
pub use encode::ToolChange;
pub(in crate::hub) use feeder::News;
pub(in crate::hub) use keeper::Runner;
pub use lookup::preamble;
