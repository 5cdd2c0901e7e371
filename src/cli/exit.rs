//! How a run of sunmill ends, for scripts.

use std::process::ExitCode;

use color_eyre::eyre::Report;

use super::out;

/// A command that did not do what was asked.
///
/// Exit codes are a contract; new commands add to the list and never change it:
///
/// | code | meaning |
/// |---|---|
/// | 0 | done |
/// | 1 | failed: the words on stderr say what and why |
/// | 2 | the command line is wrong |
/// | 101 | sunmill crashed; the report is in the log folder |
/// | 129, 143 | ended because the terminal went away, because it was told to (SIGTERM, SIGQUIT) |
///
/// 3 to 8 are kept for commands that talk to a running hub: unreachable, refused by lease, refused by
/// state, no permission, timed out, program ended in an error.
#[derive(Debug)]
pub struct Failure(Report);

impl Failure {
    /// Says why on stderr, on one line with its causes.
    pub fn tell(&self) -> ExitCode {
        out::words(&format!("error: {:#}", self.0));
        ExitCode::FAILURE
    }
}

impl<E: Into<Report>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}
