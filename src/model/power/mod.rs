//! Power as plain data: what an inverter measures, how old that is, what can be set, whether the grid is there.
//!
//! No brand is known here. Registers of every brand carry a [`Role`], and screens, rules and history read roles.
//! Signs are the same everywhere: battery + = discharging, grid + = importing, PV and load ≥ 0; a person is told
//! words ([`Direction`]), never a bare sign. A value is a [`Reading`]: it carries when it was read, and goes stale
//! by itself when nothing follows.

mod ask;
mod faults;
mod fleet;
mod history;
mod order;
mod reading;
mod register;
mod role;
mod setting;
mod state;

pub use ask::{PowerAnswer, PowerQuery};
pub use faults::{Fault, FaultKind, FaultSource};
pub use fleet::{Bus, BusCounters, BusState, Drift, Power, Unit, UnitState};
pub use history::{EnergyBar, Grain, Sample};
pub use order::PowerOrder;
pub use reading::{Quality, Reading};
pub use register::{Access, Danger, PollClass, Table};
pub use role::{Role, WindowField, WindowSet};
pub use setting::{ChangeRow, Saved, SettingRow, Takes, Wanted, WriteReport, WriteRow};
pub use state::{Battery, Direction, Energy, EnergyRow, Flow, Grid, GridState, Inverter, PvString, RegisterRow};
