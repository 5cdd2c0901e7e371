//! Where each panel lies.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::text::Line;

use super::text::{Cx, Rows, put};
use super::{
    banner, console, controller, devices, footer, header, machine, offsets, overlay, overrides, position, power,
    programs, recovery, tabs,
};
use crate::model::Time;
use crate::model::snapshot::Snapshot;
use crate::ui::state::{Seen, Tab, Ui};
use crate::ui::theme::{Role, Theme};

/// Narrowest screen with panels.
pub const MIN_WIDTH: u16 = 60;
/// Lowest screen with panels.
pub const MIN_HEIGHT: u16 = 18;
/// Rows that a banner leaves to a panel.
const MIN_PANEL: u16 = 6;

/// What came of drawing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Drawn {
    /// Where the cursor is to be seen, if anywhere.
    pub cursor: Option<Position>,
    /// What could be read. To be told to `update`, as [`Event::Seen`](crate::ui::state::Event::Seen).
    pub seen: Seen,
}

impl From<Option<Position>> for Drawn {
    fn from(cursor: Option<Position>) -> Self {
        Self { cursor, seen: Seen::default() }
    }
}

/// Draws everything.
pub fn view(ui: &Ui, snapshot: &Snapshot, now: Time, buf: &mut Buffer) -> Drawn {
    let cx = Cx { ui, snapshot, now, theme: Theme::new(&ui.settings) };
    let area = buf.area;
    if area.width < MIN_WIDTH || area.height < MIN_HEIGHT {
        too_small(&cx, area, buf);
        return Drawn::default();
    }
    let mut rows = Rows { rest: area };
    header::draw(&cx, rows.top(1), buf);
    // A message lies over the hint of the line below the body, and pushes nothing about; only while somebody types
    // there it gets a row.
    let notice = u16::from(ui.notice.is_some() && ui.mode.is_text());
    // Header, strip, line, footer; the banner gives way to the body on a low screen.
    let fixed = 1 + 1 + 1 + notice + footer::ROWS;
    let room = area.height.saturating_sub(fixed + body_rows(&cx));
    let banner = banner::lines(&cx, usize::from(area.width), usize::from(room));
    let banner_area = rows.top(banner.len() as u16);
    for (row, line) in banner.iter().enumerate() {
        put(buf, banner_area, row as u16, line);
    }
    // The line about power takes a row that nothing else needs.
    let spare = usize::from(room) > banner.len() && ui.tab != Tab::Power && !power::line_is_empty(&cx);
    if spare {
        power::draw_line(&cx, rows.top(1), buf);
    }
    let strip = rows.top(1);
    footer::draw(&cx, rows.bottom(footer::ROWS), buf);
    let own_row = rows.bottom(notice);
    let line = rows.bottom(1);
    let strip_width = tabs::draw(&cx, strip, buf);
    let Drawn { cursor: field, seen } = match ui.tab {
        Tab::Machine => {
            machine::draw(&cx, strip, strip_width, rows.rest, buf);
            Drawn::default()
        }
        tab => {
            position::line(&cx, rows.top(1), buf);
            panel(&cx, tab, rows.rest, buf)
        }
    };
    let mut cursor = if ui.notice.is_some() && notice == 0 {
        footer::notice(&cx, line, buf);
        field
    } else {
        footer::notice(&cx, own_row, buf);
        console::draw_line(&cx, line, buf).or(field)
    };
    cursor = overlay::palette(&cx, area, buf).or(cursor);
    if overrides::draw(&cx, area, buf)
        | overlay::help(&cx, area, buf)
        | recovery::draw(&cx, area, buf)
        | overlay::popup(&cx, area, buf)
    {
        cursor = None;
    }
    Drawn { cursor: cursor.filter(|_| ui.mode.is_text()), seen }
}

/// Rows that the body needs at least.
fn body_rows(cx: &Cx<'_>) -> u16 {
    match cx.ui.tab {
        Tab::Machine => machine::least_rows(cx),
        _ => MIN_PANEL,
    }
}

/// The panel of a tab, with the cursor in its text field, if one is open.
fn panel(cx: &Cx<'_>, tab: Tab, area: Rect, buf: &mut Buffer) -> Drawn {
    match tab {
        Tab::Machine => Drawn::default(),
        Tab::Programs => programs::draw(cx, area, buf),
        Tab::Offsets => offsets::draw(cx, area, buf).into(),
        Tab::Settings => controller::draw(cx, area, buf).into(),
        Tab::Power => power::draw(cx, area, buf).into(),
        Tab::Devices => devices::draw(cx, area, buf).into(),
    }
}

fn too_small(cx: &Cx<'_>, area: Rect, buf: &mut Buffer) {
    let state = header::state_text(cx);
    let what = format!(" {MIN_WIDTH}x{MIN_HEIGHT} needed");
    let line = Line::from(vec![
        cx.span(state, Role::Selected),
        cx.span(" SPACE stops", Role::Key),
        cx.span(what, Role::Quiet),
    ]);
    put(buf, area, 0, &line);
}
