//! Profiles: what a family of inverters is, as data (`assets/inverters/*.toml`).
//!
//! # The file
//!
//! ```toml
//! profile = 1                          # version of this form
//! name = "senergy_hybrid"              # how configuration and commands call it
//! brand = "Senergy"
//! models = "SE hybrid, single phase"   # which devices it fits
//! sources = ["owner/repository@commit"] # where the facts are from
//! word_order = "high_first"            # of values that take several registers; or "low_first"
//! table = "holding"                    # of registers that do not say; or "input"
//!
//! [link]
//! baud = 9600                          # 8 data bits; the first to try
//! other_bauds = [38400]
//! parity = "none"                      # "even", "odd"
//! tcp_port = 502
//! unit = 1
//! services = { vebus = 246, grid = 0 } # more units behind one address; 0: has to be configured
//! timeout_ms = 1500
//! spacing_ms = 50                      # silence between an answer and the next question
//!
//! [read]
//! max = 20                             # most registers in one question, 1 to 125
//! gap = 40                             # how many unused registers may be read along; 0: none
//!
//! [write]
//! function = 6                         # for one register; several always with 16
//! max = 123                            # most registers in one write
//! settle_ms = 100                      # between a write and reading it back
//!
//! [enum]                               # words for values, by name
//! on_off = { 0 = "off", 1 = "on" }
//! [bits]                               # words for bits, counted from the lowest
//! faults = { 0 = "Grid over-voltage", 2 = "No grid" }
//!
//! [derived]                            # what no register holds, by role
//! pv_power = "pv1_power + pv2_power + pv3_power?"
//! ```
//!
//! and then `registers = […]`, best one to a line:
//!
//! | key | meaning |
//! |---|---|
//! | `id` | its name: small letters, digits, `_`. `alias`: other names for it |
//! | `addr` | address on the wire, from 0; or a list of one per word, in the order of `word_order`, for values whose words lie apart |
//! | `type` | `u16 s16 u32 s32 u64 s64 f32`, `bits16 … bits128`, `text`, `codes` (one value per word, 0 = none), `clock` (year·month, day·hour, minute·second), `sunssf` |
//! | `words` | length of `text` and `codes` |
//! | `table`, `service` | where it is, if not in the default table of the main unit |
//! | `scale`, `offset`, `unit` | value = raw × scale + offset, in unit. `scale_by`: the register that holds the exponent of 10 |
//! | `mask` | only these bits; what they say is moved down to bit 0. Writing keeps the others |
//! | `form` | `hhmm` (830 = 08:30), `hour_minute` (high byte hour), `version` (high byte · low byte) |
//! | `enum`, `bits` | words, in place or by name |
//! | `special` | values outside the range that mean something, with their words |
//! | `absent` | raw values that say "there is none" |
//! | `valid` | `[low, high]`: a value outside is not believed |
//! | `doubt` | values that are believed only when read three times in a row |
//! | `invert` | the device counts the other way; the value is negated |
//! | `poll` | `once safety flow slow setting never` |
//! | `role` | what it means to screens and rules |
//! | `access` | `ro` (default), `rw`, `wo` |
//! | `min`, `max`, `step` | what may be written, in unit: multiples of the step, and the bounds themselves; a bound may be the `id` of another register |
//! | `danger` | `normal`, `caution`, `dangerous`. What nobody may touch is left out of the file |
//! | `function`, `write_with`, `write_first` | another write function; registers that are written in the same frame; written before others of a change |
//! | `grid_lost`, `grid_present`, `grid_trouble`, `overload`, `battery_low` | values or bits that say so |
//! | `note` | what a person should know |
//!
//! Signs after `invert`: battery + = discharging, grid + = importing, PV and load ≥ 0.

mod build;
mod derived;
mod lint;
mod raw;
mod shipped;
mod types;

pub(in crate::inverter) use build::clock_minutes;
pub use build::{Problem, parse};
pub use derived::{Expression, Factor, Term};
pub(in crate::inverter) use lint::profile as lint;
pub use shipped::{SHIPPED, shipped};
pub use types::{
    Bound, Derived, Evidence, Form, Labels, Limits, Link, Parity, Profile, Register, RegisterId, RegisterType, Service,
    WordOrder, WriteFunction, WriteRules,
};
