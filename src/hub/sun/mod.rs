//! Rules and parking: what watches inverters, machine and program, and what it leads to.
//!
//! [`look`], [`watch`] and [`park`] are pure: a snapshot and the time go in, truths, firings and steps come out. `keeper` is
//! the hub's part: it carries out what they say, tells people, and writes it down. Nothing here ever resumes anything.

mod keeper;
mod look;
mod park;
mod setup;
#[cfg(test)]
mod tests;
mod watch;

pub(super) use keeper::SunHub;
pub use setup::{ParkPlace, SunSetup};
