//! A rule: when, and what is done then.

use serde::{Deserialize, Serialize};

use super::parse::Condition;

/// A rule, read and checked.
#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    /// Its name.
    pub name: String,
    /// When it fires.
    pub when: Condition,
    /// What is done then.
    pub action: Action,
    /// The inverter whose values it reads. `None`: it reads none.
    pub inverter: Option<String>,
    /// What follows while its condition is not known.
    pub unknown: WhenUnknown,
}

/// What a rule does. All but the first have to be written down by a person.
///
/// Ordered by what the machine feels of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Tells people.
    #[default]
    Notify,
    /// Tells people, and no program is started while its condition holds.
    BlockStart,
    /// Tells people, and the spindle is not started while its condition holds.
    DelaySpindle,
    /// Feed hold.
    Hold,
    /// As if the safety door opened.
    Door,
    /// Brings the machine down: hold, spindle off, Z up, park position.
    Park,
}

impl Action {
    /// As it is written.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Notify => "notify",
            Self::BlockStart => "block_start",
            Self::DelaySpindle => "delay_spindle",
            Self::Hold => "hold",
            Self::Door => "door",
            Self::Park => "park",
        }
    }

    /// In words, for who reads what a rule does.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Notify => "people are told on every screen",
            Self::BlockStart => "people are told, and no program is started while it holds",
            Self::DelaySpindle => {
                "people are told, and a spindle start waits while it holds; a person can let it go on anyway"
            }
            Self::Hold => "feed hold (the spindle keeps turning); a person resumes",
            Self::Door => "as if the safety door opened: motion and spindle stop; a person resumes",
            Self::Park => {
                "hold, spindle stop, position kept, reset, Z up and to the park position if homed; \
                 a person takes the program up again"
            }
        }
    }

    /// It acts on a machine that does something.
    pub const fn acts(self) -> bool {
        matches!(self, Self::Hold | Self::Door | Self::Park)
    }

    /// While its condition holds no program is started: it would be stopped at once.
    pub const fn blocks_start(self) -> bool {
        !matches!(self, Self::Notify | Self::DelaySpindle)
    }
}

/// What follows while a condition is not known. The machine is neither moved nor stopped in any case.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WhenUnknown {
    /// It shows.
    #[default]
    Show,
    /// It shows, and no program is started.
    BlockStart,
}
