//! The tab Offsets: work coordinate systems, stored positions, G92 and the tool length; what changed; the form.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::text::Line;
use unicode_width::UnicodeWidthStr;

use super::table;
use super::text::{Cx, Rows, fit, put, rule, wrap};
use crate::model::command::Origin;
use crate::model::quantity::number;
use crate::model::work::{OffsetChange, Slot};
use crate::model::{Axis, AxisVec, Time, Units};
use crate::ui::offsets::{Form, Purpose, rows};
use crate::ui::state::Mode;
use crate::ui::theme::Role;

/// Rows of the history, with its rule.
const HISTORY: u16 = 4;

/// Draws it. Returns the cursor's place, if a text field is open.
pub(super) fn draw(cx: &Cx<'_>, area: Rect, buf: &mut Buffer) -> Option<Position> {
    let mut parts = Rows { rest: area };
    let form = cx.ui.offsets.form.as_ref().filter(|_| cx.ui.mode == Mode::Field);
    let below = parts.bottom(form.map_or(HISTORY, |form| form_rows(cx, form, area.width)));
    let spare = parts.rest.height.saturating_sub(rows(&cx.snapshot.machine).len() as u16 + 1);
    let below = match form {
        None => Rect { y: below.y - spare, height: below.height + spare, ..below },
        Some(_) => below,
    };
    let head = Rect { height: below.y - area.y, ..area };
    offsets(cx, head, buf);
    match form {
        Some(form) => draw_form(cx, form, below, buf),
        None => {
            history(cx, below, buf);
            None
        }
    }
}

fn offsets(cx: &Cx<'_>, area: Rect, buf: &mut Buffer) {
    let machine = &cx.snapshot.machine;
    let axes: Vec<Axis> = (0..machine.axis_count()).filter_map(Axis::from_index).collect();
    let columns = |text: &dyn Fn(Axis) -> String| {
        axes.iter().fold(String::new(), |line, axis| line + &format!("{:>11}", text(*axis)))
    };
    let head = format!("   {:<7}{}", "offset", columns(&|axis| format!("{axis} {}", cx.ui.units.of(axis))));
    let active = machine.modal.as_ref().and_then(|modal| modal.wcs());
    let slots = rows(machine);
    let selected = cx.ui.offsets.selected.min(slots.len().saturating_sub(1));
    let lines: Vec<Line<'static>> = slots
        .iter()
        .enumerate()
        .map(|(at, slot)| {
            let is_active = active == Some(slot.name());
            let mark = if at == selected { cx.theme.symbols.pointer } else { " " };
            let values = machine.offsets.get(slot.name());
            let text = columns(&|axis| values.map_or("-".to_owned(), |values| value(*slot, values, axis, cx.ui.units)));
            let text = format!(" {mark} {:<7}{text}{}", slot.name(), if is_active { "  active" } else { "" });
            let role = match (at == selected, is_active) {
                (true, _) => Role::Selected,
                (_, true) => Role::Value,
                _ => Role::Text,
            };
            Line::from(cx.span(text, role))
        })
        .collect();
    let room = usize::from(area.height.saturating_sub(1));
    let top = (selected + 1).saturating_sub(room);
    table::draw(cx, area, &head, &lines, "", top, buf);
}

/// Grbl tells one number as tool length, which is along Z.
fn value(slot: Slot, values: &AxisVec, axis: Axis, units: Units) -> String {
    let value = match (slot, values.len()) {
        (Slot::Tlo, 1) => values.as_slice().first().copied().filter(|_| axis == Axis::Z),
        _ => values.get(axis),
    };
    value.map_or(String::new(), |value| units.position(axis, value))
}

fn history(cx: &Cx<'_>, area: Rect, buf: &mut Buffer) {
    let title = Line::from(cx.span("Changes, newest first", Role::Title));
    rule(buf, Rect { height: 1, ..area }, cx, title);
    let lines = Rect { y: area.y + 1, height: area.height.saturating_sub(1), ..area };
    if cx.snapshot.offset_history.is_empty() {
        put(buf, lines, 0, &Line::from(cx.span("   none since the link opened", Role::Quiet)));
    }
    let more = cx.theme.symbols.more;
    for (row, change) in cx.snapshot.offset_history.iter().rev().take(usize::from(lines.height)).enumerate() {
        let undone = cx.snapshot.offset_history.iter().any(|other| other.undoes == Some(change.id));
        let text = fit(&change_text(change, undone, cx.ui.units), usize::from(lines.width), more);
        put(buf, lines, row as u16, &Line::from(cx.span(text, if undone { Role::Quiet } else { Role::Text })));
    }
}

fn change_text(change: &OffsetChange, undone: bool, units: Units) -> String {
    let single = change.after.len() == 1 && change.slot == Slot::Tlo;
    let values = change.axes().iter().fold(String::new(), |text, axis| {
        let place = if single { Axis::Z } else { axis };
        let of = |vec: &AxisVec| vec.get(axis).map_or("?".to_owned(), |value| number(units.on(place, value)));
        text + &format!(" {place} {} -> {}", of(&change.before), of(&change.after))
    });
    let who = match &change.who {
        Origin::Hub => "-".to_owned(),
        who => who.to_string(),
    };
    let undone = if undone { ", undone" } else { "" };
    format!("   {} {}{values}  {who}: {}{undone}", clock(change.at), change.slot.name(), change.what)
}

/// Time since the hub started.
fn clock(at: Time) -> String {
    let s = at.as_micros() / 1_000_000;
    format!("+{}:{:02}:{:02}", s / 3600, s / 60 % 60, s % 60)
}

fn form_rows(cx: &Cx<'_>, form: &Form, width: u16) -> u16 {
    form.fields.len() as u16 + 2 + note(cx, form, width).len() as u16
}

/// What is wrong, or how it works.
fn note(cx: &Cx<'_>, form: &Form, width: u16) -> Vec<String> {
    let text = match (&form.error, form.purpose) {
        (Some(error), _) => error.clone(),
        (None, Purpose::GoTo(_)) => {
            "Empty: does not move. PgDn: work, relative, machine. Without a feed at rapid. The line is shown first."
                .to_owned()
        }
        (None, _) => format!("Empty: stays. Changes above {} mm are asked about.", cx.ui.settings.confirm_offset_mm),
    };
    wrap(&text, usize::from(width.saturating_sub(4)))
}

fn draw_form(cx: &Cx<'_>, form: &Form, area: Rect, buf: &mut Buffer) -> Option<Position> {
    rule(buf, Rect { height: 1, ..area }, cx, Line::from(cx.span(form.title(), Role::Title)));
    let mut cursor = None;
    for (at, field) in form.fields.iter().enumerate() {
        let row = at as u16 + 1;
        let focused = at == form.focus;
        let label =
            format!(" {} {:<12}", if focused { cx.theme.symbols.pointer } else { " " }, field.label(form.units));
        let before: String = field.text.chars().iter().take(field.text.cursor()).collect();
        let place = Position { x: area.x + (label.width() + before.width()) as u16, y: area.y + row };
        if focused && place.x < area.right() && place.y < area.bottom() {
            cursor = Some(place);
        }
        let line = Line::from(vec![cx.span(label, Role::Key), cx.span(field.text.text(), Role::Value)]);
        put(buf, area, row, &line);
    }
    let role = if form.error.is_some() { Role::Warning } else { Role::Quiet };
    for (i, text) in note(cx, form, area.width).into_iter().enumerate() {
        let row = form.fields.len() as u16 + 1 + i as u16;
        put(buf, area, row, &Line::from(cx.span(format!("   {text}"), role)));
    }
    cursor
}
