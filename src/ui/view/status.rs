//! What the machine does: feed, spindle, overrides, coolant, pins, buffer.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Line;

use super::text::{Cx, put};
use crate::model::snapshot::Age;
use crate::ui::theme::Role;
use crate::ui::words::pins_text;

/// Rows of the panel.
pub(super) const ROWS: u16 = 5;

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
    let number = |value: Option<f64>| value.map_or("-".to_owned(), |value| format!("{value:.0}"));
    let percent = |value: Option<u16>| value.map_or(String::new(), |value| format!("{value:>3} %"));
    let overrides = machine.overrides.filter(|_| known);
    let pins = if known { pins_text(machine.pins) } else { "-".to_owned() };
    let rows = [
        (
            "feed",
            format!("{:>6} mm/min", number(machine.feed_mm_min.filter(|_| known))),
            percent(overrides.map(|o| o.feed)),
            overrides.is_some_and(|o| o.feed != 100),
        ),
        (
            "spindle",
            format!(
                "{:>6} rpm {}",
                number(machine.spindle_rpm.filter(|_| known)),
                if known { spindle_word(cx) } else { "" }
            ),
            percent(overrides.map(|o| o.spindle)),
            overrides.is_some_and(|o| o.spindle != 100),
        ),
        (
            "coolant",
            format!("{:>6}", if known { coolant(cx) } else { "-" }),
            overrides.map_or(String::new(), |o| format!("rapids {:>3} %", o.rapid)),
            overrides.is_some_and(|o| o.rapid != 100),
        ),
        ("pins", format!("{pins:>6}"), String::new(), known && !machine.pins.is_empty()),
        (
            "buffer",
            machine
                .buffer
                .filter(|_| known)
                .map_or("     -".to_owned(), |b| format!("{:>6} blocks {} B free", b.planner, b.rx)),
            String::new(),
            false,
        ),
    ];
    for (row, (label, value, right, attention)) in rows.into_iter().enumerate() {
        let role = if attention { Role::Warning } else { Role::Text };
        let value_role = if label == "pins" { role } else { Role::Text };
        put(
            buf,
            area,
            row as u16,
            &Line::from(vec![cx.span(format!(" {label:<8}"), Role::Quiet), cx.span(value, value_role)]),
        );
        let right = Line::from(cx.span(right, role));
        let inner = Rect { width: area.width.saturating_sub(1), ..area };
        super::text::put_right(buf, inner, row as u16, &right);
    }
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
