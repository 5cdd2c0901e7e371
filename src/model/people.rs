//! Who is attached to the hub, and who is in control of the machine.
//!
//! One client at a time is in control; the others watch. Anyone may stop the machine, always.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::command::{ClientId, Origin, Realtime, Refused};
use super::role::{self, Role};
use super::time::Time;

/// Control of a client that was not heard of for so long can be taken by anybody.
pub const STALE_AFTER: Duration = Duration::from_secs(10);

/// What every refusal for want of control says.
const HELD: &str = "is in control";

/// Who is there.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct People {
    /// Who is in control. `None`: nobody; the first who moves something is.
    pub control: Option<Control>,
    /// All clients, in the order in which they came.
    pub clients: Vec<Person>,
    /// Who is at the machine's own console goes before who is not.
    pub local_priority: bool,
}

/// One attached client.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Person {
    /// Its number.
    pub id: ClientId,
    /// The user, as the operating system says; for a token, its name.
    pub user: String,
    /// The user's number, where the operating system tells it.
    pub uid: Option<u32>,
    /// Where it is: a terminal, a host.
    pub from: String,
    /// The program and its version.
    pub program: String,
    /// What it may do.
    pub role: Role,
    /// Since when.
    pub since: Time,
    /// How it fares.
    pub fares: Fares,
    /// A person looks at it.
    pub screen: bool,
    /// It is in the hub's own process.
    pub local: bool,
    /// It is at the console of the computer that runs the machine, as the operating system says.
    pub console: bool,
}

/// How news reaches a client.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Fares {
    /// Snapshots in a second that it asked for, at most. `None`: it asked for none.
    pub rate_hz: Option<f64>,
    /// How long a message takes to it and back, or for how long it has taken nothing, whichever is longer. `None`: not
    /// measured.
    pub lag: Option<Duration>,
    /// Log entries that it lost because it was slow.
    pub dropped: u64,
}

impl Person {
    /// The client in a few words.
    pub fn words(&self) -> String {
        if self.from.is_empty() { self.user.clone() } else { format!("{} at {}", self.user, self.from) }
    }
}

/// What becomes of a program when the screen that is in control is lost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnClientLoss {
    /// It goes on.
    #[default]
    Continue,
    /// It is held.
    Hold,
    /// It is ended, at a standstill.
    Stop,
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
#[derive(Clone, Debug, PartialEq)]
pub enum PeopleNews {
    /// A client came.
    Came(Person),
    /// One that has not said hello, as far as is known who it is: it may stop, and is attached to nothing.
    Named(Person),
    /// It was heard of.
    Heard(ClientId),
    /// How it fares.
    Fares(ClientId, Fares),
    /// It is gone.
    Gone(ClientId),
    /// Somebody was not let in.
    TurnedAway {
        /// Who: where it came from.
        who: String,
        /// What it did.
        what: String,
    },
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

    /// Why this client may not move anything now: who is in control, and for how long. `None`: it may.
    pub fn refusal(&self, origin: &Origin, now: Time) -> Option<Refused> {
        let client = origin.client()?;
        let held = self.control.as_ref().filter(|control| control.client != client && !control.stale)?;
        if self.outranks(client, held.client) {
            return None;
        }
        let since = words_of(now.since(held.since));
        Some(Refused::because(format!("{} {HELD} since {since} ago; take control first, then you are", held.who)))
    }

    /// Whether this client may press a realtime key now. Whatever stops is for everybody.
    ///
    /// # Errors
    /// Who is in control, or which role it takes.
    pub fn may_press(&self, realtime: Realtime, client: ClientId, now: Time) -> Result<(), Refused> {
        if let Some(person) = self.find(client) {
            person.role.may(realtime.role())?;
        }
        let refusal = self.refusal(&Origin::Screen(client), now).filter(|_| realtime.needs_control());
        refusal.map_or(Ok(()), Err)
    }

    /// Whether one is at the machine's own console, the other is not, and that counts here.
    pub fn outranks(&self, one: ClientId, other: ClientId) -> bool {
        let at_console = |id| self.find(id).is_some_and(|person| person.console);
        self.local_priority && at_console(one) && !at_console(other)
    }

    /// A message to this client and back takes so long, as far as it was measured. For the hub's own screen it takes none.
    pub fn link_delay(&self, id: ClientId) -> Duration {
        self.find(id).and_then(|person| person.fares.lag).unwrap_or_default()
    }
}

impl Refused {
    /// Somebody else is in control.
    pub fn is_about_control(&self) -> bool {
        self.0.contains(HELD)
    }

    /// The client's role does not allow it.
    pub fn is_about_role(&self) -> bool {
        self.0.contains(role::YOURS)
    }
}

/// A time in the one or two units that matter.
fn words_of(time: Duration) -> String {
    match time.as_secs() {
        s @ 0..60 => format!("{s} s"),
        s @ 60..3600 => format!("{} min", s / 60),
        s => format!("{} h {} min", s / 3600, s % 3600 / 60),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_watches_is_told_who_is_in_control() {
        let control = |client, stale| {
            Some(Control { client: ClientId(client), who: "pi at tty1".into(), since: Time::ZERO, stale })
        };
        let now = Time::ZERO + Duration::from_secs(130);
        let me = Origin::Screen(ClientId(1));
        let mut people = People { control: control(2, false), ..People::default() };
        let why = people.refusal(&me, now).unwrap();
        assert!(why.is_about_control() && why.0.contains("pi at tty1") && why.0.contains("since 2 min ago"), "{why}");
        assert_eq!(people.refusal(&Origin::Hub, now), None);
        people.control = control(2, true);
        assert_eq!(people.refusal(&me, now), None);
        people.control = control(1, false);
        assert_eq!(people.refusal(&me, now), None);
        people.control = None;
        assert_eq!(people.refusal(&me, now), None);
    }

    #[test]
    fn who_watches_may_stop_and_change_nothing_else() {
        let control = Some(Control { client: ClientId(2), who: "pi".into(), since: Time::ZERO, stale: false });
        let watcher = Person { id: ClientId(3), role: Role::Observe, ..Person::default() };
        let people = People { control, clients: vec![watcher], ..People::default() };
        let may = |realtime, client| people.may_press(realtime, ClientId(client), Time::ZERO);
        for client in [1, 2, 3] {
            assert_eq!(may(Realtime::Stop, client), Ok(()));
        }
        assert!(may(Realtime::CycleStart, 1).unwrap_err().is_about_control());
        assert_eq!(may(Realtime::CycleStart, 2), Ok(()));
        assert!(may(Realtime::CycleStart, 3).unwrap_err().is_about_role());
    }
}
