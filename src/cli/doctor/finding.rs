//! What the doctor says.

use std::fmt;

use serde::Serialize;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub(in crate::cli) enum Level {
    /// As it should be.
    Ok,
    /// It works, and could fail.
    Warning,
    /// It does not work.
    Problem,
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Problem => "PROBLEM",
        })
    }
}

/// One line of the report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(in crate::cli) struct Finding {
    /// What it is about, a word.
    pub area: &'static str,
    /// How bad it is.
    pub level: Level,
    /// What was found.
    pub what: String,
    /// What to do about it. `None`: nothing.
    pub remedy: Option<String>,
}

impl Finding {
    /// As it should be.
    pub(super) fn ok(area: &'static str, what: impl Into<String>) -> Self {
        Self { area, level: Level::Ok, what: what.into(), remedy: None }
    }

    /// It works, and could fail.
    pub(super) fn warning(area: &'static str, what: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { area, level: Level::Warning, what: what.into(), remedy: Some(remedy.into()) }
    }

    /// It does not work.
    pub(super) fn problem(area: &'static str, what: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { area, level: Level::Problem, what: what.into(), remedy: Some(remedy.into()) }
    }
}
