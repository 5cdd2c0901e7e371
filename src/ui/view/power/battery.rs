//! The level of a battery as a bar with its limits.

use super::super::text::Cx;
use crate::model::Time;
use crate::model::power::Battery;

/// A bar of so many cells: what is in, what is out, and where discharging and charging end.
pub(super) fn bar(cx: &Cx<'_>, battery: &Battery, cells: usize, now: Time) -> Option<String> {
    let level = battery.soc_percent.shown(now)?;
    let ascii = cx.theme.symbols.line.is_ascii();
    let [full, empty, limit] = if ascii { ['#', '.', '|'] } else { ['█', '░', '┃'] };
    let place = |percent: f64| ((percent / 100.0 * cells as f64).round() as usize).min(cells - 1);
    let at = |limit: Option<f64>| limit.filter(|limit| (0.5..99.5).contains(limit)).map(place);
    let limits = [at(battery.soc_min_percent.shown(now)), at(battery.soc_max_percent.shown(now))];
    let filled = (level / 100.0 * cells as f64).round() as usize;
    let sign = |i| {
        if limits.contains(&Some(i)) {
            limit
        } else if i < filled {
            full
        } else {
            empty
        }
    };
    Some((0..cells).map(sign).collect())
}
