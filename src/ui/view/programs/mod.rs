//! The tab Programs, a file per page.

mod details;
mod launch;
mod list;
mod page;
mod tables;
mod text;

pub(super) use page::{draw, draw_picture, hints};
pub(super) use text::lines;

#[cfg(test)]
mod tests;
