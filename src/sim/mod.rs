//! Simulated devices that speak the real wire protocols.
//!
//! [`machine`] is a pure core (bytes and time in, bytes out) that behaves like FluidNC 4, Grbl 1.1h or
//! grblHAL, traps included; [`serve`] puts it behind a pipe in this process, a PTY or a TCP port.

pub mod machine;
pub mod serve;

pub use machine::{Counters, Fault, FaultPlan, Machine, Options, Settings};
