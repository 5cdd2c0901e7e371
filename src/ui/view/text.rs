//! Drawing helpers: clipped lines, rules, wrapping by cells.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use crate::model::Time;
use crate::model::snapshot::Snapshot;
use crate::ui::action::Action;
use crate::ui::state::Ui;
use crate::ui::theme::{Role, Theme};

/// What every panel draws from.
pub(super) struct Cx<'a> {
    pub(super) ui: &'a Ui,
    pub(super) snapshot: &'a Snapshot,
    pub(super) now: Time,
    pub(super) theme: Theme,
}

impl Cx<'_> {
    pub(super) fn style(&self, role: Role) -> Style {
        self.theme.style(role)
    }

    pub(super) fn span(&self, text: impl Into<String>, role: Role) -> Span<'static> {
        Span::styled(text.into(), self.style(role))
    }

    /// The key of an action, as it is shown.
    pub(super) fn key(&self, action: Action) -> String {
        self.ui.keymap.keys(action).first().cloned().unwrap_or_default()
    }

    /// `key` as a key, then what it does.
    pub(super) fn hint(&self, key: &str, what: &str) -> [Span<'static>; 2] {
        [self.span(key, Role::Key), self.span(format!(" {what}   "), Role::Text)]
    }
}

/// Draws a line in row `row` of an area, cut at its right edge; rows outside are not drawn.
pub(super) fn put(buf: &mut Buffer, area: Rect, row: u16, line: &Line<'_>) {
    let area = area.intersection(buf.area);
    if row < area.height {
        buf.set_line(area.x, area.y + row, line, area.width);
    }
}

/// Draws a line as [`put`] does; where text is cut off, a mark at the edge says so.
pub(super) fn put_marked(buf: &mut Buffer, area: Rect, row: u16, line: &Line<'_>, cx: &Cx<'_>) {
    put(buf, area, row, line);
    let text: String = line.spans.iter().map(|span| span.content.as_ref()).collect();
    if text.trim_end().width() > usize::from(area.width) && area.width > 0 {
        let edge = Rect { x: area.right() - 1, width: 1, ..area };
        put(buf, edge, row, &Line::from(cx.span(cx.theme.symbols.more, Role::Quiet)));
    }
}

/// Draws a line so that it ends at the right edge.
pub(super) fn put_right(buf: &mut Buffer, area: Rect, row: u16, line: &Line<'_>) {
    let width = (line.width() as u16).min(area.width);
    put(buf, Rect { x: area.x + area.width - width, width, ..area }, row, line);
}

/// A horizontal rule with a title in it.
pub(super) fn rule(buf: &mut Buffer, area: Rect, cx: &Cx<'_>, title: Line<'static>) {
    let line = Line::styled(cx.theme.symbols.line.repeat(usize::from(area.width)), cx.style(Role::Quiet));
    put(buf, area, 0, &line);
    if area.width > 4 && title.width() > 0 {
        let mut spans = vec![Span::raw(" ")];
        spans.extend(title.spans);
        spans.push(Span::raw(" "));
        put(buf, Rect { x: area.x + 1, width: area.width - 2, ..area }, 0, &Line::from(spans));
    }
}

/// Empties an area that lies over others.
pub(super) fn clear(buf: &mut Buffer, area: Rect) {
    let area = area.intersection(buf.area);
    for y in area.top()..area.bottom() {
        for x in area.left()..area.right() {
            buf[(x, y)].reset();
        }
    }
}

/// Cuts at `width` cells, with a mark where something is missing.
pub(super) fn fit(text: &str, width: usize, more: &str) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let mut out = String::new();
    let mut used = more.width();
    for c in text.chars() {
        used += c.width().unwrap_or(0);
        if used > width {
            break;
        }
        out.push(c);
    }
    if width >= more.width() {
        out.push_str(more);
    }
    out
}

/// Breaks at spaces so that no line is wider than `width`; a longer word is cut.
pub(super) fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let last = lines.last().map_or(0, |line| line.width());
        if last > 0 && last + 1 + word.width() > width {
            lines.push(String::new());
        }
        if let Some(line) = lines.last_mut() {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(&fit(word, width, ""));
        }
    }
    lines
}

/// Makes device text safe to draw.
pub(super) fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '.' } else { c }).collect()
}

/// Cuts rows off an area from either end, never more than there are.
pub(super) struct Rows {
    pub(super) rest: Rect,
}

impl Rows {
    pub(super) fn top(&mut self, rows: u16) -> Rect {
        let rows = rows.min(self.rest.height);
        let cut = Rect { height: rows, ..self.rest };
        self.rest.y += rows;
        self.rest.height -= rows;
        cut
    }

    pub(super) fn bottom(&mut self, rows: u16) -> Rect {
        let rows = rows.min(self.rest.height);
        self.rest.height -= rows;
        Rect { y: self.rest.bottom(), height: rows, ..self.rest }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wrapping_and_cutting_count_cells() {
        assert_eq!(wrap("home the machine first", 10), ["home the", "machine", "first"]);
        assert_eq!(wrap("", 10), [""]);
        assert_eq!(fit("漢字漢字", 5, "…"), "漢字…");
        assert_eq!(fit("abc", 3, "…"), "abc");
        assert_eq!(fit("abc", 0, "…"), "");
    }
}
