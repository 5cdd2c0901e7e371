//! The buses: how each stands, how fast and how well it answers.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::super::text::{Cx, Rows, printable};
use super::facts::{nothing, row};
use crate::model::power::{Bus, BusState};
use crate::ui::power::words;
use crate::ui::programs::words::{count, plural};
use crate::ui::theme::Role;

/// Draws it.
pub(super) fn draw(cx: &Cx<'_>, area: Rect, buf: &mut Buffer) {
    let buses = &cx.snapshot.power.buses;
    if buses.is_empty() {
        return nothing(cx, area, "no bus is open yet", buf);
    }
    let selected = cx.ui.power.selected.min(buses.len() - 1);
    let mut rows = Rows { rest: area };
    // From the selected one on, so that it is always in sight.
    let room = usize::from(area.height / 5).max(1);
    let first = (selected + 1).saturating_sub(room);
    for (i, bus) in buses.iter().enumerate().skip(first) {
        draw_bus(cx, bus, i == selected && buses.len() > 1, &mut rows, buf);
    }
}

fn draw_bus(cx: &Cx<'_>, bus: &Bus, selected: bool, rows: &mut Rows, buf: &mut Buffer) {
    let pointer = if selected { format!("{} ", cx.theme.symbols.pointer) } else { String::new() };
    let on = cx.snapshot.power.inverters.iter().filter(|unit| unit.bus == bus.name);
    let names: Vec<String> = on.map(|unit| format!("{} (address {})", unit.known.name, unit.address)).collect();
    let sim = if bus.simulated { "SIM, " } else { "" };
    let place = format!("{sim}{}: {}", bus.endpoint, names.join(", "));
    row(cx, rows, &format!("{pointer}{}", bus.name), &printable(&place), Role::Title, buf);
    let role = match bus.state {
        BusState::Open => Role::Good,
        BusState::Opening => Role::Text,
        BusState::Quiet { .. } => Role::Warning,
        BusState::Down { .. } => Role::Bad,
    };
    row(cx, rows, "state", &printable(&words::bus_state(&bus.state, cx.now)), role, buf);
    let n = &bus.counters;
    let ms = |micros: u64| format!("{} ms", (micros + 500) / 1000);
    let round =
        bus.round.map_or(String::new(), |round| format!(", a round of the fast values {} ms", round.as_millis()));
    let times = if n.replies == 0 {
        "nothing has answered yet".to_owned()
    } else {
        format!("mean {}, slowest {}{round}", ms(n.mean_us), ms(n.slowest_us))
    };
    row(cx, rows, "answers", &times, Role::Text, buf);
    let counts = format!(
        "{} asked, {} answered, {}, opened {}",
        count(n.requests),
        count(n.replies),
        plural(n.exceptions, "exception"),
        plural(n.opens, "time")
    );
    row(cx, rows, "requests", &counts, Role::Text, buf);
    let trouble = format!(
        "{}, {}, {} cut short, {} misfit, {}",
        plural(n.timeouts, "time-out"),
        plural(n.crc_errors, "CRC error"),
        count(n.cut_short),
        count(n.desyncs),
        plural(n.stray_bytes, "stray byte")
    );
    let is_bad = n.timeouts + n.crc_errors + n.cut_short + n.desyncs + n.stray_bytes > 0;
    row(cx, rows, "trouble", &trouble, if is_bad { Role::Warning } else { Role::Text }, buf);
    if let Some(what) = &bus.wire_trouble {
        row(cx, rows, "wire", &printable(what), Role::Bad, buf);
    }
    rows.top(1);
}
