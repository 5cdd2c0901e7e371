//! **sunmill** runs a FluidNC, Grbl or grblHAL machine from any terminal.

pub mod cli;
pub mod config;
pub mod driver;
pub mod grbl;
pub mod hub;
pub mod model;
pub mod sim;
pub mod ui;
