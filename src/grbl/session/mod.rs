//! The session state machine (sans-IO).

mod core;

pub use core::{JogOrder, Session, SessionConfig};
