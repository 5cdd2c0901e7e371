//! What a client may do: a role, the same for every way in.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::command::{Command, Realtime, Refused};
use super::desk::Query;
use super::people::ControlOrder;
use super::power::PowerOrder;
use super::program::{ProgramOrder, ProgramQuery};
use super::sun::SunOrder;

/// How every refusal for want of a role begins.
pub(super) const YOURS: &str = "your role here is";

/// What a client may do. Each may what those before it may; whoever may attach may stop the machine.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Look, and stop.
    #[default]
    Observe,
    /// Also what makes it calmer: pause a program at the end of a line, disarm dangerous settings, connect again.
    Stop,
    /// Take control, and do with the machine and the inverters what a person at them does.
    Operate,
    /// Also what concerns the whole installation: another port, dangerous settings of inverters, the configuration.
    Admin,
}

impl Role {
    /// All of them, the least first.
    pub const ALL: [Self; 4] = [Self::Observe, Self::Stop, Self::Operate, Self::Admin];

    /// The name in configurations and on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Observe => "observe",
            Self::Stop => "stop",
            Self::Operate => "operate",
            Self::Admin => "admin",
        }
    }

    /// Whether it may do what needs `needed`.
    ///
    /// # Errors
    /// It may not: which it is, and which it takes.
    pub fn may(self, needed: Self) -> Result<(), Refused> {
        if self >= needed {
            return Ok(());
        }
        Err(Refused::because(format!("{YOURS} {self}, and this takes {needed}: ask who runs sunmill")))
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// There is no such role.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is none of observe, stop, operate, admin")]
pub struct UnknownRole(pub String);

impl FromStr for Role {
    type Err = UnknownRole;

    fn from_str(name: &str) -> Result<Self, UnknownRole> {
        Self::ALL.into_iter().find(|role| role.name() == name).ok_or_else(|| UnknownRole(name.to_owned()))
    }
}

impl Command {
    /// The least role that may ask for it.
    pub const fn role(&self) -> Role {
        match self {
            Self::Control(ControlOrder::Release) => Role::Observe,
            Self::Program(ProgramOrder::PauseAtLineEnd)
            | Self::Power(PowerOrder::Disarm | PowerOrder::Reconnect { .. })
            | Self::Sun(
                SunOrder::Dismiss | SunOrder::SpindleDrop | SunOrder::CancelStart | SunOrder::CancelStartOf { .. },
            ) => Role::Stop,
            Self::UsePort(_) | Self::Power(PowerOrder::Arm) => Role::Admin,
            _ => Role::Operate,
        }
    }

    /// It can move or change something, so that only the client in control may ask for it.
    pub const fn needs_control(&self) -> bool {
        !matches!(
            self,
            Self::ReadSettings
                | Self::BackupSettings
                | Self::CompareBackup { .. }
                | Self::Control(_)
                | Self::Program(ProgramOrder::PauseAtLineEnd)
                | Self::Sun(
                    SunOrder::Dismiss | SunOrder::SpindleDrop | SunOrder::CancelStart | SunOrder::CancelStartOf { .. }
                )
                | Self::Power(PowerOrder::ReadSettings { .. } | PowerOrder::Reconnect { .. } | PowerOrder::Disarm)
        )
    }
}

impl Realtime {
    /// The least role that may ask for it. Whatever stops is for everybody.
    pub const fn role(self) -> Role {
        match self {
            Self::ReconnectNow => Role::Stop,
            other if other.needs_control() => Role::Operate,
            _ => Role::Observe,
        }
    }

    /// It can start something or change how it goes. Whatever stops needs no control.
    pub const fn needs_control(self) -> bool {
        match self {
            Self::CycleStart
            | Self::FeedOverride(_)
            | Self::RapidOverride(_)
            | Self::SpindleOverride(_)
            | Self::SpindleStop
            | Self::FloodToggle
            | Self::MistToggle => true,
            Self::Stop
            | Self::FeedHold
            | Self::StopProgram
            | Self::SoftReset
            | Self::JogCancel
            | Self::SafetyDoor
            | Self::StatusQuery
            | Self::ReconnectNow => false,
        }
    }
}

impl Query {
    /// The least role that may ask it: what opens devices, writes files or starts work is not for who only looks.
    pub const fn role(&self) -> Role {
        match self {
            Self::Program(
                ProgramQuery::PauseJob(_)
                | ProgramQuery::ResumeJob(_)
                | ProgramQuery::StopJob(_)
                | ProgramQuery::CleanAnalyses,
            ) => Role::Operate,
            Self::Ports | Self::Audit(_) | Self::Program(_) | Self::Power(_) => Role::Observe,
            Self::RememberPort(_) => Role::Admin,
            _ => Role::Operate,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn looking_needs_no_control() {
        assert!(!Command::ReadSettings.needs_control());
        // Whoever may stop without control may pause without it, and does not come into control by that.
        assert!(!Command::Program(ProgramOrder::PauseAtLineEnd).needs_control());
        assert!(Command::Unlock.needs_control() && Command::Mdi("?".into()).needs_control());
    }

    #[test]
    fn whoever_may_attach_may_stop_and_only_who_operates_moves() {
        let stops = [Realtime::Stop, Realtime::FeedHold, Realtime::StopProgram, Realtime::SoftReset];
        for stop in stops.into_iter().chain([Realtime::JogCancel, Realtime::SafetyDoor]) {
            assert_eq!(stop.role(), Role::Observe, "{stop:?}");
        }
        assert_eq!(Realtime::CycleStart.role(), Role::Operate);
        assert_eq!(Command::Unlock.role(), Role::Operate);
        assert_eq!(Command::Power(PowerOrder::Arm).role(), Role::Admin);
        let why = Role::Stop.may(Command::Unlock.role()).unwrap_err();
        assert!(why.0.contains("stop") && why.0.contains("operate"), "{why}");
        assert!(Role::Admin.may(Role::Operate).is_ok());
    }

    #[test]
    fn names_are_read_back() {
        for role in Role::ALL {
            assert_eq!(role.name().parse(), Ok(role));
            assert_eq!(serde_json::to_value(role).unwrap(), role.name());
            assert!(UnknownRole(String::new()).to_string().contains(role.name()));
        }
    }
}
