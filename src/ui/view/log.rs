//! The hub's log, on the tab Devices.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::text::Line;
use unicode_width::UnicodeWidthStr;

use super::controller::field;
use super::table::tell_below;
use super::text::{Cx, Rows, fit, printable, put};
use crate::ui::action::Action;
use crate::ui::log::{Entry, Level};
use crate::ui::state::Mode;
use crate::ui::theme::Role;
use crate::ui::words::time_of_day;

/// Columns of who it comes from, at least and at most.
const SOURCE: (usize, usize) = (8, 16);

/// Draws it. Returns the cursor's place, if the search is open.
pub(super) fn draw(cx: &Cx<'_>, area: Rect, buf: &mut Buffer) -> Option<Position> {
    let log = &cx.ui.log;
    let shown = log.shown();
    let mut rows = Rows { rest: area };
    let head = rows.top(1);
    let words = log.filter.text();
    let with = if words.is_empty() { String::new() } else { format!("  with \"{}\"", printable(&words)) };
    let mut line = vec![
        cx.span("   Log  ", Role::Title),
        cx.span(format!("{}{with}  {} of {}  ", log.level.title(), shown.len(), log.len()), Role::Quiet),
    ];
    line.extend(cx.hint(&cx.key(Action::LogFilter), "finds"));
    line.extend(cx.hint(&cx.key(Action::LogLevel), "level"));
    line.extend(cx.hint(&cx.key(Action::LogSave), "to a file"));
    put(buf, head, 0, &Line::from(line));
    let cursor = (cx.ui.mode == Mode::Field).then(|| field(cx, "find", &log.filter, rows.bottom(1), buf)).flatten();
    let below = log.below(&shown);
    let room = usize::from(rows.rest.height);
    let end = shown.len().saturating_sub(below).max(room.min(shown.len()));
    let page = &shown[end.saturating_sub(room)..end];
    if page.is_empty() {
        let text =
            if log.is_empty() { "   nothing yet" } else { "   no entry of this level has these words; Esc shows all" };
        put(buf, rows.rest, 0, &Line::from(cx.span(text, Role::Quiet)));
    }
    // A number of a client may be long: a part of it would name another one.
    let source = page.iter().map(|entry| entry.source.width()).max().unwrap_or(0).clamp(SOURCE.0, SOURCE.1);
    for (row, entry) in page.iter().enumerate() {
        put(buf, rows.rest, row as u16, &entry_line(cx, entry, source, usize::from(area.width)));
    }
    tell_below(cx, head, below, buf);
    cursor
}

fn entry_line(cx: &Cx<'_>, entry: &Entry, source: usize, width: usize) -> Line<'static> {
    let role = match entry.level {
        Level::Detail => Role::Quiet,
        Level::Info => Role::Text,
        Level::Warning => Role::Warning,
        Level::Error => Role::Bad,
    };
    let head = format!(" {} {} ", time_of_day(&cx.ui.settings, entry.at), entry.level.mark());
    let source = format!("{:<source$} ", fit(&entry.source, source, cx.theme.symbols.more));
    let room = width.saturating_sub(head.width() + source.width() + 1);
    let text = fit(&printable(&entry.text), room, cx.theme.symbols.more);
    Line::from(vec![cx.span(head, Role::Quiet), cx.span(source, Role::Quiet), cx.span(text, role)])
}
