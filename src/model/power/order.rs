//! What a person or a script can ask of inverters.

use serde::{Deserialize, Serialize};

use super::setting::Wanted;

/// An order about inverters. Each ends in one outcome, as every command.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PowerOrder {
    /// Write settings: judged as a whole, written in order, each read back. What became of each stands in
    /// [`Unit::last_write`](super::Unit::last_write). Done only if every register says what was asked for.
    Set {
        /// The inverter.
        inverter: String,
        /// The settings.
        settings: Vec<Wanted>,
    },
    /// Dangerous settings may be written for 60 s.
    Arm,
    /// They may not any more.
    Disarm,
    /// A person looked and says that the device that answers is the right one.
    ConfirmIdentity {
        /// The inverter.
        inverter: String,
    },
    /// Read its settings now: their page opens.
    ReadSettings {
        /// The inverter.
        inverter: String,
    },
    /// Poll it, or leave it alone; kept over restarts.
    Enable {
        /// The inverter.
        inverter: String,
        /// Whether it is polled.
        on: bool,
    },
    /// Try to open a bus now instead of waiting for the back-off.
    Reconnect {
        /// The bus.
        bus: String,
    },
    /// What was saved of a setting is forgotten: it is not called a drift any more.
    ForgetSaved {
        /// The inverter.
        inverter: String,
        /// The setting.
        id: String,
    },
}
