//! What rules and parking have to tell, under the header of every tab.

use ratatui::text::{Line, Span};

use super::banner::block;
use super::text::{Cx, fit, printable};
use crate::model::sun::{ParkStep, StartPhase};
use crate::ui::action::Action;
use crate::ui::theme::Role;

/// The machine is being parked, or was.
pub(super) fn park(cx: &Cx<'_>, width: usize) -> Vec<Line<'static>> {
    let Some(park) = &cx.snapshot.sun.park else { return Vec::new() };
    let (label, role) = match &park.step {
        ParkStep::Done(_) => ("PARKED", Role::Selected),
        ParkStep::Failed(_) => ("NOT PARKED", Role::Alarm),
        _ => ("PARKING", Role::Alarm),
    };
    let notes = park.told();
    let mut lines = block(cx, label, role, &format!("{}{notes}", park.step.words()), width);
    if park.step.is_open() {
        lines.push(ended_by(cx, label));
    } else {
        let why = fit(&printable(&park.why), width.saturating_sub(label.len() + 22), cx.theme.symbols.more);
        lines.push(put_away(cx, label, &why));
    }
    lines
}

/// A rule has fired. One row: what it has done is told by the machine's own rows.
pub(super) fn notice(cx: &Cx<'_>, width: usize) -> Vec<Line<'static>> {
    let Some(firing) = &cx.snapshot.sun.notice else { return Vec::new() };
    // Parking says the same, and more.
    if cx.snapshot.sun.park.as_ref().is_some_and(|park| park.why.starts_with(&format!("rule {:?}", firing.rule))) {
        return Vec::new();
    }
    let label = "RULE";
    let more = match cx.snapshot.sun.notices.len() {
        0 => String::new(),
        others => format!(" (+{others} more)"),
    };
    let text = printable(&format!("{}: {}{more}. {}", firing.rule, firing.did, firing.why));
    let room = width.saturating_sub(label.len() + 18);
    let mut lines = block(cx, label, Role::Warning, &fit(&text, room, cx.theme.symbols.more), width);
    if let Some(last) = lines.last_mut() {
        last.push_span(Span::raw("  "));
        last.push_span(cx.span(cx.key(Action::PutAway), Role::Key));
        last.push_span(cx.span(" puts away", Role::Text));
    }
    lines
}

/// A spindle start waits for power.
pub(super) fn spindle(cx: &Cx<'_>, width: usize) -> Vec<Line<'static>> {
    let Some(wait) = &cx.snapshot.sun.spindle else { return Vec::new() };
    let (label, text) = if wait.kept {
        ("NOT SENT", format!("{} {}: {}", wait.what, wait.starts(), wait.why))
    } else {
        ("SPINDLE WAITS", format!("{}: {}", wait.what, wait.why))
    };
    let mut lines = block(cx, label, Role::Alarm, &text, width);
    lines.push(Line::from(vec![
        Span::raw(" ".repeat(label.len() + 3)),
        cx.span(cx.key(Action::Resume), Role::Key),
        cx.span(" starts it anyway   ", Role::Text),
        cx.span(cx.key(if wait.line.is_some() { Action::StopProgram } else { Action::Stop }), Role::Key),
        cx.span(
            match (wait.line.is_some(), wait.kept) {
                (true, _) => " ends the program",
                (false, true) => " puts this away",
                (false, false) => " drops it",
            },
            Role::Text,
        ),
    ]));
    lines
}

/// A program waits for the sun, is about to start, or was told how that ended.
pub(super) fn start(cx: &Cx<'_>, width: usize) -> Vec<Line<'static>> {
    let Some(start) = &cx.snapshot.sun.start else { return Vec::new() };
    let (label, role, text) = match (start.phase, start.left_s) {
        (StartPhase::Counts { .. }, Some(left)) => {
            ("SUN STARTS IT", Role::Alarm, format!("{} in {left} s, KEEP CLEAR: {}", start.name, start.why))
        }
        (StartPhase::Starts, _) => {
            ("SUN STARTS IT", Role::Alarm, format!("{} NOW, KEEP CLEAR: its file is read", start.name))
        }
        (StartPhase::Spent, _) => ("SUN", Role::Selected, format!("{}: {}", start.name, start.why)),
        _ => {
            let others = match cx.snapshot.sun.behind.len() {
                0 => String::new(),
                others => format!(" (+{others} behind it)"),
            };
            ("WAITS FOR SUN", Role::Selected, format!("{}{others}: {}", start.name, start.why))
        }
    };
    if start.phase == StartPhase::Spent {
        let mut lines = block(cx, label, role, &text, width);
        lines.push(put_away(cx, label, ""));
        return lines;
    }
    // One row: while it waits it may stay for hours.
    let (key, does) = (cx.key(Action::Stop), " cancels");
    let room = width.saturating_sub(label.len() + key.len() + does.len() + 7);
    let mut lines = block(cx, label, role, &fit(&printable(&text), room, cx.theme.symbols.more), width);
    if let Some(last) = lines.last_mut() {
        last.push_span(Span::raw("  "));
        last.push_span(cx.span(key, Role::Key));
        last.push_span(cx.span(does, Role::Text));
    }
    lines
}

fn ended_by(cx: &Cx<'_>, label: &str) -> Line<'static> {
    Line::from(vec![
        Span::raw(" ".repeat(label.len() + 3)),
        cx.span(cx.key(Action::Stop), Role::Key),
        cx.span(" stops it where it is", Role::Text),
    ])
}

fn put_away(cx: &Cx<'_>, label: &str, why: &str) -> Line<'static> {
    Line::from(vec![
        Span::raw(" ".repeat(label.len() + 3)),
        cx.span(why.to_owned(), Role::Quiet),
        Span::raw("   "),
        cx.span(cx.key(Action::PutAway), Role::Key),
        cx.span(" puts this away", Role::Text),
    ])
}

#[cfg(test)]
mod tests;
