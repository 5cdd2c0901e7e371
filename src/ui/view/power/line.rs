//! Power in one line, and what of it needs attention, for every tab.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Line;

use super::super::text::{Cx, put};
use crate::ui::power;
use crate::ui::theme::Role;

/// Nothing is to be told: no inverter is polled.
pub(in crate::ui::view) fn line_is_empty(cx: &Cx<'_>) -> bool {
    cx.snapshot.power.inverters.iter().all(|unit| !unit.enabled)
}

/// Draws the line, as many of its parts as fit.
pub(in crate::ui::view) fn draw(cx: &Cx<'_>, area: Rect, buf: &mut Buffer) {
    let mut line = Line::from(cx.span(" ", Role::Text));
    let mut parts = power::line(&cx.snapshot.power, cx.now);
    if let Some(part) = power::outlook_part(cx.snapshot, &cx.ui.settings, cx.now) {
        // What will go wrong must not be what has no room.
        let place = if part.1 == Role::Alarm { 0 } else { parts.len() };
        parts.insert(place, part);
    }
    for (text, role) in parts {
        let span = cx.span(text, role);
        if line.width() + span.width() + 2 > usize::from(area.width) {
            break;
        }
        line.push_span(span);
        line.push_span(cx.span("  ", Role::Text));
    }
    put(buf, area, 0, &line);
}

/// What needs attention, a label and a text each.
pub(in crate::ui::view) fn alerts(cx: &Cx<'_>) -> Vec<power::Alert> {
    power::alerts(&cx.snapshot.power, cx.now)
}
