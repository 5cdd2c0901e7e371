//! Rules and parking: what watches inverters, machine and program, and what it leads to.
//!
//! [`look`], [`watch`], [`park`] and [`meter`] are pure: a snapshot and the time go in, truths, firings, steps and energies come
//! out. `keeper` and `energy` are the hub's part: they carry out what is said, tell people, and write it down. Nothing here ever
//! resumes anything.

mod days;
mod energy;
mod headroom;
mod keeper;
mod look;
mod meter;
mod notices;
mod park;
pub mod plan;
mod rules;
mod setup;
mod spindle;
mod start;
#[cfg(test)]
mod tests;
mod watch;

pub(super) use days::{Days, news as day_news, start as read_days};
pub(super) use keeper::SunHub;
pub(super) use plan::{PlanNews, news as plan_news};
pub use rules::RuleSet;
pub use setup::{ParkPlace, SpindleNeed, StartSetup, SunSetup};
