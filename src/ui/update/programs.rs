//! Keys of the tab Programs, and of programs on every tab.

mod answers;
mod field;
mod follow;
mod launch;
#[cfg(test)]
mod tests;

pub(super) use answers::{answer, opened, timeout};
pub(super) use follow::{follow, resume};
pub(super) use launch::{seen, select_last, take_up};

use std::path::{Path, PathBuf};

use crossterm::event::KeyCode;

use super::panel::PanelKey;
use super::{popups, run};
use crate::model::Command;
use crate::model::desk::Query;
use crate::model::program::run::JobState;
use crate::model::program::{ProgramOrder, ProgramQuery};
use crate::model::snapshot::Snapshot;
use crate::model::sun::SunOrder;
use crate::ui::action::Action;
use crate::ui::console::Tone;
use crate::ui::input::InputEvent;
use crate::ui::programs::browser::Row;
use crate::ui::programs::{Field, Page, ProgramKey, facts};
use crate::ui::state::{Effect, Mode, Then, Ui};

/// Rows of a page.
const PAGE: i64 = 10;
/// Further than any list is long.
const ALL: i64 = i64::MAX / 2;

fn ask(query: ProgramQuery) -> Effect {
    Effect::Ask(Query::Program(query))
}

fn order(order: ProgramOrder) -> Vec<Effect> {
    vec![Effect::Submit(Command::Program(order))]
}

/// A key while the tab is open. `None`: the main screen's meaning holds.
pub(super) fn key(ui: &mut Ui, key: &PanelKey<'_>) -> Option<Vec<Effect>> {
    if ui.mode == Mode::Field {
        return field::key(ui, key);
    }
    if ui.programs.page == Page::Launch {
        return launch::key(ui, key);
    }
    let steps = match (key.action, key.chord.code) {
        (Some(Action::PanelUp), _) => -1,
        (Some(Action::PanelDown), _) => 1,
        (None, KeyCode::PageUp) => -PAGE,
        (None, KeyCode::PageDown) => PAGE,
        (None, KeyCode::Home) => -ALL,
        (None, KeyCode::End) => ALL,
        (None, KeyCode::Esc) => return back(ui),
        // Without a link the key tries the link, as on every tab.
        (Some(Action::Program(ProgramKey::Run)), _) if !key.snapshot.machine.link.is_open() => return None,
        (Some(action @ Action::Program(_)), _) => return Some(run(ui, action, key.input, key.snapshot)),
        _ => return None,
    };
    Some(step(ui, steps, key))
}

/// Pasted text for the open field.
pub(super) fn paste(ui: &mut Ui, text: &str) {
    if let Some(editor) = field::editor(ui) {
        editor.insert(text);
    }
}

/// One page back. `None`: there is none, and nothing to clear.
fn back(ui: &mut Ui) -> Option<Vec<Effect>> {
    let programs = &mut ui.programs;
    if programs.page != Page::List {
        programs.page = Page::List;
    } else if programs.browser.filter.text().is_empty() {
        return None;
    } else {
        programs.browser.filter.clear();
    }
    Some(Vec::new())
}

/// Up or down in what the page shows.
fn step(ui: &mut Ui, by: i64, key: &PanelKey<'_>) -> Vec<Effect> {
    let programs = &mut ui.programs;
    let moved = |at: usize, len: usize| at.saturating_add_signed(by as isize).min(len.saturating_sub(1));
    match programs.page {
        Page::List => {
            programs.browser.select(by as isize);
            answers::rest(ui, key.input.at);
        }
        Page::Details => {
            let problems = programs.found().map_or(0, |found| found.problems.len());
            programs.problem = moved(programs.problem, problems);
        }
        Page::Text => {
            let lines = programs.found().map(|found| found.report.lines);
            if by >= ALL {
                programs.text.to_end(lines);
            } else {
                programs.text.step(by);
            }
            return programs.text.query().map(ask).into_iter().collect();
        }
        Page::History => return programs.history.select(by as isize).map(ask).into_iter().collect(),
        Page::Queue => programs.selected = moved(programs.selected, key.snapshot.programs.queue.len()),
        Page::Jobs => programs.selected = moved(programs.selected, key.snapshot.programs.jobs.len()),
        Page::Preview => programs.preview.pan_by(0, if by < 0 { 1 } else { -1 }),
        Page::Launch => {}
    }
    Vec::new()
}

/// The file that a key is about.
fn target(ui: &Ui, snapshot: &Snapshot) -> Option<PathBuf> {
    let programs = &ui.programs;
    let selected = programs.selected;
    match programs.page {
        Page::List => programs.browser.file().map(Path::to_owned),
        Page::Queue => snapshot.programs.queue.get(selected).cloned(),
        Page::Jobs => snapshot.programs.jobs.get(selected).map(|job| job.path.clone()),
        Page::History => programs.history.current().map(|run| PathBuf::from(&run.path)),
        Page::Details | Page::Preview | Page::Text | Page::Launch => programs.file.clone(),
    }
}

/// Makes a file the one that the pages are about, and asks what is known of it.
fn show(ui: &mut Ui, path: &Path) -> Vec<Effect> {
    if ui.programs.show(path) {
        ui.programs.text.look(path, 1);
        return vec![ask(ProgramQuery::Details(path.to_owned()))];
    }
    Vec::new()
}

/// Carries out a key for programs.
pub(super) fn act(ui: &mut Ui, what: ProgramKey, input: &InputEvent, snapshot: &Snapshot) -> Vec<Effect> {
    let now = input.at;
    match what {
        ProgramKey::PauseAtLineEnd => return order(ProgramOrder::PauseAtLineEnd),
        ProgramKey::TakeUp => return take_up(ui, snapshot, input.batch, now),
        ProgramKey::Open => return open(ui, input, snapshot),
        ProgramKey::FolderUp => {
            if ui.programs.page != Page::List {
                ui.programs.page = Page::List;
            } else if let Some(query) = ui.programs.browser.leave() {
                return vec![ask(query)];
            }
        }
        ProgramKey::Filter => match ui.programs.page {
            Page::List => field::open(ui, Field::Filter),
            Page::Text => field::open(ui, Field::Goto),
            _ => {}
        },
        ProgramKey::Sort => ui.programs.browser.turn(),
        ProgramKey::Refresh => {
            ui.programs.text.forget();
            let details = ui.programs.file.clone().map(ProgramQuery::Details);
            return [Some(ui.programs.browser.query()), details, ui.programs.text.query()]
                .into_iter()
                .flatten()
                .map(ask)
                .collect();
        }
        ProgramKey::History => {
            if ui.programs.page == Page::History {
                ui.programs.page = Page::List;
            } else {
                ui.programs.page = Page::History;
                return vec![ask(ui.programs.history.open(None))];
            }
        }
        ProgramKey::Jobs => turn(ui, Page::Jobs),
        ProgramKey::Queue => turn(ui, Page::Queue),
        ProgramKey::Clean => ui.popup = Some(clean(input.batch)),
        ProgramKey::ZoomIn => ui.programs.preview.zoom_in(),
        ProgramKey::ZoomOut => ui.programs.preview.zoom_out(),
        ProgramKey::Fit => ui.programs.preview.fit(),
        ProgramKey::PanLeft => ui.programs.preview.pan_by(-1, 0),
        ProgramKey::PanRight => ui.programs.preview.pan_by(1, 0),
        ProgramKey::Remove | ProgramKey::PauseJob => return row(ui, what, snapshot),
        _ => return on_file(ui, what, input, snapshot),
    }
    Vec::new()
}

/// The keys that need a file.
fn on_file(ui: &mut Ui, what: ProgramKey, input: &InputEvent, snapshot: &Snapshot) -> Vec<Effect> {
    let Some(path) = target(ui, snapshot) else {
        ui.say("no file is selected", Tone::Warning, input.at);
        return Vec::new();
    };
    let mut effects = Vec::new();
    match what {
        ProgramKey::Enqueue => return order(ProgramOrder::Enqueue(path)),
        ProgramKey::Run => return launch::open(ui, &path, None, input, snapshot),
        ProgramKey::LinkLost => {
            let effects = launch::open(ui, &path, None, input, snapshot);
            launch::select_link_lost(ui);
            return effects;
        }
        ProgramKey::Outline => return launch::round(ui, &path, input, snapshot),
        ProgramKey::RunFrom => {
            let line = if ui.programs.page == Page::Text { ui.programs.text.cursor } else { 1 };
            effects.extend(launch::open(ui, &path, Some(line), input, snapshot));
            if line == 1 {
                launch::ask_line(ui);
            }
        }
        ProgramKey::Text => {
            let line = ui.programs.current_problem().map(|problem| problem.line);
            let jumps = ui.programs.page == Page::Details;
            effects.extend(show(ui, &path));
            let line = line.filter(|line| jumps && *line > 0).unwrap_or(ui.programs.text.cursor);
            ui.programs.text.look(&path, line);
            ui.programs.page = Page::Text;
            effects.extend(ui.programs.text.query().map(ask));
        }
        ProgramKey::Preview if ui.programs.page == Page::Preview => ui.programs.preview.next_view(),
        ProgramKey::Preview => {
            effects.extend(show(ui, &path));
            ui.programs.page = Page::Preview;
        }
        _ => {}
    }
    effects
}

fn turn(ui: &mut Ui, page: Page) {
    ui.programs.page = if ui.programs.page == page { Page::List } else { page };
    ui.programs.selected = 0;
}

/// Enter.
fn open(ui: &mut Ui, input: &InputEvent, snapshot: &Snapshot) -> Vec<Effect> {
    let programs = &mut ui.programs;
    match programs.page {
        Page::List => {
            let chosen = match programs.browser.rows().get(programs.browser.selected) {
                None => return Vec::new(),
                Some(Row::Up) => None,
                Some(Row::Entry(entry)) => Some((*entry).clone()),
            };
            match chosen {
                None => programs.browser.leave().map(ask).into_iter().collect(),
                Some(entry) if entry.is_folder => vec![ask(programs.browser.enter(entry.path))],
                Some(entry) => {
                    programs.page = Page::Details;
                    show(ui, &entry.path)
                }
            }
        }
        Page::History => {
            let name = match (&programs.history.name, programs.history.current()) {
                (None, Some(run)) => Some(run.name.clone()),
                _ => None,
            };
            vec![ask(programs.history.open(name))]
        }
        Page::Jobs => {
            let Some(path) = target(ui, snapshot) else { return Vec::new() };
            ui.programs.page = Page::Details;
            show(ui, &path)
        }
        Page::Details | Page::Preview | Page::Queue => {
            let Some(path) = target(ui, snapshot) else { return Vec::new() };
            let effects = launch::open(ui, &path, None, input, snapshot);
            // Enter opened this question, so a held Enter must not answer it.
            launch::select_last(ui);
            effects
        }
        Page::Text | Page::Launch => Vec::new(),
    }
}

/// A key for the selected row of the queue or of the analyses.
fn row(ui: &mut Ui, what: ProgramKey, snapshot: &Snapshot) -> Vec<Effect> {
    let at = ui.programs.selected;
    match (ui.programs.page, what) {
        (Page::Queue, ProgramKey::Remove) => match snapshot.programs.queue.get(at) {
            // First its mark, so that nothing which is about to start is lost from sight.
            Some(path) if snapshot.sun.waits_for_sun(path).is_some() => {
                vec![Effect::Submit(Command::Sun(SunOrder::CancelStartOf { path: path.clone() }))]
            }
            Some(_) => order(ProgramOrder::Unqueue(at)),
            None => Vec::new(),
        },
        (Page::Jobs, _) => {
            let Some(job) = snapshot.programs.jobs.get(at) else { return Vec::new() };
            let query = match (what, &job.state) {
                (ProgramKey::Remove, JobState::Waiting | JobState::Running | JobState::Paused) => {
                    ProgramQuery::StopJob(job.id)
                }
                (ProgramKey::PauseJob, JobState::Waiting | JobState::Running) => ProgramQuery::PauseJob(job.id),
                (ProgramKey::PauseJob, JobState::Paused | JobState::Stopped) => ProgramQuery::ResumeJob(job.id),
                _ => return Vec::new(),
            };
            vec![ask(query)]
        }
        // Elsewhere: the analysis of the file that is looked at.
        (_, ProgramKey::PauseJob) => {
            let Some(path) = target(ui, snapshot) else { return Vec::new() };
            let query = facts::unfinished(snapshot, &path).map(|job| match job.state {
                JobState::Paused | JobState::Stopped => ProgramQuery::ResumeJob(job.id),
                _ => ProgramQuery::PauseJob(job.id),
            });
            query.map(ask).into_iter().collect()
        }
        _ => Vec::new(),
    }
}

fn clean(batch: u64) -> crate::ui::state::Popup {
    let body = vec![
        "All kept analyses are thrown away. Files and past runs stay as they are.".to_owned(),
        "A file is read anew when it is looked at.".to_owned(),
    ];
    let then = Then::Ask(Query::Program(ProgramQuery::CleanAnalyses));
    popups::confirm("Clean up analyses", body, "Throw them away", then, batch)
}
