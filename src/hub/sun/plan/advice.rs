//! Which time windows would be good, and why. Pure. Nobody sets them but a person.

use super::{Given, TariffWindow, clock};
use crate::model::sun::losses::{ROUND_TRIP, one_way};
use crate::model::sun::{Plan, PlanHour, PlanTime, PlanWindow, PlanWindowKind};

const HOUR_MS: i64 = 3_600_000;
/// Energies below that are not worth a window, in Wh.
const LITTLE_WH: f64 = 200.0;
/// A safety on top of what is missing, in percent of the battery.
const RESERVE_PERCENT: f64 = 5.0;
/// From this price on one is dear beside the cheapest.
const DEAR: f64 = 1.2;

/// In the order of the day.
pub(super) fn windows(given: &Given<'_>, plan: &Plan) -> Vec<PlanWindow> {
    let mut windows: Vec<PlanWindow> = charge(given, plan).into_iter().chain(keep(given, plan)).collect();
    windows.sort_by_key(|window| window.from.at_ms);
    windows
}

/// Energy that the grid has to give, from an hour on.
fn missing_wh(hours: &[PlanHour]) -> f64 {
    hours.iter().map(|hour| hour.wh(hour.grid_w)).sum()
}

/// Charge from the grid, where that is cheaper than to draw from it later, or where there may be none later.
fn charge(given: &Given<'_>, plan: &Plan) -> Option<PlanWindow> {
    let empty = plan.empty?;
    let missing = missing_wh(&plan.hours);
    if missing < LITTLE_WH || given.battery.grid == Some(false) {
        return None;
    }
    let after = |hour: &&PlanHour| hour.grid_w > 0.0;
    let percent = missing / one_way() / given.battery.capacity_wh * 100.0 + RESERVE_PERCENT;
    let kwh = missing / 1000.0;
    if given.tariffs.is_empty() {
        let back = plan.hours.iter().rev().find(after).map(|hour| end_of(hour, given))?;
        let first = plan.hours.first()?;
        let to_percent = (plan.soc_percent + percent).min(100.0);
        let why = format!(
            "the battery comes to its limit at {empty}, and {kwh:.1} kWh are missing until {back}; a grid that fails in that time leaves \
             nothing. No [[tariff]] says when charging is cheap"
        );
        let kind = PlanWindowKind::Charge { to_percent };
        return Some(PlanWindow { from: first.from, to: empty, kind, why });
    }
    let price = |hour: &PlanHour| price_at(given.tariffs, hour.from.minute);
    let dear = plan.hours.iter().filter(after).filter_map(price).fold(f64::NAN, f64::max);
    let before = |hour: &&PlanHour| hour.from.at_ms < empty.at_ms || hour.grid_w > 0.0;
    let cheap = plan.hours.iter().filter(before).filter(|hour| price(hour).is_some());
    let cheap = cheap.min_by(|a, b| price(a).unwrap_or(f64::MAX).total_cmp(&price(b).unwrap_or(f64::MAX)))?;
    let low = price(cheap)?;
    // What is lost on the way is paid too.
    if dear.is_nan() || low / ROUND_TRIP >= dear {
        return None;
    }
    let later: f64 = plan
        .hours
        .iter()
        .filter(|hour| hour.from.at_ms > cheap.from.at_ms && price(hour) > Some(low))
        .map(|hour| hour.wh(hour.grid_w))
        .sum();
    if later < LITTLE_WH {
        return None;
    }
    let (from, to) = around(plan, cheap, given)?;
    let at = plan.hours.iter().find(|hour| hour.from == from).map_or(plan.soc_percent, |hour| hour.soc_percent);
    let needed = later / one_way() / given.battery.capacity_wh * 100.0 + RESERVE_PERCENT;
    let why = format!(
        "the battery comes to its limit at {empty}; {:.1} kWh would come from the grid later at up to {dear} a kWh, and cost {low} here, \
         {:.3} with what is lost on the way",
        later / 1000.0,
        low / ROUND_TRIP
    );
    Some(PlanWindow { from, to, kind: PlanWindowKind::Charge { to_percent: (at + needed).min(100.0) }, why })
}

/// Keep the battery while the grid is cheap, where it would be missed while it is dear.
fn keep(given: &Given<'_>, plan: &Plan) -> Option<PlanWindow> {
    let empty = plan.empty.filter(|_| given.battery.grid != Some(false))?;
    let price = |hour: &PlanHour| price_at(given.tariffs, hour.from.minute);
    let cheapest = given.tariffs.iter().map(|tariff| tariff.price).fold(f64::NAN, f64::min);
    let is_dear = |hour: &&PlanHour| price(hour).is_some_and(|price| price > cheapest * DEAR);
    let missed: f64 = plan.hours.iter().filter(is_dear).map(|hour| hour.wh(hour.grid_w)).sum();
    if missed < LITTLE_WH {
        return None;
    }
    let first_dear = plan.hours.iter().find(|hour| hour.grid_w > 0.0 && is_dear(hour))?;
    let uses = |hour: &&PlanHour| {
        price(hour).is_some_and(|price| price <= cheapest * DEAR)
            && hour.load_w > hour.pv_w
            && hour.from.at_ms < first_dear.from.at_ms
            && hour.from.at_ms < empty.at_ms
    };
    let used: Vec<&PlanHour> = plan.hours.iter().filter(uses).collect();
    let spent: f64 = used.iter().map(|hour| hour.wh(hour.load_w - hour.pv_w)).sum();
    if spent < LITTLE_WH {
        return None;
    }
    let (from, to) = around(plan, used.last()?, given)?;
    let why = format!(
        "{:.1} kWh of the battery would go while the grid costs {cheapest}, and {:.1} kWh are missed from {} on, where it costs {}",
        spent / 1000.0,
        missed / 1000.0,
        first_dear.from,
        price(first_dear)?
    );
    Some(PlanWindow { from, to, kind: PlanWindowKind::Keep, why })
}

fn price_at(tariffs: &[TariffWindow], minute: u16) -> Option<f64> {
    tariffs.iter().find(|tariff| tariff.holds(minute)).map(|tariff| tariff.price)
}

/// The hours in a row around one, that cost the same.
fn around(plan: &Plan, hour: &PlanHour, given: &Given<'_>) -> Option<(PlanTime, PlanTime)> {
    let price = |hour: &PlanHour| price_at(given.tariffs, hour.from.minute);
    let at = plan.hours.iter().position(|found| found.from == hour.from)?;
    let same = |found: &&PlanHour| price(found) == price(hour);
    let back = plan.hours[..at].iter().rev().take_while(same).count();
    let on = plan.hours[at..].iter().take_while(same).count();
    Some((plan.hours[at - back].from, end_of(&plan.hours[at + on - 1], given)))
}

fn end_of(hour: &PlanHour, given: &Given<'_>) -> PlanTime {
    // The first one has begun already.
    let begun = i64::from(hour.from.minute % 60) * 60_000 + hour.from.at_ms.rem_euclid(60_000);
    clock(hour.from.at_ms - begun + HOUR_MS, given.zone)
}
