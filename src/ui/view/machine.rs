//! The tab Machine: position and state, jog, console.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::text::{Cx, Rows};
use super::{console, jog, position, status};

/// Rows of console that other panels must leave.
const MIN_CONSOLE: u16 = 3;
/// Rules inside: above jog and above the console.
const RULES: u16 = 2;
/// Rows of position that a banner leaves.
const MIN_POSITION: u16 = 4;

/// Rows that it needs at least.
pub(super) fn least_rows(cx: &Cx<'_>) -> u16 {
    RULES + MIN_CONSOLE + jog::rows(cx) + MIN_POSITION
}

/// Draws it; `strip` is the rule above, with tabs in its first `strip_width` columns.
pub(super) fn draw(cx: &Cx<'_>, strip: Rect, strip_width: u16, area: Rect, buf: &mut Buffer) {
    let mut rows = Rows { rest: area };
    let jog_rows = jog::rows(cx);
    let body = position::rows(cx).max(status::ROWS);
    let panels = rows.top(body.min(area.height.saturating_sub(RULES + MIN_CONSOLE + jog_rows)));
    let split = position::WIDTH.min(area.width / 2 + 6);
    let left = Rect { width: split, ..panels };
    let right = Rect { x: panels.x + split + 1, width: panels.width - split - 1, ..panels };
    if strip_width <= split {
        status::tee(cx, Rect { x: strip.x + split, ..strip }, buf);
    }
    position::draw(cx, left, buf);
    status::draw(cx, right, buf);
    jog::rule(cx, rows.top(1), buf);
    jog::draw(cx, rows.top(jog_rows), buf);
    console::rule(cx, rows.top(1), buf);
    console::draw(cx, rows.rest, buf);
}
