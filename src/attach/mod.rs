//! The socket: one hub, many screens and scripts.
//!
//! JSON-RPC 2.0, an object a line, on a Unix socket. [`server`] serves a hub's [`HubPort`](crate::model::hub::HubPort) to
//! everybody who may open the socket; [`client`] makes a [`Hub`](crate::model::Hub) handle of a connection, so that a
//! screen cannot tell whether its hub is in the same process.
//!
//! The state goes as the whole snapshot once and then as what changed (RFC 7386), the latest whenever there is room for
//! it; log entries and answers go in order. Over TCP each message is one of WebSocket, and the rest is the same. A stop is carried out before anything else of its line is looked at: it
//! needs no greeting, no control and no place in a queue.

mod catch_up;
pub mod client;
mod dial;
mod frames;
mod patch;
mod place;
pub mod server;
pub mod tokens;
mod wire;

pub use client::{Attached, ConnectError, connect, press, talk};
pub use place::{Place, Remote, Secret};
pub use server::{
    Access, BindError, Listening, METHODS, Method, NOTIFICATIONS, Server, TcpError, TcpListening, TcpSetup, TlsError,
    TlsFiles, serve, this_user,
};
pub use wire::{Call, Code, PROTOCOL, Problem};
