//! The overrides, over the lower part of the screen while their keys hold.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Line;

use super::overlay::{above_footer, frame};
use super::text::{Cx, put};
use crate::ui::overrides::Lane;
use crate::ui::state::Mode;
use crate::ui::theme::Role;

/// Rows with the frame; the line for G-code stays in sight below.
const ROWS: u16 = 6;
/// Cells of a bar; 200 % fills it.
const BAR: usize = 20;

/// Draws them, if they are open. `true`: drawn.
pub(super) fn draw(cx: &Cx<'_>, area: Rect, buf: &mut Buffer) -> bool {
    let Mode::Override(open) = cx.ui.mode else { return false };
    let above = above_footer(area);
    let width = above.width.min(74);
    let place = Rect {
        x: above.x + (above.width - width) / 2,
        y: above.bottom().saturating_sub(ROWS + 1),
        width,
        height: ROWS,
    };
    let inside = frame(cx, place, "Overrides", buf);
    for (row, lane) in Lane::ALL.into_iter().enumerate() {
        let percent = cx.snapshot.machine.overrides.map(|overrides| lane.of(overrides));
        let filled = usize::from(percent.unwrap_or(0)) * BAR / 200;
        let bar: String = (0..BAR).map(|i| if i < filled { '#' } else { '.' }).collect();
        let value = percent.map_or("  ? %".to_owned(), |percent| format!("{percent:>3} %"));
        let (pointer, role) = if lane == open { (cx.theme.symbols.pointer, Role::Selected) } else { (" ", Role::Text) };
        let changed = percent.is_some_and(|percent| percent != 100);
        let line = Line::from(vec![
            cx.span(format!(" {pointer} "), Role::Key),
            cx.span(format!(" {:<8}", lane.name()), role),
            cx.span(format!(" {value} "), if changed { Role::Warning } else { Role::Value }),
            cx.span(bar, Role::Quiet),
        ]);
        put(buf, inside, row as u16, &line);
    }
    let hints = [("Left Right", "10 %"), ("- +", "1 %"), ("0", "100 %"), ("Up Down", "which"), ("Esc", "closes")];
    let spans: Vec<_> = hints.iter().flat_map(|(key, what)| cx.hint(key, what)).collect();
    put(buf, inside, Lane::ALL.len() as u16, &Line::from(spans));
    true
}
