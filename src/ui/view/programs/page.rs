//! Which page is drawn, where its parts lie, and its hints.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::text::Line;

use super::super::Drawn;
use super::super::preview::{self, Picture};
use super::super::text::{Cx, Rows, printable, put};
use super::{details, launch, list, tables, text};
use crate::model::program::run::RunState;
use crate::model::program::toolpath::Toolpath;
use crate::ui::action::Action;
use crate::ui::preview::Dots;
use crate::ui::programs::{Page, ProgramKey};
use crate::ui::theme::Role;

/// From this width on, list, check and picture stand side by side.
const WIDE: u16 = 110;
/// Columns of the list there.
const LIST: u16 = 52;

/// Draws it, with the cursor where a text field is open.
pub(in crate::ui::view) fn draw(cx: &Cx<'_>, area: Rect, buf: &mut Buffer) -> Drawn {
    match cx.ui.programs.page {
        Page::Launch if area.width >= WIDE => {
            let [left, right] = halves(cx, area, area.width / 3 * 2, buf);
            picture(cx, right, buf);
            launch::draw(cx, left, buf)
        }
        Page::Launch => launch::draw(cx, area, buf),
        page => other(cx, page, area, buf).into(),
    }
}

/// Any page but the question before a run. Returns the cursor's place, if a text field is open.
fn other(cx: &Cx<'_>, page: Page, area: Rect, buf: &mut Buffer) -> Option<Position> {
    match page {
        Page::History => tables::history(cx, area, buf),
        Page::Queue => tables::queue(cx, area, buf),
        Page::Jobs => tables::jobs(cx, area, buf),
        Page::List if area.width >= WIDE => {
            let [left, right] = halves(cx, area, LIST, buf);
            let mut parts = Rows { rest: right };
            details::facts(cx, parts.top(11.min(area.height / 2)), buf);
            picture(cx, parts.rest, buf);
            return list::draw(cx, left, buf);
        }
        Page::List => {
            let mut parts = Rows { rest: area };
            let below = parts.bottom(if area.height > 12 { 6 } else { 3 });
            details::facts(cx, below, buf);
            return list::draw(cx, parts.rest, buf);
        }
        Page::Details if area.width >= WIDE => {
            let [left, right] = halves(cx, area, area.width / 2, buf);
            details::draw(cx, left, buf);
            picture(cx, right, buf);
        }
        Page::Details => details::draw(cx, area, buf),
        Page::Preview => picture(cx, area, buf),
        Page::Text => return text::draw(cx, area, buf),
        // Drawn above.
        Page::Launch => {}
    }
    None
}

/// Two parts with a line between them.
fn halves(cx: &Cx<'_>, area: Rect, left: u16, buf: &mut Buffer) -> [Rect; 2] {
    for row in 0..area.height {
        let bar = Rect { x: area.x + left, width: 1, ..area };
        put(buf, bar, row, &Line::from(cx.span(cx.theme.symbols.bar, Role::Quiet)));
    }
    let right = Rect { x: area.x + left + 1, width: area.width - left - 1, ..area };
    [Rect { width: left, ..area }, right]
}

/// The picture of the file that the pages are about.
fn picture(cx: &Cx<'_>, area: Rect, buf: &mut Buffer) {
    let programs = &cx.ui.programs;
    let path = programs.found().and_then(|found| found.path.as_deref());
    let run = cx.snapshot.programs.run.as_ref().filter(|run| programs.file.as_deref() == Some(run.path.as_path()));
    let text = match (path, &programs.details) {
        (Some(path), _) => {
            draw_picture(cx, path, run.is_some_and(|run| run.state != RunState::Done), area, buf);
            return;
        }
        (None, Some(Err(why))) => printable(why),
        (None, Some(Ok(_))) => "the picture is being made".to_owned(),
        (None, None) if programs.file.is_some() => "the file is being read".to_owned(),
        (None, None) => "no file is selected".to_owned(),
    };
    put(buf, area, 0, &Line::from(cx.span(format!("   {text}"), Role::Quiet)));
}

/// A path, with the tool, and with what the run has done of it if it is the run's.
pub(in crate::ui::view) fn draw_picture(cx: &Cx<'_>, path: &Toolpath, of_run: bool, area: Rect, buf: &mut Buffer) {
    let run = cx.snapshot.programs.run.as_ref().filter(|_| of_run);
    let machine = &cx.snapshot.machine;
    let picture = Picture {
        path,
        state: &cx.ui.programs.preview,
        dots: Dots::of(&cx.ui.settings),
        progress_line: run.filter(|run| !run.outline).map(|run| run.acked_line),
        // A position that is not young is not shown as if it were.
        tool: machine.fresh_state(cx.now).and(machine.work_position.as_ref()).map(Toolpath::point),
    };
    preview::draw(&picture, &cx.theme, area, buf);
}

/// Hints of a page, most useful first.
pub(in crate::ui::view) fn hints(page: Page) -> Vec<Action> {
    use ProgramKey as Key;
    let keys: &[Key] = match page {
        Page::List => &[
            Key::Open,
            Key::Run,
            Key::Filter,
            Key::TakeUp,
            Key::Text,
            Key::Preview,
            Key::Sort,
            Key::History,
            Key::Queue,
            Key::Enqueue,
            Key::Jobs,
        ],
        Page::Details => &[Key::Run, Key::Text, Key::Preview, Key::RunFrom, Key::Enqueue, Key::PauseJob, Key::FolderUp],
        Page::Preview => &[Key::Preview, Key::ZoomIn, Key::ZoomOut, Key::Fit, Key::PanLeft, Key::PanRight, Key::Run],
        Page::Text => &[Key::Filter, Key::RunFrom, Key::Preview, Key::Run, Key::FolderUp],
        // Its keys are not those of the table: see the footer.
        Page::Launch => &[],
        Page::History => &[Key::Open, Key::Run, Key::TakeUp, Key::Text, Key::FolderUp],
        Page::Queue => &[Key::Open, Key::Remove, Key::Text, Key::FolderUp],
        Page::Jobs => &[Key::PauseJob, Key::Remove, Key::Clean, Key::Open, Key::FolderUp],
    };
    let own = keys.iter().map(|key| Action::Program(*key));
    [Action::AlarmPanel, Action::Resume].into_iter().chain(own).chain([Action::Help]).collect()
}
