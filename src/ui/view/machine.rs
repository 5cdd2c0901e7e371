//! The tab Machine: position and state, jog, console.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::text::{Cx, Rows};
use super::{console, jog, position, programs, run, status};

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

/// Rows from which the picture of a run is drawn.
const MIN_PICTURE: u16 = 8;

/// Rows that it needs at least.
pub(super) fn least_rows(cx: &Cx<'_>) -> u16 {
    RULES + MIN_CONSOLE + middle_rows(cx, 0) + MIN_POSITION
}

/// Rows of what stands in the middle: the run, or else the jog keys.
fn middle_rows(cx: &Cx<'_>, body: u16) -> u16 {
    if run::shown(cx).is_some() { run::rows(body) } else { jog::rows(cx) }
}

/// Draws it; `strip` is the rule above, with tabs in its first `strip_width` columns.
pub(super) fn draw(cx: &Cx<'_>, strip: Rect, strip_width: u16, area: Rect, buf: &mut Buffer) {
    let mut rows = Rows { rest: area };
    let middle = middle_rows(cx, area.height);
    let rest = RULES + MIN_CONSOLE + middle;
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
    if let Some(run) = run::shown(cx) {
        run::rule(cx, run, rows.top(1), buf);
        run::draw(cx, run, rows.top(middle), buf);
    } else {
        jog::rule(cx, rows.top(1), buf);
        jog::draw(cx, rows.top(middle), buf);
    }
    console::rule(cx, rows.top(1), buf);
    let rest = beside_picture(cx, rows.rest, buf);
    console::draw(cx, Rect { width: rest.width.min(MAX_CONSOLE), ..rest }, buf);
}

/// Draws the picture of the run at the right of the console, where there is room. Returns what is left.
fn beside_picture(cx: &Cx<'_>, area: Rect, buf: &mut Buffer) -> Rect {
    let path = cx.ui.programs.running.details.as_ref().and_then(|details| details.path.as_deref());
    let Some(path) = path.filter(|_| run::shown(cx).is_some() && area.width >= MIN_BIG.0 && area.height >= MIN_PICTURE)
    else {
        return area;
    };
    let width = area.width / 2;
    let right = Rect { x: area.right() - width, width, ..area };
    programs::draw_picture(cx, path, true, right, buf);
    Rect { width: area.width - width - 1, ..area }
}
