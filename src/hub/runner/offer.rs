//! What was interrupted and can be taken up again: found, offered, forgotten.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use super::encode::ToolChange;
use super::feeder::News;
use super::{lookup, record};
use crate::hub::run::Keeper;
use crate::model::machine::MessageLevel;
use crate::model::program::{Checkpoint, Interrupted, Next, PastRun, Run, RunId};
use crate::model::time::Time;
use crate::program::Ran;

impl Keeper {
    /// Offers to take a run up again, once it is known where.
    pub(super) fn offer(&self, run: PastRun, checkpoint: &Checkpoint, file: Option<Arc<File>>) {
        let firmware = self.snapshot.machine.identity.as_ref().map(|identity| identity.firmware);
        let mut warnings = record::warnings(run.end.as_ref(), checkpoint, firmware);
        let acked = checkpoint.acked_line.max(run.last_line);
        let ran = Ran {
            first_line: run.first_line,
            // All before it was done, also where nothing but the preamble was accepted.
            acked_line: acked.max(run.first_line.saturating_sub(1)),
            planner: record::planner_blocks(&self.snapshot),
            firmware,
            asks_at_tool: self.runner.config.tool_change == ToolChange::Ask,
            skipped: checkpoint.skipped.clone(),
        };
        let folders = self.runner.config.folders.clone();
        let news = self.runner.news.clone();
        let (left, next) = (checkpoint.clone(), checkpoint.next.clone());
        tokio::task::spawn_blocking(move || {
            let opened = match file {
                Some(file) => Ok(file),
                None => folders.open(Path::new(&run.path)).map(|p| Arc::new(p.file)).map_err(|why| why.to_string()),
            };
            let found = opened.and_then(|file| lookup::rewound(&file, ran).map_err(|why| why.to_string()));
            let (suggested_line, why) = match (found, next) {
                (_, Some(Next { line, why })) => (line, why),
                (Ok(found), None) => found,
                (Err(why), None) => {
                    warnings.push(why);
                    (1, "the program cannot be read now".to_owned())
                }
            };
            let interrupted = Interrupted { run, suggested_line, why, warnings, left };
            drop(news.blocking_send(News::Offer(Box::new(interrupted))));
        });
    }

    /// What the store found at the start is offered once a machine answers.
    pub(super) fn offer_found(&mut self, at: Time) {
        let Some((run, checkpoint)) = self.runner.found.take() else { return };
        let text = format!("{} was interrupted at line {}: it can be taken up again", run.name, checkpoint.acked_line);
        self.note(at, MessageLevel::Warning, text);
        self.offer(run, &checkpoint, None);
    }

    /// A run that can be taken up again. Whatever else runs meanwhile, it stays at hand; an older one takes no newer one's place.
    pub(super) fn take_offer(&mut self, found: Interrupted) {
        let is_it = |run: &Run| run.state.is_open() && run.path == Path::new(&found.run.path);
        let programs = &mut self.snapshot.programs;
        let is_newest = programs.interrupted.as_ref().is_none_or(|offered| offered.run.id <= found.run.id);
        if is_newest && !programs.run.as_ref().is_some_and(is_it) {
            programs.interrupted = Some(Arc::new(found));
            self.snapshot.rev += 1;
        }
    }

    /// It is not offered any more; what is left then, if anything, is.
    pub(super) fn forget(&mut self, run: RunId) {
        self.snapshot.programs.interrupted = None;
        let Some(store) = self.runner.store.clone() else { return };
        store.forget_interrupted(run);
        let news = self.runner.news.clone();
        tokio::task::spawn_blocking(move || {
            // Behind what was just written.
            match store.flush().and_then(|()| store.reader().interrupted()) {
                Ok(Some(left)) => drop(news.blocking_send(News::Left(Box::new(left)))),
                Ok(None) => {}
                Err(why) => tracing::warn!(%why, "whether another run was interrupted cannot be read"),
            }
        });
    }

    /// Another run was interrupted before the one that was forgotten.
    pub(super) fn offer_left(&self, (run, checkpoint): (PastRun, Checkpoint)) {
        if self.snapshot.programs.interrupted.is_none() {
            self.offer(run, &checkpoint, None);
        }
    }
}
