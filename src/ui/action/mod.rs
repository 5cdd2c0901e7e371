//! The action table: one row for each thing a key can do.
//!
//! The keymap, the footer's hints, the help and the README's key table all come from it, so none of them can lie.
//! A new action is a variant of [`Action`], a row in its area's file under `rows/`, what [`available()`] says of it,
//! and what [`update`](super::update) does about it.

mod available;
mod kind;
mod print;
mod row;
mod rows;
mod table;
#[cfg(test)]
mod tests;

pub use available::available;
pub use kind::{Action, Context, Danger, Group};
pub use print::{JOG_MODIFIERS, key_table_markdown, key_table_toml};
pub use row::Row;
pub use table::{TABLE, find};
