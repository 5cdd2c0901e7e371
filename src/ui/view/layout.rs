//! Where each panel lies.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::text::Line;

use super::text::{Cx, put};
use super::{banner, console, footer, header, jog, overlay, position, status};
use crate::model::Time;
use crate::model::snapshot::Snapshot;
use crate::ui::state::{Mode, Ui};
use crate::ui::theme::{Role, Theme};

/// Narrowest screen with panels.
pub const MIN_WIDTH: u16 = 60;
/// Lowest screen with panels.
pub const MIN_HEIGHT: u16 = 18;
/// Rows of console that other panels must leave.
const MIN_CONSOLE: u16 = 3;

/// Draws everything. Returns where the cursor is to be seen, if anywhere.
pub fn view(ui: &Ui, snapshot: &Snapshot, now: Time, buf: &mut Buffer) -> Option<Position> {
    let cx = Cx { ui, snapshot, now, theme: Theme::new(&ui.settings) };
    let area = buf.area;
    if area.width < MIN_WIDTH || area.height < MIN_HEIGHT {
        too_small(&cx, area, buf);
        return None;
    }
    let mut rows = Rows { rest: area };
    header::draw(&cx, rows.top(1), buf);
    let banner = banner::lines(&cx, usize::from(area.width));
    let body = position::rows(&cx).max(status::ROWS);
    let jog_rows = jog::rows(&cx);
    let notice = u16::from(ui.notice.is_some());
    // Header, three rules, console, line, footer: the banner and then the axes give way on a low screen.
    let fixed = 1 + 3 + MIN_CONSOLE + 1 + notice + footer::ROWS;
    let banner_rows = (banner.len() as u16).min(area.height.saturating_sub(fixed + jog_rows + 4));
    let banner_area = rows.top(banner_rows);
    for (row, line) in banner.iter().take(usize::from(banner_rows)).enumerate() {
        put(buf, banner_area, row as u16, line);
    }
    let body = body.min(area.height.saturating_sub(fixed + jog_rows + banner_rows));
    let rule = rows.top(1);
    let panels = rows.top(body);
    let split = position::WIDTH.min(area.width / 2 + 6);
    let left = Rect { width: split, ..panels };
    let right = Rect { x: panels.x + split + 1, width: panels.width - split - 1, ..panels };
    position::rule(&cx, rule, split, buf);
    position::draw(&cx, left, buf);
    status::draw(&cx, right, buf);
    jog::rule(&cx, rows.top(1), buf);
    jog::draw(&cx, rows.top(jog_rows), buf);
    footer::draw(&cx, rows.bottom(footer::ROWS), buf);
    footer::notice(&cx, rows.bottom(notice), buf);
    let line = rows.bottom(1);
    console::rule(&cx, rows.top(1), buf);
    console::draw(&cx, rows.rest, buf);
    let mut cursor = console::draw_line(&cx, line, buf);
    cursor = overlay::palette(&cx, area, buf).or(cursor);
    if overlay::help(&cx, area, buf) | overlay::popup(&cx, area, buf) {
        cursor = None;
    }
    cursor.filter(|_| ui.mode.is_text() || matches!(ui.mode, Mode::Palette(_)))
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

/// Cuts rows off an area from either end, never more than there are.
struct Rows {
    rest: Rect,
}

impl Rows {
    fn top(&mut self, rows: u16) -> Rect {
        let rows = rows.min(self.rest.height);
        let cut = Rect { height: rows, ..self.rest };
        self.rest.y += rows;
        self.rest.height -= rows;
        cut
    }

    fn bottom(&mut self, rows: u16) -> Rect {
        let rows = rows.min(self.rest.height);
        self.rest.height -= rows;
        Rect { y: self.rest.bottom(), height: rows, ..self.rest }
    }
}
