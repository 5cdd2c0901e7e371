//! The linear mode (`sunmill --plain`): words in, lines out, for screen readers and terminals that cannot draw.
//!
//! [`words`] reads what was typed, [`speech`] puts facts into sentences, [`talk`] decides what to say and do; these are
//! pure. [`conversation`] carries lines between them, the terminal and the hub. Nothing is ever overwritten, no cursor
//! is moved, no colour is used: what was said stays said.

pub mod conversation;
pub mod power;
pub mod speech;
pub mod sun;
pub mod talk;
pub mod words;

#[cfg(test)]
mod tests;

pub use conversation::run;
