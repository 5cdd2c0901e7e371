//! What a person can ask about rules and parking.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::model::Time;
use crate::model::program::RunRequest;

/// An order about rules and parking.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SunOrder {
    /// Bring the machine down safely: hold, spindle off, Z up, park position.
    Park,
    /// A rule is not to act in the program that runs, or in the next one.
    SetAside {
        /// The rule, by name.
        rule: String,
    },
    /// It is to act again.
    TakeBack {
        /// The rule, by name.
        rule: String,
    },
    /// Start this program once, when there is enough sun and those before it in the queue are done.
    StartWhenSun(Box<RunRequest>),
    /// Do not: the one that is next.
    CancelStart,
    /// Do not start this one, whichever place it has.
    CancelStartOf {
        /// The file.
        path: PathBuf,
    },
    /// What rules and parking have told was read.
    Dismiss,
    /// A spindle start that waits for power goes out all the same.
    SpindleGo {
        /// The one that waits since then, which somebody was asked about. `None`: whichever waits.
        since: Option<Time>,
    },
    /// A spindle start that was typed or asked for by a key, and waits for power, is dropped.
    SpindleDrop,
}
