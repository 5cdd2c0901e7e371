//! How power went: a chart each of sun, load, battery, grid and the battery's level.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Line;

use super::super::text::{Cx, Rows, printable, put, put_right};
use super::chart::{self, Window};
use super::facts::nothing;
use crate::model::power::Sample;
use crate::ui::power::words::{percent, watts};
use crate::ui::power::{Course, Span};
use crate::ui::preview::Dots;
use crate::ui::programs::words::date;
use crate::ui::theme::Role;

/// Columns of the labels.
const LABEL: u16 = 18;

/// A chart: its name, what is drawn, and what up and down mean.
struct Series {
    name: &'static str,
    pick: fn(&Sample) -> Option<f32>,
    up: &'static str,
    down: &'static str,
    words: fn(f64) -> String,
}

const SERIES: [Series; 5] = [
    Series { name: "sun", pick: |sample| sample.pv_w, up: "", down: "", words: watts },
    Series { name: "load", pick: |sample| sample.load_w, up: "", down: "", words: watts },
    Series {
        name: "battery",
        pick: |sample| sample.battery_w,
        up: "up discharging",
        down: "down charging",
        words: watts,
    },
    Series { name: "grid", pick: |sample| sample.grid_w, up: "up importing", down: "down exporting", words: watts },
    Series { name: "level", pick: |sample| sample.soc_percent, up: "", down: "", words: percent },
];

/// How long a sample holds, in ms: half as long again as it should be until the next.
const fn hold_ms(span: Span) -> i64 {
    match span {
        Span::Hour => 15_000,
        Span::Day => 90_000,
        Span::Week => 1_350_000,
    }
}

/// Which time is looked at, in words.
pub(super) fn title(cx: &Cx<'_>, course: &Course) -> String {
    let Some((from, until)) = course.asked else { return String::new() };
    let zone = &cx.ui.settings.zone;
    let back = match course.back {
        0 => "until now".to_owned(),
        n => format!("{n} back"),
    };
    format!("  {} from {} to {} ({back})", course.span.word(), date(from, zone), date(until, zone))
}

/// Draws it.
pub(super) fn draw(cx: &Cx<'_>, area: Rect, buf: &mut Buffer) {
    let course = &cx.ui.power.course;
    let mut rows = Rows { rest: area };
    put(buf, rows.top(1), 0, &Line::from(cx.span(title(cx, course), Role::Quiet)));
    let samples = match &course.samples {
        _ if cx.ui.settings.started_unix_ms.is_none() => {
            return nothing(cx, rows.rest, "the time of day is not known here", buf);
        }
        None => return nothing(cx, rows.rest, "the history is being read", buf),
        Some(Err(why)) => return nothing(cx, rows.rest, &printable(why), buf),
        Some(Ok(samples)) if samples.is_empty() => {
            return nothing(cx, rows.rest, "nothing is known of this time: Left goes further back", buf);
        }
        Some(Ok(samples)) => samples,
    };
    let Some((from_ms, until_ms)) = course.asked else { return };
    let window = Window { from: from_ms, until: until_ms, hold: hold_ms(course.span) };
    axis(cx, from_ms, until_ms, rows.bottom(1), buf);
    let dots = Dots::of(&cx.ui.settings);
    let (count, height) = (SERIES.len() as u16, rows.rest.height);
    for (i, series) in SERIES.iter().enumerate() {
        // What is left over goes to the first ones, a row each.
        let at = rows.top((height / count + u16::from((i as u16) < height % count)).clamp(1, 7));
        let canvas = Rect { x: at.x + LABEL, width: at.width.saturating_sub(LABEL + 1), ..at };
        let slots = usize::from(canvas.width * dots.per_cell().0);
        let values = chart::means(samples, series.pick, window, slots);
        let scale = if series.name == "level" { (0.0, 100.0) } else { chart::scale(&values) };
        label(cx, series, &values, scale, at, buf);
        chart::draw(&values, scale, dots, cx.style(Role::Text), canvas, buf);
    }
}

/// Name, the top of the scale, and what up and down mean.
fn label(cx: &Cx<'_>, series: &Series, values: &[Option<f32>], (low, high): (f32, f32), area: Rect, buf: &mut Buffer) {
    let known = values.iter().flatten().count();
    let most = f64::from(if high > 0.0 { high } else { low });
    let top = if known == 0 { "not known".to_owned() } else { (series.words)(most) };
    let narrow = Rect { width: LABEL - 1, ..area };
    put(buf, narrow, 0, &Line::from(cx.span(format!("  {}", series.name), Role::Title)));
    put_right(buf, narrow, 0, &Line::from(cx.span(top, Role::Quiet)));
    let mut words = vec![series.up, series.down];
    if low >= 0.0 {
        words.pop();
    }
    for (i, word) in words.iter().enumerate() {
        if i as u16 + 1 < area.height {
            put(buf, narrow, i as u16 + 1, &Line::from(cx.span(format!("  {word}"), Role::Quiet)));
        }
    }
}

/// Beginning, middle and end of the time below the charts.
fn axis(cx: &Cx<'_>, from_ms: i64, until_ms: i64, area: Rect, buf: &mut Buffer) {
    let zone = &cx.ui.settings.zone;
    let canvas = Rect { x: area.x + LABEL, width: area.width.saturating_sub(LABEL + 1), ..area };
    let short = |ms: i64| {
        let whole = date(ms, zone);
        let from = if until_ms - from_ms > Span::Day.millis() { 5 } else { 11 };
        whole.get(from..).unwrap_or_default().to_owned()
    };
    let middle = short(from_ms + (until_ms - from_ms) / 2);
    let at = Rect { x: canvas.x + (canvas.width / 2).saturating_sub(middle.len() as u16 / 2), ..canvas };
    put(buf, canvas, 0, &Line::from(cx.span(short(from_ms), Role::Quiet)));
    put(buf, Rect { width: middle.len() as u16, ..at }, 0, &Line::from(cx.span(middle, Role::Quiet)));
    put_right(buf, canvas, 0, &Line::from(cx.span(short(until_ms), Role::Quiet)));
}
