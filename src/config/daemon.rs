//! `[daemon]`: the hub without a screen.

use serde::{Deserialize, Serialize};

/// `[daemon]`
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, expecting = "a table, [daemon]")]
pub struct Daemon {
    /// What becomes of a program when it is told to end (SIGTERM, SIGINT).
    pub on_stop: OnStop,
}

/// What becomes of a program when the daemon is told to end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OnStop {
    /// It is held where it is, and can be taken up again.
    #[default]
    Hold,
    /// It is ended at a standstill, by a reset: spindle and coolant off.
    Stop,
    /// It is waited for.
    Finish,
}
