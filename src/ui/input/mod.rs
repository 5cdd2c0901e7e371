//! From bytes of the terminal to key events.
//!
//! The terminal is read here and not by crossterm's event stream, because that decides a lone Esc by
//! what happened to be in the same read (a split arrow key becomes `Esc`, `[`, `A`), spins for ever after
//! a hang-up, and keeps the terminal's replies to itself. [`decode`] is pure; [`tty`] does the reading.

pub mod decode;
pub mod key_up;
mod sequence;
pub mod tty;

pub use decode::{Decoder, Input, InputEvent};
