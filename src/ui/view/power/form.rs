//! The form in which a setting is changed.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::text::Line;
use unicode_width::UnicodeWidthStr;

use super::super::text::{Cx, fit, printable, put, wrap};
use crate::model::power::Takes;
use crate::ui::editor::Editor;
use crate::ui::power::{Form, allowed};
use crate::ui::theme::Role;

/// A label and what is typed behind it. Returns the cursor's place.
pub(super) fn field(cx: &Cx<'_>, label: &str, editor: &Editor, area: Rect, buf: &mut Buffer) -> Option<Position> {
    let head = format!("  {label}: ");
    let before: String = editor.chars().iter().take(editor.cursor()).collect();
    let x = (head.width() + before.width()) as u16;
    let line = Line::from(vec![cx.span(head, Role::Title), cx.span(editor.text(), Role::Value)]);
    put(buf, area, 0, &line);
    (x < area.width && area.height > 0).then_some(Position { x: area.x + x, y: area.y })
}

/// Draws it. Returns the cursor's place.
pub(super) fn draw(cx: &Cx<'_>, form: &Form, area: Rect, buf: &mut Buffer) -> Option<Position> {
    let typed = &cx.ui.power.typed;
    let several = matches!(form.row.takes, Takes::AnyOf(_));
    let label = printable(&form.row.title);
    if form.words().is_empty() {
        let unit = if form.row.unit.is_empty() { String::new() } else { format!(" in {}", form.row.unit) };
        let cursor = field(cx, &format!("{label}{unit}"), typed, area, buf);
        let hint = format!("{}; Up and Down step; Enter collects it, nothing is written yet", allowed(&form.row));
        for (i, text) in wrap(&hint, usize::from(area.width).saturating_sub(4)).into_iter().enumerate() {
            put(buf, area, i as u16 + 1, &Line::from(cx.span(format!("  {text}"), Role::Quiet)));
        }
        return cursor;
    }
    let how = if several { "Up Down, blank switches" } else { "Up Down, or type its beginning" };
    let cursor = field(cx, &format!("{label} ({how})"), typed, area, buf);
    let room = usize::from(area.height.saturating_sub(1)).max(1);
    let first = (form.selected + 1).saturating_sub(room);
    for (row, (i, word)) in form.words().iter().enumerate().skip(first).take(room).enumerate() {
        let selected = i == form.selected;
        let pointer = if selected { cx.theme.symbols.pointer } else { " " };
        let mark = match (several, form.on.contains(word)) {
            (false, _) => "",
            (true, true) => "[x] ",
            (true, false) => "[ ] ",
        };
        let text = fit(&printable(word), usize::from(area.width).saturating_sub(12), cx.theme.symbols.more);
        let line = Line::from(vec![
            cx.span(format!("   {pointer} "), Role::Key),
            cx.span(format!("{mark}{text}"), if selected { Role::Selected } else { Role::Text }),
        ]);
        put(buf, area, row as u16 + 1, &line);
    }
    cursor
}
