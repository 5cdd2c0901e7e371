//! Energies hour by hour or day by day, as bars with their numbers.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Line;

use super::super::table;
use super::super::text::{Cx, Rows, printable, put};
use super::course::title;
use super::facts::nothing;
use crate::model::power::EnergyBar;
use crate::ui::power::Span;
use crate::ui::programs::words::date;
use crate::ui::theme::Role;

/// Columns from which battery and grid stand in the table too.
const WIDE: u16 = 76;
/// Below this part of its time a bar is marked as incomplete.
const WHOLE: f64 = 0.95;

/// Draws it.
pub(super) fn draw(cx: &Cx<'_>, area: Rect, buf: &mut Buffer) {
    let course = &cx.ui.power.course;
    let mut rows = Rows { rest: area };
    put(buf, rows.top(1), 0, &Line::from(cx.span(title(cx, course), Role::Quiet)));
    let bars = match &course.energies {
        None => return nothing(cx, rows.rest, "the history is being read", buf),
        Some(Err(why)) => return nothing(cx, rows.rest, &printable(why), buf),
        Some(Ok(bars)) => bars,
    };
    let most = bars.iter().flat_map(|bar| [bar.pv, bar.load]).flatten().fold(0.1, f64::max);
    let wide = area.width >= WIDE;
    let width = usize::from(area.width).saturating_sub(if wide { 58 } else { 32 }) / 2;
    let mut lines: Vec<Line<'static>> = bars.iter().map(|bar| line(cx, bar, course.span, most, width, wide)).collect();
    if !bars.is_empty() {
        lines.push(sum(cx, bars, width, wide));
    }
    let mut head = format!("  {:<10} {:>6} {:width$} {:>6} {:width$}", "kWh", "sun", "", "load", "");
    if wide {
        head += " import export charge   out";
    }
    let empty = "  nothing is known of this time: Left goes further back";
    let room = usize::from(rows.rest.height.saturating_sub(1));
    let top = cx.ui.power.selected.min(lines.len().saturating_sub(room));
    // How much there is below stands in the line of the title: the heading has no room for it.
    table::tell_below(cx, Rect { height: 1, ..area }, lines.len().saturating_sub(top + room), buf);
    let seen: Vec<_> = lines.into_iter().skip(top).take(room).collect();
    table::draw(cx, rows.rest, &head, &seen, empty, 0, buf);
}

fn line(cx: &Cx<'_>, bar: &EnergyBar, span: Span, most: f64, width: usize, wide: bool) -> Line<'static> {
    let when = date(bar.at_ms, &cx.ui.settings.zone);
    let when = when.get(if span == Span::Week { 0..10 } else { 11..16 }).unwrap_or_default().to_owned();
    // At least so much: for the rest of the time nothing is known.
    let mark = if bar.known < WHOLE { ">" } else { " " };
    let ascii = cx.theme.symbols.line.is_ascii();
    let (full, half) = if ascii { ("#", "") } else { ("█", "▌") };
    let draw = |kwh: Option<f64>| {
        let halves = (kwh.unwrap_or(0.0) / most * width as f64 * 2.0).round() as usize;
        let text = full.repeat(halves / 2) + if halves % 2 == 1 { half } else { "" };
        format!(" {text:<width$} ")
    };
    let mut spans = vec![
        cx.span(format!("  {when:<10}"), Role::Text),
        cx.span(mark, Role::Warning),
        cx.span(number(bar.pv), Role::Value),
        cx.span(draw(bar.pv), Role::Good),
        cx.span(number(bar.load), Role::Value),
        cx.span(draw(bar.load), Role::Text),
    ];
    if wide {
        let others = [bar.import, bar.export, bar.charge, bar.discharge].map(number).join(" ");
        spans.push(cx.span(others, Role::Text));
    }
    Line::from(spans)
}

/// A number of a column; what is not known is no 0.
fn number(kwh: Option<f64>) -> String {
    kwh.map_or_else(|| format!("{:>6}", "-"), |kwh| format!("{kwh:>6.2}"))
}

fn sum(cx: &Cx<'_>, bars: &[EnergyBar], width: usize, wide: bool) -> Line<'static> {
    // None where no bar knows any.
    let total = |pick: fn(&EnergyBar) -> Option<f64>| number(bars.iter().filter_map(pick).reduce(|a, b| a + b));
    let whole = bars.iter().all(|bar| bar.known >= WHOLE);
    let label = if whole { "together" } else { "at least" };
    let (pv, load) = (total(|bar| bar.pv), total(|bar| bar.load));
    let mut text = format!("  {label:<10} {pv} {:width$} {load} {:width$} ", "", "");
    if wide {
        let picks: [fn(&EnergyBar) -> Option<f64>; 4] =
            [|bar| bar.import, |bar| bar.export, |bar| bar.charge, |bar| bar.discharge];
        text += &picks.map(total).join(" ");
    }
    Line::from(cx.span(text, Role::Title))
}
