//! What the machine does: feed, spindle, overrides, coolant, pins, buffer.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Line;

use super::text::{Cx, fit, put, put_right};
use crate::model::AxisVec;
use crate::model::snapshot::Age;
use crate::ui::outputs::all_asked;
use crate::ui::theme::Role;
use crate::ui::words::pins_text;

/// Columns of the labels.
const LABEL: usize = 9;

/// Rows of the panel.
pub(super) const ROWS: u16 = 5;
/// From this width on, values and overrides fit beside each other with their units.
const WIDE: u16 = 30;

/// Where the bar at the left of the panel meets the rule above it.
pub(super) fn tee(cx: &Cx<'_>, at: Rect, buf: &mut Buffer) {
    put(buf, Rect { width: 1, ..at }, 0, &Line::from(cx.span(cx.theme.symbols.tee, Role::Quiet)));
}

pub(super) fn draw(cx: &Cx<'_>, area: Rect, buf: &mut Buffer) {
    let machine = &cx.snapshot.machine;
    // What is lost is not shown as if it were so still.
    let known = !matches!(machine.age(cx.now), Age::Lost(_) | Age::Unknown);
    for row in 0..area.height {
        let bar = Rect { x: area.x.saturating_sub(1), width: 1, ..area };
        put(buf, bar, row, &Line::from(cx.span(cx.theme.symbols.bar, Role::Quiet)));
    }
    // In a narrow panel the numbers need the room of their units, and an override is told where it is not 100 %.
    let wide = area.width >= WIDE;
    let units = cx.ui.units;
    let unit = |unit: &'static str| if wide { unit } else { "" };
    let number = |value: Option<f64>| value.map_or("-".to_owned(), |value| format!("{value:.0}"));
    let percent = |value: Option<u16>| {
        value.filter(|value| wide || *value != 100).map_or(String::new(), |value| format!("{value:>3} %"))
    };
    let overrides = machine.overrides.filter(|_| known);
    let pins = if known { pins_text(machine.pins) } else { "-".to_owned() };
    let rows = [
        (
            "feed",
            format!(
                "{:>6}{}",
                machine.feed_mm_min.filter(|_| known).map_or("-".to_owned(), |feed| units.feed_text(feed)),
                if wide { format!(" {}", units.feed()) } else { String::new() }
            ),
            percent(overrides.map(|o| o.feed)),
            overrides.is_some_and(|o| o.feed != 100),
        ),
        (
            "spindle",
            format!(
                "{:>6}{} {}",
                number(machine.spindle_rpm.filter(|_| known)),
                unit(" rpm"),
                // The override takes the place of the word where both do not fit.
                if known && (wide || overrides.is_none_or(|o| o.spindle == 100)) { spindle_word(cx) } else { "" }
            ),
            percent(overrides.map(|o| o.spindle)),
            overrides.is_some_and(|o| o.spindle != 100),
        ),
        (
            "coolant",
            format!("{:>6}", if known { coolant(cx) } else { "-" }),
            overrides
                .filter(|o| wide || o.rapid != 100)
                .map_or(String::new(), |o| format!("{}{:>3} %", if wide { "rapids " } else { "r" }, o.rapid)),
            overrides.is_some_and(|o| o.rapid != 100),
        ),
        ("pins", format!("{pins:>6}"), String::new(), known && !machine.pins.is_empty()),
        (
            "buffer",
            machine.buffer.filter(|_| known).map_or("     -".to_owned(), |b| {
                format!("{:>6} blocks {} B{}", b.planner, b.rx, if b.rx < 1000 { " free" } else { "" })
            }),
            String::new(),
            false,
        ),
    ];
    let used = rows.len();
    let inner = Rect { width: area.width.saturating_sub(1), ..area };
    for (row, (label, value, right, attention)) in rows.into_iter().enumerate() {
        let role = if attention { Role::Warning } else { Role::Text };
        let value_role = if label == "pins" { role } else { Role::Text };
        // What stands at the right goes first to its place; the value is cut where there is no room for both.
        let room = usize::from(inner.width).saturating_sub(LABEL + if right.is_empty() { 0 } else { right.len() + 1 });
        let value = fit(if area.width < 30 { value.trim_start() } else { &value }, room, cx.theme.symbols.more);
        let label = cx.span(format!(" {label:<width$}", width = LABEL - 1), Role::Quiet);
        put(buf, area, row as u16, &Line::from(vec![label, cx.span(value, value_role)]));
        put_right(buf, inner, row as u16, &Line::from(cx.span(right, role)));
    }
    for (row, (label, value)) in details(cx).into_iter().enumerate() {
        let text = fit(&value, usize::from(inner.width).saturating_sub(LABEL), cx.theme.symbols.more);
        let line =
            vec![cx.span(format!(" {label:<width$}", width = LABEL - 1), Role::Quiet), cx.span(text, Role::Text)];
        put(buf, area, (used + row) as u16, &Line::from(line));
    }
}

/// What only a larger screen has room for.
fn details(cx: &Cx<'_>) -> Vec<(&'static str, String)> {
    let machine = &cx.snapshot.machine;
    let values = |values: &AxisVec| {
        values
            .iter()
            .map(|(axis, value)| format!("{axis} {}", cx.ui.units.position(axis, value)))
            .collect::<Vec<_>>()
            .join("  ")
    };
    let unknown = || "not told yet".to_owned();
    let stats = &machine.link.stats;
    let mut rows = vec![
        ("modal", machine.modal.as_ref().map_or_else(unknown, |modal| modal.words.join(" "))),
        ("offset", machine.work_offset.as_ref().map_or_else(unknown, &values)),
        ("tool", machine.offsets.get("TLO").map_or_else(unknown, |tlo| format!("length offset {}", values(tlo)))),
        (
            "probe",
            machine.probe.as_ref().map_or_else(
                || "nothing probed yet".to_owned(),
                |probe| {
                    format!(
                        "{} {}",
                        if probe.success { "touched at" } else { "no contact, to" },
                        values(&probe.position)
                    )
                },
            ),
        ),
        ("link", format!("{} reports, {} bytes made no sense", stats.reports, stats.garbage_bytes)),
    ];
    rows.extend(all_asked(cx.snapshot).map(|asked| ("outputs", asked)));
    rows
}

fn spindle_word(cx: &Cx<'_>) -> &'static str {
    match cx.snapshot.machine.accessories {
        Some(on) if on.spindle_cw => "cw",
        Some(on) if on.spindle_ccw => "ccw",
        Some(_) => "off",
        None => "",
    }
}

fn coolant(cx: &Cx<'_>) -> &'static str {
    match cx.snapshot.machine.accessories {
        Some(on) if on.flood && on.mist => "flood, mist",
        Some(on) if on.flood => "flood",
        Some(on) if on.mist => "mist",
        Some(_) => "off",
        None => "-",
    }
}
