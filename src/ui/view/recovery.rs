//! The way out of an alarm, and the alarms so far.

use std::time::Duration;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::overlay::{above_footer, centred, frame};
use super::text::{Cx, fit, printable, put, wrap};
use crate::model::{Axis, AxisVec};
use crate::ui::recovery::{Guide, Past, Progress, RecoveryPanel, UNLOCK_WORD, guide};
use crate::ui::theme::Role;
use crate::ui::words::pins_text;

/// Widest it gets.
const WIDTH: u16 = 78;

/// The panel, if it is open. `true`: drawn.
pub(super) fn draw(cx: &Cx<'_>, area: Rect, buf: &mut Buffer) -> bool {
    let Some(panel) = &cx.ui.recovery else { return false };
    let whole = above_footer(area);
    let width = usize::from(whole.width.min(WIDTH)).saturating_sub(4);
    let room = usize::from(whole.height.saturating_sub(2));
    let found = guide(cx.snapshot, &cx.ui.alarms, cx.now).filter(|_| !panel.history);
    let (title, lines) = match &found {
        Some(guide) => (guide.title.clone(), guide_lines(cx, guide, panel, width, room)),
        None => ("Alarms so far".to_owned(), history_lines(cx, width, room)),
    };
    let place = centred(whole, WIDTH, lines.len() as u16 + 2);
    let inside = frame(cx, place, &title, buf);
    for (row, line) in lines.iter().enumerate() {
        put(buf, inside, row as u16, line);
    }
    true
}

/// What explains gives way to what can be done, in this order: advice, blank lines, the end of what happened.
fn guide_lines(cx: &Cx<'_>, guide: &Guide, panel: &RecoveryPanel, width: usize, room: usize) -> Vec<Line<'static>> {
    let mut steps = step_lines(cx, guide, width);
    steps.extend(way_lines(cx, guide, panel, width));
    let facts = |advice: bool, happened: usize| {
        let mut lines = labelled(cx, "what", &guide.happened, Role::Text, width);
        if lines.len() > happened {
            lines.truncate(happened);
            if let Some(last) = lines.last_mut() {
                last.spans.push(cx.span(cx.theme.symbols.more, Role::Warning));
            }
        }
        lines.extend(labelled(cx, "pins", &guide.pins, Role::Text, width));
        let role = if guide.is_lost { Role::Warning } else { Role::Text };
        lines.extend(labelled(cx, "lost", &guide.lost, role, width));
        if advice && !guide.advice.is_empty() {
            lines.extend(labelled(cx, "advice", &guide.advice, Role::Quiet, width));
        }
        lines
    };
    let join = |facts: Vec<Line<'static>>, blank: bool| {
        let gap = if blank { vec![Line::default()] } else { Vec::new() };
        [facts, gap, steps.clone()].concat()
    };
    [(true, 9, true), (true, 9, false), (false, 9, true), (false, 9, false), (false, 2, false)]
        .into_iter()
        .map(|(advice, happened, blank)| join(facts(advice, happened), blank))
        .find(|lines| lines.len() <= room)
        .unwrap_or_else(|| join(facts(false, 1), false))
}

fn labelled(cx: &Cx<'_>, label: &str, text: &str, role: Role, width: usize) -> Vec<Line<'static>> {
    wrap(&printable(text), width.saturating_sub(8))
        .into_iter()
        .enumerate()
        .map(|(row, text)| {
            let head = if row == 0 { label } else { "" };
            Line::from(vec![cx.span(format!("{head:<8}"), Role::Quiet), cx.span(text, role)])
        })
        .collect()
}

fn step_lines(cx: &Cx<'_>, guide: &Guide, width: usize) -> Vec<Line<'static>> {
    let mut lines = Vec::new();
    for (at, step) in guide.steps.iter().enumerate() {
        let (mark, role) = match step.progress {
            Progress::Done => ("done", Role::Quiet),
            Progress::Now => ("now", Role::Title),
            Progress::Later => ("then", Role::Quiet),
        };
        for (row, text) in wrap(&step.text, width.saturating_sub(9)).into_iter().enumerate() {
            let head = if row == 0 { format!("{}. {mark:<5} ", at + 1) } else { " ".repeat(9) };
            lines.push(Line::from(vec![cx.span(head, role), cx.span(text, role)]));
        }
    }
    lines
}

fn way_lines(cx: &Cx<'_>, guide: &Guide, panel: &RecoveryPanel, width: usize) -> Vec<Line<'static>> {
    let mut lines = Vec::new();
    for (at, way) in guide.ways.iter().enumerate() {
        let selected = at == panel.selected;
        let pointer = if selected { cx.theme.symbols.pointer } else { " " };
        let head = vec![
            cx.span(format!(" {pointer} "), Role::Key),
            cx.span(format!("{} ", way.letter.unwrap_or(' ')), Role::Key),
            cx.span(format!(" {} ", way.label), if selected { Role::Selected } else { Role::Text }),
            cx.span(if selected && !way.needs_word { "  Enter  " } else { "  " }, Role::Key),
        ];
        let used: usize = head.iter().map(Span::width).sum();
        let cost = fit(&way.cost, width.saturating_sub(used), cx.theme.symbols.more);
        lines.push(Line::from([head, vec![cx.span(cost, Role::Quiet)]].concat()));
        if selected && way.needs_word {
            lines.push(Line::from(vec![
                cx.span(format!("        the homing failed: type {UNLOCK_WORD}, then Enter: "), Role::Warning),
                cx.span(format!("{:_<width$}", panel.typed, width = UNLOCK_WORD.len()), Role::Value),
            ]));
        }
    }
    if guide.ways.is_empty() {
        lines.push(Line::from(cx.span("   waiting for the controller", Role::Quiet)));
    }
    lines
}

fn history_lines(cx: &Cx<'_>, width: usize, room: usize) -> Vec<Line<'static>> {
    let axes = cx.snapshot.machine.axis_count();
    let mut lines: Vec<Line<'static>> = Vec::new();
    for past in cx.ui.alarms.iter() {
        let head = format!("{:>8}  {}, pins {}", ago(cx, past), past.title, pins_text(past.pins));
        let place = [("work", past.work), ("machine", past.machine)]
            .map(|(name, at)| format!("{name} {}", position(at, axes)))
            .join("   ");
        lines.push(Line::from(cx.span(fit(&head, width, cx.theme.symbols.more), Role::Text)));
        lines.push(Line::from(cx.span(fit(&format!("{:10}{place}", ""), width, cx.theme.symbols.more), Role::Quiet)));
    }
    if lines.is_empty() {
        lines.push(Line::from(cx.span("none since this screen was opened", Role::Quiet)));
    }
    if lines.len() > room {
        let left_out = lines.len() / 2 - (room.saturating_sub(1)) / 2;
        lines.truncate(room.saturating_sub(1) / 2 * 2);
        lines.push(Line::from(cx.span(format!("and {left_out} before them"), Role::Warning)));
    }
    lines
}

/// How long ago, in minutes from the second one on.
fn ago(cx: &Cx<'_>, past: &Past) -> String {
    let age = cx.now.since(past.since);
    if age < Duration::from_secs(120) { "just now".to_owned() } else { format!("{} min", age.as_secs() / 60) }
}

fn position(at: Option<AxisVec>, axes: usize) -> String {
    let Some(at) = at else { return "not known".to_owned() };
    let axes = (0..axes).filter_map(Axis::from_index);
    axes.filter_map(|axis| Some(format!("{axis} {:.3}", at.get(axis)?))).collect::<Vec<_>>().join(" ")
}
