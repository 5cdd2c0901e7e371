//! Who did what, when, and how it ended: the rows of the audit.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The outcome of a command that is under way. It is there before the answer, so that a crash does not hide who asked for what.
pub const ASKED: &str = "asked, not answered yet";
/// Its outcome where sunmill ended before the answer.
pub const NEVER_ANSWERED: &str = "sunmill or the computer ended before it was answered; it may have acted";

/// One row. Nothing in the audit is ever changed but [`ASKED`], once, into how it ended; old rows go by age.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditRow {
    /// When it was asked or happened, in ms of Unix time.
    pub at_ms: i64,
    /// What sort of thing it was.
    pub kind: AuditKind,
    /// Who did it, in words.
    pub who: String,
    /// The same, taken apart.
    pub by: Asker,
    /// What was done.
    pub what: String,
    /// How it ended, in words; empty where there is nothing to end.
    pub outcome: String,
    /// From the asking to the end, in ms.
    pub took_ms: Option<u64>,
}

/// Who asked, and from where, as far as that is known. Nothing of it: it happened by itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asker {
    /// The user, as the operating system says; for a token, its name.
    pub user: Option<String>,
    /// The user's number.
    pub uid: Option<u32>,
    /// The client's number at the hub.
    pub client: Option<u32>,
    /// Its program and version.
    pub program: Option<String>,
    /// Its terminal, host or process.
    pub place: Option<String>,
}

/// What sort of thing a row tells of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AuditKind {
    /// Motion by jog keys: one row for each gesture.
    Jog,
    /// A line typed by a person.
    Mdi,
    /// Homing, unlocking, moves to a place, switches, another port.
    Command,
    /// A change of offsets.
    Offset,
    /// A setting of a controller, a backup or a restore.
    Setting,
    /// An order to the program runner, and how runs begin and end.
    Run,
    /// Stops, holds, resets and other realtime keys.
    Realtime,
    /// An alarm.
    Alarm,
    /// Who is in control.
    Lease,
    /// The link and sunmill itself.
    Note,
}

impl AuditKind {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::Jog,
        Self::Mdi,
        Self::Command,
        Self::Offset,
        Self::Setting,
        Self::Run,
        Self::Realtime,
        Self::Alarm,
        Self::Lease,
        Self::Note,
    ];

    /// The name that the audit is written with; stays the same over releases.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Jog => "jog",
            Self::Mdi => "mdi",
            Self::Command => "command",
            Self::Offset => "offset",
            Self::Setting => "setting",
            Self::Run => "run",
            Self::Realtime => "realtime",
            Self::Alarm => "alarm",
            Self::Lease => "lease",
            Self::Note => "note",
        }
    }

    /// A power cut right after it must not lose it. Jogs are many and may be a few seconds late.
    pub const fn at_once(self) -> bool {
        !matches!(self, Self::Jog)
    }
}

impl fmt::Display for AuditKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Which rows are asked for, newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct AuditAsk {
    /// At this ms of Unix time or later.
    pub since_ms: Option<i64>,
    /// Before this ms of Unix time.
    pub until_ms: Option<i64>,
    /// Of this kind only.
    pub kind: Option<AuditKind>,
    /// Written before this row: [`AuditPage::before`] of the page before.
    pub before: Option<u64>,
    /// At most so many. 0, or more than a page has: a page.
    pub count: usize,
}

/// Some rows.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditPage {
    /// Newest first.
    pub rows: Vec<AuditRow>,
    /// Ask for those before this row next. `None`: there are none.
    pub before: Option<u64>,
}

impl AuditPage {
    /// Most rows of one.
    pub const MOST: usize = 200;
}

/// There is no such kind of row.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is none of jog, mdi, command, offset, setting, run, realtime, alarm, lease, note")]
pub struct UnknownKind(pub String);

impl FromStr for AuditKind {
    type Err = UnknownKind;

    fn from_str(name: &str) -> Result<Self, UnknownKind> {
        Self::ALL.into_iter().find(|kind| kind.name() == name).ok_or_else(|| UnknownKind(name.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_back_and_listed_where_they_are_wrong() {
        for kind in AuditKind::ALL {
            assert_eq!(kind.name().parse(), Ok(kind));
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.name());
            assert!(UnknownKind(String::new()).to_string().contains(kind.name()));
        }
        assert_eq!("job".parse::<AuditKind>(), Err(UnknownKind("job".into())));
    }
}
