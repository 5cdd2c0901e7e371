//! Simulated devices on a wire: a pipe in this process, a pseudo terminal, a TCP port.
//!
//! A server owns its [`Machine`](super::Machine) and gives it bytes and time; `wire` slows bytes down to a baud rate,
//! `control` is what a person can do to the machine while it is served. A [`SimInverter`](super::SimInverter) has its
//! own: `bus` with `bus_control`. `wired` is what both have in common at the end of a serial line.

mod bus;
mod bus_control;
mod clients;
mod control;
mod line;
mod outlet;
mod process;
mod pty;
mod tcp;
mod wire;
mod wired;
mod world;

pub use bus::{Bus, serve_bus_tcp};
pub use bus_control::{BadBusControl, BusControl};
pub use control::{BadControl, Control};
pub use line::connect_line;
pub use outlet::Outlet;
pub use process::{in_process, in_process_at, in_process_on};
pub use pty::serve_pty;
pub use tcp::{listen, serve_tcp};
pub use wired::Wired;
pub use world::{ServeError, World};
