//! Simulated devices that speak the real wire protocols.
//!
//! Pure cores (bytes and time in, bytes out): [`machine`] behaves like FluidNC 4, Grbl 1.1h or grblHAL, traps included;
//! [`inverter`] like the family of inverters that a profile describes. [`serve`] puts them behind a pipe in this process,
//! a PTY or a TCP port.

pub mod inverter;
pub mod machine;
pub mod serve;

pub use inverter::{InverterOptions, SimInverter};

pub use machine::{Counters, Fault, FaultPlan, Machine, Options, Settings};
