//! How a run of sunmill ends, for scripts.

use std::process::ExitCode;

use color_eyre::eyre::Report;

use super::out;

/// The exit codes, as `--help` and the README tell them. They are a contract: new commands add to the list and never change it.
pub(super) const CODES: &str = "\
Exit codes:
  0         done
  1         failed: stderr says what and why
  2         the command line is wrong
  3         no sunmill answers
  4         refused: somebody else has it (another client is in control, or the port is in use)
  5         refused as things stand: alarm, not idle, not homed, out of range, not agreed to
  6         refused: this user may not
  7         no answer, in time or at all: it may have been carried out
  8         a program or jog did not come to its end: error, alarm, stop, refused line, lost link
  101       sunmill crashed; the report is in the log folder
  129, 143  ended: the terminal went away; it was told to (SIGTERM)
  130       interrupted (Ctrl+C)";

/// How a command failed, as one of [`CODES`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Code {
    /// Failed.
    #[default]
    Failed = 1,
    /// No sunmill answers.
    Unreachable = 3,
    /// Another client is in control.
    Control = 4,
    /// Not in this state.
    State = 5,
    /// This user may not.
    NotAllowed = 6,
    /// No answer in time, or none at all: it may have been carried out.
    Timeout = 7,
    /// The program did not come to its end.
    Ended = 8,
    /// Ctrl+C.
    Interrupted = 130,
}

/// A command that did not do what was asked.
#[derive(Debug)]
pub struct Failure {
    code: Code,
    report: Report,
}

impl Failure {
    /// With this code.
    pub(super) const fn new(code: Code, report: Report) -> Self {
        Self { code, report }
    }

    /// Somebody else has it.
    pub(super) const fn refused(report: Report) -> Self {
        Self::new(Code::Control, report)
    }

    /// This user may not.
    pub(super) const fn forbidden(report: Report) -> Self {
        Self::new(Code::NotAllowed, report)
    }

    /// Nobody answered in time.
    pub(super) const fn timed_out(report: Report) -> Self {
        Self::new(Code::Timeout, report)
    }

    /// Why, on one line with its causes.
    pub(super) fn words(&self) -> String {
        format!("{:#}", self.report)
    }

    /// Says why on stderr, where it is not the end of all.
    pub(super) fn say(&self) {
        out::words(&format!("{:#}", self.report));
    }

    /// What the run exits with.
    #[cfg(test)]
    pub(super) const fn code(&self) -> Code {
        self.code
    }

    /// Says why on stderr, on one line with its causes.
    pub fn tell(&self) -> ExitCode {
        out::words(&format!("error: {}", self.words()));
        ExitCode::from(self.code as u8)
    }
}

impl<E: Into<Report>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self { code: Code::Failed, report: error.into() }
    }
}
