//! The tab Devices: how the link does, and which serial devices there are; the log; the clients.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::text::Line;

use super::text::{Cx, Rows, fit, printable, put, wrap};
use super::{clients, log};
use crate::model::desk::Candidate;
use crate::model::snapshot::{Latency, LinkStats};
use crate::ui::action::Action;
use crate::ui::devices::Page;
use crate::ui::theme::Role;

/// Rows that a device takes: its name, what it is, and what it answered.
const ROWS_OF_A_DEVICE: usize = 3;

/// Draws it. Returns the cursor's place, if a text field is open.
pub(super) fn draw(cx: &Cx<'_>, area: Rect, buf: &mut Buffer) -> Option<Position> {
    match cx.ui.devices.page {
        Page::Ports => ports(cx, area, buf),
        Page::Log => return log::draw(cx, area, buf),
        Page::Clients => clients::draw(cx, area, buf),
    }
    None
}

fn ports(cx: &Cx<'_>, area: Rect, buf: &mut Buffer) {
    let link = &cx.snapshot.machine.link;
    let endpoint = if link.simulated { "simulated machine".to_owned() } else { printable(&link.endpoint) };
    let mut rows = Rows { rest: area };
    for (what, value, role) in std::iter::once(("link", endpoint, Role::Text)).chain(figures(&link.stats)) {
        let line = Line::from(vec![
            cx.span(format!("   {what:<11}"), Role::Quiet),
            cx.span(fit(&value, usize::from(area.width).saturating_sub(15), cx.theme.symbols.more), role),
        ]);
        put(buf, rows.top(1), 0, &line);
    }
    rows.top(1);
    let mut hints = vec![cx.span("   Serial devices   ", Role::Quiet)];
    hints.extend(cx.hint(&cx.key(Action::ListPorts), "lists them"));
    if cx.ui.devices.current().is_some() {
        hints.extend(cx.hint(&cx.key(Action::AskPort), "asks who it is"));
        hints.extend(cx.hint(&cx.key(Action::RememberPort), "uses it"));
    }
    put(buf, rows.top(1), 0, &Line::from(hints));
    devices(cx, rows.rest, buf);
}

/// Counters and measures, each row with how it is meant.
fn figures(stats: &LinkStats) -> impl Iterator<Item = (&'static str, String, Role)> {
    let rate = f64::from(stats.reports_10s) / 10.0;
    let flow = format!(
        "in {} B, {}/s  out {} B, {}/s  reports {}, {rate:.1}/s",
        stats.rx_bytes, stats.rx_bytes_s, stats.tx_bytes, stats.tx_bytes_s, stats.reports
    );
    let trouble = format!(
        "errors {}  garbage {} B  stray oks {}  reconnects {}  resets {}",
        stats.errors,
        stats.garbage_bytes,
        stats.unexpected_replies,
        stats.reconnects(),
        stats.controller_resets
    );
    let is_troubled = stats.garbage_bytes + stats.unexpected_replies > 0 || stats.controller_resets > 0;
    let lost = (stats.wire_log_lost > 0).then(|| {
        ("wire log", format!("{} records lost: the disk is too slow or full", stats.wire_log_lost), Role::Warning)
    });
    [
        ("flow", flow, Role::Text),
        ("? answer", latency(stats.status_latency), Role::Text),
        ("ok answer", latency(stats.line_latency), Role::Text),
        ("trouble", trouble, if is_troubled { Role::Warning } else { Role::Text }),
    ]
    .into_iter()
    .chain(lost)
}

fn latency(latency: Latency) -> String {
    if latency.count == 0 {
        return "none measured yet".to_owned();
    }
    let ms = |us: u32| f64::from(us) / 1000.0;
    format!(
        "half within {:.1} ms, 99 % within {:.1} ms, longest {:.1} ms, of {}",
        ms(latency.p50_us),
        ms(latency.p99_us),
        ms(latency.max_us),
        latency.count
    )
}

fn devices(cx: &Cx<'_>, area: Rect, buf: &mut Buffer) {
    let devices = &cx.ui.devices;
    let say = |buf: &mut Buffer, text: &str| put(buf, area, 0, &Line::from(cx.span(format!("   {text}"), Role::Quiet)));
    let Some(ports) = &devices.ports else { return say(buf, "not listed yet; listing opens none of them") };
    if ports.is_empty() {
        return say(buf, "none is connected: check cable and power");
    }
    // As many as fit, the selected one among them.
    let room = (usize::from(area.height) / ROWS_OF_A_DEVICE).max(1);
    let first = devices.selected.saturating_sub(room - 1);
    let mut rows = Rows { rest: area };
    for (index, port) in ports.iter().enumerate().skip(first).take(room) {
        device(cx, port, index == devices.selected, rows.top(ROWS_OF_A_DEVICE as u16), buf);
    }
}

fn device(cx: &Cx<'_>, port: &Candidate, is_selected: bool, area: Rect, buf: &mut Buffer) {
    let width = usize::from(area.width).saturating_sub(8);
    let (mark, role) = if is_selected { (" > ", Role::Key) } else { ("   ", Role::Text) };
    let name = fit(&printable(&port.path.display().to_string()), width, cx.theme.symbols.more);
    put(buf, area, 0, &Line::from(vec![cx.span(mark, Role::Key), cx.span(name, role)]));
    let what = printable(&format!("{}, {}", port.device.display(), port.what()));
    put(buf, area, 1, &Line::from(cx.span(format!("      {}", fit(&what, width, cx.theme.symbols.more)), Role::Quiet)));
    let is_asked = cx.ui.devices.asking.as_ref() == Some(&port.path);
    let (words, role) = match (port.taken(), cx.ui.devices.answer_of(port)) {
        (Some(taken), _) => (taken, Role::Warning),
        (None, _) if is_asked => ("is being asked...".to_owned(), Role::Quiet),
        (None, Some(answer)) => (answer.to_owned(), Role::Value),
        (None, None) => return,
    };
    let words = wrap(&printable(&words), width).into_iter().next().unwrap_or_default();
    put(buf, area, 2, &Line::from(cx.span(format!("      {words}"), role)));
}

#[cfg(test)]
mod tests;
