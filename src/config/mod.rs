//! `config.toml` into typed, validated values.
//!
//! [`SAMPLE`] is the annotated file at the top of the repository and equals [`Config::default`]; a test
//! holds them together. A file is refused whole at its first mistake, with file, line, column, the
//! offending key or value and what would be right. This room reads files but never the environment:
//! where to look is handed in as [`Places`].

mod attach;
mod colours;
mod daemon;
mod edit;
mod inverters;
mod migrate;
mod outputs;
mod parse;
mod range;
mod rules;
mod schema;
mod source;
mod sun;
mod tcp;

pub use attach::{Attach, OnClientLoss};
pub use colours::{Colours, Paint};
pub use daemon::{Daemon, OnStop};
pub use edit::{CannotEdit, with_port};
pub use inverters::{Bus, Inverter, Inverters, Parity};
pub use outputs::{Output, OutputKind};
pub(crate) use parse::nearest;
pub use parse::{Problem, parse};
pub use rules::{Park, Rule};
pub use schema::{
    Analysis, Colour, Config, Invert, Jog, KeyList, Log, LogLevel, MAX_BAUD, MIN_BAUD, Machine, Pace, Programs, SAMPLE,
    Symbols, Theme, ToolChange, Ui, VERSION, WireLog,
};
pub use source::{ConfigError, Loaded, Places, Source, load, read};
pub use sun::{DayTime, Spindle, SunConfig, Tariff};
pub use tcp::Tcp;
