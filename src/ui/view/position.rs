//! Where the machine is: work and machine position per axis, homed, limit pins.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::glyphs;
use super::text::{Cx, put};
use crate::model::snapshot::Age;
use crate::model::{Axis, AxisVec, Units};
use crate::ui::theme::Role;
use crate::ui::words::pins_text;

/// Columns of the panel without the machine position.
pub(super) const NARROW: u16 = 33;
/// Columns of the panel.
pub(super) const WIDTH: u16 = 46;

/// Rows: a heading and one per axis.
pub(super) fn rows(cx: &Cx<'_>) -> u16 {
    cx.snapshot.machine.axis_count() as u16 + 1
}

/// All of it in one line, for the tabs that show something else.
pub(super) fn line(cx: &Cx<'_>, area: Rect, buf: &mut Buffer) {
    let machine = &cx.snapshot.machine;
    let wcs = machine.modal.as_ref().and_then(|modal| modal.wcs()).unwrap_or("work");
    let mut spans = vec![cx.span(format!("   {wcs:<7}"), Role::Quiet)];
    for axis in (0..machine.axis_count()).filter_map(Axis::from_index) {
        spans.push(cx.span(format!("{} ", axis.letter()), Role::Quiet));
        spans.push(cx.span(format!("{}   ", number(cx, machine.work_position, axis)), Role::Value));
    }
    // Only where it is not the usual unit: a line has no room for what everybody expects.
    if cx.ui.units == Units::Inch {
        spans.push(cx.span("in  ", Role::Quiet));
    }
    if !machine.pins.is_empty() {
        spans.push(cx.span(format!("pins {}", pins_text(machine.pins)), Role::Warning));
    }
    put(buf, area, 0, &Line::from(spans));
}

pub(super) fn draw(cx: &Cx<'_>, area: Rect, buf: &mut Buffer) {
    let machine = &cx.snapshot.machine;
    // Where there is little room, the position that is worked with stays.
    let narrow = area.width < WIDTH;
    let wcs = machine.modal.as_ref().and_then(|modal| modal.wcs()).unwrap_or("work");
    let heading = if narrow { format!("  axis {wcs:>11}") } else { format!("  axis {wcs:>12} {:>11}", "machine") };
    put(buf, area, 0, &Line::from(cx.span(heading, Role::Quiet)));
    let age = machine.age(cx.now);
    for (row, axis) in (0..machine.axis_count()).filter_map(Axis::from_index).enumerate() {
        let value = |position: Option<AxisVec>| number(cx, position, axis);
        let role = value_role(age);
        let mut spans = vec![cx.span(format!("   {} ", axis.letter()), Role::Title)];
        if narrow {
            spans.push(cx.span(format!("{:>13}", value(machine.work_position)), role));
        } else {
            spans.push(cx.span(format!("{:>14}", value(machine.work_position)), role));
            spans.push(cx.span(format!("{:>12}", value(machine.machine_position)), plain(role)));
        }
        spans.push(cx.span(format!(" {:<3} ", cx.ui.units.of(axis)), Role::Quiet));
        spans.push(homed_word(cx, axis));
        put(buf, area, row as u16 + 1, &Line::from(spans));
    }
}

/// Columns of the panel with big digits.
pub(super) const BIG_WIDTH: u16 = 66;

/// Rows with big digits: a heading, and a glyph for each axis.
pub(super) fn big_rows(cx: &Cx<'_>) -> u16 {
    (cx.snapshot.machine.axis_count() * glyphs::ROWS) as u16 + 1
}

/// The work position in big digits, and beside it what is not read from afar.
pub(super) fn draw_big(cx: &Cx<'_>, area: Rect, buf: &mut Buffer) {
    let machine = &cx.snapshot.machine;
    let wcs = machine.modal.as_ref().and_then(|modal| modal.wcs()).unwrap_or("work");
    put(buf, area, 0, &Line::from(cx.span(format!("  {wcs:<44}machine"), Role::Quiet)));
    let age = machine.age(cx.now);
    let ascii = cx.theme.symbols.line.is_ascii();
    for (at, axis) in (0..machine.axis_count()).filter_map(Axis::from_index).enumerate() {
        let digits = glyphs::big(&number(cx, machine.work_position, axis), ascii);
        for (row, digits) in digits.into_iter().enumerate() {
            let mut spans = vec![
                cx.span(format!("  {} ", if row == 1 { axis.letter() } else { ' ' }), Role::Title),
                cx.span(format!("{digits:>38}"), value_role(age)),
                cx.span("    ", Role::Text),
            ];
            match row {
                0 => {
                    let text = format!("{:>11} {}", number(cx, machine.machine_position, axis), cx.ui.units.of(axis));
                    spans.push(cx.span(text, plain(value_role(age))));
                }
                1 => spans.extend([cx.span(" ".repeat(8), Role::Text), homed_word(cx, axis)]),
                _ => {}
            }
            put(buf, area, (1 + at * glyphs::ROWS + row) as u16, &Line::from(spans));
        }
    }
}

fn homed_word(cx: &Cx<'_>, axis: Axis) -> Span<'static> {
    let machine = &cx.snapshot.machine;
    if machine.pins.contains(axis.letter()) {
        cx.span(" LIMIT ", Role::Alarm)
    } else if machine.homed.contains(axis) {
        cx.span("homed", Role::Good)
    } else {
        cx.span("not homed", Role::Quiet)
    }
}

const fn value_role(age: Age) -> Role {
    match age {
        Age::Fresh | Age::Late(_) => Role::Value,
        _ => Role::Quiet,
    }
}

/// A position that is lost is no position: dashes, not an old number.
fn number(cx: &Cx<'_>, position: Option<AxisVec>, axis: Axis) -> String {
    let age = cx.snapshot.machine.age(cx.now);
    match position.and_then(|position| position.get(axis)) {
        Some(_) if matches!(age, Age::Lost(_) | Age::Unknown) => "-----.---".to_owned(),
        Some(value) => cx.ui.units.position(axis, value),
        None => "-----.---".to_owned(),
    }
}

const fn plain(role: Role) -> Role {
    match role {
        Role::Value => Role::Text,
        other => other,
    }
}
