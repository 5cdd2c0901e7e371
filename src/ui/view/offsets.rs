//! The tab Offsets: work coordinate systems, stored positions, G92 and the tool length.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::text::Line;

use super::table;
use super::text::Cx;
use crate::model::Axis;
use crate::ui::theme::Role;

/// Draws it. Returns the cursor's place, if a text field is open.
pub(super) fn draw(cx: &Cx<'_>, area: Rect, buf: &mut Buffer) -> Option<Position> {
    let machine = &cx.snapshot.machine;
    let axes: Vec<Axis> = (0..machine.axis_count()).filter_map(Axis::from_index).collect();
    let columns = |text: &dyn Fn(Axis) -> String| {
        axes.iter().fold(String::new(), |line, axis| line + &format!("{:>11}", text(*axis)))
    };
    let head = format!("   {:<7}{}", "offset", columns(&|axis| format!("{axis} {}", axis.unit())));
    let active = machine.modal.as_ref().and_then(|modal| modal.wcs());
    let rows: Vec<Line<'static>> = machine
        .offsets
        .iter()
        .map(|(name, values)| {
            let is_active = active == Some(name.as_str());
            let mark = if is_active { cx.theme.symbols.pointer } else { " " };
            let values = columns(&|axis| values.get(axis).map_or(String::new(), |value| format!("{value:.3}")));
            let text = format!(" {mark} {name:<7}{values}{}", if is_active { "  active" } else { "" });
            Line::from(cx.span(text, if is_active { Role::Value } else { Role::Text }))
        })
        .collect();
    let empty = "   not known yet: the controller tells its offsets ($#) when it stands still";
    table::draw(cx, area, &head, &rows, empty, cx.ui.offsets.top, buf);
    None
}
