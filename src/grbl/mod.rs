//! The machine protocol of Grbl 1.1, FluidNC and grblHAL, pure: bytes and time in, bytes and events out.
//!
//! Nothing here knows a port, a clock or a task. [`Session`] is the state machine; the other files are
//! what it is made of. Facts about the firmwares name the firmware and the section they come from.

pub mod event;
pub mod identify;
pub mod line;
pub mod realtime;
pub mod reply;
pub mod session;
pub mod status;
pub mod tables;

pub use event::Event;
pub use line::Line;
pub use reply::Reply;
pub use session::Session;
