//! Jog gestures: from key events to steps, leases and cancels. Pure: no clock, no IO.
//!
//! [`repeat`] learns how fast this keyboard repeats and from that how long a lease must last; [`pad`] is the
//! state machine of a tap, a hold and a release, [`latch`] that of a jog without a key; [`gesture`] is what they speak of.

pub mod gesture;
pub mod latch;
pub mod pad;
pub mod repeat;

pub use gesture::{Direction, JogAct, JogKey, KeyFacts, Scale};
pub use pad::JogPad;
