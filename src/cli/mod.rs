//! The command line: arguments, the commands that are not the screen, and what holds the screen up
//! (settings, log files, crash report).
//!
//! What a command prints on stdout is data; words for people go to stderr, so pipes stay clean. The
//! environment is read in one place, [`Environment::of_this_process`], and handed on as values.
//! What the exit codes mean is said at [`Failure`].

mod args;
mod audit;
mod bugreport;
mod check;
mod config;
mod crash;
mod daemon;
mod desk;
mod doctor;
mod energy;
mod environment;
mod exit;
mod files;
mod fleet;
mod history;
mod house;
mod inverter;
mod job;
pub mod keys;
mod listing;
mod logged;
mod logging;
mod out;
mod own_profiles;
mod ports;
mod power_history;
mod preview;
mod profiles;
mod programs;
mod protocol;
mod remote;
mod replay;
mod rules;
mod rules_list;
mod run;
mod screen;
mod service;
mod settings;
mod sim;
mod sim_fleet;
mod sim_inverter;
mod socket;
mod standing;
mod status;
mod store;
mod sun_status;
mod tcp;
mod token;
mod watch;
mod when;

pub use args::Cli;
pub use crash::install as install_crash_report;
pub use environment::Environment;
pub use exit::Failure;
pub use run::run;
pub use settings::{Look, Settings};
pub use sim::{Listen, SimOptions};
