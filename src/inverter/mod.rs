//! Inverters over Modbus, pure: what to ask, what the answers mean, what may be written.
//!
//! Time and replies are arguments; nothing here knows a task, a clock, a file or a wire. Framing and transports are
//! `driver::bus`, which carries [`request::Request`]s out and brings [`request::Reply`]s or [`request::Failure`]s back.

pub mod profile;
pub mod request;

pub use profile::{Profile, Register};
pub use request::{Action, Failure, Reply, Request};
