//! Follows a program block by block as a controller would: modal state, position, what moves, what is wrong.

mod arc;
mod codes;
mod core;
mod cycle;
mod motion;
mod offsets;
mod other;
mod spline;
mod stops;
#[cfg(test)]
mod tests;
mod turn;

pub use core::{Sink, Tracker};
