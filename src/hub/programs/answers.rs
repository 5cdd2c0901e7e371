//! Answers that need nothing but the disk, each on a thread that may block.

use std::cmp::Reverse;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, mpsc};

use super::browse;
use super::folders::Folders;
use super::lines::LineIndexes;
use super::shelf::Found;
use crate::hub::runner;
use crate::model::Snapshot;
use crate::model::desk::Answer;
use crate::model::program::ask::{Analyses, Details, Preamble};
use crate::model::program::{OnLinkLoss, ProgramAnswer, ProgramQuery};
use crate::program::check;
use crate::store::{RunFilter, Store};

/// Most runs of a page of the history.
const MAX_RUNS: usize = 200;

/// A place among those who may read files now.
pub(super) type Reading = OwnedSemaphorePermit;

/// Where answers come from.
pub(super) struct Source {
    /// Where they are asked for.
    pub(super) analyses: Analyses,
    pub(super) folders: Folders,
    pub(super) store: Option<Store>,
    pub(super) indexes: Arc<Mutex<LineIndexes>>,
    pub(super) snapshot: Arc<Snapshot>,
    pub(super) warm_up: Duration,
}

/// Answers on a thread that may block. To be called in the runtime.
pub(super) fn start(source: Source, query: ProgramQuery, answer_to: mpsc::Sender<Answer>, reading: Reading) {
    tokio::task::spawn_blocking(move || {
        // A client that has gone, or that does not read, has no use for it.
        let _ = answer_to.try_send(source.answer(query));
        drop(reading);
    });
}

impl Source {
    fn answer(&self, query: ProgramQuery) -> Answer {
        let answer = match query {
            ProgramQuery::List(folder) => {
                let (entries, notes) = match browse::list(&self.folders, folder.as_deref()) {
                    Ok(listing) => (Ok(listing.entries), listing.notes),
                    Err(why) => (Err(why.to_string()), Vec::new()),
                };
                ProgramAnswer::List { folder, entries, notes }
            }
            ProgramQuery::Lines { path, from, count } => {
                let lines = self.lines(&path, from, count);
                ProgramAnswer::Lines { path, from: from.max(1), lines }
            }
            ProgramQuery::History { name, skip, count } => return self.history(name, skip, count),
            ProgramQuery::Totals => return self.totals(),
            ProgramQuery::Analyses => return self.analyses(),
            ProgramQuery::Preamble { path, line } => {
                let result = self.preamble(&path, line);
                ProgramAnswer::Preamble { path, line, result }
            }
            ProgramQuery::Details(_)
            | ProgramQuery::Outline { .. }
            | ProgramQuery::PauseJob(_)
            | ProgramQuery::ResumeJob(_)
            | ProgramQuery::StopJob(_)
            | ProgramQuery::CleanAnalyses => return Answer::Done(Err("that is answered elsewhere".to_owned())),
        };
        Answer::Program(answer)
    }

    fn lines(&self, path: &Path, from: u64, count: usize) -> Result<Vec<String>, String> {
        let program = self.folders.open(path).map_err(|why| why.to_string())?;
        // Held for a moment only: whoever reads has the index for himself.
        let indexes = || self.indexes.lock().unwrap_or_else(PoisonError::into_inner);
        let mut index = indexes().take(program.stamp);
        let page = index.page(&program.file, from, count);
        indexes().put(program.stamp, index);
        page.map_err(|why| format!("{}: cannot be read: {why}", path.display()))
    }

    fn preamble(&self, path: &Path, line: u64) -> Result<Preamble, String> {
        let program = self.folders.open(path).map_err(|why| why.to_string())?;
        runner::preamble(&program.file, path, line, &self.snapshot, self.warm_up)
    }

    fn totals(&self) -> Answer {
        let Some(store) = &self.store else { return no_history() };
        match store.reader().statistics() {
            Ok(totals) => Answer::Program(ProgramAnswer::Totals(totals)),
            Err(why) => Answer::Done(Err(why.to_string())),
        }
    }

    fn analyses(&self) -> Answer {
        match self.store.as_ref().map(|store| store.reader().kept_reports()).transpose() {
            Ok(kept) => Answer::Program(ProgramAnswer::Analyses(Analyses { kept, ..self.analyses.clone() })),
            Err(why) => Answer::Done(Err(why.to_string())),
        }
    }

    fn history(&self, name: Option<String>, skip: usize, count: usize) -> Answer {
        let Some(store) = &self.store else { return no_history() };
        let reader = store.reader();
        let runs = reader.runs(&RunFilter { name, since_ms: None }, skip, count.min(MAX_RUNS));
        match runs.and_then(|runs| Ok((runs, reader.statistics()?.machine))) {
            Ok((runs, statistics)) => Answer::Program(ProgramAnswer::History { runs, statistics }),
            Err(why) => Answer::Done(Err(why.to_string())),
        }
    }
}

fn no_history() -> Answer {
    Answer::Done(Err("no history is kept: there is no folder for it, or it cannot be used".to_owned()))
}

/// What is known of a file, joined with what the machine as it stands now adds: errors first.
pub(super) fn details(found: &Found, on_link_loss: Option<OnLinkLoss>, snapshot: &Snapshot) -> Arc<Details> {
    let report = Arc::clone(&found.report);
    let mut problems = check::against(&report, &snapshot.machine, snapshot.at);
    problems.extend(report.problems.iter().cloned());
    problems.sort_by_key(|problem| (Reverse(problem.severity), problem.line));
    Arc::new(Details { problems, report, path: found.path.clone(), on_link_loss })
}
