//! Time windows as bars of 24 hours.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::text::{Line, Span};

use super::super::table;
use super::super::text::{Cx, Rows, fit, printable, put};
use super::facts::nothing;
use super::form::field;
use crate::model::power::Unit;
use crate::ui::power::{Edge, Field, Window, hhmm, overlaps};
use crate::ui::theme::Role;

/// Columns of name and times before a bar.
const BEFORE: u16 = 28;

/// Draws it. Returns the cursor's place, if a text field is open.
pub(super) fn draw(cx: &Cx<'_>, unit: &Unit, area: Rect, buf: &mut Buffer) -> Option<Position> {
    let power = &cx.ui.power;
    let name = &unit.known.name;
    let windows = power.windows_of(name);
    if windows.is_empty() {
        let text = match power.settings_of(name) {
            None => "the settings are being read".to_owned(),
            Some(Err(why)) => printable(why),
            Some(Ok(_)) => "this inverter has no time windows that sunmill knows".to_owned(),
        };
        nothing(cx, area, &text, buf);
        return None;
    }
    let selected = power.selected.min(2 * windows.len() - 1);
    let clashes = overlaps(&windows);
    let mut rows = Rows { rest: area };
    let bottom = rows.bottom(3);
    // Half an hour is a cell, on narrow screens an hour.
    let cells = if area.width >= BEFORE + 50 { 48 } else { 24 };
    let mut lines = Vec::new();
    for (i, window) in windows.iter().enumerate() {
        let edge = (i == selected / 2).then_some(selected % 2);
        lines.push(line(cx, unit, &windows, i, edge, cells));
        if window.others.is_empty() || area.width < 76 {
            continue;
        }
        let others: Vec<String> = window.others.iter().map(|(what, value)| format!("{what} {value}")).collect();
        lines.push(Line::from(cx.span(format!("     {}", printable(&others.join(", "))), Role::Quiet)));
    }
    let at = lines.len() * (selected / 2) / windows.len();
    let head = format!("{:<28}{}", "  window", scale(cells));
    let room = usize::from(rows.rest.height.saturating_sub(1));
    table::draw(cx, rows.rest, &head, &lines, "", at.saturating_sub(room / 2), buf);
    foot(cx, &windows, &clashes, selected, bottom, buf)
}

/// What the selected end is, what overlaps, or the field for a time.
fn foot(
    cx: &Cx<'_>,
    windows: &[Window],
    clashes: &[(usize, usize, u16)],
    selected: usize,
    area: Rect,
    buf: &mut Buffer,
) -> Option<Position> {
    let window = &windows[selected / 2];
    let end = if selected.is_multiple_of(2) { "start" } else { "end" };
    let mut rows = Rows { rest: area };
    for (a, b, at) in clashes.iter().take(1) {
        let more = if clashes.len() > 1 { format!(", and {} more pairs", clashes.len() - 1) } else { String::new() };
        let text = format!("  overlap: {} and {} at {}{more}", windows[*a].name(), windows[*b].name(), hhmm(*at));
        put(buf, rows.top(1), 0, &Line::from(cx.span(text, Role::Warning)));
    }
    if cx.ui.power.field == Field::Time {
        let label = format!("{end} of window {}, HH:MM", window.name());
        return field(cx, &label, &cx.ui.power.typed, rows.rest, buf);
    }
    let text = format!("  {end} of window {}: Left and Right move it by 15 min, Enter types it", window.name());
    put(buf, rows.top(1), 0, &Line::from(cx.span(text, Role::Text)));
    let text = "  Nothing is written until the change set is (w). Windows may go over midnight.";
    put(buf, rows.top(1), 0, &Line::from(cx.span(text, Role::Quiet)));
    None
}

/// Hours above the bars.
fn scale(cells: usize) -> String {
    (0..24).step_by(6).map(|hour| format!("{hour:<width$}", width = cells / 4)).collect::<Vec<_>>().concat() + "24"
}

fn line(cx: &Cx<'_>, unit: &Unit, windows: &[Window], at: usize, edge: Option<usize>, cells: usize) -> Line<'static> {
    let window = &windows[at];
    let symbols = cx.theme.symbols;
    let pointer = if edge.is_some() { symbols.pointer } else { " " };
    let time = |minutes: Option<u16>, this: usize| -> Span<'static> {
        let text = minutes.map_or("--:--".to_owned(), hhmm);
        cx.span(text, if edge == Some(this) { Role::Selected } else { Role::Text })
    };
    let changed = [Some(&window.start_edge), window.end_edge.as_ref()].into_iter().flatten().any(|edge| {
        let ids = match edge {
            Edge::Time(id) => vec![id],
            Edge::HourAndMinute(hour, minute) => vec![hour, minute],
        };
        ids.iter().any(|id| cx.ui.power.changes.proposed(&unit.known.name, id).is_some())
    });
    let bar: String = (0..cells).map(|cell| sign(cx, windows, at, cell, cells)).collect();
    Line::from(vec![
        cx.span(format!(" {pointer} "), Role::Key),
        cx.span(format!("{:<12}", fit(&window.name(), 11, symbols.more)), Role::Text),
        time(window.start, 0),
        cx.span("-", Role::Text),
        time(window.end, 1),
        cx.span(if changed { "* " } else { "  " }, Role::Warning),
        cx.span(bar, if changed { Role::Warning } else { Role::Good }),
    ])
}

/// A cell of a bar: in the window, in another of its kind too, or out of it.
fn sign(cx: &Cx<'_>, windows: &[Window], at: usize, cell: usize, cells: usize) -> char {
    let ascii = cx.theme.symbols.line.is_ascii();
    let [alone, twice, out, hour] = if ascii { ['#', 'X', '.', '|'] } else { ['█', '▓', '·', '┊'] };
    let minutes = 1440 / cells;
    let window = &windows[at];
    // The middle of the cell decides, and an end of the window in it.
    let inside = |window: &Window| {
        (0..minutes).step_by(minutes.min(15)).any(|minute| window.holds((cell * minutes + minute) as u16))
    };
    if !inside(window) {
        return if (cell * 4).is_multiple_of(cells) && cell > 0 { hour } else { out };
    }
    let clash = windows
        .iter()
        .enumerate()
        .any(|(i, other)| i != at && (&other.set, &other.what) == (&window.set, &window.what) && inside(other));
    if clash { twice } else { alone }
}
