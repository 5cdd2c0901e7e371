//! The files.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::text::Line;
use unicode_width::UnicodeWidthStr;

use super::super::table;
use super::super::text::{Cx, Rows, fit, printable, put};
use crate::model::program::Entry;
use crate::ui::programs::browser::{Known, Row};
use crate::ui::programs::{Field, words};
use crate::ui::state::Mode;
use crate::ui::theme::Role;

/// From this width on, a row tells time and check too.
const WIDE: usize = 76;

/// Draws it. Returns the cursor's place, while the filter is typed.
pub(super) fn draw(cx: &Cx<'_>, area: Rect, buf: &mut Buffer) -> Option<Position> {
    let browser = &cx.ui.programs.browser;
    let width = usize::from(area.width);
    let more = cx.theme.symbols.more;
    let mut parts = Rows { rest: area };
    let cursor = filter(cx, &mut parts, buf);
    let below = parts.bottom((browser.notes.len() as u16).min(2).min(area.height / 4));
    for (row, note) in browser.notes.iter().enumerate() {
        let note = fit(&printable(note), width.saturating_sub(5), more);
        put(buf, below, row as u16, &Line::from(cx.span(format!("   {note}"), Role::Warning)));
    }
    let folder = browser.folder.as_ref().map_or("folders".to_owned(), |at| printable(&at.display().to_string()));
    let order = browser.sort.title();
    let head = format!("   {}   {order}", tail(&folder, width.saturating_sub(order.len() + 24), more));
    let rows = browser.rows();
    let selected = browser.selected.min(rows.len().saturating_sub(1));
    let mut lines: Vec<Line<'static>> = rows
        .iter()
        .enumerate()
        .map(|(at, row)| match row {
            Row::Up => line(cx, "..", "folder above", at == selected, width),
            Row::Entry(entry) => entry_line(cx, entry, browser.known(&entry.path), at == selected, width),
        })
        .collect();
    if !rows.iter().any(|row| matches!(row, Row::Entry(_))) {
        lines.push(Line::from(cx.span(format!("   {}", nothing(cx)), Role::Quiet)));
    }
    let top = (selected + 2).saturating_sub(usize::from(parts.rest.height));
    table::draw(cx, parts.rest, &head, &lines, "", top, buf);
    cursor
}

/// Why there is no file to show.
fn nothing(cx: &Cx<'_>) -> String {
    match &cx.ui.programs.browser.entries {
        None => "is being read".to_owned(),
        Some(Err(why)) => printable(why),
        Some(Ok(entries)) if entries.is_empty() => "no program lies here".to_owned(),
        Some(Ok(_)) => "no name has these letters; Esc shows all".to_owned(),
    }
}

/// The row in which the filter is typed, while there is one.
fn filter(cx: &Cx<'_>, parts: &mut Rows, buf: &mut Buffer) -> Option<Position> {
    let filter = &cx.ui.programs.browser.filter;
    let typed = cx.ui.mode == Mode::Field && cx.ui.programs.field == Field::Filter;
    if !typed && filter.text().is_empty() {
        return None;
    }
    let row = parts.top(1);
    let text = cx.span(printable(&filter.text()), Role::Value);
    put(buf, row, 0, &Line::from(vec![cx.span("   names with: ", Role::Key), text]));
    let before: String = filter.chars().iter().take(filter.cursor()).collect();
    typed.then_some(Position { x: row.x + 15 + before.width() as u16, y: row.y })
}

/// The end of a text that is too long.
fn tail(text: &str, width: usize, more: &str) -> String {
    let count = text.chars().count();
    if count <= width {
        return text.to_owned();
    }
    let kept: String = text.chars().skip(count - width.saturating_sub(more.width())).collect();
    format!("{more}{kept}")
}

fn entry_line(cx: &Cx<'_>, entry: &Entry, known: Option<&Known>, is_selected: bool, width: usize) -> Line<'static> {
    let date = words::date(entry.modified_ms, &cx.ui.settings.zone);
    let what = if entry.is_folder { "folder".to_owned() } else { words::size(entry.bytes) };
    let mut right = format!("{what:>7}  {date}");
    if width >= WIDE {
        let (time, check) = match known {
            None => (String::new(), String::new()),
            Some(Known { result: Err(_), .. }) => ("-".to_owned(), "NOT READ".to_owned()),
            Some(Known { result: Ok(seconds), errors, warnings }) => {
                let check = match (errors, warnings) {
                    (0, 0) => "good".to_owned(),
                    (0, _) => words::plural(*warnings, "warning"),
                    _ => words::plural(*errors, "error").to_uppercase(),
                };
                (words::clock(*seconds), check)
            }
        };
        right = format!("{right}  {time:>8}  {check:<11}");
    }
    let name = if entry.is_folder { format!("{}/", entry.name) } else { entry.name.clone() };
    line(cx, &name, &right, is_selected, width)
}

fn line(cx: &Cx<'_>, name: &str, right: &str, is_selected: bool, width: usize) -> Line<'static> {
    let pointer = if is_selected { cx.theme.symbols.pointer } else { " " };
    let room = width.saturating_sub(right.width() + 5);
    let name = fit(&printable(name), room, cx.theme.symbols.more);
    let blanks = " ".repeat(room.saturating_sub(name.width()) + 1);
    let role = if is_selected { Role::Selected } else { Role::Text };
    Line::from(vec![
        cx.span(format!(" {pointer} "), Role::Key),
        cx.span(name, role),
        cx.span(format!("{blanks}{right}"), Role::Quiet),
    ])
}
