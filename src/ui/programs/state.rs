//! The state of the tab Programs, and what is followed of the run under way. Changed by `update` only.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::basis::Basis;
use super::browser::Browser;
use super::launch::Launch;
use super::past::History;
use super::progress;
use super::text::TextWindow;
use crate::model::Time;
use crate::model::program::ask::Details;
use crate::model::program::{Problem, Prompt, RunId};
use crate::model::snapshot::Snapshot;
use crate::ui::editor::Editor;
use crate::ui::preview::PreviewState;
use crate::ui::tab::Tab;

/// How long the selection rests on a file before its details are asked for.
pub const RESTS: Duration = Duration::from_millis(150);
/// How often the lines around the present one of a run are moved on.
pub const LOOKS: Duration = Duration::from_millis(500);
/// How often the folder that is looked at is read anew.
pub const REREAD: Duration = Duration::from_secs(3);

/// What the tab shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Page {
    /// The files.
    #[default]
    List,
    /// What is known of one file.
    Details,
    /// Its picture.
    Preview,
    /// Its text.
    Text,
    /// The question before it runs.
    Launch,
    /// Past runs.
    History,
    /// Files that wait.
    Queue,
    /// Analyses.
    Jobs,
}

/// Which text field is open.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Field {
    /// None.
    #[default]
    None,
    /// Of the list.
    Filter,
    /// The number of a line, in the text.
    Goto,
    /// That the position is good.
    Word,
    /// The line to begin at.
    Line,
}

/// All of it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Programs {
    /// What the tab shows.
    pub page: Page,
    /// The files.
    pub browser: Browser,
    /// The file that the pages are about.
    pub file: Option<PathBuf>,
    /// What is known of it.
    pub details: Option<Result<Arc<Details>, String>>,
    /// The selected problem.
    pub problem: usize,
    /// Its text.
    pub text: TextWindow,
    /// From where its picture is looked at.
    pub preview: PreviewState,
    /// The number of a line that is typed.
    pub number: Editor,
    /// The question before it runs.
    pub launch: Option<Launch>,
    /// Past runs.
    pub history: History,
    /// The selected row of the queue or of the analyses.
    pub selected: usize,
    /// The open text field.
    pub field: Field,
    /// The run under way.
    pub running: Running,
    /// The interrupted run that was offered last.
    pub offered: Option<RunId>,
    /// The prompt that was shown last.
    pub prompted: Option<(RunId, Prompt)>,
    /// When the selection has rested.
    pub rests_at: Option<Time>,
    /// The machine when the questions about programs were asked.
    pub basis: Basis,
    /// When the folder is read anew.
    pub reread_at: Option<Time>,
}

/// What is known of the run under way beside the snapshot.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Running {
    /// Which.
    pub id: Option<RunId>,
    /// Its end was not told yet.
    pub is_open: bool,
    /// The check of its file, for the picture.
    pub details: Option<Arc<Details>>,
    /// Its lines around the present one.
    pub lines: TextWindow,
    /// When its present line was looked at last: lines that rush by cannot be read.
    pub looked_at: Option<Time>,
    /// The controller refused a line of it.
    pub refused: bool,
}

impl Programs {
    /// Whether the machine stands otherwise than when the questions about programs were asked. They are to be asked anew.
    pub fn is_outdated(&mut self, snapshot: &Snapshot) -> bool {
        let basis = Basis::of(snapshot);
        let is_new = basis != self.basis;
        self.basis = basis;
        is_new
    }

    /// When the folder that is looked at is to be read anew.
    pub fn reread_due(&self, tab: Tab, now: Time) -> Option<Time> {
        let of_files = !matches!(self.page, Page::History | Page::Queue | Page::Jobs);
        self.reread_at.filter(|_| tab == Tab::Programs && of_files).map(|due| due.max(now))
    }

    /// When something is due, or changes on the screen by time alone.
    pub fn poll_timeout(&self, tab: Tab, snapshot: &Snapshot, now: Time) -> Option<Time> {
        let second = snapshot.programs.run.as_ref().and_then(|run| progress::next_second(run, now));
        [self.rests_at.map(|due| due.max(now)), self.reread_due(tab, now), second].into_iter().flatten().min()
    }

    /// Makes a file the one that the pages are about. `true`: it was another one before.
    pub fn show(&mut self, path: &Path) -> bool {
        self.rests_at = None;
        if self.file.as_deref() == Some(path) {
            return false;
        }
        self.file = Some(path.to_owned());
        self.details = None;
        self.problem = 0;
        true
    }

    /// The check of a file, where it is known.
    pub fn details_of(&self, path: &Path) -> Option<&Result<Arc<Details>, String>> {
        self.details.as_ref().filter(|_| self.file.as_deref() == Some(path))
    }

    /// What is known of the file, if it was read.
    pub fn found(&self) -> Option<&Arc<Details>> {
        self.details.as_ref()?.as_ref().ok()
    }

    /// The selected problem.
    pub fn current_problem(&self) -> Option<&Problem> {
        super::facts::sorted(self.found()?).get(self.problem).copied()
    }
}
