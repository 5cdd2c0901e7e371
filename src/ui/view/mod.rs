//! What is drawn: a pure function of [`Ui`](super::state::Ui), snapshot and time. One file per panel.

mod banner;
mod clients;
mod console;
mod controller;
mod devices;
mod footer;
mod glyphs;
mod header;
mod jog;
mod layout;
mod log;
mod machine;
mod offsets;
mod overlay;
mod overrides;
mod position;
mod power;
mod preview;
mod programs;
mod recovery;
mod run;
mod status;
mod sun;
mod table;
mod tabs;
mod text;

pub use layout::{Drawn, MIN_HEIGHT, MIN_WIDTH, view};
pub use preview::{Picture, draw as draw_preview, text as preview_text};

#[cfg(test)]
mod tests;
