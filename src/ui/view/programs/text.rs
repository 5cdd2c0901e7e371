//! The text of a file around a line.

use std::collections::BTreeMap;

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::text::Line;
use unicode_width::UnicodeWidthStr;

use super::super::text::{Cx, Rows, fit, printable, put, wrap};
use crate::model::program::{Problem, Severity};
use crate::ui::programs::text::TextWindow;
use crate::ui::programs::{Field, facts, words};
use crate::ui::state::Mode;
use crate::ui::theme::Role;

/// Draws it. Returns the cursor's place, while a number is typed.
pub(super) fn draw(cx: &Cx<'_>, area: Rect, buf: &mut Buffer) -> Option<Position> {
    let programs = &cx.ui.programs;
    let window = &programs.text;
    let mut parts = Rows { rest: area };
    let head = parts.top(1);
    let mut cursor = None;
    if cx.ui.mode == Mode::Field && programs.field == Field::Goto {
        let typed = printable(&programs.number.text());
        cursor = Some(Position { x: head.x + 15 + typed.width() as u16, y: head.y });
        put(buf, head, 0, &Line::from(vec![cx.span("   go to line: ", Role::Key), cx.span(typed, Role::Value)]));
    } else {
        let name = programs.file.as_deref().map_or(String::new(), words::file_name);
        let of = programs.found().map_or(String::new(), |found| format!(" of {}", words::count(found.report.lines)));
        let text = format!("   {}   line {}{of}", printable(&name), words::count(window.cursor));
        put(buf, head, 0, &Line::from(cx.span(text, Role::Quiet)));
    }
    let problems = by_line(cx);
    if let Some(problem) = problems.get(&window.cursor) {
        let about = format!("{}: {} {}", words::severity(problem.severity), problem.text, problem.remedy);
        let about = wrap(&printable(&about), usize::from(area.width).saturating_sub(6));
        let below = parts.bottom((about.len() as u16).min(area.height / 3));
        for (row, text) in about.into_iter().enumerate() {
            put(buf, below, row as u16, &Line::from(cx.span(format!("   {text}"), Role::Warning)));
        }
    }
    if let Some(why) = &window.error {
        put(buf, parts.rest, 0, &Line::from(cx.span(format!("   {}", printable(why)), Role::Bad)));
        return cursor;
    }
    lines(cx, window, parts.rest, |number| problems.get(&number).map(|problem| problem.severity), buf);
    cursor
}

/// The worst problem of each line.
fn by_line<'a>(cx: &Cx<'a>) -> BTreeMap<u64, &'a Problem> {
    let sorted = cx.ui.programs.found().map_or_else(Vec::new, |found| facts::sorted(found));
    sorted.into_iter().rev().map(|problem| (problem.line, problem)).collect()
}

/// The lines around the cursor of a window, with the severity of what is wrong with them.
pub(in crate::ui::view) fn lines(
    cx: &Cx<'_>,
    window: &TextWindow,
    area: Rect,
    mark: impl Fn(u64) -> Option<Severity>,
    buf: &mut Buffer,
) {
    let rows = u64::from(area.height);
    let first = window.cursor.saturating_sub(rows / 2).max(1);
    for (row, number) in (first..first + rows).enumerate() {
        if window.is_past_end(number) {
            let text = if number == 1 { "the file is empty" } else { "end of the file" };
            put(buf, area, row as u16, &Line::from(cx.span(format!("               {text}"), Role::Quiet)));
            break;
        }
        let is_here = number == window.cursor;
        let pointer = if is_here { cx.theme.symbols.pointer } else { " " };
        let (sign, sign_role) = match mark(number) {
            Some(Severity::Error) => ("E", Role::Bad),
            Some(Severity::Warning) => ("w", Role::Warning),
            Some(Severity::Note) => ("n", Role::Text),
            None => (" ", Role::Text),
        };
        let text = window.line(number).map(printable);
        let room = usize::from(area.width).saturating_sub(16);
        let text = fit(text.as_deref().unwrap_or(cx.theme.symbols.more), room, cx.theme.symbols.more);
        let line = Line::from(vec![
            cx.span(format!(" {pointer} "), Role::Key),
            cx.span(format!("{number:>9} "), Role::Quiet),
            cx.span(format!("{sign} "), sign_role),
            cx.span(text, if is_here { Role::Selected } else { Role::Text }),
        ]);
        put(buf, area, row as u16, &line);
    }
}
