//! Byte streams to a machine: serial, TCP, WebSocket, in process. One [`Port`] type for all of them.

mod error;
mod holder;
mod lock;
mod opener;
mod port;
mod serial;
mod tcp;
mod tty;
mod ws;

#[cfg(test)]
pub(super) use serial::tests as serial_tests;

pub use error::OpenError;
pub use holder::Holder;
pub use lock::{DeviceLock, lock_dir};
pub use opener::{InProcess, Opener};
pub use port::{Port, Stream};
pub use serial::SerialLine;
pub(super) use serial::open as open_serial;
pub(super) use tcp::connect as connect_tcp;
pub use ws::WsStream;
