//! A simulated inverter: any shipped profile, served as that family would, with a day of sun, load and battery behind it.
//!
//! Pure: bytes and time in, bytes out. [`day`](Day) is what happens, `values` and `bank` say it in the words of the profile's
//! registers, `device` answers requests as the family does, [`core`](SimInverter) holds framing and trouble.
//! [`serve`](super::serve) puts it on a wire.

mod bank;
mod core;
mod day;
mod device;
mod fault;
mod frame;
#[cfg(test)]
mod tests;
mod values;

pub use self::core::{BusCounters, Client, Framing, InverterOptions, SimInverter};
pub use bank::BadInverterSettings;
pub use day::{Day, Limits};
pub use fault::{BadInverterFault, InverterFault, InverterFaultPlan};
