//! The jog panel: step, feed, how a hold works here, where it stops, and the keys.

use std::time::Duration;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::text::{Cx, fit, put, put_marked, rule as draw_rule};
use crate::model::jog::{JogVector, KEY_LATENCY, capped_feed_mm_min, stop_distance_mm};
use crate::model::{Axis, AxisVec, Units};
use crate::ui::action::{Action, available};
use crate::ui::jog::latch::Latch;
use crate::ui::state::Mode;
use crate::ui::theme::Role;

/// A link that takes longer than this, there and back, is told; it counts in any case.
const TOLD_LINK: Duration = Duration::from_millis(10);

/// Rows of the panel: the keys are only shown where they work.
pub(super) fn rows(cx: &Cx<'_>) -> u16 {
    if cx.ui.mode == Mode::Jog { 4 } else { 1 }
}

pub(super) fn rule(cx: &Cx<'_>, area: Rect, buf: &mut Buffer) {
    let title = if cx.ui.mode == Mode::Jog {
        Line::from([vec![cx.span(" JOG MODE ", Role::Accent)], latch(cx)].concat())
    } else {
        Line::from(cx.span("Jog", Role::Title))
    };
    draw_rule(buf, area, cx, title);
}

/// What a direction does now, or what goes on without a key.
fn latch(cx: &Cx<'_>) -> Vec<Span<'static>> {
    let pad = &cx.ui.pad;
    let most = length(cx, pad.latch_mm());
    match pad.latch() {
        Latch::Running(_) => vec![
            cx.span(" LATCHED ", Role::Alarm),
            cx.span(format!(" goes on by itself, {most} at most: ANY KEY STOPS "), Role::Warning),
        ],
        latch if latch.is_armed(cx.now) => vec![
            cx.span(" LATCH ", Role::Warning),
            cx.span(format!(" tap a direction: it goes on, {most} at most, until any key "), Role::Warning),
        ],
        _ => vec![cx.span(" keys move the machine ", Role::Title)],
    }
}

pub(super) fn draw(cx: &Cx<'_>, area: Rect, buf: &mut Buffer) {
    if cx.ui.mode == Mode::Jog {
        put_marked(buf, area, 0, &steps(cx), cx);
        put_marked(buf, area, 1, &feed(cx), cx);
        for (row, line) in keys(cx).into_iter().enumerate() {
            put_marked(buf, area, row as u16 + 2, &line, cx);
        }
        return;
    }
    let pad = &cx.ui.pad;
    if let Err(why) = available(Action::JogMode, cx.snapshot, cx.now) {
        let text = fit(&format!("   not now: {why}"), usize::from(area.width), cx.theme.symbols.more);
        put(buf, area, 0, &Line::from(cx.span(text, Role::Quiet)));
        return;
    }
    let line = Line::from(vec![
        cx.span("   i", Role::Key),
        cx.span(" enters jog mode", Role::Text),
        cx.span(
            format!("   step {}   feed {}", length(cx, pad.step_mm()), feed_text(cx, pad.feed_mm_min())),
            Role::Quiet,
        ),
    ]);
    put_marked(buf, area, 0, &line, cx);
}

fn steps(cx: &Cx<'_>) -> Line<'static> {
    let pad = &cx.ui.pad;
    let mut spans =
        vec![cx.span(" step ", Role::Quiet), cx.span(format!("{:>10}", length(cx, pad.step_mm())), Role::Value)];
    if cx.snapshot.machine.axis_count() > Axis::A.index() {
        spans.push(cx.span(format!(" {} deg", trimmed(pad.step_deg())), Role::Value));
    }
    spans.push(Span::raw("   "));
    for (index, preset) in pad.presets_mm().iter().enumerate().take(4) {
        let role = if pad.preset() == Some(index) { Role::Selected } else { Role::Quiet };
        spans.push(cx.span(format!("{}:", index + 1), Role::Key));
        spans.push(cx.span(format!(" {} ", trimmed(*preset / cx.ui.units.mm())), role));
        spans.push(Span::raw(" "));
    }
    let [times, over] = cx.theme.symbols.times;
    spans.push(cx.span("  + -", Role::Key));
    spans.push(cx.span(" next ", Role::Quiet));
    spans.push(cx.span(" * /", Role::Key));
    spans.push(cx.span(format!(" {times}10 {over}10"), Role::Quiet));
    Line::from(spans)
}

fn feed(cx: &Cx<'_>) -> Line<'static> {
    let pad = &cx.ui.pad;
    let limits = &cx.snapshot.machine.limits;
    let vector = pad.moving().copied().unwrap_or_else(|| along_x(cx));
    let capped = capped_feed_mm_min(limits, &vector.direction, vector.feed_mm_min);
    let mut spans = vec![
        cx.span(" feed ", Role::Quiet),
        cx.span(format!("{:>14}", feed_text(cx, vector.feed_mm_min)), Role::Value),
    ];
    if capped < vector.feed_mm_min {
        spans.push(cx.span(format!(" (held, capped at {})", cx.ui.units.feed_text(capped)), Role::Warning));
    }
    spans.push(cx.span("  , .", Role::Key));
    if !pad.continuous {
        spans.push(cx.span("   single steps only ", Role::Text));
        spans.push(cx.span(" Tab", Role::Key));
        spans.push(cx.span(" holds", Role::Quiet));
        return Line::from(spans);
    }
    let link = cx.snapshot.people.link_delay(cx.ui.settings.me);
    let stop = stop_distance_mm(limits, &vector, pad.lease(), KEY_LATENCY + link);
    let link = if link < TOLD_LINK { String::new() } else { format!("  link {} ms", link.as_millis()) };
    let learned = if pad.lease_is_learned() { "learned" } else { "default" };
    let stop = match cx.ui.units {
        Units::Mm => format!("{stop:.1} mm"),
        Units::Inch => format!("{:.2} in", stop / Units::Inch.mm()),
    };
    spans.push(cx.span(format!("   hold: stops within {stop}"), Role::Text));
    spans.push(cx.span(format!("  lease {} ms {learned}{link}", pad.lease().as_millis()), Role::Quiet));
    Line::from(spans)
}

fn along_x(cx: &Cx<'_>) -> JogVector {
    let mut direction = AxisVec::zeros(cx.snapshot.machine.axis_count());
    direction.set(Axis::X, 1.0);
    JogVector { direction, feed_mm_min: cx.ui.pad.feed_mm_min() }
}

fn keys(cx: &Cx<'_>) -> [Line<'static>; 2] {
    let [left, right, up, down] = cx.theme.symbols.arrows;
    let [times, over] = cx.theme.symbols.times;
    let mut first = vec![Span::raw(" ")];
    first.extend(cx.hint(&format!("{left} {right}"), "X"));
    first.extend(cx.hint(&format!("{up} {down}"), "Y"));
    first.extend(cx.hint("PgUp PgDn", "Z"));
    let axes = cx.snapshot.machine.axis_count();
    if axes > Axis::A.index() {
        first.extend(cx.hint("< >", &cx.ui.pad.extra().to_string()));
    }
    if axes > Axis::A.index() + 1 {
        first.extend(cx.hint(&cx.key(Action::NextExtraAxis), "other axis"));
    }
    first.extend(cx.hint("y u b n", "diagonals"));
    // Only where it can be had.
    if cx.ui.pad.can_prove {
        first.extend(cx.hint(&cx.key(Action::LatchJog), "latch"));
    }
    let mut second = vec![Span::raw(" ")];
    second.extend(cx.hint("Shift", &format!("{times}10")));
    second.extend(cx.hint("Alt", &format!("{over}10")));
    second.push(cx.span("a tap is one step, holding goes on until you let go", Role::Quiet));
    [Line::from(first), Line::from(second)]
}

/// A length in mm, in the unit that is shown.
fn length(cx: &Cx<'_>, mm: f64) -> String {
    format!("{} {}", trimmed(mm / cx.ui.units.mm()), cx.ui.units.length())
}

/// A feed in mm/min, in the unit that is shown.
fn feed_text(cx: &Cx<'_>, mm_min: f64) -> String {
    format!("{} {}", cx.ui.units.feed_text(mm_min), cx.ui.units.feed())
}

/// Without trailing zeros, at most four places.
fn trimmed(value: f64) -> String {
    let text = format!("{value:.4}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}
