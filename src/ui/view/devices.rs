//! The tab Devices: how the link does.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::text::Line;

use super::table;
use super::text::{Cx, printable};
use crate::ui::theme::Role;

/// Draws it. Returns the cursor's place, if a text field is open.
pub(super) fn draw(cx: &Cx<'_>, area: Rect, buf: &mut Buffer) -> Option<Position> {
    let link = &cx.snapshot.machine.link;
    let stats = &link.stats;
    let head =
        format!("   {}", if link.simulated { "simulated machine".to_owned() } else { printable(&link.endpoint) });
    let rows = [
        ("received", format!("{} bytes", stats.rx_bytes)),
        ("sent", format!("{} bytes", stats.tx_bytes)),
        ("status reports", stats.reports.to_string()),
        ("made no sense", format!("{} bytes", stats.garbage_bytes)),
        ("answers to nothing", stats.unexpected_replies.to_string()),
        ("times connected", stats.connects.to_string()),
        ("controller resets", format!("{} that nobody asked for", stats.controller_resets)),
    ];
    let rows: Vec<_> = rows
        .into_iter()
        .map(|(what, value)| {
            Line::from(vec![cx.span(format!("   {what:<20}"), Role::Quiet), cx.span(value, Role::Text)])
        })
        .collect();
    table::draw(cx, area, &head, &rows, "", cx.ui.devices.top, buf);
    None
}
