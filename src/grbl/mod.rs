//! The machine protocol of Grbl 1.1, FluidNC and grblHAL, pure: bytes and time in, bytes and events out.
//!
//! Nothing here knows a port, a clock or a task. [`Session`] is the state machine; the other files are
//! what it is made of. Facts about the firmwares name the firmware and the section they come from.

mod dollar;
pub mod event;
mod gcode;
pub mod identify;
pub mod line;
mod line_kind;
mod numbers;
pub mod outputs;
pub mod realtime;
pub mod recording;
pub mod replay;
pub mod reply;
pub mod session;
pub mod settings;
pub mod status;
pub mod tables;

pub use event::Event;
pub use line::Line;
pub use outputs::outputs_asked;
pub use reply::Reply;
pub use session::Session;
