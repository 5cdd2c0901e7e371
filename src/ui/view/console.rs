//! The console, and the line for G-code under it.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::text::{Line, Span};
use unicode_width::UnicodeWidthStr;

use super::text::{Cx, fit, printable, put, put_right, rule as draw_rule, wrap};
use crate::ui::action::{Action, available};
use crate::ui::console::{Line as Entry, Shown, Tone};
use crate::ui::state::{Mode, Tab};
use crate::ui::theme::Role;

/// Widest answer at the right of a short line.
const ANSWER_WIDTH: usize = 34;

pub(super) fn rule(cx: &Cx<'_>, area: Rect, buf: &mut Buffer) {
    let console = &cx.ui.console;
    let mut title = vec![cx.span(console.shown.title(), Role::Title)];
    if console.below() > 0 {
        title.push(cx.span(format!("  {} newer lines below, ", console.below()), Role::Warning));
        title.push(cx.span("End", Role::Key));
        title.push(cx.span(" follows", Role::Warning));
    }
    draw_rule(buf, area, cx, Line::from(title));
}

pub(super) fn draw(cx: &Cx<'_>, area: Rect, buf: &mut Buffer) {
    let entries: Vec<&Entry> = cx.ui.console.visible(usize::from(area.height)).collect();
    if entries.is_empty() {
        let text = if cx.ui.console.shown == Shown::Wire {
            "  nothing on the wire yet"
        } else {
            "  what is sent and what comes back appears here"
        };
        put(buf, area, 0, &Line::from(cx.span(text, Role::Quiet)));
    }
    let rows: Vec<Row> = entries.into_iter().flat_map(|entry| rows_of(cx, entry, area.width)).collect();
    // Few lines lie at the top, so that a new one does not move the others; of too many the last ones are seen.
    let hidden = rows.len().saturating_sub(usize::from(area.height));
    for (at, (left, right)) in rows.into_iter().skip(hidden).enumerate() {
        put(buf, area, at as u16, &left);
        put_right(buf, Rect { width: area.width.saturating_sub(1), ..area }, at as u16, &right);
    }
}

/// What stands at the left of a row, and at its right.
type Row = (Line<'static>, Line<'static>);

/// An entry in one row, or in as many as it takes to say in full why something failed.
fn rows_of(cx: &Cx<'_>, entry: &Entry, width: u16) -> Vec<Row> {
    let (text, answer) = (printable(&entry.text), printable(&entry.answer));
    let room = usize::from(width).saturating_sub(2);
    let failed = matches!(entry.tone, Tone::Bad | Tone::Warning);
    if !failed || answer.is_empty() || text.width() + answer.width() + 6 <= room {
        return vec![row_of(cx, entry, width)];
    }
    let mark = cx.span(format!(" {:<2} ", entry.mark), Role::Quiet);
    let head = fit(&text, room.saturating_sub(4), cx.theme.symbols.more);
    let mut rows = vec![(Line::from(vec![mark, cx.span(head, Role::Text)]), Line::default())];
    rows.extend(wrap(&answer, room.saturating_sub(6)).into_iter().map(|line| {
        (Line::from(vec![Span::raw("      "), Span::styled(line, cx.theme.tone(entry.tone))]), Line::default())
    }));
    rows
}

fn row_of(cx: &Cx<'_>, entry: &Entry, width: u16) -> Row {
    let more = cx.theme.symbols.more;
    let width = usize::from(width).saturating_sub(2);
    let text = printable(&entry.text);
    let answer = printable(&entry.answer);
    // The answer gets what the text leaves, and at least its share.
    let room = width.saturating_sub(text.width() + 6).max(ANSWER_WIDTH.min(width / 2));
    let answer = fit(&answer, room, more);
    let gap = if answer.is_empty() { 0 } else { answer.width() + 2 };
    let text = fit(&text, width.saturating_sub(gap + 4), more);
    let text_style = if answer.is_empty() { cx.theme.tone(entry.tone) } else { cx.style(Role::Text) };
    let line = Line::from(vec![cx.span(format!(" {:<2} ", entry.mark), Role::Quiet), Span::styled(text, text_style)]);
    (line, Line::styled(answer, cx.theme.tone(entry.tone)))
}

/// The line for G-code. Returns the cursor's place.
pub(super) fn draw_line(cx: &Cx<'_>, area: Rect, buf: &mut Buffer) -> Option<Position> {
    if cx.ui.mode != Mode::Mdi {
        if cx.ui.mode == Mode::Jog {
            let line = vec![
                cx.span(" > ", Role::Quiet),
                cx.span("Esc Enter", Role::Key),
                cx.span(" to leave jog mode and type G-code", Role::Quiet),
            ];
            put(buf, area, 0, &Line::from(line));
            return None;
        }
        if cx.ui.mode == Mode::Field {
            put(buf, area, 0, &Line::from(cx.span(" > Esc closes the field above", Role::Quiet)));
            return None;
        }
        if let Err(why) = available(Action::Mdi, cx.snapshot, cx.now) {
            put(buf, area, 0, &Line::from(cx.span(format!(" > not now: {why}"), Role::Quiet)));
            return None;
        }
        // On those tabs Enter is for the selected row.
        let keys = cx.ui.keymap.keys(Action::Mdi);
        let taken =
            |key: &&String| matches!(cx.ui.tab, Tab::Settings | Tab::Programs | Tab::Power) && key.as_str() == "Enter";
        let key = keys.iter().find(|key| !taken(key)).cloned().unwrap_or_default();
        let mut line = vec![cx.span(" > ", Role::Quiet), cx.span(key, Role::Key)];
        let draft = cx.ui.mdi.text();
        if draft.is_empty() {
            line.push(cx.span(" to type G-code or a $ command", Role::Quiet));
        } else {
            line.push(cx.span(format!(" to go on with: {}", printable(&draft)), Role::Quiet));
        }
        put(buf, area, 0, &Line::from(line));
        return None;
    }
    let room = usize::from(area.width).saturating_sub(5);
    let chars = cx.ui.mdi.chars();
    let cursor = cx.ui.mdi.cursor();
    // The cursor stays in sight: what does not fit is cut at the left.
    let mut start = 0;
    while chars[start..cursor].iter().collect::<String>().width() > room {
        start += 1;
    }
    let text: String = chars[start..].iter().collect();
    let before: String = chars[start..cursor].iter().collect();
    put(buf, area, 0, &Line::from(vec![cx.span(" > ", Role::Key), cx.span(fit(&text, room, ""), Role::Value)]));
    Some(Position { x: area.x + 3 + before.width() as u16, y: area.y })
}
