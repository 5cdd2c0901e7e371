//! The task that owns the port of a machine and pumps its [`Session`](crate::grbl::Session).

mod ask;
mod event;
mod exchange;
mod feed;
mod handle;
mod meter;
mod outbox;
mod outgoing;
mod task;
#[cfg(test)]
mod tests;
mod wire;

pub use ask::ask;
pub use event::{Event, EventKind, Order, OrderKind};
pub use feed::{BATCH, Feed, Feeder};
pub use handle::{MachineHandle, spawn, spawn_logged};
