//! Pieces that several pages draw: rows with a label, values with their age, moments.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::super::text::{Cx, Rows, put, wrap};
use crate::model::Time;
use crate::model::power::Unit;
use crate::ui::power::words::{Told, span};
use crate::ui::programs::words::time_of_day;
use crate::ui::theme::Role;

/// Columns of labels.
pub(super) const LABEL: usize = 12;

/// How a value is drawn: what is not fresh is never as bright as what is.
pub(super) const fn value_role(told: &Told) -> Role {
    match (told.is_value(), told.age.is_none()) {
        (true, true) => Role::Value,
        (true, false) => Role::Warning,
        (false, _) => Role::Quiet,
    }
}

/// A moment: the time of day, or how long ago where that is not known.
pub(super) fn moment(cx: &Cx<'_>, at: Time) -> String {
    match cx.ui.settings.started_unix_ms {
        Some(start) => time_of_day(start + (at.as_micros() / 1000).cast_signed(), &cx.ui.settings.zone),
        None => format!("{} ago", span(cx.now.since(at))),
    }
}

/// A label and text behind it, over as many lines as it needs.
pub(super) fn row(cx: &Cx<'_>, rows: &mut Rows, label: &str, text: &str, role: Role, buf: &mut Buffer) {
    for (i, text) in wrap(text, behind_label(rows.rest.width)).into_iter().enumerate() {
        let label = if i == 0 { label } else { "" };
        spans(cx, rows, label, vec![cx.span(text, role)], buf);
    }
}

/// Rows that [`row`] takes for a text.
pub(super) fn height(text: &str, width: u16) -> usize {
    wrap(text, behind_label(width)).len()
}

fn behind_label(width: u16) -> usize {
    usize::from(width).saturating_sub(LABEL + 4)
}

/// A label and spans behind it, in one line.
pub(super) fn spans(cx: &Cx<'_>, rows: &mut Rows, label: &str, spans: Vec<Span<'static>>, buf: &mut Buffer) {
    let mut line = vec![cx.span(format!("  {label:<LABEL$} "), Role::Quiet)];
    line.extend(spans);
    put(buf, rows.top(1), 0, &Line::from(line));
}

/// A line of text that stands for a page without content.
pub(super) fn nothing(cx: &Cx<'_>, area: Rect, text: &str, buf: &mut Buffer) {
    let width = usize::from(area.width).saturating_sub(4);
    for (i, text) in wrap(text, width).into_iter().enumerate() {
        put(buf, area, i as u16, &Line::from(cx.span(format!("  {text}"), Role::Quiet)));
    }
}

/// The name of an inverter; a simulated one always says so.
pub(super) fn name(unit: &Unit) -> String {
    if unit.simulated { format!("{} SIM", unit.known.name) } else { unit.known.name.clone() }
}
