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
/// 3 to 8 say more of a failure that a script can act on: 4, somebody else has it (a port in use, or the machine's);
/// 6, no permission; 7, nobody answered in time. 3 (no hub), 5 (refused by state) and 8 (a program ended in an error) are
/// kept for commands that talk to a running hub.
#[derive(Debug)]
pub struct Failure {
    report: Report,
    code: u8,
}

impl Failure {
    /// Says why on stderr, on one line with its causes.
    pub fn tell(&self) -> ExitCode {
        out::words(&format!("error: {:#}", self.report));
        ExitCode::from(self.code)
    }

    /// Somebody else has it.
    pub(super) fn refused(report: Report) -> Self {
        Self { report, code: 4 }
    }

    /// This user may not.
    pub(super) fn forbidden(report: Report) -> Self {
        Self { report, code: 6 }
    }

    /// Nobody answered in time.
    pub(super) fn timed_out(report: Report) -> Self {
        Self { report, code: 7 }
    }
}

impl<E: Into<Report>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self { report: error.into(), code: 1 }
    }
}
