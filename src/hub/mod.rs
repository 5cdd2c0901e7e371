//! The owner of the truth.
