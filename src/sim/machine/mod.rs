//! A simulated CNC controller: pure, driven by [`Time`](crate::model::Time).
//!
//! What is here is what a sender can observe on the wire. Behaviour was taken from recordings of the
//! firmwares and, where the three differ (0x85, `$X`, buffers, what runs after a reset), they differ here.
//!
//! | file | what |
//! |---|---|
//! | `core` | the [`Machine`], time, states, alarms, output |
//! | `rx` | bytes to realtime commands and lines, by each firmware's rules |
//! | `realtime` | what realtime commands do, by state |
//! | `reset` | boot and soft reset |
//! | `lines` | the protocol loop: one line at a time becomes steps that may wait |
//! | `gcode`, `modal`, `exec` | words, modal state, G-code to steps |
//! | `arc` | arcs as chords |
//! | `dollar`, `listing`, `fluid` | `$` commands |
//! | `planner` | look-ahead and trapezoidal motion |
//! | `power` | what it draws |
//! | `homing`, `probing`, `pins` | cycles that watch a switch |
//! | `status` | reports |
//! | `profile`, `settings` | what differs by firmware; what survives power-off |
//! | `output` | lines, replies, alarms |
//! | `faults` | trouble on demand |

mod arc;
mod core;
mod details;
mod dollar;
mod drill;
mod exec;
mod faults;
mod fluid;
mod gcode;
mod homing;
mod lines;
mod listing;
mod modal;
mod output;
mod pins;
mod planner;
mod power;
mod probing;
mod profile;
mod realtime;
mod reset;
mod rx;
mod settings;
mod status;

pub use self::core::{Counters, Machine, Options};
pub(in crate::sim) use faults::parse_time;
pub use faults::{BadFault, Fault, FaultPlan};
pub use settings::{BadSettings, Settings};
