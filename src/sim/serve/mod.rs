//! Simulated machines on a wire: a pipe in this process, a pseudo terminal, a TCP port.
//!
//! Each server is one task that owns its [`Machine`](super::Machine) and gives it bytes and time; `wire` slows
//! bytes down to a baud rate, `control` is what a person can do to the machine while it is served.

mod clients;
mod control;
mod process;
mod pty;
mod tcp;
mod wire;
mod world;

pub use control::{BadControl, Control};
pub use process::{in_process, in_process_at};
pub use pty::serve_pty;
pub use tcp::{listen, serve_tcp};
pub use world::{ServeError, World};
