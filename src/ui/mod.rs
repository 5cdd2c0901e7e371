//! The terminal: input, keymap, action table, state, update, theme, one file per panel under `view/`.
//!
//! ```text
//!   bytes ─▶ input::Decoder ─▶ update(&mut Ui, Event, &Snapshot, now) ─▶ effects ─▶ hub
//!                                         Ui, Snapshot ─▶ view ─▶ Screen (only what changed)
//! ```
//!
//! Absent here: devices, the hub's inside, the environment, files. Only [`app`] and [`terminal`] do IO; neither
//! `update` nor `view` reads a clock.

pub mod action;
pub mod app;
pub mod console;
pub mod devices;
pub mod editor;
pub mod input;
pub mod jog;
pub mod keymap;
pub mod screen;
pub mod settings;
pub mod state;
pub mod terminal;
#[cfg(test)]
mod testing;
pub mod theme;
pub mod update;
pub mod view;

pub use action::key_table_markdown;
pub use app::{Error, ExitReason, run};
pub use settings::{ColourMode, JogSettings, Settings, SymbolSet};
