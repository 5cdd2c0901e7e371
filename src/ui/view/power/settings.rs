//! What can be set, with what it says, what is saved and what is going to be changed.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::text::Line;

use super::super::table;
use super::super::text::{Cx, Rows, fit, printable, put, wrap};
use super::facts::nothing;
use super::form::{draw as draw_form, field};
use crate::model::power::{SettingRow, Takes, Unit};
use crate::ui::action::Action;
use crate::ui::power::{Field, PowerKey, allowed, words};
use crate::ui::programs::words::date;
use crate::ui::theme::Role;

/// Rows that tell about the selected setting.
const DETAILS: u16 = 5;

/// Draws it. Returns the cursor's place, if a text field is open.
pub(super) fn draw(cx: &Cx<'_>, unit: &Unit, area: Rect, buf: &mut Buffer) -> Option<Position> {
    let power = &cx.ui.power;
    match power.settings_of(&unit.known.name) {
        None => {
            nothing(cx, area, "the settings are being read", buf);
            return None;
        }
        Some(Err(why)) => {
            nothing(cx, area, &printable(why), buf);
            return None;
        }
        Some(Ok(_)) => {}
    }
    let shown = power.settings_left(&unit.known.name);
    let selected = power.selected.min(shown.len().saturating_sub(1));
    let mut rows = Rows { rest: area };
    let bottom = rows.bottom(if area.height > 9 { DETAILS } else { 3 });
    let width = usize::from(area.width);
    let lines: Vec<_> = shown.iter().enumerate().map(|(i, row)| line(cx, unit, row, i == selected, width)).collect();
    let words = power.filter.text();
    let search = if words.is_empty() { String::new() } else { format!(" with \"{words}\"") };
    let head = format!("  {} settings{search}", shown.len());
    let room = usize::from(rows.rest.height.saturating_sub(1));
    let empty = "  no setting has these words; Esc shows all";
    table::draw(cx, rows.rest, &head, &lines, empty, selected.saturating_sub(room / 2), buf);
    match &power.field {
        Field::Filter => field(cx, "with these words", &power.filter, bottom, buf),
        Field::Value(form) => draw_form(cx, form, bottom, buf),
        _ => {
            if let Some(row) = shown.get(selected) {
                about(cx, unit, row, bottom, buf);
            }
            None
        }
    }
}

fn line(cx: &Cx<'_>, unit: &Unit, row: &SettingRow, selected: bool, width: usize) -> Line<'static> {
    let symbols = cx.theme.symbols;
    let pointer = if selected { symbols.pointer } else { " " };
    let title = width / 2 - 8;
    let value = row.value.clone().unwrap_or_else(|| row.quality.word().to_owned());
    let proposed = cx.ui.power.changes.proposed(&unit.known.name, &row.id);
    let text = match proposed {
        Some(text) => format!("{value} -> {text} {}", row.unit).trim_end().to_owned(),
        None => value,
    };
    let mut marks = Vec::new();
    if unit.drift.contains_key(&row.id) {
        marks.push("not as saved");
    }
    marks.extend(words::danger(row.danger));
    if matches!(row.takes, Takes::Nothing(_)) {
        marks.push("fixed");
    }
    let role = match (selected, proposed.is_some() || unit.drift.contains_key(&row.id), row.value.is_some()) {
        (true, ..) => Role::Selected,
        (_, true, _) => Role::Warning,
        (_, _, true) => Role::Text,
        _ => Role::Quiet,
    };
    let room = width.saturating_sub(title + 6);
    let name = format!("{:<title$} ", fit(&printable(&row.title), title, symbols.more));
    let marks = marks.join(", ");
    let text = fit(&printable(&text), room.saturating_sub(marks.len() + 2), symbols.more);
    Line::from(vec![
        cx.span(format!(" {pointer} "), Role::Key),
        cx.span(name, if selected { Role::Selected } else { Role::Text }),
        cx.span(text, role),
        cx.span(format!("  {marks}"), Role::Quiet),
    ])
}

/// What the selected one takes and who set it last.
fn about(cx: &Cx<'_>, unit: &Unit, row: &SettingRow, area: Rect, buf: &mut Buffer) {
    let mut texts = vec![(format!("{} takes {}", row.id, allowed(row)), Role::Text)];
    if let Some(drift) = unit.drift.get(&row.id) {
        let (re, forget) = (cx.key(Action::Power(PowerKey::Reapply)), cx.key(Action::Power(PowerKey::Forget)));
        let text = format!(
            "saved {}, the inverter says {}: {re} re-applies it, {forget} forgets it",
            drift.saved, drift.actual
        );
        texts.push((text, Role::Warning));
    }
    if !row.note.is_empty() {
        texts.push((row.note.clone(), Role::Text));
    }
    if let Some(saved) = &row.saved {
        let when = date(saved.at_ms, &cx.ui.settings.zone);
        texts.push((format!("set to {} by {} on {when}", saved.text, saved.who), Role::Quiet));
    }
    if row.writes_today > 0 {
        texts.push((format!("written {} times in 24 hours", row.writes_today), Role::Quiet));
    }
    let register = row.addresses.first().map(|address| format!("register {address}"));
    let others = (!row.aliases.is_empty()).then(|| format!("also called {}", row.aliases.join(", ")));
    let names: Vec<String> = register.into_iter().chain(others).collect();
    if !names.is_empty() {
        texts.push((names.join(", "), Role::Quiet));
    }
    let width = usize::from(area.width).saturating_sub(4);
    let lines =
        texts.iter().flat_map(|(text, role)| wrap(&printable(text), width).into_iter().map(|text| (text, *role)));
    for (i, (text, role)) in lines.enumerate() {
        put(buf, area, i as u16, &Line::from(cx.span(format!("  {text}"), role)));
    }
}
