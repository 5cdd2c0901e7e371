//! Modbus: one task per serial bus or socket, with any number of units on it.
//!
//! What to ask and what an answer means is [`inverter`](crate::inverter)'s; framing is tokio-modbus'. What lives here is
//! what makes an answer worthy of trust: after a time-out tokio-modbus 0.17 can return the *previous* request's registers as good,
//! on a serial line once or twice, on RTU over TCP for ever (measured). So a time-out ends all trust in the link until it was silent,
//! drained or made anew, and a register whose content is known has been read again.

mod desk;
mod endpoint;
mod handle;
mod lent;
mod link;
mod order;
mod outbox;
mod setting;
mod stats;
mod task;
#[cfg(test)]
mod tests;
mod unit;

pub use endpoint::{BusEndpoint, BusOpener, InProcessBus};
pub use handle::{BusConfig, BusHandle, Family, UnitConfig, spawn};
pub use link::{BusLink, Canary, Patience};
pub use order::{BusEvent, BusEventKind, BusOrder, UnitEvent};
pub use stats::{BusStats, WireTrouble};
