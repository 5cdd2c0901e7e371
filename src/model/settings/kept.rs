//! What the hub knows of backups: their names, the one that was opened, and how a restore went.

use serde::{Deserialize, Serialize};

use super::backup::{Change, Plan};

/// The word that has to be typed to restore the settings of another machine.
pub const RESTORE_WORD: &str = "restore";

/// Backups and what is done with them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    /// Names, newest first.
    pub names: Vec<String>,
    /// The comparison that was asked for last.
    pub compared: Option<Compared>,
    /// The last restore.
    pub restore: Option<Restore>,
}

/// A backup beside the machine, or beside another backup.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Compared {
    /// With the machine: what a restore would do.
    Machine {
        /// The backup.
        name: String,
        /// In what it is of another machine; empty: it is of this one.
        strange: Vec<String>,
        /// The differences.
        plan: Plan,
    },
    /// With another backup, from the older reading to the newer.
    Files {
        /// The first.
        before: String,
        /// The second.
        after: String,
        /// The differences.
        changes: Vec<Change>,
    },
}

/// How a restore goes or went.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Restore {
    /// The backup.
    pub name: String,
    /// Set and read back.
    pub set: Vec<Change>,
    /// Not set: still to come while it runs, left out when it was interrupted.
    pub not_set: Vec<Change>,
    /// Why it ended early.
    pub why: Option<String>,
    /// It still runs.
    pub running: bool,
}

impl std::fmt::Display for Restore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let keys = |changes: &[Change]| changes.iter().map(|c| format!("${}", c.key)).collect::<Vec<_>>().join(" ");
        write!(f, "{} set", self.set.len())?;
        if !self.set.is_empty() {
            write!(f, " ({})", keys(&self.set))?;
        }
        if !self.not_set.is_empty() {
            write!(f, ", {} NOT set ({})", self.not_set.len(), keys(&self.not_set))?;
        }
        match &self.why {
            Some(why) => write!(f, ": {why}"),
            None => Ok(()),
        }
    }
}
