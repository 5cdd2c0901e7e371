//! The plan of the battery: what it will do until tomorrow morning, and which time windows would be good.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::super::table;
use super::super::text::{Cx, Rows, printable};
use super::facts::{height, nothing, row};
use crate::model::sun::Plan;
use crate::ui::power::plan_facts;
use crate::ui::theme::Role;

/// Columns of one hour's charge.
const CHARGE: usize = 10;

/// What is said of it among the rules: one sentence.
pub(super) fn brief(cx: &Cx<'_>, rows: &mut Rows, buf: &mut Buffer) {
    match &cx.snapshot.sun.plan {
        Some(Ok(plan)) => row(cx, rows, "plan", &printable(&plan.summary()), Role::Text, buf),
        Some(Err(why)) => row(cx, rows, "plan", &printable(why), Role::Quiet, buf),
        None => {}
    }
}

/// Draws it.
pub(super) fn draw(cx: &Cx<'_>, area: Rect, buf: &mut Buffer) {
    match &cx.snapshot.sun.plan {
        Some(Ok(plan)) => draw_plan(cx, plan, area, buf),
        Some(Err(why)) => nothing(cx, area, &printable(&format!("No plan: {why}.")), buf),
        None => {
            let text = "No plan: no inverter is configured, no history is kept, or it has not been made yet.";
            nothing(cx, area, text, buf);
        }
    }
}

/// From the top, or from as far down as was moved; where not all of it fits, the last row says how much is below.
fn draw_plan(cx: &Cx<'_>, plan: &Plan, area: Rect, buf: &mut Buffer) {
    // As many rows of hours as leave room for what would be done.
    let in_row = (usize::from(area.width).saturating_sub(16) / CHARGE).max(1);
    let most = in_row * usize::from((area.height / 6).clamp(1, 4));
    let facts: Vec<_> =
        plan_facts(plan, most).into_iter().map(|(label, text, role)| (label, printable(&text), role)).collect();
    let heights: Vec<usize> = facts.iter().map(|(_, text, _)| height(text, area.width)).collect();
    let left_of = |first: usize| heights[first..].iter().sum::<usize>();
    let room = usize::from(area.height);
    let last = (0..facts.len()).find(|first| left_of(*first) < room).unwrap_or_default();
    let top = if left_of(0) <= room { 0 } else { cx.ui.power.selected.min(last) };
    let mut rows = Rows { rest: area };
    let foot = if left_of(top) > room { rows.bottom(1) } else { Rect::ZERO };
    let mut below = facts.len() - top;
    for ((label, text, role), height) in facts.iter().zip(&heights).skip(top) {
        below -= usize::from(*height <= usize::from(rows.rest.height));
        row(cx, &mut rows, label, text, *role, buf);
    }
    table::tell_below(cx, foot, below, buf);
}
