//! A series over time as filled columns of dots. Where nothing is known there is nothing, not even the line of zero.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use crate::model::power::Sample;
use crate::ui::preview::Dots;

/// Bits of the Braille block by column and row.
const BRAILLE: [[u8; 4]; 2] = [[0x01, 0x02, 0x04, 0x40], [0x08, 0x10, 0x20, 0x80]];

/// The time that is drawn, in ms of Unix time, and how long a sample holds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Window {
    pub(super) from: i64,
    pub(super) until: i64,
    pub(super) hold: i64,
}

/// The mean in each of `slots` equal parts of the window. `None`: nothing is known of that time.
pub(super) fn means(
    samples: &[Sample],
    pick: fn(&Sample) -> Option<f32>,
    window: Window,
    slots: usize,
) -> Vec<Option<f32>> {
    let mut sums = vec![(0.0_f32, 0_u32); slots];
    let span = (window.until - window.from).max(1);
    let count = slots.cast_signed() as i64;
    let slot = |ms: i64| (ms - window.from) * count / span;
    for sample in samples {
        let Some(value) = pick(sample) else { continue };
        let (first, last) = (slot(sample.at_ms), slot(sample.at_ms + window.hold - 1));
        for at in first.max(0)..=last.min(count - 1) {
            if let Some(sum) = usize::try_from(at).ok().and_then(|at| sums.get_mut(at)) {
                *sum = (sum.0 + value, sum.1 + 1);
            }
        }
    }
    sums.into_iter().map(|(sum, n)| (n > 0).then(|| sum / n as f32)).collect()
}

/// The lowest and the highest number of a scale that holds all of these and zero, both round.
pub(super) fn scale(values: &[Option<f32>]) -> (f32, f32) {
    let (low, high) =
        values.iter().flatten().fold((0.0_f32, 0.0_f32), |(low, high), value| (low.min(*value), high.max(*value)));
    (-round_up(-low), round_up(high))
}

/// The next of 1, 2, 5 times a power of ten.
fn round_up(value: f32) -> f32 {
    if value <= 0.0 {
        return 0.0;
    }
    let power = 10_f32.powf(value.log10().floor());
    [1.0, 2.0, 3.0, 5.0, 10.0].into_iter().map(|step| step * power).find(|round| *round >= value).unwrap_or(value)
}

/// Draws the values, one for each column of dots, between `low` and `high`.
pub(super) fn draw(
    values: &[Option<f32>],
    (low, high): (f32, f32),
    dots: Dots,
    style: Style,
    area: Rect,
    buf: &mut Buffer,
) {
    let (across, down) = dots.per_cell();
    let height = usize::from(area.height * down);
    let range = (high - low).max(f32::EPSILON);
    // Dots from the top; zero has a row of its own.
    let row_of = |value: f32| ((high - value) / range * (height.saturating_sub(1)) as f32).round() as usize;
    let zero = row_of(0.0);
    for column in 0..area.width {
        for row in 0..area.height {
            let (mut bits, mut zeros_only) = (0_u8, true);
            for dx in 0..across {
                let Some(Some(value)) = values.get(usize::from(column * across + dx)) else { continue };
                let (top, bottom) = (row_of(*value).min(zero), row_of(*value).max(zero));
                zeros_only &= value.abs() < range / 100.0;
                for dy in 0..down {
                    if (top..=bottom).contains(&usize::from(row * down + dy)) {
                        bits |= match dots {
                            Dots::Braille => BRAILLE[usize::from(dx)][usize::from(dy)],
                            Dots::HalfBlocks | Dots::Ascii => 1 << dy,
                        };
                    }
                }
            }
            let sign = match (dots, bits) {
                (_, 0) => continue,
                (Dots::Braille, bits) => char::from_u32(0x2800 + u32::from(bits)).unwrap_or(' '),
                (Dots::HalfBlocks, 1) => '▀',
                (Dots::HalfBlocks, 2) => '▄',
                (Dots::HalfBlocks, _) => '█',
                // Nothing flows: a line, where one sign is all there is for a cell.
                (Dots::Ascii, _) if zeros_only => '_',
                (Dots::Ascii, _) => '#',
            };
            if let Some(cell) = buf.cell_mut((area.x + column, area.y + row)) {
                cell.set_char(sign).set_style(style);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picture(values: &[Option<f32>], dots: Dots, height: u16) -> Vec<String> {
        let width = values.len() as u16 / dots.per_cell().0;
        let area = Rect::new(0, 0, width, height);
        let mut buf = Buffer::empty(area);
        draw(values, scale(values), dots, Style::new(), area, &mut buf);
        (0..height).map(|y| (0..width).map(|x| buf[(x, y)].symbol()).collect()).collect()
    }

    #[test]
    fn a_gap_is_empty_and_zero_is_a_line() {
        let values = [Some(0.0), Some(2.0), None, Some(4.0), Some(0.0)];
        assert_eq!(picture(&values, Dots::Ascii, 3), ["   # ", " # # ", "_# #_"]);
    }

    #[test]
    fn what_is_below_zero_hangs() {
        let values = [Some(2.0), Some(-2.0), Some(0.0)];
        assert_eq!(picture(&values, Dots::Ascii, 3), ["#  ", "##_", " # "]);
        assert_eq!(picture(&[Some(1.0), Some(-1.0)], Dots::Braille, 1), ["⢧"]);
    }

    #[test]
    fn means_are_over_what_is_known() {
        let sample = |at_ms, pv| Sample { at_ms, pv_w: pv, ..Sample::default() };
        let samples = [sample(0, Some(1.0)), sample(500, Some(3.0)), sample(1000, None), sample(3000, Some(5.0))];
        let window = Window { from: 0, until: 4000, hold: 500 };
        assert_eq!(means(&samples, |sample| sample.pv_w, window, 4), [Some(2.0), None, None, Some(5.0)]);
        let held = Window { hold: 1500, ..window };
        assert_eq!(means(&samples, |sample| sample.pv_w, held, 4), [Some(2.0), Some(2.0), None, Some(5.0)]);
        assert_eq!(means(&samples, |sample| sample.pv_w, window, 0), []);
    }

    #[test]
    fn scales_are_round() {
        assert_eq!(scale(&[Some(2310.0), None, Some(-340.0)]), (-500.0, 3000.0));
        assert_eq!(scale(&[None]), (0.0, 0.0));
    }
}
