//! What needs attention, under the header: link trouble, alarm, stop, each with the key that comes next.

use ratatui::text::{Line, Span};

use super::text::{Cx, fit, printable, wrap};
use super::{power, run, sun};
use crate::model::Realtime;
use crate::model::snapshot::{Alarm, LinkState, Stop, StopPhase};
use crate::ui::action::Action;
use crate::ui::recovery::present_alarm;
use crate::ui::state::{countdown_s, shown_stop};
use crate::ui::theme::Role;
use crate::ui::words::pins_text;

/// Rows about power at most; the tab Power has them all.
const MOST_ALERTS: usize = 2;

/// At most `room` rows. What does not fit is left out from the end, but for the first and the last line of each part;
/// where something is left out, the line before ends with a mark.
pub(super) fn lines(cx: &Cx<'_>, width: usize, room: usize) -> Vec<Line<'static>> {
    let machine = &cx.snapshot.machine;
    let mut parts = vec![link(cx, width)];
    if let Some(stop) = shown_stop(machine, cx.now) {
        parts.push(stop_lines(cx, stop, width));
    }
    if let Some(found) = present_alarm(machine, cx.now) {
        parts.push(alarm(cx, &found, width));
    }
    if let Some(trouble) = &cx.snapshot.programs.store_trouble {
        parts.push(not_kept(cx, trouble, width));
    }
    parts.push(run::banner(cx, width));
    parts.push(sun::park(cx, width));
    parts.push(sun::spindle(cx, width));
    parts.push(sun::start(cx, width));
    parts.push(sun::notice(cx, width));
    let spare = room.saturating_sub(parts.iter().map(Vec::len).sum());
    parts.extend(power_alerts(cx, width).into_iter().take(spare));
    while parts.iter().map(Vec::len).sum::<usize>() > room {
        let Some(longest) = parts.iter_mut().rev().find(|part| part.len() > 2) else { break };
        let cut = longest.len() - 2;
        longest.remove(cut);
        if let Some(before) = longest.get_mut(cut - 1) {
            mark_cut(cx, before, width);
        }
    }
    let mut lines: Vec<_> = parts.into_iter().flatten().collect();
    if lines.len() > room {
        lines.truncate(room);
        if let Some(last) = lines.last_mut() {
            mark_cut(cx, last, width);
        }
    }
    lines
}

fn mark_cut(cx: &Cx<'_>, line: &mut Line<'static>, width: usize) {
    let more = cx.theme.symbols.more;
    let Some(last) = line.spans.pop() else { return };
    if last.content.ends_with(more) {
        line.spans.push(last);
        return;
    }
    let text = format!("{} {more}", last.content.trim_end());
    let room = width.saturating_sub(line.width() + 1);
    line.spans.push(Span::styled(fit(&text, room, more), last.style));
}

pub(super) fn block(cx: &Cx<'_>, label: &str, role: Role, text: &str, width: usize) -> Vec<Line<'static>> {
    let indent = label.len() + 3;
    wrap(&printable(text), width.saturating_sub(indent + 1))
        .into_iter()
        .enumerate()
        .map(|(i, text)| {
            let head = if i == 0 { cx.span(format!(" {label} "), role) } else { Span::raw(" ".repeat(indent - 1)) };
            Line::from(vec![head, Span::raw(" "), cx.span(text, Role::Text)])
        })
        .collect()
}

fn link(cx: &Cx<'_>, width: usize) -> Vec<Line<'static>> {
    match &cx.snapshot.machine.link.state {
        LinkState::Down { why, attempt, .. } => {
            let mut lines = block(cx, "NO LINK", Role::Alarm, why, width);
            let wait = match countdown_s(&cx.snapshot.machine, cx.now) {
                Some(0) | None => "trying now".to_owned(),
                Some(s) => format!("next try in {s} s"),
            };
            lines.push(Line::from(vec![
                Span::raw(" ".repeat(10)),
                cx.span(format!("try {attempt} failed, {wait}   "), Role::Text),
                cx.span(cx.key(Action::Reconnect), Role::Key),
                cx.span(" tries now", Role::Text),
            ]));
            lines
        }
        LinkState::Silent { why } => block(cx, "SILENT", Role::Alarm, why, width),
        LinkState::Foreign { why } => block(cx, "NOT A GRBL", Role::Alarm, why, width),
        LinkState::Opening => block(cx, "LINK", Role::Selected, "opening the port", width),
        LinkState::Asking => block(cx, "LINK", Role::Selected, "the port is open; asking who is there", width),
        LinkState::Identifying => block(cx, "LINK", Role::Selected, "it answers; asking what it is", width),
        LinkState::Up => Vec::new(),
    }
}

/// One row each, since they may stay; drawn only where the machine leaves room.
fn power_alerts(cx: &Cx<'_>, width: usize) -> Vec<Vec<Line<'static>>> {
    let line = |alert: &crate::ui::power::Alert| {
        let room = width.saturating_sub(alert.label.len() + 4);
        let text = fit(&printable(&alert.text), room, cx.theme.symbols.more);
        block(cx, alert.label, Role::Warning, &text, width)
    };
    power::alerts(cx).iter().take(MOST_ALERTS).map(line).collect()
}

/// One row, since it may stay: history and journal are not written.
fn not_kept(cx: &Cx<'_>, trouble: &str, width: usize) -> Vec<Line<'static>> {
    let label = "NOT KEPT";
    let room = width.saturating_sub(label.len() + 4);
    block(cx, label, Role::Warning, &fit(&printable(trouble), room, cx.theme.symbols.more), width)
}

fn alarm(cx: &Cx<'_>, alarm: &Alarm, width: usize) -> Vec<Line<'static>> {
    let (label, meaning) = match &alarm.info {
        Some(info) => (format!("ALARM {}", info.code), info.meaning.clone()),
        None => ("ALARM".to_owned(), "The controller is locked and did not say why; usual after power-on.".to_owned()),
    };
    let mut lines = block(cx, &label, Role::Alarm, &meaning, width);
    let indent = " ".repeat(label.len() + 3);
    let pins = if cx.snapshot.machine.pins.is_empty() { alarm.pins } else { cx.snapshot.machine.pins };
    if !pins.is_empty() {
        let text = format!("active pins: {}", pins_text(pins));
        lines.push(Line::from(vec![Span::raw(indent.clone()), cx.span(text, Role::Warning)]));
    }
    lines.push(Line::from([vec![Span::raw(indent)], next_key(cx, alarm)].concat()));
    lines
}

/// The way out, by keys that work where the keys go now.
fn next_key(cx: &Cx<'_>, alarm: &Alarm) -> Vec<Span<'static>> {
    let key = |key: &str| cx.span(key.to_owned(), Role::Key);
    let text = |text: &str| cx.span(text.to_owned(), Role::Text);
    if cx.ui.recovery.is_some() {
        return vec![text("the way out is below")];
    }
    let mut spans = vec![text("next: ")];
    let busy = cx.ui.is_covered() || cx.ui.mode.is_text();
    if alarm.needs_reset {
        spans.extend([key(&cx.key(Action::SoftReset)), text(" resets; ")]);
    }
    if busy {
        spans.extend([key(&cx.key(Action::Escape)), text(" then ")]);
    }
    spans.extend([key(&cx.key(Action::AlarmPanel)), text(" shows the way out")]);
    spans
}

fn stop_lines(cx: &Cx<'_>, stop: &Stop, width: usize) -> Vec<Line<'static>> {
    let what = match stop.asked {
        Realtime::FeedHold => "hold",
        Realtime::StopProgram => "program stop",
        Realtime::SoftReset => "reset",
        Realtime::JogCancel => "jog cancel",
        _ => "stop",
    };
    let label = what.to_uppercase();
    match &stop.phase {
        StopPhase::NotNeeded(why) => block(cx, &label, Role::Selected, &format!("nothing was sent: {why}"), width),
        StopPhase::Sent => block(cx, &label, Role::Selected, &format!("{what} sent, not confirmed yet"), width),
        StopPhase::Confirmed => block(cx, &label, Role::Selected, &format!("{what} confirmed, slowing down"), width),
        StopPhase::Stopped => {
            block(cx, &label, Role::Selected, &format!("{what} confirmed: the machine stands"), width)
        }
        StopPhase::NotConfirmed => {
            let text = format!(
                "{what} NOT confirmed: the machine was not seen to obey. If it still moves, use the emergency stop."
            );
            block(cx, &label, Role::Alarm, &text, width)
        }
    }
}
