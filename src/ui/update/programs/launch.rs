//! Keys of the question before a run. Enter takes the selected row, Esc leaves; letters only select.

use std::path::Path;
use std::time::Duration;

use crossterm::event::KeyCode;

use super::{ask, field, order};
use crate::model::program::ProgramOrder;
use crate::model::snapshot::Snapshot;
use crate::model::sun::SunOrder;
use crate::model::{Command, Time, legal};
use crate::ui::action::Action;
use crate::ui::console::Tone;
use crate::ui::input::InputEvent;
use crate::ui::programs::{Basis, Field, Launch, Page, ProgramKey, Way};
use crate::ui::state::{Effect, Mode, Seen, Tab, Ui};
use crate::ui::update::panel::PanelKey;
use crate::ui::update::popups::is_answer;

/// How long the question is on the screen before Enter starts the program.
const SETTLED: Duration = Duration::from_millis(700);
/// Lines of text that PgUp and PgDn scroll at most.
const PAGE: usize = 5;

/// Opens the question for a file, from a line or from the beginning.
pub(super) fn open(
    ui: &mut Ui,
    path: &Path,
    line: Option<u64>,
    input: &InputEvent,
    snapshot: &Snapshot,
) -> Vec<Effect> {
    let mut launch = Launch::new(path.to_owned(), input.at, input.batch);
    if let Some(line) = line {
        launch.begin_at(line, input.at);
    }
    begin(ui, launch, snapshot, input.at)
}

/// Opens the question for the outline of a file.
pub(super) fn round(ui: &mut Ui, path: &Path, input: &InputEvent, snapshot: &Snapshot) -> Vec<Effect> {
    let launch = Launch::round(path.to_owned(), snapshot, input.at, input.batch);
    begin(ui, launch, snapshot, input.at)
}

/// Opens the question for the interrupted run.
pub(in crate::ui::update) fn take_up(ui: &mut Ui, snapshot: &Snapshot, batch: u64, now: Time) -> Vec<Effect> {
    match &snapshot.programs.interrupted {
        Some(run) => begin(ui, Launch::take_up(run, now, batch), snapshot, now),
        None => {
            ui.say("no run was interrupted", Tone::Plain, now);
            Vec::new()
        }
    }
}

fn begin(ui: &mut Ui, launch: Launch, snapshot: &Snapshot, now: Time) -> Vec<Effect> {
    ui.tab = Tab::Programs;
    ui.mode = Mode::Main;
    let queries = launch.queries();
    ui.programs.basis = Basis::of(snapshot);
    // The check is asked for in any case: it says what the machine, as it stands now, makes of the program.
    if ui.programs.show(&launch.path) {
        ui.programs.text.look(&launch.path, 1);
    }
    ui.programs.page = Page::Launch;
    ui.programs.launch = Some(launch);
    select_first(ui, snapshot, now);
    queries.into_iter().map(ask).collect()
}

/// Opens the field for the line to begin at.
pub(super) fn ask_line(ui: &mut Ui) {
    if let Some(launch) = &mut ui.programs.launch {
        launch.line.clear();
        if let Some(from) = &launch.from {
            launch.line.insert(&from.line.to_string());
        }
        launch.line_is_put = true;
        field::open(ui, Field::Line);
    }
}

/// A key while the question is open.
pub(super) fn key(ui: &mut Ui, key: &PanelKey<'_>) -> Option<Vec<Effect>> {
    let ways = ways(ui, key.snapshot, key.input.at);
    let Some(launch) = &mut ui.programs.launch else {
        ui.programs.page = Page::List;
        return Some(Vec::new());
    };
    let at = launch.place(&ways);
    let page = launch.rows.clamp(1, PAGE);
    let mut select = |at: usize| launch.selected = ways.get(at).copied().unwrap_or(Way::Leave);
    match (key.action, key.chord.code) {
        (_, KeyCode::Esc) => close(ui),
        (Some(Action::PanelUp), _) => select(at.saturating_sub(1)),
        (Some(Action::PanelDown), _) => select(at + 1),
        (_, KeyCode::PageUp) => launch.top = launch.top.saturating_sub(page),
        (_, KeyCode::PageDown) => launch.top = launch.top.saturating_add(page).min(1000),
        (Some(Action::Program(ProgramKey::Open)), _) => {
            let batch = launch.batch;
            let way = ways.get(at).copied();
            if let Some(way) = way.filter(|_| is_answer(ui, key.kind, key.input, batch)) {
                return Some(take(ui, way, key));
            }
        }
        (Some(Action::Program(ProgramKey::LinkLost)), _) => select_link_lost(ui),
        (Some(Action::Program(ProgramKey::Refresh)), _) => {
            return Some(launch.queries().into_iter().map(ask).collect());
        }
        (_, KeyCode::Char(c)) if key.chord.modifiers.is_empty() => {
            match ways.iter().position(|way| way.letter() == Some(c)) {
                Some(found) => select(found),
                None if matches!(key.action, Some(Action::Program(_))) => {}
                None => return None,
            }
        }
        (Some(Action::Program(_)), _) => {}
        _ => return None,
    }
    Some(Vec::new())
}

fn ways(ui: &Ui, snapshot: &Snapshot, now: Time) -> Vec<Way> {
    let Some(launch) = &ui.programs.launch else { return Vec::new() };
    launch.ways(&launch.outlook(ui.programs.details_of(&launch.path), snapshot, now))
}

/// What could be read of the question.
pub(in crate::ui::update) fn seen(ui: &mut Ui, seen: Seen) {
    if let Some(launch) = ui.programs.launch.as_mut().filter(|_| seen.rows > 0) {
        launch.is_read |= seen.preamble;
        launch.rows = seen.rows;
    }
}

fn close(ui: &mut Ui) {
    ui.programs.launch = None;
    ui.programs.page = Page::Details;
}

/// Selects what is done when the link is lost.
pub(super) fn select_link_lost(ui: &mut Ui) {
    if let Some(launch) = &mut ui.programs.launch {
        launch.selected = Way::LinkLost;
    }
}

/// Selects what leaves everything as it is.
pub(in crate::ui::update) fn select_last(ui: &mut Ui) {
    if let Some(launch) = &mut ui.programs.launch {
        launch.selected = Way::Leave;
    }
}

/// Selects what is to be answered next: the first thing that is not agreed to yet, else the start.
pub(super) fn select_next(ui: &mut Ui, snapshot: &Snapshot, now: Time) {
    let ways = ways(ui, snapshot, now);
    let Some(launch) = &mut ui.programs.launch else { return };
    let open = |way: &Way| match way {
        Way::Warnings => !launch.warnings,
        Way::Unchecked => !launch.unchecked,
        Way::Word => launch.word.text().trim() != crate::model::program::order::POSITION_WORD,
        _ => false,
    };
    launch.selected = ways.iter().copied().find(open).unwrap_or(Way::Start);
}

/// The same when the question comes up. In the middle of a program nothing is begun by the first Enter: what is sent first is to be
/// read.
fn select_first(ui: &mut Ui, snapshot: &Snapshot, now: Time) {
    select_next(ui, snapshot, now);
    if let Some(launch) =
        ui.programs.launch.as_mut().filter(|launch| launch.from.is_some() && launch.selected == Way::Start)
    {
        launch.selected = Way::Leave;
    }
}

/// The row that was selected may be there no more: then what is to be answered next is selected, and has to be looked at.
pub(in crate::ui::update) fn settle(ui: &mut Ui, snapshot: &Snapshot, now: Time) {
    let ways = ways(ui, snapshot, now);
    if let Some(launch) = ui.programs.launch.as_mut().filter(|launch| !ways.contains(&launch.selected)) {
        launch.touch(now);
        select_first(ui, snapshot, now);
    }
}

fn take(ui: &mut Ui, way: Way, key: &PanelKey<'_>) -> Vec<Effect> {
    let now = key.input.at;
    let Some(launch) = &mut ui.programs.launch else { return Vec::new() };
    match way {
        Way::Start => return start(ui, key),
        Way::WhenSun => return when_sun(ui, key),
        Way::Warnings => launch.warnings = !launch.warnings,
        Way::Unchecked => launch.unchecked = !launch.unchecked,
        Way::CheckMode => {
            launch.check_mode = !launch.check_mode;
            launch.touch(now);
            return Vec::new();
        }
        Way::LinkLost => {
            let found = ui.programs.details.as_ref().filter(|_| ui.programs.file.as_ref() == Some(&launch.path));
            let shown = launch.on_link_loss(found, key.snapshot);
            launch.on_link_loss = Some(shown.other());
            launch.touch(now);
            return Vec::new();
        }
        Way::Shape => return launch.reshape(|ask| ask.hull = !ask.hull, now).map(ask).into_iter().collect(),
        Way::Height => return launch.reshape(|ask| ask.stays = !ask.stays, now).map(ask).into_iter().collect(),
        Way::Word => {
            field::open(ui, Field::Word);
            return Vec::new();
        }
        Way::Line => {
            ask_line(ui);
            return Vec::new();
        }
        Way::Forget => {
            let run = launch.interrupted.as_ref().map(|run| run.run.id);
            close(ui);
            return run.map_or_else(Vec::new, |run| order(ProgramOrder::Forget(run)));
        }
        Way::Leave => {
            close(ui);
            return Vec::new();
        }
    }
    select_next(ui, key.snapshot, now);
    Vec::new()
}

/// Marks it to be started when the sun allows. What is in the way of that is said by who decides it.
fn when_sun(ui: &mut Ui, key: &PanelKey<'_>) -> Vec<Effect> {
    let now = key.input.at;
    let Some(launch) = &ui.programs.launch else { return Vec::new() };
    let details = ui.programs.details_of(&launch.path);
    let outlook = launch.outlook(details, key.snapshot, now);
    let Some(ProgramOrder::Run(run)) = launch.order(&outlook, details) else { return Vec::new() };
    let mark = Command::Sun(SunOrder::StartWhenSun(run));
    if let Err(why) = legal::check(&mark, key.snapshot, now) {
        ui.say(format!("not marked: {why}"), Tone::Warning, now);
        return Vec::new();
    }
    if now.since(launch.since) < SETTLED {
        ui.say("this has just come up: look, then press Enter", Tone::Warning, now);
        return Vec::new();
    }
    close(ui);
    vec![Effect::Submit(mark)]
}

fn start(ui: &mut Ui, key: &PanelKey<'_>) -> Vec<Effect> {
    let now = key.input.at;
    let Some(launch) = &ui.programs.launch else { return Vec::new() };
    let details = ui.programs.details_of(&launch.path);
    let outlook = launch.outlook(details, key.snapshot, now);
    if let Some(missing) = outlook.missing.first() {
        let text = format!("not started: {missing}");
        ui.say(text, Tone::Warning, now);
        return Vec::new();
    }
    if now.since(launch.since) < SETTLED {
        ui.say("this has just come up: look, then press Enter", Tone::Warning, now);
        return Vec::new();
    }
    let Some(run) = launch.order(&outlook, details) else { return Vec::new() };
    close(ui);
    // The run is watched where the machine is.
    ui.tab = Tab::Machine;
    order(run)
}
