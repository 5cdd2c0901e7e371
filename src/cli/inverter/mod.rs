//! `sunmill inverter`: what is on a bus, what it measures, what can be set. `list` and `set` go through the
//! sunmill that runs; the others open the bus themselves, for as long as it takes, and name who holds one that is in use.

mod args;
mod attached;
mod place;
mod registers;
mod run;
mod scan;
mod show;
mod visit;

pub(super) use args::InverterCommand;
pub(super) use run::run;
