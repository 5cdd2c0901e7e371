//! The strip of tabs, in the rule above the body.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::text::{Cx, put, rule};
use crate::ui::state::Tab;
use crate::ui::theme::Role;

/// Draws it. Returns how many columns it takes.
pub(super) fn draw(cx: &Cx<'_>, area: Rect, buf: &mut Buffer) -> u16 {
    rule(buf, area, cx, Line::default());
    let mut spans = vec![Span::raw(" ")];
    for tab in Tab::ALL {
        if tab == cx.ui.tab {
            spans.push(cx.span(format!(" {} ", tab.title()), Role::Accent));
        } else {
            let (before, rest) = tab.title().split_at(tab.letter());
            let (key, rest) = rest.split_at(1);
            spans.push(cx.span(format!(" {before}"), Role::Text));
            spans.push(cx.span(key.to_uppercase(), Role::Key));
            spans.push(cx.span(format!("{rest} "), Role::Text));
        }
    }
    spans.push(Span::raw(" "));
    let line = Line::from(spans);
    put(buf, Rect { x: area.x + 1, width: area.width.saturating_sub(1), ..area }, 0, &line);
    line.width() as u16 + 1
}
