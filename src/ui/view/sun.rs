//! What rules and parking have to tell, under the header of every tab.

use ratatui::text::{Line, Span};

use super::banner::block;
use super::text::{Cx, fit, printable};
use crate::model::sun::ParkStep;
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
    let text = printable(&format!("{}: {}. {}", firing.rule, firing.did, firing.why));
    let room = width.saturating_sub(label.len() + 18);
    let mut lines = block(cx, label, Role::Warning, &fit(&text, room, cx.theme.symbols.more), width);
    if let Some(last) = lines.last_mut() {
        last.push_span(Span::raw("  "));
        last.push_span(cx.span(cx.key(Action::PutAway), Role::Key));
        last.push_span(cx.span(" puts away", Role::Text));
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
