//! What a person or a script can ask of the program runner.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::past::RunId;
use super::report::ContentHash;

/// An order to the runner. A feed hold, a cycle start and a stop are realtime keys and work on programs too.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum ProgramOrder {
    /// Start it.
    Run(Box<RunRequest>),
    /// Feed no more lines; what the controller has is carried out.
    PauseAtLineEnd,
    /// Go on: after a hold, a pause at a line's end, or a prompt that was answered by doing what it asks for.
    Resume,
    /// After a line that the controller refused: stop the program, then begin at the next line, whose preamble is shown and confirmed
    /// as for every start from a line (never a bare resume: the lines that the controller still holds would run).
    SkipLine,
    /// At a tool change or a pause of the program: stop here, so that the machine can be jogged and zeroed, and offer to go on at
    /// the next line, whose preamble is shown and confirmed as for every start from a line.
    StepAside,
    /// Forget the interrupted run that is offered.
    Forget(RunId),
    /// Put a program at the end of the queue. Nothing in the queue starts by itself.
    Enqueue(PathBuf),
    /// Take place `n` out of the queue.
    Unqueue(usize),
}

/// What is to run, and what the person has seen and agreed to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunRequest {
    /// The file.
    pub path: PathBuf,
    /// The content that the person saw checked. Another content on disk is refused. `None`: not checked to the end yet.
    pub seen: Option<ContentHash>,
    /// Where to begin.
    pub start: Start,
    /// What was agreed to.
    pub agreed: Agreed,
    /// Run it in the controller's check mode: nothing moves.
    pub check_mode: bool,
    /// What follows a lost link. `None`: what this program was run with last, else what is configured.
    #[serde(default)]
    pub on_link_loss: Option<OnLinkLoss>,
}

/// What is done when the link comes back after it was lost in a program. Nothing ever goes on by itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OnLinkLoss {
    /// A machine that still moves is put on hold.
    #[default]
    Hold,
    /// It carries out what it had been sent.
    Finish,
}

impl OnLinkLoss {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Hold, Self::Finish];

    /// As it is typed and written.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Hold => "hold",
            Self::Finish => "finish",
        }
    }

    /// The other one.
    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Self::Hold => Self::Finish,
            Self::Finish => Self::Hold,
        }
    }

    /// What it means, for a person.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Hold => "hold: a machine that still moves when the link is back is put on hold",
            Self::Finish => "finish: the machine carries out what it had been sent, and no more follows",
        }
    }
}

impl fmt::Display for OnLinkLoss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for OnLinkLoss {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|known| known.name() == text);
        found.ok_or_else(|| format!("{text:?} is neither hold nor finish"))
    }
}

/// Where a program begins.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Start {
    /// At its first line.
    Beginning,
    /// At a later line, after a preamble that makes the modal state what it would be there.
    Line {
        /// Counted from 1.
        line: u64,
        /// The preamble as the person saw it. Refused if it is not what the runner would send now.
        preamble: Vec<String>,
    },
    /// Nowhere: its outline is driven round in the air.
    Outline {
        /// What is sent, as the person saw it.
        lines: Vec<String>,
    },
}

/// What a person has agreed to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Agreed {
    /// The warnings of the check.
    pub warnings: bool,
    /// That the check has not come to the end of the file.
    pub unchecked: bool,
    /// What was typed where the machine is not homed ([`POSITION_WORD`]); else empty.
    pub position_word: String,
}

/// To be typed by who says that the position of a machine that is not homed is good.
pub const POSITION_WORD: &str = "position is good";
