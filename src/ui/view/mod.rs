//! What is drawn: a pure function of [`Ui`](super::state::Ui), snapshot and time. One file per panel.

mod banner;
mod console;
mod controller;
mod devices;
mod footer;
mod glyphs;
mod header;
mod jog;
mod layout;
mod machine;
mod offsets;
mod overlay;
mod overrides;
mod position;
mod recovery;
mod status;
mod table;
mod tabs;
mod text;

pub use layout::{MIN_HEIGHT, MIN_WIDTH, view};

#[cfg(test)]
mod tests;
