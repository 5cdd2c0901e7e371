//! The tab Settings: the list with what each means, the backups, and comparisons.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::text::Line;
use unicode_width::UnicodeWidthStr;

use super::table;
use super::text::{Cx, Rows, fit, printable, put, wrap};
use crate::model::settings::{Access, Compared, RESTORE_WORD, Setting};
use crate::ui::controller::{Field, Page};
use crate::ui::theme::Role;

/// Rows that tell about the selected setting.
const DETAILS: u16 = 4;

/// Draws it. Returns the cursor's place, if a text field is open.
pub(super) fn draw(cx: &Cx<'_>, area: Rect, buf: &mut Buffer) -> Option<Position> {
    let mut rows = Rows { rest: area };
    match cx.ui.controller.page {
        Page::List => list(cx, &mut rows, buf),
        Page::Backups => backups(cx, &mut rows, buf),
        Page::Compared => compared(cx, &mut rows, buf),
    }
}

fn list(cx: &Cx<'_>, rows: &mut Rows, buf: &mut Buffer) -> Option<Position> {
    let state = &cx.ui.controller;
    let table = &cx.snapshot.machine.settings;
    let shown = state.rows(table);
    let selected = shown.get(state.selected.min(shown.len().saturating_sub(1))).copied();
    let bottom = rows.bottom(if rows.rest.height > 10 { DETAILS } else { 1 });
    let cursor = details(cx, selected, bottom, buf);
    let width = usize::from(rows.rest.width);
    let mut lines = Vec::new();
    let mut at = 0;
    let mut group = "";
    for (i, row) in shown.iter().enumerate() {
        if row.key.starts_with('/') && row.group != group {
            lines.push(Line::from(cx.span(format!("   {}", row.group), Role::Title)));
            group = &row.group;
        }
        if i == state.selected {
            at = lines.len();
        }
        lines.push(setting_line(cx, row, i == state.selected, width));
    }
    let search = match (&state.field, state.filter.text()) {
        (Field::Filter, _) => String::new(),
        (_, text) if text.is_empty() => String::new(),
        (_, text) => format!("   with \"{text}\""),
    };
    let more = if table.complete { "" } else { "   l reads the rest: names, ranges, configuration" };
    let head = format!("   {} settings{search}{more}", shown.len());
    let empty = if table.rows.is_empty() {
        "   not known yet: the controller tells its settings ($$) when it stands still"
    } else {
        "   no setting has these words; Esc shows all"
    };
    let room = usize::from(rows.rest.height.saturating_sub(1));
    table::draw(
        cx,
        rows.rest,
        &fit(&head, width.saturating_sub(16), ""),
        &lines,
        empty,
        at.saturating_sub(room / 2),
        buf,
    );
    cursor
}

fn setting_line(cx: &Cx<'_>, row: &Setting, selected: bool, width: usize) -> Line<'static> {
    let pointer = if selected { cx.theme.symbols.pointer } else { " " };
    let label = if row.key.starts_with('/') {
        format!("  {}", row.key.rsplit('/').next().unwrap_or_default())
    } else {
        row.label()
    };
    let value = printable(&match row.words(&row.value) {
        Some(words) => format!("{} ({words})", row.value),
        None => format!("{} {}", row.value, row.unit),
    });
    let text = format!("{label:<26} {:<24} ", fit(&value, 24, cx.theme.symbols.more));
    let role = if selected { Role::Selected } else { Role::Text };
    let name = match &row.access {
        Access::ReadOnly(_) => format!("{}  (fixed)", row.name),
        _ => row.name.clone(),
    };
    let name = fit(&printable(&name), width.saturating_sub(text.width() + 3), cx.theme.symbols.more);
    Line::from(vec![
        cx.span(format!(" {pointer} "), Role::Key),
        cx.span(text, role),
        cx.span(name, if selected { Role::Text } else { Role::Quiet }),
    ])
}

/// What the selected setting means, or the field in which it is changed.
fn details(cx: &Cx<'_>, selected: Option<&Setting>, area: Rect, buf: &mut Buffer) -> Option<Position> {
    let state = &cx.ui.controller;
    let width = usize::from(area.width).saturating_sub(4);
    let (label, editor) = match &state.field {
        Field::Filter => ("search", &state.filter),
        Field::Value(_) => ("new value", &state.value),
        Field::Word(_) | Field::None => {
            let lines = selected.map(|row| about(row, width)).unwrap_or_default();
            for (i, text) in lines.iter().take(usize::from(area.height)).enumerate() {
                put(buf, area, i as u16, &Line::from(cx.span(format!("   {text}"), Role::Text)));
            }
            return None;
        }
    };
    let cursor = field(cx, label, editor, area, buf);
    if let (Field::Value(_), Some(row)) = (&state.field, selected) {
        for (i, text) in wrap(&format!("{}: {}", row.name, row.allowed()), width).iter().enumerate() {
            put(buf, area, i as u16 + 1, &Line::from(cx.span(format!("   {text}"), Role::Quiet)));
        }
    }
    cursor
}

pub(super) fn field(
    cx: &Cx<'_>,
    label: &str,
    editor: &crate::ui::editor::Editor,
    area: Rect,
    buf: &mut Buffer,
) -> Option<Position> {
    let head = format!("   {label}: ");
    let before: String = editor.chars().iter().take(editor.cursor()).collect();
    let x = (head.width() + before.width()) as u16;
    let line = Line::from(vec![cx.span(head, Role::Title), cx.span(editor.text(), Role::Value)]);
    put(buf, area, 0, &line);
    (x < area.width && area.height > 0).then_some(Position { x: area.x + x, y: area.y })
}

fn about(row: &Setting, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let meaning = if row.meaning.is_empty() { row.name.clone() } else { row.meaning.clone() };
    lines.extend(wrap(&format!("{} {meaning}", row.label()), width).into_iter().take(2));
    match &row.access {
        Access::ReadOnly(why) => lines.extend(wrap(why, width)),
        Access::UntilRestart => lines.push(format!("{}; holds until the controller restarts", row.allowed())),
        Access::Stored => lines.extend(wrap(&row.allowed(), width).into_iter().take(1)),
    }
    if !row.caution.is_empty() {
        lines.extend(wrap(&format!("Caution: {}", row.caution), width));
    }
    lines
}

fn backups(cx: &Cx<'_>, rows: &mut Rows, buf: &mut Buffer) -> Option<Position> {
    let state = &cx.ui.controller;
    let kept = &cx.snapshot.kept;
    let lines: Vec<_> = kept
        .names
        .iter()
        .enumerate()
        .map(|(i, name)| {
            let pointer = if i == state.selected { cx.theme.symbols.pointer } else { " " };
            let mark = if state.marked.as_ref() == Some(name) { "= " } else { "  " };
            let role = if i == state.selected { Role::Selected } else { Role::Text };
            Line::from(vec![
                cx.span(format!(" {pointer} "), Role::Key),
                cx.span(mark, Role::Key),
                cx.span(printable(name), role),
            ])
        })
        .collect();
    let head = format!(
        "   backups, newest first ({})   Enter compares with the machine, or with the one marked =",
        kept.names.len()
    );
    let room = usize::from(rows.rest.height.saturating_sub(1));
    let top = state.selected.saturating_sub(room / 2);
    table::draw(cx, rows.rest, &head, &lines, "   none yet: b on the list of settings makes one", top, buf);
    None
}

fn compared(cx: &Cx<'_>, rows: &mut Rows, buf: &mut Buffer) -> Option<Position> {
    let state = &cx.ui.controller;
    let kept = &cx.snapshot.kept;
    let width = usize::from(rows.rest.width).saturating_sub(6);
    let line = |text: String, role| Line::from(cx.span(format!("   {}", fit(&printable(&text), width, "...")), role));
    let mut lines = Vec::new();
    let mut cursor = None;
    let head = match &kept.compared {
        None => "   reading the backup".to_owned(),
        Some(Compared::Files { before, after, changes }) => {
            lines.extend(changes.iter().map(|change| line(change.to_string(), Role::Text)));
            format!("   {} differences, {before} -> {after}", changes.len())
        }
        Some(Compared::Machine { name, strange, plan }) => {
            if matches!(state.field, Field::Word(_)) {
                let bottom = rows.bottom(1);
                let label = format!("it is of another machine; type {RESTORE_WORD} to use it");
                cursor = field(cx, &label, &state.value, bottom, buf);
            }
            lines.extend(strange.iter().map(|why| line(format!("other machine: {why}"), Role::Warning)));
            lines.extend(plan.set.iter().map(|change| line(change.to_string(), Role::Text)));
            let left = plan.left.iter().map(|(change, why)| line(format!("left: {change}  ({why})"), Role::Quiet));
            lines.extend(left);
            format!("   {name}: {} to set (Enter), {} left", plan.set.len(), plan.left.len())
        }
    };
    if let Some(restore) = &kept.restore {
        let role = if restore.why.is_some() { Role::Warning } else { Role::Title };
        let word = match (restore.running, &restore.why) {
            (true, _) => "restoring",
            (false, None) => "restored",
            (false, Some(_)) => "restore stopped,",
        };
        let bottom = rows.bottom(2);
        for (i, text) in wrap(&format!("{word} {}: {restore}", restore.name), width).iter().take(2).enumerate() {
            put(buf, bottom, i as u16, &line(text.clone(), role));
        }
    }
    table::draw(cx, rows.rest, &head, &lines, "   no difference", state.selected, buf);
    cursor
}
