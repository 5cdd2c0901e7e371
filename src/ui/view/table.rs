//! A heading and rows under it that scroll, with a word about what is below.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Line;

use super::text::{Cx, put, put_right};
use crate::ui::theme::Role;

/// Draws it from row `top` on, or as far down as there are rows; `empty` where there are none.
pub(super) fn draw(
    cx: &Cx<'_>,
    area: Rect,
    head: &str,
    rows: &[Line<'static>],
    empty: &str,
    top: usize,
    buf: &mut Buffer,
) {
    put(buf, area, 0, &Line::from(cx.span(head, Role::Quiet)));
    if rows.is_empty() {
        put(buf, area, 1, &Line::from(cx.span(empty, Role::Quiet)));
    }
    let room = usize::from(area.height.saturating_sub(1));
    let top = top.min(rows.len().saturating_sub(room));
    let below = rows.len().saturating_sub(top + room);
    for (row, line) in rows.iter().skip(top).take(room).enumerate() {
        put(buf, area, row as u16 + 1, line);
    }
    tell_below(cx, area, below, buf);
}

/// Says at the right of the heading how many rows there are below.
pub(super) fn tell_below(cx: &Cx<'_>, head: Rect, below: usize, buf: &mut Buffer) {
    if below > 0 {
        put_right(buf, head, 0, &Line::from(cx.span(format!(" {below} more below "), Role::Warning)));
    }
}
