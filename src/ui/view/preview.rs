//! A tool path as a picture in text: cuts solid, rapids dotted, what is done bold, the tool and the zero point marked.

mod dots;
#[cfg(test)]
mod tests;

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::style::{Modifier, Style};
use ratatui::text::{Line, Span};

use self::dots::{Layer, Raster};
use super::text::{Rows, put, put_right};
use crate::model::program::report::Frame;
use crate::model::program::toolpath::{Reached, Toolpath};
use crate::model::quantity::number;
use crate::ui::preview::{Camera, Dots, PreviewState};
use crate::ui::settings::{ColourMode, Settings, SymbolSet};
use crate::ui::theme::{Role, Theme};

/// Below this there is no room for labels.
const LABELS_FROM: u16 = 5;
/// A coarser path is told.
const COARSE_MM: f32 = 0.1;

/// What is to be seen.
#[derive(Clone, Copy, Debug)]
pub struct Picture<'a> {
    /// The path.
    pub path: &'a Toolpath,
    /// From where, and how near.
    pub state: &'a PreviewState,
    /// Of what it is made.
    pub dots: Dots,
    /// The program has come as far as this line.
    pub progress_line: Option<u64>,
    /// Where the tool is, in the coordinates of the path: [`Toolpath::point`] of the work position.
    pub tool: Option<[f32; 3]>,
}

/// Draws the picture with its labels: a line above, a line below.
pub fn draw(picture: &Picture<'_>, theme: &Theme, area: Rect, buf: &mut Buffer) {
    let area = area.intersection(buf.area);
    if area.is_empty() {
        return;
    }
    if picture.path.is_empty() {
        let text = "nothing to draw: no move of this program can be known before it runs";
        put(buf, area, 0, &Line::styled(text, theme.style(Role::Quiet)));
        return;
    }
    let mut parts = Rows { rest: area };
    let labels = u16::from(area.height >= LABELS_FROM);
    let (head, foot) = (parts.top(labels), parts.bottom(labels));
    let window = parts.rest;
    let mut raster = Raster::new(picture.dots, window.width, window.height);
    let camera = Camera::new(picture.state, picture.path.min, picture.path.max, raster.size(), picture.dots);
    trace(picture, &camera, &mut raster);
    cells(picture.dots, theme, &raster, window, buf);
    let ascii = picture.dots == Dots::Ascii;
    mark(camera.dot([0.0; 3]), picture.dots, if ascii { '+' } else { '┼' }, theme.style(Role::Key), window, buf);
    // The font of the Linux console has no cross.
    let tool_sign = if picture.dots == Dots::Braille { '╳' } else { '@' };
    let tool_seen = picture
        .tool
        .is_none_or(|tool| mark(camera.dot(tool), picture.dots, tool_sign, theme.style(Role::Accent), window, buf));
    if labels > 0 {
        put(buf, head, 0, &title(picture, theme, tool_seen));
        put(buf, foot, 0, &Line::styled(sizes(picture.path), theme.style(Role::Text)));
        let used = sizes(picture.path).chars().count() as u16;
        let scale = scale_bar(&camera, picture.dots);
        if used + scale.chars().count() as u16 + 2 <= foot.width {
            put_right(buf, foot, 0, &Line::styled(scale, theme.style(Role::Quiet)));
        }
    }
}

/// The picture as lines of text, without colours, for a pipe or a file.
pub fn text(picture: &Picture<'_>, width: u16, height: u16) -> String {
    let symbols = if picture.dots == Dots::Ascii { SymbolSet::Ascii } else { SymbolSet::Unicode };
    let theme = Theme::new(&Settings { symbols, colour: ColourMode::None, ..Settings::default() });
    let mut buf = Buffer::empty(Rect::new(0, 0, width, height));
    draw(picture, &theme, buf.area, &mut buf);
    let mut out = String::new();
    for row in buf.content.chunks(usize::from(width.max(1))) {
        let line: String = row.iter().map(ratatui::buffer::Cell::symbol).collect();
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out
}

/// Draws the strokes of the coarsest level that looks the same.
fn trace(picture: &Picture<'_>, camera: &Camera, raster: &mut Raster) {
    let Some(level) = picture.path.level_for(camera.mm_per_dot() / 2.0) else { return };
    let mut from = [0.0; 2];
    for corner in &level.corners {
        let to = camera.dot(corner.at);
        let layer = match corner.reached() {
            Reached::Jump => None,
            Reached::Rapid => Some(Layer::Rapid),
            Reached::Cut if picture.progress_line.is_some_and(|line| corner.line() <= line) => Some(Layer::Done),
            Reached::Cut => Some(Layer::Cut),
        };
        if let Some(layer) = layer {
            raster.line(from, to, layer);
        }
        from = to;
    }
}

fn cells(dots: Dots, theme: &Theme, raster: &Raster, window: Rect, buf: &mut Buffer) {
    for (row, cells) in raster.rows().enumerate() {
        for (column, cell) in cells.iter().enumerate() {
            let Some(layer) = cell.layer() else { continue };
            let style = match layer {
                Layer::Rapid => theme.style(Role::Quiet),
                Layer::Cut => theme.style(Role::Text),
                Layer::Done => theme.style(Role::Good).add_modifier(Modifier::BOLD),
            };
            if let Some(to) = buf.cell_mut((window.x + column as u16, window.y + row as u16)) {
                to.set_char(cell.sign(dots)).set_style(style);
            }
        }
    }
}

/// Puts a sign into the cell of a dot. `false`: it is outside of the window.
fn mark([x, y]: [f32; 2], dots: Dots, sign: char, style: Style, window: Rect, buf: &mut Buffer) -> bool {
    let (across, down) = dots.per_cell();
    let cell = [x.round() / f32::from(across), y.round() / f32::from(down)];
    let inside =
        cell[0] >= 0.0 && cell[1] >= 0.0 && cell[0] < f32::from(window.width) && cell[1] < f32::from(window.height);
    if inside && let Some(to) = buf.cell_mut(Position::new(window.x + cell[0] as u16, window.y + cell[1] as u16)) {
        to.set_char(sign).set_style(style);
    }
    inside
}

/// From where, how near, in which coordinates, and what the signs mean.
fn title(picture: &Picture<'_>, theme: &Theme, tool_seen: bool) -> Line<'static> {
    let (path, state) = (picture.path, picture.state);
    let dot = theme.symbols.dot;
    let times = theme.symbols.times[0];
    let mut spans = vec![Span::styled(format!(" {}", state.view().name()), theme.style(Role::Title))];
    if state.zoom() > 1.0 {
        spans.push(Span::raw(format!(" {dot} {times}{:.1}", state.zoom())));
    }
    if let Some(frames) = frames(&path.frames) {
        spans.push(Span::raw(format!(" {dot} {frames}")));
    }
    let coarse = path.finest().map_or(0.0, |level| level.tolerance_mm);
    if coarse >= COARSE_MM {
        spans.push(Span::raw(format!(" {dot} to {} mm", short(coarse))));
    }
    let mut signs = match picture.dots {
        Dots::Ascii => " o cut  . rapid".to_owned(),
        Dots::Braille | Dots::HalfBlocks => " rapids dotted".to_owned(),
    };
    if picture.progress_line.is_some() {
        signs += if picture.dots == Dots::Ascii { "  # done" } else { ", done bold" };
    }
    if !tool_seen {
        signs += ", tool outside";
    }
    if path.partial {
        signs += ", not all moves drawn";
    }
    spans.push(Span::styled(format!(" {dot}{signs}"), theme.style(Role::Quiet)));
    Line::from(spans)
}

/// The coordinate systems, unless there is only the one that is active anyway.
fn frames(frames: &[Frame]) -> Option<String> {
    let name = |frame: &Frame| match frame {
        Frame::Active => "the active system".to_owned(),
        Frame::Machine => "machine".to_owned(),
        Frame::Work(n @ 1..=6) => format!("G{}", 53 + n),
        Frame::Work(n) => format!("G59.{}", n.saturating_sub(6)),
    };
    match frames {
        [] | [Frame::Active] => None,
        [one] => Some(name(one)),
        several => Some(format!("{} zero upon zero", several.iter().map(name).collect::<Vec<_>>().join(", "))),
    }
}

fn sizes(path: &Toolpath) -> String {
    let axes = ["X", "Y", "Z"].iter().zip(path.min).zip(path.max);
    let axes = axes.map(|((axis, min), max)| format!(" {axis} {} to {} ", short(min), short(max)));
    axes.collect::<String>() + "mm"
}

/// Two decimals at most.
fn short(value: f32) -> String {
    number((f64::from(value) * 100.0).round() / 100.0)
}

/// A bar of a round length, and how long it is.
fn scale_bar(camera: &Camera, dots: Dots) -> String {
    let mm_per_cell = camera.mm_per_dot() * f32::from(dots.per_cell().0);
    // The longest of 1, 2, 5 times a power of ten in at most 12 cells.
    let most = f64::from(mm_per_cell * 12.0);
    let power = 10.0_f64.powf(most.log10().floor());
    let mm = [5.0, 2.0, 1.0].iter().map(|n| n * power).find(|mm| *mm <= most).unwrap_or(power);
    let cells = ((mm / f64::from(mm_per_cell)).round() as usize).clamp(1, 12);
    let (end, middle) = if dots == Dots::Ascii { ("|", "-") } else { ("│", "─") };
    format!("{end}{}{end} {} mm ", middle.repeat(cells.saturating_sub(2)), number(mm))
}
