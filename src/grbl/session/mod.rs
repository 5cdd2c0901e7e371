//! The session state machine (sans-IO): bytes, orders and time in; bytes and events out.
//!
//! ```text
//!  handle_bytes ─▶ assembler ─▶ reply ─▶ replies ─┐                       ┌─▶ outgoing (realtime bytes)
//!  submit, jog ──────────────────────────────────┼─▶ pump: what is due? ──┼─▶ window (lines)   ─▶ poll_transmit
//!  realtime ─────▶ stop table ───────────────────┘                       └─▶ events           ─▶ poll_event
//! ```
//!
//! Invariants (design §4), each held by a property test in `tests/session_properties.rs`: in flight ≤ window; one `ok`,
//! one ticket; realtime is a set and goes first, even in the middle of a line; `?` replies are not counted; a
//! reset clears what waits; in Hold, Door and Sleep no line is begun; 0x85 leaves only while jogging; a program's lane goes on
//! by nothing but a cycle start.

mod assembler;
mod cancel;
mod core;
mod heard;
mod in_hand;
mod jogger;
mod outgoing;
mod pump;
mod queries;
mod replies;
mod reports;
mod settings;
mod situation;
mod stop;
mod stop_table;
mod stream;
#[cfg(test)]
mod tests;
mod voids;
mod window;

pub use core::{JogOrder, Session, SessionConfig};
pub use settings::SettingOrder;
pub use situation::Situation;
pub use stop_table::{Decision, decide};
pub use stream::{ProgramItem, ProgramLine};
