//! What is drawn: a pure function of [`Ui`](super::state::Ui), snapshot and time. One file per panel.

mod banner;
mod console;
mod footer;
mod header;
mod jog;
mod layout;
mod overlay;
mod position;
mod status;
mod text;

pub use layout::{MIN_HEIGHT, MIN_WIDTH, view};

#[cfg(test)]
mod tests;
