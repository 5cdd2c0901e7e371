//! What a register is, in words that screens and rules share.

use serde::{Deserialize, Serialize};

/// The table of a Modbus device that an address is in (Modbus Application Protocol V1.1b3, 4.3).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Table {
    /// Read with function 3, written with 6 or 16.
    #[default]
    Holding,
    /// Read with function 4, never written.
    Input,
}

impl Table {
    /// The function that reads it.
    pub const fn read_function(self) -> u8 {
        match self {
            Self::Holding => 3,
            Self::Input => 4,
        }
    }

    /// The word for a screen.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Holding => "holding",
            Self::Input => "input",
        }
    }
}

/// Who may change it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Access {
    /// It can only be read.
    #[default]
    #[serde(rename = "ro")]
    ReadOnly,
    /// It can be read and written.
    #[serde(rename = "rw")]
    ReadWrite,
    /// It is a command: written, never read.
    #[serde(rename = "wo")]
    WriteOnly,
}

impl Access {
    /// It can be written.
    pub const fn writes(self) -> bool {
        matches!(self, Self::ReadWrite | Self::WriteOnly)
    }

    /// It can be read.
    pub const fn reads(self) -> bool {
        matches!(self, Self::ReadOnly | Self::ReadWrite)
    }
}

/// What a wrong value can do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Danger {
    /// A nuisance, undone by writing the old value.
    #[default]
    Normal,
    /// It can empty a battery or cut what feeds in: asked twice.
    Caution,
    /// It can damage something or switch the power off: needs arming.
    Dangerous,
}

/// How often a register is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PollClass {
    /// Once per connection.
    Once,
    /// State, faults, grid, load and state of charge: every second, or as fast as the link can.
    Safety,
    /// Powers, voltages, currents: every 5 seconds.
    Flow,
    /// Energies, temperatures of little weight: every minute.
    Slow,
    /// Settings: every 5 minutes, and when their page opens.
    Setting,
    /// Only when asked for, or never (commands).
    Never,
}

impl PollClass {
    /// In order of urgency.
    pub const ALL: [Self; 6] = [Self::Once, Self::Safety, Self::Flow, Self::Slow, Self::Setting, Self::Never];

    /// How often it is read where the link is fast enough. `None`: not by the clock.
    pub const fn period(self) -> Option<std::time::Duration> {
        match self {
            Self::Safety => Some(std::time::Duration::from_secs(1)),
            Self::Flow => Some(std::time::Duration::from_secs(5)),
            Self::Slow => Some(std::time::Duration::from_secs(60)),
            Self::Setting => Some(std::time::Duration::from_secs(300)),
            Self::Once | Self::Never => None,
        }
    }
}
