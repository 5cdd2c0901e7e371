//! Rules and parking: what watches inverters, machine and program, and what it leads to.
//!
//! [`look`], [`watch`], [`park`] and [`meter`] are pure: a snapshot and the time go in, truths, firings, steps and energies come
//! out. `keeper` and `energy` are the hub's part: they carry out what is said, tell people, and write it down. Nothing here ever
//! resumes anything.

mod energy;
mod headroom;
mod keeper;
mod look;
mod meter;
mod notices;
mod park;
pub mod plan;
mod quarters;
mod restart;
mod rules;
mod setup;
mod spindle;
mod start;
#[cfg(test)]
mod tests;
mod turning;
mod watch;

pub(super) use keeper::SunHub;
pub use quarters::Days;
pub(super) use quarters::{QuarterNews, news as quarter_news};
pub use rules::RuleSet;
pub use setup::{ParkPlace, SpindleNeed, StartSetup, SunSetup};
