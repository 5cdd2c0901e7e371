//! Where the machine is: work and machine position per axis, homed, limit pins.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Line;

use super::text::{Cx, put};
use crate::model::snapshot::Age;
use crate::model::{Axis, AxisVec};
use crate::ui::theme::Role;
use crate::ui::words::pins_text;

/// Columns of the panel.
pub(super) const WIDTH: u16 = 46;

/// Rows: a heading and one per axis.
pub(super) fn rows(cx: &Cx<'_>) -> u16 {
    cx.snapshot.machine.axis_count() as u16 + 1
}

/// All of it in one line, for the tabs that show something else.
pub(super) fn line(cx: &Cx<'_>, area: Rect, buf: &mut Buffer) {
    let machine = &cx.snapshot.machine;
    let age = machine.age(cx.now);
    let wcs = machine.modal.as_ref().and_then(|modal| modal.wcs()).unwrap_or("work");
    let mut spans = vec![cx.span(format!("   {wcs:<7}"), Role::Quiet)];
    for axis in (0..machine.axis_count()).filter_map(Axis::from_index) {
        spans.push(cx.span(format!("{} ", axis.letter()), Role::Quiet));
        spans.push(cx.span(format!("{}   ", number(machine.work_position, axis, age)), Role::Value));
    }
    if !machine.pins.is_empty() {
        spans.push(cx.span(format!("pins {}", pins_text(machine.pins)), Role::Warning));
    }
    put(buf, area, 0, &Line::from(spans));
}

pub(super) fn draw(cx: &Cx<'_>, area: Rect, buf: &mut Buffer) {
    let machine = &cx.snapshot.machine;
    let wcs = machine.modal.as_ref().and_then(|modal| modal.wcs()).unwrap_or("work");
    let heading = format!("  axis {wcs:>12} {:>11}", "machine");
    put(buf, area, 0, &Line::from(cx.span(heading, Role::Quiet)));
    let age = machine.age(cx.now);
    for (row, axis) in (0..machine.axis_count()).filter_map(Axis::from_index).enumerate() {
        let value = |position: Option<AxisVec>| number(position, axis, age);
        let value_role = if matches!(age, Age::Fresh | Age::Late(_)) { Role::Value } else { Role::Quiet };
        let homed = machine.homed.contains(axis);
        let mut spans = vec![
            cx.span(format!("   {} ", axis.letter()), Role::Title),
            cx.span(format!("{:>14}", value(machine.work_position)), value_role),
            cx.span(format!("{:>12}", value(machine.machine_position)), plain(value_role)),
            cx.span(format!(" {:<3} ", axis.unit()), Role::Quiet),
        ];
        if machine.pins.contains(axis.letter()) {
            spans.push(cx.span(" LIMIT ", Role::Alarm));
        } else if homed {
            spans.push(cx.span("homed", Role::Good));
        } else {
            spans.push(cx.span("not homed", Role::Quiet));
        }
        put(buf, area, row as u16 + 1, &Line::from(spans));
    }
}

/// A position that is lost is no position: dashes, not an old number.
fn number(position: Option<AxisVec>, axis: Axis, age: Age) -> String {
    match position.and_then(|position| position.get(axis)) {
        Some(_) if matches!(age, Age::Lost(_) | Age::Unknown) => "-----.---".to_owned(),
        // -0.000 would make the sign flicker.
        Some(value) if value.abs() < 0.000_5 => "0.000".to_owned(),
        Some(value) => format!("{value:.3}"),
        None => "-----.---".to_owned(),
    }
}

const fn plain(role: Role) -> Role {
    match role {
        Role::Value => Role::Text,
        other => other,
    }
}
