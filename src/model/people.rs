//! Who is attached to the hub, and who is in control of the machine.
//!
//! One client at a time is in control; the others watch. Anyone may stop the machine, always.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::command::{ClientId, Command, Origin, Realtime, Refused};
use super::power::PowerOrder;
use super::time::Time;

/// Control of a client that was not heard of for so long can be taken by anybody.
pub const STALE_AFTER: Duration = Duration::from_secs(10);

/// Who is there.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct People {
    /// Who is in control. `None`: nobody; the first who moves something is.
    pub control: Option<Control>,
    /// All clients, in the order in which they came.
    pub clients: Vec<Person>,
}

/// One attached client.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// Its number.
    pub id: ClientId,
    /// The user, as the operating system says.
    pub user: String,
    /// Where it is: a terminal, a host.
    pub from: String,
    /// The program and its version.
    pub program: String,
    /// Since when.
    pub since: Time,
    /// Log entries that it lost because it was slow.
    pub dropped: u64,
    /// It is in the hub's own process.
    pub local: bool,
}

impl Person {
    /// The client in a few words.
    pub fn words(&self) -> String {
        if self.from.is_empty() { self.user.clone() } else { format!("{} at {}", self.user, self.from) }
    }
}

/// Control of the machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Control {
    /// Who has it.
    pub client: ClientId,
    /// In words.
    pub who: String,
    /// Since when.
    pub since: Time,
    /// It was not heard of for [`STALE_AFTER`].
    pub stale: bool,
}

/// What a client asks about control.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ControlOrder {
    /// If nobody has it.
    Acquire,
    /// From whoever has it; announced to all with the reason.
    Take {
        /// Why, for the others. May be empty.
        reason: String,
    },
    /// Give it back.
    Release,
}

/// What the server tells of its clients.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PeopleNews {
    /// A client came.
    Came(Person),
    /// It was heard of.
    Heard(ClientId),
    /// It lost so many log entries so far.
    Dropped(ClientId, u64),
    /// It is gone.
    Gone(ClientId),
}

impl People {
    /// A client by its number.
    pub fn find(&self, id: ClientId) -> Option<&Person> {
        self.clients.iter().find(|person| person.id == id)
    }

    /// Who asked, in words: a user and a place where they are known.
    pub fn words(&self, origin: &Origin) -> String {
        match origin.client().and_then(|client| self.find(client)) {
            Some(person) if !person.local => format!("{} ({origin})", person.words()),
            _ => origin.to_string(),
        }
    }

    /// Why this client may not move anything now. `None`: it may.
    pub fn refusal(&self, origin: &Origin) -> Option<Refused> {
        let client = origin.client()?;
        let held = self.control.as_ref().filter(|control| control.client != client && !control.stale)?;
        Some(Refused::because(format!("{} is in control; take control first, then you are", held.who)))
    }
}

impl Origin {
    /// The client, unless it is the hub itself.
    pub const fn client(&self) -> Option<ClientId> {
        match self {
            Self::Hub => None,
            Self::Screen(client) | Self::Script(client) => Some(*client),
        }
    }
}

impl Command {
    /// It can move or change something, so that only the client in control may ask for it.
    pub const fn needs_control(&self) -> bool {
        !matches!(
            self,
            Self::ReadSettings
                | Self::BackupSettings
                | Self::CompareBackup { .. }
                | Self::Control(_)
                | Self::Power(PowerOrder::ReadSettings { .. } | PowerOrder::Reconnect { .. } | PowerOrder::Disarm)
        )
    }
}

impl Realtime {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_watches_is_told_who_is_in_control() {
        let control = |client, stale| {
            Some(Control { client: ClientId(client), who: "pi at tty1".into(), since: Time::ZERO, stale })
        };
        let me = Origin::Screen(ClientId(1));
        let mut people = People { control: control(2, false), ..People::default() };
        assert!(people.refusal(&me).is_some_and(|why| why.0.contains("pi at tty1")));
        assert_eq!(people.refusal(&Origin::Hub), None);
        people.control = control(2, true);
        assert_eq!(people.refusal(&me), None);
        people.control = control(1, false);
        assert_eq!(people.refusal(&me), None);
        people.control = None;
        assert_eq!(people.refusal(&me), None);
    }

    #[test]
    fn looking_needs_no_control() {
        assert!(!Command::ReadSettings.needs_control());
        assert!(Command::Unlock.needs_control() && Command::Mdi("?".into()).needs_control());
    }
}
