//! `sunmill inverter`: what is on a bus, what it measures, what can be set. Each command opens the bus itself, for as long as it
//! takes; a bus that a running sunmill holds is refused, and the holder named.

mod args;
mod place;
mod registers;
mod run;
mod scan;
mod show;
mod visit;

pub(super) use args::InverterCommand;
pub(super) use run::run;
