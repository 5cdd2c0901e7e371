//! The tab Settings: what the controller is set to. For now the limits that jogging goes by.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::text::Line;

use super::table;
use super::text::Cx;
use crate::model::{Axis, AxisVec};
use crate::ui::theme::Role;

/// Draws it. Returns the cursor's place, if a text field is open.
pub(super) fn draw(cx: &Cx<'_>, area: Rect, buf: &mut Buffer) -> Option<Position> {
    let machine = &cx.snapshot.machine;
    let limits = &machine.limits;
    let head = format!("   {:<6}{:>17}{:>19}{:>13}", "axis", "highest rate", "acceleration", "travel");
    let value = |values: &AxisVec, axis: Axis, unit: &str| {
        values.get(axis).map_or("not told".to_owned(), |value| format!("{value} {}{unit}", axis.unit()))
    };
    let mut rows: Vec<Line<'static>> = (0..machine.axis_count())
        .filter_map(Axis::from_index)
        .map(|axis| {
            let text = format!(
                "   {:<6}{:>17}{:>19}{:>13}",
                axis.letter(),
                value(&limits.max_rate_mm_min, axis, "/min"),
                value(&limits.acceleration_mm_s2, axis, "/s2"),
                value(&limits.travel_mm, axis, ""),
            );
            Line::from(cx.span(text, Role::Text))
        })
        .collect();
    let switch = |on: Option<bool>| on.map_or("not told", |on| if on { "on" } else { "off" });
    rows.push(Line::default());
    for (what, on) in
        [("homing", limits.homing), ("hard limits", limits.hard_limits), ("soft limits", limits.soft_limits)]
    {
        rows.push(Line::from(cx.span(format!("   {what:<14}{}", switch(on)), Role::Text)));
    }
    table::draw(cx, area, &head, &rows, "", cx.ui.controller.top, buf);
    None
}
