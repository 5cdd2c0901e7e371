//! The only device IO: one task per link, its transports, and the pacing of what it writes.
//!
//! A task owns the port and nobody else can reach it. Orders come in through a bounded queue,
//! realtime actions through the [`Latch`](crate::model::latch::Latch) beside it, and events leave through a
//! bounded channel that never makes a realtime byte wait. The protocol itself is in [`grbl`](crate::grbl).

pub mod backoff;
pub mod bus;
pub mod clock;
pub mod discover;
pub mod machine;
pub mod pace;
pub mod pulse;
pub mod transport;
pub mod wire_log;

pub use clock::Clock;
pub use machine::{Event, EventKind, MachineHandle, Order, OrderKind};
pub use pace::Pace;
pub use pulse::Pulse;
pub use transport::{InProcess, OpenError, Opener};
pub use wire_log::{WireLog, WireLogConfig, WireLogGuard};
