//! SunSpec: devices that say themselves what they have. A walk finds the information models ([`Walk`]), and the models
//! become a [`Profile`](super::Profile) like any other ([`profile_of`]), with ids such as `m103_w` and `m160_2_dcw`.
//!
//! From the SunSpec Information Model Specification: the marker `SunS` stands at 40000, 50000 or 0; behind it models
//! follow one another, each with its id and length, up to the id 0xFFFF. Points are scaled by the power of ten in
//! another point of the same model, and have values that say "not implemented".

mod build;
mod models;
mod walk;

pub use build::profile_of;
pub use walk::{Found, NotSunSpec, Walk};
