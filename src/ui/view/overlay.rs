//! What lies over the screen: questions, help, the list of actions. The stop line stays in sight below.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::text::{Line, Span};
use unicode_width::UnicodeWidthStr;

use super::footer;
use super::text::{Cx, clear, fit, put, wrap};
use crate::ui::action::{Group, JOG_MODIFIERS, TABLE, available};
use crate::ui::state::{Mode, Popup};
use crate::ui::theme::Role;
use crate::ui::update::palette_rows;

const HELP_INTRO: &str = "A software stop is not an emergency stop: keep one within reach.";

/// A frame with a title; returns the inside.
pub(super) fn frame(cx: &Cx<'_>, area: Rect, title: &str, buf: &mut Buffer) -> Rect {
    clear(buf, area);
    let symbols = cx.theme.symbols;
    let line = symbols.line.repeat(usize::from(area.width).saturating_sub(2));
    for (row, [left, right]) in [(0, symbols.top), (area.height.saturating_sub(1), symbols.bottom)] {
        put(buf, area, row, &Line::from(cx.span(format!("{left}{line}{right}"), Role::Quiet)));
    }
    let head = Rect { x: area.x + 2, width: area.width.saturating_sub(4), ..area };
    put(
        buf,
        head,
        0,
        &Line::from(cx.span(format!(" {} ", fit(title, usize::from(head.width).saturating_sub(2), "")), Role::Title)),
    );
    for row in 1..area.height.saturating_sub(1) {
        let bar = Line::from(cx.span(cx.theme.symbols.bar, Role::Quiet));
        put(buf, Rect { width: 1, ..area }, row, &bar);
        put(buf, Rect { x: area.right().saturating_sub(1), width: 1, ..area }, row, &bar);
    }
    Rect { x: area.x + 2, y: area.y + 1, width: area.width.saturating_sub(4), height: area.height.saturating_sub(2) }
}

pub(super) fn centred(area: Rect, width: u16, height: u16) -> Rect {
    let (width, height) = (width.min(area.width), height.min(area.height));
    Rect { x: area.x + (area.width - width) / 2, y: area.y + (area.height - height) / 2, width, height }
}

pub(super) fn above_footer(area: Rect) -> Rect {
    Rect { height: area.height.saturating_sub(footer::ROWS), ..area }
}

/// The question, if there is one. `true`: drawn.
pub(super) fn popup(cx: &Cx<'_>, area: Rect, buf: &mut Buffer) -> bool {
    let Some(popup) = &cx.ui.popup else { return false };
    let width = area.width.min(74);
    let body = body_lines(popup, usize::from(width.saturating_sub(4)));
    let height = (body.len() + popup.choices.len() + 3) as u16;
    let inside = frame(cx, centred(above_footer(area), width, height), &popup.title, buf);
    for (row, text) in body.iter().enumerate() {
        put(buf, inside, row as u16, &Line::from(cx.span(text.clone(), Role::Text)));
    }
    // On a low screen the choices matter more than the text above them.
    let first = (body.len() as u16 + 1).min(inside.height.saturating_sub(popup.choices.len() as u16));
    for (row, choice) in popup.choices.iter().enumerate() {
        let selected = row == popup.selected;
        let pointer = if selected { cx.theme.symbols.pointer } else { " " };
        let letter = choice.letter.map_or(' ', |letter| letter);
        let role = if selected { Role::Selected } else { Role::Text };
        let line = Line::from(vec![
            cx.span(format!(" {pointer} "), Role::Key),
            cx.span(format!("{letter} "), Role::Key),
            cx.span(format!(" {} ", choice.label), role),
            cx.span(if selected { "  Enter" } else { "" }, Role::Key),
        ]);
        put(buf, inside, first + row as u16, &line);
    }
    true
}

fn body_lines(popup: &Popup, width: usize) -> Vec<String> {
    popup.body.iter().flat_map(|text| wrap(text, width)).collect()
}

/// Help, if it is open. `true`: drawn.
pub(super) fn help(cx: &Cx<'_>, area: Rect, buf: &mut Buffer) -> bool {
    let Some(scroll) = cx.ui.help else { return false };
    let inside = frame(cx, above_footer(area), "Help", buf);
    let lines = help_lines(cx, usize::from(inside.width));
    let scroll = scroll.min(lines.len().saturating_sub(usize::from(inside.height)));
    for (row, line) in lines.iter().skip(scroll).take(usize::from(inside.height)).enumerate() {
        put(buf, inside, row as u16, line);
    }
    let below = lines.len().saturating_sub(scroll + usize::from(inside.height));
    if below > 0 {
        let bottom = Rect { x: inside.x, y: inside.bottom(), width: inside.width, height: 1 };
        put(buf, bottom, 0, &Line::from(cx.span(format!(" {below} more lines, Down scrolls "), Role::Warning)));
    }
    true
}

fn help_lines(cx: &Cx<'_>, width: usize) -> Vec<Line<'static>> {
    let mut lines = vec![Line::from(cx.span(HELP_INTRO, Role::Warning))];
    for group in Group::ALL {
        lines.push(Line::default());
        lines.push(Line::from(cx.span(group.title(), Role::Title)));
        for row in TABLE.iter().filter(|row| row.group == group) {
            lines.extend(key_lines(cx, &cx.ui.keymap.keys(row.action).join("  "), row.help, width));
        }
        if group == Group::Jog {
            lines.extend(JOG_MODIFIERS.iter().flat_map(|(keys, help)| key_lines(cx, keys, help, width)));
        }
    }
    lines
}

fn key_lines(cx: &Cx<'_>, keys: &str, help: &str, width: usize) -> Vec<Line<'static>> {
    let head = format!("  {keys:<20} ");
    let blank = " ".repeat(head.width());
    wrap(help, width.saturating_sub(head.width()))
        .into_iter()
        .enumerate()
        .map(|(i, text)| {
            let head = if i == 0 { head.clone() } else { blank.clone() };
            Line::from(vec![cx.span(head, Role::Key), cx.span(text, Role::Text)])
        })
        .collect()
}

/// The list of actions, if it is open. Returns the cursor's place.
pub(super) fn palette(cx: &Cx<'_>, area: Rect, buf: &mut Buffer) -> Option<Position> {
    let Mode::Palette(palette) = &cx.ui.mode else { return None };
    let outside = centred(above_footer(area), area.width.min(74), 14);
    let inside = frame(cx, outside, "Actions", buf);
    let filter = palette.filter.text();
    put(buf, inside, 0, &Line::from(vec![cx.span(": ", Role::Key), cx.span(filter.clone(), Role::Value)]));
    let rows = palette_rows(&filter, cx.ui.tab);
    let room = usize::from(inside.height.saturating_sub(1));
    let first = (palette.selected + 1).saturating_sub(room);
    for (at, row) in rows.iter().enumerate().skip(first).take(room) {
        let selected = at == palette.selected;
        let why = available(row.action, cx.snapshot, cx.now).err();
        let name = if selected { Role::Selected } else { Role::Text };
        let pointer = if selected { cx.theme.symbols.pointer } else { " " };
        let text = why.map_or(row.help.to_owned(), |why| format!("not now: {why}"));
        let line = Line::from(vec![
            cx.span(format!("{pointer} "), Role::Key),
            cx.span(format!("{:<14}", row.name), name),
            cx.span(format!(" {:<7}", cx.key(row.action)), Role::Key),
            Span::raw(" "),
            cx.span(text, Role::Quiet),
        ]);
        put(buf, inside, (at - first) as u16 + 1, &line);
    }
    let before: String = palette.filter.chars().iter().take(palette.filter.cursor()).collect();
    Some(Position { x: inside.x + 2 + before.width() as u16, y: inside.y })
}
