//! What needs attention, under the header: link trouble, alarm, stop, each with the key that comes next.

use ratatui::text::{Line, Span};

use super::status::pins_text;
use super::text::{Cx, printable, wrap};
use crate::model::Realtime;
use crate::model::snapshot::{Alarm, LinkState, Stop, StopPhase};
use crate::model::{StateKind, Time};
use crate::ui::state::{countdown_s, shown_stop};
use crate::ui::theme::Role;

pub(super) fn lines(cx: &Cx<'_>, width: usize) -> Vec<Line<'static>> {
    let machine = &cx.snapshot.machine;
    let mut lines = link(cx, width);
    if let Some(stop) = shown_stop(machine, cx.now) {
        lines.extend(stop_lines(cx, stop, width));
    }
    match &machine.alarm {
        Some(found) => lines.extend(alarm(cx, found, width)),
        None if machine.fresh_state(cx.now).is_some_and(|state| state.kind == StateKind::Alarm) => {
            let unknown = Alarm { info: None, since: Time::ZERO, pins: machine.pins, needs_reset: false };
            lines.extend(alarm(cx, &unknown, width));
        }
        None => {}
    }
    lines
}

fn block(cx: &Cx<'_>, label: &str, role: Role, text: &str, width: usize) -> Vec<Line<'static>> {
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
                cx.span("r", Role::Key),
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

fn alarm(cx: &Cx<'_>, alarm: &Alarm, width: usize) -> Vec<Line<'static>> {
    let (label, meaning, remedy) = match &alarm.info {
        Some(info) => (format!("ALARM {}", info.code), info.meaning.clone(), info.remedy.clone()),
        None => (
            "ALARM".to_owned(),
            "The controller is locked; it did not say why.".to_owned(),
            "That is usual after power-on where homing is required.".to_owned(),
        ),
    };
    let mut lines = block(cx, &label, Role::Alarm, &meaning, width);
    let indent = " ".repeat(label.len() + 3);
    for text in wrap(&printable(&remedy), width.saturating_sub(indent.len() + 1)).into_iter().take(2) {
        lines.push(Line::from(vec![Span::raw(indent.clone()), cx.span(text, Role::Quiet)]));
    }
    let pins = if cx.snapshot.machine.pins.is_empty() { alarm.pins } else { cx.snapshot.machine.pins };
    if !pins.is_empty() {
        let text = format!("active pins: {}", pins_text(pins));
        lines.push(Line::from(vec![Span::raw(indent.clone()), cx.span(text, Role::Warning)]));
    }
    lines.push(Line::from([vec![Span::raw(indent)], next_key(cx, alarm)].concat()));
    lines
}

/// The way out, in the order in which it works.
fn next_key(cx: &Cx<'_>, alarm: &Alarm) -> Vec<Span<'static>> {
    let key = |key: &str| cx.span(key.to_owned(), Role::Key);
    let text = |text: &str| cx.span(text.to_owned(), Role::Text);
    let homing = cx.snapshot.machine.limits.homing != Some(false);
    let way_out = if homing { " to home or unlock" } else { " to unlock" };
    if alarm.needs_reset {
        vec![text("next: "), key("Ctrl+X"), text(" resets the controller, then "), key("$"), text(way_out)]
    } else {
        vec![text("next: "), key("$"), text(way_out), text(" (Enter confirms)")]
    }
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
