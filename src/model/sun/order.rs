//! What a person can ask about rules and parking.

use serde::{Deserialize, Serialize};

/// An order about rules and parking.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
    /// What rules and parking have told was read.
    Dismiss,
}
