//! What the desk answers about programs, and what is due by time.

use super::{ask, show};
use crate::model::Time;
use crate::model::program::{ProgramAnswer, ProgramQuery};
use crate::model::snapshot::Snapshot;
use crate::ui::programs::Page;
use crate::ui::programs::state::{REREAD, RESTS};
use crate::ui::state::{Effect, Tab, Ui};

/// The tab was opened: the list may have grown old.
pub(in crate::ui::update) fn opened(ui: &mut Ui, now: Time) -> Vec<Effect> {
    ui.programs.reread_at = Some(now + REREAD);
    vec![ask(ui.programs.browser.query())]
}

/// The selection has moved: what is known of the file is asked for when it rests.
pub(super) fn rest(ui: &mut Ui, now: Time) {
    let is_new = ui.programs.browser.file().is_some_and(|file| ui.programs.file.as_deref() != Some(file));
    ui.programs.rests_at = is_new.then(|| now + RESTS);
}

/// What is due.
pub(in crate::ui::update) fn timeout(ui: &mut Ui, now: Time) -> Vec<Effect> {
    let mut effects = Vec::new();
    if ui.programs.rests_at.is_some_and(|due| due <= now) {
        ui.programs.rests_at = None;
        if let Some(path) = ui.programs.browser.file().map(std::path::Path::to_owned) {
            effects.extend(show(ui, &path));
        }
    }
    if ui.programs.reread_due(ui.tab, now).is_some_and(|due| due <= now) {
        ui.programs.reread_at = Some(now + REREAD);
        effects.push(ask(ui.programs.browser.query()));
    }
    effects
}

/// Takes an answer.
pub(in crate::ui::update) fn answer(
    ui: &mut Ui,
    answer: &ProgramAnswer,
    snapshot: &Snapshot,
    now: Time,
) -> Vec<Effect> {
    let programs = &mut ui.programs;
    match answer {
        ProgramAnswer::List { folder, entries, notes } => {
            let of_file = |browser: &crate::ui::programs::browser::Browser, file: Option<&std::path::Path>| {
                browser.entry(file?).cloned()
            };
            let before = of_file(&programs.browser, programs.file.as_deref());
            programs.browser.take(folder.as_deref(), entries, notes);
            let after = of_file(&programs.browser, programs.file.as_deref());
            if before.is_some() && after.is_some() && before != after {
                return changed_on_disk(ui);
            }
            if ui.tab == Tab::Programs && ui.programs.page == Page::List {
                rest(ui, now);
            }
        }
        ProgramAnswer::Details { path, result } => {
            programs.browser.learn(path, result);
            if let (Ok(details), Some(run)) = (result, &snapshot.programs.run)
                && run.path == *path
            {
                programs.running.details = Some(std::sync::Arc::clone(details));
            }
            if programs.file.as_deref() == Some(path) {
                let old = programs.details.replace(result.clone());
                let problems = programs.found().map_or(0, |found| found.problems.len());
                programs.problem = programs.problem.min(problems.saturating_sub(1));
                if let Some(launch) = programs.launch.as_mut().filter(|_| old.as_ref() != Some(result)) {
                    // An Enter that was meant for the old news must not take the new.
                    launch.touch(now);
                    if launch.outline.is_some() && launch.plan().is_none() {
                        return launch.queries().into_iter().skip(1).map(ask).collect();
                    }
                }
                super::launch::settle(ui, snapshot, now);
            }
        }
        ProgramAnswer::Lines { path, from, lines } => {
            if programs.text.take(path, *from, lines) {
                return programs.text.query().map(ask).into_iter().collect();
            }
            programs.running.lines.take(path, *from, lines);
        }
        ProgramAnswer::Preamble { path, line, result } => {
            if let Some(launch) = &mut programs.launch {
                launch.take(path, *line, result, now);
            }
        }
        ProgramAnswer::Outline { path, ask, result } => {
            if let Some(launch) = &mut programs.launch {
                launch.take_outline(path, *ask, result, now);
            }
            super::launch::settle(ui, snapshot, now);
        }
        ProgramAnswer::History { runs, statistics } => programs.history.take(runs, *statistics),
        // Only scripts ask for them.
        ProgramAnswer::Totals(_) | ProgramAnswer::Analyses(_) => {}
    }
    Vec::new()
}

/// The file that is looked at is another one now: what was agreed to does not hold for it.
fn changed_on_disk(ui: &mut Ui) -> Vec<Effect> {
    let programs = &mut ui.programs;
    programs.text.forget();
    if let Some(launch) = &mut programs.launch {
        (launch.warnings, launch.unchecked) = (false, false);
    }
    let details = programs.file.clone().map(ProgramQuery::Details);
    details.into_iter().chain(programs.text.query()).map(ask).collect()
}
