//! Settings as the firmwares list them, folded into rows.
//!
//! [`Catalog`] is what `assets/settings.json` knows; [`listing`] reads what grblHAL and FluidNC tell of themselves;
//! [`Book`] joins both with the values. What a controller tells goes before what the catalogue knows.

mod book;
mod catalog;
pub mod listing;
#[cfg(test)]
mod tests;

pub use book::Book;
pub use catalog::Catalog;
