//! Questions about inverters, and their answers. They go through [`Hub::ask`](crate::model::Hub::ask).

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::history::{EnergyBar, Grain, Sample};
use super::setting::{ChangeRow, SettingRow, Wanted};
use super::state::RegisterRow;

/// A question about inverters.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PowerQuery {
    /// All its registers as they were last read.
    Registers {
        /// The inverter.
        inverter: String,
    },
    /// Its settings with what may be typed.
    Settings {
        /// The inverter.
        inverter: String,
    },
    /// What these changes would do; nothing is written.
    CheckChanges {
        /// The inverter.
        inverter: String,
        /// The settings.
        settings: Vec<Wanted>,
    },
    /// How power went.
    History {
        /// The inverter; `None`: all of them together.
        inverter: Option<String>,
        /// From this ms of Unix time.
        from_ms: i64,
        /// Until before this one.
        until_ms: i64,
        /// How finely.
        grain: Grain,
    },
    /// Energies hour by hour or day by day, of the local time zone.
    Energies {
        /// The inverter; `None`: all of them together.
        inverter: Option<String>,
        /// From this ms of Unix time.
        from_ms: i64,
        /// Until before this one.
        until_ms: i64,
        /// Day by day; else hour by hour.
        by_day: bool,
    },
}

/// An answer about inverters.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum PowerAnswer {
    /// Registers.
    Registers {
        /// The inverter.
        inverter: String,
        /// In the order of the profile; or why there are none.
        rows: Result<Arc<Vec<RegisterRow>>, String>,
    },
    /// Settings.
    Settings {
        /// The inverter.
        inverter: String,
        /// In the order of the profile; or why there are none.
        rows: Result<Arc<Vec<SettingRow>>, String>,
    },
    /// What changes would do.
    Changes {
        /// The inverter.
        inverter: String,
        /// As asked.
        settings: Vec<Wanted>,
        /// Each in the order of writing; or all that is wrong with them: then nothing of them can be written.
        rows: Result<Vec<ChangeRow>, Vec<String>>,
    },
    /// How power went.
    History {
        /// As asked.
        inverter: Option<String>,
        /// As asked.
        grain: Grain,
        /// Oldest first; or why there is none.
        samples: Result<Arc<Vec<Sample>>, String>,
    },
    /// Energies.
    Energies {
        /// As asked.
        inverter: Option<String>,
        /// As asked.
        by_day: bool,
        /// Oldest first; or why there are none.
        bars: Result<Arc<Vec<EnergyBar>>, String>,
    },
}
