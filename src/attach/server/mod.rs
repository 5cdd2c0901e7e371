//! The hub's side of the socket: who may come in, what they ask, what they are told.
//!
//! Each client has a task that reads and decides and one that writes, with a bounded queue between them. Nothing of
//! the hub ever waits for a client: the state is the latest one when there is room to send it, log entries that find no
//! room are counted, and a client that takes nothing for five seconds is cut off.

mod access;
mod counted;
mod door;
mod fares;
mod house;
mod listen;
mod methods;
mod metrics;
mod parked;
mod patient;
mod peer;
mod places;
mod requests;
mod ring;
mod tcp;
mod writer;
mod written;

pub use access::{Access, this_user};
pub use listen::{BindError, Listening, Server, serve};
pub use methods::{Field, METHODS, Method, NOTIFICATIONS};
pub(super) use tcp::certificates;
pub use tcp::{TcpError, TcpListening, TcpSetup, TlsError, TlsFiles};
