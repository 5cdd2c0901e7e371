//! Inverters over Modbus, pure: what to ask, what the answers mean, what may be written.
//!
//! Time and replies are arguments; nothing here knows a task, a clock, a file or a wire. Framing and transports are
//! `driver::bus`, which carries [`request::Request`]s out and brings [`request::Reply`]s or [`request::Failure`]s back.

pub mod budget;
pub mod codec;
pub mod energy;
pub mod frame;
pub mod grid_loss;
pub mod identity;
pub mod plan;
pub mod poller;
pub mod profile;
pub mod request;
pub mod summary;
pub mod sunspec;
pub mod validate;
pub mod values;
pub mod write;

pub use codec::{NoValue, Value};
pub use identity::Identity;
pub use plan::{Block, Learned};
pub use poller::Poller;
pub use profile::{Profile, Register};
pub use request::{Action, Failure, Reply, Request};
pub use values::Values;
pub use write::{WriteSequence, Written};
