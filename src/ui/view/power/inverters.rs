//! The inverters as rows, with their sum.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Line;

use super::super::table;
use super::super::text::{Cx, Rows, fit, printable};
use super::facts::{name, row};
use crate::model::power::{Direction, Flow, GridState, Unit, UnitState};
use crate::ui::power::words::{direction, percent, told, unit_state, watts};
use crate::ui::theme::Role;

/// A column: its heading, its width, and from which width of the screen on it is there.
type Column = (&'static str, usize, u16);

const COLUMNS: [Column; 8] = [
    ("inverter", 10, 0),
    ("state", 14, 0),
    ("sun", 8, 0),
    ("load", 8, 0),
    ("level", 5, 0),
    ("battery", 19, 80),
    ("grid power", 19, 104),
    ("grid", 7, 0),
];

/// Draws it.
pub(super) fn draw(cx: &Cx<'_>, area: Rect, buf: &mut Buffer) {
    let power = &cx.snapshot.power;
    let selected = cx.ui.power.selected.min(power.inverters.len().saturating_sub(1));
    let width = area.width;
    let mut rows = Rows { rest: area };
    let bottom = rows.bottom(if area.height > 8 { 4 } else { 2 });
    let mut lines: Vec<Line<'static>> =
        power.inverters.iter().enumerate().map(|(i, unit)| line(cx, unit, i == selected, width)).collect();
    if power.inverters.len() > 1 {
        let text = columns(&cells(cx, &power.total(), None), width);
        lines.push(Line::from(vec![cx.span("   ", Role::Text), cx.span(text, Role::Title)]));
    }
    let head = format!("   {}", columns(&COLUMNS.map(|(head, ..)| head.to_owned()), width));
    table::draw(cx, rows.rest, &head, &lines, "", selected.saturating_sub(3), buf);
    if let Some(unit) = power.inverters.get(selected) {
        about(cx, unit, bottom, buf);
    }
}

fn columns(cells: &[String; 8], width: u16) -> String {
    let shown = COLUMNS.iter().zip(cells).filter(|((_, _, from), _)| width >= *from);
    let parts: Vec<String> =
        shown.map(|((_, columns, _), cell)| format!("{:<columns$}", fit(cell, *columns, "~"))).collect();
    parts.join(" ").trim_end().to_owned()
}

/// What stands in the columns; `None`: the sum of those that are on.
fn cells(cx: &Cx<'_>, flow: &Flow, unit: Option<&Unit>) -> [String; 8] {
    let now = cx.now;
    let short = |reading| told(reading, now, watts).text;
    let with_word = |reading, of| {
        let word = direction(reading, of, now).unwrap_or_default();
        format!("{:<7} {word}", short(reading))
    };
    let of_unit = |with: fn(&Unit) -> String| unit.map_or(String::new(), with);
    [
        unit.map_or_else(|| "together".to_owned(), name),
        of_unit(unit_state),
        short(&flow.pv_w),
        short(&flow.load_w),
        unit.map_or(String::new(), |unit| told(&unit.known.battery.soc_percent, now, percent).text),
        with_word(&flow.battery_w, Direction::of_battery),
        with_word(&flow.grid_w, Direction::of_grid),
        of_unit(|unit| unit.known.grid.state.word().to_owned()),
    ]
}

fn line(cx: &Cx<'_>, unit: &Unit, selected: bool, width: u16) -> Line<'static> {
    let pointer = if selected { cx.theme.symbols.pointer } else { " " };
    let text = printable(&columns(&cells(cx, &unit.known.flow, Some(unit)), width));
    let bad = matches!(unit.state, UnitState::Silent { .. }) || unit.known.grid.state == GridState::Lost;
    let role = match (selected, bad) {
        (true, _) => Role::Selected,
        (false, true) => Role::Warning,
        (false, false) => Role::Text,
    };
    Line::from(vec![cx.span(format!(" {pointer} "), Role::Key), cx.span(text, role)])
}

/// What there is to know of the selected one.
fn about(cx: &Cx<'_>, unit: &Unit, area: Rect, buf: &mut Buffer) {
    let mut rows = Rows { rest: area };
    let address = format!("bus {}, address {}, profile {}", unit.bus, unit.address, unit.known.profile);
    row(cx, &mut rows, &unit.known.name, &printable(&address), Role::Text, buf);
    if let UnitState::Silent { why, .. } = &unit.state {
        row(cx, &mut rows, "silent", &printable(why), Role::Warning, buf);
    }
    if let Some(why) = unit.to_confirm.as_ref().or(unit.read_only.as_ref()) {
        row(cx, &mut rows, "read-only", &printable(why), Role::Warning, buf);
    }
}
