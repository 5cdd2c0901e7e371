//! The top line: which machine, who answers, state, and age where it is not young.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::text::{Cx, fit, put, put_right};
use crate::model::StateKind;
use crate::model::snapshot::{Age, LinkState};
use crate::ui::action::Action;
use crate::ui::state::age_text;
use crate::ui::theme::Role;

pub(super) fn draw(cx: &Cx<'_>, area: Rect, buf: &mut Buffer) {
    let machine = &cx.snapshot.machine;
    let mut right = Vec::new();
    if let (Some(text), true) = (age_text(machine.age(cx.now)), machine.link.is_open()) {
        let role = if matches!(machine.age(cx.now), Age::Late(_)) { Role::Warning } else { Role::Bad };
        right.push(cx.span(format!("{text}  "), role));
    }
    right.push(cx.span(format!(" {} ", state_text(cx)), state_role(cx)));
    let right = Line::from(right);
    let left_width = usize::from(area.width).saturating_sub(right.width() + 1);
    put(buf, area, 0, &Line::from(left(cx, left_width)));
    put_right(buf, area, 0, &right);
}

fn left(cx: &Cx<'_>, width: usize) -> Vec<Span<'static>> {
    let machine = &cx.snapshot.machine;
    let dot = cx.theme.symbols.dot;
    let mut spans = Vec::new();
    let mut used = 1;
    if machine.link.simulated {
        spans.push(cx.span(" SIM ", Role::Sim));
        spans.push(Span::raw(" "));
        used = 6;
    } else {
        spans.push(Span::raw(" "));
    }
    let who = match &machine.identity {
        Some(identity) => format!("{} {}", identity.firmware, identity.version),
        None => "sunmill".to_owned(),
    };
    used += who.len();
    spans.push(cx.span(who, Role::Title));
    if let Some(control) = &cx.snapshot.people.control
        && control.client != cx.ui.settings.me
        && !control.stale
    {
        let text = format!(" {dot} watching: {} is in control ({} takes it)", control.who, cx.key(Action::TakeControl));
        spans.push(cx.span(fit(&text, width.saturating_sub(used), cx.theme.symbols.more), Role::Warning));
        return spans;
    }
    let mut facts = Vec::new();
    if machine.link.simulated {
        facts.push("simulated machine".to_owned());
    } else if !machine.link.endpoint.is_empty() {
        facts.push(machine.link.endpoint.clone());
    }
    facts.push(link_word(&machine.link.state).to_owned());
    if let Some(name) = machine.identity.as_ref().and_then(|identity| identity.name.clone()) {
        facts.insert(0, name);
    }
    facts.retain(|fact| !fact.is_empty());
    let text = facts.iter().fold(String::new(), |text, fact| text + " " + dot + " " + fact);
    spans.push(cx.span(fit(&text, width.saturating_sub(used), cx.theme.symbols.more), Role::Quiet));
    spans
}

/// The link's state, where it is not the ordinary one.
const fn link_word(state: &LinkState) -> &'static str {
    match state {
        LinkState::Up => "",
        LinkState::Opening => "opening",
        LinkState::Asking => "asking",
        LinkState::Identifying => "identifying",
        LinkState::Silent { .. } => "silent",
        LinkState::Foreign { .. } => "not a Grbl",
        LinkState::Down { .. } => "down",
    }
}

/// The state in capitals, as far as it is known.
pub(super) fn state_text(cx: &Cx<'_>) -> String {
    let machine = &cx.snapshot.machine;
    match (machine.age(cx.now), machine.state) {
        (Age::Unknown, _) | (_, None) if machine.link.is_open() => "ASKING".to_owned(),
        (Age::Unknown | Age::Lost(_), _) | (_, None) if !machine.link.is_open() => "NO LINK".to_owned(),
        (Age::Lost(_), _) => "LOST".to_owned(),
        (Age::Stale(_), Some(state)) => format!("{}?", state.to_string().to_uppercase()),
        (_, Some(state)) => {
            let word = state.to_string().to_uppercase();
            match (state.kind, state.sub) {
                (StateKind::Hold, Some(1)) => format!("{word} slowing"),
                (StateKind::Door, Some(0)) => format!("{word} closed"),
                (StateKind::Door, Some(1)) => format!("{word} open"),
                _ => word,
            }
        }
        (_, None) => "NOT KNOWN".to_owned(),
    }
}

fn state_role(cx: &Cx<'_>) -> Role {
    match cx.snapshot.machine.fresh_state(cx.now).map(|state| state.kind) {
        Some(StateKind::Idle) => Role::Good,
        Some(StateKind::Run | StateKind::Jog | StateKind::Home) => Role::Accent,
        Some(StateKind::Alarm) => Role::Alarm,
        Some(_) => Role::Warning,
        None => Role::Bad,
    }
}
