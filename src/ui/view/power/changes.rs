//! What is collected, before and after, and what became of the last that was written.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Line;

use super::super::table;
use super::super::text::{Cx, Rows, fit, printable, put, wrap};
use super::facts::moment;
use crate::model::power::{ChangeRow, Danger, Unit, Wanted, WriteReport};
use crate::ui::action::Action;
use crate::ui::power::{PowerKey, words};
use crate::ui::theme::Role;

/// Draws it.
pub(super) fn draw(cx: &Cx<'_>, unit: &Unit, area: Rect, buf: &mut Buffer) {
    let changes = &cx.ui.power.changes;
    let mut rows = Rows { rest: area };
    let report = unit.last_write.as_deref();
    if let Some(report) = report {
        let lines = report_lines(cx, report, usize::from(area.width));
        // The set keeps at least half.
        let most = if changes.is_empty() { area.height } else { area.height / 2 };
        let at = rows.bottom((lines.len() as u16).min(most));
        for (i, line) in lines.iter().enumerate() {
            put(buf, at, i as u16, line);
        }
    }
    let selected = cx.ui.power.selected.min(changes.wanted.len().saturating_sub(1));
    let mut lines = Vec::new();
    let mut top = 0;
    for (i, wanted) in changes.wanted.iter().enumerate() {
        if i == selected {
            top = lines.len();
        }
        let known = changes.checked.as_ref().and_then(|rows| rows.as_ref().ok());
        let row = known.and_then(|rows| rows.iter().find(|row| row.id == wanted.id));
        lines.extend(change(cx, wanted, row, i == selected, usize::from(area.width)));
    }
    let wrong = changes.checked.as_ref().and_then(|rows| rows.as_ref().err());
    for why in wrong.into_iter().flatten() {
        for text in wrap(&printable(why), usize::from(area.width).saturating_sub(6)) {
            lines.push(Line::from(cx.span(format!("   {text}"), Role::Bad)));
        }
    }
    let empty = "   nothing is collected: Enter on a setting collects a change here";
    table::draw(cx, rows.rest, &head(cx, unit), &lines, empty, top.saturating_sub(2), buf);
}

fn head(cx: &Cx<'_>, unit: &Unit) -> String {
    let changes = &cx.ui.power.changes;
    let of = if changes.is_empty() { &unit.known.name } else { &changes.inverter };
    let key = cx.key(Action::Power(PowerKey::Arm));
    let state = match (&changes.checked, changes.danger()) {
        _ if unit.writing => "being written".to_owned(),
        _ if changes.is_empty() => String::new(),
        (None, _) => "being checked".to_owned(),
        (Some(Err(_)), _) => "cannot be written".to_owned(),
        (Some(Ok(_)), Danger::Dangerous) if !cx.snapshot.power.is_armed(cx.now) => {
            format!("dangerous: {key} allows that for 60 s, then Enter writes")
        }
        (Some(Ok(_)), _) => "Enter writes them".to_owned(),
    };
    format!("  change set of {of}   {state}").trim_end().to_owned()
}

fn change(cx: &Cx<'_>, wanted: &Wanted, row: Option<&ChangeRow>, selected: bool, width: usize) -> Vec<Line<'static>> {
    let pointer = if selected { cx.theme.symbols.pointer } else { " " };
    let text = match row {
        Some(row) if row.unchanged => format!("{}: says {} already", row.id, row.before),
        Some(row) => format!("{}: {} -> {}", row.id, row.before, row.after),
        None => format!("{}: {}", wanted.id, wanted.text),
    };
    let danger = row.and_then(|row| words::danger(row.danger)).unwrap_or_default();
    let text = fit(&printable(&text), width.saturating_sub(danger.len() + 7), cx.theme.symbols.more);
    let mut lines = vec![Line::from(vec![
        cx.span(format!(" {pointer} "), Role::Key),
        cx.span(text, if selected { Role::Selected } else { Role::Text }),
        cx.span(format!("  {danger}"), Role::Warning),
    ])];
    let warnings = row.map_or(&[][..], |row| &row.warnings);
    for text in warnings.iter().flat_map(|warning| wrap(&printable(warning), width.saturating_sub(8))) {
        lines.push(Line::from(cx.span(format!("      {text}"), Role::Warning)));
    }
    lines
}

fn report_lines(cx: &Cx<'_>, report: &WriteReport, width: usize) -> Vec<Line<'static>> {
    let good = report.rows.iter().filter(|row| row.good).count();
    let head =
        format!("  last write by {} at {}: {good} of {} good", report.who, moment(cx, report.at), report.rows.len());
    let mut lines = vec![Line::from(cx.span(head, if report.is_good() { Role::Good } else { Role::Bad }))];
    for row in &report.rows {
        let (mark, role) = match (row.good, row.sent) {
            (true, _) => ("good", Role::Good),
            (false, true) => ("FAILED", Role::Bad),
            (false, false) => ("not sent", Role::Warning),
        };
        let before = row.before.as_deref().unwrap_or("not read");
        let text = format!("{}: {before} -> {}; {}", row.id, row.after, row.words);
        for (i, text) in wrap(&printable(&text), width.saturating_sub(16)).into_iter().enumerate() {
            let mark = if i == 0 { mark } else { "" };
            lines.push(Line::from(vec![cx.span(format!("   {mark:<9} "), role), cx.span(text, Role::Text)]));
        }
    }
    lines
}
