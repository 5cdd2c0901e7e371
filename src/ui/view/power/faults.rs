//! Faults and warnings that are there, and those that were.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Line;

use super::super::table;
use super::super::text::{Cx, printable, wrap};
use super::facts::moment;
use crate::ui::power::{SeenFault, words};
use crate::ui::theme::Role;

/// Draws it.
pub(super) fn draw(cx: &Cx<'_>, area: Rect, buf: &mut Buffer) {
    let log = &cx.ui.power.faults;
    let now: Vec<&SeenFault> = {
        // Worst first; among the same the newest.
        let mut there: Vec<_> = log.seen.iter().filter(|seen| seen.until.is_none()).collect();
        there.sort_by_key(|seen| seen.fault.warning);
        there
    };
    let width = usize::from(area.width).saturating_sub(14);
    let mut lines = Vec::new();
    for seen in now.iter().copied().chain(log.over()) {
        lines.extend(block(cx, seen, width));
    }
    let head = match (now.len(), log.over().count()) {
        (0, 0) => String::new(),
        (there, over) => format!("   {there} there now, {over} over since this screen was started"),
    };
    let known = cx.snapshot.power.inverters.iter().map(|unit| &unit.known);
    let unread = known.filter_map(|known| Some(format!("{}: {}", known.name, words::unread_faults(known, cx.now)?)));
    let unread: Vec<String> = unread.collect();
    let empty = if unread.is_empty() {
        "   no fault and no warning since this screen was started".to_owned()
    } else {
        format!("   {}", printable(&unread.join("; ")))
    };
    table::draw(cx, area, &head, &lines, &empty, cx.ui.power.selected, buf);
}

fn block(cx: &Cx<'_>, seen: &SeenFault, width: usize) -> Vec<Line<'static>> {
    let fault = &seen.fault;
    let (label, role) = match (seen.until, fault.warning) {
        (Some(_), _) => ("over", Role::Quiet),
        (None, true) => ("warning", Role::Warning),
        (None, false) => ("FAULT", Role::Bad),
    };
    let since = moment(cx, fault.since);
    let when = match seen.until {
        None => format!("since {since}"),
        Some(until) => format!("{since} to {}", moment(cx, until)),
    };
    let text = printable(&format!("{}: {} ({when}, register {})", seen.inverter, fault.text, fault.register));
    let text_role = if seen.until.is_some() { Role::Quiet } else { Role::Text };
    wrap(&text, width)
        .into_iter()
        .enumerate()
        .map(|(i, text)| {
            let label = if i == 0 { label } else { "" };
            Line::from(vec![cx.span(format!("   {label:<9} "), role), cx.span(text, text_role)])
        })
        .collect()
}
