//! The terminal: input, keymap, action table, state, update, theme, one file per panel under `view/`.
//!
//! ```text
//!   bytes ─▶ input::Decoder ─▶ update(&mut Ui, Event, &Snapshot, now) ─▶ effects ─▶ hub
//!                                         Ui, Snapshot ─▶ view ─▶ Screen (only what changed)
//! ```
//!
//! # Tabs
//!
//! The body of the screen belongs to the open [`Tab`](tab::Tab); header, alarm and stop lines, the line for G-code and
//! the footer are the same on all of them. A tab is, for the example of Offsets:
//!
//! - `offsets.rs`: its state, a field of [`Ui`](state::Ui), changed by `update` only;
//! - `view/offsets.rs`: `draw(cx, area, buf) -> Option<Position>`; a position is a text field's cursor;
//! - `update/offsets.rs`: `key(ui, key: &PanelKey) -> Option<Vec<Effect>>`; `None` leaves the key to the main screen.
//!
//! Its keys are rows of the [action table](action::TABLE) with [`Context::Tab`](action::Context::Tab) and arrive as
//! [`PanelKey::action`](update::panel::PanelKey::action); the keys that change tabs and those that stop are never seen by a panel. A text field of a
//! panel sets [`Mode::Field`](state::Mode::Field): then every key that is text comes to the panel, stop keys that are
//! text (Space, `!`) give way as in the line for G-code, and Esc closes the field (mode `Main`) after the panel saw it.
//! What needs a yes is a [`Popup`](state::Popup).
//!
//! # Without a screen
//!
//! [`plain`] is the same machine in words, for screen readers and terminals that cannot draw.
//!
//! Absent here: devices, the hub's inside, the environment, files. Only [`app`], [`terminal`] and [`plain::conversation`] do IO; neither
//! `update` nor `view` reads a clock.

pub mod action;
pub mod app;
mod bell;
pub mod complete;
pub mod console;
pub mod controller;
pub mod devices;
pub mod editor;
pub mod input;
pub mod jog;
pub mod keymap;
pub mod log;
pub mod offsets;
pub mod outputs;
pub mod overrides;
pub mod plain;
pub mod power;
pub mod preview;
pub mod programs;
pub mod recovery;
pub mod screen;
pub mod settings;
pub mod state;
pub mod tab;
pub mod terminal;
#[cfg(test)]
mod testing;
pub mod theme;
pub mod update;
pub mod view;
pub mod words;

pub use action::{key_table_markdown, key_table_toml};
pub use app::{Error, run};
pub use keymap::{KeyOverride, KeyProblem, Keymap};
pub use settings::{ColourMode, JogSettings, Paint, Settings, SymbolSet};
pub use state::ExitReason;
pub use theme::Role;
