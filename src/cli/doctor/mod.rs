//! `sunmill doctor`: what is in the way of a machine on this computer, each with its remedy.
//!
//! [`gather`] looks and judges nothing; [`assess`] judges what was seen and looks at nothing, so that each finding has a test
//! of its own. No port is opened and nothing is changed.

mod assess;
mod command;
mod facts;
mod finding;
mod gather;
mod system;
mod tcp;
mod terminal;

pub(super) use command::{DoctorArgs, findings, run, text};
