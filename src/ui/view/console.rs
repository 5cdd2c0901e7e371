//! The console, and the line for G-code under it.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::text::{Line, Span};
use unicode_width::UnicodeWidthStr;

use super::text::{Cx, fit, printable, put, put_right, rule as draw_rule};
use crate::ui::action::{Action, available};
use crate::ui::console::{Line as Entry, Shown};
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
    let first = usize::from(area.height).saturating_sub(entries.len());
    for (row, entry) in entries.into_iter().enumerate() {
        // Few lines lie at the top, so that a new one does not move the others.
        let row = if first > 0 { row } else { row + first };
        draw_entry(cx, entry, area, row as u16, buf);
    }
}

fn draw_entry(cx: &Cx<'_>, entry: &Entry, area: Rect, row: u16, buf: &mut Buffer) {
    let more = cx.theme.symbols.more;
    let width = usize::from(area.width).saturating_sub(2);
    let text = printable(&entry.text);
    let answer = printable(&entry.answer);
    // The answer gets what the text leaves, and at least its share.
    let room = width.saturating_sub(text.width() + 6).max(ANSWER_WIDTH.min(width / 2));
    let answer = fit(&answer, room, more);
    let gap = if answer.is_empty() { 0 } else { answer.width() + 2 };
    let text = fit(&text, width.saturating_sub(gap + 4), more);
    let text_style = if answer.is_empty() { cx.theme.tone(entry.tone) } else { cx.style(Role::Text) };
    let line = Line::from(vec![cx.span(format!(" {:<2} ", entry.mark), Role::Quiet), Span::styled(text, text_style)]);
    put(buf, area, row, &line);
    let answer = Line::styled(answer, cx.theme.tone(entry.tone));
    put_right(buf, Rect { width: area.width.saturating_sub(1), ..area }, row, &answer);
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
        let key = if matches!(cx.ui.tab, Tab::Settings | Tab::Programs) { "m" } else { "Enter" };
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
