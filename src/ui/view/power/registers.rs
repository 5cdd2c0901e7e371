//! All registers of an inverter as they were last read.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::text::Line;

use super::super::table;
use super::super::text::{Cx, Rows, fit, printable, put, wrap};
use super::facts::nothing;
use super::form::field;
use crate::model::power::{Quality, RegisterRow, Unit};
use crate::ui::power::{Field, addresses, raw, words};
use crate::ui::theme::Role;

/// Draws it. Returns the cursor's place, if a text field is open.
pub(super) fn draw(cx: &Cx<'_>, unit: &Unit, area: Rect, buf: &mut Buffer) -> Option<Position> {
    let power = &cx.ui.power;
    let known = power.registers.as_ref().filter(|(of, _)| *of == unit.known.name);
    match known.map(|(_, rows)| rows) {
        None => {
            nothing(cx, area, "the registers are being asked for", buf);
            return None;
        }
        Some(Err(why)) => {
            nothing(cx, area, &printable(why), buf);
            return None;
        }
        Some(Ok(_)) => {}
    }
    let shown = power.registers_left(&unit.known.name);
    let selected = power.selected.min(shown.len().saturating_sub(1));
    let mut rows = Rows { rest: area };
    let bottom = rows.bottom(if area.height > 9 { 3 } else { 2 });
    let room = usize::from(rows.rest.height.saturating_sub(1));
    let top = selected.saturating_sub(room / 2).min(shown.len().saturating_sub(room));
    // Of hundreds of rows only those in sight are put into words.
    let lines: Vec<_> =
        shown
            .iter()
            .enumerate()
            .map(|(i, row)| {
                if (top..top + room).contains(&i) { line(cx, row, i == selected, area.width) } else { Line::default() }
            })
            .collect();
    let words = power.filter.text();
    let wide = value_columns(area.width);
    let head = if words.is_empty() {
        format!("  {:<12} {:<wide$} {:<9} register", " address hex", "value", "raw")
    } else {
        format!("  {} registers with \"{words}\"", shown.len())
    };
    table::draw(cx, rows.rest, &head, &lines, "  no register has these words; Esc shows all", top, buf);
    if power.field == Field::Filter {
        return field(cx, "with these words or this address", &power.filter, bottom, buf);
    }
    if let Some(row) = shown.get(selected) {
        about(cx, row, bottom, buf);
    }
    None
}

/// What it says, or the word for why it says nothing, and its age where that is not as it should be.
fn value(cx: &Cx<'_>, row: &RegisterRow) -> (String, Role) {
    let quality = row.quality(cx.now);
    match (&row.shown, quality) {
        (Some(shown), Quality::Fresh) => (shown.clone(), Role::Value),
        (Some(shown), Quality::Stale) => {
            let age = row.reading.age(cx.now).map_or(String::new(), words::age);
            (format!("{shown}, {age}"), Role::Warning)
        }
        _ => (quality.word().to_owned(), Role::Quiet),
    }
}

/// Columns of the values.
const fn value_columns(width: u16) -> usize {
    if width >= 76 { 22 } else { 16 }
}

fn line(cx: &Cx<'_>, row: &RegisterRow, selected: bool, width: u16) -> Line<'static> {
    let symbols = cx.theme.symbols;
    let pointer = if selected { symbols.pointer } else { " " };
    let (decimal, hex) = addresses(row);
    let first = |text: &str| text.split(',').next().unwrap_or_default().to_owned();
    let more = if row.addresses.len() > 1 { "+" } else { "" };
    let (value, role) = value(cx, row);
    let wide = value_columns(width);
    let place = format!("{:<6}{:<5}", first(&decimal) + more, first(&hex));
    let name = if row.access.writes() { format!("{} (rw)", row.id) } else { row.id.clone() };
    Line::from(vec![
        cx.span(format!(" {pointer} "), Role::Key),
        cx.span(place, if selected { Role::Selected } else { Role::Quiet }),
        cx.span(format!(" {:<wide$}", fit(&printable(&value), wide, symbols.more)), role),
        cx.span(format!(" {:<9} ", fit(&raw(row), 9, symbols.more)), Role::Quiet),
        cx.span(printable(&name), if selected { Role::Selected } else { Role::Text }),
    ])
}

fn about(cx: &Cx<'_>, row: &RegisterRow, area: Rect, buf: &mut Buffer) {
    let (decimal, hex) = addresses(row);
    let quality = row.quality(cx.now);
    let period = row.reading.period.map_or("once".to_owned(), |period| format!("every {}", words::span(period)));
    let danger = words::danger(row.danger).map_or(String::new(), |word| format!(", {word}"));
    let text = format!(
        "{}: {} {decimal} (hex {hex}), raw {}, {}, read {period}{danger}. {}",
        row.id,
        row.table.word(),
        if row.raw.is_empty() { "none".to_owned() } else { raw(row) },
        quality.word(),
        row.note
    );
    for (i, text) in wrap(&printable(&text), usize::from(area.width).saturating_sub(4)).into_iter().enumerate() {
        put(buf, area, i as u16, &Line::from(cx.span(format!("  {text}"), Role::Quiet)));
    }
}
