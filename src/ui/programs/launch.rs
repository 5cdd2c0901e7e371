//! The question before a run: what will happen, what has to be agreed to, and the order that follows.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::facts;
use crate::model::legal::programs::position_is_sure;
use crate::model::program::ask::{Details, OutlineAsk, OutlinePlan, Preamble};
use crate::model::program::order::POSITION_WORD;
use crate::model::program::{
    Agreed, Interrupted, OnLinkLoss, Problem, ProgramOrder, ProgramQuery, RunRequest, Severity, Start,
};
use crate::model::snapshot::Snapshot;
use crate::model::work::safe_z_mm;
use crate::model::{Command, Time, legal};
use crate::ui::editor::Editor;

/// The question.
#[derive(Clone, Debug, PartialEq)]
pub struct Launch {
    /// The file.
    pub path: PathBuf,
    /// From a line; `None`: from the beginning.
    pub from: Option<FromLine>,
    /// Its outline, instead of the program.
    pub outline: Option<OutlineOf>,
    /// The run that is taken up.
    pub interrupted: Option<Arc<Interrupted>>,
    /// Nothing moves.
    pub check_mode: bool,
    /// What a person chose to follow a lost link.
    pub on_link_loss: Option<OnLinkLoss>,
    /// The warnings were agreed to.
    pub warnings: bool,
    /// It was agreed to that the check is not finished.
    pub unchecked: bool,
    /// What was typed of [`POSITION_WORD`].
    pub word: Editor,
    /// What was typed as the line to begin at.
    pub line: Editor,
    /// It stands there as it was put: the first digit that is typed takes its place.
    pub line_is_put: bool,
    /// The selected way; [`Way::Leave`] where it is not there any more.
    pub selected: Way,
    /// First line of the text that is shown.
    pub top: usize,
    /// How many lines of it were shown last ([`Seen`](crate::ui::state::Seen)): a page must not go past any of them.
    pub rows: usize,
    /// The last line of what is sent first was to be read ([`Seen`](crate::ui::state::Seen)).
    pub is_read: bool,
    /// Since when it says what it says: an Enter that was meant for something else must not start a program.
    pub since: Time,
    /// The read in which it was opened.
    pub batch: u64,
}

/// A start from a line.
#[derive(Clone, Debug, PartialEq)]
pub struct FromLine {
    /// The line that was asked for, counted from 1.
    pub line: u64,
    /// What would be sent; `None` until it was told.
    pub preamble: Option<Result<Preamble, String>>,
}

/// An outline that is to be driven round.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct OutlineOf {
    /// How.
    pub ask: OutlineAsk,
    /// What would be sent; `None` until it was told.
    pub plan: Option<Result<OutlinePlan, String>>,
}

/// A row below the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// Start it.
    Start,
    /// Start it once, when there is enough sun.
    WhenSun,
    /// Agree to the warnings, or not.
    Warnings,
    /// Agree to an unfinished check, or not.
    Unchecked,
    /// Type that the position is good.
    Word,
    /// Check mode on or off.
    CheckMode,
    /// What follows a lost link.
    LinkLost,
    /// Another line to begin at.
    Line,
    /// Rectangle, or the tightest shape.
    Shape,
    /// Z to a safe height, or as it is.
    Height,
    /// Forget the interrupted run.
    Forget,
    /// Leave it as it is.
    Leave,
}

impl Way {
    /// The letter that selects (and does not take) it.
    pub const fn letter(self) -> Option<char> {
        match self {
            Self::Start => Some('s'),
            Self::WhenSun => Some('n'),
            Self::Warnings => Some('w'),
            Self::Unchecked => Some('u'),
            Self::Word => Some('p'),
            Self::CheckMode => Some('c'),
            Self::LinkLost => Some('k'),
            Self::Line => Some('l'),
            Self::Shape => Some('t'),
            Self::Height => Some('h'),
            Self::Forget => Some('f'),
            Self::Leave => None,
        }
    }
}

/// How the question stands: what is wrong, what is asked for, what is missing.
#[derive(Clone, Debug, PartialEq)]
pub struct Outlook<'a> {
    /// Errors and warnings, worst first.
    pub problems: Vec<&'a Problem>,
    /// How many errors.
    pub errors: u64,
    /// How many warnings.
    pub warnings: u64,
    /// The check has not come to its end.
    pub unchecked: bool,
    /// The machine is not homed: the position has to be vouched for.
    pub needs_word: bool,
    /// The content is not that of the interrupted run.
    pub changed: bool,
    /// What is lost, or was, and has to be agreed to as the warnings have.
    pub heed: Option<String>,
    /// It may be marked to be started by the sun.
    pub sun: bool,
    /// What stands in the way of the start, the first thing first.
    pub missing: Vec<String>,
}

impl Launch {
    /// Opens the question for a file.
    pub fn new(path: PathBuf, now: Time, batch: u64) -> Self {
        Self {
            path,
            from: None,
            outline: None,
            interrupted: None,
            check_mode: false,
            on_link_loss: None,
            warnings: false,
            unchecked: false,
            word: Editor::default(),
            line: Editor::default(),
            line_is_put: false,
            selected: Way::Start,
            top: 0,
            rows: 1,
            is_read: false,
            since: now,
            batch,
        }
    }

    /// For an interrupted run, at the line that is suggested.
    pub fn take_up(run: &Arc<Interrupted>, now: Time, batch: u64) -> Self {
        let mut launch = Self::new(PathBuf::from(&run.run.path), now, batch);
        // First the run: even at line 1 it is taken up, with what has to be sent for that.
        launch.interrupted = Some(Arc::clone(run));
        launch.begin_at(run.suggested_line, now);
        launch
    }

    /// For the outline of a file. Z stays where no safe height is known.
    pub fn round(path: PathBuf, snapshot: &Snapshot, now: Time, batch: u64) -> Self {
        let stays = safe_z_mm(&snapshot.machine).is_err();
        let outline = OutlineOf { ask: OutlineAsk { hull: false, stays }, plan: None };
        Self { outline: Some(outline), ..Self::new(path, now, batch) }
    }

    /// Another outline is wanted: it is asked for anew.
    pub fn reshape(&mut self, change: impl FnOnce(&mut OutlineAsk), now: Time) -> Option<ProgramQuery> {
        let outline = self.outline.as_mut()?;
        change(&mut outline.ask);
        outline.plan = None;
        self.warnings = false;
        self.touch(now);
        self.outline_query()
    }

    fn outline_query(&self) -> Option<ProgramQuery> {
        let ask = self.outline.as_ref()?.ask;
        Some(ProgramQuery::Outline { path: self.path.clone(), ask })
    }

    /// Takes an outline, if it is the one that was asked for.
    pub fn take_outline(&mut self, path: &Path, ask: OutlineAsk, result: &Result<OutlinePlan, String>, now: Time) {
        let is_wanted = path == self.path;
        if let Some(outline) = self.outline.as_mut().filter(|outline| is_wanted && outline.ask == ask) {
            let told = Some(result.clone());
            if outline.plan != told {
                outline.plan = told;
                self.touch(now);
            }
        }
    }

    /// The outline's lines and what stands against them, once they were told.
    pub fn plan(&self) -> Option<&OutlinePlan> {
        self.outline.as_ref()?.plan.as_ref()?.as_ref().ok()
    }

    /// Begins at this line; at the first one: at the beginning.
    pub fn begin_at(&mut self, line: u64, now: Time) {
        let begins = self.interrupted.is_none() && line <= 1;
        self.from = (!begins).then_some(FromLine { line: line.max(1), preamble: None });
        self.top = 0;
        self.touch(now);
    }

    /// What it says has changed.
    pub fn touch(&mut self, now: Time) {
        self.since = now;
    }

    /// Where it begins, as far as that is known.
    fn start(&self) -> Start {
        if self.outline.is_some() {
            return Start::Outline { lines: self.plan().map_or_else(Vec::new, |plan| plan.lines.clone()) };
        }
        let Some(from) = &self.from else { return Start::Beginning };
        let preamble = from.preamble.as_ref().and_then(|told| told.as_ref().ok());
        preamble.map_or(Start::Line { line: from.line, preamble: Vec::new() }, |preamble| Start::Line {
            line: preamble.line,
            preamble: preamble.lines.clone(),
        })
    }

    /// What has to be asked for it.
    pub fn queries(&self) -> Vec<ProgramQuery> {
        let mut queries = vec![ProgramQuery::Details(self.path.clone())];
        if let Some(from) = &self.from {
            queries.push(ProgramQuery::Preamble { path: self.path.clone(), line: from.line });
        }
        queries.extend(self.outline_query());
        queries
    }

    /// Takes a preamble, if it is the one that was asked for.
    pub fn take(&mut self, path: &Path, line: u64, result: &Result<Preamble, String>, now: Time) {
        if path != self.path {
            return;
        }
        if let Some(from) = self.from.as_mut().filter(|from| from.line == line) {
            let told = Some(result.clone());
            if from.preamble != told {
                from.preamble = told;
                self.is_read = false;
                self.touch(now);
            }
        }
    }

    /// How it stands, with what the check has told.
    pub fn outlook<'a>(
        &'a self,
        details: Option<&'a Result<Arc<Details>, String>>,
        snapshot: &Snapshot,
        now: Time,
    ) -> Outlook<'a> {
        self.outlook_read(self.is_read, details, snapshot, now)
    }

    /// The same where what is sent first was read to its end, or was not: in the frame that shows that end it counts already.
    pub fn outlook_read<'a>(
        &'a self,
        is_read: bool,
        details: Option<&'a Result<Arc<Details>, String>>,
        snapshot: &Snapshot,
        now: Time,
    ) -> Outlook<'a> {
        if self.outline.is_some() {
            return self.outline_outlook(snapshot, now);
        }
        let found = details.and_then(|details| details.as_ref().ok());
        let job = facts::unfinished(snapshot, &self.path);
        let unchecked = found.is_none() || job.is_some();
        let mut outlook = Outlook {
            problems: found.map_or_else(Vec::new, |found| {
                facts::sorted(found).into_iter().filter(|problem| problem.severity > Severity::Note).collect()
            }),
            errors: found.map_or(0, |found| facts::count(found, Severity::Error)),
            warnings: found.map_or(0, |found| facts::count(found, Severity::Warning)),
            unchecked,
            needs_word: !self.check_mode && !position_is_sure(&self.start(), &snapshot.machine),
            changed: match (&self.interrupted, found) {
                (Some(run), Some(found)) => run.run.hash.is_some_and(|hash| hash != found.report.hash),
                _ => false,
            },
            heed: legal::programs::to_agree(&self.path, &self.start(), self.check_mode, snapshot),
            sun: self.interrupted.is_none() && snapshot.sun.start_allowed,
            missing: Vec::new(),
        };
        outlook.missing = self.missing(&outlook, is_read, details, snapshot, now);
        if let (true, Some(order)) = (outlook.missing.is_empty(), self.order(&outlook, details)) {
            // The hub has the last word; it is asked before Enter is.
            let refused = legal::check(&Command::Program(order), snapshot, now).err();
            outlook.missing.extend(refused.map(|why| why.0));
        }
        outlook
    }

    /// The same for an outline: what the program itself does wrong is no matter.
    fn outline_outlook(&self, snapshot: &Snapshot, now: Time) -> Outlook<'_> {
        let problems: Vec<&Problem> = self.plan().map_or_else(Vec::new, |plan| plan.problems.iter().collect());
        let count = |severity| problems.iter().filter(|problem| problem.severity == severity).count() as u64;
        let mut outlook = Outlook {
            errors: count(Severity::Error),
            warnings: count(Severity::Warning),
            problems,
            unchecked: false,
            needs_word: !position_is_sure(&self.start(), &snapshot.machine),
            changed: false,
            heed: None,
            sun: false,
            missing: Vec::new(),
        };
        let mut missing: Vec<String> = facts::hindrance(snapshot, now).into_iter().collect();
        match self.outline.as_ref().and_then(|outline| outline.plan.as_ref()) {
            None => missing.push("the outline is being worked out".to_owned()),
            Some(Err(why)) => missing.push(why.clone()),
            Some(Ok(_)) if outlook.errors > 0 => {
                missing.push("this outline cannot be driven: see what is wrong with it".to_owned());
            }
            Some(Ok(_)) => {}
        }
        if outlook.warnings > 0 && !self.warnings {
            missing.push("agree to the warnings first (w)".to_owned());
        }
        if outlook.needs_word && self.word.text().trim() != POSITION_WORD {
            missing.push(format!("home it, or type \"{POSITION_WORD}\" (p)"));
        }
        if let (true, Some(order)) = (missing.is_empty(), self.order(&outlook, None)) {
            missing.extend(legal::check(&Command::Program(order), snapshot, now).err().map(|why| why.0));
        }
        outlook.missing = missing;
        outlook
    }

    fn missing(
        &self,
        outlook: &Outlook<'_>,
        is_read: bool,
        details: Option<&Result<Arc<Details>, String>>,
        snapshot: &Snapshot,
        now: Time,
    ) -> Vec<String> {
        let mut missing: Vec<String> = facts::hindrance(snapshot, now).into_iter().collect();
        // A check that was stopped or goes on has a row of its own.
        if let (Some(Err(why)), None) = (details, facts::unfinished(snapshot, &self.path)) {
            missing.push(why.clone());
        }
        // In check mode the controller itself says what it makes of them.
        if outlook.errors > 0 && !self.check_mode {
            missing.push("a program with errors is not run: mend the file, or the machine's set-up".to_owned());
        }
        match self.from.as_ref().map(|from| &from.preamble) {
            Some(None) => missing.push("what has to be sent first is being worked out".to_owned()),
            Some(Some(Err(why))) => missing.push(why.clone()),
            Some(Some(Ok(_))) if !is_read => {
                missing.push("read to its end what is sent first (PgDn)".to_owned());
            }
            _ => {}
        }
        if outlook.changed && !self.warnings {
            missing.push("the file has changed since it ran: look, and agree to it (w)".to_owned());
        } else if outlook.heed.is_some() && !self.warnings {
            missing.push("look what is lost, and agree to it (w)".to_owned());
        } else if outlook.warnings > 0 && !self.check_mode && !self.warnings {
            missing.push("agree to the warnings first (w)".to_owned());
        }
        if outlook.unchecked && !self.unchecked {
            missing.push("the check is not finished: wait for it, or agree to that (u)".to_owned());
        }
        if outlook.needs_word && self.word.text().trim() != POSITION_WORD {
            missing.push(format!("the machine is not homed: home it, or type \"{POSITION_WORD}\" (p)"));
        }
        missing
    }

    /// What was chosen to follow a lost link: here, or when this program ran last. `None`: nothing was.
    fn chosen_for_link_loss(&self, details: Option<&Result<Arc<Details>, String>>) -> Option<OnLinkLoss> {
        let before = self.interrupted.as_ref().and_then(|run| run.run.on_link_loss);
        let last = || details?.as_ref().ok()?.on_link_loss;
        self.on_link_loss.or(before).or_else(last)
    }

    /// It is of use to say what follows a lost link: something moves, and it is the program.
    pub const fn asks_for_link_loss(&self) -> bool {
        self.outline.is_none() && !self.check_mode
    }

    /// What follows a lost link, as it stands now.
    pub fn on_link_loss(&self, details: Option<&Result<Arc<Details>, String>>, snapshot: &Snapshot) -> OnLinkLoss {
        self.chosen_for_link_loss(details).unwrap_or(snapshot.programs.on_link_loss)
    }

    /// The rows, in order.
    pub fn ways(&self, outlook: &Outlook<'_>) -> Vec<Way> {
        [
            (Way::Start, true),
            (Way::WhenSun, outlook.sun),
            (Way::Warnings, outlook.warnings > 0 || outlook.changed || outlook.heed.is_some()),
            (Way::Unchecked, outlook.unchecked),
            (Way::Word, outlook.needs_word),
            (Way::Shape, self.outline.is_some()),
            (Way::Height, self.outline.is_some()),
            (Way::LinkLost, self.asks_for_link_loss()),
            (Way::Line, self.outline.is_none()),
            (Way::CheckMode, self.outline.is_none()),
            (Way::Forget, self.interrupted.is_some()),
            (Way::Leave, true),
        ]
        .into_iter()
        .filter_map(|(way, is_there)| is_there.then_some(way))
        .collect()
    }

    /// Place of the selected way among these.
    pub fn place(&self, ways: &[Way]) -> usize {
        ways.iter().position(|way| *way == self.selected).unwrap_or(ways.len().saturating_sub(1))
    }

    /// The order, as it stands now. `None`: its preamble is not there.
    pub fn order(&self, outlook: &Outlook<'_>, details: Option<&Result<Arc<Details>, String>>) -> Option<ProgramOrder> {
        if self.from.as_ref().is_some_and(|from| !matches!(from.preamble, Some(Ok(_)))) {
            return None;
        }
        let start = self.start();
        if self.outline.is_some() && self.plan().is_none() {
            return None;
        }
        let seen = details.and_then(|details| details.as_ref().ok()).filter(|_| !outlook.unchecked);
        Some(ProgramOrder::Run(Box::new(RunRequest {
            path: self.path.clone(),
            seen: self.plan().map(|plan| plan.hash).or(seen.map(|details| details.report.hash)),
            start,
            agreed: Agreed {
                warnings: self.warnings,
                unchecked: self.unchecked && outlook.unchecked,
                position_word: if outlook.needs_word { self.word.text().trim().to_owned() } else { String::new() },
            },
            check_mode: self.check_mode,
            on_link_loss: self.chosen_for_link_loss(details),
        })))
    }
}
