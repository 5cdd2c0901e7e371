//! The same hub over TCP: messages over WebSocket, and a few pages for monitors, all on one port.
//!
//! A client that came in this way is served by the same code as one of the Unix socket ([`peer`](super::peer)); what is
//! different is how it is let in ([`guard`], [`keeper`]) and that each message is one of WebSocket ([`socket`]).

mod guard;
mod keeper;
mod knocks;
mod listen;
mod porch;
mod socket;
mod tls;
mod visit;

pub(super) use listen::keep;
pub use listen::{TcpError, TcpListening, TcpSetup};
pub(in crate::attach) use tls::certificates;
pub use tls::{TlsError, TlsFiles};
