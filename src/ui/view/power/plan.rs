//! The plan of the battery: what it will do until tomorrow morning, and which time windows would be good.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::super::text::{Cx, Rows, printable};
use super::facts::{nothing, row};
use crate::model::sun::Plan;
use crate::ui::theme::Role;

/// Columns of one hour's charge.
const CHARGE: usize = 10;
/// Rows that are kept for what it rests on.
const ASSUMED: u16 = 4;

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

fn draw_plan(cx: &Cx<'_>, plan: &Plan, area: Rect, buf: &mut Buffer) {
    let mut rows = Rows { rest: area };
    let head = format!("{} (made at {}): {}", plan.inverter, plan.made, plan.summary());
    row(cx, &mut rows, "battery", &printable(&head), Role::Value, buf);
    // As many rows of hours as leave room for what would be done.
    let in_row = (usize::from(area.width).saturating_sub(16) / CHARGE).max(1);
    let most = in_row * usize::from((area.height / 6).clamp(1, 4));
    row(cx, &mut rows, "charge", &plan.charges(most), Role::Text, buf);
    rows.top(1);
    if plan.windows.is_empty() {
        row(cx, &mut rows, "advice", "no time window would make it better", Role::Good, buf);
    }
    for window in &plan.windows {
        row(cx, &mut rows, "advice", &printable(&window.words()), Role::Accent, buf);
        if rows.rest.height > ASSUMED {
            row(cx, &mut rows, "because", &printable(&window.why), Role::Text, buf);
        }
    }
    if !plan.windows.is_empty() {
        let text = "Nothing of this was written: a person does that, on the page of settings (4).";
        row(cx, &mut rows, "", text, Role::Quiet, buf);
    }
    for (i, assumed) in plan.assumed.iter().enumerate() {
        row(cx, &mut rows, if i == 0 { "assumed" } else { "" }, &printable(assumed), Role::Quiet, buf);
    }
}
