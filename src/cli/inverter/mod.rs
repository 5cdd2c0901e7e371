//! `sunmill inverter`: what is on a bus, what it measures, what can be set. `list` and `set` go through the
//! sunmill that runs, and `show` and `registers` too where one does; else these open the bus of the configuration for as long as
//! it takes. `scan` opens what nobody holds.

mod args;
mod attached;
mod held;
mod place;
mod registers;
mod run;
mod scan;
mod show;
mod visit;

pub(super) use args::InverterCommand;
pub(super) use run::run;
