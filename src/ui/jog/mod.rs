//! Jog gestures: from key events to steps, leases and cancels. Pure: no clock, no IO.
//!
//! [`repeat`] learns how fast this keyboard repeats and from that how long a lease must last; [`pad`] is the
//! state machine of a tap, a hold and a release.

pub mod pad;
pub mod repeat;

pub use pad::{Direction, JogAct, JogKey, JogPad, KeyFacts, Scale};
