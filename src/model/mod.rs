//! Plain data that everyone shares: what is known, what is asked, what became of it.
//!
//! No IO and no clock live here. Time is an argument everywhere ([`Time`]); tokio appears in one
//! file only, [`hub`], because the handle that joins screens and hub is made of its channels.

pub mod address;
pub mod audit;
pub mod axes;
pub mod bus_port;
pub mod command;
pub mod desk;
pub mod endpoint;
pub mod hub;
pub mod jog;
pub mod latch;
pub mod legal;
pub mod log;
pub mod machine;
pub mod nearest;
pub mod outputs;
pub mod people;
pub mod power;
pub mod program;
pub mod quantity;
pub mod role;
pub mod settings;
pub mod snapshot;
pub mod sun;
pub mod time;
pub mod units;
pub mod work;

pub use address::is_loopback;
pub use axes::{Axis, AxisSet, AxisVec};
pub use bus_port::BusPort;
pub use command::{Command, HomeTarget, Outcome, Realtime, Ticket, TicketId};
pub use endpoint::Endpoint;
pub use hub::Hub;
pub use machine::{Firmware, MachineState, StateKind};
pub use role::Role;
pub use snapshot::Snapshot;
pub use time::Time;
pub use units::Units;
