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

/// Columns, and rows of console beyond the least, from which the position is drawn in big digits.
const MIN_BIG: (u16, u16) = (110, 5);
/// Columns from which both positions are shown.
const MIN_WHOLE: u16 = 76;
/// Widest console: an answer far from its line is not found.
const MAX_CONSOLE: u16 = 132;

/// Rows that it needs at least.
pub(super) fn least_rows(cx: &Cx<'_>) -> u16 {
    RULES + MIN_CONSOLE + jog::rows(cx) + MIN_POSITION
}

/// Draws it; `strip` is the rule above, with tabs in its first `strip_width` columns.
pub(super) fn draw(cx: &Cx<'_>, strip: Rect, strip_width: u16, area: Rect, buf: &mut Buffer) {
    let mut rows = Rows { rest: area };
    let jog_rows = jog::rows(cx);
    let rest = RULES + MIN_CONSOLE + jog_rows;
    let big = area.width >= MIN_BIG.0 && area.height >= position::big_rows(cx) + rest + MIN_BIG.1;
    let (body, split) = if big {
        (position::big_rows(cx), position::BIG_WIDTH)
    } else {
        (position::rows(cx).max(status::ROWS), if area.width < MIN_WHOLE { position::NARROW } else { position::WIDTH })
    };
    let panels = rows.top(body.min(area.height.saturating_sub(rest)));
    let left = Rect { width: split, ..panels };
    let right = Rect { x: panels.x + split + 1, width: panels.width - split - 1, ..panels };
    if strip_width <= split {
        status::tee(cx, Rect { x: strip.x + split, ..strip }, buf);
    }
    if big {
        position::draw_big(cx, left, buf);
    } else {
        position::draw(cx, left, buf);
    }
    status::draw(cx, right, buf);
    jog::rule(cx, rows.top(1), buf);
    jog::draw(cx, rows.top(jog_rows), buf);
    console::rule(cx, rows.top(1), buf);
    let rest = rows.rest;
    console::draw(cx, Rect { width: rest.width.min(MAX_CONSOLE), ..rest }, buf);
}
